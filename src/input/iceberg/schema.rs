//! The columns of a table: their ids, their names, and their types.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, TimeUnit};
use serde_json::Value;

use super::metadata::{MappedField, Metadata, Schema};
use crate::error::Result;
use crate::input::constant::of_text;
use crate::input::lake_table::Table;
use crate::input::table_file::TableColumn;

/// The setting with the names of columns in files without ids.
const NAME_MAPPING: &str = "schema.name-mapping.default";

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

/// The values of columns in files that were written before these were added, as arrays of one row.
///
/// # Errors
/// Exit 4 if a value is none of its column.
pub(super) fn defaults(schema: &Schema, table: &Table<'_>) -> Result<Vec<(String, ArrayRef)>> {
    let mut defaults = Vec::new();
    for field in &schema.fields {
        let Some(value) = field.initial_default.as_ref().filter(|value| !value.is_null()) else { continue };
        let wrong =
            || table.wrong(format_args!("gives the column {:?} a default that rfmill does not read: {value}", field.name));
        let data_type = field.data_type.as_str().and_then(data_type).ok_or_else(wrong)?;
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            _ => return Err(wrong()),
        };
        defaults.push((field.name.clone(), of_text(&text, &data_type).map_err(|e| wrong().caused_by(e))?));
    }
    Ok(defaults)
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
            let between = |begin: &str, end: char| other.strip_prefix(begin)?.strip_suffix(end);
            match (between("decimal(", ')'), between("fixed[", ']')) {
                (Some(decimal), _) => {
                    let (precision, scale) = decimal.split_once(',')?;
                    DataType::Decimal128(precision.trim().parse().ok()?, scale.trim().parse().ok()?)
                }
                (None, length) => DataType::FixedSizeBinary(length?.trim().parse().ok()?),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_may_have_lengths() {
        assert_eq!(data_type("decimal(10,2)"), Some(DataType::Decimal128(10, 2)));
        assert_eq!(data_type("decimal(38, 18)"), Some(DataType::Decimal128(38, 18)));
        assert_eq!(data_type("fixed[3]"), Some(DataType::FixedSizeBinary(3)));
        for other in ["decimal(x,2)", "variant", "geometry(srid:3857)", "fixed[]"] {
            assert_eq!(data_type(other), None, "{other}");
        }
    }
}
