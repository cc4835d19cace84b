//! How customers spread over recency, frequency and revenue: the bins of the scores, which a mean does not show.

use super::figure::compact_figure;
use crate::report::chart::{Bar, BarChart, Ink, Mark};
use crate::report::data::CutPointRow;
use crate::report::markup::Markup;
use crate::report::view::View;

/// The axes that are drawn; bounds of levels have rows of their own.
const AXES: [&str; 3] = ["recency_days", "frequency", "monetary"];

/// A chart per axis; nothing if there are no cut points.
pub(super) fn write(view: &View) -> Markup {
    let of_last = |row: &&CutPointRow| Some(row.as_of) == view.last() && row.slice == view.slice;
    let rows: Vec<&CutPointRow> = view.data.cutpoints.iter().flatten().filter(of_last).collect();
    let mut pictures = Markup::new();
    for (number, axis) in AXES.into_iter().enumerate() {
        let bins: Vec<&CutPointRow> = rows.iter().filter(|row| row.axis == axis).copied().collect();
        let all: i64 = bins.iter().filter_map(|row| row.customers).sum();
        if bins.len() > 1 && all > 0 {
            pictures.append(&picture(view, number, axis, &bins, all));
        }
    }
    let mut out = Markup::new();
    if !pictures.is_empty() {
        out.element("h3", view.words.text("spread.title")).raw("\n<p class=\"soft\">");
        out.text(view.words.text("spread.description")).raw("</p>\n<div class=\"row\">\n").append(&pictures).raw("</div>\n");
    }
    out
}

fn picture(view: &View, number: usize, axis: &str, bins: &[&CutPointRow], all: i64) -> Markup {
    let (words, format) = (&view.words, &view.format);
    let bars = bins.iter().map(|row| {
        let label = bounds(view, axis, row);
        let share = row.customers.map(|customers| customers as f64 / all as f64);
        let text = match (share, row.customers) {
            (Some(share), Some(customers)) => format!("{} · {}", format.percent(share, 1), format.count(customers)),
            _ => words.text("suppressed").to_owned(),
        };
        let value = row.customers.map(|customers| customers as f64);
        let mark = Mark { key: format!("{axis} {}", row.bin.unwrap_or_default()), value, tip: format!("{label}: {text}") };
        (label, Ink::Class("d1"), vec![Bar { value: share, text, mark }])
    });
    let chart = BarChart { rows: bars.collect(), names: vec![words.text("segments.customers").to_owned()] };
    compact_figure(&format!("spread-{number}"), &view.name("axis", axis), &middle(view, axis, bins, all), &chart)
}

/// Between which bounds the middle customer stands.
fn middle(view: &View, axis: &str, bins: &[&CutPointRow], all: i64) -> String {
    let mut counted = 0;
    let reached = bins.iter().find(|row| {
        counted += row.customers.unwrap_or(0);
        2 * counted >= all
    });
    let Some(row) = reached.filter(|_| bins.iter().all(|row| row.customers.is_some())) else { return String::new() };
    view.words.fill("spread.middle", &[("bounds", &bounds(view, axis, row))])
}

/// The bounds of a bin.
fn bounds(view: &View, axis: &str, row: &CutPointRow) -> String {
    let write = |bound: f64| match axis {
        "monetary" => view.format.float_money(bound, 2),
        _ => view.format.float(bound, if bound.fract() == 0.0 { 0 } else { 2 }),
    };
    let is_left = row.closed.as_deref() == Some("left");
    let lower = row.lower.map(|bound| format!("{} {}", if is_left { "≥" } else { ">" }, write(bound)));
    let upper = row.upper.map(|bound| format!("{} {}", if is_left { "<" } else { "≤" }, write(bound)));
    match (lower, upper) {
        (Some(lower), Some(upper)) => format!("{lower}, {upper}"),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => view.words.text("all_customers").to_owned(),
    }
}
