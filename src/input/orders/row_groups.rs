//! Which row groups of the files are read, and how much of each.

use arrow::datatypes::{DataType, TimeUnit};
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

impl RowGroupTask {
    /// Its rows, among these files.
    pub fn rows(&self, sources: &[Source]) -> u64 {
        sources.get(self.file).map_or(0, |source| source.group_rows(self.group))
    }
}

/// One of several shares of all rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Which, from 0.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

impl Share {
    /// All rows.
    pub const ALL: Share = Share { number: 0, of: 1 };

    /// The row groups of the share: those that begin in its part of the rows.
    pub fn of_tasks(self, tasks: Vec<RowGroupTask>, sources: &[Source]) -> Vec<RowGroupTask> {
        let all: u64 = tasks.iter().map(|task| task.rows(sources)).sum();
        let mut before = 0u64;
        let mut is_mine = |task: &RowGroupTask| {
            let share = u128::from(before) * self.of as u128 / u128::from(all.max(1));
            before += task.rows(sources);
            // Groups without rows at the end begin where the rows end.
            share.min(self.of as u128 - 1) == self.number as u128
        };
        tasks.into_iter().filter(|task| is_mine(task)).collect()
    }
}

/// The row groups to read, in the order of the files.
pub fn tasks(job: &Job, sources: &[Source]) -> Vec<RowGroupTask> {
    let prunable = can_prune(job);
    let mut tasks = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        for group in source.groups() {
            let amounts_only = prunable && is_after(job, source, group);
            tasks.push(RowGroupTask { file, group, amounts_only });
        }
    }
    tasks
}

/// The row groups that are read, with the file of each.
pub fn groups(sources: &[Source]) -> Vec<(usize, usize)> {
    let of_file = |file: usize| sources.get(file).into_iter().flat_map(Source::groups).map(move |group| (file, group));
    (0..sources.len()).flat_map(of_file).collect()
}

/// Has no more than about `most` rows read: row groups that lie evenly over all files, the first and the last among them, and all of
/// them if they have no more rows.
pub fn sample(sources: &mut [Source], most: u64) {
    let rows: u64 = sources.iter().map(Source::rows).sum();
    if rows <= most {
        return;
    }
    let all = groups(sources);
    let kept = (u128::from(most) * all.len() as u128 / u128::from(rows)) as usize;
    let kept = kept.clamp(2, all.len().max(2));
    let mut of_files = vec![Vec::new(); sources.len()];
    // Of few groups, the last place may be the first one again.
    let mut places: Vec<usize> = (0..kept).map(|place| place * all.len().saturating_sub(1) / (kept - 1)).collect();
    places.dedup();
    for (file, group) in places.into_iter().filter_map(|place| all.get(place)) {
        if let Some(of_file) = of_files.get_mut(*file) {
            of_file.push(*group);
        }
    }
    sources.iter_mut().zip(of_files).for_each(|(source, groups)| source.read_only(groups));
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
    let has_no_null = |name: &str| statistics(source, group, name).is_some_and(|(_, s)| s.null_count_opt() == Some(0));
    if !has_no_null(&orders.ordered_at) || !has_no_null(&orders.customer_id) {
        return false;
    }
    let Some((first, last)) = days(source, group, &orders.ordered_at) else { return false };
    // A margin of a day covers all zones.
    first - 1 > i64::from(job.last().0) && first <= last && last < i64::from(Day::MAX.0)
}

/// The first and the last date of all files, in UTC, as far as their statistics tell.
pub fn span(job: &Job, sources: &[Source]) -> Option<(Day, Day)> {
    let groups = sources.iter().flat_map(|source| (0..source.metadata.metadata().num_row_groups()).map(move |g| (source, g)));
    let spans = groups.filter_map(|(source, group)| days(source, group, &job.raw.orders.ordered_at));
    let (first, last) = spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    let day = |day: i64| i32::try_from(day).ok().map(Day).filter(|day| (Day::MIN..=Day::MAX).contains(day));
    Some((day(first)?, day(last)?))
}

/// The least and the greatest date of a row group by its statistics, in days since 1970 and UTC.
fn days(source: &Source, group: usize, column: &str) -> Option<(i64, i64)> {
    let ticks_per_day = |unit: &TimeUnit| match unit {
        TimeUnit::Second => 86_400,
        TimeUnit::Millisecond => 86_400_000,
        TimeUnit::Microsecond => 86_400_000_000,
        TimeUnit::Nanosecond => 86_400_000_000_000i64,
    };
    match statistics(source, group, column)? {
        (DataType::Date32, Statistics::Int32(s)) => Some((i64::from(*s.min_opt()?), i64::from(*s.max_opt()?))),
        (DataType::Timestamp(unit, _), Statistics::Int64(s)) => {
            Some((s.min_opt()?.div_euclid(ticks_per_day(&unit)), s.max_opt()?.div_euclid(ticks_per_day(&unit))))
        }
        _ => None,
    }
}

/// The type of a column and its statistics in a row group.
fn statistics<'s>(source: &'s Source, group: usize, column: &str) -> Option<(DataType, &'s Statistics)> {
    let (root, field) = source.metadata.schema().fields().find(column)?;
    let group = source.metadata.metadata().row_group(group);
    let leaf = (0..group.num_columns()).find(|leaf| source.metadata.parquet_schema().get_column_root_idx(*leaf) == root)?;
    Some((field.data_type().clone(), group.column(leaf).statistics()?))
}
