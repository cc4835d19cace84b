//! What strategies have brought so far: every point is the effect over its periods, and money adds up.

use std::collections::BTreeMap;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rfmill::internals::domain::{Decimal, Design, Outcome};
use rfmill::internals::evaluate::{ALL, Evaluation, Method, Phase, Primary, Quantity, Split, StrategySettings, evaluate};
use rfmill::rows::EffectToDateRow;

use crate::support::arms::{Customer, fill, strategy, sums, total};
use crate::support::run::{Cell, read_file};

/// Periods of random customers, of whom most recur, in arms that are drawn anew or kept.
fn customers(seed: u64, periods: usize, is_kept: bool) -> Vec<Vec<Customer>> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let people: Vec<(bool, f64)> = (0..400).map(|_| (rng.random_bool(0.5), rng.random_range(0.2..2.0))).collect();
    let mut one = |id: usize, (first, level): (bool, f64)| {
        let mail = if is_kept { first } else { rng.random_bool(0.5) };
        let spend =
            |rng: &mut ChaCha8Rng| if rng.random_bool(0.5) { (rng.random_range(100.0..9_000.0) * level) as i64 } else { 0 };
        let after = spend(rng) + if mail { 300 } else { 0 };
        Customer {
            id: id as u32,
            arm: if mail { "mail" } else { "control" },
            state: ALL,
            cell: ALL,
            earlier: ALL,
            before: 0,
            baseline: spend(rng),
            after,
            touched: false,
        }
    };
    (0..periods)
        .map(|at| people.iter().enumerate().filter(|(id, _)| (id + at) % 4 > 0).map(|(id, own)| one(id, *own)).collect())
        .collect()
}

fn settings(periods: usize, looks: u32, method: Method) -> StrategySettings {
    // Who is in which arm is chance here, and so is a failed split check.
    let split = Split::default();
    StrategySettings { looks, split, primary: Primary { outcome: Outcome::Revenue, method }, ..strategy("s", periods) }
}

fn of(settings: &StrategySettings, periods: &[Vec<Customer>]) -> Evaluation {
    evaluate(std::slice::from_ref(settings), &fill("s", &Outcome::Revenue, periods)).expect("an evaluation")
}

/// A point is what a job would say of all periods that has no later ones.
#[test]
fn a_point_is_the_effect_over_the_periods_so_far() {
    for (seed, method) in [(1, Method::Permutation), (2, Method::Welch), (3, Method::Permutation), (4, Method::Welch)] {
        let all = customers(seed, 5, seed > 2);
        let rows = of(&settings(5, 4, method), &all).to_date;
        assert_eq!(rows.len(), 5, "{method}");
        for (at, row) in rows.iter().enumerate() {
            let earlier = of(&settings(at + 1, 4, method), &all[..=at]);
            let then = earlier.over_time.iter().find(|r| r.method == method.to_string() && r.state == ALL).expect("a row");
            let told = (row.periods, row.n_treated, row.n_control, row.difference, row.ci_low, row.ci_high, row.incremental);
            let known =
                (then.periods, then.n_treated, then.n_control, then.difference, then.ci_low, then.ci_high, then.incremental);
            assert_eq!(told, known, "{method}, {at}");
            assert!(row.difference.is_some(), "{method} {seed}, {at}: {row:?}");
            // The first one alone is no look, and so has the whole 5 % then.
            if at > 0 {
                assert_eq!((row.ci_low_adjusted, row.ci_high_adjusted), (then.ci_low_adjusted, then.ci_high_adjusted), "{at}");
            } else {
                assert!(row.ci_low_adjusted < then.ci_low_adjusted && row.ci_high_adjusted > then.ci_high_adjusted);
            }
            let treated = row.n_treated.expect("a count") as f64;
            for (sum, mean) in [
                (row.incremental, row.difference),
                (row.incremental_low_adjusted, row.ci_low_adjusted),
                (row.incremental_high_adjusted, row.ci_high_adjusted),
            ] {
                assert_eq!(sum, mean.map(|mean| mean * treated));
            }
        }
    }
}

