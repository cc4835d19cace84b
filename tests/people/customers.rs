//! `[customers]`: measures, dimensions and people without orders.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt64Array};

use arrow::compute::cast;
use arrow::datatypes::DataType;

use crate::fixture::{Bench, dates, decimals, floats, ints, orders_and, texts, with_ids};
use crate::support::cases::Rng;
use crate::support::run::{Cell, Table, read_file, read_folder};

/// A bench with the good orders of customers 1 to 5, and a table of customers 1 to 4, 6 and 7.
fn with_customers() -> Bench {
    let bench = Bench::new();
    bench.parquet("crm/a.parquet", &customers(ints([7, 1, 2, 3, 4, 6])));
    bench.append("[customers]\npath = \"crm\"\ncustomer_id = \"id\"\ndimensions = [\"region\", \"vip\"]");
    bench
}

fn customers(ids: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("id", ids),
        ("points", ints([Some(70), Some(10), None, Some(30), Some(-40), Some(60)])),
        ("balance", decimals(3, [Some(7_000), Some(1_250), Some(0), None, Some(-1), Some(6_125)])),
        ("clv", floats([Some(0.1), Some(1e300), Some(f64::NAN), None, Some(-0.5), Some(2.0)])),
        ("joined", dates([Some("2024-12-01"), Some("2020-02-29"), None, Some("2021-01-01"), Some("2022-01-01"), None])),
        ("region", texts([Some("north"), Some("south"), Some("north"), None, Some("(unknown)"), Some("")])),
        ("vip", Arc::new(arrow::array::BooleanArray::from(vec![true, false, false, true, false, false]))),
        ("nickname", texts(["g", "a", "b", "c", "d", "f"])),
    ]
}

/// Rows of `customers` at a date as text: id, then the named columns.
fn shown(bench: &Bench, as_of: &str, columns: &[&str]) -> Vec<String> {
    let table = read_folder(&bench.path(&format!("out/latest/customers/as_of={as_of}")));
    let at: Vec<usize> = std::iter::once("customer_id").chain(columns.iter().copied()).map(|c| table.column(c)).collect();
    let mut rows: Vec<(i128, String)> =
        table.rows.iter().map(|row| (row[0].int(), at.iter().map(|c| text(&row[*c])).collect::<Vec<_>>().join(" "))).collect();
    rows.sort();
    rows.into_iter().map(|r| r.1).collect()
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => "-".into(),
        Cell::Int(n) => n.to_string(),
        Cell::Text(t) => format!("{t:?}"),
        Cell::Decimal(n, scale) => format!("{n}e-{scale}"),
        Cell::Double(x) => x.to_string(),
        Cell::Date(days) => format!("day{days}"),
        Cell::Bool(b) => b.to_string(),
    }
}

#[test]
fn columns_of_the_table_are_measures_and_dimensions() {
    let bench = with_customers();
    bench.append("[schemes]\nlifecycle = \"recency_windows\"");
    bench.edit(
        "path = \"out\"",
        "path = \"out\"\ncolumns = [\"points\", \"balance\", \"clv\", \"joined\", \"region\", \"vip\", \"frequency\", \"r_score\", \"lifecycle\"]",
    );
    bench.runs();
    assert_eq!(
        shown(
            &bench,
            "2024-12-31",
            &["points", "balance", "clv", "joined", "region", "vip", "frequency", "r_score", "lifecycle"]
        ),
        [
            "1 10 1250e-3 1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000 day18321 \"south\" \"false\" 2 1 \"lapsing\"",
            "2 - 0e-3 - - \"north\" \"false\" 2 3 \"active\"",
            "3 30 - - day18628 - \"true\" 1 2 \"sleeping\"",
            "4 -40 -1e-3 -0.5 day18993 - \"false\" 2 4 \"active\"",
            "5 - - - - - - 1 5 \"active\"",
            "6 60 6125e-3 2 - \"\" \"false\" - - \"(none)\"",
            "7 70 7000e-3 0.1 day20058 \"north\" \"true\" - - \"(none)\"",
        ]
    );
}

