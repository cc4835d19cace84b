//! Strategies of design threshold: the verdict on customers at the cut, its picture, and what was checked.

use crate::evaluate::{NotEstimable, VerdictReason};
use crate::report::at_cut::{CutPeriod, CutStrategy};
use crate::report::chart::{JumpChart, JumpDot, Mark};
use crate::report::data::EffectRow;
use crate::report::markup::Markup;
use crate::report::page::figure::{behind, figure};
use crate::report::page::grid::{CellWriter, Grid, GridCell};
use crate::report::page::verdict::badge;
use crate::report::view::View;

/// A strategy; `number` is its place among those of the page.
pub(super) fn write(view: &View, strategy: &CutStrategy<'_>, number: usize) -> Markup {
    let mut out = Markup::new();
    let Some(last) = strategy.periods.last() else { return out };
    let cut = view.measured(last.threshold.cut);
    let values = [("strategy", strategy.name), ("cut", &*cut), ("running", last.threshold.running.as_str())];
    out.element("h3", &view.words.fill("at_cut.heading", &values)).raw("\n");
    for period in &strategy.periods {
        let verdict = period.verdict;
        out.raw("<p class=\"verdict\">").append(&badge(view, &verdict.verdict)).text(" ");
        out.text(&view.span(verdict.period_start, verdict.period_end)).text(": ").text(&reason(view, period)).raw("</p>\n");
    }
    out.append(&picture(view, strategy, last, number));
    out.append(&checks(view, strategy)).append(&found(view, last)).append(&others(view, strategy));
    out
}

/// The reason of a verdict in the language of the report.
fn reason(view: &View, period: &CutPeriod<'_>) -> String {
    let suppressed = || view.words.text("suppressed").to_owned();
    period.verdict.reason.as_deref().map_or_else(suppressed, |reason| view.words.statement::<VerdictReason>(reason))
}

/// Means by distance from the cut in the last period; nothing where no effect is told.
fn picture(view: &View, strategy: &CutStrategy<'_>, period: &CutPeriod<'_>, number: usize) -> Markup {
    let (effect, threshold) = (period.effect, period.threshold);
    let limits = threshold.limit_below.zip(threshold.limit_beyond);
    let slopes = threshold.slope_below.zip(threshold.slope_beyond);
    let at = threshold.cut.zip(threshold.bandwidth);
    let interval = effect.ci_low_adjusted.zip(effect.ci_high_adjusted);
    let (Some((below, beyond)), Some((rise, further)), Some((cut, width)), Some((low, high))) = (limits, slopes, at, interval)
    else {
        return Markup::new();
    };
    let outcome = |x: f64| view.outcome(&effect.outcome, x);
    let measure = |x: f64| view.measured(Some(x));
    let dots = period.bins.iter().filter_map(|bin| {
        let (lower, upper, value) = (bin.lower?, bin.upper?, bin.mean?);
        let values = [
            ("low", &*measure(lower)),
            ("high", &*measure(upper)),
            ("n", &*view.format.maybe_count(bin.customers)),
            ("value", &*outcome(value)),
        ];
        let mark =
            Mark { key: format!("{} {}", bin.side, bin.bin), value: Some(value), tip: view.words.fill("at_cut.dot", &values) };
        Some(JumpDot { at: (lower + upper) / 2.0, value, mark })
    });
    let name = view.outcome_name(&effect.outcome);
    let chart = JumpChart {
        dots: dots.collect(),
        lines: [[(cut - width, below - rise * width), (cut, below)], [(cut, beyond), (cut + width, beyond + further * width)]],
        interval: [below + low, below + high],
        axes: [threshold.running.clone(), view.words.fill("at_cut.axis", &[("outcome", &name)])],
        tick_at: &measure,
        tick_value: &outcome,
    };
    let span = view.span(effect.period_start, effect.period_end);
    let title = view.words.fill("at_cut.picture", &[("strategy", strategy.name), ("outcome", &*name), ("period", &*span)]);
    figure(&format!("at-cut-{number}"), &title, view.words.text("at_cut.description"), &chart)
}

