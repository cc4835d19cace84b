//! Whether an output folder is what its last commit says: every record, manifest, run and tree. Writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::commits::{self, read_copy};
use super::contents::Contents;
use super::expected::{self, Bad, Expected, Looked, Part, known_below};
use super::files::names;
use super::finding::{Cure, Finding, Look, Verified, recompute, stranger, unfinished, unknown_below};
use super::layout::{
    MADE, MANIFESTS, date_folder, latest_target, manifest_path, record_copy, record_path, run_folder, tables_target, tree_folder,
};
use super::record::{Record, Written};
use super::{dimensions, legacy, tree};
use crate::error::Result;

/// How often `verify` looks at what a run may be changing at this moment.
const TRIES: u32 = 3;

/// Holds an output against the record of its last commit.
///
/// # Errors
/// Exit 6 if a folder cannot be listed.
pub(super) fn look(root: &Path, written: &Written, look: &mut Look) -> Result<()> {
    let output = Output { root, record: &written.record };
    output.settle(&written.bytes, &mut look.findings)?;
    output.look(look)
}

/// An output and the record of its last commit.
struct Output<'a> {
    root: &'a Path,
    record: &'a Record,
}

impl Output<'_> {
    /// Looks whether the links and the tree follow the commit, which they do within moments.
    fn settle(&self, bytes: &[u8], findings: &mut Vec<Finding>) -> Result<()> {
        let mut tries = 1;
        loop {
            let found = self.unsettled(bytes)?;
            if found.is_empty() || tries == TRIES {
                findings.extend(found);
                return Ok(());
            }
            tries += 1;
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn unsettled(&self, bytes: &[u8]) -> Result<Vec<Finding>> {
        let (root, number) = (self.root, self.record.number);
        let mut findings = Vec::new();
        let of_latest = self.record.latest.as_deref().map(latest_target);
        for (name, target) in [("latest", of_latest), ("tables", Some(tables_target(number)))] {
            let link = root.join(name);
            let found = fs::read_link(&link).ok();
            if found == target && (found.is_some() || fs::symlink_metadata(&link).is_err()) {
                continue;
            }
            let points = target.map_or("nothing".into(), |target| target.display().to_string());
            let path = link.display();
            findings.push(if fs::symlink_metadata(&link).is_ok_and(|found| !found.is_symlink()) {
                let what = format!("{path} is no link to {points}, but a copy, as `cp -rL` makes one");
                Finding::advice(what, format!("move {path} away and run the job again to put it right"))
            } else {
                Finding::new(format!("{path} does not point to what was committed last, which is {points}"), Cure::Follow)
            });
        }
        let tree = tree_folder(root, number);
        if !tree.is_dir() {
            let lost = tree::plan(root, self.record)?.lost;
            findings.push(Finding::new(format!("{} is gone", tree.display()), Cure::LayOut));
            for date in lost.iter().filter(|date| self.record.dates.get(*date).is_some_and(|supply| !supply.lost)) {
                findings.push(self.lost_date(date, None));
            }
        } else if !tree::is_whole(root, number, bytes) {
            let (copy, record) = (record_copy(root, number), record_path(root, number));
            let what = format!("{} is gone or differs from {}", copy.display(), record.display());
            findings.push(Finding::new(what, Cure::Copy { from: record, to: copy }));
        }
        Ok(findings)
    }

    fn lost_date(&self, date: &str, contents: Option<&Contents>) -> Finding {
        let what = format!("as-of date {date} is in view, but its files are gone");
        Finding::advice(what, recompute(&self.root.display(), self.record, date, dates_of(contents)))
    }

    fn look(&self, look: &mut Look) -> Result<()> {
        let (root, record) = (self.root, self.record);
        let mut expected = Vec::new();
        let manifests = self.manifests(&mut expected, &mut look.findings)?;
        let before = self.before(&mut look.findings)?;
        if tree_folder(root, record.number).is_dir() {
            self.of_tree(record, &manifests, Part::Date, &mut expected);
        }
        if let Some(before) = &before {
            self.of_tree(before, &manifests, Part::DateBefore, &mut expected);
        }
        let gone = self.of_runs(&mut expected, &mut look.findings)?;
        let strangers = self.strangers_in_runs(&expected, &gone)?;
        look.findings.extend(strangers);
        for shown in [Some(record), before.as_ref()].into_iter().flatten() {
            let strangers = self.strangers_in_tree(shown, &expected, &manifests)?;
            look.findings.extend(strangers);
        }
        for date in record.lost() {
            look.findings.push(self.lost_date(date, manifests.get(date)));
        }
        let looked = expected::look(expected);
        self.judge(&looked, &manifests, &mut look.findings);
        look.verified = self.verified(&looked)?;
        Ok(())
    }

    /// What the manifests of all dates in view list.
    fn manifests(&self, expected: &mut Vec<Expected>, findings: &mut Vec<Finding>) -> Result<BTreeMap<String, Contents>> {
        let (root, mut by_hash) = (self.root, BTreeMap::new());
        let mut by_date = BTreeMap::new();
        for (date, supply) in self.record.dates.iter().filter(|(_, supply)| !supply.lost) {
            let sha256 = &supply.manifest_sha256;
            let contents = by_hash.entry(sha256.clone()).or_insert_with(|| Contents::read(root, &supply.run_id, sha256).ok());
            match contents {
                Some(contents) => {
                    by_date.insert(date.clone(), contents.clone().with_made(supply));
                }
                None => {
                    let path = manifest_path(root, sha256);
                    let what = format!("{}, the manifest of as-of date {date}, is gone or damaged", path.display());
                    findings.push(Finding::advice(what, recompute(&root.display(), self.record, date, &[])));
                }
            }
        }
        let kept = |sha256: &String| Expected {
            path: manifest_path(root, sha256),
            sha256: sha256.clone(),
            bytes: None,
            part: Part::Manifest,
        };
        expected.extend(by_hash.iter().filter(|(_, contents)| contents.is_some()).map(|(sha256, _)| kept(sha256)));
        for file in self.record.dates.values().filter(|supply| !supply.lost).flat_map(|supply| &supply.made) {
            let path = root.join(MADE).join(format!("{}.parquet", file.sha256));
            expected.push(Expected { path, sha256: file.sha256.clone(), bytes: Some(file.bytes), part: Part::Made });
        }
        for (name, file) in &self.record.dimensions {
            let in_tree = tree_folder(root, self.record.number).join(dimensions::path_in_tree(name));
            let paths = [dimensions::path_of(root, file), in_tree];
            let (sha256, bytes) = (&file.sha256, Some(file.bytes));
            expected.extend(paths.map(|path| Expected { path, sha256: sha256.clone(), bytes, part: Part::Dimension }));
        }
        for name in names(&root.join(MANIFESTS))? {
            let path = root.join(MANIFESTS).join(&name);
            // A whole manifest that no record names is of a run that is being committed, or was killed then.
            let is_whole = |sha256: &str| fs::read(&path).is_ok_and(|bytes| crate::hash::sha256(&bytes) == sha256);
            let is_known = name.strip_suffix(".json").is_some_and(|sha256| by_hash.contains_key(sha256) || is_whole(sha256));
            if !is_known && !name.starts_with('.') {
                findings.push(stranger(&path, "is the manifest of no date in view"));
            }
        }
        Ok(by_date)
    }

    /// The record of the commit before, if its tree is there.
    fn before(&self, findings: &mut Vec<Finding>) -> Result<Option<Record>> {
        let (root, number) = (self.root, self.record.number - 1);
        let (path, copy, tree) = (record_path(root, number), record_copy(root, number), tree_folder(root, number));
        if number == 0 || legacy::is_legacy(root, number) {
            return Ok(None);
        }
        let (record, copied) = (commits::read(root, number).ok().map(|written| written.record), read_copy(root, number));
        let damaged = |path: &Path| format!("{} is gone, or was changed or damaged after it was written", path.display());
        match (&record, &copied) {
            (Some(record), Some(copied)) if record == copied => {}
            (Some(_), _) if !tree.is_dir() && !copy.exists() => {}
            (Some(_), _) => findings.push(Finding::new(damaged(&copy), Cure::Copy { from: path, to: copy.clone() })),
            (None, Some(_)) => findings.push(Finding::new(damaged(&path), Cure::Copy { from: copy.clone(), to: path })),
            (None, None) => findings.push(Finding::new(damaged(&path), Cure::Supersede)),
        }
        if copied.is_some() && !tree.is_dir() {
            findings.push(Finding::new(format!("{} is gone", tree.display()), Cure::Remove(copy)));
        }
        Ok(record.or(copied).filter(|_| tree.is_dir()))
    }

    /// The files of a tree by date; of the tree before only dates that the next tree takes from it.
    fn of_tree(
        &self,
        shown: &Record,
        manifests: &BTreeMap<String, Contents>,
        part: fn(String) -> Part,
        expected: &mut Vec<Expected>,
    ) {
        let tree = tree_folder(self.root, shown.number);
        for (date, contents) in manifests.iter().filter(|(date, _)| self.record.dates.get(*date) == shown.dates.get(*date)) {
            for (table, files) in contents.of_date(date) {
                let folder = tree.join(table).join(date_folder(date));
                expected.extend(files.into_iter().map(|(name, file)| Expected {
                    path: folder.join(name),
                    sha256: file.sha256.clone(),
                    bytes: Some(file.bytes),
                    part: part(date.clone()),
                }));
            }
        }
    }

    /// The files of the runs that stay; returns those whose folder or manifest is gone.
    fn of_runs(&self, expected: &mut Vec<Expected>, findings: &mut Vec<Finding>) -> Result<BTreeSet<String>> {
        let mut gone = BTreeSet::new();
        for run in &self.record.runs {
            let folder = run_folder(self.root, &run.run_id);
            let contents = Contents::read(self.root, &run.run_id, &run.manifest_sha256).ok();
            let Some(contents) = contents.filter(|_| folder.is_dir()) else {
                gone.insert(run.run_id.clone());
                let what = match folder.is_dir() {
                    true => format!("{} is gone or is not the one that was committed", folder.join("manifest.json").display()),
                    false => format!("{} is gone", folder.display()),
                };
                findings.push(self.lost_run(&run.run_id, what));
                continue;
            };
            let of = |path: &str, sha256: &str, bytes| Expected {
                path: folder.join(path),
                sha256: sha256.to_owned(),
                bytes,
                part: Part::Run(run.run_id.clone()),
            };
            expected.push(of("manifest.json", &run.manifest_sha256, None));
            expected.extend(contents.files().map(|file| of(&file.path, &file.sha256, Some(file.bytes))));
        }
        Ok(gone)
    }

    fn lost_run(&self, run_id: &str, what: String) -> Finding {
        match self.record.run(run_id).filter(|_| self.record.latest.as_deref() == Some(run_id)) {
            Some(run) => {
                let job = &self.record.owner.job;
                let advice =
                    format!("run the job again with `rfmill run JOB --as-of {}` (job {job:?}), or as it ran", run.last_as_of);
                Finding::advice(format!("{what}, and `latest` names that run"), advice)
            }
            None => Finding::new(what, Cure::Forget(run_id.to_owned())),
        }
    }

    /// Files in runs that these did not write.
    fn strangers_in_runs(&self, expected: &[Expected], gone: &BTreeSet<String>) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for run in self.record.runs.iter().filter(|run| !gone.contains(&run.run_id)) {
            let folder = run_folder(self.root, &run.run_id);
            let unknown = unknown_below(&folder, &known_below(expected, &folder))?;
            findings.extend(unknown.iter().map(|path| stranger(path, "is no file of the run that it lies in")));
        }
        Ok(findings)
    }

    /// Files in a tree that no commit made: a glob would read them.
    fn strangers_in_tree(
        &self,
        shown: &Record,
        expected: &[Expected],
        manifests: &BTreeMap<String, Contents>,
    ) -> Result<Vec<Finding>> {
        let tree = tree_folder(self.root, shown.number);
        let mut findings = Vec::new();
        let mut known = known_below(expected, &tree);
        // Dates are what is known or not; a table may have none that the next tree takes from this one.
        known.extend(names(&tree)?.into_iter().map(|table| tree.join(table)).filter(|table| table.is_dir()));
        known.extend(shown.dimensions.keys().map(|name| tree.join(dimensions::path_in_tree(name))));
        for path in unknown_below(&tree, &known)? {
            let below = path.strip_prefix(&tree).unwrap_or(&path);
            let date = below.iter().find_map(|name| name.to_str()?.strip_prefix("as_of="));
            let (now, then) = date.map_or((None, None), |date| (self.record.dates.get(date), shown.dates.get(date)));
            // The next tree takes such a date from elsewhere.
            let is_replaced = shown.number < self.record.number && now != then;
            // What belongs to a date without a manifest cannot be told.
            let is_untold = now.is_some() && date.is_some_and(|date| !manifests.contains_key(date));
            if is_replaced || is_untold {
                continue;
            }
            let what = match now {
                Some(_) => {
                    "is no file of the date that it lies in, so the folder does not hold exactly the files that were committed"
                }
                None => "is of no committed run",
            };
            findings.push(stranger(&path, what));
        }
        Ok(findings)
    }

    /// Makes findings of the files that are not as they were written.
    fn judge(&self, looked: &Looked, manifests: &BTreeMap<String, Contents>, findings: &mut Vec<Finding>) {
        let (mut dates, mut runs) = (BTreeMap::new(), BTreeMap::new());
        for Bad { file, how, copy } in &looked.bad {
            let what = format!("{} {how}", file.path.display());
            match (copy, &file.part) {
                (Some(from), _) => {
                    findings.push(Finding::new(what, Cure::Copy { from: from.clone(), to: file.path.clone() }));
                }
                (None, Part::Dimension) => findings.push(Finding::new(what, Cure::Supersede)),
                (None, Part::Date(date)) => dates.entry(date).or_insert_with(Vec::new).push(what),
                (None, Part::Run(run)) => runs.entry(run).or_insert_with(Vec::new).push(what),
                // What the tree before or the source lacks, the last tree lacks, too; and manifests were judged.
                (None, Part::DateBefore(_) | Part::Manifest | Part::Made) => {}
            }
        }
        for (date, all) in dates {
            let advice = recompute(&self.root.display(), self.record, date, dates_of(manifests.get(date)));
            findings.push(Finding::advice(first_of(&all), advice));
        }
        for (run, all) in runs {
            findings.push(self.lost_run(run, first_of(&all)));
        }
    }

    fn verified(&self, looked: &Looked) -> Result<Verified> {
        let (root, record) = (self.root, self.record);
        let latest = record.latest.as_deref().and_then(|run_id| record.run(run_id));
        let contents = latest.and_then(|run| Contents::read(root, &run.run_id, &run.manifest_sha256).ok());
        Ok(Verified {
            run_id: record.latest.clone(),
            job_name: record.owner.job.clone(),
            as_of: contents.as_ref().map(|c| c.as_of.clone()).unwrap_or_default(),
            tables: contents.map(|c| c.tables.into_iter().map(|t| (t.name, t.rows)).collect()).unwrap_or_default(),
            dates: record.dates.keys().cloned().collect(),
            files: looked.files,
            bytes: looked.bytes,
            unfinished: unfinished(root, record)?,
            unvouched: 0,
        })
    }
}

fn dates_of(contents: Option<&Contents>) -> &[String] {
    contents.map_or(&[], |contents| &contents.as_of)
}

fn first_of(all: &[String]) -> String {
    let first = all.first().cloned().unwrap_or_default();
    match all.len() {
        0 | 1 => first,
        2 => format!("{first} (and so was another file)"),
        more => format!("{first} (and so were {} other files)", more - 1),
    }
}
