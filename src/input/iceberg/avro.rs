//! Rows of Avro files, in which manifests are written.

use std::collections::HashSet;
use std::io::BufReader;

use apache_avro::schema::{InnerDecimalSchema, Name};
use apache_avro::types::Value;
use apache_avro::{Reader, Schema};

use crate::error::{Error, Result};
use crate::input::damage::{contained, corrupt};
use crate::storage::Place;

/// Most bytes of a block, and of the values of one field, once they are decoded.
const MOST_BYTES: usize = 1 << 26;

/// Deepest records within each other; those of manifests are four deep.
const MOST_DEPTH: usize = 8;

/// Reads a file; calls `row` with each of its rows.
///
/// # Errors
/// Exit 4 if it cannot be read, and those of `row`.
pub(super) fn read(file: &Place, mut row: impl FnMut(&Schema, &Row) -> Result<()>) -> Result<()> {
    let name = file.to_string();
    let opened = file.open().map_err(|e| e.of(&name))?;
    let wrong = |e: apache_avro::Error| -> Error { corrupt(&name, &e).caused_by(e) };
    contained(&name, || {
        // The first call counts, and all are alike.
        apache_avro::util::max_allocation_bytes(MOST_BYTES);
        let reader = Reader::new(BufReader::new(opened.reader(0))).map_err(wrong)?;
        let schema = reader.writer_schema().clone();
        if !matches!(schema, Schema::Record(_))
            || !has_bytes(&schema)
            || !is_known(&schema, MOST_DEPTH, false, &mut HashSet::new())
        {
            return Err(corrupt(&name, "its schema has a form that those of manifests do not have"));
        }
        for value in reader {
            match value.map_err(wrong)? {
                Value::Record(fields) => row(&schema, &Row { file: &name, fields: &fields })?,
                _ => return Err(corrupt(&name, "its values are no records")),
            }
        }
        Ok(())
    })
}

/// Whether a schema is of the forms that manifests have. The library decodes whatever a schema says: records that hold themselves
/// without end, and items that take no bytes, of which a few bytes hold any number. `plain` are the names of types that may recur.
fn is_known(schema: &Schema, depth: usize, is_in_list: bool, plain: &mut HashSet<Name>) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match schema {
        Schema::Record(record) => record.fields.iter().all(|field| is_known(&field.schema, depth, is_in_list, plain)),
        Schema::Union(union) => union.variants().iter().all(|variant| is_known(variant, depth + 1, is_in_list, plain)),
        Schema::Array(array) => !is_in_list && has_bytes(&array.items) && is_known(&array.items, depth, true, plain),
        // The key of an entry has bytes.
        Schema::Map(map) => !is_in_list && is_known(&map.types, depth, true, plain),
        Schema::Ref { name } => plain.contains(name),
        other => {
            plain.extend(other.name().cloned());
            true
        }
    }
}

/// Whether a value of a schema takes a byte at least.
fn has_bytes(schema: &Schema) -> bool {
    match schema {
        Schema::Null | Schema::Ref { .. } => false,
        Schema::Fixed(fixed) => fixed.size > 0,
        Schema::Decimal(decimal) => !matches!(&decimal.inner, InnerDecimalSchema::Fixed(fixed) if fixed.size == 0),
        Schema::Record(record) => record.fields.iter().any(|field| has_bytes(&field.schema)),
        _ => true,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    use crate::temp::tempdir;

    /// A file of one block: a schema, and the bytes of one value.
    fn file(schema: &Json, value: &[u8]) -> Vec<u8> {
        // Numbers are written doubled, and in groups of seven bits.
        let long = |number: usize| -> Vec<u8> {
            let (mut rest, mut bytes) = (2 * number, Vec::new());
            while rest > 0x7f {
                bytes.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            bytes.push(rest as u8);
            bytes
        };
        let text = |text: &str| [long(text.len()), text.as_bytes().to_vec()].concat();
        let sync = [7; 16].to_vec();
        let head = [b"Obj\x01".to_vec(), long(1), text("avro.schema"), text(&schema.to_string()), long(0), sync.clone()].concat();
        [head, long(1), long(value.len()), value.to_vec(), sync].concat()
    }

    fn rows(schema: &Json, value: &[u8]) -> Result<usize> {
        let folder = tempdir().unwrap();
        let path = folder.path().join("a.avro");
        std::fs::write(&path, file(schema, value)).unwrap();
        let mut rows = 0;
        read(&Place::Local(path), |_, _| {
            rows += 1;
            Ok(())
        })?;
        Ok(rows)
    }

    fn record(fields: &[(&str, Json)]) -> Json {
        let fields: Vec<Json> = fields.iter().map(|(name, schema)| json!({ "name": name, "type": schema })).collect();
        json!({ "type": "record", "name": "entry", "fields": fields })
    }

    #[test]
    fn schemas_that_decode_without_end_are_refused() {
        let list = |items: Json| json!({ "type": "array", "items": items });
        let fixed = json!({ "type": "fixed", "name": "uuid_fixed", "size": 2 });
        // One number; two fields of one named type; a list of two numbers.
        assert_eq!(rows(&record(&[("a", json!("long"))]), &[2]).unwrap(), 1);
        assert_eq!(rows(&record(&[("a", fixed), ("b", json!("uuid_fixed"))]), &[1, 2, 3, 4]).unwrap(), 1);
        assert_eq!(rows(&record(&[("a", json!(["null", list(json!("long"))]))]), &[2, 4, 2, 4, 0]).unwrap(), 1);
        let many = [0xfe, 0xff, 0xff, 0xff, 0x0f, 0];
        for (schema, value) in [
            (record(&[("a", json!("entry"))]), &[][..]),
            (record(&[("a", json!(["null", "entry"]))]), &[2u8; 1 << 16][..]),
            (record(&[("a", list(json!("null")))]), &many[..]),
            (record(&[("a", list(json!({ "type": "fixed", "name": "f", "size": 0 })))]), &many[..]),
            (record(&[("a", list(json!({ "type": "record", "name": "r", "fields": [] })))]), &many[..]),
            (record(&[("a", list(list(json!("long"))))]), &[2u8, 0, 0][..]),
            (record(&[("a", json!("null"))]), &[][..]),
            (json!("long"), &[2u8][..]),
        ] {
            let refused = rows(&schema, value).unwrap_err().to_string();
            assert!(refused.contains("a form that those of manifests do not have"), "{schema}: {refused}");
        }
        // 2^29 numbers are more than may be decoded at once.
        assert!(rows(&record(&[("a", list(json!("long")))]), &[0x80, 0x80, 0x80, 0x80, 0x04, 0]).is_err());
    }
}
