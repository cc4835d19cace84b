use std::collections::BTreeMap;

use super::shop::Shop;
use super::*;

const LEAST: i64 = 5;

fn shop() -> Shop {
    Shop { customers: 300, ..Shop::default() }
}

fn json(min_group: i64) -> serde_json::Value {
    serde_json::from_str(&text(data(&shop(), settings("en", min_group)), ReportFormat::Json)).expect("JSON")
}

/// Rows of a table by the values of some columns.
fn rows<'a>(report: &'a serde_json::Value, table: &str, key: &[&str]) -> BTreeMap<String, &'a serde_json::Value> {
    let name = |row: &serde_json::Value| key.iter().map(|k| row[*k].to_string()).collect::<Vec<_>>().join(" ");
    report[table].as_array().expect("rows").iter().map(|row| (name(row), row)).collect()
}

const TABLES: [(&str, &[&str], &[&str]); 10] = [
    ("segments", &["as_of", "dimension_value", "scheme", "state"], &["customers", "repeat_customers"]),
    ("transitions", &["as_of", "scheme", "from_state", "to_state"], &["customers"]),
    ("moves", &["as_of", "scheme", "from_state", "to_state", "reason"], &["customers"]),
    (
        "growth",
        &["as_of", "scheme", "from_state"],
        &["customers", "active", "new", "retained", "resurrected", "lapsed", "inactive"],
    ),
    ("cohorts", &["as_of", "cohort_start"], &["customers", "active_customers", "repeat_customers"]),
    ("effects", &["strategy", "period_start", "outcome", "scheme", "state", "method"], &["n_treated", "n_control"]),
    ("effects_over_time", &["strategy", "state"], &["n_treated", "n_control"]),
    ("effects_to_date", &["strategy", "outcome", "through_start"], &["n_treated", "n_control"]),
    ("before_after", &["strategy", "arm", "state"], &["customers"]),
    ("cutpoints", &["as_of", "axis", "bin"], &["customers"]),
];

#[test]
fn no_count_below_min_group_is_written() {
    let (all, shown) = (json(1), json(LEAST));
    for (table, key, counts) in TABLES {
        let before = rows(&all, table, key);
        let after = rows(&shown, table, key);
        assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "{table}: rows stay");
        let mut hidden = 0;
        for (name, row) in &after {
            for count in counts {
                let (was, is) = (before[name][*count].as_i64(), row[*count].as_i64());
                if was.is_some_and(|n| 0 < n && n < LEAST) {
                    assert_eq!(is, None, "{table} {name} {count}");
                }
                assert!(is.is_none() || is == was, "{table} {name} {count}: {is:?} is not {was:?}");
                if is.is_none() && was.is_some() {
                    hidden += 1;
                    assert_eq!(row["suppressed"], true, "{table} {name} says so");
                }
            }
        }
        let expected = !matches!(table, "cutpoints" | "effects_over_time" | "effects_to_date");
        assert_eq!(hidden > 0, expected, "{table}: {hidden} hidden counts");
    }
}

/// Whoever knows a sum and all but one of its parts knows the last part.
fn not_found_by_subtraction(what: &str, parts: &[(Option<i64>, i64)], total_is_known: bool) {
    let hidden: Vec<i64> = parts.iter().filter(|(shown, _)| shown.is_none()).map(|(_, n)| *n).collect();
    if total_is_known && !hidden.is_empty() {
        assert!(hidden.len() > 1, "{what}: one hidden part of a known sum");
        assert!(hidden.iter().sum::<i64>() >= LEAST, "{what}: hidden parts are together {hidden:?}");
    }
}

/// Parts of sums in a table: the shown and the true number by the name of the sum.
fn sums(
    all: &serde_json::Value,
    shown: &serde_json::Value,
    table: &str,
    sum: &[&str],
    count: &str,
) -> BTreeMap<String, Vec<(Option<i64>, i64)>> {
    let mut out: BTreeMap<String, Vec<(Option<i64>, i64)>> = BTreeMap::new();
    let (before, after) = (all[table].as_array().expect("rows"), shown[table].as_array().expect("rows"));
    for (was, is) in before.iter().zip(after) {
        let name = sum.iter().map(|k| was[*k].to_string()).collect::<Vec<_>>().join(" ");
        out.entry(name).or_default().push((is[count].as_i64(), was[count].as_i64().expect("a count")));
    }
    out
}

