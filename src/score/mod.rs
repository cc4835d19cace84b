//! Cut points and scores: exact, tie-safe and the same for every engine.
//!
//! Values are integers (days, counts, minor units), so every cut becomes an integer threshold: a value's bin is the
//! number of thresholds at or below it. Bins ascend with the measure; scores ascend with what is better, so recency is
//! reversed.

mod distribution;
mod distributions;
mod level;
mod quantile;
mod scoring;
mod spillable;
mod value_list;

use crate::domain::Ratio;
use crate::job::AxisSpec;
use crate::job::raw::{Closed, Method};

pub use distribution::Distribution;
pub use distributions::SliceDistributions;
pub use level::Level;
pub use scoring::{DateScoring, SliceScoring};
pub use spillable::SpillableDistribution;

/// The three axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Axis {
    /// Days since the last purchase; fewer are better.
    Recency = 0,
    /// Purchases; more are better.
    Frequency = 1,
    /// Money; more is better.
    Monetary = 2,
}

impl Axis {
    /// All three in the order r, f, m.
    pub const ALL: [Axis; 3] = [Axis::Recency, Axis::Frequency, Axis::Monetary];

    /// The name of the measure, as `cutpoints` shows it.
    pub fn name(self) -> &'static str {
        match self {
            Axis::Recency => "recency_days",
            Axis::Frequency => "frequency",
            Axis::Monetary => "monetary",
        }
    }

    /// The name of the level, as `cutpoints` and schemes show it.
    pub fn level_name(self) -> &'static str {
        match self {
            Axis::Recency => "r_level",
            Axis::Frequency => "f_level",
            Axis::Monetary => "m_level",
        }
    }

    /// The name of the score column.
    pub fn score_name(self) -> &'static str {
        match self {
            Axis::Recency => "r_score",
            Axis::Frequency => "f_score",
            Axis::Monetary => "m_score",
        }
    }

    /// The bit that stands for the high level of this axis.
    pub fn level_bit(self) -> u8 {
        4 >> self as usize
    }

    /// Whether a small value is the better one.
    pub fn is_reversed(self) -> bool {
        self == Axis::Recency
    }
}

/// A bin boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Bin of a value: how many ascending thresholds it reaches.
#[inline]
pub fn bin<T: Copy + PartialOrd>(thresholds: &[T], value: T) -> usize {
    /// Up to this many comparisons are faster than a search.
    const FEW: usize = 9;
    match thresholds.len() {
        ..=FEW => thresholds.iter().map(|t| usize::from(value >= *t)).sum(),
        _ => thresholds.partition_point(|t| value >= *t),
    }
}

/// Appends what stands for the bin of every value; `of_bin` has an entry per bin.
pub fn extend_by_bin<T: Copy + PartialOrd, R: Copy>(out: &mut Vec<R>, values: &[T], thresholds: &[T], of_bin: &[R]) {
    /// The number of thresholds is known to the compiler, so that a bin is a few comparisons and no loop.
    fn fixed<T: Copy + PartialOrd, R: Copy, const N: usize>(out: &mut Vec<R>, values: &[T], thresholds: &[T; N], of_bin: &[R]) {
        out.extend(values.iter().map(|value| of_bin[bin(thresholds, *value)]));
    }
    macro_rules! by_length {
        ($($n:literal)*) => {
            $(if let Ok(thresholds) = <&[T; $n]>::try_from(thresholds) {
                return fixed(out, values, thresholds, of_bin);
            })*
        };
    }
    by_length!(0 1 2 3 4 5 6 7 8 9);
    out.extend(values.iter().map(|value| of_bin[bin(thresholds, *value)]));
}

fn clamp(x: i128) -> i64 {
    x.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// The cut points of an axis over the values of all scored customers; `None` for `ntile`, which has none.
pub fn cut_points(axis: Axis, spec: &AxisSpec, bins: u32, values: &Distribution) -> Option<CutPoints> {
    let reversed = axis.is_reversed();
    let highest = || vec![Cut::Highest; bins as usize - 1];
    let points = |cuts, closed| Some(CutPoints { cuts, closed, reversed });
    let at = |value: i64| Cut::At(Ratio::new(i128::from(value), 1));
    match spec.method {
        Method::Ntile => None,
        Method::Thresholds => points(spec.cuts.iter().map(|c| Cut::At(*c)).collect(), spec.closed),
        Method::Quantile if values.is_empty() => points(highest(), Closed::Right),
        Method::Quantile => points(quantile::type_7(values, bins, 0).into_iter().map(Cut::At).collect(), Closed::Right),
        Method::RRfm if values.is_empty() => points(highest(), Closed::Left),
        Method::RRfm => {
            let cuts = quantile::type_7(values, bins, spec.printed_unit);
            points(cuts.into_iter().map(Cut::At).collect(), Closed::Left)
        }
        Method::Rank if reversed => {
            let cuts = values.smallest_members(bins, spec.ties, true);
            points(cuts.into_iter().rev().map(|c| c.map_or(Cut::Lowest, at)).collect(), Closed::Right)
        }
        Method::Rank => {
            let cuts = values.smallest_members(bins, spec.ties, false);
            points(cuts.into_iter().map(|c| c.map_or(Cut::Highest, at)).collect(), Closed::Left)
        }
    }
}

/// Score of a position (from 0) under SQL `NTILE`: the first `n mod bins` tiles have one row more.
pub fn ntile(position: usize, n: usize, bins: u32) -> u8 {
    let bins = bins as usize;
    let (size, larger) = (n / bins, n % bins);
    let in_larger = larger * (size + 1);
    let tile = if position < in_larger { position / (size + 1) } else { larger + (position - in_larger) / size.max(1) };
    (tile + 1) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::raw::Ties;

    fn spec(method: Method) -> AxisSpec {
        AxisSpec { method, ties: Ties::Min, closed: Closed::Right, cuts: Vec::new(), printed_unit: 1 }
    }

    fn scores(axis: Axis, spec: &AxisSpec, bins: u32, values: &[i64]) -> Vec<u8> {
        let Some(points) = cut_points(axis, spec, bins, &Distribution::from_list(values.to_vec())) else { return Vec::new() };
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
        // all equal: rank 1 of 3, ceil(5/3) = 2 for everybody
        assert_eq!(scores(Axis::Monetary, &spec(Method::Rank), 5, &[7, 7, 7]), [2, 2, 2]);
        assert_eq!(scores(Axis::Recency, &spec(Method::Rank), 5, &[7, 7, 7]), [2, 2, 2]);
    }

    #[test]
    fn ntile_matches_sql() {
        // select ntile(4) over (order by i) from range(10): 1 1 1 2 2 2 3 3 4 4
        let got: Vec<u8> = (0..10).map(|i| ntile(i, 10, 4)).collect();
        assert_eq!(got, [1, 1, 1, 2, 2, 2, 3, 3, 4, 4]);
        assert_eq!((0..2).map(|i| ntile(i, 2, 5)).collect::<Vec<_>>(), [1, 2]);
    }
}
