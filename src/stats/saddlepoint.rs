//! Tails of a sum over customers who are drawn without replacement, by the double saddlepoint approximation.
//!
//! In every stratum `drawn` of its customers are drawn, all subsets alike. The sum of their values is that of independent draws,
//! each with the probability drawn/all, given how many are drawn. Independent draws have the cumulant generating function
//! K(a, b) = Σ ln(1 − p + p·exp(a + b·v)), with a for the number and b for the sum; those of strata add up, with an a for each
//! and one b. Skovgaard's formula makes the tail given the numbers of drawn customers. It has the shape of Lugannani and
//! Rice's.
//!
//! Skovgaard 1987, Saddlepoint expansions for conditional distributions, J. Appl. Prob. 24. Robinson 1982, Saddlepoint
//! approximations for permutation tests and confidence intervals, J. R. Stat. Soc. B 44. Butler 2007, Saddlepoint
//! approximations with applications, chapter 4.

use super::distribution::{normal_density, normal_sf};

/// Steps of Newton's method before the point so far is taken.
const STEPS: usize = 100;

/// The largest slope, in standard deviations of the sum: beyond it lies no further customer to be drawn.
const STEEPEST: f64 = 1e4;

/// The largest step of a tilt.
const FARTHEST: f64 = 2.0;

/// Closer to its mean than this, in standard deviations, the sum's tail is interpolated: there the formula is 0/0.
const CENTRE: f64 = 0.05;

/// Of more customers than this, no draw is the last one.
const FEW: f64 = 200.0;

/// In how many ways these many can be drawn of all; at most 10¹⁰⁰.
pub fn ways(drawn: f64, all: f64) -> f64 {
    let fewer = drawn.min(all - drawn);
    let factors = (1..=fewer as u64).map(|at| (all - fewer + at as f64) / at as f64);
    factors.fold(1.0, |ways: f64, factor| (ways * factor).min(1e100))
}

/// The customers of a stratum, of whom some are drawn.
#[derive(Debug, Clone)]
pub struct Stratum {
    /// Values, less their mean.
    values: Vec<f64>,
    /// How many customers have each.
    counts: Vec<f64>,
    drawn: f64,
    all: f64,
}

/// A stratum at a slope: the sums of what is drawn at the tilt that draws as many as are drawn.
struct Tilted {
    tilt: f64,
    /// Mean of the sum.
    mean: f64,
    /// Second derivatives of K: by a twice, by a and b, by b twice.
    hessian: [f64; 3],
}

/// Where a sum was looked at last, from which the next look starts.
struct Course {
    slope: f64,
    /// The tilt of each stratum, and its derivative by the slope.
    tilts: Vec<[f64; 2]>,
}

impl Stratum {
    /// `drawn` of all customers, of whom `cells` have (count, value).
    pub fn new(cells: impl Iterator<Item = (f64, f64)> + Clone, drawn: f64) -> Stratum {
        let all: f64 = cells.clone().map(|(count, _)| count).sum();
        let mean = cells.clone().map(|(count, value)| count * value).sum::<f64>() / all;
        let (counts, values) = cells.map(|(count, value)| (count, value - mean)).unzip();
        Stratum { values, counts, drawn, all }
    }

    /// Customers by count and value, which is less the mean of all.
    pub fn cells(&self) -> impl Iterator<Item = (f64, f64)> {
        self.counts.iter().copied().zip(self.values.iter().copied())
    }

    /// Customers drawn.
    pub fn drawn(&self) -> f64 {
        self.drawn
    }

    /// Customers, drawn or not.
    pub fn all(&self) -> f64 {
        self.all
    }

    fn share(&self) -> f64 {
        self.drawn / self.all
    }

    /// One over the probability that independent draws draw as many; of no matter, and infinite, where customers are many.
    fn rarity(&self) -> f64 {
        if self.all > FEW {
            return f64::INFINITY;
        }
        let (drawn, others) = (self.drawn, self.all - self.drawn);
        1.0 / (ways(drawn, self.all) * self.share().powf(drawn) * (1.0 - self.share()).powf(others))
    }

    /// The variance of the sum.
    pub fn variance(&self) -> f64 {
        let squares: f64 = self.cells().map(|(count, value)| count * value * value).sum();
        squares / (self.all - 1.0) * self.drawn * (1.0 - self.share())
    }

    /// ln(p/(1 − p)) of the probability to be drawn, if nothing is tilted.
    fn logit(&self) -> f64 {
        (self.share() / (1.0 - self.share())).ln()
    }

