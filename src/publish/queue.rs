//! Waits for disks and networks on background threads while computation continues.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use crate::error::{Error, Result};

/// Capacity of the queue. Each file is in memory or holds a descriptor, and a longer queue gains nothing if the disk does not
/// keep up.
const CAPACITY: usize = 8;

/// A file that is not safe yet.
pub(super) trait Pending: Send + 'static {
    /// Makes it safe, or finds that it is not.
    ///
    /// # Errors
    /// Exit 6.
    fn settle(self) -> Result<()>;
}

/// A queue of files with background threads. A file is handled at once while the queue is full, or if there is no background
/// thread because the run has one thread or the system refuses another.
#[derive(Debug)]
pub(super) struct Queue<T> {
    queue: Option<SyncSender<T>>,
    threads: Vec<JoinHandle<Result<()>>>,
}

impl<T: Pending> Queue<T> {
    /// A queue with this number of threads.
    pub fn new(threads: usize) -> Queue<T> {
        let none = Queue { queue: None, threads: Vec::new() };
        if rayon::current_num_threads() == 1 {
            return none;
        }
        let (queue, files) = sync_channel(CAPACITY);
        let files = Arc::new(Mutex::new(files));
        let start = |_| {
            let files = Arc::clone(&files);
            Builder::new().name("sync".into()).spawn(move || settle_all(&files)).ok()
        };
        let threads: Vec<_> = (0..threads).filter_map(start).collect();
        if threads.is_empty() { none } else { Queue { queue: Some(queue), threads } }
    }

    /// Adds a file.
    ///
    /// # Errors
    /// Exit 6 if the file is handled at once and fails; a failure of a thread is returned by [`Self::drain`].
    pub fn push(&self, file: T) -> Result<()> {
        let refused = match &self.queue {
            Some(queue) => queue.try_send(file),
            None => Err(TrySendError::Full(file)),
        };
        match refused {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(file) | TrySendError::Disconnected(file)) => file.settle(),
        }
    }
}

impl<T> Queue<T> {
    /// Waits for all files; later ones are handled at once.
    ///
    /// # Errors
    /// Exit 6 with the first file that failed.
    pub fn drain(&mut self) -> Result<()> {
        self.queue = None;
        let ended = std::mem::take(&mut self.threads).into_iter().map(JoinHandle::join);
        let outcome = |ended| match ended {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::bug("a thread that makes files durable stopped")),
        };
        // All are waited for, also behind a failure.
        ended.map(outcome).collect::<Vec<_>>().into_iter().collect()
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        let _ = self.drain();
    }
}

/// Ends at the first failure; when all threads have, the channel is closed, and [`Queue::push`] handles files at once.
fn settle_all<T: Pending>(files: &Mutex<Receiver<T>>) -> Result<()> {
    loop {
        let next = files.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(file) = next else { return Ok(()) };
        file.settle()?;
    }
}
