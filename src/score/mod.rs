//! Cut points and scores: exact, and the same score for equal values.
//!
//! Values are integers (days, counts, minor units), so every cut becomes an integer threshold: a value's bin is the
//! number of thresholds at or below it. Bins ascend with the measure; scores ascend with what is better, so recency is
//! reversed.

mod axis;
mod bins;
mod cut_points;
mod distribution;
mod distributions;
mod level;
mod quantile;
mod scoring;
mod spillable;
mod tiles;
mod value_list;

pub use axis::Axis;
pub use bins::{bin, extend_by_bin};
pub use cut_points::{Cut, CutPoints, cut_points};
pub use distribution::Distribution;
pub use distributions::{SliceDistributions, SliceValues};
pub use level::Level;
pub use scoring::{DateScoring, SliceScoring};
pub use spillable::SpillableDistribution;
pub use tiles::{tile_sizes, tile_starts};
