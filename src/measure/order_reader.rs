//! The records of a bucket as orders, and as lines of orders.

use crate::activity::{Order, OrderKind};
use crate::bucket::{Field, Records, flag};

use super::codes::SourceCodes;
use super::spec::FoldSpec;

/// A line that counts by category.
#[derive(Debug, Clone, Copy)]
pub(super) struct OrderLine {
    /// Business date.
    pub date: i32,
    /// Number of its category in the order of their names; `None` without one.
    pub category: Option<u32>,
    /// Its amount in minor units.
    pub amount: i64,
    /// Whether it is bought; other lines only add to the money of their category.
    pub is_bought: bool,
}

/// Reads records as orders, or as lines of orders.
pub(super) struct OrderReader<'a> {
    pub codes: &'a SourceCodes,
    pub spec: &'a FoldSpec,
    pub records: &'a Records,
    pub dates: &'a [i64],
    pub amounts: &'a [i64],
    /// Empty if the job has none, as the costs.
    pub flags: &'a [i64],
    costs: &'a [i64],
}

impl<'a> OrderReader<'a> {
    #[inline]
    pub fn new(records: &'a Records, codes: &'a SourceCodes, spec: &'a FoldSpec) -> OrderReader<'a> {
        let column = |field: Field| records.column(field);
        let (dates, amounts) = (column(Field::Date), column(Field::Amount));
        OrderReader { codes, spec, records, dates, amounts, flags: column(Field::Flags), costs: column(Field::Cost) }
    }

    /// The flags of a record.
    #[inline]
    pub fn flags(&self, record: u32) -> i64 {
        self.flags.get(record as usize).copied().unwrap_or(0)
    }

    /// A record as an order.
    #[inline]
    pub fn order(&self, record: u32) -> Order {
        let flags = self.flags(record);
        let record = record as usize;
        let amount = self.amounts[record];
        Order {
            date: self.dates[record] as i32,
            kind: kind(flags, amount),
            discounted: flags & flag::DISCOUNTED != 0,
            cost_missing: flags & flag::COST_MISSING != 0,
            amount,
            cost: self.costs.get(record).copied().unwrap_or(0),
        }
    }

    /// A record as a line that counts by category.
    pub fn line(&self, record: u32, is_bought: bool) -> OrderLine {
        let record = record as usize;
        let code = self.records.column(Field::Category).get(record).and_then(|code| usize::try_from(*code).ok());
        let category = code.and_then(|code| self.codes.categories.get(code).copied());
        OrderLine { date: self.dates[record] as i32, category, amount: self.amounts[record], is_bought }
    }

    /// A record that is an order as its line by category; `None` if it does not count there.
    pub fn line_of_order(&self, record: u32) -> Option<OrderLine> {
        let order = self.order(record);
        let is_money = self.flags(record) & flag::MONEY_ONLY != 0 && order.counts_money(self.spec.net);
        (order.is_purchase() || is_money).then(|| self.line(record, order.is_purchase()))
    }
}

/// What lines with these flags, any of theirs, and this sum count as.
#[inline]
pub(super) fn kind(flags: i64, amount: i64) -> OrderKind {
    match flags {
        _ if amount < 0 || flags & flag::RETURN != 0 => OrderKind::Return,
        _ if flags & flag::MONEY_ONLY != 0 => OrderKind::MoneyOnly,
        _ => OrderKind::Purchase,
    }
}
