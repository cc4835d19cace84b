//! Removes what no commit needs.
//!
//! No lock keeps two commands apart, so what an object is for decides, and its age. The last two commits are whole: a reader may
//! still be in the one before. What the commit before these showed, and they do not, goes at once: names are never used twice, so
//! nobody writes there. Other objects belong to a run that is being written or was killed, and go when they are a week old.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::super::record::Record;
use super::records::{COMMITS, place_of};
use crate::error::Result;
use crate::storage::{Listed, Place};

/// The age at which an object that no commit needs was left by a killed run: no run takes that long.
pub const LEFT_NS: i128 = 7 * 24 * 3600 * 1_000_000_000;

/// The age at which it is removed for customers who are forgotten; a run that still writes then finds it gone, and fails.
pub const BUSY_NS: i128 = 3600 * 1_000_000_000;

/// Folders that hold nothing but what commits need.
const SWEPT: [&str; 3] = ["runs", "made", COMMITS];

/// What a commit needs.
struct Needs {
    /// Folders of runs.
    folders: BTreeSet<String>,
    /// Files.
    files: BTreeSet<String>,
}

impl Needs {
    fn of(record: &Record) -> Needs {
        let placed = record.placed.as_ref();
        let folders = record.runs.iter().filter_map(|run| record.folder_of(&run.manifest_sha256));
        let files = placed.into_iter().flat_map(|placed| placed.files().map(|file| file.path.clone()));
        // The manifest of a run that supplies a date says what it read.
        let manifests =
            placed.into_iter().flat_map(|placed| placed.folders.values().map(|folder| format!("{folder}/manifest.json")));
        Needs { folders: folders.map(str::to_owned).collect(), files: files.chain(manifests).collect() }
    }

    fn has(&self, path: &str) -> bool {
        // A folder is `runs/<run>/<attempt>`.
        let folder = path.match_indices('/').nth(2).and_then(|(at, _)| path.get(..at));
        self.files.contains(path) || folder.is_some_and(|folder| self.folders.contains(folder))
    }
}

/// Removes what none of some commits needs, of which the first is the last one: at once what `lapsed` commits showed, and what is older
/// than `left_ns`.
///
/// # Errors
/// Exit 6.
pub fn sweep(root: &Place, needed: &[&Record], lapsed: &[Record], left_ns: i128) -> Result<()> {
    let Some(last) = needed.first() else { return Ok(()) };
    let now = place_of(root, last.number).state().map_err(|e| e.of(&root.to_string()))?.modified_ns;
    let records: Vec<String> = [0, 1].map(|back| format!("{COMMITS}/{:08}.json", last.number.saturating_sub(back))).into();
    let [needed, lapsed] =
        [needed.to_vec(), lapsed.iter().collect()].map(|all| all.into_iter().map(Needs::of).collect::<Vec<_>>());
    let is_needed = |path: &str| needed.iter().any(|needs| needs.has(path)) || records.iter().any(|record| record == path);
    let is_lapsed = |path: &str| lapsed.iter().any(|needs| needs.has(path));
    for folder in SWEPT {
        let listed = root.join(folder).list().map_err(|e| e.of(&root.to_string()))?;
        let goes = |listed: &&Listed| {
            let path = format!("{folder}/{}", listed.key);
            !is_needed(&path) && (now - listed.modified_ns > left_ns || is_lapsed(&path))
        };
        let remove = |listed: &Listed| {
            let place = root.join(folder).join(&listed.key);
            place.delete().map_err(|e| e.of(&place.to_string()))
        };
        let gone: Vec<&Listed> = listed.iter().filter(goes).collect();
        gone.into_par_iter().with_max_len(1).try_for_each(remove)?;
    }
    Ok(())
}
