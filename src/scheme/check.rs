//! What is wrong with a rule table: rules that can never match, gaps, overlaps.
//!
//! Conditions only compare with constants, so a scheme is constant between them. One representative per interval between
//! the constants of each measure (and null), times every cell of scores and levels, covers all possible customers; each
//! is looked up once.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::Test;
use super::definition::{Rule, Scheme};
use super::units::{lowest_value, unit_scale};
use crate::domain::{Measure, Ratio, SchemeWarning, Unit, pow10};
use crate::error::{Error, Result};

/// At most this many representatives are tried; larger schemes are not checked for rules that can never match.
const MAX_COMBINATIONS: usize = 4_000_000;

/// Gaps that the error names.
const NAMED_GAPS: usize = 5;

/// Checks a scheme for a job with these bins and money scale. `place` says where the scheme comes from. Returns warnings
/// about a user's scheme: overlaps over scores, and a best state that takes everybody else.
///
/// # Errors
/// Exit 2: other bins than the scheme is written for, a rule that can never match, or cells without a state.
pub fn check(scheme: &Scheme, bins: u32, money_scale: u32, place: &str) -> Result<Vec<SchemeWarning>> {
    if let Some(expected) = scheme.bins
        && expected != bins
        && scheme.uses_scores()
    {
        return Err(Error::usage(format!(
            "{place}: the scheme {:?} is written for {expected} scores, but the job has score.bins = {bins}; set score.bins = {expected} or use another scheme",
            scheme.name
        )));
    }
    let grid = TestGrid::new(scheme, money_scale);
    let is_complete = scheme.rules.last().is_some_and(|rule| rule.when.is_empty());
    if grid.combinations().is_none_or(|n| n > MAX_COMBINATIONS) {
        return if is_complete {
            Ok(best_takes_rest(scheme).into_iter().collect())
        } else {
            Err(Error::usage(format!("{place}: the last rule of {:?} has a condition; add a last rule without one", scheme.name)))
        };
    }
    let coverage = grid.coverage(scheme);
    // A job that moves one bound of a built-in scheme may leave a neighbour empty on purpose.
    let dead = coverage.matched.iter().position(|matched| !matched).filter(|_| !(scheme.builtin && scheme.changed));
    if let Some(dead) = dead {
        let state = scheme.states.get(scheme.rules[dead].state).map_or("", |state| state.name.as_str());
        return Err(Error::usage(format!(
            "{place}: rule {} of the scheme {:?} (state {state:?}) can never match, because earlier rules take every customer it could get; move it up, change it or remove it",
            dead + 1,
            scheme.name
        )));
    }
    if !coverage.gaps.is_empty() && !is_complete {
        return Err(Error::usage(format!(
            "{place}: the scheme {:?} leaves customers without a state, for example {}; add a last rule without conditions",
            scheme.name,
            coverage.gaps.join(", ")
        )));
    }
    let has_warnings = !scheme.builtin && grid.measures.is_empty();
    let overlaps = coverage.overlaps.into_iter().filter(|_| has_warnings);
    let warning = |((first, second), cells): ((usize, usize), usize)| SchemeWarning::OverlappingRules {
        scheme: scheme.name.clone(),
        first: first + 1,
        second: second + 1,
        cells,
    };
    Ok(overlaps.map(warning).chain(best_takes_rest(scheme)).collect())
}

/// Whether the best state of a user's scheme takes everybody else, or customers because a measure of theirs is null: a good name
/// must be earned.
fn best_takes_rest(scheme: &Scheme) -> Option<SchemeWarning> {
    let best = *scheme.ladder.first().filter(|_| !scheme.builtin && scheme.ladder.len() > 1)?;
    let asks_for_null = |rule: &&Rule| rule.when.measures.iter().any(|(_, test)| *test == Test::IsNull);
    let mut rules = scheme.rules.iter().filter(|rule| rule.state == best);
    let rule = rules.find(|rule| rule.when.is_empty() || asks_for_null(rule))?;
    let state = scheme.states.get(best)?.name.clone();
    Some(SchemeWarning::BestTakesRest { scheme: scheme.name.clone(), state, nulls: !rule.when.is_empty() })
}

