//! Effects, their reasons and verdicts, from exact sums per arm.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rfmill::internals::domain::{Day, Decimal};
use rfmill::internals::evaluate::{
    ALL, ArmKey, ArmSums, Design, Evaluation, Method, Outcome, Phase, Primary, Quantity, StrategySettings, UNASSIGNED, evaluate,
};
use rfmill::internals::stats::Sums;
use rfmill::rows::{EffectRow, PooledEffectRow, VerdictRow};

use crate::support::arms::{Customer, add_reference, fill, finished, strategy, sums, total};

fn run(strategies: &[StrategySettings], arms: &ArmSums) -> Evaluation {
    evaluate(strategies, arms).expect("an evaluation")
}

/// The row of a method in the total of the first period.
fn effect(evaluation: &Evaluation, method: Method) -> &EffectRow {
    evaluation.effects.iter().find(|e| e.method == method.to_string() && e.state == ALL).expect("a row")
}

/// Why a verdict is what it is.
fn reason(verdict: &VerdictRow) -> &str {
    verdict.reason.as_deref().unwrap_or_default()
}

/// Reproducible customers: 20 weak and 30 strong per arm, mail worth 10.00 more.
fn customers(effect: i64) -> Vec<Customer> {
    let one = |id: u32| {
        let (strong, mail) = (id % 5 > 1, (id / 5).is_multiple_of(2));
        let noise = i64::from(id * 7919 % 101);
        let level = if strong { 5000 } else { 500 };
        Customer {
            id,
            arm: if mail { "mail" } else { "control" },
            state: if strong { "strong" } else { "weak" },
            cell: ALL,
            after: level + 20 * noise + i64::from(id * 31 % 17) + if mail { effect } else { 0 },
            baseline: level + 19 * noise + i64::from(id * 53 % 23) * 9,
            before: level + i64::from(id * 2671 % 103) * 20,
            earlier: ALL,
            touched: false,
        }
    };
    (0..100).map(one).collect()
}

fn matched(mut customers: Vec<Customer>) -> Vec<Customer> {
    customers.iter_mut().for_each(|c| (c.cell, c.earlier) = (c.state, c.state));
    customers
}

// --- the contract ---------------------------------------------------------------------------------------------------

/// The contract's folder, if this checkout has it beside itself.
fn contract() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let path =
        std::env::var_os("RFMILL_SHARED").map_or_else(beside, PathBuf::from).join("contract/expected/experiment.effects.csv");
    if !path.exists() {
        use std::io::Write;
        let line =
            format!("SKIPPED: {} is not there; set RFMILL_SHARED to the folder whose contract/ holds it\n", path.display());
        std::io::stderr().write_all(line.as_bytes()).expect("stderr");
        return None;
    }
    Some(path)
}

/// The arms of contract job `experiment`, from tests/data/experiment_arms.json.
fn experiment_arms() -> ArmSums {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/experiment_arms.json");
    let file: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).expect("the fixture")).expect("JSON");
    let mut arms = ArmSums::default();
    for row in file["rows"].as_array().expect("rows") {
        let text = |i: usize| row[i].as_str().expect("text");
        let number = |i: usize| i128::from(row[i].as_i64().expect("a number"));
        let mut sums = Sums { n: number(3) as i64, ..Sums::default() };
        sums.sum = [number(4), number(5), 0, 0];
        sums.product[0] = number(6);
        sums.product[1] = number(7);
        sums.product[4] = number(8);
        let outcome = Outcome::parse(text(0)).expect("an outcome");
        for (scheme, state) in [(ALL, ALL), ("segment", text(1))] {
            let key = total("winback", 0, Phase::During, text(2), Quantity::Outcome(outcome.clone()));
            arms.add(ArmKey { scheme: scheme.into(), state: state.into(), ..key }, &sums).expect("small sums");
        }
    }
    for (arm, n) in file["excluded"].as_object().expect("excluded") {
        let key = total("winback", 0, Phase::During, arm, Quantity::Excluded);
        arms.add(key, &sums(&vec![1; n.as_u64().expect("a count") as usize])).expect("small sums");
    }
    arms
}