/// Money by hand: what is added up over the periods, the margin of that, and 2.50 for each of the treated with 100 a period.
#[test]
fn money_so_far_adds_up() {
    let all = customers(5, 4, false);
    let paid = StrategySettings {
        cost_per_customer: Decimal::parse("2.50"),
        fixed_cost: Decimal::parse("100"),
        margin_rate: Some(0.4),
        ..settings(4, 3, Method::Permutation)
    };
    let rows = of(&paid, &all).to_date;
    let row = |outcome: &str, at: usize| rows.iter().filter(|r| r.outcome == outcome).nth(at).expect("a row");
    let mut treated = 0;
    let near = |a: Option<f64>, b: f64| assert!((a.expect("a number") - b).abs() < 1e-6 * b.abs().max(1.0), "{a:?} is not {b}");
    for at in 0..4 {
        treated += all[at].iter().filter(|c| c.arm == "mail").count();
        let cost = treated as f64 * 2.5 + 100.0 * (at + 1) as f64;
        let (revenue, net) = (row("revenue", at), row("net", at));
        assert_eq!((revenue.n_treated, revenue.looks), (Some(treated as i64), Some(3)));
        near(revenue.cost, cost);
        // Every period counts by its treated customers: the sum of the periods' own sums.
        let sum: f64 = all[..=at]
            .iter()
            .map(|period| {
                let mean = |arm: &str| {
                    let own: Vec<f64> = period.iter().filter(|c| c.arm == arm).map(|c| c.after as f64 / 100.0).collect();
                    (own.iter().sum::<f64>() / own.len() as f64, own.len() as f64)
                };
                let ((mail, n), (control, _)) = (mean("mail"), mean("control"));
                n * (mail - control)
            })
            .sum();
        near(revenue.incremental, sum);
        near(revenue.net, 0.4 * sum - cost);
        near(net.net, 0.4 * sum - cost);
        near(net.incremental, 0.4 * sum - cost);
        // One level for both, so the ends of money are those of the revenue.
        near(net.net_low_adjusted, 0.4 * revenue.incremental_low_adjusted.expect("an end") - cost);
        near(net.net_high_adjusted, 0.4 * revenue.incremental_high_adjusted.expect("an end") - cost);
    }
}

