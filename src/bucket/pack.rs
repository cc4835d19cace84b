//! The packed form of a block: per field a width, a minimum and the offsets from it; string bytes at the end.

use super::layout::{BLOCK, CHUNK, Chunks, FIELDS, Field, RecordLayout};
use crate::domain::ends;

/// The unpacked records of a bucket, one column per field.
#[derive(Debug, Default)]
pub struct Records {
    columns: [Vec<i64>; FIELDS],
    text: Vec<u8>,
}

impl Records {
    /// The values of a field; empty if the layout lacks it.
    pub fn column(&self, field: Field) -> &[i64] {
        &self.columns[field as usize]
    }

    /// The bytes of all string ids, one after the other in record order.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Replaces the codes of a field by the numbers that they stand for; `None` if there is a code that stands for none.
    pub(super) fn renumber(&mut self, field: Field, numbers: &[i64]) -> Option<()> {
        for code in &mut self.columns[field as usize] {
            *code = *numbers.get(usize::try_from(*code).ok()?)?;
        }
        Some(())
    }

    /// Removes the records and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.columns.iter_mut().for_each(Vec::clear);
        self.text.clear();
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.columns[Field::Customer as usize].len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Upper bound on the packed bytes of a block with this number of fields, without its string ids.
pub(super) fn most_bytes(fields: usize) -> usize {
    4 + fields * (9 + 8 * BLOCK)
}

/// Packs the first `len` records of a block and appends them to the last chunk, or to a new one. `packed` is scratch memory of
/// [`most_bytes`], which stays in the cache while the pages of chunks are new. Returns the number of bytes.
pub(super) fn pack(block: &[i64], len: usize, text: &[u8], packed: &mut [u8], chunk: usize, chunks: &mut Chunks) -> usize {
    let (head, mut rest) = packed.split_at_mut(4);
    head.copy_from_slice(&(len as u32).to_le_bytes());
    let mut size = 4;
    for column in block.chunks_exact(BLOCK) {
        let values = &column[..len];
        let (min, max) = ends(values).unwrap_or((0, 0));
        let width = match (max as u64).wrapping_sub(min as u64) {
            0 => 0usize,
            1..=0xFF => 1,
            0x100..=0xFFFF => 2,
            0x1_0000..=0xFFFF_FFFF => 4,
            _ => 8,
        };
        let (head, tail) = rest.split_at_mut(9);
        head[0] = width as u8;
        head[1..].copy_from_slice(&min.to_le_bytes());
        let (to, tail) = tail.split_at_mut(width * len);
        let offsets = values.iter().map(|&v| (v as u64).wrapping_sub(min as u64));
        match width {
            0 => {}
            1 => to.iter_mut().zip(offsets).for_each(|(to, x)| *to = x as u8),
            2 => to.as_chunks_mut::<2>().0.iter_mut().zip(offsets).for_each(|(to, x)| *to = (x as u16).to_le_bytes()),
            4 => to.as_chunks_mut::<4>().0.iter_mut().zip(offsets).for_each(|(to, x)| *to = (x as u32).to_le_bytes()),
            _ => to.as_chunks_mut::<8>().0.iter_mut().zip(offsets).for_each(|(to, x)| *to = x.to_le_bytes()),
        }
        rest = tail;
        size += 9 + width * len;
    }
    let whole = size + text.len();
    if chunks.last().is_none_or(|last| last.capacity() - last.len() < whole) {
        chunks.push(Vec::with_capacity(chunk.max(whole)));
    }
    if let Some(last) = chunks.last_mut() {
        last.extend_from_slice(&packed[..size]);
        last.extend_from_slice(text);
    }
    whole
}

/// Packs a list of numbers.
pub fn pack_numbers(numbers: &[i64]) -> Vec<u8> {
    let (mut block, mut packed, mut chunks) = ([0; BLOCK], vec![0; most_bytes(1)], Vec::new());
    for some in numbers.chunks(BLOCK) {
        block[..some.len()].copy_from_slice(some);
        pack(&block, some.len(), &[], &mut packed, CHUNK, &mut chunks);
    }
    chunks.concat()
}

/// Unpacks a list of numbers and appends it to `into`.
pub fn unpack_numbers(mut packed: &[u8], into: &mut Vec<i64>) {
    let mut fields = [false; FIELDS];
    fields[Field::Customer as usize] = true;
    let mut records = Records::default();
    while !packed.is_empty() {
        records.clear();
        packed = unpack(packed, RecordLayout { text_ids: false, fields }, &mut records);
        into.extend_from_slice(records.column(Field::Customer));
    }
}

/// Unpacks the first of some blocks and appends it to `into`; returns the other blocks.
pub(super) fn unpack<'a>(blocks: &'a [u8], layout: RecordLayout, into: &mut Records) -> &'a [u8] {
    let mut at = 0;
    let mut take = |n: usize| {
        let bytes = &blocks[at..at + n];
        at += n;
        bytes
    };
    let len = u32::from_le_bytes(array(take(4))) as usize;
    let before = into.len();
    for (column, _) in into.columns.iter_mut().zip(&layout.fields).filter(|(_, used)| **used) {
        let width = take(1)[0] as usize;
        let min = i64::from_le_bytes(array(take(8)));
        let packed = take(width * len);
        let value = |offset: u64| (min as u64).wrapping_add(offset) as i64;
        match width {
            0 => column.extend(std::iter::repeat_n(min, len)),
            1 => column.extend(packed.iter().map(|&b| value(u64::from(b)))),
            2 => column.extend(packed.chunks_exact(2).map(|b| value(u64::from(u16::from_le_bytes(array(b)))))),
            4 => column.extend(packed.chunks_exact(4).map(|b| value(u64::from(u32::from_le_bytes(array(b)))))),
            _ => column.extend(packed.chunks_exact(8).map(|b| value(u64::from_le_bytes(array(b))))),
        }
    }
    if layout.text_ids {
        let length: i64 = into.column(Field::Customer)[before..].iter().sum();
        into.text.extend_from_slice(take(length as usize));
    }
    &blocks[at..]
}