#[test]
fn the_contract_experiment_has_its_66_rows() {
    let Some(path) = contract() else { return };
    let winback = StrategySettings {
        split: rfmill::internals::evaluate::Split {
            shares: [("control".to_string(), 0.5), ("treatment".to_string(), 0.5)].into(),
            strata: BTreeMap::new(),
        },
        outcomes: vec![Outcome::Converted, Outcome::Orders, Outcome::Revenue],
        primary: Primary { outcome: Outcome::Revenue, method: Method::Cuped },
        by: vec!["segment".into()],
        cost_per_customer: Decimal::parse("0.50"),
        margin_rate: Some(0.4),
        ..strategy("winback", 1)
    };
    let evaluation = run(&[winback], &experiment_arms());
    let rows: BTreeMap<_, _> =
        evaluation.effects.iter().map(|e| ((e.outcome.to_string(), e.state.clone(), e.method.to_string()), e)).collect();
    let mut compared = 0;
    let mut reader = csv::Reader::from_path(path).expect("the expected rows");
    let header = reader.headers().expect("a header").clone();
    for record in reader.records() {
        let record = record.expect("a row");
        let want: BTreeMap<&str, &str> = header.iter().zip(record.iter()).collect();
        let key = (want["outcome"].to_string(), want["state"].to_string(), want["method"].to_string());
        let got = rows[&key];
        let found = [
            ("n_treated", got.n_treated.map(|n| n as f64)),
            ("n_control", got.n_control.map(|n| n as f64)),
            ("mean_treated", got.mean_treated),
            ("mean_control", got.mean_control),
            ("difference", got.difference),
            ("ci_low", got.ci_low),
            ("ci_high", got.ci_high),
            ("p_value", got.p_value),
            ("p_adjusted", got.p_adjusted),
            ("srm_p", got.srm_p),
            ("roi", got.roi),
            ("excluded_in_both_arms", got.excluded.map(|n| n as f64)),
        ];
        for (name, value) in found {
            match (want[name].parse::<f64>(), value) {
                (Ok(want), Some(value)) => {
                    assert!((value - want).abs() <= 1e-9 * want.abs().max(1e-9), "{key:?} {name}: {value} here, {want} there")
                }
                (Err(_), None) => {}
                (want, value) => panic!("{key:?} {name}: {value:?} here, {want:?} there"),
            }
        }
        compared += 1;
    }
    // Besides, each outcome has rows of the methods that these sums have no grids for, and net money has rows of its own.
    let classical = evaluation.effects.iter().filter(|e| !e.method.starts_with("permutation") && e.outcome != "net");
    assert_eq!((compared, classical.count()), (66, 66));
    assert!(evaluation.effects.iter().filter(|e| e.headline == Some(true)).all(|e| e.family_size == Some(11)));
    let verdict = &evaluation.verdicts[0];
    assert_eq!((verdict.state.as_str(), verdict.verdict.as_str()), (ALL, "scale"));
}

// --- reasons --------------------------------------------------------------------------------------------------------

/// Asserts that a row has no number but its counts, and this in its reason.
fn says(row: &EffectRow, reason: &str) {
    let text = row.not_estimable.as_deref().unwrap_or_default();
    assert!(text.contains(reason), "{text:?} does not say {reason:?}");
    let numbers = [
        row.mean_treated,
        row.mean_control,
        row.difference,
        row.ci_low,
        row.ci_high,
        row.p_value,
        row.p_adjusted,
        row.lift,
        row.lift_low,
        row.lift_high,
        row.mde,
        row.incremental,
        row.cost,
        row.roi,
        row.roi_low,
        row.roi_high,
        row.net_margin_per_customer,
        row.net_margin_low,
        row.net_margin_high,
    ];
    assert_eq!(numbers, [None; 19], "{text}");
}

