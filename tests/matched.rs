//! Strategies whose treated somebody chose: the bracket, its placebos, and what may be said of them.

use std::fs;
use std::path::Path;

use rfmill::internals::evaluate::{ALL, ArmSums, Design, Evaluation, Method, Outcome, Primary, StrategySettings, evaluate};
use rfmill::rows::EffectRow;

use crate::support::arms::{Customer, fill, strategy};

fn settings(name: &str, periods: usize) -> StrategySettings {
    StrategySettings {
        design: Design::Matched,
        primary: Primary { outcome: Outcome::Revenue, method: Method::Did },
        by: vec!["segment".into()],
        ..strategy(name, periods)
    }
}

fn run(strategies: &[StrategySettings], arms: &ArmSums) -> Evaluation {
    evaluate(strategies, arms).expect("an evaluation")
}

fn of(customers: &[Customer]) -> Evaluation {
    run(&[settings("s", 1)], &fill("s", &Outcome::Revenue, &[customers.to_vec()]))
}

/// The row of a method in the total.
fn row<'a>(evaluation: &'a Evaluation, method: &str) -> &'a EffectRow {
    evaluation.effects.iter().find(|e| e.method == method && e.state == ALL).expect("a row")
}

/// The verdict on all customers of the first period, and its sentence.
fn verdict(evaluation: &Evaluation) -> (&str, &str) {
    let row = evaluation.verdicts.iter().find(|v| v.state == ALL && v.period_start.is_some()).expect("a verdict");
    (&row.verdict, row.reason.as_deref().unwrap_or_default())
}

/// 400 reproducible customers in two cells, alike in both arms before; the treated then spend `effect` cents more.
fn customers(effect: i64) -> Vec<Customer> {
    let one = |id: u32| {
        let (strong, mail) = (id % 5 > 1, (id / 5).is_multiple_of(2));
        let level = if strong { 5000 } else { 500 };
        let noise = |factor: u32, of: u32| i64::from((id * factor + id / 7) % of) * 10;
        let state = if strong { "strong" } else { "weak" };
        Customer {
            id,
            arm: if mail { "mail" } else { "control" },
            state,
            cell: state,
            earlier: if id.is_multiple_of(11) { "weak" } else { state },
            after: level + noise(7919, 101) + if mail { effect } else { 0 },
            baseline: level + noise(53, 97),
            before: level + noise(2671, 103),
            touched: false,
        }
    };
    (0..400).map(one).collect()
}

fn treated(mut customers: Vec<Customer>, change: impl Fn(&mut Customer)) -> Vec<Customer> {
    customers.iter_mut().filter(|c| c.arm == "mail").for_each(change);
    customers
}

/// Both ends and both placebos, by numpy from raw customers (tests/oracles/matched_bracket.py).
#[test]
fn brackets_and_placebos_are_those_of_raw_customers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/matched_bracket.json");
    let cases: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).expect("the fixture")).expect("JSON");
    let mut kinds = Vec::new();
    for case in cases.as_array().expect("cases") {
        let customer = |(id, of): (usize, &serde_json::Value)| {
            let text = |at: usize| -> &'static str { String::leak(of[at].as_str().expect("text").into()) };
            let number = |at: usize| of[at].as_i64().expect("a number");
            Customer {
                id: id as u32,
                cell: text(0),
                earlier: text(1),
                arm: text(2),
                state: text(0),
                after: number(3),
                baseline: number(4),
                before: number(5),
                touched: false,
            }
        };
        let people: Vec<Customer> = case["customers"].as_array().expect("customers").iter().enumerate().map(customer).collect();
        let design = StrategySettings { by: Vec::new(), ..settings("s", 1) };
        let evaluation = run(&[design], &fill("s", &Outcome::Revenue, &[people]));
        let mut largest = 0.0f64;
        for method in ["matched", "did"] {
            let (got, want) = (row(&evaluation, method), &case["ends"][method]);
            let near = |got: Option<f64>, want: &serde_json::Value| {
                let (got, want) = (got.expect("a number"), want.as_f64().expect("a number"));
                assert!((got - want).abs() <= 1e-9 * want.abs().max(1.0), "{method}: {got} and {want}");
            };
            let end = &want["end"];
            near(got.difference, &end["value"]);
            near(got.ci_low, &end["low"]);
            near(got.p_value, &end["p"]);
            // The placebo that leaves less of the difference, by its standard error.
            let z = |kind: &str| {
                let above = &want[kind]["above"];
                let number = |key: &str| above[key].as_f64().expect("a number");
                number("value") / (number("high") - number("low"))
            };
            let kind = if z("earlier") < z("same") { "earlier" } else { "same" };
            assert_eq!(got.placebo_cells.as_deref(), Some(kind));
            let placebo = &want[kind];
            near(got.placebo, &placebo["before"]["value"]);
            near(got.placebo_low, &placebo["before"]["low"]);
            near(got.placebo_high, &placebo["before"]["high"]);
            near(got.above_placebo, &placebo["above"]["value"]);
            near(got.above_placebo_p, &placebo["above"]["p"]);
            // One headline is a family of one, whose intervals have 95 %.
            near(got.above_placebo_low_adjusted, &placebo["above"]["low"]);
            near(got.above_placebo_high_adjusted, &placebo["above"]["high"]);
            largest = largest.max(placebo["above"]["p"].as_f64().expect("a number"));
            kinds.push(kind);
        }
        for method in ["matched", "did"] {
            assert!((row(&evaluation, method).above_placebo_p_adjusted.expect("a p-value") - largest).abs() < 1e-9);
        }
    }
    assert!(kinds.contains(&"same") && kinds.contains(&"earlier"), "{kinds:?}");
}

