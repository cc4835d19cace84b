//! Everything that strategies sum over customers, list by list, in one part or in all.

use super::crowd::{Crowd, Extent};
use super::store::{Column, Integer, Pairs, Singles};
use super::study::{List, Study};
use super::winsorised::Kept;
use crate::error::{Error, Result};

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

    /// Cell and arm in one number.
    #[inline]
    pub fn seat(&self, cell: u64, arm: u16) -> u64 {
        cell * self.arms as u64 + u64::from(arm)
    }

    /// What a key stands for.
    pub fn place(&self, key: u128) -> Place {
        let (seat, group) = (key / self.groups, key % self.groups);
        Place { cell: (seat / self.arms) as u64, arm: (seat % self.arms) as usize, group: group as usize }
    }

    fn seats(&self) -> u128 {
        self.cells * self.arms
    }

    /// How many keys two lists have: cell and arm in each, and the group in both or none.
    fn of_two_lists(&self) -> u128 {
        self.seats() * self.seats() * (self.groups + 1)
    }

    /// What the key of a pair stands for: the lists' places in the strategy, what the customer is in each, and the group in
    /// both; none if the groups of the first scheme differ.
    pub fn pair(&self, key: u128) -> ((usize, Place), (usize, Place), Option<usize>) {
        let seats = self.seats();
        let (seat, group) = (key / (self.groups + 1), (key % (self.groups + 1)) as usize);
        let (first, second) = (seat / seats, seat % seats);
        let (pair, first) = (first / seats, first % seats);
        let place = |seat: u128| Place { cell: (seat / self.arms) as u64, arm: (seat % self.arms) as usize, group };
        (((pair / self.lists) as usize, place(first)), ((pair % self.lists) as usize, place(second)), group.checked_sub(1))
    }
}

/// The sums of all lists.
pub struct Tally {
    /// By strategy.
    pub studies: Vec<StudySums>,
    /// By list: everybody, for strategies without a control.
    pub reference: Vec<Singles<i128>>,
    /// By list: the sum of the squares of all numbers.
    pub squares: Vec<u128>,
    /// By list.
    pub accounts: Vec<Account>,
    /// What is winsorised once all parts are known, by part and strategy.
    pub kept: Vec<Kept>,
}

/// How the numbers of a strategy's customers are summed.
pub struct Sizes {
    pub keys: Keys,
    /// By slot: whether it is a ratio.
    is_ratio: Vec<bool>,
    /// How many slots are outcomes; they come first.
    outcomes: usize,
    /// How many outcomes a description of before and after shows; they are means.
    described: usize,
}

impl Sizes {
    pub fn of(study: &Study<'_>) -> Sizes {
        Sizes {
            keys: Keys::of(study),
            is_ratio: study.slots.iter().map(|slot| slot.is_ratio).collect(),
            outcomes: study.outcome_slots.len(),
            described: study.outcomes.iter().filter(|o| o.outcome.is_described()).count(),
        }
    }

    /// Columns for all slots.
    pub fn columns(&self) -> Vec<Column> {
        self.is_ratio.iter().map(|is_ratio| Column::new(*is_ratio)).collect()
    }

    /// The slot of which nothing may be known: the days since the last order.
    fn recency(&self) -> usize {
        self.outcomes
    }

    fn reference(&self) -> Singles<i128> {
        Singles::new(1, std::iter::repeat_n(false, self.described))
    }
}

/// The sums of a strategy.
pub struct StudySums {
    /// By list of the strategy.
    pub lists: Vec<Singles<i128>>,
    /// Of customers who are in two lists.
    pub pairs: Pairs<i128>,
}

impl StudySums {
    /// Sums of all slots.
    pub fn of_slots(sizes: &Sizes) -> StudySums {
        StudySums::new(&sizes.keys, &sizes.is_ratio, sizes.outcomes)
    }

    /// Sums of columns, of which the first so many count in pairs.
    pub fn new(keys: &Keys, is_ratio: &[bool], in_pairs: usize) -> StudySums {
        let singles = |_| Singles::new(keys.bound(), is_ratio.iter().copied());
        let pairs = keys.lists * keys.lists * keys.of_two_lists();
        StudySums {
            lists: (0..keys.lists).map(singles).collect(),
            pairs: Pairs::new(pairs, is_ratio.iter().copied().take(in_pairs)),
        }
    }

    fn merge(&mut self, other: &StudySums) {
        self.lists.iter_mut().zip(&other.lists).for_each(|(all, own)| all.merge(own, 0));
        self.pairs.merge(&other.pairs, 0);
    }
}

/// Where the customers at hand are summed, in integers no larger than they need.
pub struct Desk<'a> {
    sizes: &'a Sizes,
    small: Sheet<u64>,
    narrow: Sheet<i64>,
    wide: Sheet<i128>,
}

