//! The native engine: one reading of the orders, a survey of everybody, and everything else part by part.

use std::path::PathBuf;
use std::time::Instant;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, SchemaRef};
use rayon::prelude::*;

use super::second_pass::{SecondPass, SecondPassOutput};
use super::side_inputs::{LoadedInputs, OpenInputs};
use super::warnings::{self as summary, StateLine};
use super::{first_pass, frozen_cuts, gates, identity, reports, scoring as cuts};
use crate::domain::Day;
use crate::engine::batches::{self, Names};
use crate::engine::experiment::{self, Experiments};
use crate::engine::strategy;
use crate::error::{Error, Result, suggestion};
use crate::input::assignments::AssignmentFile;
use crate::input::hashes::VerifiedHash;
use crate::input::source::Source;
use crate::input::{self, orders::ScannedOrders};
use crate::job::raw::TableName;
use crate::job::{Cuts, Job};
use crate::memory::{self, MemoryPool};
use crate::part::{Concurrency, Labels, PartContext, PartTable, ScoringRules, movement_plan, part_count};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::publish::{CutPointEntry, HashListEntry, InputEntry, Manifest, OutputFolder, Staging, TableEntry, TableFile, Timing};
use crate::score::{Axis, DateScoring, SliceScoring};
use crate::tables::{TableDefinition, definitions, encode, summarise};

/// What a run did.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The manifest of the committed run.
    pub manifest: Manifest,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it had been computed before and was only committed again.
    pub repeated: bool,
    /// States at the last as-of date; empty if repeated or without `segments`.
    pub states: Vec<StateLine>,
}

/// Seconds per step.
struct Clock {
    last: Instant,
    timings: Vec<Timing>,
}

impl Clock {
    fn lap(&mut self, step: &str) {
        self.timings.push(Timing { step: step.into(), seconds: self.last.elapsed().as_secs_f64() });
        self.last = Instant::now();
    }
}

