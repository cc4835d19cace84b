//! Verdicts of one period.

use super::super::arm_sums::{ALL, Group};
use super::super::diagnostics::PeriodDiagnostics;
use super::super::draft::DraftVerdict;
use super::super::effect::Effect;
use super::super::reason::{Finding, Remark};
use super::super::settings::Guardrail;
use super::matched::{Bracket, End, Reading, read};
use super::rules::Evidence;
use super::subject::{Subject, draft, drawn};
use crate::domain::{Design, EffectMethod as Method, Outcome};
use crate::stats::MoneyInterval;

/// The verdicts of all periods of all strategies; `effects` come with the number of their strategy.
pub(super) fn verdicts(
    all_diagnostics: &[(usize, PeriodDiagnostics<'_>)],
    effects: &[(usize, &Effect<'_>)],
) -> Vec<DraftVerdict> {
    let mut drafts = Vec::new();
    for (_, diagnostics) in all_diagnostics {
        if diagnostics.strategy.design == Design::BeforeAfter {
            drafts.extend(diagnostics.treated.iter().map(|arm| uncontrolled(diagnostics, arm)));
        }
        let of_period: Vec<&Effect<'_>> = effects
            .iter()
            .map(|(_, effect)| *effect)
            .filter(|e| std::ptr::eq(e.diagnostics, diagnostics) && e.phase == diagnostics.verdict_phase())
            .collect();
        drafts.extend(of_period.iter().filter(|e| e.is_headline()).map(|effect| of_effect(effect, &of_period)));
    }
    drafts
}

/// The verdict on a strategy without control.
fn uncontrolled(diagnostics: &PeriodDiagnostics<'_>, arm: &str) -> DraftVerdict {
    let strategy = diagnostics.strategy;
    let subject = Subject {
        strategy: &strategy.name,
        design: strategy.design,
        arm,
        against: None,
        period: Some(diagnostics.period.period),
        group: (ALL, ALL),
        outcome: &strategy.primary.outcome,
        method: None,
    };
    draft(subject, Some(Finding::NoControl), None, Vec::new())
}

/// The effects of one arm in one state.
struct Related<'e, 'a>(Vec<&'e Effect<'a>>);

impl<'e, 'a> Related<'e, 'a> {
    fn new(effect: &Effect<'a>, of_period: &[&'e Effect<'a>]) -> Related<'e, 'a> {
        let key = |e: &Effect<'a>| -> (&'a str, &'a str, Group<'a>) { (e.arm, e.against, e.group) };
        Related(of_period.iter().copied().filter(|e| key(e) == key(effect)).collect())
    }

    fn find(&self, outcome: &Outcome, method: Method) -> Option<&'e Effect<'a>> {
        self.0.iter().copied().find(|e| e.outcome == outcome && e.method == method)
    }
}

/// The verdict of one headline effect, among the effects of its period.
fn of_effect(effect: &Effect<'_>, of_period: &[&Effect<'_>]) -> DraftVerdict {
    let diagnostics = effect.diagnostics;
    let strategy = diagnostics.strategy;
    let related = Related::new(effect, of_period);
    let (obstacle, bracket) = match &effect.found.reason {
        Some(reason) => (Some(Finding::NotEstimable { reason: reason.clone() }), None),
        None if strategy.design == Design::Matched => bracket_reading(effect, &related).split(),
        None => (None, None),
    };
    let net = related.find(&Outcome::Net, effect.method);
    let evidence = effect.found.told().zip(effect.adjusted).map(|(told, adjusted)| Evidence {
        bracket,
        against: diagnostics.is_pair(effect.against).then(|| effect.against.into()),
        effect: MoneyInterval { value: told.test.value, low: adjusted.interval.0, high: adjusted.interval.1 },
        se: told.test.se,
        p: adjusted.p,
        detectable: told.test.detectable(adjusted.interval),
        net: net.and_then(money_of),
        net_se: net.and_then(|net| Some(net.found.told()?.test.se)).unwrap_or_default(),
        guardrail: guardrail(effect, &related),
        disagreement: None,
    });
    let fallback = diagnostics.fallback.clone().map(|why| Remark::InPeriod { method: effect.method, why });
    let subject = Subject {
        strategy: &strategy.name,
        design: strategy.design,
        arm: effect.arm,
        against: Some(effect.against),
        period: Some(diagnostics.period.period),
        group: effect.group,
        outcome: effect.outcome,
        method: Some(effect.method),
    };
    let drawn = effect.clusters.and_then(|clusters| {
        let customers = [effect.n_treated, effect.n_control];
        drawn(strategy, [effect.arm, effect.against], clusters, customers)
    });
    let states = diagnostics.states_since(effect.group).map(|since| Remark::StatesSince { since });
    let remarks = fallback.into_iter().chain(drawn).chain(effect.checks().remarks.iter().cloned()).chain(states);
    draft(subject, obstacle, evidence, remarks.collect())
}

/// Net money with its adjusted interval.
fn money_of(net: &Effect<'_>) -> Option<MoneyInterval> {
    let (told, adjusted) = net.found.told().zip(net.adjusted)?;
    Some(MoneyInterval { value: told.test.value, low: adjusted.interval.0, high: adjusted.interval.1 })
}

/// The first guardrail that has fallen; net money is always one.
fn guardrail(effect: &Effect<'_>, related: &Related<'_, '_>) -> Option<Finding> {
    let strategy = effect.diagnostics.strategy;
    let money = Guardrail { outcome: Outcome::Net, at_worst: None };
    strategy.guardrails.iter().chain([&money]).find_map(|guardrail| {
        let guarded = related.find(&guardrail.outcome, effect.method)?.found.told()?;
        let (low, high) = guarded.interval;
        guardrail.fallen(MoneyInterval { value: guarded.test.value, low, high })
    })
}

/// What the bracket of a matched effect shows, or why it shows nothing.
fn bracket_reading(effect: &Effect<'_>, related: &Related<'_, '_>) -> Reading {
    let ends = [Method::Matched, Method::Did].map(|method| related.find(effect.outcome, method));
    if let Some(reason) = ends.iter().flatten().find_map(|end| end.found.reason.clone()) {
        return Reading::Obstacle(Finding::NotEstimable { reason });
    }
    let [level, change] = ends.map(|end| {
        let (told, adjusted) = end?.found.told().zip(end?.adjusted)?;
        let above = told.placebo.as_ref().zip(end?.above_adjusted);
        Some(End {
            difference: money(told.test.value, adjusted.interval),
            above: above.map(|(placebo, adjusted)| (money(placebo.above.value, adjusted.interval), adjusted.p)),
        })
    });
    let matched = ends[0];
    let matched_share = matched.map_or(0.0, |m| m.n_treated as f64 / (m.n_treated + m.excluded).max(1) as f64);
    read(effect.outcome, Bracket { matched_share, level, change })
}

fn money(value: f64, (low, high): (f64, f64)) -> MoneyInterval {
    MoneyInterval { value, low, high }
}
