//! States at the last as-of date: sizes, money and definitions.

use super::affinity;
use super::figure::{behind, figure};
use super::grid::{CellWriter, Grid, GridCell};
use super::missing::missing;
use super::spread;
use crate::domain::{ALL, Decimal};
use crate::report::chart::{Bar, BarChart, Ink, Mark};
use crate::report::data::SegmentRow;
use crate::report::markup::Markup;
use crate::report::suppress::add_money;
use crate::report::view::{SchemeView, StateView, View};

/// Values of slices and dimensions that the page lists; the table `segments` has all.
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
        out.raw("<div class=\"block\">").element("h3", &scheme.label).raw("\n");
        out.append(&picture(view, scheme, &rows))
            .append(&meanings(view, scheme, &rows))
            .append(&full(view, scheme, &rows))
            .raw("</div>\n");
    }
    out.append(&spread::write(view)).append(&groups(view)).append(&affinity::write(view));
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
        (state.label.clone(), Ink::State(state.colour.clone()), vec![customers, revenue])
    });
    let names = vec![words.text("segments.customers").to_owned(), words.text("segments.revenue").to_owned()];
    let title = words.fill("segments.title", &[("scheme", &scheme.label)]);
    figure(
        &format!("segments-{}", view.place_of(scheme)),
        &title,
        words.text("segments.description"),
        &BarChart { rows: bars.collect(), names },
    )
}

/// What the states mean, with their customers.
fn meanings(view: &View, scheme: &SchemeView, rows: &[(&StateView, &SegmentRow)]) -> Markup {
    let has = |of: fn(&StateView) -> &String| rows.iter().any(|(state, _)| !of(state).is_empty());
    let (definitions, actions) = (has(|s| &s.definition), has(|s| &s.action));
    let mut keys = vec!["column.state"];
    keys.extend(definitions.then_some("column.definition"));
    keys.extend(["column.customers", "column.revenue", "column.annual_value"]);
    let service = ServiceColumns::of(view, scheme);
    keys.extend(service.keys());
    keys.extend(actions.then_some("column.action"));
    let mut grid = Grid::new(view, &keys);
    for (state, row) in rows {
        let cells = CellWriter::of(view, row.suppressed);
        let mut line = vec![GridCell::state(&state.label, Some(&state.colour))];
        line.extend(definitions.then(|| GridCell::text(&state.definition)));
        line.extend([cells.count(row.customers), cells.money(row.revenue), cells.money(row.annual_value)]);
        line.extend(service.cells(&cells, row));
        line.extend(actions.then(|| GridCell::text(&state.action)));
        grid.row(line);
    }
    grid.write(&view.words.fill("segments.meanings", &[("scheme", &scheme.label)]))
}

/// What serving customers cost, their margin before and after it, and how content they are, as far as any state of a scheme has that at
/// the last date.
struct ServiceColumns([bool; 4]);

impl ServiceColumns {
    fn of(view: &View, scheme: &SchemeView) -> ServiceColumns {
        let rows = view.data.segments.iter().flatten().filter(|r| Some(r.as_of) == view.last() && r.scheme == scheme.name);
        let has = rows.fold([false; 4], |has, row| {
            let [margin, cost, contribution] = [row.margin, row.cost_to_serve, row.contribution].map(|money| money.is_some());
            let own = [margin, cost, contribution, row.satisfaction.is_some()];
            std::array::from_fn(|at| has[at] || own[at])
        });
        ServiceColumns(has)
    }

    fn keys(&self) -> impl Iterator<Item = &'static str> + '_ {
        let keys = ["column.margin", "column.cost_to_serve", "column.contribution", "column.satisfaction"];
        keys.into_iter().zip(self.0).filter(|(_, has)| *has).map(|(key, _)| key)
    }

    fn cells(&self, cells: &CellWriter, row: &SegmentRow) -> Vec<GridCell> {
        let money = [row.margin, row.cost_to_serve, row.contribution].map(|money| cells.money(money));
        let all = money.into_iter().chain([cells.float(row.satisfaction, 2)]);
        all.zip(self.0).filter(|(_, has)| *has).map(|(cell, _)| cell).collect()
    }
}

/// Everything the table has.
fn full(view: &View, scheme: &SchemeView, rows: &[(&StateView, &SegmentRow)]) -> Markup {
    let says_risk = scheme.at_risk().next().is_some();
    let mut keys = vec![
        "column.state",
        "column.customers",
        "column.customer_share",
        "column.change",
        "column.orders",
        "column.revenue",
        "column.revenue_share",
        "column.avg_order_value",
        "column.repeat_customers",
        "column.annual_value",
    ];
    keys.extend(says_risk.then_some("column.revenue_at_risk"));
    let service = ServiceColumns::of(view, scheme);
    keys.extend(service.keys());
    keys.extend(["column.mean_recency_days", "column.mean_frequency", "column.mean_monetary"]);
    let mut grid = Grid::new(view, &keys);
    for (state, row) in rows {
        let cells = CellWriter::of(view, row.suppressed);
        let mut line = vec![
            GridCell::state(&state.label, Some(&state.colour)),
            cells.count(row.customers),
            cells.share(row.customer_share),
            cells.change(view.change_of_state(row)),
            cells.count(row.orders),
            cells.money(row.revenue),
            cells.share(row.revenue_share),
            cells.money(row.avg_order_value),
            cells.count(row.repeat_customers),
            cells.money(row.annual_value),
        ];
        line.extend(says_risk.then(|| if state.at_risk { cells.money(row.revenue_at_risk) } else { GridCell::default() }));
        line.extend(service.cells(&cells, row));
        line.extend([cells.float(row.mean_recency_days, 0), cells.float(row.mean_frequency, 2), cells.money(row.mean_monetary)]);
        grid.row(line);
    }
    behind(view, &view.words.fill("segments.title", &[("scheme", &scheme.label)]), &grid)
}

