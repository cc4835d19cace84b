//! A table's file without some of its rows, in the encodings that it had.

use std::fs::File;
use std::path::Path;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding};
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::{EncodedFile, write};
use crate::error::{Error, Kind, Result};

/// What the Arrow library keeps in a file's metadata for itself.
const ARROW_SCHEMA: &str = "ARROW:schema";

/// The rows of a table's file for which `keep` says so. Dictionaries and bounds are made anew, so nothing of other rows stays; the
/// column `id` is not written as a range of integers, which would name those between.
///
/// # Errors
/// Exit 5 if the file cannot be read; those of `keep`.
pub fn filtered(path: &Path, id: &str, mut keep: impl FnMut(&RecordBatch) -> Result<BooleanArray>) -> Result<EncodedFile> {
    let unreadable = |e: &dyn std::fmt::Display| {
        Error::new(Kind::State, format!("{} cannot be read: {e}; see what `rfmill verify` says of the output", path.display()))
    };
    let file = File::open(path).map_err(|e| unreadable(&e).caused_by(e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| unreadable(&e).caused_by(e))?;
    let (schema, metadata) = (builder.schema().clone(), builder.metadata().clone());
    let mut kept = Vec::new();
    for batch in builder.build().map_err(|e| unreadable(&e).caused_by(e))? {
        let batch = batch.map_err(|e| unreadable(&e).caused_by(e))?;
        let rows = filter_record_batch(&batch, &keep(&batch)?).map_err(|e| unreadable(&e).caused_by(e))?;
        kept.push(rows);
    }
    let rows = concat_batches(&schema, &kept).map_err(|e| unreadable(&e).caused_by(e))?;
    drop(kept);
    let bytes = write(&schema, &[&rows], properties(&metadata), Some(id))
        .map_err(|e| Error::bug(format!("{} cannot be written anew: {e}", path.display())).caused_by(e))?;
    Ok(EncodedFile { sha256: crate::hash::sha256(&bytes), rows: rows.num_rows() as u64, bytes })
}

/// How the columns of a file were written.
fn properties(metadata: &ParquetMetaData) -> WriterProperties {
    let file = metadata.file_metadata();
    let own = |entry: &&KeyValue| entry.key != ARROW_SCHEMA;
    let entries: Vec<KeyValue> = file.key_value_metadata().into_iter().flatten().filter(own).cloned().collect();
    let mut properties = WriterProperties::builder()
        .set_created_by("rfmill".into())
        .set_compression(Compression::UNCOMPRESSED)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(entries));
    for column in metadata.row_groups().iter().take(1).flat_map(|group| group.columns()) {
        let path = column.column_path().clone();
        let encodings: Vec<Encoding> = column.encodings().collect();
        let has_dictionary = column.dictionary_page_offset().is_some();
        properties = properties
            .set_column_compression(path.clone(), column.compression())
            .set_column_dictionary_enabled(path.clone(), has_dictionary);
        if !has_dictionary && encodings.contains(&Encoding::DELTA_BINARY_PACKED) {
            properties = properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    properties.build()
}
