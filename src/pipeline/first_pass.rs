//! Third stage, the first pass over all buckets: the value distributions from which cut points are computed.
//!
//! A bucket is folded for all measures and its panel cached for the second pass if all panels fit into memory; otherwise it is
//! folded only for the measures that scoring needs, and its panel is dropped, so that memory does not grow with customers ×
//! dates.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::scanned::Records;
use super::stage::Stage;
use crate::bucket;
use crate::domain::{CustomerId, Day, Measure};
use crate::error::{Error, Result};
use crate::forecast::CustomerSample;
use crate::job::Job;
use crate::job::raw::{Method, TableName};
use crate::measure::{BucketCache, BucketPanel, Findings, FoldSpec, LineCounts};
use crate::memory::{Consumer, Growth, MemoryPool};
use crate::plan::{Plan, ScoringFilter};
use crate::score::{Axis, SliceDistributions, SpillableDistribution};

/// Customers of all slices to whom models of a forecast are fitted, and on whom their record is kept.
const SAMPLED_CUSTOMERS: usize = 1 << 15;

/// Customers of a slice, at least, however many slices there are.
const LEAST_SAMPLED: usize = 1 << 11;

/// What the first pass found in some buckets. That of all buckets is the merge of theirs, in any order.
pub struct FirstPass {
    /// By date and slice number.
    pub distributions: Vec<Vec<SliceDistributions>>,
    /// Customers.
    pub customers: u64,
    /// Outcomes of the lines per file, if the orders are made of lines.
    pub lines: Vec<LineCounts>,
    /// What is odd about orders and customers.
    pub findings: Findings,
    /// First and last date of an order up to the last as-of date.
    pub span: Option<(Day, Day)>,
    /// Customers to whom a forecast is fitted.
    pub sample: CustomerSample,
}

impl FirstPass {
    /// Folds every bucket once.
    ///
    /// # Errors
    /// As [`FirstPass::over`].
    pub fn run(stage: Stage<'_>, records: Records) -> Result<(FirstPass, BucketCache)> {
        let Records { orders, customers, codes } = records;
        let buckets = BucketCache::new(orders, customers, codes, stage.memory);
        let found = FirstPass::over(stage, &buckets, 0..buckets.len())?;
        Ok((found, buckets))
    }

    /// Folds some buckets once.
    ///
    /// # Errors
    /// Exit 3 if money of a customer exceeds what the tables hold; exit 7 if memory is too small. Of several errors that of
    /// the first bucket.
    pub fn over(stage: Stage<'_>, buckets: &BucketCache, range: Range<usize>) -> Result<FirstPass> {
        let Stage { memory, progress, .. } = stage;
        progress.begin("measuring customers", range.len() as u64);
        let pass = Pass::new(stage, buckets, range)?;
        let mut all: Option<FirstPass> = None;
        let mut first_error: Option<(usize, Error)> = None;
        let mut results = rayon::broadcast(|_| pass.run());
        results.extend(pass.run_large());
        for result in results {
            match result {
                Ok(found) => match &mut all {
                    Some(all) => all.merge(found),
                    None => all = Some(found),
                },
                Err(error) if first_error.as_ref().is_none_or(|first| error.0 < first.0) => first_error = Some(error),
                Err(_) => {}
            }
        }
        if let Some((_, error)) = first_error {
            return Err(error);
        }
        let mut all = all.unwrap_or_else(|| pass.nothing());
        all.sample = pass.sample.into_inner().unwrap_or_else(PoisonError::into_inner);
        all.sample.settle();
        all.spill_above(memory, memory.capacity(Consumer::Retained))?;
        progress.end(&format!("{} customers", all.customers));
        Ok(all)
    }

    /// What no bucket holds.
    fn new(dates: usize, slices: usize, files: usize) -> FirstPass {
        FirstPass {
            distributions: vec![vec![SliceDistributions::default(); slices]; dates],
            customers: 0,
            lines: vec![LineCounts::default(); files],
            findings: Findings::default(),
            span: None,
            sample: CustomerSample::default(),
        }
    }

    /// Adds what was found in other buckets.
    pub(super) fn merge(&mut self, other: FirstPass) {
        self.customers += other.customers;
        self.add_lines(&other.lines);
        self.findings.merge(other.findings);
        self.span = union(self.span, other.span);
        self.sample.merge(other.sample);
        self.distributions.par_iter_mut().zip(other.distributions).for_each(|(slices, others)| {
            for (slice, other) in slices.iter_mut().zip(others) {
                slice.merge(other);
            }
        });
    }

    fn add_lines(&mut self, lines: &[LineCounts]) {
        for (counts, other) in self.lines.iter_mut().zip(lines) {
            counts.merge(other);
        }
    }

