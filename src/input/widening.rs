//! Columns of tables that became wider: files that were written before have the narrower type, and are read with the wider one.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;

/// Most digits of decimals that files store as integers of 64 bits.
const MOST_SHORT: u8 = 18;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// The type with which a column of one type is read in a table that gives it another; none if it is read as it is.
pub(super) fn wider(file: &DataType, table: &DataType) -> Option<DataType> {
    use DataType::{Date32, Decimal64, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp};
    match (file, table) {
        (Int8, Int16 | Int32 | Int64) | (Int16, Int32 | Int64) | (Int32, Int64) | (Float32, Float64) => Some(table.clone()),
        (Date32, Timestamp(TimeUnit::Microsecond, None)) => Some(table.clone()),
        (Decimal64(digits, scale) | Decimal128(digits, scale), Decimal128(more, same)) if scale == same && digits < more => {
            Some(if *more <= MOST_SHORT { Decimal64(*more, *scale) } else { Decimal128(*more, *scale) })
        }
        _ => None,
    }
}

/// A column with the type that [`wider`] gives.
///
/// # Errors
/// If a value has more digits than its type, or no such type is given.
pub(super) fn widened(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    use DataType::{Date32, Decimal64, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp};
    Ok(match (column.data_type(), to) {
        (Int8, Int16) => each::<Int8Type, Int16Type>(column),
        (Int8, Int32) => each::<Int8Type, Int32Type>(column),
        (Int8, Int64) => each::<Int8Type, Int64Type>(column),
        (Int16, Int32) => each::<Int16Type, Int32Type>(column),
        (Int16, Int64) => each::<Int16Type, Int64Type>(column),
        (Int32, Int64) => each::<Int32Type, Int64Type>(column),
        (Float32, Float64) => each::<Float32Type, Float64Type>(column),
        (Date32, Timestamp(TimeUnit::Microsecond, None)) => {
            let instants: PrimitiveArray<TimestampMicrosecondType> =
                column.as_primitive::<Date32Type>().unary(|day| i64::from(day) * DAY);
            Arc::new(instants)
        }
        (Decimal64(..), Decimal64(digits, scale)) => {
            Arc::new(column.as_primitive::<Decimal64Type>().clone().with_precision_and_scale(*digits, *scale)?)
        }
        (Decimal64(..), Decimal128(digits, scale)) => {
            let wide: Decimal128Array = column.as_primitive::<Decimal64Type>().unary(i128::from);
            Arc::new(wide.with_precision_and_scale(*digits, *scale)?)
        }
        (Decimal128(..), Decimal64(digits, scale)) => {
            let short = column.as_primitive::<Decimal128Type>().try_unary::<_, Decimal64Type, _>(|value| {
                i64::try_from(value).map_err(|_| ArrowError::ComputeError(format!("{value} has too many digits")))
            })?;
            Arc::new(short.with_precision_and_scale(*digits, *scale)?)
        }
        (Decimal128(..), Decimal128(digits, scale)) => {
            Arc::new(column.as_primitive::<Decimal128Type>().clone().with_precision_and_scale(*digits, *scale)?)
        }
        (from, to) => return Err(ArrowError::CastError(format!("{from} does not widen to {to}"))),
    })
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
            (decimal(Arc::clone(&whole), 5), Decimal128(9, 3), None, ["-1.20", "", "0.07"]),
            (Arc::clone(&whole), Utf8View, None, ["-120", "", "7"]),
        ] {
            let found = wider(column.data_type(), &table);
            assert_eq!(found, read, "{} in a table of {table}", column.data_type());
            let column = found.map_or_else(|| Arc::clone(&column), |to| widened(&column, &to).unwrap());
            let values: Vec<String> = (0..3).map(|row| array_value_to_string(&column, row).unwrap()).collect();
            assert_eq!(values, shown, "{}", column.data_type());
        }
        assert_eq!(wider(&Date32, &Date32), None);
    }
}