/// Runs a job and commits its tables.
///
/// # Errors
/// Every kind; nothing is visible unless the run is committed.
pub fn run(job: &Job, progress: &dyn Progress) -> Result<Outcome> {
    let mut clock = Clock { last: Instant::now(), timings: Vec::new() };
    let tables_beside = OpenInputs::open(job)?;
    let mut plan = Plan::new(job, &tables_beside.customers)?;
    // An output that cannot be written is found before hours of reading.
    let output = OutputFolder::open(&job.output)?;
    let sources = input::orders::open(job)?;
    let columns = input::orders::columns::check(job, &sources, plan.uses())?;
    tables_beside.check_ids(job, columns.id)?;
    plan.fold.files = sources.len();
    let input_rows: u64 = sources.iter().map(Source::rows).sum();
    let inputs = input_entries(sources.iter().chain(tables_beside.sources(&plan)));
    let assignment_files = experiment::exposure::load::open(job)?;
    let mut assignments = experiment::exposure::load::entries(job, &assignment_files);
    let (inputs_verified, input_manifests) =
        verified(sources.iter().chain(tables_beside.sources(&plan)), assignment_files.iter().flatten());
    let job_sha256 = identity::job_hash(job, &plan)?;
    let run_id = identity::run_id(&job_sha256, &inputs, &assignments, &input_manifests)?;
    if let Some(manifest) = output.finished(&run_id) {
        let folder = output.recommit(&manifest)?;
        // The run may have been killed between its commit and this.
        output.collect(job.keep_runs)?;
        return Ok(Outcome { manifest, folder, repeated: true, states: Vec::new() });
    }
    gates::rows_vs_previous(job, &output, input_rows)?;
    let spend = input::acquisition::read(job)?;
    let frozen = match &job.score.cuts {
        Cuts::Table(path) => Some(frozen_cuts::read_table(path, job)?),
        Cuts::Each | Cuts::Frozen => None,
    };
    clock.lap("open");

    let people = tables_beside.customers.rows();
    let bits = input::orders::bucket_bits(input_rows.max(tables_beside.event_rows(&plan)).max(people));
    let parts = part_count(input_rows + people, 1 << bits);
    let memory = match job.memory_limit {
        Some(limit) => {
            let of_thread = input::orders::reading_bytes(job, &sources, &columns, plan.uses(), bits);
            MemoryPool::limited(limit, of_thread * rayon::current_num_threads() as u64, &output.scratch())?
        }
        None => MemoryPool::unlimited(),
    };
    let assigned = experiment::exposure::load::read(job, &assignment_files, &columns, parts)?;
    if !assigned.is_empty() {
        for (entry, own) in assignments.iter_mut().zip(&assigned) {
            entry.rows = own.rows.outcomes().into_iter().collect();
        }
        memory.check_rss("Assignments of strategies", 1, 1)?;
        clock.lap("assignments");
    }

    let scanned = input::orders::scan(job, &sources, &columns, plan.uses(), bits, &memory, progress)?;
    let ScannedOrders { id, orders, row_counts: mut tally, outcome_names: fates, slices, categories, empty_ids } = scanned;
    let (slice_names, slice_numbers) = ranked(slices);
    unknown_overrides(job, &plan, &slice_names)?;
    plan.fold.slices = slice_numbers;
    let (category_names, category_numbers) = ranked(categories);
    plan.fold.categories = category_numbers;
    let LoadedInputs { beside, values, findings } = tables_beside.read(job, &plan, &columns, orders.len(), &memory, progress)?;
    clock.lap("read");

    let (survey, panels) = first_pass::survey(job, &plan, orders, beside, &memory, progress)?;
    gates::close_ledger(&survey.lines, &mut tally, &sources)?;
    gates::check(job, &tally, &fates, &sources, input_rows, survey.span)?;
    clock.lap("measure");

    progress.begin("scoring", 0);
    let frozen = frozen.map(|by_slice| frozen_by_slice(job, &by_slice, &slice_names)).transpose()?;
    let mut scoring = cuts::score(job, &plan, &survey, frozen.as_deref(), &memory)?;
    if job.raw.customers.is_some() && !slice_names.is_empty() {
        // Who never ordered has no slice, and nothing to be scored by.
        scoring.iter_mut().for_each(|of_date| of_date.push(SliceScoring::default()));
    }
    progress.end("cut points found");
    clock.lap("score");

    let column_fields: Vec<_> = plan.columns.iter().map(|(f, _)| f.clone()).collect();
    let tables = definitions(job, &column_fields, id);
    let table = |name: &str| tables.iter().find(|t| t.name == name).ok_or_else(|| Error::bug(format!("no table {name}")));
    let staging = output.stage(&run_id)?;
    let first_order = survey.span.map(|s| s.0);
    let history_complete: Vec<bool> =
        job.dates.iter().map(|d| is_complete(plan.fold.earliest_window(d.date), first_order)).collect();
    let per_customer = [TableName::Customers, TableName::Movers, TableName::StateHistory].into_iter().filter(|t| job.writes(*t));
    let strategies = match assigned.as_slice() {
        [] => None,
        assigned => Some(Experiments::new(job, &plan, assigned, &slice_names, first_order)?),
    };
    let context = PartContext {
        job,
        plan: &plan,
        scoring: &scoring,
        rules: ScoringRules::new(job, &plan, &slice_names)?,
        labels: Labels::new(job, &plan, &slice_names, &category_names, &values),
        movement: movement_plan(job, &plan),
        rescored_from: strategies.as_ref().map_or_else(Vec::new, |strategies| strategies.rescored_from(job.dates.len())),
        history_complete,
        id,
        tables: per_customer.map(|t| Ok(PartTable::new(t, table(t.name())?.clone()))).collect::<Result<_>>()?,
        staging: &staging,
    };
    let concurrency = Concurrency::new(job, &plan, (survey.customers, input_rows), parts, &memory)?;
    let second_pass = SecondPass { context: &context, buckets: &panels, strategies: strategies.as_ref(), concurrency, parts };
    let SecondPassOutput { part, sums } = second_pass.run(&memory, progress)?;
    clock.lap("write");

    let mut entries = Vec::new();
    for table in &context.tables {
        let files: Vec<TableFile> = part.files.iter().filter(|(name, _)| *name == table.name).map(|(_, f)| f.clone()).collect();
        entries.push(TableEntry { name: table.name.name().into(), rows: files.iter().map(|f| f.rows).sum(), files });
    }
    let dimensions: Vec<(&str, &[String])> =
        job.raw.customers.iter().flat_map(|c| &c.dimensions).map(String::as_str).zip(values.iter().map(Vec::as_slice)).collect();
    let names = Names { slices: &slice_names, schemes: &plan.schemes, dimensions: &dimensions };
    let segments = summarise(&part.segments)?;
    let mut singles = Vec::new();
    let (arms, evaluation, mut of_strategies) = match &strategies {
        Some(strategies) => strategies.evaluate(job, &plan, sums.into_iter().map(|(_, own)| own))?,
        None => Default::default(),
    };
    for name in TableName::ALL.into_iter().filter(|t| job.writes(*t)) {
        let table = table(name.name())?;
        let batch = match name {
            TableName::Customers | TableName::Movers | TableName::StateHistory => continue,
            TableName::Cutpoints => batches::cutpoints(job, &plan, &scoring, &names, table)?,
            TableName::Segments => batches::segments(job, &segments, &names, table)?,
            TableName::Transitions => batches::transitions(job, &part.movement.transitions, &names, table)?,
            TableName::Growth => batches::growth(job, &part.movement.growth, &names, table)?,
            TableName::Cohorts => batches::cohorts(job, &part.movement.cohorts, &spend, &names, table)?,
            TableName::Concentration => batches::concentration(job, (&survey.dates, &memory), &names, table)?,
            TableName::DimState => batches::dim_state(&plan, table)?,
            TableName::DimPeriod => batches::dim_period(job, &context.history_complete, table)?,
            TableName::Effects => strategy::batches::effects(&evaluation.effects, table)?,
            TableName::EffectsOverTime => strategy::batches::over_time(&evaluation.over_time, table)?,
            TableName::Verdicts => strategy::batches::verdicts(&evaluation.verdicts, table)?,
            TableName::Balance => strategy::batches::balance(&evaluation.balance, table)?,
            TableName::BeforeAfter => strategy::batches::before_after(&evaluation.before_after, table)?,
            TableName::Arms => strategy::batches::arms(&arms, job.scale(), table)?,
            TableName::Ledger => batches::ledger(&tally, &fates, &sources, table)?,
        };
        singles.push((name, table, batch));
    }
    let written = singles.par_iter().with_max_len(1).map(|(_, table, batch)| write_single(job, &staging, table, batch));
    entries.extend(written.collect::<Result<Vec<_>>>()?);
    let summed: Vec<(TableName, RecordBatch)> = singles.into_iter().map(|(name, _, batch)| (name, batch)).collect();

    let states = summary::states(&segments, &plan.schemes, job.dates.len() - 1);
    let mut warnings = plan.warnings.clone();
    warnings.extend(warn(job, &plan, &scoring, &slice_names, &states, empty_ids, first_order));
    warnings.append(&mut of_strategies);
    warnings.extend(findings.warnings(job, &plan, part.unmatched_events));
    for warning in &warnings {
        progress.warn(warning);
    }
    for source in sources.iter().chain(tables_beside.sources(&plan)) {
        source.check_unchanged()?;
    }
    for file in assignment_files.iter().flatten() {
        file.check_unchanged()?;
    }
    clock.lap("tables");
    let mut manifest = Manifest {
        rfmill: env!("CARGO_PKG_VERSION").into(),
        run_id,
        job_name: job.raw.name.clone(),
        engine: "native".into(),
        as_of: job.shown().map(|(_, d)| d.date.to_string()).collect(),
        job: identity::job_json(job)?,
        job_sha256,
        inputs,
        input_rows,
        assignments,
        inputs_verified,
        input_manifests,
        tables: entries,
        reports: Vec::new(),
        cut_points: cut_point_entries(job, &scoring, &slice_names),
        warnings,
        timings: clock.timings,
        peak_memory_bytes: memory::peak(),
        spilled_bytes: memory.spill().map_or(0, |spill| spill.bytes()),
    };
    manifest.reports = reports::write(&context, &manifest, &summed, &part.movers)?;
    if plan.crm.is_some() {
        manifest.reports.extend(reports::write_crm(&context, &part.crm)?);
    }
    let folder = output.commit(staging, &manifest)?;
    output.collect(job.keep_runs)?;
    Ok(Outcome { manifest, folder, repeated: false, states })
}

