//! Files on a disk of this machine.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use bytes::Bytes;

use super::fault::{Fault, ReadError};
use super::state::{FileState, Version};

/// Opens a file that must be a regular one. A pipe that took its place does not make the program wait for a writer.
pub(super) fn open(path: &Path) -> Result<(File, FileState), ReadError> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(unopened)?;
    let stat = file.metadata().map_err(unopened)?;
    match stat.is_file() {
        true => Ok((file, state_of(&stat))),
        false => Err(unopened(std::io::Error::other("it is not a regular file"))),
    }
}

pub(super) fn state(path: &Path) -> Result<FileState, ReadError> {
    std::fs::metadata(path).map(|stat| state_of(&stat)).map_err(unopened)
}

fn state_of(stat: &Metadata) -> FileState {
    let ns = |seconds: i64, ns: i64| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
    FileState {
        size: stat.len(),
        modified_ns: ns(stat.mtime(), stat.mtime_nsec()),
        version: Version::Local { changed_ns: ns(stat.ctime(), stat.ctime_nsec()), inode: stat.ino() },
    }
}

pub(super) fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> Result<(), ReadError> {
    file.read_exact_at(buffer, at).map_err(|e| match e.kind() {
        ErrorKind::UnexpectedEof => ReadError::shorter(),
        _ => unread(e),
    })
}

/// The bytes of a range. Buffers are reused without zeroing them: faulting in new pages would cost as much as some decoding.
pub(super) fn read_range(mut file: &File, range: &Range<u64>, buffers: &mut Vec<Vec<u8>>) -> Result<Bytes, ReadError> {
    let length = range.end - range.start;
    let mut bytes = buffers.pop().unwrap_or_default();
    bytes.clear();
    bytes.reserve(length as usize);
    let read = file.seek(SeekFrom::Start(range.start)).and_then(|_| file.take(length).read_to_end(&mut bytes));
    read.map_err(|e| unread(e).at(range.start))?;
    if bytes.len() as u64 == length { Ok(Bytes::from(bytes)) } else { Err(ReadError::shorter()) }
}

fn unopened(error: std::io::Error) -> ReadError {
    let fault = if error.kind() == ErrorKind::NotFound { Fault::Missing } else { Fault::Failed };
    ReadError::new(fault, &error, "check the file and its permissions").caused_by(error)
}

fn unread(error: std::io::Error) -> ReadError {
    ReadError::new(Fault::Failed, &error, "check the disk and run again").caused_by(error)
}
