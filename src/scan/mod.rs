//! From Parquet files to records in buckets, with every row accounted for.
//!
//! [`files`] finds the files, [`source`] opens them, [`schema`] checks their columns, [`duplicates`] decides what other
//! rows exclude, and [`scan`] reads row groups in parallel, each thread into buckets of its own.

pub mod acquisition;
pub mod assignments;
pub mod customers;
mod decode;
mod deltas;
mod duplicates;
pub mod events;
pub mod files;
pub mod hashes;
mod keys;
mod layout;
pub mod ledger;
mod pages;
pub mod population;
mod predicate;
mod reader;
pub mod schema;
pub mod source;
mod thrift;
mod worker;
mod zone;

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::datatypes::DataType;
use parquet::file::statistics::Statistics;

use crate::bucket::{Buckets, Lane, Layout, Store};
use crate::domain::{Day, IdType};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::job::raw::{Dedupe, ZeroAmount};
use crate::memory::{Memory, Share};
use crate::progress::Progress;
use hashes::HashList;
use ledger::{Fates, Tally};
use schema::{Columns, Uses};
use source::Source;
use worker::Worker;

pub use reader::read_all;
pub use zone::Zone;

/// The orders of a job, in buckets.
pub struct Scanned {
    /// Type of the customer ids.
    pub id: IdType,
    /// The records, in buckets.
    pub orders: Store,
    /// What became of the rows; kept lines are missing from it, since only the fold knows their order's date.
    pub tally: Tally,
    /// Names of the fates.
    pub fates: Fates,
    /// Slice values by code; the codes are in no particular order.
    pub slices: Vec<String>,
    /// Categories by code; the codes are in no particular order.
    pub categories: Vec<String>,
    /// Rows whose customer id is an empty string.
    pub empty_ids: u64,
}

/// A row group to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// Number of the file.
    pub file: usize,
    /// Row group within it.
    pub group: usize,
    /// Whether its statistics place all its rows after the last as-of date, so that only dates and amounts are read.
    pub amounts_only: bool,
}

/// Opens the files of a job.
///
/// # Errors
/// Exit 4: no file, or one that cannot be read.
pub fn open(job: &Job) -> Result<Vec<Source>> {
    open_all(job, &job.paths, "orders.path", job.raw.orders.manifest.as_deref(), "orders.manifest")
}

/// Opens the files of the patterns of a key; another may name a list of their hashes.
fn open_all(
    job: &Job,
    patterns: &[(String, std::path::PathBuf)],
    key: &'static str,
    manifest: Option<&str>,
    manifest_key: &'static str,
) -> Result<Vec<Source>> {
    use rayon::prelude::*;
    let inputs = files::find(patterns, key)?;
    let hashes = HashList::named(manifest, job.source.folder(), manifest_key)?;
    // In the order of the paths, so that the first error is always the same one.
    let opened: Vec<Result<Source>> = inputs.into_par_iter().map(|input| Source::open(input, hashes.as_ref())).collect();
    opened.into_iter().collect()
}

/// What is to be read of the files.
pub fn tasks(job: &Job, sources: &[Source]) -> Vec<Task> {
    let prunable = can_prune(job);
    let mut tasks = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        for group in 0..source.metadata.metadata().num_row_groups() {
            let amounts_only = prunable && is_after(job, source, group);
            tasks.push(Task { file, group, amounts_only });
        }
    }
    tasks
}

/// Whether the fate of a whole row group can follow from its dates alone: nothing else may decide over its rows.
fn can_prune(job: &Job) -> bool {
    let orders = &job.raw.orders;
    orders.order_id.is_none()
        && orders.keep.is_empty()
        && orders.latest.is_none()
        && orders.dedupe == Dedupe::None
        && orders.zero_amount == ZeroAmount::Purchase
        && orders.slice.is_none()
        && orders.currency.is_none()
}

