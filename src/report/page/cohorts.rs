//! Who stays: customers by the period of their first order, some periods on.

use super::figure::{behind, figure};
use super::grid::{CellWriter, Grid, GridCell};
use super::missing::{empty, missing};
use crate::domain::{ALL, Day};
use crate::report::chart::{HeatCell, HeatMap, Mark};
use crate::report::data::CohortRow;
use crate::report::markup::Markup;
use crate::report::view::View;

/// Rows by dimension that the page lists; the table `cohorts` has all.
const LISTED: usize = 60;

/// The section.
pub(super) fn write(view: &View) -> Markup {
    let Some(all) = &view.data.cohorts else { return missing(view, "cohorts") };
    let (rows, by_value): (Vec<&CohortRow>, Vec<&CohortRow>) =
        all.iter().filter(|r| r.slice == view.slice).partition(|r| r.dimension == ALL);
    if rows.is_empty() {
        return empty(view, "cohorts.none");
    }
    let mut out = triangle(view, &rows);
    out.append(&table(view, &rows));
    out.append(&by_dimension(view, &by_value));
    out
}

/// Cohorts with a value of a dimension, at the last date, the newest first.
fn by_dimension(view: &View, rows: &[&CohortRow]) -> Markup {
    let mut rows: Vec<&CohortRow> = rows.iter().copied().filter(|r| Some(r.as_of) == view.last()).collect();
    if rows.is_empty() {
        return Markup::new();
    }
    // Rows of one cohort stay in the order of the values.
    rows.sort_by_key(|r| std::cmp::Reverse(r.cohort_start));
    let spend = rows.iter().any(|r| r.spend.is_some());
    let mut keys = vec![
        "column.cohort",
        "column.dimension",
        "column.customers",
        "column.active",
        "column.repeat_rate",
        "column.revenue_to_date",
    ];
    if spend {
        keys.extend(["column.spend", "column.cac", "column.payback_ratio"]);
    }
    let mut grid = Grid::new(view, &keys);
    for row in rows.iter().take(LISTED) {
        let cells = CellWriter::of(view, row.suppressed);
        let mut line = vec![
            GridCell::text(name(view, row)),
            GridCell::text(format!("{} = {}", row.dimension, row.dimension_value)),
            cells.count(row.customers),
            cells.count(row.active_customers),
            cells.share(row.repeat_rate),
            cells.money(row.revenue_to_date),
        ];
        if spend {
            line.extend([cells.money(row.spend), cells.float(row.cac, 2), cells.float(row.payback_ratio, 2)]);
        }
        grid.row(line);
    }
    let title = view.words.text("cohorts.by_dimension");
    let mut out = Markup::new();
    out.element("h3", title).raw("\n").append(&grid.write(title));
    if rows.len() > LISTED {
        let values = [("shown", &*LISTED.to_string()), ("all", &*view.format.count(rows.len() as i64))];
        out.raw("<p class=\"soft\">").sentence(&view.words.say("cohorts.more", &values)).raw("</p>\n");
    }
    out
}

/// What a cohort is called.
fn name(view: &View, row: &CohortRow) -> String {
    match (row.cohort_start, row.cohort_end) {
        (Some(_), Some(end)) => view.short_period(end),
        (Some(start), None) => view.format.date(start),
        (None, _) => view.words.text("cohorts.earlier").to_owned(),
    }
}

fn triangle(view: &View, rows: &[&CohortRow]) -> Markup {
    let mut starts: Vec<Option<Day>> = rows.iter().filter(|r| r.periods_since.is_some()).map(|r| r.cohort_start).collect();
    starts.sort();
    starts.dedup();
    let last = rows.iter().filter_map(|r| r.periods_since).max().unwrap_or(0).clamp(0, 400);
    let of = |start: Option<Day>| rows.iter().filter(move |r| r.cohort_start == start && r.periods_since.is_some());
    let cell = |start: Option<Day>, since: i64| {
        let row = of(start).find(|r| r.periods_since == Some(since))?;
        let text = row.retention_rate.map_or("·".into(), |x| view.format.float(x * 100.0, 0));
        let shown = row.retention_rate.map_or(view.words.text("suppressed").to_owned(), |x| view.format.percent(x, 1));
        let values = [("cohort", &*name(view, row)), ("n", &*since.to_string()), ("share", &*shown)];
        let key = format!("{} {since}", start.map(|d| d.to_string()).unwrap_or_default());
        let mark = Mark { key, value: row.retention_rate, tip: view.words.fill("cohorts.tip", &values) };
        Some(HeatCell { strength: row.retention_rate.unwrap_or(0.0), short: text.clone(), text, mark })
    };
    let label = |start: Option<Day>| {
        let row = of(start).next()?;
        Some((format!("{} · {}", name(view, row), view.format.maybe_count(row.customers)), None))
    };
    let chart = HeatMap {
        row_title: view.words.text("cohorts.rows").to_owned(),
        column_title: view.words.text("cohorts.columns").to_owned(),
        rows: starts.iter().filter_map(|s| label(*s)).collect(),
        columns: (0..=last).map(|n| (n.to_string(), n.to_string())).collect(),
        cells: starts.iter().map(|s| (0..=last).map(|n| cell(*s, n)).collect()).collect(),
    };
    figure("cohorts-0", view.words.text("cohorts.title"), view.words.text("cohorts.description"), &chart)
}

fn table(view: &View, rows: &[&CohortRow]) -> Markup {
    let spend = rows.iter().any(|r| r.spend.is_some());
    let mut keys = vec![
        "column.cohort",
        "column.periods_since",
        "column.customers",
        "column.active",
        "column.retention_rate",
        "column.repeat_rate",
        "column.revenue",
        "column.revenue_to_date",
    ];
    if spend {
        keys.extend(["column.spend", "column.cac", "column.payback_ratio"]);
    }
    let mut grid = Grid::new(view, &keys);
    for row in rows {
        let cells = CellWriter::of(view, row.suppressed);
        let mut line = vec![
            GridCell::text(name(view, row)),
            cells.count(row.periods_since),
            cells.count(row.customers),
            cells.count(row.active_customers),
            cells.share(row.retention_rate),
            cells.share(row.repeat_rate),
            cells.money(row.revenue),
            cells.money(row.revenue_to_date),
        ];
        if spend {
            line.extend([cells.money(row.spend), cells.float(row.cac, 2), cells.float(row.payback_ratio, 2)]);
        }
        grid.row(line);
    }
    behind(view, view.words.text("cohorts.title"), &grid)
}
