//! The output: rows of the five tables, in the order of the tables' columns. A number that is not there is `None`, never
//! NaN.

use super::arm_sums::Phase;
use super::reason::{BeforeAfterNote, NotEstimable, VerdictReason};
use crate::domain::{Design, EffectMethod as Method, Outcome, Period};

/// A row of `effects`.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectRow {
    /// The strategy.
    pub strategy: String,
    /// The period.
    pub period: Period,
    /// The days of the outcome.
    pub phase: Phase,
    /// The treated arm.
    pub arm: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The scheme, or (all).
    pub scheme: String,
    /// The state before the period, or (all).
    pub state: String,
    /// The estimator.
    pub method: Method,
    /// The design.
    pub design: Design,
    /// Whether the verdict rests on the row.
    pub headline: bool,
    /// Treated customers compared.
    pub n_treated: i64,
    /// Control customers compared.
    pub n_control: i64,
    /// Mean of the treated; adjusted under `cuped`, the mean change under `did`.
    pub mean_treated: Option<f64>,
    /// The same of the control arm.
    pub mean_control: Option<f64>,
    /// Treated less control.
    pub difference: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end.
    pub ci_high: Option<f64>,
    /// Two-sided p-value.
    pub p_value: Option<f64>,
    /// The same adjusted over its family (Benjamini and Hochberg).
    pub p_adjusted: Option<f64>,
    /// Rows of the family that have a p-value.
    pub family_size: i64,
    /// Difference over the control mean without adjustment; null where that is not positive.
    pub lift: Option<f64>,
    /// Lower end of its 95 % interval.
    pub lift_low: Option<f64>,
    /// Upper end.
    pub lift_high: Option<f64>,
    /// The smallest difference that a test at 5 % finds four times in five.
    pub mde: Option<f64>,
    /// The split check's p-value, in (all) rows.
    pub srm_p: Option<f64>,
    /// Difference times treated customers.
    pub incremental: Option<f64>,
    /// What the treated customers cost.
    pub cost: Option<f64>,
    /// (Incremental margin − cost)/cost, for revenue and margin.
    pub roi: Option<f64>,
    /// Lower end of its 95 % interval.
    pub roi_low: Option<f64>,
    /// Upper end.
    pub roi_high: Option<f64>,
    /// Incremental margin less cost, per treated customer.
    pub net_margin_per_customer: Option<f64>,
    /// Lower end of its 95 % interval.
    pub net_margin_low: Option<f64>,
    /// Upper end.
    pub net_margin_high: Option<f64>,
    /// Customers of the treated arm left out: also in another arm, or in a cell too small to compare.
    pub excluded: i64,
    /// Why the numbers are null.
    pub not_estimable: Option<NotEstimable>,
}

/// A row of `effects_over_time`.
#[derive(Debug, Clone, PartialEq)]
pub struct OverTimeRow {
    /// The strategy.
    pub strategy: String,
    /// The days of the outcome.
    pub phase: Phase,
    /// The treated arm.
    pub arm: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The scheme, or (all).
    pub scheme: String,
    /// The state, or (all).
    pub state: String,
    /// The estimator.
    pub method: Method,
    /// Periods pooled.
    pub periods: i64,
    /// Treated customers of these periods.
    pub n_treated: i64,
    /// Control customers of these periods.
    pub n_control: i64,
    /// Mean of the control arm without adjustment, weighted as the difference.
    pub mean_control: Option<f64>,
    /// The pooled difference.
    pub difference: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end.
    pub ci_high: Option<f64>,
    /// Two-sided p-value.
    pub p_value: Option<f64>,
    /// The pooled lift, weighted by its own variances.
    pub lift: Option<f64>,
    /// Lower end of its 95 % interval.
    pub lift_low: Option<f64>,
    /// Upper end.
    pub lift_high: Option<f64>,
    /// Cochran's Q of the differences.
    pub q_difference: Option<f64>,
    /// Its p-value.
    pub q_difference_p: Option<f64>,
    /// Cochran's Q of the lifts.
    pub q_lift: Option<f64>,
    /// Its p-value.
    pub q_lift_p: Option<f64>,
    /// Share of assignments whose customer is assigned in another period too.
    pub recurring_share: Option<f64>,
    /// Whether variances are clustered by customer.
    pub clustered: bool,
    /// Why the numbers are null.
    pub not_estimable: Option<NotEstimable>,
}

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Works, and pays for itself even at the low end of the interval.
    Scale,
    /// Works, and probably pays or its money is not known.
    Keep,
    /// Harms, or loses money even at the high end of the interval.
    Stop,
    /// Neither is shown.
    TestLonger,
    /// The design allows no answer.
    CannotSay,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Verdict::Scale => "scale",
            Verdict::Keep => "keep",
            Verdict::Stop => "stop",
            Verdict::TestLonger => "test_longer",
            Verdict::CannotSay => "cannot_say",
        })
    }
}

