//! Verdicts over all periods of a strategy.

use std::collections::BTreeMap;

use super::super::draft::DraftVerdict;
use super::super::lead::Lead;
use super::super::pooled::{EffectKey, PeriodEffect, PooledEffect};
use super::super::reason::{Disagreement, Finding, Remark};
use super::super::sentence::Rounded;
use super::super::settings::Guardrail;
use super::matched::{Bracket, End, Reading, read};
use super::rules::Evidence;
use super::subject::{Subject, draft, drawn};
use crate::domain::{Design, EffectMethod as Method, Outcome};
use crate::stats::MoneyInterval;

/// The least share of the treated that a verdict over all periods must cover.
const LEAST_COVERED: f64 = 0.8;

/// A period is named where the others' standard error is less than this part of that of all.
const NAMED_PART: f64 = 0.5;

/// All pooled effects by what they are of.
type Index<'e, 'a> = BTreeMap<EffectKey<'a>, &'e PooledEffect<'a>>;

/// The verdicts over all periods of all strategies.
pub(super) fn verdicts<'a>(pooled: &[PooledEffect<'a>], leads: &BTreeMap<usize, Lead>) -> Vec<DraftVerdict> {
    let index: Index<'_, 'a> = pooled.iter().map(|row| (row.key, row)).collect();
    let leading = pooled.iter().filter(|row| *row.key.outcome == row.strategy.primary.outcome).filter_map(|row| {
        let lead = leads.get(&row.key.strategy)?;
        lead.has(row).then_some((row, lead))
    });
    leading.map(|(row, lead)| of_effect(row, lead, &index)).collect()
}

fn of_effect<'e, 'a>(row: &PooledEffect<'a>, lead: &Lead, index: &Index<'e, 'a>) -> DraftVerdict {
    let find = |outcome: &Outcome| index.iter().find(|(key, _)| **key == EffectKey { outcome, ..row.key }).map(|(_, row)| *row);
    let net = find(&Outcome::Net);
    let (obstacle, bracket) = match obstacle_of(row) {
        None if row.strategy.design == Design::Matched => bracket_reading(row, index).split(),
        obstacle => (obstacle, None),
    };
    let evidence = row.told().zip(row.adjusted).map(|(told, adjusted)| Evidence {
        bracket,
        against: (row.key.against != row.strategy.control).then(|| row.key.against.into()),
        effect: interval(told.pooled.value, adjusted.interval),
        se: told.pooled.se,
        p: adjusted.p,
        detectable: told.test.detectable(adjusted.interval),
        net: net.and_then(|net| Some(interval(net.told()?.pooled.value, net.adjusted?.interval))),
        net_se: net.and_then(|net| Some(net.told()?.pooled.se)).unwrap_or_default(),
        guardrail: guardrail(row, &find),
        disagreement: disagreement(&net.unwrap_or(row).periods),
    });
    let subject = Subject {
        strategy: &row.strategy.name,
        design: row.strategy.design,
        arm: row.key.arm,
        against: Some(row.key.against),
        period: None,
        group: row.key.group,
        outcome: row.key.outcome,
        method: Some(row.key.method),
    };
    draft(subject, obstacle, evidence, remarks(row, lead))
}

fn interval(value: f64, (low, high): (f64, f64)) -> MoneyInterval {
    MoneyInterval { value, low, high }
}

/// The first guardrail that has fallen; net money is always one.
fn guardrail<'e, 'a: 'e>(row: &PooledEffect<'a>, find: &dyn Fn(&Outcome) -> Option<&'e PooledEffect<'a>>) -> Option<Finding> {
    let money = Guardrail { outcome: Outcome::Net, at_worst: None };
    row.strategy.guardrails.iter().chain([&money]).find_map(|guardrail| {
        let told = find(&guardrail.outcome)?.told()?;
        guardrail.fallen(interval(told.pooled.value, told.interval))
    })
}

/// How periods disagree: two that are shown to lie on opposite sides of 0, or one without which the sign changes.
fn disagreement(periods: &[PeriodEffect]) -> Option<Disagreement> {
    let shown = |wanted: f64| {
        periods.iter().find(|p| p.interval.is_some_and(|(low, high)| low.max(-high) > 0.0 && p.difference * wanted > 0.0))
    };
    if let (Some(gain), Some(loss)) = (shown(1.0), shown(-1.0)) {
        return Some(Disagreement::Opposite { gain: gain.period.start, loss: loss.period.start });
    }
    let sum: f64 = periods.iter().map(|p| p.n_treated * p.difference).sum();
    let decides = periods.iter().find(|p| (sum - p.n_treated * p.difference) * sum < 0.0);
    decides.map(|p| Disagreement::OneDecides { start: p.period.start })
}

/// What is to be said beside the verdict.
fn remarks(row: &PooledEffect<'_>, lead: &Lead) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let of = |clusters| drawn(row.strategy, [row.key.arm, row.key.against], clusters, [row.n_treated, row.n_control]);
    remarks.extend(row.clusters.and_then(of));
    remarks.extend(lead.fallback.clone().map(|why| Remark::InAPeriod { method: row.key.method, why }));
    if let (Some((period, reason)), Some(covered)) = (&row.missing, row.covered) {
        let share = Rounded::new(100.0 * covered, 0);
        remarks.push(Remark::LeavesOut { share, start: period.start, reason: reason.clone() });
    }
    if let Some(start) = row.widened_by(NAMED_PART) {
        remarks.push(Remark::Widened { start: start.start });
    }
    remarks.extend(row.remarks.iter().cloned());
    if row.is_after_last_look {
        remarks.push(Remark::AfterLastLook { looks: row.looks.into() });
    }
    remarks
}

/// What makes a verdict over all periods impossible.
fn obstacle_of(row: &PooledEffect<'_>) -> Option<Finding> {
    if let Some(reason) = row.reason.clone() {
        return Some(Finding::NotEstimable { reason });
    }
    if let (Some((period, reason)), Some(covered)) = (&row.missing, row.covered.filter(|share| *share < LEAST_COVERED)) {
        let share = Rounded::new(100.0 * covered, 0);
        return Some(Finding::CoversTooFew { share, start: period.start, reason: reason.clone() });
    }
    None
}

/// What the bracket of a matched effect shows over all periods, or why it shows nothing.
fn bracket_reading<'a>(row: &PooledEffect<'a>, index: &Index<'_, 'a>) -> Reading {
    let ends = [Method::Matched, Method::Did].map(|method| index.get(&EffectKey { method, ..row.key }).copied());
    // Both ends must be of all periods, or they are not the ends of one bracket.
    let missing = ends.iter().flatten().find_map(|end| end.missing.as_ref());
    if let Some((period, reason)) = missing {
        return Reading::Obstacle(Finding::PeriodNotEstimable { start: period.start, reason: reason.clone() });
    }
    let [level, change] = ends.map(|end| {
        let (told, adjusted) = end?.told().zip(end?.adjusted)?;
        let above = end?.placebo.as_ref().zip(end?.above_adjusted);
        Some(End {
            difference: interval(told.pooled.value, adjusted.interval),
            above: above.map(|(placebo, adjusted)| (interval(placebo.above.value, adjusted.interval), adjusted.p)),
        })
    });
    let matched_share = ends[0].map_or(0.0, |end| end.n_treated as f64 / (end.n_treated + end.excluded).max(1) as f64);
    read(row.key.outcome, Bracket { matched_share, level, change })
}
