//! The split check: whether the arms have the sizes that were planned.

use statrs::function::beta::checked_beta_reg;

use super::distribution::chi_square_sf;

/// Customers of one stratum: how many each arm has and what share it was to have.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitCell {
    /// Customers per arm; the arms are the same in all strata.
    pub observed: Vec<i64>,
    /// Planned share per arm; they need not add up to 1.
    pub planned: Vec<f64>,
}

/// An arm with fewer expected customers is too small for chi-square.
pub(super) const LEAST_EXPECTED: f64 = 5.0;

/// A pivot that is smaller than this part of its variance is what rounding has left of a sum that others determine.
const NO_PIVOT: f64 = 1e-9;

/// A stratum's customers in arms with a share, and the counts that its shares lead to expect.
struct Stratum {
    n: f64,
    shares: Vec<f64>,
    observed: Vec<f64>,
}

impl Stratum {
    /// An arm with a planned share of 0 takes no part.
    fn new(cell: &SplitCell) -> Stratum {
        let planned: f64 = cell.planned.iter().sum();
        let shares: Vec<f64> = cell.planned.iter().map(|share| if planned > 0.0 { share / planned } else { 0.0 }).collect();
        let counts = cell.observed.iter().zip(&shares);
        let observed: Vec<f64> = counts.map(|(count, share)| if *share > 0.0 { *count as f64 } else { 0.0 }).collect();
        Stratum { n: observed.iter().sum(), shares, observed }
    }

    fn expected(&self) -> impl Iterator<Item = f64> {
        self.shares.iter().map(|share| share * self.n)
    }
}

/// The p-value of the split check; `None` where there is nothing to check.
///
/// Two tests: the totals of all strata, and each stratum by itself. The first is the chi-square of the arms' totals less their
/// expectations, with the multinomial covariances added up over strata, (Σ(n − n·p))²/Σ n·p(1 − p) for two arms. The second adds up
/// Pearson's chi-square, and its degrees of freedom, over strata with at least 5 expected customers in every arm. The smaller
/// p-value counts, adjusted by Holm. With one stratum both are one test, Pearson's.
pub fn split_check(strata: &[SplitCell]) -> Option<f64> {
    let strata: Vec<Stratum> = strata.iter().map(Stratum::new).filter(|stratum| stratum.n > 0.0).collect();
    let totals = totals_p(&strata)?;
    let within = if strata.len() > 1 { within_p(&strata) } else { None };
    Some(within.map_or(totals, |within| (2.0 * within.min(totals)).min(1.0)))
}

/// Checks the arms' totals.
fn totals_p(strata: &[Stratum]) -> Option<f64> {
    let arms = strata.iter().map(|stratum| stratum.shares.len()).max()?;
    let (mut observed, mut expected) = (vec![0.0; arms], vec![0.0; arms]);
    let mut covariance = vec![vec![0.0; arms]; arms];
    for stratum in strata {
        observed.iter_mut().zip(&stratum.observed).for_each(|(all, own)| *all += own);
        expected.iter_mut().zip(stratum.expected()).for_each(|(all, own)| *all += own);
        for (i, p) in stratum.shares.iter().enumerate() {
            for (j, q) in stratum.shares.iter().enumerate() {
                covariance[i][j] += stratum.n * p * (if i == j { 1.0 - p } else { -q });
            }
        }
    }
    let arms: Vec<(f64, f64)> = observed.into_iter().zip(expected).collect();
    let planned: Vec<(f64, f64)> = arms.iter().copied().filter(|(_, expected)| *expected > 0.0).collect();
    if planned.len() < 2 {
        return None;
    }
    if planned.iter().any(|(_, expected)| *expected < LEAST_EXPECTED) {
        return Some(exact_p(&planned));
    }
    let difference = arms.iter().map(|(observed, expected)| observed - expected).collect();
    let (statistic, degrees) = quadratic_form(difference, covariance);
    (degrees > 0).then(|| chi_square_sf(statistic, degrees))
}

/// Checks each arm, given by its observed and expected customers, against all others by the binomial distribution, twice the smaller
/// tail, adjusted by Bonferroni. With unlike shares in strata the sum of their binomials varies less than that (Hoeffding 1956), so
/// the p-value is rather too large.
fn exact_p(arms: &[(f64, f64)]) -> f64 {
    let n: f64 = arms.iter().map(|(observed, _)| observed).sum();
    let tail = |(observed, expected): &(f64, f64)| {
        let share = expected / n;
        let at_least = |k: f64| if k <= 0.0 { 1.0 } else { checked_beta_reg(k, n - k + 1.0, share).unwrap_or(1.0) };
        let at_most = if *observed >= n { 1.0 } else { 1.0 - at_least(observed + 1.0) };
        2.0 * at_least(*observed).min(at_most)
    };
    // Of two arms one has what the other lacks.
    let tests = if arms.len() == 2 { 1 } else { arms.len() };
    arms.iter().take(tests).map(|arm| tests as f64 * tail(arm)).fold(1.0, f64::min)
}

