//! Writing objects: created on the condition that there is none, so that of several writers one succeeds.

use std::error::Error as _;
use std::fs::File;
use std::io::Read;
use std::path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::client::{HttpError, HttpErrorKind};
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload};

use super::created::Created;
use super::fault::WriteError;
use super::object::{ObjectUrl, PATIENCE};
use super::runtime::wait_for;

/// Most bytes of an object: what Amazon and Azure take in one request. An upload in several has no condition with all of them.
pub const MOST_BYTES: u64 = 5_000_000_000;

/// Most bytes of an object that is written within the time of a small request: 140 kB a second.
const SMALL: usize = 4 << 20;

/// Bytes of a part of an upload: 10,000 parts are the most that Amazon takes.
const PART: usize = 32 << 20;

/// How many times longer a larger one may take at most: the largest object, at 1.3 MB a second.
const MOST_TIMES: usize = 128;

/// Requests whose answer is lost, or contradicts what is there, before the write fails.
const TRIES: u32 = 5;

/// The wait after the first of them; it doubles from one to the next.
const PAUSE: Duration = Duration::from_millis(100);

impl ObjectUrl {
    /// Creates the object unless there is one.
    pub(super) fn create(&self, bytes: Bytes) -> Result<Created, WriteError> {
        let (store, path) = (self.store_for(&bytes)?, self.path()?);
        self.answered(async || match store.put_opts(&path, PutPayload::from(bytes.clone()), PutMode::Create.into()).await {
            Ok(_) => Ok(Some(Created::New)),
            // A store also refuses what others create or remove at the same time, which may come to nothing.
            Err(Error::AlreadyExists { .. }) => match store.head(&path).await {
                Ok(_) => Ok(Some(Created::Existed)),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        })
    }

    /// Uploads a file in parts, so that it may be of any size; no other writer may use the name.
    pub(super) fn take(&self, file: &path::Path) -> Result<(), WriteError> {
        let unread =
            |e: std::io::Error| WriteError::new(format!("{} cannot be read: {e}", file.display()), "check the disk").caused_by(e);
        let mut reader = File::open(file).map_err(unread)?;
        let (store, key) = (self.store_within(patience(PART))?, self.path()?);
        let mut upload =
            wait_for(async { Ok::<_, WriteError>(store.put_multipart(&key).await) })?.map_err(|e| self.unwritten(e))?;
        let mut send = || -> Result<(), WriteError> {
            loop {
                let mut part = Vec::new();
                reader.by_ref().take(PART as u64).read_to_end(&mut part).map_err(unread)?;
                if part.is_empty() {
                    break;
                }
                let sent = upload.put_part(PutPayload::from(part));
                wait_for(async { Ok::<_, WriteError>(sent.await) })?.map_err(|e| self.unwritten(e))?;
            }
            wait_for(async { Ok::<_, WriteError>(upload.complete().await) })?.map_err(|e| self.unwritten(e))?;
            Ok(())
        };
        let sent = send();
        if sent.is_err() {
            // Parts of an upload that does not end cost money.
            let _ = wait_for(async { Ok::<_, WriteError>(upload.abort().await) });
        }
        sent
    }

    /// Lets the store copy another object of the bucket here.
    pub(super) fn copy(&self, from: &ObjectUrl) -> Result<(), WriteError> {
        let (store, from, to) = (self.store_within(patience(MOST_BYTES as usize))?, from.path()?, self.path()?);
        self.answered(async || store.copy(&from, &to).await.map(Some))
    }

    /// Puts the object in the place of any that is there.
    pub(super) fn replace(&self, bytes: Bytes) -> Result<(), WriteError> {
        let (store, path) = (self.store_for(&bytes)?, self.path()?);
        self.answered(async || store.put(&path, PutPayload::from(bytes.clone())).await.map(|_| Some(())))
    }

    /// Removes the object, if it is there.
    pub(super) fn delete(&self) -> Result<(), WriteError> {
        let (store, path) = (self.store_within(PATIENCE)?, self.path()?);
        self.answered(async || match store.delete(&path).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(Some(())),
            Err(error) => Err(error),
        })
    }

    /// The answer to a request. It is repeated where none came, or one that says nothing; the client repeats all other requests.
    fn answered<T>(&self, ask: impl AsyncFn() -> object_store::Result<Option<T>>) -> Result<T, WriteError> {
        let (mut tries, mut was_lost) = (0, false);
        loop {
            tries += 1;
            match wait_for(async { Ok::<_, WriteError>(ask().await) })? {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) if tries < TRIES => {}
                Ok(None) => {
                    let error = WriteError::new("the store says that it is there, and has none", "run again");
                    return Err(error.unknown_if(was_lost));
                }
                Err(error) if is_lost(&error) && tries < TRIES => was_lost = true,
                Err(error) => {
                    let error = self.unwritten(error);
                    let is_unknown = error.is_unknown || was_lost;
                    return Err(error.unknown_if(is_unknown));
                }
            }
            std::thread::sleep(PAUSE * 2_u32.pow(tries));
        }
    }

    /// The client for an object of this size.
    fn store_for(&self, bytes: &Bytes) -> Result<Arc<dyn ObjectStore>, WriteError> {
        if bytes.len() as u64 > MOST_BYTES {
            let what = format!("it has {} bytes, and a store takes at most {MOST_BYTES} at once", bytes.len());
            return Err(WriteError::new(what, "write smaller files"));
        }
        Ok(self.store_within(patience(bytes.len()))?)
    }

    fn unwritten(&self, error: Error) -> WriteError {
        // What the client gave up after repeating it may have been done, too.
        let is_unknown = matches!(error, Error::Generic { .. } | Error::JoinError { .. });
        let (what, advice) = match &error {
            Error::PermissionDenied { .. } => {
                ("the store denies it", "check that the credentials may write, read, list and remove objects below this key")
            }
            Error::NotImplemented { .. } => {
                ("the store creates no object on the condition that there is none", "choose another store or a local folder")
            }
            _ => return WriteError::from(self.fault(error)).unknown_if(is_unknown),
        };
        WriteError::new(what, advice).caused_by(error)
    }
}

/// How long it may take to write this number of bytes. Each of a few times has a client of its own.
fn patience(bytes: usize) -> Duration {
    let times = bytes.div_ceil(SMALL).next_power_of_two().min(MOST_TIMES);
    PATIENCE * u32::try_from(times).unwrap_or(1)
}

/// Whether the request may have been done although no answer came.
fn is_lost(error: &Error) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(error) = cause.downcast_ref::<HttpError>() {
            return !matches!(error.kind(), HttpErrorKind::Connect | HttpErrorKind::Request);
        }
        next = cause.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_objects_have_longer() {
        let seconds = |bytes: usize| patience(bytes).as_secs();
        assert_eq!([0, 1, 4 << 20, (4 << 20) + 1, 16 << 20, 17 << 20].map(seconds), [30, 30, 30, 60, 120, 240]);
        assert_eq!(seconds(MOST_BYTES as usize), 3840);
    }
}
