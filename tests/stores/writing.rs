//! An object is created once and never replaced, whatever becomes of the answer.
//!
//! Credentials come from the environment of a process, so the writer is this test in a process of its own.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use rfmill::internals::storage::Place;

use super::server::{Fault, SECRET, Store};

const PLACE: &str = "RFMILL_TEST_PLACE";

/// What the process of a writer does: it says what became of each step.
#[test]
fn writer() {
    let Ok(root) = std::env::var(PLACE) else { return };
    let root = Place::of(&root, Path::new(""));
    let create = |name: &str, text: &'static str| match root.join(name).create(Bytes::from_static(text.as_bytes())) {
        Ok(created) => println!("{name}: {created:?}"),
        Err(e) => println!("{name}: {}", e.of(&root.join(name).to_string())),
    };
    create("b/two", "2");
    create("b/two", "other");
    create("a", "1");
    for listed in root.list().expect("a listing") {
        println!("{} has {}", listed.key, listed.size);
    }
    root.join("b/two").replace(Bytes::from_static(b"second")).expect("replaced");
    root.join("a").delete().expect("removed");
    root.join("a").delete().expect("gone already");
    println!("{} left", root.list().expect("a listing").len());
}

/// The lines that the writer says in a store.
fn written(store: &Store) -> Vec<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["stores::writing::writer", "--exact", "--nocapture"]).env(PLACE, "s3://shop/out");
    let ran = store.told(&mut command).output().unwrap();
    let text = String::from_utf8(ran.stdout).unwrap();
    assert!(!text.contains(SECRET), "{text}");
    let is_ours = |line: &&str| !line.is_empty() && !line.starts_with("running") && !line.starts_with("test");
    text.lines().filter(is_ours).map(str::to_owned).collect()
}

#[test]
fn an_object_is_created_once() {
    let store = Store::with([("outer/a".to_owned(), b"of another prefix".to_vec())]);
    let expected = ["b/two: New", "b/two: Existed", "a: New", "a has 1", "b/two has 1", "1 left"];
    assert_eq!(written(&store), expected);
    assert_eq!(store.get("out/b/two").unwrap(), b"second");
    assert_eq!(store.keys(), ["out/b/two", "outer/a"]);
}

#[test]
fn an_object_whose_answer_is_lost_is_there() {
    for fault in [Fault::Unanswered, Fault::Status(503, "SlowDown"), Fault::Status(409, "ConditionalRequestConflict")] {
        let store = Store::with([]);
        let puts = Arc::new(AtomicUsize::new(0));
        let asked = Arc::clone(&puts);
        store.fail(move |request| (request.method == "PUT" && asked.fetch_add(1, Ordering::Relaxed) < 1).then_some(fault));
        let created = if fault == Fault::Unanswered { "b/two: Existed" } else { "b/two: New" };
        assert_eq!(written(&store)[..2], [created, "b/two: Existed"], "{fault:?}");
        assert!(puts.load(Ordering::Relaxed) > 3, "nothing was repeated");
    }
}

#[test]
fn what_cannot_be_written_is_said() {
    let store = Store::with([]);
    store.fail(|request| (request.method == "PUT").then_some(Fault::Status(403, "AccessDenied")));
    assert_eq!(
        written(&store)[0],
        "b/two: cannot write s3://shop/out/b/two: the store denies it; check that the credentials may write, read, list and remove objects below this key"
    );
}

/// Whoever relies on the condition finds out first that a store ignores it.
#[test]
fn a_store_without_conditions_replaces() {
    let store = Store::with([]);
    store.fail(|_| Some(Fault::Unconditional));
    assert_eq!(written(&store)[..2], ["b/two: New", "b/two: New"]);
}
