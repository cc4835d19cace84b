//! Rows that other rows exclude: duplicates of an equal row, and older versions of a row.
//!
//! All rows are compared before any is read for its values, by 128-bit hashes of their canonical bytes. They are partitioned by
//! hash, so that equal rows and versions of a row share a partition and only a few partitions are in memory at once.

mod compared;
mod exclusion;
mod read;
mod versions;

use std::sync::Mutex;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::input::orders::columns::OrderColumns;
use crate::input::orders::partitions::{PARTITIONS, Partitions};
use crate::input::orders::row_groups::groups;
use crate::input::source::Source;
use crate::input::threads::on_all_threads;
use crate::job::Job;
use crate::job::raw::Dedupe;
use crate::memory::MemoryPool;
use crate::progress::Progress;

use compared::Compared;
pub use exclusion::ExclusionBitmap;
use read::partition_rows;
pub use read::row_text;
use versions::{Excluded, find_excluded};

/// The rows that other rows exclude.
#[derive(Debug, Default)]
pub struct Exclusions {
    /// Per file.
    pub files: Vec<ExclusionBitmap>,
    /// Keys of `orders.latest` whose rows are of two customers.
    pub shared_keys: u64,
}

/// Finds the rows that others exclude, by `orders.dedupe` and `orders.latest`.
///
/// # Errors
/// Exit 3 if files differ in the columns that are compared, or the newest version of a row cannot be told; exit 4 if a file cannot
/// be read; exit 7 if the memory is too small.
pub fn find(
    job: &Job,
    sources: &[Source],
    columns: &OrderColumns,
    memory: &MemoryPool,
    progress: &dyn Progress,
) -> Result<Exclusions> {
    let orders = &job.raw.orders;
    let files = || sources.iter().map(|source| ExclusionBitmap::new(source.rows())).collect();
    let mut found = Exclusions { files: files(), shared_keys: 0 };
    if orders.dedupe == Dedupe::default() && orders.latest.is_none() {
        return Ok(found);
    }
    let rows: u64 = sources.iter().map(Source::rows).sum();
    progress.begin("finding duplicates", rows);
    let pass = |dedupe, latest, found| Pass { job, sources, columns, memory, dedupe, latest }.run(found, progress);
    match &orders.dedupe {
        // Rows that are equal in some columns need not have equal keys, and so not lie in one partition.
        Dedupe::Columns(names) => {
            found = pass(Some(Compared::Columns(names)), false, found)?;
            if orders.latest.is_some() {
                found = pass(None, true, found)?;
            }
        }
        Dedupe::Rule(_) => {
            let dedupe = (orders.dedupe != Dedupe::default()).then_some(Compared::Rows);
            found = pass(dedupe, orders.latest.is_some(), found)?;
        }
    }
    let count: u64 = found.files.iter().map(ExclusionBitmap::count).sum();
    progress.end(&format!("{count} of {rows} rows do not count"));
    Ok(found)
}

/// A pass over all rows that are not excluded yet.
struct Pass<'a> {
    job: &'a Job,
    sources: &'a [Source],
    columns: &'a OrderColumns,
    memory: &'a MemoryPool,
    /// What makes rows duplicates, if they are dropped.
    dedupe: Option<Compared<'a>>,
    /// Whether older versions are superseded.
    latest: bool,
}

impl Pass<'_> {
    fn run(&self, before: Exclusions, progress: &dyn Progress) -> Result<Exclusions> {
        let compared = self.dedupe.unwrap_or(Compared::Rows);
        let names = compared.names(self.sources, &self.columns.named)?;
        let latest = self.job.raw.orders.latest.as_ref().filter(|_| self.latest);
        let tasks = groups(self.sources);
        let start = || (Partitions::new(self.memory), Vec::new());
        let run = |(partitions, buffers): &mut (Partitions, Vec<Vec<u8>>), &(file, group): &(usize, usize)| {
            let reading = read::Reading { job: self.job, columns: self.columns, names: &names[file], latest };
            partition_rows(&reading, (&self.sources[file], file, group), &before.files[file], partitions, buffers)
        };
        let of_threads = on_all_threads(&tasks, start, run, |(partitions, _)| partitions, progress)?;
        let partitions = Partitions::join(of_threads, self.memory)?;
        let files: Vec<Mutex<ExclusionBitmap>> = before.files.into_iter().map(Mutex::new).collect();
        let decide = |number: usize| {
            let partition = partitions.partition(number)?;
            let Excluded { rows, shared_keys } =
                find_excluded(&partition, self.dedupe.is_some(), latest, self.job, self.sources)?;
            for (version, outcome) in rows {
                let bitmap = files[version.file as usize].lock();
                bitmap.map_err(|_| Error::bug("a thread stopped while it marked rows"))?.mark(version.row, outcome);
            }
            Ok(shared_keys)
        };
        // In the order of the partitions, so that of several errors the first is always the same one.
        let outcomes: Vec<Result<u64>> = (0..PARTITIONS).into_par_iter().with_max_len(1).map(decide).collect();
        let mut shared_keys = before.shared_keys;
        for outcome in outcomes {
            shared_keys += outcome?;
        }
        let files =
            files.into_iter().map(|bitmap| bitmap.into_inner().map_err(|_| Error::bug("a thread stopped while it marked rows")));
        Ok(Exclusions { files: files.collect::<Result<_>>()?, shared_keys })
    }
}
