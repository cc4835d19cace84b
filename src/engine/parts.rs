//! `customers`, part by part: every part holds a range of customer hashes, sorted by slice and id, and is classified and
//! encoded on its own for all as-of dates.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, StringBuilder, UInt16Array, new_empty_array,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Int8Type, Int16Type, Int32Type, Int64Type, SchemaRef, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};

use super::cuts::{Context, DateScoring, compare_ids, is_scored};
use super::plan::OutputColumn;
use crate::domain::{CustomerIds, Day, IdType};
use crate::error::{Error, Result};
use crate::measure::{BucketPanel, Column, NULL_INT, NULL_LONG};
use crate::scheme::{Classifier, Subject};
use crate::score::{self, Axis};
use crate::table::{ColumnType, Encoded, SegmentSum, TableDefinition, encode};

/// Customers per part, at most about.
const PART_CUSTOMERS: usize = 1 << 17;

/// How many parts a table of so many customers has: a power of two that depends on nothing else.
pub fn count(customers: usize) -> usize {
    customers.div_ceil(PART_CUSTOMERS).next_power_of_two().clamp(1, 1 << crate::scan::PART_BITS)
}

/// What a part needs besides its panels.
pub struct Writer<'a> {
    pub context: &'a Context<'a>,
    pub scoring: &'a [DateScoring],
    /// Per scheme column: the classifier of every slice number.
    pub classifiers: Vec<Vec<Classifier>>,
    /// Per scheme column: names of all states.
    pub states: Vec<Arc<StringArray>>,
    /// Slice values in order.
    pub slices: Arc<StringArray>,
    pub history_complete: Vec<bool>,
    pub id: IdType,
    pub table: &'a TableDefinition,
    pub schema: SchemaRef,
    /// Whether the table is asked for; the segments are summed in any case.
    pub write: bool,
}

/// A part, done.
pub struct Part {
    /// Encoded file per as-of date; `None` if not asked for, or without rows in a part other than the first.
    pub files: Vec<Option<Encoded>>,
    /// Sums per (date, slice, scheme, state).
    pub sums: Vec<([u32; 4], SegmentSum)>,
}

/// A row of the part at one date.
#[derive(Debug, Clone, Copy)]
struct Row {
    bucket: u32,
    row: u32,
    slice: u32,
    /// Place of the customer in the part, the same at all dates.
    place: u32,
    /// Scores; 0 if unscored.
    scores: [u8; 3],
}

/// No state before.
const NO_STATE: u16 = u16::MAX;