/// Scores and levels of a customer.
type ScoresAndLevels = ([u8; 3], [bool; 3]);

/// All customers to try: every cell times every combination of representatives.
struct TestGrid {
    cells: Vec<ScoresAndLevels>,
    measures: Vec<Measure>,
    /// Per measure its representatives.
    points: Vec<Vec<Option<Ratio>>>,
    /// Per rule and test: the measure, and which of its representatives pass.
    passes: Vec<Vec<(usize, Vec<bool>)>>,
}

/// What rules do with the customers of a grid.
struct Coverage {
    /// Per rule whether it is the first match of any customer.
    matched: Vec<bool>,
    /// Pairs of rules that hold in the same cell, with the number of cells.
    overlaps: BTreeMap<(usize, usize), usize>,
    /// Some customers whom no rule matches.
    gaps: Vec<String>,
}

impl TestGrid {
    fn new(scheme: &Scheme, money_scale: u32) -> TestGrid {
        let measures = scheme.measures();
        let points: Vec<Vec<Option<Ratio>>> = measures.iter().map(|m| representatives(scheme, *m, money_scale)).collect();
        let mut passes = Vec::with_capacity(scheme.rules.len());
        for rule in &scheme.rules {
            let mut of_rule = Vec::with_capacity(rule.when.measures.len());
            for (measure, test) in &rule.when.measures {
                let at = measures.iter().position(|m| m == measure).unwrap_or(0);
                of_rule.push((at, points[at].iter().map(|value| test.passes(*value)).collect()));
            }
            passes.push(of_rule);
        }
        TestGrid { cells: cells(scheme), measures, points, passes }
    }

    /// Number of customers to try; `None` if it overflows.
    fn combinations(&self) -> Option<usize> {
        self.points.iter().try_fold(self.cells.len(), |n, points| n.checked_mul(points.len()))
    }

    /// Tries all customers.
    fn coverage(&self, scheme: &Scheme) -> Coverage {
        let mut out = Coverage { matched: vec![false; scheme.rules.len()], overlaps: BTreeMap::new(), gaps: Vec::new() };
        let mut at = vec![0usize; self.points.len()];
        for (scores, high) in &self.cells {
            let holds_in_cell = |rule: &usize| scheme.rules[*rule].when.holds_in(*scores, *high);
            let candidates: Vec<usize> = (0..scheme.rules.len()).filter(holds_in_cell).collect();
            if let [first, rest @ ..] = candidates.as_slice() {
                for other in rest.iter().filter(|other| !scheme.rules[**other].when.is_empty()) {
                    *out.overlaps.entry((*first, *other)).or_default() += 1;
                }
            }
            at.fill(0);
            loop {
                let holds = |rule: &&usize| self.passes[**rule].iter().all(|(measure, passes)| passes[at[*measure]]);
                match candidates.iter().find(holds) {
                    Some(rule) => out.matched[*rule] = true,
                    None if out.gaps.len() < NAMED_GAPS => out.gaps.push(self.describe(scheme, (*scores, *high), &at)),
                    None => {}
                }
                if !self.advance(&mut at) {
                    break;
                }
            }
        }
        out.gaps.dedup();
        out
    }

    /// Goes on to the next combination of representatives; false after the last one.
    fn advance(&self, at: &mut [usize]) -> bool {
        for (index, points) in at.iter_mut().zip(&self.points) {
            *index += 1;
            if *index < points.len() {
                return true;
            }
            *index = 0;
        }
        false
    }

