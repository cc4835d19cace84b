//! Columns that are missing, misspelt, of another type, or different from file to file.

use crate::fixture::{Bench, decimals, floats, ints, orders, orders_and, orders_but, texts};

#[test]
fn a_misspelt_column_is_located_and_corrected() {
    let bench = Bench::with_run();
    bench.edit("\"customer_id\"", "\"custmer_id\"");
    bench.refuses(3, "error: job.toml, line 5, column 15: orders.customer_id names the column \"custmer_id\", which orders/a.parquet does not have; did you mean \"customer_id\"? (its columns are customer_id, ordered_at, amount); name one of them.");
}

#[test]
fn a_missing_column_lists_what_exists() {
    let bench = Bench::with_run();
    bench.in_orders("order_id = \"xyz\"");
    bench.refuses(3, "error: job.toml, line 8, column 12: orders.order_id names the column \"xyz\", which orders/a.parquet does not have (its columns are customer_id, ordered_at, amount); name one of them.");
}

#[test]
fn every_column_key_is_checked() {
    for key in ["discount", "cost", "category", "currency", "slice"] {
        let bench = Bench::new();
        bench.in_orders(&format!("{key} = \"amonut\""));
        bench.refuses(3, &format!("error: job.toml, line 8, column {}: orders.{key} names the column \"amonut\", which orders/a.parquet does not have; did you mean \"amount\"? (its columns are customer_id, ordered_at, amount); name one of them.", key.len() + 4));
    }
    let bench = Bench::new();
    bench.append("[[orders.keep]]\ncolumn = \"status\"\nin = [\"paid\"]");
    bench.refuses(3, "error: job.toml, line 16, column 10: orders.keep names the column \"status\", which orders/a.parquet does not have (its columns are customer_id, ordered_at, amount); name one of them.");
    let bench = Bench::new();
    bench.append("[orders.latest]\nkey = [\"order\"]\nby = \"ordered_at\"");
    bench.refuses(3, "error: job.toml, line 16, column 8: orders.latest.key names the column \"order\", which orders/a.parquet does not have; did you mean \"ordered_at\"? (its columns are customer_id, ordered_at, amount); name one of them.");
}

#[test]
fn two_columns_of_one_name_are_refused() {
    let bench = Bench::with_run();
    bench.parquet("orders/a.parquet", &orders_and("amount", ints([1; 8])));
    bench.refuses(3, "error: orders/a.parquet has several columns named \"amount\" (orders.amount); rename all but one.");
}

#[test]
fn float_customer_ids_are_refused() {
    let bench = Bench::with_run();
    bench.parquet("orders/a.parquet", &orders_but("customer_id", floats([1.0; 8])));
    bench.refuses(3, "error: orders/a.parquet: column \"customer_id\" (orders.customer_id) is of type float64; expected an integer or a string. Convert it where the file is written, or name another column.");
}

#[test]
fn text_dates_are_refused() {
    let bench = Bench::with_run();
    bench.parquet("orders/a.parquet", &orders_but("ordered_at", texts(["2024-01-01"; 8])));
    bench.refuses(3, "error: orders/a.parquet: column \"ordered_at\" (orders.ordered_at) is of type string; expected a date or a timestamp. Convert it where the file is written (duckdb -c \"COPY (SELECT * REPLACE (CAST(ordered_at AS TIMESTAMP) AS ordered_at) FROM 'orders/a.parquet') TO 'converted.parquet'\"), or name another column.");
}

#[test]
fn text_amounts_are_refused() {
    let bench = Bench::with_run();
    bench.parquet("orders/a.parquet", &orders_but("amount", texts(["12.50"; 8])));
    bench.refuses(3, "error: orders/a.parquet: column \"amount\" (orders.amount) is of type string; expected an integer, a decimal or a float. Convert it where the file is written (duckdb -c \"COPY (SELECT * REPLACE (CAST(amount AS DECIMAL(18, 2)) AS amount) FROM 'orders/a.parquet') TO 'converted.parquet'\"), or name another column.");
}

