//! What the dimensions of 0.1.0, which were one file per date or run, say of the dates of an output that is taken over.

use std::collections::BTreeMap;
use std::path::Path;

use super::facts::{PeriodFacts, StateFacts, hash_of};
use super::files::names;
use super::layout::date_folder;
use super::manifest::{TableEntry, TableFile};
use super::read::table_batches;
use super::record::Record;
use crate::error::Result;
use crate::storage::Place;
use crate::tables::{PeriodRow, Row, StateRow};

/// Notes what the files below a tree say of every date. A file that cannot be read says nothing.
///
/// # Errors
/// Exit 1 if states cannot be written down.
pub(super) fn read(tree: &Path, record: &mut Record) -> Result<()> {
    // States lie under the last date of their run.
    let mut of_runs: BTreeMap<String, String> = BTreeMap::new();
    for (date, supply) in &record.dates {
        let rows: Vec<StateRow> = rows(tree, date)?;
        if !rows.is_empty() {
            let states: Vec<StateFacts> = rows.into_iter().map(StateFacts::from).collect();
            let hash = hash_of(&states)?;
            record.states.insert(hash.clone(), states);
            of_runs.insert(supply.run_id.clone(), hash);
        }
    }
    for (date, supply) in &mut record.dates {
        supply.facts.states = of_runs.get(&supply.run_id).cloned();
        supply.facts.period = rows::<PeriodRow>(tree, date)?.into_iter().next().map(|row| PeriodFacts {
            start: row.period_start,
            end: row.period_end,
            label: row.label,
            year_before: row.same_period_last_year,
            period_before: row.period_before,
            history_complete: row.history_complete,
            new_is_first_seen: row.new_is_first_seen,
            definitions_hash: row.definitions_hash,
        });
    }
    Ok(())
}

/// The rows of a dimension at a date.
fn rows<R: Row>(tree: &Path, date: &str) -> Result<Vec<R>> {
    let folder = format!("{}/{}", R::TABLE, date_folder(date));
    let file = |name: String| TableFile { path: format!("{folder}/{name}"), rows: 0, bytes: 0, sha256: String::new() };
    let files = names(&tree.join(&folder))?.into_iter().map(file).collect();
    let table = TableEntry { name: R::TABLE.into(), rows: 0, files };
    let tree = Place::Local(tree.to_owned());
    let batches = table_batches(&tree, &table).flatten().filter_map(|batch| batch.with_as_of().ok());
    Ok(batches.filter_map(|batch| R::from_batch(R::TABLE, &batch).ok()).flatten().collect())
}
