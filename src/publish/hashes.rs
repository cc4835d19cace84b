//! Whether files are those that a manifest lists.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::contents::{Contents, has_size};
use super::files::{names, sha256_of};
use super::layout::date_folder;
use super::manifest::{Manifest, TableFile};
use crate::error::{Error, Kind, Result};

/// Looks whether every file of a staged run is still there in its size; what it holds was read back when it was written.
///
/// # Errors
/// Exit 6 if one is not.
pub(super) fn check_sizes(staged: &Path, manifest: &Manifest) -> Result<()> {
    for file in files(manifest) {
        let path = staged.join(&file.path);
        if !has_size(&path, file) {
            return Err(Error::output(format!(
                "{} was changed or removed while the run was writing it, so nothing is committed; run the job again",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Hashes every file of a run.
///
/// # Errors
/// Exit 5 if one is missing or not what was written.
pub(super) fn check_run(run: &Path, manifest: &Manifest) -> Result<()> {
    let files: Vec<&TableFile> = files(manifest).collect();
    files.par_iter().with_max_len(1).try_for_each(|file| {
        let path = run.join(&file.path);
        if is_file(&path, file) {
            return Ok(());
        }
        let path = path.display();
        Err(Error::new(Kind::State, format!("{path} was changed or damaged after it was written; run the job again")))
    })
}

fn files(manifest: &Manifest) -> impl Iterator<Item = &TableFile> {
    manifest.tables.iter().flat_map(|table| &table.files).chain(&manifest.reports)
}

/// Whether a file is what the manifest lists.
fn is_file(path: &Path, file: &TableFile) -> bool {
    has_size(path, file) && sha256_of(path).is_ok_and(|(sha256, _)| sha256 == file.sha256)
}

/// Whether files lie in a tree as they were written.
pub(super) fn tree_has(tree: &Path, mut files: impl Iterator<Item = (PathBuf, TableFile)>) -> bool {
    files.all(|(path, file)| is_file(&tree.join(path), &file))
}

/// Whether the folders of a date in a tree hold exactly the files of a run that is whole.
pub(super) fn tree_holds(tree: &Path, run: &Path, contents: &Contents, date: &str) -> bool {
    let identity = |path: &Path| std::fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
    contents.of_date(date).into_iter().all(|(table, files)| {
        let folder = tree.join(table).join(date_folder(date));
        names(&folder).is_ok_and(|names| names.len() == files.len())
            && files.iter().all(|(name, file)| {
                let (shown, own) = (folder.join(name), run.join(&file.path));
                identity(&shown).is_some_and(|shown| identity(&own) == Some(shown)) || is_file(&shown, file)
            })
    })
}
