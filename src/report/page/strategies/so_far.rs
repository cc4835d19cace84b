//! What a strategy has brought so far, with the band in which it may lie: the picture, what it says, and the table behind it.

use super::shown::Shown;
use crate::report::arm_effects::{ArmEffects, Known};
use crate::report::chart::{BandChart, BandPoint, Mark};
use crate::report::data::EffectToDateRow;
use crate::report::markup::Markup;
use crate::report::page::figure::{behind, figure};
use crate::report::page::grid::{CellWriter, Grid, GridCell};
use crate::report::view::View;

/// The curve of an arm against the control; nothing before two periods have ended, or where nothing is said of them.
pub(super) fn so_far(view: &View, arm: &ArmEffects, number: usize, shown: &Shown<'_>) -> Markup {
    let mut out = Markup::new();
    let rows: Vec<&EffectToDateRow> = arm.to_date.iter().copied().filter(|row| row.outcome == shown.outcome()).collect();
    let is_told = arm.pooled_verdict().is_some_and(|verdict| Known::of(verdict) != Known::Nothing);
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return out };
    if rows.len() < 2 || arm.pair_with.is_some() || !is_told {
        return out;
    }
    let Some(estimate) = total(last) else { return out };
    let total_text = |x: f64| shown.total(view, x);
    let points = rows.iter().map(|row| {
        let estimate = total(row)?;
        let name = view.span(first.through_start, row.through_end);
        let start = row.through_start.map(|day| day.to_string()).unwrap_or_default();
        let key = format!("{} {start}", row.strategy);
        let tip = format!("{name}: {}", interval(view, shown, estimate));
        Some(BandPoint { estimate, mark: Mark { key, value: Some(estimate[0]), tip } })
    });
    let periods = rows.iter().map(|row| view.span(row.through_start, row.through_end)).collect();
    let chart = BandChart { periods, points: points.collect(), tick: &total_text };
    let words = &view.words;
    let what = match shown {
        Shown::Net => words.text("strategy.so_far_net").to_owned(),
        Shown::Outcome(outcome) => words.fill("strategy.so_far_outcome", &[("outcome", &view.outcome_name(outcome))]),
    };
    let is_read_once = last.looks == Some(1);
    let description = if is_read_once { "strategy.so_far_each" } else { "strategy.so_far_description" };
    let title = words.fill("strategy.so_far", &[("strategy", arm.strategy)]);
    out.raw("<p>").append(&said(view, arm, shown, [first, last], estimate)).raw("</p>\n");
    out.append(&figure(&format!("so-far-{number}"), &title, &words.fill(description, &[("what", &what)]), &chart));
    out.append(&behind(view, &title, &table(view, shown, &rows)));
    out
}

/// What all treated customers together brought, with its ends.
fn total(row: &EffectToDateRow) -> Option<[f64; 3]> {
    Some([row.incremental?, row.incremental_low_adjusted?, row.incremental_high_adjusted?])
}

fn interval(view: &View, shown: &Shown<'_>, [value, low, high]: [f64; 3]) -> String {
    let ends = [("low", &*shown.total(view, low)), ("high", &*shown.total(view, high))];
    format!("{} {}", shown.total(view, value), view.words.fill("interval", &ends))
}

/// What the last point says.
fn said(
    view: &View,
    arm: &ArmEffects,
    shown: &Shown<'_>,
    [first, last]: [&EffectToDateRow; 2],
    [value, low, high]: [f64; 3],
) -> Markup {
    let words = &view.words;
    let is_net = matches!(shown, Shown::Net);
    let (key, [value, low, high]) = match () {
        () if low > 0.0 => (if is_net { "strategy.so_far_earned" } else { "strategy.so_far_rises" }, [value, low, high]),
        () if high < 0.0 => (if is_net { "strategy.so_far_lost" } else { "strategy.so_far_falls" }, [-value, -high, -low]),
        () => (if is_net { "strategy.so_far_open" } else { "strategy.so_far_flat" }, [value, low, high]),
    };
    let [value, low, high] = [value, low, high].map(|x| shown.total(view, x));
    let values = [
        ("period", &*view.span(first.through_start, last.through_end)),
        ("strategy", &*arm.called(words)),
        ("outcome", &*view.outcome_name(shown.outcome())),
        ("value", &*value),
        ("low", &*low),
        ("high", &*high),
    ];
    let mut out = Markup::new();
    out.sentence(&words.say(key, &values));
    if let Some(share) = last.covered_share.filter(|share| *share < 1.0) {
        out.text(words.text("format.sentence_space"));
        out.sentence(&words.say("strategy.so_far_part", &[("share", &view.format.percent(share, 0))]));
    }
    out
}

fn table(view: &View, shown: &Shown<'_>, rows: &[&EffectToDateRow]) -> Grid {
    let has_cost = rows.iter().any(|row| row.cost.is_some());
    let mut keys = vec!["column.through", "column.periods", "column.total_so_far", "column.difference_so_far"];
    keys.extend(has_cost.then_some("column.cost_so_far"));
    keys.push("column.n");
    let mut grid = Grid::new(view, &keys);
    for row in rows {
        let cells = CellWriter::of(view, row.suppressed);
        let sums = [row.incremental, row.incremental_low_adjusted, row.incremental_high_adjusted];
        let difference = [row.difference, row.ci_low_adjusted, row.ci_high_adjusted];
        let mut line = vec![
            GridCell::text(view.span(row.through_start, row.through_end)),
            cells.count(row.periods),
            cells.interval(sums, |x| shown.total(view, x)),
            cells.interval(difference, |x| shown.write(view, x)),
        ];
        line.extend(has_cost.then(|| cells.written(row.cost, |x| view.format.float_money(x, 0))));
        line.push(cells.pair(row.n_treated, row.n_control));
        grid.row(line);
    }
    grid
}
