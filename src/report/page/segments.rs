//! States at the last as-of date: sizes, money and definitions.

use super::figure::{behind, figure};
use super::grid::{CellWriter, Grid, GridCell};
use super::missing::missing;
use crate::domain::ALL;
use crate::report::chart::{Bar, BarChart, Ink, Mark};
use crate::report::data::SegmentRow;
use crate::report::markup::Markup;
use crate::report::view::{SchemeView, StateView, View};

/// Values of slices and dimensions that the page lists; `report.json` has all.
const LISTED: usize = 60;

/// The section.
pub(super) fn write(view: &View) -> Markup {
    let (Some(now), Some(_)) = (view.last(), &view.data.segments) else { return missing(view, "segments") };
    let mut out = Markup::new();
    for scheme in &view.schemes {
        let rows: Vec<(&StateView, &SegmentRow)> =
            scheme.states.iter().filter_map(|s| Some((s, view.segment(now, &scheme.name, &s.name)?))).collect();
        if rows.is_empty() {
            continue;
        }
        out.element("h3", &scheme.label).raw("\n");
        out.append(&picture(view, scheme, &rows)).append(&meanings(view, &rows)).append(&full(view, scheme, &rows));
    }
    out.append(&groups(view));
    out
}

fn picture(view: &View, scheme: &SchemeView, rows: &[(&StateView, &SegmentRow)]) -> Markup {
    let (words, format) = (&view.words, &view.format);
    let bars = rows.iter().map(|(state, row)| {
        let bar = |share: Option<f64>, amount: String, what: &str| {
            let text = match share {
                Some(share) => format!("{} · {amount}", format.percent(share, 1)),
                None if row.suppressed => words.text("suppressed").to_owned(),
                None => amount.clone(),
            };
            let tip = format!("{}: {text}", state.label);
            Bar { value: share, text, mark: Mark { key: format!("{} {what}", state.name), value: share, tip } }
        };
        let customers = bar(row.customer_share, format.maybe_count(row.customers), "customers");
        let revenue = bar(row.revenue_share, row.revenue.map(|m| format.money_short(m)).unwrap_or_default(), "revenue");
        (state.label.clone(), Ink::State(state.colour.clone()), [customers, revenue])
    });
    let names = [words.text("segments.customers").to_owned(), words.text("segments.revenue").to_owned()];
    let title = words.fill("segments.title", &[("scheme", &scheme.label)]);
    figure(
        &format!("segments-{}", view.place_of(scheme)),
        &title,
        words.text("segments.description"),
        &BarChart { rows: bars.collect(), names },
    )
}

/// What the states mean, with their customers.
fn meanings(view: &View, rows: &[(&StateView, &SegmentRow)]) -> Markup {
    let has = |of: fn(&StateView) -> &String| rows.iter().any(|(state, _)| !of(state).is_empty());
    let (definitions, actions) = (has(|s| &s.definition), has(|s| &s.action));
    let mut keys = vec!["column.state"];
    keys.extend(definitions.then_some("column.definition"));
    keys.extend(["column.customers", "column.revenue", "column.revenue_at_risk"]);
    keys.extend(actions.then_some("column.action"));
    let mut grid = Grid::new(view, &keys);
    for (state, row) in rows {
        let cells = CellWriter::of(view, row.suppressed);
        let mut line = vec![GridCell::state(&state.label, Some(&state.colour))];
        line.extend(definitions.then(|| GridCell::text(&state.definition)));
        line.extend([cells.count(row.customers), cells.money(row.revenue), cells.money(row.revenue_at_risk)]);
        line.extend(actions.then(|| GridCell::text(&state.action)));
        grid.row(line);
    }
    grid.write()
}

