//! Stores that deny, throttle, lose and change things: each is repeated where that helps, or a sentence.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::reading::{objects, rfmill, runs};
use super::server::{Fault, Request, SECRET, Store};
use crate::fixture::{Bench, Ran, orders, parquet_bytes};

fn bench() -> (Bench, Store) {
    let bench = Bench::new();
    let store = Store::with(objects(&bench, &["orders"]));
    bench.edit("path = \"orders\"", "path = \"s3://shop/orders\"");
    (bench, store)
}

/// A refusal with exit 4 and these words, and nothing written or given away.
#[track_caller]
fn refused(bench: &Bench, ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    for word in words {
        assert!(ran.err.contains(word), "{word:?} is not in {}", ran.err);
    }
    assert!(!ran.err.contains(SECRET) && !ran.out.contains(SECRET), "{}", ran.err);
    assert_eq!(bench.visible().runs, Vec::<String>::new());
}

fn is_body(request: &Request) -> bool {
    request.method == "GET" && !request.key.is_empty()
}

#[test]
fn what_fails_once_is_asked_again() {
    for fault in [Fault::Status(503, "SlowDown"), Fault::Status(500, "InternalError"), Fault::Half] {
        let (bench, store) = bench();
        let failed = AtomicUsize::new(0);
        store.fail(move |request| (is_body(request) && failed.fetch_add(1, Ordering::Relaxed) < 2).then_some(fault));
        runs(&bench, &store);
        assert_eq!(bench.table("ledger.parquet")[0][2], "8", "{fault:?}");
    }
}

#[test]
fn what_is_denied_or_missing_is_said() {
    let (bench, store) = bench();
    store.fail(|_| Some(Fault::Status(403, "AccessDenied")));
    refused(
        &bench,
        &rfmill(&bench, &store, &["run", "job.toml"]),
        &["s3://shop/orders", "denies", "403", "check that the credentials"],
    );
    store.fail(|_| None);
    bench.edit("s3://shop/", "s3://other/");
    refused(&bench, &rfmill(&bench, &store, &["run", "job.toml"]), &["s3://other/orders", "there is no bucket other"]);
    bench.edit("s3://other/orders", "s3://shop/nothing");
    refused(
        &bench,
        &rfmill(&bench, &store, &["run", "job.toml"]),
        &["there is no object or folder s3://shop/nothing; check orders.path"],
    );
    bench.edit("s3://shop/nothing", "s3://shop/orders/*.csv");
    refused(
        &bench,
        &rfmill(&bench, &store, &["run", "job.toml"]),
        &["no object matches s3://shop/orders/*.csv; check orders.path"],
    );
    bench.edit("s3://shop/orders/*.csv", "s3://");
    refused(&bench, &rfmill(&bench, &store, &["run", "job.toml"]), &["names s3://, and no bucket"]);
    bench.edit("s3://", "hdfs://node/orders");
    refused(&bench, &rfmill(&bench, &store, &["run", "job.toml"]), &["rfmill does not read hdfs://", "s3://, gs:// or az://"]);
}

#[test]
fn an_object_that_changes_is_not_read_on() {
    for fault in [Fault::Replaced, Fault::ReplacedUnseen] {
        // The first question about the content, and a later one.
        for nth in [0, 1] {
            let (bench, store) = bench();
            let (asked, fired) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
            let fires = Arc::clone(&fired);
            store.fail(move |request| {
                let is_it = is_body(request) && asked.fetch_add(1, Ordering::Relaxed) == nth;
                fires.fetch_or(is_it, Ordering::Relaxed);
                is_it.then_some(fault)
            });
            let ran = rfmill(&bench, &store, &["run", "job.toml"]);
            assert!(fired.load(Ordering::Relaxed), "there is no request {nth}");
            refused(&bench, &ran, &["a.parquet changed while it was read; run again when its writer has finished"]);
        }
    }
    // After all was read, before the commit.
    let (bench, store) = bench();
    let heads = AtomicUsize::new(0);
    store.fail(move |request| {
        let is_last = request.method == "HEAD" && request.key == "orders/a.parquet" && heads.fetch_add(1, Ordering::Relaxed) == 2;
        is_last.then_some(Fault::Replaced)
    });
    refused(&bench, &rfmill(&bench, &store, &["run", "job.toml"]), &["a.parquet changed while it was read"]);
}

#[test]
fn tables_with_a_log_are_refused_in_stores_too() {
    let file = || parquet_bytes(&orders());
    for (log, format) in [
        ("t/_delta_log/00000000000000000000.json", "Delta"),
        ("t/.hoodie/hoodie.properties", "Hudi"),
        ("t/snapshot/SNAPSHOT-1", "Paimon"),
    ] {
        let mut files = vec![("t/day=1/a.parquet".to_owned(), file()), (log.to_owned(), b"{}".to_vec())];
        files.extend(["t/manifest/m", "t/schema/schema-0"].map(|name| (name.to_owned(), b"{}".to_vec())));
        let store = Store::with(files);
        let ways_on = match format {
            "Delta" => "files and rows count. Name the table instead: orders.path = { delta = \"s3://shop/t\" }.",
            _ => {
                "files count, and rfmill does not read it. Write the table's current rows to Parquet files of their own and name these as orders.path."
            }
        };
        for path in [
            "s3://shop/t",
            "s3://shop/t/day=1",
            "s3://shop/t/day=1/a.parquet",
            "s3://shop/t/*/*.parquet",
            "s3://shop/**/*.parquet",
        ] {
            let bench = Bench::new();
            bench.edit("path = \"orders\"", &format!("path = \"{path}\""));
            let ran = rfmill(&bench, &store, &["run", "job.toml"]);
            let log = log.split('/').nth(1).unwrap();
            refused(
                &bench,
                &ran,
                &[&format!("lies in the {format} table s3://shop/t: only its log ({log}) says which of its {ways_on}")],
            );
        }
    }
}

#[test]
fn without_a_store_the_sentence_says_what_to_check() {
    let (bench, store) = bench();
    let mut command = bench.command(&["run", "job.toml"]);
    // Nothing listens on this port; retries end soon, as nothing answers.
    store.told(&mut command).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    refused(&bench, &Ran::from(command.output().unwrap()), &["cannot read s3://shop/orders", "check the network and AWS_REGION"]);
}
