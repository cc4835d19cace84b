//! Inputs that are large inside and small outside, and many small ones.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Date32Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::fixture::{Bench, PROGRAM, orders, parquet_bytes};

/// Writes rows of one day and one unit of money each, and so many of one customer after the other.
fn row_bomb(path: &Path, rows: usize, of_one: usize) {
    let step = rows.min(1 << 22);
    let batch = RecordBatch::try_from_iter([
        (
            "customer_id",
            Arc::new(Int64Array::from_iter_values((0..step).map(|row| (row / of_one) as i64))) as arrow::array::ArrayRef,
        ),
        ("ordered_at", Arc::new(Date32Array::from(vec![19_900; step]))),
        ("amount", Arc::new(Int64Array::from(vec![1; step]))),
    ])
    .unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(None).build();
    let mut writer = ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    for _ in 0..rows / step {
        writer.write(&batch).unwrap();
    }
    writer.close().unwrap();
}

/// Runs the job with a shell's limits; returns wall seconds and peak memory in bytes.
fn limited(bench: &Bench, limits: &str) -> (f64, u64) {
    let began = Instant::now();
    let script = format!("{limits} exec {PROGRAM} run job.toml --quiet");
    let output = Command::new("sh").args(["-c", &script]).current_dir(bench.path(".")).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    let seconds = began.elapsed().as_secs_f64();
    let manifest: serde_json::Value = serde_json::from_slice(&bench.read("out/latest/manifest.json")).unwrap();
    (seconds, manifest["peak_memory_bytes"].as_u64().unwrap_or(0))
}

#[test]
fn a_row_bomb_is_read() {
    let bench = Bench::new();
    row_bomb(&bench.path("orders/a.parquet"), 1 << 22, 1 << 22);
    assert!(fs::metadata(bench.path("orders/a.parquet")).unwrap().len() < 100_000);
    limited(&bench, "");
    assert_eq!(bench.table("ledger.parquet"), [["orders/a.parquet", "kept", "4194304", "4194304.00"]]);
}

/// More than 2^32 rows: 65 copies of a file of 2^26 rows. They are of many customers: the orders of one must fit into
/// memory together.
#[test]
#[ignore = "takes minutes"]
fn more_than_four_billion_rows_are_counted() {
    let bench = Bench::empty();
    bench.write("job.toml", crate::fixture::JOB.replace("amount = \"amount\"\n", "amount = \"amount\"\namount_scale = 0\n"));
    fs::create_dir(bench.path("orders")).unwrap();
    row_bomb(&bench.path("orders/00.parquet"), 1 << 26, 1 << 10);
    let bytes = fs::metadata(bench.path("orders/00.parquet")).unwrap().len();
    for number in 1..65 {
        fs::copy(bench.path("orders/00.parquet"), bench.path(&format!("orders/{number:02}.parquet"))).unwrap();
    }
    let (seconds, peak) = limited(&bench, "");
    println!("65 x 2^26 rows in {bytes} bytes: {seconds:.0} s, peak {} MiB", peak >> 20);
    let rows: u64 = bench.table("ledger.parquet").iter().map(|row| row[2].parse::<u64>().unwrap()).sum();
    assert_eq!(rows, 65 << 26);
    let segments = bench.table("segments.parquet");
    let orders = segments.iter().filter(|row| row[4] == "segment").map(|row| row[8].parse::<u64>().unwrap());
    assert_eq!(orders.sum::<u64>(), 65 << 26);
}

fn many_files(count: usize) -> Bench {
    let bench = Bench::empty();
    bench.write("job.toml", crate::fixture::JOB);
    let file = parquet_bytes(&orders());
    bench.write("orders/0.parquet", &file);
    // Of their own, since hard links have a limit on some file systems.
    for number in 1..count {
        fs::write(bench.path(&format!("orders/{number}.parquet")), &file).unwrap();
    }
    bench
}

#[test]
fn many_files_need_few_descriptors() {
    let bench = many_files(500);
    limited(&bench, "ulimit -n 64 &&");
    assert_eq!(bench.table("ledger.parquet").len(), 500);
}

#[test]
#[ignore = "takes a minute"]
fn five_thousand_files_need_few_descriptors() {
    let bench = many_files(5_000);
    limited(&bench, "ulimit -n 64 &&");
    assert_eq!(bench.table("ledger.parquet").len(), 5_000);
}

