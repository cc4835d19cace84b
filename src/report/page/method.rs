//! How the numbers came about: settings of the job, words, cut points.

use super::grid::{CellWriter, Grid, GridCell};
use super::missing::missing;
use crate::domain::Lookback;
use crate::report::at_cut::cuts;
use crate::report::data::CutPointRow;
use crate::report::language::Sentence;
use crate::report::markup::Markup;
use crate::report::view::View;

/// The section.
pub(super) fn write(view: &View) -> Markup {
    let mut out = Markup::new();
    out.raw("<ul>\n");
    for sentence in sentences(view) {
        out.raw("<li>").sentence(&sentence).raw("</li>\n");
    }
    out.raw("</ul>\n").element("h3", view.words.text("method.cutpoints")).raw("\n");
    out.append(&cut_points(view));
    out
}

/// The method in sentences, from the job as it ran.
pub(super) fn sentences(view: &View) -> Vec<Sentence> {
    let words = &view.words;
    let setting = |section: &str, key: &str| {
        let value = view.data.run.job.get(section)?.get(key)?;
        value.as_str().map(str::to_owned).or_else(|| value.is_number().then(|| value.to_string()))
    };
    let mut out = Vec::new();
    if let Some(lookback) = setting("score", "lookback") {
        let key = if lookback == "all" { "method.lookback_all" } else { "method.lookback" };
        let lookback = match Lookback::parse(&lookback) {
            Ok(Lookback::Days(days)) => words.fill("method.days", &[("n", &days.to_string())]),
            Ok(Lookback::Months(months)) => words.fill("method.months", &[("n", &months.to_string())]),
            Ok(Lookback::All) | Err(_) => lookback,
        };
        out.push(words.say(key, &[("lookback", &lookback)]));
    }
    if let Some(monetary) = setting("orders", "monetary") {
        out.push(words.say(if monetary == "gross" { "method.gross" } else { "method.net" }, &[]));
    }
    if let Some(bins) = setting("score", "bins") {
        let method = setting("score", "method").unwrap_or_default();
        out.push(words.say("method.score", &[("bins", &bins), ("method", &view.name("score_method", &method))]));
    }
    if let Some(zone) = setting("orders", "timezone") {
        out.push(words.say("method.timezone", &[("zone", &zone)]));
    }
    out.push(words.say("method.annual_value", &[]));
    if view.data.segments.iter().flatten().any(|row| row.cost_to_serve.is_some()) {
        out.push(words.say("method.cost_to_serve", &[]));
    }
    if view.data.segments.iter().flatten().any(|row| row.satisfaction.is_some()) {
        out.push(words.say("method.satisfaction", &[]));
    }
    if let Some(scheme) = view.risk_scheme() {
        let names: Vec<String> = scheme.at_risk().map(|s| s.label.clone()).collect();
        out.push(words.say("method.at_risk", &[("states", &view.list(&names)), ("scheme", &scheme.label)]));
    }
    if view.data.transitions.is_some() {
        out.push(words.say("method.rates", &[]));
    }
    if view.data.moves.is_some() {
        out.push(words.say("method.reason", &[]));
    }
    if view.says_first_seen() {
        out.push(words.say("method.first_seen", &[]));
    }
    if view.data.growth.is_some() {
        out.push(words.say("method.growth", &[]));
    }
    if view.data.effects.is_some() {
        out.extend(["method.effects", "method.adjusted", "method.verdicts"].map(|key| words.say(key, &[])));
    }
    if !cuts(view.data).is_empty() {
        out.push(words.say("method.at_cut", &[]));
    }
    out.push(words.say("method.tasks", &[]));
    if view.data.settings.min_group > 1 {
        out.push(words.say("method.suppressed", &[("n", &view.data.settings.min_group.to_string())]));
    } else if view.data.settings.hides() {
        out.push(words.say("method.suppressed_by_dimension", &[("n", &view.data.settings.min_dimension_group.to_string())]));
    }
    out
}

fn cut_points(view: &View) -> Markup {
    let Some(all) = &view.data.cutpoints else { return missing(view, "cutpoints") };
    let rows = all.iter().filter(|r| Some(r.as_of) == view.last() && r.slice == view.slice);
    let mut out = Markup::new();
    let mut grid =
        Grid::new(view, &["column.axis", "column.bin", "column.from", "column.to", "column.exact", "column.customers"]);
    for row in rows {
        let cells = CellWriter::of(view, row.suppressed);
        grid.row(vec![
            GridCell::text(view.name("axis", &row.axis)),
            cells.count(row.bin),
            cells.float(row.lower, 2),
            cells.float(row.upper, 2),
            GridCell::text(bounds(row)),
            cells.count(row.customers),
        ]);
    }
    if grid.is_empty() {
        out.raw("<p class=\"soft\">").text(view.words.text("method.no_cutpoints")).raw("</p>\n");
        return out;
    }
    out.raw("<p>")
        .text(view.words.text("method.cutpoints_description"))
        .raw("</p>\n")
        .append(&grid.write(view.words.text("method.cutpoints")));
    out
}

/// The exact bounds of a bin: `30/1 < x ≤ 60/1`.
fn bounds(row: &CutPointRow) -> String {
    let left = row.closed.as_deref() == Some("left");
    let (from, to) = if left { ("≤", "<") } else { ("<", "≤") };
    match (&row.lower_exact, &row.upper_exact) {
        (Some(lower), Some(upper)) => format!("{lower} {from} x {to} {upper}"),
        (Some(lower), None) => format!("x {} {lower}", if left { "≥" } else { ">" }),
        (None, Some(upper)) => format!("x {to} {upper}"),
        (None, None) => String::new(),
    }
}
