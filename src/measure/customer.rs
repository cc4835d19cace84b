//! The measures of one customer at every as-of date, from prefix sums over the sorted orders.

use crate::domain::{Lookback, Measure, MeasureKind, Unit, divide_half_even};
use crate::error::{Error, Result};

use super::group::Order;
use super::{Column, DatePanel, FoldSpec, NULL_INT, NULL_LONG};

/// Largest money of a customer that DECIMAL(18) holds.
const MONEY_LIMIT: i128 = 1_000_000_000_000_000_000;

/// First days of a window (or half of one), one per as-of date; they ascend with the dates.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Boundary(Vec<i32>);

/// A measure with the numbers of the boundaries it needs.
struct Planned {
    measure: Measure,
    unit: Unit,
    /// Start of its window; also start of its period.
    start: usize,
    /// Split of a trend; start of the previous period.
    split: usize,
}

/// Running totals before each order of the customer, and after the last.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    purchases: i64,
    order_days: i64,
    returns: i64,
    discounted: i64,
    cost_missing: i64,
    last_purchase: i32,
    money: i128,
    cost: i128,
}

/// Folds customers one after the other into a panel per as-of date.
pub(super) struct Folder<'a> {
    spec: &'a FoldSpec,
    boundaries: Vec<Boundary>,
    planned: Vec<Planned>,
    /// Boundary of the job's own lookback.
    lookback: usize,
    panels: Vec<DatePanel>,
    totals: Vec<Totals>,
    cursors: Vec<usize>,
}

