//! From Arrow columns to the integers of a record: ids, dates, money, flags.

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, Decimal64Type, Decimal128Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::zone::{Zone, day_of};
use crate::domain::{CustomerIds, Day, divide_half_even, pow10};
use crate::error::{Error, Result};

/// Why a value cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Null.
    Null,
    /// NaN or infinite.
    NonFinite,
    /// A date outside the years 1 to 9999.
    OutOfRange,
    /// Digits beyond the money scale; the value is rounded.
    Finer,
    /// Money beyond 64 bits of minor units.
    Overflow,
}

/// The integers of a column, and the problems with some of them.
#[derive(Debug, Default)]
pub(crate) struct Integers {
    pub values: Vec<i64>,
    /// Row and problem, ascending by row; at most one per row.
    pub problems: Vec<(usize, Problem)>,
    /// The digits of products of columns before they are rounded, and the products, if rounding changed one.
    pub products: Option<(u32, Vec<Option<i128>>)>,
}

impl Integers {
    fn clear(&mut self) {
        self.values.clear();
        self.problems.clear();
        self.products = None;
    }

    /// Notes the nulls of a column, whose values are garbage, as problems with value 0.
    fn take_nulls(&mut self, column: &ArrayRef) {
        let Some(nulls) = column.logical_nulls().filter(|n| n.null_count() > 0) else { return };
        let mut found = Vec::with_capacity(nulls.null_count());
        for row in 0..column.len() {
            if nulls.is_null(row) {
                found.push((row, Problem::Null));
                if let Some(value) = self.values.get_mut(row) {
                    *value = 0;
                }
            }
        }
        // The garbage at a null may have been another problem.
        self.problems.retain(|(row, _)| !nulls.is_null(*row));
        self.problems.extend(found);
        self.problems.sort_unstable_by_key(|(row, _)| *row);
    }
}

fn values<T: ArrowPrimitiveType>(column: &ArrayRef) -> &[T::Native] {
    column.as_primitive::<T>().values()
}

/// Extends `$out` by the values of an integer column as `i64` (of `UInt64` as keys); evaluates `$other` for other types.
macro_rules! integers {
    ($column:expr, $out:expr, $other:expr) => {
        match $column.data_type() {
            DataType::Int8 => $out.extend(values::<Int8Type>($column).iter().map(|v| i64::from(*v))),
            DataType::Int16 => $out.extend(values::<Int16Type>($column).iter().map(|v| i64::from(*v))),
            DataType::Int32 => $out.extend(values::<Int32Type>($column).iter().map(|v| i64::from(*v))),
            DataType::Int64 => $out.extend_from_slice(values::<Int64Type>($column)),
            DataType::UInt8 => $out.extend(values::<UInt8Type>($column).iter().map(|v| i64::from(*v))),
            DataType::UInt16 => $out.extend(values::<UInt16Type>($column).iter().map(|v| i64::from(*v))),
            DataType::UInt32 => $out.extend(values::<UInt32Type>($column).iter().map(|v| i64::from(*v))),
            DataType::UInt64 => $out.extend(values::<UInt64Type>($column).iter().map(|v| CustomerIds::key_of_unsigned(*v))),
            _ => $other,
        }
    };
}

/// Ordered keys of integer ids. The keys at nulls are arbitrary: the column says where they are.
///
/// # Errors
/// What `too_wide` makes of the first row whose id, a decimal, is beyond 64 bits, and of that id.
pub(crate) fn keys(column: &ArrayRef, out: &mut Vec<i64>, too_wide: impl FnOnce(usize, i128) -> Error) -> Result<()> {
    out.clear();
    match column.data_type() {
        DataType::Decimal64(_, 0) => out.extend_from_slice(values::<Decimal64Type>(column)),
        DataType::Decimal128(_, 0) => {
            let digits = column.as_primitive::<Decimal128Type>();
            let mut ids = digits.iter().enumerate().filter_map(|(row, id)| Some((row, id?)));
            if let Some((row, id)) = ids.find(|(_, id)| i64::try_from(*id).is_err()) {
                return Err(too_wide(row, id));
            }
            out.extend(digits.values().iter().map(|id| *id as i64));
        }
        _ => integers!(column, out, return Err(Error::bug(format!("integer ids of type {}", column.data_type())))),
    }
    Ok(())
}

