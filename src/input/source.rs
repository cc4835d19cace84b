//! One Parquet file: its footer, and the bytes of one row group's columns. Every failure names the file.

use std::ops::Range;
use std::sync::Arc;

use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Field};
use bytes::{Buf, Bytes};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaDataOptions, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};

use super::damage::{contained, corrupt, unreadable};
use super::decode::EXPECTED_ID;
use super::file_kind::{HEAD, conversion, looks_like};
use super::hashes::{HashList, VerifiedHash};
use super::input_path::InputPath;
use super::integrity::pages::{self, Fault};
use super::integrity::{layout, schema_depth};
use super::joined_columns::JoinedColumns;
use super::table_file::{TableFile, TableVersion};
use super::widening;
use crate::error::{Error, Kind, Result};
use crate::storage::{self, FileState, OpenFile, ReadError, Version};

/// Largest footer that is read.
const MOST_FOOTER: u64 = 1 << 28;

/// Deepest schema that is read; the Parquet library recurses once per level.
const MOST_DEPTH: usize = 200;

/// An opened file.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path and its name in the job.
    pub input: InputPath,
    /// What tells it from one that was changed or replaced.
    pub state: FileState,
    /// SHA-256 of the footer.
    pub footer_hash: String,
    /// Parquet and Arrow schema, row groups and statistics.
    pub metadata: ArrowReaderMetadata,
    /// Its whole hash, if a list of hashes was given.
    pub verified: Option<VerifiedHash>,
    /// How its columns are read beside those of the other files.
    pub(super) columns: JoinedColumns,
    /// By row, whether it counts; none if all rows do.
    counting: Option<BooleanBuffer>,
    /// Rows that count.
    rows: u64,
    /// The row groups that are read, if a sample of them is.
    sample: Option<Vec<usize>>,
}

impl Source {
    /// Opens a file, compares it with the hash that a list gives it, and reads its footer.
    ///
    /// # Errors
    /// Exit 4: unreadable, not Parquet (saying what it looks like), truncated, encrypted, damaged, or of another hash.
    pub fn open(input: InputPath, hashes: Option<&Arc<HashList>>) -> Result<Source> {
        let name = input.shown();
        let unread = |e: ReadError| e.of(&name);
        let file = input.place.open().map_err(|e| match input.table.as_ref().filter(|_| e.fault == storage::Fault::Missing) {
            Some(file) => file.gone(&name, input.key).caused_by(e),
            None => unread(e),
        })?;
        let size = file.state.size;
        if let Some(file) = input.table.as_ref().filter(|file| file.size != size) {
            return Err(Error::input(format!(
                "{name} has {size} bytes, and the log of the {} table {} says {}; restore the file",
                file.table.format, file.table.folder, file.size
            )));
        }
        let verified = hashes.map(|list| list.check(&input, &file)).transpose()?;
        if size == 0 {
            return Err(Error::input(format!("{name} is empty (0 bytes), not a Parquet file; write it again or remove it")));
        }
        let mut head = vec![0u8; size.min(HEAD as u64) as usize];
        file.read_exact_at(&mut head, 0).map_err(unread)?;
        if !b"PAR1".starts_with(&head[..head.len().min(4)]) {
            let convert =
                conversion(&head, input.place.local()).map_or(String::new(), |command| format!(", convert it ({command})"));
            return Err(Error::input(format!(
                "{name} is not a Parquet file: it begins like {}; expected the bytes PAR1. Check what wrote it{convert}, or take it out of {}",
                looks_like(&head),
                input.key
            )));
        }
        let mut tail = [0u8; 8];
        if size < 12 {
            return Err(corrupt(&name, format_args!("it is truncated to {size} byte{}", if size == 1 { "" } else { "s" })));
        }
        file.read_exact_at(&mut tail, size - 8).map_err(unread)?;
        let [l0, l1, l2, l3, magic @ ..] = tail;
        if &magic == b"PARE" {
            return Err(Error::input(format!(
                "{name} has an encrypted footer, which rfmill cannot read; write it without encryption"
            )));
        }
        let length = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
        if &magic == b"PAR1" && length > MOST_FOOTER && length + 12 <= size {
            return Err(Error::input(format!(
                "{name} has a footer of {length} bytes; expected at most {MOST_FOOTER}. Write fewer row groups or columns to a file"
            )));
        }
        if &magic != b"PAR1" || length + 12 > size {
            return Err(corrupt(&name, "it is truncated or its footer is gone (the last bytes are not those of a Parquet file)"));
        }
        let mut footer = vec![0u8; length as usize];
        file.read_exact_at(&mut footer, size - 8 - length).map_err(unread)?;
        match schema_depth(&footer) {
            None => return Err(corrupt(&name, "its footer cannot be read")),
            Some(depth) if depth > MOST_DEPTH => {
                return Err(Error::input(format!(
                    "{name} nests its columns {depth} deep; expected at most {MOST_DEPTH}. Write the columns that rfmill is to read to a file of their own"
                )));
            }
            Some(_) => {}
        }
        let metadata = decoded(&name, &footer, input.table.as_deref())?;
        layout::check(&name, &file, metadata.metadata(), size - 8 - length)?;
        let footer_hash = crate::hash::sha256(&footer);
        let mut rows = metadata.metadata().file_metadata().num_rows().max(0) as u64;
        let (mut columns, mut counting) = (JoinedColumns::default(), None);
        if let Some(file) = &input.table {
            let has = |column: &str| metadata.schema().index_of(column).is_ok();
            (columns.nulls, columns.constants) = (file.lacking(has), file.constant(has));
            if let Some(deleted) = &file.deleted {
                let found = deleted.counting(rows);
                let found = found.ok_or_else(|| corrupt(&name, "rows are deleted that it does not have"))?;
                rows = found.count_set_bits() as u64;
                counting = Some(found);
            }
        }
        Ok(Source { state: file.state, footer_hash, metadata, verified, input, columns, counting, rows, sample: None })
    }