#[test]
fn who_never_ordered_is_listed_at_every_date_but_not_scored() {
    let bench = with_customers();
    bench.edit("as_of = [2024-12-31]", "as_of = [2024-01-31, 2024-03-31, 2024-12-31]");
    bench.append(
        "[schemes]\nlifecycle = \"simple_lifecycle\"\nstage = \"purchase_stage\"\nsegment = \"standard\"\ntier = \"value_tier\"",
    );
    bench.runs();
    let of = |as_of: &str| {
        shown(
            &bench,
            as_of,
            &[
                "lifetime_orders",
                "recency_days",
                "lifecycle",
                "stage",
                "segment",
                "f_score",
                "lifecycle_previous",
                "lifecycle_since",
            ],
        )
    };
    // Customers 2 to 4 are on the table and order later; customer 5 is not on it and does not order before December.
    assert_eq!(
        of("2024-01-31")[1..],
        ["2", "3", "4", "6", "7"].map(|id| format!("{id} - - \"prospect\" \"prospect\" \"(none)\" - - -"))
    );
    assert_eq!(of("2024-01-31")[0], "1 1 26 \"new\" \"first\" \"New\" 1 - -");
    assert_eq!(of("2024-03-31")[1], "2 1 50 \"new\" \"first\" \"New\" 1 \"prospect\" day19813");
    assert_eq!(of("2024-03-31")[2], "3 - - \"prospect\" \"prospect\" \"(none)\" - \"prospect\" day19753");
    assert_eq!(of("2024-12-31").len(), 7);
    assert_eq!(of("2024-12-31")[5], "6 - - \"prospect\" \"prospect\" \"(none)\" - \"prospect\" day19753");

    // Scores, and what everybody else is, do not change by who else is on the table.
    let cuts = |bench: &Bench| read_file(&bench.path("out/latest/cutpoints.parquet")).rows;
    let with = (cuts(&bench), of("2024-12-31"));
    bench.edit("\n[customers]\npath = \"crm\"\ncustomer_id = \"id\"\ndimensions = [\"region\", \"vip\"]\n", "");
    bench.runs();
    assert_eq!(with.0, cuts(&bench));
    let ordered: Vec<String> = with.1.into_iter().filter(|row| !row.starts_with(['6', '7'])).collect();
    let without: Vec<String> =
        shown(&bench, "2024-12-31", &["lifetime_orders", "recency_days", "lifecycle", "stage", "segment", "f_score"]);
    let cut = |row: &String| row.split(' ').take(7).collect::<Vec<_>>().join(" ");
    assert_eq!(ordered.iter().map(cut).collect::<Vec<_>>(), without.iter().map(cut).collect::<Vec<_>>());
}

#[test]
fn a_population_by_lookback_leaves_prospects_out() {
    let bench = with_customers();
    bench.edit("name = \"test\"", "name = \"test\"\npopulation = \"lookback\"");
    bench.append("[score]\nlookback = \"60d\"\n[schemes]\nlifecycle = \"simple_lifecycle\"");
    bench.edit("path = \"out\"", "path = \"out\"\ncolumns = [\"points\", \"region\"]");
    bench.runs();
    assert_eq!(shown(&bench, "2024-12-31", &["points", "region"]), ["2 - \"north\"", "4 -40 -", "5 - -"]);
}

#[test]
fn rules_and_score_only_look_at_the_table() {
    let bench = with_customers();
    bench.write(
        "crm.toml",
        "name = \"crm\"\n[[states]]\nname = \"rich\"\n[[states]]\nname = \"poor\"\n[[states]]\nname = \"none\"\n\
         [[rules]]\nstate = \"rich\"\nwhen = { clv = { min = 0.1 } }\n[[rules]]\nstate = \"poor\"\nwhen = { balance = { below = \"0.001\" } }\n\
         [[rules]]\nstate = \"none\"\n",
    );
    bench.append("[schemes]\nclub = \"crm.toml\"\ntier = \"value_tier\"\n[score]\nonly = { points = [-50, 30], balance = { above = \"-0.0015\" } }");
    bench.runs();
    // A scheme that looks at nothing of the orders is one of prospects, too.
    assert_eq!(
        shown(&bench, "2024-12-31", &["club", "r_score", "tier", "clv", "balance"]),
        [
            "1 \"rich\" 1 \"high\" 1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000 1250e-3",
            "2 \"poor\" - \"(unscored)\" - 0e-3",
            "3 \"none\" - \"(unscored)\" - -",
            "4 \"poor\" 5 \"low\" -0.5 -1e-3",
            "5 \"none\" - \"(unscored)\" - -",
            "6 \"rich\" - \"(none)\" 2 6125e-3",
            "7 \"rich\" - \"(none)\" 0.1 7000e-3",
        ]
    );
}

