//! The tables behind the decision on a strategy: effects by period, by tier and over all periods, and what stands beside them.

use crate::domain::ALL;
use crate::evaluate::{BeforeAfterNote, NotEstimable};
use crate::report::arm_effects::ArmEffects;
use crate::report::data::{BeforeAfterRow, EffectRow};
use crate::report::markup::Markup;
use crate::report::page::figure::behind;
use crate::report::page::grid::{CellWriter, Grid, GridCell};
use crate::report::view::View;

/// Effects by period over all customers.
pub(super) fn by_period(view: &View, arm: &ArmEffects) -> Markup {
    if arm.periods.is_empty() {
        return Markup::new();
    }
    let name = |r: &EffectRow| GridCell::text(period_name(view, arm, r));
    let grid = table(view, "column.period", &arm.periods, &name, &further_columns(view, arm));
    behind(view, &view.words.fill("strategy.by_period", &[("strategy", arm.strategy)]), &grid)
}

/// Effects by tier in the last period.
pub(super) fn by_tier(view: &View, arm: &ArmEffects) -> Markup {
    let Some(first) = arm.tiers.first() else { return Markup::new() };
    let name = |r: &EffectRow| {
        let colour = view.scheme(&r.scheme).and_then(|s| s.state(&r.state)).map(|s| &s.colour);
        GridCell::state(view.state_label(&r.scheme, &r.state), colour)
    };
    let last = view.span(first.period_start, first.period_end);
    let tiers = view.tiers_in_ladder_order(&arm.tiers);
    let grid = table(view, "column.tier", &tiers, &name, &[]);
    behind(view, &view.words.fill("strategy.by_tier", &[("strategy", arm.strategy), ("period", &last)]), &grid)
}

/// What a period is called, with the phase where there are several.
pub(super) fn period_name(view: &View, arm: &ArmEffects, row: &EffectRow) -> String {
    let span = view.span(row.period_start, row.period_end);
    match &row.phase {
        Some(phase) if arm.phases() > 1 => format!("{span} · {}", view.name("phase", phase)),
        _ => span,
    }
}

/// Why a row has no estimate.
pub(super) fn why_not(view: &View, row: &EffectRow) -> String {
    let reason = row.not_estimable.as_deref().filter(|r| !r.is_empty());
    reason
        .map(|r| view.words.statement::<NotEstimable>(r))
        .unwrap_or_else(|| view.words.text(if row.suppressed { "suppressed" } else { "strategy.no_estimate" }).to_owned())
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
) -> Grid {
    let mut keys = vec![
        first,
        "column.net_margin",
        "column.difference",
        "column.p_adjusted",
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
            cells.interval([r.net_margin_per_customer, r.net_margin_low_adjusted, r.net_margin_high_adjusted], money),
            cells.interval([r.difference, r.ci_low_adjusted, r.ci_high_adjusted], write),
            cells.p(r.p_adjusted),
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
    grid
}

/// Effects over all periods, where there are several.
pub(super) fn pooled(view: &View, arm: &ArmEffects) -> Markup {
    if arm.pooled.is_empty() || arm.periods.len() < 2 {
        return Markup::new();
    }
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
    behind(view, &view.words.fill("strategy.pooled", &[("strategy", arm.strategy)]), &grid)
}

/// Both ends of the bracket of a matched strategy over all customers in the last period, each with its placebo.
pub(super) fn bracket(view: &View, arm: &ArmEffects) -> Markup {
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
    grid.write(&view.words.fill("strategy.bracket", &[("strategy", arm.strategy)]))
}

/// Other outcomes and methods over all customers.
pub(super) fn others(view: &View, arm: &ArmEffects) -> Markup {
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
pub(super) fn before_after(view: &View, arm: &ArmEffects) -> Markup {
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
    /// Effects by scheme in the order of the job, and by state from best to worst.
    fn tiers_in_ladder_order<'b>(&self, rows: &[&'b EffectRow]) -> Vec<&'b EffectRow> {
        let mut rows = rows.to_vec();
        rows.sort_by_key(|row| self.place_on_ladder(&row.scheme, &row.state));
        rows
    }
}
