//! One estimator for all designs: two arms, cells with weights, and the delta method.
//!
//! In each arm a customer has the numbers v = (y, x, d, e): outcome, the same in the baseline, and for ratios the
//! denominators of both. With cell weights w the arm's vector of means is v̄ = Σ w·v̄ₖ, and the arm's mean is a smooth
//! function h(v̄): y, or y/d for a ratio, less θ times the same of the baseline. By the delta method customer i of cell k
//! moves h by ∇h·(vᵢ − v̄ₖ)·wₖ/nₖ, and, where the weights are themselves shares of a sample, by (∇h·v̄ₖ − ∇h·v̄)/N. Every
//! variance, of differences, lifts, and across periods, is a sum of products of such influences.

use super::distribution::{t_quantile, t_two_sided};
use super::sums::{D, E, Moments, VALUES, X, Y, zero_if_rounding};

/// Two arms in one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The treated arm.
    pub treated: Moments,
    /// The control arm.
    pub control: Moments,
    /// Both arms together, for CUPED's θ.
    pub both: Moments,
}

/// What an arm's mean is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The mean of y.
    Mean,
    /// Σy/Σd.
    Ratio,
}

/// What is taken off it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjustment {
    /// Nothing.
    None,
    /// θ times the distance of the baseline mean from that of both arms; θ = cov/var over both arms together, within cells if
    /// there are several, 0 if the baseline has no variance. (Deng, Xu, Kohavi and Walker 2013.)
    Cuped,
    /// The baseline mean: difference-in-differences on customers' change.
    Change,
}

/// How cells are weighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighting {
    /// By their share of both arms' customers, with the variance of shares drawn at random (Miratrix, Sekhon and Yu 2013).
    Pooled,
    /// By their share of both arms' customers, taken as given.
    Given,
    /// By their share of the treated: the effect on these treated customers, so that shares have no variance.
    Treated,
}

/// Why there is no estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EstimateError {
    /// No cells.
    NoCells,
    /// Within either arm no customer's number differs from another's, or no order's value for a ratio.
    ZeroVariance,
    /// Within either arm the baseline explains all that differs.
    Explained,
    /// The denominator of the ratio is zero in an arm.
    ZeroDenominator,
}

/// A 95 % interval and a two-sided p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Probability of a distance from 0 as large as this if there is no effect.
    pub p: f64,
}

impl Interval {
    /// Student's interval around `value`.
    pub fn student(value: f64, se: f64, df: f64) -> Interval {
        let half = t_quantile(0.975, df) * se;
        Interval { low: value - half, high: value + half, p: t_two_sided(value / se, df) }
    }

    /// Whether 0 lies within.
    pub fn covers_zero(&self) -> bool {
        self.low <= 0.0 && self.high >= 0.0
    }
}

/// How far each customer of one cell and arm moves an estimate: `coefficients`·(v − `center`) + `constant`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Influence {
    /// Per number of the customer.
    pub coefficients: [f64; VALUES],
    /// The means of the cell and arm.
    pub center: [f64; VALUES],
    /// What the customer's being in the cell adds.
    pub constant: f64,
}

/// A relative effect: the difference over the control's mean without adjustment.
#[derive(Debug, Clone, PartialEq)]
pub struct Lift {
    /// The lift.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// Degrees of freedom (Welch and Satterthwaite).
    pub df: f64,
    /// Influence of customers per cell: treated, control.
    pub influence: Vec<[Influence; 2]>,
}

/// An effect: treated less control.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Treated customers.
    pub n_treated: f64,
    /// Control customers.
    pub n_control: f64,
    /// The treated arm's (adjusted) mean.
    pub mean_treated: f64,
    /// The control arm's (adjusted) mean.
    pub mean_control: f64,
    /// Treated less control.
    pub difference: f64,
    /// Standard error of the difference.
    pub se: f64,
    /// Degrees of freedom (Welch and Satterthwaite).
    pub df: f64,
    /// The control arm's mean without adjustment.
    pub base: f64,
    /// The lift; `None` where that is not positive, or the lift has no variance.
    pub lift: Option<Lift>,
    /// Influence of customers on the difference per cell: treated, control.
    pub influence: Vec<[Influence; 2]>,
}

impl Estimate {
    /// Student's interval of the difference.
    pub fn interval(&self) -> Interval {
        Interval::student(self.difference, self.se, self.df)
    }
}

/// A smooth function of a vector of means: value and gradient.
type ValueAndGradient = (f64, [f64; VALUES]);

/// `numerator`, or `numerator`/`denominator` for a ratio.
fn mean_of(shape: Shape, means: &[f64; VALUES], numerator: usize, denominator: usize) -> Option<ValueAndGradient> {
    let mut gradient = [0.0; VALUES];
    match shape {
        Shape::Mean => {
            gradient[numerator] = 1.0;
            Some((means[numerator], gradient))
        }
        Shape::Ratio if means[denominator] != 0.0 => {
            gradient[numerator] = 1.0 / means[denominator];
            gradient[denominator] = -means[numerator] / (means[denominator] * means[denominator]);
            Some((means[numerator] / means[denominator], gradient))
        }
        Shape::Ratio => None,
    }
}

