//! The job file as written: one struct per section, unknown keys refused, defaults where DESIGN gives them.
//!
//! Nothing is interpreted here beyond types; [`super::resolve`] turns it into a [`super::Job`]. `rfmill schema` prints
//! the JSON Schema of these types, so their doc comments are the reference of the job file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::EventKind;

/// A job: what to read, how to score it, and where the tables go.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawJob {
    /// Name of the job; written into the metadata of every table.
    pub name: String,
    /// Who is listed: every customer who ever bought, or only who bought in the lookback.
    #[serde(default)]
    pub population: Population,
    /// Where the orders are and what their columns mean.
    pub orders: RawOrders,
    /// A table of customers: what is known of them besides their orders, and who has not ordered yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customers: Option<RawCustomers>,
    /// What customers did with messages and promotions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<RawEvents>,
    /// The as-of dates.
    #[serde(default)]
    pub periods: RawPeriods,
    /// How recency, frequency and monetary become scores.
    #[serde(default)]
    pub score: RawScore,
    /// What to do with customers, by scheme column and state: `[playbook.segment] "At Risk" = "win-back mail"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub playbook: BTreeMap<String, BTreeMap<String, String>>,
    /// Column name = scheme. Without this section: `segment = "standard"`, `lifecycle = "recency_windows"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub schemes: Option<toml::map::Map<String, toml::Value>>,
    /// Treatments whose effects are estimated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strategy: Vec<super::strategy::RawStrategy>,
    /// Gates on freshness and volume.
    #[serde(default)]
    pub checks: RawChecks,
    /// What winning new customers cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acquisition: Option<RawAcquisition>,
    /// Where the tables go.
    #[serde(default)]
    pub output: RawOutput,
}

/// Who is listed in `customers`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Population {
    /// Everybody with a purchase on or before the as-of date.
    #[default]
    Ever,
    /// Only who bought in the lookback.
    Lookback,
}

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

/// The as-of dates: a list, the ends of calendar periods, or the ends of listed periods.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPeriods {
    /// As-of dates, ascending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Vec<RawDate>>,
    /// Calendar period whose ends are the as-of dates, from `from` to `to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Calendar>,
    /// First day of the first period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<RawDate>,
    /// Last day of the last period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<RawDate>,
    /// Periods of any length, ascending, which must not overlap; their last days are the as-of dates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<RawPeriod>>,
    /// How long before each as-of date to look for what moved since: "1 day", "1 month" …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compare: Vec<String>,
}

/// A listed period.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPeriod {
    /// First day.
    pub from: RawDate,
    /// Last day, which is the as-of date.
    pub to: RawDate,
    /// What reports call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A calendar period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Calendar {
    /// One day.
    Day,
    /// Monday to Sunday (ISO 8601).
    Week,
    /// A calendar month.
    Month,
    /// January, April, July or October and the two months after.
    Quarter,
    /// A calendar year.
    Year,
}

/// How recency, frequency and monetary become scores.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawScore {
    /// Number of scores per axis (2 to 100).
    #[serde(default = "five")]
    pub bins: u32,
    /// Scoring method of every axis that has none of its own.
    #[serde(default)]
    pub method: Method,
    /// Which rank equal values get (`rank`).
    #[serde(default)]
    pub ties: Ties,
    /// Which bin a value on a cut belongs to (`thresholds`).
    #[serde(default)]
    pub closed: Closed,
    /// Cuts per axis (`thresholds`), ascending, in printed units.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub thresholds: BTreeMap<AxisName, Vec<RawNumber>>,
    /// How far back frequency and monetary look: "all", "365d", "4 quarters" …
    #[serde(default = "all")]
    pub lookback: String,
    /// Whether frequency counts orders or days with orders.
    #[serde(default)]
    pub count: Count,
    /// Whether monetary is a sum or the mean per purchase.
    #[serde(default)]
    pub monetary_as: MonetaryAs,
    /// "each" as-of date has its own cuts; "frozen" uses those of the first; or the path of a `cutpoints` table.
    #[serde(default = "each")]
    pub cuts: String,
    /// What divides high from low in `r_level`, `f_level`, `m_level`.
    #[serde(default)]
    pub levels: Levels,
    /// Settings of recency alone.
    #[serde(default, alias = "recency", skip_serializing_if = "Option::is_none")]
    pub recency_days: Option<RawAxis>,
    /// Settings of frequency alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<RawAxis>,
    /// Settings of monetary alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monetary: Option<RawAxis>,
    /// Ranges over measures; customers outside are listed without scores.
    #[serde(default, skip_serializing_if = "toml::map::Map::is_empty")]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub only: toml::map::Map<String, toml::Value>,
}

