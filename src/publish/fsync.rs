//! Fsyncs and verifies written files on a background thread while computation continues.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::files::{failed, sha256_of};
use crate::error::{Error, Result};

/// Capacity of the queue. Each file holds a descriptor, and a longer queue gains nothing if the disk does not keep up.
const CAPACITY: usize = 8;

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

/// A queue of files to fsync and verify, with a background thread. A file is handled at once while the queue is full, or if there
/// is no background thread because the run has one thread or the system refuses another.
#[derive(Debug)]
pub(super) struct FsyncQueue {
    queue: Option<SyncSender<WrittenFile>>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl FsyncQueue {
    pub fn new() -> FsyncQueue {
        let none = FsyncQueue { queue: None, thread: None };
        if rayon::current_num_threads() == 1 {
            return none;
        }
        let (queue, files) = sync_channel(CAPACITY);
        match Builder::new().name("sync".into()).spawn(move || sync_all(&files)) {
            Ok(thread) => FsyncQueue { queue: Some(queue), thread: Some(thread) },
            Err(_) => none,
        }
    }

    /// Adds a file.
    ///
    /// # Errors
    /// Exit 6 if the file is handled at once and fails; a failure of the thread is returned by [`Self::drain`].
    pub fn push(&self, written: WrittenFile) -> Result<()> {
        let refused = match &self.queue {
            Some(queue) => queue.try_send(written),
            None => Err(TrySendError::Full(written)),
        };
        match refused {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(written) | TrySendError::Disconnected(written)) => written.sync_and_verify(),
        }
    }

    /// Waits for all files; later ones are handled at once.
    ///
    /// # Errors
    /// Exit 6 with the first file that failed.
    pub fn drain(&mut self) -> Result<()> {
        self.queue = None;
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(Error::bug("the thread that makes files durable stopped")),
        }
    }
}

impl Drop for FsyncQueue {
    fn drop(&mut self) {
        let _ = self.drain();
    }
}

/// Ends at the first failure; the channel is closed then, and [`FsyncQueue::push`] handles files at once.
fn sync_all(files: &Receiver<WrittenFile>) -> Result<()> {
    files.iter().try_for_each(|written| written.sync_and_verify())
}

impl WrittenFile {
    fn sync_and_verify(&self) -> Result<()> {
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
                let mut queue = FsyncQueue::new();
                let file = File::open(&path).expect("a file");
                let sent = queue.push(WrittenFile { file, path: path.clone(), content });
                let outcome = sent.and_then(|()| queue.drain());
                assert_eq!(outcome.map_err(|e| e.kind()), if same { Ok(()) } else { Err(Kind::Output) });
            }
        }
    }
}
