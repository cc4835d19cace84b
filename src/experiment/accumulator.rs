//! Accumulates batches of members into the sums of a strategy, with the narrowest key type that fits.

use super::layout::{KeyLayout, SumLayout};
use super::outcomes::MemberBatch;
use super::strategy_sums::StrategySums;
use crate::sums::{
    Arity, Column, FEW, GroupPartition, GroupedCrossMoments, GroupedMoments, Integer, Key, PATTERNS, Target,
    TwoLevelCrossMoments, TwoLevelMoments, TwoLevelSums, sort_code, zero_pattern,
};

/// The sums of a strategy while batches are added.
pub struct StrategyAccumulator<'a> {
    layout: &'a SumLayout,
    /// By list of the strategy.
    lists: Vec<TwoLevelMoments>,
    pairs: TwoLevelCrossMoments,
    /// How many columns are summed for pairs of lists; they come first.
    pair_columns: usize,
    scratch: AnyScratch,
}

/// Scratch memory with the narrowest sort codes that fit.
enum AnyScratch {
    Short(Scratch<u32>),
    Middle(Scratch<u64>),
    Long(Scratch<u128>),
}

impl AnyScratch {
    /// Scratch memory for sort codes below a bound.
    fn new(bound: u128) -> AnyScratch {
        if bound <= u128::from(u32::MAX) {
            AnyScratch::Short(Scratch::default())
        } else if bound <= u128::from(u64::MAX) {
            AnyScratch::Middle(Scratch::default())
        } else {
            AnyScratch::Long(Scratch::default())
        }
    }

    fn single<T: Integer>(&mut self, keys: &KeyLayout, crowd: &MemberBatch, sums: &mut GroupedMoments<T>) {
        match self {
            AnyScratch::Short(scratch) => scratch.single(keys, crowd, sums),
            AnyScratch::Middle(scratch) => scratch.single(keys, crowd, sums),
            AnyScratch::Long(scratch) => scratch.single(keys, crowd, sums),
        }
    }

    fn pairs<T: Integer>(&mut self, keys: &KeyLayout, crowds: &[MemberBatch], sums: &mut GroupedCrossMoments<T>) {
        match self {
            AnyScratch::Short(scratch) => scratch.pairs(keys, crowds, sums),
            AnyScratch::Middle(scratch) => scratch.pairs(keys, crowds, sums),
            AnyScratch::Long(scratch) => scratch.pairs(keys, crowds, sums),
        }
    }
}

