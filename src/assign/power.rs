//! What a draw can detect: the smallest true effect that a test at 5 % finds in four of five draws.

/// `z.975 + z.8`: quantiles of the standard normal distribution for a two-sided test at 5 % with a power of 80 %.
const REACH: f64 = 1.959_963_984_540_054 + 0.841_621_233_572_914_3;

/// Number, sum and sum of squares of integers, exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutcomeSpread {
    /// How many.
    pub count: u64,
    sum: i128,
    /// None beyond 128 bits.
    squares: Option<i128>,
}

impl OutcomeSpread {
    /// Of these values.
    pub fn of(values: impl IntoIterator<Item = i64>) -> OutcomeSpread {
        let mut all = OutcomeSpread { count: 0, sum: 0, squares: Some(0) };
        for value in values {
            all.count += 1;
            all.sum += i128::from(value);
            all.squares = all.squares.and_then(|sum| sum.checked_add(i128::from(value) * i128::from(value)));
        }
        all
    }

    /// The mean; `None` without values.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// The sample variance (n − 1): (n·Σx² − (Σx)²) / (n·(n − 1)); `None` below two values or beyond 128 bits.
    pub fn variance(&self) -> Option<f64> {
        let n = i128::from(self.count);
        let above = n.checked_mul(self.squares?)?.checked_sub(self.sum.checked_mul(self.sum)?)?;
        let below = n.checked_mul(n - 1)?;
        (below > 0).then(|| above as f64 / below as f64)
    }
}

/// The smallest effect that can be detected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectableEffect {
    /// In the unit of the values.
    pub absolute: f64,
    /// As a share of the mean; `None` if the mean is not above 0.
    pub relative: Option<f64>,
}

/// What arms of these sizes can detect of an outcome with the mean and variance of `spread`:
/// (z.975 + z.8) · √(s²/treated + s²/control).
///
/// # Errors
/// Why it cannot be computed.
pub fn detectable_effect(spread: &OutcomeSpread, treated: u64, control: u64) -> Result<DetectableEffect, &'static str> {
    if treated < 2 || control < 2 {
        return Err("an arm has fewer than 2 customers");
    }
    let variance = spread.variance().ok_or("the variance cannot be computed")?;
    if variance <= 0.0 {
        return Err("all customers have the same monetary");
    }
    let absolute = REACH * (variance / treated as f64 + variance / control as f64).sqrt();
    let relative = spread.mean().filter(|mean| *mean > 0.0).map(|mean| absolute / mean);
    Ok(DetectableEffect { absolute, relative })
}

/// The same where arms have other shares in every stratum, so that the effect is post-stratified: strata are weighted by
/// their customers, (z.975 + z.8) · √Σ w²(s²/treated + s²/control).
///
/// # Errors
/// Why it cannot be computed.
pub fn stratified_detectable_effect(strata: &[(OutcomeSpread, u64, u64)]) -> Result<DetectableEffect, &'static str> {
    let customers: u64 = strata.iter().map(|(spread, ..)| spread.count).sum();
    let (mut variance, mut mean) = (0.0, 0.0);
    for (spread, treated, control) in strata {
        let weight = spread.count as f64 / customers as f64;
        let own = detectable_effect(spread, *treated, *control)?.absolute / REACH;
        variance += weight * weight * own * own;
        mean += weight * spread.mean().unwrap_or_default();
    }
    let absolute = REACH * variance.sqrt();
    Ok(DetectableEffect { absolute, relative: (mean > 0.0).then(|| absolute / mean) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strata_of_one_kind_are_one_population() {
        let (one, twice) = (OutcomeSpread::of([1, 5, 9]), OutcomeSpread::of([1, 5, 9, 1, 5, 9]));
        let over = stratified_detectable_effect(&[(one, 30, 60), (one, 30, 60)]).unwrap();
        // Apart from the n − 1 of the variance.
        let whole = detectable_effect(&twice, 60, 120).unwrap().absolute * (16.0f64 / 12.8).sqrt();
        assert!((over.absolute / whole - 1.0).abs() < 1e-12, "{over:?} {whole}");
        assert_eq!(over.relative, Some(over.absolute / 5.0));
        assert!(stratified_detectable_effect(&[(one, 30, 60), (one, 1, 60)]).is_err());
    }

    /// Expected: `(norm.ppf(.975) + norm.ppf(.8)) * sqrt(var([10, 20, 40, 90], ddof=1) * (1/100 + 1/50))` with scipy
    /// and numpy.
    #[test]
    fn equals_the_formula() {
        let spread = OutcomeSpread::of([10, 20, 40, 90]);
        assert_eq!((spread.mean(), spread.variance()), (Some(40.0), Some(3800.0 / 3.0)));
        let got = detectable_effect(&spread, 100, 50).unwrap();
        assert!((got.absolute / 17.270_131_149_046_474 - 1.0).abs() < 1e-12, "{got:?}");
        assert_eq!(got.relative, Some(got.absolute / 40.0));
    }

    #[test]
    fn what_cannot_be_computed_has_a_reason() {
        assert!(detectable_effect(&OutcomeSpread::of([1, 2]), 1, 50).is_err_and(|e| e.contains("fewer than 2")));
        assert!(detectable_effect(&OutcomeSpread::of([7, 7, 7]), 10, 10).is_err_and(|e| e.contains("same")));
        assert!(detectable_effect(&OutcomeSpread::of([5]), 10, 10).is_err());
        assert!(detectable_effect(&OutcomeSpread::of([i64::MAX; 8]), 10, 10).is_err_and(|e| e.contains("cannot be computed")));
        assert_eq!(detectable_effect(&OutcomeSpread::of([-1, -3]), 10, 10).map(|d| d.relative), Ok(None));
    }

    /// More customers detect less, and splitting evenly detects least.
    #[test]
    fn size_and_balance_help() {
        let spread = OutcomeSpread::of([1, 5, 9]);
        let at = |treated, control| detectable_effect(&spread, treated, control).unwrap().absolute;
        assert!(at(100, 100) > at(400, 400) * 1.999 && at(100, 100) < at(400, 400) * 2.001);
        assert!(at(100, 100) < at(150, 50));
    }
}
