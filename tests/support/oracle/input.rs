//! What is read: cells, columns, rows and files.

use crate::support::calendar::TimeUnit;

/// One cell of an input row. The column's [`Kind`] says which variants are legal in it.
#[derive(Clone, Debug)]
pub enum Value {
    Null,
    /// An integer of any width.
    Int(i128),
    Text(String),
    /// The unscaled number of a decimal; the column knows its scale.
    Decimal(i128),
    /// A float; the value of a 32-bit column is widened, which is exact.
    Float(f64),
    /// Days since 1970-01-01.
    Date(i64),
    /// The raw number of a timestamp; the column knows its unit.
    Timestamp(i64),
}

/// How the strings of a text column are stored; it never changes a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEncoding {
    Plain,
    /// Strings with 64-bit offsets.
    Large,
    Dictionary,
}

/// The logical type of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 8, 16, 32 or 64 bits.
    Int {
        bits: u8,
        signed: bool,
    },
    Text(TextEncoding),
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// 32 or 64 bits.
    Float {
        bits: u8,
    },
    Date,
    /// With a zone the raw number is an instant (whatever the zone is called), without one it is wall-clock time.
    Timestamp {
        unit: TimeUnit,
        zone: Option<String>,
    },
}

/// Name and type of a column; all files of a case have the same columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    pub name: String,
    pub kind: Kind,
}

/// The cells of one row, in the order of [`Input::columns`].
pub type Row = Vec<Value>;

/// One input file.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// File name without a folder; files are taken in the bytewise order of their names.
    pub name: String,
    pub rows: Vec<Row>,
}

/// Everything that is read.
#[derive(Clone, Debug)]
pub struct Input {
    pub columns: Vec<ColumnSpec>,
    pub files: Vec<InputFile>,
}
