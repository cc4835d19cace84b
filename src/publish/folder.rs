//! The output folder while a command has it: opening, staging, committing, removing what no commit needs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::commits::{self, last_commit};
use super::contents::{self, Contents};
use super::dimensions::{self, path_in_tree};
use super::files::{after_commit, failed, keep_only, make_folder, make_root, names, remove, swap_link, sync_folder, sync_tree};
use super::hashes;
use super::interrupt::{CommitGuard, INTERRUPTS};
use super::layout::{MADE, MANIFESTS, TREES, latest_target, run_folder, tree_folder};
use super::legacy::{self, Adopted};
use super::look;
use super::manifest::Manifest;
use super::marker::{self, Lock};
use super::record::{Act, Owner, Record, Written, droppable};
use super::staging::Staging;
use super::told::{Told, ToldByRun};
use super::tree::{self, Plan};
use super::view::NewRun;
use crate::error::{Error, Kind, Result};
use crate::storage::Place;
use crate::tables::EncodedFile;

/// The output folder, locked by this process.
#[derive(Debug)]
pub struct OutputFolder {
    pub(super) root: PathBuf,
    /// Holds the lock until it is dropped.
    pub(super) lock: Lock,
    /// The record of the last commit.
    pub(super) written: Option<Written>,
}

/// What a commit made.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The folder of the run.
    pub folder: Place,
    /// The run that `latest` names and its last as-of date.
    pub latest: Option<(String, String)>,
    /// What readers should know, as sentences.
    pub notes: Vec<String>,
}

