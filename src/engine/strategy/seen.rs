//! What a part sees of its customers on the days that strategies look at: states and measures, by place.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::Evaluated;
use super::study::COVARIATES;
use crate::domain::{Design, Measure};
use crate::engine::part::{Roster, Rows, Workshop};
use crate::measure::BucketPanel;
use crate::transition::ABSENT;

/// A measure of who is not listed.
pub const NOT_LISTED: i64 = i64::MIN;

/// Days that strategies look at, with what is known of everybody.
#[derive(Default)]
pub struct Seen {
    /// By date: states by scheme and place; [`ABSENT`] for who is not listed.
    states: BTreeMap<usize, Vec<Vec<u16>>>,
    /// By date: the covariates by place.
    covariates: BTreeMap<usize, [Vec<i64>; COVARIATES.len()]>,
    /// By the day before a period and its last day: the states on the last day under the cut points of the day before, by
    /// scheme and place.
    moved: BTreeMap<(usize, usize), Vec<Vec<u16>>>,
}

impl Seen {
    /// Looks at a date; rows are scored and have these states.
    pub fn look(
        &mut self,
        workshop: &Workshop<'_>,
        strategies: &Evaluated<'_>,
        date: usize,
        (panels, roster): (&[BucketPanel], &Roster),
        rows: &mut Rows,
        states: &[Vec<u16>],
    ) {
        let Evaluated { studies, lists, .. } = strategies;
        let by_place = |states: &[Vec<u16>], rows: &Rows| -> Vec<Vec<u16>> {
            let spread = |of_scheme: &Vec<u16>| {
                let mut by_place = vec![ABSENT; roster.len()];
                rows.places.iter().zip(of_scheme).for_each(|(place, state)| by_place[*place as usize] = *state);
                by_place
            };
            states.iter().map(spread).collect()
        };
        let before = lists.iter().filter(|list| list.before == Some(date));
        if before.clone().next().is_some() {
            self.states.insert(date, by_place(states, rows));
        }
        if before.clone().any(|list| studies[list.study].strategy.design != Design::BeforeAfter) {
            self.covariates.insert(
                date,
                COVARIATES.map(|kind| {
                    let mut by_place = vec![NOT_LISTED; roster.len()];
                    let at = workshop.plan.fold.measures.iter().position(|m| *m == Measure::plain(kind));
                    if let Some(column) = at.map(|at| &rows.columns[at]) {
                        for (row, place) in rows.places.iter().enumerate() {
                            by_place[*place as usize] = column.get(row).unwrap_or(NOT_LISTED);
                        }
                    }
                    by_place
                }),
            );
        }
        let ends = lists.iter().filter(|list| list.end == Some(date) && studies[list.study].has_moves());
        for before in ends.filter_map(|list| list.before) {
            if let Entry::Vacant(entry) = self.moved.entry((before, date)) {
                let scoring = &workshop.scoring[before];
                let own = std::mem::take(&mut rows.scores);
                workshop.score(rows, panels, roster, scoring);
                let under: Vec<Vec<u16>> = (0..states.len()).map(|scheme| workshop.states(scheme, rows, scoring)).collect();
                rows.scores = own;
                entry.insert(by_place(&under, rows));
            }
        }
    }

    /// The states of a date by scheme and place.
    pub fn states(&self, date: usize) -> Option<&[Vec<u16>]> {
        self.states.get(&date).map(Vec::as_slice)
    }

    /// The covariates of a date by place.
    pub fn covariates(&self, date: usize) -> Option<&[Vec<i64>; COVARIATES.len()]> {
        self.covariates.get(&date)
    }

    /// The states on the last day of a period under the cut points of the day before it, by scheme and place.
    pub fn moved(&self, before: usize, end: usize) -> Option<&[Vec<u16>]> {
        self.moved.get(&(before, end)).map(Vec::as_slice)
    }
}
