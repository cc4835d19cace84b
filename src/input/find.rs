//! The files of a table of the job: those that patterns match, those that the log of a table names, or what a query has written.

use super::delta;
use super::files;
use super::iceberg;
use super::input_path::{Found, InputPath};
use crate::error::Result;
use crate::job::paths::InputPaths;

/// All files; `key` is the key of the job file, or the flag, that names them.
///
/// # Errors
/// Exit 4: none, one that cannot be read, or a table that cannot.
pub(super) fn find(paths: &InputPaths, key: &'static str) -> Result<Found> {
    match paths {
        InputPaths::Patterns(patterns) => files::find(patterns, key),
        InputPaths::Delta(table) => delta::find(table, key),
        InputPaths::Iceberg(table) => iceberg::find(table, key),
        InputPaths::QueryResult { key: query, place } => {
            let result = InputPath { is_query_result: true, ..InputPath::plain((*query).to_owned(), place.clone(), key) };
            Ok(Found { files: vec![result], warnings: Vec::new() })
        }
    }
}
