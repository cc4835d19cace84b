//! Pairs of treated arms: what they differ by, what that costs, and what is checked of them.

use std::fmt::Write;

use rfmill::internals::domain::Decimal;
use rfmill::internals::evaluate::{
    ALL, ArmSums, Evaluation, Method, Outcome, Phase, Primary, Quantity, Split, StrategySettings, evaluate,
};
use rfmill::rows::{EffectRow, VerdictRow};

use crate::fixture::{dates, decimals, ints, parquet_bytes};
use crate::support::arms::{Customer, fill, strategy, sums, total};
use crate::support::run::{Cell, Workshop, read_file};

const CONTROL: &str = "No E-Mail";

/// These many customers of an arm, who spend 20.00 on average and `effect` cents more.
fn arm(name: &'static str, n: u32, effect: i64) -> Vec<Customer> {
    let first = match name {
        "Mens" => 10_000,
        "Womens" => 20_000,
        _ => 0,
    };
    let one = |at: u32| Customer {
        id: first + at,
        arm: name,
        state: if at.is_multiple_of(2) { "weak" } else { "strong" },
        cell: ALL,
        // The arms have the same noise.
        after: 2_000 + 18 * (i64::from(at * 7919 % 101) - 50) + effect,
        baseline: 1_000 + i64::from(at * 31 % 97),
        before: 1_000,
        earlier: ALL,
        touched: false,
    };
    (0..n).map(one).collect()
}

/// A third of 1,800 customers in each arm: the men's mail brings 3.00, the women's 1.00.
fn three_arms() -> Vec<Customer> {
    [arm(CONTROL, 600, 0), arm("Mens", 600, 300), arm("Womens", 600, 100)].concat()
}

fn settings(pairs: &[[&str; 2]]) -> StrategySettings {
    let thirds = [CONTROL, "Mens", "Womens"].map(|name| (name.to_owned(), 1.0 / 3.0));
    StrategySettings {
        control: CONTROL.into(),
        pairs: pairs.iter().map(|pair| pair.map(String::from)).collect(),
        split: Split { shares: thirds.into(), ..Split::default() },
        primary: Primary { outcome: Outcome::Revenue, method: Method::Permutation },
        ..strategy("s", 1)
    }
}

fn run(strategy: StrategySettings, arms: &ArmSums) -> Evaluation {
    evaluate(&[strategy], arms).expect("an evaluation")
}

fn sums_of(customers: Vec<Customer>) -> ArmSums {
    fill("s", &Outcome::Revenue, &[customers])
}

fn effect<'e>(evaluation: &'e Evaluation, outcome: &str, [arm, against]: [&str; 2]) -> &'e EffectRow {
    let is_it = |e: &&EffectRow| (&*e.arm, e.against.as_deref()) == (arm, Some(against)) && e.outcome == outcome;
    evaluation.effects.iter().filter(is_it).find(|e| e.method == "permutation" && e.state == ALL).expect("a row")
}

fn verdict<'e>(evaluation: &'e Evaluation, [arm, against]: [&str; 2], period: bool) -> &'e VerdictRow {
    let is_it = |v: &&VerdictRow| (&*v.arm, v.against.as_deref()) == (arm, Some(against)) && v.state == ALL;
    evaluation.verdicts.iter().filter(is_it).find(|v| v.period_start.is_some() == period).expect("a verdict")
}

const PAIR: [&str; 2] = ["Mens", "Womens"];
const MENS: [&str; 2] = ["Mens", CONTROL];
const WOMENS: [&str; 2] = ["Womens", CONTROL];

#[track_caller]
fn near(value: Option<f64>, want: f64) {
    assert!((value.expect("a number") - want).abs() < 1e-9, "{value:?} is not {want}");
}

