//! Growth accounting, and how concentrated the revenue is.

use super::figure::{behind, figure};
use super::grid::{CellWriter, Grid, GridCell, swatch};
use super::missing::{empty, missing};
use crate::domain::ALL;
use crate::report::chart::{ColumnChart, Ink, Line, LineChart, Mark, Series};
use crate::report::colour::Colour;
use crate::report::data::{ConcentrationRow, GrowthRow};
use crate::report::markup::Markup;
use crate::report::view::View;

/// Parts of growth from the line outwards: name, colour, value, whether it stands below the line.
type Part = (&'static str, &'static str, fn(&GrowthRow) -> Option<i64>, bool);

const PARTS: [Part; 4] = [
    ("retained", "#4d93c7", |r| r.retained, false),
    ("resurrected", "#8b7fc7", |r| r.resurrected, false),
    ("new", "#2f9e77", |r| r.new, false),
    ("lapsed", "#d36a2c", |r| r.lapsed, true),
];

/// The section.
pub(super) fn write(view: &View) -> Markup {
    let Some(all) = &view.data.growth else { return missing(view, "growth") };
    let of_slice: Vec<&GrowthRow> = all.iter().filter(|r| r.slice == view.slice && !view.is_comparison(r.as_of)).collect();
    let total: Vec<&GrowthRow> = of_slice.iter().filter(|r| r.scheme == ALL).copied().collect();
    if total.is_empty() {
        return empty(view, "growth.none");
    }
    let periods: Vec<String> = total.iter().map(|r| view.short_period(r.as_of)).collect();
    let mut out = Markup::new();
    out.append(&unfinished(view)).raw("<p class=\"legend\">");
    let mut series = Vec::new();
    for (name, colour, value, below) in PARTS {
        let Some(colour) = Colour::parse(colour) else { continue };
        let label =
            if name == "new" { view.words.text(new_key(view, &total)) } else { view.words.text(&format!("growth.{name}")) };
        out.raw("<span>").append(&swatch(&colour)).text(label).raw("</span> ");
        let values = total.iter().map(|r| {
            let n = value(r)?;
            let tip = format!("{} · {label}: {}", view.short_period(r.as_of), view.format.count(n));
            Some((n as f64, Mark { key: format!("{} {name}", r.as_of), value: Some(n as f64), tip }))
        });
        series.push(Series { ink: Ink::State(colour), values: values.collect(), below });
    }
    out.raw("</p>\n");
    let chart = ColumnChart { hatched: vec![false; periods.len()], periods, series, tick: &|v| view.format.short(v.abs(), 0) };
    out.append(&figure("growth-0", view.words.text("growth.title"), view.words.text("growth.description"), &chart));
    out.append(&behind(view, view.words.text("growth.title"), &table(view, &total, false)));
    let by_state: Vec<&GrowthRow> =
        of_slice.iter().filter(|r| r.scheme != ALL && Some(r.as_of) == view.last()).copied().collect();
    if !by_state.is_empty() {
        out.append(&behind(view, view.words.text("growth.by_state"), &table(view, &by_state, true)));
    }
    out
}

/// What the last period stands beside, if it is not over.
fn unfinished(view: &View) -> Markup {
    let mut out = Markup::new();
    let now = view.last().filter(|now| view.period_row(*now).is_some_and(|row| row.is_partial == Some(true)));
    if let Some((now, before)) = now.and_then(|now| Some((now, view.period_row(now)?.period_before?))) {
        let values = [("period", &*view.period(now)), ("before", &*view.period(before))];
        out.raw("<p class=\"soft\">").sentence(&view.words.say("growth.unfinished", &values)).raw("</p>\n");
    }
    out
}

/// What customers with their first order in a period are called over all of these periods.
fn new_key(view: &View, rows: &[&GrowthRow]) -> &'static str {
    let first_seen = rows.iter().filter(|r| view.new_is_first_seen(r.as_of)).count();
    match first_seen {
        0 => "growth.new",
        n if n == rows.len() => "growth.first_seen",
        _ => "growth.new_or_first_seen",
    }
}

