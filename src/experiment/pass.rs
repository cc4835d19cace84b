//! The pass of one strategy over the batches of a part: who counts in which of its periods, and the sums of what they did.

use super::exposure::{
    AssignmentRun, BatchRows, CarryOver, CustomerBatch, ExclusionCounts, OverlapScratch, Overlaps, eligible_runs,
};
use super::outcomes::{ActivityScratch, MemberBatch, MemberRows, PeriodOutcomes, SideValues, SliceCustomers};
use super::partial_sums::PartialSums;
use super::plan::{ExperimentPlan, StrategyPlan};
use super::strategy_sums::{StrategySums, SumScratch};
use super::winsorise::WinsorInput;
use crate::error::Result;
use crate::measure::UNKNOWN;
use crate::part::PartCustomers;

/// A batch of customers, with what all strategies know of them.
pub struct BatchContext<'s, 'a> {
    /// The plan.
    pub plan: &'a ExperimentPlan<'a>,
    /// The assignments of the part.
    pub runs: &'s [AssignmentRun<'a>],
    /// The customers and their rows.
    pub batch: &'s CustomerBatch<'a>,
    /// The customers of the part.
    pub customers: &'s PartCustomers,
    /// The orders of the customers, by slice.
    pub slices: &'s [SliceCustomers<'a>],
    /// What the customers table and the events say of the customers.
    pub side: &'s SideValues<'a>,
    /// By period.
    pub outcomes: &'s [PeriodOutcomes<'a>],
    /// Customers in several strategies at once.
    pub overlaps: &'s Overlaps,
}

/// A strategy with its sums.
pub struct StrategyPass<'a> {
    number: usize,
    strategy: &'a StrategyPlan<'a>,
    /// By period of the strategy: the indices of its eligible run and of the period.
    runs: Vec<(usize, usize)>,
    sums: StrategySums,
    winsor_input: WinsorInput,
    /// By period of the strategy.
    squares: Vec<u128>,
    /// By period of the strategy.
    exclusions: Vec<ExclusionCounts>,
}

/// Scratch memory of one batch and strategy. Strategies share it one after the other, so that it stays in the caches.
#[derive(Default)]
pub struct PassScratch {
    /// By period of the strategy and row: whether the overlap policy retains it; nothing if all are retained.
    retained: Vec<Vec<bool>>,
    /// By customer: in how many periods of the strategy they count.
    period_counts: Vec<u32>,
    /// By customer: the first of the strategy's periods with an assignment; empty where no arms are kept.
    first_periods: Vec<u32>,
    overlap: OverlapScratch,
    carry_over: CarryOver,
    members: MemberScratch,
    activity: ActivityScratch,
    sums: SumScratch,
    /// By period of the strategy.
    batches: Vec<MemberBatch>,
}

/// The columns of [`MemberRows`] where they are not those of the batch.
#[derive(Default)]
struct MemberScratch {
    customers: Vec<u32>,
    rows: Vec<u32>,
    arms: Vec<u16>,
    indices: Vec<u32>,
    period_counts: Vec<u32>,
    first_periods: Vec<u32>,
    treated_in_baseline: Vec<bool>,
}

