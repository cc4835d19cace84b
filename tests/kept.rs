//! Arms that are kept over several periods: the states that the treatment has made are no tiers, and whom it leaves on the list is
//! no draw.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::fixture::{dates, decimals, ints, parquet_bytes};
use crate::support::run::{Cell, Workshop, read_file};

const CUSTOMERS: i64 = 900;

/// 2024-04-01 and 2024-05-01.
const APRIL: i64 = 19_814;
const MAY: i64 = 19_844;

fn is_mailed(id: i64) -> bool {
    id * 31 % 13 < 7
}

/// Whether a customer buys in April: all the mailed, and every third of the others.
fn buys_in_april(id: i64) -> bool {
    is_mailed(id) || id % 3 == 0
}

/// A shop that mails the same customers in April and in May; `may` says who is on the list again.
fn shop(may: fn(i64) -> bool) -> Workshop {
    let shop = Workshop::new();
    let mut orders: Vec<(i64, &str, i64)> = Vec::new();
    let mut csv = String::from("customer_id,arm,assigned_on\n");
    for id in 0..CUSTOMERS {
        // Two of five have been away for long.
        orders.push((id, if id % 5 < 2 { "2023-03-01" } else { "2024-03-15" }, 1_000 + 10 * (id * 31 % 97)));
        if buys_in_april(id) {
            orders.push((id, "2024-04-20", 2_000 + 20 * (id * 7919 % 101)));
        }
        if id * 17 % 10 < 6 {
            orders.push((id, "2024-05-20", 2_000 + 20 * (id * 6007 % 101)));
        }
        let arm = if is_mailed(id) { "mail" } else { "control" };
        for day in ["2024-04-01", "2024-05-01"] {
            if day == "2024-04-01" || may(id) {
                writeln!(csv, "{id},{arm},{day}").expect("text");
            }
        }
    }
    let columns = [
        ("customer_id", ints(orders.iter().map(|order| order.0))),
        ("ordered_at", dates(orders.iter().map(|order| order.1))),
        ("amount", decimals(2, orders.iter().map(|order| i128::from(order.2)))),
    ];
    std::fs::write(shop.path("orders.parquet"), parquet_bytes(&columns)).expect("orders");
    shop.write("mail.csv", &csv);
    shop.write(
        "job.toml",
        "name = \"kept\"\n[orders]\npath = \"orders.parquet\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\n\
         amount = \"amount\"\n[periods]\nevery = \"month\"\nfrom = 2024-04-01\nto = 2024-05-31\n[schemes]\nstage = \"recency_windows\"\n\
         [output]\npath = \"out\"\nreport = [\"html\"]\n[[strategy]]\nname = \"s\"\nassignments = \"mail.csv\"\n\
         design = \"randomised\"\ncontrol = \"control\"\nsplit = { control = \"6/13\", mail = \"7/13\" }\n\
         outcomes = [\"revenue\", \"converted\"]\nby = [\"stage\"]\n",
    );
    shop.run_here(None).expect("a run");
    shop
}

/// Customers by state and arm in the period that begins on a day.
fn states(shop: &Workshop, day: i64) -> BTreeMap<(String, String), i64> {
    let table = read_file(&shop.path("out/latest/arms.parquet"));
    let of_period = |row: &&BTreeMap<&str, &Cell>| {
        *row["period_start"] == Cell::Date(day)
            && row["outcome"].text() == "revenue"
            && row["phase"].text() == "during"
            && row["scheme"].text() == "stage"
            && *row["y_bin"] == Cell::Null
            && *row["other_period_start"] == Cell::Null
    };
    let records = table.records();
    records
        .iter()
        .filter(of_period)
        .map(|row| ((row["state"].text().into(), row["arm"].text().into()), row["n"].int() as i64))
        .collect()
}

/// In May customers are told apart by what they were before April: by what they were on 30 April, all the mailed had just bought.
#[test]
fn states_are_those_before_the_first_assignment() {
    let shop = shop(|_| true);
    let april = states(&shop, APRIL);
    assert_eq!(april.len(), 4, "{april:?}");
    for ((_, arm), n) in &april {
        let away = (0..CUSTOMERS).filter(|id| is_mailed(*id) == (arm == "mail") && id % 5 < 2).count() as i64;
        let all = (0..CUSTOMERS).filter(|id| is_mailed(*id) == (arm == "mail")).count() as i64;
        assert!([away, all - away].contains(n), "{april:?}");
    }
    assert_eq!(states(&shop, MAY), april);
    let table = read_file(&shop.path("out/latest/verdicts.parquet"));
    let records = table.records();
    let of_may = records.iter().filter(|row| *row["period_start"] == Cell::Date(MAY) && row["state"].text() != "(all)");
    let mut seen = 0;
    for row in of_may {
        let reason = row["reason"].text();
        assert!(
            reason.ends_with(
                " (arms were kept, so customers are in the state of the day before their first assignment, 2024-03-31 or later)"
            ),
            "{reason}"
        );
        assert_eq!(row["verdict"].text(), "test_longer", "nothing happens in May: {reason}");
        seen += 1;
    }
    assert_eq!(seen, 2);
    let pooled =
        records.iter().find(|row| *row["period_start"] == Cell::Null && row["state"].text() != "(all)").expect("a verdict");
    assert!(pooled["reason"].text().contains("2024-03-31 or later"), "{}", pooled["reason"].text());
}

/// The list of May has those alone who did not buy in April: a third of the mailed would be missing if nobody looked.
#[test]
fn a_list_that_the_treatment_has_made_is_no_draw() {
    let shop = shop(|id| !buys_in_april(id) || id % 4 == 0);
    let table = read_file(&shop.path("out/latest/verdicts.parquet"));
    let records = table.records();
    let of_may = records.iter().filter(|row| *row["period_start"] == Cell::Date(MAY));
    let mut seen = 0;
    for row in of_may {
        let reason = row["reason"].text();
        assert_eq!(row["verdict"].text(), "cannot_say", "{reason}");
        let share = |mailed: bool| {
            let of_arm = || (0..CUSTOMERS).filter(move |id| is_mailed(*id) == mailed);
            100.0 * of_arm().filter(|id| !buys_in_april(*id) || id % 4 == 0).count() as f64 / of_arm().count() as f64
        };
        let shares = format!(
            "{:.1} % of those first in arm \"mail\" are assigned again here, but {:.1} % of those",
            share(true),
            share(false)
        );
        assert!(reason.contains(&shares), "{reason} instead of {shares}");
        seen += 1;
    }
    assert_eq!(seen, 3);
}