    /// A customer as a rule sees it.
    fn describe(&self, scheme: &Scheme, (scores, high): ScoresAndLevels, at: &[usize]) -> String {
        let mut parts: Vec<String> = Vec::new();
        if scheme.uses_levels() {
            let level = |high: bool| if high { "high" } else { "low" };
            parts.push(format!("r_level {}, f_level {}, m_level {}", level(high[0]), level(high[1]), level(high[2])));
        } else if scheme.uses_scores() {
            parts.push(format!("{}-{}-{}", scores[0], scores[1], scores[2]));
        }
        for ((measure, points), at) in self.measures.iter().zip(&self.points).zip(at) {
            parts.push(match points.get(*at).copied().flatten() {
                Some(value) => format!("{measure} {}", value.printed(0)),
                None => format!("{measure} null"),
            });
        }
        parts.join(" with ")
    }
}

/// All cells of a scheme: scores (and levels, if it uses them).
fn cells(scheme: &Scheme) -> Vec<ScoresAndLevels> {
    let scores = |axis: usize| {
        let uses_axis = scheme.rules.iter().any(|rule| {
            let when = &rule.when;
            when.scores[axis].is_some() || when.cells.is_some() || (axis > 0 && when.f_plus_m.is_some())
        });
        if uses_axis { 1..=scheme.bins.unwrap_or(1) as u8 } else { 1..=1 }
    };
    let levels = |axis: usize| {
        let uses_level = scheme.rules.iter().any(|rule| rule.when.levels[axis].is_some());
        if uses_level { vec![true, false] } else { vec![true] }
    };
    let mut out = Vec::new();
    for r in scores(0) {
        for f in scores(1) {
            for m in scores(2) {
                for r_level in levels(0) {
                    for f_level in levels(1) {
                        out.extend(levels(2).into_iter().map(|m_level| ([r, f, m], [r_level, f_level, m_level])));
                    }
                }
            }
        }
    }
    out
}

/// A value below, between, at and above the constants that rules compare the measure with; null first.
fn representatives(scheme: &Scheme, measure: Measure, money_scale: u32) -> Vec<Option<Ratio>> {
    let unit = measure.kind.unit();
    let scale = unit_scale(unit, money_scale);
    let tests = scheme.rules.iter().flat_map(|r| r.when.measures.iter()).filter(|(m, _)| *m == measure);
    let mut points: BTreeSet<Ratio> = BTreeSet::new();
    if matches!(unit, Unit::Ratio | Unit::Double) {
        points.extend(tests.flat_map(|(_, test)| test.ends()));
        add_points_between(&mut points);
    } else if let Some(unit) = pow10(scale) {
        for (low, high) in tests.filter_map(|(_, test)| test.integers(scale)) {
            for integer in [i128::from(low), i128::from(high) + 1] {
                if integer > i128::from(i64::MIN) + 1 && integer <= i128::from(i64::MAX) {
                    points.insert(Ratio::new(integer, unit));
                }
            }
        }
    }
    match lowest_value(measure.kind).map(|lowest| Ratio::new(i128::from(lowest), 1)) {
        Some(lowest) => {
            points.retain(|point| *point >= lowest);
            points.insert(lowest);
        }
        None => {
            let below = points.first().map_or(Ratio::new(0, 1), |point| Ratio::new(point.floor() - 1, 1));
            points.insert(below);
        }
    }
    std::iter::once(None).chain(points.into_iter().map(Some)).collect()
}

/// Adds values between and around constants that fractions are compared with.
fn add_points_between(points: &mut BTreeSet<Ratio>) {
    let constants: Vec<Ratio> = points.iter().copied().collect();
    for pair in constants.windows(2) {
        if let [a, b] = pair
            && let (Some(a), Some(b)) = (millionths(*a), millionths(*b))
        {
            points.insert(Ratio::new(a + b, 2_000_000));
        }
    }
    points.extend(constants.first().map(|first| Ratio::new(first.floor() - 1, 1)));
    points.extend(constants.last().map(|last| Ratio::new(last.floor() + 2, 1)));
}

fn millionths(ratio: Ratio) -> Option<i128> {
    let printed = ratio.printed(0) * 1e6;
    printed.is_finite().then_some(printed as i128)
}