#[test]
fn ids_may_be_of_any_width_and_of_text() {
    for (orders, crm, unknown) in [
        (ints([1, 1, 2, 2, 3, 4, 4, 5]), Arc::new(UInt64Array::from(vec![7, 1, 2, 3, 4, 6])) as ArrayRef, "7"),
        (Arc::new(UInt64Array::from(vec![1, 1, 2, 2, 3, 4, 4, u64::MAX])), ints([7, 1, 2, 3, 4, 6]), "7"),
        (texts(["a", "a", "b", "b", "c", "d", "d", "e"]), texts(["g", "a", "b", "c", "d", "f"]), "\"g\""),
    ] {
        let bench = with_customers();
        bench.parquet("orders/a.parquet", &with_ids(orders));
        bench.parquet("crm/a.parquet", &customers(crm));
        bench.edit("path = \"out\"", "path = \"out\"\ncolumns = [\"points\"]");
        bench.runs();
        let table = read_folder(&bench.path("out/latest/customers"));
        let rows: Vec<String> = table.rows.iter().map(|r| format!("{} {}", text(&r[0]), text(&r[1]))).collect();
        assert_eq!(rows.len(), 7);
        assert_eq!(rows.iter().filter(|r| **r == format!("{unknown} 70")).count(), 1, "{rows:?}");
        assert_eq!(rows.iter().filter(|r| r.ends_with(" -")).count(), 2, "{rows:?}");
    }
}

/// Random orders of 60 customers in two slices, and a table of customers 30 to 89 in two files.
pub fn random(seed: u64, sliced: bool) -> Bench {
    let mut rng = Rng::new(seed);
    let bench = Bench::empty();
    let n = 300;
    let column = |of: &mut dyn FnMut() -> i64| (0..n).map(|_| of()).collect::<Vec<i64>>();
    let ids = column(&mut || rng.between(0, 59));
    let days: Vec<String> = (0..n).map(|_| format!("2024-{:02}-{:02}", rng.between(1, 12), rng.between(1, 28))).collect();
    let amounts: Vec<i128> = (0..n).map(|_| i128::from(rng.between(-20, 100)) * 100).collect();
    let slices: Vec<&str> = (0..n).map(|_| *rng.pick(&["web", "shop"])).collect();
    bench.parquet(
        "orders/a.parquet",
        &[
            ("customer_id", ints(ids)),
            ("ordered_at", dates(days.iter().map(String::as_str))),
            ("amount", decimals(2, amounts)),
            ("channel", texts(slices)),
        ],
    );
    let regions = [Some("north"), Some("south"), Some("east"), None];
    for (file, ids) in [("crm/b.parquet", 30..70), ("crm/a.parquet", 70..90)] {
        let ids: Vec<i64> = ids.rev().collect();
        let regions: Vec<Option<&str>> = ids.iter().map(|_| *rng.pick(&regions)).collect();
        let sizes: Vec<i64> = ids.iter().map(|id| id % 3).collect();
        bench.parquet(
            file,
            &[
                ("customer_id", ints(ids.iter().copied())),
                ("region", texts(regions)),
                ("size", ints(sizes)),
                ("points", ints(ids.iter().map(|i| i * 10))),
            ],
        );
    }
    bench.write(
        "job.toml",
        "name = \"test\"\n\n[orders]\npath = \"orders\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\namount = \"amount\"\n\n\
         [customers]\npath = \"crm/*.parquet\"\ncustomer_id = \"customer_id\"\ndimensions = [\"region\", \"size\"]\n\n\
         [periods]\nas_of = [2024-01-31, 2024-03-31, 2024-06-30, 2024-09-30, 2024-12-31]\n\n\
         [score]\nlookback = \"6 months\"\n\n\
         [schemes]\nsegment = \"standard\"\nlifecycle = \"simple_lifecycle\"\nvalue = \"eight_value\"\n\n\
         [output]\npath = \"out\"\ncolumns = [\"recency_days\", \"frequency\", \"monetary\", \"annual_value\", \"points\", \"region\", \"size\", \"r_score\", \"f_score\", \"m_score\", \"segment\", \"lifecycle\", \"value\"]\n",
    );
    if sliced {
        bench.in_orders("slice = \"channel\"");
    }
    bench
}

const DATES: [&str; 5] = ["2024-01-31", "2024-03-31", "2024-06-30", "2024-09-30", "2024-12-31"];
const SCHEMES: [&str; 3] = ["segment", "lifecycle", "value"];

/// The partition of a date.
fn partition(bench: &Bench, output: &str, as_of: &str) -> Table {
    read_folder(&bench.path(&format!("{output}/latest/customers/as_of={as_of}")))
}

/// What stands for a cell in a summed table.
fn label(cell: &Cell, absent: &str) -> String {
    if *cell == Cell::Null { absent.into() } else { cell.text().into() }
}

