//! How far the data can be trusted: what became of every input row, checks, warnings.

use super::figure::behind;
use super::grid::{CellWriter, Grid, GridCell};
use super::missing::missing;
use crate::domain::Decimal;
use crate::input::orders::ledger::SOURCE;
use crate::report::data::{self, LedgerRow};
use crate::report::markup::Markup;
use crate::report::suppress::add_money;
use crate::report::view::View;

/// Rows of files and outcomes that the page lists; `report.json` has all.
const LISTED: usize = 200;

/// The section.
pub(super) fn write(view: &View) -> Markup {
    let run = &view.data.run;
    let mut out = Markup::new();
    let values = [("rows", &*view.format.count(run.input_rows as i64)), ("files", &*view.format.count(run.inputs.len() as i64))];
    if !run.inputs.is_empty() {
        out.raw("<p>").sentence(&view.words.say("quality.input", &values)).raw("</p>\n");
    }
    out.append(&warnings(view)).append(&restated(view)).append(&periods(view)).append(&checks(view)).append(&ledger(view));
    out
}

fn warnings(view: &View) -> Markup {
    let mut out = Markup::new();
    out.element("h3", view.words.text("quality.warnings")).raw("\n");
    let warnings = &view.data.run.warnings;
    if warnings.is_empty() {
        out.raw("<p>").text(view.words.text("quality.no_warnings")).raw("</p>\n");
        return out;
    }
    out.raw("<ul>\n");
    for warning in warnings {
        out.element("li", &view.words.warning(warning)).raw("\n");
    }
    out.raw("</ul>\n");
    out
}

/// What earlier commits said of the same dates.
fn restated(view: &View) -> Markup {
    let mut out = Markup::new();
    let rows = view.data.restatements.iter().flatten().filter(|row| row.slice == view.slice);
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return out;
    }
    out.element("h3", view.words.text("quality.restated")).raw("\n<p class=\"soft\">");
    out.sentence(&view.words.say("quality.restated_description", &[])).raw("</p>\n");
    let mut grid = Grid::new(
        view,
        &[
            "column.told_as_of",
            "column.customers_then",
            "column.customers",
            "column.change",
            "column.revenue_then",
            "column.revenue",
            "column.revenue_change",
            "column.inputs_new",
            "column.inputs_changed",
            "column.inputs_gone",
            "column.inputs",
        ],
    );
    for row in rows {
        let cells = CellWriter::of(view, row.suppressed);
        grid.row(vec![
            GridCell::text(view.format.date(row.told_as_of)),
            cells.count(row.customers_then),
            cells.count(row.customers_now),
            cells.count(row.customers_change),
            cells.money(row.revenue_then),
            cells.money(row.revenue_now),
            cells.money(row.revenue_change),
            cells.count(row.inputs_new),
            cells.count(row.inputs_changed),
            cells.count(row.inputs_gone),
            GridCell::text(row.inputs.clone().unwrap_or_default()),
        ]);
    }
    out.append(&grid.write(view.words.text("quality.restated")));
    out
}

/// Periods that are partial or have no full history.
fn periods(view: &View) -> Markup {
    let mut out = Markup::new();
    let names = |of: fn(&crate::report::data::PeriodRow) -> bool| {
        let rows = view.data.dim_period.iter().flatten().filter(|r| of(r) && !view.is_comparison(r.as_of));
        rows.map(|r| view.period(r.as_of)).collect::<Vec<_>>()
    };
    let kinds = [
        ("quality.partial", names(|r| r.is_partial == Some(true))),
        ("quality.short_history", names(|r| r.history_complete == Some(false))),
    ];
    for (key, names) in kinds {
        if !names.is_empty() {
            out.raw("<p>").sentence(&view.words.say(key, &[("list", &view.list(&names))])).raw("</p>\n");
        }
    }
    out
}

fn checks(view: &View) -> Markup {
    let mut out = Markup::new();
    let checks = data::checks(&view.data.run.job);
    if checks.is_empty() {
        return out;
    }
    out.element("h3", view.words.text("quality.checks")).raw("\n");
    let mut grid = Grid::new(view, &["column.check", "column.limit", "column.passed"]);
    for check in &checks {
        let passed = view.words.text(if check.passed { "quality.yes" } else { "quality.no" });
        let name = view.words.find("check", &check.name.replace('.', "_")).unwrap_or(&check.name).to_owned();
        grid.row(vec![GridCell::text(name), GridCell::text(&check.limit), GridCell::text(passed)]);
    }
    out.append(&grid.write(view.words.text("quality.checks")));
    out
}

fn ledger(view: &View) -> Markup {
    let Some(rows) = &view.data.ledger else { return missing(view, "ledger") };
    let mut out = Markup::new();
    out.element("h3", view.words.text("quality.ledger")).raw("\n");
    let mut outcomes: Vec<&str> = Vec::new();
    let orders = || rows.iter().filter(|row| row.outcome != SOURCE);
    for row in orders() {
        if !outcomes.contains(&row.outcome.as_str()) {
            outcomes.push(&row.outcome);
        }
    }
    outcomes.sort_by_key(|o| *o != "kept");
    let all: i64 = orders().filter_map(|r| r.row_count).sum();
    let mut grid = Grid::new(view, &["column.outcome_of_row", "column.meaning", "column.rows", "column.share", "column.amount"]);
    for outcome in outcomes {
        let of_outcome: Vec<&LedgerRow> = rows.iter().filter(|r| r.outcome == outcome).collect();
        let count: i64 = of_outcome.iter().filter_map(|r| r.row_count).sum();
        let amounts: Vec<Decimal> = of_outcome.iter().filter_map(|r| r.amount).collect();
        let amount = amounts.iter().skip(1).fold(amounts.first().copied(), |sum, m| add_money(sum, Some(*m)));
        let cells = CellWriter::of(view, false);
        grid.row(vec![
            GridCell::text(outcome),
            GridCell::text(meaning(view, outcome)),
            cells.count(Some(count)),
            cells.share((all > 0).then(|| count as f64 / all as f64)),
            cells.money(amount),
        ]);
    }
    out.append(&grid.write(view.words.text("quality.ledger")));
    let mut files = Grid::new(view, &["column.file", "column.outcome_of_row", "column.rows", "column.amount"]);
    for row in rows.iter().take(LISTED) {
        let cells = CellWriter::of(view, false);
        files.row(vec![
            GridCell::text(&row.file),
            GridCell::text(&row.outcome),
            cells.count(row.row_count),
            cells.money(row.amount),
        ]);
    }
    out.append(&behind(view, view.words.text("quality.files"), &files));
    if rows.len() > LISTED {
        let values = [("shown", &*LISTED.to_string()), ("all", &*view.format.count(rows.len() as i64))];
        out.raw("<p class=\"soft\">").sentence(&view.words.say("quality.more_files", &values)).raw("</p>\n");
    }
    out
}

/// What an outcome says: `rejected:null_date` is a rejection.
fn meaning(view: &View, outcome: &str) -> String {
    let kind = outcome.split(':').next().unwrap_or_default();
    view.words.find("ledger", kind).unwrap_or_default().to_owned()
}
