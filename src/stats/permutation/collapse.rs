//! Cells of like value put together, so that a test costs the same however many cells it has.

use std::collections::BTreeMap;

use super::super::grid::bin_of;

/// Cells beyond this number are put together.
const MOST_CELLS: usize = 160;

/// Bins of values are those of integers, in this part of a standard deviation.
const PER_SD: f64 = 64.0;

/// (count, value) of customers, with values put together that share a bin of their distance from the mean. Counts and sums
/// stay; of the variance a part in a thousand goes, which the caller puts back.
pub(super) fn collapse(cells: Vec<(f64, f64)>, mean: f64, sd: f64) -> Vec<(f64, f64)> {
    if cells.len() <= MOST_CELLS || sd <= 0.0 {
        return cells;
    }
    let mut bins: BTreeMap<i16, (f64, f64)> = BTreeMap::new();
    for (count, value) in cells {
        let distance = (PER_SD * (value - mean) / sd).clamp(-1e15, 1e15).round();
        let bin = bins.entry(bin_of(distance as i64)).or_default();
        *bin = (bin.0 + count, bin.1 + count * value);
    }
    bins.into_values().map(|(count, sum)| (count, sum / count)).collect()
}
