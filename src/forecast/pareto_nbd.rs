//! The Pareto/NBD model of Schmittlein, Morrison and Colombo (Management Science 33, 1987), as Fader and Hardie ("A Note on Deriving
//! the Pareto/NBD Model and Related Expressions", 2005) write it. While customers are alive they buy as a Poisson process, whose rate is
//! Gamma(r, α) over customers; how long they live is exponential, with a rate that is Gamma(s, β).
//!
//! The likelihood of a history of x repeat purchases, the last at t, observed up to T, is
//!
//! ```text
//! Γ(r + x) / Γ(r) · α^r · β^s · [ (α + T)^−(r+x) (β + T)^−s  +  s ∫ (α + y)^−(r+x) (β + y)^−(s+1) dy,  y from t to T ]
//! ```
//!
//! The paper's form of the integral is a difference of two hypergeometric functions that cancel. Here it is taken by quadrature, which
//! adds positive numbers, and gives the derivatives that the search for the maximum needs with it.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::{digamma, ln_gamma};

use super::decay::Decay;
use super::maximise::{self, Evaluated, Maximum};
use super::quadrature::nodes;

/// What is known of customers with equal counts. Times are in one unit, whichever.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Purchases after the first.
    pub repeats: f64,
    /// Time from the first to the last.
    pub last: f64,
    /// Time from the first to the end of the observation.
    pub observed: f64,
    /// Customers with it.
    pub customers: f64,
}

/// The parameters. Times are in the unit of the histories.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// Shape of the rate of purchases over customers.
    pub r: f64,
    /// Its rate, a time.
    pub alpha: f64,
    /// Shape of the rate of going over customers.
    pub s: f64,
    /// Its rate, a time.
    pub beta: f64,
}

impl Parameters {
    /// The parameters with these logarithms.
    pub fn of_logarithms(logs: &[f64; 4]) -> Parameters {
        let [r, alpha, s, beta] = logs.map(f64::exp);
        Parameters { r, alpha, s, beta }
    }

    /// Their logarithms.
    pub fn logarithms(&self) -> [f64; 4] {
        [self.r, self.alpha, self.s, self.beta].map(f64::ln)
    }
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
    /// Whether the likelihood has its maximum there; else it goes on rising towards a bound, as where nobody stays away for good.
    pub is_inner: bool,
    /// Of the parameters' logarithms, from the second derivatives, where the search settled; those at a bound count as known.
    pub covariance: Option<[[f64; 4]; 4]>,
}

/// Bounds of the parameters' logarithms: shapes from 1/1,000 to 1,000, times from a thousandth of the unit to a million.
const BOUNDS: [(f64, f64); 4] = [(-6.9, 6.9), (-6.9, 13.8), (-6.9, 6.9), (-6.9, 13.8)];

/// Histories from which the search begins.
const SAMPLE: usize = 1 << 12;

/// The gradient per customer at which the search ends: parameters are then right to six digits.
const TOLERANCE: f64 = 1e-7;

/// Histories that a thread evaluates at a time; sums are of these, in order, so that threads do not decide over digits.
const CHUNK: usize = 1 << 10;

/// Fits the model to histories of at least one customer. It always ends; whether at a maximum, [`Fit::is_inner`] says.
pub fn fit(histories: &[History]) -> Fit {
    // Of many histories, every few are enough to come close.
    let step = histories.len() / SAMPLE;
    let near = match step {
        0 | 1 => start(histories),
        _ => {
            let some: Vec<History> = histories.iter().step_by(step).copied().collect();
            maximise::maximise(start(&some), BOUNDS, 1e-5, per_customer(&some)).at
        }
    };
    fit_from(histories, near, None)
}

/// The same from another fit on, which is near if its histories were nearly the same.
pub fn fit_near(histories: &[History], near: &Fit) -> Fit {
    let logs = near.parameters.logarithms();
    let start = std::array::from_fn(|at| logs[at].clamp(BOUNDS[at].0, BOUNDS[at].1));
    let per_customer = near.covariance.map(|rows| rows.map(|row| row.map(|entry| entry * near.customers)));
    fit_from(histories, start, per_customer)
}

