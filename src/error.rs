//! The one error type of the program.
//!
//! An error is a kind, which fixes the exit code, and one full sentence for the person who must act: the file,
//! the column and the row where there is one, what was found, what was expected and what to do next.

use std::fmt;
use std::io;
use std::sync::Arc;

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

/// Result with the program's error.
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

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 9] = [
        Kind::Bug,
        Kind::Usage,
        Kind::Contract,
        Kind::Input,
        Kind::State,
        Kind::Output,
        Kind::Resource,
        Kind::Locked,
        Kind::Unknown,
    ];

    /// The kind whose exit code this is.
    pub fn of_exit_code(code: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.exit_code() == code)
    }

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

impl Kind {
    /// The word for the kind, in log lines and documents.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Bug => "bug",
            Kind::Usage => "usage",
            Kind::Contract => "contract",
            Kind::Input => "input",
            Kind::State => "state",
            Kind::Output => "output",
            Kind::Resource => "resource",
            Kind::Locked => "locked",
            Kind::Unknown => "unknown",
        }
    }
}

/// An error: its kind, its sentence, and the error of a library or of the system that caused it, if one did.
#[derive(Debug, Clone)]
pub struct Error(Box<Content>);

#[derive(Debug, Clone)]
struct Content {
    kind: Kind,
    message: String,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` that says `message`.
    #[cold]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error(Box::new(Content { kind, message: message.into(), cause: None }))
    }

    /// The same error with what caused it, from which [`Limit::behind`] learns more than the sentence tells.
    #[cold]
    pub fn caused_by(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.cause = Some(Arc::new(cause));
        self
    }

    /// A broken invariant of the program (exit 1).
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
        self.0.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

/// Errors are equal if they say the same, whatever caused them.
impl PartialEq for Error {
    fn eq(&self, other: &Error) -> bool {
        (self.0.kind, &self.0.message) == (other.0.kind, &other.0.message)
    }
}

impl Eq for Error {}

/// A limit of the system that the program ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Memory.
    Memory,
    /// Open files.
    OpenFiles,
}

impl Limit {
    /// The limit that an error or one of its causes reports, judged by their types and codes.
    pub fn behind(error: &(dyn std::error::Error + 'static)) -> Option<Limit> {
        let mut next = Some(error);
        while let Some(error) = next {
            let limit = Limit::reported_by(error);
            if limit.is_some() {
                return limit;
            }
            // The source of an I/O error is that of the error it wraps, which would be passed over.
            let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            next = wrapped.map(|e| e as &(dyn std::error::Error + 'static)).or_else(|| error.source());
        }
        None
    }

    fn reported_by(error: &(dyn std::error::Error + 'static)) -> Option<Limit> {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return match (error.raw_os_error(), error.kind()) {
                (Some(libc::EMFILE | libc::ENFILE), _) => Some(Limit::OpenFiles),
                (_, io::ErrorKind::OutOfMemory) => Some(Limit::Memory),
                // Zstandard's error 64, which its crate passes on as text of kind `Other`.
                (None, io::ErrorKind::Other) if error.to_string() == ZSTD_OUT_OF_MEMORY => Some(Limit::Memory),
                _ => None,
            };
        }
        // The Arrow reader of the Parquet library turns every error of that library into text. No path is part of such a
        // text, because the library reads from open files.
        let text = match (error.downcast_ref::<ParquetError>(), error.downcast_ref::<ArrowError>()) {
            (Some(ParquetError::General(text) | ParquetError::ArrowError(text)), _) => text,
            (_, Some(ArrowError::ParquetError(text))) => text,
            (_, Some(ArrowError::MemoryError(_))) => return Some(Limit::Memory),
            _ => return None,
        };
        library_text_reports_memory(text).then_some(Limit::Memory)
    }
}

/// The name of Zstandard's error 64.
const ZSTD_OUT_OF_MEMORY: &str = "Allocation error : not enough memory";

/// Whether the text of a library reports that the system refused it memory. This is only for texts that a library gives in
/// place of an error, which are panics and the errors of [`Limit::reported_by`]: Zstandard panics over a null pointer, and the
/// others are the texts of `io::ErrorKind::OutOfMemory`, of `TryReserveError` and of ENOMEM. A sentence of this program may
/// contain a path, and a path may contain anything.
pub fn library_text_reports_memory(text: &str) -> bool {
    ["zstd returned null pointer", ZSTD_OUT_OF_MEMORY, "out of memory", "memory allocation failed", "(os error 12)"]
        .iter()
        .any(|part| text.contains(part))
}

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

    /// `docs/ERRORS.md` and its Chinese pages explain every kind, under its code, in each language: what happened, what was written, what to do.
    #[test]
    fn every_kind_is_explained_in_every_language() {
        for page in ["ERRORS.md", "zh/ERRORS.md", "zh-Hant/ERRORS.md"] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
            let doc = std::fs::read_to_string(path).expect("the doc");
            for kind in Kind::ALL {
                let row = format!("| `{}` | {} | ", kind.name(), kind.exit_code());
                let explained = doc.lines().find_map(|line| line.strip_prefix(&row)?.strip_suffix(" |"));
                let cells: Vec<&str> = explained.map(|cells| cells.split(" | ").collect()).unwrap_or_default();
                assert_eq!(cells.iter().filter(|cell| !cell.trim().is_empty()).count(), 3, "{row} in {page}");
            }
        }
    }

    #[test]
    fn limits_are_told_by_code_and_kind_through_all_causes() {
        let code = io::Error::from_raw_os_error;
        let read = |cause: io::Error| Error::input(format!("cannot read a.parquet: {cause}")).caused_by(cause);
        assert_eq!(Limit::behind(&read(code(libc::EMFILE))), Some(Limit::OpenFiles));
        assert_eq!(Limit::behind(&read(code(libc::ENOMEM))), Some(Limit::Memory));
        assert_eq!(Limit::behind(&read(io::ErrorKind::OutOfMemory.into())), Some(Limit::Memory));
        assert_eq!(Limit::behind(&read(io::Error::other(ZSTD_OUT_OF_MEMORY))), Some(Limit::Memory));
        assert_eq!(Limit::behind(&read(code(libc::ENOENT))), None);
        let within = Error::input("b").caused_by(ParquetError::from(io::Error::other(read(code(libc::ENFILE)))));
        assert_eq!(Limit::behind(&within), Some(Limit::OpenFiles));
        let as_text = ArrowError::from(ParquetError::from(code(libc::ENOMEM)));
        assert_eq!(Limit::behind(&Error::input("c").caused_by(as_text)), Some(Limit::Memory));
    }

    #[test]
    fn no_path_is_taken_for_a_limit() {
        let path = "out of memory (os error 24)/zstd returned null pointer/a.parquet";
        let missing = io::Error::from_raw_os_error(libc::ENOENT);
        let error = Error::input(format!("cannot read {path}: {missing}; check the path")).caused_by(missing);
        assert_eq!(Limit::behind(&error), None);
    }

    #[test]
    fn suggests_only_what_is_near() {
        let columns = ["customer_id", "ordered_at", "amount"];
        assert_eq!(nearest("custmer_id", columns), Some("customer_id"));
        assert_eq!(nearest("Amount", columns), Some("amount"));
        assert_eq!(nearest("zzz", columns), None);
    }
}
