//! Verdicts by stated rules, and the ranking of strategies within a tier.
//!
//! A verdict rests on the headline row of a strategy, arm, state and period, and over all periods on the pooled row. With
//! d its difference, p its adjusted p-value, and [net low, net high] the interval of the net margin per treated customer
//! (known if the outcome is revenue or margin, and cost and margin rate are given), the first rule that holds decides:
//!
//! | verdict | rule |
//! |---|---|
//! | `cannot_say` | no control arm; no estimate (the reason is the row's); a matched strategy without a passed placebo, without both ends of the bracket, with ends of different sign, or with less than half of the treated in matched cells |
//! | `stop` | p < 0.05 and d < 0; or net high < 0 |
//! | `scale` | p < 0.05, d > 0 and net low > 0; over all periods also: Cochran's Q on the lift does not find periods different (p ≥ 0.05) |
//! | `keep` | p < 0.05, d > 0, and the net margin is positive or unknown |
//! | `test_longer` | everything else |
//!
//! For all periods together the p-values of the job's pooled headline rows are one more Benjamini–Hochberg family, and the
//! method is the primary one if it leads in every period, else the one that replaces it, in every period.

use std::collections::BTreeMap;
use std::fmt;

use super::arm_sums::{ALL, Group, Phase};
use super::diagnostics::PeriodDiagnostics;
use super::effect::{Effect, Placebo};
use super::pooled::{EffectKey, PooledEffect};
use super::rank::{DraftVerdict, rank};
use super::reason::{Change, Finding, NetMargin, NotEstimable, Remark, VerdictReason};
use super::sentence::{PValue, Rounded};
use crate::domain::{Design, EffectMethod as Method, Outcome, Period};
use crate::stats::{Interval, MoneyInterval, benjamini_hochberg, mde};
use crate::tables::VerdictRow;

/// The level of all verdicts.
const LEVEL: f64 = 0.05;

/// A matched comparison of a smaller share of the treated allows no verdict.
const MIN_MATCHED_SHARE: f64 = 0.5;

/// A verdict.
enum Verdict {
    /// Works, and pays for itself even at the low end of the interval.
    Scale,
    /// Works, and probably pays or its money is not known.
    Keep,
    /// Harms, or loses money even at the high end of the interval.
    Stop,
    /// Neither is shown.
    TestLonger,
    /// The design allows no answer.
    CannotSay,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Scale => "scale",
            Verdict::Keep => "keep",
            Verdict::Stop => "stop",
            Verdict::TestLonger => "test_longer",
            Verdict::CannotSay => "cannot_say",
        })
    }
}

/// What a verdict is made from.
struct Evidence {
    difference: f64,
    se: f64,
    interval: Interval,
    /// The adjusted p-value.
    p: f64,
    net_margin: Option<MoneyInterval>,
    /// The p-value of Cochran's Q on the lift, over all periods.
    q_lift_p: Option<f64>,
}

/// What a verdict is about.
struct Subject<'a> {
    strategy: &'a str,
    design: Design,
    arm: &'a str,
    period: Option<Period>,
    group: Group<'a>,
    outcome: &'a Outcome,
    method: Option<Method>,
}

/// The rules, for estimates that allow a verdict.
fn judge(outcome: &Outcome, evidence: &Evidence) -> (Verdict, Finding) {
    let Evidence { difference, se, interval, p, net_margin, q_lift_p } = *evidence;
    let effect = Change::new(outcome.clone(), difference, interval, p);
    let is_significant = p < LEVEL;
    if is_significant && difference < 0.0 {
        return (Verdict::Stop, Finding::Harm { effect });
    }
    if let Some(net) = net_margin.filter(|net| net.high < 0.0) {
        return (Verdict::Stop, Finding::Loss { effect, money: net.into() });
    }
    if !(is_significant && difference > 0.0) {
        return (Verdict::TestLonger, Finding::NotShown { effect, least: Rounded::short(mde(se)) });
    }
    let Some(net) = net_margin else { return (Verdict::Keep, Finding::Works { effect }) };
    let money = NetMargin::from(net);
    if net.low > 0.0 {
        match q_lift_p.filter(|q| *q < LEVEL) {
            Some(q) => (Verdict::Keep, Finding::PaysUnevenly { effect, money, q: PValue(q) }),
            None => (Verdict::Scale, Finding::Pays { effect, money }),
        }
    } else if net.value > 0.0 {
        (Verdict::Keep, Finding::ProbablyPays { effect, money })
    } else {
        (Verdict::TestLonger, Finding::MayPay { effect, money })
    }
}

