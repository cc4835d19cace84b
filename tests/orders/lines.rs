//! Lines of orders: those of the first date make the order, later ones count money on their own date.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};

use super::{assert_customers, warnings};
use crate::fixture::{Bench, dates, decimals, ints, texts};

/// Customer, order, date and amount of a line.
type Line = (&'static str, i64, &'static str, i128);

const LINES: [Line; 10] = [
    ("a", 1, "2024-01-10", 10_000),
    ("a", 1, "2024-03-05", -10_000),
    ("b", 2, "2024-01-12", 5_000),
    ("b", 2, "2024-01-12", 3_000),
    // Two lines of a day are one return; a line that adds money is none, and no purchase.
    ("b", 2, "2024-02-20", -4_000),
    ("b", 2, "2024-02-20", 1_000),
    ("b", 2, "2024-02-25", 500),
    ("c", 3, "2024-01-20", 5_000),
    ("d", 4, "2024-03-20", 6_000),
    ("d", 4, "2024-07-01", -6_000),
];

const JOB: &str = r#"name = "lines"

[orders]
path = "orders"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
order_id = "order_id"

[periods]
as_of = [2024-01-31, 2024-03-31]

[output]
path = "out"
columns = ["last_order", "frequency", "monetary", "return_share", "lifetime_orders"]
"#;

fn columns(lines: &[Line]) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("customer_id", texts(lines.iter().map(|l| l.0))),
        ("order_id", ints(lines.iter().map(|l| l.1))),
        ("ordered_at", dates(lines.iter().map(|l| l.2))),
        ("amount", decimals(2, lines.iter().map(|l| l.3))),
    ]
}

fn bench(lines: &[Line]) -> Bench {
    let bench = Bench::empty();
    bench.write("job.toml", JOB);
    bench.parquet("orders/a.parquet", &columns(lines));
    bench
}

#[test]
fn later_lines_count_money_on_their_own_date() {
    let bench = bench(&LINES);
    bench.runs();
    let january: [(&str, &[&str]); 3] = [
        ("a", &["2024-01-10", "1", "100.00", "0", "1"]),
        ("b", &["2024-01-12", "1", "80.00", "0", "1"]),
        ("c", &["2024-01-20", "1", "50.00", "0", "1"]),
    ];
    assert_customers(&bench, "2024-01-31", &january);
    assert_customers(
        &bench,
        "2024-03-31",
        &[
            ("a", &["2024-01-10", "1", "0.00", "0.5", "1"]),
            ("b", &["2024-01-12", "1", "55.00", "0.5", "1"]),
            ("c", &["2024-01-20", "1", "50.00", "0", "1"]),
            ("d", &["2024-03-20", "1", "60.00", "0", "1"]),
        ],
    );
    assert_eq!(
        bench.table("ledger.parquet"),
        [["orders/a.parquet", "kept", "9", "165.00"], ["orders/a.parquet", "after_as_of", "1", "-60.00"]]
    );

    // Without returns, only what is none counts.
    bench.in_orders("monetary = \"gross\"");
    bench.runs();
    assert_customers(
        &bench,
        "2024-03-31",
        &[
            ("a", &["2024-01-10", "1", "100.00", "0.5", "1"]),
            ("b", &["2024-01-12", "1", "85.00", "0.5", "1"]),
            ("c", &["2024-01-20", "1", "50.00", "0", "1"]),
            ("d", &["2024-03-20", "1", "60.00", "0", "1"]),
        ],
    );

    // A run that knew of January alone said the same.
    let then: Vec<Line> = LINES.into_iter().filter(|line| line.2 < "2024-02").collect();
    let bench = self::bench(&then);
    bench.runs();
    assert_customers(&bench, "2024-01-31", &january);
}

/// Days, returns, costs and discounts of an order are those of its first date.
#[test]
fn later_lines_are_no_purchase() {
    let bench = bench(&LINES);
    let mut columns = columns(&LINES);
    columns.push(("cost", decimals(2, [6_000, -2_000, 4_000, 1_000, 0, 0, 100, 2_500, 3_000, 0])));
    let is_returned = [false, false, false, false, false, false, true, false, false, false];
    columns.push(("returned", Arc::new(BooleanArray::from(is_returned.to_vec()))));
    columns.push(("discount", ints([0, 1, 0, 1, 0, 0, 1, 0, 0, 0])));
    bench.parquet("orders/a.parquet", &columns);
    bench.in_orders("cost = \"cost\"\ndiscount = \"discount\"");
    bench.append("[orders.returns]\ncolumn = \"returned\"\nin = [true]\n\n[score]\ncount = \"order_days\"");
    bench.edit("columns = [", "columns = [\"margin\", \"discount_share\", \"mean_gap_days\", ");
    bench.runs();
    // The line of 5.00 is a return now, because it is matched: two returns beside one purchase of b. Its margin is 55 - 51.
    assert_customers(
        &bench,
        "2024-03-31",
        &[
            ("a", &["-40.00", "0", "null", "2024-01-10", "1", "0.00", "0.5", "1"]),
            ("b", &["4.00", "1", "null", "2024-01-12", "1", "55.00", "0.6666666666666666", "1"]),
            ("c", &["25.00", "0", "null", "2024-01-20", "1", "50.00", "0", "1"]),
            ("d", &["30.00", "0", "null", "2024-03-20", "1", "60.00", "0", "1"]),
        ],
    );
}

/// An order of zero is dropped on its date; what is charged later still counts.
#[test]
fn the_order_of_zero_is_that_of_the_first_date() {
    let lines: [Line; 5] = [
        ("a", 1, "2024-01-05", 0),
        ("a", 1, "2024-02-05", 900),
        ("a", 2, "2024-01-20", 2_000),
        ("b", 3, "2024-01-06", 1_000),
        ("b", 3, "2024-02-06", -1_000),
    ];
    let bench = bench(&lines);
    bench.in_orders("zero_amount = \"drop\"");
    bench.runs();
    assert_customers(
        &bench,
        "2024-03-31",
        &[
            ("a", &["2024-01-20", "1", "29.00", "0", "1"]),
            // Its lines add up to zero, but not on one date.
            ("b", &["2024-01-06", "1", "0.00", "0.5", "1"]),
        ],
    );
    assert_eq!(
        bench.table("ledger.parquet"),
        [["orders/a.parquet", "kept", "4", "29.00"], ["orders/a.parquet", "zero", "1", "0.00"]]
    );
}

#[test]
fn orders_that_span_over_ninety_days_are_counted() {
    let lines = |day: &'static str| -> Vec<Line> {
        vec![("a", 1, "2023-01-01", 100), ("a", 1, day, 100), ("b", 1, "2023-12-01", 100), ("b", 2, "2023-12-01", 100)]
    };
    let said = |lines: &[Line]| {
        let ran = bench(lines).runs();
        warnings(&ran.err).into_iter().filter(|w| w.contains("span")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(said(&lines("2023-04-01")), Vec::<String>::new());
    assert_eq!(
        said(&lines("2023-04-02")),
        [
            "the lines of 1 order span more than 90 days, as if numbers were used again; if they were, name as orders.order_id what tells orders apart, such as [\"order_id\", \"shop\"]"
        ]
    );
}
