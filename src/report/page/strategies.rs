//! Strategies: the verdict and its reason first, then the estimates by period and by tier.

use super::figure::{behind, figure};
use super::grid::{CellWriter, Grid, GridCell};
use super::missing::missing;
use crate::domain::ALL;
use crate::evaluate::{BeforeAfterNote, NotEstimable, VerdictReason};
use crate::report::arm_effects::{ArmEffects, arms};
use crate::report::chart::{ForestPlot, ForestRow, Ink, Mark};
use crate::report::data::{BeforeAfterRow, EffectRow, PooledEffectRow, VerdictRow};
use crate::report::markup::Markup;
use crate::report::view::View;

/// The section.
pub(super) fn write(view: &View) -> Markup {
    if view.data.effects.is_none() && view.data.verdicts.is_none() {
        return missing(view, "effects");
    }
    let arms = arms(view.data);
    let mut out = Markup::new();
    if arms.is_empty() {
        out.raw("<p class=\"soft\">").text(view.words.text("strategy.none")).raw("</p>\n");
    }
    for (number, arm) in arms.iter().enumerate() {
        let values = [("strategy", arm.strategy), ("arm", &*arm.name(&view.words))];
        out.element("h3", &view.words.fill("strategy.heading", &values)).raw("\n");
        out.append(&verdicts(view, arm));
        out.append(&bracket(view, arm)).append(&estimates(view, arm, number));
        out.append(&others(view, arm)).append(&before_after(view, arm));
    }
    out
}

fn verdicts(view: &View, arm: &ArmEffects) -> Markup {
    let mut out = Markup::new();
    let current = arm.current();
    let several = arm.pooled_verdict().is_some();
    for verdict in current.iter().filter(|v| v.state == ALL) {
        out.begin("p").attr("class", "verdict").end();
        if several {
            out.text(&view.span(verdict.period_start, verdict.period_end)).text(": ");
        }
        out.element("strong", &view.name("verdict", &verdict.verdict)).text(" · ").text(&reason(view, verdict)).raw("</p>\n");
    }
    if current.iter().all(|v| v.state == ALL) {
        return out;
    }
    let mut grid = Grid::new(view, &["column.tier", "column.verdict", "column.reason", "column.rank", "column.period"]);
    for verdict in current.iter().filter(|v| v.state != ALL) {
        let cells = CellWriter::of(view, verdict.suppressed);
        let colour = view.scheme(&verdict.scheme).and_then(|s| s.state(&verdict.state)).map(|s| &s.colour);
        grid.row(vec![
            GridCell::state(view.state_label(&verdict.scheme, &verdict.state), colour),
            GridCell::text(view.name("verdict", &verdict.verdict)),
            GridCell::text(reason(view, verdict)),
            cells.count(verdict.rank),
            GridCell::text(view.span(verdict.period_start, verdict.period_end)),
        ]);
    }
    out.append(&grid.write());
    out
}

/// The reason of a verdict in the language of the report.
fn reason(view: &View, verdict: &VerdictRow) -> String {
    verdict
        .reason
        .as_deref()
        .map_or_else(|| view.words.text("suppressed").to_owned(), |r| view.words.statement::<VerdictReason>(r))
}

/// Forest plots with the tables behind them in view: the numbers are the point.
fn estimates(view: &View, arm: &ArmEffects, number: usize) -> Markup {
    let words = &view.words;
    let mut out = Markup::new();
    if !arm.periods.is_empty() {
        let mut rows: Vec<ForestRow> =
            arm.periods.iter().map(|r| row(view, &period_name(view, arm, r), r, r.period_start)).collect();
        if arm.periods.len() > 1 {
            rows.extend(
                arm.pooled.iter().filter(|r| r.state == ALL).map(|r| pooled_row(view, words.text("strategy.all_periods"), r)),
            );
        }
        let title = words.fill("strategy.by_period", &[("strategy", arm.strategy)]);
        out.append(&forest(view, arm, &format!("effects-period-{number}"), &title, rows));
        let name = |r: &EffectRow| GridCell::text(period_name(view, arm, r));
        out.append(&table(view, "column.period", &arm.periods, &name, &further_columns(view, arm)));
    }
    if !arm.tiers.is_empty() {
        let last = arm.tiers.first().map(|r| view.span(r.period_start, r.period_end)).unwrap_or_default();
        let title = words.fill("strategy.by_tier", &[("strategy", arm.strategy), ("period", &last)]);
        let label = |r: &EffectRow| view.state_label(&r.scheme, &r.state);
        let rows = arm.tiers.iter().map(|r| row(view, &label(r), r, None)).collect();
        out.append(&forest(view, arm, &format!("effects-tier-{number}"), &title, rows));
        let name = |r: &EffectRow| {
            let colour = view.scheme(&r.scheme).and_then(|s| s.state(&r.state)).map(|s| &s.colour);
            GridCell::state(label(r), colour)
        };
        out.append(&table(view, "column.tier", &arm.tiers, &name, &[]));
    }
    out.append(&pooled(view, arm, number));
    out
}

