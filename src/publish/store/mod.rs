//! An output in an object store: staged objects, one commit by a conditional write, and a record that names every file.
//!
//! ```text
//! OUT/.rfmill, .probe                   mark the place as ours, and show that the store keeps conditions
//! OUT/runs/<run_id>/<nonce>/            one attempt at a run: tables, reports and, last, manifest.json
//! OUT/made/<nonce>/<sha256>.parquet     files that a commit made itself: the dimensions, and `restatements`
//! OUT/commits/<n>.json                  the records of commits; that with the largest n is the truth
//! OUT/latest.json, views.sql            what it shows, for programs that do not read it
//! ```
//!
//! Nothing can be renamed, linked or locked there. So every object is created once and never replaced, but for the last two, which
//! follow from the record; and every command writes under a nonce of its own, so that no two, and no killed one, can meet. Creating
//! `commits/<n>.json`, on the condition that there is none, is the one step that makes a commit the last one. It carries the nonce
//! and the whole view ([`Placed`]): by the nonce a writer whose answer was lost knows its own, and a reader
//! who has that one object has a view that nothing can mix with another.
//!
//! Of two writers of one number the second reads what the first wrote, and makes the next record of that: both commits count. What
//! it said of earlier commits (`restatements`) is what it saw when it began. Two that commit the same run at once make one commit,
//! and a run that began before customers were forgotten makes none: it would bring them back.

mod forget;
mod opening;
mod placing;
mod records;
mod scratch;
mod shown;
mod sweep;
mod verify;
mod view;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use rayon::prelude::*;

use super::contents::Contents;
use super::dimensions::{self, Keeper};
use super::files::after_commit;
use super::folder::Committed;
use super::interrupt::{CommitGuard, INTERRUPTS};
use super::manifest::{Manifest, TableFile};
use super::placed::Placed;
use super::record::{Act, MadeFile, Owner, Record, Written, droppable};
use super::staging::Staging;
use super::told::{SEGMENTS, Told, ToldByRun};
use super::upload::create;
use super::view::NewRun;
use crate::error::{Error, Kind, Result};
use crate::storage::{Place, nonce};
use crate::tables::EncodedFile;
use records::{Added, Since};
use scratch::Scratch;
use sweep::{BUSY_NS, LEFT_NS, sweep};

pub use shown::sql;
pub use verify::verify;
pub use view::{customers, has_commits, last_record, latest_run, record, view};

/// Records that other writers may add while ours is made, before it is given up.
const TRIES: u32 = 20;

/// An output in an object store, opened by a command.
#[derive(Debug)]
pub struct OutputStore {
    pub(super) root: Place,
    /// Tells what this command writes from what others write.
    nonce: String,
    /// For what is needed on a disk.
    scratch: Scratch,
    /// The record of the last commit when the output was opened.
    written: Option<Written>,
}

impl OutputStore {
    /// Opens or makes an output.
    ///
    /// # Errors
    /// Exit 5 if its record cannot be used; exit 6 if it cannot be written, holds something else, or its store ignores conditions.
    pub fn open(root: &Place) -> Result<OutputStore> {
        opening::mark(root)?;
        opening::probe(root)?;
        let nonce = nonce()?;
        let scratch = Scratch::create(&nonce)?;
        let output = OutputStore { root: root.clone(), nonce, scratch, written: records::last(root)? };
        if let Some(last) = output.last().filter(|last| !shown::is_current(root, last)) {
            shown::put(root, last)?;
        }
        Ok(output)
    }

    /// Opens an output that is there.
    ///
    /// # Errors
    /// Exit 4 if it cannot be read; exit 5 if it is no output; else as [`OutputStore::open`].
    pub fn open_existing(root: &Place) -> Result<OutputStore> {
        opening::check(root)?;
        OutputStore::open(root)
    }

    /// A folder on a disk for files of this command.
    pub fn scratch(&self) -> PathBuf {
        self.scratch.path()
    }

    /// The record of the last commit when the output was opened.
    pub(super) fn last(&self) -> Option<&Record> {
        self.written.as_ref().map(|written| &written.record)
    }

