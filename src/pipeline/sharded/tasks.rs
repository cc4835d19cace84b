//! What each task does.

use std::fmt::Display;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::failures;
use super::indexed_object;
use super::run_plan::{PlannedJob, RunPlan};
use super::scan_object::{self, ScanObject};
use super::stage_name::StageName;
use super::values::{CodesOfScans, Cuts, Names, PreparedQuery, ScanResult, ShardFindings, ShardSums};
use super::work::WorkPlace;
use crate::bucket::{BucketCollector, CodeNumbers, KeptBuckets};
use crate::error::{Error, Kind, Result};
use crate::experiment::PartialSums;
use crate::experiment::exposure::load::StrategyAssignments;
use crate::hash::sha256;
use crate::input::orders::ScannedOrders;
use crate::input::orders::dictionary::{self, CATEGORY_KEY, SLICE_KEY};
use crate::input::orders::findings::ScanFindings;
use crate::input::orders::related::RelatedRows;
use crate::input::orders::row_groups::Share;
use crate::input::query::{QueriedJob, Task};
use crate::input::source::Source;
use crate::job::Job;
use crate::job::query::QueriedTable;
use crate::measure::{BucketCache, SourceCodes};
use crate::memory::{Consumer, MemoryPool};
use crate::part::{PartOutput, TableSink};
use crate::pipeline::clock::Clock;
use crate::pipeline::commit::{self, Outcome};
use crate::pipeline::facts::{Facts, Target};
use crate::pipeline::first_pass::FirstPass;
use crate::pipeline::prepared::Prepared;
use crate::pipeline::queries::Queries;
use crate::pipeline::scanned::{Records, ScanSummary, Scanned};
use crate::pipeline::scored::Scored;
use crate::pipeline::second_pass::{self, SecondPassOutput};
use crate::pipeline::side_inputs::LoadedInputs;
use crate::pipeline::stage::Stage;
use crate::pipeline::{evaluated::Evaluated, gates, restatements};
use crate::progress::{Progress, Silent};
use crate::publish::{Output, ScratchFolder, Staging, TableFile};
use crate::score::RunBytes;
use crate::storage::Place;
use crate::tables::EncodedFile;

/// Begins the names of folders for what does not fit into the memory of a task.
const SCRATCH: &str = ".rfmill-task-";

/// What came of a task.
pub enum TaskOutcome {
    /// Its object is there.
    Done,
    /// The run is committed.
    Committed(Box<Outcome>),
}

/// A run whose stages are left to run.
pub struct PlannedRun {
    /// The plan.
    pub plan: RunPlan,
    /// The output, locked as long as this lives if it lies on a disk.
    pub output: Output,
}

/// What came of a plan.
pub enum Planned {
    /// Stages are left to run.
    Stages(Box<PlannedRun>),
    /// The run was committed before and is committed again.
    Committed(Box<Outcome>),
}

/// Plans a run in stages: checks the job, its inputs and its output, and writes the plan.
///
/// # Errors
/// Exits 2 to 8, as a run has them before it reads orders.
pub fn plan(job: PlannedJob, shards: usize, work: &WorkPlace, progress: &dyn Progress) -> Result<Planned> {
    let resolved = job.resolve()?;
    // A planned query tells which run this is; it runs as a task.
    let (prepared, output) = Prepared::open(Queries::run(&resolved, Task::Plan, &Silent)?)?;
    if let Some(outcome) = commit::repeat(&resolved, &prepared, &output, progress)? {
        return Ok(Planned::Committed(Box::new(outcome)));
    }
    if !prepared.queries.queried.is_queried(QueriedTable::Orders) {
        gates::rows_vs_previous(&resolved, &prepared, &output)?;
    }
    let summed_too = restatements::hidden_but_told(&resolved, &output);
    let plan = RunPlan::new(job, &prepared, &resolved, shards, summed_too);
    plan.write(work)?;
    Ok(Planned::Stages(Box::new(PlannedRun { plan, output })))
}

