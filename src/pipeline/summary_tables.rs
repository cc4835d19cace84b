//! The tables that are one file per run, made of sums.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, SchemaRef};
use rayon::prelude::*;

use super::scanned::Scanned;
use super::scored::Scored;
use super::stage::Stage;
use super::summary_rows::{self, KeyNames};
use crate::domain::Day;
use crate::error::{Error, Result};
use crate::evaluate::{ArmSums, Evaluation};
use crate::input::orders::ledger::RowCounts;
use crate::job::Job;
use crate::job::raw::TableName;
use crate::part::PartOutput;
use crate::publish::{Staging, TableEntry, TableFile};
use crate::tables::{TableDefinition, encode, to_batch};

/// What the tables are made of.
pub struct Summary<'a> {
    pub stage: Stage<'a>,
    pub scanned: &'a Scanned,
    /// Outcomes of all rows of orders.
    pub ledger: &'a RowCounts,
    pub scored: &'a Scored,
    /// The sums of all parts.
    pub part: &'a PartOutput,
    /// The sums of strategies per arm, and what follows from them.
    pub arms: &'a ArmSums,
    pub evaluation: &'a Evaluation,
}

/// The rows of tables.
pub type TableBatches = Vec<(TableName, RecordBatch)>;

/// Writes the tables that the job asks for, and gives their rows.
///
/// # Errors
/// Exit 6 if a file cannot be written.
pub fn write(summary: &Summary<'_>, staging: &Staging) -> Result<(Vec<TableEntry>, TableBatches)> {
    let job = summary.stage.job;
    let mut batches = Vec::new();
    for name in TableName::ALL.into_iter().filter(|name| job.writes(*name)) {
        let table = summary.scanned.table(name)?;
        if let Some(batch) = batch(summary, name, table)? {
            batches.push((name, table, batch));
        }
    }
    let write = |(name, table, batch): &(TableName, &TableDefinition, RecordBatch)| match name {
        // Reports read no bins.
        TableName::Arms => write_table(job, staging, table, &[batch, &summary.arms.bin_rows(job.scale(), table)?]),
        _ => write_table(job, staging, table, &[batch]),
    };
    let entries = batches.par_iter().with_max_len(1).map(write).collect::<Result<Vec<_>>>()?;
    Ok((entries, batches.into_iter().map(|(name, _, batch)| (name, batch)).collect()))
}

/// The rows of a table; `None` if parts or the commit write it.
fn batch(summary: &Summary<'_>, name: TableName, table: &TableDefinition) -> Result<Option<RecordBatch>> {
    let Summary { stage, scanned, ledger, scored, part, arms, evaluation } = summary;
    let Stage { job, prepared, .. } = stage;
    let plan = &prepared.plan;
    let dimension_names = job.raw.customers.iter().flat_map(|c| &c.dimensions).map(String::as_str);
    let dimensions: Vec<(&str, &[String])> = dimension_names.zip(scanned.dimensions.iter().map(Vec::as_slice)).collect();
    let names = KeyNames { job, slices: &scanned.slices, schemes: &plan.schemes, dimensions: &dimensions };
    let batch = match name {
        TableName::Customers | TableName::Movers | TableName::StateHistory => return Ok(None),
        // The commit makes it.
        TableName::Restatements => return Ok(None),
        TableName::Cutpoints => to_batch(&summary_rows::cutpoints(plan, &scored.scoring, &names), table),
        TableName::Segments => to_batch(&summary_rows::segments(&part.segments, &names), table),
        TableName::Transitions => to_batch(&summary_rows::transitions(&part.movement.transitions, &names), table),
        TableName::Growth => to_batch(&summary_rows::growth(&part.movement.growth, &names), table),
        TableName::Cohorts => to_batch(&summary_rows::cohorts(&part.movement.cohorts, &prepared.costs, &names), table),
        TableName::Concentration => to_batch(&summary_rows::concentration(&scored.concentration, &names), table),
        TableName::DimState => to_batch(&summary_rows::dim_state(job, plan, scored), table),
        TableName::DimPeriod => to_batch(&summary_rows::dim_period(job, scored), table),
        TableName::Effects => to_batch(&evaluation.effects, table),
        TableName::EffectsOverTime => to_batch(&evaluation.over_time, table),
        TableName::Verdicts => to_batch(&evaluation.verdicts, table),
        TableName::Balance => to_batch(&evaluation.balance, table),
        TableName::BeforeAfter => to_batch(&evaluation.before_after, table),
        TableName::Arms => to_batch(&arms.to_rows(job.scale()), table),
        TableName::Ledger => {
            let mut rows = summary_rows::ledger(ledger, &scanned.outcome_names, &prepared.orders, &names);
            rows.extend(prepared.queries.ledger_rows());
            to_batch(&rows, table)
        }
    };
    batch.map(Some)
}

/// Writes a table as one file; where it has `as_of`, and then one batch, also a partition per published date without that
/// column.
fn write_table(job: &Job, staging: &Staging, table: &TableDefinition, batches: &[&RecordBatch]) -> Result<TableEntry> {
    let put = |path: String, schema: &SchemaRef, rows: &[&RecordBatch]| -> Result<TableFile> {
        staging.put(path, encode(table, schema, rows, &job.raw.name)?)
    };
    let whole = put(format!("{}.parquet", table.name), &table.schema(true), batches)?;
    let rows = whole.rows;
    let mut files = vec![whole];
    let dated = batches.iter().find_map(|batch| Some((batch, batch.column_by_name("as_of")?)));
    if let Some((batch, as_of)) = dated {
        let schema = table.schema(false);
        let partition = |(date, first, count): &(Day, usize, usize)| {
            let columns = batch.columns().iter().skip(1).map(|c| c.slice(*first, *count)).collect();
            let rows = RecordBatch::try_new(schema.clone(), columns)
                .map_err(|e| Error::bug(format!("table {} cannot be split by date: {e}", table.name)).caused_by(e))?;
            put(format!("partitions/{}/as_of={date}/{}.parquet", table.name, table.name), &schema, &[&rows])
        };
        let ranges = date_ranges(job, table, as_of.as_primitive::<Date32Type>().values())?;
        files.extend(ranges.par_iter().map(partition).collect::<Result<Vec<_>>>()?);
    }
    Ok(TableEntry { name: table.name.into(), rows, files })
}

/// The published dates, each with its first row and how many it has; `days` are those of the rows.
///
/// A date without rows is among them: its file replaces what an older run had there, and a glob always finds columns.
fn date_ranges(job: &Job, table: &TableDefinition, days: &[i32]) -> Result<Vec<(Day, usize, usize)>> {
    let mut ranges = Vec::new();
    let mut first = 0;
    for (_, date) in job.shown() {
        let count = days[first..].iter().take_while(|day| **day == date.date.0).count();
        ranges.extend(date.is_published().then_some((date.date, first, count)));
        first += count;
    }
    if first != days.len() {
        return Err(Error::bug(format!("{} rows of table {} are of no date of the job", days.len() - first, table.name)));
    }
    Ok(ranges)
}
