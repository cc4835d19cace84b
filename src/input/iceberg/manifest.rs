//! Manifests: which files a snapshot has, and which of them hold deletes.

use apache_avro::types::Value;
use rayon::prelude::*;

use super::avro::{self, Row};
use super::location::Locations;
use super::metadata::Snapshot;
use crate::error::Result;
use crate::input::damage::corrupt;
use crate::input::lake_table::Table;
use crate::storage::Place;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Rows,
    /// Rows that do not count, by file and position.
    PositionDeletes,
    /// Values of rows that do not count.
    EqualityDeletes,
}

/// The partition of a file.
#[derive(Debug, Clone)]
pub(super) struct Partition {
    pub spec: i64,
    /// By the id of the field.
    pub values: Vec<(i32, Value)>,
}

impl PartialEq for Partition {
    fn eq(&self, other: &Partition) -> bool {
        let are_equal = |(a, b): (&(i32, Value), &(i32, Value))| a.0 == b.0 && same(&a.1, &b.1);
        let is_as_long = self.values.len() == other.values.len();
        self.spec == other.spec && is_as_long && self.values.iter().zip(&other.values).all(are_equal)
    }
}

/// Whether two comparable values are of one partition. What is no number is one value, too.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Double(a), Value::Double(b)) => (a.is_nan() && b.is_nan()) || a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    }
}

/// A file of a snapshot.
#[derive(Debug, Clone)]
pub(super) struct DataFile {
    pub content: Content,
    /// Its place as it was written, by which deletes call it.
    pub path: String,
    pub format: String,
    pub partition: Partition,
    pub rows: i64,
    pub size: i64,
    /// By which deletes are told to be later than rows.
    pub sequence: i64,
    pub is_encrypted: bool,
    /// The columns by which rows are deleted.
    pub equality_ids: Vec<i32>,
    /// The one file whose rows are deleted, if that is said.
    pub referenced: Option<String>,
    /// Where a deletion vector lies in the file: its first byte and its length.
    pub blob: Option<(i64, i64)>,
}

/// A manifest as the list of a snapshot names it.
#[derive(Debug)]
struct Manifest {
    place: Place,
    spec: i64,
    sequence: i64,
}

/// What the states of files are called.
const ADDED: i64 = 1;
const DELETED: i64 = 2;

/// A value of a partition in a form that does not depend on who wrote it, nor on a column that became wider since.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Int(value) | Value::Date(value) => Value::Long(i64::from(*value)),
        Value::TimestampMicros(value)
        | Value::LocalTimestampMicros(value)
        | Value::TimestampNanos(value)
        | Value::LocalTimestampNanos(value)
        | Value::TimeMicros(value) => Value::Long(*value),
        Value::Float(value) => Value::Double(f64::from(*value)),
        Value::Decimal(value) => match Vec::<u8>::try_from(value) {
            Ok(bytes) => Value::Bytes(shortest(&bytes)),
            Err(_) => Value::Decimal(value.clone()),
        },
        value => value.clone(),
    }
}

/// A number in two's complement, the highest byte first, without the bytes that say its sign again.
fn shortest(bytes: &[u8]) -> Vec<u8> {
    let mut rest = bytes;
    while let [first @ (0 | 0xff), second, ..] = rest
        && (*first == 0xff) == (second & 0x80 != 0)
    {
        rest = rest.get(1..).unwrap_or_default();
    }
    rest.to_vec()
}

