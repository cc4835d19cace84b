//! `explain`: what a run would read and how its schemes decide.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::args::JobArgs;
use super::commands::{load, with_threads};
use super::console::{Console, count, data};
use crate::domain::{AsOf, DateRole};
use crate::error::Result;
use crate::input;
use crate::input::open::Opened;
use crate::input::query::SourceFile;
use crate::input::source::Source;
use crate::input::table_file::TableVersion;
use crate::pipeline::Queries;
use crate::plan::{Plan, SchemeColumn};
use crate::progress::Progress;
use crate::scheme::{self, Rule, Scheme};

pub(super) fn run(args: &JobArgs, console: &Console) -> Result<()> {
    let job = load(args, false)?;
    let queries = with_threads(args.threads, || Queries::plan(&job))?;
    let job = &queries.queried.job;
    let customers = with_threads(args.threads, || input::customers::open(job))?;
    let plan = Plan::new(job, &customers)?;
    let Opened { sources, warnings } = with_threads(args.threads, || input::orders::open(job))?;
    let columns = input::orders::columns::check(job, &sources, plan.uses())?;
    for warning in plan.warnings.iter().chain(&warnings).chain(&customers.warnings) {
        console.warn(&warning.to_string());
    }
    if console.is_document() {
        tell(&queries, &plan, &sources, &columns.names, console);
        let table = |(key, table): &(&str, Arc<TableVersion>)| json!({ "key": key, "format": table.format, "folder": table.folder, table.version.kind(): table.version.number() });
        let tables = tables(sources.iter().chain(&customers.sources));
        console.tell("tables", tables.iter().map(table).collect::<Vec<_>>());
        return Ok(());
    }
    let mut out = format!("job {:?}\n\nas-of dates\n", job.raw.name);
    for date in &job.dates {
        let lookback = job.score.lookback.start(date.date).map_or("all history".into(), |s| format!("from {s}"));
        let period = date.period_start.map_or(String::new(), |s| format!(", period from {s}"));
        let role = match role(date.role) {
            "published" => String::new(),
            role => format!(", {role}"),
        };
        out.push_str(&format!("  {} (lookback {lookback}{period}{role})\n", date.date));
    }
    out.push_str(&queried(&queries));
    let tables = tables(sources.iter().chain(&customers.sources));
    if !tables.is_empty() {
        out.push_str("\ntables\n");
    }
    for (key, table) in &tables {
        out.push_str(&format!("  {key}: {} table {}, {}\n", table.format, table.folder, table.version));
    }
    out.push_str(&format!("\ncolumns read\n  {}\n\nfiles\n", columns.names.join(", ")));
    let tasks = input::orders::row_groups::tasks(job, &sources);
    for (number, source) in sources.iter().enumerate() {
        if source.input.is_query_result {
            out.push_str(&format!("  {}\n", source.name()));
            continue;
        }
        let own = tasks.iter().filter(|t| t.file == number);
        let (groups, after) = own.fold((0, 0), |(all, after), t| (all + 1, after + usize::from(t.amounts_only)));
        out.push_str(&format!(
            "  {}: {} rows in {groups} row group{}",
            source.input.name,
            count(source.rows()),
            if groups == 1 { "" } else { "s" }
        ));
        if let Some(deleted) = source.input.table.as_ref().and_then(|file| file.deleted.as_ref()) {
            out.push_str(&format!(", without {} deleted rows", count(deleted.rows.len())));
        }
        if after > 0 {
            out.push_str(&format!("; {after} after the last as-of date, of which only the amounts are read"));
        }
        out.push('\n');
    }
    let measures: Vec<String> = plan.fold.measures.iter().map(ToString::to_string).collect();
    out.push_str(&format!("\nmeasures\n  {}\n", measures.join(", ")));
    for column in &plan.schemes {
        out.push_str(&format!("\nscheme {} = {:?}: {}\n", column.column, column.scheme.name, column.scheme.summary));
        out.push_str(&rules(&column.scheme));
        for (slice, own) in &column.overrides {
            out.push_str(&format!("  in slice {slice:?}\n{}", rules(own)));
        }
        if let Some(grid) = scheme::grid(&column.scheme) {
            out.push_str(&format!("\n{}\n", grid.lines().map(|l| format!("  {l}")).collect::<Vec<_>>().join("\n")));
        }
    }
    data(&out)
}

