//! From sums to the batches of the tables that are one file per run.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    StringDictionaryBuilder,
};
use arrow::datatypes::{DataType, UInt16Type};

use crate::domain::{AsOf, Day, Lookback};
use crate::error::{Error, Result};
use crate::input::orders::ledger::{OutcomeNames, RowCounts, RowOutcome};
use crate::input::source::Source;
use crate::job::Job;
use crate::job::raw::Closed;
use crate::measure::UNKNOWN_NAME;
use crate::movement::{
    CohortKey, CohortSum, Cohorts, Concentration, GrowthKey, GrowthStatus, GrowthSum, TransitionKey, TransitionSum,
};
use crate::plan::{Plan, SchemeColumn};
use crate::scheme::{NONE, OUTSIDE, State, colour};
use crate::score::{Axis, Cut, DateScoring};
use crate::stats::wilson;
use crate::tables::{SegmentRow, TableDefinition};

/// Names behind the numbers of rows.
pub(crate) struct Names<'a> {
    pub slices: &'a [String],
    pub schemes: &'a [SchemeColumn],
    /// Dimensions with their values in order.
    pub dimensions: &'a [(&'a str, &'a [String])],
}

impl Names<'_> {
    /// Who never ordered has the number after the last slice.
    fn slice(&self, number: usize) -> &str {
        let absent = if self.slices.is_empty() { "(all)" } else { NONE };
        self.slices.get(number).map_or(absent, String::as_str)
    }

    /// A dimension, of which 0 is everybody, and one of its values.
    fn dimension(&self, number: u32, value: u32) -> (&str, &str) {
        let dimension = number.checked_sub(1).and_then(|at| self.dimensions.get(at as usize));
        dimension
            .map_or(("(all)", "(all)"), |(name, values)| (name, values.get(value as usize).map_or(UNKNOWN_NAME, String::as_str)))
    }

    fn scheme(&self, number: usize) -> String {
        self.schemes.get(number).map_or_else(String::new, |s| s.column.clone())
    }

    fn state(&self, scheme: usize, state: usize) -> String {
        self.schemes.get(scheme).and_then(|s| s.scheme.all_states().get(state).cloned()).unwrap_or_default()
    }

    /// Place of a state in the order of the ladder.
    fn rank(&self, scheme: usize, state: usize) -> usize {
        self.schemes.get(scheme).map_or(0, |s| s.scheme.rank(state))
    }
}

fn states_array(values: impl Iterator<Item = String>) -> ArrayRef {
    let mut builder = StringDictionaryBuilder::<UInt16Type>::new();
    for value in values {
        builder.append_value(value);
    }
    Arc::new(builder.finish())
}

pub(crate) fn decimals(values: impl Iterator<Item = Option<i128>>, scale: i8) -> ArrayRef {
    let array: Decimal128Array = values.collect();
    Arc::new(array.with_data_type(DataType::Decimal128(38, scale)))
}

pub(crate) fn batch_of(table: &TableDefinition, arrays: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(table.schema(true), arrays)
        .map_err(|e| Error::bug(format!("table {} cannot be put together: {e}", table.name)).caused_by(e))
}

struct CutRow {
    date: Day,
    slice: String,
    axis: &'static str,
    bin: i32,
    lower: Option<(f64, String)>,
    upper: Option<(f64, String)>,
    closed: Closed,
    customers: i64,
}