/// The files of a snapshot, in the order of its manifests.
///
/// # Errors
/// Exit 4 if a manifest cannot be read.
pub(super) fn files(snapshot: &Snapshot, locations: &Locations<'_>, table: &Table<'_>) -> Result<Vec<DataFile>> {
    let mut manifests: Vec<Manifest> = Vec::new();
    match &snapshot.manifest_list {
        Some(list) => avro::read(&locations.of(list)?, |_, row| {
            if row.has("key_metadata") {
                return Err(
                    table.wrong("has encrypted manifests, which rfmill does not read; write its current rows to Parquet files")
                );
            }
            let path = row.needed("manifest_path", row.text("manifest_path")?)?;
            manifests.push(Manifest {
                place: locations.of(path)?,
                spec: row.integer("partition_spec_id")?.unwrap_or(0),
                sequence: row.integer("sequence_number")?.unwrap_or(0),
            });
            Ok(())
        })?,
        None => {
            for path in &snapshot.manifests {
                manifests.push(Manifest { place: locations.of(path)?, spec: 0, sequence: 0 });
            }
        }
    }
    // In the order of the list, so that the first error is always the same one.
    let read: Vec<Result<Vec<DataFile>>> = manifests.par_iter().map(Manifest::files).collect();
    Ok(read.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

impl Manifest {
    fn files(&self) -> Result<Vec<DataFile>> {
        let (mut files, mut ids) = (Vec::new(), None);
        avro::read(&self.place, |schema, row| {
            if ids.is_none() {
                ids = avro::field_ids(schema, &["data_file", "partition"]);
            }
            let ids = row.needed("partition", ids.as_deref())?;
            if row.integer("status")? != Some(DELETED) {
                files.push(self.file(row, ids)?);
            }
            Ok(())
        })?;
        Ok(files)
    }

    fn file(&self, entry: &Row<'_>, partition_ids: &[i32]) -> Result<DataFile> {
        // A file that its manifest added, and one of the first version of the format, has the number of the manifest.
        let sequence = match (entry.integer("sequence_number")?, entry.integer("status")?) {
            (Some(sequence), _) => sequence,
            (None, status) if status == Some(ADDED) || self.sequence == 0 => self.sequence,
            (None, _) => return Err(corrupt(&self.place.to_string(), "a file of it has no sequence number")),
        };
        let file = entry.row("data_file")?;
        let content = match file.integer("content")? {
            None | Some(0) => Content::Rows,
            Some(1) => Content::PositionDeletes,
            Some(2) => Content::EqualityDeletes,
            Some(other) => return Err(corrupt(&self.place.to_string(), format_args!("a file of it has the content {other}"))),
        };
        let partition = file.row("partition")?;
        let values = partition.values().map(comparable);
        Ok(DataFile {
            content,
            path: file.needed("file_path", file.text("file_path")?)?.to_owned(),
            format: file.needed("file_format", file.text("file_format")?)?.to_ascii_uppercase(),
            partition: Partition { spec: self.spec, values: partition_ids.iter().copied().zip(values).collect() },
            rows: file.needed("record_count", file.integer("record_count")?)?,
            size: file.needed("file_size_in_bytes", file.integer("file_size_in_bytes")?)?,
            sequence,
            is_encrypted: file.has("key_metadata"),
            equality_ids: file.integers("equality_ids")?,
            referenced: file.text("referenced_data_file")?.map(str::to_owned),
            blob: file.integer("content_offset")?.zip(file.integer("content_size_in_bytes")?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_compared_by_value() {
        let of = |value: Value| Partition { spec: 0, values: vec![(1000, comparable(&value))] };
        let decimal = |bytes: &[u8]| Value::Decimal(bytes.into());
        for (a, b, are_one) in [
            (Value::Double(f64::NAN), Value::Double(-f64::NAN), true),
            (Value::Float(f32::NAN), Value::Double(f64::NAN), true),
            (Value::Float(1.5), Value::Double(1.5), true),
            (Value::Float(0.1), Value::Double(0.1), false),
            (Value::Double(0.0), Value::Double(-0.0), false),
            (Value::Int(7), Value::Long(7), true),
            (Value::Date(7), Value::Long(7), true),
            (decimal(&[0xff, 0xff, 0x38]), decimal(&[0xff, 0x38]), true),
            (decimal(&[0, 0, 0]), decimal(&[0]), true),
            (decimal(&[0, 0xc8]), decimal(&[0xc8]), false),
            (Value::Null, Value::Long(0), false),
        ] {
            assert_eq!(of(a.clone()) == of(b.clone()), are_one, "{a:?}, {b:?}");
        }
        assert_ne!(of(Value::Null), Partition { spec: 1, values: vec![(1000, Value::Null)] });
    }
}