#[test]
fn arms_without_variance_are_no_numbers() {
    let plain = strategy("s", 1);
    let of = |treated: &[i64], control: &[i64]| {
        let mut arms = ArmSums::default();
        for (arm, values) in [("mail", treated), ("control", control)] {
            if !values.is_empty() {
                arms.add(total("s", 0, Phase::During, arm, Quantity::Outcome(Outcome::Revenue)), &sums(values)).expect("sums");
            }
        }
        run(std::slice::from_ref(&plain), &arms)
    };
    says(effect(&of(&[1, 2], &[]), Method::Welch), "arm \"control\" has no customers");
    says(effect(&of(&[], &[1, 2]), Method::Welch), "arm \"mail\" has no customers");
    says(effect(&of(&[], &[]), Method::Welch), "has no customers");
    says(effect(&of(&[5], &[1, 2, 3]), Method::Welch), "one customer");
    says(effect(&of(&[5, 5], &[5, 5, 5]), Method::Welch), "same outcome");
    says(effect(&of(&[5, 5], &[0, 0, 0]), Method::Welch), "within each arm all customers have the same outcome");
    assert_eq!(of(&[5, 5], &[5, 5, 5]).verdicts[0].verdict, "cannot_say");
    // One arm without variance is an ordinary comparison; a control mean of zero has no lift.
    let one_sided = of(&[100, 300, 200], &[0, 0, 0]);
    let row = effect(&one_sided, Method::Welch);
    assert_eq!((row.difference, row.lift, row.not_estimable.clone()), (Some(2.0), None, None));
    assert_eq!(one_sided.over_time[0].lift, None);
    // Treated customers who all did nothing have a lift of -1 without variance: no interval, and not NaN.
    let silent = of(&[0, 0, 0], &[100, 300, 200]);
    let row = effect(&silent, Method::Welch);
    assert_eq!((row.difference, row.lift, row.lift_low, silent.over_time[0].lift), (Some(-2.0), None, None, None));
}

#[test]
fn broken_periods_are_no_numbers() {
    let arms = fill("s", &Outcome::Revenue, &[customers(1000)]);
    let with = |change: fn(&mut StrategySettings)| {
        let mut changed = strategy("s", 1);
        changed.primary.method = Method::Cuped;
        change(&mut changed);
        run(&[changed], &arms)
    };
    let unfinished = with(|s| s.periods[0].known_until = Day(s.periods[0].period.last_day().0 - 1));
    says(effect(&unfinished, Method::Welch), "the period is not finished");
    says(effect(&unfinished, Method::Cuped), "the period is not finished");
    assert!(unfinished.before_after.iter().all(|r| r.mean_after.is_none() && r.change.is_none() && r.mean_before.is_some()));
    let uneven = with(|s| s.periods[0].equally_long = false);
    says(effect(&uneven, Method::Welch), "different dates");
    for row in &uneven.before_after {
        assert!(
            row.mean_after.is_none()
                && row.change.is_none()
                && row.note.as_deref().unwrap_or_default().contains("different dates"),
            "{row:?}"
        );
    }
    let split = with(|s| s.split.shares = [("control".into(), 0.9), ("mail".into(), 0.1)].into());
    says(effect(&split, Method::Welch), "not those of the planned split");
    assert!(effect(&split, Method::Welch).srm_p.is_some_and(|p| p < 0.001));
    // Without a baseline CUPED is not there and Welch leads, and says so.
    let bare = with(|s| s.periods[0].baseline = None);
    says(effect(&bare, Method::Cuped), "no baseline");
    assert!(effect(&bare, Method::Welch).headline == Some(true) && effect(&bare, Method::Cuped).headline == Some(false));
    assert!(reason(&bare.verdicts[0]).contains("by welch because there is no baseline"), "{}", reason(&bare.verdicts[0]));
    assert_eq!(bare.balance, []);
    // The same for a baseline in which the treated were treated already.
    let mut touched = customers(1000);
    touched.iter_mut().for_each(|c| c.touched = c.arm == "mail");
    let mut cuped = strategy("s", 1);
    cuped.primary.method = Method::Cuped;
    cuped.by = vec!["segment".into()];
    let touched = run(&[cuped], &fill("s", &Outcome::Revenue, &[touched]));
    says(effect(&touched, Method::Cuped), "inside the baseline already");
    let states: Vec<_> = touched.effects.iter().filter(|e| e.state != ALL && e.method == Method::Welch.to_string()).collect();
    assert_eq!(states.len(), 2);
    states.iter().for_each(|row| says(row, "the states that customers are in are an outcome"));
    assert!(effect(&touched, Method::Welch).headline == Some(true) && effect(&touched, Method::Welch).difference.is_some());
    assert_eq!(touched.verdicts[0].method.as_deref(), Some("welch"));
}

