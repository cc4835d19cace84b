//! Fourth stage: the cut points of every as-of date and slice, and what else follows from the values of all customers.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::first_pass::FirstPass;
use super::scanned::Scanned;
use super::scoring;
use super::stage::Stage;
use crate::domain::Day;
use crate::error::{Error, Result};
use crate::experiment::exposure::load::StrategyAssignments;
use crate::experiment::{ExperimentPlan, FirstDays, GroupNames};
use crate::forecast::{self, Backtest, Model};
use crate::job::Job;
use crate::job::raw::TableName;
use crate::measure::Findings;
use crate::movement::Concentration;
use crate::score::{Axis, DateScoring, SliceDistributions, SliceScoring, SpillableDistribution};

/// What follows from the first pass. Its distributions are not kept.
#[derive(Serialize, Deserialize)]
pub struct Scored {
    /// Cut points by as-of date.
    pub scoring: Vec<DateScoring>,
    /// How concentrated revenue is, by date and slice number; empty unless a table shows it.
    pub concentration: Vec<(usize, usize, Concentration)>,
    /// Customers.
    pub customers: u64,
    /// What is odd about orders and customers.
    pub findings: Findings,
    /// The day of the first order.
    pub first_order: Option<Day>,
    /// The day of the newest order, up to the last as-of date.
    pub last_order: Option<Day>,
    /// Per as-of date, whether no window reaches back before the first order, unless nothing was before it.
    pub history_complete: Vec<bool>,
    /// The day from which orders are known, if there may have been some before.
    pub data_begin: Option<Day>,
    /// What is forecast of each slice, by its number; none without a forecast.
    pub forecasts: Vec<Backtest>,
    /// By as-of date and slice number the model of that day, where a measure looks ahead from it.
    pub models: Vec<Vec<Option<Model>>>,
    /// Scored customers at the last as-of date by the windows of the scheme `recency_windows`.
    pub recency_windows: [u64; 5],
}

/// Days of silence with which the later windows of the scheme `recency_windows` begin.
const WINDOWS: [i64; 4] = [91, 181, 271, 366];

/// Days after the data begin from which customers who are first seen count as new.
const NEW_AFTER: i32 = 365;

impl Scored {
    /// Computes cut points and concentrations.
    ///
    /// # Errors
    /// Exit 3 if given cut points lack a slice; exits 4 to 7 if values outside memory cannot be read.
    pub fn new(stage: Stage<'_>, scanned: &Scanned, mut first_pass: FirstPass) -> Result<Scored> {
        let Stage { job, prepared, progress, .. } = stage;
        progress.begin("scoring", 0);
        let frozen = match &prepared.frozen_cuts {
            Some(by_slice) => Some(frozen_by_slice(job, by_slice, &scanned.slices)?),
            None => None,
        };
        let mut scoring = scoring::score(job, &prepared.plan, &first_pass.distributions, frozen.as_deref())?;
        if job.raw.customers.is_some() && !scanned.slices.is_empty() {
            // Customers without an order are in no slice; they stand after the last one and are not scored.
            scoring.iter_mut().for_each(|slices| slices.push(SliceScoring::default()));
        }
        let concentration = match job.writes(TableName::Concentration) {
            true => concentration(job, &first_pass.distributions)?,
            false => Vec::new(),
        };
        progress.end("cut points found");
        let first_order = first_pass.span.map(|(first, _)| first);
        let (mut forecasts, mut models) = (Vec::new(), Vec::new());
        if let Some((horizons, begin)) = prepared.plan.horizons.as_ref().zip(first_order) {
            progress.begin("forecasting", 0);
            let sample = first_pass.sample.settled();
            forecasts = Backtest::of_slices(sample, horizons, begin);
            if prepared.plan.forecast_measures().next().is_some() {
                let dates = job.dates.par_iter().map(|date| forecast::models(sample, horizons, date.date));
                models = dates.collect();
            }
            progress.end("models fitted");
        }
        // What the job says of its history must not contradict the data.
        let nothing_before = job.history_begins.zip(first_order).is_some_and(|(begins, first)| first >= begins);
        let data_begin = first_order.filter(|_| !nothing_before);
        let is_complete = |date: Day| match (prepared.plan.fold.earliest_window(date), data_begin) {
            (Some(window), Some(first)) => window >= first,
            _ => true,
        };
        Ok(Scored {
            scoring,
            concentration,
            customers: first_pass.customers,
            findings: first_pass.findings,
            first_order,
            last_order: first_pass.span.map(|(_, last)| last),
            history_complete: job.dates.iter().map(|date| is_complete(date.date)).collect(),
            data_begin,
            forecasts,
            models,
            recency_windows: recency_windows(&first_pass.distributions)?,
        })
    }

