//! Checks the page headers of a column chunk against the footer.
//!
//! A page's checksum does not cover its header, and decoders trust headers: they allocate the size and stop at the count of values
//! that the header gives. So the headers are read first, and must add up to the bytes and values of the footer.

use parquet::basic::{Compression, Encoding, Type};
use parquet::file::metadata::ColumnChunkMetaData;

use super::thrift::{ThriftReader, kind};

/// A page of more bytes that also unpacks to more than [`MAX_RATIO`] times its size is a decompression bomb.
const LARGE_PAGE: i64 = 1 << 28;

/// See [`LARGE_PAGE`].
const MAX_RATIO: i64 = 1_000;

/// What is wrong with a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It contradicts itself or its footer.
    Damaged(String),
    /// It is whole, but too large to unpack.
    TooLarge(String),
}

/// The fields of a page header that are checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct PageHeader {
    kind: i64,
    unpacked: i64,
    packed: i64,
    values: i64,
    /// Bytes of repetition and definition levels, which pages of version 2 leave unpacked.
    levels: i64,
    nulls: i64,
    rows: Option<i64>,
    encoding: i64,
}

const DATA: i64 = 0;
const INDEX: i64 = 1;
const DICTIONARY: i64 = 2;
const DATA_V2: i64 = 3;

/// Encodings that store the lengths of strings as differences.
const DELTAS: [i64; 2] = [Encoding::DELTA_LENGTH_BYTE_ARRAY as i64, Encoding::DELTA_BYTE_ARRAY as i64];

/// Checks the pages of a chunk, whose bytes are `bytes`; returns whether [`super::string_lengths`] must check them too.
pub fn check(bytes: &[u8], chunk: &ColumnChunkMetaData) -> Result<bool, Fault> {
    let (mut at, mut number, mut values, mut unpacked, mut has_deltas) = (0usize, 0usize, 0i64, 0i64, false);
    let is_flat = chunk.column_descr().max_rep_level() == 0;
    while at < bytes.len() {
        let wrong = |what: String| Fault::Damaged(format!("page {number} of column {} {what}", chunk.column_path()));
        let mut reader = ThriftReader::new(bytes.get(at..).unwrap_or_default());
        let header = page_header(&mut reader).ok_or_else(|| wrong("has no readable header".into()))?;
        let length = reader.at();
        let room = (bytes.len() - at - length) as i64;
        if header.packed < 0 || header.packed > room {
            return Err(wrong(format!("claims {} bytes where {room} are left", header.packed)));
        }
        check_unpacked(&header, chunk).map_err(|(bomb, what)| {
            let text = format!("page {number} of column {} {what}", chunk.column_path());
            if bomb { Fault::TooLarge(text) } else { Fault::Damaged(text) }
        })?;
        match header.kind {
            // Decoders allocate memory for the values that it counts.
            DICTIONARY if number == 0 => {
                let room = header.unpacked / min_value_bytes(chunk).max(1);
                if header.values < 0 || header.values > room {
                    return Err(wrong(format!("counts {} values in {} bytes", header.values, header.unpacked)));
                }
            }
            DATA | DATA_V2 => {
                values = values.saturating_add(header.values.max(0));
                has_deltas |= DELTAS.contains(&header.encoding);
                let of_v2 =
                    header.rows.is_some_and(|rows| rows < 0 || rows > header.values || (is_flat && rows != header.values));
                if header.values < 0 || values > chunk.num_values() || of_v2 || header.nulls < 0 || header.nulls > header.values {
                    return Err(wrong(format!(
                        "counts {} values; the footer gives the whole column {}",
                        header.values,
                        chunk.num_values()
                    )));
                }
            }
            INDEX => {}
            DICTIONARY => return Err(wrong("is a second dictionary".into())),
            other => return Err(wrong(format!("is of the unknown kind {other}"))),
        }
        unpacked = unpacked.saturating_add(length as i64).saturating_add(header.unpacked);
        at += length + header.packed as usize;
        number += 1;
    }
    let damaged = |what: String| Err(Fault::Damaged(format!("column {} {what}", chunk.column_path())));
    if values != chunk.num_values() {
        return damaged(format!("has {values} values in its pages and {} by its footer", chunk.num_values()));
    }
    if unpacked != chunk.uncompressed_size() {
        return damaged(format!("has {unpacked} bytes in its unpacked pages and {} by its footer", chunk.uncompressed_size()));
    }
    Ok(has_deltas)
}

