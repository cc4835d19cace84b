//! The files of a Delta table, as its log says: which of them count in a version, which of their rows, how their columns are
//! called, and the values of their partitions. Rows are read as those of any Parquet file.
//!
//! [`log`] chooses the files of the log, [`replay`] reads them ([`action`], [`checkpoint`]) into the state of the table,
//! [`schema`] and [`partition`] make columns of it, [`vector`] reads deletion vectors.
//! The form of all of it: <https://github.com/delta-io/delta/blob/master/PROTOCOL.md>.

mod action;
mod checkpoint;
mod location;
mod log;
mod partition;
mod protocol;
mod replay;
mod schema;
mod table;
#[cfg(test)]
mod tests;
mod vector;

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::files::check_scheme;
use super::input_path::{Found, InputPath};
use super::lake;
use super::table_file::{TableFile, TableVersion};
use crate::error::{Error, Result};
use crate::job::paths::DeltaPath;
use crate::storage::{ObjectUrl, Place};
use action::Add;
use location::resolved;
use schema::Columns;
use table::Table;

/// The files of a version of a Delta table; `key` is the key of the job file that names it.
///
/// # Errors
/// Exit 4: no such table or version, a log that cannot be read, a table that needs what rfmill does not know, a file that is
/// gone, no file at all.
pub(super) fn find(path: &DeltaPath, key: &'static str) -> Result<Found> {
    check_scheme(&path.written, key)?;
    if ObjectUrl::parse(&path.written).is_some() {
        return Err(Error::input(format!(
            "{key} names the Delta table {}, and rfmill reads the logs of tables on a disk of this machine alone; copy or mount the table",
            path.written
        )));
    }
    let table = Table { folder: &path.path, written: path.written.trim_end_matches('/'), key };
    table.check()?;
    let snapshot = replay::snapshot(&table, path.version)?;
    protocol::check(&snapshot.protocol, &table)?;
    let others = lake::other_logs(table.folder);
    if let Some(other) = others.filter(|other| !snapshot.metadata.writes_for(other)) {
        return Err(table.wrong(format_args!(
            "lies in a folder with the log of an {other} table as well, so which of the two is current cannot be told; write the current rows to a table of their own"
        )));
    }
    let Columns { columns, has_field_ids } = schema::columns(&snapshot, &table)?;
    let folder = table.written.to_owned();
    let of = Arc::new(TableVersion { format: "Delta", folder, version: snapshot.version, columns, has_field_ids });
    // In the order of the log, so that the first error is always the same one.
    let files: Vec<Result<InputPath>> = snapshot.files.par_iter().map(|add| input(add, &of, &table)).collect();
    let mut files = files.into_iter().collect::<Result<Vec<_>>>()?;
    if files.is_empty() {
        return Err(table.wrong(format_args!("has no rows in version {}; name another version", snapshot.version)));
    }
    files.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.place.cmp(&b.place)));
    let twice = files.windows(2).find(|pair| matches!(pair, [a, b] if a.place == b.place));
    if let Some([file, ..]) = twice {
        return Err(table.wrong(format_args!(
            "has the file {} twice in version {}, with other deleted rows; restore its log",
            file.name, snapshot.version
        )));
    }
    Ok(Found { files, warnings: Vec::new() })
}

/// A file that counts.
fn input(add: &Add, of: &Arc<TableVersion>, table: &Table<'_>) -> Result<InputPath> {
    let path = resolved(&add.path, table)?;
    let name = match path.strip_prefix(table.folder) {
        Ok(below) => format!("{}/{}", table.written, below.display()),
        Err(_) => path.display().to_string(),
    };
    check_there(&path, of, table)?;
    let deleted = add.deletion_vector.as_ref().map(|vector| vector::read(vector, &name, table)).transpose()?;
    let constants = partition::constants(add, &of.columns, table)?;
    let size = u64::try_from(add.size).map_err(|_| table.wrong(format_args!("gives {name} {} bytes in its log", add.size)))?;
    let file = TableFile { table: Arc::clone(of), size, constants, deleted };
    Ok(InputPath { name, place: Place::Local(path), partitions: Vec::new(), key: table.key, table: Some(Arc::new(file)) })
}

fn check_there(path: &Path, of: &TableVersion, table: &Table<'_>) -> Result<()> {
    std::fs::metadata(path).map(drop).map_err(|e| {
        let what = match e.kind() {
            std::io::ErrorKind::NotFound => {
                "which is gone; restore it, or name a version whose files were not vacuumed".to_owned()
            }
            _ => format!("which cannot be read: {e}; check its permissions"),
        };
        let what = format!("has the file {} in version {}, {what}", path.display(), of.version);
        table.wrong(what).caused_by(e)
    })
}
