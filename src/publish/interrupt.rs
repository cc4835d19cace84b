//! Registers what a signal must not leave half-done: files that are staged, a commit that is under way or done.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// The state of the run when a signal stopped it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopOutcome {
    /// Nothing was committed, and nothing will be; staged files are removed.
    BeforeCommit,
    /// A commit was in progress and did not end in time.
    DuringCommit,
    /// This is committed, such as "run 0123456789abcdef".
    Committed(String),
}

pub(super) struct InterruptRegistry {
    stopping: AtomicBool,
    /// Locked while a run is committed, so that a stop comes before or after it.
    state: Mutex<State>,
}

struct State {
    staged: Vec<PathBuf>,
    committed: Option<String>,
}

/// The registry of the process.
pub(super) static INTERRUPTS: InterruptRegistry = InterruptRegistry::new();

/// Stops this process from publishing. Waits up to `timeout` for a commit in progress.
pub fn stop(timeout: Duration) -> StopOutcome {
    INTERRUPTS.stop(timeout)
}

/// Whether a stop came before the commit, so that the process is about to end.
pub fn is_stopped() -> bool {
    INTERRUPTS.stopping.load(Ordering::SeqCst)
}

/// Keeps a stop waiting while a run is committed.
pub(super) struct CommitGuard(MutexGuard<'static, State>);

impl CommitGuard {
    /// From here on a stop finds this committed.
    pub fn committed(&mut self, done: &str) {
        self.0.committed = Some(done.to_owned());
    }
}

impl InterruptRegistry {
    const fn new() -> InterruptRegistry {
        InterruptRegistry { stopping: AtomicBool::new(false), state: Mutex::new(State { staged: Vec::new(), committed: None }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn register(&self, folder: &Path) {
        self.lock().staged.push(folder.to_owned());
    }

    pub fn unregister(&self, folder: &Path) {
        self.lock().staged.retain(|other| other != folder);
    }

    /// Fails after a stop, since further work would be removed.
    pub fn check(&self) -> Result<()> {
        match self.stopping.load(Ordering::SeqCst) {
            false => Ok(()),
            true => Err(Error::output("a signal stopped the run; run the job again")),
        }
    }

    pub fn begin_commit(&'static self) -> Result<CommitGuard> {
        let state = self.lock();
        self.check()?;
        Ok(CommitGuard(state))
    }

    fn stop(&self, timeout: Duration) -> StopOutcome {
        let until = Instant::now() + timeout;
        let mut state = loop {
            match self.state.try_lock() {
                Ok(state) => break state,
                Err(TryLockError::Poisoned(state)) => break state.into_inner(),
                Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
                Err(TryLockError::WouldBlock) => return StopOutcome::DuringCommit,
            }
        };
        if let Some(done) = &state.committed {
            return StopOutcome::Committed(done.clone());
        }
        self.stopping.store(true, Ordering::SeqCst);
        let staged = std::mem::take(&mut state.staged);
        drop(state);
        for folder in staged {
            // A thread may still be writing a file. The next run removes what is left.
            while fs::remove_dir_all(&folder).is_err() && folder.exists() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        StopOutcome::BeforeCommit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_comes_before_or_after_a_commit() {
        let folder = crate::temp::tempdir().expect("a folder");
        let staged = folder.path().join("staged");
        let new = || -> &'static InterruptRegistry { Box::leak(Box::new(InterruptRegistry::new())) };

        let registry = new();
        fs::create_dir_all(staged.join("deeper")).expect("a folder");
        registry.register(&staged);
        assert_eq!(registry.stop(Duration::from_secs(1)), StopOutcome::BeforeCommit);
        assert!(!staged.exists());
        assert!(registry.check().is_err() && registry.begin_commit().is_err());

        let registry = new();
        let mut guard = registry.begin_commit().expect("nothing is stopped");
        assert_eq!(registry.stop(Duration::from_millis(20)), StopOutcome::DuringCommit);
        let stopped = std::thread::spawn(|| registry.stop(Duration::from_secs(60)));
        guard.committed("a");
        drop(guard);
        assert_eq!(stopped.join().expect("a thread"), StopOutcome::Committed("a".into()));
        assert!(registry.check().is_ok(), "what is committed may end");
    }
}