#[test]
fn wrong_settings_are_refused() {
    let refused = |change: fn(&mut StrategySettings), what: &str| {
        let mut wrong = strategy("s", 1);
        change(&mut wrong);
        let error = evaluate(&[wrong], &ArmSums::default()).expect_err("an error").to_string();
        assert!(error.contains("\"s\"") && error.contains(what), "{error}");
    };
    refused(|s| s.split.shares = [("control".into(), 0.5), ("mail".into(), 0.4)].into(), "adds up to 0.9");
    refused(|s| s.control = "contrl".into(), "did you mean \"control\"?");
    refused(|s| s.primary.outcome = Outcome::Orders, "not among its outcomes");
    refused(|s| s.primary.outcome = Outcome::AvgOrderValue, "restates behaviour");
    refused(|s| s.primary.method = Method::Did, "does not belong to design randomised");
}

// --- designs --------------------------------------------------------------------------------------------------------

#[test]
fn families_are_those_of_the_design() {
    let two: Vec<StrategySettings> = ["a", "b"]
        .iter()
        .map(|name| StrategySettings {
            by: vec!["segment".into()],
            outcomes: vec![Outcome::Revenue, Outcome::Orders],
            ..strategy(name, 2)
        })
        .collect();
    let mut arms = ArmSums::default();
    for name in ["a", "b"] {
        for outcome in [Outcome::Revenue, Outcome::Orders] {
            arms.merge(fill(name, &outcome, &[customers(300), customers(0)])).expect("sums");
        }
    }
    let evaluation = run(&two, &arms);
    let sizes = |headline: bool, total: bool| -> Vec<i64> {
        let rows = evaluation.effects.iter().filter(|e| e.headline == Some(headline) && (e.state == ALL) == total);
        rows.filter_map(|e| e.family_size).collect()
    };
    // Headline, by period: 2 strategies × (total and 2 states). Others: the states of their comparison; totals alone.
    assert_eq!((sizes(true, true), sizes(true, false)), (vec![6; 4], vec![6; 8]));
    assert!(sizes(false, true).iter().all(|n| *n == 1) && sizes(false, false).iter().all(|n| *n == 2));
    let alone = evaluation.effects.iter().filter(|e| e.headline == Some(false) && e.state == ALL);
    assert!(alone.clone().count() > 0 && alone.into_iter().all(|e| e.p_adjusted == e.p_value));
    // Verdicts: every strategy, period and state, and all periods together, each tier ranked.
    assert_eq!(evaluation.verdicts.len(), 2 * 2 * 3 + 2 * 3);
    let ranks = |period: bool| -> Vec<Option<i64>> {
        let tier = evaluation.verdicts.iter().filter(|v| v.state == "weak" && v.period_start.is_some() == period);
        let mut ranks: Vec<_> = tier.map(|v| v.rank).collect();
        ranks.sort();
        ranks
    };
    assert_eq!(ranks(false), [Some(1), Some(2)]);
    assert_eq!(ranks(true), [Some(1), Some(1), Some(2), Some(2)]);
}