    /// The sums at slope `b` and its tilt, which is sought from `tilt` on.
    fn tilted(&self, b: f64, mut tilt: f64) -> Tilted {
        let logit = self.logit();
        let mut tilted = Tilted { tilt, mean: 0.0, hessian: [0.0; 3] };
        for _ in 0..STEPS {
            let (mut drawn, mut mean, mut hessian) = (0.0, 0.0, [0.0; 3]);
            for (count, value) in self.cells() {
                let p = 1.0 / (1.0 + (-(logit + tilt + b * value)).exp());
                let variance = count * p * (1.0 - p);
                drawn += count * p;
                mean += count * p * value;
                hessian[0] += variance;
                hessian[1] += variance * value;
                hessian[2] += variance * value * value;
            }
            // The number drawn ascends with the tilt, and steeply only near the root.
            let step = ((drawn - self.drawn) / hessian[0].max(f64::MIN_POSITIVE)).clamp(-FARTHEST, FARTHEST);
            tilt -= step;
            tilted = Tilted { tilt, mean: mean - step * hessian[1], hessian };
            if step.abs() < 1e-8 {
                break;
            }
        }
        tilted
    }

    /// K − a·drawn at slope `b` and tilt a.
    fn cumulant(&self, b: f64, tilt: f64) -> f64 {
        let (logit, log_rest) = (self.logit(), (1.0 - self.share()).ln());
        let of = |(count, value): (f64, f64)| {
            let exponent = logit + tilt + b * value;
            // ln(1 + exp(x)) without overflow.
            count * (exponent.max(0.0) + (-exponent.abs()).exp().ln_1p() + log_rest)
        };
        self.cells().map(of).sum::<f64>() - tilt * self.drawn
    }
}

/// A sum over the drawn customers of strata.
#[derive(Debug, Clone)]
pub struct DrawnSum {
    strata: Vec<Stratum>,
    /// The square root of the dispersion.
    root: f64,
    sd: f64,
    /// One over the probability that independent draws draw as many as are drawn; infinite where tails have no bound.
    rarity: f64,
}

/// The sum at a slope.
struct Point {
    /// Its mean.
    mean: f64,
    /// By how much that grows with the slope.
    curvature: f64,
    /// The logarithm of the determinant of the numbers drawn, over that without a slope.
    log_ratio: f64,
}

impl DrawnSum {
    /// The sum over the customers who are drawn in all strata. Its variance is `dispersion` times that of independent draws.
    ///
    /// The cumulant generating function is then K(dispersion·b)/dispersion: of c times as many customers drawn
    /// independently it is that with 1/c, and of the same draw in c strata alike that with c, both exactly.
    pub fn new(strata: Vec<Stratum>, dispersion: f64) -> DrawnSum {
        let variance: f64 = strata.iter().map(Stratum::variance).sum();
        let root = dispersion.max(0.0).sqrt();
        DrawnSum { strata, root, sd: root * variance.max(0.0).sqrt(), rarity: f64::INFINITY }
    }

    /// The same with tails that are within Chernoff's bound, which the approximation leaves at the ends of few draws.
    pub fn bounded(self) -> DrawnSum {
        DrawnSum { rarity: self.strata.iter().map(Stratum::rarity).product(), ..self }
    }

    /// Its strata.
    pub fn strata(&self) -> &[Stratum] {
        &self.strata
    }

    /// How many customers alike would make a sum of the same second and fourth moments in the smaller arm.
    pub fn effective_draws(&self) -> f64 {
        let (mut second, mut fourth) = (0.0, 0.0);
        for stratum in &self.strata {
            let share = stratum.share().min(1.0 - stratum.share());
            for (count, value) in stratum.cells() {
                second += share * count * value.powi(2);
                fourth += share * count * value.powi(4);
            }
        }
        if fourth > 0.0 { second * second / fourth } else { f64::INFINITY }
    }

    /// Its standard deviation.
    pub fn sd(&self) -> f64 {
        self.sd
    }

    /// The square root of its variance over that of independent draws.
    pub fn root(&self) -> f64 {
        self.root
    }

    /// Where the sum lies before the first look.
    fn course(&self) -> Course {
        Course { slope: 0.0, tilts: vec![[0.0; 2]; self.strata.len()] }
    }

    /// The sum at slope `b`.
    fn at(&self, b: f64, course: &mut Course) -> Point {
        let mut point = Point { mean: 0.0, curvature: 0.0, log_ratio: 0.0 };
        for (stratum, tilt) in self.strata.iter().zip(&mut course.tilts) {
            let ahead = ((b - course.slope) * tilt[1]).clamp(-FARTHEST, FARTHEST);
            let tilted = stratum.tilted(b, tilt[0] + ahead);
            let [aa, ab, bb] = tilted.hessian;
            *tilt = [tilted.tilt, -ab / aa.max(f64::MIN_POSITIVE)];
            point.mean += tilted.mean;
            point.curvature += bb - ab * ab / aa;
            point.log_ratio += (aa / (stratum.drawn * (1.0 - stratum.share()))).ln();
        }
        course.slope = b;
        point
    }

