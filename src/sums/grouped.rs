//! Exact sums by group, which merge in any order.
//!
//! Additions wrap around. Whether sums fit is known from the sum of all squares: by the Cauchy-Schwarz inequality, no sum of
//! products exceeds it.

use super::column::{Arity, Column, Number, Tuples};
use super::group_index::{EMPTY, GroupIndex};
use super::key::Key;
use super::moments::{Absorb, CrossMoments, Integer, Moments};
use super::partition::{Group, GroupPartition, zero_pattern};
use crate::domain::CompactInts;
use crate::stats::{PairSums, Sums, VALUES};

/// The sums of a column, by group.
#[derive(Debug, Clone)]
enum Cells<N, M, R> {
    Numbers(Vec<N>),
    Means(Vec<M>),
    Ratios(Vec<R>),
}

/// Sums of columns by group: `N` for a group of values of one integer, `M` of two, and `R` of four.
#[derive(Default)]
pub struct GroupedSums<N, M, R> {
    index: GroupIndex,
    /// By group: how many rows it has.
    counts: Vec<i64>,
    /// By group: how many of these rows are null in the nullable column.
    lacking: Vec<i64>,
    may_lack: Option<usize>,
    /// By column.
    cells: Vec<Cells<N, M, R>>,
}

/// Sums of rows.
pub type GroupedMoments<T> = GroupedSums<Moments<T, 1>, Moments<T, 2>, Moments<T, VALUES>>;

/// Sums of joined rows, which have a value in each of two batches.
pub type GroupedCrossMoments<T> = GroupedSums<CrossMoments<T, 1>, CrossMoments<T, 2>, CrossMoments<T, VALUES>>;

impl<N: Copy + Default, M: Copy + Default, R: Copy + Default> GroupedSums<N, M, R> {
    /// Sums of columns for keys below `bound`. Rows may be null in one column.
    pub fn new(bound: u128, forms: impl IntoIterator<Item = Arity>, may_lack: Option<usize>) -> GroupedSums<N, M, R> {
        GroupedSums::with(GroupIndex::new(bound), forms, may_lack)
    }

    /// Sums that are cleared and filled again and again: up to `few` keys keep their sums, used or not.
    pub fn scratch(
        bound: u128,
        few: u128,
        forms: impl IntoIterator<Item = Arity>,
        may_lack: Option<usize>,
    ) -> GroupedSums<N, M, R> {
        let index = if bound <= few { GroupIndex::whole(bound) } else { GroupIndex::new(bound) };
        GroupedSums::with(index, forms, may_lack)
    }

    fn with(index: GroupIndex, forms: impl IntoIterator<Item = Arity>, may_lack: Option<usize>) -> GroupedSums<N, M, R> {
        let cells = |form| match form {
            Arity::One => Cells::Numbers(Vec::new()),
            Arity::Two => Cells::Means(Vec::new()),
            Arity::Four => Cells::Ratios(Vec::new()),
        };
        let cells = forms.into_iter().map(cells).collect();
        let mut store = GroupedSums { index, counts: Vec::new(), lacking: Vec::new(), may_lack, cells };
        store.grow();
        store
    }

    /// Adds the number of rows of each group; returns the indices of the groups.
    fn count<K: Key, P: Copy + Default>(&mut self, customers: &GroupPartition<K, P>) -> Vec<u32> {
        let places: Vec<u32> = customers.keys().map(|key| self.index.index_of(key)).collect();
        self.grow();
        for (place, group) in places.iter().zip(customers.groups()) {
            self.counts[*place as usize] += group.rows().len() as i64;
        }
        places
    }

    /// Counts rows whose value in the nullable column is null; it must be 0 in the column.
    pub fn lack<K: Key>(&mut self, keys: impl Iterator<Item = K>) {
        for key in keys {
            let place = self.index.index_of(key);
            self.lacking[place as usize] += 1;
        }
    }

    /// Makes room for the sums of new groups.
    fn grow(&mut self) {
        let keys = self.index.keys().len();
        self.counts.resize(keys, 0);
        self.lacking.resize(keys, 0);
        for cells in &mut self.cells {
            match cells {
                Cells::Numbers(numbers) => numbers.resize(keys, N::default()),
                Cells::Means(means) => means.resize(keys, M::default()),
                Cells::Ratios(ratios) => ratios.resize(keys, R::default()),
            }
        }
    }

