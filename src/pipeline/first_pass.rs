//! The first look at all buckets: what scoring must know of everybody before anybody can be scored.
//!
//! A bucket is folded for all measures, and its panel kept for the parts, if there is room for all panels; else it is folded
//! for the axes alone and forgotten again, so that memory does not grow with customers × dates without end.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::bucket::{BucketStore, Records};
use crate::domain::{CustomerId, Day, Measure};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::job::raw::{Method, TableName};
use crate::measure::{BucketCache, BucketPanel, CustomerData, LineCounts};
use crate::memory::{Consumer, MemoryPool};
use crate::plan::{Plan, ScoringFilter};
use crate::progress::Progress;
use crate::score::{Axis, SliceDistributions};

/// What the first look found.
pub struct Survey {
    /// By date and slice number.
    pub dates: Vec<Vec<SliceDistributions>>,
    /// Customers in all buckets.
    pub customers: u64,
    /// Fate of the lines per file, if the job has lines.
    pub lines: Vec<LineCounts>,
    /// First and last date of an order up to the last as-of date.
    pub span: Option<(Day, Day)>,
}

/// Where the survey finds its columns, and who counts.
struct Lens {
    axes: [usize; 3],
    ntile: [bool; 3],
    only: ScoringFilter,
    /// Frequency and revenue, if the concentration of revenue is asked for.
    revenue: Option<usize>,
}

impl Lens {
    /// For panels whose columns hold these measures.
    fn new(job: &Job, plan: &Plan, measures: &[Measure]) -> Lens {
        let column = |measure: Measure| measures.iter().position(|m| *m == measure).unwrap_or(0);
        Lens {
            axes: plan.axes.map(|a| column(plan.fold.measures[a])),
            ntile: Axis::ALL.map(|a| job.score.axes[a as usize].method == Method::Ntile),
            only: ScoringFilter::new(job, plan, measures),
            revenue: plan.revenue.filter(|_| job.writes(TableName::Concentration)).map(|r| column(plan.fold.measures[r])),
        }
    }
}

impl Survey {
    fn new(dates: usize, slices: usize, files: usize) -> Survey {
        Survey {
            dates: vec![vec![SliceDistributions::new(); slices]; dates],
            customers: 0,
            lines: vec![LineCounts::default(); files],
            span: None,
        }
    }

    fn add(&mut self, panel: &BucketPanel, lens: &Lens) {
        self.customers += panel.ids.len() as u64;
        for (all, own) in self.lines.iter_mut().zip(&panel.lines) {
            all.merge(own);
        }
        self.span = join(self.span, panel.span);
        for (date, by_slice) in self.dates.iter_mut().enumerate() {
            let cells = panel.cells(date);
            for axis in Axis::ALL {
                let at = axis as usize;
                let column = &panel.columns[lens.axes[at]];
                let is_plain = lens.only.admits_all() && !lens.ntile[at];
                match by_slice.as_mut_slice() {
                    // The shape of nearly every job, without a question per cell.
                    [only] if is_plain => only.axes[at].extend(column, cells.clone(), &panel.listed),
                    by_slice => {
                        for (customer, cell) in cells.clone().enumerate() {
                            if !panel.listed[cell] || !lens.only.admits(&panel.columns, cell) {
                                continue;
                            }
                            let Some(value) = column.get(cell) else { continue };
                            let slice = &mut by_slice[panel.slice(customer) as usize];
                            slice.axes[at].push(value);
                            if lens.ntile[at] {
                                let value = if axis.is_reversed() { -value } else { value };
                                slice.ranked[at].push((value, CustomerId::of(&panel.ids, customer)));
                            }
                        }
                    }
                }
            }
            if let Some(revenue) = lens.revenue {
                let frequency = &panel.columns[lens.axes[Axis::Frequency as usize]];
                for (customer, cell) in cells.enumerate() {
                    if panel.listed[cell] && frequency.get(cell).is_some_and(|f| f > 0) {
                        let slice = &mut by_slice[panel.slice(customer) as usize];
                        slice.revenue.push(panel.columns[revenue].get(cell).unwrap_or(0));
                    }
                }
            }
        }
    }

