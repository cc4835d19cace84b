//! `top_category`, `top_category_share` and `categories`.

use std::collections::{BTreeMap, BTreeSet};

use crate::fixture::{Bench, dates, decimals, ints, texts};
use crate::support::cases::Rng;
use crate::support::run::{Cell, read_file, read_folder};

const JOB: &str = r#"name = "test"

[orders]
path = "orders"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
category = "category"

[periods]
as_of = [2024-03-31, 2024-06-30, 2024-12-31]

[score]
lookback = "1 quarter"

[schemes]
lifecycle = "recency_windows"

[output]
path = "out"
columns = ["top_category", "top_category_share", "categories", "top_category@all", "categories@all"]
"#;

/// A line as written.
#[derive(Debug, Clone)]
struct Line {
    customer: i64,
    order: i64,
    date: String,
    amount: i64,
    category: Option<&'static str>,
}

fn lines(rng: &mut Rng) -> Vec<Line> {
    let names = [Some("tea"), Some("coffee"), Some("cups"), Some(""), None];
    (0..400)
        .map(|_| {
            let order = rng.between(0, 150);
            let date = format!("2024-{:02}-{:02}", rng.between(1, 12), rng.between(1, 28));
            let category = *rng.pick(&names);
            Line { customer: order % 30, order, date, amount: rng.between(-3, 9) * 100, category }
        })
        .collect()
}

fn write(bench: &Bench, lines: &[Line]) {
    bench.parquet(
        "orders/a.parquet",
        &[
            ("customer_id", ints(lines.iter().map(|l| l.customer))),
            ("order_id", ints(lines.iter().map(|l| l.order))),
            ("ordered_at", dates(lines.iter().map(|l| l.date.as_str()))),
            ("amount", decimals(2, lines.iter().map(|l| i128::from(l.amount)))),
            ("category", texts(lines.iter().map(|l| l.category))),
        ],
    );
}

/// The lines of a customer that count from one date to another, and whether they are bought. Lines of an order that come later add to
/// the money of their category, on their own date.
fn counted<'a>(lines: &'a [Line], joined: bool, customer: i64, from: &str, to: &str) -> Vec<(&'a Line, bool)> {
    let mut orders: BTreeMap<i64, Vec<&Line>> = BTreeMap::new();
    for (row, line) in lines.iter().enumerate().filter(|(_, l)| l.customer == customer) {
        orders.entry(if joined { line.order } else { row as i64 }).or_default().push(line);
    }
    let mut counted: Vec<(&Line, bool)> = Vec::new();
    for lines in orders.values() {
        let first = lines.iter().map(|l| l.date.as_str()).min().unwrap();
        let (own, later): (Vec<&Line>, Vec<&Line>) = lines.iter().partition(|l| l.date == first);
        if own.iter().map(|l| l.amount).sum::<i64>() >= 0 {
            counted.extend(own.into_iter().map(|line| (line, true)));
        }
        counted.extend(later.into_iter().map(|line| (line, false)));
    }
    counted.retain(|(line, _)| line.date.as_str() >= from && line.date.as_str() <= to);
    counted
}

/// The categories of bought lines.
fn bought<'a>(counted: &[(&'a Line, bool)]) -> BTreeSet<&'a str> {
    counted.iter().filter(|(_, bought)| *bought).filter_map(|(line, _)| line.category).collect()
}

/// Top category, its money and all money, and how many categories, of a customer's purchases from one date to another.
fn naive(lines: &[Line], joined: bool, customer: i64, from: &str, to: &str) -> (Option<String>, Option<(i64, i64)>, i128) {
    let counted = counted(lines, joined, customer, from, to);
    let total = counted.iter().map(|(line, _)| line.amount).sum();
    let bought = bought(&counted);
    let money = |name: &str| counted.iter().filter(|(l, _)| l.category == Some(name)).map(|(l, _)| l.amount).sum::<i64>();
    let most = bought.iter().map(|name| money(name)).max();
    let top = bought.iter().find(|name| Some(money(name)) == most).map(|name| (*name).to_owned());
    (top, most.filter(|_| total > 0).map(|m| (m, total)), bought.len() as i128)
}

