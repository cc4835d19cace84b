//! One pass over the assigned customers of a part, batch by batch, which sums what they did.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::cells::SchemeStates;
use super::exposure::{AssignmentRun, CustomerBatch, Overlaps, eligible_runs, part_runs};
use super::groups::GroupSource;
use super::layout::{REFERENCE_KEY, unassigned_key};
use super::outcomes::{
    PartHistories, PeriodOutcomes, ReferenceColumns, SideTables, SideValues, SliceCustomers, Snapshots, States, everybody,
    state_or_none, unassigned,
};
use super::partial_sums::PartialSums;
use super::pass::{BatchContext, PassScratch, StrategyPass};
use super::plan::{ExperimentPlan, StrategyPlan};
use super::threshold::{CutPart, CutSample};
use crate::error::Result;
use crate::measure::{BucketPanel, UNKNOWN};
use crate::movement::CustomerGroups;
use crate::part::PartCustomers;
use crate::sums::{Column, GroupPartition, mark_nonzero, sort_code, zero_pattern};

/// A part, given by its number, with everything that strategies need to know of it.
#[derive(Clone, Copy)]
pub struct PartPass<'a> {
    /// The plan.
    pub plan: &'a ExperimentPlan<'a>,
    /// The number of the part.
    pub part: usize,
    /// Its buckets.
    pub panels: &'a [BucketPanel],
    /// Its customers.
    pub customers: &'a PartCustomers,
    /// Their states and covariates.
    pub snapshots: &'a Snapshots,
    /// What the customers table and the events say of them.
    pub side: SideTables<'a>,
}

impl<'a> PartPass<'a> {
    /// Adds to sums what the assigned customers of the part did.
    ///
    /// # Errors
    /// Exit 3 where an order lacks the cost that a margin needs, or money overflows.
    pub fn run(&self, sums: &mut PartialSums) -> Result<()> {
        let plan = self.plan;
        let runs = part_runs(plan, self.part);
        let outcome = |period: usize| PeriodOutcomes::new(plan, period, self.part, self.snapshots);
        let outcomes: Vec<PeriodOutcomes<'_>> = (0..plan.periods.len()).map(outcome).collect();
        let mut slices = self.slices(&runs, &outcomes);
        let mut side = SideValues::new(plan, self.side);
        let mut overlaps = Overlaps::new(plan, &runs);
        let strategies = sums.strategies.iter_mut().enumerate();
        let mut passes: Vec<StrategyPass<'_>> =
            strategies.map(|(number, sums)| StrategyPass::new(plan, number, &runs, std::mem::take(sums))).collect();
        let days = slices.iter().map(|slice| slice.days.len()).max().unwrap_or(0);
        let mut batch = CustomerBatch::new(runs.len(), days);
        let scratches: Mutex<Vec<PassScratch>> = Mutex::default();
        while batch.advance(&runs) {
            slices.iter_mut().for_each(|slice| slice.read_batch(&batch.ids));
            side.read_batch(&batch.ids);
            overlaps.read_batch(plan, &runs, &batch);
            let (runs, batch, slices, outcomes, overlaps) = (&*runs, &batch, &*slices, &*outcomes, &overlaps);
            let (customers, side) = (self.customers, &side);
            let context = BatchContext { plan, runs, batch, customers, slices, side, outcomes, overlaps };
            // Threads whose parts are done take a strategy each.
            let added: Vec<Result<()>> = passes
                .par_iter_mut()
                .map(|pass| {
                    let mut scratch = locked(&scratches).pop().unwrap_or_default();
                    let added = pass.add(&context, &mut scratch);
                    locked(&scratches).push(scratch);
                    added
                })
                .collect();
            added.into_iter().collect::<Result<()>>()?;
        }
        self.sum_reference(&runs, sums)?;
        passes.into_iter().for_each(|pass| pass.finish(sums));
        self.sum_near_cuts(&mut sums.cuts)
    }

    /// Adds the customers near the cuts of strategies of design threshold.
    fn sum_near_cuts(&self, samples: &mut [CutSample]) -> Result<()> {
        let part = CutPart { number: self.part, panels: self.panels, customers: self.customers };
        let thresholds = self.plan.thresholds.iter().enumerate();
        let periods = thresholds.flat_map(|(number, plan)| (0..plan.periods.len()).map(move |period| (number, plan, period)));
        periods.zip(samples).try_for_each(|((number, plan, period), sample)| match plan.periods[period].before {
            Some(date) => plan.sum_part(period, part, self.snapshots.near_cuts.inside(number, date), sample),
            None => Ok(()),
        })
    }