#[test]
fn strata_with_different_shares_are_post_stratified() {
    let mut unequal = strategy("s", 1);
    unequal.split.strata = [
        ("weak".to_string(), [("control".to_string(), 0.2), ("mail".to_string(), 0.8)].into()),
        ("strong".to_string(), [("control".to_string(), 0.5), ("mail".to_string(), 0.5)].into()),
    ]
    .into();
    let mut people = matched(customers(1000));
    // Of five weak customers one is held out.
    people.iter_mut().filter(|c| c.cell == "weak").for_each(|c| {
        let mail = c.id / 5 % 5 > 0;
        c.after += if mail { 1000 } else { 0 } - if c.arm == "mail" { 1000 } else { 0 };
        c.arm = if mail { "mail" } else { "control" };
    });
    let evaluation = run(&[unequal.clone()], &fill("s", &Outcome::Revenue, &[people.clone()]));
    says(effect(&evaluation, Method::Welch), "see post_stratified");
    let row = effect(&evaluation, Method::PostStratified);
    assert!(row.headline == Some(true) && row.difference.is_some_and(|d| (d - 10.0).abs() < 2.0), "{row:?}");
    assert_eq!((row.n_treated, row.n_control, row.excluded), (Some(62), Some(38), Some(0)));
    // A stratum with one control customer cannot be compared, and is counted.
    people.push(Customer { id: 500, cell: "odd", arm: "mail", ..people[0] });
    people.push(Customer { id: 501, cell: "odd", arm: "control", ..people[0] });
    let evaluation = run(&[unequal], &fill("s", &Outcome::Revenue, &[people]));
    let row = effect(&evaluation, Method::PostStratified);
    assert_eq!((row.n_treated, row.n_control, row.excluded), (Some(62), Some(38), Some(1)));
}

/// A move is made after the baseline, and whoever was retained then bought before it, too: what is not known has no change.
#[test]
fn what_is_not_known_of_the_baseline_has_not_changed_since() {
    let outcomes = vec![Outcome::Revenue, Outcome::Retained, Outcome::MovedUp("segment".into())];
    let mut design = StrategySettings {
        design: Design::Matched,
        primary: Primary { outcome: Outcome::Revenue, method: Method::Matched },
        outcomes: outcomes.clone(),
        ..strategy("s", 1)
    };
    let mut arms = ArmSums::default();
    for outcome in &outcomes {
        arms.merge(fill("s", outcome, &[matched(customers(1000))])).expect("sums");
    }
    for known in [true, false] {
        design.periods[0].knows_before_baseline = known;
        let evaluation = run(std::slice::from_ref(&design), &arms);
        for row in evaluation.effects.iter().filter(|e| e.method == "did") {
            let is_known = row.outcome == "revenue" || known && row.outcome == "retained";
            assert_eq!(row.difference.is_some(), is_known, "{row:?}");
            if !is_known {
                says(row, "not known of the baseline");
            }
        }
        let retained: Vec<_> = evaluation.before_after.iter().filter(|r| r.outcome == "retained").collect();
        assert!(!retained.is_empty() && retained.iter().all(|r| r.mean_before.is_some() == known && r.change.is_some() == known));
        assert_eq!(evaluation.balance.iter().any(|b| b.covariate == "retained in the baseline"), known);
        assert!(!evaluation.balance.iter().any(|b| b.covariate.starts_with("moved")));
    }
}

/// A change is told between stretches of about the same length, and a bracket has both ends in every period.
#[test]
fn a_bracket_has_two_ends_of_the_same_time() {
    let mut design = StrategySettings {
        design: Design::Matched,
        primary: Primary { outcome: Outcome::Revenue, method: Method::Matched },
        ..strategy("s", 2)
    };
    let arms = fill("s", &Outcome::Revenue, &[matched(customers(1000)), matched(customers(1000))]);
    // Calendar months may be a tenth apart.
    for (days, is_told) in [((31, 28), true), ((28, 31), true), ((91, 30), false), ((14, 90), false)] {
        design.periods[0].days = days;
        let evaluation = run(std::slice::from_ref(&design), &arms);
        let first = evaluation.effects.iter().find(|e| e.method == "did").expect("a row");
        assert_eq!(first.difference.is_some(), is_told);
        let over_all = evaluation.verdicts.iter().find(|v| v.period_start.is_none()).expect("a verdict");
        assert_eq!(over_all.verdict == "cannot_say", !is_told, "{}", reason(over_all));
        for row in evaluation.before_after.iter().filter(|r| r.period_start == Some(design.periods[0].period.start)) {
            assert_eq!((row.change.is_some(), row.mean_after.is_some()), (is_told, true), "{row:?}");
        }
        if !is_told {
            let lengths = format!("the data have {} days of the baseline and {} of outcomes", days.0, days.1);
            says(first, &lengths);
            assert!(reason(over_all).contains(&lengths), "{}", reason(over_all));
            let note = evaluation.before_after[0].note.as_deref().unwrap_or_default();
            assert!(note.contains(&lengths), "{}", note);
        }
    }
}

