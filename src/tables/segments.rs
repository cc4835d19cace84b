//! Exact sums per state, and the shares and means over them.

use serde::{Deserialize, Serialize};

use crate::domain::divide_half_even;

/// Sums over the customers of one state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Money of the 365 days that end with the last purchase of each, less returns since; minor units.
    pub annual_value: i128,
    /// Monetary as scored.
    pub monetary: i128,
    /// What serving the customers cost in the lookback, minor units; 0 if the job has no such costs.
    pub cost_to_serve: i128,
    /// Margin of the lookback of those whose margin is known, minor units; 0 if it is not asked for.
    pub margin: i128,
    /// Customers with orders whose margin is not known.
    pub without_margin: i64,
    /// Customers who have said how content they are, and the sum of their last answers.
    pub answers: i64,
    pub satisfaction: i128,
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
        self.annual_value += other.annual_value;
        self.monetary += other.monetary;
        self.cost_to_serve += other.cost_to_serve;
        self.margin += other.margin;
        self.without_margin += other.without_margin;
        self.answers += other.answers;
        self.satisfaction += other.satisfaction;
    }

    /// Revenue per order with two more digits; `None` without orders.
    pub fn avg_order_value(&self) -> Option<i128> {
        (self.orders > 0).then(|| divide_half_even(self.revenue.saturating_mul(100), i128::from(self.orders)))
    }

    /// The margin of all; `None` if that of a customer is not known.
    pub fn known_margin(&self) -> Option<i128> {
        (self.without_margin == 0).then_some(self.margin)
    }

    /// The mean of the last answers, which have `scale` digits behind the point; `None` without one.
    pub fn mean_satisfaction(&self, scale: u8) -> Option<f64> {
        (self.answers > 0).then(|| self.satisfaction as f64 / (self.answers as f64 * 10f64.powi(i32::from(scale))))
    }

    /// A sum over the customers who have ordered, per such customer; `None` without one.
    pub fn mean(&self, sum: i64) -> Option<f64> {
        (self.buyers > 0).then(|| sum as f64 / self.buyers as f64)
    }

    /// Mean of monetary with two more digits than money, `None` without anybody who has ordered; `average` says that
    /// monetary has them already.
    pub fn mean_monetary(&self, average: bool) -> Option<i128> {
        let sum = if average { self.monetary } else { self.monetary.saturating_mul(100) };
        (self.buyers > 0).then(|| divide_half_even(sum, i128::from(self.buyers)))
    }
}

/// Numbers of the as-of date, slice, dimension, value of the dimension, scheme and state.
pub type SegmentKey = [u32; 6];

/// A state and its sums.
pub type Segment = (SegmentKey, SegmentSum);

/// The states of every scheme, at a date, in a slice and with a value of a dimension, and the sums over them all. `segments`
/// are sorted by key, each key once.
pub fn by_scheme(segments: &[Segment]) -> impl Iterator<Item = (&[Segment], SegmentSum)> {
    segments.chunk_by(|a, b| a.0[..5] == b.0[..5]).map(|states| {
        let mut total = SegmentSum::default();
        states.iter().for_each(|(_, sum)| total.merge(sum));
        (states, total)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_share_the_totals_of_their_scheme() {
        let sum = |n: i64| SegmentSum { customers: n, orders: 2 * n, revenue: i128::from(n) << 70, ..SegmentSum::default() };
        let sums = [
            ([0, 0, 0, 0, 0, 0], sum(5)),
            ([0, 0, 0, 0, 1, 0], sum(7)),
            ([0, 0, 0, 0, 1, 2], sum(3)),
            ([0, 0, 0, 1, 1, 2], sum(1)),
        ];
        let schemes: Vec<(&[Segment], SegmentSum)> = by_scheme(&sums).collect();
        assert_eq!(schemes.iter().flat_map(|(states, _)| *states).copied().collect::<Vec<_>>(), sums);
        assert_eq!(
            schemes.iter().map(|(states, total)| (states.len(), total.customers)).collect::<Vec<_>>(),
            [(1, 5), (2, 10), (1, 1)]
        );
        assert_eq!(schemes[1].1.revenue, 10i128 << 70);
        assert_eq!(by_scheme(&[]).count(), 0);
    }
}
