//! `[[strategy]]`: a treatment given to customers from a date.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{OneOrMany, RawDate, RawNumber, RawPath, RawTable};
use crate::domain::{Design, EffectMethod};

/// Where assignments come from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a path, a list of paths, { query = \"SELECT …\" }, { delta = \"PATH\", version = N }, or { iceberg = \"PATH\", snapshot = ID }"
)]
pub enum RawAssignments {
    /// Files.
    Paths(OneOrMany),
    /// A query over the sources.
    Query(RawQuery),
    /// A table that has a log.
    Table(RawTable),
}

/// SQL in place of a path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawQuery {
    /// The SQL.
    pub query: String,
}

impl RawAssignments {
    /// The query, if there is one.
    pub fn query(&self) -> Option<&str> {
        match self {
            RawAssignments::Paths(_) | RawAssignments::Table(_) => None,
            RawAssignments::Query(query) => Some(&query.query),
        }
    }
}

/// A strategy: who was assigned to which arm, and what is to be said of it.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawStrategy {
    /// Name of the strategy. Two names may not differ only in case or blanks.
    pub name: String,
    /// How customers came to their treatment: by chance, by somebody's choice, all were treated, or all beyond a cut were.
    pub design: Design,
    /// Parquet or CSV file (by its ending), glob, folder of Parquet files, or a list of them; or SQL over the sources, or a Delta or Iceberg table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "string, list, `{ query = \"SELECT …\" }`, `{ delta = PATH, version = N }`, or `{ iceberg = PATH, snapshot = ID }`", "x-default" = "required, but for `threshold`"))]
    pub assignments: Option<RawAssignments>,
    /// The measure by which customers were treated, such as `monetary@365d`, of the day before the period. For `threshold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "measure", "x-default" = "required for `threshold`"))]
    pub running: Option<String>,
    /// Customers from this value of `running` on were treated: a number, or the lower bound of a state whose rule is over that
    /// measure alone. For `threshold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "number, or `{ scheme = COLUMN, state = STATE }`", "x-default" = "required for `threshold`"))]
    pub cut: Option<RawCut>,
    /// How far from the cut customers are looked at, on both sides; of those, at most 100,000 that a hash of their ids draws.
    /// For `threshold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "number above 0", "x-default" = "the cut, which reaches from 0 to twice the cut"))]
    pub window: Option<RawNumber>,
    /// The first day of the programme, whose days before are its placebo. For `threshold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "date", "x-default" = "the first day of the first period"))]
    pub began: Option<RawDate>,
    /// Assignment table of who was really treated in a period, in whatever arm, if not everybody beyond the cut was, or somebody
    /// below it. For `threshold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "string, list, `{ delta = PATH, version = N }`, or `{ iceberg = PATH, snapshot = ID }`", "x-default" = "everybody beyond the cut, and nobody else"))]
    pub treated: Option<RawPath>,
    /// List of SHA-256 hashes that the assignments, or the files of `treated`, are held against.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "path", "x-see" = "[hashes](#hashes-of-inputs)"))]
    pub manifest: Option<String>,
    /// The control arm; `before_after` and `threshold` have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "arm", "x-default" = "required"))]
    pub control: Option<String>,
    /// Planned share of every arm: decimals, or fractions in quotes (`"1/3"`), that add to exactly 1. A stratum with shares
    /// of its own has a table: `"At Risk" = { control = 0.2, treatment = 0.8 }`. For `matched` it names the arms.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("x-type" = "table", "x-default" = "required for `randomised`"))]
    pub split: BTreeMap<String, RawShare>,
    /// Pairs of treated arms that are compared too, the first less the second, beside every arm less the control; both are arms of
    /// the split. For `randomised`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<[String; 2]>", extend("x-type" = "list of `[\"ARM\", \"ARM\"]`"))]
    pub pairs: Vec<Vec<String>>,
    /// Column of the assignments that says which unit of the draw a customer belongs to, where stores, regions or households were
    /// drawn and not customers: its values are the units of test, interval, split check and least sizes. Text or integers, at most
    /// 100,000 values. Named `stratum` or `state`, the column is no stratum. For `randomised`; the only method is `permutation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "column", "x-default" = "every customer is drawn alone"))]
    pub cluster: Option<String>,
    /// Periods in which customers were assigned, apart from each other; both days belong to them. Of `threshold`, the periods in which
    /// customers were treated by what they were on the day before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "list of `{ from, to }`", "x-default" = "the job's"))]
    pub periods: Option<Vec<RawSpan>>,
    /// Where covariates come from; ends before the period, and goes with one period only. A change since then is told if it
    /// is about as long as the outcomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "`{ from, to }`", "x-default" = "the days before"))]
    pub baseline: Option<RawSpan>,
    /// Days that outcomes count from a customer's own `assigned_on`; of `threshold`, from the period's first day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "integer 1–3660", "x-default" = "to the period's end"))]
    pub outcome_days: Option<u32>,
    /// Whether the time after is shown too, as long as the time during.
    #[serde(default)]
    pub after: bool,
    /// `converted`, `orders`, `revenue`, `margin` (needs `orders.cost` or `margin_rate`), `retained`, `avg_order_value`, and
    /// `net` (margin less cost; there wherever both are known), `moved_up:COLUMN`, `moved_down:COLUMN` for a scheme column (not
    /// with `ntile`), `event:KIND` (1 with an event of the kind) and `events:KIND` (how many) with `[events]`: `sends`, `opens`,
    /// `clicks`, `conversions`, `responses`, a kind of the job's own, or `events` of any kind; and `event_sum:KIND`, the sum of the
    /// values of a kind that has some.
    #[serde(default = "usual_outcomes")]
    #[schemars(extend("x-type" = "list", "x-default" = "converted, orders, revenue"))]
    pub outcomes: Vec<String>,
    /// What decides; one of `outcomes`, and not a ratio or a move, which restate behaviour after treatment. Methods:
    /// `permutation_baseline` (default; without a baseline `permutation`), `permutation`, `welch`, `cuped`, `post_stratified` for
    /// `randomised`; `did` (default), `matched` for `matched`; `threshold` for `threshold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "`{ outcome, method }`", "x-default" = "revenue, or else the first outcome that may be"))]
    pub primary: Option<RawPrimary>,
    /// Outcomes that must not suffer: their names, or with the change per customer that is borne
    /// (`{ outcome = "retained", at_worst = -0.01 }`). One that is shown to fall, or may fall by more, turns `scale` and `keep`
    /// into `test_longer`. `net` is always one. For `randomised`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-type" = "list of outcomes, `{ outcome, at_worst }`"))]
    pub guardrails: Vec<RawGuardrail>,
    /// How often verdicts over all periods are read before they stand: each time spends its part of the 5 % that they may err.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "integer 1–100", "x-default" = "4"))]
    pub looks: Option<u32>,
    /// Effects are shown by these states, those of the day before the period; by the values of these dimensions of `[customers]`,
    /// `(unknown)` without one; where there is a control, by those of these further columns of the assignments (text, integers or
    /// booleans), `(none)` without one; for `randomised` by the assignments' stratum. A dimension or column has at most 1,000
    /// values, and must be nothing that the treatment changes. A name that is two of these is an error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-type" = "list of scheme columns, dimensions, columns, `\"stratum\"`"))]
    pub by: Vec<String>,
    /// What makes the cells of `matched`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-type" = "list of scheme columns, `\"stratum\"`", "x-default" = "the scheme columns of `by`, or else all"))]
    pub match_on: Vec<String>,
    /// Cost of a treated customer; costs in the assignments count instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "amount"))]
    pub cost_per_customer: Option<RawNumber>,
    /// Cost besides, per period.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "amount"))]
    pub fixed_cost: Option<RawNumber>,
    /// Strategies of the job whose costs this one has too, such as those that a permanent hold-out is kept from: what their rows cost
    /// in each of their periods that begins in one of this strategy's. Not of `threshold`, nor strategies with `costs_of` themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-type" = "list of strategies"))]
    pub costs_of: Vec<String>,
    /// Share of the revenue that is margin.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "share above 0"))]
    pub margin_rate: Option<RawNumber>,
    /// Cuts off money outcomes at this percentile, in a further outcome beside the plain one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "percentile 0.5 to below 1"))]
    pub winsorise: Option<RawNumber>,
    /// Customers whom another strategy treats at once: `keep` counts them, `exclude` leaves those out whom it treated since the
    /// same `assigned_on` or an earlier one, `first` keeps customers only in the strategy that they were assigned to first, in
    /// whatever arm, and in none of two on one day. A control arm is no treatment. At once: the times from `assigned_on` to
    /// `ended_on` (else the last of `outcome_days`, else that of the period) share a day. Each strategy goes by its own setting.
    #[serde(default)]
    pub overlap: Overlap,
    /// The slice whose orders count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "required with `orders.slice`"))]
    pub slice: Option<String>,
}

