//! Tables that Spark wrote, held against what Spark read of them. `tests/data/delta/README.md` says where they come from.

use std::path::{Path, PathBuf};

use super::find;
use crate::error::Result;
use crate::input::files;
use crate::input::input_path::Found;
use crate::input::table_rows::{damage_is_refused, read};
use crate::job::paths::LakePath;
use crate::storage::Place;

fn delta(folder: &Path, version: Option<u64>) -> Result<Found> {
    find(&LakePath { written: "table".into(), place: Place::Local(folder.to_owned()), version }, "orders.path")
}

/// The folders of tables with what Spark read: those of the repository, and of `RFMILL_DELTA_TABLES`.
fn tables() -> Vec<PathBuf> {
    let mut tables = Vec::new();
    let further = std::env::var_os("RFMILL_DELTA_TABLES").map(PathBuf::from);
    for folder in [Some(PathBuf::from("tests/data/delta")), further].into_iter().flatten() {
        let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        tables.extend(entries.filter(|table| table.join("expected").is_dir()));
    }
    tables.sort_unstable();
    tables
}

#[test]
fn tables_of_spark_have_the_rows_that_spark_read() {
    let mut wrong = Vec::new();
    let tables = tables();
    assert!(!tables.is_empty());
    for table in &tables {
        let expected = table.join("expected");
        let expected = files::find(&[("expected".into(), expected)], "orders.path").and_then(read);
        match (delta(&table.join("delta"), None).and_then(read), expected) {
            (Ok(found), Ok(expected)) if found == expected => {}
            (found, expected) => wrong.push(format!("{}: {found:?}\n  expected {expected:?}", table.display())),
        }
    }
    assert!(wrong.is_empty(), "{} of {} tables:\n{}", wrong.len(), tables.len(), wrong.join("\n"));
}

#[test]
fn damage_is_refused_without_a_panic() {
    for table in ["dv-with-columnmapping", "v2-json-sidecars-struct-stats-only", "multi-part-checkpoint", "table-with-dv-small"] {
        let is_of_log = |file: &Path| {
            file.extension().is_some_and(|ending| ending == "bin")
                || file.components().any(|part| part.as_os_str() == "_delta_log")
        };
        let table = Path::new("tests/data/delta").join(table).join("delta");
        damage_is_refused(&table, is_of_log, 60, |folder| delta(folder, None));
    }
}
