//! First stage: everything that is known before a row is read.

use std::collections::BTreeMap;
use std::path::Path;

use super::frozen_cuts;
use super::identity::Identity;
use super::queries::Queries;
use super::side_inputs::OpenInputs;
use crate::domain::Warning;
use crate::error::{Error, Result};
use crate::experiment::exposure::load::{self, StrategyAssignments};
use crate::input::acquisition::{self, AcquisitionCosts};
use crate::input::assignments::AssignmentFile;
use crate::input::open::Opened;
use crate::input::orders::columns::{self, OrderColumns};
use crate::input::orders::{self, OrdersScan, bucket_bits};
use crate::input::source::Source;
use crate::job::{Cuts, Job};
use crate::memory::MemoryPool;
use crate::part::part_count;
use crate::plan::Plan;
use crate::publish::{AssignmentsEntry, Output, Owner};
use crate::score::SliceScoring;

/// The plan of a run, its opened inputs, and its identity.
pub struct Prepared {
    /// The queries that have run, and the job that reads their results.
    pub queries: Queries,
    /// What to measure, classify and write.
    pub plan: Plan,
    /// The files of orders.
    pub orders: Vec<Source>,
    /// What to say of them.
    pub warnings: Vec<Warning>,
    /// Their columns.
    pub columns: OrderColumns,
    /// The files of customers and events.
    pub side: OpenInputs,
    /// The files of assignments, by strategy.
    pub assignment_files: Vec<Vec<AssignmentFile>>,
    /// The id of the run, and what it is computed from.
    pub identity: Identity,
    /// Costs of acquisition by cohort.
    pub costs: AcquisitionCosts,
    /// Cut points of another run by slice value, if the job names a table of them.
    pub frozen_cuts: Option<BTreeMap<String, SliceScoring>>,
    /// Buckets are `1 << bucket_bits`.
    pub bucket_bits: u32,
    /// How many parts the customers are split into.
    pub parts: usize,
}

/// Whose output a run of the job makes.
pub fn owner(job: &Job) -> Owner {
    Owner { job: job.raw.name.clone(), timezone: Some(job.raw.orders.timezone.clone()) }
}

impl Prepared {
    /// Opens the output and all inputs of a job whose queries have run, and plans the run. A planned query gives the identity of
    /// the run, but no rows.
    ///
    /// # Errors
    /// Exits 2 to 7: a setting, file or column is wrong, or the output cannot be written.
    pub fn open(mut queries: Queries) -> Result<(Prepared, Output)> {
        let mut output = queries.take_output();
        let prepared = Prepared::of(queries, |job| {
            // An output that cannot be written is found before hours of reading.
            output = Some(output.take().map_or_else(|| Output::open(&job.output), Ok)?);
            Ok(())
        })?;
        let output = output.ok_or_else(|| Error::bug("the output was not opened"))?;
        // What is wrong with the job itself is said first.
        let job = &prepared.queries.queried.job;
        output.check_owner(&owner(job), job.adopt)?;
        Ok((prepared, output))
    }

