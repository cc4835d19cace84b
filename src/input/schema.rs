//! The columns of a file, and the checks that a column exists and has a suitable type.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::column_types::{ColumnRole, type_name};
use super::source::Source;
use crate::error::{Error, Result, suggestion};

/// The schema with which a file is read: its Parquet schema, with strings as views and decimals as 64-bit integers if they are
/// stored as such.
pub(crate) fn read_schema(source: &Source) -> SchemaRef {
    let parquet = source.metadata.parquet_schema();
    let is_int64 = |root: usize| {
        parquet
            .root_schema()
            .get_fields()
            .get(root)
            .is_some_and(|f| f.is_primitive() && f.get_physical_type() == parquet::basic::Type::INT64)
    };
    let fields = source.metadata.schema().fields().iter().enumerate().map(|(root, field)| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => Arc::new(Field::clone(field).with_data_type(DataType::Utf8View)),
        DataType::Decimal128(precision, scale) if is_int64(root) => {
            Arc::new(Field::clone(field).with_data_type(DataType::Decimal64(*precision, *scale)))
        }
        _ => Arc::clone(field),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The type of a column in all files, which must agree.
///
/// # Errors
/// Exit 3: a missing column (with the nearest), an unsuitable type, files that differ.
pub(crate) fn column(sources: &[Source], column: &str, role: ColumnRole, key: &str, place: &str) -> Result<DataType> {
    let mut first: Option<(DataType, String)> = None;
    for source in sources {
        let data_type = serving(source, &read_schema(source), column, role, key, place)?;
        match &first {
            None => first = Some((data_type, source.name())),
            Some((before, file)) if *before != data_type => {
                return Err(differs(column, key, &type_name(&data_type), source, &type_name(before), file));
            }
            Some(_) => {}
        }
    }
    first.map(|(data_type, _)| data_type).ok_or_else(|| Error::bug(format!("{key} has no file to take a type from")))
}

/// The type of a column in one file, which must suit its role.
pub(crate) fn serving(
    source: &Source,
    schema: &Schema,
    column: &str,
    role: ColumnRole,
    key: &str,
    place: &str,
) -> Result<DataType> {
    let data_type = type_of(source, schema, column, role, key, place)?;
    if role.serves(&data_type) {
        return Ok(data_type);
    }
    Err(Error::contract(format!(
        "{}: column {column:?} ({key}) is of type {}; expected {}. Convert it where the file is written, or name another column",
        source.name(),
        type_name(&data_type),
        role.expected()
    )))
}

pub(crate) fn differs(column: &str, key: &str, class: &str, source: &Source, before: &str, file: &str) -> Error {
    Error::contract(format!(
        "column {column:?} ({key}) is {class} in {} but {before} in {file}; write all files with one schema",
        source.name()
    ))
}

fn type_of(source: &Source, schema: &Schema, column: &str, role: ColumnRole, key: &str, place: &str) -> Result<DataType> {
    let mut found = schema.fields().iter().filter(|f| f.name() == column);
    match (found.next(), found.next()) {
        (Some(field), None) => Ok(field.data_type().clone()),
        (Some(_), Some(_)) => {
            Err(Error::contract(format!("{} has several columns named {column:?} ({key}); rename all but one", source.name())))
        }
        (None, _) if source.input.partitions.iter().any(|(name, _)| name == column) => {
            Ok(if role == ColumnRole::Date { DataType::Date32 } else { DataType::Utf8View })
        }
        (None, _) => {
            let partitions = source.input.partitions.iter().map(|(name, _)| name.as_str());
            let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).chain(partitions).collect();
            Err(Error::contract(format!(
                "{place}: {key} names the column {column:?}, which {} does not have{} (its columns are {}); name one of them",
                source.name(),
                suggestion(column, names.iter().copied()),
                names.join(", ")
            )))
        }
    }
}
