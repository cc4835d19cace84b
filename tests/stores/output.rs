//! An output in a store: what a run commits there, and what readers see of it whatever happens on the way.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::reading::rfmill;
use super::server::{Fault, SECRET, Store};
use crate::fixture::{Bench, Ran, assert_message};

/// A bench whose output is `s3://shop/out`, and the store.
pub fn bench() -> (Bench, Store) {
    let bench = Bench::new();
    bench.edit("path = \"out\"", "path = \"s3://shop/out\"");
    (bench, Store::with([]))
}

#[track_caller]
pub fn succeeds(bench: &Bench, store: &Store, arguments: &[&str]) -> Ran {
    let ran = rfmill(bench, store, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.err);
    ran
}

#[track_caller]
pub fn night(bench: &Bench, store: &Store, date: &str) -> Ran {
    succeeds(bench, store, &["run", "job.toml", "--as-of", date])
}

/// What a reader of the last record sees: its number, and the files of every date by table, all of which must be whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub commit: u64,
    pub latest: Option<String>,
    pub dates: BTreeMap<String, Value>,
}

pub fn json(store: &Store, key: &str) -> Value {
    serde_json::from_slice(&store.get(key).unwrap_or_else(|| panic!("{key} is not there"))).unwrap()
}

#[track_caller]
pub fn seen(store: &Store) -> Option<Seen> {
    let last = store.keys().into_iter().rfind(|key| key.starts_with("out/commits/"))?;
    let record = json(store, &last);
    let placed = &record["placed"];
    let files = placed["dates"].as_object().unwrap().values().flat_map(|date| date.as_object().unwrap().values());
    let files = files.flat_map(|files| files.as_array().unwrap()).chain(placed["dimensions"].as_object().unwrap().values());
    for file in files {
        let key = format!("out/{}", file["path"].as_str().unwrap());
        let bytes = store.get(&key).unwrap_or_else(|| panic!("{last} names {key}, which is not there"));
        assert_eq!(rfmill::internals::hash::sha256(&bytes), file["sha256"].as_str().unwrap(), "{key}");
    }
    Some(Seen {
        commit: record["number"].as_u64().unwrap(),
        latest: record["latest"].as_str().map(str::to_owned),
        dates: placed["dates"].as_object().unwrap().clone().into_iter().collect(),
    })
}

/// The SHA-256 of the files of a date, by table.
pub fn hashes(seen: &Seen, date: &str) -> BTreeMap<String, Vec<String>> {
    let files = |files: &Value| files.as_array().unwrap().iter().map(|f| f["sha256"].as_str().unwrap().to_owned()).collect();
    seen.dates[date].as_object().unwrap().iter().map(|(table, list)| (table.clone(), files(list))).collect()
}

#[test]
fn a_run_commits_the_tables_that_it_would_on_a_disk() {
    let (bench, store) = bench();
    bench.edit("[output]", "[output]\nreport = [\"html\", \"crm\"]");
    succeeds(&bench, &store, &["run", "job.toml"]);
    let there = seen(&store).unwrap();
    assert_eq!(there.commit, 1);
    succeeds(&bench, &store, &["run", "job.toml", "-q", "--output", "disk"]);
    let folders = std::fs::read_dir(bench.path("disk/tables")).unwrap().flatten();
    let of_disk = folders.filter_map(|table| {
        let files = std::fs::read_dir(table.path().join("as_of=2024-12-31")).ok()?.flatten();
        let mut files: Vec<_> = files.map(|file| file.path()).collect();
        files.sort();
        let hash = |path: &std::path::PathBuf| rfmill::internals::hash::sha256(&std::fs::read(path).unwrap());
        Some((table.file_name().into_string().unwrap(), files.iter().map(hash).collect()))
    });
    assert_eq!(hashes(&there, "2024-12-31"), of_disk.collect());
    // The reports are there, and what names everything.
    let keys = store.keys();
    for end in ["report/index.html", "report/crm.csv", "manifest.json"] {
        assert!(keys.iter().any(|key| key.starts_with("out/runs/") && key.ends_with(end)), "{end}: {keys:?}");
    }
    let latest = json(&store, "out/latest.json");
    assert_eq!(latest["latest"]["as_of"], "2024-12-31");
    let customers = latest["dates"]["2024-12-31"]["tables"]["customers"][0].as_str().unwrap();
    assert!(store.get(customers.strip_prefix("s3://shop/").unwrap()).is_some(), "{customers}");
    let views = String::from_utf8(store.get("out/views.sql").unwrap()).unwrap();
    assert!(views.contains(customers) && views.contains("CREATE OR REPLACE VIEW \"dim_state\""), "{views}");
    assert_eq!(succeeds(&bench, &store, &["schema", "--tables", "job.toml", "--format", "duckdb"]).out, views);
    let verified = succeeds(&bench, &store, &["verify", "s3://shop/out"]);
    assert!(verified.out.contains("s3://shop/out: ok (run "), "{}", verified.out);
    assert!(keys.iter().all(|key| store.get(key).is_some_and(|bytes| !String::from_utf8_lossy(&bytes).contains(SECRET))));
}

