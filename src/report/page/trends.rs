//! Sizes of states and their revenue over all as-of dates.

use super::figure::{behind, figure};
use super::grid::{CellWriter, Grid, GridCell, swatch};
use super::missing::missing;
use crate::domain::Day;
use crate::report::chart::{ColumnChart, Ink, Mark, Series};
use crate::report::data::SegmentRow;
use crate::report::markup::Markup;
use crate::report::view::{SchemeView, StateView, View};

/// What is drawn: the key of its messages, its value, its cell.
struct Kind {
    key: &'static str,
    value: fn(&SegmentRow) -> Option<f64>,
    cell: fn(&CellWriter, &SegmentRow) -> GridCell,
}

const KINDS: [Kind; 2] = [
    Kind { key: "customers", value: |r| r.customers.map(|n| n as f64), cell: |c, r| c.count(r.customers) },
    Kind { key: "revenue", value: |r| r.revenue.map(|money| money.to_f64()), cell: |c, r| c.money(r.revenue) },
];

/// The section.
pub(super) fn write(view: &View) -> Markup {
    if view.data.segments.is_none() {
        return missing(view, "segments");
    }
    let mut out = Markup::new();
    if view.dates.len() < 2 {
        out.raw("<p class=\"soft\">").text(view.words.text("trends.one_date")).raw("</p>\n");
        return out;
    }
    for scheme in &view.schemes {
        let shown: Vec<&StateView> = scheme
            .states
            .iter()
            .filter(|s| view.dates.iter().any(|d| view.segment(*d, &scheme.name, &s.name).is_some()))
            .collect();
        if shown.is_empty() {
            continue;
        }
        out.raw("<div class=\"block\">").element("h3", &scheme.label).raw("\n<p class=\"legend\">");
        for state in &shown {
            out.raw("<span>").append(&swatch(&state.colour)).text(&state.label).raw("</span> ");
        }
        out.raw("</p>\n");
        for kind in &KINDS {
            out.append(&picture(view, scheme, &shown, kind));
        }
        out.raw("</div>\n");
    }
    if hatched(view).contains(&true) {
        out.raw("<p class=\"soft\">").sentence(&view.words.say("trends.hatched", &[])).raw("</p>\n");
    }
    out
}

/// Per date, whether a lookback reaches before the data begin.
fn hatched(view: &View) -> Vec<bool> {
    let is_short = |date: &Day| view.period_row(*date).is_some_and(|row| row.history_complete == Some(false));
    view.dates.iter().map(is_short).collect()
}

fn picture(view: &View, scheme: &SchemeView, shown: &[&StateView], kind: &Kind) -> Markup {
    let periods: Vec<String> = view.dates.iter().map(|d| view.short_period(*d)).collect();
    let mut grid = Grid::new(view, &["column.state"]);
    periods.iter().for_each(|p| grid.head(p.clone()));
    let mut series = Vec::new();
    for state in shown {
        let mut line = vec![GridCell::state(&state.label, Some(&state.colour))];
        let mut values = Vec::new();
        for (date, name) in view.dates.iter().zip(&periods) {
            let row = view.segment(*date, &scheme.name, &state.name);
            line.push(row.map_or_else(GridCell::default, |r| (kind.cell)(&CellWriter::of(view, r.suppressed), r)));
            values.push(row.and_then(kind.value).map(|value| {
                let tip = format!("{name} · {}: {}", state.label, view.format.short(value, 0));
                (value, Mark { key: format!("{date} {}", state.name), value: Some(value), tip })
            }));
        }
        grid.row(line);
        series.push(Series { ink: Ink::State(state.colour.clone()), values, below: false });
    }
    // The best state stands on top, as in every list.
    series.reverse();
    let key = format!("trends.{}", kind.key);
    let title = view.words.fill(&key, &[("scheme", &scheme.label)]);
    let chart = ColumnChart { hatched: hatched(view), periods, series, tick: &|v| view.format.short(v, 0) };
    let mut out =
        figure(&format!("trend-{}-{}", kind.key, view.place_of(scheme)), &title, view.words.text("trends.description"), &chart);
    out.append(&behind(view, &title, &grid));
    out
}
