//! Customers whom a strategy assigns in several periods: what they were before.

use std::cmp::Ordering;

use super::Assignments;
use super::periods::{AssignmentsByPeriod, RowSet};

/// The customers of a period, and those of the periods before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recurrence {
    /// By arm of the period: customers whom an earlier period treated, and all.
    pub treated_before: Vec<[i64; 2]>,
    /// By arm of the first assignment: customers of earlier periods who are assigned in this one, and all of them.
    pub listed_again: Vec<[i64; 2]>,
}

/// A customer of earlier periods.
#[derive(Clone, Copy)]
struct Known {
    /// A row of the customer.
    row: u32,
    first_arm: u16,
    is_treated: bool,
}

impl Recurrence {
    fn new(arms: usize) -> Recurrence {
        Recurrence { treated_before: vec![[0; 2]; arms], listed_again: vec![[0; 2]; arms] }
    }

    /// Adds the customers of another part.
    pub fn add(&mut self, other: &Recurrence) {
        let pairs = [(&mut self.treated_before, &other.treated_before), (&mut self.listed_again, &other.listed_again)];
        for (all, more) in pairs {
            all.resize(all.len().max(more.len()), [0; 2]);
            for (all, more) in all.iter_mut().zip(more) {
                *all = [all[0] + more[0], all[1] + more[1]];
            }
        }
    }
}

/// What is known by period of the customers of a table. The periods must ascend; an assignment to the arm `control` is no
/// treatment.
pub fn recurrence(table: &Assignments, periods: &AssignmentsByPeriod, control: Option<u16>) -> Vec<Recurrence> {
    let mut known: Vec<Known> = Vec::new();
    let of_period = |rows: &RowSet| {
        let mut out = Recurrence::new(table.arms.len());
        let mut united = Vec::with_capacity(known.len() + rows.len());
        let mut before = known.iter().copied().peekable();
        known.iter().for_each(|one| out.listed_again[usize::from(one.first_arm)][1] += 1);
        for row in rows.iter() {
            let (id, arm) = (table.ids.id(row as usize), table.arm(row as usize));
            let mut own = Known { row, first_arm: arm, is_treated: false };
            while let Some(one) = before.peek().copied() {
                match table.ids.id(one.row as usize).cmp(&id) {
                    Ordering::Less => united.push(one),
                    Ordering::Equal => {
                        own = one;
                        out.listed_again[usize::from(one.first_arm)][0] += 1;
                    }
                    Ordering::Greater => break,
                }
                before.next();
            }
            let counts = &mut out.treated_before[usize::from(arm)];
            *counts = [counts[0] + i64::from(own.is_treated), counts[1] + 1];
            united.push(Known { is_treated: own.is_treated || Some(arm) != control, ..own });
        }
        united.extend(before);
        known = united;
        out
    };
    periods.periods.iter().map(|period| &period.rows).map(of_period).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{AssignedIds, Rejected, by_period};
    use super::*;
    use crate::domain::{Day, Period};

    /// Counted by hand: customers 1 to 5 in three periods of ten days; arm 0 is the control.
    #[test]
    fn customers_are_followed_through_the_periods() {
        let rows = [
            (1, 1, 0), // treated in all periods
            (2, 0, 1),
            (3, 1, 2),
            (1, 1, 10),
            (2, 0, 11),
            (4, 1, 12),
            (1, 1, 20),
            (3, 0, 21), // treated in the first
            (2, 1, 22),
            (4, 1, 23), // treated in the second
            (5, 0, 24),
        ];
        let table = Assignments {
            ids: AssignedIds::Int(rows.iter().map(|row: &(i64, u16, i32)| row.0).collect()),
            arm: rows.iter().map(|row: &(i64, u16, i32)| row.1.into()).collect(),
            assigned_on: rows.iter().map(|row: &(i64, u16, i32)| row.2).collect(),
            stratum: None,
            cluster: None,
            by: Vec::new(),
            cost: None,
            contacts: None,
            ended_on: None,
            arms: vec!["control".into(), "mail".into()],
            strata: Vec::new().into(),
            clusters: Vec::new().into(),
            whole_columns: Vec::new(),
            rows_read: rows.len() as u64,
            other_strategies: 0,
            null_costs: 0,
            rejected: Rejected::default(),
        };
        let periods = [0, 10, 20].map(|start| Period { start: Day(start), end: Day(start + 10) });
        let found = recurrence(&table, &by_period(&table, &periods), Some(0));
        let want =
            [([[0, 1], [0, 2]], [[0, 0], [0, 0]]), ([[0, 1], [1, 2]], [[1, 1], [1, 2]]), ([[1, 2], [2, 3]], [[1, 1], [3, 3]])];
        let want = want.map(|(treated, again)| Recurrence { treated_before: treated.to_vec(), listed_again: again.to_vec() });
        assert_eq!(found, want);
    }
}
