//! Files that become objects of a store, and objects that are needed as files.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use rayon::prelude::*;

use super::files::failed;
use super::manifest::TableFile;
use super::queue::Pending;
use crate::error::{Error, Kind, Result};
use crate::hash::sha256;
use crate::storage::{Created, Place};

/// Objects that are put at the same time.
pub(super) const UPLOADS: usize = 4;

/// Bytes that are compared at once.
const PIECE: usize = 1 << 20;

/// An object to create.
#[derive(Debug)]
pub(super) struct NewObject {
    pub place: Place,
    pub content: ObjectContent,
}

/// What an object will hold.
#[derive(Debug)]
pub(super) enum ObjectContent {
    /// These bytes.
    Bytes(Bytes),
    /// Those of a file, which goes.
    File(PathBuf),
    /// Those of an object that another process has written for the run, with the file that it is to be.
    Object(Place, TableFile),
}

impl Pending for NewObject {
    fn settle(self) -> Result<()> {
        match self.content {
            ObjectContent::Bytes(bytes) => create(&self.place, bytes),
            ObjectContent::File(path) => {
                let bytes = std::fs::read(&path).map_err(|e| failed(&path, e))?;
                create(&self.place, bytes.into())?;
                std::fs::remove_file(&path).map_err(|e| failed(&path, e))
            }
            ObjectContent::Object(from, file) => copy(&from, &self.place, &file),
        }
    }
}

/// Creates an object whose name no other writer uses.
///
/// # Errors
/// Exit 6, also if other bytes are there.
pub(super) fn create(place: &Place, bytes: Bytes) -> Result<()> {
    match place.create(bytes.clone()).map_err(|e| e.of(&place.to_string()))? {
        Created::New => Ok(()),
        // The answer to the first of several requests was lost.
        Created::Existed if holds(place, &bytes) => Ok(()),
        Created::Existed => Err(Error::output(format!(
            "{place} has bytes that this run did not write, so something else writes there; choose another --output. The last committed run is untouched"
        ))),
    }
}

/// Copies an object within its store, where that can; else its bytes pass through this machine.
///
/// # Errors
/// Exit 5 if it is not the file that it is to be; exit 6 if it cannot be written.
fn copy(from: &Place, to: &Place, file: &TableFile) -> Result<()> {
    // A store that refuses to copy may well take the bytes.
    if to.copy_within_store(from).unwrap_or(false) && to.state().is_ok_and(|state| state.size == file.bytes) {
        return Ok(());
    }
    let bytes = read(from, file)?;
    create(to, bytes.into())
}

/// The bytes of an object that another process has written.
fn read(from: &Place, file: &TableFile) -> Result<Vec<u8>> {
    let opened = from.open().map_err(|e| e.of(&from.to_string()))?;
    let mut bytes = vec![0; opened.state.size as usize];
    opened.read_exact_at(&mut bytes, 0).map_err(|e| e.of(&from.to_string()))?;
    let found = sha256(&bytes);
    if found == file.sha256 {
        return Ok(bytes);
    }
    let what = format!("{from} has the SHA-256 {found}, and {} was written; remove it and run again", file.sha256);
    Err(Error::new(Kind::State, what))
}

/// Whether an object consists of these bytes.
fn holds(place: &Place, mut expected: &[u8]) -> bool {
    let Ok(file) = place.open() else { return false };
    let (mut reader, mut found) = (file.reader(0), vec![0; PIECE]);
    loop {
        match reader.read(&mut found) {
            Ok(0) => return expected.is_empty(),
            Ok(count) => match expected.split_at_checked(count) {
                Some((same, rest)) if *same == found[..count] => expected = rest,
                _ => return false,
            },
            Err(_) => return false,
        }
    }
}

/// Copies an object into a new file.
///
/// # Errors
/// Exit 5 if the object cannot be read; exit 6 if the file cannot be written.
pub(super) fn fetch(place: &Place, to: &Path) -> Result<()> {
    let unread = |e: &dyn std::fmt::Display| {
        Error::new(Kind::State, format!("{place} cannot be read: {e}; see what `rfmill verify` says of the output"))
    };
    let mut reader = place.open().map_err(|e| unread(&e).caused_by(e))?.reader(0);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o640).open(to).map_err(|e| failed(to, e))?;
    let mut piece = vec![0; PIECE];
    loop {
        let count = reader.read(&mut piece).map_err(|e| unread(&e).caused_by(e))?;
        let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { return Ok(()) };
        file.write_all(read).map_err(|e| failed(to, e))?;
    }
}

/// Gives the path of a file; an object is copied into `scratch` as long as it is needed.
///
/// # Errors
/// As [`fetch`], and those of `work`.
pub(super) fn on_disk<T>(place: &Place, scratch: &Path, work: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    if let Place::Local(path) = place {
        return work(path);
    }
    let path = scratch.join(format!(".object-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    let done = fetch(place, &path).and_then(|()| work(&path));
    let _ = std::fs::remove_file(&path);
    done
}

/// Removes the objects below a place, as far as the store lets.
pub(super) fn remove_below(place: &Place) {
    let listed = place.list().unwrap_or_default();
    listed.par_iter().with_max_len(1).for_each(|listed| drop(place.join(&listed.key).delete()));
}
