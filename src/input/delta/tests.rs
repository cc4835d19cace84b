//! Tables that Spark wrote, held against what Spark read of them. `tests/data/delta/README.md` says where they come from.

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::find;
use crate::error::Result;
use crate::input::files;
use crate::input::input_path::Found;
use crate::input::joined::{self, SchemaWanted};
use crate::input::reader::FileReader;
use crate::input::schema::read_schema;
use crate::input::source::Source;
use crate::job::paths::LakePath;
use crate::storage::Place;
use crate::temp::tempdir;

/// Rows as text, with how many times each is there.
type Rows = BTreeMap<Vec<String>, usize>;

fn delta(folder: &Path, version: Option<u64>) -> Result<Found> {
    find(&LakePath { written: "table".into(), place: Place::Local(folder.to_owned()), version }, "orders.path")
}

/// The names of the columns, sorted, and the rows.
fn read(found: Found) -> Result<(Vec<String>, Rows)> {
    let mut sources = found.files.into_iter().map(|file| Source::open(file, None)).collect::<Result<Vec<_>>>()?;
    joined::join(&mut sources, &SchemaWanted::default());
    let mut rows = Rows::new();
    let mut all = Vec::new();
    for source in &sources {
        let mut names: Vec<String> = read_schema(source).fields().iter().map(|field| field.name().clone()).collect();
        names.sort_unstable();
        let reader = FileReader::new(source, &names, "")?;
        let (file, mut next) = (source.reopen()?, 0);
        for group in 0..source.metadata.metadata().num_row_groups() {
            let before = next;
            reader.read(&file, group, &mut Vec::new(), |first, columns| {
                assert_eq!(first, next, "rows that count are numbered without gaps");
                let options = FormatOptions::default().with_null("null");
                let columns: Vec<ArrayRef> = columns.iter().map(with_offset).collect();
                let shown: Vec<_> = columns.iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &options).unwrap()).collect();
                for row in 0..columns.first().map_or(0, |column| column.len()) {
                    *rows.entry(shown.iter().map(|column| column.value(row).to_string()).collect()).or_default() += 1;
                    next += 1;
                }
                Ok(())
            })?;
            assert_eq!(next - before, source.group_rows(group));
        }
        assert_eq!(next, source.rows());
        all = names;
    }
    Ok((all, rows))
}

/// Instants with an offset in place of the name of a zone, which the library cannot show.
fn with_offset(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Timestamp(_, Some(_)) => {
            cast(column, &DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()))).unwrap()
        }
        _ => Arc::clone(column),
    }
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

/// Damaged logs and deletion vectors are read or refused; nothing panics.
#[test]
fn damage_is_refused_without_a_panic() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for table in ["dv-with-columnmapping", "v2-json-sidecars-struct-stats-only", "multi-part-checkpoint", "table-with-dv-small"] {
        let temp = tempdir().unwrap();
        let folder = temp.path().join(table);
        copy(&Path::new("tests/data/delta").join(table).join("delta"), &folder);
        let mut files = Vec::new();
        files_below(&folder, &mut files);
        files
            .retain(|file| file.extension().is_some_and(|ending| ending == "bin") || file.starts_with(folder.join("_delta_log")));
        files.sort_unstable();
        let mut refused = 0;
        for _ in 0..60 {
            let file = &files[random.random_range(0..files.len())];
            let sound = std::fs::read(file).unwrap();
            let mut damaged = sound.clone();
            match random.random_range(0..3) {
                0 => damaged.truncate(random.random_range(0..sound.len())),
                _ => {
                    for _ in 0..random.random_range(1..4) {
                        let at = random.random_range(0..sound.len());
                        damaged[at] = random.random();
                    }
                }
            }
            std::fs::write(file, damaged).unwrap();
            let tried = catch_unwind(|| delta(&folder, None).and_then(read).map(drop));
            refused += u32::from(tried.unwrap_or_else(|_| panic!("{} panics", file.display())).is_err());
            std::fs::write(file, sound).unwrap();
        }
        assert!(refused > 0, "no damage of {table} was found");
        delta(&folder, None).and_then(read).unwrap();
    }
}

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { files_below(&entry, files) } else { files.push(entry) }
    }
}

fn copy(from: &Path, to: &Path) {
    let mut files = Vec::new();
    files_below(from, &mut files);
    for file in files {
        let to = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(file, to).unwrap();
    }
}
