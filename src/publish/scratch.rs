//! A folder for files that only one run or command needs; it goes with the value, with a signal, or with the next run.

use std::path::{Path, PathBuf};

use super::files::failed;
use super::interrupt::INTERRUPTS;
use crate::error::Result;

/// A folder that is removed when this is dropped.
#[derive(Debug)]
pub struct ScratchFolder(PathBuf);

impl ScratchFolder {
    /// Makes the folder `prefix` and the number of this process, in `parent`.
    ///
    /// # Errors
    /// Exit 6 if it cannot be made.
    pub fn create(parent: &Path, prefix: &str) -> Result<ScratchFolder> {
        let path = parent.join(format!("{prefix}{}", std::process::id()));
        // One that is there was left by a killed process of the same number.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).map_err(|e| failed(&path, e))?;
        INTERRUPTS.register(&path);
        Ok(ScratchFolder(path))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
        INTERRUPTS.unregister(&self.0);
    }
}
