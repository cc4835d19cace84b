//! Why a file cannot be read or written.

use std::fmt;

use crate::error::Error;

/// The class of what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There is no such file.
    Missing,
    /// It is not the one any more that was opened.
    Changed,
    /// It became shorter than it was when it was opened.
    Shorter,
    /// It cannot be read.
    Failed,
}

/// Why a file cannot be read.
#[derive(Debug)]
pub struct ReadError {
    /// The class.
    pub fault: Fault,
    /// What happened and what to do, such as `Permission denied (os error 13); check the file and its permissions`.
    text: String,
    /// The byte at which it happened, if it matters.
    at: Option<u64>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ReadError {
    /// A failure: what happened, and what to do.
    pub fn new(fault: Fault, what: impl fmt::Display, advice: &str) -> ReadError {
        ReadError { fault, text: format!("{what}; {advice}"), at: None, cause: None }
    }

    /// The file is not the one any more that was opened.
    pub fn changed() -> ReadError {
        ReadError::new(Fault::Changed, "it changed while it was read", "run again when its writer has finished")
    }

    /// The file became shorter.
    pub fn shorter() -> ReadError {
        ReadError::new(Fault::Shorter, "it became shorter while it was read", "run again when its writer has finished")
    }

    /// The same, with the byte at which it happened.
    #[must_use]
    pub fn at(self, byte: u64) -> ReadError {
        ReadError { at: Some(byte), ..self }
    }

    /// The same, with what caused it.
    #[must_use]
    pub fn caused_by(self, cause: impl std::error::Error + Send + Sync + 'static) -> ReadError {
        ReadError { cause: Some(Box::new(cause)), ..self }
    }

    /// The error of the command; `name` is the file as the job names it.
    pub fn of(self, name: &str) -> Error {
        let text = match self.fault {
            Fault::Changed => format!("{name} changed while it was read; run again when its writer has finished"),
            Fault::Shorter => format!("{name} became shorter while it was read; run again when its writer has finished"),
            Fault::Missing | Fault::Failed => match self.at {
                Some(at) => format!("cannot read {name} at byte {at}: {}", self.text),
                None => format!("cannot read {name}: {}", self.text),
            },
        };
        Error::input(text).caused_by(self)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// Why a file cannot be written or removed.
#[derive(Debug)]
pub struct WriteError {
    /// Whether the file may be there all the same, now or later: no answer came.
    pub is_unknown: bool,
    /// What happened and what to do, such as `No space left on device (os error 28); free some space`.
    text: String,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl WriteError {
    /// A failure: what happened, and what to do.
    pub fn new(what: impl fmt::Display, advice: &str) -> WriteError {
        WriteError { is_unknown: false, text: format!("{what}; {advice}"), cause: None }
    }

    /// The same, with what caused it.
    #[must_use]
    pub fn caused_by(self, cause: impl std::error::Error + Send + Sync + 'static) -> WriteError {
        WriteError { cause: Some(Box::new(cause)), ..self }
    }

    /// The same, with whether the file may be there all the same.
    #[must_use]
    pub(super) fn unknown_if(self, is_unknown: bool) -> WriteError {
        WriteError { is_unknown, ..self }
    }

    /// The error of the command (exit 6); `name` is the file as the job names it.
    pub fn of(self, name: &str) -> Error {
        Error::output(format!("cannot write {name}: {}", self.text)).caused_by(self)
    }
}

impl From<ReadError> for WriteError {
    fn from(error: ReadError) -> WriteError {
        WriteError { is_unknown: false, text: error.text, cause: error.cause }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
