//! Where the files of a table of the job are.

use std::path::PathBuf;

use crate::storage::Place;

/// The files of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputPaths {
    /// Patterns of paths: as written, and joined to the job file's folder.
    Patterns(Vec<(String, PathBuf)>),
    /// Those that the log of a Delta table names.
    Delta(LakePath),
    /// Those that the metadata of an Iceberg table name.
    Iceberg(LakePath),
    /// The one that a query has written.
    QueryResult {
        /// The key of the query, which stands for the file in messages.
        key: &'static str,
        /// Where it lies.
        place: Place,
    },
}

/// A table that has a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakePath {
    /// Its folder, as written; of an Iceberg table it may be a file of its metadata.
    pub written: String,
    /// The same; on a disk it is joined to the folder of the job file.
    pub place: Place,
    /// The version, or the id of the snapshot, to read; the newest if none.
    pub version: Option<u64>,
}

impl Default for InputPaths {
    fn default() -> InputPaths {
        InputPaths::Patterns(Vec::new())
    }
}

impl InputPaths {
    /// One path: as written, and joined.
    pub fn one(written: impl Into<String>, path: impl Into<PathBuf>) -> InputPaths {
        InputPaths::Patterns(vec![(written.into(), path.into())])
    }
}
