//! Reads the tables of a committed run.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Date32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::manifest::TableEntry;
use crate::domain::Day;
use crate::error::{Error, Kind, Result};

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

/// The rows of a table of the run in `folder`, file by file. Every file begins with a batch without rows, so that an empty table
/// shows its columns.
///
/// # Errors
/// Exit 5 for a file that cannot be read.
pub fn table_batches<'a>(folder: &'a Path, table: &'a TableEntry) -> impl Iterator<Item = Result<TableBatch>> + 'a {
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

/// The date of `table/as_of=2024-12-31/part-000.parquet`.
fn as_of_in(path: &str) -> Option<Day> {
    path.split('/').find_map(|part| Day::parse(part.strip_prefix("as_of=")?))
}

/// The batches of a file, the first one without rows.
struct FileBatches {
    path: PathBuf,
    empty: Option<RecordBatch>,
    reader: ParquetRecordBatchReader,
}

impl FileBatches {
    fn open(path: PathBuf) -> Result<FileBatches> {
        let source = File::open(&path).map_err(|e| unreadable(&path, e))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(source).map_err(|e| unreadable(&path, e))?;
        let empty = Some(RecordBatch::new_empty(builder.schema().clone()));
        let reader = builder.build().map_err(|e| unreadable(&path, e))?;
        Ok(FileBatches { path, empty, reader })
    }
}

impl Iterator for FileBatches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        match self.empty.take() {
            Some(empty) => Some(Ok(empty)),
            None => Some(self.reader.next()?.map_err(|e| unreadable(&self.path, e))),
        }
    }
}

fn unreadable(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Kind::State, format!("{} cannot be read: {error}; restore it or run the job again", path.display()))
        .caused_by(error)
}
