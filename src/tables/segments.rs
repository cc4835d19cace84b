//! `segments`: exact sums per state, put together from the parts of `customers`, and the shares and means over them.

use polars::prelude::*;

use crate::domain::divide_half_even;
use crate::error::{Error, Result};

/// Sums over the customers of one state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SegmentSum {
    /// Customers.
    pub customers: i64,
    /// Those of them who have ordered.
    pub buyers: i64,
    /// Purchases in the lookback.
    pub orders: i64,
    /// Customers with two purchases in it or more.
    pub repeat_customers: i64,
    /// Days since the last purchase.
    pub recency_days: i64,
    /// Money of the lookback, minor units.
    pub revenue: i128,
    /// Money of the 365 days that end with the last purchase, minor units.
    pub revenue_at_risk: i128,
    /// Monetary as scored.
    pub monetary: i128,
}

impl SegmentSum {
    /// Adds others.
    pub fn merge(&mut self, other: &SegmentSum) {
        self.customers += other.customers;
        self.buyers += other.buyers;
        self.orders += other.orders;
        self.repeat_customers += other.repeat_customers;
        self.recency_days += other.recency_days;
        self.revenue += other.revenue;
        self.revenue_at_risk += other.revenue_at_risk;
        self.monetary += other.monetary;
    }
}

/// A row of `segments`: numbers of date, slice, dimension, value, scheme and state, with its sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentRow {
    /// Number of the as-of date, slice, dimension, value of the dimension, scheme and state.
    pub key: [u32; 6],
    /// The sums.
    pub sum: SegmentSum,
    /// Customers of all states of the scheme there.
    pub all_customers: i64,
    /// Revenue of all states of the scheme there.
    pub all_revenue: i128,
}

impl SegmentRow {
    /// Share of the customers.
    pub fn customer_share(&self) -> f64 {
        self.sum.customers as f64 / self.all_customers as f64
    }

    /// Share of the revenue; `None` where there is none.
    pub fn revenue_share(&self) -> Option<f64> {
        (self.all_revenue != 0).then(|| self.sum.revenue as f64 / self.all_revenue as f64)
    }

    /// Revenue per order with two more digits; `None` without orders.
    pub fn avg_order_value(&self) -> Option<i128> {
        (self.sum.orders > 0).then(|| divide_half_even(self.sum.revenue.saturating_mul(100), i128::from(self.sum.orders)))
    }

    /// Mean of monetary with two more digits than money, `None` without anybody who has ordered; `average` says that
    /// monetary has them already.
    pub fn mean_monetary(&self, average: bool) -> Option<i128> {
        let sum = if average { self.sum.monetary } else { self.sum.monetary.saturating_mul(100) };
        (self.sum.buyers > 0).then(|| divide_half_even(sum, i128::from(self.sum.buyers)))
    }
}

const KEYS: [&str; 6] = ["date", "slice", "dimension", "value", "scheme", "state"];
/// Keys of the totals that shares are taken of.
const TOTALS: usize = 5;
const COUNTS: [&str; 5] = ["customers", "orders", "repeat_customers", "recency_days", "buyers"];
const MONEY: [&str; 3] = ["revenue", "revenue_at_risk", "monetary"];

/// Adds up the sums of all parts by their keys, in the order of these numbers.
///
/// # Errors
/// Exit 1 if Polars refuses what we built.
pub fn summarise(parts: &[([u32; 6], SegmentSum)]) -> Result<Vec<SegmentRow>> {
    summarise_frame(parts).map_err(|e| Error::bug(format!("the segments cannot be added up: {e}")).caused_by(e))
}

