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
    /// Ratios, or integers whose bounds 64 bits do not hold.
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
