//! Types and values that logs of tables have as text.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType};
use arrow::error::ArrowError;

/// The type that a text such as `decimal(10, 2)` names; none if it is no decimal of at most 38 digits.
pub(super) fn decimal_type(text: &str) -> Option<DataType> {
    let (precision, scale) = text.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
    let (precision, scale) = (precision.trim().parse::<u8>().ok()?, scale.trim().parse::<i8>().ok()?);
    let is_one = (1..=DECIMAL128_MAX_PRECISION).contains(&precision) && u8::try_from(scale).is_ok_and(|scale| scale <= precision);
    is_one.then_some(DataType::Decimal128(precision, scale))
}

/// A value of a type, as an array of one row.
///
/// # Errors
/// If it is none of the type.
pub(super) fn of_text(text: &str, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    let text: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let cast =
        |from: &ArrayRef, to: &DataType| cast_with_options(from, to, &CastOptions { safe: false, ..CastOptions::default() });
    match data_type {
        // An instant without a zone is one of UTC. The library reads text with offsets, and knows no names of zones.
        DataType::Timestamp(unit, Some(_)) => cast(&cast(&text, &DataType::Timestamp(*unit, Some("+00:00".into())))?, data_type),
        data_type => cast(&text, data_type),
    }
}
