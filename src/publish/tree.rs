//! `OUT/tables`: the dates in view as real folders with hard-linked files, and the dimensions, behind one symlink.
//!
//! A tree per commit lies in `.tables/<n>`, beside a copy of the record that it shows. Two stay: that of the last commit, to
//! which `tables` points, and the one before, in which readers may still be. The next tree is made of the one before: renamed
//! aside, brought up by what the last two commits changed, and given its number. So its cost does not depend on the history,
//! and who is in a tree sees it whole until the second commit after it, and nothing then.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::commits::{copies, read_copy};
use super::contents::{Contents, Sources, in_run, in_tree};
use super::dimensions;
use super::facts::DIMENSIONS;
use super::files::{failed, link_file, make_folder, names, remove, swap_link, sync_folder, sync_folders, write_new};
use super::layout::{TREES, date_folder, number_of, record_copy, tables_target, tree_folder};
use super::record::{Record, Supply, Written};
use crate::error::{Error, Result};

/// A tree, and the record that it shows; none for a tree of 0.1.0.
struct Tree {
    folder: PathBuf,
    record: Option<Record>,
}

/// The tree that a new one is made of.
struct Base {
    /// Where it is.
    folder: PathBuf,
    /// Its number.
    number: u64,
    /// What it shows.
    record: Record,
}

/// How the tree of a commit comes about.
pub(super) struct Plan {
    base: Option<Base>,
    /// Dates whose folders go.
    cleared: BTreeSet<String>,
    /// Dates whose folders are made, with their files.
    linked: BTreeMap<String, Sources>,
    /// Dates in view whose files are gone.
    pub lost: BTreeSet<String>,
}

/// The folder of the trees must be one, or not there: nothing is written through a link.
pub(super) fn check_folder(root: &Path) -> Result<()> {
    let trees = root.join(TREES);
    match fs::symlink_metadata(&trees) {
        Ok(found) if !found.is_dir() => Err(failed(&trees, std::io::ErrorKind::NotADirectory.into())),
        _ => Ok(()),
    }
}

/// Whether the tree of a commit is there, and was completed.
pub(super) fn is_whole(root: &Path, number: u64, record: &[u8]) -> bool {
    tree_folder(root, number).is_dir() && fs::read(record_copy(root, number)).is_ok_and(|copy| copy == record)
}

/// The name of a tree while it is made: its number, and that of the tree that it is made of.
fn draft_name(number: u64, base: u64) -> String {
    format!(".{number:08}.from-{base:08}")
}

/// Whether a name in the folder of the trees is that of a tree which a killed command was making for this commit.
pub(super) fn is_draft(name: &str, number: u64) -> bool {
    name.starts_with(&format!(".{number:08}.from-"))
}

/// Plans the tree of a commit: what has to be changed in the tree that it is made of, and where the files lie. The lost dates
/// of the record are looked for again.
///
/// # Errors
/// Exit 6 if a folder cannot be listed.
pub(super) fn plan(root: &Path, record: &Record) -> Result<Plan> {
    let base = base(root, record.number)?;
    let shown = base.as_ref().map(|base| &base.record.dates);
    let has = |date: &str, supply: &Supply| {
        let there = shown.and_then(|dates| dates.get(date));
        there.is_some_and(|there| there.is_same(supply) && there.commit == supply.commit && !there.lost)
    };
    let mut cleared: BTreeSet<String> = BTreeSet::new();
    for (date, _) in shown.into_iter().flatten().filter(|(_, supply)| !supply.lost) {
        if !record.dates.get(date).is_some_and(|now| has(date, now)) {
            cleared.insert(date.clone());
        }
    }
    let trees = Trees::of(root);
    let (mut linked, mut lost) = (BTreeMap::new(), BTreeSet::new());
    for (date, supply) in record.dates.iter().filter(|(date, supply)| !has(date, supply)) {
        match trees.find(date, supply)? {
            Some(sources) => drop(linked.insert(date.clone(), sources)),
            None => drop(lost.insert(date.clone())),
        }
    }
    Ok(Plan { base, cleared, linked, lost })
}