/// Effect and checks of every period.
fn checks(view: &View, strategy: &CutStrategy<'_>) -> Markup {
    let knows_treated = strategy.periods.iter().any(|period| period.threshold.treated_beyond.is_some());
    let has_reasons = strategy.periods.iter().any(|period| period.effect.difference.is_none());
    let mut keys = vec!["column.period", "column.difference", "column.p_adjusted", "column.bandwidth", "column.n_at_cut"];
    keys.extend(["column.density_p", "column.placebo", "column.placebo_p"]);
    keys.extend(knows_treated.then_some("column.treated_at_cut"));
    keys.extend(["column.mde", "column.mde_loss"]);
    keys.extend(has_reasons.then_some("column.not_estimable"));
    let mut grid = Grid::new(view, &keys);
    for CutPeriod { effect, threshold, .. } in &strategy.periods {
        let cells = CellWriter::of(view, effect.suppressed || threshold.suppressed);
        let outcome = |x: f64| view.outcome(&effect.outcome, x);
        let mut line = vec![
            GridCell::text(view.span(effect.period_start, effect.period_end)),
            cells.interval([effect.difference, effect.ci_low_adjusted, effect.ci_high_adjusted], outcome),
            cells.p(effect.p_adjusted),
            cells.written(threshold.bandwidth, |x| view.measured(Some(x))),
            cells.pair(threshold.n_below, threshold.n_beyond),
            cells.p(threshold.density_p_adjusted),
            cells.interval([threshold.placebo, threshold.placebo_low, threshold.placebo_high], outcome),
            cells.p(threshold.placebo_p_adjusted),
        ];
        if knows_treated {
            let percent = |x: Option<f64>| x.map_or_else(String::new, |x| view.format.percent(x, 1));
            line.push(GridCell::text(format!("{} / {}", percent(threshold.treated_below), percent(threshold.treated_beyond))));
        }
        line.extend([cells.written(effect.mde, outcome), cells.written(effect.mde_loss, outcome)]);
        line.extend(has_reasons.then(|| GridCell::text(why_not(view, effect))));
        grid.row(line);
    }
    grid.write(&view.words.fill("at_cut.checks", &[("strategy", strategy.name)]))
}

fn why_not(view: &View, row: &EffectRow) -> String {
    row.not_estimable.as_deref().map_or_else(String::new, |reason| view.words.statement::<NotEstimable>(reason))
}

/// How large an effect at the cut would have had to be, to be found.
fn found(view: &View, period: &CutPeriod<'_>) -> Markup {
    let (effect, mut out) = (period.effect, Markup::new());
    let (Some(gain), Some(loss)) = (effect.mde, effect.mde_loss) else { return out };
    let write = |x: f64| view.outcome(&effect.outcome, x);
    let values = [
        ("period", &*view.span(effect.period_start, effect.period_end)),
        ("outcome", &*view.outcome_name(&effect.outcome)),
        ("gain", &*write(gain)),
        ("loss", &*write(loss)),
        ("cut", &*view.measured(period.threshold.cut)),
    ];
    out.raw("<p class=\"soft\">").sentence(&view.words.say("at_cut.found", &values)).raw("</p>\n");
    out
}

/// Other outcomes of all periods.
fn others(view: &View, strategy: &CutStrategy<'_>) -> Markup {
    let rows: Vec<&EffectRow> = strategy.periods.iter().flat_map(|period| &period.others).copied().collect();
    if rows.is_empty() {
        return Markup::new();
    }
    let keys = ["column.period", "column.outcome", "column.difference", "column.p_adjusted", "column.not_estimable"];
    let mut grid = Grid::new(view, &keys);
    for r in rows {
        let cells = CellWriter::of(view, r.suppressed);
        grid.row(vec![
            GridCell::text(view.span(r.period_start, r.period_end)),
            GridCell::text(view.outcome_name(&r.outcome)),
            cells.interval([r.difference, r.ci_low_adjusted, r.ci_high_adjusted], |x| view.outcome(&r.outcome, x)),
            cells.p(r.p_adjusted),
            GridCell::text(why_not(view, r)),
        ]);
    }
    behind(view, &view.words.fill("at_cut.others", &[("strategy", strategy.name)]), &grid)
}

impl View<'_> {
    /// A number of a measure, with as many digits as it needs and no more than two behind the point.
    fn measured(&self, x: Option<f64>) -> String {
        let digits = |x: f64| (0..2).find(|digits| (x * 10f64.powi(*digits)).fract().abs() < 1e-9).unwrap_or(2);
        x.map_or_else(String::new, |x| self.format.float(x, digits(x) as usize))
    }
}
