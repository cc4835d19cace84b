//! Effects by stratum: those of a job that has the customers of the stratum alone.

use std::fmt::Write;

use rfmill::internals::evaluate::{Evaluation, Method, Outcome, Primary, Split, StrategySettings, evaluate};
use rfmill::rows::{EffectRow, PooledEffectRow};

use crate::fixture::{dates, decimals, ints, parquet_bytes};
use crate::support::arms::{Customer, fill, strategy};
use crate::support::run::{Workshop, read_file};

/// Customers of a stratum, every second of whom is held out, in three periods that share two thirds of them.
fn stratum(cell: &'static str, first: u32, effect: i64) -> [Vec<Customer>; 3] {
    [0, 1, 2].map(|period| {
        let one = |at: u32| {
            let id = first + at;
            let is_mailed = (at * 31 + period * 7) % 13 < 7;
            Customer {
                id,
                arm: if is_mailed { "mail" } else { "control" },
                state: if at.is_multiple_of(2) { "weak" } else { "strong" },
                cell,
                after: 2_000 + 40 * i64::from(id * 7919 % 101) + i64::from(period) * 300 + if is_mailed { effect } else { 0 },
                baseline: 1_000 + 30 * i64::from(id * 7919 % 97),
                before: 1_000,
                earlier: "(all)",
                touched: false,
            }
        };
        (period * 100..600 + period * 100).map(one).collect()
    })
}

fn settings() -> StrategySettings {
    StrategySettings {
        by: vec!["segment".into(), "stratum".into()],
        primary: Primary { outcome: Outcome::Revenue, method: Method::PermutationBaseline },
        split: Split::default(),
        ..strategy("s", 3)
    }
}

fn run(periods: &[Vec<Customer>]) -> Evaluation {
    evaluate(&[settings()], &fill("s", &Outcome::Revenue, periods)).expect("an evaluation")
}

/// A stratum's rows are those of the whole job that has nobody else, in a period and over all of them.
#[test]
fn a_stratum_is_a_job_of_its_own() {
    let (north, south) = (stratum("north", 0, 300), stratum("south", 100_000, -500));
    let both: Vec<Vec<Customer>> = north.iter().zip(&south).map(|(a, b)| [a.clone(), b.clone()].concat()).collect();
    let both = run(&both);
    for (name, alone) in [("north", run(&north)), ("south", run(&south))] {
        let is_stratum = |scheme: &str, state: &str| scheme == "stratum" && state == name;
        let told: Vec<&EffectRow> = both.effects.iter().filter(|row| is_stratum(&row.scheme, &row.state)).collect();
        let wanted: Vec<&EffectRow> = alone.effects.iter().filter(|row| row.state == "(all)").collect();
        assert!(told.len() == wanted.len() && told.len() >= 12, "{} and {}", told.len(), wanted.len());
        for (row, want) in told.into_iter().zip(wanted) {
            let of = |row: &EffectRow| {
                (
                    (row.method.clone(), row.period_start, row.n_treated, row.n_control, row.not_estimable.clone()),
                    [row.mean_control, row.difference, row.ci_low, row.ci_high, row.p_value, row.lift, row.lift_low],
                )
            };
            assert_eq!(of(row), of(want));
            assert_eq!(row.headline, want.headline);
        }
        let told: Vec<&PooledEffectRow> = both.over_time.iter().filter(|row| is_stratum(&row.scheme, &row.state)).collect();
        let wanted: Vec<&PooledEffectRow> = alone.over_time.iter().filter(|row| row.state == "(all)").collect();
        assert!(told.len() == wanted.len() && told.len() >= 4, "{} and {}", told.len(), wanted.len());
        for (row, want) in told.into_iter().zip(wanted) {
            let of = |row: &PooledEffectRow| {
                (
                    (row.method.clone(), row.n_treated, row.clustered),
                    [row.difference, row.ci_low, row.ci_high, row.p_value, row.q_difference],
                )
            };
            assert_eq!(of(row), of(want));
            assert!(row.clustered == Some(true) && row.difference.is_some(), "{row:?}");
        }
    }
    let verdict = |state: &str| both.verdicts.iter().find(|v| v.state == state && v.period_start.is_none()).expect("a verdict");
    assert_eq!((&*verdict("north").verdict, &*verdict("south").verdict), ("keep", "stop"));
    // Two states, two strata and the whole.
    assert!(both.effects.iter().filter(|row| row.headline == Some(true)).all(|row| row.family_size == Some(5)));
}

