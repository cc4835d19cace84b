//! `[orders]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{OneOrMany, RawDate, RawPath, RawScalar};

/// Where the orders are and what their columns mean.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawOrders {
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
    /// The customer: any integer or string type. Type and value are kept, leading zeros included.
    #[schemars(extend("x-type" = "column"))]
    pub customer_id: String,
    /// Date or timestamp.
    #[schemars(extend("x-type" = "column", "x-see" = "[time zones](#dates-and-time-zones)"))]
    pub ordered_at: String,
    /// The money; columns of a list are multiplied.
    #[schemars(extend("x-type" = "column or list of columns", "x-see" = "[money](#money)"))]
    pub amount: OneOrMany,
    /// Digits behind the point of the money.
    #[serde(default = "two")]
    #[schemars(extend("x-type" = "integer 0–6"))]
    pub amount_scale: u32,
    /// Rows that share it (and the customer) are lines of one order; without it, a row is an order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "column or list of columns", "x-see" = "[lines](#order-lines-and-returns)"))]
    pub order_id: Option<OneOrMany>,
    /// Whose calendar days count.
    #[serde(default = "utc")]
    #[schemars(extend("x-type" = "IANA name"))]
    pub timezone: String,
    /// In which zone timestamps without a zone were written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "IANA name", "x-default" = "`timezone`"))]
    pub naive_timezone: Option<String>,
    /// Whether of rows that are equal in all columns, or in these, only the first counts.
    #[serde(default)]
    #[schemars(extend("x-type" = "`\"none\"`, `\"rows\"`, list of columns", "x-default" = "`\"none\"`", "x-see" = "[duplicates](#duplicates-and-change-logs)"))]
    pub dedupe: Dedupe,
    /// Whether returns lower the money.
    #[serde(default)]
    pub monetary: MonetaryPolicy,
    /// Whether an order of zero is a purchase or left out.
    #[serde(default)]
    pub zero_amount: ZeroAmount,
    /// Amount or flag; an order is discounted if any of its lines is above zero. Needed by `discount_share`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "column"))]
    pub discount: Option<String>,
    /// Cost in the unit of the amount. Needed by `margin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "column"))]
    pub cost: Option<String>,
    /// Category of the line. Needed by `top_category`, `top_category_share` and `categories`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "column"))]
    pub category: Option<String>,
    /// Must hold one value in all kept rows, otherwise exit 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "column"))]
    pub currency: Option<String>,
    /// By its values (string, integer or boolean) everything is computed anew: a customer of two slices stands twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "column"))]
    pub slice: Option<String>,
    /// Largest share of input rows that may be rejected; more is exit 3.
    #[serde(default)]
    #[schemars(extend("x-type" = "share 0–1"))]
    pub max_rejected: f64,
    /// Largest share of input rows that may lack a customer; more is exit 3.
    #[serde(default = "one")]
    #[schemars(extend("x-type" = "share 0–1"))]
    pub max_no_customer: f64,
    /// Only rows that pass all of them are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-type" = "predicates", "x-key" = "[[orders.keep]]", "x-see" = "[predicates](#predicates)"))]
    pub keep: Vec<RawPredicate>,
    /// An order with a line that passes it is a return.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "predicate, `negate`", "x-key" = "[orders.returns]", "x-see" = "[returns](#order-lines-and-returns)"))]
    pub returns: Option<RawReturns>,
    /// For change logs: of rows with equal key only the newest counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "`key`, `by`", "x-key" = "[orders.latest]", "x-see" = "[duplicates](#duplicates-and-change-logs)"))]
    pub latest: Option<RawLatest>,
    /// Values of `customer_id` that stand for nobody, such as `[0, "guest"]`: their rows have no customer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-type" = "list of values"))]
    pub guests: Vec<RawScalar>,
    /// Whether integers in `amount` and `cost` are whole units, or minor units already (1999 is 19.99).
    #[serde(default)]
    #[schemars(extend("x-see" = "[money](#money)"))]
    pub amount_unit: AmountUnit,
    /// Columns in which a row without a value takes that of the other rows of its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-type" = "list of columns", "x-see" = "[lines](#order-lines-and-returns)"))]
    pub inherit: Vec<String>,
    /// Rows that pass it count money on their own date and are no purchase, such as renewals or corrections.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "predicate", "x-key" = "[orders.money_only]", "x-see" = "[lines](#order-lines-and-returns)"))]
    pub money_only: Option<RawPredicate>,
    /// Day before which the shop had no orders, so that nothing is missing before the first one: its customers are new then, not
    /// only first seen, and no lookback reaches back too far.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "date", "x-see" = "[new customers](#new-customers)"))]
    pub history_begins: Option<RawDate>,
}

/// What to do with rows that are equal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged, expecting = "expected \"none\", \"rows\" or a list of columns")]
pub enum Dedupe {
    /// Nothing, or compare whole rows.
    Rule(DedupeRule),
    /// Keep the first by path and row of those that are equal in these columns.
    Columns(Vec<String>),
}

impl Default for Dedupe {
    fn default() -> Dedupe {
        Dedupe::Rule(DedupeRule::None)
    }
}

/// What to do with rows that are equal in all columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DedupeRule {
    /// Keep them all.
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

/// What integers of money count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AmountUnit {
    /// Whole units.
    #[default]
    Major,
    /// Units of `amount_scale`.
    Minor,
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
    /// Null; beside another test, null passes too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_null: Option<bool>,
}

/// What makes an order a return: a condition on one column, and what their amounts are.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawReturns {
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
    /// Null; beside another test, null passes too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_null: Option<bool>,
    /// Whether the rows that pass have positive amounts, which are turned into negative ones, as are their costs.
    #[serde(default)]
    pub negate: bool,
}

impl RawReturns {
    /// The condition alone.
    pub fn predicate(&self) -> RawPredicate {
        let of = self.clone();
        RawPredicate {
            column: of.column,
            is_in: of.is_in,
            not_in: of.not_in,
            min: of.min,
            max: of.max,
            above: of.above,
            below: of.below,
            matches: of.matches,
            not_null: of.not_null,
            is_null: of.is_null,
        }
    }
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
