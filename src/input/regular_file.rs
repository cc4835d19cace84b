//! Opening input files that must be regular ones, and telling what a file is by its first bytes.

use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Opens a file that must be a regular one. A pipe that took its place does not make the program wait for a writer.
pub(crate) fn open_regular(path: &Path) -> std::io::Result<(File, Metadata)> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let stat = file.metadata()?;
    if stat.is_file() { Ok((file, stat)) } else { Err(std::io::Error::other("it is not a regular file")) }
}

/// Modification time in nanoseconds since 1970.
pub(crate) fn mtime_ns(stat: &Metadata) -> i128 {
    i128::from(stat.mtime()) * 1_000_000_000 + i128::from(stat.mtime_nsec())
}

pub(crate) fn looks_like(head: &[u8]) -> &'static str {
    match head {
        [0x1f, 0x8b, ..] => "a gzip file",
        b"PK\x03\x04" => "a zip file",
        [b'<', ..] => "HTML or XML",
        [b'{' | b'[', ..] => "JSON",
        b"vers" => "a Git LFS pointer",
        b"PARE" => "an encrypted Parquet file",
        b"ORC\x01" => "an ORC file",
        b"Obj\x01" => "an Avro file",
        bytes if bytes.iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) => "text, perhaps CSV",
        _ => "something else",
    }
}
