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
    let shown = rows.get(..LISTED).unwrap_or(&rows);
    let grid = list(view, shown, &[COHORT, DIMENSION, CUSTOMERS, ACTIVE, REPEAT_RATE, REVENUE_TO_DATE], has_spend(&rows));
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
    let columns = [COHORT, PERIODS_SINCE, CUSTOMERS, ACTIVE, RETENTION_RATE, REPEAT_RATE, REVENUE, REVENUE_TO_DATE];
    behind(view, view.words.text("cohorts.title"), &list(view, rows, &columns, has_spend(rows)))
}

/// A column of a list of cohorts: the key of its head, and its cells.
type Column = (&'static str, fn(&View, &CellWriter<'_>, &CohortRow) -> GridCell);

const COHORT: Column = ("column.cohort", |view, _, row| GridCell::text(name(view, row)));
const DIMENSION: Column =
    ("column.dimension", |_, _, row| GridCell::text(format!("{} = {}", row.dimension, row.dimension_value)));
const PERIODS_SINCE: Column = ("column.periods_since", |_, cells, row| cells.count(row.periods_since));
const CUSTOMERS: Column = ("column.customers", |_, cells, row| cells.count(row.customers));
const ACTIVE: Column = ("column.active", |_, cells, row| cells.count(row.active_customers));
const RETENTION_RATE: Column = ("column.retention_rate", |_, cells, row| cells.share(row.retention_rate));
const REPEAT_RATE: Column = ("column.repeat_rate", |_, cells, row| cells.share(row.repeat_rate));
const REVENUE: Column = ("column.revenue", |_, cells, row| cells.money(row.revenue));
const REVENUE_TO_DATE: Column = ("column.revenue_to_date", |_, cells, row| cells.money(row.revenue_to_date));

/// What winning the customers of a cohort cost.
const SPEND: [Column; 3] = [
    ("column.spend", |_, cells, row| cells.money(row.spend)),
    ("column.cac", |_, cells, row| cells.float(row.cac, 2)),
    ("column.payback_ratio", |_, cells, row| cells.float(row.payback_ratio, 2)),
];

/// Whether it is known of any row.
fn has_spend(rows: &[&CohortRow]) -> bool {
    rows.iter().any(|row| row.spend.is_some())
}

/// A list of cohorts with these columns, and those of spend after them if asked for.
fn list(view: &View, rows: &[&CohortRow], columns: &[Column], with_spend: bool) -> Grid {
    let all = || columns.iter().chain(SPEND.iter().filter(|_| with_spend));
    let heads: Vec<&str> = all().map(|(head, _)| *head).collect();
    let mut grid = Grid::new(view, &heads);
    for row in rows {
        let cells = CellWriter::of(view, row.suppressed);
        grid.row(all().map(|(_, cell)| cell(view, &cells, row)).collect());
    }
    grid
}
