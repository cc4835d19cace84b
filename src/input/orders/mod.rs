//! Orders: from their files to records in buckets, with every row accounted for.
//!
//! [`columns`] checks the job's columns against the files, [`related`] finds what rows decide over other rows, and [`OrdersScan`]
//! reads row groups in parallel, each thread into its own buckets. The [`ledger`] counts what became of every row.

mod batch;
pub mod columns;
mod currencies;
mod dedup;
pub mod dictionary;
pub mod filler_dates;
pub mod findings;
mod inherit;
pub mod ledger;
mod order_keys;
mod partitions;
pub mod related;
pub mod row_groups;
mod worker;

use crate::bucket::{BucketStore, BucketWriter, Field, RecordLayout};
use crate::domain::IdType;
use crate::error::Result;
use crate::input::open::{self, Opened};
use crate::input::source::Source;
use crate::input::threads::on_all_threads;
use crate::job::Job;
use crate::memory::{Consumer, MemoryPool};
use crate::progress::Progress;
use columns::{OrderColumns, UsedColumns};
use dictionary::{CATEGORY_KEY, SLICE_KEY, SharedDictionary};
use findings::ScanFindings;
use related::RelatedRows;
use row_groups::{Share, tasks};
use worker::{ScanContext, Worker};

/// The orders that a scan has read.
pub struct ScannedOrders {
    /// The records, in buckets.
    pub orders: BucketStore,
    /// Slice values by code; the codes are in no particular order.
    pub slices: Vec<String>,
    /// Categories by code; the codes are in no particular order.
    pub categories: Vec<String>,
    /// What was found besides.
    pub findings: ScanFindings,
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

/// What a scan of orders needs to know.
#[derive(Clone, Copy)]
pub struct OrdersScan<'a> {
    /// The job.
    pub job: &'a Job,
    /// All files.
    pub sources: &'a [Source],
    /// Their columns.
    pub columns: &'a OrderColumns,
    /// Which of these the measures use.
    pub uses: UsedColumns,
    /// Orders go into `1 << bits` buckets.
    pub bits: u32,
}

impl OrdersScan<'_> {
    /// Reads a share of the orders into buckets.
    ///
    /// # Errors
    /// Exit 3: data that break the contract; exit 4: files that cannot be read. Of several errors the one of the first file and row
    /// group is reported.
    pub fn run(
        &self,
        share: Share,
        related: &RelatedRows,
        memory: &MemoryPool,
        progress: &dyn Progress,
    ) -> Result<ScannedOrders> {
        let OrdersScan { job, sources, columns, uses, bits } = *self;
        let layout = self.layout();
        let (slices, categories) = (SharedDictionary::new(SLICE_KEY), SharedDictionary::new(CATEGORY_KEY));
        let context = ScanContext { job, sources, columns, layout, uses, related, slices, categories };
        let tasks = share.of_tasks(tasks(job, sources), sources);
        let rows: u64 = tasks.iter().map(|task| task.rows(sources)).sum();
        progress.begin("reading orders", rows);
        let start = || Worker::new(&context, BucketWriter::new(layout, bits).with_budget(memory, Consumer::Orders));
        let results = on_all_threads(&tasks, start, |worker, task| worker.run(*task), Worker::finish, progress)?;
        let mut findings = ScanFindings::default();
        let mut buckets = Vec::with_capacity(results.len());
        for (of_thread, found) in results {
            buckets.push(of_thread);
            findings.merge(found);
        }
        let scanned = ScannedOrders {
            orders: BucketStore::join(layout, buckets, memory)?,
            slices: context.slices.into_values()?,
            categories: context.categories.into_values()?,
            findings,
        };
        let files = sources.iter().filter(|source| source.groups().next().is_some() || !source.is_sampled()).count();
        progress.end(&format!("{rows} rows of {files} file{}", if files == 1 { "" } else { "s" }));
        Ok(scanned)
    }

    /// The fields of the records.
    pub fn layout(&self) -> RecordLayout {
        layout(self.job, self.columns.id, self.uses)
    }
}

/// Bits of the customer hash that choose the bucket: buckets of some 60,000 records fit into the cache of one core. Those of billions
/// of rows are larger, of one to two million records.
pub fn bucket_bits(rows: u64) -> u32 {
    let in_cache = (rows / 60_000).checked_ilog2().map_or(1, |bits| bits + 1).clamp(MIN_BITS, MAX_BITS);
    let in_memory = rows.checked_ilog2().map_or(0, |bits| bits.saturating_sub(LARGEST_BITS));
    in_cache.max(in_memory).min(MOST_BITS)
}

/// Logarithm of the records of a bucket, where there are more rows than buckets of the cache's size.
const LARGEST_BITS: u32 = 20;

/// Most buckets that a writer has.
const MOST_BITS: u32 = 16;

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
