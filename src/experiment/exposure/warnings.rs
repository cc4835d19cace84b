//! Warnings about assignments that do not count, and about periods of which little is known.

use super::exclusions::ExclusionCounts;
use super::load::RowCounts;
use crate::domain::{Day, Period};
use crate::experiment::plan::{ExperimentPlan, PeriodPlan, StrategyPlan};
use crate::job::strategy::Overlap;

/// Time with a larger share of days before the first order causes a warning.
const MAX_UNKNOWN_SHARE: f64 = 0.1;

/// One sentence per strategy and finding. `exclusions` are by period, `last` is the last as-of date.
pub fn warnings(plan: &ExperimentPlan<'_>, exclusions: &[ExclusionCounts], last: Day) -> Vec<String> {
    let mut out = Vec::new();
    for (strategy, assignments) in plan.strategies.iter().zip(plan.assignments) {
        let mut sentences = of_rows(&assignments.rows);
        let excluded: u64 = assignments.periods.iter().map(|period| period.excluded).sum();
        if excluded > 0 {
            sentences.push(format!("{excluded} times a customer is in several arms of one period and left out of it"));
        }
        sentences.extend(of_exclusions(&exclusions[strategy.periods.clone()], strategy.strategy.overlap));
        sentences.extend(of_periods(strategy, &plan.periods[strategy.periods.clone()], last));
        if let Some(first_order) = plan.first_order {
            sentences.extend(of_unknown_days(&plan.periods[strategy.periods.clone()], first_order));
        }
        out.extend(sentences.into_iter().map(|sentence| format!("strategy {:?}: {sentence}", strategy.strategy.name)));
    }
    out
}

fn of_rows(rows: &RowCounts) -> Vec<String> {
    let mut sentences = Vec::new();
    let rejected = rows.rejected.total();
    if rejected > 0 {
        let reasons = rows.rejected.reasons().into_iter().filter(|(_, rows)| *rows > 0);
        let reasons: Vec<String> = reasons.map(|(reason, rows)| format!("{rows} {reason}")).collect();
        let (read, reasons) = (rows.read, reasons.join(", "));
        sentences.push(format!("{rejected} of {read} rows of its assignments are rejected ({reasons})"));
    }
    if rows.outside > 0 {
        let RowCounts { outside, read, .. } = rows;
        sentences.push(format!("{outside} of {read} assignments lie in none of its periods and do not count"));
    }
    if rows.repeated > 0 {
        let repeated = rows.repeated;
        sentences
            .push(format!("{repeated} assignments repeat an earlier one of their customer, arm and period; the earliest counts"));
    }
    if rows.null_costs > 0 {
        sentences.push(format!("{} assignments have no cost, which counts as 0", rows.null_costs));
    }
    sentences
}

fn of_exclusions(exclusions: &[ExclusionCounts], policy: Overlap) -> Vec<String> {
    let mut sentences = Vec::new();
    let unmatched: u64 = exclusions.iter().map(|counts| counts.unmatched).sum();
    if unmatched > 0 {
        sentences.push(format!("{unmatched} assignments are of customers without orders, whose outcomes are all 0"));
    }
    let overlapping: u64 = exclusions.iter().map(|counts| counts.overlapping).sum();
    if overlapping > 0 {
        let excluded: u64 = exclusions.iter().flat_map(|counts| &counts.excluded_by_arm).sum();
        let policy = match policy {
            Overlap::Keep => "they stay in this one (overlap = \"keep\")".into(),
            Overlap::Exclude => "they are left out of this one (overlap = \"exclude\")".into(),
            Overlap::First => {
                format!("{excluded} of them, who were assigned to the other first, are left out (overlap = \"first\")")
            }
        };
        sentences
            .push(format!("{overlapping} assignments are of customers who are in another strategy at the same time; {policy}"));
    }
    sentences
}

fn of_periods(strategy: &StrategyPlan<'_>, periods: &[PeriodPlan], last: Day) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(period) = periods.iter().find(|period| period.period.start.previous() > last) {
        let period = period.period;
        sentences.push(format!("the period {period} begins after the last as-of date {last}, so nothing is known of it"));
    }
    let without_baseline = periods.iter().find(|period| period.baseline.is_none() && period.period.start <= last);
    if let Some(period) = without_baseline.filter(|_| strategy.strategy.baseline.is_some()) {
        sentences.push(format!("the data begin after its baseline, so the period {} has none", period.period));
    }
    sentences
}

/// Time before the first order counts as time without orders.
fn of_unknown_days(periods: &[PeriodPlan], first_order: Day) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(time) = periods.iter().map(|period| period.period).find_map(|time| mostly_unknown(time, first_order)) {
        sentences.push(format!("days of its period {time}"));
    }
    if let Some(time) = periods.iter().filter_map(|period| period.baseline).find_map(|time| mostly_unknown(time, first_order)) {
        sentences.push(format!("days of its baseline {time}, so a change since then looks larger than it is"));
    }
    sentences
}

/// How much of the time lies before the first order, if it is more than the share that is accepted.
fn mostly_unknown(time: Period, first_order: Day) -> Option<String> {
    let unknown = time.end.min(first_order).0.saturating_sub(time.start.0);
    let days = time.days();
    (f64::from(unknown) > MAX_UNKNOWN_SHARE * f64::from(days)).then(|| {
        format!("{time} lie before the first order ({first_order}; {unknown} of {days} days) and count as days without orders")
    })
}
