//! Values that break the contract: nulls, infinities, overflows, mixed currencies, conflicting versions; and the gates.

use crate::fixture::{Bench, dates, decimals, floats, ints, orders_and, orders_but, texts, with_ids};

const SOME_NULL_DATES: [Option<&str>; 8] = [
    Some("2024-01-05"),
    None,
    Some("2024-01-05"),
    Some("2024-01-05"),
    Some("2024-01-05"),
    Some("2024-01-05"),
    None,
    Some("2024-01-05"),
];

#[test]
fn null_dates_above_the_limit_are_refused() {
    let bench = Bench::with_run();
    bench.parquet("orders/a.parquet", &orders_but("ordered_at", dates(SOME_NULL_DATES)));
    bench.refuses(3, "error: 2 of 8 rows (25.0000 %) are rejected, most of them rejected:null_date (2 in orders/a.parquet, column \"ordered_at\"); orders.max_rejected allows 0 %. Correct the data, filter the rows with orders.keep, or raise orders.max_rejected.");
    bench.in_orders("max_rejected = 0.2");
    bench.refuses(3, "error: 2 of 8 rows (25.0000 %) are rejected, most of them rejected:null_date (2 in orders/a.parquet, column \"ordered_at\"); orders.max_rejected allows 20 %. Correct the data, filter the rows with orders.keep, or raise orders.max_rejected.");
}

#[test]
fn null_dates_below_the_limit_are_counted() {
    let bench = Bench::new();
    bench.parquet("orders/a.parquet", &orders_but("ordered_at", dates(SOME_NULL_DATES)));
    bench.in_orders("max_rejected = 0.25");
    bench.runs();
    assert_eq!(
        bench.table("ledger.parquet"),
        [["orders/a.parquet", "kept", "6", "829.98"], ["orders/a.parquet", "rejected:null_date", "2", "28.55"]]
    );
}

#[test]
fn nan_and_infinite_amounts_are_rejections() {
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let bench = Bench::with_run();
        bench.parquet("orders/a.parquet", &orders_but("amount", floats([1.0, 2.0, wrong, 4.0, 5.0, 6.0, 7.0, 8.0])));
        bench.refuses(3, "error: 1 of 8 rows (12.5000 %) are rejected, most of them rejected:non_finite_amount (1 in orders/a.parquet, column \"amount\"); orders.max_rejected allows 0 %. Correct the data, filter the rows with orders.keep, or raise orders.max_rejected.");
        bench.in_orders("max_rejected = 0.125");
        bench.runs();
        assert_eq!(
            bench.table("ledger.parquet"),
            [["orders/a.parquet", "kept", "7", "33.00"], ["orders/a.parquet", "rejected:non_finite_amount", "1", "0.00"]]
        );
    }
}

#[test]
fn guests_above_the_limit_are_refused() {
    let bench = Bench::with_run();
    bench.parquet("orders/a.parquet", &with_ids(ints([Some(1), None, None, Some(4), None, Some(4), Some(5), Some(5)])));
    bench.in_orders("max_no_customer = 0.25");
    bench.refuses(3, "error: 3 of 8 rows (37.5000 %) have no customer (column \"customer_id\" is null); orders.max_no_customer allows 25 %. Correct the data or raise the limit.");
    bench.edit("max_no_customer = 0.25", "max_no_customer = 0.4");
    bench.runs();
}

#[test]
fn nobody_with_a_customer_is_refused() {
    let bench = Bench::with_run();
    bench.parquet("orders/a.parquet", &with_ids(ints([None; 8])));
    bench.refuses(3, "error: there is no order on or before the as-of date 2024-12-31: none of 8 rows is kept; see orders.keep and the customer and date columns.");
}

#[test]
fn one_amount_beyond_the_money_type_is_refused() {
    let bench = Bench::with_run();
    bench.parquet("orders/a.parquet", &orders_but("amount", ints([1, 2, 3, i64::MAX, 5, 6, 7, 8])));
    bench.refuses(3, "error: orders/a.parquet, row 4: column \"amount\" (orders.amount) overflows 64 bits of minor units at orders.amount_scale = 2; lower the scale or correct the amount.");
    bench.parquet("orders/a.parquet", &orders_but("amount", floats([1.0, 2.0, 3.0, 4.0, 1e300, 6.0, 7.0, 8.0])));
    bench.refuses(3, "error: orders/a.parquet, row 5: column \"amount\" (orders.amount) overflows 64 bits of minor units at orders.amount_scale = 2; lower the scale or correct the amount.");
}

