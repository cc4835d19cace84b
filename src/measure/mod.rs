//! Measures per customer and as-of date, folded bucket by bucket.
//!
//! [`FoldSpec`] says what to measure and when; [`fold`] turns one bucket of orders into a [`BucketPanel`] for all
//! as-of dates together, customer by customer: orders are grouped and sorted once, running sums answer every window,
//! and the cost grows with orders plus customer-dates, never with orders × dates.

mod attributes;
mod bucket_cache;
mod category;
mod cells;
mod codes;
mod customer;
mod events;
mod formula;
mod group;
mod one_date;
mod windows;

use crate::activity::{IntervalActivities, Order, OrderHistories};
use crate::bucket::{Field, RecordLayout, Records};
use crate::domain::{AsOf, CustomerIds, Day, Lookback, Measure, MeasureKind, MeasureSource, Unit};
use crate::error::Result;

pub use attributes::{CustomerAttributes, CustomerData, UNKNOWN, UNKNOWN_NAME};
pub use bucket_cache::BucketCache;
pub use codes::SourceCodes;
pub use events::EventBuckets;
pub use group::LineCounts;

/// What to measure, and when.
#[derive(Debug, Clone)]
pub struct FoldSpec {
    /// As-of dates, ascending.
    pub dates: Vec<AsOf>,
    /// Measures, each once; columns of the panel in this order.
    pub measures: Vec<Measure>,
    /// The job's lookback.
    pub lookback: Lookback,
    /// Whether returns lower the money.
    pub net: bool,
    /// Whether frequency counts days with a purchase instead of purchases.
    pub count_days: bool,
    /// Whether monetary is the mean per purchase.
    pub monetary_average: bool,
    /// Whether only customers with a purchase in the lookback are listed.
    pub only_lookback: bool,
    /// Whether records are lines that `Order` lanes join to orders.
    pub lines: bool,
    /// Whether orders of zero that are not returns are dropped (with lines; without, the scan has done it).
    pub drop_zero: bool,
    /// Whether what is known of customers besides their orders belongs to the panel.
    pub with_customer_data: bool,
    /// Last days of the stretches of time whose purchases and money are listed as [`IntervalActivity`]s, ascending.
    pub interval_ends: Vec<Day>,
    /// Whether the panel keeps every customer's orders, for outcomes that begin on days of their own.
    pub histories: bool,
    /// Whether there are orders after the last date, which are to be passed over.
    pub is_window: bool,
}

impl FoldSpec {
    /// The unit of a measure in this job.
    pub fn unit(&self, measure: Measure) -> Unit {
        match measure.kind {
            MeasureKind::Monetary if self.monetary_average => Unit::Average,
            kind => kind.unit(),
        }
    }

    /// The last as-of date.
    pub fn last(&self) -> Day {
        self.dates.last().map_or(Day::MIN, |d| d.date)
    }

    /// The first day any window over orders reaches at the date, or `None` if all of them look at all history.
    pub fn earliest_window(&self, date: Day) -> Option<Day> {
        let windows = self
            .measures
            .iter()
            .filter(|m| m.kind.is_windowed() && m.kind.source() != MeasureSource::Events)
            .map(|m| m.lookback.unwrap_or(self.lookback));
        windows.chain([self.lookback]).filter_map(|l| l.start(date)).min()
    }
}

/// Null in an [`Column::Int`].
pub const NULL_INT: i32 = i32::MIN;
/// Null in a [`Column::Long`].
pub const NULL_LONG: i64 = i64::MIN;

/// A value of a column of 32 bits in one of 64.
#[inline]
pub fn widened(value: i32) -> i64 {
    if value == NULL_INT { NULL_LONG } else { value.into() }
}

/// Writes values of a column of 64 bits into one of 32; says whether all fit.
fn narrow(to: &mut [i32], from: &[i64]) -> bool {
    // What fits has no bits above the lower 32 once moved to zero and up. So that this takes few instructions, which work on
    // several values at once, null and what looks like it are left to a second look.
    let (mut above, mut is_null) = (0, false);
    for (to, value) in to.iter_mut().zip(from) {
        above |= value.wrapping_sub(NULL_INT.into()) as u64;
        *to = *value as i32;
        is_null |= *to == NULL_INT;
    }
    if above >> 32 == 0 && !is_null {
        return true;
    }
    let fits = |value: i64| (value > NULL_INT.into() && value <= i32::MAX.into()) || value == NULL_LONG;
    to.iter_mut().zip(from).for_each(|(to, value)| *to = if *value == NULL_LONG { NULL_INT } else { *value as i32 });
    from.iter().all(|value| fits(*value))
}

