//! Counts of customers by the state they come from and the state they are in.

use super::ABSENT;

/// Customers who made the same step, and their money since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
    /// An empty table of so many states, of which the last stands for absence.
    pub fn new(states: usize) -> TransitionMatrix {
        let none = states.saturating_sub(1) as u16;
        TransitionMatrix { states, none, cells: vec![TransitionSum::default(); states * states] }
    }

    /// Whether nobody moved or stayed.
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|c| *c == TransitionSum::default())
    }

    #[inline]
    fn cell(&mut self, from: u16, to: u16) -> Option<&mut TransitionSum> {
        if from == ABSENT && to == ABSENT {
            return None;
        }
        let place = |state: u16| usize::from(if state == ABSENT { self.none } else { state });
        let at = place(from) * self.states + place(to);
        self.cells.get_mut(at)
    }

    /// Counts a customer; who is absent at both dates does not count.
    #[inline]
    pub fn count(&mut self, from: u16, to: u16) {
        if let Some(cell) = self.cell(from, to) {
            cell.customers += 1;
        }
    }

    /// Counts customers, each by the states at the same place.
    pub fn count_all(&mut self, from: &[u16], to: &[u16]) {
        // One place more, for who is absent at both dates: a branch on that would often be foretold wrongly.
        // Neighbours, who often made the same step, have counts of their own: the one need not wait for the other.
        let mut counts = [(); 2].map(|()| vec![0i64; self.cells.len() + 1]);
        let place = |state: u16| usize::from(state.min(self.none));
        let at = |from: u16, to: u16| match (from == ABSENT) & (to == ABSENT) {
            true => self.cells.len(),
            false => place(from) * self.states + place(to),
        };
        let ((from, last_from), (to, last_to)) = (from.as_chunks::<2>(), to.as_chunks::<2>());
        for (from, to) in from.iter().zip(to) {
            counts[0][at(from[0], to[0])] += 1;
            counts[1][at(from[1], to[1])] += 1;
        }
        last_from.iter().zip(last_to).for_each(|(from, to)| counts[0][at(*from, *to)] += 1);
        for counts in counts {
            self.cells.iter_mut().zip(counts).for_each(|(cell, count)| cell.customers += count);
        }
    }

    /// Adds money of a customer.
    #[inline]
    pub fn spend(&mut self, from: u16, to: u16, money: i128) {
        if let Some(cell) = self.cell(from, to) {
            cell.revenue += money;
        }
    }

    /// What has customers: from, to and how many.
    pub fn cells(&self) -> impl Iterator<Item = (u32, u32, TransitionSum)> {
        let states = self.states;
        let filled = self.cells.iter().enumerate().filter(|(_, moved)| moved.customers > 0);
        filled.map(move |(at, moved)| ((at / states) as u32, (at % states) as u32, *moved))
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
        matrix.spend(ABSENT, 0, 500);
        let cells: Vec<_> = matrix.cells().map(|(from, to, m)| (from, to, m.customers, m.revenue)).collect();
        assert_eq!(cells, [(0, 2, 1, 0), (1, 1, 1, 0), (2, 0, 1, 500)]);
        let mut at_once = TransitionMatrix::new(3);
        at_once.count_all(&[ABSENT, 0, ABSENT, 1], &[0, ABSENT, ABSENT, 1]);
        at_once.spend(ABSENT, 0, 500);
        assert_eq!(at_once.cells().collect::<Vec<_>>(), matrix.cells().collect::<Vec<_>>());
    }
}
