//! A dry run: the job over a sample of its orders, up to where a run would write its first file. It touches no output.

use super::first_pass::FirstPass;
use super::gates;
use super::orders_warnings::orders_warnings;
use super::prepared::{Prepared, owner};
use super::queries::Queries;
use super::scanned::Scanned;
use super::stage::Stage;
use super::warnings::{OutcomeLine, all_outcomes, old_orders};
use crate::domain::{Day, Warning};
use crate::error::{Error, Result};
use crate::input::orders::row_groups;
use crate::input::query::Task;
use crate::input::source::Source;
use crate::job::Job;
use crate::job::raw::TableName;
use crate::memory::MemoryPool;
use crate::progress::Progress;
use crate::publish::{self, ScratchFolder, View};

/// Where a memory limit spills to.
const SCRATCH: &str = ".rfmill-dry-run-";

/// What a dry run found.
#[derive(Debug)]
pub struct DryRun {
    /// The id that the run would have.
    pub run_id: String,
    /// Which rows were read.
    pub sample: Sample,
    /// What became of them, by outcome; those that count come first.
    pub outcomes: Vec<OutcomeLine>,
    /// First and last date of the rows that count.
    pub dates: Option<(Day, Day)>,
    /// First and last date of all rows by the statistics of their files, as far as these tell; in UTC.
    pub all_dates: Option<(Day, Day)>,
    /// What is odd about the job and its files.
    pub warnings: Vec<Warning>,
    /// What is odd about the rows that were read.
    pub of_rows: Vec<Warning>,
    /// The as-of dates that would be written, with the run that supplies them now.
    pub as_of: Vec<(Day, Option<String>)>,
    /// The tables that would be written; `restatements` besides, if the run says other numbers than one before it.
    pub tables: Vec<&'static str>,
    /// Why the run would fail, if it would by what was read.
    pub failure: Option<Error>,
}

/// Which rows a dry run has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Rows that were read, and all rows.
    pub rows: (u64, u64),
    /// Row groups that were read, and all of them.
    pub row_groups: (usize, usize),
    /// Files of orders.
    pub files: usize,
    /// Whether the orders are the result of a query, which ran over all of its rows.
    pub is_queried: bool,
}

impl Sample {
    fn of(prepared: &Prepared) -> Sample {
        let orders = &prepared.orders;
        Sample {
            rows: (prepared.rows_read(), prepared.input_rows()),
            row_groups: (
                orders.iter().map(|source| source.groups().count()).sum(),
                orders.iter().map(|source| source.metadata.metadata().num_row_groups()).sum(),
            ),
            files: orders.len(),
            is_queried: orders.iter().any(|source: &Source| source.input.is_query_result),
        }
    }

    /// Whether all rows were read.
    pub fn is_all(&self) -> bool {
        self.rows.0 == self.rows.1
    }
}

/// Reads a sample of a job's orders, of about `most_rows`, and all of its other tables, and says what a run would meet. Nothing is
/// written but temporary files.
///
/// # Errors
/// Those of a run that rows have nothing to do with, and those that end its reading. What would end it later is in the result.
pub fn dry_run(job: &Job, most_rows: u64, progress: &dyn Progress) -> Result<DryRun> {
    let queries = Queries::in_temp(job, Task::Run, progress)?;
    let mut prepared = Prepared::of(queries, |_| Ok(()))?;
    row_groups::sample(&mut prepared.orders, most_rows);
    let prepared = prepared;
    let job = &prepared.queries.queried.job;
    let (view, mut failure) = match look(job, &prepared) {
        Ok(view) => (view, None),
        Err(error) => (None, Some(error)),
    };
    let scratch = job.memory_limit.map(|_| ScratchFolder::create(&std::env::temp_dir(), SCRATCH)).transpose()?;
    let memory = match &scratch {
        Some(scratch) => prepared.memory(job, scratch.path())?,
        None => MemoryPool::unlimited(),
    };
    let stage = Stage { job, prepared: &prepared, memory: &memory, progress };
    let (scanned, records) = Scanned::read(stage)?;
    let (first_pass, _) = FirstPass::run(stage, records)?;
    let ledger = gates::closed_ledger(&prepared, &scanned, &first_pass)?;
    let all_dates = row_groups::span(job, &prepared.orders);
    // Of a sample, only the statistics know the newest date.
    let newest = if prepared.is_sampled() { all_dates } else { first_pass.span };
    if let Err(error) = gates::check_contract(stage, &scanned, &ledger, newest) {
        failure = failure.or(Some(error));
    }
    let of_rows = orders_warnings(stage, &scanned, &ledger, &first_pass.findings).into_iter().map(Warning::Orders);
    let of_rows = of_rows.chain(empty_ids(job, &scanned)).collect();
    let is_written = |table: &TableName| job.writes(*table) && *table != TableName::Restatements;
    let warnings = prepared.plan.warnings.iter().chain(prepared.input_warnings()).cloned();
    let warnings = warnings.chain(prepared.queries.warnings()).chain(newest.and_then(|(_, newest)| old_orders(job, newest)));
    Ok(DryRun {
        run_id: prepared.identity.run_id.clone(),
        sample: Sample::of(&prepared),
        outcomes: all_outcomes(job, &scanned, &ledger),
        dates: first_pass.span,
        all_dates,
        warnings: warnings.collect(),
        of_rows,
        as_of: job.published().map(|(_, date)| (date.date, supplier(view.as_ref(), date.date))).collect(),
        tables: TableName::ALL.into_iter().filter(is_written).map(TableName::name).collect(),
        failure,
    })
}

/// Looks at the output that the run would write into; none if it would make it.
fn look(job: &Job, prepared: &Prepared) -> Result<Option<View>> {
    let Some(view) = publish::shown(&job.output)? else { return Ok(None) };
    if !job.adopt {
        view.owner.check(&job.output, &owner(job))?;
    }
    if job.raw.checks.rows_vs_previous.is_some() && view.run_id.is_some() {
        gates::rows_vs_run(job, prepared, &publish::latest_run(&job.output)?.manifest)?;
    }
    Ok(Some(view))
}

/// The run that supplies a date now.
fn supplier(view: Option<&View>, date: Day) -> Option<String> {
    view?.dates.get(&date.to_string()).map(|shown| shown.run_id.clone())
}

fn empty_ids(job: &Job, scanned: &Scanned) -> Option<Warning> {
    let column = || job.raw.orders.customer_id.clone();
    (scanned.empty_ids > 0).then(|| Warning::EmptyIds { orders: scanned.empty_ids, column: column() })
}
