//! Everything that strategies sum over customers, list by list, in one part or in all.

use std::ops::Range;

use super::store::{Numbers, PairStore, Shapes, Store};
use super::study::{List, Study};
use super::winsorised::Kept;
use crate::error::Result;

/// A customer who counts in a list.
#[derive(Debug, Clone)]
pub struct Member {
    pub list: usize,
    pub cell: u64,
    pub arm: u16,
    /// Where the groups lie: one per scheme of `by`, or a single one.
    pub groups: Range<usize>,
    /// Where the numbers lie, one per slot.
    pub numbers: Range<usize>,
    /// The slot of which nothing is known.
    pub skip: Option<usize>,
}

/// Customers of a list by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Customers whom the orders do not know.
    pub unknown: u64,
    /// Customers who are in another strategy at the same time.
    pub overlapping: u64,
    /// Those of them who are left out, by arm.
    pub left_out: Vec<u64>,
}

/// How the sums of a strategy are numbered.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    arms: u128,
    groups: u128,
    cells: u128,
    lists: u128,
}

/// What a key of a list stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub cell: u64,
    pub arm: usize,
    pub group: usize,
}

impl Keys {
    pub fn of(study: &Study<'_>) -> Keys {
        Keys {
            arms: study.arms.len() as u128,
            groups: study.groups as u128,
            cells: study.cell_bound(),
            lists: study.lists.len() as u128,
        }
    }

    fn bound(&self) -> u128 {
        self.cells * self.arms * self.groups
    }

    #[inline]
    fn seat(&self, cell: u64, arm: u16) -> u128 {
        u128::from(cell) * self.arms + u128::from(arm)
    }

    #[inline]
    fn key(&self, cell: u64, arm: u16, group: u32) -> u128 {
        self.seat(cell, arm) * self.groups + u128::from(group)
    }

    /// What a key stands for.
    pub fn place(&self, key: u128) -> Place {
        let (seat, group) = (key / self.groups, key % self.groups);
        Place { cell: (seat / self.arms) as u64, arm: (seat % self.arms) as usize, group: group as usize }
    }

    fn pair_bound(&self) -> u128 {
        let seats = self.cells * self.arms;
        self.lists * self.lists * seats * seats * (self.groups + 1)
    }

    /// The key of a pair: two lists of the strategy, cell and arm in each, and the group in both or none.
    #[inline]
    fn pair_key(&self, lists: (usize, usize), (a, b): (&Member, &Member), group: Option<u32>) -> u128 {
        let seats = self.cells * self.arms;
        let pair = lists.0 as u128 * self.lists + lists.1 as u128;
        let seat = (pair * seats + self.seat(a.cell, a.arm)) * seats + self.seat(b.cell, b.arm);
        seat * (self.groups + 1) + group.map_or(0, |g| u128::from(g) + 1)
    }

    /// What the key of a pair stands for: the lists' places in the strategy, what the customer is in each, and the group.
    pub fn pair(&self, key: u128) -> ((usize, Place), (usize, Place), Option<usize>) {
        let seats = self.cells * self.arms;
        let (seat, group) = (key / (self.groups + 1), (key % (self.groups + 1)) as usize);
        let (first, second) = (seat / seats, seat % seats);
        let (pair, first) = (first / seats, first % seats);
        let place = |seat: u128| Place { cell: (seat / self.arms) as u64, arm: (seat % self.arms) as usize, group };
        (((pair / self.lists) as usize, place(first)), ((pair % self.lists) as usize, place(second)), group.checked_sub(1))
    }
}

/// The sums of all lists.
pub struct Tally {
    /// By list.
    pub lists: Vec<Store>,
    /// By strategy: outcomes of customers who are in two lists.
    pub pairs: Vec<PairStore>,
    /// By list: everybody, for strategies without a control.
    pub reference: Vec<Store>,
    /// By list.
    pub accounts: Vec<Account>,
    /// What is winsorised once all parts are known, by part and strategy.
    pub kept: Vec<Kept>,
}

/// How the numbers of a strategy's customers are summed.
pub struct Sizes {
    pub keys: Keys,
    /// All slots.
    pub slots: Shapes,
    /// The outcomes among them, which come first.
    pub outcomes: Shapes,
    /// The outcomes that a description of before and after shows.
    pub described: Shapes,
}

