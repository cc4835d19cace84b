//! Files that are written: made durable and read back.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::files::{failed, sha256_of};
use super::queue::Pending;
use crate::error::{Error, Result};

/// A file that is completely written.
#[derive(Debug)]
pub(super) struct WrittenFile {
    pub file: File,
    pub path: PathBuf,
    /// What it must contain.
    pub content: Content,
}

/// What a written file must contain.
#[derive(Debug)]
pub(super) enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Bytes with this SHA-256.
    Sha256(String),
}

impl Pending for WrittenFile {
    fn settle(self) -> Result<()> {
        self.file.sync_all().map_err(|e| failed(&self.path, e))?;
        let is_same = match &self.content {
            Content::Bytes(bytes) => holds(&self.path, bytes),
            Content::Sha256(expected) => sha256_of(&self.path).map(|(found, _)| found == *expected),
        };
        let is_same = is_same.map_err(|e| failed(&self.path, e))?;
        is_same.then_some(()).ok_or_else(|| {
            let path = self.path.display();
            Error::output(format!(
                "{path} does not read back as it was written; check the disk. The last committed run is untouched"
            ))
        })
    }
}

/// Whether a file consists of these bytes.
fn holds(path: &Path, mut expected: &[u8]) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    let mut found = [0; 1 << 16];
    loop {
        let count = match file.read(&mut found) {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if count == 0 {
            return Ok(expected.is_empty());
        }
        let Some((same, rest)) = expected.split_at_checked(count) else { return Ok(false) };
        if *same != found[..count] {
            return Ok(false);
        }
        expected = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::super::queue::Queue;
    use super::*;
    use crate::error::Kind;

    #[test]
    fn a_file_must_read_back_as_it_was_written() {
        let folder = crate::temp::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let long: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
        for (written, bytes, same) in [
            (&long[..], &long[..], true),
            (&long[..], &long[1..], false),
            (&long[1..], &long[..], false),
            (&long[..9], &long[..], false),
            (&[], &[], true),
        ] {
            std::fs::write(&path, written).expect("a file");
            for content in [Content::Bytes(bytes.to_vec()), Content::Sha256(crate::hash::sha256(bytes))] {
                let mut queue = Queue::new(1);
                let file = File::open(&path).expect("a file");
                let sent = queue.push(WrittenFile { file, path: path.clone(), content });
                let outcome = sent.and_then(|()| queue.drain());
                assert_eq!(outcome.map_err(|e| e.kind()), if same { Ok(()) } else { Err(Kind::Output) });
            }
        }
    }
}