impl<'a> Desk<'a> {
    /// A desk for all slots.
    pub fn of_slots(sizes: &'a Sizes) -> Desk<'a> {
        Desk::new(sizes, &sizes.is_ratio, sizes.outcomes)
    }

    /// A desk for columns, of which the first so many count in pairs.
    pub fn new(sizes: &'a Sizes, is_ratio: &[bool], in_pairs: usize) -> Desk<'a> {
        Desk {
            sizes,
            small: Sheet::new(&sizes.keys, is_ratio, in_pairs),
            narrow: Sheet::new(&sizes.keys, is_ratio, in_pairs),
            wide: Sheet::new(&sizes.keys, is_ratio, in_pairs),
        }
    }

    /// Adds crowds, one per list of the strategy, to its sums.
    pub fn add(&mut self, crowds: &[Crowd], extents: &[Extent], sums: &mut StudySums) {
        let fits = extents.iter().all(|extent| i64::try_from(extent.squares).is_ok());
        match (fits, extents.iter().all(|extent| extent.is_small)) {
            (true, true) => self.small.add(self.sizes, crowds, sums),
            (true, false) => self.narrow.add(self.sizes, crowds, sums),
            (false, _) => self.wide.add(self.sizes, crowds, sums),
        }
    }
}

struct Sheet<T> {
    singles: Singles<T>,
    pairs: Pairs<T>,
    /// By list and member: what cell and arm add to the key of a pair whose second list it is.
    seats: Vec<Vec<u128>>,
    /// Members of two lists who are the same customer.
    met: Vec<(u32, u32)>,
    /// Those who are also in the same group.
    agreed: Vec<(u32, u32)>,
    /// Where the sums of members are.
    places: Vec<u32>,
}

impl<T: Integer> Sheet<T> {
    fn new(keys: &Keys, is_ratio: &[bool], in_pairs: usize) -> Sheet<T> {
        Sheet {
            singles: Singles::new(keys.bound(), is_ratio.iter().copied()),
            pairs: Pairs::new(keys.of_two_lists(), is_ratio.iter().copied().take(in_pairs)),
            seats: Vec::new(),
            met: Vec::new(),
            agreed: Vec::new(),
            places: Vec::new(),
        }
    }

    fn add(&mut self, sizes: &Sizes, crowds: &[Crowd], sums: &mut StudySums) {
        for (crowd, list) in crowds.iter().zip(&mut sums.lists) {
            self.single(sizes, crowd);
            list.merge(&self.singles, 0);
            self.singles.clear();
        }
        let keys = &sizes.keys;
        let seats = |crowd: &Crowd| crowd.seats.iter().map(|seat| u128::from(*seat) * (keys.groups + 1)).collect();
        self.seats = crowds.iter().map(seats).collect();
        for first in 0..crowds.len() {
            for second in first + 1..crowds.len() {
                self.pair(keys, crowds, first, second);
                let pair = first as u128 * keys.lists + second as u128;
                sums.pairs.merge(&self.pairs, pair * keys.of_two_lists());
                self.pairs.clear();
            }
        }
    }

    fn single(&mut self, sizes: &Sizes, crowd: &Crowd) {
        for groups in &crowd.groups {
            let key = |(seat, group): (&u64, &u32)| u128::from(*seat) * sizes.keys.groups + u128::from(*group);
            self.singles.seek(crowd.seats.iter().zip(groups).map(key), &mut self.places);
            self.singles.observe(&self.places, &crowd.columns);
            let unknown = crowd.unknown.iter().map(|member| self.places[*member as usize]);
            self.singles.discount(unknown, sizes.recency());
        }
    }

    /// Who is in both lists counts once by the groups of the first scheme, and under each further scheme whose groups agree.
    fn pair(&mut self, keys: &Keys, crowds: &[Crowd], first: usize, second: usize) {
        let (a, b) = (&crowds[first], &crowds[second]);
        let of_first: Vec<u128> = self.seats[first].iter().map(|seat| seat * keys.seats()).collect();
        let of_second = &self.seats[second];
        self.met.clear();
        both(&a.customers, &b.customers, |x, y| self.met.push((x, y)));
        for (at, (of_a, of_b)) in a.groups.iter().zip(&b.groups).enumerate() {
            let group = |(x, y): (u32, u32)| (of_a[x as usize] == of_b[y as usize]).then_some(of_a[x as usize]);
            let met = if at == 0 {
                &self.met
            } else {
                self.agreed.clear();
                self.agreed.extend(self.met.iter().filter(|met| group(**met).is_some()));
                &self.agreed
            };
            let key = |met: &(u32, u32)| {
                let seats = of_first[met.0 as usize] + of_second[met.1 as usize];
                seats + group(*met).map_or(0, |group| u128::from(group) + 1)
            };
            self.pairs.seek(met.iter().map(key), &mut self.places);
            self.pairs.observe(&self.places, met, &a.columns, &b.columns);
        }
    }
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

impl Tally {
    pub fn new(studies: &[Study<'_>], lists: &[List], sizes: &[Sizes]) -> Tally {
        let account = |list: &List| Account { left_out: vec![0; studies[list.study].arms.len()], ..Account::default() };
        Tally {
            studies: sizes.iter().map(StudySums::of_slots).collect(),
            reference: lists.iter().map(|list| sizes[list.study].reference()).collect(),
            squares: vec![0; lists.len()],
            accounts: lists.iter().map(account).collect(),
            kept: Vec::new(),
        }
    }

    /// Adds what another part has summed.
    pub fn merge(&mut self, other: Tally) {
        self.studies.iter_mut().zip(&other.studies).for_each(|(all, own)| all.merge(own));
        self.reference.iter_mut().zip(&other.reference).for_each(|(all, own)| all.merge(own, 0));
        for (all, own) in self.squares.iter_mut().zip(other.squares) {
            *all = all.saturating_add(own);
        }
        for (all, own) in self.accounts.iter_mut().zip(other.accounts) {
            all.unknown += own.unknown;
            all.overlapping += own.overlapping;
            all.left_out.iter_mut().zip(own.left_out).for_each(|(all, own)| *all += own);
        }
        self.kept.extend(other.kept);
    }

    /// Checks that no sum has left what DECIMAL(38) holds.
    ///
    /// # Errors
    /// Exit 3 if one may have.
    pub fn check(&self) -> Result<()> {
        match self.squares.iter().all(|squares| *squares < 10u128.pow(38)) {
            true => Ok(()),
            false => Err(Error::contract(
                "the sums of squares of an outcome could leave 38 digits: the amounts are too large for orders.amount_scale; lower it, or look for a wrong amount",
            )),
        }
    }
}
