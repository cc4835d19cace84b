//! Aggregates the outcomes of assigned customers into exact sums per arm, part by part, and hands them to `evaluate`.
//!
//! Assignments are read before the orders ([`exposure::load`]) and divided into the parts that will have their customers. Then a
//! [`plan`] says what is summed of each strategy. While a part is processed, its [`outcomes::Snapshots`] record states and
//! covariates; after that, [`part_pass`] goes through the assigned customers of the part in batches. Each strategy selects its
//! members and drops customers excluded by its overlap policy ([`pass`], [`exposure`]), computes a column per summed quantity
//! ([`outcomes`]), and adds the columns to sums under group keys ([`strategy_sums`]). When all parts are done, their
//! [`PartialSums`] are merged, and [`arm_rows`] replaces the keys by names. Where clusters of customers were drawn, [`units`] makes
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
mod units;
mod whole;
mod winsorise;

use crate::domain::Warning;
use crate::error::Result;
use crate::evaluate::{ArmSums, Evaluation, evaluate};
use crate::job::Job;
use crate::measure::BucketPanel;
use crate::part::PartCustomers;
use crate::plan::SchemeColumn;
use exposure::warnings::warnings;
pub use groups::GroupNames;
pub use outcomes::{SideTables, Snapshots};
use part_pass::PartPass;
pub use partial_sums::PartialSums;
pub use plan::{ExperimentPlan, FirstDays};

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
    /// Exit 3 if a sum leaves its digits.
    pub fn evaluate(
        &self,
        job: &Job,
        schemes: &[SchemeColumn],
        parts: impl Iterator<Item = PartialSums>,
    ) -> Result<(ArmSums, Evaluation, Vec<Warning>)> {
        let mut all = PartialSums::new(self);
        parts.for_each(|part| all.merge(part));
        let warnings = warnings(self, &all.exclusions, job.last());
        let settings = settings::settings(job, self, &all.exclusions);
        let arms = arm_rows::arm_rows(self, all, schemes)?;
        let evaluation = evaluate(&settings, &arms)?;
        Ok((arms, evaluation, warnings))
    }
}
