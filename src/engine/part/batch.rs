//! From a part's rows to the Arrow batches of the tables with a row per customer.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array,
    Int64Array, PrimitiveArray, RecordBatch, StringArray, StringBuilder, UInt16Array,
};
use arrow::datatypes::{
    DECIMAL64_MAX_PRECISION, DataType, Decimal64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};

use super::customers::PartCustomers;
use super::movement::{MovementTracker, Mover};
use super::rows::CustomerRows;
use super::{PartContext, PartTable, panel_of, wrong};
use crate::domain::{CustomerIds, IdType, MeasureKind};
use crate::error::{Error, Result};
use crate::measure::{BucketPanel, Column, NULL_INT, NULL_LONG};
use crate::movement::{ABSENT, StateSpell};
use crate::plan::OutputColumn;
use crate::score::Axis;
use crate::tables::ColumnType;

impl PartContext<'_> {
    /// `customers` at a date.
    #[allow(clippy::too_many_arguments, reason = "all that is known of a date meets here")]
    pub(super) fn customers(
        &self,
        table: &PartTable,
        date: usize,
        panels: &[BucketPanel],
        customers: &PartCustomers,
        rows: &CustomerRows,
        states: &[Vec<u16>],
        movement: &MovementTracker<'_>,
    ) -> Result<RecordBatch> {
        let mut arrays = self.who(panels, customers, rows.customers.iter().copied())?;
        for (field, column) in &self.plan.columns {
            arrays.push(match *column {
                OutputColumn::Measure(at) => self.measure(&rows.columns[at], at, field.kind)?,
                OutputColumn::Dimension(at) => {
                    let value = |place: &u32| customers.value(at, *place).try_into().ok();
                    dictionary(UInt16Array::from_iter(rows.customers.iter().map(value)), &self.dimensions[at])?
                }
                OutputColumn::Score(axis) => self.score_array(rows, axis),
                OutputColumn::State(scheme) => {
                    dictionary(UInt16Array::from_iter_values(states[scheme].iter().copied()), &self.states[scheme])?
                }
                OutputColumn::Previous(scheme) => {
                    let before = movement.previous(self.job, date, scheme, rows);
                    let keys = before.iter().map(|s| (*s != ABSENT).then_some(*s));
                    dictionary(UInt16Array::from_iter(keys), &self.states[scheme])?
                }
                OutputColumn::Since(scheme) => {
                    // Null without an earlier date: nothing is known of before.
                    let known = !self.job.origins[date].is_empty();
                    let days = rows.customers.iter().map(|p| known.then(|| movement.since(scheme, *p).0));
                    Arc::new(Date32Array::from_iter(days))
                }
                OutputColumn::Action => self.actions(states, rows.len())?,
                OutputColumn::HistoryComplete => Arc::new(BooleanArray::from(vec![self.history_complete[date]; rows.len()])),
            });
        }
        RecordBatch::try_new(table.batch.clone(), arrays).map_err(|e| wrong(&table.definition, e))
    }

    /// `movers` at a date.
    pub(super) fn movers(
        &self,
        table: &PartTable,
        panels: &[BucketPanel],
        customers: &PartCustomers,
        movers: &[Mover],
    ) -> Result<RecordBatch> {
        let (names, first) = self.all_states();
        let schemes = Arc::new(StringArray::from_iter_values(self.plan.schemes.iter().map(|s| s.column.as_str())));
        let reasons = Arc::new(StringArray::from(vec!["behaviour", "cut_points"]));
        let state = |of: fn(&Mover) -> u16| {
            let keys = movers.iter().map(|m| first[m.scheme as usize] + of(m));
            dictionary(UInt16Array::from_iter_values(keys), &names)
        };
        let mut arrays = self.who(panels, customers, movers.iter().map(|m| m.place))?;
        arrays.extend([
            dictionary(UInt16Array::from_iter_values(movers.iter().map(|m| m.scheme as u16)), &schemes)?,
            Arc::new(Date32Array::from_iter_values(movers.iter().map(|m| self.job.dates[m.from_date as usize].date.0))),
            state(|m| m.from)?,
            state(|m| m.to)?,
            dictionary(UInt16Array::from_iter(movers.iter().map(|m| m.behaviour.map(|b| u16::from(!b)))), &reasons)?,
        ]);
        RecordBatch::try_new(table.schema.clone(), arrays).map_err(|e| wrong(&table.definition, e))
    }

    /// `state_history`.
    pub(super) fn state_history(
        &self,
        table: &PartTable,
        panels: &[BucketPanel],
        customers: &PartCustomers,
        stays: &[(u32, StateSpell)],
    ) -> Result<RecordBatch> {
        let (names, first) = self.all_states();
        let schemes = Arc::new(StringArray::from_iter_values(self.plan.schemes.iter().map(|s| s.column.as_str())));
        let mut arrays = self.who(panels, customers, stays.iter().map(|(_, stay)| stay.place))?;
        let states = stays.iter().map(|(scheme, stay)| first[*scheme as usize] + stay.state);
        arrays.extend([
            dictionary(UInt16Array::from_iter_values(stays.iter().map(|(scheme, _)| *scheme as u16)), &schemes)?,
            dictionary(UInt16Array::from_iter_values(states), &names)?,
            Arc::new(Date32Array::from_iter_values(stays.iter().map(|(_, stay)| stay.from.0))) as ArrayRef,
            Arc::new(Date32Array::from_iter(stays.iter().map(|(_, stay)| stay.to.map(|d| d.0)))),
        ]);
        RecordBatch::try_new(table.schema.clone(), arrays).map_err(|e| wrong(&table.definition, e))
    }

    /// The states of all schemes one after the other, and where each scheme's begin.
    fn all_states(&self) -> (Arc<StringArray>, Vec<u16>) {
        let mut first = Vec::with_capacity(self.states.len());
        let mut total = 0u16;
        for states in &self.states {
            first.push(total);
            total += states.len() as u16;
        }
        let names = self.states.iter().flat_map(|s| s.iter().flatten());
        (Arc::new(StringArray::from_iter_values(names)), first)
    }

    /// `customer_id`, and `slice` where the job has one, of some places.
    fn who(
        &self,
        panels: &[BucketPanel],
        customers: &PartCustomers,
        places: impl Iterator<Item = u32> + Clone,
    ) -> Result<Vec<ArrayRef>> {
        let mut arrays = vec![self.ids(customers, places.clone())];
        if self.job.raw.orders.slice.is_some() {
            let slices = places.map(|place| {
                let (panel, customer) = panel_of(panels, customers.bucket_rows[place as usize]);
                u16::try_from(panel.slice(customer)).ok().filter(|slice| usize::from(*slice) < self.slices.len())
            });
            arrays.push(dictionary(UInt16Array::from_iter(slices), &self.slices)?);
        }
        Ok(arrays)
    }

    fn ids(&self, customers: &PartCustomers, places: impl Iterator<Item = u32>) -> ArrayRef {
        let keys = match &customers.ids {
            CustomerIds::Int(keys) => keys,
            CustomerIds::Text(ids) => {
                let mut builder = StringBuilder::new();
                places.for_each(|place| builder.append_value(String::from_utf8_lossy(ids.get(place as usize))));
                return Arc::new(builder.finish());
            }
        };
        macro_rules! integers {
            ($type:ty) => {{
                let values = places.map(|place| keys[place as usize] as <$type as ArrowPrimitiveType>::Native);
                Arc::new(PrimitiveArray::<$type>::from_iter_values(values))
            }};
        }
        match self.id {
            IdType::Signed(8) => integers!(Int8Type),
            IdType::Signed(16) => integers!(Int16Type),
            IdType::Signed(32) => integers!(Int32Type),
            IdType::Unsigned(8) => integers!(UInt8Type),
            IdType::Unsigned(16) => integers!(UInt16Type),
            IdType::Unsigned(32) => integers!(UInt32Type),
            IdType::Unsigned(_) => {
                let values = places.map(|place| CustomerIds::unsigned_of_key(keys[place as usize]));
                Arc::new(PrimitiveArray::<UInt64Type>::from_iter_values(values))
            }
            IdType::Signed(_) | IdType::Text => integers!(Int64Type),
        }
    }

    fn score_array(&self, rows: &CustomerRows, axis: Axis) -> ArrayRef {
        let scores = &rows.scores[axis as usize];
        if self.only.admits_all() && !scores.contains(&0) {
            return Arc::new(Int32Array::from_iter_values(scores.iter().map(|s| i32::from(*s))));
        }
        let all = (0..rows.len()).map(|row| (rows.score(row) != [0; 3]).then_some(i32::from(scores[row])));
        Arc::new(Int32Array::from_iter(all))
    }

    /// The action of the first scheme column whose state has one.
    pub(super) fn action_of(&self, states: &[Vec<u16>], row: usize) -> Option<&str> {
        let of_schemes = self.plan.playbook.iter().zip(states);
        of_schemes.into_iter().find_map(|(actions, states)| actions.get(usize::from(states[row]))?.as_deref())
    }

    fn actions(&self, states: &[Vec<u16>], rows: usize) -> Result<ArrayRef> {
        let number = |action: &str| self.actions.iter().position(|known| known == Some(action)).map(|n| n as u16);
        let keys = (0..rows).map(|row| self.action_of(states, row).and_then(number));
        dictionary(UInt16Array::from_iter(keys), &self.actions)
    }

    fn measure(&self, column: &Column, at: usize, kind: ColumnType) -> Result<ArrayRef> {
        let may_be_null = self.may_be_null(at);
        Ok(match (kind, column) {
            (ColumnType::State, Column::Int(values)) => {
                let keys = values.iter().map(|v| u16::try_from(*v).ok());
                dictionary(UInt16Array::from_iter(keys), &self.categories)?
            }
            (ColumnType::Int32, Column::Int(values)) if !may_be_null => Arc::new(Int32Array::from(values.clone())),
            (ColumnType::Int32, Column::Int(values)) => {
                Arc::new(Int32Array::from_iter(values.iter().map(|v| Some(*v).filter(|v| *v != NULL_INT))))
            }
            (_, Column::Double(_)) => Arc::new(Float64Array::from_iter((0..column.len()).map(|row| column.get_double(row)))),
            (ColumnType::Date, Column::Int(values)) if !may_be_null => Arc::new(Date32Array::from(values.clone())),
            (ColumnType::Date, Column::Int(values)) => {
                Arc::new(Date32Array::from_iter(values.iter().map(|v| Some(*v).filter(|v| *v != NULL_INT))))
            }
            (ColumnType::Int64, Column::Long(values)) if !may_be_null => Arc::new(Int64Array::from(values.clone())),
            (ColumnType::Int64, Column::Long(values)) => {
                Arc::new(Int64Array::from_iter(values.iter().map(|v| Some(*v).filter(|v| *v != NULL_LONG))))
            }
            (ColumnType::Decimal(..), Column::Long(values)) => {
                let integers = if may_be_null {
                    Int64Array::from_iter(values.iter().map(|v| Some(*v).filter(|v| *v != NULL_LONG)))
                } else {
                    Int64Array::from(values.clone())
                };
                match in_memory(&kind.arrow()) {
                    money @ DataType::Decimal64(..) => {
                        Arc::new(integers.reinterpret_cast::<Decimal64Type>().with_data_type(money))
                    }
                    wide => {
                        let array: Decimal128Array = integers.iter().map(|value| value.map(i128::from)).collect();
                        Arc::new(array.with_data_type(wide))
                    }
                }
            }
            (_, column) => {
                let ratio = |row| column.get_ratio(row).map(|(n, d)| n as f64 / d as f64);
                Arc::new(Float64Array::from_iter((0..column.len()).map(ratio)))
            }
        })
    }

    /// Whether a measure can be null for a listed customer.
    fn may_be_null(&self, at: usize) -> bool {
        use MeasureKind as K;
        // Who never ordered has nothing but null.
        if self.job.raw.customers.is_some() {
            return true;
        }
        self.plan.fold.measures.get(at).is_none_or(|m| {
            !matches!(
                m.kind,
                K::FirstOrder
                    | K::LastOrder
                    | K::RecencyDays
                    | K::TenureDays
                    | K::Frequency
                    | K::Monetary
                    | K::Revenue
                    | K::LifetimeOrders
                    | K::LifetimeMonetary
                    | K::RevenueAtRisk
            )
        })
    }
}

/// The type that a column has in a batch: money has the 64 bits that it takes, and is written in them.
pub(super) fn in_memory(kind: &DataType) -> DataType {
    match kind {
        DataType::Decimal128(precision @ ..=DECIMAL64_MAX_PRECISION, scale) => DataType::Decimal64(*precision, *scale),
        other => other.clone(),
    }
}

/// A dictionary column over shared values.
fn dictionary(keys: UInt16Array, values: &Arc<StringArray>) -> Result<ArrayRef> {
    let array = DictionaryArray::try_new(keys, Arc::clone(values) as ArrayRef)
        .map_err(|e| Error::bug(format!("a dictionary column cannot be built: {e}")))?;
    Ok(Arc::new(array))
}
