//! Batches of a row group: the named columns, from the file or from its path.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Date32Array, StringViewArray, UInt32Array, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{FilterBuilder, take};
use arrow::datatypes::DataType;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::schema::types::ColumnPath;

use super::damage::{contained, corrupt, undecodable, unreadable};
use super::integrity::string_lengths;
use super::schema::own_schema;
use super::source::{ColumnBytes, Source};
use super::widening::widened;
use crate::domain::Day;
use crate::error::{Error, Result};
use crate::storage::OpenFile;

/// Rows per batch: large enough to be fast, small enough for the cache.
const BATCH: usize = 1 << 13;

/// Most bytes of a batch; it has fewer rows if its texts are very long.
const BATCH_BYTES: u64 = 1 << 26;

/// Where a column of a file comes from.
enum Origin {
    /// The n-th column of the projected batch, and the type to widen it to.
    File { at: usize, wider: Option<DataType> },
    /// A partition of the path, as text or as a date.
    Path { value: Option<String>, date: bool },
    /// The value that the log of a table gives, as an array of one row.
    Constant(ArrayRef),
    /// Nulls of a type that other files give the column; the n-th column of the projected batch has none but nulls, if it is there.
    Nulls { at: Option<usize>, data_type: DataType },
}

/// Reads the named columns of one file.
pub(crate) struct FileReader<'a> {
    source: &'a Source,
    metadata: ArrowReaderMetadata,
    mask: ProjectionMask,
    leaves: Vec<usize>,
    origins: Vec<Origin>,
}

/// Decodes every column of a file as a run would; returns the rows.
///
/// # Errors
/// Exit 4: what is damaged.
pub fn read_all(source: &Source) -> Result<u64> {
    let names: Vec<String> = source.metadata.schema().fields().iter().map(|f| f.name().clone()).collect();
    let reader = FileReader::new(source, &names, "")?;
    let file = source.reopen()?;
    let (mut rows, mut buffers) = (0, Vec::new());
    for group in 0..source.metadata.metadata().num_row_groups() {
        reader.read(&file, group, &mut buffers, |_, columns| {
            rows += columns.first().map_or(0, |c| c.len() as u64);
            Ok(())
        })?;
    }
    Ok(rows)
}

impl<'a> FileReader<'a> {
    /// A reader of these columns; `date` is read as a date if it is in the path.
    pub fn new(source: &'a Source, names: &[String], date: &str) -> Result<FileReader<'a>> {
        let name = source.name();
        let schema = own_schema(source);
        if let Some(file) = &source.input.table {
            names.iter().try_for_each(|column| file.check_default(&name, column, |own| schema.index_of(own).is_ok()))?;
        }
        let options = ArrowReaderOptions::new().with_schema(Arc::clone(&schema));
        let parquet = Arc::clone(source.metadata.metadata());
        let metadata = contained(&name, || ArrowReaderMetadata::try_new(parquet, options).map_err(|e| unreadable(&name, e)))?;
        let mut roots: Vec<usize> = names.iter().filter_map(|n| schema.index_of(n).ok()).collect();
        roots.sort_unstable();
        // A name may be wanted twice.
        roots.dedup();
        let position = |root: usize| roots.iter().position(|r| *r == root);
        let nulls = |name: &String| source.columns.null_type(name).cloned();
        let constant = |name: &String| source.columns.constant(name).cloned();
        let wider = |name: &String| source.widened(schema.field_with_name(name).ok()?);
        let origins = names.iter().map(|n| match (schema.index_of(n).ok().and_then(position), nulls(n), constant(n)) {
            (at, Some(data_type), _) => Origin::Nulls { at, data_type },
            (_, None, Some(value)) => Origin::Constant(value),
            (Some(at), None, None) => Origin::File { at, wider: wider(n) },
            (None, None, None) => {
                let value = source.input.partitions.iter().find(|(key, _)| key == n).and_then(|(_, value)| value.clone());
                Origin::Path { value, date: n == date }
            }
        });
        let origins = origins.collect();
        let descriptor = source.metadata.metadata().file_metadata().schema_descr();
        let mask = ProjectionMask::roots(descriptor, roots.iter().copied());
        let leaves = (0..descriptor.num_columns()).filter(|leaf| mask.leaf_included(*leaf)).collect();
        Ok(FileReader { source, metadata, mask, leaves, origins })
    }

    /// Keeps of nested columns only the leaves that are wanted.
    pub fn with_leaves(mut self, is_wanted: impl Fn(&ColumnPath) -> bool) -> FileReader<'a> {
        let descriptor = self.source.metadata.metadata().file_metadata().schema_descr();
        self.leaves.retain(|leaf| is_wanted(descriptor.column(*leaf).path()));
        self.mask = ProjectionMask::leaves(descriptor, self.leaves.iter().copied());
        self
    }