#[test]
fn a_filter_that_does_not_fit_its_column_is_refused() {
    let bench = Bench::with_run();
    bench.append("[[orders.keep]]\ncolumn = \"amount\"\nmatches = \"^1\"");
    bench.refuses(3, "error: orders/a.parquet: job.toml, line 16, column 10: orders.keep on column \"amount\": the test \"matches\" does not fit a column of type decimal(38, 2); use a value of the column's own kind or another test.");
    let bench = Bench::with_run();
    bench.append("[[orders.keep]]\ncolumn = \"amount\"\nmin = \"much\"");
    bench.refuses(3, "error: orders/a.parquet: job.toml, line 16, column 10: orders.keep on column \"amount\": the test with \"much\" does not fit a column of type decimal(38, 2); use a value of the column's own kind or another test.");
}

#[test]
fn digits_beyond_the_money_scale_are_refused() {
    let bench = Bench::with_run();
    let digits = [10_000, 25_500, 4_995, 1_000, 1_000, 1_000, 1_000, 1_000];
    bench.parquet("orders/a.parquet", &orders_but("amount", decimals(3, digits)));
    bench.refuses(3, "error: orders/a.parquet, row 3: column \"amount\" (orders.amount) has more than 2 digits behind the point; set orders.amount_scale to the digits that the money has.");
    bench.in_orders("amount_scale = 3");
    bench.runs();
}

#[test]
fn a_finer_column_scale_without_finer_digits_is_fine() {
    let bench = Bench::new();
    bench.parquet("orders/a.parquet", &orders_but("amount", decimals(6, [1_250_000; 8])));
    bench.runs();
}

#[test]
fn files_must_agree_on_the_customer_id() {
    let bench = Bench::with_run();
    bench.parquet("orders/b.parquet", &orders_but("customer_id", texts(["7"; 8])));
    bench.refuses(3, "error: column \"customer_id\" (orders.customer_id) is string in orders/b.parquet but integer in orders/a.parquet; write all files with one schema.");
}

#[test]
fn files_must_agree_on_the_kind_of_dates() {
    let bench = Bench::with_run();
    let naive = arrow::array::TimestampMillisecondArray::from(vec![1_717_000_000_000; 8]);
    bench.parquet("orders/b.parquet", &orders_but("ordered_at", std::sync::Arc::new(naive.clone())));
    bench.refuses(3, "error: column \"ordered_at\" (orders.ordered_at) is naive timestamp in orders/b.parquet but date in orders/a.parquet; write all files with one schema.");
    bench.parquet("orders/a.parquet", &orders_but("ordered_at", std::sync::Arc::new(naive.with_timezone("UTC"))));
    bench.refuses(3, "error: column \"ordered_at\" (orders.ordered_at) is naive timestamp in orders/b.parquet but zoned timestamp in orders/a.parquet; write all files with one schema.");
}

#[test]
fn a_column_that_one_file_lacks_is_refused() {
    let bench = Bench::with_run();
    bench.parquet("orders/b.parquet", &orders()[..2]);
    bench.refuses(3, "error: job.toml, line 7, column 10: orders.amount names the column \"amount\", which orders/b.parquet does not have (its columns are customer_id, ordered_at); name one of them.");
}

#[test]
fn duplicates_need_equal_columns() {
    let bench = Bench::with_run();
    bench.in_orders("dedupe = \"rows\"");
    bench.parquet("orders/b.parquet", &orders_and("note", texts(["x"; 8])));
    bench.refuses(3, "error: orders/b.parquet has a column \"note\", which orders/a.parquet lacks; duplicates can only be told between files with equal columns, so write all files with one schema.");
    bench.parquet("orders/b.parquet", &orders_but("amount", decimals(3, [1_000; 8])));
    bench.refuses(3, "error: column \"amount\" is decimal(38, 3) in orders/b.parquet but decimal(38, 2) in orders/a.parquet; duplicates can only be told between columns of equal types, so write all files with one schema.");
}
