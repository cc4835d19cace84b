//! Folders of table formats, whose logs decide which of their files count: read as plain files, they would be counted with rows that
//! were deleted or written again. Some are read by their log where the job says so.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::input_path::ARGUMENT;
use crate::error::{Error, Result};
use crate::storage::{Listed, ObjectUrl, Place, ReadError};

/// The keys of the job file that can name a table.
const TABLE_KEYS: [&str; 5] = ["orders.path", "customers.path", "events.path", "strategy.assignments", "source.path"];

/// A table format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Delta,
    Iceberg,
    Hudi,
    Paimon,
}

impl Format {
    const ALL: [Format; 4] = [Format::Delta, Format::Hudi, Format::Iceberg, Format::Paimon];

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

    /// The format of a folder, if it is that of a table; see [`Format::is_of`].
    fn of(has: impl Fn(&str) -> bool, files: impl Fn(&str) -> Vec<String>) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.is_of(&has, &files))
    }

    /// Whether a folder is that of a table of this format: it has folders of some names, and files in that of this name.
    fn is_of(self, has: impl Fn(&str) -> bool, files: impl Fn(&str) -> Vec<String>) -> bool {
        // Many folders are named `metadata`; Iceberg's holds files of these names.
        let is_iceberg = |name: &String| name == "version-hint.text" || name.contains(".metadata.json");
        match self {
            Format::Delta | Format::Hudi => has(self.log()),
            Format::Iceberg => has(self.log()) && files(self.log()).iter().any(is_iceberg),
            Format::Paimon => [self.log(), "manifest", "schema"].into_iter().all(has),
        }
    }

    /// The format of a folder on a disk.
    fn of_folder(folder: &Path) -> Option<Format> {
        Format::of(|name| folder.join(name).is_dir(), |name| names_in(&folder.join(name)))
    }

    /// What the job file calls a table of this format, if its log is read.
    fn word(self) -> Option<&'static str> {
        match self {
            Format::Delta => Some("delta"),
            Format::Iceberg => Some("iceberg"),
            Format::Hudi | Format::Paimon => None,
        }
    }

    /// The error of a file in a table of this format that `key` names as a plain file.
    fn refused(self, file: &dyn Display, table: &dyn Display, key: &str) -> Error {
        let (name, log) = (self.name(), self.log());
        if self.word().is_some() && key == ARGUMENT {
            return Error::input(format!(
                "{file} lies in the {name} table {table}: only its log ({log}) says which of its files and rows count; name the folder of the table"
            ));
        }
        match self.word().filter(|_| TABLE_KEYS.contains(&key)) {
            Some(word) => Error::input(format!(
                "{file} lies in the {name} table {table}: only its log ({log}) says which of its files and rows count. Name the table instead: {key} = {{ {word} = {:?} }}",
                table.to_string()
            )),
            None => Error::input(format!(
                "{file} lies in the {name} table {table}: only its log ({log}) says which of its files count, and rfmill does not read it. Write the table's current rows to Parquet files of their own and name these as {key}"
            )),
        }
    }
}

/// What the job file calls the table whose folder this is; none if it is no folder of a table, or of one whose log is not read.
///
/// # Errors
/// What a store answers where it does not list the folder.
pub(crate) fn lake_word(folder: &Place) -> std::result::Result<Option<&'static str>, ReadError> {
    let format = match folder.local() {
        Some(folder) => Format::of_folder(folder),
        None => formats(folder)?.first().copied(),
    };
    Ok(format.and_then(Format::word))
}

/// The names in a folder on a disk; none if it cannot be listed.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The format of another table whose log lies in the folder of one of the format `own`, if there is one.
///
/// # Errors
/// What a store answers where it does not list the folder.
pub(super) fn other_log(folder: &Place, own: &str) -> std::result::Result<Option<&'static str>, ReadError> {
    Ok(formats(folder)?.into_iter().map(Format::name).find(|name| *name != own))
}

/// The formats whose logs lie in a folder.
fn formats(folder: &Place) -> std::result::Result<Vec<Format>, ReadError> {
    let mut folders = BTreeSet::new();
    for name in ["_delta_log", ".hoodie", "metadata", "snapshot", "manifest", "schema"] {
        if folder.join(name).is_folder()? {
            folders.insert(name);
        }
    }
    let metadata = match folders.contains(Format::Iceberg.log()) {
        true => folder.join(Format::Iceberg.log()).names_below()?.into_iter().collect(),
        false => Vec::new(),
    };
    let has_log = |format: &Format| format.is_of(|name| folders.contains(name), |_| metadata.clone());
    Ok(Format::ALL.into_iter().filter(has_log).collect())
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
            Some((table, format)) => Err(format.refused(&file.display(), &table.display(), key)),
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
            if let Some(format) = Format::of_folder(ancestor) {
                found = Some((ancestor.to_owned(), format));
                break;
            }
        }
        self.known.extend(below.into_iter().map(|folder| (folder, found.clone())));
        found
    }
}

/// The tables that the objects of a listing, or the folders above them, belong to.
#[derive(Debug)]
pub(super) struct ObjectTables {
    root: ObjectUrl,
    tables: BTreeMap<String, Format>,
}

impl ObjectTables {
    /// Looks at the listing of what lies below a key, and at the folders above it.
    ///
    /// # Errors
    /// What the store answers where it does not list them.
    pub fn find(root: &ObjectUrl, listed: &[Listed]) -> std::result::Result<ObjectTables, ReadError> {
        // By folder, the names right below it.
        let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for object in listed {
            let mut rest = object.key.as_str();
            while let Some((folder, name)) = split(rest) {
                if rest.len() <= root.key().len() || !folders.entry(folder).or_default().insert(name) {
                    break;
                }
                rest = folder;
            }
        }
        let mut tables = BTreeMap::new();
        for (folder, names) in &folders {
            let files = |name: &str| {
                folders.get(joined(folder, name).as_str()).into_iter().flatten().map(|name| (*name).to_owned()).collect()
            };
            if let Some(format) = Format::of(|name| names.contains(name), files) {
                tables.insert((*folder).to_owned(), format);
            }
        }
        for folder in folders_above(root.key()) {
            let url = root.with_key(folder);
            let names = url.names_below()?;
            let metadata = match names.contains(Format::Iceberg.log()) {
                true => url.with_key(&joined(folder, Format::Iceberg.log())).names_below()?.into_iter().collect(),
                false => Vec::new(),
            };
            if let Some(format) = Format::of(|name| names.contains(name), |_| metadata.clone()) {
                tables.insert(folder.to_owned(), format);
            }
        }
        Ok(ObjectTables { root: root.clone(), tables })
    }

    /// Refuses an object in the folder of a table, or below it; `key` is what names the object.
    ///
    /// # Errors
    /// Exit 4 if it is in one.
    pub fn refuse(&self, object: &ObjectUrl, key: &str) -> Result<()> {
        for folder in folders_above(object.key()) {
            if let Some(format) = self.tables.get(folder) {
                return Err(format.refused(object, &self.root.with_key(folder), key));
            }
        }
        Ok(())
    }
}

/// The folder and the name of a key; that at the root of a bucket is empty.
fn split(key: &str) -> Option<(&str, &str)> {
    key.rsplit_once('/').or((!key.is_empty()).then_some(("", key)))
}

/// The folders above a key, the nearest first.
fn folders_above(key: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(split(key).map(|(folder, _)| folder), |folder| split(folder).map(|(above, _)| above))
}

/// The key of a name in a folder.
fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