fn period_name(view: &View, arm: &ArmEffects, row: &EffectRow) -> String {
    let span = view.span(row.period_start, row.period_end);
    match &row.phase {
        Some(phase) if arm.phases() > 1 => format!("{span} · {}", view.name("phase", phase)),
        _ => span,
    }
}

fn forest(view: &View, arm: &ArmEffects, id: &str, title: &str, rows: Vec<ForestRow>) -> Markup {
    let first = arm.periods.first().or(arm.tiers.first());
    let outcome = first.map(|r| r.outcome.clone()).unwrap_or_default();
    let method = first.map(|r| view.name("estimator", &r.method)).unwrap_or_default();
    let values = [("outcome", &*view.outcome_name(&outcome)), ("method", &*method)];
    let chart = ForestPlot { rows, axis: view.words.fill("strategy.axis", &values), tick: &|x| view.tick(&outcome, x) };
    figure(id, title, view.words.text("strategy.forest_description"), &chart)
}

fn row(view: &View, label: &str, row: &EffectRow, period: Option<crate::domain::Day>) -> ForestRow {
    let state = view.scheme(&row.scheme).and_then(|s| s.state(&row.state));
    let estimate = row.difference.zip(row.ci_low_adjusted.zip(row.ci_high_adjusted)).map(|(d, (low, high))| [d, low, high]);
    let key = match period {
        Some(day) => format!("{} {day}", row.strategy),
        None => format!("{} {}", row.strategy, row.state),
    };
    let text = match estimate {
        Some(estimate) => written(view, &row.outcome, estimate),
        None => why_not(view, row),
    };
    let ink = state.map_or(Ink::Class("d1"), |s| Ink::State(s.colour.clone()));
    let tip = format!("{label}: {text}");
    ForestRow { label: label.to_owned(), estimate, text, ink, total: false, mark: Mark { key, value: row.difference, tip } }
}

fn pooled_row(view: &View, label: &str, row: &PooledEffectRow) -> ForestRow {
    let state = view.scheme(&row.scheme).and_then(|s| s.state(&row.state));
    let estimate = row.difference.zip(row.ci_low_adjusted.zip(row.ci_high_adjusted)).map(|(d, (low, high))| [d, low, high]);
    let text = match estimate {
        Some(estimate) => written(view, &row.outcome, estimate),
        None => {
            let reason = row.not_estimable.as_deref().map(|r| view.words.statement::<NotEstimable>(r));
            reason.unwrap_or_else(|| view.words.text("suppressed").to_owned())
        }
    };
    let ink = state.map_or(Ink::Class("d2"), |s| Ink::State(s.colour.clone()));
    let mark =
        Mark { key: format!("{} {} pooled", row.strategy, row.state), value: row.difference, tip: format!("{label}: {text}") };
    ForestRow { label: label.to_owned(), estimate, text, ink, total: row.state == ALL, mark }
}

fn why_not(view: &View, row: &EffectRow) -> String {
    let reason = row.not_estimable.as_deref().filter(|r| !r.is_empty());
    reason
        .map(|r| view.words.statement::<NotEstimable>(r))
        .unwrap_or_else(|| view.words.text(if row.suppressed { "suppressed" } else { "strategy.no_estimate" }).to_owned())
}

/// An estimate with its interval.
fn written(view: &View, outcome: &str, [estimate, low, high]: [f64; 3]) -> String {
    let write = |x: f64| view.outcome(outcome, x);
    let ends = view.words.fill("interval", &[("low", &write(low)), ("high", &write(high))]);
    format!("{} {ends}", view.format.change(estimate, write))
}

/// A column of a table of effects: its heading, and what it says of a row.
type EffectColumn<'a> = (&'static str, Box<dyn Fn(&EffectRow) -> GridCell + 'a>);

