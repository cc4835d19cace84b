//! What other Rust programs can do: read a job, run it, and read the tables that it committed.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;

use crate::domain::Day;
use crate::error::{Error, Kind, Result};
use crate::job::{self, Overrides, parse, resolve};
use crate::pipeline;
use crate::progress::{Progress, Silent};
use crate::publish::{self, CommittedRun, Manifest};
use crate::storage::Place;
use crate::tables::Row;

/// A job that was read and checked. Nothing of its data has been opened.
#[derive(Debug, Clone)]
pub struct Job(job::Job);

/// What to set before a job file is read, as the options of the command line do.
#[derive(Debug, Clone, Default)]
pub struct JobOptions {
    sets: Vec<String>,
    overrides: Overrides,
}

impl JobOptions {
    /// Sets a key of the job file, written as `orders.path="orders/*.parquet"`.
    pub fn set(mut self, assignment: impl Into<String>) -> JobOptions {
        self.sets.push(assignment.into());
        self
    }

    /// Replaces the as-of dates by one, written as `2024-12-31`.
    ///
    /// # Errors
    /// Exit 2 if it is no date.
    pub fn as_of(mut self, date: &str) -> Result<JobOptions> {
        let day = Day::parse(date).ok_or_else(|| Error::usage(format!("{date:?} is no date; write it as 2024-12-31")))?;
        self.overrides.as_of = Some(day);
        Ok(self)
    }

    /// Writes into this folder.
    pub fn output(mut self, folder: impl Into<PathBuf>) -> JobOptions {
        self.overrides.output = Some(folder.into());
        self
    }

    /// Limits the memory of the run to this number of bytes.
    pub fn memory_limit(mut self, bytes: u64) -> JobOptions {
        self.overrides.memory_limit = Some(bytes);
        self
    }

    /// Reads and checks a job file. Its relative paths start from the file's folder.
    ///
    /// # Errors
    /// Exit 2, with the key, what it holds and what was expected.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Job> {
        let (raw, source) = parse::load(path.as_ref(), &self.sets)?;
        resolve(raw, source, &self.overrides).map(Job)
    }
}

impl Job {
    /// Reads and checks a job file. Its relative paths start from the file's folder.
    ///
    /// # Errors
    /// Exit 2, with the key, what it holds and what was expected.
    pub fn read(path: impl AsRef<Path>) -> Result<Job> {
        JobOptions::default().read(path)
    }

    /// The output: a folder, or a place such as `s3://bucket/key`.
    pub fn output(&self) -> String {
        self.0.output.to_string()
    }
}

/// Runs a job on the threads of the current rayon pool, and commits its tables. A job whose run is committed already, with the
/// same inputs, is not computed again.
///
/// # Errors
/// Every [`Kind`]; nothing is visible unless the run is committed.
pub fn run(job: &Job) -> Result<Run> {
    run_with(job, &Silent)
}

/// [`run`], and tells `progress` where the run is.
///
/// # Errors
/// As [`run`].
pub fn run_with(job: &Job, progress: &dyn Progress) -> Result<Run> {
    let outcome = pipeline::run(&job.0, progress)?;
    Ok(Run(CommittedRun { folder: outcome.folder, manifest: outcome.manifest }))
}

/// A committed run.
#[derive(Debug, Clone)]
pub struct Run(CommittedRun);

impl Run {
    /// The run of an output that `latest` names: that of the newest as-of date. The output is a folder, or a place such as
    /// `s3://bucket/key`.
    ///
    /// # Errors
    /// Exit 4 if there is no such folder or the store cannot be read; exit 5 if nothing is committed, or its manifest is missing or changed.
    pub fn last(output: impl AsRef<Path>) -> Result<Run> {
        publish::latest_run(&Place::of_argument(output.as_ref())).map(Run)
    }

    /// What the run says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    /// The folder of its tables: a path, or a place such as `s3://bucket/key`.
    pub fn folder(&self) -> String {
        self.0.folder.to_string()
    }

    /// The rows of a table that is one file per run, such as [`SegmentRow`](crate::rows::SegmentRow).
    ///
    /// # Errors
    /// Exit 5 if the run has no such table, or it cannot be read.
    pub fn rows<R: Row>(&self) -> Result<Vec<R>> {
        let batches = self.batches(R::TABLE)?.map(|batch| R::from_batch(R::TABLE, &batch?));
        Ok(batches.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// The rows of any table as Arrow batches, file by file. Files of tables with a row per customer lie in folders by as-of
    /// date, and their batches have the date in the column `as_of`, too.
    ///
    /// # Errors
    /// Exit 5 if the run has no such table; each batch has an error of its own if it cannot be read.
    pub fn batches(&self, table: &str) -> Result<impl Iterator<Item = Result<RecordBatch>>> {
        let manifest = self.manifest();
        let entry = manifest.tables.iter().find(|entry| entry.name == table).ok_or_else(|| {
            let names: Vec<&str> = manifest.tables.iter().map(|entry| entry.name.as_str()).collect();
            Error::new(Kind::State, format!("run {} has no table {table}; it has {}", manifest.run_id, names.join(", ")))
        })?;
        Ok(publish::table_batches(&self.0.folder, entry).map(|batch| batch?.with_as_of()))
    }
}
