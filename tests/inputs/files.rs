//! What stands in the place of files: pipes, sockets, links, folders, leftovers of writers, and hostile names.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rfmill::internals::job::{Overrides, parse, resolve};
use rfmill::internals::pipeline;
use rfmill::internals::progress::Progress;

use crate::fixture::{Bench, assert_message, ints, orders, orders_but, parquet_bytes};

/// Runs the job, which must be refused soon: nothing may wait for a writer that never comes.
#[track_caller]
fn refuses_soon(bench: &Bench, message: &str) {
    let mut child = bench.command(&["run", "job.toml", "--quiet"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > Duration::from_secs(10) {
            child.kill().unwrap();
            panic!("it waits");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_message(&child.wait_with_output().unwrap().into(), 4, message);
}

fn pipe(bench: &Bench, name: &str) {
    assert!(Command::new("mkfifo").arg(bench.path(name)).status().unwrap().success());
}

#[test]
fn pipes_and_sockets_are_refused_at_once() {
    let bench = Bench::with_run();
    pipe(&bench, "orders/b.parquet");
    refuses_soon(&bench, "error: orders/b.parquet is not a regular file; remove it from orders.path.");
    let bench = Bench::with_run();
    let _socket = UnixListener::bind(bench.path("orders/b.parquet")).unwrap();
    refuses_soon(&bench, "error: orders/b.parquet is not a regular file; remove it from orders.path.");
    // As a list of hashes, and as assignments.
    let bench = Bench::with_run();
    pipe(&bench, "list");
    bench.in_orders("manifest = \"list\"");
    refuses_soon(
        &bench,
        "error: cannot read the list of hashes list (orders.manifest): it is not a regular file; check the file and its permissions.",
    );
}

#[test]
fn links_lead_to_files_or_are_refused() {
    let bench = Bench::new();
    fs::rename(bench.path("orders/a.parquet"), bench.path("elsewhere")).unwrap();
    symlink("../elsewhere", bench.path("orders/a.parquet")).unwrap();
    bench.runs();
    let bench = Bench::with_run();
    symlink("b.parquet", bench.path("orders/b.parquet")).unwrap();
    refuses_soon(
        &bench,
        "error: cannot read orders/b.parquet: Too many levels of symbolic links (os error 40); check the path and its permissions.",
    );
    let bench = Bench::with_run();
    symlink("nowhere", bench.path("orders/b.parquet")).unwrap();
    refuses_soon(
        &bench,
        "error: cannot read orders/b.parquet: No such file or directory (os error 2); check the path and its permissions.",
    );
    // A link to the folder that it stands in does not hold the walk.
    let bench = Bench::new();
    symlink(".", bench.path("orders/again")).unwrap();
    bench.runs();
    assert_eq!(bench.table("ledger.parquet"), [["orders/a.parquet", "kept", "8", "858.53"]]);
}

/// Spark writes a folder where one asks for a file.
#[test]
fn a_folder_named_as_a_file_is_read_as_a_folder() {
    for path in ["orders", "orders/*.parquet", "orders/**/*.parquet"] {
        let bench = Bench::new();
        bench.parquet("orders/b.parquet/part-0.parquet", &orders());
        bench.write("orders/b.parquet/_SUCCESS", "");
        bench.edit("path = \"orders\"", &format!("path = \"{path}\""));
        bench.runs();
        assert_eq!(
            bench.table("ledger.parquet"),
            [["orders/a.parquet", "kept", "8", "858.53"], ["orders/b.parquet/part-0.parquet", "kept", "8", "858.53"]],
            "{path}"
        );
    }
}

/// What a job of Spark or Hadoop leaves when it is killed, or beside its files.
#[test]
fn leftovers_of_writers_are_passed_over() {
    for path in ["orders", "orders/*.parquet", "orders/**/*.parquet"] {
        let bench = Bench::new();
        bench.write("orders/_temporary/0/_temporary/attempt_0/part-0.parquet", "half a file");
        bench.write("orders/_SUCCESS", "");
        bench.write("orders/.a.parquet.crc", "crc");
        bench.write("orders/.part-0.parquet.inprogress.1", "half a file");
        bench.write("orders/b.parquet._COPYING_", "half a file");
        bench.write("orders/_committed_123", "{}");
        bench.write("orders/_spark_metadata/0", "v1");
        bench.edit("path = \"orders\"", &format!("path = \"{path}\""));
        bench.runs();
        assert_eq!(bench.table("ledger.parquet"), [["orders/a.parquet", "kept", "8", "858.53"]], "{path}");
    }
}

#[test]
fn hostile_file_names_are_read_and_shown_harmlessly() {
    let long = format!("{}.parquet", "l".repeat(247));
    let names: [&[u8]; 9] = [
        b"-rf.parquet",
        b"new\nline.parquet",
        b"\x1b[31mred\x07.parquet",
        b"not-utf-8-\xff\xfe.parquet",
        b"%2F..%2Fx%00.parquet",
        b"$(reboot) `id`;'\".parquet",
        b"<script>alert(1)<b>\\.parquet",
        "\u{202e}txt.parquet".as_bytes(),
        long.as_bytes(),
    ];
    let bench = Bench::new();
    for name in names {
        fs::write(bench.path("orders").join(OsStr::from_bytes(name)), parquet_bytes(&orders())).unwrap();
    }
    let ran = bench.runs();
    let harmless = |text: &str| text.chars().all(|c| !c.is_control() || c == '\n');
    assert!(harmless(&ran.err) && harmless(&ran.out), "{:?}", ran.err);
    let rows: u64 = bench.table("ledger.parquet").iter().map(|row| row[2].parse::<u64>().unwrap()).sum();
    assert_eq!(rows, 8 * (1 + names.len() as u64));
    let manifest: serde_json::Value = serde_json::from_slice(&bench.read("out/latest/manifest.json")).unwrap();
    assert_eq!(manifest["inputs"].as_array().unwrap().len(), 1 + names.len());
    let page = String::from_utf8(bench.read("out/latest/report/index.html")).unwrap();
    assert!(!page.contains("<script>alert") && !page.contains('\u{1b}'));
    let log = bench.succeeds(&["run", "job.toml", "--log-format", "json", "--as-of", "2024-12-30"]);
    for line in log.err.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    // An error names each on one line.
    for name in names {
        let path = bench.path("orders").join(OsStr::from_bytes(name));
        fs::write(&path, "no Parquet").unwrap();
        let ran = bench.rfmill(&["run", "job.toml", "--quiet"]);
        assert_eq!((ran.code, ran.err.lines().count()), (4, 1), "{}", ran.err);
        assert!(harmless(&ran.err), "{:?}", ran.err);
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_folder_that_cannot_be_listed_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::with_run();
    fs::create_dir(bench.path("orders/closed")).unwrap();
    fs::set_permissions(bench.path("orders/closed"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read_dir(bench.path("orders/closed")).is_ok() {
        eprintln!("skipped: this user may read everything");
    } else {
        bench.refuses(4, "error: cannot list the folder orders/closed: Permission denied (os error 13); check its permissions.");
    }
    fs::set_permissions(bench.path("orders/closed"), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Does something to the folder when a step begins.
struct At<'a> {
    step: &'static str,
    change: &'a (dyn Fn() + Sync),
}

impl Progress for At<'_> {
    fn begin(&self, step: &'static str, _: u64) {
        if step == self.step {
            (self.change)();
        }
    }
    fn advance(&self, _: u64) {}
    fn end(&self, _: &str) {}
    fn warn(&self, _: &str) {}
}

/// Writes other customers into the orders, in place and with size and time of modification as before.
fn restate(bench: &Bench) {
    let path = bench.path("orders/a.parquet");
    let (before, stat) = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap());
    let bytes = parquet_bytes(&orders_but("customer_id", ints([1, 1, 2, 2, 3, 4, 4, 6])));
    assert!(bytes.len() == before.len() && bytes != before);
    let mut file = fs::File::options().write(true).open(&path).unwrap();
    file.write_all(&bytes).unwrap();
    file.set_modified(stat.modified().unwrap()).unwrap();
}

/// The time of the last change cannot be set back, so it tells.
#[test]
fn a_file_restated_with_its_size_and_time_is_another_run() {
    let bench = Bench::new();
    let first = bench.runs();
    assert!(bench.runs().err.contains("already computed"));
    restate(&bench);
    let again = bench.runs();
    assert!(!again.err.contains("already computed") && first.code == 0, "{}", again.err);
    let ids = |rows: Vec<Vec<String>>| rows.into_iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    assert_eq!(ids(bench.table("customers/as_of=2024-12-31/part-000.parquet")), ["1", "2", "3", "4", "6"]);
}

/// Where a list tells the content, a file that is written again with the same bytes is the same.
#[test]
fn a_file_of_known_content_may_be_written_again() {
    let bench = Bench::new();
    bench.in_orders("manifest = \"SHA256SUMS\"");
    let hash = rfmill::internals::hash::sha256(&bench.read("orders/a.parquet"));
    bench.write("SHA256SUMS", format!("{hash}  orders/a.parquet\n"));
    bench.runs();
    let (path, bytes) = (bench.path("orders/a.parquet"), bench.read("orders/a.parquet"));
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert!(bench.runs().err.contains("already computed"));
}

/// Before the rows are read, a file that is opened again is another one; after that, the end of the run finds it.
#[test]
fn a_file_that_changes_during_the_run_is_refused() {
    let changes: [(&str, fn(&Bench)); 6] = [
        ("changed in place, with size and time as before", restate),
        ("replaced by a file of the same size and time", |bench| {
            let path = bench.path("orders/a.parquet");
            let time = fs::metadata(&path).unwrap().modified().unwrap();
            fs::write(bench.path("new"), parquet_bytes(&orders_but("customer_id", ints([1, 1, 2, 2, 3, 4, 4, 6])))).unwrap();
            fs::File::options().write(true).open(bench.path("new")).unwrap().set_modified(time).unwrap();
            fs::rename(bench.path("new"), path).unwrap();
        }),
        ("appended to", |bench| {
            let mut file = fs::File::options().append(true).open(bench.path("orders/a.parquet")).unwrap();
            file.write_all(b"more").unwrap();
        }),
        ("cut off", |bench| {
            fs::File::options().write(true).open(bench.path("orders/a.parquet")).unwrap().set_len(20).unwrap();
        }),
        ("removed", |bench| fs::remove_file(bench.path("orders/a.parquet")).unwrap()),
        ("replaced by a pipe", |bench| {
            fs::remove_file(bench.path("orders/a.parquet")).unwrap();
            pipe(bench, "orders/a.parquet");
        }),
    ];
    for (what, change) in changes {
        // Hashes that were right when the run began do not hide it.
        for (step, is_verified) in [("reading orders", false), ("scoring", false), ("scoring", true)] {
            let bench = Bench::with_run();
            if is_verified {
                let hash = rfmill::internals::hash::sha256(&bench.read("orders/a.parquet"));
                bench.write("SHA256SUMS", format!("{hash}  orders/a.parquet\n"));
                bench.in_orders("manifest = \"SHA256SUMS\"");
            }
            let before = bench.visible();
            let (raw, source) = parse::load(&bench.path("job.toml"), &[]).unwrap();
            let job = resolve(raw, source, &Overrides::default()).unwrap();
            let progress = At { step, change: &|| change(&bench) };
            let error = pipeline::run(&job, &progress).expect_err(what);
            assert_eq!(error.kind().exit_code(), 4, "{what} at {step}: {error}");
            assert!(error.to_string().contains("orders/a.parquet"), "{what} at {step}: {error}");
            assert_eq!(bench.visible(), before, "{what} at {step}");
        }
    }
}