#[test]
fn before_after_describes_and_claims_nothing() {
    let design = StrategySettings { design: Design::BeforeAfter, by: vec!["segment".into()], ..strategy("s", 1) };
    let mut people = customers(0);
    people.retain(|c| c.arm == "mail");
    let mut arms = fill("s", &Outcome::Revenue, &[people]);
    let bare = run(std::slice::from_ref(&design), &arms);
    assert_eq!((bare.effects.len(), bare.over_time.len(), bare.verdicts[0].verdict.as_str()), (0, 0, "cannot_say"));
    assert!(bare.before_after.iter().all(|r| r.change.is_some() && r.expected_change.is_none()));
    // Everybody's spend half remembers that of the period before, about a mean of 40.00.
    add_reference(&mut arms, "s", &Outcome::Revenue, 0, [(3000, 2000), (4000, 4000), (5000, 6000)].into_iter());
    let row = run(std::slice::from_ref(&design), &arms).before_after.into_iter().find(|r| r.state == "weak").expect("a row");
    let want = -0.5 * (row.mean_before.expect("a mean") - 40.0);
    assert!((row.expected_change.expect("a drift") - want).abs() < 1e-9 && want > 5.0, "{row:?}");
    assert!(row.note.as_deref().unwrap_or_default().contains("all 3 customers, slope 0.500"));
    assert!(row.unassigned.is_none() && row.unassigned_change.is_none());
    // Two weak and three strong customers were not assigned: they changed by 2.00 and by -10.00 on average. The arm has 20 weak and
    // 30 strong customers.
    for (state, changes) in [("weak", &[(500, 400), (700, 400)][..]), ("strong", &[(0, 3000), (100, 100), (200, 200)])] {
        let mut sums = Sums::default();
        changes.iter().for_each(|(after, before)| sums.observe([*after, *before, 0, 0]).expect("small sums"));
        let key = total("s", 0, Phase::Reference, UNASSIGNED, Quantity::Outcome(Outcome::Revenue));
        arms.add(ArmKey { scheme: "segment".into(), state: state.into(), ..key.clone() }, &sums).expect("small sums");
        arms.add(key, &sums).expect("small sums");
    }
    let rows = run(&[design], &arms).before_after;
    for (state, customers, change) in [("weak", 2, 2.0), ("strong", 3, -10.0), (ALL, 5, (20.0 * 2.0 - 30.0 * 10.0) / 50.0)] {
        let row = rows.iter().find(|r| r.state == state).expect("a row");
        assert_eq!(row.unassigned, Some(customers));
        assert!((row.unassigned_change.expect("a change") - change).abs() < 1e-9, "{row:?}");
        let note = row.note.as_deref().unwrap_or_default();
        assert!(note.contains("who were not assigned changed by") && note.ends_with("neither change is an effect"), "{note}");
    }
}

#[test]
fn a_verdict_with_an_after_window_rests_on_the_sum() {
    let mut whole = strategy("s", 1);
    whole.periods[0].after_until = Some(Day(finished(0).period.last_day().0 + 90));
    whole.periods[0].known_until = Day(finished(0).period.last_day().0 + 90);
    let mut arms = fill("s", &Outcome::Revenue, &[customers(1000)]);
    let rows: Vec<(ArmKey, Sums)> = arms.rows().map(|(k, s)| (k.clone(), *s)).collect();
    for (key, sums) in rows.into_iter().filter(|(k, _)| k.phase == Phase::During && matches!(k.quantity, Quantity::Outcome(_))) {
        arms.add(ArmKey { phase: Phase::After, ..key.clone() }, &sums).expect("sums");
        let mut both = sums;
        both.sum = both.sum.map(|s| 2 * s);
        both.product = both.product.map(|s| 4 * s);
        arms.add(ArmKey { phase: Phase::Both, ..key }, &both).expect("sums");
    }
    let evaluation = run(&[whole.clone()], &arms);
    let of = |phase: Phase| {
        evaluation.effects.iter().find(|e| e.phase == Some(phase.to_string()) && e.method == "welch").expect("a row")
    };
    assert_eq!([Phase::Both, Phase::During, Phase::After].map(|phase| of(phase).headline), [true, false, false].map(Some));
    assert_eq!(evaluation.verdicts[0].difference, of(Phase::Both).difference);
    whole.periods[0].known_until = finished(0).period.last_day();
    let open = run(&[whole], &arms);
    assert!(open.effects.iter().any(|e| e.phase.as_deref() == Some("during") && e.difference.is_some()));
    assert_eq!(open.verdicts[0].verdict, "cannot_say");
}

