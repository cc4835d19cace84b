//! A table whose log is read: how errors call it and its files, and the files that are found by it.

use std::fmt::Display;

use super::input_path::{Found, InputPath};
use super::table_file::LakeVersion;
use crate::error::{Error, Result};
use crate::job::paths::LakePath;
use crate::storage::Place;

/// A table that is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    /// Its format, such as `Delta`.
    pub format: &'static str,
    /// Its folder.
    pub place: &'a Place,
    /// Its folder as the job names it.
    pub written: &'a str,
    /// The key of the job file that names it.
    pub key: &'static str,
}

impl<'a> Table<'a> {
    pub fn new(format: &'static str, path: &'a LakePath, key: &'static str) -> Table<'a> {
        Table { format, place: &path.place, written: path.written.trim_end_matches('/'), key }
    }

    /// An error that says of the table `what`.
    pub fn wrong(&self, what: impl Display) -> Error {
        Error::input(format!("the {} table {} ({}) {what}", self.format, self.written, self.key))
    }

    /// A file of the table as the job would name it.
    pub fn name_of(&self, place: &Place) -> String {
        match place.below(self.place) {
            Some(below) => format!("{}/{below}", self.written),
            None => place.to_string(),
        }
    }

    /// The error where the folder has no log; `log` names the folder of the log, `word` the key of the format in the job file.
    pub fn no_table(&self, log: &str, word: &str) -> Error {
        let (folder, key) = (self.place, self.key);
        match folder.is_folder() {
            Ok(true) => Error::input(format!(
                "the folder {folder} is no {} table: it has no folder {log}; check {key}, or name Parquet files without {word}",
                self.format
            )),
            Ok(false) => Error::input(format!("there is no folder {folder}; check {key} (it is relative to the job file)")),
            Err(e) => e.of(&folder.to_string()),
        }
    }

    /// The files that count in a version, by name.
    ///
    /// # Errors
    /// The first of those of the files; exit 4 if there is no file, or one twice.
    pub fn found(&self, files: Vec<Result<InputPath>>, version: LakeVersion) -> Result<Found> {
        let mut files = files.into_iter().collect::<Result<Vec<_>>>()?;
        if files.is_empty() {
            return Err(self.wrong(format_args!("has no rows in {version}; name another {}", version.kind())));
        }
        files.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.place.cmp(&b.place)));
        match files.windows(2).find(|pair| matches!(pair, [a, b] if a.place == b.place)) {
            Some([file, ..]) => Err(self.wrong(format_args!("has the file {} twice in {version}; restore its log", file.name))),
            _ => Ok(Found { files, warnings: Vec::new() }),
        }
    }
}

/// An error about a file of a log.
pub(super) fn unreadable(file: &Place, what: impl Display) -> Error {
    Error::input(format!("{file} cannot be read: {what}; restore the file, or name a version that does without it"))
}
