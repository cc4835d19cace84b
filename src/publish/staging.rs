//! The files of a run before its commit.

use std::path::{Path, PathBuf};

use super::files::{failed, make_folder, write_new};
use super::in_hand::IN_HAND;
use super::manifest::TableFile;
use crate::error::Result;
use crate::table::Encoded;

/// The files of a run that is not committed yet; removed if it never is.
#[derive(Debug)]
pub struct Staging {
    pub(super) folder: PathBuf,
    kept: bool,
}

impl Staging {
    pub(super) fn new(folder: PathBuf) -> Result<Staging> {
        std::fs::create_dir(&folder).map_err(|e| failed(&folder, &e))?;
        IN_HAND.staged(&folder);
        Ok(Staging { folder, kept: false })
    }

    /// Writes a file of the run; `path` is relative to it. May be called from many threads.
    ///
    /// # Errors
    /// Exit 6.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        IN_HAND.go_on()?;
        // Only what lies below the run is made: where the output folder is gone, no part of it comes back.
        let above: Vec<&Path> = Path::new(path).ancestors().skip(1).filter(|p| !p.as_os_str().is_empty()).collect();
        for folder in above.into_iter().rev() {
            make_folder(&self.folder.join(folder))?;
        }
        write_new(&self.folder.join(path), bytes)
    }

    /// Writes an encoded table file.
    ///
    /// # Errors
    /// Exit 6.
    pub fn put(&self, path: String, encoded: Encoded) -> Result<TableFile> {
        self.write(&path, &encoded.bytes)?;
        Ok(TableFile { path, rows: encoded.rows, bytes: encoded.bytes.len() as u64, sha256: encoded.sha256 })
    }

    /// From here on the files stay.
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
        IN_HAND.unstaged(&self.folder);
    }
}
