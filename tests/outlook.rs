//! Tables of forecasts: published fits, counts against a naive second program, and the same bytes from any way of running.

mod strategies;

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::{ArrayRef, Date32Array};
use std::sync::Arc;

use crate::fixture::{Bench, decimals, ints, parquet_bytes, texts};
use crate::support::calendar::{add_months, days_from_civil};
use crate::support::run::{Cell, Table, Workshop, read_file, read_folder, said, table_hashes};

/// An order: customer, day, cents, slice.
type Order = (i64, i64, i64, &'static str);

const JOB: &str = "name = \"outlook\"\n[orders]\npath = \"orders.parquet\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\n\
    amount = \"amount\"\n";

fn days(days: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(days.into_iter().map(|day| Some(day as i32)).collect::<Date32Array>())
}

/// A folder with these orders and a job with these further lines.
fn shop(orders: &[Order], job: &str) -> Workshop {
    let shop = Workshop::new();
    let columns = [
        ("customer_id", ints(orders.iter().map(|order| order.0))),
        ("ordered_at", days(orders.iter().map(|order| order.1))),
        ("amount", decimals(2, orders.iter().map(|order| i128::from(order.2)))),
        ("shop", texts(orders.iter().map(|order| order.3))),
    ];
    std::fs::write(shop.path("orders.parquet"), parquet_bytes(&columns)).expect("orders");
    shop.write("job.toml", &format!("{JOB}{job}"));
    shop
}

fn table(shop: &Workshop, name: &str) -> Table {
    read_file(&shop.path(&format!("out/latest/{name}.parquet")))
}

/// The sample of CDNOW as orders that have its counts: the days between the first and the last stand anywhere.
fn cdnow() -> Vec<Order> {
    let as_of = days_from_civil(1997, 9, 30);
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cdnow.csv")).expect("the sample");
    let mut orders = Vec::new();
    for (id, line) in (0..).zip(text.lines().skip(1)) {
        let numbers: Vec<f64> = line.split(',').map(|n| n.parse().expect("a number")).collect();
        let (repeats, last, observed) = (numbers[0] as i64, numbers[1] as i64, numbers[2] as i64);
        let money = (numbers[3] * numbers[0]).round() as i64;
        let first = as_of - observed;
        orders.push((id, first, 1_000, "a"));
        for number in 1..=repeats {
            let day = if number == repeats { first + last } else { first + number };
            orders.push((id, day, money / repeats + i64::from(number <= money % repeats), "a"));
        }
    }
    orders
}

const AT_CDNOW: &str =
    "[periods]\nas_of = [1997-09-30]\n[forecast]\nhorizon = \"39 weeks\"\n[output]\npath = \"out\"\nreport = []\n";

/// Parameters of Fader, Hardie and Lee (2005) and of Fader and Hardie (2013).
#[test]
fn the_row_of_everybody_has_the_published_parameters() {
    let shop = shop(&cdnow(), AT_CDNOW);
    shop.run_here(None).expect("a run");
    let forecast = table(&shop, "forecast");
    let rows = forecast.records();
    assert_eq!((rows[0]["scheme"].text(), rows[0]["state"].text(), rows[0]["customers"].int()), ("(all)", "(all)", 2_357));
    let published = [("r", 0.553), ("alpha", 10.578), ("s", 0.606), ("beta", 11.669), ("p", 6.25), ("q", 3.74), ("v", 15.44)];
    for (name, value) in published {
        let found = rows[0][name].double();
        let digits = if name.len() == 1 && "pqv".contains(name) { 0.005 } else { 0.0006 };
        assert!((found - value).abs() <= digits, "{name}: {found}, not {value}");
    }
    assert_eq!(rows[0]["sampled"].int(), 2_357);
    assert!(matches!(rows[0]["is_inner"], Cell::Bool(true)));
    // Nothing is known of how well this goes.
    assert_eq!(rows[0]["past_horizons"].int(), 0);
    assert!(
        ["order_days_record_low", "revenue_record_high", "beats_last_horizon"]
            .iter()
            .all(|name| matches!(rows[0][name], Cell::Null))
    );
    // States of a scheme are everybody.
    for scheme in ["segment", "lifecycle"] {
        let of: Vec<_> = rows.iter().filter(|row| row["scheme"].text() == scheme).collect();
        let sum: f64 = of.iter().map(|row| row["expected_order_days"].double()).sum();
        assert!((sum - rows[0]["expected_order_days"].double()).abs() < 1e-6);
        assert_eq!(of.iter().map(|row| row["customers"].int()).sum::<i128>(), 2_357);
        for row in of {
            let [low, middle, high] =
                ["order_days_model_low", "expected_order_days", "order_days_model_high"].map(|n| row[n].double());
            assert!(low < middle && middle < high && matches!(row["r"], Cell::Null));
        }
    }
    assert_eq!(table(&shop, "backtest").records().len(), 0);
}

/// What is published of the whole of CDNOW, where it is at hand: 23,570 customers, 39 weeks held out.
#[test]
fn the_whole_of_cdnow_is_told_as_well_as_published() {
    let orders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/cdnow_master.parquet");
    if !orders.exists() {
        eprintln!("skipped: there is no {}", orders.display());
        return;
    }
    let shop = Workshop::new();
    shop.write(
        "job.toml",
        &format!(
            "name = \"cdnow\"\n[orders]\npath = {:?}\ncustomer_id = \"customer_id\"\nordered_at = \"date\"\namount = \"dollar_value\"\n\
             [periods]\nas_of = [1998-06-30]\n[forecast]\nhorizon = \"39 weeks\"\n[output]\npath = \"out\"\nreport = []\n",
            orders.display().to_string()
        ),
    );
    shop.run_here(None).expect("a run");
    let backtest = table(&shop, "backtest");
    let rows = backtest.records();
    let of = |method: &str, name: &str| {
        rows.iter().find(|row| row["method"].text() == method).map(|row| row[name].double()).expect("a row")
    };
    assert_eq!(rows[0]["customers"].int(), 23_570);
    assert!(of("model", "order_days_mae") <= 0.794 && of("model", "order_days_rmse") <= 1.7265);
    assert!((of("model", "order_days_error") + 0.129).abs() < 0.001);
    // As in the last 39 weeks.
    for (name, value) in [("order_days_mae", 0.912), ("order_days_rmse", 1.936), ("order_days_error", 0.236)] {
        assert!((of("last_horizon", name) - value).abs() < 0.0006, "{name}: {}", of("last_horizon", name));
    }
}

/// The table of real shops in docs/FORECAST.md, where their orders are at hand.
#[test]
fn the_record_of_real_shops_is_that_of_the_docs() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FORECAST.md")).expect("the page");
    let (_, docs) = docs.split_once("## Real shops").expect("the section");
    let mut compared = 0;
    for (name, file, keys, as_of) in [
        (
            "CDNOW",
            "cdnow_master.parquet",
            "ordered_at = \"date\"\namount = \"dollar_value\"\ncustomer_id = \"customer_id\"\n",
            "1998-06-30",
        ),
        (
            "Online Retail",
            "online_retail.parquet",
            "ordered_at = \"InvoiceDate\"\namount = [\"Quantity\", \"UnitPrice\"]\ncustomer_id = \"CustomerID\"\norder_id = \"InvoiceNo\"\n",
            "2011-11-30",
        ),
    ] {
        let orders = data.join(file);
        if !orders.exists() {
            eprintln!("skipped: there is no {}", orders.display());
            continue;
        }
        let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<String>>();
        let rows: Vec<Vec<String>> = docs.lines().filter(|line| line.starts_with(&format!("| {name} |"))).map(cells).collect();
        for of_horizon in rows.chunk_by(|one, other| one[1] == other[1]) {
            let shop = Workshop::new();
            let place = format!("path = {:?}\n", orders.display().to_string());
            let horizon = &of_horizon[0][1];
            shop.write(
                "job.toml",
                &format!(
                    "name = \"real\"\n[orders]\n{place}{keys}[periods]\nas_of = [{as_of}]\n[forecast]\nhorizon = \"{horizon}\"\n\
                     [output]\npath = \"out\"\nreport = []\n"
                ),
            );
            shop.run_here(None).expect("a run");
            let backtest = table(&shop, "backtest");
            let records = backtest.records();
            let of = |method: &str| {
                let mut of: Vec<_> = records.iter().filter(|row| row["method"].text() == method).collect();
                of.sort_by_key(|row| row["origin"].date());
                of
            };
            let yes = |cell: &Cell| match cell {
                Cell::Bool(true) => "yes",
                Cell::Bool(false) => "no",
                _ => "–",
            };
            let signed = |share: f64| format!("{:+.1} %", 100.0 * share);
            let found = of("model").into_iter().zip(of("last_horizon")).map(|(model, before)| {
                vec![
                    name.to_owned(),
                    horizon.clone(),
                    crate::support::calendar::date_text(model["origin"].date()),
                    with_commas(model["customers"].int()),
                    with_commas(model["actual_order_days"].int()),
                    signed(model["order_days_error"].double()),
                    signed(before["order_days_error"].double()),
                    format!("{:.3}", model["order_days_rmse"].double()),
                    format!("{:.3}", before["order_days_rmse"].double()),
                    yes(model["is_in_order_days_model"]).to_owned(),
                    yes(model["is_in_order_days_record"]).to_owned(),
                ]
            });
            assert_eq!(found.collect::<Vec<_>>(), of_horizon, "{name} {horizon}");
            compared += of_horizon.len();
        }
        assert!(compared > 5);
    }
}

