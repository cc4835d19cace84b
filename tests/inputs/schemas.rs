//! Files whose schemas differ without contradicting each other, and timestamps of the old kind.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Decimal128Array, Int32Array, NullArray, UInt16Array, UInt64Array};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, Int96};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::fixture::{Bench, dates, decimals, floats, ints, orders, orders_and, orders_but, texts};

/// Rows of `customers`: id, orders and money.
fn customers(bench: &Bench) -> Vec<[String; 3]> {
    let table = crate::support::run::read_folder(&bench.path("out/latest/customers/as_of=2024-12-31"));
    let at = ["customer_id", "frequency", "monetary"].map(|name| table.column(name));
    let text = |cell: &crate::support::run::Cell| format!("{cell:?}");
    let mut rows: Vec<[String; 3]> = table.rows.iter().map(|row| at.map(|column| text(&row[column]))).collect();
    rows.sort();
    rows
}

/// What the orders say if the same ones stand twice.
fn twice() -> Vec<[String; 3]> {
    let bench = Bench::new();
    bench.parquet("orders/b.parquet", &orders());
    bench.runs();
    customers(&bench)
}

#[test]
fn widths_of_integers_and_kinds_of_money_join() {
    let ids = [1, 1, 2, 2, 3, 4, 4, 5];
    let cents: [i128; 8] = [1000, 2550, 499, 12000, 7500, 1999, 305, 60000];
    let narrow: ArrayRef = Arc::new(Int32Array::from(ids.to_vec()));
    let unsigned: ArrayRef = Arc::new(UInt16Array::from(ids.map(|id| id as u16).to_vec()));
    for (name, column) in [
        ("customer_id", narrow),
        ("customer_id", unsigned),
        ("amount", floats(cents.map(|c| c as f64 / 100.0))),
        ("amount", decimals(4, cents.map(|c| c * 100))),
    ] {
        let bench = Bench::new();
        bench.parquet("orders/b.parquet", &orders_but(name, column));
        bench.runs();
        assert_eq!(customers(&bench), twice(), "{name}");
    }
    // Ids above 2^63 have no common integer type with signed ones.
    let bench = Bench::with_run();
    bench.parquet("orders/b.parquet", &orders_but("customer_id", Arc::new(UInt64Array::from(vec![u64::MAX; 8]))));
    bench.refuses(3, "error: column \"customer_id\" (orders.customer_id) is uint64 in orders/b.parquet but integer in orders/a.parquet; write all files with one schema.");
}

#[test]
fn a_file_without_rows_and_a_column_of_nulls_contradict_nothing() {
    let empty = |columns: Vec<(&'static str, ArrayRef)>| -> Vec<(&'static str, ArrayRef)> {
        columns.into_iter().map(|(name, column)| (name, column.slice(0, 0))).collect()
    };
    let odd = || vec![("customer_id", texts(["x"])), ("ordered_at", floats([1.0])), ("amount", texts(["y"]))];
    let of_nulls = |n: usize| -> ArrayRef { Arc::new(NullArray::new(n)) };
    let coupons = || texts([Some("a"), None, Some("b"), None, None, None, None, None]);
    for (what, second) in [
        ("no rows", empty(orders_and("coupon", coupons()))),
        ("no rows, other types", empty(odd())),
        ("no rows, null types", vec![("customer_id", of_nulls(0)), ("ordered_at", of_nulls(0)), ("amount", of_nulls(0))]),
    ] {
        let bench = Bench::new();
        bench.parquet("orders/a.parquet", &orders_and("coupon", coupons()));
        bench.parquet("orders/b.parquet", &second);
        bench.in_orders("category = \"coupon\"");
        let ran = bench.runs();
        assert_eq!(bench.table("ledger.parquet"), [["orders/a.parquet", "kept", "8", "858.53"]], "{what}");
        assert!(!ran.err.contains("lack the column"), "{}", ran.err);
    }
    // A day on which nobody had a coupon, in the types that pandas gives such a column.
    for nulls in [of_nulls(8), floats([None::<f64>; 8]), ints([None::<i64>; 8])] {
        let bench = Bench::new();
        bench.parquet("orders/a.parquet", &orders_and("coupon", coupons()));
        bench.parquet("orders/b.parquet", &orders_and("coupon", nulls));
        bench.in_orders("category = \"coupon\"");
        bench.runs();
        assert_eq!(customers(&bench), twice());
    }
    // A day with guests only.
    for nulls in [of_nulls(8), floats([None::<f64>; 8])] {
        let bench = Bench::new();
        bench.parquet("orders/b.parquet", &orders_but("customer_id", nulls));
        bench.runs();
        let ledger = bench.table("ledger.parquet");
        assert_eq!(ledger[1], ["orders/b.parquet", "no_customer", "8", "858.53"]);
    }
    // A column of nulls in every file.
    let bench = Bench::new();
    bench.parquet("orders/a.parquet", &orders_and("cancelled", of_nulls(8)));
    bench.append("[[orders.keep]]\ncolumn = \"cancelled\"\nnot_null = true");
    bench.refuses(3, "error: there is no order on or before the as-of date 2024-12-31: none of 8 rows is kept; see orders.keep and the customer and date columns.");
    bench.edit("not_null = true", "in = [\"yes\"]");
    bench.refuses(3, "error: there is no order on or before the as-of date 2024-12-31: none of 8 rows is kept; …");
}

