//! The value distributions of a slice's customers at one as-of date.

use super::{Distribution, SpillableDistribution};
use crate::domain::CustomerId;

/// The values of the scored customers of a slice at one as-of date.
#[derive(Debug, Clone)]
pub struct SliceDistributions {
    /// Values per axis.
    pub axes: [SpillableDistribution; 3],
    /// Under `ntile`: value (recency negated) and id of every scored customer, per axis.
    pub pairs: [Vec<(i64, CustomerId)>; 3],
    /// Revenue of customers who bought in the lookback, scored or not; empty unless a table needs it.
    pub revenue: SpillableDistribution,
}

impl SliceDistributions {
    /// Empty ones.
    pub fn new() -> SliceDistributions {
        SliceDistributions {
            axes: [Distribution::of_counts(), Distribution::of_counts(), Distribution::of_money()]
                .map(SpillableDistribution::new),
            pairs: Default::default(),
            revenue: SpillableDistribution::new(Distribution::of_money()),
        }
    }

    /// Adds the values of another.
    pub fn merge(&mut self, other: SliceDistributions) {
        for (all, own) in self.axes.iter_mut().zip(other.axes) {
            all.merge(own);
        }
        for (all, own) in self.pairs.iter_mut().zip(other.pairs) {
            all.extend(own);
        }
        self.revenue.merge(other.revenue);
    }

    /// All of them, to be spilled.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut SpillableDistribution> {
        self.axes.iter_mut().chain([&mut self.revenue])
    }
}