/// The tree before the one that readers are in, or what a killed command had begun to make of it.
fn base(root: &Path, number: u64) -> Result<Option<Base>> {
    let folder = root.join(TREES);
    for name in names(&folder)?.into_iter().filter(|name| is_draft(name, number)) {
        let from = name.rsplit('-').next().and_then(|digits| number_of(digits, ""));
        if let Some((from, record)) = from.and_then(|from| Some((from, read_copy(root, from)?))) {
            return Ok(Some(Base { folder: folder.join(name), number: from, record }));
        }
        remove(&folder.join(name))?;
    }
    let whole: Vec<u64> = copies(root)?.into_iter().filter(|n| *n < number && tree_folder(root, *n).is_dir()).collect();
    let Some([before, _]) = whole.last_chunk::<2>().copied() else { return Ok(None) };
    let record = read_copy(root, before);
    Ok(record.map(|record| Base { folder: tree_folder(root, before), number: before, record }))
}

/// All trees that are there. Most commands find what they look for in a run, and read none.
pub(super) struct Trees<'a> {
    root: &'a Path,
    all: OnceCell<Vec<Tree>>,
}

impl<'a> Trees<'a> {
    pub fn of(root: &'a Path) -> Trees<'a> {
        Trees { root, all: OnceCell::new() }
    }

    /// Where the files of a date lie: in its run, or in a tree that shows that run.
    ///
    /// # Errors
    /// Exit 6 if the folder of the trees cannot be listed.
    pub fn find(&self, date: &str, supply: &Supply) -> Result<Option<Sources>> {
        let Ok(contents) = Contents::of_supply(self.root, supply) else { return Ok(None) };
        if let Some(sources) = in_run(self.root, &contents, date) {
            return Ok(Some(sources));
        }
        let shows = |tree: &&Tree| match &tree.record {
            Some(record) => record.dates.get(date).is_some_and(|shown| shown.is_same(supply) && !shown.lost),
            None => true,
        };
        if self.all.get().is_none() {
            let _ = self.all.set(trees(self.root)?);
        }
        let all = self.all.get().into_iter().flatten();
        Ok(all.filter(shows).find_map(|tree| in_tree(&tree.folder, &contents, date)))
    }
}

fn trees(root: &Path) -> Result<Vec<Tree>> {
    let numbers = names(&root.join(TREES))?.into_iter().filter_map(|name| number_of(&name, ""));
    // A link to a folder is none.
    let is_folder = |number: &u64| fs::symlink_metadata(tree_folder(root, *number)).is_ok_and(|found| found.is_dir());
    let tree = |number: u64| {
        let record = read_copy(root, number);
        // A tree of 0.1.0 has no record beside it; one whose record is damaged tells nothing.
        let is_known = record.is_some() || !record_copy(root, number).exists();
        is_known.then(|| Tree { folder: tree_folder(root, number), record })
    };
    Ok(numbers.rev().filter(is_folder).filter_map(tree).collect())
}

/// Makes the tree of a commit as planned, and leads readers to it.
///
/// # Errors
/// Exit 6. What was begun is continued by the next command.
pub(super) fn lay_out(root: &Path, written: &Written, plan: &Plan) -> Result<()> {
    let Written { record, bytes } = written;
    let (number, trees) = (record.number, root.join(TREES));
    make_folder(&trees)?;
    let draft = trees.join(draft_name(number, plan.base.as_ref().map_or(0, |base| base.number)));
    match &plan.base {
        Some(base) if base.folder == draft => {}
        Some(base) => fs::rename(&base.folder, &draft).map_err(|e| failed(&base.folder, e))?,
        None => {
            remove(&draft)?;
            make_folder(&draft)?;
        }
    }
    apply(&draft, plan)?;
    link_dimensions(root, record, &draft)?;
    let copy = record_copy(root, number);
    remove(&copy)?;
    write_new(&copy, bytes)?;
    let tree = tree_folder(root, number);
    // Another tree of this number is not whole, or there would be nothing to do.
    let aside = trees.join(format!(".{number:08}.old"));
    if fs::symlink_metadata(&tree).is_ok() {
        remove(&aside)?;
        fs::rename(&tree, &aside).map_err(|e| failed(&tree, e))?;
    }
    fs::rename(&draft, &tree).map_err(|e| failed(&tree, e))?;
    sync_folder(&trees)?;
    point(root, number)?;
    remove(&aside)
}

/// Points `tables` to the tree of a commit.
///
/// # Errors
/// Exit 6.
pub(super) fn point(root: &Path, number: u64) -> Result<()> {
    let (link, target) = (root.join("tables"), tables_target(number));
    if fs::read_link(&link).is_ok_and(|found| found == target) { Ok(()) } else { swap_link(&link, &target) }
}

/// Removes what no reader can be led to any more: trees and copies of records before the one before `number`.
///
/// # Errors
/// Exit 6.
pub(super) fn remove_older(root: &Path, number: u64) -> Result<()> {
    let folder = root.join(TREES);
    for name in names(&folder)? {
        let is_old = |ending| number_of(&name, ending).is_some_and(|old| old + 1 < number);
        // The copy of a record whose tree became the next one.
        let is_spent = number_of(&name, ".json").is_some_and(|of| of != number && !tree_folder(root, of).is_dir());
        if is_old("") || is_old(".json") || is_spent || name.starts_with('.') {
            remove(&folder.join(name))?;
        }
    }
    Ok(())
}

/// Changes a tree that no reader is in as planned, durably. What was done already is done again.
fn apply(tree: &Path, plan: &Plan) -> Result<()> {
    let mut touched: BTreeSet<PathBuf> = BTreeSet::new();
    let stale: BTreeSet<&String> = plan.cleared.iter().chain(plan.linked.keys()).collect();
    for table in names(tree)? {
        let table = tree.join(table);
        for date in &stale {
            let folder = table.join(date_folder(date));
            if fs::symlink_metadata(&folder).is_ok() {
                remove(&folder)?;
                touched.insert(table.clone());
            }
        }
    }
    for (date, tables) in &plan.linked {
        for (table, files) in tables {
            let table = tree.join(table);
            let folder = table.join(date_folder(date));
            for folder in [&table, &folder] {
                make_folder(folder)?;
            }
            for (name, from) in files {
                link_file(from, &folder.join(name))?;
            }
            touched.extend([table, folder]);
        }
    }
    // A table without a date is none.
    touched.retain(|folder| fs::remove_dir(folder).is_err());
    touched.insert(tree.to_owned());
    sync_folders(&touched.into_iter().collect::<Vec<_>>())
}

/// Puts the dimensions of a commit into a tree. One whose file is gone is left out, which `verify` says.
fn link_dimensions(root: &Path, record: &Record, tree: &Path) -> Result<()> {
    for name in DIMENSIONS {
        let folder = tree.join(name);
        remove(&folder)?;
        let file = record.dimensions.get(name).map(|file| dimensions::path_of(root, file));
        if let Some(file) = file.filter(|file| file.is_file()) {
            make_folder(&folder)?;
            link_file(&file, &tree.join(dimensions::path_in_tree(name)))?;
            sync_folder(&folder)?;
        }
    }
    sync_folder(tree)
}

/// The error of dates whose files are gone, for who must compute them again.
pub(super) fn lost_error(root: &Path, done: &str, record: &Record) -> Option<Error> {
    let lost: Vec<&str> = record.lost().collect();
    let (first, others) = lost.split_first()?;
    let output = root.display();
    let (dates, them) = match others {
        [] => (format!("as-of date {first}"), "it"),
        [.., last] => (format!("{} as-of dates from {first} to {last}", lost.len()), "each"),
    };
    Some(Error::new(
        crate::error::Kind::State,
        format!(
            "{done} is committed, but the files of the {dates} are gone, and nothing is shown in their place; compute {them} again with `rfmill run JOB --as-of {first}` (job {:?}), or take {them} out with `rfmill drop {output} --as-of {first}`",
            record.owner.job
        ),
    ))
}