/// `cutpoints`.
pub(crate) fn cutpoints(
    job: &Job,
    plan: &Plan,
    scoring: &[DateScoring],
    names: &Names<'_>,
    table: &TableDefinition,
) -> Result<RecordBatch> {
    let mut rows: Vec<CutRow> = Vec::new();
    for (at, date) in job.shown() {
        for (number, slice) in scoring[at].iter().enumerate() {
            for axis in Axis::ALL {
                let at = axis as usize;
                let scale = if axis == Axis::Monetary { job.monetary_scale() } else { 0 };
                if let Some(points) = &slice.cuts[at] {
                    let bound = |cut: Option<&Cut>| cut.and_then(|c| c.ratio()).map(|r| (r.printed(scale), r.to_string()));
                    for (bin, customers) in slice.bins[at].iter().enumerate() {
                        rows.push(CutRow {
                            date: date.date,
                            slice: names.slice(number).into(),
                            axis: axis.name(),
                            bin: bin as i32 + 1,
                            lower: bin.checked_sub(1).and_then(|b| bound(points.cuts.get(b))),
                            upper: bound(points.cuts.get(bin)),
                            closed: points.closed,
                            customers: *customers as i64,
                        });
                    }
                }
            }
            for axis in Axis::ALL.into_iter().filter(|_| plan.uses_levels()) {
                let Some(levels) = &slice.levels else { continue };
                let (level, sides) = (&levels[axis as usize], slice.level_sides[axis as usize]);
                let scale = if axis == Axis::Monetary && !level.of_score { job.monetary_scale() } else { 0 };
                let bound = Some((level.bound.printed(scale), level.bound.to_string()));
                for (bin, customers) in sides.into_iter().enumerate() {
                    rows.push(CutRow {
                        date: date.date,
                        slice: names.slice(number).into(),
                        axis: axis.level_name(),
                        bin: bin as i32 + 1,
                        lower: bound.clone().filter(|_| bin == 1),
                        upper: bound.clone().filter(|_| bin == 0),
                        closed: level.closed(),
                        customers: customers as i64,
                    });
                }
            }
        }
    }
    let end = |of: fn(&CutRow) -> &Option<(f64, String)>| -> (ArrayRef, ArrayRef) {
        let numbers = Float64Array::from_iter(rows.iter().map(|r| of(r).as_ref().map(|e| e.0)));
        let exact = StringArray::from_iter(rows.iter().map(|r| of(r).as_ref().map(|e| e.1.as_str())));
        (Arc::new(numbers), Arc::new(exact))
    };
    let ((lower, lower_exact), (upper, upper_exact)) = (end(|r| &r.lower), end(|r| &r.upper));
    let closed = |r: &CutRow| match r.closed {
        Closed::Right => "right".to_owned(),
        Closed::Left => "left".to_owned(),
    };
    batch_of(
        table,
        vec![
            Arc::new(Date32Array::from_iter_values(rows.iter().map(|r| r.date.0))),
            states_array(rows.iter().map(|r| r.slice.clone())),
            states_array(rows.iter().map(|r| r.axis.to_owned())),
            Arc::new(Int32Array::from_iter_values(rows.iter().map(|r| r.bin))),
            lower,
            upper,
            lower_exact,
            upper_exact,
            states_array(rows.iter().map(closed)),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.customers))),
        ],
    )
}

