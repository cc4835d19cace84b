//! The output folder: staged files, one commit, and a layout that readers can glob.
//!
//! ```text
//! OUT/.rfmill                      marks the folder as ours; locked while a run writes
//! OUT/runs/<run_id>/               one run, whole and immutable: tables and manifest.json
//! OUT/commits/<n>.json             the commits; the one with the largest n is the truth
//! OUT/latest                       link to the run of the last commit
//! OUT/tables/<table>/as_of=D/      the last committed version of every as-of date over all runs
//! ```
//!
//! A run is staged beside the others, made durable and renamed into `runs/`; creating the commit record is the one
//! atomic step that makes it visible. `latest` and `tables` follow from the commit and are put right by the next command
//! if a crash came between.

mod customers;
mod export;
mod manifest;
mod tables;
mod verify;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::table::Encoded;

pub use customers::customers;
pub use export::{Exported, export};
pub use manifest::{
    AssignmentFileEntry, AssignmentsEntry, CommitRecord, CutPointEntry, HashListEntry, InputEntry, Manifest, TableEntry,
    TableFile, Timing,
};
pub use verify::{CommittedRun, Verified, last_run, runs_by_date, verify};

const MARKER: &str = ".rfmill";
const MARKER_TEXT: &str = "This folder is written by rfmill. Read tables/ or latest/; leave the rest alone.\nformat = 1\n";

/// The output folder, locked by this process.
#[derive(Debug)]
pub struct OutputFolder {
    root: PathBuf,
    /// Holds the lock until it is dropped.
    _lock: Lock,
}

/// What went wrong with a path of the output.
fn failed(path: &Path, error: &std::io::Error) -> Error {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space or choose another --output",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "check its permissions or choose another --output",
        ErrorKind::AlreadyExists => "something else stands there, so choose another --output",
        ErrorKind::NotADirectory | ErrorKind::NotFound => "a part of the path is no folder, so choose another --output",
        _ => "check the disk or choose another --output",
    };
    Error::output(format!("cannot write {}: {error}; {advice}. The last committed run is untouched", path.display()))
}

/// Makes a rename or a new file in the folder durable.
fn sync_folder(path: &Path) -> Result<()> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|e| failed(path, &e))
}

/// Replaces the symlink at `link` by one to `target`, in one step.
fn swap_link(link: &Path, target: &Path) -> Result<()> {
    let draft = link.with_extension("new");
    let _ = fs::remove_file(&draft);
    std::os::unix::fs::symlink(target, &draft).map_err(|e| failed(&draft, &e))?;
    fs::rename(&draft, link).map_err(|e| failed(link, &e))
}

/// Writes a new file and makes its content durable.
fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|e| failed(path, &e))
}

