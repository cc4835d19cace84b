//! A file for what does not fit into memory.
//!
//! It lies in the output folder and loses its name as soon as it is open, so nothing is left of it however the run ends. Any
//! thread appends pieces; every piece is checked when it is read back.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, Kind, Result};

/// The file.
#[derive(Debug)]
pub struct Spill {
    file: File,
    folder: PathBuf,
    end: AtomicU64,
}

/// Bytes in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    at: u64,
    len: u64,
    check: u64,
}

impl Piece {
    /// How many bytes.
    pub fn bytes(&self) -> u64 {
        self.len
    }
}

impl Spill {
    /// A new file in a folder.
    ///
    /// # Errors
    /// Exit 7 if it cannot be made.
    pub fn create(folder: &Path) -> Result<Spill> {
        let path = folder.join(format!(".spill-{}", std::process::id()));
        let open = || {
            let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
            fs::remove_file(&path)?;
            Ok(file)
        };
        let file = open().map_err(|e| failed(folder, &e))?;
        Ok(Spill { file, folder: folder.to_owned(), end: AtomicU64::new(0) })
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// Exit 7 if there is no room.
    pub fn write(&self, bytes: &[u8]) -> Result<Piece> {
        let len = bytes.len() as u64;
        let at = self.end.fetch_add(len, Ordering::Relaxed);
        self.file.write_all_at(bytes, at).map_err(|e| failed(&self.folder, &e))?;
        Ok(Piece { at, len, check: xxh3_64(bytes) })
    }

    /// Reads a piece, in place of what `into` held.
    ///
    /// # Errors
    /// Exit 7 if it does not come back as it was written.
    pub fn read(&self, piece: &Piece, into: &mut Vec<u8>) -> Result<()> {
        into.clear();
        into.resize(piece.len as usize, 0);
        self.file.read_exact_at(into, piece.at).map_err(|e| failed(&self.folder, &e))?;
        if xxh3_64(into) == piece.check {
            return Ok(());
        }
        Err(Error::new(
            Kind::Resource,
            format!(
                "{} bytes that were spilled to {} came back changed; check the disk, then run again",
                piece.len,
                self.folder.display()
            ),
        ))
    }

    /// How many bytes were written.
    pub fn bytes(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }
}

fn failed(folder: &Path, error: &std::io::Error) -> Error {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space there, or raise --memory-limit",
        _ => "check the disk, raise --memory-limit, or choose another --output",
    };
    Error::new(Kind::Resource, format!("cannot spill to {} what does not fit into memory: {error}; {advice}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_and_damage_is_found() -> Result<()> {
        let folder = crate::temp::tempdir().expect("a folder");
        let spill = Spill::create(folder.path())?;
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0);
        let pieces = [spill.write(b"first")?, spill.write(b"")?, spill.write(b"second")?];
        let mut back = vec![9; 3];
        for (piece, want) in pieces.iter().zip([&b"first"[..], b"", b"second"]) {
            spill.read(piece, &mut back)?;
            assert_eq!(back, want);
        }
        assert_eq!(spill.bytes(), 11);
        spill.file.write_all_at(b"S", 5).expect("a byte");
        let error = spill.read(&pieces[2], &mut back).expect_err("a changed byte");
        assert_eq!(error.kind(), Kind::Resource);
        assert!(spill.read(&Piece { at: 6, len: 60, check: 0 }, &mut back).is_err());
        Ok(())
    }
}
