//! The measures that nearly every job has, in one walk along a customer's orders per window: days, purchases and money.
//!
//! A window's ends only move forward from date to date, so its sums are kept by adding the orders that come in and taking
//! away those that fall out. In workload W2 of `benches/README.md` this is half the cost of sums before every order.

use crate::domain::{Lookback, Measure, MeasureKind};
use crate::error::Result;

use super::formula::{Counting, Facts, Sums, set, value, within};
use super::group::Order;
use super::{Column, FoldSpec};

/// Windows with the same first days, and the columns that look at them.
struct Window {
    /// First day per as-of date; ascending.
    starts: Vec<i32>,
    purchases: Vec<usize>,
    money: Vec<(usize, MeasureKind)>,
    /// Money per purchase.
    averages: Vec<(usize, MeasureKind)>,
}

/// Folds customers one after the other; see the head of the file.
pub(super) struct Windows {
    as_of: Vec<i32>,
    net: bool,
    only_lookback: bool,
    counting: Counting,
    /// The first is the job's lookback.
    windows: Vec<Window>,
    recency: Vec<usize>,
    first: Vec<usize>,
    last: Vec<usize>,
    tenure: Vec<usize>,
    at_risk: Vec<usize>,
    /// Per as-of date: last purchase, and purchases and money of the window at hand.
    lasts: Vec<i32>,
    counts: Vec<i64>,
    sums: Vec<i128>,
}

impl Windows {
    /// Whether a measure can be had this way.
    pub fn serves(spec: &FoldSpec, kind: MeasureKind) -> bool {
        match kind {
            MeasureKind::FirstOrder
            | MeasureKind::LastOrder
            | MeasureKind::RecencyDays
            | MeasureKind::TenureDays
            | MeasureKind::Revenue
            | MeasureKind::LifetimeOrders
            | MeasureKind::LifetimeMonetary
            | MeasureKind::RevenueAtRisk => true,
            MeasureKind::Frequency | MeasureKind::Monetary | MeasureKind::AvgOrderValue => !spec.count_days,
            _ => false,
        }
    }

    pub fn new(spec: &FoldSpec) -> Windows {
        let dates = spec.dates.len();
        let mut out = Windows {
            as_of: spec.dates.iter().map(|d| d.date.0).collect(),
            net: spec.net,
            only_lookback: spec.only_lookback,
            counting: spec.counting(),
            windows: Vec::new(),
            recency: Vec::new(),
            first: Vec::new(),
            last: Vec::new(),
            tenure: Vec::new(),
            at_risk: Vec::new(),
            lasts: vec![0; dates],
            counts: vec![0; dates],
            sums: vec![0; dates],
        };
        out.window(spec, spec.lookback);
        for (column, measure) in spec.measures.iter().enumerate().filter(|(_, m)| Windows::serves(spec, m.kind)) {
            out.plan(spec, column, *measure);
        }
        out
    }

    fn plan(&mut self, spec: &FoldSpec, column: usize, measure: Measure) {
        let kind = measure.kind;
        let lookback = measure.lookback.unwrap_or(spec.lookback);
        match kind {
            MeasureKind::RecencyDays => self.recency.push(column),
            MeasureKind::FirstOrder => self.first.push(column),
            MeasureKind::LastOrder => self.last.push(column),
            MeasureKind::TenureDays => self.tenure.push(column),
            MeasureKind::RevenueAtRisk => self.at_risk.push(column),
            MeasureKind::LifetimeOrders => self.window(spec, Lookback::All).purchases.push(column),
            MeasureKind::LifetimeMonetary => self.window(spec, Lookback::All).money.push((column, kind)),
            MeasureKind::Frequency => self.window(spec, lookback).purchases.push(column),
            MeasureKind::AvgOrderValue => self.window(spec, lookback).averages.push((column, kind)),
            MeasureKind::Monetary if spec.monetary_average => self.window(spec, lookback).averages.push((column, kind)),
            _ => self.window(spec, lookback).money.push((column, kind)),
        }
    }

    /// The windows of a lookback.
    fn window(&mut self, spec: &FoldSpec, lookback: Lookback) -> &mut Window {
        let starts: Vec<i32> = spec.dates.iter().map(|d| lookback.start(d.date).map_or(i32::MIN, |s| s.0)).collect();
        let at = self.windows.iter().position(|w| w.starts == starts).unwrap_or_else(|| {
            self.windows.push(Window { starts, purchases: Vec::new(), money: Vec::new(), averages: Vec::new() });
            self.windows.len() - 1
        });
        &mut self.windows[at]
    }

