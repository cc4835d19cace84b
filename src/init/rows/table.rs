//! A table of orders: its files, its columns, and how they are stored.

use rfmill_query_request::Encoding;

use crate::error::Result;
use crate::input::input_path::InputPath;
use crate::input::source::Source;

/// How the job file names a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// By paths, relative to the job file.
    Files(Vec<String>),
    /// As a table that has a log.
    Lake {
        /// What the job file calls its format.
        word: &'static str,
        /// Its folder.
        path: String,
    },
}

/// A table that was found: its files, and the columns that they have.
#[derive(Debug)]
pub struct Table {
    /// How the job file names it.
    pub written: Written,
    /// Its files and what their format says.
    pub content: Content,
    /// Its columns.
    pub columns: Vec<Header>,
}

/// The files of a table.
#[derive(Debug)]
pub enum Content {
    /// Parquet, also of a table with a log.
    Parquet(Vec<Source>),
    /// CSV.
    Csv {
        /// The files.
        files: Vec<InputPath>,
        /// How they are written.
        form: CsvForm,
    },
    /// A JSON object per line.
    Ndjson(Vec<InputPath>),
}

/// How CSV files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CsvForm {
    /// What stands between fields.
    pub separator: u8,
    /// The encoding.
    pub encoding: Encoding,
}

/// A column as its files declare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name; of a field of a struct its path, with points.
    pub name: String,
    /// Its type.
    pub stored: Stored,
    /// Whether it is a field of a struct.
    pub is_field: bool,
}

/// How the values of a column are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// As text.
    Text,
    /// In the path, as text.
    Path,
    /// As integers.
    Integer,
    /// As decimals.
    Decimal,
    /// As floats.
    Float,
    /// As booleans.
    Boolean,
    /// As dates.
    Date,
    /// As timestamps.
    Timestamp {
        /// Whether they are instants.
        zoned: bool,
    },
    /// As something that no key of the job takes.
    Other,
}

/// Whether rows of a part are still wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// They are.
    Wanted,
    /// The rest of this part is not.
    NextPart,
}

/// What is called with the values of each row.
pub type Visit<'a> = dyn FnMut(&[Option<&str>]) -> Result<More> + 'a;
