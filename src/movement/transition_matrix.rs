//! Counts of customers by the state they come from and the state they are in.

use serde::{Deserialize, Serialize};

use super::states::ABSENT;

/// Customers who moved from the same state to the same state, and their money since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransitionSum {
    /// Customers.
    pub customers: i64,
    /// Their money after the earlier date, up to the later one, minor units.
    pub revenue: i128,
}

impl TransitionSum {
    /// Adds others.
    pub fn merge(&mut self, other: &TransitionSum) {
        self.customers += other.customers;
        self.revenue += other.revenue;
    }
}

/// A table of states by states.
#[derive(Debug, Clone)]
pub struct TransitionMatrix {
    states: usize,
    /// The state that stands for absence.
    none: u16,
    cells: Vec<TransitionSum>,
}

impl TransitionMatrix {
    /// An empty table of `states` states, of which the last stands for absence.
    pub fn new(states: usize) -> TransitionMatrix {
        let none = states.saturating_sub(1) as u16;
        TransitionMatrix { states, none, cells: vec![TransitionSum::default(); states * states] }
    }

    #[inline]
    fn cell(&mut self, from: u16, to: u16) -> Option<&mut TransitionSum> {
        if from == ABSENT && to == ABSENT {
            return None;
        }
        let index = |state: u16| usize::from(if state == ABSENT { self.none } else { state });
        self.cells.get_mut(index(from) * self.states + index(to))
    }

    /// Counts a customer, unless absent at both dates.
    #[inline]
    pub fn count(&mut self, from: u16, to: u16) {
        if let Some(cell) = self.cell(from, to) {
            cell.customers += 1;
        }
    }

    /// Counts customers; each has the same index in `from` and `to`.
    pub fn count_all(&mut self, from: &[u16], to: &[u16]) {
        // One more cell, for customers absent at both dates: a branch on that would often be mispredicted. Neighbours often
        // make the same step, so they have separate counts and need not wait for each other's store.
        let mut counts = [(); 2].map(|()| vec![0i64; self.cells.len() + 1]);
        let index = |state: u16| usize::from(state.min(self.none));
        let cell = |from: u16, to: u16| match (from == ABSENT) & (to == ABSENT) {
            true => self.cells.len(),
            false => index(from) * self.states + index(to),
        };
        let ((from, last_from), (to, last_to)) = (from.as_chunks::<2>(), to.as_chunks::<2>());
        for (from, to) in from.iter().zip(to) {
            counts[0][cell(from[0], to[0])] += 1;
            counts[1][cell(from[1], to[1])] += 1;
        }
        last_from.iter().zip(last_to).for_each(|(from, to)| counts[0][cell(*from, *to)] += 1);
        for counts in counts {
            self.cells.iter_mut().zip(counts).for_each(|(cell, count)| cell.customers += count);
        }
    }

    /// Adds money of a customer.
    #[inline]
    pub fn add_revenue(&mut self, from: u16, to: u16, money: i128) {
        if let Some(cell) = self.cell(from, to) {
            cell.revenue += money;
        }
    }

    /// The cells that have customers: from-state, to-state and sum.
    pub fn cells(&self) -> impl Iterator<Item = (u32, u32, TransitionSum)> {
        let states = self.states;
        let filled = self.cells.iter().enumerate().filter(|(_, sum)| sum.customers > 0);
        filled.map(move |(at, sum)| ((at / states) as u32, (at % states) as u32, *sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absence_is_the_last_state() {
        let mut matrix = TransitionMatrix::new(3);
        matrix.count(ABSENT, 0);
        matrix.count(0, ABSENT);
        matrix.count(ABSENT, ABSENT);
        matrix.count(1, 1);
        matrix.add_revenue(ABSENT, 0, 500);
        let cells: Vec<_> = matrix.cells().map(|(from, to, m)| (from, to, m.customers, m.revenue)).collect();
        assert_eq!(cells, [(0, 2, 1, 0), (1, 1, 1, 0), (2, 0, 1, 500)]);
        let mut at_once = TransitionMatrix::new(3);
        at_once.count_all(&[ABSENT, 0, ABSENT, 1], &[0, ABSENT, ABSENT, 1]);
        at_once.add_revenue(ABSENT, 0, 500);
        assert_eq!(at_once.cells().collect::<Vec<_>>(), matrix.cells().collect::<Vec<_>>());
    }
}
