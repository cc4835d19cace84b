//! Crowds: who of the customers at hand counts in a list, column by column.

use crate::engine::experiment::plan::{StrategyPlan, SummedQuantity};
use crate::sums::Column;

/// MemberRows of a list, ascending by customer.
#[derive(Debug, Default)]
pub struct MemberBatch {
    /// The customer's number among those at hand.
    pub customers: Vec<u32>,
    /// Cell and arm in one number, see [`crate::engine::experiment::layout::KeyLayout::cell_arm`].
    pub seats: Vec<u64>,
    /// The group, for each scheme of `by`; a single one without.
    pub groups: Vec<Vec<u32>>,
    /// What is summed.
    pub columns: Vec<Column>,
    /// By member: whether any of their pairs and quadruples is not zero.
    pub nonzero: Vec<bool>,
    /// MemberRows of whom nothing is known of the days since the last order.
    pub unknown: Vec<u32>,
}

impl MemberBatch {
    /// Forgets all members, to be filled for a strategy.
    pub fn clear(&mut self, study: &StrategyPlan<'_>) {
        self.customers.clear();
        self.seats.clear();
        self.groups.resize_with(study.by.len().max(1), Vec::new);
        self.groups.iter_mut().for_each(Vec::clear);
        let fits = |(column, slot): (&Column, &SummedQuantity)| column.arity() == slot.arity;
        if self.columns.len() != study.slots.len() || !self.columns.iter().zip(&study.slots).all(fits) {
            self.columns = study.slots.iter().map(|slot| Column::new(slot.arity)).collect();
        }
        self.columns.iter_mut().for_each(Column::clear);
        self.unknown.clear();
    }
}
