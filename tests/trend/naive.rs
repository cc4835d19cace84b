//! The same numbers from raw orders, customer by customer and date by date, with nothing of the program.

use std::collections::BTreeMap;

use crate::support::calendar::{add_months, civil_from_days, days_from_civil, days_in_month};

/// An order: customer, date, minor units (a return if below zero), and the night whose file has it.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    pub customer: i64,
    pub date: i64,
    pub cents: i128,
    pub night: usize,
}

pub fn month_start(date: i64) -> i64 {
    let (year, month, _) = civil_from_days(date);
    days_from_civil(year, month, 1)
}

pub fn month_end(date: i64) -> i64 {
    let (year, month, _) = civil_from_days(date);
    days_from_civil(year, month, days_in_month(year, month))
}

/// The same place some months before: last days beside last days, else the same day of the month, clamped.
pub fn months_before(date: i64, months: i64) -> i64 {
    let before = add_months(date, -months);
    if date == month_end(date) { month_end(before) } else { before }
}

/// What a date of a monthly trend is: `own`, `trend` or `comparison`, by date.
pub fn trend_dates(as_of: i64, months: i64) -> BTreeMap<i64, &'static str> {
    let mut dates: BTreeMap<i64, &str> =
        (0..months).map(|n| (month_start(add_months(month_start(as_of), -n)) - 1, "trend")).collect();
    for day in [months_before(as_of, 1), months_before(as_of, 12)] {
        dates.entry(day).or_insert("comparison");
    }
    dates.insert(as_of, "own");
    dates
}

/// The period of a date and what compares with it, by first and last day.
pub fn periods(date: i64) -> [(i64, i64); 2] {
    let before = months_before(date, 1);
    [(month_start(date), date), (month_start(month_start(date) - 1), before)]
}

/// What period measures look at: the calendar month if it is over, else the month that ends with the date.
pub fn rolling(date: i64) -> [(i64, i64); 2] {
    if date == month_end(date) {
        return periods(date);
    }
    let before = months_before(date, 1);
    [(before + 1, date), (months_before(before, 1) + 1, before)]
}

/// The orders of one customer, those that are known.
pub struct Customer {
    pub id: i64,
    pub orders: Vec<Order>,
}

impl Customer {
    /// Purchases from one day to another.
    pub fn purchases(&self, from: i64, to: i64) -> i64 {
        self.orders.iter().filter(|o| o.cents >= 0 && (from..=to).contains(&o.date)).count() as i64
    }

    /// Money from one day to another, returns taken off.
    pub fn money(&self, from: i64, to: i64) -> i128 {
        self.orders.iter().filter(|o| (from..=to).contains(&o.date)).map(|o| o.cents).sum()
    }

    pub fn first(&self) -> i64 {
        self.orders.iter().filter(|o| o.cents >= 0).map(|o| o.date).min().expect("a purchase")
    }

    /// The state of `recency_windows`, or none before the first purchase.
    pub fn lifecycle(&self, date: i64) -> Option<&'static str> {
        let last = self.orders.iter().filter(|o| o.cents >= 0 && o.date <= date).map(|o| o.date).max()?;
        Some(match date - last {
            ..=90 => "active",
            91..=180 => "silent",
            181..=270 => "sleeping",
            271..=365 => "lapsing",
            _ => "churned",
        })
    }

    /// The state of `activity`.
    pub fn activity(&self, date: i64) -> Option<&'static str> {
        self.status(date, rolling(date))
    }

    /// What the customer did in the period of a date, beside what compares with it.
    pub fn growth(&self, date: i64) -> Option<&'static str> {
        self.status(date, periods(date))
    }

    /// What the customer did in the first of two periods, beside the second.
    fn status(&self, date: i64, [(from, to), (before, until)]: [(i64, i64); 2]) -> Option<&'static str> {
        (self.first() <= date).then(|| {
            let earlier = self.purchases(i64::MIN, from - 1);
            match (earlier > 0, self.purchases(before, until) > 0, self.purchases(from, to) > 0) {
                (false, _, true) => "new",
                (_, true, true) => "retained",
                (_, false, true) => "resurrected",
                (_, true, false) => "lapsed",
                (_, false, false) => "inactive",
            }
        })
    }
}

/// The customers that are known in a night.
pub fn customers(orders: &[Order], night: usize) -> Vec<Customer> {
    let mut by_id: BTreeMap<i64, Vec<Order>> = BTreeMap::new();
    for order in orders.iter().filter(|o| o.night <= night) {
        by_id.entry(order.customer).or_default().push(*order);
    }
    let bought = |orders: &Vec<Order>| orders.iter().any(|o| o.cents >= 0);
    by_id.into_iter().filter(|(_, orders)| bought(orders)).map(|(id, orders)| Customer { id, orders }).collect()
}
