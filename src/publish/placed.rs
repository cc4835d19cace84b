//! Where the files of an output in an object store lie. Nothing can be linked there, so the record of a commit names every file of
//! its view: who reads that one object has a view that cannot be mixed with another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::manifest::TableFile;

/// The part of a record that says where files lie. All paths are relative to the output.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// Tells the commit from another of the same number.
    pub nonce: String,
    /// The folder of every run that stays or supplies a date, by the SHA-256 of its manifest.
    pub folders: BTreeMap<String, String>,
    /// The files of every as-of date in view, by table.
    pub dates: BTreeMap<String, BTreeMap<String, Vec<TableFile>>>,
    /// The files of the dimensions.
    pub dimensions: BTreeMap<String, TableFile>,
}

impl Placed {
    /// The files of the view.
    pub fn files(&self) -> impl Iterator<Item = &TableFile> {
        self.dates.values().flat_map(BTreeMap::values).flatten().chain(self.dimensions.values())
    }
}
