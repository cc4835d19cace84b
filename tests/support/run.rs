//! Runs the program on a job and reads back what it wrote.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::calendar::date_text;
use super::temp::{TempDir, tempdir_in};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchReader};
use arrow::compute::cast;
use arrow::datatypes::*;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rfmill::Error;
use rfmill::internals::domain::Day;
use rfmill::internals::hash::sha256;
use rfmill::internals::job::{Overrides, parse, resolve};
use rfmill::internals::pipeline;
use rfmill::internals::progress::Silent;

/// A folder with a job file, its data in `data` and its output in `out`; it goes when this is dropped.
pub struct Workshop(TempDir);

impl Workshop {
    /// A new, empty one.
    pub fn new() -> Workshop {
        // In memory where the system has such a folder: a run makes its files durable, which costs time on disks.
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        Workshop(tempdir_in(&parent).expect("a temporary folder"))
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a text file into it.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a text file");
    }

    /// Runs `job.toml` in this process, for its dates or for one other.
    pub fn run_here(&self, as_of: Option<i64>) -> Result<(), Error> {
        let (raw, source) = parse::load(&self.path("job.toml"), &[])?;
        let as_of = as_of.map(|date| Day(date as i32));
        let job = resolve(raw, source, &Overrides { as_of, ..Overrides::default() })?;
        pipeline::run(&job, &Silent).map(|_| ())
    }

    /// Runs `rfmill run job.toml` with more arguments, in the folder.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(["run", "job.toml"]).args(arguments).output().expect("the program")
    }

    /// The program, in the folder.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rfmill"));
        command.current_dir(self.0.path());
        command
    }
}

/// The hash of every table file of a run, by its path in it.
pub fn table_hashes(folder: &Path) -> BTreeMap<String, String> {
    let files = files_below(folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == "parquet"));
    let name = |path: &Path| path.strip_prefix(folder).expect("a file of the run").display().to_string();
    files.map(|path| (name(&path), sha256(&fs::read(&path).expect("a file")))).collect()
}

/// What a program said, for the message of a failed test.
pub fn said(output: &Output) -> String {
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A value of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Int(i128),
    Text(String),
    /// The unscaled number and its digits after the point.
    Decimal(i128, i8),
    Double(f64),
    /// Days since 1970-01-01.
    Date(i64),
    Bool(bool),
}

impl Cell {
    /// The number of an integer.
    pub fn int(&self) -> i128 {
        match self {
            Cell::Int(n) => *n,
            other => panic!("{other:?} is no integer"),
        }
    }

    /// The text of a string.
    pub fn text(&self) -> &str {
        match self {
            Cell::Text(t) => t,
            other => panic!("{other:?} is no text"),
        }
    }

    /// The days of a date.
    pub fn date(&self) -> i64 {
        match self {
            Cell::Date(days) => *days,
            other => panic!("{other:?} is no date"),
        }
    }

    /// The number of a double.
    pub fn double(&self) -> f64 {
        match self {
            Cell::Double(x) => *x,
            other => panic!("{other:?} is no double"),
        }
    }

    /// The unscaled number of a decimal.
    pub fn minor(&self) -> i128 {
        match self {
            Cell::Decimal(n, _) => *n,
            other => panic!("{other:?} is no decimal"),
        }
    }

    /// An id, a name or a date as a part of a key.
    pub fn key(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Int(n) => n.to_string(),
            Cell::Date(days) => date_text(*days),
            Cell::Null => "null".into(),
            other => panic!("{other:?} in a key"),
        }
    }
}

/// Rows with named columns.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Where a column stands.
    pub fn column(&self, name: &str) -> usize {
        self.columns.iter().position(|c| c == name).unwrap_or_else(|| panic!("no column {name} in {:?}", self.columns))
    }

    /// Every row as a map from column to cell.
    pub fn records(&self) -> Vec<BTreeMap<&str, &Cell>> {
        let record = |row| self.columns.iter().map(String::as_str).zip(row).collect();
        self.rows.iter().map(|row: &Vec<Cell>| record(row.iter())).collect()
    }

    /// Adds the rows of another table with the same columns.
    fn append(&mut self, other: Table) {
        if self.columns.is_empty() {
            self.columns = other.columns;
        } else {
            assert_eq!(self.columns, other.columns, "files of one table have the same columns");
        }
        self.rows.extend(other.rows);
    }
}

/// Reads one Parquet file.
pub fn read_file(path: &Path) -> Table {
    let file = File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|b| b.build()).expect("a Parquet file");
    let mut table = Table { columns: reader.schema().fields().iter().map(|f| f.name().clone()).collect(), rows: Vec::new() };
    for batch in reader {
        table.rows.extend(rows(&batch.expect("a batch")));
    }
    table
}

/// Reads all Parquet files below a folder, in the order of their names.
pub fn read_folder(folder: &Path) -> Table {
    let mut table = Table::default();
    for path in files_below(folder) {
        table.append(read_file(&path));
    }
    table
}

/// All files below a folder, sorted; links are followed.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|p| if p.is_dir() { files_below(&p) } else { vec![p] }).collect()
}

fn rows(batch: &RecordBatch) -> Vec<Vec<Cell>> {
    let columns: Vec<Vec<Cell>> = batch.columns().iter().map(cells).collect();
    (0..batch.num_rows()).map(|row| columns.iter().map(|c| c[row].clone()).collect()).collect()
}

fn cells(array: &ArrayRef) -> Vec<Cell> {
    let taken =
        |of: &dyn Fn(usize) -> Cell| (0..array.len()).map(|i| if array.is_null(i) { Cell::Null } else { of(i) }).collect();
    match array.data_type() {
        DataType::Dictionary(_, inner) => cells(&cast(array, inner).expect("a plain column")),
        DataType::LargeUtf8 | DataType::Utf8View => cells(&cast(array, &DataType::Utf8).expect("a text column")),
        DataType::Utf8 => taken(&|i| Cell::Text(array.as_string::<i32>().value(i).into())),
        DataType::Boolean => taken(&|i| Cell::Bool(array.as_boolean().value(i))),
        DataType::Float64 => taken(&|i| Cell::Double(array.as_primitive::<Float64Type>().value(i))),
        DataType::Date32 => taken(&|i| Cell::Date(array.as_primitive::<Date32Type>().value(i).into())),
        DataType::Decimal128(_, scale) => taken(&|i| Cell::Decimal(array.as_primitive::<Decimal128Type>().value(i), *scale)),
        DataType::UInt64 => taken(&|i| Cell::Int(array.as_primitive::<UInt64Type>().value(i).into())),
        kind if kind.is_integer() => {
            let wide = cast(array, &DataType::Int64).expect("an integer column");
            taken(&|i| Cell::Int(wide.as_primitive::<Int64Type>().value(i).into()))
        }
        other => panic!("no cells of {other}"),
    }
}
