//! The packed records of one bucket: blocks in memory, on disk, or both.

use super::layout::{Chunks, RecordLayout};
use super::pack::{self, Records};
use crate::error::Result;
use crate::memory::{self, SpillFile, SpilledRange};

/// A bucket usually has some 60,000 records. This many come from one customer, so memory is checked before unpacking.
const OVERSIZED: u64 = 1 << 25;

/// The packed records of one bucket.
#[derive(Debug, Default)]
pub struct PackedBucket {
    pub(super) chunks: Chunks,
    /// Spilled blocks.
    pub(super) pieces: Vec<SpilledRange>,
    pub(super) records: u64,
}

impl PackedBucket {
    /// Bytes needed to fold the bucket: the unpacked records, and about as much for their panel.
    pub(super) fn bytes(&self, layout: RecordLayout) -> u64 {
        PackedBucket::bytes_of(self.records, layout)
    }

    /// [`Self::bytes`] of a bucket with `records` records.
    pub(super) fn bytes_of(records: u64, layout: RecordLayout) -> u64 {
        2 * records * 8 * layout.count() as u64
    }

    /// Packed bytes in memory.
    pub(super) fn packed_bytes(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.len() as u64).sum()
    }

    /// Replaces the contents of `into` with the unpacked records, in any order.
    ///
    /// # Errors
    /// Exit 7 if they do not fit into memory, or if spilled ones do not come back.
    pub fn unpack(&self, layout: RecordLayout, spill: Option<&SpillFile>, into: &mut Records) -> Result<()> {
        into.clear();
        if self.records > OVERSIZED {
            memory::check_available(self.bytes(layout), || format!("{} rows of customers who share a bucket", self.records))?;
        }
        self.each_run_of_blocks(spill, |blocks| {
            let mut rest = blocks;
            while !rest.is_empty() {
                rest = pack::unpack(rest, layout, into);
            }
        })
    }

    /// Calls `look` with packed blocks, many at a time.
    ///
    /// # Errors
    /// Exit 7 if spilled ones do not come back.
    pub(super) fn each_run_of_blocks(&self, spill: Option<&SpillFile>, mut look: impl FnMut(&[u8])) -> Result<()> {
        self.chunks.iter().for_each(|chunk| look(chunk));
        if let Some(spill) = spill {
            let mut blocks = Vec::new();
            for piece in &self.pieces {
                spill.read(piece, &mut blocks)?;
                look(&blocks);
            }
        }
        Ok(())
    }

    /// A bucket of packed blocks in memory.
    pub(super) fn of_blocks(blocks: Vec<u8>, records: u64) -> PackedBucket {
        PackedBucket { chunks: vec![blocks], pieces: Vec::new(), records }
    }
}

/// Spills the packed blocks of buckets.
pub(super) fn spill(buckets: &mut [PackedBucket], spill: &SpillFile) -> Result<()> {
    let mut blocks = Vec::new();
    for bucket in buckets {
        if bucket.chunks.is_empty() {
            continue;
        }
        blocks.clear();
        bucket.chunks.drain(..).for_each(|chunk| blocks.extend_from_slice(&chunk));
        bucket.pieces.push(spill.write(&blocks)?);
    }
    Ok(())
}
