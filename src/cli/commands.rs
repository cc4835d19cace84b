//! The commands, each a short walk through the library.

use std::time::Instant;

use clap::CommandFactory;
use serde_json::json;

use super::args::{Arguments, CompletionsArgs, JobArgs, SampleArgs, SchemaArgs, TablesFormat, ThreadArgs};
use super::console::{Console, columns, count, data, duration, printable};
use crate::domain::{IdType, SideTable, format_money};
use crate::error::{Error, Kind, Result};
use crate::job::query::QueriedTable;
use crate::job::{Job, Overrides, parse, raw, resolve};
use crate::pipeline::{Outcome, OutcomeLine, Queries, StateLine};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::sample::{self, SampleSpec, StrategySpec};
use crate::storage::Place;
use crate::{input, pipeline, publish, tables};

/// Runs `work` in a pool of `threads` threads.
pub(super) fn with_threads<T: Send>(args: ThreadArgs, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let threads = args.threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|e| {
        Error::new(
            Kind::Resource,
            format!("cannot start the threads of the run: {e}; use fewer with --threads, or raise the limit (ulimit -u, -v)"),
        )
        .caused_by(e)
    })?;
    pool.install(work)
}

/// The job of the arguments; `needs_output` is false for commands that write nothing.
pub(super) fn load(args: &JobArgs, needs_output: bool) -> Result<Job> {
    let (raw, source) = parse::load(&args.job, &args.sets)?;
    let mut overrides = overrides(args);
    if !needs_output && overrides.output.is_none() && raw.output.path.is_none() {
        overrides.output = Some(Default::default());
    }
    resolve(raw, source, &overrides)
}

/// What the arguments say over the job file.
pub(super) fn overrides(args: &JobArgs) -> Overrides {
    Overrides {
        as_of: args.as_of,
        from: args.from,
        to: args.to,
        output: args.output.clone(),
        memory_limit: args.memory_limit,
        adopt: args.adopt,
        part_rows: args.part_rows,
    }
}

pub(super) fn run(args: &JobArgs, console: &Console) -> Result<()> {
    let job = load(args, true)?;
    let began = Instant::now();
    let outcome = with_threads(args.threads, || pipeline::run(&job, console))?;
    summarise(&job, &outcome, began, console);
    Ok(())
}

/// What a run tells at its end.
pub(super) fn summarise(job: &Job, outcome: &Outcome, began: Instant, console: &Console) {
    let manifest = &outcome.manifest;
    console.event(json!({
        "level": "info",
        "event": "committed",
        "run_id": manifest.run_id,
        "path": outcome.folder.to_string(),
        "already_computed": outcome.repeated,
        "inputs_verified": manifest.inputs_verified,
        "latest": outcome.latest.as_ref().map(|(run_id, _)| run_id),
        "seconds": began.elapsed().as_secs_f64(),
    }));
    tell(job, outcome, began, console);
    if !console.is_text() {
        return;
    }
    if outcome.repeated {
        console.say(&format!("already computed: run {} is committed in {}", manifest.run_id, outcome.folder));
        say_latest(job, outcome, console);
        return;
    }
    let mut scheme = "";
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut blocks = Vec::new();
    let date = manifest.as_of.last().map_or("", String::as_str);
    let of_slice = outcome.slice.as_ref().map_or_else(String::new, |slice| format!(" in {}", printable(slice)));
    for line in &outcome.states {
        if line.scheme != scheme {
            if !rows.is_empty() {
                blocks.push(columns(&rows));
            }
            scheme = &line.scheme;
            let heading =
                [format!("{scheme} at {date}{of_slice}"), "customers".into(), "share".into(), "revenue".into(), "share".into()];
            rows = vec![heading.into()];
        }
        rows.push(vec![
            printable(&line.state),
            count(line.customers),
            format!("{:.1} %", line.share * 100.0),
            count(format_money(line.revenue, job.scale())),
            line.revenue_share.map_or_else(String::new, |s| format!("{:.1} %", s * 100.0)),
        ]);
    }
    if !rows.is_empty() {
        blocks.push(columns(&rows));
    }
    for block in blocks {
        console.say(&format!("\n{block}"));
    }
    if let Some(slice) = &outcome.slice {
        console.say(&format!("\n  {} is the slice with most customers; the table segments has every slice", printable(slice)));
    }
    if !outcome.outcomes.is_empty() {
        console.say(&format!("\n{}", columns(&outcome_rows(outcome))));
    }
    for table in &outcome.side_tables {
        console.say(&format!("\n  {table}"));
    }
    let rows: u64 = manifest.tables.iter().map(|t| t.rows).sum();
    console.say(&format!(
        "\n{} input rows ({}), {} table rows, {}: {}",
        count(manifest.input_rows),
        if manifest.inputs_verified { "verified by SHA-256" } else { "unverified" },
        count(rows),
        duration(began.elapsed()),
        outcome.folder
    ));
    say_latest(job, outcome, console);
}