/// Adds `by` to the values of a field in all of some packed blocks: only their minimum changes.
pub(super) fn shift(mut blocks: &mut [u8], layout: RecordLayout, field: Field, by: i64) {
    let before = layout.fields.iter().take(field as usize).filter(|used| **used).count();
    while let Some((bytes, records)) = first_block(blocks, layout) {
        let (block, rest) = blocks.split_at_mut(bytes);
        let mut at = 4;
        for _ in 0..before {
            at += 9 + usize::from(block[at]) * records as usize;
        }
        if let Some(min) = block.get_mut(at + 1..).and_then(|bytes| bytes.first_chunk_mut::<8>()) {
            *min = i64::from_le_bytes(*min).wrapping_add(by).to_le_bytes();
        }
        blocks = rest;
    }
}

/// The bytes that the first of some packed blocks takes, and its number of records; `None` if they are no packed block.
pub(super) fn first_block(blocks: &[u8], layout: RecordLayout) -> Option<(usize, u64)> {
    let (head, mut rest) = blocks.split_first_chunk::<4>()?;
    let len = u32::from_le_bytes(*head) as usize;
    if !(1..=BLOCK).contains(&len) {
        return None;
    }
    let mut text_bytes = 0;
    for (field, _) in layout.fields.iter().enumerate().filter(|(_, used)| **used) {
        let (width, tail) = rest.split_first()?;
        let (min, tail) = tail.split_first_chunk::<8>()?;
        let width = usize::from(*width);
        if !matches!(width, 0 | 1 | 2 | 4 | 8) {
            return None;
        }
        let (packed, tail) = tail.split_at_checked(width * len)?;
        if layout.text_ids && field == Field::Customer as usize {
            text_bytes = text_length(i64::from_le_bytes(*min), width, packed, len)?;
        }
        rest = tail;
    }
    let (_, rest) = rest.split_at_checked(text_bytes)?;
    Some((blocks.len() - rest.len(), len as u64))
}

/// The bytes of the ids of a block, whose lengths are packed as offsets from `min`.
fn text_length(min: i64, width: usize, packed: &[u8], len: usize) -> Option<usize> {
    let offset = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |offset, byte| offset << 8 | u64::from(*byte));
    let mut lengths = usize::try_from(min).ok()?.checked_mul(len)?;
    for bytes in packed.chunks_exact(width.max(1)) {
        lengths = lengths.checked_add(usize::try_from(offset(bytes)).ok()?)?;
    }
    Some(lengths)
}

/// Exactly `N` bytes as an array.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(bytes);
    out
}