    /// Whether customers whose first order was on this day or later are only first seen: they may have ordered before the data begin.
    pub fn is_first_seen(&self, since: Day) -> bool {
        self.data_begin.is_some_and(|begin| since.0 < begin.0.saturating_add(NEW_AFTER))
    }

    /// The strategies of the job joined with their assignments; `None` if it has none.
    ///
    /// # Errors
    /// Exit 2 or 3 where a setting does not fit the data.
    pub fn experiments<'a>(
        &self,
        stage: Stage<'a>,
        scanned: &Scanned,
        assignments: &'a [StrategyAssignments],
    ) -> Result<Option<ExperimentPlan<'a>>> {
        if stage.job.raw.strategy.is_empty() {
            return Ok(None);
        }
        let names = GroupNames { schemes: &stage.prepared.plan.schemes, dimensions: &scanned.dimensions };
        let firsts = FirstDays { order: self.first_order, event: scanned.side_warnings.first_event() };
        ExperimentPlan::new(stage.job, &stage.prepared.plan.cuts, names, assignments, &scanned.slices, firsts).map(Some)
    }
}

/// Scored customers at the last date by days of silence.
fn recency_windows(distributions: &[Vec<SliceDistributions>]) -> Result<[u64; 5]> {
    let mut all = [0; 5];
    for slice in distributions.last().into_iter().flatten() {
        let recency = slice.axes[Axis::Recency as usize].values();
        all.iter_mut().zip(recency.bins(&WINDOWS)?).for_each(|(sum, n)| *sum += n);
    }
    Ok(all)
}

/// Cut points of another run by slice number.
fn frozen_by_slice(job: &Job, by_slice: &BTreeMap<String, SliceScoring>, slices: &[String]) -> Result<Vec<Option<SliceScoring>>> {
    let names: Vec<&str> = if slices.is_empty() { vec!["(all)"] } else { slices.iter().map(String::as_str).collect() };
    if let Some(missing) = names.iter().find(|n| !by_slice.contains_key(**n)) {
        return Err(Error::contract(format!(
            "the cut points of score.cuts = {:?} lack the slice {missing:?}; use a table that covers every slice of the job",
            job.raw.score.cuts
        )));
    }
    Ok(names.iter().map(|n| by_slice.get(*n).cloned()).collect())
}

/// How concentrated revenue is at the dates that tables show, in slices with revenue.
fn concentration(job: &Job, distributions: &[Vec<SliceDistributions>]) -> Result<Vec<(usize, usize, Concentration)>> {
    let mut groups = Vec::new();
    for (date, _) in job.shown() {
        groups.extend(distributions[date].iter().enumerate().map(|(slice, of_slice)| (date, slice, &of_slice.revenue)));
    }
    let of_group = |(date, slice, revenue): (usize, usize, &SpillableDistribution)| {
        let revenue = revenue.values();
        Ok((date, slice, Concentration::of(revenue.len(), revenue.sum(), revenue.groups())?))
    };
    let all: Vec<(usize, usize, Concentration)> = groups.into_par_iter().map(of_group).collect::<Result<_>>()?;
    Ok(all.into_iter().filter(|(_, _, concentration)| concentration.customers > 0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_those_of_the_scheme() {
        let text = crate::scheme::builtin_text("recency_windows").expect("a scheme");
        for begin in WINDOWS {
            assert!(text.contains(&format!("recency_days = [0, {}]", begin - 1)), "{begin}");
        }
        assert_eq!(text.matches("recency_days = ").count(), WINDOWS.len());
    }
}
