//! Aggregates the outcomes of assigned customers into exact sums per arm, part by part, and hands them to `evaluate`.
//!
//! Assignments are read once, before the orders, and laid out by the parts that will meet their customers. A part walks its
//! assigned customers in the order of their ids, as many at a time as the caches hold ([`exposure::cursor`]), and each strategy takes its own
//! of them ([`pass`]), but for those whom [`exposure::overlap`] have: list by list (a list is a period of a strategy) their numbers, which
//! are differences in cumulative activity, become columns ([`outcomes::members`], [`member_batch`]), and these are added, customers with the
//! same key together, to exact sums by group ([`accumulator`], [`crate::sums`]). Names come in when all parts are done ([`arm_rows`]).

mod accumulator;
mod arm_rows;
pub mod exposure;
mod layout;
mod member_batch;
pub mod outcomes;
mod part_pass;
mod partial_sums;
mod pass;
mod plan;
mod settings;
mod strategy_sums;
mod winsorise;

use exposure::load::StrategyAssignments;
use layout::SumLayout;
use outcomes::snapshots::Snapshots;
pub use partial_sums::PartialSums;
use plan::{PeriodPlan, StrategyPlan};

use crate::domain::Day;
use crate::error::Result;
use crate::evaluate::{ArmSums, Evaluation, evaluate};
use crate::job::Job;
use crate::measure::BucketPanel;
use crate::part::PartCustomers;
use crate::plan::Plan;

/// The strategies of a job with their assignments, ready to be summed.
pub struct Experiments<'a> {
    pub assigned: &'a [StrategyAssignments],
    pub studies: Vec<StrategyPlan<'a>>,
    /// The periods of all strategies, strategy by strategy.
    pub lists: Vec<PeriodPlan>,
    /// The day of the first order.
    first_order: Option<Day>,
    /// By strategy.
    layouts: Vec<SumLayout>,
    /// By scheme and state: the step of the ladder, if the state has one.
    ladders: Vec<Vec<Option<usize>>>,
}

impl<'a> Experiments<'a> {
    /// Joins the job's strategies with what is known of their assignments and orders.
    ///
    /// # Errors
    /// Exit 2 or 3 where a setting does not fit the data.
    pub fn new(
        job: &'a Job,
        plan: &Plan,
        assigned: &'a [StrategyAssignments],
        slices: &[String],
        first_order: Option<Day>,
    ) -> Result<Experiments<'a>> {
        let (studies, lists) = plan::studies(job, plan, assigned, slices, first_order)?;
        let ladder = |column: &crate::plan::SchemeColumn| {
            let states = 0..column.scheme.states.len() + 2;
            states.map(|state| column.scheme.ladder.iter().position(|s| *s == state)).collect()
        };
        Ok(Experiments {
            assigned,
            first_order,
            layouts: studies.iter().map(SumLayout::of).collect(),
            ladders: plan.schemes.iter().map(ladder).collect(),
            studies,
            lists,
        })
    }

    /// The dates before the periods that end on a date, where an outcome compares the states then and now.
    fn rescored_at(&self, date: usize) -> impl Iterator<Item = usize> {
        let ends = self.lists.iter().filter(move |list| list.end == Some(date) && self.studies[list.study].has_moves());
        ends.filter_map(|list| list.before)
    }

    /// By date: the earlier dates under whose cut points its states are needed, too.
    pub fn rescored_from(&self, dates: usize) -> Vec<Vec<usize>> {
        (0..dates).map(|date| self.rescored_at(date).collect()).collect()
    }

    /// Sums what the assigned customers of a part did.
    ///
    /// # Errors
    /// Exit 3 where an order lacks the cost that a margin needs, or money overflows.
    pub fn sum_part(
        &self,
        part: usize,
        panels: &[BucketPanel],
        customers: &PartCustomers,
        seen: &Snapshots,
    ) -> Result<PartialSums> {
        part_pass::PartPass::new(self, part, panels, customers, seen).sum()
    }

    /// Joins what the parts have summed and evaluates it. The sentences are worth reading.
    ///
    /// # Errors
    /// Exit 3 if a sum leaves its digits.
    pub fn evaluate(
        &self,
        job: &Job,
        plan: &Plan,
        parts: impl Iterator<Item = PartialSums>,
    ) -> Result<(ArmSums, Evaluation, Vec<String>)> {
        let mut all = PartialSums::new(&self.studies, &self.lists, &self.layouts);
        parts.for_each(|own| all.merge(own));
        let warnings = exposure::warnings::warnings(self, &all, job.last());
        let arms = arm_rows::arms(self, all, &plan.schemes)?;
        let evaluation = evaluate(&settings::settings(job, self), &arms)?;
        Ok((arms, evaluation, warnings))
    }
}
