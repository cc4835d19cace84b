//! The spill file: data that do not fit into memory.
//!
//! It lies in the output folder and is unlinked as soon as it is open, so nothing remains of it however the run ends. Any thread
//! appends ranges; each is checked against its checksum when it is read back.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, Kind, Result};

/// An unlinked file that every thread may append to.
#[derive(Debug)]
pub struct SpillFile {
    file: File,
    folder: PathBuf,
    end: AtomicU64,
}

/// A range of the spill file, with its checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpilledRange {
    at: u64,
    len: u64,
    checksum: u64,
}

impl SpilledRange {
    /// The byte at which it begins.
    pub fn begin(&self) -> u64 {
        self.at
    }

    /// Its length in bytes.
    pub fn bytes(&self) -> u64 {
        self.len
    }
}

impl SpillFile {
    /// Creates the file in a folder.
    ///
    /// # Errors
    /// Exit 7 if it cannot be created.
    pub fn create(folder: &Path) -> Result<SpillFile> {
        let path = folder.join(format!(".spill-{}", std::process::id()));
        let open = || {
            let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
            fs::remove_file(&path)?;
            Ok(file)
        };
        let file = open().map_err(|e| failed(folder, e))?;
        Ok(SpillFile { file, folder: folder.to_owned(), end: AtomicU64::new(0) })
    }

    /// Appends bytes and returns where they are.
    ///
    /// # Errors
    /// Exit 7 if the disk is full or fails.
    pub fn write(&self, bytes: &[u8]) -> Result<SpilledRange> {
        let len = bytes.len() as u64;
        let at = self.end.fetch_add(len, Ordering::Relaxed);
        self.file.write_all_at(bytes, at).map_err(|e| failed(&self.folder, e))?;
        Ok(SpilledRange { at, len, checksum: xxh3_64(bytes) })
    }

    /// Reads a range into `into`, whose content is replaced.
    ///
    /// # Errors
    /// Exit 7 if it does not come back as it was written.
    pub fn read(&self, range: &SpilledRange, into: &mut Vec<u8>) -> Result<()> {
        self.read_unchecked(range.at..range.at + range.len, into)?;
        if xxh3_64(into) == range.checksum { Ok(()) } else { Err(self.came_back_changed()) }
    }

    /// Reads bytes that whoever wrote them checks.
    ///
    /// # Errors
    /// Exit 7 if they cannot be read.
    pub fn read_unchecked(&self, range: Range<u64>, into: &mut Vec<u8>) -> Result<()> {
        into.clear();
        into.resize(range.end.saturating_sub(range.start) as usize, 0);
        self.file.read_exact_at(into, range.start).map_err(|e| failed(&self.folder, e))
    }

    /// The error for bytes that are not those that were written.
    pub fn came_back_changed(&self) -> Error {
        Error::new(
            Kind::Resource,
            format!("what was spilled to {} came back changed; check the disk, then run again", self.folder.display()),
        )
    }

    /// Bytes written until now.
    pub fn bytes(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }
}

fn failed(folder: &Path, error: std::io::Error) -> Error {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space there, or raise --memory-limit",
        _ => "check the disk, raise --memory-limit, or choose another --output",
    };
    Error::new(Kind::Resource, format!("cannot spill to {} what does not fit into memory: {error}; {advice}", folder.display()))
        .caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_come_back_and_damage_is_found() -> Result<()> {
        let folder = crate::temp::tempdir().expect("a folder");
        let spill = SpillFile::create(folder.path())?;
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0);
        let ranges = [spill.write(b"first")?, spill.write(b"")?, spill.write(b"second")?];
        let mut back = vec![9; 3];
        for (range, want) in ranges.iter().zip([&b"first"[..], b"", b"second"]) {
            spill.read(range, &mut back)?;
            assert_eq!(back, want);
        }
        assert_eq!(spill.bytes(), 11);
        spill.file.write_all_at(b"S", 5).expect("a byte");
        let error = spill.read(&ranges[2], &mut back).expect_err("a changed byte");
        assert_eq!(error.kind(), Kind::Resource);
        assert!(spill.read(&SpilledRange { at: 6, len: 60, checksum: 0 }, &mut back).is_err());
        Ok(())
    }
}
