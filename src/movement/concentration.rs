//! How unequally customers share the revenue.

use serde::{Deserialize, Serialize};

use crate::error::Result;

/// Concentration of revenue over the customers who bought in the lookback.
///
/// Revenue below zero counts as zero: a share of a negative sum means nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Concentration {
    /// Customers.
    pub customers: i64,
    /// Their revenue, minor units; what lies below zero included.
    pub revenue: i128,
    /// Share of the best 1, 10 and 20 % of the customers (rounded up to a whole customer); `None` without revenue.
    pub top_shares: [Option<f64>; 3],
    /// Gini coefficient, 0 if all are equal: `(n + 1)/n − 2·Σ Sᵢ/(n·Σ xᵢ)` over ascending x and its running sums S; `None` without revenue.
    pub gini: Option<f64>,
}

/// The shares of customers that [`Concentration::top_shares`] looks at, in percent.
pub const TOP_PERCENT: [u64; 3] = [1, 10, 20];

impl Concentration {
    /// From the revenue of all customers: how many they are, its sum, and its values ascending, each with how many have it.
    ///
    /// # Errors
    /// Those of the values.
    pub fn of(customers: u64, revenue: i128, groups: impl Iterator<Item = Result<(i64, u64)>>) -> Result<Concentration> {
        // How many customers are not among the best, and what those have.
        let others = TOP_PERCENT.map(|percent| customers - (customers * percent).div_ceil(100));
        let mut of_others = [0i128; TOP_PERCENT.len()];
        // The sum so far, and the sum of the sums after each customer.
        let (mut before, mut total, mut running) = (0, 0i128, 0i128);
        for group in groups {
            let (value, count) = group?;
            let value = i128::from(value.max(0));
            for (sum, others) in of_others.iter_mut().zip(others) {
                if (before..before + count).contains(&others) {
                    *sum = total + value * i128::from(others - before);
                }
            }
            before += count;
            // Additions are several times as fast as checked products of 128 bits, and most groups are one customer.
            for _ in 0..count {
                total += value;
                running += total;
            }
        }
        let n = i128::from(customers);
        let spread = (n + 1) * total - 2 * running;
        Ok(Concentration {
            customers: customers as i64,
            revenue,
            top_shares: of_others.map(|others| (total > 0).then(|| (total - others) as f64 / total as f64)),
            gini: (total > 0).then(|| spread as f64 / (n as f64 * total as f64)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mut values: Vec<i64>) -> Concentration {
        values.sort_unstable();
        let groups = values.chunk_by(|a, b| a == b).map(|same| Ok((same[0], same.len() as u64)));
        Concentration::of(values.len() as u64, values.iter().map(|v| i128::from(*v)).sum(), groups).expect("values")
    }

    #[test]
    fn shares_and_gini_of_known_cases() {
        let equal = of(vec![5; 100]);
        assert_eq!((equal.gini, equal.top_shares), (Some(0.0), [Some(0.01), Some(0.1), Some(0.2)]));
        // Gini of 1, 2, 3, 4 is 0.25 (mean absolute difference 1.25 over twice the mean of 2.5).
        assert_eq!(of(vec![4, 1, 3, 2]).gini, Some(0.25));
        let one = of(vec![0, 0, 0, 10, -4]);
        assert_eq!((one.revenue, one.top_shares[0]), (6, Some(1.0)));
        assert_eq!(one.gini.map(|g| (g * 10.0).round()), Some(8.0));
        assert_eq!(of(vec![]).gini, None);
    }
}
