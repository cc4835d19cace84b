//! From a scheme to a classifier: per cell the list of rules that are still in question.

use super::{Scheme, Test, unit_scale};
use crate::domain::{Decimal, Measure, MeasureSource, Unit};
use crate::error::{Error, Result};
use crate::measure::{Column, NULL_INT};

/// A customer to classify.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// r, f and m score; `None` if unscored.
    pub scores: Option<[u8; 3]>,
    /// Whether the r, f and m level is high.
    pub high: [bool; 3],
}

#[derive(Debug, Clone, Copy)]
enum CompiledTest {
    Null(usize),
    Integers { column: usize, low: i64, high: i64 },
    Ratio { column: usize, test: Test },
    Doubles { column: usize, low: f64, high: f64 },
}

/// A scheme as a lookup table over cells, with the tests of measures that remain.
#[derive(Debug, Clone)]
pub struct Classifier {
    bins: usize,
    uses_scores: bool,
    unscored: usize,
    none: usize,
    /// The state of every cell, if no rule looks at a measure; by [`Classifier::index`].
    of_scores: Option<Vec<u16>>,
    /// Rules in question per cell, in match order.
    cells: Vec<Vec<u32>>,
    /// State and tests per rule.
    rules: Vec<(usize, Vec<CompiledTest>)>,
    /// The scheme as intervals of one measure, if it looks at nothing else.
    intervals: Option<MeasureIntervals>,
    /// Rules that can give a state to who has no order.
    without_orders: Vec<u32>,
}

/// A scheme over one integer measure: between two thresholds the state is the same.
#[derive(Debug, Clone)]
struct MeasureIntervals {
    column: usize,
    /// Ascending; a value's stretch is the number of them at or below it.
    thresholds: Vec<i64>,
    states: Vec<u16>,
    /// The state of who has no value.
    null: u16,
}

impl MeasureIntervals {
    /// The intervals of rules that all test one integer column.
    fn new(rules: &[(usize, Vec<CompiledTest>)], none: usize) -> Option<MeasureIntervals> {
        let mut columns = rules.iter().flat_map(|(_, tests)| tests).map(|test| match test {
            CompiledTest::Integers { column, .. } => Some(*column),
            CompiledTest::Null(_) | CompiledTest::Ratio { .. } | CompiledTest::Doubles { .. } => None,
        });
        let column = columns.next()??;
        if !columns.all(|c| c == Some(column)) {
            return None;
        }
        let ranges = |tests: &[CompiledTest]| {
            let ends = tests.iter().filter_map(|test| match test {
                CompiledTest::Integers { low, high, .. } => Some((*low, *high)),
                _ => None,
            });
            ends.collect::<Vec<_>>()
        };
        let mut thresholds: Vec<i64> = rules
            .iter()
            .flat_map(|(_, tests)| ranges(tests))
            .flat_map(|(low, high)| [Some(low), high.checked_add(1)])
            .flatten()
            .filter(|t| *t > i64::MIN)
            .collect();
        thresholds.sort_unstable();
        thresholds.dedup();
        let state = |value: Option<i64>| {
            let holds =
                |tests: &[CompiledTest]| ranges(tests).iter().all(|(low, high)| value.is_some_and(|v| *low <= v && v <= *high));
            rules.iter().find(|(_, tests)| holds(tests)).map_or(none, |(state, _)| *state) as u16
        };
        let states = std::iter::once(i64::MIN).chain(thresholds.iter().copied()).map(|v| state(Some(v))).collect();
        Some(MeasureIntervals { column, states, null: state(None), thresholds })
    }

    fn state(&self, value: Option<i64>) -> u16 {
        value.map_or(self.null, |value| self.states[crate::score::bin(&self.thresholds, value)])
    }