#[test]
fn hidden_counts_are_not_found_by_subtraction() {
    let (all, shown) = (json(1), json(LEAST));
    let totals = rows(&shown, "totals", &["as_of"]);
    for (name, parts) in sums(&all, &shown, "segments", &["as_of", "scheme", "dimension_value"], "customers") {
        let known = totals.values().all(|t| !t["customers"].is_null());
        not_found_by_subtraction(&format!("segments {name}"), &parts, known);
    }
    // A row of the matrix adds up to its state before, a column to its state after.
    let segments = rows(&shown, "segments", &["as_of", "scheme", "dimension_value", "state"]);
    for (ends, date, state) in [("row", "from_as_of", "from_state"), ("column", "as_of", "to_state")] {
        for (name, parts) in sums(&all, &shown, "transitions", &[date, "scheme", "dimension_value", state], "customers") {
            let known = segments.get(&name).is_none_or(|s| !s["customers"].is_null());
            not_found_by_subtraction(&format!("{ends} {name}"), &parts, known);
        }
    }
    // Reasons add up to the transition.
    let pairs = ["as_of", "scheme", "from_state", "to_state"];
    let transitions = rows(&shown, "transitions", &pairs);
    for (name, parts) in sums(&all, &shown, "moves", &pairs, "customers") {
        not_found_by_subtraction(&format!("moves {name}"), &parts, !transitions[&name]["customers"].is_null());
    }
    for row in shown["growth"].as_array().expect("rows") {
        for (whole, parts) in [("active", ["new", "retained", "resurrected"]), ("customers", ["active", "lapsed", "inactive"])] {
            let hidden = parts.iter().filter(|p| row[**p].is_null()).count();
            assert!(hidden != 1 || row[whole].is_null(), "growth {row}: {whole}");
        }
    }
}

#[test]
fn shares_and_rates_do_not_give_hidden_counts_away() {
    let shown = json(LEAST);
    for (table, numbers, counts) in [
        (
            "segments",
            vec!["customer_share", "revenue", "revenue_share", "annual_value", "revenue_at_risk", "orders", "mean_monetary"],
            vec!["customers"],
        ),
        ("transitions", vec!["rate", "rate_low", "rate_high", "revenue"], vec!["customers"]),
        ("cohorts", vec!["retention_rate"], vec!["customers", "active_customers"]),
        ("cohorts", vec!["cac", "revenue_to_date"], vec!["customers"]),
        ("growth", vec!["retention_rate", "churn_rate"], vec!["retained", "lapsed"]),
        ("effects", vec!["difference", "incremental", "cost", "mean_treated"], vec!["n_treated", "n_control"]),
    ] {
        for row in shown[table].as_array().expect("rows") {
            if counts.iter().any(|c| row[*c].is_null()) {
                for number in &numbers {
                    assert!(row[*number].is_null(), "{table}: {number} in {row}");
                }
            }
        }
    }
}

#[test]
fn the_page_and_the_workbook_hide_the_same() {
    let data = data(&shop(), settings("en", LEAST));
    let shown = json(LEAST);
    let page = text(data.clone(), ReportFormat::Html);
    assert!(page.contains(">hidden</td>") && page.contains("Groups of fewer than <b>5</b> customers are hidden"));
    // Charts mark every shape with its value.
    let segments = rows(&shown, "segments", &["as_of", "scheme", "dimension_value", "state"]);
    let hidden = segments
        .iter()
        .find(|(name, row)| name.starts_with("\"2024-12-31\" \"segment\" \"(all)\"") && row["customers"].is_null());
    let (_, row) = hidden.expect("a hidden state at the last date");
    let state = row["state"].as_str().expect("a name").replace('\'', "&#39;");
    assert!(!page.contains(&format!("data-k=\"{state} customers\" data-v")), "{state} has a value in a chart");
    let parts = super::archive::unzip(&file(data, ReportFormat::Xlsx));
    let sheet = String::from_utf8(parts["xl/worksheets/sheet2.xml"].clone()).expect("UTF-8");
    let small = sheet.split("<c r=\"G").skip(1).filter_map(|c| c.split("<v>").nth(1)?.split("</v>").next()?.parse::<f64>().ok());
    let small: Vec<f64> = small.filter(|n| 0.0 < *n && *n < LEAST as f64).collect();
    assert!(small.is_empty(), "the column customers of segments holds {small:?}");
}

