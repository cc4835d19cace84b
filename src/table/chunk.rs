//! Column chunks of states, scores and counts: dictionary pages and bit-packed keys made from what the batch holds already.
//!
//! Arrow's writer looks every string of a dictionary array up by its bytes. A state is a number until it is written, so
//! its keys can be packed as they are; with two schemes that saves a tenth of the time of writing `customers`.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, DictionaryArray, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{Int32Type, Int64Type, UInt16Type};
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, PageType};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

/// Encodes a dictionary column as one dictionary page and one data page.
///
/// The dictionary holds the values that occur, in the order of their keys.
pub(super) fn states(column: &DictionaryArray<UInt16Type>, descr: ColumnDescPtr) -> Result<(Bytes, ColumnCloseResult)> {
    let wrong = |what: &str| ParquetError::General(format!("a column of states {what}"));
    let values = column.values().as_string_opt::<i32>().ok_or_else(|| wrong("has values that are not strings"))?;
    let keys = column.keys();
    let keyed = Keyed::new(keys.values(), keys.nulls(), values.len());
    let used: Vec<&str> = keyed.used.iter().map(|key| values.value(usize::from(*key))).collect();
    let mut dictionary = Vec::new();
    for value in &used {
        dictionary.extend_from_slice(&(value.len() as u32).to_le_bytes());
        dictionary.extend_from_slice(value.as_bytes());
    }
    let bound = |value: Option<&&str>| value.map(|v| ByteArray::from(*v));
    let (least, greatest) = (bound(used.iter().min()), bound(used.iter().max()));
    let statistics = Statistics::byte_array(least, greatest, None, Some(keyed.null_count()), false);
    keyed.encode(dictionary, statistics, descr)
}

/// Values of an integer column that a dictionary may hold.
const SMALL_SPAN: u64 = 1 << 10;

/// Encodes an integer column in the same way, if its values lie close together, as scores and counts do: bits of numbers are
/// fewer than those of differences (8.1 MB instead of 8.3 in workload W1 of `benches/README.md`).
pub(super) fn integers(column: &ArrayRef, descr: &ColumnDescPtr) -> Result<Option<(Bytes, ColumnCloseResult)>> {
    if let Some(column) = column.as_primitive_opt::<Int32Type>() {
        return small(column, descr, |least, greatest, nulls| Statistics::int32(least, greatest, None, Some(nulls), false));
    }
    if let Some(column) = column.as_primitive_opt::<Int64Type>() {
        return small(column, descr, |least, greatest, nulls| Statistics::int64(least, greatest, None, Some(nulls), false));
    }
    Ok(None)
}

fn small<T: ArrowPrimitiveType<Native: Into<i64> + Ord>>(
    column: &PrimitiveArray<T>,
    descr: &ColumnDescPtr,
    statistics: impl Fn(Option<T::Native>, Option<T::Native>, u64) -> Statistics,
) -> Result<Option<(Bytes, ColumnCloseResult)>> {
    let values = column.values();
    let nulls = column.nulls().filter(|n| n.null_count() > 0);
    let (least, greatest) = match nulls {
        None => (values.iter().copied().min(), values.iter().copied().max()),
        Some(_) => (column.iter().flatten().min(), column.iter().flatten().max()),
    };
    let Some((first, last)) = least.zip(greatest).map(|(least, greatest)| (least.into(), greatest.into())) else {
        return Ok(None);
    };
    let span = (last as u64).wrapping_sub(first as u64);
    if span >= SMALL_SPAN {
        return Ok(None);
    }
    // What stands at a null may be anything; its key must be one of the span.
    let key = |value: T::Native| (value.into().wrapping_sub(first) as u64).min(span) as u16;
    let keys: Vec<u16> = values.iter().map(|value| key(*value)).collect();
    let keyed = Keyed::new(&keys, nulls, span as usize + 1);
    let mut dictionary = Vec::with_capacity(keyed.used.len() * size_of::<T::Native>());
    for key in &keyed.used {
        let value = (first + i64::from(*key)).to_le_bytes();
        dictionary.extend_from_slice(&value[..size_of::<T::Native>()]);
    }
    let statistics = statistics(least, greatest, keyed.null_count());
    keyed.encode(dictionary, statistics, descr.clone()).map(Some)
}

