//! Rows of Avro files, in which manifests are written.

use std::io::BufReader;

use apache_avro::types::Value;
use apache_avro::{Reader, Schema};

use crate::error::{Error, Result};
use crate::input::damage::{contained, corrupt};
use crate::storage::Place;

/// Reads a file; calls `row` with each of its rows.
///
/// # Errors
/// Exit 4 if it cannot be read, and those of `row`.
pub(super) fn read(file: &Place, mut row: impl FnMut(&Schema, &Row) -> Result<()>) -> Result<()> {
    let name = file.to_string();
    let opened = file.open().map_err(|e| e.of(&name))?;
    let wrong = |e: apache_avro::Error| -> Error { corrupt(&name, &e).caused_by(e) };
    contained(&name, || {
        let reader = Reader::new(BufReader::new(opened.reader(0))).map_err(wrong)?;
        let schema = reader.writer_schema().clone();
        for value in reader {
            match value.map_err(wrong)? {
                Value::Record(fields) => row(&schema, &Row { file: &name, fields: &fields })?,
                _ => return Err(corrupt(&name, "its values are no records")),
            }
        }
        Ok(())
    })
}

/// A record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// The file, for messages.
    file: &'a str,
    fields: &'a [(String, Value)],
}

/// What an optional value holds.
pub(super) fn inner(value: &Value) -> &Value {
    match value {
        Value::Union(_, value) => value,
        value => value,
    }
}

impl<'a> Row<'a> {
    /// A field, if it is there and not null.
    fn field(&self, name: &str) -> Option<&'a Value> {
        let (_, value) = self.fields.iter().find(|(own, _)| own == name)?;
        Some(inner(value)).filter(|value| !matches!(value, Value::Null))
    }

    fn other_form(&self, name: &str) -> Error {
        corrupt(self.file, format_args!("its field {name:?} is missing, or of another form than in manifests of Iceberg"))
    }

    pub fn needed<T>(&self, name: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.other_form(name))
    }

    pub fn has(&self, name: &str) -> bool {
        self.field(name).is_some()
    }

    pub fn integer(&self, name: &str) -> Result<Option<i64>> {
        match self.field(name) {
            None => Ok(None),
            Some(Value::Int(value)) => Ok(Some(i64::from(*value))),
            Some(Value::Long(value)) => Ok(Some(*value)),
            Some(_) => Err(self.other_form(name)),
        }
    }

    pub fn text(&self, name: &str) -> Result<Option<&'a str>> {
        match self.field(name) {
            None => Ok(None),
            Some(Value::String(value)) => Ok(Some(value)),
            Some(_) => Err(self.other_form(name)),
        }
    }

    pub fn integers(&self, name: &str) -> Result<Vec<i32>> {
        let Some(value) = self.field(name) else { return Ok(Vec::new()) };
        let Value::Array(values) = value else { return Err(self.other_form(name)) };
        let integer = |value: &Value| match inner(value) {
            Value::Int(value) => Some(*value),
            Value::Long(value) => i32::try_from(*value).ok(),
            _ => None,
        };
        values.iter().map(|value| self.needed(name, integer(value))).collect()
    }

    pub fn row(&self, name: &str) -> Result<Row<'a>> {
        match self.field(name) {
            Some(Value::Record(fields)) => Ok(Row { file: self.file, fields }),
            _ => Err(self.other_form(name)),
        }
    }

    /// The values in their order.
    pub fn values(&self) -> impl Iterator<Item = &'a Value> {
        self.fields.iter().map(|(_, value)| inner(value))
    }
}

/// The ids of the fields of a record that lies at a path of field names.
pub(super) fn field_ids(schema: &Schema, path: &[&str]) -> Option<Vec<i32>> {
    let record = match schema {
        Schema::Record(record) => record,
        Schema::Union(variants) => return variants.variants().iter().find_map(|variant| field_ids(variant, path)),
        _ => return None,
    };
    let Some((first, rest)) = path.split_first() else {
        let id = |value: &serde_json::Value| value.as_i64().and_then(|id| i32::try_from(id).ok());
        return record.fields.iter().map(|field| field.custom_attributes.get("field-id").and_then(id)).collect();
    };
    field_ids(&record.fields.iter().find(|field| field.name == *first)?.schema, rest)
}