    /// Adds a customer whose first purchase was on `first`, with orders in date order, to the cells from `customer` on in
    /// steps of `customers`.
    pub fn add(
        &mut self,
        (customer, customers): (usize, usize),
        first: i32,
        orders: &[Order],
        listed: &mut [bool],
        columns: &mut [Column],
    ) -> Result<()> {
        let from = self.as_of.partition_point(|as_of| *as_of < first);
        let cells = (from * customers + customer..).step_by(customers.max(1));
        self.last_purchases(from, orders);
        let dates = self.as_of[from..].iter().zip(&self.lasts[from..]);
        for &column in &self.recency {
            if let Column::Int(out) = &mut columns[column] {
                cells.clone().zip(dates.clone()).for_each(|(cell, (as_of, last))| out[cell] = as_of - last);
            }
        }
        for (column, value) in self.first.iter().map(|c| (c, None)).chain(self.last.iter().map(|c| (c, Some(())))) {
            if let Column::Int(out) = &mut columns[*column] {
                cells.clone().zip(dates.clone()).for_each(|(cell, (_, last))| out[cell] = value.map_or(first, |()| *last));
            }
        }
        for &column in &self.tenure {
            if let Column::Int(out) = &mut columns[column] {
                cells.clone().zip(dates.clone()).for_each(|(cell, (as_of, _))| out[cell] = as_of - first);
            }
        }
        for at in 0..self.windows.len() {
            self.slide(at, from, orders);
            if at == 0 {
                for (cell, count) in cells.clone().zip(&self.counts[from..]) {
                    listed[cell] = !self.only_lookback || *count > 0;
                }
            }
            let window = &self.windows[at];
            for &column in &window.purchases {
                if let Column::Long(out) = &mut columns[column] {
                    cells.clone().zip(&self.counts[from..]).for_each(|(cell, count)| out[cell] = *count);
                }
            }
            let values = || self.sums[from..].iter().zip(&self.as_of[from..]);
            for &(column, kind) in &window.money {
                if let Column::Long(out) = &mut columns[column] {
                    for (cell, (sum, as_of)) in cells.clone().zip(values()) {
                        out[cell] = within(*sum, kind, *as_of)?;
                    }
                }
            }
            for &(column, kind) in &window.averages {
                for ((cell, (money, as_of)), purchases) in cells.clone().zip(values()).zip(&self.counts[from..]) {
                    let window = Sums { purchases: *purchases, money: *money, ..Sums::default() };
                    let facts = Facts { as_of: *as_of, first, last: first, life: window, window, at_risk: 0 };
                    set(&mut columns[column], cell, value(kind, &facts, self.counting), kind, *as_of)?;
                }
            }
        }
        if !self.at_risk.is_empty() {
            self.money_at_risk(from, orders);
            for &column in &self.at_risk {
                if let Column::Long(out) = &mut columns[column] {
                    for (cell, (sum, as_of)) in cells.clone().zip(self.sums[from..].iter().zip(&self.as_of[from..])) {
                        out[cell] = within(*sum, MeasureKind::RevenueAtRisk, *as_of)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn last_purchases(&mut self, from: usize, orders: &[Order]) {
        let mut rest = orders.iter().filter(|o| !o.is_return).map(|o| o.date).peekable();
        let mut last = i32::MIN;
        for (as_of, out) in self.as_of[from..].iter().zip(&mut self.lasts[from..]) {
            while let Some(date) = rest.next_if(|date| date <= as_of) {
                last = date;
            }
            *out = last;
        }
    }

    /// What an order adds to the money.
    #[inline]
    fn money(&self, order: &Order) -> i128 {
        if self.net || !order.is_return { i128::from(order.amount) } else { 0 }
    }

    /// Purchases and money of a window at every date.
    fn slide(&mut self, window: usize, from: usize, orders: &[Order]) {
        let starts = &self.windows[window].starts[from..];
        let (mut coming, mut going) = (orders.iter().peekable(), orders.iter().peekable());
        let (mut count, mut sum) = (0i64, 0i128);
        for (at, (as_of, start)) in self.as_of[from..].iter().zip(starts).enumerate() {
            while let Some(order) = coming.next_if(|o| o.date <= *as_of) {
                count += i64::from(!order.is_return);
                sum += self.money(order);
            }
            while let Some(order) = going.next_if(|o| o.date < *start) {
                count -= i64::from(!order.is_return);
                sum -= self.money(order);
            }
            self.counts[from + at] = count;
            self.sums[from + at] = sum;
        }
    }

    /// Money of the 365 days that end with the last purchase, at every date.
    fn money_at_risk(&mut self, from: usize, orders: &[Order]) {
        let (mut coming, mut going) = (orders.iter().peekable(), orders.iter().peekable());
        let mut sum = 0i128;
        for at in from..self.as_of.len() {
            let last = self.lasts[at];
            while let Some(order) = coming.next_if(|o| o.date <= last) {
                sum += self.money(order);
            }
            while let Some(order) = going.next_if(|o| o.date < last - 364) {
                sum -= self.money(order);
            }
            self.sums[at] = sum;
        }
    }
}