fn number(cell: &Cell) -> i128 {
    match cell {
        Cell::Null => 0,
        Cell::Decimal(n, _) => *n,
        other => other.int(),
    }
}

#[test]
fn segments_by_dimension_are_sums_over_customers() {
    for (seed, sliced) in [(1, false), (2, true)] {
        let bench = random(seed, sliced);
        bench.runs();
        // Customers, orders, revenue, repeat customers, annual value, recency and how many have one.
        let mut want: BTreeMap<[String; 6], [i128; 7]> = BTreeMap::new();
        for as_of in DATES {
            let table = partition(&bench, "out", as_of);
            for row in table.records() {
                let slice = if sliced { label(row["slice"], "(none)") } else { "(all)".into() };
                let groups = [
                    ("(all)", "(all)".to_owned()),
                    ("region", label(row["region"], "(unknown)")),
                    ("size", label(row["size"], "(unknown)")),
                ];
                let [frequency, monetary, annual_value, recency] =
                    ["frequency", "monetary", "annual_value", "recency_days"].map(|c| number(row[c]));
                let ordered = i128::from(*row["recency_days"] != Cell::Null);
                for scheme in SCHEMES {
                    for (dimension, value) in &groups {
                        let key = [as_of, &slice, dimension, value, scheme, row[scheme].text()].map(str::to_owned);
                        let own = [1, frequency, monetary, i128::from(frequency >= 2), annual_value, recency, ordered];
                        want.entry(key).or_default().iter_mut().zip(own).for_each(|(sum, x)| *sum += x);
                    }
                }
            }
        }
        let segments = read_file(&bench.path("out/latest/segments.parquet"));
        assert_eq!(segments.rows.len(), want.len());
        for row in segments.records() {
            let as_of = DATES.iter().find(|d| *row["as_of"] == dates_cell(d)).expect("a date");
            let text = |column: &str| row[column].text().to_owned();
            let key =
                [(*as_of).to_owned(), text("slice"), text("dimension"), text("dimension_value"), text("scheme"), text("state")];
            let sums = want[&key];
            let got = ["customers", "orders", "revenue", "repeat_customers", "annual_value"].map(|c| number(row[c]));
            assert_eq!(got, sums[..5], "{key:?}");
            let mean = if sums[6] == 0 { Cell::Null } else { Cell::Double(sums[5] as f64 / sums[6] as f64) };
            assert_eq!(*row["mean_recency_days"], mean, "{key:?}");
            assert_eq!(*row["mean_monetary"] == Cell::Null, sums[6] == 0, "{key:?}");
        }
        // Who has never ordered is there, in a row without a slice where the job has slices.
        assert!(want.keys().any(|k| k[5] == "prospect" && k[1] == if sliced { "(none)" } else { "(all)" }));
        assert!(want.keys().any(|k| k[3] == "(unknown)"));
    }
}

/// A date such as 2024-12-31 as a cell.
fn dates_cell(text: &str) -> Cell {
    let date: jiff::civil::Date = text.parse().expect("a date");
    Cell::Date(i64::from((date - jiff::civil::Date::constant(1970, 1, 1)).get_days()))
}

