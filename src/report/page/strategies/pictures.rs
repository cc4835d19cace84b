//! Pictures of a strategy: estimates with their intervals by tier and by period, and what adds up over the periods. Where cost and
//! margin are known they show net margin, else the outcome.

use super::shown::Shown;
use super::so_far::so_far;
use super::tables::{period_name, why_not};
use crate::domain::ALL;
use crate::evaluate::{NotEstimable, VerdictReason};
use crate::report::arm_effects::ArmEffects;
use crate::report::chart::{ForestPlot, ForestRow, Ink, Mark};
use crate::report::markup::Markup;
use crate::report::page::figure::figure;
use crate::report::view::View;

/// All pictures of an arm.
pub(super) fn write(view: &View, arm: &ArmEffects, number: usize) -> Markup {
    let shown = Shown::of(arm);
    let mut out = Markup::new();
    out.append(&by_tier(view, arm, number, &shown)).append(&by_period(view, arm, number, &shown));
    out.append(&so_far(view, arm, number, &shown)).append(&found(view, arm));
    out
}

fn forest(view: &View, id: &str, title: &str, rows: Vec<ForestRow>, shown: &Shown<'_>) -> Markup {
    let chart = ForestPlot { rows, axis: shown.axis(view), tick: &|x| shown.tick(view, x) };
    figure(id, title, view.words.text("strategy.forest_description"), &chart)
}

/// The tiers from best to worst, as decided.
fn by_tier(view: &View, arm: &ArmEffects, number: usize, shown: &Shown<'_>) -> Markup {
    let decided = view.in_ladder_order(arm.decided_tiers());
    if decided.is_empty() {
        return Markup::new();
    }
    let rows = decided.iter().map(|verdict| {
        let state = view.scheme(&verdict.scheme).and_then(|s| s.state(&verdict.state));
        let label = view.state_label(&verdict.scheme, &verdict.state);
        let estimate = shown.of_verdict(verdict);
        let text = match estimate {
            Some(estimate) => shown.text(view, estimate),
            None => view.words.statement::<VerdictReason>(verdict.reason.as_deref().unwrap_or_default()),
        };
        let key = format!("{} {}", verdict.strategy, verdict.state);
        let mark = Mark { key, value: estimate.map(|[value, ..]| value), tip: format!("{label}: {text}") };
        let ink = state.map_or(Ink::Class("d1"), |s| Ink::State(s.colour.clone()));
        ForestRow { label, estimate, text, ink, total: false, mark }
    });
    let title = view.words.fill("strategy.tiers", &[("strategy", arm.strategy)]);
    forest(view, &format!("effects-tier-{number}"), &title, rows.collect(), shown)
}

/// The periods, and all of them together.
fn by_period(view: &View, arm: &ArmEffects, number: usize, shown: &Shown<'_>) -> Markup {
    if arm.periods.is_empty() {
        return Markup::new();
    }
    let mut rows: Vec<ForestRow> = arm
        .periods
        .iter()
        .map(|row| {
            let label = period_name(view, arm, row);
            let estimate = shown.of_effect(row);
            let text = estimate.map_or_else(|| why_not(view, row), |estimate| shown.text(view, estimate));
            let start = row.period_start.map(|day| day.to_string()).unwrap_or_default();
            let key = format!("{} {start}", row.strategy);
            let mark = Mark { key, value: estimate.map(|[value, ..]| value), tip: format!("{label}: {text}") };
            ForestRow { label, estimate, text, ink: Ink::Class("d1"), total: false, mark }
        })
        .collect();
    if let Some(verdict) = arm.pooled_verdict() {
        let label = view.words.text("strategy.all_periods").to_owned();
        let estimate = shown.of_verdict(verdict);
        let reason = || arm.pooled.iter().find(|row| row.state == ALL).and_then(|row| row.not_estimable.as_deref());
        let text = match estimate {
            Some(estimate) => shown.text(view, estimate),
            None => view.words.statement::<NotEstimable>(reason().unwrap_or_default()),
        };
        let key = format!("{} {} pooled", verdict.strategy, verdict.state);
        let mark = Mark { key, value: estimate.map(|[value, ..]| value), tip: format!("{label}: {text}") };
        rows.push(ForestRow { label, estimate, text, ink: Ink::Class("d2"), total: true, mark });
    }
    let title = view.words.fill("strategy.by_period", &[("strategy", arm.strategy)]);
    forest(view, &format!("effects-period-{number}"), &title, rows, shown)
}

/// How large an effect would have had to be, to be found.
fn found(view: &View, arm: &ArmEffects) -> Markup {
    let mut out = Markup::new();
    let Some(row) = arm.overall() else { return out };
    let (Some(gain), Some(loss)) = (row.mde, row.mde_loss) else { return out };
    let write = |x: f64| view.outcome(&row.outcome, x);
    let values = [
        ("period", &*view.span(row.period_start, row.period_end)),
        ("outcome", &*view.outcome_name(&row.outcome)),
        ("gain", &*write(gain)),
        ("loss", &*write(loss)),
    ];
    out.raw("<p class=\"soft\">").sentence(&view.words.say("strategy.found", &values)).raw("</p>\n");
    out
}
