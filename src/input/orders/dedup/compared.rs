//! The columns by which rows are compared.

use arrow::datatypes::DataType;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::input::column_types::type_name;
use crate::input::schema::read_schema;
use crate::input::source::Source;

/// What makes two rows equal.
#[derive(Debug, Clone, Copy)]
pub(super) enum Compared<'a> {
    /// Equal values in all columns, but for the index that pandas added.
    Rows,
    /// Equal values in these columns.
    Columns(&'a [String]),
}

impl Compared<'_> {
    /// Per file the names of the columns, which must be the same in all files; `named` are those that the job names.
    ///
    /// # Errors
    /// Exit 3 if files differ in them, or a listed one stands in the path.
    pub fn names(self, sources: &[Source], named: &[String]) -> Result<Vec<Vec<String>>> {
        let mut all: Vec<Vec<(String, DataType)>> = Vec::with_capacity(sources.len());
        for source in sources {
            let schema = read_schema(source);
            let field = |name: &String| schema.field_with_name(name).map(|field| (name.clone(), field.data_type().clone()));
            all.push(match self {
                Compared::Columns(names) => {
                    let missing = |name| in_path(source, "orders.dedupe", name);
                    names.iter().map(|name| field(name).map_err(|_| missing(name))).collect::<Result<_>>()?
                }
                Compared::Rows => {
                    let index = index_columns(source);
                    let is_compared = |name: &String| !index.contains(name) || named.contains(name);
                    let names = schema.fields().iter().map(|field| field.name()).filter(|name| is_compared(name));
                    let mut columns: Vec<_> = names.filter_map(|name| field(name).ok()).collect();
                    // Files may have their columns in another order.
                    columns.sort_unstable_by(|a: &(String, _), b| a.0.cmp(&b.0));
                    columns
                }
            });
        }
        check_same(sources, &all)?;
        Ok(all.into_iter().map(|columns| columns.into_iter().map(|(name, _)| name).collect()).collect())
    }
}

/// A column that rows are to be compared by, and that no file holds.
pub(super) fn in_path(source: &Source, key: &str, column: &str) -> Error {
    Error::contract(format!(
        "{}: {key} names the column {column:?}, which stands in the path; name columns of the file",
        source.name()
    ))
}

/// The columns that hold the index of the data frame from which pandas wrote the file.
fn index_columns(source: &Source) -> Vec<String> {
    let metadata = source.metadata.metadata().file_metadata().key_value_metadata();
    let pandas = metadata.into_iter().flatten().find(|entry| entry.key == "pandas").and_then(|entry| entry.value.as_deref());
    let pandas: Option<Value> = pandas.and_then(|text| serde_json::from_str(text).ok());
    let index = pandas.as_ref().and_then(|pandas| pandas.get("index_columns")).and_then(Value::as_array);
    // An index that is no column is an object that describes a range.
    index.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Checks that all files have equal columns, without which rows cannot be compared.
fn check_same(sources: &[Source], columns: &[Vec<(String, DataType)>]) -> Result<()> {
    let mut all = sources.iter().zip(columns);
    let Some((first, want)) = all.next() else { return Ok(()) };
    for (source, got) in all {
        let of = |columns: &[(String, DataType)], name: &str| columns.iter().find(|(n, _)| n == name).map(|(_, t)| type_name(t));
        let (lacked, other) = (want.iter().find(|(n, _)| of(got, n).is_none()), got.iter().find(|(n, _)| of(want, n).is_none()));
        let lacking = lacked.map(|(name, _)| (name, source, first)).or_else(|| other.map(|(name, _)| (name, first, source)));
        if let Some((name, without, with)) = lacking {
            return Err(Error::contract(format!(
                "{} has a column {name:?}, which {} lacks; duplicates can only be told between files with equal columns, so write all files with one schema",
                with.name(),
                without.name()
            )));
        }
        if let Some(((name, a), (_, b))) = want.iter().zip(got).find(|(a, b)| a != b) {
            return Err(Error::contract(format!(
                "column {name:?} is {} in {} but {} in {}; duplicates can only be told between columns of equal types, so write all files with one schema",
                type_name(b),
                source.name(),
                type_name(a),
                first.name(),
            )));
        }
    }
    Ok(())
}