#[test]
fn transitions_by_dimension_are_counts_of_customers() {
    for (seed, sliced) in [(3, false), (4, true)] {
        let bench = random(seed, sliced);
        bench.runs();
        let mut want: BTreeMap<[String; 7], i128> = BTreeMap::new();
        for pair in DATES.windows(2) {
            // State by customer and slice, and the dimensions, which are the same at all dates.
            let mut people: BTreeMap<(i128, String), ([String; 2], [[String; 2]; 3])> = BTreeMap::new();
            for (at, as_of) in pair.iter().enumerate() {
                for row in partition(&bench, "out", as_of).records() {
                    let slice = row.get("slice").map_or("(all)".into(), |s| label(s, "(none)"));
                    let dimensions = ["region", "size"].map(|d| label(row[d], "(unknown)"));
                    let none = || ["(none)".to_owned(), "(none)".to_owned()];
                    let person =
                        people.entry((row["customer_id"].int(), slice)).or_insert((dimensions, [none(), none(), none()]));
                    for (scheme, states) in SCHEMES.iter().zip(&mut person.1) {
                        states[at] = row[scheme].text().into();
                    }
                }
            }
            for ((_, slice), ([region, size], states)) in people {
                for (dimension, value) in [("(all)", "(all)"), ("region", &region), ("size", &size)] {
                    for (scheme, [from, to]) in SCHEMES.iter().zip(&states) {
                        let key = [pair[1], &slice, dimension, value, scheme, from, to].map(str::to_owned);
                        *want.entry(key).or_default() += 1;
                    }
                }
            }
        }
        let transitions = read_file(&bench.path("out/latest/transitions.parquet"));
        assert_eq!(transitions.rows.len(), want.len());
        let mut revenue: BTreeMap<[String; 4], i128> = BTreeMap::new();
        for row in transitions.records() {
            let as_of = DATES.iter().find(|d| *row["as_of"] == dates_cell(d)).expect("a date");
            let text = |column: &str| row[column].text().to_owned();
            let [dimension, value, scheme, from, to] =
                ["dimension", "dimension_value", "scheme", "from_state", "to_state"].map(text);
            let key = [(*as_of).to_owned(), text("slice"), dimension.clone(), value, scheme.clone(), from, to];
            assert_eq!(want.get(&key), Some(&row["customers"].int()), "{key:?}");
            *revenue.entry([(*as_of).to_owned(), text("slice"), scheme, dimension]).or_default() += number(row["revenue"]);
        }
        for ([as_of, slice, scheme, dimension], money) in &revenue {
            let all = revenue[&[as_of.clone(), slice.clone(), scheme.clone(), "(all)".to_owned()]];
            assert_eq!(*money, all, "the money of all values of {dimension} at {as_of}");
        }
        assert!(revenue.values().any(|m| *m > 0) && want.keys().any(|k| k[5] == "prospect" && (sliced || k[6] == "new")));
    }
}

#[test]
fn many_dates_equal_one_date_each() {
    for (seed, sliced) in [(5, false), (6, true)] {
        let bench = random(seed, sliced);
        bench.runs();
        for as_of in DATES {
            bench.succeeds(&["run", "job.toml", "--quiet", "--as-of", as_of, "--output", "one"]);
            let (many, one) = (partition(&bench, "out", as_of), partition(&bench, "one", as_of));
            assert_eq!(many.columns, one.columns);
            assert_eq!(many.rows, one.rows, "at {as_of}");
            assert!(one.rows.iter().filter(|r| r.contains(&Cell::Text("prospect".into()))).count() >= 20);
        }
    }
}

#[test]
fn rows_are_sorted_and_the_table_may_have_any_order() {
    let bench = random(7, true);
    bench.runs();
    let before = bench.table_hashes("out");
    let rows = partition(&bench, "out", "2024-12-31").rows;
    let key = |row: &Vec<Cell>| (matches!(row[1], Cell::Null), label(&row[1], ""), row[0].int());
    assert!(rows.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])));
    // The same customers from one file, in another order.
    let mut all = read_file(&bench.path("crm/a.parquet"));
    all.rows.extend(read_file(&bench.path("crm/b.parquet")).rows);
    all.rows.sort_by_key(|row| row[0].int() % 7);
    let ids = |at: usize| ints(all.rows.iter().map(|r| r[at].int() as i64));
    let regions = texts(all.rows.iter().map(|r| if r[1] == Cell::Null { None } else { Some(r[1].text()) }));
    std::fs::remove_file(bench.path("crm/b.parquet")).expect("a file");
    bench.parquet("crm/a.parquet", &[("customer_id", ids(0)), ("region", regions), ("size", ids(2)), ("points", ids(3))]);
    bench.runs();
    assert_eq!(bench.table_hashes("out"), before);
}

#[test]
fn a_changed_table_is_another_run() {
    let bench = with_customers();
    bench.runs();
    assert!(bench.succeeds(&["run", "job.toml"]).err.contains("already computed"));
    bench.parquet("crm/a.parquet", &customers(ints([7, 1, 2, 3, 4, 8])));
    assert!(!bench.succeeds(&["run", "job.toml"]).err.contains("already computed"));
}

#[test]
fn rows_without_a_customer_are_counted() {
    let bench = with_customers();
    bench.parquet("crm/a.parquet", &customers(ints([None, Some(1), Some(2), None, Some(4), Some(6)])));
    let ran = bench.runs();
    assert!(
        ran.err.contains("2 rows of the customers table have no customer (column \"id\" is null) and do not count"),
        "{}",
        ran.err
    );
    assert_eq!(read_folder(&bench.path("out/latest/customers")).rows.len(), 6);
}

