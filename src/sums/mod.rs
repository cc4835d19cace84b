//! Exact sums of integers and of their products, by group.
//!
//! Rows come in batches of [`Column`]s, each row with the key of its group. A [`GroupPartition`] brings the rows of a group
//! together, their moments are summed in registers, and the result is added to [`GroupedSums`] once per group. Sums are
//! integers, so they merge in any order to the same value.

mod column;
mod group_index;
mod grouped;
mod key;
mod moments;
mod partition;
mod two_level;

pub use column::{Arity, Column, Number, Pair, Quadruple, Tuples, mark_nonzero};
pub use group_index::FEW;
pub use grouped::{GroupedCrossMoments, GroupedMoments, GroupedSums};
pub use key::Key;
pub use moments::Integer;
pub use partition::{GroupPartition, PATTERNS, sort_code, zero_pattern};
pub use two_level::{Target, TwoLevelCrossMoments, TwoLevelMoments, TwoLevelSums};
