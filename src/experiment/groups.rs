//! What customers are told apart by: states of schemes, dimensions of the customers table, columns of the assignments.

use super::cells::SchemeStates;
use super::exposure::load::StrategyAssignments;
use crate::domain::{ALL, MOST_GROUPS};
use crate::error::{Error, Result};
use crate::job::strategy::GroupBy;
use crate::job::{Job, Strategy};
use crate::measure::UNKNOWN_NAME;
use crate::plan::SchemeColumn;

/// Where the group of a customer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupSource {
    /// The state on the day before the period.
    State(SchemeStates),
    /// The value of the dimension with this index; the last group has those without one.
    Dimension(usize),
    /// The value in the column with this index among those that are read.
    Column(usize),
}

/// The groups of a name in `by`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// The name.
    pub name: String,
    pub source: GroupSource,
    /// What tables call the groups, by number.
    pub names: Vec<String>,
}

impl Groups {
    /// Whether its groups are states, which customers had on the day before.
    pub fn is_of_states(&self) -> bool {
        matches!(self.source, GroupSource::State(_))
    }
}

/// The groups that strategies are planned with: scheme columns, and the values of every dimension.
#[derive(Clone, Copy)]
pub struct GroupNames<'a> {
    pub schemes: &'a [SchemeColumn],
    pub dimensions: &'a [Vec<String>],
}

impl GroupNames<'_> {
    /// The groups of all names in a strategy's `by` but strata, which are cells.
    ///
    /// # Errors
    /// Exit 3 if a dimension has too many values.
    pub fn of(&self, job: &Job, strategy: &Strategy, assignments: &StrategyAssignments) -> Result<Vec<Groups>> {
        let (mut all, mut columns) = (Vec::new(), 0..);
        for by in &strategy.by {
            all.push(match by {
                GroupBy::Scheme(column) => self.states(column)?,
                GroupBy::Dimension(dimension) => self.values(job, strategy, *dimension)?,
                GroupBy::Column(column) => {
                    let index = columns.next().unwrap_or_default();
                    let names = assignments.by.get(index).map(|names| names.to_vec()).unwrap_or_default();
                    Groups { name: column.clone(), source: GroupSource::Column(index), names }
                }
                GroupBy::Stratum => continue,
            });
        }
        Ok(all)
    }

    /// A scheme column, and how many states it has.
    ///
    /// # Errors
    /// Exit 1 if there is no such column.
    pub fn scheme(&self, column: &str) -> Result<SchemeStates> {
        let found = self.schemes.iter().enumerate().find(|(_, scheme)| scheme.column == column);
        let (scheme, found) = found.ok_or_else(|| Error::bug(format!("no scheme column {column}")))?;
        Ok(SchemeStates { scheme, states: found.scheme.all_states().len() })
    }

    fn states(&self, column: &str) -> Result<Groups> {
        let states = self.scheme(column)?;
        let names = self.schemes[states.scheme].scheme.all_states();
        Ok(Groups { name: column.to_owned(), source: GroupSource::State(states), names })
    }

    fn values(&self, job: &Job, strategy: &Strategy, dimension: usize) -> Result<Groups> {
        let name = &job.dimensions()[dimension];
        let values = &self.dimensions[dimension];
        if values.iter().any(|value| value == ALL) {
            return Err(Error::contract(format!(
                "strategy {:?}: by names the dimension {name:?}, of which a value is {ALL:?}, which tables call all customers together; write another value in the customers table",
                strategy.name
            )));
        }
        if values.len() > MOST_GROUPS {
            return Err(Error::contract(format!(
                "strategy {:?}: by names the dimension {name:?}, which has {} values; effects are shown by at most {MOST_GROUPS}: name a dimension such as a region",
                strategy.name,
                values.len()
            )));
        }
        let names = values.iter().cloned().chain([UNKNOWN_NAME.to_owned()]).collect();
        Ok(Groups { name: name.clone(), source: GroupSource::Dimension(dimension), names })
    }
}
