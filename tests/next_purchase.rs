//! When the next purchase comes: against a double integral over all rates, in tables and the CRM file, and in real shops.

use std::collections::BTreeMap;
use std::path::Path;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rfmill::internals::domain::Day;
use rfmill::internals::forecast::next_purchase::times_to_purchase;
use rfmill::internals::forecast::pareto_nbd::{Fit, History, Parameters};
use rfmill::internals::forecast::{CustomerHistory, Model};

use crate::fixture::Bench;
use crate::support::run::{Cell, Workshop, files_below, read_file, read_folder};

/// The chances whose days are told.
const CHANCES: [f64; 3] = [0.05, 0.5, 0.95];

/// Ten years in weeks.
const BOUND: f64 = 3_653.0 / 7.0;

/// Places of a logarithm at which a gamma density with this shape is more than nothing, if the slowest and the fastest rate are these.
fn places(shape: f64, rates: [f64; 2]) -> Vec<f64> {
    let low = (shape / rates[1]).ln() - 40.0 / shape - 8.0 / shape.sqrt();
    let high = ((60.0 + 3.0 * shape) / rates[0]).ln();
    let count = ((high - low) / (0.8 / shape.sqrt()).min(0.3)).ceil();
    (0..=count as usize).map(|at| low + (high - low) * at as f64 / count).collect()
}

/// The chances of a purchase within some times after a history, by definition: over all rates of purchases and of going, weighed by how
/// likely the history is with them.
fn chances(parameters: &Parameters, history: &History, times: &[f64]) -> Vec<f64> {
    let Parameters { r, alpha, s, beta } = *parameters;
    let History { repeats, last, observed, .. } = *history;
    let mut all = 0.0;
    let mut bought = vec![0.0; times.len()];
    for rate in places(r + repeats, [alpha + last, alpha + observed]) {
        let of_rate = (r + repeats) * rate - alpha * rate.exp();
        let rate = rate.exp();
        for going in places(s, [beta, beta + observed]) {
            let prior = of_rate + s * going - beta * going.exp();
            let going = going.exp();
            // Alive at the end, or gone at any time since the last purchase.
            let alive = (prior - (rate + going) * observed).exp();
            let gone = going / (rate + going) * ((prior - (rate + going) * last).exp() - alive);
            all += alive + gone;
            for (sum, time) in bought.iter_mut().zip(times) {
                *sum += alive * rate / (rate + going) * -(-(rate + going) * time).exp_m1();
            }
        }
    }
    bought.iter().map(|sum| sum / all).collect()
}

/// At the times that are told the chance is the one that is asked for, and where none is told, it is not reached within the bound.
#[test]
fn times_have_their_chances_over_all_rates() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (mut told, mut none) = (0, 0);
    for number in 0..60 {
        let logs: [f64; 4] = [(-1.2, 3.0), (-1.0, 5.0), (-1.2, 1.0), (1.0, 7.0)].map(|(low, high)| rng.random_range(low..high));
        let parameters = Parameters::of_logarithms(&logs);
        let observed = rng.random_range(0.0f64..150.0);
        let repeats = if number % 3 == 0 { 0.0 } else { f64::from(rng.random_range(1..40)) };
        let last = if repeats == 0.0 { 0.0 } else { observed * rng.random_range(0.3..=1.0) };
        let history = History { repeats, last, observed, customers: 1.0 };
        let times = times_to_purchase(&parameters, &history, CHANCES, BOUND);
        let known: Vec<f64> = times.iter().map(|time| time.unwrap_or(BOUND)).collect();
        for ((time, chance), found) in times.iter().zip(CHANCES).zip(chances(&parameters, &history, &known)) {
            match time {
                Some(_) => assert!((found - chance).abs() < 1e-7, "{parameters:?} {history:?}: {found}, not {chance}"),
                None => assert!(found < chance + 1e-7, "{parameters:?} {history:?}: {found}, at least {chance}"),
            }
            *(if time.is_some() { &mut told } else { &mut none }) += 1;
        }
        assert!(times.is_sorted_by(|one, other| other.is_none() || one <= other), "{times:?}");
    }
    assert!(told > 60 && none > 20, "{told} {none}");
}

