//! What a table is: its name, its columns in order, their types and descriptions.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Schema, SchemaRef};

use crate::domain::IdType;
use crate::error::{Error, Result};

/// Type of a column in tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// The customer id as it came.
    Id(IdType),
    /// DATE.
    Date,
    /// INT32.
    Int32,
    /// INT64.
    Int64,
    /// DOUBLE.
    Double,
    /// BOOLEAN.
    Boolean,
    /// DECIMAL(precision, scale).
    Decimal(u8, i8),
    /// A string with few values, dictionary-encoded.
    State,
    /// A string.
    Text,
}

impl ColumnType {
    /// The Arrow type.
    pub fn arrow(self) -> DataType {
        match self {
            ColumnType::Id(IdType::Signed(8)) => DataType::Int8,
            ColumnType::Id(IdType::Signed(16)) => DataType::Int16,
            ColumnType::Id(IdType::Signed(32)) | ColumnType::Int32 => DataType::Int32,
            ColumnType::Id(IdType::Signed(_)) | ColumnType::Int64 => DataType::Int64,
            ColumnType::Id(IdType::Unsigned(8)) => DataType::UInt8,
            ColumnType::Id(IdType::Unsigned(16)) => DataType::UInt16,
            ColumnType::Id(IdType::Unsigned(32)) => DataType::UInt32,
            ColumnType::Id(IdType::Unsigned(_)) => DataType::UInt64,
            ColumnType::Id(IdType::Text) | ColumnType::Text => DataType::Utf8,
            ColumnType::Date => DataType::Date32,
            ColumnType::Double => DataType::Float64,
            ColumnType::Boolean => DataType::Boolean,
            ColumnType::Id(IdType::Decimal(precision)) => DataType::Decimal128(precision, 0),
            ColumnType::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
            ColumnType::State => DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8)),
        }
    }

    /// The column type of an Arrow type that [`ColumnType::arrow`] gives.
    pub fn of(arrow: &DataType) -> Option<ColumnType> {
        use ColumnType::{Boolean, Date, Decimal, Double, Id, Int32, Int64, State, Text};
        if let DataType::Decimal128(precision, scale) = arrow {
            return Some(Decimal(*precision, *scale));
        }
        let plain = [Date, Int32, Int64, Double, Boolean, State, Text];
        let ids = [8, 16, 32, 64].into_iter().flat_map(|bits| [IdType::Signed(bits), IdType::Unsigned(bits)]);
        plain.into_iter().chain(ids.map(Id)).find(|kind| kind.arrow() == *arrow)
    }

    /// Whether a column of this type in a database takes values of another: of the same SQL type, or decimals of fewer digits.
    pub fn takes(self, other: ColumnType) -> bool {
        match (self, other) {
            (ColumnType::Decimal(digits, scale), ColumnType::Decimal(fewer, same)) => digits >= fewer && scale == same,
            _ => self.sql() == other.sql(),
        }
    }

    /// The SQL type, as PostgreSQL and DuckDB understand it.
    pub fn sql(self) -> String {
        match self {
            ColumnType::Id(IdType::Signed(8 | 16) | IdType::Unsigned(8)) => "SMALLINT".into(),
            ColumnType::Id(IdType::Signed(32) | IdType::Unsigned(16)) | ColumnType::Int32 => "INTEGER".into(),
            ColumnType::Id(IdType::Unsigned(64)) => "NUMERIC(20, 0)".into(),
            ColumnType::Id(IdType::Signed(_) | IdType::Unsigned(_)) | ColumnType::Int64 => "BIGINT".into(),
            ColumnType::Id(IdType::Text) | ColumnType::Text | ColumnType::State => "TEXT".into(),
            ColumnType::Date => "DATE".into(),
            ColumnType::Double => "DOUBLE PRECISION".into(),
            ColumnType::Boolean => "BOOLEAN".into(),
            ColumnType::Id(IdType::Decimal(precision)) => format!("NUMERIC({precision}, 0)"),
            ColumnType::Decimal(precision, scale) => format!("NUMERIC({precision}, {scale})"),
        }
    }
}

/// Key of a column's description in the metadata of its field in Parquet files.
pub const DESCRIPTION: &str = "description";

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnType,
    /// What it holds, in one sentence.
    pub doc: &'static str,
}

impl ColumnDefinition {
    /// A column of this name and type, and what it holds.
    pub fn new(name: impl Into<String>, kind: ColumnType, doc: &'static str) -> ColumnDefinition {
        ColumnDefinition { name: name.into(), kind, doc }
    }
}

/// A table: its columns and what a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// Its name.
    pub name: &'static str,
    /// What a row stands for.
    pub one_row_per: &'static str,
    /// Its columns in order; `as_of` first where the table has one.
    pub columns: Vec<ColumnDefinition>,
}

impl TableDefinition {
    /// The Arrow schema; without `as_of` where that stands in the path. Every field carries its [`DESCRIPTION`].
    pub fn schema(&self, with_as_of: bool) -> SchemaRef {
        let fields = self.columns.iter().filter(|f| with_as_of || f.name != "as_of").map(|f| {
            let described = HashMap::from([(DESCRIPTION.to_owned(), f.doc.to_owned())]);
            arrow::datatypes::Field::new(&f.name, f.kind.arrow(), true).with_metadata(described)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// A batch of arrays that come with the names of their columns, in any order. `schema` is that of the table, but for
    /// types that a batch holds in another form than a file.
    ///
    /// # Errors
    /// Exit 1 if a column of the schema is missing, there is another one, or Arrow refuses them, which is a bug.
    pub fn batch(&self, schema: &SchemaRef, mut arrays: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
        let wrong = |what: String| Error::bug(format!("table {} cannot be put together: {what}", self.name));
        let mut columns = Vec::with_capacity(arrays.len());
        for field in schema.fields() {
            let at = arrays.iter().position(|(name, _)| name == field.name());
            let at = at.ok_or_else(|| wrong(format!("the column {} is missing", field.name())))?;
            columns.push(arrays.swap_remove(at).1);
        }
        if let Some((name, _)) = arrays.first() {
            return Err(wrong(format!("it has no column {name}")));
        }
        RecordBatch::try_new(Arc::clone(schema), columns).map_err(|e| wrong(e.to_string()).caused_by(e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrow_types_lead_back_to_the_same_sql_type() {
        let ids = [8, 16, 32, 64].into_iter().flat_map(|bits| [IdType::Signed(bits), IdType::Unsigned(bits)]);
        let mut kinds: Vec<ColumnType> = ids.chain([IdType::Text, IdType::Decimal(38)]).map(ColumnType::Id).collect();
        kinds.extend([ColumnType::Date, ColumnType::Int32, ColumnType::Int64, ColumnType::Double, ColumnType::Boolean]);
        kinds.extend([ColumnType::Decimal(18, 2), ColumnType::Decimal(38, 0), ColumnType::State, ColumnType::Text]);
        for kind in kinds {
            let arrow = kind.arrow();
            let back = ColumnType::of(&arrow);
            assert_eq!(back.map(ColumnType::arrow), Some(arrow), "{kind:?}");
            assert_eq!(back.map(ColumnType::sql), Some(kind.sql()), "{kind:?}");
        }
        assert_eq!(ColumnType::of(&DataType::Float32), None);
    }
}
