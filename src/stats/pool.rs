//! Effects of several periods as one, also when customers recur.

use super::distribution::chi_square_sf;
use super::estimate::Influence;
use super::sums::{Scales, VALUES, power};
use super::wide::difference_of_products;
use crate::error::{Error, Result};

/// Exact sums over the customers who are in one cell and arm of a period and in one cell and arm of another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PairSums {
    /// Customers in both.
    pub n: i64,
    /// Sums of their numbers in the first period.
    pub first: [i128; VALUES],
    /// Sums of their numbers in the second period.
    pub second: [i128; VALUES],
    /// Sums of products: number i of the first period times number j of the second.
    pub product: [[i128; VALUES]; VALUES],
}

impl PairSums {
    /// Counts one more customer.
    ///
    /// # Errors
    /// Exit 3 if a sum leaves 128 bits.
    pub fn observe(&mut self, first: [i64; VALUES], second: [i64; VALUES]) -> Result<()> {
        let (first, second) = (first.map(i128::from), second.map(i128::from));
        self.add(&PairSums { n: 1, first, second, product: first.map(|a| second.map(|b| a * b)) })
    }

    /// Adds the sums of other customers.
    ///
    /// # Errors
    /// Exit 3 if a sum leaves 128 bits.
    pub fn add(&mut self, other: &PairSums) -> Result<()> {
        *self = self.plus(other).ok_or_else(|| {
            Error::contract("The products of an outcome in two periods do not fit into 128 bits: the amounts are too large for their amount_scale; lower amount_scale in the job file")
        })?;
        Ok(())
    }

    fn plus(mut self, other: &PairSums) -> Option<PairSums> {
        self.n = self.n.checked_add(other.n)?;
        for i in 0..VALUES {
            self.first[i] = self.first[i].checked_add(other.first[i])?;
            self.second[i] = self.second[i].checked_add(other.second[i])?;
            for j in 0..VALUES {
                self.product[i][j] = self.product[i][j].checked_add(other.product[i][j])?;
            }
        }
        Some(self)
    }
}

/// What these customers add to the covariance of two estimates: the sum of the products of their influences.
pub fn pair_covariance(pairs: &PairSums, scales: Scales, first: &Influence, second: &Influence) -> f64 {
    if pairs.n <= 0 {
        return 0.0;
    }
    let n = pairs.n as f64;
    let level = |influence: &Influence, sums: &[i128; VALUES]| -> f64 {
        let terms = (0..VALUES).filter(|&i| influence.coefficients[i] != 0.0);
        let moved = terms.map(|i| influence.coefficients[i] * (sums[i] as f64 / (n * power(scales[i])) - influence.center[i]));
        moved.sum::<f64>() + influence.constant
    };
    let mut within = 0.0;
    for i in 0..VALUES {
        for j in 0..VALUES {
            let coefficient = first.coefficients[i] * second.coefficients[j];
            if coefficient != 0.0 {
                let exact = difference_of_products(i128::from(pairs.n), pairs.product[i][j], pairs.first[i], pairs.second[j]);
                within += coefficient * exact / n / (power(scales[i]) * power(scales[j]));
            }
        }
    }
    within + n * level(first, &pairs.first) * level(second, &pairs.second)
}

/// One period's estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeriodEstimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// Its degrees of freedom.
    pub df: f64,
}

/// Several periods' estimates as one.
#[derive(Debug, Clone, PartialEq)]
pub struct Pooled {
    /// Σ w·value.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// Its degrees of freedom (Welch and Satterthwaite over the periods).
    pub df: f64,
    /// The weights: inverse variances, adding up to 1.
    pub weights: Vec<f64>,
    /// Cochran's Q = Σ (value − pooled)²/se².
    pub q: f64,
    /// Its p-value by chi-square with one degree of freedom less than periods; `None` for one period.
    pub q_p: Option<f64>,
}

/// Pools by inverse variance; `covariance(i, j)` for i < j is that of two periods' estimates, 0 where no customer recurs.
///
/// The weights are those of independent periods also if customers recur, and only the variance takes the covariances in:
/// Var = Σ w²se² + 2 Σ w w′ cov. `None` for no periods, or if that is not positive.
pub fn pool(members: &[PeriodEstimate], covariance: impl Fn(usize, usize) -> f64) -> Option<Pooled> {
    let precision: f64 = members.iter().map(|m| 1.0 / (m.se * m.se)).sum();
    let weights: Vec<f64> = members.iter().map(|m| 1.0 / (m.se * m.se) / precision).collect();
    let value: f64 = members.iter().zip(&weights).map(|(m, w)| w * m.value).sum();
    let parts = members.iter().zip(&weights).map(|(m, w)| (w * w * m.se * m.se, m.df));
    let (independent, squares) = parts.fold((0.0, 0.0), |(v, s), (part, df)| (v + part, s + part * part / df));
    let mut variance = independent;
    for j in 1..members.len() {
        for i in 0..j {
            variance += 2.0 * weights[i] * weights[j] * covariance(i, j);
        }
    }
    if members.is_empty() || variance.is_nan() || variance <= 0.0 {
        return None;
    }
    let q = members.iter().map(|m| ((m.value - value) / m.se).powi(2)).sum();
    let q_p = (members.len() > 1).then(|| chi_square_sf(q, members.len() as u32 - 1));
    Some(Pooled { value, se: variance.sqrt(), df: independent * independent / squares, weights, q, q_p })
}
