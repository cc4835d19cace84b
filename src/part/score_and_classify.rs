//! Scores and states of the customers of a date.

use std::sync::Arc;

use super::rows::CustomerRows;
use crate::domain::{CustomerId, CustomerIds};
use crate::error::Result;
use crate::job::Job;
use crate::plan::{Plan, ScoringFilter};
use crate::scheme::Classifier;
use crate::score::{Axis, DateScoring};

/// How a run scores and classifies, besides the cut points of a date.
pub struct ScoringRules {
    /// Recency, frequency and monetary among the columns.
    axes: [usize; 3],
    /// `[score.only]`.
    filter: ScoringFilter,
    /// Per scheme column: the classifier of every slice number.
    classifiers: Vec<Vec<Arc<Classifier>>>,
    /// Whether any scheme looks at levels.
    uses_levels: bool,
    /// Whether customers who have not ordered yet are listed, as they are if the job has a customers table.
    lists_non_buyers: bool,
}

/// Scores and states of all rows of a date.
pub struct ScoresAndStates {
    /// Per axis; 0 if unscored.
    pub scores: [Vec<u8>; 3],
    /// Per scheme column, as indices into [`crate::scheme::Scheme::all_states`].
    pub states: Vec<Vec<u16>>,
}

impl ScoringRules {
    /// The rules of a plan; `slices` are the slice values in order, none without slices.
    ///
    /// # Errors
    /// Exit 2 if a bound of a scheme is too large.
    pub fn new(job: &Job, plan: &Plan, slices: &[String]) -> Result<ScoringRules> {
        let measures = &plan.fold.measures;
        let compile = |scheme| Classifier::new(scheme, measures, |m| plan.fold.unit(m), job.scale()).map(Arc::new);
        let mut classifiers = Vec::with_capacity(plan.schemes.len());
        for column in &plan.schemes {
            // Also of a job without slices, and of customers without an order, who have no slice.
            let own = compile(&column.scheme)?;
            let of_slice = |slice: &String| column.overrides.get(slice).map_or_else(|| Ok(Arc::clone(&own)), compile);
            classifiers.push(slices.iter().map(of_slice).chain([Ok(Arc::clone(&own))]).collect::<Result<Vec<_>>>()?);
        }
        Ok(ScoringRules {
            axes: plan.axes,
            filter: ScoringFilter::new(job, plan, measures),
            classifiers,
            uses_levels: plan.uses_levels(),
            lists_non_buyers: job.raw.customers.is_some(),
        })
    }

    /// Whether `[score.only]` leaves nobody out.
    pub fn scores_all(&self) -> bool {
        self.filter.admits_all()
    }

    /// Whether the states of a scheme depend on scores in a slice.
    pub fn uses_scores(&self, scheme: usize, slice: u32) -> bool {
        self.classifiers[scheme][slice as usize].uses_scores()
    }

    /// Whether the states of a scheme depend on scores in any slice.
    fn uses_scores_anywhere(&self, scheme: usize) -> bool {
        self.classifiers[scheme].iter().any(|classifier| classifier.uses_scores())
    }

    /// Whether the states of any scheme depend on scores.
    pub fn any_uses_scores(&self) -> bool {
        (0..self.classifiers.len()).any(|scheme| self.uses_scores_anywhere(scheme))
    }
}

/// Scores and classifies rows under the cut points of a date; `ids` are those of all customers of the part.
pub fn score_and_classify(
    rules: &ScoringRules,
    rows: &CustomerRows,
    ids: &CustomerIds,
    scoring: &DateScoring,
) -> ScoresAndStates {
    let scores = score(rules, rows, ids, scoring);
    let levels = levels(rules, rows, &scores, scoring);
    let states = (0..rules.classifiers.len()).map(|scheme| classify(rules, scheme, rows, &scores, &levels)).collect();
    ScoresAndStates { scores, states }
}

/// The states that rows have under the cut points of another date. Schemes that look at no scores keep `states`.
pub fn reclassify(
    rules: &ScoringRules,
    rows: &CustomerRows,
    ids: &CustomerIds,
    scoring: &DateScoring,
    states: &[Vec<u16>],
) -> Vec<Vec<u16>> {
    let scores = score(rules, rows, ids, scoring);
    let levels = levels(rules, rows, &scores, scoring);
    let mut by_scheme = Vec::with_capacity(states.len());
    for (scheme, of_scheme) in states.iter().enumerate() {
        by_scheme.push(match rules.uses_scores_anywhere(scheme) {
            true => classify(rules, scheme, rows, &scores, &levels),
            false => of_scheme.clone(),
        });
    }
    by_scheme
}

/// Scores per axis; 0 if unscored.
fn score(rules: &ScoringRules, rows: &CustomerRows, ids: &CustomerIds, scoring: &DateScoring) -> [Vec<u8>; 3] {
    let mut scores = Axis::ALL.map(|axis| {
        let id = |row: usize| CustomerId::of(ids, rows.customers[row] as usize);
        let mut scores = Vec::with_capacity(rows.len());
        for (slice, range) in &rows.slices {
            let column = &rows.columns[rules.axes[axis as usize]];
            scoring[*slice as usize].scores(axis, column, range.clone(), id, &mut scores);
        }
        scores
    });
    let mut unscore = |row: usize| scores.iter_mut().for_each(|of_axis| of_axis[row] = 0);
    if !rules.filter.admits_all() {
        (0..rows.len()).filter(|row| !rules.filter.admits(&rows.columns, *row)).for_each(&mut unscore);
    }
    if rules.lists_non_buyers {
        non_buyers(rules, rows).for_each(unscore);
    }
    scores
}

/// The rows of customers who have not ordered yet.
fn non_buyers(rules: &ScoringRules, rows: &CustomerRows) -> impl Iterator<Item = usize> {
    let recency = &rows.columns[rules.axes[Axis::Recency as usize]];
    (0..rows.len()).filter(|row| recency.is_null(*row))
}

/// Per row a bit for every high level, see [`Axis::level_bit`]; empty if no scheme looks at levels.
fn levels(rules: &ScoringRules, rows: &CustomerRows, scores: &[Vec<u8>; 3], scoring: &DateScoring) -> Vec<u8> {
    if !rules.uses_levels {
        return Vec::new();
    }
    let mut levels = vec![0; rows.len()];
    for (slice, range) in &rows.slices {
        let Some(of_slice) = &scoring[*slice as usize].levels else { continue };
        for axis in Axis::ALL {
            let column = &rows.columns[rules.axes[axis as usize]];
            of_slice[axis as usize].mark_high(column, &scores[axis as usize], range.clone(), axis.level_bit(), &mut levels);
        }
    }
    levels
}

/// The states of all rows in a scheme.
fn classify(rules: &ScoringRules, scheme: usize, rows: &CustomerRows, scores: &[Vec<u8>; 3], levels: &[u8]) -> Vec<u16> {
    let classifiers = &rules.classifiers[scheme];
    let mut states = Vec::with_capacity(rows.len());
    for (slice, range) in &rows.slices {
        classifiers[*slice as usize].states(range.clone(), scores, levels, &rows.columns, &mut states);
    }
    if rules.lists_non_buyers {
        let recency = &rows.columns[rules.axes[Axis::Recency as usize]];
        for (slice, range) in &rows.slices {
            for row in range.clone().filter(|row| recency.is_null(*row)) {
                states[row] = classifiers[*slice as usize].state_without_orders(&rows.columns, row);
            }
        }
    }
    states
}
