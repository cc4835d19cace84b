//! Queries in runs in stages: each is a task, and what it wrote serves all later ones.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value as Json;

use super::{has_program, job, source};
use crate::fixture::{Bench, Ran};
use crate::stores::{reading, server::Store};
use crate::support::run::table_hashes;

const IN_STAGES: [&str; 6] = ["--part-rows", "3", "--shards", "3", "--work", "work"];

/// A job whose orders, customers, events and assignments all come from queries over CSV.
fn bench() -> Bench {
    let bench = Bench::empty();
    let (mut orders, mut crm, mut opens) = (String::from("customer,day,amount\n"), String::new(), String::new());
    for n in 0..60u32 {
        let (customer, month, day) = (n * 7 % 23, n % 12 + 1, n % 28 + 1);
        orders += &format!("c{customer},2024-{month:02}-{day:02},{}.{:02}\n", n * 3 % 50, n % 100);
        opens += &format!("c{customer};mail;{day:02}.{month:02}.2024\n");
    }
    (0..23).for_each(|n| crm += &format!("c{n};{};{}\n", ["north", "south"][n % 2], ["mail", "none"][n / 2 % 2]));
    bench.write("orders.csv", orders);
    bench.write("crm.csv", format!("who;region;group\n{crm}"));
    bench.write("opens.csv", format!("who;what;day\n{opens}"));
    let semicolons = "separator = \";\"";
    let sources =
        source("shop", "orders.csv", "") + &source("crm", "crm.csv", semicolons) + &source("opens", "opens.csv", semicolons);
    bench.write("job.toml", job(&sources, "SELECT customer, CAST(day AS DATE) AS day, amount FROM shop WHERE amount <> '0.00'"));
    bench.append(
        "[customers]\nquery = \"SELECT who, region FROM crm\"\ncustomer_id = \"who\"\ndimensions = [\"region\"]\n\n\
         [events]\nquery = \"SELECT who, what, DATE(day, '%d.%m.%Y') AS day FROM opens\"\ncustomer_id = \"who\"\nevent = \"what\"\nat = \"day\"\n\n\
         [[strategy]]\nname = \"mail\"\ndesign = \"randomised\"\ncontrol = \"control\"\nsplit = { control = 0.5, treatment = 0.5 }\n\
         periods = [{ from = 2024-06-01, to = 2024-12-31 }]\n\
         assignments = { query = \"SELECT who AS customer_id, CASE WHEN \\\"group\\\" = 'mail' THEN 'treatment' ELSE 'control' END AS arm, DATE '2024-06-01' AS assigned_on FROM crm\" }",
    );
    bench
}

fn tables(bench: &Bench, output: &str) -> BTreeMap<String, String> {
    table_hashes(&fs::canonicalize(bench.path(output).join("latest")).expect("a run"))
}

/// What the manifest says of the queries and what they read.
fn account(bench: &Bench, output: &str) -> [Json; 2] {
    let bytes = bench.read(&format!("{output}/latest/manifest.json"));
    let mut manifest: Json = serde_json::from_slice(&bytes).expect("JSON");
    for query in manifest["queries"].as_array_mut().expect("queries") {
        query.as_object_mut().expect("an object").remove("peak_memory_bytes");
    }
    [manifest["queries"].take(), manifest["sources"].take()]
}

fn run(bench: &Bench, more: &[&str]) -> Ran {
    bench.rfmill(&[&["run", "job.toml", "--quiet"], more].concat())
}

/// The tasks of a run before the last, each twice.
fn tasks(bench: &Bench, stages: &[(&str, usize)]) {
    for (stage, number) in stages.iter().flat_map(|(stage, tasks)| (0..2 * tasks).map(move |n| (stage, n / 2))) {
        bench.succeeds(&["stage", stage, "--work", "work", "--task", &number.to_string()]);
    }
}

#[test]
fn stages_give_the_tables_of_one_process() {
    if !has_program() {
        return;
    }
    let bench = bench();
    let alone = run(&bench, &["--part-rows", "3", "-o", "alone"]);
    assert_eq!(alone.code, 0, "{}", alone.err);
    let staged = run(&bench, &[&IN_STAGES[..], &["-o", "staged"]].concat());
    assert_eq!((staged.code, &staged.err), (0, &alone.err));
    assert_eq!(tables(&bench, "staged"), tables(&bench, "alone"));
    assert!(tables(&bench, "alone").keys().filter(|name| name.starts_with("customers/")).count() > 3);
    assert_eq!(account(&bench, "staged"), account(&bench, "alone"));
    assert!(!bench.path("work").exists(), "the work place is left");

    // A planned query tells that the run is there.
    let again = bench.succeeds(&[&["run", "job.toml"], &IN_STAGES[..], &["-o", "staged"]].concat());
    assert!(again.err.starts_with("already computed"), "{}", again.err);
}