/// A locked file. A process that is just being started holds a copy of it for a moment, so closing it would not free the lock
/// at once.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl OutputFolder {
    /// Opens or creates an output folder and locks it.
    ///
    /// # Errors
    /// Exit 6 if it cannot be written or holds something else; exit 8 if another run has it.
    pub fn open(root: &Path) -> Result<OutputFolder> {
        fs::create_dir_all(root).map_err(|e| failed(root, &e))?;
        let marker = root.join(MARKER);
        if !marker.exists() {
            let mut entries = fs::read_dir(root).map_err(|e| failed(root, &e))?;
            if entries.next().is_some() {
                return Err(Error::output(format!(
                    "{} holds files that rfmill did not write; choose an empty or new folder as --output",
                    root.display()
                )));
            }
            match write_new(&marker, MARKER_TEXT.as_bytes()) {
                Err(_) if marker.exists() => {}
                outcome => outcome?,
            }
        }
        let lock = OpenOptions::new().read(true).append(true).open(&marker).map_err(|e| failed(&marker, &e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(
                    Kind::Locked,
                    format!("another run is writing {}; wait for it to end and run again", root.display()),
                ));
            }
            Err(TryLockError::Error(e)) => return Err(failed(&marker, &e)),
        }
        for folder in ["runs", "commits"] {
            let folder = root.join(folder);
            fs::create_dir_all(&folder).map_err(|e| failed(&folder, &e))?;
        }
        let folder = OutputFolder { root: root.to_owned(), _lock: Lock(lock) };
        folder.remove_leftovers()?;
        Ok(folder)
    }

    /// What a killed run left behind.
    fn remove_leftovers(&self) -> Result<()> {
        let runs = self.root.join("runs");
        let entries = fs::read_dir(&runs).map_err(|e| failed(&runs, &e))?;
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(".staging-") {
                fs::remove_dir_all(entry.path()).map_err(|e| failed(&entry.path(), &e))?;
            }
        }
        // The commit is the truth; the links follow it.
        if let Some((number, record)) = last_commit(&self.root)? {
            self.follow(number, &record)?;
        }
        Ok(())
    }

    /// The manifest of the last committed run, if there is one.
    ///
    /// # Errors
    /// Exit 5 if it cannot be read.
    pub fn last_manifest(&self) -> Result<Option<Manifest>> {
        match last_commit(&self.root)? {
            Some((_, record)) => Manifest::read(&self.root.join("runs").join(record.run_id)).map(Some),
            None => Ok(None),
        }
    }

    /// The manifest of a run that is already here and whole; `None` if it must be computed.
    pub fn finished(&self, run_id: &str) -> Option<Manifest> {
        let folder = self.root.join("runs").join(run_id);
        let bytes = fs::read(folder.join("manifest.json")).ok()?;
        let commits = commit_numbers(&self.root).ok()?.into_iter().rev();
        let committed = commits.filter_map(|n| CommitRecord::read(&self.root, n).ok()).find(|record| record.run_id == run_id);
        if committed.is_some_and(|record| record.manifest_sha256 != crate::hash::sha256(&bytes)) {
            return None;
        }
        let manifest = Manifest::read(&folder).ok()?;
        verify::check_files(&folder, &manifest).ok()?;
        Some(manifest)
    }

    /// Starts a run: an empty folder to stage its files in.
    ///
    /// # Errors
    /// Exit 6.
    pub fn stage(&self, run_id: &str) -> Result<Staging> {
        let folder = self.root.join("runs").join(format!(".staging-{run_id}"));
        fs::create_dir(&folder).map_err(|e| failed(&folder, &e))?;
        Ok(Staging { folder, committed: false })
    }

    /// Commits a staged run: durable, renamed, recorded, visible.
    ///
    /// # Errors
    /// Exit 6 before the commit; exit 9 if it cannot be told whether it happened.
    pub fn commit(&self, mut staging: Staging, manifest: &Manifest) -> Result<PathBuf> {
        let bytes = manifest.to_bytes()?;
        staging.write("manifest.json", &bytes)?;
        sync_tree(&staging.folder)?;
        let runs = self.root.join("runs");
        let folder = runs.join(&manifest.run_id);
        if folder.exists() {
            // Not whole, or it would have been recognised.
            fs::remove_dir_all(&folder).map_err(|e| failed(&folder, &e))?;
        }
        fs::rename(&staging.folder, &folder).map_err(|e| failed(&folder, &e))?;
        staging.committed = true;
        sync_folder(&runs)?;
        self.record(&CommitRecord::of(manifest, &bytes))?;
        Ok(folder)
    }

    /// Makes a run that is already here the last committed one again.
    ///
    /// # Errors
    /// As [`OutputFolder::commit`].
    pub fn recommit(&self, manifest: &Manifest) -> Result<PathBuf> {
        let folder = self.root.join("runs").join(&manifest.run_id);
        let path = folder.join("manifest.json");
        // Its bytes, not the manifest written anew: numbers may not survive the way through JSON to the last bit.
        let bytes = fs::read(&path).map_err(|e| failed(&path, &e))?;
        self.record(&CommitRecord::of(manifest, &bytes))?;
        Ok(folder)
    }

    fn record(&self, record: &CommitRecord) -> Result<()> {
        let before = last_commit(&self.root)?;
        // A run that was damaged and computed anew has a manifest of its own.
        if let Some((number, last)) = &before
            && last.run_id == record.run_id
            && last.manifest_sha256 == record.manifest_sha256
        {
            return self.follow(*number, last);
        }
        let number = before.map_or(1, |(n, _)| n + 1);
        let commits = self.root.join("commits");
        let (draft, path) = (commits.join(format!(".{number:08}.new")), commits.join(format!("{number:08}.json")));
        let _ = fs::remove_file(&draft);
        write_new(&draft, &record.to_bytes()?)?;
        let linked = fs::hard_link(&draft, &path);
        let _ = fs::remove_file(&draft);
        if let Err(e) = linked {
            // The link may have been made although the call failed: only the folder knows.
            return match last_commit(&self.root) {
                Ok(Some((_, found))) if found.run_id == record.run_id => self.follow(number, record),
                Ok(_) => Err(failed(&path, &e)),
                Err(_) => Err(Error::new(
                    Kind::Unknown,
                    format!(
                        "it cannot be told whether the commit {} happened: {e}; run `rfmill verify` on the output",
                        path.display()
                    ),
                )),
            };
        }
        sync_folder(&commits)?;
        self.follow(number, record).map_err(|e| {
            Error::new(
                e.kind(),
                format!("run {} is committed, but readers do not see it yet: {e}; run the job again", record.run_id),
            )
        })
    }

    /// Makes `latest` and `tables` what the commit says.
    fn follow(&self, number: u64, record: &CommitRecord) -> Result<()> {
        let latest = self.root.join("latest");
        let target = Path::new("runs").join(&record.run_id);
        if fs::read_link(&latest).ok().as_deref() != Some(target.as_path()) {
            swap_link(&latest, &target)?;
        }
        tables::lay_out(&self.root, number, &record.run_id)?;
        sync_folder(&self.root)
    }

    /// Removes all but the last `keep` committed runs.
    ///
    /// # Errors
    /// Exit 6.
    pub fn collect(&self, keep: u32) -> Result<()> {
        let mut kept: Vec<String> = Vec::new();
        for number in commit_numbers(&self.root)?.into_iter().rev() {
            let record = CommitRecord::read(&self.root, number)?;
            if !kept.contains(&record.run_id) && kept.len() < keep as usize {
                kept.push(record.run_id);
            }
        }
        let runs = self.root.join("runs");
        for entry in fs::read_dir(&runs).map_err(|e| failed(&runs, &e))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !kept.contains(&name) {
                fs::remove_dir_all(entry.path()).map_err(|e| failed(&entry.path(), &e))?;
            }
        }
        Ok(())
    }
}

