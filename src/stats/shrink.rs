//! Ranking noisy effects: shrink them toward their mean, rank by the lower bound.

use super::distribution::normal_quantile;

/// An effect after shrinking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shrunk {
    /// The shrunken effect.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
}

/// Empirical Bayes with normal effects: (value, standard error) each, standard errors positive.
///
/// The effects' own variance τ² is DerSimonian and Laird's (1986) estimate, and μ their mean with weights 1/(se² + τ²).
/// With B = τ²/(τ² + se²) an effect becomes μ + B·(value − μ), with variance B·se² + (1 − B)²·Var(μ) (Morris 1983). A
/// single effect has nothing to be shrunk toward and stays.
pub fn shrink(effects: &[(f64, f64)]) -> Vec<Shrunk> {
    let weigh = |tau2: f64| -> (f64, f64) {
        let weights = effects.iter().map(|(v, se)| (v, 1.0 / (se * se + tau2)));
        let (sum, total) = weights.fold((0.0, 0.0), |(s, t), (v, w)| (s + w * v, t + w));
        (sum / total, total)
    };
    let (fixed, total) = weigh(0.0);
    let squares: f64 = effects.iter().map(|(_, se)| 1.0 / (se * se).powi(2)).sum();
    let q: f64 = effects.iter().map(|(v, se)| ((v - fixed) / se).powi(2)).sum();
    let freedom = effects.len() as f64 - 1.0;
    let tau2 = if freedom > 0.0 { ((q - freedom) / (total - squares / total)).max(0.0) } else { 0.0 };
    let (mean, total) = weigh(tau2);
    let z = normal_quantile(0.975);
    let one = |&(value, se): &(f64, f64)| {
        let b = if effects.len() > 1 { tau2 / (tau2 + se * se) } else { 1.0 };
        let value = mean + b * (value - mean);
        let variance = b * se * se + (1.0 - b) * (1.0 - b) / total;
        Shrunk { value, low: value - z * variance.sqrt() }
    };
    effects.iter().map(one).collect()
}
