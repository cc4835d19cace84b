//! A batch of order rows, and where the job's columns are in it.

use arrow::array::{Array, ArrayRef};

use super::columns::{OrderColumns, UsedColumns};
use super::ledger::{KEPT, RowOutcome};
use crate::error::{Error, Result};
use crate::job::Job;

/// A batch of rows of one file.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    /// Index of the file.
    pub file: usize,
    /// Index of the first row within the file.
    pub first: u64,
    /// The columns that were read.
    pub columns: &'a [ArrayRef],
}

impl<'a> Batch<'a> {
    /// A column by its position.
    pub fn column(&self, position: usize) -> Result<&'a ArrayRef> {
        self.columns.get(position).ok_or_else(|| Error::bug("a column of the job was not read"))
    }
}

/// Positions of the job's columns among those read.
pub struct ColumnPositions {
    pub customer: usize,
    pub date: usize,
    pub amounts: Vec<usize>,
    /// Of the order id; empty if rows are orders.
    pub order: Vec<usize>,
    pub discount: Option<usize>,
    pub cost: Option<usize>,
    pub currency: Option<usize>,
    pub slice: Option<usize>,
    pub category: Option<usize>,
    pub keep: Vec<usize>,
    pub returns: Option<usize>,
    pub money_only: Option<usize>,
}

impl ColumnPositions {
    /// Finds the columns. Those that no measure uses are not read.
    pub fn find(job: &Job, columns: &OrderColumns, uses: UsedColumns) -> ColumnPositions {
        let orders = &job.raw.orders;
        let find = |name: &str| columns.names.binary_search_by(|n| n.as_str().cmp(name)).ok();
        let at = |name: &str| find(name).unwrap_or(usize::MAX);
        ColumnPositions {
            customer: at(&orders.customer_id),
            date: at(&orders.ordered_at),
            amounts: orders.amount.as_slice().iter().map(|c| at(c)).collect(),
            order: job.order_id().iter().map(|c| at(c)).collect(),
            discount: orders.discount.as_deref().and_then(find).filter(|_| uses.discount),
            cost: orders.cost.as_deref().and_then(find).filter(|_| uses.cost),
            currency: orders.currency.as_deref().map(at),
            slice: orders.slice.as_deref().map(at),
            category: orders.category.as_deref().and_then(find).filter(|_| uses.category),
            keep: columns.keep.iter().map(|p| at(&p.column)).collect(),
            returns: columns.returns.as_ref().map(|p| at(&p.column)),
            money_only: columns.money_only.as_ref().map(|p| at(&p.column)),
        }
    }
}

/// Gives a row an outcome, unless it has another one than [`KEPT`].
pub fn mark(row: usize, outcome: RowOutcome, outcomes: &mut [RowOutcome]) {
    if let Some(current) = outcomes.get_mut(row)
        && *current == KEPT
    {
        *current = outcome;
    }
}

/// Gives these rows an outcome, unless they have another one than [`KEPT`].
pub fn mark_all(rows: &[bool], outcome: RowOutcome, outcomes: &mut [RowOutcome]) {
    for (current, _) in outcomes.iter_mut().zip(rows).filter(|(current, row)| **row && **current == KEPT) {
        *current = outcome;
    }
}

/// Gives the rows in which a column is null an outcome, unless they have another one than [`KEPT`].
pub fn mark_nulls(column: &ArrayRef, outcome: RowOutcome, outcomes: &mut [RowOutcome]) {
    if let Some(nulls) = column.logical_nulls().filter(|n| n.null_count() > 0) {
        for (current, valid) in outcomes.iter_mut().zip(nulls.iter()) {
            if !valid && *current == KEPT {
                *current = outcome;
            }
        }
    }
}
