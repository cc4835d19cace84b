//! `rfmill run JOB --dry-run`: which rows it reads, what it says of them, and that it writes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fixture::{Bench, Ran, dates, decimals, ints, orders_but, texts};

/// All files and folders below one, with what files hold.
fn snapshot(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.is_dir() && !entry.is_symlink() {
            true => {
                found.insert(entry.clone(), Vec::new());
                snapshot(&entry, found);
            }
            false => drop(found.insert(entry.clone(), fs::read(&entry).unwrap_or_default())),
        }
    }
}

/// Runs a dry run, after which nothing in the folder is other than before.
#[track_caller]
fn dry_run(bench: &Bench, args: &[&str]) -> Ran {
    let state = || {
        let mut found = BTreeMap::new();
        snapshot(&bench.path("."), &mut found);
        found
    };
    let before = state();
    let ran = bench.rfmill(&[&["run", "job.toml", "--dry-run"], args].concat());
    assert!(state() == before, "a dry run wrote something");
    ran
}

#[track_caller]
fn document(bench: &Bench, args: &[&str]) -> Value {
    let ran = dry_run(bench, &[args, &["--format", "json"]].concat());
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}{}", ran.out, ran.err))
}

/// Rows by outcome.
fn counts(document: &Value) -> BTreeMap<String, u64> {
    let lines = document["outcomes"].as_array().unwrap();
    lines.iter().map(|line| (line["outcome"].as_str().unwrap().to_owned(), line["rows"].as_u64().unwrap())).collect()
}

fn expected<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(outcome, rows)| (outcome.to_owned(), rows)).collect()
}

