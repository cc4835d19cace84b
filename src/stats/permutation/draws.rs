//! All draws that there could have been, and what they would have shown under an effect.

use statrs::function::gamma::ln_gamma;

use super::super::enumerated;
use super::super::saddlepoint::{DrawnSum, Stratum};
use super::arms::{Arms, Linear, MeasuredArms};
use super::collapse::collapse;
use super::exponent::exponent;
use super::tails::Tails;

/// The least and the greatest factor of the mean whose deviations are scaled.
const SCALE_RANGE: (f64, f64) = (0.05, 20.0);

/// How far the deviations of the treated are scaled where an effect is taken off them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deviations {
    /// As those of customers without it: by the factor of the mean, to an exponent.
    OfCustomers,
    /// So that draws spread as the difference does. Draws take both arms for one population, of variance (n_T·c²·s²_T +
    /// n_C·s²_C)/n, and the difference has s²_T/n_T + s²_C/n_C: they agree for c² = f + (1 − f)·s²_C/s²_T with f = n_C/n_T. Nothing
    /// is scaled in halves, and as those of customers are if few are held out.
    OfDifference,
    /// So that draws spread as the difference does whose treated mean is known to be a multiple of the control's: the treated's
    /// deviations are then scaled by the factor r of the mean itself, c² = f·r² + (1 − f)·s²_C/s²_T.
    OfLift,
}

/// What is compared, and how an effect changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// Means of money or counts, which an effect multiplies.
    Mean,
    /// Means of numbers that may be negative, to which an effect is added.
    Shifted,
    /// Ratios Σy/Σd, which an effect multiplies, and in part the deviations from them.
    Ratio,
}

/// The draws of all strata, and how an effect changes what is drawn.
#[derive(Debug, Clone)]
pub struct Draws {
    pub strata: Vec<MeasuredArms>,
    pub statistic: Statistic,
    /// The variance of the control arms' sum over that of independent draws of the cells.
    pub dispersion: f64,
    /// The treated arm's mean, or ratio, over strata.
    pub mean_treated: f64,
    /// The exponent of the mean that deviations are scaled with.
    exponent: f64,
}

/// The sum of the control arms' weighted means over all draws.
#[derive(Debug, Clone)]
pub struct ControlSum {
    pub all: DrawnSum,
    /// How far above its mean the drawn one lies.
    drawn: f64,
}

impl Draws {
    /// The draws of strata, and the difference that was observed: treated less control.
    pub fn new(strata: Vec<Arms>, statistic: Statistic, dispersion: f64) -> (Draws, f64) {
        let strata: Vec<MeasuredArms> = strata.into_iter().map(MeasuredArms::from).collect();
        let sum = |of: &dyn Fn(&MeasuredArms) -> f64| strata.iter().map(|stratum| stratum.arms.weight * of(stratum)).sum::<f64>();
        let (treated, control) = (sum(&|stratum| stratum.treated.y), sum(&|stratum| stratum.control.y));
        let (mean_treated, difference, exponent) = match statistic {
            Statistic::Mean | Statistic::Shifted => {
                let explained = sum(&|stratum| stratum.arms.theta * (stratum.treated.x - stratum.control.x));
                (treated, treated - control - explained, exponent(&strata, treated, control))
            }
            Statistic::Ratio => {
                let treated = treated / sum(&|stratum| stratum.treated.x);
                (treated, treated - control / sum(&|stratum| stratum.control.x), 1.0)
            }
        };
        (Draws { strata, statistic, dispersion, mean_treated, exponent }, difference)
    }

    /// What the treated and the control of a stratum count with if the effect were `delta`, in units of the weighted difference
    /// (in a ratio: of its numerator, less what the denominator is worth on average).
    fn without_effect(&self, delta: f64, deviations: Deviations) -> impl Fn(&MeasuredArms) -> [Linear; 2] {
        let is_scaled = self.statistic != Statistic::Shifted && self.mean_treated > 0.0;
        let factor = if is_scaled { 1.0 - delta / self.mean_treated } else { 1.0 };
        let of_customers = factor.clamp(SCALE_RANGE.0, SCALE_RANGE.1).powf(self.exponent);
        let scale_in = move |stratum: &MeasuredArms| match deviations {
            Deviations::OfCustomers => of_customers,
            Deviations::OfDifference | Deviations::OfLift => {
                let own = if deviations == Deviations::OfLift { factor } else { 1.0 };
                let size = stratum.control.n / stratum.treated.n;
                let squared = size * own * own + (1.0 - size) * of_customers * of_customers;
                squared.max(0.0).sqrt().clamp(SCALE_RANGE.0, SCALE_RANGE.1)
            }
        };
        // Of a ratio, the treated's numerators are scaled, and what that does not take off is taken off their denominators.
        let mean_treated = self.mean_treated;
        let of_ratio = move |stratum: &MeasuredArms| match is_scaled {
            true => (scale_in(stratum), (factor - scale_in(stratum)) * mean_treated),
            false => (1.0, -delta),
        };
        let common = match self.statistic {
            Statistic::Mean | Statistic::Shifted => 0.0,
            Statistic::Ratio => {
                let sums = self.strata.iter().fold((0.0, 0.0), |(y, d), stratum| {
                    let MeasuredArms { arms, treated, control } = stratum;
                    let (numerators, denominators) = of_ratio(stratum);
                    let weight = arms.weight / (treated.n + control.n);
                    let sum = treated.n * (numerators * treated.y + denominators * treated.x) + control.n * control.y;
                    (y + weight * sum, d + weight * (treated.n * treated.x + control.n * control.x))
                });
                sums.0 / sums.1
            }
        };
        let statistic = self.statistic;
        move |stratum| {
            let MeasuredArms { arms, treated, control } = stratum;
            let plain = |constant: f64, x: f64| Linear { constant, y: 1.0, x };
            let values = match statistic {
                Statistic::Ratio => {
                    let (numerators, denominators) = of_ratio(stratum);
                    [Linear { constant: 0.0, y: numerators, x: denominators - common }, plain(0.0, -common)]
                }
                _ if is_scaled => {
                    let scale = scale_in(stratum);
                    let of_treated = Linear { constant: (factor - scale) * treated.y, y: scale, x: -arms.theta };
                    [of_treated, plain(0.0, -arms.theta)]
                }
                _ => [plain(-delta, -arms.theta), plain(0.0, -arms.theta)],
            };
            // The control's sum decides over the difference, as both sums together are fixed.
            values.map(|value| value.times(arms.weight * (1.0 / treated.n + 1.0 / control.n)))
        }
    }