    /// Adds the customers of a bucket, and takes what is odd about them.
    fn add(&mut self, panel: &mut BucketPanel, columns: &AxisColumns) {
        self.customers += panel.ids.len() as u64;
        self.add_lines(&panel.lines);
        self.findings.take(panel);
        self.span = union(self.span, panel.span);
        for (date, slices) in self.distributions.iter_mut().enumerate() {
            for axis in Axis::ALL {
                add_axis(slices, panel, date, axis, columns);
            }
            if let Some(revenue) = columns.revenue {
                add_revenue(slices, panel, date, columns.axes[Axis::Frequency as usize], revenue);
            }
        }
    }

    /// Spills the distributions if they hold more than `most` bytes and there is a place to spill to.
    pub(super) fn spill_above(&mut self, memory: &MemoryPool, most: u64) -> Result<()> {
        let Some(spill) = memory.spill() else { return Ok(()) };
        if self.all_distributions().map(|d| d.memory_bytes()).sum::<u64>() > most {
            self.all_distributions().try_for_each(|d| d.spill(spill))?;
        }
        Ok(())
    }

    fn all_distributions(&mut self) -> impl Iterator<Item = &mut SpillableDistribution> {
        self.distributions.iter_mut().flatten().flat_map(SliceDistributions::iter_mut)
    }
}

/// The period that holds both.
fn union(a: Option<(Day, Day)>, b: Option<(Day, Day)>) -> Option<(Day, Day)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (one, other) => one.or(other),
    }
}

/// Adds the values of an axis at a date.
fn add_axis(slices: &mut [SliceDistributions], panel: &BucketPanel, date: usize, axis: Axis, columns: &AxisColumns) {
    let at = axis as usize;
    let values = &panel.columns[columns.axes[at]];
    let cells = panel.cells(date);
    // Most jobs have one slice, score every customer and need no ids: no test per cell.
    if let [slice] = &mut *slices
        && columns.filter.admits_all()
        && !columns.ntile[at]
    {
        slice.axes[at].extend(values, cells.clone(), &panel.listed[cells]);
        return;
    }
    for (customer, cell) in cells.enumerate() {
        if !panel.listed[cell] || !columns.filter.admits(&panel.columns, cell) {
            continue;
        }
        let Some(value) = values.get(cell) else { continue };
        let slice = &mut slices[panel.slice(customer) as usize];
        slice.axes[at].push(value);
        if columns.ntile[at] {
            let value = if axis.is_reversed() { -value } else { value };
            slice.ranked[at].push((value, CustomerId::of(&panel.ids, customer)));
        }
    }
}

/// Adds the revenue of customers who bought in the lookback.
fn add_revenue(slices: &mut [SliceDistributions], panel: &BucketPanel, date: usize, frequency: usize, revenue: usize) {
    let (cells, revenue) = (panel.cells(date), &panel.columns[revenue]);
    let mut bought = panel.listed[cells.clone()].to_vec();
    panel.columns[frequency].keep_positive(cells.clone(), &mut bought);
    if let [slice] = &mut *slices {
        slice.revenue.extend(revenue, cells, &bought);
        return;
    }
    for (customer, cell) in cells.enumerate().filter(|(customer, _)| bought[*customer]) {
        slices[panel.slice(customer) as usize].revenue.push(revenue.get(cell).unwrap_or(0));
    }
}

/// Which columns of a panel the first pass reads, and which customers it scores.
struct AxisColumns {
    axes: [usize; 3],
    ntile: [bool; 3],
    filter: ScoringFilter,
    /// Revenue, if the table of its concentration is written.
    revenue: Option<usize>,
    /// The days of which the second pass needs histories.
    kept_history_days: Vec<Day>,
}

impl AxisColumns {
    /// For panels whose columns hold these measures.
    fn new(job: &Job, plan: &Plan, measures: &[Measure]) -> AxisColumns {
        let column = |of_plan: usize| measures.iter().position(|m| *m == plan.fold.measures[of_plan]).unwrap_or(0);
        AxisColumns {
            axes: plan.axes.map(column),
            ntile: Axis::ALL.map(|a| job.score.axes[a as usize].method == Method::Ntile),
            filter: ScoringFilter::new(job, plan, measures),
            revenue: concentrated(job, plan).map(column),
            kept_history_days: plan.fold.kept_history_days.clone(),
        }
    }
}

/// The measure whose concentration a table shows, by its index in the fold.
fn concentrated(job: &Job, plan: &Plan) -> Option<usize> {
    plan.revenue.filter(|_| job.writes(TableName::Concentration))
}

/// The work of the first pass, which threads share bucket by bucket.
struct Pass<'a> {
    stage: Stage<'a>,
    buckets: &'a BucketCache,
    /// The buckets that are folded.
    range: Range<usize>,
    /// All measures, for panels that are cached.
    all: (&'a FoldSpec, AxisColumns),
    /// The measures that scoring needs, for panels that are dropped.
    needed: (FoldSpec, AxisColumns),
    growth: Growth<'a>,
    /// Shared by all threads: each would hold as many customers as all of them together.
    sample: Mutex<CustomerSample>,
    /// The next bucket.
    next: AtomicUsize,
    /// The first bucket with an error so far.
    failed: AtomicUsize,
    done: AtomicU64,
}