    /// The manifest of the run that `latest` names, if there is one.
    ///
    /// # Errors
    /// Exit 5 if it cannot be read.
    pub fn latest_manifest(&self) -> Result<Option<Manifest>> {
        match self.last().filter(|last| last.latest.is_some()) {
            Some(last) => view::run(&self.root, last).map(|run| Some(run.manifest)),
            None => Ok(None),
        }
    }

    /// What an earlier commit tells of a date; `None` if none does, or its files cannot be read.
    pub fn told(&self, date: &str) -> Option<Told> {
        let last = self.last()?;
        let supply = last.dates.get(date)?;
        let segments = last.placed.as_ref()?.dates.get(date)?.get(SEGMENTS)?;
        let bytes = self.manifest_of(last, &supply.manifest_sha256)?;
        let manifest = Manifest::parse(&self.root, &bytes).ok();
        Told::read_from(&self.root, supply.run_id.clone(), segments.clone(), manifest)
    }

    /// What a run that is whole here tells; `None` if its tables do not say.
    pub fn told_by(&self, manifest: &Manifest) -> Option<ToldByRun> {
        let last = self.last()?;
        let folder = last.folder_of(&last.run(&manifest.run_id)?.manifest_sha256)?;
        ToldByRun::read_from(&self.root.join(folder), manifest, &self.root, self.made_by(last, manifest))
    }

    /// The manifest of a run that was committed here and is whole; `None` if it must be computed.
    pub fn finished(&self, run_id: &str) -> Option<Manifest> {
        let last = self.last()?;
        let sha256 = &last.run(run_id)?.manifest_sha256;
        let manifest = Manifest::parse(&self.root, &self.manifest_of(last, sha256)?).ok()?;
        let folder = self.root.join(last.folder_of(sha256)?);
        let of_run = files(&manifest).map(|file| (folder.join(&file.path), file.clone()));
        let made = self.made_by(last, &manifest).into_iter().map(|file| (self.root.join(&file.path), file));
        self.are_whole(of_run.chain(made).collect()).then_some(manifest)
    }

    /// Starts a run.
    ///
    /// # Errors
    /// Exit 6.
    pub fn stage(&self, run_id: &str) -> Result<Staging> {
        Staging::in_store(self.root.join(&self.folder(run_id)), self.scratch.path().join("pieces"))
    }

    /// The folder of an attempt at a run.
    fn folder(&self, run_id: &str) -> String {
        format!("runs/{run_id}/{}", self.nonce)
    }

    /// Commits a staged run: durable, listed, recorded, shown. `keep` runs stay.
    ///
    /// # Errors
    /// Exit 6 before the commit; exit 9 if it cannot be told whether it happened.
    pub fn commit(
        &self,
        mut staging: Staging,
        manifest: &Manifest,
        restatements: Option<&EncodedFile>,
        owner: &Owner,
        keep: u32,
    ) -> Result<Committed> {
        staging.drain()?;
        let folder = self.folder(&manifest.run_id);
        // Who forgets customers removes what may hold them.
        self.check_sizes(&folder, manifest).map_err(|e| self.since().err().unwrap_or(e))?;
        let bytes = manifest.to_bytes()?;
        staging.write("manifest.json", bytes.clone())?;
        let made = restatements.map(|file| self.keep_made(file)).transpose()?;
        let run = RunToCommit { folder, manifest, bytes: &bytes, made: made.into_iter().collect() };
        let mut guard = INTERRUPTS.begin_commit()?;
        let added = self.add(owner, |last, acts| match !acts.is_empty() && is_last(&last, manifest, owner) {
            true => Ok(None),
            false => run.after(last, owner, keep).map(Some),
        });
        // Where another writer committed the same run, its files count.
        let is_needed = |record: &Record| record.placed.as_ref().is_some_and(|placed| placed.nonce == self.nonce);
        if added.as_ref().is_ok_and(is_needed) || added.as_ref().is_err_and(|e| e.kind() == Kind::Unknown) {
            staging.keep();
        }
        self.finish(&mut guard, manifest, &added?)
    }

    /// Shows the commit of a run, and removes what no commit needs.
    fn finish(&self, guard: &mut CommitGuard, manifest: &Manifest, record: &Record) -> Result<Committed> {
        let done = format!("run {}", manifest.run_id);
        self.show(guard, &done, record)?;
        self.sweep(record).map_err(|e| after_commit(&done, "what no commit needs cannot be removed", e))?;
        let folder = record.run(&manifest.run_id).and_then(|run| record.folder_of(&run.manifest_sha256));
        Ok(self.committed(record, folder.unwrap_or_default()))
    }