#[test]
fn a_customer_beyond_eighteen_digits_is_refused() {
    let bench = Bench::with_run();
    let nine = 900_000_000_000_000_000;
    bench.parquet("orders/a.parquet", &orders_but("amount", decimals(2, [nine, nine, 3, 4, 5, 6, 7, 8])));
    bench.refuses(3, "error: monetary of a customer at 2024-12-31 overflows the 18 digits that the tables hold; lower orders.amount_scale or look for a wrong amount.");
}

#[test]
fn a_sum_of_lines_beyond_the_money_type_is_refused() {
    let bench = Bench::with_run();
    let nine = 9_000_000_000_000_000_000;
    let mut orders = orders_but("amount", decimals(2, [nine, nine, 3, 4, 5, 6, 7, 8]));
    orders.push(("order_id", ints([1, 1, 3, 4, 5, 6, 7, 8])));
    orders[1].1 = dates(["2024-12-24"; 8]);
    bench.parquet("orders/a.parquet", &orders);
    bench.in_orders("order_id = \"order_id\"");
    bench.refuses(3, "error: the lines of one order add up to more money than 64 bits of minor units hold; lower orders.amount_scale or look for a wrong amount.");
}

#[test]
fn two_currencies_are_refused_with_their_counts() {
    let bench = Bench::with_run();
    bench.parquet("orders/a.parquet", &orders_and("currency", texts(["EUR", "EUR", "USD", "EUR", "EUR", "GBP", "EUR", "USD"])));
    bench.in_orders("currency = \"currency\"");
    bench.refuses(3, "error: column \"currency\" (orders.currency) holds 3 currencies: \"EUR\" in 5 rows, \"USD\" in 2 rows, \"GBP\" in 1 rows; amounts of different currencies cannot be added, so keep one with an orders.keep filter.");
    bench.append("[[orders.keep]]\ncolumn = \"currency\"\nin = [\"EUR\"]");
    bench.runs();
}

#[test]
fn no_order_before_the_as_of_date_is_refused() {
    let bench = Bench::with_run();
    bench.edit("[2024-12-31]", "[2023-12-31]");
    bench.refuses(
        3,
        "error: there is no order on or before the as-of date 2023-12-31: 8 of 8 rows are later (the dates go from 2024-01-05 to 2024-12-31); check the as-of date.",
    );
    bench.append("[[orders.keep]]\ncolumn = \"amount\"\nabove = 100000");
    bench.refuses(3, "error: there is no order on or before the as-of date 2023-12-31: none of 8 rows is kept; see orders.keep and the customer and date columns.");
}

#[test]
fn earlier_empty_dates_are_fine() {
    let bench = Bench::new();
    bench.edit("[2024-12-31]", "[2020-12-31, 2024-12-31]");
    bench.runs();
}

#[test]
fn a_stale_input_is_refused() {
    let bench = Bench::with_run();
    bench.edit("[2024-12-31]", "[2025-01-03]");
    bench.append("[checks]\nnewest_order_within = \"2d\"");
    bench.refuses(3, "error: the newest order (column \"ordered_at\") is of 2024-12-31, 3 days before the as-of date 2025-01-03; checks.newest_order_within allows 2. Look for a missing file or partition, or raise the limit.");
    bench.edit("\"2d\"", "\"3d\"");
    bench.runs();
}

#[test]
fn a_shrunken_input_is_refused() {
    let bench = Bench::with_run();
    bench.append("[checks]\nrows_vs_previous = [0.5, 2.0]");
    let few: Vec<_> = orders_but("", ints([0; 1])).into_iter().map(|(name, column)| (name, column.slice(0, 3))).collect();
    bench.parquet("orders/a.parquet", &few);
    bench.refuses(3, "error: the input has 3 rows, 0.375 times the 8 of the run that `latest` names; checks.rows_vs_previous allows 0.5 to 2. Look for missing or doubled files, or run once with --set checks.rows_vs_previous=[0,1000].");
    bench.succeeds(&["run", "job.toml", "--set", "checks.rows_vs_previous=[0,1000]"]);
    bench.parquet("orders/a.parquet", &orders_but("", ints([0; 1])));
    bench.refuses(3, "error: the input has 8 rows, 2.667 times the 3 of the run that `latest` names; checks.rows_vs_previous allows 0.5 to 2. Look for missing or doubled files, or run once with --set checks.rows_vs_previous=[0,1000].");
}