#[test]
#[ignore = "takes minutes"]
fn a_hundred_thousand_files_need_few_descriptors() {
    let bench = many_files(100_000);
    let (seconds, peak) = limited(&bench, "ulimit -n 64 &&");
    println!("100,000 files with 64 descriptors: {seconds:.0} s, peak {} MiB", peak >> 20);
    assert_eq!(bench.table("ledger.parquet").len(), 100_000);
}

/// 3 GiB of strings in one column of one row group.
#[test]
#[ignore = "takes a minute"]
fn three_gigabytes_of_strings_are_read() {
    let bench = Bench::new();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(None)
        .set_max_row_group_bytes(None)
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .build();
    let rows = 3_072;
    let mut writer = None;
    for start in (0..rows).step_by(64) {
        let notes: Vec<String> = (start..start + 64).map(|n| format!("{n:08}{}", "x".repeat((1 << 20) - 8))).collect();
        let batch = RecordBatch::try_from_iter([
            ("customer_id", Arc::new(Int64Array::from_iter_values(start..start + 64)) as arrow::array::ArrayRef),
            ("ordered_at", Arc::new(Date32Array::from(vec![19_900; 64]))),
            ("amount", Arc::new(Int64Array::from(vec![1; 64]))),
            ("note", Arc::new(StringArray::from(notes))),
        ])
        .unwrap();
        let writer = writer.get_or_insert_with(|| {
            let file = fs::File::create(bench.path("orders/a.parquet")).unwrap();
            ArrowWriter::try_new(file, batch.schema(), Some(properties.clone())).unwrap()
        });
        writer.write(&batch).unwrap();
    }
    writer.unwrap().close().unwrap();
    bench.append("[[orders.keep]]\ncolumn = \"note\"\nmatches = \"^0000\"");
    let (seconds, peak) = limited(&bench, "");
    println!("3 GiB of strings: {seconds:.0} s, peak {} MiB", peak >> 20);
    assert_eq!(bench.table("ledger.parquet"), [["orders/a.parquet", "kept", "3072", "3072.00"]]);
    assert!(peak < 2 << 30, "{peak}");
}

/// Every Parquet file below the folder `RFMILL_CORPUS`: read whole or refused, one line each.
#[test]
#[ignore = "needs files"]
fn a_corpus_is_read_or_refused() {
    use rfmill::internals::input::{files, read_all, source::Source};
    let Ok(folder) = std::env::var("RFMILL_CORPUS") else {
        println!("skipped: RFMILL_CORPUS names no folder");
        return;
    };
    let inputs = files::find(&[(folder.clone(), folder.into())], "RFMILL_CORPUS").unwrap().files;
    let (mut read, mut refused) = (0, 0);
    for input in inputs {
        let name = input.name.clone();
        match Source::open(input, None).and_then(|source| read_all(&source)) {
            Ok(_) => read += 1,
            Err(error) => {
                refused += 1;
                println!("{name}: exit {}: {error}", error.kind().exit_code());
                assert!([3, 4, 7].contains(&error.kind().exit_code()));
            }
        }
    }
    println!("{read} files read, {refused} refused");
}

/// A read that fails in the middle is an error at once, wherever it is.
#[test]
fn a_disk_that_cannot_be_read_is_reported() {
    let bench = Bench::with_run();
    let before = bench.visible();
    let file = bench.path("orders/a.parquet").canonicalize().unwrap();
    let mut failed = 0;
    // Heads and footers are read by one call, columns by the other; calls are counted apart.
    for (call, number) in (1..9).flat_map(|number| [("pread64", number), ("read", number)]) {
        let output = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-P"])
            .arg(&file)
            .args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:error=EIO:when={number}+")])
            .args([PROGRAM, "run", "job.toml", "--quiet", "--threads", "1"])
            .args(["--output", &format!("out-{call}-{number}")])
            .current_dir(bench.path("."))
            .output();
        let Ok(output) = output else {
            println!("skipped: there is no strace");
            return;
        };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if said.contains("ptrace") {
            println!("skipped: {said}");
            return;
        }
        if output.status.success() {
            continue;
        }
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains("cannot read orders/a.parquet") && said.contains("os error 5"), "{said}");
        assert!(!bench.path(&format!("out-{call}-{number}/latest")).exists());
        failed += 1;
    }
    // Three reads of head and footer, three of columns.
    assert!(failed >= 6, "{failed} reads");
    assert_eq!(bench.visible(), before);
}
