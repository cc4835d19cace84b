//! The commit records of an output folder; the one with the largest number is the truth.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::files::{failed, sync, sync_folder, write_new};
use super::manifest::CommitRecord;
use crate::error::{Error, Kind, Result};

/// Numbers of all commits, ascending.
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
        let name = entry.map_err(unlisted)?.file_name();
        numbers.extend(name.to_string_lossy().strip_suffix(".json").and_then(|n| n.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The last commit with its number.
pub(super) fn last_commit(root: &Path) -> Result<Option<(u64, CommitRecord)>> {
    match commit_numbers(root)?.last() {
        Some(&number) => Ok(Some((number, CommitRecord::read(root, number)?))),
        None => Ok(None),
    }
}

/// Adds a commit to those of the folder and returns its number. This is the one step that makes a run the last committed one.
///
/// # Errors
/// Exit 6 if it surely did not happen; exit 9 if that cannot be told.
pub(super) fn add(root: &Path, record: &CommitRecord) -> Result<u64> {
    let before = last_commit(root)?;
    let commits = root.join("commits");
    // A run that was damaged and computed anew has another manifest.
    if let Some((number, last)) = &before
        && last.run_id == record.run_id
        && last.manifest_sha256 == record.manifest_sha256
    {
        // It may be that only this failed.
        sync_folder(&commits)?;
        return Ok(*number);
    }
    let number = before.map_or(1, |(n, _)| n + 1);
    let (draft, path) = (commits.join(format!(".{number:08}.new")), commits.join(format!("{number:08}.json")));
    let bytes = record.to_bytes()?;
    let _ = fs::remove_file(&draft);
    write_new(&draft, &bytes).inspect_err(|_| drop(fs::remove_file(&draft)))?;
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
    sync(&commits).map_err(|e| unknown(&path, &format!("cannot write {}: {e}", commits.display()), e))?;
    Ok(number)
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
