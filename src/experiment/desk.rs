//! Where the customers at hand are summed, in integers no larger than they need.

use crate::engine::experiment::bundles::{Bundles, KINDS, label};
use crate::engine::experiment::column::{Column, Form};
use crate::engine::experiment::growing::{Growing, GrowingPairs, GrowingSingles, Room};
use crate::engine::experiment::member_batch::MemberBatch;
use crate::engine::experiment::store::{FEW, Integer, Key, Pairs, Singles, kind};
use crate::engine::experiment::tally::{Keys, Sizes};

/// The sums of a strategy.
pub struct StudySums {
    /// By list of the strategy.
    pub lists: Vec<Singles<i128>>,
    /// Of customers who are in two lists.
    pub pairs: Pairs<i128>,
}

impl StudySums {
    /// Sums of columns, of which the first so many count in pairs.
    pub fn new(keys: &Keys, forms: &[Form], in_pairs: usize) -> StudySums {
        // The days since the last order, which come behind the outcomes, are not known of everybody.
        let singles = |_| Singles::new(keys.bound(), forms.iter().copied(), Some(in_pairs));
        StudySums {
            lists: (0..keys.lists).map(singles).collect(),
            pairs: Pairs::new(keys.of_pairs(), forms.iter().copied().take(in_pairs), None),
        }
    }

    /// Adds what was summed elsewhere.
    pub fn merge(&mut self, other: &StudySums) {
        self.lists.iter_mut().zip(&other.lists).for_each(|(all, own)| all.merge(own));
        self.pairs.merge(&other.pairs);
    }
}

/// The sums of a strategy as they grow.
pub struct Desk<'a> {
    sizes: &'a Sizes,
    /// By list of the strategy.
    lists: Vec<GrowingSingles>,
    pairs: GrowingPairs,
    /// How many columns count in pairs; they come first.
    in_pairs: usize,
    notes: AnyNotes,
}

/// Notes with labels no longer than they need be.
enum AnyNotes {
    Short(Notes<u32>),
    Middle(Notes<u64>),
    Long(Notes<u128>),
}

impl AnyNotes {
    /// Notes for labels below this.
    fn new(bound: u128) -> AnyNotes {
        if bound <= u128::from(u32::MAX) {
            AnyNotes::Short(Notes::default())
        } else if bound <= u128::from(u64::MAX) {
            AnyNotes::Middle(Notes::default())
        } else {
            AnyNotes::Long(Notes::default())
        }
    }

    fn single<T: Integer>(&mut self, keys: &Keys, crowd: &MemberBatch, sums: &mut Singles<T>) {
        match self {
            AnyNotes::Short(notes) => notes.single(keys, crowd, sums),
            AnyNotes::Middle(notes) => notes.single(keys, crowd, sums),
            AnyNotes::Long(notes) => notes.single(keys, crowd, sums),
        }
    }

    fn pairs<T: Integer>(&mut self, keys: &Keys, crowds: &[MemberBatch], sums: &mut Pairs<T>) {
        match self {
            AnyNotes::Short(notes) => notes.pairs(keys, crowds, sums),
            AnyNotes::Middle(notes) => notes.pairs(keys, crowds, sums),
            AnyNotes::Long(notes) => notes.pairs(keys, crowds, sums),
        }
    }
}

