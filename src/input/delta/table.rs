//! A table that is read, as errors call it.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The folder with the log of a table.
const LOG: &str = "_delta_log";

/// A table that is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    /// Its folder.
    pub folder: &'a Path,
    /// Its folder as the job names it.
    pub written: &'a str,
    /// The key of the job file that names it.
    pub key: &'static str,
}

impl Table<'_> {
    /// The folder of its log.
    pub fn log(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    /// An error that says of the table `what`.
    pub fn wrong(&self, what: impl Display) -> Error {
        Error::input(format!("the Delta table {} ({}) {what}", self.written, self.key))
    }

    /// Checks that there is a table.
    ///
    /// # Errors
    /// Exit 4 if there is none.
    pub fn check(&self) -> Result<()> {
        let (folder, key) = (self.folder.display(), self.key);
        if !self.folder.is_dir() {
            let what = format!("there is no folder {folder}; check {key} (it is relative to the job file)");
            return Err(Error::input(what));
        }
        if !self.log().is_dir() {
            let what = format!(
                "the folder {folder} is no Delta table: it has no folder {LOG}; check {key}, or name Parquet files without delta"
            );
            return Err(Error::input(what));
        }
        Ok(())
    }
}

/// An error about a file of a log.
pub(super) fn unreadable(file: &Path, what: impl Display) -> Error {
    Error::input(format!("{} cannot be read: {what}; restore the file, or name a version that does without it", file.display()))
}
