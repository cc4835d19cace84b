//! Damaged files: panics of the Parquet library are caught, and every failure becomes an error that names the file.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::errors::ParquetError;

use crate::error::{Error, Kind, Limit, Result, library_text_reports_memory};

/// What the Parquet library says, in text alone, of a page whose checksum is wrong.
const CHECKSUM_MISMATCH: &str = "Page CRC checksum mismatch";

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread runs code whose panics are turned into errors; the panic hook is silent then.
pub fn panics_are_contained() -> bool {
    CONTAINED.get()
}

/// Runs `work` on a file; a panic of a library, which some damaged files cause, becomes exit 4.
pub(crate) fn contained<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = CONTAINED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(before);
    outcome.unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(if message.is_some_and(library_text_reports_memory) {
            no_memory(name)
        } else {
            corrupt(name, "its content contradicts itself")
        })
    })
}

/// The error for a damaged file.
pub(crate) fn corrupt(name: &str, what: impl std::fmt::Display) -> Error {
    Error::input(format!("{name} is damaged: {what}; write the file again or restore it from its source"))
}

/// The error for a sound file that the system had no memory for.
fn no_memory(name: &str) -> Error {
    let what = format!("the system refused memory to decode {name}; use fewer --threads, or raise the limit (ulimit -v)");
    Error::new(Kind::Resource, what)
}

/// The error for what the Parquet library says of a file.
pub(crate) fn unreadable(name: &str, error: ParquetError) -> Error {
    let sentence = if Limit::behind(&error) == Some(Limit::Memory) {
        no_memory(name)
    } else if matches!(&error, ParquetError::General(text) if text == CHECKSUM_MISMATCH) {
        corrupt(name, format_args!("a page does not match its checksum ({error})"))
    } else {
        corrupt(name, &error)
    };
    sentence.caused_by(error)
}

/// The error for what a library says while it decodes a row group.
pub(crate) fn undecodable(name: &str, row_group: usize, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let sentence = if Limit::behind(&error) == Some(Limit::Memory) {
        no_memory(name)
    } else {
        corrupt(name, format_args!("row group {row_group} cannot be decoded ({error})"))
    };
    sentence.caused_by(error)
}

#[cfg(test)]
mod tests {
    use parquet::errors::ParquetError;

    use super::{contained, undecodable, unreadable};
    use crate::error::{Kind, Result};

    #[test]
    fn too_little_memory_is_no_damage() {
        for (message, kind) in [
            ("zstd returned null pointer when creating new context", Kind::Resource),
            ("Allocation error : not enough memory", Kind::Resource),
            ("range end index 9 out of range for slice of length 8", Kind::Input),
        ] {
            let raised = || ParquetError::General(message.to_owned());
            let panicked: Result<()> = contained("a.parquet", || std::panic::panic_any(message.to_owned()));
            assert_eq!(panicked.map_err(|error| error.kind()), Err(kind), "{message}");
            assert_eq!(unreadable("a.parquet", raised()).kind(), kind, "{message}");
            assert_eq!(undecodable("a.parquet", 0, raised()).kind(), kind, "{message}");
        }
    }
}
