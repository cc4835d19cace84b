//! What an output in a store shows: the run of `latest`, the dates in view, and where their files lie.

use std::collections::BTreeMap;

use super::super::committed::{CommittedRun, DimensionFile, ShownDate, View};
use super::super::look::broken;
use super::super::manifest::{Manifest, TableFile};
use super::super::record::Record;
use super::{opening, records};
use crate::error::Result;
use crate::storage::Place;

/// The record of the last commit.
///
/// # Errors
/// Exit 4 if the store cannot be read; exit 5 if nothing is committed or the record is damaged.
pub fn last_record(root: &Place) -> Result<Record> {
    opening::check(root)?;
    let nothing = || broken(format!("{root} holds no committed run; run the job again"));
    Ok(records::last(root)?.ok_or_else(nothing)?.record)
}

/// Whether anything is committed at a place; not at one without objects.
///
/// # Errors
/// Exit 4 if it cannot be read; exit 6 if it holds something else.
pub fn has_commits(root: &Place) -> Result<bool> {
    let names = match root.is_folder().and_then(|is_there| is_there.then(|| root.names_below()).transpose()) {
        Ok(names) => names.unwrap_or_default(),
        Err(e) => return Err(e.of(&root.to_string())),
    };
    Ok(opening::is_marked(root, &names)? && records::newest(root)? > 0)
}

/// The record of a commit with a number.
///
/// # Errors
/// Exit 5 if it is gone or damaged.
pub fn record(root: &Place, number: u64) -> Result<Record> {
    records::read(root, number).map(|written| written.record)
}

/// The run that `latest` names.
///
/// # Errors
/// As [`last_record`]; exit 5 also if its manifest is missing or changed.
pub fn latest_run(root: &Place) -> Result<CommittedRun> {
    run(root, &last_record(root)?)
}

/// The run that `latest` names in a record.
pub(super) fn run(root: &Place, record: &Record) -> Result<CommittedRun> {
    let latest = record.latest.as_deref().and_then(|run_id| record.run(run_id)).ok_or_else(|| {
        broken(format!("{root} keeps no run whose last as-of date is in view, so `latest` names none; run the job again"))
    })?;
    let sha256 = &latest.manifest_sha256;
    let folder = root.join(record.folder_of(sha256).unwrap_or_default());
    let path = folder.join("manifest.json");
    let bytes = path.read().map_err(|e| broken(format!("{path} cannot be read: {e}")).caused_by(e))?;
    if crate::hash::sha256(&bytes) != *sha256 {
        return Err(broken(format!("{path} is not the one that was committed; run the job again")));
    }
    Ok(CommittedRun { manifest: Manifest::parse(&path, &bytes)?, folder })
}

/// The dates that a record shows with their files, which stay where they are until the second commit after it.
pub fn view(root: &Place, record: Record) -> View {
    let placed = record.placed.unwrap_or_default();
    let place = |file: TableFile| (root.join(&file.path), file);
    let date = |(date, tables): (String, BTreeMap<String, Vec<TableFile>>)| {
        let run_id = record.dates.get(&date)?.run_id.clone();
        let tables = tables.into_iter().map(|(table, files)| (table, files.into_iter().map(place).collect())).collect();
        Some((date, ShownDate { run_id, tables }))
    };
    let dimension = |(name, file): (String, TableFile)| {
        let (place, file) = place(file);
        (name, vec![DimensionFile { as_of: None, place, file }])
    };
    View {
        commit: record.number,
        owner: record.owner,
        run_id: record.latest.clone(),
        dates: placed.dates.into_iter().filter_map(date).collect(),
        dimensions: placed.dimensions.into_iter().map(dimension).collect(),
        dropped: record.dropped.into_iter().collect(),
        unknown: Vec::new(),
    }
}

/// The committed `customers`: the folder of each as-of date in view that has them, and the date of the run of `latest`.
///
/// # Errors
/// As [`last_record`].
pub fn customers(root: &Place) -> Result<(BTreeMap<String, Place>, Option<String>)> {
    let record = last_record(root)?;
    let latest = record.latest.as_deref().and_then(|run_id| record.run(run_id)).map(|run| run.last_as_of.clone());
    let placed = record.placed.unwrap_or_default();
    let folder = |(date, tables): (&String, &BTreeMap<String, Vec<TableFile>>)| {
        let (folder, _) = tables.get("customers")?.first()?.path.rsplit_once('/')?;
        Some((date.clone(), root.join(folder)))
    };
    Ok((placed.dates.iter().filter_map(folder).collect(), latest))
}
