//! Queries and their sources, resolved: which tables of the job are the result of SQL, over which files.

use std::path::PathBuf;

use rfmill_query_request::{CsvFormat, Encoding, Format};
use serde::{Deserialize, Serialize};

use super::parse::Source;
use super::paths::{InputPaths, LakePath};
use super::raw::{OneOrMany, RawAssignments, RawJob, RawPath, RawSource, RawTable, SourceEncoding, SourceFormat};
use crate::error::{Error, Result};
use crate::storage::Place;

/// A table of the job that is the result of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Which table.
    pub table: QueriedTable,
    /// The SQL.
    pub sql: String,
}

/// A table that a query can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueriedTable {
    /// `[orders]`.
    Orders,
    /// `[customers]`.
    Customers,
    /// `[events]`.
    Events,
    /// The assignments of the strategy with this number.
    Assignments(usize),
}

impl QueriedTable {
    /// The key of the job file that has its query.
    pub fn key(self) -> &'static str {
        match self {
            QueriedTable::Orders => "orders.query",
            QueriedTable::Customers => "customers.query",
            QueriedTable::Events => "events.query",
            QueriedTable::Assignments(_) => "strategy.assignments.query",
        }
    }

    /// Its section of the job file.
    fn section(self) -> &'static str {
        self.key().trim_end_matches(".query")
    }

    /// The name of the file that holds its rows, which no other table of the job has.
    pub fn file_name(self) -> String {
        match self {
            QueriedTable::Assignments(strategy) => format!("assignments-{strategy}.parquet"),
            table => format!("{}.parquet", table.section()),
        }
    }
}

/// A table that SQL may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSource {
    /// Its name.
    pub name: String,
    /// Where its files are.
    pub paths: InputPaths,
    /// Its format; by the endings of its files if none.
    pub format: Option<Format>,
    /// How its CSV files are written.
    pub csv: CsvFormat,
}

/// The paths of a section, and its query if it has one.
pub(super) struct Section<'a> {
    pub table: QueriedTable,
    pub path: Option<&'a RawPath>,
    pub manifest: Option<&'a str>,
    pub query: Option<&'a str>,
}

/// Where the files of a section are; no pattern if it has a query.
///
/// # Errors
/// Exit 2: neither a path nor a query, or both; a list of hashes beside a query.
pub(super) fn paths(section: &Section<'_>, source: &Source) -> Result<InputPaths> {
    let name = section.table.section();
    let key = section.table.key();
    let wrong = |near: &str, what: String| Err(Error::usage(format!("{}: {what}", source.locate(&format!("{name}{near}"), ""))));
    match (section.path, section.query) {
        (Some(_), Some(_)) => wrong(".query", format!("[{name}] has both a path and a query; keep the one that has the rows")),
        (None, None) => wrong("", format!("{name}.path is missing; name the files, or give {key} for other shapes")),
        (None, Some(_)) if section.manifest.is_some() => {
            wrong(".manifest", format!("{name}.manifest lists hashes of files, and {key} reads none by itself; remove it"))
        }
        (None, Some(_)) => Ok(InputPaths::default()),
        (Some(RawPath::Table(raw)), None) => Ok(table(raw, source)),
        (Some(RawPath::Files(path)), None) => {
            let key = format!("{name}.path");
            Ok(InputPaths::Patterns(joined(path, &source.locate(&key, ""), &key, source)?))
        }
    }
}

/// A table that has a log, its folder joined to that of the job file.
pub(super) fn table(raw: &RawTable, source: &Source) -> InputPaths {
    let path =
        |written: &str, version| LakePath { written: written.to_owned(), place: Place::of(written, source.folder()), version };
    match raw {
        RawTable::Delta(table) => InputPaths::Delta(path(&table.delta, table.version)),
        RawTable::Iceberg(table) => InputPaths::Iceberg(path(&table.iceberg, table.snapshot)),
    }
}

/// Paths as written, and joined to the folder of the job file, where they stand at `place`.
fn joined(paths: &OneOrMany, place: &str, key: &str, source: &Source) -> Result<Vec<(String, PathBuf)>> {
    if paths.as_slice().is_empty() {
        return Err(Error::usage(format!("{place}: {key} is an empty list; name at least one file")));
    }
    Ok(paths.as_slice().iter().map(|p| (p.clone(), source.folder().join(p))).collect())
}

