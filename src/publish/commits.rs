//! The commit records of an output folder; the one with the largest number is the truth.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::files::{failed, remove, sync, sync_folder, write_new};
use super::layout::{number_of, record_copy, record_path};
use super::legacy;
use super::record::{Record, Written, unusable};
use crate::error::{Error, Kind, Result};

/// Numbers of all commits, ascending.
///
/// # Errors
/// Exit 5 if the folder cannot be listed, or a name in it is that of no record.
pub(super) fn commit_numbers(root: &Path) -> Result<Vec<u64>> {
    let folder = root.join("commits");
    let unlisted = |e| Error::new(Kind::State, format!("cannot list {}: {e}; check the folder", folder.display())).caused_by(e);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(unlisted(e)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(unlisted)?.file_name().to_string_lossy().into_owned();
        match number_of(&name, ".json") {
            Some(number) => numbers.push(number),
            None if name.starts_with('.') => {}
            None => {
                let path = folder.join(name);
                return Err(Error::new(
                    Kind::State,
                    format!("{} is no record of a commit; expected names such as 00000012.json. Move it away", path.display()),
                ));
            }
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The record of a commit, as it was written.
///
/// # Errors
/// Exit 5 if it is missing, damaged, or one of 0.1.0.
pub(super) fn read(root: &Path, number: u64) -> Result<Written> {
    let path = record_path(root, number);
    let bytes = fs::read(&path).map_err(|e| unusable(&path.display(), format!("cannot be read: {e}")).caused_by(e))?;
    Ok(Written { record: Record::parse(&path.display(), &bytes, number)?, bytes })
}

/// The record of the last commit. Those of an output of 0.1.0 are put together to one.
///
/// # Errors
/// Exit 5 if it cannot be used, or is gone although its tree is there.
pub(super) fn last_commit(root: &Path) -> Result<Option<Written>> {
    let numbers = commit_numbers(root)?;
    let last = numbers.last().copied().unwrap_or(0);
    // A tree is made behind its record. Who went on without that would bring older numbers back.
    if let Some(number) = copies(root)?.into_iter().find(|number| *number > last) {
        return Err(unusable(&record_path(root, number).display(), "is gone"));
    }
    match last {
        0 => Ok(None),
        _ => match read(root, last) {
            Err(_) if legacy::is_legacy(root, last) => {
                Ok(Some(Written { record: legacy::read(root, &numbers)?, bytes: Vec::new() }))
            }
            read => read.map(Some),
        },
    }
}

/// Numbers of the records of which a copy lies beside the trees, ascending.
///
/// # Errors
/// Exit 6 if the folder cannot be listed.
pub(super) fn copies(root: &Path) -> Result<Vec<u64>> {
    let names = super::files::names(&root.join(super::layout::TREES))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| number_of(name, ".json")).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The record of which a copy lies beside the trees, if that is whole.
pub(super) fn read_copy(root: &Path, number: u64) -> Option<Record> {
    let path = record_copy(root, number);
    Record::parse(&path.display(), &fs::read(&path).ok()?, number).ok()
}

/// Adds a record to those of the folder. This is the one step that makes a commit the last one.
///
/// # Errors
/// Exit 6 if it surely did not happen; exit 9 if that cannot be told.
pub(super) fn add(root: &Path, number: u64, bytes: &[u8]) -> Result<()> {
    let (commits, path) = (root.join("commits"), record_path(root, number));
    let draft = commits.join(format!(".{number:08}.new"));
    let _ = fs::remove_file(&draft);
    write_new(&draft, bytes).inspect_err(|_| drop(fs::remove_file(&draft)))?;
    if let Err(e) = fs::hard_link(&draft, &path) {
        // The link may have been made although the call failed: only the folder knows.
        match fs::read(&path) {
            Ok(found) if found == bytes => {}
            Err(unread) if unread.kind() != ErrorKind::NotFound => return Err(unknown(&path, &e.to_string(), e)),
            _ => {
                let _ = fs::remove_file(&draft);
                return Err(failed(&path, e));
            }
        }
    }
    let _ = fs::remove_file(&draft);
    sync(&commits).map_err(|e| unknown(&path, &format!("cannot write {}: {e}", commits.display()), e))
}

/// Makes a commit durable of which only that failed.
///
/// # Errors
/// Exit 6.
pub(super) fn sync_commits(root: &Path) -> Result<()> {
    sync_folder(&root.join("commits"))
}

/// Removes the records before the one that precedes `number`. The last one says all there is to say; that before it says what
/// the tree before shows.
///
/// # Errors
/// Exit 5 or 6.
pub(super) fn remove_older(root: &Path, number: u64) -> Result<()> {
    for old in commit_numbers(root)?.into_iter().filter(|old| *old + 1 < number) {
        remove(&record_path(root, old))?;
    }
    Ok(())
}

fn unknown(path: &Path, cause: &str, error: std::io::Error) -> Error {
    Error::new(
        Kind::Unknown,
        format!(
            "it cannot be told whether the commit {} happened and would outlive a crash: {cause}; nothing was removed, so run `rfmill verify` on the output, and then the job again",
            path.display()
        ),
    )
    .caused_by(error)
}
