//! What changed since the baseline, beside what would have changed anyway. A description, never an effect.

use super::Design;
use super::arm_sums::{ArmSumsIndex, EVERYBODY, Phase, Quantity};
use super::diagnostics::{PeriodDiagnostics, TOTAL};
use super::rows::BeforeAfterRow;
use crate::error::Result;
use crate::stats::{Sums, X, Y, expected_drift};

/// The rows of a strategy's period; none without a baseline.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub(super) fn before_after<'a>(diagnostics: &PeriodDiagnostics<'a>, index: &ArmSumsIndex<'a>) -> Result<Vec<BeforeAfterRow>> {
    let strategy = diagnostics.strategy;
    let mut rows = Vec::new();
    if diagnostics.period.baseline.is_none() {
        return Ok(rows);
    }
    let during = index.slice(&strategy.name, diagnostics.period.period, Phase::During);
    let reference = index.slice(&strategy.name, diagnostics.period.period, Phase::Reference);
    let controlled = strategy.design != Design::BeforeAfter;
    let control = controlled.then_some(strategy.control.as_str());
    // The after of a period that is not over will still grow; that of who was assigned sooner is longer.
    let period = diagnostics.period;
    let has_after = period.equally_long && period.outcomes_until <= period.known_until;
    let caveat = match diagnostics.unequal_days() {
        _ if period.outcomes_until > period.known_until => "; the period is not finished".into(),
        _ if !has_after => "; customers were assigned on different dates and the job gives no outcome_days".into(),
        Some((baseline, outcomes)) => {
            format!("; the data have {baseline} days of the baseline and {outcomes} of outcomes, so no change is told")
        }
        None => String::new(),
    };
    let tells_change = diagnostics.unequal_days().is_none();
    for &arm in diagnostics.treated.iter().chain(&control) {
        for outcome in strategy.outcomes.iter().filter(|o| o.is_described()) {
            let quantity = Quantity::Outcome(outcome.clone());
            let scale = outcome.scales(strategy.money_scale)[Y];
            let everybody = reference.arm(TOTAL, &quantity, EVERYBODY)?;
            for group in during.groups(&strategy.by) {
                let sums = during.arm(group, &quantity, arm)?;
                let before = |sums: &Sums| if diagnostics.has_before(outcome) { sums.mean(X, scale) } else { None };
                let after = |sums: &Sums| if has_after { sums.mean(Y, scale) } else { None };
                let (mean_before, mean_after) = (before(&sums), after(&sums));
                let population = everybody.moments([scale; 4]).filter(|m| m.covariance[X][X] > 0.0);
                let (expected_change, note) = match (population, control) {
                    (Some(population), _) => {
                        let slope = population.covariance[X][Y] / population.covariance[X][X];
                        let drift = mean_before.map(|before| expected_drift(before, population.mean[Y], slope));
                        (drift, format!("regression to the mean of all {} customers, slope {slope:.3}", everybody.n))
                    }
                    (None, Some(control)) => {
                        let sums = during.arm(group, &quantity, control)?;
                        (after(&sums).zip(before(&sums)).map(|(y, x)| y - x), format!("the change of arm {control:?}"))
                    }
                    (None, None) => (None, "nothing is known of customers before the baseline to expect a change from".into()),
                };
                rows.push(BeforeAfterRow {
                    strategy: strategy.name.clone(),
                    period: diagnostics.period.period,
                    arm: arm.into(),
                    outcome: outcome.clone(),
                    scheme: group.0.into(),
                    state: group.1.into(),
                    customers: sums.n,
                    mean_before,
                    mean_after,
                    change: mean_after.zip(mean_before).filter(|_| tells_change).map(|(after, before)| after - before),
                    expected_change: expected_change.filter(|_| tells_change),
                    note: note + &caveat,
                });
            }
        }
    }
    Ok(rows)
}