/// Runs a task of a stage. One whose object is there already is done. What a failed task says is left in the work place, too.
///
/// # Errors
/// Those of a run; exit 5 if what earlier stages leave is missing, damaged or of another version.
pub fn run_task(work: &WorkPlace, stage: StageName, task: usize, progress: &dyn Progress) -> Result<TaskOutcome> {
    let plan = RunPlan::read(work)?;
    let tasks = plan.tasks(stage);
    if task >= tasks {
        let name = stage.name();
        return Err(Error::usage(format!("the stage {name} of this run has {tasks} tasks, numbered from 0; there is no {task}")));
    }
    let objects = plan.objects(work);
    match stage {
        StageName::Finish => finish(work, &plan, None, progress).map(|outcome| TaskOutcome::Committed(Box::new(outcome))),
        _ if objects.has(&stage.object(task))? => Ok(TaskOutcome::Done),
        _ => run_in_scratch(work, &plan, stage, task, progress).map(|()| TaskOutcome::Done),
    }
    .inspect_err(|error| failures::leave(&objects, stage, task, error))
}

/// Runs a task that leaves an object.
fn run_in_scratch(work: &WorkPlace, plan: &RunPlan, stage: StageName, task: usize, progress: &dyn Progress) -> Result<()> {
    let job = plan.job.resolve()?;
    let objects = plan.objects(work);
    let queries = match stage {
        // That it is of this run is seen before it takes its time.
        StageName::Prepare => Queries::plan(&job)?,
        _ => results_of_queries(plan, &job, &objects)?,
    };
    let prepared = Prepared::of(queries, |_| Ok(()))?;
    check_run(plan, &prepared, work)?;
    // A process may run several tasks at once.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let prefix = format!("{SCRATCH}{}-", NEXT.fetch_add(1, Ordering::Relaxed));
    let scratch = ScratchFolder::create(&std::env::temp_dir(), &prefix)?;
    if stage == StageName::Prepare {
        return prepare(&job, task, &objects, scratch.path(), progress);
    }
    let job = &prepared.queries.queried.job;
    let memory = prepared.memory(job, scratch.path())?;
    let run = RunTask { work: &objects, plan, stage: Stage { job, prepared: &prepared, memory: &memory, progress } };
    match stage {
        StageName::Exclude => run.exclude(),
        StageName::Scan => run.scan(task),
        StageName::Names => run.names(),
        StageName::Distributions => run.distributions(task),
        StageName::Cuts => run.cuts(),
        StageName::Parts => run.parts(task),
        StageName::Prepare | StageName::Finish => Err(Error::bug("the stage has no inputs that were prepared")),
    }
}

/// Runs a query, and leaves its result.
fn prepare(job: &Job, task: usize, objects: &WorkPlace, scratch: &Path, progress: &dyn Progress) -> Result<()> {
    let query = job.queries.get(task).ok_or_else(|| Error::bug(format!("the job has no query {task}")))?;
    let (result, file) = QueriedJob::run_one(job, query, scratch, progress)?;
    let object = objects.take_file(&file, &format!("{}/rows-{task:05}", StageName::Prepare.name()))?;
    objects.put(&StageName::Prepare.object(task), PreparedQuery { result, object })
}

/// What the queries of a job have left.
fn results_of_queries(plan: &RunPlan, job: &Job, objects: &WorkPlace) -> Result<Queries> {
    let result = |task| {
        let PreparedQuery { result, object } = objects.get(&StageName::Prepare.object(task))?;
        Ok((result, objects.place(&object)))
    };
    Queries::of_results(job, (0..plan.tasks(StageName::Prepare)).map(result).collect::<Result<_>>()?)
}

/// Whether inputs are those of the plan: the id of a run follows from them.
fn check_run(plan: &RunPlan, prepared: &Prepared, work: &WorkPlace) -> Result<()> {
    if prepared.identity.run_id == plan.run_id {
        return Ok(());
    }
    Err(Error::input(format!(
        "an input, a scheme or a file of the job is not the one with which run {} was planned; let every task see the same files (not copies), wait until their writers have finished, and run again with another --work than {}",
        plan.run_id,
        work.written()
    )))
}

/// A task with what it needs.
#[derive(Clone, Copy)]
struct RunTask<'a> {
    /// The place of what its plan's tasks leave.
    work: &'a WorkPlace,
    plan: &'a RunPlan,
    stage: Stage<'a>,
}

impl<'a> RunTask<'a> {
    fn exclude(&self) -> Result<()> {
        let Stage { job, prepared, memory, progress } = self.stage;
        let related = RelatedRows::find(job, &prepared.orders, &prepared.columns, memory, progress)?;
        prepared.orders.iter().try_for_each(Source::check_unchanged)?;
        self.work.put(&StageName::Exclude.object(0), related)
    }

    /// What rows decide over other rows, as the stage before the scans found it.
    fn related(&self) -> Result<RelatedRows> {
        let Stage { job, prepared, memory, progress } = self.stage;
        match self.plan.tasks(StageName::Exclude) {
            0 => RelatedRows::find(job, &prepared.orders, &prepared.columns, memory, progress),
            _ => self.work.get(&StageName::Exclude.object(0)),
        }
    }

