//! Cohorts: customers by the period of their first purchase, and what they did since.

use serde::{Deserialize, Serialize};

/// Sums over a cohort in one period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CohortSum {
    /// Customers of the cohort.
    pub customers: i64,
    /// Customers who bought in the period.
    pub active: i64,
    /// Customers who have bought twice or more by its end.
    pub repeat: i64,
    /// Purchases of the period.
    pub orders: i64,
    /// Money of the period, minor units.
    pub revenue: i128,
    /// Money up to its end, minor units.
    pub revenue_to_date: i128,
}

impl CohortSum {
    /// Adds others.
    pub fn merge(&mut self, other: &CohortSum) {
        self.customers += other.customers;
        self.active += other.active;
        self.repeat += other.repeat;
        self.orders += other.orders;
        self.revenue += other.revenue;
        self.revenue_to_date += other.revenue_to_date;
    }
}

/// The cohort of every customer of a part.
#[derive(Debug, Clone)]
pub struct Cohorts {
    of: Vec<u32>,
}

impl Cohorts {
    /// Before the first purchase.
    const NONE: u32 = 0;
    /// First purchase outside of the job's periods.
    pub const OUTSIDE: u32 = 1;

    /// `customers` customers, all before their first purchase.
    pub fn new(customers: usize) -> Cohorts {
        Cohorts { of: vec![Cohorts::NONE; customers] }
    }

    /// The number of the cohort whose period ends on the date of this index.
    pub fn number(date: usize) -> u32 {
        date as u32 + 2
    }

    /// The date of a cohort; `None` if its customers' first purchases lie outside of the periods.
    pub fn date(number: u32) -> Option<usize> {
        number.checked_sub(2).map(|date| date as usize)
    }

    /// The cohort of a customer, who joins one with the first purchase: that of the period at `date` if the purchase
    /// lies in it.
    #[inline]
    pub fn join(&mut self, customer: usize, date: usize, before: u32, period: u32) -> Option<u32> {
        let of = &mut self.of[customer];
        if *of == Cohorts::NONE {
            match (before > 0, period > 0) {
                (true, _) => *of = Cohorts::OUTSIDE,
                (false, true) => *of = Cohorts::number(date),
                (false, false) => return None,
            }
        }
        Some(*of)
    }
}