#[test]
fn categories_equal_a_naive_count() {
    for (seed, joined) in [(1, false), (2, true), (3, true)] {
        let bench = Bench::empty();
        let lines = lines(&mut Rng::new(seed));
        write(&bench, &lines);
        bench.write("job.toml", JOB);
        if joined {
            bench.in_orders("order_id = \"order_id\"");
        }
        bench.runs();
        let mut shares = 0;
        for (as_of, start) in [("2024-03-31", "2024-01-01"), ("2024-06-30", "2024-04-01"), ("2024-12-31", "2024-10-01")] {
            let table = read_folder(&bench.path(&format!("out/latest/customers/as_of={as_of}")));
            assert!(table.rows.len() > 20);
            for row in &table.rows {
                let customer = row[0].int() as i64;
                let text = |name: Option<String>| name.map_or(Cell::Null, Cell::Text);
                let (top, share, count) = naive(&lines, joined, customer, start, as_of);
                let share = share.map_or(Cell::Null, |(part, whole)| Cell::Double(part as f64 / whole as f64));
                shares += usize::from(matches!(share, Cell::Double(x) if x < 1.0));
                let (top_ever, _, count_ever) = naive(&lines, joined, customer, "", as_of);
                let want = [text(top), share, Cell::Int(count), text(top_ever), Cell::Int(count_ever)];
                assert_eq!(row[1..], want, "seed {seed}: customer {customer} at {as_of}");
            }
        }
        assert!(shares > 10, "shares of several categories were compared");
    }
}

#[test]
fn schemes_compare_categories_exactly() {
    let bench = Bench::empty();
    write(&bench, &lines(&mut Rng::new(4)));
    bench.write("job.toml", JOB);
    bench.edit("lifecycle = \"recency_windows\"", "taste = \"taste.toml\"");
    bench.edit("columns = [\"top_category\", ", "columns = [\"taste\", ");
    bench.write(
        "taste.toml",
        "name = \"taste\"\n[[states]]\nname = \"one\"\n[[states]]\nname = \"half\"\n[[states]]\nname = \"no\"\n[[states]]\nname = \"mixed\"\n[[rules]]\nstate = \"no\"\nwhen = { top_category = { is_null = true } }\n[[rules]]\nstate = \"one\"\nwhen = { categories = 1 }\n[[rules]]\nstate = \"half\"\nwhen = { top_category_share = 0.5 }\n[[rules]]\nstate = \"mixed\"\n",
    );
    bench.runs();
    let table = read_folder(&bench.path("out/latest/customers"));
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &table.rows {
        let state = row[1].text();
        let want = match (&row[3], &row[2]) {
            (Cell::Int(0), _) => "no",
            (Cell::Int(1), _) => "one",
            (_, Cell::Double(0.5)) => "half",
            _ => "mixed",
        };
        assert_eq!(state, want, "{row:?}");
        *seen.entry(state).or_default() += 1;
    }
    assert_eq!(seen.len(), 4, "every state is met: {seen:?}");
}

#[test]
fn a_measure_by_category_needs_the_column() {
    let bench = Bench::with_run();
    bench.append("columns = [\"top_category\"]");
    bench.refuses(
        2,
        "error: job.toml: top_category is asked for, but the job does not say which column holds it; set orders.category.",
    );
}

#[test]
fn a_category_is_no_number() {
    let bench = Bench::new();
    bench.in_orders("category = \"amount\"");
    bench.append("[score.only]\ntop_category = 3");
    bench.refuses(2, "error: job.toml, line 16, column 1: score.only: top_category = 3 tests a text, and rules compare numbers; the only test of it is { is_null = true }.");
}

/// A job that writes the table `affinity`.
fn with_affinity(lines: &[Line], joined: bool) -> Bench {
    let bench = Bench::empty();
    write(&bench, lines);
    bench.write("job.toml", JOB);
    bench.edit("path = \"out\"", "path = \"out\"\naffinity = true");
    if joined {
        bench.in_orders("order_id = \"order_id\"");
    }
    bench
}

