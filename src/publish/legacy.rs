//! Outputs of 0.1.0: a record per commit that names its run alone, and trees without a record.
//!
//! The first commit of this version takes such an output over: it keeps the manifests of runs that are still there, and lists
//! and hashes the files of all other dates as they lie in `tables/`, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::contents::{self, Contents};
use super::facts::{DIMENSIONS, DateFacts};
use super::files::{names, sha256_of};
use super::layout::{TREES, date_folder, number_of, record_path, run_folder, tree_folder};
use super::legacy_facts;
use super::manifest::{Manifest, TableEntry, TableFile};
use super::record::{Act, KeptRun, Owner, Record, Supply, unusable};
use crate::error::Result;

/// `commits/<n>.json` of 0.1.0.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct LegacyRecord {
    run_id: String,
    job_name: String,
    as_of: Vec<String>,
    manifest_sha256: String,
}

fn read_one(root: &Path, number: u64) -> Result<LegacyRecord> {
    let path = record_path(root, number);
    let bytes = fs::read(&path).map_err(|e| unusable(&path.display(), format!("cannot be read: {e}")).caused_by(e))?;
    serde_json::from_slice(&bytes).map_err(|e| unusable(&path.display(), format!("cannot be read: {e}")).caused_by(e))
}

/// Whether a record is one of 0.1.0: that has no form.
pub(super) fn is_legacy(root: &Path, number: u64) -> bool {
    read_one(root, number).is_ok()
}

/// The records of 0.1.0 as one. `latest` is the run of the last commit, as that version had it.
///
/// # Errors
/// Exit 5 if one cannot be read.
pub(super) fn read(root: &Path, numbers: &[u64]) -> Result<Record> {
    let owner = Owner { job: String::new(), timezone: None };
    let mut all = Record { format: 1, ..Record::empty(owner) };
    for &number in numbers {
        let LegacyRecord { run_id, job_name, as_of, manifest_sha256 } = read_one(root, number)?;
        let supply = Supply {
            run_id: run_id.clone(),
            manifest_sha256: manifest_sha256.clone(),
            commit: number,
            made: Vec::new(),
            facts: DateFacts::default(),
            lost: false,
        };
        all.dates.extend(as_of.iter().map(|date| (date.clone(), supply.clone())));
        all.runs.retain(|run| run.run_id != run_id);
        let last_as_of = as_of.last().cloned().unwrap_or_default();
        all.runs.insert(0, KeptRun { run_id: run_id.clone(), manifest_sha256, last_as_of, commit: number });
        all.owner.job = job_name;
        all.latest = Some(run_id.clone());
        all.act = Act::Run(run_id);
        all.number = number;
    }
    // Most runs are gone by now: 0.1.0 kept the last ones and all records.
    all.runs.retain(|run| run_folder(root, &run.run_id).is_dir());
    let manifest = all.latest.as_ref().and_then(|run| Manifest::read(&run_folder(root, run)).ok());
    let timezone = manifest.and_then(|m| m.job.get("orders")?.get("timezone")?.as_str().map(str::to_owned));
    all.owner.timezone = timezone;
    Ok(all)
}

/// The dates of a record of 0.1.0 whose runs are gone: nothing says which files they had.
pub(super) fn unvouched(root: &Path, record: &Record) -> BTreeSet<String> {
    let pairs: BTreeSet<(&str, &str)> =
        record.dates.values().map(|supply| (supply.run_id.as_str(), supply.manifest_sha256.as_str())).collect();
    let gone: BTreeSet<(&str, &str)> =
        pairs.into_iter().filter(|(run_id, sha256)| contents::bytes(root, run_id, sha256).is_none()).collect();
    let is_gone = |supply: &Supply| gone.contains(&(supply.run_id.as_str(), supply.manifest_sha256.as_str()));
    record.dates.iter().filter(|(_, supply)| is_gone(supply)).map(|(date, _)| date.clone()).collect()
}

/// An output of 0.1.0 that was taken over.
pub(super) struct Adopted {
    /// Its record. Every date has its list of files in `manifests/`, or is lost.
    pub record: Record,
    /// What cannot be vouched for, as sentences.
    pub notes: Vec<String>,
}

