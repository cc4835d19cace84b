//! `[customers]` and `[events]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::RawPath;
use crate::domain::EventKind;

/// A table of customers, one row each. Its numeric columns and dates are measures of their names.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCustomers {
    /// Parquet file, folder, glob, or a list of them; or a Delta or Iceberg table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "string, list, `{ delta = PATH, version = N }`, or `{ iceberg = PATH, snapshot = ID }`", "x-default" = "required without `query`", "x-see" = "[paths](#paths-and-partitions)"))]
    pub path: Option<RawPath>,
    /// SQL over the sources, whose rows are read instead of files of `path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "SQL", "x-see" = "[QUERY.md](QUERY.md)"))]
    pub query: Option<String>,
    /// List of SHA-256 hashes that the files are held against.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "path", "x-see" = "[hashes](#hashes-of-inputs)"))]
    pub manifest: Option<String>,
    /// The customer; an integer if `orders.customer_id` is one, of any width, a string if that is one.
    #[schemars(extend("x-type" = "column"))]
    pub customer_id: String,
    /// Strings, integers or booleans by whose values `segments` and `transitions` are also summed, and effects can be shown (`by`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-type" = "list of columns"))]
    pub dimensions: Vec<String>,
}

/// Events such as opens, clicks and responses to promotions, one row each.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawEvents {
    /// Parquet file, folder, glob, or a list of them; or a Delta or Iceberg table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "string, list, `{ delta = PATH, version = N }`, or `{ iceberg = PATH, snapshot = ID }`", "x-default" = "required without `query`", "x-see" = "[paths](#paths-and-partitions)"))]
    pub path: Option<RawPath>,
    /// SQL over the sources, whose rows are read instead of files of `path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "SQL", "x-see" = "[QUERY.md](QUERY.md)"))]
    pub query: Option<String>,
    /// List of SHA-256 hashes that the files are held against.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "path", "x-see" = "[hashes](#hashes-of-inputs)"))]
    pub manifest: Option<String>,
    /// The customer; an integer if `orders.customer_id` is one, a string if that is one.
    #[schemars(extend("x-type" = "column"))]
    pub customer_id: String,
    /// What happened: a string, an integer or a boolean.
    #[schemars(extend("x-type" = "column"))]
    pub event: String,
    /// Date or timestamp.
    #[schemars(extend("x-type" = "column", "x-see" = "[time zones](#dates-and-time-zones)"))]
    pub at: String,
    /// Whose calendar days count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "IANA name", "x-default" = "that of the orders"))]
    pub timezone: Option<String>,
    /// In which zone timestamps without a zone were written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "IANA name", "x-default" = "`timezone`, or that of the orders"))]
    pub naive_timezone: Option<String>,
    /// What values of `event` count as which kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("x-type" = "lists of values", "x-key" = "[events.kinds]", "x-default" = "see below"))]
    pub kinds: BTreeMap<EventName, Vec<String>>,
}

/// A kind of events as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventName {
    /// A message was sent.
    Sends,
    /// A message was opened.
    Opens,
    /// A link was clicked.
    Clicks,
    /// The customer did what the message was for.
    Conversions,
    /// The customer took up a promotion.
    Responses,
}

impl EventName {
    /// The kind of this name.
    pub fn kind(self) -> EventKind {
        match self {
            EventName::Sends => EventKind::Sends,
            EventName::Opens => EventKind::Opens,
            EventName::Clicks => EventKind::Clicks,
            EventName::Conversions => EventKind::Conversions,
            EventName::Responses => EventKind::Responses,
        }
    }
}