    /// Writes what was gathered away if it is more than a thread may hold.
    fn relieve(&mut self, memory: &MemoryPool, most: u64) -> Result<()> {
        let Some(spill) = memory.spill() else { return Ok(()) };
        let held: u64 = self.dates.iter_mut().flatten().flat_map(SliceDistributions::iter_mut).map(|d| d.memory_bytes()).sum();
        if held > most {
            for distribution in self.dates.iter_mut().flatten().flat_map(SliceDistributions::iter_mut) {
                distribution.spill(spill)?;
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Survey) {
        self.customers += other.customers;
        for (all, own) in self.lines.iter_mut().zip(&other.lines) {
            all.merge(own);
        }
        self.span = join(self.span, other.span);
        self.dates.par_iter_mut().zip(other.dates).for_each(|(all, own)| {
            for (all, own) in all.iter_mut().zip(own) {
                all.merge(own);
            }
        });
    }
}

fn join(a: Option<(Day, Day)>, b: Option<(Day, Day)>) -> Option<(Day, Day)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (one, other) => one.or(other),
    }
}

/// Folds every bucket once and looks at it.
///
/// # Errors
/// Exit 3 if money of a customer exceeds what the tables hold; exit 7 if the memory does not do. Of several errors the one of
/// the first bucket.
pub fn survey(
    job: &Job,
    plan: &Plan,
    orders: BucketStore,
    customer_data: CustomerData,
    memory: &MemoryPool,
    progress: &dyn Progress,
) -> Result<(Survey, BucketCache)> {
    progress.begin("measuring customers", orders.len() as u64);
    let panels = BucketCache::new(orders, customer_data, memory);
    let whole = Lens::new(job, plan, &plan.fold.measures);
    let axes = {
        let mut measures: Vec<Measure> = plan.axes.iter().map(|a| plan.fold.measures[*a]).collect();
        measures.extend(plan.only.iter().map(|(m, _)| *m));
        measures.extend(plan.revenue.filter(|_| job.writes(TableName::Concentration)).map(|r| plan.fold.measures[r]));
        plan.fold.only(measures)
    };
    let of_axes = Lens::new(job, plan, &axes.measures);
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    let files = if plan.fold.lines { plan.fold.files } else { 0 };
    let slices = plan.slices();
    let most = memory.capacity_per_thread(Consumer::AxisValues);
    // Ids are sorted, which takes as much again.
    let (what, all) = match whole.ntile.contains(&true) {
        true => ("Everybody's id, which method = \"ntile\" compares,", 2 * panels.len() as u64),
        false => ("What is counted per slice and as-of date", panels.len() as u64),
    };
    let done = AtomicU64::new(0);
    let looks = rayon::broadcast(|_| {
        let mut own = Survey::new(job.dates.len(), slices, files);
        let mut unpacked = Records::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            // Buckets before a failed one are still folded, so that the first error is always the same one.
            if number >= panels.len() || number > failed.load(Ordering::Relaxed) {
                return Ok(own);
            }
            let mut look = || {
                if panels.has_capacity() {
                    let panel = panels.fold_one(number, &plan.fold, &mut unpacked)?;
                    own.add(&panel, &whole);
                    panels.insert(number, panel);
                } else {
                    own.add(&panels.fold_one(number, &axes, &mut unpacked)?, &of_axes);
                }
                own.relieve(memory, most)?;
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                memory.check_rss(what, done, all)
            };
            if let Err(error) = look() {
                failed.fetch_min(number, Ordering::Relaxed);
                return Err((number, error));
            }
            progress.advance(1);
        }
    });
    let mut all: Option<Survey> = None;
    let mut errors: Vec<(usize, Error)> = Vec::new();
    for look in looks {
        match (look, &mut all) {
            (Ok(own), Some(all)) => all.merge(own),
            (Ok(own), None) => all = Some(own),
            (Err(error), _) => errors.push(error),
        }
    }
    if let Some((_, error)) = errors.into_iter().min_by_key(|(number, _)| *number) {
        return Err(error);
    }
    let mut all = all.ok_or_else(|| Error::bug("no thread looked at the buckets"))?;
    all.relieve(memory, memory.capacity(Consumer::Retained))?;
    progress.end(&format!("{} customers", all.customers));
    Ok((all, panels))
}