/// CUPED's θ over both arms together, within cells: Σ (n − 1)·cov / Σ (n − 1)·var. Of a ratio, slopes are those over all cells.
pub fn theta(shape: Shape, cells: &[Cell]) -> Option<f64> {
    let customers: f64 = cells.iter().map(|cell| cell.both.n).sum();
    let weights: Vec<f64> = cells.iter().map(|cell| cell.both.n / customers).collect();
    let means = weighted_means(cells, &weights, |cell| &cell.both);
    let (_, y) = mean_of(shape, &means, Y, D)?;
    let (_, x) = mean_of(shape, &means, X, E)?;
    let within = |of: &dyn Fn(&Moments) -> f64| cells.iter().map(|cell| (cell.both.n - 1.0) * of(&cell.both)).sum::<f64>();
    let variance = within(&|both| both.variance(&x));
    Some(if variance > 0.0 { within(&|both| both.form(&y, &x)) / variance } else { 0.0 })
}

/// The arm's vector of means.
fn weighted_means(cells: &[Cell], weights: &[f64], arm: fn(&Cell) -> &Moments) -> [f64; VALUES] {
    std::array::from_fn(|i| cells.iter().zip(weights).map(|(cell, w)| w * arm(cell).mean[i]).sum())
}

/// The effect of treated against control.
///
/// With one cell, `Mean` and no adjustment this is Welch's test; with [`Adjustment::Cuped`] CUPED; with
/// [`Adjustment::Change`] difference-in-differences; with several cells post-stratification or matching, or CUPED and
/// difference-in-differences within them.
///
/// # Errors
/// Says what makes the effect no number; never NaN or infinite.
pub fn estimate(
    cells: &[Cell],
    shape: Shape,
    adjustment: Adjustment,
    weighting: Weighting,
) -> std::result::Result<Estimate, EstimateError> {
    if cells.is_empty() {
        return Err(EstimateError::NoCells);
    }
    let n_treated: f64 = cells.iter().map(|c| c.treated.n).sum();
    let n_control: f64 = cells.iter().map(|c| c.control.n).sum();
    let weights: Vec<f64> = match weighting {
        Weighting::Pooled | Weighting::Given => {
            cells.iter().map(|c| (c.treated.n + c.control.n) / (n_treated + n_control)).collect()
        }
        Weighting::Treated => cells.iter().map(|c| c.treated.n / n_treated).collect(),
    };
    let treated = weighted_means(cells, &weights, |c| &c.treated);
    let control = weighted_means(cells, &weights, |c| &c.control);

    let (theta, centre) = match adjustment {
        Adjustment::None => (0.0, 0.0),
        Adjustment::Change => (1.0, 0.0),
        Adjustment::Cuped => match (theta(shape, cells), mean_of(shape, &weighted_means(cells, &weights, |c| &c.both), X, E)) {
            (Some(theta), Some((mean, _))) => (theta, mean),
            // A ratio without denominators in the baseline has no covariate.
            _ => (0.0, 0.0),
        },
    };
    let arm = |means: &[f64; VALUES]| -> std::result::Result<(ValueAndGradient, ValueAndGradient), EstimateError> {
        let base = mean_of(shape, means, Y, D).ok_or(EstimateError::ZeroDenominator)?;
        if theta == 0.0 {
            return Ok((base, base));
        }
        let (before, slope) = mean_of(shape, means, X, E).ok_or(EstimateError::ZeroDenominator)?;
        Ok(((base.0 - theta * (before - centre), std::array::from_fn(|i| base.1[i] - theta * slope[i])), base))
    };
    let ((mean_treated, slope_treated), (_, treated_slope)) = arm(&treated)?;
    let ((mean_control, slope_control), (base, base_slope)) = arm(&control)?;
    let difference = mean_treated - mean_control;

    let shares_of = if weighting == Weighting::Pooled && cells.len() > 1 { Some(n_treated + n_control) } else { None };
    let contrast = Contrast { cells, weights: &weights, treated: &treated, control: &control, shares_of };
    let (influence, variance, df) = contrast.of(&slope_treated, &slope_control);
    if variance.is_nan() || variance <= 0.0 {
        let unadjusted = contrast.of(&treated_slope, &base_slope).1;
        return Err(if unadjusted > 0.0 { EstimateError::Explained } else { EstimateError::ZeroVariance });
    }
    let lift = if base > 0.0 {
        let to_treated = slope_treated.map(|g| g / base);
        // Where nobody treated did anything, the lift is -1 whatever the control arm did, and has no variance.
        let to_control = std::array::from_fn(|i| {
            let (direct, through_base) = (slope_control[i] / base, difference / (base * base) * base_slope[i]);
            zero_if_rounding(direct + through_base, direct.abs() + through_base.abs())
        });
        let (influence, variance, df) = contrast.of(&to_treated, &to_control);
        (variance > 0.0).then(|| Lift { value: difference / base, se: variance.sqrt(), df, influence })
    } else {
        None
    };
    Ok(Estimate { n_treated, n_control, mean_treated, mean_control, difference, se: variance.sqrt(), df, base, lift, influence })
}