impl<'a> Folder<'a> {
    pub fn new(spec: &'a FoldSpec) -> Folder<'a> {
        let mut boundaries: Vec<Boundary> = Vec::new();
        let mut number = |days: Vec<i32>| {
            let boundary = Boundary(days);
            boundaries.iter().position(|b| *b == boundary).unwrap_or_else(|| {
                boundaries.push(boundary);
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
            planned.push(Planned { measure, unit: spec.unit(measure), start, split });
        }
        let panels = spec.dates.iter().map(|_| DatePanel {
            customers: Vec::new(),
            columns: planned.iter().map(|p| Column::new(p.unit)).collect(),
        });
        let panels = panels.collect();
        let cursors = vec![0; boundaries.len()];
        Folder { spec, boundaries, planned, lookback, panels, totals: Vec::new(), cursors }
    }

    /// Adds a customer with orders in date order, none after the last as-of date.
    pub fn add(&mut self, customer: u32, orders: &[Order]) -> Result<()> {
        let Some(first) = orders.iter().find(|o| !o.is_return).map(|o| o.date) else {
            return Ok(());
        };
        self.sum(orders);
        self.cursors.fill(0);
        let mut end = 0;
        let dates = self.boundaries.first().map_or(0, |b| b.0.len());
        for at in 0..dates {
            let as_of = self.spec.dates[at].date.0;
            while orders.get(end).is_some_and(|o| o.date <= as_of) {
                end += 1;
            }
            for (cursor, boundary) in self.cursors.iter_mut().zip(&self.boundaries) {
                let start = boundary.0[at];
                while *cursor < end && orders[*cursor].date < start {
                    *cursor += 1;
                }
            }
            if as_of < first {
                continue;
            }
            let now = self.totals[end];
            let listed = !self.spec.only_lookback || now.purchases > self.totals[self.cursors[self.lookback]].purchases;
            if !listed {
                continue;
            }
            let mut panel = std::mem::replace(&mut self.panels[at], DatePanel { customers: Vec::new(), columns: Vec::new() });
            panel.customers.push(customer);
            for (planned, column) in self.planned.iter().zip(&mut panel.columns) {
                let value = self.measure(planned, at, first, end, orders);
                push(column, value, planned, as_of)?;
            }
            self.panels[at] = panel;
        }
        Ok(())
    }

    pub fn finish(self) -> Vec<DatePanel> {
        self.panels
    }

    fn sum(&mut self, orders: &[Order]) {
        self.totals.clear();
        let mut now = Totals { last_purchase: i32::MIN, ..Totals::default() };
        self.totals.push(now);
        for order in orders {
            if order.is_return {
                now.returns += 1;
                if self.spec.net {
                    now.money += i128::from(order.amount);
                    now.cost += i128::from(order.cost);
                    now.cost_missing += i64::from(order.cost_missing);
                }
            } else {
                now.purchases += 1;
                now.order_days += i64::from(order.date != now.last_purchase);
                now.last_purchase = order.date;
                now.discounted += i64::from(order.discounted);
                now.money += i128::from(order.amount);
                now.cost += i128::from(order.cost);
                now.cost_missing += i64::from(order.cost_missing);
            }
            self.totals.push(now);
        }
    }

    fn measure(&self, planned: &Planned, at: usize, first: i32, end: usize, orders: &[Order]) -> Value {
        let date = &self.spec.dates[at];
        let as_of = date.date.0;
        let now = &self.totals[end];
        let from = &self.totals[self.cursors[planned.start]];
        let split = &self.totals[self.cursors[planned.split]];
        let purchases = now.purchases - from.purchases;
        let money = now.money - from.money;
        let last = now.last_purchase;
        let recency = i64::from(as_of - last);
        let span = i64::from(last - first);
        let gaps = now.order_days - 1;
        match planned.measure.kind {
            MeasureKind::FirstOrder => Value::Int(i128::from(first)),
            MeasureKind::LastOrder => Value::Int(i128::from(last)),
            MeasureKind::RecencyDays => Value::Int(i128::from(recency)),
            MeasureKind::TenureDays => Value::Int(i128::from(as_of - first)),
            MeasureKind::Frequency if self.spec.count_days => {
                // A day on which the window starts counts anew, though the running total has seen it: windows start
                // at midnight, so a day never stands on both sides.
                Value::Int(i128::from(now.order_days - from.order_days))
            }
            MeasureKind::Frequency => Value::Int(i128::from(purchases)),
            MeasureKind::Monetary if self.spec.monetary_average => {
                if purchases == 0 { Value::Int(0) } else { average(money, purchases) }
            }
            MeasureKind::Monetary | MeasureKind::Revenue => Value::Int(money),
            MeasureKind::AvgOrderValue if purchases == 0 => Value::Null,
            MeasureKind::AvgOrderValue if self.spec.count_days => average(money, now.order_days - from.order_days),
            MeasureKind::AvgOrderValue => average(money, purchases),
            MeasureKind::LifetimeOrders => Value::Int(i128::from(now.purchases)),
            MeasureKind::LifetimeMonetary => Value::Int(now.money),
            MeasureKind::PeriodOrders if date.period_start.is_some() => Value::Int(i128::from(purchases)),
            MeasureKind::PeriodMonetary if date.period_start.is_some() => Value::Int(money),
            MeasureKind::OrdersBeforePeriod if date.period_start.is_some() => Value::Int(i128::from(from.purchases)),
            MeasureKind::PreviousPeriodOrders if date.previous_start.is_some() => {
                Value::Int(i128::from(from.purchases - split.purchases))
            }
            MeasureKind::PeriodOrders
            | MeasureKind::PeriodMonetary
            | MeasureKind::OrdersBeforePeriod
            | MeasureKind::PreviousPeriodOrders => Value::Null,
            MeasureKind::MeanGapDays if gaps > 0 => Value::Ratio(span, gaps),
            MeasureKind::OverdueRatio if gaps > 0 => Value::Ratio(recency * gaps, span),
            MeasureKind::NextDue if gaps > 0 => {
                Value::Int(i128::from(last) + divide_half_even(i128::from(span), i128::from(gaps)))
            }
            MeasureKind::MeanGapDays | MeasureKind::OverdueRatio | MeasureKind::NextDue => Value::Null,
            MeasureKind::FrequencyTrend | MeasureKind::MonetaryTrend => {
                if planned.measure.lookback.unwrap_or(self.spec.lookback) == Lookback::All
                    || split.purchases == from.purchases
                {
                    Value::Null
                } else if planned.measure.kind == MeasureKind::FrequencyTrend {
                    Value::Ratio(now.purchases - split.purchases, split.purchases - from.purchases)
                } else {
                    Value::wide_ratio(now.money - split.money, split.money - from.money)
                }
            }
            MeasureKind::RevenueAtRisk => {
                let start = orders[..end].partition_point(|o| o.date < last - 364);
                let stop = orders[..end].partition_point(|o| o.date <= last);
                Value::Int(self.totals[stop].money - self.totals[start].money)
            }
            MeasureKind::DiscountShare => Value::Ratio(now.discounted - from.discounted, purchases),
            MeasureKind::ReturnShare => {
                let returns = now.returns - from.returns;
                Value::Ratio(returns, returns + purchases)
            }
            MeasureKind::Margin if now.cost_missing > from.cost_missing => Value::Null,
            MeasureKind::Margin => Value::Int(money - (now.cost - from.cost)),
        }
    }
}

enum Value {
    Null,
    Int(i128),
    /// A zero denominator is null.
    Ratio(i64, i64),
}

impl Value {
    /// A ratio of money; null where it is over zero or does not fit.
    fn wide_ratio(numerator: i128, denominator: i128) -> Value {
        match (i64::try_from(numerator), i64::try_from(denominator)) {
            (Ok(n), Ok(d)) if d > 0 => Value::Ratio(n, d),
            _ => Value::Null,
        }
    }
}

fn average(money: i128, purchases: i64) -> Value {
    Value::Int(divide_half_even(money.saturating_mul(100), i128::from(purchases)))
}

fn push(column: &mut Column, value: Value, planned: &Planned, as_of: i32) -> Result<()> {
    match (column, value) {
        (Column::Int(values), Value::Int(v)) => values.push(v as i32),
        (Column::Int(values), _) => values.push(NULL_INT),
        (Column::Long(values), Value::Int(v)) => {
            if v.abs() >= MONEY_LIMIT {
                return Err(Error::contract(format!(
                    "{} of a customer at {} exceeds the 18 digits that the tables hold; lower orders.amount_scale or look for a wrong amount",
                    planned.measure,
                    crate::domain::Day(as_of)
                )));
            }
            values.push(v as i64);
        }
        (Column::Long(values), _) => values.push(NULL_LONG),
        (Column::Ratio(values), Value::Ratio(n, d)) => values.push((n, d)),
        (Column::Ratio(values), Value::Int(v)) => values.push((v as i64, 1)),
        (Column::Ratio(values), Value::Null) => values.push((0, 0)),
    }
    Ok(())
}
