//! The rows of customers in a file of a run, and the file without them.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::manifest::TableFile;
use super::people::{Found, People};
use super::staging::Staging;
use crate::error::{Error, Kind, Result};
use crate::tables::{self, EncodedFile};

/// The column of ids.
const ID: &str = "customer_id";

/// What a CSV file for programs that want it begins with.
const BOM: [u8; 3] = *b"\xEF\xBB\xBF";

/// Bytes of a CRM file that are written at once.
const PIECE: usize = 1 << 20;

fn unreadable(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let path = path.display();
    Error::new(Kind::State, format!("{path} cannot be read: {error}; see what `rfmill verify` says of the output"))
        .caused_by(error)
}

/// The customer of each row, if it is one of these.
fn customers(path: &Path, ids: &ArrayRef, people: &People) -> Result<Vec<Option<usize>>> {
    let numbers = DataType::Decimal128(38, 0);
    Ok(match ids.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            let texts = cast(ids, &DataType::Utf8).map_err(|e| unreadable(path, e))?;
            texts.as_string::<i32>().iter().map(|id| people.text(id?)).collect()
        }
        _ => {
            let ids = cast(ids, &numbers).map_err(|e| unreadable(path, e))?;
            ids.as_primitive::<Decimal128Type>().iter().map(|id| people.number(id?)).collect()
        }
    })
}

/// Which customers a file holds.
///
/// # Errors
/// Exit 5 if it cannot be read.
pub(super) fn holds(path: &Path, is_crm: bool, people: &People) -> Result<Found> {
    let mut found = Found::default();
    if is_crm {
        let mut reader = csv_reader(path)?;
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).map_err(|e| unreadable(path, e))? {
            row.get(0).and_then(|cell| people.cell(cell)).into_iter().for_each(|customer| found.add(customer));
        }
        return Ok(found);
    }
    let file = File::open(path).map_err(|e| unreadable(path, e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| unreadable(path, e))?;
    let only = ProjectionMask::columns(builder.parquet_schema(), [ID]);
    for batch in builder.with_projection(only).build().map_err(|e| unreadable(path, e))? {
        let batch = batch.map_err(|e| unreadable(path, e))?;
        let rows = customers(path, id_column(path, &batch)?, people)?;
        rows.into_iter().flatten().for_each(|customer| found.add(customer));
    }
    Ok(found)
}

fn id_column<'a>(path: &Path, batch: &'a RecordBatch) -> Result<&'a ArrayRef> {
    batch.column_by_name(ID).ok_or_else(|| {
        Error::new(Kind::State, format!("{} has no column {ID}; see what `rfmill verify` says of the output", path.display()))
    })
}

/// A table's file without the customers.
///
/// # Errors
/// Exit 5 if it cannot be read.
pub(super) fn table_without(path: &Path, people: &People) -> Result<EncodedFile> {
    tables::filtered(path, ID, |batch| {
        let rows = customers(path, id_column(path, batch)?, people)?;
        Ok(BooleanArray::from_iter(rows.into_iter().map(|customer| Some(customer.is_none()))))
    })
}

fn csv_reader(path: &Path) -> Result<csv::Reader<BufReader<File>>> {
    let file = File::open(path).map_err(|e| unreadable(path, e))?;
    Ok(csv::ReaderBuilder::new().from_reader(BufReader::new(file)))
}

/// Writes a CRM file without the customers.
///
/// # Errors
/// Exit 5 if it cannot be read; exit 6 if it cannot be written.
pub(super) fn crm_without(from: &Path, path: &str, people: &People, staging: &Staging) -> Result<TableFile> {
    let wrong = |e: &dyn std::fmt::Display| Error::bug(format!("a row of the CRM file cannot be written: {e}"));
    let mut start = Vec::with_capacity(BOM.len());
    let file = File::open(from).map_err(|e| unreadable(from, e))?;
    file.take(BOM.len() as u64).read_to_end(&mut start).map_err(|e| unreadable(from, e))?;
    let mut out = staging.begin(path.to_owned())?;
    if start == BOM {
        out.append(&BOM, 0)?;
    }
    let mut reader = csv_reader(from)?;
    let new = || csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::with_capacity(PIECE));
    let (mut writer, mut rows) = (new(), 0);
    let header = reader.byte_headers().map_err(|e| unreadable(from, e))?.clone();
    writer.write_byte_record(&header).map_err(|e| wrong(&e).caused_by(e))?;
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row).map_err(|e| unreadable(from, e))? {
        if row.get(0).is_some_and(|cell| people.cell(cell).is_some()) {
            continue;
        }
        writer.write_record(&row).map_err(|e| wrong(&e).caused_by(e))?;
        rows += 1;
        if rows % 10_000 == 0 {
            let done = std::mem::replace(&mut writer, new());
            out.append(&done.into_inner().map_err(|e| wrong(&e).caused_by(e))?, rows)?;
            rows = 0;
        }
    }
    out.append(&writer.into_inner().map_err(|e| wrong(&e).caused_by(e))?, rows)?;
    out.end()
}
