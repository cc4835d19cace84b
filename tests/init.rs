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

/// The job file.
fn job(bench: &Bench) -> String {
    String::from_utf8(bench.read("job.toml")).expect("UTF-8")
}
