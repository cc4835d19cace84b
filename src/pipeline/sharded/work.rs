//! The place where the tasks of a run leave what later stages read.

use std::path::Path;

use bytes::Bytes;

use crate::error::{Error, Kind, Result};
use crate::storage::{Created, Fault, OpenFile, Place, nonce};
use crate::wire::{self, Travels};

/// A folder or a prefix of a store that all tasks of a run see. Its objects are created, never replaced.
#[derive(Debug, Clone)]
pub struct WorkPlace(Place);

impl WorkPlace {
    /// The place that a text names: `s3://bucket/prefix`, or a path, from `folder` on if it is relative.
    pub fn of(written: &str, folder: &Path) -> WorkPlace {
        WorkPlace(Place::of(written, folder))
    }

    /// A place on a disk.
    pub fn local(&self) -> Option<&Path> {
        self.0.local()
    }

    /// As the command line takes it.
    pub fn written(&self) -> String {
        self.0.to_string()
    }

    /// An object, as errors name it.
    pub fn name_of(&self, object: &str) -> String {
        format!("{} (--work)", self.0.join(object))
    }

    /// Creates an object, or finds that an equal task has created it.
    ///
    /// # Errors
    /// Exit 6 if it cannot be written.
    pub fn create(&self, object: &str, bytes: Vec<u8>) -> Result<Created> {
        self.0.join(object).create(Bytes::from(bytes)).map_err(|error| error.of(&self.name_of(object)))
    }

    /// Creates an object that holds a value.
    ///
    /// # Errors
    /// Exit 6 if it cannot be written.
    pub fn put<T: Travels>(&self, object: &str, value: T) -> Result<()> {
        self.create(object, wire::write(value)?).map(drop)
    }

    /// Moves a file here, under a name below `folder` that no other task gives, which is returned.
    ///
    /// # Errors
    /// Exit 6 if it cannot be written.
    pub fn take_file(&self, file: &Path, folder: &str) -> Result<String> {
        let object = format!("{folder}/{}", nonce()?);
        self.0.join(&object).take(file).map_err(|error| error.of(&self.name_of(&object)))?;
        Ok(object)
    }

    /// Where an object lies.
    pub fn place(&self, object: &str) -> Place {
        self.0.join(object)
    }

    /// Opens an object.
    ///
    /// # Errors
    /// Exit 5 if there is none, exit 4 if it cannot be read.
    pub fn open(&self, object: &str) -> Result<OpenFile> {
        self.0.join(object).open().map_err(|error| match error.fault {
            Fault::Missing => Error::new(
                Kind::State,
                format!(
                    "{} is not there; run the task that writes it, and check that every task sees the same place",
                    self.name_of(object)
                ),
            ),
            _ => error.of(&self.name_of(object)),
        })
    }

    /// All bytes of an object.
    ///
    /// # Errors
    /// As [`WorkPlace::open`].
    pub fn read(&self, object: &str) -> Result<Vec<u8>> {
        let file = self.open(object)?;
        let mut bytes = vec![0; file.state.size as usize];
        file.read_exact_at(&mut bytes, 0).map_err(|error| error.of(&self.name_of(object)))?;
        Ok(bytes)
    }

    /// The value that an object holds.
    ///
    /// # Errors
    /// As [`WorkPlace::open`], and exit 5 if it is damaged or of another version.
    pub fn get<T: Travels>(&self, object: &str) -> Result<T> {
        wire::read(&self.read(object)?, &self.name_of(object))
    }

    /// Whether there is an object.
    ///
    /// # Errors
    /// Exit 4 if that cannot be told.
    pub fn has(&self, object: &str) -> Result<bool> {
        match self.0.join(object).state() {
            Ok(_) => Ok(true),
            Err(error) if error.fault == Fault::Missing => Ok(false),
            Err(error) => Err(error.of(&self.name_of(object))),
        }
    }

    /// The names of the objects below a folder, ascending.
    ///
    /// # Errors
    /// Exit 4 if they cannot be listed.
    pub fn list(&self, folder: &str) -> Result<Vec<String>> {
        let place = if folder.is_empty() { self.0.clone() } else { self.0.join(folder) };
        let objects = place.list().map_err(|error| error.of(&self.name_of(folder)))?;
        Ok(objects.into_iter().map(|object| object.key).collect())
    }

    /// A place below this one.
    pub fn below(&self, name: &str) -> WorkPlace {
        WorkPlace(self.0.join(name))
    }

    /// Removes an object; it may be gone already.
    ///
    /// # Errors
    /// Exit 6 if it cannot be removed.
    pub fn remove(&self, object: &str) -> Result<()> {
        self.0.join(object).delete().map_err(|error| error.of(&self.name_of(object)))
    }

    /// Removes everything below this place, and its folder.
    ///
    /// # Errors
    /// Exit 4 if the objects cannot be listed; exit 6 if one cannot be removed.
    pub fn clear(&self) -> Result<()> {
        self.list("")?.iter().try_for_each(|object| self.remove(object))?;
        if let Some(folder) = self.local() {
            // What is left are empty folders.
            let _ = std::fs::remove_dir_all(folder);
        }
        Ok(())
    }

    /// Removes the folder, if it is empty.
    pub fn remove_if_empty(&self) {
        if let Some(folder) = self.local() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}
