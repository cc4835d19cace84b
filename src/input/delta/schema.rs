//! The columns of a table: their names, their names in files, and their types.

use arrow::datatypes::{DataType, TimeUnit};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::protocol::maps_columns;
use super::replay::Snapshot;
use crate::error::Result;
use crate::input::constant::decimal_type;
use crate::input::lake_table::Table;
use crate::input::table_file::TableColumn;

/// The columns of a table.
pub(super) struct Columns {
    pub columns: Vec<TableColumn>,
    /// Whether they are found in files by the ids of their fields.
    pub has_field_ids: bool,
}

#[derive(Deserialize)]
struct Schema {
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    #[serde(rename = "type")]
    data_type: Value,
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// The columns of a table by its log.
///
/// # Errors
/// Exit 4 if the schema cannot be read, or columns are mapped in a way that is not known.
pub(super) fn columns(snapshot: &Snapshot, table: &Table<'_>) -> Result<Columns> {
    let metadata = &snapshot.metadata;
    let Schema { fields } = serde_json::from_str(&metadata.schema_string).map_err(|e| {
        table.wrong(format_args!("has a schema in its log that cannot be read: {e}; restore its log")).caused_by(e)
    })?;
    let mode = metadata.setting("delta.columnMapping.mode").filter(|_| maps_columns(&snapshot.protocol));
    let (is_mapped, has_field_ids) = match mode {
        None | Some("none") => (false, false),
        Some("name") => (true, false),
        Some("id") => (true, true),
        Some(other) => {
            let what = format!("maps its columns by {other:?}, and rfmill knows name and id; write its rows to Parquet files");
            return Err(table.wrong(what));
        }
    };
    let column = |field: Field| {
        let said = |key: &str| field.metadata.get(key).filter(|_| is_mapped);
        let physical = said("delta.columnMapping.physicalName").and_then(Value::as_str).unwrap_or(&field.name);
        TableColumn {
            names: vec![physical.to_owned()],
            id: said("delta.columnMapping.id").and_then(Value::as_i64).and_then(|id| i32::try_from(id).ok()),
            data_type: field.data_type.as_str().and_then(data_type),
            is_partition: metadata.partition_columns.contains(&field.name),
            name: field.name,
        }
    };
    Ok(Columns { columns: fields.into_iter().map(column).collect(), has_field_ids })
}

/// The type of a column as files of it are read.
fn data_type(name: &str) -> Option<DataType> {
    Some(match name {
        "string" => DataType::Utf8View,
        "long" => DataType::Int64,
        "integer" => DataType::Int32,
        "short" => DataType::Int16,
        "byte" => DataType::Int8,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "boolean" => DataType::Boolean,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "timestamp_ntz" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "void" => DataType::Null,
        other => decimal_type(other)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_digits() {
        assert_eq!(data_type("decimal(10,2)"), Some(DataType::Decimal128(10, 2)));
        assert_eq!(data_type("decimal(38, 18)"), Some(DataType::Decimal128(38, 18)));
        assert_eq!(data_type("decimal(x,2)"), None);
        assert_eq!(data_type("decimal(39,2)"), None);
        assert_eq!(data_type("variant"), None);
    }
}