/// Whether statistics place every row of the group after the last as-of date, with a customer and a date each. The dates are
/// still read and held against it; what is spared is the rest.
fn is_after(job: &Job, source: &Source, group: usize) -> bool {
    let orders = &job.raw.orders;
    let schema = source.metadata.schema();
    let group = source.metadata.metadata().row_group(group);
    let statistics = |name: &str| {
        let (root, field) = schema.fields().find(name)?;
        let leaf = (0..group.num_columns()).find(|leaf| source.metadata.parquet_schema().get_column_root_idx(*leaf) == root)?;
        Some((field.data_type().clone(), group.column(leaf).statistics()?))
    };
    let (Some((date_type, dates)), Some((_, ids))) = (statistics(&orders.ordered_at), statistics(&orders.customer_id)) else {
        return false;
    };
    if dates.null_count_opt() != Some(0) || ids.null_count_opt() != Some(0) {
        return false;
    }
    let ticks_per_day = |unit: &arrow::datatypes::TimeUnit| match unit {
        arrow::datatypes::TimeUnit::Second => 86_400,
        arrow::datatypes::TimeUnit::Millisecond => 86_400_000,
        arrow::datatypes::TimeUnit::Microsecond => 86_400_000_000,
        arrow::datatypes::TimeUnit::Nanosecond => 86_400_000_000_000i64,
    };
    let (first, last) = match (dates, &date_type) {
        (Statistics::Int32(s), DataType::Date32) => {
            let (Some(min), Some(max)) = (s.min_opt(), s.max_opt()) else { return false };
            (i64::from(*min), i64::from(*max))
        }
        (Statistics::Int64(s), DataType::Timestamp(unit, _)) => {
            let (Some(min), Some(max)) = (s.min_opt(), s.max_opt()) else { return false };
            // A day's margin for whatever the zones do.
            (min.div_euclid(ticks_per_day(unit)) - 1, max.div_euclid(ticks_per_day(unit)) + 1)
        }
        _ => return false,
    };
    first > i64::from(job.last().0) && first <= last && last <= i64::from(Day::MAX.0)
}

/// Which lanes the records of a job need.
fn layout(job: &Job, id: IdType, uses: Uses) -> Layout {
    let orders = &job.raw.orders;
    let mut lanes = Vec::new();
    if orders.returns.is_some() || uses.discount || uses.cost {
        lanes.push(Lane::Flags);
    }
    if orders.slice.is_some() {
        lanes.push(Lane::Slice);
    }
    if uses.cost {
        lanes.push(Lane::Cost);
    }
    if orders.order_id.is_some() {
        lanes.extend([Lane::Order, Lane::OrderHigh, Lane::File]);
    }
    if uses.category {
        lanes.push(Lane::Category);
    }
    Layout::new(id == IdType::Text, &lanes)
}

/// What all threads of a scan share.
struct Shared<'a> {
    job: &'a Job,
    sources: &'a [Source],
    columns: &'a Columns,
    layout: Layout,
    uses: Uses,
    excluded: Vec<duplicates::Excluded>,
    slices: Codes,
    categories: Codes,
}

/// Values with their codes, in the order in which the threads meet them.
struct Codes {
    /// The key that names their column.
    key: &'static str,
    known: Mutex<HashMap<String, u32>>,
}

impl Codes {
    fn new(key: &'static str) -> Codes {
        Codes { key, known: Mutex::default() }
    }

    /// The values by code.
    fn into_values(self) -> Result<Vec<String>> {
        let known = self.known.into_inner().map_err(|_| Error::bug("a scan thread stopped while it held the codes"))?;
        let mut values = vec![String::new(); known.len()];
        for (value, code) in known {
            values[code as usize] = value;
        }
        Ok(values)
    }
}

/// Does tasks on all threads; `start` makes what a thread works with, `run` does a task and says how many rows it had, and
/// `finish` gives what the thread found.
///
/// # Errors
/// Of several errors the one of the first task.
fn on_all_threads<T: Sync, W, F: Send>(
    tasks: &[T],
    start: impl Fn() -> W + Sync,
    run: impl Fn(&mut W, &T) -> Result<u64> + Sync,
    finish: impl Fn(W) -> F + Sync,
    progress: &dyn Progress,
) -> Result<Vec<F>> {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    let workers = rayon::broadcast(|_| {
        let mut worker = start();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            match tasks.get(number) {
                // Tasks before a failed one still run, so that the first error is always the same one.
                Some(task) if number < failed.load(Ordering::Relaxed) => match run(&mut worker, task) {
                    Ok(rows) => progress.advance(rows),
                    Err(error) => {
                        failed.fetch_min(number, Ordering::Relaxed);
                        return Err((number, error));
                    }
                },
                _ => return Ok(finish(worker)),
            }
        }
    });
    let mut done = Vec::with_capacity(workers.len());
    let mut errors = Vec::new();
    for worker in workers {
        match worker {
            Ok(found) => done.push(found),
            Err(error) => errors.push(error),
        }
    }
    match errors.into_iter().min_by_key(|(number, _)| *number) {
        Some((_, error)) => Err(error),
        None => Ok(done),
    }
}

