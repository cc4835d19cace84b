//! Why a number is not there.

use std::fmt;

use crate::domain::Day;
use crate::domain::Period;

/// A reason for null numbers, printed as one sentence in `not_estimable`.
#[derive(Debug, Clone, PartialEq)]
pub enum NotEstimable {
    /// An arm has no customers.
    EmptyArm {
        /// The arm.
        arm: String,
    },
    /// An arm has one customer, who has no variance.
    OneCustomer {
        /// The arm.
        arm: String,
    },
    /// Within either arm all customers have the same outcome.
    SameOutcome,
    /// Within either arm all customers with orders have the same value per order.
    SameValue,
    /// Within either arm the baseline explains all that differs.
    Explained,
    /// A ratio's denominator is 0 in an arm.
    NoDenominator,
    /// The arms' sizes are not those that were planned.
    FailedSplit {
        /// The split check's p-value.
        p: f64,
    },
    /// The outcome's days are not all in the data.
    Unfinished {
        /// The last day needed.
        until: Day,
        /// The last day there is.
        known: Day,
    },
    /// Customers were assigned on different dates and the job gives no `outcome_days`.
    NoCommonStart,
    /// The arms were already treated differently inside the baseline.
    ContaminatedBaseline {
        /// The p-value of equal shares.
        p: f64,
    },
    /// There is no baseline.
    NoBaseline,
    /// The outcome has no number in the baseline from which it could have changed.
    NoBaselineValue,
    /// The baseline and the outcomes are of different length.
    UnequalDays {
        /// Days of the baseline that are in the data.
        baseline: i32,
        /// Days of the outcomes.
        outcomes: i32,
    },
    /// Strata with different planned shares cannot be thrown together.
    UnequalShares,
    /// No stratum or matching cell has two customers in each arm.
    NoCells,
    /// The matched arms differed before the baseline.
    FailedPlacebo {
        /// Their difference then.
        difference: f64,
        /// Its interval's lower end.
        low: f64,
        /// Its upper end.
        high: f64,
    },
    /// No period has an estimate to pool.
    NoPeriod {
        /// The first period's reason.
        first: Option<Box<(Period, NotEstimable)>>,
    },
}

/// A number with four significant digits or all before the point.
pub(super) fn short(x: f64) -> String {
    let before = if x == 0.0 { 0 } else { x.abs().log10().floor().clamp(-12.0, 15.0) as i32 + 1 };
    let text = format!("{x:.*}", usize::try_from(4 - before).unwrap_or(0));
    // What rounds to nothing has no sign.
    if text.starts_with('-') && text.chars().all(|c| "-0.".contains(c)) { text[1..].to_string() } else { text }
}

/// `0.0312`, or `< 0.0001`.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".into() } else { format!("{p:.4}") }
}

impl fmt::Display for NotEstimable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotEstimable::EmptyArm { arm } => write!(f, "arm {arm:?} has no customers here"),
            NotEstimable::OneCustomer { arm } => write!(f, "arm {arm:?} has one customer here, and one has no variance"),
            NotEstimable::SameOutcome => f.write_str("within each arm all customers have the same outcome, so there is no variance"),
            NotEstimable::SameValue => f.write_str("within each arm all customers have the same value per order, so there is no variance"),
            NotEstimable::Explained => f.write_str("the baseline explains all that differs within the arms, so there is no variance left"),
            NotEstimable::NoDenominator => f.write_str("an arm has no orders here, so there is no value per order"),
            NotEstimable::FailedSplit { p } => {
                let p = p_value(*p);
                write!(f, "the arms' sizes are not those of the planned split (chi-square p {p}), so who is in which arm was not left to chance")
            }
            NotEstimable::Unfinished { until, known } => {
                write!(f, "outcomes run until {until} and the last as-of date is {known}: the period is not finished")
            }
            NotEstimable::NoCommonStart => {
                f.write_str("customers were assigned on different dates and the job gives no outcome_days, so they were not watched equally long")
            }
            NotEstimable::ContaminatedBaseline { p } => {
                let p = p_value(*p);
                write!(f, "the arms were treated differently inside the baseline already (chi-square p {p}), so the baseline is no fair covariate")
            }
            NotEstimable::NoBaseline => f.write_str("there is no baseline"),
            NotEstimable::NoBaselineValue => f.write_str("the outcome is not known of the baseline, so there is no change since then"),
            NotEstimable::UnequalDays { baseline, outcomes } => {
                write!(f, "the data have {baseline} days of the baseline and {outcomes} of outcomes, which are too unlike to tell a change by")
            }
            NotEstimable::UnequalShares => {
                f.write_str("strata have different planned shares, so the arms' plain means differ by their mix: see post_stratified")
            }
            NotEstimable::NoCells => f.write_str("no stratum or matching cell has two customers in each arm"),
            NotEstimable::FailedPlacebo { difference, low, high } => {
                let (difference, low, high) = (short(*difference), short(*low), short(*high));
                write!(f, "the matched arms differed by {difference} ({low} to {high}) before the baseline already, when nobody was treated")
            }
            NotEstimable::NoPeriod { first: Some(first) } => {
                write!(f, "no period has an estimate; the first, from {}: {}", first.0.start, first.1)
            }
            NotEstimable::NoPeriod { first: None } => f.write_str("the strategy has no periods"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (4.3046561, "4.305"),
            (0.0, "0.0000"),
            (-0.051453, "-0.05145"),
            (-0.0, "0.0000"),
            (12345.6, "12346"),
            (-1e-9, "-0.000000001000"),
        ];
        for (x, text) in cases {
            assert_eq!(short(x), text);
        }
        assert_eq!(p_value(0.00001), "< 0.0001");
    }
}
