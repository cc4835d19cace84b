//! From path patterns to files: a file, a folder, a glob, or a list of them, in the order of their paths. A file counts once,
//! however it is named or linked.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::input_path::{ARGUMENT, Found, InputPath, MATCHING, PassedOver, fixed, input, is_hidden};
use super::lake::Tables;
use super::objects;
use crate::domain::scheme_of;
use crate::error::{Error, Result};
use crate::storage::{ObjectUrl, Place, SCHEMES, SECRET};

/// All files of the patterns; `key` is the key of the job file, or the flag, that has them.
///
/// # Errors
/// Exit 4 if a pattern matches no file or cannot be read, names a place that is no path, or matches files of a table whose log
/// decides which of them count.
pub fn find(patterns: &[(String, PathBuf)], key: &'static str) -> Result<Found> {
    let mut found = Found::default();
    let mut tables = Tables::default();
    let from = if key.starts_with('-') || key == ARGUMENT { "" } else { " (it is relative to the job file)" };
    for (written, joined) in patterns {
        let Found { files, warnings } = &mut found;
        let before = files.len();
        check_scheme(written, key)?;
        if let Some(url) = ObjectUrl::parse(written) {
            objects::find(written, &url, key, &mut found)?;
        } else if joined.is_dir() {
            let name = written.trim_end_matches('/');
            let mut passed_over = PassedOver::default();
            walk(joined, name, name, key, files, &mut passed_over)?;
            let passed_over = passed_over.warning(name);
            if files.len() == before {
                let also = passed_over.map_or(String::new(), |warning| format!("; {warning}"));
                return Err(Error::input(format!(
                    "the folder {} holds no Parquet file; expected files ending in .parquet (names that begin with \".\" or \"_\" are passed over){also}",
                    joined.display()
                )));
            }
            warnings.extend(passed_over);
        } else if joined.exists() {
            files.push(input(written.clone(), Place::Local(joined.clone()), written, key));
        } else if written.contains(['*', '?', '[']) {
            expand(written, joined, key, &mut found)?;
            if found.files.len() == before {
                return Err(Error::input(format!("no file matches {}; check {key}{from}", joined.display())));
            }
        } else {
            return Err(Error::input(format!("there is no file or folder {}; check {key}{from}", joined.display())));
        }
    }
    found.files = each_once(found.files)?;
    found.files.iter().filter_map(|file| file.place.local()).try_for_each(|path| tables.refuse(path, key))?;
    Ok(found)
}

/// Refuses places such as `s3://`.
pub(super) fn check_scheme(written: &str, key: &str) -> Result<()> {
    match scheme_of(written) {
        None => Ok(()),
        Some(scheme) if SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) => match ObjectUrl::parse(written) {
            Some(url) if url.has_secret() => Err(Error::input(format!("{key} names {url}: {}; {}", SECRET.0, SECRET.1))),
            Some(_) => Ok(()),
            None => Err(Error::input(format!(
                "{key} names {written}, and no bucket; expected a place such as {scheme}://bucket/orders"
            ))),
        },
        Some(scheme) if scheme.eq_ignore_ascii_case("file") => {
            Err(Error::input(format!("{key} names {written}; expected a path: write it without {scheme}://",)))
        }
        Some(scheme) => Err(Error::input(format!(
            "{key} names {written}, and rfmill does not read {scheme}://; expected a path, or a place that begins with s3://, gs:// or az://: copy or mount the files"
        ))),
    }
}

/// What two names of one file have in common.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    Inode(u64, u64),
    Object(ObjectUrl),
}

