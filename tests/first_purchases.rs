//! `output.cohorts_by` by what customers bought first, held against plain loops over the lines of random shops.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::sync::LazyLock;

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rfmill::internals::job::Overrides;
use serde_json::Value;

use crate::cohorts::{PERIODS, job};
use crate::fixture::{Bench, dates, decimals, ints, parquet_bytes, texts};
use crate::query::has_program;
use crate::sharded::{in_stages, tables, whole};
use crate::support::cases::Rng;
use crate::support::run::{Workshop, read_file, said};

/// Keys of orders that are lines, of which some are returned.
const LINES: &str = r#"order_id = "order_id"
category = "category"
discount = "discount"
[orders.returns]
column = "status"
in = ["returned"]
"#;

static JOB: LazyLock<String> = LazyLock::new(|| {
    let cohorts = "report = []\ncohorts_by = [\"first_discounted\", \"channel\", \"first_category\"]\n";
    job(LINES, "\"channel\"", "", cohorts)
});

struct Line {
    customer: i64,
    order: i64,
    day: String,
    cents: i128,
    category: Option<&'static str>,
    discount: i128,
    status: &'static str,
    region: &'static str,
}

/// Lines of orders; some lie on a later day than the first line of their order, some are returned.
fn lines(seed: u64) -> Vec<Line> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |end: u64| random.random_range(0..end);
    let customers = 40 + below(40);
    let day =
        |number: u64| jiff::civil::Date::constant(2023, 12, 10).saturating_add(jiff::ToSpan::days(number as i64)).to_string();
    let mut lines = Vec::new();
    for order in 0..150 + below(150) {
        let (customer, first, region) = (below(customers) as i64, below(20) * 7, ["north", "south"][below(2) as usize]);
        let is_returned = below(8) == 0;
        for _ in 0..1 + below(3) {
            let later = if below(8) == 0 { 7 * (1 + below(3)) } else { 0 };
            lines.push(Line {
                customer,
                order: order as i64,
                day: day(first + later),
                // Few amounts, so that categories tie.
                cents: 500 * (1 + i128::from(below(4))) * if is_returned && below(2) == 0 { -1 } else { 1 },
                category: [Some("tea"), Some("cups"), Some("pots"), None][below(4) as usize],
                discount: if below(5) == 0 { 50 } else { 0 },
                status: if is_returned && below(2) == 0 { "returned" } else { "paid" },
                region,
            });
        }
    }
    lines
}

fn channel(customer: i64) -> Option<&'static str> {
    [Some("mail"), Some("search"), None][customer as usize % 3]
}

/// What an order is on a day: its purchase, or money alone.
struct Movement<'a> {
    day: &'a str,
    cents: i128,
    is_purchase: bool,
    is_discounted: bool,
    is_return: bool,
    lines: Vec<&'a Line>,
}

/// The movements of a customer in a slice, order by order: the lines of its first day make an order, those of later days money.
fn movements<'a>(all: &'a [Line], customer: i64, region: Option<&str>) -> Vec<Movement<'a>> {
    let own = || all.iter().filter(move |l| l.customer == customer && region.is_none_or(|region| region == l.region));
    let mut movements = Vec::new();
    for order in own().map(|line| line.order).collect::<BTreeSet<_>>() {
        let of_order = || own().filter(move |line| line.order == order);
        let days: BTreeSet<&str> = of_order().map(|line| line.day.as_str()).collect();
        for (number, day) in days.into_iter().enumerate() {
            let lines: Vec<&Line> = of_order().filter(|line| line.day == day).collect();
            let cents = lines.iter().map(|line| line.cents).sum();
            let is_return = cents < 0 || lines.iter().any(|line| line.status == "returned");
            movements.push(Movement {
                day,
                cents,
                is_purchase: number == 0 && !is_return,
                is_discounted: lines.iter().any(|line| line.discount > 0),
                is_return: number == 0 && is_return,
                lines,
            });
        }
    }
    movements
}

