//! From a run's tables, as Arrow batches or as a committed folder, to [`ReportData`].

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch, StringArray};

use super::data::{Check, ReportData, RunFacts, Settings, Shown};
use crate::domain::Day;
use crate::error::{Error, Result};
use crate::publish::{Manifest, TableBatch, table_batches};
use crate::tables::{MoveRow, Row};

/// Slice, dimension, scheme and state of total rows.
pub(super) const ALL: &str = "(all)";

/// What movers are counted by: as-of date, slice, scheme, date, state before, state after, reason.
type MoveKey = (Day, String, String, Day, String, String, Option<String>);

/// Takes the tables of a run batch by batch.
#[derive(Debug, Default)]
pub struct Reader {
    data: ReportData,
    /// Movers counted, if the run has that table.
    moves: Option<BTreeMap<MoveKey, i64>>,
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
        let data = &mut self.data;
        match table {
            "segments" => append(&mut data.segments, table, batch),
            "transitions" => append(&mut data.transitions, table, batch),
            "growth" => append(&mut data.growth, table, batch),
            "cohorts" => append(&mut data.cohorts, table, batch),
            "concentration" => append(&mut data.concentration, table, batch),
            "cutpoints" => append(&mut data.cutpoints, table, batch),
            "ledger" => append(&mut data.ledger, table, batch),
            "effects" => append(&mut data.effects, table, batch),
            "effects_over_time" => append(&mut data.effects_over_time, table, batch),
            "before_after" => append(&mut data.before_after, table, batch),
            "verdicts" => append(&mut data.verdicts, table, batch),
            "dim_state" => append(&mut data.dim_state, table, batch),
            "dim_period" => append(&mut data.dim_period, table, batch),
            "movers" => count_moves(self.moves.get_or_insert_default(), as_of, batch),
            _ => Ok(()),
        }
    }

    /// Everything taken.
    pub fn finish(mut self) -> ReportData {
        if let Some(moves) = self.moves {
            let row = |((as_of, slice, scheme, from_as_of, from_state, to_state, reason), n): (MoveKey, i64)| MoveRow {
                as_of,
                slice,
                scheme,
                from_as_of,
                from_state,
                to_state,
                reason,
                customers: Some(n),
            };
            self.data.moves = Some(moves.into_iter().map(|counted| row(counted).into()).collect());
        }
        self.data
    }
}

/// Adds the rows of a batch to a table.
fn append<R: Row>(rows: &mut Option<Vec<Shown<R>>>, table: &str, batch: &RecordBatch) -> Result<()> {
    rows.get_or_insert_default().extend(R::from_batch(table, batch)?.into_iter().map(Shown::from));
    Ok(())
}

/// Counts movers. Their ids are not looked at; their date may be in the path alone, and a job without slices writes none.
fn count_moves(moves: &mut BTreeMap<MoveKey, i64>, as_of: Option<Day>, batch: &RecordBatch) -> Result<()> {
    let schema = batch.schema();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let mut columns: BTreeMap<&str, ArrayRef> = names.zip(batch.columns().iter().cloned()).collect();
    if let Some(day) = as_of {
        columns.entry("as_of").or_insert_with(|| Arc::new(Date32Array::from_value(day.0, batch.num_rows())));
    }
    let all = || Arc::new(StringArray::from_iter_values(std::iter::repeat_n(ALL, batch.num_rows())));
    columns.entry("slice").or_insert_with(|| all());
    let batch = RecordBatch::try_from_iter(columns).map_err(|e| Error::bug(format!("movers cannot be counted: {e}")))?;
    for row in MoveRow::from_batch("movers", &batch)? {
        let key = (row.as_of, row.slice, row.scheme, row.from_as_of, row.from_state, row.to_state, row.reason);
        *moves.entry(key).or_default() += 1;
    }
    Ok(())
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
        for batch in table_batches(run, table) {
            let TableBatch { as_of, rows } = batch?;
            reader.batch(&table.name, as_of, &rows)?;
        }
    }
    Ok(reader.finish())
}