    /// Commits a run again that is already here. Without new `restatements`, those of its first commit stay, as long as the run
    /// supplies its last date.
    ///
    /// # Errors
    /// As [`OutputStore::commit`].
    pub fn recommit(
        &self,
        manifest: &Manifest,
        restatements: Option<&EncodedFile>,
        owner: &Owner,
        keep: u32,
    ) -> Result<Committed> {
        let gone = || Error::new(Kind::State, format!("run {} is gone from {}; run the job again", manifest.run_id, self.root));
        let last = self.last().ok_or_else(gone)?;
        let sha256 = &last.run(&manifest.run_id).ok_or_else(gone)?.manifest_sha256;
        let mut guard = INTERRUPTS.begin_commit()?;
        let dimensions = || last.placed.iter().flat_map(|placed| placed.dimensions.values());
        let placed = || dimensions().map(|file| (self.root.join(&file.path), file.clone())).collect();
        if is_last(last, manifest, owner) && self.are_whole(placed()) {
            guard.committed(&format!("run {}", manifest.run_id));
            return Ok(self.committed(last, last.folder_of(sha256).ok_or_else(gone)?));
        }
        let anew = restatements.map(|file| self.keep_made(file)).transpose()?;
        let bytes = self.manifest_of(last, sha256).ok_or_else(gone)?;
        let record = self.add(owner, |last, acts| {
            if !acts.is_empty() && is_last(&last, manifest, owner) {
                return Ok(None);
            }
            // Another writer may have taken the run out meanwhile, or committed it again with other files made for it.
            last.run(&manifest.run_id).filter(|kept| kept.manifest_sha256 == *sha256).ok_or_else(gone)?;
            let folder = last.folder_of(sha256).ok_or_else(gone)?.to_owned();
            let made = anew.as_ref().map_or_else(|| self.made_by(&last, manifest), |file| vec![file.clone()]);
            RunToCommit { folder, manifest, bytes: &bytes, made }.after(last, owner, keep).map(Some)
        })?;
        self.finish(&mut guard, manifest, &record)
    }

    /// Takes an as-of date out of the view.
    ///
    /// # Errors
    /// Exit 2 if it is not in view, exit 5 if nothing is committed, else as [`OutputStore::commit`].
    pub fn drop_date(&self, date: &str) -> Result<Committed> {
        let root = self.root.to_string();
        let owner = droppable(&root, self.last(), date)?.owner.clone();
        let mut guard = INTERRUPTS.begin_commit()?;
        let record = self.add(&owner, |last, _| {
            droppable(&root, Some(&last), date)?;
            let mut next = last.without_dates(&[date.to_owned()].into())?;
            self.settle(&mut next);
            Ok(Some(next))
        })?;
        let done = format!("the drop of {date}");
        self.show(&mut guard, &done, &record)?;
        self.sweep(&record).map_err(|e| after_commit(&done, "what no commit needs cannot be removed", e))?;
        Ok(self.committed(&record, ""))
    }

    /// Adds the record that `next` makes of the last one, and of what was committed since the output was opened; again of the one
    /// after it if another writer adds that first. Returns the last record where `next` has nothing to add.
    fn add(&self, owner: &Owner, next: impl Fn(Record, &[Act]) -> Result<Option<Record>>) -> Result<Record> {
        let mut since = self.since()?;
        for _ in 0..TRIES {
            if let Some(theirs) = &since.last {
                theirs.owner.check(&self.root, owner)?;
            }
            let last = since.last.as_ref().or(self.last());
            let before = last.cloned().unwrap_or_else(|| Record::empty(owner.clone()));
            let Some(mut record) = next(before.clone(), &since.acts)? else { return Ok(before) };
            self.make_dimensions(&mut record, last)?;
            let written = record.written()?;
            match records::add(&self.root, &written)? {
                Added::Ours => return Ok(written.record),
                Added::Theirs(other) => {
                    self.check_act(&other.act)?;
                    since.push(*other);
                }
            }
        }
        Err(Error::output(format!(
            "{} other commits came first at {}, so nothing is committed; run the job again when fewer run at once",
            TRIES, self.root
        )))
    }

