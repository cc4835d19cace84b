//! The measures of one customer at every as-of date, from running sums over the sorted orders.

use crate::domain::{Lookback, Measure, MeasureKind};
use crate::error::Result;

use super::formula::{Facts, Sums, Value, set, value, within};
use super::group::Order;
use super::{Column, Flow, FoldSpec};

/// A measure with the numbers of the boundaries it needs.
#[derive(Debug, Clone, Copy)]
struct Planned {
    measure: Measure,
    /// Start of its window, or of its period.
    start: usize,
    /// Split of a trend; start of the previous period.
    split: usize,
    /// Day after the previous period.
    stop: usize,
}

/// Sums over the orders before each place in the order of their dates; one more place than orders.
#[derive(Debug, Default)]
struct Running {
    purchases: Vec<i64>,
    money: Vec<i128>,
    /// Last purchase.
    last: Vec<i32>,
    /// All sums, where a measure needs more than the three above.
    all: Vec<Sums>,
}

/// Folds customers one after the other into the cells of a bucket.
pub(super) struct Folder<'a> {
    spec: &'a FoldSpec,
    customers: usize,
    /// First days of windows (or of parts of them), one per as-of date; they ascend with the dates.
    boundaries: Vec<Vec<i32>>,
    planned: Vec<Planned>,
    /// Boundary of the job's own lookback.
    lookback: usize,
    /// Whether a measure needs [`Running::all`].
    needs_all: bool,
    listed: Vec<bool>,
    columns: Vec<Column>,
    flows: Vec<Vec<Flow>>,
    running: Running,
    /// Orders of the customer up to each as-of date, and before each boundary at each date.
    ends: Vec<u32>,
    starts: Vec<Vec<u32>>,
    /// Dates at which the customer is listed.
    dates: Vec<u32>,
}

/// Whether purchases, money and the last purchase are all that a measure needs.
fn is_simple(spec: &FoldSpec, kind: MeasureKind) -> bool {
    match kind {
        MeasureKind::FirstOrder
        | MeasureKind::LastOrder
        | MeasureKind::RecencyDays
        | MeasureKind::TenureDays
        | MeasureKind::Revenue
        | MeasureKind::LifetimeOrders
        | MeasureKind::LifetimeMonetary
        | MeasureKind::RevenueAtRisk => true,
        MeasureKind::Frequency => !spec.count_days,
        MeasureKind::Monetary => !spec.monetary_average,
        _ => false,
    }
}