impl<'a> Pass<'a> {
    /// # Errors
    /// Exit 7 if the distributions of all slices and dates do not fit into memory, even empty.
    fn new(stage: Stage<'a>, buckets: &'a BucketCache, range: Range<usize>) -> Result<Pass<'a>> {
        let (job, plan) = (stage.job, &stage.prepared.plan);
        let (slices, dates) = (buckets.codes().scored_groups(), job.dates.len());
        let empty = (slices * dates * size_of::<SliceDistributions>() * rayon::current_num_threads()) as u64;
        stage
            .memory
            .check_room(empty, || format!("what is counted in each of {slices} slices at each of {dates} as-of dates"))?;
        let mut measures: Vec<Measure> = plan.axes.iter().map(|a| plan.fold.measures[*a]).collect();
        measures.extend(plan.only.iter().map(|(measure, _)| *measure));
        measures.extend(concentrated(job, plan).map(|revenue| plan.fold.measures[revenue]));
        let needed = plan.fold.only(measures);
        let columns = AxisColumns::new(job, plan, &needed.measures);
        Ok(Pass {
            stage,
            buckets,
            growth: stage.memory.growth(),
            all: (&plan.fold, AxisColumns::new(job, plan, &plan.fold.measures)),
            needed: (needed, columns),
            sample: Mutex::new(CustomerSample::new(slices, (SAMPLED_CUSTOMERS / slices.max(1)).max(LEAST_SAMPLED))),
            next: AtomicUsize::new(range.start),
            range,
            failed: AtomicUsize::new(usize::MAX),
            done: AtomicU64::new(0),
        })
    }

    /// Files whose lines are counted.
    fn files(&self) -> usize {
        if self.all.0.lines { self.buckets.codes().files } else { 0 }
    }

    /// What no bucket holds.
    fn nothing(&self) -> FirstPass {
        FirstPass::new(self.stage.job.dates.len(), self.buckets.codes().scored_groups(), self.files())
    }

    /// Folds the large buckets, one after the other and beside no other; `None` if there are none before a failed bucket.
    fn run_large(&self) -> Option<std::result::Result<FirstPass, (usize, Error)>> {
        let before = self.range.end.min(self.failed.load(Ordering::Relaxed));
        let large: Vec<usize> = (self.range.start..before).filter(|number| self.buckets.is_large(*number)).collect();
        let fold = |mut found: FirstPass, number: usize| {
            self.fold_bucket(number, &mut bucket::Records::default(), &mut found).map_err(|error| (number, error))?;
            self.stage.progress.advance(1);
            Ok(found)
        };
        (!large.is_empty()).then(|| large.into_iter().try_fold(self.nothing(), fold))
    }

    /// Folds bucket after bucket until none is left but large ones, or gives the error of one with its number.
    fn run(&self) -> std::result::Result<FirstPass, (usize, Error)> {
        let mut found = self.nothing();
        let mut unpacked = bucket::Records::default();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            // Buckets before a failed one are still folded, so that the first error is always the same one.
            if number >= self.range.end || number > self.failed.load(Ordering::Relaxed) {
                return Ok(found);
            }
            if self.buckets.is_large(number) {
                continue;
            }
            self.fold_bucket(number, &mut unpacked, &mut found).map_err(|error| {
                self.failed.fetch_min(number, Ordering::Relaxed);
                (number, error)
            })?;
            self.stage.progress.advance(1);
        }
    }

    /// Samples the customers of a panel, which then forgets what the second pass does not need of them.
    fn sample(&self, panel: &mut BucketPanel, columns: &AxisColumns) {
        if !panel.purchased.is_empty() {
            let mut sample = self.sample.lock().unwrap_or_else(PoisonError::into_inner);
            sample.add(&panel.ids, &panel.purchased, |customer| panel.slice(customer));
            panel.purchased.keep_days(&columns.kept_history_days);
        }
    }

    fn fold_bucket(&self, number: usize, unpacked: &mut bucket::Records, found: &mut FirstPass) -> Result<()> {
        let memory = self.stage.memory;
        let is_kept = self.buckets.has_capacity();
        let (spec, columns) = if is_kept { (self.all.0, &self.all.1) } else { (&self.needed.0, &self.needed.1) };
        let mut panel = self.buckets.fold_one(number, spec, unpacked)?;
        self.sample(&mut panel, columns);
        found.add(&mut panel, columns);
        if is_kept {
            self.buckets.insert(number, panel);
        }
        found.spill_above(memory, memory.capacity_per_thread(Consumer::AxisValues))?;
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let buckets = self.range.len() as u64;
        // Ids are sorted, which takes as much memory again.
        match self.all.1.ntile.contains(&true) {
            true => self.growth.check("Everybody's id, which method = \"ntile\" compares,", done, 2 * buckets),
            false => self.growth.check("What is counted per slice and as-of date", done, buckets),
        }
    }
}
