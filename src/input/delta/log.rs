//! The files of a log, and which of them make a version.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::input::lake_table::Table;
use crate::storage::{Fault, Place};

/// The folder with the log of a table.
const LOG: &str = "_delta_log";

/// Digits of a version in the name of a file.
const DIGITS: usize = 20;

/// The files of a log.
#[derive(Debug, Default)]
struct Log {
    commits: BTreeSet<u64>,
    /// The names of the files of complete checkpoints by version.
    checkpoints: BTreeMap<u64, Vec<String>>,
}

/// What is read for a version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The version.
    pub version: u64,
    /// The files of the checkpoint from which it starts; none if it starts from the first commit.
    pub checkpoint: Vec<Place>,
    /// The commits after it, the newest first.
    pub commits: Vec<Place>,
}

/// The files to read for a version; the newest if none is given.
///
/// # Errors
/// Exit 4: there is no log, it cannot be listed, does not have the version, or lacks a commit.
pub(super) fn segment(table: &Table<'_>, version: Option<u64>) -> Result<Segment> {
    let folder = table.place.join(LOG);
    let names = folder.names_below().map_err(|e| match e.fault {
        Fault::Missing => table.no_table(LOG, "delta"),
        _ => e.of(&folder.to_string()),
    })?;
    let log = Log::of(&names);
    let newest = log.commits.last().max(log.checkpoints.keys().last()).copied();
    let newest = newest.ok_or_else(|| table.wrong("has an empty log; expected commits such as 00000000000000000000.json"))?;
    let first = log.commits.first().copied().filter(|first| *first == 0);
    let oldest = first.or_else(|| log.checkpoints.keys().next().copied());
    let Some(oldest) = oldest else {
        let begins = log.commits.first().copied().unwrap_or(newest);
        let what = format!("has a log that begins with version {begins}, and no checkpoint of what was before; restore its log");
        return Err(table.wrong(what));
    };
    let version = version.unwrap_or(newest);
    if !(oldest..=newest).contains(&version) {
        let has = if oldest == newest { format!("version {newest} only") } else { format!("the versions {oldest} to {newest}") };
        return Err(table.wrong(format_args!("has no version {version}; its log has {has}")));
    }
    let start = log.checkpoints.range(..=version).next_back();
    let commits = start.map_or(0, |(start, _)| start + 1)..=version;
    if let Some(missing) = commits.clone().find(|commit| !log.commits.contains(commit)) {
        return Err(table.wrong(format_args!(
            "lacks version {missing} in its log, which version {version} needs; restore {}",
            name(missing)
        )));
    }
    Ok(Segment {
        version,
        checkpoint: start.iter().flat_map(|(_, names)| *names).map(|name| folder.join(name)).collect(),
        commits: commits.rev().map(|commit| folder.join(&name(commit))).collect(),
    })
}

/// The name of the file of a commit.
fn name(version: u64) -> String {
    format!("{version:0DIGITS$}.json")
}

impl Log {
    /// The log whose files have these names, ascending.
    fn of(names: &BTreeSet<String>) -> Log {
        let mut log = Log::default();
        // By version and number of parts, the parts.
        let mut parts: BTreeMap<(u64, u64), BTreeMap<u64, &String>> = BTreeMap::new();
        let mut single: BTreeMap<u64, &String> = BTreeMap::new();
        for name in names {
            match kind(name) {
                Some(File::Commit(version)) => drop(log.commits.insert(version)),
                // Of several checkpoints of a version, all of which say the same, always the same one.
                Some(File::Checkpoint(version)) => drop(single.entry(version).or_insert(name)),
                Some(File::Part { version, number, of }) => drop(parts.entry((version, of)).or_default().insert(number, name)),
                None => {}
            }
        }
        let complete = parts.into_iter().filter(|((_, of), parts)| parts.len() as u64 == *of);
        log.checkpoints.extend(complete.map(|((version, _), parts)| (version, parts.into_values().cloned().collect())));
        log.checkpoints.extend(single.into_iter().map(|(version, name)| (version, vec![name.clone()])));
        log
    }
}

/// What a file of a log is.
#[derive(Debug, PartialEq, Eq)]
enum File {
    Commit(u64),
    Checkpoint(u64),
    Part { version: u64, number: u64, of: u64 },
}

/// What a file of a log is by its name; others, such as checksums and compacted commits, are not needed.
fn kind(name: &str) -> Option<File> {
    let (version, rest) = name.split_at_checked(DIGITS)?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let version = number(version)?;
    if rest == ".json" {
        return Some(File::Commit(version));
    }
    let rest = rest.strip_prefix(".checkpoint.")?;
    let parts: Vec<&str> = rest.split('.').collect();
    match parts.as_slice() {
        ["parquet"] => Some(File::Checkpoint(version)),
        // A part of several, all numbered from 1, or a checkpoint named by a UUID.
        [part, of, "parquet"] => match (number(part)?, number(of)?) {
            (number, of) if (1..=of).contains(&number) => Some(File::Part { version, number, of }),
            _ => None,
        },
        [uuid, "parquet" | "json"] if uuid.len() == 36 => Some(File::Checkpoint(version)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the protocol's examples.
    #[test]
    fn files_are_known_by_their_names() {
        let v1 = "00000000000000000010";
        assert_eq!(kind(&format!("{v1}.json")), Some(File::Commit(10)));
        assert_eq!(kind(&format!("{v1}.checkpoint.parquet")), Some(File::Checkpoint(10)));
        let uuid = "80a083e8-7026-4e79-81be-64bd76c43a11";
        assert_eq!(kind(&format!("{v1}.checkpoint.{uuid}.json")), Some(File::Checkpoint(10)));
        assert_eq!(kind(&format!("{v1}.checkpoint.{uuid}.parquet")), Some(File::Checkpoint(10)));
        let part = format!("{v1}.checkpoint.0000000001.0000000003.parquet");
        assert_eq!(kind(&part), Some(File::Part { version: 10, number: 1, of: 3 }));
        for other in [
            "_last_checkpoint",
            "_sidecars",
            "00000000000000000010.crc",
            "00000000000000000010.json.tmp",
            "00000000000000000004.00000000000000000006.compacted.json",
            ".00000000000000000010.json.crc",
            "0000000000000000001é.json",
            "00000000000000000010.checkpoint.0000000004.0000000003.parquet",
        ] {
            assert_eq!(kind(other), None, "{other}");
        }
    }
}
