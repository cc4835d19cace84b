//! All buckets of a table when its reading is over: in memory, on disk, or both.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Chunks, Layout, Unpacked, pack};
use crate::error::{Error, Result};
use crate::memory::{self, Consumer, MemoryPool, SpillFile, SpilledRange};

/// So many records are those of a customer whom nobody expects: a bucket has some 60,000.
const CROWDED: u64 = 1 << 25;

/// The packed records of one bucket.
#[derive(Debug, Default)]
pub struct Packed {
    pub(super) chunks: Chunks,
    /// Blocks on disk.
    pieces: Vec<SpilledRange>,
    pub(super) records: u64,
}

impl Packed {
    /// Bytes of the records when they are unpacked. What the fold makes of them is about as large as they are.
    fn bytes(&self, layout: Layout) -> u64 {
        2 * self.records * 8 * layout.count() as u64
    }

    /// Bytes of records in memory.
    fn held(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.len() as u64).sum()
    }

    /// Unpacks the records, in any order, in place of what `into` held.
    ///
    /// # Errors
    /// Exit 7 if they do not fit into memory, or if spilled ones do not come back.
    pub fn unpack(&self, layout: Layout, spill: Option<&SpillFile>, into: &mut Unpacked) -> Result<()> {
        into.clear();
        if self.records > CROWDED {
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

/// Writes what buckets hold in memory away.
pub(super) fn spill(buckets: &mut [Packed], spill: &SpillFile) -> Result<()> {
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

/// The buckets of a table.
#[derive(Debug)]
pub struct Store {
    /// What the records hold.
    pub layout: Layout,
    /// `None` once forgotten.
    buckets: Vec<Mutex<Option<Packed>>>,
    memory: MemoryPool,
}

fn lock(bucket: &Mutex<Option<Packed>>) -> MutexGuard<'_, Option<Packed>> {
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// Joins what threads have packed into as many buckets each. Under a limit, little of it stays in memory.
    ///
    /// # Errors
    /// Exit 7 if it cannot be spilled.
    pub fn join(layout: Layout, threads: Vec<Vec<Packed>>, memory: &MemoryPool) -> Result<Store> {
        let mut all: Vec<Packed> = Vec::new();
        for own in threads {
            if all.is_empty() {
                all = own;
                continue;
            }
            for (all, own) in all.iter_mut().zip(own) {
                all.chunks.extend(own.chunks);
                all.pieces.extend(own.pieces);
                all.records += own.records;
            }
        }
        let held: u64 = all.iter().map(Packed::held).sum();
        if let Some(to) = memory.spill().filter(|_| held > memory.capacity(Consumer::Retained)) {
            spill(&mut all, to)?;
        }
        let buckets = all.into_iter().map(|bucket| Mutex::new(Some(bucket))).collect();
        Ok(Store { layout, buckets, memory: memory.clone() })
    }

    /// How many buckets.
    pub fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Whether there is no bucket.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Frees the records of a bucket that nobody will look at again.
    pub fn forget(&self, number: usize) {
        self.buckets.get(number).map(|bucket| lock(bucket).take());
    }

    /// Unpacks the records of a bucket, in any order, in place of what `into` held.
    ///
    /// # Errors
    /// Exit 7 if they do not fit into memory, or do not come back from disk; exit 1 if they were forgotten.
    pub fn unpack(&self, number: usize, into: &mut Unpacked) -> Result<()> {
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
