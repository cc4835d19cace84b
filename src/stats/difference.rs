//! A test of a difference, whichever way it is made, and what follows from it: p-value, intervals at any level, and the effect
//! that it would find.

use std::sync::Arc;

use super::distribution::{normal_quantile, t_quantile, t_two_sided};
use super::estimate::StudentEstimate;
use super::permutation::{Deviations, PermutationTest};

/// The share of effects of the size it names that a test finds.
const POWER: f64 = 0.8;

/// A test of treated less control.
#[derive(Debug, Clone)]
pub struct DifferenceTest {
    reference: Reference,
    /// What a unit of the reference's difference is worth, above 0.
    scale: f64,
    /// What is added to that.
    shift: f64,
    /// The difference.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// The p-value of the rarest draw, where draws are few.
    least_p: f64,
}

/// The distribution that a difference is held against.
#[derive(Debug, Clone)]
enum Reference {
    /// Student's, with these degrees of freedom.
    Student(f64),
    /// That of all draws.
    Permutation(Arc<PermutationTest>),
}

/// The least effects that a test at a level finds four times in five.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detectable {
    /// Of a gain, above 0.
    pub gain: f64,
    /// Of a loss, above 0.
    pub loss: f64,
}

impl DifferenceTest {
    /// Student's test with a standard error and its degrees of freedom.
    pub fn student(value: f64, se: f64, df: f64) -> DifferenceTest {
        DifferenceTest { reference: Reference::Student(df), scale: 1.0, shift: 0.0, value, se, least_p: 0.0 }
    }

    /// Student's test of an estimate.
    pub fn of(estimate: &StudentEstimate) -> DifferenceTest {
        DifferenceTest::student(estimate.value, estimate.se, estimate.df)
    }

    /// A permutation test, and the standard error of its difference.
    pub fn permutation(test: PermutationTest, se: f64) -> DifferenceTest {
        let value = test.difference();
        let reference = Reference::Permutation(Arc::new(test));
        DifferenceTest { reference, scale: 1.0, shift: 0.0, value, se, least_p: 0.0 }
    }

    /// The same test of units that can be drawn in these many ways, of which no two-sided p-value is below 2 in that number.
    pub fn of_draws(self, draws: f64) -> DifferenceTest {
        DifferenceTest { least_p: (2.0 / draws).min(1.0), ..self }
    }

    /// The same test of `scale` times the difference plus `shift`; 0 < `scale`.
    pub fn mapped(&self, scale: f64, shift: f64) -> DifferenceTest {
        DifferenceTest {
            scale: self.scale * scale,
            shift: self.shift * scale + shift,
            value: self.value * scale + shift,
            se: self.se * scale,
            ..self.clone()
        }
    }

    /// What a unit of the reference's difference is worth, and what is added to that.
    pub fn mapping(&self) -> (f64, f64) {
        (self.scale, self.shift)
    }

    /// The permutation test, if it is one.
    pub fn permutation_test(&self) -> Option<&PermutationTest> {
        match &self.reference {
            Reference::Permutation(test) => Some(test),
            Reference::Student(_) => None,
        }
    }

    /// The two-sided p-value of a true difference of 0.
    pub fn p(&self) -> f64 {
        match &self.reference {
            Reference::Student(df) => t_two_sided(self.value / self.se, *df),
            Reference::Permutation(test) => test.tails(-self.shift / self.scale).two_sided().max(self.least_p),
        }
    }

    /// The differences that a two-sided test at `alpha` does not reject, and 0 if it does not.
    pub fn interval(&self, alpha: f64) -> (f64, f64) {
        match &self.reference {
            Reference::Student(df) => {
                let half = t_quantile(1.0 - alpha / 2.0, *df) * self.se;
                (self.value - half, self.value + half)
            }
            Reference::Permutation(test) => {
                let (low, high) = test.interval(alpha);
                let (low, high) = (low * self.scale + self.shift, high * self.scale + self.shift);
                match self.least_p >= alpha {
                    true => (low.min(0.0), high.max(0.0)),
                    false => (low, high),
                }
            }
        }
    }

    /// The lifts that a two-sided test at `alpha` does not reject; `None` of a test by Student's t, whose lift is another estimate.
    pub fn lift_interval(&self, alpha: f64) -> Option<(Option<f64>, Option<f64>)> {
        let Reference::Permutation(test) = &self.reference else { return None };
        let (low, high) = test.lift_interval(alpha);
        Some(match self.least_p >= alpha {
            true => (low.map(|low| low.min(0.0)), high.map(|high| high.max(0.0))),
            false => (low, high),
        })
    }

    /// What would be found four times in five by a test whose interval is this one: its end must leave 0 out although the
    /// difference falls short of the effect as far as it does in one case of five.
    pub fn detectable(&self, (low, high): (f64, f64)) -> Detectable {
        Detectable { gain: self.found(1.0, self.value - low), loss: self.found(-1.0, high - self.value) }
    }

    /// The effect in a direction that is found, by a test whose interval ends at this distance from the difference. With that effect
    /// x the test's draws spread as its customers do, and the difference as it does then:
    /// x = distance·σ_customers(x)/σ_difference(distance) + z·SE·σ_difference(x)/σ_difference(0).
    fn found(&self, sign: f64, distance: f64) -> f64 {
        let short = normal_quantile(POWER) * self.se;
        let Reference::Permutation(test) = &self.reference else { return distance + short };
        let with = |effect: f64| test.difference() - sign * effect / self.scale;
        let of_customers = |effect: f64| test.sd(with(effect), Deviations::OfCustomers);
        let of_difference = |effect: f64| test.sd(with(effect), Deviations::OfDifference);
        let (at_end, at_none) = (of_difference(distance), of_difference(0.0));
        let mut effect = distance + short;
        for _ in 0..50 {
            let next = distance * of_customers(effect) / at_end + short * of_difference(effect) / at_none;
            if !next.is_finite() || (next - effect).abs() <= 1e-9 * short {
                break;
            }
            effect = next;
        }
        effect
    }
}
