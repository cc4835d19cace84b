//! Columns of integers to be summed. Values are `u32` until one does not fit: most columns stay narrow, so that more of them
//! stay in the caches and a product takes one instruction.

use serde::{Deserialize, Serialize};

use crate::domain::CompactInts;
use crate::stats::VALUES;

/// A value of two integers.
pub type Pair = [i64; 2];

/// A value of four integers.
pub type Quadruple = [i64; VALUES];

/// Values of `V` integers each.
pub type Tuples<const V: usize> = CompactInts<[u32; V]>;

/// How many integers one value has. The integers of a value are summed together, with their products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arity {
    One = 1,
    Two = 2,
    Four = 4,
}

impl Arity {
    /// The number of integers.
    pub const fn len(self) -> usize {
        self as usize
    }
}

/// One value per row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Column {
    /// Values of one integer.
    One(Tuples<1>),
    /// Values of two.
    Two(Tuples<2>),
    /// Values of four.
    Four(Tuples<VALUES>),
}

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

    /// The values, with zeros for the integers that they do not have.
    pub fn quadruples(&self) -> impl Iterator<Item = Quadruple> + '_ {
        (0..self.len()).map(|row| self.quadruple(row))
    }

    fn len(&self) -> usize {
        match self {
            Column::One(values) => values.len(),
            Column::Two(values) => values.len(),
            Column::Four(values) => values.len(),
        }
    }

    /// The value of a row, with zeros for the integers that it does not have.
    pub fn quadruple(&self, row: usize) -> Quadruple {
        match self {
            Column::One(values) => [values.at(row)[0], 0, 0, 0],
            Column::Two(values) => [values.at(row)[0], values.at(row)[1], 0, 0],
            Column::Four(values) => values.at(row),
        }
    }

    /// Appends values, of which the first integers are taken, as many as the column has.
    #[inline]
    pub fn extend(&mut self, values: impl Iterator<Item = Quadruple> + Clone) {
        match self {
            Column::One(column) => column.extend(values.map(|value| [value[0]])),
            Column::Two(column) => column.extend(values.map(|value| [value[0], value[1]])),
            Column::Four(column) => column.extend(values),
        }
    }

    /// Appends the value at every index to a column of single integers; 0 for an index past the end.
    #[inline]
    pub fn gather(&mut self, values: &Tuples<1>, indices: impl Iterator<Item = usize>) {
        if let Column::One(column) = self {
            column.gather(values, indices, [0]);
        }
    }

    /// Removes all rows.
    pub fn clear(&mut self) {
        match self {
            Column::One(column) => column.clear(),
            Column::Two(column) => column.clear(),
            Column::Four(column) => column.clear(),
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
            Column::One(values) => of(values),
            Column::Two(values) => of(values),
            Column::Four(values) => of(values),
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
        fn each<N: Copy + Default + PartialEq, const V: usize>(nonzero: &mut [bool], values: &[[N; V]]) {
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
