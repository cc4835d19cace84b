//! The buckets on their way from the first look to the parts: packed orders, or the panels that were made of them.
//!
//! The survey must see everybody before a part can begin. What it folds for that is kept if there is room for all of it, so that
//! the parts need not fold it a second time; else the orders stay packed. Tables do not hang on which is which.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use crate::bucket::{Store, Unpacked};
use crate::error::Result;
use crate::measure::{self, Beside, BucketPanel, FoldSpec};
use crate::memory::Memory;

/// All panels may take this many bytes, without a limit of memory. Those of workload W2 of `benches/README.md`, a million
/// customers at 27 dates, take 0.7 GiB.
const KEPT: u64 = 3 << 28;

/// See the head of the file.
pub struct Panels {
    orders: Store,
    beside: Beside,
    /// By bucket, until it is taken.
    kept: Vec<Mutex<Option<BucketPanel>>>,
    /// How many were kept.
    count: AtomicU64,
    /// Their bytes.
    bytes: AtomicU64,
    /// How many bytes all of them may take.
    most: u64,
}

impl Panels {
    /// Packed orders, and what is known besides them.
    pub fn new(orders: Store, beside: Beside, memory: &Memory) -> Panels {
        let kept = (0..orders.len()).map(|_| Mutex::new(None)).collect();
        let most = if memory.spill().is_some() { 0 } else { KEPT };
        Panels { orders, beside, kept, count: AtomicU64::new(0), bytes: AtomicU64::new(0), most }
    }

    /// How many buckets.
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Folds a bucket; `unpacked` is only there to be used again.
    ///
    /// # Errors
    /// Those of [`measure::fold`], and exit 7 if spilled orders do not come back.
    pub fn fold_one(&self, bucket: usize, spec: &FoldSpec, unpacked: &mut Unpacked) -> Result<BucketPanel> {
        self.orders.unpack(bucket, unpacked)?;
        self.beside.complete(bucket, measure::fold(self.orders.layout, unpacked, spec)?, spec)
    }

    /// Folds some buckets.
    ///
    /// # Errors
    /// As [`Self::fold_one`], of the first bucket that has one.
    pub fn fold(&self, buckets: Range<usize>, spec: &FoldSpec) -> Result<Vec<BucketPanel>> {
        of_all(buckets, |unpacked, bucket| self.fold_one(bucket, spec, unpacked))
    }

    /// Whether there is room for another panel: for all of them, if they are like those so far.
    pub fn keep_more(&self) -> bool {
        let (count, bytes) = (self.count.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        self.most > 0 && u128::from(bytes) * self.kept.len() as u128 <= u128::from(self.most) * u128::from(count)
    }

    /// Keeps the panel of a bucket, for [`Self::take`], instead of its orders.
    pub fn keep(&self, bucket: usize, panel: BucketPanel) {
        self.bytes.fetch_add(panel.bytes(), Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
        *self.place(bucket) = Some(panel);
        self.orders.forget(bucket);
    }

    /// The panels of some buckets, which nobody will ask for again: those that were kept, made by the same `spec`, and the
    /// others folded.
    ///
    /// # Errors
    /// As [`Self::fold`].
    pub fn take(&self, buckets: Range<usize>, spec: &FoldSpec) -> Result<Vec<BucketPanel>> {
        of_all(buckets, |unpacked, bucket| match self.place(bucket).take() {
            Some(panel) => Ok(panel),
            None => self.fold_one(bucket, spec, unpacked),
        })
    }

    fn place(&self, bucket: usize) -> MutexGuard<'_, Option<BucketPanel>> {
        self.kept[bucket].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The panels of some buckets, or the error of the first that has one. Threads without a part of their own help.
fn of_all(
    buckets: Range<usize>,
    panel: impl Fn(&mut Unpacked, usize) -> Result<BucketPanel> + Sync + Send,
) -> Result<Vec<BucketPanel>> {
    let panels: Vec<Result<BucketPanel>> = buckets.into_par_iter().map_init(Unpacked::default, panel).collect();
    panels.into_iter().collect()
}