#[test]
fn costs_add_up_over_states() {
    let mut paid = StrategySettings {
        by: vec!["segment".into()],
        fixed_cost: Decimal::parse("25.00"),
        margin_rate: Some(0.5),
        ..strategy("s", 1)
    };
    let mut arms = fill("s", &Outcome::Revenue, &[customers(1000)]);
    let costs = |evaluation: &Evaluation, state: &str| {
        evaluation.effects.iter().find(|e| e.state == state && e.method == "welch").and_then(|e| e.cost).expect("a cost")
    };
    paid.cost_per_customer = Decimal::parse("0.35");
    let each = run(&[paid.clone()], &arms);
    assert!((costs(&each, ALL) - (0.35 * 50.0 + 25.0)).abs() < 1e-12);
    assert!((costs(&each, "weak") + costs(&each, "strong") - costs(&each, ALL)).abs() < 1e-12);
    let row = effect(&each, Method::Welch);
    let (difference, net) = (row.difference.expect("a number"), row.net_margin_per_customer.expect("a number"));
    assert!((net - (0.5 * difference - 0.85)).abs() < 1e-12);
    assert!((row.roi.expect("a number") - (difference * 50.0 * 0.5 - 42.5) / 42.5).abs() < 1e-12);
    // Costs of the assignments' own replace those per customer.
    for (scheme, state, n) in [(ALL, ALL, 50), ("segment", "weak", 20), ("segment", "strong", 30)] {
        let key = total("s", 0, Phase::During, "mail", Quantity::Cost);
        let key = ArmKey { scheme: scheme.into(), state: state.into(), ..key };
        arms.add(key, &sums(&vec![100; n])).expect("sums");
    }
    assert!((costs(&run(&[paid], &arms), ALL) - 75.0).abs() < 1e-12);
}

#[test]
fn recurring_customers_are_clustered() {
    let again = |effect: i64| -> Vec<Customer> { customers(effect) };
    let three = [again(1000), again(1000), again(1000)];
    let together = run(&[strategy("s", 3)], &fill("s", &Outcome::Revenue, &three));
    let apart: Vec<Vec<Customer>> = three
        .iter()
        .enumerate()
        .map(|(n, people)| people.iter().map(|c| Customer { id: c.id + 1000 * n as u32, ..*c }).collect())
        .collect();
    let apart = run(&[strategy("s", 3)], &fill("s", &Outcome::Revenue, &apart));
    let row = |e: &Evaluation| e.over_time.iter().find(|r| r.method == "welch").cloned().expect("a row");
    let (together, apart) = (row(&together), row(&apart));
    assert_eq!((together.periods, together.recurring_share, together.clustered), (Some(3), Some(1.0), Some(true)));
    assert_eq!((apart.recurring_share, apart.clustered), (Some(0.0), Some(false)));
    assert_eq!((together.difference, together.n_treated), (apart.difference, apart.n_treated));
    // Three times the same customers are hardly more than once: the interval is √3 wide, up to n against n − 1.
    let width = |r: &PooledEffectRow| r.ci_high.expect("a number") - r.ci_low.expect("a number");
    assert!((width(&together) / width(&apart) / 3f64.sqrt() - 1.0).abs() < 0.01, "{}", width(&together) / width(&apart));
    assert_eq!(together.q_difference.map(|q| q < 1e-12), Some(true));
}
