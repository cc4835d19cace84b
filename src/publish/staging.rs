//! The files of a run before its commit.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::files::{Access, failed, link_file, make_folder, write_file};
use super::fsync::{Content, WrittenFile};
use super::interrupt::INTERRUPTS;
use super::manifest::TableFile;
use super::queue::Queue;
use super::upload::{NewObject, ObjectContent, UPLOADS, fetch, remove_below};
use crate::error::Result;
use crate::hash::hex;
use crate::storage::Place;
use crate::tables::EncodedFile;

/// Files that are being written for a run; dropped without a commit, they are removed.
#[derive(Debug)]
pub struct Staging {
    /// The run, or, where it lies in a store, what is put together before it goes there.
    pub(super) folder: PathBuf,
    target: Target,
    /// Folders below it that were made.
    made: Mutex<BTreeSet<PathBuf>>,
    kept: bool,
}

/// Where files go.
#[derive(Debug)]
enum Target {
    /// They are written into the folder.
    Folder(Queue<WrittenFile>),
    /// They become objects below this one.
    Store(Place, Queue<NewObject>),
}

impl Staging {
    /// The files of a run in a folder.
    ///
    /// # Errors
    /// Exit 6 if it cannot be made.
    pub(super) fn new(folder: PathBuf) -> Result<Staging> {
        Staging::with(folder, Target::Folder(Queue::new(1)))
    }

    /// The objects of a run below `run`; what is written piece by piece is put together in a folder.
    ///
    /// # Errors
    /// Exit 6 if it cannot be made.
    pub(super) fn in_store(run: Place, folder: PathBuf) -> Result<Staging> {
        Staging::with(folder, Target::Store(run, Queue::new(UPLOADS)))
    }

    fn with(folder: PathBuf, target: Target) -> Result<Staging> {
        std::fs::create_dir(&folder).map_err(|e| failed(&folder, e))?;
        INTERRUPTS.register(&folder);
        Ok(Staging { folder, target, made: Mutex::default(), kept: false })
    }

    /// Writes a file below the run folder. It is durable and was read back once the run is committed.
    ///
    /// # Errors
    /// Exit 6 if it, or one before it, cannot be written, with the path and what to do.
    pub fn write(&self, path: &str, bytes: Vec<u8>) -> Result<()> {
        INTERRUPTS.check()?;
        let queue = match &self.target {
            Target::Folder(queue) => queue,
            Target::Store(run, queue) => {
                return queue.push(NewObject { place: run.join(path), content: ObjectContent::Bytes(bytes.into()) });
            }
        };
        if let Some(folder) = Path::new(path).parent() {
            self.make(folder)?;
        }
        let access = if holds_ids(path) { Access::Group } else { Access::Umask };
        let path = self.folder.join(path);
        let file = write_file(&path, &bytes, access)?;
        queue.push(WrittenFile { file, path, content: Content::Bytes(bytes) })
    }

