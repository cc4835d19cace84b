//! What changed since the baseline, next to what would have changed anyway. A description, never an effect.

use super::arm_sums::{ArmSumsIndex, EVERYBODY, Group, PeriodSums, Phase, Quantity, UNASSIGNED};
use super::diagnostics::{PeriodDiagnostics, TOTAL};
use super::reason::{BeforeAfterNote, Caveat, Expectation};
use super::sentence::Rounded;
use crate::domain::{Design, Outcome};
use crate::error::Result;
use crate::stats::{Sums, X, Y, expected_drift};
use crate::tables::BeforeAfterRow;

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
    let control = (strategy.design != Design::BeforeAfter).then_some(strategy.control.as_str());
    for &arm in diagnostics.treated.iter().chain(&control) {
        for outcome in strategy.outcomes.iter().filter(|o| o.is_described()) {
            let description = Description::new(diagnostics, outcome, during, reference)?;
            for group in during.groups(&strategy.by) {
                rows.push(description.row(arm, control, group)?);
            }
        }
    }
    Ok(rows)
}

/// What the rows of an outcome have in common.
struct Description<'a, 'i> {
    diagnostics: &'i PeriodDiagnostics<'a>,
    during: &'i PeriodSums<'a>,
    reference: &'i PeriodSums<'a>,
    outcome: &'i Outcome,
    quantity: Quantity,
    /// Digits behind the point of the outcome.
    scale: u32,
    /// All customers of the shop, in the baseline and before it.
    everybody: Sums,
    caveat: Option<Caveat>,
}

impl<'a, 'i> Description<'a, 'i> {
    fn new(
        diagnostics: &'i PeriodDiagnostics<'a>,
        outcome: &'i Outcome,
        during: &'i PeriodSums<'a>,
        reference: &'i PeriodSums<'a>,
    ) -> Result<Description<'a, 'i>> {
        let quantity = Quantity::Outcome(outcome.clone());
        Ok(Description {
            diagnostics,
            during,
            reference,
            outcome,
            scale: outcome.scales(&diagnostics.strategy.digits)[Y],
            everybody: match outcome.event_kind().is_none() || diagnostics.period.knows_events[1] {
                true => reference.arm(TOTAL, &quantity, EVERYBODY)?,
                false => Sums::default(),
            },
            caveat: caveat(diagnostics),
            quantity,
        })
    }

    fn mean_before(&self, sums: &Sums) -> Option<f64> {
        if self.diagnostics.has_before(self.outcome) { sums.mean(X, self.scale) } else { None }
    }

    fn mean_after(&self, sums: &Sums) -> Option<f64> {
        if has_after(self.diagnostics) { sums.mean(Y, self.scale) } else { None }
    }

    fn row(&self, arm: &str, control: Option<&str>, group: Group<'a>) -> Result<BeforeAfterRow> {
        let sums = self.during.arm(group, &self.quantity, arm)?;
        let (mean_before, mean_after) = (self.mean_before(&sums), self.mean_after(&sums));
        let (expected_change, expectation) = self.expected_change(mean_before, control, group)?;
        let tells_change = self.diagnostics.unequal_days().is_none();
        let others = self.unassigned(arm, group)?.filter(|_| tells_change);
        let beside = others.map(|(_, change)| Caveat::Unassigned { change: Rounded::short(change) });
        let note = BeforeAfterNote { sentence: expectation, remarks: self.caveat.iter().cloned().chain(beside).collect() };
        let period = self.diagnostics.period.period;
        Ok(BeforeAfterRow {
            strategy: self.diagnostics.strategy.name.clone(),
            period_start: Some(period.start),
            period_end: Some(period.last_day()),
            arm: arm.into(),
            outcome: self.outcome.to_string(),
            scheme: group.0.into(),
            state: group.1.into(),
            customers: Some(sums.n),
            mean_before,
            mean_after,
            change: mean_after.zip(mean_before).filter(|_| tells_change).map(|(after, before)| after - before),
            expected_change: expected_change.filter(|_| tells_change),
            note: Some(note.to_string()),
            unassigned: others.map(|(customers, _)| customers),
            unassigned_change: others.map(|(_, change)| change),
        })
    }

    /// The customers in the same cells who are not assigned, and by how much they changed; over all states as many of each state
    /// as the arm has, where the state has any.
    fn unassigned(&self, arm: &str, group: Group<'a>) -> Result<Option<(i64, f64)>> {
        let change = |group: Group<'a>| -> Result<Option<(i64, f64)>> {
            let sums = self.reference.arm(group, &self.quantity, UNASSIGNED)?;
            let change = self.mean_after(&sums).zip(self.mean_before(&sums)).map(|(after, before)| after - before);
            Ok(change.map(|change| (sums.n, change)))
        };
        let Some(scheme) = self.diagnostics.strategy.by.first().filter(|_| group == TOTAL) else { return change(group) };
        let (mut customers, mut weight, mut sum) = (0, 0.0, 0.0);
        for state in self.during.groups(std::slice::from_ref(scheme)).into_iter().filter(|group| *group != TOTAL) {
            let own = self.during.arm(state, &self.quantity, arm)?.n as f64;
            if let Some((n, change)) = change(state)?.filter(|_| own > 0.0) {
                (customers, weight, sum) = (customers + n, weight + own, sum + own * change);
            }
        }
        Ok((weight > 0.0).then(|| (customers, sum / weight)))
    }

    /// The change to expect if nothing is done, and what that rests on.
    fn expected_change(
        &self,
        mean_before: Option<f64>,
        control: Option<&str>,
        group: Group<'a>,
    ) -> Result<(Option<f64>, Expectation)> {
        if let Some(population) = self.everybody.moments([self.scale; 4]).filter(|m| m.covariance[X][X] > 0.0) {
            let slope = population.covariance[X][Y] / population.covariance[X][X];
            let drift = mean_before.map(|before| expected_drift(before, population.mean[Y], slope));
            let customers = self.everybody.n;
            return Ok((drift, Expectation::RegressionToTheMean { customers, slope: Rounded::new(slope, 3) }));
        }
        let Some(control) = control else { return Ok((None, Expectation::Unknown)) };
        let sums = self.during.arm(group, &self.quantity, control)?;
        let change = self.mean_after(&sums).zip(self.mean_before(&sums)).map(|(after, before)| after - before);
        Ok((change, Expectation::ControlChange { arm: control.into() }))
    }
}

/// Whether means after assignment are told: those of a period that is not over will still grow, and customers who were
/// assigned sooner were watched longer.
fn has_after(diagnostics: &PeriodDiagnostics<'_>) -> bool {
    let period = diagnostics.period;
    period.equally_long && period.outcomes_until <= period.known_until
}

/// Why numbers are missing from the rows.
fn caveat(diagnostics: &PeriodDiagnostics<'_>) -> Option<Caveat> {
    let period = diagnostics.period;
    if period.outcomes_until > period.known_until {
        return Some(Caveat::Unfinished);
    }
    if !has_after(diagnostics) {
        return Some(Caveat::NoCommonStart);
    }
    diagnostics.unequal_days().map(|(baseline, outcomes)| Caveat::UnequalDays { baseline, outcomes })
}
