//! The files that paths mean, and the rules of names that folders of disks and stores share.

use std::sync::Arc;

use super::table_file::TableFile;
use crate::domain::Warning;
use crate::error::Result;
use crate::storage::{Fault, FileState, Place, ReadError};

/// A file to read.
#[derive(Debug, Clone, PartialEq)]
pub struct InputPath {
    /// Its name in messages: the fixed part of the pattern as written, and the matched rest.
    pub name: String,
    /// Where it lies.
    pub place: Place,
    /// Hive partition columns in its path below the pattern's fixed part; `None` is null.
    pub partitions: Vec<(String, Option<String>)>,
    /// The key of the job file, or the flag, that names it, for error messages.
    pub key: &'static str,
    /// What the log of a table says of it, if it is one of a table.
    pub table: Option<Arc<TableFile>>,
    /// Whether a query made the file.
    pub is_query_result: bool,
}

/// What errors call the argument of a command that names files.
pub(crate) const ARGUMENT: &str = "FILE";

impl InputPath {
    /// A file of no table, whose path gives no columns.
    pub(super) fn plain(name: String, place: Place, key: &'static str) -> InputPath {
        InputPath { name, place, partitions: Vec::new(), key, table: None, is_query_result: false }
    }

    /// The path as errors show it; the file that a query made is named by the key of the query.
    pub fn shown(&self) -> String {
        match self.is_query_result {
            true => format!("the result of {}", self.name),
            false => self.place.to_string(),
        }
    }

    /// Checks that the file is still in the state in which it was opened.
    ///
    /// # Errors
    /// Exit 4 if it was replaced, changed or removed, or a store does not say.
    pub fn check_unchanged(&self, state: &FileState) -> Result<()> {
        match self.place.state() {
            Ok(now) if now == *state => Ok(()),
            Err(e) if e.fault == Fault::Failed => Err(e.of(&self.shown())),
            _ => Err(ReadError::changed().of(&self.shown())),
        }
    }
}

/// The value that Hive writes for null.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// What patterns match.
#[derive(Debug, Default)]
pub struct Found {
    /// The files, sorted by name, each once.
    pub files: Vec<InputPath>,
    /// What was passed over in folders.
    pub warnings: Vec<Warning>,
}

/// What is passed over in a folder because of its name.
#[derive(Debug, Default)]
pub(super) struct PassedOver {
    pub names: Vec<String>,
    /// Files that begin as Parquet does.
    pub parquet: u64,
    pub linked_folders: u64,
}

impl PassedOver {
    pub fn warning(mut self, folder: &str) -> Option<Warning> {
        self.names.sort_unstable();
        let count = self.names.len() as u64;
        let examples = self.names.into_iter().take(MOST_EXAMPLES).collect();
        let PassedOver { parquet, linked_folders, .. } = self;
        (count > 0).then(|| Warning::PassedOver { folder: folder.to_owned(), count, examples, parquet, linked_folders })
    }
}

/// How many names a warning gives.
const MOST_EXAMPLES: usize = 3;

pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name.starts_with('_')
}

pub(super) fn input(name: String, place: Place, base: &str, key: &'static str) -> InputPath {
    let below = name.strip_prefix(base).unwrap_or(&name);
    let mut folders: Vec<&str> = below.split('/').collect();
    folders.pop();
    let partitions = folders.iter().filter_map(|part| part.split_once('=')).map(|(key, value)| {
        let value = (value != HIVE_NULL).then(|| percent_decode(value));
        (percent_decode(key), value)
    });
    InputPath { partitions: partitions.collect(), ..InputPath::plain(name, place, key) }
}

pub(super) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex =
            bytes.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match (byte, hex) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// The bytes of a pattern up to the folder of its first wildcard.
pub(super) fn fixed(pattern: &str) -> usize {
    let wild = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    pattern.get(..wild).and_then(|p| p.rfind('/')).map_or(0, |slash| slash + 1)
}

/// How names match patterns.
pub(super) const MATCHING: glob::MatchOptions =
    glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn partitions_come_from_the_path_below_the_pattern() {
        let name = "a=1/data/region=EU%20West/day=__HIVE_DEFAULT_PARTITION__/x.parquet";
        let file = input(name.into(), Place::Local(PathBuf::new()), "a=1/data", "orders.path");
        assert_eq!(file.partitions, [("region".into(), Some("EU West".into())), ("day".into(), None)]);
    }
}
