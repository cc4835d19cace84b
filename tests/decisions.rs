//! Decisions that hold: what verdicts once got wrong, each with its right answer.

use rfmill::internals::domain::Decimal;
use rfmill::internals::evaluate::{
    ALL, ArmSums, Evaluation, Guardrail, Method, Outcome, Phase, Primary, Quantity, Split, StrategySettings, evaluate,
};
use rfmill::rows::{EffectRow, PooledEffectRow, VerdictRow};

use crate::support::arms::{Customer, fill, strategy, sums, total};

const MAIL: &str = "mail";

/// Customers of one quarter: `n`, of whom every `held_out`-th is held out, who spend around `level` cents with this spread, and
/// `effect` cents more where they are treated. Customers of different quarters are different people.
fn quarter(number: u32, n: u32, held_out: u32, level: i64, spread: i64, effect: i64) -> Vec<Customer> {
    let one = |at: u32| {
        let is_control = at.is_multiple_of(held_out);
        // The noise repeats for every group of held_out customers, so that the arms have the same.
        let noise = i64::from((at / held_out) * 7919 % 101) - 50;
        Customer {
            id: 10_000 * number + at,
            arm: if is_control { "control" } else { MAIL },
            state: if (at / held_out).is_multiple_of(2) { "weak" } else { "strong" },
            cell: ALL,
            after: level + spread * noise / 50 + if is_control { 0 } else { effect },
            baseline: level + i64::from(at / held_out * 31 % 97),
            before: level,
            earlier: ALL,
            touched: false,
        }
    };
    (0..n).map(one).collect()
}

fn settings(periods: usize, held_out: u32) -> StrategySettings {
    let control = 1.0 / f64::from(held_out);
    StrategySettings {
        split: Split { shares: [("control".into(), control), (MAIL.into(), 1.0 - control)].into(), ..Split::default() },
        primary: Primary { outcome: Outcome::Revenue, method: Method::Permutation },
        ..strategy("s", periods)
    }
}

fn run(strategies: &[StrategySettings], arms: &ArmSums) -> Evaluation {
    evaluate(strategies, arms).expect("an evaluation")
}

fn effect<'e>(evaluation: &'e Evaluation, outcome: &str, method: &str, state: &str) -> &'e EffectRow {
    let found = evaluation.effects.iter().find(|e| e.outcome == outcome && e.method == method && e.state == state);
    found.expect("a row")
}

fn pooled<'e>(evaluation: &'e Evaluation, outcome: &str, method: &str) -> &'e PooledEffectRow {
    evaluation.over_time.iter().find(|e| e.outcome == outcome && e.method == method && e.state == ALL).expect("a row")
}

fn verdict(evaluation: &Evaluation, period: bool) -> &VerdictRow {
    evaluation.verdicts.iter().find(|v| v.period_start.is_some() == period && v.state == ALL).expect("a verdict")
}

/// A quiet quarter brings 0.10 a customer and a holiday quarter 5.50, of equally many: 2.80 over both. A mean that weights by
/// precision said 0.08 and `stop`, while the sum of money was three times the cost.
#[test]
fn a_quiet_and_a_holiday_quarter_are_one_mean() {
    let strategy = StrategySettings { margin_rate: Some(1.0), cost_per_customer: Decimal::parse("1.00"), ..settings(2, 2) };
    let quarters = [quarter(0, 2_000, 2, 1_000, 100, 10), quarter(1, 2_000, 2, 9_000, 4_000, 550)];
    let evaluation = run(&[strategy], &fill("s", &Outcome::Revenue, &quarters));
    for method in ["permutation", "welch"] {
        let row = pooled(&evaluation, "revenue", method);
        let near = |value: Option<f64>, want: f64| assert!((value.expect("a number") - want).abs() < 1e-9, "{method}: {value:?}");
        near(row.difference, 2.80);
        near(row.incremental, 0.10 * 1_000.0 + 5.50 * 1_000.0);
        near(row.net_margin_per_customer, 1.80);
        // 10 and 90 a customer without the noise, which is nearly even.
        let control = row.mean_control.expect("a mean");
        assert!((control - 50.0).abs() < 0.1, "{control}");
        near(row.lift, 2.80 / control);
        near(row.cost, 2_000.0);
        assert_eq!(
            (row.best_difference.map(|d| (d * 100.0).round()), row.worst_difference.map(|d| (d * 100.0).round())),
            (Some(550.0), Some(10.0))
        );
    }
    let verdict = verdict(&evaluation, false);
    // One quarter loses 0.90 a customer, which its interval shows: not the same every time.
    assert_eq!(verdict.verdict, "keep", "{:?}", verdict.reason);
    let reason = verdict.reason.as_deref().unwrap_or_default();
    assert!(reason.contains("it pays over all periods, but the period from"), "{reason}");
}

