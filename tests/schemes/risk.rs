//! Annual values of customers, and whose are at risk.

use std::collections::BTreeMap;

use arrow::array::ArrayRef;

use crate::fixture::{Bench, dates, decimals, ints, texts};
use crate::support::run::{Cell, Table, read_file, read_folder};

/// Orders of four customers; negative amounts and those of kind "refund" are returns, those of kind "renewal" are no purchase.
fn orders() -> Vec<(&'static str, ArrayRef)> {
    let rows = [
        // 365 days that end on 2024-11-30 begin on 2023-12-02.
        (1, "2023-12-01", 1_000, ""),
        (1, "2023-12-02", 2_000, ""),
        (1, "2024-06-01", -500, ""),
        (1, "2024-11-30", 3_000, ""),
        (1, "2024-12-05", -700, ""),
        (1, "2024-12-20", 250, "refund"),
        // A return of the day of the last purchase, and a renewal before and after it.
        (2, "2024-03-01", 900, "renewal"),
        (2, "2024-05-05", -300, ""),
        (2, "2024-05-05", 1_500, ""),
        (2, "2024-09-01", 900, "renewal"),
        // A return before the year of the last purchase does not count, one long after it does.
        (3, "2022-01-01", 8_000, ""),
        (3, "2022-02-01", -8_000, ""),
        (3, "2023-06-01", 400, ""),
        (3, "2024-12-31", -400, ""),
        (4, "2024-12-31", 100, ""),
    ];
    vec![
        ("customer_id", ints(rows.map(|r| r.0))),
        ("ordered_at", dates(rows.map(|r| r.1))),
        ("amount", decimals(2, rows.map(|r| r.2))),
        ("kind", texts(rows.map(|r| r.3))),
    ]
}

/// A job over these orders with this `[periods]` and more sections.
fn bench(periods: &str, sections: &str) -> Bench {
    let bench = Bench::empty();
    bench.parquet("orders/a.parquet", &orders());
    bench.write(
        "job.toml",
        format!(
            "name = \"test\"\n[orders]\npath = \"orders\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\namount = \"amount\"\n\
             [orders.returns]\ncolumn = \"kind\"\nin = [\"refund\"]\n[orders.money_only]\ncolumn = \"kind\"\nin = [\"renewal\"]\n\
             [periods]\n{periods}\n{sections}\n[output]\npath = \"out\"\nreport = [\"html\", \"json\"]\n"
        ),
    );
    bench
}

fn values(table: &Table, column: &str) -> Vec<(i128, i128)> {
    let mut values: Vec<(i128, i128)> = (table.records().iter())
        .map(|row| match row[column] {
            Cell::Decimal(digits, 2) => (row["customer_id"].int(), *digits),
            other => panic!("{other:?}"),
        })
        .collect();
    values.sort_unstable();
    values
}

#[test]
fn annual_value_is_the_year_to_the_last_purchase_less_later_returns() {
    // One date goes another way than several, and counting days a third.
    for (periods, score) in [
        ("as_of = [2024-12-31]", ""),
        ("as_of = [2024-11-30, 2024-12-04, 2024-12-31]", ""),
        ("as_of = [2024-12-31]", "[score]\ncount = \"order_days\""),
    ] {
        let bench = bench(periods, score);
        bench.edit("[output]\n", "[output]\ncolumns = [\"annual_value\"]\n");
        bench.runs();
        let of = |as_of: &str| values(&read_folder(&bench.path(&format!("out/latest/customers/as_of={as_of}"))), "annual_value");
        // 20.00 - 5.00 + 30.00 in the year, - 7.00 + 2.50 since; 9.00 - 3.00 + 15.00, without the renewal since; 4.00 - 4.00.
        assert_eq!(of("2024-12-31"), [(1, 4_050), (2, 2_100), (3, 0), (4, 100)], "{periods} {score}");
        if periods.contains("2024-12-04") {
            assert_eq!(of("2024-11-30"), [(1, 4_500), (2, 2_100), (3, 400)]);
            assert_eq!(of("2024-12-04"), [(1, 4_500), (2, 2_100), (3, 400)]);
        }
    }
}

#[test]
fn gross_annual_values_have_no_returns() {
    for periods in ["as_of = [2024-12-31]", "as_of = [2024-11-30, 2024-12-31]"] {
        let bench = bench(periods, "");
        bench.edit("amount = \"amount\"\n", "amount = \"amount\"\nmonetary = \"gross\"\n");
        bench.edit("[output]\n", "[output]\ncolumns = [\"annual_value\"]\n");
        bench.runs();
        let table = read_folder(&bench.path("out/latest/customers/as_of=2024-12-31"));
        assert_eq!(values(&table, "annual_value"), [(1, 5_000), (2, 2_400), (3, 400), (4, 100)], "{periods}");
    }
}

#[test]
fn the_former_name_means_the_annual_value_and_warns() {
    const SAYS: &str = "warning: the measure \"revenue_at_risk\" is called \"annual_value\", since everybody has it and few are at risk; write that in the job and in its scheme files";
    let scheme = "name = \"mine\"\nladder = [\"large\", \"small\"]\n[[states]]\nname = \"large\"\n[[states]]\nname = \"small\"\n\
                  [[rules]]\nstate = \"large\"\nwhen = { MEASURE = { min = 21 } }\n[[rules]]\nstate = \"small\"\n";
    let run = |name: &str| {
        let bench = bench("as_of = [2024-12-31]", "[schemes]\nsize = \"mine.toml\"");
        bench.write("mine.toml", scheme.replace("MEASURE", name));
        bench.edit("[output]\n", &format!("[output]\ncolumns = [\"{name}\", \"size\"]\n"));
        let said = bench.runs().err;
        (read_folder(&bench.path("out/latest/customers")), said.matches(SAYS).count(), bench)
    };
    let (former, warnings, bench) = run("revenue_at_risk");
    let (current, none, _) = run("annual_value");
    assert_eq!([warnings, none], [1, 0]);
    assert_eq!(former.column("annual_value"), current.column("annual_value"));
    assert_eq!(former.rows, current.rows);
    bench.edit("\"revenue_at_risk\", \"size\"", "\"annual_value\", \"revenue_at_risk\", \"size\"");
    bench.refuses(2, "error: job.toml, line …: output.columns names \"revenue_at_risk\" twice; remove it.");
}

