//! Finds customers whom other strategies treat at the same time, and applies the overlap policy of each strategy.
//!
//! A strategy treats the customers of every arm but its control; two strategies of one table are one treatment. A customer
//! overlaps if the days of such a treatment and those of the own assignment share one.

use super::cursor::{BatchRows, CustomerBatch};
use super::exclusions::ExclusionCounts;
use super::run::{AssignmentRun, TreatmentBounds};
use crate::domain::Period;
use crate::experiment::plan::ExperimentPlan;
use crate::job::strategy::Overlap;

/// Another strategy begins to treat a customer on the day of the own assignment or before, or after it.
const BEFORE: u8 = 1;
const AFTER: u8 = 2;

/// Which periods of other strategies overlap, and when these treat the customers of a batch.
pub struct Overlaps {
    /// By period: the periods of other strategies that may overlap, strategy by strategy.
    others: Vec<Vec<usize>>,
    /// Whether a strategy keeps customers where they were assigned first, whatever the arm.
    first_matters: bool,
    /// By period and customer: the days of treatment, [`Period::EMPTY`] without one. Empty if no periods overlap.
    treatments: Vec<Period>,
    /// The same of assignments to any arm; empty if they do not matter.
    assignments: Vec<Period>,
}

/// Scratch memory for the rows of one period.
#[derive(Default)]
pub struct OverlapScratch {
    /// By row: the days of the own assignment.
    own: Vec<Period>,
    /// The other strategies that treat some of the customers meanwhile.
    strategies: Vec<usize>,
    /// By strategy of these and row: whether it begins to [`BEFORE`] or [`AFTER`].
    by_strategy: Vec<u8>,
    /// By row: the same of all others together.
    by_all: Vec<u8>,
    /// By row: whether another strategy, in whatever arm, has the customer since the same day or before.
    is_later: Vec<bool>,
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
        let may_overlap = |period: usize, other: usize| {
            !plan.have_one_table(strategy(other), strategy(period)) && bounds[other].hull().overlaps(bounds[period].hull())
        };
        let periods = 0..plan.periods.len();
        let others = periods.clone().map(|period| periods.clone().filter(|other| may_overlap(period, *other)).collect());
        let first_matters = plan.strategies.iter().any(|strategy| strategy.strategy.overlap == Overlap::First);
        Overlaps { others: others.collect(), first_matters, treatments: Vec::new(), assignments: Vec::new() }
    }

    /// Looks up when customers of a batch are treated.
    pub fn read_batch(&mut self, plan: &ExperimentPlan<'_>, runs: &[AssignmentRun<'_>], batch: &CustomerBatch<'_>) {
        self.treatments.clear();
        self.assignments.clear();
        if self.others.iter().all(Vec::is_empty) {
            return;
        }
        let cells = plan.periods.len() * batch.ids.len();
        self.treatments.resize(cells, Period::EMPTY);
        self.assignments.resize(if self.first_matters { cells } else { 0 }, Period::EMPTY);
        for (run, rows) in runs.iter().zip(&batch.runs) {
            let Some(period) = run.period() else { continue };
            let control = plan.strategies[run.strategy].control;
            let start = period * batch.ids.len();
            for ((row, arm), customer) in rows.rows.iter().zip(&rows.arms).zip(&rows.customers) {
                let days = run.treatment(*row as usize);
                let at = start + *customer as usize;
                if Some(*arm) != control {
                    self.treatments[at] = self.treatments[at].hull(days);
                }
                if let Some(assigned) = self.assignments.get_mut(at) {
                    *assigned = assigned.hull(days);
                }
            }
        }
    }

    /// Applies the overlap policy of a period's strategy to eligible rows of a batch with this number of customers. Says per row
    /// whether it is retained, or nothing if all are, and counts who is treated elsewhere.
    pub fn apply_policy(
        &self,
        plan: &ExperimentPlan<'_>,
        (run, period): (&AssignmentRun<'_>, usize),
        (rows, customers): (&BatchRows, usize),
        scratch: &mut OverlapScratch,
        (retained, counts): (&mut Vec<bool>, &mut ExclusionCounts),
    ) {
        retained.clear();
        let others = &self.others[period];
        if others.is_empty() {
            counts.add_rows(&rows.arms, retained);
            return;
        }
        scratch.own.clear();
        scratch.own.extend(rows.rows.iter().map(|row| run.treatment(*row as usize)));
        self.find_treatments(plan, others, (rows, customers), scratch);
        self.decide(plan.strategy_of(period).strategy.overlap, others, (rows, customers), scratch, retained);
        counts.overlapping += scratch.by_all.iter().filter(|treated| **treated != 0).count() as u64;
        counts.add_rows(&rows.arms, retained);
        for (strategy, treated) in scratch.strategies.iter().zip(scratch.by_strategy.chunks(rows.rows.len().max(1))) {
            counts.add_elsewhere(
                *strategy,
                &rows.arms,
                treated.iter().map(|t| [t & BEFORE, t & AFTER].map(|t| t != 0)),
                retained,
            );
        }
    }

    /// Finds how the strategies of other periods treat the customers of rows.
    fn find_treatments(
        &self,
        plan: &ExperimentPlan<'_>,
        others: &[usize],
        (rows, customers): (&BatchRows, usize),
        scratch: &mut OverlapScratch,
    ) {
        let OverlapScratch { own, strategies, by_strategy, by_all, .. } = scratch;
        strategies.clear();
        by_strategy.clear();
        by_all.clear();
        by_all.resize(own.len(), 0);
        for others in others.chunk_by(|a, b| plan.periods[*a].strategy == plan.periods[*b].strategy) {
            let start = by_strategy.len();
            by_strategy.resize(start + own.len(), 0);
            let found = &mut by_strategy[start..];
            for other in others {
                find(own, rows, &self.treatments[other * customers..][..customers], found);
            }
            if found.iter().fold(0, |any, treated| any | treated) == 0 {
                by_strategy.truncate(start);
                continue;
            }
            by_all.iter_mut().zip(found).for_each(|(all, treated)| *all |= *treated);
            strategies.push(plan.periods[others[0]].strategy);
        }
    }

    /// Decides which rows are retained.
    fn decide(
        &self,
        policy: Overlap,
        others: &[usize],
        (rows, customers): (&BatchRows, usize),
        OverlapScratch { own, by_all, is_later, .. }: &mut OverlapScratch,
        retained: &mut Vec<bool>,
    ) {
        if policy == Overlap::First {
            is_later.clear();
            is_later.resize(own.len(), false);
            for other in others {
                let assignments = &self.assignments[other * customers..][..customers];
                for ((own, customer), is_later) in own.iter().zip(&rows.customers).zip(&mut *is_later) {
                    let other = assignments[*customer as usize];
                    *is_later |= own.overlaps(other) && other.start <= own.start;
                }
            }
        }
        let leaves = |row: usize| match policy {
            Overlap::Keep => false,
            Overlap::Exclude => by_all[row] & BEFORE != 0,
            Overlap::First => is_later[row],
        };
        if (0..own.len()).any(leaves) {
            retained.extend((0..own.len()).map(|row| !leaves(row)));
        }
    }
}

/// Adds how the treatments of one period, by customer, meet the own assignments.
fn find(own: &[Period], rows: &BatchRows, treatments: &[Period], found: &mut [u8]) {
    let add = |((own, treatment), found): ((&Period, &Period), &mut u8)| {
        let begins = if treatment.start <= own.start { BEFORE } else { AFTER };
        *found |= if own.overlaps(*treatment) { begins } else { 0 };
    };
    if rows.covers_batch {
        own.iter().zip(treatments).zip(found).for_each(add);
    } else {
        let treatments = rows.customers.iter().map(|customer| &treatments[*customer as usize]);
        own.iter().zip(treatments).zip(found).for_each(add);
    }
}