    /// Adds the sums of other rows of the same columns.
    pub fn merge<A, B, C>(&mut self, other: &GroupedSums<A, B, C>)
    where
        N: Absorb<A>,
        M: Absorb<B>,
        R: Absorb<C>,
    {
        let used = other.index.keys().iter().zip(&other.counts);
        let places: Vec<u32> = used.map(|(key, count)| if *count == 0 { EMPTY } else { self.index.index_of(*key) }).collect();
        self.grow();
        let counts = places.iter().zip(other.counts.iter().zip(&other.lacking));
        for (place, (count, lacking)) in counts.filter(|(place, _)| **place != EMPTY) {
            self.counts[*place as usize] += count;
            self.lacking[*place as usize] += lacking;
        }
        for cells in self.cells.iter_mut().zip(&other.cells) {
            match cells {
                (Cells::Numbers(all), Cells::Numbers(own)) => absorb(all, own, &places),
                (Cells::Means(all), Cells::Means(own)) => absorb(all, own, &places),
                (Cells::Ratios(all), Cells::Ratios(own)) => absorb(all, own, &places),
                _ => {}
            }
        }
    }

    /// Removes all sums.
    pub fn clear(&mut self) {
        self.index.clear();
        self.counts.clear();
        self.lacking.clear();
        for cells in &mut self.cells {
            match cells {
                Cells::Numbers(numbers) => numbers.clear(),
                Cells::Means(means) => means.clear(),
                Cells::Ratios(ratios) => ratios.clear(),
            }
        }
        self.grow();
    }

    /// The keys that have sums.
    pub fn keys(&self) -> &[u128] {
        self.index.keys()
    }

    /// The sums of a column in a group, converted by one of three functions, which also get the number of rows that are not null;
    /// the default if the key has no sums.
    fn find<S: Default>(
        &self,
        key: u128,
        column: usize,
        number: fn(&N, i64) -> S,
        mean: fn(&M, i64) -> S,
        ratio: fn(&R, i64) -> S,
    ) -> S {
        let Some(place) = self.index.find(key) else { return S::default() };
        let lacking = if self.may_lack == Some(column) { self.lacking[place] } else { 0 };
        let n = self.counts[place] - lacking;
        match self.cells.get(column) {
            Some(Cells::Numbers(numbers)) => number(&numbers[place], n),
            Some(Cells::Means(means)) => mean(&means[place], n),
            Some(Cells::Ratios(ratios)) => ratio(&ratios[place], n),
            None => S::default(),
        }
    }
}

fn absorb<M: Absorb<A>, A>(all: &mut [M], own: &[A], places: &[u32]) {
    let used = places.iter().zip(own).filter(|(place, _)| **place != EMPTY);
    used.for_each(|(place, own)| all[*place as usize].absorb(own));
}

impl<T: Integer> GroupedMoments<T> {
    /// Adds rows. Values of two and four integers of rows with the pattern [`zero_pattern::BOTH`] are zero.
    pub fn observe<K: Key>(&mut self, members: &GroupPartition<K, u32>, columns: &[Column]) {
        fn observe<'m, T: Integer, const V: usize>(
            cells: &mut [Moments<T, V>],
            places: &[u32],
            members: impl Iterator<Item = &'m [u32]>,
            numbers: &Tuples<V>,
        ) {
            match numbers {
                CompactInts::Narrow(numbers) => each(cells, places, members, numbers),
                CompactInts::Wide(numbers) => each(cells, places, members, numbers),
            }
        }
        fn each<'m, T: Integer, N: Number, const V: usize>(
            cells: &mut [Moments<T, V>],
            places: &[u32],
            members: impl Iterator<Item = &'m [u32]>,
            numbers: &[[N; V]],
        ) {
            for (place, members) in places.iter().zip(members).filter(|(_, members)| !members.is_empty()) {
                let mut sums = Moments::<T, V>::default();
                members.iter().for_each(|member| sums.observe(&numbers[*member as usize]));
                cells[*place as usize].join(&sums);
            }
        }
        let places = &self.count(members);
        let all = || members.groups().map(|group| group.rows());
        let active = || members.groups().map(|group| group.of(zero_pattern::NONE));
        for (cells, column) in self.cells.iter_mut().zip(columns) {
            match (cells, column) {
                (Cells::Numbers(cells), Column::One(numbers)) => match numbers.constant() {
                    // Flags are often all 0 or all 1.
                    Some([0]) => {}
                    Some([1]) => {
                        for (place, members) in places.iter().zip(all()) {
                            cells[*place as usize].observe_flags(members.len());
                        }
                    }
                    _ => observe(cells, places, all(), numbers),
                },
                (Cells::Means(cells), Column::Two(means)) => observe(cells, places, active(), means),
                (Cells::Ratios(cells), Column::Four(ratios)) => observe(cells, places, active(), ratios),
                _ => {}
            }
        }
    }
}