/// What a verdict and a table say of an effect is one interval, which leaves 0 out exactly where the adjusted p-value is below 5 %.
#[test]
fn adjusted_intervals_and_p_values_say_the_same() {
    let mut seen = [0, 0];
    for effect in [0, 60, 100, 140, 200, 400] {
        let strategy = StrategySettings { by: vec!["segment".into()], ..settings(3, 5) };
        let quarters: Vec<Vec<Customer>> = (0..3).map(|n| quarter(n, 500, 5, 2_000, 900, effect / (n as i64 + 1))).collect();
        let evaluation = run(&[strategy], &fill("s", &Outcome::Revenue, &quarters));
        for row in evaluation.effects.iter().filter(|row| row.difference.is_some()) {
            let (low, high) = row.ci_low_adjusted.zip(row.ci_high_adjusted).expect("an interval");
            let p = row.p_adjusted.expect("a p-value");
            assert_eq!(p < 0.05, low > 0.0 || high < 0.0, "{row:?}");
            assert!(low <= row.ci_low.expect("an end") + 1e-9 && high >= row.ci_high.expect("an end") - 1e-9, "{row:?}");
            seen[usize::from(p < 0.05)] += 1;
        }
        for row in evaluation.over_time.iter().filter(|row| row.p_adjusted.is_some()) {
            let (low, high) = row.ci_low_adjusted.zip(row.ci_high_adjusted).expect("an interval");
            assert_eq!(row.p_adjusted.expect("a p-value") < 0.05, low > 0.0 || high < 0.0, "{row:?}");
        }
        for verdict in &evaluation.verdicts {
            let claims = ["keep", "stop"].contains(&verdict.verdict.as_str());
            let (low, high) = verdict.ci_low_adjusted.zip(verdict.ci_high_adjusted).expect("an interval");
            assert_eq!(claims, low > 0.0 || high < 0.0, "{verdict:?}");
        }
    }
    assert!(seen.iter().all(|n| *n > 10), "{seen:?}");
}

/// Each look at the pooled effect spends its part of 5 %: with four looks p is held against 1.25 %. After the last one, later
/// periods change nothing, and the verdict says so.
#[test]
fn looks_are_paid_for_and_end() {
    let quarters: Vec<Vec<Customer>> = (0..7).map(|n| quarter(n, 500, 5, 2_000, 900, 40)).collect();
    let arms = fill("s", &Outcome::Revenue, &quarters);
    let with = |looks: u32| run(&[StrategySettings { looks, ..settings(7, 5) }], &arms);
    let (four, seven) = (with(4), with(7));
    let (of_four, of_seven) = (pooled(&four, "revenue", "permutation"), pooled(&seven, "revenue", "permutation"));
    assert_eq!((of_four.looks, of_four.periods), (Some(4), Some(5)));
    assert_eq!((of_seven.looks, of_seven.periods), (Some(7), Some(7)));
    let adjusted = of_four.p_value.expect("a p-value") * 4.0;
    assert!((of_four.p_adjusted.expect("a p-value") - adjusted.min(1.0)).abs() < 1e-12);
    let reason = |evaluation: &Evaluation| verdict(evaluation, false).reason.clone().unwrap_or_default();
    assert!(reason(&four).contains("as it stood at the last of 4 looks"), "{}", reason(&four));
    assert!(!reason(&seven).contains("looks"), "{}", reason(&seven));
    // With one period there is nothing to look at again.
    let one = run(&[settings(1, 5)], &fill("s", &Outcome::Revenue, &quarters[..1]));
    assert_eq!(pooled(&one, "revenue", "permutation").looks, Some(1));
}

