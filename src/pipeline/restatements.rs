//! What earlier commits told of the dates of a run, beside what the run tells of them.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use serde_json::Value;

use super::prepared::Prepared;
use super::summary_rows::KeyNames;
use crate::domain::{ALL, Day, Decimal};
use crate::error::Result;
use crate::job::Job;
use crate::job::raw::TableName;
use crate::publish::{InputEntry, LakeTableEntry, Manifest, Output, SourceEntry};
use crate::tables::{EncodedFile, RestatementRow, Row, Segment, SegmentRow, definition_of, encode, to_batch};

/// Input files that a row names, at most.
const NAMED: usize = 10;

/// Customers, orders and minor units of a slice at a date.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    customers: i64,
    orders: i64,
    revenue: i128,
}

/// Totals by date and slice.
pub type TotalsByDate = BTreeMap<Day, BTreeMap<String, Totals>>;

/// Per date of the job, whether tables do not show it, but an earlier commit told of it and states are compared with it.
pub fn hidden_but_told(job: &Job, output: &Output) -> Vec<bool> {
    let told: BTreeSet<&str> = output.told_dates().collect();
    let writes = job.writes(TableName::Restatements);
    let is_compared = |at: usize| job.origins.iter().flatten().any(|origin| *origin == at);
    let dates = job.dates.iter().enumerate();
    dates.map(|(at, d)| writes && !d.is_shown() && is_compared(at) && told.contains(d.date.to_string().as_str())).collect()
}

/// The totals of all dates that were summed, over the states of the first scheme.
pub(super) fn totals(segments: &[Segment], names: &KeyNames<'_>) -> TotalsByDate {
    let mut totals = TotalsByDate::new();
    for ([date, slice, dimension, _, scheme, _], sum) in segments {
        if *dimension == 0 && *scheme == 0 {
            let total = totals.entry(names.date(*date)).or_default().entry(names.slice(*slice as usize)).or_default();
            total.customers += sum.customers;
            total.orders += sum.orders;
            total.revenue += sum.revenue;
        }
    }
    totals
}