/// `segments`, states in the order of the ladder.
pub(crate) fn segments(job: &Job, rows: &[SegmentRow], names: &Names<'_>, table: &TableDefinition) -> Result<RecordBatch> {
    let mut rows: Vec<SegmentRow> = rows.to_vec();
    rows.sort_by_key(|r| {
        let [date, slice, dimension, value, scheme, state] = r.key;
        (date, slice, dimension, value, scheme, names.rank(scheme as usize, state as usize))
    });
    let date = |r: &SegmentRow| job.dates.get(r.key[0] as usize).map_or(0, |d| d.date.0);
    let scale = job.scale() as i8;
    let average = job.score.monetary_as == crate::job::raw::MonetaryAs::Average;
    let mean = |r: &SegmentRow, sum: i64| (r.sum.buyers > 0).then(|| sum as f64 / r.sum.buyers as f64);
    batch_of(
        table,
        vec![
            Arc::new(Date32Array::from_iter_values(rows.iter().map(date))),
            states_array(rows.iter().map(|r| names.slice(r.key[1] as usize).to_owned())),
            states_array(rows.iter().map(|r| names.dimension(r.key[2], r.key[3]).0.to_owned())),
            states_array(rows.iter().map(|r| names.dimension(r.key[2], r.key[3]).1.to_owned())),
            states_array(rows.iter().map(|r| names.scheme(r.key[4] as usize))),
            states_array(rows.iter().map(|r| names.state(r.key[4] as usize, r.key[5] as usize))),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.sum.customers))),
            Arc::new(Float64Array::from_iter_values(rows.iter().map(SegmentRow::customer_share))),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.sum.orders))),
            decimals(rows.iter().map(|r| Some(r.sum.revenue)), scale),
            Arc::new(Float64Array::from_iter(rows.iter().map(SegmentRow::revenue_share))),
            decimals(rows.iter().map(SegmentRow::avg_order_value), scale + 2),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.sum.repeat_customers))),
            decimals(rows.iter().map(|r| Some(r.sum.revenue_at_risk)), scale),
            Arc::new(Float64Array::from_iter(rows.iter().map(|r| mean(r, r.sum.recency_days)))),
            Arc::new(Float64Array::from_iter(rows.iter().map(|r| mean(r, r.sum.orders)))),
            decimals(rows.iter().map(|r| r.mean_monetary(average)), scale + 2),
        ],
    )
}

/// `ledger`.
pub(crate) fn ledger(
    tally: &RowCounts,
    fates: &OutcomeNames,
    sources: &[Source],
    table: &TableDefinition,
) -> Result<RecordBatch> {
    let scale = match table.columns.iter().find(|f| f.name == "amount").map(|f| f.kind) {
        Some(crate::tables::ColumnType::Decimal(_, scale)) => scale,
        _ => 0,
    };
    // Several filters on one column are one outcome.
    let mut rows: std::collections::BTreeMap<(usize, RowOutcome, String), (u64, i128)> = std::collections::BTreeMap::new();
    let mut first: std::collections::BTreeMap<String, RowOutcome> = std::collections::BTreeMap::new();
    for (file, fate, count, money) in tally.cells() {
        let name = fates.name(fate);
        let fate = *first.entry(name.clone()).or_insert(fate);
        let cell = rows.entry((file, fate, name)).or_default();
        cell.0 += count;
        cell.1 += money;
    }
    let file = |number: usize| sources.get(number).map_or_else(String::new, |s| s.input.name.clone());
    batch_of(
        table,
        vec![
            Arc::new(StringArray::from_iter_values(rows.keys().map(|(number, _, _)| file(*number)))),
            states_array(rows.keys().map(|(_, _, name)| name.clone())),
            Arc::new(Int64Array::from_iter_values(rows.values().map(|(count, _)| *count as i64))),
            decimals(rows.values().map(|(_, money)| Some(*money)), scale),
        ],
    )
}

