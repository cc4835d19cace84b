//! Orders: from their files to records in buckets, with every row accounted for.
//!
//! [`columns`] checks the job's columns against the files, [`dedup`] finds the rows that other rows exclude, and [`scan`] reads
//! row groups in parallel, each thread into its own buckets. The [`ledger`] counts what became of every row.

pub mod columns;
mod dedup;
pub mod ledger;
pub mod row_groups;
mod shared;
mod worker;

use std::collections::HashMap;

use crate::bucket::{BucketStore, BucketWriter, Field, RecordLayout};
use crate::domain::IdType;
use crate::error::{Error, Result};
use crate::input::source::{self, Source};
use crate::input::threads::on_all_threads;
use crate::job::Job;
use crate::job::raw::Dedupe;
use crate::memory::{Consumer, MemoryPool};
use crate::progress::Progress;
use columns::{OrderColumns, UsedColumns};
use ledger::{OutcomeNames, RowCounts};
use row_groups::tasks;
use shared::{Codes, Shared};
use worker::Worker;

/// The orders of a job, in buckets.
pub struct ScannedOrders {
    /// Type of the customer ids.
    pub id: IdType,
    /// The records, in buckets.
    pub orders: BucketStore,
    /// What became of the rows; kept lines are missing from it, since only the fold knows their order's date.
    pub row_counts: RowCounts,
    /// Names of the outcomes.
    pub outcome_names: OutcomeNames,
    /// Slice values by code; the codes are in no particular order.
    pub slices: Vec<String>,
    /// Categories by code; the codes are in no particular order.
    pub categories: Vec<String>,
    /// Rows whose customer id is an empty string.
    pub empty_ids: u64,
}

/// Opens the files of a job.
///
/// # Errors
/// Exit 4: no file, or one that cannot be read.
pub fn open(job: &Job) -> Result<Vec<Source>> {
    source::open_all(job, &job.paths, "orders.path", job.raw.orders.manifest.as_deref(), "orders.manifest")
}

/// Which lanes the records of a job need.
fn layout(job: &Job, id: IdType, uses: UsedColumns) -> RecordLayout {
    let orders = &job.raw.orders;
    let mut lanes = Vec::new();
    if orders.returns.is_some() || uses.discount || uses.cost {
        lanes.push(Field::Flags);
    }
    if orders.slice.is_some() {
        lanes.push(Field::Slice);
    }
    if uses.cost {
        lanes.push(Field::Cost);
    }
    if orders.order_id.is_some() {
        lanes.extend([Field::Order, Field::OrderHigh, Field::File]);
    }
    if uses.category {
        lanes.push(Field::Category);
    }
    RecordLayout::new(id == IdType::Text, &lanes)
}

/// Reads the orders into `2^bits` buckets.
///
/// # Errors
/// Exit 3: data that break the contract; exit 4: files that cannot be read. Of several errors the one of the first
/// file and row group is reported.
pub fn scan(
    job: &Job,
    sources: &[Source],
    columns: &OrderColumns,
    uses: UsedColumns,
    bits: u32,
    memory: &MemoryPool,
    progress: &dyn Progress,
) -> Result<ScannedOrders> {
    let orders = &job.raw.orders;
    let rows: u64 = sources.iter().map(Source::rows).sum();
    let excluded = if orders.dedupe == Dedupe::Rows || orders.latest.is_some() {
        progress.begin("finding duplicates", rows);
        let equal_rows = orders.dedupe == Dedupe::Rows;
        let excluded = dedup::find(sources, equal_rows, orders.latest.as_ref(), memory, progress)?;
        let count: u64 = excluded.iter().map(dedup::ExclusionBitmap::count).sum();
        progress.end(&format!("{count} of {rows} rows do not count"));
        excluded
    } else {
        vec![dedup::ExclusionBitmap::default(); sources.len()]
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
    let start = || Worker::new(&shared, BucketWriter::new(layout, bits).with_budget(memory, Consumer::Orders));
    let done = on_all_threads(&tasks, start, |worker, task| worker.run(*task), Worker::finish, progress)?;
    let mut row_counts = RowCounts::default();
    let mut packed = Vec::with_capacity(done.len());
    let mut currencies: HashMap<String, u64> = HashMap::new();
    let mut empty_ids = 0;
    for worker in done {
        row_counts.merge(worker.counts);
        packed.push(worker.buckets);
        for (currency, rows) in worker.currencies {
            *currencies.entry(currency).or_default() += rows;
        }
        empty_ids += worker.empty_ids;
    }
    one_currency(job, &currencies)?;
    let packed = BucketStore::join(layout, packed, memory)?;
    let (slices, categories) = (shared.slices.into_values()?, shared.categories.into_values()?);
    progress.end(&format!("{rows} rows of {} file{}", sources.len(), if sources.len() == 1 { "" } else { "s" }));
    let outcome_names = OutcomeNames::new(orders.keep.iter().map(|k| k.column.clone()).collect());
    Ok(ScannedOrders { id: columns.id, orders: packed, row_counts, outcome_names, slices, categories, empty_ids })
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
pub fn reading_bytes(job: &Job, sources: &[Source], columns: &OrderColumns, uses: UsedColumns, bits: u32) -> u64 {
    let group = |source: &Source, group: &parquet::file::metadata::RowGroupMetaData| -> u64 {
        let schema = source.metadata.parquet_schema();
        let named = |leaf: &usize| columns.names.iter().any(|n| n == schema.get_column_root(*leaf).name());
        let leaves = (0..group.num_columns()).filter(named);
        leaves.map(|leaf| group.column(leaf).compressed_size().max(0) as u64).sum()
    };
    let groups = sources.iter().flat_map(|s| s.metadata.metadata().row_groups().iter().map(move |g| group(s, g)));
    2 * groups.max().unwrap_or(0) + BucketWriter::open_bytes(layout(job, columns.id, uses), bits) + DECODED
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