/// The values of one measure; a text is its number in the order of all texts.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Days, dates and numbers of texts, and in a panel counts and money that fit; [`NULL_INT`] is null.
    Int(Vec<i32>),
    /// Counts and money; [`NULL_LONG`] is null.
    Long(Vec<i64>),
    /// Ratios of integers; a denominator of zero is null.
    Ratio(Vec<(i64, i64)>),
    /// Floating-point numbers; NaN is null.
    Double(Vec<f64>),
}

impl Column {
    /// So many values of zero (ratios and floating-point numbers: null).
    pub fn new(unit: Unit, len: usize) -> Column {
        match unit {
            Unit::Date | Unit::Days | Unit::Text => Column::Int(vec![0; len]),
            Unit::Count | Unit::Money | Unit::Average | Unit::Decimal(..) => Column::Long(vec![0; len]),
            Unit::Ratio => Column::Ratio(vec![(0, 0); len]),
            Unit::Double => Column::Double(vec![f64::NAN; len]),
        }
    }

    /// How many values.
    pub fn len(&self) -> usize {
        match self {
            Column::Int(values) => values.len(),
            Column::Long(values) => values.len(),
            Column::Ratio(values) => values.len(),
            Column::Double(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The integer at `row`; `None` if null, or no integer.
    pub fn get(&self, row: usize) -> Option<i64> {
        match self {
            Column::Int(values) => values.get(row).filter(|v| **v != NULL_INT).map(|v| i64::from(*v)),
            Column::Long(values) => values.get(row).filter(|v| **v != NULL_LONG).copied(),
            Column::Ratio(_) | Column::Double(_) => None,
        }
    }

    /// The floating-point number at `row`; `None` if null, or of another type.
    pub fn get_double(&self, row: usize) -> Option<f64> {
        match self {
            Column::Double(values) => values.get(row).filter(|v| !v.is_nan()).copied(),
            _ => None,
        }
    }

    /// Whether there is no value at `row`.
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Column::Double(_) => self.get_double(row).is_none(),
            _ => self.get_ratio(row).is_none(),
        }
    }

    /// Takes the value at `row` away.
    pub fn set_null(&mut self, row: usize) {
        match self {
            Column::Int(values) => values[row] = NULL_INT,
            Column::Long(values) => values[row] = NULL_LONG,
            Column::Ratio(values) => values[row] = (0, 0),
            Column::Double(values) => values[row] = f64::NAN,
        }
    }

    /// Whether values of this unit are in a column of 64 bits, unless those of a panel fit 32.
    pub fn is_long(unit: Unit) -> bool {
        matches!(Column::new(unit, 0), Column::Long(_))
    }

    /// Copies `count` values from a place of a column of the same type, or of a wider one: it is widened if they do not fit.
    fn copy(&mut self, to: usize, other: &Column, from: usize, count: usize) {
        let (to, from) = (to..to + count, from..from + count);
        if let (Column::Int(own), Column::Long(other)) = (&mut *self, other) {
            if narrow(&mut own[to.clone()], &other[from.clone()]) {
                return;
            }
            *self = Column::Long(own.iter().map(|value| widened(*value)).collect());
        }
        match (self, other) {
            (Column::Int(own), Column::Int(other)) => own[to].copy_from_slice(&other[from]),
            (Column::Long(own), Column::Long(other)) => own[to].copy_from_slice(&other[from]),
            (Column::Ratio(own), Column::Ratio(other)) => own[to].copy_from_slice(&other[from]),
            (Column::Double(own), Column::Double(other)) => own[to].copy_from_slice(&other[from]),
            _ => {}
        }
    }

    /// Appends the value at a row of a column of the same type.
    pub fn push_from(&mut self, other: &Column, row: usize) {
        match (self, other) {
            (Column::Int(own), Column::Int(other)) => own.push(other[row]),
            (Column::Long(own), Column::Long(other)) => own.push(other[row]),
            (Column::Ratio(own), Column::Ratio(other)) => own.push(other[row]),
            (Column::Double(own), Column::Double(other)) => own.push(other[row]),
            _ => {}
        }
    }

    /// The values at some rows; null where there is none to take.
    pub fn gather(&self, rows: impl Iterator<Item = Option<usize>>) -> Column {
        match self {
            Column::Int(values) => Column::Int(rows.map(|row| row.map_or(NULL_INT, |r| values[r])).collect()),
            Column::Long(values) => Column::Long(rows.map(|row| row.map_or(NULL_LONG, |r| values[r])).collect()),
            Column::Ratio(values) => Column::Ratio(rows.map(|row| row.map_or((0, 0), |r| values[r])).collect()),
            Column::Double(values) => Column::Double(rows.map(|row| row.map_or(f64::NAN, |r| values[r])).collect()),
        }
    }

    /// The ratio at `row` (an integer is over 1); `None` if null.
    pub fn get_ratio(&self, row: usize) -> Option<(i64, i64)> {
        match self {
            Column::Ratio(values) => values.get(row).filter(|v| v.1 != 0).copied(),
            _ => self.get(row).map(|v| (v, 1)),
        }
    }
}

/// The measures of a bucket's customers: the cell of customer `c` at date `d` is `d · customers + c`.
#[derive(Debug, Clone)]
pub struct BucketPanel {
    /// Customers of the bucket, ascending by slice and id; a customer of two slices stands twice.
    pub ids: CustomerIds,
    /// Slice number per customer; empty without slices. Who never ordered has the number after the last slice.
    pub slices: Vec<u32>,
    /// Per dimension the number of every customer's value; [`UNKNOWN`] without one.
    pub dimensions: Vec<Vec<u32>>,
    /// PanelCells that are listed: customers with a purchase by then (or in the lookback), and who is on the customers table.
    pub listed: Vec<bool>,
    /// One column of cells per measure of the spec; only those of listed cells mean anything.
    pub columns: Vec<Column>,
    /// What customers did in each of the spec's tiles.
    pub intervals: Vec<IntervalActivities>,
    /// The customers' orders, if the spec asks for them.
    pub histories: Option<OrderHistories>,
    /// Fate of the lines per file, if the job has lines.
    pub lines: Vec<LineCounts>,
    /// First and last date of an order up to the last as-of date.
    pub span: Option<(Day, Day)>,
    /// Events of customers who are neither among the orders nor on the customers table.
    pub unmatched_events: u64,
}

impl BucketPanel {
    /// The slice number of a customer.
    pub fn slice(&self, customer: usize) -> u32 {
        self.slices.get(customer).copied().unwrap_or(0)
    }

