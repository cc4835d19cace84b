//! Whether an output in a store is what its last commit says. Writes nothing.

use std::collections::BTreeMap;

use rayon::prelude::*;
use sha2::Digest;

use super::super::contents::Contents;
use super::super::finding::{Verified, recompute};
use super::super::manifest::TableFile;
use super::super::placed::Placed;
use super::super::record::Record;
use super::super::repair::Report;
use super::sweep::is_ours;
use super::{shown, view};
use crate::error::Result;
use crate::hash::hex;
use crate::storage::{Fault, Place};

/// Compares every file that the last commit names with its hash.
///
/// # Errors
/// Exit 4 if the store cannot be read; exit 5 if it is no output, nothing is committed, or the record is damaged.
pub fn verify(root: &Place) -> Result<Report> {
    let record = view::last_record(root)?;
    let nothing = Placed::default();
    let placed = record.placed.as_ref().unwrap_or(&nothing);
    let mut findings = Vec::new();
    let mut expected: BTreeMap<String, Expected> = BTreeMap::new();
    let mut latest = None;
    for run in &record.runs {
        let folder = record.folder_of(&run.manifest_sha256).unwrap_or_default();
        match contents(root, folder, &run.manifest_sha256) {
            Ok(contents) => {
                for file in contents.files() {
                    let path = format!("{folder}/{}", file.path);
                    expected.insert(path, Expected { file: file.clone(), date: None, run: run.run_id.clone() });
                }
                if record.latest.as_ref() == Some(&run.run_id) {
                    latest = Some(contents);
                }
            }
            Err(how) => {
                let path = root.join(folder).join("manifest.json");
                findings.push(format!("{path} {how}; {}", advice(root, &record, &run.last_as_of)));
            }
        }
    }
    for (date, tables) in &placed.dates {
        let run = record.dates.get(date).map(|supply| supply.run_id.clone()).unwrap_or_default();
        for file in tables.values().flatten() {
            let expected_file = Expected { file: file.clone(), date: Some(date.clone()), run: run.clone() };
            expected.insert(file.path.clone(), expected_file);
        }
    }
    for file in placed.dimensions.values() {
        expected.insert(file.path.clone(), Expected { file: file.clone(), date: None, run: String::new() });
    }
    let files: Vec<(&String, &Expected)> = expected.iter().collect();
    let look = |(path, expected): (&String, &Expected)| look(&root.join(path), &expected.file);
    let looked: Vec<std::result::Result<u64, String>> = files.par_iter().with_max_len(1).copied().map(look).collect();
    let mut bytes = 0;
    for ((path, expected), found) in files.into_iter().zip(looked) {
        match found {
            Ok(read) => bytes += read,
            Err(how) => {
                let newest = record.dates.keys().last().cloned().unwrap_or_default();
                let date = expected.date.clone().or_else(|| record.run(&expected.run).map(|run| run.last_as_of.clone()));
                let advice = advice(root, &record, &date.unwrap_or(newest));
                findings.push(format!("{} {how}; {advice}", root.join(path)));
            }
        }
    }
    if !shown::is_current(root, &record) {
        let what = format!("{root}/latest.json or views.sql does not say what was committed last");
        findings.push(format!("{what}; run the job again to put it right"));
    }
    let verified = Verified {
        run_id: record.latest.clone(),
        job_name: record.owner.job.clone(),
        as_of: latest.as_ref().map(|contents| contents.as_of.clone()).unwrap_or_default(),
        tables: latest.map(|c| c.tables.into_iter().map(|table| (table.name, table.rows)).collect()).unwrap_or_default(),
        dates: record.dates.keys().cloned().collect(),
        files: expected.len(),
        bytes,
        unfinished: unfinished(root, &record)?,
        unvouched: 0,
    };
    Ok(Report { verified, repaired: Vec::new(), findings })
}

/// A file that must be there.
struct Expected {
    file: TableFile,
    /// The date that it supplies.
    date: Option<String>,
    run: String,
}

fn advice(root: &Place, record: &Record, date: &str) -> String {
    recompute(root, record, date, &[])
}

fn contents(root: &Place, folder: &str, sha256: &str) -> std::result::Result<Contents, String> {
    let bytes = root.join(folder).join("manifest.json").read().map_err(|e| format!("cannot be read: {e}"))?;
    match crate::hash::sha256(&bytes) == sha256 {
        true => serde_json::from_slice(&bytes).map_err(|e| format!("cannot be read: {e}")),
        false => Err("is not the one that was committed".into()),
    }
}

/// Whether the file is as it was written.
pub(super) fn is_whole(place: &Place, file: &TableFile) -> bool {
    look(place, file).is_ok()
}

/// Reads and hashes a file; says what is wrong with it.
fn look(place: &Place, file: &TableFile) -> std::result::Result<u64, String> {
    let opened = place.open().map_err(|e| match e.fault {
        Fault::Missing => "is gone".to_owned(),
        _ => format!("cannot be read: {e}"),
    })?;
    let mut hash = HashWriter(sha2::Sha256::new());
    let read = std::io::copy(&mut opened.reader(0), &mut hash).map_err(|e| format!("cannot be read: {e}"))?;
    let is_same = hex(&hash.0.finalize()) == file.sha256;
    is_same.then_some(read).ok_or_else(|| "was changed or damaged after it was written".to_owned())
}

struct HashWriter(sha2::Sha256);

impl std::io::Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Attempts at runs that no commit names.
pub(super) fn unfinished(root: &Place, record: &Record) -> Result<Vec<String>> {
    let listed = root.join("runs").list().map_err(|e| e.of(&root.to_string()))?;
    let attempt =
        |key: &str| key.match_indices('/').nth(1).and_then(|(at, _)| key.get(..at)).map(|folder| format!("runs/{folder}"));
    let ours = listed.iter().filter(|listed| is_ours(&format!("runs/{}", listed.key)));
    let mut found: Vec<String> = ours.filter_map(|listed| attempt(&listed.key)).collect();
    found.dedup();
    let folders = record.placed.iter().flat_map(|placed| placed.folders.values());
    let mut known: Vec<String> = folders.cloned().collect();
    // Readers may still be in the commit before.
    if let Ok(before) = super::records::read(root, record.number.saturating_sub(1)) {
        known.extend(before.record.placed.into_iter().flat_map(|placed| placed.folders.into_values()));
    }
    found.retain(|folder| !known.contains(folder));
    Ok(found)
}