/// What a run tells in its document.
fn tell(job: &Job, outcome: &Outcome, began: Instant, console: &Console) {
    let manifest = &outcome.manifest;
    console.tell("run_id", manifest.run_id.as_str());
    console.tell("path", outcome.folder.to_string());
    console.tell("job_name", manifest.job_name.as_str());
    console.tell("as_of", manifest.as_of.clone());
    console.tell("already_computed", outcome.repeated);
    console.tell("inputs_verified", manifest.inputs_verified);
    console.tell("latest", outcome.latest.as_ref().map(|(run_id, as_of)| json!({ "run_id": run_id, "as_of": as_of })));
    console.tell("input_rows", manifest.input_rows);
    console.tell("table_rows", manifest.tables.iter().map(|table| table.rows).sum::<u64>());
    console.tell("slice", outcome.slice.clone());
    let state = |line: &StateLine| {
        json!({
            "scheme": line.scheme,
            "state": line.state,
            "customers": line.customers,
            "share": line.share,
            "revenue": format_money(line.revenue, job.scale()),
            "revenue_share": line.revenue_share,
        })
    };
    console.tell("states", outcome.states.iter().map(state).collect::<Vec<_>>());
    let row =
        |line: &OutcomeLine| json!({ "outcome": line.outcome, "rows": line.rows, "share": line.share, "money": line.money });
    console.tell("outcomes", outcome.outcomes.iter().map(row).collect::<Vec<_>>());
    let side = |table: &SideTable| json!({ "name": table.name, "ids": table.ids, "with_orders": table.met });
    console.tell("side_tables", outcome.side_tables.iter().map(side).collect::<Vec<_>>());
    console.tell("peak_memory_bytes", manifest.peak_memory_bytes);
    console.tell("seconds", began.elapsed().as_secs_f64());
}

/// Says why `latest` does not lead to the run, where it does not.
fn say_latest(job: &Job, outcome: &Outcome, console: &Console) {
    let Some((run_id, as_of)) = outcome.latest.as_ref().filter(|(run_id, _)| *run_id != outcome.manifest.run_id) else { return };
    let last = outcome.manifest.as_of.last().map_or("", String::as_str);
    let output = &job.output;
    console.say(&format!(
        "latest stays at run {run_id} as of {as_of}, which is newer than {last}; if {as_of} should not be there, take it out with: rfmill drop {output} --as-of {as_of}"
    ));
}

/// The table of rows that do not count.
fn outcome_rows(outcome: &Outcome) -> Vec<Vec<String>> {
    let heading = ["rows that do not count", "rows", "share", "money"].map(str::to_owned).to_vec();
    let line = |line: &OutcomeLine| {
        vec![printable(&line.outcome), count(line.rows), format!("{:.1} %", line.share * 100.0), count(&line.money)]
    };
    std::iter::once(heading).chain(outcome.outcomes.iter().map(line)).collect()
}

