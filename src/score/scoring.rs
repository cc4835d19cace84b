//! Cut points, thresholds and levels of the slices of one as-of date, and the scores they give.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::axis::Axis;
use super::bins::extend_by_bin;
use super::cut_points::CutPoints;
use super::level::Level;
use super::tiles::{RankedCustomer, tile};
use crate::domain::CustomerId;
use crate::measure::Column;

/// The scoring of one slice at one as-of date.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceScoring {
    /// Cut points per axis; `None` under `ntile`.
    pub cuts: [Option<CutPoints>; 3],
    /// Integer thresholds per axis.
    pub thresholds: [Vec<i64>; 3],
    /// Under `ntile`: the first customer of every tile but the first.
    pub tile_starts: [Vec<RankedCustomer>; 3],
    /// Levels, if a scheme looks at them and anybody is scored.
    pub levels: Option<[Level; 3]>,
    /// Scored customers per bin, ascending in the measure.
    pub bins: [Vec<u64>; 3],
    /// Scored customers per side of the level bounds: low values, then high values of the measure.
    pub level_sides: [[u64; 2]; 3],
    /// Scored customers.
    pub scored: u64,
    /// Customers who share the most frequent frequency.
    pub most_common: u64,
}

/// The scoring of one as-of date, by slice number; one slice if the job has none.
pub type DateScoring = Vec<SliceScoring>;

impl SliceScoring {
    /// The scores of values on an axis; `id(row)` is called under `ntile` only. 0 where the slice has no cut points.
    pub fn scores(&self, axis: Axis, column: &Column, rows: Range<usize>, id: impl Fn(usize) -> CustomerId, out: &mut Vec<u8>) {
        let at = axis as usize;
        let Some(cuts) = &self.cuts[at] else {
            let starts = &self.tile_starts[at];
            out.extend(rows.map(|row| match column.get(row) {
                Some(_) if self.scored == 0 => 0,
                Some(value) => tile(starts, &(if axis.is_reversed() { -value } else { value }, id(row))),
                None => 0,
            }));
            return;
        };
        let thresholds = self.thresholds[at].as_slice();
        let of_bin: Vec<u8> = (0..=thresholds.len()).map(|bin| cuts.score_of_bin(bin)).collect();
        match column {
            Column::Int(values) => {
                // No value reaches a threshold above the greatest of its type.
                let within = thresholds.iter().filter_map(|t| i32::try_from((*t).max(i32::MIN.into())).ok());
                extend_by_bin(out, &values[rows], &within.collect::<Vec<i32>>(), &of_bin);
            }
            Column::Long(values) => extend_by_bin(out, &values[rows], thresholds, &of_bin),
            Column::Ratio(_) | Column::Double(_) => out.extend(rows.map(|_| 0)),
        }
    }
}