    /// What was committed since the output was opened.
    fn since(&self) -> Result<Since> {
        let since = records::since(&self.root, self.last().map_or(0, |last| last.number))?;
        since.acts.iter().try_for_each(|act| self.check_act(act)).map(|()| since)
    }

    /// Refuses to commit after customers were forgotten: what this command read and wrote may hold them.
    fn check_act(&self, act: &Act) -> Result<()> {
        let what =
            format!("customers were forgotten at {} while this command ran, so it commits nothing; run it again", self.root);
        if matches!(act, Act::ForgetCustomers(_)) { Err(Error::new(Kind::State, what)) } else { Ok(()) }
    }

    /// Makes the dimensions of a record, and says where they lie.
    fn make_dimensions(&self, record: &mut Record, last: Option<&Record>) -> Result<()> {
        let before = last.and_then(|last| last.placed.as_ref()).map(|placed| placed.dimensions.clone()).unwrap_or_default();
        let keeper = StoreKeeper { output: self, before: &before, kept: RefCell::default() };
        record.dimensions = dimensions::make(&keeper, record, last)?;
        let kept = keeper.kept.into_inner();
        let placed_at = |(name, file): (&String, &MadeFile)| {
            let found = kept.get(&file.sha256).or_else(|| before.get(name).filter(|before| before.sha256 == file.sha256));
            found.map(|found| (name.clone(), found.clone()))
        };
        let placed = record.placed.get_or_insert_default();
        placed.dimensions = record.dimensions.iter().filter_map(placed_at).collect();
        placed.nonce.clone_from(&self.nonce);
        Ok(())
    }

    /// Keeps a file that a commit makes.
    fn keep_made(&self, file: &EncodedFile) -> Result<TableFile> {
        let EncodedFile { bytes, sha256, rows } = file;
        let path = format!("made/{}/{sha256}.parquet", self.nonce);
        create(&self.root.join(&path), bytes.clone().into())?;
        Ok(TableFile { path, rows: *rows, bytes: bytes.len() as u64, sha256: sha256.clone() })
    }

    /// The files that the commit of a run made, as long as the run supplies its last date.
    fn made_by(&self, last: &Record, manifest: &Manifest) -> Vec<TableFile> {
        let date = manifest.as_of.last().filter(|_| !last.made_by(manifest).is_empty());
        date.zip(last.placed.as_ref()).map_or_else(Vec::new, |(date, placed)| placed.made(date))
    }

    fn settle(&self, next: &mut Record) {
        let mut placed = next.placed.take().unwrap_or_default();
        placed.settle(next);
        next.placed = Some(placed);
    }

    /// The bytes of the manifest with this hash.
    fn manifest_of(&self, record: &Record, sha256: &str) -> Option<Vec<u8>> {
        let place = self.root.join(record.folder_of(sha256)?).join("manifest.json");
        place.read().ok().filter(|bytes| crate::hash::sha256(bytes) == sha256)
    }

    /// Reads files; whether all are as they were written.
    fn are_whole(&self, files: Vec<(Place, TableFile)>) -> bool {
        files.par_iter().with_max_len(1).all(|(place, file)| verify::is_whole(place, file))
    }

    /// Looks whether every file of a run is there in its size.
    fn check_sizes(&self, folder: &str, manifest: &Manifest) -> Result<()> {
        let run = self.root.join(folder);
        let listed = run.list().map_err(|e| e.of(&run.to_string()))?;
        let sizes: BTreeMap<&str, u64> = listed.iter().map(|listed| (listed.key.as_str(), listed.size)).collect();
        match files(manifest).find(|file| sizes.get(file.path.as_str()) != Some(&file.bytes)) {
            None => Ok(()),
            Some(file) => Err(Error::output(format!(
                "{} was changed or removed while the run was writing it, so nothing is committed; run the job again",
                run.join(&file.path)
            ))),
        }
    }

    /// Shows a commit. From here on a stop finds it done.
    fn show(&self, guard: &mut CommitGuard, done: &str, record: &Record) -> Result<()> {
        guard.committed(done);
        shown::put(&self.root, record).map_err(|e| after_commit(done, "latest.json does not say so yet", e))
    }

