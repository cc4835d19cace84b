//! How many parts and dates are processed at once under the memory limit. The tables do not depend on it.

use crate::domain::Unit;
use crate::error::Result;
use crate::job::Job;
use crate::job::raw::TableName;
use crate::memory::{Consumer, MemoryPool};
use crate::movement::{TransitionKey, TransitionSum};
use crate::plan::{Plan, SchemeColumn};
use crate::tables::{SegmentKey, SegmentSum};

/// Input rows per part, about: at a common number of rows per customer, a file has some 50,000 customers.
const PART_ROWS: u64 = 1 << 20;

/// How many parts a run has: a power of two that depends on the input only, so that the files of an as-of date are the same
/// whatever other dates the job has. A bucket never lies in two parts.
pub fn part_count(input_rows: u64, part_rows: Option<u64>, buckets: usize) -> usize {
    (input_rows.div_ceil(part_rows.unwrap_or(PART_ROWS).max(1)) as usize).next_power_of_two().clamp(1, buckets)
}

/// How many parts are processed at once, and for how many dates their customers are measured at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// Parts.
    pub parts: usize,
    /// Dates.
    pub dates: usize,
}

/// At most this many windows of dates: rather than fold buckets more often, a thread idles.
const MAX_WINDOWS: usize = 4;

/// How large the largest part is, about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartSize {
    /// Customers.
    pub customers: u64,
    /// Rows of orders.
    pub rows: u64,
}

/// Bytes that a part takes, about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PartBytes {
    /// Independent of the dates.
    fixed: u64,
    /// Per date that is measured at once.
    per_date: u64,
}

impl Concurrency {
    /// All parts on all threads and all dates, if they fit beside `sums` bytes that the parts add up to; else fewer dates at
    /// once, then fewer parts.
    ///
    /// # Errors
    /// Exit 7 if not even one date of one part fits.
    pub fn new(job: &Job, plan: &Plan, part: PartSize, sums: u64, memory: &MemoryPool) -> Result<Concurrency> {
        let (threads, dates) = (rayon::current_num_threads(), job.dates.len());
        if memory.spill().is_none() {
            return Ok(Concurrency { parts: threads, dates });
        }
        let needed = PartBytes::new(job, plan, part.customers, part.rows);
        memory.try_reserve_beside(sums, Consumer::Parts, needed.fixed + needed.per_date, || {
            format!("the {} customers of a part at one of {dates} as-of dates, and the sums of all,", part.customers)
        })?;
        Ok(needed.concurrency(memory.capacity_beside(sums, Consumer::Parts), threads, dates))
    }
}

/// Bytes of the sums of all parts, at most: those by slice, dimension, state and date. `groups` is how many pairs there are of a
/// slice and a value of a dimension, or the total; `memberships` in how many of them the customers are, together.
pub fn bytes_of_sums(job: &Job, plan: &Plan, groups: u64, memberships: u64) -> u64 {
    let states = |column: &SchemeColumn| column.scheme.all_states().len() as u64;
    let at_most = |cells: u64| groups.saturating_mul(cells).min(memberships);
    let (mut segments, mut transitions) = (0, 0);
    for scheme in &plan.schemes {
        segments += at_most(states(scheme));
        transitions += at_most(states(scheme) * states(scheme));
    }
    let pairs: usize = job.origins.iter().map(Vec::len).sum();
    let segments = if job.writes(TableName::Segments) { segments * job.dates.len() as u64 } else { 0 };
    let transitions = if job.writes(TableName::Transitions) { transitions * pairs as u64 } else { 0 };
    let bytes = segments * size_of::<(SegmentKey, SegmentSum)>() as u64
        + transitions * size_of::<(TransitionKey, TransitionSum)>() as u64;
    // Half as many again before those of equal keys are added up.
    bytes + bytes / 2
}

/// Bytes by which a customer is found among those whose first purchases are alike, per property.
const FIRST_PURCHASE_BYTES: u64 = 16;

/// Bytes of a customer's history in the buckets.
const FORECAST_BYTES: u64 = 24;

impl PartBytes {
    fn new(job: &Job, plan: &Plan, customers: u64, rows: u64) -> PartBytes {
        let width = |unit: Unit| match unit {
            Unit::Date | Unit::Days | Unit::Text => 4,
            Unit::Count | Unit::Money | Unit::Average | Unit::Decimal(..) | Unit::Double => 8,
            Unit::Ratio => 16,
        };
        let measures: u64 = plan.fold.measures.iter().map(|m| width(plan.fold.unit(*m))).sum();
        let (schemes, dates) = (plan.schemes.len() as u64, job.dates.len() as u64);
        // Rows of a date and the table made of them, indices, states, and what is remembered of each date.
        let mut customer = 3 * measures + 16 * plan.columns.len() as u64 + 128 + 48 * schemes;
        if job.writes(TableName::StateHistory) {
            customer += 16 * schemes * dates;
        }
        customer += FIRST_PURCHASE_BYTES * plan.fold.first_purchase.len() as u64;
        if !plan.fold.history_days.is_empty() {
            customer += FORECAST_BYTES;
        }
        // Activity by interval, histories, and the sort of a bucket's orders.
        let order = if plan.fold.histories { 40 } else { 16 };
        PartBytes { fixed: customers * customer + rows * order, per_date: customers * (measures + 1) }
    }

    /// The concurrency that these bytes allow; they are enough for one date of one part.
    fn concurrency(&self, bytes: u64, threads: usize, dates: usize) -> Concurrency {
        let fitting =
            |parts: usize| ((bytes / parts as u64).saturating_sub(self.fixed) / self.per_date.max(1)).min(dates as u64) as usize;
        let parts = (1..=threads).rev().find(|parts| fitting(*parts) * MAX_WINDOWS >= dates).unwrap_or(1);
        Concurrency { parts, dates: fitting(parts).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_idle_before_dates_are_folded_too_often() {
        let needed = PartBytes { fixed: 100, per_date: 10 };
        assert_eq!(needed.concurrency(2 * 460, 2, 36), Concurrency { parts: 2, dates: 36 });
        assert_eq!(needed.concurrency(2 * 280, 2, 36), Concurrency { parts: 2, dates: 18 });
        assert_eq!(needed.concurrency(2 * 189, 2, 36), Concurrency { parts: 1, dates: 27 });
        assert_eq!(needed.concurrency(110, 2, 36), Concurrency { parts: 1, dates: 1 });
    }
}
