//! Runs that are killed at any moment, and inputs that change under a run.

use std::fs::{self, File};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::fixture::{Bench, JOB};

/// A job over some 200,000 sample orders.
fn large() -> Bench {
    let bench = Bench::empty();
    bench.succeeds(&["sample", "orders", "--orders", "200000", "--files", "4", "-q"]);
    bench.write("job.toml", JOB);
    bench
}

/// Kills a run at 40 moments spread over the time it takes, in no regular order. After every one the last committed run
/// is whole, and at the end a plain rerun makes the very tables that an undisturbed run makes.
#[test]
fn a_killed_run_leaves_the_last_one_whole() {
    let bench = large();
    let began = Instant::now();
    bench.succeeds(&["run", "job.toml", "-q", "--output", "undisturbed"]);
    let whole = began.elapsed();
    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-06-30"]);
    let before = fs::read_link(bench.path("out/latest")).unwrap();
    let (mut early, mut late) = (0, 0);
    let mut part = 0u32;
    for _ in 0..40 {
        // The golden ratio spreads the moments evenly, the last ones beyond the end of the run.
        part = (part + 618) % 1000;
        let mut run = bench.command(&["run", "job.toml", "-q"]).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * part / 900);
        run.kill().unwrap();
        let status = run.wait().unwrap();
        bench.succeeds_or_follows();
        let latest = fs::read_link(bench.path("out/latest")).unwrap();
        if latest == before {
            assert!(!status.success());
            early += 1;
        } else {
            late += 1;
            // Back to where only the earlier run is there.
            fs::remove_dir_all(bench.path("out")).unwrap();
            bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-06-30"]);
        }
    }
    println!("{early} runs were killed before their commit, {late} ended or had committed");
    assert!(early > 10, "the moments lie too late: {early} of 40");
    bench.runs();
    assert_eq!(bench.table_hashes("out"), bench.table_hashes("undisturbed"));
    let left: Vec<_> = bench.visible().runs.into_iter().filter(|n| n.starts_with('.')).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_killed_first_run_shows_nothing() {
    let bench = large();
    let mut run = bench.command(&["run", "job.toml", "-q"]).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while !bench.path("out/commits").exists() && began.elapsed() < Duration::from_secs(20) {
        std::thread::yield_now();
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(!bench.path("out/latest").exists());
    bench.refuses_command(&["verify", "out"], 5, "error: out holds no committed run; run the job again.");
    bench.runs();
}

#[test]
fn a_file_that_changes_under_the_run_is_refused() {
    let bench = large();
    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-06-30"]);
    let first = fs::read_dir(bench.path("orders")).unwrap().map(|e| e.unwrap().path()).min().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let file = File::options().append(true).open(&first).unwrap();
            let mut time = SystemTime::now();
            while !done.load(Ordering::Relaxed) {
                time += Duration::from_secs(1);
                file.set_modified(time).unwrap();
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let message = format!(
            "error: orders/{} changed while it was read; run again when its writer has finished.",
            first.file_name().unwrap().display()
        );
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| bench.refuses(4, &message)));
        done.store(true, Ordering::Relaxed);
        outcome.unwrap();
    });
    bench.runs();
}