/// `keep` needs both ends, and both less their placebos, on one side of 0, and over half of the treated matched.
#[test]
fn a_verdict_needs_both_ends_above_their_placebos() {
    let good = of(&customers(1000));
    let (found, sentence) = verdict(&good);
    assert_eq!(found, "keep", "{sentence}");
    assert!(sentence.contains("higher than of alike customers") && sentence.contains("because they were about to buy"));
    assert_eq!(good.effects.len(), 2 * 3);
    assert!(good.balance.iter().all(|b| b.unmatched_share == Some(0.0) && b.smd_after.is_some()), "{:?}", good.balance);
    let (found, sentence) = {
        let worse = of(&customers(-1000));
        let (found, sentence) = verdict(&worse);
        (found.to_owned(), sentence.to_owned())
    };
    assert!(found == "test_longer" && sentence.contains("no proof of harm"), "{found} {sentence}");
    let refused = |people: Vec<Customer>, words: &str| {
        let evaluation = of(&people);
        let (found, sentence) = verdict(&evaluation);
        assert!(found == "cannot_say" && sentence.contains(words), "{found} {sentence}");
        assert!(sentence.contains("about to buy"), "{sentence}");
        assert!(evaluation.verdicts.iter().all(|v| v.rank.is_none() || v.verdict == "keep"));
        evaluation
    };
    let outside = "do not all lie on one side of 0";
    // As different before as now: the number is there, with its placebo, and nothing is claimed of it.
    let chosen = refused(
        treated(customers(0), |c| (c.after, c.baseline, c.before) = (c.after + 1000, c.baseline + 1000, c.before + 1000)),
        outside,
    );
    let level = row(&chosen, "matched");
    assert!(level.difference.is_some_and(|d| (d - 10.0).abs() < 1.0) && level.placebo.is_some_and(|p| (p - 10.0).abs() < 1.0));
    assert!(level.ci_low_adjusted.is_some_and(|low| low > 0.0) && level.above_placebo_low_adjusted.is_some_and(|low| low < 0.0));
    // A rise that began before, a level that is no higher, a change that is none.
    refused(treated(customers(0), |c| (c.after, c.baseline) = (c.after + 2000, c.baseline + 1000)), outside);
    refused(treated(customers(0), |c| (c.baseline, c.before) = (c.baseline - 1000, c.before - 1000)), outside);
    refused(treated(customers(1000), |c| c.baseline += 1000), outside);
    // Most of the treated have nobody to be compared with; cells with fewer than two per arm are counted.
    let lonely = treated(customers(1000), |c| {
        if c.state == "strong" {
            c.cell = "elsewhere"
        }
    });
    let lonely = refused(lonely, "only 40 % of the treated have a match");
    let counts = row(&lonely, "matched");
    assert_eq!((counts.n_treated, counts.n_control, counts.excluded), (Some(80), Some(80), Some(120)));
    assert!(lonely.balance.iter().any(|b| b.unmatched_share == Some(0.6)));
    // Nobody bought before the baseline; half of the treated were alone then.
    refused(treated(customers(1000), |_| ()).into_iter().map(|c| Customer { before: 0, ..c }).collect(), "no placebo");
    refused(
        treated(customers(1000), |c| {
            if c.state == "strong" {
                c.earlier = "elsewhere"
            }
        }),
        "no placebo",
    );
    let mut apart = customers(1000);
    apart.iter_mut().for_each(|c| c.cell = c.arm);
    let apart = of(&apart);
    assert!(row(&apart, "matched").not_estimable.as_deref().is_some_and(|why| why.contains("two customers in each arm")));
}

