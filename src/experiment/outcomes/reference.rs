//! The reference of strategies without a control: all customers who had ordered before the baseline.

use super::slice::history;
use super::values::OutcomeWindows;
use crate::activity::{BoundaryDays, CumulativeActivity, OrderHistory};
use crate::domain::{CompactInts, Design};
use crate::error::Result;
use crate::experiment::exposure::BATCH_ROWS;
use crate::experiment::plan::{PeriodPlan, StrategyPlan};
use crate::measure::BucketPanel;
use crate::part::PartCustomers;
use crate::sums::Column;

/// The described outcomes of reference customers, in the baseline and in the time before.
pub struct ReferenceColumns {
    pub customers: usize,
    pub columns: Vec<Column>,
}

/// The reference of a period; none if its strategy has a control, or the data do not reach back far enough.
///
/// # Errors
/// Exit 3 if a customer has no value.
pub fn reference_columns(
    strategy: &StrategyPlan<'_>,
    period: &PeriodPlan,
    panels: &[BucketPanel],
    customers: &PartCustomers,
) -> Result<Option<ReferenceColumns>> {
    let (Some(baseline), Some(placebo), Some(pre_placebo)) = (period.baseline, period.placebo, period.pre_placebo) else {
        return Ok(None);
    };
    if strategy.strategy.design != Design::BeforeAfter || !period.placebo_is_known {
        return Ok(None);
    }
    let times = [baseline, placebo, pre_placebo];
    let days = BoundaryDays::distinct(times.iter().flat_map(|time| [time.start.0, time.end.0]).collect());
    let ordered_before = |history: &OrderHistory<'_>| history.first_purchase().is_some_and(|first| first < baseline.start.0);
    let indices = customers.groups.slice(strategy.slice);
    let mut histories = indices.filter_map(|index| history(panels, customers, index)).filter(ordered_before);

    let mut activity = CumulativeActivity::default();
    let mut windows = OutcomeWindows::default();
    let batch_indices: Vec<u32> = (0..BATCH_ROWS as u32).collect();
    let mut columns = vec![Vec::new(); strategy.described_outcomes().count()];
    let mut reference_customers = 0;
    loop {
        let batch: Vec<OrderHistory<'_>> = histories.by_ref().take(BATCH_ROWS).collect();
        if batch.is_empty() {
            break;
        }
        activity.fill(&days, batch.len(), batch.iter().copied().enumerate());
        windows.zeros.cover(batch.len());
        for (window, time) in [&mut windows.baseline, &mut windows.placebo, &mut windows.pre_placebo].into_iter().zip(times) {
            let rows = [time.start, time.end.max(time.start)].map(|day| activity.start(days.before(day.0)));
            window.between(&activity, rows, &batch_indices[..batch.len()]);
        }
        reference_customers += batch.len();
        windows.reference(strategy, batch.len(), &mut columns).map_err(|error| error.explain(strategy))?;
    }
    let columns = columns.into_iter().map(|values| Column::Two(CompactInts::Wide(values))).collect();
    Ok(Some(ReferenceColumns { customers: reference_customers, columns }))
}
