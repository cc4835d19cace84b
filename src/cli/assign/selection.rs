//! The customers in the states to draw from.

use super::flags::Flags;
use super::population::{DictionaryColumn, Population};
use crate::domain::Day;
use crate::error::{Error, Result, suggestion};

/// The selected customers.
pub(super) struct Selection {
    /// Their rows, ascending by customer id.
    pub rows: Vec<usize>,
    /// The different states they are in, ascending.
    pub states: Vec<u32>,
}

impl Selection {
    /// The names of their states.
    pub fn states_of<'a>(&self, labels: &'a DictionaryColumn) -> Vec<&'a str> {
        self.states.iter().filter_map(|code| labels.names.get(*code as usize)).map(String::as_str).collect()
    }
}

/// Selects the customers who are in all the states of `--from`.
///
/// # Errors
/// Exit 2 if no customer is in one of the states, or in all.
pub(super) fn select(flags: &Flags, customers: &Population, as_of: Day) -> Result<Selection> {
    for ((column, states), labels) in flags.from.iter().zip(&customers.columns) {
        let unknown = states.iter().flatten().find(|state| labels.names.binary_search(state).is_err());
        if let Some(state) = unknown {
            return Err(Error::usage(format!(
                "--from {column}={state:?}: no customer is in that state as of {as_of}{} (states: {}); name one of them",
                suggestion(state, labels.names.iter().map(String::as_str)),
                labels.names.join(", ")
            )));
        }
    }
    let mut rows = rows_in(flags, customers);
    if rows.is_empty() {
        return Err(Error::usage(format!("--from {}: no customer is in all these states as of {as_of}", flags.states_text())));
    }
    rows.sort_unstable_by(|a, b| customers.ids.compare(*a, *b));
    let mut states: Vec<u32> = match customers.columns.first() {
        Some(labels) => rows.iter().filter_map(|row| labels.codes.get(*row).copied()).collect(),
        None => Vec::new(),
    };
    states.sort_unstable();
    states.dedup();
    Ok(Selection { rows, states })
}

/// The rows of the customers who are in all the states of `--from`, of those that occur.
pub(super) fn rows_in(flags: &Flags, customers: &Population) -> Vec<usize> {
    let mut selected = vec![true; customers.ids.len()];
    for ((_, states), labels) in flags.from.iter().zip(&customers.columns) {
        let Some(states) = states else { continue };
        let wanted: Vec<bool> = labels.names.iter().map(|name| states.contains(name)).collect();
        for (selected, code) in selected.iter_mut().zip(&labels.codes) {
            *selected &= wanted.get(*code as usize) == Some(&true);
        }
    }
    selected.iter().enumerate().filter(|(_, selected)| **selected).map(|(row, _)| row).collect()
}
