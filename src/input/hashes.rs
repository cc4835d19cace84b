//! The input manifest of a job: a list of SHA-256 hashes as `sha256sum` writes it, against which input files are checked.
//!
//! A file is hashed through the handle from which its footer is read, before anything is decoded.
//! `Source::check_unchanged` makes sure that it stays the same until the run is committed.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::input_path::InputPath;
use crate::error::{Error, Result};
use crate::hash::hex;
use crate::storage::{Fault, ObjectUrl, OpenFile, Place, ReadError};

/// Largest list that is read.
const MOST_BYTES: u64 = 1 << 28;

/// Bytes that are hashed at a time.
const BLOCK: usize = 1 << 18;

/// A list of hashes.
#[derive(Debug)]
pub struct HashList {
    /// How the job names it.
    pub name: String,
    /// The key of the job file that names it.
    pub key: &'static str,
    /// SHA-256 of the list itself.
    pub sha256: String,
    /// Hash and line of every file, by its path without links.
    files: HashMap<Place, (String, usize)>,
}

/// The hash of a file that agrees with a list.
#[derive(Debug, Clone)]
pub struct VerifiedHash {
    /// SHA-256 of the whole file.
    pub sha256: String,
    /// The list.
    pub list: Arc<HashList>,
}

impl HashList {
    /// Reads the list that a key of the job names, if it does; paths are relative to `folder`, that of the job file.
    ///
    /// # Errors
    /// Exit 4: it cannot be read, a malformed line, or a listed file that does not exist.
    pub fn named(written: Option<&str>, folder: &Path, key: &'static str) -> Result<Option<Arc<HashList>>> {
        written.map(|written| HashList::read(written, &Place::of(written, folder), key).map(Arc::new)).transpose()
    }

    fn read(written: &str, place: &Place, key: &'static str) -> Result<HashList> {
        let unread = |e: ReadError| e.of(&format!("the list of hashes {place} ({key})"));
        let file = place.open().map_err(unread)?;
        let mut bytes = vec![0; file.state.size.min(MOST_BYTES + 1) as usize];
        if file.state.size > MOST_BYTES {
            return Err(Error::input(format!(
                "the list of hashes {place} ({key}) has {} bytes; expected at most {MOST_BYTES}. Check that the key names the list and not a data file",
                file.state.size
            )));
        }
        file.read_exact_at(&mut bytes, 0).map_err(unread)?;
        let mut list = HashList { name: written.to_owned(), key, sha256: crate::hash::sha256(&bytes), files: HashMap::new() };
        let folder = ListedFolder::of(place).map_err(unread)?;
        let mut missing: Vec<(usize, String)> = Vec::new();
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        for (number, line) in text.split(|b| *b == b'\n').enumerate() {
            let number = number + 1;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.trim_ascii().is_empty() || line.starts_with(b"#") {
                continue;
            }
            let (hash, name) = parse(line).ok_or_else(|| {
                Error::input(format!(
                    "{place}, line {number} ({key}): {} is not a hash of 64 hexadecimal digits, two blanks and a path; write the list with: sha256sum *.parquet > SHA256SUMS",
                    shown(line)
                ))
            })?;
            match folder.find(&name) {
                Err(listed) => missing.push((number, listed)),
                Ok((real, listed)) => {
                    let (before, line) = list.files.entry(real).or_insert_with(|| (hash.clone(), number));
                    if *before != hash {
                        return Err(Error::input(format!(
                            "{place} ({key}) gives {listed} two hashes, in lines {line} and {number}; write the list again"
                        )));
                    }
                }
            }
        }
        if let Some((line, first)) = missing.first() {
            let more = match missing.len() - 1 {
                0 => String::new(),
                1 => " (nor does 1 further file of the list)".to_owned(),
                n => format!(" (nor do {n} further files of the list)"),
            };
            return Err(Error::input(format!(
                "{place}, line {line} ({key}): the listed file {first} does not exist{more}; deliver what is missing, or write the list again"
            )));
        }
        Ok(list)
    }

    /// Hashes an opened file and compares it with what the list says.
    ///
    /// # Errors
    /// Exit 4: it is not listed, cannot be read, or has another hash.
    pub fn check(self: &Arc<HashList>, input: &InputPath, file: &OpenFile) -> Result<VerifiedHash> {
        let name = input.place.to_string();
        let unread = |e: ReadError| e.of(&name);
        let size = file.state.size;
        let real = without_links(&input.place).map_err(unread)?;
        let (expected, line) = self.files.get(&real).ok_or_else(|| {
            Error::input(format!(
                "{name} is not in the list of hashes {} ({}); write the list again with all files, or take the file out of {}",
                self.name, self.key, input.key
            ))
        })?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; BLOCK.min(size as usize)];
        let mut at = 0;
        while at < size {
            let length = buffer.len().min((size - at) as usize);
            let block = buffer.get_mut(..length).unwrap_or_default();
            file.read_exact_at(block, at).map_err(unread)?;
            hash.update(&*block);
            at += length as u64;
        }
        let found = hex(&hash.finalize());
        if found != *expected {
            return Err(Error::input(format!(
                "{name} does not have the hash that it should: SHA-256 of its {size} bytes is {found}, and {}, line {line} ({}) says {expected}; deliver the file again, or write the list again if the file is right",
                self.name, self.key
            )));
        }
        Ok(VerifiedHash { sha256: found, list: Arc::clone(self) })
    }
}

