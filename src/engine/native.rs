//! The native engine: one reading of the orders, one fold, everything else from the panels.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    StringDictionaryBuilder,
};
use arrow::datatypes::{DataType, UInt16Type};
use rayon::prelude::*;

use super::cuts::{self, Context, DateScoring, SliceScoring};
use super::parts::{self, Writer};
use super::summary::{self, StateLine};
use super::{Plan, plan::SchemeColumn};
use crate::bucket::{self, Unpacked};
use crate::domain::Day;
use crate::error::{Error, Result, suggestion};
use crate::job::raw::{Closed, TableName};
use crate::job::{Cuts, Job};
use crate::measure::{self, BucketPanel};
use crate::progress::Progress;
use crate::publish::{CutPointEntry, InputEntry, Manifest, OutputFolder, Staging, TableEntry, TableFile, Timing};
use crate::scan::ledger::{self, Tally};
use crate::scan::source::Source;
use crate::scan::{self, Scanned};
use crate::scheme::Classifier;
use crate::score::{Axis, Cut};
use crate::table::{Encoded, SegmentRow, SegmentSum, TableDefinition, definitions, encode, summarise};

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
    let mut plan = Plan::new(job)?;
    // An output that cannot be written is found before hours of reading.
    let output = OutputFolder::open(&job.output)?;
    let sources = scan::open(job)?;
    let columns = scan::schema::check(job, &sources, plan.uses())?;
    plan.fold.files = sources.len();
    let inputs = input_entries(&sources);
    let run_id = run_id(job, &plan, &inputs)?;
    let input_rows: u64 = inputs.iter().map(|i| i.rows).sum();
    if let Some(manifest) = output.finished(&run_id) {
        let folder = output.recommit(&manifest)?;
        return Ok(Outcome { manifest, folder, repeated: true, states: Vec::new() });
    }
    rows_vs_previous(job, &output, input_rows)?;
    let frozen = match &job.score.cuts {
        Cuts::Table(path) => Some(cuts::read_table(path, job)?),
        Cuts::Each | Cuts::Frozen => None,
    };
    clock.lap("open");

    let scanned = scan::scan(job, &sources, &columns, plan.uses(), progress)?;
    let Scanned { layout, id, buckets, mut tally, fates, slices, empty_ids } = scanned;
    clock.lap("read");

    progress.begin("measuring customers", buckets.len() as u64);
    let panels: Vec<BucketPanel> = buckets
        .into_par_iter()
        .map_init(Unpacked::default, |orders, chunks| {
            bucket::unpack(layout, chunks, orders);
            progress.advance(1);
            measure::fold(layout, orders, &plan.fold)
        })
        .collect::<Result<_>>()?;
    let customers: usize = panels.iter().map(|p| p.ids.len()).sum();
    progress.end(&format!("{customers} customers"));
    close_ledger(&panels, &mut tally, &sources)?;
    let span = panels.iter().filter_map(|p| p.span).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    gates(job, &tally, &fates, &sources, input_rows, span)?;
    clock.lap("measure");

    let (slice_names, slice_numbers) = ranked(slices);
    unknown_overrides(job, &plan, &slice_names)?;
    progress.begin("scoring", 0);
    let context = Context::new(job, &plan, &panels, &slice_numbers);
    let scoring = match frozen {
        None => context.score()?,
        Some(by_slice) => {
            let names: Vec<&str> =
                if slice_names.is_empty() { vec!["(all)"] } else { slice_names.iter().map(String::as_str).collect() };
            let frozen: Vec<Option<SliceScoring>> = names.iter().map(|n| by_slice.get(*n).cloned()).collect();
            if let Some(missing) = names.iter().zip(&frozen).find(|(_, f)| f.is_none()) {
                return Err(Error::contract(format!(
                    "the cut points of score.cuts = {:?} lack the slice {:?}; use a table that covers every slice of the job",
                    job.raw.score.cuts, missing.0
                )));
            }
            context.score_with(&frozen)?
        }
    };
    progress.end("cut points found");
    clock.lap("score");

    let column_fields: Vec<_> = plan.columns.iter().map(|(f, _)| f.clone()).collect();
    let tables = definitions(job, &column_fields, id);
    let table = |name: &str| tables.iter().find(|t| t.name == name).ok_or_else(|| Error::bug(format!("no table {name}")));
    let staging = output.stage(&run_id)?;
    let history_complete: Vec<bool> =
        job.dates.iter().map(|d| parts::is_complete(plan.fold.earliest_window(d.date), span.map(|s| s.0))).collect();
    let writer = Writer {
        context: &context,
        scoring: &scoring,
        classifiers: classifiers(job, &plan, &slice_names)?,
        states: plan.schemes.iter().map(|s| Arc::new(StringArray::from(s.scheme.all_states()))).collect(),
        slices: Arc::new(StringArray::from(slice_names.clone())),
        history_complete,
        id,
        schema: table("customers")?.schema(false),
        table: table("customers")?,
        write: job.writes(TableName::Customers),
    };
    let (customer_files, sums) = write_customers(job, &writer, &staging, customers, progress)?;
    clock.lap("write");

    let mut entries = Vec::new();
    if job.writes(TableName::Customers) {
        entries.push(TableEntry {
            name: "customers".into(),
            rows: customer_files.iter().map(|f| f.rows).sum(),
            files: customer_files,
        });
    }
    let rows = summarise(&sums)?;
    let names = Names { slices: &slice_names, schemes: &plan.schemes };
    if job.writes(TableName::Cutpoints) {
        let batch = cutpoints(job, &plan, &scoring, &names, table("cutpoints")?)?;
        entries.push(write_single(job, &staging, table("cutpoints")?, &batch)?);
    }
    if job.writes(TableName::Segments) {
        let batch = segments(job, &rows, &names, table("segments")?)?;
        entries.push(write_single(job, &staging, table("segments")?, &batch)?);
    }
    if job.writes(TableName::Ledger) {
        let batch = ledger_batch(&tally, &fates, &sources, table("ledger")?)?;
        entries.push(write_single(job, &staging, table("ledger")?, &batch)?);
    }

    let states = summary::states(&rows, &plan.schemes, job.dates.len() - 1);
    let mut warnings = plan.warnings.clone();
    warnings.extend(warn(job, &plan, &scoring, &slice_names, &states, empty_ids, span));
    for warning in &warnings {
        progress.warn(warning);
    }
    for source in &sources {
        source.check_unchanged()?;
    }
    clock.lap("tables");
    let manifest = Manifest {
        rfmill: env!("CARGO_PKG_VERSION").into(),
        run_id,
        job_name: job.raw.name.clone(),
        engine: "native".into(),
        as_of: job.dates.iter().map(|d| d.date.to_string()).collect(),
        job: job_json(job)?,
        job_sha256: job_hash(job, &plan)?,
        inputs,
        input_rows,
        inputs_verified: false,
        tables: entries,
        cut_points: cut_point_entries(job, &scoring, &slice_names),
        warnings,
        timings: clock.timings,
        peak_memory_bytes: peak_memory(),
    };
    let folder = output.commit(staging, &manifest)?;
    output.collect(job.keep_runs)?;
    Ok(Outcome { manifest, folder, repeated: false, states })
}