#[test]
fn a_customer_must_stand_once() {
    let bench = with_customers();
    bench.parquet("crm/b.parquet", &customers(ints([8, 9, 4, 7, 10, 11])));
    bench.refuses(3, "error: the customer 4 stands twice in the customers table, in row 5 of crm/a.parquet and in row 3 of crm/b.parquet (column \"id\", customers.customer_id); a customer has one row, so remove the other.");
    let bench = with_customers();
    bench.parquet("orders/a.parquet", &with_ids(texts(["a"; 8])));
    bench.parquet("crm/a.parquet", &customers(texts(["x", "y", "y", "z", "x", "y"])));
    bench.refuses(3, "error: the customer \"y\" stands twice in the customers table, in row 2 of crm/a.parquet and in row 3 of crm/a.parquet (column \"id\", customers.customer_id); a customer has one row, so remove the other.");
}

#[test]
fn the_ids_must_be_comparable() {
    let bench = with_customers();
    bench.parquet("crm/a.parquet", &customers(texts(["1", "2", "3", "4", "5", "6"])));
    bench.refuses(3, "error: column \"id\" (customers.customer_id) is a string, but the column of orders.customer_id is an integer; write both with one type.");
    let bench = with_customers();
    bench.parquet("orders/a.parquet", &with_ids(Arc::new(arrow::array::Int8Array::from(vec![1, 1, 2, 2, 3, 4, 4, 5]))));
    bench.parquet("crm/a.parquet", &customers(ints([1, 2, 3, 4, 5, 128])));
    bench.refuses(3, "error: crm/a.parquet, row 6: column \"id\" (customers.customer_id) of type int64 holds an id that the type of orders.customer_id cannot hold; write both with one type.");
}

#[test]
fn columns_of_the_table_are_checked() {
    let bench = with_customers();
    bench.edit("customer_id = \"id\"", "customer_id = \"idd\"");
    bench.refuses(3, "error: job.toml, line 17, column 15: customers.customer_id names the column \"idd\", which crm/a.parquet does not have; did you mean \"id\"? (its columns are id, points, balance, clv, joined, region, vip, nickname); name one of them.");
    let bench = with_customers();
    bench.edit("\"region\"", "\"regoin\"");
    bench.refuses(3, "error: job.toml, line 18, column 15: customers.dimensions names the column \"regoin\", which crm/a.parquet does not have; did you mean \"region\"? (its columns are id, points, balance, clv, joined, region, vip, nickname); name one of them.");
    let bench = with_customers();
    bench.edit("\"region\"", "\"clv\"");
    bench.refuses(3, "error: crm/a.parquet: column \"clv\" (customers.dimensions) is of type float64; expected a string, an integer or a boolean. Convert it where the file is written, or name another column.");
    let bench = with_customers();
    bench.edit("\"region\", \"vip\"", "\"region\", \"id\"");
    bench.refuses(2, "error: job.toml, line 18, column 25: customers.dimensions names \"id\", the id of the customer; name columns with few values.");
    let bench = with_customers();
    bench.edit("\"region\", \"vip\"", "\"region\", \"region\"");
    bench.refuses(2, "error: job.toml, line 18, column 15: customers.dimensions names \"region\", but customers.dimensions already has something of that name; rename the column where the file is written.");
    let bench = with_customers();
    bench.edit("path = \"crm\"", "path = []");
    bench.refuses(2, "error: job.toml, line 16, column 1: customers.path is an empty list; name at least one file.");
    let bench = with_customers();
    bench.edit("path = \"crm\"", "path = \"crn\"");
    bench.refuses(4, "error: there is no file or folder crn; check customers.path (it is relative to the job file).");
    let bench = with_customers();
    bench.write("crm/a.parquet", "id,points\n");
    bench.refuses(4, "error: crm/a.parquet is not a Parquet file: it begins like text, perhaps CSV; expected the bytes PAR1. Check what wrote it, convert it (duckdb -c \"COPY (FROM read_csv('crm/a.parquet')) TO 'crm/a.converted.parquet'\"), or take it out of customers.path.");
}

#[test]
fn names_of_the_table_must_be_its_own() {
    for (column, whose) in [
        ("frequency", "every job has itself"),
        ("Segment_Since", "a scheme column has"),
        ("cells", "conditions have"),
        ("r_score", "every job has itself"),
    ] {
        let bench = with_customers();
        let mut columns = customers(ints([7, 1, 2, 3, 4, 6]));
        columns[1].0 = column;
        bench.parquet("crm/a.parquet", &columns);
        bench.refuses(2, &format!("error: crm/a.parquet: the column {column:?} would be a measure of the customers table, but {whose} one of that name; rename it where the file is written, or leave it out of the file."));
    }
    let bench = with_customers();
    let mut columns = customers(ints([7, 1, 2, 3, 4, 6]));
    columns[5].0 = "slice";
    bench.parquet("crm/a.parquet", &columns);
    bench.edit("\"region\"", "\"slice\"");
    bench.refuses(2, "error: job.toml, line 18, column 15: customers.dimensions names \"slice\", but every job has itself something of that name; rename the column where the file is written.");
}

