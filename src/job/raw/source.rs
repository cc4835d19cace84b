//! `[[source]]`: files that are no orders yet, for a query to make them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::RawPath;

/// A table that queries may name.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSource {
    /// The name of the table in SQL. Its rows are numbered from 1, in the order of the files, by the column `_row`.
    pub name: String,
    /// File, glob, or a list of them; for Parquet also a folder, or a Delta or Iceberg table. `day=2024-01-31` in a path is a column
    /// of text.
    #[schemars(extend("x-type" = "string, list, `{ delta = PATH, version = N }`, or `{ iceberg = PATH, snapshot = ID }`", "x-see" = "[paths](#paths-and-partitions)"))]
    pub path: RawPath,
    /// The format of the files.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "by their ending"))]
    pub format: Option<SourceFormat>,
    /// CSV: the character between two fields.
    #[serde(default = "comma")]
    #[schemars(extend("x-type" = "ASCII character, `\"\\t\"` for a tab"))]
    pub separator: String,
    /// CSV: the columns of `numbers` are written as `1.234,50`, not as `1,234.50`.
    #[serde(default)]
    pub decimal_comma: bool,
    /// CSV: how text is encoded. A byte order mark of UTF-16 counts more.
    #[serde(default)]
    pub encoding: SourceEncoding,
    /// CSV: whether the first line names the columns; else they are `column_1`, `column_2` ….
    #[serde(default = "yes")]
    pub header: bool,
    /// CSV: texts that mean null.
    #[serde(default = "empty_text")]
    #[schemars(extend("x-type" = "list of strings", "x-default" = "`[\"\"]`"))]
    pub null_values: Vec<String>,
    /// CSV: columns of numbers as people write them, with marks between thousands; they are rewritten as SQL reads numbers, and
    /// stay text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-type" = "list of columns"))]
    pub numbers: Vec<String>,
}

/// A format of source files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceFormat {
    /// Comma-separated values, and their kin.
    Csv,
    /// A JSON object per line.
    Ndjson,
    /// Parquet.
    Parquet,
    /// Arrow's file format, also called Feather.
    Ipc,
}

/// An encoding of text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SourceEncoding {
    /// UTF-8.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, little-endian unless a byte order mark says otherwise.
    #[serde(rename = "utf-16")]
    Utf16,
    /// GB18030, of which GBK and GB2312 are parts.
    #[serde(rename = "gb18030")]
    Gb18030,
    /// Windows-1252, of which Latin-1 is a part.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

fn comma() -> String {
    ",".into()
}

fn yes() -> bool {
    true
}

fn empty_text() -> Vec<String> {
    vec![String::new()]
}
