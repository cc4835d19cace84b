//! What all tasks of a run agree on.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::stage_name::StageName;
use super::work::WorkPlace;
use crate::error::{Error, Kind, Result};
use crate::hash::sha256;
use crate::input::orders::related::RelatedRows;
use crate::job::parse::{self, Source};
use crate::job::query::QueriedTable;
use crate::job::{Job, Overrides, resolve};
use crate::pipeline::prepared::Prepared;
use crate::storage::Created;

/// Its object.
pub(super) const OBJECT: &str = "plan.json";

/// Rows that a task reads, about.
const SCAN_ROWS: u64 = 1 << 24;

/// Bytes of the sources of a query for each task that reads its result, about as many as make [`SCAN_ROWS`] in text.
const SCAN_SOURCE_BYTES: u64 = 1 << 30;

/// A job as a run was asked for, so that every task resolves the same one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedJob {
    /// Where the job file lay: its relative paths start there.
    pub path: PathBuf,
    /// What it said.
    pub text: String,
    /// `--set` of the command line.
    pub sets: Vec<String>,
    /// Other options that change the job.
    pub overrides: Overrides,
}

impl PlannedJob {
    /// The job.
    ///
    /// # Errors
    /// Exit 2, with the key, what it holds and what was expected.
    pub fn resolve(&self) -> Result<Job> {
        let source = Source { path: self.path.clone(), text: self.text.clone() };
        resolve(parse::with_sets(&source, &self.sets)?, source, &self.overrides)
    }
}

/// The plan of a run in stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunPlan {
    /// The version of the program that planned it; all tasks have the same.
    pub rfmill: String,
    /// The id of the run.
    pub run_id: String,
    /// The stages after this one in their order, with their tasks.
    pub stages: Vec<(StageName, usize)>,
    /// Per as-of date, whether it is summed by state although tables do not show it.
    pub summed_too: Vec<bool>,
    /// The job.
    pub job: PlannedJob,
}

/// How many tasks read the orders.
fn scans(prepared: &Prepared, shards: usize) -> usize {
    let queried = &prepared.queries.queried;
    if queried.is_queried(QueriedTable::Orders) {
        // How many rows a query gives is not known before it has run.
        let bytes: u64 = queried.sources.iter().flat_map(|source| &source.files).map(|file| file.state.size).sum();
        return (bytes.div_ceil(SCAN_SOURCE_BYTES) as usize).max(shards);
    }
    let row_groups: usize = prepared.orders.iter().map(|source| source.metadata.metadata().num_row_groups()).sum();
    (prepared.input_rows().div_ceil(SCAN_ROWS) as usize).max(shards).min(row_groups.max(1))
}

impl RunPlan {
    /// The plan of a run that was prepared, in `shards` ranges of customers.
    pub(super) fn new(job: PlannedJob, prepared: &Prepared, resolved: &Job, shards: usize, summed_too: Vec<bool>) -> RunPlan {
        let mut stages = Vec::new();
        if !resolved.queries.is_empty() {
            stages.push((StageName::Prepare, resolved.queries.len()));
        }
        let scans = scans(prepared, shards);
        if RelatedRows::are_asked_for(resolved) {
            stages.push((StageName::Exclude, 1));
        }
        stages.extend([
            (StageName::Scan, scans),
            (StageName::Names, 1),
            (StageName::Distributions, shards),
            (StageName::Cuts, 1),
            (StageName::Parts, shards),
            (StageName::Finish, 1),
        ]);
        let rfmill = env!("CARGO_PKG_VERSION").into();
        RunPlan { rfmill, run_id: prepared.identity.run_id.clone(), stages, summed_too, job }
    }

    /// How many tasks a stage has; 0 if the run lacks it.
    pub fn tasks(&self, stage: StageName) -> usize {
        self.stages.iter().find(|(name, _)| *name == stage).map_or(0, |(_, tasks)| *tasks)
    }

    /// The place of what the tasks of this plan leave. Another plan, of another run or with other shards, has another one.
    pub(super) fn objects(&self, work: &WorkPlace) -> WorkPlace {
        let plan = serde_json::to_vec(self).unwrap_or_default();
        work.below(&format!("{}-{}", self.run_id, sha256(&plan).get(..8).unwrap_or_default()))
    }

    /// Removes what the run of this plan has left, the plan last.
    ///
    /// # Errors
    /// Exit 4 or 6 if something cannot be removed.
    pub(super) fn clear(&self, work: &WorkPlace) -> Result<()> {
        self.objects(work).clear()?;
        work.remove(OBJECT)?;
        work.remove_if_empty();
        Ok(())
    }

    /// Writes the plan, or finds that it is there.
    ///
    /// # Errors
    /// Exit 5 if the place holds another plan; exit 6 if it cannot be written, or its store replaces what is there.
    pub(super) fn write(&self, work: &WorkPlace) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(self);
        let bytes = bytes.map_err(|e| Error::bug(format!("the plan of a run cannot be shown as JSON: {e}")).caused_by(e))?;
        if work.create(OBJECT, bytes.clone())? == Created::New {
            // Of two tasks that create an object, one must be told.
            return match work.create(OBJECT, bytes)? {
                Created::Existed => Ok(()),
                Created::New => Err(Error::output(format!(
                    "the store of {} replaced an object that was to be created only where there is none (If-None-Match: *), so tasks that run twice could mix; use a store that keeps this condition",
                    work.written()
                ))),
            };
        }
        let there = RunPlan::read(work)?;
        if there == *self {
            return Ok(());
        }
        let what = match there.run_id == self.run_id {
            true => "plans the same run, and with other shards, options or as-of dates".into(),
            false => format!("plans the run {}, and this is {}", there.run_id, self.run_id),
        };
        Err(Error::new(Kind::State, format!("{} {what}; use another place, or remove this plan", work.name_of(OBJECT))))
    }

    /// Reads the plan.
    ///
    /// # Errors
    /// Exit 5 if there is none, it is damaged, or another version of rfmill wrote it.
    pub fn read(work: &WorkPlace) -> Result<RunPlan> {
        let bytes = work.read(OBJECT)?;
        let refused = |what: String| Error::new(Kind::State, format!("{} {what}", work.name_of(OBJECT)));
        let value: serde_json::Value = serde_json::from_slice(&bytes)
            .map_err(|e| refused(format!("is damaged: {e}; remove it and run again")).caused_by(e))?;
        let version = value.get("rfmill").and_then(|version| version.as_str()).unwrap_or("an unknown version");
        if version != env!("CARGO_PKG_VERSION") {
            return Err(refused(format!(
                "is of rfmill {version}, and this is {}; use one version for all tasks of a run",
                env!("CARGO_PKG_VERSION")
            )));
        }
        serde_json::from_value(value).map_err(|e| refused(format!("is no plan: {e}; remove it and run again")).caused_by(e))
    }
}