    /// Bytes of what grows with customers, dates and orders.
    pub fn bytes(&self) -> u64 {
        let columns = self.columns.iter().map(|column| match column {
            Column::Int(values) => 4 * values.len(),
            Column::Long(values) => 8 * values.len(),
            Column::Ratio(values) => 16 * values.len(),
            Column::Double(values) => 8 * values.len(),
        });
        let intervals = self.intervals.iter().map(IntervalActivities::bytes);
        let histories = self.histories.as_ref().map_or(0, OrderHistories::bytes);
        (columns.chain(intervals).sum::<usize>() + self.listed.len() + 16 * self.ids.len() + histories) as u64
    }

    /// The cells of a date.
    pub fn cells(&self, date: usize) -> std::ops::Range<usize> {
        date * self.ids.len()..(date + 1) * self.ids.len()
    }
}

impl FoldSpec {
    fn counting(&self) -> formula::Counting {
        formula::Counting { days: self.count_days, average: self.monetary_average }
    }

    /// The first day of a lookback at every date; the least there is without one.
    fn starts(&self, lookback: Lookback) -> Vec<i32> {
        self.dates.iter().map(|d| lookback.start(d.date).map_or(i32::MIN, |start| start.0)).collect()
    }

    /// Columns for so many customers.
    fn columns(&self, customers: usize) -> Vec<Column> {
        self.measures.iter().map(|m| Column::new(self.unit(*m), self.dates.len() * customers)).collect()
    }