/// What an as-of date is there for.
fn role(role: DateRole) -> &'static str {
    match role {
        DateRole::Published => "published",
        DateRole::Boundary => "trend",
        DateRole::Comparison => "to compare with",
        DateRole::Hidden => "only compared with",
    }
}

/// What `explain` tells in its document.
fn tell(queries: &Queries, plan: &Plan, sources: &[Source], columns: &[String], console: &Console) {
    let job = &queries.queried.job;
    console.tell("job_name", job.raw.name.as_str());
    let date = |date: &AsOf| {
        json!({
            "date": date.date.to_string(),
            "lookback_start": job.score.lookback.start(date.date).map(|start| start.to_string()),
            "period_start": date.period_start.map(|start| start.to_string()),
            "role": role(date.role),
        })
    };
    console.tell("as_of", job.dates.iter().map(date).collect::<Vec<_>>());
    let file = |file: &SourceFile| json!({ "name": file.input.name, "bytes": file.state.size });
    let of_query = queries.queried.sources.iter();
    let of_query =
        of_query.map(|source| json!({ "name": source.name, "files": source.files.iter().map(file).collect::<Vec<_>>() }));
    console.tell("sources", of_query.collect::<Vec<_>>());
    let results = queries.queried.results.iter();
    let results = results.map(|result| json!({ "key": result.table.key(), "plan": result.plan }));
    console.tell("queries", results.collect::<Vec<_>>());
    console.tell("columns", columns.to_vec());
    let tasks = input::orders::row_groups::tasks(job, sources);
    let file = |(number, source): (usize, &Source)| {
        let own = || tasks.iter().filter(|task| task.file == number);
        json!({
            "name": source.name(),
            "rows": (!source.input.is_query_result).then(|| source.rows()),
            "row_groups": own().count(),
            "row_groups_after": own().filter(|task| task.amounts_only).count(),
        })
    };
    console.tell("files", sources.iter().enumerate().map(file).collect::<Vec<_>>());
    console.tell("measures", plan.fold.measures.iter().map(ToString::to_string).collect::<Vec<_>>());
    let scheme = |column: &SchemeColumn| {
        let slices: Map<String, Value> =
            column.overrides.iter().map(|(slice, own)| (slice.clone(), rule_values(own).into())).collect();
        json!({
            "column": column.column,
            "name": column.scheme.name,
            "summary": column.scheme.summary,
            "rules": rule_values(&column.scheme),
            "rules_by_slice": slices,
            "grid": scheme::grid(&column.scheme),
        })
    };
    console.tell("schemes", plan.schemes.iter().map(scheme).collect::<Vec<_>>());
}

/// The tables whose logs name files, each once, with the key of the job that names it.
fn tables<'a>(sources: impl Iterator<Item = &'a Source>) -> Vec<(&'static str, Arc<TableVersion>)> {
    let mut tables: Vec<(&'static str, Arc<TableVersion>)> = Vec::new();
    for (input, file) in sources.filter_map(|source| Some((&source.input, source.input.table.as_ref()?))) {
        if !tables.iter().any(|(_, known)| Arc::ptr_eq(known, &file.table)) {
            tables.push((input.key, Arc::clone(&file.table)));
        }
    }
    tables
}

/// The rules in match order, as values.
fn rule_values(scheme: &Scheme) -> Vec<Value> {
    let rule = |rule: &Rule| {
        let state = scheme.states.get(rule.state).map(|state| state.name.as_str());
        json!({ "state": state, "when": rule.when.to_string() })
    };
    scheme.rules.iter().map(rule).collect()
}

/// The files that queries read, and the plans of these.
fn queried(queries: &Queries) -> String {
    let mut out = String::new();
    for source in &queries.queried.sources {
        out.push_str(&format!("\nsource {}\n", source.name));
        for file in &source.files {
            out.push_str(&format!("  {}: {} bytes\n", file.input.name, count(file.state.size)));
        }
    }
    for result in &queries.queried.results {
        let plan = result.plan.as_deref().unwrap_or_default();
        let lines: Vec<String> = plan.lines().map(|line| format!("  {line}").trim_end().to_owned()).collect();
        out.push_str(&format!("\n{}\n{}\n", result.table.key(), lines.join("\n")));
    }
    out
}

/// The rules in match order.
fn rules(scheme: &Scheme) -> String {
    let mut out = String::new();
    for (number, rule) in scheme.rules.iter().enumerate() {
        let state = scheme.states.get(rule.state).map_or("", |s| s.name.as_str());
        out.push_str(&format!("  {}. {state}: {}\n", number + 1, rule.when));
    }
    out
}