/// Values as keys, to be written as numbers of those that occur.
struct Keyed<'a> {
    keys: &'a [u16],
    nulls: Option<&'a NullBuffer>,
    /// Keys that occur, ascending.
    used: Vec<u16>,
    /// The place of a key among them.
    number: Vec<u16>,
}

impl<'a> Keyed<'a> {
    /// Keys below `span`; those at nulls do not count.
    fn new(keys: &'a [u16], nulls: Option<&'a NullBuffer>, span: usize) -> Keyed<'a> {
        let mut keyed = Keyed { keys, nulls, used: Vec::new(), number: vec![0; span] };
        let mut occurs = vec![false; span];
        keyed.each(|key| occurs[usize::from(key)] = true);
        for (key, number) in keyed.number.iter_mut().enumerate().filter(|(key, _)| occurs[*key]) {
            *number = keyed.used.len() as u16;
            keyed.used.push(key as u16);
        }
        keyed
    }

    /// Calls `to` with the key of every row that is not null.
    fn each(&self, mut to: impl FnMut(u16)) {
        match self.nulls {
            None => self.keys.iter().for_each(|key| to(*key)),
            Some(nulls) => nulls.valid_indices().for_each(|row| to(self.keys[row])),
        }
    }

    fn null_count(&self) -> u64 {
        self.nulls.map_or(0, |n| n.null_count() as u64)
    }

    fn encode(self, dictionary: Vec<u8>, statistics: Statistics, descr: ColumnDescPtr) -> Result<(Bytes, ColumnCloseResult)> {
        let (rows, number) = (self.keys.len(), &self.number);
        let width = (usize::BITS - self.used.len().saturating_sub(1).leading_zeros()).max(1) as u8;

        let mut page = Vec::with_capacity(rows * usize::from(width) / 8 + 64);
        let mut levels = Vec::new();
        match self.nulls {
            None => run(&mut levels, rows, 1),
            Some(nulls) => pack(&mut levels, nulls.iter().map(u16::from), rows, 1),
        }
        page.extend_from_slice(&(levels.len() as u32).to_le_bytes());
        page.extend_from_slice(&levels);
        page.push(width);
        match self.nulls {
            None => pack(&mut page, self.keys.iter().map(|key| number[usize::from(*key)]), rows, width),
            Some(nulls) => {
                let keys = nulls.valid_indices().map(|row| number[usize::from(self.keys[row])]);
                pack(&mut page, keys, rows - nulls.null_count(), width);
            }
        }

        let mut sink = TrackedWrite::new(Vec::new());
        let mut writer = SerializedPageWriter::new(&mut sink);
        let (dictionary_size, page_size) = (dictionary.len(), page.len());
        let dictionary = Page::DictionaryPage {
            buf: dictionary.into(),
            num_values: self.used.len() as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let first = writer.write_page(CompressedPage::new(dictionary, dictionary_size))?;
        let data = Page::DataPage {
            buf: page.into(),
            num_values: rows as u32,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let second = writer.write_page(CompressedPage::new(data, page_size))?;
        writer.close()?;

        let stats = |page_type, encoding| PageEncodingStats { page_type, encoding, count: 1 };
        let size = first.bytes_written + second.bytes_written;
        let metadata = ColumnChunkMetaData::builder(descr)
            .set_compression(Compression::UNCOMPRESSED)
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
            .set_page_encoding_stats(vec![
                stats(PageType::DICTIONARY_PAGE, Encoding::PLAIN),
                stats(PageType::DATA_PAGE, Encoding::RLE_DICTIONARY),
            ])
            .set_total_compressed_size(size as i64)
            .set_total_uncompressed_size(size as i64)
            .set_num_values(rows as i64)
            .set_dictionary_page_offset(Some(first.offset as i64))
            .set_data_page_offset(second.offset as i64)
            .set_statistics(statistics)
            .build()?;
        let mut index = OffsetIndexBuilder::new();
        index.append_row_count(rows as i64);
        index.append_offset_and_size(second.offset as i64, second.compressed_size as i32);
        let close = ColumnCloseResult {
            bytes_written: size,
            rows_written: rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: Some(index.build()),
        };
        Ok((sink.into_inner()?.into(), close))
    }
}

/// One run of equal values in the RLE and bit-packing hybrid of Parquet.
fn run(out: &mut Vec<u8>, length: usize, value: u8) {
    varint(out, (length as u64) << 1);
    out.push(value);
}

/// One bit-packed run of `count` values of so many bits each, filled up to a multiple of eight.
fn pack(out: &mut Vec<u8>, values: impl Iterator<Item = u16>, count: usize, width: u8) {
    let groups = count.div_ceil(8);
    varint(out, (groups as u64) << 1 | 1);
    let end = out.len() + groups * usize::from(width);
    let (mut bits, mut held) = (0u64, 0u32);
    for value in values {
        bits |= u64::from(value) << held;
        held += u32::from(width);
        if held >= 32 {
            out.extend_from_slice(&(bits as u32).to_le_bytes());
            bits >>= 32;
            held -= 32;
        }
    }
    out.extend_from_slice(&bits.to_le_bytes()[..held.div_ceil(8) as usize]);
    out.resize(end, 0);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8 & 0x7F) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, Int64Array, RecordBatch};
    use arrow::datatypes::{Field, Schema};
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    /// Readers find the values, and may skip a row group only by bounds that are those of its values.
    fn come_back(column: ArrayRef, least: i64, greatest: i64) {
        let schema = Arc::new(Schema::new(vec![Field::new("n", column.data_type().clone(), true)]));
        let writer = ArrowWriter::try_new(Vec::new(), schema.clone(), None).expect("a writer");
        let (mut file, _) = writer.into_serialized_writer().expect("a writer");
        let descr = file.schema_descr().columns()[0].clone();
        let (bytes, close) = integers(&column, &descr).expect("a chunk").expect("small values");
        let mut group = file.next_row_group().expect("a row group");
        group.append_column(&bytes, close).expect("a column");
        group.close().expect("a row group");
        let file = Bytes::from(file.into_inner().expect("a file"));

        let builder = ParquetRecordBatchReaderBuilder::try_new(file).expect("a file");
        let statistics = builder.metadata().row_group(0).column(0).statistics().expect("statistics").clone();
        let bounds = match &statistics {
            Statistics::Int32(own) => (own.min_opt().copied().map(i64::from), own.max_opt().copied().map(i64::from)),
            Statistics::Int64(own) => (own.min_opt().copied(), own.max_opt().copied()),
            other => panic!("{other:?}"),
        };
        assert_eq!(bounds, (Some(least), Some(greatest)));
        assert_eq!(statistics.null_count_opt(), Some(column.null_count() as u64));
        let batches: Vec<RecordBatch> = builder.build().expect("a reader").collect::<std::result::Result<_, _>>().expect("rows");
        assert_eq!(batches.len(), 1);
        assert_eq!(batches[0].column(0), &column);
    }

    #[test]
    fn small_integers_come_back_with_their_bounds() {
        // Nulls come first and stand on zeros, which are below and above the values.
        come_back(Arc::new(Int32Array::from(vec![None, Some(5), None, Some(1), Some(3)])), 1, 5);
        come_back(Arc::new(Int64Array::from(vec![None, Some(-7), Some(-900), None])), -900, -7);
        come_back(Arc::new(Int32Array::from(vec![4; 700])), 4, 4);
        come_back(Arc::new(Int64Array::from_iter_values((0..1024).map(|n| i64::MAX - n))), i64::MAX - 1023, i64::MAX);
        come_back(Arc::new(Int32Array::from(vec![Some(9), None, Some(2)]).slice(1, 2)), 2, 2);
    }
}
