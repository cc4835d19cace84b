//! Redraws of a control arm, which show whether the saddlepoint approximation holds for these customers.

use rand::RngExt;
use rand_distr::StandardNormal;

use super::saddlepoint::{DrawnSum, Stratum};
use crate::domain::SplitMix;

/// Customers farthest from the mean who are redrawn one by one; the sum of all others is nearly normal.
const DRAWN_ONE_BY_ONE: usize = 500;

/// Redraws that are looked at: a share of 2.5 % of them has a standard error of 0.25 %.
const REDRAWS: u32 = 4_000;

/// The share of either tail of a two-sided test at 5 %.
const TAIL: f64 = 0.025;

/// Sums are precise to less than this part of their standard deviation.
const ROUNDING: f64 = 1e-9;

/// Redraws of control arms.
pub struct Redraws {
    sum: DrawnSum,
    /// Customers far from the mean: the stratum and the value of each.
    far: Vec<(usize, f64)>,
    /// By stratum, the customers near the mean: how many, the mean and the variance of their values.
    near: Vec<[f64; 3]>,
}

impl Redraws {
    /// Redraws in which every stratum has `factor` times as many controls.
    pub fn new(strata: &[Stratum], factor: f64) -> Redraws {
        let larger = |s: &Stratum| {
            Stratum::new(s.cells().collect::<Vec<_>>().into_iter(), (s.drawn() * factor).round().min(s.all() - 1.0))
        };
        let sum = DrawnSum::new(strata.iter().map(larger).collect(), 1.0);
        let mut by_distance: Vec<(usize, f64, f64)> = Vec::new();
        for (number, stratum) in strata.iter().enumerate() {
            by_distance.extend(stratum.cells().map(|(count, value)| (number, count, value)));
        }
        by_distance.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
        let (mut far, mut sums) = (Vec::new(), vec![[0.0; 3]; strata.len()]);
        for (number, count, value) in by_distance {
            let one_by_one = count.min((DRAWN_ONE_BY_ONE - far.len()) as f64);
            far.extend(std::iter::repeat_n((number, value), one_by_one as usize));
            let others = count - one_by_one;
            for (sum, power) in sums[number].iter_mut().zip(0..) {
                *sum += others * value.powi(power);
            }
        }
        let near = sums.into_iter().map(|[n, first, second]| {
            let mean = if n > 0.0 { first / n } else { 0.0 };
            [n, mean, if n > 1.0 { ((second - n * mean * mean) / (n - 1.0)).max(0.0) } else { 0.0 }]
        });
        Redraws { near: near.collect(), sum, far }
    }

    /// The shares of redraws below the lower and above the upper critical value, where 2.5 % each are right.
    pub fn tails(&self) -> (f64, f64) {
        // A sum that is critical but for rounding is as good as one: that of the farthest customers, where few are drawn.
        let (above, below) = self.sum.critical(TAIL);
        let (above, below) = (above - ROUNDING * self.sum.sd(), below - ROUNDING * self.sum.sd());
        let mut random = SplitMix::new(0);
        let (mut low, mut high) = (0.0, 0.0);
        for _ in 0..REDRAWS {
            let sum = self.redraw(&mut random);
            low += f64::from(u8::from(sum <= -below));
            high += f64::from(u8::from(sum >= above));
        }
        (low / f64::from(REDRAWS), high / f64::from(REDRAWS))
    }

    /// The sum of one redraw.
    fn redraw(&self, random: &mut SplitMix) -> f64 {
        // Per stratum: customers still to be drawn, and those to draw from.
        let mut left: Vec<(f64, f64)> = self.sum.strata().iter().map(|s| (s.drawn(), s.all())).collect();
        let mut sum = 0.0;
        for (number, value) in &self.far {
            let (to_draw, others) = &mut left[*number];
            if random.unit() * *others < *to_draw {
                sum += value;
                *to_draw -= 1.0;
            }
            *others -= 1.0;
        }
        for ((to_draw, _), [n, mean, variance]) in left.into_iter().zip(&self.near) {
            let spread = if *n > 0.0 { (to_draw * variance * (1.0 - to_draw / n)).max(0.0).sqrt() } else { 0.0 };
            sum += to_draw * mean + spread * random.sample::<f64, _>(StandardNormal);
        }
        sum
    }
}
