//! Single files that the user names, outside of any output folder.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// What became of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exported {
    /// The file was written.
    Written,
    /// The file was there with the same bytes.
    Unchanged,
}

/// Writes a file in one step: it is there whole, or not at all. What stands there already stays as it is.
///
/// # Errors
/// Exit 6 if something else stands there, or it cannot be written.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<Exported> {
    if is_there(path, bytes)? {
        return Ok(Exported::Unchanged);
    }
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.{}.new", std::process::id()));
    let _ = fs::remove_file(&draft);
    let exported = publish(&draft, path, bytes);
    let _ = fs::remove_file(&draft);
    let exported = exported?;
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(|e| cannot(path, e))?;
    Ok(exported)
}

fn publish(draft: &Path, path: &Path, bytes: &[u8]) -> Result<Exported> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(draft).map_err(|e| cannot(path, e))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| cannot(path, e))?;
    // A link is refused where a file has come to stand meanwhile; a rename would replace it.
    match fs::hard_link(draft, path) {
        Ok(()) => Ok(Exported::Written),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => match is_there(path, bytes)? {
            true => Ok(Exported::Unchanged),
            false => Err(cannot(path, e)),
        },
        // Some file systems have no hard links.
        Err(_) => fs::rename(draft, path).map(|()| Exported::Written).map_err(|e| cannot(path, e)),
    }
}

/// Whether the file is there with these bytes; an error if it has others.
fn is_there(path: &Path, bytes: &[u8]) -> Result<bool> {
    match fs::read(path) {
        Ok(found) if found == bytes => Ok(true),
        Ok(_) => Err(Error::output(format!(
            "{} is there with other content, and nothing is overwritten; remove it or choose another --output",
            path.display()
        ))),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(cannot(path, e)),
    }
}

fn cannot(path: &Path, error: std::io::Error) -> Error {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space or choose another --output",
        ErrorKind::NotFound | ErrorKind::NotADirectory => "its folder is not there, so make it or choose another --output",
        ErrorKind::IsADirectory => "a folder stands there, so choose another --output",
        _ => "check its permissions or choose another --output",
    };
    Error::output(format!("cannot write {}: {error}; {advice}", path.display())).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten_and_nothing_is_left_behind() {
        let folder = crate::temp::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        assert_eq!(write(&path, b"one"), Ok(Exported::Written));
        assert_eq!(write(&path, b"one"), Ok(Exported::Unchanged));
        assert!(write(&path, b"two").is_err_and(|e| e.to_string().contains("nothing is overwritten")));
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert!(write(&folder.path().join("none/a.csv"), b"x").is_err_and(|e| e.to_string().contains("make it")));
        assert!(write(folder.path(), b"x").is_err_and(|e| e.to_string().contains("a folder stands there")));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
