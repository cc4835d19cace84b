//! What is wrong with a rule table: rules that can never match, gaps, overlaps; and the grid it draws.
//!
//! Conditions only compare with constants, so a scheme is constant between them. One representative per stretch
//! between the constants of each measure (and null), times every cell of scores and levels, covers all customers there
//! can be; each is looked up once.

use std::collections::{BTreeMap, BTreeSet};

use super::{Scheme, floor_of, unit_scale};
use crate::domain::{Measure, Ratio, Unit, pow10};
use crate::error::{Error, Result};

/// Most representatives that are tried; a scheme with more is not checked for what can never match.
const MOST: usize = 4_000_000;

/// What a check found besides errors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Overlaps of a user's scheme over scores, as sentences.
    pub warnings: Vec<String>,
}

/// All cells of a scheme: scores (and levels, if it uses them).
fn cells(scheme: &Scheme) -> Vec<([u8; 3], [bool; 3])> {
    let uses = |axis: usize| {
        scheme
            .rules
            .iter()
            .any(|r| r.when.scores[axis].is_some() || r.when.cells.is_some() || (axis > 0 && r.when.f_plus_m.is_some()))
    };
    let scores = |axis: usize| if uses(axis) { 1..=scheme.bins.unwrap_or(1) as u8 } else { 1..=1 };
    let levels = |axis: usize| {
        let used = scheme.rules.iter().any(|r| r.when.levels[axis].is_some());
        if used { vec![true, false] } else { vec![true] }
    };
    let mut out = Vec::new();
    for r in scores(0) {
        for f in scores(1) {
            for m in scores(2) {
                for lr in levels(0) {
                    for lf in levels(1) {
                        for lm in levels(2) {
                            out.push(([r, f, m], [lr, lf, lm]));
                        }
                    }
                }
            }
        }
    }
    out
}

/// A value below, between, at and above the constants that rules compare the measure with; null first.
fn representatives(scheme: &Scheme, measure: Measure, scale: u32) -> Vec<Option<Ratio>> {
    let unit = measure.kind.unit();
    let fractional = matches!(unit, Unit::Ratio | Unit::Double);
    let scale = unit_scale(unit, scale);
    let mut points: BTreeSet<Ratio> = BTreeSet::new();
    let tests = scheme.rules.iter().flat_map(|r| r.when.measures.iter()).filter(|(m, _)| *m == measure);
    for (_, test) in tests {
        if fractional {
            points.extend(test.ends());
        } else if let (Some((low, high)), Some(unit)) = (test.integers(scale), pow10(scale)) {
            for integer in [i128::from(low), i128::from(high) + 1] {
                if integer > i128::from(i64::MIN) + 1 && integer <= i128::from(i64::MAX) {
                    points.insert(Ratio::new(integer, unit));
                }
            }
        }
    }
    if fractional {
        // Between and around the constants, too.
        let constants: Vec<Ratio> = points.iter().copied().collect();
        let beside = |r: Ratio, by: i128| Ratio::new(r.floor() + by, 1);
        for pair in constants.windows(2) {
            if let [a, b] = pair
                && let (Some(a), Some(b)) = (millionths(*a), millionths(*b))
            {
                points.insert(Ratio::new(a + b, 2_000_000));
            }
        }
        points.extend(constants.first().map(|r| beside(*r, -1)));
        points.extend(constants.last().map(|r| beside(*r, 2)));
    }
    let floor = floor_of(measure.kind);
    let lowest = floor.map(|f| Ratio::new(i128::from(f), 1));
    match lowest {
        Some(lowest) => {
            points.retain(|p| *p >= lowest);
            points.insert(lowest);
        }
        None => {
            let below = points.first().map_or(Ratio::new(0, 1), |p| Ratio::new(p.floor() - 1, 1));
            points.insert(below);
        }
    }
    std::iter::once(None).chain(points.into_iter().map(Some)).collect()
}

fn millionths(r: Ratio) -> Option<i128> {
    let printed = r.printed(0) * 1e6;
    printed.is_finite().then_some(printed as i128)
}

