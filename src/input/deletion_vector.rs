//! Deletion vectors, in the form that Delta and Iceberg share: a bitmap of the rows of a file that do not count.

use roaring::RoaringTreemap;

use super::table_file::DeletedRows;
use crate::error::{Error, Result};
use crate::hash::sha256;
use crate::storage::{OpenFile, ReadError};

/// What a vector begins with.
const MAGIC: [u8; 4] = 1_681_511_377_u32.to_le_bytes();

/// Most bytes of a vector that is read.
pub(super) const MOST_BYTES: u64 = 1 << 30;

/// Bytes of the length before a vector in a file; its checksum behind it has as many.
pub(super) const FRAME: u64 = 4;

/// The rows that a vector names, `count` by what names it.
///
/// # Errors
/// Those of `wrong`, which is given what the vector is like.
pub(super) fn decoded(bytes: &[u8], count: i64, wrong: impl Fn(String) -> Error) -> Result<DeletedRows> {
    let bitmap = bytes.strip_prefix(&MAGIC).ok_or_else(|| wrong("of a form that rfmill does not know".into()))?;
    let rows = RoaringTreemap::deserialize_from(bitmap).map_err(|e| wrong(format!("that cannot be read ({e})")).caused_by(e))?;
    if i64::try_from(rows.len()) != Ok(count) {
        return Err(wrong(format!("of {} rows, not the {count} of its log", rows.len())));
    }
    Ok(DeletedRows { rows, sha256: sha256(bytes) })
}

/// The bytes of a vector in a file, `size` by what names it. From `offset` on there are its length, itself, and its checksum, all
/// numbers big endian.
///
/// # Errors
/// Those of `wrong`, which is given what the file is like.
pub(super) fn of_file(file: &OpenFile, offset: u64, size: u64, wrong: impl Fn(String) -> Error) -> Result<Vec<u8>> {
    let unreadable = |e: ReadError| wrong(format!("which cannot be read ({e})")).caused_by(e);
    let mut number = [0u8; FRAME as usize];
    file.read_exact_at(&mut number, offset).map_err(unreadable)?;
    let length = u64::from(u32::from_be_bytes(number));
    if length != size {
        return Err(wrong(format!("of {length} bytes, not the {size} of the log")));
    }
    let mut bytes = vec![0u8; size as usize];
    let at = offset.saturating_add(FRAME);
    file.read_exact_at(&mut bytes, at).map_err(unreadable)?;
    file.read_exact_at(&mut number, at.saturating_add(size)).map_err(unreadable)?;
    match crc32fast::hash(&bytes) == u32::from_be_bytes(number) {
        true => Ok(bytes),
        false => Err(wrong("which is damaged: its checksum is another".into())),
    }
}