impl Writer<'_> {
    /// Classifies and encodes a part; `buckets` are the numbers of its buckets.
    pub fn part(&self, number: usize, buckets: Range<usize>) -> Result<Part> {
        let panels = self.context.panels;
        let mut customers: Vec<(u32, u32, u32)> = Vec::new();
        for bucket in buckets.clone() {
            let panel = &panels[bucket];
            customers.extend((0..panel.ids.len() as u32).map(|c| (self.context.slice(panel, c) as u32, bucket as u32, c)));
        }
        let id = |entry: &(u32, u32, u32)| (&panels[entry.1 as usize].ids, entry.2 as usize);
        sort_customers(&mut customers, panels);
        debug_assert!(customers.is_sorted_by(|a, b| a.0 < b.0 || (a.0 == b.0 && compare_ids(id(a), id(b)).is_le())));
        let schemes = self.classifiers.len();
        let mut previous: Vec<Vec<u16>> = vec![vec![NO_STATE; customers.len()]; schemes];
        let mut since: Vec<Vec<i32>> = vec![vec![NULL_INT; customers.len()]; schemes];
        let mut files = Vec::with_capacity(self.scoring.len());
        let mut sums = Vec::new();
        for date in 0..self.scoring.len() {
            let (rows, columns) = self.rows(date, &buckets, &customers);
            let states: Vec<Vec<u16>> = (0..schemes).map(|scheme| self.states(date, scheme, &rows, &columns)).collect();
            let before: Vec<Vec<u16>> = previous.iter().map(|p| rows.iter().map(|r| p[r.place as usize]).collect()).collect();
            let as_of = self.context.job.dates[date].date;
            for scheme in 0..schemes {
                for (row, state) in rows.iter().zip(&states[scheme]) {
                    let place = row.place as usize;
                    if previous[scheme][place] != *state {
                        since[scheme][place] = as_of.0;
                    }
                }
                // Who is not listed has no state, so a later return begins anew.
                previous[scheme].fill(NO_STATE);
                for (row, state) in rows.iter().zip(&states[scheme]) {
                    previous[scheme][row.place as usize] = *state;
                }
                self.add_sums(date, scheme, &rows, &columns, &states[scheme], &mut sums);
            }
            if self.write && (number == 0 || !rows.is_empty()) {
                let batch = self.batch(date, &rows, &columns, &states, &before, &since)?;
                files.push(Some(encode(self.table, &self.schema, &batch, &self.context.job.raw.name)?));
            } else {
                files.push(None);
            }
        }
        Ok(Part { files, sums })
    }

    /// The rows of a date in the order of the customers, scored, and their measures in the same order.
    fn rows(&self, date: usize, buckets: &Range<usize>, customers: &[(u32, u32, u32)]) -> (Vec<Row>, Vec<Column>) {
        const ABSENT: u32 = u32::MAX;
        let panels = &self.context.panels[buckets.clone()];
        let row_of: Vec<Vec<u32>> = panels
            .iter()
            .map(|bucket| {
                let mut rows = vec![ABSENT; bucket.ids.len()];
                for (row, customer) in bucket.dates[date].customers.iter().enumerate() {
                    rows[*customer as usize] = row as u32;
                }
                rows
            })
            .collect();
        let mut rows = Vec::with_capacity(customers.len());
        for (place, &(slice, bucket, customer)) in customers.iter().enumerate() {
            let row = row_of[bucket as usize - buckets.start][customer as usize];
            if row != ABSENT {
                rows.push(Row { bucket, row, slice, place: place as u32, scores: [0; 3] });
            }
        }
        let columns: Vec<Column> =
            (0..self.context.plan.fold.measures.len()).map(|at| gather(panels, buckets.start, date, at, &rows)).collect();
        self.score(&self.scoring[date], &mut rows, &columns);
        (rows, columns)
    }

    fn score(&self, scoring: &DateScoring, rows: &mut [Row], columns: &[Column]) {
        let context = self.context;
        for axis in Axis::ALL {
            let at = axis as usize;
            let values = &columns[context.plan.axes[at]];
            let mut done = 0;
            // Rows are sorted by slice, so its cut points are looked up once.
            for of_slice in rows.chunk_by_mut(|a, b| a.slice == b.slice) {
                let slice = of_slice.first().map_or(0, |r| r.slice as usize);
                let scoring_of_slice = &scoring.slices[slice];
                let thresholds = &scoring_of_slice.thresholds[at];
                let scores: Vec<u8> = match &scoring_of_slice.cuts[at] {
                    Some(cuts) => (0..=thresholds.len()).map(|bin| cuts.score_of_bin(bin)).collect(),
                    None => Vec::new(),
                };
                for (row, own) in of_slice.iter_mut().enumerate() {
                    own.scores[at] = match &scoring.tiles[at] {
                        Some(tiles) => tiles[own.bucket as usize][own.row as usize],
                        None if scores.is_empty() => 0,
                        None => scores[score::bin(thresholds, values.get(done + row).unwrap_or(0))],
                    };
                }
                done += of_slice.len();
            }
        }
        if !context.only.is_empty() {
            for (row, own) in rows.iter_mut().enumerate() {
                if !is_scored(&context.only, columns, row, &context.scales) {
                    own.scores = [0; 3];
                }
            }
        }
    }

    fn states(&self, date: usize, scheme: usize, rows: &[Row], columns: &[Column]) -> Vec<u16> {
        let axes = self.context.plan.axes;
        let levels_of = |slice: u32| self.scoring[date].slices[slice as usize].levels.as_ref();
        rows.iter()
            .enumerate()
            .map(|(row, own)| {
                let high = levels_of(own.slice).map_or([false; 3], |levels| {
                    Axis::ALL.map(|axis| {
                        let at = axis as usize;
                        levels[at].is_high(columns[axes[at]].get(row).unwrap_or(0), own.scores[at])
                    })
                });
                let scores = (own.scores != [0; 3]).then_some(own.scores);
                self.classifiers[scheme][own.slice as usize].state(Subject { scores, high }, columns, row) as u16
            })
            .collect()
    }

    fn add_sums(
        &self,
        date: usize,
        scheme: usize,
        rows: &[Row],
        columns: &[Column],
        states: &[u16],
        sums: &mut Vec<([u32; 4], SegmentSum)>,
    ) {
        let plan = self.context.plan;
        let (Some(revenue), Some(risk)) = (plan.revenue, plan.revenue_at_risk) else { return };
        let [recency, frequency, monetary] = plan.axes;
        let value = |column: usize, row: usize| columns[column].get(row).unwrap_or(0);
        let mut row = 0;
        // Rows are sorted by slice, so each slice is summed in one dense table.
        for of_slice in rows.chunk_by(|a, b| a.slice == b.slice) {
            let mut dense: Vec<SegmentSum> = vec![SegmentSum::default(); self.states[scheme].len()];
            for _ in of_slice {
                let sum = &mut dense[usize::from(states[row])];
                let orders = value(frequency, row);
                sum.customers += 1;
                sum.orders += orders;
                sum.repeat_customers += i64::from(orders >= 2);
                sum.recency_days += value(recency, row);
                sum.revenue += i128::from(value(revenue, row));
                sum.revenue_at_risk += i128::from(value(risk, row));
                sum.monetary += i128::from(value(monetary, row));
                row += 1;
            }
            let slice = of_slice.first().map_or(0, |r| r.slice);
            for (state, sum) in dense.into_iter().enumerate().filter(|(_, s)| s.customers > 0) {
                sums.push(([date as u32, slice, scheme as u32, state as u32], sum));
            }
        }
    }

    fn batch(
        &self,
        date: usize,
        rows: &[Row],
        columns: &[Column],
        states: &[Vec<u16>],
        before: &[Vec<u16>],
        since: &[Vec<i32>],
    ) -> Result<RecordBatch> {
        let mut arrays: Vec<ArrayRef> = vec![self.ids(date, rows)];
        if self.context.job.raw.orders.slice.is_some() {
            let keys = UInt16Array::from_iter(rows.iter().map(|r| u16::try_from(r.slice).ok()));
            arrays.push(dictionary(keys, &self.slices)?);
        }
        for (field, column) in &self.context.plan.columns {
            arrays.push(match *column {
                OutputColumn::Measure(at) => self.measure(&columns[at], at, field.kind),
                OutputColumn::Score(axis) => {
                    let scores = rows.iter().map(|r| (r.scores != [0; 3]).then_some(i32::from(r.scores[axis as usize])));
                    Arc::new(Int32Array::from_iter(scores))
                }
                OutputColumn::State(scheme) => {
                    dictionary(UInt16Array::from_iter_values(states[scheme].iter().copied()), &self.states[scheme])?
                }
                OutputColumn::Previous(scheme) => {
                    let keys = before[scheme].iter().map(|s| (*s != NO_STATE).then_some(*s));
                    dictionary(UInt16Array::from_iter(keys), &self.states[scheme])?
                }
                OutputColumn::Since(scheme) => {
                    // Null at the first date: nothing is known of before.
                    let days = rows.iter().map(|r| Some(since[scheme][r.place as usize]).filter(|d| date > 0 && *d != NULL_INT));
                    Arc::new(Date32Array::from_iter(days))
                }
                OutputColumn::HistoryComplete => Arc::new(BooleanArray::from(vec![self.history_complete[date]; rows.len()])),
            });
        }
        RecordBatch::try_new(self.schema.clone(), arrays)
            .map_err(|e| Error::bug(format!("customers cannot be put together: {e}")))
    }

    fn ids(&self, date: usize, rows: &[Row]) -> ArrayRef {
        let panels = self.context.panels;
        let customer = |row: &Row| {
            let bucket: &BucketPanel = &panels[row.bucket as usize];
            (&bucket.ids, bucket.dates[date].customers[row.row as usize] as usize)
        };
        if self.id == IdType::Text {
            let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * 12);
            for row in rows {
                if let (CustomerIds::Text(ids), at) = customer(row) {
                    builder.append_value(String::from_utf8_lossy(ids.get(at)));
                }
            }
            return Arc::new(builder.finish());
        }
        let key = |row: &Row| match customer(row) {
            (CustomerIds::Int(ids), at) => ids.get(at).copied().unwrap_or(0),
            _ => 0,
        };
        macro_rules! integers {
            ($type:ty) => {{
                let values = rows.iter().map(|r| key(r) as <$type as ArrowPrimitiveType>::Native);
                Arc::new(arrow::array::PrimitiveArray::<$type>::from_iter_values(values))
            }};
        }
        match self.id {
            IdType::Signed(8) => integers!(Int8Type),
            IdType::Signed(16) => integers!(Int16Type),
            IdType::Signed(32) => integers!(Int32Type),
            IdType::Signed(_) => integers!(Int64Type),
            IdType::Unsigned(8) => integers!(UInt8Type),
            IdType::Unsigned(16) => integers!(UInt16Type),
            IdType::Unsigned(32) => integers!(UInt32Type),
            IdType::Unsigned(_) => {
                let values = rows.iter().map(|r| CustomerIds::unsigned_of_key(key(r)));
                Arc::new(arrow::array::PrimitiveArray::<UInt64Type>::from_iter_values(values))
            }
            IdType::Text => new_empty_array(&DataType::Utf8),
        }
    }

    fn measure(&self, column: &Column, at: usize, kind: ColumnType) -> ArrayRef {
        let may_be_null = self.may_be_null(at);
        match (kind, column) {
            (ColumnType::Int32, Column::Int(values)) => Arc::new(Int32Array::from(values.clone())),
            (ColumnType::Date, Column::Int(values)) if !may_be_null => Arc::new(Date32Array::from(values.clone())),
            (ColumnType::Date, Column::Int(values)) => {
                Arc::new(Date32Array::from_iter(values.iter().map(|v| Some(*v).filter(|v| *v != NULL_INT))))
            }
            (ColumnType::Int64, Column::Long(values)) if !may_be_null => Arc::new(Int64Array::from(values.clone())),
            (ColumnType::Int64, Column::Long(values)) => {
                Arc::new(Int64Array::from_iter(values.iter().map(|v| Some(*v).filter(|v| *v != NULL_LONG))))
            }
            (ColumnType::Decimal(precision, scale), Column::Long(values)) => {
                let array = if may_be_null {
                    values.iter().map(|v| Some(*v).filter(|v| *v != NULL_LONG).map(i128::from)).collect()
                } else {
                    Decimal128Array::from_iter_values(values.iter().map(|v| i128::from(*v)))
                };
                Arc::new(array.with_data_type(DataType::Decimal128(precision, scale)))
            }
            (_, column) => {
                let ratio = |row| column.get_ratio(row).map(|(n, d)| n as f64 / d as f64);
                Arc::new(Float64Array::from_iter((0..column.len()).map(ratio)))
            }
        }
    }

    /// Whether a measure can be null for a listed customer.
    fn may_be_null(&self, at: usize) -> bool {
        use crate::domain::MeasureKind as K;
        self.context.plan.fold.measures.get(at).is_none_or(|m| {
            !matches!(
                m.kind,
                K::FirstOrder
                    | K::LastOrder
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

/// Sorts customers by slice and id. Integer ids are sorted beside their keys, which spares the way to the bucket.
fn sort_customers(customers: &mut [(u32, u32, u32)], panels: &[BucketPanel]) {
    let is_int = panels.iter().any(|p| matches!(p.ids, CustomerIds::Int(_)));
    if is_int {
        let key = |entry: &(u32, u32, u32)| match &panels[entry.1 as usize].ids {
            CustomerIds::Int(ids) => ids.get(entry.2 as usize).copied().unwrap_or(0),
            CustomerIds::Text(_) => 0,
        };
        // One integer to compare: slice, ordered key, and the place, which makes the rest of the entry reachable.
        let mut keyed: Vec<(u128, u32)> = customers
            .iter()
            .zip(0..)
            .map(|(e, place)| ((u128::from(e.0) << 64) | u128::from((key(e) as u64) ^ (1 << 63)), place))
            .collect();
        keyed.sort_unstable_by_key(|k| k.0);
        let before = customers.to_vec();
        for (entry, (_, place)) in customers.iter_mut().zip(keyed) {
            *entry = before[place as usize];
        }
    } else {
        let id = |entry: &(u32, u32, u32)| (&panels[entry.1 as usize].ids, entry.2 as usize);
        customers.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| compare_ids(id(a), id(b))));
    }
}

/// A dictionary column over shared values.
fn dictionary(keys: UInt16Array, values: &Arc<StringArray>) -> Result<ArrayRef> {
    let array = DictionaryArray::try_new(keys, Arc::clone(values) as ArrayRef)
        .map_err(|e| Error::bug(format!("a dictionary column cannot be built: {e}")))?;
    Ok(Arc::new(array))
}

/// The values of a measure in the order of the rows.
fn gather(panels: &[BucketPanel], first: usize, date: usize, at: usize, rows: &[Row]) -> Column {
    let place = |row: &Row| (row.bucket as usize - first, row.row as usize);
    macro_rules! gather {
        ($kind:ident) => {{
            let of_bucket: Vec<&[_]> = panels
                .iter()
                .map(|p| match &p.dates[date].columns[at] {
                    Column::$kind(values) => values.as_slice(),
                    _ => &[],
                })
                .collect();
            let values = rows.iter().map(|row| {
                let (bucket, row) = place(row);
                of_bucket[bucket][row]
            });
            Column::$kind(values.collect())
        }};
    }
    match panels.first().map(|p| &p.dates[date].columns[at]) {
        Some(Column::Int(_)) => gather!(Int),
        Some(Column::Long(_)) => gather!(Long),
        Some(Column::Ratio(_)) | None => gather!(Ratio),
    }
}

/// The first day of data that is too late for a window: whether the history of a date is complete.
pub fn is_complete(earliest_window: Option<Day>, first_order: Option<Day>) -> bool {
    match (earliest_window, first_order) {
        (Some(window), Some(first)) => window >= first,
        _ => true,
    }
}
