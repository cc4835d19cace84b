//! What a section says in place of a table that the run did not write.

use crate::report::markup::Markup;
use crate::report::view::View;

/// A sentence that a table is not there.
pub(super) fn missing(view: &View, table: &str) -> Markup {
    let mut out = Markup::new();
    out.raw("<p class=\"soft\">").sentence(&view.words.say("missing", &[("table", table)])).raw("</p>\n");
    out
}
