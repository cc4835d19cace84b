//! Orders: from their files to records in buckets, with every row accounted for.
//!
//! [`columns`] checks the job's columns against the files, [`dedup`] finds the rows that other rows exclude, [`inherit`] what rows
//! take from others of their order, and [`scan`] reads
//! row groups in parallel, each thread into its own buckets. The [`ledger`] counts what became of every row.

mod batch;
pub mod columns;
mod currencies;
mod dedup;
mod dictionary;
pub mod filler_dates;
mod inherit;
pub mod ledger;
mod order_keys;
mod partitions;
pub mod row_groups;
mod worker;

use std::collections::BTreeMap;

use crate::bucket::{BucketStore, BucketWriter, Field, RecordLayout};
use crate::domain::IdType;
use crate::error::Result;
use crate::input::open::{self, Opened};
use crate::input::rounding::Rounding;
use crate::input::source::Source;
use crate::input::threads::on_all_threads;
use crate::job::Job;
use crate::measure::{CustomerlessOrders, CustomerlessRows};
use crate::memory::{Consumer, MemoryPool};
use crate::progress::Progress;
use columns::{OrderColumns, UsedColumns};
use currencies::CurrencyCounts;
use dedup::Exclusions;
use dictionary::SharedDictionary;
use filler_dates::FillerCounts;
use ledger::{OutcomeNames, RowCounts};
use row_groups::tasks;
use worker::{ScanContext, Worker};

/// The orders of a job, in buckets.
pub struct ScannedOrders {
    /// Type of the customer ids.
    pub id: IdType,
    /// The records, in buckets.
    pub orders: BucketStore,
    /// Rows by outcome. Kept lines are not in it, since only the fold knows the date of their order.
    pub row_counts: RowCounts,
    /// Names of the outcomes.
    pub outcome_names: OutcomeNames,
    /// Slice values by code; the codes are in no particular order.
    pub slices: Vec<String>,
    /// Categories by code; the codes are in no particular order.
    pub categories: Vec<String>,
    /// Rows whose customer id is an empty string.
    pub empty_ids: u64,
    /// Keys of `orders.latest` whose rows are of two customers.
    pub shared_keys: u64,
    /// Kept returns whose money is above zero, and that money, where rows are orders.
    pub positive_returns: (u64, i128),
    /// Orders that have rows without a customer.
    pub customerless: CustomerlessOrders,
    /// Rows by date that often stands for a missing one.
    pub fillers: FillerCounts,
    /// What rounding did to the money of files, where it did something.
    pub rounding: BTreeMap<usize, Rounding>,
}

/// Opens the files of a job.
///
/// # Errors
/// Exit 4: no file, or one that cannot be read.
pub fn open(job: &Job) -> Result<Opened> {
    let wanted = columns::schema_wanted(job)?;
    open::open_all(job, &job.paths, "orders.path", job.raw.orders.manifest.as_deref(), "orders.manifest", &wanted)
}

/// The fields of the records of a job.
fn layout(job: &Job, id: IdType, uses: UsedColumns) -> RecordLayout {
    let orders = &job.raw.orders;
    let mut fields = Vec::new();
    if orders.returns.is_some() || orders.money_only.is_some() || uses.discount || uses.cost {
        fields.push(Field::Flags);
    }
    if orders.slice.is_some() {
        fields.push(Field::Slice);
    }
    if uses.cost {
        fields.push(Field::Cost);
    }
    if orders.order_id.is_some() {
        fields.extend([Field::Order, Field::OrderHigh, Field::File]);
    }
    if uses.category {
        fields.push(Field::Category);
    }
    RecordLayout::new(id == IdType::Text, &fields)
}

/// Reads the orders into `2^bits` buckets.
///
/// # Errors
/// Exit 3: data that break the contract; exit 4: files that cannot be read. Of several errors the one of the first file and row
/// group is reported.
pub fn scan(
    job: &Job,
    sources: &[Source],
    columns: &OrderColumns,
    uses: UsedColumns,
    bits: u32,
    memory: &MemoryPool,
    progress: &dyn Progress,
) -> Result<ScannedOrders> {
    let Exclusions { files: excluded, shared_keys } = dedup::find(job, sources, columns, memory, progress)?;
    let inherited = inherit::find(job, sources, columns, &excluded, memory, progress)?;
    let layout = layout(job, columns.id, uses);
    let (slices, categories) = (SharedDictionary::new("orders.slice"), SharedDictionary::new("orders.category"));
    let context = ScanContext { job, sources, columns, layout, uses, excluded, inherited, slices, categories };
    let tasks = tasks(job, sources);
    let rows: u64 = sources.iter().map(Source::rows).sum();
    progress.begin("reading orders", rows);
    let start = || Worker::new(&context, BucketWriter::new(layout, bits).with_budget(memory, Consumer::Orders));
    let results = on_all_threads(&tasks, start, |worker, task| worker.run(*task), Worker::finish, progress)?;
    let (mut row_counts, mut currencies, mut empty_ids) = (RowCounts::default(), CurrencyCounts::default(), 0);
    let (mut positive_returns, mut customerless) = ((0, 0), CustomerlessRows::default());
    let (mut fillers, mut rounding) = (FillerCounts::default(), BTreeMap::<usize, Rounding>::new());
    let mut buckets = Vec::with_capacity(results.len());
    for result in results {
        buckets.push(result.buckets);
        row_counts.merge(result.row_counts);
        currencies.merge(result.currencies);
        empty_ids += result.empty_ids;
        customerless.merge(result.customerless);
        fillers.iter_mut().zip(result.fillers).for_each(|(sum, rows)| *sum += rows);
        result.rounding.iter().for_each(|(file, more)| rounding.entry(*file).or_default().merge(more));
        positive_returns.0 += result.positive_returns.0;
        positive_returns.1 += result.positive_returns.1;
    }
    currencies.check_single(job.raw.orders.currency.as_deref().unwrap_or_default())?;
    let scanned = ScannedOrders {
        id: columns.id,
        orders: BucketStore::join(layout, buckets, memory)?,
        row_counts,
        outcome_names: OutcomeNames::new(job.raw.orders.keep.iter().map(|keep| keep.column.clone()).collect()),
        slices: context.slices.into_values()?,
        categories: context.categories.into_values()?,
        empty_ids,
        shared_keys,
        positive_returns,
        customerless: customerless.into_orders(),
        fillers,
        rounding,
    };
    progress.end(&format!("{rows} rows of {} file{}", sources.len(), if sources.len() == 1 { "" } else { "s" }));
    Ok(scanned)
}

/// Bits of the customer hash that choose the bucket: buckets of some 60,000 records fit into the cache of one core.
pub fn bucket_bits(rows: u64) -> u32 {
    (rows / 60_000).checked_ilog2().map_or(1, |bits| bits + 1).clamp(MIN_BITS, MAX_BITS)
}

/// Enough buckets for many threads.
const MIN_BITS: u32 = 6;

/// More open blocks would not stay in the cache while orders are read.
const MAX_BITS: u32 = 12;

/// An estimate of the bytes that reading takes on every thread: the columns of a row group, its decoded pages and batches, and
/// the open blocks of the buckets.
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

/// Bytes of the decoded pages and batches of a thread, about.
const DECODED: u64 = 16 << 20;
