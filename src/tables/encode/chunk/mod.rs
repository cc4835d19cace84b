//! Column chunks of states, scores, counts, dates, money and integer ids, made from what the batch holds already.
//!
//! Arrow's writer looks every string of a dictionary array up by its bytes, and every number up in a dictionary or puts it
//! into a block one by one. A state is a number until it is written, so its keys can be packed as they are, and small
//! integers are keys themselves. All others are written as differences. In workload W2 of `benches/README.md` this takes the
//! CPU time of encoding from 1.5 to 0.7 s.

mod bits;
mod delta;

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Date32Type, Decimal64Type, Decimal128Type, Int32Type, Int64Type, UInt16Type};
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, PageType, Type};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use crate::domain::ends;
use delta::Integer;

/// An encoded column chunk, and what its file has to say of it.
pub(super) type EncodedChunk = (Bytes, ColumnCloseResult);

/// Encodes a column that this is made for; `None` for any other. `compression` is for differences; bits of keys are dense.
pub(super) fn encode(column: &ArrayRef, descr: &ColumnDescPtr, compression: Compression) -> Result<Option<EncodedChunk>> {
    let int = |least, greatest, nulls| Statistics::int32(least, greatest, None, Some(nulls), false);
    let long = |least, greatest, nulls| Statistics::int64(least, greatest, None, Some(nulls), false);
    let encoded = match (column.data_type(), descr.physical_type()) {
        (DataType::Dictionary(..), _) if column.null_count() == column.len() => return Ok(None),
        (DataType::Dictionary(..), Type::BYTE_ARRAY) => {
            let Some(column) = column.as_dictionary_opt::<UInt16Type>() else { return Ok(None) };
            states(column, descr)?
        }
        (DataType::Int32, Type::INT32) => {
            let column = column.as_primitive::<Int32Type>();
            integers(column.values(), column.nulls(), (descr, compression), int)?
        }
        (DataType::Date32, Type::INT32) => {
            let column = column.as_primitive::<Date32Type>();
            integers(column.values(), column.nulls(), (descr, compression), int)?
        }
        (DataType::Int64, Type::INT64) => {
            let column = column.as_primitive::<Int64Type>();
            integers(column.values(), column.nulls(), (descr, compression), long)?
        }
        (DataType::Decimal128(..), Type::INT64) => {
            let column: &PrimitiveArray<Decimal128Type> = column.as_primitive();
            let values: Vec<i64> = column.values().iter().map(|value| *value as i64).collect();
            integers(&values, column.nulls(), (descr, compression), long)?
        }
        (DataType::Decimal64(..), Type::INT64) => {
            let column = column.as_primitive::<Decimal64Type>();
            integers(column.values(), column.nulls(), (descr, compression), long)?
        }
        _ => return Ok(None),
    };
    Ok(Some(encoded))
}

/// Encodes a dictionary column as one dictionary page and one data page.
///
/// The dictionary holds the values that occur, in the order of their keys. Keys may have the same value, as states of two
/// schemes have; the dictionary has it once, since Arrow's readers take what stands twice in a dictionary for a broken file.
fn states(column: &DictionaryArray<UInt16Type>, descr: &ColumnDescPtr) -> Result<EncodedChunk> {
    let wrong = |what: &str| ParquetError::General(format!("a column of states {what}"));
    let values = column.values().as_string_opt::<i32>().ok_or_else(|| wrong("has values that are not strings"))?;
    let rows = PresentValues::new(column.keys().values(), column.keys().nulls());
    let mut occurs = vec![false; values.len()];
    rows.values().iter().for_each(|key| occurs[usize::from(*key)] = true);
    let mut used: Vec<&str> = Vec::new();
    let mut number = vec![0u16; values.len()];
    let mut numbers: HashMap<&str, u16> = HashMap::new();
    for (key, number) in number.iter_mut().enumerate().filter(|(key, _)| occurs[*key]) {
        *number = *numbers.entry(values.value(key)).or_insert_with_key(|value| {
            used.push(value);
            used.len() as u16 - 1
        });
    }
    let mut dictionary = Vec::new();
    for value in &used {
        dictionary.extend_from_slice(&(value.len() as u32).to_le_bytes());
        dictionary.extend_from_slice(value.as_bytes());
    }
    let bound = |value: Option<&&str>| value.map(|v| ByteArray::from(*v));
    let (least, greatest) = (bound(used.iter().min()), bound(used.iter().max()));
    let statistics = Statistics::byte_array(least, greatest, None, Some(rows.null_count()), false);
    rows.keyed(dictionary, used.len(), |key| number[usize::from(key)], statistics, descr)
}

