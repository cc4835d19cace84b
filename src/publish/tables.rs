//! `OUT/tables`: the last committed version of every as-of date over all runs, as real folders with hard-linked files
//! behind one symlink.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Manifest, failed, swap_link};
use crate::error::Result;

/// Folder of the generations that `tables` points to.
const GENERATIONS: &str = ".tables";

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

/// Lays out the generation of a commit, unless it is there, and points `tables` to it.
pub(super) fn lay_out(root: &Path, number: u64, run_id: &str) -> Result<()> {
    let link = root.join("tables");
    let target = Path::new(GENERATIONS).join(format!("{number:08}"));
    let current = fs::read_link(&link).ok();
    let run = root.join("runs").join(run_id);
    let manifest = Manifest::read(&run)?;
    let last = manifest.as_of.last().cloned().unwrap_or_default();
    let mut own: Vec<(PathBuf, PathBuf)> = Vec::new();
    let mut whole = current.as_deref() == Some(target.as_path());
    let mut replaced: Vec<PathBuf> = Vec::new();
    for file in manifest.tables.iter().flat_map(|t| &t.files) {
        if let Some((table, as_of, name)) = place(&file.path, &last) {
            let folder = Path::new(&table).join(&as_of);
            let to = folder.join(name);
            whole &= fs::metadata(link.join(&to)).is_ok_and(|m| m.len() == file.bytes);
            own.push((run.join(&file.path), to));
            replaced.push(folder);
        }
    }
    if whole {
        return Ok(());
    }
    let draft = root.join(GENERATIONS).join(format!(".{number:08}.new"));
    if draft.exists() {
        fs::remove_dir_all(&draft).map_err(|e| failed(&draft, &e))?;
    }
    fs::create_dir_all(&draft).map_err(|e| failed(&draft, &e))?;
    // Everything the last generation holds of other dates.
    if let Some(before) = current.map(|c| root.join(c)).filter(|b| b.is_dir()) {
        for table in folders(&before)? {
            for as_of in folders(&before.join(&table))? {
                let folder = Path::new(&table).join(&as_of);
                if replaced.contains(&folder) {
                    continue;
                }
                let from = before.join(&folder);
                for entry in fs::read_dir(&from).map_err(|e| failed(&from, &e))?.flatten() {
                    link_file(&entry.path(), &draft.join(&folder).join(entry.file_name()))?;
                }
            }
        }
    }
    for (from, to) in own {
        link_file(&from, &draft.join(to))?;
    }
    let generation = root.join(&target);
    if generation.exists() {
        fs::remove_dir_all(&generation).map_err(|e| failed(&generation, &e))?;
    }
    fs::rename(&draft, &generation).map_err(|e| failed(&generation, &e))?;
    swap_link(&link, &target)?;
    let generations = root.join(GENERATIONS);
    for name in folders(&generations)? {
        // A reader may still be in the generation before; older ones go.
        let is_old = name.trim_start_matches('.').trim_end_matches(".new").parse::<u64>().is_ok_and(|n| n + 1 < number);
        if is_old {
            let path = generations.join(name);
            fs::remove_dir_all(&path).map_err(|e| failed(&path, &e))?;
        }
    }
    Ok(())
}

fn folders(path: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(path).map_err(|e| failed(path, &e))?;
    let names = entries.flatten().filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
    let mut names: Vec<String> = names.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    Ok(names)
}

fn link_file(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(|e| failed(parent, &e))?;
    }
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        // Some file systems have no hard links.
        Err(_) => fs::copy(from, to).map(|_| ()).map_err(|e| failed(to, &e)),
    }
}
