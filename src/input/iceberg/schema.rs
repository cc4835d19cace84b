//! The columns of a table: their ids, their names, and their types.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, FixedSizeBinaryArray};
use arrow::datatypes::{DataType, TimeUnit};
use serde_json::Value;

use super::metadata::{MappedField, Metadata, Schema};
use crate::error::Result;
use crate::input::constant::{decimal_type, of_text};
use crate::input::lake_table::Table;
use crate::input::table_file::TableColumn;

/// The setting with the names of columns in files without ids.
const NAME_MAPPING: &str = "schema.name-mapping.default";

/// Most bytes of values of a fixed length; longer ones are taken for a type that is not known.
const MOST_FIXED: i32 = 1 << 16;

/// The columns of a schema.
///
/// # Errors
/// Exit 4 if the name mapping cannot be read.
pub(super) fn columns(schema: &Schema, metadata: &Metadata, table: &Table<'_>) -> Result<Vec<TableColumn>> {
    let mapped: Vec<MappedField> = match metadata.properties.get(NAME_MAPPING) {
        None => Vec::new(),
        Some(text) => serde_json::from_str(text).map_err(|e| {
            table.wrong(format_args!("has a setting {NAME_MAPPING} that cannot be read: {e}; write it again")).caused_by(e)
        })?,
    };
    let names =
        |id: i32| mapped.iter().filter(|field| field.field_id == Some(id)).flat_map(|field| field.names.clone()).collect();
    let columns = schema.fields.iter().map(|field| TableColumn {
        name: field.name.clone(),
        names: names(field.id),
        id: Some(field.id),
        data_type: field.data_type.as_str().and_then(data_type),
        is_partition: false,
    });
    Ok(columns.collect())
}

/// The values of columns in files that were written before these were added.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    /// All of them, as JSON has them.
    pub written: Vec<(String, String)>,
    /// Those that are read, as arrays of one row.
    pub values: Vec<(String, ArrayRef)>,
    /// Those that are not, as JSON has them.
    pub unread: Vec<(String, String)>,
}

impl Defaults {
    /// The defaults of a schema.
    pub fn of(schema: &Schema) -> Defaults {
        let mut defaults = Defaults::default();
        for field in &schema.fields {
            let Some(value) = field.initial_default.as_ref().filter(|value| !value.is_null()) else { continue };
            let written = (field.name.clone(), value.to_string());
            match field.data_type.as_str().and_then(data_type).and_then(|data_type| default(value, &data_type)) {
                Some(value) => defaults.values.push((field.name.clone(), value)),
                None => defaults.unread.push(written.clone()),
            }
            defaults.written.push(written);
        }
        defaults
    }
}

/// A default as an array of one row, if it is read. <https://iceberg.apache.org/spec/#json-single-value-serialization>
fn default(value: &Value, data_type: &DataType) -> Option<ArrayRef> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        _ => return None,
    };
    match data_type {
        DataType::Binary => Some(Arc::new(BinaryArray::from_vec(vec![&bytes(&text)?]))),
        // What is 16 bytes long may be a UUID, which is written with dashes.
        DataType::FixedSizeBinary(length) => {
            let bytes = bytes(&text.replace('-', ""))?;
            let is_whole = usize::try_from(*length) == Ok(bytes.len());
            is_whole.then(|| FixedSizeBinaryArray::try_from_iter([bytes].iter()).ok()).flatten().map(|array| Arc::new(array) as _)
        }
        data_type => of_text(&text, data_type).ok(),
    }
}

/// The bytes that hexadecimal digits write.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let is_hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| text.as_bytes().chunks(2).map(pair).collect()).flatten()
}

