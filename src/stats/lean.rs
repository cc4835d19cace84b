//! How far Student's test leans where arms of unlike size share skewed outcomes.

use super::distribution::normal_density;
use super::permutation::{Alike, Arms};

/// The critical value of a two-sided test at 5 %.
const CRITICAL: f64 = 1.959_963_984_540_054;

/// The larger tail, 2.5 % being right, of Welch's statistic (of strata: Σ w·d over the root of Σ w²·var) if there is no effect:
/// the first term of its Edgeworth expansion, 0.025 + φ(z)·|A|·(2z² + 1)/6.
///
/// A = Σ w³·m₃(1/n_T² − 1/n_C²) / (Σ w²·s²(1/n_T + 1/n_C))^1.5 with s² and m₃, the third central moment, of both arms together:
/// the means' skewness, and their covariance with the variance that divides them (Hall 1992, The bootstrap and Edgeworth
/// expansion, 2.6, for two samples).
pub fn student_tail(strata: &[Arms]) -> f64 {
    let (mut variance, mut third) = (0.0, 0.0);
    for arms in strata {
        let size = |cells: &[Alike]| cells.iter().map(|cell| cell.count).sum::<f64>();
        let (treated, control) = (size(&arms.treated), size(&arms.control));
        let value = |cell: &Alike| cell.y - arms.theta * cell.x;
        let all = || arms.treated.iter().chain(&arms.control);
        let mean = all().map(|cell| cell.count * value(cell)).sum::<f64>() / (treated + control);
        let moment =
            |power: i32| all().map(|cell| cell.count * (value(cell) - mean).powi(power)).sum::<f64>() / (treated + control);
        variance += arms.weight.powi(2) * moment(2) * (1.0 / treated + 1.0 / control);
        third += arms.weight.powi(3) * moment(3) * (treated.powi(-2) - control.powi(-2));
    }
    if variance <= 0.0 {
        return 0.0;
    }
    let skewness = third / variance.powf(1.5);
    0.025 + normal_density(CRITICAL) * skewness.abs() * (2.0 * CRITICAL * CRITICAL + 1.0) / 6.0
}
