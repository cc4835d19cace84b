//! Where the files of the next commit lie: pure steps from one record to the next.

use std::collections::{BTreeMap, BTreeSet};

use super::super::contents::{Contents, RESTATEMENTS};
use super::super::manifest::TableFile;
use super::super::placed::Placed;
use super::super::record::Record;

impl Placed {
    /// Adds a run that supplies its dates from now on; `made` is what its commit made for the last of them.
    pub fn add_run(&mut self, folder: &str, sha256: &str, contents: &Contents, made: Vec<TableFile>) {
        self.folders.insert(sha256.to_owned(), folder.to_owned());
        for date in &contents.as_of {
            self.dates.insert(date.clone(), tables_of(folder, contents, date));
        }
        if let Some(tables) = contents.as_of.last().and_then(|last| self.dates.get_mut(last)).filter(|_| !made.is_empty()) {
            tables.insert(RESTATEMENTS.into(), made);
        }
    }

    /// Puts a run in the place of another that supplies some dates; what commits made for them stays.
    pub fn replace_run(&mut self, folder: &str, sha256: &str, contents: &Contents, dates: &BTreeSet<String>) {
        self.folders.insert(sha256.to_owned(), folder.to_owned());
        for date in dates {
            let made = self.made(date);
            let tables = self.dates.entry(date.clone()).or_default();
            *tables = tables_of(folder, contents, date);
            if !made.is_empty() {
                tables.insert(RESTATEMENTS.into(), made);
            }
        }
    }

    /// Leaves what a record needs.
    pub fn settle(&mut self, record: &Record) {
        let supplies = record.dates.values().map(|supply| supply.manifest_sha256.as_str());
        let needed: BTreeSet<&str> = supplies.chain(record.runs.iter().map(|run| run.manifest_sha256.as_str())).collect();
        self.folders.retain(|sha256, _| needed.contains(sha256.as_str()));
        self.dates.retain(|date, _| record.dates.contains_key(date));
    }

    /// The files that a commit made for a date.
    pub fn made(&self, date: &str) -> Vec<TableFile> {
        self.dates.get(date).and_then(|tables| tables.get(RESTATEMENTS)).cloned().unwrap_or_default()
    }
}

/// The files of a run at a date, by table.
fn tables_of(folder: &str, contents: &Contents, date: &str) -> BTreeMap<String, Vec<TableFile>> {
    let placed = |file: &TableFile| TableFile { path: format!("{folder}/{}", file.path), ..file.clone() };
    let of_table =
        |(table, files): (String, Vec<(String, &TableFile)>)| (table, files.into_iter().map(|(_, file)| placed(file)).collect());
    contents.of_date(date).into_iter().map(of_table).collect()
}
