//! The batches of the tables about strategies.

use std::fmt;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, StringDictionaryBuilder,
};
use arrow::datatypes::UInt16Type;
use rayon::prelude::*;

use crate::domain::Period;
use crate::engine::batches::{batch_of, decimals};
use crate::error::Result;
use crate::evaluate::{ArmSums, BalanceRow, BeforeAfterRow, EffectRow, OverTimeRow, Quantity, VerdictRow};
use crate::stats::{PairSums, Sums, VALUES};
use crate::tables::TableDefinition;

fn names<T: ToString>(values: impl Iterator<Item = Option<T>>) -> ArrayRef {
    let mut builder = StringDictionaryBuilder::<UInt16Type>::new();
    values.for_each(|value| builder.append_option(value.map(|v| v.to_string())));
    Arc::new(builder.finish())
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(StringArray::from_iter(values))
}

/// A column of sentences.
fn sentences<T: fmt::Display>(values: impl Iterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(StringArray::from_iter(values.map(|value| value.map(|v| v.to_string()))))
}

fn counts(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(Int64Array::from_iter(values))
}

fn numbers(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(Float64Array::from_iter(values))
}

fn flags(values: impl Iterator<Item = bool>) -> ArrayRef {
    Arc::new(BooleanArray::from_iter(values.map(Some)))
}

/// First and last days.
fn dates(periods: impl Iterator<Item = Option<Period>> + Clone) -> [ArrayRef; 2] {
    let days = |of: fn(Period) -> i32| Arc::new(Date32Array::from_iter(periods.clone().map(|p| p.map(of)))) as ArrayRef;
    [days(|p| p.start.0), days(|p| p.last_day().0)]
}

/// A column per field, by the function that takes it from a row.
macro_rules! columns {
    ($rows:expr, $($make:ident($($field:tt)+)),+ $(,)?) => {
        vec![$($make($rows.iter().map(|row| columns!(@value row $($field)+)))),+]
    };
    (@value $row:ident some $field:ident) => { Some(&$row.$field) };
    (@value $row:ident count $field:ident) => { Some($row.$field) };
    (@value $row:ident maybe $field:ident) => { $row.$field.as_ref() };
    (@value $row:ident $field:ident) => { $row.$field };
}

/// `effects`.
pub fn effects(rows: &[EffectRow], table: &TableDefinition) -> Result<RecordBatch> {
    let mut arrays = columns!(rows, names(some strategy));
    arrays.extend(dates(rows.iter().map(|row| Some(row.period))));
    arrays.extend(columns!(
        rows,
        names(some phase),
        names(some arm),
        names(some outcome),
        names(some scheme),
        names(some state),
        names(some method),
        names(some design),
        flags(headline),
        counts(count n_treated),
        counts(count n_control),
        numbers(mean_treated),
        numbers(mean_control),
        numbers(difference),
        numbers(ci_low),
        numbers(ci_high),
        numbers(p_value),
        numbers(p_adjusted),
        counts(count family_size),
        numbers(lift),
        numbers(lift_low),
        numbers(lift_high),
        numbers(mde),
        numbers(srm_p),
        numbers(incremental),
        numbers(cost),
        numbers(roi),
        numbers(roi_low),
        numbers(roi_high),
        numbers(net_margin_per_customer),
        numbers(net_margin_low),
        numbers(net_margin_high),
        counts(count excluded),
        sentences(maybe not_estimable),
    ));
    batch_of(table, arrays)
}

/// `effects_over_time`.
pub fn over_time(rows: &[OverTimeRow], table: &TableDefinition) -> Result<RecordBatch> {
    let arrays = columns!(
        rows,
        names(some strategy),
        names(some phase),
        names(some arm),
        names(some outcome),
        names(some scheme),
        names(some state),
        names(some method),
        counts(count periods),
        counts(count n_treated),
        counts(count n_control),
        numbers(mean_control),
        numbers(difference),
        numbers(ci_low),
        numbers(ci_high),
        numbers(p_value),
        numbers(lift),
        numbers(lift_low),
        numbers(lift_high),
        numbers(q_difference),
        numbers(q_difference_p),
        numbers(q_lift),
        numbers(q_lift_p),
        numbers(recurring_share),
        flags(clustered),
        sentences(maybe not_estimable),
    );
    batch_of(table, arrays)
}

/// `verdicts`.
pub fn verdicts(rows: &[VerdictRow], table: &TableDefinition) -> Result<RecordBatch> {
    let mut arrays = columns!(rows, names(some strategy), names(some arm));
    arrays.extend(dates(rows.iter().map(|row| row.period)));
    arrays.extend(columns!(
        rows,
        names(some scheme),
        names(some state),
        names(some verdict),
        sentences(some reason),
        names(some outcome),
        names(maybe method),
        numbers(difference),
        numbers(shrunk_difference),
        numbers(shrunk_low),
        counts(rank),
    ));
    batch_of(table, arrays)
}

/// `balance`.
pub fn balance(rows: &[BalanceRow], table: &TableDefinition) -> Result<RecordBatch> {
    let mut arrays = columns!(rows, names(some strategy));
    arrays.extend(dates(rows.iter().map(|row| Some(row.period))));
    arrays.extend(columns!(
        rows,
        names(some arm),
        names(some scheme),
        names(some state),
        names(some covariate),
        counts(count n_treated),
        counts(count n_control),
        numbers(mean_treated),
        numbers(mean_control),
        numbers(smd_before),
        numbers(smd_after),
        numbers(unmatched_share),
    ));
    batch_of(table, arrays)
}

