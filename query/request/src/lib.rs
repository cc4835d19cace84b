//! What rfmill asks of `rfmill-query`, and what that answers: one line of JSON each, over its standard input and output.
//!
//! The input stays open while the query runs: when it is closed, its reader ends, so no query outlives the run that asked.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The version of these messages. A program that reads another one refuses it.
pub const VERSION: u32 = 1;

/// The name of the program.
pub const PROGRAM: &str = "rfmill-query";

/// The column that numbers the rows of a source, from 1, in the order of its files; it is there if the SQL names it.
pub const ROW_COLUMN: &str = "_row";

/// A query to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// [`VERSION`].
    pub version: u32,
    /// What to do.
    pub task: Task,
    /// The key of the job file that holds the query, for errors.
    pub key: String,
    /// The SQL.
    pub sql: String,
    /// The tables that it may name.
    pub sources: Vec<Source>,
    /// Columns that the result must have.
    pub columns: Vec<Column>,
    /// Digits behind the point of the money.
    pub amount_scale: u32,
    /// Columns that identify an order, and its money, for the warning about repeated money.
    pub orders: Option<OrderColumns>,
    /// The Parquet file to write.
    pub output: PathBuf,
    /// A folder for files of the query, which its caller removes.
    pub scratch: PathBuf,
    /// Bytes of memory that it may use.
    pub memory_limit: Option<u64>,
}

/// What to do with a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Check it, write a file without rows, and show the plan.
    Plan,
    /// Run it.
    Run,
}

/// The columns that hold an order's id and its money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderColumns {
    /// Its customer.
    pub customer: String,
    /// Its id.
    pub order: String,
    /// Its money.
    pub amount: String,
}

/// A table that SQL may name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// The format of its files.
    pub format: Format,
    /// Its files, in order.
    pub files: Vec<SourceFile>,
    /// How its CSV files are written.
    pub csv: CsvFormat,
}

/// A file of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Its absolute path.
    pub path: PathBuf,
    /// Its name in messages.
    pub name: String,
    /// Columns that its folders give (`day=2024-01-31`), and their values; none is null.
    pub partitions: Vec<(String, Option<String>)>,
}

/// A format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Comma-separated values, and their kin.
    Csv,
    /// A JSON object per line.
    Ndjson,
    /// Parquet.
    Parquet,
    /// Arrow's file format, also called Feather.
    Ipc,
}

/// How CSV files are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvFormat {
    /// The byte between two fields.
    pub separator: u8,
    /// Whether numbers have a comma before their fraction.
    pub decimal_comma: bool,
    /// The encoding.
    pub encoding: Encoding,
    /// Whether the first line names the columns.
    pub header: bool,
    /// Texts that mean null.
    pub null_values: Vec<String>,
    /// Columns of numbers as people write them, which are rewritten as SQL reads them.
    pub numbers: Vec<String>,
}

/// An encoding of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, its byte order by its mark, else little-endian.
    #[serde(rename = "utf-16")]
    Utf16,
    /// GB18030, of which GBK and GB2312 are parts.
    #[serde(rename = "gb18030")]
    Gb18030,
    /// Windows-1252, of which Latin-1 is a part.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// A column that the result must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The key of the job file that names it.
    pub key: String,
    /// Whether it holds money: text is then read as a decimal number.
    pub is_money: bool,
}

/// What came of a query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It ran, or is planned.
    Done(Done),
    /// It failed.
    Failed(Failure),
}

/// The account of a query.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// The plan, if it was asked for.
    pub plan: Option<String>,
    /// Rows of the result.
    pub rows: u64,
    /// Rows of the sources' files, in the order of the request; none where nobody counted them.
    pub source_rows: Vec<Vec<Option<u64>>>,
    /// Orders whose rows all carry the same money.
    pub repeated_money: Option<RepeatedMoney>,
    /// Largest resident memory in bytes, if known.
    pub peak_memory: Option<u64>,
}

/// Orders of several rows after a join, and how many of them carry the same money on each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatedMoney {
    /// Orders of several rows.
    pub orders: u64,
    /// Those of them with the same money on each row.
    pub repeated: u64,
    /// The rows of these.
    pub rows: u64,
}

/// Why a query failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Who must act.
    pub kind: FailureKind,
    /// The sentence.
    pub sentence: String,
}

/// Who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The program is wrong.
    Bug,
    /// The query or the job file is wrong.
    Usage,
    /// The data break their contract.
    Contract,
    /// A file cannot be read.
    Input,
    /// A limit of memory, disk or descriptors was reached.
    Resource,
}