/// `transitions`, states in the order of the ladder.
pub(crate) fn transitions(
    job: &Job,
    moves: &[(TransitionKey, TransitionSum)],
    names: &Names<'_>,
    table: &TableDefinition,
) -> Result<RecordBatch> {
    use std::collections::BTreeMap;
    // Sums of all parts, in the order of the rows; and of everybody who comes from a state.
    type Place = ([u32; 6], usize, usize, [u32; 2]);
    let mut rows: BTreeMap<Place, TransitionSum> = BTreeMap::new();
    let mut all: BTreeMap<([u32; 6], usize), i64> = BTreeMap::new();
    for (key, moved) in moves {
        let [date, origin, slice, dimension, value, scheme, from, to] = *key;
        let group = [date, slice, dimension, value, scheme, origin];
        let rank = |state: u32| names.rank(scheme as usize, state as usize);
        rows.entry((group, rank(from), rank(to), [from, to])).or_default().merge(moved);
        *all.entry((group, rank(from))).or_default() += moved.customers;
    }
    let total = |place: &Place| all.get(&(place.0, place.1)).copied().unwrap_or(0);
    let date = |number: u32| job.dates.get(number as usize).map_or(0, |d| d.date.0);
    let state = |place: &Place, which: usize| names.state(place.0[4] as usize, place.3[which] as usize);
    let intervals: Vec<Option<(f64, f64)>> = rows.iter().map(|(place, moved)| wilson(moved.customers, total(place))).collect();
    batch_of(
        table,
        vec![
            Arc::new(Date32Array::from_iter_values(rows.keys().map(|p| date(p.0[0])))),
            states_array(rows.keys().map(|p| names.slice(p.0[1] as usize).to_owned())),
            states_array(rows.keys().map(|p| names.dimension(p.0[2], p.0[3]).0.to_owned())),
            states_array(rows.keys().map(|p| names.dimension(p.0[2], p.0[3]).1.to_owned())),
            states_array(rows.keys().map(|p| names.scheme(p.0[4] as usize))),
            states_array(rows.keys().map(|p| state(p, 0))),
            states_array(rows.keys().map(|p| state(p, 1))),
            Arc::new(Date32Array::from_iter_values(rows.keys().map(|p| date(p.0[5])))),
            Arc::new(Int64Array::from_iter_values(rows.values().map(|m| m.customers))),
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|(p, m)| m.customers as f64 / total(p).max(1) as f64))),
            Arc::new(Float64Array::from_iter(intervals.iter().map(|i| i.map(|i| i.0)))),
            Arc::new(Float64Array::from_iter(intervals.iter().map(|i| i.map(|i| i.1)))),
            decimals(rows.values().map(|m| Some(m.revenue)), job.scale() as i8),
        ],
    )
}

/// `growth`, states in the order of the ladder.
pub(crate) fn growth(
    job: &Job,
    sums: &[(GrowthKey, GrowthSum)],
    names: &Names<'_>,
    table: &TableDefinition,
) -> Result<RecordBatch> {
    let mut rows: std::collections::BTreeMap<([u32; 3], usize, u32), GrowthSum> = std::collections::BTreeMap::new();
    for ([date, slice, scheme, state], sum) in sums {
        let rank = scheme.checked_sub(1).map_or(0, |s| names.rank(s as usize, *state as usize));
        rows.entry(([*date, *slice, *scheme], rank, *state)).or_default().merge(sum);
    }
    let name = |scheme: u32| scheme.checked_sub(1).map_or_else(|| "(all)".into(), |s| names.scheme(s as usize));
    let state = |scheme: u32, state: u32| {
        scheme.checked_sub(1).map_or_else(|| "(all)".into(), |s| names.state(s as usize, state as usize))
    };
    let date = |number: usize| job.dates.get(number).map(|d| d.date.0);
    let count = |of: &dyn Fn(&GrowthSum) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(rows.values().map(of))) };
    let rate = |of: fn(&GrowthSum) -> Option<f64>| -> ArrayRef { Arc::new(Float64Array::from_iter(rows.values().map(of))) };
    batch_of(
        table,
        vec![
            Arc::new(Date32Array::from_iter(rows.keys().map(|k| date(k.0[0] as usize)))),
            states_array(rows.keys().map(|k| names.slice(k.0[1] as usize).to_owned())),
            states_array(rows.keys().map(|k| name(k.0[2]))),
            states_array(rows.keys().map(|k| state(k.0[2], k.2))),
            Arc::new(Date32Array::from_iter(rows.keys().map(|k| job.shown_before(k.0[0] as usize).and_then(date)))),
            count(&GrowthSum::all),
            count(&GrowthSum::active),
            count(&|s| s.of(GrowthStatus::New)),
            count(&|s| s.of(GrowthStatus::Retained)),
            count(&|s| s.of(GrowthStatus::Resurrected)),
            count(&|s| s.of(GrowthStatus::Lapsed)),
            count(&|s| s.of(GrowthStatus::Inactive)),
            count(&GrowthSum::previous_active),
            count(&|s| s.active() - s.previous_active()),
            rate(GrowthSum::retention_rate),
            rate(GrowthSum::churn_rate),
            rate(GrowthSum::reactivation_rate),
            decimals(rows.values().map(|s| Some(s.revenue)), job.scale() as i8),
        ],
    )
}