#[test]
fn a_column_that_some_files_lack_is_null_there_if_the_job_can_do_without_it() {
    let bench = Bench::new();
    bench.parquet("orders/b.parquet", &orders_and("voucher", ints([1; 8])));
    bench.parquet("orders/c.parquet", &orders_and("status", texts(["paid"; 8])));
    bench.in_orders("discount = \"voucher\"");
    bench.append("[[orders.keep]]\ncolumn = \"status\"\nin = [\"paid\"]");
    let ran = bench.runs();
    let status = "2 of 3 files lack the column \"status\", which is null there (the first is orders/a.parquet)";
    let voucher = "2 of 3 files lack the column \"voucher\", which is null there (the first is orders/a.parquet)";
    assert!(ran.err.contains(status) && ran.err.contains(voucher), "{}", ran.err);
    assert_eq!(
        bench.table("ledger.parquet"),
        [
            ["orders/a.parquet", "filtered:status", "8", "858.53"],
            ["orders/b.parquet", "filtered:status", "8", "858.53"],
            ["orders/c.parquet", "kept", "8", "858.53"]
        ]
    );
    // Not without the amount.
    let bench = Bench::with_run();
    let without: Vec<(&str, ArrayRef)> = orders().into_iter().filter(|(name, _)| *name != "amount").collect();
    bench.parquet("orders/b.parquet", &without);
    bench.refuses(3, "error: job.toml, line 7, column 10: orders.amount names the column \"amount\", which orders/b.parquet does not have (its columns are customer_id, ordered_at); name one of them.");
}

#[test]
fn duplicates_are_told_between_files_with_columns_in_another_order() {
    let bench = Bench::new();
    let reversed: Vec<(&str, ArrayRef)> = orders().into_iter().rev().collect();
    bench.parquet("orders/b.parquet", &reversed);
    bench.in_orders("dedupe = \"rows\"");
    bench.runs();
    assert_eq!(
        bench.table("ledger.parquet"),
        [["orders/a.parquet", "kept", "8", "858.53"], ["orders/b.parquet", "duplicate", "8", "858.53"]]
    );
}

