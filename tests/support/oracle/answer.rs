//! What a run must say.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::job::{Axis, Closed, Level, Lookback};
use super::numbers::ten_to;

/// A customer id; numbers sort numerically, texts by their bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Id {
    Int(i128),
    Text(String),
}

/// An exact fraction; the denominator is positive, the fraction need not be in lowest terms.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    pub num: i128,
    pub den: i128,
}

impl Ratio {
    /// How the fraction stands to a whole number.
    pub fn compare_to(self, whole: i128) -> Ordering {
        self.num.cmp(&(whole * self.den))
    }

    /// The nearest double of the fraction divided by `10^digits`.
    pub fn printed(self, digits: u32) -> f64 {
        self.num as f64 / self.den as f64 / ten_to(digits) as f64
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Ratio) -> bool {
        self.num * other.den == other.num * self.den
    }
}

/// Rows and money of one outcome of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerSum {
    pub rows: u64,
    /// In minor units; a row whose amount cannot be read counts 0.
    pub money: i128,
}

/// `frequency@L` and `monetary@L` of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtLookback {
    pub lookback: Lookback,
    pub frequency: i128,
    /// With [`Job::monetary_digits`] digits.
    pub monetary: i128,
}

/// What a customer did in a period, and before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InPeriod {
    /// Purchases of the period.
    pub orders: i128,
    /// Money of the period, minor units.
    pub monetary: i128,
    /// Purchases before it.
    pub orders_before: i128,
}

/// One customer of one slice at one as-of date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRow {
    pub id: Id,
    pub first_order: i64,
    pub last_order: i64,
    pub recency_days: i128,
    pub frequency: i128,
    /// With [`Job::monetary_digits`] digits.
    pub monetary: i128,
    /// With `amount_scale + 2` digits; none at frequency 0.
    pub avg_order_value: Option<i128>,
    pub tenure_days: i128,
    pub lifetime_orders: i128,
    /// A sum in minor units, also where `monetary` is a mean.
    pub lifetime_monetary: i128,
    /// Of the period of the as-of date; none where it has no period.
    pub period: Option<InPeriod>,
    /// Purchases of the period before; none where there is no such period.
    pub previous_period_orders: Option<i128>,
    /// The money of the lookback in minor units, before any average; what `segments` sums as revenue.
    pub revenue: i128,
    /// One per [`Job::extra_lookbacks`].
    pub at: Vec<AtLookback>,
    /// Of recency, frequency and monetary; none for a customer outside `[score.only]`.
    pub scores: [Option<u32>; 3],
    pub levels: [Option<Level>; 3],
    /// One per [`Job::schemes`].
    pub states: Vec<String>,
}

/// The cut points of one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisCuts {
    pub axis: Axis,
    /// Which side of a cut a value on it belongs to: `Right` means that only a value above the cut is beyond it.
    pub closed: Closed,
    /// `bins - 1` cuts, ascending in the measure, in minor units (days, orders). Empty for `ntile`, which has none.
    ///
    /// `None` is a cut of `rank` that nobody reaches from the better side: above every frequency and every amount,
    /// below every recency.
    pub cuts: Vec<Option<Ratio>>,
    /// Scored customers per bin, ascending in the measure.
    pub customers: Vec<u64>,
}

/// One state of one scheme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentRow {
    pub scheme: String,
    pub state: String,
    pub customers: u64,
    /// Sum of `frequency`.
    pub orders: i128,
    /// Sum of the lookback's money, in minor units.
    pub revenue: i128,
    /// Customers with a frequency of 2 or more.
    pub repeat_customers: u64,
}

/// One slice at one as-of date; only slices with customers are listed.
#[derive(Clone, Debug)]
pub struct SliceAnswer {
    /// None without `[orders] slice`.
    pub slice: Option<String>,
    /// Ascending by id.
    pub customers: Vec<CustomerRow>,
    /// One per axis; empty if the slice has no cut points (nobody was scored, now or at the frozen date).
    pub cuts: Vec<AxisCuts>,
    /// The bound between low and high per axis, in minor units (or in scores); empty like `cuts`.
    pub level_bounds: Vec<Ratio>,
    /// What the date scored by; none if it had nothing to score by.
    pub bounds: Option<Bounds>,
    /// Ascending by the order of the job's schemes, then by state.
    pub segments: Vec<SegmentRow>,
}

/// Cut points and bounds of levels of a slice at a date.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Per axis, with the side on which bins are closed; empty under `ntile`.
    pub cuts: [(Vec<Option<Ratio>>, Closed); 3],
    /// Per axis.
    pub levels: [Ratio; 3],
}

/// One as-of date.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub as_of: i64,
    /// False for a date that others are only compared with.
    pub shown: bool,
    /// No lookback at this date begins before the first order.
    pub history_complete: bool,
    /// Ascending by slice.
    pub slices: Vec<SliceAnswer>,
}

/// What a run must say.
#[derive(Clone, Debug)]
pub struct Answer {
    /// By file name and outcome; only outcomes with rows are listed.
    pub ledger: BTreeMap<(String, String), LedgerSum>,
    /// One per date, ascending: the as-of dates and those they are compared with.
    pub snapshots: Vec<Snapshot>,
    pub movement: Movement,
    /// Readings of the meaning on which this answer depends and another reader might differ, see [`notes`].
    pub notes: BTreeSet<&'static str>,
}

/// The tables about movement, rows in no particular order. A slice is `(all)` without `[orders] slice`.
#[derive(Clone, Debug, Default)]
pub struct Movement {
    pub transitions: Vec<Transition>,
    pub movers: Vec<Mover>,
    pub stays: Vec<Stay>,
    pub growth: Vec<Growth>,
    pub cohorts: Vec<Cohort>,
    pub concentration: Vec<Concentration>,
}

