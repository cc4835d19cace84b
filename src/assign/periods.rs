//! Assignments by period: which of them count, and why the others do not.

use std::ops::Range;

use rayon::prelude::*;

use super::Assignments;
use crate::domain::{Day, Period};

/// The assignments of all periods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignmentsByPeriod {
    /// One entry per period, in the order they were given.
    pub periods: Vec<PeriodRows>,
    /// Rows whose assigned_on lies in no period, in the order of the table.
    pub outside: Vec<u32>,
}

/// The assignments of one period. Every row of the period is in `rows`, in `in_several_arms` or counted in `repeated`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodRows {
    /// The period.
    pub period: Period,
    /// Rows that count: one per customer, ascending by customer.
    pub rows: RowSet,
    /// The earliest row of every arm of customers who are in several, ascending by customer and arm. They do not count.
    pub in_several_arms: Vec<u32>,
    /// How many customers are in several arms.
    pub excluded_customers: u64,
    /// The same by arm; a customer counts in every arm that holds one of its rows.
    pub excluded_by_arm: Vec<u64>,
    /// Further rows of a customer in an arm in which an earlier row stands.
    pub repeated: u64,
}

/// Rows of a table in some order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowSet {
    /// One after the other as the table has them, which takes no memory per row.
    Range(Range<u32>),
    /// In any order.
    Indices(Vec<u32>),
}