/// The keys of integer ids without a copy, if the column stores them as such.
pub(crate) fn keys_in(column: &ArrayRef) -> Option<&[i64]> {
    column.as_primitive_opt::<Int64Type>().map(|column| &**column.values())
}

/// The keys of integer ids: borrowed from the column if it stores them as such, else decoded into `out`.
///
/// # Errors
/// As [`keys`].
pub(crate) fn lent_keys<'a>(
    column: &'a ArrayRef,
    out: &'a mut Vec<i64>,
    too_wide: impl FnOnce(usize, i128) -> Error,
) -> Result<&'a [i64]> {
    match keys_in(column) {
        Some(keys) => Ok(keys),
        None => keys(column, out, too_wide).map(|()| out.as_slice()),
    }
}

/// What errors say of an id beyond 64 bits.
pub(crate) const EXPECTED_ID: &str =
    "expected an integer of at most 64 bits. Write such ids as strings, in every table that has them";

/// A column as strings.
pub(crate) fn texts(column: &ArrayRef) -> Result<&StringViewArray> {
    column.as_any().downcast_ref::<StringViewArray>().ok_or_else(|| Error::bug(format!("strings of type {}", column.data_type())))
}

/// Business dates in days since 1970.
pub(crate) fn dates(column: &ArrayRef, zone: &Zone, naive: Option<&Zone>, out: &mut Integers) -> Result<()> {
    out.clear();
    let days = &mut out.values;
    match column.data_type() {
        DataType::Date32 => days.extend(values::<Date32Type>(column).iter().map(|d| i64::from(*d))),
        DataType::Date64 => days.extend(values::<Date64Type>(column).iter().map(|ms| ms.div_euclid(86_400_000))),
        DataType::Timestamp(unit, zoned) => {
            let (ticks, per_second) = match unit {
                TimeUnit::Second => (values::<TimestampSecondType>(column), 1),
                TimeUnit::Millisecond => (values::<TimestampMillisecondType>(column), 1_000),
                TimeUnit::Microsecond => (values::<TimestampMicrosecondType>(column), 1_000_000),
                TimeUnit::Nanosecond => (values::<TimestampNanosecondType>(column), 1_000_000_000),
            };
            let seconds = ticks.iter().map(|t: &i64| t.div_euclid(per_second));
            match (zoned.is_some(), naive) {
                (true, _) if zone.is_utc() => days.extend(seconds.map(|s| i64::from(day_of(s).0))),
                (true, _) => days.extend(seconds.map(|s| i64::from(zone.date(s).0))),
                (false, None) => days.extend(seconds.map(|s| i64::from(day_of(s).0))),
                (false, Some(naive)) => days.extend(seconds.map(|s| i64::from(zone.date(naive.instant(s)).0))),
            }
        }
        other => return Err(Error::bug(format!("dates of type {other}"))),
    }
    let valid = i64::from(Day::MIN.0)..=i64::from(Day::MAX.0);
    if out.values.iter().any(|d| !valid.contains(d)) {
        for (row, day) in out.values.iter_mut().enumerate() {
            if !valid.contains(day) {
                out.problems.push((row, Problem::OutOfRange));
                *day = 0;
            }
        }
    }
    out.take_nulls(column);
    Ok(())
}

/// Timestamps in microseconds since 1970, of instants or of a clock without a zone; dates are 0, since they have no time. Values at
/// nulls are arbitrary.
pub(crate) fn microseconds(column: &ArrayRef) -> Vec<i64> {
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            values::<TimestampSecondType>(column).iter().map(|t| t.saturating_mul(1_000_000)).collect()
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            values::<TimestampMillisecondType>(column).iter().map(|t| t.saturating_mul(1_000)).collect()
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => values::<TimestampMicrosecondType>(column).to_vec(),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            values::<TimestampNanosecondType>(column).iter().map(|t| t.div_euclid(1_000)).collect()
        }
        _ => vec![0; column.len()],
    }
}

/// Business dates in days since 1970 without a copy, if the column stores them as such and all are valid.
pub(crate) fn days_in(column: &ArrayRef) -> Option<&[i32]> {
    let days = column.as_primitive_opt::<Date32Type>().filter(|days| days.null_count() == 0)?.values();
    // A fold without branches.
    let are_days = days.iter().fold(true, |are_days, day| are_days & (Day::MIN.0..=Day::MAX.0).contains(day));
    are_days.then_some(days)
}