/// A verdict before it is ranked; `obstacle` is what makes it impossible.
fn draft(subject: Subject<'_>, obstacle: Option<Finding>, evidence: Option<Evidence>, remarks: Vec<Remark>) -> DraftVerdict {
    let difference = evidence.as_ref().map(|e| e.difference);
    let usable = evidence.filter(|_| obstacle.is_none());
    let (verdict, reason) = match (obstacle, &usable) {
        (None, Some(evidence)) => {
            let (verdict, sentence) = judge(subject.outcome, evidence);
            (verdict, VerdictReason { sentence, remarks })
        }
        (obstacle, _) => {
            let nothing = Finding::NotEstimable { reason: NotEstimable::NoPeriods };
            (Verdict::CannotSay, obstacle.unwrap_or(nothing).into())
        }
    };
    DraftVerdict {
        row: VerdictRow {
            strategy: subject.strategy.into(),
            arm: subject.arm.into(),
            period_start: subject.period.map(|period| period.start),
            period_end: subject.period.map(Period::last_day),
            scheme: subject.group.0.into(),
            state: subject.group.1.into(),
            verdict: verdict.to_string(),
            reason: Some(reason.to_string()),
            outcome: Some(subject.outcome.to_string()),
            method: subject.method.map(|method| method.to_string()),
            difference,
            shrunk_difference: None,
            shrunk_low: None,
            rank: None,
        },
        effect: usable.map(|e| (e.difference, e.se)),
        design: subject.design,
    }
}

