//! What `verify` can tell of an output of 0.1.0: its last run, and the dates whose runs are still there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::contents::Contents;
use super::expected::{self, Expected, Part, known_below};
use super::files::names;
use super::finding::{Finding, Look, Verified, stranger, unfinished, unknown_below};
use super::hashes;
use super::layout::{date_folder, latest_target, run_folder, tables_target};
use super::legacy;
use super::record::Record;
use crate::error::Result;

/// Looks at an output of 0.1.0.
///
/// # Errors
/// Exit 6 if a folder cannot be listed.
pub(super) fn look(root: &Path, record: &Record) -> Result<Look> {
    let mut look = Look::default();
    let run_id = record.latest.clone().unwrap_or_default();
    let folder = run_folder(root, &run_id);
    let contents = record.run(&run_id).and_then(|run| Contents::read(root, &run_id, &run.manifest_sha256).ok());
    let Some(contents) = contents else {
        let what = format!("{} is gone or is not the one that was committed", folder.join("manifest.json").display());
        look.findings.push(Finding::advice(what, "run the job again"));
        return Ok(look);
    };
    check_run(&folder, &contents, &mut look)?;
    for (name, target) in [("latest", latest_target(&run_id)), ("tables", tables_target(record.number))] {
        let link = root.join(name);
        if fs::read_link(&link).ok().as_deref() != Some(target.as_path()) {
            let what = format!("{} does not point to what was committed last, which is {}", link.display(), target.display());
            look.findings.push(Finding::advice(what, "run the job again to put it right"));
        }
    }
    let unvouched = legacy::unvouched(root, record);
    check_tables(root, record, &unvouched, &mut look)?;
    look.verified = Verified {
        run_id: Some(run_id),
        job_name: record.owner.job.clone(),
        as_of: contents.as_of.clone(),
        tables: contents.tables.into_iter().map(|table| (table.name, table.rows)).collect(),
        dates: record.dates.keys().cloned().collect(),
        unfinished: unfinished(root, record)?,
        unvouched: unvouched.len(),
        ..look.verified
    };
    Ok(look)
}

fn check_run(folder: &Path, contents: &Contents, look: &mut Look) -> Result<()> {
    let expected = contents.files().map(|file| Expected {
        path: folder.join(&file.path),
        sha256: file.sha256.clone(),
        bytes: Some(file.bytes),
        part: Part::Run(contents.run_id.clone()),
    });
    let expected: Vec<Expected> = expected.collect();
    let mut known = known_below(&expected, folder);
    known.insert(folder.join("manifest.json"));
    let unknown = unknown_below(folder, &known)?;
    look.findings.extend(unknown.iter().map(|path| stranger(path, "is no file of the run that it lies in")));
    let looked = expected::look(expected);
    let bad =
        looked.bad.iter().map(|bad| Finding::advice(format!("{} {}", bad.file.path.display(), bad.how), "run the job again"));
    look.findings.extend(bad);
    (look.verified.files, look.verified.bytes) = (looked.files, looked.bytes);
    Ok(())
}

/// Whether the dates whose runs are there lie in `tables` as these wrote them, and no date is of no commit.
fn check_tables(root: &Path, record: &Record, unvouched: &BTreeSet<String>, look: &mut Look) -> Result<()> {
    let shown = root.join("tables");
    for (date, supply) in record.dates.iter().filter(|(date, _)| !unvouched.contains(*date)) {
        let contents = Contents::read(root, &supply.run_id, &supply.manifest_sha256)?;
        if !hashes::tree_holds(&shown, &run_folder(root, &supply.run_id), &contents, date) {
            let what = format!("as-of date {date} in {} does not hold exactly the files that were committed", shown.display());
            look.findings.push(Finding::advice(what, format!("run the job again with --as-of {date} to put it right")));
        }
    }
    for table in names(&shown)? {
        for as_of in names(&shown.join(&table))? {
            if !record.dates.keys().any(|date| date_folder(date) == as_of) {
                look.findings.push(stranger(&shown.join(&table).join(as_of), "is of no committed run"));
            }
        }
    }
    Ok(())
}
