//! The effects of a period: one per outcome, and that on net money where it is known.

use rayon::prelude::*;

use super::checks::{Falsification, density_p, observations, obstacle_inside, treated_shares, two_sided};
use super::period::{CutOutcome, CutPeriod};
use crate::domain::Outcome;
use crate::evaluate::family::{CutFamily, CutTest};
use crate::evaluate::reason::NotEstimable;
use crate::stats::{DifferenceTest, Jump, MoneyInterval, NoJump, jump};

/// The effect on an outcome at the cut.
pub struct CutEffect<'a> {
    pub period: &'a CutPeriod,
    pub outcome: &'a Outcome,
    /// The outcome as it was measured; of net money, the one that it follows from.
    pub measured: &'a CutOutcome,
    /// What the fits say; none where they cannot be made.
    pub found: Option<Jump>,
    /// Shares of customers inside the bandwidth who were treated, where a table says so.
    pub treated: Option<[f64; 2]>,
    pub falsification: Falsification,
    /// Why it must not be told.
    pub obstacle: Option<NotEstimable>,
    /// The effect and the plain interval, if it may be told.
    pub effect: Option<MoneyInterval>,
    /// Its test, likewise.
    pub test: Option<CutTest>,
}

/// Net money, which has no measurement of its own.
pub const NET: &Outcome = &Outcome::Net;

impl CutEffect<'_> {
    /// Whether a verdict rests on it.
    pub fn is_headline(&self) -> bool {
        *self.outcome == self.period.primary
    }

    /// Whether words about money rest on it.
    pub fn is_money(&self) -> bool {
        *self.outcome == *NET
    }
}

/// The effects of all periods.
pub fn effects(periods: &[CutPeriod]) -> Vec<CutEffect<'_>> {
    let densities: Vec<Option<f64>> = periods.par_iter().map(density_p).collect();
    let all = periods
        .iter()
        .zip(densities)
        .flat_map(|(period, density)| period.outcomes.iter().map(move |outcome| (period, density, outcome)));
    let all: Vec<(&CutPeriod, Option<f64>, &CutOutcome)> = all.collect();
    let estimated: Vec<CutEffect<'_>> =
        all.into_par_iter().map(|(period, density, outcome)| measured_effect(period, density, outcome)).collect();
    let mut effects = Vec::with_capacity(estimated.len());
    for effect in estimated {
        let net = net_effect(&effect);
        effects.push(effect);
        effects.extend(net);
    }
    effects
}

fn measured_effect<'a>(period: &'a CutPeriod, density: Option<f64>, measured: &'a CutOutcome) -> CutEffect<'a> {
    let outcome = &measured.outcome;
    let unfinished = (period.outcomes_until > period.known_until)
        .then_some(NotEstimable::Unfinished { until: period.outcomes_until, known: period.known_until });
    let found = match unfinished {
        Some(reason) => Err(reason),
        None => jump(&observations(&period.running_values, &measured.values), period.cut).map_err(|why| no_jump(period, why)),
    };
    let found_obstacle = found.as_ref().err().cloned();
    let found = found.ok();
    let treated = found.as_ref().and_then(|found| treated_shares(period, found.bandwidth));
    let falsification = match found {
        Some(_) => Falsification::new(period, &measured.before, density),
        None => Falsification::default(),
    };
    let obstacle = found_obstacle
        .or_else(|| found.as_ref().and_then(|found| obstacle_inside(period, found, treated)))
        .or_else(|| falsification.failure(period, outcome))
        .or_else(|| found.as_ref().filter(|found| found.robust_error <= 0.0).map(|_| no_jump(period, NoJump::NoVariation)));
    let told = found.filter(|_| obstacle.is_none());
    let family = if *outcome == period.primary { CutFamily::Headline } else { CutFamily::Alone };
    let test = told.map(|found| test_of(period, family, found.corrected, found.robust_error));
    CutEffect {
        period,
        outcome,
        measured,
        found,
        treated,
        falsification,
        obstacle,
        effect: told.zip(test.as_ref()).map(|(found, test)| interval(found.estimate, &test.test)),
        test,
    }
}

/// The effect on net money, if the effect is that on the outcome from which it follows.
fn net_effect<'a>(base: &CutEffect<'a>) -> Option<CutEffect<'a>> {
    let (outcome, rate) = base.period.net_base.as_ref()?;
    let cost = base.period.cost_per_customer.filter(|_| outcome == base.outcome)?;
    let of_money = |value: f64| rate * value - cost;
    let told = base.found.filter(|_| base.obstacle.is_none());
    let test = told.map(|found| test_of(base.period, CutFamily::Money, of_money(found.corrected), rate * found.robust_error));
    Some(CutEffect {
        outcome: NET,
        obstacle: base.obstacle.clone(),
        effect: told.zip(test.as_ref()).map(|(found, test)| interval(of_money(found.estimate), &test.test)),
        test,
        ..*base
    })
}

/// The test of an effect less its bias.
fn test_of(period: &CutPeriod, family: CutFamily, corrected: f64, error: f64) -> CutTest {
    let p = two_sided(corrected / error);
    CutTest { period: period.period, family, test: DifferenceTest::student(corrected, error, f64::INFINITY), p, adjusted: None }
}

/// An estimate with its 95 % interval.
fn interval(value: f64, test: &DifferenceTest) -> MoneyInterval {
    let (low, high) = test.interval(0.05);
    MoneyInterval { value, low, high }
}

fn no_jump(period: &CutPeriod, why: NoJump) -> NotEstimable {
    let (cut, running) = (period.cut_value(), period.running_name());
    match why {
        NoJump::TooFewValues => NotEstimable::NobodyAtCut { cut, running },
        NoJump::NoVariation => NotEstimable::FlatAtCut { cut, running },
    }
}
