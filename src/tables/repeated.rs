//! Batches in which many rows have most of their cells in common, column by column: rows one by one would be large.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::take;

use super::cell::{ColumnBuilder, Value};
use super::definition::TableDefinition;
use super::row::{Row, to_batch};
use crate::error::{Error, Result};

/// Columns of which every row has its own cell: their names, and the cell of a row in each.
pub type OwnColumns<C> = [(&'static str, fn(&C) -> Value)];

/// A batch of `table` in which the first rows are as the first of `heads`, as many as `counts` says, the next as the second,
/// and so on, but for their `own` columns; `cells` gives what these are made of, row by row.
///
/// # Errors
/// Exit 1 if a cell is not of its column's type, which is a bug.
pub fn to_repeated_batch<R: Row, C, I: Iterator<Item = C>>(
    (heads, counts): (&[R], &[usize]),
    own: &OwnColumns<C>,
    cells: impl Fn() -> I,
    table: &TableDefinition,
) -> Result<RecordBatch> {
    let wrong = |what: String| Error::bug(format!("rows of {} cannot be repeated: {what}", table.name));
    let indices: UInt32Array = (0..).zip(counts).flat_map(|(head, count)| std::iter::repeat_n(head, *count)).collect();
    let heads = to_batch(heads, table)?;
    // Most columns are null in all rows; they share their memory.
    let mut nulls: Vec<ArrayRef> = Vec::new();
    let mut arrays = Vec::with_capacity(table.columns.len());
    for (column, head) in table.columns.iter().zip(heads.columns()) {
        let array = if let Some((_, cell)) = own.iter().find(|(name, _)| *name == column.name) {
            let array = ColumnBuilder::of(cells().map(|row| cell(&row)), column.kind);
            array.ok_or_else(|| wrong(format!("a cell is not of the type of {}", column.name)))?
        } else if head.null_count() < head.len() {
            take(head, &indices, None).map_err(|e| wrong(e.to_string()).caused_by(e))?
        } else if let Some(known) = nulls.iter().find(|known| known.data_type() == head.data_type()) {
            Arc::clone(known)
        } else {
            let array = new_null_array(head.data_type(), indices.len());
            nulls.push(Arc::clone(&array));
            array
        };
        arrays.push((column.name.as_str(), array));
    }
    table.batch(&table.schema(true), arrays)
}
