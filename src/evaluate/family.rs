//! Which p-values are adjusted together, and the intervals that go with them.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::arm_sums::Phase;
use super::compare::LEVEL;
use super::diagnostics::TOTAL;
use super::effect::{Adjusted, Effect};
use super::placebo::Placebo;
use crate::domain::{Design, EffectMethod as Method, Outcome, Period};
use crate::stats::{DifferenceTest, benjamini_hochberg};

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
    /// And so does an effect at a cut on which no verdict rests.
    AloneAtCut(usize),
}

/// A test of a family: its p-value, held against 5 % after it is multiplied by `looks`.
pub(super) struct FamilyTest {
    /// The test; both of them where two must reject, whose p-value is the larger.
    pub tests: Vec<DifferenceTest>,
    pub p: f64,
    pub looks: f64,
}

impl FamilyTest {
    /// A single test.
    pub fn one(test: &DifferenceTest, p: f64, looks: f64) -> FamilyTest {
        FamilyTest { tests: vec![test.clone()], p, looks }
    }

    /// Whether both ends of a matched bracket are above their placebos: each must reject (Berger 1982, Multiparameter hypothesis
    /// testing and acceptance sampling), on the side on which the differences lie; `None` if a placebo is not known.
    pub fn bracket(ends: [(f64, Option<&Placebo>); 2], looks: f64) -> Option<FamilyTest> {
        let [(level, of_level), (change, of_change)] = ends;
        let tests = [of_level?, of_change?].map(|placebo| DifferenceTest::of(&placebo.above));
        let sides = [level, change, tests[0].value, tests[1].value].map(|value| value > 0.0);
        let p = if sides.iter().all(|side| *side == sides[0]) { tests[0].p().max(tests[1].p()) } else { 1.0 };
        Some(FamilyTest { tests: tests.to_vec(), p, looks })
    }
}

/// Adjusts the tests of a family by Benjamini and Hochberg (1995), with the intervals of Benjamini and Yekutieli (2005, False
/// discovery rate-adjusted multiple confidence intervals): at level 1 − max(R, 1)·q/m where R of m tests reject, which leave
/// 0 out exactly where the test rejects. Of every member, one result per test.
pub(super) fn adjusted(tests: &[FamilyTest]) -> Vec<Vec<Adjusted>> {
    let p: Vec<f64> = tests.iter().map(|test| (test.p * test.looks).min(1.0)).collect();
    let adjusted = benjamini_hochberg(&p);
    let rejected = adjusted.iter().filter(|p| **p < LEVEL).count();
    let level = rejected.max(1) as f64 * LEVEL / tests.len() as f64;
    let of = |(member, p): (&FamilyTest, &f64)| {
        let level = level / member.looks;
        let of_test =
            |test: &DifferenceTest| Adjusted { p: *p, family_size: tests.len() as i64, interval: test.interval(level), level };
        member.tests.iter().map(of_test).collect()
    };
    tests.par_iter().zip(&adjusted).map(of).collect()
}

/// The family of an effect at a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CutFamily {
    /// A verdict rests on it.
    Headline,
    /// Words about money rest on it.
    Money,
    /// It stands alone.
    Alone,
}

/// The test of an effect at a cut.
#[derive(Debug, Clone)]
pub(super) struct CutTest {
    /// Its period.
    pub period: Period,
    pub family: CutFamily,
    pub test: DifferenceTest,
    pub p: f64,
    /// What the family makes of it.
    pub adjusted: Option<Adjusted>,
}

