//! The fold of a nightly job: one as-of date, and sums of purchases and money.
//!
//! Nothing here depends on the order of a customer's orders, so records are added to the sums of their customer as they
//! come, without grouping or sorting them. In workload W1 of `benches/README.md` the measuring step takes a third of the
//! general fold's time (0.55 s and 0.19 s).

use crate::bucket::{Field, RecordLayout, Records, flag};
use crate::domain::{Basis, Day, Lookback, MeasureKind, ends};
use crate::error::Result;

use super::codes::SourceCodes;
use super::column::Column;
use super::customer_findings::CustomerFindings;
use super::formula::{Facts, Sums, set, value};
use super::interner::CustomerInterner;
use super::panel::BucketPanel;
use super::spec::FoldSpec;

/// What is known of a customer: purchase days, and sums over all history.
#[derive(Debug, Clone, Copy)]
struct CustomerSums {
    first: i32,
    last: i32,
    life: WindowSums,
    annual_value: i64,
}

impl CustomerSums {
    /// Of a customer without an order.
    const NONE: CustomerSums =
        CustomerSums { first: i32::MAX, last: i32::MIN, life: WindowSums { purchases: 0, money: 0 }, annual_value: 0 };
}

/// Sums over one window.
#[derive(Debug, Clone, Copy, Default)]
struct WindowSums {
    purchases: i64,
    money: i64,
}

impl WindowSums {
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
    let serves_basis = |basis: Basis| basis.is_of_purchases_and_money() || basis == Basis::Attribute || basis.is_of_events();
    spec.dates.len() == 1
        && spec.interval_ends.is_empty()
        && !spec.histories
        && spec.history_days.is_empty()
        && !spec.affinity
        && spec.first_purchase.is_empty()
        && !spec.lines
        && !spec.count_days
        && spec.measures.iter().all(|m| serves_basis(m.kind.basis()))
}

/// Folds one bucket; `None` if money overflows 64 bits, which the general fold can still add up.
pub(super) fn fold(layout: RecordLayout, orders: &Records, codes: &SourceCodes, spec: &FoldSpec) -> Result<Option<BucketPanel>> {
    let Some(date) = spec.dates.first() else { return Ok(None) };
    let as_of = date.date;
    let met = CustomerInterner::new(layout, orders, codes);
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

    let records = OneDatePass::new(orders, &met.of_record, spec);
    let mut accounts = vec![CustomerSums::NONE; met.len()];
    let mut cells = vec![WindowSums::default(); met.len() * width];
    let mut overflow = records.add_to_life(&mut accounts);
    if width > 0 {
        overflow |= records.add_to_windows(&starts, &mut cells);
    }
    if spec.measures.iter().any(|m| m.kind == MeasureKind::AnnualValue) {
        overflow |= records.add_annual_value(&mut accounts);
    }
    if overflow {
        return Ok(None);
    }

    let order = met.order();
    let cell = |customer: usize, window: Option<usize>| match window {
        Some(window) => cells[customer * width + window],
        None => accounts[customer].life,
    };
    let listed = |customer: &u32| {
        let customer = *customer as usize;
        accounts[customer].life.purchases > 0 && (!spec.only_lookback || cell(customer, lookback).purchases > 0)
    };
    let listed: Vec<bool> = order.iter().map(listed).collect();
    let mut columns = spec.columns(order.len());
    let sums = |cell: WindowSums| Sums { purchases: cell.purchases, money: i128::from(cell.money), ..Sums::default() };
    for ((measure, window), column) in spec.measures.iter().zip(&windows).zip(&mut columns) {
        let facts = |customer: u32| {
            let account = &accounts[customer as usize];
            Facts {
                as_of: as_of.0,
                first: account.first,
                last: account.last,
                life: sums(account.life),
                window: sums(cell(customer as usize, *window)),
                annual_value: i128::from(account.annual_value),
            }
        };
        fill(column, measure.kind, spec, &order, &listed, facts)?;
    }
    let span = span(orders.column(Field::Date));
    let (ids, slices) = met.in_order(&order);
    let buyers = order.iter().map(|customer| &accounts[*customer as usize]).enumerate();
    let buyers = buyers.filter(|(_, account)| account.life.purchases > 0);
    let findings = CustomerFindings::of(&ids, buyers.map(|(at, account)| (at, account.life.purchases as u64, account.first)));
    Ok(Some(BucketPanel { findings, span, ..BucketPanel::new(ids, slices, listed, columns) }))
}

/// The first and the last day.
fn span(dates: &[i64]) -> Option<(Day, Day)> {
    ends(dates).map(|(first, last)| (Day(first as i32), Day(last as i32)))
}

