//! What is read from a store is what would be read from a disk.

use std::path::Path;

use super::server::{BUCKET, Store};
use crate::fixture::{Bench, Ran, decimals, ints, orders, orders_but, parquet_bytes, texts};
use crate::support::run::{files_below, read_file};

/// The files of a bench below some folders as objects, keyed by their paths.
pub fn objects(bench: &Bench, folders: &[&str]) -> Vec<(String, Vec<u8>)> {
    let root = bench.path("");
    let below = folders.iter().flat_map(|folder| files_below(&root.join(folder)));
    let key = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    below.map(|path| (key(&path), std::fs::read(&path).unwrap())).collect()
}

/// The program with these arguments, told of the store.
pub fn rfmill(bench: &Bench, store: &Store, arguments: &[&str]) -> Ran {
    Ran::from(store.told(&mut bench.command(arguments)).output().unwrap())
}

#[track_caller]
pub fn runs(bench: &Bench, store: &Store) -> Ran {
    let ran = rfmill(bench, store, &["run", "job.toml", "--quiet"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    ran
}

/// A job over orders in folders by region, customers, assignments and a list of hashes.
fn whole() -> Bench {
    let bench = Bench::empty();
    for (folder, first) in [("region=EU", 1), ("region=US", 11)] {
        let mut columns = orders();
        columns.retain(|(name, _)| *name != "customer_id");
        columns.push(("customer_id", ints((first..first + 8).map(|id| Some(id / 2)))));
        bench.parquet(&format!("orders/{folder}/part-0.parquet"), &columns);
    }
    bench.parquet("orders/_temporary/x.parquet", &orders());
    bench.write("orders/notes.txt", "not read");
    bench
        .parquet("crm/people.parquet", &[("customer_id", ints([1, 2, 3, 4])), ("city", texts(["Bonn", "Rome", "Bonn", "Oslo"]))]);
    let line = |id: i64| format!("{id},{},2024-06-30\n", if id % 2 == 0 { "control" } else { "mail" });
    bench.write("arms/a.csv", "customer_id,arm,assigned_on\n".to_owned() + &(0..10).map(line).collect::<String>());
    let hash = |name: &str| format!("{}  {name}\n", rfmill::internals::hash::sha256(&bench.read(&format!("orders/{name}"))));
    bench.write("orders/SHA256SUMS", hash("region=EU/part-0.parquet") + &hash("region=US/part-0.parquet"));
    bench.write(
        "job.toml",
        r#"name = "test"
[orders]
path = "{at}orders"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
slice = "region"
manifest = "{at}orders/SHA256SUMS"
[customers]
path = "{at}crm/*.parquet"
customer_id = "customer_id"
dimensions = ["city"]
[periods]
as_of = [2024-06-30, 2024-12-31]
[[strategy]]
name = "mail"
design = "randomised"
assignments = "{at}arms/a.csv"
control = "control"
slice = "EU"
split = { control = 0.5, mail = 0.5 }
[output]
path = "out"
"#,
    );
    bench
}

/// Puts the data of the job into a place.
fn at(bench: &Bench, place: &str) {
    let text = String::from_utf8(bench.read("job.toml")).unwrap().replace("{at}", place);
    bench.write("job.toml", text);
}

#[test]
fn every_table_is_the_same_bytes() {
    let (local, remote) = (whole(), whole());
    at(&local, "");
    local.runs();
    let store = Store::with(objects(&remote, &["orders", "crm", "arms"]));
    at(&remote, &format!("s3://{BUCKET}/"));
    ["orders", "crm", "arms"].iter().for_each(|folder| std::fs::remove_dir_all(remote.path(folder)).unwrap());
    let ran = rfmill(&remote, &store, &["run", "job.toml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("passed over"), "{}", ran.err);
    // The ledger names files as the job does.
    let tables = |bench: &Bench| {
        let tables = bench.table_hashes("out");
        tables.as_array().unwrap().iter().filter(|table| table["name"] != "ledger").cloned().collect::<Vec<_>>()
    };
    assert_eq!(tables(&remote), tables(&local));
    assert!(tables(&local).len() > 10);
    let again = rfmill(&remote, &store, &["run", "job.toml"]);
    assert!(again.err.contains("already") || again.out.contains("already"), "{}{}", again.out, again.err);
}

/// Size, time and footer are the same: only the tag tells.
#[test]
fn an_object_that_was_put_again_is_another() {
    let with = |amounts: [i128; 8]| {
        let columns = orders_but("amount", decimals(2, amounts));
        parquet_bytes(&columns)
    };
    let (before, now) = (with([1, 2, 3, 4, 5, 6, 7, 8]), with([1, 3, 2, 4, 5, 6, 7, 8]));
    let footer = |bytes: &[u8]| bytes[bytes.len() - 200..].to_vec();
    assert!(before != now && before.len() == now.len() && footer(&before) == footer(&now));
    let bench = Bench::new();
    bench.edit("path = \"orders\"", "path = \"s3://shop/orders\"");
    let store = Store::with([("orders/a.parquet".to_owned(), before)]);
    runs(&bench, &store);
    let first = bench.visible().latest;
    store.put("orders/a.parquet", now);
    runs(&bench, &store);
    assert_ne!(bench.visible().latest, first);
    let changed = read_file(&bench.path("out/tables/restatements/as_of=2024-12-31/restatements.parquet"));
    let named: Vec<String> = changed.rows.iter().map(|row| format!("{row:?}")).collect();
    assert!(named.iter().all(|row| row.contains("s3://shop/orders/a.parquet")) && !named.is_empty(), "{named:?}");
}

#[test]
fn places_are_found_as_paths_are() {
    let file = || parquet_bytes(&orders());
    let keys =
        ["a/x.parquet", "a/y.parquet", "a/b/z.parquet", "a/.hidden.parquet", "a/part.parquet/0.parquet", "a/part.parquet/_x"];
    let store = Store::with(keys.map(|key| (key.to_owned(), file())));
    for (path, files) in [
        ("s3://shop/a/x.parquet", vec!["a/x.parquet"]),
        ("s3://shop/a", vec!["a/b/z.parquet", "a/part.parquet/0.parquet", "a/x.parquet", "a/y.parquet"]),
        ("s3a://shop/a/", vec!["a/b/z.parquet", "a/part.parquet/0.parquet", "a/x.parquet", "a/y.parquet"]),
        ("s3://shop/a/*.parquet", vec!["a/part.parquet/0.parquet", "a/x.parquet", "a/y.parquet"]),
        ("s3://shop/*/[xy].parquet", vec!["a/x.parquet", "a/y.parquet"]),
        ("s3://shop/**/z.parquet", vec!["a/b/z.parquet"]),
        ("s3://shop/a/?.parquet\", \"s3://shop/a/x.parquet", vec!["a/x.parquet", "a/y.parquet"]),
    ] {
        let bench = Bench::new();
        bench.edit("path = \"orders\"", &format!("path = [\"{path}\"]"));
        runs(&bench, &store);
        let read: Vec<String> = bench.table("ledger.parquet").into_iter().map(|row| row[0].clone()).collect();
        let read: Vec<&str> = read.iter().map(|name| name.split_once("//shop/").unwrap().1).collect();
        assert_eq!(read, files, "{path}");
    }
}

#[test]
fn little_more_than_the_needed_columns_is_read() {
    // Wide rows of which three columns are needed, in several row groups.
    let bench = Bench::new();
    let rows = 200_000;
    let mut columns = vec![
        ("customer_id", ints((0..rows).map(|n| Some(n * 7919 % 5000)))),
        (
            "ordered_at",
            crate::fixture::dates((0..rows).map(|n| Some(["2024-01-05", "2024-03-07", "2024-06-11"][n as usize % 3]))),
        ),
        ("amount", crate::fixture::decimals(2, (0..rows).map(|n| Some(i128::from(n * 31 % 9973))))),
    ];
    for name in ["w1", "w2", "w3", "w4"] {
        columns.push((name, ints((0..rows).map(|n| Some(n.wrapping_mul(2_654_435_761) ^ (n << 40))))));
    }
    bench.parquet("orders/a.parquet", &columns);
    let reader =
        parquet::file::reader::SerializedFileReader::new(std::fs::File::open(bench.path("orders/a.parquet")).unwrap()).unwrap();
    let metadata = parquet::file::reader::FileReader::metadata(&reader);
    let needed = |name: &str| ["customer_id", "ordered_at", "amount"].contains(&name);
    let chunks = metadata.row_groups().iter().flat_map(|group| group.columns());
    let needed: i64 = chunks.filter(|chunk| needed(chunk.column_descr().name())).map(|chunk| chunk.compressed_size()).sum();
    let store = Store::with(objects(&bench, &["orders"]));
    bench.edit("path = \"orders\"", "path = \"s3://shop/orders\"");
    runs(&bench, &store);
    let requests = store.requests();
    let sent: u64 = requests.iter().map(|request| request.sent).sum();
    // The footer is read once, with what lies before it.
    let footer = 1 << 17;
    assert!(sent >= needed as u64 && sent as f64 <= 1.1 * needed as f64 + f64::from(footer + 8192), "{sent} bytes for {needed}");
    assert!(requests.iter().filter(|request| !request.key.is_empty() && request.method == "GET").all(|r| r.range.is_some()));
}