/// 3.00 less 1.00, in a family of three, for the period and over all periods.
#[test]
fn a_pair_is_the_difference_of_its_arms() {
    let arms = sums_of(three_arms());
    let evaluation = run(settings(&[PAIR]), &arms);
    for (names, want) in [(MENS, 3.0), (WOMENS, 1.0), (PAIR, 2.0)] {
        let row = effect(&evaluation, "revenue", names);
        near(row.difference, want);
        assert_eq!((row.headline, row.family_size, row.n_treated, row.n_control), (Some(true), Some(3), Some(600), Some(600)));
        assert!(row.ci_low_adjusted.expect("an end") > 0.0 && row.p_adjusted.expect("a p-value") < 0.05, "{row:?}");
        for period in [true, false] {
            assert_eq!(verdict(&evaluation, names, period).verdict, "keep", "{names:?}");
        }
        let mut pooled = evaluation.over_time.iter().filter(|e| e.method == "permutation");
        let pooled = pooled.find(|e| (&*e.arm, e.against.as_deref()) == (names[0], Some(names[1]))).expect("a row");
        near(pooled.difference, want);
        assert_eq!(pooled.family_size, Some(3));
    }
    // Womens less Mens is the same with the other sign.
    let turned = run(settings(&[["Womens", "Mens"]]), &arms);
    near(effect(&turned, "revenue", ["Womens", "Mens"]).difference, -2.0);
    assert_eq!(verdict(&turned, ["Womens", "Mens"], true).verdict, "stop");
    let without = run(settings(&[]), &arms);
    assert!(without.effects.iter().all(|e| e.against.as_deref() == Some(CONTROL)));
    assert_eq!(effect(&without, "revenue", MENS).family_size, Some(2));
}

/// Women's mails that bring 3.00 as well are no different.
#[test]
fn arms_that_do_the_same_are_not_told_apart() {
    let arms = sums_of([arm(CONTROL, 600, 0), arm("Mens", 600, 300), arm("Womens", 600, 300)].concat());
    let evaluation = run(settings(&[PAIR]), &arms);
    near(effect(&evaluation, "revenue", PAIR).difference, 0.0);
    assert_eq!(verdict(&evaluation, PAIR, true).verdict, "test_longer");
}

/// Half of 3.00 and of 1.00 is margin. What both arms cost alike cancels; what one costs more is taken off.
#[test]
fn money_of_a_pair_has_both_costs() {
    let mut arms = sums_of(three_arms());
    let paid = |pairs: &[[&str; 2]]| StrategySettings {
        margin_rate: Some(0.5),
        cost_per_customer: Decimal::parse("0.30"),
        fixed_cost: Decimal::parse("90"),
        ..settings(pairs)
    };
    // 90 among 1,200 treated are 0.075 for each.
    let evaluation = run(paid(&[PAIR]), &arms);
    for (names, net) in [(MENS, 1.5 - 0.375), (WOMENS, 0.5 - 0.375), (PAIR, 1.0)] {
        let (money, revenue) = (effect(&evaluation, "net", names), effect(&evaluation, "revenue", names));
        near(money.difference, net);
        near(revenue.net_margin_per_customer, net);
        near(money.mean_treated.zip(money.mean_control).map(|(arm, against)| arm - against), net);
        near(money.cost, 600.0 * 0.375);
        assert_eq!(money.roi.is_none(), names == PAIR, "{money:?}");
    }
    let women: i64 = three_arms().iter().filter(|c| c.arm == "Womens").map(|c| c.after).sum();
    near(effect(&evaluation, "net", PAIR).mean_control, 0.5 * women as f64 / 600.0 / 100.0 - 0.375);
    assert_eq!(verdict(&evaluation, PAIR, true).verdict, "scale");
    // Mens brings most, Womens less; the pair is ranked by itself.
    assert_eq!([MENS, WOMENS, PAIR].map(|names| verdict(&evaluation, names, true).rank), [Some(1), Some(2), Some(1)]);
    // Rows of assignments that cost 0.90 and 0.10.
    for (name, cost) in [("Mens", 90), ("Womens", 10)] {
        arms.add(total("s", 0, Phase::During, name, Quantity::Cost), &sums(&[cost; 600])).expect("sums");
    }
    let rows = StrategySettings { fixed_cost: None, ..paid(&[PAIR]) };
    let evaluation = run(rows, &arms);
    for (names, net) in [(MENS, 0.6), (WOMENS, 0.4), (PAIR, 0.2)] {
        near(effect(&evaluation, "net", names).difference, net);
    }
    near(effect(&evaluation, "net", PAIR).cost, 540.0);
}

