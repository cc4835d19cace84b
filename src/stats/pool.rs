//! Effects of several periods as one, also when customers recur.

use super::distribution::chi_square_sf;
use super::estimate::Influence;
use super::sums::{Scales, Sums, VALUES, power};
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
    /// Customers whose numbers are held against the same numbers.
    pub fn with_themselves(sums: &Sums) -> PairSums {
        let product = std::array::from_fn(|i| std::array::from_fn(|j| sums.product_of(i, j)));
        PairSums { n: sums.n, first: sums.sum, second: sums.sum, product }
    }

    /// The sums of customers whose numbers are held against [the same numbers](PairSums::with_themselves).
    pub fn of_first(&self) -> Sums {
        let mut sums = Sums { n: self.n, sum: self.first, ..Sums::default() };
        let products = (0..VALUES).flat_map(|i| (i..VALUES).map(move |j| self.product[i][j]));
        sums.product.iter_mut().zip(products).for_each(|(to, product)| *to = product);
        sums
    }

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
    /// Its treated customers, by which periods are weighted.
    pub n_treated: f64,
}

/// Several periods' estimates as one.
#[derive(Debug, Clone, PartialEq)]
pub struct Pooled {
    /// The mean over all treated customers of all periods: Σ w·value.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// Its degrees of freedom (Welch and Satterthwaite over the periods).
    pub df: f64,
    /// The weights: the periods' shares of the treated.
    pub weights: Vec<f64>,
    /// Its variance over what it would be if no customer recurred.
    pub dispersion: f64,
    /// Cochran's Q = min over μ of (value − μ)′ Σ⁻¹ (value − μ), with covariances of periods in Σ.
    pub q: Option<f64>,
    /// Its p-value by chi-square with one degree of freedom less than periods.
    pub q_p: Option<f64>,
}

/// Pools periods by their treated customers; `covariance(i, j)` for i < j is that of two periods' estimates, 0 where no customer
/// recurs.
///
/// Weights that rest on estimated variances would favour periods whose control arm happens to be low, as low means have low
/// variances. Var = Σ w²se² + 2 Σ w w′ cov. `None` for no periods, or if that is not positive.
pub fn pool(members: &[PeriodEstimate], covariance: impl Fn(usize, usize) -> f64) -> Option<Pooled> {
    let customers: f64 = members.iter().map(|m| m.n_treated).sum();
    let weights: Vec<f64> = members.iter().map(|m| m.n_treated / customers).collect();
    let value: f64 = members.iter().zip(&weights).map(|(m, w)| w * m.value).sum();
    let parts = members.iter().zip(&weights).map(|(m, w)| (w * w * m.se * m.se, m.df));
    let (independent, squares) = parts.fold((0.0, 0.0), |(v, s), (part, df)| (v + part, s + part * part / df));
    let mut matrix: Vec<Vec<f64>> = vec![vec![0.0; members.len()]; members.len()];
    let mut variance = independent;
    for j in 0..members.len() {
        matrix[j][j] = members[j].se * members[j].se;
        for i in 0..j {
            let between = covariance(i, j);
            (matrix[i][j], matrix[j][i]) = (between, between);
            variance += 2.0 * weights[i] * weights[j] * between;
        }
    }
    if members.is_empty() || variance.is_nan() || variance <= 0.0 {
        return None;
    }
    let values: Vec<f64> = members.iter().map(|m| m.value).collect();
    let q = if members.len() > 1 { cochran_q(matrix, &values) } else { None };
    let q_p = q.map(|q| chi_square_sf(q, members.len() as u32 - 1));
    Some(Pooled {
        value,
        se: variance.sqrt(),
        df: independent * independent / squares,
        weights,
        dispersion: variance / independent,
        q,
        q_p,
    })
}

/// The least (v − μ)′ M⁻¹ (v − μ) over all μ; `None` unless the matrix is positive definite.
fn cochran_q(mut matrix: Vec<Vec<f64>>, values: &[f64]) -> Option<f64> {
    let n = values.len();
    // Cholesky: matrix = L·L′, L below and on the diagonal.
    for j in 0..n {
        let pivot = matrix[j][j] - (0..j).map(|k| matrix[j][k] * matrix[j][k]).sum::<f64>();
        if pivot.is_nan() || pivot <= 1e-12 * matrix[j][j] {
            return None;
        }
        matrix[j][j] = pivot.sqrt();
        for i in j + 1..n {
            let rest = matrix[i][j] - (0..j).map(|k| matrix[i][k] * matrix[j][k]).sum::<f64>();
            matrix[i][j] = rest / matrix[j][j];
        }
    }
    let solve = |of: &dyn Fn(usize) -> f64| {
        let mut solution = vec![0.0; n];
        for i in 0..n {
            solution[i] = (of(i) - (0..i).map(|k| matrix[i][k] * solution[k]).sum::<f64>()) / matrix[i][i];
        }
        solution
    };
    let (ones, own) = (solve(&|_| 1.0), solve(&|i| values[i]));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let mean = dot(&ones, &own) / dot(&ones, &ones);
    let residual: Vec<f64> = own.iter().zip(&ones).map(|(v, one)| v - mean * one).collect();
    Some(dot(&residual, &residual))
}
