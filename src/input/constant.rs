//! Values that logs of tables have as text.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use arrow::error::ArrowError;

/// A value of a type, as an array of one row.
///
/// # Errors
/// If it is none of the type.
pub(super) fn of_text(text: &str, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    let text: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let cast = |to: &DataType| cast_with_options(&text, to, &CastOptions { safe: false, ..CastOptions::default() });
    let DataType::Timestamp(unit, Some(zone)) = data_type else { return cast(data_type) };
    // An instant without a zone is one of UTC. The library reads text with offsets, and knows no names of zones.
    let instant = cast(&DataType::Timestamp(*unit, Some("+00:00".into())))?;
    let instant = instant.as_primitive::<TimestampMicrosecondType>().clone().with_timezone(Arc::clone(zone));
    Ok(Arc::new(instant))
}
