//! What a part sees of its customers on the days that strategies look at: states and measures, by place.

use std::collections::BTreeMap;

use crate::domain::{CompactInts, Design, Measure};
use crate::engine::experiment::Experiments;
use crate::engine::experiment::plan::COVARIATES;
use crate::measure::{Column, NULL_LONG, widened};
use crate::movement::states_by_customer;
use crate::part::{CustomerRows, DateRows};
use crate::sums::Tuples;

/// What customers are told apart by before a period, by place.
pub struct Covariates {
    /// In the order of [`COVARIATES`]; 0 of who is not listed.
    pub numbers: [Tuples<1>; COVARIATES.len()],
    /// Whether the first, the days since the last order, is known.
    pub has_ordered: Vec<bool>,
}

impl Covariates {
    fn of(measures: &[Measure], customers: usize, rows: &CustomerRows) -> Covariates {
        let column = |kind| {
            let at = measures.iter().position(|m| *m == Measure::plain(kind));
            at.map(|at| &rows.columns[at])
        };
        let columns = COVARIATES.map(column);
        let mut has_ordered = vec![false; customers];
        for (row, place) in rows.customers.iter().enumerate() {
            has_ordered[*place as usize] = columns[0].is_some_and(|days| days.get(row).is_some());
        }
        Covariates { numbers: columns.map(|column| at_places(customers, &rows.customers, column)), has_ordered }
    }
}

/// The numbers of a column by the places of its rows, of which there are so many; 0 where there is none.
fn at_places(count: usize, places: &[u32], column: Option<&Column>) -> Tuples<1> {
    fn spread(count: usize, places: &[u32], numbers: impl Iterator<Item = i64> + Clone) -> Tuples<1> {
        let known = places.iter().zip(numbers).filter(|(_, number)| *number != NULL_LONG);
        CompactInts::scatter(count, [0], known.map(|(place, number)| (*place as usize, [number])))
    }
    match column {
        Some(Column::Int(numbers)) => spread(count, places, numbers.iter().map(|number| widened(*number))),
        Some(Column::Long(numbers)) => spread(count, places, numbers.iter().copied()),
        Some(Column::Ratio(_) | Column::Double(_)) | None => spread(count, places, std::iter::empty()),
    }
}

/// Days that strategies look at, with what is known of everybody.
#[derive(Default)]
pub struct Snapshots {
    /// By date: states by scheme and place; [`ABSENT`] for who is not listed.
    states: BTreeMap<usize, Vec<Vec<u16>>>,
    /// By date.
    covariates: BTreeMap<usize, Covariates>,
    /// By the day before a period and its last day: the states on the last day under the cut points of the day before, by
    /// scheme and place.
    moved: BTreeMap<(usize, usize), Vec<Vec<u16>>>,
}

impl Snapshots {
    /// Records a date; `measures` are those of the rows' columns, `customers` is the number of the part's customers.
    pub fn record(&mut self, strategies: &Experiments<'_>, measures: &[Measure], customers: usize, date: &DateRows) {
        let Experiments { studies, lists, .. } = strategies;
        let before = lists.iter().filter(|list| list.before == Some(date.date));
        if before.clone().next().is_some() {
            self.states.insert(date.date, states_by_customer(customers, &date.rows.customers, &date.states));
        }
        if before.clone().any(|list| studies[list.study].strategy.design != Design::BeforeAfter) {
            self.covariates.insert(date.date, Covariates::of(measures, customers, &date.rows));
        }
        for before in strategies.rescored_at(date.date) {
            if let Some((_, states)) = date.rescored.iter().find(|(from, _)| *from == before) {
                let by_customer = states_by_customer(customers, &date.rows.customers, states);
                self.moved.insert((before, date.date), by_customer);
            }
        }
    }

    /// The states of a date by scheme and place.
    pub fn states(&self, date: usize) -> Option<&[Vec<u16>]> {
        self.states.get(&date).map(Vec::as_slice)
    }

    /// The covariates of a date.
    pub fn covariates(&self, date: usize) -> Option<&Covariates> {
        self.covariates.get(&date)
    }

    /// The states on the last day of a period under the cut points of the day before it, by scheme and place.
    pub fn moved(&self, before: usize, end: usize) -> Option<&[Vec<u16>]> {
        self.moved.get(&(before, end)).map(Vec::as_slice)
    }
}