/// Further columns of the effects by period, because a season moves money by itself: the control arm's mean, and the lift of
/// the same period last year, where there is one.
fn further_columns<'a>(view: &'a View, arm: &'a ArmEffects) -> Vec<EffectColumn<'a>> {
    let control = |r: &EffectRow| CellWriter::of(view, r.suppressed).written(r.mean_control, |x| view.outcome(&r.outcome, x));
    let mut columns: Vec<EffectColumn<'a>> = vec![("column.mean_control", Box::new(control))];
    if arm.periods.iter().any(|r| arm.last_year(r).is_some()) {
        let last_year = |r: &EffectRow| {
            let before = arm.last_year(r);
            let lift = before.map_or([None; 3], |b| [b.lift, b.lift_low, b.lift_high]);
            CellWriter::of(view, before.is_some_and(|b| b.suppressed)).interval(lift, |x| view.format.percent(x, 1))
        };
        columns.push(("column.lift_last_year", Box::new(last_year)));
    }
    columns
}

fn table(
    view: &View,
    first: &str,
    rows: &[&EffectRow],
    name: &dyn Fn(&EffectRow) -> GridCell,
    further: &[EffectColumn<'_>],
) -> Markup {
    let mut keys = vec![
        first,
        "column.difference",
        "column.p_adjusted",
        "column.net_margin",
        "column.roi",
        "column.n",
        "column.design",
        "column.lift",
        "column.mde",
    ];
    keys.extend(further.iter().map(|(heading, _)| *heading));
    let reasons = rows.iter().any(|r| r.difference.is_none());
    if reasons {
        keys.push("column.not_estimable");
    }
    let mut grid = Grid::new(view, &keys);
    for r in rows {
        let cells = CellWriter::of(view, r.suppressed);
        let write = |x: f64| view.outcome(&r.outcome, x);
        let money = |x: f64| view.format.float_money(x, 2);
        let percent = |x: f64| view.format.percent(x, 0);
        let mut line = vec![
            name(r),
            cells.interval([r.difference, r.ci_low_adjusted, r.ci_high_adjusted], write),
            cells.p(r.p_adjusted),
            cells.interval([r.net_margin_per_customer, r.net_margin_low_adjusted, r.net_margin_high_adjusted], money),
            cells.written(r.roi, percent),
            cells.pair(r.n_treated, r.n_control),
            GridCell::text(view.name("design", r.design.as_deref().unwrap_or_default())),
            cells.interval([r.lift, r.lift_low, r.lift_high], |x| view.format.percent(x, 1)),
            cells.written(r.mde, write),
        ];
        line.extend(further.iter().map(|(_, cell)| cell(r)));
        if reasons {
            line.push(GridCell::text(if r.difference.is_none() { why_not(view, r) } else { String::new() }));
        }
        grid.row(line);
    }
    grid.write()
}

/// The tiers over all periods, where there are several.
fn pooled(view: &View, arm: &ArmEffects, number: usize) -> Markup {
    let tiers: Vec<&PooledEffectRow> = arm.pooled.iter().filter(|r| r.state != ALL).copied().collect();
    if tiers.is_empty() || arm.periods.len() < 2 {
        return Markup::new();
    }
    let title = view.words.fill("strategy.pooled", &[("strategy", arm.strategy)]);
    let rows = tiers.iter().map(|r| pooled_row(view, &view.state_label(&r.scheme, &r.state), r)).collect();
    let mut out = forest(view, arm, &format!("effects-pooled-{number}"), &title, rows);
    let mut grid = Grid::new(
        view,
        &[
            "column.tier",
            "column.periods",
            "column.difference",
            "column.p_adjusted",
            "column.lift",
            "column.n_treated",
            "column.n_control",
            "column.q_p",
            "column.recurring_share",
        ],
    );
    for r in arm.pooled.iter() {
        let cells = CellWriter::of(view, r.suppressed);
        let colour = view.scheme(&r.scheme).and_then(|s| s.state(&r.state)).map(|s| &s.colour);
        grid.row(vec![
            GridCell::state(view.state_label(&r.scheme, &r.state), colour),
            cells.count(r.periods),
            cells.interval([r.difference, r.ci_low_adjusted, r.ci_high_adjusted], |x| view.outcome(&r.outcome, x)),
            cells.p(r.p_adjusted),
            cells.interval([r.lift, r.lift_low, r.lift_high], |x| view.format.percent(x, 1)),
            cells.count(r.n_treated),
            cells.count(r.n_control),
            cells.p(r.q_difference_p),
            cells.share(r.recurring_share),
        ]);
    }
    out.append(&behind(view, &title, &grid));
    out
}

/// Both ends of the bracket of a matched strategy over all customers in the last period, each with its placebo.
fn bracket(view: &View, arm: &ArmEffects) -> Markup {
    let Some(headline) = arm.overall().filter(|r| r.design.as_deref() == Some("matched")) else { return Markup::new() };
    let key = |r: &EffectRow| (r.outcome.clone(), r.phase.clone(), r.period_start);
    let others = arm.others.iter().copied().filter(|r| key(r) == key(headline));
    let mut ends: Vec<&EffectRow> = std::iter::once(headline).chain(others).collect();
    // The level comes before the change.
    ends.sort_by_key(|r| r.method != "matched");
    let columns =
        ["column.method", "column.period", "column.difference", "column.placebo", "column.above_placebo", "column.p_adjusted"];
    let mut grid = Grid::new(view, &columns);
    for r in ends {
        let cells = CellWriter::of(view, r.suppressed);
        let outcome = |x: f64| view.outcome(&r.outcome, x);
        grid.row(vec![
            GridCell::text(view.name("estimator", &r.method)),
            GridCell::text(view.span(r.period_start, r.period_end)),
            cells.interval([r.difference, r.ci_low_adjusted, r.ci_high_adjusted], outcome),
            cells.interval([r.placebo, r.placebo_low, r.placebo_high], outcome),
            cells.interval([r.above_placebo, r.above_placebo_low_adjusted, r.above_placebo_high_adjusted], outcome),
            cells.p(r.above_placebo_p_adjusted),
        ]);
    }
    grid.write()
}

/// Other outcomes and methods over all customers.
fn others(view: &View, arm: &ArmEffects) -> Markup {
    if arm.others.is_empty() {
        return Markup::new();
    }
    let mut grid = Grid::new(
        view,
        &[
            "column.outcome",
            "column.method",
            "column.phase",
            "column.difference",
            "column.p_adjusted",
            "column.lift",
            "column.not_estimable",
        ],
    );
    for r in &arm.others {
        let cells = CellWriter::of(view, r.suppressed);
        grid.row(vec![
            GridCell::text(view.outcome_name(&r.outcome)),
            GridCell::text(view.name("estimator", &r.method)),
            GridCell::text(view.name("phase", r.phase.as_deref().unwrap_or_default())),
            cells.interval([r.difference, r.ci_low_adjusted, r.ci_high_adjusted], |x| view.outcome(&r.outcome, x)),
            cells.p(r.p_adjusted),
            cells.interval([r.lift, r.lift_low, r.lift_high], |x| view.format.percent(x, 1)),
            GridCell::text(r.not_estimable.as_deref().map(|t| view.words.statement::<NotEstimable>(t)).unwrap_or_default()),
        ]);
    }
    behind(view, &view.words.fill("strategy.others", &[("strategy", arm.strategy)]), &grid)
}

/// All customers of the arm before and after, which describes and proves nothing.
fn before_after(view: &View, arm: &ArmEffects) -> Markup {
    let rows = view.data.before_after.iter().flatten().filter(|r| r.strategy == arm.strategy && r.state == ALL);
    let rows: Vec<&BeforeAfterRow> = rows.collect();
    if rows.is_empty() {
        return Markup::new();
    }
    let mut grid = Grid::new(
        view,
        &[
            "column.period",
            "column.arm",
            "column.outcome",
            "column.customers",
            "column.mean_before",
            "column.mean_after",
            "column.change",
            "column.unassigned_change",
            "column.expected_change",
            "column.note",
        ],
    );
    for r in rows {
        let cells = CellWriter::of(view, r.suppressed);
        let mean = |x: Option<f64>| cells.written(x, |x| view.outcome(&r.outcome, x));
        grid.row(vec![
            GridCell::text(view.span(r.period_start, r.period_end)),
            GridCell::text(&r.arm),
            GridCell::text(view.outcome_name(&r.outcome)),
            cells.count(r.customers),
            mean(r.mean_before),
            mean(r.mean_after),
            mean(r.change),
            mean(r.unassigned_change),
            mean(r.expected_change),
            GridCell::text(r.note.as_deref().map(|t| view.words.statement::<BeforeAfterNote>(t)).unwrap_or_default()),
        ]);
    }
    behind(view, &view.words.fill("strategy.before_after", &[("strategy", arm.strategy)]), &grid)
}

impl View<'_> {
    /// A value of an outcome on an axis.
    fn tick(&self, outcome: &str, x: f64) -> String {
        let digits = if x.abs() >= 10.0 || x == 0.0 { 0 } else { 1 };
        match outcome.trim_end_matches("_winsorised") {
            "revenue" | "margin" | "net" | "avg_order_value" => self.format.float_money(x, digits),
            "converted" | "retained" => self.format.percent(x, 1),
            o if o.starts_with("moved_") || o.starts_with("event:") => self.format.percent(x, 1),
            _ => self.format.float(x, 2),
        }
    }
}