#[test]
fn one_hides_nothing() {
    let report = json(1);
    assert!(!report.to_string().contains("\"suppressed\""));
    assert!(!text(data(&shop(), settings("en", 1)), ReportFormat::Html).contains(">hidden<"));
}

/// A region of three customers is hidden without a word in the job, and not in the tables; everybody's numbers stay.
#[test]
fn regions_of_few_customers_are_hidden_by_default() {
    use crate::fixture::{Bench, JOB, dates, decimals, ints, texts};

    let bench = Bench::empty();
    let orders = [
        ("customer_id", ints(0..40)),
        ("ordered_at", dates((0..40).map(|row| if row % 2 == 0 { "2024-12-01" } else { "2023-12-01" }))),
        ("amount", decimals(2, (0..40).map(|row| 100 + row))),
    ];
    bench.parquet("orders/a.parquet", &orders);
    let region = |id: i64| match id {
        0..3 => "islet",
        3..20 => "north",
        _ => "south",
    };
    bench.parquet("customers.parquet", &[("customer_id", ints(0..40)), ("region", texts((0..40).map(region)))]);
    let customers =
        "[customers]\npath = \"customers.parquet\"\ncustomer_id = \"customer_id\"\ndimensions = [\"region\"]\n\n[periods]";
    let report = |keys: &str| -> serde_json::Value {
        let output = format!("path = \"out\"\nreport = [\"json\", \"html\", \"xlsx\"]\n{keys}");
        bench.write("job.toml", JOB.replace("[periods]", customers).replace("path = \"out\"", &output));
        bench.succeeds(&["run", "job.toml", "-q"]);
        serde_json::from_slice(&bench.read("out/latest/report/report.json")).expect("JSON")
    };
    let shown = |report: &serde_json::Value, region: &str| -> Vec<Option<i64>> {
        let rows = report["segments"].as_array().expect("rows").iter();
        let rows = rows.filter(|row| row["scheme"] == "lifecycle" && row["dimension_value"] == region);
        rows.map(|row| {
            assert_eq!(row["customers"].is_null(), row["suppressed"] == true, "{row}");
            assert!(!row["customers"].is_null() || row["revenue"].is_null(), "{row}");
            row["customers"].as_i64()
        })
        .collect()
    };
    // Of the three, two bought lately; with the next smaller region they are not found by subtraction.
    let usual = report("");
    assert_eq!(shown(&usual, "(all)"), [Some(20), Some(20)]);
    assert_eq!([shown(&usual, "islet"), shown(&usual, "north"), shown(&usual, "south")], [[None; 2], [None; 2], [Some(10); 2]]);
    let page = String::from_utf8(bench.read("out/latest/report/index.html")).expect("UTF-8");
    assert!(page.contains("By dimension, groups of fewer than "));
    let table = bench.table("segments.parquet");
    assert!(table.iter().any(|row| row.contains(&"islet".to_owned()) && row.contains(&"2".to_owned())), "{table:?}");
    let all = report("min_group = 1");
    assert_eq!([shown(&all, "islet"), shown(&all, "north")], [[Some(2), Some(1)], [Some(8), Some(9)]]);
}

/// What a strategy has brought so far, less what it had a period before, is the effect of that period.
#[test]
fn sums_over_periods_do_not_give_a_hidden_period_away() {
    let of_mail = |report: &serde_json::Value, table: &str| -> Vec<serde_json::Value> {
        let rows = report[table].as_array().expect("rows").iter();
        rows.filter(|row| row["strategy"] == "winback-mail" && row["outcome"] == "revenue").cloned().collect()
    };
    // Every period has 4,800 treated customers, so all of them are hidden, and so is each step of the sum.
    let (all, shown) = (json(1), json(4_900));
    let (before, after) = (of_mail(&all, "effects_to_date"), of_mail(&shown, "effects_to_date"));
    assert!(before.len() > 2 && before.iter().all(|row| row["incremental"].is_number()));
    assert!(of_mail(&shown, "effects").iter().all(|row| row["difference"].is_null()));
    let numbers =
        ["n_treated", "n_control", "difference", "ci_low", "ci_high_adjusted", "incremental", "cost", "net", "net_low_adjusted"];
    for row in &after {
        assert!(row["suppressed"] == true && numbers.iter().all(|number| row[*number].is_null()), "{row}");
    }
}
