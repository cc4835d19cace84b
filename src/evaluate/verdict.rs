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

use super::diagnostics::PeriodDiagnostics;
use super::effect::{Effect, Placebo};
use super::pooled::PooledEffect;
use super::reason::{NotEstimable, p_value, short};
use super::rows::{Verdict, VerdictRow};
use super::{Design, Method};
use crate::domain::Period;
use crate::stats::{Interval, MoneyInterval, benjamini_hochberg, mde, shrink};

/// The level of all verdicts.
const LEVEL: f64 = 0.05;

/// Below this share of matched treated customers a matched comparison speaks of too few.
const MATCHED: f64 = 0.5;

/// What a verdict is made from.
struct Evidence {
    difference: f64,
    se: f64,
    interval: Interval,
    p: f64,
    net: Option<MoneyInterval>,
    /// Cochran's Q on the lift, over all periods.
    q_lift_p: Option<f64>,
}

/// A verdict in the making: the row, and what it is ranked by.
struct DraftVerdict {
    row: VerdictRow,
    effect: Option<(f64, f64)>,
    design: Design,
}

/// The rules.
fn judge(outcome: &str, evidence: &Evidence) -> (Verdict, String) {
    let Evidence { difference, se, interval, p, net, q_lift_p } = *evidence;
    let effect = format!(
        "{outcome} {} by {} per customer ({} to {}, adjusted p {})",
        if difference < 0.0 { "falls" } else { "rises" },
        short(difference.abs()),
        short(interval.low),
        short(interval.high),
        p_value(p)
    );
    let money = net.map(|n| format!("net margin per customer {} ({} to {})", short(n.value), short(n.low), short(n.high)));
    let works = p < LEVEL && difference > 0.0;
    match (net, money) {
        _ if p < LEVEL && difference < 0.0 => (Verdict::Stop, format!("{effect}: it does harm")),
        (Some(n), Some(money)) if n.high < 0.0 => {
            (Verdict::Stop, format!("{effect}; {money}: it costs more than it brings even at the high end"))
        }
        (Some(n), Some(money)) if works && n.low > 0.0 => match q_lift_p {
            Some(q) if q < LEVEL => {
                let q = p_value(q);
                (Verdict::Keep, format!("{effect}; {money}: it pays, but periods differ in their lift (Cochran's Q, p {q})"))
            }
            _ => (Verdict::Scale, format!("{effect}; {money}: it pays even at the low end")),
        },
        (Some(n), Some(money)) if works && n.value > 0.0 => {
            (Verdict::Keep, format!("{effect}; {money}: it works and probably pays"))
        }
        (None, _) if works => {
            (Verdict::Keep, format!("{effect}: it works; whether it pays is not known without cost and margin"))
        }
        (_, Some(money)) if works => (Verdict::TestLonger, format!("{effect}; {money}: it works, but whether it pays is open")),
        _ => {
            let least = short(mde(se));
            (Verdict::TestLonger, format!("{effect}: no effect is shown; one of {least} would be found four times in five"))
        }
    }
}

