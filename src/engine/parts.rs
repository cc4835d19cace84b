//! `customers`, part by part: every part holds a range of customer hashes, sorted by slice and id, and is classified and
//! encoded on its own for all as-of dates.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, StringBuilder, UInt16Array, new_empty_array,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Int8Type, Int16Type, Int32Type, Int64Type, SchemaRef, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};

use super::cuts::{Context, DateScoring, compare_ids, is_scored};
use super::plan::OutputColumn;
use crate::domain::{CustomerIds, Day, IdType, Unit};
use crate::error::{Error, Result};
use crate::measure::{BucketPanel, Column, DatePanel, NULL_INT, NULL_LONG};
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
    pub fn part(&self, number: usize, buckets: std::ops::Range<usize>) -> Result<Part> {
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
            let rows = self.rows(date, &buckets, &customers);
            let states: Vec<Vec<u16>> = (0..schemes).map(|scheme| self.states(date, scheme, &rows)).collect();
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
                self.add_sums(date, scheme, &rows, &states[scheme], &mut sums);
            }
            if self.write && (number == 0 || !rows.is_empty()) {
                let batch = self.batch(date, &rows, &states, &before, &since)?;
                files.push(Some(encode(self.table, &self.schema, &batch, &self.context.job.raw.name)?));
            } else {
                files.push(None);
            }
        }
        Ok(Part { files, sums })
    }

    /// The rows of a date in the order of the customers, scored.
    fn rows(&self, date: usize, buckets: &std::ops::Range<usize>, customers: &[(u32, u32, u32)]) -> Vec<Row> {
        const ABSENT: u32 = u32::MAX;
        let panels = self.context.panels;
        let row_of: Vec<Vec<u32>> = buckets
            .clone()
            .map(|bucket| {
                let mut rows = vec![ABSENT; panels[bucket].ids.len()];
                for (row, customer) in panels[bucket].dates[date].customers.iter().enumerate() {
                    rows[*customer as usize] = row as u32;
                }
                rows
            })
            .collect();
        let scoring = &self.scoring[date];
        let mut out = Vec::with_capacity(customers.len());
        for (place, &(slice, bucket, customer)) in customers.iter().enumerate() {
            let row = row_of[bucket as usize - buckets.start][customer as usize];
            if row == ABSENT {
                continue;
            }
            let panel = &panels[bucket as usize].dates[date];
            let scores = self.scores(scoring, panel, slice as usize, bucket as usize, row as usize);
            out.push(Row { bucket, row, slice, place: place as u32, scores });
        }
        out
    }

    fn scores(&self, scoring: &DateScoring, panel: &DatePanel, slice: usize, bucket: usize, row: usize) -> [u8; 3] {
        let context = self.context;
        if !context.only.is_empty() && !is_scored(&context.only, panel, row, &context.scales) {
            return [0; 3];
        }
        let slice = &scoring.slices[slice];
        Axis::ALL.map(|axis| {
            let at = axis as usize;
            match (&scoring.tiles[at], &slice.cuts[at]) {
                (Some(tiles), _) => tiles[bucket][row],
                (None, Some(cuts)) => {
                    let value = panel.columns[context.plan.axes[at]].get(row).unwrap_or(0);
                    cuts.score_of_bin(score::bin(&slice.thresholds[at], value))
                }
                (None, None) => 0,
            }
        })
    }

    fn states(&self, date: usize, scheme: usize, rows: &[Row]) -> Vec<u16> {
        let context = self.context;
        rows.iter()
            .map(|row| {
                let panel = &context.panels[row.bucket as usize].dates[date];
                let levels = &self.scoring[date].slices[row.slice as usize].levels;
                let high = levels.as_ref().map_or([false; 3], |levels| {
                    Axis::ALL.map(|axis| {
                        let at = axis as usize;
                        let value = panel.columns[context.plan.axes[at]].get(row.row as usize).unwrap_or(0);
                        levels[at].is_high(value, row.scores[at])
                    })
                });
                let scores = (row.scores != [0; 3]).then_some(row.scores);
                let classifier = &self.classifiers[scheme][row.slice as usize];
                classifier.state(Subject { scores, high }, &panel.columns, row.row as usize) as u16
            })
            .collect()
    }

    fn add_sums(&self, date: usize, scheme: usize, rows: &[Row], states: &[u16], sums: &mut Vec<([u32; 4], SegmentSum)>) {
        let plan = self.context.plan;
        let (Some(revenue), Some(risk)) = (plan.revenue, plan.revenue_at_risk) else { return };
        let [recency, frequency, monetary] = plan.axes;
        let mut at = 0;
        // Rows are sorted by slice, so each slice is summed in one dense table.
        for of_slice in rows.chunk_by(|a, b| a.slice == b.slice) {
            let mut dense: Vec<SegmentSum> = vec![SegmentSum::default(); self.states[scheme].len_states()];
            for (row, state) in of_slice.iter().zip(&states[at..]) {
                let columns = &self.context.panels[row.bucket as usize].dates[date].columns;
                let value = |column: usize| columns[column].get(row.row as usize).unwrap_or(0);
                let sum = &mut dense[usize::from(*state)];
                let orders = value(frequency);
                sum.customers += 1;
                sum.orders += orders;
                sum.repeat_customers += i64::from(orders >= 2);
                sum.recency_days += value(recency);
                sum.revenue += i128::from(value(revenue));
                sum.revenue_at_risk += i128::from(value(risk));
                sum.monetary += i128::from(value(monetary));
            }
            let slice = of_slice.first().map_or(0, |r| r.slice);
            for (state, sum) in dense.into_iter().enumerate().filter(|(_, s)| s.customers > 0) {
                sums.push(([date as u32, slice, scheme as u32, state as u32], sum));
            }
            at += of_slice.len();
        }
    }

    fn batch(&self, date: usize, rows: &[Row], states: &[Vec<u16>], before: &[Vec<u16>], since: &[Vec<i32>]) -> Result<RecordBatch> {
        let mut arrays: Vec<ArrayRef> = vec![self.ids(date, rows)];
        if self.context.job.raw.orders.slice.is_some() {
            let keys = UInt16Array::from_iter(rows.iter().map(|r| u16::try_from(r.slice).ok()));
            arrays.push(dictionary(keys, &self.slices)?);
        }
        for (field, column) in &self.context.plan.columns {
            arrays.push(match *column {
                OutputColumn::Measure(at) => self.measure(date, rows, at, field.kind),
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
                OutputColumn::HistoryComplete => {
                    Arc::new(BooleanArray::from(vec![self.history_complete[date]; rows.len()]))
                }
            });
        }
        RecordBatch::try_new(self.schema.clone(), arrays).map_err(|e| Error::bug(format!("customers cannot be put together: {e}")))
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

    fn measure(&self, date: usize, rows: &[Row], at: usize, kind: ColumnType) -> ArrayRef {
        let column = |row: &Row| &self.context.panels[row.bucket as usize].dates[date].columns[at];
        let long = |row: &Row| match column(row) {
            Column::Long(values) => values.get(row.row as usize).copied().unwrap_or(NULL_LONG),
            _ => NULL_LONG,
        };
        let int = |row: &Row| match column(row) {
            Column::Int(values) => values.get(row.row as usize).copied().unwrap_or(NULL_INT),
            _ => NULL_INT,
        };
        let unit = self.context.plan.fold.measures.get(at).map(|m| self.context.plan.fold.unit(*m));
        let never_null = matches!(kind, ColumnType::Int32) || (unit == Some(Unit::Count) && !self.may_be_null(at));
        match kind {
            ColumnType::Int32 => Arc::new(Int32Array::from_iter_values(rows.iter().map(int))),
            ColumnType::Int64 if never_null => Arc::new(Int64Array::from_iter_values(rows.iter().map(long))),
            ColumnType::Int64 => Arc::new(Int64Array::from_iter(rows.iter().map(|r| Some(long(r)).filter(|v| *v != NULL_LONG)))),
            ColumnType::Date => Arc::new(Date32Array::from_iter(rows.iter().map(|r| Some(int(r)).filter(|v| *v != NULL_INT)))),
            ColumnType::Decimal(precision, scale) => {
                let values: Decimal128Array = if self.may_be_null(at) {
                    rows.iter().map(|r| Some(long(r)).filter(|v| *v != NULL_LONG).map(i128::from)).collect()
                } else {
                    Decimal128Array::from_iter_values(rows.iter().map(|r| i128::from(long(r))))
                };
                Arc::new(values.with_data_type(DataType::Decimal128(precision, scale)))
            }
            _ => {
                let ratio = |r: &Row| column(r).get_ratio(r.row as usize).map(|(n, d)| n as f64 / d as f64);
                Arc::new(Float64Array::from_iter(rows.iter().map(ratio)))
            }
        }
    }

    /// Whether a measure can be null for a listed customer.
    fn may_be_null(&self, at: usize) -> bool {
        use crate::domain::MeasureKind as K;
        self.context.plan.fold.measures.get(at).is_none_or(|m| {
            !matches!(m.kind, K::Frequency | K::Monetary | K::Revenue | K::LifetimeOrders | K::LifetimeMonetary | K::RevenueAtRisk)
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
        let mut keyed: Vec<(u32, i64, u32, u32)> = customers.iter().map(|e| (e.0, key(e), e.1, e.2)).collect();
        keyed.sort_unstable();
        for (entry, sorted) in customers.iter_mut().zip(keyed) {
            *entry = (sorted.0, sorted.2, sorted.3);
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

/// Names of states as an array that knows how many they are.
trait States {
    fn len_states(&self) -> usize;
}

impl States for Arc<StringArray> {
    fn len_states(&self) -> usize {
        arrow::array::Array::len(self.as_ref())
    }
}

/// The first day of data that is too late for a window: whether the history of a date is complete.
pub fn is_complete(earliest_window: Option<Day>, first_order: Option<Day>) -> bool {
    match (earliest_window, first_order) {
        (Some(window), Some(first)) => window >= first,
        _ => true,
    }
}
