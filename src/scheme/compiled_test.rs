//! Tests of measures, ready to be evaluated over columns.

use std::cmp::Ordering;

use super::condition::Test;
use super::units::unit_scale;
use crate::domain::{Decimal, Unit, pow10};
use crate::measure::Column;

/// A test of the measure in one column.
#[derive(Debug, Clone, Copy)]
pub enum CompiledTest {
    /// Null.
    Null {
        /// Index of the column.
        column: usize,
    },
    /// Integers from `low` to `high`.
    Integers {
        /// Index of the column.
        column: usize,
        /// Lower end.
        low: i64,
        /// Upper end.
        high: i64,
    },
    /// Floating-point numbers from `low` to `high`.
    Doubles {
        /// Index of the column.
        column: usize,
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// Ratios, or integers whose bounds are too large for [`Test::integers`].
    Exact {
        /// Index of the column.
        column: usize,
        /// The range.
        test: Test,
        /// What the column's integers count 1 as.
        unit: i128,
    },
}

impl CompiledTest {
    /// Compiles a test of the measure in `column`, which has this unit.
    pub fn new(test: &Test, column: usize, unit: Unit, money_scale: u32) -> CompiledTest {
        let scale = unit_scale(unit, money_scale);
        match (test, unit) {
            (Test::IsNull, _) => CompiledTest::Null { column },
            (Test::Range { .. }, Unit::Double) => {
                let (low, high) = test.doubles().unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
                CompiledTest::Doubles { column, low, high }
            }
            (Test::Range { .. }, Unit::Ratio) => CompiledTest::Exact { column, test: *test, unit: 1 },
            (Test::Range { .. }, _) => match test.integers(scale) {
                Some((low, high)) => CompiledTest::Integers { column, low, high },
                None => CompiledTest::Exact { column, test: *test, unit: pow10(scale).unwrap_or(1) },
            },
        }
    }

    /// Whether the value in a row passes.
    #[inline]
    pub fn passes(&self, columns: &[Column], row: usize) -> bool {
        match *self {
            CompiledTest::Null { column } => columns[column].is_null(row),
            CompiledTest::Integers { column, low, high } => columns[column].get(row).is_some_and(|v| low <= v && v <= high),
            CompiledTest::Doubles { column, low, high } => columns[column].get_double(row).is_some_and(|v| low <= v && v <= high),
            CompiledTest::Exact { column, test, unit } => columns[column]
                .get_ratio(row)
                .is_some_and(|(n, d)| test.admits(|bound| Some(compare(n.into(), i128::from(d) * unit, bound)))),
        }
    }
}

/// Compares `n / d` (`d > 0`) with a bound by cross-multiplication.
fn compare(n: i128, d: i128, bound: Decimal) -> Ordering {
    let left = 10i128.checked_pow(bound.scale).and_then(|p| p.checked_mul(n));
    let right = bound.digits.checked_mul(d);
    match (left, right) {
        (Some(left), Some(right)) => left.cmp(&right),
        // Bounds of more than 19 digits: doubles are near enough to tell such sizes apart.
        _ => (n as f64 / d as f64).total_cmp(&(bound.digits as f64 / 10f64.powi(bound.scale as i32))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::NULL_LONG;
    use crate::scheme::condition::End;

    fn passing(low: End, high: End, column: Column, unit: Unit) -> Vec<bool> {
        let test = CompiledTest::new(&Test::Range { low, high }, 0, unit, 2);
        let rows = column.len();
        let columns = [column];
        (0..rows).map(|row| test.passes(&columns, row)).collect()
    }

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect("a number")
    }

    #[test]
    fn bounds_belong_to_a_range_unless_they_are_strict() {
        let money = || Column::Long(vec![1999, 2000, 2001, NULL_LONG]);
        let twenty = decimal("20");
        assert_eq!(passing(End::Closed(twenty), End::Open, money(), Unit::Money), [false, true, true, false]);
        assert_eq!(passing(End::Strict(twenty), End::Open, money(), Unit::Money), [false, false, true, false]);
        assert_eq!(passing(End::Open, End::Strict(twenty), money(), Unit::Money), [true, false, false, false]);
        let ratios = Column::Ratio(vec![(1, 3), (1, 2), (2, 3), (0, 0)]);
        assert_eq!(passing(End::Open, End::Closed(decimal("0.5")), ratios, Unit::Ratio), [true, true, false, false]);
    }

    #[test]
    fn bounds_beyond_128_bits_are_compared_all_the_same() {
        let money = || Column::Long(vec![i64::MIN + 1, i64::MAX, NULL_LONG]);
        let large = decimal("100000000e30");
        assert_eq!(passing(End::Closed(large), End::Open, money(), Unit::Money), [false, false, false]);
        assert_eq!(passing(End::Open, End::Closed(large), money(), Unit::Money), [true, true, false]);
    }
}
