//! Cells, within which treated and control customers are compared: combinations of states and strata.

use super::assigned_on::DateCell;
use super::exposure::load::StrategyAssignments;
use crate::domain::{Design, STRATUM};
use crate::error::{Error, Result, suggestion};
use crate::evaluate::ALL;
use crate::job::strategy::GroupBy;
use crate::job::{Job, Strategy};
use crate::plan::SchemeColumn;

/// Upper bound of cells times arms of a strategy.
const MAX_CELLS: u64 = 1 << 40;

/// A scheme, and how many states it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemeStates {
    /// Index of the scheme column.
    pub scheme: usize,
    /// Number of states, the special ones included.
    pub states: usize,
}

/// One dimension of the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellPart {
    /// The state on the day before the period.
    State(SchemeStates),
    /// The state on the day before the baseline: cells of the placebo.
    EarlierState(SchemeStates),
    /// The stratum of the assignment, of this many.
    Stratum { strata: usize },
    /// The date of the assignment, of this many; 0 where dates are no strata.
    AssignedOn { dates: usize },
}

impl CellPart {
    /// Number of values.
    pub fn len(self) -> usize {
        match self {
            CellPart::State(scheme) | CellPart::EarlierState(scheme) => scheme.states,
            CellPart::Stratum { strata } => strata,
            CellPart::AssignedOn { dates } => dates + 1,
        }
    }
}

/// The dimensions of a strategy's cells, with this many dates that are strata; `scheme` looks up a scheme column.
///
/// # Errors
/// Exit 2 for too many cells, exit 3 if strata are matched on or shown and there are none.
pub fn cell_parts(
    job: &Job,
    strategy: &Strategy,
    assignments: &StrategyAssignments,
    dates: usize,
    scheme: impl Fn(&str) -> Result<SchemeStates>,
) -> Result<Vec<CellPart>> {
    let stratum = assignments.strata.as_ref().map(|names| CellPart::Stratum { strata: names.len() });
    if strategy.by.contains(&GroupBy::Stratum) && stratum.is_none() {
        return Err(no_strata(job, strategy, "by"));
    }
    let part = |name: &String| match stratum {
        Some(stratum) if name == STRATUM => Ok(stratum),
        None if name == STRATUM => Err(no_strata(job, strategy, "match_on")),
        _ => scheme(name).map(CellPart::State),
    };
    let parts = match strategy.design {
        Design::Randomised => stratum.into_iter().chain((dates > 0).then_some(CellPart::AssignedOn { dates })).collect(),
        Design::BeforeAfter | Design::Threshold => Vec::new(),
        Design::Matched => {
            let parts = strategy.match_on.iter().map(part).collect::<Result<Vec<_>>>()?;
            let earlier = parts.iter().filter_map(|part| match part {
                CellPart::State(states) => Some(CellPart::EarlierState(*states)),
                _ => None,
            });
            parts.iter().copied().chain(earlier).collect()
        }
    };
    let clusters = assignments.clusters.as_ref().map_or(1, Vec::len);
    let cells = parts.iter().try_fold((assignments.arms.len() * clusters) as u64, |all, part| all.checked_mul(part.len() as u64));
    if cells.is_none_or(|cells| cells > MAX_CELLS) {
        return Err(Error::usage(format!(
            "strategy {:?}: {} makes more cells than can be numbered; {}",
            strategy.name,
            if strategy.cluster.is_some() { "cluster" } else { "match_on" },
            if strategy.cluster.is_some() { "use fewer strata" } else { "match on fewer scheme columns" }
        )));
    }
    Ok(parts)
}

/// Strata with shares must be among the assignments, or the split check would use other shares.
///
/// # Errors
/// Exit 3 if one is not.
pub fn check_strata(job: &Job, strategy: &Strategy, assignments: &StrategyAssignments) -> Result<()> {
    let known = assignments.strata.as_deref().unwrap_or_default();
    let Some((stratum, _)) = strategy.strata.iter().find(|(stratum, _)| !known.contains(stratum)) else { return Ok(()) };
    Err(Error::contract(format!(
        "{}: strategy {:?}: split has shares for the stratum {stratum:?}, which no assignment has{} (strata found: {}); correct the name or the table",
        job.source.locate("strategy.split", stratum),
        strategy.name,
        suggestion(stratum, known.iter().map(String::as_str)),
        if known.is_empty() { "none".into() } else { known.iter().take(20).cloned().collect::<Vec<_>>().join(", ") }
    )))
}

fn no_strata(job: &Job, strategy: &Strategy, key: &str) -> Error {
    let number = job.strategies.iter().position(|s| s.name == strategy.name).unwrap_or_default();
    Error::contract(format!(
        "{}: strategy {:?}: {key} names {STRATUM:?}, but its assignments have neither a column \"stratum\" nor \"state\"; add one, or name scheme columns",
        job.source.locate_key("strategy", number, key),
        strategy.name
    ))
}

/// The names from which those of cells are made.
pub struct CellNames<'a> {
    /// The design of the strategy.
    pub design: Design,
    /// By number; none without strata.
    pub strata: Option<&'a [String]>,
    /// Dates that are strata, by number from 1.
    pub dates: &'a [DateCell],
    /// The scheme columns of the job.
    pub schemes: &'a [SchemeColumn],
}

impl CellNames<'_> {
    /// The name of a cell as the tables show it: `segment=Loyal, stratum=north`. The cells of a randomised strategy have the names
    /// of their strata, and of dates where these are strata: `north, assigned in the week of 2024-05-06`.
    pub fn of(&self, parts: &[CellPart], cell: u64) -> String {
        self.name(parts, cell, |part| !matches!(part, CellPart::EarlierState(_)))
    }

    /// The name of the cell in which the same customers were before the baseline.
    pub fn earlier(&self, parts: &[CellPart], cell: u64) -> String {
        self.name(parts, cell, |part| !matches!(part, CellPart::State(_)))
    }

    fn name(&self, parts: &[CellPart], cell: u64, is_named: fn(&CellPart) -> bool) -> String {
        let mut names = Vec::with_capacity(parts.len());
        let mut rest = cell;
        for part in parts.iter().rev() {
            let value = (rest % part.len() as u64) as usize;
            rest /= part.len() as u64;
            if !is_named(part) {
                continue;
            }
            names.extend(match part {
                CellPart::Stratum { .. } => {
                    let name = self.strata.and_then(|names| names.get(value)).cloned().unwrap_or_default();
                    Some(if self.design == Design::Randomised { name } else { format!("{STRATUM}={name}") })
                }
                CellPart::AssignedOn { .. } => {
                    value.checked_sub(1).and_then(|date| self.dates.get(date)).map(DateCell::to_string)
                }
                CellPart::State(SchemeStates { scheme, .. }) | CellPart::EarlierState(SchemeStates { scheme, .. }) => {
                    let column = self.schemes.get(*scheme);
                    let state = column.and_then(|column| column.scheme.all_states().get(value).cloned()).unwrap_or_default();
                    Some(format!("{}={state}", column.map_or("", |column| column.column.as_str())))
                }
            });
        }
        names.reverse();
        if names.is_empty() { ALL.into() } else { names.join(", ") }
    }
}