/// The type of a column as files of it are read; none for structs, lists, maps and what is not known.
pub(super) fn data_type(name: &str) -> Option<DataType> {
    let instant = |unit| DataType::Timestamp(unit, Some("UTC".into()));
    Some(match name {
        "boolean" => DataType::Boolean,
        "int" => DataType::Int32,
        "long" => DataType::Int64,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "date" => DataType::Date32,
        "time" => DataType::Time64(TimeUnit::Microsecond),
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "timestamptz" => instant(TimeUnit::Microsecond),
        "timestamp_ns" => DataType::Timestamp(TimeUnit::Nanosecond, None),
        "timestamptz_ns" => instant(TimeUnit::Nanosecond),
        "string" => DataType::Utf8View,
        "binary" => DataType::Binary,
        "uuid" => DataType::FixedSizeBinary(16),
        "unknown" => DataType::Null,
        other => {
            let length = || other.strip_prefix("fixed[")?.strip_suffix(']')?.trim().parse().ok();
            match decimal_type(other) {
                Some(decimal) => decimal,
                None => DataType::FixedSizeBinary(length().filter(|length| (1..=MOST_FIXED).contains(length))?),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Array;
    use arrow::compute::cast;
    use arrow::util::display::array_value_to_string;

    #[test]
    fn types_may_have_lengths() {
        assert_eq!(data_type("decimal(10,2)"), Some(DataType::Decimal128(10, 2)));
        assert_eq!(data_type("decimal(38, 18)"), Some(DataType::Decimal128(38, 18)));
        assert_eq!(data_type("fixed[3]"), Some(DataType::FixedSizeBinary(3)));
        let beyond =
            ["decimal(200,2)", "decimal(0,0)", "decimal(5,6)", "decimal(5,-1)", "fixed[-1]", "fixed[0]", "fixed[2147483647]"];
        for other in ["decimal(x,2)", "variant", "geometry(srid:3857)", "fixed[]"].into_iter().chain(beyond) {
            assert_eq!(data_type(other), None, "{other}");
        }
    }

    /// The forms that the specification gives for each type; what is none of them concerns its column alone.
    #[test]
    fn defaults_have_the_type_of_their_column() {
        let json = serde_json::json!([
            ["boolean", true, "true"],
            ["int", 34, "34"],
            ["decimal(4,2)", "14.20", "14.20"],
            ["date", "2017-11-16", "2017-11-16"],
            ["timestamp", "2017-11-16T22:31:08.123456", "2017-11-16T22:31:08.123456"],
            ["timestamptz", "2017-11-16T22:31:08.123456+00:00", "1510871468123456"],
            ["timestamp_ns", "2017-11-16T22:31:08.123456789", "2017-11-16T22:31:08.123456789"],
            ["timestamptz_ns", "2017-11-16T22:31:08.123456789+00:00", "1510871468123456789"],
            ["string", "iceberg", "iceberg"],
            ["binary", "0001ff", "0001ff"],
            ["fixed[3]", "0001ff", "0001ff"],
            ["uuid", "f79c3e09-677c-4bbd-a479-3f349cb785e7", "f79c3e09677c4bbda4793f349cb785e7"],
        ]);
        for case in json.as_array().unwrap() {
            let data_type = data_type(case[0].as_str().unwrap()).unwrap();
            let array = default(&case[1], &data_type).unwrap();
            assert_eq!(*array.data_type(), data_type);
            // Names of zones are not shown.
            let array = match data_type {
                DataType::Timestamp(_, Some(_)) => cast(&array, &DataType::Int64).unwrap(),
                _ => array,
            };
            assert_eq!(array_value_to_string(&array, 0).unwrap(), case[2], "{case}");
        }
        let fields = serde_json::json!([
            { "id": 1, "name": "a", "type": "uuid", "initial-default": "f79c3e09" },
            { "id": 2, "name": "b", "type": { "type": "struct", "fields": [] }, "initial-default": {} },
            { "id": 3, "name": "c", "type": "binary", "initial-default": "xy" },
            { "id": 4, "name": "d", "type": "long", "initial-default": 7 },
        ]);
        let Defaults { written, values, unread } =
            Defaults::of(&Schema { schema_id: None, fields: serde_json::from_value(fields).unwrap() });
        assert_eq!((written.len(), unread.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>()), (4, vec!["a", "b", "c"]));
        assert_eq!(values.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["d"]);
    }
}
