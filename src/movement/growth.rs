//! Growth accounting: who is new, stayed, came back or lapsed from one period to the next.
//!
//! `new + retained + resurrected = active`, and the change of `active` is `new + resurrected − lapsed` (the definitions
//! of Amplitude's lifecycle chart, on purchases).

use serde::{Deserialize, Serialize};

/// What a customer did in a period and before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrowthStatus {
    /// Bought for the first time.
    New,
    /// Bought, and in the period before, too.
    Retained,
    /// Bought, not in the period before, but earlier.
    Resurrected,
    /// Did not buy, but in the period before.
    Lapsed,
    /// Bought in neither.
    Inactive,
}

impl GrowthStatus {
    /// The status of a customer with these purchases before the period, in the previous period and in the period; `None`
    /// before the first purchase.
    #[inline]
    pub fn of(before: u32, previous: u32, period: u32) -> Option<GrowthStatus> {
        match (before > 0, previous > 0, period > 0) {
            (false, _, true) => Some(GrowthStatus::New),
            (_, true, true) => Some(GrowthStatus::Retained),
            (true, false, true) => Some(GrowthStatus::Resurrected),
            (_, true, false) => Some(GrowthStatus::Lapsed),
            (true, false, false) => Some(GrowthStatus::Inactive),
            (false, false, false) => None,
        }
    }
}

/// Sums over customers who were in the same state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrowthSum {
    /// Customers per status, in the order of [`GrowthStatus`].
    pub customers: [i64; 5],
    /// Money of the period, minor units.
    pub revenue: i128,
}

impl GrowthSum {
    /// Adds others.
    pub fn merge(&mut self, other: &GrowthSum) {
        for (count, more) in self.customers.iter_mut().zip(other.customers) {
            *count += more;
        }
        self.revenue += other.revenue;
    }

    /// Customers of one status.
    pub fn of(&self, status: GrowthStatus) -> i64 {
        self.customers[status as usize]
    }

    /// All customers.
    pub fn all(&self) -> i64 {
        self.customers.iter().sum()
    }

    /// Customers who bought in the period.
    pub fn active(&self) -> i64 {
        self.of(GrowthStatus::New) + self.of(GrowthStatus::Retained) + self.of(GrowthStatus::Resurrected)
    }

    /// Customers who bought in the period before.
    pub fn previous_active(&self) -> i64 {
        self.of(GrowthStatus::Retained) + self.of(GrowthStatus::Lapsed)
    }

    /// Share of the previously active who bought again.
    pub fn retention_rate(&self) -> Option<f64> {
        rate(self.of(GrowthStatus::Retained), self.previous_active())
    }

    /// Share of the previously active who did not.
    pub fn churn_rate(&self) -> Option<f64> {
        rate(self.of(GrowthStatus::Lapsed), self.previous_active())
    }

    /// Share of the previously inactive who came back.
    pub fn reactivation_rate(&self) -> Option<f64> {
        let resurrected = self.of(GrowthStatus::Resurrected);
        rate(resurrected, resurrected + self.of(GrowthStatus::Inactive))
    }
}

fn rate(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Growth by earlier state, of one slice at one date.
#[derive(Debug, Clone, Default)]
pub struct Growth {
    /// By state.
    pub states: Vec<GrowthSum>,
}

impl Growth {
    /// Without customers, for `states` states.
    pub fn new(states: usize) -> Growth {
        Growth { states: vec![GrowthSum::default(); states] }
    }

    /// Counts a customer.
    #[inline]
    pub fn count(&mut self, state: usize, status: GrowthStatus, money: i128) {
        let sum = &mut self.states[state];
        sum.customers[status as usize] += 1;
        sum.revenue += money;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_adds_up() {
        let mut growth = Growth::new(1);
        for (before, previous, period) in [(0, 0, 2), (3, 1, 1), (3, 0, 1), (1, 1, 0), (1, 0, 0), (2, 2, 0)] {
            if let Some(status) = GrowthStatus::of(before, previous, period) {
                growth.count(0, status, i128::from(period) * 100);
            }
        }
        let sum = growth.states[0];
        assert_eq!(sum.customers, [1, 1, 1, 2, 1]);
        assert_eq!((sum.active(), sum.previous_active(), sum.all(), sum.revenue), (3, 3, 6, 400));
        let change = sum.active() - sum.previous_active();
        assert_eq!(change, sum.of(GrowthStatus::New) + sum.of(GrowthStatus::Resurrected) - sum.of(GrowthStatus::Lapsed));
        assert_eq!(GrowthStatus::of(0, 0, 0), None);
    }
}