/// 500, 650 and 650 are no thirds (chi-square 25 of two degrees: 3.7e-6), but 650 and 650 are halves; 690 and 570 are none
/// (chi-square 11.43 of one degree: 7.2e-4), while all three are thirds by chance (of two degrees: 0.0033).
#[test]
fn the_split_check_of_a_pair_looks_at_its_arms() {
    let with = |control: u32, mens: u32, womens: u32| {
        run(settings(&[PAIR]), &sums_of([arm(CONTROL, control, 0), arm("Mens", mens, 300), arm("Womens", womens, 100)].concat()))
    };
    let odd_control = with(500, 650, 650);
    let p = |evaluation: &Evaluation, names| effect(evaluation, "revenue", names).srm_p.expect("a p-value");
    assert!((p(&odd_control, MENS) / 3.727e-6 - 1.0).abs() < 1e-3, "{}", p(&odd_control, MENS));
    assert_eq!(p(&odd_control, PAIR), 1.0);
    near(effect(&odd_control, "revenue", PAIR).difference, 2.0);
    assert_eq!(verdict(&odd_control, PAIR, true).verdict, "keep");
    for names in [MENS, WOMENS] {
        let reason = effect(&odd_control, "revenue", names).not_estimable.as_deref().unwrap_or_default();
        assert!(reason.starts_with("the arms' sizes are not those of the planned split"), "{reason}");
    }
    let odd_pair = with(630, 690, 570);
    assert!((p(&odd_pair, PAIR) / 7.23e-4 - 1.0).abs() < 1e-2, "{}", p(&odd_pair, PAIR));
    assert!((p(&odd_pair, MENS) / 3.30e-3 - 1.0).abs() < 1e-2, "{}", p(&odd_pair, MENS));
    assert_eq!(verdict(&odd_pair, PAIR, true).verdict, "cannot_say");
    assert_eq!(verdict(&odd_pair, MENS, true).verdict, "keep");
}

/// The controls spent more in the baseline, or the men's arm more and the women's less, each within chance of the control.
#[test]
fn what_was_before_is_checked_of_the_pair() {
    let moved = |by: [i64; 3]| {
        let all = three_arms().into_iter().map(|c| {
            let by = by[[CONTROL, "Mens", "Womens"].iter().position(|name| *name == c.arm).expect("an arm")];
            Customer { baseline: c.baseline + by, ..c }
        });
        run(settings(&[PAIR]), &sums_of(all.collect()))
    };
    let reason = |evaluation: &Evaluation, names| effect(evaluation, "revenue", names).not_estimable.clone().unwrap_or_default();
    let of_control = moved([20, 0, 0]);
    assert!(
        reason(&of_control, MENS).starts_with("the arms differed before anybody was treated"),
        "{}",
        reason(&of_control, MENS)
    );
    assert_eq!(reason(&of_control, PAIR), "");
    let of_pair = moved([0, 3, -4]);
    assert_eq!(reason(&of_pair, MENS), "");
    let told = reason(&of_pair, PAIR);
    assert!(told.contains(" in arm \"Mens\" and ") && told.contains(" in arm \"Womens\" in the baseline"), "{told}");
}

/// Five controls were contacted, which is nothing to a pair; twenty of an arm were not.
#[test]
fn contacts_are_told_of_the_arms_of_a_pair() {
    let mut arms = sums_of(three_arms());
    for (name, contacted) in [(CONTROL, 5), ("Mens", 600), ("Womens", 580)] {
        let each: Vec<i64> = (0..600).map(|at| i64::from(at < contacted)).collect();
        arms.add(total("s", 0, Phase::During, name, Quantity::Contacted), &sums(&each)).expect("sums");
    }
    let evaluation = run(settings(&[PAIR]), &arms);
    let reason = verdict(&evaluation, PAIR, true).reason.clone().unwrap_or_default();
    assert!(reason.contains("\"Womens\"") && !reason.contains(CONTROL), "{reason}");
    assert!(verdict(&evaluation, MENS, true).reason.as_deref().unwrap_or_default().contains(CONTROL));
}

