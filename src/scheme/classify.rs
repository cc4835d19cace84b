//! From a scheme to a classifier: a lookup table over scores and levels, with the rules that are still in question.

use std::ops::Range;

use super::compiled_test::CompiledTest;
use super::condition::Test;
use super::definition::{Rule, Scheme};
use crate::domain::{Basis, Measure, Unit};
use crate::error::{Error, Result};
use crate::measure::{Column, NULL_INT, NULL_LONG};
use crate::score::extend_by_bin;

/// A scheme as a lookup table over cells, with the tests of measures that remain. A cell is three scores and three levels.
#[derive(Debug, Clone)]
pub struct Classifier {
    /// Scores go up to this; 0 if no rule looks at scores, so that there is one cell per level.
    bins: usize,
    /// By [`Classifier::cell`].
    cells: Vec<Cell>,
    /// The state of every cell, if no rule looks at a measure.
    cell_states: Option<Vec<u16>>,
    rules: Vec<CompiledRule>,
    /// The scheme as intervals of one measure, if it looks at nothing else.
    intervals: Option<MeasureIntervals>,
    /// Rules that can give a state to a customer without an order.
    without_orders: Vec<u32>,
    /// The state of customers whom no rule matches.
    none: u16,
}

/// What decides over the state in a cell.
#[derive(Debug, Clone)]
enum Cell {
    /// The state is known.
    State(u16),
    /// The first of these rules whose tests pass.
    Rules(Vec<u32>),
}

/// A rule over measures.
#[derive(Debug, Clone)]
struct CompiledRule {
    state: u16,
    /// All must pass.
    tests: Vec<CompiledTest>,
}

impl CompiledRule {
    #[inline]
    fn passes(&self, columns: &[Column], row: usize) -> bool {
        self.tests.iter().all(|test| test.passes(columns, row))
    }
}

impl Classifier {
    /// Compiles a scheme for panels whose columns are `measures`, of these units.
    ///
    /// # Errors
    /// Exit 1 if the panel lacks a measure that the scheme looks at; exit 2 if a bound is too large.
    pub fn new(scheme: &Scheme, measures: &[Measure], unit: impl Fn(Measure) -> Unit, money_scale: u32) -> Result<Classifier> {
        let uses_scores = scheme.uses_scores();
        let (unscored, none) = (scheme.states.len() as u16, scheme.states.len() as u16 + 1);
        let rules = compile_rules(scheme, measures, unit, money_scale)?;
        let bins = if uses_scores { scheme.bins.unwrap_or(1) as usize } else { 0 };
        let mut cells = Vec::with_capacity((bins + 1).pow(3) * 8);
        for index in 0..(bins + 1).pow(3) * 8 {
            let (scores, level) = (index / 8, index % 8);
            let [r, f, m] = [scores / ((bins + 1) * (bins + 1)), scores / (bins + 1) % (bins + 1), scores % (bins + 1)];
            cells.push(match [r as u8, f as u8, m as u8] {
                [0, 0, 0] if uses_scores => Cell::State(unscored),
                scores => Cell::new(scheme, &rules, scores.map(|score| score.max(1)), level, none),
            });
        }
        let cell_state = |cell: &Cell| match cell {
            Cell::State(state) => Some(*state),
            Cell::Rules(_) => None,
        };
        Ok(Classifier {
            bins,
            cell_states: cells.iter().map(cell_state).collect(),
            cells,
            intervals: (!uses_scores).then(|| MeasureIntervals::new(&rules, none)).flatten(),
            without_orders: without_orders(scheme),
            rules,
            none,
        })
    }

    /// The states of some rows, as indices into [`Scheme::all_states`]: appended to `out`.
    ///
    /// `scores` are those of all rows per axis (0 is unscored), `levels` a bit per high level of every row, see
    /// [`crate::score::Axis::level_bit`]; they may be empty where the scheme does not look at them.
    pub fn states(&self, rows: Range<usize>, scores: &[Vec<u8>; 3], levels: &[u8], columns: &[Column], out: &mut Vec<u16>) {
        if let Some(intervals) = &self.intervals {
            return match &columns[intervals.column] {
                Column::Int(values) => intervals.extend(out, &values[rows], NULL_INT),
                Column::Long(values) => intervals.extend(out, &values[rows], NULL_LONG),
                // Intervals are of integers.
                Column::Ratio(_) | Column::Double(_) => {}
            };
        }
        let [r, f, m] = scores;
        let level = |row: usize| levels.get(row).copied().unwrap_or(0);
        match &self.cell_states {
            Some(states) if self.bins > 0 => {
                let scores = r[rows.clone()].iter().zip(&f[rows.clone()]).zip(&m[rows.clone()]);
                match levels.get(rows) {
                    Some(levels) => {
                        out.extend(scores.zip(levels).map(|(((r, f), m), level)| states[self.cell([*r, *f, *m], *level)]));
                    }
                    None => out.extend(scores.map(|((r, f), m)| states[self.cell([*r, *f, *m], 0)])),
                }
            }
            _ => {
                let score = |of_axis: &[u8], row: usize| of_axis.get(row).copied().unwrap_or(0);
                out.extend(rows.map(|row| {
                    let cell = self.cell([score(r, row), score(f, row), score(m, row)], level(row));
                    self.state_in(&self.cells[cell], columns, row)
                }));
            }
        }
    }

