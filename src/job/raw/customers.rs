//! `[customers]` and `[events]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::OneOrMany;
use crate::domain::EventKind;

/// A table of customers, one row each. Its numeric columns and dates are measures of their names.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCustomers {
    /// Parquet file, folder, glob, or a list of them; relative to the job file.
    pub path: OneOrMany,
    /// List of SHA-256 hashes, as `sha256sum` writes it, that the files are held against; relative to the job file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// Column of the customer id.
    pub customer_id: String,
    /// Columns by whose values `segments` and `transitions` are also summed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<String>,
}

/// Events such as opens, clicks and responses to promotions, one row each.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawEvents {
    /// Parquet file, folder, glob, or a list of them; relative to the job file.
    pub path: OneOrMany,
    /// List of SHA-256 hashes, as `sha256sum` writes it, that the files are held against; relative to the job file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// Column of the customer id.
    pub customer_id: String,
    /// Column that says what happened.
    pub event: String,
    /// Column of the date or timestamp.
    pub at: String,
    /// IANA time zone of the business date (that of the orders).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// IANA time zone of naive timestamps, if it is another one (that of the orders, without a `timezone` of its own).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub naive_timezone: Option<String>,
    /// What counts as which kind, in place of the usual values: `opens = ["open", "email_open"]`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
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
