//! Writing below the output folder: durable, never through a link, and with errors that say what to do.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::error::{Error, Kind, Result};

/// How every failure before a commit ends.
const UNTOUCHED: &str = ". The last committed run is untouched";

/// What went wrong with a path of the output.
pub(super) fn failed(path: &Path, error: std::io::Error) -> Error {
    let advice = match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE) => {
            return Error::new(
                Kind::Resource,
                format!(
                    "cannot open {}: {error}; raise the limit of open files (ulimit -n) or use fewer --threads{UNTOUCHED}",
                    path.display()
                ),
            )
            .caused_by(error);
        }
        Some(libc::ELOOP) => "no link is followed there, so remove it or choose another --output",
        Some(libc::EXDEV) => "the output must lie on one file system, so choose another --output",
        _ => match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space or choose another --output",
            ErrorKind::FileTooLarge => "raise the limit of file sizes (ulimit -f) or choose another --output",
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "check its permissions or choose another --output",
            ErrorKind::AlreadyExists => "something else stands there, so choose another --output",
            ErrorKind::NotADirectory | ErrorKind::NotFound => "a part of the path is no folder, so choose another --output",
            _ => "check the disk or choose another --output",
        },
    };
    Error::output(format!("cannot write {}: {error}; {advice}{UNTOUCHED}", path.display())).caused_by(error)
}

/// The error of a step that follows a commit; `done` says what is committed.
pub(super) fn after_commit(done: &str, what: &str, error: Error) -> Error {
    let cause = error.to_string().replace(UNTOUCHED, "");
    Error::new(error.kind(), format!("{done} is committed, but {what}: {cause}; run the job again")).caused_by(error)
}

/// Makes renames and new files in the folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    sync(path).map_err(|e| failed(path, e))
}

/// The same, with the error of the system.
pub(super) fn sync(path: &Path) -> std::io::Result<()> {
    File::open(path).and_then(|folder| folder.sync_all())
}

/// Makes folders durable, several at once: each is a wait for the disk.
pub(super) fn sync_folders(folders: &[PathBuf]) -> Result<()> {
    folders.par_iter().with_max_len(1).try_for_each(|folder| sync_folder(folder))
}

/// Makes a folder and those below it durable.
pub(super) fn sync_tree(folder: &Path) -> Result<()> {
    let mut folders = vec![folder.to_owned()];
    let mut listed = 0;
    while let Some(folder) = folders.get(listed).cloned() {
        listed += 1;
        for entry in fs::read_dir(&folder).map_err(|e| failed(&folder, e))? {
            let entry = entry.map_err(|e| failed(&folder, e))?;
            if entry.file_type().map_err(|e| failed(&folder, e))?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    sync_folders(&folders)
}

/// Replaces the symlink at `link` by one to `target`, in one step.
pub(super) fn swap_link(link: &Path, target: &Path) -> Result<()> {
    let draft = link.with_extension("new");
    let _ = fs::remove_file(&draft);
    std::os::unix::fs::symlink(target, &draft).map_err(|e| failed(&draft, e))?;
    fs::rename(&draft, link).map_err(|e| failed(link, e))
}

/// Writes a new file that holds no ids of customers, and makes its content durable.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    write_file(path, bytes, Access::Umask)?.sync_all().map_err(|e| failed(path, e))
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Whoever the umask lets.
    Umask,
    /// Its owner and its group at most: it holds ids of customers.
    Group,
}

/// Writes a new file, which is not durable yet.
pub(super) fn write_file(path: &Path, bytes: &[u8], access: Access) -> Result<File> {
    let mode = match access {
        Access::Umask => 0o666,
        Access::Group => 0o640,
    };
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        Ok(file)
    };
    write().map_err(|e| failed(path, e))
}

/// Makes the root of an output with all folders above it, durably.
pub(super) fn make_root(root: &Path) -> Result<()> {
    let missing: Vec<&Path> = root.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
    fs::create_dir_all(root).map_err(|e| failed(root, e))?;
    for parent in missing.into_iter().filter_map(Path::parent) {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        match sync(parent) {
            // Who may write there and not read can still write.
            Err(e) if e.kind() != ErrorKind::PermissionDenied => return Err(failed(parent, e)),
            _ => {}
        }
    }
    Ok(())
}

/// Makes a folder unless it is there; says whether it was made.
pub(super) fn make_folder(path: &Path) -> Result<bool> {
    match fs::create_dir(path) {
        Ok(()) => Ok(true),
        // A link to a folder is none: what is written would land elsewhere.
        Err(e) if e.kind() == ErrorKind::AlreadyExists && fs::symlink_metadata(path).is_ok_and(|m| m.is_dir()) => Ok(false),
        Err(e) => Err(failed(path, e)),
    }
}

/// Removes a file, a link or a folder with all that is in it; links are not followed.
pub(super) fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(e) => Err(e),
    };
    match removed {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(failed(path, e)),
        _ => Ok(()),
    }
}

/// Names in a folder, sorted; none if it is not there.
pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(folder, e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(|e| failed(folder, e))?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// Removes what lies in a folder and is not named by one of these hashes and the ending.
pub(super) fn keep_only(folder: &Path, ending: &str, hashes: &HashSet<&str>) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(failed(folder, e)),
    };
    for entry in entries {
        let name = entry.map_err(|e| failed(folder, e))?.file_name();
        let hash = name.to_str().and_then(|name| name.strip_suffix(ending));
        if !hash.is_some_and(|hash| hashes.contains(hash)) {
            remove(&folder.join(name))?;
        }
    }
    Ok(())
}

/// Links a file, or copies it where the file system has no hard links.
///
/// # Errors
/// Exit 6.
pub(super) fn link_file(from: &Path, to: &Path) -> Result<()> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    let copy = || {
        fs::copy(from, to)?;
        fs::File::open(to)?.sync_all()
    };
    copy().map_err(|e| failed(to, e))
}

/// SHA-256 of a file, and its bytes.
pub(super) fn sha256_of(path: &Path) -> std::io::Result<(String, u64)> {
    use sha2::Digest;
    let mut file = File::open(path)?;
    let mut hash = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let length = match std::io::Read::read(&mut file, &mut buffer) {
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            read => read?,
        };
        let Some(read) = buffer.get(..length).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
        bytes += length as u64;
    }
    Ok((crate::hash::hex(&hash.finalize()), bytes))
}
