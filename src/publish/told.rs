//! What an earlier commit tells of a date.

use std::path::Path;

use arrow::array::RecordBatch;

use super::contents::{self, Contents, RESTATEMENTS};
use super::layout::{date_folder, run_folder, tree_folder};
use super::manifest::{Manifest, TableEntry, TableFile};
use super::read::table_batches;
use super::record::{MadeFile, Supply};
use crate::error::Result;
use crate::storage::Place;

/// The table that tells it.
pub(super) const SEGMENTS: &str = "segments";

/// What an earlier commit tells of a date.
#[derive(Debug)]
pub struct Told {
    /// The run that supplies it.
    pub run_id: String,
    /// The manifest of that run; none for dates of an output that was taken over.
    pub manifest: Option<Manifest>,
    /// The rows of `segments` at the date.
    pub segments: Vec<RecordBatch>,
}

/// What a run tells of its dates, wherever they are shown from.
#[derive(Debug)]
pub struct ToldByRun {
    /// The rows of its `segments`.
    pub segments: Vec<RecordBatch>,
    /// What an earlier commit of it said of what others had told, as long as that is shown.
    pub restatements: Vec<RecordBatch>,
}

impl ToldByRun {
    /// Reads it from the folder of the run; `made` are the files that its commit made.
    pub(super) fn read(root: &Path, manifest: &Manifest, made: &[MadeFile]) -> Option<ToldByRun> {
        let folder = Place::Local(run_folder(root, &manifest.run_id));
        ToldByRun::read_from(&folder, manifest, &folder, made.iter().map(MadeFile::of_run).collect())
    }

    /// Reads it from `folder`, that of the run; `made` are the files that its commit made, below `root`.
    pub(super) fn read_from(folder: &Place, manifest: &Manifest, root: &Place, made: Vec<TableFile>) -> Option<ToldByRun> {
        let segments = manifest.tables.iter().find(|table| table.name == SEGMENTS)?;
        let segments = table_batches(folder, segments).map(|batch| batch?.with_as_of());
        let restatements = TableEntry { name: RESTATEMENTS.into(), rows: 0, files: made };
        let restatements = table_batches(root, &restatements).map(|batch| Ok(batch?.rows));
        let [segments, restatements] = [segments.collect::<Result<Vec<_>>>(), restatements.collect()];
        Some(ToldByRun { segments: segments.ok()?, restatements: restatements.ok()? })
    }
}

impl Told {
    /// Reads it from the tree of a commit.
    pub(super) fn read(root: &Path, number: u64, supply: &Supply, date: &str) -> Option<Told> {
        let contents = Contents::of_supply(root, supply).ok()?;
        let files = contents.of_date(date).remove(SEGMENTS)?;
        let in_tree = |(name, file): (String, &TableFile)| {
            let path = format!("{SEGMENTS}/{}/{name}", date_folder(date));
            TableFile { path, ..file.clone() }
        };
        let files = files.into_iter().map(in_tree).collect();
        let bytes = contents::bytes(root, &supply.run_id, &supply.manifest_sha256)?;
        let manifest = Manifest::parse(&run_folder(root, &supply.run_id).join("manifest.json").display(), &bytes).ok();
        Told::read_from(&Place::Local(tree_folder(root, number)), supply.run_id.clone(), files, manifest)
    }

    /// Reads it from the files of `segments`, below `root`.
    pub(super) fn read_from(root: &Place, run_id: String, files: Vec<TableFile>, manifest: Option<Manifest>) -> Option<Told> {
        let table = TableEntry { name: SEGMENTS.into(), rows: 0, files };
        let segments = table_batches(root, &table).map(|batch| batch?.with_as_of()).collect::<Result<Vec<_>>>().ok()?;
        Some(Told { run_id, manifest, segments })
    }
}