pub(super) fn check(args: &JobArgs, console: &Console) -> Result<()> {
    let job = load(args, false)?;
    let queries = with_threads(args.threads, || Queries::plan(&job))?;
    let job = &queries.queried.job;
    let customers = with_threads(args.threads, || input::customers::open(job))?;
    let plan = Plan::new(job, &customers)?;
    let input::open::Opened { sources, warnings } = with_threads(args.threads, || input::orders::open(job))?;
    let columns = input::orders::columns::check(job, &sources, plan.uses())?;
    customers.check_ids(job, columns.id)?;
    let events = with_threads(args.threads, || input::events::open(job))?;
    events.check_ids(job, columns.id)?;
    with_threads(args.threads, || pipeline::check_assignments(job, &columns))?;
    for warning in plan.warnings.iter().chain(&warnings).chain(&customers.warnings).chain(&events.warnings) {
        console.warn(&warning.to_string());
    }
    let is_queried = queries.queried.is_queried(QueriedTable::Orders);
    console.tell("job", args.job.display().to_string());
    console.tell("job_name", job.raw.name.as_str());
    console.tell("as_of", job.dates.iter().map(|date| date.date.to_string()).collect::<Vec<_>>());
    console.tell("query", is_queried);
    console.tell("files", files_found(&queries, &sources));
    console.tell("rows", (!is_queried).then(|| rows_of(&sources)));
    let text = format!(
        "{}: ok ({}, {} as-of date{}, last {})",
        args.job.display(),
        orders_found(&queries, &sources),
        job.dates.len(),
        if job.dates.len() == 1 { "" } else { "s" },
        job.last()
    );
    console.line("checked", &text)
}

/// How many files orders, or the query that makes them, are read from.
fn files_found(queries: &Queries, sources: &[input::source::Source]) -> usize {
    match queries.queried.is_queried(QueriedTable::Orders) {
        true => queries.queried.sources.iter().map(|source| source.files.len()).sum(),
        false => sources.len(),
    }
}

fn rows_of(sources: &[input::source::Source]) -> u64 {
    sources.iter().map(input::source::Source::rows).sum()
}

/// How many orders there are; where a query makes them, how many files it reads.
fn orders_found(queries: &Queries, sources: &[input::source::Source]) -> String {
    let what = match queries.queried.is_queried(QueriedTable::Orders) {
        true => "a query over".to_owned(),
        false => format!("{} rows in", count(rows_of(sources))),
    };
    let files = files_found(queries, sources);
    format!("{what} {files} file{}", if files == 1 { "" } else { "s" })
}

/// Writes a sample with progress.
pub(super) fn write_sample(spec: &SampleSpec, folder: &std::path::Path, console: &Console) -> Result<sample::SampleSummary> {
    console.begin("making orders", spec.orders);
    let summary = sample::write(spec, folder, &|orders| console.advance(orders))?;
    console.end(&format!(
        "{} orders of {} customers in {} file{} ({} bytes)",
        count(summary.orders),
        count(summary.customers),
        summary.files.len(),
        if summary.files.len() == 1 { "" } else { "s" },
        count(summary.bytes)
    ));
    Ok(summary)
}

