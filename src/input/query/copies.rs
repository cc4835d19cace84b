//! Copies of files that `rfmill-query` cannot read where they lie: those of tables with a log, and Parquet in object stores. A copy
//! has the rows that count, with the names and types of the table.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;
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
                copy(&source, &to, task)?;
            }
            file.copy = Some(to);
            Ok(())
        })
        .collect();
    written.into_iter().collect()
}

fn copy(source: &Source, to: &PathBuf, task: Task) -> Result<()> {
    let schema = schema_of(source);
    let unwritten = |e: ParquetError| Error::output(format!("cannot write {}: {e}; check the disk", to.display())).caused_by(e);
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
