//! Takes customers out of an output in a store: as on a disk, every run that holds one is replaced by another, by one commit.

use std::collections::{BTreeMap, BTreeSet};

use super::super::contents::Contents;
use super::super::forget::{Forgotten, Holder, replace, search};
use super::super::interrupt::INTERRUPTS;
use super::super::people::People;
use super::super::record::{Act, Record};
use super::super::staging::Staging;
use super::super::upload::create;
use super::super::view::RunKey;
use super::{OutputStore, verify};
use crate::error::{Error, Kind, Result};
use crate::storage::Place;

/// A run without the customers: its folder and its contents.
type Replaced = BTreeMap<RunKey, (RunKey, String, Contents)>;

impl OutputStore {
    /// Takes customers out of all files; if none holds one, nothing is committed.
    ///
    /// # Errors
    /// Exit 5 if nothing is committed, files are gone or damaged, or another command committed meanwhile; exit 5 or 6 behind the
    /// commit if objects that hold the customers cannot be removed; else as [`OutputStore::commit`].
    pub fn forget_customers(&self, people: &People) -> Result<Forgotten> {
        let root = &self.root;
        let last = self.last().ok_or_else(|| {
            Error::new(Kind::State, format!("{root} holds no committed run, so there is nobody to forget; check the path"))
        })?;
        let holders = self.holders(last)?;
        let (found, hits) = search(&holders, people, &self.scratch())?;
        let mut out = Forgotten { customers: found.count(), unknown: people.len() - found.count(), ..Forgotten::default() };
        if hits.is_empty() {
            // A command that was killed, or could not remove what holds them, is made up for.
            if matches!(last.act, Act::ForgetCustomers(_)) {
                self.sweep(last).map_err(left)?;
            }
            return Ok(out);
        }
        let mut replaced = Replaced::new();
        for hit in &hits {
            let mut staging = Staging::new(self.scratch().join("replaced"))?;
            let (run_id, manifest) = replace(hit, people, &staging, &mut out)?;
            staging.drain()?;
            let folder = self.put_all(&staging, &run_id)?;
            let sha256 = crate::hash::sha256(&manifest);
            replaced.insert(hit.holder.key.clone(), ((run_id, sha256), folder, parsed(&manifest)?));
        }
        let mut guard = INTERRUPTS.begin_commit()?;
        let record = self.add(&last.owner, |now, _| {
            if now.number != last.number {
                let what = format!("{root} was committed to while customers were taken out of it, so nothing is changed");
                return Err(Error::new(Kind::State, format!("{what}; run `rfmill forget` again")));
            }
            self.without(now, &replaced, out.customers).map(Some)
        })?;
        self.show(&mut guard, "that the customers are forgotten", &record)?;
        self.sweep(&record).map_err(left)?;
        out.latest = self.committed(&record, "").latest;
        out.notes.extend(verify::unfinished(root, &record)?.into_iter().map(|attempt| {
            format!(
                "{root}/{attempt} may hold them: a run that is never committed wrote there within the last minute; it goes when the run ends or, if that was killed, within a week"
            )
        }));
        Ok(out)
    }

    /// The runs that stay, and what others supply.
    fn holders(&self, last: &Record) -> Result<Vec<Holder>> {
        let mut dates: BTreeMap<RunKey, BTreeSet<String>> = BTreeMap::new();
        for (date, supply) in &last.dates {
            dates.entry((supply.run_id.clone(), supply.manifest_sha256.clone())).or_default().insert(date.clone());
        }
        let mut holders = Vec::new();
        for run in &last.runs {
            let key = (run.run_id.clone(), run.manifest_sha256.clone());
            let dates = dates.remove(&key).unwrap_or_default();
            holders.push(self.holder(last, key, dates, true)?);
        }
        for (key, dates) in dates {
            holders.push(self.holder(last, key, dates, false)?);
        }
        Ok(holders)
    }

    /// A run with all of its files, or with those of its dates in view.
    fn holder(&self, last: &Record, key: RunKey, dates: BTreeSet<String>, is_whole: bool) -> Result<Holder> {
        let folder = self.root.join(last.folder_of(&key.1).unwrap_or_default());
        let manifest = self.manifest_of(last, &key.1).ok_or_else(|| {
            let path = folder.join("manifest.json");
            Error::new(Kind::State, format!("{path} is gone or damaged; see what `rfmill verify` says of the output"))
        })?;
        let contents = parsed(&manifest)?;
        let files: BTreeMap<&str, _> = match is_whole {
            true => contents.files().map(|file| (file.path.as_str(), file)).collect(),
            false => {
                let of_dates = dates.iter().flat_map(|date| contents.of_date(date).into_values().flatten());
                of_dates.map(|(_, file)| (file.path.as_str(), file)).collect()
            }
        };
        let files = files.into_values().map(|file| (file.clone(), folder.join(&file.path))).collect();
        Ok(Holder { key, manifest, dates, files })
    }

    /// Puts the files of a staged run, its manifest last.
    fn put_all(&self, staging: &Staging, run_id: &str) -> Result<String> {
        let folder = self.folder(run_id);
        let run = self.root.join(&folder);
        let local = Place::Local(staging.folder.clone());
        let listed = local.list().map_err(|e| e.of(&local.to_string()))?;
        let (manifest, files): (Vec<_>, Vec<_>) = listed.iter().partition(|listed| listed.key == "manifest.json");
        for listed in files.into_iter().chain(manifest) {
            let file = local.join(&listed.key);
            let bytes = file.read().map_err(|e| e.of(&file.to_string()))?;
            create(&run.join(&listed.key), bytes.into())?;
        }
        Ok(folder)
    }

    /// The record after `last`, in which runs without the customers are in the place of those with them.
    fn without(&self, last: Record, replaced: &Replaced, customers: u64) -> Result<Record> {
        let keys = replaced.iter().map(|(key, (by, ..))| (key.clone(), by.clone())).collect();
        let mut next = last.with_replaced(&keys, customers)?;
        let mut placed = next.placed.take().unwrap_or_default();
        for (by, folder, contents) in replaced.values() {
            let supplied = next.dates.iter().filter(|(_, supply)| supply.run_id == by.0 && supply.manifest_sha256 == by.1);
            placed.replace_run(folder, &by.1, contents, &supplied.map(|(date, _)| date.clone()).collect());
        }
        placed.settle(&next);
        next.placed = Some(placed);
        Ok(next)
    }
}

/// The error of a removal after the commit.
fn left(error: Error) -> Error {
    let what = "the commit without the customers is made, but objects that hold them are left";
    Error::new(error.kind(), format!("{what}: {error}; run `rfmill forget` again when that is mended")).caused_by(error)
}

fn parsed(manifest: &[u8]) -> Result<Contents> {
    serde_json::from_slice(manifest)
        .map_err(|e| Error::new(Kind::State, format!("a manifest cannot be read: {e}; run the job again")).caused_by(e))
}