pub(super) fn sample(args: &SampleArgs, console: &Console) -> Result<()> {
    let mut spec = SampleSpec::new(args.orders, args.seed, args.from, args.to);
    spec.customers = args.customers;
    spec.bad_rows = args.bad_rows;
    spec.string_ids = args.string_ids;
    spec.service = args.service;
    if let Some(files) = args.files {
        spec.files = files;
    }
    if let (Some(name), Some(effect), Some(from)) = (&args.strategy, args.effect, args.strategy_from) {
        let days = args.strategy_days.unwrap_or(91);
        spec.strategy = Some(StrategySpec { name: name.clone(), effect, from, days });
    }
    let summary = with_threads(args.threads, || write_sample(&spec, &args.folder, console))?;
    if let Some(path) = &summary.assignments {
        console.say(&format!("{} customers assigned: {}", count(summary.assigned), printable(&path.display().to_string())));
    }
    if let Some(path) = &summary.service {
        console.say(&format!("{} service events: {}", count(summary.events), printable(&path.display().to_string())));
    }
    data(
        &summary
            .files
            .iter()
            .chain(&summary.assignments)
            .chain(&summary.service)
            .map(|f| f.display().to_string())
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

pub(super) fn schema(args: &SchemaArgs) -> Result<()> {
    let Some(path) = &args.tables else {
        let text = serde_json::to_string_pretty(&raw::json_schema())
            .map_err(|e| Error::bug(format!("the schema cannot be printed: {e}")).caused_by(e))?;
        return data(&text);
    };
    let (raw, source) = parse::load(path, &[])?;
    let output = raw.output.path.is_none().then(Default::default);
    // The schema depends only on the columns, so a placeholder date is enough.
    let has_dates = raw.periods.as_of.is_some() || raw.periods.every.is_some() || raw.periods.list.is_some();
    let as_of = (!has_dates).then_some(crate::domain::Day(0));
    let job = resolve(raw, source, &Overrides { output, as_of, ..Overrides::default() })?;
    let queries = Queries::plan(&job)?;
    let job = queries.queried.job.clone();
    let plan = Plan::new(&job, &input::customers::open(&job)?)?;
    // Without its orders the id is shown as text; with them as what it is.
    let id = input::orders::open(&job)
        .and_then(|opened| input::orders::columns::check(&job, &opened.sources, plan.uses()))
        .map_or(IdType::Text, |c| c.id);
    let fields: Vec<_> = plan.columns.iter().map(|(f, _)| f.clone()).collect();
    let tables = tables::definitions(&job, &fields, id);
    data(&match args.format {
        TablesFormat::Ddl => tables::ddl(&tables),
        TablesFormat::Dbt => tables::dbt(&tables, &job.raw.name),
        TablesFormat::Markdown => tables::markdown(&tables),
        TablesFormat::Duckdb => duckdb_views(&job.output)?,
    })
}

/// Views for DuckDB: one per table that the output has files of, and those that read them.
fn duckdb_views(output: &Place) -> Result<String> {
    let Some(output) = output.local() else { return publish::duckdb_views(output) };
    let folder = std::path::absolute(output).unwrap_or_else(|_| output.to_owned()).join("tables");
    let entries = std::fs::read_dir(&folder)
        .map_err(|e| Error::input(format!("cannot list {}: {e}; run the job first", folder.display())).caused_by(e))?;
    let mut tables: Vec<String> = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    tables.sort_unstable();
    let mut out = String::new();
    for name in &tables {
        let is_whole = folder.join(name).join(format!("{name}.parquet")).is_file();
        let files = if is_whole { "*.parquet" } else { "*/*.parquet" };
        let files = tables::literal(&folder.join(name).join(files).to_string_lossy());
        let read = format!("read_parquet({files}, hive_partitioning = true, union_by_name = true)");
        // An output of 0.1.0 has the states of every run.
        let which = match name.as_str() {
            "dim_state" if !is_whole => format!(" WHERE as_of = (SELECT max(as_of) FROM {read})"),
            _ => String::new(),
        };
        out.push_str(&format!("CREATE OR REPLACE VIEW {} AS SELECT * FROM {read}{which};\n", tables::identifier(name)));
    }
    for view in tables::views(|name| tables.iter().any(|t| t == name)) {
        out.push_str(&format!("\n{}", view.sql));
    }
    Ok(out)
}

pub(super) fn completions(args: &CompletionsArgs) -> Result<()> {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "rfmill", &mut out);
    data(&String::from_utf8_lossy(&out))
}
