//! Exact sums of integers and of their products, by group.
//!
//! This is the state of the aggregate `SELECT key, count(*), sum(y), sum(x), sum(y·y), sum(y·x), sum(x·x) … GROUP BY key`, from
//! which means, variances and covariances follow. All sums are integers, so rows may be split over threads and machines at
//! will: states merge in any order to the same value. The module knows nothing of what the rows are.
//!
//! Rows come in batches of [`Column`]s. Every row has a key, a number that may be sparse in a large range:
//!
//! ```text
//! key   7     3     7     3     7
//! y, x  1, 0  5, 2  2, 2  0, 0  4, 1
//! ```
//!
//! 1. A [`GroupPartition`] brings the rows of a group together: rows 1 and 3 have the key 3; rows 0, 2 and 4 the key 7.
//! 2. The rows of a group are summed in registers, and the result is added once to the integers of the group in
//!    [`GroupedSums`]:
//!
//!    ```text
//!    key  rows  Σy  Σx  Σy²  Σyx  Σx²
//!    3    2     5   2   25   10   4
//!    7    3     7   3   21   8    5
//!    ```
//!
//! Cross moments are the same for rows that are joined from two batches: Σa, Σb and Σab, from which the covariance follows of
//! what a customer did in two periods.
//!
//! Beside its moments, a column may have a grid per group: its rows counted by bins of their numbers, of which tests need more
//! than moments.
//!
//! Sums have 128 bits. Most are far smaller, and sums of 64 bits need half the cache, so [`GroupedSums`] adds batches to partial
//! sums of 64 bits and flushes them into totals before they can overflow.

mod column;
mod grids;
mod grouped;
mod moments;
mod partition;
mod written;

pub use column::{Arity, Column, Pair, Quadruple, Tuples, mark_nonzero};
pub use grouped::GroupedSums;
pub use moments::JoinedRow;
pub use partition::{GroupPartition, PATTERNS, sort_code, zero_pattern};
