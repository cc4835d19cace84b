//! An output: a folder on a disk, or a place in an object store. Both keep records of one meaning, each by its own protocol.

use std::path::PathBuf;

use super::committed::{self, CommittedRun, View};
use super::folder::{Committed, OutputFolder};
use super::forget::Forgotten;
use super::manifest::Manifest;
use super::people::People;
use super::record::{Owner, Record};
use super::repair::{self, Report};
use super::staging::Staging;
use super::store::{self, OutputStore};
use super::told::{Told, ToldByRun};
use crate::error::{Error, Kind, Result};
use crate::storage::Place;
use crate::tables::EncodedFile;

/// An output, opened by a command.
#[derive(Debug)]
pub enum Output {
    /// On a disk, locked by this process.
    Folder(OutputFolder),
    /// In an object store.
    Store(OutputStore),
}

impl Output {
    /// Opens or makes an output.
    ///
    /// # Errors
    /// Exit 5 if its records cannot be used; exit 6 if it cannot be written or holds something else; exit 8 if another run has
    /// it.
    pub fn open(place: &Place) -> Result<Output> {
        Ok(match place {
            Place::Local(root) => Output::Folder(OutputFolder::open(root)?),
            Place::Object(_) => Output::Store(OutputStore::open(place)?),
        })
    }

    /// Opens an output that is there.
    ///
    /// # Errors
    /// Exit 4 if there is no such folder or the store cannot be read; exit 5 if it is no output; else as [`Output::open`].
    pub fn open_existing(place: &Place) -> Result<Output> {
        Ok(match place {
            Place::Local(root) => Output::Folder(OutputFolder::open_existing(root)?),
            Place::Object(_) => Output::Store(OutputStore::open_existing(place)?),
        })
    }

    /// The record of the last commit.
    fn last(&self) -> Option<&Record> {
        match self {
            Output::Folder(folder) => folder.last(),
            Output::Store(store) => store.last(),
        }
    }

    /// A folder on a disk for files of a run whose names begin with a dot; what a killed run leaves in that of an output on a disk
    /// goes with the next one.
    pub fn scratch(&self) -> PathBuf {
        match self {
            Output::Folder(folder) => folder.scratch(),
            Output::Store(store) => store.scratch(),
        }
    }

    /// Checks whose output this is; with `adopt` it becomes that of `owner`.
    ///
    /// # Errors
    /// Exit 5 if it belongs to another job or time zone.
    pub fn check_owner(&self, owner: &Owner, adopt: bool) -> Result<()> {
        let Some(last) = self.last().filter(|_| !adopt) else { return Ok(()) };
        match self {
            Output::Folder(folder) => last.owner.check(&folder.root.display(), owner),
            Output::Store(store) => last.owner.check(&store.root, owner),
        }
    }

    /// The manifest of the run that `latest` names, if there is one.
    ///
    /// # Errors
    /// Exit 5 if it cannot be read.
    pub fn latest_manifest(&self) -> Result<Option<Manifest>> {
        match self {
            Output::Folder(folder) => folder.latest_manifest(),
            Output::Store(store) => store.latest_manifest(),
        }
    }

    /// What an earlier commit tells of a date; `None` if none does, or its files cannot be read, which `verify` says.
    pub fn told(&self, date: &str) -> Option<Told> {
        match self {
            Output::Folder(folder) => folder.told(date),
            Output::Store(store) => store.told(date),
        }
    }

    /// What a run that is whole here tells; `None` if its tables do not say.
    pub fn told_by(&self, manifest: &Manifest) -> Option<ToldByRun> {
        match self {
            Output::Folder(folder) => folder.told_by(manifest),
            Output::Store(store) => store.told_by(manifest),
        }
    }

    /// The dates of which earlier commits tell.
    pub fn told_dates(&self) -> impl Iterator<Item = &str> {
        let dates = self.last().into_iter().flat_map(|last| &last.dates);
        dates.filter(|(_, supply)| !supply.lost).map(|(date, _)| date.as_str())
    }

    /// The manifest of a run that was committed here and is whole; `None` if it must be computed.
    pub fn finished(&self, run_id: &str) -> Option<Manifest> {
        match self {
            Output::Folder(folder) => folder.finished(run_id),
            Output::Store(store) => store.finished(run_id),
        }
    }

    /// Starts a run: where its files go until the commit.
    ///
    /// # Errors
    /// Exit 6.
    pub fn stage(&self, run_id: &str) -> Result<Staging> {
        match self {
            Output::Folder(folder) => folder.stage(run_id),
            Output::Store(store) => store.stage(run_id),
        }
    }

    /// Commits a staged run. `keep` runs stay; `restatements` is the file that says what earlier commits told of its dates.
    ///
    /// # Errors
    /// Exit 6 before the commit; exit 9 if it cannot be told whether it happened; exit 5 behind it if files of other dates
    /// are gone.
    pub fn commit(
        &self,
        staging: Staging,
        manifest: &Manifest,
        restatements: Option<&EncodedFile>,
        owner: Owner,
        keep: u32,
    ) -> Result<Committed> {
        match self {
            Output::Folder(folder) => folder.commit(staging, manifest, restatements, owner, keep),
            Output::Store(store) => store.commit(staging, manifest, restatements, &owner, keep),
        }
    }