impl GroupedMoments<i128> {
    /// The sums of a column in a group; zero if the key has none.
    pub fn sums(&self, key: u128, column: usize) -> Sums {
        self.find(key, column, Moments::sums, Moments::sums, Moments::sums)
    }
}

/// Where a joined row has its values.
pub trait Meeting: Copy + Default {
    /// The indices in the first and in the second batch.
    fn places(self) -> (usize, usize);
}

/// An index in each batch.
impl Meeting for (u32, u32) {
    #[inline]
    fn places(self) -> (usize, usize) {
        (self.0 as usize, self.1 as usize)
    }
}

/// The same index in both batches.
impl Meeting for u32 {
    #[inline]
    fn places(self) -> (usize, usize) {
        (self as usize, self as usize)
    }
}

impl<T: Integer> GroupedCrossMoments<T> {
    /// Adds joined rows of the first columns of two batches, as many as are summed.
    pub fn observe<K: Key, P: Meeting>(&mut self, meetings: &GroupPartition<K, P>, first: &[Column], second: &[Column]) {
        fn observe<K: Key, P: Meeting, T: Integer, const V: usize>(
            cells: &mut [CrossMoments<T, V>],
            places: &[u32],
            meetings: &GroupPartition<K, P>,
            numbers: (&Tuples<V>, &Tuples<V>),
        ) {
            match numbers {
                (CompactInts::Narrow(first), CompactInts::Narrow(second)) => each(cells, places, meetings, first, second),
                (CompactInts::Narrow(first), CompactInts::Wide(second)) => each(cells, places, meetings, first, second),
                (CompactInts::Wide(first), CompactInts::Narrow(second)) => each(cells, places, meetings, first, second),
                (CompactInts::Wide(first), CompactInts::Wide(second)) => each(cells, places, meetings, first, second),
            }
        }
        fn each<K: Key, P: Meeting, T: Integer, A: Number, B: Number, const V: usize>(
            cells: &mut [CrossMoments<T, V>],
            places: &[u32],
            meetings: &GroupPartition<K, P>,
            first: &[[A; V]],
            second: &[[B; V]],
        ) {
            let is_active = |group: &Group<'_, P>| group.of(zero_pattern::BOTH).len() < group.rows().len();
            for (place, group) in places.iter().zip(meetings.groups()).filter(|(_, group)| is_active(group)) {
                let mut sums = CrossMoments::<T, V>::default();
                let of = |kind| group.of(kind).iter().map(|meeting| meeting.places());
                of(zero_pattern::NONE).for_each(|(a, b)| sums.observe(&first[a], &second[b]));
                of(zero_pattern::SECOND).for_each(|(a, _)| sums.observe_first(&first[a]));
                of(zero_pattern::FIRST).for_each(|(_, b)| sums.observe_second(&second[b]));
                cells[*place as usize].join(&sums);
            }
        }
        let places = &self.count(meetings);
        for (cells, columns) in self.cells.iter_mut().zip(first.iter().zip(second)) {
            match (cells, columns) {
                (Cells::Means(cells), (Column::Two(a), Column::Two(b))) => observe(cells, places, meetings, (a, b)),
                (Cells::Ratios(cells), (Column::Four(a), Column::Four(b))) => observe(cells, places, meetings, (a, b)),
                // Values of one integer have no cross moments.
                _ => {}
            }
        }
    }
}

