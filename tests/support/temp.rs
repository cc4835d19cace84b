//! Temporary folders that remove themselves. The crate for it would change features of what the program itself is built
//! from, and the first `cargo test` after `cargo run` would compile Polars and Arrow a second time.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that is removed when it is dropped.
#[derive(Debug)]
pub struct TempDir(PathBuf);

/// A new folder below the system's folder for temporary files.
///
/// # Errors
/// Those of the file system.
pub fn tempdir() -> std::io::Result<TempDir> {
    tempdir_in(&std::env::temp_dir())
}

/// A new folder below `parent`.
///
/// # Errors
/// Those of the file system.
pub fn tempdir_in(parent: &Path) -> std::io::Result<TempDir> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("rfmill-test-{}-{number}", std::process::id()));
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok(TempDir(path)),
            // Left by an earlier process of the same id.
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
}

impl TempDir {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
