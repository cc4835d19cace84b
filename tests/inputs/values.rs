//! Orders at the edge of what orders can be: few customers, equal customers, one customer with everything, odd ids, odd dates.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, NullArray, TimestampMicrosecondArray};
use parquet::basic::Compression;
use parquet::data_type::Int96;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::flips::rewritten;
use super::mill::{Came, Mill};
use crate::fixture::{Bench, dates, decimals, ints, orders_but, texts, with_ids};

/// Orders of so many customers, of whom the n-th has n purchases.
fn of_customers(count: i64) -> Vec<(&'static str, ArrayRef)> {
    let ids: Vec<i64> = (1..=count).flat_map(|n| vec![n; n as usize]).collect();
    let days: Vec<String> = (0..ids.len()).map(|n| format!("2024-{:02}-{:02}", n % 12 + 1, n % 28 + 1)).collect();
    vec![
        ("customer_id", ints(ids.clone())),
        ("ordered_at", dates(days.iter().map(String::as_str).collect::<Vec<_>>())),
        ("amount", decimals(2, ids.iter().map(|id| i128::from(*id) * 100).collect::<Vec<_>>())),
    ]
}

#[test]
fn a_handful_of_customers_is_scored() {
    for count in [1, 2, 4, 5, 6] {
        let bench = Bench::new();
        bench.parquet("orders/a.parquet", &of_customers(count));
        bench.runs();
        assert_eq!(bench.table("customers/as_of=2024-12-31/part-000.parquet").len(), count as usize, "{count}");
        let segments = bench.table("segments.parquet");
        let total: i64 = segments.iter().filter(|row| row[4] == "segment").map(|row| row[6].parse::<i64>().unwrap()).sum();
        assert_eq!(total, count, "{segments:?}");
    }
}

#[test]
fn equal_customers_get_equal_scores_and_a_warning() {
    let bench = Bench::new();
    let columns =
        vec![("customer_id", ints(1..=50)), ("ordered_at", dates(["2024-06-01"; 50])), ("amount", decimals(2, [500; 50]))];
    bench.parquet("orders/a.parquet", &columns);
    let ran = bench.runs();
    assert!(ran.err.contains("100 % of customers share one frequency"), "{}", ran.err);
    let rows = bench.table("customers/as_of=2024-12-31/part-000.parquet");
    assert_eq!(rows.len(), 50);
    assert!(rows.iter().all(|row| row[1..] == rows[0][1..]));
}

#[test]
fn one_customer_may_have_nearly_everything() {
    let bench = Bench::new();
    let count = 200_000;
    let columns = vec![
        ("customer_id", ints((0..count).map(|n| if n % 1000 == 0 { n } else { 7 }))),
        ("ordered_at", dates(vec!["2024-06-01"; count as usize])),
        ("amount", decimals(2, vec![1; count as usize])),
        ("order_id", ints(0..count)),
    ];
    bench.parquet("orders/a.parquet", &columns);
    bench.in_orders("order_id = \"order_id\"");
    bench.runs();
    assert_eq!(bench.table("ledger.parquet"), [["orders/a.parquet", "kept", "200000", "2000.00"]]);
}

#[test]
fn ids_are_bytes_and_nothing_else() {
    let bench = Bench::new();
    let long = "x".repeat(1 << 20);
    let ids = ["a", "A", " a", "a\0b", "\u{202e}a", "🙂", "NULL", long.as_str()];
    bench.parquet("orders/a.parquet", &with_ids(texts(ids)));
    bench.runs();
    let mut found: Vec<String> =
        bench.table("customers/as_of=2024-12-31/part-000.parquet").into_iter().map(|mut row| row.remove(0)).collect();
    let mut expected = ids.map(str::to_owned);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn strings_that_are_no_text_are_refused() {
    let file = rewritten(Compression::UNCOMPRESSED, WriterVersion::PARQUET_1_0);
    let mill = Mill::new(&file, "");
    let at = file.windows(2).position(|w| w == b"o-").unwrap();
    let mut wrong = file.clone();
    wrong[at] = 0xff;
    match mill.run(&wrong) {
        Came::Refused(error) => {
            assert_eq!(error.kind().exit_code(), 4);
            assert!(error.to_string().contains("orders.parquet is damaged"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn columns_without_a_type_that_serves_are_refused() {
    let bench = Bench::with_run();
    bench.parquet("orders/a.parquet", &with_ids(Arc::new(NullArray::new(8))));
    bench.refuses(3, "error: there is no order on or before the as-of date 2024-12-31: none of 8 rows is kept; see orders.keep and the customer and date columns.");
    bench.parquet("orders/a.parquet", &with_ids(Arc::new(BinaryArray::from(vec![b"a".as_slice(); 8]))));
    bench.refuses(3, "error: orders/a.parquet: column \"customer_id\" (orders.customer_id) is of type binary; expected an integer or a string. Convert it where the file is written, or name another column.");
}

#[test]
fn the_first_and_the_last_dates_are_dates() {
    let bench = Bench::new();
    bench.parquet(
        "orders/a.parquet",
        &orders_but(
            "ordered_at",
            dates([
                "0001-01-01",
                "1970-01-01",
                "1969-12-31",
                "1582-10-10",
                "9999-12-31",
                "2024-12-31",
                "2025-01-01",
                "2024-02-29",
            ]),
        ),
    );
    bench.runs();
    let ledger = bench.table("ledger.parquet");
    let rows = |fate: &str| ledger.iter().find(|row| row[1] == fate).map(|row| row[2].clone());
    assert_eq!((rows("kept"), rows("after_as_of")), (Some("6".into()), Some("2".into())), "{ledger:?}");
    // Beyond the years 1 to 9999.
    let bench = Bench::with_run();
    let far = [i64::MIN, i64::MAX, 0, 0, 0, 0, 0, 0];
    bench.parquet("orders/a.parquet", &orders_but("ordered_at", Arc::new(TimestampMicrosecondArray::from(far.to_vec()))));
    bench.refuses(3, "error: 2 of 8 rows (25.0000 %) are rejected, most of them rejected:date_out_of_range (2 in orders/a.parquet, column \"ordered_at\"); orders.max_rejected allows 0 %. Correct the data, filter the rows with orders.keep, or raise orders.max_rejected.");
}

/// Timestamps of old Spark.
#[test]
fn int96_timestamps_are_read() {
    let schema =
        parse_message_type("message m { required int64 customer_id; required int96 ordered_at; required int64 amount; }");
    let mut bytes = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut bytes, Arc::new(schema.unwrap()), Arc::new(WriterProperties::default())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    // The Julian day of 2024-12-31, at its last nanosecond, and of the day after.
    let nanoseconds = 86_399_999_999_999u64;
    let day = |day: u32| {
        let mut value = Int96::new();
        value.set_data(nanoseconds as u32, (nanoseconds >> 32) as u32, day);
        value
    };
    let numbers = [1, 2];
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<parquet::data_type::Int64Type>().write_batch(&numbers, None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<parquet::data_type::Int96Type>().write_batch(&[day(2_460_676), day(2_460_677)], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<parquet::data_type::Int64Type>().write_batch(&numbers, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    let bench = Bench::new();
    bench.write("orders/a.parquet", bytes);
    bench.runs();
    assert_eq!(
        bench.table("ledger.parquet"),
        [["orders/a.parquet", "kept", "1", "1.00"], ["orders/a.parquet", "after_as_of", "1", "2.00"]]
    );
}
