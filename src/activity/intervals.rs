//! Activity between two consecutive boundary days, as a list of the customers who were active.

use crate::domain::{CompactInts, NarrowInt};

/// What a customer did in a window of time: a row exists only if there was an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntervalActivity {
    /// Index into the bucket's customers.
    pub customer: u32,
    /// Purchases.
    pub purchases: u32,
    /// Money as `monetary` counts it (net of returns, or gross), minor units.
    pub money: i64,
}

/// An [`IntervalActivity`] in half the memory: of one of the first 2^24 customers, with at most 255 purchases and money that
/// fits 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NarrowIntervalActivity {
    /// The purchases in the upper 8 bits, the customer in the lower 24.
    customer_purchases: u32,
    money: i32,
}

impl NarrowInt for NarrowIntervalActivity {
    type Wide = IntervalActivity;

    #[inline]
    fn overflow_bits(IntervalActivity { customer, purchases, money }: IntervalActivity) -> u64 {
        u64::from(customer >> 24) | u64::from(purchases >> 8) | (money.wrapping_sub(i32::MIN.into()) as u64) >> 32
    }

    #[inline]
    fn truncate(IntervalActivity { customer, purchases, money }: IntervalActivity) -> NarrowIntervalActivity {
        NarrowIntervalActivity { customer_purchases: purchases << 24 | customer, money: money as i32 }
    }

    #[inline]
    fn widen(self) -> IntervalActivity {
        let (customer, purchases) = (self.customer_purchases & ((1 << 24) - 1), self.customer_purchases >> 24);
        IntervalActivity { customer, purchases, money: self.money.into() }
    }
}

/// The customers who were active in an interval, in ascending order.
pub type IntervalActivities = CompactInts<NarrowIntervalActivity>;

#[cfg(test)]
mod tests {
    use super::*;

    /// What fits the narrow form is read back unchanged; what does not fit is detected.
    #[test]
    fn narrow_activities_read_back() {
        let interval = |customer, purchases, money| IntervalActivity { customer, purchases, money };
        for (customer, purchases) in [(0, 0), (5, 3), ((1 << 24) - 1, 255)] {
            for money in [0, -7, i32::MIN.into(), i32::MAX.into()] {
                let interval = interval(customer, purchases, money);
                assert_eq!(
                    (NarrowIntervalActivity::overflow_bits(interval), NarrowIntervalActivity::truncate(interval).widen()),
                    (0, interval)
                );
            }
        }
        let large = [1, -1].map(|sign| interval(0, 0, sign * (i64::from(i32::MAX) + 2)));
        for interval in [interval(1 << 24, 0, 0), interval(0, 256, 0), interval(0, 0, i64::MIN)].into_iter().chain(large) {
            assert_ne!(NarrowIntervalActivity::overflow_bits(interval), 0);
        }
    }
}
