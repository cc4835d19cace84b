//! The job file as written: one struct per section, unknown keys refused, defaults where DESIGN gives them.
//!
//! Nothing is interpreted here beyond types; [`super::resolve()`] turns it into a [`super::Job`]. `rfmill schema` prints
//! the JSON Schema of these types, so their doc comments are the reference of the job file.

mod customers;
mod events;
mod forecast;
mod orders;
mod output;
mod periods;
mod score;
mod source;
mod strategy;
mod values;

use std::collections::BTreeMap;

use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

pub use customers::RawCustomers;
pub use events::{RawEventKind, RawEvents, RawKind};
pub use forecast::RawForecast;
pub use orders::{AmountUnit, Dedupe, DedupeRule, MonetaryPolicy, RawLatest, RawOrders, RawPredicate, RawReturns, ZeroAmount};
pub use output::{RawOutput, ReportName, TableName};
pub use periods::{Calendar, RawPeriod, RawPeriods};
pub use score::{AxisName, Closed, Count, Levels, Method, MonetaryAs, RawAxis, RawScore, Ties};
pub use source::{RawSource, SourceEncoding, SourceFormat};
pub use strategy::{
    Overlap, RawAssignments, RawBound, RawCut, RawCutState, RawGuardrail, RawPrimary, RawShare, RawSpan, RawStrategy,
};
pub use values::{OneOrMany, RawDate, RawNumber, RawPath, RawScalar, RawTable};

/// A job: what to read, how to score it, and where the tables go.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawJob {
    /// Name of the job; written into the metadata of every table.
    pub name: String,
    /// Who is listed: everybody with a purchase on or before the as-of date, or only who bought in the lookback.
    #[serde(default)]
    pub population: Population,
    /// Files of any shape, from which queries make orders, customers and events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<RawSource>,
    /// Where the orders are and what their columns mean.
    pub orders: RawOrders,
    /// A table of customers: what is known of them besides their orders, and who has not ordered yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customers: Option<RawCustomers>,
    /// What happened to customers besides their orders: messages, service tickets, surveys, points.
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
    pub strategy: Vec<RawStrategy>,
    /// What comes next if habits stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast: Option<RawForecast>,
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

impl RawJob {
    /// Whether any table of the job is made by a query.
    pub fn has_query(&self) -> bool {
        let customers = self.customers.as_ref().is_some_and(|customers| customers.query.is_some());
        let events = self.events.as_ref().is_some_and(|events| events.query.is_some());
        let assignments =
            self.strategy.iter().filter_map(|strategy| strategy.assignments.as_ref()).any(|table| table.query().is_some());
        self.orders.query.is_some() || customers || events || assignments
    }
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

/// Gates on freshness and volume.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawChecks {
    /// The newest order on or before the last as-of date may be at most this many days older than that date; otherwise exit
    /// 3. Without a limit, more than 7 days are a warning.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "days, `\"2d\"`"))]
    pub newest_order_within: Option<String>,
    /// Ratio of the input rows to those of the run that `latest` names; outside it, exit 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "`[least, greatest]`"))]
    pub rows_vs_previous: Option<[f64; 2]>,
}

/// What winning new customers cost, per period.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawAcquisition {
    /// What winning new customers cost: the columns `period_start` (first day of a period of the job) and `spend` (an
    /// amount, with at most `amount_scale` digits behind the point).
    #[schemars(extend("x-type" = "CSV or Parquet file"))]
    pub path: String,
}

/// The JSON Schema of the job file, for editors. What stands in the types for the docs alone (`x-type` …) is left out.
pub fn json_schema() -> Schema {
    let mut schema = schemars::schema_for!(RawJob);
    schema.insert("title".into(), "rfmill job file".into());
    let leave_out = |schema: &mut Schema| {
        if let Some(object) = schema.as_object_mut() {
            object.retain(|key, _| !key.starts_with("x-"));
        }
    };
    RecursiveTransform(leave_out).transform(&mut schema);
    schema
}