/// `before_after`.
pub fn before_after(rows: &[BeforeAfterRow], table: &TableDefinition) -> Result<RecordBatch> {
    let mut arrays = columns!(rows, names(some strategy));
    arrays.extend(dates(rows.iter().map(|row| Some(row.period))));
    arrays.extend(columns!(
        rows,
        names(some arm),
        names(some outcome),
        names(some scheme),
        names(some state),
        counts(count customers),
        numbers(mean_before),
        numbers(mean_after),
        numbers(change),
        numbers(expected_change),
        sentences(some note),
    ));
    batch_of(table, arrays)
}

/// A row of `arms`.
struct ArmRow<'a> {
    strategy: &'a str,
    period: Period,
    phase: String,
    scheme: &'a str,
    state: &'a str,
    cell: &'a str,
    arm: &'a str,
    outcome: String,
    scale: u32,
    other: Option<(Period, &'a str, &'a str)>,
    n: i64,
    /// Sums, products by rows (one period: the upper triangle), sums of the later period.
    sums: [i128; VALUES],
    products: [[Option<i128>; VALUES]; VALUES],
    other_sums: Option<[i128; VALUES]>,
}

/// What a column of exact sums holds.
#[derive(Clone, Copy)]
enum Figure {
    Sum(usize),
    Product(usize, usize),
    Other(usize),
}

impl Figure {
    fn of(self, row: &ArmRow<'_>) -> Option<i128> {
        match self {
            Figure::Sum(i) => Some(row.sums[i]),
            Figure::Product(i, j) => row.products[i][j],
            Figure::Other(i) => row.other_sums.map(|sums| sums[i]),
        }
    }
}

/// `arms`: the rows of one period, then those of customers who are in two.
pub fn arms(arms: &ArmSums, money: u32, table: &TableDefinition) -> Result<RecordBatch> {
    let scale = |quantity: &Quantity| match quantity {
        Quantity::Outcome(outcome) => outcome.scales(money)[0],
        Quantity::Cost => money,
        Quantity::Covariate { scale, .. } => *scale,
        Quantity::Contacts | Quantity::TreatedInBaseline | Quantity::Recurs | Quantity::Excluded => 0,
    };
    let upper = |sums: &Sums| {
        let mut products = [[None; VALUES]; VALUES];
        for (i, row) in products.iter_mut().enumerate() {
            for (j, product) in row.iter_mut().enumerate().skip(i) {
                *product = Some(sums.product_of(i, j));
            }
        }
        products
    };
    let single = arms.rows().map(|(key, sums)| ArmRow {
        strategy: &key.strategy,
        period: key.period,
        phase: key.phase.to_string(),
        scheme: &key.scheme,
        state: &key.state,
        cell: &key.cell,
        arm: &key.arm,
        outcome: key.quantity.to_string(),
        scale: scale(&key.quantity),
        other: None,
        n: sums.n,
        sums: sums.sum,
        products: upper(sums),
        other_sums: None,
    });
    let all = |sums: &PairSums| sums.product.map(|row| row.map(Some));
    let pairs = arms.pairs().map(|(key, sums)| ArmRow {
        strategy: &key.strategy,
        period: key.first.period,
        phase: key.phase.to_string(),
        scheme: &key.scheme,
        state: &key.state,
        cell: &key.first.cell,
        arm: &key.first.arm,
        outcome: key.outcome.to_string(),
        scale: key.outcome.scales(money)[0],
        other: Some((key.second.period, key.second.cell.as_str(), key.second.arm.as_str())),
        n: sums.n,
        sums: sums.first,
        products: all(sums),
        other_sums: Some(sums.second),
    });
    let rows: Vec<ArmRow<'_>> = single.chain(pairs).collect();
    let of_one = (0..VALUES).map(Figure::Sum).chain((0..VALUES).flat_map(|i| (i..VALUES).map(move |j| Figure::Product(i, j))));
    let of_two = (0..VALUES).map(Figure::Other).chain((1..VALUES).flat_map(|i| (0..i).map(move |j| Figure::Product(i, j))));
    let figures: Vec<Figure> = of_one.chain(of_two).collect();
    let figures: Vec<ArrayRef> =
        figures.into_par_iter().map(|figure| decimals(rows.iter().map(|row| figure.of(row)), 0)).collect();
    let mut arrays = columns!(rows, names(some strategy));
    arrays.extend(dates(rows.iter().map(|row| Some(row.period))));
    arrays.extend(columns!(rows, names(some phase), names(some scheme), names(some state)));
    arrays.push(texts(rows.iter().map(|row| Some(row.cell))));
    arrays.extend(columns!(rows, names(some arm), names(some outcome)));
    arrays.push(Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.scale as i32))));
    arrays.extend(dates(rows.iter().map(|row| row.other.map(|other| other.0))));
    arrays.push(texts(rows.iter().map(|row| row.other.map(|other| other.1))));
    arrays.push(names(rows.iter().map(|row| row.other.map(|other| other.2))));
    arrays.extend(columns!(rows, counts(count n)));
    arrays.extend(figures);
    batch_of(table, arrays)
}
