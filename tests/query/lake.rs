//! Sources that `rfmill-query` cannot read where they lie: tables with a log, and files in object stores.

use std::sync::Arc;

use arrow::array::TimestampMicrosecondArray;
use serde_json::Value;

use super::{customers, has_program, job, rows};
use crate::fixture::{Bench, ints};
use crate::inputs::delta::{Columns, Lake, ROW_1, SCHEMA, orders, remove, without};
use crate::inputs::iceberg;
use crate::stores::reading::{objects, rfmill, runs};
use crate::stores::server::Store;

/// A query that needs the rows of a table, and their numbers.
const QUERY: &str =
    "SELECT customer_id AS customer, ordered_at AS day, CAST(amount AS DECIMAL(18, 2)) AS amount FROM o WHERE _row < 100";

fn over(path: &str) -> String {
    job(&format!("[[source]]\nname = \"o\"\npath = {path}\n"), QUERY)
}

/// Purchases and money by customer of orders 0, 2, 3 and 4, as the table has them.
fn of_iceberg() -> Vec<(String, i128, i128)> {
    rows(&[("1", 1, 1050), ("2", 2, 7000), ("3", 1, 5000)])
}

#[test]
fn queries_read_iceberg_tables() {
    if !has_program() {
        return;
    }
    let bench = iceberg::lake();
    bench.write("job.toml", over("{ iceberg = \"shop\" }"));
    bench.runs();
    assert_eq!(customers(&bench), of_iceberg());
    let manifest: Value = serde_json::from_slice(&bench.read("out/latest/manifest.json")).unwrap();
    let sources = manifest["sources"].as_array().unwrap();
    assert_eq!(sources.iter().map(|source| source["rows"].as_u64().unwrap()).sum::<u64>(), 4);
    assert!(sources.iter().all(|source| source["lake_table"]["format"] == "Iceberg"), "{sources:?}");
    assert!(sources.iter().all(|source| source["file"].as_str().unwrap().starts_with("shop/data/")), "{sources:?}");
    // The columns of the table, and not those that its files happen to have.
    let renamed = over("{ iceberg = \"shop\" }").replace("WHERE _row < 100", "WHERE total IS NULL");
    bench.write("job.toml", renamed);
    bench.runs();
    assert_eq!(customers(&bench), rows(&[("1", 1, 1050), ("2", 2, 7000)]));
    // In a store as well.
    let store = Store::with(objects(&bench, &["shop"]));
    std::fs::remove_dir_all(bench.path("shop")).unwrap();
    bench.write("job.toml", over("{ iceberg = \"s3://shop/shop\" }"));
    runs(&bench, &store);
    assert_eq!(customers(&bench), of_iceberg());
}

/// A vector that deletes another row is another run, whose files are as they were.
#[test]
fn queries_read_delta_tables() {
    if !has_program() {
        return;
    }
    let mut lake = Lake::new(&SCHEMA, &[]);
    let whole = lake.file("a.parquet", &orders());
    lake.commit(std::slice::from_ref(&whole));
    lake.bench.write("job.toml", over("{ delta = \"shop\" }"));
    lake.bench.runs();
    let of_first = |orders, money| ("1", orders, money);
    let others = [("2", 2, 7000), ("3", 1, 5000), ("4", 2, 13000), ("5", 1, 8000)];
    let all = |first| rows(&[&[first], &others[..]].concat());
    assert_eq!(customers(&lake.bench), all(of_first(2, 3075)));
    lake.commit(&[remove("a.parquet"), without(whole, ROW_1, 1)]);
    lake.bench.runs();
    assert_eq!(customers(&lake.bench), all(of_first(1, 1050)));
    lake.bench.write("job.toml", over("{ delta = \"shop\", version = 1 }"));
    lake.bench.runs();
    assert_eq!(customers(&lake.bench), all(of_first(2, 3075)));
}

#[test]
fn queries_read_parquet_in_stores() {
    let bench = Bench::new();
    bench.write("orders/notes.csv", "customer,day,amount\n");
    let store = Store::with(objects(&bench, &["orders"]));
    bench.write("job.toml", over("\"s3://shop/orders/*.csv\""));
    let refused = rfmill(&bench, &store, &["run", "job.toml"]);
    let said =
        "source \"o\" names s3://shop/orders/notes.csv, and in object stores queries read Parquet alone; copy or mount the files";
    assert!(refused.code == 4 && refused.err.contains(said), "{}", refused.err);
    if !has_program() {
        return;
    }
    bench.write("job.toml", over("\"orders\""));
    bench.runs();
    let here = customers(&bench);
    assert!(!here.is_empty());
    std::fs::remove_dir_all(bench.path("out")).unwrap();
    bench.write("job.toml", over("\"s3://shop/orders\""));
    runs(&bench, &store);
    assert_eq!(customers(&bench), here);
}

/// Parquet in a store is read as it is on a disk, with the zone that its writer noted.
#[test]
fn types_in_stores_are_those_on_disks() {
    if !has_program() {
        return;
    }
    let bench = Bench::new();
    // 20:00 and 04:00 of UTC: the first and the second are of the next morning and of noon in Shanghai.
    let at = TimestampMicrosecondArray::from(vec![1_710_014_400_000_000, 1_710_043_200_000_000]).with_timezone("Asia/Shanghai");
    let columns: Columns = vec![("customer_id", ints([1, 2])), ("ordered_at", Arc::new(at)), ("amount", ints([10, 20]))];
    std::fs::remove_dir_all(bench.path("orders")).unwrap();
    bench.parquet("orders/a.parquet", &columns);
    let store = Store::with(objects(&bench, &["orders"]));
    let morning = |path: &str| over(path).replace("_row < 100", "EXTRACT(HOUR FROM ordered_at) = 4");
    bench.write("job.toml", morning("\"orders\""));
    bench.runs();
    assert_eq!(customers(&bench), rows(&[("1", 1, 1000)]));
    std::fs::remove_dir_all(bench.path("out")).unwrap();
    bench.write("job.toml", morning("\"s3://shop/orders\""));
    // To plan, the columns are enough.
    let explained = rfmill(&bench, &store, &["explain", "job.toml"]);
    assert_eq!(explained.code, 0, "{}", explained.err);
    runs(&bench, &store);
    assert_eq!(customers(&bench), rows(&[("1", 1, 1000)]));
}

#[test]
fn what_is_no_source_is_said() {
    let bench = iceberg::lake();
    bench.write("job.toml", over("\"shop\""));
    bench.refuses(
        4,
        "error: shop/data/… lies in the Iceberg table …/shop: only its log (metadata) says which of its files and rows count. Name the table instead: source.path = { iceberg = \"…/shop\" }.",
    );
    bench.write("job.toml", over("{ iceberg = \"shop\" }\nformat = \"csv\""));
    bench.refuses(2, "error: job.toml, line 5, column 1: source \"o\": the files of a table are Parquet; leave the format out.");
}
