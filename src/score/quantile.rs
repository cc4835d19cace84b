//! Quantiles of a distribution of integers.

use super::axis_values::AxisValues;
use crate::domain::Ratio;
use crate::error::Result;

/// Type 7 quantiles (linear interpolation) at `k / bins`, plus `shift`: with `h = (n − 1)·k`, `lo = h div bins` and
/// `w = h mod bins`, the quantile times `bins` is `bins·v[lo] + w·(v[lo + 1] − v[lo])` (Hyndman and Fan 1996; R, numpy,
/// pandas.qcut, DuckDB quantile_cont). There must be at least one value.
///
/// # Errors
/// Exits 4 to 7 if values cannot be read.
pub(super) fn type_7(values: &AxisValues<'_>, bins: u32, shift: i128) -> Result<Vec<Ratio>> {
    let (n, b) = (u128::from(values.len()), u128::from(bins));
    let positions: Vec<(u64, i128)> = (1..b)
        .map(|k| {
            let h = (n - 1) * k;
            ((h / b) as u64, (h % b) as i128)
        })
        .collect();
    let mut wanted: Vec<u64> = Vec::new();
    for &(lo, w) in &positions {
        wanted.push(lo);
        if w > 0 {
            wanted.push(lo + 1);
        }
    }
    wanted.sort_unstable();
    wanted.dedup();
    let found = values.statistics(&wanted)?;
    let value = |index: u64| {
        let at = wanted.partition_point(|w| *w < index);
        i128::from(found.get(at).copied().unwrap_or(0))
    };
    let b = i128::from(bins);
    let quantile = |(lo, w): (u64, i128)| {
        let low = value(lo);
        let rise = if w > 0 { w * (value(lo + 1) - low) } else { 0 };
        Ratio::new(b * (low + shift) + rise, b)
    };
    Ok(positions.into_iter().map(quantile).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::Distribution;

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

    fn quantiles(values: &[i64], bins: u32) -> Vec<Ratio> {
        let values = Distribution::from_list(values.to_vec());
        type_7(&AxisValues::InMemory(&values), bins, 0).expect("values in memory")
    }

    #[test]
    fn quantiles_agree_with_sorting() {
        for n in 1..60usize {
            let small: Vec<i64> = (0..n).map(|i| (i as i64 * 7919) % 23).collect();
            let large: Vec<i64> = small.iter().map(|v| v * 1_000_003 - 5_000_000).collect();
            for bins in [2, 3, 5, 10] {
                assert_eq!(quantiles(&small, bins), naive(&small, bins));
                assert_eq!(quantiles(&large, bins), naive(&large, bins));
            }
        }
    }

    #[test]
    fn quintiles_equal_numpy() {
        // numpy.quantile([3, 1, 4, 1, 5, 9, 2, 6], [.2, .4, .6, .8]) = 1.4, 2.8, 4.2, 5.6
        let got: Vec<f64> = quantiles(&[3, 1, 4, 1, 5, 9, 2, 6], 5).into_iter().map(|r| r.printed(0)).collect();
        assert_eq!(got, [1.4, 2.8, 4.2, 5.6]);
    }
}
