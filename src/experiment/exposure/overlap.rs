//! Finds customers whom other strategies treat at the same time, and applies the overlap policy of each strategy.
//!
//! A strategy treats the customers of every arm but its control; two strategies of one table are one treatment. A customer overlaps if the days of such a treatment and those
//! of the own assignment share one.

use super::cursor::{BatchRows, CustomerBatch};
use super::exclusions::ExclusionCounts;
use super::run::{AssignmentRun, TreatmentBounds};
use crate::domain::Period;
use crate::experiment::plan::ExperimentPlan;
use crate::job::strategy::Overlap;

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
    /// By row: how one other strategy treats the customer.
    by_one: Vec<Elsewhere>,
    /// By row: how all others do.
    by_all: Vec<Elsewhere>,
    /// By row: whether another strategy, in whatever arm, has the customer since the same day or before.
    is_later: Vec<bool>,
}

/// When other strategies begin to treat a customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Elsewhere {
    /// On the day of the own assignment or before.
    before: bool,
    /// After it.
    after: bool,
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
        let policy = plan.strategy_of(period).strategy.overlap;
        scratch.own.clear();
        scratch.own.extend(rows.rows.iter().map(|row| run.treatment(*row as usize)));
        self.decide(policy, others, (rows, customers), scratch, retained);
        counts.overlapping += scratch.by_all.iter().filter(|elsewhere| elsewhere.before || elsewhere.after).count() as u64;
        counts.add_rows(&rows.arms, retained);
        let is_retained = |row: usize| retained.get(row).copied().unwrap_or(true);
        for others in others.chunk_by(|a, b| plan.periods[*a].strategy == plan.periods[*b].strategy) {
            scratch.by_one.clear();
            scratch.by_one.resize(rows.rows.len(), Elsewhere::default());
            let treatments = others.iter().map(|other| &self.treatments[other * customers..][..customers]);
            treatments.for_each(|treatments| find(&scratch.own, &rows.customers, treatments, &mut scratch.by_one));
            let strategy = plan.periods[others[0]].strategy;
            for (row, (elsewhere, arm)) in scratch.by_one.iter().zip(&rows.arms).enumerate() {
                if is_retained(row) {
                    counts.add_elsewhere(strategy, *arm, [elsewhere.before, elsewhere.after]);
                }
            }
        }
    }

    /// Decides which rows are retained, and counts in `scratch` how all others treat their customers.
    fn decide(
        &self,
        policy: Overlap,
        others: &[usize],
        (rows, customers): (&BatchRows, usize),
        scratch: &mut OverlapScratch,
        retained: &mut Vec<bool>,
    ) {
        let OverlapScratch { own, by_all, is_later, .. } = scratch;
        by_all.clear();
        by_all.resize(own.len(), Elsewhere::default());
        is_later.clear();
        is_later.resize(own.len(), false);
        for other in others {
            find(own, &rows.customers, &self.treatments[other * customers..][..customers], by_all);
            if policy == Overlap::First {
                let assignments = &self.assignments[other * customers..][..customers];
                for ((own, customer), is_later) in own.iter().zip(&rows.customers).zip(&mut *is_later) {
                    let other = assignments[*customer as usize];
                    *is_later |= own.overlaps(other) && other.start <= own.start;
                }
            }
        }
        let leaves = |row: usize| match policy {
            Overlap::Keep => false,
            Overlap::Exclude => by_all[row].before,
            Overlap::First => is_later[row],
        };
        if (0..own.len()).any(leaves) {
            retained.extend((0..own.len()).map(|row| !leaves(row)));
        }
    }
}

/// Adds how the treatments of one period, by customer, meet the own assignments.
fn find(own: &[Period], customers: &[u32], treatments: &[Period], found: &mut [Elsewhere]) {
    for ((own, customer), found) in own.iter().zip(customers).zip(found) {
        let treatment = treatments[*customer as usize];
        let overlaps = own.overlaps(treatment);
        found.before |= overlaps && treatment.start <= own.start;
        found.after |= overlaps && treatment.start > own.start;
    }
}