#[test]
fn nights_add_dates_and_a_repeat_adds_nothing() {
    let (bench, store) = bench();
    night(&bench, &store, "2024-06-30");
    night(&bench, &store, "2024-12-31");
    let both = seen(&store).unwrap();
    assert_eq!((both.commit, both.dates.len()), (2, 2));
    assert!(night(&bench, &store, "2024-12-31").err.contains("already computed"));
    assert_eq!(seen(&store).unwrap(), both);
    // An earlier run that is committed again is a commit, and `latest` stays at the newest date.
    let ran = night(&bench, &store, "2024-06-30");
    assert!(ran.err.contains("already computed") && ran.err.contains("latest stays at run"), "{}", ran.err);
    let again = seen(&store).unwrap();
    assert_eq!((again.commit, &again.latest, &again.dates), (3, &both.latest, &both.dates));
    // Orders that came late change what was told, and the commit says so.
    let mut late = crate::fixture::orders();
    late[2].1 = crate::fixture::decimals(2, [9000, 2550, 499, 12000, 7500, 1999, 305, 60000]);
    bench.parquet("orders/a.parquet", &late);
    night(&bench, &store, "2024-06-30");
    let restated = seen(&store).unwrap();
    assert_eq!(restated.dates["2024-06-30"]["restatements"].as_array().unwrap().len(), 1);
    assert_ne!(restated.dates["2024-06-30"]["segments"], both.dates["2024-06-30"]["segments"]);
    assert_eq!(restated.dates["2024-12-31"], both.dates["2024-12-31"]);
    // Checks against the run before read its manifest.
    bench.append("[checks]\nrows_vs_previous = [2.0, 3.0]");
    let ran = rfmill(&bench, &store, &["run", "job.toml", "-q", "--as-of", "2024-11-30"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("the input has 8 rows, 1.000 times the 8 of the run that `latest` names"), "{}", ran.err);
    let dropped = succeeds(&bench, &store, &["drop", "s3://shop/out", "--as-of", "2024-12-31"]);
    assert!(dropped.err.contains("is taken out of s3://shop/out"), "{}", dropped.err);
    assert_eq!(seen(&store).unwrap().dates.keys().collect::<Vec<_>>(), ["2024-06-30"]);
    succeeds(&bench, &store, &["verify", "s3://shop/out"]);
}

#[test]
fn an_output_belongs_to_a_job() {
    let (bench, store) = bench();
    night(&bench, &store, "2024-06-30");
    bench.edit("name = \"test\"", "name = \"other\"");
    let ran = rfmill(&bench, &store, &["run", "job.toml", "-q"]);
    assert_message(
        &ran,
        5,
        "error: s3://shop/out is the output of the job \"test\", not of \"other\"; give every job a folder of its own with output.path or --output, or run once with --adopt to make the folder that of this job.",
    );
    succeeds(&bench, &store, &["run", "job.toml", "-q", "--adopt"]);
    assert_eq!(seen(&store).unwrap().commit, 2);
}

#[test]
fn states_are_drawn_from_a_store() {
    let (bench, store) = bench();
    night(&bench, &store, "2024-06-30");
    night(&bench, &store, "2024-12-31");
    for date in ["2024-06-30", "2024-12-31"] {
        succeeds(&bench, &store, &["run", "job.toml", "-q", "--output", "disk", "--as-of", date]);
    }
    let draw = ["--name", "mail", "--salt", "s", "--from", "segment", "--holdout", "0.5", "-o"];
    let drawn = |folder: &str, more: &[&str]| {
        succeeds(&bench, &store, &[&["assign", folder], &draw[..], &["drawn.csv"], more].concat());
        let rows = String::from_utf8(bench.read("drawn.csv")).unwrap();
        std::fs::remove_file(bench.path("drawn.csv")).unwrap();
        rows
    };
    for (more, customers) in [(&[][..], 5), (&["--as-of", "2024-06-30"], 4)] {
        let rows = drawn("s3://shop/out", more);
        assert_eq!(rows, drawn("disk", more));
        assert_eq!(rows.lines().count(), customers + 1, "{rows}");
    }
    let ran = rfmill(&bench, &store, &[&["assign", "s3://shop/out"], &draw[..], &["x.csv", "--as-of", "2024-05-31"]].concat());
    assert_message(
        &ran,
        2,
        "error: s3://shop/out has no customers as of 2024-05-31 (last dates: 2024-06-30, 2024-12-31); run the job with --as-of 2024-05-31, or name another date.",
    );
}

#[test]
fn cut_points_of_an_output_in_a_store_are_used() {
    let (bench, store) = bench();
    night(&bench, &store, "2024-06-30");
    let key = store.keys().into_iter().find(|key| key.ends_with("/cutpoints.parquet")).unwrap();
    bench.write("cuts.parquet", store.get(&key).unwrap());
    let with = |cuts: &str| {
        let set = format!("score.cuts=\"{cuts}\"");
        succeeds(&bench, &store, &["run", "job.toml", "-q", "--set", &set]);
        hashes(&seen(&store).unwrap(), "2024-12-31")["customers"].clone()
    };
    let own = with("each");
    let there = with(&format!("s3://shop/{key}"));
    assert_ne!(own, there);
    assert_eq!(there, with("cuts.parquet"));
}

#[test]
fn a_lost_answer_to_a_commit_is_our_own_commit() {
    for kind in [Fault::Unanswered, Fault::Misreported] {
        let (bench, store) = bench();
        let lost = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&lost);
        store.fail(move |request| {
            let is_it =
                request.method == "PUT" && request.key.starts_with("out/commits/") && count.fetch_add(1, Ordering::Relaxed) < 2;
            is_it.then_some(kind)
        });
        night(&bench, &store, "2024-12-31");
        assert!(lost.load(Ordering::Relaxed) > 1, "nothing was lost");
        assert_eq!(seen(&store).unwrap().commit, 1);
        assert_eq!(store.keys().iter().filter(|key| key.starts_with("out/commits/")).count(), 1);
    }
}