/// What is not known of the time before makes a verdict impossible, and leaves the numbers.
#[test]
fn a_placebo_must_be_known() {
    let arms = fill("s", &Outcome::Revenue, &[customers(1000)]);
    let changes: [fn(&mut StrategySettings); 3] = [
        |s| s.periods[0].knows_before_baseline = false,
        |s| s.periods[0].has_earlier_cells = false,
        |s| s.periods[0].days = (60, 91),
    ];
    for change in changes {
        let mut design = settings("s", 1);
        change(&mut design);
        let evaluation = run(&[design], &arms);
        assert_eq!(verdict(&evaluation).0, "cannot_say");
        let level = row(&evaluation, "matched");
        assert!(level.difference.is_some() && level.placebo.is_none() && level.above_placebo_p_adjusted.is_none());
    }
    // Whoever was retained before the baseline bought before that, too.
    let retained = Outcome::Retained;
    let mut design = settings("s", 1);
    (design.outcomes, design.primary.outcome) = (vec![retained.clone()], retained.clone());
    let bought: Vec<Customer> = customers(0)
        .into_iter()
        .map(|c| Customer { after: c.after / 10 % 2, baseline: c.baseline / 10 % 2, before: c.before / 10 % 2, ..c })
        .collect();
    let arms = fill("s", &retained, &[bought]);
    assert!(row(&run(&[design.clone()], &arms), "matched").placebo.is_some());
    design.periods[0].knows_before_placebo = false;
    assert!(row(&run(&[design], &arms), "matched").placebo.is_none());
}

/// What decides on a matched strategy is in the family of the period's headlines, and its differences are not.
#[test]
fn a_family_has_what_verdicts_rest_on() {
    let matched = StrategySettings { by: Vec::new(), ..settings("chosen", 1) };
    let drawn = strategy("drawn", 1);
    let people = |change: i64| {
        treated(customers(0), |c| (c.after, c.baseline, c.before) = (c.after + change, c.baseline + change, c.before + change))
    };
    // A trait makes the difference certain, which must not make the other strategy's test easier.
    let mut arms = fill("chosen", &Outcome::Revenue, &[people(3000)]);
    arms.merge(fill("drawn", &Outcome::Revenue, &[customers(60)])).expect("sums");
    let evaluation = run(&[matched.clone(), drawn], &arms);
    let own = evaluation.effects.iter().find(|e| e.strategy == "drawn" && e.headline == Some(true)).expect("a row");
    assert_eq!(own.family_size, Some(2));
    assert!((own.p_adjusted.expect("p") - (2.0 * own.p_value.expect("p")).min(1.0)).abs() < 1e-12);
    // Over two periods, with the same customers in both, nothing but the periods' mean is above the placebos.
    let both = StrategySettings { periods: settings("chosen", 2).periods, looks: 1, ..matched };
    let arms = fill("chosen", &Outcome::Revenue, &[customers(800), customers(1200)]);
    let evaluation = run(&[both], &arms);
    let of_periods = |method: &str| -> Vec<f64> {
        evaluation.effects.iter().filter(|e| e.method == method).filter_map(|e| e.above_placebo).collect()
    };
    for method in ["matched", "did"] {
        let pooled = evaluation.over_time.iter().find(|r| r.method == method).expect("a row");
        let want = of_periods(method).iter().sum::<f64>() / 2.0;
        assert!((pooled.above_placebo.expect("a mean") - want).abs() < 1e-9);
        assert!(pooled.clustered == Some(true) && pooled.above_placebo_low_adjusted.is_some_and(|low| low > 0.0 && low < want));
    }
    let over_all = evaluation.verdicts.iter().find(|v| v.period_start.is_none()).expect("a verdict");
    assert_eq!(over_all.verdict, "keep", "{:?}", over_all.reason);
}