/// A period that has not ended is no part of the pooled effect, and takes nothing from what it covers.
#[test]
fn a_running_period_waits() {
    let quarters: Vec<Vec<Customer>> = (0..3).map(|n| quarter(n, 500, 5, 2_000, 900, 40)).collect();
    let mut running = settings(3, 5);
    running.periods[2].known_until = running.periods[1].known_until;
    let evaluation = run(&[running], &fill("s", &Outcome::Revenue, &quarters));
    let row = pooled(&evaluation, "revenue", "permutation");
    assert_eq!((row.periods, row.covered_share), (Some(2), Some(1.0)));
}

/// A guardrail that falls stops nothing, but it keeps a strategy from going on unseen.
#[test]
fn a_guardrail_turns_keep_into_test_longer() {
    let mut arms = fill("s", &Outcome::Converted, &[more_buyers()]);
    arms.merge(fill("s", &Outcome::Revenue, &[quarter(0, 2_000, 2, 2_000, 300, -60)])).expect("sums");
    let strategy = |guardrails: Vec<Guardrail>| StrategySettings {
        outcomes: vec![Outcome::Converted, Outcome::Revenue],
        primary: Primary { outcome: Outcome::Converted, method: Method::Permutation },
        guardrails,
        ..settings(1, 2)
    };
    let of = |guardrails: Vec<Guardrail>| {
        let evaluation = run(&[strategy(guardrails)], &arms);
        let verdict = verdict(&evaluation, true);
        (verdict.verdict.clone(), verdict.reason.clone().unwrap_or_default())
    };
    assert_eq!(of(Vec::new()).0, "keep");
    let (word, reason) = of(vec![Guardrail { outcome: Outcome::Revenue, at_worst: None }]);
    assert!(word == "test_longer" && reason.starts_with("guardrail revenue falls by 0.6000 per customer"), "{word}: {reason}");
    let borne = |at_worst: f64| of(vec![Guardrail { outcome: Outcome::Revenue, at_worst: Some(at_worst) }]);
    assert_eq!(borne(-5.0).0, "keep");
    let (word, reason) = borne(-0.6);
    assert!(word == "test_longer" && reason.starts_with("guardrail revenue may change by "), "{word}: {reason}");
}

/// Half of the treated buy, and a third of the control.
fn more_buyers() -> Vec<Customer> {
    let buys = |c: &Customer| if c.arm == MAIL { (c.id / 2).is_multiple_of(2) } else { (c.id / 2).is_multiple_of(3) };
    quarter(0, 2_000, 2, 0, 0, 0)
        .into_iter()
        .map(|c| Customer { after: i64::from(buys(&c)), baseline: i64::from(c.id.is_multiple_of(3)), before: 0, ..c })
        .collect()
}

/// A catalogue that brings much revenue at a higher cost comes after a mail that brings little for nothing.
#[test]
fn a_stop_never_ranks_above_a_scale() {
    let paid = |name: &str, cost: &str| StrategySettings {
        name: name.into(),
        margin_rate: Some(0.5),
        cost_per_customer: Decimal::parse(cost),
        ..settings(1, 2)
    };
    let mut arms = fill("catalogue", &Outcome::Revenue, &[quarter(0, 2_000, 2, 2_000, 300, 800)]);
    arms.merge(fill("mail", &Outcome::Revenue, &[quarter(0, 2_000, 2, 2_000, 300, 100)])).expect("sums");
    let evaluation = run(&[paid("catalogue", "6.00"), paid("mail", "0.05")], &arms);
    let of = |name: &str| evaluation.verdicts.iter().find(|v| v.strategy == name && v.period_start.is_some()).expect("a verdict");
    let (catalogue, mail) = (of("catalogue"), of("mail"));
    assert_eq!((catalogue.verdict.as_str(), catalogue.rank), ("stop", Some(2)), "{:?}", catalogue.reason);
    assert_eq!((mail.verdict.as_str(), mail.rank), ("scale", Some(1)), "{:?}", mail.reason);
    assert_eq!(mail.ranked_by.as_deref(), Some("net"));
    // 0.5 × 8.00 − 6.00, and 0.5 × 1.00 − 0.05.
    let net = |v: &VerdictRow| (v.net_margin_per_customer.expect("money") * 100.0).round();
    assert_eq!((net(catalogue), net(mail)), (-200.0, 45.0));
}

