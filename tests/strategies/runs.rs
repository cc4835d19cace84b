//! Random jobs run, and their `arms` held against the oracle; their other tables against a run without strategies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rfmill::Error;
use rfmill::internals::job::{Overrides, parse, resolve};
use rfmill::internals::pipeline;
use rfmill::internals::progress::Silent;

use super::case::{CUSTOMERS, Case, LAST, SCHEMES, SLICES, date};
use super::oracle::{Key, Known, Numbers, arms, before_baseline, overlapping};
use crate::support::run::{Cell, Table, Workshop, read_file, read_folder};

/// Runs a job file in a folder, in this process.
fn run(folder: &Path, job: &str) -> Result<pipeline::Outcome, Error> {
    let path = folder.join("job.toml");
    std::fs::write(&path, job).expect("a job file");
    let (raw, source) = parse::load(&path, &[])?;
    let job = resolve(raw, source, &Overrides::default())?;
    pipeline::run(&job, &Silent)
}

/// The folder of what it committed.
fn folder_of(outcome: &pipeline::Outcome) -> PathBuf {
    outcome.folder.local().expect("a folder").to_owned()
}

fn must_run(folder: &Path, job: &str) -> pipeline::Outcome {
    run(folder, job).unwrap_or_else(|error| panic!("{error}\n{job}"))
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => "null".into(),
        Cell::Text(text) => text.clone(),
        Cell::Date(day) => date(*day as i32),
        Cell::Int(n) => n.to_string(),
        other => panic!("{other:?}"),
    }
}

fn number(cell: &Cell) -> i64 {
    match cell {
        Cell::Int(n) | Cell::Decimal(n, _) => *n as i64,
        other => panic!("{other:?}"),
    }
}

/// What the `customers` of a run say at a date.
fn listed(case: &Case, out: &Path, day: i32) -> BTreeMap<(usize, usize), (Vec<String>, [Option<i64>; 3])> {
    let table = read_folder(&out.join(format!("customers/as_of={}", date(day))));
    let ids: BTreeMap<String, usize> = (0..CUSTOMERS).map(|c| (case.id(c), c)).collect();
    let record = |row: BTreeMap<&str, &Cell>| {
        let slice = row.get("slice").map_or(0, |s| SLICES.iter().position(|name| *name == s.text()).expect("a slice"));
        let states = SCHEMES.iter().map(|(scheme, _)| text(row[scheme])).collect();
        let measures = ["recency_days", "frequency", "monetary"].map(|m| (*row[m] != Cell::Null).then(|| number(row[m])));
        ((slice, ids[&text(row["customer_id"])]), (states, measures))
    };
    // Of a job with slices, who is on the customers table alone is in none.
    let has_slice = |row: &BTreeMap<&str, &Cell>| row.get("slice").is_none_or(|slice| **slice != Cell::Null);
    table.records().into_iter().filter(has_slice).map(record).collect()
}

/// Asks runs without strategies for the states of all days that matter.
fn known(case: &Case, folder: &Path) -> Known {
    let as_of = |days: &str| format!("as_of = [{days}]");
    let mut known = Known { customers: BTreeMap::new(), moved: BTreeMap::new() };
    let periods: BTreeSet<(i32, i32)> = case.strategies.iter().flat_map(|s| s.periods.iter().copied()).collect();
    let matched = case.strategies.iter().filter(|s| s.design == "matched");
    let before_baselines = matched.flat_map(|s| s.periods.iter().map(|period| before_baseline(s, *period)));
    let befores: BTreeSet<i32> = periods.iter().map(|p| p.0 - 1).chain(before_baselines).filter(|day| *day <= LAST).collect();
    let days: Vec<String> = befores.iter().map(|day| date(*day)).collect();
    // The last date decides which orders are read.
    let days = format!("{}, {}", days.join(", "), date(LAST));
    let out = folder_of(&must_run(folder, &case.job(&as_of(&days), "", "")));
    for day in &befores {
        let found = listed(case, &out, *day);
        known.customers.extend(found.into_iter().map(|((slice, customer), row)| ((*day, slice, customer), row)));
    }
    let moves = case.strategies.iter().any(|s| s.outcomes.iter().any(|o| o.starts_with("moved_")));
    for (start, end) in periods.into_iter().filter(|p| moves && p.1 <= LAST) {
        if !known.customers.keys().any(|k| k.0 == start - 1) {
            continue;
        }
        // The cut points of the day before, used at the end. A slice that nobody stood in then has none, and no job.
        let Ok(before) = run(folder, &case.job(&as_of(&date(start - 1)), "", "")) else { continue };
        std::fs::copy(folder_of(&before).join("cutpoints.parquet"), folder.join("cuts.parquet")).expect("cut points");
        let at_end = folder_of(&must_run(folder, &case.job(&as_of(&date(end)), "cuts = \"cuts.parquet\"", "")));
        for ((slice, customer), (states, _)) in listed(case, &at_end, end) {
            known.moved.insert((start - 1, end, slice, customer), states);
        }
    }
    known
}

