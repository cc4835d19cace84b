//! The encoding `DELTA_BINARY_PACKED` of Parquet: per block the least difference, and of all others by how much they exceed it.

use super::bits::{pack_32, varint, width, zigzag};

/// Differences of a block, in four miniblocks.
const BLOCK: usize = 128;
const MINIBLOCK: usize = 32;

/// An integer of 32 or 64 bits. Differences and sums wrap around in as many.
pub(super) trait Integer: Copy + Ord + Default {
    fn widened(self) -> i64;
    fn minus(self, other: Self) -> Self;
    fn plus(self, more: u64) -> Self;
    /// By how much this one exceeds `least`, which is not greater.
    fn above(self, least: Self) -> u64;
    /// Appends its bytes as a page holds them.
    fn put(self, out: &mut Vec<u8>);
}

macro_rules! integer {
    ($signed:ty, $unsigned:ty) => {
        impl Integer for $signed {
            fn widened(self) -> i64 {
                self.into()
            }
            fn minus(self, other: $signed) -> $signed {
                self.wrapping_sub(other)
            }
            fn plus(self, more: u64) -> $signed {
                self.wrapping_add(more as $signed)
            }
            fn above(self, least: $signed) -> u64 {
                (self.wrapping_sub(least) as $unsigned).into()
            }
            fn put(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        }
    };
}

integer!(i32, u32);
integer!(i64, u64);

/// Appends the values.
pub(super) fn encode<T: Integer>(out: &mut Vec<u8>, values: &[T]) {
    varint(out, BLOCK as u64);
    varint(out, (BLOCK / MINIBLOCK) as u64);
    varint(out, values.len() as u64);
    zigzag(out, values.first().map_or(0, |first| first.widened()));
    let mut differences = [T::default(); BLOCK];
    let mut from = 0;
    while from + 1 < values.len() {
        let count = (values.len() - 1 - from).min(BLOCK);
        let (now, next) = (&values[from..from + count], &values[from + 1..from + 1 + count]);
        for ((difference, now), next) in differences.iter_mut().zip(now).zip(next) {
            *difference = next.minus(*now);
        }
        block(out, &mut differences, count);
        from += count;
    }
}

/// Appends a block of `count` differences. Miniblocks that hold none are left out.
fn block<T: Integer>(out: &mut Vec<u8>, differences: &mut [T; BLOCK], count: usize) {
    let least = differences[..count].iter().copied().min().unwrap_or_default();
    // What fills the last miniblock up is not to widen it.
    differences[count..].fill(least);
    zigzag(out, least.widened());
    let widths = out.len();
    out.extend_from_slice(&[0; BLOCK / MINIBLOCK]);
    let used = differences.as_chunks::<MINIBLOCK>().0.iter().take(count.div_ceil(MINIBLOCK));
    for (number, miniblock) in used.enumerate() {
        let above = miniblock.map(|difference| difference.above(least));
        let width = width(above.iter().fold(0, |all, above| all | above));
        out[widths + number] = width;
        pack_32(out, &above, width);
    }
}
