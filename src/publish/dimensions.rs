//! The dimensions: `dim_state`, `dim_period` and `dim_date`, one file each over all as-of dates in view.
//!
//! Every commit makes them anew, of what its record says of the dates alone: so a commit reads no table of an earlier one,
//! whatever the history, and files that are lost or damaged are made again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::contents::keep_made;
use super::facts::{DateFacts, PeriodFacts, StateFacts};
use super::files::sha256_of;
use super::layout::MADE;
use super::record::MadeFile;
use super::record::Record;
use crate::domain::Day;
use crate::error::Result;
use crate::tables::{DateRow, EncodedFile, PeriodRow, Row, StateRow, calendar, encode, to_batch, whole_years};

/// Where the file of a dimension lies below a tree.
pub(super) fn path_in_tree(name: &str) -> PathBuf {
    Path::new(name).join(format!("{name}.parquet"))
}

/// Where a commit keeps the file.
pub(super) fn path_of(root: &Path, file: &MadeFile) -> PathBuf {
    root.join(MADE).join(format!("{}.parquet", file.sha256))
}

/// Where an output keeps the files that its commits make.
pub(super) trait Keeper {
    /// Keeps a file, durably; returns what the record says of it.
    ///
    /// # Errors
    /// Exit 6.
    fn keep(&self, file: &EncodedFile) -> Result<MadeFile>;

    /// Whether a file that was kept is whole.
    fn has(&self, file: &MadeFile) -> bool;
}

/// The folder `made/` of an output on a disk.
impl Keeper for &Path {
    fn keep(&self, file: &EncodedFile) -> Result<MadeFile> {
        keep_made(self, file)
    }

    fn has(&self, file: &MadeFile) -> bool {
        sha256_of(&path_of(self, file)).is_ok_and(|(sha256, _)| sha256 == file.sha256)
    }
}

/// Makes the dimensions of a record and keeps them, durably; `last` is the record before.
///
/// # Errors
/// Exit 6 if they cannot be written.
pub(super) fn make(keeper: &impl Keeper, record: &Record, last: Option<&Record>) -> Result<BTreeMap<String, MadeFile>> {
    let dates = shown(record);
    let mut made = BTreeMap::new();
    let mut keep = |name: &str, file: &EncodedFile| -> Result<()> {
        made.insert(name.to_owned(), keeper.keep(file)?);
        Ok(())
    };
    let job = &record.owner.job;
    if dates.iter().any(|(_, facts)| facts.states.is_some()) {
        keep(StateRow::TABLE, &encoded(&states(record, &dates), job)?)?;
    }
    if dates.iter().any(|(_, facts)| facts.period.is_some()) {
        keep(PeriodRow::TABLE, &encoded(&periods(&dates), job)?)?;
    }
    let Some((first, last_day)) = days(&dates) else { return Ok(made) };
    // It is the largest, and changes once a year.
    let before = last.filter(|last| last.owner.job == *job && days(&shown(last)) == Some((first, last_day)));
    let file = before.and_then(|last| last.dimensions.get(DateRow::TABLE));
    let file = match file.filter(|file| keeper.has(file)) {
        Some(file) => file.clone(),
        None => keeper.keep(&encoded(&calendar(first, last_day), job)?)?,
    };
    made.insert(DateRow::TABLE.into(), file);
    Ok(made)
}

fn encoded<R: Row>(rows: &[R], job: &str) -> Result<EncodedFile> {
    let table = R::definition(0);
    encode(&table, &table.schema(true), &[&to_batch(rows, &table)?], job)
}

/// The dates whose files are there, ascending.
fn shown(record: &Record) -> Vec<(Day, &DateFacts)> {
    let dates = record.dates.iter().filter(|(_, supply)| !supply.lost);
    dates.filter_map(|(date, supply)| Some((Day::parse(date)?, &supply.facts))).collect()
}

/// First and last day of the calendar.
fn days(dates: &[(Day, &DateFacts)]) -> Option<(Day, Day)> {
    let known = || dates.iter().filter_map(|(_, facts)| facts.days);
    let first = known().map(|(first, _)| first).min()?;
    let last = known().map(|(_, last)| last).max()?;
    let (oldest, newest) = (dates.first()?.0, dates.last()?.0);
    Some(whole_years(first.min(oldest), last.max(newest)))
}