/// Pairs of categories, held against a plain count of customers; in stages, on one thread and beside other measures the same.
#[test]
fn affinity_equals_a_naive_count() {
    for (seed, joined) in [(11, false), (12, true), (13, true)] {
        let lines = lines(&mut Rng::new(seed));
        let bench = with_affinity(&lines, joined);
        bench.runs();
        let table = read_file(&bench.path("out/latest/affinity.parquet"));
        let mut wanted = Vec::new();
        for (as_of, start) in [("2024-03-31", "2024-01-01"), ("2024-06-30", "2024-04-01"), ("2024-12-31", "2024-10-01")] {
            let customers: BTreeSet<i64> = lines.iter().map(|line| line.customer).collect();
            let baskets = customers.into_iter().map(|id| bought(&counted(&lines, joined, id, start, as_of)));
            let baskets: Vec<BTreeSet<&str>> = baskets.filter(|basket| !basket.is_empty()).collect();
            let having = |names: &[&str]| baskets.iter().filter(|b| names.iter().all(|n| b.contains(n))).count() as i128;
            let names = ["", "coffee", "cups", "tea"];
            for (at, one) in names.iter().enumerate() {
                for other in &names[at + 1..] {
                    let [all, of_one, of_other, both] = [having(&[]), having(&[one]), having(&[other]), having(&[one, other])];
                    if both > 0 {
                        let lift = (both * all) as f64 / (of_one * of_other) as f64;
                        let key = (as_of.to_owned(), (*one).to_owned(), (*other).to_owned());
                        wanted.push((key, [all, of_one, of_other, both], lift));
                    }
                }
            }
        }
        let found = table.records().into_iter().map(|row| {
            let date = jiff::civil::Date::constant(1970, 1, 1) + jiff::Span::new().days(row["as_of"].date());
            assert_eq!(row["slice"].text(), "(all)");
            let key = (date.to_string(), row["category"].text().to_owned(), row["other_category"].text().to_owned());
            let counts = ["customers", "category_customers", "other_customers", "both_customers"].map(|name| row[name].int());
            (key, counts, row["lift"].double())
        });
        let found: Vec<_> = found.collect();
        assert!(wanted.len() > 8 && wanted.iter().any(|row| row.2 != 1.0), "{wanted:?}");
        assert_eq!(found, wanted, "seed {seed}");
        let stages = ["run", "job.toml", "--part-rows", "9", "-o", "alone"];
        bench.succeeds(&stages);
        bench.succeeds(&[&stages[..5], &["staged", "--shards", "3", "--work", "work"]].concat());
        bench.succeeds(&["run", "job.toml", "--threads", "1", "-o", "one"]);
        let hash = |output: &str| {
            let tables = bench.table_hashes(output);
            tables.as_array().expect("tables").iter().find(|table| table["name"] == "affinity").expect("affinity").clone()
        };
        assert_eq!((hash("staged"), hash("one"), hash("alone")), (hash("out"), hash("out"), hash("out")), "seed {seed}");
        // Without measures of categories the same.
        let columns = "[\"top_category\", \"top_category_share\", \"categories\", \"top_category@all\", \"categories@all\"]";
        bench.edit(columns, "[\"frequency\"]");
        bench.succeeds(&["run", "job.toml", "-o", "plain"]);
        assert_eq!(hash("plain"), hash("out"), "seed {seed}");
    }
}

/// By slice pairs are counted anew; a report leaves out pairs of few customers.
#[test]
fn affinity_is_by_slice_and_hides_few() {
    let lines = lines(&mut Rng::new(14));
    let bench = with_affinity(&lines, true);
    bench.edit("path = \"out\"\n", "path = \"out\"\nreport = [\"html\", \"json\"]\nmin_group = 2\n");
    bench.runs();
    let all = read_file(&bench.path("out/latest/affinity.parquet")).rows.len();
    let json: serde_json::Value = serde_json::from_slice(&bench.read("out/latest/report/report.json")).expect("JSON");
    let rows = json["affinity"].as_array().expect("rows");
    assert!(rows.len() < all && !rows.is_empty(), "{} of {all} rows", rows.len());
    for row in rows {
        let [both, one, other] =
            ["both_customers", "category_customers", "other_customers"].map(|name| row[name].as_i64().unwrap());
        assert!([both, one - both, other - both].into_iter().all(|n| n == 0 || n >= 2), "{row}");
    }
    let both = |rows: &[BTreeMap<&str, &Cell>]| rows.iter().map(|row| row["both_customers"].int()).sum::<i128>();
    let together = both(&read_file(&bench.path("out/latest/affinity.parquet")).records());
    // Every customer is a slice: both categories are then bought by one of one.
    bench.in_orders("slice = \"customer_id\"");
    bench.succeeds(&["run", "job.toml", "--adopt"]);
    let sliced = read_file(&bench.path("out/latest/affinity.parquet"));
    let rows = sliced.records();
    let names = ["customers", "category_customers", "other_customers", "both_customers"];
    assert!(rows.iter().all(|row| names.iter().all(|name| row[name].int() == 1) && row["lift"].double() == 1.0));
    assert_eq!(both(&rows), together);
}

#[test]
fn affinity_needs_categories_and_not_too_many() {
    let bench = with_affinity(&lines(&mut Rng::new(15)), false);
    bench.edit("category = \"category\"\n", "");
    bench.edit(
        "columns = [\"top_category\", \"top_category_share\", \"categories\", \"top_category@all\", \"categories@all\"]\n",
        "",
    );
    bench.refuses(2, "error: job.toml, line 20, column 1: the table affinity is asked for, but the job does not say which column holds the category; set orders.category.");
    bench.edit("affinity = true", "tables = [\"customers\", \"affinity\"]");
    bench.refuses(2, "error: job.toml, line 20, column 24: the table affinity is asked for, but the job does not say which column holds the category; set orders.category.");
    let bench = with_affinity(&[], false);
    let many: Vec<String> = (0..201).map(|number| format!("c{number}")).collect();
    bench.parquet(
        "orders/a.parquet",
        &[
            ("customer_id", ints(0..201)),
            ("ordered_at", dates(many.iter().map(|_| "2024-03-01"))),
            ("amount", decimals(2, many.iter().map(|_| 100))),
            ("category", texts(many.iter().map(|name| name.as_str()))),
        ],
    );
    bench.refuses(3, "error: column \"category\" (orders.category) has 201 values, and the table affinity pairs at most 200; name a column of broader categories, or leave the table out.");
}
