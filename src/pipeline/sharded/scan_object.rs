//! The object that a scan leaves: the packed records of every bucket, bucket after bucket, and in its index what was found.
//!
//! A bucket without records takes no byte. Records of neighbouring buckets are read at once, and each bucket is checked against its
//! checksum.

use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::indexed_object::{self, ObjectBytes};
use super::stage_name::StageName;
use super::values::ScanResult;
use super::work::WorkPlace;
use crate::bucket::{BucketRecords, BucketStore, RecordLayout};
use crate::error::Result;
use crate::score::RunBytes;
use crate::wire::Travels;

/// Where what lies in the object of a scan, and what was found.
#[derive(Serialize, Deserialize)]
struct Index {
    /// The fields of the records.
    layout: RecordLayout,
    /// By bucket, where its records end, and their checksum (xxh3); those of the first begin at 0, any other's at the end of the one
    /// before.
    buckets: Vec<(u64, u64)>,
    found: ScanResult,
}

impl Travels for Index {
    const NAME: &'static str = "index of a scan";
    const VERSION: u16 = 1;
}

/// The bytes of the object; the buckets are released.
///
/// # Errors
/// Exit 7 if spilled records do not come back.
pub fn encode(orders: &BucketStore, found: ScanResult) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(orders.packed_bytes() as usize + (64 << 10));
    let mut buckets = Vec::with_capacity(orders.len());
    for bucket in 0..orders.len() {
        let begin = bytes.len();
        orders.append_blocks(bucket, &mut bytes)?;
        orders.release(bucket);
        buckets.push((bytes.len() as u64, xxh3_64(bytes.get(begin..).unwrap_or_default())));
    }
    indexed_object::seal(bytes, Index { layout: orders.layout, buckets, found })
}

/// The object of a scan, opened.
pub struct ScanObject {
    bytes: ObjectBytes,
    index: Index,
}

impl ScanObject {
    /// Opens the object of a task.
    ///
    /// # Errors
    /// Exit 5 if it is not there or damaged; exit 4 if it cannot be read.
    pub fn open(work: &WorkPlace, task: usize) -> Result<ScanObject> {
        let (bytes, index) = indexed_object::open(work, &StageName::Scan.object(task))?;
        Ok(ScanObject { bytes, index })
    }

    /// What the scan has found.
    pub fn into_findings(self) -> ScanResult {
        self.index.found
    }

    /// The records of some buckets, of those that have any.
    ///
    /// # Errors
    /// Exit 5 if they are damaged; exit 4 if they cannot be read.
    pub fn records(&self, buckets: Range<usize>) -> Result<Vec<(usize, BucketRecords)>> {
        let end_before = |bucket: usize| match bucket.checked_sub(1) {
            Some(before) => self.index.buckets.get(before).map_or(u64::MAX, |(end, _)| *end),
            None => 0,
        };
        let begin = end_before(buckets.start);
        let bytes = self.bytes.range(begin..end_before(buckets.end))?;
        let of_bucket = |bucket: usize| {
            let [from, to] = [end_before(bucket), end_before(bucket + 1)].map(|at| at.saturating_sub(begin) as usize);
            let blocks = bytes.get(from..to).filter(|blocks| !blocks.is_empty())?;
            let is_whole = self.index.buckets.get(bucket).is_some_and(|(_, checksum)| *checksum == xxh3_64(blocks));
            let records = Some(blocks).filter(|_| is_whole);
            let records = records.and_then(|blocks| BucketRecords::of_blocks(self.index.layout, blocks.to_vec()));
            Some(records.map(|records| (bucket, records)).ok_or_else(|| self.bytes.damaged()))
        };
        buckets.into_par_iter().filter_map(of_bucket).collect()
    }
}
