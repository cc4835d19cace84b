//! `dim_state`, `dim_period` and `dim_date`: one file each over all as-of dates, whatever was committed, dropped or damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};

use crate::fixture::{Bench, dates, ints, parquet_bytes, texts};
use crate::support::run::{Cell, read_file};

type Rows = Vec<BTreeMap<String, String>>;

/// The rows of a dimension as text.
fn rows(bench: &Bench, name: &str) -> Rows {
    let table = read_file(&bench.path(&format!("out/tables/{name}/{name}.parquet")));
    let text = |(column, cell): (&str, &Cell)| {
        let text = if let Cell::Bool(is) = cell { is.to_string() } else { cell.key() };
        (column.to_owned(), text)
    };
    table.records().into_iter().map(|row| row.into_iter().map(text).collect()).collect()
}

/// Some columns of the rows, joined by a space.
fn columns(rows: &Rows, names: &[&str]) -> Vec<String> {
    let row = |row: &BTreeMap<String, String>| names.iter().map(|name| row[*name].as_str()).collect::<Vec<_>>().join(" | ");
    rows.iter().map(row).collect()
}

/// A job by quarters, run as of these dates.
fn quarters(dates: &[&str]) -> Bench {
    let bench = Bench::new();
    bench.edit("as_of = [2024-12-31]", "every = \"quarter\"\nfrom = 2024-01-01\nto = 2024-12-31");
    bench.edit("path = \"out\"", "path = \"out\"\nkeep_runs = 1\nreport = []");
    for date in dates {
        bench.succeeds(&["run", "job.toml", "-q", "--as-of", date]);
    }
    bench.verifies();
    bench
}

#[test]
fn periods_have_one_row_per_date_and_labels_of_their_own() {
    let bench = quarters(&["2024-06-30", "2024-05-31", "2024-03-31", "2025-06-30"]);
    let shown = ["as_of", "label", "is_partial", "same_period_last_year", "period_before", "role"];
    let null = "null";
    let expected = [
        format!("2024-03-31 | 2024 Q1 | false | {null} | {null} | own"),
        format!("2024-05-31 | 2024 Q2 to 31 May | true | {null} | 2024-03-31 | own"),
        format!("2024-06-30 | 2024 Q2 | false | {null} | 2024-03-31 | own"),
        format!("2025-06-30 | 2025 Q2 | false | 2024-06-30 | {null} | own"),
    ];
    assert_eq!(columns(&rows(&bench, "dim_period"), &shown), expected);
    assert!(!bench.path("out/tables/dim_period/as_of=2024-03-31").exists());
    // What is compared with is named as long as it is in view, and again once it is back.
    bench.succeeds(&["drop", "out", "--as-of", "2024-06-30"]);
    bench.verifies();
    let gone = columns(&rows(&bench, "dim_period"), &shown);
    assert_eq!(gone, [&expected[0], &expected[1], &expected[3].replace("2024-06-30", null)].map(String::clone));
    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-06-30"]);
    assert_eq!(columns(&rows(&bench, "dim_period"), &shown), expected);
}

#[test]
fn labels_that_would_repeat_say_their_date() {
    let bench = Bench::new();
    let listed = |from: &str, to: &str| format!("[[periods.list]]\nfrom = {from}\nto = {to}\nlabel = \"Sale\"\n");
    bench.edit("[periods]\nas_of = [2024-12-31]\n", &listed("2024-01-01", "2024-02-29"));
    bench.succeeds(&["run", "job.toml", "-q"]);
    assert_eq!(columns(&rows(&bench, "dim_period"), &["label"]), ["Sale"]);
    bench.edit(&listed("2024-01-01", "2024-02-29"), &listed("2024-10-01", "2024-12-31"));
    bench.succeeds(&["run", "job.toml", "-q"]);
    assert_eq!(columns(&rows(&bench, "dim_period"), &["label"]), ["Sale (2024-02-29)", "Sale (2024-12-31)"]);
}