    /// The type with which a column is read because its table gives it a wider one than the file.
    pub(super) fn widened(&self, field: &Field) -> Option<DataType> {
        widening::wider(field.data_type(), self.input.table.as_ref()?.type_of(field.name())?)
    }

    /// The same with INT96 as wall-clock time, or as instants.
    pub(super) fn with_int96(mut self, is_naive: bool) -> Source {
        self.columns.has_naive_int96 = is_naive;
        self
    }

    /// Rows that count: those of the footer, less those that a deletion vector names. Only these have an index.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Reads these row groups alone, in their order.
    pub(super) fn read_only(&mut self, groups: Vec<usize>) {
        self.sample = Some(groups);
    }

    /// Whether some of its row groups are not read.
    pub fn is_sampled(&self) -> bool {
        self.sample.is_some()
    }

    /// The row groups that are read.
    pub fn groups(&self) -> impl Iterator<Item = usize> {
        let all = self.sample.is_none().then(|| 0..self.metadata.metadata().num_row_groups());
        all.into_iter().flatten().chain(self.sample.iter().flatten().copied())
    }

    /// Rows that are read and count.
    pub fn rows_read(&self) -> u64 {
        match &self.sample {
            Some(groups) => groups.iter().map(|group| self.group_rows(*group)).sum(),
            None => self.rows,
        }
    }

    /// Rows of a row group that count.
    pub fn group_rows(&self, row_group: usize) -> u64 {
        let groups = self.metadata.metadata().row_groups();
        let rows = |group: &RowGroupMetaData| group.num_rows().max(0) as u64;
        let length = groups.get(row_group).map_or(0, rows);
        match &self.counting {
            None => length,
            Some(_) => self.counting_rows(groups.iter().take(row_group).map(rows).sum(), length),
        }
    }

    /// How many of `length` rows of the file, from one on, count.
    pub(super) fn counting_rows(&self, from: u64, length: u64) -> u64 {
        self.counting(from, length).map_or(length, |counting| counting.count_set_bits() as u64)
    }

    /// Which of `length` rows of the file, from one on, count; none if all rows of the file do.
    pub(super) fn counting(&self, from: u64, length: u64) -> Option<BooleanBuffer> {
        let all = self.counting.as_ref()?;
        let from = (from as usize).min(all.len());
        Some(all.slice(from, (length as usize).min(all.len() - from)))
    }

    /// The number in the file, from 1, of the row with an index.
    pub fn row_number(&self, index: u64) -> u64 {
        let row = self.counting.as_ref().and_then(|counting| counting.set_indices().nth(index as usize));
        row.map_or(index, |row| row as u64) + 1
    }

    /// The error for an id beyond 64 bits in the row with an index and a column that a key of the job names.
    #[cold]
    pub(crate) fn id_too_wide(&self, index: u64, column: &str, key: &str, id: i128) -> Error {
        let (file, row) = (self.name(), self.row_number(index));
        Error::contract(format!("{file}, row {row}: column {column:?} ({key}) is {id}; {EXPECTED_ID}"))
    }

    /// What tells it from a file of equal size and time; none if all of its content was hashed.
    pub fn version_that_tells(&self) -> Option<&Version> {
        self.verified.is_none().then_some(&self.state.version)
    }

    /// The path as errors show it.
    pub fn name(&self) -> String {
        self.input.shown()
    }

    /// The numbers of `count` rows from an index on; none if all rows of the file count.
    pub(super) fn row_numbers(&self, first: u64, count: usize) -> Option<Vec<u64>> {
        let counting = self.counting.as_ref()?;
        Some(counting.set_indices().skip(first as usize).take(count).map(|row| row as u64 + 1).collect())
    }

