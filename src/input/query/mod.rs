//! Queries: tables of the job that SQL makes of files of any shape. The program `rfmill-query` runs them, and what comes of it
//! is a Parquet file that is read as any other.
//!
//! [`sources`] finds and identifies the files, [`copies`] writes those again that the program cannot read, [`request`] says what the job needs of the result, [`child`] runs the program.

mod child;
mod copies;
mod request;
mod sources;

use std::path::Path;

use crate::error::Result;
use crate::job::Job;
use crate::job::paths::InputPaths;
use crate::job::query::QueriedTable;
use crate::progress::Progress;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryResult {
    /// The table it makes.
    pub table: QueriedTable,
    /// Its rows.
    pub rows: u64,
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
        let mut sources = sources::open(job)?;
        copies::write(&mut sources, task, scratch)?;
        let mut queried = QueriedJob { job: job.clone(), sources, results: Vec::new() };
        for query in &job.queries {
            let request = request::of(job, query, task, &queried.sources, scratch);
            progress.begin(step(query.table), 0);
            let done = child::run(&request, &job.source)?;
            queried.check_unchanged()?;
            queried.count(&done.source_rows);
            let paths = InputPaths::one(query.table.key(), request.output);
            match query.table {
                QueriedTable::Orders => queried.job.paths = paths,
                QueriedTable::Customers => queried.job.customer_paths = paths,
                QueriedTable::Events => queried.job.event_paths = paths,
                QueriedTable::Assignments(number) => {
                    if let Some(strategy) = queried.job.strategies.get_mut(number) {
                        strategy.assignments = paths;
                    }
                }
            }
            let read: u64 = queried.sources.iter().flat_map(|source| &source.files).filter_map(|file| file.rows).sum();
            progress.end(&format!("{} rows of {read} in the sources", done.rows));
            queried.results.push(QueryResult {
                table: query.table,
                rows: done.rows,
                plan: done.plan,
                repeated_money: done.repeated_money,
                peak_memory: done.peak_memory,
            });
        }
        Ok(queried)
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