/// The queries of a job and the sources they may name.
///
/// # Errors
/// Exit 2: an empty query, a query without sources, sources without a query, a source that cannot be.
pub(super) fn resolve(raw: &RawJob, source: &Source) -> Result<(Vec<Query>, Vec<DataSource>)> {
    let customers = raw.customers.as_ref().and_then(|customers| customers.query.as_ref());
    let events = raw.events.as_ref().and_then(|events| events.query.as_ref());
    let written = [
        (QueriedTable::Orders, raw.orders.query.as_deref()),
        (QueriedTable::Customers, customers.map(String::as_str)),
        (QueriedTable::Events, events.map(String::as_str)),
    ];
    let strategies = raw.strategy.iter().zip(0..);
    let assignments = strategies.map(|(strategy, number)| {
        (QueriedTable::Assignments(number), strategy.assignments.as_ref().and_then(RawAssignments::query))
    });
    let queries = written.into_iter().chain(assignments);
    let queries: Vec<Query> = queries.filter_map(|(table, sql)| sql.map(|sql| Query { table, sql: sql.into() })).collect();
    if let Some(empty) = queries.iter().find(|query| query.sql.trim().is_empty()) {
        let key = empty.table.key();
        return Err(Error::usage(format!("{}: {key} is empty; write SELECT … FROM a source", source.locate(key, ""))));
    }
    match (queries.first(), raw.source.first()) {
        (Some(query), None) => Err(Error::usage(format!(
            "{}: {} has no tables to read; add a [[source]] with name and path",
            source.locate(query.table.key(), ""),
            query.table.key()
        ))),
        (None, Some(_)) => Err(Error::usage(format!(
            "{}: the job has sources but no query that reads them; add orders.query, or remove [[source]]",
            source.locate("source", "")
        ))),
        _ => Ok((queries, sources(&raw.source, source)?)),
    }
}

fn sources(raw: &[RawSource], source: &Source) -> Result<Vec<DataSource>> {
    let mut out: Vec<DataSource> = Vec::with_capacity(raw.len());
    for (number, one) in raw.iter().enumerate() {
        let wrong = |key: &str, what: String| {
            Err(Error::usage(format!("{}: source {:?}: {what}", source.locate_key("source", number, key), one.name)))
        };
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        if one.name.is_empty() || !one.name.chars().all(is_name) || one.name.starts_with(|c: char| c.is_ascii_digit()) {
            return wrong("name", "this is no name for SQL; use letters, digits and underscores, a letter first".into());
        }
        if out.iter().any(|before| before.name.eq_ignore_ascii_case(&one.name)) {
            return wrong("name", "another source has this name; upper and lower case are the same in SQL".into());
        }
        let separator = match one.separator.as_bytes() {
            [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\r\n\0-.".contains(byte) => *byte,
            _ => {
                let found = &one.separator;
                return wrong(
                    "separator",
                    format!("the separator is {found:?}; expected one character such as \";\" or \"\\t\""),
                );
            }
        };
        if one.decimal_comma && one.numbers.is_empty() {
            return wrong("decimal_comma", "decimal_comma is about the columns of numbers, and there are none; name them".into());
        }
        let format = one.format.map(|format| match format {
            SourceFormat::Csv => Format::Csv,
            SourceFormat::Ndjson => Format::Ndjson,
            SourceFormat::Parquet => Format::Parquet,
            SourceFormat::Ipc => Format::Ipc,
        });
        let encoding = match one.encoding {
            SourceEncoding::Utf8 => Encoding::Utf8,
            SourceEncoding::Utf16 => Encoding::Utf16,
            SourceEncoding::Gb18030 => Encoding::Gb18030,
            SourceEncoding::Windows1252 => Encoding::Windows1252,
        };
        let csv = CsvFormat {
            separator,
            decimal_comma: one.decimal_comma,
            encoding,
            header: one.header,
            null_values: one.null_values.clone(),
            numbers: one.numbers.clone(),
        };
        out.push(DataSource {
            name: one.name.clone(),
            paths: match &one.path {
                RawPath::Table(_) if format.is_some_and(|format| format != Format::Parquet) => {
                    return wrong("format", "the files of a table are Parquet; leave the format out".into());
                }
                RawPath::Table(raw) => table(raw, source),
                RawPath::Files(paths) => {
                    let place = source.locate_key("source", number, "path");
                    InputPaths::Patterns(joined(paths, &place, &format!("the path of source {:?}", one.name), source)?)
                }
            },
            format,
            csv,
        });
    }
    Ok(out)
}
