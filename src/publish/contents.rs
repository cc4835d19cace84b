//! The files of a run by as-of date and table, as its manifest lists them.
//!
//! The manifests of all dates in view are kept in `manifests/`, each under its SHA-256, so they outlive their runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::facts::DIMENSIONS;
use super::files::{failed, make_folder, remove, sync_folder, write_new};
use super::layout::{MADE, MANIFESTS, date_folder, manifest_path, run_folder};
use super::manifest::{TableEntry, TableFile};
use super::record::{MadeFile, Supply};
use crate::error::{Error, Kind, Result};
use crate::tables::EncodedFile;

/// Tables without an `as_of` column that are one file per run.
const UNDATED: [&str; 11] = [
    "effects",
    "effects_over_time",
    "effects_to_date",
    "verdicts",
    "balance",
    "before_after",
    "thresholds",
    "threshold_bins",
    "arms",
    "dim_state",
    "ledger",
];

/// The table that commits make.
pub(super) const RESTATEMENTS: &str = "restatements";

/// The part of a manifest that says which files there are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Contents {
    /// The run.
    pub run_id: String,
    /// Its job.
    pub job_name: String,
    /// Its as-of dates.
    pub as_of: Vec<String>,
    /// Its tables.
    pub tables: Vec<TableEntry>,
    /// Its reports.
    #[serde(default)]
    pub reports: Vec<TableFile>,
    /// Whether this is no manifest of a run, but a list of what an output of 0.1.0 held.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
    /// What the commit made for a date, beside the files of the run; see [`Supply::made`].
    #[serde(skip)]
    pub made: Vec<TableFile>,
}

/// A file of a date: its name in its folder, and what the manifest says of it.
pub(super) type DateFile<'a> = (String, &'a TableFile);

/// Where a table's file lies under `tables/`: `(table, as-of folder, file name)`.
fn place(path: &str, last_as_of: &str) -> Option<(String, String, String)> {
    let mut parts: Vec<&str> = path.split('/').collect();
    let file = parts.pop()?;
    match parts.as_slice() {
        // Tables without an as_of column: one file, or several parts.
        [] => {
            let table = file.strip_suffix(".parquet").filter(|t| UNDATED.contains(t))?;
            Some((table.into(), date_folder(last_as_of), file.into()))
        }
        [table @ "state_history"] => Some(((*table).into(), date_folder(last_as_of), file.into())),
        ["partitions", table, as_of] | [table, as_of] => Some(((*table).into(), (*as_of).into(), file.into())),
        _ => None,
    }
}

impl Contents {
    /// All files of the run: tables and reports.
    pub fn files(&self) -> impl Iterator<Item = &TableFile> {
        self.tables.iter().flat_map(|table| &table.files).chain(&self.reports)
    }

    /// The list as it is written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|e| Error::bug(format!("a list of files cannot be written: {e}")).caused_by(e))
    }

    /// The files of an as-of date by table. Dimensions are of no date.
    pub fn of_date(&self, date: &str) -> BTreeMap<String, Vec<DateFile<'_>>> {
        let mut tables = self.files_of_date(date, |table| !DIMENSIONS.contains(&table));
        for file in &self.made {
            tables.entry(RESTATEMENTS.into()).or_default().push((format!("{RESTATEMENTS}.parquet"), file));
        }
        tables
    }

    /// The files of dimensions at an as-of date, as 0.1.0 wrote them.
    pub fn dimensions_of_date(&self, date: &str) -> BTreeMap<String, Vec<DateFile<'_>>> {
        self.files_of_date(date, |table| DIMENSIONS.contains(&table))
    }

    fn files_of_date(&self, date: &str, is_wanted: impl Fn(&str) -> bool) -> BTreeMap<String, Vec<DateFile<'_>>> {
        let last = self.as_of.last().map_or("", String::as_str);
        let folder = date_folder(date);
        let mut tables: BTreeMap<String, Vec<DateFile<'_>>> = BTreeMap::new();
        for file in self.tables.iter().flat_map(|table| &table.files) {
            let found = place(&file.path, last).filter(|(table, as_of, _)| *as_of == folder && is_wanted(table));
            if let Some((table, _, name)) = found {
                tables.entry(table).or_default().push((name, file));
            }
        }
        tables
    }

    /// The files of a date: those of the run that supplies it, and those that its commit made.
    ///
    /// # Errors
    /// As [`Contents::read`].
    pub fn of_supply(root: &Path, supply: &Supply) -> Result<Contents> {
        Ok(Contents::read(root, &supply.run_id, &supply.manifest_sha256)?.with_made(supply))
    }

    /// The same, with what the commit made.
    pub fn with_made(self, supply: &Supply) -> Contents {
        Contents { made: supply.made.iter().map(MadeFile::of_run).collect(), ..self }
    }

    /// What the manifest with this hash says: from `manifests/`, or from the run itself.
    ///
    /// # Errors
    /// Exit 5 if neither is there with that hash.
    pub fn read(root: &Path, run_id: &str, sha256: &str) -> Result<Contents> {
        let path = manifest_path(root, sha256);
        let bytes = bytes(root, run_id, sha256).ok_or_else(|| {
            let advice = "see what `rfmill verify` says of the output";
            Error::new(Kind::State, format!("{} is gone or damaged; {advice}", path.display()))
        })?;
        serde_json::from_slice(&bytes).map_err(|e| {
            Error::new(Kind::State, format!("{} cannot be read: {e}; run the job again", path.display())).caused_by(e)
        })
    }
}