/// Verdicts of every period, then over all periods, each with its rank.
///
/// `all_diagnostics` and `effects` come with the number of their strategy.
pub(super) fn verdicts(
    all_diagnostics: &[(usize, PeriodDiagnostics<'_>)],
    effects: &[(usize, &Effect<'_>)],
    pooled: &[PooledEffect<'_>],
) -> Vec<VerdictRow> {
    let mut drafts: Vec<DraftVerdict> = Vec::new();
    for (_, diagnostics) in all_diagnostics {
        let strategy = diagnostics.strategy;
        if strategy.design == Design::BeforeAfter {
            drafts.extend(diagnostics.treated.iter().map(|arm| uncontrolled(diagnostics, arm)));
        }
        let of_period: Vec<&Effect<'_>> = effects
            .iter()
            .map(|(_, effect)| *effect)
            .filter(|e| std::ptr::eq(e.diagnostics, diagnostics))
            .filter(|e| e.phase == diagnostics.verdict_phase() && *e.outcome == strategy.primary.outcome)
            .collect();
        drafts.extend(of_period.iter().filter(|e| e.headline).map(|effect| in_period(effect, &of_period)));
    }
    drafts.extend(over_periods(all_diagnostics, pooled));
    rank(&mut drafts);
    drafts.into_iter().map(|draft| draft.row).collect()
}

/// The verdict on a strategy without control.
fn uncontrolled(diagnostics: &PeriodDiagnostics<'_>, arm: &str) -> DraftVerdict {
    let strategy = diagnostics.strategy;
    let subject = Subject {
        strategy: &strategy.name,
        design: strategy.design,
        arm,
        period: Some(diagnostics.period.period),
        group: (ALL, ALL),
        outcome: &strategy.primary.outcome,
        method: None,
    };
    draft(subject, Some(Finding::NoControl), None, Vec::new())
}

/// The verdict of one headline effect, among the effects of its period.
fn in_period(effect: &Effect<'_>, of_period: &[&Effect<'_>]) -> DraftVerdict {
    let diagnostics = effect.diagnostics;
    let strategy = diagnostics.strategy;
    let obstacle = match &effect.result {
        Err(reason) => Some(Finding::NotEstimable { reason: reason.clone() }),
        Ok(_) if strategy.design == Design::Matched => obstacle_in_period(effect, of_period),
        Ok(_) => None,
    };
    let evidence = effect.estimated().map(|(estimate, interval)| Evidence {
        difference: estimate.difference,
        se: estimate.se,
        interval,
        p: effect.p_adjusted.unwrap_or(interval.p),
        net_margin: effect.net_margin(),
        q_lift_p: None,
    });
    let fallback = diagnostics.fallback.clone().map(|why| Remark::InPeriod { method: effect.method, why });
    let remarks = fallback.into_iter().chain(diagnostics.remarks.iter().cloned()).collect();
    let subject = Subject {
        strategy: &strategy.name,
        design: strategy.design,
        arm: effect.arm,
        period: Some(diagnostics.period.period),
        group: effect.group,
        outcome: effect.outcome,
        method: Some(effect.method),
    };
    draft(subject, obstacle, evidence, remarks)
}

/// What makes a verdict on a matched effect impossible.
fn obstacle_in_period(effect: &Effect<'_>, of_period: &[&Effect<'_>]) -> Option<Finding> {
    let of_arm = || of_period.iter().copied().filter(|e| (e.arm, e.group) == (effect.arm, effect.group));
    let matched = of_arm().find(|e| e.method == Method::Matched);
    if let Some(Err(reason)) = matched.map(|m| &m.result) {
        return Some(Finding::NotEstimable { reason: reason.clone() });
    }
    let difference = |effect: Option<&Effect<'_>>| effect.and_then(|e| e.result.as_ref().ok()).map(|e| e.difference);
    let treated = of_arm().filter(|e| e.method == Method::Did).map(|e| e.n_treated).max().unwrap_or(0);
    bracket_obstacle(Bracket {
        passed_placebo: matched.is_some_and(|m| m.placebo == Placebo::Passed),
        matched_share: matched.map_or(0.0, |m| m.n_treated as f64 / treated.max(1) as f64),
        matched: difference(matched),
        did: difference(of_arm().find(|e| e.method == Method::Did)),
    })
}

/// The two estimates of a matched strategy, between which its effect is taken to lie, and what speaks for them.
struct Bracket {
    passed_placebo: bool,
    /// The share of the treated who are compared in matched cells.
    matched_share: f64,
    matched: Option<f64>,
    did: Option<f64>,
}

/// What makes a verdict on a matched strategy impossible.
fn bracket_obstacle(bracket: Bracket) -> Option<Finding> {
    if !bracket.passed_placebo {
        return Some(Finding::NoPlacebo);
    }
    if bracket.matched_share < MIN_MATCHED_SHARE {
        return Some(Finding::FewMatched { share: Rounded::new(bracket.matched_share * 100.0, 0) });
    }
    match (bracket.matched, bracket.did) {
        (Some(matched), Some(did)) if (matched > 0.0) == (did > 0.0) => None,
        (Some(matched), Some(did)) => {
            Some(Finding::BracketDisagrees { matched: Rounded::short(matched), did: Rounded::short(did) })
        }
        _ => Some(Finding::BracketIncomplete),
    }
}

/// Which effects over time a strategy's verdicts rest on.
#[derive(Clone)]
struct Lead {
    phase: Phase,
    method: Method,
    /// Why that is not the primary method.
    fallback: Option<NotEstimable>,
}

/// The lead of every strategy with control: its first period's, unless a later one had to replace the primary method.
fn leads(all_diagnostics: &[(usize, PeriodDiagnostics<'_>)]) -> BTreeMap<usize, Lead> {
    let lead = |diagnostics: &PeriodDiagnostics<'_>| Lead {
        phase: diagnostics.verdict_phase(),
        method: diagnostics.headline,
        fallback: diagnostics.fallback.clone(),
    };
    let mut leads: BTreeMap<usize, Lead> = BTreeMap::new();
    let controlled = all_diagnostics.iter().filter(|(_, d)| d.strategy.design != Design::BeforeAfter);
    // A period in which nobody was assigned decides nothing, unless there is no other.
    let (assigned, empty): (Vec<_>, Vec<_>) = controlled.partition(|(_, d)| d.all_treated > 0);
    for (strategy, diagnostics) in assigned {
        let chosen = leads.entry(*strategy).or_insert_with(|| lead(diagnostics));
        if diagnostics.headline != diagnostics.strategy.primary.method {
            *chosen = lead(diagnostics);
        }
    }
    for (strategy, diagnostics) in empty {
        leads.entry(*strategy).or_insert_with(|| lead(diagnostics));
    }
    leads
}

/// Verdicts over all periods of each strategy.
fn over_periods(all_diagnostics: &[(usize, PeriodDiagnostics<'_>)], pooled: &[PooledEffect<'_>]) -> Vec<DraftVerdict> {
    let leads = leads(all_diagnostics);
    let leading = pooled.iter().filter(|row| *row.key.outcome == row.strategy.primary.outcome).filter_map(|row| {
        let lead = leads.get(&row.key.strategy)?;
        ((lead.phase, lead.method) == (row.key.phase, row.key.method)).then_some((row, lead))
    });
    let leading: Vec<(&PooledEffect<'_>, &Lead)> = leading.collect();
    let tested: Vec<f64> = leading.iter().filter_map(|(row, _)| Some(row.estimated()?.1.p)).collect();
    let mut adjusted = benjamini_hochberg(&tested).into_iter();
    let verdict = |(row, lead): (&PooledEffect<'_>, &Lead)| {
        let evidence = row.estimated().map(|(estimate, interval)| Evidence {
            difference: estimate.value,
            se: estimate.se,
            interval,
            p: adjusted.next().unwrap_or(interval.p),
            net_margin: row.net_margin(),
            q_lift_p: row.lift.as_ref().and_then(|lift| lift.q_p),
        });
        let fallback = lead.fallback.clone().map(|why| Remark::InAPeriod { method: row.key.method, why });
        let subject = Subject {
            strategy: &row.strategy.name,
            design: row.strategy.design,
            arm: row.key.arm,
            period: None,
            group: row.key.group,
            outcome: row.key.outcome,
            method: Some(row.key.method),
        };
        draft(subject, obstacle_over_periods(row, pooled), evidence, fallback.into_iter().collect())
    };
    leading.into_iter().map(verdict).collect()
}

/// What makes a verdict over all periods impossible.
fn obstacle_over_periods(row: &PooledEffect<'_>, pooled: &[PooledEffect<'_>]) -> Option<Finding> {
    if row.pooled.is_none() {
        return Some(Finding::NotEstimable { reason: row.reason() });
    }
    if row.strategy.design != Design::Matched {
        return None;
    }
    let by = |method: Method| pooled.iter().find(|other| other.key == EffectKey { method, ..row.key });
    let (matched, did) = (by(Method::Matched), by(Method::Did));
    // Both ends must be of all periods, or they are not the ends of one bracket.
    let missing = [matched, did].into_iter().flatten().find_map(|end| end.missing.as_ref());
    if let Some((period, reason)) = missing {
        return Some(Finding::PeriodNotEstimable { start: period.start, reason: reason.clone() });
    }
    let value = |end: Option<&PooledEffect<'_>>| end.and_then(|end| end.pooled.as_ref()).map(|pooled| pooled.value);
    let treated = did.map_or(0, |end| end.n_treated);
    bracket_obstacle(Bracket {
        passed_placebo: matched.is_some_and(|end| end.placebo),
        matched_share: matched.map_or(0.0, |end| end.n_treated as f64 / treated.max(1) as f64),
        matched: value(matched),
        did: value(did),
    })
}
