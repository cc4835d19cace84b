//! Before all stages: queries make the tables of the job that are no files yet.

use crate::domain::Warning;
use crate::error::Result;
use crate::input::orders::ledger::SOURCE;
use crate::input::query::{QueriedJob, QueryResult, RepeatedMoney, SourceFile, Task};
use crate::job::Job;
use crate::progress::{Progress, Silent};
use crate::publish::{LakeTableEntry, Output, QueryEntry, ScratchFolder, SourceEntry};
use crate::storage::Place;
use crate::tables::LedgerRow;

/// A job whose queries have run, with what must live as long as their results.
#[derive(Debug)]
pub struct Queries {
    /// The job that reads the results.
    pub queried: QueriedJob,
    /// The output folder, which a run has opened for its scratch files.
    output: Option<Output>,
    /// The folder of the results.
    _scratch: Option<ScratchFolder>,
}

/// Begins the names of folders in which queries leave their results.
const QUERY_FOLDER: &str = ".query-";

/// Share of the orders of several rows, in percent, that must carry the same money on each row to be told of.
const REPEATED_PERCENT: u64 = 50;

impl Queries {
    /// A job without queries.
    pub fn none(job: &Job) -> Queries {
        Queries { queried: QueriedJob::without_queries(job), output: None, _scratch: None }
    }

    /// Runs the queries of a job; the results lie in the scratch folder of its output.
    ///
    /// # Errors
    /// Those of [`QueriedJob::run`], and exit 6 or 8 if the output cannot be written.
    pub fn run(job: &Job, task: Task, progress: &dyn Progress) -> Result<Queries> {
        if job.queries.is_empty() {
            return Ok(Queries::none(job));
        }
        let output = Output::open(&job.output)?;
        let scratch = ScratchFolder::create(&output.scratch(), QUERY_FOLDER)?;
        let queried = QueriedJob::run(job, task, scratch.path(), progress)?;
        Ok(Queries { queried, output: Some(output), _scratch: Some(scratch) })
    }

    /// A job whose queries were run by others, with what each has written.
    ///
    /// # Errors
    /// Those of [`QueriedJob::of_results`].
    pub fn of_results(job: &Job, results: Vec<(QueryResult, Place)>) -> Result<Queries> {
        Ok(Queries { queried: QueriedJob::of_results(job, results)?, output: None, _scratch: None })
    }

    /// Plans the queries of a job for a command that writes nothing; the results have columns, but no rows.
    ///
    /// # Errors
    /// Those of [`QueriedJob::run`], and exit 6 if there is no place for temporary files.
    pub fn plan(job: &Job) -> Result<Queries> {
        Queries::in_temp(job, Task::Plan, &Silent)
    }

    /// Plans or runs the queries of a job for a command that does not touch its output.
    ///
    /// # Errors
    /// As [`Queries::plan`].
    pub fn in_temp(job: &Job, task: Task, progress: &dyn Progress) -> Result<Queries> {
        if job.queries.is_empty() {
            return Ok(Queries::none(job));
        }
        let scratch = ScratchFolder::create(&std::env::temp_dir(), QUERY_FOLDER)?;
        let queried = QueriedJob::run(job, task, scratch.path(), progress)?;
        Ok(Queries { queried, output: None, _scratch: Some(scratch) })
    }

    /// The files that the queries read, as the manifest shows them.
    pub fn source_entries(&self) -> Vec<SourceEntry> {
        let sources = self.queried.sources.iter();
        let files = sources.flat_map(|source| source.files.iter().map(|file| (source.name.clone(), file)));
        let entry = |(source, file): (String, &SourceFile)| SourceEntry {
            source,
            file: file.input.name.clone(),
            bytes: file.state.size,
            modified_ns: file.state.modified_ns.to_string(),
            changed_ns: file.state.version.changed_ns().unwrap_or_default().to_string(),
            inode: file.state.version.inode().unwrap_or_default(),
            tag: file.state.version.tag().map(str::to_owned),
            tail_sha256: file.tail_sha256.clone(),
            rows: file.rows,
            lake_table: LakeTableEntry::of(&file.input),
        };
        files.map(entry).collect()
    }

    /// What came of the queries, as the manifest shows it.
    pub fn query_entries(&self) -> Vec<QueryEntry> {
        let results = self.queried.results.iter();
        let entry = |result: &QueryResult| QueryEntry {
            key: result.table.key().into(),
            rows: result.rows,
            peak_memory_bytes: result.peak_memory,
        };
        results.map(entry).collect()
    }

    /// The rows of `ledger` for the files that the queries read; their rows are not those of the orders, so they have no money.
    pub fn ledger_rows(&self) -> impl Iterator<Item = LedgerRow> {
        let files = self.queried.sources.iter().flat_map(|source| &source.files);
        files.filter_map(|file| file.rows.map(|rows| (file, rows))).map(|(file, rows)| LedgerRow {
            file: file.input.name.clone(),
            outcome: SOURCE.into(),
            row_count: Some(rows as i64),
            amount: None,
        })
    }

    /// What is odd about the results.
    pub fn warnings(&self) -> Vec<Warning> {
        let repeated = self.queried.results.iter().filter_map(|result| result.repeated_money);
        let repeated = repeated.filter(|r| r.repeated > 0 && r.repeated * 100 >= r.orders * REPEATED_PERCENT);
        let warning = |r: RepeatedMoney| Warning::RepeatedMoney {
            orders: r.orders,
            repeated: r.repeated,
            rows: r.rows,
            column: self.queried.job.raw.orders.amount.as_slice().join(" × "),
        };
        repeated.map(warning).collect()
    }

    /// The output folder, if a query needed it; it is then the caller's.
    pub fn take_output(&mut self) -> Option<Output> {
        self.output.take()
    }
}
