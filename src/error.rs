//! The one error type of the program.
//!
//! An error is a kind, which fixes the exit code, and one full sentence for the person who must act: the file,
//! the column and the row where there is one, what was found, what was expected and what to do next.

use std::fmt;

/// Result with the program's own error.
pub type Result<T> = std::result::Result<T, Error>;

/// Who must act, and with that the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The program itself is wrong (exit 1).
    Bug,
    /// The command line or the job file is wrong (exit 2).
    Usage,
    /// The data break their contract (exit 3).
    Contract,
    /// Input is missing, unreadable, corrupt or changed while it was read (exit 4).
    Input,
    /// Stored state is unusable (exit 5).
    State,
    /// Output cannot be written (exit 6).
    Output,
    /// A limit of memory, disk or descriptors was reached (exit 7).
    Resource,
    /// Another run holds the output (exit 8).
    Locked,
    /// The outcome of the commit is unknown (exit 9).
    Unknown,
}

/// Whether what a library says means that the system refused it memory: zstd by panicking over a null pointer or by its
/// error 64, the standard library by the texts of `io::ErrorKind::OutOfMemory`, of `TryReserveError` and of ENOMEM.
pub fn tells_of_memory(message: &str) -> bool {
    ["zstd returned null pointer", "not enough memory", "out of memory", "memory allocation failed", "(os error 12)"]
        .iter()
        .any(|text| message.contains(text))
}

impl Kind {
    /// The exit code of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Bug => 1,
            Kind::Usage => 2,
            Kind::Contract => 3,
            Kind::Input => 4,
            Kind::State => 5,
            Kind::Output => 6,
            Kind::Resource => 7,
            Kind::Locked => 8,
            Kind::Unknown => 9,
        }
    }
}

/// An error: its kind and its sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
}

impl Error {
    /// An error of `kind` that says `message`.
    #[cold]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into() }
    }

    /// A broken invariant of our own (exit 1).
    #[cold]
    pub fn bug(what: impl fmt::Display) -> Self {
        Self::new(Kind::Bug, format!("{what}. This is a bug in rfmill; please report it with the job file"))
    }

    /// A wrong command line or job file (exit 2).
    #[cold]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Data that break their contract (exit 3).
    #[cold]
    pub fn contract(message: impl Into<String>) -> Self {
        Self::new(Kind::Contract, message)
    }

    /// Input that is missing, unreadable or corrupt (exit 4).
    #[cold]
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(Kind::Input, message)
    }

    /// Output that cannot be written (exit 6).
    #[cold]
    pub fn output(message: impl Into<String>) -> Self {
        Self::new(Kind::Output, message)
    }

    /// The kind of the error.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The nearest of `candidates` to a misspelt `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|c| {
            // The beginning of a name is meant as that name: recency as recency_days.
            let begins = word.len() > 3 && c.starts_with(word);
            (if begins { 1 } else { strsim::damerau_levenshtein(&word.to_lowercase(), &c.to_lowercase()) }, c)
        })
        .filter(|(distance, c)| *distance <= 1 + c.chars().count().max(word.chars().count()) / 3)
        .min()
        .map(|(_, c)| c)
}

/// `did you mean "x"?` as a trailing clause, or nothing.
pub fn suggestion<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map(|c| format!("; did you mean {c:?}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_what_is_near() {
        let columns = ["customer_id", "ordered_at", "amount"];
        assert_eq!(nearest("custmer_id", columns), Some("customer_id"));
        assert_eq!(nearest("Amount", columns), Some("amount"));
        assert_eq!(nearest("zzz", columns), None);
    }
}
