//! Whether rfmill knows what a table asks of its readers.

use super::action::Protocol;
use crate::error::Result;
use crate::input::lake_table::Table;

/// The features of readers that are known. `vacuumProtocolCheck` is about who deletes files; wider types of later files join as
/// those of any files do.
const KNOWN: [&str; 7] = [
    "columnMapping",
    "deletionVectors",
    "timestampNtz",
    "typeWidening",
    "typeWidening-preview",
    "v2Checkpoint",
    "vacuumProtocolCheck",
];

/// Features by which commits may be missing from the log, so that even a reader of old kind would miss rows.
const ELSEWHERE: [&str; 3] = ["catalogManaged", "catalogOwned", "coordinatedCommits"];

/// The last version of the protocol that lists what readers must know by its number.
const LAST_NUMBERED: i64 = 2;

/// Checks that a table can be read.
///
/// # Errors
/// Exit 4 with the features that are not known.
pub(super) fn check(protocol: &Protocol, table: &Table<'_>) -> Result<()> {
    let version = protocol.min_reader_version;
    if !(1..=LAST_NUMBERED + 1).contains(&version) {
        return Err(table.wrong(format_args!(
            "asks for readers of version {version}, and rfmill knows the versions 1 to {}; write its current rows to Parquet files",
            LAST_NUMBERED + 1
        )));
    }
    let read = protocol.reader_features.iter().flatten().filter(|_| version > LAST_NUMBERED);
    let unknown = read.filter(|feature| !KNOWN.contains(&feature.as_str()));
    let is_elsewhere = |feature: &&String| ELSEWHERE.iter().any(|name| feature.starts_with(name));
    let elsewhere = protocol.writer_features.iter().flatten().filter(is_elsewhere);
    let mut unknown: Vec<&str> = unknown.chain(elsewhere).map(String::as_str).collect();
    unknown.sort_unstable();
    unknown.dedup();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(table.wrong(format_args!(
        "needs features that rfmill does not know: {}; write its current rows to Parquet files, or to a table without these features",
        unknown.join(", ")
    )))
}

/// Whether columns may have other names in files.
pub(super) fn maps_columns(protocol: &Protocol) -> bool {
    protocol.min_reader_version == LAST_NUMBERED
        || protocol.reader_features.iter().flatten().any(|feature| feature == "columnMapping")
}
