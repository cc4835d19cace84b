//! A scheme: states and rules in match order.

use std::collections::BTreeMap;

use serde::Serialize;

use super::condition::Conditions;
use crate::domain::{Measure, MeasureKind};

/// A scheme, ready to classify.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scheme {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Scores per axis its rules are written for; `None` if it uses no scores.
    pub bins: Option<u32>,
    /// Whether it is built in.
    pub builtin: bool,
    /// Whether the job has replaced some of its rules.
    pub changed: bool,
    /// States in display order.
    pub states: Vec<State>,
    /// Indices into `states` from best to worst, without the states that are neither better nor worse; empty without a ladder.
    pub ladder: Vec<usize>,
    /// Rules in match order.
    pub rules: Vec<Rule>,
}

/// A state of a scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct State {
    /// The name, as tables show it.
    pub name: String,
    /// Labels by language.
    pub labels: BTreeMap<String, String>,
    /// One sentence on the customers in it.
    pub definition: String,
    /// Whether customers in it are about to be lost.
    pub at_risk: bool,
    /// Whether its name says that customers are new.
    pub says_new: bool,
}

/// A rule: customers who meet all conditions are in the state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    /// Index into the scheme's states.
    pub state: usize,
    /// The conditions; none matches all customers.
    pub when: Conditions,
}

/// What reports call states that are of no scheme, by language.
pub const SPECIAL_LABELS: [(&str, &str, &str); 4] = [
    (UNSCORED, "en", "Without scores"),
    (UNSCORED, "zh-Hans", "无评分"),
    (NONE, "en", "No order yet"),
    (NONE, "zh-Hans", "尚未下单"),
];

/// What reports call a state that says new, by language, where its customers may have ordered before the data begin.
pub const FIRST_SEEN: [(&str, &str); 2] = [("en", "First seen"), ("zh-Hans", "首次出现")];

/// The state of a customer without scores in a scheme that uses them.
pub const UNSCORED: &str = "(unscored)";
/// The state of a customer whom no rule matches, or who is not listed.
pub const NONE: &str = "(none)";

impl Scheme {
    /// Whether any rule looks at a score, cell or level.
    pub fn uses_scores(&self) -> bool {
        self.rules.iter().any(|r| r.when.uses_scores())
    }

    /// Whether any rule looks at a level.
    pub fn uses_levels(&self) -> bool {
        self.rules.iter().any(|r| r.when.levels.iter().any(Option::is_some))
    }

    /// The measures its rules look at, each once.
    pub fn measures(&self) -> Vec<Measure> {
        let mut measures: Vec<Measure> = self.rules.iter().flat_map(|r| r.when.measures.iter().map(|(m, _)| *m)).collect();
        measures.sort_unstable();
        measures.dedup();
        measures
    }

    /// Names of all states a customer can be in, the special ones last.
    pub fn all_states(&self) -> Vec<String> {
        self.states.iter().map(|s| s.name.clone()).chain([UNSCORED.to_owned(), NONE.to_owned()]).collect()
    }

    /// Place of a state, from 0: its rung, or its position in a scheme without a ladder; `None` for states off the ladder and
    /// special ones.
    pub fn place(&self, state: usize) -> Option<usize> {
        if self.ladder.is_empty() {
            return (state < self.states.len()).then_some(state);
        }
        self.ladder.iter().position(|rung| *rung == state)
    }

    /// How many states have a place.
    pub fn places(&self) -> usize {
        if self.ladder.is_empty() { self.states.len() } else { self.ladder.len() }
    }

    /// The least and the most days since the first order that customers of a state can have by its rules; `None` without an end.
    pub fn tenure_of(&self, state: usize) -> [Option<i64>; 2] {
        let ends = |rule: &Rule| {
            let test = rule.when.measures.iter().find(|(measure, _)| measure.kind == MeasureKind::TenureDays);
            let (low, high) = test.and_then(|(_, test)| test.integers(0)).unwrap_or((i64::MIN, i64::MAX));
            [Some(low).filter(|low| *low > 0), Some(high).filter(|high| *high < i64::MAX)]
        };
        let mut ends = self.rules.iter().filter(|rule| rule.state == state).map(ends);
        let Some(first) = ends.next() else { return [None, None] };
        // An end that one rule lacks, the state lacks.
        ends.fold(first, |[low, high], [l, h]| [low.zip(l).map(|(a, b)| a.min(b)), high.zip(h).map(|(a, b)| a.max(b))])
    }

    /// Position of a state in tables: by the ladder, else in display order; special states last.
    pub fn rank(&self, state: usize) -> usize {
        self.ladder.iter().position(|s| *s == state).unwrap_or(state + self.ladder.len())
    }
}
