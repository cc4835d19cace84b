//! What must hold before a table is written: the ledger adds up, and the data keep their contract.

use crate::domain::Day;
use crate::error::{Error, Result};
use crate::input::orders::ledger::{self, RowCounts};
use crate::input::source::Source;
use crate::job::Job;
use crate::measure::LineCounts;
use crate::publish::OutputFolder;

/// Whether the volume of the input is plausible beside the last committed run.
///
/// # Errors
/// Exit 3.
pub(super) fn rows_vs_previous(job: &Job, output: &OutputFolder, rows: u64) -> Result<()> {
    let Some([least, most]) = job.raw.checks.rows_vs_previous else { return Ok(()) };
    let Some(before) = output.last_manifest()? else { return Ok(()) };
    let ratio = rows as f64 / before.input_rows.max(1) as f64;
    if ratio >= least && ratio <= most {
        return Ok(());
    }
    Err(Error::contract(format!(
        "the input has {rows} rows, {ratio:.3} times the {} of the last committed run; checks.rows_vs_previous allows {least} to {most}. Look for missing or doubled files, or run once with --set checks.rows_vs_previous=[0,1000]",
        before.input_rows
    )))
}

/// Adds the fates that only the fold knows, and checks that every row and all money is accounted for.
///
/// # Errors
/// Exit 1 if the ledger does not add up.
pub(super) fn close_ledger(lines: &[LineCounts], tally: &mut RowCounts, sources: &[Source]) -> Result<()> {
    for (file, lines) in lines.iter().enumerate() {
        tally.add(file, ledger::KEPT, lines.included.0, lines.included.1);
        tally.add(file, ledger::AFTER_AS_OF, lines.after.0, lines.after.1);
        tally.add(file, ledger::ZERO, lines.zero.0, lines.zero.1);
    }
    for (file, source) in sources.iter().enumerate() {
        let (rows, money, read) = tally.balance(file);
        if rows != source.rows() || money != read {
            return Err(Error::bug(format!(
                "the ledger of {} accounts for {rows} of {} rows and {money} of {read} minor units",
                source.name(),
                source.rows()
            )));
        }
    }
    Ok(())
}

/// The gates of the data contract.
///
/// # Errors
/// Exit 3.
pub(super) fn check(
    job: &Job,
    tally: &RowCounts,
    fates: &ledger::OutcomeNames,
    sources: &[Source],
    rows: u64,
    span: Option<(Day, Day)>,
) -> Result<()> {
    let orders = &job.raw.orders;
    let share = |n: u64| n as f64 / rows.max(1) as f64;
    let rejected = tally.rows(ledger::is_rejection);
    if rows > 0 && share(rejected) > orders.max_rejected {
        let worst = tally.worst_rejection().map_or_else(String::new, |(file, fate, n)| {
            let name = sources.get(file).map_or_else(String::new, Source::name);
            format!(", most of them {} ({n} in {name}, column {})", fates.name(fate), column_of(job, fate))
        });
        return Err(Error::contract(format!(
            "{rejected} of {rows} rows ({:.4} %) are rejected{worst}; orders.max_rejected allows {} %. Correct the data, filter the rows with orders.keep, or raise orders.max_rejected",
            share(rejected) * 100.0,
            orders.max_rejected * 100.0
        )));
    }
    let guests = tally.rows(|fate| fate == ledger::NO_CUSTOMER);
    if rows > 0 && share(guests) > orders.max_no_customer {
        return Err(Error::contract(format!(
            "{guests} of {rows} rows ({:.4} %) have no customer (column {:?} is null); orders.max_no_customer allows {} %. Correct the data or raise the limit",
            share(guests) * 100.0,
            orders.customer_id,
            orders.max_no_customer * 100.0
        )));
    }
    let kept = tally.rows(|fate| fate == ledger::KEPT);
    let last = job.last();
    if kept == 0 {
        let after = tally.rows(|fate| fate == ledger::AFTER_AS_OF);
        let why = if rows == 0 {
            "the input has no rows; check orders.path".into()
        } else if after > 0 {
            format!("{after} of {rows} rows are later; check the as-of date")
        } else {
            format!("none of {rows} rows is kept; see orders.keep and the customer and date columns")
        };
        return Err(Error::contract(format!("there is no order on or before the as-of date {last}: {why}")));
    }
    if let (Some(within), Some((_, newest))) = (job.newest_order_within, span)
        && last.0.saturating_sub(newest.0) > within
    {
        return Err(Error::contract(format!(
            "the newest order (column {:?}) is of {newest}, {} days before the as-of date {last}; checks.newest_order_within allows {within}. Look for a missing file or partition, or raise the limit",
            job.raw.orders.ordered_at,
            last.0 - newest.0
        )));
    }
    Ok(())
}

fn column_of(job: &Job, fate: ledger::RowOutcome) -> String {
    let orders = &job.raw.orders;
    let name = match fate {
        ledger::NULL_SLICE => orders.slice.clone().unwrap_or_default(),
        ledger::NULL_DATE | ledger::DATE_OUT_OF_RANGE => orders.ordered_at.clone(),
        ledger::NULL_ORDER_ID => orders.order_id.clone().unwrap_or_default(),
        ledger::NULL_CURRENCY => orders.currency.clone().unwrap_or_default(),
        _ => orders.amount.as_slice().join(" × "),
    };
    format!("{name:?}")
}
