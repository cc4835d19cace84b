//! Strategies of design threshold joined with what their data are.

use super::sample::MOST_OUTCOMES;
use crate::domain::{Day, Period};
use crate::error::{Error, Result};
use crate::experiment::exposure::load::StrategyAssignments;
use crate::experiment::quantity::OutcomeKind;
use crate::job::{Job, Threshold};
use crate::plan::PlannedCut;

/// A strategy of design threshold.
pub struct ThresholdPlan<'a> {
    /// Its settings.
    pub threshold: &'a Threshold,
    /// Its cut.
    pub cut: PlannedCut,
    /// Number of the slice whose orders count; 0 without slices.
    pub slice: u32,
    /// How its outcomes are computed.
    pub outcomes: Vec<OutcomeKind>,
    /// Its periods.
    pub periods: Vec<ThresholdPeriod>,
    /// Who was treated; none if everybody beyond the cut was.
    pub treated: Option<&'a StrategyAssignments>,
}

/// A period of such a strategy.
pub struct ThresholdPeriod {
    /// Its days.
    pub period: Period,
    /// Index of the as-of date that is the day before it; none if it lies after the last date.
    pub before: Option<usize>,
    /// The days on which outcomes count.
    pub outcomes: Period,
    /// As many days before the programme began.
    pub placebo: Period,
    /// Whether the data begin before these.
    pub placebo_is_known: bool,
}

impl<'a> ThresholdPlan<'a> {
    /// The strategies of a job; `treated` are the tables of those that have one, `slices` the numbers of their slices.
    ///
    /// # Errors
    /// Exit 1 if a strategy has outcomes that it cannot have, which is a bug.
    pub fn all(
        job: &'a Job,
        cuts: &[PlannedCut],
        treated: &'a [StrategyAssignments],
        slices: &[u32],
        first_order: Option<Day>,
    ) -> Result<Vec<ThresholdPlan<'a>>> {
        let mut treated = treated.iter();
        let mut plans = Vec::with_capacity(job.thresholds.len());
        for ((threshold, cut), slice) in job.thresholds.iter().zip(cuts).zip(slices) {
            let has_cost = job.raw.orders.cost.is_some();
            let kind = |outcome| OutcomeKind::of_orders(outcome, threshold.margin_rate, has_cost);
            let outcomes: Option<Vec<OutcomeKind>> = threshold.outcomes.iter().map(kind).collect();
            let outcomes = outcomes.filter(|outcomes| outcomes.len() <= MOST_OUTCOMES);
            let date = |day: Day| job.dates.iter().position(|date| date.date == day);
            let period = |period: &Period| {
                let placebo = threshold.placebo_window(*period);
                ThresholdPeriod {
                    period: *period,
                    before: date(period.start.previous()),
                    outcomes: threshold.outcome_window(*period),
                    placebo,
                    placebo_is_known: first_order.is_some_and(|first| first <= placebo.start),
                }
            };
            plans.push(ThresholdPlan {
                threshold,
                cut: *cut,
                slice: *slice,
                outcomes: outcomes.ok_or_else(|| Error::bug("a strategy of design threshold has other outcomes"))?,
                periods: threshold.periods.iter().map(period).collect(),
                treated: threshold.treated.as_ref().and_then(|_| treated.next()),
            });
        }
        Ok(plans)
    }
}
