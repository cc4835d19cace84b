//! The job files in `jobs/`, each on sample data, as their comments say.

use std::fs;
use std::path::Path;

use crate::fixture::Bench;

/// The names of the job files.
fn job_files() -> Vec<String> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs")).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".toml"));
    names.sort();
    names
}

/// A folder with a job file and sample orders beside it.
fn bench(job: &str) -> Bench {
    let bench = Bench::empty();
    bench.write(job, fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs").join(job)).unwrap());
    bench.succeeds(&["sample", "orders", "--orders", "6000", "--service", "--quiet"]);
    bench
}

/// The tables of the run in a folder, with their rows.
fn rows(bench: &Bench, output: &str) -> Vec<(String, u64)> {
    let tables = bench.table_hashes(output);
    let row = |t: &serde_json::Value| (t["name"].as_str().unwrap().to_owned(), t["rows"].as_u64().unwrap());
    tables.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn every_job_file_runs_on_sample_data() {
    let names = job_files();
    assert!(["nightly.toml", "quarterly.toml", "quickstart.toml"].iter().all(|name| names.iter().any(|n| n == name)));
    for name in names {
        let bench = bench(&name);
        let text = String::from_utf8(bench.read(&name)).unwrap();
        // A job without dates of its own is run for one.
        let has_dates = text.lines().any(|line| line.starts_with("as_of =") || line.starts_with("every ="));
        let date: &[&str] = if has_dates { &[] } else { &["--as-of", "2024-12-31"] };
        let name = name.as_str();
        for command in ["check", "explain", "run"] {
            bench.succeeds(&[&[command, name], date].concat());
        }
        let output = text.lines().find_map(|line| line.strip_prefix("path = \"out")).unwrap().trim_end_matches('"');
        let output = format!("out{}", output.split('"').next().unwrap());
        bench.succeeds(&["verify", &output]);
        let rows = rows(&bench, &output);
        for table in ["customers", "segments", "cutpoints", "state_history", "concentration", "ledger"] {
            assert!(rows.iter().any(|(name, rows)| name == table && *rows > 0), "{name}, {table}: {rows:?}");
        }
    }
}

#[test]
fn the_quarterly_job_shows_movement() {
    let bench = bench("quarterly.toml");
    bench.succeeds(&["run", "quarterly.toml", "--quiet"]);
    let tables = rows(&bench, "out/quarterly");
    assert!(tables.iter().all(|(_, rows)| *rows > 0), "{tables:?}");
    assert_eq!(fs::read_dir(bench.path("out/quarterly/tables/customers")).unwrap().count(), 8);
}

#[test]
fn nights_follow_each_other() {
    let bench = bench("nightly.toml");
    for night in ["2024-12-30", "2024-12-31"] {
        bench.succeeds(&["run", "nightly.toml", "--quiet", "--as-of", night]);
        let partition = bench.path(&format!("out/nightly/tables/movers/as_of={night}"));
        assert!(partition.is_dir(), "{} is missing", partition.display());
    }
    let tables = rows(&bench, "out/nightly");
    for name in ["customers", "movers", "transitions"] {
        assert!(tables.iter().any(|(table, rows)| table == name && *rows > 0), "{tables:?}");
    }
    let crm = fs::read_dir(bench.path("out/nightly/latest/report")).unwrap();
    assert!(crm.count() > 0, "the CRM file is missing");
    // A night without new orders is noticed.
    let late = bench.rfmill(&["run", "nightly.toml", "--quiet", "--as-of", "2025-01-03"]);
    assert_eq!(late.code, 3, "{}", late.err);
    assert!(late.err.contains("checks.newest_order_within allows 2"), "{}", late.err);
}
