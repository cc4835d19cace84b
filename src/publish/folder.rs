//! The output folder while a run has it: opening, staging, committing, removing old runs.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::commits::{commit_numbers, last_commit};
use super::files::{after_commit, failed, make_folder, make_root, names, remove, swap_link, sync_folder, sync_tree, write_new};
use super::interrupt::INTERRUPTS;
use super::layout::{GENERATIONS, MARKER, MARKER_TEXT};
use super::manifest::{CommitRecord, Manifest};
use super::staging::Staging;
use super::{commits, tables, verify};
use crate::error::{Error, Kind, Result};

/// The output folder, locked by this process.
#[derive(Debug)]
pub struct OutputFolder {
    root: PathBuf,
    /// Holds the lock until it is dropped.
    lock: Lock,
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
    /// A folder for files of a run whose names begin with a dot; what a killed run leaves there goes with the next one.
    pub fn scratch(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Opens or creates an output folder and locks it.
    ///
    /// # Errors
    /// Exit 6 if it cannot be written or holds something else; exit 8 if another run has it.
    pub fn open(root: &Path) -> Result<OutputFolder> {
        make_root(root)?;
        let marker = root.join(MARKER);
        let is_marked = || fs::symlink_metadata(&marker).is_ok();
        if !is_marked() {
            let mut entries = fs::read_dir(root).map_err(|e| failed(root, e))?;
            // Another run may be making the same folder at this moment.
            if entries.next().is_some() && !is_marked() {
                return Err(Error::output(format!(
                    "{} holds files that rfmill did not write; choose an empty or new folder as --output",
                    root.display()
                )));
            }
            match write_new(&marker, MARKER_TEXT.as_bytes()) {
                Err(_) if is_marked() => {}
                outcome => outcome?,
            }
        }
        let lock = OpenOptions::new()
            .read(true)
            .append(true)
            .custom_flags(libc::O_NOFOLLOW)
            .open(&marker)
            .map_err(|e| failed(&marker, e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(
                    Kind::Locked,
                    format!("another run is writing {}; wait for it to end and run again", root.display()),
                ));
            }
            Err(TryLockError::Error(e)) => return Err(failed(&marker, e)),
        }
        let folder = OutputFolder { root: root.to_owned(), lock: Lock(lock) };
        folder.still_ours()?;
        folder.prepare()?;
        folder.remove_leftovers()?;
        Ok(folder)
    }

    /// Whether the folder is still the one that was locked: who replaces it under a run shall not get half of one.
    fn still_ours(&self) -> Result<()> {
        let marker = self.root.join(MARKER);
        let locked = self.lock.0.metadata().map_err(|e| failed(&marker, e))?;
        match fs::symlink_metadata(&marker) {
            Ok(found) if (found.dev(), found.ino()) == (locked.dev(), locked.ino()) => Ok(()),
            _ => Err(Error::output(format!(
                "{} was removed or replaced while the run was writing it, so nothing is committed; leave the folder in place and run the job again",
                self.root.display()
            ))),
        }
    }

    /// Makes the folders, and finds now what would fail at the commit.
    fn prepare(&self) -> Result<()> {
        let mut is_new = false;
        for name in ["runs", "commits"] {
            let folder = self.root.join(name);
            is_new |= make_folder(&folder)?;
            let probe = folder.join(".probe");
            make_folder(&probe)?;
            fs::remove_dir(&probe).map_err(|e| failed(&probe, e))?;
        }
        tables::check_generations(&self.root)?;
        for name in ["latest", "tables"] {
            let link = self.root.join(name);
            if fs::symlink_metadata(&link).is_ok_and(|m| !m.is_symlink()) {
                return Err(Error::output(format!(
                    "{} is no link of rfmill but something else; move it away or choose another --output",
                    link.display()
                )));
            }
        }
        if is_new { sync_folder(&self.root) } else { Ok(()) }
    }

    /// What a killed run left behind goes, and the links follow the last commit.
    fn remove_leftovers(&self) -> Result<()> {
        let last = last_commit(&self.root)?;
        let mut known = BTreeSet::new();
        let mut all_known = true;
        for number in commit_numbers(&self.root)? {
            match CommitRecord::read(&self.root, number) {
                Ok(record) => drop(known.insert(record.run_id)),
                Err(_) => all_known = false,
            }
        }
        for folder in ["runs", "commits", GENERATIONS] {
            let folder = self.root.join(folder);
            for name in names(&folder)? {
                // A run that no commit names was killed just before its commit. An unreadable commit may name it.
                let is_left = name.starts_with('.') || (folder.ends_with("runs") && all_known && !known.contains(&name));
                if is_left {
                    remove(&folder.join(name))?;
                }
            }
        }
        match last {
            // A damaged run is no longer followed: if this is its job, it is computed anew.
            Some((number, record)) if self.has_manifest(&record) => self.follow(number, &record),
            _ => Ok(()),
        }
    }