fn input_entries(sources: &[Source]) -> Vec<InputEntry> {
    let entry = |source: &Source| InputEntry {
        file: source.input.name.clone(),
        bytes: source.size,
        modified_ns: source.mtime_ns.to_string(),
        footer_sha256: source.footer_hash.clone(),
        rows: source.rows(),
        row_groups: source.metadata.metadata().num_row_groups(),
    };
    sources.iter().map(entry).collect()
}

/// The job as JSON, without where its output goes.
fn job_json(job: &Job) -> Result<serde_json::Value> {
    let mut json = serde_json::to_value(&job.raw).map_err(|e| Error::bug(format!("the job cannot be shown as JSON: {e}")))?;
    if let Some(output) = json.get_mut("output").and_then(|o| o.as_object_mut()) {
        output.remove("path");
        output.remove("keep_runs");
    }
    Ok(json)
}

/// Hash of everything in the job that decides over the result.
fn job_hash(job: &Job, plan: &Plan) -> Result<String> {
    let mut text = job_json(job)?.to_string();
    text.push_str(&format!("{:?}{:?}", job.dates, plan.schemes));
    if let Cuts::Table(path) = &job.score.cuts {
        let bytes = std::fs::read(path).map_err(|e| {
            Error::input(format!("cannot read the cut points {} (score.cuts): {e}; check the path", path.display()))
        })?;
        text.push_str(&crate::hash::sha256(&bytes));
    }
    Ok(crate::hash::sha256(text.as_bytes()))
}

