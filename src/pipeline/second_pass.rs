//! Fifth stage, the second pass over all buckets: processes customers part by part, several parts at once.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::scanned::Scanned;
use super::scored::Scored;
use super::stage::Stage;
use crate::error::{Error, Result};
use crate::experiment::{ExperimentPlan, PartialSums, SideTables, Snapshots};
use crate::job::raw::TableName;
use crate::measure::BucketCache;
use crate::part::{
    Concurrency, Labels, Part, PartContext, PartCustomers, PartOutput, PartSize, PartTable, ScoringRules, TableSink,
    bytes_of_sums, movement_plan,
};

/// The tables with a row per customer.
const PART_TABLES: [TableName; 3] = [TableName::Customers, TableName::Movers, TableName::StateHistory];

/// What all parts need to know.
///
/// # Errors
/// Exit 2 if a scheme has too many cells.
pub fn context<'a>(
    stage: Stage<'a>,
    scanned: &Scanned,
    scored: &'a Scored,
    experiments: Option<&ExperimentPlan<'_>>,
    summed_too: Vec<bool>,
    sink: &'a dyn TableSink,
) -> Result<PartContext<'a>> {
    let Stage { job, prepared, .. } = stage;
    let plan = &prepared.plan;
    let mut tables = Vec::new();
    for name in PART_TABLES.into_iter().filter(|name| job.writes(*name)) {
        tables.push(PartTable::new(name, scanned.table(name)?.clone()));
    }
    Ok(PartContext {
        job,
        plan,
        scoring: &scored.scoring,
        forecasts: &scored.forecasts,
        models: &scored.models,
        rules: ScoringRules::new(job, plan, &scanned.slices)?,
        labels: Labels::new(job, plan, &scanned.slices, &scanned.categories, &scanned.dimensions),
        movement: movement_plan(job, plan),
        rescored_from: experiments.map_or_else(Vec::new, |experiments| experiments.rescored_from(job.dates.len())),
        summed_too,
        history_complete: scored.history_complete.clone(),
        id: scanned.id,
        tables,
        sink,
    })
}

/// The second pass at work.
struct SecondPass<'a> {
    stage: Stage<'a>,
    context: &'a PartContext<'a>,
    buckets: &'a BucketCache,
    experiments: Option<&'a ExperimentPlan<'a>>,
    concurrency: Concurrency,
    /// The parts that are processed.
    range: Range<usize>,
}

/// What the second pass gives. It does not depend on the order in which parts are processed.
#[derive(Default)]
pub struct SecondPassOutput {
    /// What all parts give.
    pub part: PartOutput,
    /// By thread: sums of what assigned customers did, if the job has strategies.
    pub sums: Vec<PartialSums>,
}

/// Processes some parts and merges what they give; `customers` are those of all parts.
///
/// # Errors
/// Those of the fold; exit 6 if a file cannot be written, exit 7 if the sums do not fit into memory.
pub fn run(
    stage: Stage<'_>,
    scanned: &Scanned,
    context: &PartContext<'_>,
    buckets: BucketCache,
    experiments: Option<&ExperimentPlan<'_>>,
    range: Range<usize>,
    customers: u64,
) -> Result<SecondPassOutput> {
    let Stage { job, prepared, memory, .. } = stage;
    // Hashes spread customers evenly; rows may be those of one.
    let (parts, buckets_of_part) = (prepared.parts, buckets.len() / prepared.parts.max(1));
    let rows = range.clone().map(|part| buckets.records(part * buckets_of_part..(part + 1) * buckets_of_part)).max().unwrap_or(0);
    let of_part = PartSize { customers: customers / parts as u64 * 5 / 4, rows };
    // One value more stands for customers who have none.
    let values: u64 = scanned.dimensions.iter().map(|values| values.len() as u64 + 1).sum();
    let dimensions = scanned.dimensions.len() as u64;
    let slices = (scanned.slices.len() as u64).max(1);
    let groups = slices * (1 + values);
    let sums = bytes_of_sums(job, &prepared.plan, groups, customers * (1 + dimensions));
    let concurrency = Concurrency::new(job, &prepared.plan, of_part, sums, memory)?;
    SecondPass { stage, context, buckets: &buckets, experiments, concurrency, range }.run()
}