impl Default for RawScore {
    fn default() -> Self {
        RawScore {
            bins: five(),
            method: Method::default(),
            ties: Ties::default(),
            closed: Closed::default(),
            thresholds: BTreeMap::new(),
            lookback: all(),
            count: Count::default(),
            monetary_as: MonetaryAs::default(),
            cuts: each(),
            levels: Levels::default(),
            recency_days: None,
            frequency: None,
            monetary: None,
            only: toml::map::Map::new(),
        }
    }
}

/// Settings of one axis.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawAxis {
    /// Scoring method of this axis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// Cuts (`thresholds`), ascending, in printed units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuts: Option<Vec<RawNumber>>,
    /// Which rank equal values get (`rank`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ties: Option<Ties>,
    /// Which bin a value on a cut belongs to (`thresholds`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
}

/// An axis as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AxisName {
    /// Recency.
    #[serde(alias = "recency")]
    RecencyDays,
    /// Frequency.
    Frequency,
    /// Monetary.
    Monetary,
}

/// How values become scores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Type 7 quantiles; a value above a cut scores higher.
    #[default]
    Quantile,
    /// ceil(bins · rank / customers).
    Rank,
    /// SQL `NTILE` by value and customer id; splits equal values.
    Ntile,
    /// Explicit cuts.
    Thresholds,
    /// As the R package rfm 0.3.0.
    RRfm,
}

/// Which rank equal values get.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// The lowest.
    #[default]
    Min,
    /// The mean of lowest and highest.
    Mid,
    /// The highest.
    Max,
}

/// Which bin a value on a cut belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// The lower one: a value must be above the cut to pass it.
    #[default]
    Right,
    /// The upper one: a value on the cut has passed it.
    Left,
}

/// What frequency counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Purchases.
    #[default]
    Orders,
    /// Days with a purchase.
    OrderDays,
}

/// What monetary is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MonetaryAs {
    /// The sum.
    #[default]
    Sum,
    /// The mean per purchase, with two more digits.
    Average,
}

/// What divides high from low.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Levels {
    /// The mean of the measure.
    #[default]
    Mean,
    /// The median of the measure.
    Median,
    /// The mean of the score.
    Score,
}

/// Gates on freshness and volume.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawChecks {
    /// The newest order must be at most this old on the last as-of date: "2d".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_order_within: Option<String>,
    /// Least and greatest ratio of input rows to those of the last committed run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_vs_previous: Option<[f64; 2]>,
}

/// What winning new customers cost, per period.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawAcquisition {
    /// CSV or Parquet file with the columns `period_start` and `spend`; relative to the job file.
    pub path: String,
}

/// Where the tables go.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawOutput {
    /// Output folder; relative to the job file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The columns of `customers` after `customer_id` and `slice`; any measure, score or scheme column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Tables to write (all that the job can have).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tables: Option<Vec<TableName>>,
    /// Files to write into `report/`.
    #[serde(default = "html")]
    pub report: Vec<ReportName>,
    /// Language of reports: "en" or "zh-Hans".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What stands beside money in reports, such as "£".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency_label: Option<String>,
    /// Groups of fewer customers are not shown in reports (1: all are).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_group: Option<u32>,
    /// Most rows of a CRM file; without it there is one file per as-of date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crm_rows: Option<u32>,
    /// Whether CRM files begin with a byte order mark, which some spreadsheets need to read UTF-8.
    #[serde(default)]
    pub crm_bom: bool,
    /// How many committed runs stay (10).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_runs: Option<u32>,
}

