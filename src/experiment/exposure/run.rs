//! Runs: rows of a strategy's assignments that mean the same for their customers, ascending by customer.

use std::borrow::Cow;
use std::ops::Range;

use crate::assign::{Assignments, RowSet};
use crate::domain::{CompactInts, CustomerIdRef, Day, Period};
use crate::experiment::plan::ExperimentPlan;

/// Whether an assignment counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eligibility {
    /// It counts in the period with this index.
    Eligible(usize),
    /// Its customer is in several arms of the period with this index.
    MultipleArms(usize),
    /// It lies in no period.
    OutsidePeriods,
}

/// The day after a treatment that has no `ended_on`.
#[derive(Debug, Clone, Copy)]
enum TreatmentEnd {
    /// This many days after the assignment.
    After(i32),
    On(Day),
}

/// When the treatments of some rows begin and end; an end is the day after the last.
#[derive(Debug, Clone, Copy)]
pub struct TreatmentBounds {
    pub first_start: Day,
    pub last_start: Day,
    pub first_end: Day,
    pub last_end: Day,
}

impl TreatmentBounds {
    /// The bounds of no rows.
    pub const NONE: TreatmentBounds = TreatmentBounds {
        first_start: Day(i32::MAX),
        last_start: Day(i32::MIN),
        first_end: Day(i32::MAX),
        last_end: Day(i32::MIN),
    };

    /// The bounds of the rows of both.
    pub fn union(&self, other: &TreatmentBounds) -> TreatmentBounds {
        TreatmentBounds {
            first_start: self.first_start.min(other.first_start),
            last_start: self.last_start.max(other.last_start),
            first_end: self.first_end.min(other.first_end),
            last_end: self.last_end.max(other.last_end),
        }
    }

    /// The time from the first start to the last end.
    pub fn hull(&self) -> Period {
        Period { start: self.first_start, end: self.last_end }
    }
}

impl From<Period> for TreatmentBounds {
    fn from(Period { start, end }: Period) -> TreatmentBounds {
        TreatmentBounds { first_start: start, last_start: start, first_end: end, last_end: end }
    }
}

/// Rows of a strategy with the same eligibility, ascending by customer.
pub struct AssignmentRun<'a> {
    /// Index of the strategy.
    pub strategy: usize,
    /// Whether the rows count.
    pub eligibility: Eligibility,
    /// The table that has the rows.
    pub table: &'a Assignments,
    rows: Cow<'a, RowSet>,
    end: TreatmentEnd,
    /// The bounds of all treatments.
    pub bounds: TreatmentBounds,
}

