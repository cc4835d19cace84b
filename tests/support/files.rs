//! Writes the columns of a case as Parquet, in any physical form that means the same.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::*;
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};

use super::calendar::TimeUnit as Unit;
use super::cases::{Case, Column, ColumnData, Rng};
use super::oracle::TextEncoding;

/// Writes all files of a case into a folder; the seed decides over everything that has no meaning.
pub fn write_case(case: &Case, folder: &Path, seed: u64) {
    fs::create_dir_all(folder).expect("a data folder");
    let mut rng = Rng::new(seed);
    for (number, file) in case.input.files.iter().enumerate() {
        write_file(&folder.join(&file.name), &case.columns(number), &mut rng);
    }
}

/// Writes one file with random encodings, compression, page and row-group sizes.
pub fn write_file(path: &Path, columns: &[Column], rng: &mut Rng) {
    let arrays: Vec<ArrayRef> = columns.iter().map(|c| array(&c.data, rng)).collect();
    let fields = columns.iter().zip(&arrays).map(|(c, a)| Field::new(&c.name, a.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batch = RecordBatch::try_new(schema.clone(), arrays).expect("columns of equal length");
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1).expect("a level"));
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(*rng.pick(&[1, 2, 7, 20, 1 << 20])))
        .set_data_page_row_count_limit(*rng.pick(&[1, 3, 20_000]))
        .set_write_batch_size(*rng.pick(&[1, 4, 1024]))
        .set_dictionary_enabled(rng.chance(60))
        .set_compression(*rng.pick(&[Compression::UNCOMPRESSED, Compression::SNAPPY, zstd]))
        .set_writer_version(*rng.pick(&[WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0]))
        .set_statistics_enabled(*rng.pick(&[EnabledStatistics::None, EnabledStatistics::Chunk, EnabledStatistics::Page]))
        .build();
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(rng.chance(30));
    let file = File::create(path).expect("a new file");
    let mut writer = ArrowWriter::try_new_with_options(file, schema, options).expect("a writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("a footer");
}

fn primitive<T: ArrowPrimitiveType>(values: &[Option<i128>]) -> ArrayRef
where
    T::Native: TryFrom<i128>,
{
    let narrow = |n: &i128| T::Native::try_from(*n).ok().expect("a value that fits");
    Arc::new(PrimitiveArray::<T>::from_iter(values.iter().map(|v| v.as_ref().map(narrow))))
}

fn array(data: &ColumnData, rng: &mut Rng) -> ArrayRef {
    match data {
        ColumnData::Int { bits, signed, values } => match (bits, signed) {
            (8, true) => primitive::<Int8Type>(values),
            (16, true) => primitive::<Int16Type>(values),
            (32, true) => primitive::<Int32Type>(values),
            (64, true) => primitive::<Int64Type>(values),
            (8, false) => primitive::<UInt8Type>(values),
            (16, false) => primitive::<UInt16Type>(values),
            (32, false) => primitive::<UInt32Type>(values),
            (64, false) => primitive::<UInt64Type>(values),
            other => panic!("no integers of {other:?}"),
        },
        ColumnData::Text { encoding, values } => {
            let texts = values.iter().map(|v| v.as_deref());
            match encoding {
                TextEncoding::Plain if rng.chance(40) => Arc::new(StringViewArray::from_iter(texts)),
                TextEncoding::Plain => Arc::new(StringArray::from_iter(texts)),
                TextEncoding::Large => Arc::new(LargeStringArray::from_iter(texts)),
                TextEncoding::Dictionary if rng.chance(50) => Arc::new(texts.collect::<DictionaryArray<UInt8Type>>()),
                TextEncoding::Dictionary => Arc::new(texts.collect::<DictionaryArray<Int32Type>>()),
            }
        }
        ColumnData::Decimal { precision, scale, values } => {
            let array = Decimal128Array::from_iter(values.iter().copied());
            Arc::new(array.with_precision_and_scale(*precision, *scale as i8).expect("a decimal type"))
        }
        ColumnData::Float { bits: 32, values } => Arc::new(Float32Array::from_iter(values.iter().map(|v| v.map(|x| x as f32)))),
        ColumnData::Float { values, .. } => Arc::new(Float64Array::from_iter(values.iter().copied())),
        ColumnData::Date(values) => Arc::new(Date32Array::from_iter(values.iter().copied())),
        ColumnData::Timestamp { unit, zone, values } => {
            let values = values.iter().copied();
            let zone = zone.clone();
            match unit {
                // Parquet has no seconds; writers store milliseconds.
                Unit::Second => {
                    Arc::new(TimestampMillisecondArray::from_iter(values.map(|v| v.map(|s| s * 1000))).with_timezone_opt(zone))
                }
                Unit::Millisecond => Arc::new(TimestampMillisecondArray::from_iter(values).with_timezone_opt(zone)),
                Unit::Microsecond => Arc::new(TimestampMicrosecondArray::from_iter(values).with_timezone_opt(zone)),
                Unit::Nanosecond => Arc::new(TimestampNanosecondArray::from_iter(values).with_timezone_opt(zone)),
            }
        }
    }
}
