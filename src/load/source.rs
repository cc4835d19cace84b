//! What an output folder has to load: tables, their columns, and per as-of date the files with their rows.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rayon::prelude::*;

use crate::domain::Day;
use crate::error::{Error, Kind, Result};
use crate::publish::{self, CommittedRun, TableEntry};
use crate::tables::{ColumnType, DESCRIPTION, ONE_ROW_PER};

/// The column that every table has in a database, also where files have the date in their path alone.
pub const AS_OF: &str = "as_of";

/// Everything there is to load.
#[derive(Debug, Clone)]
pub struct Source {
    /// The job's name.
    pub job: String,
    /// The last committed run.
    pub run_id: String,
    /// Its tables.
    pub tables: Vec<SourceTable>,
}

/// A table of the source.
#[derive(Debug, Clone, Default)]
pub struct SourceTable {
    /// Its name.
    pub name: String,
    /// What a row stands for.
    pub one_row_per: String,
    /// Its columns after `as_of`; empty if no file tells them.
    pub columns: Vec<Column>,
    /// Its rows by as-of date. A table without one lies under its run's last as-of date.
    pub parts: BTreeMap<Day, Part>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnType,
    /// What it holds, in one sentence.
    pub doc: String,
}

/// The rows of a table at an as-of date.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// The run that wrote them.
    pub run_id: String,
    /// The files, in the order of their names.
    pub files: Vec<DataFile>,
}

/// A Parquet file.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

impl Part {
    /// Rows of all files.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|f| f.rows).sum()
    }

    /// A hash of the rows: equal files in equal order have the same.
    pub fn fingerprint(&self) -> String {
        let hashes: Vec<&str> = self.files.iter().map(|f| f.sha256.as_str()).collect();
        crate::hash::sha256(hashes.join("\n").as_bytes())
    }
}

/// The error for a file of a run that cannot be read.
pub(super) fn unreadable(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::input(format!("{} cannot be read: {error}; check it with `rfmill verify`, or run the job again", path.display()))
        .caused_by(error)
}

/// Columns, rows and description of a file.
struct Head {
    columns: Vec<Column>,
    rows: u64,
    one_row_per: String,
    has_as_of: bool,
}

