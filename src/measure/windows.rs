//! The measures of days, purchases and money, which nearly every job has, for the customers of a block at once.
//!
//! Both ends of a window only move forward from date to date. So every order is added at the first date whose window reaches
//! it and subtracted at the first date whose window has passed it; running totals along the dates are then the sums at every date.
//! Changes are noted customer by customer, in a row of numbers per date; the totals are taken row by row, in loops that the
//! compiler makes one instruction of for several customers.

use std::ops::Range;

use crate::activity::{BoundaryDays, Order, OrderKind, running_rows};
use crate::domain::{Lookback, Measure, MeasureKind, OrderSum};
use crate::error::Result;

use super::cells::CellBlock;
use super::column::{Column, NULL_LONG};
use super::formula::{Counting, Facts, MONEY_LIMIT, Sums, Value, set, value, within};
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
    /// By date and customer: what purchases and money change by, and then what they are.
    counts: Vec<i64>,
    sums: Vec<i64>,
}

/// Folds the customers of a block one after the other; see the head of the file.
pub(super) struct Windows {
    as_of: Vec<i32>,
    dates: BoundaryDays,
    /// Customers of a block.
    width: usize,
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
    /// Per order of a customer, the cell of the first as-of date that sees it.
    seen: Vec<usize>,
    /// By customer: the first purchase, of which those without one have none.
    firsts: Vec<i32>,
    /// By date and customer, with one row more for what no date has passed: the last purchase, and what the annual value changes by,
    /// and then is.
    lasts: Vec<i32>,
    years: Vec<i64>,
    /// By customer: whether 64 bits may not hold sums of its money.
    is_large: Vec<bool>,
    /// Column, cell and value of the money of those.
    large: Vec<(usize, usize, i64)>,
}

impl Windows {
    /// Whether a measure can be had this way.
    pub fn serves(spec: &FoldSpec, kind: MeasureKind) -> bool {
        let basis = kind.basis();
        basis.is_of_purchases_and_money() && !(spec.count_days && basis.has_sum(OrderSum::Frequency))
    }