/// A shop whose 400 customers are assigned in two regions, and its job with `by`.
fn shop(by: &str, with_stratum: bool) -> Workshop {
    let shop = Workshop::new();
    let mut orders: Vec<(i64, &str, i64)> = Vec::new();
    let mut csv =
        String::from(if with_stratum { "customer_id,arm,assigned_on,stratum\n" } else { "customer_id,arm,assigned_on\n" });
    for id in 0..800i64 {
        let (is_north, is_mailed) = (id < 400, id * 31 % 13 < 7);
        let effect = if is_mailed && is_north { 900 } else { 0 };
        orders.push((id, "2024-02-10", 1_000 + 10 * (id * 31 % 97)));
        orders.push((id, "2024-04-10", 2_000 + 20 * (id * 7919 % 101) + effect));
        let arm = if is_mailed { "mail" } else { "control" };
        let stratum = if is_north { ",north" } else { ",south" };
        writeln!(csv, "{id},{arm},2024-04-01{}", if with_stratum { stratum } else { "" }).expect("text");
    }
    let columns = [
        ("customer_id", ints(orders.iter().map(|order| order.0))),
        ("ordered_at", dates(orders.iter().map(|order| order.1))),
        ("amount", decimals(2, orders.iter().map(|order| i128::from(order.2)))),
    ];
    std::fs::write(shop.path("orders.parquet"), parquet_bytes(&columns)).expect("orders");
    shop.write("mail.csv", &csv);
    let job = format!(
        "name = \"strata\"\n[orders]\npath = \"orders.parquet\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\n\
         amount = \"amount\"\n[periods]\nevery = \"month\"\nfrom = 2024-04-01\nto = 2024-05-31\n[output]\npath = \"out\"\n\
         report = [\"html\", \"json\"]\n[[strategy]]\nname = \"s\"\nassignments = \"mail.csv\"\n\
         periods = [{{ from = 2024-04-01, to = 2024-04-30 }}]\noutcome_days = 15\ndesign = \"randomised\"\ncontrol = \"control\"\n\
         split = {{ control = \"6/13\", mail = \"7/13\" }}\noutcomes = [\"revenue\"]\nby = {by}\n"
    );
    shop.write("job.toml", &job);
    shop
}

/// North gains 9.00, south nothing; tables and page say so.
#[test]
fn a_job_shows_effects_by_stratum() {
    let shop = shop("[\"stratum\"]", true);
    shop.run_here(None).expect("a run");
    let table = read_file(&shop.path("out/latest/verdicts.parquet"));
    let verdicts = table.records();
    let of = |state: &str| {
        let mut rows = verdicts.iter().filter(|row| row["scheme"].text() == "stratum" && row["state"].text() == state);
        rows.next().expect("a verdict")
    };
    assert_eq!((of("north")["verdict"].text(), of("south")["verdict"].text()), ("keep", "test_longer"));
    assert!((of("north")["difference"].double() - 9.0).abs() < 1.5 && of("south")["difference"].double().abs() < 1.5);
    let page = std::fs::read_to_string(shop.path("out/latest/report/index.html")).expect("a page");
    assert!(page.contains("north") && page.contains("south"), "the page names the strata");
}

#[test]
fn strata_that_are_not_there_are_named() {
    let error = shop("[\"stratum\"]", false).run_here(None).expect_err("no strata").to_string();
    assert!(
        error.contains("by names \"stratum\", but its assignments have neither a column \"stratum\" nor \"state\""),
        "{error}"
    );
    let error = shop("[\"strata\"]", true).run_here(None).expect_err("no column").to_string();
    assert!(
        error.contains("by names \"strata\", which is no scheme column, no dimension") && error.contains("stratum"),
        "{error}"
    );
}
