//! One pass over the assigned customers of a part, batch by batch, which sums what they did.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::exposure::{AssignmentRun, CustomerBatch, Overlaps, eligible_runs, part_runs};
use super::outcomes::{PeriodOutcomes, ReferenceColumns, SliceCustomers, Snapshots, reference_columns};
use super::partial_sums::PartialSums;
use super::pass::{BatchContext, PassScratch, StrategyPass};
use super::plan::ExperimentPlan;
use crate::error::Result;
use crate::measure::BucketPanel;
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
        let mut overlaps = Overlaps::new(plan, &runs);
        let strategies = sums.strategies.iter_mut().enumerate();
        let mut passes: Vec<StrategyPass<'_>> =
            strategies.map(|(number, sums)| StrategyPass::new(plan, number, &runs, std::mem::take(sums))).collect();
        let days = slices.iter().map(|slice| slice.days.len()).max().unwrap_or(0);
        let mut batch = CustomerBatch::new(runs.len(), days);
        let scratches: Mutex<Vec<PassScratch>> = Mutex::default();
        while batch.advance(&runs) {
            slices.iter_mut().for_each(|slice| slice.read_batch(&batch.ids));
            overlaps.read_batch(plan, &runs, &batch);
            let (runs, batch, slices, outcomes, overlaps) = (&*runs, &batch, &*slices, &*outcomes, &overlaps);
            let context = BatchContext { plan, runs, batch, slices, outcomes, overlaps };
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
        self.sum_reference(sums)?;
        passes.into_iter().for_each(|pass| pass.finish(sums));
        Ok(())
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

    /// Sums the reference of strategies without a control.
    fn sum_reference(&self, sums: &mut PartialSums) -> Result<()> {
        for (number, period) in self.plan.periods.iter().enumerate() {
            let strategy = &self.plan.strategies[period.strategy];
            let reference = reference_columns(strategy, period, self.panels, self.customers)?;
            let Some(ReferenceColumns { customers, columns }) = reference else { continue };
            let mut nonzero = Vec::new();
            mark_nonzero(&columns, customers, &mut nonzero);
            let codes: Vec<u64> = nonzero.iter().map(|nonzero| sort_code(0, zero_pattern::of(*nonzero, *nonzero))).collect();
            let mut members = GroupPartition::default();
            members.sort(0, 1, &codes, 0..customers as u32);
            let squares = columns.iter().map(Column::squares).fold(0, u128::saturating_add);
            sums.squares[number] = sums.squares[number].saturating_add(squares);
            let fits_partial = sums.reference[number].fits_partial(squares);
            sums.reference[number].add_rows(&members, &columns, fits_partial);
        }
        Ok(())
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
