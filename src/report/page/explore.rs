//! States at any date, in any slice and group: a table that the script of the page fills anew when something else is chosen.

use serde_json::{Value as Json, json};

use super::grid::{CellWriter, Grid, GridCell};
use crate::domain::{ALL, Day, Decimal};
use crate::report::data::SegmentRow;
use crate::report::escape::plain;
use crate::report::markup::Markup;
use crate::report::view::View;

/// Rows that the page carries; the table `segments` has all.
const MOST_ROWS: usize = 12_000;

/// The section.
pub(super) fn write(view: &View) -> Markup {
    let Some(choice) = Choice::new(view) else { return super::missing::missing(view, "segments") };
    let words = &view.words;
    let mut out = Markup::new();
    out.raw("<p class=\"soft\">").text(words.text("explore.description")).raw("</p>\n");
    // Without a script there is nothing to choose, and the table shows the last date.
    out.raw("<form id=\"explore-choice\" class=\"choice\" hidden>\n");
    let slices: Vec<String> = choice.slices.iter().map(|slice| (*slice).to_owned()).collect();
    let groups = choice.groups.iter().map(|(dimension, value)| group_label(view, dimension, value)).collect();
    let schemes = view.schemes.iter().map(|scheme| scheme.label.clone()).collect();
    let dates = choice.dates.iter().map(|day| view.period(*day)).collect();
    let lists = [
        ("date", "explore.date", dates),
        ("slice", "explore.slice", slices),
        ("group", "explore.group", groups),
        ("scheme", "explore.scheme", schemes),
    ];
    for (name, label, options) in lists {
        out.append(&select(view, name, label, &options));
    }
    out.raw("</form>\n<div id=\"explore-table\">\n").append(&table(view, &choice)).raw("</div>\n");
    out.raw("<p id=\"explore-none\" class=\"soft\" role=\"status\" hidden>").text(words.text("explore.none")).raw("</p>\n");
    if choice.is_cut {
        out.raw("<p class=\"soft\">").text(words.text("explore.cut")).raw("</p>\n");
    }
    out.raw("<script type=\"application/json\" id=\"explore-data\">").json(&choice.json(view)).raw("</script>\n");
    out
}

fn group_label(view: &View, dimension: &str, value: &str) -> String {
    if dimension == ALL { view.words.text("all_customers").to_owned() } else { format!("{dimension} = {value}") }
}

/// A list to choose from; not shown if there is one choice.
fn select(view: &View, name: &str, label: &str, options: &[String]) -> Markup {
    let mut out = Markup::new();
    out.raw(if options.len() > 1 { "<label>" } else { "<label hidden>" });
    out.text(view.words.text(label)).text(" ").begin("select").attr("name", name).end();
    for (number, option) in options.iter().enumerate() {
        out.begin("option").attr("value", &number.to_string()).end().text(option).raw("</option>");
    }
    out.raw("</select></label>\n");
    out
}

/// What can be chosen.
struct Choice<'a> {
    /// The newest first.
    dates: Vec<Day>,
    slices: Vec<&'a str>,
    /// Everybody first.
    groups: Vec<(&'a str, &'a str)>,
    rows: Vec<&'a SegmentRow>,
    /// Whether rows were left out.
    is_cut: bool,
}