/// A number as the docs write it.
fn with_commas(number: i128) -> String {
    let digits = number.to_string();
    let first = (digits.len() - 1) % 3 + 1;
    let rest = digits.as_bytes()[first..].chunks(3).map(|group| format!(",{}", String::from_utf8_lossy(group)));
    digits[..first].to_owned() + &rest.collect::<String>()
}

/// Orders of two shops over three years, some of them returns, some on one day.
fn random_orders() -> Vec<Order> {
    let mut state = 11u64;
    let mut random = |below: i64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % below as u64) as i64
    };
    let end = days_from_civil(2024, 12, 31);
    let mut orders = Vec::new();
    for id in 0..400 {
        let (first, pace) = (end - random(1_090), 5 + random(120));
        let mut day = first;
        while day <= end + 40 {
            orders.push((id, day, 500 + random(9_000), ["north", "south"][(id % 3 == 0) as usize]));
            if random(6) == 0 {
                orders.push((id, day, 300, ["north", "south"][(id % 3 == 0) as usize]));
            }
            if random(8) == 0 {
                orders.push((id, day + random(20), -200, ["north", "south"][(id % 3 == 0) as usize]));
            }
            day += 1 + random(2 * pace);
            if random(12) == 0 {
                break;
            }
        }
    }
    orders
}

