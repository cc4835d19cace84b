//! The values of one measure.

use std::ops::Range;

use crate::domain::Unit;

/// Null in an [`Column::Int`].
pub const NULL_INT: i32 = i32::MIN;
/// Null in a [`Column::Long`].
pub const NULL_LONG: i64 = i64::MIN;

/// A value of a column of 32 bits in one of 64.
#[inline]
pub fn widened(value: i32) -> i64 {
    if value == NULL_INT { NULL_LONG } else { value.into() }
}

/// Writes values of a column of 64 bits into one of 32; says whether all fit.
fn narrow(to: &mut [i32], from: &[i64]) -> bool {
    // Values that fit have no bits above the lower 32 after the least is subtracted. Nulls, and values that look like null,
    // take a second pass, so that this loop is short and vectorised.
    let (mut above, mut is_null) = (0, false);
    for (to, value) in to.iter_mut().zip(from) {
        above |= value.wrapping_sub(NULL_INT.into()) as u64;
        *to = *value as i32;
        is_null |= *to == NULL_INT;
    }
    if above >> 32 == 0 && !is_null {
        return true;
    }
    let fits = |value: i64| (value > NULL_INT.into() && value <= i32::MAX.into()) || value == NULL_LONG;
    to.iter_mut().zip(from).for_each(|(to, value)| *to = if *value == NULL_LONG { NULL_INT } else { *value as i32 });
    from.iter().all(|value| fits(*value))
}

/// The values of one measure; a text is its number in the order of all texts.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Days, dates and numbers of texts, and in a panel counts and money that fit; [`NULL_INT`] is null.
    Int(Vec<i32>),
    /// Counts and money; [`NULL_LONG`] is null.
    Long(Vec<i64>),
    /// Ratios of integers; a denominator of zero is null.
    Ratio(Vec<(i64, i64)>),
    /// Floating-point numbers; NaN is null.
    Double(Vec<f64>),
}

impl Column {
    /// A column of zeros, or of nulls for ratios and floating-point numbers.
    pub fn new(unit: Unit, len: usize) -> Column {
        match unit {
            Unit::Date | Unit::Days | Unit::Text => Column::Int(vec![0; len]),
            Unit::Count | Unit::Money | Unit::Average | Unit::Decimal(..) => Column::Long(vec![0; len]),
            Unit::Ratio => Column::Ratio(vec![(0, 0); len]),
            Unit::Double => Column::Double(vec![f64::NAN; len]),
        }
    }

