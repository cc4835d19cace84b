//! The statistics of strategy evaluation: closed formulas from exact sums to doubles.
//!
//! Sums come in as integers ([`Sums`], [`PairSums`]), so that neither the order of additions nor the engine that filled
//! them can change a printed digit; every variance is the one rounding of an exact integer. From there on all estimators
//! are the delta method on a vector of means ([`estimate()`]), which gives Welch, CUPED, difference-in-differences,
//! post-stratification, matching and ratio outcomes by one formula, and the influence of every customer with it, which is
//! what pooling over periods needs when customers recur ([`pool()`]).
//!
//! Nothing here knows of strategies, periods or tables. `docs/STRATEGIES.md` has the formulas in one place.

mod check;
mod density;
mod difference;
mod discontinuity;
mod distribution;
mod enumerated;
mod estimate;
mod family;
mod grid;
mod lean;
mod local_fit;
mod money;
mod permutation;
mod pool;
mod redraws;
mod saddlepoint;
mod shrink;
mod split;
mod sums;
mod wide;

pub use check::{chi_square_homogeneity, expected_drift, smd, spread_p, wilson};
pub use density::{DensityJump, density_jump};
pub use difference::{Detectable, DifferenceTest};
pub use discontinuity::{Jump, NoJump, Observation, jump};
pub use distribution::{chi_square_sf, normal_quantile, normal_sf, skewed_sf, t_quantile, t_two_sided};
pub use estimate::{
    Adjustment, Cell, Estimate, EstimateError, Influence, Interval, Lift, LinearEstimate, Shape, StudentEstimate, Weighting,
    estimate, theta,
};
pub use family::benjamini_hochberg;
pub use grid::{Bin, Grid, GridCell, GridSecond, JointGrid, bin_of, coarse_bin_of};
pub use lean::student_tail;
pub use money::MoneyInterval;
pub use permutation::{Alike, Arms, Deviations, MOST_IN_TAIL, PermutationTest, Statistic, Tails};
pub use pool::{PairSums, PeriodEstimate, Pooled, pair_covariance, pool};
pub use shrink::{Shrunk, shrink};
pub use split::{SplitCell, split_check};
pub use sums::{D, E, Moments, Scales, Sums, VALUES, X, Y, power, printed};

#[cfg(test)]
mod fixtures;
