//! What rounding rows to minor units does to the total of a file.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use serde::{Deserialize, Serialize};

use super::decode::Integers;
use crate::domain::{divide_half_even, pow10};

/// Digits behind those of the money scale that are looked at.
const FURTHER: u32 = 4;

/// The largest scale of a job.
const MAX_SCALE: u32 = 6;

/// By how much the total of rows that are rounded to a scale exceeds that of all digits, by scale; in units of the digits that are
/// looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rounding([i128; MAX_SCALE as usize + 1]);

/// What a job should know of the rounding of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTotal {
    /// By how much rounding moved the total, in units of `scale + 4` digits.
    pub moved: i128,
    /// The least scale that would move it by one minor unit at most, if there is one.
    pub keeping_scale: Option<u32>,
}

impl Rounding {
    /// Adds the rounding of other rows.
    pub fn merge(&mut self, other: &Rounding) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, more)| *sum += more);
    }

    /// Whether rounding moved nothing at any scale.
    pub fn is_zero(&self) -> bool {
        *self == Rounding::default()
    }

    /// The total that rounding to a scale moved, if by more than one minor unit.
    pub fn moved(&self, scale: u32) -> Option<MovedTotal> {
        let unit = pow10(FURTHER)?;
        let moved = *self.0.get(scale as usize)?;
        let keeping_scale = scales(scale).skip(1).find(|scale| self.0[*scale as usize].abs() <= unit);
        (moved.abs() > unit).then_some(MovedTotal { moved, keeping_scale })
    }

    /// Adds the rows of a batch whose money is a float or a product of columns; `is_turned` says whose sign was changed.
    pub(crate) fn add(&mut self, columns: &[&ArrayRef], scale: u32, money: &Integers, is_turned: impl Fn(usize) -> bool) {
        match columns {
            [column] => {
                let floats: Cow<'_, [f64]> = match column.data_type() {
                    DataType::Float32 => column.as_primitive::<Float32Type>().values().iter().map(|x| f64::from(*x)).collect(),
                    DataType::Float64 => Cow::Borrowed(column.as_primitive::<Float64Type>().values()),
                    _ => return,
                };
                self.add_floats(&floats, scale, money, is_turned);
            }
            _ => self.add_products(scale, money, is_turned),
        }
    }

    fn add_floats(&mut self, floats: &[f64], scale: u32, money: &Integers, is_turned: impl Fn(usize) -> bool) {
        let power = |digits: u32| 10f64.powi(digits as i32);
        let unit = power(scale);
        // Adding this leaves no room for digits behind the point, of anything below a third of it.
        const ROUNDER: f64 = (3u64 << 51) as f64;
        // Amounts of whole minor units, as most are, differ from them by what a double cannot hold.
        let rest = |x: &f64| (x * unit - (x * unit + ROUNDER - ROUNDER)).abs() > 1e-4 + (x * unit).abs() * 4e-16;
        if !floats.iter().fold(false, |any, x| any | rest(x)) {
            return;
        }
        for (row, x) in rows_without_problems(money, floats) {
            let exact = (x * power(scale + FURTHER)).round_ties_even() as i128;
            self.add_row(scale, exact, is_turned(row), |to| Some((x * power(to)).round_ties_even() as i128));
        }
    }

    fn add_products(&mut self, scale: u32, money: &Integers, is_turned: impl Fn(usize) -> bool) {
        let Some((digits, products)) = &money.products else { return };
        let at = |product: i128, scale: u32| match digits.checked_sub(scale) {
            Some(more) => pow10(more).map(|power| divide_half_even(product, power)),
            None => pow10(scale - digits).and_then(|power| product.checked_mul(power)),
        };
        for (row, product) in rows_without_problems(money, products) {
            let Some((product, exact)) = product.and_then(|product| Some((product, at(product, scale + FURTHER)?))) else {
                continue;
            };
            self.add_row(scale, exact, is_turned(row), |to| at(product, to));
        }
    }

    /// Adds a row by its money with all digits that are looked at, and rounded to each scale.
    fn add_row(&mut self, scale: u32, exact: i128, is_turned: bool, rounded: impl Fn(u32) -> Option<i128>) {
        for to in scales(scale) {
            let units = pow10(scale + FURTHER - to).zip(rounded(to)).and_then(|(power, money)| money.checked_mul(power));
            let moved = units.map_or(0, |units| units - exact);
            self.0[to as usize] += if is_turned { -moved } else { moved };
        }
    }
}

/// The scales from that of a job on.
fn scales(scale: u32) -> std::ops::RangeInclusive<u32> {
    scale..=MAX_SCALE.min(scale + FURTHER)
}

/// The rows whose money could be decoded.
fn rows_without_problems<'a, T: Copy>(money: &'a Integers, values: &'a [T]) -> impl Iterator<Item = (usize, T)> + 'a {
    let mut problems = money.problems.iter().map(|(row, _)| *row).peekable();
    values.iter().copied().enumerate().filter(move |(row, _)| problems.next_if_eq(row).is_none())
}
