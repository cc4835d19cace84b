//! What to do now, on top of the page: the states to act on, what is known of acting on them, and whom to write to.

use super::figure::compact_figure;
use super::grid::{CellWriter, Grid, GridCell};
use crate::report::chart::{HeatCell, HeatMap, Mark};
use crate::report::data::ScorePairRow;
use crate::report::markup::Markup;
use crate::report::story::{Evidence, Story, Task};
use crate::report::view::View;
use crate::tables::Value;

/// Tasks that stand in view; the others are folded away.
const IN_VIEW: usize = 5;

/// The tasks, and beside them where customers stand by recency and frequency.
pub(super) fn write(view: &View, story: &Story) -> Markup {
    let mut out = Markup::new();
    out.raw("<div class=\"lead\">\n<div class=\"tasks\" id=\"tasks\">\n");
    out.element("h3", view.words.text("tasks.title")).raw("\n").append(&tasks(view, &story.tasks)).raw("</div>\n");
    out.append(&scores(view)).raw("</div>\n");
    out
}

fn tasks(view: &View, tasks: &[Task]) -> Markup {
    let words = &view.words;
    let mut out = Markup::new();
    let note = |out: &mut Markup, key: &str| {
        out.raw("<p class=\"soft small\">").text(words.text(key)).raw("</p>\n");
    };
    if tasks.is_empty() {
        note(&mut out, "tasks.none");
        return out;
    }
    note(&mut out, "tasks.order");
    let (first, rest) = tasks.split_at(tasks.len().min(IN_VIEW));
    out.append(&table(view, tasks, first));
    if !rest.is_empty() {
        let heading = words.fill("tasks.rest", &[("n", &rest.len().to_string())]);
        out.raw("<details><summary>").text(&heading).raw("</summary>\n").append(&table(view, tasks, rest)).raw("</details>\n");
    }
    if tasks.iter().all(|task| task.action.is_empty()) {
        note(&mut out, "tasks.no_action");
    }
    if lists(view).is_empty() {
        note(&mut out, "tasks.no_list");
    }
    out
}

/// Files beside the page that hold customers.
fn lists<'a>(view: &View<'a>) -> Vec<&'a str> {
    let in_report = view.data.run.reports.iter().filter_map(|file| file.path.strip_prefix("report/"));
    in_report.filter(|name| name.starts_with("crm")).collect()
}

fn table(view: &View, all: &[Task], shown: &[Task]) -> Markup {
    let lists = lists(view);
    let has_actions = all.iter().any(|task| !task.action.is_empty());
    let several_schemes = all.iter().any(|task| Some(&task.scheme) != all.first().map(|first| &first.scheme));
    let mut keys = vec!["column.state", "column.customers", "column.annual_value"];
    keys.extend(has_actions.then_some("column.action"));
    keys.push("column.evidence");
    keys.extend((!lists.is_empty()).then_some("column.list"));
    let mut grid = Grid::new(view, &keys);
    for task in shown {
        let scheme = view.scheme(&task.scheme);
        let colour = scheme.and_then(|s| s.state(&task.state)).map(|s| &s.colour);
        let cells = CellWriter::of(view, task.suppressed);
        let money = match task.annual_value {
            Value::Money(money) => Some(money),
            _ => None,
        };
        let state = GridCell::state(view.state_label(&task.scheme, &task.state), colour);
        let scheme_label = scheme.map_or(task.scheme.clone(), |s| s.label.clone());
        let mut line = vec![if several_schemes { state.with_note(scheme_label) } else { state }];
        line.extend([cells.count(task.customers), cells.money_short(money)]);
        line.extend(has_actions.then(|| GridCell::text(&task.action)));
        line.push(
            task.evidence.as_ref().map_or_else(|| GridCell::text(view.words.text("tasks.untested")), |e| evidence(view, e)),
        );
        if let Some(file) = lists.first() {
            let more = (lists.len() - 1).to_string();
            let text = match lists.len() {
                1 => (*file).to_owned(),
                _ => view.words.fill("tasks.files", &[("file", file), ("n", &more)]),
            };
            let filter = view.words.fill("tasks.filter", &[("scheme", &task.scheme), ("state", &task.state)]);
            line.push(GridCell::link(text, *file).with_note(filter));
        }
        grid.row(line);
    }
    grid.write(view.words.text("tasks.title"))
}

/// A verdict with the strategy and the numbers that it rests on.
fn evidence(view: &View, evidence: &Evidence) -> GridCell {
    let word = view.name("verdict", &evidence.verdict);
    let text = match evidence.estimate.is_empty() {
        true => evidence.strategy.clone(),
        false => format!("{} {}", evidence.strategy, evidence.estimate),
    };
    let cell = GridCell::verdict(&evidence.verdict, format!("{word} · {text}"));
    if evidence.is_matched { cell.with_note(view.words.text("tasks.alike")) } else { cell }
}

/// Customers by their scores of recency and frequency.
fn scores(view: &View) -> Markup {
    let rows: Vec<&ScorePairRow> = view.data.score_pairs.iter().flatten().filter(|row| row.slice == view.slice).collect();
    let all: i64 = rows.iter().filter_map(|row| row.customers).sum();
    if all == 0 {
        return Markup::new();
    }
    let (words, format) = (&view.words, &view.format);
    let most = |of: fn(&ScorePairRow) -> i64| rows.iter().map(|row| of(row)).max().unwrap_or(0);
    let (r_most, f_most) = (most(|row| row.r_score), most(|row| row.f_score));
    let largest = rows.iter().filter_map(|row| row.customers).max().unwrap_or(1).max(1);
    let cell = |r: i64, f: i64| {
        let row = rows.iter().find(|row| (row.r_score, row.f_score) == (r, f))?;
        let customers = row.customers?;
        let share = customers as f64 / all as f64;
        let text = format.float(share * 100.0, if share < 0.095 { 1 } else { 0 });
        let values = [
            ("r", &*r.to_string()),
            ("f", &*f.to_string()),
            ("n", &*format.count(customers)),
            ("share", &*format.percent(share, 1)),
        ];
        let mark = Mark { key: format!("{r}-{f}"), value: Some(customers as f64), tip: words.fill("scores.tip", &values) };
        Some(HeatCell { strength: customers as f64 / largest as f64, short: text.clone(), text, mark })
    };
    let chart = HeatMap {
        row_title: words.text("scores.rows").to_owned(),
        column_title: words.text("scores.columns").to_owned(),
        // The best stand on top and on the right.
        rows: (1..=r_most).rev().map(|r| (r.to_string(), None)).collect(),
        columns: (1..=f_most).map(|f| (f.to_string(), f.to_string())).collect(),
        cells: (1..=r_most).rev().map(|r| (1..=f_most).map(|f| cell(r, f)).collect()).collect(),
    };
    compact_figure("scores-0", words.text("scores.title"), words.text("scores.description"), &chart)
}