/// From where on customers were treated.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number such as 1000, or { scheme = \"tier\", state = \"gold\" }")]
pub enum RawCut {
    /// A value of the measure, in printed units.
    Number(RawNumber),
    /// The lower bound of a state.
    State(RawCutState),
}

/// A state whose lower bound is the cut.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCutState {
    /// The scheme column.
    pub scheme: String,
    /// The state.
    pub state: String,
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
    /// One of the design's methods (permutation_baseline, or did for design matched).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<EffectMethod>,
}

/// An outcome that must not suffer.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged, expecting = "expected an outcome such as \"revenue\", or { outcome = \"retained\", at_worst = -0.01 }")]
pub enum RawGuardrail {
    /// It must not be shown to fall.
    Outcome(String),
    /// It must not fall by more.
    Bound(RawBound),
}

/// The change of an outcome that is borne.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawBound {
    /// The outcome.
    pub outcome: String,
    /// Change per customer, 0 or below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_worst: Option<RawNumber>,
}

impl RawGuardrail {
    /// The outcome's name.
    pub fn outcome(&self) -> &str {
        match self {
            RawGuardrail::Outcome(outcome) | RawGuardrail::Bound(RawBound { outcome, .. }) => outcome,
        }
    }
}

/// What becomes of customers who are in two strategies at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// They stay and are counted.
    #[default]
    Keep,
    /// They are left out where the other treatment came first.
    Exclude,
    /// They stay where they were assigned first.
    First,
}

fn usual_outcomes() -> Vec<String> {
    ["converted", "orders", "revenue"].map(String::from).into()
}
