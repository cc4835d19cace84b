//! Checks of a design, and small statistics that stand alone.

use super::distribution::{chi_square_sf, normal_quantile};

/// Customers of one stratum: how many each arm has and what share it was to have.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitCell {
    /// Customers per arm.
    pub observed: Vec<i64>,
    /// Planned share per arm; they need not add up to 1.
    pub planned: Vec<f64>,
}

/// The smallest p-value of Pearson's chi-square of each stratum's customers against its planned split; `None` where there
/// is nothing to check.
///
/// A stratum with fewer than 5 expected customers in an arm is too small for chi-square, so all such strata are checked
/// together, observed and expected added up. An arm with a planned share of 0 takes no part.
pub fn split_check(strata: &[SplitCell]) -> Option<f64> {
    let expected = |cell: &SplitCell| -> Vec<f64> {
        let total: f64 = cell.observed.iter().map(|&o| o as f64).sum();
        let planned: f64 = cell.planned.iter().sum();
        cell.planned.iter().map(|p| if planned > 0.0 { p / planned * total } else { 0.0 }).collect()
    };
    let arms = strata.iter().map(|c| c.observed.len()).max()?;
    let mut small = (vec![0.0; arms], vec![0.0; arms]);
    let mut tests = Vec::new();
    for cell in strata {
        let observed: Vec<f64> = cell.observed.iter().map(|&o| o as f64).collect();
        let expected = expected(cell);
        if expected.iter().any(|&e| e > 0.0 && e < 5.0) {
            (0..observed.len()).for_each(|i| small.0[i] += observed[i]);
            (0..expected.len()).for_each(|i| small.1[i] += expected[i]);
        } else {
            tests.push((observed, expected));
        }
    }
    tests.push(small);
    tests.iter().filter_map(|(observed, expected)| pearson(observed, expected)).reduce(f64::min)
}

/// Pearson's chi-square test of observed against expected counts; `None` below two arms with an expectation.
fn pearson(observed: &[f64], expected: &[f64]) -> Option<f64> {
    let arms = expected.iter().filter(|&&e| e > 0.0).count() as u32;
    let terms = observed.iter().zip(expected).filter(|(_, e)| **e > 0.0);
    let statistic: f64 = terms.map(|(o, e)| (o - e) * (o - e) / e).sum();
    (arms > 1).then(|| chi_square_sf(statistic, arms - 1))
}

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