impl Default for RawOutput {
    fn default() -> Self {
        RawOutput {
            path: None,
            columns: None,
            tables: None,
            report: html(),
            language: None,
            currency_label: None,
            min_group: None,
            crm_rows: None,
            crm_bom: false,
            keep_runs: None,
        }
    }
}

/// A file for people or other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportName {
    /// `index.html`: one page for people.
    Html,
    /// `report.json`: the same for programs.
    Json,
    /// `workbook.xlsx`: the same for Excel.
    Xlsx,
    /// CSV files for the import of a CRM: the states of every customer at the last as-of date, why, and what to do.
    Crm,
}

/// A table of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableName {
    /// One row per customer and as-of date.
    Customers,
    /// The cut points used.
    Cutpoints,
    /// Sums per state.
    Segments,
    /// Who went from which state to which, summed.
    Transitions,
    /// One row per customer whose state changed.
    Movers,
    /// Since when and until when a customer was in a state.
    StateHistory,
    /// New, retained, resurrected and lapsed customers per period.
    Growth,
    /// Customers by the period of their first order.
    Cohorts,
    /// How much of the revenue the best customers bring.
    Concentration,
    /// The states of every scheme, for BI tools to join.
    DimState,
    /// The as-of dates with their periods, for BI tools to join.
    DimPeriod,
    /// What strategies changed, per period.
    Effects,
    /// What strategies changed, over all periods.
    EffectsOverTime,
    /// What to do with strategies, and why.
    Verdicts,
    /// Whether arms were alike before.
    Balance,
    /// What changed since the time before, beside what would have changed anyway.
    BeforeAfter,
    /// The exact sums that all tables of strategies follow from.
    Arms,
    /// The account of every input row.
    Ledger,
}

impl TableName {
    /// Every table, in the order of the docs.
    pub const ALL: [TableName; 18] = [
        TableName::Customers,
        TableName::Cutpoints,
        TableName::Segments,
        TableName::Transitions,
        TableName::Movers,
        TableName::StateHistory,
        TableName::Growth,
        TableName::Cohorts,
        TableName::Concentration,
        TableName::DimState,
        TableName::DimPeriod,
        TableName::Effects,
        TableName::EffectsOverTime,
        TableName::Verdicts,
        TableName::Balance,
        TableName::BeforeAfter,
        TableName::Arms,
        TableName::Ledger,
    ];

    /// Its name, the same in job files and folders.
    pub fn name(self) -> &'static str {
        match self {
            TableName::Customers => "customers",
            TableName::Cutpoints => "cutpoints",
            TableName::Segments => "segments",
            TableName::Transitions => "transitions",
            TableName::Movers => "movers",
            TableName::StateHistory => "state_history",
            TableName::Growth => "growth",
            TableName::Cohorts => "cohorts",
            TableName::Concentration => "concentration",
            TableName::DimState => "dim_state",
            TableName::DimPeriod => "dim_period",
            TableName::Effects => "effects",
            TableName::EffectsOverTime => "effects_over_time",
            TableName::Verdicts => "verdicts",
            TableName::Balance => "balance",
            TableName::BeforeAfter => "before_after",
            TableName::Arms => "arms",
            TableName::Ledger => "ledger",
        }
    }

    /// Whether only a job with strategies has it.
    pub fn is_of_strategies(self) -> bool {
        matches!(
            self,
            TableName::Effects
                | TableName::EffectsOverTime
                | TableName::Verdicts
                | TableName::Balance
                | TableName::BeforeAfter
                | TableName::Arms
        )
    }
}

/// A date as JSON has it.
fn as_text<S: serde::Serializer>(date: &toml::value::Datetime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

fn two() -> u32 {
    2
}
fn five() -> u32 {
    5
}
fn one() -> f64 {
    1.0
}
fn utc() -> String {
    "UTC".into()
}
fn all() -> String {
    "all".into()
}
fn html() -> Vec<ReportName> {
    vec![ReportName::Html]
}
fn each() -> String {
    "each".into()
}
