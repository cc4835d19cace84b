//! The value distributions of a slice's customers at one as-of date.

use serde::{Deserialize, Serialize};

use super::distribution::Distribution;
use super::spillable::SpillableDistribution;
use super::tiles::RankedCustomer;
use crate::error::Result;
use crate::memory::MemoryPool;
use crate::wire::Travels;

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

/// The values of a slice's scored customers as they pass between stages: nothing of them lies on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SliceValues {
    axes: [Distribution; 3],
    ranked: [Vec<RankedCustomer>; 3],
    revenue: Distribution,
}

impl Travels for SliceValues {
    const NAME: &'static str = "distributions";
    const VERSION: u16 = 1;

    fn canonicalise(&mut self) {
        self.ranked.iter_mut().for_each(|customers| customers.sort_unstable());
    }
}

impl SliceDistributions {
    /// All values in memory.
    ///
    /// # Errors
    /// Exit 7 if they do not fit into memory, or do not come back from disk.
    pub fn to_values(&self, memory: &MemoryPool) -> Result<SliceValues> {
        let whole = |values: &SpillableDistribution| Ok(values.whole(memory, || "an axis of a slice".into())?.into_owned());
        let [recency, frequency, monetary] = &self.axes;
        Ok(SliceValues {
            axes: [whole(recency)?, whole(frequency)?, whole(monetary)?],
            ranked: self.ranked.clone(),
            revenue: whole(&self.revenue)?,
        })
    }
}

impl From<SliceValues> for SliceDistributions {
    fn from(values: SliceValues) -> SliceDistributions {
        SliceDistributions {
            axes: values.axes.map(SpillableDistribution::new),
            ranked: values.ranked,
            revenue: SpillableDistribution::new(values.revenue),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CustomerId;
    use crate::wire::checks::{Sequence, merges_in_any_order};
    use crate::wire::{read, write};

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

    #[test]
    fn distributions_merge_in_any_order() -> Result<()> {
        let folder = crate::temp::tempdir().expect("a folder");
        let memory = MemoryPool::limited(1 << 30, 0, folder.path())?;
        let values = || -> Vec<SliceValues> {
            let all = some(&memory).expect("distributions");
            all.iter().map(|own| own.to_values(&memory).expect("values")).collect()
        };
        let digits = merges_in_any_order(values, |all, more| {
            let mut merged = SliceDistributions::from(all.clone());
            merged.merge(more.into());
            *all = merged.to_values(&memory)?;
            Ok(())
        })?;
        assert_eq!((digits.as_str(), SliceValues::VERSION), ("7e73b024d5d0745b", 1), "the form has changed: raise its version");
        Ok(())
    }

    #[test]
    fn a_read_distribution_answers_as_the_written_one() -> Result<()> {
        let memory = MemoryPool::unlimited();
        for own in some(&memory)? {
            let own = own.to_values(&memory)?;
            let back: SliceValues = read(&write(own.clone())?, "a test")?;
            for (own, back) in own.axes.iter().zip(&back.axes).chain([(&own.revenue, &back.revenue)]) {
                let wanted: Vec<u64> = (0..own.len()).collect();
                assert_eq!((own.len(), own.sum(), own.most_common()), (back.len(), back.sum(), back.most_common()));
                assert_eq!(own.statistics(&wanted), back.statistics(&wanted));
                assert_eq!(own.bins(&[-5, 3, 70_000]), back.bins(&[-5, 3, 70_000]));
            }
        }
        Ok(())
    }
}