    /// Whether the manifest of a run is the one that was committed.
    fn has_manifest(&self, record: &CommitRecord) -> bool {
        let path = self.root.join("runs").join(&record.run_id).join("manifest.json");
        fs::read(path).is_ok_and(|bytes| crate::hash::sha256(&bytes) == record.manifest_sha256)
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

    /// The manifest of a run that was committed here and is whole; `None` if it must be computed.
    pub fn finished(&self, run_id: &str) -> Option<Manifest> {
        let folder = self.root.join("runs").join(run_id);
        let mut commits = commit_numbers(&self.root).ok()?.into_iter().rev();
        let committed = commits.find_map(|n| CommitRecord::read(&self.root, n).ok().filter(|record| record.run_id == run_id))?;
        if !self.has_manifest(&committed) {
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
        self.still_ours()?;
        Staging::new(self.root.join("runs").join(format!(".staging-{run_id}")))
    }

    /// Commits a staged run: durable, read back, renamed, recorded, visible.
    ///
    /// # Errors
    /// Exit 6 before the commit; exit 9 if it cannot be told whether it happened.
    pub fn commit(&self, mut staging: Staging, manifest: &Manifest) -> Result<PathBuf> {
        staging.drain()?;
        verify::check_sizes(&staging.folder, manifest)?;
        let bytes = manifest.to_bytes()?;
        staging.write("manifest.json", bytes.clone())?;
        sync_tree(&staging.folder)?;
        let runs = self.root.join("runs");
        let folder = runs.join(&manifest.run_id);
        let aside = runs.join(format!(".damaged-{}", manifest.run_id));
        let mut guard = INTERRUPTS.begin_commit()?;
        self.still_ours()?;
        // A run that stands there is not whole, or it would have been recognised.
        let was_there = fs::symlink_metadata(&folder).is_ok();
        if was_there {
            fs::rename(&folder, &aside).map_err(|e| failed(&folder, e))?;
        }
        let put_back = |e| {
            if was_there {
                let _ = fs::remove_dir_all(&folder);
                let _ = fs::rename(&aside, &folder);
            }
            e
        };
        fs::rename(&staging.folder, &folder).map_err(|e| put_back(failed(&folder, e)))?;
        staging.folder.clone_from(&folder);
        let added = sync_folder(&runs).and_then(|()| commits::add(&self.root, &CommitRecord::of(manifest, &bytes)));
        let number = match added {
            Ok(number) => number,
            Err(e) if e.kind() == Kind::Unknown => {
                staging.keep();
                return Err(e);
            }
            Err(e) => {
                let _ = fs::remove_dir_all(&folder);
                return Err(put_back(e));
            }
        };
        staging.keep();
        guard.committed(&manifest.run_id);
        self.show(number, &CommitRecord::of(manifest, &bytes))?;
        if was_there {
            remove(&aside).map_err(|e| after_commit(&manifest.run_id, "its damaged version cannot be removed", e))?;
        }
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
        let bytes = fs::read(&path).map_err(|e| failed(&path, e))?;
        let record = CommitRecord::of(manifest, &bytes);
        let mut guard = INTERRUPTS.begin_commit()?;
        self.still_ours()?;
        let number = commits::add(&self.root, &record)?;
        guard.committed(&manifest.run_id);
        self.show(number, &record)?;
        Ok(folder)
    }

    fn show(&self, number: u64, record: &CommitRecord) -> Result<()> {
        self.follow(number, record).map_err(|e| after_commit(&record.run_id, "readers do not see it yet", e))
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
            if kept.len() >= keep as usize {
                break;
            }
            let record = CommitRecord::read(&self.root, number)?;
            if !kept.contains(&record.run_id) {
                kept.push(record.run_id);
            }
        }
        let last = kept.first().cloned().unwrap_or_default();
        self.collect_others(&kept).map_err(|e| after_commit(&last, "older runs cannot be removed", e))
    }

    fn collect_others(&self, kept: &[String]) -> Result<()> {
        let runs = self.root.join("runs");
        for name in names(&runs)? {
            if !kept.contains(&name) {
                // Out of sight in one step: a run is there whole or not at all.
                let (run, aside) = (runs.join(&name), runs.join(format!(".old-{}", name.trim_start_matches('.'))));
                fs::rename(&run, &aside).map_err(|e| failed(&run, e))?;
                remove(&aside)?;
            }
        }
        Ok(())
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
        let copy = held.lock.0.try_clone().expect("a copy");
        drop(held);
        assert!(OutputFolder::open(&root).is_ok());
        drop(copy);
    }
}
