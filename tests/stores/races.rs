//! An output in a store to which others write meanwhile, that refuses, or that was damaged.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;

use super::output::{bench, hashes, ids, json, night, seen, succeeds};
use super::reading::rfmill;
use super::server::{Fault, Store};
use crate::fixture::{Bench, assert_message};

/// Does something once, before a write to the key, or to one below it, is done.
fn once_before(store: &Arc<Store>, bench: &Arc<Bench>, key: &'static str, act: impl Fn(&Bench, &Store) + Send + 'static) {
    let (first, others) = (AtomicBool::new(true), (Arc::clone(bench), Arc::clone(store)));
    store.before_writes(move |request| {
        if request.key.starts_with(key) && first.swap(false, Ordering::Relaxed) {
            act(&others.0, &others.1);
        }
    });
}

fn shared() -> (Arc<Bench>, Arc<Store>) {
    let (bench, store) = bench();
    (Arc::new(bench), Arc::new(store))
}

/// The attempts at runs that lie there.
fn attempts(store: &Store) -> BTreeSet<String> {
    let keys = store.keys().into_iter().filter(|key| key.starts_with("out/runs/"));
    keys.map(|key| key.splitn(5, '/').take(4).collect::<Vec<_>>().join("/")).collect()
}

#[test]
fn the_number_of_a_commit_is_given_once() {
    let (bench, store) = shared();
    night(&bench, &store, "2024-06-30");
    let others = |bench: &Bench, store: &Store| {
        night(bench, store, "2024-07-31");
        night(bench, store, "2024-08-31");
    };
    // Whoever was overtaken builds on the last commit, and asks for no number that was given.
    once_before(&store, &bench, "out/runs/", others);
    store.requests();
    night(&bench, &store, "2024-12-31");
    let all = seen(&store).unwrap();
    assert_eq!((all.commit, all.dates.len()), (4, 4));
    let puts = store.requests().into_iter().filter(|request| request.method == "PUT" && request.key.starts_with("out/commits/"));
    assert_eq!(puts.map(|request| request.key).collect::<BTreeSet<_>>().len(), 3);
    // Where a record went meanwhile, nothing is known of it.
    once_before(&store, &bench, "out/runs/", |bench, store| {
        night(bench, store, "2024-09-30");
        night(bench, store, "2024-10-31");
        store.remove("out/commits/00000005.json");
    });
    let ran = rfmill(&bench, &store, &["run", "job.toml", "-q", "--as-of", "2024-11-30"]);
    assert_eq!(ran.code, 5, "{}", ran.err);
    assert!(ran.err.contains("s3://shop/out/commits/00000005.json cannot be read"), "{}", ran.err);
    let after = seen(&store).unwrap();
    assert_eq!((after.commit, after.dates.contains_key("2024-11-30")), (6, false));
    assert!(store.get("out/commits/00000005.json").is_none());
}

#[test]
fn who_forgets_removes_attempts_and_neither_records_nor_what_others_put() {
    let (bench, store) = bench();
    for date in ["2024-06-30", "2024-07-31", "2024-08-31"] {
        night(&bench, &store, date);
    }
    let attempt = "out/runs/0123456789abcdef/0123456789abcdef/customers/x.parquet";
    let stay = ["out/commits/00000001.json", "out/runs/backup/2024/notes.txt", "out/made/notes.txt"];
    for key in [attempt, stay[1], stay[2]] {
        store.put(key, b"mine".to_vec());
    }
    stay.iter().chain([&attempt]).for_each(|key| store.age(key));
    bench.write("ids.txt", "1\n");
    succeeds(&bench, &store, &["forget", "s3://shop/out", "--ids", "ids.txt"]);
    assert!(store.get(attempt).is_none());
    for key in stay {
        assert!(store.get(key).is_some(), "{key}");
    }
    let verified = succeeds(&bench, &store, &["verify", "s3://shop/out"]);
    assert!(!verified.out.contains("backup"), "{}", verified.out);
}

#[test]
fn a_run_brings_nobody_back_who_was_forgotten_meanwhile() {
    // Before its first object, and between its last look and its record.
    for key in ["out/runs/", "out/commits/00000002.json"] {
        let (bench, store) = shared();
        night(&bench, &store, "2024-06-30");
        bench.write("ids.txt", "1\n");
        once_before(&store, &bench, key, |bench, store| {
            succeeds(bench, store, &["forget", "s3://shop/out", "--ids", "ids.txt"]);
        });
        assert_message(
            &rfmill(&bench, &store, &["run", "job.toml", "-q"]),
            5,
            "error: customers were forgotten at s3://shop/out while this command ran, so it commits nothing; run it again.",
        );
        let after = seen(&store).unwrap();
        assert_eq!((after.commit, after.dates.len()), (2, 1), "{key}");
        // What it wrote is gone, too.
        assert!(store.keys().iter().all(|key| !ids(&bench, &store, key).contains(&"1".to_owned())), "{key}");
        night(&bench, &store, "2024-12-31");
        assert_eq!(seen(&store).unwrap().commit, 3);
    }
}

