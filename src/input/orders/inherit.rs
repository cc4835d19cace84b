//! Values that rows take from other rows of their order (`orders.inherit`).
//!
//! Exports of shops often write what belongs to an order on its first line alone. All rows are partitioned by their order, so that a
//! few partitions at a time are in memory, and what a row takes is kept until the row is read.

use std::borrow::Cow;
use std::ops::Range;

use arrow::array::{Array, ArrayRef};
use arrow::compute::{CastOptions, cast, cast_with_options, interleave};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType};
use arrow::row::{RowConverter, SortField};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::OrderColumns;
use super::dedup::{ExclusionBitmap, row_text};
use super::order_keys;
use super::partitions::{PARTITIONS, Partition, Partitions, RowVersion};
use super::row_groups::groups;
use crate::error::{Error, Result};
use crate::input::reader::FileReader;
use crate::input::source::Source;
use crate::input::threads::on_all_threads;
use crate::job::Job;
use crate::memory::{Consumer, MemoryPool};
use crate::progress::Progress;

/// The values that rows of a file take from others.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct InheritedValues(Vec<InheritedColumn>);

/// The values of one column.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct InheritedColumn {
    name: String,
    /// Rows, ascending, and where their values are among the bytes.
    rows: Vec<(u64, Range<usize>)>,
    /// Values in the form of [`RowConverter`].
    bytes: Vec<u8>,
}

/// A row without a value that others of its order have.
struct Heir<'a> {
    file: usize,
    row: u64,
    /// Which of `orders.inherit`.
    column: usize,
    value: Cow<'a, [u8]>,
}