/// `cohorts`; `spend` is what winning the customers of a period cost, by its first day.
pub(crate) fn cohorts(
    job: &Job,
    sums: &[(CohortKey, CohortSum)],
    spend: &std::collections::BTreeMap<Day, i128>,
    names: &Names<'_>,
    table: &TableDefinition,
) -> Result<RecordBatch> {
    let mut rows: std::collections::BTreeMap<CohortKey, CohortSum> = std::collections::BTreeMap::new();
    for (key, sum) in sums {
        rows.entry(*key).or_default().merge(sum);
    }
    let position: Vec<i32> = {
        let mut shown = -1;
        job.dates
            .iter()
            .map(|d| {
                shown += i32::from(d.shown);
                shown
            })
            .collect()
    };
    let of = |key: &CohortKey| Cohorts::date(key[2]).and_then(|at| job.dates.get(at).map(|d| (at, d)));
    let since = |key: &CohortKey| of(key).and_then(|(at, _)| Some(position.get(key[0] as usize)? - position.get(at)?));
    // What was spent is known of all slices together.
    let spent = |key: &CohortKey| {
        let (_, date) = of(key)?;
        names.slices.is_empty().then(|| spend.get(&date.period_start?).copied())?
    };
    let unit = 10f64.powi(job.scale() as i32);
    let ratio = |part: i64, whole: i64| part as f64 / whole.max(1) as f64;
    let count = |of: fn(&CohortSum) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(rows.values().map(of))) };
    let scale = job.scale() as i8;
    batch_of(
        table,
        vec![
            Arc::new(Date32Array::from_iter(rows.keys().map(|k| job.dates.get(k[0] as usize).map(|d| d.date.0)))),
            states_array(rows.keys().map(|k| names.slice(k[1] as usize).to_owned())),
            Arc::new(Date32Array::from_iter(rows.keys().map(|k| of(k).and_then(|(_, d)| d.period_start).map(|d| d.0)))),
            Arc::new(Date32Array::from_iter(rows.keys().map(|k| of(k).map(|(_, d)| d.date.0)))),
            Arc::new(Int32Array::from_iter(rows.keys().map(since))),
            count(|s| s.customers),
            count(|s| s.active),
            Arc::new(Float64Array::from_iter_values(rows.values().map(|s| ratio(s.active, s.customers)))),
            count(|s| s.repeat),
            Arc::new(Float64Array::from_iter_values(rows.values().map(|s| ratio(s.repeat, s.customers)))),
            count(|s| s.orders),
            decimals(rows.values().map(|s| Some(s.revenue)), scale),
            decimals(rows.values().map(|s| Some(s.revenue_to_date)), scale),
            decimals(rows.keys().map(spent), scale),
            Arc::new(Float64Array::from_iter(
                rows.iter().map(|(k, s)| spent(k).map(|spent| spent as f64 / unit / s.customers.max(1) as f64)),
            )),
            Arc::new(Float64Array::from_iter(
                rows.iter().map(|(k, s)| spent(k).filter(|x| *x > 0).map(|spent| s.revenue_to_date as f64 / spent as f64)),
            )),
        ],
    )
}

/// `concentration`; the rows have numbers of date and slice.
pub(crate) fn concentration(
    job: &Job,
    rows: &[(usize, usize, Concentration)],
    names: &Names<'_>,
    table: &TableDefinition,
) -> Result<RecordBatch> {
    let share = |of: &dyn Fn(&Concentration) -> Option<f64>| -> ArrayRef {
        Arc::new(Float64Array::from_iter(rows.iter().map(|r| of(&r.2))))
    };
    batch_of(
        table,
        vec![
            Arc::new(Date32Array::from_iter(rows.iter().map(|r| job.dates.get(r.0).map(|d| d.date.0)))),
            states_array(rows.iter().map(|r| names.slice(r.1).to_owned())),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.2.customers))),
            decimals(rows.iter().map(|r| Some(r.2.revenue)), job.scale() as i8),
            share(&|c| c.top_shares[0]),
            share(&|c| c.top_shares[1]),
            share(&|c| c.top_shares[2]),
            share(&|c| c.gini),
        ],
    )
}