/// Integers in a range up to this are keys of a dictionary. Bits of keys are fewer than those of differences (8.1 MB instead
/// of 8.3 in workload W1 of `benches/README.md`).
const SMALL_SPAN: u64 = 1 << 10;

/// Encodes an integer column: in a small range as keys of a dictionary of the whole range, else as differences.
fn integers<T: Integer>(
    values: &[T],
    nulls: Option<&NullBuffer>,
    (descr, compression): (&ColumnDescPtr, Compression),
    statistics: impl Fn(Option<T>, Option<T>, u64) -> Statistics,
) -> Result<EncodedChunk> {
    let rows = PresentValues::new(values, nulls);
    let (least, greatest) = ends(rows.values()).unzip();
    let statistics = statistics(least, greatest, rows.null_count());
    let span = least.zip(greatest).map(|(least, greatest)| (least, greatest.above(least)));
    match span {
        Some((least, span)) if span < SMALL_SPAN => {
            let mut dictionary = Vec::new();
            (0..=span).for_each(|key| least.plus(key).put(&mut dictionary));
            rows.keyed(dictionary, span as usize + 1, |value| value.above(least) as u16, statistics, descr)
        }
        _ if rows.has_wide_differences() => rows.plain(statistics, descr, compression),
        _ => rows.differences(statistics, descr, compression),
    }
}

/// Differences that differ by more than this are not packed: fastparquet 2026.9.0 reads other numbers where they need over 28 bits.
const PACKED_SPAN: i128 = 1 << 28;

/// The rows of a column on their way into pages.
struct PresentValues<'a, T: Clone> {
    count: usize,
    nulls: Option<&'a NullBuffer>,
    /// Those that are not null.
    values: std::borrow::Cow<'a, [T]>,
}

impl<'a, T: Copy + Default> PresentValues<'a, T> {
    fn new(all: &'a [T], nulls: Option<&'a NullBuffer>) -> PresentValues<'a, T> {
        let nulls = nulls.filter(|n| n.null_count() > 0);
        let values = match nulls {
            None => all.into(),
            Some(nulls) => nulls.valid_indices().map(|row| all[row]).collect(),
        };
        PresentValues { count: all.len(), nulls, values }
    }

    fn values(&self) -> &[T] {
        &self.values
    }

    fn null_count(&self) -> u64 {
        self.nulls.map_or(0, |n| n.null_count() as u64)
    }

    /// A data page up to its values: which rows have one, where the column may be null.
    fn page(&self, descr: &ColumnDescPtr) -> Vec<u8> {
        let mut page = Vec::with_capacity(self.values.len() * 4 + 64);
        if descr.max_def_level() == 0 {
            return page;
        }
        let mut levels = Vec::new();
        match self.nulls {
            None => bits::run(&mut levels, self.count, 1),
            Some(nulls) => bits::packed_run(&mut levels, &nulls.iter().collect::<Vec<bool>>(), 1, u16::from),
        }
        page.extend_from_slice(&(levels.len() as u32).to_le_bytes());
        page.extend_from_slice(&levels);
        page
    }

    /// A dictionary page of `entries`, and a data page of the keys of all values.
    fn keyed(
        &self,
        dictionary: Vec<u8>,
        entries: usize,
        key: impl Fn(T) -> u16,
        statistics: Statistics,
        descr: &ColumnDescPtr,
    ) -> Result<EncodedChunk> {
        let width = bits::width(entries.saturating_sub(1) as u64).max(1);
        let mut page = self.page(descr);
        page.push(width);
        bits::packed_run(&mut page, &self.values, width, key);
        let page = (page, Encoding::RLE_DICTIONARY, Compression::UNCOMPRESSED);
        self.chunk(Some((dictionary, entries)), page, statistics, descr)
    }

    /// A chunk of one data page, and before it of a dictionary page with the number of its values.
    fn chunk(
        &self,
        dictionary: Option<(Vec<u8>, usize)>,
        (page, encoding, compression): (Vec<u8>, Encoding, Compression),
        statistics: Statistics,
        descr: &ColumnDescPtr,
    ) -> Result<EncodedChunk> {
        let mut sink = TrackedWrite::new(Vec::with_capacity(page.len() + 4096));
        let mut writer = SerializedPageWriter::new(&mut sink);
        let stats = |page_type, encoding| PageEncodingStats { page_type, encoding, count: 1 };
        let (mut encodings, mut pages) = (vec![Encoding::RLE, encoding], Vec::new());
        let (mut size, mut unpacked_size, mut dictionary_offset) = (0, 0, None);
        if let Some((values, entries)) = dictionary {
            let bytes = values.len();
            let values = Page::DictionaryPage {
                buf: values.into(),
                num_values: entries as u32,
                encoding: Encoding::PLAIN,
                is_sorted: false,
            };
            let written = writer.write_page(CompressedPage::new(values, bytes))?;
            encodings.insert(0, Encoding::PLAIN);
            pages.push(stats(PageType::DICTIONARY_PAGE, Encoding::PLAIN));
            dictionary_offset = Some(written.offset as i64);
            size += written.bytes_written;
            unpacked_size += written.bytes_written;
        }
        let bytes = page.len();
        let page = compressed(page, compression)?;
        let saved = bytes as i64 - page.len() as i64;
        let data = Page::DataPage {
            buf: page.into(),
            num_values: self.count as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let written = writer.write_page(CompressedPage::new(data, bytes))?;
        writer.close()?;
        pages.push(stats(PageType::DATA_PAGE, encoding));
        size += written.bytes_written;
        unpacked_size = (unpacked_size + written.bytes_written).saturating_add_signed(saved);

        let metadata = ColumnChunkMetaData::builder(descr.clone())
            .set_compression(compression)
            .set_encodings(encodings)
            .set_page_encoding_stats(pages)
            .set_total_compressed_size(size as i64)
            .set_total_uncompressed_size(unpacked_size as i64)
            .set_num_values(self.count as i64)
            .set_dictionary_page_offset(dictionary_offset)
            .set_data_page_offset(written.offset as i64)
            .set_statistics(statistics)
            .build()?;
        let mut index = OffsetIndexBuilder::new();
        index.append_row_count(self.count as i64);
        index.append_offset_and_size(written.offset as i64, written.compressed_size as i32);
        let close = ColumnCloseResult {
            bytes_written: size,
            rows_written: self.count as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: Some(index.build()),
        };
        Ok((sink.into_inner()?.into(), close))
    }
}

