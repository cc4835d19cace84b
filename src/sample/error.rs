//! The sentences of errors that several steps of the sample generator share.

use std::fmt::Display;
use std::io;
use std::path::Path;

use parquet::errors::ParquetError;

use crate::error::{Error, Kind};

/// What every failure to write ends with.
const ADVICE: &str = "Check the folder's permissions and the space on the disk, then try again.";

/// A broken promise of the generator (exit 1).
pub(super) fn bug(what: impl Display) -> Error {
    Error::new(
        Kind::Bug,
        format!("The sample generator failed: {what}. This is a bug; please report it with the command that was run."),
    )
}

/// A number of files that the dates of the sample do not allow (exit 2).
pub(super) fn files(files: usize, (from, to): (jiff::civil::Date, jiff::civil::Date), most: usize) -> Error {
    Error::usage(format!(
        "A sample in {files} files was asked for, but one from {from} to {to} can have between 1 and {most}, at most one per day; ask for a number in that range."
    ))
}

/// A folder that cannot be made or read (exit 6, or 7 on a full disk).
pub(super) fn folder(path: &Path, error: io::Error) -> Error {
    let sentence = format!(
        "The folder {} could not be made or read: {error}. Check the path, its permissions and the space on the disk, then try again.",
        path.display()
    );
    Error::new(kind(&error), sentence).caused_by(error)
}

/// A file that cannot be created, renamed or measured (exit 6, or 7 on a full disk).
pub(super) fn file(path: &Path, error: io::Error) -> Error {
    Error::new(kind(&error), format!("The file {} could not be written: {error}. {ADVICE}", path.display())).caused_by(error)
}

/// A file that cannot be encoded or written to (exit 6, or 7 on a full disk).
pub(super) fn parquet(path: &Path, error: ParquetError) -> Error {
    let kind = match &error {
        ParquetError::External(cause) => cause.downcast_ref::<io::Error>().map_or(Kind::Output, kind),
        _ => Kind::Output,
    };
    Error::new(kind, format!("The Parquet file {} could not be written: {error}. {ADVICE}", path.display())).caused_by(error)
}

fn kind(error: &io::Error) -> Kind {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Kind::Resource,
        _ => Kind::Output,
    }
}