#[test]
fn a_commit_of_which_nothing_is_known_is_said() {
    let (bench, store) = bench();
    night(&bench, &store, "2024-06-30");
    let put = Arc::new(AtomicBool::new(false));
    store.fail(move |request| {
        let is_it = request.key == "out/commits/00000002.json";
        put.fetch_or(is_it && request.method == "PUT", Ordering::Relaxed);
        match request.method.as_str() {
            "PUT" if is_it => Some(Fault::Unanswered),
            _ if is_it && put.load(Ordering::Relaxed) => Some(Fault::Status(403, "AccessDenied")),
            _ => None,
        }
    });
    let ran = rfmill(&bench, &store, &["run", "job.toml", "-q"]);
    assert_eq!(ran.code, 9, "{}", ran.err);
    assert!(ran.err.contains("it cannot be told whether the commit s3://shop/out/commits/00000002.json happened"), "{}", ran.err);
    store.fail(|_| None);
    // It did, and a rerun finds it.
    assert_eq!(seen(&store).unwrap().commit, 2);
    assert!(night(&bench, &store, "2024-12-31").err.contains("already computed"));
    assert_eq!(seen(&store).unwrap().commit, 2);
}

#[test]
fn of_two_commits_at_once_both_count() {
    let (bench, store) = bench();
    let (bench, store) = (Arc::new(bench), Arc::new(store));
    let (first, others) = (AtomicBool::new(true), (Arc::clone(&bench), Arc::clone(&store)));
    store.before_writes(move |request| {
        if request.key == "out/commits/00000001.json" && first.swap(false, Ordering::Relaxed) {
            let (bench, store) = &others;
            night(bench, store, "2024-06-30");
        }
    });
    night(&bench, &store, "2024-12-31");
    let both = seen(&store).unwrap();
    assert_eq!((both.commit, both.dates.len()), (2, 2));
    succeeds(&bench, &store, &["verify", "s3://shop/out"]);
}