impl OutputFolder {
    /// A folder for files of a run whose names begin with a dot; what a killed run leaves there goes with the next one.
    pub fn scratch(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Opens or creates an output folder and locks it.
    ///
    /// # Errors
    /// Exit 5 if its records cannot be used; exit 6 if it cannot be written or holds something else; exit 8 if another run has
    /// it.
    pub fn open(root: &Path) -> Result<OutputFolder> {
        make_root(root)?;
        let lock = marker::lock(root)?;
        marker::check(root)?;
        let mut folder = OutputFolder { root: root.to_owned(), lock, written: None };
        folder.prepare()?;
        folder.written = last_commit(root)?;
        folder.remove_leftovers()?;
        folder.follow_last()?;
        Ok(folder)
    }

    /// Opens an output folder that is there and locks it.
    ///
    /// # Errors
    /// Exit 4 if there is no such folder; exit 5 if it is no output; else as [`OutputFolder::open`].
    pub fn open_existing(root: &Path) -> Result<OutputFolder> {
        look::check_output(root)?;
        OutputFolder::open(root)
    }

    /// The record of the last commit.
    pub(super) fn last(&self) -> Option<&Record> {
        self.written.as_ref().map(|written| &written.record)
    }

    /// Makes the folders, and finds now what would fail at the commit.
    fn prepare(&self) -> Result<()> {
        let mut is_new = false;
        for name in ["runs", "commits", MANIFESTS, MADE] {
            let folder = self.root.join(name);
            is_new |= make_folder(&folder)?;
            let probe = folder.join(".probe");
            make_folder(&probe)?;
            fs::remove_dir(&probe).map_err(|e| failed(&probe, e))?;
        }
        tree::check_folder(&self.root)?;
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

    /// What a killed run left behind goes; from the folders that grow with the history, at the next commit.
    fn remove_leftovers(&self) -> Result<()> {
        let number = self.last().map_or(0, |last| last.number);
        // A run that only supplies dates is one whose files the tree has still to take.
        let supplies = |last: &Record, run_id: &str| last.dates.values().any(|supply| supply.run_id == run_id);
        let is_known = |id: &str| self.last().is_some_and(|last| last.run(id).is_some() || supplies(last, id));
        for folder in ["runs", "commits", TREES] {
            let path = self.root.join(folder);
            for name in names(&path)? {
                // A run that no commit names was killed just before its commit.
                let is_left = match folder {
                    "runs" => name.starts_with('.') || !is_known(&name),
                    // A tree that was being made for the last commit is completed.
                    TREES => name.starts_with('.') && !tree::is_draft(&name, number),
                    _ => name.starts_with('.'),
                };
                if is_left {
                    remove(&path.join(name))?;
                }
            }
        }
        Ok(())
    }

    /// The links and trees follow the last commit, unless files of it are gone: the next commit says which.
    fn follow_last(&self) -> Result<()> {
        let Some(written) = self.written.as_ref().filter(|written| !written.record.is_legacy()) else { return Ok(()) };
        let last = &written.record;
        if !tree::is_whole(&self.root, last.number, &written.bytes) {
            let plan = tree::plan(&self.root, last)?;
            if plan.lost.iter().any(|date| last.dates.get(date).is_some_and(|supply| !supply.lost)) {
                return Ok(());
            }
            self.follow(written, &plan)?;
        } else {
            self.point(last)?;
        }
        self.collect(last)
    }

    /// The manifest of the run that `latest` names, if there is one.
    ///
    /// # Errors
    /// Exit 5 if it cannot be read.
    pub fn latest_manifest(&self) -> Result<Option<Manifest>> {
        let latest = self.last().and_then(|last| last.run(last.latest.as_deref()?));
        let Some(run) = latest else { return Ok(None) };
        let bytes = contents::bytes(&self.root, &run.run_id, &run.manifest_sha256);
        bytes
            .map(|bytes| Manifest::parse(&run_folder(&self.root, &run.run_id).join("manifest.json").display(), &bytes))
            .transpose()
    }

    /// What an earlier commit tells of a date; `None` if none does, or its files cannot be read, which `verify` says.
    pub fn told(&self, date: &str) -> Option<Told> {
        let last = self.last()?;
        Told::read(&self.root, last.number, last.dates.get(date).filter(|supply| !supply.lost)?, date)
    }

    /// What a run that is whole here tells; `None` if its tables do not say.
    pub fn told_by(&self, manifest: &Manifest) -> Option<ToldByRun> {
        ToldByRun::read(&self.root, manifest, &self.last()?.made_by(manifest))
    }

    /// The manifest of a run that was committed here and is whole; `None` if it must be computed.
    pub fn finished(&self, run_id: &str) -> Option<Manifest> {
        let kept = self.last()?.run(run_id)?;
        let folder = run_folder(&self.root, run_id);
        let bytes = fs::read(folder.join("manifest.json")).ok()?;
        if crate::hash::sha256(&bytes) != kept.manifest_sha256 {
            return None;
        }
        let manifest = Manifest::parse(&folder.display(), &bytes).ok()?;
        hashes::check_run(&folder, &manifest).ok()?;
        Some(manifest)
    }

    /// Starts a run: an empty folder to stage its files in.
    ///
    /// # Errors
    /// Exit 6.
    pub fn stage(&self, run_id: &str) -> Result<Staging> {
        self.lock.still_ours(&self.root)?;
        Staging::new(self.root.join("runs").join(format!(".staging-{run_id}")))
    }

    /// Commits a staged run: durable, read back, renamed, recorded, visible. `keep` runs stay; `restatements` is the file
    /// that says what earlier commits told of its dates.
    ///
    /// # Errors
    /// Exit 6 before the commit; exit 9 if it cannot be told whether it happened; exit 5 behind it if files of other dates
    /// are gone.
    pub fn commit(
        &self,
        mut staging: Staging,
        manifest: &Manifest,
        restatements: Option<&EncodedFile>,
        owner: Owner,
        keep: u32,
    ) -> Result<Committed> {
        staging.drain()?;
        hashes::check_sizes(&staging.folder, manifest)?;
        let bytes = manifest.to_bytes()?;
        staging.write("manifest.json", bytes.clone())?;
        sync_tree(&staging.folder)?;
        let (notes, last) = self.own(&owner)?;
        let runs = self.root.join("runs");
        let folder = runs.join(&manifest.run_id);
        let aside = runs.join(format!(".damaged-{}", manifest.run_id));
        let mut guard = INTERRUPTS.begin_commit()?;
        self.lock.still_ours(&self.root)?;
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
        let made = || restatements.map(|file| contents::keep_made(&self.root, file)).transpose();
        let added = sync_folder(&runs)
            .and_then(|()| made())
            .and_then(|made| last.with_run(owner, &NewRun::of(manifest, &bytes, made.into_iter().collect()), keep))
            .and_then(|next| self.add(next, Some(&bytes)));
        let (written, plan) = match added {
            Ok(added) => added,
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
        let done = format!("run {}", manifest.run_id);
        self.show(&mut guard, &done, &written, &plan)?;
        if was_there {
            remove(&aside).map_err(|e| after_commit(&done, "its damaged version cannot be removed", e))?;
        }
        Ok(committed(&written.record, folder, notes))
    }

    /// Commits a run again that is already here. Without new `restatements`, those of its first commit stay, as long as the run
    /// supplies its last date.
    ///
    /// # Errors
    /// As [`OutputFolder::commit`].
    pub fn recommit(
        &self,
        manifest: &Manifest,
        restatements: Option<&EncodedFile>,
        owner: Owner,
        keep: u32,
    ) -> Result<Committed> {
        let folder = run_folder(&self.root, &manifest.run_id);
        let path = folder.join("manifest.json");
        // Its bytes, not the manifest written anew: numbers may not survive the way through JSON to the last bit.
        let bytes = fs::read(&path).map_err(|e| failed(&path, e))?;
        let (notes, last) = self.own(&owner)?;
        let done = format!("run {}", manifest.run_id);
        let mut guard = INTERRUPTS.begin_commit()?;
        self.lock.still_ours(&self.root)?;
        if last.act == Act::Run(manifest.run_id.clone()) && last.owner == owner && self.is_shown(&last, manifest)? {
            // It may be that only this failed.
            commits::sync_commits(&self.root)?;
            self.sweep(&last)?;
            guard.committed(&done);
            return Ok(committed(&last, folder, notes));
        }
        let made = match restatements {
            Some(file) => vec![contents::keep_made(&self.root, file)?],
            None => last.made_by(manifest),
        };
        let next = last.with_run(owner, &NewRun::of(manifest, &bytes, made), keep)?;
        let (written, plan) = self.add(next, Some(&bytes))?;
        self.show(&mut guard, &done, &written, &plan)?;
        Ok(committed(&written.record, folder, notes))
    }

    /// Takes an as-of date out of the view.
    ///
    /// # Errors
    /// Exit 2 if it is not in view, exit 5 if nothing is committed, else as [`OutputFolder::commit`].
    pub fn drop_date(&self, date: &str) -> Result<Committed> {
        let last = droppable(&self.root.display(), self.last(), date)?;
        let (notes, last) = self.own(&last.owner.clone())?;
        let mut guard = INTERRUPTS.begin_commit()?;
        self.lock.still_ours(&self.root)?;
        let done = format!("the drop of {date}");
        let (written, plan) = self.add(last.without_dates(&[date.to_owned()].into())?, None)?;
        self.show(&mut guard, &done, &written, &plan)?;
        Ok(committed(&written.record, PathBuf::new(), notes))
    }

    /// Whether the tree of the last commit is there.
    pub(super) fn is_laid_out(&self) -> bool {
        let is_whole = |last: &Written| tree::is_whole(&self.root, last.record.number, &last.bytes);
        self.written.as_ref().is_none_or(is_whole)
    }

    /// Goes on without some runs.
    ///
    /// # Errors
    /// As [`OutputFolder::commit`].
    pub(super) fn forget(&self, runs: &BTreeSet<String>) -> Result<()> {
        let Some(last) = self.last().filter(|last| !last.is_legacy()) else { return Ok(()) };
        let next = last.clone().without_runs(runs)?;
        let mut guard = INTERRUPTS.begin_commit()?;
        let (record, plan) = self.add(next, None)?;
        self.show(&mut guard, "the repair", &record, &plan)
    }

    /// The record that the next one follows, without runs that somebody removed. An output of 0.1.0 is taken over here.
    pub(super) fn own(&self, owner: &Owner) -> Result<(Vec<String>, Record)> {
        let (notes, mut last) = match self.last() {
            None => (Vec::new(), Record::empty(owner.clone())),
            Some(last) if last.is_legacy() => {
                let Adopted { record, notes } = legacy::adopt(&self.root, last.clone())?;
                (notes, record)
            }
            Some(last) => (Vec::new(), last.clone()),
        };
        last.runs.retain(|run| run_folder(&self.root, &run.run_id).is_dir());
        Ok((notes, last))
    }

    /// Whether the last commit shows all dates of a run, and its files are in the tree.
    fn is_shown(&self, last: &Record, manifest: &Manifest) -> Result<bool> {
        if self.last().is_none_or(|known| known.runs != last.runs) || last.is_legacy() {
            return Ok(false);
        }
        let tree = tree_folder(&self.root, last.number);
        let run = run_folder(&self.root, &manifest.run_id);
        let Some(kept) = last.run(&manifest.run_id) else { return Ok(false) };
        let contents = Contents::read(&self.root, &kept.run_id, &kept.manifest_sha256)?;
        let is_shown = |date: &String| {
            let Some(supply) = last.dates.get(date).filter(|s| s.run_id == kept.run_id && !s.lost) else { return false };
            let contents = contents.clone().with_made(supply);
            hashes::tree_holds(&tree, &run, &contents, date)
        };
        let has_dimensions =
            hashes::tree_has(&tree, last.dimensions.iter().map(|(name, file)| (path_in_tree(name), file.of_run())));
        Ok(last.lost().next().is_none() && has_dimensions && manifest.as_of.iter().all(is_shown))
    }

    /// Adds a record, after everything that it refers to is durable; `manifest` is that of the run which it commits.
    pub(super) fn add(&self, mut next: Record, manifest: Option<&[u8]>) -> Result<(Written, Plan)> {
        if let Some(bytes) = manifest {
            contents::keep(&self.root, bytes)?;
        }
        let plan = tree::plan(&self.root, &next)?;
        for (date, supply) in &mut next.dates {
            supply.lost = plan.lost.contains(date);
        }
        next.dimensions = dimensions::make(&self.root.as_path(), &next, self.last())?;
        self.lock.write_format(&self.root)?;
        let next = next.written()?;
        commits::add(&self.root, next.record.number, &next.bytes)?;
        Ok((next, plan))
    }

    /// Shows a commit, and removes what it does not need. From here on a stop finds it done.
    pub(super) fn show(&self, guard: &mut CommitGuard, done: &str, written: &Written, plan: &Plan) -> Result<()> {
        guard.committed(done);
        let record = &written.record;
        self.follow(written, plan).map_err(|e| after_commit(done, "readers do not see it yet", e))?;
        let removed = self.collect(record).and_then(|()| self.sweep(record));
        removed.map_err(|e| after_commit(done, "older runs cannot be removed", e))?;
        tree::lost_error(&self.root, done, record).map_or(Ok(()), Err)
    }

    /// Makes `latest` and `tables` what the record says.
    fn follow(&self, written: &Written, plan: &Plan) -> Result<()> {
        self.point_latest(&written.record)?;
        tree::lay_out(&self.root, written, plan)?;
        sync_folder(&self.root)
    }

    /// The same where the tree is there.
    fn point(&self, record: &Record) -> Result<()> {
        self.point_latest(record)?;
        tree::point(&self.root, record.number)?;
        sync_folder(&self.root)
    }

    fn point_latest(&self, record: &Record) -> Result<()> {
        let link = self.root.join("latest");
        match &record.latest {
            None => remove(&link),
            Some(run_id) if fs::read_link(&link).is_ok_and(|found| found == latest_target(run_id)) => Ok(()),
            Some(run_id) => swap_link(&link, &latest_target(run_id)),
        }
    }

    /// Removes what no commit needs: runs that do not stay, older trees and records.
    fn collect(&self, record: &Record) -> Result<()> {
        // Trees before a commit that forgets customers hold them.
        let forgets = matches!(record.act, Act::ForgetCustomers(_));
        tree::remove_older(&self.root, record.number + u64::from(forgets))?;
        let runs = self.root.join("runs");
        for name in names(&runs)? {
            if record.run(&name).is_none() {
                // Out of sight in one step: a run is there whole or not at all.
                let (run, aside) = (runs.join(&name), runs.join(format!(".old-{}", name.trim_start_matches('.'))));
                fs::rename(&run, &aside).map_err(|e| failed(&run, e))?;
                remove(&aside)?;
            }
        }
        commits::remove_older(&self.root, record.number)
    }

    /// Removes manifests of dates out of view, and what was made for them. Their folders grow with the history, so a command
    /// lists them once.
    fn sweep(&self, record: &Record) -> Result<()> {
        let made = record.dates.values().flat_map(|supply| &supply.made).chain(record.dimensions.values());
        keep_only(&self.root.join(MADE), ".parquet", &made.map(|file| file.sha256.as_str()).collect())?;
        let manifests = record.dates.values().map(|supply| supply.manifest_sha256.as_str());
        keep_only(&self.root.join(MANIFESTS), ".json", &manifests.collect())
    }
}

pub(super) fn committed(record: &Record, folder: PathBuf, notes: Vec<String>) -> Committed {
    Committed::new(record, Place::Local(folder), notes)
}

impl Committed {
    /// What a record says of a commit whose run lies in `folder`.
    pub(super) fn new(record: &Record, folder: Place, notes: Vec<String>) -> Committed {
        let latest = record.latest.as_deref().and_then(|run_id| record.run(run_id));
        Committed { folder, latest: latest.map(|run| (run.run_id.clone(), run.last_as_of.clone())), notes }
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
