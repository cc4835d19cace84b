//! The jump of an outcome at a cut of a running variable: sharp regression discontinuity by local linear fits with triangular weights,
//! the bandwidth and the robust bias-corrected interval of Calonico, Cattaneo and Titiunik (Econometrica 82, 2014), variances from
//! nearest neighbours, mass points as their package `rdrobust` treats them.
//!
//! Both sides are fitted for themselves. The bandwidth balances the variance of the fits against the square of their bias, which the
//! next higher power shows; its own pilot bandwidths come from the powers above that. The interval adds to the estimate what the
//! quadratic fit says of the bias, and to its variance what that is uncertain by.

use std::ops::Range;

use super::local_fit::{COEFFICIENTS, Coefficients, Square, inverse, powers, times, weight};

/// Order of the fits.
const ORDER: usize = 1;

/// Order of the fits that show the bias.
const BIAS_ORDER: usize = 2;

/// Neighbours from which a variance is taken, at least.
const NEIGHBOURS: usize = 3;

/// The pilot bandwidth of a density's normal reference for triangular weights, in standard deviations times the fifth root of the number.
const REFERENCE: f64 = 2.576;

/// Standard deviations between the quartiles of a normal distribution.
const QUARTILES: f64 = 1.349;

/// Share of repeated values on a side from which on a bandwidth holds some distinct ones.
const MANY_REPEATED: f64 = 0.2;

/// How many.
const DISTINCT: usize = 10;

/// Distances that are as good as equal.
const EQUAL: f64 = 1.490_116_119_384_765_6e-8;

/// Of somebody.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The running variable.
    pub running: f64,
    /// The outcome.
    pub outcome: f64,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jump {
    /// Limit from above less that from below, by the local linear fits.
    pub estimate: f64,
    /// These limits, from below and from above.
    pub limits: [f64; 2],
    /// What the outcome rises by per unit of the running variable, by the same fits.
    pub slopes: [f64; 2],
    /// Its standard error, as if there were no bias.
    pub standard_error: f64,
    /// The estimate less its bias.
    pub corrected: f64,
    /// Its standard error, which allows for that of the bias.
    pub robust_error: f64,
    /// The bandwidth of the fits, in the unit of the running variable.
    pub bandwidth: f64,
    /// That of the fits that show the bias.
    pub bias_bandwidth: f64,
    /// Observations inside the bandwidth, below and from the cut on.
    pub inside: [usize; 2],
    /// Distinct values of the running variable among them.
    pub distinct: [usize; 2],
}

/// Why there is no estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoJump {
    /// A side, or what lies inside a bandwidth of it, has too few distinct values for its fit.
    TooFewValues,
    /// The bandwidth cannot be told: the outcome, or its bend, does not vary.
    NoVariation,
}

/// Estimates the jump at a cut; `observations` are in any order. Those at the cut are above it.
///
/// # Errors
/// Why there is none.
pub fn jump(observations: &[Observation], cut: f64) -> Result<Jump, NoJump> {
    let scale = spread(observations.iter().map(|o| o.running)).ok_or(NoJump::TooFewValues)?;
    let of_outcome = spread(observations.iter().map(|o| o.outcome)).ok_or(NoJump::NoVariation)?;
    let scaled = |o: &Observation| Observation { running: (o.running - cut) / scale, outcome: o.outcome / of_outcome };
    let mut all: Vec<Observation> = observations.iter().map(scaled).collect();
    all.sort_by(|a, b| a.running.total_cmp(&b.running));
    let split = all.partition_point(|o| o.running < 0.0);
    let (below, above) = all.split_at(split);
    let sides = [Side::new(below), Side::new(above)];
    let [h, b] = bandwidths(&all, &sides)?;
    let [low, high] = [sides[0].limit(h, b)?, sides[1].limit(h, b)?];
    let inside = |side: &Side<'_>| side.window(h).len();
    let distinct = |side: &Side<'_>| side.distinct_in(&side.window(h));
    let error = |a: f64, b: f64| of_outcome * (a + b).sqrt();
    Ok(Jump {
        estimate: of_outcome * (high.plain - low.plain),
        limits: [of_outcome * low.plain, of_outcome * high.plain],
        slopes: [of_outcome * low.slope / scale, of_outcome * high.slope / scale],
        standard_error: error(low.variance, high.variance),
        corrected: of_outcome * (high.corrected - low.corrected),
        robust_error: error(low.robust_variance, high.robust_variance),
        bandwidth: scale * h,
        bias_bandwidth: scale * b,
        inside: [inside(&sides[0]), inside(&sides[1])],
        distinct: [distinct(&sides[0]), distinct(&sides[1])],
    })
}