fn rows(table: &Table) -> BTreeMap<Key, Numbers> {
    let numbers = |cells: &[Cell]| -> Numbers {
        let number = |cell: &Cell| match cell {
            Cell::Null => None,
            Cell::Int(n) | Cell::Decimal(n, 0) => Some(*n),
            other => panic!("{other:?}"),
        };
        cells.iter().map(number).collect()
    };
    let mut out = BTreeMap::new();
    for row in &table.rows {
        let twice = out.insert(row[..17].iter().map(text).collect::<Key>(), numbers(&row[17..]));
        assert_eq!(twice, None, "a row stands twice");
    }
    out
}

fn differences(want: &BTreeMap<Key, Numbers>, got: &BTreeMap<Key, Numbers>) -> Vec<String> {
    let differ = want.keys().chain(got.keys()).collect::<BTreeSet<_>>().into_iter().filter(|key| want.get(*key) != got.get(*key));
    differ.map(|key| format!("{}\n  found    {:?}\n  expected {:?}", key.join(" | "), got.get(key), want.get(key))).collect()
}

/// Every difference between what a run says and what it should say.
fn compare(seed: u64) -> Vec<String> {
    let case = Case::new(seed);
    let shop = Workshop::new();
    let folder = shop.path("");
    case.write(&folder, 0);
    // Days before which no order lies make a job of its own impossible.
    let begins = case.orders.iter().map(|o| o.day).filter(|d| *d <= LAST).min();
    if begins.is_none_or(|day| day >= 19_358) {
        return Vec::new();
    }
    let known = known(&case, &folder);
    let want = arms(&case, &known);
    let quarters = "every = \"quarter\"\nfrom = 2023-01-01\nto = 2023-12-31";
    let plain = must_run(&folder, &case.job(quarters, "", "")).manifest;
    let outcome = must_run(&folder, &case.whole_job());
    let got = rows(&read_file(&folder_of(&outcome).join("arms.parquet")));
    let mut wrong = differences(&want, &got);
    crate::to_date::check(&folder_of(&outcome));
    for (name, count) in overlapping(&case) {
        let says =
            |n| format!("strategy {name:?}: {n} assignments are of customers whom another strategy treats at the same time");
        let found = outcome.manifest.warnings.iter().any(|warning| warning.starts_with(&says(count)));
        let any = outcome.manifest.warnings.iter().any(|w| {
            w.contains(&format!("{name:?}")) && w.contains("whom another strategy treats") && !w.contains(": 0 assignments")
        });
        if if count > 0 { !found } else { any } {
            wrong.push(format!("no warning {:?} among {:?}", says(count), outcome.manifest.warnings));
        }
    }
    // Days that only strategies look at change nothing else.
    for table in &plain.tables {
        let own = outcome.manifest.tables.iter().find(|t| t.name == table.name);
        if own.map(|t| format!("{:?}", t.files)) != Some(format!("{:?}", table.files)) {
            wrong.push(format!("table {} is another without strategies", table.name));
        }
    }
    if plain.as_of != outcome.manifest.as_of {
        wrong.push("other as-of dates".into());
    }
    wrong
}

/// A million orders after the last as-of date make two parts of the customers; the sums and grids of both are added up.
#[test]
fn parts_add_up_to_the_same_arms() {
    // Strategies with several outcomes, states, periods and arms.
    for seed in [11, 36] {
        let case = Case::new(seed);
        let shop = Workshop::new();
        let folder = shop.path("");
        case.write(&folder, 0);
        let want = arms(&case, &known(&case, &folder));
        assert!(want.keys().filter(|key| key[14] != "null").count() > 50, "seed {seed} has hardly any bins");
        case.write(&folder, 1 << 20);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads");
        let outcome = pool.install(|| must_run(&folder, &case.whole_job()));
        let parts = std::fs::read_dir(folder_of(&outcome).join("customers/as_of=2023-12-31")).expect("customers").count();
        assert_eq!(parts, 2);
        let found = differences(&want, &rows(&read_file(&folder_of(&outcome).join("arms.parquet"))));
        assert!(found.is_empty(), "seed {seed}: {}", found.join("\n"));
    }
}

/// `RFMILL_CASES=10000` tries more seeds than usual, `RFMILL_CASE=12` one.
#[test]
fn arms_are_what_a_plain_loop_sums() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let seeds: Vec<u64> = match number("RFMILL_CASE") {
        Some(seed) => vec![seed],
        None => (0..number("RFMILL_CASES").unwrap_or(120)).collect(),
    };
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for threads in 1..=3 {
            let (next, wrong, seeds) = (&next, &wrong, &seeds);
            scope.spawn(move || {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = pool.install(|| compare(*seed));
                    if !found.is_empty() {
                        wrong.lock().expect("no thread panicked").push((*seed, found));
                    }
                }
            });
        }
    });
    let mut wrong: Vec<(u64, Vec<String>)> = wrong.into_inner().expect("no thread panicked");
    wrong.sort();
    if let Some((seed, first)) = wrong.first() {
        let all: Vec<u64> = wrong.iter().map(|w| w.0).collect();
        let case = Case::new(*seed);
        panic!(
            "seeds {all:?}; seed {seed}, {} differences:\n{}\n{}",
            first.len(),
            first[..first.len().min(8)].join("\n"),
            case.whole_job()
        );
    }
}
