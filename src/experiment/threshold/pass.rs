//! What the customers of a part near a cut did.

use super::plan::{ThresholdPeriod, ThresholdPlan};
use super::recorded::Inside;
use super::sample::{CutSample, MOST_OUTCOMES, NearCustomer};
use crate::activity::{Activity, OrderHistory};
use crate::domain::{CustomerIdRef, CustomerIds, Period};
use crate::error::Result;
use crate::experiment::exposure::load::PartAssignments;
use crate::experiment::outcomes::{OutcomeError, history, outcome_value};
use crate::hash::HashDraw;
use crate::measure::BucketPanel;
use crate::part::PartCustomers;

/// A part, given by its number.
#[derive(Clone, Copy)]
pub struct CutPart<'a> {
    pub number: usize,
    pub panels: &'a [BucketPanel],
    pub customers: &'a PartCustomers,
}

impl ThresholdPlan<'_> {
    /// Adds the customers of a part who were inside the window of a period.
    ///
    /// # Errors
    /// Exit 3 where an order lacks the cost that a margin needs, or money overflows.
    pub fn sum_part(&self, period: usize, part: CutPart<'_>, inside: &[Inside], sample: &mut CutSample) -> Result<()> {
        let own = &self.periods[period];
        let slice = part.customers.groups.slice(self.slice);
        let draw = HashDraw::new(&self.threshold.name);
        let mut treated = self.treated.map(|table| Treated::new(&table.parts[part.number], period));
        for (customer, running) in inside.iter().filter(|(customer, _)| slice.contains(&(*customer as usize))) {
            let index = *customer as usize;
            let values = match history(part.panels, part.customers, index) {
                Some(history) => self.values(own, &history).map_err(|error| error.explain(&self.threshold.name))?,
                None => [[0; 2]; MOST_OUTCOMES],
            };
            let is_treated = treated.as_mut().is_some_and(|treated| treated.has(CustomerIdRef::of(&part.customers.ids, index)));
            let draw = draw_value(&draw, &part.customers.ids, index);
            sample.add(NearCustomer { draw, running: *running, is_treated, values });
        }
        Ok(())
    }

    /// The outcomes of a customer, in the days that count and in those of the placebo.
    fn values(
        &self,
        period: &ThresholdPeriod,
        history: &OrderHistory<'_>,
    ) -> std::result::Result<[[i64; 2]; MOST_OUTCOMES], OutcomeError> {
        let windows = [period.outcomes, period.placebo].map(|window| activity_in(history, window));
        let mut values = [[0; 2]; MOST_OUTCOMES];
        for (kind, value) in self.outcomes.iter().zip(&mut values) {
            let [now, before] = &windows;
            *value = [outcome_value(*kind, now)?, outcome_value(*kind, before)?];
        }
        Ok(values)
    }
}

/// What a customer did in a window.
fn activity_in(history: &OrderHistory<'_>, window: Period) -> Activity {
    let mut sum = Activity::default();
    for (_, order) in history.orders().filter(|(date, _)| (window.start.0..window.end.0).contains(date)) {
        // The histories have checked that the sums of all orders fit.
        sum.purchases = sum.purchases.saturating_add(order.purchases);
        sum.money = sum.money.saturating_add(order.money);
        sum.cost = sum.cost.saturating_add(order.cost);
        sum.cost_missing = sum.cost_missing.saturating_add(order.cost_missing);
    }
    sum
}

/// The draw value of a customer of the part.
fn draw_value(draw: &HashDraw, ids: &CustomerIds, index: usize) -> u64 {
    match ids {
        CustomerIds::Int(keys) => draw.value(&keys[index].to_be_bytes()),
        CustomerIds::Text(texts) => draw.value(texts.get(index)),
    }
}

/// The customers that a table of who was treated has in a period, looked up in ascending order.
struct Treated<'a> {
    part: &'a PartAssignments,
    /// Rows by customer, those of one arm and those of several.
    rows: [Vec<u32>; 2],
    next: [usize; 2],
}

impl<'a> Treated<'a> {
    fn new(part: &'a PartAssignments, period: usize) -> Treated<'a> {
        let rows = &part.periods.periods[period];
        Treated { part, rows: [rows.rows.iter().collect(), rows.in_several_arms.clone()], next: [0; 2] }
    }

    /// Whether it has a customer, who comes after those before.
    fn has(&mut self, customer: CustomerIdRef<'_>) -> bool {
        let ids = &self.part.table.ids;
        let mut is_there = false;
        for (rows, next) in self.rows.iter().zip(&mut self.next) {
            while rows.get(*next).is_some_and(|row| ids.id(*row as usize) < customer) {
                *next += 1;
            }
            is_there |= rows.get(*next).is_some_and(|row| ids.id(*row as usize) == customer);
        }
        is_there
    }
}