impl<T: Integer> PresentValues<'_, T> {
    /// Whether differences of neighbours are too unlike to be packed.
    fn has_wide_differences(&self) -> bool {
        let pairs = self.values.iter().zip(self.values.iter().skip(1));
        let differences = pairs.map(|(now, next)| i128::from(next.widened()) - i128::from(now.widened()));
        let bounds = differences.fold(None, |bounds: Option<(i128, i128)>, difference| {
            let (least, greatest) = bounds.unwrap_or((difference, difference));
            Some((least.min(difference), greatest.max(difference)))
        });
        bounds.is_some_and(|(least, greatest)| greatest - least >= PACKED_SPAN)
    }

    /// A data page of the values as they are.
    fn plain(&self, statistics: Statistics, descr: &ColumnDescPtr, compression: Compression) -> Result<EncodedChunk> {
        let mut page = self.page(descr);
        self.values.iter().for_each(|value| value.put(&mut page));
        self.chunk(None, (page, Encoding::PLAIN, compression), statistics, descr)
    }

    /// A data page of differences.
    fn differences(&self, statistics: Statistics, descr: &ColumnDescPtr, compression: Compression) -> Result<EncodedChunk> {
        let mut page = self.page(descr);
        delta::encode(&mut page, &self.values);
        self.chunk(None, (page, Encoding::DELTA_BINARY_PACKED, compression), statistics, descr)
    }
}

