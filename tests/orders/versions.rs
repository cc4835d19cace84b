//! Rows that other rows exclude: versions of a row, and duplicates.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::{assert_customers, warnings};
use crate::fixture::{Bench, dates, decimals, ints, texts};

const JOB: &str = r#"name = "versions"

[orders]
path = "orders"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"

[orders.latest]
key = ["transaction"]
by = "version"

[periods]
as_of = [2024-12-31]

[output]
path = "out"
columns = ["frequency", "monetary"]
"#;

type Row = (Option<&'static str>, Option<&'static str>, i128, Option<i64>);

fn columns(rows: &[Row]) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("customer_id", texts(rows.iter().map(|r| r.0))),
        ("transaction", texts(rows.iter().map(|r| r.1))),
        ("ordered_at", dates(rows.iter().map(|_| "2024-05-05"))),
        ("amount", decimals(2, rows.iter().map(|r| r.2))),
        ("version", ints(rows.iter().map(|r| r.3))),
    ]
}

fn bench(rows: &[Row]) -> Bench {
    let bench = Bench::empty();
    bench.write("job.toml", JOB);
    bench.parquet("orders/a.parquet", &columns(rows));
    bench
}

const UNSET: Option<&str> = Some("(not set)");

#[test]
fn a_key_of_many_customers_is_refused_with_its_values() {
    let rows = |last: Option<&'static str>| -> Vec<Row> {
        vec![
            (Some("u1"), Some("T1"), 5_000, Some(1)),
            (Some("u1"), Some("T1"), 5_000, Some(2)),
            (Some("u3"), UNSET, 4_000, Some(3)),
            (Some("u3"), UNSET, 4_500, Some(6)),
            (Some("u4"), UNSET, 1_500, Some(4)),
            (last, UNSET, 2_500, Some(7)),
        ]
    };
    let shared = |bench: &Bench| -> Vec<String> {
        let ran = bench.runs();
        warnings(&ran.err).into_iter().filter(|w| w.contains("two customers share")).map(str::to_owned).collect()
    };
    let bench = bench(&rows(Some("u5")));
    bench.refuses(3, "error: 3 customers share transaction = \"(not set)\" (\"u3\" in row 3 of orders/a.parquet, \"u4\" in row 5 of orders/a.parquet, \"u5\" in row 6 of orders/a.parquet), so that rows of strangers would supersede each other; add \"customer_id\" to orders.latest.key, or write null where a row has no such value.");
    // Of two customers it is a warning; nobody is no customer.
    let says = "1 time two customers share transaction, and the newer row supersedes that of the other; if they are not one person, add \"customer_id\" to orders.latest.key";
    bench.parquet("orders/a.parquet", &columns(&rows(Some("u4"))));
    assert_eq!(shared(&bench), [says]);
    assert_customers(&bench, "2024-12-31", &[("u1", &["1", "50.00"]), ("u4", &["1", "25.00"])]);
    bench.parquet("orders/a.parquet", &columns(&rows(None)));
    assert_eq!(shared(&bench), [says]);
    bench.parquet("orders/a.parquet", &columns(&rows(Some("guest"))));
    bench.edit("amount = \"amount\"\n", "amount = \"amount\"\nguests = [\"guest\"]\n");
    assert_eq!(shared(&bench), [says]);
    // With the customer in the key, nobody supersedes a stranger.
    bench.parquet("orders/a.parquet", &columns(&rows(Some("u5"))));
    bench.edit("key = [\"transaction\"]", "key = [\"transaction\", \"customer_id\"]");
    assert_eq!(shared(&bench), [""; 0]);
    let all: [(&str, &[&str]); 4] =
        [("u1", &["1", "50.00"]), ("u3", &["1", "45.00"]), ("u4", &["1", "15.00"]), ("u5", &["1", "25.00"])];
    assert_customers(&bench, "2024-12-31", &all);
}

#[test]
fn a_version_that_is_not_known_is_refused() {
    let bench = bench(&[
        (Some("a"), Some("T1"), 100, Some(4)),
        (Some("b"), Some("T2"), 200, None),
        (Some("b"), None, 300, None),
        (Some("a"), Some("T1"), 400, None),
    ]);
    bench.refuses(3, "error: row 4 of orders/a.parquet has no \"version\", and row 1 of orders/a.parquet has the same transaction, so the newest version cannot be told; fill it in or name another column as orders.latest.by.");
    // Alone under its key, it needs none.
    bench.parquet("orders/a.parquet", &columns(&[(Some("b"), Some("T2"), 200, None), (Some("b"), None, 300, None)]));
    bench.runs();
    assert_customers(&bench, "2024-12-31", &[("b", &["2", "5.00"])]);
}