fn input_entries<'a>(sources: impl Iterator<Item = &'a Source>) -> Vec<InputEntry> {
    let entry = |source: &Source| InputEntry {
        file: source.input.name.clone(),
        bytes: source.size,
        modified_ns: source.mtime_ns.to_string(),
        footer_sha256: source.footer_hash.clone(),
        rows: source.rows(),
        row_groups: source.metadata.metadata().num_row_groups(),
        file_sha256: source.verified.as_ref().map(|v| v.sha256.clone()),
    };
    sources.map(entry).collect()
}

/// Whether all that a run reads was checked against lists of hashes, and the lists.
fn verified<'a>(
    sources: impl Iterator<Item = &'a Source>,
    assignments: impl Iterator<Item = &'a AssignmentFile>,
) -> (bool, Vec<HashListEntry>) {
    let checks: Vec<Option<&VerifiedHash>> =
        sources.map(|s| s.verified.as_ref()).chain(assignments.map(|a| a.verified.as_ref())).collect();
    let mut lists: Vec<HashListEntry> = checks
        .iter()
        .flatten()
        .map(|v| HashListEntry { key: v.list.key.into(), file: v.list.name.clone(), sha256: v.list.sha256.clone() })
        .collect();
    lists.sort_unstable();
    lists.dedup();
    (checks.iter().all(Option::is_some), lists)
}