fn fit_from(histories: &[History], near: [f64; 4], curvature: Option<[[f64; 4]; 4]>) -> Fit {
    let customers: f64 = histories.iter().map(|history| history.customers).sum();
    let evaluate = per_customer(histories);
    let Maximum { at, value, is_inner, is_settled } = maximise::maximise_knowing(near, curvature, BOUNDS, TOLERANCE, &evaluate);
    // Every few are enough for what is only an uncertainty.
    let some: Vec<History> = histories.iter().step_by(histories.len().div_ceil(2 * SAMPLE).max(1)).copied().collect();
    let covariance = maximise::covariance(&at, &BOUNDS, per_customer(&some)).filter(|_| is_settled);
    Fit {
        parameters: Parameters::of_logarithms(&at),
        log_likelihood: value * customers,
        customers,
        is_inner,
        covariance: covariance.map(|rows| rows.map(|row| row.map(|entry| entry / customers))),
    }
}

/// The function to maximise: per customer, so that tolerances mean the same for any number of them.
fn per_customer(histories: &[History]) -> impl Fn(&[f64; 4]) -> Evaluated<4> {
    let customers: f64 = histories.iter().map(|history| history.customers).sum();
    move |logs: &[f64; 4]| {
        let (value, gradient) = log_likelihood(&Parameters::of_logarithms(logs), histories);
        (value / customers, gradient.map(|part| part / customers))
    }
}

/// Logarithms to begin with: a rate as observed, with the spread of the counts, and half of the customers gone within the observation.
fn start(histories: &[History]) -> [f64; 4] {
    let sum = |of: &dyn Fn(&History) -> f64| -> f64 { histories.iter().map(|history| history.customers * of(history)).sum() };
    let customers = sum(&|_| 1.0).max(1.0);
    let time = (sum(&|history| history.observed) / customers).max(1e-3);
    let mean = (sum(&|history| history.repeats) / customers).max(1e-3);
    let variance = sum(&|history| (history.repeats - mean).powi(2)) / customers;
    let r = if variance > mean { (mean * mean / (variance - mean)).clamp(0.05, 20.0) } else { 5.0 };
    let alpha = r * time / mean;
    [r.ln(), alpha.ln(), (0.5f64).ln(), time.ln()].map(|log: f64| log.clamp(-6.0, 6.0))
}

/// The logarithm of the likelihood, and its gradient in the parameters' logarithms.
pub fn log_likelihood(parameters: &Parameters, histories: &[History]) -> (f64, [f64; 4]) {
    let of_chunk = |chunk: &[History]| {
        chunk.iter().fold((0.0, [0.0; 4]), |(value, gradient), history| {
            let (own, slope) = of_history(parameters, history);
            (value + history.customers * own, std::array::from_fn(|i| gradient[i] + history.customers * slope[i]))
        })
    };
    let chunks: Vec<(f64, [f64; 4])> = histories.par_chunks(CHUNK).map(of_chunk).collect();
    chunks
        .into_iter()
        .fold((0.0, [0.0; 4]), |(value, gradient), (own, slope)| (value + own, std::array::from_fn(|i| gradient[i] + slope[i])))
}

/// The exponent by which the integrand falls in a panel of the quadrature, about.
const FALL: f64 = 10.0;

/// The two terms of a history's likelihood, as multiples of the integrand at the last purchase.
struct Parts {
    /// The logarithm of that integrand.
    scale: f64,
    /// That of somebody who is alive at the end.
    alive: f64,
    /// That of somebody who went between the last purchase and the end.
    gone: f64,
    /// Means of ln(α + y), ln(β + y), 1/(α + y) and 1/(β + y) over the time y of going, each times `gone`.
    means: [f64; 4],
}

