//! What tests of tables with a log share: all rows of a table as text, and damage to its files.

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

use super::input_path::Found;
use super::joined::{self, SchemaWanted};
use super::reader::FileReader;
use super::schema::read_schema;
use super::source::Source;
use crate::error::Result;
use crate::temp::tempdir;

/// Rows as text, with how many times each is there.
pub(super) type Rows = BTreeMap<Vec<String>, usize>;

/// The names of the columns, sorted, and the rows.
pub(super) fn read(found: Found) -> Result<(Vec<String>, Rows)> {
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

/// Damages copies of a table, in files that `is_damaged` picks: they are read or refused, and nothing panics.
pub(super) fn damage_is_refused(
    table: &Path,
    is_damaged: impl Fn(&Path) -> bool,
    times: usize,
    find: impl Fn(&Path) -> Result<Found> + std::panic::RefUnwindSafe,
) {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let temp = tempdir().unwrap();
    let folder = temp.path().join("table");
    copy(table, &folder);
    let mut files = Vec::new();
    files_below(&folder, &mut files);
    files.retain(|file| is_damaged(file));
    files.sort_unstable();
    let mut refused = 0;
    for _ in 0..times {
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
        let tried = catch_unwind(|| find(&folder).and_then(read).map(drop));
        refused += u32::from(tried.unwrap_or_else(|_| panic!("{} panics", file.display())).is_err());
        std::fs::write(file, sound).unwrap();
    }
    assert!(refused > 0, "no damage of {} was found", table.display());
    find(&folder).and_then(read).unwrap();
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
