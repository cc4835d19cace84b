//! The recorded table, whole and damaged. `tests/data/iceberg/README.md` says what it holds.

use std::path::Path;

use super::find;
use crate::error::Result;
use crate::input::input_path::Found;
use crate::input::table_rows::{damage_is_refused, read};
use crate::job::paths::LakePath;
use crate::storage::Place;

const TABLE: &str = "tests/data/iceberg/shop";

fn iceberg(folder: &Path) -> Result<Found> {
    find(&LakePath { written: "table".into(), place: Place::Local(folder.to_owned()), version: None }, "orders.path")
}

#[test]
fn all_columns_are_read() {
    let (names, rows) = iceberg(Path::new(TABLE)).and_then(read).unwrap();
    assert_eq!(names, ["amount", "customer_id", "ordered_at", "total"]);
    let expected = [
        ["10.5", "1", "2024-01-05", "null"],
        ["30.0", "2", "2024-02-10", "null"],
        ["40.0", "2", "2024-11-30", "null"],
        ["50.0", "3", "2024-05-05", "x"],
    ];
    assert_eq!(rows, expected.map(|row| (row.map(str::to_owned).to_vec(), 1)).into());
}

#[test]
fn damage_is_refused_without_a_panic() {
    // What describes the current snapshot, and what deletes rows of it.
    let newest = "00107-by-hand.metadata.json";
    let is_read = |file: &Path| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name == newest || name.ends_with(".avro") || name.starts_with("by-hand")
    };
    damage_is_refused(Path::new(TABLE), is_read, 400, iceberg);
}