impl<'a> Choice<'a> {
    /// The newest rows, those of whole slices before those of groups, as many as the page carries; `None` without any.
    fn new(view: &View<'a>) -> Option<Choice<'a>> {
        let data = view.data;
        let shown = |row: &&'a SegmentRow| view.dates.contains(&row.as_of) && view.scheme(&row.scheme).is_some();
        let mut rows: Vec<&SegmentRow> = data.segments.iter().flatten().filter(shown).collect();
        rows.sort_by_key(|row| (row.dimension != ALL, std::cmp::Reverse(row.as_of)));
        let all = rows.len();
        if all > MOST_ROWS {
            // A date of a group is there whole or not at all.
            let end = rows.get(MOST_ROWS).map(|row| (row.dimension != ALL, row.as_of));
            let whole = rows.iter().position(|row| Some((row.dimension != ALL, row.as_of)) == end).filter(|whole| *whole > 0);
            rows.truncate(whole.unwrap_or(MOST_ROWS));
        }
        let groups = distinct(rows.iter().map(|row| (row.dimension.as_str(), row.dimension_value.as_str())));
        let slices = view.data.segments.iter().flatten().map(|row| row.slice.as_str());
        let slices = view.slices.iter().filter_map(|slice| slices.clone().find(|known| known == slice)).collect();
        let dates = view.dates.iter().rev().filter(|day| rows.iter().any(|row| row.as_of == **day)).copied().collect();
        (all > 0).then_some(Choice { dates, slices, groups, is_cut: rows.len() < all, rows })
    }

    /// What the script reads: numbers of date, slice, group, scheme and state, and what the table shows of them.
    fn json(&self, view: &View) -> Json {
        let place = |of: Option<usize>| of.map_or(Json::Null, Json::from);
        let money = |money: Option<Decimal>| money.map_or(Json::Null, |money| json!(money.to_f64()));
        let share = |share: Option<f64>| share.map_or(Json::Null, |share| json!((share * 1e5).round() / 1e5));
        let rows = self.rows.iter().filter_map(|row| {
            let scheme = view.schemes.iter().position(|scheme| scheme.name == row.scheme)?;
            let state = view.schemes[scheme].states.iter().position(|state| state.name == row.state)?;
            Some(json!([
                self.dates.iter().position(|day| *day == row.as_of)?,
                self.slices.iter().position(|slice| *slice == row.slice)?,
                self.groups.iter().position(|group| *group == (row.dimension.as_str(), row.dimension_value.as_str()))?,
                scheme,
                state,
                row.customers,
                share(row.customer_share),
                money(row.revenue),
                share(row.revenue_share),
                money(row.avg_order_value),
                money(row.annual_value),
            ]))
        });
        let before = self.dates.iter().map(|day| place(view.before(*day).and_then(|b| self.dates.iter().position(|d| *d == b))));
        let states = view.schemes.iter().map(|scheme| {
            scheme.states.iter().map(|state| json!([plain(&state.label), state.colour.as_str()])).collect::<Vec<_>>()
        });
        json!({
            "before": before.collect::<Vec<_>>(),
            "states": states.collect::<Vec<_>>(),
            "rows": rows.collect::<Vec<_>>(),
            "format": view.format.parts(),
            "hidden": view.words.text("suppressed"),
        })
    }
}

fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut out: Vec<T> = Vec::new();
    for item in items {
        if !out.contains(&item) {
            out.push(item);
        }
    }
    out
}

/// The table of the first choice: everybody in the largest slice at the last date, by the first scheme.
fn table(view: &View, choice: &Choice<'_>) -> Markup {
    let keys = [
        "column.state",
        "column.customers",
        "column.customer_share",
        "column.change",
        "column.revenue",
        "column.revenue_share",
        "column.avg_order_value",
        "column.annual_value",
    ];
    let mut grid = Grid::new(view, &keys);
    let (Some(date), Some(scheme)) = (choice.dates.first(), view.schemes.first()) else { return Markup::new() };
    for state in &scheme.states {
        let Some(row) = view.segment(*date, &scheme.name, &state.name) else { continue };
        let cells = CellWriter::of(view, row.suppressed);
        grid.row(vec![
            GridCell::state(&state.label, Some(&state.colour)),
            cells.count(row.customers),
            cells.share(row.customer_share),
            cells.change(view.change_of_state(row)),
            cells.money(row.revenue),
            cells.share(row.revenue_share),
            cells.money(row.avg_order_value),
            cells.money(row.annual_value),
        ]);
    }
    grid.write(view.words.text("section.explore"))
}