    /// Removes what a commit does not need.
    ///
    /// # Errors
    /// Exit 6; exit 5 if it forgets customers and it is not known what the commits before showed, which hold them.
    fn sweep(&self, record: &Record) -> Result<()> {
        let before = match record.number {
            1 => Ok(None),
            number => records::read(&self.root, number - 1).map(|written| Some(written.record)),
        };
        let earlier = records::find(&self.root, record.number.saturating_sub(2));
        if matches!(record.act, Act::ForgetCustomers(_)) {
            let (read, unread): (Vec<_>, Vec<_>) = [before, earlier].into_iter().partition(Result::is_ok);
            let read: Vec<Record> = read.into_iter().flatten().flatten().collect();
            sweep(&self.root, &[record], &read, BUSY_NS)?;
            return unread.into_iter().try_for_each(|unread| unread.map(drop));
        }
        // Without the record before it is not known what that needs; the next commit sweeps.
        let Ok(before) = before else { return Ok(()) };
        let needed: Vec<&Record> = [Some(record), before.as_ref()].into_iter().flatten().collect();
        sweep(&self.root, &needed, &earlier.ok().flatten().into_iter().collect::<Vec<_>>(), LEFT_NS)
    }

    fn committed(&self, record: &Record, folder: &str) -> Committed {
        Committed::new(record, self.root.join(folder), Vec::new())
    }
}

/// A run that is to be committed.
struct RunToCommit<'a> {
    /// Where it lies.
    folder: String,
    manifest: &'a Manifest,
    /// The bytes of its manifest.
    bytes: &'a [u8],
    /// What the commit made for its last date.
    made: Vec<TableFile>,
}

impl RunToCommit<'_> {
    /// The record after `last`.
    fn after(&self, last: Record, owner: &Owner, keep: u32) -> Result<Record> {
        let made = |file: &TableFile| MadeFile { sha256: file.sha256.clone(), rows: file.rows, bytes: file.bytes };
        let run = NewRun::of(self.manifest, self.bytes, self.made.iter().map(made).collect());
        let contents: Contents = serde_json::from_slice(self.bytes)
            .map_err(|e| Error::bug(format!("the manifest of a run cannot be read: {e}")).caused_by(e))?;
        let mut next = last.with_run(owner.clone(), &run, keep)?;
        let mut placed: Placed = next.placed.take().unwrap_or_default();
        placed.add_run(&self.folder, &run.manifest_sha256, &contents, self.made.clone());
        placed.settle(&next);
        next.placed = Some(placed);
        Ok(next)
    }
}

/// The files of a run.
fn files(manifest: &Manifest) -> impl Iterator<Item = &TableFile> {
    manifest.tables.iter().flat_map(|table| &table.files).chain(&manifest.reports)
}

/// Whether a record is that of a commit of a run, all of whose dates it supplies.
fn is_last(record: &Record, manifest: &Manifest, owner: &Owner) -> bool {
    let is_shown = |date: &String| record.dates.get(date).is_some_and(|supply| supply.run_id == manifest.run_id);
    record.act == Act::Run(manifest.run_id.clone()) && record.owner == *owner && manifest.as_of.iter().all(is_shown)
}

/// Keeps the dimensions.
struct StoreKeeper<'a> {
    output: &'a OutputStore,
    /// Those of the record before, by name.
    before: &'a BTreeMap<String, TableFile>,
    /// What was kept, by hash.
    kept: RefCell<BTreeMap<String, TableFile>>,
}

impl Keeper for StoreKeeper<'_> {
    fn keep(&self, file: &EncodedFile) -> Result<MadeFile> {
        let kept = self.output.keep_made(file)?;
        let made = MadeFile { sha256: kept.sha256.clone(), rows: kept.rows, bytes: kept.bytes };
        self.kept.borrow_mut().insert(kept.sha256.clone(), kept);
        Ok(made)
    }

    fn has(&self, file: &MadeFile) -> bool {
        let placed = self.before.values().find(|before| before.sha256 == file.sha256);
        placed.is_some_and(|placed| verify::is_whole(&self.output.root.join(&placed.path), placed))
    }
}
