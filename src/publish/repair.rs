//! `verify` as a command, and what it puts right on request.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::commits::last_commit;
use super::files::link_file;
use super::files::{failed, remove, sync_folder};
use super::finding::{Cure, Finding, Verified};
use super::folder::OutputFolder;
use super::look::{broken, check_output, look};
use super::marker::{self, Marked};
use crate::error::{Error, Kind, Result};

/// How often a repair looks again: what it puts right can show what else is wrong.
const ROUNDS: u32 = 4;

/// What `verify` says.
#[derive(Debug, Clone)]
pub struct Report {
    /// What was verified.
    pub verified: Verified,
    /// What was put right, as sentences without a full stop.
    pub repaired: Vec<String>,
    /// What is not as it was committed, as sentences without a full stop.
    pub findings: Vec<String>,
}

impl Report {
    /// The error of what was found.
    pub fn error(&self) -> Option<Error> {
        let first = self.findings.first()?;
        let more = match self.findings.len() - 1 {
            0 => String::new(),
            1 => " (one more finding stands above)".to_owned(),
            more => format!(" ({more} more findings stand above)"),
        };
        Some(broken(format!("{first}{more}")))
    }
}

fn sentences(root: &Path, findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| finding.sentence(root)).collect()
}

/// Compares every record, manifest, run and tree of an output with what its last commit says. Writes nothing.
///
/// # Errors
/// Exit 4 if there is no such folder; exit 5 if it is no output, nothing is committed, or a newer version wrote it.
pub fn verify(root: &Path) -> Result<Report> {
    let look = look(root)?;
    Ok(Report { findings: sentences(root, &look.findings), verified: look.verified, repaired: Vec::new() })
}

/// Puts right what can be without changing a number: from copies of the same bytes, or because nothing needs it.
///
/// # Errors
/// As [`verify`]; exit 6 if the output cannot be written; exit 8 if a run has it.
pub fn repair(root: &Path) -> Result<Report> {
    check_output(root)?;
    let mut repaired = Vec::new();
    let mut found = look(root)?;
    for _ in 0..ROUNDS {
        let curable: Vec<Finding> = found.findings.iter().filter(|finding| finding.is_curable()).cloned().collect();
        if curable.is_empty() {
            break;
        }
        cure(root, &curable)?;
        found = look(root)?;
        let is_cured = |finding: &&Finding| !found.findings.iter().any(|left| left.what == finding.what);
        repaired.extend(curable.iter().filter(is_cured).map(|finding| finding.what.clone()));
    }
    Ok(Report { findings: sentences(root, &found.findings), verified: found.verified, repaired })
}

fn cure(root: &Path, findings: &[Finding]) -> Result<()> {
    if marker::read(root) == Marked::Missing || findings.iter().any(|finding| finding.cure == Cure::Mark) {
        marker::write_again(root)?;
    }
    {
        let _lock = marker::lock(root)?;
        for finding in findings {
            match &finding.cure {
                Cure::Copy { from, to } => copy(from, to)?,
                Cure::Remove(path) => remove(path)?,
                _ => {}
            }
        }
    }
    if last_commit(root)?.is_none() {
        return Ok(());
    }
    // Opening follows the last commit: links, and the tree.
    let folder = OutputFolder::open(root)?;
    let runs = findings.iter().filter_map(|finding| match &finding.cure {
        Cure::Forget(run) => Some(run.clone()),
        _ => None,
    });
    let runs: BTreeSet<String> = runs.collect();
    let lays_out = findings.iter().any(|finding| finding.cure == Cure::LayOut) && !folder.is_laid_out();
    let supersedes = lays_out || findings.iter().any(|finding| finding.cure == Cure::Supersede);
    if !supersedes && runs.is_empty() {
        return Ok(());
    }
    match folder.forget(&runs) {
        // The next look names the dates that are lost.
        Err(e) if e.kind() == Kind::State => Ok(()),
        outcome => outcome,
    }
}

/// Puts the bytes of a file in the place of another, in one step.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(|e| failed(folder, e))?;
    let draft = folder.join(format!(".{}.new", to.file_name().unwrap_or_default().to_string_lossy()));
    remove(&draft)?;
    // A record and its copy shall not be one file, or both were damaged at once.
    let is_table = to.extension().is_some_and(|ending| ending == "parquet");
    if is_table {
        link_file(from, &draft)?;
    } else {
        fs::copy(from, &draft).and_then(|_| fs::File::open(&draft)?.sync_all()).map_err(|e| failed(&draft, e))?;
    }
    if fs::symlink_metadata(to).is_ok_and(|found| found.is_dir()) {
        remove(to)?;
    }
    fs::rename(&draft, to).map_err(|e| failed(to, e))?;
    sync_folder(folder)
}
