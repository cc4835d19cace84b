//! High and low levels of an axis.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::axis::Axis;
use super::axis_values::AxisValues;
use super::bins::clamp;
use super::quantile::type_7;
use crate::domain::Ratio;
use crate::error::Result;
use crate::job::raw::{Closed, Levels};
use crate::measure::Column;

/// The bound between the low and the high level of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The bound: a value of the measure, or of the score if levels are taken from scores.
    pub bound: Ratio,
    /// Whether high is at or below the bound (recency in days).
    pub high_below: bool,
    /// Whether the bound is compared with the score.
    pub of_score: bool,
}

impl Level {
    /// The level bound over the values of all scored customers, of whom there is at least one; `score_sum` is the sum of
    /// their scores.
    ///
    /// # Errors
    /// Exits 4 to 7 if values cannot be read.
    pub fn new(axis: Axis, levels: Levels, values: &AxisValues<'_>, score_sum: i128) -> Result<Level> {
        let n = i128::from(values.len().max(1));
        let bound = match levels {
            Levels::Score => return Ok(Level { bound: Ratio::new(score_sum, n), high_below: false, of_score: true }),
            Levels::Mean => Ratio::new(values.sum(), n),
            Levels::Median => type_7(values, 2, 0)?.first().copied().unwrap_or(Ratio::new(0, 1)),
        };
        Ok(Level { bound, high_below: axis.is_reversed(), of_score: false })
    }

    /// The least value above the low side of the bound (above the high side if [`Level::high_below`]).
    pub fn threshold(&self) -> i64 {
        clamp(if self.high_below { self.bound.floor() + 1 } else { self.bound.ceil() })
    }

    /// Which side the bound belongs to, as a cut point of the table `cutpoints`.
    pub fn closed(&self) -> Closed {
        if self.high_below { Closed::Right } else { Closed::Left }
    }

    /// Sets `bit` in `levels` for the rows whose value or score is on the high level. A value of null counts as 0.
    pub fn mark_high(&self, values: &Column, scores: &[u8], rows: Range<usize>, bit: u8, levels: &mut [u8]) {
        let threshold = self.threshold();
        for row in rows {
            let x = if self.of_score { i64::from(scores[row]) } else { values.get(row).unwrap_or(0) };
            if (x >= threshold) != self.high_below {
                levels[row] |= bit;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::Distribution;

    fn level_of(axis: Axis, levels: Levels, values: Vec<i64>) -> Level {
        Level::new(axis, levels, &AxisValues::InMemory(&Distribution::from_list(values)), 0).expect("values in memory")
    }

    fn high(level: Level, values: Vec<i32>) -> Vec<u8> {
        let mut levels = vec![0; values.len()];
        level.mark_high(&Column::Int(values.clone()), &vec![1; values.len()], 0..values.len(), 1, &mut levels);
        levels
    }

    #[test]
    fn levels_give_ties_to_high() {
        let level = level_of(Axis::Frequency, Levels::Mean, vec![1, 2, 3]);
        assert_eq!(high(level, vec![1, 2, 3]), [0, 1, 1]);
        let level = level_of(Axis::Recency, Levels::Median, vec![1, 2, 3, 4]);
        assert_eq!(level.bound, Ratio::new(5, 2));
        assert_eq!(high(level, vec![1, 2, 3, 4]), [1, 1, 0, 0]);
    }
}
