//! People who ask to be forgotten: no byte below the output names them afterwards, whatever the type of their ids, and whenever the
//! command is killed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use arrow::array::ArrayRef;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::fixture::{Bench, decimals, ints, rows_of, texts, with_ids};
use crate::support::run::files_below;

/// Three nights of a job of which one run is kept, so that the first two live on in `tables` alone.
fn bench(ids: ArrayRef, report: &str) -> Bench {
    let bench = Bench::new();
    bench.parquet("orders/a.parquet", &with_ids(ids));
    bench.edit("path = \"out\"", &format!("path = \"out\"\nkeep_runs = 1\nreport = {report}"));
    for date in ["2024-06-30", "2024-11-30", "2024-12-31"] {
        bench.succeeds(&["run", "job.toml", "-q", "--as-of", date]);
    }
    bench
}

/// Everything that a file says: its bytes, and of a Parquet file its bounds, the bytes of its pages, and its values as texts.
fn said_by(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    let mut said = vec![path.to_string_lossy().into_owned().into_bytes(), bytes];
    if path.extension().is_none_or(|ending| ending != "parquet") {
        return said;
    }
    // A killed command leaves files that are no Parquet yet.
    let Ok(reader) = SerializedFileReader::new(File::open(path).unwrap()) else { return said };
    said.push(format!("{:?}", reader.metadata()).into_bytes());
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).unwrap();
        for column in 0..group.num_columns() {
            let pages = group.get_column_page_reader(column).unwrap();
            said.extend(pages.map(|page| page.unwrap().buffer().to_vec()));
        }
    }
    said.extend(rows_of(path).into_iter().flatten().map(String::into_bytes));
    said
}

/// Files below the output that hold a word.
fn holders(bench: &Bench, word: &str) -> Vec<PathBuf> {
    let holds = |said: &Vec<u8>| said.windows(word.len()).any(|part| part == word.as_bytes());
    let mut files = files_below(&bench.path("out"));
    files.retain(|path| said_by(path).iter().any(holds));
    files
}

/// By file in `tables` its rows.
fn shown(bench: &Bench) -> BTreeMap<PathBuf, Vec<Vec<String>>> {
    let root = bench.path("out/tables");
    let files = bench.visible().tables.into_keys();
    files.map(|path| (path.strip_prefix(&root).unwrap().to_owned(), rows_of(&path))).collect()
}

/// Forgets one of five customers and looks at everything that is left.
fn one_is_forgotten(ids: ArrayRef, gone: &str, written: &str) {
    let bench = bench(ids, "[\"html\", \"json\", \"xlsx\", \"crm\"]");
    let before = shown(&bench);
    assert!(holders(&bench, gone).len() > 8, "{:?}", holders(&bench, gone));
    bench.write("ids.txt", format!("customer_id\r\n{written}\r\n\r\n999999\n"));
    let ran = bench.succeeds(&["forget", "out", "--ids", "ids.txt"]);
    assert!(ran.err.contains("warning: 1 id is in no file of the output"), "{}", ran.err);
    assert!(
        ran.err.contains("1 customer is forgotten: ") && ran.err.contains("bring them back with the next run"),
        "{}",
        ran.err
    );
    assert_eq!(holders(&bench, gone), [] as [PathBuf; 0]);
    bench.verifies();

    // The rows of others, and every sum, are what they were.
    let of_customers = |path: &Path| ["customers", "movers", "state_history"].iter().any(|table| path.starts_with(table));
    let mut expected = before.clone();
    for (path, rows) in &mut expected {
        let all = rows.len();
        if of_customers(path) {
            rows.retain(|row| row[0] != gone);
        }
        assert!(all == rows.len() || of_customers(path));
    }
    assert!(expected != before);
    assert_eq!(shown(&bench), expected);
    let crm = String::from_utf8(bench.read("out/latest/report/crm.csv")).unwrap();
    assert_eq!((crm.lines().count(), crm.matches("\r\n").count()), (1 + 4, 1 + 4), "{crm}");
    let reports = ["index.html", "report.json", "workbook.xlsx"];
    assert!(reports.iter().all(|report| bench.path("out/latest/report").join(report).is_file()), "no warning named anybody");

    // Once more is nothing to do.
    let visible = bench.visible();
    let ran = bench.succeeds(&["forget", "out", "--ids", "ids.txt"]);
    assert!(
        ran.err.contains("already forgotten: no file of out holds any of these 2 ids, and nothing was changed"),
        "{}",
        ran.err
    );
    assert_eq!(bench.visible(), visible);

    // Orders that hold the customer bring them back, and then the commits go on as ever.
    bench.succeeds(&["run", "job.toml", "-q"]);
    assert!(!holders(&bench, gone).is_empty());
    bench.succeeds(&["drop", "out", "--as-of", "2024-12-31"]);
    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-12-30"]);
    bench.verifies();
}