fn parts(parameters: &Parameters, history: &History) -> Parts {
    let Parameters { r, alpha, s, beta } = *parameters;
    let History { repeats: x, last: t, observed: end, .. } = *history;
    let (ln_alpha, ln_beta) = ((alpha + t).ln(), (beta + t).ln());
    let alive = (-(r + x) * ((alpha + end).ln() - ln_alpha) - s * (beta + end).ln() + (s + 1.0) * ln_beta).exp();
    let decay = Decay::new([alpha, beta], [r + x, s + 1.0], t);
    let (mut gone, mut means) = (0.0, [0.0; 4]);
    decay.panels(decay.place_of(end), FALL, |from, to| {
        nodes(from, to, |at, weight| {
            let place = decay.place(at);
            let density = s * weight * place.distance * decay.value(&place);
            gone += density;
            let values = [place.ln_alpha, place.ln_beta, 1.0 / (alpha + place.time), 1.0 / (beta + place.time)];
            for (mean, value) in means.iter_mut().zip(values) {
                *mean += density * value;
            }
        });
        false
    });
    Parts { scale: decay.scale(), alive, gone, means }
}

/// The probability that a customer with this history is alive at its end.
pub fn is_alive(parameters: &Parameters, history: &History) -> f64 {
    let Parts { alive, gone, .. } = parts(parameters, history);
    alive / (alive + gone)
}

fn of_history(parameters: &Parameters, history: &History) -> (f64, [f64; 4]) {
    let Parameters { r, alpha, s, beta } = *parameters;
    let History { repeats: x, observed: end, .. } = *history;
    let Parts { scale, alive, gone, means } = parts(parameters, history);
    let all = alive + gone;
    let value = ln_gamma(r + x) - ln_gamma(r) + r * alpha.ln() + s * beta.ln() + scale + all.ln();
    let [ln_alpha, ln_beta, by_alpha, by_beta] = means;
    let d_r = digamma(r + x) - digamma(r) + alpha.ln() - (alive * (alpha + end).ln() + ln_alpha) / all;
    let d_alpha = r / alpha - (r + x) * (alive / (alpha + end) + by_alpha) / all;
    let d_s = beta.ln() + (gone / s - alive * (beta + end).ln() - ln_beta) / all;
    let d_beta = s / beta - (alive * s / (beta + end) + (s + 1.0) * by_beta) / all;
    (value, [r * d_r, alpha * d_alpha, s * d_s, beta * d_beta])
}

/// Purchases to come: their mean and that of their square.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Purchases {
    /// The mean.
    pub mean: f64,
    /// The mean of the square.
    pub square: f64,
}

/// Purchases that a customer with this history makes in the `horizon` after its end.
///
/// Who is alive at the end buys as a Poisson process of a rate λ that is Gamma(r + x, α + T), for the time L within the horizon that
/// they live, at a rate of going that is Gamma(s, β + T). So the mean is that of λL, and the mean of N(N − 1) that of λ²L².
pub fn purchases_in(parameters: &Parameters, history: &History, horizon: f64) -> Purchases {
    let Parameters { r, alpha, s, beta } = *parameters;
    let (end, shape) = (history.observed, r + history.repeats);
    let is_alive = is_alive(parameters, history);
    let rate = shape / (alpha + end);
    let mean = is_alive * rate * lived(beta + end, s, horizon);
    let pairs = is_alive * rate * (rate + 1.0 / (alpha + end)) * lived_squared(beta + end, s, horizon);
    Purchases { mean, square: pairs + mean }
}

/// The time that somebody who is alive lives within a horizon, on average, where the rate of going is Gamma(s, b): the integral of
/// (b / (b + u))^s.
fn lived(b: f64, s: f64, horizon: f64) -> f64 {
    let log = (horizon / b).ln_1p();
    let power = (1.0 - s) * log;
    // (e^p − 1) / p goes to 1 where s goes to 1.
    let ratio = if power.abs() < 1e-8 { 1.0 + power / 2.0 } else { power.exp_m1() / power };
    b * log * ratio
}

/// The square of that time, on average: the integral of 2u (b / (b + u))^s.
fn lived_squared(b: f64, s: f64, horizon: f64) -> f64 {
    let share = horizon / b;
    match share < 1e-3 {
        // The difference below would cancel; to the second order in the share.
        true => horizon * horizon * (1.0 - 2.0 * s * share / 3.0 + s * (s + 1.0) * share * share / 4.0),
        false => 2.0 * b * (lived(b, s - 1.0, horizon) - lived(b, s, horizon)),
    }
}
