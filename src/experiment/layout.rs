//! How the sums of a strategy are laid out: which columns are summed, and which group key stands for which cell, arm and state.

use crate::sums::{Arity, GroupedMoments};

/// How the keys of a strategy are made of cell, arm and group.
#[derive(Debug, Clone, Copy)]
pub struct KeyLayout {
    pub arms: u128,
    pub groups: u128,
    pub cells: u128,
    pub lists: u128,
}

/// The parts of a key of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupKey {
    pub cell: u64,
    pub arm: usize,
    pub group: usize,
}

impl KeyLayout {
    /// Keys of a period are below this.
    pub fn bound(&self) -> u128 {
        self.cells * self.arms * self.groups
    }

    /// Cell and arm in one number.
    #[inline]
    pub fn cell_arm(&self, cell: u64, arm: u16) -> u64 {
        cell * self.arms as u64 + u64::from(arm)
    }

    /// The parts of a key.
    pub fn decode(&self, key: u128) -> GroupKey {
        let (seat, group) = (key / self.groups, key % self.groups);
        GroupKey { cell: (seat / self.arms) as u64, arm: (seat % self.arms) as usize, group: group as usize }
    }

    pub fn cell_arms(&self) -> u128 {
        self.cells * self.arms
    }

    /// How many keys a pair of lists has: cell and arm in each, and the group in both or none.
    pub fn pair_bound(&self) -> u128 {
        self.cell_arms() * self.cell_arms() * (self.groups + 1)
    }

    /// Keys of pairs are below this.
    pub fn pairs_bound(&self) -> u128 {
        self.lists * self.lists.saturating_sub(1) / 2 * self.pair_bound()
    }

    /// The number of a pair of lists, of which the first comes before the second.
    pub fn pair_number(first: usize, second: usize) -> u64 {
        (second as u64 * (second as u64).saturating_sub(1)) / 2 + first as u64
    }

    /// The parts of the key of a pair: the indices of the lists in the strategy, cell and arm in each, and the group in both;
    /// `None` if the groups of the first scheme differ.
    pub fn decode_pair(&self, key: u128) -> ((usize, GroupKey), (usize, GroupKey), Option<usize>) {
        let seats = self.cell_arms();
        let (seat, group) = (key / (self.groups + 1), (key % (self.groups + 1)) as usize);
        let (first, second) = (seat / seats, seat % seats);
        let (pair, first) = (first / seats, first % seats);
        // The second list is the largest whose pairs begin no later.
        let later = (1 + 8 * pair).isqrt().div_ceil(2);
        let earlier = pair - later * (later - 1) / 2;
        let place = |seat: u128| GroupKey { cell: (seat / self.arms) as u64, arm: (seat % self.arms) as usize, group };
        ((earlier as usize, place(first)), (later as usize, place(second)), group.checked_sub(1))
    }
}

/// Which columns are summed, and under which keys.
pub struct SumLayout {
    pub keys: KeyLayout,
    /// By summed quantity.
    pub arities: Vec<Arity>,
    /// How many quantities are outcomes; they come first.
    pub outcomes: usize,
    /// How many outcomes a description of before and after shows; they are means.
    pub described: usize,
}

impl SumLayout {
    /// Empty sums of the reference, for strategies without a control.
    pub fn reference(&self) -> GroupedMoments<i128> {
        GroupedMoments::new(1, std::iter::repeat_n(Arity::Two, self.described), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of lists have distinct keys, which decode to their pair.
    #[test]
    fn keys_of_pairs_are_numbered_and_read_back() {
        let keys = KeyLayout { arms: 3, groups: 4, cells: 5, lists: 9 };
        let mut next = 0;
        for second in 0..9usize {
            for first in 0..second {
                let number = u128::from(KeyLayout::pair_number(first, second));
                assert_eq!(number, next);
                next += 1;
                for (of_first, of_second, group) in [(0, 0, 0), (14, 3, 0), (2, 14, 4), (7, 7, 1)] {
                    let key = ((number * keys.cell_arms() + of_first) * keys.cell_arms() + of_second) * (keys.groups + 1) + group;
                    assert!(key < keys.pairs_bound());
                    let ((earlier, a), (later, b), found) = keys.decode_pair(key);
                    let seat = |place: GroupKey| u128::from(place.cell) * keys.arms + place.arm as u128;
                    assert_eq!((earlier, later, found), (first, second, (group as usize).checked_sub(1)));
                    assert_eq!((seat(a), seat(b)), (of_first, of_second));
                }
            }
        }
        assert_eq!(next * keys.pair_bound(), keys.pairs_bound());
    }
}