/// A row of `verdicts`.
#[derive(Debug, Clone, PartialEq)]
pub struct VerdictRow {
    /// The strategy.
    pub strategy: String,
    /// The treated arm.
    pub arm: String,
    /// The period; `None`: all periods together.
    pub period: Option<Period>,
    /// The scheme, or (all).
    pub scheme: String,
    /// The state, or (all).
    pub state: String,
    /// The verdict.
    pub verdict: Verdict,
    /// One sentence.
    pub reason: VerdictReason,
    /// The outcome it rests on.
    pub outcome: Outcome,
    /// The method it rests on; `None` without a control.
    pub method: Option<Method>,
    /// The effect.
    pub difference: Option<f64>,
    /// The effect shrunken toward the mean of what it is ranked with.
    pub shrunk_difference: Option<f64>,
    /// Lower end of its 95 % interval.
    pub shrunk_low: Option<f64>,
    /// Rank within scheme, state and period by that end, 1 is best.
    pub rank: Option<i64>,
}

/// A row of `balance`.
#[derive(Debug, Clone, PartialEq)]
pub struct BalanceRow {
    /// The strategy.
    pub strategy: String,
    /// The period.
    pub period: Period,
    /// The treated arm.
    pub arm: String,
    /// The scheme, or (all).
    pub scheme: String,
    /// The state, or (all).
    pub state: String,
    /// An outcome in the baseline, or a measure on the day before the period.
    pub covariate: String,
    /// Treated customers.
    pub n_treated: i64,
    /// Control customers.
    pub n_control: i64,
    /// Their means before any matching.
    pub mean_treated: Option<f64>,
    /// The same of the control arm.
    pub mean_control: Option<f64>,
    /// Standardised mean difference before matching; above 0.1 deserves a look.
    pub smd_before: Option<f64>,
    /// The same within matched cells, over the same standard deviation; null unless the design is matched.
    pub smd_after: Option<f64>,
    /// Share of the treated in cells without two customers per arm; null unless the design is matched.
    pub unmatched_share: Option<f64>,
}

/// A row of `before_after`.
#[derive(Debug, Clone, PartialEq)]
pub struct BeforeAfterRow {
    /// The strategy.
    pub strategy: String,
    /// The period.
    pub period: Period,
    /// The arm, treated or control.
    pub arm: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The scheme, or (all).
    pub scheme: String,
    /// The state, or (all).
    pub state: String,
    /// Customers.
    pub customers: i64,
    /// Mean in the baseline.
    pub mean_before: Option<f64>,
    /// Mean after assignment.
    pub mean_after: Option<f64>,
    /// After less before: a description, not an effect.
    pub change: Option<f64>,
    /// The change to expect of customers selected like these if nothing is done.
    pub expected_change: Option<f64>,
    /// What the expectation rests on.
    pub note: BeforeAfterNote,
}

/// All tables of evaluation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    /// One row per strategy, period, phase, arm, outcome, state and method.
    pub effects: Vec<EffectRow>,
    /// The same over all periods.
    pub over_time: Vec<OverTimeRow>,
    /// One row per strategy, arm, state and period, and over all periods.
    pub verdicts: Vec<VerdictRow>,
    /// One row per strategy, period, arm, state and covariate.
    pub balance: Vec<BalanceRow>,
    /// One row per strategy, period, arm, outcome and state.
    pub before_after: Vec<BeforeAfterRow>,
}
