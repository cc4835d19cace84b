//! What the next commit says: pure steps from one record to the next.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Dimensions;
use super::manifest::Manifest;
use super::record::{Act, FORMAT, KeptRun, MadeFile, Owner, Record, Supply};
use crate::domain::Day;
use crate::error::{Error, Kind, Result};

/// A run, and the SHA-256 of its manifest.
pub(super) type RunKey = (String, String);

/// A run to commit.
#[derive(Debug, Clone)]
pub(super) struct NewRun {
    pub run_id: String,
    pub manifest_sha256: String,
    /// Its as-of dates, ascending.
    pub as_of: Vec<String>,
    /// What the commit makes for the last of them.
    pub made: Vec<MadeFile>,
    /// What it says to the dimensions.
    pub dimensions: Dimensions,
}

impl NewRun {
    /// A run by its manifest, whose file has these bytes.
    pub fn of(manifest: &Manifest, bytes: &[u8], made: Vec<MadeFile>) -> NewRun {
        let (run_id, as_of) = (manifest.run_id.clone(), manifest.as_of.clone());
        NewRun { run_id, manifest_sha256: crate::hash::sha256(bytes), as_of, made, dimensions: manifest.dimensions.clone() }
    }
}

impl Record {
    /// The record after this one, before it says what changed.
    ///
    /// # Errors
    /// Exit 5 if there is no further number.
    fn successor(self, act: Act) -> Result<Record> {
        let number = self.number.checked_add(1).ok_or_else(|| {
            Error::new(
                Kind::State,
                format!(
                    "commit {} has the largest number there is, so none can follow; move its record away if you do not know it",
                    self.number
                ),
            )
        })?;
        Ok(Record { format: FORMAT, number, act, ..self })
    }

    /// The commit of a run: it alone supplies its dates from now on. `keep` runs stay, the last committed ones, and besides
    /// them the run of `latest` and the one that would follow it.
    ///
    /// # Errors
    /// Exit 5 if there is no further number.
    pub fn with_run(self, owner: Owner, run: &NewRun, keep: u32) -> Result<Record> {
        let mut next = self.successor(Act::Run(run.run_id.clone()))?;
        next.owner = owner;
        for date in &run.as_of {
            let made = if run.as_of.last() == Some(date) { run.made.clone() } else { Vec::new() };
            let (run_id, manifest_sha256) = (run.run_id.clone(), run.manifest_sha256.clone());
            let facts = Day::parse(date).and_then(|day| run.dimensions.dates.get(&day)).cloned().unwrap_or_default();
            if let Some(hash) = &facts.states {
                next.states.insert(hash.clone(), run.dimensions.states.clone());
            }
            next.dates.insert(date.clone(), Supply { run_id, manifest_sha256, commit: next.number, made, facts, lost: false });
            next.dropped.remove(date);
        }
        next.runs.retain(|kept| kept.run_id != run.run_id);
        let last_as_of = run.as_of.last().cloned().unwrap_or_default();
        let kept =
            KeptRun { run_id: run.run_id.clone(), manifest_sha256: run.manifest_sha256.clone(), last_as_of, commit: next.number };
        next.runs.insert(0, kept);
        next.settle(Some(keep));
        Ok(next)
    }

    /// The commit that takes dates out.
    ///
    /// # Errors
    /// Exit 5 if there is no further number.
    pub fn without_dates(self, dates: &BTreeSet<String>) -> Result<Record> {
        let mut next = self.successor(Act::Drop(dates.clone()))?;
        next.dates.retain(|date, _| !dates.contains(date));
        next.dropped.extend(dates.iter().cloned());
        next.settle(None);
        Ok(next)
    }

    /// The commit that goes on without some runs.
    ///
    /// # Errors
    /// Exit 5 if there is no further number.
    pub fn without_runs(self, runs: &BTreeSet<String>) -> Result<Record> {
        let mut next = self.successor(Act::Forget(runs.clone()))?;
        next.runs.retain(|run| !runs.contains(&run.run_id));
        next.settle(None);
        Ok(next)
    }

    /// The commit that replaces runs by others without some customers. Runs that supply no date go. `replaced` has the run and
    /// the hash of the manifest of each, by those of the run that it replaces.
    ///
    /// # Errors
    /// Exit 5 if there is no further number.
    pub fn with_replaced(self, replaced: &BTreeMap<RunKey, RunKey>, customers: u64) -> Result<Record> {
        let mut next = self.successor(Act::ForgetCustomers(customers))?;
        let key = |run_id: &str, sha256: &str| (run_id.to_owned(), sha256.to_owned());
        let of_dates: BTreeSet<RunKey> =
            next.dates.values().filter(|supply| !supply.lost).map(|s| key(&s.run_id, &s.manifest_sha256)).collect();
        next.runs.retain(|run| of_dates.contains(&key(&run.run_id, &run.manifest_sha256)));
        for run in &mut next.runs {
            if let Some(by) = replaced.get(&key(&run.run_id, &run.manifest_sha256)) {
                (run.run_id, run.manifest_sha256) = by.clone();
            }
        }
        for supply in next.dates.values_mut() {
            if let Some(by) = replaced.get(&key(&supply.run_id, &supply.manifest_sha256)) {
                (supply.run_id, supply.manifest_sha256) = by.clone();
                supply.commit = next.number;
            }
        }
        next.settle(None);
        Ok(next)
    }

