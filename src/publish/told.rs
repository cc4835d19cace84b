//! What an earlier commit tells of a date.

use std::path::Path;

use arrow::array::RecordBatch;

use super::contents::{self, Contents, RESTATEMENTS};
use super::layout::{date_folder, run_folder, tree_folder};
use super::manifest::{Manifest, TableEntry, TableFile};
use super::read::table_batches;
use super::record::{MadeFile, Supply};
use crate::error::Result;

/// The table that tells it.
const SEGMENTS: &str = "segments";

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
        let folder = run_folder(root, &manifest.run_id);
        let segments = manifest.tables.iter().find(|table| table.name == SEGMENTS)?;
        let segments = table_batches(&folder, segments).map(|batch| batch?.with_as_of());
        let restatements = TableEntry { name: RESTATEMENTS.into(), rows: 0, files: made.iter().map(MadeFile::of_run).collect() };
        let restatements = table_batches(&folder, &restatements).map(|batch| Ok(batch?.rows));
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
        let table = TableEntry { name: SEGMENTS.into(), rows: 0, files: files.into_iter().map(in_tree).collect() };
        let tree = tree_folder(root, number);
        let batches = table_batches(&tree, &table).map(|batch| batch?.with_as_of());
        let segments = batches.collect::<Result<Vec<_>>>().ok()?;
        let bytes = contents::bytes(root, &supply.run_id, &supply.manifest_sha256)?;
        let manifest = Manifest::parse(&run_folder(root, &supply.run_id).join("manifest.json"), &bytes).ok();
        Some(Told { run_id: supply.run_id.clone(), manifest, segments })
    }
}