#[test]
fn a_store_that_ignores_conditions_is_refused() {
    let (bench, store) = bench();
    store.fail(|_| Some(Fault::Unconditional));
    let ran = rfmill(&bench, &store, &["run", "job.toml", "-q"]);
    assert_message(
        &ran,
        6,
        "error: the store of s3://shop/out replaced an object that was to be created only where there is none (If-None-Match: *), so commits of two runs at once could replace each other; use a store that keeps this condition, or write to a folder on a disk.",
    );
    assert_eq!(store.keys(), ["out/.rfmill"]);
}

/// A run that is killed before every one of its writes in turn: a reader sees the commit before or, once the record is there, the
/// new one, and a rerun reaches it.
#[test]
fn a_killed_run_leaves_the_view_before() {
    let (bench, store) = bench();
    night(&bench, &store, "2024-06-30");
    let before = seen(&store).unwrap();
    let mut kills = 0;
    loop {
        let child: Arc<Mutex<Option<Child>>> = Arc::default();
        let (seen_writes, hooked, at) = (AtomicUsize::new(0), Arc::clone(&child), kills);
        let killed = Arc::new(AtomicBool::new(false));
        let kill = Arc::clone(&killed);
        store.before_writes(move |_| {
            if seen_writes.fetch_add(1, Ordering::Relaxed) == at {
                let mut child = hooked.lock().unwrap();
                child.as_mut().unwrap().kill().unwrap();
                kill.store(true, Ordering::Relaxed);
            }
        });
        let mut guard = child.lock().unwrap();
        let mut command = bench.command(&["run", "job.toml", "-q"]);
        *guard = Some(store.told(&mut command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        drop(guard);
        while child.lock().unwrap().as_mut().unwrap().try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let now = seen(&store).unwrap();
        assert!(now == before || now.commit == 2 && now.dates.len() == 2, "killed before write {kills}: {now:?}");
        if !killed.load(Ordering::Relaxed) {
            break;
        }
        kills += 1;
        if now.commit == 2 {
            // Everything else follows from the record.
            store.before_writes(|_| {});
            assert!(night(&bench, &store, "2024-12-31").err.contains("already computed"));
            assert_eq!(seen(&store).unwrap(), now);
            assert_eq!(json(&store, "out/latest.json")["commit"], 2);
            break;
        }
    }
    assert!(kills > 20, "only {kills} kills");
    assert_eq!(seen(&store).unwrap().commit, 2);
    let verified = succeeds(&bench, &store, &["verify", "s3://shop/out"]);
    assert!(verified.out.contains("left by a run that was killed"), "{}", verified.out);
}

#[test]
fn what_no_commit_needs_goes() {
    let (bench, store) = bench();
    bench.edit("[output]", "[output]\nkeep_runs = 1");
    for date in ["2024-06-30", "2024-07-31", "2024-08-31", "2024-09-30", "2024-10-31"] {
        night(&bench, &store, date);
        seen(&store);
    }
    let runs = |end: &str| store.keys().iter().filter(|key| key.starts_with("out/runs/") && key.ends_with(end)).count();
    // Of every date in view its tables stay; whole runs are those of the last two commits, and what `latest` may go back to.
    assert_eq!(seen(&store).unwrap().dates.len(), 5);
    assert_eq!(runs("manifest.json"), 5);
    assert_eq!(runs("report/index.html"), 3);
    // Two more commits, and what was made for a date that is gone goes.
    succeeds(&bench, &store, &["drop", "s3://shop/out", "--as-of", "2024-06-30"]);
    night(&bench, &store, "2024-11-30");
    night(&bench, &store, "2024-12-31");
    assert_eq!(runs("manifest.json"), 6);
    succeeds(&bench, &store, &["verify", "s3://shop/out"]);
}

/// The ids in an object with a row per customer.
pub fn ids(bench: &Bench, store: &Store, key: &str) -> Vec<String> {
    let has_customers = ["/customers/", "/movers/", "/state_history", "crm"].iter().any(|name| key.contains(name));
    let bytes = store.get(key).filter(|_| has_customers).unwrap_or_default();
    if key.ends_with(".csv") {
        return String::from_utf8(bytes)
            .unwrap()
            .lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap().to_owned())
            .collect();
    }
    if !key.ends_with(".parquet") || bytes.is_empty() {
        return Vec::new();
    }
    bench.write("object.parquet", bytes);
    let table = crate::support::run::read_file(&bench.path("object.parquet"));
    table.records().iter().filter_map(|row| row.get("customer_id")).map(|id| id.int().to_string()).collect()
}

#[test]
fn nobody_who_was_forgotten_is_left() {
    let (bench, store) = bench();
    bench.edit("[output]", "[output]\nkeep_runs = 1\nreport = [\"html\", \"crm\"]");
    for date in ["2024-06-30", "2024-07-31", "2024-08-31", "2024-12-31"] {
        night(&bench, &store, date);
    }
    let holds = |id: &str| store.keys().iter().filter(|key| ids(&bench, &store, key).iter().any(|found| found == id)).count();
    let (of_one, of_two) = (holds("1"), holds("2"));
    // Tables at four dates; a row in CRM files of the runs that stay.
    assert!(of_one > 8 && of_one == of_two, "{of_one} {of_two}");
    let before = seen(&store).unwrap();
    bench.write("ids.txt", "1\n77\n");
    let said = succeeds(&bench, &store, &["forget", "s3://shop/out", "--ids", "ids.txt"]).err;
    assert!(said.contains("1 customer is forgotten") && said.contains("1 id is in no file"), "{said}");
    assert_eq!(holds("1"), 0);
    assert!(holds("2") > 4);
    let after = seen(&store).unwrap();
    assert_eq!((after.commit, after.dates.len()), (5, 4));
    for date in before.dates.keys() {
        let (mut then, mut now) = (hashes(&before, date), hashes(&after, date));
        assert_ne!(then.remove("customers"), now.remove("customers"), "{date}");
        ["movers", "state_history"].iter().for_each(|table| drop((then.remove(*table), now.remove(*table))));
        assert_eq!(then, now, "{date}: sums stay");
    }
    succeeds(&bench, &store, &["verify", "s3://shop/out"]);
    let said = succeeds(&bench, &store, &["forget", "s3://shop/out", "--ids", "ids.txt"]).err;
    assert!(said.contains("already forgotten"), "{said}");
    assert_eq!(seen(&store).unwrap(), after);
    night(&bench, &store, "2024-11-30");
    succeeds(&bench, &store, &["verify", "s3://shop/out"]);
}

#[test]
fn damage_is_found() {
    let (bench, store) = bench();
    night(&bench, &store, "2024-06-30");
    night(&bench, &store, "2024-12-31");
    let file = format!("out/{}", seen(&store).unwrap().dates["2024-06-30"]["segments"][0]["path"].as_str().unwrap());
    let bytes = store.get(&file).unwrap();
    let mut damaged = bytes.clone();
    damaged[100] ^= 1;
    store.put(&file, damaged);
    let ran = rfmill(&bench, &store, &["verify", "s3://shop/out"]);
    assert_eq!(ran.code, 5, "{}", ran.err);
    let advice = "its only copy is gone, so compute it again with `rfmill run JOB --as-of 2024-06-30` (job \"test\"), or take it out with `rfmill drop s3://shop/out --as-of 2024-06-30`";
    assert!(ran.err.contains(&format!("s3://shop/{file} was changed or damaged after it was written; {advice}")), "{}", ran.err);
    store.remove(&file);
    assert!(rfmill(&bench, &store, &["verify", "s3://shop/out"]).err.contains(&format!("s3://shop/{file} is gone; {advice}")));
    store.put(&file, bytes);
    succeeds(&bench, &store, &["verify", "s3://shop/out"]);
    // What follows from the record is put right by the next command.
    store.put("out/latest.json", b"{}".to_vec());
    let ran = rfmill(&bench, &store, &["verify", "s3://shop/out"]);
    assert!(
        ran.err.contains("s3://shop/out/latest.json or views.sql does not say what was committed last; run the job again"),
        "{}",
        ran.err
    );
    night(&bench, &store, "2024-12-31");
    succeeds(&bench, &store, &["verify", "s3://shop/out"]);
    // Without its record there is no telling.
    store.put("out/commits/00000002.json", b"{}".to_vec());
    for arguments in [&["verify", "s3://shop/out"][..], &["run", "job.toml", "-q"]] {
        let ran = rfmill(&bench, &store, arguments);
        assert_eq!(ran.code, 5, "{}", ran.err);
        assert!(ran.err.contains("s3://shop/out/commits/00000002.json cannot be read"), "{}", ran.err);
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let (bench, store) = bench();
    let says = |arguments: &[&str], code: i32, message: &str| assert_message(&rfmill(&bench, &store, arguments), code, message);
    says(&["verify", "s3://shop/out"], 5, "error: s3://shop/out is no output of rfmill; name the place given as --output.");
    store.put("out/mine.txt", b"mine".to_vec());
    let mine = "error: s3://shop/out holds objects that rfmill did not write; choose an empty or new place as --output.";
    says(&["run", "job.toml", "-q"], 6, mine);
    store.remove("out/mine.txt");
    night(&bench, &store, "2024-12-31");
    says(
        &["verify", "s3://shop/out", "--repair"],
        2,
        "error: s3://shop/out lies in an object store, where nothing has a second copy to be repaired from; see what `rfmill verify s3://shop/out` says without --repair: each finding names what puts it right.",
    );
    says(
        &["drop", "s3://shop/out", "--as-of", "2023-12-31"],
        2,
        "error: s3://shop/out shows no as-of date 2023-12-31; its last dates are: 2024-12-31.",
    );
    let before = seen(&store);
    store.fail(|request| {
        (request.method == "PUT" && request.key.contains("/runs/")).then_some(Fault::Status(403, "AccessDenied"))
    });
    let ran = rfmill(&bench, &store, &["run", "job.toml", "-q", "--as-of", "2024-06-30"]);
    assert_eq!(ran.code, 6, "{}", ran.err);
    assert!(ran.err.contains("the store denies it; check that the credentials may write"), "{}", ran.err);
    assert!(!ran.err.contains(SECRET));
    assert_eq!(seen(&store), before);
    // An address with a password or a signature is refused, and not repeated.
    for place in [format!("s3://KEYID:{SECRET}@shop/out"), format!("s3://shop/out?sig={SECRET}")] {
        let orders = format!("orders.path=\"{place}\"");
        for arguments in
            [&["verify", &place][..], &["run", "job.toml", "--output", &place], &["run", "job.toml", "--set", &orders]]
        {
            let ran = rfmill(&bench, &store, arguments);
            assert!([2, 4, 5].contains(&ran.code), "{arguments:?}: {}", ran.err);
            assert!(
                ran.err.contains("a password before an @, or a query behind its key; write it as s3://bucket/key"),
                "{}",
                ran.err
            );
            assert!(!ran.err.contains(SECRET) && !ran.out.contains(SECRET), "{}", ran.err);
        }
    }
    bench.edit("s3://shop/out", "s3://other/out");
    let ran = rfmill(&bench, &store, &["run", "job.toml", "-q"]);
    assert_eq!(ran.code, 6, "{}", ran.err);
    assert!(ran.err.contains("cannot write s3://other/out: there is no bucket other"), "{}", ran.err);
}
