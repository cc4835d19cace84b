//! The output folder after what people, crashes and other programs did to it: `verify` tells, and what it prints puts it right.

/// The files over all as-of dates.
mod dimensions;
/// Taking customers out of everything.
mod forget;
/// Which run `latest` names, and taking dates out.
mod latest;
/// An output that 0.1.0 wrote.
mod legacy;
/// Whose output it is, and what its records and marker may say.
mod owner;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rfmill::internals::job::{Overrides, parse, resolve};
use rfmill::internals::pipeline;
use rfmill::internals::progress::Progress;

use crate::fixture::Bench;

/// Runs as of March, June and December. The run of `latest` stays and the one before it: March lives on in `tables` alone.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.edit("path = \"out\"", "path = \"out\"\nkeep_runs = 1\nreport = []");
    for date in ["2024-03-31", "2024-06-30", "2024-12-31"] {
        bench.succeeds(&["run", "job.toml", "-q", "--as-of", date]);
    }
    bench.verifies();
    bench
}

/// The file of the last run that a link leads to.
fn file(bench: &Bench, name: &str) -> PathBuf {
    fs::canonicalize(bench.path(name)).unwrap()
}

#[track_caller]
fn is_told(bench: &Bench, sentence: &str) {
    let ran = bench.rfmill(&["verify", "out"]);
    assert_eq!(ran.code, 5, "{}{}", ran.out, ran.err);
    assert!(ran.err.starts_with("error[state]: ") && ran.err.ends_with(".\n") && ran.err.contains(sentence), "{}", ran.err);
}

/// It is told, and a plain run makes the very tables that were there.
#[track_caller]
fn is_put_right(bench: &Bench, sentence: &str, damage: impl FnOnce()) {
    let before = bench.visible();
    let hashes = bench.table_hashes("out");
    damage();
    is_told(bench, sentence);
    bench.succeeds(&["run", "job.toml", "-q"]);
    bench.verifies();
    assert_eq!(bench.visible().tables, before.tables);
    assert_eq!(bench.visible().latest, before.latest);
    assert_eq!(bench.table_hashes("out"), hashes);
}

#[test]
fn files_that_are_changed_or_missing_are_written_again() {
    let bench = bench();
    let part = "out/latest/customers/as_of=2024-12-31/part-000.parquet";
    is_put_right(&bench, "part-000.parquet was changed or damaged", || {
        let path = file(&bench, part);
        let mut bytes = fs::read(&path).unwrap();
        bytes[10] ^= 1;
        fs::write(path, bytes).unwrap();
    });
    is_put_right(&bench, "part-000.parquet is gone", || fs::remove_file(file(&bench, part)).unwrap());
    is_put_right(
        &bench,
        "manifest.json was changed or damaged after it was written; `rfmill verify out --repair` copies it from",
        || {
            fs::write(file(&bench, "out/latest/manifest.json"), "{}").unwrap();
        },
    );
    is_put_right(&bench, "manifest.json is gone", || fs::remove_file(file(&bench, "out/latest/manifest.json")).unwrap());
}

#[test]
fn links_that_lead_elsewhere_follow_the_commit_again() {
    let bench = bench();
    let (latest, tables) = (bench.path("out/latest"), bench.path("out/tables"));
    let replace = |link: &Path, target: &str| {
        fs::remove_file(link).unwrap();
        symlink(target, link).unwrap();
    };
    is_put_right(&bench, "out/latest does not point to", || replace(&latest, "runs/elsewhere"));
    is_put_right(&bench, "out/tables does not point to", || replace(&tables, ".tables/00000002"));
    is_put_right(&bench, "out/latest does not point to", || fs::remove_file(&latest).unwrap());
    is_put_right(&bench, "out/tables does not point to", || fs::remove_file(&tables).unwrap());
}

#[test]
fn tables_hold_what_was_committed_and_nothing_else() {
    let bench = bench();
    let folder = bench.path("out/tables/customers/as_of=2024-12-31");
    is_put_right(&bench, "part-000.parquet is gone; `rfmill verify out --repair` copies it from out/", || {
        fs::remove_file(folder.join("part-000.parquet")).unwrap()
    });
    is_put_right(&bench, "does not hold exactly the files that were committed", || {
        fs::write(folder.join("part-9.parquet"), "x").unwrap()
    });
    // A copy is as good as a link, if it has the same content.
    let part = folder.join("part-000.parquet");
    let bytes = fs::read(&part).unwrap();
    fs::remove_file(&part).unwrap();
    fs::write(&part, &bytes).unwrap();
    bench.verifies();
    let stranger = bench.path("out/tables/customers/as_of=1999-12-31");
    fs::create_dir(&stranger).unwrap();
    is_told(&bench, "as_of=1999-12-31 is of no committed run; move it away.");
    fs::remove_dir(stranger).unwrap();
    bench.write("out/latest/customers/as_of=2024-12-31/extra.parquet", "x");
    is_told(&bench, "extra.parquet is no file of the run that it lies in; move it away.");
}

#[test]
fn a_run_without_a_commit_is_named_and_removed() {
    let bench = bench();
    bench.write("out/runs/0123456789abcdef/manifest.json", "{}");
    bench.write("out/runs/.staging-0123456789abcdef/customers/part", "x");
    let said = bench.succeeds(&["verify", "out"]).out;
    assert!(
        said.contains("; runs/.staging-0123456789abcdef, runs/0123456789abcdef: being written, or left by a run that was killed"),
        "{said}"
    );
    bench.runs();
    assert_eq!(bench.visible().runs.len(), 2);
    assert!(!bench.succeeds(&["verify", "out"]).out.contains("killed"));
}

#[test]
fn a_folder_in_the_place_of_a_link_is_found_before_the_orders_are_read() {
    let bench = bench();
    fs::remove_file(bench.path("out/latest")).unwrap();
    bench.write("out/latest/mine", "mine");
    bench.write("orders/broken.parquet", "no Parquet at all");
    let ran = bench.rfmill(&["run", "job.toml", "-q"]);
    crate::fixture::assert_message(
        &ran,
        6,
        "error: out/latest is no link of rfmill but something else; move it away or choose another --output.",
    );
    assert_eq!(bench.read("out/latest/mine"), b"mine");
}

/// Panics in one of the threads that write.
struct Stumbling(AtomicBool);

impl Progress for Stumbling {
    fn begin(&self, step: &'static str, _total: u64) {
        self.0.store(step == "writing customers", Ordering::SeqCst);
    }
    fn advance(&self, _amount: u64) {
        assert!(!self.0.load(Ordering::SeqCst), "a worker stumbles");
    }
    fn end(&self, _detail: &str) {}
    fn warn(&self, _message: &str) {}
}

#[test]
fn a_panic_in_a_thread_publishes_nothing_and_frees_the_output() {
    let bench = bench();
    let before = bench.visible();
    let (raw, source) = parse::load(&bench.path("job.toml"), &[]).unwrap();
    let as_of = Some(rfmill::internals::domain::Day(20_000));
    let job = resolve(raw, source, &Overrides { as_of, ..Overrides::default() }).unwrap();
    let stumbling = Stumbling(AtomicBool::new(false));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pipeline::run(&job, &stumbling)));
    assert!(outcome.is_err(), "the panic reaches the command, which ends with exit 1");
    assert_eq!(bench.visible(), before);
    assert!(!fs::read_dir(bench.path("out/runs")).unwrap().any(|e| e.unwrap().file_name().to_string_lossy().starts_with('.')));
    bench.runs();
}
