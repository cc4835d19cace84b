//! Which versions of a row count.

use super::read::row_text;
use crate::error::{Error, Result};
use crate::input::orders::ledger::{DUPLICATE, RowOutcome, SUPERSEDED};
use crate::input::orders::partitions::{Partition, RowVersion};
use crate::input::source::Source;
use crate::job::Job;
use crate::job::raw::RawLatest;

/// What a partition excludes.
pub(super) struct Excluded<'a> {
    /// Rows with their outcomes.
    pub rows: Vec<(RowVersion<'a>, RowOutcome)>,
    /// Keys whose rows are of two customers.
    pub shared_keys: u64,
}

/// The rows of a partition that others exclude: duplicates if `dedupe`, and older versions by `latest`.
///
/// # Errors
/// Exit 3 if the newest version of a row cannot be told, or more than two customers share a key.
pub(super) fn find_excluded<'a>(
    partition: &'a Partition,
    dedupe: bool,
    latest: Option<&RawLatest>,
    job: &Job,
    sources: &[Source],
) -> Result<Excluded<'a>> {
    let mut versions: Vec<RowVersion<'_>> = partition.versions().collect();
    let mut out = Excluded { rows: Vec::new(), shared_keys: 0 };
    if dedupe {
        versions.sort_unstable_by(|a, b| a.row_hash.cmp(&b.row_hash).then((a.file, a.row).cmp(&(b.file, b.row))));
        let mut before = None;
        versions.retain(|version| {
            let is_duplicate = before == Some(version.row_hash);
            before = Some(version.row_hash);
            if is_duplicate {
                out.rows.push((*version, DUPLICATE));
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
        if older.is_empty() {
            continue;
        }
        if let Some(unknown) = same.iter().find(|version| version.by_is_null) {
            let other = if unknown.file == newest.file && unknown.row == newest.row { older.first() } else { Some(newest) };
            return Err(null_by(unknown, other.unwrap_or(newest), latest, sources));
        }
        out.shared_keys += u64::from(customers_of(same, latest, job, sources)? == 2);
        for version in older {
            if version.by == newest.by && version.row_hash != newest.row_hash {
                return Err(equal_by(newest, version, latest, sources));
            }
            out.rows.push((*version, SUPERSEDED));
        }
    }
    Ok(out)
}

/// How many customers have rows of a key.
///
/// # Errors
/// Exit 3 if there are more than two: the key is a placeholder, or does not identify rows.
fn customers_of(same: &[RowVersion<'_>], latest: &RawLatest, job: &Job, sources: &[Source]) -> Result<usize> {
    let mut firsts: Vec<&RowVersion<'_>> = same.iter().filter(|version| version.customer != 0).collect();
    firsts.sort_unstable_by_key(|version| (version.customer, version.file, version.row));
    firsts.dedup_by_key(|version| version.customer);
    let customers = firsts.len();
    let Some(first) = firsts.first().filter(|_| customers > 2) else { return Ok(customers) };
    let key = row_text(&sources[first.file as usize], first.row, &latest.key)?;
    let key: Vec<String> = latest.key.iter().zip(key).map(|(name, value)| format!("{name} = {value}")).collect();
    let customer = &job.raw.orders.customer_id;
    firsts.sort_unstable_by_key(|version| (version.file, version.row));
    let mut examples = Vec::new();
    for version in firsts.iter().take(3) {
        let source = &sources[version.file as usize];
        let id = row_text(source, version.row, std::slice::from_ref(customer))?.concat();
        examples.push(format!("{id} in row {} of {}", source.row_number(version.row), source.name()));
    }
    Err(Error::contract(format!(
        "{customers} customers share {} ({}), so that rows of strangers would supersede each other; add {customer:?} to orders.latest.key, or write null where a row has no such value",
        key.join(", "),
        examples.join(", ")
    )))
}

fn place(version: &RowVersion<'_>, sources: &[Source]) -> String {
    let source = &sources[version.file as usize];
    format!("row {} of {}", source.row_number(version.row), source.name())
}

fn null_by(unknown: &RowVersion<'_>, other: &RowVersion<'_>, latest: &RawLatest, sources: &[Source]) -> Error {
    Error::contract(format!(
        "{} has no {:?}, and {} has the same {}, so the newest version cannot be told; fill it in or name another column as orders.latest.by",
        place(unknown, sources),
        latest.by,
        place(other, sources),
        latest.key.join(", ")
    ))
}

fn equal_by(newest: &RowVersion<'_>, version: &RowVersion<'_>, latest: &RawLatest, sources: &[Source]) -> Error {
    Error::contract(format!(
        "{} and {} have equal {} and equal {:?} but differ, so the newest version cannot be told; correct one of them or name another column as orders.latest.by",
        place(newest, sources),
        place(version, sources),
        latest.key.join(", "),
        latest.by
    ))
}
