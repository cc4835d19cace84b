//! A workbench for the program: a folder with orders and a job file, runs of the real binary in it, and checks that a
//! refusal says everything and leaves nothing half-written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use crate::support::temp::{TempDir, tempdir};
use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use jiff::civil::Date;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_rfmill");

/// A small job over the folder `orders`; tests edit it.
pub const JOB: &str = r#"name = "test"

[orders]
path = "orders"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"

[periods]
as_of = [2024-12-31]

[output]
path = "out"
"#;

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; -1 stands for a signal.
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// What readers of an output folder can see: names in it, where `latest` points, and the files of the tables.
#[derive(Debug, PartialEq, Eq)]
pub struct Visible {
    pub latest: Option<PathBuf>,
    pub runs: Vec<String>,
    pub commits: Vec<String>,
    pub tables: BTreeMap<PathBuf, u64>,
}

/// A folder to work in.
pub struct Bench {
    folder: TempDir,
}

impl Bench {
    /// An empty folder.
    pub fn empty() -> Bench {
        Bench { folder: tempdir().unwrap() }
    }

    /// A folder with eight good orders in `orders/a.parquet` and `job.toml`.
    pub fn new() -> Bench {
        let bench = Bench::empty();
        bench.write("job.toml", JOB);
        bench.parquet("orders/a.parquet", &orders());
        bench
    }

    /// The same with a committed run as of June 2024, which no fault may touch.
    #[track_caller]
    pub fn with_run() -> Bench {
        let bench = Bench::new();
        bench.succeeds(&["run", "job.toml", "--quiet", "--as-of", "2024-06-30"]);
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Writes a Parquet file.
    pub fn parquet(&self, name: &str, columns: &[(&str, ArrayRef)]) {
        self.write(name, parquet_bytes(columns));
    }

    /// Replaces a passage of the job file.
    #[track_caller]
    pub fn edit(&self, from: &str, to: &str) -> &Bench {
        let text = String::from_utf8(self.read("job.toml")).unwrap();
        assert!(text.contains(from), "the job file has no {from:?}");
        self.write("job.toml", text.replacen(from, to, 1));
        self
    }

    /// Adds keys to `[orders]`.
    #[track_caller]
    pub fn in_orders(&self, keys: &str) -> &Bench {
        self.edit("amount = \"amount\"\n", &format!("amount = \"amount\"\n{keys}\n"))
    }

    /// Adds sections to the job file.
    pub fn append(&self, sections: &str) -> &Bench {
        let mut text = self.read("job.toml");
        text.extend_from_slice(format!("\n{sections}\n").as_bytes());
        self.write("job.toml", text);
        self
    }

    /// The program with these arguments, in the folder.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(self.folder.path()).env_remove("RUST_BACKTRACE");
        // No test opens a browser.
        command.env("BROWSER", "true");
        command
    }

    pub fn rfmill(&self, args: &[&str]) -> Ran {
        self.command(args).output().unwrap().into()
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub fn succeeds(&self, args: &[&str]) -> Ran {
        let ran = self.rfmill(args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
        ran
    }

    /// Runs the job, which must succeed.
    #[track_caller]
    pub fn runs(&self) -> Ran {
        let ran = self.succeeds(&["run", "job.toml"]);
        self.verifies();
        ran
    }

    #[track_caller]
    pub fn verifies(&self) {
        self.succeeds(&["verify", "out"]);
    }

    /// Runs the job, which must be refused with this exit code and message; see [`Bench::refuses_command`].
    #[track_caller]
    pub fn refuses(&self, code: i32, message: &str) {
        self.refuses_command(&["run", "job.toml", "--quiet"], code, message);
    }

    /// Runs a command that must be refused with this exit code and this whole message (`…` stands for anything), one
    /// sentence on one line, while readers of `out` see exactly what they saw before.
    #[track_caller]
    pub fn refuses_command(&self, args: &[&str], code: i32, message: &str) {
        let before = self.visible();
        let ran = self.rfmill(args);
        assert_message(&ran, code, message);
        assert_eq!(ran.out, "", "a refusal prints nothing on stdout");
        assert_eq!(self.visible(), before, "a refused run changed what readers see");
        if before.latest.is_some() {
            self.verifies();
        }
    }

    /// Verifies `out` after a kill. A kill in the instant between the commit and the links that follow it is what `verify`
    /// says, and the next run puts it right.
    #[track_caller]
    pub fn succeeds_or_follows(&self) {
        let ran = self.rfmill(&["verify", "out"]);
        if ran.code != 0 {
            assert_eq!(ran.code, 5, "{}", ran.err);
            assert!(ran.err.contains("run the job again to put it right"), "{}", ran.err);
            self.succeeds(&["run", "job.toml", "-q"]);
            self.verifies();
        }
    }

    /// What readers see of `out`.
    pub fn visible(&self) -> Visible {
        visible(&self.path("out"))
    }

    /// The rows of a table file of the last run, every value as text.
    pub fn table(&self, name: &str) -> Vec<Vec<String>> {
        rows_of(&self.path("out/latest").join(name))
    }

    /// Name, rows, and hashes of the files of every table of the last run.
    pub fn table_hashes(&self, output: &str) -> serde_json::Value {
        let manifest = fs::read(self.path(output).join("latest/manifest.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&manifest).unwrap()["tables"].take()
    }
}

/// The rows of a Parquet file, every value as text.
pub fn rows_of(path: &Path) -> Vec<Vec<String>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap().build().unwrap();
    let options = FormatOptions::default().with_null("null");
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let columns: Vec<_> = batch.columns().iter().map(|c| ArrayFormatter::try_new(c, &options).unwrap()).collect();
        rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|c| c.value(row).to_string()).collect::<Vec<_>>()));
    }
    rows
}

