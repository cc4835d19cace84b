//! Failures: what the engine says, as a sentence for who must act.

use std::io;

use polars::error::PolarsError;
use rfmill_query_request::{Failure, FailureKind};

/// Result with a failure.
pub type Result<T> = std::result::Result<T, Failure>;

/// A wrong query or job file.
pub fn usage(sentence: impl Into<String>) -> Failure {
    Failure { kind: FailureKind::Usage, sentence: sentence.into() }
}

/// Data that break their contract.
pub fn contract(sentence: impl Into<String>) -> Failure {
    Failure { kind: FailureKind::Contract, sentence: sentence.into() }
}

/// A file that cannot be read.
pub fn input(sentence: impl Into<String>) -> Failure {
    Failure { kind: FailureKind::Input, sentence: sentence.into() }
}

/// A file that cannot be read, or written into the scratch folder.
pub fn io(what: &str, error: &io::Error) -> Failure {
    let kind = match error.raw_os_error() {
        // ENOMEM, ENFILE, EMFILE, ENOSPC, EDQUOT.
        Some(12 | 23 | 24 | 28 | 122) => FailureKind::Resource,
        _ => FailureKind::Input,
    };
    Failure { kind, sentence: format!("cannot {what}: {error}; check the disk and run again") }
}

/// What the engine says of a query, as it is planned or as it runs.
pub fn engine(key: &str, error: &PolarsError) -> Failure {
    match error {
        PolarsError::Context { error, .. } | PolarsError::ExprContext { error, .. } => engine(key, error),
        PolarsError::IO { error, .. } => io(&format!("read or write what {key} needs"), error),
        PolarsError::ColumnNotFound(what) | PolarsError::SchemaFieldNotFound(what) | PolarsError::StructFieldNotFound(what) => {
            // "unable to find column …; valid columns: …", and perhaps a guess below.
            usage(format!("{key}: {}; upper and lower case count", what.replace("\n\n", "; ").trim_end_matches('?')))
        }
        PolarsError::SQLInterface(what) | PolarsError::SQLSyntax(what) => {
            usage(format!("{key} cannot be run: {}", first_line(what)))
        }
        PolarsError::ComputeError(what) | PolarsError::SchemaMismatch(what) => contract(format!("{key}: {}", first_line(what))),
        PolarsError::InvalidOperation(what) if bad_cast(what).is_some() => contract(format!("{key}: {}", first_line(what))),
        other => usage(format!("{key} cannot be run: {}", first_line(&other.to_string()))),
    }
}

/// The first line of what the engine says; the others are advice for its own users.
fn first_line(text: &str) -> &str {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or(text).trim_end_matches([':', '.'])
}

/// What could not be cast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadCast {
    /// The column, before the cast.
    pub column: String,
    /// The type it was to have.
    pub to: String,
    /// The first values that have no such meaning.
    pub values: Vec<String>,
}

/// What a message of the engine says of a failed cast: "conversion from `str` to `i64` failed in column 'a' for 2 out of 9 values:
/// ["x", "y"]".
pub fn bad_cast(message: &str) -> Option<BadCast> {
    let rest = message.split_once("conversion from `")?.1;
    let to = rest.split_once("` to `")?.1.split_once('`')?.0.to_owned();
    let rest = rest.split_once(" failed in column '")?.1;
    let (column, rest) = rest.split_once("' for ")?;
    let list = rest.split_once('[')?.1;
    let mut values = Vec::new();
    let mut text = list;
    while let Some((value, after)) = text.strip_prefix('"').map_or_else(|| plain(text), quoted) {
        values.push(value);
        text = after.trim_start_matches(", ");
    }
    Some(BadCast { column: column.to_owned(), to, values })
}

/// A value without quotes, and what follows.
fn plain(text: &str) -> Option<(String, &str)> {
    let end = text.find([',', ']']).filter(|end| *end > 0)?;
    Some((text[..end].to_owned(), &text[end..]))
}

/// The text up to the closing quote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => out.push(chars.next()?.1),
            c => out.push(c),
        }
    }
    None
}

/// The error of the engine that others wrap.
pub fn root(error: &PolarsError) -> &PolarsError {
    match error {
        PolarsError::Context { error, .. } | PolarsError::ExprContext { error, .. } => root(error),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_are_read_from_messages() {
        let message =
            "conversion from `str` to `i64` failed in column 'a b' for 2 out of 9 values: [\"x\", \"y \\\" z\"]\n\nDid not";
        let want = BadCast { column: "a b".into(), to: "i64".into(), values: vec!["x".into(), "y \" z".into()] };
        assert_eq!(bad_cast(message), Some(want));
        let message = "conversion from `f64` to `i64` failed in column 'a' for 1 out of 2 values: [9.22e18, null]";
        let want = BadCast { column: "a".into(), to: "i64".into(), values: vec!["9.22e18".into(), "null".into()] };
        assert_eq!(bad_cast(message), Some(want));
        assert_eq!(bad_cast("something else"), None);
    }
}