/// What is known of the first purchase, by dimension; `None` of a customer without one.
fn first_purchase(movements: &[Movement<'_>]) -> Option<(String, [(&'static str, String); 2])> {
    let day = movements.iter().filter(|m| m.is_purchase).map(|m| m.day).min()?;
    let of_day = || movements.iter().filter(move |m| m.day == day);
    let discounted = of_day().any(|m| m.is_purchase && m.is_discounted);
    let bought: BTreeSet<&str> =
        of_day().filter(|m| m.is_purchase).flat_map(|m| &m.lines).filter_map(|line| line.category).collect();
    let money = |category: &str| -> i128 {
        let lines = of_day().filter(|m| !m.is_return).flat_map(|m| &m.lines);
        lines.filter(|line| line.category == Some(category)).map(|line| line.cents).sum()
    };
    let most = bought.iter().map(|category| money(category)).max();
    let category = bought.iter().find(|category| Some(money(category)) == most).copied().unwrap_or("(unknown)");
    Some((day.to_owned(), [("first_category", category.to_owned()), ("first_discounted", discounted.to_string())]))
}

/// A row of `cohorts` by as-of date, slice, dimension, value and start: customers, active, repeat, orders, money of the period and to
/// date.
type Rows = BTreeMap<[String; 5], [i128; 6]>;

fn naive(all: &[Line], is_sliced: bool) -> Rows {
    let mut rows = Rows::new();
    let slices: &[Option<&str>] = if is_sliced { &[Some("north"), Some("south")] } else { &[None] };
    let customers: BTreeSet<i64> = all.iter().map(|line| line.customer).collect();
    for (region, customer) in slices.iter().flat_map(|region| customers.iter().map(move |customer| (*region, *customer))) {
        let movements = movements(all, customer, region);
        let Some((first, properties)) = first_purchase(&movements) else { continue };
        let born = PERIODS.iter().find(|(start, end)| (*start..=*end).contains(&first.as_str()));
        let own = channel(customer).unwrap_or("(unknown)").to_owned();
        let groups = [("(all)", "(all)".to_owned()), ("channel", own)].into_iter().chain(properties);
        let groups: Vec<(&str, String)> = groups.collect();
        for (start, end) in PERIODS.iter().filter(|(_, end)| first.as_str() <= *end) {
            let until = || movements.iter().filter(|m| m.day <= *end);
            let inside = || until().filter(|m| m.day >= *start);
            let purchases = inside().filter(|m| m.is_purchase).count();
            let sums = [
                1,
                i128::from(purchases > 0),
                i128::from(until().filter(|m| m.is_purchase).count() >= 2),
                purchases as i128,
                inside().map(|m| m.cents).sum(),
                until().map(|m| m.cents).sum(),
            ];
            for (dimension, value) in &groups {
                let begins = born.map_or("null", |born| born.0);
                let key = [*end, region.unwrap_or("(all)"), dimension, value, begins].map(str::to_owned);
                let row = rows.entry(key).or_default();
                row.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
            }
        }
    }
    rows
}

fn order_columns(all: &[Line]) -> Vec<u8> {
    parquet_bytes(&[
        ("customer_id", ints(all.iter().map(|l| l.customer))),
        ("order_id", ints(all.iter().map(|l| l.order))),
        ("ordered_at", dates(all.iter().map(|l| l.day.as_str()))),
        ("amount", decimals(2, all.iter().map(|l| l.cents))),
        ("category", texts(all.iter().map(|l| l.category))),
        ("discount", decimals(2, all.iter().map(|l| l.discount))),
        ("status", texts(all.iter().map(|l| l.status))),
        ("region", texts(all.iter().map(|l| l.region))),
    ])
}

/// Customers of the table, of whom the last ones never order.
fn people() -> Vec<u8> {
    parquet_bytes(&[("customer_id", ints(0..100)), ("channel", texts((0..100).map(channel)))])
}

/// A shop of lines in two files, and its job.
fn lay_out(all: &[Line], is_sliced: bool) -> Workshop {
    let shop = Workshop::new();
    fs::create_dir(shop.path("orders")).unwrap();
    let (one, other) = all.split_at(all.len() / 3);
    fs::write(shop.path("orders/a.parquet"), order_columns(other)).unwrap();
    fs::write(shop.path("orders/b.parquet"), order_columns(one)).unwrap();
    fs::write(shop.path("people.parquet"), people()).unwrap();
    let slice = if is_sliced { "slice = \"region\"\n" } else { "" };
    shop.write("job.toml", &JOB.replace("[orders.returns]", &format!("{slice}[orders.returns]")));
    shop
}