/// Days with a purchase and cents up to a day, and the first day.
fn known(orders: &[Order], id: i64, day: i64) -> (i64, i64, Option<i64>) {
    let own: Vec<&Order> = orders.iter().filter(|order| order.0 == id && order.1 <= day).collect();
    let mut bought: Vec<i64> = own.iter().filter(|order| order.2 > 0).map(|order| order.1).collect();
    bought.sort_unstable();
    bought.dedup();
    (bought.len() as i64, own.iter().map(|order| order.2).sum(), bought.first().copied())
}

/// What each did between two days, without a first purchase if `repeated`.
fn did(orders: &[Order], id: i64, (from, to): (i64, i64), repeated: bool) -> (f64, f64) {
    let (before, after) = (known(orders, id, from), known(orders, id, to));
    let (mut visits, mut cents) = (after.0 - before.0, after.1 - before.1);
    if let (true, 0, Some(first)) = (repeated, before.0, after.2) {
        visits -= 1;
        cents -= known(orders, id, first).1;
    }
    (visits as f64, cents as f64 / 100.0)
}

const SLICED: &str = "slice = \"shop\"\n[periods]\nas_of = [2024-12-31]\n[forecast]\nhorizon = \"1 quarter\"\n[output]\npath = \"out\"\nreport = []\n";