#[test]
fn nothing_holds_a_forgotten_text() {
    let ids = ["ann@example.org", "ann@example.org", "bob", "bob", "canary-7f3a", "dan", "dan", "canary-7f3b"];
    one_is_forgotten(texts(ids), "canary-7f3a", "canary-7f3a");
}

#[test]
fn nothing_holds_a_forgotten_number() {
    let id = |n: i64| 7_000_000_000_123 + n * 5_000_000_019;
    one_is_forgotten(ints([1, 1, 2, 2, 3, 4, 4, 5].map(id)), "7015000000180", "0007015000000180");
}

#[test]
fn nothing_holds_a_forgotten_decimal() {
    let id = |n: i128| 4_123_456_789_012_345_678 + n * 1_000_000_007;
    one_is_forgotten(decimals(0, [1, 1, 2, 2, 3, 4, 4, 5].map(id)), "4123456792012345699", "4123456792012345699");
}

/// Warnings that name customers go with them, and so do the pages that repeat these.
#[test]
fn warnings_name_nobody_who_is_forgotten() {
    let ids = ["bob", "bob", "bob", "bob", "canary-7f3a", "Canary-7f3A", "dan", "dan"];
    let bench = bench(texts(ids), "[\"html\", \"json\"]");
    bench.append("[[orders.keep]]\ncolumn = \"customer_id\"\nnot_in = [\"canary-7f3a \"]");
    bench.succeeds(&["run", "job.toml", "-q"]);
    let manifest = || String::from_utf8(bench.read("out/latest/manifest.json")).unwrap();
    assert!(manifest().contains(r#"such as \"Canary-7f3A\" and \"canary-7f3a\""#), "{}", manifest());
    bench.write("ids.txt", "canary-7f3a\nCanary-7f3A\ncanary-7f3a \n");
    let ran = bench.succeeds(&["forget", "out", "--ids", "ids.txt", "--format", "json"]);
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&told["customers"], &told["unknown"]), (&3.into(), &0.into()));
    assert!(ran.err.contains("report/index.html is left out, because a warning in it may name a customer"), "{}", ran.err);
    assert!(!bench.path("out/latest/report/index.html").exists());
    assert!(manifest().contains("(forgotten)") && !manifest().contains("customer ids differ"), "{}", manifest());
    assert!(manifest().contains("customers share one frequency"), "other warnings stay: {}", manifest());
    for word in ["canary-7f3a", "Canary-7f3A"] {
        assert_eq!(holders(&bench, word), [] as [PathBuf; 0]);
    }
    bench.verifies();
    let dates = ["2024-06-30", "2024-11-30", "2024-12-31"];
    assert_eq!(told["dates"], serde_json::json!(dates));
}

