//! The rows of a table of assignments that are read together.

use super::names::Name;
use crate::domain::Day;

/// Which optional columns a table has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct OptionalColumns {
    pub strategy: bool,
    pub stratum: bool,
    pub cost: bool,
    pub contacts: bool,
    pub ended_on: bool,
}

/// A customer id in the orders' type.
#[derive(Debug, Clone, Copy)]
pub(super) enum RowId<'a> {
    Key(i64),
    Text(&'a [u8]),
}

/// The value of assigned_on.
#[derive(Debug, Clone, Copy)]
pub(super) enum AssignedOn {
    Null,
    OutOfRange,
    On(Day),
}

/// Rows of a table that were read together, indexed from 0.
pub(super) trait RowBatch<'a> {
    /// How many rows.
    fn len(&self) -> usize;
    /// Number of a row (Parquet) or line (CSV), from 1.
    fn number(&self, row: usize) -> u64;
    fn strategy(&self, row: usize) -> Option<Name<'a>>;
    fn id(&self, row: usize) -> Option<RowId<'a>>;
    fn arm(&self, row: usize) -> Option<Name<'a>>;
    fn assigned_on(&self, row: usize) -> AssignedOn;
    fn stratum(&self, row: usize) -> Option<Name<'a>>;
    /// The cluster, if they are read.
    fn cluster(&self, row: usize) -> Option<Name<'a>>;
    /// The value in a column of `by`, given by its number there.
    fn by(&self, column: usize, row: usize) -> Option<Name<'a>>;
    /// The value in a further column.
    fn further(&self, column: usize, row: usize) -> Option<&'a str>;
    fn cost(&self, row: usize) -> Option<i64>;
    fn contacts(&self, row: usize) -> Option<u32>;
    fn ended_on(&self, row: usize) -> Option<Day>;

    /// The Arrow views of all arms, if every row has one.
    fn arm_views(&self) -> Option<&[u128]> {
        None
    }
    /// The Arrow views of all strata, if every row has one.
    fn stratum_views(&self) -> Option<&[u128]> {
        None
    }

    /// The Arrow views of all clusters, if every row has one.
    fn cluster_views(&self) -> Option<&[u128]> {
        None
    }

    /// The Arrow views of a column of `by`, if every row has one.
    fn by_views(&self, _column: usize) -> Option<&[u128]> {
        None
    }

    /// All ids, if every row has one and they are integers.
    fn keys(&self) -> Option<&[i64]> {
        None
    }

    /// All days on which rows were assigned, in days since 1970, if every row has one.
    fn days(&self) -> Option<&[i32]> {
        None
    }
}
