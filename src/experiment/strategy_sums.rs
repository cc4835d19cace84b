//! The exact sums of a strategy.

use super::layout::KeyLayout;
use crate::sums::{Arity, GroupedCrossMoments, GroupedMoments};

/// The sums of a strategy.
pub struct StrategySums {
    /// By list of the strategy.
    pub lists: Vec<GroupedMoments<i128>>,
    /// The sums of customers who are in two lists.
    pub pairs: GroupedCrossMoments<i128>,
}

impl StrategySums {
    /// Empty sums of columns, of which the first `in_pairs` are summed for pairs of lists, too.
    pub fn new(keys: &KeyLayout, forms: &[Arity], in_pairs: usize) -> StrategySums {
        // The column after the outcomes is the days since the last order, which are null without orders.
        let singles = |_| GroupedMoments::new(keys.bound(), forms.iter().copied(), Some(in_pairs));
        StrategySums {
            lists: (0..keys.lists).map(singles).collect(),
            pairs: GroupedCrossMoments::new(keys.pairs_bound(), forms.iter().copied().take(in_pairs), None),
        }
    }

    /// Adds the sums of other customers.
    pub fn merge(&mut self, other: &StrategySums) {
        self.lists.iter_mut().zip(&other.lists).for_each(|(all, own)| all.merge(own));
        self.pairs.merge(&other.pairs);
    }
}