/// Everything the table has.
fn full(view: &View, scheme: &SchemeView, rows: &[(&StateView, &SegmentRow)]) -> Markup {
    let mut grid = Grid::new(
        view,
        &[
            "column.state",
            "column.customers",
            "column.customer_share",
            "column.change",
            "column.orders",
            "column.revenue",
            "column.revenue_share",
            "column.avg_order_value",
            "column.repeat_customers",
            "column.revenue_at_risk",
            "column.mean_recency_days",
            "column.mean_frequency",
            "column.mean_monetary",
        ],
    );
    let before = view.last().and_then(|d| view.before(d));
    for (state, row) in rows {
        let cells = CellWriter::of(view, row.suppressed);
        let was = before.map(|d| view.segment(d, &scheme.name, &state.name).map_or(Some(0), |r| r.customers));
        let change = row.customers.zip(was.flatten()).map(|(now, was)| now - was);
        grid.row(vec![
            GridCell::state(&state.label, Some(&state.colour)),
            cells.count(row.customers),
            cells.share(row.customer_share),
            change.map_or_else(GridCell::default, |n| {
                GridCell::number(view.format.change(n as f64, |x| view.format.count(x as i64)), n as f64)
            }),
            cells.count(row.orders),
            cells.money(row.revenue),
            cells.share(row.revenue_share),
            cells.money(row.avg_order_value),
            cells.count(row.repeat_customers),
            cells.money(row.revenue_at_risk),
            cells.float(row.mean_recency_days, 0),
            cells.float(row.mean_frequency, 2),
            cells.money(row.mean_monetary),
        ]);
    }
    behind(view, &view.words.fill("segments.title", &[("scheme", &scheme.label)]), &grid)
}

/// Slices and values of dimensions, summed over the states of the first scheme.
fn groups(view: &View) -> Markup {
    let (Some(now), Some(scheme)) = (view.last(), view.schemes.first()) else { return Markup::new() };
    let mut names: Vec<[&str; 3]> = Vec::new();
    for row in view.data.segments.iter().flatten().filter(|r| r.as_of == now && r.scheme == scheme.name) {
        let name = [row.slice.as_str(), &row.dimension, &row.dimension_value];
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() < 2 {
        return Markup::new();
    }
    let sliced = view.slices.len() > 1;
    let mut keys = if sliced { vec!["column.slice"] } else { Vec::new() };
    keys.extend([
        "column.dimension",
        "column.customers",
        "column.revenue",
        "column.at_risk",
        "column.revenue_at_risk",
        "column.best",
    ]);
    let mut grid = Grid::new(view, &keys);
    for [slice, dimension, value] in names.iter().take(LISTED).copied() {
        let rows: Vec<&SegmentRow> = (view.data.segments.iter().flatten())
            .filter(|r| r.as_of == now && r.scheme == scheme.name)
            .filter(|r| [r.slice.as_str(), &r.dimension, &r.dimension_value] == [slice, dimension, value])
            .collect();
        // A sum over states would give the suppressed ones away.
        let suppressed = rows.iter().any(|r| r.suppressed);
        let cells = CellWriter::of(view, suppressed);
        let in_states = |of: &dyn Fn(&StateView) -> bool| {
            let rows = rows.iter().filter(|r| scheme.state(&r.state).is_some_and(of));
            rows.copied().collect::<Vec<_>>()
        };
        let count = |rows: &[&SegmentRow]| rows.iter().map(|r| r.customers).sum::<Option<i64>>().filter(|_| !suppressed);
        let money = |rows: &[&SegmentRow], of: fn(&SegmentRow) -> Option<crate::domain::Decimal>| {
            let mut amounts = rows.iter().map(|r| of(r));
            let first = amounts.next().flatten();
            amounts.fold(first, crate::report::suppress::add_money).filter(|_| !suppressed)
        };
        let at_risk = in_states(&|s| s.at_risk);
        let best = in_states(&|s| scheme.best().is_some_and(|b| b.name == s.name));
        let share = count(&best).zip(count(&rows)).filter(|(_, all)| *all > 0).map(|(best, all)| best as f64 / all as f64);
        let name = if dimension == ALL { view.words.text("all_customers").to_owned() } else { format!("{dimension} = {value}") };
        let mut line = if sliced { vec![GridCell::text(slice)] } else { Vec::new() };
        line.extend([
            GridCell::text(name),
            cells.count(count(&rows)),
            cells.money(money(&rows, |r| r.revenue)),
            cells.count(count(&at_risk)),
            cells.money(money(&at_risk, |r| r.revenue_at_risk)),
            cells.share(share),
        ]);
        grid.row(line);
    }
    let mut out = Markup::new();
    out.element("h3", view.words.text("segments.groups")).raw("\n").append(&grid.write());
    if names.len() > LISTED {
        let values = [("shown", &*LISTED.to_string()), ("all", &*view.format.count(names.len() as i64))];
        out.raw("<p class=\"soft\">").sentence(&view.words.say("segments.more_groups", &values)).raw("</p>\n");
    }
    out
}

impl View<'_> {
    /// The place of a scheme, for ids.
    pub(super) fn place_of(&self, scheme: &SchemeView) -> usize {
        self.schemes.iter().position(|s| s.name == scheme.name).unwrap_or(0)
    }
}
