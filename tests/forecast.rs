//! Models of what customers will do, against published fits, numeric derivatives and shops that are made from the model.

use std::fs;
use std::path::Path;

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp, Gamma, Poisson};
use rfmill::internals::forecast::gamma_gamma::{self, Spend};
use rfmill::internals::forecast::maximise::{Maximum, maximise};
use rfmill::internals::forecast::pareto_nbd::{self, History, Parameters};
use statrs::function::gamma::ln_gamma;

/// The sample of CDNOW in weeks, as tests/oracles/cdnow.py made it, and cents per repeat purchase.
fn cdnow() -> (Vec<History>, Vec<Spend>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cdnow.csv");
    let text = fs::read_to_string(path).expect("the sample");
    let rows = text.lines().skip(1).map(|line| line.split(',').map(|n| n.parse().expect("a number")).collect::<Vec<f64>>());
    let rows: Vec<Vec<f64>> = rows.collect();
    let history = |row: &Vec<f64>| History { repeats: row[0], last: row[1] / 7.0, observed: row[2] / 7.0, customers: 1.0 };
    let spend = |row: &Vec<f64>| Spend { purchases: row[0], mean: row[3] / 100.0 };
    (rows.iter().map(history).collect(), rows.iter().filter(|row| row[3] > 0.0).map(spend).collect())
}

fn is_about(found: f64, published: f64, digits: i32) {
    assert!((found - published).abs() <= 0.5 * 10f64.powi(-digits) + 1e-9, "{found}, not {published}");
}

/// Fader, Hardie and Lee (2005), "RFM and CLV", and Fader and Hardie's spreadsheet notes.
#[test]
fn fits_of_cdnow_are_the_published_ones() {
    let (histories, spends) = cdnow();
    let fit = pareto_nbd::fit(&histories);
    let Parameters { r, alpha, s, beta } = fit.parameters;
    assert!(fit.is_inner && fit.covariance.is_some());
    is_about(r, 0.553, 3);
    is_about(alpha, 10.578, 3);
    is_about(s, 0.606, 3);
    is_about(beta, 11.669, 3);
    is_about(fit.log_likelihood, -9595.0, 1);

    let fit = gamma_gamma::fit(&spends);
    assert!(fit.is_inner);
    assert_eq!(spends.len(), 946);
    is_about(fit.parameters.p, 6.25, 2);
    is_about(fit.parameters.q, 3.74, 2);
    is_about(fit.parameters.gamma, 15.44, 2);
}

/// The likelihood of another model, BG/NBD, with derivatives by differences: the search finds what is published.
#[test]
fn the_search_finds_the_published_fit_of_another_model() {
    let (histories, _) = cdnow();
    let value = |logs: &[f64; 4]| -> f64 {
        let [r, alpha, a, b] = logs.map(f64::exp);
        let of = |h: &History| {
            let x = h.repeats;
            let alive =
                ln_gamma(a + b) + ln_gamma(b + x) - ln_gamma(b) - ln_gamma(a + b + x) - (r + x) * (alpha + h.observed).ln();
            let gone = ln_gamma(a + 1.0) + ln_gamma(b + x - 1.0) - ln_gamma(a) - ln_gamma(b) + ln_gamma(a + b)
                - ln_gamma(a + b + x)
                - (r + x) * (alpha + h.last).ln();
            let either = if x > 0.0 { alive.max(gone) + (-(alive - gone).abs()).exp().ln_1p() } else { alive };
            ln_gamma(r + x) - ln_gamma(r) + r * alpha.ln() + either
        };
        histories.iter().map(of).sum::<f64>() / histories.len() as f64
    };
    let slope = |at: &[f64; 4]| {
        std::array::from_fn(|i| {
            let moved = |by: f64| value(&std::array::from_fn(|j| at[j] + if i == j { by } else { 0.0 }));
            (moved(1e-5) - moved(-1e-5)) / 2e-5
        })
    };
    let Maximum { at, is_inner, .. } = maximise([0.0; 4], [(-7.0, 7.0); 4], 1e-7, |at| (value(at), slope(at)));
    let [r, alpha, a, b] = at.map(f64::exp);
    assert!(is_inner);
    is_about(r, 0.2426, 4);
    is_about(alpha, 4.4135, 3);
    is_about(a, 0.7929, 3);
    is_about(b, 2.4258, 3);
}