/// A programme costs what the strategies in it cost: letters by the costs of their assignments and 40 a period, texts 0.10 each, both only
/// in the quarters that they begin in.
#[test]
fn a_programme_costs_what_its_strategies_cost() {
    let (all, of_letters) = (customers(7, 3, true), customers(8, 3, false));
    let mut arms = fill("s", &Outcome::Revenue, &all);
    arms.merge(fill("letter", &Outcome::Revenue, &of_letters)).expect("sums");
    arms.merge(fill("text", &Outcome::Revenue, &of_letters[..1])).expect("sums");
    // 1.20, 1.21, 1.22 … each; nothing is paid for the control, and what an arm that is none costs is not the programme's.
    let mut paid = [0.0; 3];
    for (at, period) in of_letters.iter().enumerate() {
        let treated = period.iter().filter(|c| c.arm == "mail").count() as i64;
        let costs: Vec<i64> = (0..treated).map(|n| 120 + n % 7).collect();
        paid[at] = costs.iter().sum::<i64>() as f64 / 100.0 + 40.0;
        for (arm, costs) in [("mail", costs), ("control", vec![0; 3])] {
            arms.add(total("letter", at, Phase::During, arm, Quantity::Cost), &sums(&costs)).expect("sums");
        }
    }
    paid[0] += 0.1 * of_letters[0].iter().filter(|c| c.arm == "mail").count() as f64;
    let named = |name: &str, periods: usize| StrategySettings { name: name.into(), ..settings(periods, 2, Method::Permutation) };
    let letter = StrategySettings { fixed_cost: Decimal::parse("40"), ..named("letter", 3) };
    let text = StrategySettings { cost_per_customer: Decimal::parse("0.10"), ..named("text", 1) };
    let programme = StrategySettings {
        costs_of: ["letter".into(), "text".into()].into(),
        fixed_cost: Decimal::parse("7"),
        margin_rate: Some(0.5),
        ..named("s", 3)
    };
    let jobs = [programme.clone(), letter.clone(), text];
    let evaluation = evaluate(&jobs, &arms).expect("an evaluation");
    let near = |a: Option<f64>, b: f64| assert!((a.expect("a number") - b).abs() < 1e-6, "{a:?} is not {b}");
    let (mut so_far, mut margin) = (0.0, 0.0);
    for (at, cost) in paid.iter().enumerate() {
        let of_period = evaluation.effects.iter().filter(|e| e.strategy == "s" && e.state == ALL && e.method == "permutation");
        let effect = of_period.filter(|e| e.outcome == "revenue").nth(at).expect("a row");
        near(effect.cost, cost + 7.0);
        let treated = effect.n_treated.expect("a count") as f64;
        near(effect.net_margin_per_customer, 0.5 * effect.difference.expect("a number") - (cost + 7.0) / treated);
        so_far += cost + 7.0;
        margin += 0.5 * effect.incremental.expect("a number");
        let row = evaluation.to_date.iter().filter(|r| r.strategy == "s" && r.outcome == "net").nth(at).expect("a row");
        near(row.cost, so_far);
        near(row.net, margin - so_far);
    }
    // The strategies' own costs stay theirs.
    let own = evaluation.effects.iter().find(|e| e.strategy == "text" && e.outcome == "revenue").expect("a row");
    near(own.cost, 0.1 * of_letters[0].iter().filter(|c| c.arm == "mail").count() as f64);
    // Without a cost of texts, that of the programme is not known.
    let error = evaluate(&[programme, letter, named("text", 1)], &arms).expect_err("no cost").to_string();
    let expected =
        "Strategy \"s\": costs_of names \"text\", whose cost in the period from 2022-01-08 is not known; give that strategy";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_curve_ends_with_the_last_look_and_begins_with_who_is_assigned() {
    let through = |rows: &[EffectToDateRow]| rows.iter().map(|r| r.through_start.expect("a day")).collect::<Vec<_>>();
    let all = customers(6, 5, true);
    let plan = settings(5, 2, Method::Permutation);
    let starts: Vec<_> = plan.periods.iter().map(|p| p.period.start).collect();
    let looked = of(&plan, &all);
    assert_eq!(through(&looked.to_date), starts[..3]);
    let pooled = looked.verdicts.iter().find(|v| v.period_start.is_none()).expect("a verdict");
    assert!(pooled.reason.as_deref().is_some_and(|reason| reason.contains("last of 2 looks")), "{:?}", pooled.reason);
    // Who reads once has every period, each at 95 %.
    let once = of(&settings(5, 1, Method::Permutation), &all).to_date;
    assert_eq!(through(&once), starts);
    assert!(once.iter().all(|r| (r.ci_low_adjusted, r.ci_high_adjusted) == (r.ci_low, r.ci_high) && r.looks == Some(1)));
    // A period that is not finished is no part of it, nor is one in which nobody is assigned.
    let mut unfinished = plan.clone();
    unfinished.periods[1].known_until = unfinished.periods[1].period.start;
    assert_eq!(through(&of(&unfinished, &all).to_date), [starts[0], starts[2], starts[3]]);
    let mut empty = all.clone();
    empty[0].clear();
    assert_eq!(through(&of(&plan, &empty).to_date), starts[1..4]);
    // A period without an estimate adds nothing, and its treated are not covered.
    let mut alone = all.clone();
    alone[1].retain(|c| c.arm == "mail");
    let rows = of(&plan, &alone).to_date;
    assert_eq!((rows[1].periods, rows[1].difference, rows[1].n_treated), (Some(1), rows[0].difference, rows[0].n_treated));
    assert!(rows[1].covered_share.is_some_and(|share| share < 0.7) && rows[0].covered_share == Some(1.0));
    // Of what somebody chose, nothing is said to have been brought.
    let matched =
        StrategySettings { design: Design::Matched, primary: Primary { outcome: Outcome::Revenue, method: Method::Did }, ..plan };
    let matched = of(&matched, &all);
    assert!(matched.to_date.is_empty() && !matched.over_time.is_empty());
}

type Row = BTreeMap<String, Cell>;

fn rows(run: &Path, table: &str) -> Vec<Row> {
    let table = read_file(&run.join(format!("{table}.parquet")));
    let own = |row: BTreeMap<&str, &Cell>| row.into_iter().map(|(name, cell)| (name.to_owned(), cell.clone())).collect();
    table.records().into_iter().map(own).collect()
}

fn number(row: &Row, column: &str) -> Option<f64> {
    match &row[column] {
        Cell::Null => None,
        cell => Some(cell.double()),
    }
}

/// Holds the curves of a run against its other tables: the last point against the effect over all periods, digit by digit, and every
/// point against the sum of the periods'. Returns how many points have a number.
pub fn check(run: &Path) -> usize {
    let (all, over_time, effects) = (rows(run, "effects_to_date"), rows(run, "effects_over_time"), rows(run, "effects"));
    let key = |row: &Row| ["strategy", "phase", "arm", "against", "outcome", "method"].map(|name| row[name].clone());
    let is_total = |row: &&Row| row["state"].text() == "(all)";
    let mut told = 0;
    for (at, row) in all.iter().enumerate() {
        let what = format!("{row:?}");
        let incremental = number(row, "incremental");
        told += usize::from(incremental.is_some());
        assert_eq!(incremental.is_none(), row["not_estimable"] != Cell::Null, "{what}");
        let is_first = at == 0 || key(&all[at - 1]) != key(row);
        assert!(is_first || all[at - 1]["through_start"].date() < row["through_start"].date(), "{what}");
        let own = |e: &&Row| key(e) == key(row) && e["period_start"].date() <= row["through_start"].date();
        let periods: Vec<&Row> = effects.iter().filter(is_total).filter(own).collect();
        let known: Vec<&&Row> = periods.iter().filter(|e| e["difference"] != Cell::Null).collect();
        // A period that is too skewed to be told alone may be told with others.
        if incremental.is_some() && known.len() as i128 == row["periods"].int() {
            let near = |column: &str, wanted: f64| {
                let found = number(row, column).expect("a number");
                assert!(
                    (found - wanted).abs() <= 1e-9 * (found.abs() + wanted.abs()) + 1e-6,
                    "{column} {found}, not {wanted}: {what}"
                );
            };
            let sum = |column: &str| known.iter().map(|e| number(e, column)).sum::<Option<f64>>();
            near("incremental", sum("incremental").expect("sums of periods"));
            if let Some(cost) = sum("cost") {
                near("cost", cost);
            }
            assert_eq!(row["n_treated"].int(), known.iter().map(|e| e["n_treated"].int()).sum::<i128>(), "{what}");
        }
        if all.get(at + 1).is_some_and(|next| key(next) == key(row)) {
            continue;
        }
        let pooled = over_time.iter().filter(is_total).find(|e| key(e) == key(row)).expect("a row over all periods");
        for column in [
            "periods",
            "n_treated",
            "n_control",
            "covered_share",
            "difference",
            "ci_low",
            "ci_high",
            "looks",
            "incremental",
            "cost",
            "not_estimable",
        ] {
            assert_eq!(row[column], pooled[column], "{column}: {what}");
        }
        for column in ["ci_low_adjusted", "ci_high_adjusted"] {
            assert!(pooled[column] == Cell::Null || row[column] == pooled[column], "{column}: {what}");
        }
        let of_net = over_time.iter().filter(is_total).find(|e| {
            e["outcome"].text() == "net" && ["strategy", "phase", "arm", "against", "method"].iter().all(|c| e[*c] == row[*c])
        });
        let net =
            number(pooled, "net_margin_per_customer").filter(|_| of_net.is_some_and(|net| net["n_treated"] == row["n_treated"]));
        assert_eq!(number(row, "net"), net.map(|net| net * row["n_treated"].int() as f64), "{what}");
    }
    told
}