/// Thirty buyers of 2,000 customers, one of them with half of the money, and 10 % held out: nothing is said, and how many would do is.
#[test]
fn too_small_a_hold_out_is_refused_and_says_what_would_do() {
    let mut people = quarter(0, 2_000, 10, 0, 0, 0);
    for (at, customer) in people.iter_mut().enumerate() {
        customer.after = match at {
            _ if at % 67 == 3 && at != 3 => 3_000 + 2 * at as i64,
            3 => 400_000,
            _ => 0,
        };
        customer.baseline = 0;
    }
    let evaluation = run(&[settings(1, 10)], &fill("s", &Outcome::Revenue, &[people]));
    let row = effect(&evaluation, "revenue", "permutation", ALL);
    let reason = row.not_estimable.as_deref().unwrap_or_default();
    assert!(reason.starts_with("200 customers in the smaller arm are too few"), "{reason}");
    assert_eq!((row.difference, row.ci_low, row.p_value, row.lift), (None, None, None, None));
    let welch = effect(&evaluation, "revenue", "welch", ALL).not_estimable.as_deref().unwrap_or_default();
    assert!(welch.contains("make this test lean"), "{welch}");
    assert_eq!(verdict(&evaluation, true).verdict, "cannot_say");
}

/// What would be found four times in five is what the test of this family would find: among 10 rows more is needed than alone.
#[test]
fn the_detectable_effect_knows_its_family() {
    let arms = fill("s", &Outcome::Revenue, &[quarter(0, 1_000, 5, 2_000, 900, 0)]);
    let alone = run(&[settings(1, 5)], &arms);
    let among = run(&[StrategySettings { by: vec!["segment".into()], ..settings(1, 5) }], &arms);
    let row = |evaluation: &Evaluation| {
        let row = effect(evaluation, "revenue", "permutation", ALL);
        (row.mde.expect("an effect"), row.mde_loss.expect("an effect"), row.family_size)
    };
    let ((gain, loss, one), (more_gain, more_loss, three)) = (row(&alone), row(&among));
    assert_eq!((one, three), (Some(1), Some(3)));
    // (z.99167 + z.8) / (z.975 + z.8) = 1.1551 for a family of three without rejections (scipy).
    assert!((more_gain / gain - 1.1551).abs() < 0.02 && (more_loss / loss - 1.1551).abs() < 0.02, "{gain} {more_gain}");
}

/// A coupon of 3.00 that who buys much redeems: what it costs goes with what is bought, and the interval of net knows it. numpy and
/// scipy 1.17 on the customers' own net: ttest_ind(equal_var=False); with a constant cost the interval would be a fifth wider.
#[test]
fn costs_that_go_with_the_outcome_are_in_the_interval() {
    let people = quarter(0, 800, 2, 2_000, 900, 200);
    let mut arms = fill("s", &Outcome::Revenue, std::slice::from_ref(&people));
    for arm in [MAIL, "control"] {
        let cost = |at: usize| if arm == MAIL && (at / 2 * 7919 % 101) > 50 { 300 } else { 0 };
        let members = || people.iter().enumerate().filter(|(_, customer)| customer.arm == arm);
        // Ten thousandths of a cent: half of the money is margin.
        let net: Vec<i64> = members().map(|(at, customer)| 5_000 * customer.after - 10_000 * cost(at)).collect();
        let costs: Vec<i64> = members().map(|(at, _)| cost(at)).collect();
        for (quantity, values) in [(Quantity::Outcome(Outcome::Net), net), (Quantity::Cost, costs)] {
            arms.add(total("s", 0, Phase::During, arm, quantity), &sums(&values)).expect("small sums");
        }
    }
    let welch = Primary { outcome: Outcome::Revenue, method: Method::Welch };
    let evaluation = run(&[StrategySettings { margin_rate: Some(0.5), primary: welch, ..settings(1, 2) }], &arms);
    let row = effect(&evaluation, "net", "welch", ALL);
    for (found, want) in [
        (row.difference, -0.4850000000000012),
        (row.ci_low, -0.7839060187330353),
        (row.ci_high, -0.18609398126696713),
        (row.p_value, 0.0015114606686409172),
    ] {
        assert!((found.expect("a number") / want - 1.0).abs() < 1e-9, "{found:?} instead of {want}");
    }
    assert_eq!(verdict(&evaluation, true).verdict, "stop");
}