fn found(shop: &Workshop, output: &str) -> Rows {
    let table = read_file(&shop.path(&format!("{output}/latest/cohorts.parquet")));
    let at = |name: &str| table.column(name);
    let keys = ["as_of", "slice", "dimension", "dimension_value", "cohort_start"].map(at);
    let counts = ["customers", "active_customers", "repeat_customers", "orders"].map(at);
    let money = ["revenue", "revenue_to_date"].map(at);
    let mut rows = Rows::new();
    for row in &table.rows {
        let ([a, b, c, d], [e, f]) = (counts.map(|at| row[at].int()), money.map(|at| row[at].minor()));
        assert!(rows.insert(keys.map(|at| row[at].key()), [a, b, c, d, e, f]).is_none(), "a row stands twice");
    }
    rows
}

#[test]
fn cohorts_by_first_purchases_are_those_of_plain_loops() {
    let mut ties = 0;
    for seed in 0..12 {
        let (all, is_sliced) = (lines(seed), seed % 2 == 1);
        let shop = lay_out(&all, is_sliced);
        let overrides = |output: &str, memory_limit| Overrides {
            output: Some(shop.path(output)),
            part_rows: Some(16),
            memory_limit,
            ..Overrides::default()
        };
        whole(&shop, overrides("whole", None)).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(found(&shop, "whole"), naive(&all, is_sliced), "seed {seed}");
        // The same bytes in stages, and under a limit of memory, which keeps no panel between the passes.
        let shards = [1, 2, 8][seed as usize % 3];
        in_stages(&shop, overrides("stages", None), shards, &mut Rng::new(seed)).unwrap_or_else(|error| panic!("{error}"));
        whole(&shop, overrides("tight", Some(256 << 20))).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        for output in ["stages", "tight"] {
            assert_eq!(tables(&shop, output), tables(&shop, "whole"), "seed {seed}, {output}");
        }
        let customers: BTreeSet<i64> = all.iter().map(|line| line.customer).collect();
        ties += customers.iter().filter(|customer| has_tie(&movements(&all, **customer, None))).count();
    }
    assert!(ties > 10, "{ties}");
}