fn run_id(job: &Job, plan: &Plan, inputs: &[InputEntry]) -> Result<String> {
    let inputs = serde_json::to_string(inputs).map_err(|e| Error::bug(format!("the inputs cannot be shown as JSON: {e}")))?;
    let text = format!("{}\n{}\n{inputs}", env!("CARGO_PKG_VERSION"), job_hash(job, plan)?);
    Ok(crate::hash::sha256(text.as_bytes()).chars().take(16).collect())
}

fn rows_vs_previous(job: &Job, output: &OutputFolder, rows: u64) -> Result<()> {
    let Some([least, most]) = job.raw.checks.rows_vs_previous else { return Ok(()) };
    let Some(before) = output.last_manifest()? else { return Ok(()) };
    let ratio = rows as f64 / before.input_rows.max(1) as f64;
    if ratio >= least && ratio <= most {
        return Ok(());
    }
    Err(Error::contract(format!(
        "the input has {rows} rows, {ratio:.3} times the {} of the last committed run; checks.rows_vs_previous allows {least} to {most}. Look for missing or doubled files, or run once with --set checks.rows_vs_previous=[0,1000]",
        before.input_rows
    )))
}

/// Adds the fates that only the fold knows, and checks that every row and all money is accounted for.
fn close_ledger(panels: &[BucketPanel], tally: &mut Tally, sources: &[Source]) -> Result<()> {
    for panel in panels {
        for (file, lines) in panel.lines.iter().enumerate() {
            tally.add(file, ledger::KEPT, lines.kept.0, lines.kept.1);
            tally.add(file, ledger::AFTER_AS_OF, lines.after.0, lines.after.1);
            tally.add(file, ledger::ZERO, lines.zero.0, lines.zero.1);
        }
    }
    for (file, source) in sources.iter().enumerate() {
        let (rows, money, read) = tally.balance(file);
        if rows != source.rows() || money != read {
            return Err(Error::bug(format!(
                "the ledger of {} accounts for {rows} of {} rows and {money} of {read} minor units",
                source.name(),
                source.rows()
            )));
        }
    }
    Ok(())
}

/// The gates of the data contract.
fn gates(job: &Job, tally: &Tally, fates: &ledger::Fates, sources: &[Source], rows: u64, span: Option<(Day, Day)>) -> Result<()> {
    let orders = &job.raw.orders;
    let share = |n: u64| n as f64 / rows.max(1) as f64;
    let rejected = tally.rows(ledger::is_rejection);
    if rows > 0 && share(rejected) > orders.max_rejected {
        let worst = tally.worst_rejection().map_or_else(String::new, |(file, fate, n)| {
            let name = sources.get(file).map_or_else(String::new, Source::name);
            format!(", most of them {} ({n} in {name}, column {})", fates.name(fate), column_of(job, fate))
        });
        return Err(Error::contract(format!(
            "{rejected} of {rows} rows ({:.4} %) are rejected{worst}; orders.max_rejected allows {} %. Correct the data, filter the rows with orders.keep, or raise orders.max_rejected",
            share(rejected) * 100.0,
            orders.max_rejected * 100.0
        )));
    }
    let guests = tally.rows(|fate| fate == ledger::NO_CUSTOMER);
    if rows > 0 && share(guests) > orders.max_no_customer {
        return Err(Error::contract(format!(
            "{guests} of {rows} rows ({:.4} %) have no customer (column {:?} is null); orders.max_no_customer allows {} %. Correct the data or raise the limit",
            share(guests) * 100.0,
            orders.customer_id,
            orders.max_no_customer * 100.0
        )));
    }
    let kept = tally.rows(|fate| fate == ledger::KEPT);
    let last = job.last();
    if kept == 0 {
        let after = tally.rows(|fate| fate == ledger::AFTER_AS_OF);
        let why = if rows == 0 {
            "the input has no rows; check orders.path".into()
        } else if after > 0 {
            format!("{after} of {rows} rows are later; check the as-of date")
        } else {
            format!("none of {rows} rows is kept; see orders.keep and the customer and date columns")
        };
        return Err(Error::contract(format!("there is no order on or before the as-of date {last}: {why}")));
    }
    if let (Some(within), Some((_, newest))) = (job.newest_order_within, span)
        && last.0.saturating_sub(newest.0) > within
    {
        return Err(Error::contract(format!(
            "the newest order (column {:?}) is of {newest}, {} days before the as-of date {last}; checks.newest_order_within allows {within}. Look for a missing file or partition, or raise the limit",
            job.raw.orders.ordered_at,
            last.0 - newest.0
        )));
    }
    Ok(())
}