fn summarise_frame(parts: &[([u32; 6], SegmentSum)]) -> PolarsResult<Vec<SegmentRow>> {
    let key = |at: usize| Column::new(KEYS[at].into(), parts.iter().map(|(key, _)| key[at]).collect::<Vec<u32>>());
    let count =
        |name: &str, of: fn(&SegmentSum) -> i64| Column::new(name.into(), parts.iter().map(|(_, s)| of(s)).collect::<Vec<i64>>());
    let money = |name: &str, of: fn(&SegmentSum) -> i128| {
        Column::new(name.into(), parts.iter().map(|(_, s)| of(s)).collect::<Vec<i128>>())
    };
    let frame = DataFrame::new(
        parts.len(),
        vec![
            key(0),
            key(1),
            key(2),
            key(3),
            key(4),
            key(5),
            count(COUNTS[0], |s| s.customers),
            count(COUNTS[1], |s| s.orders),
            count(COUNTS[2], |s| s.repeat_customers),
            count(COUNTS[3], |s| s.recency_days),
            count(COUNTS[4], |s| s.buyers),
            money(MONEY[0], |s| s.revenue),
            money(MONEY[1], |s| s.revenue_at_risk),
            money(MONEY[2], |s| s.monetary),
        ],
    )?;
    #[allow(deprecated, reason = "the eager group-by needs no lazy engine, whose build takes minutes")]
    let sums = frame.group_by(KEYS)?.select(COUNTS.iter().chain(&MONEY).copied()).sum()?;
    #[allow(deprecated, reason = "as above")]
    let totals = frame.group_by(&KEYS[..TOTALS])?.select(["customers", "revenue"]).sum()?;
    let sums = sums.sort(KEYS, SortMultipleOptions::default())?;
    let totals = totals.sort(KEYS[..TOTALS].to_vec(), SortMultipleOptions::default())?;
    let keys: Vec<Vec<u32>> =
        KEYS.iter().map(|k| Ok(sums.column(k)?.u32()?.into_no_null_iter().collect())).collect::<PolarsResult<_>>()?;
    let long = |frame: &DataFrame, name: &str| -> PolarsResult<Vec<i64>> {
        Ok(frame.column(&format!("{name}_sum"))?.i64()?.into_no_null_iter().collect())
    };
    let wide = |frame: &DataFrame, name: &str| -> PolarsResult<Vec<i128>> {
        Ok(frame.column(&format!("{name}_sum"))?.i128()?.into_no_null_iter().collect())
    };
    let counts = COUNTS.map(|name| long(&sums, name));
    let [customers, orders, repeat, recency, buyers] = counts;
    let (customers, orders, repeat, recency, buyers) = (customers?, orders?, repeat?, recency?, buyers?);
    let [revenue, risk, monetary] = MONEY.map(|name| wide(&sums, name));
    let (revenue, risk, monetary) = (revenue?, risk?, monetary?);
    let total_keys: Vec<Vec<u32>> =
        KEYS[..TOTALS].iter().map(|k| Ok(totals.column(k)?.u32()?.into_no_null_iter().collect())).collect::<PolarsResult<_>>()?;
    let (all_customers, all_revenue) = (long(&totals, "customers")?, wide(&totals, "revenue")?);
    let mut rows = Vec::with_capacity(customers.len());
    let mut total = 0;
    for row in 0..customers.len() {
        // Both frames are sorted by the shared keys, so the totals are walked along.
        while total + 1 < all_customers.len() && (0..TOTALS).any(|k| total_keys[k][total] != keys[k][row]) {
            total += 1;
        }
        rows.push(SegmentRow {
            key: std::array::from_fn(|k| keys[k][row]),
            sum: SegmentSum {
                customers: customers[row],
                buyers: buyers[row],
                orders: orders[row],
                repeat_customers: repeat[row],
                recency_days: recency[row],
                revenue: revenue[row],
                revenue_at_risk: risk[row],
                monetary: monetary[row],
            },
            all_customers: all_customers[total],
            all_revenue: all_revenue[total],
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() -> Result<()> {
        let sum = |n: i64| SegmentSum { customers: n, orders: 2 * n, revenue: i128::from(n) << 70, ..SegmentSum::default() };
        let rows = summarise(&[
            ([0, 0, 0, 0, 1, 2], sum(1)),
            ([0, 0, 0, 0, 0, 0], sum(5)),
            ([0, 0, 0, 0, 1, 2], sum(2)),
            ([0, 0, 0, 0, 1, 0], sum(7)),
        ])?;
        assert_eq!(rows.iter().map(|r| r.key).collect::<Vec<_>>(), [[0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 1, 2]]);
        assert_eq!(rows.iter().map(|r| r.sum.customers).collect::<Vec<_>>(), [5, 7, 3]);
        assert_eq!(rows.iter().map(|r| r.all_customers).collect::<Vec<_>>(), [5, 10, 10]);
        assert_eq!(rows[2].sum.revenue, 3i128 << 70);
        assert_eq!(summarise(&[])?, []);
        Ok(())
    }
}
