//! Values as a job file writes them: lists, numbers, scalars, dates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One string or a list of strings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them.
    pub fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

/// Where the files of a table are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a path, a list of paths, { delta = \"PATH\", version = N }, or { iceberg = \"PATH\", snapshot = ID }"
)]
pub enum RawPath {
    /// Files, folders or globs.
    Files(OneOrMany),
    /// A table that has a log.
    Table(RawTable),
}

/// A table that has a log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RawTable {
    /// A Delta table.
    Delta(RawDelta),
    /// An Iceberg table.
    Iceberg(RawIceberg),
}

/// A Delta table, whose log says which of its files and rows count.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawDelta {
    /// The folder of the table.
    pub delta: String,
    /// The version to read; the newest by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// An Iceberg table, whose metadata say which of its files and rows count.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawIceberg {
    /// The folder of the table, or one of its files of metadata.
    pub iceberg: String,
    /// The id of the snapshot to read; the current one by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<u64>,
}

/// A number; quotes keep every digit, as in `"299.999"`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number, or a number in quotes")]
pub enum RawNumber {
    /// An integer.
    Int(i64),
    /// A float, taken as the shortest decimal that reads back as it.
    Float(f64),
    /// A number in quotes.
    Text(String),
}

/// A value in a predicate.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged, expecting = "expected a string, a number, a date or a boolean")]
pub enum RawScalar {
    /// true or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string; also dates in quotes.
    Text(String),
    /// A date or date-time.
    #[schemars(with = "String")]
    #[serde(serialize_with = "as_text")]
    Date(toml::value::Datetime),
}

/// A business date, `2024-12-31` with or without quotes.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged, expecting = "expected a date such as 2024-12-31")]
pub enum RawDate {
    /// A TOML date.
    #[schemars(with = "String")]
    #[serde(serialize_with = "as_text")]
    Toml(toml::value::Datetime),
    /// A date in quotes.
    Text(String),
}

/// A date as JSON has it.
fn as_text<S: serde::Serializer>(date: &toml::value::Datetime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}
