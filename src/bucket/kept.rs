//! Which of all buckets a process keeps the records of.

use std::ops::Range;

/// Some neighbouring ones of all buckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBuckets {
    /// How many there are, a power of two.
    pub all: usize,
    /// Those whose records are kept.
    pub range: Range<usize>,
}

impl KeptBuckets {
    /// All of them.
    pub fn all(all: usize) -> KeptBuckets {
        KeptBuckets { all, range: 0..all }
    }

    /// None of them: records are read and counted.
    pub fn none(all: usize) -> KeptBuckets {
        KeptBuckets { all, range: 0..0 }
    }

    /// Whether every record is kept.
    pub fn are_all(&self) -> bool {
        self.range == (0..self.all)
    }

    /// The bucket of the customer with this hash, if it is kept.
    pub fn of_hash(&self, hash: u64) -> Option<usize> {
        let bucket = hash.checked_shr(u64::BITS - self.all.trailing_zeros()).unwrap_or(0) as usize;
        self.range.contains(&bucket).then_some(bucket)
    }
}