/// Numbers of all commits, ascending.
fn commit_numbers(root: &Path) -> Result<Vec<u64>> {
    let folder = root.join("commits");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::new(Kind::State, format!("cannot list {}: {e}; check the folder", folder.display()))),
    };
    let names = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned());
    let mut numbers: Vec<u64> = names.filter_map(|n| n.strip_suffix(".json").and_then(|n| n.parse().ok())).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The last commit with its number.
fn last_commit(root: &Path) -> Result<Option<(u64, CommitRecord)>> {
    match commit_numbers(root)?.last() {
        Some(&number) => Ok(Some((number, CommitRecord::read(root, number)?))),
        None => Ok(None),
    }
}

fn sync_tree(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(|e| failed(folder, &e))?.flatten() {
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            sync_tree(&entry.path())?;
        }
    }
    sync_folder(folder)
}

/// The files of a run that is not committed yet; removed if it never is.
#[derive(Debug)]
pub struct Staging {
    folder: PathBuf,
    committed: bool,
}

impl Staging {
    /// Writes a file of the run; `path` is relative to it. May be called from many threads.
    ///
    /// # Errors
    /// Exit 6.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| failed(parent, &e))?;
        }
        write_new(&path, bytes)
    }

    /// Writes an encoded table file.
    ///
    /// # Errors
    /// Exit 6.
    pub fn put(&self, path: String, encoded: Encoded) -> Result<TableFile> {
        self.write(&path, &encoded.bytes)?;
        Ok(TableFile { path, rows: encoded.rows, bytes: encoded.bytes.len() as u64, sha256: encoded.sha256 })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.committed {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_free_as_soon_as_its_holder_is_done() {
        let folder = crate::temp::tempdir().expect("a folder");
        let root = folder.path().join("out");
        let held = OutputFolder::open(&root).expect("a folder of its own");
        assert_eq!(OutputFolder::open(&root).map(|_| ()).map_err(|e| e.kind()), Err(Kind::Locked));
        // What a process that is being started holds for a moment.
        let copy = held._lock.0.try_clone().expect("a copy");
        drop(held);
        assert!(OutputFolder::open(&root).is_ok());
        drop(copy);
    }
}
