//! Takes customers out of an output: no file below it names them afterwards, and sums stay.
//!
//! Every run that supplies a date and holds one of them is replaced by another, with the same files but for theirs, under an id
//! and a manifest of its own. One commit puts all of these in place. The runs before and the trees before go with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::Value;

use super::contents::{self, Contents};
use super::files::{failed, sync_folder, sync_tree};
use super::folder::{OutputFolder, committed};
use super::forgotten_rows::{crm_without, holds, table_without};
use super::interrupt::INTERRUPTS;
use super::layout::{MANIFESTS, manifest_path, run_folder};
use super::manifest::{TableEntry, TableFile};
use super::people::{Found, People};
use super::record::Record;
use super::staging::Staging;
use super::tree::Trees;
use super::upload::on_disk;
use super::view::RunKey;
use crate::error::{Error, Kind, Result};
use crate::storage::Place;

/// Tables with a row per customer.
const TABLES: [&str; 3] = ["customers", "movers", "state_history"];

/// What became of a wish to forget customers.
#[derive(Debug, Clone, Default)]
pub struct Forgotten {
    /// Ids that were found.
    pub customers: u64,
    /// Ids that no file holds.
    pub unknown: u64,
    /// Rows that were taken out, over all files.
    pub rows: u64,
    /// Files that were written anew.
    pub files: u64,
    /// As-of dates of these.
    pub dates: BTreeSet<String>,
    /// Reports that were left out, because a warning in them names a customer.
    pub reports: Vec<String>,
    /// The run that `latest` names and its last as-of date.
    pub latest: Option<(String, String)>,
    /// What readers should know, as sentences.
    pub notes: Vec<String>,
}

/// A run, or what is left of one in the view.
pub(super) struct Holder {
    pub key: RunKey,
    /// The bytes of its manifest.
    pub manifest: Vec<u8>,
    /// Its as-of dates in view.
    pub dates: BTreeSet<String>,
    /// Its files with where they lie.
    pub files: Vec<(TableFile, Place)>,
}

/// A holder, which of its files hold customers, and whether its manifest names one.
pub(super) struct Hit<'a> {
    pub holder: &'a Holder,
    files: BTreeSet<usize>,
    is_named: bool,
}

impl OutputFolder {
    /// Takes customers out of all files; if none holds one, nothing is committed.
    ///
    /// # Errors
    /// Exit 5 if nothing is committed or files are gone or damaged; else as [`OutputFolder::commit`].
    pub fn forget_customers(&self, people: &People) -> Result<Forgotten> {
        let root = self.root.display();
        let last = self.last().ok_or_else(|| {
            Error::new(Kind::State, format!("{root} holds no committed run, so there is nobody to forget; check the path"))
        })?;
        let (notes, last) = self.own(&last.owner.clone())?;
        if let Some(date) = last.lost().next() {
            return Err(Error::new(
                Kind::State,
                format!(
                    "the files of as-of date {date} are gone, so it cannot be told whom they held; take the date out with `rfmill drop {root} --as-of {date}`, or compute it again, and forget then"
                ),
            ));
        }
        let holders = self.holders(&last)?;
        let (found, hits) = search(&holders, people, &self.scratch())?;
        let mut out =
            Forgotten { customers: found.count(), unknown: people.len() - found.count(), notes, ..Forgotten::default() };
        if hits.is_empty() {
            return Ok(out);
        }
        let mut replaced = BTreeMap::new();
        for hit in &hits {
            let mut staging = self.stage(&format!("forget-{}", hit.holder.key.0))?;
            let (run_id, manifest) = replace(hit, people, &staging, &mut out)?;
            self.settle(&mut staging, &run_id)?;
            replaced.insert(hit.holder.key.clone(), (run_id, contents::keep(&self.root, &manifest)?));
        }
        sync_folder(&self.root.join("runs"))?;
        let mut guard = INTERRUPTS.begin_commit()?;
        self.lock.still_ours(&self.root)?;
        let (written, plan) = self.add(last.with_replaced(&replaced, out.customers)?, None)?;
        self.show(&mut guard, "that the customers are forgotten", &written, &plan)?;
        out.latest = committed(&written.record, PathBuf::new(), Vec::new()).latest;
        Ok(out)
    }