    /// The standard deviation of the control's sum if the effect were `delta`.
    pub fn sd(&self, delta: f64, deviations: Deviations) -> f64 {
        let values = self.without_effect(delta, deviations);
        let variance: f64 = self.strata.iter().map(|stratum| stratum.variance(values(stratum))).sum();
        (self.dispersion * variance).max(0.0).sqrt()
    }

    /// The control's sum if the effect were `delta`.
    pub fn under(&self, delta: f64, deviations: Deviations) -> ControlSum {
        let values = self.without_effect(delta, deviations);
        let (mut observed, mut variance, mut collapsed_variance) = (0.0, 0.0, 0.0);
        let strata = self.strata.iter().map(|stratum| {
            let (control, values) = (&stratum.control, values(stratum));
            let (mean, sd) = (stratum.mean(values), (stratum.spread(values) / stratum.n()).sqrt());
            let drawn = Stratum::new(collapse(stratum.cells(values), mean, sd).into_iter(), control.n);
            observed += control.n * (control.mean(values[1]) - mean);
            variance += stratum.variance(values);
            collapsed_variance += drawn.variance();
            drawn
        });
        let strata: Vec<Stratum> = strata.collect();
        let lost = if collapsed_variance > 0.0 { variance / collapsed_variance } else { 1.0 };
        ControlSum { all: DrawnSum::new(strata, self.dispersion * lost), drawn: observed }
    }

    /// How often the control arm is as low as it can be, if it is and there is no effect: no other customer has less than one of it,
    /// as where nobody of a small hold-out buys. Likewise as high. An approximation by continuous sums has no such draws; 0
    /// elsewhere.
    pub fn at_its_ends(&self) -> Tails {
        let values = self.without_effect(0.0, Deviations::OfDifference);
        let share_of = |sign: f64| {
            let of_stratum = |stratum: &MeasuredArms| {
                let values = values(stratum);
                let control = || stratum.arms.control.iter().map(|cell| (cell.count, sign * values[1].of(cell)));
                let treated = || stratum.arms.treated.iter().map(|cell| (cell.count, sign * values[0].of(cell)));
                let last = control().map(|(_, value)| value).fold(f64::NEG_INFINITY, f64::max);
                if treated().any(|(_, value)| value < last) {
                    return f64::NEG_INFINITY;
                }
                // Of customers like the last one, any could have been drawn in its place.
                let like = |cells: &mut dyn Iterator<Item = (f64, f64)>| -> f64 {
                    cells.filter(|(_, value)| *value == last).map(|(count, _)| count).sum()
                };
                let (drawn, others) = (like(&mut control()), like(&mut treated()));
                ln_ways(drawn, drawn + others) - ln_ways(stratum.control.n, stratum.n())
            };
            self.strata.iter().map(of_stratum).sum::<f64>().exp()
        };
        Tails { gain: share_of(1.0), loss: share_of(-1.0) }
    }

    /// How far the control arms' weighted mean moves per unit of the difference: in a ratio, the mean denominator.
    pub fn units(&self) -> f64 {
        match self.statistic {
            Statistic::Mean | Statistic::Shifted => 1.0,
            Statistic::Ratio => self.strata.iter().map(|stratum| stratum.arms.weight * stratum.treated.x).sum(),
        }
    }
}

/// The logarithm of the number of ways in which these many can be drawn of all.
fn ln_ways(drawn: f64, all: f64) -> f64 {
    ln_gamma(all + 1.0) - ln_gamma(drawn + 1.0) - ln_gamma(all - drawn + 1.0)
}

impl ControlSum {
    /// The tails of the drawn one. Where units may be few, all of their draws are looked at if they are no more than 20,000.
    pub fn tails(&self, has_few_units: bool) -> Tails {
        let ControlSum { all, drawn } = self;
        if all.sd() <= 0.0 {
            return Tails { gain: 1.0, loss: 1.0 };
        }
        if !has_few_units {
            let loss = all.upper_tail(*drawn);
            return Tails { gain: 1.0 - loss, loss };
        }
        // A sum with another variance is held against that of independent draws as many standard deviations away.
        let few = enumerated::shares(all.strata(), drawn / all.root(), all.sd());
        let bounded = || {
            let loss = all.clone().bounded().upper_tail(*drawn);
            (1.0 - loss, loss)
        };
        few.unwrap_or_else(bounded).into()
    }
}
