//! The table `movers`: customers whose state of a scheme changed since an earlier date.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch, StringArray, UInt16Array};
use serde::{Deserialize, Serialize};

use super::arrays::{dictionary, id_and_slice};
use super::context::{DateRows, PartView};
use super::part_table::PartTable;
use crate::error::Result;
use crate::movement::{ABSENT, sort_by_customer};

/// A change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mover {
    /// Index of the customer in the part.
    customer: u32,
    scheme: u32,
    from_date: u32,
    from: u16,
    to: u16,
    reason: Option<MoveReason>,
}

/// Why a state changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MoveReason {
    /// Under the earlier cut points the state would be the earlier one.
    CutPoints,
    /// The state would have changed under the earlier cut points, too.
    Behaviour,
}

impl MoveReason {
    /// The reason as tables and reports have it.
    pub fn name(self) -> &'static str {
        match self {
            MoveReason::CutPoints => "cut_points",
            MoveReason::Behaviour => "behaviour",
        }
    }
}

/// What movers are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MoverKey {
    /// Index of the date.
    pub date: u32,
    /// Index of the earlier date.
    pub from_date: u32,
    /// Slice number.
    pub slice: u32,
    /// Index of the scheme column.
    pub scheme: u32,
    /// Earlier state.
    pub from: u16,
    /// State at the date.
    pub to: u16,
    /// Why; `None` where scores have no cut points to compare with.
    pub reason: Option<MoveReason>,
}

/// The customers who changed a state since an earlier date, by customer, scheme and earlier date.
pub(super) fn find(part: PartView<'_>, date: &DateRows) -> Vec<Mover> {
    let context = part.context;
    let has_cut_points = context.has_cut_points();
    let mut movers = Vec::new();
    for (scheme, now) in date.states.iter().enumerate() {
        for &origin in &context.job.origins[date.date] {
            let Some(before) = part.tracker.states_at(origin).get(scheme) else { continue };
            let under_earlier_cuts = date.rescored.iter().find(|(from, _)| *from == origin).map(|(_, states)| &states[scheme]);
            for (slice, range) in &date.rows.slices {
                let uses_scores = context.rules.uses_scores(scheme, *slice);
                // Where nobody was scored at the earlier date, no cut point has moved since.
                let had_cut_points = context.scoring[origin][*slice as usize].scored > 0;
                for row in range.clone() {
                    let (customer, to) = (date.rows.customers[row], now[row]);
                    let from = before[customer as usize];
                    if from == to || from == ABSENT {
                        continue;
                    }
                    let reason = match under_earlier_cuts {
                        _ if !uses_scores => Some(MoveReason::Behaviour),
                        _ if !has_cut_points => None,
                        Some(states) if had_cut_points && states[row] == from => Some(MoveReason::CutPoints),
                        _ => Some(MoveReason::Behaviour),
                    };
                    movers.push(Mover { customer, scheme: scheme as u32, from_date: origin as u32, from, to, reason });
                }
            }
        }
    }
    sort_by_customer(&movers, part.customers.len(), |mover| mover.customer)
}

/// Counts the movers of a date.
pub(super) fn count(part: PartView<'_>, date: usize, movers: &[Mover], counts: &mut BTreeMap<MoverKey, i64>) {
    for mover in movers {
        let Mover { customer, scheme, from_date, from, to, reason } = *mover;
        let slice = part.customers.groups.slice_number(customer);
        *counts.entry(MoverKey { date: date as u32, from_date, slice, scheme, from, to, reason }).or_default() += 1;
    }
}

/// The rows of a date.
pub(super) fn batch(part: PartView<'_>, table: &PartTable, movers: &[Mover]) -> Result<RecordBatch> {
    let (context, labels) = (part.context, &part.context.labels);
    let reasons = [MoveReason::Behaviour, MoveReason::CutPoints];
    let reason_names = Arc::new(StringArray::from_iter_values(reasons.map(MoveReason::name)));
    let reason = |mover: &Mover| Some(u16::from(mover.reason? == MoveReason::CutPoints));
    let state = |of: fn(&Mover) -> u16| {
        let keys = movers.iter().map(|mover| labels.first_states[mover.scheme as usize] + of(mover));
        dictionary(UInt16Array::from_iter_values(keys), &labels.all_states)
    };
    let days = movers.iter().map(|mover| context.job.dates[mover.from_date as usize].date.0);
    let schemes = UInt16Array::from_iter_values(movers.iter().map(|mover| mover.scheme as u16));
    let mut columns = id_and_slice(part.customers, context.id, labels, movers.iter().map(|mover| mover.customer))?;
    columns.extend([
        ("scheme", dictionary(schemes, &labels.schemes)?),
        ("from_as_of", Arc::new(Date32Array::from_iter_values(days)) as ArrayRef),
        ("from_state", state(|mover| mover.from)?),
        ("to_state", state(|mover| mover.to)?),
        ("reason", dictionary(UInt16Array::from_iter(movers.iter().map(reason)), &reason_names)?),
    ]);
    table.batch(columns)
}
