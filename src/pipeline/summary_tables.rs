//! The tables that are one file per run, made of sums.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, SchemaRef};
use rayon::prelude::*;

use super::facts::Facts;
use super::forecast_rows;
use super::stage::Stage;
use super::summary_rows::{self, KeyNames};
use crate::domain::{Day, FirstPurchase};
use crate::error::{Error, Result};
use crate::evaluate::{ArmSums, Digits, Evaluation};
use crate::experiment;
use crate::job::Job;
use crate::job::raw::{ReportName, TableName};
use crate::part::PartOutput;
use crate::publish::{Staging, TableEntry, TableFile};
use crate::report::{GroupSizes, ShownGroups};
use crate::tables::{BatchBuilder, Row, TableDefinition, encode, to_batch};

/// What the tables are made of.
pub struct Summary<'a> {
    pub stage: Stage<'a>,
    pub facts: Facts<'a>,
    /// The sums of all parts.
    pub part: &'a PartOutput,
    /// The sums of strategies per arm, and what follows from them.
    pub arms: &'a ArmSums,
    pub evaluation: &'a Evaluation,
}

/// The tables that are one file per run, once they are written.
#[derive(Default)]
pub struct WrittenTables {
    /// With their files.
    pub entries: Vec<TableEntry>,
    /// The rows that reports show.
    pub reported: Vec<(TableName, RecordBatch)>,
    /// The groups that reports show.
    pub groups: ShownGroups,
}

/// A table with more rows is made and written while no other is.
const LARGE: usize = 1 << 17;

/// What a cell takes in Arrow and encoded, about.
const BYTES_OF_CELL: usize = 12;

/// Sums whose rows are made at once, about.
const CHUNK: usize = 1 << 14;

/// Writes the tables that the job asks for, and gives their rows.
///
/// # Errors
/// Exit 6 if a file cannot be written.
pub fn write(summary: &Summary<'_>, staging: &Staging) -> Result<WrittenTables> {
    let job = summary.stage.job;
    // CRM files are not made of tables.
    let has_reports = job.raw.output.report.iter().any(|report| *report != ReportName::Crm);
    let mut written = WrittenTables::default();
    let names = || TableName::ALL.into_iter().filter(|name| job.writes(*name));
    if has_reports && names().any(|name| name == TableName::Segments) {
        // Which groups reports show is known before the rows of any other table.
        let segments = make(summary, TableName::Segments, staging)?;
        let mut sizes = GroupSizes::default();
        segments.iter().try_for_each(|made| sizes.add(&made.batch))?;
        written.groups = sizes.shown();
        written.add(segments, has_reports)?;
    }
    let left: Vec<TableName> = names().filter(|name| !written.has(*name)).collect();
    let (large, small): (Vec<TableName>, Vec<TableName>) = left.into_iter().partition(|name| sum_count(summary, *name) > LARGE);
    for name in large {
        written.add(make(summary, name, staging)?, has_reports)?;
    }
    let made: Vec<Option<MadeTable>> =
        small.into_par_iter().with_max_len(1).map(|name| make(summary, name, staging)).collect::<Result<_>>()?;
    made.into_iter().try_for_each(|made| written.add(made, has_reports))?;
    let place = |name: &str| TableName::ALL.iter().position(|of_all| of_all.name() == name);
    written.entries.sort_by_key(|entry| place(&entry.name));
    written.reported.sort_by_key(|(name, _)| place(name.name()));
    Ok(written)
}

/// A table that was made and written.
struct MadeTable {
    name: TableName,
    entry: TableEntry,
    batch: RecordBatch,
}

impl WrittenTables {
    /// Takes a table, if parts did not write it, and the rows of it that reports show.
    fn add(&mut self, made: Option<MadeTable>, has_reports: bool) -> Result<()> {
        let Some(MadeTable { name, entry, batch }) = made else { return Ok(()) };
        self.entries.push(entry);
        if has_reports {
            self.reported.push((name, self.groups.rows(&batch)?));
        }
        Ok(())
    }

    fn has(&self, name: TableName) -> bool {
        self.entries.iter().any(|entry| entry.name == name.name())
    }
}

