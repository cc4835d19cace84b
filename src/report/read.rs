//! From a run's tables, as Arrow batches or as a committed folder, to [`ReportData`].

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Int64Type};

use super::data::{ReportData, Settings};
use super::groups::GroupSizes;
use crate::domain::{ALL, Day};
use crate::error::{Error, Result};
use crate::publish::{Manifest, table_batches};
use crate::storage::Place;
use crate::tables::{MoveRow, Row, ScorePairRow};

impl ReportData {
    /// Takes rows of a table. A batch without rows says that the table was written. Tables that no report shows are passed
    /// over.
    ///
    /// # Errors
    /// Exit 5 if a column that the report needs is missing or of another type.
    pub fn take(&mut self, table: &str, batch: &RecordBatch) -> Result<()> {
        let batch = &self.groups.rows(batch)?;
        match table {
            "movers" => self.count_movers(table, batch),
            "customers" => self.count_score_pairs(batch),
            _ => self.append(table, batch),
        }
    }

    fn count_movers(&mut self, table: &str, batch: &RecordBatch) -> Result<()> {
        let moves = self.moves.get_or_insert_default();
        for row in MoveRow::from_batch(table, &with_slice(batch)?)? {
            match moves.binary_search_by(|counted| moved(counted).cmp(&moved(&row))) {
                Ok(at) => moves[at].customers = moves[at].customers.map(|count| count + 1),
                Err(at) => moves.insert(at, MoveRow { customers: Some(1), ..row }.into()),
            }
        }
        Ok(())
    }

    /// Counts the customers of the last date by their scores, if the table has both.
    fn count_score_pairs(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = with_slice(batch)?;
        let integers =
            |name: &str| Some(cast(batch.column_by_name(name)?, &DataType::Int64).ok()?.as_primitive::<Int64Type>().clone());
        let (Some(days), Some(r_scores), Some(f_scores)) =
            (batch.column_by_name("as_of"), integers("r_score"), integers("f_score"))
        else {
            return Ok(());
        };
        let last = self.run.as_of.iter().filter_map(|date| Day::parse(date)).max();
        let slices = batch.column_by_name("slice").and_then(|slices| cast(slices, &DataType::Utf8).ok());
        let (Some(days), Some(slices)) = (days.as_primitive_opt::<Date32Type>(), slices) else { return Ok(()) };
        let slices = slices.as_string::<i32>();
        let mut counts: BTreeMap<(&str, i64, i64), i64> = BTreeMap::new();
        for row in 0..batch.num_rows() {
            // Who never ordered has no scores.
            if Some(Day(days.value(row))) == last && slices.is_valid(row) && r_scores.is_valid(row) && f_scores.is_valid(row) {
                *counts.entry((slices.value(row), r_scores.value(row), f_scores.value(row))).or_default() += 1;
            }
        }
        let pairs = self.score_pairs.get_or_insert_default();
        for ((slice, r_score, f_score), customers) in counts {
            let key = (slice, r_score, f_score);
            match pairs.binary_search_by(|pair| (pair.slice.as_str(), pair.r_score, pair.f_score).cmp(&key)) {
                Ok(at) => pairs[at].customers = pairs[at].customers.map(|count| count + customers),
                Err(at) => {
                    let Some(as_of) = last else { continue };
                    let row = ScorePairRow { as_of, slice: slice.to_owned(), r_score, f_score, customers: Some(customers) };
                    pairs.insert(at, row.into());
                }
            }
        }
        Ok(())
    }
}

/// What movers are counted by, in the order of the rows.
fn moved(row: &MoveRow) -> (Day, &str, &str, Day, &str, &str, Option<&str>) {
    (row.as_of, &row.slice, &row.scheme, row.from_as_of, &row.from_state, &row.to_state, row.reason.as_deref())
}

/// Movers with their slice, which a job without slices does not write.
fn with_slice(batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = batch.schema();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let mut columns: BTreeMap<&str, ArrayRef> = names.zip(batch.columns().iter().cloned()).collect();
    let all = || Arc::new(StringArray::from_iter_values(std::iter::repeat_n(ALL, batch.num_rows())));
    columns.entry("slice").or_insert_with(|| all());
    RecordBatch::try_from_iter(columns).map_err(|e| Error::bug(format!("movers cannot be counted: {e}")))
}

/// Reads a committed run: `OUT/latest` or a folder in `OUT/runs`. Tables that are not there stay `None`.
///
/// # Errors
/// Exit 5 if the manifest or a table cannot be read.
pub fn read_run(run: &Path, settings: Settings) -> Result<ReportData> {
    let manifest = Manifest::read(run)?;
    let run = &Place::Local(run.to_owned());
    let mut sizes = GroupSizes::default();
    for table in manifest.tables.iter().filter(|table| GroupSizes::counts(&table.name)) {
        for batch in table_batches(run, table) {
            sizes.add(&batch?.with_as_of()?)?;
        }
    }
    let mut data = ReportData::new(manifest.clone(), settings, sizes.shown());
    for table in manifest.tables.iter().filter(|t| t.name != "state_history") {
        for batch in table_batches(run, table) {
            data.take(&table.name, &batch?.with_as_of()?)?;
        }
    }
    Ok(data)
}