impl<'a> Desk<'a> {
    /// A desk for all slots.
    pub fn of_slots(sizes: &'a Sizes) -> Desk<'a> {
        Desk::new(sizes, &sizes.forms, sizes.outcomes)
    }

    /// A desk for columns, of which the first so many count in pairs.
    pub fn new(sizes: &'a Sizes, forms: &[Form], in_pairs: usize) -> Desk<'a> {
        let keys = &sizes.keys;
        let StudySums { lists, pairs } = StudySums::new(keys, forms, in_pairs);
        let forms = || forms.iter().copied();
        // The lists share what few keys may take.
        let few = || Singles::scratch(keys.bound(), FEW / keys.lists.max(1), forms(), Some(in_pairs));
        let few_pairs = Pairs::scratch(keys.of_pairs(), FEW, forms().take(in_pairs), None);
        Desk {
            sizes,
            lists: lists.into_iter().map(|all| Growing::new(all, few())).collect(),
            pairs: Growing::new(pairs, few_pairs),
            in_pairs,
            notes: AnyNotes::new(keys.bound().max(keys.of_pairs()).saturating_mul(KINDS as u128)),
        }
    }

    /// Adds crowds, one per list of the strategy, and to `squares`, by list, the squares of all their numbers.
    pub fn add(&mut self, crowds: &[MemberBatch], squares: &mut [u128]) {
        let (keys, mut most_of_pairs) = (&self.sizes.keys, 0);
        for ((crowd, all), list) in crowds.iter().zip(squares).zip(&mut self.lists) {
            let mut most = 0;
            for (column, squares) in crowd.columns.iter().map(Column::squares).enumerate() {
                *all = all.saturating_add(squares);
                most = most.max(squares);
                most_of_pairs = if column < self.in_pairs { squares.max(most_of_pairs) } else { most_of_pairs };
            }
            match list.room(most) {
                Room::All(sums) => self.notes.single(keys, crowd, sums),
                Room::Few(sums) => self.notes.single(keys, crowd, sums),
            }
        }
        match self.pairs.room(most_of_pairs) {
            Room::All(sums) => self.notes.pairs(keys, crowds, sums),
            Room::Few(sums) => self.notes.pairs(keys, crowds, sums),
        }
    }

    /// All sums.
    pub fn finish(self) -> StudySums {
        StudySums { lists: self.lists.into_iter().map(Growing::finish).collect(), pairs: self.pairs.finish() }
    }
}

/// What is worked out of the customers at hand to sum them.
#[derive(Default)]
struct Notes<K> {
    /// By list and member: what they add to the label of a pair whose first list it is, and whose second.
    firsts: Vec<Vec<K>>,
    seconds: Vec<Vec<K>>,
    /// MemberRows of two lists who are the same customer, if the lists do not have the same customers.
    met: Vec<(u32, u32)>,
    /// What their labels are made of.
    made: [Made<K>; 2],
    labels: Vec<K>,
    members: Bundles<K, u32>,
    meetings: Bundles<K, (u32, u32)>,
}

/// What members add to the labels of their pairs, and their groups.
#[derive(Default)]
struct Made<K> {
    added: Vec<K>,
    groups: Vec<u32>,
}

impl<K: Key> Made<K> {
    /// Of these members.
    fn fill(&mut self, added: &[K], groups: &[u32], members: impl Iterator<Item = u32> + Clone) {
        self.added.clear();
        self.added.extend(members.clone().map(|member| added[member as usize]));
        self.groups.clear();
        self.groups.extend(members.map(|member| groups[member as usize]));
    }
}

impl<K: Key> Notes<K> {
    /// Sums the customers of every two lists.
    fn pairs<T: Integer>(&mut self, keys: &Keys, crowds: &[MemberBatch], sums: &mut Pairs<T>) {
        let (groups, seats) = (K::of(keys.groups as u64 + 1), K::of(keys.seats() as u64));
        self.firsts.resize_with(crowds.len(), Vec::new);
        self.seconds.resize_with(crowds.len(), Vec::new);
        for (crowd, (firsts, seconds)) in crowds.iter().zip(self.firsts.iter_mut().zip(&mut self.seconds)) {
            let members = || crowd.seats.iter().map(|seat| K::of(*seat).times(groups)).zip(&crowd.active.flags);
            firsts.clear();
            firsts.extend(members().map(|(seat, is_active)| label(seat.times(seats), kind::in_first(*is_active))));
            seconds.clear();
            seconds.extend(members().map(|(seat, is_active)| label(seat, kind::in_second(*is_active))));
        }
        for second in 0..crowds.len() {
            for first in 0..second {
                self.pair(keys, crowds, (first, second), sums);
            }
        }
    }

    /// Sums the customers of a list.
    fn single<T: Integer>(&mut self, keys: &Keys, crowd: &MemberBatch, sums: &mut Singles<T>) {
        let count = K::of(keys.groups as u64);
        for groups in &crowd.groups {
            let key = |(seat, group): (&u64, &u32)| K::of(*seat).times(count).plus(K::of(u64::from(*group)));
            let of_all = crowd.seats.iter().zip(groups).map(key).zip(&crowd.active.flags);
            self.labels.clear();
            self.labels.extend(of_all.map(|(key, is_active)| label(key, kind::of_one(*is_active))));
            self.members.fill(K::default(), keys.bound(), &self.labels, 0..self.labels.len() as u32);
            sums.observe(&self.members, &crowd.columns);
            sums.lack(crowd.unknown.iter().map(|member| self.labels[*member as usize].split(KINDS).0));
        }
    }

    /// Who is in both lists counts once by the groups of the first scheme, and under each further scheme whose groups agree.
    fn pair<T: Integer>(&mut self, keys: &Keys, crowds: &[MemberBatch], (first, second): (usize, usize), sums: &mut Pairs<T>) {
        let (a, b) = (&crowds[first], &crowds[second]);
        let (firsts, seconds) = (&self.firsts[first], &self.seconds[second]);
        let (of_two, seats) = (keys.of_two_lists(), K::of(keys.seats() as u64));
        let start = K::of(Keys::pair_number(first, second)).times(seats).times(seats).times(K::of(keys.groups as u64 + 1));
        let are_same = a.customers == b.customers;
        for (at, (of_a, of_b)) in a.groups.iter().zip(&b.groups).enumerate() {
            self.labels.clear();
            if are_same && at == 0 {
                self.labels.extend(firsts.iter().zip(seconds).zip(of_a.iter().zip(of_b)).map(of_pair));
                self.members.fill(start, of_two, &self.labels, 0..self.labels.len() as u32);
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
                self.meetings.fill(start, of_two, &self.labels, self.met.iter().copied());
                sums.observe(&self.meetings, &a.columns, &b.columns);
            }
        }
    }
}

/// The label of who is in two lists: what they add in the first and the second, and the group, if it is the same.
#[inline]
fn of_pair<K: Key>(((first, second), (of_a, of_b)): ((&K, &K), (&u32, &u32))) -> K {
    let group = if of_a == of_b { of_a.wrapping_add(1) } else { 0 };
    first.plus(*second).plus(label(K::of(u64::from(group)), 0))
}

/// Calls `met` with the places of numbers that are in both of two ascending lists.
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
    use crate::engine::experiment::member_batch::Active;
    use crate::error::Result;
    use crate::stats::{PairSums, Sums};

    /// Sums by list, seat, group and slot.
    type Plain = HashMap<(usize, u64, u32, usize), Sums>;
    /// Sums by lists, seats, group and slot.
    type PlainPairs = HashMap<([usize; 2], [u64; 2], Option<u32>, usize), PairSums>;
    /// A member as plain numbers: customer, seat, groups in two schemes, a mean, a ratio and a count.
    type Member = (u32, u64, [u32; 2], [[i64; 4]; 3]);

    const FORMS: [Form; 3] = [Form::Mean, Form::Ratio, Form::Number];

    fn crowd(members: &[Member]) -> MemberBatch {
        let mut columns = FORMS.map(Column::new).to_vec();
        for (at, column) in columns.iter_mut().enumerate() {
            column.extend(members.iter().map(|member| member.3[at]));
        }
        MemberBatch {
            active: Active::of(&columns, members.len()),
            customers: members.iter().map(|member| member.0).collect(),
            seats: members.iter().map(|member| member.1).collect(),
            groups: (0..2).map(|scheme| members.iter().map(|member| member.2[scheme]).collect()).collect(),
            columns,
            unknown: members.iter().zip(0..).filter(|(member, _)| member.0 % 5 == 0).map(|(_, at)| at).collect(),
        }
    }

    /// Sums of small numbers, negative ones and those that only 128 bits hold are those of a loop over all customers.
    #[test]
    fn a_desk_sums_as_a_plain_loop_does() -> Result<()> {
        let mut state = 7u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((u128::from(state >> 11) * u128::from(below)) >> 53) as i64
        };
        // Few cells, whose keys are numbers of places, and so many that keys are long.
        for cells in [2u128, 1 << 20, 1 << 40] {
            let keys = Keys { arms: 2, groups: 5, cells, lists: 3 };
            let sizes = Sizes { keys, forms: FORMS.to_vec(), outcomes: 2, described: 0 };
            let mut desk = Desk::of_slots(&sizes);
            let (mut singles, mut pairs) = (Plain::new(), PlainPairs::new());
            let mut settled = [0; 4];
            for hand in 0..50 {
                let largest = [9, 1 << 20, 1 << 28, 1 << 31, 1 << 45][hand % 5];
                let least = if hand % 3 == 0 { largest / 2 } else { 0 };
                let mut lists: Vec<Vec<Member>> = vec![Vec::new(); 3];
                for customer in 0..30u32 {
                    for list in &mut lists {
                        // Every seventh time all are in all lists.
                        if next(4) > 0 || hand % 7 == 0 {
                            let seat = (next(2) as u64) * (cells as u64 - 1) * 2 + next(2) as u64;
                            // Every third has done nothing.
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
                let grown = |desk: &Desk<'_>| -> Vec<u128> {
                    desk.lists.iter().map(Growing::squares).chain([desk.pairs.squares()]).collect()
                };
                let before = grown(&desk);
                desk.add(&crowds, &mut [0; 3]);
                for ((before, after), settled) in before.iter().zip(grown(&desk)).zip(&mut settled) {
                    assert!(after <= i64::MAX as u128);
                    *settled += usize::from(after < *before);
                }
            }
            assert!(settled.iter().all(|times| *times > 0));
            let sums = desk.finish();
            let mut found = 0;
            for (list, store) in sums.lists.iter().enumerate() {
                for key in store.keys() {
                    let place = sizes.keys.place(*key);
                    let seat = place.cell * 2 + place.arm as u64;
                    for slot in 0..3 {
                        assert_eq!(store.sums(*key, slot), singles[&(list, seat, place.group as u32, slot)]);
                        found += 1;
                    }
                }
            }
            assert_eq!(found, singles.len());
            for key in sums.pairs.keys() {
                let ((first, a), (second, b), group) = sizes.keys.pair(*key);
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
