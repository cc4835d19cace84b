//! Tables of which `init` looks at pieces: what it says of them, and that the job runs where the rest is unlike them.

use std::fmt::Write as _;

use jiff::ToSpan;
use jiff::civil::Date;

use super::{init, job};
use crate::fixture::{Bench, dates, decimals, ints, parquet_bytes, texts};
use crate::support::run::read_file;

/// Rows of two files; more than are all read.
const ROWS: i64 = 1_200_000;

/// Rows that no piece holds: the second piece begins at (1,200,000 - 8,192) / 23.
const UNSEEN: std::ops::Range<i64> = 30_001..30_005;

/// 700 days from 2 January 2023. Every fifth row has no customer, every tenth was cancelled; both go by the customer, so of 5,000 there are
/// 4,000, of whom 3,500 have orders.
fn file(rows: std::ops::Range<i64>) -> Vec<u8> {
    let days: Vec<String> = (0..700).map(|day| Date::constant(2023, 1, 2).saturating_add(day.days()).to_string()).collect();
    let rows = || rows.clone();
    let customer = |row: i64| (row % 5 < 4).then_some(row % 5_000 + 1);
    let status = |row: i64| match () {
        () if UNSEEN.contains(&row) => None,
        () if row % 10 == 3 => Some("cancelled"),
        () => Some("paid"),
    };
    parquet_bytes(&[
        ("customer_id", ints(rows().map(customer))),
        ("order_date", dates(rows().map(|row| days[(row * 700 / ROWS) as usize].as_str()))),
        ("amount", decimals(2, rows().map(|row| i128::from(1_000 + row % 100)))),
        ("currency", texts(rows().map(|row| if row == UNSEEN.end { "USD" } else { "EUR" }))),
        ("status", texts(rows().map(status))),
    ])
}

#[test]
fn pieces_of_a_large_table_are_said_to_be_pieces() {
    let bench = Bench::empty();
    bench.write("orders/a.parquet", file(0..ROWS / 2));
    bench.write("orders/b.parquet", file(ROWS / 2..ROWS));
    let told = init(&bench, &["orders"]);
    assert_eq!((&told.document["rows"], &told.document["of_rows"]), (&196_608.into(), &ROWS.into()));
    assert_eq!(told.document["as_of"], "2024-11-30");
    let text = job(&bench);
    let flat = text.replace("\n# ? ", " ").replace("\n# ", " ");
    for said in [
        "Seen: 196608 of 1200000 rows of 2 Parquet files, 3500 customers, orders from 2023-01-02 to 2024-12-01. They lie spread over the table, and these comments speak of them alone; `rfmill init --all-rows` looks at all. Shares and numbers of values are those of the 20000 rows that were looked at closely.",
        "\"customer_id\": empty in 20 % of the rows, 4000 different values.",
        "rows of those looked at, which the ledger has as no_customer",
        "All rows looked at have \"EUR\"; rows of others would be left out, and the ledger counts them.",
        "A sample lacks most purchases of each customer, so it cannot tell how often customers come.",
    ] {
        assert!(flat.contains(said), "{said:?} is not in {text}");
    }
    // A row in 24 pieces of 8,192, of which each has a fifth without a customer, more or less one.
    let (before, _) = flat.split_once(" rows of those looked at, which the ledger").expect("the count");
    let without: u64 = before.rsplit(' ').next().and_then(|count| count.parse().ok()).expect("a count");
    assert!(without.abs_diff(196_608 / 5) <= 24, "{without}");
    // The rows that no piece holds have another currency, and no status.
    bench.runs();
    let ledger = read_file(&bench.path("out/latest/ledger.parquet"));
    let (outcome, rows) = (ledger.column("outcome"), ledger.column("row_count"));
    let count = |name: &str| ledger.rows.iter().filter(|row| row[outcome].key() == name).map(|row| row[rows].int()).sum::<i128>();
    assert_eq!(count("filtered:currency"), 1);
    // One row in ten, but for the one among them that has no status.
    assert_eq!(count("filtered:status"), i128::from(ROWS / 10 - 1));

    let told = init(&bench, &["orders", "--all-rows", "--output", "all.toml"]);
    assert_eq!((&told.document["rows"], told.document["of_rows"].is_null()), (&ROWS.into(), true));
    let all = String::from_utf8(bench.read("all.toml")).expect("UTF-8");
    assert!(all.contains("Seen: 1200000 rows of 2 Parquet files, 3501 customers") && all.contains("\"USD\" on 1 row"), "{all}");
    assert!(all.contains("lifecycle = \"cadence\""), "{all}");
}

/// Text: pieces are whole lines, also where fields in quotes have several.
#[test]
fn rows_of_large_text_are_estimated() {
    let bench = Bench::empty();
    let note = "one, two, \"\"three\"\"\nand four ".repeat(20);
    let mut text = String::from("order_id,customer_id,note,order_date,total\n");
    let mut rows = 0u32;
    while text.len() <= 1 << 27 {
        rows += 1;
        let (year, month) = (2022 + rows / 100_000, rows / 8_000 % 12 + 1);
        writeln!(text, "{rows},{},\"{note}\",{year}-{month:02}-{:02},{}.50", rows % 5_000, rows % 28 + 1, rows % 90).unwrap();
    }
    bench.write("orders.csv", text);
    let told = init(&bench, &["orders.csv"]);
    let roles = ["customer", "date", "amount", "order"].map(|role| told.roles[role].as_str());
    assert_eq!(roles, ["customer_id", "order_date", "total", "order_id"]);
    let seen = told.document["rows"].as_u64().expect("rows");
    let of_rows = told.document["of_rows"].as_u64().expect("an estimate");
    // 64 pieces of half a MiB, each of which loses two or three rows at its ends.
    let expected = u64::from(rows) / 4;
    assert!(seen < expected && seen + 64 * 4 > expected, "{seen} of {expected}");
    assert!(of_rows.abs_diff(u64::from(rows)) * 20 < u64::from(rows), "{of_rows} of {rows}");
    let job = job(&bench);
    assert!(job.contains(&format!("Seen: {seen} of about {of_rows} rows of 1 CSV file")), "{job}");
    assert!(!job.contains("have a date of another form"), "{job}");
}