    fn scan(&self, task: usize) -> Result<()> {
        let Stage { job, prepared, memory, progress } = self.stage;
        let share = Share { number: task, of: self.plan.tasks(StageName::Scan) };
        let scanned = prepared.orders_scan(job).run(share, &self.related()?, memory, progress)?;
        prepared.orders.iter().try_for_each(Source::check_unchanged)?;
        let ScannedOrders { orders, slices, categories, findings } = scanned;
        let bytes = scan_object::encode(&orders, ScanResult { slices, categories, findings })?;
        self.work.create(&StageName::Scan.object(task), bytes).map(drop)
    }

    fn names(&self) -> Result<()> {
        let Stage { job, prepared, memory, progress } = self.stage;
        let (mut findings, mut slices, mut categories) = (ScanFindings::default(), Vec::new(), Vec::new());
        for scan in 0..self.plan.tasks(StageName::Scan) {
            let found = ScanObject::open(self.work, scan)?.into_findings();
            findings.merge(found.findings);
            slices.push(found.slices);
            categories.push(found.categories);
        }
        let (slices, slice_codes) = CodesOfScans::new(slices);
        let (categories, category_codes) = CodesOfScans::new(categories);
        dictionary::check_size(SLICE_KEY, slices.len())?;
        dictionary::check_size(CATEGORY_KEY, categories.len())?;
        // What one process finds before it measures is found here, too, and once.
        self.stage.prepared.read_assignments(job, memory)?;
        let buckets = KeptBuckets::none(1 << prepared.bucket_bits);
        let LoadedInputs { dimensions, warnings, .. } =
            prepared.side.read(job, &prepared.plan, &prepared.columns, &buckets, memory, progress)?;
        let shared_keys = self.related()?.shared_keys;
        let summary = ScanSummary { slices, categories, dimensions, findings, shared_keys, side_warnings: warnings };
        summary.check(self.stage)?;
        self.work.put(&StageName::Names.object(0), Names { summary, slices: slice_codes, categories: category_codes })
    }

    /// What all inputs hold, with the codes of slices and of categories.
    fn scanned(&self) -> Result<(Scanned, [CodesOfScans; 2])> {
        let Names { summary, slices, categories } = self.work.get(&StageName::Names.object(0))?;
        Ok((Scanned::new(self.stage, summary)?, [slices, categories]))
    }

    /// The parts of a shard.
    fn parts_of(&self, shard: usize) -> Range<usize> {
        let (parts, shards) = (self.stage.prepared.parts, self.plan.tasks(StageName::Parts));
        shard * parts / shards..(shard + 1) * parts / shards
    }

    /// The records of the buckets of a shard, and these buckets.
    fn load(&self, shard: usize, scanned: &Scanned, codes: [CodesOfScans; 2]) -> Result<(Records, Range<usize>)> {
        let Stage { job, prepared, memory, progress } = self.stage;
        let (parts, all) = (self.parts_of(shard), 1 << prepared.bucket_bits);
        let buckets = parts.start * all / prepared.parts..parts.end * all / prepared.parts;
        let [slices, categories] = codes;
        let numbers = CodeNumbers { slices: slices.numbers, categories: categories.numbers };
        let mut orders = BucketCollector::new(prepared.orders_scan(job).layout(), all, numbers, memory);
        for scan in 0..self.plan.tasks(StageName::Scan) {
            let offset = |offsets: &[i64]| offsets.get(scan).copied().unwrap_or(0);
            for (bucket, mut records) in ScanObject::open(self.work, scan)?.records(buckets.clone())? {
                records.shift_codes(offset(&slices.offsets), offset(&categories.offsets));
                orders.add(bucket, records)?;
            }
        }
        let LoadedInputs { customers, .. } = prepared.side.read(
            job,
            &prepared.plan,
            &prepared.columns,
            &KeptBuckets { all, range: buckets.clone() },
            memory,
            progress,
        )?;
        let codes = SourceCodes {
            files: prepared.orders.len(),
            slice_count: scanned.slices.len(),
            slices: (0..scanned.slices.len() as u32).collect(),
            categories: (0..scanned.categories.len() as u32).collect(),
            customerless: Arc::clone(&scanned.customerless),
        };
        Ok((Records { orders: orders.finish(), customers, codes }, buckets))
    }

