//! The measures of one customer at every as-of date: [`Windows`] has the common ones, running sums before every order
//! answer the others.

use crate::activity::{BoundaryDays, IntervalActivities, IntervalActivity, Order, OrderKind};
use crate::domain::{Basis, Lookback, Measure, MeasureKind};
use crate::error::Result;

use super::cells::{CellBlock, PanelCells};
use super::column::Column;
use super::formula::{Facts, Sums, Value, set, value, within};
use super::spec::FoldSpec;
use super::windows::Windows;

/// A measure with the numbers of the boundaries it needs.
#[derive(Debug, Clone, Copy)]
struct Planned {
    measure: Measure,
    column: usize,
    /// Start of its window, or of its period.
    start: usize,
    /// Split of a trend; start of the previous period.
    split: usize,
    /// Day after the previous period.
    stop: usize,
}

/// Folds customers one after the other into the cells of a bucket.
pub(super) struct CustomerFold<'a> {
    spec: &'a FoldSpec,
    cells: PanelCells,
    windows: Windows,
    interval_ends: BoundaryDays,
    /// First days of windows (or of parts of them), one per as-of date; they ascend with the dates.
    boundaries: Vec<Vec<i32>>,
    /// What `windows` does not serve.
    planned: Vec<Planned>,
    intervals: Vec<IntervalActivities>,
    /// Sums before each place among the orders; one more place than orders.
    sums: Vec<Sums>,
    /// The last purchase before each place.
    lasts: Vec<i32>,
    /// Orders of the customer up to each as-of date, and before each boundary at each date.
    ends: Vec<u32>,
    starts: Vec<Vec<u32>>,
}

