//! What a sample is to be like.

use jiff::civil::Date;

use super::calendar;

/// Above this many orders, a sample has a file per month rather than per quarter.
const QUARTERLY_ORDERS: u64 = 10_000_000;

/// What a sample is to be like. The same spec gives the same bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleSpec {
    /// Orders, purchases and returns together: exactly this many different order ids, bad rows not
    /// counted.
    pub orders: u64,
    /// Customers with at least one purchase: exactly this many; an eighth of the orders if none.
    pub customers: Option<u64>,
    /// Another seed gives other customers and orders.
    pub seed: u64,
    /// First date with orders (UTC).
    pub from: Date,
    /// Last date with orders (UTC), included.
    pub to: Date,
    /// Files to write, each with its own range of dates: whole months if there are enough of them.
    pub files: usize,
    /// Rows that break the data contract, on top of the good ones: by turns without a date, without
    /// an amount, and a second copy of a good row. Leaving them out gives the same good rows.
    pub bad_rows: u64,
    /// Customer ids like `C0001234` instead of integers.
    pub string_ids: bool,
    /// A strategy whose effect shows in the orders; without one, the bytes are those of a sample that knows none.
    pub strategy: Option<StrategySpec>,
    /// Whether service tickets with their cost, and answers to surveys, are made beside the orders, which stay as they are.
    pub service: bool,
}

/// A strategy with a known effect.
///
/// Everybody who has bought before its first day is assigned on that day, half to the arm `control` and half to
/// `treatment`, by the draw of [`crate::hash::HashDraw`] with the name as salt.
#[derive(Clone, Debug, PartialEq)]
pub struct StrategySpec {
    /// Its name: letters, digits, hyphens and underscores.
    pub name: String,
    /// How much more often treated customers buy: 0.25 is a quarter more.
    pub effect: f64,
    /// Its first day.
    pub from: Date,
    /// How many days it has.
    pub days: u32,
}

impl SampleSpec {
    /// A spec with usual values: a file per calendar quarter (per month above ten million orders),
    /// integer ids, no bad rows.
    pub fn new(orders: u64, seed: u64, from: Date, to: Date) -> Self {
        let months = calendar::months_between(from, to);
        Self {
            orders,
            customers: None,
            seed,
            from,
            to,
            files: match orders > QUARTERLY_ORDERS {
                true => months,
                false => months.div_ceil(3),
            }
            .max(1),
            bad_rows: 0,
            string_ids: false,
            strategy: None,
            service: false,
        }
    }
}
