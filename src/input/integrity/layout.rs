//! The layout of a file: the ranges that its footer names must lie before the footer, must not overlap, and must belong to this
//! file rather than to another one that was written in front of it.

use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use crate::error::{Error, Result};
use crate::input::damage::corrupt;
use crate::storage::OpenFile;

/// Bytes that are searched for the end of a file in front of this one.
const SEARCHED: u64 = 1 << 16;

/// Checks the ranges and counts of a footer that begins at `footer`.
///
/// # Errors
/// Exit 4 if they contradict each other.
pub fn check(name: &str, file: &OpenFile, metadata: &ParquetMetaData, footer: u64) -> Result<()> {
    let mut rows: i64 = 0;
    let mut ranges = Vec::new();
    for (number, group) in metadata.row_groups().iter().enumerate() {
        if group.num_rows() < 0 {
            return Err(corrupt(name, format_args!("row group {number} counts {} rows", group.num_rows())));
        }
        rows = rows.saturating_add(group.num_rows());
        for column in group.columns() {
            let range = range(column).filter(|(_, end)| *end <= footer);
            let Some((start, end)) = range else {
                return Err(corrupt(name, format_args!("column {} lies outside the file", column.column_path())));
            };
            let is_flat = column.column_descr().max_rep_level() == 0;
            if is_flat && column.num_values() != group.num_rows() {
                return Err(corrupt(
                    name,
                    format_args!(
                        "row group {number} counts {} rows, of which column {} has {} values",
                        group.num_rows(),
                        column.column_path(),
                        column.num_values()
                    ),
                ));
            }
            if end > start {
                ranges.push((start, end));
            }
            ranges.extend(indexes(column).filter(|(start, end)| end > start && *end <= footer));
        }
    }
    if rows != metadata.file_metadata().num_rows() {
        return Err(corrupt(
            name,
            format_args!("its footer counts {} rows and its row groups {rows}", metadata.file_metadata().num_rows()),
        ));
    }
    ranges.sort_unstable();
    if let Some([(_, end), (start, _)]) = ranges.array_windows().find(|[(_, end), (start, _)]| start < end) {
        return Err(corrupt(name, format_args!("two of its columns share the bytes from {start} to {end}")));
    }
    let end = ranges.last().map_or(4, |(_, end)| *end);
    concatenated(name, file, footer - end.min(footer))
}

/// The bytes of a column. A dictionary page precedes the data pages and counts in the size; a column without values may have
/// nothing else.
fn range(column: &ColumnChunkMetaData) -> Option<(u64, u64)> {
    let data = u64::try_from(column.data_page_offset()).ok()?;
    let dictionary = column.dictionary_page_offset().filter(|d| *d != 0);
    let start = dictionary.map_or(Some(data), |d| u64::try_from(d).ok())?;
    let length = u64::try_from(column.compressed_size()).ok()?;
    let end = start.checked_add(length)?;
    let has_data = start >= 4 && data >= start && (data < end || length == 0);
    let is_empty = column.num_values() == 0 && (start >= 4 || length == 0);
    (has_data || is_empty).then_some((start, end))
}

/// The bytes of the indexes and the Bloom filter of a column.
fn indexes(column: &ColumnChunkMetaData) -> impl Iterator<Item = (u64, u64)> {
    let parts = [
        (column.column_index_offset(), column.column_index_length()),
        (column.offset_index_offset(), column.offset_index_length()),
        (column.bloom_filter_offset(), column.bloom_filter_length()),
    ];
    parts.into_iter().filter_map(|(offset, length)| {
        let start = u64::try_from(offset?).ok()?;
        Some((start, start.checked_add(u64::try_from(length?).ok()?)?))
    })
}

/// Refuses a file that consists of several. Offsets count from the head of the file, so the last footer would find its rows in the
/// bytes of the first file. The part before the last footer is then longer than what the footer names, and in it the magic bytes
/// of an end and of a beginning are adjacent; padding that writers leave does not look like this.
fn concatenated(name: &str, file: &OpenFile, start: u64) -> Result<()> {
    let from = start.saturating_sub(SEARCHED).max(4);
    if start + 4 < from + 8 {
        return Ok(());
    }
    let mut bytes = vec![0; (start + 4 - from) as usize];
    file.read_exact_at(&mut bytes, from).map_err(|e| e.at(from).of(name))?;
    match bytes.windows(8).rposition(|eight| eight == b"PAR1PAR1") {
        None => Ok(()),
        Some(at) => Err(Error::input(format!(
            "{name} is several Parquet files, one after the other (the last one begins at byte {}); they cannot be joined like text, so split it or write one file",
            from + at as u64 + 4
        ))),
    }
}