/// Where nobody ever goes, the time to the next purchase has the Lomax distribution, whose quantiles are closed.
#[test]
fn times_of_who_stays_are_those_of_lomax() {
    for (r, alpha, repeats, observed) in [(0.5, 10.0, 0.0, 30.0), (3.0, 2.0, 25.0, 52.0), (900.0, 1_000.0, 80.0, 100.0)] {
        let parameters = Parameters { r, alpha, s: 1e-3, beta: 1e9 };
        let history = History { repeats, last: observed, observed, customers: 1.0 };
        let times = times_to_purchase(&parameters, &history, CHANCES, 1e9);
        for (time, chance) in times.iter().zip(CHANCES) {
            let closed = (alpha + observed) * ((1.0f64 - chance).powf(-1.0 / (r + repeats)) - 1.0);
            assert!(time.is_some_and(|time| (time / closed - 1.0).abs() < 1e-6), "{time:?}, not {closed}");
        }
    }
}

/// Days are whole, the first is that after the as-of date, and none lies beyond ten years or the last date there is.
#[test]
fn days_lie_after_the_date_and_within_ten_years() {
    let model = |r: f64, alpha: f64| {
        let parameters = Parameters { r, alpha, s: 1e-3, beta: 1e6 };
        let fit = Fit { parameters, log_likelihood: 0.0, customers: 1.0, is_inner: true, covariance: None };
        Model { purchases: fit, spend: None }
    };
    let history = |origin: i32, days: i32| CustomerHistory { order_days: 9, first: origin - days, last: origin, repeat_money: 9 };
    // Several purchases a day.
    let often = model(1_000.0, 20.0);
    assert_eq!(often.next_purchase(&history(10_000, 60), Day(10_000)), [Some(Day(10_001)); 3]);
    // One in twelve years, more or less.
    let seldom = model(0.2, 6_000.0);
    let [low, median, high] = seldom.next_purchase(&history(10_000, 4_000), Day(10_000));
    assert!(low.is_some_and(|day| day.0 > 10_001) && median.is_none_or(|day| day.0 <= 13_653) && high.is_none());
    let last = Day::MAX.0;
    for before in 0..3 {
        let origin = last - before;
        let found = often.next_purchase(&history(origin, 60), Day(origin));
        assert_eq!(found, [(before > 0).then_some(Day(origin + 1)); 3]);
    }
    let near = model(50.0, 100.0).next_purchase(&history(last - 2, 700), Day(last - 2));
    assert!(near[0].is_some() && near[2].is_none(), "{near:?}");
}

/// Orders of the sample of CDNOW, whose days between the first and the last stand anywhere.
fn cdnow(shop: &Workshop) {
    use crate::fixture::{dates, decimals, ints, parquet_bytes};
    use crate::support::calendar::{date_text, days_from_civil};
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cdnow.csv")).expect("the sample");
    let mut orders = Vec::new();
    for (id, line) in (0..).zip(text.lines().skip(1)) {
        let numbers: Vec<f64> = line.split(',').map(|n| n.parse().expect("a number")).collect();
        let first = days_from_civil(1997, 9, 30) - numbers[2] as i64;
        let between = (1..numbers[0] as i64).map(|number| first + number);
        let repeated = between.chain((numbers[0] > 0.0).then_some(first + numbers[1] as i64));
        orders.extend([first].into_iter().chain(repeated).map(|day| (id, date_text(day))));
    }
    let columns = [
        ("customer_id", ints(orders.iter().map(|order| order.0))),
        ("ordered_at", dates(orders.iter().map(|order| order.1.as_str()))),
        ("amount", decimals(2, orders.iter().map(|_| 1_000))),
    ];
    std::fs::write(shop.path("orders.parquet"), parquet_bytes(&columns)).expect("orders");
}

const JOB: &str = "name = \"next\"\n[orders]\npath = \"orders.parquet\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\n\
    amount = \"amount\"\n[periods]\nas_of = [1997-09-30]\n[forecast]\nhorizon = \"13 weeks\"\n";

const COLUMNS: &str = "\"next_order_low\", \"next_order_median\", \"next_order_high\"";