#[test]
fn duplicates_are_equal_in_the_columns_that_are_named() {
    let rows: [Row; 5] = [
        (Some("a"), Some("T1"), 100, Some(1)),
        (Some("a"), Some("T1"), 100, Some(2)),
        (Some("a"), Some("T2"), 100, Some(3)),
        (Some("a"), None, 100, Some(4)),
        (Some("a"), None, 100, Some(5)),
    ];
    let bench = bench(&rows);
    let job = String::from_utf8(bench.read("job.toml")).unwrap();
    let plain = job.replace("[orders.latest]\nkey = [\"transaction\"]\nby = \"version\"\n", "");
    let with =
        |keys: &str| bench.write("job.toml", plain.replace("amount = \"amount\"\n", &format!("amount = \"amount\"\n{keys}\n")));
    let outcomes = || -> Vec<(String, String)> {
        bench.runs();
        bench.table("ledger.parquet").into_iter().map(|row| (row[1].clone(), row[2].clone())).collect()
    };
    let owned = |rows: &[(&str, &str)]| rows.iter().map(|(o, n)| ((*o).to_owned(), (*n).to_owned())).collect::<Vec<_>>();
    with("dedupe = \"rows\"");
    assert_eq!(outcomes(), owned(&[("kept", "5")]));
    // Two nulls are equal, as in whole rows.
    with("dedupe = [\"customer_id\", \"transaction\"]");
    assert_eq!(outcomes(), owned(&[("kept", "3"), ("duplicate", "2")]));
    // First duplicates go, then older versions: T2 and what was kept of T1 share an amount.
    with("dedupe = [\"transaction\"]\n\n[orders.latest]\nkey = [\"amount\"]\nby = \"version\"");
    assert_eq!(outcomes(), owned(&[("kept", "1"), ("duplicate", "2"), ("superseded", "2")]));

    with("dedupe = []");
    bench.refuses(2, "error: job.toml, line 8, column 1: orders.dedupe is an empty list; name the columns in which duplicates are equal, or leave the key out.");
    with("dedupe = [\"transactions\"]");
    bench.refuses(3, "error: job.toml, line 8, column 11: orders.dedupe names the column \"transactions\", which orders/a.parquet does not have; did you mean \"transaction\"? (its columns are customer_id, transaction, ordered_at, amount, version); name one of them.");
    with("dedupe = \"row\"");
    bench.refuses(2, "error: job.toml, line 8, column 10: expected \"none\", \"rows\" or a list of columns.");
}

/// pandas writes the index of a frame as a column, by which equal rows would differ.
#[test]
fn the_index_of_a_data_frame_makes_no_row_unlike() {
    let bench = Bench::empty();
    bench.write("job.toml", JOB.replace("[orders.latest]\nkey = [\"transaction\"]\nby = \"version\"\n", ""));
    bench.edit("amount = \"amount\"\n", "amount = \"amount\"\ndedupe = \"rows\"\n");
    let rows: [Row; 3] =
        [(Some("a"), Some("T1"), 100, Some(1)), (Some("a"), Some("T1"), 100, Some(1)), (Some("b"), Some("T1"), 100, Some(1))];
    let mut columns = columns(&rows);
    columns.push(("__index_level_0__", ints([0, 1, 2])));
    let write = |index: &str| {
        let batch = RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(n, a)| (*n, a.clone(), true))).unwrap();
        let entry = KeyValue::new("pandas".into(), Some(format!("{{\"index_columns\": [{index}], \"columns\": []}}")));
        let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![entry])).build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, Arc::clone(&batch.schema()), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        bench.write("orders/a.parquet", bytes);
    };
    write("\"__index_level_0__\"");
    bench.runs();
    assert_customers(&bench, "2024-12-31", &[("a", &["1", "1.00"]), ("b", &["1", "1.00"])]);
    // A column that no index is says what rows are; so does one that the job names.
    write("{\"kind\": \"range\"}");
    bench.runs();
    assert_customers(&bench, "2024-12-31", &[("a", &["2", "2.00"]), ("b", &["1", "1.00"])]);
    write("\"__index_level_0__\"");
    bench.edit("dedupe = \"rows\"\n", "dedupe = \"rows\"\norder_id = \"__index_level_0__\"\n");
    bench.runs();
    assert_customers(&bench, "2024-12-31", &[("a", &["2", "2.00"]), ("b", &["1", "1.00"])]);
}
