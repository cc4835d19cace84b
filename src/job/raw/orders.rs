//! `[orders]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{OneOrMany, RawScalar};

/// Where the orders are and what their columns mean.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawOrders {
    /// Parquet file, folder, glob, or a list of them; relative to the job file.
    pub path: OneOrMany,
    /// List of SHA-256 hashes, as `sha256sum` writes it, that the files are held against; relative to the job file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// Column of the customer id (any integer or string type).
    pub customer_id: String,
    /// Column of the date or timestamp.
    pub ordered_at: String,
    /// Column of the amount, or columns that are multiplied.
    pub amount: OneOrMany,
    /// Digits behind the point of the money (0 to 6).
    #[serde(default = "two")]
    pub amount_scale: u32,
    /// Column of the order id: rows that share it (and the customer) are lines of one order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// IANA time zone of the business date.
    #[serde(default = "utc")]
    pub timezone: String,
    /// IANA time zone of naive timestamps, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub naive_timezone: Option<String>,
    /// What to do with equal rows.
    #[serde(default)]
    pub dedupe: Dedupe,
    /// Whether returns lower the money.
    #[serde(default)]
    pub monetary: MonetaryPolicy,
    /// Whether an order of zero is a purchase.
    #[serde(default)]
    pub zero_amount: ZeroAmount,
    /// Column of the discount: an amount or a flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount: Option<String>,
    /// Column of the cost, in the unit of the amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<String>,
    /// Column of the category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Column of the currency; kept rows must hold one value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Column by whose values everything is computed anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// Largest share of input rows that may be rejected.
    #[serde(default)]
    pub max_rejected: f64,
    /// Largest share of input rows that may lack a customer.
    #[serde(default = "one")]
    pub max_no_customer: f64,
    /// Only rows that pass all of these are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<RawPredicate>,
    /// An order with a line that passes this is a return.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returns: Option<RawPredicate>,
    /// For change-log tables: of rows with equal key only the newest counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest: Option<RawLatest>,
}

/// What to do with rows that are equal in all columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dedupe {
    /// Keep them all.
    #[default]
    None,
    /// Keep the first by path and row.
    Rows,
}

/// Whether returns lower the money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MonetaryPolicy {
    /// Purchases plus returns.
    #[default]
    Net,
    /// Purchases alone.
    Gross,
}

/// Whether an order of zero is a purchase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ZeroAmount {
    /// It is.
    #[default]
    Purchase,
    /// It is left out.
    Drop,
}

/// A condition on one column: exactly one of the tests.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPredicate {
    /// The column.
    pub column: String,
    /// Equal to one of these.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    pub is_in: Option<Vec<RawScalar>>,
    /// Equal to none of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_in: Option<Vec<RawScalar>>,
    /// At least this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<RawScalar>,
    /// At most this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<RawScalar>,
    /// More than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<RawScalar>,
    /// Less than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<RawScalar>,
    /// The text contains a match of this regular expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// Not null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_null: Option<bool>,
}

/// Which of several versions of a row counts.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawLatest {
    /// Columns that identify the row.
    pub key: Vec<String>,
    /// Column whose greatest value wins.
    pub by: String,
}

fn two() -> u32 {
    2
}

fn one() -> f64 {
    1.0
}

fn utc() -> String {
    "UTC".into()
}