/// Makes the rows of a table and writes them; `None` if parts write it.
fn make(summary: &Summary<'_>, name: TableName, staging: &Staging) -> Result<Option<MadeTable>> {
    let Stage { job, memory, .. } = summary.stage;
    let table = summary.facts.scanned.table(name)?;
    let count = sum_count(summary, name);
    if count > LARGE {
        let bytes = count * table.columns.len() * BYTES_OF_CELL;
        memory.check_room(bytes as u64, || format!("the table {} of {count} rows", table.name))?;
    }
    let Some(batch) = batch(summary, name, table)? else { return Ok(None) };
    let entry = match name {
        // Reports read no bins.
        TableName::Arms => write_table(job, staging, table, &[&batch, &summary.arms.bin_rows(&experiment::digits(job), table)?]),
        _ => write_table(job, staging, table, &[&batch]),
    }?;
    Ok(Some(MadeTable { name, entry, batch }))
}

/// Sums of which a table is made, of those that may have millions.
fn sum_count(summary: &Summary<'_>, name: TableName) -> usize {
    let PartOutput { segments, movement, .. } = summary.part;
    match name {
        TableName::Cutpoints => {
            let slices = summary.facts.scored.scoring.iter().flatten();
            slices.map(|slice| slice.bins.iter().map(Vec::len).sum::<usize>()).sum()
        }
        TableName::Segments => segments.len(),
        TableName::Affinity => summary.part.affinity.len(),
        TableName::Forecast => summary.part.forecast.len(),
        TableName::Transitions => movement.transitions.len(),
        TableName::Growth => movement.growth.len(),
        TableName::Cohorts => movement.cohorts.len(),
        TableName::Concentration => summary.facts.scored.concentration.len(),
        TableName::Arms => summary.arms.rows().count() + summary.arms.pairs().count(),
        _ => 0,
    }
}

/// The table of sums by arm, some rows at a time: strategies that overlap have many.
fn arms_batch(arms: &ArmSums, digits: &Digits, table: &TableDefinition) -> Result<RecordBatch> {
    let mut batch = BatchBuilder::new(table)?;
    let mut rows = Vec::new();
    for row in arms.table_rows(digits) {
        rows.push(row);
        if rows.len() >= CHUNK {
            batch.add(&rows)?;
            rows.clear();
        }
    }
    batch.add(&rows)?;
    batch.finish()
}

/// The table of cut points: slice by slice, since there may be many.
fn cutpoints(summary: &Summary<'_>, names: &KeyNames<'_>, table: &TableDefinition) -> Result<RecordBatch> {
    let Stage { job, prepared, .. } = summary.stage;
    let mut batch = BatchBuilder::new(table)?;
    let mut rows = Vec::new();
    for (at, date) in job.shown() {
        for (number, slice) in summary.facts.scored.scoring[at].iter().enumerate() {
            rows.extend(summary_rows::cutpoints(&prepared.plan, date, number, slice, names));
            if rows.len() >= CHUNK {
                batch.add(&rows)?;
                rows.clear();
            }
        }
    }
    batch.add(&rows)?;
    batch.finish()
}

/// A table of sums, which are sorted; those with the same first `numbers` of their key become rows together.
fn from_sums<'s, const N: usize, S, R: Row>(
    sums: &'s [([u32; N], S)],
    numbers: usize,
    table: &TableDefinition,
    rows: impl Fn(&'s [([u32; N], S)]) -> Vec<R>,
) -> Result<RecordBatch> {
    let mut batch = BatchBuilder::new(table)?;
    let mut rest = sums;
    while !rest.is_empty() {
        let at_least = rest.len().min(CHUNK);
        let last = &rest[at_least - 1].0[..numbers];
        let more = rest[at_least..].iter().take_while(|(key, _)| key[..numbers] == *last).count();
        let (chunk, others) = rest.split_at(at_least + more);
        batch.add(&rows(chunk))?;
        rest = others;
    }
    batch.finish()
}

