//! Who went where between the last two dates, and why.

use super::figure::{behind, figure};
use super::grid::{CellWriter, Grid, GridCell};
use super::missing::missing;
use crate::report::chart::{FlowChart, HeatCell, HeatMap, Ink, Link, Mark, Node};
use crate::report::data::TransitionRow;
use crate::report::markup::Markup;
use crate::report::view::{SchemeView, StateView, View};

/// The section.
pub(super) fn write(view: &View) -> Markup {
    if view.data.transitions.is_none() {
        return missing(view, "transitions");
    }
    let mut out = Markup::new();
    for scheme in &view.schemes {
        let Some(now) = view.last() else { continue };
        let rows = view.transitions(now, &scheme.name);
        let Some(from) = view.compared(now, &scheme.name) else { continue };
        let dates = [view.period(from), view.period(now)];
        out.raw("<div class=\"block\">").element("h3", &scheme.label).raw("\n");
        out.append(&reasons(view, scheme, &dates));
        out.append(&flows(view, scheme, &rows, &dates)).append(&matrix(view, scheme, &rows, &dates));
        out.append(&table(view, scheme, &rows)).raw("</div>\n");
    }
    if out.is_empty() {
        out.raw("<p class=\"soft\">").text(view.words.text("movement.one_date")).raw("</p>\n");
    }
    out
}

/// States that occur on a side.
fn side<'a>(scheme: &'a SchemeView, rows: &[&TransitionRow], of: fn(&TransitionRow) -> &str) -> Vec<&'a StateView> {
    scheme.states.iter().filter(|s| rows.iter().any(|r| of(r) == s.name)).collect()
}

fn flows(view: &View, scheme: &SchemeView, rows: &[&TransitionRow], dates: &[String; 2]) -> Markup {
    let ends = [view.last().and_then(|now| view.compared(now, &scheme.name)), view.last()];
    let sides = [side(scheme, rows, |r| &r.from_state), side(scheme, rows, |r| &r.to_state)];
    let node = |state: &StateView, side: usize| {
        let of_state = rows.iter().filter(|r| [&r.from_state, &r.to_state][side] == &state.name);
        let n = match ends[side].and_then(|date| view.segment(date, &scheme.name, &state.name)) {
            Some(row) => row.customers,
            None => of_state.map(|r| r.customers).sum(),
        };
        let text = n.map_or("·".into(), |n| view.format.short(n as f64, 0));
        let shown = n.map_or(view.words.text("suppressed").to_owned(), |n| view.format.count(n));
        let label = view.side_label(&scheme.name, &state.name, side == 0);
        let tip = format!("{label}: {shown}");
        let mark = Mark { key: state.name.clone(), value: n.map(|n| n as f64), tip };
        Node { label, ink: Ink::State(state.colour.clone()), text, mark }
    };
    let links = rows.iter().filter_map(|r| {
        let place = |states: &[&StateView], name: &str| states.iter().position(|s| s.name == name);
        let n = r.customers?;
        let (from, to) = (place(&sides[0], &r.from_state)?, place(&sides[1], &r.to_state)?);
        let tip = format!("{}: {}", step(view, scheme, sides[0][from], sides[1][to]), view.format.count(n));
        let key = format!("{} > {}", r.from_state, r.to_state);
        Some(Link { from, to, value: n as f64, mark: Mark { key, value: Some(n as f64), tip } })
    });
    let links = links.collect();
    let nodes = [sides[0].iter().map(|s| node(s, 0)).collect(), sides[1].iter().map(|s| node(s, 1)).collect()];
    let values = [("scheme", &*scheme.label), ("before", &*dates[0]), ("now", &*dates[1])];
    let title = view.words.fill("movement.flows", &values);
    let chart = FlowChart { sides: dates.clone(), nodes, links };
    figure(&format!("flows-{}", view.place_of(scheme)), &title, view.words.text("movement.flows_description"), &chart)
}

/// A step from a state to a state, as tips call it.
fn step(view: &View, scheme: &SchemeView, from: &StateView, to: &StateView) -> String {
    let [from, to] = [(from, true), (to, false)].map(|(state, is_before)| view.side_label(&scheme.name, &state.name, is_before));
    format!("{from} → {to}")
}