#[test]
fn files_of_the_table_must_agree() {
    let bench = with_customers();
    let mut columns = customers(ints([17, 11, 12, 13, 14, 16]));
    columns[1].1 = floats([1.0; 6]);
    bench.parquet("crm/b.parquet", &columns);
    bench.refuses(3, "error: column \"points\" (customers.path) is float64 in crm/b.parquet but int64 in crm/a.parquet; write all files with one schema.");
}

#[test]
fn numbers_of_the_table_must_fit() {
    for (column, values, what) in [
        ("points", ints([1, 2, 3, 4, 1_000_000_000_000_000_000, 6]), "a number of more than 18 digits"),
        ("balance", decimals(3, [1, 2, 3, 4, i128::from(i64::MAX) + 1, 6]), "a number of more than 18 digits"),
        ("clv", floats([0.0, 0.0, 0.0, 0.0, f64::NEG_INFINITY, 0.0]), "an infinite number"),
        (
            "joined",
            Arc::new(arrow::array::Date32Array::from(vec![0, 0, 0, 0, 3_000_000, 0])),
            "a date outside the years 1 to 9999",
        ),
    ] {
        let bench = with_customers();
        let mut columns = customers(ints([7, 1, 2, 3, 4, 6]));
        columns.iter_mut().filter(|c| c.0 == column).for_each(|c| c.1 = values.clone());
        bench.parquet("crm/a.parquet", &columns);
        // What nothing looks at is not read.
        bench.runs();
        bench.edit("path = \"out\"", &format!("path = \"out\"\ncolumns = [{column:?}]"));
        bench.refuses(3, &format!("error: crm/a.parquet, row 5: column {column:?} (a measure of the customers table) holds {what}; correct it where the file is written."));
    }
}

/// Files may store the digits of a decimal in other ways; the widest is that of the column.
#[test]
fn decimals_of_one_scale_are_one_column() {
    let bench = Bench::new();
    let balance = |digits| cast(&decimals(3, [1_250, 7_000]), &DataType::Decimal128(digits, 3)).unwrap();
    bench.parquet("crm/a.parquet", &[("id", ints([1, 2])), ("balance", balance(12))]);
    bench.parquet("crm/b.parquet", &[("id", ints([3, 4])), ("balance", balance(20))]);
    bench.append("[customers]\npath = \"crm\"\ncustomer_id = \"id\"");
    bench.edit("path = \"out\"", "path = \"out\"\ncolumns = [\"balance\"]");
    bench.runs();
    let rows = shown(&bench, "2024-12-31", &["balance"]);
    assert_eq!(rows, ["1 1250e-3", "2 7000e-3", "3 1250e-3", "4 7000e-3", "5 -"]);
    // Not of one scale.
    bench.parquet("crm/b.parquet", &[("id", ints([3, 4])), ("balance", decimals(2, [1, 2]))]);
    bench.refuses(
        3,
        "error: column \"balance\" (customers.path) is decimal(38, 2) in crm/b.parquet but decimal(12, 3) in crm/a.parquet; write all files with one schema.",
    );
}

#[test]
fn unknown_measures_are_told_with_those_of_the_table() {
    let bench = with_customers();
    bench.append("[score.only]\npionts = 3");
    bench.refuses(2, "error: job.toml, line 20, column 1: score.only: there is no measure or score \"pionts\"; did you mean \"points\"? (rules look at first_order, …, points, balance, clv, joined, r_score, …).");
    let bench = with_customers();
    bench.edit("path = \"out\"", "path = \"out\"\ncolumns = [\"regin\"]");
    bench.refuses(2, "error: job.toml, line 14, column 12: output.columns names \"regin\", which is no measure, score or scheme column; did you mean \"region\"? (possible: …, region, vip).");
    let bench = with_customers();
    bench.append("[score.only]\n\"points@30d\" = 3");
    bench.refuses(2, "error: job.toml, line 20, column 1: score.only: measure \"points@30d\": points does not look back over a window, so it takes no \"@\".");
}