/// The standard deviation of a sample, if it is above zero.
fn spread(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let squares: f64 = values.map(|value| (value - mean).powi(2)).sum();
    let spread = (squares / (count - 1.0)).sqrt();
    (spread > 0.0 && spread.is_finite()).then_some(spread)
}

/// A quantile of ascending observations; between two, their mean.
fn quantile(sorted: &[Observation], share: f64) -> f64 {
    let place = sorted.len() as f64 * share;
    let at = place.floor() as usize;
    let value = |at: usize| sorted.get(at.min(sorted.len().saturating_sub(1))).map_or(0.0, |o| o.running);
    if place == place.floor() && at > 0 { (value(at - 1) + value(at)) / 2.0 } else { value(at) }
}

/// The bandwidth of the fits and that of their bias, for scaled observations.
fn bandwidths(all: &[Observation], sides: &[Side<'_>; 2]) -> Result<[f64; 2], NoJump> {
    let distinct: [usize; 2] = [0, 1].map(|side: usize| sides[side].distinct_in(&(0..sides[side].observations.len())));
    if distinct.iter().any(|count| *count <= ORDER) {
        return Err(NoJump::TooFewValues);
    }
    let reach = sides.each_ref().map(Side::reach);
    let most = reach[0].max(reach[1]);
    let least = least_bandwidth(sides, distinct);
    let within = |width: f64| width.min(most).max(least);
    let deviations = ((quantile(all, 0.75) - quantile(all, 0.25)) / QUARTILES).min(1.0);
    let reference = within(REFERENCE * deviations * ((distinct[0] + distinct[1]) as f64).powf(-0.2));

    let far = [0, 1].map(|side: usize| reach[side] * (1.0 + EQUAL));
    let widest = balance(sides, reference, far, BIAS_ORDER + 1, BIAS_ORDER + 1, false)?;
    let bias = balance(sides, reference, [within(widest); 2], BIAS_ORDER, ORDER + 1, true)?.min(most);
    let fit = balance(sides, reference, [bias; 2], ORDER, 0, true)?.min(most);
    Ok([fit, bias])
}

/// The least bandwidth where many values repeat: it holds some distinct ones on each side.
fn least_bandwidth(sides: &[Side<'_>; 2], distinct: [usize; 2]) -> f64 {
    let repeated = |side: usize| 1.0 - distinct[side] as f64 / sides[side].observations.len() as f64;
    if repeated(0) < MANY_REPEATED && repeated(1) < MANY_REPEATED {
        return 0.0;
    }
    sides.iter().map(Side::reach_of_distinct).fold(0.0, f64::max) * (1.0 + EQUAL)
}

/// The bandwidth at which the variance of a derivative, by fits of an order, balances the square of its bias.
fn balance(
    sides: &[Side<'_>; 2],
    reference: f64,
    of_bias: [f64; 2],
    order: usize,
    derivative: usize,
    is_regular: bool,
) -> Result<f64, NoJump> {
    let [low, high] =
        [sides[0].pilot(reference, of_bias[0], order, derivative)?, sides[1].pilot(reference, of_bias[1], order, derivative)?];
    let regular = if is_regular { low.uncertainty + high.uncertainty } else { 0.0 };
    let width = ((low.variance + high.variance) / ((high.bias - low.bias).powi(2) + regular)).powf(1.0 / (2 * order + 3) as f64);
    if width.is_finite() && width > 0.0 { Ok(width) } else { Err(NoJump::NoVariation) }
}

/// Constants of a bandwidth.
struct Pilot {
    variance: f64,
    bias: f64,
    /// The variance of the bias, times three.
    uncertainty: f64,
}

/// The limit of the outcome at the cut, from one side.
struct Limit {
    plain: f64,
    slope: f64,
    corrected: f64,
    variance: f64,
    robust_variance: f64,
}

/// The observations of a side, ascending.
struct Side<'a> {
    observations: &'a [Observation],
    /// Sums of the outcomes before each.
    sums: Vec<f64>,
    /// For each, the first and the one after the last of those with its value.
    ties: Vec<Range<usize>>,
}

impl<'a> Side<'a> {
    fn new(observations: &'a [Observation]) -> Side<'a> {
        let mut sums = vec![0.0];
        let mut sum = 0.0;
        sums.extend(observations.iter().map(|o| {
            sum += o.outcome;
            sum
        }));
        let mut ties = Vec::with_capacity(observations.len());
        for group in observations.chunk_by(|a, b| a.running == b.running) {
            let first = ties.len();
            ties.extend(std::iter::repeat_n(first..first + group.len(), group.len()));
        }
        Side { observations, sums, ties }
    }

    /// The distance of the farthest from the cut.
    fn reach(&self) -> f64 {
        self.observations.iter().fold(0.0, |reach, o| o.running.abs().max(reach))
    }

    /// The distance of the last of some distinct values that are nearest to the cut.
    fn reach_of_distinct(&self) -> f64 {
        let mut distances: Vec<f64> = self.observations.iter().map(|o| o.running.abs()).collect();
        distances.sort_by(f64::total_cmp);
        distances.dedup();
        distances.get(DISTINCT - 1).or(distances.last()).copied().unwrap_or(0.0)
    }

    /// Those with a weight.
    fn window(&self, width: f64) -> Range<usize> {
        let from = self.observations.partition_point(|o| o.running <= -width);
        let to = self.observations.partition_point(|o| o.running < width);
        from..to.max(from)
    }

    fn distinct_in(&self, window: &Range<usize>) -> usize {
        self.ties.get(window.clone()).unwrap_or_default().chunk_by(|a, b| a == b).count()
    }

    /// Calls `take` with each observation of a window, and its residual from its nearest neighbours there, as large as one of a fit.
    fn residuals(&self, window: &Range<usize>, mut take: impl FnMut(&Observation, f64)) {
        for at in window.clone() {
            let own = &self.observations[at];
            let mut near = self.ties[at].clone();
            let most = NEIGHBOURS.min(window.len().saturating_sub(1));
            while near.len() <= most {
                let left = (near.start > window.start).then(|| own.running - self.observations[near.start - 1].running);
                let right = (near.end < window.end).then(|| self.observations[near.end].running - own.running);
                let (to_left, to_right) = match (left, right) {
                    (Some(left), Some(right)) => {
                        let equal = left.max(right) * EQUAL;
                        (left - right <= equal, right - left <= equal)
                    }
                    (left, right) => (left.is_some(), right.is_some()),
                };
                if !to_left && !to_right {
                    break;
                }
                let (start, end) = (near.start, near.end);
                if to_left {
                    near.start = self.ties[start - 1].start.max(window.start);
                }
                if to_right {
                    near.end = self.ties[end].end.min(window.end);
                }
            }
            let others = (near.len() - 1) as f64;
            let mean = (self.sums[near.end] - self.sums[near.start] - own.outcome) / others;
            let residual = if others > 0.0 { (others / (others + 1.0)).sqrt() * (own.outcome - mean) } else { 0.0 };
            take(own, residual);
        }
    }

    /// Fits a polynomial in the running variable over a bandwidth.
    fn fit(&self, order: usize, width: f64) -> Result<Fit, NoJump> {
        let window = self.window(width);
        if self.distinct_in(&window) <= order {
            return Err(NoJump::TooFewValues);
        }
        let mut gram = [[0.0; COEFFICIENTS]; COEFFICIENTS];
        let mut with_outcome = [0.0; COEFFICIENTS];
        let mut with_next = [0.0; COEFFICIENTS];
        for o in &self.observations[window.clone()] {
            let (weight, powers) = (weight(o.running, width), powers(o.running / width));
            for row in 0..=order {
                for column in 0..=order {
                    gram[row][column] += weight * powers[row] * powers[column];
                }
                with_outcome[row] += weight * powers[row] * o.outcome;
                with_next[row] += weight * powers[row] * powers[1] * powers[order];
            }
        }
        let inverse = inverse(gram, order + 1).ok_or(NoJump::TooFewValues)?;
        Ok(Fit { width, window, coefficients: times(&inverse, &with_outcome), of_next: times(&inverse, &with_next), inverse })
    }

    /// The variance of a coefficient of a fit, in units of the bandwidth's power.
    fn variance(&self, fit: &Fit, coefficient: usize) -> f64 {
        let mut variance = 0.0;
        self.residuals(&fit.window, |o, residual| {
            let powers = powers(o.running / fit.width);
            let pull: f64 = fit.inverse[coefficient].iter().zip(powers).map(|(inverse, power)| inverse * power).sum();
            variance += (weight(o.running, fit.width) * pull * residual).powi(2);
        });
        variance
    }

    fn pilot(&self, reference: f64, of_bias: f64, order: usize, derivative: usize) -> Result<Pilot, NoJump> {
        let fit = self.fit(order, reference)?;
        // In the unit of the running variable, the derivative's coefficient has a power of the bandwidth less.
        let variance = self.variance(&fit, derivative) * reference * (2 * derivative + 1) as f64;
        let constant = fit.of_next[derivative];
        let next = order + 1;
        let bias = self.fit(next, of_bias)?;
        let unit = of_bias.powi(next as i32);
        let weight = (2 * (order + 1 - derivative)) as f64;
        Ok(Pilot {
            variance,
            bias: weight.sqrt() * constant * bias.coefficients[next] / unit,
            uncertainty: weight * 3.0 * constant * constant * self.variance(&bias, next) / (unit * unit),
        })
    }

    fn limit(&self, h: f64, b: f64) -> Result<Limit, NoJump> {
        let (fit, bias) = (self.fit(ORDER, h)?, self.fit(BIAS_ORDER, b)?);
        let next = ORDER + 1;
        let ratio = (h / b).powi(next as i32);
        // What an observation adds to the limit: by the fit, less the bias of the fit times what it adds to the bend.
        let pulls = |o: &Observation| {
            let own: f64 =
                fit.inverse[0].iter().zip(powers(o.running / h)).map(|(i, power)| i * power).sum::<f64>() * weight(o.running, h);
            let bend: f64 = bias.inverse[next].iter().zip(powers(o.running / b)).map(|(i, power)| i * power).sum::<f64>()
                * weight(o.running, b);
            (own, own - ratio * fit.of_next[0] * bend)
        };
        let window = self.window(h.max(b));
        let slope = fit.coefficients[ORDER] / h;
        let mut limit = Limit { plain: 0.0, slope, corrected: 0.0, variance: 0.0, robust_variance: 0.0 };
        self.residuals(&window, |o, residual| {
            let (own, corrected) = pulls(o);
            limit.plain += own * o.outcome;
            limit.corrected += corrected * o.outcome;
            limit.variance += (own * residual).powi(2);
            limit.robust_variance += (corrected * residual).powi(2);
        });
        Ok(limit)
    }
}

/// A weighted fit in powers of the distance from the cut as a share of the bandwidth.
struct Fit {
    width: f64,
    window: Range<usize>,
    inverse: Square,
    coefficients: Coefficients,
    /// The coefficients of the fit to the next power: what it is biased by.
    of_next: Coefficients,
}
