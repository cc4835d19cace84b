//! Runs in stages whose work place lies in a store.

use std::collections::BTreeMap;
use std::fs;

use rfmill::internals::hash::sha256;

use super::reading::rfmill;
use super::server::{Fault, Request, SECRET, Store};
use crate::fixture::{Bench, assert_message};

const IN_STAGES: [&str; 9] = ["run", "job.toml", "-q", "--part-rows", "2", "--shards", "3", "--work", "s3://shop/work"];

/// The hashes of the files of the tables of an output on a disk.
fn tables(bench: &Bench, output: &str) -> BTreeMap<String, String> {
    crate::support::run::table_hashes(&fs::canonicalize(bench.path(output).join("latest")).expect("a run"))
}

#[test]
fn stages_leave_their_objects_in_a_store_and_give_the_same_files() {
    let (bench, store) = (Bench::new(), Store::with([]));
    let alone = rfmill(&bench, &store, &["run", "job.toml", "-q", "--part-rows", "2", "--output", "alone"]);
    assert_eq!(alone.code, 0, "{}", alone.err);
    // Every seventh request is throttled, every eleventh loses its answer.
    let mut number = 0;
    store.fail(move |_| {
        number += 1;
        match () {
            () if number % 7 == 0 => Some(Fault::Status(503, "SlowDown")),
            () if number % 11 == 0 => Some(Fault::Unanswered),
            () => None,
        }
    });
    let ran = rfmill(&bench, &store, &[&IN_STAGES[..], &["--output", "staged"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(tables(&bench, "staged"), tables(&bench, "alone"));
    assert_eq!(store.keys(), Vec::<String>::new(), "the work place is left");
    assert!(!ran.err.contains(SECRET) && !ran.out.contains(SECRET));

    // With its output there, too: the store copies the files of parts.
    store.requests();
    let ran = rfmill(&bench, &store, &[&IN_STAGES[..], &["--output", "s3://shop/out"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let of_store: BTreeMap<String, String> = store
        .keys()
        .into_iter()
        .filter(|key| key.starts_with("out/runs/") && key.ends_with(".parquet"))
        .map(|key| (key.splitn(5, '/').last().unwrap().to_owned(), sha256(&store.get(&key).unwrap())))
        .collect();
    assert_eq!(of_store, tables(&bench, "alone"));
    let requests = store.requests();
    let of_parts = |request: &&Request| request.key.contains("/tables/customers/");
    let copied = requests.iter().filter(|request| request.method == "COPY").count();
    let read = requests.iter().filter(of_parts).filter(|request| request.method == "GET").count();
    assert!(copied > 3 && read == 0, "{copied} copied, {read} read");

    // One that cannot gets them through rfmill.
    store.fail(|request| (request.method == "COPY").then_some(Fault::Status(501, "NotImplemented")));
    let ran = rfmill(&bench, &store, &[&IN_STAGES[..], &["--output", "s3://shop/other"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let verified = rfmill(&bench, &store, &["verify", "s3://shop/other"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}

#[test]
fn a_work_place_whose_store_ignores_conditions_is_refused() {
    let (bench, store) = (Bench::new(), Store::with([]));
    store.fail(|_| Some(Fault::Unconditional));
    let ran = rfmill(&bench, &store, &[&IN_STAGES[..], &["--output", "staged"]].concat());
    assert_message(
        &ran,
        6,
        "error: the store of s3://shop/work replaced an object that was to be created only where there is none (If-None-Match: *), so tasks that run twice could mix; use a store that keeps this condition.",
    );
}