impl Sizes {
    pub fn of(study: &Study<'_>) -> Sizes {
        let ratios = || study.slots.iter().map(|slot| slot.is_ratio);
        Sizes {
            keys: Keys::of(study),
            slots: Shapes::new(ratios()),
            outcomes: Shapes::new(ratios().take(study.outcome_slots)),
            described: Shapes::new(study.outcomes.iter().filter(|o| o.outcome.is_described()).map(|_| false)),
        }
    }

    /// A store for a list.
    pub fn store(&self) -> Store {
        Store::new(self.keys.bound())
    }

    /// A store for pairs.
    pub fn pair_store(&self) -> PairStore {
        PairStore::new(self.keys.pair_bound())
    }
}

/// Adds a customer's numbers to the lists, and the pairs of lists to the pairs. `numbers` are as many of a member's as there
/// are shapes.
#[allow(clippy::too_many_arguments, reason = "the inner loop of a part: what it reads and what it fills")]
pub fn add(
    study: &Study<'_>,
    keys: &Keys,
    members: &[Member],
    groups: &[u32],
    numbers: impl Fn(&Member) -> Range<usize>,
    all: &[Numbers],
    (lists, slots): (&mut [Store], &Shapes),
    (pairs, outcomes): (&mut PairStore, &Shapes),
) {
    for member in members {
        for group in &groups[member.groups.clone()] {
            let key = keys.key(member.cell, member.arm, *group);
            lists[member.list].observe(key, &all[numbers(member)], slots, member.skip);
        }
    }
    for (at, first) in members.iter().enumerate() {
        let of_first = numbers(first).start;
        for second in &members[at + 1..] {
            let of_second = numbers(second).start;
            let (a, b) = (&all[of_first..of_first + outcomes.len()], &all[of_second..of_second + outcomes.len()]);
            let of_pair = (first.list - study.lists.start, second.list - study.lists.start);
            pairs.observe(keys.pair_key(of_pair, (first, second), None), a, b, outcomes);
            if !study.by.is_empty() {
                for (group, other) in groups[first.groups.clone()].iter().zip(&groups[second.groups.clone()]) {
                    if group == other {
                        pairs.observe(keys.pair_key(of_pair, (first, second), Some(*group)), a, b, outcomes);
                    }
                }
            }
        }
    }
}

impl Tally {
    pub fn new(studies: &[Study<'_>], lists: &[List], sizes: &[Sizes]) -> Tally {
        let account = |list: &List| Account { left_out: vec![0; studies[list.study].arms.len()], ..Account::default() };
        Tally {
            lists: lists.iter().map(|list| sizes[list.study].store()).collect(),
            pairs: sizes.iter().map(Sizes::pair_store).collect(),
            reference: lists.iter().map(|_| Store::new(1)).collect(),
            accounts: lists.iter().map(account).collect(),
            kept: Vec::new(),
        }
    }

    /// Adds what another part has summed.
    pub fn merge(&mut self, other: Tally, lists: &[List], sizes: &[Sizes]) {
        let of_list = |at: usize| &sizes[lists[at].study];
        for (at, (all, own)) in self.lists.iter_mut().zip(&other.lists).enumerate() {
            all.merge(own, &of_list(at).slots);
        }
        for (at, (all, own)) in self.reference.iter_mut().zip(&other.reference).enumerate() {
            all.merge(own, &of_list(at).described);
        }
        for ((all, own), sizes) in self.pairs.iter_mut().zip(&other.pairs).zip(sizes) {
            all.merge(own, &sizes.outcomes);
        }
        for (all, own) in self.accounts.iter_mut().zip(other.accounts) {
            all.unknown += own.unknown;
            all.overlapping += own.overlapping;
            all.left_out.iter_mut().zip(own.left_out).for_each(|(all, own)| *all += own);
        }
        self.kept.extend(other.kept);
    }

    /// Checks that no sum can have left its digits.
    ///
    /// # Errors
    /// Exit 3 if one can.
    pub fn check(&self) -> Result<()> {
        let mut extent = super::store::Extent::default();
        self.lists.iter().chain(&self.reference).for_each(|store| extent.merge(store.extent()));
        self.pairs.iter().for_each(|store| extent.merge(store.extent()));
        extent.check()
    }
}