/// The rows: every date of the run of which a commit of another run told, by slice.
pub fn rows(job: &Job, prepared: &Prepared, output: &Output, totals: &TotalsByDate) -> Vec<RestatementRow> {
    if !job.writes(TableName::Restatements) {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for (date, now) in totals {
        let told = output.told(&date.to_string()).filter(|told| told.run_id != prepared.identity.run_id);
        let Some(told) = told else { continue };
        let Some(then) = totals_of(&told.segments, job.scale()) else { continue };
        let then = then.get(date).cloned().unwrap_or_default();
        let inputs = told.manifest.as_ref().map(|manifest| Inputs::since(manifest, prepared));
        let slices: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
        for slice in slices {
            rows.push(row(job, (*date, slice), &told.run_id, [then.get(slice), now.get(slice)], inputs.as_ref()));
        }
    }
    rows
}

/// The rows of a run that is committed again: what other runs have told of its dates since then, and of the dates of which they
/// have not, what its earlier commit said. None if no other run has, or the tables of the run do not say.
pub fn rows_again(job: &Job, prepared: &Prepared, output: &Output, manifest: &Manifest) -> Vec<RestatementRow> {
    let Some(own) = output.told_by(manifest) else { return Vec::new() };
    let mut rows = totals_of(&own.segments, job.scale()).map_or_else(Vec::new, |totals| rows(job, prepared, output, &totals));
    if rows.is_empty() {
        return rows;
    }
    let told: BTreeSet<Day> = rows.iter().map(|row| row.told_as_of).collect();
    let earlier = own.restatements.iter().filter_map(|batch| RestatementRow::from_batch("restatements", batch).ok()).flatten();
    rows.extend(earlier.filter(|row| !told.contains(&row.told_as_of)));
    rows.sort_by(|a, b| (a.told_as_of, &a.slice).cmp(&(b.told_as_of, &b.slice)));
    rows
}

fn row(
    job: &Job,
    (date, slice): (Day, &str),
    told_by: &str,
    [then, now]: [Option<&Totals>; 2],
    inputs: Option<&Inputs>,
) -> RestatementRow {
    // Nobody is a slice that nothing is told of.
    let of = |number: fn(&Totals) -> i64| {
        let [then, now] = [then, now].map(|totals| totals.map_or(0, number));
        [Some(then), Some(now), Some(now - then)]
    };
    let money = |digits: i128| Some(Decimal { digits, scale: job.scale() });
    let [revenue_then, revenue_now] = [then, now].map(|totals| totals.map_or(0, |totals| totals.revenue));
    let ([customers_then, customers_now, customers_change], [orders_then, orders_now, orders_change]) =
        (of(|totals| totals.customers), of(|totals| totals.orders));
    RestatementRow {
        told_as_of: date,
        slice: slice.to_owned(),
        told_by: told_by.to_owned(),
        customers_then,
        customers_now,
        customers_change,
        orders_then,
        orders_now,
        orders_change,
        revenue_then: money(revenue_then),
        revenue_now: money(revenue_now),
        revenue_change: money(revenue_now - revenue_then),
        inputs_new: inputs.map(|inputs| inputs.new.len() as i64),
        inputs_changed: inputs.map(|inputs| inputs.changed.len() as i64),
        inputs_gone: inputs.map(|inputs| inputs.gone as i64),
        inputs: inputs.map(Inputs::names),
        job_changed: inputs.map(|inputs| inputs.job_changed),
    }
}

/// Totals as rows of `segments` tell them; `None` if these are of another form.
fn totals_of(segments: &[RecordBatch], scale: u32) -> Option<TotalsByDate> {
    let mut totals = TotalsByDate::new();
    let mut first: Option<String> = None;
    for batch in segments {
        for row in SegmentRow::from_batch("segments", batch).ok()?.into_iter().filter(|row| row.dimension == ALL) {
            // Every scheme has the same customers.
            if *first.get_or_insert_with(|| row.scheme.clone()) != row.scheme {
                continue;
            }
            let total = totals.entry(row.as_of).or_default().entry(row.slice).or_default();
            total.customers += row.customers?;
            total.orders += row.orders?;
            total.revenue += row.revenue.filter(|money| money.scale == scale)?.digits;
        }
    }
    Some(totals)
}

/// What became of the input files since an earlier run.
struct Inputs {
    new: Vec<String>,
    changed: Vec<String>,
    gone: usize,
    job_changed: bool,
}

impl Inputs {
    fn since(then: &Manifest, prepared: &Prepared) -> Inputs {
        let identity = &prepared.identity;
        let before = fingerprints(&then.inputs, &then.sources);
        let now = fingerprints(&identity.inputs, &identity.sources);
        let new = now.keys().filter(|name| !before.contains_key(*name));
        let changed = now.iter().filter(|(name, prints)| before.get(*name).is_some_and(|then| !prints.are_of(then)));
        Inputs {
            new: new.cloned().collect(),
            changed: changed.map(|(name, _)| name.clone()).collect(),
            gone: before.keys().filter(|name| !now.contains_key(*name)).count(),
            job_changed: without_dates(&then.job) != without_dates(&identity.job),
        }
    }

    fn names(&self) -> String {
        let named: Vec<&str> = self.new.iter().chain(&self.changed).map(String::as_str).collect();
        let more = named.len().saturating_sub(NAMED);
        let list = named.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        if more > 0 { format!("{list} and {more} more") } else { list }
    }
}

/// How a file is known.
struct Fingerprints {
    /// Hash of all its content, where it was checked.
    content: Option<String>,
    /// What stands for it otherwise.
    signs: String,
    /// How the log of its table says that it is read; none for other files.
    columns: Option<String>,
}

impl Fingerprints {
    /// Whether both are of one content.
    fn are_of(&self, other: &Fingerprints) -> bool {
        let are_equal = match (&self.content, &other.content) {
            (Some(content), Some(other)) => content == other,
            _ => self.signs == other.signs,
        };
        are_equal && self.columns == other.columns
    }
}

fn fingerprints(inputs: &[InputEntry], sources: &[SourceEntry]) -> BTreeMap<String, Fingerprints> {
    let of_input = |input: &InputEntry| {
        let InputEntry { file, bytes, modified_ns, changed_ns, inode, tag, footer_sha256, file_sha256, lake_table, .. } = input;
        let deleted = deleted(lake_table.as_ref());
        let content = file_sha256.as_ref().filter(|_| deleted.is_none());
        let signs = format!("{bytes} {modified_ns} {changed_ns:?} {inode:?} {tag:?} {footer_sha256} {deleted:?}");
        (file.clone(), Fingerprints { content: content.cloned(), signs, columns: columns(lake_table.as_ref()) })
    };
    let of_source = |source: &SourceEntry| {
        let SourceEntry { file, bytes, modified_ns, changed_ns, inode, tag, tail_sha256, lake_table, .. } = source;
        let deleted = deleted(lake_table.as_ref());
        let signs = format!("{bytes} {modified_ns} {changed_ns} {inode} {tag:?} {tail_sha256} {deleted:?}");
        (file.clone(), Fingerprints { content: None, signs, columns: columns(lake_table.as_ref()) })
    };
    inputs.iter().map(of_input).chain(sources.iter().map(of_source)).collect()
}

/// What names the deleted rows of a file: one of a table stays as it is, and loses rows.
fn deleted(table: Option<&LakeTableEntry>) -> Option<&String> {
    table.and_then(|table| table.deletion_vector_sha256.as_ref())
}

/// What the log of a table says of the columns of a file, which a change of the schema changes without a change of the file.
fn columns(table: Option<&LakeTableEntry>) -> Option<String> {
    table.and_then(|table| table.columns_sha256.clone())
}

/// What a job says besides its dates.
fn without_dates(job: &Value) -> Value {
    let mut job = job.clone();
    if let Some(job) = job.as_object_mut() {
        job.remove("periods");
    }
    job
}

/// The rows as the file that the commit keeps; `None` without rows.
///
/// # Errors
/// Exit 1 if the rows do not fit the table.
pub fn encoded(job: &Job, rows: &[RestatementRow]) -> Result<Option<EncodedFile>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let table = definition_of::<RestatementRow>(job);
    let batch = to_batch(rows, &table)?;
    encode(&table, &table.schema(true), &[&batch], &job.raw.name).map(Some)
}
