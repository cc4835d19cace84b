//! Cut points and scores: exact, and the same score for equal values.
//!
//! Values are integers (days, counts, minor units), so every cut becomes an integer threshold: a value's bin is the
//! number of thresholds at or below it. Bins ascend with the measure; scores ascend with what is better, so recency is
//! reversed.

mod axis;
mod axis_values;
mod bins;
mod cut_points;
mod distribution;
mod distributions;
mod level;
mod quantile;
mod scoring;
mod sorted_run;
mod spillable;
mod tiles;
mod value_list;

pub use axis::Axis;
pub use axis_values::AxisValues;
pub use bins::{bin, extend_by_bin};
pub use cut_points::{Cut, CutPoints, cut_points};
pub use distribution::Distribution;
pub use distributions::{SliceDistributions, StoredSlice};
pub use level::Level;
pub use scoring::{DateScoring, SliceScoring};
pub use sorted_run::RunBytes;
pub use spillable::{SpillableDistribution, StoredDistribution};
pub use tiles::{tile_sizes, tile_starts};
