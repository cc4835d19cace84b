//! Whether a density jumps at a cut, as it does where people choose on which side they are: the test of Cattaneo, Jansson and Ma
//! (Journal of the American Statistical Association 115, 2020), with the settings of their package `rddensity`.
//!
//! The distribution function is fitted on each side by local polynomials, whose slopes at the cut are the densities. Bandwidths are the
//! median of three that balance variance and bias; the test itself uses fits of a higher order, so that the bias that is left does
//! not decide.

use std::ops::Range;

use super::distribution::normal_sf;
use super::local_fit::{COEFFICIENTS, Coefficients, Square, inverse, powers, times, weight};

/// Order of the fits for which the bandwidths are best.
const ORDER: usize = 2;

/// Order of the fits of the test.
const TEST_ORDER: usize = 3;

/// Values that a bandwidth holds on each side, at least, besides its order and one.
const LEAST: usize = 20;

/// Constants of the pilot bandwidths with a normal density, for triangular weights and this order (the paper's appendix).
const OF_BEND: f64 = 3_430_865.455_123_618;
const OF_DENSITY: f64 = 548.571_428_571_554_6;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DensityJump {
    /// Densities right below and from the cut on, by the fits of the test.
    pub densities: [f64; 2],
    /// The difference in standard errors.
    pub statistic: f64,
    /// Two-sided.
    pub p_value: f64,
    /// Bandwidths below and above.
    pub bandwidths: [f64; 2],
}

/// Tests values in any order; those at the cut are above it. None if a side has too few of them, or they do not vary.
pub fn density_jump(values: &[f64], cut: f64) -> Option<DensityJump> {
    let mut sorted: Vec<f64> = values.iter().map(|value| value - cut).collect();
    sorted.sort_by(f64::total_cmp);
    let sample = Sample::new(&sorted)?;
    let bandwidths = sample.bandwidths()?;
    let fits = sample.fit(TEST_ORDER, bandwidths)?;
    let [below, above] = fits.slopes;
    let variance = fits.variances[0] + fits.variances[1] - 2.0 * fits.covariance;
    let statistic = (above - below) / variance.sqrt();
    statistic.is_finite().then(|| DensityJump {
        densities: [below, above],
        statistic,
        p_value: (2.0 * normal_sf(statistic.abs())).min(1.0),
        bandwidths,
    })
}

/// Ascending distances from the cut.
struct Sample<'a> {
    values: &'a [f64],
    /// Where those from the cut on begin.
    split: usize,
    /// The share of the others at or below each.
    shares: Vec<f64>,
    /// For each, the first that equals it.
    firsts: Vec<usize>,
}

/// The fits of both sides.
struct Fits {
    /// Coefficients of the distribution function, by power of the distance.
    coefficients: [Coefficients; 2],
    slopes: [f64; 2],
    variances: [f64; 2],
    covariance: f64,
}