    /// Opens all inputs of a job whose queries have run, and plans the run; `look` may refuse the job before its orders are opened.
    ///
    /// # Errors
    /// Exits 2 to 4: a setting, file or column is wrong; and those of `look`.
    pub fn of(queries: Queries, look: impl FnOnce(&Job) -> Result<()>) -> Result<Prepared> {
        let job = &queries.queried.job;
        let side = OpenInputs::open(job)?;
        let plan = Plan::new(job, &side.customers)?;
        look(job)?;
        let Opened { sources: orders, warnings } = orders::open(job)?;
        let columns = columns::check(job, &orders, plan.uses())?;
        side.check_ids(job, columns.id)?;
        let assignment_files = load::open(job)?;
        let entries = load::entries(job, &assignment_files);
        let sources: Vec<&Source> = orders.iter().chain(side.sources(&plan)).filter(|s| !s.input.is_query_result).collect();
        let identity = Identity::new(job, &plan, &sources, queries.source_entries(), &assignment_files, entries)?;
        let frozen_cuts = match &job.score.cuts {
            Cuts::Table(path) => Some(frozen_cuts::read_table(path, job)?),
            Cuts::Each | Cuts::Frozen => None,
        };
        let (rows, customers) = (orders.iter().map(Source::rows).sum::<u64>(), side.customers.rows());
        let bucket_bits = bucket_bits(rows.max(side.event_rows(&plan)).max(customers));
        Ok(Prepared {
            costs: acquisition::read(job)?,
            parts: part_count(rows + customers, job.part_rows, 1 << bucket_bits),
            plan,
            orders,
            warnings,
            columns,
            side,
            assignment_files,
            identity,
            frozen_cuts,
            bucket_bits,
            queries,
        })
    }

    /// What to say of the files of orders, and of those of customers and events.
    pub fn input_warnings(&self) -> impl Iterator<Item = &Warning> {
        self.warnings.iter().chain(&self.side.customers.warnings).chain(&self.side.events.warnings)
    }

    /// Whether a sample of the orders is read.
    pub fn is_sampled(&self) -> bool {
        self.orders.iter().any(Source::is_sampled)
    }

    /// Rows of orders that are read.
    pub fn rows_read(&self) -> u64 {
        self.orders.iter().map(Source::rows_read).sum()
    }

    /// Rows of orders in all files.
    pub fn input_rows(&self) -> u64 {
        self.orders.iter().map(Source::rows).sum()
    }

    /// How the orders are scanned.
    pub fn orders_scan<'a>(&'a self, job: &'a Job) -> OrdersScan<'a> {
        let (sources, columns, uses) = (&self.orders, &self.columns, self.plan.uses());
        OrdersScan { job, sources, columns, uses, bits: self.bucket_bits }
    }

    /// The memory that the job may use; files go to `scratch` for what does not fit.
    ///
    /// # Errors
    /// Exit 6 or 7 if a limit is too low to read the orders, or there is no place to spill to.
    pub fn memory(&self, job: &Job, scratch: &Path) -> Result<MemoryPool> {
        let Some(limit) = job.memory_limit else { return Ok(MemoryPool::unlimited()) };
        let of_thread = orders::reading_bytes(job, &self.orders, &self.columns, self.plan.uses(), self.bucket_bits);
        MemoryPool::limited(limit, of_thread * rayon::current_num_threads() as u64, scratch)
    }

    /// Reads the assignments of all strategies.
    ///
    /// # Errors
    /// Exit 3: rows that break their contract; exit 4: files that cannot be read; exit 7: too little memory.
    pub fn read_assignments(&self, job: &Job, memory: &MemoryPool) -> Result<Vec<StrategyAssignments>> {
        let growth = memory.growth();
        let assignments = load::read(job, &self.assignment_files, &self.columns, self.parts)?;
        if !assignments.is_empty() {
            growth.check("Assignments of strategies", 1, 1)?;
        }
        Ok(assignments)
    }

    /// The entries of the assignments with what became of their rows.
    pub fn assignment_entries(&self, assignments: &[StrategyAssignments]) -> Vec<AssignmentsEntry> {
        let mut entries = self.identity.assignments.clone();
        for (entry, read) in entries.iter_mut().zip(assignments) {
            entry.rows = read.rows.outcomes().into_iter().collect();
        }
        entries
    }

    /// Checks that no input was changed while it was read.
    ///
    /// # Errors
    /// Exit 4 if one was.
    pub fn check_unchanged(&self) -> Result<()> {
        self.queries.queried.check_unchanged()?;
        self.orders.iter().chain(self.side.sources(&self.plan)).try_for_each(Source::check_unchanged)?;
        self.assignment_files.iter().flatten().try_for_each(AssignmentFile::check_unchanged)
    }
}