    /// The same fold without a measure, for what does not hang on dates: intervals, histories, and who there is.
    pub fn without_dates(&self) -> FoldSpec {
        let dates = self.dates.last().copied().into_iter().collect();
        FoldSpec { measures: Vec::new(), dates, ..self.clone() }
    }

    /// The same fold for some of the dates, without what does not hang on them.
    pub fn only_dates(&self, dates: std::ops::Range<usize>) -> FoldSpec {
        let dates = self.dates.get(dates).unwrap_or_default().to_vec();
        FoldSpec { dates, interval_ends: Vec::new(), histories: false, is_window: true, ..self.clone() }
    }

    /// The same fold for some of the measures, without intervals, histories and who has no order.
    pub fn only(&self, measures: Vec<Measure>) -> FoldSpec {
        let with_customer_data =
            measures.iter().any(|m| matches!(m.kind.source(), MeasureSource::Customers | MeasureSource::Events));
        FoldSpec { measures, interval_ends: Vec::new(), histories: false, with_customer_data, ..self.clone() }
    }
}

/// Folds one bucket.
///
/// # Errors
/// Exit 3 if money of a customer exceeds what DECIMAL(18) holds.
pub fn fold(layout: RecordLayout, orders: &Records, codes: &SourceCodes, spec: &FoldSpec) -> Result<BucketPanel> {
    if !spec.is_window
        && one_date::serves(spec)
        && let Some(panel) = one_date::fold(layout, orders, codes, spec)?
    {
        return Ok(panel);
    }
    fold_sorted(layout, orders, codes, spec)
}

/// Folds one bucket for any measures and dates: groups and sorts the orders of every customer.
fn fold_sorted(layout: RecordLayout, orders: &Records, codes: &SourceCodes, spec: &FoldSpec) -> Result<BucketPanel> {
    let groups = group::CustomerGroups::new(layout, orders, codes);
    let mut lines = vec![LineCounts::default(); if spec.lines { codes.files } else { 0 }];
    let mut folder = customer::CustomerFold::new(spec, groups.len(), orders.len());
    let mut category_sums = category::CategorySums::new(spec, groups.len());
    let mut span: Option<(Day, Day)> = None;
    let mut histories = spec.histories.then(|| OrderHistories::new(layout.has(Field::Cost), orders.len()));
    let mut scratch = Vec::new();
    for customer in 0..groups.len() {
        groups.orders(
            customer,
            orders,
            (codes, spec),
            &mut scratch,
            category_sums.as_mut().map(|b| &mut b.order_lines),
            &mut lines,
        )?;
        if spec.is_window {
            scratch.retain(|order| order.date <= spec.last().0);
            category_sums.iter_mut().for_each(|b| b.order_lines.retain(|order_line| order_line.date <= spec.last().0));
        }
        // Lines are in the order of their orders' ids, dates that lie far apart in that of their records.
        if !scratch.is_sorted_by_key(|order: &Order| order.date) {
            scratch.sort_unstable_by_key(|order| order.date);
        }
        if let (Some(first), Some(last)) = (scratch.first(), scratch.last()) {
            let (first, last) = (Day(first.date), Day(last.date));
            span = Some(span.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
        }
        folder.add(customer, &scratch)?;
        if let Some(histories) = &mut histories {
            histories.push(&scratch)?;
        }
        if let Some(category_sums) = &mut category_sums {
            category_sums.add(customer);
        }
    }
    let (listed, mut columns, intervals) = folder.finish();
    if let Some(category_sums) = category_sums {
        category_sums.finish(&mut columns);
    }
    Ok(BucketPanel {
        ids: groups.ids,
        slices: groups.slices,
        dimensions: Vec::new(),
        listed,
        columns,
        intervals,
        histories,
        lines,
        span,
        unmatched_events: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::{BucketWriter, flag};

    /// Counts and money stay in 32 bits until one of them needs more; then none is lost, and null stays null.
    #[test]
    fn a_narrow_column_is_widened_by_what_does_not_fit() {
        let mut column = Column::Int(vec![0; 4]);
        column.copy(0, &Column::Long(vec![9, -7, NULL_LONG, i64::from(i32::MAX)]), 0, 4);
        assert_eq!(column, Column::Int(vec![9, -7, NULL_INT, i32::MAX]));
        for wide in [i64::from(i32::MAX) + 1, i64::from(NULL_INT), 1 << 40, i64::MIN + 1] {
            let mut column = column.clone();
            column.copy(1, &Column::Long(vec![3, wide, 5]), 1, 2);
            assert_eq!(column, Column::Long(vec![9, wide, 5, i64::from(i32::MAX)]));
            column.copy(0, &Column::Long(vec![4]), 0, 1);
            assert_eq!(column.get(0), Some(4));
        }
        let mut column = column.clone();
        column.copy(0, &Column::Long(vec![1 << 40]), 0, 1);
        assert_eq!(column, Column::Long(vec![1 << 40, -7, NULL_LONG, i64::from(i32::MAX)]));
    }

    /// Both ways of folding must say the same of any orders: what serves a nightly job is a short cut, not a rule.
    #[test]
    fn the_fold_of_sums_equals_the_general_one() -> Result<()> {
        let mut state = 7u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % below) as i64
        };
        let as_of = Day(2000);
        let kinds = MeasureKind::ALL.iter().copied().filter(|k| k.source() == MeasureSource::Orders);
        let of_orders = kinds.filter(|k| k.source() == MeasureSource::Orders && !k.name().contains("period"));
        let plain = of_orders.map(Measure::plain);
        let windowed = [MeasureKind::Frequency, MeasureKind::Monetary, MeasureKind::AvgOrderValue]
            .map(|kind| Measure { kind, lookback: Some(Lookback::Days(90)) });
        for case in 0..64 {
            let mut spec = FoldSpec {
                dates: vec![AsOf::alone(as_of)],
                measures: plain.clone().chain(windowed).collect(),
                lookback: if case & 1 == 0 { Lookback::All } else { Lookback::Months(12) },
                net: case & 2 == 0,
                count_days: false,
                monetary_average: case & 4 != 0,
                only_lookback: case & 8 != 0,
                lines: false,
                drop_zero: false,
                with_customer_data: false,
                interval_ends: Vec::new(),
                histories: false,
                is_window: false,
            };
            let (all, codes) = (spec.clone(), SourceCodes::default());
            spec.measures.retain(|m| one_date::serves(&FoldSpec { measures: vec![*m], ..all.clone() }));
            assert!(spec.measures.iter().any(|m| m.kind == MeasureKind::RevenueAtRisk));
            let rows = 400;
            let customers: Vec<i64> = (0..rows).map(|_| random(40)).collect();
            let dates: Vec<i64> = (0..rows).map(|_| 2000 - random(900)).collect();
            let amounts: Vec<i64> = (0..rows).map(|_| random(10_000) - 1_000).collect();
            let flags: Vec<i64> = (0..rows).map(|_| if random(10) == 0 { flag::RETURN } else { 0 }).collect();
            let layout = RecordLayout::new(false, &[Field::Flags]);
            let mut buckets = BucketWriter::new(layout, 1);
            buckets.append(&[&customers, &dates, &amounts, &flags], None);
            for chunks in buckets.finish() {
                let mut orders = Records::default();
                chunks.unpack(layout, None, &mut orders)?;
                let (sums, sorted) =
                    (one_date::fold(layout, &orders, &codes, &spec)?, fold_sorted(layout, &orders, &codes, &spec)?);
                let cells = |p: BucketPanel| {
                    let values = |c: &Column| {
                        let cell = |(at, listed): (usize, &bool)| listed.then(|| c.get_ratio(at));
                        p.listed.iter().enumerate().map(cell).collect::<Vec<_>>()
                    };
                    let CustomerIds::Int(ids) = &p.ids else { return (p.span, Vec::new(), Vec::new()) };
                    assert!(ids.is_sorted());
                    (p.span, ids.clone(), p.columns.iter().map(values).collect::<Vec<_>>())
                };
                let (sums, sorted) = (sums.map(cells), cells(sorted));
                assert_eq!(sums, Some(sorted), "case {case}");
            }
        }
        Ok(())
    }
}
