//! Which files count: each once however it is named, none of a table whose log decides, and none without a word.

use std::fs;
use std::os::unix::fs::symlink;

use crate::fixture::{Bench, orders};

/// Rows of the ledger: file, outcome, rows, money.
fn ledger(bench: &Bench) -> Vec<Vec<String>> {
    bench.runs();
    bench.table("ledger.parquet")
}

#[test]
fn a_file_counts_once_however_it_is_named() {
    let once = [["orders/a.parquet", "kept", "8", "858.53"]];
    for path in [
        "[\"orders/a.parquet\", \"./orders/a.parquet\", \"orders/../orders/a.parquet\"]",
        "[\"orders\", \"orders/*.parquet\"]",
        "[\"latest/*.parquet\", \"orders/*.parquet\"]",
        "[\"latest\", \"orders\"]",
        "[\"orders/**/*.parquet\", \"hard.parquet\", \"soft.parquet\"]",
    ] {
        let bench = Bench::new();
        symlink("orders", bench.path("latest")).unwrap();
        fs::hard_link(bench.path("orders/a.parquet"), bench.path("hard.parquet")).unwrap();
        symlink("orders/a.parquet", bench.path("soft.parquet")).unwrap();
        bench.edit("path = \"orders\"", &format!("path = {path}"));
        let rows = ledger(&bench);
        assert_eq!(
            (rows.len(), &rows[0][1..]),
            (1, &once[0][1..].iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..]),
            "{path}"
        );
    }
    // A folder that is linked into itself has its files under ever longer names.
    let bench = Bench::new();
    symlink(".", bench.path("orders/again")).unwrap();
    bench.edit("path = \"orders\"", "path = \"orders/**/*.parquet\"");
    assert_eq!(ledger(&bench), once);
    // Files of equal content are two.
    let bench = Bench::new();
    fs::copy(bench.path("orders/a.parquet"), bench.path("orders/b.parquet")).unwrap();
    assert_eq!(ledger(&bench).len(), 2);
}

#[test]
fn side_tables_and_assignments_count_once_too() {
    let bench = Bench::new();
    let crm = [("customer_id", crate::fixture::ints([1, 2, 3])), ("age", crate::fixture::ints([30, 40, 50]))];
    bench.parquet("crm/a.parquet", &crm);
    symlink("crm", bench.path("crm_latest")).unwrap();
    bench.append("[customers]\npath = [\"crm\", \"crm_latest/*.parquet\"]\ncustomer_id = \"customer_id\"");
    // A customer who stands twice is refused.
    bench.runs();
}

#[test]
fn tables_with_a_log_are_refused_by_name() {
    let logs: [(&str, &str, &[&str]); 4] = [
        ("Delta", "_delta_log", &["_delta_log/00000000000000000000.json"]),
        ("Iceberg", "metadata", &["metadata/00000-1.metadata.json"]),
        ("Hudi", ".hoodie", &[".hoodie/hoodie.properties"]),
        ("Paimon", "snapshot", &["snapshot/snapshot-1", "manifest/manifest-list-0", "schema/schema-0"]),
    ];
    for (format, log, files) in logs {
        for (path, file) in [
            ("shop", "shop/data/day=1/part-0.parquet"),
            ("shop/data", "shop/data/day=1/part-0.parquet"),
            ("shop/**/*.parquet", "shop/data/day=1/part-0.parquet"),
            ("shop/data/day=1/part-0.parquet", "shop/data/day=1/part-0.parquet"),
            ("linked", "linked/part-0.parquet"),
        ] {
            let bench = Bench::with_run();
            bench.parquet("shop/data/day=1/part-0.parquet", &orders());
            files.iter().for_each(|file| bench.write(&format!("shop/{file}"), "{}"));
            symlink("shop/data/day=1", bench.path("linked")).unwrap();
            bench.edit("path = \"orders\"", &format!("path = \"{path}\""));
            let next = match format {
                "Delta" | "Iceberg" => format!(
                    "only its log ({log}) says which of its files and rows count. Name the table instead: orders.path = {{ {} = \"…/shop\" }}.",
                    format.to_lowercase()
                ),
                _ => format!(
                    "only its log ({log}) says which of its files count, and rfmill does not read it. Write the table's current rows to Parquet files of their own and name these as orders.path."
                ),
            };
            bench.refuses(4, &format!("error: {file} lies in the {format} table …/shop: {next}"));
        }
    }
    // Folders that only bear such names.
    let bench = Bench::new();
    bench.write("metadata/readme.txt", "of the shop");
    fs::create_dir(bench.path("snapshot")).unwrap();
    bench.runs();
}

