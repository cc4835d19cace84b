//! What must hold before a table is written: every row is accounted for, and the data keep their contract.

use super::first_pass::FirstPass;
use super::prepared::Prepared;
use super::scanned::Scanned;
use super::stage::Stage;
use crate::domain::Day;
use crate::error::{Error, Result};
use crate::input::orders::ledger::{self, RowCounts};
use crate::input::orders::row_groups;
use crate::input::source::Source;
use crate::job::Job;
use crate::publish::{Manifest, Output};

/// Checks that the volume of the input is plausible compared with the run that `latest` names.
///
/// # Errors
/// Exit 3.
pub fn rows_vs_previous(job: &Job, prepared: &Prepared, output: &Output) -> Result<()> {
    match job.raw.checks.rows_vs_previous {
        Some(_) => output.latest_manifest()?.map_or(Ok(()), |before| rows_vs_run(job, prepared, &before)),
        None => Ok(()),
    }
}

/// The same, compared with a run.
///
/// # Errors
/// Exit 3.
pub fn rows_vs_run(job: &Job, prepared: &Prepared, before: &Manifest) -> Result<()> {
    let Some([least, most]) = job.raw.checks.rows_vs_previous else { return Ok(()) };
    let rows = prepared.input_rows();
    let ratio = rows as f64 / before.input_rows.max(1) as f64;
    if ratio >= least && ratio <= most {
        return Ok(());
    }
    Err(Error::contract(format!(
        "the input has {rows} rows, {ratio:.3} times the {} of the run that `latest` names; checks.rows_vs_previous allows {least} to {most}. Look for missing or doubled files, or run once with --set checks.rows_vs_previous=[0,1000]",
        before.input_rows
    )))
}

/// The outcomes of all rows: those of the scan, and those that only the fold of lines to orders could tell.
///
/// # Errors
/// Exit 1 if a row or its money is not accounted for.
pub fn closed_ledger(prepared: &Prepared, scanned: &Scanned, first_pass: &FirstPass) -> Result<RowCounts> {
    let mut counts = scanned.row_counts.clone();
    for (file, lines) in first_pass.lines.iter().enumerate() {
        counts.add(file, ledger::KEPT, lines.included.0, lines.included.1);
        counts.add(file, ledger::ZERO, lines.zero.0, lines.zero.1);
    }
    for (file, source) in prepared.orders.iter().enumerate() {
        let (rows, money, read) = counts.balance(file);
        if rows != source.rows_read() || money != read {
            return Err(Error::bug(format!(
                "the ledger of {} accounts for {rows} of {} rows and {money} of {read} minor units",
                source.name(),
                source.rows_read()
            )));
        }
    }
    Ok(counts)
}

/// Checks the data contract of the rows that are read; `span` is that of their dates.
///
/// # Errors
/// Exit 3.
pub fn check_contract(stage: Stage<'_>, scanned: &Scanned, ledger: &RowCounts, span: Option<(Day, Day)>) -> Result<()> {
    let Stage { job, prepared, .. } = stage;
    let rows = prepared.rows_read();
    check_rejected(job, prepared, scanned, ledger, rows)?;
    check_guests(job, ledger, rows)?;
    check_included(job, prepared, ledger, rows)?;
    check_newest(job, span)
}

fn share(part: u64, of: u64) -> f64 {
    part as f64 / of.max(1) as f64
}

fn check_rejected(job: &Job, prepared: &Prepared, scanned: &Scanned, counts: &RowCounts, rows: u64) -> Result<()> {
    let most = job.raw.orders.max_rejected;
    let rejected = counts.rows(ledger::is_rejection);
    if share(rejected, rows) <= most {
        return Ok(());
    }
    let worst = counts.worst_rejection().map_or_else(String::new, |(file, outcome, n)| {
        let file = prepared.orders.get(file).map_or_else(String::new, Source::name);
        let name = scanned.outcome_names.name(outcome);
        format!(", most of them {name} ({n} in {file}, column {})", column_of(job, outcome))
    });
    Err(Error::contract(format!(
        "{rejected} of {rows} rows ({:.4} %) are rejected{worst}; orders.max_rejected allows {} %. Correct the data, filter the rows with orders.keep, or raise orders.max_rejected",
        share(rejected, rows) * 100.0,
        most * 100.0
    )))
}

fn check_guests(job: &Job, counts: &RowCounts, rows: u64) -> Result<()> {
    let orders = &job.raw.orders;
    let guests = counts.rows(|outcome| outcome == ledger::NO_CUSTOMER);
    if share(guests, rows) <= orders.max_no_customer {
        return Ok(());
    }
    Err(Error::contract(format!(
        "{guests} of {rows} rows ({:.4} %) have no customer (column {:?} is null{}); orders.max_no_customer allows {} %. Correct the data or raise the limit",
        share(guests, rows) * 100.0,
        orders.customer_id,
        if orders.guests.is_empty() { "" } else { " or one of orders.guests" },
        orders.max_no_customer * 100.0
    )))
}

fn check_included(job: &Job, prepared: &Prepared, counts: &RowCounts, rows: u64) -> Result<()> {
    if counts.rows(|outcome| outcome == ledger::KEPT) > 0 {
        return Ok(());
    }
    let after = counts.rows(|outcome| outcome == ledger::AFTER_AS_OF);
    let why = if rows == 0 {
        "the input has no rows; check orders.path".into()
    } else if after > 0 {
        let span = row_groups::span(job, &prepared.orders);
        let span = span.map_or(String::new(), |(first, last)| format!(" (the dates go from {first} to {last})"));
        format!("{after} of {rows} rows are later{span}; check the as-of date")
    } else {
        format!("none of {rows} rows is kept; see orders.keep and the customer and date columns")
    };
    Err(Error::contract(format!("there is no order on or before the as-of date {}: {why}", job.last())))
}

fn check_newest(job: &Job, span: Option<(Day, Day)>) -> Result<()> {
    let last = job.last();
    match (job.newest_order_within, span) {
        (Some(within), Some((_, newest))) if last.0.saturating_sub(newest.0) > within => Err(Error::contract(format!(
            "the newest order (column {:?}) is of {newest}, {} days before the as-of date {last}; checks.newest_order_within allows {within}. Look for a missing file or partition, or raise the limit",
            job.raw.orders.ordered_at,
            last.0 - newest.0
        ))),
        _ => Ok(()),
    }
}

fn column_of(job: &Job, outcome: ledger::RowOutcome) -> String {
    let orders = &job.raw.orders;
    let name = match outcome {
        ledger::NULL_SLICE => orders.slice.clone().unwrap_or_default(),
        ledger::NULL_DATE | ledger::DATE_OUT_OF_RANGE => orders.ordered_at.clone(),
        ledger::NULL_ORDER_ID => job.order_id().join(", "),
        ledger::NULL_CURRENCY => orders.currency.clone().unwrap_or_default(),
        _ => orders.amount.as_slice().join(" × "),
    };
    format!("{name:?}")
}
