//! `[[strategy]]`: a treatment given to customers from a date.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{OneOrMany, RawDate, RawNumber};
use crate::domain::{Design, EffectMethod};

/// A strategy: who was assigned to which arm, and what is to be said of it.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawStrategy {
    /// Name of the strategy, as tables and reports show it.
    pub name: String,
    /// How customers came to their arms.
    pub design: Design,
    /// Parquet or CSV file (by its ending) of customer_id, arm and assigned_on, glob, or a list of them; relative to
    /// the job file.
    pub assignments: OneOrMany,
    /// List of SHA-256 hashes, as `sha256sum` writes it, that the assignments are held against; relative to the job file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// The control arm; every design but before_after needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// Planned share of every arm: decimals or fractions in quotes that add to exactly 1. A stratum with shares of its own
    /// has a table of them: `split = { control = 0.1, mail = 0.9, "At Risk" = { control = 0.5, mail = 0.5 } }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub split: BTreeMap<String, RawShare>,
    /// The periods in which customers were assigned (the job's periods).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub periods: Option<Vec<RawSpan>>,
    /// Dates that covariates come from (as many days before the first assignment as outcomes have); with one period only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<RawSpan>,
    /// Days that outcomes count from a customer's own assigned_on (to the end of the period).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome_days: Option<u32>,
    /// Whether the time after is shown too, as long as the time during.
    #[serde(default)]
    pub after: bool,
    /// "converted", "orders", "revenue", "margin", "retained", "avg_order_value", and "moved_up:COLUMN" or
    /// "moved_down:COLUMN" for a scheme column.
    #[serde(default = "usual_outcomes")]
    pub outcomes: Vec<String>,
    /// The one outcome and method that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<RawPrimary>,
    /// Scheme columns by whose states before the period effects are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// Scheme columns, or "stratum" of the assignments, whose values make the cells of design matched (`by`, or else
    /// every scheme column).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_on: Vec<String>,
    /// Cost of a treated customer; a cost column of the assignments counts instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_per_customer: Option<RawNumber>,
    /// Cost besides, per period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_cost: Option<RawNumber>,
    /// Share of the revenue that is margin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin_rate: Option<RawNumber>,
    /// Percentile, such as 0.999, at which every money outcome is cut off in a further outcome beside the plain one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub winsorise: Option<RawNumber>,
    /// What becomes of customers who are in two strategies at once.
    #[serde(default)]
    pub overlap: Overlap,
    /// The slice value whose orders count; a sliced job needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
}

/// The share of an arm, or the shares of all arms in a stratum.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged, expecting = "expected a share such as 0.5 or \"1/3\", or a table of shares for a stratum")]
pub enum RawShare {
    /// Of an arm.
    Arm(RawNumber),
    /// Of all arms in the stratum with this name.
    Stratum(BTreeMap<String, RawNumber>),
}

/// Dates from one to another, both included.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSpan {
    /// First day.
    pub from: RawDate,
    /// Last day.
    pub to: RawDate,
}

/// The outcome and method that decides.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPrimary {
    /// One of the outcomes.
    pub outcome: String,
    /// One of the design's methods (welch, or did for design matched).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<EffectMethod>,
}

/// What becomes of customers who are in two strategies at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// They stay in both and are counted.
    #[default]
    Keep,
    /// They are left out of both.
    Exclude,
    /// They stay where they were assigned first.
    First,
}

fn usual_outcomes() -> Vec<String> {
    ["converted", "orders", "revenue"].map(String::from).into()
}