/// Customers who went from one state to another, or stayed.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    pub as_of: i64,
    pub slice: String,
    pub scheme: String,
    /// `(none)` for who was not listed.
    pub from_state: String,
    /// `(none)` for who is no longer listed.
    pub to_state: String,
    pub from_as_of: i64,
    pub customers: i128,
    /// Share of all who come from the state, with the ends of its 95 % interval.
    pub rate: f64,
    pub interval: (f64, f64),
    /// Money after `from_as_of`, up to `as_of`.
    pub revenue: i128,
}

/// A customer whose state changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mover {
    pub as_of: i64,
    pub slice: String,
    pub id: Id,
    pub scheme: String,
    pub from_as_of: i64,
    pub from_state: String,
    pub to_state: String,
    /// `behaviour` or `cut_points`; none where scores have no cut points.
    pub reason: Option<String>,
}

/// An unbroken stay of a customer in a state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stay {
    pub slice: String,
    pub id: Id,
    pub scheme: String,
    pub state: String,
    pub valid_from: i64,
    /// None while it lasts.
    pub valid_to: Option<i64>,
}

/// Growth accounting of a period, of everybody or by the state at the as-of date before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    pub as_of: i64,
    pub slice: String,
    /// `(all)`, with the state `(all)`, for everybody.
    pub scheme: String,
    pub from_state: String,
    pub from_as_of: Option<i64>,
    pub new: i128,
    pub retained: i128,
    pub resurrected: i128,
    pub lapsed: i128,
    pub inactive: i128,
    pub revenue: i128,
}

/// Customers by the period of their first purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cohort {
    pub as_of: i64,
    pub slice: String,
    /// None: the first purchase lies in no period of the job.
    pub period: Option<(i64, i64)>,
    pub periods_since: Option<i128>,
    pub customers: i128,
    pub active: i128,
    pub repeat: i128,
    pub orders: i128,
    pub revenue: i128,
    pub revenue_to_date: i128,
    /// What winning the cohort cost.
    pub spend: Option<i128>,
}

/// How revenue is spread over who bought in the lookback.
#[derive(Clone, Debug, PartialEq)]
pub struct Concentration {
    pub as_of: i64,
    pub slice: String,
    pub customers: i128,
    pub revenue: i128,
    /// Of the best 1, 10 and 20 percent; none without revenue above zero.
    pub top: [Option<f64>; 3],
    pub gini: Option<f64>,
}

/// A run that must fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub exit: i32,
    pub why: String,
}

/// The names of the readings in [`Answer::notes`].
pub mod notes {
    /// Two rows that are equal but for nothing, NaN included, count as duplicates.
    pub const NAN_DUPLICATE: &str = "rows with NaN are duplicates";
    /// A NaN fails `min`, `max`, `above`, `below` and `in`, and passes `not_in` and `not_null`.
    pub const NAN_IN_PREDICATE: &str = "NaN in a predicate compares like IEEE";
    /// Fully equal rows that share the greatest `by`: the first by path and position counts, the rest is superseded.
    pub const LATEST_EQUAL_ROWS: &str = "equal rows share the greatest by";
    /// Different rows share a `by` that is not the greatest of their key: no failure.
    pub const LATEST_LOWER_TIE: &str = "a tie below the greatest by";
    /// A row with a null in the latest key is never superseded; a null `by` is less than every value.
    pub const LATEST_NULL: &str = "null in the latest key or by";
    /// `zero_amount = "drop"` leaves an order that matches `[orders.returns]` as a return.
    pub const ZERO_RETURN: &str = "a zero return is not dropped";
    /// A zero row without customer is no order, so `no_customer` and not `zero`.
    pub const ZERO_WITHOUT_ORDER: &str = "a zero row that is no order";
    /// A zero row after the last as-of date is `after_as_of`, also where orders of zero are dropped.
    pub const ZERO_AFTER_AS_OF: &str = "a zero row after the last as-of date";
    /// An order has rows of several dates.
    pub const LATER_LINES: &str = "an order with later lines";
    /// Only returns are kept: legal, without any customer.
    pub const ONLY_RETURNS: &str = "only returns are kept";
    /// `avg_order_value` divides by `frequency`, also where that counts days.
    pub const AVERAGE_BY_DAYS: &str = "avg_order_value under order_days";
    /// `monetary_as = "average"` divides by purchases, also where `frequency` counts days.
    pub const MEAN_BY_ORDERS: &str = "average per purchase under order_days";
    /// `lifetime_orders` counts orders, also where `frequency` counts days.
    pub const LIFETIME_ORDERS: &str = "lifetime_orders under order_days";
    /// `lifetime_monetary` stays a sum under `monetary_as = "average"`; only `monetary` and `monetary@L` become means.
    pub const LIFETIME_SUM: &str = "lifetime_monetary is a sum under monetary_as average";
    /// `avg_order_value` divides the sum, not the average.
    pub const AVERAGE_OF_SUM: &str = "avg_order_value under monetary_as average";
    /// A slice without scored customers at the frozen date has no cut points, so its customers are unscored.
    pub const FROZEN_NOBODY: &str = "no frozen cut points in a slice";
    /// The bounds of levels are frozen with the cut points.
    pub const FROZEN_LEVELS: &str = "levels are frozen";
    /// An empty score of `rank` shares the cut of the next better score that has members.
    pub const RANK_EMPTY_SCORE: &str = "rank leaves scores empty";
    /// An unscored customer has the state `(unscored)` in a scheme that asks for levels and for no score.
    pub const UNSCORED_LEVEL: &str = "unscored in a scheme over levels";
}
