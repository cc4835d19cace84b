//! A chart with its caption, and the table behind it.

use super::grid::Grid;
use crate::report::chart::{Caption, Chart, Width, svg};
use crate::report::markup::Markup;
use crate::report::view::View;

/// A chart, drawn wide and narrow; the style sheet shows one of them.
pub(super) fn figure(id: &str, title: &str, description: &str, chart: &dyn Chart) -> Markup {
    let caption = Caption { id: id.to_owned(), title: title.to_owned(), description: description.to_owned() };
    let mut out = Markup::new();
    out.raw("<figure><figcaption>").element("strong", title).text(" ").text(description).raw("</figcaption>\n");
    // A wide chart scrolls sideways in a box that keys can reach.
    out.begin("div").attr("class", "scroll").attr("role", "group").attr("tabindex", "0").attr("aria-label", title).end();
    out.append(&svg(chart, &caption, Width::Wide)).append(&svg(chart, &caption, Width::Narrow));
    out.raw("</div></figure>\n");
    out
}

/// A chart that needs no more room than a phone has, on every screen.
pub(super) fn compact_figure(id: &str, title: &str, description: &str, chart: &dyn Chart) -> Markup {
    let caption = Caption { id: id.to_owned(), title: title.to_owned(), description: description.to_owned() };
    let mut out = Markup::new();
    out.raw("<figure class=\"compact\"><figcaption>").element("strong", title).text(" ").text(description).raw("</figcaption>\n");
    out.append(&svg(chart, &caption, Width::Compact)).raw("</figure>\n");
    out
}

/// The table behind a chart, folded away.
pub(super) fn behind(view: &View, title: &str, grid: &Grid) -> Markup {
    let mut out = Markup::new();
    out.raw("<details><summary>").text(&view.words.fill("table_of", &[("title", title)])).raw("</summary>\n");
    out.append(&grid.write(title)).raw("</details>\n");
    out
}