    /// Commits a run again that is already here. Without new `restatements`, those of its first commit stay, as long as the run
    /// supplies its last date.
    ///
    /// # Errors
    /// As [`Output::commit`].
    pub fn recommit(
        &self,
        manifest: &Manifest,
        restatements: Option<&EncodedFile>,
        owner: Owner,
        keep: u32,
    ) -> Result<Committed> {
        match self {
            Output::Folder(folder) => folder.recommit(manifest, restatements, owner, keep),
            Output::Store(store) => store.recommit(manifest, restatements, &owner, keep),
        }
    }

    /// Takes an as-of date out of the view.
    ///
    /// # Errors
    /// Exit 2 if it is not in view, exit 5 if nothing is committed, else as [`Output::commit`].
    pub fn drop_date(&self, date: &str) -> Result<Committed> {
        match self {
            Output::Folder(folder) => folder.drop_date(date),
            Output::Store(store) => store.drop_date(date),
        }
    }

    /// Takes customers out of all files; if none holds one, nothing is committed.
    ///
    /// # Errors
    /// Exit 5 if nothing is committed or files are gone or damaged; else as [`Output::commit`].
    pub fn forget_customers(&self, people: &People) -> Result<Forgotten> {
        match self {
            Output::Folder(folder) => folder.forget_customers(people),
            Output::Store(store) => store.forget_customers(people),
        }
    }
}

/// The run of an output that `latest` names: of those that stay and supply their last as-of date, that of the newest date.
///
/// # Errors
/// Exit 4 if there is no such folder or the store cannot be read; exit 5 if nothing is committed or the manifest is missing,
/// changed or damaged.
pub fn latest_run(output: &Place) -> Result<CommittedRun> {
    match output {
        Place::Local(root) => committed::latest_run(root),
        Place::Object(_) => store::latest_run(output),
    }
}

/// The dates in view with their files, which stay where they are until the second commit after this: of the last commit, or of one
/// with a number, which is the last or the one before.
///
/// # Errors
/// As [`latest_run`]; exit 5 also if files of a date, or those of the commit, are gone.
pub fn view(output: &Place, commit: Option<u64>) -> Result<View> {
    let of_last = || match output {
        Place::Local(root) => committed::last_record(root),
        Place::Object(_) => store::last_record(output),
    };
    let last = of_last()?;
    let of_record = |record| match output {
        Place::Local(root) => committed::view(root, record),
        Place::Object(_) => Ok(store::view(output, record)),
    };
    let Some(number) = commit.filter(|number| *number != last.number) else { return of_record(last) };
    let earlier = match output {
        Place::Local(root) => committed::record(root, number),
        Place::Object(_) => store::record(output, number),
    };
    earlier.and_then(of_record).map_err(|e| {
        let what = format!(
            "commit {number} of {output} is no longer there to be read: the last one is {}, and what was before goes with the second commit after it; look at the output anew",
            last.number
        );
        Error::new(Kind::State, what).caused_by(e)
    })
}

/// What an output shows, looked at by a command that writes nothing; none if nothing is committed there yet.
///
/// # Errors
/// Exit 4 if it cannot be read; exit 5 if files of a date are gone; exit 6 if the place holds something else.
pub fn shown(output: &Place) -> Result<Option<View>> {
    let has_commits = match output {
        Place::Local(root) => committed::has_commits(root),
        Place::Object(_) => store::has_commits(output),
    };
    has_commits?.then(|| view(output, None)).transpose()
}

/// Compares an output with what its last commit says. Writes nothing.
///
/// # Errors
/// Exit 4 if there is no such folder or the store cannot be read; exit 5 if it is no output, nothing is committed, or a newer
/// version wrote it.
pub fn verify(output: &Place) -> Result<Report> {
    match output {
        Place::Local(root) => repair::verify(root),
        Place::Object(_) => store::verify(output),
    }
}

/// Puts right what can be without changing a number: from copies of the same bytes, or because nothing needs it.
///
/// # Errors
/// As [`verify`]; exit 2 in an object store, where no copies lie; exit 6 if the output cannot be written; exit 8 if a run has it.
pub fn repair(output: &Place) -> Result<Report> {
    match output {
        Place::Local(root) => repair::repair(root),
        Place::Object(_) => Err(Error::usage(format!(
            "{output} lies in an object store, where nothing has a second copy to be repaired from; see what `rfmill verify {output}` says without --repair: each finding names what puts it right"
        ))),
    }
}

/// Views for DuckDB over exactly the files of the last commit of an output in a store.
///
/// # Errors
/// As [`latest_run`].
pub fn duckdb_views(output: &Place) -> Result<String> {
    store::last_record(output).map(|record| store::sql(output, &record))
}