    /// Names the run of `latest` and, with `keep`, the runs that stay; forgets states that no date has any more.
    fn settle(&mut self, keep: Option<u32>) {
        let used: BTreeSet<&String> = self.dates.values().filter_map(|supply| supply.facts.states.as_ref()).collect();
        self.states.retain(|hash, _| used.contains(hash));
        let by_date: Vec<String> = self.newest_runs().into_iter().take(2).collect();
        self.latest = by_date.first().cloned();
        if let Some(keep) = keep {
            let mut at = 0;
            self.runs.retain(|run| {
                at += 1;
                at <= keep as usize || by_date.contains(&run.run_id)
            });
        }
    }

    /// The kept runs that supply their last as-of date, the newest date first, of equal dates the last committed.
    fn newest_runs(&self) -> Vec<String> {
        let supplies = |run: &&KeptRun| self.dates.get(&run.last_as_of).is_some_and(|supply| supply.run_id == run.run_id);
        let mut runs: Vec<&KeptRun> = self.runs.iter().filter(supplies).collect();
        runs.sort_by(|a, b| (&b.last_as_of, b.commit).cmp(&(&a.last_as_of, a.commit)));
        runs.into_iter().map(|run| run.run_id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner { job: "nightly".into(), timezone: Some("UTC".into()) }
    }

    /// The records after commits of these runs, each with its dates.
    fn committed(runs: &[(&str, &[&str])], keep: u32) -> Record {
        runs.iter().fold(Record::empty(owner()), |record, (id, dates)| {
            let as_of = dates.iter().map(|d| (*d).to_owned()).collect();
            let (run_id, manifest_sha256) = ((*id).to_owned(), format!("sha of {id}"));
            let run = NewRun { run_id, manifest_sha256, as_of, made: Vec::new(), dimensions: Dimensions::default() };
            record.with_run(owner(), &run, keep).unwrap()
        })
    }

    fn ids(record: &Record) -> Vec<&str> {
        record.runs.iter().map(|run| run.run_id.as_str()).collect()
    }

    fn dropped(record: &Record, date: &str) -> Record {
        record.clone().without_dates(&[date.to_owned()].into()).unwrap()
    }

    #[test]
    fn latest_is_the_run_of_the_newest_date_however_late_others_come() {
        let record = committed(&[("a", &["2024-01-01"]), ("b", &["2024-01-02"]), ("c", &["2023-06-30"])], 10);
        assert_eq!(record.latest.as_deref(), Some("b"));
        // Of equal dates the last committed.
        let again = committed(&[("a", &["2024-01-02"]), ("b", &["2024-01-02"]), ("c", &["2024-01-01"])], 10);
        assert_eq!(again.latest.as_deref(), Some("b"));
        assert_eq!(dropped(&record, "2024-01-02").latest.as_deref(), Some("a"));
        assert_eq!(dropped(&dropped(&record, "2024-01-02"), "2024-01-01").latest.as_deref(), Some("c"));
    }

    #[test]
    fn the_run_of_latest_and_the_next_older_one_outlive_backfills() {
        let nights: &[(&str, &[&str])] = &[("a", &["2024-01-01"]), ("b", &["2024-01-02"]), ("c", &["2024-01-03"])];
        let backfills: &[(&str, &[&str])] = &[("d", &["2023-01-01"]), ("e", &["2023-01-02"])];
        let record = committed(&[nights, backfills].concat(), 1);
        assert_eq!(ids(&record), ["e", "c", "b"]);
        assert_eq!(dropped(&record, "2024-01-03").latest.as_deref(), Some("b"));
    }

    #[test]
    fn only_the_last_commit_of_a_date_supplies_it() {
        let record = committed(&[("a", &["2024-01-01", "2024-02-01"]), ("b", &["2024-01-01"])], 10);
        assert_eq!(record.dates["2024-01-01"].run_id, "b");
        assert_eq!(record.dates["2024-02-01"].run_id, "a");
        let gone = dropped(&record, "2024-01-01");
        assert!(!gone.dates.contains_key("2024-01-01") && gone.dropped.contains("2024-01-01"));
        let as_of = vec!["2024-01-01".into()];
        let (run_id, manifest_sha256) = ("c".into(), "x".into());
        let run = NewRun { run_id, manifest_sha256, as_of, made: Vec::new(), dimensions: Dimensions::default() };
        assert!(gone.with_run(owner(), &run, 10).unwrap().dropped.is_empty());
    }

    #[test]
    fn the_last_number_there_is_is_a_sentence() {
        let last = Record { number: u64::MAX, ..Record::empty(owner()) };
        let error = last.without_dates(&BTreeSet::new()).unwrap_err();
        assert_eq!(error.kind(), Kind::State);
        assert!(error.to_string().contains("has the largest number there is"), "{error}");
    }
}
