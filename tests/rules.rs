//! A run is known by its inputs, its job and the number of the rules. So whoever changes the bytes of a table must raise that
//! number, or runs of older rules would be taken for the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rfmill::internals::hash::sha256;
use rfmill::internals::pipeline::RULES;

use crate::fixture::Bench;
use crate::support::run::table_hashes;

/// The rules' number and, per job and table, the hash of all files, as they were last recorded.
type Golden = (u32, BTreeMap<String, String>);

fn golden_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/rules.json")
}

/// The hash of every table of three jobs on sample data.
fn tables() -> BTreeMap<String, String> {
    let bench = Bench::empty();
    bench.succeeds(&["sample", "orders", "--orders", "6000", "--quiet"]);
    let treated = ["sample", "treated", "--orders", "6000", "--strategy", "winback", "--effect", "0.3"];
    bench.succeeds(&[&treated[..], &["--strategy-from", "2024-07-01", "--quiet"]].concat());
    let jobs: [(&str, &[&str]); 3] =
        [("jobs/quarterly.toml", &[]), ("jobs/nightly.toml", &["--as-of", "2024-12-31"]), ("tests/data/experiment.toml", &[])];
    let mut all = BTreeMap::new();
    for (job, date) in jobs {
        bench.write("job.toml", fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(job)).expect("a job file"));
        bench.succeeds(&[&["run", "job.toml", "--quiet", "--output", job], date].concat());
        let run = fs::canonicalize(bench.path(&format!("{job}/latest"))).expect("a run");
        let mut by_table: BTreeMap<String, String> = BTreeMap::new();
        for (file, hash) in table_hashes(&run).into_iter().filter(|(file, _)| !file.starts_with("partitions/")) {
            let table = file.split(['/', '.']).next().unwrap_or_default();
            by_table.entry(format!("{job} {table}")).or_default().push_str(&format!("{file} {hash}\n"));
        }
        all.extend(by_table.into_iter().map(|(table, files)| (table, sha256(files.as_bytes()))));
    }
    all
}

#[test]
fn table_bytes_change_only_with_the_number_of_the_rules() {
    let found = tables();
    let text = fs::read_to_string(golden_path()).unwrap_or_else(|_| "[0, {}]".into());
    let (recorded, golden): Golden = serde_json::from_str(&text).expect("tests/data/rules.json");
    if RULES > recorded && std::env::var_os("RFMILL_RECORD").is_some() {
        let text = serde_json::to_string_pretty(&(RULES, &found)).expect("JSON");
        return fs::write(golden_path(), text + "\n").expect("tests/data/rules.json");
    }
    let names = found.keys().chain(golden.keys());
    let mut changed: Vec<&str> = names.filter(|t| found.get(*t) != golden.get(*t)).map(String::as_str).collect();
    changed.sort_unstable();
    changed.dedup();
    assert!(
        changed.is_empty() && RULES == recorded,
        "these tables have other bytes than under rules {recorded}:\n{}\nIf that is intended, raise RULES (now {RULES}) above {recorded} and record the \
         tables:\nRFMILL_RECORD=1 cargo test --release --test it rules",
        changed.join("\n")
    );
}

/// The id of a run follows what a job means, not how its file is written.
#[test]
fn the_same_job_written_otherwise_is_the_same_run() {
    let bench = Bench::new();
    let run_id = |job: &str| {
        bench.write("job.toml", job);
        bench.succeeds(&["run", "job.toml", "--quiet"]);
        fs::canonicalize(bench.path("out/latest")).expect("a run").file_name().expect("a name").to_owned()
    };
    let plain = run_id(crate::fixture::JOB);
    let section = "[orders]\npath = \"orders\"\n";
    assert!(crate::fixture::JOB.contains(section));
    let reordered =
        crate::fixture::JOB.replace(section, "# A comment.\n[orders]\n").replace("[periods]", "path = \"orders\"\n\n[periods]");
    assert_eq!(plain, run_id(&reordered));
    let explicit = format!("{}\n[schemes]\nsegment = \"standard\"\nlifecycle = \"recency_windows\"\n", crate::fixture::JOB);
    assert_eq!(plain, run_id(&explicit));
    // The order of scheme columns is that of the tables.
    let turned = format!("{}\n[schemes]\nlifecycle = \"recency_windows\"\nsegment = \"standard\"\n", crate::fixture::JOB);
    assert_ne!(plain, run_id(&turned));
    assert_ne!(plain, run_id(&crate::fixture::JOB.replace("2024-12-31", "2024-12-30")));
}
