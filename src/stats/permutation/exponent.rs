//! How money varies with its mean: by more per buyer, or by more buyers.

use super::arms::{Alike, MeasuredArms};

/// The least exponent of the mean that deviations are scaled with.
const LEAST_EXPONENT: f64 = -1.0;

/// The exponent of the mean with which money varies, from the arms' means over strata and their variances within them.
pub(super) fn exponent(strata: &[MeasuredArms], mean_treated: f64, mean_control: f64) -> f64 {
    let treated = Spread::new(strata.iter().map(|stratum| (stratum.treated.y, stratum.arms.treated.as_slice())));
    let control = Spread::new(strata.iter().map(|stratum| (stratum.control.y, stratum.arms.control.as_slice())));
    // The derivative of ln √(p·E[a²] − p²·E[a]²) by ln p, for a share p of buyers who spend a.
    let more_buy = match treated.variance > 0.0 {
        true => (0.5 * (1.0 - mean_treated * mean_treated / treated.variance)).clamp(LEAST_EXPONENT, 1.0),
        false => LEAST_EXPONENT,
    };
    let (prior, prior_sd) = ((1.0 + more_buy) / 2.0, (1.0 - more_buy) / 2.0);
    if mean_control <= 0.0 || mean_treated <= 0.0 || treated.variance <= 0.0 || control.variance <= 0.0 || prior_sd <= 0.0 {
        return prior;
    }
    let log_ratio = (mean_control / mean_treated).ln();
    let log_sd_ratio = (control.variance / treated.variance).ln() / 2.0;
    let kurtosis = treated.kurtosis.max(control.kurtosis);
    let precision = 1.0 / ((kurtosis - 1.0).max(f64::MIN_POSITIVE) / 4.0 * (1.0 / treated.n + 1.0 / control.n));
    let prior_precision = 1.0 / (prior_sd * prior_sd);
    (prior * prior_precision + log_ratio * log_sd_ratio * precision) / (prior_precision + log_ratio * log_ratio * precision)
}

/// How the outcomes of an arm vary within strata.
struct Spread {
    n: f64,
    variance: f64,
    kurtosis: f64,
}

impl Spread {
    /// The spread of customers by stratum, each with the mean of theirs.
    fn new<'a>(strata: impl Iterator<Item = (f64, &'a [Alike])>) -> Spread {
        let [mut n, mut second, mut fourth] = [0.0; 3];
        for (mean, cells) in strata {
            for cell in cells {
                let square = (cell.y - mean) * (cell.y - mean);
                n += cell.count;
                second += cell.count * square;
                fourth += cell.count * square * square;
            }
        }
        let variance = second / n;
        Spread { n, variance, kurtosis: fourth / n / (variance * variance).max(f64::MIN_POSITIVE) }
    }
}