impl<'a> Sample<'a> {
    fn new(values: &'a [f64]) -> Option<Sample<'a>> {
        let others = values.len().checked_sub(1).filter(|others| *others > 0)? as f64;
        let split = values.partition_point(|value| *value < 0.0);
        let (mut shares, mut firsts) = (Vec::with_capacity(values.len()), Vec::with_capacity(values.len()));
        for group in values.chunk_by(|a, b| a == b) {
            let first = shares.len();
            let share = (first + group.len() - 1) as f64 / others;
            shares.extend(std::iter::repeat_n(share, group.len()));
            firsts.extend(std::iter::repeat_n(first, group.len()));
        }
        (split > 0 && split < values.len()).then_some(Sample { values, split, shares, firsts })
    }

    /// Distances of the values of a side from the cut, ascending, each as often as it is there, and each once.
    fn distances(&self, side: usize) -> [Vec<f64>; 2] {
        let all: Vec<f64> = match side {
            0 => self.values[..self.split].iter().rev().map(|value| -value).collect(),
            _ => self.values[self.split..].to_vec(),
        };
        let mut once = all.clone();
        once.dedup();
        [all, once]
    }

    /// The bandwidths below and above the cut that the paper combines.
    fn bandwidths(&self) -> Option<[f64; 2]> {
        let count = self.values.len() as f64;
        let mean = self.values.iter().sum::<f64>() / count;
        let spread = (self.values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
        if spread <= 0.0 || !spread.is_finite() {
            return None;
        }
        let distances = [self.distances(0), self.distances(1)];
        let reach = distances.each_ref().map(|[all, _]| all.last().copied().unwrap_or(0.0));
        let least = |side: usize, values: usize| {
            distances[side].iter().map(|d| d.get(values - 1).or(d.last()).copied().unwrap_or(0.0)).fold(0.0, f64::max)
        };
        let of_both = |values: usize| least(0, values).max(least(1, values));
        let most = reach[0].max(reach[1]);
        let z = mean / spread;
        let normal = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let order = ORDER as f64;
        // Derivatives of the normal density are polynomials of Hermite times it.
        let bend = z.powi(4) - 6.0 * z * z + 3.0;
        let wide =
            ((2.0 * order + 1.0) / 4.0 * OF_BEND / (bend * bend * normal) / count).powf(1.0 / (2.0 * order + 5.0)) * spread;
        let slope = z * z - 1.0;
        let narrow = (OF_DENSITY / (slope * slope * normal) / (2.0 * order) / count).powf(1.0 / (2.0 * order + 1.0)) * spread;
        let wide = wide.min(most).max(of_both(LEAST + ORDER + 3));
        let narrow = narrow.min(most).max(of_both(LEAST + ORDER + 1));

        let bends = self.fit(ORDER + 2, [wide; 2])?.coefficients.map(|of| of[ORDER + 1] * bias_constant());
        let fits = self.fit(ORDER, [narrow; 2])?;
        let [below, above] = fits.variances;
        let best = |variance: f64, bias: f64, most: f64, least: f64| {
            let width = (narrow * variance / (bias * bias) / (2.0 * order)).powf(1.0 / (2.0 * order + 1.0));
            if width.is_finite() { width.min(most).max(least) } else { least }
        };
        let values = LEAST + ORDER + 1;
        let of_difference = best(below + above - 2.0 * fits.covariance, bends[1] - bends[0], most, of_both(values));
        let of_sum = best(below + above + 2.0 * fits.covariance, bends[1] + bends[0], most, of_both(values));
        Some([0, 1].map(|side: usize| {
            let mut three = [best(fits.variances[side], bends[side], reach[side], least(side, values)), of_difference, of_sum];
            three.sort_by(f64::total_cmp);
            three[1]
        }))
    }

    /// Fits the distribution function on both sides, each over its bandwidth.
    fn fit(&self, order: usize, bandwidths: [f64; 2]) -> Option<Fits> {
        let window = [
            self.values.partition_point(|value| *value < -bandwidths[0])..self.split,
            self.split..self.values.partition_point(|value| *value <= bandwidths[1]),
        ];
        let [(low, low_pull), (high, high_pull)] =
            [self.fit_side(order, bandwidths[0], &window[0])?, self.fit_side(order, bandwidths[1], &window[1])?];
        // By the jackknife: what a value adds to a slope, it adds through the shares of all others at or above it.
        let others = (self.values.len() - 1) as f64;
        let pull = |at: usize, side: usize| {
            let (window, pulls) = [(&window[0], &low_pull), (&window[1], &high_pull)][side];
            at.checked_sub(window.start).and_then(|at| pulls.get(at)).copied().unwrap_or(0.0)
        };
        let (mut sums, mut tied) = ([0.0; 2], 0.0);
        let (mut variances, mut covariance) = ([0.0; 2], 0.0);
        for at in (window[0].start..window[1].end).rev() {
            sums = [sums[0] + pull(at, 0), sums[1] + pull(at, 1)];
            tied += 1.0;
            if self.firsts[at].max(window[0].start) == at {
                let [below, above] = [0, 1].map(|side| (sums[side] - pull(at, side)) / others);
                variances = [variances[0] + tied * below * below, variances[1] + tied * above * above];
                covariance += tied * below * above;
                tied = 0.0;
            }
        }
        Some(Fits { coefficients: [low, high], slopes: [low[1], high[1]], variances, covariance })
    }

    /// The coefficients of a side, and what each value of its window pulls at the slope.
    fn fit_side(&self, order: usize, width: f64, window: &Range<usize>) -> Option<(Coefficients, Vec<f64>)> {
        let mut gram: Square = [[0.0; COEFFICIENTS]; COEFFICIENTS];
        let mut with_share = [0.0; COEFFICIENTS];
        for at in window.clone() {
            let (weight, powers) = (weight(self.values[at], width), powers(self.values[at] / width));
            for row in 0..=order {
                for column in 0..=order {
                    gram[row][column] += weight * powers[row] * powers[column];
                }
                with_share[row] += weight * powers[row] * self.shares[at];
            }
        }
        let inverse = inverse(gram, order + 1)?;
        let scaled = times(&inverse, &with_share);
        let coefficients = std::array::from_fn(|power| scaled[power] / width.powi(power as i32));
        let pull = |at: usize| {
            let own: f64 = inverse[1].iter().zip(powers(self.values[at] / width)).map(|(i, power)| i * power).sum();
            own * weight(self.values[at], width) / width
        };
        Some((coefficients, window.clone().map(pull).collect()))
    }
}

/// What the next power adds to the slope of a fit at a boundary, for triangular weights.
fn bias_constant() -> f64 {
    let moment = |power: usize| 1.0 / (power + 1) as f64 - 1.0 / (power + 2) as f64;
    let gram = std::array::from_fn(|row| std::array::from_fn(|column| moment(row + column)));
    let next = std::array::from_fn(|row| if row <= ORDER { moment(row + ORDER + 1) } else { 0.0 });
    inverse(gram, ORDER + 1).map_or(0.0, |inverse| times(&inverse, &next)[1])
}