/// Finds what rows take from others; per file.
///
/// # Errors
/// Exit 3 if the other rows of an order differ; exit 4 if a file cannot be read; exit 7 if the memory is too small.
pub fn find(
    job: &Job,
    sources: &[Source],
    columns: &OrderColumns,
    excluded: &[ExclusionBitmap],
    memory: &MemoryPool,
    progress: &dyn Progress,
) -> Result<Vec<InheritedValues>> {
    let names = &job.raw.orders.inherit;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let rows: u64 = sources.iter().map(Source::rows).sum();
    progress.begin("joining lines", rows);
    let tasks = groups(sources);
    let start = || (Partitions::new(memory), Vec::new());
    let run = |(partitions, buffers): &mut (Partitions, Vec<Vec<u8>>), &(file, group): &(usize, usize)| {
        let reading = Reading { job, columns, source: &sources[file], file };
        reading.partition_rows(group, &excluded[file], partitions, buffers)
    };
    let of_threads = on_all_threads(&tasks, start, run, |(partitions, _)| partitions, progress)?;
    let partitions = Partitions::join(of_threads, memory)?;
    // In the order of the partitions, so that of several errors the first is always the same one.
    let found: Vec<Result<Vec<Heir<'static>>>> = (0..PARTITIONS)
        .into_par_iter()
        .with_max_len(1)
        .map(|number| {
            let partition = partitions.partition(number)?;
            let heirs = heirs(&partition, names, sources)?;
            Ok(heirs.into_iter().map(|heir| Heir { value: Cow::Owned(heir.value.into_owned()), ..heir }).collect())
        })
        .collect();
    let mut heirs = Vec::new();
    for found in found {
        heirs.extend(found?);
    }
    let bytes: usize = heirs.iter().map(|heir| 2 * (size_of::<Heir<'_>>() + heir.value.len())).sum();
    memory.try_reserve(Consumer::Parts, bytes as u64, || {
        "Values that rows take from others of their order (orders.inherit)".into()
    })?;
    progress.end(&format!("{} values are taken from other rows", heirs.len()));
    Ok(by_file(heirs, names, sources.len()))
}

/// The values by file, column and row.
fn by_file(mut heirs: Vec<Heir<'_>>, names: &[String], files: usize) -> Vec<InheritedValues> {
    heirs.sort_unstable_by_key(|heir| (heir.file, heir.column, heir.row));
    let mut out = vec![InheritedValues::default(); files];
    for same in heirs.chunk_by(|a, b| (a.file, a.column) == (b.file, b.column)) {
        let Some(first) = same.first() else { continue };
        let mut column = InheritedColumn { name: names[first.column].clone(), rows: Vec::new(), bytes: Vec::new() };
        for heir in same {
            let start = column.bytes.len();
            column.bytes.extend_from_slice(&heir.value);
            column.rows.push((heir.row, start..column.bytes.len()));
        }
        out[first.file].0.push(column);
    }
    out
}

/// The length that stands for a missing value.
const MISSING: u32 = u32::MAX;

/// A file whose rows are partitioned by their order.
struct Reading<'a> {
    job: &'a Job,
    columns: &'a OrderColumns,
    source: &'a Source,
    file: usize,
}

impl Reading<'_> {
    /// Adds the rows of a row group that are not excluded and have an order id; returns how many rows it has.
    fn partition_rows(
        &self,
        group: usize,
        excluded: &ExclusionBitmap,
        partitions: &mut Partitions,
        buffers: &mut Vec<Vec<u8>>,
    ) -> Result<u64> {
        let (ids, inherit) = (self.job.order_id(), &self.job.raw.orders.inherit);
        let names: Vec<String> = ids.iter().chain(inherit).cloned().collect();
        let reader = FileReader::new(self.source, &names, "")?;
        let (mut count, mut low, mut high, mut payload) = (0, Vec::new(), Vec::new(), Vec::new());
        reader.read(&self.source.reopen()?, group, buffers, |first, columns| {
            let (ids, values) = columns.split_at(ids.len());
            order_keys::of(&ids.iter().collect::<Vec<_>>(), &mut low, &mut high, |number, row, id| {
                let column = names.get(number).map_or("", String::as_str);
                self.source.id_too_wide(first + row as u64, column, "orders.order_id", id)
            })?;
            let values =
                values.iter().zip(inherit).map(|(column, name)| self.values(name, column)).collect::<Result<Vec<_>>>()?;
            for row in 0..low.len() {
                if excluded.has(first + row as u64) || ids.iter().any(|column| column.is_null(row)) {
                    continue;
                }
                payload.clear();
                values.iter().for_each(|values| values.write(row, &mut payload));
                let key = u128::from(high[row] as u64) << 64 | u128::from(low[row] as u64);
                // Spread, because partitions are told by the first bits, and integers have few of them.
                let key = xxhash_rust::xxh3::xxh3_128(&key.to_le_bytes()).max(1);
                let (file, row) = (self.file as u32, first + row as u64);
                partitions.push(&RowVersion { key, row_hash: 0, customer: 0, by_is_null: false, by: &payload, file, row });
            }
            count += low.len() as u64;
            partitions.spill_if_over_budget()
        })?;
        Ok(count)
    }

    /// The values of a column; guests are none of a customer.
    fn values(&self, name: &str, column: &ArrayRef) -> Result<Values> {
        let guests = self.columns.guests.as_ref().filter(|_| name == self.job.raw.orders.customer_id);
        let guests = guests.map(|guests| guests.test(column, &self.columns.zone)).transpose()?;
        let nulls = column.logical_nulls();
        let is_missing = |row: usize| {
            nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) || guests.as_ref().is_some_and(|guests| guests[row])
        };
        let missing = (0..column.len()).map(is_missing).collect();
        let wide = cast(column, &widest(column.data_type()));
        let wide = wide.map_err(|e| Error::bug(format!("values cannot be widened: {e}")).caused_by(e))?;
        let rows = converter(column)?.convert_columns(&[wide]);
        let rows = rows.map_err(|e| Error::bug(format!("values cannot be encoded: {e}")).caused_by(e))?;
        Ok(Values { missing, rows })
    }
}

/// The values of a column in a batch.
struct Values {
    missing: Vec<bool>,
    rows: arrow::row::Rows,
}

impl Values {
    fn write(&self, row: usize, to: &mut Vec<u8>) {
        if self.missing[row] {
            to.extend_from_slice(&MISSING.to_le_bytes());
            return;
        }
        let value = self.rows.row(row);
        to.extend_from_slice(&(value.as_ref().len() as u32).to_le_bytes());
        to.extend_from_slice(value.as_ref());
    }
}

/// The type in which values of files are compared, which may differ in their width.
fn widest(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => DataType::Decimal128(DECIMAL128_MAX_PRECISION, *scale),
        integer if integer.is_integer() => DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0),
        float if float.is_floating() => DataType::Float64,
        other => other.clone(),
    }
}

fn converter(column: &ArrayRef) -> Result<RowConverter> {
    RowConverter::new(vec![SortField::new(widest(column.data_type()))]).map_err(|e| {
        Error::contract(format!(
            "a column of orders.inherit is of type {}, which rows cannot take from others; leave it out",
            column.data_type()
        ))
        .caused_by(e)
    })
}

/// The values of a written row.
fn values_of(mut payload: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    std::iter::from_fn(move || {
        let (length, rest) = payload.split_first_chunk()?;
        let length = u32::from_le_bytes(*length);
        if length == MISSING {
            payload = rest;
            return Some(None);
        }
        let (value, rest) = rest.split_at_checked(length as usize)?;
        payload = rest;
        Some(Some(value))
    })
}

