//! Where files lie and how they are read and written: on a disk of this machine, or as objects of a store.
//!
//! A [`Place`] names a file, an [`OpenFile`] reads it, and both tell its [`FileState`], by which a file that was changed or replaced
//! is told from the one that was opened. Objects are read by range, and only as long as they are the ones that were opened.
//! A file is created whole or not at all, and only where there is none: of several writers of one name, one succeeds.

mod coalesce;
mod created;
mod credentials;
mod fault;
mod local;
mod nonce;
mod object;
mod put;
mod runtime;
mod state;

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::slice::from_ref;
use std::sync::OnceLock;

use bytes::Bytes;

pub use created::Created;
pub use fault::{Fault, ReadError, WriteError};
pub use nonce::nonce;
pub use object::{Listed, ObjectUrl, SCHEMES, SECRET};
pub use put::MOST_BYTES;
pub use state::{FileState, Version};

/// Where a file lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// On a disk of this machine.
    Local(PathBuf),
    /// In an object store.
    Object(ObjectUrl),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Local(path) => path.display().fmt(f),
            Place::Object(url) => url.fmt(f),
        }
    }
}

impl Place {
    /// What a text means: a place in a store such as `s3://bucket/key`, or a path that begins in a folder.
    pub fn of(written: &str, folder: &Path) -> Place {
        ObjectUrl::parse(written).map_or_else(|| Place::Local(folder.join(written)), Place::Object)
    }

    /// What an argument of a command means: a place in a store, or a path.
    pub fn of_argument(path: &Path) -> Place {
        path.to_str().and_then(ObjectUrl::parse).map_or_else(|| Place::Local(path.to_owned()), Place::Object)
    }

    /// The path of a file on a disk.
    pub fn local(&self) -> Option<&Path> {
        match self {
            Place::Local(path) => Some(path),
            Place::Object(_) => None,
        }
    }

    /// Whether its name ends so, such as `csv`, in any case.
    pub fn has_ending(&self, ending: &str) -> bool {
        let own = match self {
            Place::Local(path) => path.extension().and_then(|own| own.to_str()),
            Place::Object(url) => url.key().rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, own)| own),
        };
        own.is_some_and(|own| own.eq_ignore_ascii_case(ending))
    }

    /// The place of a path below this folder. On a disk, an absolute path stays what it is.
    #[must_use]
    pub fn join(&self, below: &str) -> Place {
        match self {
            Place::Local(path) => Place::Local(path.join(below)),
            Place::Object(url) => Place::Object(url.join(below)),
        }
    }

    /// The folder that holds it, and its name.
    pub fn split(&self) -> Option<(Place, String)> {
        match self {
            Place::Local(path) => {
                Some((Place::Local(path.parent()?.to_owned()), path.file_name()?.to_string_lossy().into_owned()))
            }
            Place::Object(url) => {
                let (folder, name) = url.key().rsplit_once('/').unwrap_or(("", url.key()));
                (!name.is_empty()).then(|| (Place::Object(url.with_key(folder)), name.to_owned()))
            }
        }
    }

    /// Its path below a folder, with `/` between names; none if it lies elsewhere.
    pub fn below(&self, folder: &Place) -> Option<String> {
        match (self, folder) {
            (Place::Local(path), Place::Local(folder)) => Some(path.strip_prefix(folder).ok()?.display().to_string()),
            (Place::Object(url), Place::Object(folder)) => url.below(folder).map(str::to_owned),
            _ => None,
        }
    }

    /// Whether it is a folder. A store has one where it has objects below it.
    pub fn is_folder(&self) -> Result<bool, ReadError> {
        match self {
            Place::Local(path) => Ok(path.is_dir()),
            Place::Object(url) => url.has_objects_below(),
        }
    }

    /// The names of the folders and files right below this folder.
    pub fn names_below(&self) -> Result<BTreeSet<String>, ReadError> {
        match self {
            Place::Local(path) => local::names_below(path),
            Place::Object(url) => match url.names_below()? {
                names if names.is_empty() => Err(ReadError::new(Fault::Missing, "there is no such folder", "check its name")),
                names => Ok(names),
            },
        }
    }

    /// Folders above it.
    pub fn depth(&self) -> usize {
        match self {
            Place::Local(path) => path.components().count(),
            Place::Object(url) => url.key().split('/').count(),
        }
    }

    /// Opens the file, which must be a regular one or an object.
    pub fn open(&self) -> Result<OpenFile, ReadError> {
        match self {
            Place::Local(path) => local::open(path).map(|(file, state)| OpenFile { state, bytes: Content::Local(file) }),
            Place::Object(url) => {
                let state = url.state()?;
                Ok(OpenFile { state, bytes: Content::Object { url: url.clone(), tail: OnceLock::new() } })
            }
        }
    }

    /// All bytes of a small file.
    pub fn read(&self) -> Result<Vec<u8>, ReadError> {
        let file = self.open()?;
        if file.state.size > MOST_SMALL {
            let what = format!("it has {} bytes, and at most {MOST_SMALL} are expected", file.state.size);
            return Err(ReadError::new(Fault::Failed, what, "check that the key names this file"));
        }
        let mut bytes = vec![0; file.state.size as usize];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// The state of the file now.
    pub fn state(&self) -> Result<FileState, ReadError> {
        match self {
            Place::Local(path) => local::state(path),
            Place::Object(url) => url.state(),
        }
    }
}

