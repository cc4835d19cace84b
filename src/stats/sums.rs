//! Exact sums over the customers of one cell of one arm, and their means and covariances.

use super::wide::difference_of_products;
use crate::error::{Error, Result};

/// How many numbers a customer has: see [`Y`], [`X`], [`D`], [`E`].
pub const VALUES: usize = 4;
/// The outcome; of a ratio outcome its numerator.
pub const Y: usize = 0;
/// The same number in the baseline: the covariate.
pub const X: usize = 1;
/// The denominator of a ratio outcome; of a mean in a matched strategy, the number in the period before the baseline; else 0.
pub const D: usize = 2;
/// The denominator of a ratio outcome in the baseline; 0 for all others.
pub const E: usize = 3;

/// Digits behind the point of every number: money has those of the job, counts none.
pub type Scales = [u32; VALUES];

/// Exact sums of customers' numbers and of all products of two of them. Adding cells gives the sums of their union.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Customers.
    pub n: i64,
    /// Sum of each number, minor units or counts.
    pub sum: [i128; VALUES],
    /// Sum of each product, the upper triangle by rows: yy, yx, yd, ye, xx, xd, xe, dd, de, ee.
    pub product: [i128; 10],
}

/// Where the product of two numbers stands in [`Sums::product`].
const fn at(i: usize, j: usize) -> usize {
    let (i, j) = if i < j { (i, j) } else { (j, i) };
    i * VALUES - i * (i + 1) / 2 + j
}

impl Sums {
    /// The sum of the products of numbers `i` and `j`.
    pub fn product_of(&self, i: usize, j: usize) -> i128 {
        self.product[at(i, j)]
    }

    /// Counts one more customer with these numbers.
    ///
    /// # Errors
    /// Exit 3 if a sum leaves 128 bits.
    pub fn observe(&mut self, values: [i64; VALUES]) -> Result<()> {
        let wide = values.map(i128::from);
        let mut one = Sums { n: 1, sum: wide, product: [0; 10] };
        for i in 0..VALUES {
            for j in i..VALUES {
                one.product[at(i, j)] = wide[i] * wide[j];
            }
        }
        self.add(&one)
    }

    /// Adds the sums of other customers.
    ///
    /// # Errors
    /// Exit 3 if a sum leaves 128 bits.
    pub fn add(&mut self, other: &Sums) -> Result<()> {
        *self = self.plus(other).ok_or_else(|| {
            Error::contract("The sum of squares of an outcome does not fit into 128 bits: the amounts are too large for their amount_scale; lower amount_scale in the job file")
        })?;
        Ok(())
    }

    fn plus(mut self, other: &Sums) -> Option<Sums> {
        self.n = self.n.checked_add(other.n)?;
        for (a, b) in self.sum.iter_mut().zip(other.sum) {
            *a = a.checked_add(b)?;
        }
        for (a, b) in self.product.iter_mut().zip(other.product) {
            *a = a.checked_add(b)?;
        }
        Some(self)
    }

    /// The mean of number `i` in printed units; `None` without customers.
    pub fn mean(&self, i: usize, scale: u32) -> Option<f64> {
        (self.n > 0).then(|| self.sum[i] as f64 / (self.n as f64 * power(scale)))
    }

    /// Means and sample covariances (n − 1) in printed units; `None` below two customers.
    pub fn moments(&self, scales: Scales) -> Option<Moments> {
        if self.n < 2 {
            return None;
        }
        let n = self.n as f64;
        let mut moments = Moments { n, mean: [0.0; VALUES], covariance: [[0.0; VALUES]; VALUES] };
        for i in 0..VALUES {
            moments.mean[i] = self.sum[i] as f64 / (n * power(scales[i]));
            for j in 0..VALUES {
                let exact = difference_of_products(i128::from(self.n), self.product_of(i, j), self.sum[i], self.sum[j]);
                moments.covariance[i][j] = exact / (n * (n - 1.0)) / (power(scales[i]) * power(scales[j]));
            }
        }
        Some(moments)
    }
}

/// A sum of minor units as a double in printed units.
pub fn printed(sum: i128, scale: u32) -> f64 {
    sum as f64 / power(scale)
}

/// 10^scale: exact up to 10²².
pub fn power(scale: u32) -> f64 {
    10f64.powi(scale as i32)
}

/// Means and sample covariances of customers' numbers, printed units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Customers.
    pub n: f64,
    /// Means.
    pub mean: [f64; VALUES],
    /// Sample covariances, with n − 1 also for 0/1.
    pub covariance: [[f64; VALUES]; VALUES],
}

impl Moments {
    /// The covariance of the linear forms `a` and `b` of a customer's numbers.
    pub fn form(&self, a: &[f64; VALUES], b: &[f64; VALUES]) -> f64 {
        let row = |covariances: &[f64; VALUES]| -> f64 { covariances.iter().zip(b).map(|(c, y)| c * y).sum() };
        self.covariance.iter().zip(a).map(|(covariances, x)| x * row(covariances)).sum()
    }

    /// The variance of the linear form `a` of a customer's numbers; 0 if that is what rounding leaves of it.
    pub fn variance(&self, a: &[f64; VALUES]) -> f64 {
        let row = |covariances: &[f64; VALUES]| -> f64 { covariances.iter().zip(a).map(|(c, y)| (c * y).abs()).sum() };
        let terms = self.covariance.iter().zip(a).map(|(covariances, x)| x.abs() * row(covariances)).sum();
        zero_if_rounding(self.form(a, a), terms)
    }
}

/// `sum`, or 0 if it is no larger than what rounding its terms may leave; `terms` is the sum of their sizes.
///
/// At 10⁻¹² of its terms a sum of doubles has three or four digits left: below, it is nothing that could be divided by.
pub(super) fn zero_if_rounding(sum: f64, terms: f64) -> f64 {
    if sum.abs() <= 1e-12 * terms { 0.0 } else { sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_add_up_in_any_order() -> Result<()> {
        let customers: Vec<[i64; 4]> = (0..100).map(|i| [i * 7 % 13 - 3, i, i % 2, 1]).collect();
        let mut all = Sums::default();
        let mut parts = [Sums::default(); 3];
        for (i, &values) in customers.iter().enumerate() {
            all.observe(values)?;
            parts[i % 3].observe(values)?;
        }
        let mut sum = parts[2];
        sum.add(&parts[0])?;
        sum.add(&parts[1])?;
        assert_eq!(sum, all);
        assert_eq!(all.product_of(X, Y), customers.iter().map(|c| i128::from(c[0] * c[1])).sum::<i128>());
        assert_eq!(all.product_of(E, E), 100);
        Ok(())
    }

    #[test]
    fn variance_survives_a_large_mean() -> Result<()> {
        // 10^15 ± 1: doubles would see no variance at all.
        let mut sums = Sums::default();
        for i in 0..1000 {
            sums.observe([1_000_000_000_000_000 + (i % 2) * 2 - 1, 0, 0, 0])?;
        }
        let moments = sums.moments([2, 2, 0, 0]).ok_or_else(|| Error::bug("no moments"))?;
        assert!((moments.covariance[Y][Y] / (1000.0 / 999.0 / 1e4) - 1.0).abs() < 1e-15);
        assert_eq!(Sums::default().moments([0; 4]), None);
        Ok(())
    }

    #[test]
    fn sums_that_do_not_fit_are_an_error() {
        let mut sums = Sums { n: 1, sum: [i128::MAX, 0, 0, 0], product: [0; 10] };
        let before = sums;
        assert!(sums.add(&before).is_err());
        assert_eq!(sums, before);
    }
}
