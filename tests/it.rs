//! The integration tests, in one binary.

#![allow(clippy::type_complexity, reason = "naive oracles keep what they know in plain maps of tuples")]

mod support;

/// Whether arms are alike but for the treatment.
mod alike;
/// What another Rust program does: read a job, run it, read its tables.
mod api;
/// Modules use only what stands below them, and no two files use each other.
mod architecture;
/// Drawing arms, and samples with a known effect.
mod assign;
/// Everything a user can do wrong: the exit code, the sentence, and nothing half-written.
mod bad_input;
/// Effects by dimensions and by columns of the assignments.
mod by;
/// Pages in Chinese: they lead to each other, and say what the English pages say.
mod chinese;
/// What reports say, beside what their tables say.
mod claims;
/// Every command, what it prints, and where.
mod cli;
/// Stores that are drawn, not customers.
mod clusters;
/// Cohorts by a dimension, and what winning their customers cost.
mod cohorts;
/// What commands say: log lines, documents, and what `--quiet` leaves.
mod commands;
/// The text that leads from orders to a decision: its commands and its numbers.
mod decide;
/// Decisions that hold: what verdicts once got wrong, each with its right answer.
mod decisions;
/// The same orders give the same bytes, however they are stored and however many threads read them.
mod determinism;
/// Thousands of random jobs, each held against a naive second program.
mod differential;
/// Jumps at a cut.
mod discontinuity;
/// Runs that write nothing: what a sample of the orders says.
mod dry_run;
/// Effects, their reasons and verdicts, from exact sums per arm.
mod evaluate;
/// Events as outcomes of strategies.
mod event_outcomes;
/// Every example of `--help` runs.
mod examples;
/// Cohorts by what customers bought first.
mod first_purchases;
/// Models of what customers will do.
mod forecast;
/// First job files: what is guessed of orders of any shape.
mod init;
/// Damaged and hostile inputs, byte by byte and at scale.
mod inputs;
/// What must hold of the tables of every run, on random shops.
mod invariants;
/// The docs list the keys of the job file that the code has.
mod job_doc;
/// Every job file in `jobs/` runs on sample data.
mod jobs;
/// Arms that are kept over several periods.
mod kept;
/// Loading into PostgreSQL as far as it goes without one, and the forms of `schema --tables`.
mod load;
/// Strategies whose treated somebody chose: the bracket and its placebos.
mod matched;
/// Under a limit of memory: the same bytes, and sentences that say what would do.
mod memory;
/// When the next purchase comes.
mod next_purchase;
/// The wrapper for cron.
mod nightly;
/// The page of a run in a browser.
mod open_page;
/// What rows of orders mean: lines, returns, guests, versions, and what is odd about them.
mod orders;
/// Tables of forecasts.
mod outlook;
/// Pairs of treated arms, beside every arm against the control.
mod pairs;
/// What is known of customers beyond the sums of their orders: categories, their own table, events.
mod people;
/// The output folder after what people and crashes did to it.
mod publish;
/// Orders of any shape: sources and queries.
mod query;
/// The report, from tables to files.
mod report;
/// Table bytes change only together with the number of the rules that made them.
mod rules;
/// What schemes say of customers, and what is said of schemes.
mod schemes;
/// Runs in stages: the same bytes for any number of shards, whatever happens to tasks.
mod sharded;
/// Whether intervals and verdicts keep what they promise over thousands of simulated strategies; ignored by default.
mod simulation;
/// The names of the scheme `standard` are true of everybody who carries them.
mod standard;
/// Inputs in object stores.
mod stores;
/// Effects by the strata of the draw.
mod strata;
/// Strategies from orders and assignments to their tables.
mod strategies;
/// Tables of an output as Arrow streams.
mod table_streams;
/// The docs list the columns that the code has.
mod tables_doc;
/// Strategies that treated everybody beyond a cut.
mod threshold;
mod to_date;
/// Nights with a history: the trend of a nightly job.
mod trend;
/// Comments and docs are plain English.
mod wording;

#[path = "support/fixture.rs"]
mod fixture;
