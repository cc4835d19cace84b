//! What a table that has a log says of one of its data files: how its columns are called, the values of its partition, and which
//! of its rows do not count.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBufferBuilder};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;
use parquet::errors::ParquetError;
use parquet::schema::types::{SchemaDescriptor, Type, TypePtr};
use roaring::RoaringTreemap;
use serde_json::json;

use crate::error::{Error, Result};
use crate::hash::sha256;

/// Which state of a table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LakeVersion {
    /// The version of a Delta table.
    Version(u64),
    /// The id of a snapshot of an Iceberg table.
    Snapshot(u64),
}

impl LakeVersion {
    /// What the format calls it.
    pub fn kind(self) -> &'static str {
        match self {
            LakeVersion::Version(_) => "version",
            LakeVersion::Snapshot(_) => "snapshot",
        }
    }

    /// Its number.
    pub fn number(self) -> u64 {
        let (LakeVersion::Version(number) | LakeVersion::Snapshot(number)) = self;
        number
    }
}

impl fmt::Display for LakeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.number())
    }
}

/// A table of one version.
#[derive(Debug, PartialEq)]
pub struct TableVersion {
    /// The format.
    pub format: &'static str,
    /// Its folder as the job names it.
    pub folder: String,
    /// The version.
    pub version: LakeVersion,
    /// Its columns.
    pub columns: Vec<TableColumn>,
    /// Whether columns are found in files by the ids of their fields, and not by name.
    pub has_field_ids: bool,
    /// SHA-256 of what decides how files are read: the columns, how they are found, and their defaults.
    pub columns_sha256: String,
}

/// A column of a table.
#[derive(Debug, PartialEq)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its names in files; in those with ids of fields, if the table has them, these count instead.
    pub names: Vec<String>,
    /// The id of its field in files.
    pub id: Option<i32>,
    /// Its type, as files are read; none for lists, maps and structs.
    pub data_type: Option<DataType>,
    /// Whether its values stand in the log, and what a file may have of it means nothing.
    pub is_partition: bool,
}

/// A data file of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableFile {
    /// The table.
    pub table: Arc<TableVersion>,
    /// Bytes, as the log says.
    pub size: u64,
    /// Columns whose values stand in the log, and not in the file, with the value as an array of one row. A column that the file
    /// has nevertheless is read from it.
    pub constants: Vec<(String, ArrayRef)>,
    /// Columns with a default that is not read, with that default as the log writes it: a file that has them not cannot tell them.
    pub unread: Vec<(String, String)>,
    /// The rows that do not count.
    pub deleted: Option<DeletedRows>,
}

/// Rows of a file that do not count.
#[derive(Debug, Clone, PartialEq)]
pub struct DeletedRows {
    /// Their indices in the file.
    pub rows: RoaringTreemap,
    /// SHA-256 of the deletion vector; of rows that nothing but files of positions names, of their bitmap.
    pub sha256: String,
}

/// Most rows of a file with deleted rows: a bit each is a gigabyte.
const MOST_ROWS: u64 = 1 << 33;

/// The first character of the names of columns in files that are none of the table.
const FOREIGN: char = '\0';

/// Whether a column of a file is none of its table, such as one that was dropped.
pub(super) fn is_foreign(column: &str) -> bool {
    column.starts_with(FOREIGN)
}

impl TableVersion {
    /// A version with these columns; `defaults` are the values of columns that a file may lack, as the log writes them.
    pub fn new(
        (format, folder): (&'static str, String),
        version: LakeVersion,
        (columns, has_field_ids): (Vec<TableColumn>, bool),
        defaults: &[(String, String)],
    ) -> TableVersion {
        let of = |TableColumn { name, names, id, data_type, is_partition }: &TableColumn| {
            json!([name, names, id, data_type.as_ref().map(ToString::to_string), is_partition])
        };
        let all = json!([columns.iter().map(of).collect::<Vec<_>>(), has_field_ids, defaults]);
        let columns_sha256 = sha256(all.to_string().as_bytes());
        TableVersion { format, folder, version, columns, has_field_ids, columns_sha256 }
    }

    /// The place of a column.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|own| own.name == column)
    }

    /// Whether the columns of a file can be told: it has ids of fields, or the table says how columns are called without.
    pub fn tells_columns(&self, parquet: &SchemaDescriptor) -> bool {
        (self.has_field_ids && has_ids(parquet)) || self.columns.iter().any(|column| !column.names.is_empty())
    }