/// Hash, in lower case, and path of a line. A line that begins with a backslash has backslashes, newlines and carriage
/// returns of its path escaped.
fn parse(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let (line, escaped) = match line.strip_prefix(b"\\") {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let (hash, rest) = line.split_at_checked(64)?;
    // A blank and a mark: another blank for text, an asterisk for binary.
    let name = rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b" *"))?;
    if name.is_empty() || !hash.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let hash = String::from_utf8(hash.to_ascii_lowercase()).ok()?;
    if !escaped {
        return Some((hash, name.to_owned()));
    }
    let mut out = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(&byte) = bytes.next() {
        out.push(match (byte, byte == b'\\') {
            (_, true) => match bytes.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b'\\' => b'\\',
                _ => return None,
            },
            (byte, false) => byte,
        });
    }
    Some((hash, out))
}

/// The folder of a list, in which its paths begin.
enum ListedFolder {
    Local(PathBuf),
    /// The list, and the keys below its folder.
    Objects(ObjectUrl, HashSet<String>),
}

impl ListedFolder {
    fn of(list: &Place) -> std::result::Result<ListedFolder, ReadError> {
        match list {
            Place::Local(path) => Ok(ListedFolder::Local(path.parent().unwrap_or(Path::new("")).to_owned())),
            Place::Object(url) => {
                let folder = url.key().rsplit_once('/').map_or("", |(folder, _)| folder);
                let keys = url.with_key(folder).list()?.into_iter().map(|listed| listed.key);
                Ok(ListedFolder::Objects(url.clone(), keys.collect()))
            }
        }
    }

    /// The place of a listed file without links, and the file as errors show it; the latter alone if there is none.
    fn find(&self, name: &[u8]) -> std::result::Result<(Place, String), String> {
        match self {
            ListedFolder::Local(folder) => {
                let listed = folder.join(OsStr::from_bytes(name));
                let shown = listed.display().to_string();
                std::fs::canonicalize(&listed).map(|real| (Place::Local(real), shown.clone())).map_err(|_| shown)
            }
            ListedFolder::Objects(list, keys) => {
                let name = String::from_utf8_lossy(name);
                let folder = list.key().rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
                let url = list.with_key(&format!("{folder}{}", name.trim_start_matches("./")));
                match keys.contains(url.key()) {
                    true => Ok((Place::Object(url.clone()), url.to_string())),
                    false => Err(url.to_string()),
                }
            }
        }
    }
}

/// The place of a file without links.
fn without_links(place: &Place) -> std::result::Result<Place, ReadError> {
    match place {
        Place::Local(path) => std::fs::canonicalize(path)
            .map(Place::Local)
            .map_err(|e| ReadError::new(Fault::Failed, &e, "check the disk and run again").caused_by(e)),
        Place::Object(_) => Ok(place.clone()),
    }
}

/// The first 80 characters of a line, quoted.
fn shown(line: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(line).chars().take(80).collect();
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn lines_of_sha256sum_are_understood() {
        let of = |line: &str| parse(line.as_bytes()).map(|(hash, name)| (hash, String::from_utf8(name).unwrap()));
        let found = |name: &str| Some((HASH.to_owned(), name.to_owned()));
        assert_eq!(of(&format!("{HASH}  a b.parquet")), found("a b.parquet"));
        assert_eq!(of(&format!("{HASH} *a.parquet")), found("a.parquet"));
        assert_eq!(of(&format!("{}  a.parquet", HASH.to_uppercase())), found("a.parquet"));
        assert_eq!(of(&format!("\\{HASH}  a\\nb\\\\c.parquet")), found("a\nb\\c.parquet"));
        assert_eq!(of(&format!("{HASH}  a\\nb.parquet")), found("a\\nb.parquet"));
        for wrong in ["", HASH, "abc  a.parquet", &format!("{HASH} a.parquet"), &format!("{HASH}  "), &format!("\\{HASH}  a\\")] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        // Other hashes: MD5 and SHA-512.
        assert_eq!(of(&format!("{}  a.parquet", &HASH[..32])), None);
        assert_eq!(of(&format!("{HASH}{HASH}  a.parquet")), None);
    }
}