    /// The runs that stay, and what the tree holds of others.
    fn holders(&self, last: &Record) -> Result<Vec<Holder>> {
        let root = &self.root;
        let mut dates: BTreeMap<RunKey, BTreeSet<String>> = BTreeMap::new();
        for (date, supply) in &last.dates {
            dates.entry((supply.run_id.clone(), supply.manifest_sha256.clone())).or_default().insert(date.clone());
        }
        let mut holders = Vec::new();
        for run in &last.runs {
            let key = (run.run_id.clone(), run.manifest_sha256.clone());
            let contents = Contents::read(root, &key.0, &key.1)?;
            let folder = run_folder(root, &run.run_id);
            let files = contents.files().map(|file| (file.clone(), Place::Local(folder.join(&file.path)))).collect();
            let dates = dates.remove(&key).unwrap_or_default();
            holders.push(Holder { manifest: self.manifest(&key)?, key, dates, files });
        }
        let trees = Trees::of(root);
        for (key, dates) in dates {
            let mut files = Vec::new();
            let contents = Contents::read(root, &key.0, &key.1)?;
            for date in &dates {
                let supply = last.dates.get(date).ok_or_else(|| Error::bug(format!("as-of date {date} has no supply")))?;
                let mut sources = trees.find(date, supply)?.ok_or_else(|| gone(date))?;
                for (table, of_table) in contents.of_date(date) {
                    let found: BTreeMap<String, PathBuf> = sources.remove(&table).into_iter().flatten().collect();
                    for (name, file) in of_table {
                        let path = found.get(&name).cloned().ok_or_else(|| gone(date))?;
                        files.push((file.clone(), Place::Local(path)));
                    }
                }
            }
            holders.push(Holder { manifest: self.manifest(&key)?, key, dates, files });
        }
        Ok(holders)
    }

    fn manifest(&self, (run_id, sha256): &RunKey) -> Result<Vec<u8>> {
        contents::bytes(&self.root, run_id, sha256).ok_or_else(|| {
            let path = manifest_path(&self.root, sha256);
            Error::new(Kind::State, format!("{} is gone or damaged; see what `rfmill verify` says of the output", path.display()))
        })
    }

    /// Makes a staged run durable and moves it to where runs are.
    fn settle(&self, staging: &mut Staging, run_id: &str) -> Result<()> {
        staging.drain()?;
        sync_tree(&staging.folder)?;
        let folder = run_folder(&self.root, run_id);
        std::fs::rename(&staging.folder, &folder).map_err(|e| failed(&folder, e))?;
        INTERRUPTS.unregister(&staging.folder);
        INTERRUPTS.register(&folder);
        staging.keep();
        Ok(())
    }
}

/// Writes a run without the customers; returns its id and its manifest.
///
/// # Errors
/// Exit 5 if a file cannot be read; exit 6 if one cannot be written.
pub(super) fn replace(hit: &Hit<'_>, people: &People, staging: &Staging, out: &mut Forgotten) -> Result<(String, Vec<u8>)> {
    let holder = hit.holder;
    let write = |(at, (file, from)): (usize, &(TableFile, Place))| -> Result<Option<TableFile>> {
        if is_report(&file.path) && !is_crm(&file.path) && hit.is_named {
            return Ok(None);
        }
        if !hit.files.contains(&at) {
            staging.link(from, &file.path)?;
            return Ok(Some(file.clone()));
        }
        on_disk(from, &staging.folder, |from| match is_crm(&file.path) {
            true => crm_without(from, &file.path, people, staging),
            false => staging.put(file.path.clone(), table_without(from, people)?),
        })
        .map(Some)
    };
    // Files are large in memory, so only as many as there are threads are.
    let files = holder.files.par_iter().enumerate().with_max_len(1).map(write);
    let files: Vec<Option<TableFile>> = files.collect::<Result<_>>()?;
    let mut written: BTreeMap<&str, &TableFile> = BTreeMap::new();
    for ((before, _), now) in holder.files.iter().zip(&files) {
        match now {
            Some(now) if now.sha256 != before.sha256 => {
                out.rows += before.rows - now.rows;
                out.files += 1;
                written.insert(&before.path, now);
            }
            Some(_) => {}
            None => out.reports.push(format!("{}/{}", holder.key.0, before.path)),
        }
    }
    out.dates.extend(holder.dates.iter().cloned());
    let left_out: BTreeSet<&str> =
        holder.files.iter().zip(&files).filter(|(_, now)| now.is_none()).map(|((file, _), _)| file.path.as_str()).collect();
    let (run_id, manifest) = manifest_without(&holder.manifest, people, &written, &left_out)?;
    staging.write("manifest.json", manifest.clone())?;
    Ok((run_id, manifest))
}

