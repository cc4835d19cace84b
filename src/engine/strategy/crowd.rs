//! Crowds: who of the customers at hand counts in a list, column by column.

use super::store::Column;
use super::study::{Slot, Study};

/// Members of a list, ascending by customer.
#[derive(Debug, Default)]
pub struct Crowd {
    /// The customer's number among those at hand.
    pub customers: Vec<u32>,
    /// Cell and arm in one number, see [`super::tally::Keys::seat`].
    pub seats: Vec<u64>,
    /// The group, for each scheme of `by`; a single one without.
    pub groups: Vec<Vec<u32>>,
    /// What is summed.
    pub columns: Vec<Column>,
    /// Who has means and ratios that are not all zero.
    pub active: Active,
    /// Members of whom nothing is known of the days since the last order.
    pub unknown: Vec<u32>,
}

impl Crowd {
    /// No less than the sum of the squares of all numbers, and little more.
    pub fn squares(&self) -> u128 {
        let squares = |numbers: &[i64]| {
            // A negative number has them all.
            let bits = numbers.iter().fold(0, |bits, number| bits | *number as u64);
            // Counts and flags, which are most, are not worth a look at each.
            match u16::try_from(bits) {
                Ok(bits) => numbers.len() as u128 * u128::from(bits).pow(2),
                Err(_) if bits <= u64::from(u32::MAX) => small_squares(numbers),
                Err(_) => squares(numbers),
            }
        };
        self.columns.iter().fold(0, |sum: u128, column| sum.saturating_add(squares(column.numbers())))
    }

    /// Forgets all members, to be filled for a strategy.
    pub fn clear(&mut self, study: &Study<'_>) {
        self.customers.clear();
        self.seats.clear();
        self.groups.resize_with(study.by.len().max(1), Vec::new);
        self.groups.iter_mut().for_each(Vec::clear);
        let fits = |(column, slot): (&Column, &Slot)| column.form() == slot.form;
        if self.columns.len() != study.slots.len() || !self.columns.iter().zip(&study.slots).all(fits) {
            self.columns = study.slots.iter().map(|slot| Column::new(slot.form)).collect();
        }
        self.columns.iter_mut().for_each(Column::clear);
        self.unknown.clear();
    }
}

/// Who has done something: most customers buy nothing in most periods, and what is all zero needs no sums.
#[derive(Debug, Clone, Default)]
pub struct Active {
    /// By member.
    pub flags: Vec<bool>,
}

impl Active {
    /// Of so many members, those whose means and ratios are not all zero.
    pub fn of(columns: &[Column], count: usize) -> Active {
        let mut active = Active::default();
        active.find(columns, count);
        active
    }

    /// The same, in room that is there.
    pub fn find(&mut self, columns: &[Column], count: usize) {
        fn mark<const V: usize>(flags: &mut [bool], numbers: &[[i64; V]]) {
            for (flag, own) in flags.iter_mut().zip(numbers) {
                *flag |= own.iter().fold(0, |any, number| any | number) != 0;
            }
        }
        self.flags.clear();
        self.flags.resize(count, false);
        for column in columns {
            match column {
                Column::Numbers(_) => {}
                Column::Means(means) => mark(&mut self.flags, means),
                Column::Ratios(ratios) => mark(&mut self.flags, ratios),
            }
        }
    }
}

/// The sum of the squares of numbers of 32 bits.
fn small_squares(numbers: &[i64]) -> u128 {
    let (mut high, mut low) = (0u64, 0u64);
    for number in numbers {
        let square = u64::from(*number as u32).wrapping_mul(u64::from(*number as u32));
        high = high.wrapping_add(square >> 32);
        low = low.wrapping_add(square & u64::from(u32::MAX));
    }
    (u128::from(high) << 32) + u128::from(low)
}

/// The sum of the squares of numbers.
pub fn squares(numbers: &[i64]) -> u128 {
    let square = |number: &i64| u128::from(number.unsigned_abs()).pow(2);
    numbers.iter().fold(0, |sum: u128, number| sum.saturating_add(square(number)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::strategy::store::Form;

    /// Numbers of up to 16, 32 and 64 bits, and negative ones, have squares that add up to no more than is said, and to as much
    /// if they are not small.
    #[test]
    fn squares_are_bounded() {
        let few: Vec<i64> = (0..1000).map(|n| n * 7 % 300).collect();
        let some: Vec<i64> =
            (0..5000).map(|n: i64| n * 1_000_003 % i64::from(u32::MAX)).chain([i64::from(u32::MAX); 40]).collect();
        let many: Vec<i64> = some.iter().map(|n| n * 1_000_000).collect();
        let negative: Vec<i64> = some.iter().map(|n| -n).collect();
        for (numbers, is_exact) in [(few, false), (some, true), (many, true), (negative, true)] {
            let mut column = Column::new(Form::Number);
            column.extend(numbers.iter().map(|number| [*number, 0, 0, 0]));
            let said = Crowd { columns: vec![column], ..Crowd::default() }.squares();
            let sum: u128 = numbers.iter().map(|n| (i128::from(*n) * i128::from(*n)) as u128).sum();
            assert!(said >= sum && (said == sum || !is_exact), "{said} {sum}");
        }
    }
}
