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
const LEFT_NS: i128 = 7 * 24 * 3600 * 1_000_000_000;

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

/// Removes what the last two commits do not need: `record`, and `before`. `earlier` is the one before these.
///
/// # Errors
/// Exit 6.
pub fn sweep(root: &Place, record: &Record, before: Option<&Record>, earlier: Option<&Record>) -> Result<()> {
    let now = place_of(root, record.number).state().map_err(|e| e.of(&root.to_string()))?.modified_ns;
    let needed: Vec<Needs> = [Some(record), before].into_iter().flatten().map(Needs::of).collect();
    let lapsed = earlier.map(Needs::of);
    let is_needed = |path: &str| needed.iter().any(|needs| needs.has(path));
    let is_lapsed = |path: &str| lapsed.as_ref().is_some_and(|needs| needs.has(path));
    let is_record = |path: &str| [record.number, record.number - 1].iter().any(|n| path == format!("{COMMITS}/{n:08}.json"));
    for folder in SWEPT {
        let listed = root.join(folder).list().map_err(|e| e.of(&root.to_string()))?;
        let goes = |listed: &&Listed| {
            let path = format!("{folder}/{}", listed.key);
            let is_left = now - listed.modified_ns > LEFT_NS && !is_record(&path);
            !is_needed(&path) && (is_left || is_lapsed(&path))
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