    /// Checks that the file is still the one whose footer was read.
    ///
    /// # Errors
    /// Exit 4 if it was replaced, changed or removed.
    pub fn check_unchanged(&self) -> Result<()> {
        self.input.check_unchanged(&self.state)
    }

    /// Opens the file again to read row groups; it must still be the one whose footer was read.
    ///
    /// # Errors
    /// Exit 4 if it was replaced, changed or removed.
    pub(crate) fn reopen(&self) -> Result<OpenFile> {
        let file = self.input.place.open().map_err(|e| e.of(&self.name()))?;
        if file.state == self.state { Ok(file) } else { Err(ReadError::changed().of(&self.name())) }
    }

    /// Reads the bytes of some columns of a row group.
    ///
    /// # Errors
    /// Exit 4 if they cannot be read.
    pub(crate) fn columns(
        &self,
        file: &OpenFile,
        row_group: usize,
        leaves: &[usize],
        buffers: &mut Vec<Vec<u8>>,
    ) -> Result<ColumnBytes> {
        let group = self.metadata.metadata().row_group(row_group);
        let range = |leaf: &usize| {
            let (start, length) = group.column(*leaf).byte_range();
            start..start + length
        };
        let ranges: Vec<Range<u64>> = leaves.iter().map(range).collect();
        let read = file.read_ranges(&ranges, buffers).map_err(|e| e.of(&self.name()))?;
        let (mut chunks, mut deltas) = (Vec::with_capacity(leaves.len()), Vec::new());
        for ((&leaf, range), bytes) in leaves.iter().zip(ranges).zip(read) {
            let has_deltas = pages::check(&bytes, group.column(leaf)).map_err(|fault| match fault {
                Fault::Damaged(what) => corrupt(&self.name(), format_args!("in row group {row_group}, {what}")),
                Fault::TooLarge(what) => Error::new(
                    Kind::Resource,
                    format!("{}: in row group {row_group}, {what}; write the file again with smaller pages", self.name()),
                ),
            })?;
            if has_deltas {
                deltas.push(leaf);
            }
            chunks.push((range.start, bytes));
        }
        Ok(ColumnBytes { chunks, size: self.state.size, deltas })
    }
}

/// The metadata in a footer; the columns of a file of a table are called as the table calls them.
fn decoded(name: &str, footer: &[u8], table: Option<&TableFile>) -> Result<ArrowReaderMetadata> {
    contained(name, || {
        let mut metadata = ParquetMetaDataReader::decode_metadata(footer).map_err(|e| unreadable(name, e))?;
        if let Some(file) = table {
            let own = metadata.file_metadata().schema_descr();
            if !file.table.tells_columns(own) {
                let TableVersion { format, folder, .. } = file.table.as_ref();
                return Err(Error::input(format!(
                    "the columns of {name} have no ids, and the {format} table {folder} has no name mapping that says which is which; give the table one (schema.name-mapping.default)"
                )));
            }
            let renamed = file.table.renamed(own);
            let options = renamed.map(|schema| ParquetMetaDataOptions::new().with_schema(Arc::new(schema)));
            let again = options.and_then(|o| ParquetMetaDataReader::decode_metadata_with_options(footer, Some(&o)));
            metadata = again.map_err(|e| unreadable(name, e))?;
        }
        // Types come from the Parquet schema alone: the Arrow schema that a writer added is ignored.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        ArrowReaderMetadata::try_new(Arc::new(metadata), options).map_err(|e| unreadable(name, e))
    })
}

/// The bytes of the columns of one row group, with their offsets in the file.
#[derive(Clone)]
pub(crate) struct ColumnBytes {
    chunks: Vec<(u64, Bytes)>,
    size: u64,
    /// Columns that [`super::integrity::string_lengths`] must look into.
    pub deltas: Vec<usize>,
}

impl ColumnBytes {
    /// Shares the bytes, so that their memory can be reused when the reader is dropped.
    pub fn lend(&self) -> Vec<Bytes> {
        self.chunks.iter().map(|(_, bytes)| bytes.clone()).collect()
    }
}

impl Length for ColumnBytes {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for ColumnBytes {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        for (at, bytes) in &self.chunks {
            if start >= *at && start < at + bytes.len() as u64 {
                return Ok(bytes.slice((start - at) as usize..).reader());
            }
        }
        Err(ParquetError::EOF(format!("no column at byte {start}")))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        for (at, bytes) in &self.chunks {
            let end = start.saturating_add(length as u64);
            if start >= *at && end <= at + bytes.len() as u64 {
                let from = (start - at) as usize;
                return Ok(bytes.slice(from..from + length));
            }
        }
        Err(ParquetError::EOF(format!("no {length} bytes of a column at byte {start}")))
    }
}
