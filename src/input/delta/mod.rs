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
#[cfg(test)]
mod tests;
mod vector;

use std::sync::Arc;

use rayon::prelude::*;

use super::files::check_scheme;
use super::input_path::{Found, InputPath};
use super::lake;
use super::lake_table::Table;
use super::table_file::{LakeVersion, TableFile, TableVersion};
use crate::error::Result;
use crate::job::paths::LakePath;
use action::Add;
use location::resolved;
use schema::Columns;

/// The files of a version of a Delta table; `key` is the key of the job file that names it.
///
/// # Errors
/// Exit 4: no such table or version, a log that cannot be read, a table that needs what rfmill does not know, no file at all.
pub(super) fn find(path: &LakePath, key: &'static str) -> Result<Found> {
    check_scheme(&path.written, key)?;
    let table = Table::new("Delta", path, key);
    let snapshot = replay::snapshot(&table, path.version)?;
    protocol::check(&snapshot.protocol, &table)?;
    let other = lake::other_log(table.place, table.format).map_err(|e| e.of(table.written))?;
    if let Some(other) = other.filter(|other| !snapshot.metadata.writes_for(other)) {
        return Err(table.two_logs(other));
    }
    let Columns { columns, has_field_ids } = schema::columns(&snapshot, &table)?;
    let (folder, version) = (table.written.to_owned(), LakeVersion::Version(snapshot.version));
    let of = Arc::new(TableVersion::new((table.format, folder), version, (columns, has_field_ids), &[]));
    // In the order of the log, so that the first error is always the same one.
    let files: Vec<Result<InputPath>> = snapshot.files.par_iter().map(|add| input(add, &of, &table)).collect();
    table.found(files, version)
}

/// A file that counts.
fn input(add: &Add, of: &Arc<TableVersion>, table: &Table<'_>) -> Result<InputPath> {
    let place = resolved(&add.path, table)?;
    let name = table.name_of(&place);
    let deleted = add.deletion_vector.as_ref().map(|vector| vector::read(vector, &name, table)).transpose()?;
    let constants = partition::constants(add, &of.columns, table)?;
    let size = u64::try_from(add.size).map_err(|_| table.wrong(format_args!("gives {name} {} bytes in its log", add.size)))?;
    let file = TableFile { table: Arc::clone(of), size, constants, unread: Vec::new(), deleted };
    Ok(InputPath { table: Some(Arc::new(file)), ..InputPath::plain(name, place, table.key) })
}
