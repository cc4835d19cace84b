//! How the sums of a strategy are laid out: which columns are summed, and which group key stands for which cell, arm and state.

use crate::stats::GridSecond;
use crate::sums::{Arity, GroupedSums};

/// How group keys are made of cell, arm and group.
#[derive(Debug, Clone, Copy)]
pub struct KeyLayout {
    pub arms: u64,
    pub groups: u64,
    /// Those of every cluster, where clusters were drawn: then a cell's last part is the number of the cluster.
    pub cells: u64,
    /// How many clusters there are; none if customers were drawn one by one.
    pub clusters: Option<u64>,
    pub periods: usize,
}

/// The parts of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupKey {
    pub cell: u64,
    pub arm: usize,
    pub group: usize,
}

impl KeyLayout {
    /// Keys of a period are below this.
    pub fn bound(&self) -> u64 {
        self.cell_arms() * self.groups
    }

    /// Cell and arm in one number.
    #[inline]
    pub fn cell_arm(&self, cell: u64, arm: u16) -> u64 {
        cell * self.arms + u64::from(arm)
    }

    /// Cells and arms in one number are below this.
    pub fn cell_arms(&self) -> u64 {
        self.cells * self.arms
    }

    /// The number of a cell in every cluster, and that of the cluster.
    pub fn cell_and_cluster(&self, cell: u64) -> (u64, u64) {
        let clusters = self.clusters.unwrap_or(1).max(1);
        (cell / clusters, cell % clusters)
    }

    /// The parts of a key of a period.
    pub fn decode(&self, key: u128) -> GroupKey {
        let groups = u128::from(self.groups);
        self.group_key(key / groups, (key % groups) as usize)
    }

    fn group_key(&self, cell_arm: u128, group: usize) -> GroupKey {
        let arms = u128::from(self.arms);
        GroupKey { cell: (cell_arm / arms) as u64, arm: (cell_arm % arms) as usize, group }
    }

    /// The number of keys of a pair of periods: cell and arm in each, and the group in both or none.
    pub fn pair_bound(&self) -> u128 {
        self.pair_key(self.cell_arms(), 0, 0)
    }

    /// Where the keys of a pair of periods start, of which the first comes before the second.
    pub fn pair_start(&self, first: usize, second: usize) -> u128 {
        (second * second.saturating_sub(1) / 2 + first) as u128 * self.pair_bound()
    }

    /// The key of a customer in a pair of periods: cell and arm in each, and 1 more than the group in both, or 0.
    pub fn pair_key(&self, first: u64, second: u64, group: u64) -> u128 {
        let cell_arms = u128::from(first) * u128::from(self.cell_arms()) + u128::from(second);
        cell_arms * u128::from(self.groups + 1) + u128::from(group)
    }

    /// The parts of the key of a pair: the indices of the periods in the strategy, cell and arm in each, and the group in both;
    /// `None` if the groups of the first scheme differ.
    pub fn decode_pair(&self, key: u128) -> ((usize, GroupKey), (usize, GroupKey), Option<usize>) {
        let (cell_arms, groups) = (u128::from(self.cell_arms()), u128::from(self.groups + 1));
        let (rest, group) = (key / groups, (key % groups) as usize);
        let (rest, second) = (rest / cell_arms, rest % cell_arms);
        let (pair, first) = (rest / cell_arms, rest % cell_arms);
        // The second period is the last whose pairs begin no later.
        let later = (1 + 8 * pair).isqrt().div_ceil(2);
        let earlier = pair - later * (later - 1) / 2;
        let end = |period: u128, cell_arm: u128| (period as usize, self.group_key(cell_arm, group));
        (end(earlier, first), end(later, second), group.checked_sub(1))
    }
}

/// The key of all customers who were known before the baseline, in the sums that strategies without a control are described beside.
pub const REFERENCE_KEY: u64 = 0;

/// The key there of the customers of a group who are not assigned.
pub fn unassigned_key(group: usize) -> u64 {
    group as u64 + 1
}

/// Which columns are summed, and under which keys.
pub struct SumLayout {
    pub keys: KeyLayout,
    /// By summed quantity.
    pub arities: Vec<Arity>,
    /// Indices of the quantities that have grids, and what the second numbers of these are.
    pub grids: Vec<(usize, GridSecond)>,
    /// How many quantities are outcomes; they come first.
    pub outcomes: usize,
    /// How many outcomes a description of before and after shows; they are means.
    pub described: usize,
}

impl SumLayout {
    /// Empty sums of the reference, for strategies without a control.
    pub fn reference(&self) -> GroupedSums {
        GroupedSums::of_rows(std::iter::repeat_n(Arity::Two, self.described), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of periods have distinct keys, which decode to their pair.
    #[test]
    fn keys_of_pairs_are_numbered_and_read_back() {
        let keys = KeyLayout { arms: 3, groups: 4, cells: 5, clusters: None, periods: 9 };
        let mut next = 0;
        for second in 0..9usize {
            for first in 0..second {
                assert_eq!(keys.pair_start(first, second), next);
                next += keys.pair_bound();
                for (of_first, of_second, group) in [(0, 0, 0), (14, 3, 0), (2, 14, 4), (7, 7, 1)] {
                    let key = keys.pair_start(first, second) + keys.pair_key(of_first, of_second, group);
                    assert!(key < next);
                    let ((earlier, a), (later, b), found) = keys.decode_pair(key);
                    assert_eq!((earlier, later, found), (first, second, (group as usize).checked_sub(1)));
                    assert_eq!([a, b].map(|key| keys.cell_arm(key.cell, key.arm as u16)), [of_first, of_second]);
                }
            }
        }
    }
}
