//! Reads the tables of a committed run.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{Date32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::reader::ChunkReader;

use super::manifest::TableEntry;
use crate::domain::Day;
use crate::error::{Error, Kind, Result};
use crate::storage::{Place, ReadError};

/// Rows of a table.
#[derive(Debug)]
pub struct TableBatch {
    /// The date in the path of the file, where the rows have it there alone.
    pub as_of: Option<Day>,
    /// The rows.
    pub rows: RecordBatch,
}

impl TableBatch {
    /// The rows with the date of the path in their first column, `as_of`.
    ///
    /// # Errors
    /// Exit 1 if the batch cannot be made.
    pub fn with_as_of(self) -> Result<RecordBatch> {
        let Some(day) = self.as_of.filter(|_| self.rows.column_by_name("as_of").is_none()) else { return Ok(self.rows) };
        let rows = self.rows;
        let schema = rows.schema();
        let field = Arc::new(Field::new("as_of", DataType::Date32, false));
        let fields: Vec<_> = std::iter::once(field).chain(schema.fields().iter().cloned()).collect();
        let days = Arc::new(Date32Array::from_value(day.0, rows.num_rows())) as _;
        let columns = std::iter::once(days).chain(rows.columns().iter().cloned()).collect();
        let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
        RecordBatch::try_new(Arc::new(schema), columns)
            .map_err(|e| Error::bug(format!("a date cannot be added to a table: {e}")).caused_by(e))
    }
}

/// The rows of a table of the run in `folder`, file by file; an object is read as a whole. Every file begins with a batch without rows, so that an empty table
/// shows its columns.
///
/// # Errors
/// Exit 5 for a file that cannot be read.
pub fn table_batches<'a>(folder: &'a Place, table: &'a TableEntry) -> impl Iterator<Item = Result<TableBatch>> + 'a {
    // The same rows lie in one file and once more by as-of date.
    let files = table.files.iter().filter(|file| !file.path.starts_with("partitions/"));
    files.flat_map(|file| {
        let as_of = as_of_in(&file.path);
        let (batches, error) = match FileBatches::open(folder.join(&file.path)) {
            Ok(batches) => (Some(batches), None),
            Err(error) => (None, Some(Err(error))),
        };
        let rows = batches.into_iter().flatten().chain(error);
        rows.map(move |rows| rows.map(|rows| TableBatch { as_of, rows }))
    })
}

/// What a Parquet file says of itself; of an object no more is read than its end.
///
/// # Errors
/// Those of the file or the store.
pub fn parquet_metadata(place: &Place) -> std::result::Result<ArrowReaderMetadata, ParquetError> {
    let options = ArrowReaderOptions::default();
    if let Place::Local(path) = place {
        return ArrowReaderMetadata::load(&File::open(path)?, options);
    }
    let external = |e: ReadError| ParquetError::External(Box::new(e));
    let file = place.open().map_err(external)?;
    let size = file.state.size;
    let mut wanted = size.min(FOOTER);
    loop {
        let mut end = vec![0; wanted as usize];
        file.read_exact_at(&mut end, size - wanted).map_err(external)?;
        let mut reader = ParquetMetaDataReader::new();
        match reader.try_parse_sized(&Bytes::from(end), size).and_then(|()| reader.finish()) {
            Ok(metadata) => return ArrowReaderMetadata::try_new(Arc::new(metadata), options),
            Err(ParquetError::NeedMoreData(more)) if more as u64 > wanted && more as u64 <= size => wanted = more as u64,
            Err(e) => return Err(e),
        }
    }
}

/// Bytes in which most footers lie.
const FOOTER: u64 = 1 << 16;

/// The date of `table/as_of=2024-12-31/part-000.parquet`.
fn as_of_in(path: &str) -> Option<Day> {
    path.split('/').find_map(|part| Day::parse(part.strip_prefix("as_of=")?))
}

/// The batches of a file, the first one without rows.
struct FileBatches {
    place: Place,
    empty: Option<RecordBatch>,
    reader: ParquetRecordBatchReader,
}

impl FileBatches {
    fn open(place: Place) -> Result<FileBatches> {
        let opened = match &place {
            Place::Local(path) => reader(File::open(path).map_err(|e| unreadable(&place, e))?),
            Place::Object(_) => reader(Bytes::from(place.read().map_err(|e| unreadable(&place, e))?)),
        };
        let (empty, reader) = opened.map_err(|e| unreadable(&place, e))?;
        Ok(FileBatches { place, empty: Some(empty), reader })
    }
}

/// A batch without rows, and a reader of all.
fn reader(source: impl ChunkReader + 'static) -> std::result::Result<(RecordBatch, ParquetRecordBatchReader), ParquetError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(source)?;
    let empty = RecordBatch::new_empty(builder.schema().clone());
    Ok((empty, builder.build()?))
}

impl Iterator for FileBatches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        match self.empty.take() {
            Some(empty) => Some(Ok(empty)),
            None => Some(self.reader.next()?.map_err(|e| unreadable(&self.place, e))),
        }
    }
}

fn unreadable(place: &Place, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Kind::State, format!("{place} cannot be read: {error}; restore it or run the job again")).caused_by(error)
}