/// A shop with these customers per arm, of whom the men's mail costs 0.50 and the women's 0.20, and its tables.
fn shop(customers: [i64; 3], split: &str) -> Workshop {
    let shop = Workshop::new();
    let mut orders: Vec<(i64, &str, i64)> = Vec::new();
    let mut csv = String::from("customer_id,arm,assigned_on,cost\n");
    let arms = [(CONTROL, "0.00", 0), ("Mens", "0.50", 300), ("Womens", "0.20", 100)];
    for (number, ((name, cost, effect), n)) in (0..).zip(arms.into_iter().zip(customers)) {
        for at in 0..n {
            let id = 10_000 * number + at;
            orders.push((id, "2024-02-10", 1_000 + 10 * (at * 31 % 97)));
            orders.push((id, "2024-04-10", 2_000 + 20 * (at * 7919 % 101) + effect));
            writeln!(csv, "{id},{name},2024-04-01,{cost}").expect("text");
        }
    }
    let columns = [
        ("customer_id", ints(orders.iter().map(|order| order.0))),
        ("ordered_at", dates(orders.iter().map(|order| order.1))),
        ("amount", decimals(2, orders.iter().map(|order| i128::from(order.2)))),
    ];
    std::fs::write(shop.path("orders.parquet"), parquet_bytes(&columns)).expect("orders");
    shop.write("mail.csv", &csv);
    let job = format!(
        "name = \"pairs\"\n[orders]\npath = \"orders.parquet\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\n\
         amount = \"amount\"\n[periods]\nevery = \"month\"\nfrom = 2024-04-01\nto = 2024-05-31\n[output]\npath = \"out\"\n\
         report = [\"html\", \"json\"]\nmin_group = 50\n[[strategy]]\nname = \"s\"\nassignments = \"mail.csv\"\n\
         periods = [{{ from = 2024-04-01, to = 2024-04-30 }}]\noutcome_days = 15\ndesign = \"randomised\"\ncontrol = \"{CONTROL}\"\n\
         split = {split}\npairs = [[\"Mens\", \"Womens\"]]\nmargin_rate = 0.5\noutcomes = [\"revenue\"]\n\
         primary = {{ outcome = \"revenue\", method = \"permutation\" }}\n"
    );
    shop.write("job.toml", &job);
    shop.run_here(None).expect("a run");
    shop
}

const THIRDS: &str = "{ \"No E-Mail\" = \"1/3\", Mens = \"1/3\", Womens = \"1/3\" }";

/// 0.5 × (3.00 − 1.00) − (0.50 − 0.20) = 0.70 per customer.
#[test]
fn a_job_decides_between_two_mails() {
    let shop = shop([900, 900, 900], THIRDS);
    let table = read_file(&shop.path("out/latest/verdicts.parquet"));
    let verdicts = table.records();
    let of_pair = verdicts.iter().filter(|row| row["against"].text() == "Womens" && row["state"].text() == "(all)");
    let of_pair: Vec<_> = of_pair.filter(|row| *row["period_start"] != Cell::Null).collect();
    let [row] = &of_pair[..] else { panic!("{} verdicts", of_pair.len()) };
    assert_eq!((row["arm"].text(), row["verdict"].text()), ("Mens", "scale"), "{}", row["reason"].text());
    assert!((row["difference"].double() - 2.0).abs() < 1e-9 && (row["net_margin_per_customer"].double() - 0.7).abs() < 1e-9);
    let reason = row["reason"].text();
    assert!(
        reason.starts_with("revenue is 2.000 per customer higher than in arm \"Womens\" (")
            && reason.contains("; net margin per customer differs by 0.7000 (")
            && reason.ends_with("): it brings more even at the low end"),
        "{reason}"
    );
    let page = std::fs::read_to_string(shop.path("out/latest/report/index.html")).expect("a page");
    for heading in ["s: Mens", "s: Womens", "s: Mens against Womens"] {
        assert_eq!(page.matches(&format!("<h3>{heading}</h3>")).count(), 1, "{heading}");
    }
    let report = std::fs::read_to_string(shop.path("out/latest/report/report.json")).expect("a report");
    let told: Vec<&str> = report.split('"').filter(|text| text.starts_with("s, ")).collect();
    assert!(told.iter().any(|text| text.starts_with("s, Mens against Womens: Scale, ")), "{told:?}");
}

/// Forty customers are below `min_group`: neither their arm nor a pair with it is shown.
#[test]
fn a_pair_with_a_small_arm_is_hidden() {
    let shop = shop([900, 900, 40], "{ \"No E-Mail\" = 0.49, Mens = 0.49, Womens = 0.02 }");
    let text = std::fs::read_to_string(shop.path("out/latest/report/report.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut seen = [0, 0];
    for table in ["effects", "effects_over_time", "verdicts"] {
        for row in report[table].as_array().expect("rows") {
            let is_small = row["arm"] == "Womens" || row["against"] == "Womens";
            assert_eq!(row["suppressed"] == true, is_small, "{table}: {row}");
            assert_eq!(row["difference"].is_null() && row["ci_low_adjusted"].is_null(), is_small, "{table}: {row}");
            assert!(!is_small || (row["n_control"].is_null() && row["reason"].is_null()), "{table}: {row}");
            seen[usize::from(is_small)] += 1;
        }
    }
    assert!(seen.iter().all(|n| *n > 5), "{seen:?}");
}