/// A scheme by recency whose third of four states is marked, under a name that says nothing of risk.
const OWN: &str = "name = \"own\"\nladder = [\"At risk\", \"Lost\", \"Blue\", \"Champions\"]\n\
    [[states]]\nname = \"At risk\"\n[[states]]\nname = \"Lost\"\n[[states]]\nname = \"Blue\"\nat_risk = true\n[[states]]\nname = \"Champions\"\n\
    [[rules]]\nstate = \"At risk\"\nwhen = { recency_days = [0, 10] }\n[[rules]]\nstate = \"Lost\"\nwhen = { recency_days = [0, 100] }\n\
    [[rules]]\nstate = \"Blue\"\nwhen = { recency_days = [0, 300] }\n[[rules]]\nstate = \"Champions\"\n";

/// Annual value and money at risk by scheme and state.
fn money(bench: &Bench) -> BTreeMap<(String, String), [Option<i128>; 2]> {
    let table = read_file(&bench.path("out/latest/segments.parquet"));
    let money = |cell: &Cell| if let Cell::Decimal(digits, _) = cell { Some(*digits) } else { None };
    let row = |row: BTreeMap<&str, &Cell>| {
        let names = (row["scheme"].text().to_owned(), row["state"].text().to_owned());
        (names, ["annual_value", "revenue_at_risk"].map(|column| money(row[column])))
    };
    table.records().into_iter().map(row).collect()
}

fn page(bench: &Bench) -> (String, serde_json::Value) {
    let read = |name: &str| bench.read(&format!("out/latest/report/{name}"));
    (String::from_utf8(read("index.html")).unwrap(), serde_json::from_slice(&read("report.json")).unwrap())
}

#[test]
fn only_marked_states_are_at_risk() {
    // The first scheme marks nobody, so the second one speaks of risk, and the third, which marks others, does not.
    let bench = bench(
        "as_of = [2024-12-31]",
        "[schemes]\ntier = \"frequency_tier\"\nown = \"own.toml\"\nlifecycle = \"recency_windows\"",
    );
    bench.write("own.toml", OWN);
    bench.runs();
    let found = money(&bench);
    let of = |scheme: &str, state: &str| found[&(scheme.to_owned(), state.to_owned())];
    // Silent for 31, 240, 579 and 0 days.
    assert_eq!(of("own", "At risk"), [Some(100), None]);
    assert_eq!(of("own", "Lost"), [Some(4_050), None]);
    assert_eq!(of("own", "Blue"), [Some(2_100), Some(2_100)]);
    assert_eq!(of("own", "Champions"), [Some(0), None]);
    assert_eq!(of("lifecycle", "sleeping"), [Some(2_100), Some(2_100)]);
    assert_eq!(of("lifecycle", "active"), [Some(4_150), None]);
    assert!(found.iter().filter(|((scheme, _), _)| scheme == "tier").all(|(_, [value, risk])| value.is_some() && risk.is_none()));

    let states = read_file(&bench.path("out/latest/dim_state.parquet"));
    let marked: Vec<(String, i128)> = (states.records().iter())
        .filter(|row| *row["is_at_risk"] == Cell::Bool(true))
        .map(|row| (format!("{} {}", row["scheme"].text(), row["state"].text()), row["scheme_place"].int()))
        .collect();
    let expected = [("own Blue", 2), ("lifecycle silent", 3), ("lifecycle sleeping", 3), ("lifecycle lapsing", 3)];
    assert_eq!(marked, expected.map(|(name, place)| (name.to_owned(), place)));

    let (page, json) = page(&bench);
    let fact = |name: &str| json["facts"].as_array().unwrap().iter().find(|f| f["name"] == name).map(|f| f["value"].clone());
    assert_eq!(fact("risk_scheme"), Some("own".into()));
    assert_eq!(fact("customers_at_risk"), Some(1.into()));
    assert_eq!(fact("revenue_at_risk"), Some("21.00".into()));
    assert!(
        page.contains("By the scheme <b>Own</b>, <b>1</b> customer is at risk, <b>25.0%</b> of all: <b>Blue 1 (21)</b>."),
        "{page}"
    );
}

#[test]
fn nothing_is_said_of_risk_where_no_scheme_marks_a_state() {
    let bench = bench("as_of = [2024-12-31]", "[schemes]\nown = \"own.toml\"\ntier = \"value_tier\"");
    bench.write("own.toml", OWN.replace("at_risk = true\n", "").replace("\"At risk\"", "\"Amber\""));
    bench.runs();
    let (page, json) = page(&bench);
    assert!(!page.to_lowercase().contains("at risk"), "the page speaks of risk");
    assert!(json["answers"].as_array().unwrap().iter().all(|a| a["key"] != "at_risk"));
    assert!(json["facts"].as_array().unwrap().iter().all(|f| !f["name"].as_str().unwrap().contains("risk")));
    assert!(json["segments"].as_array().unwrap().iter().all(|r| r["revenue_at_risk"].is_null() && r["annual_value"].is_string()));
}
