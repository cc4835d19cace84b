//! Rows that other rows exclude: duplicates of an equal row, and older versions of a row.
//!
//! All rows are compared before any is read for its values, by 128-bit hashes of their canonical bytes. They are partitioned by
//! hash, so that equal rows and versions of a row share a partition and only a few partitions are in memory at once.

mod exclusion;
mod partitions;

use std::sync::Mutex;

use arrow::row::{RowConverter, SortField};
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use crate::error::{Error, Result};
use crate::input::orders::ledger::{DUPLICATE, RowOutcome, SUPERSEDED};
use crate::input::reader::FileReader;
use crate::input::schema::read_schema;
use crate::input::source::Source;
use crate::input::threads::on_all_threads;
use crate::job::raw::RawLatest;
use crate::memory::MemoryPool;
use crate::progress::Progress;

pub use exclusion::ExclusionBitmap;
use partitions::{PARTITIONS, Partition, Partitions, RowVersion};

/// Finds the excluded rows of every file: duplicates if `rows`, and older versions by `latest`.
///
/// # Errors
/// Exit 3 if the newest versions of a row differ but are equally new; exit 4 if a file cannot be read; exit 7 if the
/// memory is too small.
pub fn find(
    sources: &[Source],
    rows: bool,
    latest: Option<&RawLatest>,
    memory: &MemoryPool,
    progress: &dyn Progress,
) -> Result<Vec<ExclusionBitmap>> {
    let groups = |(file, source): (usize, &Source)| (0..source.metadata.metadata().num_row_groups()).map(move |g| (file, g));
    let tasks: Vec<(usize, usize)> = sources.iter().enumerate().flat_map(groups).collect();
    let start = || (Partitions::new(memory), Vec::new());
    let run = |(partitions, buffers): &mut (Partitions, Vec<Vec<u8>>), &(file, group): &(usize, usize)| {
        partition_rows(&sources[file], file, group, latest, partitions, buffers)
    };
    let of_threads = on_all_threads(&tasks, start, run, |(partitions, _)| partitions, progress)?;
    let partitions = Partitions::join(of_threads, memory)?;
    let excluded: Vec<Mutex<ExclusionBitmap>> =
        sources.iter().map(|source| Mutex::new(ExclusionBitmap::new(source.rows()))).collect();
    let decide = |number: usize| {
        let partition = partitions.partition(number)?;
        for (version, outcome) in find_excluded(&partition, rows, latest, sources)? {
            let mut bitmap =
                excluded[version.file as usize].lock().map_err(|_| Error::bug("a thread stopped while it marked rows"))?;
            bitmap.mark(version.row, outcome);
        }
        Ok(())
    };
    // In the order of the partitions, so that of several errors the first is always the same one.
    let outcomes: Vec<Result<()>> = (0..PARTITIONS).into_par_iter().with_max_len(1).map(decide).collect();
    outcomes.into_iter().collect::<Result<()>>()?;
    excluded
        .into_iter()
        .map(|bitmap| bitmap.into_inner().map_err(|_| Error::bug("a thread stopped while it marked rows")))
        .collect()
}

