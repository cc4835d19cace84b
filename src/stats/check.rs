//! Checks of a design, and small statistics that stand alone.

use super::distribution::{chi_square_sf, normal_quantile};
use super::split::LEAST_EXPECTED;

/// Pearson's chi-square test that groups have one rate: (with the trait, all) per group; `None` where no group differs
/// from another in having members with and without the trait.
pub fn chi_square_homogeneity(groups: &[(i64, i64)]) -> Option<f64> {
    let groups: Vec<(f64, f64)> = groups.iter().filter(|g| g.1 > 0).map(|g| (g.0 as f64, g.1 as f64)).collect();
    let (with, all) = groups.iter().fold((0.0, 0.0), |a, g| (a.0 + g.0, a.1 + g.1));
    if groups.len() < 2 || with <= 0.0 || with >= all {
        return None;
    }
    let rate = with / all;
    let statistic: f64 = groups.iter().map(|(w, n)| (w - n * rate).powi(2) / (n * rate * (1.0 - rate))).sum();
    Some(chi_square_sf(statistic, groups.len() as u32 - 1))
}

/// The chi-square test that arms are spread alike over the groups of each table: Pearson's statistic of homogeneity and its degrees of
/// freedom, added up over tables. A table has the customers per arm of each group, the groups in a fixed order; neighbours are thrown
/// together until every arm expects 5. An arm with fewer than twice that takes no part. `None` where no table has two groups.
pub fn spread_p(tables: &[Vec<Vec<i64>>]) -> Option<f64> {
    let (mut statistic, mut degrees) = (0.0, 0);
    for table in tables {
        let arms = table.iter().map(Vec::len).max().unwrap_or(0);
        let total = |arm: usize| table.iter().filter_map(|group| group.get(arm)).sum::<i64>() as f64;
        let arms: Vec<usize> = (0..arms).filter(|arm| total(*arm) >= 2.0 * LEAST_EXPECTED).collect();
        let totals: Vec<f64> = arms.iter().map(|arm| total(*arm)).collect();
        let n: f64 = totals.iter().sum();
        let least_share = totals.iter().copied().fold(f64::INFINITY, f64::min) / n;
        let groups = merged_groups(table, &arms, LEAST_EXPECTED / least_share);
        if groups.len() < 2 || arms.len() < 2 {
            continue;
        }
        for group in &groups {
            let size: f64 = group.iter().sum();
            let expected = totals.iter().map(|total| total * size / n);
            statistic += group.iter().zip(expected).map(|(o, e)| (o - e).powi(2) / e).sum::<f64>();
        }
        degrees += ((groups.len() - 1) * (arms.len() - 1)) as u32;
    }
    (degrees > 0).then(|| chi_square_sf(statistic, degrees))
}

/// The groups of some arms, neighbours thrown together until they have this many customers; the last ones join those before.
fn merged_groups(table: &[Vec<i64>], arms: &[usize], least: f64) -> Vec<Vec<f64>> {
    let mut groups: Vec<Vec<f64>> = Vec::new();
    let mut open = vec![0.0; arms.len()];
    let add = |to: &mut Vec<f64>, from: &[f64]| to.iter_mut().zip(from).for_each(|(all, own)| *all += own);
    for group in table {
        let group: Vec<f64> = arms.iter().map(|arm| group.get(*arm).copied().unwrap_or(0) as f64).collect();
        add(&mut open, &group);
        if open.iter().sum::<f64>() >= least {
            groups.push(std::mem::replace(&mut open, vec![0.0; arms.len()]));
        }
    }
    if let Some(last) = groups.last_mut() {
        add(last, &open);
    }
    groups
}

/// Wilson's 95 % interval of `successes` out of `n`; `None` for `n` = 0.
pub fn wilson(successes: i64, n: i64) -> Option<(f64, f64)> {
    if n <= 0 {
        return None;
    }
    let (k, n, z) = (successes as f64, n as f64, normal_quantile(0.975));
    let (p, z2) = (k / n, z * z);
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // The ends are 0 and 1 exactly where nobody or everybody succeeds, whatever rounding says.
    let low = if successes <= 0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if k >= n { 1.0 } else { (middle + half).min(1.0) };
    Some((low, high))
}

/// Standardised mean difference: the distance of two means over the root mean of their variances; `None` without variance.
pub fn smd(mean_treated: f64, mean_control: f64, variance_treated: f64, variance_control: f64) -> Option<f64> {
    let pooled = (variance_treated + variance_control) / 2.0;
    (pooled > 0.0).then(|| (mean_treated - mean_control) / pooled.sqrt())
}

/// The change that regression to the mean alone gives to customers whose mean was `selected`, in a population of which
/// `mean` is the mean and `slope` the regression of one period on the one before: (slope − 1)·(selected − mean). (Galton
/// 1886; the population's own mean is taken to stay.)
pub fn expected_drift(selected: f64, mean: f64, slope: f64) -> f64 {
    (slope - 1.0) * (selected - mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17: chi2_contingency without correction of the merged tables, statistics and degrees added.
    #[test]
    fn neighbours_are_thrown_together_until_every_arm_expects_five() {
        // Of 300 a third is in the first arm: groups need 15. 10 and 8 become one, and the last 2 join the 100 before.
        let table: Vec<Vec<i64>> = [[4, 6], [4, 4], [40, 90], [20, 30], [31, 69], [1, 1]].map(Vec::from).to_vec();
        let other: Vec<Vec<i64>> = [[30, 30], [10, 50]].map(Vec::from).to_vec();
        for (tables, want) in [(vec![table.clone()], 0.4643525550343681), (vec![table, other.clone()], 0.001503216724740755)] {
            let got = spread_p(&tables).unwrap_or(f64::NAN);
            assert!((got / want - 1.0).abs() < 1e-9, "{got} instead of {want}");
        }
        assert_eq!(spread_p(&[vec![vec![5, 5]]]), None);
        // An arm of 9 takes no part.
        let with_few: Vec<Vec<i64>> = [[30, 30, 9], [10, 50, 0]].map(Vec::from).to_vec();
        assert_eq!(spread_p(&[with_few]), spread_p(&[other]));
        assert_eq!(spread_p(&[]), None);
    }
}