impl GroupedCrossMoments<i128> {
    /// The sums of a column in a group; zero if the key has none.
    pub fn sums(&self, key: u128, column: usize) -> PairSums {
        self.find(key, column, CrossMoments::sums, CrossMoments::sums, CrossMoments::sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    use super::super::column::mark_nonzero;
    use super::super::group_index::{DENSE, FEW};
    use super::super::partition::sort_code;
    use crate::error::Result;

    /// Grouped sums are those of [`crate::stats`] for the same rows.
    #[test]
    fn grouped_sums_agree_with_statistics() -> Result<()> {
        fn check<T: Integer>(bound: u128) -> Result<()>
        where
            Moments<i128, 2>: Absorb<Moments<T, 2>>,
        {
            let forms = [Arity::Two, Arity::Four, Arity::One];
            let (mut singles, mut few) =
                (GroupedMoments::<i128>::new(bound, forms, Some(2)), GroupedMoments::<T>::scratch(bound, FEW, forms, Some(2)));
            let (mut pairs, mut few_pairs) = (
                GroupedCrossMoments::<i128>::new(bound, forms, None),
                GroupedCrossMoments::<T>::scratch(bound, FEW, forms, None),
            );
            let mut want: HashMap<(u128, usize), (Sums, PairSums)> = HashMap::new();
            for hand in 0..10i64 {
                let columns = || forms.map(Column::new);
                let (mut first, mut second, mut keys, mut met) = (columns(), columns(), Vec::new(), Vec::new());
                for customer in 20 * hand..20 * (hand + 1) {
                    let key = u128::from(customer as u64 % 7);
                    // Some rows have two values that are not zero, some one, and some none.
                    let [a, b] = [customer % 2, customer / 2 % 2];
                    let count = [i64::from(customer != 50), 0, 0, 0];
                    let a = [[customer * a, 3 * a, 0, 0], [customer * a, 2 * a, customer % 3 * a, a], count];
                    let b = [[7 * b, customer * b, 0, 0], [customer * b, 0, b, customer % 4 * b], [1, 0, 0, 0]];
                    for number in 0..3 {
                        first[number].extend([a[number]].into_iter());
                        second[number].extend([b[number]].into_iter());
                        let (sums, pairs) = want.entry((key, number)).or_default();
                        if customer != 50 || number != 2 {
                            sums.observe(a[number])?;
                        }
                        // Single numbers are not summed in pairs.
                        pairs.observe(
                            if number == 2 { [0; 4] } else { a[number] },
                            if number == 2 { [0; 4] } else { b[number] },
                        )?;
                    }
                    met.push((keys.len() as u32, keys.len() as u32));
                    keys.push(key);
                }
                let nonzero = [&first, &second].map(|columns| {
                    let mut nonzero = Vec::new();
                    mark_nonzero(columns, 20, &mut nonzero);
                    nonzero
                });
                let mut members = GroupPartition::default();
                let labels: Vec<u128> = keys
                    .iter()
                    .zip(&nonzero[0])
                    .map(|(key, is_nonzero)| sort_code(*key, zero_pattern::of_one(*is_nonzero)))
                    .collect();
                members.sort(0, bound, &labels, 0..20);
                few.observe(&members, &first);
                if hand == 2 {
                    few.lack(keys[10..11].iter().copied());
                }
                singles.merge(&few);
                few.clear();
                let mut meetings = GroupPartition::default();
                let kinds =
                    nonzero[0].iter().zip(&nonzero[1]).map(|(a, b)| zero_pattern::in_first(*a) + zero_pattern::in_second(*b));
                let labels: Vec<u128> = keys.iter().zip(kinds).map(|(key, kind)| sort_code(*key, kind)).collect();
                meetings.sort(0, bound, &labels, met.iter().copied());
                few_pairs.observe(&meetings, &first, &second);
                pairs.merge(&few_pairs);
                few_pairs.clear();
            }
            assert_eq!((singles.keys().len(), pairs.keys().len()), (7, 7));
            for ((key, number), (sums, of_pair)) in want {
                assert_eq!(singles.sums(key, number), sums);
                assert_eq!(pairs.sums(key, number), of_pair);
            }
            assert_eq!(singles.sums(8, 0), Sums::default());
            Ok(())
        }
        for bound in [10, FEW + 1, DENSE + 1] {
            check::<i64>(bound)?;
            check::<i128>(bound)?;
        }
        Ok(())
    }
}