/// The excluded rows of a partition with their outcomes.
fn find_excluded<'a>(
    partition: &'a Partition,
    rows: bool,
    latest: Option<&RawLatest>,
    sources: &[Source],
) -> Result<Vec<(RowVersion<'a>, RowOutcome)>> {
    let mut versions: Vec<RowVersion<'_>> = partition.versions().collect();
    let mut out = Vec::new();
    if rows {
        versions.sort_unstable_by(|a, b| a.row_hash.cmp(&b.row_hash).then((a.file, a.row).cmp(&(b.file, b.row))));
        let mut before = None;
        versions.retain(|version| {
            let is_duplicate = before == Some(version.row_hash);
            before = Some(version.row_hash);
            if is_duplicate {
                out.push((*version, DUPLICATE));
            }
            !is_duplicate
        });
    }
    let Some(latest) = latest else { return Ok(out) };
    // A key with a null equals no other key.
    versions.retain(|version| version.key != 0);
    versions.sort_unstable_by(|a, b| a.key.cmp(&b.key).then_with(|| b.by.cmp(a.by)).then((a.file, a.row).cmp(&(b.file, b.row))));
    for same in versions.chunk_by(|a, b| a.key == b.key) {
        let [newest, older @ ..] = same else { continue };
        for version in older {
            if version.by == newest.by && version.row_hash != newest.row_hash {
                return Err(Error::contract(format!(
                    "row {} of {} and row {} of {} have equal {} and equal {:?} but differ, so the newest version cannot be told; correct one of them or name another column as orders.latest.by",
                    newest.row + 1,
                    sources[newest.file as usize].name(),
                    version.row + 1,
                    sources[version.file as usize].name(),
                    latest.key.join(", "),
                    latest.by
                )));
            }
            out.push((*version, SUPERSEDED));
        }
    }
    Ok(out)
}

/// Adds the rows of a row group to the partitions; returns how many there are.
fn partition_rows(
    source: &Source,
    file: usize,
    group: usize,
    latest: Option<&RawLatest>,
    partitions: &mut Partitions,
    buffers: &mut Vec<Vec<u8>>,
) -> Result<u64> {
    let schema = read_schema(source);
    let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    let reader = FileReader::new(source, &names, "")?;
    let handle = source.reopen()?;
    let converter = |columns: &[usize]| {
        let fields = columns.iter().map(|c| SortField::new(schema.field(*c).data_type().clone())).collect();
        RowConverter::new(fields).map_err(|e| {
            Error::contract(format!("{}: rows cannot be compared ({e}); drop the nested columns", source.name())).caused_by(e)
        })
    };
    let all: Vec<usize> = (0..names.len()).collect();
    let position = |name: &String| {
        schema.index_of(name).map_err(|_| {
            Error::contract(format!(
                "{}: orders.latest names the column {name:?}, which stands in the path; name columns of the file",
                source.name()
            ))
        })
    };
    let keys = latest.map(|l| l.key.iter().map(position).collect::<Result<Vec<_>>>()).transpose()?.unwrap_or_default();
    let by = latest.map(|l| position(&l.by)).transpose()?;
    let whole = converter(&all)?;
    let key = converter(&keys)?;
    let newest = converter(&by.iter().copied().collect::<Vec<_>>())?;
    let mut count = 0;
    reader.read(&handle, group, buffers, |first, columns| {
        let convert = |converter: &RowConverter, which: &[usize]| {
            let columns: Vec<_> = which.iter().filter_map(|c| columns.get(*c).cloned()).collect();
            converter.convert_columns(&columns).map_err(|e| Error::bug(format!("rows cannot be encoded: {e}")).caused_by(e))
        };
        let rows = convert(&whole, &all)?;
        let by: Vec<usize> = by.iter().copied().collect();
        let (key_rows, by_rows) = match latest {
            Some(_) => (Some(convert(&key, &keys)?), Some(convert(&newest, &by)?)),
            None => (None, None),
        };
        for row in 0..rows.num_rows() {
            let null_key = keys.iter().any(|c| columns.get(*c).is_some_and(|column| column.is_null(row)));
            let key = match &key_rows {
                Some(rows) if !null_key => xxh3_128(rows.row(row).as_ref()).max(1),
                _ => 0,
            };
            let by = by_rows.as_ref().map(|rows| rows.row(row));
            partitions.push(&RowVersion {
                key,
                row_hash: xxh3_128(rows.row(row).as_ref()),
                by: by.as_ref().map_or(&[], |by| by.as_ref()),
                file: file as u32,
                row: first + row as u64,
            });
        }
        count += rows.num_rows() as u64;
        partitions.spill_if_over_budget()
    })?;
    Ok(count)
}
