//! What the same customers buy: pairs of categories, and how much more often than chance.

use super::grid::{CellWriter, Grid, GridCell};
use crate::report::data::AffinityRow;
use crate::report::markup::Markup;
use crate::report::view::View;

/// Pairs that the page lists; the table `affinity` has all.
const LISTED: usize = 15;

/// The pairs with the highest lift at the last date; nothing in a run without the table, or with no pair that may be shown.
pub(super) fn write(view: &View) -> Markup {
    let rows = view.data.affinity.iter().flatten();
    let mut rows: Vec<&AffinityRow> = rows.filter(|row| Some(row.as_of) == view.last() && row.slice == view.slice).collect();
    rows.sort_by(|a, b| b.lift.unwrap_or(0.0).total_cmp(&a.lift.unwrap_or(0.0)));
    if rows.is_empty() {
        return Markup::new();
    }
    let keys = [
        "column.category",
        "column.other_category",
        "column.both",
        "column.category_customers",
        "column.other_customers",
        "column.affinity_lift",
    ];
    let mut grid = Grid::new(view, &keys);
    for row in rows.iter().take(LISTED) {
        let cells = CellWriter::of(view, row.suppressed);
        grid.row(vec![
            GridCell::text(&row.category),
            GridCell::text(&row.other_category),
            cells.count(row.both_customers),
            cells.count(row.category_customers),
            cells.count(row.other_customers),
            cells.float(row.lift, 2),
        ]);
    }
    let words = &view.words;
    let mut out = Markup::new();
    out.element("h3", words.text("affinity.title")).raw("\n");
    out.raw("<p class=\"soft\">").text(words.text("affinity.description")).raw("</p>\n");
    out.append(&grid.write(words.text("affinity.title")));
    out
}
