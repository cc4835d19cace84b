//! The table `customers`: one row per listed customer at a date.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch, UInt16Array,
};
use arrow::datatypes::{DataType, Decimal64Type};

use super::arrays::{dictionary, id_and_slice};
use super::context::{DateRows, PartView};
use super::part_table::{PartTable, type_in_memory};
use crate::domain::MeasureKind;
use crate::error::Result;
use crate::measure::{Column, NULL_INT, NULL_LONG};
use crate::movement::ABSENT;
use crate::plan::OutputColumn;
use crate::score::Axis;
use crate::tables::ColumnType;

/// The rows of a date.
pub(super) fn batch(part: PartView<'_>, table: &PartTable, date: &DateRows) -> Result<RecordBatch> {
    let (context, customers) = (part.context, part.customers);
    let (labels, rows) = (&context.labels, &date.rows);
    let mut columns = Vec::with_capacity(context.plan.columns.len() + 2);
    columns.extend(id_and_slice(customers, context.id, labels, rows.customers.iter().copied())?);
    for (field, column) in &context.plan.columns {
        let array = match *column {
            OutputColumn::Measure(at) => measure(part, &rows.columns[at], at, field.kind)?,
            OutputColumn::Dimension(at) => {
                let value = |customer: &u32| customers.groups.value(at, *customer)?.try_into().ok();
                dictionary(UInt16Array::from_iter(rows.customers.iter().map(value)), &labels.dimensions[at])?
            }
            OutputColumn::Score(axis) => score(date, axis, context.rules.scores_all()),
            OutputColumn::State(scheme) => {
                let keys = date.states[scheme].iter().copied();
                dictionary(UInt16Array::from_iter_values(keys), &labels.states[scheme])?
            }
            OutputColumn::Previous(scheme) => {
                let previous = part.tracker.previous_states(date.date, scheme);
                let key = |customer: &u32| Some(previous?[*customer as usize]).filter(|state| *state != ABSENT);
                dictionary(UInt16Array::from_iter(rows.customers.iter().map(key)), &labels.states[scheme])?
            }
            OutputColumn::Since(scheme) => {
                // Null without an earlier date: nothing is known of before.
                let is_known = !context.job.origins[date.date].is_empty();
                let days = rows.customers.iter().map(|c| is_known.then(|| part.tracker.since(scheme, *c).0));
                Arc::new(Date32Array::from_iter(days))
            }
            OutputColumn::Action => {
                let keys = (0..rows.len()).map(|row| labels.action(&date.states, row));
                dictionary(UInt16Array::from_iter(keys), &labels.actions)?
            }
            OutputColumn::HistoryComplete => Arc::new(BooleanArray::from(vec![context.history_complete[date.date]; rows.len()])),
        };
        columns.push((field.name.as_str(), array));
    }
    table.batch(columns)
}

fn score(date: &DateRows, axis: Axis, scores_all: bool) -> ArrayRef {
    let scores = &date.scores[axis as usize];
    if scores_all && !scores.contains(&0) {
        return Arc::new(Int32Array::from_iter_values(scores.iter().map(|s| i32::from(*s))));
    }
    let [r, f, m] = &date.scores;
    let is_scored = |row: usize| [r[row], f[row], m[row]] != [0; 3];
    Arc::new(Int32Array::from_iter((0..scores.len()).map(|row| is_scored(row).then_some(i32::from(scores[row])))))
}

/// The measure with index `at` in the plan.
fn measure(part: PartView<'_>, column: &Column, at: usize, kind: ColumnType) -> Result<ArrayRef> {
    let is_nullable = is_nullable(part, at);
    let some_int = |value: &i32| Some(*value).filter(|value| *value != NULL_INT);
    let some_long = |value: &i64| Some(*value).filter(|value| *value != NULL_LONG);
    let integers = |values: &Vec<i64>| match is_nullable {
        true => Int64Array::from_iter(values.iter().map(some_long)),
        false => Int64Array::from(values.clone()),
    };
    Ok(match (kind, column) {
        (ColumnType::State, Column::Int(values)) => {
            let keys = values.iter().map(|value| u16::try_from(*value).ok());
            dictionary(UInt16Array::from_iter(keys), &part.context.labels.categories)?
        }
        (ColumnType::Int32, Column::Int(values)) if !is_nullable => Arc::new(Int32Array::from(values.clone())),
        (ColumnType::Int32, Column::Int(values)) => Arc::new(Int32Array::from_iter(values.iter().map(some_int))),
        (_, Column::Double(_)) => Arc::new(Float64Array::from_iter((0..column.len()).map(|row| column.get_double(row)))),
        (ColumnType::Date, Column::Int(values)) if !is_nullable => Arc::new(Date32Array::from(values.clone())),
        (ColumnType::Date, Column::Int(values)) => Arc::new(Date32Array::from_iter(values.iter().map(some_int))),
        (ColumnType::Int64, Column::Long(values)) => Arc::new(integers(values)),
        (ColumnType::Decimal(..), Column::Long(values)) => match type_in_memory(&kind.arrow()) {
            money @ DataType::Decimal64(..) => {
                Arc::new(integers(values).reinterpret_cast::<Decimal64Type>().with_data_type(money))
            }
            wide => {
                let array: Decimal128Array = integers(values).iter().map(|value| value.map(i128::from)).collect();
                Arc::new(array.with_data_type(wide))
            }
        },
        (_, column) => {
            let ratio = |row| column.get_ratio(row).map(|(n, d)| n as f64 / d as f64);
            Arc::new(Float64Array::from_iter((0..column.len()).map(ratio)))
        }
    })
}

/// Whether a measure can be null for a listed customer.
fn is_nullable(part: PartView<'_>, at: usize) -> bool {
    use MeasureKind as K;
    // A customers table lists customers without an order, whose measures are null.
    if part.context.job.raw.customers.is_some() {
        return true;
    }
    part.context.plan.fold.measures.get(at).is_none_or(|measure| {
        !matches!(
            measure.kind,
            K::FirstOrder
                | K::LastOrder
                | K::RecencyDays
                | K::TenureDays
                | K::Frequency
                | K::Monetary
                | K::Revenue
                | K::LifetimeOrders
                | K::LifetimeMonetary
                | K::AnnualValue
        )
    })
}
