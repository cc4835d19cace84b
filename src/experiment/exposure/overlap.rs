//! Finds customers who are in several strategies at once, and applies the overlap policy of each strategy.
//!
//! Two periods overlap for a customer if the customer's treatments in them share a day.

use super::cursor::{BatchRows, CustomerBatch};
use super::run::{AssignmentRun, TreatmentBounds};
use crate::domain::{Day, Period};
use crate::experiment::plan::ExperimentPlan;
use crate::job::strategy::Overlap;

/// No day.
const NO_DAY: Day = Day(i32::MAX);

/// A period of another strategy that may treat customers at the same time.
#[derive(Debug, Clone, Copy)]
struct OverlappingPeriod {
    /// Index of the period.
    period: usize,
    /// Whether its strategy comes first in the job, which decides if both begin on the same day.
    comes_first: bool,
    /// Whether it overlaps for every customer who is in both periods, whatever the days.
    always: bool,
}

/// Which periods overlap, and the treatments of the customers of a batch.
pub struct Overlaps {
    /// By period.
    others: Vec<Vec<OverlappingPeriod>>,
    /// By period: whether all customers of the batch are in it.
    covers_batch: Vec<bool>,
    /// By period and customer: the days of treatment, [`Period::EMPTY`] without one. Empty if no period needs them.
    treatments: Vec<Period>,
}

/// Scratch memory for the rows of one period.
#[derive(Default)]
pub struct OverlapScratch {
    /// By row.
    treatments: Vec<Period>,
    /// By row: the last day on which the treatment must begin to be the first of all that overlap; [`NO_DAY`] if none does.
    first_until: Vec<Day>,
}

impl Overlaps {
    /// Finds the periods that may overlap in a part.
    pub fn new(plan: &ExperimentPlan<'_>, runs: &[AssignmentRun<'_>]) -> Overlaps {
        let mut bounds = vec![TreatmentBounds::NONE; plan.periods.len()];
        for run in runs {
            if let Some(period) = run.period() {
                bounds[period] = bounds[period].union(&run.bounds);
            }
        }
        let strategy = |period: usize| plan.periods[period].strategy;
        let mut others: Vec<Vec<OverlappingPeriod>> = vec![Vec::new(); plan.periods.len()];
        for (period, overlapping) in others.iter_mut().enumerate() {
            let own = &bounds[period];
            for (other, bounds) in bounds.iter().enumerate() {
                if strategy(other) != strategy(period) && bounds.hull().overlaps(own.hull()) {
                    let comes_first = strategy(other) < strategy(period);
                    overlapping.push(OverlappingPeriod { period: other, comes_first, always: bounds.always_overlap(own) });
                }
            }
        }
        Overlaps { others, covers_batch: Vec::new(), treatments: Vec::new() }
    }

    /// Looks up the treatments of the customers of a batch.
    pub fn read_batch(&mut self, plan: &ExperimentPlan<'_>, runs: &[AssignmentRun<'_>], batch: &CustomerBatch<'_>) {
        let of_periods = || runs.iter().zip(&batch.runs).filter_map(|(run, rows)| Some((run, rows, run.period()?)));
        self.covers_batch.clear();
        self.covers_batch.resize(plan.periods.len(), false);
        for (_, rows, period) in of_periods() {
            self.covers_batch[period] |= rows.covers_batch;
        }
        self.treatments.clear();
        if !(0..plan.periods.len()).any(|period| self.needs_treatments(plan, period)) {
            return;
        }
        self.treatments.resize(plan.periods.len() * batch.ids.len(), Period::EMPTY);
        for (run, rows, period) in of_periods() {
            let treatments = &mut self.treatments[period * batch.ids.len()..][..batch.ids.len()];
            for (row, customer) in rows.rows.iter().zip(&rows.customers) {
                let treatment = &mut treatments[*customer as usize];
                *treatment = treatment.hull(run.treatment(*row as usize));
            }
        }
    }

    /// Whether the days of treatment matter to a period. They do not if its strategy keeps all customers, and all are in a
    /// period that always overlaps.
    fn needs_treatments(&self, plan: &ExperimentPlan<'_>, period: usize) -> bool {
        let others = &self.others[period];
        if plan.strategy_of(period).strategy.overlap != Overlap::Keep {
            return !others.is_empty();
        }
        let all_overlap = others.iter().any(|other| other.always && self.covers_batch[other.period]);
        !others.is_empty() && !all_overlap
    }

    /// Applies the overlap policy of a period's strategy to eligible rows of a batch with this number of customers. Says per row
    /// whether it is retained, or nothing if all are. Returns how many rows overlap.
    pub fn apply_policy(
        &self,
        plan: &ExperimentPlan<'_>,
        (run, period): (&AssignmentRun<'_>, usize),
        (rows, customers): (&BatchRows, usize),
        scratch: &mut OverlapScratch,
        retained: &mut Vec<bool>,
    ) -> u64 {
        let others = &self.others[period];
        retained.clear();
        if !self.needs_treatments(plan, period) {
            return if others.is_empty() { 0 } else { rows.rows.len() as u64 };
        }
        let OverlapScratch { treatments, first_until } = scratch;
        treatments.clear();
        treatments.extend(rows.rows.iter().map(|row| run.treatment(*row as usize)));
        first_until.clear();
        first_until.resize(treatments.len(), NO_DAY);
        for other in others {
            let other_treatments = &self.treatments[other.period * customers..][..customers];
            for ((first_until, treatment), customer) in first_until.iter_mut().zip(&*treatments).zip(&rows.customers) {
                let other_treatment = other_treatments[*customer as usize];
                if treatment.overlaps(other_treatment) {
                    let day = Day(other_treatment.start.0 - i32::from(other.comes_first));
                    *first_until = day.min(*first_until);
                }
            }
        }
        let mut overlapping = 0;
        for (treatment, first_until) in treatments.iter().zip(first_until) {
            let overlaps = *first_until != NO_DAY;
            overlapping += u64::from(overlaps);
            retained.push(match plan.strategy_of(period).strategy.overlap {
                Overlap::Keep => true,
                Overlap::Exclude => !overlaps,
                Overlap::First => treatment.start <= *first_until,
            });
        }
        if retained.iter().all(|retained| *retained) {
            retained.clear();
        }
        overlapping
    }
}
