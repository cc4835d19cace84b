//! The columns of a file, and the checks that a column exists and has a suitable type.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::basic::Type as PhysicalType;

use super::column_types::{ColumnRole, type_name};
use super::source::Source;
use super::table_file::is_foreign;
use crate::error::{Error, Result, suggestion};

/// The schema of a file beside the others of its kind: [`own_schema`], in which columns without a value have the type of other
/// files, and columns that it may lack are added.
pub(crate) fn read_schema(source: &Source) -> SchemaRef {
    let own = own_schema(source);
    let table = source.input.table.as_deref();
    if source.columns.nulls.is_empty() && table.is_none() {
        return own;
    }
    let mut fields: Vec<Arc<Field>> = Vec::new();
    for field in own.fields().iter().filter(|field| !is_foreign(field.name())) {
        fields.push(match source.columns.null_type(field.name()) {
            Some(joined) => Arc::new(Field::clone(field).with_data_type(joined.clone())),
            None => match source.widened(field) {
                Some(wider) => Arc::new(Field::clone(field).with_data_type(wider)),
                None => Arc::clone(field),
            },
        });
    }
    let added = source.columns.nulls.iter().filter(|(name, _)| own.index_of(name).is_err());
    fields.extend(added.map(|(name, data_type)| Arc::new(Field::new(name, data_type.clone(), true))));
    if let Some(file) = table {
        let constants = source.columns.constants.iter().filter(|(name, _)| source.columns.null_type(name).is_none());
        fields.extend(constants.map(|(name, value)| Arc::new(Field::new(name, value.data_type().clone(), true))));
        // All files of a table have its columns in its order.
        fields.sort_by_key(|field| file.table.position(field.name()));
    }
    Arc::new(Schema::new(fields))
}

/// The schema with which a file is decoded: its Parquet schema, with strings as views, decimals as 64-bit integers if they are
/// stored as such, and INT96 as the instants that Spark, Hive and Impala write.
pub(crate) fn own_schema(source: &Source) -> SchemaRef {
    let parquet = source.metadata.parquet_schema();
    let physical_type = |root: usize| {
        let field = parquet.root_schema().get_fields().get(root).filter(|field| field.is_primitive());
        field.map(|field| field.get_physical_type())
    };
    let zone = |name: &str| match source.input.table.as_ref().and_then(|file| file.type_of(name)) {
        Some(DataType::Timestamp(_, zone)) => zone.clone(),
        _ => (!source.columns.has_naive_int96).then(|| "UTC".into()),
    };
    // A table says of its columns what some writers leave out.
    let is_instant = |name: &str| {
        let own = source.input.table.as_ref().and_then(|file| file.type_of(name));
        matches!(own, Some(DataType::Timestamp(_, Some(_))))
    };
    let fields = source.metadata.schema().fields().iter().enumerate().map(|(root, field)| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => Arc::new(Field::clone(field).with_data_type(DataType::Utf8View)),
        DataType::Decimal128(precision, scale) if physical_type(root) == Some(PhysicalType::INT64) => {
            Arc::new(Field::clone(field).with_data_type(DataType::Decimal64(*precision, *scale)))
        }
        // Microseconds hold all dates that nanoseconds do not.
        DataType::Timestamp(..) if physical_type(root) == Some(PhysicalType::INT96) => {
            Arc::new(Field::clone(field).with_data_type(DataType::Timestamp(TimeUnit::Microsecond, zone(field.name()))))
        }
        DataType::Timestamp(unit, None) if is_instant(field.name()) => {
            Arc::new(Field::clone(field).with_data_type(DataType::Timestamp(*unit, Some("UTC".into()))))
        }
        _ => Arc::clone(field),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The type of a column in all files, which must agree but for the width of integers and floats, and the digits of decimals, of which
/// the most count.
///
/// # Errors
/// Exit 3: a missing column (with the nearest), an unsuitable type, files that differ.
pub(crate) fn column(sources: &[Source], column: &str, role: ColumnRole, key: &str, place: &str) -> Result<DataType> {
    let mut first: Option<(DataType, String)> = None;
    for source in sources {
        let data_type = serving(source, &read_schema(source), column, role, key, place)?;
        match &first {
            None => first = Some((data_type, source.name())),
            Some((before, file)) if !agree(before, &data_type) => {
                return Err(differs(column, key, &type_name(&data_type), source, &type_name(before), file));
            }
            Some((before, file)) if decimal(&data_type) > decimal(before) => first = Some((data_type, file.clone())),
            Some(_) => {}
        }
    }
    first.map(|(data_type, _)| data_type).ok_or_else(|| Error::bug(format!("{key} has no file to take a type from")))
}

/// Whether two types differ in width at most.
fn agree(a: &DataType, b: &DataType) -> bool {
    let are_decimals = matches!((decimal(a), decimal(b)), (Some((_, scale)), Some((_, other))) if scale == other);
    a == b || are_decimals || (a.is_integer() && b.is_integer()) || (a.is_floating() && b.is_floating())
}

/// The digits of a decimal, and those behind the point; files differ in how they store it.
fn decimal(data_type: &DataType) -> Option<(u8, i8)> {
    match data_type {
        DataType::Decimal64(digits, scale) | DataType::Decimal128(digits, scale) => Some((*digits, *scale)),
        _ => None,
    }
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
    let cast = conversion(source, role, &data_type, column).map_or(String::new(), |command| format!(" ({command})"));
    Err(Error::contract(format!(
        "{}: column {column:?} ({key}) is of type {}; expected {}. Convert it where the file is written{cast}, or name another column",
        source.name(),
        type_name(&data_type),
        role.expected()
    )))
}

/// A command that makes a column of text one of dates or money.
fn conversion(source: &Source, role: ColumnRole, data_type: &DataType, column: &str) -> Option<String> {
    let is_plain = column.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let to = match role {
        ColumnRole::Date => "TIMESTAMP",
        ColumnRole::Money => "DECIMAL(18, 2)",
        _ => return None,
    };
    let file = source.name();
    let is_plain = is_plain && file.chars().all(|c| !c.is_control() && !"'\"$`\\".contains(c));
    (is_plain && *data_type == DataType::Utf8View).then(|| {
        format!("duckdb -c \"COPY (SELECT * REPLACE (CAST({column} AS {to}) AS {column}) FROM '{file}') TO 'converted.parquet'\"")
    })
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