/// In a table, a day is the first by which its chance is reached; the CRM file has the same days beside `next_due`.
#[test]
fn columns_hold_the_first_days_with_their_chances() {
    let shop = Workshop::new();
    cdnow(&shop);
    shop.write(
        "job.toml",
        &format!(
            "{JOB}[output]\npath = \"out\"\nreport = [\"crm\"]\ncolumns = [\"first_order\", \"last_order\", \"lifetime_orders\", \"next_due\", {COLUMNS}]\n"
        ),
    );
    shop.run_here(None).expect("a run");
    let forecast = read_file(&shop.path("out/latest/forecast.parquet"));
    let of = |name: &str| forecast.records()[0][name].double();
    let parameters = Parameters { r: of("r"), alpha: of("alpha"), s: of("s"), beta: of("beta") };
    let customers = read_folder(&shop.path("out/latest/customers"));
    let as_of = crate::support::calendar::days_from_civil(1997, 9, 30);
    let (mut days, mut nulls) = (0, 0);
    for row in customers.records().iter().step_by(31) {
        let [first, last] = ["first_order", "last_order"].map(|name| row[name].date());
        let history = History {
            repeats: row["lifetime_orders"].int() as f64 - 1.0,
            last: (last - first) as f64 / 7.0,
            observed: (as_of - first) as f64 / 7.0,
            customers: 1.0,
        };
        for (name, chance) in ["next_order_low", "next_order_median", "next_order_high"].into_iter().zip(CHANCES) {
            let day = match row[name] {
                Cell::Date(day) => (day - as_of) as f64,
                _ => 3_654.0,
            };
            let [before, on] = chances(&parameters, &history, &[(day - 1.0) / 7.0, day / 7.0])[..] else { panic!("two chances") };
            assert!(before < chance, "{name}: {before} on the day before");
            assert!(matches!(row[name], Cell::Null) || on >= chance, "{name}: {on}");
            *(if matches!(row[name], Cell::Null) { &mut nulls } else { &mut days }) += 1;
        }
    }
    assert!(days > 80 && nulls > 60, "{days} days, {nulls} nulls");
    let file = files_below(&shop.path("out/latest/report")).into_iter().find(|path| path.extension().is_some_and(|e| e == "csv"));
    let mut reader = csv::Reader::from_path(file.expect("a CRM file")).expect("CSV");
    let head: Vec<String> = reader.headers().expect("a head").iter().map(str::to_owned).collect();
    assert!(
        head.ends_with(
            &["next_due", "next_order_low", "next_order_median", "next_order_high", "why", "action"].map(String::from)
        )
    );
    let by_id: BTreeMap<i128, _> = customers.records().into_iter().map(|row| (row["customer_id"].int(), row)).collect();
    let mut rows = 0;
    for line in reader.records() {
        let line = line.expect("a line");
        let cell =
            |name: &str| line.get(head.iter().position(|column| column == name).expect("a column")).expect("a cell").to_owned();
        let row = &by_id[&cell("customer_id").parse().expect("an id")];
        for name in ["next_due", "next_order_low", "next_order_median", "next_order_high"] {
            let day = match row[name] {
                Cell::Date(day) => crate::support::calendar::date_text(*day),
                _ => String::new(),
            };
            assert_eq!(cell(name), day);
        }
        rows += 1;
    }
    assert_eq!(rows, 2_357);
}

/// Rules may look at the days, and dim_date has all of them.
#[test]
fn rules_and_calendars_know_the_days() {
    let shop = Workshop::new();
    cdnow(&shop);
    shop.write(
        "job.toml",
        &format!(
            "{JOB}[schemes]\nsure = \"sure.toml\"\n[output]\npath = \"out\"\nreport = []\ncolumns = [\"sure\", {COLUMNS}]\n"
        ),
    );
    shop.write(
        "sure.toml",
        "name = \"sure\"\nladder = [\"sure\", \"open\"]\n[[states]]\nname = \"sure\"\n[[states]]\nname = \"open\"\n\
         [[rules]]\nstate = \"open\"\nwhen = { next_order_high = { is_null = true } }\n[[rules]]\nstate = \"sure\"\n",
    );
    shop.run_here(None).expect("a run");
    let days = read_folder(&shop.path("out/tables/dim_date"));
    let last = days.records().iter().map(|row| row["day"].date()).max().expect("days");
    let mut states = BTreeMap::<String, i32>::new();
    for row in read_folder(&shop.path("out/latest/customers")).records() {
        assert_eq!(row["sure"].text(), if matches!(row["next_order_high"], Cell::Null) { "open" } else { "sure" });
        assert!(["next_order_low", "next_order_median", "next_order_high"].iter().all(|name| match row[name] {
            Cell::Date(day) => *day <= last,
            _ => true,
        }));
        *states.entry(row["sure"].text().to_owned()).or_default() += 1;
    }
    assert!(states.len() == 2, "{states:?}");
}

