//! Rows that do not count because of other rows: equal rows, and older versions of a row.
//!
//! Decided over all rows before anything else, from 128-bit hashes of canonical row bytes, in buckets by hash so that
//! threads share nothing.

use std::cmp::Ordering;

use arrow::row::{RowConverter, SortField};
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use super::ledger::{DUPLICATE, Fate, SUPERSEDED};
use super::reader::FileReader;
use super::schema::read_schema;
use super::source::{Source, open};
use crate::error::{Error, Result};
use crate::job::raw::RawLatest;

/// Rows of a file that do not count, ascending by row.
pub type Excluded = Vec<(u64, Fate)>;

struct Version {
    key: u128,
    row_hash: u128,
    by: Box<[u8]>,
    file: u32,
    row: u64,
}

/// Excluded rows per file.
///
/// # Errors
/// Exit 3 if the newest versions of a row differ but are equally new; exit 4 if a file cannot be read.
pub(super) fn find(sources: &[Source], rows: bool, latest: Option<&RawLatest>) -> Result<Vec<Excluded>> {
    let tasks: Vec<(usize, usize)> = sources
        .iter()
        .enumerate()
        .flat_map(|(file, source)| (0..source.metadata.metadata().num_row_groups()).map(move |group| (file, group)))
        .collect();
    let parts: Vec<Vec<Version>> =
        tasks.par_iter().map(|&(file, group)| versions(&sources[file], file, group, latest)).collect::<Result<_>>()?;
    let mut excluded: Vec<Excluded> = vec![Vec::new(); sources.len()];
    let mut versions: Vec<Version> = parts.into_iter().flatten().collect();
    if rows {
        versions.par_sort_unstable_by(|a, b| a.row_hash.cmp(&b.row_hash).then((a.file, a.row).cmp(&(b.file, b.row))));
        let mut before = None;
        versions.retain(|version| {
            let duplicate = before == Some(version.row_hash);
            before = Some(version.row_hash);
            if duplicate {
                excluded[version.file as usize].push((version.row, DUPLICATE));
            }
            !duplicate
        });
    }
    if let Some(latest) = latest {
        // Rows whose key holds a null stand alone: null equals nothing.
        versions.retain(|version| version.key != 0);
        versions.par_sort_unstable_by(|a, b| {
            a.key.cmp(&b.key).then_with(|| b.by.cmp(&a.by)).then((a.file, a.row).cmp(&(b.file, b.row)))
        });
        for same in versions.chunk_by(|a, b| a.key == b.key) {
            let [newest, older @ ..] = same else { continue };
            for version in older {
                if version.by.cmp(&newest.by) == Ordering::Equal && version.row_hash != newest.row_hash {
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
                excluded[version.file as usize].push((version.row, SUPERSEDED));
            }
        }
    }
    for rows in &mut excluded {
        rows.sort_unstable();
    }
    Ok(excluded)
}

fn versions(source: &Source, file: usize, group: usize, latest: Option<&RawLatest>) -> Result<Vec<Version>> {
    let schema = read_schema(source);
    let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    let reader = FileReader::new(source, &names, "")?;
    let handle = open(source)?;
    let converter = |columns: &[usize]| {
        let fields = columns.iter().map(|c| SortField::new(schema.field(*c).data_type().clone())).collect();
        RowConverter::new(fields)
            .map_err(|e| Error::contract(format!("{}: rows cannot be compared ({e}); drop the nested columns", source.name())))
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
    let mut out = Vec::new();
    reader.read(&handle, group, &mut Vec::new(), |first, columns| {
        let convert = |converter: &RowConverter, which: &[usize]| {
            let columns: Vec<_> = which.iter().filter_map(|c| columns.get(*c).cloned()).collect();
            converter.convert_columns(&columns).map_err(|e| Error::bug(format!("rows cannot be encoded: {e}")))
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
            out.push(Version {
                key,
                row_hash: xxh3_128(rows.row(row).as_ref()),
                by: by_rows.as_ref().map(|r| r.row(row).as_ref().into()).unwrap_or_default(),
                file: file as u32,
                row: first + row as u64,
            });
        }
        Ok(())
    })?;
    Ok(out)
}
