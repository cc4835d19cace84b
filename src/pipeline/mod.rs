//! The order of the steps, as a chain of values: each stage makes its value from those before it and changes none of them.
//!
//! ```text
//! Queries ─ Prepared ─ Scanned + Records ─ FirstPass + BucketCache ─ Scored ─ SecondPassOutput ─ Evaluated ─ Outcome
//! ```
//!
//! Records are read once. The first pass folds every bucket for the distributions that cut points need; the second pass
//! processes customers part by part and writes their rows. Large values move from stage to stage, and are freed by the last
//! stage that needs them.

mod clock;
mod commit;
mod dimensions;
mod dry_run;
mod evaluated;
mod facts;
mod first_pass;
mod forecast_rows;
mod frozen_cuts;
mod gates;
mod identity;
mod orders_warnings;
mod prepared;
mod queries;
mod reports;
mod restatements;
mod scanned;
mod scheme_warnings;
mod scored;
mod scoring;
mod second_pass;
pub mod sharded;
mod side_inputs;
mod stage;
mod state_lines;
mod summary_rows;
mod summary_tables;
mod warnings;

use crate::error::Result;
use crate::input::query::Task;
use crate::job::Job;
use crate::progress::{Progress, Silent};

pub use crate::experiment::exposure::load::check as check_assignments;
pub use commit::Outcome;
pub use dry_run::{DryRun, Sample, dry_run};
pub use identity::RULES;
pub use queries::Queries;
pub use state_lines::StateLine;
pub use warnings::OutcomeLine;

use clock::Clock;
use evaluated::Evaluated;
use facts::{Facts, Target};
use first_pass::FirstPass;
use prepared::Prepared;
use scanned::Scanned;
use scored::Scored;
use stage::Stage;

/// Runs a job and commits its tables.
///
/// # Errors
/// Every kind; nothing is visible unless the run is committed.
pub fn run(job: &Job, progress: &dyn Progress) -> Result<Outcome> {
    let mut clock = Clock::start();
    if !job.queries.is_empty() {
        // A planned query tells which run this is, before the query takes its time.
        let (planned, output) = Prepared::open(Queries::run(job, Task::Plan, &Silent)?)?;
        if let Some(outcome) = commit::repeat(job, &planned, &output, progress)? {
            return Ok(outcome);
        }
    }
    let (prepared, output) = Prepared::open(Queries::run(job, Task::Run, progress)?)?;
    let job = &prepared.queries.queried.job;
    if let Some(outcome) = commit::repeat(job, &prepared, &output, progress)? {
        return Ok(outcome);
    }
    gates::rows_vs_previous(job, &prepared, &output)?;
    clock.lap("open");

    let memory = prepared.memory(job, &output.scratch())?;
    let assignments = prepared.read_assignments(job, &memory)?;
    if !assignments.is_empty() {
        clock.lap("assignments");
    }
    let stage = Stage { job, prepared: &prepared, memory: &memory, progress };
    let (scanned, records) = Scanned::read(stage)?;
    clock.lap("read");

    let (first_pass, buckets) = FirstPass::run(stage, records)?;
    let ledger = gates::closed_ledger(&prepared, &scanned, &first_pass)?;
    gates::check_contract(stage, &scanned, &ledger, first_pass.span)?;
    clock.lap("measure");

    let scored = Scored::new(stage, &scanned, first_pass)?;
    clock.lap("score");

    let experiments = scored.experiments(stage, &scanned, &assignments)?;
    let staging = output.stage(&prepared.identity.run_id)?;
    let summed_too = restatements::hidden_but_told(job, &output);
    let context = second_pass::context(stage, &scanned, &scored, experiments.as_ref(), summed_too, &staging)?;
    let parts = second_pass::run(stage, &scanned, &context, buckets, experiments.as_ref(), 0..prepared.parts, scored.customers)?;
    clock.lap("write");

    let facts = Facts { scanned: &scanned, ledger: &ledger, scored: &scored };
    let target = Target { output: &output, staging: &staging };
    let mut evaluated = Evaluated::new(stage, facts, target, &context, experiments.as_ref(), parts)?;
    prepared.check_unchanged()?;
    clock.lap("tables");

    let manifest = commit::manifest(stage, facts, target, &context, &assignments, &mut evaluated, clock.into_timings())?;
    commit::commit(stage, &output, staging, manifest, evaluated)
}