/// Checks every stratum by itself, and adds up what is found.
fn within_p(strata: &[Stratum]) -> Option<f64> {
    let (mut statistic, mut degrees) = (0.0, 0);
    for stratum in strata {
        let arms = || stratum.observed.iter().copied().zip(stratum.expected()).filter(|(_, expected)| *expected > 0.0);
        if arms().all(|(_, expected)| expected >= LEAST_EXPECTED) {
            statistic += arms().map(|(observed, expected)| (observed - expected).powi(2) / expected).sum::<f64>();
            degrees += arms().count().saturating_sub(1) as u32;
        }
    }
    (degrees > 0).then(|| chi_square_sf(statistic, degrees))
}

/// dᵀ·V⁻·d for a difference d with the covariance V, and the rank of V, by elimination.
fn quadratic_form(mut difference: Vec<f64>, mut covariance: Vec<Vec<f64>>) -> (f64, u32) {
    let variances: Vec<f64> = covariance.iter().enumerate().map(|(i, row)| row[i]).collect();
    let (mut statistic, mut rank) = (0.0, 0);
    for i in 0..difference.len() {
        let pivot = covariance[i][i];
        if pivot <= NO_PIVOT * variances[i] || pivot <= 0.0 {
            continue;
        }
        statistic += difference[i] * difference[i] / pivot;
        rank += 1;
        let row = covariance[i].clone();
        for j in i + 1..difference.len() {
            let factor = row[j] / pivot;
            difference[j] -= factor * difference[i];
            covariance[j].iter_mut().zip(&row).for_each(|(of_j, of_i)| *of_j -= factor * of_i);
        }
    }
    (statistic, rank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SplitMix;

    fn cell(observed: &[i64], planned: &[f64]) -> SplitCell {
        SplitCell { observed: observed.to_vec(), planned: planned.to_vec() }
    }

    fn assert_p(strata: &[SplitCell], want: f64) {
        let got = split_check(strata).unwrap_or(f64::NAN);
        assert!((got / want - 1.0).abs() < 1e-9, "{got} instead of {want}");
    }

    /// numpy: u = Σ(n − N·p), V = ΣN·(diag p − p·pᵀ), uᵀ·pinv(V)·u; scipy 1.17: chi2.sf, chisquare, binom.
    #[test]
    fn strata_are_checked_together_and_each() {
        // Both tests: p 0.27747 and 0.11171.
        let three = [cell(&[120, 250, 230], &[0.2, 0.4, 0.4]), cell(&[70, 20, 10], &[0.6, 0.2, 0.2])];
        assert_p(&three, 0.22341858563208655);
        // A stratum of 4 counts in the totals (p 0.016002) and not by itself (p 0.049787 without it).
        let halves = [0.5, 0.5];
        assert_p(&[cell(&[60, 40], &halves), cell(&[110, 90], &halves), cell(&[3, 1], &halves)], 0.03200441400687182);
        // Strata that lean to either side, and many that lean a little to one.
        assert_p(&[cell(&[140, 60], &halves), cell(&[60, 140], &halves)], 2.5328331098188316e-14);
        assert_p(&vec![cell(&[28, 22], &halves); 40], 1.6050222533855164e-07);
    }

    #[test]
    fn few_customers_are_checked_exactly() {
        assert_p(&[cell(&[4, 16], &[0.02, 0.98])], 0.0011993577924931445);
        assert_p(&[cell(&[10, 90], &[0.025, 0.975])], 0.00042539959901671966);
        assert_p(&[cell(&[6, 14, 20], &[0.02, 0.38, 0.6])], 0.0008217714638724494);
        // Two customers in one of two arms say nothing.
        assert_p(&[cell(&[0, 2], &[0.5, 0.5])], 0.5);
    }

    /// 1,030 of 2,000 beside an arm that was planned with a share of 0, empty or not.
    #[test]
    fn an_arm_without_a_share_takes_no_part() {
        for stray in [0, 2] {
            assert_p(&[cell(&[970, stray, 1030], &[0.5, 0.0, 0.5])], 0.17971249487899593);
        }
        assert_eq!(split_check(&[cell(&[10, 3], &[1.0, 0.0])]), None);
    }

    /// By its level a fair draw is refused in 0.1 % of 10,000 runs; 20 more are six standard errors.
    #[test]
    fn two_hundred_fair_strata_are_rarely_refused() {
        let mut random = SplitMix::new(1);
        let mut refused = 0;
        for _ in 0..10_000 {
            let draw = |stratum: u64| {
                let (n, share) = (10 + stratum % 40, if stratum.is_multiple_of(4) { 0.1 } else { 0.5 });
                let control = (0..n).filter(|_| random.chance(share)).count() as i64;
                cell(&[control, n as i64 - control], &[share, 1.0 - share])
            };
            let strata: Vec<SplitCell> = (0..200).map(draw).collect();
            refused += usize::from(split_check(&strata).is_some_and(|p| p < 0.001));
        }
        assert!((1..=20).contains(&refused), "{refused} of 10,000");
    }
}
