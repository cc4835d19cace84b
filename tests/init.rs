//! `init`: what it guesses of tables of many shapes, that the job files it writes run, and what it refuses.

mod dates;
mod lakes;
mod large;
mod look_alikes;
mod refused;
mod shapes;
mod shop;
mod written;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fixture::Bench;
use crate::support::run::read_folder;

/// What `init` tells of a file that it wrote.
struct Told {
    /// Columns by role.
    roles: BTreeMap<String, String>,
    /// Questions that it left.
    questions: Vec<String>,
    document: Value,
}

/// Runs `init` without a terminal, which must succeed.
#[track_caller]
fn init(bench: &Bench, args: &[&str]) -> Told {
    let ran = bench.rfmill(&[&["init"], args, &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
    let document: Value = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{:?} is no JSON: {e}", ran.out));
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned();
    let roles = document["roles"].as_object().expect("roles").iter().map(|(role, column)| (role.clone(), text(column))).collect();
    let questions = document["questions"].as_array().expect("questions").iter().map(text).collect();
    Told { roles, questions, document }
}

/// Writes a job for a file and runs it as it is.
#[track_caller]
fn placed(bench: &Bench, what: &str, file: &str) -> Told {
    let told = init(bench, &[file, "--yes", "--as-of", "2023-12-31"]);
    let ran = bench.rfmill(&["run", "job.toml", "--quiet"]);
    assert_eq!(ran.code, 0, "{what} in {file}: {}\n{}", ran.err, job(bench));
    told
}

/// The customers of the last run by their ids: the day of the last order, in days since 1970, and the money in minor units.
fn customers(bench: &Bench, output: &str) -> BTreeMap<String, (i64, i128)> {
    let table = read_folder(&bench.path(&format!("{output}/latest/customers")));
    let at = |name: &str| table.column(name);
    let (id, day, money) = (at("customer_id"), at("last_order"), at("monetary"));
    table.rows.iter().map(|row| (row[id].text().to_owned(), (row[day].date(), row[money].minor()))).collect()
}

/// The job file.
fn job(bench: &Bench) -> String {
    String::from_utf8(bench.read("job.toml")).expect("UTF-8")
}
