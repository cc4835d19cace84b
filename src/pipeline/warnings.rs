//! What the console shows at the end of a run: what became of rows, and warnings.

use std::collections::BTreeMap;

use super::orders_warnings::orders_warnings;
use super::scanned::Scanned;
use super::scheme_warnings::{crowded_states, young_data};
use super::scored::Scored;
use super::stage::Stage;
use super::state_lines::StateLine;
use crate::domain::{Day, Warning};
use crate::forecast::{Backtest, LEAST_REPEATERS};
use crate::input::orders::ledger::{KEPT, RowCounts, RowOutcome};
use crate::job::Job;
use crate::plan::SchemeColumn;
use crate::score::{Axis, SliceScoring};

/// Rows of orders with an outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeLine {
    /// The outcome, as the ledger names it.
    pub outcome: String,
    /// Rows.
    pub rows: u64,
    /// Their share of all rows.
    pub share: f64,
    /// Their money.
    pub money: String,
}

/// What is odd about the data and the scores at the last as-of date.
pub fn data_warnings(
    stage: Stage<'_>,
    scanned: &Scanned,
    ledger: &RowCounts,
    scored: &Scored,
    states: &[StateLine],
) -> Vec<Warning> {
    let Stage { job, prepared, .. } = stage;
    let mut out = Vec::new();
    for (number, slice) in scored.scoring.last().into_iter().flatten().enumerate().take(MAX_SLICES) {
        let name = scanned.slices.get(number).map(String::as_str);
        out.extend(tied_scores(job, name, slice, states, &prepared.plan.schemes));
    }
    if scanned.empty_ids > 0 {
        out.push(Warning::EmptyIds { orders: scanned.empty_ids, column: job.raw.orders.customer_id.clone() });
    }
    let schemes = &prepared.plan.schemes;
    out.extend(crowded_states(states, schemes, scored, job.score.bins).into_iter().map(Warning::Scheme));
    if let Some(first) = scored.first_order {
        out.extend(young_data(schemes, first, job.last()).into_iter().map(Warning::Scheme));
        let begins = job.history_begins.filter(|begins| first < *begins);
        out.extend(begins.map(|begins| Warning::OrdersBeforeHistory { begins, first }));
    }
    out.extend(orders_warnings(stage, scanned, ledger, &scored.findings).into_iter().map(Warning::Orders));
    out.extend(scored.last_order.and_then(|newest| old_orders(job, newest)));
    let incomplete: Vec<Day> = job.shown().filter(|(at, _)| !scored.history_complete[*at]).map(|(_, d)| d.date).collect();
    if let (Some(first), Some(data_begin)) = (incomplete.first(), scored.data_begin) {
        out.push(Warning::ShortHistory { data_begin, first: *first, dates: incomplete.len() });
    }
    if job.forecast.is_some() {
        out.extend(forecast_warnings(&scored.forecasts, &scanned.slices));
    }
    out
}

/// The warnings that there is no forecast, or one that has not told more than simple rules did.
fn forecast_warnings(forecasts: &[Backtest], slices: &[String]) -> Vec<Warning> {
    let found = |is_so: &dyn Fn(&Backtest) -> bool| -> Option<Option<(String, usize, usize)>> {
        let such: Vec<usize> = (0..forecasts.len().min(slices.len().max(1))).filter(|slice| is_so(&forecasts[*slice])).collect();
        let first = such.first()?;
        Some(slices.get(*first).map(|name| (name.clone(), such.len(), slices.len())))
    };
    let none = found(&|of| of.model.is_none()).map(|slices| Warning::NoForecast { slices, least: LEAST_REPEATERS });
    let unproven = found(&Backtest::is_unproven).map(|slices| Warning::UnprovenForecast { slices });
    none.into_iter().chain(unproven).collect()
}

/// The warning that the newest order is old; `None` if it is not, or the job has a limit of its own.
pub fn old_orders(job: &Job, newest: Day) -> Option<Warning> {
    let is_old = job.newest_order_within.is_none() && job.last().0 - newest.0 > OLD_DAYS;
    is_old.then(|| Warning::OldOrders { newest, as_of: job.last(), column: job.raw.orders.ordered_at.clone() })
}

/// What became of the rows of orders that do not count, by outcome.
pub fn outcomes(job: &Job, scanned: &Scanned, ledger: &RowCounts) -> Vec<OutcomeLine> {
    let kept = scanned.outcome_names.name(KEPT);
    all_outcomes(job, scanned, ledger).into_iter().filter(|line| line.outcome != kept).collect()
}

/// What became of the rows of orders, by outcome; those that count come first.
pub fn all_outcomes(job: &Job, scanned: &Scanned, ledger: &RowCounts) -> Vec<OutcomeLine> {
    let mut sums: BTreeMap<RowOutcome, (u64, i128)> = BTreeMap::new();
    let mut all = 0;
    for (_, outcome, rows, money) in ledger.cells() {
        let sum = sums.entry(outcome).or_default();
        (sum.0, sum.1, all) = (sum.0 + rows, sum.1 + money, all + rows);
    }
    let line = |(outcome, (rows, money)): (RowOutcome, (u64, i128))| OutcomeLine {
        outcome: scanned.outcome_names.name(outcome),
        rows,
        share: rows as f64 / all.max(1) as f64,
        money: job.money(money),
    };
    sums.into_iter().map(line).collect()
}

/// Days after the newest order at which a job that sets no limit is warned.
const OLD_DAYS: i32 = 7;

/// Slices whose scores are checked.
const MAX_SLICES: usize = 20;

/// Share of customers with one frequency from which empty scores are reported.
const TIED: f64 = 0.4;

/// The warning that scores are empty because many customers share one frequency; `None` if they are not.
fn tied_scores(
    job: &Job,
    slice: Option<&str>,
    scoring: &SliceScoring,
    lines: &[StateLine],
    schemes: &[SchemeColumn],
) -> Option<Warning> {
    if scoring.scored == 0 {
        return None;
    }
    let at = Axis::Frequency as usize;
    let share = scoring.most_common as f64 / scoring.scored as f64;
    let empty = scoring.bins[at].iter().filter(|n| **n == 0).count();
    if share < TIED || empty == 0 {
        return None;
    }
    let uses_frequency =
        schemes.iter().find(|s| s.scheme.rules.iter().any(|r| r.when.scores[at].is_some() || r.when.cells.is_some()));
    let states = uses_frequency.filter(|_| slice.is_none()).and_then(|column| {
        let all = column.scheme.states.len();
        let is_filled =
            |line: &&StateLine| line.scheme == column.column && column.scheme.states.iter().any(|state| state.name == line.state);
        let filled = lines.iter().filter(is_filled).count();
        (filled < all).then(|| (all - filled, all, column.column.clone()))
    });
    Some(Warning::TiedScores { slice: slice.map(str::to_owned), share, empty, scores: job.score.bins, states })
}