/// Writing. Every failure names what to do; that a file was not created is known only if [`Created`] says so.
impl Place {
    /// Creates the file, with the folders above it, durably and in one step; one that is there is never replaced. On a disk, its
    /// owner and its group may read it. A store takes at most [`MOST_BYTES`].
    pub fn create(&self, bytes: Bytes) -> Result<Created, WriteError> {
        match self {
            Place::Local(path) => local::create(path, &bytes),
            Place::Object(url) => url.create(bytes),
        }
    }

    /// Moves a file of this machine here, under a name that nobody else gives, however large it is.
    pub fn take(&self, file: &Path) -> Result<(), WriteError> {
        match self {
            Place::Local(path) => local::take(path, file),
            Place::Object(url) => url.take(file),
        }
    }

    /// Lets the store copy an object here, whose bytes do not pass through this machine; `false` if they lie in two buckets or on a
    /// disk.
    pub fn copy_within_store(&self, from: &Place) -> Result<bool, WriteError> {
        match (self, from) {
            (Place::Object(to), Place::Object(from)) if to.is_in_bucket_of(from) => to.copy(from).map(|()| true),
            _ => Ok(false),
        }
    }

    /// Puts the file in the place of any that is there, durably and in one step. Readers see one or the other.
    pub fn replace(&self, bytes: Bytes) -> Result<(), WriteError> {
        match self {
            Place::Local(path) => local::replace(path, &bytes),
            Place::Object(url) => url.replace(bytes),
        }
    }

    /// The files below this folder or prefix, whatever their depth, by names relative to it, ascending; none if there is no such
    /// folder. Links are not followed.
    pub fn list(&self) -> Result<Vec<Listed>, ReadError> {
        match self {
            Place::Local(path) => local::list(path),
            Place::Object(url) => {
                let prefix = if url.key().is_empty() { String::new() } else { format!("{}/", url.key()) };
                let named = |listed: Listed| Some(Listed { key: listed.key.strip_prefix(&prefix)?.to_owned(), ..listed });
                Ok(url.list()?.into_iter().filter_map(named).collect())
            }
        }
    }

    /// Removes the file; it may be gone already.
    pub fn delete(&self) -> Result<(), WriteError> {
        match self {
            Place::Local(path) => local::delete(path),
            Place::Object(url) => url.delete(),
        }
    }
}

/// Most bytes of a file that is read as a whole.
const MOST_SMALL: u64 = 1 << 28;

/// A file that was opened.
#[derive(Debug)]
pub struct OpenFile {
    /// Its state when it was opened.
    pub state: FileState,
    bytes: Content,
}

#[derive(Debug)]
enum Content {
    Local(std::fs::File),
    /// With its last bytes, once they were asked for: most questions about a Parquet file are answered there.
    Object {
        url: ObjectUrl,
        tail: OnceLock<Bytes>,
    },
}

/// Last bytes of an object that are read at once.
const TAIL: u64 = 1 << 17;

impl OpenFile {
    /// Fills a buffer with the bytes from `at` on.
    pub fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> Result<(), ReadError> {
        match &self.bytes {
            Content::Local(file) => local::read_exact_at(file, buffer, at),
            Content::Object { url, tail } => {
                let begin = self.state.size.saturating_sub(TAIL);
                let bytes = match at.checked_sub(begin) {
                    Some(from) => {
                        if tail.get().is_none() {
                            let read = url.read(&self.state, from_ref(&(begin..self.state.size)))?;
                            let _ = tail.set(read.into_iter().next().unwrap_or_default());
                        }
                        tail.get().and_then(|bytes| bytes.get(from as usize..)?.get(..buffer.len())).map(Bytes::copy_from_slice)
                    }
                    None => url.read(&self.state, from_ref(&(at..at.saturating_add(buffer.len() as u64))))?.pop(),
                };
                let bytes = bytes.filter(|bytes| bytes.len() == buffer.len()).ok_or_else(ReadError::shorter)?;
                buffer.copy_from_slice(&bytes);
                Ok(())
            }
        }
    }

    /// The bytes of some ranges. `buffers` are reused where the bytes are copied.
    pub fn read_ranges(&self, ranges: &[Range<u64>], buffers: &mut Vec<Vec<u8>>) -> Result<Vec<Bytes>, ReadError> {
        match &self.bytes {
            Content::Local(file) => ranges.iter().map(|range| local::read_range(file, range, buffers)).collect(),
            Content::Object { url, .. } => url.read(&self.state, ranges),
        }
    }

    /// Its bytes from `from` on, in pieces.
    pub fn reader(self, from: u64) -> FileBytes {
        FileBytes { file: self, at: from, piece: Vec::new(), used: 0 }
    }
}

/// Bytes of [`FileBytes`] that are read at a time.
const PIECE: u64 = 1 << 20;

/// The bytes of a file one after the other.
#[derive(Debug)]
pub struct FileBytes {
    file: OpenFile,
    at: u64,
    piece: Vec<u8>,
    used: usize,
}

impl Read for FileBytes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.used == self.piece.len() {
            let length = self.file.state.size.saturating_sub(self.at).min(PIECE);
            self.piece.resize(length as usize, 0);
            self.file.read_exact_at(&mut self.piece, self.at).map_err(std::io::Error::other)?;
            (self.at, self.used) = (self.at + length, 0);
        }
        let mut rest = self.piece.get(self.used..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.used += read;
        Ok(read)
    }
}
