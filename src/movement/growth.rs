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
    /// How many there are.
    pub const COUNT: usize = 5;

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
    pub customers: [i64; GrowthStatus::COUNT],
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

/// Sums of some customers by their earlier state.
#[derive(Debug, Clone)]
pub struct Growth(Vec<GrowthSum>);

impl Growth {
    /// Sums customers, of whom each has the same index in all three; there are `count` states, of which the last stands for absence.
    pub fn of(count: usize, states: &[u16], statuses: &[Option<GrowthStatus>], money: &[i64]) -> Growth {
        // Who has no status yet is counted beside the others, and forgotten: a branch would often be mispredicted.
        const CELLS: usize = GrowthStatus::COUNT + 1;
        let mut cells = vec![(0i64, 0i128); count * CELLS];
        let none = count.saturating_sub(1) as u16;
        for ((state, status), money) in states.iter().zip(statuses).zip(money) {
            let status = status.map_or(GrowthStatus::COUNT, |status| status as usize);
            let (customers, revenue) = &mut cells[usize::from(*state.min(&none)) * CELLS + status];
            *customers += 1;
            *revenue += i128::from(*money);
        }
        let sum = |of_state: &[(i64, i128); CELLS]| GrowthSum {
            customers: std::array::from_fn(|status| of_state[status].0),
            revenue: of_state[..GrowthStatus::COUNT].iter().map(|(_, revenue)| revenue).sum(),
        };
        Growth(cells.as_chunks::<CELLS>().0.iter().map(sum).collect())
    }

    /// States that have customers, with their sums.
    pub fn states(&self) -> impl Iterator<Item = (u32, GrowthSum)> {
        (0..).zip(self.0.iter().copied()).filter(|(_, sum)| sum.all() > 0)
    }

    /// The sum of all states; `None` without customers.
    pub fn total(&self) -> Option<GrowthSum> {
        let all = self.0.iter().fold(GrowthSum::default(), |mut all, sum| {
            all.merge(sum);
            all
        });
        (all.all() > 0).then_some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::movement::ABSENT;

    #[test]
    fn growth_adds_up() {
        let purchases = [(0, 0, 2), (3, 1, 1), (0, 0, 0), (3, 0, 1), (1, 1, 0), (1, 0, 0), (2, 2, 0)];
        let statuses = purchases.map(|(before, previous, period)| GrowthStatus::of(before, previous, period));
        let money = [200, 100, 7_000, 100, 0, 0, 0];
        let growth = Growth::of(3, &[ABSENT, 0, ABSENT, 0, 2, 0, 0], &statuses, &money);
        let by_state: Vec<_> = growth.states().map(|(state, sum)| (state, sum.customers, sum.revenue)).collect();
        assert_eq!(by_state, [(0, [0, 1, 1, 1, 1], 200), (2, [1, 0, 0, 1, 0], 200)]);
        let sum = growth.total().expect("customers");
        assert_eq!(sum.customers, [1, 1, 1, 2, 1]);
        assert_eq!((sum.active(), sum.previous_active(), sum.all(), sum.revenue), (3, 3, 6, 400));
        let change = sum.active() - sum.previous_active();
        assert_eq!(change, sum.of(GrowthStatus::New) + sum.of(GrowthStatus::Resurrected) - sum.of(GrowthStatus::Lapsed));
        assert_eq!(GrowthStatus::of(0, 0, 0), None);
    }
}
