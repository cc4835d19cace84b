//! From files to the tables that SQL names.
//!
//! CSV has a reader of its own: [`records`] tells where fields are, [`parts`] gives each thread a part of a file, [`rows`] makes a
//! table of them, [`check`] says what is wrong with a file, [`text`] makes UTF-8 of other encodings, and [`csv`] holds them together.
//! The engine reads the other formats. This file puts the files of a source one below the other.

mod check;
mod csv;
mod ndjson;
mod parts;
mod records;
mod rows;
mod text;

pub use ndjson::first_fault;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use polars::prelude::*;
use rfmill_query_request::{Format, ROW_COLUMN, Request, Source, SourceFile, Task};

use crate::failure::{Result, engine, usage};
use crate::values::{BadValue, rewrite_number};
use csv::CsvFile;

/// A source, ready to be read.
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub frame: LazyFrame,
    /// Its rows before any number was rewritten, to look for a value in.
    pub written: LazyFrame,
}

/// The CSV files of the sources that a query names, by the names of these.
pub struct CsvFiles(BTreeMap<String, Vec<CsvFile>>);

impl CsvFiles {
    /// Opens the files. To plan a query, no rows are read.
    ///
    /// # Errors
    /// Exit 3: columns without names, or of one name; exit 4: files that cannot be read, or are of another encoding.
    pub fn open(request: &Request, names: &BTreeSet<String>) -> Result<CsvFiles> {
        let mut files = BTreeMap::new();
        for source in request.sources.iter().filter(|source| source.format == Format::Csv && names.contains(&source.name)) {
            let open = |(number, file): (usize, &SourceFile)| match request.task {
                Task::Plan => csv::plan(file, &source.csv),
                Task::Run => csv::open(file, &source.csv, |ending| scratch(request, source, number, ending)),
            };
            files.insert(source.name.clone(), source.files.iter().enumerate().map(open).collect::<Result<_>>()?);
        }
        Ok(CsvFiles(files))
    }

    /// Looks at the rows that no query has read; gives whether what was read is void and is to be read again.
    ///
    /// # Errors
    /// Exit 3: a file that breaks its form; exit 4: text that is not UTF-8, a file that cannot be read.
    pub fn settle(&mut self, request: &Request) -> Result<bool> {
        let mut is_void = false;
        for source in &request.sources {
            let Some(files) = self.0.get_mut(&source.name) else { continue };
            for (number, (csv, file)) in files.iter_mut().zip(&source.files).enumerate() {
                is_void |= csv.settle(file, &source.csv, threads(), |ending| scratch(request, source, number, ending))?;
            }
        }
        Ok(is_void)
    }

    /// Rows of the files of a source, where they can be counted.
    pub fn rows(&self, source: &Source) -> Vec<Option<u64>> {
        match self.0.get(&source.name) {
            Some(files) => files.iter().map(|file| file.rows(&source.csv, threads())).collect(),
            None => vec![None; source.files.len()],
        }
    }
}

