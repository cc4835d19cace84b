//! What an output shows: the run of `latest`, and the dates in view.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::commits::{self, last_commit};
use super::contents::{Contents, in_tree};
use super::dimensions::path_in_tree;
use super::layout::{MARKER, date_folder, run_folder, tree_folder};
use super::look::{broken, check_output};
use super::manifest::{Manifest, TableFile};
use super::marker;
use super::record::{Owner, Record};
use crate::error::{Error, Kind, Result};
use crate::storage::Place;
use crate::tables::{PeriodRow, Row};

/// How often a tree is waited for.
const TRIES: u32 = 5;

/// A committed run: its folder and its manifest.
#[derive(Debug, Clone)]
pub struct CommittedRun {
    /// Its folder.
    pub folder: Place,
    /// Its manifest, which is the one that was committed.
    pub manifest: Manifest,
}

/// The record of the last commit.
///
/// # Errors
/// Exit 4 if there is no such folder; exit 5 if it is no output, or nothing is committed.
pub(super) fn last_record(root: &Path) -> Result<Record> {
    check_output(root)?;
    if !root.join(MARKER).exists() {
        let root = root.display();
        return Err(broken(format!(
            "{root} has no {MARKER}, the file that marks an output; see what `rfmill verify {root}` says"
        )));
    }
    let nothing = || broken(format!("{} holds no committed run; run the job again", root.display()));
    Ok(last_commit(root)?.ok_or_else(nothing)?.record)
}

/// Whether anything is committed in a folder; not in one that is not there, or empty.
///
/// # Errors
/// Exit 5 if its records cannot be used; exit 6 if it holds something else.
pub(super) fn has_commits(root: &Path) -> Result<bool> {
    let is_empty = std::fs::read_dir(root).map_or(!root.exists(), |mut entries| entries.next().is_none());
    if is_empty {
        return Ok(false);
    }
    match root.join(MARKER).exists() {
        true => Ok(last_commit(root)?.is_some()),
        false => Err(marker::not_ours(root)),
    }
}

/// The record of a commit with a number.
///
/// # Errors
/// Exit 5 if it is gone or damaged.
pub(super) fn record(root: &Path, number: u64) -> Result<Record> {
    commits::read(root, number).map(|written| written.record)
}

/// The run of an output that `latest` names: of those that stay and supply their last as-of date, that of the newest date.
///
/// # Errors
/// Exit 4 if there is no such folder; exit 5 if nothing is committed or the manifest is missing, changed or damaged.
pub fn latest_run(root: &Path) -> Result<CommittedRun> {
    let record = last_record(root)?;
    let run_id = record.latest.as_deref().ok_or_else(|| {
        let root = root.display();
        broken(format!("{root} keeps no run whose last as-of date is in view, so `latest` names none; run the job again"))
    })?;
    let sha256 = record.run(run_id).map_or("", |run| run.manifest_sha256.as_str());
    let bytes = run_manifest(root, run_id, sha256)?;
    let folder = run_folder(root, run_id);
    let manifest = Manifest::parse(&folder.join("manifest.json").display(), &bytes)?;
    Ok(CommittedRun { folder: Place::Local(folder), manifest })
}

/// The dates in view.
#[derive(Debug, Clone)]
pub struct View {
    /// Number of the commit.
    pub commit: u64,
    /// Whose output it is.
    pub owner: Owner,
    /// The run that `latest` names.
    pub run_id: Option<String>,
    /// As-of dates whose files are there.
    pub dates: BTreeMap<String, ShownDate>,
    /// The files of the dimensions, by name.
    pub dimensions: BTreeMap<String, Vec<DimensionFile>>,
    /// As-of dates that were taken out and not committed since.
    pub dropped: Vec<String>,
    /// As-of dates of an output of 0.1.0 whose runs are gone: their files are known once this version has committed to it.
    pub unknown: Vec<String>,
}

