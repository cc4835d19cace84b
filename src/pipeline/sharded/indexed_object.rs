//! Objects of which later stages read parts: bytes, and an index at their end that says what lies where.
//!
//! ```text
//! bytes ─ index ─ length of the index (8 bytes, little-endian)
//! ```

use std::ops::Range;

use super::work::WorkPlace;
use crate::error::{Error, Kind, Result};
use crate::score::RunBytes;
use crate::storage::OpenFile;
use crate::wire::{self, Travels};

/// Bytes of the length at the end.
const LENGTH: u64 = size_of::<u64>() as u64;

/// Appends the index of some bytes to them.
///
/// # Errors
/// Exit 1 if the index has no written form.
pub fn seal<T: Travels>(mut bytes: Vec<u8>, index: T) -> Result<Vec<u8>> {
    let index = wire::write(index)?;
    bytes.extend(&index);
    bytes.extend((index.len() as u64).to_le_bytes());
    Ok(bytes)
}

/// The bytes of such an object.
#[derive(Debug)]
pub struct ObjectBytes {
    name: String,
    file: OpenFile,
}

/// Opens an object; gives its bytes and its index.
///
/// # Errors
/// Exit 5 if it is not there or damaged; exit 4 if it cannot be read.
pub fn open<T: Travels>(work: &WorkPlace, object: &str) -> Result<(ObjectBytes, T)> {
    let bytes = ObjectBytes { name: work.name_of(object), file: work.open(object)? };
    let end = bytes.file.state.size;
    let before = end.checked_sub(LENGTH).ok_or_else(|| bytes.damaged())?;
    let length = bytes.range(before..end)?;
    let length = length.first_chunk().map_or(u64::MAX, |length| u64::from_le_bytes(*length));
    let begin = before.checked_sub(length).ok_or_else(|| bytes.damaged())?;
    let index = wire::read(&bytes.range(begin..before)?, &bytes.name)?;
    Ok((bytes, index))
}

impl ObjectBytes {
    /// A range of the bytes.
    ///
    /// # Errors
    /// Exit 5 if the object is shorter; exit 4 if it cannot be read.
    pub fn range(&self, range: Range<u64>) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read(range, &mut bytes)?;
        Ok(bytes)
    }
}

impl RunBytes for ObjectBytes {
    fn read(&self, range: Range<u64>, into: &mut Vec<u8>) -> Result<()> {
        let length = range.end.checked_sub(range.start).filter(|_| range.end <= self.file.state.size);
        into.clear();
        into.resize(length.ok_or_else(|| self.damaged())? as usize, 0);
        self.file.read_exact_at(into, range.start).map_err(|error| error.of(&self.name))
    }

    fn damaged(&self) -> Error {
        Error::new(Kind::State, format!("{} is damaged; delete it and run the stage that wrote it again", self.name))
    }
}
