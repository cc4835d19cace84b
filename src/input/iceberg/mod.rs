//! The files of an Iceberg table, as its metadata say: which of them count in a snapshot, which of their rows, how their columns are
//! called, and the values of their partitions. Rows are read as those of any Parquet file.
//!
//! [`current`] chooses the file of [`metadata`], [`manifest`] reads which files a snapshot has ([`avro`], [`location`]), [`schema`]
//! and [`partition`] make columns of it, [`deletes`] finds the rows that do not count, [`planned`] joins all of it.
//! The form of all of it: <https://iceberg.apache.org/spec/>.

mod avro;
mod current;
mod deletes;
mod location;
mod manifest;
mod metadata;
mod partition;
mod planned;
mod schema;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rayon::prelude::*;

use super::files::check_scheme;
use super::input_path::{Found, InputPath};
use super::lake;
use super::lake_table::Table;
use super::table_file::{LakeVersion, TableFile, TableVersion};
use crate::error::Result;
use crate::job::paths::LakePath;
use crate::storage::Place;
use deletes::Deletes;
use location::Locations;
use manifest::{Content, DataFile};
use metadata::{Metadata, Snapshot};
use planned::Planned;
use schema::Defaults;

/// The format, as errors and manifests call it.
const FORMAT: &str = "Iceberg";

/// Most snapshots that an error names.
const MOST_NAMED: usize = 10;

/// The files of a snapshot of an Iceberg table; `key` is the key of the job file that names it.
///
/// # Errors
/// Exit 4: no such table or snapshot, metadata that cannot be read, a table that needs what rfmill does not know, no file at all.
pub(super) fn find(path: &LakePath, key: &'static str) -> Result<Found> {
    check_scheme(&path.written, key)?;
    if !current::is_metadata(&path.place) {
        let table = Table::new(FORMAT, path, key);
        let file = current::find(&table)?;
        if let Some(other) = lake::other_log(table.place, table.format).map_err(|e| e.of(table.written))? {
            return Err(table.two_logs(other));
        }
        return found(&file, table, true, path.version);
    }
    // A file of metadata lies in a folder of the table that is called so; if not, where the table is now is not known.
    let folder_of = |place: &Place| place.split().unwrap_or((place.clone(), String::new()));
    let (folder, _) = folder_of(&path.place);
    let (above, name) = folder_of(&folder);
    let has_moved = name == current::FOLDER;
    let (place, levels) = if has_moved { (above, 3) } else { (folder, 2) };
    let written = path.written.rsplitn(levels, '/').nth(levels - 1).unwrap_or(".");
    found(&path.place, Table { format: FORMAT, place: &place, written, key }, has_moved, path.version)
}

/// The files of a snapshot by a file of metadata. If the table `may_move`, its files are looked for where it lies now.
fn found(file: &Place, table: Table<'_>, may_move: bool, version: Option<u64>) -> Result<Found> {
    let metadata = current::read(file, &table)?;
    let snapshot = snapshot(&metadata, version, &table)?;
    // A named snapshot has the columns of its time.
    let schema = metadata.schema(version.and(snapshot.schema_id));
    let schema = schema.ok_or_else(|| table.wrong("has no schema in its metadata; restore them"))?;
    let id = u64::try_from(snapshot.snapshot_id);
    let id = id.map_err(|_| table.wrong(format_args!("has a snapshot with the id {}", snapshot.snapshot_id)))?;
    let version = LakeVersion::Snapshot(id);
    let columns = schema::columns(schema, &metadata, &table)?;
    let defaults = Defaults::of(schema);
    let folder = table.written.to_owned();
    let locations = Locations::new(table, may_move.then_some(metadata.location.as_str()));
    let planned = Planned {
        table: &table,
        locations: &locations,
        of: Arc::new(TableVersion::new((table.format, folder), version, (columns, true), &defaults.written)),
        partitions: metadata.partitions(),
        defaults,
    };
    let files = manifest::files(snapshot, &locations, &table)?;
    let deletes = Deletes::read(&files, &planned)?;
    let with_rows: Vec<&DataFile> = files.iter().filter(|file| file.content == Content::Rows).collect();
    // In the order of the manifests, so that the first error is always the same one.
    let files: Vec<Result<InputPath>> = with_rows.into_par_iter().map(|file| input(file, &planned, &deletes)).collect();
    table.found(files, version)
}

/// A file with its deleted rows.
fn input(file: &DataFile, planned: &Planned<'_>, deletes: &Deletes) -> Result<InputPath> {
    let input = planned.input(file)?;
    let deleted = deletes.of(file, &input)?;
    let table = input.table.as_deref().filter(|_| deleted.is_some());
    let table = table.map(|table| Arc::new(TableFile { deleted, ..table.clone() }));
    Ok(InputPath { table: table.or(input.table), ..input })
}

/// The snapshot with an id, or the current one.
fn snapshot<'a>(metadata: &'a Metadata, id: Option<u64>, table: &Table<'_>) -> Result<&'a Snapshot> {
    let Some(id) = id else {
        return metadata.current().ok_or_else(|| table.wrong("has no current snapshot, and so no rows; name another table"));
    };
    let found = metadata.snapshots.iter().find(|snapshot| u64::try_from(snapshot.snapshot_id) == Ok(id));
    found.ok_or_else(|| {
        let all = metadata.snapshots.len();
        let newest = metadata.snapshots.iter().rev().take(MOST_NAMED).map(|snapshot| snapshot.snapshot_id.to_string());
        let newest = newest.collect::<Vec<_>>().join(", ");
        let has = match all {
            0 => "its metadata have none".to_owned(),
            _ if all > MOST_NAMED => format!("its metadata have {all}, the newest of which are {newest}"),
            _ => format!("its metadata have {newest}"),
        };
        table.wrong(format_args!("has no snapshot {id}; {has}"))
    })
}
