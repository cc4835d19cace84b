//! How unequally customers share the revenue.

/// Concentration of revenue over the customers who bought in the lookback.
///
/// Revenue below zero counts as zero: a share of a negative sum means nothing.
#[derive(Debug, Clone, PartialEq)]
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
    /// From the revenue of every customer, in any order.
    pub fn of(mut values: Vec<i64>) -> Concentration {
        let revenue = values.iter().map(|v| i128::from(*v)).sum();
        for value in &mut values {
            *value = (*value).max(0);
        }
        values.sort_unstable();
        let n = values.len();
        let total: i128 = values.iter().map(|v| i128::from(*v)).sum();
        let top = |percent: u64| {
            let best = (n as u64 * percent).div_ceil(100) as usize;
            let sum: i128 = values[n - best..].iter().map(|v| i128::from(*v)).sum();
            (total > 0).then(|| sum as f64 / total as f64)
        };
        // Σ (2i − n − 1)·xᵢ, exact; divided by n·Σ x once.
        let spread: i128 = values.iter().enumerate().map(|(i, v)| (2 * i as i128 + 1 - n as i128) * i128::from(*v)).sum();
        Concentration {
            customers: n as i64,
            revenue,
            top_shares: TOP_PERCENT.map(top),
            gini: (total > 0).then(|| spread as f64 / (n as f64 * total as f64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_gini_of_known_cases() {
        let equal = Concentration::of(vec![5; 100]);
        assert_eq!((equal.gini, equal.top_shares), (Some(0.0), [Some(0.01), Some(0.1), Some(0.2)]));
        // Gini of 1, 2, 3, 4 is 0.25 (mean absolute difference 1.25 over twice the mean of 2.5).
        assert_eq!(Concentration::of(vec![4, 1, 3, 2]).gini, Some(0.25));
        let one = Concentration::of(vec![0, 0, 0, 10, -4]);
        assert_eq!((one.revenue, one.top_shares[0]), (6, Some(1.0)));
        assert_eq!(one.gini.map(|g| (g * 10.0).round()), Some(8.0));
        assert_eq!(Concentration::of(vec![]).gini, None);
    }
}