/// Asserts the exit code and the whole message, whose `error: ` stands for the head of that code.
#[track_caller]
pub fn assert_message(ran: &Ran, code: i32, message: &str) {
    assert_eq!(ran.code, code, "wrong exit code; stderr: {}", ran.err);
    let expected = format!("{}{}", error_head(code), message.strip_prefix("error: ").expect("the message of an error"));
    assert!(matches(ran.err.trim_end_matches('\n'), &expected), "\n  found: {}\nexpected: {expected}", ran.err);
    assert_eq!(ran.err.matches('\n').count(), 1, "a refusal is one line: {}", ran.err);
    assert!(ran.err.ends_with(".\n"), "not a sentence: {}", ran.err);
}

/// What the line of an error begins with that ends in this exit code.
#[track_caller]
pub fn error_head(code: i32) -> String {
    let words = ["bug", "usage", "contract", "input", "state", "output", "resource", "locked", "unknown"];
    let word = match code {
        1..=9 => words[code as usize - 1],
        129 | 130 | 143 => "signal",
        _ => panic!("no error has the exit code {code}"),
    };
    format!("error[{word}]: ")
}

/// Whether a text is the pattern, in which `…` stands for anything.
fn matches(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// What readers see of an output folder. A staged run shows as a run.
pub fn visible(output: &Path) -> Visible {
    let names = |folder: &str| {
        let entries = fs::read_dir(output.join(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let mut tables = BTreeMap::new();
    walk(&output.join("tables"), &mut tables);
    Visible { latest: fs::read_link(output.join("latest")).ok(), runs: names("runs"), commits: names("commits"), tables }
}

fn walk(folder: &Path, files: &mut BTreeMap<PathBuf, u64>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.metadata() {
            Ok(meta) if meta.is_dir() => walk(&entry.path(), files),
            Ok(meta) => drop(files.insert(entry.path(), meta.len())),
            Err(_) => {}
        }
    }
}

/// A Parquet file in memory.
pub fn parquet_bytes(columns: &[(&str, ArrayRef)]) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(n, a)| (*n, a.clone(), true))).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// Eight good orders of five customers in 2024.
pub fn orders() -> Vec<(&'static str, ArrayRef)> {
    with_ids(ints([1, 1, 2, 2, 3, 4, 4, 5]))
}

/// The good orders with other customer ids.
pub fn with_ids(ids: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("customer_id", ids),
        (
            "ordered_at",
            dates([
                "2024-01-05",
                "2024-03-01",
                "2024-02-10",
                "2024-11-30",
                "2024-05-05",
                "2024-06-01",
                "2024-12-24",
                "2024-12-31",
            ]),
        ),
        ("amount", decimals(2, [1000, 2550, 499, 12000, 7500, 1999, 305, 60000])),
    ]
}

/// The good orders with one column replaced.
pub fn orders_but(name: &str, column: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let mut orders = orders();
    orders.iter_mut().filter(|(n, _)| *n == name).for_each(|(_, c)| *c = column.clone());
    orders
}

/// The good orders with a further column.
pub fn orders_and(name: &'static str, column: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let mut orders = orders();
    orders.push((name, column));
    orders
}

pub fn ints<T: Into<Option<i64>>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(Int64Array::from_iter(values.into_iter().map(Into::into)))
}

pub fn floats<T: Into<Option<f64>>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(Float64Array::from_iter(values.into_iter().map(Into::into)))
}

pub fn texts<'a, T: Into<Option<&'a str>>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter(values.into_iter().map(Into::into)))
}

/// Dates such as `2024-12-31`.
pub fn dates<'a, T: Into<Option<&'a str>>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    let day = |text: &str| {
        let date: Date = text.parse().unwrap();
        (date - Date::constant(1970, 1, 1)).get_days()
    };
    Arc::new(Date32Array::from_iter(values.into_iter().map(|v| v.into().map(day))))
}

/// Decimals by their digits.
pub fn decimals<T: Into<Option<i128>>>(scale: i8, digits: impl IntoIterator<Item = T>) -> ArrayRef {
    let array = Decimal128Array::from_iter(digits.into_iter().map(Into::into));
    Arc::new(array.with_data_type(DataType::Decimal128(38, scale)))
}
