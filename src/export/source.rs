//! What an output shows: tables, their columns, and per as-of date the files with their rows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bytes::Bytes;
use rayon::prelude::*;

use crate::domain::Day;
use crate::error::{Error, Kind, Result};
use crate::job::raw::TableName;
use crate::publish::{self, DimensionFile, TableFile};
use crate::storage::Place;
use crate::tables::{ColumnType, DESCRIPTION, ONE_ROW_PER, read_by_views};

/// The column that every table of a date has for readers, also where files have the date in their path alone.
pub const AS_OF: &str = "as_of";

/// Everything that an output shows.
#[derive(Debug, Clone)]
pub struct Source {
    /// Number of the commit that shows it.
    pub commit: u64,
    /// The job's name.
    pub job: String,
    /// The run that `latest` names.
    pub run_id: String,
    /// The tables of all dates in view.
    pub tables: Vec<SourceTable>,
    /// The dates in view.
    pub dates: BTreeSet<Day>,
    /// Dates that were taken out.
    pub dropped: BTreeSet<Day>,
    /// Dates of an output of 0.1.0 whose files are not known.
    unknown: Vec<String>,
}

impl Source {
    /// What to say of dates that cannot be loaded yet.
    pub fn warning(&self, output: &Place) -> Option<String> {
        let first = self.unknown.first()?;
        let (dates, are) = if self.unknown.len() == 1 { ("as-of date", "is") } else { ("as-of dates", "are") };
        Some(format!(
            "{} {dates} of {output}, such as {first}, {are} not loaded: 0.1.0 wrote them, and nothing but a commit of this version can tell what they hold; run the job once, then load again",
            self.unknown.len()
        ))
    }
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
    /// Whether it is one file over all dates, which lies under the newest one and is replaced whole.
    pub is_whole: bool,
    /// Whether its files have the column `as_of`.
    pub says_dates: bool,
}

