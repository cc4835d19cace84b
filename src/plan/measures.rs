//! The measures of a plan: which there are, whether the job can have them, and how they are folded.

use crate::domain::{Basis, Day, Horizons, Measure, MeasureKind, OrderSum, Warning};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::job::raw::{Count, MonetaryAs, Population, TableName, ZeroAmount};
use crate::measure::FoldSpec;
use crate::scheme::Test;

/// Measures, each once.
#[derive(Debug, Default)]
pub(super) struct MeasureList(Vec<Measure>);

impl MeasureList {
    /// The index of a measure, which is added if it is new.
    pub fn index(&mut self, measure: Measure) -> usize {
        self.0.iter().position(|m| *m == measure).unwrap_or_else(|| {
            self.0.push(measure);
            self.0.len() - 1
        })
    }

    /// The index of a measure without a lookback.
    pub fn index_of(&mut self, kind: MeasureKind) -> usize {
        self.index(Measure::plain(kind))
    }

    /// Checks that the job has what the measures are computed from.
    ///
    /// # Errors
    /// Exit 2 if it lacks periods, events or a column of the orders.
    pub fn check(&self, job: &Job, only: &[(Measure, Test)], warnings: &mut Vec<Warning>) -> Result<()> {
        self.check_periods(job)?;
        self.check_forecast(job, only)?;
        self.check_costs_to_serve(job)?;
        self.check_events(job, warnings)?;
        self.check_columns(job)
    }

    fn check_periods(&self, job: &Job) -> Result<()> {
        let needs_period = |m: &&Measure| matches!(m.kind.basis(), Basis::Orders(window, _) if window.needs_period());
        match self.0.iter().find(needs_period) {
            Some(measure) if job.shown().all(|(_, d)| d.period_start.is_none()) => Err(Error::usage(format!(
                "{}: {measure} needs periods, but the job has a single as-of date without any; add [periods] every = \"month\" or a second as-of date",
                job.source.path.display()
            ))),
            _ => Ok(()),
        }
    }

    fn check_forecast(&self, job: &Job, only: &[(Measure, Test)]) -> Result<()> {
        let looks_ahead = |measure: &&Measure| measure.kind.basis().looks_ahead();
        if let Some((measure, _)) = only.iter().find(|(measure, _)| looks_ahead(&measure)) {
            return Err(Error::usage(format!(
                "{}: score.only names {measure}, which is known after customers are scored; use it in a scheme, or take it out",
                job.source.locate("score.only", measure.kind.name())
            )));
        }
        match self.0.iter().find(looks_ahead) {
            Some(measure) if job.forecast.is_none() => Err(Error::usage(format!(
                "{}: {measure} is asked for, but the job forecasts nothing; add a section [forecast] with a horizon",
                job.source.path.display()
            ))),
            _ => Ok(()),
        }
    }

    /// The horizons of the job's forecast, with all days that these measures look at.
    pub fn horizons(&self, job: &Job) -> Option<Horizons> {
        let horizons = job.forecast.clone()?;
        let looks_ahead = self.0.iter().any(|measure| measure.kind.basis().looks_ahead());
        let dates = job.dates.iter().filter(|_| looks_ahead).map(|date| date.date);
        Some(horizons.with_days(dates))
    }

    fn check_events(&self, job: &Job, warnings: &mut Vec<Warning>) -> Result<()> {
        let is_outcome = job.strategies.iter().flat_map(|s| &s.outcomes).any(|outcome| outcome.event_kind().is_some());
        match (self.0.iter().find(|m| m.kind.basis().is_of_events()), &job.raw.events) {
            (Some(measure), None) => Err(Error::usage(format!(
                "{}: {measure} is asked for, but the job has no events; add a section [events] with path, customer_id, event and at",
                job.source.path.display()
            ))),
            (None, Some(_)) if !is_outcome => {
                warnings.push(Warning::EventsNotRead);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_costs_to_serve(&self, job: &Job) -> Result<()> {
        match self.0.iter().find(|m| m.kind.basis() == Basis::CostToServe) {
            Some(measure) if !job.event_kinds.have_costs() => Err(Error::usage(format!(
                "{}: {measure} is asked for, but no kind of events is such a cost; set value and cost_to_serve = true in [events.kinds.<kind>]",
                job.source.path.display()
            ))),
            _ => Ok(()),
        }
    }

    fn check_columns(&self, job: &Job) -> Result<()> {
        for measure in &self.0 {
            let (basis, orders) = (measure.kind.basis(), &job.raw.orders);
            let needed = [
                (basis.has_sum(OrderSum::Discounted), &orders.discount, "orders.discount"),
                (basis.has_sum(OrderSum::Cost), &orders.cost, "orders.cost"),
                (basis == Basis::Categories, &orders.category, "orders.category"),
            ];
            if let Some((_, _, key)) = needed.into_iter().find(|(is_needed, column, _)| *is_needed && column.is_none()) {
                return Err(Error::usage(format!(
                    "{}: {measure} is asked for, but the job does not say which column holds it; set {key}",
                    job.source.path.display()
                )));
            }
        }
        Ok(())
    }

    /// The fold of these measures at the dates of a job.
    pub fn into_fold(self, job: &Job, horizons: Option<&Horizons>) -> FoldSpec {
        let looks_ahead = self.0.iter().any(|measure| measure.kind.basis().looks_ahead());
        let last = job.dates.len().saturating_sub(1);
        let kept = job.dates.iter().skip(if looks_ahead { 0 } else { last }).map(|date| date.date);
        FoldSpec {
            dates: job.dates.iter().map(|date| date.as_measured()).collect(),
            lookback: job.score.lookback,
            net: job.is_net(),
            count_days: job.score.count == Count::OrderDays,
            monetary_average: job.score.monetary_as == MonetaryAs::Average,
            only_lookback: job.raw.population == Population::Lookback,
            lines: job.raw.orders.order_id.is_some(),
            drop_zero: job.raw.orders.zero_amount == ZeroAmount::Drop,
            with_customer_data: job.raw.customers.is_some() || self.0.iter().any(|m| m.kind.basis().is_of_events()),
            interval_ends: interval_ends(job),
            histories: !job.raw.strategy.is_empty(),
            history_days: horizons.map_or_else(Vec::new, |horizons| horizons.days.clone()),
            kept_history_days: if horizons.is_some() { kept.collect() } else { Vec::new() },
            is_window: false,
            affinity: job.writes(TableName::Affinity),
            first_purchase: if job.writes(TableName::Cohorts) { job.cohorts_by.first_purchase.clone() } else { Vec::new() },
            measures: self.0,
        }
    }
}

/// The last days of the intervals that the tables about movement sum: an interval ends wherever a date, a period or the
/// period before it ends, so that each of these consists of whole intervals.
fn interval_ends(job: &Job) -> Vec<Day> {
    let moves = [TableName::Transitions, TableName::Growth, TableName::Cohorts].iter().any(|t| job.writes(*t));
    if !moves {
        return Vec::new();
    }
    let is_compared = |at: &usize| job.origins.iter().flatten().any(|origin| origin == at);
    let dates = job.dates.iter().enumerate().filter(|(at, d)| d.is_shown() || is_compared(at)).map(|(_, d)| d);
    let ends = dates.flat_map(|d| {
        let previous = d.previous.map(|(start, end)| [start.previous(), end]);
        [Some(d.date), d.period_start.map(Day::previous)].into_iter().flatten().chain(previous.into_iter().flatten())
    });
    let mut ends: Vec<Day> = ends.collect();
    ends.sort_unstable();
    ends.dedup();
    ends
}
