//! The formulas against scipy, statsmodels, mpmath and gbstats: `tests/data/stats.json` and `gbstats.json`, written by
//! `tests/oracles/stats_fixtures.py` and `gbstats_parity.py`.

use serde_json::Value;

use super::*;
use crate::error::{Error, Result};

/// A fixture file.
fn fixture(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn scipy() -> Value {
    fixture(include_str!("../../tests/data/stats.json"))
}

fn gbstats() -> Value {
    fixture(include_str!("../../tests/data/gbstats.json"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// Equal to `tolerance`, relative for numbers above 1; distributions pass `relative` for tiny ones.
fn close(got: f64, want: &Value, tolerance: f64, what: &str) {
    let want = number(want);
    assert!((got - want).abs() <= tolerance * want.abs().max(1.0), "{what}: {got} here, {want} there");
}

fn relative(got: f64, want: f64, tolerance: f64, what: &str) {
    assert!((got - want).abs() <= tolerance * want.abs(), "{what}: {got:e} here, {want:e} there");
}

const MONEY: Scales = [2, 2, 0, 0];

fn sums(rows: &Value) -> Result<Sums> {
    let mut sums = Sums::default();
    for row in list(rows) {
        let values: Vec<i64> = list(row).iter().filter_map(Value::as_i64).collect();
        sums.observe([values[0], values[1], values[2], values[3]])?;
    }
    Ok(sums)
}

fn cell(case: &Value) -> Result<Cell> {
    let (treated, control) = (sums(&case["treated"])?, sums(&case["control"])?);
    let mut both = treated;
    both.add(&control)?;
    let moments = |s: Sums| s.moments(MONEY).ok_or_else(|| Error::bug("fewer than two customers"));
    Ok(Cell { treated: moments(treated)?, control: moments(control)?, both: moments(both)? })
}

fn agrees(got: &Estimate, want: &Value, what: &str) {
    let interval = got.interval();
    let found = [
        ("difference", got.difference),
        ("se", got.se),
        ("df", got.df),
        ("low", interval.low),
        ("high", interval.high),
        ("p", interval.p),
    ];
    for (name, value) in found {
        close(value, &want[name], 1e-9, &format!("{what} {name}"));
    }
    let Some(lift) = &got.lift else { panic!("{what} has no lift") };
    close(lift.value, &want["lift"]["value"], 1e-9, &format!("{what} lift"));
    close(lift.se, &want["lift"]["se"], 1e-9, &format!("{what} lift's se"));
    if want["lift"].get("df").is_some() {
        close(lift.df, &want["lift"]["df"], 1e-9, &format!("{what} lift's df"));
    }
}

#[test]
fn distributions_hold_twelve_digits() {
    let fixture = scipy();
    let all = &fixture["distributions"];
    for row in list(&all["t_two_sided"]) {
        let (t, df) = (number(&row[0]), number(&row[1]));
        relative(t_two_sided(t, df), number(&row[2]), 1e-12, &format!("t {t} with {df}"));
    }
    for row in list(&all["t_quantile"]) {
        let (p, df) = (number(&row[0]), number(&row[1]));
        relative(t_quantile(p, df), number(&row[2]), 1e-12, &format!("t quantile {p} with {df}"));
    }
    for row in list(&all["chi_square_sf"]) {
        let (x, df) = (number(&row[0]), row[1].as_u64().unwrap_or(0) as u32);
        relative(chi_square_sf(x, df), number(&row[2]), 1e-12, &format!("chi-square {x} with {df}"));
    }
    for row in list(&all["normal_quantile"]) {
        relative(normal_quantile(number(&row[0])), number(&row[1]), 1e-12, &format!("normal {}", row[0]));
    }
    assert_eq!((t_two_sided(f64::INFINITY, 3.0), t_two_sided(1e200, 1e9), t_two_sided(0.0, 1.0)), (0.0, 0.0, 1.0));
    assert!(list(&all["t_two_sided"]).len() > 60 && list(&all["t_quantile"]).len() == 40);
}

#[test]
fn estimators_agree_with_scipy_on_customers() -> Result<()> {
    let fixture = scipy();
    for (at, case) in list(&fixture["estimators"]).iter().enumerate() {
        let cells = [cell(case)?];
        let shapes = [
            ("welch", Shape::Mean, Adjustment::None),
            ("cuped", Shape::Mean, Adjustment::Cuped),
            ("did", Shape::Mean, Adjustment::Change),
            ("ratio", Shape::Ratio, Adjustment::None),
            ("ratio_cuped", Shape::Ratio, Adjustment::Cuped),
        ];
        for (name, shape, adjustment) in shapes.into_iter().filter(|(name, ..)| case.get(name).is_some()) {
            let got = estimate(&cells, shape, adjustment, Weighting::Pooled)
                .map_err(|why| Error::bug(format!("{name} of case {at}: {why:?}")))?;
            agrees(&got, &case[name], &format!("{name} of case {at}"));
        }
    }
    assert_eq!(list(&fixture["estimators"]).len(), 4);
    Ok(())
}

#[test]
fn strata_agree_with_the_formula_by_cell() -> Result<()> {
    let fixture = scipy();
    let cells = list(&fixture["stratified"]["cells"]).iter().map(cell).collect::<Result<Vec<_>>>()?;
    for (name, weighting) in [("post_stratified", Weighting::Pooled), ("matched", Weighting::Treated)] {
        let got =
            estimate(&cells, Shape::Mean, Adjustment::None, weighting).map_err(|why| Error::bug(format!("{name}: {why:?}")))?;
        agrees(&got, &fixture["stratified"][name], name);
    }
    Ok(())
}

#[test]
fn gbstats_agrees_where_definitions_do() -> Result<()> {
    let (fixture, gb) = (scipy(), gbstats());
    let cases = list(&fixture["estimators"]).iter().zip(list(&gb["estimators"]));
    for (at, (case, want)) in cases.enumerate() {
        let cells = [cell(case)?];
        for (name, adjustment) in [("welch", Adjustment::None), ("cuped", Adjustment::Cuped)] {
            let got = estimate(&cells, Shape::Mean, adjustment, Weighting::Pooled)
                .map_err(|why| Error::bug(format!("{name} of case {at}: {why:?}")))?;
            let interval = got.interval();
            let found = [("value", got.difference), ("se", got.se), ("low", interval.low), ("high", interval.high)];
            for (key, value) in found {
                close(value, &want[name][key], 1e-9, &format!("gbstats {name} {key} of case {at}"));
            }
            // gbstats computes 1 − (1 − p), which keeps 16 digits after the point.
            close(interval.p, &want[name]["p"], 1e-9, &format!("gbstats {name} p of case {at}"));
            let (lift, want) = (got.lift.as_ref(), &want[format!("{name}_lift")]);
            close(lift.map_or(f64::NAN, |l| l.value), &want["value"], 1e-9, "gbstats lift");
            // Under CUPED gbstats takes the unadjusted treated mean here: see the head of gbstats_parity.py.
            if adjustment == Adjustment::None {
                close(lift.map_or(f64::NAN, |l| l.se), &want["se"], 1e-9, "gbstats lift's se");
            }
        }
    }
    let cells = list(&fixture["stratified"]["cells"]).iter().map(cell).collect::<Result<Vec<_>>>()?;
    let got = estimate(&cells, Shape::Mean, Adjustment::None, Weighting::Pooled)
        .map_err(|why| Error::bug(format!("strata: {why:?}")))?;
    close(got.difference, &gb["post_stratified"]["absolute"]["value"], 1e-9, "gbstats post-stratified");
    close(got.se, &gb["post_stratified"]["absolute"]["se"], 1e-9, "gbstats post-stratified se");
    let lift = got.lift.as_ref();
    close(lift.map_or(f64::NAN, |l| l.value), &gb["post_stratified"]["relative"]["value"], 1e-9, "gbstats post-stratified lift");
    close(lift.map_or(f64::NAN, |l| l.se), &gb["post_stratified"]["relative"]["se"], 1e-9, "gbstats post-stratified lift's se");
    for (case, want) in list(&fixture["small"]["split"]).iter().zip(list(&gb["split"])) {
        close(split_of(case).unwrap_or(f64::NAN), want, 1e-9, "gbstats split check");
    }
    Ok(())
}

fn split_of(case: &Value) -> Option<f64> {
    let observed = list(&case["observed"]).iter().filter_map(Value::as_i64).collect();
    let planned = list(&case["planned"]).iter().map(number).collect();
    split_check(&[SplitCell { observed, planned }])
}

#[test]
fn periods_pool_by_their_treated_and_cluster_as_brute_force_does() -> Result<()> {
    let fixture = scipy();
    let want = &fixture["recurring"];
    let rows: Vec<Vec<Vec<i64>>> = list(&want["periods"])
        .iter()
        .map(|p| list(p).iter().map(|r| list(r).iter().filter_map(Value::as_i64).collect()).collect())
        .collect();
    let mut estimates = Vec::new();
    for period in &rows {
        let mut arms = [Sums::default(); 2];
        for row in period {
            arms[usize::from(row[1] == 0)].observe([row[2], row[3], 0, 0])?;
        }
        let mut both = arms[0];
        both.add(&arms[1])?;
        let moments = |s: Sums| s.moments(MONEY).ok_or_else(|| Error::bug("fewer than two customers"));
        let cell = Cell { treated: moments(arms[0])?, control: moments(arms[1])?, both: moments(both)? };
        let got = estimate(&[cell], Shape::Mean, Adjustment::Cuped, Weighting::Pooled);
        estimates.push(got.map_err(|why| Error::bug(format!("{why:?}")))?);
    }
    let mut covariances = Vec::new();
    for (i, j) in [(0usize, 1usize), (0, 2), (1, 2)] {
        let mut sum = 0.0;
        for (a, b) in [(0usize, 0usize), (0, 1), (1, 0), (1, 1)] {
            let mut pairs = PairSums::default();
            for first in rows[i].iter().filter(|r| usize::from(r[1] == 0) == a) {
                for second in rows[j].iter().filter(|r| r[0] == first[0] && usize::from(r[1] == 0) == b) {
                    pairs.observe([first[2], first[3], 0, 0], [second[2], second[3], 0, 0])?;
                }
            }
            sum += pair_covariance(&pairs, MONEY, &estimates[i].influence[0][a], &estimates[j].influence[0][b]);
        }
        covariances.push(sum);
    }
    for (got, want) in covariances.iter().zip(list(&want["covariances"])) {
        close(*got, want, 1e-9, "covariance of two periods");
    }
    let members: Vec<PeriodEstimate> =
        estimates.iter().map(|e| PeriodEstimate { value: e.difference, se: e.se, df: e.df, n_treated: e.n_treated }).collect();
    let none = || Error::bug("nothing pooled");
    let independent = pool(&members, |_, _| 0.0).ok_or_else(none)?;
    let clustered = pool(&members, |i, j| covariances[if i == 0 { j - 1 } else { 2 }]).ok_or_else(none)?;
    close(independent.value, &want["value"], 1e-9, "pooled");
    close(independent.se, &want["se_independent"], 1e-9, "independent se");
    close(independent.q.unwrap_or(f64::NAN), &want["q"], 1e-9, "Q");
    close(clustered.q.unwrap_or(f64::NAN), &want["q_clustered"], 1e-9, "Q with covariances");
    close(clustered.dispersion, &Value::from((clustered.se / independent.se).powi(2)), 1e-9, "dispersion");
    close(independent.q_p.unwrap_or(f64::NAN), &want["q_p"], 1e-9, "Q's p");
    close(independent.df, &want["df"], 1e-9, "df");
    close(clustered.se, &want["se_clustered"], 1e-9, "clustered se");
    assert_ne!(clustered.se, independent.se);
    Ok(())
}

#[test]
fn shrinking_agrees_with_statsmodels() {
    let fixture = scipy();
    let want = &fixture["shrinking"];
    let effects: Vec<(f64, f64)> = list(&want["effects"]).iter().map(|e| (number(&e[0]), number(&e[1]))).collect();
    for (at, got) in shrink(&effects).iter().enumerate() {
        close(got.value, &want["value"][at], 1e-9, "shrunken effect");
        close(got.low, &want["low"][at], 1e-9, "shrunken effect's lower end");
    }
    let alone = shrink(&[(2.0, 1.0)])[0];
    assert_eq!(alone.value, 2.0);
    assert!((alone.low - (2.0 - 1.959963984540054)).abs() < 1e-12);
    assert_eq!(shrink(&[]), []);
}

#[test]
fn small_statistics_agree() {
    let fixture = scipy();
    let small = &fixture["small"];
    for row in list(&small["wilson"]) {
        let (low, high) = wilson(row[0].as_i64().unwrap_or(-1), row[1].as_i64().unwrap_or(-1)).unwrap_or((f64::NAN, f64::NAN));
        close(low, &row[2], 1e-12, "Wilson");
        close(high, &row[3], 1e-12, "Wilson");
    }
    assert_eq!(wilson(0, 0), None);
    for case in list(&small["split"]) {
        relative(split_of(case).unwrap_or(f64::NAN), number(&case["p"]), 1e-9, "split check");
    }
    let groups: Vec<(i64, i64)> =
        list(&small["groups"]).iter().map(|g| (g[0].as_i64().unwrap_or(0), g[1].as_i64().unwrap_or(0))).collect();
    close(chi_square_homogeneity(&groups).unwrap_or(f64::NAN), &small["groups_p"], 1e-9, "homogeneity");
    let p: Vec<f64> = list(&small["bh_p"]).iter().map(number).collect();
    for (got, want) in benjamini_hochberg(&p).into_iter().zip(list(&small["bh_adjusted"])) {
        close(got, want, 1e-12, "Benjamini and Hochberg");
    }
    let test = DifferenceTest::student(0.0, number(&small["mde_se"]), 1e15);
    let detectable = test.detectable(test.interval(0.05));
    close(detectable.gain, &small["mde"], 1e-9, "MDE");
    close(detectable.loss, &small["mde"], 1e-9, "MDE of a loss");
}

#[test]
fn small_strata_are_checked_together() {
    // A fortieth of the customers held out of 10 each: by itself a stratum with 2 looks impossible, together they fit.
    let stratum = |control: i64| SplitCell { observed: vec![control, 10 - control], planned: vec![0.025, 0.975] };
    let strata: Vec<SplitCell> = (0..400).map(|i| stratum(if i % 40 == 0 { 2 } else { i64::from(i % 5 == 0) })).collect();
    assert!(split_check(&strata).is_some_and(|p| p > 0.001));
    assert!(split_check(&[SplitCell { observed: vec![30, 370], planned: vec![0.025, 0.975] }]).is_some_and(|p| p < 0.001));
    assert_eq!(split_check(&[SplitCell { observed: vec![10], planned: vec![1.0] }]), None);
    assert_eq!(split_check(&[]), None);
}

#[test]
fn money_follows_the_difference() {
    // 100 customers bring 2.00 ± 1.00 more each at 40 %, and cost 0.50 each.
    let test = DifferenceTest::student(2.0, 1.0 / 1.959_963_984_540_054, 1e15).mapped(0.4, -0.5);
    let (low, high) = test.interval(0.05);
    assert!((test.value - 0.3).abs() < 1e-12 && (low + 0.1).abs() < 1e-9 && (high - 0.7).abs() < 1e-9);
    // Its p-value is that of 0.3 against a standard error of 0.2041: 2·(1 − Φ(1.46997)), by scipy.
    assert!((test.p() - 0.141_569_07).abs() < 1e-6, "{}", test.p());
}

#[test]
fn balance_and_drift_are_what_they_are_called() {
    assert_eq!(smd(3.0, 1.0, 3.0, 5.0), Some(1.0));
    assert_eq!(smd(3.0, 1.0, 0.0, 0.0), None);
    // Half of a deviation stays, so customers 10 below the mean are expected to rise by 5.
    assert_eq!(expected_drift(20.0, 30.0, 0.5), 5.0);
}

#[test]
fn what_is_no_number_is_none() -> Result<()> {
    let flat = Sums { n: 5, sum: [0; 4], product: [0; 10] }.moments(MONEY).ok_or_else(|| Error::bug("no moments"))?;
    let nothing = Cell { treated: flat, control: flat, both: flat };
    let none = |cells: &[Cell], shape| estimate(cells, shape, Adjustment::Cuped, Weighting::Pooled).err();
    assert_eq!(none(&[nothing], Shape::Mean), Some(EstimateError::ZeroVariance));
    assert_eq!(none(&[nothing], Shape::Ratio), Some(EstimateError::ZeroDenominator));
    assert_eq!(none(&[], Shape::Mean), Some(EstimateError::NoCells));
    // An outcome that the baseline explains wholly leaves rounding, not variance.
    let mut arms = [Sums::default(); 2];
    for i in 0..100i64 {
        arms[(i % 2) as usize].observe([3 * i * i + 1, i * i, 0, 0])?;
    }
    let mut both = arms[0];
    both.add(&arms[1])?;
    let moments = |s: Sums| s.moments(MONEY).ok_or_else(|| Error::bug("no moments"));
    let exact = Cell { treated: moments(arms[0])?, control: moments(arms[1])?, both: moments(both)? };
    assert_eq!(none(&[exact], Shape::Mean), Some(EstimateError::Explained));
    // Nor does a value per order that is the same for everybody, whatever it is, and whether in one cell or in two.
    for price in [3i64, 7, 1999, 12_345] {
        let orders = |from: i64| -> Result<Cell> {
            let mut arms = [Sums::default(); 2];
            for i in from..from + 90 {
                let (orders, before) = (i % 7, i % 5 + i % 2);
                // The treated pay one more for each order.
                let paid = if i % 2 == 0 { price + 1 } else { price };
                arms[(i % 2) as usize].observe([orders * paid, before * price, orders, before])?;
            }
            let mut both = arms[0];
            both.add(&arms[1])?;
            let ratio = |s: Sums| s.moments([2, 2, 0, 0]).ok_or_else(|| Error::bug("no moments"));
            Ok(Cell { treated: ratio(arms[0])?, control: ratio(arms[1])?, both: ratio(both)? })
        };
        let (one, two) = (orders(0)?, orders(1_000)?);
        for cells in [&[one][..], &[one, two][..]] {
            for adjustment in [Adjustment::None, Adjustment::Cuped, Adjustment::Change] {
                for weighting in [Weighting::Pooled, Weighting::Treated] {
                    let got = estimate(cells, Shape::Ratio, adjustment, weighting);
                    assert_eq!(got.err(), Some(EstimateError::ZeroVariance), "{price} {adjustment:?} {weighting:?}");
                }
            }
        }
    }
    // Where no treated customer did anything, no control arm gives the lift of -1 a variance.
    for bought in 1..60 {
        let mut arms = [Sums::default(); 2];
        for i in 0..61i64 {
            arms[0].observe([0; 4])?;
            arms[1].observe([i64::from(i < bought), 0, 0, 0])?;
        }
        let mut both = arms[0];
        both.add(&arms[1])?;
        let silent = |s: Sums| s.moments([0; 4]).ok_or_else(|| Error::bug("no moments"));
        let silent = Cell { treated: silent(arms[0])?, control: silent(arms[1])?, both: silent(both)? };
        let got = estimate(&[silent], Shape::Mean, Adjustment::None, Weighting::Pooled);
        assert!(got.is_ok_and(|e| e.difference < 0.0 && e.lift.is_none()), "{bought} of 61");
    }
    // A control mean of zero or below has no lift.
    let mut arms = [Sums::default(); 2];
    for i in 0..100i64 {
        arms[(i % 2) as usize].observe([if i % 2 == 0 { i } else { 50 - i }, 0, 0, 0])?;
    }
    both = arms[0];
    both.add(&arms[1])?;
    let negative = Cell { treated: moments(arms[0])?, control: moments(arms[1])?, both: moments(both)? };
    let got = estimate(&[negative], Shape::Mean, Adjustment::None, Weighting::Pooled);
    assert!(got.is_ok_and(|e| e.base <= 0.0 && e.lift.is_none()));
    Ok(())
}