/// A difference that is held against Student's distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StudentEstimate {
    /// The difference.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// Its degrees of freedom.
    pub df: f64,
}

impl StudentEstimate {
    /// The same of `scale` times the difference plus `shift`; 0 < `scale`.
    pub fn mapped(self, scale: f64, shift: f64) -> StudentEstimate {
        StudentEstimate { value: self.value * scale + shift, se: self.se * scale, df: self.df }
    }

    /// This less another one, with which it shares `covariance`, at the lesser degrees of freedom; `None` without variance.
    pub fn less(&self, other: &StudentEstimate, covariance: f64) -> Option<StudentEstimate> {
        let (own, others) = (self.se * self.se, other.se * other.se);
        let variance = zero_if_rounding(own + others - 2.0 * covariance, own + others + 2.0 * covariance.abs());
        let df = self.df.min(other.df);
        (variance > 0.0).then(|| StudentEstimate { value: self.value - other.value, se: variance.sqrt(), df })
    }
}

/// Treated less control of a linear form of customers' numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearEstimate {
    /// The difference, with degrees of freedom by Welch and Satterthwaite.
    pub estimate: StudentEstimate,
    /// Influence of customers per cell: treated, control.
    pub influence: Vec<[Influence; 2]>,
}

impl LinearEstimate {
    /// The difference of `form` within cells, for these treated; `None` without cells, or where it has no variance.
    pub fn new(cells: &[Cell], form: &[f64; VALUES]) -> Option<LinearEstimate> {
        let n_treated: f64 = cells.iter().map(|cell| cell.treated.n).sum();
        let weights: Vec<f64> = cells.iter().map(|cell| cell.treated.n / n_treated).collect();
        let treated = weighted_means(cells, &weights, |cell| &cell.treated);
        let control = weighted_means(cells, &weights, |cell| &cell.control);
        let contrast = Contrast { cells, weights: &weights, treated: &treated, control: &control, shares_of: None };
        let (influence, variance, df) = contrast.of(form, form);
        let value = form.iter().zip(treated.iter().zip(control)).map(|(f, (treated, control))| f * (treated - control)).sum();
        (variance > 0.0).then(|| LinearEstimate { estimate: StudentEstimate { value, se: variance.sqrt(), df }, influence })
    }
}

/// What the variance of a contrast needs besides its gradients.
struct Contrast<'a> {
    cells: &'a [Cell],
    weights: &'a [f64],
    treated: &'a [f64; VALUES],
    control: &'a [f64; VALUES],
    /// The customers whose shares the weights are, if these vary from sample to sample.
    shares_of: Option<f64>,
}

impl Contrast<'_> {
    /// Influences, variance and degrees of freedom of ∇t·v̄(treated) − ∇c·v̄(control).
    fn of(&self, to_treated: &[f64; VALUES], to_control: &[f64; VALUES]) -> (Vec<[Influence; 2]>, f64, f64) {
        let dot = |a: &[f64; VALUES], b: &[f64; VALUES]| -> f64 { a.iter().zip(b).map(|(x, y)| x * y).sum() };
        let size = |a: &[f64; VALUES], b: &[f64; VALUES]| -> f64 { a.iter().zip(b).map(|(x, y)| (x * y).abs()).sum() };
        let overall = dot(to_treated, self.treated) - dot(to_control, self.control);
        let (mut variance, mut squares, mut between) = (0.0, 0.0, 0.0);
        let mut influence = Vec::with_capacity(self.cells.len());
        for (cell, &weight) in self.cells.iter().zip(self.weights) {
            for (arm, slope) in [(&cell.treated, to_treated), (&cell.control, to_control)] {
                let part = weight * weight * arm.variance(slope) / arm.n;
                variance += part;
                squares += part * part / (arm.n - 1.0);
            }
            let distance = dot(to_treated, &cell.treated.mean) - dot(to_control, &cell.control.mean) - overall;
            let distance =
                zero_if_rounding(distance, size(to_treated, &cell.treated.mean) + size(to_control, &cell.control.mean));
            let constant = self.shares_of.map_or(0.0, |n| distance / n);
            between += self.shares_of.map_or(0.0, |n| weight * distance * distance / n);
            let side = |arm: &Moments, slope: &[f64; VALUES], sign: f64| Influence {
                coefficients: slope.map(|g| sign * g * weight / arm.n),
                center: arm.mean,
                constant,
            };
            influence.push([side(&cell.treated, to_treated, 1.0), side(&cell.control, to_control, -1.0)]);
        }
        if let Some(n) = self.shares_of {
            variance += between;
            squares += between * between / (n - 1.0);
        }
        (influence, variance, variance * variance / squares)
    }
}
