//! The measures of one customer at every as-of date, from running sums over the sorted orders.

use crate::domain::{Lookback, Measure, MeasureKind};
use crate::error::Result;

use super::formula::{Facts, Sums, Value, push, value};
use super::group::Order;
use super::{DatePanel, FoldSpec};

/// First days of a window (or half of one), one per as-of date; they ascend with the dates.
type Boundary = Vec<i32>;

/// A measure with the numbers of the boundaries it needs.
struct Planned {
    measure: Measure,
    /// Start of its window, or of its period.
    start: usize,
    /// Split of a trend; start of the previous period.
    split: usize,
}

/// Running sums before an order, with the last purchase so far.
#[derive(Debug, Clone, Copy)]
struct Running {
    sums: Sums,
    last: i32,
}

/// Folds customers one after the other into a panel per as-of date.
pub(super) struct Folder<'a> {
    spec: &'a FoldSpec,
    boundaries: Vec<Boundary>,
    planned: Vec<Planned>,
    /// Boundary of the job's own lookback.
    lookback: usize,
    panels: Vec<DatePanel>,
    running: Vec<Running>,
    cursors: Vec<usize>,
}

impl<'a> Folder<'a> {
    pub fn new(spec: &'a FoldSpec) -> Folder<'a> {
        let mut boundaries: Vec<Boundary> = Vec::new();
        let mut number = |days: Boundary| {
            boundaries.iter().position(|b| *b == days).unwrap_or_else(|| {
                boundaries.push(days);
                boundaries.len() - 1
            })
        };
        let starts = |lookback: Lookback| -> Boundary {
            spec.dates.iter().map(|d| lookback.start(d.date).map_or(i32::MIN, |s| s.0)).collect()
        };
        let lookback = number(starts(spec.lookback));
        let mut planned = Vec::new();
        for &measure in &spec.measures {
            let window = measure.lookback.unwrap_or(spec.lookback);
            let (start, split) = match measure.kind {
                MeasureKind::FrequencyTrend | MeasureKind::MonetaryTrend => {
                    let halves = spec.dates.iter().map(|d| {
                        let end = d.date.next().0;
                        window.start(d.date).map_or(i32::MIN, |s| end - (end - s.0) / 2)
                    });
                    let halves = halves.collect();
                    (number(starts(window)), number(halves))
                }
                MeasureKind::PeriodOrders
                | MeasureKind::PeriodMonetary
                | MeasureKind::PreviousPeriodOrders
                | MeasureKind::OrdersBeforePeriod => {
                    let start = spec.dates.iter().map(|d| d.period_start.map_or(i32::MIN, |s| s.0)).collect();
                    let previous = spec.dates.iter().map(|d| d.previous_start.map_or(i32::MIN, |s| s.0)).collect();
                    (number(start), number(previous))
                }
                _ => (number(starts(window)), 0),
            };
            planned.push(Planned { measure, start, split });
        }
        let cursors = vec![0; boundaries.len()];
        Folder { spec, boundaries, planned, lookback, panels: spec.empty_panels(), running: Vec::new(), cursors }
    }

    /// Adds a customer with orders in date order, none after the last as-of date.
    pub fn add(&mut self, customer: u32, orders: &[Order]) -> Result<()> {
        let Some(first) = orders.iter().find(|o| !o.is_return).map(|o| o.date) else {
            return Ok(());
        };
        self.sum(orders);
        self.cursors.fill(0);
        let mut end = 0;
        for (at, date) in self.spec.dates.iter().enumerate() {
            let as_of = date.date.0;
            while orders.get(end).is_some_and(|o| o.date <= as_of) {
                end += 1;
            }
            for (cursor, boundary) in self.cursors.iter_mut().zip(&self.boundaries) {
                let start = boundary[at];
                while *cursor < end && orders[*cursor].date < start {
                    *cursor += 1;
                }
            }
            if as_of < first {
                continue;
            }
            let now = self.running[end];
            let in_lookback = now.sums.purchases > self.running[self.cursors[self.lookback]].sums.purchases;
            if self.spec.only_lookback && !in_lookback {
                continue;
            }
            let (running, cursors, counting) = (&self.running, &self.cursors, self.spec.counting());
            let panel = &mut self.panels[at];
            panel.customers.push(customer);
            for (planned, column) in self.planned.iter().zip(&mut panel.columns) {
                let kind = planned.measure.kind;
                let from = &running[cursors[planned.start]].sums;
                let split = &running[cursors[planned.split]].sums;
                let value = match kind {
                    MeasureKind::FrequencyTrend | MeasureKind::MonetaryTrend => {
                        let window = planned.measure.lookback.unwrap_or(self.spec.lookback);
                        trend(kind, window, &now.sums.since(split), &split.since(from))
                    }
                    MeasureKind::PeriodOrders | MeasureKind::PeriodMonetary | MeasureKind::OrdersBeforePeriod
                        if date.period_start.is_none() =>
                    {
                        Value::Null
                    }
                    MeasureKind::OrdersBeforePeriod => Value::Int(i128::from(from.purchases)),
                    MeasureKind::PreviousPeriodOrders if date.previous_start.is_none() => Value::Null,
                    MeasureKind::PreviousPeriodOrders => Value::Int(i128::from(from.purchases - split.purchases)),
                    _ => {
                        let at_risk =
                            if kind == MeasureKind::RevenueAtRisk { at_risk(running, &orders[..end], now.last) } else { 0 };
                        let window = now.sums.since(from);
                        value(kind, &Facts { as_of, first, last: now.last, life: now.sums, window, at_risk }, counting)
                    }
                };
                push(column, value, kind, as_of)?;
            }
        }
        Ok(())
    }

    pub fn finish(self) -> Vec<DatePanel> {
        self.panels
    }

    fn sum(&mut self, orders: &[Order]) {
        self.running.clear();
        let mut now = Running { sums: Sums::default(), last: i32::MIN };
        self.running.push(now);
        for order in orders {
            let sums = &mut now.sums;
            if order.is_return {
                sums.returns += 1;
            } else {
                sums.purchases += 1;
                sums.order_days += i64::from(order.date != now.last);
                sums.discounted += i64::from(order.discounted);
                now.last = order.date;
            }
            if !order.is_return || self.spec.net {
                sums.money += i128::from(order.amount);
                sums.cost += i128::from(order.cost);
                sums.cost_missing += i64::from(order.cost_missing);
            }
            self.running.push(now);
        }
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
fn at_risk(running: &[Running], orders: &[Order], last: i32) -> i128 {
    let start = orders.partition_point(|o| o.date < last - 364);
    let stop = orders.partition_point(|o| o.date <= last);
    running[stop].sums.money - running[start].sums.money
}