#[test]
fn a_forget_that_could_not_remove_is_made_up_for() {
    let (bench, store) = bench();
    night(&bench, &store, "2024-06-30");
    bench.write("ids.txt", "1\n");
    let forget = ["forget", "s3://shop/out", "--ids", "ids.txt"];
    store.fail(|request| (request.method == "DELETE").then_some(Fault::Status(403, "AccessDenied")));
    let ran = rfmill(&bench, &store, &forget);
    assert_eq!(ran.code, 6, "{}", ran.err);
    let left = "the commit without the customers is made, but objects that hold them are left";
    assert!(ran.err.contains(left), "{}", ran.err);
    store.fail(|_| None);
    let holds = || store.keys().iter().any(|key| ids(&bench, &store, key).contains(&"1".to_owned()));
    assert!(holds());
    succeeds(&bench, &store, &forget);
    assert!(!holds());
    assert_eq!(seen(&store).unwrap().commit, 2);
    // What the commit before showed is not known: that is no success.
    let (bench, store) = shared();
    night(&bench, &store, "2024-06-30");
    bench.write("ids.txt", "1\n");
    once_before(&store, &bench, "out/commits/00000002.json", |_, store| store.put("out/commits/00000001.json", b"{}".to_vec()));
    let ran = rfmill(&bench, &store, &forget);
    assert_eq!(ran.code, 5, "{}", ran.err);
    assert!(ran.err.contains(left) && ran.err.contains("s3://shop/out/commits/00000001.json cannot be read"), "{}", ran.err);
}

#[test]
fn what_is_shown_does_not_go_back() {
    for key in ["out/views.sql", "out/latest.json"] {
        let (bench, store) = shared();
        once_before(&store, &bench, key, |bench, store| drop(night(bench, store, "2024-12-31")));
        night(&bench, &store, "2024-06-30");
        assert_eq!((seen(&store).unwrap().commit, json(&store, "out/latest.json")["commit"].as_u64()), (2, Some(2)), "{key}");
        assert!(store.get("out/views.sql").unwrap().starts_with(b"-- Commit 2 of "), "{key}");
        succeeds(&bench, &store, &["verify", "s3://shop/out"]);
        // Each of both is looked at.
        store.put(key, b"old".to_vec());
        assert_eq!(rfmill(&bench, &store, &["verify", "s3://shop/out"]).code, 5, "{key}");
        night(&bench, &store, "2024-12-31");
        succeeds(&bench, &store, &["verify", "s3://shop/out"]);
    }
}

#[test]
fn a_refusal_after_a_lost_answer_is_read_back() {
    for lost in [Fault::Unanswered, Fault::Misreported] {
        let (bench, store) = bench();
        let asked = AtomicUsize::new(0);
        store.fail(move |request| match request.method == "PUT" && request.key.starts_with("out/commits/") {
            true if asked.fetch_add(1, Ordering::Relaxed) == 0 => Some(lost),
            true => Some(Fault::Status(403, "AccessDenied")),
            false => None,
        });
        night(&bench, &store, "2024-12-31");
        assert_eq!(seen(&store).unwrap().commit, 1);
    }
    // Nothing is known: what was written stays.
    let (bench, store) = bench();
    let asked = AtomicUsize::new(0);
    store.fail(move |request| match request.key == "out/commits/00000001.json" {
        true if asked.fetch_add(1, Ordering::Relaxed) == 0 => Some(Fault::Unanswered),
        true => Some(Fault::Status(403, "AccessDenied")),
        false => None,
    });
    assert_eq!(rfmill(&bench, &store, &["run", "job.toml", "-q"]).code, 9);
    store.fail(|_| None);
    assert_eq!(seen(&store).unwrap().commit, 1);
    // It surely did not happen: what was written goes.
    let (bench, store) = shared();
    store.fail(|request| {
        (request.method == "PUT" && request.key.starts_with("out/commits/")).then_some(Fault::Status(403, "AccessDenied"))
    });
    let ran = rfmill(&bench, &store, &["run", "job.toml", "-q"]);
    assert_eq!(ran.code, 6, "{}", ran.err);
    assert_eq!(attempts(&store), BTreeSet::new());
}

#[test]
fn damage_of_the_same_length_is_computed_again() {
    let (bench, store) = bench();
    night(&bench, &store, "2024-12-31");
    let spoil = |path: &Value| {
        let key = format!("out/{}", path.as_str().unwrap());
        let mut bytes = store.get(&key).unwrap();
        bytes[100] ^= 1;
        store.put(&key, bytes);
        assert_eq!(rfmill(&bench, &store, &["verify", "s3://shop/out"]).code, 5, "{key}");
    };
    let before = seen(&store).unwrap();
    spoil(&before.dates["2024-12-31"]["segments"][0]["path"]);
    assert!(!night(&bench, &store, "2024-12-31").err.contains("already computed"));
    succeeds(&bench, &store, &["verify", "s3://shop/out"]);
    assert_eq!(hashes(&seen(&store).unwrap(), "2024-12-31"), hashes(&before, "2024-12-31"));
    for dimension in ["dim_state", "dim_date"] {
        let commit = seen(&store).unwrap().commit;
        spoil(&json(&store, &format!("out/commits/{commit:08}.json"))["placed"]["dimensions"][dimension]["path"]);
        night(&bench, &store, "2024-12-31");
        succeeds(&bench, &store, &["verify", "s3://shop/out"]);
    }
}

#[test]
fn a_run_that_two_make_at_once_is_committed_once() {
    let (bench, store) = shared();
    once_before(&store, &bench, "out/commits/00000001.json", |bench, store| drop(night(bench, store, "2024-12-31")));
    night(&bench, &store, "2024-12-31");
    assert_eq!(seen(&store).unwrap().commit, 1);
    assert_eq!(attempts(&store).len(), 1);
    succeeds(&bench, &store, &["verify", "s3://shop/out"]);
}
