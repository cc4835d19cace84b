//! What this process has in hand when a signal comes: files that are staged, a commit that is under way or done.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// What a stop found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// Nothing was committed, and nothing will be; what was staged is removed.
    Before,
    /// The commit was under way and did not end in time.
    During,
    /// This run is committed.
    After(String),
}

pub(super) struct InHand {
    stopping: AtomicBool,
    /// Held while a run is committed, so that a stop comes before or after it.
    state: Mutex<State>,
}

struct State {
    staged: Vec<PathBuf>,
    committed: Option<String>,
}

/// Of the whole process, as signals are.
pub(super) static IN_HAND: InHand = InHand::new();

/// Stops what this process is about to publish. Waits for a commit that is under way.
pub fn stop(patience: Duration) -> Stopped {
    IN_HAND.stop(patience)
}

/// Whether a stop came before the commit: the process is about to end.
pub fn is_stopped() -> bool {
    IN_HAND.stopping.load(Ordering::SeqCst)
}

/// A commit that no stop cuts in two.
pub(super) struct Committing(MutexGuard<'static, State>);

impl Committing {
    /// From here on a stop finds the run committed.
    pub fn done(&mut self, run_id: &str) {
        self.0.committed = Some(run_id.to_owned());
    }
}

impl InHand {
    const fn new() -> InHand {
        InHand { stopping: AtomicBool::new(false), state: Mutex::new(State { staged: Vec::new(), committed: None }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn staged(&self, folder: &Path) {
        self.lock().staged.push(folder.to_owned());
    }

    pub fn unstaged(&self, folder: &Path) {
        self.lock().staged.retain(|other| other != folder);
    }

    /// Refuses work that would only be removed.
    pub fn go_on(&self) -> Result<()> {
        match self.stopping.load(Ordering::SeqCst) {
            false => Ok(()),
            true => Err(Error::output("a signal stopped the run; run the job again")),
        }
    }

    pub fn committing(&'static self) -> Result<Committing> {
        let state = self.lock();
        self.go_on()?;
        Ok(Committing(state))
    }

    fn stop(&self, patience: Duration) -> Stopped {
        let until = Instant::now() + patience;
        let mut state = loop {
            match self.state.try_lock() {
                Ok(state) => break state,
                Err(TryLockError::Poisoned(state)) => break state.into_inner(),
                Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
                Err(TryLockError::WouldBlock) => return Stopped::During,
            }
        };
        if let Some(run_id) = &state.committed {
            return Stopped::After(run_id.clone());
        }
        self.stopping.store(true, Ordering::SeqCst);
        let staged = std::mem::take(&mut state.staged);
        drop(state);
        for folder in staged {
            // A thread may be in the middle of one more file. What is left then, the next run removes.
            while fs::remove_dir_all(&folder).is_err() && folder.exists() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Stopped::Before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_comes_before_or_after_a_commit() {
        let folder = crate::temp::tempdir().expect("a folder");
        let staged = folder.path().join("staged");
        let new = || -> &'static InHand { Box::leak(Box::new(InHand::new())) };

        let hand = new();
        fs::create_dir_all(staged.join("deeper")).expect("a folder");
        hand.staged(&staged);
        assert_eq!(hand.stop(Duration::from_secs(1)), Stopped::Before);
        assert!(!staged.exists());
        assert!(hand.go_on().is_err() && hand.committing().is_err());

        let hand = new();
        let mut committing = hand.committing().expect("nothing is stopped");
        assert_eq!(hand.stop(Duration::from_millis(20)), Stopped::During);
        let stopped = std::thread::spawn(|| hand.stop(Duration::from_secs(60)));
        committing.done("a");
        drop(committing);
        assert_eq!(stopped.join().expect("a thread"), Stopped::After("a".into()));
        assert!(hand.go_on().is_ok(), "what is committed may end");
    }
}
