//! The packed buckets of a table that has been read: in memory, on disk, or both.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::layout::{Field, RecordLayout};
use super::pack::Records;
use super::packed_bucket::{self, PackedBucket};
use super::records::BucketRecords;
use crate::error::{Error, Kind, Result};
use crate::memory::{Consumer, MemoryPool};

/// The packed buckets of a table.
#[derive(Debug)]
pub struct BucketStore {
    /// The fields of the records.
    pub layout: RecordLayout,
    /// `None` once released.
    buckets: Vec<Mutex<Option<PackedBucket>>>,
    /// What the codes of several scans stand for; `None` for those of one, which are left as they are.
    numbers: Option<CodeNumbers>,
    memory: MemoryPool,
}

/// The numbers behind codes of slices and of categories.
#[derive(Debug, Clone, Default)]
pub struct CodeNumbers {
    /// By code of a slice.
    pub slices: Vec<i64>,
    /// By code of a category.
    pub categories: Vec<i64>,
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
            packed_bucket::spill(&mut all, to)?;
        }
        let buckets = all.into_iter().map(|bucket| Mutex::new(Some(bucket))).collect();
        Ok(BucketStore { layout, buckets, numbers: None, memory: memory.clone() })
    }

    /// Appends the packed blocks of a bucket to `into`, to be written for another stage.
    ///
    /// # Errors
    /// Exit 7 if they do not come back from disk; exit 1 if they were released, or there is no such bucket.
    pub fn append_blocks(&self, number: usize, into: &mut Vec<u8>) -> Result<()> {
        let bucket = self.buckets.get(number).map(lock);
        let bucket = bucket.as_ref().and_then(|bucket| bucket.as_ref());
        let bucket = bucket.ok_or_else(|| Error::bug(format!("bucket {number} is asked for after it was forgotten")))?;
        bucket.each_run_of_blocks(self.memory.spill().map(Arc::as_ref), |run| into.extend_from_slice(run))
    }

    /// Bytes of the packed blocks of all buckets.
    pub fn packed_bytes(&self) -> u64 {
        let bytes = |bucket: &PackedBucket| bucket.packed_bytes() + bucket.pieces.iter().map(|piece| piece.bytes()).sum::<u64>();
        self.buckets.iter().map(|bucket| lock(bucket).as_ref().map_or(0, bytes)).sum()
    }

    /// How many buckets.
    pub fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Whether there is no bucket.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Records of a bucket; none once they are released.
    pub fn record_count(&self, number: usize) -> u64 {
        self.buckets.get(number).map_or(0, |bucket| lock(bucket).as_ref().map_or(0, |bucket| bucket.records))
    }

    /// Whether a bucket has too many records to be unpacked while every thread unpacks another: those of one customer, mostly.
    pub fn is_large(&self, number: usize) -> bool {
        let bytes = PackedBucket::bytes_of(self.record_count(number), self.layout);
        bytes.saturating_mul(rayon::current_num_threads() as u64) > self.memory.capacity(Consumer::UnpackedBucket)
    }

    /// Frees the records of a bucket that is no longer needed.
    pub fn release(&self, number: usize) {
        self.buckets.get(number).map(|bucket| lock(bucket).take());
    }

    /// Unpacks the records of a bucket, in any order, replacing the contents of `into`. No two large ones at once.
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
        // That all threads may unpack one that is not large was seen before.
        self.memory.try_reserve(Consumer::LargeBucket, bucket.bytes(self.layout), || {
            format!("{} rows of customers who share a bucket", bucket.records)
        })?;
        bucket.unpack(self.layout, self.memory.spill().map(Arc::as_ref), into)?;
        let Some(numbers) = &self.numbers else { return Ok(()) };
        let renumbered = into.renumber(Field::Slice, &numbers.slices).and(into.renumber(Field::Category, &numbers.categories));
        renumbered.ok_or_else(|| {
            let what = "records of a scan have a code that no scan has found; empty the work place and run again";
            Error::new(Kind::State, what)
        })
    }
}

/// Buckets that fill with records which were scanned elsewhere. Under a memory limit, most of them are spilled.
pub struct BucketCollector {
    layout: RecordLayout,
    buckets: Vec<PackedBucket>,
    numbers: CodeNumbers,
    memory: MemoryPool,
    /// Packed bytes in memory.
    bytes: u64,
}

impl BucketCollector {
    /// As many empty buckets, for records whose codes stand for these numbers.
    pub fn new(layout: RecordLayout, count: usize, numbers: CodeNumbers, memory: &MemoryPool) -> BucketCollector {
        let buckets = std::iter::repeat_with(PackedBucket::default).take(count).collect();
        BucketCollector { layout, buckets, numbers, memory: memory.clone(), bytes: 0 }
    }

    /// Adds records to a bucket.
    ///
    /// # Errors
    /// Exit 7 if they cannot be spilled; exit 1 if there is no such bucket, or they have other fields.
    pub fn add(&mut self, number: usize, records: BucketRecords) -> Result<()> {
        if records.layout() != self.layout {
            return Err(Error::bug(format!("records with {:?} meet records with {:?}", self.layout, records.layout())));
        }
        let bucket = self.buckets.get_mut(number).ok_or_else(|| Error::bug(format!("there is no bucket {number}")))?;
        let more = records.into_packed();
        self.bytes += more.packed_bytes();
        bucket.chunks.extend(more.chunks);
        bucket.records += more.records;
        if let Some(to) = self.memory.spill().filter(|_| self.bytes > self.memory.capacity(Consumer::Retained)) {
            packed_bucket::spill(&mut self.buckets, to)?;
            self.bytes = 0;
        }
        Ok(())
    }

    /// The filled buckets.
    pub fn finish(self) -> BucketStore {
        let buckets = self.buckets.into_iter().map(|bucket| Mutex::new(Some(bucket))).collect();
        BucketStore { layout: self.layout, buckets, numbers: Some(self.numbers), memory: self.memory }
    }
}