    /// For blocks of `width` customers.
    pub fn new(spec: &FoldSpec, width: usize) -> Windows {
        let as_of: Vec<i32> = spec.dates.iter().map(|d| d.date.0).collect();
        let cells = (as_of.len() + 1) * width;
        let mut out = Windows {
            dates: BoundaryDays::new(as_of.clone()),
            as_of,
            width,
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
            firsts: vec![i32::MAX; width],
            lasts: vec![i32::MIN; cells],
            years: Vec::new(),
            is_large: vec![false; width],
            large: Vec::new(),
        };
        out.window(spec, spec.lookback);
        for (column, measure) in spec.measures.iter().enumerate().filter(|(_, m)| Windows::serves(spec, m.kind)) {
            out.plan(spec, column, *measure);
        }
        if !out.annual_value.is_empty() {
            out.years = vec![0; cells];
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
            let cells = self.lasts.len();
            let (purchases, money, averages) = (Vec::new(), Vec::new(), Vec::new());
            self.windows.push(Window {
                starts,
                before,
                purchases,
                money,
                averages,
                counts: vec![0; cells],
                sums: vec![0; cells],
            });
            self.windows.len() - 1
        });
        &mut self.windows[at]
    }

    /// Notes the orders, in date order and none after the last as-of date, of a customer of the block whose first purchase was on
    /// `first`.
    ///
    /// # Errors
    /// Exit 3 if its money exceeds what DECIMAL(18) holds.
    pub fn add(&mut self, customer: usize, first: i32, orders: &[Order]) -> Result<()> {
        self.firsts[customer] = first;
        self.seen.clear();
        self.seen.extend(orders.iter().map(|order| self.dates.before(order.date) * self.width + customer));
        for (order, seen) in orders.iter().zip(&self.seen).filter(|(order, _)| order.is_purchase()) {
            self.lasts[*seen] = order.date;
        }
        // Sums wrap: where the true one fits 64 bits, it is what comes out, whatever the order of additions.
        for Window { before, counts, sums, .. } in &mut self.windows {
            for (order, seen) in orders.iter().zip(&self.seen) {
                let passed = before.before(order.date) * self.width + customer;
                let (purchase, money) = (i64::from(order.is_purchase()), order.money(self.net));
                counts[*seen] += purchase;
                counts[passed] -= purchase;
                sums[*seen] = sums[*seen].wrapping_add(money);
                sums[passed] = sums[passed].wrapping_sub(money);
            }
        }
        if !self.annual_value.is_empty() {
            self.add_annual_value(orders);
        }
        // No sum exceeds the sum of all amounts without their signs.
        let most = orders.iter().try_fold(0u64, |sum, order| sum.checked_add(order.amount.unsigned_abs()));
        if most.is_none_or(|most| i128::from(most) >= MONEY_LIMIT) {
            self.is_large[customer] = true;
            self.add_large(customer, orders)?;
        }
        Ok(())
    }

    /// Notes the money of the 365 days that end with the last purchase, less the returns since: what it changes by, at the first date
    /// that sees the order.
    fn add_annual_value(&mut self, orders: &[Order]) {
        // The money of the 365 days that end with the current order, and the value after it and before it.
        let (mut year, mut value, mut noted) = (0i64, 0i64, 0i64);
        let (mut going, mut purchase) = (0, i32::MIN);
        for (order, seen) in orders.iter().zip(&self.seen) {
            year = year.wrapping_add(order.money(self.net));
            while orders[going].date < order.date - 364 {
                year = year.wrapping_sub(orders[going].money(self.net));
                going += 1;
            }
            if order.is_purchase() {
                purchase = order.date;
            }
            // What else has the day of the purchase counts, whichever comes first.
            if order.date == purchase {
                value = year;
            } else if order.kind == OrderKind::Return {
                value = value.wrapping_add(order.money(self.net));
            }
            self.years[*seen] = self.years[*seen].wrapping_add(value.wrapping_sub(noted));
            noted = value;
        }
    }

    /// Notes the money of a customer that 64 bits may not hold, at each date from all orders anew.
    fn add_large(&mut self, customer: usize, orders: &[Order]) -> Result<()> {
        let mut large = std::mem::take(&mut self.large);
        for (at, &as_of) in self.as_of.iter().enumerate().filter(|(_, as_of)| self.firsts[customer] <= **as_of) {
            let known = || orders.iter().filter(|order| order.date <= as_of);
            let sums = |counts: &dyn Fn(&Order) -> bool| {
                let mut sums = Sums::default();
                for order in known().filter(|order| counts(order)) {
                    sums.purchases += i64::from(order.is_purchase());
                    sums.money += i128::from(order.money(self.net));
                }
                sums
            };
            let mut note = |column: usize, kind: MeasureKind, value: Value| {
                let value = if let Value::Int(value) = value { within(value, kind, as_of)? } else { NULL_LONG };
                large.push((column, at * self.width + customer, value));
                Ok(())
            };
            for window in &self.windows {
                let of_window = sums(&|order| order.date >= window.starts[at]);
                for &(column, kind) in window.money.iter().chain(&window.averages) {
                    note(column, kind, self.value(kind, as_of, of_window))?;
                }
            }
            let last = known().filter(|order| order.is_purchase()).map(|order| order.date).max().unwrap_or(as_of);
            let year = sums(&|order| match order.date > last {
                true => order.kind == OrderKind::Return,
                false => order.date >= last - 364,
            });
            for &column in &self.annual_value {
                note(column, MeasureKind::AnnualValue, Value::Int(year.money))?;
            }
        }
        self.large = large;
        Ok(())
    }

    /// Fills the cells of the block's customers, and forgets them. Cells before a customer's first purchase are not listed.
    ///
    /// # Errors
    /// Exit 3 if money of a customer exceeds what DECIMAL(18) holds.
    pub fn fill(&mut self, block: &mut CellBlock) -> Result<()> {
        self.add_up();
        self.list(&mut block.listed);
        let columns = &mut block.columns;
        // Of cells that are not listed, any number will do.
        self.fill_days(columns, &self.recency, |as_of, _, last| as_of.wrapping_sub(last));
        self.fill_days(columns, &self.tenure, |as_of, first, _| as_of.wrapping_sub(first));
        self.fill_days(columns, &self.first, |_, first, _| first);
        self.fill_days(columns, &self.last, |_, _, last| last);
        for Window { purchases, money, counts, sums, .. } in &self.windows {
            purchases.iter().for_each(|column| copy(&mut columns[*column], counts));
            money.iter().for_each(|(column, _)| copy(&mut columns[*column], sums));
        }
        self.annual_value.iter().for_each(|column| copy(&mut columns[*column], &self.years));
        self.fill_averages(block)?;
        for (column, cell, value) in self.large.drain(..) {
            if let Column::Long(out) = &mut block.columns[column] {
                out[cell] = value;
            }
        }
        self.forget();
        Ok(())
    }

    /// Makes running totals of what was noted.
    fn add_up(&mut self) {
        running_rows(&mut self.lasts, self.width, i32::max);
        running_rows(&mut self.years, self.width, i64::wrapping_add);
        for window in &mut self.windows {
            running_rows(&mut window.counts, self.width, i64::wrapping_add);
            running_rows(&mut window.sums, self.width, i64::wrapping_add);
        }
    }

    fn forget(&mut self) {
        self.firsts.fill(i32::MAX);
        self.lasts.fill(i32::MIN);
        self.years.fill(0);
        self.is_large.fill(false);
        for window in &mut self.windows {
            window.counts.fill(0);
            window.sums.fill(0);
        }
    }

    /// The rows of a block, with their dates.
    fn rows(&self) -> impl Iterator<Item = (i32, Range<usize>)> + use<'_> {
        self.as_of.iter().enumerate().map(|(at, as_of)| (*as_of, at * self.width..(at + 1) * self.width))
    }

    /// Lists who has bought by then, or in the lookback.
    fn list(&self, listed: &mut [bool]) {
        let Some(lookback) = self.windows.first() else { return };
        for (as_of, row) in self.rows() {
            let cells = listed[row.clone()].iter_mut().zip(&self.firsts).zip(&lookback.counts[row]);
            cells.for_each(|((cell, first), count)| *cell = (*first <= as_of) & (!self.only_lookback | (*count > 0)));
        }
    }

    /// Fills columns of days, each from the as-of date, the first purchase and the last.
    fn fill_days(&self, columns: &mut [Column], numbers: &[usize], day: impl Fn(i32, i32, i32) -> i32) {
        for number in numbers {
            let Column::Int(out) = &mut columns[*number] else { continue };
            for (as_of, row) in self.rows() {
                let cells = out[row.clone()].iter_mut().zip(&self.firsts).zip(&self.lasts[row]);
                cells.for_each(|((cell, first), last)| *cell = day(as_of, *first, *last));
            }
        }
    }

    /// Fills the cells of money per purchase.
    fn fill_averages(&self, CellBlock { listed, columns, .. }: &mut CellBlock) -> Result<()> {
        for window in &self.windows {
            for &(column, kind) in &window.averages {
                for (as_of, row) in self.rows() {
                    let listed = row.zip(&self.is_large).filter(|(cell, is_large)| listed[*cell] && !**is_large);
                    for (cell, _) in listed {
                        let sums = Sums { purchases: window.counts[cell], money: window.sums[cell].into(), ..Sums::default() };
                        set(&mut columns[column], cell, self.value(kind, as_of, sums), kind, as_of)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A measure of money of a window with these sums.
    fn value(&self, kind: MeasureKind, as_of: i32, sums: Sums) -> Value {
        value(kind, &Facts { as_of, first: as_of, last: as_of, life: sums, window: sums, annual_value: 0 }, self.counting)
    }
}

/// Copies the rows of all dates to the cells of a column.
fn copy(column: &mut Column, rows: &[i64]) {
    if let Column::Long(out) = column {
        let cells = out.len();
        out.copy_from_slice(&rows[..cells]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AsOf, Day, divide_half_even};
    use crate::measure::FoldSpec;
    use crate::measure::customer::CustomerFold;
    use crate::wire::checks::Sequence;

    fn spec(net: bool, only_lookback: bool, monetary_average: bool) -> FoldSpec {
        use MeasureKind::{
            AnnualValue, AvgOrderValue, FirstOrder, Frequency, LastOrder, LifetimeMonetary, LifetimeOrders, Monetary,
            RecencyDays, TenureDays,
        };
        let plain =
            [RecencyDays, FirstOrder, LastOrder, TenureDays, LifetimeOrders, LifetimeMonetary, AnnualValue, AvgOrderValue];
        let windowed = |lookback| [Frequency, Monetary].map(|kind| Measure { kind, lookback });
        let measures = plain.map(Measure::plain).into_iter().chain(windowed(None)).chain(windowed(Some(Lookback::Days(30))));
        FoldSpec {
            lookback: Lookback::Days(90),
            net,
            monetary_average,
            only_lookback,
            ..FoldSpec::plain([400, 431, 460, 800].map(|day| AsOf::alone(Day(day))).to_vec(), measures.collect())
        }
    }

    /// What a measure means, from all orders anew; `None` is null.
    fn meant(spec: &FoldSpec, measure: Measure, as_of: i32, orders: &[Order]) -> Option<i128> {
        let known = || orders.iter().filter(|order| order.date <= as_of);
        let purchases = || known().filter(|order| order.kind == OrderKind::Purchase);
        let (first, last) = (purchases().map(|order| order.date).min()?, purchases().map(|order| order.date).max()?);
        let start = |lookback: Lookback| lookback.start(Day(as_of)).map_or(i32::MIN, |day| day.0);
        let counted = |order: &&Order| spec.net || order.kind != OrderKind::Return;
        let money = |from: i32| known().filter(|o| o.date >= from).filter(counted).map(|o| i128::from(o.amount)).sum::<i128>();
        let bought = |from: i32| purchases().filter(|order| order.date >= from).count() as i128;
        let from = start(measure.lookback.unwrap_or(spec.lookback));
        Some(match measure.kind {
            MeasureKind::RecencyDays => i128::from(as_of - last),
            MeasureKind::FirstOrder => i128::from(first),
            MeasureKind::LastOrder => i128::from(last),
            MeasureKind::TenureDays => i128::from(as_of - first),
            MeasureKind::LifetimeOrders => bought(i32::MIN),
            MeasureKind::LifetimeMonetary => money(i32::MIN),
            MeasureKind::Frequency => bought(from),
            MeasureKind::AvgOrderValue if bought(from) == 0 => return None,
            MeasureKind::AvgOrderValue => divide_half_even(money(from) * 100, bought(from)),
            MeasureKind::Monetary if spec.monetary_average && bought(from) == 0 => 0,
            MeasureKind::Monetary if spec.monetary_average => divide_half_even(money(from) * 100, bought(from)),
            MeasureKind::Monetary => money(from),
            _ => {
                let year =
                    known().filter(|o| o.date <= last && o.date > last - 365 || o.date > last && o.kind == OrderKind::Return);
                year.filter(counted).map(|order| i128::from(order.amount)).sum()
            }
        })
    }

    fn orders(random: &mut Sequence, most: u64) -> Vec<Order> {
        let mut orders: Vec<Order> = (0..random.below(9))
            .map(|_| {
                let (amount, kind) = match random.below(6) {
                    0 => (-(random.below(most) as i64), OrderKind::Return),
                    1 => (random.below(most) as i64, OrderKind::MoneyOnly),
                    _ => (random.below(most) as i64, OrderKind::Purchase),
                };
                Order { date: random.below(800) as i32, amount, kind, ..Order::default() }
            })
            .collect();
        orders.sort_by_key(|order| order.date);
        orders
    }

    /// Blocks are filled with what the measures mean, also of customers whose amounts 64 bits may not add up.
    #[test]
    fn cells_are_what_the_measures_mean() -> Result<()> {
        let mut random = Sequence::new(5);
        let mut wide = 0;
        for case in 0..48u32 {
            let spec = &spec(case & 1 == 0, case & 2 == 0, case & 4 == 0);
            let mut customers: Vec<Vec<Order>> = (0..1 + 5 * case as usize).map(|_| orders(&mut random, 90_000)).collect();
            if case % 3 == 0 {
                // Much money comes and goes on a day: with it averages stay within their limit, too.
                for orders in customers.iter_mut().step_by(2) {
                    for (day, amount) in [(200, 700), (440, -700), (440, 700)] {
                        let sum =
                            |sign: i64| Order { date: day, amount: sign * 900_000_000_000_000_000 + amount, ..Order::default() };
                        orders.extend([sum(1), sum(-1)].map(|order| Order { kind: OrderKind::MoneyOnly, ..order }));
                    }
                    orders.sort_by_key(|order| order.date);
                }
            }
            let is_held = |orders: &[Order]| {
                let of_date = |as_of: i32| spec.measures.iter().filter_map(move |m| meant(spec, *m, as_of, orders));
                spec.dates.iter().all(|date| of_date(date.date.0).all(|value| value.abs() < MONEY_LIMIT))
            };
            let customers: Vec<&Vec<Order>> = customers.iter().filter(|orders| is_held(orders)).collect();
            let mut folder = CustomerFold::new(spec, customers.len(), 8 * customers.len());
            for (customer, orders) in customers.iter().enumerate() {
                folder.add(customer, orders)?;
                wide += usize::from(orders.iter().map(|o| i128::from(o.amount.abs())).sum::<i128>() >= MONEY_LIMIT);
            }
            let (listed, columns, _) = folder.finish()?;
            for (at, date) in spec.dates.iter().enumerate() {
                for (customer, orders) in customers.iter().enumerate() {
                    let cell = at * customers.len() + customer;
                    let meant = |measure| meant(spec, measure, date.date.0, orders);
                    let bought = meant(Measure::plain(MeasureKind::Frequency)).is_some_and(|n| n > 0 || !spec.only_lookback);
                    assert_eq!(listed[cell], bought, "case {case}");
                    for (measure, column) in spec.measures.iter().zip(&columns).filter(|_| bought) {
                        assert_eq!(column.get(cell).map(i128::from), meant(*measure), "case {case}: {measure:?} of {orders:?}");
                    }
                }
            }
        }
        assert!(wide > 20, "{wide}");
        Ok(())
    }

    #[test]
    fn money_beyond_what_tables_hold_is_refused() -> Result<()> {
        let spec = spec(true, false, false);
        let of = |date, amount, kind| Order { date, amount, kind, ..Order::default() };
        let large = 600_000_000_000_000_000;
        let refused = |orders: &[Order]| CustomerFold::new(&spec, 1, 2).add(0, orders).err().map(|error| error.to_string());
        assert_eq!(refused(&[of(10, large, OrderKind::Purchase), of(20, -large, OrderKind::Return)]), None);
        let error = refused(&[of(10, large, OrderKind::Purchase), of(20, large, OrderKind::MoneyOnly)]);
        assert!(error.is_some_and(|error| error.contains("overflows the 18 digits")));
        Ok(())
    }
}