/// `dim_state`, states in the order of the ladder.
pub(crate) fn dim_state(plan: &Plan, table: &TableDefinition) -> Result<RecordBatch> {
    struct Row<'a> {
        column: &'a str,
        name: String,
        rank: Option<usize>,
        places: usize,
        state: Option<&'a State>,
        action: Option<&'a str>,
    }
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (column, actions) in plan.schemes.iter().zip(&plan.playbook) {
        let scheme = &column.scheme;
        let names = scheme.all_states();
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by_key(|state| scheme.rank(*state));
        rows.extend(order.into_iter().enumerate().map(|(place, state)| Row {
            column: &column.column,
            name: names.get(state).cloned().unwrap_or_default(),
            rank: scheme.states.get(state).map(|_| place),
            places: scheme.states.len(),
            state: scheme.states.get(state),
            action: actions.get(state).and_then(Option::as_deref),
        }));
    }
    let label = |row: &Row<'_>, language: &str| row.state.and_then(|s| s.labels.get(language)).cloned();
    let english = rows.iter().map(|r| Some(label(r, "en").unwrap_or_else(|| r.name.clone())));
    let colours = rows.iter().map(|r| r.rank.map_or_else(|| OUTSIDE.to_owned(), |place| colour(place, r.places)));
    batch_of(
        table,
        vec![
            states_array(rows.iter().map(|r| r.column.to_owned())),
            states_array(rows.iter().map(|r| r.name.clone())),
            Arc::new(Int32Array::from_iter(rows.iter().map(|r| r.rank.map(|place| place as i32 + 1)))),
            Arc::new(StringArray::from_iter(english)),
            Arc::new(StringArray::from_iter(rows.iter().map(|r| label(r, "zh-Hans")))),
            Arc::new(StringArray::from_iter(
                rows.iter().map(|r| r.state.map(|s| s.definition.as_str()).filter(|d| !d.is_empty())),
            )),
            Arc::new(StringArray::from_iter(rows.iter().map(|r| r.action))),
            Arc::new(StringArray::from_iter_values(colours)),
        ],
    )
}

/// `dim_period`.
pub(crate) fn dim_period(job: &Job, history_complete: &[bool], table: &TableDefinition) -> Result<RecordBatch> {
    let shown: Vec<(usize, &AsOf)> = job.shown().collect();
    let year_before = |date: &AsOf| {
        let day = Lookback::Months(12).start(date.date).map(Day::previous)?;
        shown.iter().find(|(_, other)| other.date == day).map(|_| day.0)
    };
    let day = |day: Option<Day>| day.map(|d| d.0);
    batch_of(
        table,
        vec![
            Arc::new(Date32Array::from_iter_values(shown.iter().map(|(_, d)| d.date.0))),
            Arc::new(Date32Array::from_iter(shown.iter().map(|(_, d)| day(d.period_start)))),
            Arc::new(Date32Array::from_iter(shown.iter().map(|(_, d)| day(d.period_end)))),
            Arc::new(StringArray::from_iter(shown.iter().map(|(at, _)| job.labels.get(*at).map(String::as_str)))),
            Arc::new(Date32Array::from_iter(shown.iter().map(|(_, d)| year_before(d)))),
            Arc::new(BooleanArray::from_iter(shown.iter().map(|(_, d)| Some(d.period_end.is_some_and(|end| end > d.date))))),
            Arc::new(BooleanArray::from_iter(shown.iter().map(|(at, _)| history_complete.get(*at).copied()))),
        ],
    )
}
