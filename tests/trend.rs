//! Nights with a history: `periods.trend`, held against naive code over nights in a row, with orders that come late.

use std::collections::BTreeMap;

use arrow::array::ArrayRef;

use crate::fixture::{Bench, dates, decimals, ints};
use crate::support::calendar::{date_text, days_from_civil};
use crate::support::cases::Rng;
use crate::support::run::{Cell, Table, read_file, read_folder};
use naive::{Customer, Order, customers, month_start, months_before, periods, trend_dates};

mod naive;

/// Months of the trend.
const MONTHS: i64 = 13;

const JOB: &str = r#"name = "night"

[orders]
path = "orders"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"

[periods]
trend = "13 months"
compare = ["1 day", "7d"]

[score]
lookback = "365d"

[schemes]
lifecycle = "recency_windows"
activity = "activity"

[output]
path = "out"
report = ["html", "json"]
"#;

/// Orders of some customers over two years, the last of them in the nights; a sixth comes some nights late.
fn orders(first_night: i64, nights: usize) -> Vec<Order> {
    let mut rng = Rng::new(7);
    let mut orders = Vec::new();
    let last = first_night + nights as i64 - 1;
    for customer in 1..=90 {
        let mut date = last - 800 + rng.below(760) as i64;
        // Some buy every few days, some twice a year.
        let gap = [4, 25, 40, 90, 200][rng.below(5) as usize];
        while date <= last {
            let late = if rng.chance(17) { rng.below(6) as i64 } else { 0 };
            let night = (date + late - first_night).max(0) as usize;
            let cents = 100 + i128::from(rng.below(20_000));
            orders.push(Order { customer, date, cents, night });
            if rng.chance(10) {
                let day = (date + rng.below(20) as i64).min(last);
                orders.push(Order {
                    customer,
                    date: day,
                    cents: -cents / 2,
                    night: night.max((day - first_night).max(0) as usize),
                });
            }
            date += 1 + rng.below(2 * gap) as i64;
        }
    }
    orders
}

/// Writes the file that comes in a night.
fn deliver(bench: &Bench, orders: &[Order], night: usize) {
    let new: Vec<&Order> = orders.iter().filter(|o| o.night == night).collect();
    let days: Vec<String> = new.iter().map(|o| date_text(o.date)).collect();
    let columns: [(&str, ArrayRef); 3] = [
        ("customer_id", ints(new.iter().map(|o| o.customer))),
        ("ordered_at", dates(days.iter().map(String::as_str))),
        ("amount", decimals(2, new.iter().map(|o| o.cents))),
    ];
    bench.parquet(&format!("orders/{night:02}.parquet"), &columns);
}

/// A table of the last run as maps from the named key columns to a row.
fn keyed(bench: &Bench, table: &str, keys: &[&str]) -> BTreeMap<Vec<String>, BTreeMap<String, Cell>> {
    let found = read_file(&bench.path("out/latest").join(format!("{table}.parquet")));
    by_key(&found, keys)
}

fn by_key(table: &Table, keys: &[&str]) -> BTreeMap<Vec<String>, BTreeMap<String, Cell>> {
    let record = |row: BTreeMap<&str, &Cell>| {
        let key = keys.iter().map(|key| row[key].key()).collect();
        (key, row.into_iter().map(|(name, cell)| (name.to_owned(), cell.clone())).collect())
    };
    table.records().into_iter().map(record).collect()
}

