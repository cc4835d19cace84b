//! A table whose log is read: how errors call it and its files, and the files that are found by it.

use std::fmt::Display;

use super::input_path::{Found, InputPath};
use super::table_file::LakeVersion;
use crate::domain::scheme_of;
use crate::error::{Error, Result};
use crate::job::paths::LakePath;
use crate::storage::{ObjectUrl, Place};

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

    /// The place that an absolute name in the log means; none if it is relative. `path_of` makes a path of what such a URL has.
    ///
    /// # Errors
    /// Exit 4 if it is in a place that is not read, or on a disk, and the table in a store.
    pub fn absolute(&self, written: &str, path_of: impl Fn(&str) -> String) -> Result<Option<Place>> {
        if let Some(url) = ObjectUrl::parse(written) {
            return Ok(Some(Place::Object(url.with_key(&path_of(url.key())))));
        }
        if let Some(scheme) = scheme_of(written).filter(|scheme| !scheme.eq_ignore_ascii_case("file")) {
            return Err(self.wrong(format_args!(
                "names {written} in its log, and rfmill does not read {scheme}://; expected files on a disk of this machine, or in a store by s3://, gs:// or az://"
            )));
        }
        let local = match written.get(..5).filter(|start| start.eq_ignore_ascii_case("file:")) {
            Some(_) => {
                let path = written.get(5..).unwrap_or_default();
                // The host may be left out, and is empty or this machine.
                let path = path.strip_prefix("//").map_or(path, |rest| rest.strip_prefix("localhost").unwrap_or(rest));
                format!("/{}", path.trim_start_matches('/'))
            }
            None if written.starts_with('/') => written.to_owned(),
            None => return Ok(None),
        };
        match self.place {
            Place::Local(_) => Ok(Some(Place::Local(path_of(&local).into()))),
            Place::Object(_) => Err(self.wrong(format_args!(
                "names {written} in its log, and a table in a store has no files on a disk; copy the table with its files"
            ))),
        }
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

    /// The error where a table of another format has its log in the same folder.
    pub fn two_logs(&self, other: &str) -> Error {
        self.wrong(format_args!(
            "lies in a folder with the log of a table of {other} as well, so which of the two is current cannot be told; write the current rows to a table of their own"
        ))
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

/// An error about a file of the log of a Delta table.
pub(super) fn unreadable(file: &Place, what: impl Display) -> Error {
    Error::input(format!("{file} cannot be read: {what}; restore the file, or name a version that does without it"))
}
