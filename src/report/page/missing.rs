//! What a section says in place of a table that the run did not write, or that has no rows.

use crate::report::markup::Markup;
use crate::report::view::View;

/// A sentence that a table is not there.
pub(super) fn missing(view: &View, table: &str) -> Markup {
    let mut out = Markup::new();
    out.raw("<p class=\"soft\">").sentence(&view.words.say("missing", &[("table", table)])).raw("</p>\n");
    out
}

/// A sentence in place of a section that has no rows.
pub(super) fn empty(view: &View, key: &str) -> Markup {
    let mut out = Markup::new();
    out.raw("<p class=\"soft\">").sentence(&view.words.say(key, &[])).raw("</p>\n");
    out
}
