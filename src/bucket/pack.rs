//! Packing of a block: per lane a width and a minimum, then the offsets; string bytes at the end.

use super::{BLOCK, CHUNK, Chunks, LANES, Lane, Layout};
use crate::domain::ends;

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

/// Bytes that a block of so many lanes takes at most, without its string ids.
pub(super) fn most_bytes(lanes: usize) -> usize {
    4 + lanes * (9 + 8 * BLOCK)
}

/// Packs the first `len` records of a block of lanes behind what the last chunk holds, or into a new one. `packed` is memory
/// for [`most_bytes`]: a block is put together in the cache, since the chunks' pages are new. Returns its bytes.
pub(super) fn pack(block: &[i64], len: usize, text: &[u8], packed: &mut [u8], chunk: usize, chunks: &mut Chunks) -> usize {
    let (head, mut rest) = packed.split_at_mut(4);
    head.copy_from_slice(&(len as u32).to_le_bytes());
    let mut size = 4;
    for lane in block.chunks_exact(BLOCK) {
        let values = &lane[..len];
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

/// Packs numbers without a record.
pub fn pack_numbers(numbers: &[i64]) -> Vec<u8> {
    let (mut block, mut packed, mut chunks) = ([0; BLOCK], vec![0; most_bytes(1)], Vec::new());
    for some in numbers.chunks(BLOCK) {
        block[..some.len()].copy_from_slice(some);
        pack(&block, some.len(), &[], &mut packed, CHUNK, &mut chunks);
    }
    chunks.concat()
}

/// Unpacks numbers behind what `into` holds.
pub fn unpack_numbers(mut packed: &[u8], into: &mut Vec<i64>) {
    let mut lanes = [false; LANES];
    lanes[Lane::Customer as usize] = true;
    let mut records = Unpacked::default();
    while !packed.is_empty() {
        records.clear();
        packed = unpack(packed, Layout { text_ids: false, lanes }, &mut records);
        into.extend_from_slice(records.lane(Lane::Customer));
    }
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
