//! Whether a place in an object store can be, or is, an output.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::super::layout::MARKER;
use super::records::COMMITS;
use crate::error::{Error, Kind, Result};
use crate::storage::{Created, Place};

/// The object that shows whether the store keeps the condition of a write.
const PROBE: &str = ".probe";

/// What the marker of an output says.
const MARK: &[u8] =
    b"What begins with this key is written by rfmill. Read what latest.json or views.sql name; leave the rest alone.\n";

/// Marks a place without objects as an output, and checks that one with objects is.
///
/// # Errors
/// Exit 6 if it cannot be written or holds something else.
pub fn mark(root: &Place) -> Result<()> {
    let names = match root {
        Place::Object(url) => url.names_below().map_err(|e| Error::output(format!("cannot write {root}: {e}")).caused_by(e))?,
        Place::Local(_) => return Err(Error::bug("a folder is opened as a place in a store")),
    };
    if is_marked(root, &names)? {
        return Ok(());
    }
    let marker = root.join(MARKER);
    marker.create(Bytes::from_static(MARK)).map(drop).map_err(|e| e.of(&marker.to_string()))
}

/// Whether a place with objects of these names is an output; not if there is none.
///
/// # Errors
/// Exit 6 if it holds something else.
pub fn is_marked(root: &Place, names: &BTreeSet<String>) -> Result<bool> {
    if names.is_empty() || names.contains(MARKER) {
        return Ok(!names.is_empty());
    }
    let what = "holds objects that rfmill did not write; choose an empty or new place as --output";
    Err(Error::output(format!("{root} {what}")))
}

/// Checks that a place is an output.
///
/// # Errors
/// Exit 4 if it cannot be read; exit 5 if nothing of an output is there.
pub fn check(root: &Place) -> Result<()> {
    let names = match root {
        Place::Object(url) => url.names_below().map_err(|e| e.of(&root.to_string()))?,
        Place::Local(_) => return Err(Error::bug("a folder is read as a place in a store")),
    };
    match names.contains(MARKER) || names.contains(COMMITS) {
        true => Ok(()),
        false => Err(Error::new(Kind::State, format!("{root} is no output of rfmill; name the place given as --output"))),
    }
}

/// Checks that the store refuses to create an object where there is one: a store that replaces it would lose commits.
///
/// # Errors
/// Exit 6 if it does not, or cannot be written.
pub fn probe(root: &Place) -> Result<()> {
    let probe = root.join(PROBE);
    let create = || probe.create(Bytes::from_static(b"probe\n")).map_err(|e| e.of(&probe.to_string()));
    // The first run makes it; every later one finds it.
    if create()? == Created::Existed || create()? == Created::Existed {
        return Ok(());
    }
    let _ = probe.delete();
    Err(Error::output(format!(
        "the store of {root} replaced an object that was to be created only where there is none (If-None-Match: *), so commits of two runs at once could replace each other; use a store that keeps this condition, or write to a folder on a disk"
    )))
}
