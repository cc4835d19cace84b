//! From files to the tables that SQL names.
//!
//! [`text`] makes UTF-8 of other encodings, [`csv`] checks the form of CSV files before the engine believes them, and this file
//! puts the files of a source one below the other.

mod check;
mod csv;
mod ndjson;
mod text;

pub use ndjson::first_fault;

use std::collections::BTreeSet;
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
    /// Rows of its files, where they were counted.
    pub rows: Vec<Option<u64>>,
    /// The names of its files.
    pub files: Vec<String>,
}

/// Makes the tables that the SQL of a request names; `names_rows` is whether it names the column of row numbers, and `bad` is told of
/// numbers that cannot be rewritten. To plan a query, no rows are read.
///
/// # Errors
/// Exit 3: a CSV file that breaks its form, a column that is not there; exit 4: files that cannot be read, or are of another
/// encoding.
pub fn tables(request: &Request, names: &BTreeSet<String>, names_rows: bool, bad: &BadValue) -> Result<Vec<Table>> {
    let named = request.sources.iter().filter(|source| names.contains(&source.name));
    named.map(|source| table(request, source, names_rows, bad)).collect()
}

fn table(request: &Request, source: &Source, names_rows: bool, bad: &BadValue) -> Result<Table> {
    let failed = |e: PolarsError| {
        let fault = first_fault(std::slice::from_ref(source));
        fault.unwrap_or_else(|| engine(&format!("source {:?}", source.name), &e))
    };
    let (pieces, rows) = match source.format {
        Format::Csv => csv_pieces(request, source, names_rows)?,
        format => plain_pieces(source, format, names_rows).map_err(failed)?,
    };
    let mut frame = match <[LazyFrame; 1]>::try_from(pieces) {
        Ok([frame]) => frame,
        Err(pieces) => concat_lf_diagonal(pieces, UnionArgs { maintain_order: true, ..UnionArgs::default() }).map_err(failed)?,
    };
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
    Ok(Table {
        name: source.name.clone(),
        frame,
        written,
        rows,
        files: source.files.iter().map(|file| file.name.clone()).collect(),
    })
}

/// Files that are read together: neighbours with the same columns in their folders' names.
fn groups(files: &[SourceFile], alone: bool) -> impl Iterator<Item = &[SourceFile]> {
    files.chunk_by(move |a, b| !alone && a.partitions == b.partitions)
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

type Pieces = (Vec<LazyFrame>, Vec<Option<u64>>);

/// NDJSON, Parquet and IPC.
fn plain_pieces(source: &Source, format: Format, names_rows: bool) -> PolarsResult<Pieces> {
    let mut pieces = Vec::new();
    let mut before = 0;
    let mut files = groups(&source.files, false).peekable();
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
    Ok((pieces, vec![None; source.files.len()]))
}

/// The rows of a table.
pub fn count_rows(frame: LazyFrame) -> PolarsResult<u64> {
    let frame = frame.select([len().alias("rows")]).collect_with_engine(Engine::Streaming)?.unwrap_single();
    frame.column("rows")?.get(0)?.extract::<u64>().ok_or_else(|| polars_err!(ComputeError: "rows without a count"))
}

/// CSV, every file checked first.
fn csv_pieces(request: &Request, source: &Source, names_rows: bool) -> Result<Pieces> {
    let failed = |e: PolarsError| engine(&format!("source {:?}", source.name), &e);
    let mut files: Vec<CsvFile> = Vec::with_capacity(source.files.len());
    for (number, file) in source.files.iter().enumerate() {
        let scratch = |ending: &str| -> PathBuf { request.scratch.join(format!("{}-{number}.{ending}", source.name)) };
        files.push(match request.task {
            Task::Plan => csv::plan(file, &source.csv)?,
            Task::Run => csv::open(file, &source.csv, scratch)?,
        });
    }
    let mut pieces = Vec::new();
    let mut before = 0;
    let pairs: Vec<(&SourceFile, &CsvFile)> = source.files.iter().zip(&files).collect();
    let is_like =
        |a: &(&SourceFile, &CsvFile), b: &(&SourceFile, &CsvFile)| a.0.partitions == b.0.partitions && a.1.columns == b.1.columns;
    for group in pairs.chunk_by(is_like) {
        let Some((first, csv)) = group.first() else { continue };
        let paths = group.iter().map(|(_, csv)| engine_path(&csv.path)).collect::<PolarsResult<Vec<_>>>().map_err(failed)?;
        let schema = Schema::from_iter(csv.columns.iter().map(|name| Field::new(name.as_str().into(), DataType::String)));
        let nulls: Vec<PlSmallStr> = source.csv.null_values.iter().map(|text| text.as_str().into()).collect();
        let frame = LazyCsvReader::new_paths(paths.into())
            .with_schema(Some(schema.into()))
            .with_has_header(source.csv.header)
            .with_separator(source.csv.separator)
            .with_missing_is_null(source.csv.null_values.iter().any(String::is_empty))
            .with_null_values(Some(NullValues::AllColumns(nulls)))
            .with_row_index(row_index(names_rows, before).map_err(failed)?)
            .with_glob(false)
            .with_cache(false)
            .with_raise_if_empty(false)
            .finish()
            .map_err(failed)?;
        before += group.iter().map(|(_, csv)| csv.rows).sum::<u64>();
        pieces.push(with_partitions(frame, first));
    }
    let rows = files.iter().map(|csv| (request.task == Task::Run).then_some(csv.rows)).collect();
    Ok((pieces, rows))
}