#[test]
fn the_other_commands_know_the_table() {
    let bench = with_customers();
    bench.append("[score.only]\npoints = { min = 1 }");
    bench.succeeds(&["check", "job.toml"]);
    assert!(bench.succeeds(&["explain", "job.toml"]).out.contains("points"));
    bench.edit("path = \"out\"", "path = \"out\"\ncolumns = [\"balance\", \"vip\", \"clv\", \"joined\", \"points\"]");
    let tables = bench.succeeds(&["schema", "--tables", "job.toml"]).out;
    assert!(tables.contains("\"balance\" NUMERIC(38, 3),\n    \"vip\" TEXT,\n    \"clv\" DOUBLE PRECISION,\n    \"joined\" DATE,\n    \"points\" BIGINT"), "{tables}");
    bench.parquet("crm/a.parquet", &customers(texts(["1", "2", "3", "4", "5", "6"])));
    bench.refuses_command(&["check", "job.toml"], 3, "error: column \"id\" (customers.customer_id) is a string, but the column of orders.customer_id is an integer; write both with one type.");
    let with_slices = with_customers();
    with_slices.parquet("orders/a.parquet", &orders_and("shop", texts(["x", "y", "x", "y", "x", "y", "x", "y"])));
    with_slices.in_orders("slice = \"shop\"");
    with_slices.runs();
}

#[test]
fn effects_do_not_change_by_who_else_is_on_the_table() {
    let bench = random(8, false);
    let ids: Vec<i64> = (0..60).collect();
    bench.parquet(
        "arms.parquet",
        &[
            ("customer_id", ints(ids.iter().copied())),
            ("arm", texts(ids.iter().map(|id| if id % 2 == 0 { "mail" } else { "control" }))),
            ("assigned_on", dates(ids.iter().map(|_| "2024-07-01"))),
        ],
    );
    bench.edit(
        "as_of = [2024-01-31, 2024-03-31, 2024-06-30, 2024-09-30, 2024-12-31]",
        "every = \"quarter\"\nfrom = 2024-01-01\nto = 2024-09-30",
    );
    bench.edit(", \"points\", \"region\", \"size\"", "");
    bench.append("[[strategy]]\nname = \"mail\"\ndesign = \"randomised\"\nassignments = \"arms.parquet\"\ncontrol = \"control\"\nsplit = { control = 0.5, mail = 0.5 }");
    let effects = |bench: &Bench| -> Vec<String> {
        bench.runs();
        let table = read_file(&bench.path("out/latest/effects.parquet"));
        let all = table.rows.iter().filter(|row| row[table.column("scheme")] == Cell::Text("(all)".into()));
        all.map(|row| format!("{row:?}")).collect()
    };
    let with = effects(&bench);
    bench.edit("[customers]\npath = \"crm/*.parquet\"\ncustomer_id = \"customer_id\"\ndimensions = [\"region\", \"size\"]\n", "");
    assert_eq!(with, effects(&bench));
    assert!(with.iter().any(|row| row.contains("Double")));
}

#[test]
fn every_way_of_scoring_passes_over_who_never_ordered() {
    for score in [
        "method = \"ntile\"",
        "method = \"rank\"",
        "method = \"r_rfm\"",
        "levels = \"median\"",
        "cuts = \"frozen\"",
        "count = \"order_days\"",
    ] {
        for sliced in [false, true] {
            let bench = random(9, sliced);
            bench.edit("lookback = \"6 months\"", &format!("lookback = \"6 months\"\n{score}"));
            let scored = |bench: &Bench| -> (Vec<Vec<Cell>>, Vec<Vec<Cell>>) {
                bench.runs();
                let table = read_folder(&bench.path("out/latest/customers"));
                let (recency, points) = (table.column("recency_days"), table.column("points"));
                let ordered = |row: &Vec<Cell>| row[recency] != Cell::Null;
                assert!(table.rows.iter().filter(|row| !ordered(row)).all(|row| row[table.column("f_score")] == Cell::Null));
                let mut rows: Vec<Vec<Cell>> = table.rows.iter().filter(|row| ordered(row)).cloned().collect();
                rows.iter_mut().for_each(|row| drop(row.drain(points..points + 3)));
                (rows, read_file(&bench.path("out/latest/cutpoints.parquet")).rows)
            };
            let with = scored(&bench);
            // The same job with a table of nobody.
            for file in ["crm/a.parquet", "crm/b.parquet"] {
                bench.parquet(
                    file,
                    &[
                        ("customer_id", ints([0; 0])),
                        ("region", texts([""; 0])),
                        ("size", ints([0; 0])),
                        ("points", ints([0; 0])),
                    ],
                );
            }
            assert_eq!(with, scored(&bench), "{score}");
        }
    }
}