fn table(view: &View, rows: &[&GrowthRow], states: bool) -> Grid {
    let mut keys = if states { vec!["column.scheme", "column.from_state"] } else { vec!["column.period"] };
    keys.extend([
        "column.active",
        new_key(view, rows),
        "growth.retained",
        "growth.resurrected",
        "growth.lapsed",
        "column.inactive",
        "column.change",
        "column.retention_rate",
        "column.churn_rate",
        "column.reactivation_rate",
        "column.period_revenue",
    ]);
    let mut grid = Grid::new(view, &keys);
    for row in rows {
        let cells = CellWriter::of(view, row.suppressed);
        let mut line = if states {
            let scheme = view.scheme(&row.scheme);
            let colour = scheme.and_then(|s| s.state(&row.from_state)).map(|s| &s.colour);
            let label = scheme.map_or(row.scheme.clone(), |s| s.label.clone());
            vec![GridCell::text(label), GridCell::state(view.side_label(&row.scheme, &row.from_state, true), colour)]
        } else {
            vec![GridCell::text(view.period(row.as_of))]
        };
        line.extend([
            cells.count(row.active),
            cells.count(row.new),
            cells.count(row.retained),
            cells.count(row.resurrected),
            cells.count(row.lapsed),
            cells.count(row.inactive),
            cells.count(row.change),
            cells.share(row.retention_rate),
            cells.share(row.churn_rate),
            cells.share(row.reactivation_rate),
            cells.money(row.revenue),
        ]);
        grid.row(line);
    }
    grid
}

/// Name and value of a share of the best customers.
type Top = (&'static str, fn(&ConcentrationRow) -> Option<f64>);

const TOPS: [Top; 3] = [("top_1", |r| r.top_1_share), ("top_10", |r| r.top_10_share), ("top_20", |r| r.top_20_share)];

/// The section on concentration.
pub(super) fn concentration(view: &View) -> Markup {
    let Some(all) = &view.data.concentration else { return missing(view, "concentration") };
    let of_slice = all.iter().filter(|r| r.slice == view.slice && !view.is_comparison(r.as_of));
    let rows: Vec<&ConcentrationRow> = of_slice.collect();
    if rows.is_empty() {
        return empty(view, "concentration.none");
    }
    let series = TOPS.iter().map(|(name, value)| {
        let label = view.words.text(&format!("concentration.{name}"));
        let points = rows.iter().map(|r| {
            let share = value(r)?;
            let tip = format!("{} · {label}: {}", view.short_period(r.as_of), view.format.percent(share, 1));
            Some((share, Mark { key: format!("{} {name}", r.as_of), value: Some(share), tip }))
        });
        Line { name: label.to_owned(), values: points.collect() }
    });
    let chart = LineChart {
        periods: rows.iter().map(|r| view.short_period(r.as_of)).collect(),
        series: series.collect(),
        tick: &|v| view.format.percent(v, 0),
    };
    let title = view.words.text("concentration.title");
    let mut out = figure("concentration-0", title, view.words.text("concentration.description"), &chart);
    let mut grid = Grid::new(
        view,
        &[
            "column.period",
            "column.buyers",
            "column.revenue",
            "concentration.top_1",
            "concentration.top_10",
            "concentration.top_20",
            "column.gini",
        ],
    );
    for row in rows {
        let cells = CellWriter::of(view, row.suppressed);
        grid.row(vec![
            GridCell::text(view.period(row.as_of)),
            cells.count(row.customers),
            cells.money(row.revenue),
            cells.share(row.top_1_share),
            cells.share(row.top_10_share),
            cells.share(row.top_20_share),
            cells.float(row.gini, 3),
        ]);
    }
    out.append(&behind(view, title, &grid));
    out
}