    fn distributions(&self, shard: usize) -> Result<()> {
        let (scanned, codes) = self.scanned()?;
        let (Records { orders, customers, codes }, buckets) = self.load(shard, &scanned, codes)?;
        let cache = BucketCache::without_panels(orders, customers, codes);
        let found = FirstPass::over(self.stage, &cache, buckets)?;
        let (bytes, found) = ShardFindings::new(found, scanned.customerless.noted())?;
        self.work.create(&StageName::Distributions.object(shard), indexed_object::seal(bytes, found)?).map(drop)
    }

    fn cuts(&self) -> Result<()> {
        let Stage { memory, prepared, .. } = self.stage;
        let (scanned, _) = self.scanned()?;
        let mut all: Option<FirstPass> = None;
        for shard in 0..self.plan.tasks(StageName::Distributions) {
            let object = StageName::Distributions.object(shard);
            let (bytes, found): (_, ShardFindings) = indexed_object::open(self.work, &object)?;
            found.with_customer.iter().for_each(|(low, high)| scanned.customerless.note_customer(*low, *high));
            let found = found.into_first_pass(&(Arc::new(bytes) as Arc<dyn RunBytes>));
            match &mut all {
                Some(all) => all.merge(found),
                None => all = Some(found),
            }
            all.iter_mut().try_for_each(|all| all.spill_above(memory, memory.capacity(Consumer::Retained)))?;
        }
        let all = all.ok_or_else(|| Error::bug("a run without shards"))?;
        let ledger = gates::closed_ledger(prepared, &scanned, &all)?;
        gates::check_contract(self.stage, &scanned, &ledger, all.span)?;
        let scored = Scored::new(self.stage, &scanned, all)?;
        let with_customer = scanned.customerless.noted();
        self.work.put(&StageName::Cuts.object(0), Cuts { scored, ledger, with_customer })
    }

    fn parts(&self, shard: usize) -> Result<()> {
        let Stage { job, prepared, memory, .. } = self.stage;
        let (scanned, codes) = self.scanned()?;
        let Cuts { scored, .. } = self.work.get(&StageName::Cuts.object(0))?;
        let assignments = prepared.read_assignments(job, memory)?;
        let experiments = scored.experiments(self.stage, &scanned, &assignments)?;
        let sink = WorkTables(self.work);
        let summed_too = self.plan.summed_too.clone();
        let context = second_pass::context(self.stage, &scanned, &scored, experiments.as_ref(), summed_too, &sink)?;
        let (Records { orders, customers, codes }, _) = self.load(shard, &scanned, codes)?;
        let cache = BucketCache::without_panels(orders, customers, codes);
        let SecondPassOutput { part: mut parts, sums } = second_pass::run(
            self.stage,
            &scanned,
            &context,
            cache,
            experiments.as_ref(),
            self.parts_of(shard),
            scored.customers,
        )?;
        let strategies = sums.into_iter().reduce(|mut all, sums| {
            all.merge(sums);
            all
        });
        parts.crm.iter_mut().try_for_each(|(_, rows)| rows.load(memory.spill().map(Arc::as_ref)))?;
        self.work.put(&StageName::Parts.object(shard), ShardSums { parts, strategies })
    }

    /// What the parts of all shards give.
    fn sums(&self) -> Result<SecondPassOutput> {
        let (mut part, mut sums) = (PartOutput::default(), Vec::<PartialSums>::new());
        for shard in 0..self.plan.tasks(StageName::Parts) {
            let ShardSums { mut parts, strategies } = self.work.get(&StageName::Parts.object(shard))?;
            if let Some(spill) = self.stage.memory.spill() {
                parts.crm.iter_mut().try_for_each(|(_, rows)| rows.spill(spill))?;
            }
            part.merge(parts);
            sums.extend(strategies);
        }
        part.finish();
        Ok(SecondPassOutput { part, sums })
    }

    /// Stages the files that parts have left in the work place.
    fn stage_files(&self, staging: &Staging, part: &PartOutput) -> Result<()> {
        let sink = WorkTables(self.work);
        part.files.par_iter().try_for_each(|(_, file)| {
            let is_taken = staging.take(&sink.place(file)?, file)?;
            if is_taken { Ok(()) } else { staging.put(file.path.clone(), sink.get(file)?).map(drop) }
        })
    }

