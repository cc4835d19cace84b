//! `output.cohorts_by`: cohorts by the value of a dimension, and what winning them cost, held against plain loops over random shops.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::fixture::{Bench, dates, decimals, ints, texts};
use crate::support::run::{Cell, read_file};

/// A job over four months with further keys of the orders, dimensions of its customers, and further sections and keys of the output.
pub(crate) fn job(orders: &str, dimensions: &str, sections: &str, output: &str) -> String {
    format!(
        r#"name = "shop"
[orders]
path = "orders"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
{orders}[customers]
path = "people.parquet"
customer_id = "customer_id"
dimensions = [{dimensions}]
[periods]
every = "month"
from = 2024-01-01
to = 2024-04-30
{sections}[output]
path = "out"
{output}"#
    )
}

/// The first days of the periods of that job, and their last ones.
pub(crate) const PERIODS: [(&str, &str); 4] =
    [("2024-01-01", "2024-01-31"), ("2024-02-01", "2024-02-29"), ("2024-03-01", "2024-03-31"), ("2024-04-01", "2024-04-30")];

const CHANNELS: [Option<&str>; 4] = [Some("mail"), Some("search"), Some("shop"), None];

struct Order {
    customer: i64,
    day: String,
    cents: i128,
}

struct Shop {
    orders: Vec<Order>,
    /// By customer.
    channels: Vec<Option<&'static str>>,
    /// By period and channel.
    spend: BTreeMap<(usize, &'static str), i128>,
}

fn shop(seed: u64) -> Shop {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |end: u64| random.random_range(0..end);
    let customers = 30 + below(40);
    let channels: Vec<Option<&str>> = (0..customers).map(|_| CHANNELS[below(4) as usize]).collect();
    let count = 100 + below(200);
    let orders: Vec<Order> = (0..count)
        .map(|_| {
            // From December on, so that some customers come from before the first period.
            let day = Date::constant(2023, 12, 10).saturating_add(jiff::ToSpan::days(below(143) as i64));
            let share = below(1_000_000) as f64 / 1e6;
            Order {
                customer: (share * share * customers as f64) as i64,
                day: day.to_string(),
                cents: 100 + i128::from(below(9_900)),
            }
        })
        .collect();
    let mut spend = BTreeMap::new();
    for period in 0..4 {
        for channel in ["mail", "search", "(unknown)"] {
            if below(4) > 0 {
                spend.insert((period, channel), i128::from(below(50_000)));
            }
        }
    }
    Shop { orders, channels, spend }
}

/// A row of `cohorts` by as-of date, dimension, value and start: customers, active, repeat, orders, money of the period and to date,
/// and what winning them cost.
type Rows = BTreeMap<[String; 4], ([i128; 6], Option<i128>)>;

fn naive(shop: &Shop) -> Rows {
    let mut rows = Rows::new();
    let unknown = "(unknown)";
    for (start, end) in &PERIODS {
        for (customer, channel) in shop.channels.iter().enumerate() {
            let own = || shop.orders.iter().filter(|o| o.customer == customer as i64 && o.day.as_str() <= *end);
            let Some(first) = own().map(|o| o.day.as_str()).min() else { continue };
            let born = PERIODS.iter().position(|(start, end)| (*start..=*end).contains(&first));
            let inside = || own().filter(|o| o.day.as_str() >= *start);
            let sums = [
                1,
                i128::from(inside().next().is_some()),
                i128::from(own().count() >= 2),
                inside().count() as i128,
                inside().map(|o| o.cents).sum(),
                own().map(|o| o.cents).sum(),
            ];
            let cost = |of: Option<&str>| {
                let of_period = shop
                    .spend
                    .iter()
                    .filter(|((period, channel), _)| Some(*period) == born && of.is_none_or(|of| of == *channel));
                let costs: Vec<i128> = of_period.map(|(_, cents)| *cents).collect();
                (!costs.is_empty()).then(|| costs.iter().sum())
            };
            let value = channel.unwrap_or(unknown);
            for (dimension, value, cost) in [("(all)", "(all)", cost(None)), ("channel", value, cost(Some(value)))] {
                let begins = born.map_or("null", |born| PERIODS[born].0);
                let key = [*end, dimension, value, begins].map(str::to_owned);
                let row = rows.entry(key).or_insert(([0; 6], cost));
                row.0.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
            }
        }
    }
    rows
}

fn write(bench: &Bench, shop: &Shop) {
    bench.parquet(
        "orders/a.parquet",
        &[
            ("customer_id", ints(shop.orders.iter().map(|o| o.customer))),
            ("ordered_at", dates(shop.orders.iter().map(|o| o.day.as_str()))),
            ("amount", decimals(2, shop.orders.iter().map(|o| o.cents))),
        ],
    );
    bench.parquet(
        "people.parquet",
        &[
            ("customer_id", ints(0..shop.channels.len() as i64)),
            ("channel", texts(shop.channels.iter().copied())),
            ("city", texts((0..shop.channels.len()).map(|at| ["Bonn", "Rome"][at % 2]))),
        ],
    );
    let mut spend = String::from("period_start,channel,spend\n");
    for ((period, channel), cents) in &shop.spend {
        let channel = if *channel == "(unknown)" { "" } else { channel };
        writeln!(spend, "{},{channel},{}.{:02}", PERIODS[*period].0, cents / 100, cents % 100).unwrap();
    }
    bench.write("spend.csv", spend);
    let spend = "[acquisition]\npath = \"spend.csv\"\n";
    bench.write("job.toml", job("", "\"channel\", \"city\"", spend, "cohorts_by = [\"channel\"]\n"));
}

#[test]
fn cohorts_by_channel_and_their_costs_are_those_of_plain_loops() {
    for seed in 0..8 {
        let shop = shop(seed);
        let bench = Bench::empty();
        write(&bench, &shop);
        bench.runs();
        let table = read_file(&bench.path("out/latest/cohorts.parquet"));
        let at = |name: &str| table.column(name);
        let keys = ["as_of", "dimension", "dimension_value", "cohort_start"].map(at);
        let counts = ["customers", "active_customers", "repeat_customers", "orders"].map(at);
        let (revenue, to_date, spend) = (at("revenue"), at("revenue_to_date"), at("spend"));
        let mut found = Rows::new();
        for row in &table.rows {
            let minor = |cell: &Cell| cell.minor();
            let sums = counts.map(|column| row[column].int());
            let cost = (row[spend] != Cell::Null).then(|| minor(&row[spend]));
            let sums = [sums[0], sums[1], sums[2], sums[3], minor(&row[revenue]), minor(&row[to_date])];
            let is_new = found.insert(keys.map(|column| row[column].key()), (sums, cost)).is_none();
            assert!(is_new, "seed {seed}: a row stands twice");
            let (cac, payback) = (&row[at("cac")], &row[at("payback_ratio")]);
            let about = |cell: &Cell, wanted: Option<f64>| match wanted {
                None => assert_eq!(*cell, Cell::Null),
                Some(wanted) => assert!((cell.double() - wanted).abs() < 1e-9, "{cell:?} is not {wanted}"),
            };
            about(cac, cost.map(|cost| cost as f64 / 100.0 / sums[0] as f64));
            about(payback, cost.filter(|cost| *cost > 0).map(|cost| sums[5] as f64 / cost as f64));
        }
        assert_eq!(found, naive(&shop), "seed {seed}");
    }
}

#[test]
fn the_page_shows_channels_and_their_costs() {
    let bench = Bench::empty();
    write(&bench, &shop(3));
    bench.runs();
    let page = String::from_utf8(bench.read("out/latest/report/index.html")).unwrap();
    assert!(page.contains("Cohorts by group, the newest first") && page.contains("channel = search"));
}

/// Fewer than five customers with a value are not shown, and not found by subtraction either.
#[test]
fn small_groups_are_not_shown() {
    let mut hidden = 0;
    for seed in 0..8 {
        let shop = shop(seed);
        let bench = Bench::empty();
        write(&bench, &shop);
        bench.edit("path = \"out\"", "path = \"out\"\nreport = [\"json\"]\nmin_group = 5");
        bench.runs();
        let report: Value = serde_json::from_slice(&bench.read("out/latest/report/report.json")).unwrap();
        let text = |row: &Value, key: &str| row[key].as_str().unwrap_or("null").to_owned();
        let truth = naive(&shop);
        // By cohort and count: what is shown of its values, and what there is.
        let mut parts: BTreeMap<(String, String, usize), Vec<(Option<i128>, i128)>> = BTreeMap::new();
        let mut totals: BTreeMap<(String, String, usize), Option<i128>> = BTreeMap::new();
        for row in report["cohorts"].as_array().unwrap() {
            let key = ["as_of", "dimension", "dimension_value", "cohort_start"].map(|key| text(row, key));
            let (sums, _) = truth[&key];
            for (at, name) in ["customers", "active_customers", "repeat_customers"].into_iter().enumerate() {
                let shown = row[name].as_i64().map(i128::from);
                assert!(shown.is_none_or(|shown| shown == sums[at]), "seed {seed}: {row}");
                let of = (key[0].clone(), key[3].clone(), at);
                if key[1] == "(all)" {
                    totals.insert(of, shown);
                } else {
                    assert!(shown.is_none() || sums[at] == 0 || sums[at] >= 5, "seed {seed}: {name} of {row}");
                    hidden += usize::from(shown.is_none());
                    parts.entry(of).or_default().push((shown, sums[at]));
                }
            }
            if row["customers"].is_null() {
                assert!(["cac", "spend", "revenue_to_date", "retention_rate"].iter().all(|name| row[*name].is_null()), "{row}");
            }
        }
        for (of, parts) in parts {
            let of_hidden: Vec<i128> = parts.iter().filter(|(shown, _)| shown.is_none()).map(|(_, count)| *count).collect();
            if totals[&of].is_some() && !of_hidden.is_empty() {
                assert!(of_hidden.len() > 1 && of_hidden.iter().sum::<i128>() >= 5, "seed {seed}: {of:?} {parts:?}");
            }
        }
    }
    assert!(hidden > 50, "{hidden}");
}

#[test]
fn what_cannot_be_is_refused() {
    let bench = Bench::empty();
    write(&bench, &shop(1));
    bench.edit("cohorts_by = [\"channel\"]", "cohorts_by = [\"chanel\"]");
    bench.refuses(2, "error: job.toml, line 19, column 15: output.cohorts_by names \"chanel\", which is no dimension of [customers]; did you mean \"channel\"?; name it in customers.dimensions, or remove it here.");
    bench.edit("cohorts_by = [\"chanel\"]", "cohorts_by = [\"channel\", \"city\"]");
    bench.write("spend.csv", "period_start,channel,spend\n2024-01-01,mail,5\n2024-01-01,shop,5\n2024-01-01,mail,1\n");
    bench.refuses(3, "error: spend.csv, line 4: the period from 2024-01-01 with this value stands twice; give each one row.");
    bench.write("spend.csv", "period_start,channel,city,spend\n2024-01-01,mail,Bonn,5\n");
    bench.refuses(3, "error: spend.csv (acquisition.path) has the columns \"channel\" and \"city\", and both are in output.cohorts_by; costs are by the values of one.");
}