    /// The slices of the strategies, each once.
    fn slices(&self, runs: &[AssignmentRun<'_>], outcomes: &[PeriodOutcomes<'_>]) -> Vec<SliceCustomers<'a>> {
        let strategies = &self.plan.strategies;
        let mut numbers: Vec<u32> = strategies.iter().map(|strategy| strategy.slice).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut slices = Vec::with_capacity(numbers.len());
        for number in numbers {
            let mut days = Vec::new();
            for (strategy, _) in strategies.iter().enumerate().filter(|(_, strategy)| strategy.slice == number) {
                for (run, period) in eligible_runs(runs, strategy) {
                    outcomes[period].add_boundary_days(&runs[run].days(), &mut days);
                }
            }
            slices.push(SliceCustomers::new(number, days, self.panels, self.customers));
        }
        slices
    }

    /// Sums what strategies without a control are described beside.
    fn sum_reference(&self, runs: &[AssignmentRun<'_>], sums: &mut PartialSums) -> Result<()> {
        let part = PartHistories { panels: self.panels, customers: self.customers, events: self.side.events };
        for (number, period) in self.plan.periods.iter().enumerate() {
            let strategy = &self.plan.strategies[period.strategy];
            if let Some(all) = everybody(strategy, period, part)? {
                let keys = vec![REFERENCE_KEY; all.customers.len()];
                add_reference(strategy, number, &all, &keys, sums);
            }
            let assigned: Vec<&AssignmentRun<'_>> =
                runs.iter().filter(|run| run.strategy == period.strategy && run.period() == Some(number)).collect();
            let Some(others) = unassigned(strategy, period, part, self.snapshots, &assigned)? else { continue };
            let states = period.before.and_then(|date| self.snapshots.states(date));
            for keys in unassigned_keys(strategy, states, &self.customers.groups, &others.customers) {
                add_reference(strategy, number, &others, &keys, sums);
            }
        }
        Ok(())
    }
}

/// By name in `by`, the keys of customers by their group; a single one without names.
fn unassigned_keys(
    strategy: &StrategyPlan<'_>,
    states: Option<&States>,
    groups: &CustomerGroups,
    customers: &[u32],
) -> Vec<Vec<u64>> {
    if strategy.by.is_empty() {
        return vec![vec![unassigned_key(0); customers.len()]];
    }
    let mut offset = 0;
    let mut all = Vec::new();
    for by in &strategy.by {
        let without = by.names.len() - 1;
        let group = |customer: &u32| match by.source {
            GroupSource::State(SchemeStates { scheme, states: count }) => {
                let of_scheme = states.and_then(|states| states.get(scheme));
                of_scheme.map_or(without, |states| state_or_none(states, *customer, count))
            }
            GroupSource::Dimension(dimension) => {
                let value = groups.value(dimension, *customer).filter(|value| *value != UNKNOWN);
                value.map_or(without, |value| value as usize)
            }
            // Who is not assigned has no row; strategies without a control are not shown by columns.
            GroupSource::Column(_) => without,
        };
        all.push(customers.iter().map(|customer| unassigned_key(offset + group(customer))).collect());
        offset += by.names.len();
    }
    all
}

fn add_reference(strategy: &StrategyPlan<'_>, period: usize, of: &ReferenceColumns, keys: &[u64], sums: &mut PartialSums) {
    let mut nonzero = Vec::new();
    mark_nonzero(&of.columns, of.customers.len(), &mut nonzero);
    let codes = keys.iter().zip(&nonzero).map(|(key, nonzero)| sort_code(*key, zero_pattern::of(*nonzero, *nonzero)));
    let codes: Vec<u64> = codes.collect();
    let mut members = GroupPartition::default();
    members.sort(0, unassigned_key(strategy.layout.keys.groups as usize), &codes, 0..of.customers.len() as u32);
    let squares = of.columns.iter().map(Column::squares).fold(0, u128::saturating_add);
    sums.squares[period] = sums.squares[period].saturating_add(squares);
    let fits_partial = sums.reference[period].fits_partial(squares);
    sums.reference[period].add_rows(&members, &of.columns, fits_partial);
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
