//! Queries over sources of any shape. What needs `rfmill-query` runs where it lies beside rfmill, as `cargo build --release --workspace`
//! puts it; else each test says that it is skipped. `RFMILL_QUERY=required` makes that a failure.

mod alone;
mod lake;
mod recipes;
mod refused;
mod shapes;
mod stages;

use std::path::Path;

use crate::fixture::{Bench, PROGRAM};
use crate::support::run::{Cell, read_folder};

/// Whether the program that runs queries is there, and of these sources.
pub(crate) fn has_program() -> bool {
    let program = Path::new(PROGRAM).with_file_name("rfmill-query");
    let is_required = std::env::var_os("RFMILL_QUERY").is_some();
    let built = std::fs::metadata(&program).and_then(|file| file.modified()).ok();
    let what = match built {
        None => "there is no rfmill-query",
        // Plain cargo commands do not build it, so one of older sources can lie there.
        Some(built) if !is_required && changed_after(Path::new(SOURCES), built) => "an older rfmill-query lies",
        Some(_) => return true,
    };
    assert!(!is_required, "{what} beside {PROGRAM}");
    eprintln!("skipped: {what} beside {PROGRAM}; cargo build -p rfmill-query builds it");
    false
}

/// The sources of that program.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/query");

/// Whether a file below a folder was changed after this time.
fn changed_after(folder: &Path, time: std::time::SystemTime) -> bool {
    let entries = std::fs::read_dir(folder).expect("a folder of sources").map(|entry| entry.expect("an entry").path());
    entries.into_iter().any(|path| {
        let changed = || std::fs::metadata(&path).and_then(|file| file.modified()).expect("its time");
        if path.is_dir() { changed_after(&path, time) } else { changed() > time }
    })
}

/// Customers of the last run with their orders and money in minor units, in the order of their ids.
fn customers(bench: &Bench) -> Vec<(String, i128, i128)> {
    let table = read_folder(&bench.path("out/latest/customers"));
    let at = |name: &str| table.column(name);
    let (id, frequency, monetary) = (at("customer_id"), at("frequency"), at("monetary"));
    let row = |row: &Vec<Cell>| (row[id].key(), row[frequency].int(), row[monetary].minor());
    let mut rows: Vec<_> = table.rows.iter().map(row).collect();
    rows.sort();
    rows
}

/// The same, as tests write it.
fn rows(of: &[(&str, i128, i128)]) -> Vec<(String, i128, i128)> {
    of.iter().map(|(id, orders, money)| ((*id).to_owned(), *orders, *money)).collect()
}

/// A job over sources: their sections, the query, and the columns `customer`, `day` and `amount` of its result.
fn job(sources: &str, query: &str) -> String {
    format!(
        "name = \"test\"\n{sources}\n[orders]\nquery = '''{query}'''\ncustomer_id = \"customer\"\nordered_at = \"day\"\namount = \"amount\"\n\n[periods]\nas_of = [2024-12-31]\n\n[output]\npath = \"out\"\n"
    )
}

/// A source of one CSV file.
fn source(name: &str, path: &str, keys: &str) -> String {
    format!("[[source]]\nname = \"{name}\"\npath = \"{path}\"\n{keys}\n")
}
