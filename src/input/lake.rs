//! Folders of table formats, whose logs decide which of their files count: read as plain files, they would be counted with rows that
//! were deleted or written again. Those of Delta are read by their log where the job says so.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The keys of the job file that can name a Delta table.
const TABLE_KEYS: [&str; 4] = ["orders.path", "customers.path", "events.path", "strategy.assignments"];

/// A table format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Delta,
    Iceberg,
    Hudi,
    Paimon,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Format::Delta => "Delta",
            Format::Iceberg => "Iceberg",
            Format::Hudi => "Hudi",
            Format::Paimon => "Paimon",
        }
    }

    /// Where it keeps which files count.
    fn log(self) -> &'static str {
        match self {
            Format::Delta => "_delta_log",
            Format::Iceberg => "metadata",
            Format::Hudi => ".hoodie",
            Format::Paimon => "snapshot",
        }
    }

    /// The format of a folder, if it is that of a table.
    fn of(folder: &Path) -> Option<Format> {
        [Format::Delta, Format::Hudi, Format::Iceberg, Format::Paimon].into_iter().find(|format| format.is_of(folder))
    }

    /// Whether a folder is that of a table of this format.
    fn is_of(self, folder: &Path) -> bool {
        let has = |name: &str| folder.join(name).is_dir();
        match self {
            Format::Delta | Format::Hudi => has(self.log()),
            Format::Iceberg => has(self.log()) && has_iceberg_metadata(&folder.join(self.log())),
            Format::Paimon => [self.log(), "manifest", "schema"].into_iter().all(has),
        }
    }
}

/// Many folders are named `metadata`; Iceberg's holds files of these names.
fn has_iceberg_metadata(folder: &Path) -> bool {
    let is_metadata = |name: &str| name == "version-hint.text" || name.contains(".metadata.json");
    std::fs::read_dir(folder)
        .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| is_metadata(&entry.file_name().to_string_lossy()))))
}

/// The format of the other table whose log lies in the folder of a Delta table, if there is one.
pub(super) fn other_logs(folder: &Path) -> Option<&'static str> {
    [Format::Iceberg, Format::Hudi, Format::Paimon].into_iter().find(|format| format.is_of(folder)).map(Format::name)
}

/// Finds the tables that folders belong to, each folder looked at once.
#[derive(Debug, Default)]
pub(super) struct Tables {
    known: HashMap<PathBuf, Option<(PathBuf, Format)>>,
}

impl Tables {
    /// Refuses a file in the folder of a table, or below it; `key` is what names the file.
    ///
    /// # Errors
    /// Exit 4 if it is in one.
    pub fn refuse(&mut self, file: &Path, key: &str) -> Result<()> {
        let Some(folder) = file.parent() else { return Ok(()) };
        let real = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        match self.of(&real) {
            None => Ok(()),
            Some((table, Format::Delta)) if TABLE_KEYS.contains(&key) => Err(Error::input(format!(
                "{} lies in the Delta table {}: only its log (_delta_log) says which of its files and rows count. Name the table instead: {key} = {{ delta = {:?} }}",
                file.display(),
                table.display(),
                table.display(),
            ))),
            Some((table, format)) => Err(Error::input(format!(
                "{} lies in the {} table {}: only its log ({}) says which of its files count, and rfmill does not read it. Write the table's current rows to Parquet files of their own and name these as {key}",
                file.display(),
                format.name(),
                table.display(),
                format.log(),
            ))),
        }
    }

    /// The table that a folder belongs to.
    fn of(&mut self, folder: &Path) -> Option<(PathBuf, Format)> {
        let mut below: Vec<PathBuf> = Vec::new();
        let mut found = None;
        for ancestor in folder.ancestors() {
            if let Some(known) = self.known.get(ancestor) {
                found.clone_from(known);
                break;
            }
            below.push(ancestor.to_owned());
            if let Some(format) = Format::of(ancestor) {
                found = Some((ancestor.to_owned(), format));
                break;
            }
        }
        self.known.extend(below.into_iter().map(|folder| (folder, found.clone())));
        found
    }
}
