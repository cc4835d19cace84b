//! Columns of tables that became wider: files that were written before have the narrower type, and are read with the wider one.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array, PrimitiveArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType,
};
use arrow::error::ArrowError;

/// Most digits of decimals that files store as integers of 64 bits.
const MOST_SHORT: u8 = 18;

/// Nanoseconds and microseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;
const DAY_US: i64 = DAY_NS / 1000;

/// The type with which a column of one type is read in a table that gives it another; none if it is read as it is. These are the
/// changes of types that Delta (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md#type-widening>) and Iceberg
/// (<https://iceberg.apache.org/spec/#schema-evolution>) allow.
pub(super) fn wider(file: &DataType, table: &DataType) -> Option<DataType> {
    use DataType::{Date32, Decimal64, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp};
    let decimal = |digits: u8, scale: i8| if digits <= MOST_SHORT { Decimal64(digits, scale) } else { Decimal128(digits, scale) };
    match (file, table) {
        (Int8, Int16 | Int32 | Int64) | (Int16, Int32 | Int64) | (Int32, Int64) | (Float32, Float64) => Some(table.clone()),
        (Int8 | Int16 | Int32, Float64) => Some(table.clone()),
        (Date32, Timestamp(TimeUnit::Microsecond | TimeUnit::Nanosecond, None)) => Some(table.clone()),
        (Int8 | Int16 | Int32 | Int64, Decimal128(digits, scale)) => Some(decimal(*digits, *scale)),
        (Decimal64(digits, scale) | Decimal128(digits, scale), Decimal128(more, behind)) => {
            let is_wider = (digits, scale) != (more, behind) && scale <= behind;
            // As many digits before the point, at least.
            let has_room = i16::from(*more) - i16::from(*behind) >= i16::from(*digits) - i16::from(*scale);
            (is_wider && has_room).then(|| decimal(*more, *behind))
        }
        _ => None,
    }
}

/// A column with the type that [`wider`] gives.
///
/// # Errors
/// If a value does not fit its type, or no such type is given.
pub(super) fn widened(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    use DataType::{Date32, Decimal64, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp};
    Ok(match (column.data_type(), to) {
        (Int8, Int16) => each::<Int8Type, Int16Type>(column),
        (Int8, Int32) => each::<Int8Type, Int32Type>(column),
        (Int8, Int64) => each::<Int8Type, Int64Type>(column),
        (Int8, Float64) => each::<Int8Type, Float64Type>(column),
        (Int16, Int32) => each::<Int16Type, Int32Type>(column),
        (Int16, Int64) => each::<Int16Type, Int64Type>(column),
        (Int16, Float64) => each::<Int16Type, Float64Type>(column),
        (Int32, Int64) => each::<Int32Type, Int64Type>(column),
        (Int32, Float64) => each::<Int32Type, Float64Type>(column),
        (Float32, Float64) => each::<Float32Type, Float64Type>(column),
        (Date32, Timestamp(unit @ (TimeUnit::Microsecond | TimeUnit::Nanosecond), None)) => {
            let day = if *unit == TimeUnit::Nanosecond { DAY_NS } else { DAY_US };
            let instants = column.as_primitive::<Date32Type>().try_unary::<_, Int64Type, _>(|days| {
                let instant = i64::from(days).checked_mul(day);
                instant.ok_or_else(|| ArrowError::ComputeError(format!("the day {days} since 1970 is beyond those of {to}")))
            })?;
            match unit {
                TimeUnit::Nanosecond => Arc::new(instants.reinterpret_cast::<TimestampNanosecondType>()),
                _ => Arc::new(instants.reinterpret_cast::<TimestampMicrosecondType>()),
            }
        }
        (Decimal64(..), Decimal64(digits, scale)) if is_scale_of(column, *scale) => {
            Arc::new(column.as_primitive::<Decimal64Type>().clone().with_precision_and_scale(*digits, *scale)?)
        }
        (Decimal64(..), Decimal128(digits, scale)) if is_scale_of(column, *scale) => {
            let wide: Decimal128Array = column.as_primitive::<Decimal64Type>().unary(i128::from);
            Arc::new(wide.with_precision_and_scale(*digits, *scale)?)
        }
        (Decimal128(..), Decimal64(digits, scale)) if is_scale_of(column, *scale) => {
            let short = column.as_primitive::<Decimal128Type>().try_unary::<_, Decimal64Type, _>(|value| {
                i64::try_from(value).map_err(|_| ArrowError::ComputeError(format!("{value} has too many digits")))
            })?;
            Arc::new(short.with_precision_and_scale(*digits, *scale)?)
        }
        (Decimal128(..), Decimal128(digits, scale)) if is_scale_of(column, *scale) => {
            Arc::new(column.as_primitive::<Decimal128Type>().clone().with_precision_and_scale(*digits, *scale)?)
        }
        (Int8 | Int16 | Int32 | Int64 | Decimal64(..) | Decimal128(..), Decimal64(..) | Decimal128(..)) => {
            cast_with_options(column, to, &CastOptions { safe: false, ..CastOptions::default() })?
        }
        (from, to) => return Err(ArrowError::CastError(format!("{from} does not widen to {to}"))),
    })
}

