//! Warnings about assignments that do not count, and about periods of which little is known.

use super::exclusions::ExclusionCounts;
use super::load::RowCounts;
use crate::domain::{Day, Overlapping, Period, StrategyWarning, UnknownDays, Warning};
use crate::experiment::plan::{ExperimentPlan, PeriodPlan, StrategyPlan};
use crate::job::strategy::Overlap;

/// Time with a larger share of days before the first order causes a warning.
const MAX_UNKNOWN_SHARE: f64 = 0.1;

/// What is odd about the strategies. `exclusions` are by period, `last` is the last as-of date.
pub fn warnings(plan: &ExperimentPlan<'_>, exclusions: &[ExclusionCounts], last: Day) -> Vec<Warning> {
    let mut out = Vec::new();
    for (strategy, assignments) in plan.strategies.iter().zip(plan.assignments) {
        let mut findings = of_rows(&assignments.rows);
        let times: u64 = assignments.periods.iter().map(|period| period.excluded).sum();
        findings.extend((times > 0).then_some(StrategyWarning::SeveralArms { times }));
        let mut whole: Vec<&str> = strategy.periods.clone().flat_map(|period| plan.whole_columns(period, exclusions)).collect();
        whole.sort_unstable();
        whole.dedup();
        findings.extend(whole.into_iter().map(|column| StrategyWarning::WholeColumn { column: column.into() }));
        findings.extend(of_exclusions(&exclusions[strategy.periods.clone()], strategy.strategy.overlap));
        findings.extend(of_periods(strategy, &plan.periods[strategy.periods.clone()], last));
        if let Some(first_order) = plan.first_order {
            findings.extend(of_unknown_days(&plan.periods[strategy.periods.clone()], first_order));
        }
        let name = &strategy.strategy.name;
        out.extend(findings.into_iter().map(|finding| Warning::Strategy { name: name.clone(), finding }));
    }
    out
}

fn of_rows(counts: &RowCounts) -> Vec<StrategyWarning> {
    let (rejected, read) = (counts.rejected.total(), counts.read);
    let reasons = || counts.rejected.reasons().into_iter().filter(|(_, rows)| *rows > 0).collect();
    let findings = [
        (rejected > 0).then(|| StrategyWarning::Rejected { rows: rejected, read, reasons: reasons() }),
        (counts.outside > 0).then_some(StrategyWarning::OutsidePeriods { rows: counts.outside, read }),
        (counts.repeated > 0).then_some(StrategyWarning::Repeated { rows: counts.repeated }),
        (counts.null_costs > 0).then_some(StrategyWarning::WithoutCost { rows: counts.null_costs }),
    ];
    findings.into_iter().flatten().collect()
}

fn of_exclusions(exclusions: &[ExclusionCounts], policy: Overlap) -> Vec<StrategyWarning> {
    let unmatched: u64 = exclusions.iter().map(|counts| counts.unmatched).sum();
    let overlapping: u64 = exclusions.iter().map(|counts| counts.overlapping).sum();
    let excluded: u64 = exclusions.iter().flat_map(|counts| &counts.excluded_by_arm).sum();
    let outcome = match policy {
        Overlap::Keep => Overlapping::Kept,
        Overlap::Exclude => Overlapping::Excluded { excluded },
        Overlap::First => Overlapping::LaterExcluded { excluded },
    };
    let findings = [
        (unmatched > 0).then_some(StrategyWarning::WithoutOrders { assignments: unmatched }),
        (overlapping + excluded > 0).then_some(StrategyWarning::Overlapping { assignments: overlapping, outcome }),
    ];
    findings.into_iter().flatten().collect()
}

fn of_periods(strategy: &StrategyPlan<'_>, periods: &[PeriodPlan], last: Day) -> Vec<StrategyWarning> {
    let future = periods.iter().find(|period| period.period.start.previous() > last);
    let without_baseline = periods.iter().find(|period| period.baseline.is_none() && period.period.start <= last);
    let without_baseline = without_baseline.filter(|_| strategy.strategy.baseline.is_some());
    let findings = [
        future.map(|period| StrategyWarning::FuturePeriod { period: period.period, last }),
        without_baseline.map(|period| StrategyWarning::NoBaseline { period: period.period }),
    ];
    findings.into_iter().flatten().collect()
}

/// Time before the first order counts as time without orders.
fn of_unknown_days(periods: &[PeriodPlan], first_order: Day) -> Vec<StrategyWarning> {
    let during = periods.iter().map(|period| period.period).find_map(|time| mostly_unknown(time, first_order));
    let before = periods.iter().filter_map(|period| period.baseline).find_map(|time| mostly_unknown(time, first_order));
    [during.map(StrategyWarning::UnknownDays), before.map(StrategyWarning::UnknownBaseline)].into_iter().flatten().collect()
}

/// How much of the time lies before the first order, if it is more than the share that is accepted.
fn mostly_unknown(time: Period, first_order: Day) -> Option<UnknownDays> {
    let unknown = time.end.min(first_order).0.saturating_sub(time.start.0);
    (f64::from(unknown) > MAX_UNKNOWN_SHARE * f64::from(time.days())).then_some(UnknownDays { time, first_order, unknown })
}
