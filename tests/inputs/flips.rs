//! One byte of an input file flipped, at every place: what becomes of the run.
//!
//! `cargo test --release --test it inputs::flips -- --ignored --nocapture` flips every byte three times and prints the
//! counts; the usual tests take a sample.

use std::sync::Arc;

use arrow::array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};

use super::mill::{Counts, campaign};
use crate::support::cases::Rng;

/// Orders with a checksum on every page.
pub const CHECKED: &[u8] = include_bytes!("../data/flips_checked.parquet");

/// The same orders without.
pub const PLAIN: &[u8] = include_bytes!("../data/flips_plain.parquet");

const MASKS: [u8; 3] = [0x01, 0x80, 0xff];

/// The same orders as the Parquet library of Rust writes them.
pub fn rewritten(compression: Compression, version: WriterVersion) -> Vec<u8> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from_static(PLAIN)).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(200))
        .set_compression(compression)
        .set_writer_version(version);
    written(&batches, properties)
}

/// The same orders with strings and integers stored as differences.
pub fn with_deltas() -> Vec<u8> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from_static(PLAIN)).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let mut properties = WriterProperties::builder().set_max_row_group_row_count(Some(200)).set_dictionary_enabled(false);
    for (column, encoding) in [
        ("order_id", Encoding::DELTA_BYTE_ARRAY),
        ("region", Encoding::DELTA_LENGTH_BYTE_ARRAY),
        ("customer_id", Encoding::DELTA_BINARY_PACKED),
        ("discount", Encoding::BYTE_STREAM_SPLIT),
    ] {
        properties = properties.set_column_encoding(column.into(), encoding);
    }
    written(&batches, properties)
}

fn written(batches: &[RecordBatch], properties: WriterPropertiesBuilder) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, Arc::clone(batches[0].schema_ref()), Some(properties.build())).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.close().unwrap();
    out
}

/// Flips `count` bytes, or every byte with every mask.
fn flips(name: &str, file: &[u8], extra: &str, count: Option<usize>) -> Counts {
    let mut all: Vec<(usize, u8)> = (0..file.len()).flat_map(|at| MASKS.map(|mask| (at, mask))).collect();
    if let Some(count) = count {
        Rng::new(7).shuffle(&mut all);
        all.truncate(count);
    }
    let counts = campaign(file, extra, all.len(), |number| {
        let (at, mask) = all[number];
        let mut bytes = file.to_vec();
        bytes[at] ^= mask;
        bytes
    });
    println!("{}", counts.line(name));
    for number in counts.wrong.iter().take(if counts.share_wrong() < 0.01 { 100 } else { 0 }) {
        println!("  byte {} ^ {:#04x}", all[*number].0, all[*number].1);
    }
    assert_eq!(counts.runs, all.len());
    assert!(counts.panics.is_empty(), "{name}: {:?}", counts.panics);
    counts
}

const MANIFEST: &str = "manifest = \"SHA256SUMS\"";

#[test]
fn a_sample_of_flips_is_found_or_harmless() {
    let checked = flips("checksums", CHECKED, "", Some(600));
    assert!(checked.wrong.len() <= 1, "{:?}", checked.wrong);
    let listed = flips("manifest", PLAIN, MANIFEST, Some(600));
    assert_eq!((listed.wrong.len(), listed.refusals()), (0, 600));
    // Nothing can tell these values from true ones; the run is labelled so, and does not panic.
    flips("neither", PLAIN, "", Some(300));
}

#[test]
#[ignore = "a campaign of minutes"]
fn every_flip() {
    let checked = flips("page checksums (PyArrow, Snappy)", CHECKED, "", None);
    let listed = flips("manifest (PyArrow, Snappy, no checksums)", PLAIN, MANIFEST, None);
    flips("neither (PyArrow, Snappy)", PLAIN, "", None);
    flips("neither (Rust, Snappy, pages v2)", &rewritten(Compression::SNAPPY, WriterVersion::PARQUET_2_0), "", None);
    flips("neither (Rust, uncompressed)", &rewritten(Compression::UNCOMPRESSED, WriterVersion::PARQUET_1_0), "", None);
    assert!(checked.share_wrong() <= 0.0005);
    assert_eq!((listed.wrong.len(), listed.refusals()), (0, listed.runs));
}

/// A file that is cut off is never read, wherever the cut is.
#[test]
fn every_truncation_is_found() {
    for file in [CHECKED, PLAIN, &rewritten(Compression::UNCOMPRESSED, WriterVersion::PARQUET_1_0)] {
        let counts = campaign(file, "", file.len(), |length| file[..length].to_vec());
        assert_eq!((counts.refused.get(&4), counts.panics.len()), (Some(&file.len()), 0), "{counts:?}");
        println!("{}", counts.line("truncations"));
    }
}