/// Money in minor units at `scale`: one column, or the product of several.
pub(crate) fn money(columns: &[&ArrayRef], scale: u32, out: &mut Integers) -> Result<()> {
    out.clear();
    match columns {
        [column] => single(column, scale, out)?,
        factors => product(factors, scale, out)?,
    }
    for column in columns {
        out.take_nulls(column);
        out.problems.dedup_by_key(|(row, _)| *row);
    }
    Ok(())
}

fn single(column: &ArrayRef, scale: u32, out: &mut Integers) -> Result<()> {
    let unit = pow10(scale).ok_or_else(|| Error::bug("money scale out of range"))?;
    match column.data_type() {
        DataType::Decimal64(_, digits_behind) if i64::from(*digits_behind) == i64::from(scale) => {
            out.values.extend_from_slice(values::<Decimal64Type>(column));
        }
        DataType::Decimal64(_, digits_behind) => {
            let digits_behind = (*digits_behind).max(0) as u32;
            for (row, digits) in values::<Decimal64Type>(column).iter().enumerate() {
                exact(i128::from(*digits), digits_behind, scale, row, out);
            }
        }
        DataType::Decimal128(_, digits_behind) if i64::from(*digits_behind) == i64::from(scale) => {
            let digits = values::<Decimal128Type>(column);
            out.values.extend(digits.iter().map(|d| *d as i64));
            if digits.iter().any(|d| i64::try_from(*d).is_err()) {
                let wide = digits.iter().enumerate().filter(|(_, d)| i64::try_from(**d).is_err());
                out.problems.extend(wide.map(|(row, _)| (row, Problem::Overflow)));
            }
        }
        DataType::Decimal128(_, digits_behind) => {
            let digits_behind = (*digits_behind).max(0) as u32;
            for (row, digits) in values::<Decimal128Type>(column).iter().enumerate() {
                exact(*digits, digits_behind, scale, row, out);
            }
        }
        DataType::Float32 => {
            for (row, x) in values::<Float32Type>(column).iter().enumerate() {
                float(f64::from(*x), unit as f64, row, out);
            }
        }
        DataType::Float64 => {
            for (row, x) in values::<Float64Type>(column).iter().enumerate() {
                float(*x, unit as f64, row, out);
            }
        }
        _ => {
            for (row, digits) in whole(column)?.into_iter().enumerate() {
                exact(digits, 0, scale, row, out);
            }
        }
    }
    Ok(())
}

/// Integers as they are, unsigned ones included.
fn whole(column: &ArrayRef) -> Result<Vec<i128>> {
    if *column.data_type() == DataType::UInt64 {
        return Ok(values::<UInt64Type>(column).iter().map(|v| i128::from(*v)).collect());
    }
    let mut out: Vec<i64> = Vec::with_capacity(column.len());
    integers!(column, out, return Err(Error::bug(format!("money of type {}", column.data_type()))));
    Ok(out.into_iter().map(i128::from).collect())
}

/// Appends a decimal with `digits_behind` digits behind the point at the money scale.
fn exact(digits: i128, digits_behind: u32, scale: u32, row: usize, out: &mut Integers) {
    let (value, finer) = if digits_behind <= scale {
        (pow10(scale - digits_behind).and_then(|p| digits.checked_mul(p)), false)
    } else {
        match pow10(digits_behind - scale) {
            Some(p) => (Some(divide_half_even(digits, p)), digits % p != 0),
            None => (Some(0), digits != 0),
        }
    };
    match value.and_then(|v| i64::try_from(v).ok()) {
        Some(value) => {
            out.values.push(value);
            if finer {
                out.problems.push((row, Problem::Finer));
            }
        }
        None => {
            out.values.push(0);
            out.problems.push((row, Problem::Overflow));
        }
    }
}

/// A float times the unit, rounded half to even.
fn float(x: f64, unit: f64, row: usize, out: &mut Integers) {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let scaled = (x * unit).round_ties_even();
    if scaled.abs() < LIMIT {
        out.values.push(scaled as i64);
    } else {
        out.values.push(0);
        out.problems.push((row, if x.is_finite() { Problem::Overflow } else { Problem::NonFinite }));
    }
}