    /// Appends the states of values.
    fn extend(&self, out: &mut Vec<u16>, values: &[i32]) {
        // Whoever has a value reaches a bound below them all, and nobody one above.
        let within: Vec<i32> =
            self.thresholds.iter().filter_map(|t| i32::try_from((*t).max(i64::from(NULL_INT) + 1)).ok()).collect();
        let first = out.len();
        crate::score::extend_by_bin(out, values, &within, &self.states);
        for (state, _) in out[first..].iter_mut().zip(values).filter(|(_, value)| **value == NULL_INT) {
            *state = self.null;
        }
    }
}

impl Classifier {
    /// Compiles a scheme for panels whose columns are `measures`, of these units.
    ///
    /// # Errors
    /// Exit 1 if the panel lacks a measure that the scheme looks at.
    pub fn new(scheme: &Scheme, measures: &[Measure], unit: impl Fn(Measure) -> Unit, money_scale: u32) -> Result<Classifier> {
        let uses_scores = scheme.uses_scores();
        let bins = if uses_scores { scheme.bins.unwrap_or(1) as usize } else { 1 };
        let mut rules = Vec::with_capacity(scheme.rules.len());
        for rule in &scheme.rules {
            let mut tests = Vec::with_capacity(rule.when.measures.len());
            for (measure, test) in &rule.when.measures {
                let column = measures
                    .iter()
                    .position(|m| m == measure)
                    .ok_or_else(|| Error::bug(format!("the panel lacks the measure {measure}")))?;
                tests.push(match (test, unit(*measure)) {
                    (Test::IsNull, _) => CompiledTest::Null(column),
                    (test, Unit::Ratio) => CompiledTest::Ratio { column, test: *test },
                    (test, Unit::Double) => {
                        let (low, high) = test.doubles().unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
                        CompiledTest::Doubles { column, low, high }
                    }
                    (test, unit) => {
                        let (low, high) = test.integers(unit_scale(unit, money_scale)).ok_or_else(|| {
                            Error::usage(format!("a bound of {measure} in the scheme {:?} is too large", scheme.name))
                        })?;
                        CompiledTest::Integers { column, low, high }
                    }
                });
            }
            rules.push((rule.state, tests));
        }
        let mut cells = Vec::with_capacity(bins * bins * bins * 8);
        for index in 0..bins * bins * bins * 8 {
            let (cell, level) = (index / 8, index % 8);
            let scores = [(cell / (bins * bins)) as u8 + 1, (cell / bins % bins) as u8 + 1, (cell % bins) as u8 + 1];
            let high = [level & 4 != 0, level & 2 != 0, level & 1 != 0];
            let mut candidates = Vec::new();
            for (number, rule) in scheme.rules.iter().enumerate().filter(|(_, r)| r.when.holds_in(scores, high)) {
                candidates.push(number as u32);
                if rule.when.measures.is_empty() {
                    break;
                }
            }
            cells.push(candidates);
        }
        let none = scheme.states.len() + 1;
        let of_cell = cells.iter().map(|candidates: &Vec<u32>| match candidates.as_slice() {
            [] => Some(none as u16),
            [rule] => rules.get(*rule as usize).filter(|r| r.1.is_empty()).map(|r| r.0 as u16),
            _ => None,
        });
        let of_cell: Option<Vec<u16>> = of_cell.collect();
        let intervals = (!uses_scores).then(|| MeasureIntervals::new(&rules, none)).flatten();
        let without_orders = without_orders(scheme);
        let mut classifier = Classifier {
            without_orders,
            bins,
            uses_scores,
            unscored: scheme.states.len(),
            none,
            of_scores: None,
            cells,
            rules,
            intervals,
        };
        classifier.of_scores = of_cell.filter(|_| uses_scores).map(|of_cell| classifier.by_scores(&of_cell));
        Ok(classifier)
    }

    /// Place of three scores, of which 0 is none, and three levels in a table.
    #[inline]
    fn index(&self, scores: [u8; 3], high: [bool; 3]) -> usize {
        let scores = scores.iter().fold(0, |all, score| all * (self.bins + 1) + usize::from(*score).min(self.bins));
        high.iter().fold(scores, |all, high| all * 2 + usize::from(*high))
    }

