//! The scheme columns of a job: their schemes, overrides, ladders and playbook.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{Catalogue, Measure, Outcome, Warning};
use crate::error::{Error, Result, suggestion};
use crate::job::{Job, SchemeUse};
use crate::scheme::{self, Scheme};

/// A scheme column with its scheme, and the schemes of slice values that override it.
#[derive(Debug, Clone, Serialize)]
pub struct SchemeColumn {
    /// The column.
    pub column: String,
    /// The scheme.
    pub scheme: Scheme,
    /// Slice value = the scheme there; its states are those of `scheme`.
    pub overrides: BTreeMap<String, Scheme>,
}

impl SchemeColumn {
    /// The schemes of a job; `warnings` gets what is odd about them.
    ///
    /// # Errors
    /// Exit 2, with the place in the job or scheme file.
    pub(super) fn load_all(job: &Job, known: &Catalogue, warnings: &mut Vec<Warning>) -> Result<Vec<SchemeColumn>> {
        let mut columns = Vec::with_capacity(job.schemes.len());
        for used in &job.schemes {
            columns.push(scheme_column(job, used, known, warnings)?);
        }
        Ok(columns)
    }

    /// The scheme and its overrides.
    pub(super) fn schemes(&self) -> impl Iterator<Item = &Scheme> {
        self.overrides.values().chain([&self.scheme])
    }

    /// The measures that the scheme or an override looks at.
    pub(super) fn measures(&self) -> impl Iterator<Item = Measure> {
        self.schemes().flat_map(Scheme::measures)
    }
}

fn scheme_column(job: &Job, used: &SchemeUse, known: &Catalogue, warnings: &mut Vec<Warning>) -> Result<SchemeColumn> {
    let scheme = scheme::load(used, known, &job.source)?;
    let place = job.source.locate("schemes", &used.scheme);
    warnings.extend(scheme::check(&scheme, job.score.bins, job.scale(), &place)?.into_iter().map(Warning::Scheme));
    let mut overrides = BTreeMap::new();
    for (slice, rules) in &used.overrides {
        let rules = rules.as_table().ok_or_else(|| {
            Error::usage(format!(
                "{}: the override of {} for slice {slice:?} is {rules}; expected states with conditions",
                job.source.locate(&format!("schemes.{}.override", used.column), slice),
                used.column
            ))
        })?;
        let scheme = scheme::with_override(used, slice, rules, known, &job.source)?;
        let place = format!("{place}, override for slice {slice:?}");
        warnings.extend(scheme::check(&scheme, job.score.bins, job.scale(), &place)?.into_iter().map(Warning::Scheme));
        overrides.insert(slice.clone(), scheme);
    }
    Ok(SchemeColumn { column: used.column.clone(), scheme, overrides })
}

/// Outcomes that go up or down a ladder need one.
pub(super) fn check_ladders(job: &Job, schemes: &[SchemeColumn]) -> Result<()> {
    for strategy in &job.strategies {
        for outcome in &strategy.outcomes {
            let (Outcome::MovedUp(column) | Outcome::MovedDown(column)) = outcome else { continue };
            if schemes.iter().any(|s| s.column == *column && s.scheme.ladder.is_empty()) {
                return Err(Error::usage(format!(
                    "{}: strategy {:?}: the outcome \"{outcome}\" needs states from best to worst, and the scheme of {column:?} has no ladder; take another scheme, give a copy of this one a ladder, or remove the outcome",
                    job.source.locate_key("strategy", strategy.number, "outcomes"),
                    strategy.name
                )));
            }
        }
    }
    Ok(())
}

/// The actions of the playbook by scheme column and state.
pub(super) fn playbook(job: &Job, schemes: &[SchemeColumn]) -> Result<Vec<Vec<Option<String>>>> {
    for (column, actions) in &job.raw.playbook {
        let place = || job.source.locate("playbook", column);
        let Some(scheme_column) = schemes.iter().find(|s| s.column == *column) else {
            return Err(Error::usage(format!(
                "{}: the playbook names the scheme column {column:?}, which the job does not have{}",
                place(),
                suggestion(column, schemes.iter().map(|s| s.column.as_str()))
            )));
        };
        let states = scheme_column.scheme.all_states();
        if let Some(state) = actions.keys().find(|a| !states.contains(a)) {
            return Err(Error::usage(format!(
                "{}: the playbook names the state {state:?} of {column}, which its scheme does not have{} (states: {})",
                place(),
                suggestion(state, states.iter().map(String::as_str)),
                states.join(", ")
            )));
        }
    }
    let of_column = |column: &SchemeColumn| {
        let actions = job.raw.playbook.get(&column.column);
        column.scheme.all_states().iter().map(|state| actions.and_then(|a| a.get(state)).cloned()).collect()
    };
    Ok(schemes.iter().map(of_column).collect())
}
