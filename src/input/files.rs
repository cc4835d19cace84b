//! From path patterns to files: a file, a folder, a glob, or a list of them, in the order of their paths. A file counts once,
//! however it is named or linked.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lake::Tables;
use super::table_file::TableFile;
use crate::domain::{Warning, scheme_of};
use crate::error::{Error, Result};

/// A file to read.
#[derive(Debug, Clone, PartialEq)]
pub struct InputPath {
    /// Its name in messages: the fixed part of the pattern as written, and the matched rest.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// Hive partition columns in its path below the pattern's fixed part; `None` is null.
    pub partitions: Vec<(String, Option<String>)>,
    /// The key of the job file, or the flag, that names it, for error messages.
    pub key: &'static str,
    /// What the log of a table says of it, if it is one of a table.
    pub table: Option<Arc<TableFile>>,
}

/// The folder of a run's scratch files in which queries leave their results.
pub const QUERY_FOLDER: &str = ".query-";

impl InputPath {
    /// Whether a query made the file.
    pub fn is_query_result(&self) -> bool {
        let folder = self.path.parent().and_then(Path::file_name).unwrap_or_default();
        folder.as_encoded_bytes().starts_with(QUERY_FOLDER.as_bytes())
    }

    /// The path as errors show it; the file that a query made is named by the key of the query.
    pub fn shown(&self) -> String {
        match self.is_query_result() {
            true => format!("the result of {}", self.name),
            false => self.path.display().to_string(),
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
struct PassedOver {
    names: Vec<String>,
    /// Files that begin as Parquet does.
    parquet: u64,
    linked_folders: u64,
}

impl PassedOver {
    fn warning(mut self, folder: &str) -> Option<Warning> {
        self.names.sort_unstable();
        let count = self.names.len() as u64;
        let examples = self.names.into_iter().take(MOST_EXAMPLES).collect();
        let PassedOver { parquet, linked_folders, .. } = self;
        (count > 0).then(|| Warning::PassedOver { folder: folder.to_owned(), count, examples, parquet, linked_folders })
    }
}

/// How many names a warning gives.
const MOST_EXAMPLES: usize = 3;

/// All files of the patterns; `key` is the key of the job file, or the flag, that has them.
///
/// # Errors
/// Exit 4 if a pattern matches no file or cannot be read, names a place that is no path, or matches files of a table whose log
/// decides which of them count.
pub fn find(patterns: &[(String, PathBuf)], key: &'static str) -> Result<Found> {
    let mut found = Found::default();
    let from = if key.starts_with('-') { "" } else { " (it is relative to the job file)" };
    for (written, joined) in patterns {
        let Found { files, warnings } = &mut found;
        let before = files.len();
        check_scheme(written, key)?;
        if joined.is_dir() {
            let name = written.trim_end_matches('/');
            let mut passed_over = PassedOver::default();
            walk(joined, name, name, key, files, &mut passed_over)?;
            let passed_over = passed_over.warning(name);
            if files.len() == before {
                let also = passed_over.map_or(String::new(), |warning| format!("; {warning}"));
                return Err(Error::input(format!(
                    "the folder {} holds no Parquet file; expected files ending in .parquet (names that begin with \".\" or \"_\" are passed over){also}",
                    joined.display()
                )));
            }
            warnings.extend(passed_over);
        } else if joined.exists() {
            files.push(input(written.clone(), joined.clone(), written, key));
        } else if written.contains(['*', '?', '[']) {
            expand(written, joined, key, &mut found)?;
            if found.files.len() == before {
                return Err(Error::input(format!("no file matches {}; check {key}{from}", joined.display())));
            }
        } else {
            return Err(Error::input(format!("there is no file or folder {}; check {key}{from}", joined.display())));
        }
    }
    found.files = each_once(found.files)?;
    let mut tables = Tables::default();
    found.files.iter().try_for_each(|file| tables.refuse(&file.path, key))?;
    Ok(found)
}

/// Refuses places such as `s3://`.
pub(super) fn check_scheme(written: &str, key: &str) -> Result<()> {
    match scheme_of(written) {
        None => Ok(()),
        Some(scheme) if scheme.eq_ignore_ascii_case("file") => {
            Err(Error::input(format!("{key} names {written}; expected a path: write it without {scheme}://",)))
        }
        Some(scheme) => Err(Error::input(format!(
            "{key} names {written}, and rfmill does not read {scheme}://; expected files on a disk of this machine: copy or mount them, and name their path"
        ))),
    }
}

/// Regular files, sorted by name, each once: of several names of one file that with the fewest folders, then the first.
fn each_once(mut files: Vec<InputPath>) -> Result<Vec<InputPath>> {
    let depth = |file: &InputPath| file.path.components().count();
    files.sort_by(|a, b| depth(a).cmp(&depth(b)).then_with(|| a.name.cmp(&b.name)).then_with(|| a.path.cmp(&b.path)));
    let (mut seen, mut out) = (HashSet::new(), Vec::with_capacity(files.len()));
    for file in files {
        let stat = std::fs::metadata(&file.path).map_err(|e| {
            Error::input(format!("cannot read {}: {e}; check the path and its permissions", file.path.display())).caused_by(e)
        })?;
        if !stat.is_file() {
            return Err(Error::input(format!("{} is not a regular file; remove it from {}", file.path.display(), file.key)));
        }
        if seen.insert((stat.dev(), stat.ino())) {
            out.push(file);
        }
    }
    out.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.path.cmp(&b.path)));
    Ok(out)
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name.starts_with('_')
}

fn input(name: String, path: PathBuf, base: &str, key: &'static str) -> InputPath {
    let below = name.strip_prefix(base).unwrap_or(&name);
    let mut folders: Vec<&str> = below.split('/').collect();
    folders.pop();
    let partitions = folders.iter().filter_map(|part| part.split_once('=')).map(|(key, value)| {
        let value = (value != HIVE_NULL).then(|| percent_decode(value));
        (percent_decode(key), value)
    });
    InputPath { partitions: partitions.collect(), name, path, key, table: None }
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

/// All files of a folder; `base` is the part of its name without partition columns.
fn walk(
    root: &Path,
    name: &str,
    base: &str,
    key: &'static str,
    files: &mut Vec<InputPath>,
    passed_over: &mut PassedOver,
) -> Result<()> {
    let mut open = vec![(root.to_owned(), name.to_owned())];
    let mut depth = 0usize;
    while let Some((folder, name)) = open.pop() {
        depth += 1;
        if depth > 1_000_000 {
            return Err(Error::input(format!("{} has too many folders; name the files with a glob", root.display())));
        }
        let entries = std::fs::read_dir(&folder).map_err(|e| {
            Error::input(format!("cannot list the folder {}: {e}; check its permissions", folder.display())).caused_by(e)
        })?;
        for entry in entries {
            let entry =
                entry.map_err(|e| Error::input(format!("cannot list the folder {}: {e}", folder.display())).caused_by(e))?;
            let own = entry.file_name().to_string_lossy().into_owned();
            if is_hidden(&own) {
                continue;
            }
            let path = entry.path();
            let name = format!("{name}/{own}");
            // A link to a folder is not followed, so that the search ends.
            let is_folder = entry.file_type().is_ok_and(|t| t.is_dir());
            if is_folder {
                open.push((path, name));
            } else if own.ends_with(".parquet") && !path.is_dir() {
                files.push(input(name, path, base, key));
            } else {
                passed_over.linked_folders += u64::from(path.is_dir());
                passed_over.parquet += u64::from(begins_as_parquet(&path));
                passed_over.names.push(own);
            }
        }
    }
    Ok(())
}

/// Whether a regular file begins with the bytes of Parquet files.
fn begins_as_parquet(path: &Path) -> bool {
    let mut head = [0u8; 4];
    path.is_file() && File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && &head == b"PAR1"
}

fn expand(written: &str, joined: &Path, key: &'static str, found: &mut Found) -> Result<()> {
    let wrong = |e: &dyn std::fmt::Display| Error::input(format!("cannot read the pattern {}: {e}", joined.display()));
    let pattern = joined.to_str().ok_or_else(|| wrong(&"it is not UTF-8"))?;
    let options = glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };
    // The path up to the folder of the first wildcard is the same in the pattern and in every match.
    let fixed = |pattern: &str| {
        let wild = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
        pattern.get(..wild).and_then(|p| p.rfind('/')).map_or(0, |slash| slash + 1)
    };
    let (base, fixed_joined) = (&written[..fixed(written)], fixed(pattern));
    for path in glob::glob_with(pattern, options).map_err(|e| wrong(&e).caused_by(e))? {
        let path = path.map_err(|e| wrong(&e).caused_by(std::io::Error::from(e)))?;
        let text = path.to_string_lossy().into_owned();
        let below = text.get(fixed_joined..).unwrap_or(&text);
        if below.split('/').any(is_hidden) {
            continue;
        }
        let name = format!("{base}{below}");
        if !path.is_dir() {
            found.files.push(input(name, path, base, key));
        } else if below.ends_with(".parquet") {
            // Spark writes a folder named like a file.
            let mut passed_over = PassedOver::default();
            walk(&path, &name, base, key, &mut found.files, &mut passed_over)?;
            found.warnings.extend(passed_over.warning(&name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_come_from_the_path_below_the_pattern() {
        let name = "a=1/data/region=EU%20West/day=__HIVE_DEFAULT_PARTITION__/x.parquet";
        let file = input(name.into(), PathBuf::new(), "a=1/data", "orders.path");
        assert_eq!(file.partitions, [("region".into(), Some("EU West".into())), ("day".into(), None)]);
    }
}