    /// The states of cells by [`Classifier::index`].
    fn by_scores(&self, of_cell: &[u16]) -> Vec<u16> {
        let most = self.bins as u8;
        let mut table = Vec::with_capacity((self.bins + 1).pow(3) * 8);
        for (r, f, m) in (0..=most).flat_map(|r| (0..=most).flat_map(move |f| (0..=most).map(move |m| (r, f, m)))) {
            for level in 0..8 {
                let scores = Some([r, f, m]).filter(|scores| *scores != [0; 3]);
                let subject = Subject { scores, high: [level & 4 != 0, level & 2 != 0, level & 1 != 0] };
                table.push(self.cell(subject).map_or(self.unscored as u16, |cell| of_cell[cell]));
            }
        }
        table
    }

    /// The states of a stretch of rows, as indices into [`Scheme::all_states`]: appended to `out`.
    ///
    /// `scores` are those of all rows (0 is unscored), `high` says whether the r, f and m level of a row is high.
    pub fn states(
        &self,
        rows: std::ops::Range<usize>,
        scores: &[Vec<u8>; 3],
        high: impl Fn(usize) -> [bool; 3],
        columns: &[Column],
        out: &mut Vec<u16>,
    ) {
        let [r, f, m] = scores;
        let subject = |row: usize, high: [bool; 3]| {
            let score = |of: &[u8]| of.get(row).copied().unwrap_or(0);
            let scores = [score(r), score(f), score(m)];
            Subject { scores: (scores != [0; 3]).then_some(scores), high }
        };
        if let Some(intervals) = &self.intervals {
            let column = &columns[intervals.column];
            match column {
                Column::Int(values) => intervals.extend(out, &values[rows]),
                _ => out.extend(rows.map(|row| intervals.state(column.get(row)))),
            }
            return;
        }
        match &self.of_scores {
            // Scores and levels say it all: no measure is looked at.
            Some(of_scores) => {
                let scores = r[rows.clone()].iter().zip(&f[rows.clone()]).zip(&m[rows.clone()]);
                out.extend(scores.zip(rows).map(|(((r, f), m), row)| of_scores[self.index([*r, *f, *m], high(row))]));
            }
            None => out.extend(rows.map(|row| self.state(subject(row, high(row)), columns, row) as u16)),
        }
    }

    /// The cell of a customer; `None` if unscored.
    #[inline]
    fn cell(&self, subject: Subject) -> Option<usize> {
        let [r, f, m] = subject.scores?;
        let level = subject.high.iter().fold(0, |bits, high| bits * 2 + usize::from(*high));
        let at = |score: u8| usize::from(score.saturating_sub(1)).min(self.bins - 1);
        Some(((at(r) * self.bins + at(f)) * self.bins + at(m)) * 8 + level)
    }

    /// The state of the customer in `row` of the panel: an index into [`Scheme::all_states`].
    pub fn state(&self, subject: Subject, columns: &[Column], row: usize) -> usize {
        let cell = if self.uses_scores {
            let Some(cell) = self.cell(subject) else { return self.unscored };
            cell
        } else {
            0
        };
        for &rule in &self.cells[cell] {
            let (state, tests) = &self.rules[rule as usize];
            if tests.iter().all(|test| test.passes(columns, row)) {
                return *state;
            }
        }
        self.none
    }

    /// The state of a customer of the customers table who has not ordered yet.
    ///
    /// Such a customer has nothing but null where a rule looks at orders, and a rule without conditions means everybody else
    /// who orders. So there is a state only in a scheme that asks for null somewhere, or that does not look at orders at all.
    pub fn state_without_orders(&self, columns: &[Column], row: usize) -> u16 {
        let passes = |rule: &&u32| self.rules[**rule as usize].1.iter().all(|test| test.passes(columns, row));
        self.without_orders.iter().find(passes).map_or(self.none, |rule| self.rules[*rule as usize].0) as u16
    }

    /// Whether scores decide over the state, and with them cut points.
    pub fn uses_scores(&self) -> bool {
        self.uses_scores
    }
}