#[test]
fn files_of_ids_that_are_none_are_refused() {
    let bench = Bench::with_run();
    bench.write("empty.txt", "customer_id\n\n");
    bench.write("bytes.txt", b"1\n\xff\xfe\n");
    for (file, code, message) in [
        ("empty.txt", 2, "error: empty.txt has no id; give a text file with an id per line, as customer_id shows it."),
        ("bytes.txt", 4, "error: bytes.txt, line 2: the bytes are no UTF-8; give a text file with an id per line."),
        (
            "none.txt",
            4,
            "error: cannot read none.txt, the file of --ids: No such file or directory (os error 2); check the path.",
        ),
    ] {
        bench.refuses_command(&["forget", "out", "--ids", file], code, message);
    }
    bench.write("ids.txt", "1\n");
    bench.refuses_command(&["forget", "nowhere", "--ids", "ids.txt"], 4, "error: …nowhere…");
    // Where files of a date are gone, nobody can say whom they held.
    bench.succeeds(&["run", "job.toml", "-q"]);
    let customers = bench.path("out/latest/customers/as_of=2024-12-31");
    fs::remove_dir_all(customers).unwrap();
    let ran = bench.rfmill(&["forget", "out", "--ids", "ids.txt"]);
    assert_eq!(ran.code, 5, "{}", ran.err);
    assert!(ran.err.contains("see what `rfmill verify` says of the output"), "{}", ran.err);
}

/// Kills the command at moments spread over the time that it takes. After each, the output is whole: with the customer or, once the
/// command ran again, without.
#[test]
fn a_killed_command_is_ended_by_the_next() {
    let ids = ["ann", "ann", "bob", "bob", "canary-7f3a", "dan", "dan", "eve"];
    let bench = bench(texts(ids), "[\"crm\"]");
    bench.write("ids.txt", "canary-7f3a\n");
    let copy = |from: &str, to: &str| {
        let _ = fs::remove_dir_all(bench.path(to));
        let copied = std::process::Command::new("cp").arg("-a").args([bench.path(from), bench.path(to)]).status().unwrap();
        assert!(copied.success());
    };
    copy("out", "before");
    let began = Instant::now();
    bench.succeeds(&["forget", "out", "--ids", "ids.txt", "-q"]);
    let whole = began.elapsed();
    let expected = shown(&bench);
    let (mut early, mut part) = (0, 0u32);
    for _ in 0..30 {
        copy("before", "out");
        part = (part + 618) % 1000;
        let mut forget = bench.command(&["forget", "out", "--ids", "ids.txt", "-q"]).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * part / 900);
        forget.kill().unwrap();
        forget.wait().unwrap();
        std::thread::sleep(Duration::from_millis(1));
        early += usize::from(!holders(&bench, "canary-7f3a").is_empty());
        bench.succeeds(&["forget", "out", "--ids", "ids.txt", "-q"]);
        assert_eq!(holders(&bench, "canary-7f3a"), [] as [PathBuf; 0]);
        bench.verifies();
        assert_eq!(shown(&bench), expected);
        assert!(!bench.visible().runs.iter().any(|run| run.starts_with('.')));
    }
    assert!(early > 5, "the moments lie too late: {early} of 30");
}

/// Dates of an output of 0.1.0, whose runs are gone, are rewritten as well.
#[test]
fn dates_of_older_versions_forget_too() {
    let bench = Bench::new();
    bench.edit("path = \"out\"", "path = \"out\"\nkeep_runs = 1\nreport = []");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/output-0.1.0");
    assert!(std::process::Command::new("cp").arg("-a").arg(source).arg(bench.path("out")).status().unwrap().success());
    let ids = |bench: &Bench| -> BTreeMap<PathBuf, Vec<String>> {
        let of = |(path, rows): (PathBuf, Vec<Vec<String>>)| (path, rows.into_iter().map(|row| row[0].clone()).collect());
        shown(bench).into_iter().filter(|(path, _)| path.starts_with("customers")).map(of).collect()
    };
    let before = ids(&bench);
    assert!(before.len() == 3 && before.values().all(|ids| ids.contains(&"2".to_owned())), "{before:?}");
    bench.write("ids.txt", "2\n");
    let ran = bench.succeeds(&["forget", "out", "--ids", "ids.txt"]);
    assert!(ran.err.contains("was written by rfmill 0.1.0 and is taken over"), "{}", ran.err);
    let after = ids(&bench);
    assert_eq!(after.len(), 3);
    for (path, ids) in after {
        let expected: Vec<String> = before[&path].iter().filter(|id| *id != "2").cloned().collect();
        assert_eq!(ids, expected, "{}", path.display());
    }
    bench.verifies();
    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2025-01-31"]);
    bench.verifies();
}
