//! Packing of a block: per lane a width and a minimum, then the offsets; string bytes at the end.

use super::{BLOCK, CHUNK, Chunks, LANES, Lane, Layout};

/// The records of a bucket, lane by lane.
#[derive(Debug, Default)]
pub struct Unpacked {
    lanes: [Vec<i64>; LANES],
    text: Vec<u8>,
}

impl Unpacked {
    /// The values of a lane; empty if the layout lacks it.
    pub fn lane(&self, lane: Lane) -> &[i64] {
        &self.lanes[lane as usize]
    }

    /// The bytes of all string ids, one after the other in record order.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Forgets the records and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.lanes.iter_mut().for_each(Vec::clear);
        self.text.clear();
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.lanes[Lane::Customer as usize].len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Packs the first `len` records of a block of lanes behind what the last chunk holds, or into a new one.
pub(super) fn pack(block: &[i64], len: usize, text: &[u8], chunks: &mut Chunks) {
    let lanes = block.chunks_exact(BLOCK).map(|lane| {
        let values = &lane[..len];
        let (min, max) = values.iter().fold((i64::MAX, i64::MIN), |(min, max), &v| (min.min(v), max.max(v)));
        let width = match (max as u64).wrapping_sub(min as u64) {
            0 => 0usize,
            1..=0xFF => 1,
            0x100..=0xFFFF => 2,
            0x1_0000..=0xFFFF_FFFF => 4,
            _ => 8,
        };
        (values, min, width)
    });
    let size = 4 + lanes.clone().map(|(_, _, width)| 9 + width * len).sum::<usize>() + text.len();
    if chunks.last().is_none_or(|chunk| chunk.capacity() - chunk.len() < size) {
        chunks.push(Vec::with_capacity(CHUNK.max(size)));
    }
    let Some(out) = chunks.last_mut() else { return };
    let start = out.len();
    out.resize(start + size, 0);
    let (head, mut rest) = out[start..].split_at_mut(4);
    head.copy_from_slice(&(len as u32).to_le_bytes());
    for (values, min, width) in lanes {
        let (head, tail) = rest.split_at_mut(9);
        head[0] = width as u8;
        head[1..].copy_from_slice(&min.to_le_bytes());
        let (packed, tail) = tail.split_at_mut(width * len);
        let offsets = values.iter().map(|&v| (v as u64).wrapping_sub(min as u64));
        match width {
            0 => {}
            1 => packed.iter_mut().zip(offsets).for_each(|(to, x)| *to = x as u8),
            2 => packed.chunks_exact_mut(2).zip(offsets).for_each(|(to, x)| to.copy_from_slice(&(x as u16).to_le_bytes())),
            4 => packed.chunks_exact_mut(4).zip(offsets).for_each(|(to, x)| to.copy_from_slice(&(x as u32).to_le_bytes())),
            _ => packed.chunks_exact_mut(8).zip(offsets).for_each(|(to, x)| to.copy_from_slice(&x.to_le_bytes())),
        }
        rest = tail;
    }
    rest.copy_from_slice(text);
}

/// Unpacks the first of some blocks behind what `into` holds; returns the rest.
pub(super) fn unpack<'a>(blocks: &'a [u8], layout: Layout, into: &mut Unpacked) -> &'a [u8] {
    let mut at = 0;
    let mut take = |n: usize| {
        let bytes = &blocks[at..at + n];
        at += n;
        bytes
    };
    let len = u32::from_le_bytes(array(take(4))) as usize;
    let before = into.len();
    for (lane, _) in into.lanes.iter_mut().zip(&layout.lanes).filter(|(_, used)| **used) {
        let width = take(1)[0] as usize;
        let min = i64::from_le_bytes(array(take(8)));
        let packed = take(width * len);
        let value = |offset: u64| (min as u64).wrapping_add(offset) as i64;
        match width {
            0 => lane.extend(std::iter::repeat_n(min, len)),
            1 => lane.extend(packed.iter().map(|&b| value(u64::from(b)))),
            2 => lane.extend(packed.chunks_exact(2).map(|b| value(u64::from(u16::from_le_bytes(array(b)))))),
            4 => lane.extend(packed.chunks_exact(4).map(|b| value(u64::from(u32::from_le_bytes(array(b)))))),
            _ => lane.extend(packed.chunks_exact(8).map(|b| value(u64::from_le_bytes(array(b))))),
        }
    }
    if layout.text_ids {
        let length: i64 = into.lane(Lane::Customer)[before..].iter().sum();
        into.text.extend_from_slice(take(length as usize));
    }
    &blocks[at..]
}

/// The bytes as an array; the caller has cut them to `N`.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(bytes);
    out
}
