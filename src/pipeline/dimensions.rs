//! What a run says of its as-of dates to the dimensions, which commits make over all dates.

use std::collections::BTreeMap;

use super::prepared::Prepared;
use super::scored::Scored;
use super::summary_rows;
use crate::domain::{AsOf, Day, LONGEST_HORIZON, Lookback, MeasureKind};
use crate::error::Result;
use crate::job::Job;
use crate::job::raw::TableName;
use crate::plan::OutputColumn;
use crate::publish::{DateFacts, Dimensions, PeriodFacts, StateFacts};

/// The dimensions that the job writes.
///
/// # Errors
/// Exit 1 if the states cannot be written down.
pub fn dimensions(job: &Job, prepared: &Prepared, scored: &Scored) -> Result<Dimensions> {
    let states: Vec<StateFacts> = match job.writes(TableName::DimState) {
        true => summary_rows::dim_state(job, &prepared.plan, scored).into_iter().map(StateFacts::from).collect(),
        false => Vec::new(),
    };
    let days = job.writes(TableName::DimDate).then(|| days(job, prepared, scored));
    let period = |at: usize, date: &AsOf| PeriodFacts {
        start: date.period_start,
        end: date.period_end,
        label: job.labels.get(at).cloned(),
        year_before: date.year_before,
        period_before: date.previous.map(|(_, last)| last),
        history_complete: scored.history_complete.get(at).copied(),
        new_is_first_seen: Some(summary_rows::new_is_first_seen(scored, date)),
        definitions_hash: Some(prepared.identity.definitions_hash.clone()),
    };
    let facts = |(at, date): (usize, &AsOf)| {
        let period = job.writes(TableName::DimPeriod).then(|| period(at, date));
        (date.date, DateFacts { period, states: None, days })
    };
    let dates: BTreeMap<Day, DateFacts> = job.published().map(facts).collect();
    Dimensions::new(states, dates)
}

/// The first and the last day that a table of the run can hold.
fn days(job: &Job, prepared: &Prepared, scored: &Scored) -> (Day, Day) {
    let of_thresholds = || job.thresholds.iter().flat_map(|threshold| &threshold.periods);
    let of_strategies =
        || job.strategies.iter().flat_map(|strategy| strategy.periods.iter().chain(&strategy.baseline)).chain(of_thresholds());
    let starts = job.dates.iter().map(|date| date.period_start.unwrap_or(date.date).min(date.date));
    let first = starts.chain(of_strategies().map(|period| period.start)).chain(scored.first_order).min();
    let ends = job.dates.iter().map(|date| date.period_end.unwrap_or(date.date).max(date.date));
    let last = ends.chain(of_strategies().map(|period| period.last_day())).max();
    let (first, last) = (first.unwrap_or(Day(0)), last.unwrap_or(Day(0)));
    let as_of = job.dates.last().map_or(last, |date| date.date);
    let ahead = prepared.plan.columns.iter().filter_map(|(_, column)| match column {
        OutputColumn::Measure(at) => match prepared.plan.fold.measures.get(*at)?.kind {
            // The next order is due a mean gap after the last one, which is at most the time from the first order to it.
            MeasureKind::NextDue => Some(as_of.0.saturating_sub(scored.first_order?.0)),
            MeasureKind::NextOrderLow | MeasureKind::NextOrderMedian | MeasureKind::NextOrderHigh => Some(LONGEST_HORIZON),
            _ => None,
        },
        _ => None,
    });
    (first, last.max(Lookback::Days(ahead.max().unwrap_or(0)).end(as_of)))
}
