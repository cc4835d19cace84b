//! What strategies without a control are described beside: all customers who had ordered before the baseline, and the customers
//! who are not assigned in the period.

use super::side_values::SideValues;
use super::slice::history;
use super::snapshots::Snapshots;
use super::values::OutcomeWindows;
use crate::activity::{BoundaryDays, CumulativeActivity, OrderHistory};
use crate::domain::{CompactInts, CustomerIdRef, Design, Period};
use crate::error::Result;
use crate::experiment::exposure::{AssignmentRun, BATCH_ROWS};
use crate::experiment::plan::{OutcomeKind, PeriodPlan, StrategyPlan};
use crate::measure::{BucketPanel, CustomerEvents};
use crate::movement::ABSENT;
use crate::part::PartCustomers;
use crate::sums::Column;

/// The described outcomes of customers, in a time and in the time before.
pub struct ReferenceColumns {
    /// Indices among the part's customers.
    pub customers: Vec<u32>,
    pub columns: Vec<Column>,
}

/// The customers of a part, with their orders.
#[derive(Clone, Copy)]
pub struct PartHistories<'a> {
    pub panels: &'a [BucketPanel],
    pub customers: &'a PartCustomers,
    /// By bucket; empty if no strategy counts events.
    pub events: &'a [CustomerEvents],
}

impl<'a> PartHistories<'a> {
    /// The customers of a slice who have orders.
    fn of_slice(self, slice: u32) -> impl Iterator<Item = (usize, OrderHistory<'a>)> {
        let indices = self.customers.groups.slice(slice);
        indices.filter_map(move |index| Some((index, history(self.panels, self.customers, index)?)))
    }
}

/// All customers who had ordered before the baseline, in it and in the time before it; none if the strategy has a control, or the
/// data do not reach back far enough.
///
/// # Errors
/// Exit 3 if a customer has no value.
pub fn everybody(strategy: &StrategyPlan<'_>, period: &PeriodPlan, part: PartHistories<'_>) -> Result<Option<ReferenceColumns>> {
    let (Some(baseline), Some(placebo), Some(pre_placebo)) = (period.baseline, period.placebo, period.pre_placebo) else {
        return Ok(None);
    };
    if strategy.strategy.design != Design::BeforeAfter || !period.placebo_is_known {
        return Ok(None);
    }
    let ordered_before = |history: &OrderHistory<'_>| history.first_purchase().is_some_and(|first| first < baseline.start.0);
    let histories = part.of_slice(strategy.slice).filter(|(_, history)| ordered_before(history));
    described(strategy, part, histories, [baseline, placebo, pre_placebo]).map(Some)
}

/// The customers with a state on the day before the period who are not assigned in it, in the days in which the first assigned
/// customers' outcomes count and in the baseline; none if the strategy has a control, or no baseline.
///
/// # Errors
/// Exit 3 if a customer has no value.
pub fn unassigned(
    strategy: &StrategyPlan<'_>,
    period: &PeriodPlan,
    part: PartHistories<'_>,
    snapshots: &Snapshots,
    assigned: &[&AssignmentRun<'_>],
) -> Result<Option<ReferenceColumns>> {
    let (Some(outcomes), Some(baseline), Some(placebo)) = (period.outcomes, period.baseline, period.placebo) else {
        return Ok(None);
    };
    let states = period.before.and_then(|date| snapshots.states(date)?.first());
    let Some(states) = states.filter(|_| strategy.strategy.design == Design::BeforeAfter) else { return Ok(None) };
    let mut is_assigned = vec![false; part.customers.len()];
    let slice = part.customers.groups.slice(strategy.slice);
    for run in assigned {
        let mut next = slice.start;
        for row in 0..run.row_count() {
            let id = run.customer(row);
            while next < slice.end && CustomerIdRef::of(&part.customers.ids, next) < id {
                next += 1;
            }
            if next < slice.end && CustomerIdRef::of(&part.customers.ids, next) == id {
                is_assigned[next] = true;
            }
        }
    }
    let is_listed = |index: usize| states.get(index).is_some_and(|state| *state != ABSENT);
    let histories = part.of_slice(strategy.slice).filter(|(index, _)| is_listed(*index) && !is_assigned[*index]);
    described(strategy, part, histories, [outcomes, baseline, placebo]).map(Some)
}

/// The described outcomes of customers in the first time, and in the second; the third is the one before that.
fn described<'a>(
    strategy: &StrategyPlan<'_>,
    part: PartHistories<'_>,
    mut histories: impl Iterator<Item = (usize, OrderHistory<'a>)>,
    times: [Period; 3],
) -> Result<ReferenceColumns> {
    let days = BoundaryDays::distinct(times.iter().flat_map(|time| [time.start.0, time.end.0]).collect());
    let mut activity = CumulativeActivity::default();
    let mut windows = OutcomeWindows::default();
    let batch_indices: Vec<u32> = (0..BATCH_ROWS as u32).collect();
    let mut columns = vec![Vec::new(); strategy.described_outcomes().count()];
    let mut side = SideValues::of_events(part.events);
    let mut customers = Vec::new();
    loop {
        let batch: Vec<(usize, OrderHistory<'_>)> = histories.by_ref().take(BATCH_ROWS).collect();
        if batch.is_empty() {
            break;
        }
        activity.fill(&days, batch.len(), batch.iter().map(|(_, history)| *history).enumerate());
        windows.zeros.cover(batch.len());
        for (window, time) in [&mut windows.baseline, &mut windows.placebo, &mut windows.pre_placebo].into_iter().zip(times) {
            let rows = [time.start, time.end.max(time.start)].map(|day| activity.start(days.before(day.0)));
            window.between(&activity, rows, &batch_indices[..batch.len()]);
        }
        windows.reference(strategy, batch.len(), &mut columns).map_err(|error| error.explain(&strategy.strategy.name))?;
        let ids: Vec<CustomerIdRef<'_>> = batch.iter().map(|(index, _)| CustomerIdRef::of(&part.customers.ids, *index)).collect();
        side.read_batch(&ids);
        for (planned, column) in strategy.described_outcomes().zip(&mut columns) {
            if let OutcomeKind::Events(kind, tally) = planned.kind {
                let number = |customer: usize, days: Period| side.events((kind, tally), customer as u32, days);
                column.truncate(customers.len());
                for customer in 0..ids.len() {
                    let both = number(customer, times[0]).and_then(|now| Ok([now, number(customer, times[1])?]));
                    column.push(both.map_err(|error| error.explain(&strategy.strategy.name))?);
                }
            }
        }
        customers.extend(batch.iter().map(|(index, _)| *index as u32));
    }
    let columns = columns.into_iter().map(|values| Column::Two(CompactInts::Wide(values))).collect();
    Ok(ReferenceColumns { customers, columns })
}
