//! The customers near a cut: as many as memory is kept for, drawn by a hash of their ids.

use serde::{Deserialize, Serialize};

/// Most customers of a period. Of more, those with the least draw values are kept, whatever order they come in.
pub const MOST_CUSTOMERS: usize = 100_000;

/// Most outcomes of a strategy.
pub const MOST_OUTCOMES: usize = 4;

/// A customer near the cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NearCustomer {
    /// The customer's draw value.
    pub draw: u64,
    /// The measure on the day before the period.
    pub running: i64,
    /// Whether the table of who was treated says so; false without such a table.
    pub is_treated: bool,
    /// By outcome: its value, and that in the days before the programme began.
    pub values: [[i64; 2]; MOST_OUTCOMES],
}

/// The customers of a period near its cut.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutSample {
    /// All of them.
    customers: u64,
    /// Those that are kept, and some that are not yet thrown away.
    kept: Vec<NearCustomer>,
}

impl CutSample {
    /// Adds a customer.
    pub fn add(&mut self, customer: NearCustomer) {
        self.customers += 1;
        self.kept.push(customer);
        if self.kept.len() >= 2 * MOST_CUSTOMERS {
            self.throw_away();
        }
    }

    /// Adds the customers of other parts.
    pub fn merge(&mut self, other: CutSample) {
        self.customers += other.customers;
        self.kept.extend(other.kept);
        self.throw_away();
    }

    /// Brings what is kept into an order of its own.
    pub fn canonicalise(&mut self) {
        self.throw_away();
        self.kept.sort_unstable();
    }

    /// How many customers there are, and those that are kept, ascending by the measure.
    pub fn finish(mut self) -> (u64, Vec<NearCustomer>) {
        self.throw_away();
        self.kept.sort_unstable_by_key(|customer| (customer.running, *customer));
        (self.customers, self.kept)
    }

    /// Throws away whom there is no room for.
    fn throw_away(&mut self) {
        if self.kept.len() > MOST_CUSTOMERS {
            self.kept.select_nth_unstable(MOST_CUSTOMERS);
            self.kept.truncate(MOST_CUSTOMERS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the order and the parts, the same customers are kept, and they are those of the least draw values.
    #[test]
    fn the_least_draw_values_are_kept() {
        let customer = |n: u64| {
            let draw = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            NearCustomer {
                draw,
                running: (n % 977) as i64,
                is_treated: n.is_multiple_of(2),
                values: [[n as i64, 1]; MOST_OUTCOMES],
            }
        };
        let count = 2 * MOST_CUSTOMERS as u64 + 12_345;
        let mut whole = CutSample::default();
        (0..count).for_each(|n| whole.add(customer(n)));
        let mut parts = vec![CutSample::default(); 7];
        (0..count).rev().for_each(|n| parts[(n % 7) as usize].add(customer(n)));
        let mut merged = CutSample::default();
        parts.into_iter().rev().for_each(|part| merged.merge(part));
        let mut want: Vec<NearCustomer> = (0..count).map(customer).collect();
        want.sort_unstable();
        want.truncate(MOST_CUSTOMERS);
        for sample in [&whole, &merged] {
            let mut sample = sample.clone();
            sample.canonicalise();
            assert_eq!((sample.customers, &sample.kept), (count, &want));
        }
        let (customers, kept) = merged.finish();
        assert!(customers == count && kept.len() == MOST_CUSTOMERS && kept.is_sorted_by_key(|customer| customer.running));
    }
}
