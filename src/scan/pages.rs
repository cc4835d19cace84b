//! The pages of a column chunk against its footer, before anything is decoded.
//!
//! A page's checksum covers its content, not its header, and decoders believe headers: they allocate what one says and stop
//! where the values that it counts are full. So the headers are read first, and must add up to the bytes and values that
//! the footer gives the chunk.

use parquet::basic::Compression;
use parquet::file::metadata::ColumnChunkMetaData;

/// Bytes from which a page that unpacks to more than [`MOST_RATIO`] times its size is taken for a bomb.
const LARGE_PAGE: i64 = 1 << 28;

/// See [`LARGE_PAGE`].
const MOST_RATIO: i64 = 1_000;

/// What is wrong with a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It contradicts itself or its footer.
    Damaged(String),
    /// It is whole, but too large to unpack.
    TooLarge(String),
}

/// What counts of a page's header.
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
}

const DATA: i64 = 0;
const INDEX: i64 = 1;
const DICTIONARY: i64 = 2;
const DATA_V2: i64 = 3;

/// Checks the pages of a chunk, whose bytes are `bytes`.
pub(super) fn check(bytes: &[u8], chunk: &ColumnChunkMetaData) -> Result<(), Fault> {
    let (mut at, mut number, mut values, mut unpacked) = (0usize, 0usize, 0i64, 0i64);
    let is_flat = chunk.column_descr().max_rep_level() == 0;
    while at < bytes.len() {
        let wrong = |what: String| Fault::Damaged(format!("page {number} of column {} {what}", chunk.column_path()));
        let mut reader = Reader { bytes: bytes.get(at..).unwrap_or_default(), at: 0 };
        let header = reader.page_header().ok_or_else(|| wrong("has no readable header".into()))?;
        let length = reader.at;
        let room = (bytes.len() - at - length) as i64;
        if header.packed < 0 || header.packed > room {
            return Err(wrong(format!("claims {} bytes where {room} are left", header.packed)));
        }
        check_unpacked(&header, chunk).map_err(|(bomb, what)| {
            let text = format!("page {number} of column {} {what}", chunk.column_path());
            if bomb { Fault::TooLarge(text) } else { Fault::Damaged(text) }
        })?;
        match header.kind {
            DICTIONARY if number == 0 => {}
            DATA | DATA_V2 => {
                values = values.saturating_add(header.values.max(0));
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
    Ok(())
}

/// Whether a page can unpack to what its header says, before memory for it is asked for; `true` marks a bomb.
fn check_unpacked(header: &PageHeader, chunk: &ColumnChunkMetaData) -> Result<(), (bool, String)> {
    let PageHeader { packed, unpacked, levels, .. } = *header;
    let says = |least: &str| (false, format!("claims to unpack from {packed} bytes to {unpacked}{least}"));
    if unpacked < 0 || levels < 0 || levels > packed || levels > unpacked || unpacked > chunk.uncompressed_size() {
        return Err(says(&format!(", in a column of {} by its footer", chunk.uncompressed_size())));
    }
    // The most that a byte of these formats can stand for.
    let most_of_format = match chunk.compression() {
        Compression::UNCOMPRESSED if packed != unpacked => return Err(says(" without any compression")),
        Compression::UNCOMPRESSED => 1,
        Compression::SNAPPY => 64,
        Compression::LZ4 | Compression::LZ4_RAW => 256,
        Compression::GZIP(_) => 1_100,
        _ => i64::MAX,
    };
    if unpacked > packed.saturating_mul(most_of_format).saturating_add(64) {
        return Err(says(&format!(", which {} cannot", chunk.compression())));
    }
    if unpacked > LARGE_PAGE && unpacked / packed.max(1) > MOST_RATIO {
        return Err((
            true,
            format!("unpacks from {packed} bytes to {unpacked}, more than {MOST_RATIO} times as much and more than {LARGE_PAGE}"),
        ));
    }
    Ok(())
}

/// Reads Thrift's compact protocol as far as page headers need it.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Structs within structs that are passed over; headers have two.
const MOST_DEPTH: u32 = 8;

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// An integer; 32 bits are the most that headers have.
    fn integer(&mut self) -> Option<i64> {
        let value = self.varint()?;
        let value = (value >> 1) as i64 ^ -((value & 1) as i64);
        i32::try_from(value).ok().map(i64::from)
    }

    /// The next field of a struct as its number and type; `Some(None)` at the end of the struct.
    fn field(&mut self, last: &mut i64) -> Option<Option<(i64, u8)>> {
        let byte = self.byte()?;
        let (delta, kind) = (byte >> 4, byte & 0x0f);
        if kind == 0 {
            return Some(None);
        }
        *last = if delta == 0 { self.integer()? } else { *last + i64::from(delta) };
        Some(Some((*last, kind)))
    }

    fn page_header(&mut self) -> Option<PageHeader> {
        let mut header = PageHeader { kind: -1, unpacked: -1, packed: -1, values: -1, ..PageHeader::default() };
        let mut last = 0;
        while let Some((field, kind)) = self.field(&mut last)? {
            match (field, kind) {
                (1, 5) => header.kind = self.integer()?,
                (2, 5) => header.unpacked = self.integer()?,
                (3, 5) => header.packed = self.integer()?,
                (5 | 8, 12) => self.data_header(&mut header, field == 8)?,
                _ => self.skip(kind, 0)?,
            }
        }
        Some(header)
    }

    fn data_header(&mut self, header: &mut PageHeader, is_v2: bool) -> Option<()> {
        let mut last = 0;
        while let Some((field, kind)) = self.field(&mut last)? {
            match (field, kind, is_v2) {
                (1, 5, _) => header.values = self.integer()?,
                (2, 5, true) => header.nulls = self.integer()?,
                (3, 5, true) => header.rows = Some(self.integer()?),
                (5 | 6, 5, true) => header.levels = header.levels.saturating_add(self.integer().filter(|n| *n >= 0)?),
                _ => self.skip(kind, 0)?,
            }
        }
        Some(())
    }

    fn skip(&mut self, kind: u8, depth: u32) -> Option<()> {
        if depth > MOST_DEPTH {
            return None;
        }
        match kind {
            1 | 2 => {}
            3 => _ = self.byte()?,
            4..=6 => _ = self.varint()?,
            7 => self.pass(8)?,
            8 => {
                let length = self.varint()?;
                self.pass(usize::try_from(length).ok()?)?;
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                for _ in 0..count {
                    // Booleans of a list have a byte each, of a field none.
                    if matches!(head & 0x0f, 1 | 2) { _ = self.byte()? } else { self.skip(head & 0x0f, depth + 1)? }
                }
            }
            12 => {
                let mut last = 0;
                while let Some((_, kind)) = self.field(&mut last)? {
                    self.skip(kind, depth + 1)?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn pass(&mut self, bytes: usize) -> Option<()> {
        let end = self.at.checked_add(bytes).filter(|end| *end <= self.bytes.len())?;
        self.at = end;
        Some(())
    }
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
        let header = Reader { bytes: &bytes, at: 0 }.page_header();
        let expected = PageHeader { kind: DATA, unpacked: 1_600, packed: 1_600, values: 400, ..PageHeader::default() };
        assert_eq!(header, Some(expected));
        for length in 0..bytes.len() {
            assert_eq!(Reader { bytes: &bytes[..length], at: 0 }.page_header(), None, "{length} bytes");
        }
    }
}
