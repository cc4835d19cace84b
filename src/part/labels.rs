//! The names behind numbers, as dictionaries that all files of a run share.

use std::sync::Arc;

use arrow::array::{Array, StringArray};

use crate::job::Job;
use crate::plan::Plan;

/// Names of states, actions, slices, categories and dimension values.
pub struct Labels {
    /// Columns of the schemes.
    pub schemes: Arc<StringArray>,
    /// Per scheme column: all its states.
    pub states: Vec<Arc<StringArray>>,
    /// The states of all schemes one after the other.
    pub all_states: Arc<StringArray>,
    /// Per scheme column: where its states begin in `all_states`.
    pub first_states: Vec<u16>,
    /// Actions of the playbook, each once.
    pub actions: Arc<StringArray>,
    /// Per scheme column and state: the number of the state's action.
    playbook: Vec<Vec<Option<u16>>>,
    /// Whether the job has slices.
    pub has_slices: bool,
    /// Slice values in order.
    pub slices: Arc<StringArray>,
    /// Categories in order.
    pub categories: Arc<StringArray>,
    /// Per dimension its values in order.
    pub dimensions: Vec<Arc<StringArray>>,
}

impl Labels {
    /// The labels of a plan and of what the orders and the customers table hold.
    pub fn new(job: &Job, plan: &Plan, slices: &[String], categories: &[String], dimensions: &[Vec<String>]) -> Labels {
        let names: Vec<Vec<String>> = plan.schemes.iter().map(|column| column.scheme.all_states()).collect();
        let mut first_states = Vec::with_capacity(names.len());
        let mut total = 0;
        for states in &names {
            first_states.push(total);
            total += states.len() as u16;
        }
        let mut actions: Vec<&str> = plan.playbook.iter().flatten().filter_map(|action| action.as_deref()).collect();
        actions.sort_unstable();
        actions.dedup();
        let action_number = |action: &Option<String>| {
            let number = actions.binary_search(&action.as_deref()?).ok()?;
            Some(number as u16)
        };
        Labels {
            schemes: dictionary(plan.schemes.iter().map(|column| &column.column)),
            all_states: dictionary(names.iter().flatten()),
            states: names.iter().map(dictionary).collect(),
            first_states,
            playbook: plan.playbook.iter().map(|of_scheme| of_scheme.iter().map(action_number).collect()).collect(),
            actions: dictionary(actions),
            has_slices: job.raw.orders.slice.is_some(),
            slices: dictionary(slices),
            categories: dictionary(categories),
            dimensions: dimensions.iter().map(dictionary).collect(),
        }
    }

    /// Name of a slice number; `None` for customers without an order, who have no slice, and in a job without slices.
    pub fn slice(&self, number: u32) -> Option<&str> {
        let at = number as usize;
        (at < self.slices.len()).then(|| self.slices.value(at))
    }

    /// The number of the action for the customer in a row: that of the first scheme column whose state has one.
    pub fn action(&self, states: &[Vec<u16>], row: usize) -> Option<u16> {
        self.playbook.iter().zip(states).find_map(|(actions, states)| *actions.get(usize::from(states[row]))?)
    }
}

fn dictionary(values: impl IntoIterator<Item = impl AsRef<str>>) -> Arc<StringArray> {
    Arc::new(StringArray::from_iter_values(values))
}
