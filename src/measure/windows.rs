//! The measures of days, purchases and money, which nearly every job has, in one pass along the as-of dates per window.
//!
//! Both ends of a window only move forward from date to date. So every order is added at the first date whose window reaches
//! it and subtracted at the first date whose window has passed it; running totals are then the sums at every date.
//! The loop is branch-free; it never tests whether an order precedes a date. Together with
//! leaving out histories that no table shows, this took the CPU time of workload W2 of `benches/README.md` from 10.4 to 9.1 s.

use crate::activity::{BoundaryDays, Order, OrderKind};
use crate::domain::{Lookback, Measure, MeasureKind, OrderSum};
use crate::error::Result;

use super::column::Column;
use super::formula::{Counting, Facts, MONEY_LIMIT, Sums, set, value, within};
use super::spec::FoldSpec;

/// Windows with the same first days, and the columns that look at them.
struct Window {
    /// First day per as-of date; ascending.
    starts: Vec<i32>,
    /// Days before the first ones.
    before: BoundaryDays,
    purchases: Vec<usize>,
    money: Vec<(usize, MeasureKind)>,
    /// Money per purchase.
    averages: Vec<(usize, MeasureKind)>,
}

/// An integer that holds every sum of a customer's money.
trait Money: Copy + Default + std::ops::AddAssign + std::ops::SubAssign + Into<i128> + From<i64> {
    /// The sum as the tables hold it.
    fn stored(self, kind: MeasureKind, as_of: i32) -> Result<i64>;
}

/// Of customers whose amounts add up to what the tables hold, whatever their signs.
impl Money for i64 {
    fn stored(self, _: MeasureKind, _: i32) -> Result<i64> {
        Ok(self)
    }
}

impl Money for i128 {
    fn stored(self, kind: MeasureKind, as_of: i32) -> Result<i64> {
        within(self, kind, as_of)
    }
}

/// Folds customers one after the other; see the head of the file.
pub(super) struct Windows {
    as_of: Vec<i32>,
    dates: BoundaryDays,
    net: bool,
    only_lookback: bool,
    counting: Counting,
    /// The first is the job's lookback.
    windows: Vec<Window>,
    recency: Vec<usize>,
    first: Vec<usize>,
    last: Vec<usize>,
    tenure: Vec<usize>,
    annual_value: Vec<usize>,
    /// The first as-of date that sees each order of the current customer.
    seen: Vec<usize>,
    /// Per as-of date: last purchase, and purchases and money of the current window.
    lasts: Vec<i32>,
    counts: Vec<i64>,
    narrow: Vec<i64>,
    wide: Vec<i128>,
}

impl Windows {
    /// Whether a measure can be had this way.
    pub fn serves(spec: &FoldSpec, kind: MeasureKind) -> bool {
        let basis = kind.basis();
        basis.is_of_purchases_and_money() && !(spec.count_days && basis.has_sum(OrderSum::Frequency))
    }

