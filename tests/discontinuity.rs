//! Jumps of outcomes and of densities at a cut, against rdrobust and rddensity.

use std::fs;
use std::path::Path;

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rfmill::internals::stats::{Jump, NoJump, Observation, density_jump, jump};
use serde_json::Value;

/// The cases that tests/oracles/discontinuity.py made.
fn cases() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/discontinuity.json");
    serde_json::from_slice(&fs::read(path).expect("the cases")).expect("JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("numbers").iter().map(number).collect()
}

fn observations(running: &[f64], outcome: &[f64]) -> Vec<Observation> {
    running.iter().zip(outcome).map(|(running, outcome)| Observation { running: *running, outcome: *outcome }).collect()
}

fn is_close(name: &str, found: f64, wanted: f64) {
    assert!((found - wanted).abs() <= 1e-6 * (1.0 + wanted.abs()), "{name}: {found}, not {wanted}");
}

#[test]
fn jumps_are_those_of_rdrobust() {
    for case in cases() {
        let (running, cut) = (numbers(&case["running"]), number(&case["cut"]));
        let mut sample = observations(&running, &numbers(&case["outcome"]));
        sample.reverse();
        let found = jump(&sample, cut).expect("an estimate");
        let Jump { estimate, standard_error, corrected, robust_error, bandwidth, bias_bandwidth, inside, distinct, .. } = found;
        let all = [
            ("estimate", estimate),
            ("standard_error", standard_error),
            ("corrected", corrected),
            ("robust_error", robust_error),
            ("bandwidth", bandwidth),
            ("bias_bandwidth", bias_bandwidth),
        ];
        all.into_iter().for_each(|(key, value)| is_close(&format!("{} {key}", case["name"]), value, number(&case[key])));
        assert_eq!(inside.map(|count| count as f64).to_vec(), numbers(&case["inside"]), "{}", case["name"]);
        let within = |low: f64, high: f64| {
            let mut values: Vec<f64> = running.iter().map(|x| x - cut).filter(|x| *x > low && *x < high).collect();
            values.sort_by(f64::total_cmp);
            values.dedup();
            values
        };
        let values = within(-bandwidth, bandwidth);
        assert_eq!(distinct[0], values.iter().filter(|x| **x < 0.0).count(), "{}", case["name"]);
        assert_eq!(distinct[1], values.iter().filter(|x| **x >= 0.0).count(), "{}", case["name"]);
    }
}

/// Elections to the Senate, as published with the package.
#[test]
fn the_senate_has_its_published_figures() {
    let case = &cases()[0];
    let found = jump(&observations(&numbers(&case["running"]), &numbers(&case["outcome"])), 0.0).expect("an estimate");
    let half = 1.959_963_984_540_054 * found.robust_error;
    for (name, found, published) in [
        ("estimate", found.estimate, 7.414_131),
        ("low", found.corrected - half, 4.093_699),
        ("high", found.corrected + half, 10.919_306),
        ("bandwidth", found.bandwidth, 17.754_398),
    ] {
        assert!((found - published).abs() < 1e-6, "{name}: {found}, not {published}");
    }
}

#[test]
fn densities_are_those_of_rddensity() {
    let mut found_heap = false;
    for case in cases() {
        let found = density_jump(&numbers(&case["running"]), number(&case["cut"])).expect("a test");
        let name = case["name"].as_str().expect("a name");
        is_close(name, found.statistic, number(&case["statistic"]));
        is_close(name, found.p_value, number(&case["p_value"]));
        let pairs = |found: [f64; 2], wanted: &Value| {
            found.into_iter().zip(numbers(wanted)).for_each(|(found, wanted)| is_close(name, found, wanted));
        };
        pairs(found.densities, &case["densities"]);
        pairs(found.bandwidths, &case["density_bandwidths"]);
        found_heap |= name.starts_with("heaped") && found.p_value < 0.01;
    }
    assert!(found_heap, "sixty at the cut are seen");
}

/// What has no jump to estimate is said, whatever it is.
#[test]
fn what_cannot_be_estimated_is_said() {
    let same = |running: f64, outcome: f64| Observation { running, outcome };
    assert_eq!(jump(&[], 0.0), Err(NoJump::TooFewValues));
    assert_eq!(jump(&[same(1.0, 2.0); 50], 0.0), Err(NoJump::TooFewValues));
    let one_side: Vec<Observation> = (0..50).map(|n| same(f64::from(n), f64::from(n % 7))).collect();
    assert_eq!(jump(&one_side, 0.0), Err(NoJump::TooFewValues));
    let flat: Vec<Observation> = (-50..50).map(|n| same(f64::from(n), 3.0)).collect();
    assert_eq!(jump(&flat, 0.0), Err(NoJump::NoVariation));
    let two: Vec<Observation> = (0..50).map(|n| same(f64::from(n % 4 - 2), f64::from(n % 7))).collect();
    assert!(jump(&two, 0.0).is_err());
    assert_eq!(density_jump(&[], 0.0), None);
    assert_eq!(density_jump(&[1.0; 9], 0.0), None);

    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..2_000 {
        let count = rng.random_range(0..60);
        let values = rng.random_range(1..30);
        let sample: Vec<Observation> =
            (0..count).map(|_| same(f64::from(rng.random_range(-values..=values)), f64::from(rng.random_range(0..4)))).collect();
        if let Ok(found) = jump(&sample, 0.0) {
            assert!(found.estimate.is_finite() && found.robust_error.is_finite() && found.bandwidth > 0.0, "{found:?}");
        }
        let running: Vec<f64> = sample.iter().map(|o| o.running).collect();
        if let Some(found) = density_jump(&running, 0.0) {
            assert!((0.0..=1.0).contains(&found.p_value), "{found:?}");
        }
    }
}
