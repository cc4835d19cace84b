//! Strategies: who was [`assigned`], what each of them did ([`walk`], beside the customers of a part), the exact sums of
//! that ([`desk`], [`tally`]), and the tables that evaluation makes of them.
//!
//! Assignments are read once, before the orders, and laid out by the parts that will meet their customers. A part walks its
//! assigned customers in the order of their ids, as many at a time as the caches hold ([`runs`]), and each strategy takes its own
//! of them ([`course`]), but for those whom [`rivals`] have: list by list (a list is a period of a strategy) their numbers, which
//! are differences in a [`timeline`], become columns ([`members`], [`crowd`], [`column`]), and these are added, customers with the
//! same key together ([`bundles`]), to sums under numbered keys ([`store`], [`growing`]). Names come in when all parts are done ([`arms`]).

mod account;
mod arms;
pub mod assigned;
pub mod batches;
mod bundles;
mod column;
mod course;
mod crowd;
mod desk;
mod growing;
mod members;
mod rivals;
mod runs;
pub mod seen;
mod settings;
mod store;
pub mod study;
mod tally;
mod timeline;
mod values;
mod walk;
mod winsorised;

use assigned::Assigned;
use seen::Seen;
use study::{List, Study};
use tally::Sizes;
pub use tally::Tally;

use super::Plan;
use super::part::PartCustomers;
use crate::domain::Day;
use crate::error::Result;
use crate::evaluate::{ArmSums, Evaluation, evaluate};
use crate::job::Job;
use crate::measure::BucketPanel;

/// The strategies of a job with their assignments, ready to be summed.
pub struct Evaluated<'a> {
    pub assigned: &'a [Assigned],
    pub studies: Vec<Study<'a>>,
    /// The periods of all strategies, strategy by strategy.
    pub lists: Vec<List>,
    /// The day of the first order.
    first_order: Option<Day>,
    /// By strategy.
    sizes: Vec<Sizes>,
    /// By scheme and state: the step of the ladder, if the state has one.
    ladders: Vec<Vec<Option<usize>>>,
}

impl<'a> Evaluated<'a> {
    /// Joins the job's strategies with what is known of their assignments and orders.
    ///
    /// # Errors
    /// Exit 2 or 3 where a setting does not fit the data.
    pub fn new(
        job: &'a Job,
        plan: &Plan,
        assigned: &'a [Assigned],
        slices: &[String],
        first_order: Option<Day>,
    ) -> Result<Evaluated<'a>> {
        let (studies, lists) = study::studies(job, plan, assigned, slices, first_order)?;
        let ladder = |column: &super::plan::SchemeColumn| {
            let states = 0..column.scheme.states.len() + 2;
            states.map(|state| column.scheme.ladder.iter().position(|s| *s == state)).collect()
        };
        Ok(Evaluated {
            assigned,
            first_order,
            sizes: studies.iter().map(Sizes::of).collect(),
            ladders: plan.schemes.iter().map(ladder).collect(),
            studies,
            lists,
        })
    }

    /// Sums what the assigned customers of a part did.
    ///
    /// # Errors
    /// Exit 3 where an order lacks the cost that a margin needs, or money overflows.
    pub fn tally(&self, part: usize, panels: &[BucketPanel], customers: &PartCustomers, seen: &Seen) -> Result<Tally> {
        walk::Walk::new(self, part, panels, customers, seen).tally()
    }

    /// Joins what the parts have summed and evaluates it. The sentences are worth reading.
    ///
    /// # Errors
    /// Exit 3 if a sum leaves its digits.
    pub fn evaluate(
        &self,
        job: &Job,
        plan: &Plan,
        parts: impl Iterator<Item = Tally>,
    ) -> Result<(ArmSums, Evaluation, Vec<String>)> {
        let mut all = Tally::new(&self.studies, &self.lists, &self.sizes);
        parts.for_each(|own| all.merge(own));
        let warnings = account::warnings(self, &all, job.last());
        let arms = arms::arms(self, all, &plan.schemes)?;
        let evaluation = evaluate(&settings::settings(job, self), &arms)?;
        Ok((arms, evaluation, warnings))
    }
}