/// Adjusts effects, which come with the number of their strategy's period in the job, and those at cuts.
pub(super) fn adjust(effects: &mut [(usize, Effect<'_>)], mut cuts: Vec<&mut CutTest>) {
    let mut families: BTreeMap<Family<'_>, Vec<Member>> = BTreeMap::new();
    for (at, (period, effect)) in effects.iter().enumerate().filter(|(_, (_, effect))| effect.found.told().is_some()) {
        let is_matched = effect.diagnostics.strategy.design == Design::Matched;
        if is_matched && effect.is_headline() {
            let family = families.entry(Family::Headline(effect.diagnostics.period.period)).or_default();
            family.extend(bracket(effects, at));
        }
        let family = if is_matched {
            own_family(at, *period, effect)
        } else if effect.is_headline() {
            Family::Headline(effect.diagnostics.period.period)
        } else if effect.is_money() {
            Family::Money(effect.diagnostics.period.period)
        } else {
            own_family(at, *period, effect)
        };
        families.entry(family).or_default().push(Member::Row(at));
    }
    for (at, cut) in cuts.iter().enumerate() {
        let family = match cut.family {
            CutFamily::Headline => Family::Headline(cut.period),
            CutFamily::Money => Family::Money(cut.period),
            CutFamily::Alone => Family::AloneAtCut(at),
        };
        families.entry(family).or_default().push(Member::AtCut(at));
    }
    let families: Vec<Vec<Member>> = families.into_values().collect();
    let of_family = |members: &Vec<Member>| -> Vec<Vec<Adjusted>> {
        let told = |at: usize| effects[at].1.found.told();
        // An interval at 95 % is there already.
        if let [Member::Row(at)] = members[..]
            && let Some(own) = told(at)
        {
            return vec![vec![Adjusted { p: own.p, family_size: 1, interval: own.interval, level: LEVEL }]];
        }
        let test = |member: &Member| match member {
            Member::Row(at) => told(*at).map(|own| FamilyTest::one(&own.test, own.p, 1.0)),
            Member::AtCut(at) => cuts.get(*at).map(|cut| FamilyTest::one(&cut.test, cut.p, 1.0)),
            Member::Bracket(ends) => {
                let end = |at: usize| told(at).map(|own| (own.test.value, own.placebo.as_ref()));
                FamilyTest::bracket([end(ends[0])?, end(ends[1])?], 1.0)
            }
        };
        adjusted(&members.iter().filter_map(test).collect::<Vec<_>>())
    };
    let results: Vec<Vec<Vec<Adjusted>>> = families.par_iter().map(of_family).collect();
    for (members, results) in families.iter().zip(results) {
        for (member, own) in members.iter().zip(results) {
            match member {
                Member::Row(at) => effects[*at].1.adjusted = own.first().copied(),
                Member::AtCut(at) => cuts[*at].adjusted = own.first().copied(),
                Member::Bracket(ends) => {
                    ends.iter().zip(own).for_each(|(at, own)| effects[*at].1.above_adjusted = Some(own));
                }
            }
        }
    }
}

/// What a family is made of, by the positions of effects.
enum Member {
    /// A row's difference.
    Row(usize),
    /// An effect at a cut, by its position among these.
    AtCut(usize),
    /// Whether both ends of a matched bracket are above their placebos.
    Bracket([usize; 2]),
}

/// The family of a row that no verdict rests on.
fn own_family<'a>(at: usize, period: usize, effect: &Effect<'a>) -> Family<'a> {
    match effect.group {
        TOTAL => Family::Alone(at),
        (scheme, _) => Family::States(period, effect.phase, [effect.arm, effect.against], effect.outcome, scheme, effect.method),
    }
}

/// The bracket to which a matched headline belongs: level and change; `None` if an end or a placebo is missing.
fn bracket(effects: &[(usize, Effect<'_>)], at: usize) -> Option<Member> {
    let (period, headline) = &effects[at];
    let key = |e: &Effect<'_>| -> bool {
        (e.phase, e.arm, e.against, e.group, e.outcome)
            == (headline.phase, headline.arm, headline.against, headline.group, headline.outcome)
    };
    let find = |method: Method| {
        let has_placebo = |e: &Effect<'_>| e.found.told().is_some_and(|own| own.placebo.is_some());
        effects.iter().position(|(of, e)| of == period && e.method == method && key(e) && has_placebo(e))
    };
    Some(Member::Bracket([find(Method::Matched)?, find(Method::Did)?]))
}
