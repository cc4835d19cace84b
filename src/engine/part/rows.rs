//! The listed customers of a part at one date, with their measures, scores and states, in the order of the files.

use std::convert::identity;
use std::ops::Range;

use super::customers::PartCustomers;
use super::{PartContext, panel_of};
use crate::domain::{CustomerId, Unit};
use crate::measure::{BucketPanel, Column, FoldSpec, widened};
use crate::scheme::Subject;
use crate::score::Axis;
use crate::score::DateScoring;

/// One row per listed customer.
pub struct CustomerRows {
    /// Index of the customer in the part.
    pub customers: Vec<u32>,
    /// One column per measure of the plan.
    pub columns: Vec<Column>,
    /// Per axis; 0 if unscored.
    pub scores: [Vec<u8>; 3],
    /// Slice numbers with their rows.
    pub slices: Vec<(u32, Range<usize>)>,
}

impl CustomerRows {
    /// Gathers the listed customers of a date.
    pub fn new(panels: &[BucketPanel], customers: &PartCustomers, date: usize, spec: &FoldSpec) -> CustomerRows {
        let mut listed = Vec::with_capacity(customers.len());
        panels.iter().for_each(|panel| listed.extend_from_slice(&panel.listed[panel.cells(date)]));
        let laid = customers.flat_offsets();
        let mut places = vec![0; customers.len()];
        let mut slices = Vec::with_capacity(customers.slices.len());
        let mut end = 0;
        for (slice, range) in &customers.slices {
            let first = end;
            // Every place is written, and the next one over it if its customer is not listed.
            for place in range.clone() {
                places[end] = place as u32;
                end += usize::from(listed[laid[place] as usize]);
            }
            if end > first {
                slices.push((*slice, first..end));
            }
        }
        places.truncate(end);
        let cells: Vec<u32> = places.iter().map(|place| laid[*place as usize]).collect();
        let columns = spec.measures.iter().enumerate().map(|(at, m)| gather(panels, (at, date), spec.unit(*m), &cells)).collect();
        CustomerRows { customers: places, columns, scores: Default::default(), slices }
    }

    /// The row of every place, where it has one.
    pub fn row_of_customer(&self, places: usize) -> Vec<Option<usize>> {
        let mut rows = vec![None; places];
        for (row, place) in self.customers.iter().enumerate() {
            rows[*place as usize] = Some(row);
        }
        rows
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.customers.len()
    }

    /// Whether nobody is listed.
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty()
    }

    /// The scores of a row.
    pub fn score(&self, row: usize) -> [u8; 3] {
        Axis::ALL.map(|axis| self.scores[axis as usize][row])
    }
}

/// The values of a measure at a date in the order of the rows: `cells` are those of the buckets laid end to end.
///
/// Laying them so first leaves one small array to look into, in place of as many as there are buckets.
fn gather(panels: &[BucketPanel], (at, date): (usize, usize), unit: Unit, cells: &[u32]) -> Column {
    macro_rules! gather {
        ($to:ident $last:expr, $($from:ident $first:expr),+) => {{
            let mut laid = Vec::with_capacity(panels.iter().map(|p| p.ids.len()).sum());
            for panel in panels {
                match &panel.columns[at] {
                    $(Column::$from(values) => laid.extend(values[panel.cells(date)].iter().map($first)),)+
                    // A panel has a column of the unit's type for every measure.
                    _ => {}
                }
            }
            Column::$to(cells.iter().map(|cell| $last(laid[*cell as usize])).collect())
        }};
    }
    let are_narrow = || panels.iter().all(|panel| matches!(panel.columns[at], Column::Int(_)));
    match Column::new(unit, 0) {
        Column::Int(_) => gather!(Int identity, Int |v| *v),
        Column::Long(_) if are_narrow() => gather!(Long widened, Int |v| *v),
        Column::Long(_) => gather!(Long identity, Int |v| widened(*v), Long |v| *v),
        Column::Ratio(_) => gather!(Ratio identity, Ratio |v| *v),
        Column::Double(_) => gather!(Double identity, Double |v| *v),
    }
}