#[test]
fn the_gradient_is_that_of_the_likelihood() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for _ in 0..200 {
        let logs: [f64; 4] = std::array::from_fn(|_| rng.random_range(-3.0..4.0));
        let of = |logs: [f64; 4]| {
            let [r, alpha, s, beta] = logs.map(f64::exp);
            Parameters { r, alpha, s, beta }
        };
        let (observed, repeats) = (rng.random_range(0.1..200.0), f64::from(rng.random_range(0..60)));
        let last = if repeats == 0.0 { 0.0 } else { observed * rng.random_range(0.0..=1.0) };
        let history = [History { repeats, last, observed, customers: 3.0 }];
        let (value, gradient) = pareto_nbd::log_likelihood(&of(logs), &history);
        for (number, slope) in gradient.iter().enumerate() {
            let moved = |by: f64| {
                let mut logs = logs;
                logs[number] += by;
                pareto_nbd::log_likelihood(&of(logs), &history).0
            };
            let numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!(
                (slope - numeric).abs() < 1e-5 * (1.0 + numeric.abs() + value.abs()),
                "{logs:?} {history:?}: {slope}, not {numeric}"
            );
        }
    }
}

/// A customer of a shop that is made from the model: the history up to `observed`, and purchases in the `horizon` after it.
fn customer(parameters: &Parameters, observed: f64, horizon: f64, rng: &mut ChaCha8Rng) -> (History, f64) {
    let Parameters { r, alpha, s, beta } = *parameters;
    let rate = Gamma::new(r, 1.0 / alpha).expect("a rate").sample(rng).max(1e-300);
    let going = Gamma::new(s, 1.0 / beta).expect("a rate").sample(rng).max(1e-300);
    let lives: f64 = Exp::new(going).expect("a life").sample(rng);
    let bought = |from: f64, to: f64, rng: &mut ChaCha8Rng| {
        let mean = rate * (lives.min(to) - from).max(0.0);
        if mean > 0.0 { Poisson::new(mean).expect("a mean").sample(rng) } else { 0.0 }
    };
    let repeats = bought(0.0, observed, rng);
    // The last of so many uniform times.
    let last = if repeats > 0.0 { lives.min(observed) * rng.random::<f64>().powf(1.0 / repeats) } else { 0.0 };
    (History { repeats, last, observed, customers: 1.0 }, bought(observed, observed + horizon, rng))
}

/// What is expected of customers with a history is what customers with such a history do: the sum over many, by groups of repeats.
#[test]
fn expected_purchases_are_those_of_the_model() {
    for (seed, r, alpha, s, beta) in [(1, 0.55, 10.6, 0.6, 11.7), (2, 2.0, 5.0, 1.0, 30.0), (3, 0.8, 3.0, 2.5, 20.0)] {
        let parameters = Parameters { r, alpha, s, beta };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut groups = [[0.0f64; 4]; 4];
        for _ in 0..60_000 {
            let observed = rng.random_range(5.0..60.0);
            let (history, bought) = customer(&parameters, observed, 26.0, &mut rng);
            let group = &mut groups[(history.repeats as usize).min(3)];
            let expected = pareto_nbd::purchases_in(&parameters, &history, 26.0).mean;
            let error = bought - expected;
            *group = [group[0] + 1.0, group[1] + expected, group[2] + error, group[3] + error * error];
        }
        for [count, expected, error, squares] in groups {
            assert!(
                count > 1_000.0 && error.abs() < 4.0 * squares.sqrt(),
                "{seed}: {error} of {expected} over {count} customers"
            );
        }
    }
}