fn column_of(job: &Job, fate: ledger::Fate) -> String {
    let orders = &job.raw.orders;
    let name = match fate {
        ledger::NULL_SLICE => orders.slice.clone().unwrap_or_default(),
        ledger::NULL_DATE | ledger::DATE_OUT_OF_RANGE => orders.ordered_at.clone(),
        ledger::NULL_ORDER_ID => orders.order_id.clone().unwrap_or_default(),
        ledger::NULL_CURRENCY => orders.currency.clone().unwrap_or_default(),
        _ => orders.amount.as_slice().join(" × "),
    };
    format!("{name:?}")
}

/// Slice values in order, and the number of each code in that order.
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

fn classifiers(job: &Job, plan: &Plan, slices: &[String]) -> Result<Vec<Vec<Classifier>>> {
    let compile = |scheme| Classifier::new(scheme, &plan.fold.measures, |m| plan.fold.unit(m), job.scale());
    plan.schemes
        .iter()
        .map(|column| {
            if slices.is_empty() {
                return Ok(vec![compile(&column.scheme)?]);
            }
            slices.iter().map(|s| compile(column.overrides.get(s).unwrap_or(&column.scheme))).collect()
        })
        .collect()
}

type PartSums = Vec<([u32; 4], SegmentSum)>;

/// Classifies all customers and writes `customers`, part by part in parallel.
fn write_customers(
    job: &Job,
    writer: &Writer<'_>,
    staging: &Staging,
    customers: usize,
    progress: &dyn Progress,
) -> Result<(Vec<TableFile>, PartSums)> {
    let parts = parts::count(customers);
    let buckets = writer.context.panels.len();
    progress.begin("writing customers", parts as u64);
    let done: Vec<(Vec<TableFile>, PartSums)> = (0..parts)
        .into_par_iter()
        .map(|number| {
            let part = writer.part(number, number * buckets / parts..(number + 1) * buckets / parts)?;
            let mut files = Vec::new();
            for (date, encoded) in job.dates.iter().zip(part.files) {
                if let Some(encoded) = encoded {
                    let path = format!("customers/as_of={}/part-{number:03}.parquet", date.date);
                    files.push(write_file(staging, path, encoded)?);
                }
            }
            progress.advance(1);
            Ok((files, part.sums))
        })
        .collect::<Result<_>>()?;
    let (mut files, mut sums) = (Vec::new(), Vec::new());
    for (own, part_sums) in done {
        files.extend(own);
        sums.extend(part_sums);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    progress.end(&format!("{} rows", files.iter().map(|f| f.rows).sum::<u64>()));
    Ok((files, sums))
}

fn write_file(staging: &Staging, path: String, encoded: Encoded) -> Result<TableFile> {
    staging.write(&path, &encoded.bytes)?;
    Ok(TableFile { path, rows: encoded.rows, bytes: encoded.bytes.len() as u64, sha256: encoded.sha256 })
}

/// Writes a table that is one file per run; where it has `as_of`, also a partition per date without that column.
fn write_single(job: &Job, staging: &Staging, table: &TableDefinition, batch: &RecordBatch) -> Result<TableEntry> {
    let schema = table.schema(true);
    let whole = encode(table, &schema, batch, &job.raw.name)?;
    let rows = whole.rows;
    let mut files = vec![write_file(staging, format!("{}.parquet", table.name), whole)?];
    if let Some(as_of) = batch.column_by_name("as_of") {
        let schema = table.schema(false);
        let days = arrow::array::AsArray::as_primitive::<arrow::datatypes::Date32Type>(as_of).values();
        let mut start = 0;
        for of_date in days.chunk_by(|a, b| a == b) {
            let day = Day(of_date.first().copied().unwrap_or(0));
            let columns = batch.columns().iter().skip(1).map(|c| c.slice(start, of_date.len())).collect();
            let part = RecordBatch::try_new(schema.clone(), columns)
                .map_err(|e| Error::bug(format!("table {} cannot be split by date: {e}", table.name)))?;
            let path = format!("partitions/{}/as_of={day}/{}.parquet", table.name, table.name);
            files.push(write_file(staging, path, encode(table, &schema, &part, &job.raw.name)?)?);
            start += of_date.len();
        }
    }
    Ok(TableEntry { name: table.name.into(), rows, files })
}

/// Names behind the numbers of rows.
struct Names<'a> {
    slices: &'a [String],
    schemes: &'a [SchemeColumn],
}

impl Names<'_> {
    fn slice(&self, number: usize) -> &str {
        self.slices.get(number).map_or("(all)", String::as_str)
    }
}