/// A file of a dimension.
#[derive(Debug, Clone)]
pub struct DimensionFile {
    /// The date of its rows, where it is of one, as 0.1.0 wrote them.
    pub as_of: Option<String>,
    /// Where it lies.
    pub place: Place,
    /// What is known of it.
    pub file: TableFile,
}

/// A date in view.
#[derive(Debug, Clone)]
pub struct ShownDate {
    /// The run that supplies it.
    pub run_id: String,
    /// By table its files, with what their manifest says of them.
    pub tables: BTreeMap<String, Vec<(Place, TableFile)>>,
}

/// The dates that a record shows with their files, which stay where they are until the second commit after it.
///
/// # Errors
/// Exit 5 if files of a date are gone.
pub(super) fn view(root: &Path, record: Record) -> Result<View> {
    let tree = tree_folder(root, record.number);
    // It follows the record within moments.
    for _ in 0..TRIES {
        if !tree.is_dir() {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    let (mut dates, mut dimensions, mut unknown) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for (date, supply) in record.dates.iter().filter(|(_, supply)| !supply.lost) {
        let shown = match Contents::of_supply(root, supply) {
            Ok(contents) => {
                if record.is_legacy() {
                    add_legacy_dimensions(&mut dimensions, &tree, &contents, date);
                }
                of_tree(&tree, &contents, date)?
            }
            Err(_) if record.is_legacy() => {
                unknown.push(date.clone());
                continue;
            }
            Err(e) => return Err(e),
        };
        dates.insert(date.clone(), ShownDate { run_id: supply.run_id.clone(), tables: shown });
    }
    for (name, file) in &record.dimensions {
        let file = DimensionFile { as_of: None, place: Place::Local(tree.join(path_in_tree(name))), file: file.of_run() };
        dimensions.insert(name.clone(), vec![file]);
    }
    let dropped = record.dropped.into_iter().collect();
    Ok(View { commit: record.number, owner: record.owner, run_id: record.latest, dates, dimensions, dropped, unknown })
}

/// Adds the dimensions of a date of an output of 0.1.0: those of periods are of the date, those of states replace earlier ones.
fn add_legacy_dimensions(dimensions: &mut BTreeMap<String, Vec<DimensionFile>>, tree: &Path, contents: &Contents, date: &str) {
    for (name, files) in contents.dimensions_of_date(date) {
        let is_dated = name == PeriodRow::TABLE;
        let folder = tree.join(&name).join(date_folder(date));
        let all = dimensions.entry(name).or_default();
        all.retain(|_| is_dated);
        let as_of = is_dated.then(|| date.to_owned());
        let file = |(name, file): (String, &TableFile)| DimensionFile {
            as_of: as_of.clone(),
            place: Place::Local(folder.join(name)),
            file: file.clone(),
        };
        all.extend(files.into_iter().map(file));
    }
}

fn of_tree(tree: &Path, contents: &Contents, date: &str) -> Result<BTreeMap<String, Vec<(Place, TableFile)>>> {
    if in_tree(tree, contents, date).is_none() {
        let tree = tree.display();
        return Err(Error::new(
            Kind::State,
            format!("files of as-of date {date} are gone from {tree}, or damaged; see what `rfmill verify` says of the output"),
        ));
    }
    let of_table = |(table, files): (String, Vec<(String, &TableFile)>)| {
        let folder = tree.join(&table).join(date_folder(date));
        (table, files.into_iter().map(|(name, file)| (Place::Local(folder.join(name)), file.clone())).collect())
    };
    Ok(contents.of_date(date).into_iter().map(of_table).collect())
}

/// The bytes of a manifest that must be in its run.
fn run_manifest(root: &Path, run_id: &str, sha256: &str) -> Result<Vec<u8>> {
    let path = run_folder(root, run_id).join("manifest.json");
    let bytes = std::fs::read(&path)
        .map_err(|e| broken(format!("{} cannot be read: {e}; run the job again", path.display())).caused_by(e))?;
    match crate::hash::sha256(&bytes) == sha256 {
        true => Ok(bytes),
        false => Err(broken(format!("{} is not the one that was committed; run the job again", path.display()))),
    }
}
