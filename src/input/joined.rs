//! One schema of several files: columns join by name. A column that a file lacks, a column of nulls and a file without rows
//! contradict nothing: they are read as nulls of the type that other files give the column.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::Array;
use arrow::datatypes::DataType;

use super::schema::own_schema;
use super::source::Source;
use super::table_file::is_foreign;
use crate::domain::Warning;

/// What a job wants of the columns of its files.
#[derive(Debug, Default)]
pub(crate) struct SchemaWanted<'a> {
    /// Columns that every file must have.
    pub required: Vec<&'a str>,
    /// Whether every file must have all columns that one has.
    pub requires_all: bool,
    /// Columns that count as null in a file that lacks them, which is said.
    pub optional: Vec<&'a str>,
    /// Columns of dates, columns of numbers, and columns that are only tested: they decide about the type if no file has a value.
    pub dates: Vec<&'a str>,
    pub numbers: Vec<&'a str>,
    pub tested: Vec<&'a str>,
    /// Whether INT96 holds wall-clock time, which naive timestamps do, instead of instants.
    pub has_naive_int96: bool,
}

impl SchemaWanted<'_> {
    /// The type of a column without any value.
    fn type_of_nulls(&self, column: &str) -> DataType {
        match () {
            () if self.dates.contains(&column) => DataType::Date32,
            () if self.numbers.contains(&column) => DataType::Int64,
            () if self.tested.contains(&column) => DataType::Null,
            () => DataType::Utf8View,
        }
    }
}

/// A column of a file.
enum Found {
    Values(DataType),
    /// Nulls only, or no row.
    Nulls(DataType),
}

/// Joins the schemas of files; says which lack an optional column.
pub(super) fn join(sources: &mut [Source], wanted: &SchemaWanted) -> Vec<Warning> {
    for source in sources.iter_mut() {
        source.columns.has_naive_int96 = wanted.has_naive_int96;
    }
    // By file, its columns; a name that is there twice is left to the check of columns.
    let found: Vec<BTreeMap<String, Found>> = sources.iter().map(columns_of).collect();
    let names: BTreeSet<&str> = found.iter().flat_map(|columns| columns.keys().map(String::as_str)).collect();
    let mut warnings = Vec::new();
    for name in names {
        let with_values = found.iter().find_map(|columns| match columns.get(name)? {
            Found::Values(data_type) => Some(data_type.clone()),
            Found::Nulls(_) => None,
        });
        let of_nulls = || {
            found.iter().find_map(|columns| match columns.get(name)? {
                Found::Nulls(data_type) if *data_type != DataType::Null => Some(data_type.clone()),
                _ => None,
            })
        };
        let joined = with_values.or_else(of_nulls).unwrap_or_else(|| wanted.type_of_nulls(name));
        let mut lacking: Vec<String> = Vec::new();
        for (source, columns) in sources.iter_mut().zip(&found) {
            let is_in_path = source.input.partitions.iter().any(|(key, _)| key == name);
            match columns.get(name) {
                Some(Found::Values(_)) => {}
                Some(Found::Nulls(own)) if *own == joined => {}
                Some(Found::Nulls(_)) => source.columns.set_null(name, joined.clone()),
                None if is_in_path || wanted.requires_all || wanted.required.contains(&name) => {}
                None => {
                    source.columns.set_null(name, joined.clone());
                    // Nothing is missing from a file without rows.
                    lacking.extend((source.rows() > 0).then(|| source.input.name.clone()));
                }
            }
        }
        if wanted.optional.contains(&name) && !lacking.is_empty() {
            let (files, first) = (lacking.len() as u64, lacking.swap_remove(0));
            warnings.push(Warning::ColumnMissing { column: name.to_owned(), files, all: sources.len() as u64, first });
        }
    }
    warnings
}

/// The columns of a file by name.
fn columns_of(source: &Source) -> BTreeMap<String, Found> {
    let schema = own_schema(source);
    let of = |(root, field): (usize, &std::sync::Arc<arrow::datatypes::Field>)| {
        let data_type = source.widened(field).unwrap_or_else(|| field.data_type().clone());
        let has_none = source.rows() == 0 || data_type == DataType::Null || is_null_throughout(source, root);
        (field.name().clone(), if has_none { Found::Nulls(data_type) } else { Found::Values(data_type) })
    };
    let own = schema.fields().iter().enumerate().filter(|(_, field)| !is_foreign(field.name())).map(of);
    // What the log of a table says: columns that the file lacks are null in it, and partitions have a value each.
    let lacking = source.columns.nulls.iter().map(|(name, data_type)| (name.clone(), Found::Nulls(data_type.clone())));
    let constants = source.columns.constants.iter().map(|(name, value)| {
        let data_type = value.data_type().clone();
        (name.clone(), if value.null_count() == 1 { Found::Nulls(data_type) } else { Found::Values(data_type) })
    });
    own.chain(lacking).chain(constants).collect()
}

/// Whether statistics say that a column has no value. Who reads it sees whether that is so.
fn is_null_throughout(source: &Source, root: usize) -> bool {
    let parquet = source.metadata.parquet_schema();
    let mut leaves = (0..parquet.num_columns()).filter(|leaf| parquet.get_column_root_idx(*leaf) == root);
    let (Some(leaf), None) = (leaves.next(), leaves.next()) else { return false };
    source.metadata.metadata().row_groups().iter().all(|group| {
        let nulls = group.column(leaf).statistics().and_then(|statistics| statistics.null_count_opt());
        nulls.is_some_and(|nulls| i64::try_from(nulls) == Ok(group.num_rows()))
    })
}
