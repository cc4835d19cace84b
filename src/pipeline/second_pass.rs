//! The second pass: processes customers part by part, several parts at once.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::engine::experiment::outcomes::snapshots::Snapshots;
use crate::engine::experiment::{Experiments, PartialSums};
use crate::error::{Error, Result};
use crate::measure::BucketCache;
use crate::memory::MemoryPool;
use crate::part::{Concurrency, Part, PartContext, PartCustomers, PartOutput};
use crate::progress::Progress;

/// What the second pass reads besides the context of its parts.
pub struct SecondPass<'a> {
    pub context: &'a PartContext<'a>,
    pub buckets: &'a BucketCache,
    /// Strategies to evaluate, if the job has any.
    pub strategies: Option<&'a Experiments<'a>>,
    pub concurrency: Concurrency,
    /// How many parts the buckets are divided into.
    pub parts: usize,
}

/// What the second pass gives.
#[derive(Default)]
pub struct SecondPassOutput {
    /// What all parts give.
    pub part: PartOutput,
    /// Sums of what assigned customers did, with the part's number, if the job has strategies.
    pub sums: Vec<(usize, PartialSums)>,
}

impl SecondPass<'_> {
    /// Processes all parts and merges what they give. The order in which parts are done does not affect the result.
    ///
    /// Each thread takes the next part when it is done with one. A thread that finds none left helps the others with the
    /// pieces of theirs.
    ///
    /// # Errors
    /// Those of the fold; exit 6 if a file cannot be written, exit 7 if the sums do not fit into memory.
    pub fn run(&self, memory: &MemoryPool, progress: &dyn Progress) -> Result<SecondPassOutput> {
        let (parts, buckets) = (self.parts, self.buckets.len());
        progress.begin("writing customers", parts as u64);
        let all = Mutex::new((SecondPassOutput::default(), 0));
        let run = |number: usize| {
            let (output, sums) = self.process_part(number, number * buckets / parts..(number + 1) * buckets / parts)?;
            let mut all = all.lock().map_err(|_| Error::bug("a thread stopped while it joined its part"))?;
            all.0.part.merge(output);
            all.0.sums.extend(sums.map(|sums| (number, sums)));
            all.1 += 1;
            progress.advance(1);
            memory.check_rss("What is summed of customers", all.1, parts as u64)
        };
        let next = AtomicUsize::new(0);
        let take = |thread: rayon::BroadcastContext<'_>| -> Result<()> {
            while thread.index() < self.concurrency.parts {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= parts {
                    break;
                }
                // After an error no further part is begun.
                run(number).inspect_err(|_| next.store(parts, Ordering::Relaxed))?;
            }
            Ok(())
        };
        rayon::broadcast(take).into_iter().collect::<Result<()>>()?;
        let (mut all, _) = all.into_inner().map_err(|_| Error::bug("a thread stopped while it joined its part"))?;
        all.part.finish();
        all.sums.sort_by_key(|(part, _)| *part);
        progress.end(&format!("{} rows", all.part.files.iter().map(|(_, file)| file.rows).sum::<u64>()));
        Ok(all)
    }

    /// Processes a part, date after date; `buckets` are the numbers of its buckets. If not all dates fit into memory at once,
    /// its customers are measured for some dates at a time.
    fn process_part(&self, number: usize, buckets: Range<usize>) -> Result<(PartOutput, Option<PartialSums>)> {
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
            if let Some(strategies) = self.strategies {
                snapshots.record(strategies, &spec.measures, customers.len(), &rows);
            }
        }
        let output = part.finish()?;
        let sums = self.strategies.map(|strategies| strategies.sum_part(number, &panels, &customers, &snapshots)).transpose()?;
        Ok((output, sums))
    }
}