/// A page under Zstandard, or as it is.
fn compressed(page: Vec<u8>, compression: Compression) -> Result<Vec<u8>> {
    match compression {
        Compression::UNCOMPRESSED => Ok(page),
        Compression::ZSTD(level) => Ok(zstd::bulk::compress(&page, level.compression_level())?),
        other => Err(ParquetError::NYI(format!("pages of our own under {other}"))),
    }
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
        let zstd = Compression::ZSTD(Default::default());
        let compression = if least % 2 == 0 { zstd } else { Compression::UNCOMPRESSED };
        let (bytes, close) = encode(&column, &descr, compression).expect("a chunk").expect("integers");
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
        let batches: Vec<RecordBatch> =
            builder.with_batch_size(1 << 12).build().expect("a reader").collect::<std::result::Result<_, _>>().expect("rows");
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
        for span in 1..1024 {
            come_back(
                Arc::new(Int32Array::from_iter_values((0..span + 9).map(|n| (n * 7919) % span - 3))),
                -3,
                i64::from(span) - 4,
            );
        }
    }

    #[test]
    fn wide_differences_are_not_packed() {
        let wide = |values: &[i64]| PresentValues::new(values, None).has_wide_differences();
        // Sorted ids are far from zero and near each other.
        assert!(!wide(&[1 << 60, (1 << 60) + 5, (1 << 60) + 900]) && !wide(&[7]) && !wide(&[]));
        assert!(wide(&[0, 1 << 40, 5]) && wide(&[i64::MIN, i64::MAX, i64::MIN]));
        assert!(!wide(&[0, (1 << 27) - 1, 0]) && wide(&[0, 1 << 27, 0]));
        come_back(Arc::new(Int64Array::from(vec![Some(6_978_505_560_000), None, Some(-3), Some(i64::MAX)])), -3, i64::MAX);
    }

    /// States of two schemes may have one name. It stands in the dictionary once.
    #[test]
    fn states_of_one_name_are_one_entry() {
        let names = ["active", "lost", "active", "none", "lost", "new"];
        let keys = [Some(2), Some(0), None, Some(4), Some(5), Some(1), Some(2)];
        let keys = arrow::array::UInt16Array::from(keys.to_vec());
        let states = DictionaryArray::try_new(keys, Arc::new(arrow::array::StringArray::from(names.to_vec()))).expect("states");
        let schema = Arc::new(Schema::new(vec![Field::new("state", states.data_type().clone(), true)]));
        let writer = ArrowWriter::try_new(Vec::new(), schema, None).expect("a writer");
        let (mut file, _) = writer.into_serialized_writer().expect("a writer");
        let descr = file.schema_descr().columns()[0].clone();
        let column: ArrayRef = Arc::new(states);
        let (bytes, close) = encode(&column, &descr, Compression::UNCOMPRESSED).expect("a chunk").expect("states");
        let mut group = file.next_row_group().expect("a row group");
        group.append_column(&bytes, close).expect("a column");
        group.close().expect("a row group");
        let file = Bytes::from(file.into_inner().expect("a file"));
        let mut reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("a file").build().expect("a reader");
        let batch = reader.next().expect("a batch").expect("rows");
        let got = batch.column(0).as_dictionary::<UInt16Type>();
        let entries: Vec<&str> = got.values().as_string::<i32>().iter().flatten().collect();
        assert_eq!(entries, ["active", "lost", "new"]);
        let got: Vec<Option<&str>> = got.downcast_dict::<arrow::array::StringArray>().expect("texts").into_iter().collect();
        assert_eq!(got, [Some("active"), Some("active"), None, Some("lost"), Some("new"), Some("lost"), Some("active")]);
    }

    #[test]
    fn all_other_integers_come_back_as_differences() {
        let longs = |values: Vec<i64>| {
            let (least, greatest) = (values.iter().min().copied(), values.iter().max().copied());
            come_back(Arc::new(Int64Array::from(values)), least.expect("a value"), greatest.expect("a value"));
        };
        longs(vec![i64::MIN, i64::MAX, 0, -1, i64::MAX, i64::MIN]);
        longs(vec![0, 5000]);
        let mut state = 3u64;
        for case in 0..300usize {
            // Runs up to a block and a bit, of differences of every width, now and then with an outlier.
            let values = (0..1 + case).map(|at| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let value = (state as i64) >> (case % 64);
                if at % 50 == 49 { value.wrapping_mul(1 << 20) } else { value }
            });
            longs(values.chain([1 << 40]).collect());
        }
        let ints: Vec<Option<i32>> = (0..700i32).map(|n| (n % 5 != 2).then_some(n.wrapping_mul(0x2545_F491))).collect();
        let (least, greatest) = (ints.iter().flatten().min(), ints.iter().flatten().max());
        let bounds = (i64::from(*least.expect("a value")), i64::from(*greatest.expect("a value")));
        come_back(Arc::new(Int32Array::from(ints.clone())), bounds.0, bounds.1);
        come_back(
            Arc::new(Int32Array::from(vec![Some(i32::MIN), None, Some(i32::MAX), Some(0)])),
            i32::MIN.into(),
            i32::MAX.into(),
        );
    }

    #[test]
    fn money_comes_back() {
        let money = arrow::array::Decimal128Array::from(vec![Some(-1), None, Some(999_999_999_999_999_999), Some(0)]);
        let money = money.with_precision_and_scale(18, 2).expect("decimals");
        come_back(Arc::new(money), -1, 999_999_999_999_999_999);
    }
}
