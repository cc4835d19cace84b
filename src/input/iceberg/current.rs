//! Which file of metadata is the current one. A catalog knows; where none is asked, the names of the files tell.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::metadata::Metadata;
use crate::error::{Error, Result};
use crate::input::lake_table::Table;
use crate::storage::{Fault, Place};

/// An error about a file that says what is current.
fn unreadable(file: &Place, what: impl Display) -> Error {
    Error::input(format!("{file} cannot be read: {what}; restore it, or name another file of metadata of the table"))
}

/// The folder of a table's metadata.
pub(super) const FOLDER: &str = "metadata";

/// What the names of files of metadata end with: plain, and compressed in two ways of writing it.
const ENDINGS: [&str; 3] = [".gz.metadata.json", ".metadata.json.gz", ".metadata.json"];

/// The file that says which version is current, where no catalog does.
const HINT: &str = "version-hint.text";

/// The last format version that is known.
const LAST_FORMAT: u64 = 3;

/// Most bytes of metadata once they are decompressed, as of plain ones.
const MOST_BYTES: u64 = 1 << 28;

/// Most characters of a hint that an error shows.
const MOST_SHOWN: usize = 100;

/// The parts of a name of a file of metadata, if it is one: its version, and the rest.
fn version_of(name: &str) -> Option<u64> {
    let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))?;
    // `v3` is how tables without a catalog name it, `00003-` and a UUID how catalogs do.
    let digits = stem.strip_prefix('v').or_else(|| stem.split_once('-').map(|(digits, _)| digits))?;
    digits.parse().ok()
}

/// Whether a place is that of a file of metadata, and not of a table.
pub(super) fn is_metadata(place: &Place) -> bool {
    place.split().is_some_and(|(_, name)| ENDINGS.iter().any(|ending| name.ends_with(ending)))
}

/// The current file of metadata of a table.
///
/// # Errors
/// Exit 4: the folder is no table, or which file is current cannot be told.
pub(super) fn find(table: &Table<'_>) -> Result<Place> {
    let folder = table.place.join(FOLDER);
    let names = folder.names_below().map_err(|e| match e.fault {
        Fault::Missing => table.no_table(FOLDER, "iceberg"),
        _ => e.of(&folder.to_string()),
    })?;
    let hint = names.contains(HINT).then(|| hint(&folder.join(HINT))).transpose()?;
    let version = match hint {
        Some(hint) => Some(newest_from(hint, &names)),
        None => names.iter().filter_map(|name| version_of(name)).max(),
    };
    let version = version.ok_or_else(|| {
        table.wrong("has no file of metadata; expected names such as v3.metadata.json or 00003-….metadata.json")
    })?;
    let current: Vec<&String> = names.iter().filter(|name| version_of(name) == Some(version)).collect();
    match current.as_slice() {
        [one] => Ok(folder.join(one)),
        [] => Err(table.wrong(format_args!("has no metadata of version {version}, which its {HINT} names; restore it"))),
        [first, second, ..] => Err(table.wrong(format_args!(
            "has several files of metadata of version {version} ({first}, {second}), and only its catalog knows which counts; name that file: {} = {{ iceberg = {:?} }}",
            table.key,
            format!("{}/{FOLDER}/{first}", table.written)
        ))),
    }
}

/// The version in a hint.
fn hint(file: &Place) -> Result<u64> {
    let bytes = file.read().map_err(|e| unreadable(file, &e).caused_by(e))?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim();
    let shown: String = text.chars().take(MOST_SHOWN).collect();
    text.parse().map_err(|e| unreadable(file, format_args!("it holds {shown:?}, and no number")).caused_by(e))
}

/// The newest version that follows a hint without a gap: a hint is written after the version it names, or not at all.
fn newest_from(hint: u64, names: &BTreeSet<String>) -> u64 {
    let versions: BTreeSet<u64> = names.iter().filter_map(|name| version_of(name)).collect();
    let mut newest = hint;
    while let Some(next) = newest.checked_add(1).filter(|next| versions.contains(next)) {
        newest = next;
    }
    newest
}

/// The metadata in a file.
///
/// # Errors
/// Exit 4: it cannot be read, or is of a format version that is not known.
pub(super) fn read(file: &Place, table: &Table<'_>) -> Result<Metadata> {
    let mut bytes = file.read().map_err(|e| unreadable(file, &e).caused_by(e))?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        let read = MultiGzDecoder::new(bytes.as_slice()).take(MOST_BYTES + 1).read_to_end(&mut plain);
        if read.map_err(|e| unreadable(file, &e).caused_by(e))? as u64 > MOST_BYTES {
            return Err(unreadable(file, format_args!("it decompresses to over {MOST_BYTES} bytes")));
        }
        bytes = plain;
    }
    // The version first: what another one holds may be anything.
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Versioned {
        format_version: u64,
    }
    let wrong =
        |e: serde_json::Error| -> Error { unreadable(file, format_args!("it is no metadata of a table ({e})")).caused_by(e) };
    let Versioned { format_version } = serde_json::from_slice(&bytes).map_err(wrong)?;
    if !(1..=LAST_FORMAT).contains(&format_version) {
        return Err(table.wrong(format_args!(
            "is of format version {format_version}, and rfmill knows the versions 1 to {LAST_FORMAT}; write its current rows to Parquet files"
        )));
    }
    serde_json::from_slice(&bytes).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the specification, and of its writers.
    #[test]
    fn names_have_versions() {
        for (name, version) in [
            ("v3.metadata.json", Some(3)),
            ("v12.gz.metadata.json", Some(12)),
            ("00003-ebbd16cd-727b-4691-8ea2-8f93fb87a72b.metadata.json", Some(3)),
            ("00001-a.metadata.json.gz", Some(1)),
            ("version-hint.text", None),
            ("snap-117-0-1f60ed3d.avro", None),
            ("x.metadata.json", None),
        ] {
            assert_eq!(version_of(name), version, "{name}");
        }
        let names = |versions: &[u64]| versions.iter().map(|version| format!("v{version}.metadata.json")).collect();
        assert_eq!(newest_from(2, &names(&[1, 2, 3, 4, 6])), 4);
        assert_eq!(newest_from(u64::MAX, &names(&[1])), u64::MAX);
    }
}
