//! The table `state_history`: since when and until when customers were in their states.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch, UInt16Array};

use super::arrays::{dictionary, id_and_slice};
use super::context::PartContext;
use super::customers::PartCustomers;
use super::part_table::PartTable;
use crate::error::Result;
use crate::movement::StateSpell;

/// The rows of a part; every spell comes with the index of its scheme.
pub(super) fn batch(
    table: &PartTable,
    context: &PartContext<'_>,
    customers: &PartCustomers,
    spells: &[(u32, StateSpell)],
) -> Result<RecordBatch> {
    let labels = &context.labels;
    let schemes = UInt16Array::from_iter_values(spells.iter().map(|(scheme, _)| *scheme as u16));
    let states = spells.iter().map(|(scheme, spell)| labels.first_states[*scheme as usize] + spell.state);
    let valid_from = Date32Array::from_iter_values(spells.iter().map(|(_, spell)| spell.from.0));
    let valid_to = Date32Array::from_iter(spells.iter().map(|(_, spell)| spell.to.map(|day| day.0)));
    let mut columns = id_and_slice(customers, context.id, labels, spells.iter().map(|(_, spell)| spell.customer))?;
    columns.extend([
        ("scheme", dictionary(schemes, &labels.schemes)?),
        ("state", dictionary(UInt16Array::from_iter_values(states), &labels.all_states)?),
        ("valid_from", Arc::new(valid_from) as ArrayRef),
        ("valid_to", Arc::new(valid_to)),
    ]);
    table.batch(columns)
}
