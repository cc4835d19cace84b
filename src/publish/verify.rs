//! Whether an output folder is what its last commit says.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::commits::commit_numbers;
use super::files::names;
use super::layout::MARKER;
use super::manifest::{CommitRecord, Manifest, TableFile};
use super::tables;
use crate::error::{Error, Kind, Result};

/// How often `verify` looks at what a run may be changing at this moment.
const TRIES: u32 = 3;

/// What was verified.
#[derive(Debug, Clone)]
pub struct VerifiedRun {
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
    /// Folders of runs that are not committed: being written at this moment, or left by a run that was killed.
    pub unfinished: Vec<String>,
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
    if !root.join(MARKER).exists() {
        return Err(broken(format!("{} is not an output folder of rfmill; name the folder given as --output", root.display())));
    }
    let Some(&number) = commit_numbers(root)?.last() else {
        return Err(broken(format!("{} holds no committed run; run the job again", root.display())));
    };
    let record = CommitRecord::read(root, number)?;
    let folder = root.join("runs").join(&record.run_id);
    let path = folder.join("manifest.json");
    let bytes = std::fs::read(&path)
        .map_err(|e| broken(format!("{} cannot be read: {e}; run the job again", path.display())).caused_by(e))?;
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

/// Reads every file of the last committed run and compares it with its hash, and looks whether readers see that run and
/// nothing else. Writes nothing.
///
/// # Errors
/// As [`last_run`]; exit 5 also if a file is missing, changed, damaged or too many.
pub fn verify(root: &Path) -> Result<VerifiedRun> {
    let number = || commit_numbers(root).ok().and_then(|n| n.last().copied());
    let mut tries = 0;
    loop {
        let before = number();
        let outcome = look(root);
        tries += 1;
        // A run that commits meanwhile is no damage.
        if outcome.is_ok() || number() == before || tries == TRIES {
            return outcome;
        }
    }
}

fn look(root: &Path) -> Result<VerifiedRun> {
    let CommittedRun { folder: run, manifest } = last_run(root)?;
    let (files, bytes) = check_files(&run, &manifest)?;
    check_nothing_else(&run, &manifest)?;
    // The links follow a commit within moments.
    let mut tries = 1;
    while let Err(e) = check_shown(root, &manifest) {
        if tries == TRIES {
            return Err(e);
        }
        tries += 1;
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    Ok(VerifiedRun {
        run_id: manifest.run_id,
        job_name: manifest.job_name.clone(),
        as_of: manifest.as_of.clone(),
        files,
        bytes,
        tables: manifest.tables.iter().map(|t| (t.name.clone(), t.rows)).collect(),
        unfinished: unfinished(root)?,
    })
}

/// Files below a run that it did not write: a glob would read them.
fn check_nothing_else(run: &Path, manifest: &Manifest) -> Result<()> {
    let files = manifest.tables.iter().flat_map(|t| &t.files).chain(&manifest.reports);
    let known: BTreeSet<PathBuf> = files.map(|f| run.join(&f.path)).chain([run.join("manifest.json")]).collect();
    let mut folders = vec![run.to_owned()];
    while let Some(folder) = folders.pop() {
        for name in names(&folder)? {
            let path = folder.join(&name);
            if std::fs::symlink_metadata(&path).is_ok_and(|m| m.is_dir()) {
                folders.push(path);
            } else if !known.contains(&path) && !name.starts_with('.') {
                return Err(broken(format!("{} is no file of the run that it lies in; move it away", path.display())));
            }
        }
    }
    Ok(())
}

/// Whether `latest` and `tables` show the run, and every folder of `tables` what the last commit of it says.
fn check_shown(root: &Path, manifest: &Manifest) -> Result<()> {
    let numbers = commit_numbers(root)?;
    let of_latest = Path::new("runs").join(&manifest.run_id);
    let of_tables = tables::target(numbers.last().copied().unwrap_or_default());
    for (name, target) in [("latest", of_latest), ("tables", of_tables)] {
        let link = root.join(name);
        if std::fs::read_link(&link).ok().as_deref() != Some(target.as_path()) {
            return Err(broken(format!(
                "{} does not point to what was committed last, which is {}; run the job again to put it right",
                link.display(),
                target.display()
            )));
        }
    }
    // Of runs that are still there every file is known; of others, which dates they had.
    let mut manifests = Vec::new();
    let mut dates = BTreeSet::new();
    for number in numbers {
        let record = CommitRecord::read(root, number)?;
        let run = root.join("runs").join(&record.run_id);
        if std::fs::read(run.join("manifest.json")).is_ok_and(|m| crate::hash::sha256(&m) == record.manifest_sha256) {
            manifests.push((Manifest::read(&run)?, run));
        }
        dates.extend(record.as_of.into_iter().map(|date| format!("as_of={date}")));
    }
    let mut owners = BTreeMap::new();
    for (manifest, run) in &manifests {
        owners.extend(tables::folders_of(manifest).into_iter().map(|(folder, files)| (folder, (run, files))));
    }
    let shown = root.join("tables");
    for (folder, (run, files)) in &owners {
        if !tables::holds(&shown.join(folder), files) || !are_same(&shown.join(folder), run, files) {
            let folder = shown.join(folder);
            return Err(broken(format!(
                "{} does not hold exactly the files that were committed; remove {} and run the job again to put it right",
                folder.display(),
                shown.display()
            )));
        }
    }
    for table in names(&shown)? {
        for as_of in names(&shown.join(&table))? {
            if !dates.contains(&as_of) {
                let folder = shown.join(&table).join(&as_of);
                return Err(broken(format!("{} is of no committed run; move it away", folder.display())));
            }
        }
    }
    Ok(())
}

/// Whether files below `tables` are those of the run: links to them, or else files of the same content.
fn are_same(folder: &Path, run: &Path, files: &[(String, &TableFile)]) -> bool {
    files.iter().all(|(name, file)| {
        let (shown, own) = (folder.join(name), run.join(&file.path));
        let identity = |path: &Path| std::fs::metadata(path).map(|m| (m.dev(), m.ino())).ok();
        identity(&shown).is_some_and(|of_shown| {
            identity(&own) == Some(of_shown) || std::fs::read(&shown).is_ok_and(|b| crate::hash::sha256(&b) == file.sha256)
        })
    })
}

/// Folders of runs that no commit names.
fn unfinished(root: &Path) -> Result<Vec<String>> {
    let committed: BTreeSet<String> =
        commit_numbers(root)?.into_iter().map(|n| Ok(CommitRecord::read(root, n)?.run_id)).collect::<Result<_>>()?;
    let names = names(&root.join("runs"))?;
    Ok(names.into_iter().filter(|n| !committed.contains(n)).map(|n| format!("runs/{n}")).collect())
}

/// Looks whether every file of a staged run is still there in its size; what it holds was read back when it was written.
pub(super) fn check_sizes(staged: &Path, manifest: &Manifest) -> Result<()> {
    for file in manifest.tables.iter().flat_map(|t| &t.files).chain(&manifest.reports) {
        let path = staged.join(&file.path);
        if !std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_file() && found.len() == file.bytes) {
            return Err(Error::output(format!(
                "{} was changed or removed while the run was writing it, so nothing is committed; run the job again",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Hashes every file of a run; returns their number and bytes.
pub(super) fn check_files(run: &Path, manifest: &Manifest) -> Result<(usize, u64)> {
    use rayon::prelude::*;
    let files: Vec<_> = manifest.tables.iter().flat_map(|t| &t.files).chain(&manifest.reports).collect();
    let sizes: Vec<u64> = files
        .par_iter()
        .with_max_len(1)
        .map(|file| {
            let path = run.join(&file.path);
            let bytes = std::fs::read(&path)
                .map_err(|e| broken(format!("{} cannot be read: {e}; run the job again", path.display())).caused_by(e))?;
            if bytes.len() as u64 != file.bytes || crate::hash::sha256(&bytes) != file.sha256 {
                return Err(broken(format!("{} was changed or damaged after it was written; run the job again", path.display())));
            }
            Ok(file.bytes)
        })
        .collect::<Result<_>>()?;
    Ok((files.len(), sizes.iter().sum()))
}