impl SourceTable {
    /// Whether it has the column `as_of` for readers: a table over all dates has it only where its rows say their dates.
    pub fn is_dated(&self) -> bool {
        !self.is_whole || self.says_dates
    }
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
    pub place: Place,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// The date of its rows, where that is not the one of the part.
    pub as_of: Option<Day>,
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

impl DataFile {
    /// Its bytes, which are the ones that were committed.
    ///
    /// # Errors
    /// Exit 4 if they cannot be read or are others.
    pub fn read(&self) -> Result<Bytes> {
        let place = &self.place;
        let bytes = match place {
            Place::Local(path) => fs::read(path).map_err(|e| unreadable(place, e))?,
            Place::Object(_) => place.read().map_err(|e| unreadable(place, e))?,
        };
        if crate::hash::sha256(&bytes) != self.sha256 {
            return Err(Error::input(format!(
                "{place} cannot be read: it was changed or damaged after it was written; check it with `rfmill verify`, or run the job again"
            )));
        }
        Ok(bytes.into())
    }
}

/// The error for a file of a run that cannot be read.
pub fn unreadable(place: &Place, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::input(format!("{place} cannot be read: {error}; check it with `rfmill verify`, or run the job again")).caused_by(error)
}

/// Columns and description of a file.
struct Head {
    columns: Vec<Column>,
    says_dates: bool,
    one_row_per: String,
}

fn head(file: &DataFile) -> Result<Head> {
    let place = &file.place;
    // Of a file that was damaged, its hash says more than what its footer cannot be read by.
    let read = publish::parquet_metadata(place).or_else(|e| file.read().and(Err(unreadable(place, e))))?;
    let says_dates = read.schema().column_with_name(AS_OF).is_some();
    let mut columns = Vec::new();
    for field in read.schema().fields().iter().filter(|f| f.name() != AS_OF) {
        let kind = ColumnType::of(field.data_type()).ok_or_else(|| {
            Error::new(
                Kind::State,
                format!(
                    "{place}: the column {:?} is of type {}, which tables of rfmill do not have; run the job again",
                    field.name(),
                    field.data_type()
                ),
            )
        })?;
        let doc = field.metadata().get(DESCRIPTION).cloned().unwrap_or_default();
        columns.push(Column { name: field.name().clone(), kind, doc });
    }
    let metadata = read.metadata().file_metadata();
    let keys = metadata.key_value_metadata().into_iter().flatten();
    let one_row_per = keys.filter(|k| k.key == ONE_ROW_PER).find_map(|k| k.value.clone()).unwrap_or_default();
    Ok(Head { columns, says_dates, one_row_per })
}

impl SourceTable {
    /// Adds the columns of a file that are not there yet.
    fn extend(&mut self, head: Head, place: &Place) -> Result<()> {
        if self.one_row_per.is_empty() {
            self.one_row_per = head.one_row_per;
        }
        self.says_dates |= head.says_dates;
        for column in head.columns {
            match self.columns.iter_mut().find(|c| c.name == column.name) {
                None => self.columns.push(column),
                Some(known) if known.kind.takes(column.kind) => {}
                Some(known) if column.kind.takes(known.kind) => known.kind = column.kind,
                Some(known) => {
                    return Err(Error::new(
                        Kind::State,
                        format!(
                            "{place}: the column {:?} is {}, but {} at another as-of date of the table {}; run the job again for all dates, or take the other date out with `rfmill drop`",
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

impl SourceTable {
    /// Adds the columns that this version's views read and files of an earlier one lack: they are null.
    fn complete(&mut self) {
        let scale_of = |kind: ColumnType| match kind {
            ColumnType::Decimal(_, scale) => Some(scale),
            _ => None,
        };
        let declared = |scale| read_by_views(scale).into_iter().find(|table| table.name == self.name);
        let Some(table) = declared(0).filter(|_| !self.columns.is_empty()) else { return };
        // The digits of money, by which a known column has more than it would have without.
        let scale = self.columns.iter().find_map(|known| {
            let without = table.columns.iter().find(|column| column.name == known.name)?;
            Some(scale_of(known.kind)? - scale_of(without.kind)?)
        });
        for column in declared(scale.unwrap_or(0)).into_iter().flat_map(|table| table.columns) {
            if column.name != AS_OF && !self.columns.iter().any(|known| known.name == column.name) {
                self.columns.push(Column { name: column.name.clone(), kind: column.kind, doc: column.doc.to_owned() });
            }
        }
    }
}

/// The as-of dates in view, each with the run that supplies it; of the last commit, or of one with a number, which is the last or
/// the one before.
///
/// # Errors
/// Exit 4 or 5 if they are not there or cannot be read.
pub fn view(output: &Place, commit: Option<u64>) -> Result<Source> {
    let view = publish::view(output, commit)?;
    let mut tables: BTreeMap<String, SourceTable> = BTreeMap::new();
    let mut firsts = Vec::new();
    let mut dates = BTreeSet::new();
    let newest_run = view.dates.last_key_value().map(|(_, shown)| shown.run_id.clone());
    for (date, shown) in view.dates {
        let Some(day) = Day::parse(&date) else { continue };
        dates.insert(day);
        for (name, files) in shown.tables {
            let file = |(place, file): (Place, TableFile)| DataFile { place, rows: file.rows, sha256: file.sha256, as_of: None };
            let files: Vec<DataFile> = files.into_iter().map(file).collect();
            firsts.extend(files.first().map(|file| (name.clone(), file.clone())));
            let part = Part { run_id: shown.run_id.clone(), files };
            let table = tables.entry(name.clone()).or_insert_with(|| SourceTable { name, ..SourceTable::default() });
            table.parts.insert(day, part);
        }
    }
    let newest = dates.last().copied().zip(newest_run);
    for (name, files) in view.dimensions {
        let Some((day, run_id)) = newest.clone() else { break };
        let file = |DimensionFile { as_of, place, file }: DimensionFile| {
            let as_of = as_of.and_then(|date| Day::parse(&date));
            DataFile { place, rows: file.rows, sha256: file.sha256, as_of }
        };
        let files: Vec<DataFile> = files.into_iter().map(file).collect();
        firsts.extend(files.last().map(|file| (name.clone(), file.clone())));
        let says_dates = files.iter().any(|file| file.as_of.is_some());
        let parts = [(day, Part { run_id, files })].into();
        let table = SourceTable { name: name.clone(), parts, is_whole: true, says_dates, ..SourceTable::default() };
        tables.insert(name, table);
    }
    // Ascending by date, so that the order of columns is that in which they came.
    let read = |(name, file): (String, DataFile)| head(&file).map(|head| (name, head, file.place));
    for (name, head, place) in firsts.into_par_iter().map(read).collect::<Result<Vec<_>>>()? {
        if let Some(table) = tables.get_mut(&name) {
            table.extend(head, &place)?;
        }
    }
    let mut tables: Vec<SourceTable> = tables.into_values().collect();
    tables.iter_mut().for_each(SourceTable::complete);
    tables.sort_by_key(|table| TableName::ALL.iter().position(|known| known.name() == table.name));
    Ok(Source {
        commit: view.commit,
        job: view.owner.job,
        run_id: view.run_id.unwrap_or_else(|| "none".to_owned()),
        tables,
        dates,
        dropped: view.dropped.iter().filter_map(|date| Day::parse(date)).collect(),
        unknown: view.unknown,
    })
}
