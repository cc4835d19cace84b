//! Lines of orders, joined.
//!
//! An order lies on the date of its earliest line, and the lines of that date are summed into it. Lines of a later date, and lines
//! that the job says are money alone, are summed date by date: they count money on that date and are no purchase. So nothing that
//! comes later than a date changes what was said of it.

use std::sync::Arc;

use crate::activity::{Order, OrderKind};
use crate::bucket::{Field, flag};
use crate::error::{Error, Result};

use super::line_counts::{LineCounts, LineFindings};
use super::order_reader::{OrderLine, OrderReader, kind};

/// Days that the lines of an order may span before its number is thought to be used again.
const LONG_SPAN: i32 = 90;

/// What is found while lines are joined.
#[derive(Debug, Default)]
pub(super) struct LinesFound {
    /// Lines by file and outcome.
    pub counts: Vec<LineCounts>,
    /// What is odd about the orders.
    pub findings: LineFindings,
}

/// Joins the lines of a customer.
pub(super) struct OrderJoin<'a, 'b> {
    pub reader: OrderReader<'a>,
    /// The orders, in no particular order.
    pub out: &'b mut Vec<Order>,
    /// The lines that count by category, if something looks at them.
    pub order_lines: Option<&'b mut Vec<OrderLine>>,
    pub found: &'b mut LinesFound,
}

impl OrderJoin<'_, '_> {
    /// Joins lines to orders, and counts them by outcome.
    ///
    /// # Errors
    /// Exit 3 if the lines of an order overflow 64 bits.
    pub fn join(&mut self, lines: &[u32]) -> Result<()> {
        let records = self.reader.records;
        let (low, high) = (records.column(Field::Order), records.column(Field::OrderHigh));
        let key = |record: u32| (high.get(record as usize).copied().unwrap_or(0), low[record as usize]);
        let mut lines = lines.to_vec();
        lines.sort_unstable_by_key(|&record| key(record));
        let customerless = (!self.reader.codes.customerless.is_empty()).then(|| Arc::clone(&self.reader.codes.customerless));
        for lines in lines.chunk_by_mut(|&a, &b| key(a) == key(b)) {
            if let (Some(customerless), Some(&line)) = (&customerless, lines.first()) {
                let (high, low) = key(line);
                customerless.note_customer(low, high);
            }
            self.add_order(lines)?;
        }
        Ok(())
    }

    /// Adds the lines of an order.
    fn add_order(&mut self, lines: &mut [u32]) -> Result<()> {
        let (dates, flags) = (self.reader.dates, self.reader.flags);
        let date = |record: u32| dates[record as usize];
        let is_money = |record: u32| flags.get(record as usize).is_some_and(|flags| flags & flag::MONEY_ONLY != 0);
        let Some(first) = lines.first().map(|record| date(*record)) else { return Ok(()) };
        // Nearly all orders have lines of one date.
        if !lines.iter().any(|&record| date(record) != first || is_money(record)) {
            return self.add_own(lines);
        }
        let own = lines.iter().filter(|&&record| !is_money(record)).map(|&record| date(record));
        if let (Some(first), Some(last)) = (own.clone().min(), own.clone().max()) {
            self.found.findings.long_orders += u64::from(last - first > i64::from(LONG_SPAN));
        }
        let first = own.min();
        let is_later = |record: u32| is_money(record) || Some(date(record)) != first;
        lines.sort_unstable_by_key(|&record| (is_later(record), date(record)));
        let (own, later) = lines.split_at(lines.partition_point(|&record| !is_later(record)));
        if !own.is_empty() {
            self.add_own(own)?;
        }
        later.chunk_by(|&a, &b| date(a) == date(b)).try_for_each(|lines| self.add_later(lines))
    }

    /// Adds the order that lines of its date make.
    fn add_own(&mut self, lines: &[u32]) -> Result<()> {
        let order = self.sum(lines, 0)?;
        if let [first, more @ ..] = lines
            && !more.is_empty()
        {
            let amount = |record: &u32| self.reader.amounts[*record as usize];
            let (amount, is_repeated) = (amount(first), more.iter().all(|line| amount(line) == amount(first)));
            self.found.findings.of_several_lines += 1;
            if is_repeated && amount != 0 {
                self.found.findings.repeated += 1;
                self.found.findings.add_repeated(amount, amount);
            }
        }
        let is_dropped = self.reader.spec.drop_zero && order.amount == 0 && order.is_purchase();
        self.count(lines, is_dropped);
        if is_dropped {
            return Ok(());
        }
        self.push(order);
        if order.is_purchase()
            && let Some(order_lines) = &mut self.order_lines
        {
            order_lines.extend(lines.iter().map(|&record| self.reader.line(record, true)));
        }
        Ok(())
    }

    /// Adds lines of a date that are money alone.
    fn add_later(&mut self, lines: &[u32]) -> Result<()> {
        let order = Order { discounted: false, ..self.sum(lines, flag::MONEY_ONLY)? };
        self.count(lines, false);
        self.push(order);
        if order.counts_money(self.reader.spec.net)
            && let Some(order_lines) = &mut self.order_lines
        {
            order_lines.extend(lines.iter().map(|&record| self.reader.line(record, false)));
        }
        Ok(())
    }

    /// Adds an order.
    fn push(&mut self, order: Order) {
        if order.kind == OrderKind::Return && order.amount > 0 {
            let (returns, money) = &mut self.found.findings.positive_returns;
            *returns += 1;
            *money += i128::from(order.amount);
        }
        self.out.push(order);
    }

    /// Counts lines by file, as included or as part of an order of zero.
    fn count(&mut self, lines: &[u32], is_dropped: bool) {
        let files = self.reader.records.column(Field::File);
        for &record in lines {
            let counts = &mut self.found.counts[files.get(record as usize).map_or(0, |file| *file as usize)];
            let (rows, money) = if is_dropped { &mut counts.zero } else { &mut counts.included };
            *rows += 1;
            *money += i128::from(self.reader.amounts[record as usize]);
        }
    }

    /// What lines of one date make; `flags` are added to theirs.
    fn sum(&self, lines: &[u32], mut flags: i64) -> Result<Order> {
        let (mut amount, mut cost) = (0i128, 0i128);
        let mut order = Order::default();
        for &record in lines {
            let line = self.reader.order(record);
            amount += i128::from(line.amount);
            cost += i128::from(line.cost);
            order.date = line.date;
            flags |= self.reader.flags(record);
        }
        order.discounted = flags & flag::DISCOUNTED != 0;
        order.cost_missing = flags & flag::COST_MISSING != 0;
        order.amount = i64::try_from(amount).map_err(overflow)?;
        order.cost = i64::try_from(cost).map_err(overflow)?;
        order.kind = kind(flags, order.amount);
        Ok(order)
    }
}

#[cold]
fn overflow(_: std::num::TryFromIntError) -> Error {
    Error::contract(
        "the lines of one order add up to more money than 64 bits of minor units hold; lower orders.amount_scale or look for a wrong amount",
    )
}
