//! The assignment table, column by column.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use crate::domain::{CompactInts, CustomerIdRef, Day, StringIds};

/// Ids of assigned customers by row; there may be many millions.
#[derive(Debug, Clone)]
pub enum AssignedIds {
    /// The keys of integer ids, see [`crate::domain::CustomerIds`].
    Int(CompactInts<u32>),
    /// String ids.
    Text(StringIds),
}

impl AssignedIds {
    /// The id of a row, which must exist.
    #[inline]
    pub fn id(&self, row: usize) -> CustomerIdRef<'_> {
        match self {
            AssignedIds::Int(keys) => CustomerIdRef::of_key(keys.at(row)),
            AssignedIds::Text(texts) => CustomerIdRef::of_text(texts.get(row)),
        }
    }

    /// The keys of some rows, which must exist, if keys have 32 bits.
    pub fn narrow(&self, rows: Range<usize>) -> Option<&[u32]> {
        match self {
            AssignedIds::Int(CompactInts::Narrow(keys)) => Some(&keys[rows]),
            _ => None,
        }
    }

    /// Whether the ids of these rows ascend, each of them once.
    pub fn ascend(&self, rows: impl Iterator<Item = usize>) -> bool {
        match self {
            AssignedIds::Int(CompactInts::Narrow(keys)) => rows.is_sorted_by(|a, b| keys[*a] < keys[*b]),
            _ => rows.is_sorted_by(|a, b| self.id(*a) < self.id(*b)),
        }
    }
}

/// Assignments of one strategy, all columns of one length; rows that were rejected are not among them.
#[derive(Debug, Clone)]
pub struct Assignments {
    /// The customers, in the keys of the orders' ids.
    pub ids: AssignedIds,
    /// Number of the arm in `arms`.
    pub arm: CompactInts<u8>,
    /// The day from which outcomes count, in days since 1970.
    pub assigned_on: CompactInts<u16>,
    /// Number of the stratum in `strata`; none if the table has no strata.
    pub stratum: Option<Vec<u32>>,
    /// Number of the cluster in `clusters`; none if customers were drawn one by one.
    pub cluster: Option<Vec<u32>>,
    /// Columns by whose values effects are shown.
    pub by: Vec<ValueColumn>,
    /// Cost of the row in minor units; none if the table has no costs. A null counts as 0.
    pub cost: Option<Vec<i64>>,
    /// Contacts of the row; none if the table has none. A null counts as 0.
    pub contacts: Option<Vec<u32>>,
    /// The last day of the treatment; none if the table has no such column.
    pub ended_on: Option<Vec<Option<Day>>>,
    /// Names of the arms: those of the job in its order, else those found, by name.
    pub arms: Vec<String>,
    /// Names of the strata, ascending.
    pub strata: Arc<[String]>,
    /// Names of the clusters, ascending.
    pub clusters: Arc<[String]>,
    /// Further columns whose values lie in one arm each; the first part has them.
    pub whole_columns: Vec<WholeColumn>,
    /// Rows that were read, rejected ones and those of other strategies included.
    pub rows_read: u64,
    /// Rows of other strategies.
    pub other_strategies: u64,
    /// Rows whose cost is null though the table has costs.
    pub null_costs: u64,
    /// Rows that cannot be assignments.
    pub rejected: Rejected,
}

/// The values of a column.
#[derive(Debug, Clone)]
pub struct ValueColumn {
    /// By row, the number of the value.
    pub codes: Vec<u32>,
    /// The values by number, ascending.
    pub names: Arc<[String]>,
}

/// A column that is not read, each of whose values lies in one arm of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeColumn {
    /// Its name.
    pub column: String,
    /// The number of the period.
    pub period: usize,
    /// The number of the arm of every value, and how many rows have it.
    pub values: Vec<(u16, u64)>,
}

/// Rows that cannot be assignments, by reason; a row counts under the first that holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rejected {
    /// No strategy, in a table that has several.
    pub null_strategy: u64,
    /// No customer.
    pub null_customer: u64,
    /// No arm.
    pub null_arm: u64,
    /// No assigned_on.
    pub null_assigned_on: u64,
    /// assigned_on outside the years 1 to 9999.
    pub date_out_of_range: u64,
}

impl Rejected {
    /// All reasons with their names and rows.
    pub fn reasons(&self) -> [(&'static str, u64); 5] {
        [
            ("null_strategy", self.null_strategy),
            ("null_customer", self.null_customer),
            ("null_arm", self.null_arm),
            ("null_assigned_on", self.null_assigned_on),
            ("date_out_of_range", self.date_out_of_range),
        ]
    }

    /// Rows of all reasons.
    pub fn total(&self) -> u64 {
        self.reasons().iter().map(|(_, rows)| rows).sum()
    }

    /// Adds the counts of another part of the table.
    pub fn add(&mut self, other: &Rejected) {
        self.null_strategy += other.null_strategy;
        self.null_customer += other.null_customer;
        self.null_arm += other.null_arm;
        self.null_assigned_on += other.null_assigned_on;
        self.date_out_of_range += other.date_out_of_range;
    }
}

impl Assignments {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.arm.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.arm.is_empty()
    }

    /// The number of a row's arm.
    #[inline]
    pub fn arm(&self, row: usize) -> u16 {
        self.arm.at(row) as u16
    }

    /// The day from which outcomes of a row count.
    #[inline]
    pub fn day(&self, row: usize) -> Day {
        Day(self.assigned_on.at(row))
    }

    /// Which of two rows of one customer in one arm is the earlier, whatever their order in the files: by the day, then by
    /// every other column.
    pub(super) fn compare_age(&self, left: usize, right: usize) -> Ordering {
        fn by<T: Ord>(column: Option<&Vec<T>>, left: usize, right: usize) -> Ordering {
            column.map_or(Ordering::Equal, |values| values.get(left).cmp(&values.get(right)))
        }
        self.day(left)
            .cmp(&self.day(right))
            .then_with(|| by(self.stratum.as_ref(), left, right))
            .then_with(|| by(self.cluster.as_ref(), left, right))
            .then_with(|| {
                let values = self.by.iter().map(|column| by(Some(&column.codes), left, right));
                values.fold(Ordering::Equal, Ordering::then)
            })
            .then_with(|| by(self.cost.as_ref(), left, right))
            .then_with(|| by(self.contacts.as_ref(), left, right))
            .then_with(|| by(self.ended_on.as_ref(), left, right))
    }
}
