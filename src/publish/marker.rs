//! The file that marks an output folder, says its form, and is locked while a run writes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::files::{failed, write_new};
use super::layout::MARKER;
use super::record::FORMAT;
use crate::error::{Error, Kind, Result};

/// The content of the marker for a form.
fn text(format: u32) -> String {
    format!("This folder is written by rfmill. Read tables/ or latest/; leave the rest alone.\nformat = {format}\n")
}

/// A locked marker. A process that is just being started holds a copy of the file for a moment, so closing it would not free
/// the lock at once.
#[derive(Debug)]
pub(super) struct Lock(pub(super) File);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Locks the marker of an output folder; makes it where the folder is new, or has records of commits.
///
/// # Errors
/// Exit 5 if a newer version wrote the folder; exit 6 if it cannot be written or holds something else; exit 8 if another run
/// has it.
pub(super) fn lock(root: &Path) -> Result<Lock> {
    let marker = root.join(MARKER);
    let is_marked = || fs::symlink_metadata(&marker).is_ok();
    if !is_marked() {
        let mut entries = fs::read_dir(root).map_err(|e| failed(root, e))?;
        // Another run may be making the same folder at this moment.
        if entries.next().is_some() && !is_marked() {
            return Err(not_ours(root));
        }
        match write_new(&marker, text(FORMAT).as_bytes()) {
            Err(_) if is_marked() => {}
            outcome => outcome?,
        }
    }
    let lock =
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOFOLLOW).open(&marker).map_err(|e| failed(&marker, e))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Error::new(
                Kind::Locked,
                format!("another run is writing {}; wait for it to end and run again", root.display()),
            ));
        }
        Err(TryLockError::Error(e)) => return Err(failed(&marker, e)),
    }
    let lock = Lock(lock);
    lock.still_ours(root)?;
    Ok(lock)
}

/// Writes the marker of an output again that lacks it, or where it was changed.
///
/// # Errors
/// Exit 6 if it cannot be written; exit 8 if a run has the output.
pub(super) fn write_again(root: &Path) -> Result<()> {
    let marker = root.join(MARKER);
    if fs::symlink_metadata(&marker).is_err() {
        write_new(&marker, text(FORMAT).as_bytes())?;
    }
    lock(root)?.write_format(root)
}

/// The error of a folder that has other files and no marker.
pub(super) fn not_ours(root: &Path) -> Error {
    let root_name = root.display();
    if root.join("commits").is_dir() && root.join("runs").is_dir() {
        return Error::output(format!(
            "{root_name} has runs and commits of rfmill, but {MARKER} is gone, as if names that begin with a dot had not been copied; copy the output again with `cp -a` or `rsync -aH`, or see what `rfmill verify {root_name}` says"
        ));
    }
    Error::output(format!("{root_name} holds files that rfmill did not write; choose an empty or new folder as --output"))
}

impl Lock {
    /// Whether the folder is still the one that was locked: who replaces it under a run shall not get half of one.
    ///
    /// # Errors
    /// Exit 6 if not.
    pub fn still_ours(&self, root: &Path) -> Result<()> {
        let marker = root.join(MARKER);
        let locked = self.0.metadata().map_err(|e| failed(&marker, e))?;
        match fs::symlink_metadata(&marker) {
            Ok(found) if (found.dev(), found.ino()) == (locked.dev(), locked.ino()) => Ok(()),
            _ => Err(Error::output(format!(
                "{} was removed or replaced while the run was writing it, so nothing is committed; leave the folder in place and run the job again",
                root.display()
            ))),
        }
    }

    /// Writes the form of this version into the marker, unless it is there.
    ///
    /// # Errors
    /// Exit 6.
    pub fn write_format(&self, root: &Path) -> Result<()> {
        let (marker, text) = (root.join(MARKER), text(FORMAT));
        if fs::read(&marker).is_ok_and(|found| found == text.as_bytes()) {
            return Ok(());
        }
        let write = || {
            self.0.write_all_at(text.as_bytes(), 0)?;
            self.0.set_len(text.len() as u64)?;
            self.0.sync_all()
        };
        write().map_err(|e| failed(&marker, e))
    }
}

/// What the marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marked {
    /// There is none.
    Missing,
    /// The folder has this form.
    Format(u32),
    /// The folder has this form, but the text around it is another.
    Changed(u32),
    /// It names no form.
    Unreadable,
}

/// Reads the marker.
pub(super) fn read(root: &Path) -> Marked {
    let Ok(bytes) = fs::read(root.join(MARKER)) else { return Marked::Missing };
    let found = String::from_utf8_lossy(&bytes);
    let format = found.lines().find_map(|line| line.strip_prefix("format = ")?.parse().ok());
    match format {
        Some(format) if bytes == text(format).as_bytes() => Marked::Format(format),
        Some(format) => Marked::Changed(format),
        None => Marked::Unreadable,
    }
}

/// Checks that this version can write the folder.
///
/// # Errors
/// Exit 5 if a newer version wrote it.
pub(super) fn check(root: &Path) -> Result<()> {
    let marker = root.join(MARKER);
    match read(root) {
        Marked::Format(format) | Marked::Changed(format) if format > FORMAT => Err(Error::new(
            Kind::State,
            format!(
                "{} says that the output has format {format}, which a newer rfmill writes; expected at most {FORMAT}. Use that version for this output, or see what `rfmill verify` says of it if there was none",
                marker.display()
            ),
        )),
        _ => Ok(()),
    }
}
