//! The values of columns by which files are partitioned as they are, for files that do not hold them.

use std::sync::Arc;

use apache_avro::types::Value;
use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array, StringViewArray,
    TimestampMicrosecondArray, TimestampNanosecondArray, new_null_array,
};
use arrow::datatypes::{DataType, TimeUnit};

use super::manifest::DataFile;
use super::metadata::PartitionField;
use crate::error::Result;
use crate::input::lake_table::Table;
use crate::input::table_file::TableColumn;

/// The columns that have one value in a file, with the value as an array of one row.
///
/// # Errors
/// Exit 4 if a value is none of its column.
pub(super) fn constants(
    file: &DataFile,
    fields: &[(i32, PartitionField)],
    columns: &[TableColumn],
    table: &Table<'_>,
) -> Result<Vec<(String, ArrayRef)>> {
    let mut constants = Vec::new();
    for (id, field) in fields.iter().filter(|(_, field)| field.is_identity()) {
        let column = columns.iter().find(|column| column.id == field.source_id && column.id.is_some());
        let value = file.partition.values.iter().find(|(own, _)| own == id);
        // A column that was dropped, and a file that was written before the field was added.
        let (Some(column), Some((_, value))) = (column, value) else { continue };
        let wrong = || {
            table.wrong(format_args!(
                "gives the file {} a value of the partition {:?} that is none of its type; restore its manifests",
                file.path, column.name
            ))
        };
        let data_type = column.data_type.as_ref().ok_or_else(wrong)?;
        constants.push((column.name.clone(), constant(value, data_type).ok_or_else(wrong)?));
    }
    Ok(constants)
}

fn constant(value: &Value, data_type: &DataType) -> Option<ArrayRef> {
    let integer = match value {
        Value::Long(value) => Some(*value),
        _ => None,
    };
    Some(match (data_type, value) {
        (_, Value::Null) => new_null_array(data_type, 1),
        (DataType::Boolean, Value::Boolean(value)) => Arc::new(BooleanArray::from(vec![*value])),
        (DataType::Int32, _) => Arc::new(Int32Array::from(vec![i32::try_from(integer?).ok()?])),
        (DataType::Int64, _) => Arc::new(Int64Array::from(vec![integer?])),
        // Numbers are widened in partitions; that of a narrow column was a narrow one.
        (DataType::Float32, Value::Double(value)) => Arc::new(Float32Array::from(vec![*value as f32])),
        (DataType::Float64, Value::Double(value)) => Arc::new(Float64Array::from(vec![*value])),
        (DataType::Date32, _) => Arc::new(Date32Array::from(vec![i32::try_from(integer?).ok()?])),
        (DataType::Timestamp(TimeUnit::Microsecond, zone), _) => {
            Arc::new(TimestampMicrosecondArray::from(vec![integer?]).with_timezone_opt(zone.clone()))
        }
        (DataType::Timestamp(TimeUnit::Nanosecond, zone), _) => {
            Arc::new(TimestampNanosecondArray::from(vec![integer?]).with_timezone_opt(zone.clone()))
        }
        (DataType::Utf8View, Value::String(value)) => Arc::new(StringViewArray::from_iter_values([value])),
        (DataType::Decimal128(precision, scale), _) => {
            let bytes = match value {
                Value::Fixed(_, bytes) | Value::Bytes(bytes) => bytes.clone(),
                _ => return None,
            };
            let array = Decimal128Array::from(vec![signed(&bytes)?]);
            Arc::new(array.with_precision_and_scale(*precision, *scale).ok()?)
        }
        _ => return None,
    })
}

/// The number that bytes are in two's complement, the highest first.
fn signed(bytes: &[u8]) -> Option<i128> {
    let is_negative = bytes.first()? & 0x80 != 0;
    let mut whole = [if is_negative { 0xff } else { 0 }; 16];
    whole.get_mut(16usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    Some(i128::from_be_bytes(whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::util::display::array_value_to_string;

    #[test]
    fn values_have_the_type_of_their_column() {
        let micros = |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
        for (value, data_type, shown) in [
            (Value::Long(7), DataType::Int64, "7"),
            (Value::Long(-1), DataType::Int64, "-1"),
            (Value::String("EU West".into()), DataType::Utf8View, "EU West"),
            (Value::Long(19_782), DataType::Date32, "2024-02-29"),
            (Value::Long(1_000_000), micros(Some("+00:00")), "1970-01-01T00:00:01Z"),
            (Value::Long(1_000_000), micros(None), "1970-01-01T00:00:01"),
            (Value::Fixed(2, vec![0xff, 0x38]), DataType::Decimal128(9, 2), "-2.00"),
            (Value::Double(1.5), DataType::Float64, "1.5"),
            (Value::Double(f64::from(0.1f32)), DataType::Float32, "0.1"),
            (Value::Boolean(true), DataType::Boolean, "true"),
            (Value::Null, DataType::Int64, ""),
        ] {
            let found = constant(&value, &data_type).map(|array| array_value_to_string(&array, 0).unwrap());
            assert_eq!(found.as_deref(), Some(shown), "{value:?}");
        }
        assert!(constant(&Value::String("7".into()), &DataType::Int64).is_none());
        assert!(constant(&Value::Long(1 << 40), &DataType::Int32).is_none());
        assert!(constant(&Value::Fixed(17, vec![0; 17]), &DataType::Decimal128(38, 0)).is_none());
    }
}