impl<'a> CustomerFold<'a> {
    /// For a bucket with this number of customers and orders.
    pub fn new(spec: &'a FoldSpec, customers: usize, orders: usize) -> CustomerFold<'a> {
        let mut boundaries: Vec<Vec<i32>> = Vec::new();
        let mut number = |days: Vec<i32>| {
            boundaries.iter().position(|b| *b == days).unwrap_or_else(|| {
                boundaries.push(days);
                boundaries.len() - 1
            })
        };
        let mut planned = Vec::new();
        let others = spec
            .measures
            .iter()
            .enumerate()
            .filter(|(_, m)| matches!(m.kind.basis(), Basis::Orders(..)) && !Windows::serves(spec, m.kind));
        for (column, &measure) in others {
            let window = measure.lookback.unwrap_or(spec.lookback);
            let (start, split, stop) = match measure.kind {
                MeasureKind::FrequencyTrend | MeasureKind::MonetaryTrend => {
                    let halves = spec.dates.iter().map(|d| {
                        let end = d.date.next().0;
                        window.start(d.date).map_or(i32::MIN, |s| end - (end - s.0) / 2)
                    });
                    let halves = halves.collect();
                    (number(spec.starts(window)), number(halves), 0)
                }
                MeasureKind::PeriodOrders
                | MeasureKind::PeriodMonetary
                | MeasureKind::PreviousPeriodOrders
                | MeasureKind::OrdersBeforePeriod => {
                    let start = spec.dates.iter().map(|d| d.period_start.map_or(i32::MIN, |s| s.0)).collect();
                    let previous = spec.dates.iter().map(|d| d.previous.map_or(i32::MIN, |p| p.0.0)).collect();
                    let stop = spec.dates.iter().map(|d| d.previous.map_or(i32::MIN, |p| p.1.next().0)).collect();
                    (number(start), number(previous), number(stop))
                }
                _ => (number(spec.starts(window)), 0, 0),
            };
            planned.push(Planned { measure, column, start, split, stop });
        }
        let dates = spec.dates.len();
        let cells = PanelCells::new(spec, customers);
        CustomerFold {
            spec,
            windows: Windows::new(spec, cells.block.width),
            cells,
            interval_ends: BoundaryDays::new(spec.interval_ends.iter().map(|end| end.0).collect()),
            starts: vec![vec![0; dates]; boundaries.len()],
            boundaries,
            planned,
            intervals: spec
                .interval_ends
                .iter()
                .map(|_| IntervalActivities::with_capacity(orders / spec.interval_ends.len()))
                .collect(),
            sums: Vec::new(),
            lasts: Vec::new(),
            ends: vec![0; dates],
        }
    }

    /// Adds a customer, who comes after those added before, with orders in date order, none after the last as-of date.
    pub fn add(&mut self, customer: usize, orders: &[Order]) -> Result<()> {
        let Some(first) = orders.iter().find(|o| o.is_purchase()).map(|o| o.date) else {
            return Ok(());
        };
        if !self.planned.is_empty() {
            self.sum(orders);
            self.place(orders);
        }
        if self.cells.are_beyond(customer) {
            self.close_block()?;
            self.cells.begin(customer);
        }
        let number = self.cells.number(customer);
        self.windows.add(number, first, orders)?;
        let from = self.spec.dates.partition_point(|d| d.date.0 < first);
        for planned in &self.planned {
            for (at, date) in self.spec.dates.iter().enumerate().skip(from) {
                let value = self.value(planned, at, first);
                let CellBlock { width, columns, .. } = &mut self.cells.block;
                set(&mut columns[planned.column], at * *width + number, value, planned.measure.kind, date.date.0)?;
            }
        }
        self.add_to_intervals(customer, orders)
    }

    /// Fills the cells of the last customers, and puts them where they belong.
    fn close_block(&mut self) -> Result<()> {
        self.windows.fill(&mut self.cells.block)?;
        self.cells.close();
        Ok(())
    }

    /// The cells of all customers, and what they did in each interval.
    pub fn finish(mut self) -> Result<(Vec<bool>, Vec<Column>, Vec<IntervalActivities>)> {
        self.close_block()?;
        Ok((self.cells.listed, self.cells.columns, self.intervals))
    }

    /// Where the as-of dates and boundaries lie among the orders.
    fn place(&mut self, orders: &[Order]) {
        let mut end = 0;
        for (to, date) in self.ends.iter_mut().zip(&self.spec.dates) {
            while orders.get(end).is_some_and(|o| o.date <= date.date.0) {
                end += 1;
            }
            *to = end as u32;
        }
        for (starts, boundary) in self.starts.iter_mut().zip(&self.boundaries) {
            let mut start = 0;
            for (to, day) in starts.iter_mut().zip(boundary) {
                while orders.get(start).is_some_and(|o| o.date < *day) {
                    start += 1;
                }
                *to = start as u32;
            }
        }
    }

    fn sum(&mut self, orders: &[Order]) {
        self.sums.clear();
        self.lasts.clear();
        let (mut sums, mut last) = (Sums::default(), i32::MIN);
        self.sums.push(sums);
        self.lasts.push(last);
        for order in orders {
            match order.kind {
                OrderKind::Purchase => {
                    sums.purchases += 1;
                    sums.order_days += i64::from(order.date != last);
                    sums.discounted += i64::from(order.discounted);
                    last = order.date;
                }
                OrderKind::Return => sums.returns += 1,
                OrderKind::MoneyOnly => {}
            }
            if order.counts_money(self.spec.net) {
                sums.money += i128::from(order.amount);
                sums.cost += i128::from(order.cost);
                sums.cost_missing += i64::from(order.cost_missing);
            }
            self.sums.push(sums);
            self.lasts.push(last);
        }
    }

    /// The value of a measure at a date.
    fn value(&self, planned: &Planned, at: usize, first: i32) -> Value {
        let date = &self.spec.dates[at];
        let kind = planned.measure.kind;
        let sums = |boundary: usize| &self.sums[self.starts[boundary][at] as usize];
        let end = self.ends[at] as usize;
        let now = &self.sums[end];
        let from = sums(planned.start);
        match kind {
            MeasureKind::FrequencyTrend | MeasureKind::MonetaryTrend => {
                let window = planned.measure.lookback.unwrap_or(self.spec.lookback);
                let split = sums(planned.split);
                trend(kind, window, &now.since(split), &split.since(from))
            }
            MeasureKind::PeriodOrders | MeasureKind::PeriodMonetary | MeasureKind::OrdersBeforePeriod
                if date.period_start.is_none() =>
            {
                Value::Null
            }
            MeasureKind::OrdersBeforePeriod => Value::Int(i128::from(from.purchases)),
            MeasureKind::PreviousPeriodOrders if date.previous.is_none() => Value::Null,
            MeasureKind::PreviousPeriodOrders => {
                Value::Int(i128::from(sums(planned.stop).purchases - sums(planned.split).purchases))
            }
            _ => {
                let facts = Facts {
                    as_of: date.date.0,
                    first,
                    last: self.lasts[end],
                    life: *now,
                    window: now.since(from),
                    annual_value: 0,
                };
                value(kind, &facts, self.spec.counting())
            }
        }
    }

    /// Lists what the customer did in each interval.
    fn add_to_intervals(&mut self, customer: usize, orders: &[Order]) -> Result<()> {
        let customer = customer as u32;
        let mut rest = orders.iter().map(|order| (self.interval_ends.before(order.date), order)).peekable();
        while let Some((interval, first)) = rest.next() {
            let Some(intervals) = self.intervals.get_mut(interval) else { break };
            let money = |order: &Order| i128::from(order.money(self.spec.net));
            let (mut purchases, mut sum) = (u32::from(first.is_purchase()), money(first));
            while let Some((_, order)) = rest.next_if(|(next, _)| *next == interval) {
                purchases += u32::from(order.is_purchase());
                sum += money(order);
            }
            let money = within(sum, MeasureKind::PeriodMonetary, self.spec.interval_ends[interval].0)?;
            intervals.push(IntervalActivity { customer, purchases, money });
        }
        Ok(())
    }
}

/// Younger half over older half; null without a finite window or without a purchase in the older half.
fn trend(kind: MeasureKind, window: Lookback, younger: &Sums, older: &Sums) -> Value {
    match kind {
        _ if window == Lookback::All || older.purchases == 0 => Value::Null,
        MeasureKind::FrequencyTrend => Value::Ratio(younger.purchases, older.purchases),
        _ => Value::money_ratio(younger.money, older.money),
    }
}
