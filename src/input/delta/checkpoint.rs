//! Checkpoints in Parquet: a row per action, in columns named as its fields.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type};

use super::action::{Action, Add, Metadata, Protocol, Sidecar, Vector};
use crate::error::{Error, Result};
use crate::input::damage::corrupt;
use crate::input::input_path::InputPath;
use crate::input::reader::FileReader;
use crate::input::schema::own_schema;
use crate::input::source::Source;
use crate::storage::Place;

/// The columns that are read, and of each the fields.
const COLUMNS: [(&str, &[&str]); 4] = [
    ("add", &["path", "partitionValues", "size", "deletionVector"]),
    ("metaData", &["schemaString", "partitionColumns", "configuration"]),
    ("protocol", &["minReaderVersion", "readerFeatures", "writerFeatures"]),
    ("sidecar", &["path"]),
];

/// Calls `take` with the actions of a file.
///
/// # Errors
/// Exit 4 if it cannot be read.
pub(super) fn read(file: &Place, key: &'static str, take: &mut dyn FnMut(Action) -> Result<()>) -> Result<()> {
    let input = InputPath::plain(file.to_string(), file.clone(), key);
    let source = Source::open(input, None)?;
    let schema = own_schema(&source);
    let there = |name: &&str| schema.index_of(name).is_ok();
    let names: Vec<String> = COLUMNS.iter().map(|(name, _)| *name).filter(there).map(str::to_owned).collect();
    let is_wanted = |path: &parquet::schema::types::ColumnPath| match path.parts() {
        [root, field, ..] => COLUMNS.iter().any(|(name, fields)| root == name && fields.contains(&field.as_str())),
        _ => false,
    };
    let reader = FileReader::new(&source, &names, "")?.with_leaves(is_wanted);
    let (handle, mut buffers) = (source.reopen()?, Vec::new());
    for group in 0..source.metadata.metadata().num_row_groups() {
        reader.read(&handle, group, &mut buffers, |_, columns| {
            let mut actions = Vec::with_capacity(columns.len());
            for (name, column) in names.iter().zip(columns) {
                let rows = column.as_struct_opt().ok_or_else(|| {
                    Error::input(format!(
                        "{} has a column {name:?} of another form than checkpoints of Delta have; restore the file",
                        source.name()
                    ))
                })?;
                actions.push((name.as_str(), Fields { rows, file: &source }));
            }
            let rows = columns.first().map_or(0, |column| column.len());
            for row in 0..rows {
                for (name, fields) in actions.iter().filter(|(_, fields)| fields.rows.is_valid(row)) {
                    take(fields.action(name, row)?)?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// The fields of a column of actions.
struct Fields<'a> {
    rows: &'a StructArray,
    file: &'a Source,
}

impl<'a> Fields<'a> {
    fn action(&self, name: &str, row: usize) -> Result<Action> {
        let mut action = Action::default();
        match name {
            "add" => {
                action.add = Some(Add {
                    path: self.needed("path", self.text("path", row)?)?,
                    partition_values: self.texts_by_name("partitionValues", row)?,
                    size: self.needed("size", self.integer("size", row)?)?,
                    deletion_vector: self.vector(row)?,
                });
            }
            "metaData" => {
                action.meta_data = Some(Metadata {
                    schema_string: self.needed("schemaString", self.text("schemaString", row)?)?,
                    partition_columns: self.texts("partitionColumns", row)?.unwrap_or_default(),
                    configuration: self.texts_by_name("configuration", row)?,
                });
            }
            "protocol" => {
                action.protocol = Some(Protocol {
                    min_reader_version: self.needed("minReaderVersion", self.integer("minReaderVersion", row)?)?,
                    reader_features: self.texts("readerFeatures", row)?,
                    writer_features: self.texts("writerFeatures", row)?,
                });
            }
            _ => action.sidecar = Some(Sidecar { path: self.needed("path", self.text("path", row)?)? }),
        }
        Ok(action)
    }

    fn vector(&self, row: usize) -> Result<Option<Vector>> {
        let Some(rows) = self.column("deletionVector", row) else { return Ok(None) };
        let rows = rows.as_struct_opt().ok_or_else(|| self.other_form("deletionVector"))?;
        let fields = Fields { rows, file: self.file };
        // Writers of checkpoints may write a struct of nulls where there is none.
        let Some(storage_type) = fields.text("storageType", row)? else { return Ok(None) };
        Ok(Some(Vector {
            storage_type,
            path_or_inline_dv: fields.needed("pathOrInlineDv", fields.text("pathOrInlineDv", row)?)?,
            offset: fields.integer("offset", row)?,
            size_in_bytes: fields.needed("sizeInBytes", fields.integer("sizeInBytes", row)?)?,
            cardinality: fields.needed("cardinality", fields.integer("cardinality", row)?)?,
        }))
    }

    /// A field, if it is there and not null.
    fn column(&self, name: &str, row: usize) -> Option<&'a ArrayRef> {
        self.rows.column_by_name(name).filter(|column| column.is_valid(row) && *column.data_type() != DataType::Null)
    }

    fn needed<T>(&self, name: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| corrupt(&self.file.name(), format_args!("an action of it has no {name:?}")))
    }

    fn other_form(&self, name: &str) -> Error {
        corrupt(&self.file.name(), format_args!("its field {name:?} is of another form than in checkpoints of Delta"))
    }

    fn text(&self, name: &str, row: usize) -> Result<Option<String>> {
        self.column(name, row).map(|column| text_in(column, row).ok_or_else(|| self.other_form(name))).transpose()
    }

    fn integer(&self, name: &str, row: usize) -> Result<Option<i64>> {
        let Some(column) = self.column(name, row) else { return Ok(None) };
        match (column.as_primitive_opt::<Int64Type>(), column.as_primitive_opt::<Int32Type>()) {
            (Some(values), _) => Ok(Some(values.value(row))),
            (_, Some(values)) => Ok(Some(i64::from(values.value(row)))),
            _ => Err(self.other_form(name)),
        }
    }

    fn texts(&self, name: &str, row: usize) -> Result<Option<Vec<String>>> {
        let Some(column) = self.column(name, row) else { return Ok(None) };
        let values = column.as_list_opt::<i32>().ok_or_else(|| self.other_form(name))?.value(row);
        let texts = (0..values.len()).map(|at| text_in(&values, at).ok_or_else(|| self.other_form(name)));
        Ok(Some(texts.collect::<Result<_>>()?))
    }

    fn texts_by_name(&self, name: &str, row: usize) -> Result<BTreeMap<String, Option<String>>> {
        let Some(column) = self.column(name, row) else { return Ok(BTreeMap::new()) };
        let entries = column.as_map_opt().ok_or_else(|| self.other_form(name))?.value(row);
        let [keys, values] = entries.columns() else { return Err(self.other_form(name)) };
        let entry = |at: usize| {
            let key = text_in(keys, at).ok_or_else(|| self.other_form(name))?;
            let value = match values.is_null(at) {
                true => None,
                false => Some(text_in(values, at).ok_or_else(|| self.other_form(name))?),
            };
            Ok((key, value))
        };
        (0..entries.len()).map(entry).collect()
    }
}

/// The text in a row; none if the column has other values.
fn text_in(column: &ArrayRef, row: usize) -> Option<String> {
    match column.data_type() {
        DataType::Utf8 => Some(column.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Some(column.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Some(column.as_string_view().value(row).to_owned()),
        DataType::Binary => String::from_utf8(column.as_binary::<i32>().value(row).to_vec()).ok(),
        _ => None,
    }
}
