//! Verdicts by shape and colour, so that they can be told apart by eyes that see few colours, and on paper.

use crate::report::markup::Markup;
use crate::report::view::View;

/// The class and the path of a verdict's shape, in a square of 14 units.
fn shape(verdict: &str) -> (&'static str, &'static str) {
    match verdict {
        // Upwards, a disc, a square, a diamond, a ring.
        "scale" => ("shape scale", "M7,1L13,13H1Z"),
        "keep" => ("shape keep", "M7,1.5A5.5,5.5 0 1 1 6.99,1.5Z"),
        "stop" => ("shape stop", "M2,2H12V12H2Z"),
        "test_longer" => ("shape test", "M7,0.5L13.5,7L7,13.5L0.5,7Z"),
        _ => ("shape unknown", "M7,2A5,5 0 1 1 6.99,2Z"),
    }
}

/// The shape alone.
pub(super) fn icon(verdict: &str) -> Markup {
    let (class, path) = shape(verdict);
    let mut out = Markup::new();
    out.begin("svg").attr("class", class).attr("width", "14").attr("height", "14").attr("aria-hidden", "true").end();
    out.begin("path").attr("d", path).close().raw("</svg>");
    out
}

/// The shape with the word.
pub(super) fn badge(view: &View, verdict: &str) -> Markup {
    let mut out = Markup::new();
    out.raw("<span class=\"badge\">").append(&icon(verdict)).element("strong", &view.name("verdict", verdict)).raw("</span>");
    out
}
