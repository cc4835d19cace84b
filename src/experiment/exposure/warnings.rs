//! What is worth saying of assignments that do not count, and of customers who are not what one would expect.

use crate::domain::{Day, Period};
use crate::engine::experiment::Experiments;
use crate::engine::experiment::partial_sums::{ExclusionCounts, PartialSums};
use crate::engine::experiment::plan::{PeriodPlan, StrategyPlan};
use crate::job::strategy::Overlap;

/// One sentence per strategy and finding, over all its periods.
pub fn warnings(evaluated: &Experiments<'_>, sums: &PartialSums, last: Day) -> Vec<String> {
    let mut out = Vec::new();
    for (study, assigned) in evaluated.studies.iter().zip(evaluated.assigned) {
        let name = &study.strategy.name;
        let mut say = |text: String| out.push(format!("strategy {name:?}: {text}"));
        let rows = &assigned.rows;
        if rows.rejected.total() > 0 {
            let reasons: Vec<String> =
                rows.rejected.reasons().iter().filter(|(_, n)| *n > 0).map(|(reason, n)| format!("{n} {reason}")).collect();
            say(format!(
                "{} of {} rows of its assignments are rejected ({})",
                rows.rejected.total(),
                rows.read,
                reasons.join(", ")
            ));
        }
        if rows.outside > 0 {
            say(format!("{} of {} assignments lie in none of its periods and do not count", rows.outside, rows.read));
        }
        if rows.repeated > 0 {
            say(format!(
                "{} assignments repeat an earlier one of their customer, arm and period; the earliest counts",
                rows.repeated
            ));
        }
        if rows.null_costs > 0 {
            say(format!("{} assignments have no cost, which counts as 0", rows.null_costs));
        }
        let several: u64 = assigned.periods.iter().map(|p| p.excluded).sum();
        if several > 0 {
            say(format!("{several} times a customer is in several arms of one period and left out of it"));
        }
        let exclusions = &sums.exclusions[study.lists.clone()];
        let sum = |of: fn(&ExclusionCounts) -> u64| exclusions.iter().map(of).sum::<u64>();
        let unknown = sum(|e| e.unmatched);
        if unknown > 0 {
            say(format!("{unknown} assignments are of customers without orders, whose outcomes are all 0"));
        }
        let overlapping = sum(|e| e.overlapping);
        if overlapping > 0 {
            let left_out = sum(|e| e.excluded_by_arm.iter().sum());
            say(format!(
                "{overlapping} assignments are of customers who are in another strategy at the same time; {}",
                match study.strategy.overlap {
                    Overlap::Keep => "they stay in this one (overlap = \"keep\")".into(),
                    Overlap::Exclude => "they are left out of this one (overlap = \"exclude\")".into(),
                    Overlap::First =>
                        format!("{left_out} of them, who were assigned to the other first, are left out (overlap = \"first\")"),
                }
            ));
        }
        of_periods(study, &evaluated.lists[study.lists.clone()], (evaluated.first_order, last), &mut say);
    }
    out
}

/// A stretch of which less than this share of days lies before the first order is taken for known.
const UNKNOWN_DAYS: f64 = 0.1;

fn of_periods(study: &StrategyPlan<'_>, lists: &[PeriodPlan], (first, last): (Option<Day>, Day), say: &mut impl FnMut(String)) {
    if let Some(list) = lists.iter().find(|list| list.period.start.previous() > last) {
        say(format!("the period {} begins after the last as-of date {last}, so nothing is known of it", list.period));
    }
    let without = || lists.iter().find(|list| list.baseline.is_none() && list.period.start <= last);
    if study.strategy.baseline.is_some()
        && let Some(list) = without()
    {
        say(format!("the data begin after its baseline, so the period {} has none", list.period));
    }
    // Time before the first order counts as time in which nobody bought.
    let Some(first) = first else { return };
    let days_before = |time: Period| time.end.min(first).0.saturating_sub(time.start.0);
    let short = |of: fn(&PeriodPlan) -> Option<Period>| {
        let time = lists.iter().filter_map(of).find(|t| f64::from(days_before(*t)) > UNKNOWN_DAYS * f64::from(t.days()))?;
        Some(format!(
            "{time} lie before the first order ({first}; {} of {} days) and count as days without orders",
            days_before(time),
            time.days()
        ))
    };
    if let Some(short) = short(|list| Some(list.period)) {
        say(format!("days of its period {short}"));
    }
    if let Some(short) = short(|list| list.baseline) {
        say(format!("days of its baseline {short}, so a change since then looks larger than it is"));
    }
}
