//! Tables with a log, and tables in object stores.

use serde_json::Value;

use super::job;
use crate::fixture::{Bench, Ran};
use crate::inputs::delta::{Lake, ROW_1, ROWS_0_2, SCHEMA, orders, rows, without};
use crate::inputs::iceberg;
use crate::stores::reading::{objects, rfmill};
use crate::stores::server::Store;

/// Two files of a Delta table, of which deletion vectors take three rows of eight.
fn delta() -> Bench {
    let mut lake = Lake::new(&SCHEMA, &[]);
    let a = without(lake.file("day=1/a b.parquet", &rows(&orders(), &[0, 1, 2, 3])), ROW_1, 1);
    let b = without(lake.file("b.parquet", &rows(&orders(), &[4, 5, 6, 7])), ROWS_0_2, 2);
    lake.commit(&[a, b]);
    lake.bench
}

/// The rows of customers at the same as-of date by the job of the bench, before `init` writes another.
fn customers(bench: &Bench) -> Vec<Vec<String>> {
    bench.table("customers/as_of=2024-12-31/part-000.parquet").into_iter().map(|row| row[..4].to_vec()).collect()
}

/// What `init` tells of a table of `rows` rows, whose file runs.
#[track_caller]
fn guesses(bench: &Bench, store: Option<&Store>, table: &str, rows: u64, path: &str) {
    let run = |arguments: &[&str]| match store {
        Some(store) => rfmill(bench, store, arguments),
        None => bench.rfmill(arguments),
    };
    // The output is that of the job before.
    std::fs::remove_dir_all(bench.path("out")).unwrap();
    std::fs::remove_file(bench.path("job.toml")).unwrap();
    let ran: Ran = run(&["init", table, "--as-of", "2024-12-31", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["rows"], rows, "{told}");
    assert_eq!(
        ["customer", "date", "amount"].map(|role| told["roles"][role].as_str().unwrap()),
        ["customer_id", "ordered_at", "amount"]
    );
    assert!(job(bench).contains(&format!("\npath = {path}\n")), "{}", job(bench));
    let ran = run(&["run", "job.toml", "--quiet"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.err, job(bench));
}

#[test]
fn rows_that_a_delta_log_takes_away_are_not_seen() {
    let bench = delta();
    bench.runs();
    let before = customers(&bench);
    guesses(&bench, None, "shop", 5, "{ delta = \"shop\" }");
    assert_eq!(customers(&bench), before);
}

/// Its columns were renamed and became wider, and rows were deleted by position, value and vector.
#[test]
fn an_iceberg_table_is_read_by_its_metadata() {
    let bench = iceberg::lake();
    bench.runs();
    let before = customers(&bench);
    guesses(&bench, None, "shop", 4, "{ iceberg = \"shop\" }");
    assert_eq!(customers(&bench), before);
}

#[test]
fn tables_in_stores_are_read_there() {
    for (bench, rows, word) in [(delta(), 5, "delta"), (iceberg::lake(), 4, "iceberg")] {
        bench.runs();
        let before = customers(&bench);
        let store = Store::with(objects(&bench, &["shop"]));
        std::fs::remove_dir_all(bench.path("shop")).unwrap();
        guesses(&bench, Some(&store), "s3://shop/shop", rows, &format!("{{ {word} = \"s3://shop/shop\" }}"));
        assert_eq!(customers(&bench), before, "{word}");
    }
}

#[test]
fn files_in_stores_are_read_there() {
    let bench = Bench::new();
    bench.runs();
    let before = customers(&bench);
    let mut all = objects(&bench, &["orders"]);
    all.push(("export/a.csv".into(), b"customer_id,ordered_at,amount\n1,2024-01-05,5.00\n2,2024-02-05,7.50\n".to_vec()));
    let store = Store::with(all);
    for path in ["s3://shop/orders", "s3://shop/orders/*.parquet"] {
        guesses(&bench, Some(&store), path, 8, &format!("{path:?}"));
        assert_eq!(customers(&bench), before);
    }
    for (path, said) in [
        (
            "s3://shop/export/a.csv",
            "s3://shop/export/a.csv is CSV, which goes through a query, and in object stores queries read Parquet alone; copy or mount the files",
        ),
        ("s3://shop/export", "the folder s3://shop/export holds no Parquet file"),
        ("s3://shop/none", "there is no object or folder s3://shop/none"),
    ] {
        let ran = rfmill(&bench, &store, &["init", path, "--output", "other.toml"]);
        assert!(ran.code == 4 && ran.err.contains(said), "{path}: {} {}", ran.code, ran.err);
        assert!(!bench.path("other.toml").exists());
    }
}
