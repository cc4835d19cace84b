//! Parts of a table: all of it, or pieces that are spread over it.

use std::ops::Range;

use super::table::{Content, Table};
use crate::error::Result;

/// A part of a table that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The file, by its number.
    pub file: usize,
    /// What of it.
    pub piece: Piece,
}

/// What of a file is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// All of it.
    Whole,
    /// Rows of a row group, by their numbers in the file from 0.
    Rows {
        /// The row group.
        group: usize,
        /// The rows, in order.
        ranges: Vec<Range<u64>>,
    },
    /// The lines that lie within these bytes.
    Bytes(Range<u64>),
}

/// How large a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Rows, where files say how many they have.
    Rows(u64),
    /// Bytes of text.
    Bytes(u64),
}

impl Size {
    /// Whether it takes long to read.
    fn is_large(self) -> bool {
        match self {
            Size::Rows(rows) => rows > MANY_ROWS,
            Size::Bytes(bytes) => bytes > MANY_BYTES,
        }
    }
}

/// Which rows of a table are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The parts that they lie in.
    pub parts: Vec<Part>,
    /// How large the table is.
    pub size: Size,
    /// Whether they are all rows.
    pub is_all: bool,
}

impl Reading {
    /// The rows that its parts have, where files say so.
    pub fn known_rows(&self) -> Option<u64> {
        let length = |range: &Range<u64>| range.end - range.start;
        match self.size {
            Size::Rows(rows) if self.is_all => Some(rows),
            Size::Rows(_) => Some(self.parts.iter().map(|part| part.ranges().iter().map(length).sum::<u64>()).sum()),
            Size::Bytes(_) => None,
        }
    }

    /// About how many rows the table has, of which it has these.
    pub fn estimate(&self, rows: u64) -> u64 {
        match self.size {
            Size::Rows(rows) => rows,
            Size::Bytes(all) => {
                let read: u64 = self.parts.iter().flat_map(Part::ranges).map(|range| range.end - range.start).sum();
                let estimate = u128::from(rows) * u128::from(all) / u128::from(read.max(1));
                let unit = 10u128.pow(estimate.checked_ilog10().unwrap_or(0).saturating_sub(1));
                ((estimate + unit / 2) / unit * unit) as u64
            }
        }
    }
}

impl Part {
    fn ranges(&self) -> &[Range<u64>] {
        match &self.piece {
            Piece::Whole => &[],
            Piece::Rows { ranges, .. } => ranges,
            Piece::Bytes(range) => std::slice::from_ref(range),
        }
    }
}

/// Rows of Parquet that are all read.
const MANY_ROWS: u64 = 1_000_000;

/// Bytes of text that are all read.
const MANY_BYTES: u64 = 1 << 27;

/// Pieces of a large table of Parquet, and the rows of each.
const PIECES: (u64, u64) = (24, 8_192);

/// Pieces of a large table of text.
const TEXT_PIECES: u64 = 64;

/// Bytes of a piece of text.
const PIECE_BYTES: u64 = 1 << 19;

impl Table {
    /// Which of its rows are looked at: all, or pieces of a large table, unless all are asked for.
    ///
    /// # Errors
    /// Exit 4: a file that is gone.
    pub fn reading(&self, all_rows: bool) -> Result<Reading> {
        let size = self.size()?;
        let is_all = all_rows || !size.is_large();
        let parts = match size {
            _ if is_all => self.all(),
            Size::Rows(_) => self.spread(PIECES.0, PIECES.1)?,
            Size::Bytes(_) => self.spread(TEXT_PIECES, 0)?,
        };
        Ok(Reading { parts, size, is_all })
    }

    /// How large it is.
    fn size(&self) -> Result<Size> {
        Ok(match &self.content {
            Content::Parquet(sources) => Size::Rows(sources.iter().map(|source| source.rows()).sum()),
            Content::Csv { .. } | Content::Ndjson(_) => Size::Bytes(self.file_sizes()?.iter().sum()),
        })
    }