/// The rows of a partition that take a value from others.
///
/// # Errors
/// Exit 3 if the others differ.
fn heirs<'a>(partition: &'a Partition, names: &[String], sources: &[Source]) -> Result<Vec<Heir<'a>>> {
    let mut rows: Vec<RowVersion<'_>> = partition.versions().collect();
    rows.sort_unstable_by_key(|row| (row.key, row.file, row.row));
    let mut heirs = Vec::new();
    for order in rows.chunk_by(|a, b| a.key == b.key).filter(|order| order.len() > 1) {
        for (column, name) in names.iter().enumerate() {
            let value = |row: &RowVersion<'a>| values_of(row.by).nth(column).flatten();
            let Some(first) = order.iter().find(|row| value(row).is_some()) else { continue };
            let missing: Vec<&RowVersion<'_>> = order.iter().filter(|row| value(row).is_none()).collect();
            let Some(heir) = missing.first() else { continue };
            if let Some(other) = order.iter().find(|row| value(row).is_some_and(|found| Some(found) != value(first))) {
                return Err(differing(name, heir, [first, other], sources));
            }
            for heir in &missing {
                let value = Cow::Borrowed(value(first).unwrap_or_default());
                heirs.push(Heir { file: heir.file as usize, row: heir.row, column, value });
            }
        }
    }
    Ok(heirs)
}

#[cold]
fn differing(name: &str, heir: &RowVersion<'_>, others: [&RowVersion<'_>; 2], sources: &[Source]) -> Error {
    let place = |row: &RowVersion<'_>| {
        let source = &sources[row.file as usize];
        format!("row {} of {}", source.row_number(row.row), source.name())
    };
    let mut found = Vec::new();
    for other in others {
        match row_text(&sources[other.file as usize], other.row, &[name.to_owned()]) {
            Ok(values) => found.push(format!("{} in {}", values.concat(), place(other))),
            Err(error) => return error,
        }
    }
    Error::contract(format!(
        "{} has no {name:?}, and other rows of its order have different ones ({}); correct them, or take {name:?} out of orders.inherit",
        place(heir),
        found.join(", ")
    ))
}

impl InheritedValues {
    /// The columns of a batch with the values that its rows take; `None` if they take none. `first` is the first row of the batch
    /// within the file, `names` are those of the columns.
    pub fn apply(&self, first: u64, names: &[String], columns: &[ArrayRef]) -> Result<Option<Vec<ArrayRef>>> {
        let mut patched: Option<Vec<ArrayRef>> = None;
        for inherited in &self.0 {
            let Some(at) = names.iter().position(|name| *name == inherited.name) else { continue };
            let Some(column) = columns.get(at) else { continue };
            let start = inherited.rows.partition_point(|(row, _)| *row < first);
            let end = inherited.rows.partition_point(|(row, _)| *row < first + column.len() as u64);
            if start < end {
                let filled = inherited.fill(column, first, &inherited.rows[start..end])?;
                patched.get_or_insert_with(|| columns.to_vec())[at] = filled;
            }
        }
        Ok(patched)
    }
}

impl InheritedColumn {
    /// The column with the values of some rows.
    fn fill(&self, column: &ArrayRef, first: u64, rows: &[(u64, Range<usize>)]) -> Result<ArrayRef> {
        let wrong = |e: arrow::error::ArrowError| Error::bug(format!("inherited values cannot be read: {e}")).caused_by(e);
        let converter = converter(column)?;
        let parser = converter.parser();
        let values = rows.iter().map(|(_, bytes)| parser.parse(self.bytes.get(bytes.clone()).unwrap_or_default()));
        let values = converter.convert_rows(values).map_err(wrong)?.pop().ok_or_else(|| Error::bug("no inherited values"))?;
        let values = cast_with_options(&values, column.data_type(), &CastOptions { safe: false, ..CastOptions::default() });
        let values = values.map_err(|e| {
            let column = &self.name;
            Error::contract(format!(
                "a value of {column:?} (orders.inherit) does not fit the type that it has in another file ({e}); write all files with one schema"
            ))
            .caused_by(e)
        })?;
        let mut places: Vec<(usize, usize)> = (0..column.len()).map(|row| (0, row)).collect();
        for (value, (row, _)) in rows.iter().enumerate() {
            places[(row - first) as usize] = (1, value);
        }
        interleave(&[column.as_ref(), values.as_ref()], &places).map_err(wrong)
    }
}