fn texts(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

/// The states of a scheme by its name.
type StateOf = fn(&Customer, i64) -> Option<&'static str>;
const SCHEMES: [(&str, StateOf); 2] = [("lifecycle", Customer::lifecycle), ("activity", Customer::activity)];

#[test]
fn fifteen_nights_with_late_orders() {
    // Over the end of a month, which is that of a year, too.
    let first = days_from_civil(2024, 12, 24);
    let orders = orders(first, 15);
    let bench = Bench::empty();
    bench.write("job.toml", JOB);
    for night in 0..15 {
        let as_of = first + night as i64;
        deliver(&bench, &orders, night);
        bench.succeeds(&["run", "job.toml", "--quiet", "--as-of", &date_text(as_of)]);
        let known = customers(&orders, night);
        let dates = trend_dates(as_of, MONTHS);
        check_periods(&bench, &dates);
        check_segments(&bench, &known, &dates);
        check_growth(&bench, &known, &dates);
        check_cohorts(&bench, &known, &dates);
        check_concentration(&bench, &known, &dates);
        check_transitions(&bench, &known, &dates, as_of);
        check_customers(&bench, &known, &dates, as_of);
        check_published(&bench, first, as_of);
        check_report(&bench, &known, as_of);
        check_restated(&bench, &orders, (first, night), &dates);
    }
    bench.verifies();
    made_files_are_verified(&bench);
}

/// Customers, their purchases in the lookback and its money.
fn totals(orders: &[Order], night: usize, date: i64) -> [i128; 3] {
    let known: Vec<Customer> = customers(orders, night).into_iter().filter(|c| c.first() <= date).collect();
    let purchases: i64 = known.iter().map(|c| c.purchases(date - 364, date)).sum();
    [known.len() as i128, purchases.into(), known.iter().map(|c| c.money(date - 364, date)).sum()]
}

/// Every date of the run that was a night before: what was told then, and what is told now.
fn check_restated(bench: &Bench, orders: &[Order], (first, night): (i64, usize), dates: &BTreeMap<i64, &str>) {
    let as_of = first + night as i64;
    let mut told: Vec<i64> = dates.keys().copied().chain([as_of - 7, as_of - 1]).filter(|d| (first..as_of).contains(d)).collect();
    told.sort_unstable();
    told.dedup();
    let folder = bench.path("out/tables/restatements").join(format!("as_of={}", date_text(as_of)));
    let found = read_folder(&folder);
    let of = |row: &BTreeMap<&str, &Cell>, end: &str| {
        let cell = |name: &str| row[format!("{name}_{end}").as_str()];
        [cell("customers").int(), cell("orders").int(), cell("revenue").minor()]
    };
    let found: Vec<_> = (found.records().iter())
        .map(|row| {
            let inputs = ["inputs_new", "inputs_changed", "inputs_gone"].map(|name| row[name].int());
            let same = *row["job_changed"] == Cell::Bool(false);
            (row["told_as_of"].date(), of(row, "then"), of(row, "now"), of(row, "change"), inputs, same)
        })
        .collect();
    let expected = told.into_iter().map(|date| {
        let told_in = (date - first) as usize;
        let (then, now) = (totals(orders, told_in, date), totals(orders, night, date));
        let change = std::array::from_fn(|at| now[at] - then[at]);
        (date, then, now, change, [(night - told_in) as i128, 0, 0], true)
    });
    let expected: Vec<_> = expected.collect();
    assert_eq!(found, expected, "{}", date_text(as_of));
    let page = String::from_utf8(bench.read("out/latest/report/index.html")).unwrap();
    assert_eq!(page.contains("Told before, and now"), !expected.is_empty());
}

/// What commits make is held against their record, too, and the next copy puts it right.
fn made_files_are_verified(bench: &Bench) {
    let made: Vec<_> = std::fs::read_dir(bench.path("out/made")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(made.len(), 14 + 3, "one for every night but the first, and the dimensions");
    std::fs::remove_file(&made[3]).unwrap();
    let ran = bench.rfmill(&["verify", "out"]);
    assert_eq!(ran.code, 5);
    assert!(ran.err.contains(made[3].file_name().unwrap().to_str().unwrap()), "{}", ran.err);
    bench.succeeds(&["verify", "out", "--repair"]);
    bench.verifies();
}

#[test]
fn a_date_that_is_run_again_restates_itself() {
    let bench = Bench::new();
    let restated = || read_folder(&bench.path("out/tables/restatements/as_of=2024-12-31"));
    bench.runs();
    assert!(restated().rows.is_empty());
    // One customer more, one file gone, one changed.
    let order = |customer: i64, cents: i128| -> [(&str, ArrayRef); 3] {
        [("customer_id", ints([customer])), ("ordered_at", dates(["2024-12-01"])), ("amount", decimals(2, [cents]))]
    };
    bench.parquet("orders/b.parquet", &order(8, 100));
    bench.parquet("orders/c.parquet", &order(9, 200));
    bench.runs();
    std::fs::remove_file(bench.path("orders/b.parquet")).unwrap();
    bench.parquet("orders/c.parquet", &order(9, 250));
    bench.edit("name = \"test\"", "name = \"test\"\npopulation = \"lookback\"");
    bench.runs();
    let found = restated();
    let row = &found.records()[0];
    let counts = ["customers_then", "customers_now", "inputs_new", "inputs_changed", "inputs_gone"].map(|name| row[name].int());
    assert_eq!((found.rows.len(), counts), (1, [7, 6, 0, 1, 1]));
    assert_eq!((row["revenue_change"].minor(), row["inputs"].text()), (-50, "orders/c.parquet"));
    assert_eq!((row["slice"].text(), row["job_changed"]), ("(all)", &Cell::Bool(true)));
    // The same run again says nothing new, and what it said stays.
    bench.runs();
    assert_eq!(restated().rows, found.rows);
    // A run of before that comes back restates what the last one told, and so does that one in its turn.
    let told_by = found.records()[0]["told_by"].text().to_owned();
    let last = bench.read("job.toml");
    bench.edit("population = \"lookback\"", "population = \"ever\"");
    bench.runs();
    let (between, ran) = (restated(), bench.rfmill(&["verify", "out"]));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_ne!(between.records()[0]["told_by"].text(), told_by);
    bench.write("job.toml", last);
    let ran = bench.runs();
    assert!(ran.err.contains("already"), "a run that is there is committed again: {}", ran.err);
    let back = restated();
    let row = &back.records()[0];
    let counts = ["customers_then", "customers_now", "inputs_new", "inputs_changed", "inputs_gone"].map(|name| row[name].int());
    assert_eq!((back.rows.len(), counts, row["revenue_change"].minor()), (1, [6, 6, 0, 0, 0], 0));
    assert_ne!(row["told_by"].text(), told_by, "another run has told since");
    assert_eq!(row["job_changed"], &Cell::Bool(true));
    bench.runs();
    assert_eq!(restated().rows, back.rows, "the same run again says nothing new");
    bench.verifies();
    // Out of view is out of mind.
    bench.succeeds(&["drop", "out", "--as-of", "2024-12-31"]);
    bench.verifies();
    bench.edit("path = \"out\"", "path = \"out\"\nkeep_runs = 3");
    bench.edit("population = \"lookback\"", "population = \"ever\"");
    bench.runs();
    assert!(restated().rows.is_empty());
}

fn check_periods(bench: &Bench, dates: &BTreeMap<i64, &str>) {
    let found = keyed(bench, "dim_period", &["as_of"]);
    assert_eq!(found.len(), dates.len());
    for (date, role) in dates {
        let row = &found[&texts(&[&date_text(*date)])];
        let of_trend = |day: i64| if dates.contains_key(&day) { Cell::Date(day) } else { Cell::Null };
        assert_eq!(row["role"].text(), *role);
        assert_eq!(row["period_start"].date(), month_start(*date));
        assert_eq!(row["period_before"], of_trend(months_before(*date, 1)), "{}", date_text(*date));
        assert_eq!(row["same_period_last_year"], of_trend(months_before(*date, 12)), "{}", date_text(*date));
    }
}

fn check_segments(bench: &Bench, known: &[Customer], dates: &BTreeMap<i64, &str>) {
    let mut expected: BTreeMap<Vec<String>, (i128, i128, i128)> = BTreeMap::new();
    for date in dates.keys() {
        for (scheme, state) in SCHEMES {
            for customer in known {
                let Some(state) = state(customer, *date) else { continue };
                let sum = expected.entry(texts(&[&date_text(*date), scheme, state])).or_default();
                sum.0 += 1;
                sum.1 += i128::from(customer.purchases(date - 364, *date));
                sum.2 += customer.money(date - 364, *date);
            }
        }
    }
    let found = keyed(bench, "segments", &["as_of", "scheme", "state"]);
    let found: BTreeMap<_, _> = found
        .into_iter()
        .map(|(key, row)| (key, (row["customers"].int(), row["orders"].int(), row["revenue"].minor())))
        .collect();
    assert_eq!(found, expected);
}

fn check_growth(bench: &Bench, known: &[Customer], dates: &BTreeMap<i64, &str>) {
    let mut found = keyed(bench, "growth", &["as_of", "scheme", "from_state"]);
    for date in dates.keys() {
        let row = &found[&texts(&[&date_text(*date), "(all)", "(all)"])];
        let [(from, to), _] = periods(*date);
        let count = |status: &str| known.iter().filter(|c| c.growth(*date) == Some(status)).count() as i128;
        for status in ["new", "retained", "resurrected", "lapsed", "inactive"] {
            assert_eq!(row[status].int(), count(status), "{status} {}", date_text(*date));
        }
        let revenue: i128 = known.iter().filter(|c| c.growth(*date).is_some()).map(|c| c.money(from, to)).sum();
        assert_eq!(row["revenue"].minor(), revenue, "{}", date_text(*date));
    }
    // By the state at the boundary before the period, which the first one lacks.
    found.retain(|key, _| key[1] == "lifecycle");
    for (date, _) in dates.iter().skip(1) {
        let before = month_start(*date) - 1;
        let mut retained: BTreeMap<&str, i128> = BTreeMap::new();
        for customer in known.iter().filter(|c| c.growth(*date) == Some("retained")) {
            *retained.entry(customer.lifecycle(before).unwrap_or("(none)")).or_default() += 1;
        }
        let rows = found.iter().filter(|(key, row)| key[0] == date_text(*date) && row["retained"].int() > 0);
        let rows: BTreeMap<&str, i128> = rows.map(|(key, row)| (key[2].as_str(), row["retained"].int())).collect();
        if dates.contains_key(&before) {
            assert_eq!(rows, retained, "{}", date_text(*date));
        }
    }
}

fn check_cohorts(bench: &Bench, known: &[Customer], dates: &BTreeMap<i64, &str>) {
    let followed: Vec<i64> = dates.iter().filter(|(_, role)| **role != "comparison").map(|(date, _)| *date).collect();
    let mut expected: BTreeMap<Vec<String>, [i128; 5]> = BTreeMap::new();
    for (place, date) in followed.iter().enumerate() {
        for customer in known.iter().filter(|c| c.first() <= *date) {
            let cohort = followed.iter().position(|end| (month_start(*end)..=*end).contains(&customer.first()));
            let start = cohort.map_or("null".into(), |cohort| date_text(month_start(followed[cohort])));
            let sum = expected.entry(vec![date_text(*date), start]).or_default();
            let (from, to) = (month_start(*date), *date);
            sum[0] += 1;
            sum[1] += i128::from(customer.purchases(from, to) > 0);
            sum[2] += customer.money(from, to);
            sum[3] += customer.money(i64::MIN, to);
            sum[4] = cohort.map_or(-1, |cohort| (place - cohort) as i128);
        }
    }
    let row = |row: BTreeMap<String, Cell>| {
        let since = if row["periods_since"] == Cell::Null { -1 } else { row["periods_since"].int() };
        let money = ["revenue", "revenue_to_date"].map(|name| row[name].minor());
        [row["customers"].int(), row["active_customers"].int(), money[0], money[1], since]
    };
    let found: BTreeMap<_, _> =
        keyed(bench, "cohorts", &["as_of", "cohort_start"]).into_iter().map(|(key, found)| (key, row(found))).collect();
    assert_eq!(found, expected);
}

fn check_concentration(bench: &Bench, known: &[Customer], dates: &BTreeMap<i64, &str>) {
    let found = keyed(bench, "concentration", &["as_of"]);
    for date in dates.keys() {
        let buyers: Vec<&Customer> = known.iter().filter(|c| c.purchases(date - 364, *date) > 0).collect();
        let row = &found[&texts(&[&date_text(*date)])];
        let money: i128 = buyers.iter().map(|c| c.money(date - 364, *date)).sum();
        assert_eq!((row["customers"].int(), row["revenue"].minor()), (buyers.len() as i128, money), "{}", date_text(*date));
    }
}

/// From boundary to boundary, to the night; and to the night from the day before.
fn check_transitions(bench: &Bench, known: &[Customer], dates: &BTreeMap<i64, &str>, as_of: i64) {
    let followed: Vec<i64> = dates.iter().filter(|(_, role)| **role != "comparison").map(|(date, _)| *date).collect();
    let mut pairs: Vec<(i64, i64)> = followed.windows(2).map(|pair| (pair[0], pair[1])).collect();
    pairs.extend([(as_of - 7, as_of), (as_of - 1, as_of)]);
    pairs.sort_unstable();
    pairs.dedup();
    let mut expected: BTreeMap<Vec<String>, (i128, i128)> = BTreeMap::new();
    for (from, to) in pairs {
        for (scheme, state) in SCHEMES {
            for customer in known {
                let (before, now) = (state(customer, from), state(customer, to));
                if now.is_none() {
                    continue;
                }
                let states = [before, now].map(|state| state.unwrap_or("(none)"));
                let key = [date_text(from), date_text(to), scheme.into(), states[0].into(), states[1].into()];
                let sum = expected.entry(key.to_vec()).or_default();
                sum.0 += 1;
                sum.1 += customer.money(from + 1, to);
            }
        }
    }
    let found = keyed(bench, "transitions", &["from_as_of", "as_of", "scheme", "from_state", "to_state"]);
    let found: BTreeMap<_, _> =
        found.into_iter().map(|(key, row)| (key, (row["customers"].int(), row["revenue"].minor()))).collect();
    assert_eq!(found, expected);
}

/// States of the night, the one before, and since when; the spells of `state_history`.
fn check_customers(bench: &Bench, known: &[Customer], dates: &BTreeMap<i64, &str>, as_of: i64) {
    let found =
        by_key(&read_folder(&bench.path("out/latest/customers").join(format!("as_of={}", date_text(as_of)))), &["customer_id"]);
    assert_eq!(found.len(), known.iter().filter(|c| c.first() <= as_of).count());
    let followed: Vec<i64> = dates.iter().filter(|(_, role)| **role != "comparison").map(|(date, _)| *date).collect();
    let mut compared = followed.clone();
    compared.extend([as_of - 7, as_of - 1]);
    compared.sort_unstable();
    compared.dedup();
    let since = |customer: &Customer, dates: &[i64]| {
        let state = customer.lifecycle(as_of);
        dates.iter().rev().take_while(|date| customer.lifecycle(**date) == state).last().copied()
    };
    let spells = read_folder(&bench.path("out/latest/state_history"));
    let present: BTreeMap<String, i64> = (spells.records().iter())
        .filter(|row| row["scheme"].text() == "lifecycle" && *row["valid_to"] == Cell::Null)
        .map(|row| (row["customer_id"].key(), row["valid_from"].date()))
        .collect();
    for customer in known.iter().filter(|c| c.first() <= as_of) {
        let row = &found[&vec![customer.id.to_string()]];
        assert_eq!(row["lifecycle"].text(), customer.lifecycle(as_of).unwrap());
        let previous = customer.lifecycle(as_of - 1).map_or(Cell::Null, |state| Cell::Text(state.into()));
        assert_eq!(row["lifecycle_previous"], previous);
        assert_eq!(Some(row["lifecycle_since"].date()), since(customer, &compared), "customer {}", customer.id);
        assert_eq!(present.get(&customer.id.to_string()).copied(), since(customer, &followed), "customer {}", customer.id);
    }
}

/// Only nights have folders, and those of one night hold its rows alone.
fn check_published(bench: &Bench, first: i64, as_of: i64) {
    let nights: Vec<String> = (first..=as_of).map(|date| format!("as_of={}", date_text(date))).collect();
    for table in ["segments", "growth", "cohorts", "customers", "transitions"] {
        let entries = std::fs::read_dir(bench.path("out/tables").join(table)).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, nights, "{table}");
    }
    let periods = read_file(&bench.path("out/tables/dim_period/dim_period.parquet"));
    let shown: Vec<i64> = periods.records().iter().map(|row| row["as_of"].date()).collect();
    assert_eq!(shown, (first..=as_of).collect::<Vec<_>>());
    assert!(periods.records().iter().all(|row| row["role"].text() == "own"));
}

/// The headlines are of the period, beside the same days of the month and of the year before; no section is hollow.
fn check_report(bench: &Bench, known: &[Customer], as_of: i64) {
    let report: serde_json::Value = serde_json::from_slice(&bench.read("out/latest/report/report.json")).unwrap();
    let facts: BTreeMap<&str, &serde_json::Value> =
        (report["facts"].as_array().unwrap().iter()).map(|fact| (fact["name"].as_str().unwrap(), &fact["value"])).collect();
    assert_eq!(report["as_of"], serde_json::json!([date_text(as_of)]));
    for (end, date) in [("", as_of), ("_before", months_before(as_of, 1)), ("_year_before", months_before(as_of, 12))] {
        let [(from, to), _] = periods(date);
        let active = known.iter().filter(|c| c.purchases(from, to) > 0).count();
        assert_eq!(facts[format!("active_customers{end}").as_str()], &serde_json::json!(active), "{end} {}", date_text(as_of));
        let revenue: i128 = known.iter().filter(|c| c.first() <= date).map(|c| c.money(from, to)).sum();
        let money = format!("{}.{:02}", revenue / 100, revenue % 100);
        assert_eq!(facts[format!("period_revenue{end}").as_str()], &serde_json::json!(money), "{end} {}", date_text(as_of));
    }
    let page = String::from_utf8(bench.read("out/latest/report/index.html")).unwrap();
    for chart in ["trend-customers-0", "cohorts-0", "growth-0", "concentration-0", "flows-0"] {
        assert!(page.contains(&format!("data-chart=\"{chart}\"")), "{chart}");
    }
    // Who buys from 800 days before the first night on has no 365 days before the first months.
    assert_eq!(page.contains("class=\"hatch\""), page.contains("Hatched columns: "));
    let unfinished = as_of != naive::month_end(as_of);
    assert_eq!(page.contains("is not over: its numbers stand beside those of"), unfinished);
}

#[test]
fn a_night_without_a_trend_says_what_it_lacks() {
    let bench = Bench::new();
    bench.edit("as_of = [2024-12-31]", "as_of = [2024-12-30]");
    bench.edit("path = \"out\"", "path = \"out\"\nreport = [\"html\", \"json\"]");
    bench.runs();
    let page = String::from_utf8(bench.read("out/latest/report/index.html")).unwrap();
    for sentence in [
        "The job has one as-of date, so there is no trend.",
        "The job has no periods, so there are no cohorts.",
        "The job has no periods, so there is no growth to account for.",
    ] {
        assert!(page.contains(sentence), "{sentence}");
    }
    assert!(!page.contains("data-chart=\"growth-0\"") && !page.contains("data-chart=\"cohorts-0\""));
}

#[test]
fn a_lookback_before_the_data_is_hatched_and_said() {
    let bench = Bench::new();
    bench.edit("as_of = [2024-12-31]", "as_of = [2024-12-31]\ntrend = \"13 months\"\n[score]\nlookback = \"60d\"");
    // The scheme standard would look back a year.
    bench.append("[schemes]\nlifecycle = \"recency_windows\"");
    bench.runs();
    let page = String::from_utf8(bench.read("out/latest/report/index.html")).unwrap();
    assert!(page.contains("class=\"hatch\"") && page.contains("Hatched columns: the lookback reaches before the first order"));
    // The first order is of 5 January, so the lookbacks of the ends of January and February reach before it.
    let periods = read_file(&bench.path("out/latest/dim_period.parquet"));
    let short = periods.records().into_iter().filter(|row| *row["history_complete"] == Cell::Bool(false));
    let short: Vec<String> = short.map(|row| row["as_of"].key()).collect();
    assert_eq!(short, ["2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29"]);
}

#[test]
fn old_orders_are_warned_of() {
    let bench = Bench::new();
    let said = |as_of: &str| bench.succeeds(&["run", "job.toml", "--as-of", as_of]).err;
    let warning = "the newest order (column \"ordered_at\") is of 2024-12-31, 8 days before the as-of date 2025-01-08; look for a missing file or partition, or say with checks.newest_order_within how old it may be";
    assert!(said("2025-01-08").contains(warning));
    assert!(!said("2025-01-07").contains("the newest order"));
    bench.append("[checks]\nnewest_order_within = \"30d\"");
    assert!(!said("2025-01-08").contains("the newest order"));
}

#[test]
fn weeks_go_back_by_52_weeks() {
    let bench = Bench::new();
    bench.edit("as_of = [2024-12-31]", "as_of = [2024-12-26]\ntrend = \"3 weeks\"");
    bench.runs();
    let found = keyed(&bench, "dim_period", &["as_of"]);
    let rows: Vec<String> = found
        .values()
        .map(|row| {
            let days = ["as_of", "period_before", "same_period_last_year"].map(|name| row[name].key());
            format!("{} {} {}", row["role"].text(), row["label"].text(), days.join(" "))
        })
        .collect();
    // 26 December 2024 is a Thursday; so are the other two dates of unfinished weeks.
    assert_eq!(
        rows,
        [
            "comparison 2023-W52 to 28 Dec 2023-12-28 null null",
            "trend 2024-W49 2024-12-08 null null",
            "trend 2024-W50 2024-12-15 2024-12-08 null",
            "comparison 2024-W51 to 19 Dec 2024-12-19 null null",
            "trend 2024-W51 2024-12-22 2024-12-15 null",
            "own 2024-W52 to 26 Dec 2024-12-26 2024-12-19 2023-12-28",
        ]
    );
}

#[test]
fn a_trend_of_listed_periods() {
    let bench = Bench::new();
    let list = [
        "2023-01-01 2023-02-11 summer",
        "2023-02-12 2023-12-31 rest",
        "2024-01-01 2024-02-10 summer",
        "2024-02-11 2024-12-31 rest",
    ];
    let list: Vec<String> = (list.iter().map(|line| line.split(' ').collect::<Vec<_>>()))
        .map(|part| format!("[[periods.list]]\nfrom = {}\nto = {}\nlabel = \"{}\"\n", part[0], part[1], part[2]))
        .collect();
    bench.edit("as_of = [2024-12-31]", &format!("trend = \"2 periods\"\n{}", list.join("")));
    bench.succeeds(&["run", "job.toml", "--as-of", "2024-02-20"]);
    let found = keyed(&bench, "dim_period", &["as_of"]);
    let rows: Vec<String> =
        (found.values()).map(|row| format!("{} {} {}", row["as_of"].key(), row["role"].text(), row["label"].text())).collect();
    // The tenth day of the period before, and of the second period a year before.
    assert_eq!(
        rows,
        [
            "2023-02-21 comparison rest to 21 Feb",
            "2023-12-31 trend rest",
            "2024-01-10 comparison summer to 10 Jan",
            "2024-02-10 trend summer",
            "2024-02-20 own rest to 20 Feb",
        ]
    );
}

#[test]
fn what_a_trend_needs() {
    let bench = Bench::new();
    let refuses = |from: &str, to: &str, message: &str| {
        let text = bench.read("job.toml");
        bench.edit(from, to);
        bench.refuses(2, &format!("error: job.toml, line …, column …: {message}"));
        bench.write("job.toml", text);
    };
    let dates = "as_of = [2024-12-31]";
    refuses(
        dates,
        "as_of = [2024-11-30, 2024-12-31]\ntrend = \"13 months\"",
        "periods.trend goes back from a single as-of date, and the job has 2; give the night's date as --as-of, or remove trend.",
    );
    let expected = "expected a number of weeks, months, quarters or years, such as \"13 months\"";
    for (text, reason) in [
        ("13 days", expected.to_owned()),
        ("months", format!("{expected}, and 1 to 1000 of them")),
        ("0 months", format!("{expected}, and 1 to 1000 of them")),
    ] {
        refuses(dates, &format!("{dates}\ntrend = \"{text}\""), &format!("periods.trend is {text:?}; {reason}."));
    }
    refuses(
        dates,
        &format!("{dates}\ntrend = \"3 periods\""),
        &format!("periods.trend is \"3 periods\", but the job lists no periods; {expected}."),
    );
    refuses(
        dates,
        "every = \"quarter\"\nfrom = 2024-10-01\nto = 2024-12-31\ntrend = \"3 months\"",
        "periods.trend is \"3 months\", but periods.every = \"quarter\" gives the job other periods; give both the same unit, or remove every.",
    );
    refuses(
        dates,
        "trend = \"3 months\"\n[[periods.list]]\nfrom = 2024-01-01\nto = 2024-12-31",
        "periods.trend is \"3 months\", but the job lists its periods; count them, as in trend = \"13 periods\".",
    );
    refuses(
        dates,
        &format!("{dates}\ntrend = \"13 months\"\n[score]\ncuts = \"frozen\""),
        "score.cuts = \"frozen\" takes the cut points of the job's first date, which moves with every night of a trend; give the path of a cutpoints table, or remove periods.trend.",
    );
}
