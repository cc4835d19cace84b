//! Rows of a file as hashes, and as text for messages.

use arrow::array::{Array, ArrayRef};
use arrow::row::{RowConverter, Rows, SortField};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::compared::in_path;
use super::exclusion::ExclusionBitmap;
use crate::error::{Error, Result};
use crate::input::orders::columns::OrderColumns;
use crate::input::orders::partitions::{Partitions, RowVersion};
use crate::input::reader::FileReader;
use crate::input::schema::read_schema;
use crate::input::source::Source;
use crate::job::Job;
use crate::job::raw::RawLatest;

/// What is read of a file.
pub(super) struct Reading<'a> {
    pub job: &'a Job,
    pub columns: &'a OrderColumns,
    /// The columns by which rows are compared.
    pub names: &'a [String],
    /// What tells versions of a row.
    pub latest: Option<&'a RawLatest>,
}

/// Adds the rows of a row group to the partitions, but for those that are excluded; returns how many there are.
pub(super) fn partition_rows(
    reading: &Reading<'_>,
    (source, file, group): (&Source, usize, usize),
    excluded: &ExclusionBitmap,
    partitions: &mut Partitions,
    buffers: &mut Vec<Vec<u8>>,
) -> Result<u64> {
    let customer = &reading.job.raw.orders.customer_id;
    let mut names = reading.names.to_vec();
    if let Some(latest) = reading.latest {
        let schema = read_schema(source);
        if let Some(missing) = latest.key.iter().chain([&latest.by]).find(|name| schema.index_of(name).is_err()) {
            return Err(in_path(source, "orders.latest", missing));
        }
        for name in latest.key.iter().chain([&latest.by, customer]) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    let reader = FileReader::new(source, &names, "")?;
    let at = |name: &String| names.iter().position(|n| n == name).unwrap_or(usize::MAX);
    let handle = source.reopen()?;
    let mut count = 0;
    reader.read(&handle, group, buffers, |first, columns| {
        let named =
            |wanted: &[String]| -> Vec<ArrayRef> { wanted.iter().filter_map(|name| columns.get(at(name)).cloned()).collect() };
        let rows = rows_of(source, &named(reading.names))?;
        let versions = reading.latest.map(|latest| Versions::new(reading, source, latest, &named)).transpose()?;
        for row in 0..rows.num_rows() {
            if excluded.has(first + row as u64) {
                continue;
            }
            let by = versions.as_ref().map(|versions| versions.by.row(row));
            partitions.push(&RowVersion {
                key: versions.as_ref().map_or(0, |versions| versions.key(row)),
                row_hash: xxh3_128(rows.row(row).as_ref()),
                customer: versions.as_ref().map_or(0, |versions| versions.customers[row]),
                by_is_null: versions.as_ref().is_some_and(|versions| versions.by_column.is_null(row)),
                by: by.as_ref().map_or(&[], |by| by.as_ref()),
                file: file as u32,
                row: first + row as u64,
            });
        }
        count += rows.num_rows() as u64;
        partitions.spill_if_over_budget()
    })?;
    Ok(count)
}

/// What tells the versions of the rows of a batch.
struct Versions {
    keys: Rows,
    key_columns: Vec<ArrayRef>,
    by: Rows,
    by_column: ArrayRef,
    /// Hashes of the customers; 0 without one.
    customers: Vec<u64>,
}

impl Versions {
    fn new(
        reading: &Reading<'_>,
        source: &Source,
        latest: &RawLatest,
        named: &dyn Fn(&[String]) -> Vec<ArrayRef>,
    ) -> Result<Versions> {
        let missing = || Error::bug("a column of orders.latest is missing from its batch");
        let key_columns = named(&latest.key);
        let one = |name: &String| named(std::slice::from_ref(name)).pop().ok_or_else(missing);
        let (by_column, customer) = (one(&latest.by)?, one(&reading.job.raw.orders.customer_id)?);
        let customers = rows_of(source, std::slice::from_ref(&customer))?;
        let guests = reading.columns.guests.as_ref();
        let guests = guests.map(|guests| guests.test(&customer, &reading.columns.zone)).transpose()?;
        let is_nobody = |row: usize| customer.is_null(row) || guests.as_ref().is_some_and(|guests| guests[row]);
        let hash = |row: usize| if is_nobody(row) { 0 } else { xxh3_64(customers.row(row).as_ref()).max(1) };
        Ok(Versions {
            keys: rows_of(source, &key_columns)?,
            key_columns,
            by: rows_of(source, std::slice::from_ref(&by_column))?,
            by_column,
            customers: (0..customer.len()).map(hash).collect(),
        })
    }

    /// Hash of the key of a row; 0 if it holds a null.
    fn key(&self, row: usize) -> u128 {
        if self.key_columns.iter().any(|column| column.is_null(row)) {
            return 0;
        }
        xxh3_128(self.keys.row(row).as_ref()).max(1)
    }
}

/// Rows of some columns as canonical bytes.
fn rows_of(source: &Source, columns: &[ArrayRef]) -> Result<Rows> {
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let converter = RowConverter::new(fields).map_err(|e| {
        Error::contract(format!("{}: rows cannot be compared ({e}); drop the nested columns", source.name())).caused_by(e)
    })?;
    converter.convert_columns(columns).map_err(|e| Error::bug(format!("rows cannot be encoded: {e}")).caused_by(e))
}

/// The values of a row in some columns, as text.
///
/// # Errors
/// Exit 4 if the file cannot be read.
pub fn row_text(source: &Source, row: u64, names: &[String]) -> Result<Vec<String>> {
    let mut end = 0;
    let group = (0..source.metadata.metadata().num_row_groups()).find(|group| {
        end += source.group_rows(*group);
        row < end
    });
    let group = group.ok_or_else(|| Error::bug(format!("{} has no row {}", source.name(), row + 1)))?;
    let mut values = Vec::new();
    FileReader::new(source, names, "")?.read(&source.reopen()?, group, &mut Vec::new(), |first, columns| {
        let rows = columns.first().map_or(0, |column| column.len() as u64);
        if (first..first + rows).contains(&row) {
            let options = FormatOptions::default().with_null("null");
            let text = |column: &ArrayRef| {
                let wrong = |e: arrow::error::ArrowError| Error::bug(format!("a value cannot be shown: {e}")).caused_by(e);
                let text =
                    ArrayFormatter::try_new(column.as_ref(), &options).map_err(wrong)?.value((row - first) as usize).to_string();
                Ok(if column.data_type() == &arrow::datatypes::DataType::Utf8View { format!("{text:?}") } else { text })
            };
            values = columns.iter().map(text).collect::<Result<_>>()?;
        }
        Ok(())
    })?;
    Ok(values)
}
