//! From places such as `s3://bucket/orders` to objects, by the rules for folders and patterns of a disk: keys are paths, and what lies
//! before a slash is a folder.

use glob::Pattern;

use super::input_path::{Found, InputPath, MATCHING, PassedOver, fixed, input, is_hidden};
use super::lake::ObjectTables;
use crate::error::{Error, Result};
use crate::storage::{Fault, Listed, ObjectUrl, Place};

/// Adds the objects of a place, a folder of them, or a pattern; `key` is the key of the job file, or the flag, that names it.
///
/// # Errors
/// Exit 4 if nothing is there, the store does not answer, or what is there belongs to a table whose log decides what counts.
pub(super) fn find(written: &str, url: &ObjectUrl, key: &'static str, found: &mut Found) -> Result<()> {
    match url.key().contains(['*', '?', '[']) {
        true => matching(written, url, key, found),
        false => one_or_all(written, url, key, found),
    }
}

/// The object of this key, or those below it.
fn one_or_all(written: &str, url: &ObjectUrl, key: &'static str, found: &mut Found) -> Result<()> {
    if !written.ends_with('/') && !url.key().is_empty() {
        match Place::Object(url.clone()).state() {
            Ok(_) => {
                ObjectTables::find(url, &[]).map_err(|e| e.of(written))?.refuse(url, key)?;
                found.files.push(input(written.to_owned(), Place::Object(url.clone()), written, key));
                return Ok(());
            }
            Err(e) if e.fault == Fault::Missing => {}
            Err(e) => return Err(e.of(written)),
        }
    }
    let listed = url.list().map_err(|e| e.of(written))?;
    if listed.is_empty() {
        return Err(Error::input(format!("there is no object or folder {written}; check {key}")));
    }
    let tables = ObjectTables::find(url, &listed).map_err(|e| e.of(written))?;
    let name = written.trim_end_matches('/');
    let mut folder = Folder { url, name, base: name, key, files: Vec::new(), passed_over: PassedOver::default() };
    listed.iter().for_each(|object| folder.add(object, below(url.key(), &object.key), &listed));
    let Folder { files, passed_over, .. } = folder;
    let warning = passed_over.warning(name);
    for file in &files {
        if let Place::Object(object) = &file.place {
            tables.refuse(object, key)?;
        }
    }
    if files.is_empty() {
        let also = warning.map_or(String::new(), |warning| format!("; {warning}"));
        return Err(Error::input(format!(
            "the folder {written} holds no Parquet file; expected keys ending in .parquet (names that begin with \".\" or \"_\" are passed over){also}"
        )));
    }
    found.files.extend(files);
    found.warnings.extend(warning);
    Ok(())
}

/// The objects whose keys match a pattern, and those in folders that match it and are named like files, as Spark writes them.
fn matching(written: &str, url: &ObjectUrl, key: &'static str, found: &mut Found) -> Result<()> {
    let wrong = |e: &dyn std::fmt::Display| Error::input(format!("cannot read the pattern {written}: {e}"));
    let pattern = Pattern::new(url.key()).map_err(|e| wrong(&e).caused_by(e))?;
    let root = url.with_key(url.key().get(..fixed(url.key())).unwrap_or_default().trim_end_matches('/'));
    let listed = root.list().map_err(|e| e.of(written))?;
    let tables = ObjectTables::find(&root, &listed).map_err(|e| e.of(written))?;
    let base = written.get(..fixed(written)).unwrap_or_default();
    let before = found.files.len();
    let matches = |key: &str| pattern.matches_with(key, MATCHING);
    for object in &listed {
        let below = below(root.key(), &object.key);
        let name = format!("{base}{below}");
        if below.split('/').any(is_hidden) {
            continue;
        }
        let in_folder = || {
            let ends = below.match_indices(".parquet/").map(|(at, _)| at + ".parquet".len());
            ends.map(|end| object.key.len() - below.len() + end).any(|end| matches(object.key.get(..end).unwrap_or_default()))
        };
        if matches(&object.key) || (object.key.ends_with(".parquet") && in_folder()) {
            let object = url.with_key(&object.key);
            tables.refuse(&object, key)?;
            found.files.push(input(name, Place::Object(object), base, key));
        }
    }
    match found.files.len() > before {
        true => Ok(()),
        false => Err(Error::input(format!("no object matches {written}; check {key}"))),
    }
}

/// The part of a key below a folder.
fn below<'a>(folder: &str, key: &'a str) -> &'a str {
    key.strip_prefix(folder).map_or(key, |rest| rest.trim_start_matches('/'))
}

/// A folder while its files are found.
struct Folder<'a> {
    url: &'a ObjectUrl,
    /// As it was written.
    name: &'a str,
    /// The part of the name without partition columns.
    base: &'a str,
    key: &'static str,
    files: Vec<InputPath>,
    passed_over: PassedOver,
}

impl Folder<'_> {
    fn add(&mut self, object: &Listed, below: &str, all: &[Listed]) {
        // What stands for a folder, as consoles make it.
        let is_marker = || {
            let inside = format!("{}/", object.key);
            object.size == 0 && all.iter().any(|other| other.key.starts_with(&inside))
        };
        if below.split('/').any(is_hidden) || below.is_empty() {
            return;
        }
        if below.ends_with(".parquet") && !is_marker() {
            let place = Place::Object(self.url.with_key(&object.key));
            self.files.push(input(format!("{}/{below}", self.name), place, self.base, self.key));
        } else if !is_marker() {
            self.passed_over.names.push(below.rsplit('/').next().unwrap_or(below).to_owned());
        }
    }
}
