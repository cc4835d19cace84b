//! Aggregates the outcomes of assigned customers into exact sums per arm, part by part, and hands them to `evaluate`.
//!
//! Assignments are read before the orders ([`exposure::load`]) and divided into the parts that will have their customers. Then a
//! [`plan`] says what is summed of each strategy. While a part is processed, its [`outcomes::Snapshots`] record states and
//! covariates; after that, [`part_pass`] goes through the assigned customers of the part in batches. Each strategy selects its
//! members and drops customers excluded by its overlap policy ([`pass`], [`exposure`]), computes a column per summed quantity
//! ([`outcomes`]), and adds the columns to sums under group keys ([`strategy_sums`]). When all parts are done, their
//! [`PartialSums`] are merged, and [`arm_rows`] replaces the keys by names. Strategies of design threshold have no assignments:
//! [`threshold`] collects the customers near their cuts. Where clusters of customers were drawn, [`units`] makes
//! one unit of each before that.

mod arm_rows;
mod assigned_on;
mod cells;
pub mod exposure;
mod groups;
mod kept_arms;
mod layout;
mod outcomes;
mod part_pass;
mod partial_sums;
mod pass;
mod plan;
mod quantity;
mod settings;
mod strategy_sums;
mod threshold;
mod units;
mod whole;
mod winsorise;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::Warning;
use crate::error::Result;
use crate::evaluate::{ArmSums, Evaluation, STEPS_OF_PERIOD, evaluate_checked};
use crate::job::Job;
use crate::measure::BucketPanel;
use crate::memory::MemoryPool;
use crate::part::PartCustomers;
use crate::plan::SchemeColumn;
use exposure::warnings::warnings;
pub use groups::GroupNames;
pub use outcomes::{SideTables, Snapshots};
use part_pass::PartPass;
pub use partial_sums::PartialSums;
pub use plan::{ExperimentPlan, FirstDays};
pub use settings::digits;

impl ExperimentPlan<'_> {
    /// Adds to sums what the assigned customers of a part did.
    ///
    /// # Errors
    /// Exit 3 where an order lacks the cost that a margin needs, or money overflows.
    pub fn sum_part(
        &self,
        part: usize,
        panels: &[BucketPanel],
        side: SideTables<'_>,
        customers: &PartCustomers,
        snapshots: &Snapshots,
        sums: &mut PartialSums,
    ) -> Result<()> {
        PartPass { plan: self, part, panels, side, customers, snapshots }.run(sums)
    }

    /// Merges the sums of all parts and evaluates them.
    ///
    /// # Errors
    /// Exit 3 if a sum leaves its digits; exit 7 if the sums by arm, or what follows from them, do not fit into memory.
    pub fn evaluate(
        &self,
        job: &Job,
        schemes: &[SchemeColumn],
        parts: impl Iterator<Item = PartialSums>,
        memory: &MemoryPool,
    ) -> Result<(ArmSums, Evaluation, Vec<Warning>)> {
        let growth = memory.growth();
        let mut parts = parts;
        let mut all = parts.next().unwrap_or_else(|| PartialSums::new(self));
        parts.for_each(|part| all.merge(part));
        let warnings = warnings(self, &all.exclusions, job.last());
        let settings = settings::settings(job, self, &all.exclusions);
        // Sums by arm take about as much as all that follows from them.
        let (done, steps) = (AtomicU64::new(0), 2 * (STEPS_OF_PERIOD * self.periods.len()) as u64);
        let advance = |more: usize| {
            let done = done.fetch_add(more as u64, Ordering::Relaxed) + more as u64;
            growth.check("What is summed and estimated of strategies", done, steps)
        };
        let cuts = threshold::cut_periods(job, &self.thresholds, std::mem::take(&mut all.cuts));
        let arms = arm_rows::arm_rows(self, all, schemes, &|periods| advance(STEPS_OF_PERIOD * periods))?;
        let evaluation = evaluate_checked(&settings, &arms, &cuts, &advance)?;
        Ok((arms, evaluation, warnings))
    }
}