fn head(path: &Path) -> Result<Head> {
    let file = File::open(path).map_err(|e| unreadable(path, e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| unreadable(path, e))?;
    let mut columns = Vec::new();
    for field in builder.schema().fields().iter().filter(|f| f.name() != AS_OF) {
        let kind = ColumnType::of(field.data_type()).ok_or_else(|| {
            Error::new(
                Kind::State,
                format!(
                    "{}: the column {:?} is of type {}, which tables of rfmill do not have; run the job again",
                    path.display(),
                    field.name(),
                    field.data_type()
                ),
            )
        })?;
        let doc = field.metadata().get(DESCRIPTION).cloned().unwrap_or_default();
        columns.push(Column { name: field.name().clone(), kind, doc });
    }
    let metadata = builder.metadata().file_metadata();
    let keys = metadata.key_value_metadata().into_iter().flatten();
    let one_row_per = keys.filter(|k| k.key == ONE_ROW_PER).find_map(|k| k.value.clone()).unwrap_or_default();
    let rows = u64::try_from(metadata.num_rows()).unwrap_or(0);
    Ok(Head { columns, rows, one_row_per, has_as_of: builder.schema().field_with_name(AS_OF).is_ok() })
}

impl SourceTable {
    /// Adds the columns of a file that are not there yet.
    fn extend(&mut self, head: Head, path: &Path) -> Result<()> {
        if self.one_row_per.is_empty() {
            self.one_row_per = head.one_row_per;
        }
        for column in head.columns {
            match self.columns.iter().find(|c| c.name == column.name) {
                None => self.columns.push(column),
                Some(known) if known.kind.sql() == column.kind.sql() => {}
                Some(known) => {
                    return Err(Error::new(
                        Kind::State,
                        format!(
                            "{}: the column {:?} is {}, but {} at another as-of date of the table {}; run the job again for all dates, or load only the last run",
                            path.display(),
                            column.name,
                            column.kind.sql(),
                            known.kind.sql(),
                            self.name
                        ),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The as-of date of a path such as `customers/as_of=2024-12-31/part-000.parquet`.
fn date_of(path: &str) -> Option<Day> {
    path.split('/').find_map(|part| part.strip_prefix("as_of=")).and_then(Day::parse)
}

/// The last committed run of an output folder.
///
/// # Errors
/// Exit 4 or 5 if it is not there or not whole.
pub fn last_run(root: &Path) -> Result<Source> {
    let CommittedRun { folder, manifest } = publish::last_run(root)?;
    let dates: Vec<Day> = manifest.as_of.iter().filter_map(|d| Day::parse(d)).collect();
    let tables = manifest.tables.iter().map(|entry| table_of_run(&folder, entry, &dates, &manifest.run_id));
    Ok(Source { tables: tables.collect::<Result<_>>()?, job: manifest.job_name, run_id: manifest.run_id })
}

fn table_of_run(run: &Path, entry: &TableEntry, dates: &[Day], run_id: &str) -> Result<SourceTable> {
    let mut table = SourceTable { name: entry.name.clone(), ..SourceTable::default() };
    // One file tells the columns, even if it has no rows.
    let mut has_as_of = true;
    if let Some(first) = entry.files.first() {
        let path = run.join(&first.path);
        let head = head(&path)?;
        has_as_of = head.has_as_of || date_of(&first.path).is_some();
        table.extend(head, &path)?;
    }
    let own_dates = if has_as_of { dates } else { dates.last().map_or(&[][..], std::slice::from_ref) };
    for date in own_dates {
        table.parts.insert(*date, Part { run_id: run_id.to_owned(), files: Vec::new() });
    }
    let mut rows = 0;
    for file in &entry.files {
        let date = match date_of(&file.path) {
            Some(date) => date,
            // The whole table in one file; its rows are in the files by date, too.
            None if has_as_of => continue,
            None => *dates.last().unwrap_or(&Day(0)),
        };
        rows += file.rows;
        let part = table.parts.entry(date).or_default();
        part.files.push(DataFile { path: run.join(&file.path), rows: file.rows, sha256: file.sha256.clone() });
    }
    if rows != entry.rows {
        return Err(Error::new(
            Kind::State,
            format!(
                "the manifest of {} counts {} rows of {}, but {rows} in its files; run the job again",
                run.display(),
                entry.rows,
                entry.name
            ),
        ));
    }
    Ok(table)
}

/// Every as-of date below `OUT/tables`, over all runs.
///
/// # Errors
/// Exit 4 or 5 if they are not there or cannot be read.
pub fn all_dates(root: &Path) -> Result<Source> {
    let manifest = publish::last_run(root)?.manifest;
    let runs = publish::runs_by_date(root)?;
    let link = root.join("tables");
    // What `tables` points to stays whole while a run commits.
    let folder = fs::canonicalize(&link).map_err(|e| unreadable(&link, e))?;
    let mut tables = Vec::new();
    for name in names(&folder)? {
        let mut table = SourceTable { name: name.clone(), ..SourceTable::default() };
        for dated in names(&folder.join(&name))? {
            let Some(date) = date_of(&dated) else { continue };
            let partition = folder.join(&name).join(&dated);
            let paths: Vec<PathBuf> = names(&partition)?.into_iter().map(|file| partition.join(file)).collect();
            if let Some(first) = paths.first() {
                table.extend(head(first)?, first)?;
            }
            let files: Vec<DataFile> = paths.into_par_iter().map(hashed).collect::<Result<_>>()?;
            let run_id = runs.get(&date.to_string()).unwrap_or(&manifest.run_id).clone();
            table.parts.insert(date, Part { run_id, files });
        }
        tables.push(table);
    }
    Ok(Source { job: manifest.job_name, run_id: manifest.run_id, tables })
}

fn hashed(path: PathBuf) -> Result<DataFile> {
    let bytes = fs::read(&path).map_err(|e| unreadable(&path, e))?;
    let sha256 = crate::hash::sha256(&bytes);
    Ok(DataFile { rows: head(&path)?.rows, path, sha256 })
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(|e| unreadable(folder, e))?;
    let mut names: Vec<String> = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    Ok(names)
}