/// Given cut points by slice number.
fn frozen_by_slice(
    job: &Job,
    by_slice: &std::collections::BTreeMap<String, SliceScoring>,
    slices: &[String],
) -> Result<Vec<Option<SliceScoring>>> {
    let names: Vec<&str> = if slices.is_empty() { vec!["(all)"] } else { slices.iter().map(String::as_str).collect() };
    if let Some(missing) = names.iter().find(|n| !by_slice.contains_key(**n)) {
        return Err(Error::contract(format!(
            "the cut points of score.cuts = {:?} lack the slice {missing:?}; use a table that covers every slice of the job",
            job.raw.score.cuts
        )));
    }
    Ok(names.iter().map(|n| by_slice.get(*n).cloned()).collect())
}

/// Slice values or categories in order, and the number of each code in that order.
fn ranked(slices: Vec<String>) -> (Vec<String>, Vec<u32>) {
    let mut order: Vec<usize> = (0..slices.len()).collect();
    order.sort_by(|a, b| slices[*a].cmp(&slices[*b]));
    let mut numbers = vec![0u32; slices.len()];
    for (number, code) in order.iter().enumerate() {
        numbers[*code] = number as u32;
    }
    (order.into_iter().map(|code| slices[code].clone()).collect(), numbers)
}

fn unknown_overrides(job: &Job, plan: &Plan, slices: &[String]) -> Result<()> {
    for column in &plan.schemes {
        if let Some(unknown) = column.overrides.keys().find(|s| !slices.contains(s)) {
            return Err(Error::usage(format!(
                "{}: schemes.{}.override names the slice {unknown:?}, which no order has{} (column {:?} holds {})",
                job.source.locate(unknown),
                column.column,
                suggestion(unknown, slices.iter().map(String::as_str)),
                job.raw.orders.slice.as_deref().unwrap_or_default(),
                slices.iter().take(20).map(|s| format!("{s:?}")).collect::<Vec<_>>().join(", ")
            )));
        }
    }
    Ok(())
}

