//! What comes next if habits stay, and always beside it how well that was told before.

use super::figure::{behind, figure};
use super::grid::{CellWriter, Grid, GridCell};
use crate::domain::{ALL, Decimal};
use crate::report::chart::{Line, LineChart, Mark};
use crate::report::data::{BacktestRow, ForecastRow};
use crate::report::language::Sentence;
use crate::report::markup::Markup;
use crate::report::view::View;

/// How past horizons were told, as the table `backtest` names it.
const MODEL: &str = "model";
const LAST_HORIZON: &str = "last_horizon";
const YEAR_AGO: &str = "year_ago";

/// The section; empty in a run without a forecast.
pub(super) fn write(view: &View) -> Markup {
    let mut out = Markup::new();
    let rows: Vec<&ForecastRow> = view.data.forecast.iter().flatten().filter(|row| row.slice == view.slice).collect();
    let Some(all) = rows.iter().find(|row| row.scheme == ALL) else {
        out.raw("<p class=\"soft\">").sentence(&view.words.say("forecast.none", &[])).raw("</p>\n");
        return out;
    };
    let record = records(view);
    out.raw("<p>")
        .paragraph(&[standing(view, all, record.len()), next(view, all)], view.words.text("format.sentence_space"))
        .raw("</p>\n");
    out.append(&by_state(view, &rows));
    if !record.is_empty() {
        out.append(&picture(view, &record));
    }
    out
}

/// The past horizons that may be shown, the oldest first, each with what the methods told.
fn records<'a>(view: &'a View) -> Vec<PastHorizon<'a>> {
    let rows = || view.data.backtest.iter().flatten().filter(|row| row.slice == view.slice && !row.suppressed);
    let of = |model: &BacktestRow, method: &str| {
        rows().find(|row| row.origin == model.origin && row.method.as_deref() == Some(method))
    };
    let models = rows().filter(|row| row.method.as_deref() == Some(MODEL));
    let mut all: Vec<PastHorizon<'_>> =
        models.map(|model| PastHorizon { model, last_horizon: of(model, LAST_HORIZON), year_ago: of(model, YEAR_AGO) }).collect();
    all.sort_by_key(|past| past.model.origin);
    all
}

/// A past horizon as it was told.
struct PastHorizon<'a> {
    model: &'a BacktestRow,
    last_horizon: Option<&'a BacktestRow>,
    year_ago: Option<&'a BacktestRow>,
}

/// How much the numbers are worth here, which is said first.
fn standing(view: &View, all: &ForecastRow, past: usize) -> Sentence {
    let key = match (all.beats_last_horizon, all.beats_year_ago) {
        (None, _) => "forecast.no_record",
        (Some(true), Some(true)) => "forecast.beats_both",
        (Some(true), None) => "forecast.beats_last",
        (Some(false), Some(true) | None) => "forecast.fails_last",
        (Some(true), Some(false)) => "forecast.fails_year",
        (Some(false), Some(false)) => "forecast.fails_both",
    };
    match key {
        "forecast.no_record" => view.words.say(key, &[]),
        _ => view.words.say(key, &[("n", &view.format.count(past as i64))]),
    }
}

fn next(view: &View, all: &ForecastRow) -> Sentence {
    let known = all.customers.zip(all.expected_order_days).zip(all.expected_revenue);
    let Some(((customers, order_days), revenue)) = known else { return view.words.say("forecast.no_money", &[]) };
    let values = [
        ("customers", view.format.count(customers)),
        ("days", view.format.count(order_days.round() as i64)),
        ("revenue", view.format.money(revenue, 0)),
        ("end", view.format.date(all.horizon_end)),
    ];
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    view.words.say("forecast.next", &values)
}

/// What is expected of each state, with both intervals.
fn by_state(view: &View, rows: &[&ForecastRow]) -> Markup {
    let mut out = Markup::new();
    for scheme in &view.schemes {
        let mut grid = Grid::new(view, &["column.state", "column.customers", "column.expected_revenue"]);
        for key in ["column.if_habits_stay", "column.by_the_record", "column.expected_order_days"] {
            grid.head(view.words.text(key));
        }
        let states = scheme.states.iter().filter_map(|state| {
            let row = rows.iter().find(|row| row.scheme == scheme.name && row.state == state.name)?;
            Some((GridCell::state(&state.label, Some(&state.colour)), *row))
        });
        let all = rows.iter().filter(|row| row.scheme == ALL).map(|row| (GridCell::text(view.words.text("forecast.all")), *row));
        for (name, row) in states.chain(all) {
            let cells = CellWriter::of(view, row.suppressed);
            grid.row(vec![
                name,
                cells.count(row.customers),
                cells.money_short(row.expected_revenue),
                range(view, row.revenue_model_low, row.revenue_model_high),
                range(view, row.revenue_record_low, row.revenue_record_high),
                cells.float(row.expected_order_days, 0),
            ]);
        }
        out.element("h3", &view.words.fill("forecast.by_state", &[("scheme", &scheme.label)])).raw("\n");
        out.append(&grid.write(&scheme.label));
    }
    out.raw("<p class=\"soft\">").text(view.words.text("forecast.description")).raw("</p>\n");
    out
}

fn range(view: &View, low: Option<Decimal>, high: Option<Decimal>) -> GridCell {
    let Some((low, high)) = low.zip(high) else { return GridCell::text("–") };
    let [from, to] = [low, high].map(|end| view.format.money_short(end));
    GridCell::number(view.words.fill("forecast.range", &[("low", &from), ("high", &to)]), low.to_f64())
}

/// Told and came over past horizons.
fn picture(view: &View, record: &[PastHorizon<'_>]) -> Markup {
    let words = &view.words;
    let mut grid = Grid::new(view, &["column.horizon"]);
    let keys = ["forecast.came", "forecast.told", "forecast.error", "forecast.error_last_horizon", "forecast.error_year_ago"];
    keys.iter().for_each(|key| grid.head(words.text(key)));
    let mut lines = [("forecast.came", Vec::new()), ("forecast.told", Vec::new())];
    for past in record {
        let name = view.format.date(past.model.horizon_end);
        let values = [past.model.actual_revenue, past.model.expected_revenue];
        for ((key, points), value) in lines.iter_mut().zip(values) {
            points.push(value.map(|value| {
                let value = value.to_f64();
                let tip = format!("{name} · {}: {}", words.text(key), view.format.short(value, 0));
                (value, Mark { key: format!("{} {key}", past.model.horizon_end), value: Some(value), tip })
            }));
        }
        let cells = CellWriter::of(view, past.model.suppressed);
        let error = |row: Option<&BacktestRow>| {
            cells.written(row.and_then(|row| row.revenue_error), |x| view.format.change(x, |x| view.format.percent(x, 1)))
        };
        let [from, to] = [past.model.origin.next(), past.model.horizon_end].map(|day| view.format.date(day));
        let mut line = vec![GridCell::text(words.fill("forecast.range", &[("low", &from), ("high", &to)]))];
        line.extend(values.map(|value| cells.money_short(value)));
        line.extend([error(Some(past.model)), error(past.last_horizon), error(past.year_ago)]);
        grid.row(line);
    }
    let chart = LineChart {
        periods: record.iter().map(|past| view.format.date(past.model.horizon_end)).collect(),
        series: lines.into_iter().map(|(key, values)| Line { name: words.text(key).into(), values }).collect(),
        tick: &|v| view.format.short(v, 0),
    };
    let mut out = figure("forecast-record", words.text("forecast.record"), words.text("forecast.record_description"), &chart);
    out.append(&behind(view, words.text("forecast.record"), &grid));
    out
}
