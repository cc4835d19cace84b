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
    /// Gini coefficient, 0 if all are equal: `(2·Σ i·xᵢ)/(n·Σ xᵢ) − (n + 1)/n` over ascending x; `None` without revenue.
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
        let n = i128::from(customers);
        let best = TOP_PERCENT.map(|percent| i128::from((customers * percent).div_ceil(100)));
        let (mut before, mut total, mut spread) = (0i128, 0i128, 0i128);
        let mut top = [0i128; TOP_PERCENT.len()];
        for group in groups {
            let (value, count) = group?;
            let (value, count) = (i128::from(value.max(0)), i128::from(count));
            total += value * count;
            // Σ (2i − n − 1)·xᵢ from 1, exact; divided by n·Σ x once.
            spread += value * count * (2 * before + count - n);
            before += count;
            for (sum, best) in top.iter_mut().zip(best) {
                *sum += value * (before - (n - best)).clamp(0, count);
            }
        }
        Ok(Concentration {
            customers: customers as i64,
            revenue,
            top_shares: top.map(|sum| (total > 0).then(|| sum as f64 / total as f64)),
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
