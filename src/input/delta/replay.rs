//! From the files of a log to the state of the table: read from the newest on, of a file the last word counts.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};

use rayon::prelude::*;

use super::action::{Action, Add, Metadata, Protocol, Vector};
use super::checkpoint;
use super::location::{resolved, resolved_below};
use super::log::{self, Segment};
use crate::error::Result;
use crate::input::lake_table::{Table, unreadable};
use crate::storage::Place;

/// Where parts of checkpoints are.
const SIDECARS: &str = "_delta_log/_sidecars";

/// Commits that are read at once.
const AT_ONCE: usize = 64;

/// A table as it was in a version.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The version.
    pub version: u64,
    /// What a reader must know.
    pub protocol: Protocol,
    /// Schema and settings.
    pub metadata: Metadata,
    /// The files that count.
    pub files: Vec<Add>,
}

/// A file with one of its deletion vectors, or none.
type Key = (Place, Option<String>);

/// The state in the making.
#[derive(Debug, Default)]
struct State {
    /// Files of which the last word was read.
    known: HashSet<Key>,
    /// By file, whether the commit that is being read adds or removes it.
    is_added: HashMap<Key, bool>,
    files: Vec<Add>,
    protocol: Option<Protocol>,
    metadata: Option<Metadata>,
}

/// The state of a table in a version; in the newest if none is given.
///
/// # Errors
/// Exit 4: no such version, or a log that cannot be read.
pub(super) fn snapshot(table: &Table<'_>, version: Option<u64>) -> Result<Snapshot> {
    let Segment { version, checkpoint, commits } = log::segment(table, version)?;
    let mut state = State::default();
    for commits in commits.chunks(AT_ONCE) {
        let read: Vec<Result<Vec<Action>>> = commits.par_iter().map(actions).collect();
        for actions in read {
            state.is_added.clear();
            actions?.into_iter().try_for_each(|action| state.take(action, table))?;
        }
    }
    state.is_added.clear();
    let mut sidecars = Vec::new();
    for file in &checkpoint {
        let mut take = |action: Action| {
            sidecars.extend(action.sidecar.as_ref().map(|sidecar| sidecar.path.clone()));
            state.take(action, table)
        };
        match file.has_ending("json") {
            true => actions(file)?.into_iter().try_for_each(take)?,
            false => checkpoint::read(file, table.key, &mut take)?,
        }
    }
    for sidecar in sidecars {
        let file = resolved_below(&sidecar, table, SIDECARS)?;
        checkpoint::read(&file, table.key, &mut |action| state.take(action, table))?;
    }
    let State { files, protocol, metadata, .. } = state;
    match (protocol, metadata) {
        (Some(protocol), Some(metadata)) => Ok(Snapshot { version, protocol, metadata, files }),
        (None, _) => Err(table.wrong(format_args!("has no protocol in its log up to version {version}; restore its log"))),
        (_, None) => Err(table.wrong(format_args!("has no schema in its log up to version {version}; restore its log"))),
    }
}

impl State {
    /// Takes an action that is older than those before, or of the same commit.
    fn take(&mut self, action: Action, table: &Table<'_>) -> Result<()> {
        let Action { add, remove, meta_data, protocol, sidecar: _ } = action;
        if let Some(add) = add {
            let key = (resolved(&add.path, table)?, add.deletion_vector.as_ref().map(Vector::id));
            self.say(&key, true, table)?;
            if self.known.insert(key) {
                self.files.push(add);
            }
        }
        if let Some(remove) = remove {
            let key = (resolved(&remove.path, table)?, remove.deletion_vector.as_ref().map(Vector::id));
            self.say(&key, false, table)?;
            self.known.insert(key);
        }
        self.metadata = self.metadata.take().or(meta_data);
        self.protocol = self.protocol.take().or(protocol);
        Ok(())
    }

    /// Notes what a commit does with a file. The order within a commit means nothing, so both would mean nothing either.
    fn say(&mut self, key: &Key, is_added: bool, table: &Table<'_>) -> Result<()> {
        match self.is_added.insert(key.clone(), is_added) {
            Some(before) if before != is_added => Err(table.wrong(format_args!(
                "both adds and removes the file {} in one commit of its log, so whether it counts cannot be told; restore its log",
                key.0
            ))),
            _ => Ok(()),
        }
    }
}

/// The actions of a file that has one per line.
fn actions(file: &Place) -> Result<Vec<Action>> {
    let opened = file.open().map_err(|e| unreadable(file, &e).caused_by(e))?;
    let mut actions = Vec::new();
    for (number, line) in BufReader::new(opened.reader(0)).lines().enumerate() {
        let line = line.map_err(|e| unreadable(file, &e).caused_by(e))?;
        if line.trim().is_empty() {
            continue;
        }
        let action = serde_json::from_str(&line)
            .map_err(|e| unreadable(file, format_args!("line {} is no action ({e})", number + 1)).caused_by(e))?;
        actions.push(action);
    }
    Ok(actions)
}