#[test]
fn all_rows_of_a_small_input_are_read() {
    let bench = Bench::new();
    bench.parquet(
        "orders/a.parquet",
        &orders_but("customer_id", ints([Some(1), Some(1), None, Some(2), Some(3), Some(4), Some(4), Some(5)])),
    );
    let ran = dry_run(&bench, &["--as-of", "2024-11-30"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("dry run of \"test\": all 8 rows were read; nothing is written\n"), "{}", ran.out);
    assert!(ran.out.contains("\ndates of rows that count: 2024-01-05 to 2024-11-30\n"), "{}", ran.out);
    assert!(ran.out.contains(" into out:\n  as of 2024-11-30\n  tables: customers, cutpoints, segments, "), "{}", ran.out);
    let found = document(&bench, &["--as-of", "2024-11-30"]);
    assert_eq!(counts(&found), expected([("kept", 5), ("no_customer", 1), ("after_as_of", 2)]));
    let money = |outcome: &str| {
        let lines = found["outcomes"].as_array().unwrap();
        lines.iter().find(|line| line["outcome"] == outcome).unwrap()["money"].as_str().unwrap().to_owned()
    };
    // 10.00 + 25.50 + 120.00 + 75.00 + 19.99, 4.99, and 3.05 + 600.00.
    assert_eq!(["kept", "no_customer", "after_as_of"].map(money), ["250.49", "4.99", "603.05"]);
    assert_eq!(found["all_dates"], json!({ "first": "2024-01-05", "last": "2024-12-31" }));
    // The run has the id that was foretold, and writes the tables that were named.
    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-11-30"]);
    let manifest: Value = serde_json::from_slice(&bench.read("out/latest/manifest.json")).unwrap();
    assert_eq!(found["run_id"], manifest["run_id"]);
    let written: Vec<&Value> = manifest["tables"].as_array().unwrap().iter().map(|table| &table["name"]).collect();
    let mut foretold: Vec<&Value> = found["tables"].as_array().unwrap().iter().filter(|name| **name != "dim_date").collect();
    foretold.sort_by_key(|name| written.iter().position(|other| other == name));
    assert_eq!(foretold, written);
    let again = document(&bench, &["--as-of", "2024-11-30"]);
    assert_eq!(again["as_of"], json!([{ "date": "2024-11-30", "run_id": manifest["run_id"] }]));
    assert!(
        dry_run(&bench, &["--as-of", "2024-11-30"])
            .out
            .contains("  as of 2024-11-30, which is there already: this run was computed before\n")
    );
    let other = dry_run(&bench, &["--as-of", "2024-11-30", "--set", "output.columns=[\"lifetime_monetary\"]"]).out;
    assert!(
        other.contains(&format!("  as of 2024-11-30, in place of run {}\n", manifest["run_id"].as_str().unwrap())),
        "{other}"
    );
}

/// Eleven files with a row group each: file `n` has `n` guests among ten rows, so the counts tell which files were read.
#[test]
fn a_sample_lies_evenly_over_the_files() {
    let bench = Bench::empty();
    bench.write("job.toml", crate::fixture::JOB);
    for n in 0..11 {
        let ids = (0..10).map(|row| (row >= n).then_some(row + 1));
        let day = format!("2024-{:02}-15", n + 1);
        let columns = [("customer_id", ints(ids)), ("ordered_at", dates([day.as_str(); 10])), ("amount", decimals(2, [100; 10]))];
        bench.parquet(&format!("orders/{n:02}.parquet"), &columns);
    }
    // The first, a middle and the last file.
    let found = document(&bench, &["--sample-rows", "30"]);
    assert_eq!(counts(&found), expected([("kept", 15), ("no_customer", 15)]));
    assert_eq!(
        found["sample"],
        json!({ "rows": 30, "of_rows": 110, "row_groups": 3, "of_row_groups": 11, "files": 11, "query": false })
    );
    let ran = dry_run(&bench, &["--sample-rows", "30"]);
    let heading = "dry run of \"test\": a sample of 30 of 110 rows was read (3 of 11 row groups, evenly over 11 files); nothing is written\n";
    assert!(ran.out.starts_with(heading), "{}", ran.out);
    assert!(ran.out.contains("rows of the sample  "), "{}", ran.out);
    assert!(ran.out.contains("dates of rows of the sample that count: 2024-01-15 to 2024-06-15\n"), "{}", ran.out);
    assert!(ran.out.contains("by the statistics of the files (UTC): 2024-01-15 to 2024-11-15\n"), "{}", ran.out);
    // Never fewer than two, nor more than there are.
    assert_eq!(counts(&document(&bench, &["--sample-rows", "1"])), expected([("kept", 10), ("no_customer", 10)]));
    assert_eq!(counts(&document(&bench, &[])), expected([("kept", 55), ("no_customer", 55)]));
    // Duplicates are looked for among the rows that are read: the guests of a file are alike, so one of them stays.
    let found = document(&bench, &["--sample-rows", "30", "--set", "orders.dedupe=rows"]);
    assert_eq!(counts(&found), expected([("kept", 15), ("no_customer", 2), ("duplicate", 13)]));
}

#[test]
fn a_run_that_would_fail_is_said_to() {
    let bench = Bench::new();
    bench.parquet(
        "orders/b.parquet",
        &orders_but(
            "ordered_at",
            dates([
                None,
                Some("2024-01-05"),
                Some("2024-01-05"),
                Some("2024-01-05"),
                Some("2024-01-05"),
                Some("2024-01-05"),
                Some("2024-01-05"),
                Some("2024-01-05"),
            ]),
        ),
    );
    let ran = dry_run(&bench, &["-q"]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("rejected:null_date"), "what was found is shown all the same: {}", ran.out);
    assert_eq!(
        ran.err,
        "error[contract]: the run would fail: 1 of 16 rows (6.2500 %) are rejected, most of them rejected:null_date (1 in orders/b.parquet, column \"ordered_at\"); orders.max_rejected allows 0 %. Correct the data, filter the rows with orders.keep, or raise orders.max_rejected.\n"
    );
    bench.refuses(3, "error: 1 of 16 rows (6.2500 %) are rejected, …");
    // Of a sample, no more is claimed.
    for n in 0..4 {
        bench.parquet(&format!("orders/c{n}.parquet"), &crate::fixture::orders());
    }
    bench.parquet(
        "orders/d.parquet",
        &orders_but("amount", decimals(2, [None, Some(1), Some(1), Some(1), Some(1), Some(1), Some(1), Some(1)])),
    );
    let ran = dry_run(&bench, &["-q", "--sample-rows", "16"]);
    assert_eq!(ran.code, 3);
    let head = "error[contract]: the run would fail if all rows were like those of the sample: 1 of 16 rows (6.2500 %) are rejected, most of them rejected:null_amount";
    assert!(ran.err.starts_with(head), "{}", ran.err);
}

#[test]
fn the_output_is_looked_at_and_left_alone() {
    let bench = Bench::new();
    bench.runs();
    bench.edit("name = \"test\"", "name = \"other\"");
    let ran = dry_run(&bench, &["-q"]);
    assert_eq!(ran.code, 5);
    assert!(ran.err.contains("the run would fail: out is the output of the job \"test\", not of \"other\"; "), "{}", ran.err);
    assert_eq!(dry_run(&bench, &["-q", "--adopt"]).code, 0);
    bench.write("full/notes.txt", "");
    let ran = dry_run(&bench, &["-q", "--output", "full"]);
    assert!(
        ran.code == 6 && ran.err.contains("full holds files that rfmill did not write; choose an empty or new folder"),
        "{}",
        ran.err
    );
    // Volume is compared by footers, so of all rows.
    let ran = dry_run(&bench, &["-q", "--adopt", "--set", "checks.rows_vs_previous=[2.0, 3.0]"]);
    assert!(ran.code == 3 && ran.err.contains("the input has 8 rows, 1.000 times the 8 of the run"), "{}", ran.err);
}

#[test]
fn what_is_odd_is_said_of_the_sample() {
    let bench = Bench::new();
    // Each of the later files is of one customer: with a tenth of all orders, and half of those in a sample of two files.
    bench.parquet("orders/a.parquet", &orders_but("customer_id", texts(["a", "b", "c", "d", "e", "f", "g", "h"])));
    for n in 0..9 {
        let id = format!("z{n}");
        bench.parquet(&format!("orders/z{n}.parquet"), &orders_but("customer_id", texts([id.as_str(); 8])));
    }
    let whole = dry_run(&bench, &[]);
    let sample = dry_run(&bench, &["--sample-rows", "16"]);
    assert_eq!((whole.code, sample.code), (0, 0), "{}{}", whole.err, sample.err);
    assert!(!whole.err.contains("z8"), "{}", whole.err);
    let warnings: Vec<&str> = sample.err.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert!(warnings.iter().any(|line| line.starts_with("warning: in the sample: ") && line.contains("z8")), "{warnings:?}");
}
