//! `top_category`, `top_category_share` and `categories`.

use std::collections::{BTreeMap, BTreeSet};

use crate::fixture::{Bench, dates, decimals, ints, texts};
use crate::support::cases::Rng;
use crate::support::run::{Cell, read_folder};

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

/// Top category, its money and all money, and how many categories, of a customer's purchases from one date to another. Lines of
/// an order that come later add to the money of their category, on their own date.
fn naive(lines: &[Line], joined: bool, customer: i64, from: &str, to: &str) -> (Option<String>, Option<(i64, i64)>, i128) {
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
    let total = counted.iter().map(|(line, _)| line.amount).sum();
    let bought: BTreeSet<&str> = counted.iter().filter(|(_, bought)| *bought).filter_map(|(line, _)| line.category).collect();
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
