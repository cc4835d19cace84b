//! Queries: tables of the job that SQL makes of files of any shape. The program `rfmill-query` runs them, and what comes of it
//! is a Parquet file that is read as any other.
//!
//! [`sources`] finds and identifies the files, [`copies`] writes those again that the program cannot read, [`request`] says what the job needs of the result, [`child`] runs the program.

mod child;
mod copies;
mod request;
mod sources;

use std::path::{Path, PathBuf};

use rfmill_query_request::Done;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::job::Job;
use crate::job::paths::InputPaths;
use crate::job::query::{QueriedTable, Query};
use crate::progress::Progress;
use crate::storage::Place;

pub use rfmill_query_request::{RepeatedMoney, Task};
pub use sources::{OpenSource, SourceFile};

/// A job whose queries have run: it reads their results.
#[derive(Debug)]
pub struct QueriedJob {
    /// The job, with the paths of the results in place of its queries.
    pub job: Job,
    /// The tables that the queries could name.
    pub sources: Vec<OpenSource>,
    /// What came of each query.
    pub results: Vec<QueryResult>,
}

/// What came of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryResult {
    /// The table it makes.
    pub table: QueriedTable,
    /// Its rows.
    pub rows: u64,
    /// Rows of the files of each source that it has counted.
    pub source_rows: Vec<Vec<Option<u64>>>,
    /// The plan, if only that was asked for.
    pub plan: Option<String>,
    /// Orders of several rows after a join, and those that carry the same money on each.
    pub repeated_money: Option<RepeatedMoney>,
    /// Largest resident memory of the program in bytes, if known.
    pub peak_memory: Option<u64>,
}

impl QueriedJob {
    /// A job without queries.
    pub fn without_queries(job: &Job) -> QueriedJob {
        QueriedJob { job: job.clone(), sources: Vec::new(), results: Vec::new() }
    }

    /// Runs the queries of a job, into files in `scratch`; with [`Task::Plan`] these have no rows.
    ///
    /// # Errors
    /// Exit 2: the program is missing or another version, SQL that cannot be. Exit 3: values that cannot be cast, rows that break
    /// a file's form, missing columns. Exit 4: files that cannot be read. Exit 7: too little memory.
    pub fn run(job: &Job, task: Task, scratch: &Path, progress: &dyn Progress) -> Result<QueriedJob> {
        let mut queried = QueriedJob::open(job)?;
        copies::write(&mut queried.sources, task, scratch)?;
        for query in &job.queries {
            let (result, file) = queried.run_query(query, task, scratch, progress)?;
            queried.take(result, Place::Local(file));
        }
        Ok(queried)
    }

    /// Runs one query of a job into a file in `scratch`, which is returned.
    ///
    /// # Errors
    /// As [`QueriedJob::run`].
    pub fn run_one(job: &Job, query: &Query, scratch: &Path, progress: &dyn Progress) -> Result<(QueryResult, PathBuf)> {
        let mut queried = QueriedJob::open(job)?;
        copies::write(&mut queried.sources, Task::Run, scratch)?;
        queried.run_query(query, Task::Run, scratch, progress)
    }

    /// The job that reads what its queries have written.
    ///
    /// # Errors
    /// Exit 2: a format that cannot be told; exit 4: a file of a source that cannot be read.
    pub fn of_results(job: &Job, results: Vec<(QueryResult, Place)>) -> Result<QueriedJob> {
        let mut queried = QueriedJob::open(job)?;
        results.into_iter().for_each(|(result, file)| queried.take(result, file));
        Ok(queried)
    }

    /// A job with its sources found, none of whose queries has run.
    fn open(job: &Job) -> Result<QueriedJob> {
        Ok(QueriedJob { job: job.clone(), sources: sources::open(job)?, results: Vec::new() })
    }

    fn run_query(
        &mut self,
        query: &Query,
        task: Task,
        scratch: &Path,
        progress: &dyn Progress,
    ) -> Result<(QueryResult, PathBuf)> {
        let request = request::of(&self.job, query, task, &self.sources, scratch);
        progress.begin(step(query.table), 0);
        let Done { rows, source_rows, plan, repeated_money, peak_memory } = child::run(&request, &self.job.source)?;
        self.check_unchanged()?;
        self.count(&source_rows);
        let read: u64 = self.sources.iter().flat_map(|source| &source.files).filter_map(|file| file.rows).sum();
        progress.end(&format!("{rows} rows of {read} in the sources"));
        Ok((QueryResult { table: query.table, rows, source_rows, plan, repeated_money, peak_memory }, request.output))
    }

    /// Lets the job read what a query has written.
    fn take(&mut self, result: QueryResult, file: Place) {
        self.count(&result.source_rows);
        let paths = InputPaths::QueryResult { key: result.table.key(), place: file };
        match result.table {
            QueriedTable::Orders => self.job.paths = paths,
            QueriedTable::Customers => self.job.customer_paths = paths,
            QueriedTable::Events => self.job.event_paths = paths,
            QueriedTable::Assignments(number) => {
                if let Some(strategy) = self.job.strategies.iter_mut().find(|strategy| strategy.number == number) {
                    strategy.assignments = paths;
                }
            }
        }
        self.results.push(result);
    }

    /// Checks that no file of a source was changed since it was opened.
    ///
    /// # Errors
    /// Exit 4 if one was.
    pub fn check_unchanged(&self) -> Result<()> {
        self.sources.iter().flat_map(|source| &source.files).try_for_each(SourceFile::check_unchanged)
    }

    /// Whether a table of the job is the result of a query.
    pub fn is_queried(&self, table: QueriedTable) -> bool {
        self.results.iter().any(|result| result.table == table)
    }

    /// Notes the rows of files that the program has counted.
    fn count(&mut self, rows: &[Vec<Option<u64>>]) {
        for (source, rows) in self.sources.iter_mut().zip(rows) {
            for (file, rows) in source.files.iter_mut().zip(rows) {
                file.rows = file.rows.or(*rows);
            }
        }
    }
}

fn step(table: QueriedTable) -> &'static str {
    match table {
        QueriedTable::Orders => "running orders.query",
        QueriedTable::Customers => "running customers.query",
        QueriedTable::Events => "running events.query",
        QueriedTable::Assignments(_) => "running assignments",
    }
}
