//! States and covariates of a part's customers at the dates that strategies need, indexed by customer.

use std::collections::BTreeMap;

use crate::domain::{CompactInts, Design, Measure};
use crate::experiment::plan::{COVARIATES, ExperimentPlan};
use crate::experiment::threshold::QualificationDays;
use crate::measure::{Column, NULL_LONG, widened};
use crate::movement::states_by_customer;
use crate::part::{CustomerRows, DateRows};
use crate::sums::Tuples;

/// States by scheme and customer.
pub type States = Vec<Vec<u16>>;

/// The covariates of all customers at a date.
pub struct Covariates {
    /// By covariate and customer, in the order of [`COVARIATES`]; 0 for a customer who is not listed.
    pub values: [Tuples<1>; COVARIATES.len()],
    /// By customer: whether the first covariate, the days since the last order, is known.
    pub has_ordered: Vec<bool>,
}

/// What is known of all customers of a part at the dates that strategies need.
#[derive(Default)]
pub struct Snapshots {
    /// By date.
    states: BTreeMap<usize, States>,
    /// By date.
    covariates: BTreeMap<usize, Covariates>,
    /// By the date before a period and the date of its last day: the states at the last under the cut points of the first.
    rescored: BTreeMap<(usize, usize), States>,
    /// Who was near the cuts of strategies of design threshold.
    pub near_cuts: QualificationDays,
}

impl Snapshots {
    /// Records a date; `measures` are those of the rows' columns, `customers` is the number of the part's customers.
    pub fn record(&mut self, plan: &ExperimentPlan<'_>, measures: &[Measure], customers: usize, date: &DateRows) {
        self.near_cuts.record(&plan.thresholds, date);
        let by_customer = |states: &States| states_by_customer(customers, &date.rows.customers, states);
        let before = || plan.periods.iter().filter(|period| period.before == Some(date.date));
        if before().next().is_some() || plan.periods.iter().any(|period| period.earlier == Some(date.date)) {
            self.states.insert(date.date, by_customer(&date.states));
        }
        if before().any(|period| plan.strategies[period.strategy].strategy.design != Design::BeforeAfter) {
            self.covariates.insert(date.date, Covariates::new(measures, customers, &date.rows));
        }
        for before in plan.rescored_at(date.date) {
            if let Some((_, states)) = date.rescored.iter().find(|(from, _)| *from == before) {
                self.rescored.insert((before, date.date), by_customer(states));
            }
        }
    }

    /// The states at a date.
    pub fn states(&self, date: usize) -> Option<&States> {
        self.states.get(&date)
    }

    /// The covariates at a date.
    pub fn covariates(&self, date: usize) -> Option<&Covariates> {
        self.covariates.get(&date)
    }

    /// The states at the last day of a period under the cut points of the date before it.
    pub fn rescored_states(&self, before: usize, end: usize) -> Option<&States> {
        self.rescored.get(&(before, end))
    }
}

impl Covariates {
    fn new(measures: &[Measure], customers: usize, rows: &CustomerRows) -> Covariates {
        let columns = COVARIATES.map(|kind| {
            let index = measures.iter().position(|measure| *measure == Measure::plain(kind));
            index.map(|index| &rows.columns[index])
        });
        let mut has_ordered = vec![false; customers];
        for (row, customer) in rows.customers.iter().enumerate() {
            has_ordered[*customer as usize] = columns[0].is_some_and(|days| days.get(row).is_some());
        }
        Covariates { values: columns.map(|column| values_by_customer(customers, &rows.customers, column)), has_ordered }
    }
}

/// The values of a column by customer, for the customers of its rows; 0 without a value.
fn values_by_customer(count: usize, customers: &[u32], column: Option<&Column>) -> Tuples<1> {
    fn scatter(count: usize, customers: &[u32], values: impl Iterator<Item = i64> + Clone) -> Tuples<1> {
        let known = customers.iter().zip(values).filter(|(_, value)| *value != NULL_LONG);
        CompactInts::scatter(count, [0], known.map(|(customer, value)| (*customer as usize, [value])))
    }
    match column {
        Some(Column::Int(values)) => scatter(count, customers, values.iter().map(|value| widened(*value))),
        Some(Column::Long(values)) => scatter(count, customers, values.iter().copied()),
        Some(Column::Ratio(_) | Column::Double(_)) | None => scatter(count, customers, std::iter::empty()),
    }
}
