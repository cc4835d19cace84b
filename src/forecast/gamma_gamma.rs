//! The Gamma–Gamma model of money per purchase (Colombo and Jiang, Journal of Interactive Marketing 13, 1999; Fader and Hardie, "The
//! Gamma-Gamma Model of Monetary Value", 2013). Purchases of a customer are Gamma(p, ν), and ν is Gamma(q, γ) over customers,
//! independent of how often they buy.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::{digamma, ln_gamma};

use super::maximise::{self, Maximum};

/// A customer who bought `purchases` times and spent `mean` each on average.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spend {
    /// How often.
    pub purchases: f64,
    /// Money of a purchase on average, above zero.
    pub mean: f64,
}

/// The parameters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// Shape of a purchase.
    pub p: f64,
    /// Shape of its rate over customers.
    pub q: f64,
    /// The rate of that, in money.
    pub gamma: f64,
}

/// A fitted model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// Where the likelihood is greatest.
    pub parameters: Parameters,
    /// Its logarithm there.
    pub log_likelihood: f64,
    /// Customers that it was fitted to.
    pub customers: f64,
    /// Whether the likelihood has its maximum there; else it goes on rising towards a bound, as where all spend the same.
    pub is_inner: bool,
    /// Of the parameters' logarithms, from the second derivatives, where the search settled; those at a bound count as known.
    pub covariance: Option<[[f64; 3]; 3]>,
}

/// Bounds of the logarithms of p, q and of γ in units of the mean.
const BOUNDS: [(f64, f64); 3] = [(-4.6, 9.2), (-4.6, 9.2), (-9.2, 13.8)];

/// The gradient per customer at which the search ends.
const TOLERANCE: f64 = 1e-9;

/// Customers that a thread evaluates at a time; sums are of these, in order, so that threads do not decide over digits.
const CHUNK: usize = 1 << 12;

/// Fits the model to at least one customer; it is faster where those with equal numbers of purchases lie together.
pub fn fit(spends: &[Spend]) -> Fit {
    fit_near(spends, None)
}

/// The same from another fit on, which is near if its customers were nearly the same.
pub fn fit_near(spends: &[Spend], near: Option<&Fit>) -> Fit {
    let count = spends.len() as f64;
    let mean = spends.iter().map(|spend| spend.mean).sum::<f64>() / count;
    // In units of the mean, so that bounds fit any currency.
    let scaled =
        |spend: &Spend| ScaledSpend { purchases: spend.purchases, mean: spend.mean / mean, log: (spend.mean / mean).ln() };
    let scaled: Vec<ScaledSpend> = spends.iter().map(scaled).collect();
    // The density of money is that of its multiples by this factor.
    let scale = count * mean.ln();
    let evaluate = |logs: &[f64; 3]| {
        let (value, gradient) = log_likelihood(logs, &scaled);
        (value / count, gradient.map(|part| part / count))
    };
    let start = near.map_or([1.0; 3], |near| {
        let Parameters { p, q, gamma } = near.parameters;
        let logs = [p, q, gamma / mean].map(f64::ln);
        std::array::from_fn(|at| logs[at].clamp(BOUNDS[at].0, BOUNDS[at].1))
    });
    let curvature = near.and_then(|near| Some(near.covariance?.map(|row| row.map(|entry| entry * near.customers))));
    let Maximum { at, value, is_inner, is_settled } = maximise::maximise_knowing(start, curvature, BOUNDS, TOLERANCE, evaluate);
    let covariance = maximise::covariance(&at, &BOUNDS, evaluate).filter(|_| is_settled);
    let [p, q, gamma] = at.map(f64::exp);
    Fit {
        parameters: Parameters { p, q, gamma: gamma * mean },
        log_likelihood: value * count - scale,
        customers: count,
        is_inner,
        covariance: covariance.map(|rows| rows.map(|row| row.map(|entry| entry / count))),
    }
}

/// A customer's money in units of the mean of all.
struct ScaledSpend {
    purchases: f64,
    mean: f64,
    /// The logarithm of that mean.
    log: f64,
}

/// The logarithm of the likelihood, and its gradient in the parameters' logarithms.
fn log_likelihood(logs: &[f64; 3], spends: &[ScaledSpend]) -> (f64, [f64; 3]) {
    let [p, q, gamma] = logs.map(f64::exp);
    let of_chunk = |chunk: &[ScaledSpend]| {
        let mut same: Option<(f64, [f64; 4])> = None;
        chunk.iter().fold((0.0, [0.0; 3]), |(value, [d_p, d_q, d_gamma]), ScaledSpend { purchases: x, mean, log: ln_mean }| {
            let [fixed, all, own, ln_x] = match same {
                Some((of, known)) if of == *x => known,
                _ => {
                    let known = [ln_gamma(p * x + q) - ln_gamma(p * x), digamma(p * x + q), digamma(p * x), x.ln()];
                    same = Some((*x, known));
                    known
                }
            };
            let ln_sum = (gamma + x * mean).ln();
            let value = value + fixed + (p * x - 1.0) * ln_mean + p * x * ln_x - (p * x + q) * ln_sum;
            (
                value,
                [d_p + x * (all - own + ln_mean + ln_x - ln_sum), d_q + all - ln_sum, d_gamma - (p * x + q) / (gamma + x * mean)],
            )
        })
    };
    let chunks: Vec<(f64, [f64; 3])> = spends.par_chunks(CHUNK).map(of_chunk).collect();
    let (value, slope) = chunks
        .into_iter()
        .fold((0.0, [0.0; 3]), |(value, slope), (own, of)| (value + own, std::array::from_fn(|i| slope[i] + of[i])));
    let count = spends.len() as f64;
    let value = value + count * (q * gamma.ln() - ln_gamma(q));
    let [d_p, d_q, d_gamma] = slope;
    (value, [p * d_p, q * (d_q + count * (gamma.ln() - digamma(q))), gamma * (d_gamma + count * q / gamma)])
}

/// Money of a purchase to come: its mean, the mean of its square, and that of the product of two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NextSpend {
    /// The mean.
    pub mean: f64,
    /// The mean of the square; infinite where the model has none.
    pub square: f64,
    /// The mean of the product of two purchases of the customer; infinite where the model has none.
    pub product: f64,
}

/// Money of each purchase to come of a customer who spent so. Without a purchase (`purchases` of 0) it is that of all customers; its
/// mean is infinite where q is 1 or less, and the others where it is 2 or less.
///
/// 1 / ν has the means γ' / (a − 1) and, of its square, γ'² / ((a − 1)(a − 2)), with a = px + q and γ' = γ + xm.
pub fn next_spend(parameters: &Parameters, spend: &Spend) -> NextSpend {
    let Parameters { p, q, gamma } = *parameters;
    let Spend { purchases: x, mean } = *spend;
    let (shape, rate) = (p * x + q, gamma + x * mean);
    let inverse = if shape > 1.0 { rate / (shape - 1.0) } else { f64::INFINITY };
    let square = if shape > 2.0 { inverse * rate / (shape - 2.0) } else { f64::INFINITY };
    NextSpend { mean: p * inverse, square: p * (p + 1.0) * square, product: p * p * square }
}