/// Numbers of the rules that can give a state to who has no order, in match order.
fn without_orders(scheme: &Scheme) -> Vec<u32> {
    let mut tests = scheme.rules.iter().flat_map(|r| &r.when.measures);
    let asks_for_null = tests.clone().any(|(_, test)| *test == Test::IsNull);
    let looks_at_orders =
        scheme.uses_scores() || tests.any(|(m, _)| matches!(m.kind.source(), MeasureSource::Orders | MeasureSource::Categories));
    if looks_at_orders && !asks_for_null {
        return Vec::new();
    }
    scheme.rules.iter().zip(0..).filter(|(rule, _)| !rule.when.uses_scores()).map(|(_, number)| number).collect()
}

impl CompiledTest {
    #[inline]
    fn passes(&self, columns: &[Column], row: usize) -> bool {
        match *self {
            CompiledTest::Integers { column, low, high } => columns[column].get(row).is_some_and(|v| low <= v && v <= high),
            CompiledTest::Null(column) => columns[column].is_null(row),
            CompiledTest::Doubles { column, low, high } => columns[column].get_double(row).is_some_and(|v| low <= v && v <= high),
            CompiledTest::Ratio { column, test } => columns[column].get_ratio(row).is_some_and(|value| ratio_passes(test, value)),
        }
    }
}

/// Compares `n / d` (`d > 0`) with the ends of a range by cross-multiplication.
fn ratio_passes(test: Test, (n, d): (i64, i64)) -> bool {
    use super::condition::End;
    use std::cmp::Ordering;
    let Test::Range { low, high } = test else { return false };
    let against = |bound: Decimal| {
        let left = 10i128.checked_pow(bound.scale).and_then(|p| p.checked_mul(i128::from(n)));
        let right = bound.digits.checked_mul(i128::from(d));
        match (left, right) {
            (Some(left), Some(right)) => left.cmp(&right),
            // Bounds of more than 19 digits: doubles are near enough to tell such sizes apart.
            _ => (n as f64 / d as f64).total_cmp(&(bound.digits as f64 / 10f64.powi(bound.scale as i32))),
        }
    };
    let above = match low {
        End::Open => true,
        End::Closed(bound) => against(bound) != Ordering::Less,
        End::Strict(bound) => against(bound) == Ordering::Greater,
    };
    above
        && match high {
            End::Open => true,
            End::Closed(bound) => against(bound) != Ordering::Greater,
            End::Strict(bound) => against(bound) == Ordering::Less,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Catalogue, MeasureKind};
    use crate::job::SchemeUse;
    use crate::job::parse::Source;

    /// MeasureIntervals are a short cut: they must say what the rules say.
    #[test]
    fn stretches_equal_the_rules() -> Result<()> {
        for name in ["recency_windows", "simple_lifecycle", "purchase_stage"] {
            let used = SchemeUse {
                column: "lifecycle".into(),
                scheme: name.into(),
                rules: toml::Table::new(),
                overrides: toml::Table::new(),
            };
            let scheme = super::super::load(&used, &Catalogue::default(), &Source::default())?;
            let measures = scheme.measures();
            let classifier = Classifier::new(&scheme, &measures, |m| m.kind.unit(), 2)?;
            assert_eq!(classifier.intervals.is_some(), name == "recency_windows", "{name}");
            let values: Vec<i32> = (0..1000).chain([NULL_INT, i32::MAX]).collect();
            let column = |kind: MeasureKind| match kind.unit() {
                Unit::Days => Column::Int(values.clone()),
                _ => Column::Long(values.iter().map(|v| i64::from(*v)).collect()),
            };
            let columns: Vec<Column> = measures.iter().map(|m| column(m.kind)).collect();
            let mut states = Vec::new();
            classifier.states(0..values.len(), &Default::default(), |_| [false; 3], &columns, &mut states);
            let subject = Subject { scores: None, high: [false; 3] };
            let one_by_one: Vec<u16> = (0..values.len()).map(|row| classifier.state(subject, &columns, row) as u16).collect();
            assert_eq!(states, one_by_one, "{name}");
        }
        Ok(())
    }
}