    pub fn new(spec: &FoldSpec) -> Windows {
        let dates = spec.dates.len();
        let as_of: Vec<i32> = spec.dates.iter().map(|d| d.date.0).collect();
        let mut out = Windows {
            dates: BoundaryDays::new(as_of.clone()),
            as_of,
            net: spec.net,
            only_lookback: spec.only_lookback,
            counting: spec.counting(),
            windows: Vec::new(),
            recency: Vec::new(),
            first: Vec::new(),
            last: Vec::new(),
            tenure: Vec::new(),
            annual_value: Vec::new(),
            seen: Vec::new(),
            lasts: vec![0; dates],
            // One place more, for what no date has passed.
            counts: vec![0; dates + 1],
            narrow: vec![0; dates + 1],
            wide: vec![0; dates + 1],
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
            MeasureKind::AnnualValue => self.annual_value.push(column),
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
        let starts = spec.starts(lookback);
        let at = self.windows.iter().position(|w| w.starts == starts).unwrap_or_else(|| {
            let before = BoundaryDays::new(starts.iter().map(|start| start.saturating_sub(1)).collect());
            self.windows.push(Window { starts, before, purchases: Vec::new(), money: Vec::new(), averages: Vec::new() });
            self.windows.len() - 1
        });
        &mut self.windows[at]
    }

    /// Adds a customer whose first purchase was on `first`, with orders in date order, to the cells from `customer` on in
    /// steps of `customers`.
    pub fn add(
        &mut self,
        at: (usize, usize),
        first: i32,
        orders: &[Order],
        listed: &mut [bool],
        columns: &mut [Column],
    ) -> Result<()> {
        // Whatever the order of additions, no sum exceeds the sum of all amounts without their signs.
        let most = orders.iter().try_fold(0u64, |sum, order| sum.checked_add(order.amount.unsigned_abs()));
        if most.is_some_and(|most| i128::from(most) < MONEY_LIMIT) {
            let mut sums = std::mem::take(&mut self.narrow);
            let outcome = self.add_as(at, first, orders, listed, columns, &mut sums);
            self.narrow = sums;
            outcome
        } else {
            let mut sums = std::mem::take(&mut self.wide);
            let outcome = self.add_as(at, first, orders, listed, columns, &mut sums);
            self.wide = sums;
            outcome
        }
    }

    fn add_as<M: Money>(
        &mut self,
        (customer, customers): (usize, usize),
        first: i32,
        orders: &[Order],
        listed: &mut [bool],
        columns: &mut [Column],
        sums: &mut [M],
    ) -> Result<()> {
        let from = self.as_of.partition_point(|as_of| *as_of < first);
        if from == self.as_of.len() {
            return Ok(());
        }
        let start = from * customers + customer;
        self.seen.clear();
        self.seen.extend(orders.iter().map(|order| self.dates.before(order.date)));
        self.last_purchases(from, orders);
        let dates = || self.as_of[from..].iter().zip(&self.lasts[from..]);
        let ints = |columns: &mut [Column], column: usize, values: &mut dyn Iterator<Item = i32>| {
            if let Some(Column::Int(out)) = columns.get_mut(column) {
                out[start..].iter_mut().step_by(customers).zip(values).for_each(|(cell, value)| *cell = value);
            }
        };
        for &column in &self.recency {
            if let Column::Int(out) = &mut columns[column] {
                let cells = out[start..].iter_mut().step_by(customers);
                cells.zip(dates()).for_each(|(cell, (as_of, last))| *cell = as_of - last);
            }
        }
        for &column in &self.first {
            ints(columns, column, &mut std::iter::repeat(first));
        }
        for &column in &self.last {
            ints(columns, column, &mut self.lasts[from..].iter().copied());
        }
        for &column in &self.tenure {
            ints(columns, column, &mut self.as_of[from..].iter().map(|as_of| as_of - first));
        }
        for at in 0..self.windows.len() {
            self.slide(at, orders, sums);
            if at == 0 {
                let cells = listed[start..].iter_mut().step_by(customers);
                cells.zip(&self.counts[from..]).for_each(|(cell, count)| *cell = !self.only_lookback || *count > 0);
            }
            let window = &self.windows[at];
            for &column in &window.purchases {
                if let Column::Long(out) = &mut columns[column] {
                    let cells = out[start..].iter_mut().step_by(customers);
                    cells.zip(&self.counts[from..]).for_each(|(cell, count)| *cell = *count);
                }
            }
            for &(column, kind) in &window.money {
                self.set_money(&mut columns[column], kind, (start, customers), from, sums)?;
            }
            for &(column, kind) in &window.averages {
                let values = sums[from..].iter().zip(&self.as_of[from..]).zip(&self.counts[from..]).enumerate();
                for (step, ((money, as_of), purchases)) in values {
                    let window = Sums { purchases: *purchases, money: (*money).into(), ..Sums::default() };
                    let facts = Facts { as_of: *as_of, first, last: first, life: window, window, annual_value: 0 };
                    let value = value(kind, &facts, self.counting);
                    set(&mut columns[column], start + step * customers, value, kind, *as_of)?;
                }
            }
        }
        if !self.annual_value.is_empty() {
            self.annual_values(orders, sums);
            for &column in &self.annual_value {
                self.set_money(&mut columns[column], MeasureKind::AnnualValue, (start, customers), from, sums)?;
            }
        }
        Ok(())
    }

    fn set_money<M: Money>(
        &self,
        column: &mut Column,
        kind: MeasureKind,
        (start, customers): (usize, usize),
        from: usize,
        sums: &[M],
    ) -> Result<()> {
        if let Column::Long(out) = column {
            let cells = out[start..].iter_mut().step_by(customers);
            for ((cell, sum), as_of) in cells.zip(&sums[from..]).zip(&self.as_of[from..]) {
                *cell = sum.stored(kind, *as_of)?;
            }
        }
        Ok(())
    }

    fn last_purchases(&mut self, from: usize, orders: &[Order]) {
        self.lasts.fill(i32::MIN);
        for (order, seen) in orders.iter().zip(&self.seen).filter(|(order, _)| order.is_purchase()) {
            if let Some(last) = self.lasts.get_mut(*seen) {
                *last = order.date;
            }
        }
        let mut last = i32::MIN;
        for own in &mut self.lasts[from..] {
            last = last.max(*own);
            *own = last;
        }
    }

    /// What an order adds to the money.
    #[inline]
    fn money<M: Money>(&self, order: &Order) -> M {
        M::from(if order.counts_money(self.net) { order.amount } else { 0 })
    }

    /// Purchases and money of a window at every date.
    fn slide<M: Money>(&mut self, window: usize, orders: &[Order], sums: &mut [M]) {
        let mut counts = std::mem::take(&mut self.counts);
        counts.fill(0);
        sums.fill(M::default());
        let passed = &self.windows[window].before;
        for (order, seen) in orders.iter().zip(&self.seen) {
            let (purchase, money) = (i64::from(order.is_purchase()), self.money(order));
            let passed = passed.before(order.date);
            counts[*seen] += purchase;
            counts[passed] -= purchase;
            sums[*seen] += money;
            sums[passed] -= money;
        }
        let (mut count, mut sum) = (0i64, M::default());
        for (own, money) in counts.iter_mut().zip(sums.iter_mut()) {
            count += *own;
            sum += *money;
            (*own, *money) = (count, sum);
        }
        self.counts = counts;
    }

    /// Money of the 365 days that end with the last purchase, less the returns since, at every date: what it changes by is noted
    /// at the first date that sees the order, and added up along the dates.
    fn annual_values<M: Money>(&self, orders: &[Order], sums: &mut [M]) {
        sums.fill(M::default());
        // The money of the 365 days that end with the current order, and the value after it and before it.
        let (mut year, mut value, mut noted) = (M::default(), M::default(), M::default());
        let (mut going, mut purchase) = (0, i32::MIN);
        for (order, seen) in orders.iter().zip(&self.seen) {
            year += self.money(order);
            while orders[going].date < order.date - 364 {
                year -= self.money(&orders[going]);
                going += 1;
            }
            if order.is_purchase() {
                purchase = order.date;
            }
            // What else has the day of the purchase counts, whichever comes first.
            if order.date == purchase {
                value = year;
            } else if order.kind == OrderKind::Return {
                value += self.money(order);
            }
            sums[*seen] += value;
            sums[*seen] -= noted;
            noted = value;
        }
        let mut sum = M::default();
        for own in sums {
            sum += *own;
            *own = sum;
        }
    }
}
