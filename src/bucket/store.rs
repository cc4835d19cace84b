//! The packed buckets of a table that has been read: in memory, on disk, or both.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::layout::{Chunks, RecordLayout};
use super::pack::{self, Records};
use crate::error::{Error, Result};
use crate::memory::{self, Consumer, MemoryPool, SpillFile, SpilledRange};

/// A bucket usually has some 60,000 records. This many come from one customer, so memory is checked before unpacking.
const OVERSIZED: u64 = 1 << 25;

/// The packed records of one bucket.
#[derive(Debug, Default)]
pub struct PackedBucket {
    pub(super) chunks: Chunks,
    /// Spilled blocks.
    pieces: Vec<SpilledRange>,
    pub(super) records: u64,
}

impl PackedBucket {
    /// Bytes needed to fold the bucket: the unpacked records, and about as much for their panel.
    fn bytes(&self, layout: RecordLayout) -> u64 {
        2 * self.records * 8 * layout.count() as u64
    }

    /// Packed bytes in memory.
    fn packed_bytes(&self) -> u64 {
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
        let mut add = |blocks: &[u8]| {
            let mut rest = blocks;
            while !rest.is_empty() {
                rest = pack::unpack(rest, layout, into);
            }
        };
        self.chunks.iter().for_each(|chunk| add(chunk));
        if let Some(spill) = spill {
            let mut blocks = Vec::new();
            for piece in &self.pieces {
                spill.read(piece, &mut blocks)?;
                add(&blocks);
            }
        }
        Ok(())
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

/// The packed buckets of a table.
#[derive(Debug)]
pub struct BucketStore {
    /// The fields of the records.
    pub layout: RecordLayout,
    /// `None` once released.
    buckets: Vec<Mutex<Option<PackedBucket>>>,
    memory: MemoryPool,
}

fn lock(bucket: &Mutex<Option<PackedBucket>>) -> MutexGuard<'_, Option<PackedBucket>> {
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BucketStore {
    /// Joins the buckets of all threads, which have as many each. Under a memory limit, most of them are spilled.
    ///
    /// # Errors
    /// Exit 7 if they cannot be spilled.
    pub fn join(layout: RecordLayout, threads: Vec<Vec<PackedBucket>>, memory: &MemoryPool) -> Result<BucketStore> {
        let mut all: Vec<PackedBucket> = Vec::new();
        for buckets in threads {
            if all.is_empty() {
                all = buckets;
                continue;
            }
            for (all, bucket) in all.iter_mut().zip(buckets) {
                all.chunks.extend(bucket.chunks);
                all.pieces.extend(bucket.pieces);
                all.records += bucket.records;
            }
        }
        let packed: u64 = all.iter().map(PackedBucket::packed_bytes).sum();
        if let Some(to) = memory.spill().filter(|_| packed > memory.capacity(Consumer::Retained)) {
            spill(&mut all, to)?;
        }
        let buckets = all.into_iter().map(|bucket| Mutex::new(Some(bucket))).collect();
        Ok(BucketStore { layout, buckets, memory: memory.clone() })
    }

    /// How many buckets.
    pub fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Whether there is no bucket.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Frees the records of a bucket that is no longer needed.
    pub fn release(&self, number: usize) {
        self.buckets.get(number).map(|bucket| lock(bucket).take());
    }

    /// Unpacks the records of a bucket, in any order, replacing the contents of `into`.
    ///
    /// # Errors
    /// Exit 7 if they do not fit into memory, or do not come back from disk; exit 1 if they were released.
    pub fn unpack(&self, number: usize, into: &mut Records) -> Result<()> {
        let Some(bucket) = self.buckets.get(number) else {
            into.clear();
            return Ok(());
        };
        let bucket = lock(bucket);
        let bucket = bucket.as_ref().ok_or_else(|| Error::bug(format!("bucket {number} is asked for after it was forgotten")))?;
        self.memory.try_reserve(
            Consumer::UnpackedBucket,
            bucket.bytes(self.layout) * rayon::current_num_threads() as u64,
            || format!("{} rows of customers who share a bucket", bucket.records),
        )?;
        bucket.unpack(self.layout, self.memory.spill().map(Arc::as_ref), into)
    }
}
