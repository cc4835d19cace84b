//! The rules of `[orders]`, each by an example worked by hand.

mod inherit;
mod lines;
mod oddities;
mod rows;
mod versions;

use std::collections::BTreeMap;

use rfmill::internals::domain::format_money;

use crate::fixture::Bench;
use crate::support::run::{Cell, read_folder};

/// Per customer of an as-of date the columns of the job, as text.
fn customers(bench: &Bench, as_of: &str) -> BTreeMap<String, Vec<String>> {
    let table = read_folder(&bench.path(&format!("out/latest/customers/as_of={as_of}")));
    let text = |cell: &Cell| match cell {
        Cell::Decimal(n, scale) => format_money(*n, *scale as u32),
        Cell::Double(x) => x.to_string(),
        other => other.key(),
    };
    table.rows.iter().map(|row| (text(&row[0]), row[1..].iter().map(text).collect())).collect()
}

/// Asserts the columns of some customers.
#[track_caller]
fn assert_customers(bench: &Bench, as_of: &str, want: &[(&str, &[&str])]) {
    let found = customers(bench, as_of);
    let found: Vec<(&str, Vec<&str>)> =
        found.iter().map(|(id, row)| (id.as_str(), row.iter().map(String::as_str).collect())).collect();
    let want: Vec<(&str, Vec<&str>)> = want.iter().map(|(id, row)| (*id, row.to_vec())).collect();
    assert_eq!(found, want, "at {as_of}");
}

/// The lines of a run that warn.
fn warnings(said: &str) -> Vec<&str> {
    said.lines().filter_map(|line| line.strip_prefix("warning: ")).collect()
}