    /// The probability that the sum reaches its mean at the slope of the course.
    fn upper(&self, point: &Point, course: &Course) -> f64 {
        let b = course.slope;
        let cumulant: f64 = self.strata.iter().zip(&course.tilts).map(|(stratum, tilt)| stratum.cumulant(b, tilt[0])).sum();
        let w = (2.0 * (b * point.mean - cumulant)).max(0.0).sqrt().copysign(b) / self.root;
        let u = b * (point.curvature * point.log_ratio.exp()).sqrt() / self.root;
        let upper = (normal_sf(w) + normal_density(w) * (1.0 / u - 1.0 / w)).clamp(0.0, 1.0);
        let upper = if upper.is_nan() { 0.5 } else { upper };
        let most = self.rarity * (-w * w / 2.0).exp();
        if b > 0.0 { upper.min(most) } else { upper.max(1.0 - most) }
    }

    /// The probability that the sum is at least `x` above its mean. 0 < sd.
    pub fn upper_tail(&self, x: f64) -> f64 {
        let near = CENTRE * self.sd;
        if x.abs() >= near {
            return self.tail(x);
        }
        let (below, above) = (self.tail(-near), self.tail(near));
        below + (above - below) * (x + near) / (2.0 * near)
    }

    /// [`Self::upper_tail`] away from the mean: Newton's method for the slope at which the mean is `x`, between slopes that are
    /// known to be too small and too large.
    fn tail(&self, x: f64) -> f64 {
        let mut course = self.course();
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        let mut b = x * (self.root / self.sd).powi(2);
        let mut point = self.at(b, &mut course);
        for _ in 0..STEPS {
            let miss = point.mean - x;
            if miss.abs() < 1e-9 * self.sd || (b * self.sd).abs() > STEEPEST {
                break;
            }
            if miss > 0.0 {
                high = b;
            } else {
                low = b;
            }
            let reach = (2.0 * b.abs()).max(2.0 / self.sd);
            let next = b - (miss / point.curvature.max(f64::MIN_POSITIVE)).clamp(-reach, reach);
            b = if next > low && next < high { next } else { (low + high) / 2.0 };
            point = self.at(b, &mut course);
        }
        self.upper(&point, &course)
    }