impl<'a> AssignmentRun<'a> {
    fn new(
        plan: &ExperimentPlan<'_>,
        strategy: usize,
        eligibility: Eligibility,
        table: &'a Assignments,
        rows: Cow<'a, RowSet>,
    ) -> AssignmentRun<'a> {
        let end = match (plan.strategies[strategy].strategy.outcome_days, eligibility) {
            (Some(days), _) => TreatmentEnd::After(days as i32),
            (None, Eligibility::Eligible(period) | Eligibility::MultipleArms(period)) => {
                TreatmentEnd::On(plan.periods[period].period.end)
            }
            (None, Eligibility::OutsidePeriods) => TreatmentEnd::After(1),
        };
        let mut run = AssignmentRun { strategy, eligibility, table, rows, end, bounds: TreatmentBounds::NONE };
        let mut previous = None;
        for row in run.rows.iter() {
            let day = table.day(row as usize);
            // Most rows are assigned on the same day as the row before, and their treatments end on the same day, too.
            if previous == Some(day) && table.ended_on.is_none() {
                continue;
            }
            previous = Some(day);
            run.bounds = run.bounds.union(&run.treatment(row as usize).into());
        }
        run
    }

    /// Rows outside of all periods, whose treatments do not matter.
    #[cfg(test)]
    pub fn of_rows(table: &'a Assignments, rows: RowSet) -> AssignmentRun<'a> {
        AssignmentRun {
            strategy: 0,
            eligibility: Eligibility::OutsidePeriods,
            table,
            rows: Cow::Owned(rows),
            end: TreatmentEnd::After(0),
            bounds: TreatmentBounds::NONE,
        }
    }

    /// The index of the period that the rows lie in.
    pub fn period(&self) -> Option<usize> {
        match self.eligibility {
            Eligibility::Eligible(period) | Eligibility::MultipleArms(period) => Some(period),
            Eligibility::OutsidePeriods => None,
        }
    }

    /// The days on which the customer of a row is treated: to `ended_on`, else to the last of `outcome_days`, else to the last
    /// day of the period.
    #[inline]
    pub fn treatment(&self, row: usize) -> Period {
        let start = self.table.day(row);
        let end = match (self.table.ended_on.as_ref().and_then(|ended| ended[row]), self.end) {
            (Some(last), _) => last.next(),
            (None, TreatmentEnd::On(day)) => day,
            (None, TreatmentEnd::After(days)) => Day(start.0.saturating_add(days)),
        };
        Period { start, end }
    }

    /// The day on which all rows are assigned, if it is the same.
    pub fn single_day(&self) -> Option<Day> {
        (self.bounds.first_start == self.bounds.last_start).then_some(self.bounds.first_start)
    }

    /// The days on which a row is assigned, ascending. The rows must lie in a period.
    pub fn days(&self) -> Vec<Day> {
        let TreatmentBounds { first_start: first, last_start: last, .. } = self.bounds;
        if first >= last {
            return self.single_day().into_iter().collect();
        }
        let mut occurs = vec![false; (last.0 - first.0) as usize + 1];
        for row in self.rows.iter() {
            occurs[(self.table.day(row as usize).0 - first.0) as usize] = true;
        }
        (first.0..).zip(occurs).filter(|(_, occurs)| *occurs).map(|(day, _)| Day(day)).collect()
    }

    /// Number of rows.
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// The customer of the row at an index of the run.
    #[inline]
    pub fn customer(&self, index: usize) -> CustomerIdRef<'a> {
        self.table.ids.id(self.rows.at(index) as usize)
    }

    /// The keys of the customers of some rows, if the table has them in sequence and in 32 bits.
    pub fn narrow_keys(&self, indices: Range<usize>) -> Option<&'a [u32]> {
        match &*self.rows {
            RowSet::Range(rows) => {
                let start = rows.start as usize;
                self.table.ids.narrow(start + indices.start..start + indices.end)
            }
            RowSet::Indices(_) => None,
        }
    }

    /// Appends the table's rows at some indices of the run.
    pub fn copy_rows(&self, indices: Range<usize>, out: &mut Vec<u32>) {
        self.rows.copy(indices, out);
    }

    /// Appends the arms of the rows at some indices of the run.
    pub fn copy_arms(&self, indices: Range<usize>, out: &mut Vec<u16>) {
        match (&*self.rows, &self.table.arm) {
            (RowSet::Range(rows), CompactInts::Narrow(arms)) => {
                let start = rows.start as usize;
                out.extend(arms[start + indices.start..start + indices.end].iter().map(|arm| u16::from(*arm)));
            }
            (rows, _) => out.extend(indices.map(|index| self.table.arm(rows.at(index) as usize))),
        }
    }

    /// The index behind the rows from `start` on whose customers are at most `last`; about `guess` of them are expected.
    pub fn end_of(&self, start: usize, guess: usize, last: CustomerIdRef<'_>) -> usize {
        let (rest, mut bound) = (self.row_count() - start, guess.min(self.row_count() - start));
        while bound < rest && self.customer(start + bound) <= last {
            bound = (bound * 2).min(rest);
        }
        start + self.rows.partition_point(start..start + bound, |row| self.table.ids.id(row as usize) <= last)
    }
}

/// All runs of a part, strategy by strategy: eligible rows by period, rows of customers in several arms by period, and rows
/// outside of all periods.
pub fn part_runs<'a>(plan: &ExperimentPlan<'a>, part: usize) -> Vec<AssignmentRun<'a>> {
    let mut runs = Vec::new();
    for (number, strategy) in plan.strategies.iter().enumerate() {
        let part = &plan.assignments[number].parts[part];
        let periods = || strategy.periods.clone().zip(&part.periods.periods);
        let run = |eligibility, rows| AssignmentRun::new(plan, number, eligibility, &part.table, rows);
        for (period, rows) in periods() {
            runs.push(run(Eligibility::Eligible(period), Cow::Borrowed(&rows.rows)));
        }
        for (period, rows) in periods() {
            let rows = RowSet::Indices(rows.in_several_arms.clone());
            runs.push(run(Eligibility::MultipleArms(period), Cow::Owned(rows)));
        }
        let mut outside = part.periods.outside.clone();
        outside.sort_by_key(|row| part.table.ids.id(*row as usize));
        runs.push(run(Eligibility::OutsidePeriods, Cow::Owned(RowSet::Indices(outside))));
    }
    runs
}

/// The eligible runs of a strategy: the indices of run and period.
pub fn eligible_runs(runs: &[AssignmentRun<'_>], strategy: usize) -> impl Iterator<Item = (usize, usize)> {
    runs.iter().enumerate().filter_map(move |(index, run)| match run.eligibility {
        Eligibility::Eligible(period) if run.strategy == strategy => Some((index, period)),
        _ => None,
    })
}