fn states_array(values: impl Iterator<Item = String>) -> ArrayRef {
    let mut builder = StringDictionaryBuilder::<UInt16Type>::new();
    for value in values {
        builder.append_value(value);
    }
    Arc::new(builder.finish())
}

fn decimals(values: impl Iterator<Item = Option<i128>>, scale: i8) -> ArrayRef {
    let array: Decimal128Array = values.collect();
    Arc::new(array.with_data_type(DataType::Decimal128(38, scale)))
}

fn batch_of(table: &TableDefinition, arrays: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(table.schema(true), arrays)
        .map_err(|e| Error::bug(format!("table {} cannot be put together: {e}", table.name)))
}

struct CutRow {
    date: Day,
    slice: String,
    axis: &'static str,
    bin: i32,
    lower: Option<(f64, String)>,
    upper: Option<(f64, String)>,
    closed: Closed,
    customers: i64,
}

fn cutpoints(job: &Job, plan: &Plan, scoring: &[DateScoring], names: &Names<'_>, table: &TableDefinition) -> Result<RecordBatch> {
    let mut rows: Vec<CutRow> = Vec::new();
    for (date, scoring) in job.dates.iter().zip(scoring) {
        for (number, slice) in scoring.slices.iter().enumerate() {
            for axis in Axis::ALL {
                let at = axis as usize;
                let scale = if axis == Axis::Monetary { job.monetary_scale() } else { 0 };
                if let Some(points) = &slice.cuts[at] {
                    let bound = |cut: Option<&Cut>| cut.and_then(|c| c.ratio()).map(|r| (r.printed(scale), r.to_string()));
                    for (bin, customers) in slice.bins[at].iter().enumerate() {
                        rows.push(CutRow {
                            date: date.date,
                            slice: names.slice(number).into(),
                            axis: axis.name(),
                            bin: bin as i32 + 1,
                            lower: bin.checked_sub(1).and_then(|b| bound(points.cuts.get(b))),
                            upper: bound(points.cuts.get(bin)),
                            closed: points.closed,
                            customers: *customers as i64,
                        });
                    }
                }
            }
            for axis in Axis::ALL.into_iter().filter(|_| plan.uses_levels()) {
                let Some(levels) = &slice.levels else { continue };
                let (level, sides) = (&levels[axis as usize], slice.level_sides[axis as usize]);
                let scale = if axis == Axis::Monetary && !level.of_score { job.monetary_scale() } else { 0 };
                let bound = Some((level.bound.printed(scale), level.bound.to_string()));
                for (bin, customers) in sides.into_iter().enumerate() {
                    rows.push(CutRow {
                        date: date.date,
                        slice: names.slice(number).into(),
                        axis: axis.level_name(),
                        bin: bin as i32 + 1,
                        lower: bound.clone().filter(|_| bin == 1),
                        upper: bound.clone().filter(|_| bin == 0),
                        closed: cuts::level_closed(level),
                        customers: customers as i64,
                    });
                }
            }
        }
    }
    let end = |of: fn(&CutRow) -> &Option<(f64, String)>| -> (ArrayRef, ArrayRef) {
        let numbers = Float64Array::from_iter(rows.iter().map(|r| of(r).as_ref().map(|e| e.0)));
        let exact = StringArray::from_iter(rows.iter().map(|r| of(r).as_ref().map(|e| e.1.as_str())));
        (Arc::new(numbers), Arc::new(exact))
    };
    let ((lower, lower_exact), (upper, upper_exact)) = (end(|r| &r.lower), end(|r| &r.upper));
    let closed = |r: &CutRow| match r.closed {
        Closed::Right => "right".to_owned(),
        Closed::Left => "left".to_owned(),
    };
    batch_of(
        table,
        vec![
            Arc::new(Date32Array::from_iter_values(rows.iter().map(|r| r.date.0))),
            states_array(rows.iter().map(|r| r.slice.clone())),
            states_array(rows.iter().map(|r| r.axis.to_owned())),
            Arc::new(Int32Array::from_iter_values(rows.iter().map(|r| r.bin))),
            lower,
            upper,
            lower_exact,
            upper_exact,
            states_array(rows.iter().map(closed)),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.customers))),
        ],
    )
}