/// The fewest bytes of a value in the plain encoding.
fn min_value_bytes(chunk: &ColumnChunkMetaData) -> i64 {
    match chunk.column_type() {
        Type::BOOLEAN => 0,
        Type::INT32 | Type::FLOAT | Type::BYTE_ARRAY => 4,
        Type::INT64 | Type::DOUBLE => 8,
        Type::INT96 => 12,
        Type::FIXED_LEN_BYTE_ARRAY => i64::from(chunk.column_descr().type_length()),
    }
}

/// Checks that a page can unpack to the size in its header before memory is allocated. The flag of the error marks a bomb.
fn check_unpacked(header: &PageHeader, chunk: &ColumnChunkMetaData) -> Result<(), (bool, String)> {
    let PageHeader { packed, unpacked, levels, .. } = *header;
    let says = |least: &str| (false, format!("claims to unpack from {packed} bytes to {unpacked}{least}"));
    if unpacked < 0 || levels < 0 || levels > packed || levels > unpacked || unpacked > chunk.uncompressed_size() {
        return Err(says(&format!(", in a column of {} by its footer", chunk.uncompressed_size())));
    }
    // The highest compression ratio of these formats.
    let max_ratio = match chunk.compression() {
        Compression::UNCOMPRESSED if packed != unpacked => return Err(says(" without any compression")),
        Compression::UNCOMPRESSED => 1,
        Compression::SNAPPY => 64,
        Compression::LZ4 | Compression::LZ4_RAW => 256,
        Compression::GZIP(_) => 1_100,
        _ => i64::MAX,
    };
    if unpacked > packed.saturating_mul(max_ratio).saturating_add(64) {
        return Err(says(&format!(", which {} cannot", chunk.compression())));
    }
    if unpacked > LARGE_PAGE && unpacked / packed.max(1) > MAX_RATIO {
        return Err((
            true,
            format!("unpacks from {packed} bytes to {unpacked}, more than {MAX_RATIO} times as much and more than {LARGE_PAGE}"),
        ));
    }
    Ok(())
}

fn page_header(reader: &mut ThriftReader) -> Option<PageHeader> {
    let mut header = PageHeader { kind: -1, unpacked: -1, packed: -1, values: -1, ..PageHeader::default() };
    let mut last = 0;
    while let Some((field, kind)) = reader.field(&mut last)? {
        match (field, kind) {
            (1, kind::I32) => header.kind = reader.integer()?,
            (2, kind::I32) => header.unpacked = reader.integer()?,
            (3, kind::I32) => header.packed = reader.integer()?,
            (5 | 7 | 8, kind::STRUCT) => data_header(reader, &mut header, field == 8)?,
            _ => reader.skip(kind)?,
        }
    }
    Some(header)
}

fn data_header(reader: &mut ThriftReader, header: &mut PageHeader, is_v2: bool) -> Option<()> {
    let mut last = 0;
    while let Some((field, kind)) = reader.field(&mut last)? {
        match (field, kind, is_v2) {
            (1, kind::I32, _) => header.values = reader.integer()?,
            (2, kind::I32, false) | (4, kind::I32, true) => header.encoding = reader.integer()?,
            (2, kind::I32, true) => header.nulls = reader.integer()?,
            (3, kind::I32, true) => header.rows = Some(reader.integer()?),
            (5 | 6, kind::I32, true) => header.levels = header.levels.saturating_add(reader.integer().filter(|n| *n >= 0)?),
            _ => reader.skip(kind)?,
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_nothing_is_read_beyond_the_end() {
        // A data page of 400 values in 1,600 bytes, uncompressed, with a checksum and empty statistics.
        let bytes = [
            0x15, 0x00, 0x15, 0x80, 0x19, 0x15, 0x80, 0x19, 0x15, 0x0c, 0x1c, 0x15, 0xa0, 0x06, 0x15, 0x00, 0x15, 0x06, 0x15,
            0x06, 0x1c, 0x00, 0x00, 0x00,
        ];
        let header = page_header(&mut ThriftReader::new(&bytes));
        let expected = PageHeader { kind: DATA, unpacked: 1_600, packed: 1_600, values: 400, ..PageHeader::default() };
        assert_eq!(header, Some(expected));
        for length in 0..bytes.len() {
            assert_eq!(page_header(&mut ThriftReader::new(&bytes[..length])), None, "{length} bytes");
        }
    }
}
