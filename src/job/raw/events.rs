//! `[events]` and its kinds.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::values::RawPath;

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
    /// What values of `event` count as which kind: lists of values, or a table per kind, also for kinds of the job's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("x-type" = "lists of values, tables", "x-key" = "[events.kinds]", "x-default" = "see below"))]
    pub kinds: BTreeMap<String, RawKind>,
}

/// A kind of events.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RawKind {
    /// The values of `event` that count as a kind that every job has.
    Values(Vec<String>),
    /// More than that.
    Kind(RawEventKind),
}

/// A kind of events, and what its events say.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawEventKind {
    /// The values of `event` that count as the kind.
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "list of values", "x-default" = "its name, or the usual values"))]
    pub values: Option<Vec<String>>,
    /// Column of numbers: integers, decimals or floats, null where an event has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "column"))]
    pub value: Option<String>,
    /// Digits behind the point of the values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "integer 0–6", "x-default" = "`orders.amount_scale`"))]
    pub scale: Option<u32>,
    /// Whether the values are what serving the customer cost, in money: they make up the measure `cost_to_serve`, and `segments` shows them
    /// by state.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cost_to_serve: bool,
    /// Whether the values say how content the customer is: `segments` shows the mean of the last ones by state. Of one kind.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub satisfaction: bool,
}

impl<'de> Deserialize<'de> for RawKind {
    /// A list or a table; what is wrong inside either is said as anywhere, with the nearest key.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawKind, D::Error> {
        struct ListOrTable;
        impl<'de> Visitor<'de> for ListOrTable {
            type Value = RawKind;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of values, or a table with in, value and scale")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<RawKind, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(values)).map(RawKind::Values)
            }

            fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<RawKind, A::Error> {
                RawEventKind::deserialize(MapAccessDeserializer::new(keys)).map(RawKind::Kind)
            }
        }
        deserializer.deserialize_any(ListOrTable)
    }
}