#[test]
fn places_that_are_no_paths_are_refused_by_name() {
    for (path, message) in [
        (
            "hdfs://node/orders",
            "error: orders.path names hdfs://node/orders, and rfmill does not read hdfs://; expected a path, or a place that begins with s3://, gs:// or az://: copy or mount the files.",
        ),
        (
            "abfss://lake@shop.dfs.core.windows.net/*.parquet",
            "error: orders.path names abfss://lake@shop.dfs.core.windows.net/*.parquet, and rfmill does not read abfss://; expected a path, or a place that begins with s3://, gs:// or az://: copy or mount the files.",
        ),
        (
            "file:///data/orders.parquet",
            "error: orders.path names file:///data/orders.parquet; expected a path: write it without file://.",
        ),
    ] {
        let bench = Bench::with_run();
        bench.edit("path = \"orders\"", &format!("path = \"{path}\""));
        bench.refuses(4, message);
    }
    let bench = Bench::with_run();
    bench.edit("path = \"out\"", "path = \"hdfs://shop/out\"");
    bench.refuses(2, "error: job.toml, line 13, column 8: output.path is hdfs://shop/out, and rfmill does not write to hdfs://; expected a folder on a disk of this machine, or a place that begins with s3://, gs:// or az://.");
}

#[test]
fn files_that_are_passed_over_are_told() {
    let bench = Bench::new();
    let bytes = bench.read("orders/a.parquet");
    bench.write("orders/SHOUT.PARQUET", &bytes);
    bench.write("orders/b.parquet.snappy", &bytes);
    bench.write("orders/old/c.pq", &bytes);
    bench.write("orders/readme.txt", "about the orders");
    bench.write("orders/_SUCCESS", "");
    bench.write("orders/.a.parquet.crc", "crc");
    fs::create_dir(bench.path("elsewhere")).unwrap();
    symlink("../elsewhere", bench.path("orders/linked")).unwrap();
    let ran = bench.runs();
    let told = "5 files of the folder orders are passed over, since their names do not end in .parquet (\"SHOUT.PARQUET\", \"b.parquet.snappy\", \"c.pq\", …); 1 of them is a link to a folder: name that folder itself; 3 of them begin as Parquet files do: rename them, or name them by a glob";
    assert!(ran.err.contains(told), "{}", ran.err);
    assert!(bench.succeeds(&["check", "job.toml"]).err.contains(told));
    // By a glob they are read.
    bench.edit("path = \"orders\"", "path = [\"orders\", \"orders/*.PARQUET\", \"orders/*.snappy\", \"orders/**/*.pq\"]");
    bench.succeeds(&["run", "job.toml"]);
    assert_eq!(bench.table("ledger.parquet").len(), 4);
    // Alone they are no reason to say that there is nothing.
    let bench = Bench::empty();
    bench.write("job.toml", crate::fixture::JOB);
    bench.write("orders/a.pq", &bytes);
    bench.refuses(4, "error: the folder orders holds no Parquet file; expected files ending in .parquet (names that begin with \".\" or \"_\" are passed over); 1 file of the folder orders is passed over, since its name does not end in .parquet (\"a.pq\"); it begins as Parquet files do: rename it, or name it by a glob.");
}