impl<'a> StrategyAccumulator<'a> {
    /// An accumulator for all columns of the layout.
    pub fn new(layout: &'a SumLayout) -> StrategyAccumulator<'a> {
        StrategyAccumulator::of_columns(layout, &layout.arities, layout.outcomes)
    }

    /// An accumulator for some columns, of which the first `pair_columns` are summed for pairs of lists, too.
    pub fn of_columns(layout: &'a SumLayout, arities: &[Arity], pair_columns: usize) -> StrategyAccumulator<'a> {
        let keys = &layout.keys;
        let StrategySums { lists, pairs } = StrategySums::new(keys, arities, pair_columns);
        let arities = || arities.iter().copied();
        // The lists share the number of keys whose cells are kept.
        let few = || GroupedMoments::scratch(keys.bound(), FEW / keys.lists.max(1), arities(), Some(pair_columns));
        let few_pairs = GroupedCrossMoments::scratch(keys.pairs_bound(), FEW, arities().take(pair_columns), None);
        StrategyAccumulator {
            layout,
            lists: lists.into_iter().map(|all| TwoLevelSums::new(all, few())).collect(),
            pairs: TwoLevelSums::new(pairs, few_pairs),
            pair_columns,
            scratch: AnyScratch::new(keys.bound().max(keys.pairs_bound()).saturating_mul(PATTERNS as u128)),
        }
    }

    /// Adds the members of every list of the strategy, and to `squares`, by list, the squares of all their numbers.
    pub fn add(&mut self, crowds: &[MemberBatch], squares: &mut [u128]) {
        let (keys, mut most_of_pairs) = (&self.layout.keys, 0);
        for ((crowd, all), list) in crowds.iter().zip(squares).zip(&mut self.lists) {
            let mut most = 0;
            for (column, squares) in crowd.columns.iter().map(Column::squares).enumerate() {
                *all = all.saturating_add(squares);
                most = most.max(squares);
                most_of_pairs = if column < self.pair_columns { squares.max(most_of_pairs) } else { most_of_pairs };
            }
            match list.target(most) {
                Target::Total(sums) => self.scratch.single(keys, crowd, sums),
                Target::Partial(sums) => self.scratch.single(keys, crowd, sums),
            }
        }
        match self.pairs.target(most_of_pairs) {
            Target::Total(sums) => self.scratch.pairs(keys, crowds, sums),
            Target::Partial(sums) => self.scratch.pairs(keys, crowds, sums),
        }
    }

    /// The sums of all batches.
    pub fn finish(self) -> StrategySums {
        StrategySums { lists: self.lists.into_iter().map(TwoLevelSums::finish).collect(), pairs: self.pairs.finish() }
    }
}

/// Scratch memory of a batch.
#[derive(Default)]
struct Scratch<K> {
    /// By list and member: what they add to the sort code of a pair whose first list it is, and whose second.
    firsts: Vec<Vec<K>>,
    seconds: Vec<Vec<K>>,
    /// Members of two lists who are the same customer, if the lists do not have the same customers.
    met: Vec<(u32, u32)>,
    /// What their sort codes are made of, in the first and in the second list.
    made: [Made<K>; 2],
    labels: Vec<K>,
    members: GroupPartition<K, u32>,
    meetings: GroupPartition<K, (u32, u32)>,
}

/// What members add to the sort codes of their pairs, and their groups.
#[derive(Default)]
struct Made<K> {
    added: Vec<K>,
    groups: Vec<u32>,
}

impl<K: Key> Made<K> {
    /// Sets the columns to those of some members.
    fn fill(&mut self, added: &[K], groups: &[u32], members: impl Iterator<Item = u32> + Clone) {
        self.added.clear();
        self.added.extend(members.clone().map(|member| added[member as usize]));
        self.groups.clear();
        self.groups.extend(members.map(|member| groups[member as usize]));
    }
}

impl<K: Key> Scratch<K> {
    /// Adds the customers of every two lists.
    fn pairs<T: Integer>(&mut self, keys: &KeyLayout, crowds: &[MemberBatch], sums: &mut GroupedCrossMoments<T>) {
        let (groups, seats) = (K::of(keys.groups as u64 + 1), K::of(keys.cell_arms() as u64));
        self.firsts.resize_with(crowds.len(), Vec::new);
        self.seconds.resize_with(crowds.len(), Vec::new);
        for (crowd, (firsts, seconds)) in crowds.iter().zip(self.firsts.iter_mut().zip(&mut self.seconds)) {
            let members = || crowd.cell_arms.iter().map(|seat| K::of(*seat).times(groups)).zip(&crowd.nonzero);
            firsts.clear();
            firsts.extend(members().map(|(seat, is_nonzero)| sort_code(seat.times(seats), zero_pattern::in_first(*is_nonzero))));
            seconds.clear();
            seconds.extend(members().map(|(seat, is_nonzero)| sort_code(seat, zero_pattern::in_second(*is_nonzero))));
        }
        for second in 0..crowds.len() {
            for first in 0..second {
                self.pair(keys, crowds, (first, second), sums);
            }
        }
    }

    /// Adds the members of a list, once for every scheme of `by`.
    fn single<T: Integer>(&mut self, keys: &KeyLayout, crowd: &MemberBatch, sums: &mut GroupedMoments<T>) {
        let count = K::of(keys.groups as u64);
        for groups in &crowd.groups {
            let key = |(seat, group): (&u64, &u32)| K::of(*seat).times(count).plus(K::of(u64::from(*group)));
            let of_all = crowd.cell_arms.iter().zip(groups).map(key).zip(&crowd.nonzero);
            self.labels.clear();
            self.labels.extend(of_all.map(|(key, is_nonzero)| sort_code(key, zero_pattern::of_one(*is_nonzero))));
            self.members.sort(K::default(), keys.bound(), &self.labels, 0..self.labels.len() as u32);
            sums.observe(&self.members, &crowd.columns);
            sums.lack(crowd.unknown.iter().map(|member| self.labels[*member as usize].split(PATTERNS).0));
        }
    }

    /// Adds the customers who are in both lists: once by their groups in the first scheme of `by`, and once for each further
    /// scheme in which their groups agree.
    fn pair<T: Integer>(
        &mut self,
        keys: &KeyLayout,
        crowds: &[MemberBatch],
        (first, second): (usize, usize),
        sums: &mut GroupedCrossMoments<T>,
    ) {
        let (a, b) = (&crowds[first], &crowds[second]);
        let (firsts, seconds) = (&self.firsts[first], &self.seconds[second]);
        let (of_two, seats) = (keys.pair_bound(), K::of(keys.cell_arms() as u64));
        let start = K::of(KeyLayout::pair_number(first, second)).times(seats).times(seats).times(K::of(keys.groups as u64 + 1));
        let are_same = a.customers == b.customers;
        for (at, (of_a, of_b)) in a.groups.iter().zip(&b.groups).enumerate() {
            self.labels.clear();
            if are_same && at == 0 {
                self.labels.extend(firsts.iter().zip(seconds).zip(of_a.iter().zip(of_b)).map(of_pair));
                self.members.sort(start, of_two, &self.labels, 0..self.labels.len() as u32);
                sums.observe(&self.members, &a.columns, &b.columns);
            } else {
                self.met.clear();
                both(&a.customers, &b.customers, |x, y| {
                    if at == 0 || of_a[x as usize] == of_b[y as usize] {
                        self.met.push((x, y));
                    }
                });
                let [in_first, in_second] = &mut self.made;
                in_first.fill(firsts, of_a, self.met.iter().map(|met| met.0));
                in_second.fill(seconds, of_b, self.met.iter().map(|met| met.1));
                let added = in_first.added.iter().zip(&in_second.added);
                self.labels.extend(added.zip(in_first.groups.iter().zip(&in_second.groups)).map(of_pair));
                self.meetings.sort(start, of_two, &self.labels, self.met.iter().copied());
                sums.observe(&self.meetings, &a.columns, &b.columns);
            }
        }
    }
}

/// The sort code of a customer in two lists, from what they add in each and their groups in both.
#[inline]
fn of_pair<K: Key>(((first, second), (of_a, of_b)): ((&K, &K), (&u32, &u32))) -> K {
    let group = if of_a == of_b { of_a.wrapping_add(1) } else { 0 };
    first.plus(*second).plus(sort_code(K::of(u64::from(group)), 0))
}

/// Calls `met` with the indices of the numbers that are in both of two ascending lists.
#[inline]
fn both(a: &[u32], b: &[u32], mut met: impl FnMut(u32, u32)) {
    let (mut i, mut j) = (0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if x == y {
            met(i as u32, j as u32);
        }
        (i, j) = (i + usize::from(x <= y), j + usize::from(y <= x));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::error::Result;
    use crate::stats::{PairSums, Sums};
    use crate::sums::mark_nonzero;

    /// Sums by period, cell and arm, group and column.
    type Plain = HashMap<(usize, u64, u32, usize), Sums>;
    /// Sums by two periods, two cells and arms, group and column.
    type PlainPairs = HashMap<([usize; 2], [u64; 2], Option<u32>, usize), PairSums>;
    /// A member as plain numbers: customer, cell and arm, groups in two schemes, a mean, a ratio and a count.
    type Member = (u32, u64, [u32; 2], [[i64; 4]; 3]);

    const ARITIES: [Arity; 3] = [Arity::Two, Arity::Four, Arity::One];

    fn crowd(members: &[Member]) -> MemberBatch {
        let mut columns = ARITIES.map(Column::new).to_vec();
        for (at, column) in columns.iter_mut().enumerate() {
            column.extend(members.iter().map(|member| member.3[at]));
        }
        let mut nonzero = Vec::new();
        mark_nonzero(&columns, members.len(), &mut nonzero);
        MemberBatch {
            nonzero,
            customers: members.iter().map(|member| member.0).collect(),
            cell_arms: members.iter().map(|member| member.1).collect(),
            groups: (0..2).map(|scheme| members.iter().map(|member| member.2[scheme]).collect()).collect(),
            columns,
            unknown: members.iter().zip(0..).filter(|(member, _)| member.0 % 5 == 0).map(|(_, at)| at).collect(),
        }
    }

    /// The sums of small, negative and very large numbers are those of a loop over all customers.
    #[test]
    fn batches_have_the_sums_of_a_plain_loop() -> Result<()> {
        let mut state = 7u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((u128::from(state >> 11) * u128::from(below)) >> 53) as i64
        };
        // Cells whose keys need 32, 64 and 128 bits.
        for cells in [2u128, 1 << 20, 1 << 40] {
            let keys = KeyLayout { arms: 2, groups: 5, cells, lists: 3 };
            let layout = SumLayout { keys, arities: ARITIES.to_vec(), outcomes: 2, described: 0 };
            let mut accumulator = StrategyAccumulator::new(&layout);
            let (mut singles, mut pairs) = (Plain::new(), PlainPairs::new());
            let mut flushed = [0; 4];
            for hand in 0..50 {
                let largest = [9, 1 << 20, 1 << 28, 1 << 31, 1 << 45][hand % 5];
                let least = if hand % 3 == 0 { largest / 2 } else { 0 };
                let mut lists: Vec<Vec<Member>> = vec![Vec::new(); 3];
                for customer in 0..30u32 {
                    for list in &mut lists {
                        // In every seventh batch, all customers are in all lists.
                        if next(4) > 0 || hand % 7 == 0 {
                            let seat = (next(2) as u64) * (cells as u64 - 1) * 2 + next(2) as u64;
                            // The values of every third customer are zero.
                            let mut number = || if customer % 3 == 0 { 0 } else { next(largest as u64) - least };
                            let mean = [number(), number(), 0, 0];
                            let ratio = [number(), number(), number(), number()];
                            let count = if customer % 5 == 0 { 0 } else { number() };
                            let groups = [next(3) as u32, 3 + next(2) as u32];
                            list.push((customer, seat, groups, [mean, ratio, [count, 0, 0, 0]]));
                        }
                    }
                }
                for (at, list) in lists.iter().enumerate() {
                    for (customer, seat, groups, numbers) in list {
                        for group in groups {
                            for (slot, numbers) in numbers.iter().enumerate() {
                                let sums = singles.entry((at, *seat, *group, slot)).or_default();
                                if slot < 2 || customer % 5 != 0 {
                                    sums.observe(*numbers)?;
                                }
                            }
                        }
                        for (later, others) in lists.iter().enumerate().skip(at + 1) {
                            for other in others.iter().filter(|other| other.0 == *customer) {
                                let same = groups.iter().zip(other.2).map(|(a, b)| (*a == b).then_some(*a));
                                let kept = same.enumerate().filter(|(scheme, group)| *scheme == 0 || group.is_some());
                                for (_, group) in kept {
                                    for (slot, (a, b)) in numbers.iter().zip(&other.3).take(2).enumerate() {
                                        let key = ([at, later], [*seat, other.1], group, slot);
                                        pairs.entry(key).or_default().observe(*a, *b)?;
                                    }
                                }
                            }
                        }
                    }
                }
                let crowds: Vec<MemberBatch> = lists.iter().map(|members| crowd(members)).collect();
                let grown = |accumulator: &StrategyAccumulator<'_>| -> Vec<u128> {
                    accumulator.lists.iter().map(TwoLevelSums::squares).chain([accumulator.pairs.squares()]).collect()
                };
                let before = grown(&accumulator);
                accumulator.add(&crowds, &mut [0; 3]);
                for ((before, after), flushed) in before.iter().zip(grown(&accumulator)).zip(&mut flushed) {
                    assert!(after <= i64::MAX as u128);
                    *flushed += usize::from(after < *before);
                }
            }
            assert!(flushed.iter().all(|times| *times > 0));
            let sums = accumulator.finish();
            let mut found = 0;
            for (list, store) in sums.lists.iter().enumerate() {
                for key in store.keys() {
                    let place = layout.keys.decode(*key);
                    let seat = place.cell * 2 + place.arm as u64;
                    for slot in 0..3 {
                        assert_eq!(store.sums(*key, slot), singles[&(list, seat, place.group as u32, slot)]);
                        found += 1;
                    }
                }
            }
            assert_eq!(found, singles.len());
            for key in sums.pairs.keys() {
                let ((first, a), (second, b), group) = layout.keys.decode_pair(*key);
                let seats = [a, b].map(|place| place.cell * 2 + place.arm as u64);
                for slot in 0..2 {
                    let want = pairs.remove(&([first, second], seats, group.map(|g| g as u32), slot));
                    assert_eq!(Some(sums.pairs.sums(*key, slot)), want);
                }
            }
            assert!(pairs.is_empty());
        }
        Ok(())
    }
}
