//! From a run's tables, as Arrow batches or as a committed folder, to [`ReportData`].

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use arrow::array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::data::{Check, MoveRow, ReportData, Row, RunFacts, Settings, Table};
use super::value::Value;
use crate::domain::Day;
use crate::error::{Error, Kind, Result};
use crate::publish::Manifest;

/// Slice, dimension, scheme and state of total rows.
pub(super) const ALL: &str = "(all)";

/// What movers are counted by: as-of date, slice, scheme, date, state before, state after, reason.
type MoveKey = (Day, String, String, Day, String, String, Option<String>);

/// Takes the tables of a run batch by batch.
#[derive(Debug, Default)]
pub struct Reader {
    data: ReportData,
    moves: BTreeMap<MoveKey, i64>,
    has_moves: bool,
}

impl Reader {
    /// A reader that has seen no table yet.
    pub fn new(run: RunFacts, settings: Settings) -> Reader {
        Reader { data: ReportData { run, settings, ..ReportData::default() }, ..Reader::default() }
    }

    /// Takes rows of a table; `as_of` is the date in the path where the table has it there alone. A batch without rows says
    /// that the table was written. Tables that no report shows are passed over.
    ///
    /// # Errors
    /// Exit 5 if a column that the report needs is missing or of another type.
    pub fn batch(&mut self, table: &str, as_of: Option<Day>, batch: &RecordBatch) -> Result<()> {
        let columns = Columns { table, as_of, batch };
        let data = &mut self.data;
        match table {
            "segments" => columns.append(&mut data.segments),
            "transitions" => columns.append(&mut data.transitions),
            "growth" => columns.append(&mut data.growth),
            "cohorts" => columns.append(&mut data.cohorts),
            "concentration" => columns.append(&mut data.concentration),
            "cutpoints" => columns.append(&mut data.cutpoints),
            "ledger" => columns.append(&mut data.ledger),
            "effects" => columns.append(&mut data.effects),
            "effects_over_time" => columns.append(&mut data.effects_over_time),
            "before_after" => columns.append(&mut data.before_after),
            "verdicts" => columns.append(&mut data.verdicts),
            "dim_state" => columns.append(&mut data.dim_state),
            "dim_period" => columns.append(&mut data.dim_period),
            "movers" => {
                self.has_moves = true;
                columns.count_moves(&mut self.moves)
            }
            _ => Ok(()),
        }
    }

    /// Everything taken.
    pub fn finish(mut self) -> ReportData {
        if self.has_moves {
            let row = |((as_of, slice, scheme, from_as_of, from_state, to_state, reason), n): (MoveKey, i64)| MoveRow {
                as_of,
                slice,
                scheme,
                from_as_of,
                from_state,
                to_state,
                reason,
                customers: Some(n),
                suppressed: false,
            };
            self.data.moves = Some(self.moves.into_iter().map(row).collect());
        }
        self.data
    }
}

/// The columns of a batch.
struct Columns<'a> {
    table: &'a str,
    as_of: Option<Day>,
    batch: &'a RecordBatch,
}