/// Regular files, sorted by name, each once: of several names of one file that with the fewest folders, then the first.
fn each_once(mut files: Vec<InputPath>) -> Result<Vec<InputPath>> {
    files.sort_by(|a, b| (a.place.depth(), &a.name, &a.place).cmp(&(b.place.depth(), &b.name, &b.place)));
    let (mut seen, mut out) = (HashSet::new(), Vec::with_capacity(files.len()));
    for file in files {
        let path = match &file.place {
            Place::Local(path) => path,
            Place::Object(url) => {
                if seen.insert(Identity::Object(url.clone())) {
                    out.push(file);
                }
                continue;
            }
        };
        let stat = std::fs::metadata(path).map_err(|e| {
            Error::input(format!("cannot read {}: {e}; check the path and its permissions", path.display())).caused_by(e)
        })?;
        if !stat.is_file() {
            return Err(Error::input(format!("{} is not a regular file; remove it from {}", path.display(), file.key)));
        }
        if seen.insert(Identity::Inode(stat.dev(), stat.ino())) {
            out.push(file);
        }
    }
    out.sort_by(|a, b| (&a.name, &a.place).cmp(&(&b.name, &b.place)));
    Ok(out)
}

/// All files of a folder; `base` is the part of its name without partition columns.
fn walk(
    root: &Path,
    name: &str,
    base: &str,
    key: &'static str,
    files: &mut Vec<InputPath>,
    passed_over: &mut PassedOver,
) -> Result<()> {
    let mut open = vec![(root.to_owned(), name.to_owned())];
    let mut depth = 0usize;
    while let Some((folder, name)) = open.pop() {
        depth += 1;
        if depth > 1_000_000 {
            return Err(Error::input(format!("{} has too many folders; name the files with a glob", root.display())));
        }
        let entries = std::fs::read_dir(&folder).map_err(|e| {
            Error::input(format!("cannot list the folder {}: {e}; check its permissions", folder.display())).caused_by(e)
        })?;
        for entry in entries {
            let entry =
                entry.map_err(|e| Error::input(format!("cannot list the folder {}: {e}", folder.display())).caused_by(e))?;
            let own = entry.file_name().to_string_lossy().into_owned();
            if is_hidden(&own) {
                continue;
            }
            let path = entry.path();
            let name = format!("{name}/{own}");
            // A link to a folder is not followed, so that the search ends.
            let is_folder = entry.file_type().is_ok_and(|t| t.is_dir());
            if is_folder {
                open.push((path, name));
            } else if own.ends_with(".parquet") && !path.is_dir() {
                files.push(input(name, Place::Local(path), base, key));
            } else {
                passed_over.linked_folders += u64::from(path.is_dir());
                passed_over.parquet += u64::from(begins_as_parquet(&path));
                passed_over.names.push(own);
            }
        }
    }
    Ok(())
}

/// Whether a regular file begins with the bytes of Parquet files.
fn begins_as_parquet(path: &Path) -> bool {
    let mut head = [0u8; 4];
    path.is_file() && File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && &head == b"PAR1"
}

fn expand(written: &str, joined: &Path, key: &'static str, found: &mut Found) -> Result<()> {
    let wrong = |e: &dyn std::fmt::Display| Error::input(format!("cannot read the pattern {}: {e}", joined.display()));
    let pattern = joined.to_str().ok_or_else(|| wrong(&"it is not UTF-8"))?;
    // The path up to the folder of the first wildcard is the same in the pattern and in every match.
    let (base, fixed_joined) = (&written[..fixed(written)], fixed(pattern));
    for path in glob::glob_with(pattern, MATCHING).map_err(|e| wrong(&e).caused_by(e))? {
        let path = path.map_err(|e| wrong(&e).caused_by(std::io::Error::from(e)))?;
        let text = path.to_string_lossy().into_owned();
        let below = text.get(fixed_joined..).unwrap_or(&text);
        if below.split('/').any(is_hidden) {
            continue;
        }
        let name = format!("{base}{below}");
        if !path.is_dir() {
            found.files.push(input(name, Place::Local(path), base, key));
        } else if below.ends_with(".parquet") {
            // Spark writes a folder named like a file.
            let mut passed_over = PassedOver::default();
            walk(&path, &name, base, key, &mut found.files, &mut passed_over)?;
            found.warnings.extend(passed_over.warning(&name));
        }
    }
    Ok(())
}
