//! Strings whose lengths are stored as differences. The Parquet library allocates memory for the count in the page's content, which
//! no header bounds. So these counts are checked first; columns of other encodings cost nothing.

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::schema::types::ColumnDescriptor;

use super::varint;

/// Whether pages of this encoding contain such counts.
fn counts(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::DELTA_LENGTH_BYTE_ARRAY | Encoding::DELTA_BYTE_ARRAY)
}

/// Checks the counts in all pages of a column; returns the index of the first invalid page.
pub fn check(mut pages: impl PageReader, column: &ColumnDescriptor) -> parquet::errors::Result<Option<usize>> {
    let mut number = 0;
    while let Some(page) = pages.get_next_page()? {
        if !is_sound(&page, column) {
            return Ok(Some(number));
        }
        number += 1;
    }
    Ok(None)
}

fn is_sound(page: &Page, column: &ColumnDescriptor) -> bool {
    let (values, encoding, content) = match page {
        Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, .. } if counts(*encoding) => {
            let mut rest = Some(&buf[..]);
            for (most, levels) in [(column.max_rep_level(), rep_level_encoding), (column.max_def_level(), def_level_encoding)] {
                rest = rest.and_then(|rest| after_levels(rest, most, *levels, *num_values));
            }
            (*num_values, *encoding, rest)
        }
        Page::DataPageV2 { buf, num_values, encoding, def_levels_byte_len, rep_levels_byte_len, .. } if counts(*encoding) => {
            let levels = *def_levels_byte_len as usize + *rep_levels_byte_len as usize;
            (*num_values, *encoding, buf.get(levels..))
        }
        _ => return true,
    };
    let Some(content) = content else { return false };
    // A page of nulls stores nothing.
    if content.is_empty() {
        return true;
    }
    let most = u64::from(values);
    match encoding {
        // The lengths of prefixes, then those of suffixes.
        Encoding::DELTA_BYTE_ARRAY => {
            let suffixes = end_of(content, most).and_then(|end| content.get(end..));
            suffixes.is_some_and(|suffixes| end_of(suffixes, most).is_some())
        }
        _ => end_of(content, most).is_some(),
    }
}

/// The content after the levels of a page of version 1.
fn after_levels(bytes: &[u8], most: i16, encoding: Encoding, values: u32) -> Option<&[u8]> {
    if most <= 0 {
        return Some(bytes);
    }
    if encoding == Encoding::RLE {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        return rest.get(u32::from_le_bytes(*length) as usize..);
    }
    let bits = u64::from(u16::BITS - most.unsigned_abs().leading_zeros());
    bytes.get((u64::from(values) * bits).div_ceil(8) as usize..)
}

/// Where a block of differences ends, if it has at most `most` values.
fn end_of(bytes: &[u8], most: u64) -> Option<usize> {
    let mut at = 0;
    let (block, parts, count) = (varint::read(bytes, &mut at)?, varint::read(bytes, &mut at)?, varint::read(bytes, &mut at)?);
    varint::read(bytes, &mut at)?;
    let per_part = block.checked_div(parts)?;
    if count > most || per_part == 0 {
        return None;
    }
    // The header has the first value.
    let mut left = count.saturating_sub(1);
    while left > 0 {
        varint::read(bytes, &mut at)?;
        let widths = bytes.get(at..at.checked_add(usize::try_from(parts).ok()?)?)?;
        at += widths.len();
        for width in widths {
            if left == 0 {
                break;
            }
            let length = u64::from(*width).checked_mul(per_part)?.div_ceil(8);
            at = at.checked_add(usize::try_from(length).ok()?)?;
            left = left.saturating_sub(per_part);
        }
    }
    // The last miniblock may be cut short at the end of the page.
    Some(at.min(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_ends_of_differences() {
        // Blocks of 128 in 4 parts; 5 values from 7 on; differences of 1 from a minimum of 2 in the first part.
        let bytes = [0x80, 0x01, 0x04, 0x05, 0x0e, 0x04, 1, 0, 0, 0, 0x0f, 0, 0, 0, b'a'];
        assert_eq!(end_of(&bytes, 5), Some(14));
        assert_eq!(end_of(&bytes, 4), None);
        assert_eq!(end_of(&bytes[..3], 5), None);
        // No value, and one.
        assert_eq!(end_of(&[0x80, 0x01, 0x04, 0x00, 0x00], 5), Some(5));
        assert_eq!(end_of(&[0x80, 0x01, 0x04, 0x01, 0x02], 5), Some(5));
        // As many as 64 bits hold.
        assert_eq!(end_of(&[0x80, 0x01, 0x04, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x00], 5), None);
    }
}