/// Takes an output of 0.1.0 over.
///
/// # Errors
/// Exit 5 if a file below `tables/` cannot be read; exit 6 if a list cannot be written.
pub(super) fn adopt(root: &Path, mut record: Record) -> Result<Adopted> {
    let unvouched = unvouched(root, &record);
    let tree = tree_folder(root, tree_number(root, record.number)?);
    let lists: Vec<(&String, Contents)> = unvouched
        .par_iter()
        .map(|date| {
            let supply = record.dates.get(date);
            Ok((date, list(&tree, date, supply.map_or("", |s| s.run_id.as_str()), &record.owner.job)?))
        })
        .collect::<Result<_>>()?;
    let mut adopted = BTreeMap::new();
    for (date, list) in &lists {
        let sha256 = match list.tables.is_empty() {
            true => None,
            false => Some(contents::keep(root, &list.to_bytes()?)?),
        };
        adopted.insert((*date).clone(), sha256);
    }
    for (date, supply) in &mut record.dates {
        match adopted.get(date) {
            Some(Some(sha256)) => supply.manifest_sha256.clone_from(sha256),
            Some(None) => supply.lost = true,
            None => {
                if let Some(bytes) = contents::bytes(root, &supply.run_id, &supply.manifest_sha256) {
                    contents::keep(root, &bytes)?;
                }
            }
        }
    }
    legacy_facts::read(&tree, &mut record)?;
    record.runs.retain(|run| contents::bytes(root, &run.run_id, &run.manifest_sha256).is_some());
    let taken: Vec<&String> = adopted.iter().filter(|(_, sha256)| sha256.is_some()).map(|(date, _)| date).collect();
    let notes = notes(&taken, &strangers(root, &tree, &record)?);
    Ok(Adopted { record, notes })
}

fn notes(taken: &[&String], strangers: &[String]) -> Vec<String> {
    let mut notes =
        vec!["the output was written by rfmill 0.1.0 and is taken over; that version refuses it from now on".to_owned()];
    if let (Some(first), Some(last)) = (taken.first(), taken.last()) {
        notes.push(format!(
            "of {} as-of date{} ({first} to {last}) the runs are gone, so nothing can tell whether the files below tables/ are those that were committed; they are taken as they lie there, and their hashes are kept from now on",
            taken.len(),
            if taken.len() == 1 { "" } else { "s" }
        ));
    }
    if let Some(first) = strangers.first() {
        notes.push(format!(
            "{} folder{} below tables/, such as {first}, {} of no commit or of an older run than the rest of the date, and {} no longer shown; run the job again for such a date if it is missed",
            strangers.len(),
            if strangers.len() == 1 { "" } else { "s" },
            if strangers.len() == 1 { "is" } else { "are" },
            if strangers.len() == 1 { "is" } else { "are" },
        ));
    }
    notes
}

/// The last tree of 0.1.0.
fn tree_number(root: &Path, last: u64) -> Result<u64> {
    let numbers = names(&root.join(TREES))?;
    Ok(numbers.iter().filter_map(|name| number_of(name, "")).filter(|number| *number <= last).max().unwrap_or(last))
}

/// The files of a date as they lie in a tree, with their hashes.
fn list(tree: &Path, date: &str, run_id: &str, job_name: &str) -> Result<Contents> {
    let mut tables = Vec::new();
    for table in names(tree)?.into_iter().filter(|table| !DIMENSIONS.contains(&table.as_str())) {
        let folder = Path::new(&table).join(date_folder(date));
        let mut files = Vec::new();
        for name in names(&tree.join(&folder))? {
            let path = tree.join(&folder).join(&name);
            let (sha256, bytes) =
                sha256_of(&path).map_err(|e| unusable(&path.display(), format!("cannot be read: {e}")).caused_by(e))?;
            let path_in_run = folder.join(&name).to_string_lossy().into_owned();
            files.push(TableFile { path: path_in_run, rows: rows(&path), bytes, sha256 });
        }
        if !files.is_empty() {
            let rows = files.iter().map(|file| file.rows).sum();
            tables.push(TableEntry { name: table, rows, files });
        }
    }
    let (run_id, job_name) = (run_id.to_owned(), job_name.to_owned());
    Ok(Contents { run_id, job_name, as_of: vec![date.to_owned()], tables, reports: Vec::new(), made: Vec::new(), adopted: true })
}

/// Rows of a table file by its footer; none if it is no such file.
fn rows(path: &Path) -> u64 {
    let builder = File::open(path).ok().and_then(|file| ParquetRecordBatchReaderBuilder::try_new(file).ok());
    builder.map_or(0, |builder| u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0))
}

/// Folders of the tree that the record does not name.
fn strangers(root: &Path, tree: &Path, record: &Record) -> Result<Vec<String>> {
    let mut known = BTreeSet::new();
    for (date, supply) in record.dates.iter().filter(|(_, supply)| !supply.lost) {
        let contents = Contents::read(root, &supply.run_id, &supply.manifest_sha256)?;
        known.extend(contents.of_date(date).into_keys().map(|table| PathBuf::from(table).join(date_folder(date))));
    }
    let mut strangers = Vec::new();
    for table in names(tree)?.into_iter().filter(|table| !DIMENSIONS.contains(&table.as_str())) {
        for as_of in names(&tree.join(&table))? {
            let folder = Path::new(&table).join(as_of);
            if !known.contains(&folder) {
                strangers.push(folder.display().to_string());
            }
        }
    }
    Ok(strangers)
}