    fn file_sizes(&self) -> Result<Vec<u64>> {
        let (Content::Csv { files, .. } | Content::Ndjson(files)) = &self.content else { return Ok(Vec::new()) };
        files.iter().map(|file| file.place.state().map(|state| state.size).map_err(|e| e.of(&file.shown()))).collect()
    }

    /// All files.
    pub fn all(&self) -> Vec<Part> {
        (0..self.file_count()).map(|file| Part { file, piece: Piece::Whole }).collect()
    }

    /// Pieces from the beginning to the end of a large table, each of `rows` rows where files know theirs.
    ///
    /// # Errors
    /// Exit 4: a file that is gone.
    pub fn spread(&self, pieces: u64, rows: u64) -> Result<Vec<Part>> {
        let Content::Parquet(sources) = &self.content else {
            let sizes = self.file_sizes()?;
            let parts = evenly(sizes.iter().sum(), pieces, PIECE_BYTES).into_iter().flat_map(|range| split(&sizes, range));
            return Ok(parts.map(|(file, range)| Part { file, piece: Piece::Bytes(range) }).collect());
        };
        // The rows of each row group, and where they begin in their file.
        let mut groups: Vec<(usize, usize, u64)> = Vec::new();
        let mut lengths = Vec::new();
        for (file, source) in sources.iter().enumerate() {
            let mut begin = 0;
            for group in 0..source.metadata.metadata().num_row_groups() {
                let length = source.group_rows(group);
                groups.push((file, group, begin));
                lengths.push(length);
                begin += length;
            }
        }
        let mut parts: Vec<Part> = Vec::new();
        for (at, range) in evenly(lengths.iter().sum(), pieces, rows).into_iter().flat_map(|range| split(&lengths, range)) {
            let Some((file, group, begin)) = groups.get(at).copied() else { continue };
            let range = begin + range.start..begin + range.end;
            match parts.last_mut() {
                Some(Part { file: last, piece: Piece::Rows { group: own, ranges } }) if (*last, *own) == (file, group) => {
                    ranges.push(range);
                }
                _ => parts.push(Part { file, piece: Piece::Rows { group, ranges: vec![range] } }),
            }
        }
        Ok(parts)
    }
}

/// Ranges of a length, of which the first begins where the whole does, and the last ends where it ends.
fn evenly(whole: u64, count: u64, length: u64) -> Vec<Range<u64>> {
    let last = whole.saturating_sub(length);
    let begin = |n: u64| (u128::from(last) * u128::from(n) / u128::from(count.saturating_sub(1).max(1))) as u64;
    (0..count).map(begin).map(|begin| begin..whole.min(begin + length)).collect()
}

/// A range over sections that stand one behind the other, as ranges within sections.
fn split(lengths: &[u64], range: Range<u64>) -> Vec<(usize, Range<u64>)> {
    let mut begin = 0;
    let mut found = Vec::new();
    for (section, length) in lengths.iter().enumerate() {
        let (from, to) = (range.start.max(begin), range.end.min(begin + length));
        if from < to {
            found.push((section, from - begin..to - begin));
        }
        begin += length;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_reach_from_the_beginning_to_the_end() {
        assert_eq!(evenly(100, 3, 10), [0..10, 45..55, 90..100]);
        assert_eq!(evenly(5, 2, 10), [0..5, 0..5]);
    }

    #[test]
    fn a_range_is_split_where_sections_end() {
        assert_eq!(split(&[10, 0, 5, 20], 8..17), [(0, 8..10), (2, 0..5), (3, 0..2)]);
        assert_eq!(split(&[10, 10], 10..20), [(1, 0..10)]);
        assert_eq!(split(&[], 0..1), []);
    }

    #[test]
    fn rows_of_text_are_estimated_by_its_bytes() {
        let part = |range| Part { file: 0, piece: Piece::Bytes(range) };
        let reading = Reading { parts: vec![part(0..500), part(900..1_400)], size: Size::Bytes(100_000), is_all: false };
        assert_eq!([0, 1, 47].map(|rows| reading.estimate(rows)), [0, 100, 4_700]);
        assert_eq!(Reading { size: Size::Rows(123_457), ..reading }.estimate(47), 123_457);
    }
}
