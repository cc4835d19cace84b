//! Copies of files that `rfmill-query` cannot read where they lie: those of tables with a log, and Parquet in object stores. A copy of
//! a file of a table has the rows that count, with the names and types of the table; of other files the bytes are copied, so that they
//! are read as on a disk.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, ParquetMetaData, ParquetMetaDataWriter};
use parquet::file::properties::WriterProperties;
use rayon::prelude::*;
use rfmill_query_request::Task;

use super::sources::{OpenSource, SourceFile};
use crate::error::{Error, Result};
use crate::input::reader::FileReader;
use crate::input::schema::read_schema;
use crate::input::source::Source;

/// Rows of a row group, which a writer holds in memory.
const GROUP_ROWS: usize = 1 << 16;

/// Bytes that are copied at once.
const PIECE: usize = 1 << 23;

/// Writes the copies that are needed into `scratch`; to plan a query they need no rows.
///
/// # Errors
/// Exit 4: a file that cannot be read; exit 6: one that cannot be written.
pub(super) fn write(sources: &mut [OpenSource], task: Task, scratch: &Path) -> Result<()> {
    let files = sources.iter_mut().flat_map(|source| &mut source.files).filter(|file| file.to_copy.is_some());
    let numbered: Vec<(usize, &mut SourceFile)> = files.enumerate().collect();
    // In the order of the sources, so that the first error is always the same one.
    let written: Vec<Result<()>> = numbered
        .into_par_iter()
        .map(|(number, file)| {
            let to = scratch.join(format!("source-{number}.parquet"));
            if let Some(source) = file.to_copy.take() {
                match source.input.table {
                    Some(_) => copy(&source, &to, task)?,
                    None => copy_bytes(&source, &to, task)?,
                }
            }
            file.copy = Some(to);
            Ok(())
        })
        .collect();
    written.into_iter().collect()
}

fn unwritten(to: &Path, e: ParquetError) -> Error {
    Error::output(format!("cannot write {}: {e}; check the disk", to.display())).caused_by(e)
}

/// Copies a file whole; to plan a query, its columns alone.
fn copy_bytes(source: &Source, to: &Path, task: Task) -> Result<()> {
    let failed = |e: std::io::Error| unwritten(to, e.into());
    let mut file = File::create(to).map_err(failed)?;
    if task != Task::Run {
        let own = source.metadata.metadata().file_metadata();
        let without_rows = FileMetaData::new(
            own.version(),
            0,
            own.created_by().map(str::to_owned),
            own.key_value_metadata().cloned(),
            own.schema_descr_ptr(),
            own.column_orders().cloned(),
        );
        file.write_all(b"PAR1").map_err(failed)?;
        let metadata = ParquetMetaData::new(without_rows, Vec::new());
        return ParquetMetaDataWriter::new(&mut file, &metadata).finish().map_err(|e| unwritten(to, e));
    }
    let opened = source.reopen()?;
    let (size, mut at, mut piece) = (source.state.size, 0, vec![0; PIECE]);
    while at < size {
        let length = (size - at).min(PIECE as u64);
        let piece = piece.get_mut(..length as usize).unwrap_or_default();
        opened.read_exact_at(piece, at).map_err(|e| e.of(&source.name()))?;
        file.write_all(piece).map_err(failed)?;
        at += length;
    }
    Ok(())
}

fn copy(source: &Source, to: &Path, task: Task) -> Result<()> {
    let schema = schema_of(source);
    let unwritten = |e: ParquetError| unwritten(to, e);
    let file = File::create(to).map_err(|e| unwritten(ParquetError::External(Box::new(e))))?;
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(GROUP_ROWS)).build();
    // The types of Parquet say all; those of Arrow would be read back as they were here.
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(file, Arc::clone(&schema), options).map_err(unwritten)?;
    if task == Task::Run {
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let reader = FileReader::new(source, &names, "")?;
        let (opened, mut buffers) = (source.reopen()?, Vec::new());
        for group in 0..source.metadata.metadata().num_row_groups() {
            reader.read(&opened, group, &mut buffers, |_, columns| {
                let batch = RecordBatch::try_new(Arc::clone(&schema), columns.to_vec());
                let batch =
                    batch.map_err(|e| Error::bug(format!("the rows of {} make no batch: {e}", source.name())).caused_by(e))?;
                writer.write(&batch).map_err(unwritten)
            })?;
        }
    }
    writer.close().map(drop).map_err(unwritten)
}

/// The columns of a copy, all of which may be null. A table calls its plain columns alone by their names of today.
fn schema_of(source: &Source) -> SchemaRef {
    let table = source.input.table.as_deref();
    let schema = read_schema(source);
    let is_copied = |field: &&FieldRef| table.is_none_or(|table| table.type_of(field.name()).is_some());
    let nullable = |field: &FieldRef| field.as_ref().clone().with_nullable(true);
    Arc::new(Schema::new(schema.fields().iter().filter(is_copied).map(nullable).collect::<Vec<_>>()))
}
