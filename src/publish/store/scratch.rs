//! The folder on a disk of a command that writes into a store. Nothing there outlives the command; what a killed one left, which may
//! hold customers, goes with the next one on the machine.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::super::files::failed;
use super::super::scratch::ScratchFolder;
use crate::error::Result;

/// What the names of such folders begin with.
const PREFIX: &str = "rfmill-store-";
/// The file in it that is locked as long as its command runs.
const LOCK: &str = "lock";

/// A folder that is removed when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: ScratchFolder,
    /// Holds the lock.
    _lock: File,
}

impl Scratch {
    /// Makes the folder among the temporary files of the system.
    ///
    /// # Errors
    /// Exit 6 if it cannot be made.
    pub fn create(nonce: &str) -> Result<Scratch> {
        let parent = std::env::temp_dir();
        remove_left(&parent);
        let folder = ScratchFolder::create(&parent, &format!("{PREFIX}{nonce}-"))?;
        let path = folder.path().join(LOCK);
        // A lock that cannot be had protects from nobody but a later command's tidying.
        let lock = File::create_new(&path).map_err(|e| failed(&path, e))?;
        let _ = lock.try_lock();
        Ok(Scratch { folder, _lock: lock })
    }

    /// Its path.
    pub fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

/// Removes folders whose commands have ended, as far as this user may.
fn remove_left(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        // One without a lock is being made.
        let is_left = |lock: File| lock.try_lock().is_ok();
        if is_ours && File::open(entry.path().join(LOCK)).is_ok_and(is_left) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_killed_commands_go_and_others_stay() {
        let parent = crate::temp::tempdir().expect("a folder");
        let make = |name: &str| {
            let folder = parent.path().join(name);
            fs::create_dir(&folder).expect("a folder");
            folder
        };
        let (left, running, new, other) =
            (make("rfmill-store-a-1"), make("rfmill-store-b-2"), make("rfmill-store-c-3"), make("other"));
        for folder in [&left, &running, &other] {
            fs::write(folder.join(LOCK), "").expect("a lock");
        }
        let held = File::open(running.join(LOCK)).expect("a lock");
        held.try_lock().expect("free");
        remove_left(parent.path());
        assert_eq!([&left, &running, &new, &other].map(|folder| folder.exists()), [false, true, true, true]);
    }
}