/// The threads that the engine was given.
fn threads() -> usize {
    let given = std::env::var("POLARS_MAX_THREADS").ok().and_then(|threads| threads.parse().ok());
    given.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// A file of the scratch folder, for one of a source.
fn scratch(request: &Request, source: &Source, number: usize, ending: &str) -> PathBuf {
    request.scratch.join(format!("{}-{number}.{ending}", source.name))
}

/// Makes the tables that the SQL of a request names; `names_rows` is whether it names the column of row numbers, and `bad` is told of
/// numbers that cannot be rewritten.
///
/// # Errors
/// Exit 2: a column that is not there; exit 3: JSON that is none; exit 4: files that cannot be read.
pub fn tables(
    request: &Request,
    names: &BTreeSet<String>,
    names_rows: bool,
    csv: &CsvFiles,
    bad: &BadValue,
) -> Result<Vec<Table>> {
    let named = request.sources.iter().filter(|source| names.contains(&source.name));
    named.map(|source| table(source, names_rows, csv.0.get(&source.name), bad)).collect()
}

fn table(source: &Source, names_rows: bool, csv: Option<&Vec<CsvFile>>, bad: &BadValue) -> Result<Table> {
    let failed = |e: PolarsError| {
        let fault = first_fault(std::slice::from_ref(source));
        fault.unwrap_or_else(|| engine(&format!("source {:?}", source.name), &e))
    };
    let pieces = match csv {
        Some(csv) => csv_pieces(source, csv),
        None => plain_pieces(source, source.format, names_rows).map_err(failed)?,
    };
    let mut frame = match <[LazyFrame; 1]>::try_from(pieces) {
        Ok([frame]) => frame,
        Err(pieces) => concat_lf_diagonal(pieces, UnionArgs { maintain_order: true, ..UnionArgs::default() }).map_err(failed)?,
    };
    if names_rows && csv.is_some() {
        frame = frame.with_row_index(ROW_COLUMN, Some(1));
    }
    let written = frame.clone();
    for column in &source.csv.numbers {
        let schema = frame.collect_schema().map_err(failed)?;
        if !schema.contains(column) {
            let names: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
            return Err(usage(format!(
                "source {:?} has no column {column:?}, which its numbers name; it has {}",
                source.name,
                names.join(", ")
            )));
        }
        frame = frame.with_column(rewrite_number(column, source.csv.decimal_comma, bad));
    }
    Ok(Table { name: source.name.clone(), frame, written })
}

/// Files that are read together: neighbours with the same columns in their folders' names.
fn groups(files: &[SourceFile]) -> impl Iterator<Item = &[SourceFile]> {
    files.chunk_by(|a, b| a.partitions == b.partitions)
}

/// Adds the columns that the folders of files give.
fn with_partitions(frame: LazyFrame, file: &SourceFile) -> LazyFrame {
    let column = |(name, value): &(String, Option<String>)| match value {
        Some(value) => lit(value.as_str()).alias(name.as_str()),
        None => lit(NULL).cast(DataType::String).alias(name.as_str()),
    };
    match file.partitions.is_empty() {
        true => frame,
        false => frame.with_columns(file.partitions.iter().map(column).collect::<Vec<_>>()),
    }
}

fn engine_path(path: &Path) -> PolarsResult<PlRefPath> {
    PlRefPath::try_from_path(path)
}

fn row_index(names_rows: bool, before: u64) -> PolarsResult<Option<RowIndex>> {
    let offset = IdxSize::try_from(before + 1).map_err(|_| polars_err!(ComputeError: "more than 4 billion rows"))?;
    Ok(names_rows.then(|| RowIndex { name: ROW_COLUMN.into(), offset }))
}

/// NDJSON, Parquet and IPC.
fn plain_pieces(source: &Source, format: Format, names_rows: bool) -> PolarsResult<Vec<LazyFrame>> {
    let mut pieces = Vec::new();
    let mut before = 0;
    let mut files = groups(&source.files).peekable();
    while let Some(group) = files.next() {
        let paths: Vec<PlRefPath> = group.iter().map(|file| engine_path(&file.path)).collect::<PolarsResult<_>>()?;
        let index = row_index(names_rows, before)?;
        let frame = match format {
            Format::Parquet => {
                let args = ScanArgsParquet {
                    row_index: index,
                    hive_options: HiveOptions::new_disabled(),
                    glob: false,
                    cache: false,
                    allow_missing_columns: true,
                    ..ScanArgsParquet::default()
                };
                LazyFrame::scan_parquet_files(paths.into(), args)?
            }
            Format::Ipc => {
                let args = UnifiedScanArgs {
                    row_index: index,
                    hive_options: HiveOptions::new_disabled(),
                    glob: false,
                    cache: false,
                    ..UnifiedScanArgs::default()
                };
                LazyFrame::scan_ipc_sources(ScanSources::Paths(paths.into()), Default::default(), args)?
            }
            // All rows are looked at, since a type by the first ones alone would be another tomorrow.
            _ => LazyJsonLineReader::new_paths(paths.into()).with_infer_schema_length(None).with_row_index(index).finish()?,
        };
        if names_rows && files.peek().is_some() {
            before += count_rows(frame.clone())?;
        }
        let Some(first) = group.first() else { continue };
        pieces.push(with_partitions(frame, first));
    }
    Ok(pieces)
}

/// The rows of a table.
pub fn count_rows(frame: LazyFrame) -> PolarsResult<u64> {
    let frame = frame.select([len().alias("rows")]).collect_with_engine(Engine::Streaming)?.unwrap_single();
    frame.column("rows")?.get(0)?.extract::<u64>().ok_or_else(|| polars_err!(ComputeError: "rows without a count"))
}

/// CSV: files of the same columns are neighbours in one table.
fn csv_pieces(source: &Source, files: &[CsvFile]) -> Vec<LazyFrame> {
    let pairs: Vec<(&SourceFile, &CsvFile)> = source.files.iter().zip(files).collect();
    let is_like =
        |a: &(&SourceFile, &CsvFile), b: &(&SourceFile, &CsvFile)| a.0.partitions == b.0.partitions && a.1.columns == b.1.columns;
    let piece = |(number, group): (usize, &[(&SourceFile, &CsvFile)])| {
        let (first, _) = group.first()?;
        let files: Vec<&CsvFile> = group.iter().map(|(_, csv)| *csv).collect();
        let name = format!("CSV SCAN of {:?} ({})", source.name, number + 1);
        Some(with_partitions(rows::table(name, &files, &source.csv), first))
    };
    pairs.chunk_by(is_like).enumerate().filter_map(piece).collect()
}
