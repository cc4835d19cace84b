//! From a run's tables, as Arrow batches or as a committed folder, to [`ReportData`].

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};

use super::data::{ReportData, Settings};
use super::groups::GroupSizes;
use crate::domain::{ALL, Day};
use crate::error::{Error, Result};
use crate::publish::{Manifest, table_batches};
use crate::tables::{MoveRow, Row};

impl ReportData {
    /// Takes rows of a table. A batch without rows says that the table was written. Tables that no report shows are passed
    /// over.
    ///
    /// # Errors
    /// Exit 5 if a column that the report needs is missing or of another type.
    pub fn take(&mut self, table: &str, batch: &RecordBatch) -> Result<()> {
        let batch = &self.groups.rows(batch)?;
        if table != "movers" {
            return self.append(table, batch);
        }
        let moves = self.moves.get_or_insert_default();
        for row in MoveRow::from_batch(table, &with_slice(batch)?)? {
            match moves.binary_search_by(|counted| moved(counted).cmp(&moved(&row))) {
                Ok(at) => moves[at].customers = moves[at].customers.map(|count| count + 1),
                Err(at) => moves.insert(at, MoveRow { customers: Some(1), ..row }.into()),
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
    let mut sizes = GroupSizes::default();
    for table in manifest.tables.iter().filter(|table| GroupSizes::counts(&table.name)) {
        for batch in table_batches(run, table) {
            sizes.add(&batch?.with_as_of()?)?;
        }
    }
    let mut data = ReportData::new(manifest.clone(), settings, sizes.shown());
    for table in manifest.tables.iter().filter(|t| t.name != "customers" && t.name != "state_history") {
        for batch in table_batches(run, table) {
            data.take(&table.name, &batch?.with_as_of()?)?;
        }
    }
    Ok(data)
}
