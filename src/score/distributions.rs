//! The value distributions of a slice's customers at one as-of date.

use super::distribution::Distribution;
use super::spillable::SpillableDistribution;
use super::tiles::RankedCustomer;

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