/// Writes a table that is one file per run; where it has `as_of`, also a partition per date without that column.
fn write_single(job: &Job, staging: &Staging, table: &TableDefinition, batch: &RecordBatch) -> Result<TableEntry> {
    let put = |path: String, schema: &SchemaRef, rows: &RecordBatch| -> Result<TableFile> {
        staging.put(path, encode(table, schema, rows, &job.raw.name)?)
    };
    let whole = put(format!("{}.parquet", table.name), &table.schema(true), batch)?;
    let rows = whole.rows;
    let mut files = vec![whole];
    if let Some(as_of) = batch.column_by_name("as_of") {
        let schema = table.schema(false);
        let days = as_of.as_primitive::<Date32Type>().values();
        let mut stretches = Vec::new();
        let mut start = 0;
        // A date without rows has its file, too: it replaces what an older run had there, and a glob always finds columns.
        for date in job.dates.iter().filter(|d| d.shown).map(|d| d.date) {
            let count = days.iter().skip(start).take_while(|day| **day == date.0).count();
            stretches.push((date, start, count));
            start += count;
        }
        if start != days.len() {
            return Err(Error::bug(format!("{} rows of table {} are of no date of the job", days.len() - start, table.name)));
        }
        let partition = |(date, start, count): &(Day, usize, usize)| {
            let columns = batch.columns().iter().skip(1).map(|c| c.slice(*start, *count)).collect();
            let rows = RecordBatch::try_new(schema.clone(), columns)
                .map_err(|e| Error::bug(format!("table {} cannot be split by date: {e}", table.name)).caused_by(e))?;
            put(format!("partitions/{}/as_of={date}/{}.parquet", table.name, table.name), &schema, &rows)
        };
        files.extend(stretches.par_iter().map(partition).collect::<Result<Vec<_>>>()?);
    }
    Ok(TableEntry { name: table.name.into(), rows, files })
}

fn warn(
    job: &Job,
    plan: &Plan,
    scoring: &[DateScoring],
    slices: &[String],
    states: &[StateLine],
    empty_ids: u64,
    first_order: Option<Day>,
) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(last) = scoring.last() {
        for (number, slice) in last.iter().enumerate().take(20) {
            out.extend(summary::degenerate(job, slices.get(number).map(String::as_str), slice, states, &plan.schemes));
        }
    }
    if empty_ids > 0 {
        out.push(format!(
            "{empty_ids} orders carry an empty customer id and count as one customer; leave them out with a filter such as [[orders.keep]] column = {:?}, not_in = [\"\"]",
            job.raw.orders.customer_id
        ));
    }
    let incomplete: Vec<String> = job
        .shown()
        .filter(|(_, d)| !is_complete(plan.fold.earliest_window(d.date), first_order))
        .map(|(_, d)| d.date.to_string())
        .collect();
    if let (Some(first), Some(start)) = (incomplete.first(), first_order) {
        let dates = if incomplete.len() == 1 {
            format!("at {first}")
        } else {
            format!("at {} as-of dates from {first}", incomplete.len())
        };
        out.push(format!("the data begin on {start}, after a lookback {dates} does (history_complete is false there)"));
    }
    out
}

fn cut_point_entries(job: &Job, scoring: &[DateScoring], slices: &[String]) -> Vec<CutPointEntry> {
    let mut out = Vec::new();
    for (at, date) in job.shown() {
        for (number, slice) in scoring[at].iter().enumerate() {
            for axis in Axis::ALL {
                if let Some(points) = &slice.cuts[axis as usize] {
                    out.push(CutPointEntry {
                        as_of: date.date.to_string(),
                        slice: slices.get(number).cloned().unwrap_or_else(|| "(all)".into()),
                        axis: axis.name().into(),
                        cuts: points.cuts.iter().map(|c| c.ratio().map(|r| r.to_string())).collect(),
                    });
                }
            }
        }
    }
    out
}

/// Whether no window reaches before the data: the first day it looks at is not before the first order.
fn is_complete(earliest_window: Option<Day>, first_order: Option<Day>) -> bool {
    match (earliest_window, first_order) {
        (Some(window), Some(first)) => window >= first,
        _ => true,
    }
}