    /// How far above its mean, and how far below, the sum lies with probability `q` each. 0 < sd, `q` < 0.4.
    pub fn critical(&self, q: f64) -> (f64, f64) {
        let side = |sign: f64| {
            let mut course = self.course();
            let mut tail = |b: f64| {
                let point = self.at(sign * b / self.sd, &mut course);
                let upper = self.upper(&point, &course);
                (if sign > 0.0 { upper } else { 1.0 - upper }, point.mean.abs())
            };
            let (mut inside, mut outside) = (CENTRE, 2.0 * CENTRE);
            while tail(outside).0 > q && outside < STEEPEST {
                (inside, outside) = (outside, 2.0 * outside);
            }
            for _ in 0..50 {
                let middle = (inside + outside) / 2.0;
                if tail(middle).0 > q {
                    inside = middle;
                } else {
                    outside = middle;
                }
            }
            tail(outside).1
        };
        (side(1.0), side(-1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P(sum ≥ x) over all subsets of `drawn` values.
    fn exact(values: &[f64], drawn: u32, x: f64) -> f64 {
        let subsets = (0u32..1 << values.len()).filter(|subset| subset.count_ones() == drawn);
        let (mut all, mut reached) = (0.0, 0.0);
        for subset in subsets {
            let sum: f64 = values.iter().enumerate().filter(|(at, _)| subset >> at & 1 == 1).map(|(_, value)| value).sum();
            all += 1.0;
            reached += f64::from(u8::from(sum >= x - 1e-9));
        }
        reached / all
    }

    fn sum_of(values: &[f64], drawn: f64) -> DrawnSum {
        DrawnSum::new(vec![Stratum::new(values.iter().map(|value| (1.0, *value)), drawn)], 1.0)
    }

    /// Against all 38,760 subsets of 6 of 20 customers, between the steps of the exact distribution.
    #[test]
    fn tails_are_those_of_all_subsets() {
        let values: Vec<f64> = (0..20).map(|i| f64::from(i * i * 37 % 101).powf(1.3)).collect();
        let sum = sum_of(&values, 6.0);
        let mean = values.iter().sum::<f64>() * 0.3;
        for deviations in [-2.4, -1.9, -1.0, -0.3, 0.0, 0.02, 0.4, 1.1, 1.8, 2.5] {
            let x = deviations * sum.sd();
            let (want, got) = (exact(&values, 6, mean + x), sum.upper_tail(x));
            let (want, got) = if deviations < 0.0 { (1.0 - want, 1.0 - got) } else { (want, got) };
            assert!((got / want - 1.0).abs() < 0.06, "{deviations} deviations: {got}, and {want} by all subsets");
        }
    }

    /// The distribution of one stratum is that of two whose customers are drawn apart, if these are alike in all.
    #[test]
    fn strata_add_up() {
        let values: Vec<f64> = (0..16).map(|i| f64::from(i * 7 % 16)).collect();
        let (first, second) = values.split_at(8);
        let stratum =
            |values: &[f64], drawn: f64| Stratum::new(values.iter().map(|v| (1.0, *v)).collect::<Vec<_>>().into_iter(), drawn);
        let sum = DrawnSum::new(vec![stratum(first, 3.0), stratum(second, 4.0)], 1.0);
        let mean = first.iter().sum::<f64>() * 3.0 / 8.0 + second.iter().sum::<f64>() / 2.0;
        for x in [-16.0f64, -8.0, 5.0, 11.0, 19.0] {
            // Every pair of subsets: the tail of the first, given the sum of the second.
            let mut want = 0.0;
            let subsets: Vec<u32> = (0..1 << 8).filter(|subset: &u32| subset.count_ones() == 4).collect();
            for subset in &subsets {
                let of_second: f64 = (0..8).filter(|at| subset >> at & 1 == 1).map(|at| second[at]).sum();
                want += exact(first, 3, mean + x - of_second) / subsets.len() as f64;
            }
            let got = sum.upper_tail(x);
            let (want, got) = if x < 0.0 { (1.0 - want, 1.0 - got) } else { (want, got) };
            assert!((got / want - 1.0).abs() < 0.09, "{x}: {got}, and {want} by all subsets");
        }
    }

    #[test]
    fn critical_values_have_their_tails() {
        let values: Vec<f64> = (0..300).map(|i| f64::from(i * 7919 % 1000).powi(3)).collect();
        let sum = sum_of(&values, 40.0);
        for q in [0.1, 0.025, 0.001] {
            let (above, below) = sum.critical(q);
            assert!((sum.upper_tail(above) / q - 1.0).abs() < 1e-6 && ((1.0 - sum.upper_tail(-below)) / q - 1.0).abs() < 1e-6);
            assert!(above > below, "values with a long tail upwards");
        }
    }

    /// The last of 184,756 draws of ten out of twenty, and sums close to it.
    #[test]
    fn the_ends_of_few_draws_are_rare() {
        let values: Vec<f64> = (0..20).map(|i| f64::from(i) + if i < 10 { -8.0 } else { 8.0 }).collect();
        let sum = sum_of(&values, 10.0).bounded();
        let mean = values.iter().sum::<f64>() / 2.0;
        let last: f64 = values[10..].iter().sum();
        for less in [0.0, 1.0, 3.0] {
            let (want, got) = (exact(&values, 10, last - less), sum.upper_tail(last - less - mean));
            assert!(got > 0.0 && got < 5.0 * want, "{less} less: {got}, and {want} by all subsets");
            let below = 1.0 - sum.upper_tail(-(last - less - mean));
            assert!(below > 0.0 && below < 5.0 * want, "{less} less: {below}, and {want} by all subsets");
        }
    }

    #[test]
    fn ways_are_binomial_coefficients() {
        for (drawn, all, want) in [(6.0, 12.0, 924.0), (1.0, 9.0, 9.0), (8.0, 9.0, 9.0), (10.0, 20.0, 184_756.0), (0.0, 4.0, 1.0)]
        {
            assert!((ways(drawn, all) / want - 1.0).abs() < 1e-12);
        }
        assert_eq!(ways(5_000.0, 10_000.0), 1e100);
    }

    /// Sums at the ends of what can be drawn have small tails, and none is no number.
    #[test]
    fn extremes_are_numbers() {
        let mut values = vec![0.0; 200];
        values[0] = 1e9;
        let sum = sum_of(&values, 20.0);
        // Drawn with probability 0.1: the sum is either 0 or 10⁹.
        for x in [-1e8, -1e3, 0.0, 1e3, 8.9e8, 9e8] {
            assert!((0.0..=1.0).contains(&sum.upper_tail(x)), "{x}");
        }
    }
}