/// What is said of the plan, and tasks of a query that run twice.
#[test]
fn each_query_is_a_task() {
    if !has_program() {
        return;
    }
    let bench = bench();
    let plan =
        bench.succeeds(&["stage", "plan", "job.toml", "--part-rows", "3", "--shards", "3", "--work", "work", "-o", "staged"]);
    let plan: Json = serde_json::from_str(&plan.out).expect("JSON");
    assert_eq!(plan["stages"][0], serde_json::json!({ "stage": "prepare", "tasks": 4 }));
    tasks(&bench, &[("prepare", 4)]);
    // Rows that a task has lost are told of, as any object.
    let folder = fs::read_dir(bench.path("work")).expect("a place").flatten().map(|e| e.path()).find(|path| path.is_dir());
    let account = folder.expect("objects").join("prepare/00000");
    let bytes = fs::read(&account).expect("an account");
    fs::remove_file(&account).expect("an account");
    let lost = bench.rfmill(&["stage", "scan", "--work", "work"]);
    assert!(
        lost.code == 5 && lost.err.contains("prepare/00000 (--work) is not there; run the task that writes it"),
        "{}",
        lost.err
    );
    fs::write(&account, bytes).expect("an account");
    tasks(&bench, &[("scan", 3), ("names", 1), ("distributions", 3), ("cuts", 1), ("parts", 3)]);
    bench.succeeds(&["stage", "finish", "--work", "work"]);
    assert_eq!(run(&bench, &["--part-rows", "3", "-o", "alone"]).code, 0);
    assert_eq!(tables(&bench, "staged"), tables(&bench, "alone"));
}

/// Results that lie in a store are read as files are.
#[test]
fn results_lie_in_a_store() {
    if !has_program() {
        return;
    }
    let (bench, store) = (bench(), Store::with([]));
    assert_eq!(run(&bench, &["--part-rows", "3", "-o", "alone"]).code, 0);
    let in_store = ["run", "job.toml", "-q", "--part-rows", "3", "--shards", "3", "--work", "s3://shop/work", "-o", "staged"];
    let ran = reading::rfmill(&bench, &store, &in_store);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(tables(&bench, "staged"), tables(&bench, "alone"));
    assert_eq!(account(&bench, "staged"), account(&bench, "alone"));
    assert_eq!(store.keys(), Vec::<String>::new(), "the work place is left");
}

/// A query that fails, and a result that is out of all measure, end the run with the sentences of one process.
#[test]
fn a_failed_query_ends_the_run() {
    if !has_program() {
        return;
    }
    let bench = bench();
    bench.append("[checks]\nrows_vs_previous = [0.5, 2.0]");
    assert_eq!(run(&bench, &["-o", "staged"]).code, 0);
    assert_eq!(run(&bench, &["-o", "alone"]).code, 0);
    bench.edit("WHERE amount <> '0.00'", "WHERE customer = 'c1'");
    let alone = run(&bench, &["--part-rows", "3", "-o", "alone"]);
    let staged = run(&bench, &[&IN_STAGES[..], &["-o", "staged"]].concat());
    assert!(alone.code == 3 && alone.err.contains("rows_vs_previous"), "{}", alone.err);
    assert_eq!((staged.code, &staged.err), (alone.code, &alone.err));

    bench.edit("CAST(day AS DATE) AS day", "CAST(customer AS DATE) AS day");
    let alone = run(&bench, &["--part-rows", "3", "-o", "alone"]);
    let staged = run(&bench, &[&IN_STAGES[..5], &["other", "-o", "staged"]].concat());
    assert!(alone.code == 3 && alone.err.contains("c1"), "{}", alone.err);
    // Tasks know the job by its whole path, wherever they run.
    let folder = format!("{}/", bench.path("").display().to_string().trim_end_matches('/'));
    assert_eq!((staged.code, staged.err.replace(&folder, "")), (alone.code, alone.err));
}
