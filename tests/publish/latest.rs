//! `latest` names the run of the newest as-of date, whatever is committed later; `drop` takes dates out.

use std::fs;

use crate::fixture::{Bench, assert_message};

/// Runs as of these dates, in this order.
fn bench(dates: &[&str]) -> Bench {
    let bench = Bench::new();
    bench.edit("path = \"out\"", "path = \"out\"\nkeep_runs = 2\nreport = []");
    for date in dates {
        bench.succeeds(&["run", "job.toml", "-q", "--as-of", date]);
    }
    bench.verifies();
    bench
}

/// The as-of dates of the run that `latest` names.
fn latest(bench: &Bench) -> String {
    let manifest: serde_json::Value = serde_json::from_slice(&bench.read("out/latest/manifest.json")).unwrap();
    manifest["as_of"][0].as_str().unwrap().to_owned()
}

/// The as-of dates of a table, in order.
fn dates(bench: &Bench, table: &str) -> Vec<String> {
    let entries = fs::read_dir(bench.path(&format!("out/tables/{table}"))).into_iter().flatten();
    let mut dates: Vec<String> = entries.map(|e| e.unwrap().file_name().to_str().unwrap().replace("as_of=", "")).collect();
    dates.sort();
    dates
}

#[test]
fn a_run_of_an_earlier_date_does_not_move_it_and_says_so() {
    let bench = bench(&["2024-03-31", "2024-06-30"]);
    let said = bench.succeeds(&["run", "job.toml", "--as-of", "2024-01-31"]).err;
    assert_eq!(latest(&bench), "2024-06-30");
    let run = fs::read_link(bench.path("out/latest")).unwrap();
    let run = run.file_name().unwrap().to_str().unwrap();
    let sentence = format!(
        "latest stays at run {run} as of 2024-06-30, which is newer than 2024-01-31; if 2024-06-30 should not be there, take it out with: rfmill drop out --as-of 2024-06-30\n"
    );
    assert!(said.ends_with(&sentence), "{said}");
    // The same date again moves it: of equal dates the last committed counts.
    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-06-30", "--set", "score.method=\"rank\""]);
    assert_ne!(fs::read_link(bench.path("out/latest")).unwrap().file_name().unwrap(), run);
    assert_eq!(latest(&bench), "2024-06-30");
    bench.verifies();
}

#[test]
fn the_run_that_follows_outlives_backfills() {
    let bench = bench(&["2024-05-31", "2024-06-30", "2024-01-31", "2024-02-29", "2024-03-31"]);
    assert_eq!(latest(&bench), "2024-06-30");
    // Two that were committed last, the run of `latest`, and the next older one.
    assert_eq!(bench.visible().runs.len(), 4);
    let said = bench.succeeds(&["drop", "out", "--as-of", "2024-06-30"]);
    assert!(said.err.contains("as-of date 2024-06-30 is taken out of out; latest is run "), "{}", said.err);
    assert_eq!(latest(&bench), "2024-05-31");
    assert_eq!(dates(&bench, "customers"), ["2024-01-31", "2024-02-29", "2024-03-31", "2024-05-31"]);
    bench.verifies();
    // A run brings it back.
    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-06-30"]);
    assert_eq!(latest(&bench), "2024-06-30");
    bench.verifies();
}

#[test]
fn the_last_date_can_go_too() {
    let bench = bench(&["2024-06-30"]);
    let said = bench.succeeds(&["drop", "out", "--as-of", "2024-06-30"]).err;
    assert!(said.contains("so there is no latest: run the job again"), "{said}");
    assert!(fs::symlink_metadata(bench.path("out/latest")).is_err());
    assert!(bench.visible().tables.is_empty());
    assert!(bench.succeeds(&["verify", "out"]).out.contains("so `latest` names none; no as-of date in tables/"));
    let ran = bench.rfmill(&["drop", "out", "--as-of", "2024-06-30"]);
    assert_message(&ran, 2, "error: out shows no as-of date 2024-06-30; its last dates are: none.");
    let ran =
        bench.rfmill(&["assign", "out", "--from", "segment", "--name", "a", "--salt", "b", "--holdout", "0.5", "-o", "a.csv"]);
    assert_eq!(ran.code, 5, "{}", ran.err);
    bench.runs();
}

#[test]
fn what_cannot_be_dropped_is_said() {
    let bench = bench(&["2024-03-31", "2024-06-30"]);
    let drop = |out: &str| bench.rfmill(&["drop", out, "--as-of", "2024-04-30"]);
    assert_message(&drop("out"), 2, "error: out shows no as-of date 2024-04-30; its last dates are: 2024-03-31, 2024-06-30.");
    assert_message(&drop("nowhere"), 4, "error: there is no output folder nowhere; check the path.");
    assert_message(&drop("orders"), 5, "error: orders is not an output folder of rfmill; name the folder given as --output.");
    assert!(!bench.path("nowhere").exists());
    bench.verifies();
}

#[test]
fn all_tables_of_a_date_come_from_one_run() {
    let bench = bench(&["2024-03-31", "2024-06-30"]);
    assert_eq!(dates(&bench, "concentration"), ["2024-03-31", "2024-06-30"]);
    let fewer = "output.tables=[\"customers\",\"ledger\"]";
    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-03-31", "--set", fewer]);
    assert_eq!(dates(&bench, "concentration"), ["2024-06-30"]);
    assert_eq!(dates(&bench, "customers"), ["2024-03-31", "2024-06-30"]);
    bench.verifies();
    // A table without a date is none.
    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-06-30", "--set", fewer]);
    assert!(!bench.path("out/tables/concentration").exists());
    bench.verifies();
}

#[test]
fn a_tree_is_whole_until_the_second_commit_after_it_and_gone_then() {
    let bench = bench(&["2024-03-31", "2024-06-30"]);
    let seen = fs::canonicalize(bench.path("out/tables")).unwrap();
    let content = || fs::read(seen.join("customers/as_of=2024-03-31/part-000.parquet")).ok();
    let before = content();
    assert!(before.is_some());
    let run = |date: &str| bench.succeeds(&["run", "job.toml", "-q", "--as-of", date, "--set", "score.method=\"rank\""]);
    run("2024-03-31");
    assert_eq!(content(), before);
    run("2024-06-30");
    assert!(!seen.exists());
}

/// Files with a row per customer are for their owner and its group, whatever the umask lets.
#[test]
fn files_with_ids_are_not_for_everybody() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.edit("path = \"out\"", "path = \"out\"\nreport = [\"html\", \"crm\"]");
    bench.edit("as_of = [2024-12-31]", "as_of = [2024-06-30, 2024-12-31]");
    let command = format!("umask 000; {} run job.toml -q", crate::fixture::PROGRAM);
    let ran = std::process::Command::new("sh").args(["-c", &command]).current_dir(bench.path("")).status().unwrap();
    assert!(ran.success());
    let mode = |name: &str| fs::metadata(bench.path("out").join(name)).unwrap().permissions().mode() & 0o777;
    for name in [
        "latest/customers/as_of=2024-12-31/part-000.parquet",
        "latest/movers/as_of=2024-12-31/part-000.parquet",
        "latest/state_history/part-000.parquet",
        "latest/report/crm.csv",
        "tables/customers/as_of=2024-06-30/part-000.parquet",
    ] {
        assert_eq!(mode(name), 0o640, "{name}");
    }
    assert_eq!(mode("latest/segments.parquet"), 0o666);
}