/// Reads the orders into `2^bits` buckets.
///
/// # Errors
/// Exit 3: data that break the contract; exit 4: files that cannot be read. Of several errors the one of the first
/// file and row group is reported.
pub fn scan(
    job: &Job,
    sources: &[Source],
    columns: &Columns,
    uses: Uses,
    bits: u32,
    memory: &Memory,
    progress: &dyn Progress,
) -> Result<Scanned> {
    let orders = &job.raw.orders;
    let rows: u64 = sources.iter().map(Source::rows).sum();
    let excluded = if orders.dedupe == Dedupe::Rows || orders.latest.is_some() {
        progress.begin("finding duplicates", rows);
        let equal_rows = orders.dedupe == Dedupe::Rows;
        let excluded = duplicates::find(sources, equal_rows, orders.latest.as_ref(), memory, progress)?;
        let count: u64 = excluded.iter().map(duplicates::Excluded::count).sum();
        progress.end(&format!("{count} of {rows} rows do not count"));
        excluded
    } else {
        vec![duplicates::Excluded::default(); sources.len()]
    };
    let layout = layout(job, columns.id, uses);
    let shared = Shared {
        job,
        sources,
        columns,
        layout,
        uses,
        excluded,
        slices: Codes::new("orders.slice"),
        categories: Codes::new("orders.category"),
    };
    let tasks = tasks(job, sources);
    progress.begin("reading orders", rows);
    let start = || Worker::new(&shared, Buckets::new(layout, bits).within(memory, Share::Orders));
    let done = on_all_threads(&tasks, start, |worker, task| worker.run(*task), Worker::finish, progress)?;
    let mut tally = Tally::default();
    let mut packed = Vec::with_capacity(done.len());
    let mut currencies: HashMap<String, u64> = HashMap::new();
    let mut empty_ids = 0;
    for worker in done {
        tally.merge(worker.tally);
        packed.push(worker.buckets);
        for (currency, rows) in worker.currencies {
            *currencies.entry(currency).or_default() += rows;
        }
        empty_ids += worker.empty_ids;
    }
    one_currency(job, &currencies)?;
    let packed = Store::join(layout, packed, memory)?;
    let (slices, categories) = (shared.slices.into_values()?, shared.categories.into_values()?);
    progress.end(&format!("{rows} rows of {} file{}", sources.len(), if sources.len() == 1 { "" } else { "s" }));
    let fates = Fates::new(orders.keep.iter().map(|k| k.column.clone()).collect());
    Ok(Scanned { id: columns.id, orders: packed, tally, fates, slices, categories, empty_ids })
}

/// Bits of the customer hash that choose the bucket: buckets of some 60,000 records fit into the cache of one core.
pub fn bucket_bits(rows: u64) -> u32 {
    (rows / 60_000).checked_ilog2().map_or(1, |bits| bits + 1).clamp(LEAST_BITS, MOST_BITS)
}

/// Enough buckets for many threads.
const LEAST_BITS: u32 = 6;

/// More open blocks would not stay in the cache while orders are read.
const MOST_BITS: u32 = 12;

/// About how many bytes reading takes on every thread: the bytes of a row group's columns, what is decoded of them, and the open
/// blocks of the buckets.
pub fn reading_bytes(job: &Job, sources: &[Source], columns: &Columns, uses: Uses, bits: u32) -> u64 {
    let group = |source: &Source, group: &parquet::file::metadata::RowGroupMetaData| -> u64 {
        let schema = source.metadata.parquet_schema();
        let named = |leaf: &usize| columns.names.iter().any(|n| n == schema.get_column_root(*leaf).name());
        let leaves = (0..group.num_columns()).filter(named);
        leaves.map(|leaf| group.column(leaf).compressed_size().max(0) as u64).sum()
    };
    let groups = sources.iter().flat_map(|s| s.metadata.metadata().row_groups().iter().map(move |g| group(s, g)));
    2 * groups.max().unwrap_or(0) + Buckets::open_bytes(layout(job, columns.id, uses), bits) + DECODED
}

/// Decoded pages and batches of a thread, about.
const DECODED: u64 = 16 << 20;

fn one_currency(job: &Job, currencies: &HashMap<String, u64>) -> Result<()> {
    if currencies.len() < 2 {
        return Ok(());
    }
    let mut counts: Vec<(&String, &u64)> = currencies.iter().collect();
    counts.sort_unstable_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let shown: Vec<String> = counts.iter().take(5).map(|(currency, rows)| format!("{currency:?} in {rows} rows")).collect();
    Err(Error::contract(format!(
        "column {:?} (orders.currency) holds {} currencies: {}; amounts of different currencies cannot be added, so keep one with an orders.keep filter",
        job.raw.orders.currency.as_deref().unwrap_or_default(),
        counts.len(),
        shown.join(", ")
    )))
}
