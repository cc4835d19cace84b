//! Schemes: ordered rule tables over measures and scores that give each customer one state.
//!
//! [`file`] reads a scheme file, [`check`] finds rules that can never match, gaps and overlaps, and [`Classifier`] turns
//! a scheme into a lookup table over cells, so that a scheme over scores alone costs one array access per customer.

mod builtin;
mod check;
mod classify;
mod colour;
mod compiled_test;
mod condition;
mod file;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{Measure, MeasureKind, MeasureSource, Unit};

pub use builtin::{names as builtin_names, text as builtin_text};
pub use check::{Report, check, grid};
pub use classify::Classifier;
pub use colour::{OUTSIDE, colour};
pub use compiled_test::CompiledTest;
pub use condition::{Conditions, Test, parse as parse_conditions, parse_test};
pub use file::{load, with_override};

/// A scheme, ready to classify.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scheme {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Scores per axis its rules are written for; `None` if it uses no scores.
    pub bins: Option<u32>,
    /// Whether it is one of ours.
    pub builtin: bool,
    /// Whether the job has replaced some of its rules.
    pub changed: bool,
    /// States in display order.
    pub states: Vec<State>,
    /// Indices into `states` from best to worst; empty without a ladder.
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
    /// One sentence on who is in it.
    pub definition: String,
}

/// A rule: who meets all conditions is in the state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    /// Index into the scheme's states.
    pub state: usize,
    /// The conditions; none matches everybody.
    pub when: Conditions,
}

/// The state of a customer without scores in a scheme that uses them.
pub const UNSCORED: &str = "(unscored)";
/// The state of a customer whom no rule matches, or who is not there.
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

    /// Position of a state in tables: by the ladder, else in display order; special states last.
    pub fn rank(&self, state: usize) -> usize {
        self.ladder.iter().position(|s| *s == state).unwrap_or(state + self.ladder.len())
    }
}

/// The digits behind the point of a measure's integers, for a job with this money scale.
pub(crate) fn unit_scale(unit: Unit, money_scale: u32) -> u32 {
    match unit {
        Unit::Money => money_scale,
        Unit::Average => money_scale + 2,
        Unit::Decimal(_, scale) => u32::from(scale),
        Unit::Date | Unit::Days | Unit::Count | Unit::Ratio | Unit::Text | Unit::Double => 0,
    }
}

/// The smallest value a measure can have, if there is one.
pub(crate) fn floor_of(kind: MeasureKind) -> Option<i64> {
    match kind.unit() {
        _ if kind.source() == MeasureSource::Customers => None,
        Unit::Days => Some(0),
        Unit::Count => Some(i64::from(kind == MeasureKind::LifetimeOrders)),
        Unit::Ratio if kind != MeasureKind::MonetaryTrend => Some(0),
        _ => None,
    }
}
