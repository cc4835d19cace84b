//! The first look at an output: what it is, and whether its last record can be used.

use std::fs;
use std::path::Path;

use super::commits::{self, commit_numbers, copies, read_copy};
use super::finding::{Cure, Finding, Look};
use super::layout::{MARKER, record_copy, record_path};
use super::marker::{self, Marked};
use super::record::{FORMAT, Record};
use super::{legacy, legacy_look, verify};
use crate::error::{Error, Kind, Result};

/// How often `verify` looks at what a run may be changing at this moment.
const TRIES: u32 = 3;

pub(super) fn broken(message: String) -> Error {
    Error::new(Kind::State, message)
}

/// Looks at an output folder; again if a run commits meanwhile, which is no damage.
///
/// # Errors
/// Exit 4 if there is no such folder; exit 5 if it is no output, nothing is committed, or a newer version wrote it.
pub(super) fn look(root: &Path) -> Result<Look> {
    let number = || commit_numbers(root).ok().and_then(|n| n.last().copied());
    let mut tries = 0;
    loop {
        let before = number();
        let outcome = look_once(root);
        tries += 1;
        let is_sound = outcome.as_ref().is_ok_and(|look| look.findings.is_empty());
        if is_sound || number() == before || tries == TRIES {
            return outcome;
        }
    }
}

/// Checks that a folder is an output.
///
/// # Errors
/// Exit 4 if there is no such folder; exit 5 if it has neither a marker nor commits.
pub(super) fn check_output(root: &Path) -> Result<()> {
    if !root.is_dir() {
        return Err(Error::input(format!("there is no output folder {}; check the path", root.display())));
    }
    if !root.join(MARKER).exists() && !root.join("commits").is_dir() {
        return Err(broken(format!("{} is not an output folder of rfmill; name the folder given as --output", root.display())));
    }
    Ok(())
}

fn look_once(root: &Path) -> Result<Look> {
    check_output(root)?;
    let numbers = commit_numbers(root)?;
    let last = numbers.last().copied().unwrap_or(0);
    let mut look = Look::default();
    if let Some(number) = copies(root)?.into_iter().find(|number| *number > last) {
        look.findings.push(lost_record(root, number, "is gone"));
        return Ok(look);
    }
    if last == 0 {
        return Err(broken(format!("{} holds no committed run; run the job again", root.display())));
    }
    if legacy::is_legacy(root, last) {
        return legacy_look::look(root, &legacy::read(root, &numbers)?);
    }
    let written = match commits::read(root, last) {
        Ok(written) => written,
        Err(e) if fs::read(record_path(root, last)).is_ok_and(|bytes| Record::is_newer(&bytes)) => return Err(e),
        Err(_) => {
            look.findings.push(lost_record(root, last, "was changed or damaged after it was written"));
            return Ok(look);
        }
    };
    if let Some(what) = marked(root)? {
        look.findings.push(Finding::new(what, Cure::Mark));
    }
    verify::look(root, &written, &mut look)?;
    Ok(look)
}

/// The finding for the record of the last commit.
fn lost_record(root: &Path, number: u64, how: &str) -> Finding {
    let (path, copy) = (record_path(root, number), record_copy(root, number));
    let what = format!("{} {how}", path.display());
    match read_copy(root, number) {
        Some(_) => Finding::new(what, Cure::Copy { from: copy, to: path }),
        None => Finding::advice(
            what,
            format!(
                "no whole copy of it lies in {}, so restore the output from a backup, or move the record away if it was put there by hand",
                copy.display()
            ),
        ),
    }
}

/// What is wrong with the marker.
fn marked(root: &Path) -> Result<Option<String>> {
    let path = root.join(MARKER);
    Ok(match marker::read(root) {
        Marked::Format(format) if format == FORMAT => None,
        Marked::Missing => Some(format!("{} is gone", path.display())),
        Marked::Format(_) | Marked::Changed(_) | Marked::Unreadable => {
            Some(format!("{} was changed or damaged after it was written", path.display()))
        }
    })
}
