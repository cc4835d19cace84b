//! Tables whose logs lie in a store.

use serde_json::{Value, json};

use super::reading::{objects, rfmill, runs};
use super::server::{Fault, Store};
use crate::fixture::Bench;
use crate::inputs::delta::{Lake, ROW_1, ROWS_0_2, SCHEMA, orders, remove, rows, without};
use crate::inputs::iceberg;

/// Copies the table `shop` of a bench into a store and has the job read it there.
fn moved(bench: &Bench) -> Store {
    let store = Store::with(objects(bench, &["shop"]));
    std::fs::remove_dir_all(bench.path("shop")).unwrap();
    let text = String::from_utf8(bench.read("job.toml")).unwrap();
    bench.write("job.toml", text.replace("= \"shop\"", "= \"s3://shop/shop\""));
    store
}

/// The tables of the last run but the ledger, which names files as the job does, with their hashes.
fn tables(bench: &Bench) -> Vec<Value> {
    bench.table_hashes("out").as_array().unwrap().iter().filter(|table| table["name"] != "ledger").cloned().collect()
}

/// A Delta table of three files, one of them removed, one with an inline deletion vector, one with a vector in a file.
fn delta() -> Lake {
    let mut lake = Lake::new(&SCHEMA, &[]);
    let all = orders();
    let gone = lake.file("gone.parquet", &all);
    let a = lake.file("day=1/a b.parquet", &rows(&all, &[0, 1, 2, 3]));
    lake.commit(&[gone, without(a, ROW_1, 1)]);
    let mut b = without(lake.file("b.parquet", &rows(&all, &[4, 5, 6, 7])), ROWS_0_2, 2);
    let vector = z85::decode(ROWS_0_2.1).unwrap();
    let length = (vector.len() as u32).to_be_bytes();
    let checksum = crc32fast::hash(&vector).to_be_bytes();
    lake.bench.write("shop/vectors.bin", [&[1], &length[..], &vector, &checksum[..]].concat());
    b["add"]["deletionVector"]["storageType"] = json!("p");
    b["add"]["deletionVector"]["pathOrInlineDv"] = json!("vectors.bin");
    b["add"]["deletionVector"]["offset"] = json!(1);
    lake.commit(&[remove("gone.parquet"), b]);
    lake
}

#[test]
fn a_delta_table_has_the_same_rows_in_a_store() {
    let (local, remote) = (delta(), delta());
    local.bench.runs();
    assert_eq!(local.bench.table("ledger.parquet").iter().map(|row| row[2].parse::<u64>().unwrap()).sum::<u64>(), 5);
    let store = moved(&remote.bench);
    runs(&remote.bench, &store);
    assert_eq!(tables(&remote.bench), tables(&local.bench));
    assert!(store.requests().iter().all(|request| !request.key.ends_with("gone.parquet")));
    let manifest: Value = serde_json::from_slice(&remote.bench.read("out/latest/manifest.json")).unwrap();
    let files: Vec<&str> = manifest["inputs"].as_array().unwrap().iter().map(|input| input["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["s3://shop/shop/b.parquet", "s3://shop/shop/day=1/a b.parquet"]);
    // Absolute names of the same objects, by another name of the scheme, are the same files.
    let mut absolute = delta();
    let add = without(absolute.file("b.parquet", &rows(&orders(), &[4, 5, 6, 7])), ROW_1, 1);
    let mut named = add.clone();
    named["add"]["path"] = json!("s3a://shop/shop/b.parquet");
    absolute.commit(&[named]).commit(&[json!({ "remove": add["add"] })]);
    let store = moved(&absolute.bench);
    runs(&absolute.bench, &store);
    assert_eq!(tables(&absolute.bench), tables(&local.bench));
}

/// What its metadata name by the folder that it had lies where it lies now.
#[test]
fn an_iceberg_table_has_the_same_rows_in_a_store() {
    let (local, remote) = (iceberg::lake(), iceberg::lake());
    local.runs();
    let store = moved(&remote);
    runs(&remote, &store);
    assert_eq!(tables(&remote), tables(&local));
    let newest = "s3://shop/shop/metadata/00107-by-hand.metadata.json";
    remote.edit("\"s3://shop/shop\"", &format!("\"{newest}\""));
    runs(&remote, &store);
    assert_eq!(tables(&remote), tables(&local));
    remote.edit(newest, "s3://shop/none");
    let ran = rfmill(&remote, &store, &["run", "job.toml"]);
    assert!(ran.code == 4 && ran.err.contains("there is no folder s3://shop/none; check orders.path"), "{}", ran.err);
}

#[test]
fn what_a_store_lacks_is_said() {
    let lake = delta();
    let store = moved(&lake.bench);
    let said = |message: &str| {
        let ran = rfmill(&lake.bench, &store, &["run", "job.toml"]);
        assert!(ran.code == 4 && ran.err.contains(message), "{message}\nis not in {}{}", ran.out, ran.err);
    };
    store.fail(|request| request.key.ends_with("b.parquet").then_some(Fault::Status(404, "NoSuchKey")));
    said("the Delta table s3://shop/shop (orders.path) has the file s3://shop/shop/b.parquet in version 2, which is gone");
    store.fail(|request| request.key.ends_with("1.json").then_some(Fault::Status(403, "AccessDenied")));
    said("s3://shop/shop/_delta_log/00000000000000000001.json cannot be read: the store denies it");
    store.fail(|request| request.key.is_empty().then_some(Fault::Status(403, "AccessDenied")));
    said("cannot read s3://shop/shop/_delta_log: AccessDenied: said by the store");
    store.fail(|_| None);
    lake.bench.edit("s3://shop/shop", "s3://shop/none");
    said("there is no folder s3://shop/none; check orders.path");
    lake.bench.edit("s3://shop/none", "s3://shop/shop/day=1");
    said("the folder s3://shop/shop/day=1 is no Delta table: it has no folder _delta_log");
}
