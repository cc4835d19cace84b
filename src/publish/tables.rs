//! `OUT/tables`: the last committed version of every as-of date over all runs, as real folders with hard-linked files
//! behind one symlink.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::commits::commit_numbers;
use super::files::{failed, names, remove, swap_link, sync_folder, sync_tree};
use super::layout::GENERATIONS;
use super::manifest::{CommitRecord, Manifest, TableFile};
use crate::error::Result;

/// Tables without an `as_of` column that are one file per run.
const UNDATED: [&str; 8] = ["effects", "effects_over_time", "verdicts", "balance", "before_after", "arms", "dim_state", "ledger"];

/// Where a table's file lies under `tables/`: `(table, as-of date, file name)`.
pub(super) fn place(path: &str, last_as_of: &str) -> Option<(String, String, String)> {
    let mut parts: Vec<&str> = path.split('/').collect();
    let file = parts.pop()?;
    match parts.as_slice() {
        // Tables without an as_of column: one file, or several parts.
        [] => {
            let table = file.strip_suffix(".parquet").filter(|t| UNDATED.contains(t))?;
            Some((table.into(), format!("as_of={last_as_of}"), file.into()))
        }
        [table @ "state_history"] => Some(((*table).into(), format!("as_of={last_as_of}"), file.into())),
        ["partitions", table, as_of] | [table, as_of] => Some(((*table).into(), (*as_of).into(), file.into())),
        _ => None,
    }
}

/// What lies in a folder of `tables`: for every file its name and where it is linked from.
type Files = Vec<(String, PathBuf)>;

/// The folder of the generations must be one, or not there: nothing is written through a link.
pub(super) fn check_generations(root: &Path) -> Result<()> {
    let generations = root.join(GENERATIONS);
    match fs::symlink_metadata(&generations) {
        Ok(found) if !found.is_dir() => Err(failed(&generations, std::io::ErrorKind::NotADirectory.into())),
        _ => Ok(()),
    }
}

/// The files of a run by their folder below `tables`, with their bytes.
pub(super) fn folders_of(manifest: &Manifest) -> BTreeMap<PathBuf, Vec<(String, &TableFile)>> {
    let last = manifest.as_of.last().cloned().unwrap_or_default();
    let mut folders: BTreeMap<PathBuf, Vec<(String, &TableFile)>> = BTreeMap::new();
    for file in manifest.tables.iter().flat_map(|t| &t.files) {
        if let Some((table, as_of, name)) = place(&file.path, &last) {
            folders.entry(Path::new(&table).join(as_of)).or_default().push((name, file));
        }
    }
    folders
}

/// Where `tables` must point after the commit of this number.
pub(super) fn target(number: u64) -> PathBuf {
    Path::new(GENERATIONS).join(format!("{number:08}"))
}

/// Whether a folder below `tables` holds these files and no others.
pub(super) fn holds(folder: &Path, files: &[(String, &TableFile)]) -> bool {
    let count = names(folder).map_or(0, |names| names.iter().filter(|n| !n.starts_with('.')).count());
    count == files.len() && files.iter().all(|(name, file)| fs::metadata(folder.join(name)).is_ok_and(|m| m.len() == file.bytes))
}

/// Lays out the generation of a commit, unless it is there, and points `tables` to it.
pub(super) fn lay_out(root: &Path, number: u64, run_id: &str) -> Result<()> {
    let link = root.join("tables");
    let current = fs::read_link(&link).ok();
    let manifest = Manifest::read(&root.join("runs").join(run_id))?;
    let is_target = current.as_deref() == Some(target(number).as_path());
    if is_target && folders_of(&manifest).iter().all(|(folder, files)| holds(&link.join(folder), files)) {
        // The command that made it may have been killed here.
        return remove_older(root, number);
    }
    let draft = root.join(GENERATIONS).join(format!(".{number:08}.new"));
    remove(&draft)?;
    let drafted = draw_up(root, number, &draft);
    if drafted.is_err() {
        let _ = remove(&draft);
        drafted?;
    }
    let generations = root.join(GENERATIONS);
    let (generation, aside) = (root.join(target(number)), generations.join(format!(".{number:08}.old")));
    remove(&aside)?;
    if fs::symlink_metadata(&generation).is_ok() {
        fs::rename(&generation, &aside).map_err(|e| failed(&generation, e))?;
    }
    fs::rename(&draft, &generation).map_err(|e| failed(&generation, e))?;
    sync_folder(&generations)?;
    swap_link(&link, &target(number))?;
    remove(&aside)?;
    remove_older(root, number)
}

/// Removes old generations, but not the one before: a reader may still be in it.
fn remove_older(root: &Path, number: u64) -> Result<()> {
    for old in numbers(root)? {
        if old + 1 < number {
            remove(&root.join(target(old)))?;
        }
    }
    Ok(())
}

/// Links the files of a generation into `draft`: those of the generation before, and those of the runs since.
fn draw_up(root: &Path, number: u64, draft: &Path) -> Result<()> {
    let mut all: BTreeMap<PathBuf, Files> = BTreeMap::new();
    let base = numbers(root)?.into_iter().rev().find(|n| *n <= number);
    if let Some(base) = base {
        let base = root.join(target(base));
        for table in folders(&base)? {
            for as_of in folders(&base.join(&table))? {
                let folder = Path::new(&table).join(&as_of);
                let names = names(&base.join(&folder))?;
                let files = names.into_iter().map(|name| (name.clone(), base.join(&folder).join(name))).collect();
                all.insert(folder, files);
            }
        }
    }
    // Runs that are still there say it themselves: what somebody did to a generation is put right by the next.
    for commit in commit_numbers(root)?.into_iter().filter(|n| *n <= number) {
        let run = CommitRecord::read(root, commit).map(|record| root.join("runs").join(record.run_id));
        let (run, manifest) = match run.and_then(|run| Manifest::read(&run).map(|manifest| (run, manifest))) {
            Err(_) if commit < number => continue,
            found => found?,
        };
        for (folder, files) in folders_of(&manifest) {
            let is_there = |file: &TableFile| fs::metadata(run.join(&file.path)).is_ok_and(|m| m.len() == file.bytes);
            if commit == number || files.iter().all(|(_, file)| is_there(file)) {
                all.insert(folder, files.into_iter().map(|(name, file)| (name, run.join(&file.path))).collect());
            }
        }
    }
    fs::create_dir_all(draft).map_err(|e| failed(draft, e))?;
    for (folder, files) in all {
        let folder = draft.join(folder);
        fs::create_dir_all(&folder).map_err(|e| failed(&folder, e))?;
        for (name, from) in files {
            link_file(&from, &folder.join(name))?;
        }
    }
    // Later generations are made from this one, and it may outlive the runs.
    sync_tree(draft)
}

/// Numbers of the generations, ascending.
fn numbers(root: &Path) -> Result<Vec<u64>> {
    let mut numbers: Vec<u64> = names(&root.join(GENERATIONS))?.iter().filter_map(|n| n.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn folders(path: &Path) -> Result<Vec<String>> {
    let names = names(path)?;
    Ok(names.into_iter().filter(|n| path.join(n).is_dir()).collect())
}

fn link_file(from: &Path, to: &Path) -> Result<()> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    // Some file systems have no hard links.
    let copy = || {
        fs::copy(from, to)?;
        fs::File::open(to)?.sync_all()
    };
    copy().map_err(|e| failed(to, e))
}
