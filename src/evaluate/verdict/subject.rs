//! A verdict from what it is about and what it rests on.

use super::super::arm_sums::Group;
use super::super::draft::{DraftVerdict, Verdict};
use super::super::reason::{Finding, NotEstimable, Remark, VerdictReason};
use super::super::settings::StrategySettings;
use super::rules::{Evidence, judge};
use crate::domain::{Design, EffectMethod as Method, Outcome, Period};
use crate::tables::VerdictRow;

/// What a verdict is about.
pub struct Subject<'a> {
    pub strategy: &'a str,
    pub design: Design,
    pub arm: &'a str,
    pub against: Option<&'a str>,
    pub period: Option<Period>,
    pub group: Group<'a>,
    pub outcome: &'a Outcome,
    pub method: Option<Method>,
}

/// What was drawn into two arms, where that were clusters.
pub fn drawn(
    strategy: &StrategySettings,
    [arm, control]: [&str; 2],
    [treated, controls]: [i64; 2],
    [of_treated, of_controls]: [i64; 2],
) -> Option<Remark> {
    let [column, arm, control] = [strategy.cluster.as_deref()?, arm, control].map(Into::into);
    Some(Remark::Drawn { column, treated, of_treated, arm, controls, of_controls, control })
}

/// A verdict before it is ranked; `obstacle` is what makes it impossible.
pub fn draft(subject: Subject<'_>, obstacle: Option<Finding>, evidence: Option<Evidence>, remarks: Vec<Remark>) -> DraftVerdict {
    let told = evidence.clone();
    let usable = evidence.filter(|_| obstacle.is_none());
    let (verdict, reason) = match (obstacle, &usable) {
        (None, Some(evidence)) => {
            let (verdict, sentence) = judge(subject.outcome, evidence);
            (verdict, VerdictReason { sentence, remarks })
        }
        (obstacle, _) => {
            let nothing = Finding::NotEstimable { reason: NotEstimable::NoPeriods };
            (Verdict::CannotSay, VerdictReason { sentence: obstacle.unwrap_or(nothing), remarks: Vec::new() })
        }
    };
    let net = told.as_ref().and_then(|e| e.net);
    let is_pair = told.as_ref().is_some_and(|e| e.against.is_some());
    DraftVerdict {
        row: VerdictRow {
            strategy: subject.strategy.into(),
            arm: subject.arm.into(),
            against: subject.against.map(Into::into),
            period_start: subject.period.map(|period| period.start),
            period_end: subject.period.map(Period::last_day),
            scheme: subject.group.0.into(),
            state: subject.group.1.into(),
            verdict: verdict.to_string(),
            reason: Some(reason.to_string()),
            outcome: Some(subject.outcome.to_string()),
            method: subject.method.map(|method| method.to_string()),
            difference: told.as_ref().map(|e| e.effect.value),
            ci_low_adjusted: told.as_ref().map(|e| e.effect.low),
            ci_high_adjusted: told.as_ref().map(|e| e.effect.high),
            p_adjusted: told.as_ref().map(|e| e.p),
            net_margin_per_customer: net.map(|n| n.value),
            net_margin_low_adjusted: net.map(|n| n.low),
            net_margin_high_adjusted: net.map(|n| n.high),
            ranked_by: None,
            shrunk_difference: None,
            shrunk_low: None,
            rank: None,
        },
        verdict,
        by_net: usable.as_ref().is_some_and(|e| e.net.is_some()),
        effect: usable.map(|e| e.net.map_or((e.effect.value, e.se), |net| (net.value, e.net_se))),
        design: subject.design,
        is_pair,
    }
}
