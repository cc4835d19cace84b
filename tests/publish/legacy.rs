//! An output that 0.1.0 wrote: as of March, June and December 2024, with one run kept, so that the runs of March and June are
//! gone. December was committed twice, the first time with the table `concentration`, too. The job and its orders are those of
//! [`Bench::new`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fixture::{Bench, assert_message};

fn bench() -> Bench {
    let bench = Bench::new();
    bench.edit("path = \"out\"", "path = \"out\"\nkeep_runs = 1\nreport = []");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/output-0.1.0");
    let copied = Command::new("cp").arg("-a").arg(source).arg(bench.path("out")).status().unwrap();
    assert!(copied.success());
    bench
}

/// Every file of a date below `tables` with its content.
fn tables(bench: &Bench) -> BTreeMap<PathBuf, Vec<u8>> {
    let root = bench.path("out/tables");
    let files = bench.visible().tables.into_keys();
    let files = files.map(|path| (path.strip_prefix(&root).unwrap().to_owned(), std::fs::read(path).unwrap()));
    files.filter(|(path, _)| path.components().count() == 3).collect()
}

#[test]
fn it_is_verified_as_far_as_its_runs_are_there() {
    let bench = bench();
    let said = bench.succeeds(&["verify", "out"]).out;
    assert!(said.contains("3 as-of dates in tables/ from 2024-03-31 to 2024-12-31; "), "{said}");
    assert!(said.contains("; written by 0.1.0: the files of 2 of these dates are vouched for from the next commit on"), "{said}");
    // Damage to what its last run wrote is told as ever.
    let path = bench.path("out/latest/segments.parquet");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[10] ^= 1;
    std::fs::write(path, bytes).unwrap();
    let ran = bench.rfmill(&["verify", "out"]);
    assert!(ran.code == 5 && ran.err.contains("segments.parquet was changed or damaged"), "{}", ran.err);
}

#[test]
fn the_first_commit_takes_it_over_and_says_what_it_cannot_vouch_for() {
    let bench = bench();
    let before = tables(&bench);
    let said = bench.succeeds(&["run", "job.toml", "--as-of", "2025-01-31"]).err;
    for sentence in [
        "warning: the output was written by rfmill 0.1.0 and is taken over; that version refuses it from now on\n",
        "warning: of 2 as-of dates (2024-03-31 to 2024-06-30) the runs are gone, so nothing can tell whether the files below tables/ are those that were committed; they are taken as they lie there, and their hashes are kept from now on\n",
        "warning: 1 folder below tables/, such as concentration/as_of=2024-12-31, is of no commit or of an older run than the rest of the date, and is no longer shown; run the job again for such a date if it is missed\n",
    ] {
        assert!(said.contains(sentence), "{said}");
    }
    let is_new = |path: &Path| path.to_string_lossy().contains("as_of=2025-01-31");
    let is_mixed = |path: &Path| path.starts_with("concentration/as_of=2024-12-31");
    let old: BTreeMap<_, _> = tables(&bench).into_iter().filter(|(path, _)| !is_new(path)).collect();
    let kept: BTreeMap<_, _> = before.into_iter().filter(|(path, _)| !is_mixed(path)).collect();
    assert_eq!(old.keys().collect::<Vec<_>>(), kept.keys().collect::<Vec<_>>());
    assert!(old == kept, "the bytes of old dates changed");
    let verified = bench.succeeds(&["verify", "out"]).out;
    assert!(!verified.contains("0.1.0") && verified.contains("4 as-of dates"), "{verified}");
    assert!(String::from_utf8(bench.read("out/.rfmill")).unwrap().ends_with("\nformat = 2\n"));
    // Two nights on the trees of 0.1.0 are gone, and the dates are not.
    for date in ["2025-02-28", "2025-03-31"] {
        let said = bench.succeeds(&["run", "job.toml", "--as-of", date]).err;
        assert!(!said.contains("0.1.0"), "{said}");
        bench.verifies();
    }
    let old: BTreeMap<_, _> = tables(&bench).into_iter().filter(|(path, _)| kept.contains_key(path)).collect();
    assert!(old == kept, "the bytes of old dates changed");
    // What was taken over is vouched for.
    let path = bench.path("out/tables/customers/as_of=2024-03-31/part-000.parquet");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::write(path, bytes).unwrap();
    let ran = bench.rfmill(&["verify", "out"]);
    assert!(ran.code == 5 && ran.err.contains("as_of=2024-03-31/part-000.parquet was changed or damaged"), "{}", ran.err);
    assert!(ran.err.contains("compute it again with `rfmill run JOB --as-of 2024-03-31`"), "{}", ran.err);
}

/// What 0.1.0 requires of a record; where it is missing, that version ends with exit 5 before it writes.
#[test]
fn that_version_cannot_read_the_records_of_this_one() {
    let bench = bench();
    bench.runs();
    let newest = bench.visible().commits.pop().unwrap();
    let record: serde_json::Value = serde_json::from_slice(&bench.read(&format!("out/commits/{newest}"))).unwrap();
    for field in ["run_id", "job_name", "as_of", "manifest_sha256"] {
        assert!(record.get(field).is_none(), "{field}");
    }
}

#[test]
fn it_stays_as_it_is_until_its_own_job_commits() {
    let bench = bench();
    bench.edit("name = \"test\"", "name = \"other\"");
    bench.refuses(
        5,
        "error: out is the output of the job \"test\", not of \"other\"; give every job a folder of its own with output.path or --output, or run once with --adopt to make the folder that of this job.",
    );
    assert!(String::from_utf8(bench.read("out/.rfmill")).unwrap().ends_with("\nformat = 1\n"));
    bench.succeeds(&["run", "job.toml", "--adopt"]);
    bench.verifies();
}

#[test]
fn a_date_can_be_taken_out_of_it() {
    let bench = bench();
    bench.succeeds(&["drop", "out", "--as-of", "2024-06-30"]);
    bench.verifies();
    assert!(!tables(&bench).keys().any(|path| path.to_string_lossy().contains("2024-06-30")));
    let ran = bench.rfmill(&["drop", "out", "--as-of", "2024-06-30"]);
    assert_message(&ran, 2, "error: out shows no as-of date 2024-06-30; its last dates are: 2024-03-31, 2024-12-31.");
}