/// Slices and values of dimensions, summed over the states of the first scheme, and over those at risk of the scheme that says
/// who is.
fn groups(view: &View) -> Markup {
    let (Some(now), Some(scheme)) = (view.last(), view.schemes.first()) else { return Markup::new() };
    let mut names: Vec<Group> = Vec::new();
    for row in view.data.segments.iter().flatten().filter(|r| r.as_of == now && r.scheme == scheme.name) {
        let name = [row.slice.as_str(), &row.dimension, &row.dimension_value];
        // The rows of a group follow each other.
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    if names.len() < 2 {
        return Markup::new();
    }
    let sliced = view.slices.len() > 1;
    let risk = view.risk_scheme();
    let mut keys = if sliced { vec!["column.slice"] } else { Vec::new() };
    keys.extend(["column.dimension", "column.customers", "column.revenue"]);
    keys.extend(risk.iter().flat_map(|_| ["column.at_risk", "column.revenue_at_risk"]));
    keys.push("column.best");
    let mut grid = Grid::new(view, &keys);
    for group in names.iter().take(LISTED) {
        let all = GroupSums::new(view, group, scheme, |_| true);
        let best = GroupSums::new(view, group, scheme, |s| scheme.best().is_some_and(|b| b.name == s.name));
        let share = best.customers.zip(all.customers).filter(|(_, all)| *all > 0).map(|(best, all)| best as f64 / all as f64);
        let [slice, dimension, value] = *group;
        let name = if dimension == ALL { view.words.text("all_customers").to_owned() } else { format!("{dimension} = {value}") };
        let mut line = if sliced { vec![GridCell::text(slice)] } else { Vec::new() };
        let cells = CellWriter::of(view, all.is_suppressed);
        line.extend([GridCell::text(name), cells.count(all.customers), cells.money(all.revenue)]);
        if let Some(risk) = risk {
            let sums = GroupSums::new(view, group, risk, |s| s.at_risk);
            let cells = CellWriter::of(view, sums.is_suppressed);
            line.extend([cells.count(sums.customers), cells.money(sums.annual_value)]);
        }
        line.push(cells.share(share));
        grid.row(line);
    }
    let mut out = Markup::new();
    out.element("h3", view.words.text("segments.groups")).raw("\n").append(&grid.write(view.words.text("segments.groups")));
    let (listed, all) = (names.len().min(LISTED), names.len().max(view.data.groups.all));
    if listed < all {
        let values = [("shown", &*listed.to_string()), ("all", &*view.format.count(all as i64))];
        out.raw("<p class=\"soft\">").sentence(&view.words.say("segments.more_groups", &values)).raw("</p>\n");
    }
    out
}

/// A slice, a dimension and its value.
type Group<'a> = [&'a str; 3];

/// Sums over some states of a scheme in a group, at the last date.
struct GroupSums {
    customers: Option<i64>,
    revenue: Option<Decimal>,
    annual_value: Option<Decimal>,
    /// A sum over states would give suppressed ones away, so there is none if any of the scheme is.
    is_suppressed: bool,
}

impl GroupSums {
    fn new(view: &View, group: &Group, scheme: &SchemeView, includes: impl Fn(&StateView) -> bool) -> GroupSums {
        let rows: Vec<&SegmentRow> = (view.data.segments.iter().flatten())
            .filter(|r| Some(r.as_of) == view.last() && r.scheme == scheme.name)
            .filter(|r| [r.slice.as_str(), &r.dimension, &r.dimension_value] == *group)
            .collect();
        let is_suppressed = rows.iter().any(|r| r.suppressed);
        let included = || rows.iter().filter(|r| scheme.state(&r.state).is_some_and(&includes)).filter(|_| !is_suppressed);
        let money = |of: fn(&SegmentRow) -> Option<Decimal>| {
            let zero = rows.iter().find_map(|r| of(r)).map(|m| Decimal { digits: 0, ..m }).filter(|_| !is_suppressed);
            included().map(|r| of(r)).fold(zero, add_money)
        };
        GroupSums {
            customers: included().map(|r| r.customers).sum::<Option<i64>>().filter(|_| !is_suppressed),
            revenue: money(|r| r.revenue),
            annual_value: money(|r| r.annual_value),
            is_suppressed,
        }
    }
}

impl View<'_> {
    /// The place of a scheme, for ids.
    pub(super) fn place_of(&self, scheme: &SchemeView) -> usize {
        self.schemes.iter().position(|s| s.name == scheme.name).unwrap_or(0)
    }
}
