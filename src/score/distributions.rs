//! The value distributions of a slice's customers at one as-of date.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::distribution::Distribution;
use super::sorted_run::RunBytes;
use super::spillable::{SpillableDistribution, StoredDistribution};
use super::tiles::RankedCustomer;
use crate::error::Result;

/// The values of the scored customers of a slice at one as-of date.
#[derive(Debug, Clone)]
pub struct SliceDistributions {
    /// Values per axis.
    pub axes: [SpillableDistribution; 3],
    /// Under `ntile`: every scored customer, per axis.
    pub ranked: [Vec<RankedCustomer>; 3],
    /// Revenue of customers who bought in the lookback, scored or not; empty unless a table needs it.
    pub revenue: SpillableDistribution,
}

impl Default for SliceDistributions {
    fn default() -> SliceDistributions {
        SliceDistributions {
            axes: [Distribution::of_counts(), Distribution::of_counts(), Distribution::of_money()]
                .map(SpillableDistribution::new),
            ranked: Default::default(),
            revenue: SpillableDistribution::new(Distribution::of_money()),
        }
    }
}

impl SliceDistributions {
    /// Adds the values of another.
    pub fn merge(&mut self, other: SliceDistributions) {
        for (all, more) in self.axes.iter_mut().zip(other.axes) {
            all.merge(more);
        }
        for (all, more) in self.ranked.iter_mut().zip(other.ranked) {
            all.extend(more);
        }
        self.revenue.merge(other.revenue);
    }

    /// All of them, to be spilled.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut SpillableDistribution> {
        self.axes.iter_mut().chain([&mut self.revenue])
    }
}

/// The values of a slice's scored customers as they pass between stages: those that are listed lie in bytes of an object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredSlice {
    axes: [StoredDistribution; 3],
    ranked: [Vec<RankedCustomer>; 3],
    revenue: StoredDistribution,
}

impl StoredSlice {
    /// Brings what has no order of its own into a fixed one.
    pub fn canonicalise(&mut self) {
        self.ranked.iter_mut().for_each(|customers| customers.sort_unstable());
    }
}

impl SliceDistributions {
    /// Moves listed values behind `bytes`.
    ///
    /// # Errors
    /// Exit 7 if spilled values do not come back.
    pub fn store(self, bytes: &mut Vec<u8>) -> Result<StoredSlice> {
        let [recency, frequency, monetary] = self.axes;
        Ok(StoredSlice {
            axes: [recency.store(bytes)?, frequency.store(bytes)?, monetary.store(bytes)?],
            ranked: self.ranked,
            revenue: self.revenue.store(bytes)?,
        })
    }

    /// The values whose listed ones lie in `bytes`.
    pub fn from_stored(stored: StoredSlice, bytes: &Arc<dyn RunBytes>) -> SliceDistributions {
        SliceDistributions {
            axes: stored.axes.map(|axis| SpillableDistribution::from_stored(axis, bytes)),
            ranked: stored.ranked,
            revenue: SpillableDistribution::from_stored(stored.revenue, bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CustomerId;
    use crate::memory::MemoryPool;
    use crate::score::AxisValues;
    use crate::wire::checks::Sequence;

    /// Distributions as some workers could make them, with and without values on disk.
    fn some(memory: &MemoryPool) -> Result<Vec<SliceDistributions>> {
        let mut sequence = Sequence::new(7);
        let mut all = Vec::new();
        for worker in 0..6 {
            let mut own = SliceDistributions::default();
            for _ in 0..worker * 100 {
                let days = sequence.below(400) as i64;
                own.axes[0].push(days);
                own.axes[1].push(days * days * 3);
                own.axes[2].push((sequence.below(1 << 40) as i64 - (1 << 39)) << (days % 20));
                own.revenue.push(-days);
                let id = match worker % 2 {
                    0 => CustomerId::Int(-days),
                    _ => CustomerId::Text(days.to_le_bytes().into()),
                };
                own.ranked[days as usize % 3].push((days, id));
            }
            if let Some(spill) = memory.spill().filter(|_| worker > 3) {
                own.iter_mut().try_for_each(|values| values.spill(spill))?;
            }
            all.push(own);
        }
        Ok(all)
    }

    /// Stored and merged in any order, distributions answer as those that were merged in memory.
    #[test]
    fn stored_distributions_merge_in_any_order() -> Result<()> {
        let folder = crate::temp::tempdir().expect("a folder");
        let memory = MemoryPool::limited(1 << 30, 0, folder.path())?;
        let mut whole = SliceDistributions::default();
        some(&MemoryPool::unlimited())?.into_iter().for_each(|own| whole.merge(own));
        for turn in 0..6 {
            let mut all = some(&memory)?;
            all.rotate_left(turn);
            let mut merged = SliceDistributions::default();
            for own in all {
                let mut bytes = vec![0; turn];
                let stored = own.store(&mut bytes)?;
                let written = postcard::to_allocvec(&stored).expect("a form");
                let read: StoredSlice = postcard::from_bytes(&written).expect("the same form");
                merged.merge(SliceDistributions::from_stored(read, &(Arc::new(bytes) as Arc<dyn RunBytes>)));
            }
            let pairs = whole.axes.iter().zip(&merged.axes).chain([(&whole.revenue, &merged.revenue)]);
            for (whole, merged) in pairs {
                let wanted: Vec<u64> = (0..whole.len()).collect();
                assert_eq!((whole.len(), whole.most_common()), (merged.len(), merged.most_common()));
                let (whole, merged) = (whole.values(), merged.values());
                assert_eq!((whole.sum(), whole.statistics(&wanted)?), (merged.sum(), merged.statistics(&wanted)?));
                assert_eq!(whole.bins(&[-5, 3, 70_000])?, merged.bins(&[-5, 3, 70_000])?);
                let groups = |values: &AxisValues<'_>| values.groups().collect::<Result<Vec<_>>>();
                assert_eq!(groups(&whole)?, groups(&merged)?);
            }
        }
        Ok(())
    }
}