    /// The tables that are one file per run, the reports and the commit.
    fn finish(
        &self,
        output: &Output,
        (scanned, cuts): (&Scanned, &Cuts),
        assignments: &[StrategyAssignments],
        mut clock: Clock,
    ) -> Result<Outcome> {
        let Cuts { scored, ledger, .. } = cuts;
        let experiments = scored.experiments(self.stage, scanned, assignments)?;
        let sums = self.sums()?;
        let staging = output.stage(&self.plan.run_id)?;
        self.stage_files(&staging, &sums.part)?;
        clock.lap("write");
        let summed_too = self.plan.summed_too.clone();
        let context = second_pass::context(self.stage, scanned, scored, experiments.as_ref(), summed_too, &staging)?;
        let (facts, target) = (Facts { scanned, ledger, scored }, Target { output, staging: &staging });
        let mut evaluated = Evaluated::new(self.stage, facts, target, &context, experiments.as_ref(), sums)?;
        self.stage.prepared.check_unchanged()?;
        clock.lap("tables");
        let timings = clock.into_timings();
        let manifest = commit::manifest(self.stage, facts, target, &context, assignments, &mut evaluated, timings)?;
        commit::commit(self.stage, output, staging, manifest, evaluated)
    }
}

/// Merges the sums of all shards and commits the run, into its output if that is open already.
///
/// # Errors
/// Those of a run.
pub fn finish(work: &WorkPlace, plan: &RunPlan, output: Option<Output>, progress: &dyn Progress) -> Result<Outcome> {
    let mut clock = Clock::start();
    let objects = plan.objects(work);
    let queries = results_of_queries(plan, &plan.job.resolve()?, &objects)?;
    let (prepared, output) = match output {
        Some(output) => (Prepared::of(queries, |_| Ok(()))?, output),
        None => Prepared::open(queries)?,
    };
    check_run(plan, &prepared, work)?;
    let job = &prepared.queries.queried.job;
    if let Some(outcome) = commit::repeat(job, &prepared, &output, progress)? {
        return Ok(outcome);
    }
    clock.lap("open");
    if prepared.queries.queried.is_queried(QueriedTable::Orders) {
        gates::rows_vs_previous(job, &prepared, &output)?;
    }
    let memory: MemoryPool = prepared.memory(job, &output.scratch())?;
    let run = RunTask { work: &objects, plan, stage: Stage { job, prepared: &prepared, memory: &memory, progress } };
    let (scanned, _) = run.scanned()?;
    let cuts: Cuts = objects.get(&StageName::Cuts.object(0))?;
    cuts.with_customer.iter().for_each(|(low, high)| scanned.customerless.note_customer(*low, *high));
    let assignments = prepared.read_assignments(job, &memory)?;
    run.finish(&output, (&scanned, &cuts), &assignments, clock)
}

/// Files of tables in the work place. Equal tasks write equal files, so one that is there is the file.
struct WorkTables<'a>(&'a WorkPlace);

impl WorkTables<'_> {
    fn object(path: &str) -> String {
        format!("tables/{path}")
    }

    /// Where a file lies that a part has left.
    ///
    /// # Errors
    /// Exit 5 if it is not there, or of another length.
    fn place(&self, file: &TableFile) -> Result<Place> {
        let object = WorkTables::object(&file.path);
        let size = self.0.open(&object)?.state.size;
        if size == file.bytes { Ok(self.0.place(&object)) } else { Err(self.another(file, &format!("{size} bytes"), file.bytes)) }
    }

    /// A file that a part has left.
    ///
    /// # Errors
    /// Exit 5 if it is not there, or another file than the part wrote.
    fn get(&self, file: &TableFile) -> Result<EncodedFile> {
        let object = WorkTables::object(&file.path);
        let bytes = self.0.read(&object)?;
        let found = sha256(&bytes);
        if found != file.sha256 {
            return Err(self.another(file, &format!("the SHA-256 {found}"), &file.sha256));
        }
        Ok(EncodedFile { bytes, sha256: found, rows: file.rows })
    }
}

impl WorkTables<'_> {
    fn another(&self, file: &TableFile, has: &str, written: impl Display) -> Error {
        let name = self.0.name_of(&WorkTables::object(&file.path));
        Error::new(Kind::State, format!("{name} has {has}, and {written} was written; remove the work place and run again"))
    }
}

impl TableSink for WorkTables<'_> {
    fn put(&self, path: String, encoded: EncodedFile) -> Result<TableFile> {
        let EncodedFile { bytes, sha256, rows } = encoded;
        let size = bytes.len() as u64;
        self.0.create(&WorkTables::object(&path), bytes)?;
        Ok(TableFile { path, rows, bytes: size, sha256 })
    }
}
