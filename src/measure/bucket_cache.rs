//! The buckets between the first pass and the second: packed orders, or the panels folded from them.
//!
//! The first pass must see all customers before a part can be scored. It keeps the panels it folds if all of them fit into
//! memory, so that the second pass need not fold them again; otherwise the orders stay packed. The tables are the same
//! either way.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use crate::bucket::{BucketStore, Records};
use crate::error::Result;
use crate::memory::MemoryPool;

use super::attributes::{CustomerAttributes, CustomerData};
use super::codes::SourceCodes;
use super::customer_events::CustomerEvents;
use super::fold::fold;
use super::panel::BucketPanel;
use super::spec::FoldSpec;

/// Bytes that all panels may take together when the job has no memory limit. Those of workload W2 of `benches/README.md`, a
/// million customers at 27 dates, take 0.7 GiB.
const CAPACITY: u64 = 3 << 28;

/// Buckets as packed orders or as folded panels.
pub struct BucketCache {
    orders: BucketStore,
    customer_data: CustomerData,
    codes: SourceCodes,
    /// Per bucket, its panel until it is taken.
    panels: Vec<Mutex<Option<BucketPanel>>>,
    /// Panels inserted.
    count: AtomicU64,
    /// Bytes of the panels inserted.
    bytes: AtomicU64,
    /// Bytes that all panels may take.
    capacity: u64,
}

impl BucketCache {
    /// Packed orders and side inputs, nothing folded yet. Under a memory limit no panel is kept.
    pub fn new(orders: BucketStore, customer_data: CustomerData, codes: SourceCodes, memory: &MemoryPool) -> BucketCache {
        let capacity = if memory.spill().is_some() { 0 } else { CAPACITY };
        BucketCache::with_capacity(orders, customer_data, codes, capacity)
    }

    /// Packed orders and side inputs of which no panel is kept.
    pub fn without_panels(orders: BucketStore, customer_data: CustomerData, codes: SourceCodes) -> BucketCache {
        BucketCache::with_capacity(orders, customer_data, codes, 0)
    }

    fn with_capacity(orders: BucketStore, customer_data: CustomerData, codes: SourceCodes, capacity: u64) -> BucketCache {
        let panels = (0..orders.len()).map(|_| Mutex::new(None)).collect();
        BucketCache { orders, customer_data, codes, panels, count: AtomicU64::new(0), bytes: AtomicU64::new(0), capacity }
    }

    /// What the codes in the orders stand for.
    pub fn codes(&self) -> &SourceCodes {
        &self.codes
    }

    /// The rows of the customers table in some buckets; empty without one.
    pub fn attributes(&self, buckets: Range<usize>) -> &[CustomerAttributes] {
        self.customer_data.attributes.get(buckets).unwrap_or_default()
    }

    /// The events of some buckets by customer; empty without events.
    ///
    /// # Errors
    /// Exit 7 if spilled events do not come back.
    pub fn events(&self, buckets: Range<usize>) -> Result<Vec<CustomerEvents>> {
        let Some(events) = &self.customer_data.events else { return Ok(Vec::new()) };
        let found: Vec<Result<CustomerEvents>> = buckets.into_par_iter().map(|bucket| events.customers(bucket)).collect();
        found.into_iter().collect()
    }

    /// How many buckets.
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Folds a bucket; `unpacked` is scratch space.
    ///
    /// # Errors
    /// Those of [`fold`], and exit 7 if spilled orders do not come back.
    pub fn fold_one(&self, bucket: usize, spec: &FoldSpec, unpacked: &mut Records) -> Result<BucketPanel> {
        self.orders.unpack(bucket, unpacked)?;
        let panel = fold(self.orders.layout, unpacked, &self.codes, spec)?;
        self.customer_data.complete(bucket, panel, self.codes.slice_count, spec)
    }

    /// Folds some buckets.
    ///
    /// # Errors
    /// As [`Self::fold_one`], of the first bucket that has one.
    pub fn fold(&self, buckets: Range<usize>, spec: &FoldSpec) -> Result<Vec<BucketPanel>> {
        self.fold_all(buckets, |unpacked, bucket| self.fold_one(bucket, spec, unpacked))
    }

    /// Whether a bucket is folded while no other is, since there is no memory for two.
    pub fn is_large(&self, bucket: usize) -> bool {
        self.orders.is_large(bucket)
    }

    /// Records in some buckets; none of those that were folded and cached.
    pub fn records(&self, buckets: Range<usize>) -> u64 {
        buckets.map(|bucket| self.orders.record_count(bucket)).sum()
    }

    /// Whether all panels will fit, if the rest are as large as those inserted so far.
    pub fn has_capacity(&self) -> bool {
        let (count, bytes) = (self.count.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        self.capacity > 0 && u128::from(bytes) * self.panels.len() as u128 <= u128::from(self.capacity) * u128::from(count)
    }

    /// Keeps the panel of a bucket for [`Self::take`] and frees its orders.
    pub fn insert(&self, bucket: usize, panel: BucketPanel) {
        self.bytes.fetch_add(panel.bytes(), Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
        *self.slot(bucket) = Some(panel);
        self.orders.release(bucket);
    }

    /// Removes the panels of some buckets: the cached ones, which must have been folded with the same `spec`; the others are
    /// folded now.
    ///
    /// # Errors
    /// As [`Self::fold`].
    pub fn take(&self, buckets: Range<usize>, spec: &FoldSpec) -> Result<Vec<BucketPanel>> {
        self.fold_all(buckets, |unpacked, bucket| match self.slot(bucket).take() {
            Some(panel) => Ok(panel),
            None => self.fold_one(bucket, spec, unpacked),
        })
    }

    /// The panels of some buckets, the large ones one after the other, then the others in parallel; or the error of the first
    /// bucket that has one.
    fn fold_all(
        &self,
        buckets: Range<usize>,
        panel: impl Fn(&mut Records, usize) -> Result<BucketPanel> + Sync + Send,
    ) -> Result<Vec<BucketPanel>> {
        let (large, usual): (Vec<usize>, Vec<usize>) = buckets.partition(|bucket| self.is_large(*bucket));
        let mut all: Vec<(usize, Result<BucketPanel>)> =
            large.into_iter().map(|bucket| (bucket, panel(&mut Records::default(), bucket))).collect();
        let numbered = |unpacked: &mut Records, bucket: usize| (bucket, panel(unpacked, bucket));
        all.par_extend(usual.into_par_iter().map_init(Records::default, numbered));
        all.sort_by_key(|(bucket, _)| *bucket);
        all.into_iter().map(|(_, panel)| panel).collect()
    }

    fn slot(&self, bucket: usize) -> MutexGuard<'_, Option<BucketPanel>> {
        self.panels[bucket].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
