//! The members of one period in the current batch, in columns.

use serde::{Deserialize, Serialize};

use crate::experiment::plan::StrategyPlan;
use crate::sums::Column;

/// Members of a period, ascending by customer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct MemberBatch {
    /// The customers, as indices of the batch.
    pub customers: Vec<u32>,
    /// Codes of cell and arm.
    pub cell_arms: Vec<u64>,
    /// The group for each scheme of `by`; a single one without.
    pub groups: Vec<Vec<u32>>,
    /// The values of the summed quantities.
    pub columns: Vec<Column>,
    /// By member: whether any value of two or four integers is not zero.
    pub nonzero: Vec<bool>,
    /// Members whose days since the last order are unknown.
    pub unknown: Vec<u32>,
}

impl MemberBatch {
    /// Removes all members and makes the columns of a strategy.
    pub fn reset(&mut self, strategy: &StrategyPlan<'_>) {
        self.customers.clear();
        self.cell_arms.clear();
        self.groups.resize_with(strategy.by.len().max(1), Vec::new);
        self.groups.iter_mut().for_each(Vec::clear);
        let arities = || strategy.quantities.iter().map(|quantity| quantity.arity);
        if !self.columns.iter().map(Column::arity).eq(arities()) {
            self.columns = arities().map(Column::new).collect();
        }
        self.columns.iter_mut().for_each(Column::clear);
        self.unknown.clear();
    }
}