/// Whether a column of decimals has this many digits behind the point.
fn is_scale_of(column: &ArrayRef, scale: i8) -> bool {
    matches!(column.data_type(), DataType::Decimal64(_, own) | DataType::Decimal128(_, own) if *own == scale)
}

fn each<From: ArrowPrimitiveType, To: ArrowPrimitiveType>(column: &ArrayRef) -> ArrayRef
where
    To::Native: std::convert::From<From::Native>,
{
    let wide: PrimitiveArray<To> = column.as_primitive::<From>().unary(To::Native::from);
    Arc::new(wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, Date32Array, Int32Array};
    use arrow::util::display::array_value_to_string;

    #[test]
    fn values_stay_what_they_are() {
        use DataType::{Date32, Decimal64, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp, Utf8View};
        let naive = Timestamp(TimeUnit::Microsecond, None);
        let decimal = |array: ArrayRef, digits| -> ArrayRef {
            let wide: Decimal128Array = array.as_primitive::<Int32Type>().unary(i128::from);
            Arc::new(wide.with_precision_and_scale(digits, 2).unwrap())
        };
        let whole: ArrayRef = Arc::new(Int32Array::from(vec![Some(-120), None, Some(7)]));
        let cast = |to: &DataType| arrow::compute::cast(&whole, to).unwrap();
        for (column, table, read, shown) in [
            (cast(&Int8), Int64, Some(Int64), ["-120", "", "7"]),
            (cast(&Int8), Int16, Some(Int16), ["-120", "", "7"]),
            (cast(&Int16), Int32, Some(Int32), ["-120", "", "7"]),
            (cast(&Float32), Float64, Some(Float64), ["-120.0", "", "7.0"]),
            (decimal(Arc::clone(&whole), 5), Decimal128(9, 2), Some(Decimal64(9, 2)), ["-1.20", "", "0.07"]),
            (decimal(Arc::clone(&whole), 5), Decimal128(30, 2), Some(Decimal128(30, 2)), ["-1.20", "", "0.07"]),
            (
                Arc::new(Date32Array::from(vec![Some(-1), None, Some(1)])),
                naive,
                Some(Timestamp(TimeUnit::Microsecond, None)),
                ["1969-12-31T00:00:00", "", "1970-01-02T00:00:00"],
            ),
            (cast(&Int64), Int32, None, ["-120", "", "7"]),
            (decimal(Arc::clone(&whole), 5), Decimal128(9, 3), Some(Decimal64(9, 3)), ["-1.200", "", "0.070"]),
            (decimal(Arc::clone(&whole), 5), Decimal128(30, 4), Some(Decimal128(30, 4)), ["-1.2000", "", "0.0700"]),
            (decimal(Arc::clone(&whole), 5), Decimal128(5, 3), None, ["-1.20", "", "0.07"]),
            (decimal(Arc::clone(&whole), 5), Decimal128(9, 1), None, ["-1.20", "", "0.07"]),
            (cast(&Int8), Float64, Some(Float64), ["-120.0", "", "7.0"]),
            (cast(&Int16), Float64, Some(Float64), ["-120.0", "", "7.0"]),
            (Arc::clone(&whole), Float64, Some(Float64), ["-120.0", "", "7.0"]),
            (cast(&Int8), Decimal128(10, 2), Some(Decimal64(10, 2)), ["-120.00", "", "7.00"]),
            (cast(&Int64), Decimal128(20, 0), Some(Decimal128(20, 0)), ["-120", "", "7"]),
            (
                Arc::new(Date32Array::from(vec![Some(-1), None, Some(1)])),
                Timestamp(TimeUnit::Nanosecond, None),
                Some(Timestamp(TimeUnit::Nanosecond, None)),
                ["1969-12-31T00:00:00", "", "1970-01-02T00:00:00"],
            ),
            (cast(&Int64), Float64, None, ["-120", "", "7"]),
            (Arc::clone(&whole), Utf8View, None, ["-120", "", "7"]),
        ] {
            let found = wider(column.data_type(), &table);
            assert_eq!(found, read, "{} in a table of {table}", column.data_type());
            let column = found.map_or_else(|| Arc::clone(&column), |to| widened(&column, &to).unwrap());
            let values: Vec<String> = (0..3).map(|row| array_value_to_string(&column, row).unwrap()).collect();
            assert_eq!(values, shown, "{}", column.data_type());
        }
        assert_eq!(wider(&Date32, &Date32), None);
        let late: ArrayRef = Arc::new(Date32Array::from(vec![i32::MAX]));
        assert!(widened(&late, &Timestamp(TimeUnit::Nanosecond, None)).is_err());
        assert!(widened(&cast(&Int8), &Decimal64(4, 2)).is_err());
    }
}
