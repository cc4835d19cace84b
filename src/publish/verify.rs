//! Whether an output folder is what its last commit says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{CommitRecord, Manifest, commit_numbers};
use crate::error::{Error, Kind, Result};

/// What was verified.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The run of the last commit.
    pub run_id: String,
    /// Its job.
    pub job_name: String,
    /// Its as-of dates.
    pub as_of: Vec<String>,
    /// Files that were read and hashed.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Rows by table.
    pub tables: Vec<(String, u64)>,
}

fn broken(message: String) -> Error {
    Error::new(Kind::State, message)
}

/// A committed run: its folder and its manifest.
#[derive(Debug, Clone)]
pub struct CommittedRun {
    /// Its folder.
    pub folder: PathBuf,
    /// Its manifest, which is the one that was committed.
    pub manifest: Manifest,
}

/// The last committed run of an output folder.
///
/// # Errors
/// Exit 4 if there is no such folder; exit 5 if nothing is committed or the manifest is missing, changed or damaged.
pub fn last_run(root: &Path) -> Result<CommittedRun> {
    if !root.is_dir() {
        return Err(Error::input(format!("there is no output folder {}; check the path", root.display())));
    }
    if !root.join(super::MARKER).exists() {
        return Err(broken(format!("{} is not an output folder of rfmill; name the folder given as --output", root.display())));
    }
    let Some(&number) = commit_numbers(root)?.last() else {
        return Err(broken(format!("{} holds no committed run; run the job again", root.display())));
    };
    let record = CommitRecord::read(root, number)?;
    let folder = root.join("runs").join(&record.run_id);
    let path = folder.join("manifest.json");
    let bytes = std::fs::read(&path).map_err(|e| broken(format!("{} cannot be read: {e}; run the job again", path.display())))?;
    if crate::hash::sha256(&bytes) != record.manifest_sha256 {
        return Err(broken(format!("{} is not the one that was committed; run the job again", path.display())));
    }
    let manifest = Manifest::read(&folder)?;
    Ok(CommittedRun { folder, manifest })
}

/// Every as-of date that was ever committed, with the last run that had it.
///
/// # Errors
/// Exit 5 if a commit record cannot be read.
pub fn runs_by_date(root: &Path) -> Result<BTreeMap<String, String>> {
    let mut runs = BTreeMap::new();
    for number in commit_numbers(root)? {
        let record = CommitRecord::read(root, number)?;
        runs.extend(record.as_of.into_iter().map(|date| (date, record.run_id.clone())));
    }
    Ok(runs)
}

/// Reads every file of the last committed run and compares it with its hash.
///
/// # Errors
/// As [`last_run`]; exit 5 also if a file is missing, changed or damaged.
pub fn verify(root: &Path) -> Result<Verified> {
    let CommittedRun { folder: run, manifest } = last_run(root)?;
    let (files, bytes) = check_files(&run, &manifest)?;
    let latest = std::fs::read_link(root.join("latest")).unwrap_or_default();
    if latest != PathBuf::from("runs").join(&manifest.run_id) {
        return Err(broken(format!(
            "{} points to another run than the last commit; run the job again to put it right",
            root.join("latest").display()
        )));
    }
    let last = manifest.as_of.last().cloned().unwrap_or_default();
    for file in manifest.tables.iter().flat_map(|t| &t.files) {
        if let Some((table, as_of, name)) = super::tables::place(&file.path, &last) {
            let linked = root.join("tables").join(table).join(as_of).join(name);
            if std::fs::metadata(&linked).map(|m| m.len()).ok() != Some(file.bytes) {
                return Err(broken(format!(
                    "{} is missing or has another size; run the job again to put it right",
                    linked.display()
                )));
            }
        }
    }
    Ok(Verified {
        run_id: manifest.run_id,
        job_name: manifest.job_name.clone(),
        as_of: manifest.as_of.clone(),
        files,
        bytes,
        tables: manifest.tables.iter().map(|t| (t.name.clone(), t.rows)).collect(),
    })
}

/// Hashes every file of a run; returns their number and bytes.
pub(super) fn check_files(run: &Path, manifest: &Manifest) -> Result<(usize, u64)> {
    use rayon::prelude::*;
    let files: Vec<_> = manifest.tables.iter().flat_map(|t| &t.files).chain(&manifest.reports).collect();
    let sizes: Vec<u64> = files
        .par_iter()
        .map(|file| {
            let path = run.join(&file.path);
            let bytes =
                std::fs::read(&path).map_err(|e| broken(format!("{} cannot be read: {e}; run the job again", path.display())))?;
            if bytes.len() as u64 != file.bytes || crate::hash::sha256(&bytes) != file.sha256 {
                return Err(broken(format!("{} was changed or damaged after it was written; run the job again", path.display())));
            }
            Ok(file.bytes)
        })
        .collect::<Result<_>>()?;
    Ok((files.len(), sizes.iter().sum()))
}
