//! The files that an output must hold, and which of them are as they were written.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::files::sha256_of;

/// What a file belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// An as-of date of the tree that readers see.
    Date(String),
    /// An as-of date of the tree before.
    DateBefore(String),
    /// A run.
    Run(String),
    /// The manifest of dates in view.
    Manifest,
    /// What a commit made for a date in view.
    Made,
    /// A dimension of the last commit.
    Dimension,
}

/// A file that must be there.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub path: PathBuf,
    pub sha256: String,
    /// Its bytes, where a manifest tells.
    pub bytes: Option<u64>,
    pub part: Part,
}

/// What became of an expected file that is not as it was written.
#[derive(Debug, Clone)]
pub(super) struct Bad {
    pub file: Expected,
    /// Such as "is gone".
    pub how: String,
    /// Where the same bytes lie.
    pub copy: Option<PathBuf>,
}

/// What a look at all files gave.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub bad: Vec<Bad>,
    /// Distinct files that were read.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Reads and hashes all files, those that are links to each other once.
pub(super) fn look(expected: Vec<Expected>) -> Looked {
    type Inode = (u64, u64);
    let found: Vec<Result<(Inode, u64), String>> = expected
        .par_iter()
        .map(|file| match std::fs::symlink_metadata(&file.path) {
            Ok(found) if !found.is_file() => Err("is no regular file".to_owned()),
            Ok(found) => Ok(((found.dev(), found.ino()), found.len())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err("is gone".to_owned()),
            Err(e) => Err(format!("cannot be read: {e}")),
        })
        .collect();
    let mut inodes: BTreeMap<Inode, &Path> = BTreeMap::new();
    for (file, found) in expected.iter().zip(&found) {
        if let Ok((inode, _)) = found {
            inodes.entry(*inode).or_insert(&file.path);
        }
    }
    let hash = |(inode, path): (Inode, &Path)| (inode, sha256_of(path).map_err(|e| format!("cannot be read: {e}")));
    let hashes: HashMap<Inode, Result<(String, u64), String>> =
        inodes.into_iter().collect::<Vec<_>>().into_par_iter().with_max_len(1).map(hash).collect();
    let mut looked = Looked { files: hashes.len(), ..Looked::default() };
    looked.bytes = hashes.values().flatten().map(|(_, bytes)| bytes).sum();
    let verdict = |file: &Expected, found: &Result<(Inode, u64), String>| -> Result<(), String> {
        let (inode, bytes) = found.clone()?;
        let sha256 = match hashes.get(&inode) {
            Some(Ok((sha256, _))) => sha256.as_str(),
            Some(Err(how)) => return Err(how.clone()),
            None => "",
        };
        let is_same = sha256 == file.sha256 && file.bytes.is_none_or(|expected| expected == bytes);
        is_same.then_some(()).ok_or_else(|| "was changed or damaged after it was written".to_owned())
    };
    let verdicts: Vec<Result<(), String>> = expected.iter().zip(&found).map(|(file, found)| verdict(file, found)).collect();
    let mut good: HashMap<String, PathBuf> = HashMap::new();
    for (file, verdict) in expected.iter().zip(&verdicts) {
        if verdict.is_ok() {
            good.entry(file.sha256.clone()).or_insert_with(|| file.path.clone());
        }
    }
    let bad = expected.into_iter().zip(verdicts).filter_map(|(file, verdict)| Some((file, verdict.err()?)));
    looked.bad = bad.map(|(file, how)| Bad { copy: good.get(&file.sha256).cloned(), file, how }).collect();
    looked
}

/// Paths of the expected files below a folder, and of the folders above them.
pub(super) fn known_below(expected: &[Expected], folder: &Path) -> BTreeSet<PathBuf> {
    let below = expected.iter().map(|file| file.path.as_path()).filter(|path| path.starts_with(folder));
    below.flat_map(|path| path.ancestors().take_while(|above| *above != folder).map(Path::to_owned)).collect()
}
