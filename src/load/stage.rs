//! Copies files into staging tables, a few connections at a time.

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use postgres::{Client, CopyInWriter};

use super::binary::{self, HEADER, TRAILER};
use super::database::Database;
use super::structure::{STAGING, column_list};
use crate::domain::Day;
use crate::error::{Error, Result};
use crate::export::{AS_OF, DataFile, SourceTable, unreadable};
use crate::progress::Progress;
use crate::storage::Place;
use crate::tables::identifier;

/// Rows that are decoded at once.
const BATCH: usize = 8192;

/// Bytes that are sent at once.
const CHUNK: usize = 256 * 1024;

/// The staging table of a table, with its schema.
pub fn staging(database: &Database, table: &str) -> String {
    format!("{}.{}", identifier(&database.target.schema), identifier(&format!("{STAGING}{table}")))
}

/// A file to copy.
struct Task<'a> {
    table: &'a SourceTable,
    as_of: Day,
    file: &'a DataFile,
}

/// Creates the staging tables: no index, and nothing in the server's log of writes, since a load that fails starts anew.
///
/// # Errors
/// Exit 6 if the server refuses.
pub fn create(client: &mut Client, database: &Database, tables: &[&SourceTable]) -> Result<()> {
    for table in tables {
        let name = staging(database, &table.name);
        client
            .batch_execute(&format!("DROP TABLE IF EXISTS {name}; CREATE UNLOGGED TABLE {name} ({})", column_list(table, true)))
            .map_err(|e| database.failed(&format!("create the staging table of {}", table.name), e))?;
    }
    Ok(())
}

/// Drops staging tables.
///
/// # Errors
/// Exit 6 if the server refuses.
pub fn remove<'a>(client: &mut Client, database: &Database, names: impl Iterator<Item = &'a str>) -> Result<()> {
    for name in names {
        let name = format!("{}.{}", identifier(&database.target.schema), identifier(name));
        client.batch_execute(&format!("DROP TABLE IF EXISTS {name}")).map_err(|e| database.failed("drop a staging table", e))?;
    }
    Ok(())
}

/// Copies the files of these dates into the staging tables, over `connections` connections.
///
/// # Errors
/// Exit 4 if a file cannot be read or is not the one of its run, 3 if PostgreSQL cannot store a value, 6 or 7 if the
/// server fails.
pub fn copy(database: &Database, dates: &[(&SourceTable, Vec<Day>)], connections: usize, progress: &dyn Progress) -> Result<()> {
    let parts = dates.iter().flat_map(|(table, days)| days.iter().filter_map(|day| Some((*table, *day, table.parts.get(day)?))));
    let mut tasks: Vec<Task<'_>> =
        parts.flat_map(|(table, as_of, part)| part.files.iter().map(move |file| Task { table, as_of, file })).collect();
    // Large files first, so that no connection is left with one at the end.
    tasks.sort_by_key(|task| std::cmp::Reverse(task.file.rows));
    let next = AtomicUsize::new(0);
    let failure: Mutex<Option<Error>> = Mutex::new(None);
    let work = || -> Result<()> {
        let mut client = database.connect()?;
        loop {
            let stopped = failure.lock().map_or(true, |failure| failure.is_some());
            let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !stopped) else { return Ok(()) };
            copy_file(&mut client, database, task, progress)?;
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..connections.clamp(1, tasks.len().max(1)) {
            scope.spawn(|| {
                if let Err(error) = work()
                    && let Ok(mut failure) = failure.lock()
                {
                    failure.get_or_insert(error);
                }
            });
        }
    });
    match failure.into_inner() {
        Ok(None) => Ok(()),
        Ok(Some(error)) => Err(error),
        Err(_) => Err(Error::bug("a copying thread stopped on a broken assumption")),
    }
}

fn copy_file(client: &mut Client, database: &Database, task: &Task<'_>, progress: &dyn Progress) -> Result<()> {
    let place = &task.file.place;
    let bytes = task.file.read()?;
    let failed = |e: postgres::Error| database.failed(&format!("copy {place}"), e);
    let names: Vec<String> = task.table.columns.iter().map(|c| c.name.clone()).collect();
    let list: String = names.iter().map(|name| format!(", {}", identifier(name))).collect();
    let statement = format!("COPY {} ({AS_OF}{list}) FROM STDIN (FORMAT binary)", staging(database, &task.table.name));
    let mut writer = client.copy_in(statement.as_str()).map_err(failed)?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).and_then(|b| b.with_batch_size(BATCH).build());
    let mut rows = 0u64;
    let mut buffer = Vec::with_capacity(CHUNK * 2);
    buffer.extend_from_slice(HEADER);
    for batch in reader.map_err(|e| unreadable(place, e))? {
        let batch = batch.map_err(|e| unreadable(place, e))?;
        binary::rows(&batch, task.file.as_of.unwrap_or(task.as_of), &names, &mut buffer).map_err(|refused| match refused.row {
            Some(row) => Error::contract(format!(
                "{place}, column {:?}, row {}: the text holds a NUL character, which PostgreSQL cannot store; correct it in the orders",
                refused.column,
                rows + row as u64 + 1
            )),
            None => Error::bug(format!("{place}: the column {:?} has no type of ours", refused.column)),
        })?;
        rows += batch.num_rows() as u64;
        if buffer.len() >= CHUNK {
            send(&mut writer, &mut buffer).map_err(|e| failed_write(database, place, e))?;
        }
        progress.advance(batch.num_rows() as u64);
    }
    buffer.extend_from_slice(TRAILER);
    send(&mut writer, &mut buffer).map_err(|e| failed_write(database, place, e))?;
    let copied = writer.finish().map_err(failed)?;
    if copied != rows || rows != task.file.rows {
        return Err(Error::bug(format!("{place} holds {rows} rows, {} by its run, and {copied} arrived", task.file.rows)));
    }
    Ok(())
}

fn send(writer: &mut CopyInWriter<'_>, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    writer.write_all(buffer)?;
    buffer.clear();
    Ok(())
}

/// A failed write holds the server's error.
fn failed_write(database: &Database, place: &Place, error: std::io::Error) -> Error {
    let tried = format!("copy {place}");
    match error.downcast::<postgres::Error>() {
        Ok(inner) => database.failed(&tried, inner),
        Err(error) => Error::output(format!("{}: cannot {tried}: {error}; load again", database.target.place())).caused_by(error),
    }
}