    /// How many values.
    pub fn len(&self) -> usize {
        match self {
            Column::Int(values) => values.len(),
            Column::Long(values) => values.len(),
            Column::Ratio(values) => values.len(),
            Column::Double(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The integer at `row`; `None` if null, or no integer.
    pub fn get(&self, row: usize) -> Option<i64> {
        match self {
            Column::Int(values) => values.get(row).filter(|v| **v != NULL_INT).map(|v| i64::from(*v)),
            Column::Long(values) => values.get(row).filter(|v| **v != NULL_LONG).copied(),
            Column::Ratio(_) | Column::Double(_) => None,
        }
    }

    /// The floating-point number at `row`; `None` if null, or of another type.
    pub fn get_double(&self, row: usize) -> Option<f64> {
        match self {
            Column::Double(values) => values.get(row).filter(|v| !v.is_nan()).copied(),
            _ => None,
        }
    }

    /// Whether there is no value at `row`.
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Column::Double(_) => self.get_double(row).is_none(),
            _ => self.get_ratio(row).is_none(),
        }
    }

    /// Takes the value at `row` away.
    pub fn set_null(&mut self, row: usize) {
        match self {
            Column::Int(values) => values[row] = NULL_INT,
            Column::Long(values) => values[row] = NULL_LONG,
            Column::Ratio(values) => values[row] = (0, 0),
            Column::Double(values) => values[row] = f64::NAN,
        }
    }

    /// Unmarks the cells that hold no integer above zero.
    pub fn keep_positive(&self, cells: Range<usize>, marks: &mut [bool]) {
        match self {
            Column::Int(values) => values[cells].iter().zip(marks).for_each(|(value, mark)| *mark &= *value > 0),
            Column::Long(values) => values[cells].iter().zip(marks).for_each(|(value, mark)| *mark &= *value > 0),
            Column::Ratio(_) | Column::Double(_) => marks.fill(false),
        }
    }

    /// Whether values of this unit are in a column of 64 bits, unless those of a panel fit 32.
    pub fn is_long(unit: Unit) -> bool {
        matches!(Column::new(unit, 0), Column::Long(_))
    }

    /// Copies `count` values of a column of the same type, or of a wider one; widens this column if they do not fit.
    pub(super) fn copy(&mut self, to: usize, other: &Column, from: usize, count: usize) {
        let (to, from) = (to..to + count, from..from + count);
        if let (Column::Int(values), Column::Long(other)) = (&mut *self, other) {
            if narrow(&mut values[to.clone()], &other[from.clone()]) {
                return;
            }
            *self = Column::Long(values.iter().map(|value| widened(*value)).collect());
        }
        match (self, other) {
            (Column::Int(values), Column::Int(other)) => values[to].copy_from_slice(&other[from]),
            (Column::Long(values), Column::Long(other)) => values[to].copy_from_slice(&other[from]),
            (Column::Ratio(values), Column::Ratio(other)) => values[to].copy_from_slice(&other[from]),
            (Column::Double(values), Column::Double(other)) => values[to].copy_from_slice(&other[from]),
            _ => {}
        }
    }

    /// Appends the value at a row of a column of the same type.
    pub fn push_from(&mut self, other: &Column, row: usize) {
        match (self, other) {
            (Column::Int(values), Column::Int(other)) => values.push(other[row]),
            (Column::Long(values), Column::Long(other)) => values.push(other[row]),
            (Column::Ratio(values), Column::Ratio(other)) => values.push(other[row]),
            (Column::Double(values), Column::Double(other)) => values.push(other[row]),
            _ => {}
        }
    }

    /// The values at some rows; null where there is none to take.
    pub fn gather(&self, rows: impl Iterator<Item = Option<usize>>) -> Column {
        match self {
            Column::Int(values) => Column::Int(rows.map(|row| row.map_or(NULL_INT, |r| values[r])).collect()),
            Column::Long(values) => Column::Long(rows.map(|row| row.map_or(NULL_LONG, |r| values[r])).collect()),
            Column::Ratio(values) => Column::Ratio(rows.map(|row| row.map_or((0, 0), |r| values[r])).collect()),
            Column::Double(values) => Column::Double(rows.map(|row| row.map_or(f64::NAN, |r| values[r])).collect()),
        }
    }

    /// The ratio at `row` (an integer is over 1); `None` if null.
    pub fn get_ratio(&self, row: usize) -> Option<(i64, i64)> {
        match self {
            Column::Ratio(values) => values.get(row).filter(|v| v.1 != 0).copied(),
            _ => self.get(row).map(|v| (v, 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts and money stay in 32 bits until one of them needs more; then none is lost, and null stays null.
    #[test]
    fn a_narrow_column_is_widened_by_what_does_not_fit() {
        let mut column = Column::Int(vec![0; 4]);
        column.copy(0, &Column::Long(vec![9, -7, NULL_LONG, i64::from(i32::MAX)]), 0, 4);
        assert_eq!(column, Column::Int(vec![9, -7, NULL_INT, i32::MAX]));
        for wide in [i64::from(i32::MAX) + 1, i64::from(NULL_INT), 1 << 40, i64::MIN + 1] {
            let mut column = column.clone();
            column.copy(1, &Column::Long(vec![3, wide, 5]), 1, 2);
            assert_eq!(column, Column::Long(vec![9, wide, 5, i64::from(i32::MAX)]));
            column.copy(0, &Column::Long(vec![4]), 0, 1);
            assert_eq!(column.get(0), Some(4));
        }
        let mut column = column.clone();
        column.copy(0, &Column::Long(vec![1 << 40]), 0, 1);
        assert_eq!(column, Column::Long(vec![1 << 40, -7, NULL_LONG, i64::from(i32::MAX)]));
    }
}