    /// The index of the cell of three scores, of which 0 is none, and of level bits.
    #[inline]
    fn cell(&self, scores: [u8; 3], levels: u8) -> usize {
        let scores = scores.iter().fold(0, |all, score| all * (self.bins + 1) + usize::from(*score).min(self.bins));
        scores * 8 + usize::from(levels & 7)
    }

    /// The state of the customer in a row.
    #[inline]
    fn state_in(&self, cell: &Cell, columns: &[Column], row: usize) -> u16 {
        match cell {
            Cell::State(state) => *state,
            Cell::Rules(rules) => self.first_match(rules, columns, row),
        }
    }

    /// The state of the first of some rules that passes.
    #[inline]
    fn first_match(&self, rules: &[u32], columns: &[Column], row: usize) -> u16 {
        let mut rules = rules.iter().map(|rule| &self.rules[*rule as usize]);
        rules.find(|rule| rule.passes(columns, row)).map_or(self.none, |rule| rule.state)
    }

    /// The state of a customer of the customers table who has not ordered yet.
    ///
    /// Such a customer has only nulls where a rule looks at orders, and a rule without conditions means all other customers
    /// who order. So there is a state only by a rule with conditions in a scheme that asks for null somewhere, or by any rule of a
    /// scheme that does not look at orders at all.
    pub fn state_without_orders(&self, columns: &[Column], row: usize) -> u16 {
        self.first_match(&self.without_orders, columns, row)
    }

    /// Whether states depend on scores, and with them on cut points.
    pub fn uses_scores(&self) -> bool {
        self.bins > 0
    }
}

impl Cell {
    /// The cell of some scores and level bits.
    fn new(scheme: &Scheme, rules: &[CompiledRule], scores: [u8; 3], level: usize, none: u16) -> Cell {
        let high = [level & 4 != 0, level & 2 != 0, level & 1 != 0];
        let mut candidates = Vec::new();
        for (number, rule) in scheme.rules.iter().enumerate().filter(|(_, rule)| rule.when.holds_in(scores, high)) {
            candidates.push(number as u32);
            if rule.when.measures.is_empty() {
                break;
            }
        }
        match candidates.first().map(|first| &rules[*first as usize]) {
            None => Cell::State(none),
            Some(rule) if rule.tests.is_empty() => Cell::State(rule.state),
            Some(_) => Cell::Rules(candidates),
        }
    }
}

/// The rules of a scheme over columns that hold `measures`.
fn compile_rules(
    scheme: &Scheme,
    measures: &[Measure],
    unit: impl Fn(Measure) -> Unit,
    money_scale: u32,
) -> Result<Vec<CompiledRule>> {
    let mut rules = Vec::with_capacity(scheme.rules.len());
    for rule in &scheme.rules {
        let mut tests = Vec::with_capacity(rule.when.measures.len());
        for (measure, test) in &rule.when.measures {
            let column = measures
                .iter()
                .position(|m| m == measure)
                .ok_or_else(|| Error::bug(format!("the panel lacks the measure {measure}")))?;
            let unit = unit(*measure);
            let compiled = CompiledTest::new(test, column, unit, money_scale);
            if matches!(compiled, CompiledTest::Exact { .. }) && !matches!(unit, Unit::Ratio) {
                return Err(Error::usage(format!("a bound of {measure} in the scheme {:?} is too large", scheme.name)));
            }
            tests.push(compiled);
        }
        rules.push(CompiledRule { state: rule.state as u16, tests });
    }
    Ok(rules)
}

/// A scheme over one integer measure: between two thresholds the state is the same.
#[derive(Debug, Clone)]
struct MeasureIntervals {
    column: usize,
    /// Ascending; a value's interval is the number of them at or below it.
    thresholds: Vec<i64>,
    states: Vec<u16>,
    /// The state of customers who have no value.
    null: u16,
}

