//! Removes what no commit needs.
//!
//! No lock keeps two commands apart, so what an object is for decides, and its age. The last two commits are whole: a reader may
//! still be in the one before. What the commit before these showed, and they do not, goes at once: names are never used twice, so
//! nobody writes there. Other objects belong to a run that is being written or was killed, and go when they are a week old. So do
//! records: a run that began before one went could give its number to another commit. What has no name of ours stays.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::super::layout::number_of;
use super::super::record::Record;
use super::records::{COMMITS, place_of};
use crate::error::Result;
use crate::storage::{Listed, Place};

/// The age at which an object that no commit needs was left by a killed run: no run takes that long.
pub const LEFT_NS: i128 = 7 * 24 * 3600 * 1_000_000_000;

/// The age at which it is removed for customers who are forgotten, by which the clocks of a store may differ. A run that began
/// before them does not commit, and one that begins after them writes later.
pub const BUSY_NS: i128 = 60 * 1_000_000_000;

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
/// than `left_ns`; of records, what is older than [`LEFT_NS`].
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
            let left_ns = if folder == COMMITS { LEFT_NS } else { left_ns };
            is_ours(&path) && !is_needed(&path) && (now - listed.modified_ns > left_ns || is_lapsed(&path))
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

/// Whether a name is one that this program gives.
pub fn is_ours(path: &str) -> bool {
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    match path.split('/').collect::<Vec<_>>()[..] {
        ["runs", run, nonce, _, ..] => is_hex(run, 16) && is_hex(nonce, 16),
        ["made", nonce, file] => is_hex(nonce, 16) && file.strip_suffix(".parquet").is_some_and(|hash| is_hex(hash, 64)),
        [COMMITS, name] => number_of(name, ".json").is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn names_of_others_are_known() {
        let (id, hash) = ("0123456789abcdef", "0123456789abcdef".repeat(4));
        for ours in [format!("runs/{id}/{id}/customers/as_of=2024-12-31/part-000.parquet"), format!("made/{id}/{hash}.parquet")] {
            assert!(is_ours(&ours), "{ours}");
        }
        assert!(is_ours("commits/00000012.json"));
        let theirs = ["commits/12.json", "made/notes.txt", "runs/backup/x/y", "runs/readme.md", "latest.json"];
        let theirs = theirs.map(str::to_owned).into_iter();
        for theirs in theirs.chain([format!("runs/{id}/{id}"), format!("made/{id}/{id}.parquet"), format!("runs/{id}/new/a")]) {
            assert!(!is_ours(&theirs), "{theirs}");
        }
    }
}