impl Columns<'_> {
    /// The values of a column, or `None` if the table lacks it.
    fn values(&self, name: &str) -> Result<Option<Vec<Value>>> {
        let Some(array) = self.batch.column_by_name(name) else { return Ok(None) };
        let unknown = || self.unusable(name, &format!("is of type {}, which the report cannot read", array.data_type()));
        Value::of_column(array).map(Some).ok_or_else(unknown)
    }

    fn unusable(&self, column: &str, what: &str) -> Error {
        Error::new(
            Kind::State,
            format!("column {column} of table {} {what}; run the job again with this version of rfmill", self.table),
        )
    }

    /// Adds the rows to a table.
    fn append<R: Row>(&self, table: &mut Table<R>) -> Result<()> {
        let rows = table.get_or_insert_default();
        let mut columns: BTreeMap<&str, std::vec::IntoIter<Value>> = BTreeMap::new();
        for name in R::COLUMNS {
            if let Some(values) = self.values(name)? {
                columns.insert(name, values.into_iter());
            }
        }
        let as_of = self.as_of.map_or(Value::Null, Value::Date);
        for number in 0..self.batch.num_rows() {
            let mut take = |name: &str| match columns.get_mut(name) {
                Some(values) => values.next().unwrap_or(Value::Null),
                None if name == "as_of" => as_of.clone(),
                // Tables with a row per customer have the column only in a job with slices.
                None if name == "slice" => Value::Text(ALL.into()),
                None => Value::Null,
            };
            let row = R::from_values(&mut take)
                .map_err(|column| self.unusable(column, &format!("is missing, null or of another type in row {}", number + 1)))?;
            rows.push(row);
        }
        Ok(())
    }

    /// Counts movers. Their ids are not looked at.
    fn count_moves(&self, moves: &mut BTreeMap<MoveKey, i64>) -> Result<()> {
        let mut rows: Table<MoveRow> = None;
        self.append(&mut rows)?;
        for row in rows.unwrap_or_default() {
            let key = (row.as_of, row.slice, row.scheme, row.from_as_of, row.from_state, row.to_state, row.reason);
            *moves.entry(key).or_default() += 1;
        }
        Ok(())
    }
}

impl RunFacts {
    /// The facts that a manifest holds.
    pub fn of(manifest: &Manifest) -> RunFacts {
        RunFacts {
            job_name: manifest.job_name.clone(),
            run_id: manifest.run_id.clone(),
            version: manifest.rfmill.clone(),
            as_of: manifest.as_of.iter().filter_map(|d| Day::parse(d)).collect(),
            job: manifest.job.clone(),
            input_files: manifest.inputs.len() as u64,
            input_rows: manifest.input_rows,
            inputs_verified: manifest.inputs_verified,
            checks: checks(&manifest.job),
            warnings: manifest.warnings.clone(),
        }
    }
}

/// The gates of a job. A run whose gates fail is not committed, so those of a committed run passed.
fn checks(job: &serde_json::Value) -> Vec<Check> {
    let gates = [
        ("orders", "max_rejected"),
        ("orders", "max_no_customer"),
        ("checks", "newest_order_within"),
        ("checks", "rows_vs_previous"),
    ];
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let check = |(section, key): (&str, &str)| {
        let limit = job.get(section)?.get(key)?;
        Some(Check { name: format!("{section}.{key}"), limit: text(limit), passed: true })
    };
    gates.into_iter().filter_map(check).collect()
}

/// Reads a committed run: `OUT/latest` or a folder in `OUT/runs`. Tables that are not there stay `None`.
///
/// # Errors
/// Exit 5 if the manifest or a table cannot be read.
pub fn read_run(run: &Path, settings: Settings) -> Result<ReportData> {
    let manifest = Manifest::read(run)?;
    let mut reader = Reader::new(RunFacts::of(&manifest), settings);
    for table in manifest.tables.iter().filter(|t| t.name != "customers" && t.name != "state_history") {
        // The same rows lie in one file and once more by as-of date.
        for file in table.files.iter().filter(|f| !f.path.starts_with("partitions/")) {
            let path = run.join(&file.path);
            let wrong = |e: &dyn std::fmt::Display| {
                Error::new(Kind::State, format!("{} cannot be read: {e}; restore it or run the job again", path.display()))
            };
            let source = File::open(&path).map_err(|e| wrong(&e).caused_by(e))?;
            let builder = ParquetRecordBatchReaderBuilder::try_new(source).map_err(|e| wrong(&e).caused_by(e))?;
            let empty = RecordBatch::new_empty(builder.schema().clone());
            let as_of = as_of_in(&file.path);
            reader.batch(&table.name, as_of, &empty)?;
            for batch in builder.build().map_err(|e| wrong(&e).caused_by(e))? {
                reader.batch(&table.name, as_of, &batch.map_err(|e| wrong(&e).caused_by(e))?)?;
            }
        }
    }
    Ok(reader.finish())
}

/// The date of `table/as_of=2024-12-31/part-000.parquet`.
fn as_of_in(path: &str) -> Option<Day> {
    path.split('/').find_map(|part| Day::parse(part.strip_prefix("as_of=")?))
}
