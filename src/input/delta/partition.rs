//! The values of partition columns, which the log has as text.

use arrow::array::{ArrayRef, new_null_array};

use super::action::Add;
use crate::error::Result;
use crate::input::constant::of_text;
use crate::input::lake_table::Table;
use crate::input::table_file::TableColumn;

/// The value of each partition column in a file, as an array of one row.
///
/// # Errors
/// Exit 4 if the log lacks one, or has one that is none of the column's type.
pub(super) fn constants(add: &Add, columns: &[TableColumn], table: &Table<'_>) -> Result<Vec<(String, ArrayRef)>> {
    let of = |column: &TableColumn| Ok((column.name.clone(), constant(add, column, table)?));
    columns.iter().filter(|column| column.is_partition).map(of).collect()
}

fn constant(add: &Add, column: &TableColumn, table: &Table<'_>) -> Result<ArrayRef> {
    let wrong = |what: String| table.wrong(format_args!("gives the file {} {what}", add.path));
    let data_type = column.data_type.as_ref();
    let data_type =
        data_type.ok_or_else(|| wrong(format!("a value of the partition {:?}, whose type is not known", column.name)))?;
    let value = column.names.iter().find_map(|name| add.partition_values.get(name));
    let value = value.ok_or_else(|| wrong(format!("no value of the partition {:?}; restore its log", column.name)))?;
    // An empty text stands for null in a column of any type.
    let Some(text) = value.as_ref().filter(|text| !text.is_empty()) else { return Ok(new_null_array(data_type, 1)) };
    of_text(text, data_type)
        .map_err(|e| wrong(format!("a partition value that is none of {:?} ({e}); restore its log", column.name)).caused_by(e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::sync::Arc;

    use arrow::array::AsArray;
    use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
    use arrow::util::display::{ArrayFormatter, FormatOptions};

    use crate::storage::Place;

    fn of(value: Option<&str>, data_type: DataType) -> Result<String> {
        let column = TableColumn {
            name: "p".into(),
            names: vec!["col-1".into()],
            id: None,
            data_type: Some(data_type),
            is_partition: true,
        };
        let values = [("col-1".to_owned(), value.map(str::to_owned))];
        let add = Add { path: "a.parquet".into(), partition_values: values.into(), size: 1, deletion_vector: None };
        let place = Place::of("orders", Path::new(""));
        let table = Table { format: "Delta", place: &place, written: "orders", key: "orders.path" };
        let found = constants(&add, &[column], &table)?;
        let options = FormatOptions::default().with_null("null");
        // Text of instants needs a zone that the library knows.
        let value = match found[0].1.as_primitive_opt::<TimestampMicrosecondType>() {
            Some(instant) if instant.timezone().is_some() => Arc::new(instant.clone().with_timezone("+00:00")),
            _ => Arc::clone(&found[0].1),
        };
        Ok(ArrayFormatter::try_new(value.as_ref(), &options).unwrap().value(0).to_string())
    }

    /// The forms that the protocol gives for each type, and what they mean.
    #[test]
    fn values_have_the_type_of_their_column() {
        let micros = |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
        for (text, data_type, shown) in [
            ("EU West", DataType::Utf8View, "EU West"),
            ("-9223372036854775808", DataType::Int64, "-9223372036854775808"),
            ("127", DataType::Int8, "127"),
            ("true", DataType::Boolean, "true"),
            ("-234.00000", DataType::Decimal128(12, 5), "-234.00000"),
            ("1.5", DataType::Float64, "1.5"),
            ("2024-02-29", DataType::Date32, "2024-02-29"),
            ("2013-07-05 17:01:00.123456", micros(None), "2013-07-05T17:01:00.123456"),
            ("1970-01-01 00:00:00", micros(Some("UTC")), "1970-01-01T00:00:00Z"),
            ("1970-01-01T00:00:00.123456Z", micros(Some("UTC")), "1970-01-01T00:00:00.123456Z"),
        ] {
            assert_eq!(of(Some(text), data_type.clone()).unwrap(), shown, "{text} as {data_type}");
        }
        for data_type in [DataType::Utf8View, DataType::Int64, DataType::Date32] {
            assert_eq!(of(None, data_type.clone()).unwrap(), "null");
            assert_eq!(of(Some(""), data_type).unwrap(), "null");
        }
        assert!(of(Some("x"), DataType::Int64).is_err());
        assert!(of(Some("128"), DataType::Int8).is_err());
        assert!(of(Some("2024-02-30"), DataType::Date32).is_err());
    }
}
