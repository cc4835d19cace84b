//! `[[strategy]]`: a treatment given to customers from a date, as the job file says it and as it is evaluated.
//!
//! The raw structs follow [`super::raw`]; [`resolve`] checks them against the rest of the job.

mod resolve;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::raw::{OneOrMany, RawDate, RawNumber};
use crate::domain::{Day, Decimal, Period, Ratio};
pub use crate::domain::{Design, EffectMethod, Outcome};

pub(super) use resolve::{Context, resolve};

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

/// A strategy that can be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Strategy {
    /// Its name.
    pub name: String,
    /// How customers came to their arms.
    pub design: Design,
    /// Patterns of the assignments' paths: as written, and joined to the job file's folder.
    pub assignments: Vec<(String, PathBuf)>,
    /// List of their hashes, as the job names it.
    pub manifest: Option<String>,
    /// The arms by name with their planned shares; empty if the job does not name them.
    pub arms: Vec<Arm>,
    /// Strata with shares of their own, by name: the same arms in the same order.
    pub strata: Vec<(String, Vec<Arm>)>,
    /// The control arm; none for before_after.
    pub control: Option<String>,
    /// The periods, ascending and apart; never empty.
    pub periods: Vec<Period>,
    /// The baseline, if the job gives one.
    pub baseline: Option<Period>,
    /// Days that outcomes count from assigned_on; none is to the end of the period.
    pub outcome_days: Option<u32>,
    /// Whether the time after is shown too.
    pub after: bool,
    /// The outcomes in the job's order.
    pub outcomes: Vec<Outcome>,
    /// What decides; none for before_after.
    pub primary: Option<Primary>,
    /// Scheme columns by whose states effects are shown.
    pub by: Vec<String>,
    /// What makes the cells of design matched: scheme columns, or [`STRATUM`]; empty for other designs.
    pub match_on: Vec<String>,
    /// Cost of a treated customer, printed units.
    pub cost_per_customer: Option<Decimal>,
    /// Cost besides, per period, printed units.
    pub fixed_cost: Option<Decimal>,
    /// Share of the revenue that is margin.
    pub margin_rate: Option<Decimal>,
    /// Percentile at which money outcomes are cut off.
    pub winsorise: Option<Decimal>,
    /// What becomes of customers who are in two strategies at once.
    pub overlap: Overlap,
    /// The slice value whose orders count.
    pub slice: Option<String>,
}

impl Strategy {
    /// The days whose states it looks at: the day before every period, and the period's last for outcomes that compare
    /// the two.
    pub fn state_dates(&self) -> Vec<Day> {
        let moves = self.outcomes.iter().any(|outcome| outcome.moved_in().is_some());
        let ends = self.periods.iter().filter(|_| moves).map(|period| period.last_day());
        self.periods.iter().map(|period| period.start.previous()).chain(ends).collect()
    }
}

/// The name in `match_on` that stands for the assignments' stratum.
pub const STRATUM: &str = "stratum";

/// An arm with its planned share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// Its name.
    pub name: String,
    /// Its share, above 0; all shares add to 1.
    pub share: Ratio,
}

/// The outcome and method that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Primary {
    /// The outcome.
    pub outcome: Outcome,
    /// The method.
    pub method: EffectMethod,
}

fn usual_outcomes() -> Vec<String> {
    ["converted", "orders", "revenue"].map(String::from).into()
}