/// The product of columns: integers and decimals enter with all digits, floats with four digits more than the money
/// scale, and only the product is rounded.
fn product(factors: &[&ArrayRef], scale: u32, out: &mut Integers) -> Result<()> {
    let rows = factors.first().map_or(0, |f| f.len());
    let mut products: Vec<Option<i128>> = vec![Some(1); rows];
    let mut non_finite: Vec<usize> = Vec::new();
    let mut all_digits = 0u32;
    for factor in factors {
        let (values_of_factor, digits): (Vec<i128>, u32) = match factor.data_type() {
            DataType::Decimal64(_, digits) => {
                (values::<Decimal64Type>(factor).iter().map(|d| i128::from(*d)).collect(), (*digits).max(0) as u32)
            }
            DataType::Decimal128(_, digits) => (values::<Decimal128Type>(factor).to_vec(), (*digits).max(0) as u32),
            DataType::Float32 | DataType::Float64 => {
                let digits = scale + 4;
                let unit = pow10(digits).ok_or_else(|| Error::bug("money scale out of range"))? as f64;
                let floats: Vec<f64> = match factor.data_type() {
                    DataType::Float32 => values::<Float32Type>(factor).iter().map(|x| f64::from(*x)).collect(),
                    _ => values::<Float64Type>(factor).to_vec(),
                };
                non_finite.extend(floats.iter().enumerate().filter(|(_, x)| !x.is_finite()).map(|(row, _)| row));
                // Casts saturate; a saturated factor overflows the product unless another factor is zero.
                (floats.into_iter().map(|x| (x * unit).round_ties_even() as i128).collect(), digits)
            }
            _ => (whole(factor)?, 0),
        };
        for (product, value) in products.iter_mut().zip(values_of_factor) {
            *product = product.and_then(|p| p.checked_mul(value));
        }
        all_digits += digits;
    }
    let (up, down) = (pow10(scale.saturating_sub(all_digits)), pow10(all_digits.saturating_sub(scale)));
    let mut is_rounded = false;
    for (row, product) in products.iter().copied().enumerate() {
        let scaled = product.zip(up).and_then(|(p, up)| p.checked_mul(up)).map(|p| down.map_or(0, |d| divide_half_even(p, d)));
        match scaled.and_then(|v| i64::try_from(v).ok()) {
            Some(value) => {
                is_rounded |= product.zip(down).is_some_and(|(product, down)| product != i128::from(value) * down);
                out.values.push(value);
            }
            None => {
                out.values.push(0);
                out.problems.push((row, Problem::Overflow));
            }
        }
    }
    out.products = (is_rounded && all_digits > scale).then_some((all_digits, products));
    non_finite.sort_unstable();
    non_finite.dedup();
    for row in non_finite {
        out.values[row] = 0;
        out.problems.retain(|(r, _)| *r != row);
        out.problems.push((row, Problem::NonFinite));
    }
    out.problems.sort_unstable_by_key(|(row, _)| *row);
    Ok(())
}

/// Which rows have a discount: a flag, or a number above zero. Null is none.
pub(crate) fn discounted(column: &ArrayRef) -> Result<Vec<bool>> {
    let mut flags: Vec<bool> = match column.data_type() {
        DataType::Boolean => column.as_boolean().values().iter().collect(),
        DataType::Float32 => values::<Float32Type>(column).iter().map(|x| *x > 0.0).collect(),
        DataType::Float64 => values::<Float64Type>(column).iter().map(|x| *x > 0.0).collect(),
        DataType::Decimal64(..) => values::<Decimal64Type>(column).iter().map(|x| *x > 0).collect(),
        DataType::Decimal128(..) => values::<Decimal128Type>(column).iter().map(|x| *x > 0).collect(),
        _ => whole(column)?.into_iter().map(|x| x > 0).collect(),
    };
    if let Some(nulls) = column.logical_nulls() {
        for (flag, valid) in flags.iter_mut().zip(nulls.iter()) {
            *flag &= valid;
        }
    }
    Ok(flags)
}

/// A value as text, for slices and currencies; `None` is null.
pub(crate) fn text_of(column: &ArrayRef, row: usize) -> Result<Option<String>> {
    if column.is_null(row) {
        return Ok(None);
    }
    if let Some(texts) = column.as_any().downcast_ref::<StringViewArray>() {
        return Ok(Some(texts.value(row).to_owned()));
    }
    if *column.data_type() == DataType::Boolean {
        return Ok(Some(column.as_boolean().value(row).to_string()));
    }
    let one = column.slice(row, 1);
    Ok(whole_or_key(&one)?.map(|v| v.to_string()))
}

fn whole_or_key(one: &ArrayRef) -> Result<Option<i128>> {
    Ok(whole(one)?.first().copied())
}