/// Checks a scheme for a job with these bins and money scale. `place` says where the scheme comes from.
///
/// # Errors
/// Exit 2: other bins than the scheme is written for, a rule that can never match, or cells without a state.
pub fn check(scheme: &Scheme, bins: u32, money_scale: u32, place: &str) -> Result<Report> {
    if let Some(own) = scheme.bins
        && own != bins
        && scheme.uses_scores()
    {
        return Err(Error::usage(format!(
            "{place}: the scheme {:?} is written for {own} scores, but the job has score.bins = {bins}; set score.bins = {own} or use another scheme",
            scheme.name
        )));
    }
    let measures = scheme.measures();
    let points: Vec<Vec<Option<Ratio>>> = measures.iter().map(|m| representatives(scheme, *m, money_scale)).collect();
    let cells = cells(scheme);
    let combinations = points.iter().try_fold(cells.len(), |n, p| n.checked_mul(p.len()));
    let complete = scheme.rules.last().is_some_and(|r| r.when.is_empty());
    if combinations.is_none_or(|n| n > MOST) {
        return if complete {
            Ok(Report::default())
        } else {
            Err(Error::usage(format!("{place}: the last rule of {:?} has a condition; add a last rule without one", scheme.name)))
        };
    }
    let mut matched = vec![false; scheme.rules.len()];
    let mut overlaps: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut gaps: Vec<String> = Vec::new();
    let mut gap_count = 0usize;
    let mut at = vec![0usize; points.len()];
    for (cell, high) in &cells {
        let candidates: Vec<usize> = (0..scheme.rules.len()).filter(|r| scheme.rules[*r].when.holds_in(*cell, *high)).collect();
        if let [first, rest @ ..] = candidates.as_slice() {
            for other in rest.iter().filter(|o| !scheme.rules[**o].when.is_empty()) {
                *overlaps.entry((*first, *other)).or_default() += 1;
            }
        }
        at.fill(0);
        loop {
            let holds = |rule: usize| {
                scheme.rules[rule].when.measures.iter().all(|(measure, test)| {
                    let index = measures.iter().position(|m| m == measure).unwrap_or(0);
                    test.passes(points[index][at[index]])
                })
            };
            match candidates.iter().copied().find(|r| holds(*r)) {
                Some(rule) => matched[rule] = true,
                None => {
                    gap_count += 1;
                    if gaps.len() < 5 {
                        let values =
                            measures.iter().zip(points.iter().zip(&at)).map(|(m, (p, i))| (*m, p.get(*i).copied().flatten()));
                        gaps.push(describe(scheme, *cell, *high, values));
                    }
                }
            }
            // The next combination of measures, like an odometer.
            let mut wheel = 0;
            while wheel < at.len() && at[wheel] + 1 == points[wheel].len() {
                at[wheel] = 0;
                wheel += 1;
            }
            match at.get_mut(wheel) {
                Some(wheel) => *wheel += 1,
                None => break,
            }
        }
    }
    // A job that moves one bound of a built-in may leave a neighbour empty: that is its own choice.
    let dead = matched.iter().position(|m| !m).filter(|_| !(scheme.builtin && scheme.changed));
    if let Some(dead) = dead {
        let state = scheme.states.get(scheme.rules[dead].state).map_or("", |s| s.name.as_str());
        return Err(Error::usage(format!(
            "{place}: rule {} of the scheme {:?} (state {state:?}) can never match, because earlier rules take every customer it could get; move it up, change it or remove it",
            dead + 1,
            scheme.name
        )));
    }
    if gap_count > 0 && !complete {
        gaps.dedup();
        return Err(Error::usage(format!(
            "{place}: the scheme {:?} leaves customers without a state, for example {}; add a last rule without conditions",
            scheme.name,
            gaps.join(", ")
        )));
    }
    let mut report = Report::default();
    if !scheme.builtin && measures.is_empty() {
        for ((first, second), cells) in overlaps {
            report.warnings.push(format!(
                "scheme {:?}: rules {} and {} both match {cells} cell{}; the first wins",
                scheme.name,
                first + 1,
                second + 1,
                if cells == 1 { "" } else { "s" }
            ));
        }
    }
    Ok(report)
}

/// A customer as a rule sees it.
fn describe(scheme: &Scheme, cell: [u8; 3], high: [bool; 3], values: impl Iterator<Item = (Measure, Option<Ratio>)>) -> String {
    let mut parts: Vec<String> = Vec::new();
    if scheme.uses_levels() {
        let level = |high: bool| if high { "high" } else { "low" };
        parts.push(format!("r_level {}, f_level {}, m_level {}", level(high[0]), level(high[1]), level(high[2])));
    } else if scheme.uses_scores() {
        parts.push(format!("{}-{}-{}", cell[0], cell[1], cell[2]));
    }
    parts.extend(values.map(|(measure, value)| match value {
        Some(value) => format!("{measure} {}", value.printed(0)),
        None => format!("{measure} null"),
    }));
    parts.join(" with ")
}

/// The grid of a scheme over scores as text: one row per recency score, one column per frequency score, and in each
/// field the states over all monetary scores. `None` if the scheme looks at anything but scores.
pub fn grid(scheme: &Scheme) -> Option<String> {
    if !scheme.measures().is_empty() || scheme.uses_levels() {
        return None;
    }
    if !scheme
        .rules
        .iter()
        .any(|r| r.when.scores.iter().any(Option::is_some) || r.when.cells.is_some() || r.when.f_plus_m.is_some())
    {
        return None;
    }
    let bins = scheme.bins? as u8;
    let mut rows: Vec<Vec<String>> =
        vec![std::iter::once("r \\ f".to_owned()).chain((1..=bins).map(|f| f.to_string())).collect()];
    for r in (1..=bins).rev() {
        let mut row = vec![r.to_string()];
        for f in 1..=bins {
            let mut states: Vec<&str> = Vec::new();
            for m in 1..=bins {
                for rule in scheme.rules.iter().filter(|rule| rule.when.holds_in([r, f, m], [true; 3])) {
                    let name = scheme.states.get(rule.state).map_or("", |s| s.name.as_str());
                    if !states.contains(&name) {
                        states.push(name);
                    }
                    if rule.when.measures.is_empty() {
                        break;
                    }
                }
            }
            row.push(states.join(" | "));
        }
        rows.push(row);
    }
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns).map(|c| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let fields: Vec<String> = row.iter().zip(&widths).map(|(field, width)| format!("{field:<width$}")).collect();
        fields.join("  ").trim_end().to_owned()
    };
    Some(rows.iter().map(line).collect::<Vec<_>>().join("\n"))
}
