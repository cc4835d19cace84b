//! Pictures of a strategy: estimates with their intervals by tier and by period, and the money that adds up over the periods.
//! Where cost and margin are known they show net margin, else the outcome.

use super::tables::{period_name, why_not};
use crate::domain::ALL;
use crate::evaluate::{NotEstimable, VerdictReason};
use crate::report::arm_effects::ArmEffects;
use crate::report::chart::{ForestPlot, ForestRow, Ink, Line, LineChart, Mark};
use crate::report::data::{EffectRow, VerdictRow};
use crate::report::markup::Markup;
use crate::report::page::figure::figure;
use crate::report::view::View;

/// What a picture shows per customer.
enum Shown<'a> {
    /// Net margin.
    Net,
    /// An outcome.
    Outcome(&'a str),
}

impl Shown<'_> {
    fn write(&self, view: &View, x: f64) -> String {
        match self {
            Shown::Net => view.format.float_money(x, 2),
            Shown::Outcome(outcome) => view.outcome(outcome, x),
        }
    }

    fn tick(&self, view: &View, x: f64) -> String {
        let digits = if x.abs() >= 10.0 || x == 0.0 { 0 } else { 1 };
        let Shown::Outcome(outcome) = self else { return view.format.float_money(x, digits) };
        match outcome.trim_end_matches("_winsorised") {
            "revenue" | "margin" | "net" | "avg_order_value" => view.format.float_money(x, digits),
            "converted" | "retained" => view.format.percent(x, 1),
            o if o.starts_with("moved_") || o.starts_with("event:") => view.format.percent(x, 1),
            _ => view.format.float(x, 2),
        }
    }

    fn axis(&self, view: &View) -> String {
        match self {
            Shown::Net => view.words.text("strategy.axis_net").to_owned(),
            Shown::Outcome(outcome) => view.words.fill("strategy.axis", &[("outcome", &view.outcome_name(outcome))]),
        }
    }

    fn of_effect(&self, row: &EffectRow) -> Option<[f64; 3]> {
        let (value, low, high) = match self {
            Shown::Net => (row.net_margin_per_customer, row.net_margin_low_adjusted, row.net_margin_high_adjusted),
            Shown::Outcome(_) => (row.difference, row.ci_low_adjusted, row.ci_high_adjusted),
        };
        Some([value?, low?, high?])
    }

    fn of_verdict(&self, verdict: &VerdictRow) -> Option<[f64; 3]> {
        let (value, low, high) = match self {
            Shown::Net => (verdict.net_margin_per_customer, verdict.net_margin_low_adjusted, verdict.net_margin_high_adjusted),
            Shown::Outcome(_) => (verdict.difference, verdict.ci_low_adjusted, verdict.ci_high_adjusted),
        };
        Some([value?, low?, high?])
    }

    /// An estimate with its interval, as text.
    fn text(&self, view: &View, [value, low, high]: [f64; 3]) -> String {
        let ends = [("low", &*self.write(view, low)), ("high", &*self.write(view, high))];
        format!("{} {}", view.format.change(value, |x| self.write(view, x)), view.words.fill("interval", &ends))
    }
}

/// All pictures of an arm.
pub(super) fn write(view: &View, arm: &ArmEffects, number: usize) -> Markup {
    let knows_money = !arm.is_matched() && arm.periods.iter().any(|row| row.net_margin_low_adjusted.is_some());
    let outcome = arm.periods.first().or(arm.tiers.first()).map(|row| row.outcome.as_str()).unwrap_or_default();
    let shown = if knows_money { Shown::Net } else { Shown::Outcome(outcome) };
    let mut out = Markup::new();
    out.append(&by_tier(view, arm, number, &shown)).append(&by_period(view, arm, number, &shown));
    if knows_money {
        out.append(&money(view, arm, number));
    }
    out.append(&found(view, arm));
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

/// What the treated brought and cost, added up over the periods that have an estimate.
fn money(view: &View, arm: &ArmEffects, number: usize) -> Markup {
    let phase = arm.periods.first().and_then(|row| row.phase.clone());
    let mut sums = [0.0; 3];
    let (mut periods, mut points) = (Vec::new(), [const { Vec::new() }; 3]);
    let names = ["strategy.margin_so_far", "strategy.cost_so_far", "strategy.net_so_far"].map(|key| view.words.text(key));
    for row in arm.periods.iter().filter(|row| row.phase == phase) {
        let (Some(net), Some(cost), Some(treated)) = (row.net_margin_per_customer, row.cost, row.n_treated) else { continue };
        let net = net * treated as f64;
        let name = view.span(row.period_start, row.period_end);
        for (place, value) in [net + cost, cost, net].into_iter().enumerate() {
            sums[place] += value;
            let text = view.format.float_money(sums[place], 0);
            let start = row.period_start.map(|day| day.to_string()).unwrap_or_default();
            let key = format!("{start} {}", ["margin", "cost", "net"][place]);
            let mark = Mark { key, value: Some(sums[place]), tip: format!("{name} · {}: {text}", names[place]) };
            points[place].push(Some((sums[place], mark)));
        }
        periods.push(name);
    }
    if periods.len() < 2 {
        return Markup::new();
    }
    let series = names.into_iter().zip(points).map(|(name, values)| Line { name: name.to_owned(), values });
    let chart = LineChart { periods, series: series.collect(), tick: &|x| view.format.float_money(x, 0) };
    let title = view.words.fill("strategy.money", &[("strategy", arm.strategy)]);
    figure(&format!("money-{number}"), &title, view.words.text("strategy.money_description"), &chart)
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
