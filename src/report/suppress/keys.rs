//! Names of cells, under which counts of several tables meet.

use crate::domain::Day;

/// The name of a cell.
pub(super) fn key(parts: &[&dyn std::fmt::Display]) -> String {
    parts.iter().map(|p| format!("{p}\u{1f}")).collect()
}

/// The name of the cell that counts all customers of a slice, or of a value of a dimension.
pub(super) fn total_key(as_of: Day, slice: &str, dimension: &str, value: &str) -> String {
    key(&[&"total", &as_of, &slice, &dimension, &value])
}
