//! `[customers]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::RawPath;

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