fn matrix(view: &View, scheme: &SchemeView, rows: &[&TransitionRow], dates: &[String; 2]) -> Markup {
    let sides = [side(scheme, rows, |r| &r.from_state), side(scheme, rows, |r| &r.to_state)];
    let cell = |from: &StateView, to: &StateView| {
        let row = rows.iter().find(|r| r.from_state == from.name && r.to_state == to.name)?;
        let text = match row.rate {
            Some(rate) if rate > 0.0 && rate < 0.005 => view.format.percent(rate, 1),
            Some(rate) => view.format.percent(rate, 0),
            None => "·".into(),
        };
        let n = row.customers.map_or(view.words.text("suppressed").to_owned(), |n| view.format.count(n));
        let tip = format!("{}: {text} · {n}", step(view, scheme, from, to));
        let key = format!("{} > {}", from.name, to.name);
        let short = text.trim_end_matches('%').to_owned();
        Some(HeatCell { strength: row.rate.unwrap_or(0.0), text, short, mark: Mark { key, value: row.rate, tip } })
    };
    // Only states of the ladder have a number.
    let number = |state: &StateView| {
        let place = scheme.states.iter().position(|s| s.name == state.name).filter(|_| state.ranked);
        place.map_or_else(|| "–".to_owned(), |place| (place + 1).to_string())
    };
    let name = |state: &StateView, is_before: bool| {
        let label = view.side_label(&scheme.name, &state.name, is_before);
        if state.ranked { format!("{} {label}", number(state)) } else { label }
    };
    let chart = HeatMap {
        row_title: view.words.fill("movement.rows", &[("before", &dates[0])]),
        column_title: view.words.fill("movement.columns", &[("now", &dates[1])]),
        rows: sides[0].iter().map(|s| (name(s, true), Some(Ink::State(s.colour.clone())))).collect(),
        columns: sides[1].iter().map(|s| (name(s, false), number(s))).collect(),
        cells: sides[0].iter().map(|from| sides[1].iter().map(|to| cell(from, to)).collect()).collect(),
    };
    let title = view.words.fill("movement.matrix", &[("scheme", &scheme.label)]);
    figure(&format!("matrix-{}", view.place_of(scheme)), &title, view.words.text("movement.matrix_description"), &chart)
}

fn table(view: &View, scheme: &SchemeView, rows: &[&TransitionRow]) -> Markup {
    let mut grid = Grid::new(
        view,
        &[
            "column.from_state",
            "column.to_state",
            "column.customers",
            "column.rate",
            "column.rate_interval",
            "column.transition_revenue",
        ],
    );
    let colour = |name: &str| scheme.state(name).map(|s| &s.colour);
    for row in rows {
        let cells = CellWriter::of(view, row.suppressed);
        let ends = row.rate_low.zip(row.rate_high).map(|(low, high)| {
            let write = |x| view.format.percent(x, 1);
            view.words.fill("interval", &[("low", &write(low)), ("high", &write(high))])
        });
        grid.row(vec![
            GridCell::state(view.side_label(&scheme.name, &row.from_state, true), colour(&row.from_state)),
            GridCell::state(view.side_label(&scheme.name, &row.to_state, false), colour(&row.to_state)),
            cells.count(row.customers),
            cells.share(row.rate),
            GridCell::text(ends.unwrap_or_default()),
            cells.money(row.revenue),
        ]);
    }
    behind(view, &view.words.fill("movement.matrix", &[("scheme", &scheme.label)]), &grid)
}

/// Who left each state, by reason.
fn reasons(view: &View, scheme: &SchemeView, dates: &[String; 2]) -> Markup {
    let from = view.last().and_then(|now| view.compared(now, &scheme.name));
    let rows = view.data.moves.iter().flatten().filter(|r| {
        Some(r.as_of) == view.last() && Some(r.from_as_of) == from && r.slice == view.slice && r.scheme == scheme.name
    });
    let rows: Vec<_> = rows.collect();
    let mut out = Markup::new();
    if rows.is_empty() {
        return out;
    }
    let mut grid = Grid::new(view, &["column.left_state", "column.left", "column.behaviour", "column.cut_points"]);
    for state in scheme.states.iter().filter(|s| rows.iter().any(|r| r.from_state == s.name)) {
        let left: Vec<_> = rows.iter().filter(|r| r.from_state == state.name).collect();
        let suppressed = left.iter().any(|r| r.suppressed);
        let sum = |of: &dyn Fn(Option<&str>) -> bool| {
            let counts = left.iter().filter(|r| of(r.reason.as_deref())).map(|r| r.customers);
            counts.sum::<Option<i64>>()
        };
        let cells = CellWriter::of(view, suppressed);
        grid.row(vec![
            GridCell::state(&state.label, Some(&state.colour)),
            cells.count(sum(&|_| true)),
            cells.count(sum(&|r| r == Some("behaviour"))),
            cells.count(sum(&|r| r == Some("cut_points"))),
        ]);
    }
    let values = [("before", &*dates[0]), ("now", &*dates[1])];
    let title = view.words.fill("movement.reasons", &values);
    out.element("h4", &title).raw("\n<p class=\"soft\">");
    out.text(view.words.text("movement.reasons_description")).raw("</p>\n").append(&grid.write(&title));
    out
}