/// Verdicts of every period, then over all periods, each with its rank.
///
/// `all_diagnostics` and `effects` come with the number of their strategy.
pub(super) fn verdicts(
    all_diagnostics: &[(usize, PeriodDiagnostics<'_>)],
    effects: &[(usize, &Effect<'_>)],
    over_time: &[PooledEffect<'_>],
) -> Vec<VerdictRow> {
    let mut drafts: Vec<DraftVerdict> = Vec::new();
    for (_, diagnostics) in all_diagnostics {
        if diagnostics.strategy.design == Design::BeforeAfter {
            drafts.extend(diagnostics.treated.iter().map(|arm| uncontrolled(diagnostics, arm)));
        }
        let own = effects.iter().map(|(_, e)| *e).filter(|e| std::ptr::eq(e.diagnostics, diagnostics));
        let own: Vec<&Effect<'_>> = own
            .filter(|e| e.phase == diagnostics.verdict_phase() && *e.outcome == diagnostics.strategy.primary.outcome)
            .collect();
        drafts.extend(own.iter().filter(|e| e.headline).map(|e| of_period(e, &own)));
    }
    drafts.extend(over_all(all_diagnostics, over_time));
    rank(&mut drafts);
    drafts.into_iter().map(|r| r.row).collect()
}

/// A strategy without control.
fn uncontrolled(diagnostics: &PeriodDiagnostics<'_>, arm: &str) -> DraftVerdict {
    let strategy = diagnostics.strategy;
    DraftVerdict {
        row: VerdictRow {
            strategy: strategy.name.clone(),
            arm: arm.into(),
            period: Some(diagnostics.period.period),
            scheme: super::arm_sums::ALL.into(),
            state: super::arm_sums::ALL.into(),
            verdict: Verdict::CannotSay,
            reason: "there is no control arm, so a change cannot be told from what would have happened anyway: see before_after"
                .into(),
            outcome: strategy.primary.outcome.clone(),
            method: None,
            difference: None,
            shrunk_difference: None,
            shrunk_low: None,
            rank: None,
        },
        effect: None,
        design: strategy.design,
    }
}

/// Why a matched comparison allows no verdict; `matched` and `did` are the ends of its bracket.
fn bracket(placebo: bool, share: f64, matched: Option<f64>, did: Option<f64>) -> Option<String> {
    if !placebo {
        return Some(
            "there is no placebo to trust the matching by: nothing is known of these customers before the baseline".into(),
        );
    }
    if share < MATCHED {
        return Some(format!("only {:.0} % of the treated have a match", share * 100.0));
    }
    match (matched, did) {
        (Some(m), Some(d)) if (m > 0.0) == (d > 0.0) => None,
        (Some(m), Some(d)) => Some(format!(
            "the ends of the bracket disagree: {} in matched cells, {} by difference-in-differences",
            short(m),
            short(d)
        )),
        _ => Some("one end of the bracket is missing".into()),
    }
}

/// The verdict of one headline effect; `own` are all effects of its period.
fn of_period(effect: &Effect<'_>, own: &[&Effect<'_>]) -> DraftVerdict {
    let strategy = effect.diagnostics.strategy;
    let same = |method: Method| {
        let found = own.iter().find(|e| {
            (e.phase, e.arm, e.outcome, e.group, e.method) == (effect.phase, effect.arm, effect.outcome, effect.group, method)
        });
        found.copied()
    };
    let blocked = match (&effect.result, strategy.design) {
        (Err(reason), _) => Some(reason.to_string()),
        (Ok(_), Design::Matched) => {
            let matched = same(Method::Matched);
            let failed = matched.and_then(|m| m.result.as_ref().err()).map(NotEstimable::to_string);
            failed.or_else(|| {
                let value = |e: Option<&Effect<'_>>| e.and_then(|e| e.result.as_ref().ok()).map(|e| e.difference);
                let passed = matched.is_some_and(|m| m.placebo == Placebo::Passed);
                let all = own.iter().filter(|e| e.group == effect.group && e.arm == effect.arm && e.method == Method::Did);
                let all = all.map(|e| e.n_treated).max().unwrap_or(0);
                let share = matched.map_or(0.0, |m| m.n_treated as f64 / all.max(1) as f64);
                bracket(passed, share, value(matched), value(same(Method::Did)))
            })
        }
        _ => None,
    };
    let evidence = effect.estimated().map(|(e, interval)| Evidence {
        difference: e.difference,
        se: e.se,
        interval,
        p: effect.p_adjusted.unwrap_or(interval.p),
        net: effect.net_margin(),
        q_lift_p: None,
    });
    let fallback = effect.diagnostics.fallback.as_ref().map(|why| format!(" (by {} because {why})", effect.method));
    rule(
        VerdictRow {
            strategy: strategy.name.clone(),
            arm: effect.arm.into(),
            period: Some(effect.diagnostics.period.period),
            scheme: effect.group.0.into(),
            state: effect.group.1.into(),
            verdict: Verdict::CannotSay,
            reason: String::new(),
            outcome: effect.outcome.clone(),
            method: Some(effect.method),
            difference: evidence.as_ref().map(|e| e.difference),
            shrunk_difference: None,
            shrunk_low: None,
            rank: None,
        },
        strategy.design,
        blocked,
        evidence,
        fallback,
    )
}

/// Fills in verdict and reason.
fn rule(
    mut row: VerdictRow,
    design: Design,
    blocked: Option<String>,
    evidence: Option<Evidence>,
    fallback: Option<String>,
) -> DraftVerdict {
    let mut effect = None;
    (row.verdict, row.reason) = match (blocked, &evidence) {
        (Some(reason), _) => (Verdict::CannotSay, reason),
        (None, None) => (Verdict::CannotSay, NotEstimable::NoPeriod { first: None }.to_string()),
        (None, Some(evidence)) => {
            effect = Some((evidence.difference, evidence.se));
            let (verdict, reason) = judge(&row.outcome.to_string(), evidence);
            (verdict, reason + &fallback.unwrap_or_default())
        }
    };
    DraftVerdict { row, effect, design }
}

/// Verdicts over all periods of each strategy.
fn over_all(all_diagnostics: &[(usize, PeriodDiagnostics<'_>)], over_time: &[PooledEffect<'_>]) -> Vec<DraftVerdict> {
    // Per strategy: the phase of its verdicts, its method in every period, and why that is not the primary one.
    let mut leads = BTreeMap::new();
    let controlled = all_diagnostics.iter().filter(|(_, s)| s.strategy.design != Design::BeforeAfter);
    // A period in which nobody was assigned decides nothing, unless there is no other.
    let (assigned, empty): (Vec<_>, Vec<_>) = controlled.partition(|(_, s)| s.all_treated > 0);
    for (number, diagnostics) in assigned {
        let lead = (diagnostics.verdict_phase(), diagnostics.headline, diagnostics.fallback.clone());
        let kept = leads.entry(*number).or_insert_with(|| lead.clone());
        if diagnostics.headline != diagnostics.strategy.primary.method {
            *kept = lead;
        }
    }
    for (number, diagnostics) in empty {
        leads.entry(*number).or_insert_with(|| (diagnostics.verdict_phase(), diagnostics.headline, diagnostics.fallback.clone()));
    }
    let lead = |t: &PooledEffect<'_>| {
        leads.get(&t.key.strategy).is_some_and(|(phase, method, _)| (*phase, *method) == (t.key.phase, t.key.method))
    };
    let rows: Vec<&PooledEffect<'_>> =
        over_time.iter().filter(|t| lead(t) && *t.key.outcome == t.strategy.primary.outcome).collect();
    let tested: Vec<usize> = (0..rows.len()).filter(|&i| rows[i].pooled.is_some()).collect();
    let p: Vec<f64> = tested.iter().filter_map(|&i| Some(rows[i].estimated()?.1.p)).collect();
    let adjusted: BTreeMap<usize, f64> = tested.into_iter().zip(benjamini_hochberg(&p)).collect();
    let drafts = rows.iter().enumerate().map(|(at, row)| {
        let same = |method: Method| over_time.iter().find(|t| t.key == super::pooled::EffectKey { method, ..row.key });
        let value = |method: Method| same(method).and_then(|t| t.pooled.as_ref()).map(|p| p.value);
        let blocked = match (&row.pooled, row.strategy.design) {
            (None, _) => Some(row.reason().to_string()),
            (Some(_), Design::Matched) => {
                let all = same(Method::Did).map_or(0, |t| t.n_treated);
                let matched = same(Method::Matched);
                let share = matched.map_or(0.0, |t| t.n_treated as f64 / all.max(1) as f64);
                // Both ends must be of all periods, or they are not the ends of one bracket.
                let failed = matched.and_then(|t| t.missing.as_ref()).or(same(Method::Did).and_then(|t| t.missing.as_ref()));
                let failed = failed.map(|(period, why)| format!("in the period from {}, {why}", period.start));
                failed.or_else(|| bracket(matched.is_some_and(|t| t.placebo), share, value(Method::Matched), value(Method::Did)))
            }
            _ => None,
        };
        let evidence = row.estimated().map(|(pooled, interval)| Evidence {
            difference: pooled.value,
            se: pooled.se,
            interval,
            p: adjusted.get(&at).copied().unwrap_or(interval.p),
            net: row.net_margin(),
            q_lift_p: row.lift.as_ref().and_then(|l| l.q_p),
        });
        let why = leads.get(&row.key.strategy).and_then(|lead| lead.2.as_ref());
        let fallback = why.map(|why| format!(" (by {} because in a period {why})", row.key.method));
        let row = VerdictRow {
            strategy: row.strategy.name.clone(),
            arm: row.key.arm.into(),
            period: None,
            scheme: row.key.group.0.into(),
            state: row.key.group.1.into(),
            verdict: Verdict::CannotSay,
            reason: String::new(),
            outcome: row.key.outcome.clone(),
            method: Some(row.key.method),
            difference: evidence.as_ref().map(|e| e.difference),
            shrunk_difference: None,
            shrunk_low: None,
            rank: None,
        };
        (row, blocked, evidence, fallback)
    });
    let designs: Vec<Design> = rows.iter().map(|r| r.strategy.design).collect();
    drafts
        .zip(designs)
        .map(|((row, blocked, evidence, fallback), design)| rule(row, design, blocked, evidence, fallback))
        .collect()
}

/// Shrinks effects toward their mean and ranks them within scheme, state and period.
///
/// Effects are shrunken together if they are of one outcome, design, scheme and period: all states of all strategies. A
/// verdict `cannot_say` has no rank.
fn rank(drafts: &mut [DraftVerdict]) {
    let mut families: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, r) in drafts.iter().enumerate().filter(|(_, r)| r.effect.is_some()) {
        let family: (Option<Period>, String, String, Design) =
            (r.row.period, r.row.scheme.clone(), r.row.outcome.to_string(), r.design);
        families.entry(family).or_default().push(at);
    }
    for members in families.into_values() {
        let effects: Vec<(f64, f64)> = members.iter().filter_map(|&at| drafts[at].effect).collect();
        for (&at, shrunk) in members.iter().zip(shrink(&effects)) {
            drafts[at].row.shrunk_difference = Some(shrunk.value);
            drafts[at].row.shrunk_low = Some(shrunk.low);
        }
        let mut states: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        members.iter().for_each(|&at| states.entry(drafts[at].row.state.clone()).or_default().push(at));
        for mut tier in states.into_values() {
            let low = |at: usize| drafts[at].row.shrunk_low.unwrap_or(f64::NEG_INFINITY);
            // Equal ends keep the order of the job, so that ranks do not depend on anything else.
            tier.sort_by(|&a, &b| low(b).total_cmp(&low(a)).then(a.cmp(&b)));
            for (place, at) in tier.into_iter().enumerate() {
                drafts[at].row.rank = Some(place as i64 + 1);
            }
        }
    }
}