/// The bytes of the manifest with this hash.
pub(super) fn bytes(root: &Path, run_id: &str, sha256: &str) -> Option<Vec<u8>> {
    let places = [manifest_path(root, sha256), run_folder(root, run_id).join("manifest.json")];
    places.iter().find_map(|path| fs::read(path).ok().filter(|bytes| crate::hash::sha256(bytes) == sha256))
}

/// Keeps a manifest, durably; returns its hash.
///
/// # Errors
/// Exit 6.
pub(super) fn keep(root: &Path, bytes: &[u8]) -> Result<String> {
    let sha256 = crate::hash::sha256(bytes);
    let path = manifest_path(root, &sha256);
    if fs::read(&path).is_ok_and(|found| found == bytes) {
        return Ok(sha256);
    }
    let folder = root.join(MANIFESTS);
    make_folder(&folder)?;
    let draft = folder.join(format!(".{sha256}.new"));
    remove(&draft)?;
    write_new(&draft, bytes)?;
    fs::rename(&draft, &path).map_err(|e| failed(&path, e))?;
    sync_folder(&folder)?;
    Ok(sha256)
}

/// Keeps a file that a commit makes, durably, under its hash; returns what the record says of it.
///
/// # Errors
/// Exit 6.
pub(super) fn keep_made(root: &Path, file: &EncodedFile) -> Result<MadeFile> {
    let folder = root.join(MADE);
    make_folder(&folder)?;
    let name = format!("{}.parquet", file.sha256);
    let (path, draft) = (folder.join(&name), folder.join(format!(".{name}.new")));
    remove(&draft)?;
    write_new(&draft, &file.bytes)?;
    fs::rename(&draft, &path).map_err(|e| failed(&path, e))?;
    sync_folder(&folder)?;
    sync_folder(root)?;
    Ok(MadeFile { sha256: file.sha256.clone(), rows: file.rows, bytes: file.bytes.len() as u64 })
}

/// Whether a regular file of the size that the manifest tells lies there.
pub(super) fn has_size(path: &Path, file: &TableFile) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() == file.bytes)
}

/// Where the files of a date lie: by table, name and path.
pub(super) type Sources = BTreeMap<String, Vec<(String, PathBuf)>>;

/// The files of a date below a run, if all are there in their size.
pub(super) fn in_run(root: &Path, contents: &Contents, date: &str) -> Option<Sources> {
    let run = run_folder(root, &contents.run_id);
    sources(contents, date, |_, _, file| run.join(&file.path)).filter(|_| !contents.adopted)
}

/// The files of a date below a tree, if all are there in their size.
pub(super) fn in_tree(tree: &Path, contents: &Contents, date: &str) -> Option<Sources> {
    sources(contents, date, |table, name, _| tree.join(table).join(date_folder(date)).join(name))
}

fn sources(contents: &Contents, date: &str, path: impl Fn(&str, &str, &TableFile) -> PathBuf) -> Option<Sources> {
    let mut all = Sources::new();
    for (table, files) in contents.of_date(date) {
        let mut found = Vec::with_capacity(files.len());
        for (name, file) in files {
            let path = path(&table, &name, file);
            if !has_size(&path, file) {
                return None;
            }
            found.push((name, path));
        }
        all.insert(table, found);
    }
    Some(all)
}