/// The rows of a table; `None` if parts or the commit write it.
fn batch(summary: &Summary<'_>, name: TableName, table: &TableDefinition) -> Result<Option<RecordBatch>> {
    let Summary { stage, facts: Facts { scanned, ledger, scored }, part, arms, evaluation } = summary;
    let Stage { job, prepared, .. } = stage;
    let plan = &prepared.plan;
    let dimension_names = job.raw.customers.iter().flat_map(|c| &c.dimensions).map(String::as_str);
    let mut dimensions: Vec<(&str, &[String])> = dimension_names.zip(scanned.dimensions.iter().map(Vec::as_slice)).collect();
    let truths = [false, true].map(|truth| truth.to_string());
    dimensions.extend(plan.fold.first_purchase.iter().map(|property| match property {
        FirstPurchase::Category => (property.name(), scanned.categories.as_slice()),
        FirstPurchase::Discounted => (property.name(), truths.as_slice()),
    }));
    let states: Vec<Vec<String>> = plan.schemes.iter().map(|column| column.scheme.all_states()).collect();
    let names = KeyNames { states: &states, job, slices: &scanned.slices, schemes: &plan.schemes, dimensions: &dimensions };
    let batch = match name {
        TableName::Customers | TableName::Movers | TableName::StateHistory => return Ok(None),
        // The commit makes them.
        TableName::Restatements | TableName::DimDate => return Ok(None),
        TableName::Cutpoints => cutpoints(summary, &names, table),
        TableName::Segments => from_sums(&part.segments, 5, table, |sums| summary_rows::segments(sums, &names)),
        TableName::Transitions => from_sums(&part.movement.transitions, 6, table, |sums| summary_rows::transitions(sums, &names)),
        TableName::Growth => from_sums(&part.movement.growth, 3, table, |sums| summary_rows::growth(sums, &names)),
        TableName::Cohorts => {
            from_sums(&part.movement.cohorts, 4, table, |sums| summary_rows::cohorts(sums, &prepared.costs, &names))
        }
        TableName::Concentration => to_batch(&summary_rows::concentration(&scored.concentration, &names), table),
        TableName::Affinity => {
            from_sums(&part.affinity, 2, table, |sums| summary_rows::affinity(sums, &scanned.categories, &names))
        }
        TableName::Forecast => to_batch(&forecast_rows::forecast(&part.forecast, &scored.forecasts, &names), table),
        TableName::Backtest => to_batch(&forecast_rows::backtest(&scored.forecasts, job.last_date(), &names), table),
        TableName::DimState => to_batch(&summary_rows::dim_state(job, plan, scored), table),
        TableName::DimPeriod => to_batch(&summary_rows::dim_period(job, scored, &prepared.identity.definitions_hash), table),
        TableName::Effects => to_batch(&evaluation.effects, table),
        TableName::EffectsOverTime => to_batch(&evaluation.over_time, table),
        TableName::EffectsToDate => to_batch(&evaluation.to_date, table),
        TableName::Verdicts => to_batch(&evaluation.verdicts, table),
        TableName::Balance => to_batch(&evaluation.balance, table),
        TableName::BeforeAfter => to_batch(&evaluation.before_after, table),
        TableName::Thresholds => to_batch(&evaluation.thresholds, table),
        TableName::ThresholdBins => to_batch(&evaluation.threshold_bins, table),
        TableName::Arms => arms_batch(arms, &experiment::digits(job), table),
        TableName::Ledger => {
            let mut rows = summary_rows::ledger(ledger, &scanned.outcome_names, &prepared.orders, &names);
            rows.extend(prepared.queries.ledger_rows());
            to_batch(&rows, table)
        }
    };
    batch.map(Some)
}

/// Writes a table as one file; where it has `as_of`, and then one batch, also a partition per published date without that
/// column. A dimension has none: the commit makes one file over all dates.
fn write_table(job: &Job, staging: &Staging, table: &TableDefinition, batches: &[&RecordBatch]) -> Result<TableEntry> {
    let put = |path: String, schema: &SchemaRef, rows: &[&RecordBatch]| -> Result<TableFile> {
        staging.put(path, encode(table, schema, rows, &job.raw.name)?)
    };
    let whole = put(format!("{}.parquet", table.name), &table.schema(true), batches)?;
    let rows = whole.rows;
    let mut files = vec![whole];
    let is_dimension = TableName::ALL.into_iter().any(|name| name.is_dimension() && name.name() == table.name);
    let dated = batches.iter().filter(|_| !is_dimension).find_map(|batch| Some((batch, batch.column_by_name("as_of")?)));
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
