//! The exact sums of a strategy.

use crate::engine::experiment::layout::KeyLayout;
use crate::sums::{Arity, GroupedCrossMoments, GroupedMoments};

/// The sums of a strategy.
pub struct StrategySums {
    /// By list of the strategy.
    pub lists: Vec<GroupedMoments<i128>>,
    /// Of customers who are in two lists.
    pub pairs: GroupedCrossMoments<i128>,
}

impl StrategySums {
    /// Sums of columns, of which the first so many count in pairs.
    pub fn new(keys: &KeyLayout, forms: &[Arity], in_pairs: usize) -> StrategySums {
        // The days since the last order, which come behind the outcomes, are not known of everybody.
        let singles = |_| GroupedMoments::new(keys.bound(), forms.iter().copied(), Some(in_pairs));
        StrategySums {
            lists: (0..keys.lists).map(singles).collect(),
            pairs: GroupedCrossMoments::new(keys.pairs_bound(), forms.iter().copied().take(in_pairs), None),
        }
    }

    /// Adds what was summed elsewhere.
    pub fn merge(&mut self, other: &StrategySums) {
        self.lists.iter_mut().zip(&other.lists).for_each(|(all, own)| all.merge(own));
        self.pairs.merge(&other.pairs);
    }
}