impl SecondPass<'_> {
    /// Each thread takes the next part when it is done with one. A thread that finds none left helps the others with the
    /// pieces of theirs.
    fn run(&self) -> Result<SecondPassOutput> {
        let Stage { prepared, memory, progress, .. } = self.stage;
        let (parts, buckets) = (prepared.parts, self.buckets.len());
        progress.begin("writing customers", self.range.len() as u64);
        let all = Mutex::new((SecondPassOutput::default(), 0));
        let growth = memory.growth();
        let run = |number: usize, sums: &mut Option<PartialSums>| {
            let mut output = self.process_part(number, number * buckets / parts..(number + 1) * buckets / parts, sums)?;
            if let Some(spill) = memory.spill() {
                output.crm.iter_mut().try_for_each(|(_, rows)| rows.spill(spill))?;
            }
            let mut all = all.lock().map_err(|_| Error::bug("a thread stopped while it joined its part"))?;
            all.0.part.merge(output);
            all.1 += 1;
            progress.advance(1);
            growth.check("What is summed of customers", all.1, self.range.len() as u64)
        };
        let next = AtomicUsize::new(self.range.start);
        let take = |thread: rayon::BroadcastContext<'_>| -> Result<()> {
            // Sums of all parts of a thread share their memory, which grids fill.
            let mut sums = self.experiments.map(PartialSums::new);
            while thread.index() < self.concurrency.parts {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= self.range.end {
                    break;
                }
                // After an error no further part is begun.
                run(number, &mut sums).inspect_err(|_| next.store(self.range.end, Ordering::Relaxed))?;
            }
            all.lock().map_err(|_| Error::bug("a thread stopped while it joined its sums"))?.0.sums.extend(sums);
            Ok(())
        };
        rayon::broadcast(take).into_iter().collect::<Result<()>>()?;
        let (mut all, _) = all.into_inner().map_err(|_| Error::bug("a thread stopped while it joined its part"))?;
        all.part.finish();
        progress.end(&format!("{} rows", all.part.files.iter().map(|(_, file)| file.rows).sum::<u64>()));
        Ok(all)
    }

    /// Processes a part, date after date; `buckets` are the numbers of its buckets. If not all dates fit into memory at once,
    /// its customers are measured for some dates at a time.
    fn process_part(&self, number: usize, buckets: Range<usize>, sums: &mut Option<PartialSums>) -> Result<PartOutput> {
        let spec = &self.context.plan.fold;
        let (dates, window) = (self.context.job.dates.len(), self.concurrency.dates);
        let fits = window >= dates;
        let panels = match fits {
            true => self.buckets.take(buckets.clone(), spec)?,
            false => self.buckets.fold(buckets.clone(), &spec.without_dates())?,
        };
        let customers = PartCustomers::new(&panels);
        let mut part = Part::new(self.context, number, &panels, &customers);
        let mut snapshots = Snapshots::default();
        let mut of_window = Vec::new();
        for date in 0..dates {
            let at = date % window;
            if !fits && at == 0 {
                // The panels of the last window are freed first.
                drop(std::mem::take(&mut of_window));
                of_window = self.buckets.fold(buckets.clone(), &spec.only_dates(date..(date + window).min(dates)))?;
            }
            let rows = part.process_date(date, if fits { &panels } else { &of_window }, at)?;
            if let Some(experiments) = self.experiments {
                snapshots.record(experiments, &spec.measures, customers.len(), &rows);
            }
        }
        let output = part.finish()?;
        if let Some((experiments, sums)) = self.experiments.zip(sums.as_mut()) {
            let events = if experiments.counts_events() { self.buckets.events(buckets.clone())? } else { Vec::new() };
            let side = SideTables { attributes: self.buckets.attributes(buckets), events: &events };
            experiments.sum_part(number, &panels, side, &customers, &snapshots, sums)?;
        }
        Ok(output)
    }
}
