//! Order statistics over integers.

use crate::domain::Ratio;
use crate::job::raw::Ties;

/// Ranges up to this many distinct integers are counted instead of selected.
const COUNTED: i128 = 1 << 16;

/// Type 7 quantiles (linear interpolation) at `k / bins`, plus `shift`: with `h = (n − 1)·k`, `lo = h div bins` and
/// `w = h mod bins`, the quantile times `bins` is `bins·v[lo] + w·(v[lo + 1] − v[lo])` (Hyndman and Fan 1996; R, numpy,
/// pandas.qcut, DuckDB quantile_cont). `values` must not be empty and is left in another order.
pub(super) fn type_7(values: &mut [i64], bins: u32, shift: i128) -> Vec<Ratio> {
    let (n, b) = (values.len() as u128, u128::from(bins));
    let positions: Vec<(usize, i128)> = (1..b)
        .map(|k| {
            let h = (n - 1) * k;
            ((h / b) as usize, (h % b) as i128)
        })
        .collect();
    let mut wanted: Vec<usize> = Vec::new();
    for &(lo, w) in &positions {
        wanted.push(lo);
        if w > 0 {
            wanted.push(lo + 1);
        }
    }
    wanted.sort_unstable();
    wanted.dedup();
    let found = statistics(values, &wanted);
    let value = |index: usize| {
        let at = wanted.partition_point(|w| *w < index);
        i128::from(found.get(at).copied().unwrap_or(0))
    };
    let b = i128::from(bins);
    positions
        .into_iter()
        .map(|(lo, w)| {
            let low = value(lo);
            let rise = if w > 0 { w * (value(lo + 1) - low) } else { 0 };
            Ratio::new(b * (low + shift) + rise, b)
        })
        .collect()
}

/// The order statistics at ascending indices.
fn statistics(values: &mut [i64], wanted: &[usize]) -> Vec<i64> {
    let (Some(&min), Some(&max)) = (values.iter().min(), values.iter().max()) else {
        return vec![0; wanted.len()];
    };
    if i128::from(max) - i128::from(min) < COUNTED {
        let mut counts = vec![0usize; (max - min) as usize + 1];
        for &value in values.iter() {
            counts[(value - min) as usize] += 1;
        }
        let (mut below, mut at) = (0, 0);
        return wanted
            .iter()
            .map(|&index| {
                while at < counts.len() && below + counts[at] <= index {
                    below += counts[at];
                    at += 1;
                }
                min + at as i64
            })
            .collect();
    }
    // Each selection leaves everything above it to the right, so the next one works on what is left.
    let mut from = 0;
    wanted
        .iter()
        .map(|&index| {
            let (_, value, _) = values[from..].select_nth_unstable(index - from);
            let value = *value;
            from = index;
            value
        })
        .collect()
}

/// For each score from 2 to `bins` the smallest value that reaches it under `ceil(bins · rank / n)`; `None` if no value
/// does. `values` is left sorted.
pub(super) fn smallest_members(values: &mut [i64], bins: u32, ties: Ties) -> Vec<Option<i64>> {
    values.sort_unstable();
    let n = values.len() as u128;
    let mut cuts = vec![None; bins as usize - 1];
    let mut reached = 1usize;
    let mut first = 0usize;
    for group in values.chunk_by(|a, b| a == b) {
        let (low, high) = (first as u128 + 1, (first + group.len()) as u128);
        first += group.len();
        let twice_rank = match ties {
            Ties::Min => 2 * low,
            Ties::Mid => low + high,
            Ties::Max => 2 * high,
        };
        let score = (u128::from(bins) * twice_rank).div_ceil(2 * n) as usize;
        for cut in cuts.iter_mut().take(score.saturating_sub(1)).skip(reached - 1) {
            *cut = group.first().copied();
        }
        reached = reached.max(score);
    }
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(values: &[i64], bins: u32) -> Vec<Ratio> {
        let mut v = values.to_vec();
        v.sort_unstable();
        let b = bins as usize;
        (1..b)
            .map(|k| {
                let (lo, w) = ((v.len() - 1) * k / b, (v.len() - 1) * k % b);
                let step = if w > 0 { v[lo + 1] - v[lo] } else { 0 };
                Ratio::new(i128::from(b as i64 * v[lo] + w as i64 * step), b as i128)
            })
            .collect()
    }

    #[test]
    fn selection_and_counting_agree_with_sorting() {
        for n in 1..60usize {
            let small: Vec<i64> = (0..n).map(|i| (i as i64 * 7919) % 23).collect();
            let large: Vec<i64> = small.iter().map(|v| v * 1_000_003 - 5_000_000).collect();
            for bins in [2, 3, 5, 10] {
                assert_eq!(type_7(&mut small.clone(), bins, 0), naive(&small, bins));
                assert_eq!(type_7(&mut large.clone(), bins, 0), naive(&large, bins));
            }
        }
    }

    #[test]
    fn quintiles_equal_numpy() {
        // numpy.quantile([3, 1, 4, 1, 5, 9, 2, 6], [.2, .4, .6, .8]) = 1.4, 2.8, 4.2, 5.6
        let got: Vec<f64> = type_7(&mut [3, 1, 4, 1, 5, 9, 2, 6], 5, 0).into_iter().map(|r| r.printed(0)).collect();
        assert_eq!(got, [1.4, 2.8, 4.2, 5.6]);
    }
}