impl MeasureIntervals {
    /// The intervals of rules that all test one integer column.
    fn new(rules: &[CompiledRule], none: u16) -> Option<MeasureIntervals> {
        let mut only_column = None;
        let mut ranges: Vec<(u16, Vec<(i64, i64)>)> = Vec::with_capacity(rules.len());
        for rule in rules {
            let mut of_rule = Vec::with_capacity(rule.tests.len());
            for test in &rule.tests {
                let CompiledTest::Integers { column, low, high } = *test else { return None };
                if *only_column.get_or_insert(column) != column {
                    return None;
                }
                of_rule.push((low, high));
            }
            ranges.push((rule.state, of_rule));
        }
        let ends = ranges.iter().flat_map(|(_, ranges)| ranges).flat_map(|(low, high)| [Some(*low), high.checked_add(1)]);
        let mut thresholds: Vec<i64> = ends.flatten().filter(|threshold| *threshold > i64::MIN).collect();
        thresholds.sort_unstable();
        thresholds.dedup();
        let state = |value: Option<i64>| {
            let holds = |ranges: &[(i64, i64)]| {
                ranges.iter().all(|(low, high)| value.is_some_and(|value| *low <= value && value <= *high))
            };
            ranges.iter().find(|(_, ranges)| holds(ranges)).map_or(none, |(state, _)| *state)
        };
        let states = std::iter::once(i64::MIN).chain(thresholds.iter().copied()).map(|first| state(Some(first))).collect();
        Some(MeasureIntervals { column: only_column?, states, null: state(None), thresholds })
    }

    /// Appends the states of values.
    fn extend<T: Copy + PartialOrd + TryFrom<i64> + Into<i64>>(&self, out: &mut Vec<u16>, values: &[T], null: T) {
        // Every value reaches a threshold below the least value of the type, and none reaches one above its greatest.
        let least = null.into() + 1;
        let thresholds: Vec<T> = self.thresholds.iter().filter_map(|t| T::try_from((*t).max(least)).ok()).collect();
        let first = out.len();
        extend_by_bin(out, values, &thresholds, &self.states);
        for (state, _) in out[first..].iter_mut().zip(values).filter(|(_, value)| **value == null) {
            *state = self.null;
        }
    }
}

/// Numbers of the rules that can give a state to a customer without an order, in match order.
fn without_orders(scheme: &Scheme) -> Vec<u32> {
    let mut tests = scheme.rules.iter().flat_map(|r| &r.when.measures);
    let asks_for_null = tests.clone().any(|(_, test)| *test == Test::IsNull);
    let looks_at_orders =
        scheme.uses_scores() || tests.any(|(m, _)| matches!(m.kind.basis(), Basis::Orders(..) | Basis::Categories));
    if looks_at_orders && !asks_for_null {
        return Vec::new();
    }
    let can_match = |rule: &Rule| !(rule.when.uses_scores() || looks_at_orders && rule.when.is_empty());
    scheme.rules.iter().zip(0..).filter(|(rule, _)| can_match(rule)).map(|(_, number)| number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Catalogue, MeasureKind};
    use crate::job::SchemeUse;
    use crate::job::parse::Source;

    /// Intervals are a shortcut: they must give the states that the rules give.
    #[test]
    fn intervals_equal_the_rules() -> Result<()> {
        for name in ["recency_windows", "simple_lifecycle", "purchase_stage"] {
            let used = SchemeUse {
                column: "lifecycle".into(),
                scheme: name.into(),
                rules: toml::Table::new(),
                overrides: toml::Table::new(),
            };
            let scheme = crate::scheme::load(&used, &Catalogue::default(), &Source::default())?;
            let measures = scheme.measures();
            let classifier = Classifier::new(&scheme, &measures, |m| m.kind.unit(), 2)?;
            assert_eq!(classifier.intervals.is_some(), name == "recency_windows", "{name}");
            let values: Vec<i32> = (0..1000).chain([NULL_INT, i32::MAX]).collect();
            let column = |kind: MeasureKind| match kind.unit() {
                Unit::Days => Column::Int(values.clone()),
                _ => Column::Long(values.iter().map(|v| i64::from(*v)).collect()),
            };
            let columns: Vec<Column> = measures.iter().map(|m| column(m.kind)).collect();
            let states = |classifier: &Classifier| {
                let mut states = Vec::new();
                classifier.states(0..values.len(), &Default::default(), &[], &columns, &mut states);
                states
            };
            let by_rules = Classifier { intervals: None, ..classifier.clone() };
            assert_eq!(states(&classifier), states(&by_rules), "{name}");
        }
        Ok(())
    }
}
