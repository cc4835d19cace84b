//! The fold of a nightly job: one as-of date, sums alone.
//!
//! Nothing here depends on the order of a customer's orders, so records are added to their customer's sums as they
//! come, without grouping or sorting them. In workload W1 of `benches/README.md` the measuring step takes a third of the
//! general fold's time (0.55 s and 0.19 s).

use crate::bucket::{Lane, Layout, Unpacked, flag};
use crate::domain::{Day, Lookback, MeasureKind, Origin};
use crate::error::Result;

use super::formula::{Facts, Sums, set, value};
use super::group::intern;
use super::{BucketPanel, FoldSpec};

/// What is known of a customer: purchase days, and sums over all history.
#[derive(Debug, Clone, Copy)]
struct Account {
    first: i32,
    last: i32,
    life: Cell,
    at_risk: i64,
}

/// Sums over one window.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    purchases: i64,
    money: i64,
}

impl Cell {
    /// Adds an order; the result says whether the money overflowed.
    #[inline]
    fn add(&mut self, purchase: bool, money: i64) -> bool {
        self.purchases += i64::from(purchase);
        let (sum, overflow) = self.money.overflowing_add(money);
        self.money = sum;
        overflow
    }
}

/// Whether a job can be folded this way.
pub(super) fn serves(spec: &FoldSpec) -> bool {
    let summable = |kind: MeasureKind| {
        matches!(
            kind,
            MeasureKind::FirstOrder
                | MeasureKind::LastOrder
                | MeasureKind::RecencyDays
                | MeasureKind::TenureDays
                | MeasureKind::Frequency
                | MeasureKind::Monetary
                | MeasureKind::Revenue
                | MeasureKind::AvgOrderValue
                | MeasureKind::LifetimeOrders
                | MeasureKind::LifetimeMonetary
                | MeasureKind::RevenueAtRisk
        )
    };
    spec.dates.len() == 1
        && spec.tiles.is_empty()
        && !spec.histories
        && !spec.lines
        && !spec.count_days
        && spec.measures.iter().all(|m| summable(m.kind) || matches!(m.kind.origin(), Origin::Customers | Origin::Events))
}

/// Folds one bucket; `None` if money overflows 64 bits, which the general fold can still add up.
pub(super) fn fold(layout: Layout, orders: &Unpacked, spec: &FoldSpec) -> Result<Option<BucketPanel>> {
    let Some(date) = spec.dates.first() else { return Ok(None) };
    let as_of = date.date;
    let (ids, slices, of_record) = intern(layout, orders, spec);
    // Windows besides all history, which every account has.
    let mut starts: Vec<i64> = Vec::new();
    let mut window_of = |lookback: Lookback| {
        let start = i64::from(lookback.start(as_of)?.0);
        Some(starts.iter().position(|s| *s == start).unwrap_or_else(|| {
            starts.push(start);
            starts.len() - 1
        }))
    };
    let lookback = window_of(spec.lookback);
    let windows: Vec<Option<usize>> = spec.measures.iter().map(|m| window_of(m.lookback.unwrap_or(spec.lookback))).collect();
    let width = starts.len();

    let (dates, amounts, flags) = (orders.lane(Lane::Date), orders.lane(Lane::Amount), orders.lane(Lane::Flags));
    let mut accounts = vec![Account { first: i32::MAX, last: i32::MIN, life: Cell::default(), at_risk: 0 }; ids.len()];
    let mut cells = vec![Cell::default(); ids.len() * width];
    let mut overflow = false;
    let is_return = |record: usize, amount: i64| amount < 0 || flags.get(record).is_some_and(|f| f & flag::RETURN != 0);
    let records = || of_record.iter().map(|c| *c as usize).zip(dates).zip(amounts).enumerate();
    for (record, ((customer, &day), &amount)) in records() {
        let purchase = !is_return(record, amount);
        let money = if purchase || spec.net { amount } else { 0 };
        let account = &mut accounts[customer];
        if purchase {
            account.first = account.first.min(day as i32);
            account.last = account.last.max(day as i32);
        }
        overflow |= account.life.add(purchase, money);
        if width > 0 {
            for (cell, start) in cells[customer * width..(customer + 1) * width].iter_mut().zip(&starts) {
                if day >= *start {
                    overflow |= cell.add(purchase, money);
                }
            }
        }
    }
    if spec.measures.iter().any(|m| m.kind == MeasureKind::RevenueAtRisk) {
        for (record, ((customer, &day), &amount)) in records() {
            let account = &mut accounts[customer];
            let last = i64::from(account.last);
            if day <= last && day >= last - 364 && (spec.net || !is_return(record, amount)) {
                let (sum, over) = account.at_risk.overflowing_add(amount);
                account.at_risk = sum;
                overflow |= over;
            }
        }
    }
    if overflow {
        return Ok(None);
    }

    let sums = |cell: &Cell| Sums { purchases: cell.purchases, money: i128::from(cell.money), ..Sums::default() };
    let cell = |customer: usize, window: Option<usize>| match window {
        Some(window) => cells[customer * width + window],
        None => accounts[customer].life,
    };
    let listed: Vec<bool> = (0..ids.len())
        .map(|customer| accounts[customer].life.purchases > 0 && (!spec.only_lookback || cell(customer, lookback).purchases > 0))
        .collect();
    let mut columns = spec.columns(ids.len());
    for ((measure, window), column) in spec.measures.iter().zip(&windows).zip(&mut columns) {
        for (customer, account) in accounts.iter().enumerate().filter(|(customer, _)| listed[*customer]) {
            let facts = Facts {
                as_of: as_of.0,
                first: account.first,
                last: account.last,
                life: sums(&account.life),
                window: sums(&cell(customer, *window)),
                at_risk: i128::from(account.at_risk),
            };
            set(column, customer, value(measure.kind, &facts, spec.counting()), measure.kind, as_of.0)?;
        }
    }
    let earliest = dates.iter().copied().min().unwrap_or(0);
    let latest = dates.iter().copied().max().unwrap_or(0);
    let span = (!orders.is_empty()).then_some((Day(earliest as i32), Day(latest as i32)));
    Ok(Some(BucketPanel {
        ids,
        slices,
        dimensions: Vec::new(),
        listed,
        columns,
        flows: Vec::new(),
        histories: None,
        lines: Vec::new(),
        span,
        strangers: 0,
    }))
}