    /// Calls `each` with the columns of every batch of a row group, in the order of the names, and the index of its
    /// first row among the rows of the file that count; it has only such rows.
    ///
    /// `buffers` are reused for the bytes of the columns.
    pub fn read(
        &self,
        file: &OpenFile,
        row_group: usize,
        buffers: &mut Vec<Vec<u8>>,
        mut each: impl FnMut(u64, &[ArrayRef]) -> Result<()>,
    ) -> Result<()> {
        let name = self.source.name();
        let groups = self.source.metadata.metadata().row_groups();
        let mut at: u64 = groups.iter().take(row_group).map(|g| g.num_rows().max(0) as u64).sum();
        let expected = at + groups.get(row_group).map_or(0, |g| g.num_rows().max(0) as u64);
        let mut first = self.source.counting_rows(0, at);
        if self.leaves.is_empty() {
            // Every column is in the path.
            let mut rows = self.source.group_rows(row_group);
            while rows > 0 {
                let length = rows.min(BATCH as u64);
                let columns = self.columns(&[], length as usize)?;
                each(first, &columns)?;
                first += length;
                rows -= length;
            }
            return Ok(());
        }
        let input = self.source.columns(file, row_group, &self.leaves, buffers)?;
        let lent = input.lend();
        contained(&name, || {
            self.check_deltas(&name, row_group, &input)?;
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input, self.metadata.clone())
                .with_projection(self.mask.clone())
                .with_row_groups(vec![row_group])
                .with_batch_size(self.batch_rows(row_group));
            let reader = builder.build().map_err(|e| unreadable(&name, e))?;
            for batch in reader {
                let batch = batch.map_err(|e| undecodable(&name, row_group, e))?;
                let rows = batch.num_rows() as u64;
                let mut columns = self.columns(batch.columns(), batch.num_rows())?;
                let mut counting = rows;
                if let Some(mask) = self.source.counting(at, rows) {
                    counting = mask.count_set_bits() as u64;
                    if counting < rows {
                        columns = counting_only(&columns, mask)?;
                    }
                }
                at += rows;
                if counting > 0 {
                    each(first, &columns)?;
                }
                first += counting;
            }
            Ok(())
        })?;
        // Bytes that share their memory with others are not given back.
        buffers.extend(lent.into_iter().filter(Bytes::is_unique).map(Vec::from));
        if at == expected {
            Ok(())
        } else {
            Err(corrupt(&name, format_args!("row group {row_group} holds other rows than its footer counts")))
        }
    }

    /// Checks the counts inside pages for which the Parquet library would allocate memory.
    fn check_deltas(&self, name: &str, row_group: usize, input: &ColumnBytes) -> Result<()> {
        let group = self.source.metadata.metadata().row_group(row_group);
        for &leaf in &input.deltas {
            let chunk = group.column(leaf);
            let rows = group.num_rows().max(0) as usize;
            let pages = SerializedPageReader::new(Arc::new(input.clone()), chunk, rows, None).map_err(|e| unreadable(name, e))?;
            let wrong = string_lengths::check(pages, chunk.column_descr()).map_err(|e| undecodable(name, row_group, e))?;
            if let Some(page) = wrong {
                let column = chunk.column_path();
                let what = format!("in row group {row_group}, page {page} of column {column} holds more lengths than values");
                return Err(corrupt(name, what));
            }
        }
        Ok(())
    }

    /// Rows of a batch of a row group.
    fn batch_rows(&self, row_group: usize) -> usize {
        let group = self.source.metadata.metadata().row_group(row_group);
        let bytes: u64 = self.leaves.iter().map(|leaf| group.column(*leaf).uncompressed_size().max(0) as u64).sum();
        let rows = group.num_rows().max(1) as u64;
        (BATCH_BYTES / (bytes / rows).max(1)).clamp(1, BATCH as u64) as usize
    }

    fn columns(&self, batch: &[ArrayRef], rows: usize) -> Result<Vec<ArrayRef>> {
        let column = |origin: &Origin| match origin {
            Origin::File { at, wider } => {
                let own = batch.get(*at).ok_or_else(|| Error::bug("a projected column is missing from its batch"))?;
                match wider {
                    None => Ok(Arc::clone(own)),
                    Some(wider) => widened(own, wider).map_err(|e| corrupt(&self.source.name(), &e).caused_by(e)),
                }
            }
            Origin::Nulls { at, data_type } => {
                match at.and_then(|at| batch.get(at)).is_some_and(|own| own.logical_null_count() < rows) {
                    true => {
                        Err(corrupt(&self.source.name(), "a column has values of which its statistics say that there are none"))
                    }
                    false => Ok(new_null_array(data_type, rows)),
                }
            }
            Origin::Constant(value) => repeated(value, rows),
            Origin::Path { value: None, date } => {
                Ok(new_null_array(if *date { &DataType::Date32 } else { &DataType::Utf8View }, rows))
            }
            Origin::Path { value: Some(text), date: true } => {
                let day = Day::parse(text).ok_or_else(|| {
                    Error::contract(format!(
                        "{}: the path gives the date {text:?}; expected a form such as 2024-12-31",
                        self.source.name()
                    ))
                })?;
                Ok(Arc::new(Date32Array::from_value(day.0, rows)) as ArrayRef)
            }
            Origin::Path { value: Some(text), date: false } => {
                Ok(Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(text.as_str(), rows))) as ArrayRef)
            }
        };
        self.origins.iter().map(column).collect()
    }
}

/// The rows of a batch that count.
fn counting_only(columns: &[ArrayRef], counting: BooleanBuffer) -> Result<Vec<ArrayRef>> {
    let filter = FilterBuilder::new(&BooleanArray::new(counting, None)).optimize().build();
    let filtered = columns.iter().map(|column| filter.filter(column)).collect::<std::result::Result<_, _>>();
    filtered.map_err(|e| Error::bug(format!("deleted rows cannot be left out: {e}")).caused_by(e))
}

/// The one value of an array in every row.
fn repeated(value: &ArrayRef, rows: usize) -> Result<ArrayRef> {
    let first = UInt32Array::from_value(0, rows);
    take(value, &first, None).map_err(|e| Error::bug(format!("a partition's value cannot be repeated: {e}")).caused_by(e))
}
