//! What would show that customers at the cut were not alike but for the treatment.

use super::period::CutPeriod;
use crate::evaluate::reason::NotEstimable;
use crate::evaluate::sentence::{PValue, Rounded};
use crate::stats::{Jump, Observation, density_jump, jump, normal_quantile, normal_sf};

/// Falsification tests fail below this p-value, adjusted by Holm.
const LEVEL: f64 = 0.05;

/// Distinct values of the measure inside the bandwidth, on each side, at least.
const LEAST_VALUES: usize = 20;

/// Customers from the cut on who were treated, at least, and those below it, at most.
const TREATED_BEYOND: f64 = 0.95;
const TREATED_BELOW: f64 = 0.05;

/// A p-value of a falsification test, and what Holm's method makes of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Falsified {
    pub p: f64,
    pub p_adjusted: f64,
}

/// The jump of an outcome before the programme began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placebo {
    pub value: f64,
    pub low: f64,
    pub high: f64,
    pub test: Falsified,
}

/// The falsification tests of an outcome. One is missing where nothing can be tested.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Falsification {
    /// Whether the density of customers jumps.
    pub density: Option<Falsified>,
    /// Whether the outcome jumps before the programme began.
    pub placebo: Option<Placebo>,
}

/// The p-value of the density test of a period, whose customers count by themselves.
pub fn density_p(period: &CutPeriod) -> Option<f64> {
    density_jump(&period.running_values, period.cut).map(|found| found.p_value)
}

impl Falsification {
    /// The tests of an outcome whose placebo has these values; `density` is the p-value of the density test.
    pub fn new(period: &CutPeriod, before: &[f64], density: Option<f64>) -> Falsification {
        let placebo = Some(before).filter(|_| period.knows_placebo).and_then(|before| placebo(period, before));
        let p = [density, placebo.map(|(_, p)| p)];
        let [density, of_placebo] = holm(p);
        let placebo = placebo.zip(of_placebo).map(|((found, _), test)| {
            let half = normal_quantile(0.975) * found.robust_error;
            Placebo { value: found.estimate, low: found.corrected - half, high: found.corrected + half, test }
        });
        Falsification { density, placebo }
    }

    /// What has failed.
    pub fn failure(&self, period: &CutPeriod, outcome: &crate::domain::Outcome) -> Option<NotEstimable> {
        let heaped = self.density.filter(|test| test.p_adjusted < LEVEL).map(|test| NotEstimable::HeapedAtCut {
            cut: period.cut_value(),
            running: period.running_name(),
            p: PValue(test.p_adjusted),
        });
        let jumps = || {
            self.placebo.filter(|placebo| placebo.test.p_adjusted < LEVEL).map(|placebo| NotEstimable::JumpsBefore {
                outcome: outcome.clone(),
                by: Rounded::short(placebo.value),
                from: period.placebo.start,
                to: period.placebo.last_day(),
                p: PValue(placebo.test.p_adjusted),
            })
        };
        heaped.or_else(jumps)
    }
}

/// The jump of the placebo and its p-value; none where it says nothing because the measure determines it.
fn placebo(period: &CutPeriod, before: &[f64]) -> Option<(Jump, f64)> {
    let found = jump(&observations(&period.running_values, before), period.cut).ok()?;
    // What follows from the measure alone has no variance but that of rounding.
    let least = 1e-9 * found.limits.iter().fold(0.0, |most: f64, limit| most.max(limit.abs()));
    (found.robust_error > least).then(|| (found, two_sided(found.corrected / found.robust_error)))
}

/// Values of the measure with those of an outcome.
pub fn observations(running: &[f64], outcome: &[f64]) -> Vec<Observation> {
    running.iter().zip(outcome).map(|(running, outcome)| Observation { running: *running, outcome: *outcome }).collect()
}

/// The two-sided p-value of a standard normal deviate.
pub fn two_sided(deviate: f64) -> f64 {
    (2.0 * normal_sf(deviate.abs())).min(1.0)
}

/// Two tests by Holm's method, of which one may be missing.
fn holm(p: [Option<f64>; 2]) -> [Option<Falsified>; 2] {
    let (least, most) = match p {
        [Some(one), Some(other)] => (2.0 * one.min(other), one.max(other)),
        [Some(only), None] | [None, Some(only)] => (only, only),
        [None, None] => return [None, None],
    };
    let smaller = p.into_iter().flatten().fold(1.0, f64::min);
    let mut is_first = true;
    p.map(|p| {
        let p = p?;
        let leads = p <= smaller && std::mem::take(&mut is_first);
        let p_adjusted = if leads { least } else { most.max(least) };
        Some(Falsified { p, p_adjusted: p_adjusted.min(1.0) })
    })
}

/// The shares of customers below the cut and from it on, inside a bandwidth, whom the table of who was treated has.
pub fn treated_shares(period: &CutPeriod, bandwidth: f64) -> Option<[f64; 2]> {
    let treated = period.treated.as_ref()?;
    let (mut customers, mut found) = ([0.0; 2], [0.0; 2]);
    for (running, is_treated) in period.running_values.iter().zip(treated) {
        let distance = running - period.cut;
        if distance.abs() < bandwidth {
            let side = usize::from(distance >= 0.0);
            customers[side] += 1.0;
            found[side] += f64::from(u8::from(*is_treated));
        }
    }
    Some([0, 1].map(|side: usize| found[side] / f64::max(customers[side], 1.0)))
}

/// What of the customers inside the bandwidth forbids an estimate.
pub fn obstacle_inside(period: &CutPeriod, found: &Jump, treated: Option<[f64; 2]>) -> Option<NotEstimable> {
    let [below, beyond] = found.distinct;
    if below.min(beyond) < LEAST_VALUES {
        return Some(NotEstimable::FewValues {
            running: period.running_name(),
            below: below as i64,
            beyond: beyond as i64,
            bandwidth: Rounded::short(found.bandwidth),
            cut: period.cut_value(),
        });
    }
    let [below, beyond] = treated.filter(|[below, beyond]| *beyond < TREATED_BEYOND || *below > TREATED_BELOW)?;
    let percent = |share: f64| Rounded::new(100.0 * share, 1);
    Some(NotEstimable::BlurredCut {
        beyond: percent(beyond),
        below: percent(below),
        cut: period.cut_value(),
        running: period.running_name(),
    })
}