/// Whether two categories of the first day have the same money, and the most.
fn has_tie(movements: &[Movement<'_>]) -> bool {
    let Some((day, [(_, top), _])) = first_purchase(movements) else { return false };
    let mut money: BTreeMap<&str, i128> = BTreeMap::new();
    for line in movements.iter().filter(|m| m.day == day && m.is_purchase).flat_map(|m| &m.lines) {
        *money.entry(line.category.unwrap_or_default()).or_default() += line.cents;
    }
    money.iter().any(|(category, cents)| *category != top && !category.is_empty() && money.get(top.as_str()) == Some(cents))
}

/// Rows that are orders, with one as-of date or several: without lines, and without a table of customers.
#[test]
fn rows_that_are_orders_have_first_purchases_too() {
    for seed in 100..108 {
        let mut all = lines(seed);
        all.iter_mut().zip(0..).for_each(|(line, number)| line.order = number);
        let shop = lay_out(&all, false);
        let job = JOB.replace("order_id = \"order_id\"\n", "");
        let (before, after) = (job.find("[customers]").unwrap(), job.find("[periods]").unwrap());
        let job = format!("{}{}", &job[..before], &job[after..]).replace("\"channel\", ", "");
        shop.write("job.toml", &job);
        whole(&shop, Overrides::default()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let mut wanted = naive(&all, false);
        wanted.retain(|key, _| key[2] != "channel");
        assert_eq!(found(&shop, "out"), wanted, "seed {seed}");
    }
}

/// Lines in a CSV file, which a query reads.
#[test]
fn lines_of_a_query_have_first_purchases_too() {
    if !has_program() {
        return;
    }
    let all = lines(200);
    let shop = lay_out(&all, false);
    let mut csv = String::from("customer_id,order_id,ordered_at,amount,category,discount,status\n");
    for line in &all {
        let Line { customer, order, day, cents, category, discount, status, .. } = line;
        let category = category.unwrap_or_default();
        writeln!(csv, "{customer},{order},{day},{cents},{category},{discount},{status}").unwrap();
    }
    shop.write("orders.csv", &csv);
    let columns = "CAST(customer_id AS BIGINT) AS customer_id, order_id, CAST(ordered_at AS DATE) AS ordered_at, \
         CAST(amount AS BIGINT) AS amount, category, CAST(discount AS BIGINT) AS discount, status";
    let orders = format!("query = \"SELECT {columns} FROM lines\"\namount_unit = \"minor\"");
    let job = JOB.replacen("path = \"orders\"", &orders, 1);
    shop.write("job.toml", &job.replace("[orders]", "[[source]]\nname = \"lines\"\npath = \"orders.csv\"\n[orders]"));
    let output = shop.run(&["--quiet"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(found(&shop, "out"), naive(&all, false));
}

/// The page shows them, and hides fewer than five customers as it does by dimension.
#[test]
fn the_page_shows_first_purchases_and_hides_few() {
    // Many customers, so that most groups are large enough.
    let shifted = |by: i64| {
        lines(7 + by as u64).into_iter().map(move |l| Line { customer: l.customer + 100 * by, order: l.order + 1_000 * by, ..l })
    };
    let all: Vec<Line> = (0..10).flat_map(shifted).collect();
    let shop = lay_out(&all, false);
    let job = JOB.replace("\"channel\", ", "").replace("report = []", "report = [\"html\", \"json\"]");
    let (before, after) = (job.find("[customers]").unwrap(), job.find("[periods]").unwrap());
    shop.write("job.toml", &format!("{}{}", &job[..before], &job[after..]));
    whole(&shop, Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
    let page = fs::read_to_string(shop.path("out/latest/report/index.html")).unwrap();
    assert!(page.contains("first_category = tea") && page.contains("first_discounted = false"));
    let report: Value = serde_json::from_slice(&fs::read(shop.path("out/latest/report/report.json")).unwrap()).unwrap();
    let truth = naive(&all, false);
    let (mut shown, mut hidden) = (0, 0);
    for row in report["cohorts"].as_array().unwrap().iter().filter(|row| row["dimension"] != "(all)") {
        let text = |key: &str| row[key].as_str().unwrap_or("null").to_owned();
        let [customers, ..] = truth[&["as_of", "slice", "dimension", "dimension_value", "cohort_start"].map(text)];
        match row["customers"].as_i64() {
            Some(of_row) => assert!(i128::from(of_row) == customers && customers >= 5, "{row}"),
            None => hidden += 1,
        }
        shown += usize::from(!row["customers"].is_null());
    }
    assert!(shown > 20 && hidden > 10, "{shown} shown, {hidden} hidden");
}

/// Segments, transitions and the columns of customers know nothing of them.
#[test]
fn only_cohorts_are_told_apart_by_first_purchases() {
    let shop = lay_out(&lines(7), false);
    whole(&shop, Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
    for table in ["segments", "transitions"] {
        let table = read_file(&shop.path(&format!("out/latest/{table}.parquet")));
        let dimensions: BTreeSet<String> = table.rows.iter().map(|row| row[table.column("dimension")].key()).collect();
        assert_eq!(dimensions, ["(all)", "channel"].map(String::from).into());
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let bench = Bench::empty();
    bench.write("orders/a.parquet", order_columns(&lines(1)));
    bench.write("people.parquet", people());
    bench.write("job.toml", JOB.as_str());
    bench.edit("category = \"category\"\n", "");
    bench.refuses(2, "error: job.toml, line 23, column 46: output.cohorts_by names \"first_category\", but the job does not say which column holds the category; set orders.category.");
    bench.edit("discount = \"discount\"\n", "");
    bench.refuses(2, "error: job.toml, line 22, column 15: output.cohorts_by names \"first_discounted\", but the job does not say which column holds the discount; set orders.discount.");
    bench.write("job.toml", JOB.as_str());
    bench.edit("\"first_category\"]", "\"first_categorie\"]");
    bench.refuses(2, "error: job.toml, line 24, column 46: output.cohorts_by names \"first_categorie\", which is no dimension of [customers]; did you mean \"first_category\"?; name it in customers.dimensions, or remove it here.");
    bench.write("job.toml", JOB.as_str());
    bench.edit("dimensions = [\"channel\"]", "dimensions = [\"channel\", \"first_category\"]");
    bench.refuses(2, "error: job.toml, line 24, column 46: output.cohorts_by names \"first_category\", which is a dimension of [customers] and a property of the first purchase; rename the column where the file is written.");
    bench.write("job.toml", JOB.as_str());
    bench.edit("[output]", "[acquisition]\npath = \"spend.csv\"\n[output]");
    bench.write("spend.csv", "period_start,first_category,spend\n2024-01-01,tea,5\n");
    bench.refuses(3, "error: spend.csv (acquisition.path) has the column \"first_category\", but what customers buy first is not known when money is spent on winning them; costs are by a dimension of [customers] in output.cohorts_by, or without one: take the column out of the file.");
}