impl<'a> Folder<'a> {
    pub fn new(spec: &'a FoldSpec, customers: usize) -> Folder<'a> {
        let mut boundaries: Vec<Vec<i32>> = Vec::new();
        let mut number = |days: Vec<i32>| {
            boundaries.iter().position(|b| *b == days).unwrap_or_else(|| {
                boundaries.push(days);
                boundaries.len() - 1
            })
        };
        let starts = |lookback: Lookback| -> Vec<i32> {
            spec.dates.iter().map(|d| lookback.start(d.date).map_or(i32::MIN, |s| s.0)).collect()
        };
        let lookback = number(starts(spec.lookback));
        let mut planned = Vec::new();
        for &measure in &spec.measures {
            let window = measure.lookback.unwrap_or(spec.lookback);
            let (start, split, stop) = match measure.kind {
                MeasureKind::FrequencyTrend | MeasureKind::MonetaryTrend => {
                    let halves = spec.dates.iter().map(|d| {
                        let end = d.date.next().0;
                        window.start(d.date).map_or(i32::MIN, |s| end - (end - s.0) / 2)
                    });
                    let halves = halves.collect();
                    (number(starts(window)), number(halves), 0)
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
                _ => (number(starts(window)), 0, 0),
            };
            planned.push(Planned { measure, start, split, stop });
        }
        let dates = spec.dates.len();
        Folder {
            spec,
            customers,
            starts: vec![vec![0; dates]; boundaries.len()],
            boundaries,
            lookback,
            needs_all: planned.iter().any(|p| !is_simple(spec, p.measure.kind)),
            planned,
            listed: vec![false; dates * customers],
            columns: spec.columns(customers),
            flows: vec![Vec::new(); spec.tiles.len()],
            running: Running::default(),
            ends: vec![0; dates],
            dates: Vec::with_capacity(dates),
        }
    }

    /// Adds a customer with orders in date order, none after the last as-of date.
    pub fn add(&mut self, customer: usize, orders: &[Order]) -> Result<()> {
        let Some(first) = orders.iter().find(|o| !o.is_return).map(|o| o.date) else {
            return Ok(());
        };
        self.sum(orders);
        self.place(orders);
        let (spec, running, ends) = (self.spec, &self.running, &self.ends);
        let since = |from: &[u32], date: usize| running.purchases[ends[date] as usize] - running.purchases[from[date] as usize];
        self.dates.clear();
        for (at, date) in spec.dates.iter().enumerate() {
            if date.date.0 >= first && (!spec.only_lookback || since(&self.starts[self.lookback], at) > 0) {
                self.dates.push(at as u32);
                self.listed[at * self.customers + customer] = true;
            }
        }
        let cell = |date: usize| date * self.customers + customer;
        let dates = || self.dates.iter().map(|d| *d as usize);
        let mut columns = std::mem::take(&mut self.columns);
        for (planned, column) in self.planned.iter().zip(&mut columns) {
            let kind = planned.measure.kind;
            let starts = &self.starts[planned.start];
            let simple = is_simple(spec, kind);
            let money = |date: usize| running.money[ends[date] as usize] - running.money[starts[date] as usize];
            match (kind, column) {
                (MeasureKind::RecencyDays, Column::Int(out)) => {
                    dates().for_each(|d| out[cell(d)] = spec.dates[d].date.0 - running.last[ends[d] as usize]);
                }
                (MeasureKind::FirstOrder, Column::Int(out)) => dates().for_each(|d| out[cell(d)] = first),
                (MeasureKind::LastOrder, Column::Int(out)) => {
                    dates().for_each(|d| out[cell(d)] = running.last[ends[d] as usize]);
                }
                (MeasureKind::Frequency, Column::Long(out)) if simple => {
                    dates().for_each(|d| out[cell(d)] = since(starts, d));
                }
                (MeasureKind::Monetary | MeasureKind::Revenue, Column::Long(out)) if simple => {
                    for d in dates() {
                        out[cell(d)] = within(money(d), kind, spec.dates[d].date.0)?;
                    }
                }
                (MeasureKind::RevenueAtRisk, Column::Long(out)) => {
                    // It hangs on the last purchase alone, and that stays the same over many dates.
                    let mut known = (i32::MIN, 0);
                    for d in dates() {
                        let last = running.last[ends[d] as usize];
                        if known.0 != last {
                            known = (last, within(at_risk(running, orders, last), kind, spec.dates[d].date.0)?);
                        }
                        out[cell(d)] = known.1;
                    }
                }
                (_, column) => {
                    for d in dates() {
                        let value = self.general(planned, d, first);
                        set(column, cell(d), value, kind, spec.dates[d].date.0)?;
                    }
                }
            }
        }
        self.columns = columns;
        if !spec.tiles.is_empty() {
            self.flow(customer, orders)?;
        }
        Ok(())
    }

    pub fn finish(self) -> (Vec<bool>, Vec<Column>, Vec<Vec<Flow>>) {
        (self.listed, self.columns, self.flows)
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
        let running = &mut self.running;
        running.purchases.clear();
        running.money.clear();
        running.last.clear();
        running.all.clear();
        let (mut purchases, mut money, mut last) = (0, 0i128, i32::MIN);
        running.purchases.push(purchases);
        running.money.push(money);
        running.last.push(last);
        for order in orders {
            if !order.is_return {
                purchases += 1;
                last = order.date;
            }
            if !order.is_return || self.spec.net {
                money += i128::from(order.amount);
            }
            running.purchases.push(purchases);
            running.money.push(money);
            running.last.push(last);
        }
        if self.needs_all {
            self.sum_all(orders);
        }
    }

    fn sum_all(&mut self, orders: &[Order]) {
        let mut sums = Sums::default();
        let mut last = i32::MIN;
        self.running.all.push(sums);
        for order in orders {
            if order.is_return {
                sums.returns += 1;
            } else {
                sums.purchases += 1;
                sums.order_days += i64::from(order.date != last);
                sums.discounted += i64::from(order.discounted);
                last = order.date;
            }
            if !order.is_return || self.spec.net {
                sums.money += i128::from(order.amount);
                sums.cost += i128::from(order.cost);
                sums.cost_missing += i64::from(order.cost_missing);
            }
            self.running.all.push(sums);
        }
    }

    /// The value of a measure that needs all sums.
    fn general(&self, planned: &Planned, at: usize, first: i32) -> Value {
        let date = &self.spec.dates[at];
        let kind = planned.measure.kind;
        let sums = |boundary: usize| &self.running.all[self.starts[boundary][at] as usize];
        if self.running.all.is_empty() {
            // Tenure and the lifetime: the running sums hold them.
            let end = self.ends[at] as usize;
            let life = Sums { purchases: self.running.purchases[end], money: self.running.money[end], ..Sums::default() };
            let facts = Facts { as_of: date.date.0, first, last: self.running.last[end], life, window: life, at_risk: 0 };
            return value(kind, &facts, self.spec.counting());
        }
        let now = &self.running.all[self.ends[at] as usize];
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
                let last = self.running.last[self.ends[at] as usize];
                let window = now.since(from);
                value(kind, &Facts { as_of: date.date.0, first, last, life: *now, window, at_risk: 0 }, self.spec.counting())
            }
        }
    }

    /// Lists what the customer did in each tile.
    fn flow(&mut self, customer: usize, orders: &[Order]) -> Result<()> {
        let running = &self.running;
        let mut start = 0;
        for (tile, flows) in self.spec.tiles.iter().zip(&mut self.flows) {
            let mut end = start;
            while orders.get(end).is_some_and(|o| o.date <= tile.0) {
                end += 1;
            }
            if end > start {
                let money = within(running.money[end] - running.money[start], MeasureKind::PeriodMonetary, tile.0)?;
                let purchases = (running.purchases[end] - running.purchases[start]) as u32;
                flows.push(Flow { customer: customer as u32, purchases, money });
            }
            start = end;
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

/// Money of the 365 days that end with the last purchase.
fn at_risk(running: &Running, orders: &[Order], last: i32) -> i128 {
    let start = orders.partition_point(|o| o.date < last - 364);
    let stop = orders.partition_point(|o| o.date <= last);
    running.money[stop] - running.money[start]
}
