//! Everything that strategies sum over customers, list by list, in one part or in all.

use crate::engine::experiment::column::Form;
use crate::engine::experiment::desk::StudySums;
use crate::engine::experiment::plan::{PeriodPlan, StrategyPlan};
use crate::engine::experiment::store::Singles;
use crate::engine::experiment::winsorised::Kept;

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

impl Account {
    /// Of a list of the strategy, to which nothing has happened yet.
    pub fn new(study: &StrategyPlan<'_>) -> Account {
        Account { left_out: vec![0; study.arms.len()], ..Account::default() }
    }
}

/// How the sums of a strategy are numbered.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    pub arms: u128,
    pub groups: u128,
    pub cells: u128,
    pub lists: u128,
}

/// What a key of a list stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub cell: u64,
    pub arm: usize,
    pub group: usize,
}

impl Keys {
    pub fn of(study: &StrategyPlan<'_>) -> Keys {
        Keys {
            arms: study.arms.len() as u128,
            groups: study.groups as u128,
            cells: study.cell_bound(),
            lists: study.lists.len() as u128,
        }
    }

    /// Keys of a list are below this.
    pub fn bound(&self) -> u128 {
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

    pub fn seats(&self) -> u128 {
        self.cells * self.arms
    }

    /// How many keys two lists have: cell and arm in each, and the group in both or none.
    pub fn of_two_lists(&self) -> u128 {
        self.seats() * self.seats() * (self.groups + 1)
    }

    /// Keys of pairs are below this.
    pub fn of_pairs(&self) -> u128 {
        self.lists * self.lists.saturating_sub(1) / 2 * self.of_two_lists()
    }

    /// The number of a pair of lists, of which the first comes before the second.
    pub fn pair_number(first: usize, second: usize) -> u64 {
        (second as u64 * (second as u64).saturating_sub(1)) / 2 + first as u64
    }

    /// What the key of a pair stands for: the lists' places in the strategy, what the customer is in each, and the group in
    /// both; none if the groups of the first scheme differ.
    pub fn pair(&self, key: u128) -> ((usize, Place), (usize, Place), Option<usize>) {
        let seats = self.seats();
        let (seat, group) = (key / (self.groups + 1), (key % (self.groups + 1)) as usize);
        let (first, second) = (seat / seats, seat % seats);
        let (pair, first) = (first / seats, first % seats);
        // The second list is the largest whose pairs begin no later.
        let later = (1 + 8 * pair).isqrt().div_ceil(2);
        let earlier = pair - later * (later - 1) / 2;
        let place = |seat: u128| Place { cell: (seat / self.arms) as u64, arm: (seat % self.arms) as usize, group };
        ((earlier as usize, place(first)), (later as usize, place(second)), group.checked_sub(1))
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
    /// By slot.
    pub forms: Vec<Form>,
    /// How many slots are outcomes; they come first.
    pub outcomes: usize,
    /// How many outcomes a description of before and after shows; they are means.
    pub described: usize,
}

impl Sizes {
    pub fn of(study: &StrategyPlan<'_>) -> Sizes {
        Sizes {
            keys: Keys::of(study),
            forms: study.slots.iter().map(|slot| slot.form).collect(),
            outcomes: study.outcome_slots.len(),
            described: study.outcomes.iter().filter(|o| o.outcome.is_described()).count(),
        }
    }

    fn reference(&self) -> Singles<i128> {
        Singles::new(1, std::iter::repeat_n(Form::Mean, self.described), None)
    }
}

impl Tally {
    pub fn new(studies: &[StrategyPlan<'_>], lists: &[PeriodPlan], sizes: &[Sizes]) -> Tally {
        let account = |list: &PeriodPlan| Account::new(&studies[list.study]);
        Tally {
            studies: sizes.iter().map(|sizes| StudySums::new(&sizes.keys, &sizes.forms, sizes.outcomes)).collect(),
            reference: lists.iter().map(|list| sizes[list.study].reference()).collect(),
            squares: vec![0; lists.len()],
            accounts: lists.iter().map(account).collect(),
            kept: Vec::new(),
        }
    }

    /// Adds what another part has summed.
    pub fn merge(&mut self, other: Tally) {
        self.studies.iter_mut().zip(&other.studies).for_each(|(all, own)| all.merge(own));
        self.reference.iter_mut().zip(&other.reference).for_each(|(all, own)| all.merge(own));
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

    /// The first list whose sums may have left what DECIMAL(38) holds.
    pub fn too_large(&self) -> Option<usize> {
        self.squares.iter().position(|squares| *squares >= 10u128.pow(38))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::experiment::column::Column;

    /// Every pair of lists has keys of its own, and the keys tell which pair it is.
    #[test]
    fn keys_of_pairs_are_numbered_and_read_back() {
        let keys = Keys { arms: 3, groups: 4, cells: 5, lists: 9 };
        let mut next = 0;
        for second in 0..9usize {
            for first in 0..second {
                let number = u128::from(Keys::pair_number(first, second));
                assert_eq!(number, next);
                next += 1;
                for (of_first, of_second, group) in [(0, 0, 0), (14, 3, 0), (2, 14, 4), (7, 7, 1)] {
                    let key = ((number * keys.seats() + of_first) * keys.seats() + of_second) * (keys.groups + 1) + group;
                    assert!(key < keys.of_pairs());
                    let ((earlier, a), (later, b), found) = keys.pair(key);
                    let seat = |place: Place| u128::from(place.cell) * keys.arms + place.arm as u128;
                    assert_eq!((earlier, later, found), (first, second, (group as usize).checked_sub(1)));
                    assert_eq!((seat(a), seat(b)), (of_first, of_second));
                }
            }
        }
        assert_eq!(next * keys.of_two_lists(), keys.of_pairs());
    }

    #[test]
    fn sums_that_could_leave_their_digits_are_found() {
        let tally = |amounts: &[i64]| {
            let mut column = Column::new(Form::Mean);
            column.extend(amounts.iter().map(|amount| [*amount, 0, 0, 0]));
            let squares = column.squares();
            let mut tally = Tally::new(&[], &[], &[]);
            tally.squares = vec![0, squares];
            tally
        };
        // The square of the largest amount has 38 digits, that of two has 39, and that of five no 128 bits.
        assert_eq!(tally(&[i64::MIN]).too_large(), None);
        assert_eq!(tally(&[1 << 62, -(1 << 40)]).too_large(), None);
        assert_eq!(tally(&[i64::MIN, i64::MIN]).too_large(), Some(1));
        assert_eq!(tally(&[i64::MIN; 5]).too_large(), Some(1));
    }
}