impl RowSet {
    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            RowSet::Range(rows) => rows.len(),
            RowSet::Indices(rows) => rows.len(),
        }
    }

    /// The row at an index, which must exist.
    #[inline]
    pub fn at(&self, index: usize) -> u32 {
        match self {
            RowSet::Range(rows) => rows.start + index as u32,
            RowSet::Indices(rows) => rows[index],
        }
    }

    /// Appends the rows at some indices, which must exist.
    pub fn copy(&self, indices: Range<usize>, out: &mut Vec<u32>) {
        match self {
            RowSet::Range(rows) => out.extend(rows.start + indices.start as u32..rows.start + indices.end as u32),
            RowSet::Indices(rows) => out.extend_from_slice(&rows[indices]),
        }
    }

    /// Number of rows at the start of some indices that meet a condition, which no later row of them meets.
    pub fn partition_point(&self, indices: Range<usize>, is_before: impl Fn(u32) -> bool) -> usize {
        let (mut low, mut high) = (indices.start, indices.end);
        while low < high {
            let middle = low.midpoint(high);
            if is_before(self.at(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low - indices.start
    }

    /// All rows.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.len()).map(|index| self.at(index))
    }
}

/// Splits assignments by period. Of a customer's rows in one arm of a period the earliest counts; a customer with rows
/// in two arms of a period is left out of it.
///
/// The periods must not overlap. What comes out depends on the rows, not on their order.
pub fn by_period(assignments: &Assignments, periods: &[Period]) -> AssignmentsByPeriod {
    let mut order: Vec<usize> = (0..periods.len()).collect();
    order.sort_unstable_by_key(|at| periods.get(*at).copied());
    let starts: Vec<Period> = order.iter().filter_map(|at| periods.get(*at).copied()).collect();
    let find = |day: Day| {
        let before = starts.partition_point(|p| p.start <= day);
        before.checked_sub(1).filter(|at| starts.get(*at).is_some_and(|p| p.contains(day))).and_then(|at| order.get(at).copied())
    };
    let mut rows: Vec<Vec<Range<u32>>> = vec![Vec::new(); periods.len()];
    let mut outside = Vec::new();
    // Rows of a day mostly come together.
    assignments.assigned_on.runs(|day, rows_of_day| match find(Day(day)).and_then(|at| rows.get_mut(at)) {
        // Days that follow one another make one stretch.
        Some(rows) => match rows.last_mut().filter(|last| last.end == rows_of_day.start) {
            Some(last) => last.end = rows_of_day.end,
            None => rows.push(rows_of_day),
        },
        None => outside.extend(rows_of_day),
    });
    let periods = rows.into_par_iter().zip(periods).map(|(rows, period)| of_period(assignments, *period, rows)).collect();
    AssignmentsByPeriod { periods, outside }
}

fn of_period(assignments: &Assignments, period: Period, stretches: Vec<Range<u32>>) -> PeriodRows {
    let ids = &assignments.ids;
    let arm = |row: u32| assignments.arm(row as usize);
    // The table comes by customer as a rule, and with each once: then all rows count as they are.
    if ids.ascend(stretches.iter().flat_map(|rows| rows.start as usize..rows.end as usize)) {
        let rows = match stretches.as_slice() {
            [] => RowSet::Range(0..0),
            [rows] => RowSet::Range(rows.clone()),
            _ => RowSet::Indices(stretches.into_iter().flatten().collect()),
        };
        let excluded_by_arm = vec![0; assignments.arms.len()];
        return PeriodRows { period, rows, in_several_arms: Vec::new(), excluded_customers: 0, excluded_by_arm, repeated: 0 };
    }
    let mut rows: Vec<u32> = stretches.into_iter().flatten().collect();
    rows.par_sort_unstable_by(|&a, &b| {
        let customer = ids.id(a as usize).cmp(&ids.id(b as usize));
        customer.then_with(|| arm(a).cmp(&arm(b))).then_with(|| assignments.compare_age(a as usize, b as usize))
    });
    let mut counting = Vec::with_capacity(rows.len());
    let mut out = PeriodRows {
        period,
        rows: RowSet::Range(0..0),
        in_several_arms: Vec::new(),
        excluded_customers: 0,
        excluded_by_arm: vec![0; assignments.arms.len()],
        repeated: 0,
    };
    let mut firsts: Vec<u32> = Vec::new();
    for customer in rows.chunk_by(|a, b| ids.id(*a as usize) == ids.id(*b as usize)) {
        firsts.clear();
        firsts.extend(customer.chunk_by(|a, b| arm(*a) == arm(*b)).filter_map(|rows| rows.first()));
        out.repeated += (customer.len() - firsts.len()) as u64;
        if let [row] = firsts.as_slice() {
            counting.push(*row);
            continue;
        }
        out.excluded_customers += 1;
        for row in &firsts {
            if let Some(count) = out.excluded_by_arm.get_mut(usize::from(arm(*row))) {
                *count += 1;
            }
        }
        out.in_several_arms.extend_from_slice(&firsts);
    }
    out.rows = RowSet::Indices(counting);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assign::{AssignedIds, Rejected};
    use crate::domain::StringIds;

    fn table(rows: &[(i64, u16, i32)], text: bool) -> Assignments {
        let mut texts = StringIds::default();
        rows.iter().for_each(|(id, ..)| texts.push(format!("{id:03}").as_bytes()));
        Assignments {
            ids: if text { AssignedIds::Text(texts) } else { AssignedIds::Int(rows.iter().map(|r| r.0).collect()) },
            arm: rows.iter().map(|r| r.1.into()).collect(),
            assigned_on: rows.iter().map(|r| r.2).collect(),
            stratum: None,
            cluster: None,
            by: Vec::new(),
            cost: None,
            contacts: None,
            ended_on: None,
            arms: vec!["control".into(), "mail".into(), "sms".into()],
            strata: Vec::new().into(),
            clusters: Vec::new().into(),
            whole_columns: Vec::new(),
            rows_read: rows.len() as u64,
            other_strategies: 0,
            null_costs: 0,
            rejected: Rejected::default(),
        }
    }

    fn period(start: i32, end: i32) -> Period {
        Period { start: Day(start), end: Day(end) }
    }

    #[test]
    fn the_earliest_counts_and_two_arms_exclude() {
        let rows = [
            (5, 1, 12), // again in its arm, later
            (5, 1, 10),
            (3, 0, 19), // in two arms of the first period, twice in one of them
            (3, 2, 10),
            (3, 2, 11),
            (3, 2, 20), // and in one of the second
            (9, 0, 20),
            (1, 0, 9), // before all periods
            (1, 0, 15),
            (2, 0, 40), // after, and between
            (2, 0, 35),
        ];
        for text in [false, true] {
            let table = table(&rows, text);
            let got = by_period(&table, &[period(36, 40), period(10, 20), period(20, 30)]);
            assert_eq!(got.outside, [7, 9, 10]);
            let [empty, first, second] = got.periods.try_into().unwrap();
            assert_eq!((empty.rows.len(), empty.repeated, empty.excluded_customers), (0, 0, 0));
            assert_eq!(first.rows, RowSet::Indices(vec![8, 1]));
            assert_eq!(first.in_several_arms, [2, 3]);
            assert_eq!((first.excluded_customers, first.excluded_by_arm, first.repeated), (1, vec![1, 0, 1], 2));
            assert_eq!((second.rows.iter().collect::<Vec<_>>(), second.excluded_customers, second.repeated), (vec![5, 6], 0, 0));
        }
    }

    /// Every row has one outcome, and outcomes do not depend on the order of the rows.
    #[test]
    fn outcomes_add_up_in_any_order() {
        let mut state = 1u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((u128::from(state >> 11) * u128::from(below)) >> 53) as i64
        };
        for _ in 0..200 {
            let rows: Vec<(i64, u16, i32)> = (0..next(60)).map(|_| (next(12), next(3) as u16, next(40) as i32)).collect();
            let periods = [period(5, 15), period(15, 16), period(20, 35)];
            let got = by_period(&table(&rows, false), &periods);
            let mut all = got.outside.len() as u64;
            for own in &got.periods {
                all += own.rows.len() as u64 + own.in_several_arms.len() as u64 + own.repeated;
                assert!(own.rows.iter().is_sorted_by_key(|row| rows[row as usize].0));
                let customers: std::collections::BTreeSet<i64> = own.rows.iter().map(|row| rows[row as usize].0).collect();
                assert_eq!(customers.len(), own.rows.len());
                assert_eq!(own.excluded_by_arm.iter().sum::<u64>(), own.in_several_arms.len() as u64);
            }
            assert_eq!(all, rows.len() as u64);
            let mut turned = rows.clone();
            turned.reverse();
            let again = by_period(&table(&turned, false), &periods);
            for (one, other) in got.periods.iter().zip(&again.periods) {
                let of =
                    |rows: &[(i64, u16, i32)], numbers: &RowSet| -> Vec<_> { numbers.iter().map(|n| rows[n as usize]).collect() };
                assert_eq!(of(&rows, &one.rows), of(&turned, &other.rows));
                let [several, of_turned] = [one, other].map(|own| RowSet::Indices(own.in_several_arms.clone()));
                assert_eq!(of(&rows, &several), of(&turned, &of_turned));
                assert_eq!(one.repeated, other.repeated);
            }
        }
    }
}
