//! `rfmill run JOB --dry-run`: what a run would meet and write, by a sample of the orders.

use serde_json::{Value, json};

use super::args::RunArgs;
use super::commands::{load, with_threads};
use super::console::{Console, columns, count, data, printable};
use crate::domain::Day;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::pipeline::{self, DryRun, OutcomeLine, Sample};
use crate::progress::Progress;

pub(super) fn run(args: &RunArgs, console: &Console) -> Result<()> {
    let job = load(&args.job, true)?;
    let found = with_threads(args.job.threads, || pipeline::dry_run(&job, args.sample_rows, console))?;
    let is_all = found.sample.is_all();
    found.warnings.iter().for_each(|warning| console.warn(&warning.to_string()));
    for warning in &found.of_rows {
        let of_sample = if is_all { "" } else { "in the sample: " };
        console.warn(&format!("{of_sample}{warning}"));
    }
    tell(&job, &found, console);
    if !console.is_document() {
        data(&text(&job, &found))?;
    }
    match found.failure {
        None => Ok(()),
        Some(error) if is_all => Err(Error::new(error.kind(), format!("the run would fail: {error}")).caused_by(error)),
        Some(error) => {
            let what = format!("the run would fail if all rows were like those of the sample: {error}");
            Err(Error::new(error.kind(), what).caused_by(error))
        }
    }
}

/// What is said to people.
fn text(job: &Job, found: &DryRun) -> String {
    let mut out = format!("dry run of {:?}: {}; nothing is written\n", job.raw.name, sampled(&found.sample));
    let rows = if found.sample.is_all() { "rows" } else { "rows of the sample" };
    let heading = [rows, "rows", "share", "money"].map(str::to_owned).to_vec();
    let line = |line: &OutcomeLine| {
        vec![printable(&line.outcome), count(line.rows), format!("{:.1} %", line.share * 100.0), count(&line.money)]
    };
    let table: Vec<Vec<String>> = std::iter::once(heading).chain(found.outcomes.iter().map(line)).collect();
    out.push_str(&format!("\n{}\n\n", columns(&table)));
    let span = |span: Option<(Day, Day)>| span.map_or("none".to_owned(), |(first, last)| format!("{first} to {last}"));
    let of = if found.sample.is_all() { "rows that count" } else { "rows of the sample that count" };
    out.push_str(&format!("dates of {of}: {}\n", span(found.dates)));
    if found.all_dates.is_some() {
        out.push_str(&format!("dates of all rows, by the statistics of the files (UTC): {}\n", span(found.all_dates)));
    }
    out.push_str(&format!("\nA run would write run {} into {}:\n", found.run_id, job.output));
    for (date, supplier) in &found.as_of {
        let instead = match supplier {
            Some(run) if *run == found.run_id => ", which is there already: this run was computed before".to_owned(),
            Some(run) => format!(", in place of run {run}"),
            None => String::new(),
        };
        out.push_str(&format!("  as of {date}{instead}\n"));
    }
    out.push_str(&format!("  tables: {}\n", found.tables.join(", ")));
    out
}

/// Which rows were read.
fn sampled(sample: &Sample) -> String {
    let (read, all) = sample.rows;
    let of_query = if sample.is_queried { " that the query gives" } else { "" };
    if sample.is_all() {
        return format!("all {} rows{of_query} were read", count(all));
    }
    let ((groups, all_groups), files) = (sample.row_groups, sample.files);
    format!(
        "a sample of {} of {} rows{of_query} was read ({} of {} row groups, evenly over {} file{})",
        count(read),
        count(all),
        count(groups),
        count(all_groups),
        count(files),
        if files == 1 { "" } else { "s" }
    )
}

/// What is said as a document.
fn tell(job: &Job, found: &DryRun, console: &Console) {
    let sample = &found.sample;
    let span = |span: Option<(Day, Day)>| -> Value {
        span.map_or(Value::Null, |(first, last)| json!({ "first": first.to_string(), "last": last.to_string() }))
    };
    let outcome =
        |line: &OutcomeLine| json!({ "outcome": line.outcome, "rows": line.rows, "share": line.share, "money": line.money });
    let as_of = |(date, supplier): &(Day, Option<String>)| json!({ "date": date.to_string(), "run_id": supplier });
    console.tell("dry_run", true);
    console.tell("run_id", found.run_id.as_str());
    console.tell("job_name", job.raw.name.as_str());
    console.tell("output", job.output.to_string());
    console.tell(
        "sample",
        json!({
            "rows": sample.rows.0,
            "of_rows": sample.rows.1,
            "row_groups": sample.row_groups.0,
            "of_row_groups": sample.row_groups.1,
            "files": sample.files,
            "query": sample.is_queried,
        }),
    );
    console.tell("outcomes", found.outcomes.iter().map(outcome).collect::<Vec<_>>());
    console.tell("dates", span(found.dates));
    console.tell("all_dates", span(found.all_dates));
    console.tell("as_of", found.as_of.iter().map(as_of).collect::<Vec<_>>());
    console.tell("tables", found.tables.clone());
}