#[test]
fn the_calendar_has_all_days_of_the_years_that_tables_can_hold() {
    let bench = quarters(&["2024-05-31"]);
    let days = rows(&bench, "dim_date");
    assert_eq!(days.len(), 366);
    let keys: BTreeSet<String> = columns(&days, &["day"]).into_iter().collect();
    let labels: BTreeSet<String> = columns(&days, &["label"]).into_iter().collect();
    assert_eq!((keys.len(), labels.len()), (366, 366));
    let shown = columns(&days, &["day", "label", "week_label", "quarter_label", "weekday_en", "is_weekend", "week_start"]);
    assert_eq!(shown[0], "2024-01-01 | 1 Jan 2024 | 2024-W01 | 2024 Q1 | Monday | false | 2024-01-01");
    assert_eq!(shown[365], "2024-12-31 | 31 Dec 2024 | 2025-W01 | 2024 Q4 | Tuesday | false | 2024-12-30");
    let named = columns(&days, &["month_zh_hans", "weekday_zh_hans", "month_zh_hant", "weekday_zh_hant"]);
    assert_eq!((named[0].as_str(), named[6].as_str()), ("1月 | 星期一 | 1月 | 星期一", "1月 | 星期日 | 1月 | 星期日"));
    // Another year, and a column whose dates reach as far beyond the as-of date as orders reach back.
    bench.edit("report = []", "report = []\ncolumns = [\"next_due\"]");
    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-12-31"]);
    let days = columns(&rows(&bench, "dim_date"), &["day"]);
    assert_eq!((days.len(), days.last().map(String::as_str)), (366 + 365, Some("2025-12-31")));
    // Without the date that asked for it, it is as it was.
    bench.succeeds(&["drop", "out", "--as-of", "2024-12-31"]);
    assert_eq!(rows(&bench, "dim_date").len(), 366);
    bench.verifies();
}

/// A scheme of two states by recency, of which the first is called VIP.
fn scheme(first: &str) -> String {
    format!(
        "name = \"own\"\nladder = [\"{first}\", \"rest\"]\n\n[[states]]\nname = \"{first}\"\nlabels = {{ en = \"VIP\" }}\n\n[[states]]\nname = \"rest\"\nat_risk = true\n\n[[rules]]\nstate = \"{first}\"\nwhen = {{ recency_days = [0, 30] }}\n\n[[rules]]\nstate = \"rest\"\n"
    )
}

#[test]
fn states_have_one_row_whatever_schemes_were_before() {
    let bench = Bench::new();
    bench.edit("path = \"out\"", "path = \"out\"\nkeep_runs = 1\nreport = []").append("[schemes]\ntier = \"own.toml\"");
    let run = |date: &str| drop(bench.succeeds(&["run", "job.toml", "-q", "--as-of", date]));
    bench.write("own.toml", scheme("vip"));
    run("2024-03-31");
    run("2024-04-30");
    bench.write("own.toml", scheme("VIP"));
    run("2024-06-30");
    bench.verifies();
    let shown = ["scheme", "state", "label_en", "is_current", "first_as_of", "last_as_of", "is_at_risk"];
    let expected = [
        "tier | VIP | VIP | true | 2024-06-30 | 2024-06-30 | false",
        "tier | rest | rest | true | 2024-03-31 | 2024-06-30 | true",
        "tier | vip | VIP (vip) | false | 2024-03-31 | 2024-04-30 | false",
    ];
    let of_scheme = || {
        let all = columns(&rows(&bench, "dim_state"), &shown);
        all.into_iter().filter(|row| !row.contains("| (")).collect::<Vec<_>>()
    };
    assert_eq!(of_scheme(), expected);
    // Charts can mark where definitions change.
    let hashes = || columns(&rows(&bench, "dim_period"), &["definitions_hash"]);
    let of_dates = hashes();
    assert!(of_dates[0] == of_dates[1] && of_dates[1] != of_dates[2], "{of_dates:?}");
    // A date that is told anew has the states of now; one that is dropped has none.
    run("2024-04-30");
    assert_eq!(of_scheme()[2], "tier | vip | VIP (vip) | false | 2024-03-31 | 2024-03-31 | false");
    assert_eq!(hashes()[1], of_dates[2]);
    bench.succeeds(&["drop", "out", "--as-of", "2024-03-31"]);
    assert_eq!(of_scheme().len(), 2);
    bench.succeeds(&["drop", "out", "--as-of", "2024-06-30"]);
    bench.succeeds(&["drop", "out", "--as-of", "2024-04-30"]);
    bench.verifies();
    assert!(!bench.path("out/tables/dim_state").exists());
}

/// A run that was committed before and is committed again says again what it said.
#[test]
fn a_run_that_is_committed_again_brings_its_states_back() {
    let bench = Bench::new();
    bench.append("[schemes]\ntier = \"own.toml\"");
    bench.write("own.toml", scheme("vip"));
    bench.runs();
    let before = rows(&bench, "dim_state");
    bench.write("own.toml", scheme("VIP"));
    bench.runs();
    assert_ne!(rows(&bench, "dim_state"), before);
    bench.write("own.toml", scheme("vip"));
    let said = bench.succeeds(&["run", "job.toml"]).err;
    assert!(said.contains("already computed"), "{said}");
    bench.verifies();
    assert_eq!(rows(&bench, "dim_state"), before);
}

#[test]
fn a_job_that_writes_none_has_none() {
    let bench = Bench::new();
    bench.edit("path = \"out\"", "path = \"out\"\ntables = [\"customers\", \"dim_period\"]\nreport = []");
    bench.runs();
    assert!(!bench.path("out/tables/dim_state").exists() && !bench.path("out/tables/dim_date").exists());
    assert_eq!(rows(&bench, "dim_period").len(), 1);
}

