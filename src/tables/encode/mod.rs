//! From Arrow batches to the bytes of a Parquet file.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;

mod chunk;
mod filtered;

pub use filtered::filtered;

use super::definition::{ColumnType, TableDefinition};
use crate::domain::IdType;
use crate::error::{Error, Result};

/// Version of the tables' layout; it changes when a column changes its meaning or type.
const SCHEMA_VERSION: &str = "2";

/// Key of what a row stands for in the metadata of a table's files.
pub const ONE_ROW_PER: &str = "one_row_per";

/// Rows of a row group, at most.
const ROW_GROUP: usize = 1 << 20;

/// Fewer rows are not worth a compressor.
const SMALL: usize = 256;

/// A file in memory.
#[derive(Debug, Clone)]
pub struct EncodedFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256.
    pub sha256: String,
    /// Its rows.
    pub rows: u64,
}

/// Encodes the batches of a table, one after the other.
///
/// The bytes depend on the rows, the table and the job's name alone.
///
/// # Errors
/// Exit 1 if Arrow refuses what we built.
pub fn encode(table: &TableDefinition, schema: &SchemaRef, batches: &[&RecordBatch], job: &str) -> Result<EncodedFile> {
    let wrong = |e: &dyn std::fmt::Display| Error::bug(format!("table {} cannot be encoded: {e}", table.name));
    let level = ZstdLevel::try_new(1).map_err(|e| wrong(&e).caused_by(e))?;
    let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
    let mut properties = WriterProperties::builder()
        .set_created_by("rfmill".into())
        .set_compression(if rows < SMALL { Compression::UNCOMPRESSED } else { Compression::ZSTD(level) })
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(vec![
            KeyValue::new("schema_version".into(), Some(SCHEMA_VERSION.into())),
            KeyValue::new("job".into(), Some(job.into())),
            KeyValue::new(ONE_ROW_PER.into(), Some(table.one_row_per.into())),
        ]));
    let is_null = |name: &str| {
        let mut columns = batches.iter().filter_map(|batch| batch.column_by_name(name));
        columns.all(|column| column.null_count() == column.len())
    };
    for field in &table.columns {
        let path = ColumnPath::from(field.name.clone());
        // A dictionary costs a look-up per value; integers pack as well by their differences, and money hardly repeats.
        // Workload W1 of `benches/README.md` writes 8.3 MB with differences alone and 8.5 MB with money under Zstandard.
        match field.kind {
            ColumnType::Date | ColumnType::Int32 | ColumnType::Int64 | ColumnType::Decimal(..=18, _) => {
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
                    .set_column_compression(path, Compression::UNCOMPRESSED);
            }
            ColumnType::Id(IdType::Text | IdType::Decimal(19..)) | ColumnType::Decimal(..) | ColumnType::Double => {
                properties = properties.set_column_dictionary_enabled(path, false);
            }
            ColumnType::Id(_) => {
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
            }
            // A dictionary without a name is a page without a byte, which fastparquet cannot read.
            ColumnType::State | ColumnType::Text if is_null(&field.name) => {
                properties = properties.set_column_dictionary_enabled(path, false);
            }
            _ => {}
        }
    }
    let bytes = write(schema, batches, properties.build(), None).map_err(|e| wrong(&e).caused_by(e))?;
    let sha256 = crate::hash::sha256(&bytes);
    Ok(EncodedFile { sha256, rows: rows as u64, bytes })
}

/// An encoded column of a row group.
enum ColumnChunk {
    Packed(chunk::EncodedChunk),
    Arrow(ArrowColumnChunk),
}

impl ColumnChunk {
    fn of(field: &Field, array: &ArrayRef, mut writer: ArrowColumnWriter) -> parquet::errors::Result<ColumnChunk> {
        for leaf in compute_leaves(field, array)? {
            writer.write(&leaf)?;
        }
        writer.close().map(ColumnChunk::Arrow)
    }
}

/// The batches as a file; their columns are encoded by [`chunk`] where that can, but for `left`, if there is one.
fn write(
    schema: &SchemaRef,
    batches: &[&RecordBatch],
    properties: WriterProperties,
    left: Option<&str>,
) -> parquet::errors::Result<Vec<u8>> {
    let of_columns = properties.clone();
    let compression = |path: &ColumnPath| of_columns.compression(path);
    let (mut file, factory) = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))?.into_serialized_writer()?;
    let columns = file.schema_descr().columns().to_vec();
    let starts = |rows: usize| (0..rows).step_by(ROW_GROUP);
    let groups = batches.iter().flat_map(|batch| starts(batch.num_rows()).map(move |start| (batch, start)));
    for (number, (batch, start)) in groups.enumerate() {
        let rows = batch.slice(start, (batch.num_rows() - start).min(ROW_GROUP));
        // A thread that has no work of its own takes columns of others.
        let own = rows.columns().par_iter().zip(&columns).with_max_len(1);
        let own = own.map(|(array, descr)| match left == Some(descr.name()) {
            true => Ok(None),
            false => chunk::encode(array, descr, compression(descr.path())),
        });
        let own: Vec<Option<chunk::EncodedChunk>> = own.collect::<parquet::errors::Result<_>>()?;
        // Writers bring their compressors along, which take longer than a small column.
        let writers = if own.iter().all(Option::is_some) { Vec::new() } else { factory.create_column_writers(number)? };
        let mut writers = writers.into_iter();
        let fields: Vec<_> = own.into_iter().map(|own| (own, writers.next())).zip(schema.fields()).zip(rows.columns()).collect();
        let chunks = fields.into_par_iter().with_max_len(1).map(|(((own, writer), field), array)| match (own, writer) {
            (Some(own), _) => Ok(ColumnChunk::Packed(own)),
            (None, Some(writer)) => ColumnChunk::of(field, array, writer),
            (None, None) => Err(ParquetError::General(format!("the column {:?} has no writer", field.name()))),
        });
        let chunks: Vec<ColumnChunk> = chunks.collect::<parquet::errors::Result<_>>()?;
        let mut group = file.next_row_group()?;
        for chunk in chunks {
            match chunk {
                ColumnChunk::Packed((bytes, close)) => group.append_column(&bytes, close)?,
                ColumnChunk::Arrow(chunk) => chunk.append_to_row_group(&mut group)?,
            }
        }
        group.close()?;
    }
    file.into_inner()
}