fn gone(date: &str) -> Error {
    Error::new(
        Kind::State,
        format!("files of as-of date {date} are gone or damaged; see what `rfmill verify` says of the output"),
    )
}

fn is_report(path: &str) -> bool {
    path.starts_with("report/")
}

fn is_crm(path: &str) -> bool {
    path.strip_prefix("report/").is_some_and(|name| name.starts_with("crm") && name.ends_with(".csv"))
}

fn has_customers(path: &str) -> bool {
    is_crm(path) || path.split('/').next().is_some_and(|table| TABLES.contains(&table))
}

/// Which customers are found, and where. Objects are read by way of `scratch`, a folder on a disk.
pub(super) fn search<'a>(holders: &'a [Holder], people: &People, scratch: &Path) -> Result<(Found, Vec<Hit<'a>>)> {
    let mut all = Found::default();
    let mut hits = Vec::new();
    for holder in holders {
        let files = holder.files.par_iter().enumerate().filter(|(_, (file, _))| has_customers(&file.path));
        let look = |(at, (file, place)): (usize, &(TableFile, Place))| {
            on_disk(place, scratch, |path| holds(path, is_crm(&file.path), people)).map(|found| (at, found))
        };
        let found: Vec<(usize, Found)> = files.map(look).collect::<Result<_>>()?;
        let named = people.named_in(&manifest_value(&holder.manifest)?);
        let files: BTreeSet<usize> = found.iter().filter(|(_, found)| found.count() > 0).map(|(at, _)| *at).collect();
        let is_named = named.count() > 0;
        found.into_iter().for_each(|(_, found)| all.merge(found));
        all.merge(named);
        if is_named || !files.is_empty() {
            hits.push(Hit { holder, files, is_named });
        }
    }
    Ok((all, hits))
}

fn manifest_value(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|e| {
        Error::new(Kind::State, format!("a manifest in {MANIFESTS}/ cannot be read: {e}; run the job again")).caused_by(e)
    })
}

/// The manifest of a run without customers, and the id of that run.
fn manifest_without(
    bytes: &[u8],
    people: &People,
    written: &BTreeMap<&str, &TableFile>,
    left_out: &BTreeSet<&str>,
) -> Result<(String, Vec<u8>)> {
    let wrong = |e: serde_json::Error| Error::bug(format!("a manifest cannot be written anew: {e}")).caused_by(e);
    let mut manifest = manifest_value(bytes)?;
    let of = |value: &Value| serde_json::from_value::<Vec<TableEntry>>(value.clone()).map_err(wrong);
    let mut tables = of(&manifest["tables"])?;
    for table in &mut tables {
        renew(&mut table.files, written, left_out);
        table.rows = table.files.iter().filter(|file| !file.path.starts_with("partitions/")).map(|file| file.rows).sum();
    }
    let mut reports: Vec<TableFile> = serde_json::from_value(manifest["reports"].clone()).unwrap_or_default();
    renew(&mut reports, written, left_out);
    people.leave_out_of(&mut manifest);
    manifest["tables"] = serde_json::to_value(tables).map_err(wrong)?;
    manifest["reports"] = serde_json::to_value(reports).map_err(wrong)?;
    // A list of what an output of 0.1.0 held; the files have a run from now on.
    manifest.as_object_mut().and_then(|all| all.remove("adopted"));
    let id = crate::hash::sha256(&serde_json::to_vec(&manifest).map_err(wrong)?);
    let run_id = id.get(..16).unwrap_or(&id).to_owned();
    manifest["run_id"] = Value::from(run_id.as_str());
    let mut bytes = serde_json::to_vec_pretty(&manifest).map_err(wrong)?;
    bytes.push(b'\n');
    Ok((run_id, bytes))
}

fn renew(files: &mut Vec<TableFile>, written: &BTreeMap<&str, &TableFile>, left_out: &BTreeSet<&str>) {
    files.retain(|file| !left_out.contains(file.path.as_str()));
    for file in files {
        if let Some(now) = written.get(file.path.as_str()) {
            *file = (*now).clone();
        }
    }
}
