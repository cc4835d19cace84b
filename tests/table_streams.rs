//! `rfmill tables`: which tables an output shows, and their rows as Arrow streams, beside what a reader of its Parquet files sees.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use arrow::array::RecordBatch;
use arrow::ipc::reader::StreamReader;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::Value;

use crate::fixture::{Bench, dates, decimals, ints, rows_of};

/// The batches that a command writes to stdout.
#[track_caller]
fn stream(bench: &Bench, args: &[&str]) -> Vec<RecordBatch> {
    let done = bench.command(args).output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    StreamReader::try_new(done.stdout.as_slice(), None).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The rows of batches, every value as text.
fn rows(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("null");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<_> = batch.columns().iter().map(|c| ArrayFormatter::try_new(c, &options).unwrap()).collect();
        rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|c| c.value(row).to_string()).collect::<Vec<_>>()));
    }
    rows
}

/// The rows that the Parquet files of a table in view have, with the date of their folder in front.
fn in_files(bench: &Bench, table: &str) -> Vec<Vec<String>> {
    let folders: BTreeSet<_> = fs::read_dir(bench.path("out/tables").join(table)).unwrap().map(|e| e.unwrap().path()).collect();
    let of_folder = |folder: std::path::PathBuf| {
        let date = folder.file_name().unwrap().to_str().unwrap().strip_prefix("as_of=").unwrap().to_owned();
        let files: BTreeSet<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        let rows = files.into_iter().flat_map(|file| rows_of(&file));
        rows.map(move |row| [vec![date.clone()], row].concat()).collect::<Vec<_>>()
    };
    folders.into_iter().flat_map(of_folder).collect()
}

fn documents(bench: &Bench, args: &[&str]) -> Value {
    serde_json::from_str(&bench.succeeds(&[args, &["--format", "json"]].concat()).out).unwrap()
}

#[test]
fn a_stream_has_the_rows_of_all_dates() {
    let bench = Bench::new();
    for date in ["2024-06-30", "2024-09-30", "2024-12-31"] {
        bench.succeeds(&["run", "job.toml", "-q", "--as-of", date]);
    }
    let known = documents(&bench, &["tables", "out"]);
    assert_eq!(known["as_of"], serde_json::json!(["2024-06-30", "2024-09-30", "2024-12-31"]));
    let tables = known["tables"].as_array().unwrap();
    assert!(
        ["customers", "segments", "cutpoints", "ledger"].iter().all(|name| tables.iter().any(|table| table["name"] == *name))
    );
    for told in tables {
        let name = told["name"].as_str().unwrap();
        let batches = stream(&bench, &["tables", "out", name]);
        if !bench.path("out/tables").join(name).join("as_of=2024-12-31").exists() {
            // A dimension is one file over all dates.
            assert_eq!(rows(&batches), rows_of(&bench.path("out/tables").join(name).join(format!("{name}.parquet"))), "{name}");
            continue;
        }
        assert_eq!(rows(&batches), in_files(&bench, name), "{name}");
        assert_eq!(told["rows"], rows(&batches).len(), "{name}");
        if let Some(batch) = batches.first() {
            let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
            let columns = told["columns"].as_array().unwrap();
            assert_eq!(names, columns.iter().map(|column| column["name"].as_str().unwrap()).collect::<Vec<_>>(), "{name}");
        }
    }
    // 4 customers had ordered by June, no further one by September, and 5 by December.
    let customers = rows(&stream(&bench, &["tables", "out", "customers"]));
    let of = |date: &str| customers.iter().filter(|row| row[0] == date).count();
    assert_eq!(["2024-06-30", "2024-09-30", "2024-12-31"].map(of), [4, 4, 5]);
    let listed = bench.succeeds(&["tables", "out"]).out;
    assert!(listed.lines().any(|line| line.split_whitespace().eq(["customers", "13", "3"])), "{listed}");
}

#[test]
fn columns_that_a_date_lacks_are_null() {
    let bench = Bench::new();
    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-06-30"]);
    bench.succeeds(&["run", "job.toml", "-q", "--set", "output.columns=[\"lifetime_monetary\"]"]);
    let batches = stream(&bench, &["tables", "out", "customers"]);
    let at = batches[0].schema().index_of("lifetime_monetary").unwrap();
    let values: Vec<(String, String)> = rows(&batches).into_iter().map(|row| (row[0].clone(), row[at].clone())).collect();
    let pair = |date: &str, money: &str| (date.to_owned(), money.to_owned());
    let (june, december) = ("2024-06-30", "2024-12-31");
    // 10.00 + 25.50, 4.99 + 120.00, 75.00, 19.99 + 3.05, and 600.00.
    let of_december = ["35.50", "124.99", "75.00", "23.04", "600.00"].map(|money| pair(december, money));
    assert_eq!(values, [vec![pair(june, "null"); 4], of_december.to_vec()].concat());
}

#[test]
fn a_reader_stays_with_its_commit() {
    let bench = Bench::new();
    bench.runs();
    let first = rows(&stream(&bench, &["tables", "out", "customers"]));
    assert_eq!(documents(&bench, &["tables", "out"])["commit"], 1);
    let more = |amount: i128| {
        let columns = [("customer_id", ints([9])), ("ordered_at", dates(["2024-12-30"])), ("amount", decimals(2, [amount]))];
        bench.parquet(&format!("orders/{amount}.parquet"), &columns);
        bench.succeeds(&["run", "job.toml", "-q"]);
    };
    more(500);
    let pinned = ["tables", "out", "customers", "--commit", "1"];
    assert_eq!(rows(&stream(&bench, &pinned)), first, "the commit before the last is whole");
    assert_eq!(rows(&stream(&bench, &["tables", "out", "customers"])).len(), 6);
    more(700);
    bench.refuses_command(&pinned, 5, "error: commit 1 of out is no longer there to be read: the last one is 3, and what was before goes with the second commit after it; look at the output anew.");
}

#[test]
fn damaged_rows_are_not_streamed() {
    let bench = Bench::new();
    bench.runs();
    let file = bench.path("out/tables/customers/as_of=2024-12-31/part-000.parquet");
    let mut bytes = fs::read(&file).unwrap();
    bytes[20] ^= 1;
    fs::write(&file, bytes).unwrap();
    let done = bench.command(&["tables", "out", "customers"]).output().unwrap();
    assert_eq!(done.status.code(), Some(4));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("changed or damaged after it was written; check it with `rfmill verify`"), "{said}");
    // Without its end mark, a stream is known not to be whole.
    assert!(!done.stdout.ends_with(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]));
}

#[test]
fn what_is_no_table_is_a_sentence() {
    let bench = Bench::new();
    bench.runs();
    bench.refuses_command(&["tables", "out", "custmers"], 2, "error: out has no table \"custmers\"; did you mean \"customers\"? (its tables are customers, cutpoints, …); name one of them.");
    bench.refuses_command(
        &["tables", "orders"],
        5,
        "error: orders is not an output folder of rfmill; name the folder given as --output.",
    );
    bench.refuses_command(&["tables", "nowhere", "customers"], 4, "error: there is no output folder nowhere; check the path.");
}

/// A reader that has enough goes away, which is no failure.
#[test]
fn a_reader_may_leave() {
    let bench = Bench::empty();
    bench.succeeds(&["quickstart", "q", "--orders", "60000", "--quiet"]);
    let mut child =
        bench.command(&["tables", "q/out", "state_history"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert_eq!((done.status.code(), String::from_utf8_lossy(&done.stderr).as_ref()), (Some(0), ""));
}
