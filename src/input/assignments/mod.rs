//! Assignment tables: Parquet or CSV files of who was put into which arm on which day.
//!
//! Columns by name: `customer_id`, `arm`, `assigned_on`; if they are there, `strategy`, `stratum` (or else `state`),
//! `cost`, `contacts` and `ended_on`; where clusters were drawn, the column that the job names for them, and those
//! that `by` names; of others it is looked at whether each value lies in one arm. [`open`] identifies the files
//! for the run's hash, [`read`] reads the rows of one strategy into [`Assignments`].

mod batch;
mod columns;
mod csv;
mod file;
mod further;
mod merge;
mod names;
mod parquet;
mod partition;
mod request;
mod rows;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rayon::prelude::*;

use super::find;
use super::hashes::HashList;
use crate::assign::Assignments;
use crate::error::Result;
use crate::job::paths::InputPaths;
use rows::FileChunk;

pub use file::AssignmentFile;
pub use request::Request;

/// Finds and opens the files of assignments; `key` is the key of the job file, or the flag, that names them. With a list of
/// hashes they must be as it says. With `has_naive_int96`, Parquet's INT96 is wall-clock time.
///
/// # Errors
/// Exit 4: no such file, or one that cannot be read.
pub fn open(
    paths: &InputPaths,
    key: &'static str,
    hashes: Option<&Arc<HashList>>,
    has_naive_int96: bool,
) -> Result<Vec<AssignmentFile>> {
    let inputs = find::find(paths, key)?.files;
    let open = |input| AssignmentFile::open(input, hashes, has_naive_int96);
    // In the order of the paths, so that the first error is always the same one.
    let opened: Vec<Result<AssignmentFile>> = inputs.into_par_iter().map(open).collect();
    opened.into_iter().collect()
}

/// Checks that files have the columns that a request needs, of suitable types, without reading rows.
///
/// # Errors
/// Exit 3: a column is missing, is there twice or is of another type. Exit 4: a file that cannot be read.
pub fn check(files: &[AssignmentFile], request: &Request) -> Result<()> {
    files.iter().try_for_each(|file| match &file.source {
        Some(source) => parquet::check(source, request),
        None => csv::check(&file.name(), &file.input.place, request),
    })
}

/// The names of all columns of the files, each once, in the order of the files.
///
/// # Errors
/// Exit 3: a file without the columns that a request needs. Exit 4: a file that cannot be read.
pub fn column_names(files: &[AssignmentFile], request: &Request) -> Result<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    for file in files {
        let names = match &file.source {
            Some(source) => columns::column_names(source),
            None => csv::names(&file.name(), &file.input.place, request)?,
        };
        names.into_iter().for_each(|name| {
            if !all.contains(&name) {
                all.push(name)
            }
        });
    }
    Ok(all)
}

/// Reads the assignments of a request, by part of their customers. The first part has the counts of rows that are
/// no assignments.
///
/// # Errors
/// Exit 3: a missing column, an impossible value or arm, names that differ only in case or blanks, no row at
/// all. Exit 4: files that cannot be read or changed meanwhile.
pub fn read(files: &[AssignmentFile], request: &Request) -> Result<Vec<Assignments>> {
    let chunks: Vec<Result<Vec<FileChunk>>> = files
        .par_iter()
        .map(|file| {
            let chunks = match &file.source {
                Some(source) => parquet::read(source, request)?,
                None => vec![csv::read(&file.name(), &file.input.place, request)?],
            };
            file.check_unchanged()?;
            Ok(chunks)
        })
        .collect();
    let mut all = Vec::new();
    for (file, chunks) in files.iter().zip(chunks) {
        all.extend(chunks?.into_iter().map(|chunk| (file.name(), chunk)));
    }
    merge::merge(all, request)
}