impl<'a> StrategyPass<'a> {
    /// The strategy with this index before the first batch of a part, and its sums of other parts.
    pub fn new(plan: &'a ExperimentPlan<'a>, number: usize, runs: &[AssignmentRun<'_>], sums: StrategySums) -> StrategyPass<'a> {
        let strategy = &plan.strategies[number];
        StrategyPass {
            number,
            strategy,
            runs: eligible_runs(runs, number).collect(),
            sums,
            winsor_input: WinsorInput::new(number),
            squares: vec![0; strategy.periods.len()],
            exclusions: vec![plan.no_exclusions(strategy); strategy.periods.len()],
        }
    }

    /// Sums the customers of a batch.
    ///
    /// # Errors
    /// Exit 3 where an order lacks the cost that a margin needs, or money overflows.
    pub fn add(&mut self, context: &BatchContext<'_, 'a>, scratch: &mut PassScratch) -> Result<()> {
        let Some(slice) = context.slices.iter().find(|slice| slice.slice == self.strategy.slice) else { return Ok(()) };
        let BatchContext { plan, runs, batch, .. } = *context;
        scratch.reserve(self.runs.len());
        let PassScratch { retained, period_counts, first_periods, overlap, carry_over, members, activity, sums, batches } =
            scratch;
        for (at, (run, period)) in self.runs.iter().enumerate() {
            let (rows, exclusions) = (&batch.runs[*run], &mut self.exclusions[at]);
            let run = (&runs[*run], *period);
            let rows = (rows, batch.ids.len());
            context.overlaps.apply_policy(plan, run, rows, overlap, (&mut retained[at], exclusions));
        }
        self.count_periods(batch, retained, period_counts);
        self.find_first_periods(plan, batch, first_periods);
        for (at, (run, period)) in self.runs.iter().enumerate() {
            carry_over.find(runs, batch, *run, plan.periods[*period].baseline, self.strategy.control);
            let BatchRows { rows, arms, customers, covers_batch, .. } = &batch.runs[*run];
            let all = MemberRows {
                customers,
                rows,
                arms,
                indices: &slice.indices,
                treated_in_baseline: &carry_over.treated,
                period_counts,
                first_periods: if plan.periods[*period].kept.is_some() { first_periods } else { &[] },
                day: runs[*run].single_day(),
            };
            let own = members.select(all, *covers_batch, &retained[at]);
            self.exclusions[at].unmatched += own.unmatched();
            let value = |dimension: usize, customer: u32| context.customers.groups.value(dimension, customer);
            self.exclusions[at].add_values(own.arms, own.indices, |dimension, customer| {
                value(dimension, customer).filter(|value| *value != UNKNOWN)
            });
            context.outcomes[*period].fill(own, slice, context.side, activity, &mut batches[at])?;
        }
        let batches = &batches[..self.runs.len()];
        self.sums.add(&self.strategy.layout.keys, batches, sums, &mut self.squares);
        if !self.strategy.winsorised.is_empty() {
            self.winsor_input.add(self.strategy, batches, batch.ids.len());
        }
        Ok(())
    }

    /// Counts in how many periods of the strategy each customer of the batch counts.
    fn count_periods(&self, batch: &CustomerBatch<'_>, retained: &[Vec<bool>], counts: &mut Vec<u32>) {
        counts.clear();
        counts.resize(batch.ids.len(), 0);
        for ((run, _), retained) in self.runs.iter().zip(retained) {
            let customers = &batch.runs[*run].customers;
            if retained.is_empty() {
                customers.iter().for_each(|customer| counts[*customer as usize] += 1);
                continue;
            }
            for (customer, is_retained) in customers.iter().zip(retained) {
                counts[*customer as usize] += u32::from(*is_retained);
            }
        }
    }

    /// Finds the first of the strategy's periods in which each customer of the batch is assigned, if arms are kept in any.
    fn find_first_periods(&self, plan: &ExperimentPlan<'_>, batch: &CustomerBatch<'_>, firsts: &mut Vec<u32>) {
        firsts.clear();
        if self.runs.iter().all(|(_, period)| plan.periods[*period].kept.is_none()) {
            return;
        }
        firsts.resize(batch.ids.len(), 0);
        // The earliest is written last.
        for (at, (run, _)) in self.runs.iter().enumerate().rev() {
            batch.runs[*run].customers.iter().for_each(|customer| firsts[*customer as usize] = at as u32);
        }
    }

    /// Adds everything that was summed to the sums of the part.
    pub fn finish(self, sums: &mut PartialSums) {
        let periods = self.strategy.periods.clone();
        sums.strategies[self.number] = self.sums;
        for (all, own) in sums.squares[periods.clone()].iter_mut().zip(self.squares) {
            *all = all.saturating_add(own);
        }
        sums.exclusions[periods].iter_mut().zip(&self.exclusions).for_each(|(all, own)| all.merge(own));
        sums.winsor_inputs.push(self.winsor_input);
    }
}

impl PassScratch {
    /// Makes room for a strategy with this number of periods.
    fn reserve(&mut self, periods: usize) {
        if self.batches.len() < periods {
            self.retained.resize_with(periods, Vec::new);
            self.batches.resize_with(periods, MemberBatch::default);
        }
    }
}

impl MemberScratch {
    /// The members among all rows of a run: those that the overlap policy retains. Of all rows, `indices`, `period_counts` and
    /// `first_periods` have an entry per customer of the batch; of members, like all other columns, one per member.
    fn select<'b>(&'b mut self, all: MemberRows<'b>, covers_batch: bool, retained: &[bool]) -> MemberRows<'b> {
        let mut members = all;
        if !retained.is_empty() {
            members.customers = filter(all.customers, retained, &mut self.customers);
            members.rows = filter(all.rows, retained, &mut self.rows);
            members.arms = filter(all.arms, retained, &mut self.arms);
            members.treated_in_baseline = filter(all.treated_in_baseline, retained, &mut self.treated_in_baseline);
        } else if covers_batch {
            return members;
        }
        members.indices = gather(all.indices, members.customers, &mut self.indices);
        members.period_counts = gather(all.period_counts, members.customers, &mut self.period_counts);
        if !all.first_periods.is_empty() {
            members.first_periods = gather(all.first_periods, members.customers, &mut self.first_periods);
        }
        members
    }
}

/// The retained values.
fn filter<'b, T: Copy>(values: &[T], retained: &[bool], out: &'b mut Vec<T>) -> &'b [T] {
    out.clear();
    out.extend(values.iter().zip(retained).filter(|(_, retained)| **retained).map(|(value, _)| *value));
    out
}

/// The values of customers.
fn gather<'b>(values: &[u32], customers: &[u32], out: &'b mut Vec<u32>) -> &'b [u32] {
    out.clear();
    out.extend(customers.iter().map(|customer| values[*customer as usize]));
    out
}