/// Orders with INT96 timestamps, as Spark, Hive and Impala write them: nanoseconds of a Julian day, in UTC.
fn int96(bench: &Bench, name: &str, rows: &[(&str, i64, u64, i64)]) {
    let schema = "message spark_schema {
        required binary customer_id (UTF8);
        required int96 ordered_at;
        required int64 amount;
    }";
    std::fs::create_dir_all(bench.path(name).parent().unwrap()).unwrap();
    let file = File::create(bench.path(name)).unwrap();
    let mut writer = SerializedFileWriter::new(file, Arc::new(parse_message_type(schema).unwrap()), Default::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    while let Some(mut column) = group.next_column().unwrap() {
        match column.untyped() {
            ColumnWriter::ByteArrayColumnWriter(typed) => {
                let ids: Vec<ByteArray> = rows.iter().map(|row| row.0.into()).collect();
                typed.write_batch(&ids, None, None).unwrap();
            }
            ColumnWriter::Int96ColumnWriter(typed) => {
                let instants = rows.iter().map(|(_, day, seconds, _)| {
                    let (nanos, julian) = (seconds * 1_000_000_000, u32::try_from(day + 2_440_588).unwrap());
                    let mut value = Int96::new();
                    value.set_data(nanos as u32, (nanos >> 32) as u32, julian);
                    value
                });
                typed.write_batch(&instants.collect::<Vec<Int96>>(), None, None).unwrap();
            }
            ColumnWriter::Int64ColumnWriter(typed) => {
                let amounts: Vec<i64> = rows.iter().map(|row| row.3).collect();
                typed.write_batch(&amounts, None, None).unwrap();
            }
            _ => unreachable!("three kinds of columns"),
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn int96_is_an_instant_unless_naive_timestamps_have_a_zone() {
    // 1 June 2024 at 02:00 in UTC is the evening of 31 May in New York.
    let evening = [("a", 19_875, 7_200, 10), ("b", 19_874, 50_000, 20)];
    let job = |keys: &str| {
        let bench = Bench::empty();
        bench.write("job.toml", crate::fixture::JOB);
        bench.in_orders(keys);
        bench.edit("as_of = [2024-12-31]", "as_of = [2024-05-31]");
        int96(&bench, "orders/a.parquet", &evening);
        bench.runs();
        bench.table("ledger.parquet").iter().map(|row| format!("{} {}", row[1], row[2])).collect::<Vec<_>>()
    };
    assert_eq!(job("timezone = \"America/New_York\""), ["kept 2"]);
    assert_eq!(job("timezone = \"UTC\""), ["kept 1", "after_as_of 1"]);
    // Wall-clock time of New York, said to be such.
    assert_eq!(job("timezone = \"America/New_York\"\nnaive_timezone = \"America/New_York\""), ["kept 1", "after_as_of 1"]);
    // Years that nanoseconds of 64 bits do not hold.
    let bench = Bench::empty();
    bench.write("job.toml", crate::fixture::JOB);
    int96(&bench, "orders/a.parquet", &[("a", 19_874, 0, 10), ("b", 2_932_896, 0, 20)]);
    bench.runs();
    assert_eq!(bench.table("ledger.parquet")[1][1], "after_as_of");
}

#[test]
fn int96_beside_a_zoned_timestamp_is_of_one_kind() {
    let bench = Bench::empty();
    bench.write("job.toml", crate::fixture::JOB);
    int96(&bench, "orders/a.parquet", &[("a", 19_874, 0, 10)]);
    let zoned = arrow::array::TimestampMillisecondArray::from(vec![1_717_000_000_000]).with_timezone("UTC");
    let amount: ArrayRef = Arc::new(Decimal128Array::from(vec![1_000]).with_precision_and_scale(10, 2).unwrap());
    bench.parquet("orders/b.parquet", &[("customer_id", texts(["b"])), ("ordered_at", Arc::new(zoned)), ("amount", amount)]);
    bench.runs();
    assert_eq!(bench.table("ledger.parquet").len(), 2);
    let bench = Bench::empty();
    bench.write("job.toml", crate::fixture::JOB);
    int96(&bench, "orders/a.parquet", &[("a", 19_874, 0, 10)]);
    bench.parquet(
        "orders/b.parquet",
        &[("customer_id", texts(["b"])), ("ordered_at", dates(["2024-05-30"])), ("amount", ints([1]))],
    );
    bench.refuses(3, "error: column \"ordered_at\" (orders.ordered_at) is date in orders/b.parquet but zoned timestamp in orders/a.parquet; write all files with one schema.");
}