/// The search ends for every shop, with a likelihood no worse than that of the truth; where it ends at a maximum, the truth lies within
/// its uncertainty.
#[test]
fn every_shop_has_a_fit() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let (mut inner, mut near) = (0, 0);
    for shop in 0..300 {
        let [r, alpha, s, beta] =
            [(-2.0, 2.0), (0.0, 4.0), (-2.0, 1.5), (1.0, 5.0)].map(|(low, high)| rng.random_range::<f64, _>(low..high));
        let truth = Parameters { r: r.exp(), alpha: alpha.exp(), s: s.exp(), beta: beta.exp() };
        let customers = [1, 3, 20, 300, 1_000][shop % 5];
        let histories: Vec<History> =
            (0..customers).map(|_| customer(&truth, rng.random_range(1.0..100.0), 0.0, &mut rng).0).collect();
        let fit = pareto_nbd::fit(&histories);
        let (of_truth, _) = pareto_nbd::log_likelihood(&truth, &histories);
        assert!(
            fit.log_likelihood.is_finite() && fit.log_likelihood >= of_truth - 1e-6,
            "shop {shop}: {fit:?}, {of_truth} of {truth:?}"
        );
        if let Some(covariance) = fit.covariance.filter(|_| customers == 1_000) {
            inner += 1;
            let off = (fit.parameters.r / truth.r).ln() / covariance[0][0].sqrt();
            near += usize::from(off.abs() < 1.96);
        }
    }
    assert!(inner >= 30 && near * 100 >= inner * 85, "{near} of {inner} shapes lie within their intervals");
}

/// Shops in which nothing can be told apart: nobody comes back, everybody comes back alike, one customer.
#[test]
fn odd_shops_end_too() {
    let of = |repeats: f64, last: f64, observed: f64| History { repeats, last, observed, customers: 50.0 };
    for histories in [
        vec![of(0.0, 0.0, 10.0)],
        vec![of(0.0, 0.0, 0.0)],
        vec![of(5.0, 10.0, 10.0)],
        vec![of(1_000.0, 1_000.0, 1_000.0), of(1_001.0, 1_000.0, 1_000.0)],
        vec![of(1.0, 0.001, 5_000.0)],
    ] {
        let fit = pareto_nbd::fit(&histories);
        assert!(fit.log_likelihood.is_finite(), "{histories:?}: {fit:?}");
        assert!(pareto_nbd::purchases_in(&fit.parameters, &histories[0], 13.0).square.is_finite());
    }
    let same = gamma_gamma::fit(&[Spend { purchases: 2.0, mean: 5.0 }; 10]);
    assert!(!same.is_inner && same.log_likelihood.is_finite(), "{same:?}");
}

/// The mean of what customers are expected to spend is between their own mean and that of all.
#[test]
fn expected_spend_shrinks_towards_all() {
    let parameters = gamma_gamma::fit(&cdnow().1).parameters;
    let all = gamma_gamma::next_spend(&parameters, &Spend { purchases: 0.0, mean: 0.0 }).mean;
    is_about(all, parameters.p * parameters.gamma / (parameters.q - 1.0), 9);
    for (purchases, mean) in [(1.0, 200.0), (10.0, 200.0), (1.0, 5.0), (10.0, 5.0)] {
        let expected = gamma_gamma::next_spend(&parameters, &Spend { purchases, mean }).mean;
        assert!((all.min(mean)..=all.max(mean)).contains(&expected), "{purchases} of {mean}: {expected}");
    }
    let few = gamma_gamma::next_spend(&parameters, &Spend { purchases: 1.0, mean: 200.0 }).mean;
    assert!(few < gamma_gamma::next_spend(&parameters, &Spend { purchases: 10.0, mean: 200.0 }).mean);
}