    /// The schema of a file with the names of the table's columns.
    ///
    /// # Errors
    /// If a column cannot be renamed.
    pub fn renamed(&self, parquet: &SchemaDescriptor) -> std::result::Result<SchemaDescriptor, ParquetError> {
        let fields = parquet.root_schema().get_fields();
        let by_id = self.has_field_ids && has_ids(parquet);
        let is_of = |column: &TableColumn, field: &Type| match (by_id, field.get_basic_info()) {
            _ if column.is_partition => false,
            (true, info) => info.has_id() && column.id == Some(info.id()),
            (false, info) => column.names.iter().any(|name| name == info.name()),
        };
        let renamed =
            fields.iter().enumerate().map(|(number, field)| match self.columns.iter().find(|column| is_of(column, field)) {
                Some(column) => with_name(field, &column.name),
                None => with_name(field, &format!("{FOREIGN}{number}")),
            });
        let fields = renamed.collect::<std::result::Result<Vec<_>, _>>()?;
        let root = Type::group_type_builder(parquet.root_schema().name()).with_fields(fields).build()?;
        Ok(SchemaDescriptor::new(Arc::new(root)))
    }
}

/// Whether the columns of a file have ids.
fn has_ids(parquet: &SchemaDescriptor) -> bool {
    parquet.root_schema().get_fields().iter().any(|field| field.get_basic_info().has_id())
}

/// A column of a Parquet schema with another name.
fn with_name(field: &TypePtr, name: &str) -> std::result::Result<TypePtr, ParquetError> {
    let info = field.get_basic_info();
    if info.name() == name {
        return Ok(Arc::clone(field));
    }
    let id = info.has_id().then(|| info.id());
    let renamed = match field.as_ref() {
        Type::PrimitiveType { physical_type, type_length, scale, precision, .. } => {
            Type::primitive_type_builder(name, *physical_type)
                .with_repetition(info.repetition())
                .with_converted_type(info.converted_type())
                .with_logical_type(info.logical_type_ref().cloned())
                .with_length(*type_length)
                .with_precision(*precision)
                .with_scale(*scale)
                .with_id(id)
                .build()?
        }
        Type::GroupType { fields, .. } => Type::group_type_builder(name)
            .with_repetition(info.repetition())
            .with_converted_type(info.converted_type())
            .with_logical_type(info.logical_type_ref().cloned())
            .with_fields(fields.clone())
            .with_id(id)
            .build()?,
    };
    Ok(Arc::new(renamed))
}

impl TableFile {
    /// The error of a file that is not there; `key` is what names the table.
    pub(super) fn gone(&self, name: &str, key: &str) -> Error {
        let TableVersion { format, folder, version, .. } = self.table.as_ref();
        let kind = version.kind();
        Error::input(format!(
            "the {format} table {folder} ({key}) has the file {name} in {version}, which is gone; restore it, or name a {kind} whose files are still there"
        ))
    }

    /// Refuses a column that the file lacks and whose default is not read; `has` says what the file has.
    ///
    /// # Errors
    /// Exit 4 with the default.
    pub fn check_default(&self, name: &str, column: &str, has: impl Fn(&str) -> bool) -> Result<()> {
        let is_it = |own: &str| own == column && !has(own) && !self.constants.iter().any(|(constant, _)| constant == own);
        let Some((_, value)) = self.unread.iter().find(|(own, _)| is_it(own)) else { return Ok(()) };
        let TableVersion { format, folder, .. } = self.table.as_ref();
        Err(Error::input(format!(
            "{name} lacks the column {column:?}, and the {format} table {folder} gives it a default that rfmill does not read: {value}; rewrite the file, or do without that column"
        )))
    }

    /// The type that the table gives a column.
    pub fn type_of(&self, column: &str) -> Option<&DataType> {
        self.table.columns.iter().find(|own| own.name == column)?.data_type.as_ref()
    }

    /// The columns that the file lacks and the log gives a value, with the value; `has` says what the file has.
    pub fn constant(&self, has: impl Fn(&str) -> bool) -> Vec<(String, ArrayRef)> {
        self.constants.iter().filter(|(name, _)| !has(name)).cloned().collect()
    }

    /// The columns that the file lacks and that are null in it, with their types; `has` says what the file has.
    pub fn lacking(&self, has: impl Fn(&str) -> bool) -> Vec<(String, DataType)> {
        let is_constant = |name: &str| self.constants.iter().any(|(constant, _)| constant == name);
        let columns = self.table.columns.iter().filter(|column| !has(&column.name) && !is_constant(&column.name));
        columns.filter_map(|column| Some((column.name.clone(), column.data_type.clone()?))).collect()
    }
}

impl DeletedRows {
    /// These rows, whatever named them.
    pub fn of(rows: RoaringTreemap) -> DeletedRows {
        let mut bytes = Vec::new();
        // Writing into memory does not fail.
        let _ = rows.serialize_into(&mut bytes);
        DeletedRows { sha256: sha256(&bytes), rows }
    }

    /// By row of a file of `rows` rows, whether it counts; `None` if one is deleted that the file does not have, or if it claims to
    /// have more rows than any file with deleted rows.
    pub fn counting(&self, rows: u64) -> Option<BooleanBuffer> {
        if rows > MOST_ROWS || self.rows.max().is_some_and(|last| last >= rows) {
            return None;
        }
        let mut counting = BooleanBufferBuilder::new(rows as usize);
        counting.append_n(rows as usize, true);
        self.rows.iter().for_each(|row| counting.set_bit(row as usize, false));
        Some(counting.finish())
    }
}