impl PartContext<'_> {
    /// Scores the rows.
    pub fn score(&self, rows: &mut CustomerRows, panels: &[BucketPanel], customers: &PartCustomers, scoring: &DateScoring) {
        for axis in Axis::ALL {
            let column = &rows.columns[self.plan.axes[axis as usize]];
            let id = |row: usize| {
                let (panel, customer) = panel_of(panels, customers.bucket_rows[rows.customers[row] as usize]);
                CustomerId::of(&panel.ids, customer)
            };
            let mut scores = Vec::with_capacity(rows.len());
            for (slice, range) in &rows.slices {
                scoring[*slice as usize].scores(axis, column, range.clone(), id, &mut scores);
            }
            rows.scores[axis as usize] = scores;
        }
        if !self.only.admits_all() {
            for row in 0..rows.len() {
                if !self.only.admits(&rows.columns, row) {
                    rows.scores.iter_mut().for_each(|of_axis| of_axis[row] = 0);
                }
            }
        }
        for row in self.without_orders(rows, 0..rows.len()).collect::<Vec<_>>() {
            rows.scores.iter_mut().for_each(|of_axis| of_axis[row] = 0);
        }
    }

    /// The rows of customers who have not ordered yet: only a customers table lists them.
    fn without_orders<'r>(&self, rows: &'r CustomerRows, range: Range<usize>) -> impl Iterator<Item = usize> + use<'r> {
        let range = if self.job.raw.customers.is_some() { range } else { 0..0 };
        let recency = &rows.columns[self.plan.axes[Axis::Recency as usize]];
        range.filter(|row| recency.is_null(*row))
    }

    /// The states of the rows in a scheme.
    pub fn states(&self, scheme: usize, rows: &CustomerRows, scoring: &DateScoring) -> Vec<u16> {
        let mut states = Vec::with_capacity(rows.len());
        for (slice, range) in &rows.slices {
            let high = |row: usize| self.high(rows, row, rows.score(row), &scoring[*slice as usize]);
            let classifier = &self.classifiers[scheme][*slice as usize];
            if self.plan.uses_levels() {
                classifier.states(range.clone(), &rows.scores, high, &rows.columns, &mut states);
            } else {
                classifier.states(range.clone(), &rows.scores, |_| [false; 3], &rows.columns, &mut states);
            }
            for row in self.without_orders(rows, range.clone()) {
                states[row] = classifier.state_without_orders(&rows.columns, row);
            }
        }
        states
    }

    /// Which levels of a row are high.
    fn high(&self, rows: &CustomerRows, row: usize, scores: [u8; 3], scoring: &crate::score::SliceScoring) -> [bool; 3] {
        scoring.levels.as_ref().map_or([false; 3], |levels| {
            Axis::ALL.map(|axis| {
                let at = axis as usize;
                levels[at].is_high(rows.columns[self.plan.axes[at]].get(row).unwrap_or(0), scores[at])
            })
        })
    }

    /// The state that a row would have under the scoring of another date.
    pub(super) fn state_under(&self, scheme: usize, rows: &CustomerRows, row: usize, slice: u32, scoring: &DateScoring) -> u16 {
        if self.without_orders(rows, row..row + 1).next().is_some() {
            return self.classifiers[scheme][slice as usize].state_without_orders(&rows.columns, row);
        }
        let scoring = &scoring[slice as usize];
        let mut scores = [0; 3];
        if self.only.admits(&rows.columns, row) {
            scores = Axis::ALL.map(|axis| scoring.score(axis, &rows.columns[self.plan.axes[axis as usize]], row));
        }
        let high = self.high(rows, row, scores, scoring);
        let subject = Subject { scores: (scores != [0; 3]).then_some(scores), high };
        self.classifiers[scheme][slice as usize].state(subject, &rows.columns, row) as u16
    }
}