fn segments(job: &Job, rows: &[SegmentRow], names: &Names<'_>, table: &TableDefinition) -> Result<RecordBatch> {
    let mut rows: Vec<SegmentRow> = rows.to_vec();
    // States in the order of the ladder.
    rows.sort_by_key(|r| {
        let rank = names.schemes.get(r.key[2] as usize).map_or(0, |s| s.scheme.rank(r.key[3] as usize));
        (r.key[0], r.key[1], r.key[2], rank)
    });
    let all_states: Vec<Vec<String>> = names.schemes.iter().map(|s| s.scheme.all_states()).collect();
    let date = |r: &SegmentRow| job.dates.get(r.key[0] as usize).map_or(0, |d| d.date.0);
    let scale = job.scale() as i8;
    let average = job.score.monetary_as == crate::job::raw::MonetaryAs::Average;
    let customers = |r: &SegmentRow| r.sum.customers.max(1) as f64;
    batch_of(
        table,
        vec![
            Arc::new(Date32Array::from_iter_values(rows.iter().map(date))),
            states_array(rows.iter().map(|r| names.slice(r.key[1] as usize).to_owned())),
            states_array(rows.iter().map(|_| "(all)".to_owned())),
            states_array(rows.iter().map(|_| "(all)".to_owned())),
            states_array(
                rows.iter().map(|r| names.schemes.get(r.key[2] as usize).map_or_else(String::new, |s| s.column.clone())),
            ),
            states_array(rows.iter().map(|r| {
                let states = all_states.get(r.key[2] as usize);
                states.and_then(|s| s.get(r.key[3] as usize)).cloned().unwrap_or_default()
            })),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.sum.customers))),
            Arc::new(Float64Array::from_iter_values(rows.iter().map(SegmentRow::customer_share))),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.sum.orders))),
            decimals(rows.iter().map(|r| Some(r.sum.revenue)), scale),
            Arc::new(Float64Array::from_iter(rows.iter().map(SegmentRow::revenue_share))),
            decimals(rows.iter().map(SegmentRow::avg_order_value), scale + 2),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.sum.repeat_customers))),
            decimals(rows.iter().map(|r| Some(r.sum.revenue_at_risk)), scale),
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|r| r.sum.recency_days as f64 / customers(r)))),
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|r| r.sum.orders as f64 / customers(r)))),
            decimals(rows.iter().map(|r| Some(r.mean_monetary(average))), scale + 2),
        ],
    )
}

fn ledger_batch(tally: &Tally, fates: &ledger::Fates, sources: &[Source], table: &TableDefinition) -> Result<RecordBatch> {
    let scale = match table.fields.iter().find(|f| f.name == "amount").map(|f| f.kind) {
        Some(crate::table::ColumnType::Decimal(_, scale)) => scale,
        _ => 0,
    };
    // Several filters on one column are one outcome.
    let mut rows: std::collections::BTreeMap<(usize, ledger::Fate, String), (u64, i128)> = std::collections::BTreeMap::new();
    let mut first: std::collections::BTreeMap<String, ledger::Fate> = std::collections::BTreeMap::new();
    for (file, fate, count, money) in tally.cells() {
        let name = fates.name(fate);
        let fate = *first.entry(name.clone()).or_insert(fate);
        let cell = rows.entry((file, fate, name)).or_default();
        cell.0 += count;
        cell.1 += money;
    }
    let file = |number: usize| sources.get(number).map_or_else(String::new, |s| s.input.name.clone());
    batch_of(
        table,
        vec![
            Arc::new(StringArray::from_iter_values(rows.keys().map(|(number, _, _)| file(*number)))),
            states_array(rows.keys().map(|(_, _, name)| name.clone())),
            Arc::new(Int64Array::from_iter_values(rows.values().map(|(count, _)| *count as i64))),
            decimals(rows.values().map(|(_, money)| Some(*money)), scale),
        ],
    )
}

fn warn(
    job: &Job,
    plan: &Plan,
    scoring: &[DateScoring],
    slices: &[String],
    states: &[StateLine],
    empty_ids: u64,
    span: Option<(Day, Day)>,
) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(last) = scoring.last() {
        for (number, slice) in last.slices.iter().enumerate().take(20) {
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
        .dates
        .iter()
        .filter(|d| !parts::is_complete(plan.fold.earliest_window(d.date), span.map(|s| s.0)))
        .map(|d| d.date.to_string())
        .collect();
    if let (Some(first), Some((start, _))) = (incomplete.first(), span) {
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
    for (date, scoring) in job.dates.iter().zip(scoring) {
        for (number, slice) in scoring.slices.iter().enumerate() {
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

/// Largest resident memory of this process in bytes, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
