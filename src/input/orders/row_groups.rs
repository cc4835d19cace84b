//! Which row groups of the files are read, and how much of each.

use arrow::datatypes::DataType;
use parquet::file::statistics::Statistics;

use crate::domain::Day;
use crate::input::source::Source;
use crate::job::Job;
use crate::job::raw::{Dedupe, ZeroAmount};

/// A row group to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowGroupTask {
    /// Index of the file.
    pub file: usize,
    /// Row group within it.
    pub group: usize,
    /// Whether its statistics place all its rows after the last as-of date, so that only dates and amounts are read.
    pub amounts_only: bool,
}

/// The row groups to read, in the order of the files.
pub fn tasks(job: &Job, sources: &[Source]) -> Vec<RowGroupTask> {
    let prunable = can_prune(job);
    let mut tasks = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        for group in 0..source.metadata.metadata().num_row_groups() {
            let amounts_only = prunable && is_after(job, source, group);
            tasks.push(RowGroupTask { file, group, amounts_only });
        }
    }
    tasks
}

/// Whether the outcome of a row group can follow from its dates alone, because nothing else decides about its rows.
fn can_prune(job: &Job) -> bool {
    let orders = &job.raw.orders;
    orders.order_id.is_none()
        && orders.keep.is_empty()
        && orders.latest.is_none()
        && orders.dedupe == Dedupe::default()
        && orders.zero_amount == ZeroAmount::Purchase
        && orders.slice.is_none()
        && orders.currency.is_none()
        && orders.guests.is_empty()
        // The money of the ledger is what rows count.
        && !orders.returns.as_ref().is_some_and(|returns| returns.negate)
}

/// Whether statistics place every row of the group after the last as-of date, with a customer and a date each. The dates are
/// still read and checked; the other columns are not.
fn is_after(job: &Job, source: &Source, group: usize) -> bool {
    let orders = &job.raw.orders;
    let schema = source.metadata.schema();
    let group = source.metadata.metadata().row_group(group);
    let statistics = |name: &str| {
        let (root, field) = schema.fields().find(name)?;
        let leaf = (0..group.num_columns()).find(|leaf| source.metadata.parquet_schema().get_column_root_idx(*leaf) == root)?;
        Some((field.data_type().clone(), group.column(leaf).statistics()?))
    };
    let (Some((date_type, dates)), Some((_, ids))) = (statistics(&orders.ordered_at), statistics(&orders.customer_id)) else {
        return false;
    };
    if dates.null_count_opt() != Some(0) || ids.null_count_opt() != Some(0) {
        return false;
    }
    let ticks_per_day = |unit: &arrow::datatypes::TimeUnit| match unit {
        arrow::datatypes::TimeUnit::Second => 86_400,
        arrow::datatypes::TimeUnit::Millisecond => 86_400_000,
        arrow::datatypes::TimeUnit::Microsecond => 86_400_000_000,
        arrow::datatypes::TimeUnit::Nanosecond => 86_400_000_000_000i64,
    };
    let (first, last) = match (dates, &date_type) {
        (Statistics::Int32(s), DataType::Date32) => {
            let (Some(min), Some(max)) = (s.min_opt(), s.max_opt()) else { return false };
            (i64::from(*min), i64::from(*max))
        }
        (Statistics::Int64(s), DataType::Timestamp(unit, _)) => {
            let (Some(min), Some(max)) = (s.min_opt(), s.max_opt()) else { return false };
            // A margin of a day covers all zones.
            (min.div_euclid(ticks_per_day(unit)) - 1, max.div_euclid(ticks_per_day(unit)) + 1)
        }
        _ => return false,
    };
    first > i64::from(job.last().0) && first <= last && last <= i64::from(Day::MAX.0)
}
