//! Columns of integers to be summed. Values are `u32` until one does not fit: most columns stay narrow, so that more of them
//! stay in the caches and a product takes one instruction.

use crate::domain::CompactInts;
use crate::stats::VALUES;

/// A value of two integers.
pub type Pair = [i64; 2];

/// A value of four integers.
pub type Quadruple = [i64; VALUES];

/// Values of `V` integers each.
pub type Tuples<const V: usize> = CompactInts<[u32; V]>;

/// How many integers one value has. The integers of a value are summed together, with their products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// One, summed without a partner.
    One,
    /// Two.
    Two,
    /// Four.
    Four,
}

/// One value per row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// Values of one integer.
    One(Tuples<1>),
    /// Values of two.
    Two(Tuples<2>),
    /// Values of four.
    Four(Tuples<VALUES>),
}

/// An integer in a column.
pub trait Number: Copy + Default + PartialEq + Into<i64> {}

impl Number for u32 {}

impl Number for i64 {}

impl Column {
    /// An empty column.
    pub fn new(arity: Arity) -> Column {
        match arity {
            Arity::One => Column::One(CompactInts::with_capacity(0)),
            Arity::Two => Column::Two(CompactInts::with_capacity(0)),
            Arity::Four => Column::Four(CompactInts::with_capacity(0)),
        }
    }

    /// How many integers a value has.
    pub fn arity(&self) -> Arity {
        match self {
            Column::One(_) => Arity::One,
            Column::Two(_) => Arity::Two,
            Column::Four(_) => Arity::Four,
        }
    }

    /// Appends values, of which the first integers are taken, as many as the column has.
    #[inline]
    pub fn extend(&mut self, values: impl Iterator<Item = Quadruple> + Clone) {
        match self {
            Column::One(own) => own.extend(values.map(|value| [value[0]])),
            Column::Two(own) => own.extend(values.map(|value| [value[0], value[1]])),
            Column::Four(own) => own.extend(values),
        }
    }

    /// Appends the value at every index to a column of single integers; 0 for an index past the end.
    #[inline]
    pub fn gather(&mut self, values: &Tuples<1>, indices: impl Iterator<Item = usize>) {
        if let Column::One(own) = self {
            own.gather(values, indices, [0]);
        }
    }

    /// Removes all rows.
    pub fn clear(&mut self) {
        match self {
            Column::One(own) => own.clear(),
            Column::Two(own) => own.clear(),
            Column::Four(own) => own.clear(),
        }
    }

    /// An upper bound of the sum of the squares of all integers, and little more than that sum.
    pub fn squares(&self) -> u128 {
        fn of<const V: usize>(tuples: &Tuples<V>) -> u128 {
            match tuples {
                CompactInts::Narrow(values) => narrow_squares(values.as_flattened()),
                CompactInts::Wide(values) => wide_squares(values.as_flattened()),
            }
        }
        match self {
            Column::One(own) => of(own),
            Column::Two(own) => of(own),
            Column::Four(own) => of(own),
        }
    }
}

fn narrow_squares(numbers: &[u32]) -> u128 {
    // Most columns are counts and flags, for which the coarse bound is good enough.
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

fn wide_squares(numbers: &[i64]) -> u128 {
    let square = |number: &i64| u128::from(number.unsigned_abs()).pow(2);
    numbers.iter().fold(0, |sum: u128, number| sum.saturating_add(square(number)))
}

/// Sets `nonzero` to a mask of `rows` rows: whether any value of two or four integers is not zero. Most customers buy nothing
/// in most periods, and zeros add nothing to sums.
pub fn mark_nonzero(columns: &[Column], rows: usize, nonzero: &mut Vec<bool>) {
    fn mark<const V: usize>(nonzero: &mut [bool], tuples: &Tuples<V>) {
        fn each<N: Number, const V: usize>(nonzero: &mut [bool], values: &[[N; V]]) {
            nonzero.iter_mut().zip(values).for_each(|(flag, value)| *flag |= *value != [N::default(); V]);
        }
        match tuples {
            CompactInts::Narrow(values) => each(nonzero, values),
            CompactInts::Wide(values) => each(nonzero, values),
        }
    }
    nonzero.clear();
    nonzero.resize(rows, false);
    for column in columns {
        match column {
            Column::One(_) => {}
            Column::Two(tuples) => mark(nonzero, tuples),
            Column::Four(tuples) => mark(nonzero, tuples),
        }
    }
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
            let mut column = Column::new(Arity::One);
            column.extend(numbers.iter().map(|number| [*number, 0, 0, 0]));
            let sum: u128 = numbers.iter().map(|n| (i128::from(*n) * i128::from(*n)) as u128).sum();
            let said = column.squares();
            assert!(said >= sum && (said == sum || !is_exact), "{said} {sum}");
        }
    }
}