#[test]
fn damage_is_told_and_put_right_without_a_table() {
    let bench = quarters(&["2024-03-31", "2024-06-30"]);
    let whole: Vec<Rows> = ["dim_state", "dim_period", "dim_date"].iter().map(|name| rows(&bench, name)).collect();
    for (at, name) in ["dim_state", "dim_period", "dim_date"].into_iter().enumerate() {
        let path = bench.path(&format!("out/tables/{name}/{name}.parquet"));
        // The link alone: the kept file has the same bytes.
        fs::remove_file(&path).unwrap();
        let ran = bench.rfmill(&["verify", "out"]);
        assert!(
            ran.code == 5 && ran.err.contains(&format!("{name}.parquet is gone; `rfmill verify out --repair` copies it")),
            "{}",
            ran.err
        );
        bench.succeeds(&["verify", "out", "--repair"]);
        bench.verifies();
        // Both, since they are one file: it is made again.
        let mut bytes = fs::read(&path).unwrap();
        bytes[20] ^= 1;
        fs::write(&path, bytes).unwrap();
        let ran = bench.rfmill(&["verify", "out"]);
        let sentence = "was changed or damaged after it was written; `rfmill verify out --repair` ";
        assert!(ran.code == 5 && ran.err.contains(sentence), "{}", ran.err);
        bench.succeeds(&["verify", "out", "--repair"]);
        bench.verifies();
        assert_eq!(rows(&bench, name), whole[at]);
    }
    // So does a plain run.
    fs::remove_dir_all(bench.path("out/tables/dim_period")).unwrap();
    bench.runs();
    bench.verifies();
    bench.write("out/tables/dim_date/more.parquet", "x");
    let ran = bench.rfmill(&["verify", "out"]);
    assert!(ran.code == 5 && ran.err.contains("more.parquet is of no committed run"), "{}", ran.err);
}

/// 0.1.0 wrote dimensions by date or run; taken over, they are in the files over all dates.
#[test]
fn those_of_an_output_of_0_1_0_are_taken_over() {
    let bench = Bench::new();
    bench.edit("path = \"out\"", "path = \"out\"\nkeep_runs = 1\nreport = []");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/output-0.1.0");
    assert!(Command::new("cp").arg("-a").arg(source).arg(bench.path("out")).status().unwrap().success());
    let period = |start: &str, end: &str, label: &str| {
        let yes = || Arc::new(BooleanArray::from(vec![true])) as ArrayRef;
        parquet_bytes(&[
            ("period_start", dates([start])),
            ("period_end", dates([end])),
            ("label", texts([label])),
            ("same_period_last_year", dates([None])),
            ("is_partial", Arc::new(BooleanArray::from(vec![end != "2024-03-31"]))),
            ("history_complete", yes()),
        ])
    };
    let states = parquet_bytes(&[
        ("scheme", texts(["segment", "old"])),
        ("state", texts(["Champions", "gone"])),
        ("rank", arrow::compute::cast(&ints([1, 1]), &arrow::datatypes::DataType::Int32).unwrap()),
        ("label_en", texts(["The best", "Gone"])),
    ]);
    let tree = "out/.tables/00000004";
    bench.write(&format!("{tree}/dim_period/as_of=2024-03-31/dim_period.parquet"), period("2024-01-01", "2024-03-31", "2024 Q1"));
    bench.write(&format!("{tree}/dim_period/as_of=2024-06-30/dim_period.parquet"), period("2024-01-01", "2024-12-31", "2024"));
    bench.write(&format!("{tree}/dim_state/as_of=2024-06-30/dim_state.parquet"), &states);
    // As it lies there, a database of views has each state once.
    let script = bench.succeeds(&["schema", "--tables", "job.toml", "--format", "duckdb"]).out;
    assert!(script.contains("WHERE as_of = (SELECT max(as_of) FROM read_parquet("), "{script}");
    let said = bench.succeeds(&["run", "job.toml", "--as-of", "2025-01-31"]).err;
    assert!(!said.contains("dim_"), "{said}");
    bench.verifies();
    assert_eq!(
        columns(&rows(&bench, "dim_period"), &["as_of", "label"]),
        ["2024-03-31 | 2024 Q1", "2024-06-30 | 2024 to 30 Jun", "2024-12-31 | 2024-12-31", "2025-01-31 | 2025-01-31"]
    );
    let states = columns(&rows(&bench, "dim_state"), &["scheme", "state", "label_en", "is_current", "first_as_of"]);
    assert!(states.contains(&"old | gone | Gone | false | 2024-06-30".to_owned()), "{states:?}");
    assert!(states.contains(&"segment | Champions | Champions | true | 2024-06-30".to_owned()), "{states:?}");
    assert!(!bench.path("out/tables/dim_state/as_of=2024-06-30").exists());
}
