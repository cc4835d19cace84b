//! Customers' numbers, column by column. They have 32 bits each as long as all fit, as mostly they do: more of them stay in the
//! caches, and products take one instruction.

use crate::domain::Narrow;
use crate::stats::VALUES;

/// Numbers of a ratio: outcome, baseline, and the denominators of both.
pub type Ratio = [i64; VALUES];

/// Numbers of a mean: outcome and baseline.
pub type Mean = [i64; 2];

/// `V` numbers of each customer.
pub type Numbers<const V: usize> = Narrow<[u32; V]>;

/// How many numbers of a customer are summed together, with their products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One, which has no baseline.
    Number,
    Mean,
    Ratio,
}

/// One of the numbers that are summed, of several customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    Numbers(Numbers<1>),
    Means(Numbers<2>),
    Ratios(Numbers<VALUES>),
}

/// What is added and multiplied.
pub trait Number: Copy + Default + PartialEq {
    fn wide(self) -> i64;
}

impl Number for u32 {
    #[inline]
    fn wide(self) -> i64 {
        self.into()
    }
}

impl Number for i64 {
    #[inline]
    fn wide(self) -> i64 {
        self
    }
}

impl Column {
    pub fn new(form: Form) -> Column {
        match form {
            Form::Number => Column::Numbers(Narrow::with_capacity(0)),
            Form::Mean => Column::Means(Narrow::with_capacity(0)),
            Form::Ratio => Column::Ratios(Narrow::with_capacity(0)),
        }
    }

    pub fn form(&self) -> Form {
        match self {
            Column::Numbers(_) => Form::Number,
            Column::Means(_) => Form::Mean,
            Column::Ratios(_) => Form::Ratio,
        }
    }

    /// Adds customers' numbers, of which the first are taken.
    #[inline]
    pub fn extend(&mut self, numbers: impl Iterator<Item = Ratio> + Clone) {
        match self {
            Column::Numbers(own) => own.extend(numbers.map(|numbers| [numbers[0]])),
            Column::Means(own) => own.extend(numbers.map(|numbers| [numbers[0], numbers[1]])),
            Column::Ratios(own) => own.extend(numbers),
        }
    }

    /// Adds those at some places of numbers that others have too; 0 where there is none.
    #[inline]
    pub fn extend_at(&mut self, numbers: &Numbers<1>, places: impl Iterator<Item = usize>) {
        if let Column::Numbers(own) = self {
            own.extend_at(numbers, places, [0]);
        }
    }

    /// Forgets all customers.
    pub fn clear(&mut self) {
        match self {
            Column::Numbers(own) => own.clear(),
            Column::Means(own) => own.clear(),
            Column::Ratios(own) => own.clear(),
        }
    }

    /// No less than the sum of the squares of all numbers, and little more.
    pub fn squares(&self) -> u128 {
        fn of<const V: usize>(numbers: &Numbers<V>) -> u128 {
            match numbers {
                Narrow::Short(own) => short_squares(own.as_flattened()),
                Narrow::Wide(own) => squares(own.as_flattened()),
            }
        }
        match self {
            Column::Numbers(own) => of(own),
            Column::Means(own) => of(own),
            Column::Ratios(own) => of(own),
        }
    }
}

fn short_squares(numbers: &[u32]) -> u128 {
    // Counts and flags, which are most, are not worth a look at each.
    let bits = numbers.iter().fold(0, |bits, number| bits | number);
    if let Ok(bits) = u16::try_from(bits) {
        return numbers.len() as u128 * u128::from(bits).pow(2);
    }
    let (mut high, mut low) = (0u64, 0u64);
    for number in numbers {
        let square = u64::from(*number).wrapping_mul(u64::from(*number));
        high = high.wrapping_add(square >> 32);
        low = low.wrapping_add(square & u64::from(u32::MAX));
    }
    (u128::from(high) << 32) + u128::from(low)
}

/// The sum of the squares of numbers.
fn squares(numbers: &[i64]) -> u128 {
    let square = |number: &i64| u128::from(number.unsigned_abs()).pow(2);
    numbers.iter().fold(0, |sum: u128, number| sum.saturating_add(square(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let sum: u128 = numbers.iter().map(|n| (i128::from(*n) * i128::from(*n)) as u128).sum();
            let said = column.squares();
            assert!(said >= sum && (said == sum || !is_exact), "{said} {sum}");
        }
    }
}