    /// Begins a file below the run folder that is written piece by piece, for more than should be in memory at once.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn begin(&self, path: String) -> Result<StagedFile<'_>> {
        INTERRUPTS.check()?;
        if let Some(folder) = Path::new(&path).parent() {
            self.make(folder)?;
        }
        let access = if holds_ids(&path) { Access::Group } else { Access::Umask };
        let file = write_file(&self.folder.join(&path), &[], access)?;
        Ok(StagedFile { staging: self, file, path, sha256: Sha256::new(), rows: 0, bytes: 0 })
    }

    /// Links a file that is there into the run folder; an object is copied.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(super) fn link(&self, from: &Place, path: &str) -> Result<()> {
        INTERRUPTS.check()?;
        if let Some(folder) = Path::new(path).parent() {
            self.make(folder)?;
        }
        let to = self.folder.join(path);
        match from {
            Place::Local(from) => link_file(from, &to),
            Place::Object(_) => fetch(from, &to),
        }
    }

    /// Takes a file that another process has written for the run: links it, or lets its store copy it. `false` if neither can
    /// be, because one of the two lies on a disk and the other in a store. A linked file was read back once the run is committed.
    ///
    /// # Errors
    /// As [`Self::write`]; one that is not what `file` says is told of no later than at the commit.
    pub fn take(&self, from: &Place, file: &TableFile) -> Result<bool> {
        INTERRUPTS.check()?;
        let (queue, from) = match (&self.target, from) {
            (Target::Folder(queue), Place::Local(from)) => (queue, from),
            (Target::Store(run, queue), Place::Object(_)) => {
                let content = ObjectContent::Object(from.clone(), file.clone());
                return queue.push(NewObject { place: run.join(&file.path), content }).map(|()| true);
            }
            _ => return Ok(false),
        };
        if let Some(folder) = Path::new(&file.path).parent() {
            self.make(folder)?;
        }
        let path = self.folder.join(&file.path);
        link_file(from, &path)?;
        let opened = File::open(&path).map_err(|e| failed(&path, e))?;
        queue.push(WrittenFile { file: opened, path, content: Content::Sha256(file.sha256.clone()) })?;
        Ok(true)
    }

    /// Makes a folder with those above it, once. Only what lies below the run is made: where the output folder is gone, no part
    /// of it comes back.
    fn make(&self, folder: &Path) -> Result<()> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.contains(folder) {
            return Ok(());
        }
        let above: Vec<&Path> = folder.ancestors().filter(|p| !p.as_os_str().is_empty()).collect();
        for folder in above.into_iter().rev() {
            make_folder(&self.folder.join(folder))?;
            made.insert(folder.to_owned());
        }
        Ok(())
    }

    /// Writes a file and says what the manifest has to know of it.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn put(&self, path: String, encoded: EncodedFile) -> Result<TableFile> {
        let EncodedFile { bytes, sha256, rows } = encoded;
        let file = TableFile { path, rows, bytes: bytes.len() as u64, sha256 };
        self.write(&file.path, bytes)?;
        Ok(file)
    }

    /// Waits until every file is durable and was read back.
    ///
    /// # Errors
    /// Exit 6 if that fails for one.
    pub(super) fn drain(&mut self) -> Result<()> {
        match &mut self.target {
            Target::Folder(queue) => queue.drain(),
            Target::Store(_, queue) => queue.drain(),
        }
    }

    /// The folder stays: it is committed, or nobody knows whether it is.
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }
}

/// A file of a run that is written piece by piece.
#[derive(Debug)]
pub struct StagedFile<'a> {
    staging: &'a Staging,
    file: File,
    path: String,
    sha256: Sha256,
    rows: u64,
    bytes: u64,
}

impl StagedFile<'_> {
    /// Appends bytes that hold some rows.
    ///
    /// # Errors
    /// Exit 6 if they cannot be written.
    pub fn append(&mut self, bytes: &[u8], rows: u64) -> Result<()> {
        INTERRUPTS.check()?;
        self.file.write_all(bytes).map_err(|e| failed(&self.staging.folder.join(&self.path), e))?;
        self.sha256.update(bytes);
        self.rows += rows;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Rows appended so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends the file and says what the manifest has to know of it. It is durable and was read back once the run is committed.
    ///
    /// # Errors
    /// Exit 6 if it, or one before it, cannot be made durable.
    pub fn end(self) -> Result<TableFile> {
        let sha256 = hex(&self.sha256.finalize());
        let path = self.staging.folder.join(&self.path);
        match &self.staging.target {
            Target::Folder(queue) => {
                queue.push(WrittenFile { file: self.file, path, content: Content::Sha256(sha256.clone()) })?;
            }
            Target::Store(run, queue) => {
                queue.push(NewObject { place: run.join(&self.path), content: ObjectContent::File(path) })?;
            }
        }
        Ok(TableFile { path: self.path, rows: self.rows, bytes: self.bytes, sha256 })
    }
}

/// Whether a file of a run holds ids of customers.
fn holds_ids(path: &str) -> bool {
    let mut parts = path.split('/');
    match parts.next() {
        Some("customers" | "movers" | "state_history") => true,
        Some("report") => parts.next().is_some_and(|name| name.starts_with("crm")),
        _ => false,
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_dir_all(&self.folder);
            if let Target::Store(run, queue) = &mut self.target {
                let _ = queue.drain();
                remove_below(run);
            }
        }
        INTERRUPTS.unregister(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::holds_ids;

    #[test]
    fn files_with_a_row_per_customer_hold_ids() {
        for path in
            ["customers/as_of=2024-12-31/part-000.parquet", "movers/as_of=2024-12-31/part-001.parquet", "report/crm-001.csv"]
        {
            assert!(holds_ids(path), "{path}");
        }
        for path in
            ["segments.parquet", "partitions/segments/as_of=2024-12-31/segments.parquet", "report/index.html", "manifest.json"]
        {
            assert!(!holds_ids(path), "{path}");
        }
    }
}