/// The rows of `dim_period`: one per date, so that no join on it loses rows.
fn periods(dates: &[(Day, &DateFacts)]) -> Vec<PeriodRow> {
    let all: BTreeSet<Day> = dates.iter().map(|(day, _)| *day).collect();
    let nothing = PeriodFacts::default();
    let row = |(as_of, facts): &(Day, &DateFacts)| {
        let period = facts.period.as_ref().unwrap_or(&nothing);
        let is_partial = period.end.is_some_and(|end| end > *as_of);
        let label = period.label.clone().unwrap_or_else(|| as_of.to_string());
        PeriodRow {
            as_of: *as_of,
            period_start: period.start,
            period_end: period.end,
            label: Some(if is_partial { as_of.label_of_part(&label) } else { label }),
            same_period_last_year: period.year_before.filter(|day| all.contains(day)),
            is_partial: Some(is_partial),
            history_complete: period.history_complete,
            role: Some("own".into()),
            period_before: period.period_before.filter(|day| all.contains(day)),
            new_is_first_seen: period.new_is_first_seen,
            definitions_hash: period.definitions_hash.clone(),
        }
    };
    let mut rows: Vec<PeriodRow> = dates.iter().map(row).collect();
    distinguish(
        &mut rows,
        |row| (String::new(), row.label.clone()),
        |_| false,
        |row| {
            let as_of = row.as_of;
            row.label.iter_mut().for_each(|label| label.push_str(&format!(" ({as_of})")));
        },
    );
    rows
}

/// The rows of `dim_state`: each state of each date once, as the newest of its dates has it. Those of the newest date come first.
fn states(record: &Record, dates: &[(Day, &DateFacts)]) -> Vec<StateRow> {
    // Most dates have the same states: first and last date of each list of them.
    let mut lists: HashMap<&str, (Day, Day)> = HashMap::new();
    for (day, hash) in dates.iter().filter_map(|(day, facts)| Some((*day, facts.states.as_deref()?))) {
        lists.entry(hash).or_insert((day, day)).1 = day;
    }
    let mut lists: Vec<(&str, (Day, Day))> = lists.into_iter().collect();
    lists.sort_unstable_by_key(|(_, (_, last))| Reverse(*last));
    let newest = lists.first().map(|(_, (_, last))| *last);
    let mut rows: Vec<StateRow> = Vec::new();
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (hash, (first, last)) in lists {
        for facts in record.states.get(hash).into_iter().flatten() {
            let place = *places.entry((&facts.scheme, &facts.state)).or_insert_with(|| {
                rows.push(state_row(facts, Some(last) == newest, last));
                rows.len() - 1
            });
            if let Some(row) = rows.get_mut(place) {
                row.first_as_of = row.first_as_of.map(|known| known.min(first));
            }
        }
    }
    // A state that is gone gives way to the one that took its label.
    let is_current = |row: &StateRow| row.is_current == Some(true);
    let add = |label: &mut Option<String>, state: &str| {
        label.iter_mut().for_each(|label| label.push_str(&format!(" ({state})")));
    };
    distinguish(
        &mut rows,
        |row| (row.scheme.clone(), row.label_en.clone()),
        is_current,
        |row| {
            add(&mut row.label_en, &row.state);
        },
    );
    distinguish(
        &mut rows,
        |row| (row.scheme.clone(), row.label_zh_hans.clone()),
        is_current,
        |row| {
            add(&mut row.label_zh_hans, &row.state);
        },
    );
    rows
}

fn state_row(facts: &StateFacts, is_current: bool, last: Day) -> StateRow {
    let facts = facts.clone();
    StateRow {
        scheme: facts.scheme,
        state: facts.state,
        rank: facts.rank,
        label_en: facts.label_en,
        label_zh_hans: facts.label_zh_hans,
        definition: facts.definition,
        action: facts.action,
        colour: facts.colour,
        is_at_risk: facts.is_at_risk,
        scheme_place: facts.scheme_place,
        is_first_seen: facts.is_first_seen,
        is_current: Some(is_current),
        first_as_of: Some(last),
        last_as_of: Some(last),
    }
}

/// Adds to labels that several rows have what tells those apart, until each is unique. Of such rows, the one that leads keeps
/// its label.
fn distinguish<R>(
    rows: &mut [R],
    label: impl Fn(&R) -> (String, Option<String>),
    leads: impl Fn(&R) -> bool,
    add: impl Fn(&mut R),
) {
    // Each round makes labels longer, so few can meet others again.
    for _ in 0..rows.len() {
        let mut with_label: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            if let (group, Some(label)) = label(row) {
                with_label.entry((group, label)).or_default().push(at);
            }
        }
        let several: Vec<Vec<usize>> = with_label.into_values().filter(|rows| rows.len() > 1).collect();
        if several.is_empty() {
            return;
        }
        for places in several {
            let leading: Vec<usize> = places.iter().copied().filter(|at| leads(&rows[*at])).collect();
            let keeps = |at: &usize| leading.as_slice() == [*at];
            places.iter().filter(|at| !keeps(at)).for_each(|at| add(&mut rows[*at]));
        }
    }
}
