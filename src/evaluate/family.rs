//! Which p-values are adjusted together, and the intervals that go with them.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::arm_sums::{Group, Phase};
use super::compare::Compared;
use super::diagnostics::TOTAL;
use super::effect::{Adjusted, Effect};
use crate::domain::{EffectMethod as Method, Outcome, Period};
use crate::stats::{DifferenceTest, benjamini_hochberg};

/// The level of all verdicts.
pub(super) const LEVEL: f64 = 0.05;

/// A row's family.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Family<'a> {
    /// The headline rows of a period: the questions it is looked at for. Families of earlier periods stay as they were.
    Headline(Period),
    /// The rows of net money beside them.
    Money(Period),
    /// The states of a scheme in a comparison.
    States(usize, Phase, [&'a str; 2], &'a Outcome, &'a str, Method),
    /// A total row stands alone.
    Alone(usize),
}

/// A test of a family: its p-value, held against 5 % after it is multiplied by `looks`.
pub(super) struct FamilyTest<'a> {
    pub test: &'a DifferenceTest,
    pub p: f64,
    pub looks: f64,
}

/// Adjusts the tests of a family by Benjamini and Hochberg (1995), with the intervals of Benjamini and Yekutieli (2005, False
/// discovery rate-adjusted multiple confidence intervals): at level 1 − max(R, 1)·q/m where R of m tests reject, which leave
/// 0 out exactly where the test rejects.
pub(super) fn adjusted(tests: &[FamilyTest<'_>]) -> Vec<Adjusted> {
    let p: Vec<f64> = tests.iter().map(|test| (test.p * test.looks).min(1.0)).collect();
    let adjusted = benjamini_hochberg(&p);
    let rejected = adjusted.iter().filter(|p| **p < LEVEL).count();
    let level = rejected.max(1) as f64 * LEVEL / tests.len() as f64;
    let of = |(test, p): (&FamilyTest<'_>, &f64)| Adjusted {
        p: *p,
        family_size: tests.len() as i64,
        interval: test.test.interval(level / test.looks),
    };
    tests.par_iter().zip(&adjusted).map(of).collect()
}

/// Adjusts effects; they come with the number of their strategy's period in the job.
pub(super) fn adjust(effects: &mut [(usize, Effect<'_>)]) {
    let mut families: BTreeMap<Family<'_>, Vec<usize>> = BTreeMap::new();
    for (at, (period, effect)) in effects.iter().enumerate().filter(|(_, (_, effect))| effect.found.told().is_some()) {
        let group: Group<'_> = effect.group;
        let family = if effect.is_headline() {
            Family::Headline(effect.diagnostics.period.period)
        } else if effect.is_money() {
            Family::Money(effect.diagnostics.period.period)
        } else if group == TOTAL {
            Family::Alone(at)
        } else {
            Family::States(*period, effect.phase, [effect.arm, effect.against], effect.outcome, group.0, effect.method)
        };
        families.entry(family).or_default().push(at);
    }
    let families: Vec<Vec<usize>> = families.into_values().collect();
    let of_family = |members: &Vec<usize>| -> Vec<Adjusted> {
        let told: Vec<&Compared> = members.iter().filter_map(|at| effects[*at].1.found.told()).collect();
        // An interval at 95 % is there already.
        if let [own] = told[..] {
            return vec![Adjusted { p: own.p, family_size: 1, interval: own.interval }];
        }
        let tests: Vec<FamilyTest<'_>> =
            told.into_iter().map(|own| FamilyTest { test: &own.test, p: own.p, looks: 1.0 }).collect();
        adjusted(&tests)
    };
    let results: Vec<Vec<Adjusted>> = families.par_iter().map(of_family).collect();
    for (members, results) in families.iter().zip(results) {
        for (at, own) in members.iter().zip(results) {
            effects[*at].1.adjusted = Some(own);
        }
    }
}