/// Past horizons, what came of them, and both simple rules, counted again order by order.
#[test]
fn records_are_those_of_a_naive_count() {
    let orders = random_orders();
    let shop = shop(&orders, SLICED);
    shop.run_here(None).expect("a run");
    let (backtest, forecast) = (table(&shop, "backtest"), table(&shop, "forecast"));
    let begin = orders.iter().map(|order| order.1).min().expect("orders");
    let mut compared = 0;
    for row in backtest.records() {
        let ago = row["horizons_ago"].int() as i64;
        // Quarters end on the last of March, June, September and December.
        let end_of = |quarters: i64| add_months(days_from_civil(2025, 1, 1), -3 * quarters) - 1;
        let (origin, end) = (end_of(ago), end_of(ago - 1));
        assert_eq!((row["origin"].date(), row["horizon_end"].date()), (origin, end));
        let earlier = match row["method"].text() {
            "model" => None,
            "last_horizon" => Some((end_of(ago + 1), origin)),
            "year_ago" => Some((end_of(ago + 4), end_of(ago + 3))),
            other => panic!("{other}"),
        };
        assert!(earlier.is_none_or(|earlier| earlier.0 + 1 >= begin));
        let customers = (0..400).filter(|id| orders.iter().any(|order| order.0 == *id && order.3 == row["slice"].text()));
        let known: Vec<i64> = customers.filter(|id| known(&orders, *id, origin).0 > 0).collect();
        assert_eq!(row["customers"].int(), known.len() as i128);
        let came = known.iter().map(|id| did(&orders, *id, (origin, end), false));
        let (visits, money) = came.clone().fold((0.0, 0.0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        assert_eq!(row["actual_order_days"].int() as f64, visits);
        assert!((row["actual_revenue"].minor() as f64 / 100.0 - money).abs() < 0.01);
        let Some(earlier) = earlier else { continue };
        compared += 1;
        let told: Vec<(f64, f64)> = known.iter().map(|id| did(&orders, *id, earlier, true)).collect();
        let errors: Vec<(f64, f64)> = told.iter().zip(came).map(|(told, came)| (told.0 - came.0, told.1 - came.1)).collect();
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| errors.iter().map(of).sum::<f64>() / errors.len() as f64;
        let close = |name: &str, value: f64| assert!((row[name].double() - value).abs() < 1e-9 * (1.0 + value), "{name} {ago}");
        close("expected_order_days", told.iter().map(|of| of.0).sum());
        close("order_days_mae", mean(&|error| error.0.abs()));
        close("order_days_rmse", mean(&|error| error.0 * error.0).sqrt());
        close("revenue_mae", mean(&|error| error.1.abs()));
        close("revenue_rmse", mean(&|error| error.1 * error.1).sqrt());
    }
    // Two slices, six horizons, both rules.
    assert_eq!(compared, 24);
    for slice in ["north", "south"] {
        beats_what_it_says(slice, &backtest, &forecast);
        record_is_widened_by_errors(slice, &backtest, &forecast);
    }
    warned_of_slices(&forecast, &shop);
}

/// The claims of `forecast` follow from the rows of `backtest`.
fn beats_what_it_says(slice: &str, backtest: &Table, forecast: &Table) {
    let forecast = forecast.records();
    let all = forecast.iter().find(|row| row["slice"].text() == slice && row["state"].text() == "(all)").expect("a row");
    for (method, claim) in [("last_horizon", "beats_last_horizon"), ("year_ago", "beats_year_ago")] {
        let mut sums: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
        for row in backtest.records().iter().filter(|row| row["slice"].text() == slice) {
            let of = sums
                .entry(match row["method"].text() {
                    "model" => "model",
                    name if name == method => "other",
                    _ => continue,
                })
                .or_default();
            of[0] += (row["expected_order_days"].double() - row["actual_order_days"].int() as f64).abs();
            of[1] += row["order_days_rmse"].double().powi(2) * row["customers"].int() as f64;
        }
        let (model, other) = (sums["model"], sums["other"]);
        let beats = model[0] < other[0] && model[1] < other[1];
        assert!(matches!(all[claim], Cell::Bool(said) if *said == beats), "{slice} {claim}");
    }
}

/// Student's t quantile (0.95, 6 degrees of freedom: 1.943180, of tables) times the root mean square of the errors.
fn record_is_widened_by_errors(slice: &str, backtest: &Table, forecast: &Table) {
    let forecast = forecast.records();
    let all = forecast.iter().find(|row| row["slice"].text() == slice && row["state"].text() == "(all)").expect("a row");
    let records = backtest.records();
    let errors: Vec<f64> = records
        .iter()
        .filter(|row| row["slice"].text() == slice && row["method"].text() == "model")
        .map(|row| row["actual_order_days"].int() as f64 / row["expected_order_days"].double() - 1.0)
        .collect();
    assert_eq!(errors.len(), 6);
    let reach = 1.943_180 * (errors.iter().map(|error| error * error).sum::<f64>() / 6.0).sqrt();
    let expected = all["expected_order_days"].double();
    assert!((all["order_days_record_high"].double() / expected - 1.0 - reach).abs() < 1e-5);
    assert!((all["order_days_record_low"].double() / expected - (1.0 - reach).max(0.0)).abs() < 1e-5);
}

/// Threads, shards and the memory limit decide over nothing, nor do the order of rows and a table of customers.
#[test]
fn forecasts_are_the_same_however_they_are_made() {
    let mut orders = random_orders();
    let first = shop(&orders, SLICED);
    assert!(first.run(&["--quiet", "--threads", "1"]).status.success());
    let hashes = table_hashes(&first.path("out/latest/"));
    let of_forecast = |hashes: &BTreeMap<String, String>| {
        hashes
            .iter()
            .filter(|(name, _)| name.contains("forecast") || name.contains("backtest"))
            .map(|(_, hash)| hash.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(of_forecast(&hashes).len(), 4);
    for arguments in
        [&["--threads", "2"][..], &["--memory-limit", "192MiB"], &["--shards", "3", "--work", "work", "--launcher", "local"]]
    {
        let other = shop(&orders, SLICED);
        let output = other.run(&[&["--quiet"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(table_hashes(&other.path("out/latest/")), hashes, "{arguments:?}");
    }
    orders.reverse();
    let reversed = shop(&orders, SLICED);
    reversed.run_here(None).expect("a run");
    assert_eq!(of_forecast(&table_hashes(&reversed.path("out/latest/"))), of_forecast(&hashes));
    let with_table = shop(
        &orders,
        &format!("{SLICED}[customers]\npath = \"people.parquet\"\ncustomer_id = \"customer_id\"\ndimensions = [\"town\"]\n"),
    );
    let people = [("customer_id", ints(0..500)), ("town", texts((0..500).map(|id| ["t0", "t1"][id % 2])))];
    std::fs::write(with_table.path("people.parquet"), parquet_bytes(&people)).expect("people");
    with_table.run_here(None).expect("a run");
    let expected = |shop: &Workshop| {
        let table = table(shop, "forecast");
        table
            .records()
            .iter()
            .map(|row| (row["slice"].text().to_owned(), row["state"].text().to_owned(), row["expected_revenue"].minor()))
            .collect::<Vec<_>>()
    };
    assert_eq!(expected(&with_table), expected(&first));
}

/// The warning about slices in which a simple rule told as much as the model says how many they are.
fn warned_of_slices(forecast: &Table, shop: &Workshop) {
    let rows = forecast.records();
    let is_unproven = |slice: &str| {
        let all = rows.iter().find(|row| row["slice"].text() == slice && row["scheme"].text() == "(all)").expect("a row");
        [all["beats_last_horizon"], all["beats_year_ago"]].contains(&&Cell::Bool(false))
    };
    let unproven: Vec<&str> = ["north", "south"].into_iter().filter(|slice| is_unproven(slice)).collect();
    let first = unproven.first().expect("orders at random are told by no model");
    let told = format!("in {} of 2 slices, the first of them {first:?} ", unproven.len());
    let warnings = warnings(shop);
    assert!(warnings.iter().any(|said| said.starts_with("over past horizons") && said.contains(&told)), "{told}: {warnings:?}");
}

/// What the console warns of in a run of the same job that writes elsewhere.
fn warnings(shop: &Workshop) -> Vec<String> {
    let output = shop.run(&["--output", "again"]);
    assert!(output.status.success(), "{}", said(&output));
    let lines = String::from_utf8_lossy(&output.stderr).into_owned();
    lines.lines().filter_map(|line| line.strip_prefix("warning: ")).map(str::to_owned).collect()
}

/// Shops of which nothing can be told still get their tables: nobody buys again, one customer, one day, money of nothing.
#[test]
fn small_shops_get_tables() {
    let day = days_from_civil(2024, 6, 1);
    let once: Vec<Order> = (0..50).map(|id| (id, day + id, 1_000, "a")).collect();
    let one = vec![(1, day, 1_000, "a"), (1, day + 9, 1_000, "a")];
    let same_day: Vec<Order> = (0..50).map(|id| (id, day + 213, 1_000, "a")).collect();
    let free: Vec<Order> = (0..50).flat_map(|id| [(id, day, 0, "a"), (id, day + id, 0, "a")]).collect();
    let alike: Vec<Order> = (0..50).flat_map(|id| (0..10).map(move |k| (id, day + 20 * k, 1_000, "a"))).collect();
    let few: Vec<Order> = (0..29).flat_map(|id| [(id, day, 500, "a"), (id, day + 30 + id, 500, "a")]).collect();
    for orders in [once, one, same_day, free, alike, few] {
        let shop =
            shop(&orders, "[periods]\nas_of = [2024-12-31]\n[forecast]\nhorizon = \"30 days\"\n[output]\npath = \"out\"\n");
        shop.run_here(None).expect("a run");
        let forecast = table(&shop, "forecast");
        // Of fewer than 30 customers who bought on two days nothing is told.
        let mut days: Vec<(i64, i64)> = orders.iter().map(|order| (order.0, order.1)).collect();
        days.sort_unstable();
        days.dedup();
        let repeaters = days.chunk_by(|one, other| one.0 == other.0).filter(|own| own.len() > 1).count();
        assert_eq!(forecast.records().is_empty(), repeaters < 30, "{repeaters} customers bought twice");
        let page = std::fs::read_to_string(shop.path("out/latest/report/index.html")).expect("a page");
        assert_eq!(page.contains("Fewer than 30 customers have bought on two days"), repeaters < 30);
        let warned = warnings(&shop).iter().any(|said| said.starts_with("there is no forecast: fewer than 30 customers"));
        assert_eq!(warned, repeaters < 30);
        let Some(all) = forecast.records().first().cloned() else { continue };
        let expected = all["expected_order_days"].double();
        assert!((0.0..1e3).contains(&expected), "{expected}");
        let interval = ["order_days_model_low", "order_days_model_high"].map(|name| all[name]);
        if let [Cell::Null, _] = interval {
            continue;
        }
        assert!(interval[0].double() <= expected && expected <= interval[1].double());
    }
}

/// The text of the section about the forecast.
fn page(orders: &[Order], output: &str) -> (String, Workshop) {
    let job = format!("[periods]\nas_of = [2024-12-31]\n[forecast]\nhorizon = \"1 quarter\"\n[output]\npath = \"out\"\n{output}");
    let shop = shop(orders, &job);
    shop.run_here(None).expect("a run");
    let page = std::fs::read_to_string(shop.path("out/latest/report/index.html")).expect("a page");
    let section =
        page.split("<section id=\"forecast\">").nth(1).and_then(|rest| rest.split("</section>").next()).expect("a section");
    let text = section.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text).collect::<String>();
    (text, shop)
}

/// What the section says first is what the record says.
#[test]
fn the_page_says_first_what_the_record_is_worth() {
    let regular: Vec<Order> = (0..60)
        .flat_map(|id| (0..36).map(move |month| (id, add_months(days_from_civil(2022, 1, 1 + id % 28), month), 1_000, "a")))
        .collect();
    let young: Vec<Order> = (0..60)
        .flat_map(|id| [(id, days_from_civil(2024, 12, 1 + id % 9), 700, "a"), (id, days_from_civil(2024, 12, 20), 300, "a")])
        .collect();
    let mut said = Vec::new();
    for orders in [random_orders(), regular, young] {
        let (text, shop) = page(&orders, "");
        let forecast = table(&shop, "forecast");
        let all = &forecast.records()[0];
        let expected = match (all["beats_last_horizon"], all["beats_year_ago"]) {
            (Cell::Null, _) => "The orders do not reach back far enough to say",
            (Cell::Bool(true), Cell::Bool(true)) => "better, in sum and for single customers, than two simple rules",
            (Cell::Bool(true), Cell::Bool(false)) => {
                "the simple rule “as in the same horizon a year earlier” told purchases as well as the model"
            }
            (Cell::Bool(false), Cell::Bool(false)) => "a year earlier, each told purchases as well as the model or better",
            (Cell::Bool(false), _) => "the simple rule “as in the horizon before” told purchases as well as the model",
            other => panic!("{other:?}"),
        };
        assert!(text.trim_start().contains(expected), "{expected}: {text}");
        let is_unproven = [all["beats_last_horizon"], all["beats_year_ago"]].contains(&&Cell::Bool(false));
        let told = "over past horizons a simple rule told purchases as well as the forecast or better";
        assert_eq!(warnings(&shop).iter().any(|said| said.starts_with(told)), is_unproven, "{expected}");
        said.push(expected);
    }
    said.dedup();
    assert_eq!(said.len(), 3, "the three shops say different things");
}

/// States of few customers are hidden here as they are in the table of states, and so is what would tell of them.
#[test]
fn the_page_hides_small_groups() {
    let (shown, _) = page(&random_orders(), "");
    assert!(!shown.contains("hidden"), "{shown}");
    let (text, shop) = page(&random_orders(), "min_group = 40\nreport = [\"html\", \"json\"]");
    assert!(text.contains("hidden"), "{text}");
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(shop.path("out/latest/report/report.json")).expect("a file")).expect("JSON");
    let rows = |table: &str| json[table].as_array().cloned().unwrap_or_default();
    let hidden = |row: &serde_json::Value| row["suppressed"] == true;
    let of_segments: BTreeMap<(String, String), bool> =
        rows("segments").iter().map(|row| ((row["scheme"].to_string(), row["state"].to_string()), hidden(row))).collect();
    let of_forecast = rows("forecast");
    assert!(of_forecast.len() > 5 && of_forecast.iter().any(hidden) && !of_forecast.iter().all(hidden));
    for row in of_forecast.iter().filter(|row| row["scheme"] != "(all)") {
        assert_eq!(hidden(row), of_segments[&(row["scheme"].to_string(), row["state"].to_string())], "{row}");
        assert_eq!(hidden(row), row["expected_revenue"].is_null() && row["order_days_model_high"].is_null(), "{row}");
    }
}

/// Each customer's own numbers add up to those of the states, another horizon is another number, earlier dates have their own model, and
/// schemes compare them.
#[test]
fn measures_are_what_states_sum() {
    let orders = random_orders();
    let columns = "columns = [\"expected_orders\", \"expected_value\", \"expected_value@1y\", \"next_order_low\", \"next_order_median\", \"next_order_high\", \"recency_days\", \"worth\"]\n";
    let scheme = "[schemes]\nworth = \"worth.toml\"\n";
    let job = |dates: &str| {
        format!(
            "[periods]\nas_of = [{dates}]\n[forecast]\nhorizon = \"1 quarter\"\n{scheme}[output]\npath = \"out\"\nreport = []\n{columns}"
        )
    };
    let run = |dates: &str| {
        let shop = shop(&orders, &job(dates));
        shop.write(
            "worth.toml",
            "name = \"worth\"\nladder = [\"high\", \"low\"]\n[[states]]\nname = \"high\"\n[[states]]\nname = \"low\"\n\
             [[rules]]\nstate = \"high\"\nwhen = { expected_value = { above = 100 } }\n[[rules]]\nstate = \"low\"\n",
        );
        shop.run_here(None).expect("a run");
        shop
    };
    let last = run("2024-12-31");
    let customers = read_folder(&last.path("out/latest/customers/as_of=2024-12-31"));
    let (mut visits, mut by_state) = (0.0, BTreeMap::<String, i128>::new());
    for row in customers.records() {
        let value = row["expected_value"].minor();
        visits += row["expected_orders"].double();
        assert_eq!(row["worth"].text(), if value > 10_000 { "high" } else { "low" });
        assert!(row["expected_value@1y"].minor() >= value);
        *by_state.entry(row["worth"].text().to_owned()).or_default() += value;
    }
    let forecast = table(&last, "forecast");
    let rows = forecast.records();
    assert!((rows[0]["expected_order_days"].double() - visits).abs() < 1e-6);
    assert!(by_state.len() == 2 && rows.len() == 3);
    for row in &rows[1..] {
        // Each customer's money is rounded.
        assert!((row["expected_revenue"].minor() - by_state[row["state"].text()]).abs() <= row["customers"].int());
    }
    let (both, earlier) = (run("2024-06-30, 2024-12-31"), run("2024-06-30"));
    let of = |shop: &Workshop, date: &str| {
        let table = read_folder(&shop.path(&format!("out/latest/customers/as_of={date}")));
        let value = |row: &BTreeMap<&str, &Cell>| {
            (row["customer_id"].int(), row["expected_value"].minor(), row["worth"].text().to_owned())
        };
        table.records().iter().map(value).collect::<Vec<_>>()
    };
    assert_eq!(of(&both, "2024-12-31"), of(&last, "2024-12-31"));
    // One more customer of the sample is in no history of June, and the fit of June is the same.
    assert_eq!(of(&both, "2024-06-30"), of(&earlier, "2024-06-30"));
    let limited = shop(&orders, &job("2024-06-30, 2024-12-31"));
    std::fs::copy(both.path("worth.toml"), limited.path("worth.toml")).expect("a copy");
    assert!(
        limited
            .run(&["--quiet", "--memory-limit", "192MiB", "--shards", "2", "--work", "work", "--launcher", "local"])
            .status
            .success()
    );
    assert_eq!(table_hashes(&limited.path("out/latest/")), table_hashes(&both.path("out/latest/")));
}

/// Measures that a job cannot have.
#[test]
fn measures_need_a_forecast() {
    let bench = Bench::new();
    bench.edit("path = \"out\"", "path = \"out\"\ncolumns = [\"expected_orders\"]");
    bench.refuses(
        2,
        "error: …job.toml: expected_orders is asked for, but the job forecasts nothing; add a section [forecast] with a horizon.",
    );
    bench.append("[forecast]\nhorizon = \"1 month\"");
    bench.runs();
    bench.edit("columns = [\"expected_orders\"]", "columns = [\"expected_orders@all\"]");
    bench.refuses(2, "error: …measure \"expected_orders@all\": expected_orders looks ahead over a horizon such as \"expected_orders@90d\", which has an end.");
    bench.edit("columns = [\"expected_orders@all\"]", "columns = [\"expected_orders@30d\"]");
    bench.append("[score.only]\nexpected_value = { above = 1 }");
    bench.refuses(
        2,
        "error: …score.only names expected_value, which is known after customers are scored; use it in a scheme, or take it out.",
    );
}

/// What a job may not ask for.
#[test]
fn impossible_horizons_are_refused() {
    let refused = |horizon: &str, message: &str| {
        let bench = Bench::new();
        bench.append(&format!("[forecast]\nhorizon = \"{horizon}\""));
        bench.refuses(2, message);
    };
    refused("all", "error: …forecast.horizon is \"all\"; expected a length of time, such as \"90 days\" or \"1 quarter\".");
    refused("soon", "error: …forecast.horizon is \"soon\"; expected a length of time, such as \"90 days\" or \"1 quarter\".");
    refused(
        "11 years",
        "error: …forecast.horizon is \"11 years\"; expected at most ten years, such as \"90 days\" or \"1 quarter\".",
    );
    let bench = Bench::new();
    bench.edit("path = \"out\"", "path = \"out\"\ntables = [\"forecast\"]");
    bench.refuses(
        2,
        "error: …output.tables names \"forecast\", but the job forecasts nothing; remove it, or add a [forecast] with a horizon.",
    );
}