#[test]
fn conflicting_versions_name_both_rows() {
    let bench = Bench::with_run();
    let mut first = orders_and("order_id", ints([1, 2, 3, 4, 5, 6, 7, 8]));
    first.push(("updated_at", ints([1; 8])));
    bench.parquet("orders/a.parquet", &first);
    let mut second = orders_but("amount", decimals(2, [1000, 9999, 1, 1, 1, 1, 1, 1]));
    second.push(("order_id", ints([1, 2, 13, 14, 15, 16, 17, 18])));
    second.push(("updated_at", ints([1; 8])));
    bench.parquet("orders/b.parquet", &second);
    bench.append("[orders.latest]\nkey = [\"order_id\"]\nby = \"updated_at\"");
    bench.refuses(3, "error: row 2 of orders/a.parquet and row 2 of orders/b.parquet have equal order_id and equal \"updated_at\" but differ, so the newest version cannot be told; correct one of them or name another column as orders.latest.by.");
}

#[test]
fn control_characters_in_values_never_reach_the_terminal() {
    let bench = Bench::new();
    let evil = "E\u{1b}]0;owned\u{7}\r\nerror: fake\u{9b}2J";
    bench.parquet("orders/a.parquet", &orders_and("currency", texts([evil, "EUR", evil, "EUR", "EUR", "EUR", "EUR", evil])));
    bench.in_orders("currency = \"currency\"");
    bench.refuses(3, "error: column \"currency\" (orders.currency) holds 2 currencies: \"EUR\" in 5 rows, \"E\\u{1b}]0;owned\\u{7}\\r\\nerror: fake\\u{9b}2J\" in 3 rows; amounts of different currencies cannot be added, so keep one with an orders.keep filter.");
    // As slices they appear in warnings and in what the run prints.
    let bench = Bench::new();
    bench.parquet("orders/a.parquet", &orders_and("shop", texts([evil, "EUR", evil, "EUR", "EUR", "EUR", "EUR", evil])));
    bench.in_orders("slice = \"shop\"");
    let ran = bench.runs();
    assert!(ran.err.chars().all(|c| !c.is_control() || c == '\n'), "{:?}", ran.err);
    assert!(!ran.err.lines().any(|l| l.starts_with("error")), "{}", ran.err);
    // In JSON they are escapes, too.
    let ran = bench.succeeds(&["run", "job.toml", "--log-format", "json", "--as-of", "2024-12-30"]);
    assert!(ran.err.chars().all(|c| !c.is_control() || c == '\n'), "{:?}", ran.err);
}

#[test]
fn null_slices_and_order_ids_are_rejections() {
    let bench = Bench::with_run();
    bench.parquet(
        "orders/a.parquet",
        &orders_and("shop", texts([Some("a"), None, Some("a"), Some("a"), Some("a"), None, None, Some("a")])),
    );
    bench.in_orders("slice = \"shop\"");
    bench.refuses(3, "error: 3 of 8 rows (37.5000 %) are rejected, most of them rejected:null_slice (3 in orders/a.parquet, column \"shop\"); orders.max_rejected allows 0 %. Correct the data, filter the rows with orders.keep, or raise orders.max_rejected.");
    let bench = Bench::with_run();
    bench.parquet(
        "orders/a.parquet",
        &orders_and("no", ints([Some(1), Some(2), None, Some(4), Some(5), Some(6), Some(7), Some(8)])),
    );
    bench.in_orders("order_id = \"no\"");
    bench.refuses(3, "error: 1 of 8 rows (12.5000 %) are rejected, most of them rejected:null_order_id (1 in orders/a.parquet, column \"no\"); orders.max_rejected allows 0 %. Correct the data, filter the rows with orders.keep, or raise orders.max_rejected.");
}
