//! Cut points of an axis.

use serde::{Deserialize, Serialize};

use super::axis::Axis;
use super::axis_values::AxisValues;
use super::bins::clamp;
use super::quantile::type_7;
use crate::domain::Ratio;
use crate::error::Result;
use crate::job::AxisSpec;
use crate::job::raw::{Closed, Method};

/// A bin boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cut {
    /// Below every value: the bins below it are empty.
    Lowest,
    /// At this value.
    At(Ratio),
    /// Above every value: the bins above it are empty.
    Highest,
}

impl Cut {
    /// The boundary, if it lies at a value.
    pub fn ratio(self) -> Option<Ratio> {
        match self {
            Cut::At(ratio) => Some(ratio),
            Cut::Lowest | Cut::Highest => None,
        }
    }
}

/// The cut points of an axis at one as-of date in one slice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutPoints {
    /// Boundaries between the bins, ascending in the measure: one fewer than bins.
    pub cuts: Vec<Cut>,
    /// Which bin a value on a cut belongs to.
    pub closed: Closed,
    /// Whether the lowest bin has the best score.
    pub reversed: bool,
}

impl CutPoints {
    /// Integer thresholds: a value's bin (from 0) is the number of them at or below it.
    pub fn thresholds(&self) -> Vec<i64> {
        self.cuts
            .iter()
            .map(|cut| match cut {
                Cut::Lowest => i64::MIN,
                Cut::Highest => i64::MAX,
                Cut::At(ratio) => match self.closed {
                    Closed::Right => clamp(ratio.floor().saturating_add(1)),
                    Closed::Left => clamp(ratio.ceil()),
                },
            })
            .collect()
    }

    /// The score of every bin, ascending in the measure.
    pub fn score_of_bin(&self, bin: usize) -> u8 {
        let bins = self.cuts.len() + 1;
        (if self.reversed { bins - bin } else { bin + 1 }) as u8
    }
}

/// The cut points of an axis over the values of all scored customers; `None` for `ntile`, which has none.
///
/// # Errors
/// Exits 4 to 7 if values cannot be read.
pub fn cut_points(axis: Axis, spec: &AxisSpec, bins: u32, values: &AxisValues<'_>) -> Result<Option<CutPoints>> {
    let reversed = axis.is_reversed();
    let highest = || vec![Cut::Highest; bins as usize - 1];
    let points = |cuts, closed| Ok(Some(CutPoints { cuts, closed, reversed }));
    let at = |value: i64| Cut::At(Ratio::new(i128::from(value), 1));
    match spec.method {
        Method::Ntile => Ok(None),
        Method::Thresholds => points(spec.cuts.iter().map(|c| Cut::At(*c)).collect(), spec.closed),
        Method::Quantile if values.is_empty() => points(highest(), Closed::Right),
        Method::Quantile => points(type_7(values, bins, 0)?.into_iter().map(Cut::At).collect(), Closed::Right),
        Method::RRfm if values.is_empty() => points(highest(), Closed::Left),
        Method::RRfm => {
            let cuts = type_7(values, bins, spec.printed_unit)?;
            points(cuts.into_iter().map(Cut::At).collect(), Closed::Left)
        }
        Method::Rank if reversed => {
            let cuts = values.smallest_members(bins, spec.ties, true)?;
            points(cuts.into_iter().rev().map(|c| c.map_or(Cut::Lowest, at)).collect(), Closed::Right)
        }
        Method::Rank => {
            let cuts = values.smallest_members(bins, spec.ties, false)?;
            points(cuts.into_iter().map(|c| c.map_or(Cut::Highest, at)).collect(), Closed::Left)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::raw::Ties;
    use crate::score::Distribution;
    use crate::score::bins::bin;

    fn spec(method: Method) -> AxisSpec {
        AxisSpec { method, ties: Ties::Min, closed: Closed::Right, cuts: Vec::new(), printed_unit: 1 }
    }

    fn scores(axis: Axis, spec: &AxisSpec, bins: u32, values: &[i64]) -> Vec<u8> {
        let all = Distribution::from_list(values.to_vec());
        let points = cut_points(axis, spec, bins, &AxisValues::InMemory(&all)).expect("values in memory");
        let Some(points) = points else { return Vec::new() };
        let thresholds = points.thresholds();
        values.iter().map(|v| points.score_of_bin(bin(&thresholds, *v))).collect()
    }

    #[test]
    fn quantile_scores_keep_ties_together() {
        // 60 % ones: numpy.quantile(x, [.2, .4, .6, .8]) = 1, 1, 1.4, 3.2
        let x = [1, 1, 1, 1, 1, 1, 2, 3, 4, 5];
        assert_eq!(scores(Axis::Frequency, &spec(Method::Quantile), 5, &x), [1, 1, 1, 1, 1, 1, 4, 4, 5, 5]);
        assert_eq!(scores(Axis::Recency, &spec(Method::Quantile), 5, &x), [5, 5, 5, 5, 5, 5, 2, 2, 1, 1]);
    }

    #[test]
    fn rank_scores_follow_their_formula() {
        let x = [10, 20, 20, 30, 40];
        // ceil(4 * rank / 5) with ranks 1, 2, 2, 4, 5
        assert_eq!(scores(Axis::Monetary, &spec(Method::Rank), 4, &x), [1, 2, 2, 4, 4]);
        // recency: ranks from the longest: 40 -> 1, 30 -> 2, 20 -> 3, 10 -> 5
        assert_eq!(scores(Axis::Recency, &spec(Method::Rank), 4, &x), [4, 3, 3, 2, 1]);
        // all equal: rank 1 of 3, ceil(5/3) = 2 for all
        assert_eq!(scores(Axis::Monetary, &spec(Method::Rank), 5, &[7, 7, 7]), [2, 2, 2]);
        assert_eq!(scores(Axis::Recency, &spec(Method::Rank), 5, &[7, 7, 7]), [2, 2, 2]);
    }
}