/// Jobs that cannot have them.
#[test]
fn the_days_need_a_forecast_and_have_no_horizon() {
    let bench = Bench::new();
    bench.edit("path = \"out\"", "path = \"out\"\ncolumns = [\"next_order_median\"]");
    bench.refuses(
        2,
        "error: …job.toml: next_order_median is asked for, but the job forecasts nothing; add a section [forecast] with a horizon.",
    );
    bench.append("[forecast]\nhorizon = \"1 month\"");
    bench.runs();
    bench.edit("columns = [\"next_order_median\"]", "columns = [\"next_order_median@90d\"]");
    bench.refuses(
        2,
        "error: …measure \"next_order_median@90d\": next_order_median does not look back over a window, so it takes no \"@\".",
    );
    bench.edit("columns = [\"next_order_median@90d\"]", "columns = [\"next_order_median\"]");
    bench.append("[score.only]\nnext_order_low = { is_null = true }");
    bench.refuses(
        2,
        "error: …score.only names next_order_low, which is known after customers are scored; use it in a scheme, or take it out.",
    );
}

/// A number as the docs write it.
fn with_commas(number: usize) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", number / 1_000, number % 1_000),
    }
}

/// A job over orders elsewhere, of which only some rows count.
fn elsewhere(orders: &Path, keys: &str, as_of: &str, rest: &str) -> Workshop {
    let shop = Workshop::new();
    let place = orders.display().to_string();
    shop.write("job.toml", &format!("name = \"real\"\n[orders]\npath = {place:?}\n{keys}[periods]\nas_of = [{as_of}]\n[output]\npath = \"out\"\nreport = []\n{rest}"));
    shop.run_here(None).expect("a run");
    shop
}

/// The table of real shops in docs/FORECAST.md, where their orders are at hand: the next purchase is the first order of a job that
/// keeps only later ones.
#[test]
fn the_next_purchases_of_real_shops_are_those_of_the_docs() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FORECAST.md")).expect("the page");
    for (name, file, keys, time, as_of, end) in [
        (
            "CDNOW",
            "cdnow_master.parquet",
            "ordered_at = \"date\"\namount = \"dollar_value\"\ncustomer_id = \"customer_id\"\n",
            "date",
            "1997-09-30",
            "1998-06-30",
        ),
        (
            "Online Retail",
            "online_retail.parquet",
            "ordered_at = \"InvoiceDate\"\namount = [\"Quantity\", \"UnitPrice\"]\ncustomer_id = \"CustomerID\"\norder_id = \"InvoiceNo\"\n",
            "InvoiceDate",
            "2011-05-31",
            "2011-12-09",
        ),
    ] {
        let orders = data.join(file);
        if !orders.exists() {
            eprintln!("skipped: there is no {}", orders.display());
            continue;
        }
        let told = elsewhere(&orders, keys, as_of, &format!("columns = [{COLUMNS}]\n[forecast]\nhorizon = \"13 weeks\"\n"));
        let after = format!("{keys}[[orders.keep]]\ncolumn = \"{time}\"\nabove = {as_of}\n");
        let came = elsewhere(&orders, &after, end, "columns = [\"first_order\"]\n");
        let came = read_folder(&came.path("out/latest/customers"));
        let came: BTreeMap<String, i64> =
            came.records().iter().map(|row| (row["customer_id"].key(), row["first_order"].date())).collect();
        let told = read_folder(&told.path("out/latest/customers"));
        let end = i64::from(Day::parse(end).expect("a date").0);
        let customers = told.records();
        let mut found = Vec::new();
        for column in ["next_order_low", "next_order_median", "next_order_high"] {
            let days = customers.iter().filter_map(|row| match row[column] {
                Cell::Date(day) => Some((row["customer_id"].key(), *day)),
                _ => None,
            });
            let days: Vec<(String, i64)> = days.collect();
            let known: Vec<bool> = days
                .iter()
                .filter(|(_, day)| *day <= end)
                .map(|(id, day)| came.get(id).is_some_and(|first| first <= day))
                .collect();
            let bought = known.iter().filter(|bought| **bought).count();
            found.push(format!(
                "| {name} | {as_of} | `{column}` | {} of {} | {} | {:.1} % |",
                with_commas(days.len()),
                with_commas(customers.len()),
                with_commas(known.len()),
                100.0 * bought as f64 / known.len().max(1) as f64
            ));
        }
        let missing: Vec<&str> = found.iter().map(String::as_str).filter(|line| !docs.contains(line)).collect();
        assert!(missing.is_empty(), "docs/FORECAST.md lacks\n{}", missing.join("\n"));
    }
}
