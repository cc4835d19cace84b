//! Crowds: who of the customers at hand counts in a list, column by column.

use crate::domain::Narrow;
use crate::engine::experiment::column::{Column, Number, Numbers};
use crate::engine::experiment::plan::{StrategyPlan, SummedQuantity};

/// MemberRows of a list, ascending by customer.
#[derive(Debug, Default)]
pub struct MemberBatch {
    /// The customer's number among those at hand.
    pub customers: Vec<u32>,
    /// Cell and arm in one number, see [`crate::engine::experiment::tally::Keys::seat`].
    pub seats: Vec<u64>,
    /// The group, for each scheme of `by`; a single one without.
    pub groups: Vec<Vec<u32>>,
    /// What is summed.
    pub columns: Vec<Column>,
    /// Who has means and ratios that are not all zero.
    pub active: Active,
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
        let fits = |(column, slot): (&Column, &SummedQuantity)| column.form() == slot.form;
        if self.columns.len() != study.slots.len() || !self.columns.iter().zip(&study.slots).all(fits) {
            self.columns = study.slots.iter().map(|slot| Column::new(slot.form)).collect();
        }
        self.columns.iter_mut().for_each(Column::clear);
        self.unknown.clear();
    }
}

/// Who has done something: most customers buy nothing in most periods, and what is all zero needs no sums.
#[derive(Debug, Clone, Default)]
pub struct Active {
    /// By member.
    pub flags: Vec<bool>,
}

impl Active {
    /// Of so many members, those whose means and ratios are not all zero.
    pub fn of(columns: &[Column], count: usize) -> Active {
        let mut active = Active::default();
        active.find(columns, count);
        active
    }

    /// The same, in room that is there.
    pub fn find(&mut self, columns: &[Column], count: usize) {
        fn mark<const V: usize>(flags: &mut [bool], numbers: &Numbers<V>) {
            fn each<N: Number, const V: usize>(flags: &mut [bool], numbers: &[[N; V]]) {
                flags.iter_mut().zip(numbers).for_each(|(flag, own)| *flag |= *own != [N::default(); V]);
            }
            match numbers {
                Narrow::Short(numbers) => each(flags, numbers),
                Narrow::Wide(numbers) => each(flags, numbers),
            }
        }
        self.flags.clear();
        self.flags.resize(count, false);
        for column in columns {
            match column {
                Column::Numbers(_) => {}
                Column::Means(means) => mark(&mut self.flags, means),
                Column::Ratios(ratios) => mark(&mut self.flags, ratios),
            }
        }
    }
}