/// The records of a bucket, added up in loops that do one thing each: they take most of the time of this fold.
struct OneDatePass<'a> {
    /// Numbers of their customers.
    customers: &'a [u32],
    dates: &'a [i64],
    amounts: &'a [i64],
    /// Empty if the job has none.
    flags: &'a [i64],
    /// Whether all of them are purchases.
    purchases: bool,
    /// Whether returns count in money.
    net: bool,
}

impl<'a> OneDatePass<'a> {
    fn new(orders: &'a Records, customers: &'a [u32], spec: &FoldSpec) -> OneDatePass<'a> {
        let (dates, amounts, flags) = (orders.column(Field::Date), orders.column(Field::Amount), orders.column(Field::Flags));
        let purchases = flags.is_empty() && amounts.iter().fold(0, |all, amount| all | amount) >= 0;
        OneDatePass { customers, dates, amounts, flags, purchases, net: spec.net }
    }

    /// Customer, day, whether it is a purchase and whether a return, and money of every record.
    #[inline(always)]
    fn each(&self, mut add: impl FnMut(usize, i64, [bool; 2], i64)) {
        let records = self.customers.iter().zip(self.dates).zip(self.amounts);
        if self.purchases {
            records.for_each(|((customer, day), amount)| add(*customer as usize, *day, [true, false], *amount));
            return;
        }
        for (record, ((customer, day), &amount)) in records.enumerate() {
            let flags = self.flags.get(record).copied().unwrap_or(0);
            let is_return = amount < 0 || flags & flag::RETURN != 0;
            let purchase = !is_return && flags & flag::MONEY_ONLY == 0;
            add(*customer as usize, *day, [purchase, is_return], if self.net || !is_return { amount } else { 0 });
        }
    }

    /// Adds the records to their customers' history; the result says whether money overflowed.
    #[inline(never)]
    fn add_to_life(&self, accounts: &mut [CustomerSums]) -> bool {
        let mut overflow = false;
        self.each(|customer, day, [purchase, _], money| {
            let account = &mut accounts[customer];
            if purchase {
                account.first = account.first.min(day as i32);
                account.last = account.last.max(day as i32);
            }
            overflow |= account.life.add(purchase, money);
        });
        overflow
    }

    /// Adds the records to the windows, as many cells per customer, that begin on these days; the result says whether money
    /// overflowed.
    #[inline(never)]
    fn add_to_windows(&self, starts: &[i64], cells: &mut [WindowSums]) -> bool {
        let mut overflow = false;
        self.each(|customer, day, [purchase, _], money| {
            let of_customer = &mut cells[customer * starts.len()..(customer + 1) * starts.len()];
            for (cell, _) in of_customer.iter_mut().zip(starts).filter(|(_, start)| day >= **start) {
                overflow |= cell.add(purchase, money);
            }
        });
        overflow
    }

    /// Adds the money of the 365 days that end with the last purchase, and the returns since; the result says whether it
    /// overflowed.
    #[inline(never)]
    fn add_annual_value(&self, accounts: &mut [CustomerSums]) -> bool {
        let mut overflow = false;
        self.each(|customer, day, [_, is_return], money| {
            let account = &mut accounts[customer];
            let last = i64::from(account.last);
            // The condition is unpredictable, so it is evaluated without a branch.
            let counts = ((day <= last) & (day >= last - 364)) | (is_return & (day > last));
            let (sum, over) = account.annual_value.overflowing_add(if counts { money } else { 0 });
            account.annual_value = sum;
            overflow |= over;
        });
        overflow
    }
}

/// Fills the column of a measure, for the listed among the customers of this order.
fn fill(
    column: &mut Column,
    kind: MeasureKind,
    spec: &FoldSpec,
    order: &[u32],
    listed: &[bool],
    facts: impl Fn(u32) -> Facts,
) -> Result<()> {
    /// Made for one kind, it computes nothing else.
    macro_rules! fill {
        ($kind:expr) => {
            for (place, customer) in order.iter().enumerate().filter(|(place, _)| listed[*place]) {
                let facts = facts(*customer);
                set(column, place, value($kind, &facts, spec.counting()), $kind, facts.as_of)?;
            }
        };
    }
    match kind {
        MeasureKind::RecencyDays => fill!(MeasureKind::RecencyDays),
        MeasureKind::Frequency => fill!(MeasureKind::Frequency),
        MeasureKind::Monetary => fill!(MeasureKind::Monetary),
        MeasureKind::Revenue => fill!(MeasureKind::Revenue),
        MeasureKind::AnnualValue => fill!(MeasureKind::AnnualValue),
        other => fill!(other),
    }
    Ok(())
}
