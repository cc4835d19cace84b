//! Makes written files durable while the next ones are computed: waiting for a disk costs no processor.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::files::failed;
use crate::error::{Error, Result};

/// Files that may wait. Each holds a descriptor, and where a disk does not keep up, waiting longer gains nothing.
const WAITING: usize = 8;

type Written = (File, PathBuf);

/// A thread that makes files durable. Without one, because the system gives none or the queue is full, it is done at once.
#[derive(Debug)]
pub(super) struct Syncer {
    queue: Option<SyncSender<Written>>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Syncer {
    pub fn new() -> Syncer {
        let (queue, files) = sync_channel(WAITING);
        match Builder::new().name("sync".into()).spawn(move || sync_all(&files)) {
            Ok(thread) => Syncer { queue: Some(queue), thread: Some(thread) },
            Err(_) => Syncer { queue: None, thread: None },
        }
    }

    /// Takes a file that is written to its end.
    ///
    /// # Errors
    /// Exit 6 if it is done at once and fails; a failure of the thread comes out of [`Self::settle`].
    pub fn sync(&self, file: File, path: PathBuf) -> Result<()> {
        let refused = match &self.queue {
            Some(queue) => queue.try_send((file, path)),
            None => Err(TrySendError::Full((file, path))),
        };
        match refused {
            Ok(()) => Ok(()),
            Err(TrySendError::Full((file, path)) | TrySendError::Disconnected((file, path))) => sync(&file, &path),
        }
    }

    /// Waits for all files; what comes later is done at once.
    ///
    /// # Errors
    /// Exit 6 with the first file that failed.
    pub fn settle(&mut self) -> Result<()> {
        self.queue = None;
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(Error::bug("the thread that makes files durable stopped")),
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        let _ = self.settle();
    }
}

/// Ends at the first failure, after which [`Syncer::sync`] finds nobody at the other end.
fn sync_all(files: &Receiver<Written>) -> Result<()> {
    files.iter().try_for_each(|(file, path)| sync(&file, &path))
}

fn sync(file: &File, path: &Path) -> Result<()> {
    file.sync_all().map_err(|e| failed(path, &e))
}
