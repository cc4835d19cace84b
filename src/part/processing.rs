//! Processes a part, date after date.

use super::context::{DateRows, PartContext, PartView};
use super::customers::PartCustomers;
use super::output::PartOutput;
use super::rows::CustomerRows;
use super::score_and_classify::{reclassify, score_and_classify};
use super::{crm, customers_table, forecast, movers, score_pairs, segments, state_history};
use crate::error::Result;
use crate::job::raw::{ReportName, TableName};
use crate::measure::{BucketPanel, TableMatches};
use crate::movement::{MovementTracker, PartActivity, states_by_customer};

/// A part in work. It needs its buckets and the cut points of all customers, nothing of other parts.
pub struct Part<'a> {
    context: &'a PartContext<'a>,
    number: usize,
    customers: &'a PartCustomers,
    /// The buckets, with what does not depend on dates.
    panels: &'a [BucketPanel],
    tracker: MovementTracker<'a>,
    output: PartOutput,
}

impl<'a> Part<'a> {
    /// A part before its first date. `panels` are its buckets, which may lack measures; `customers` those of the panels.
    pub fn new(context: &'a PartContext<'a>, number: usize, panels: &'a [BucketPanel], customers: &'a PartCustomers) -> Part<'a> {
        let activity = PartActivity { panels, customers: &customers.indices, interval_ends: context.movement.interval_ends };
        let mut event_matches = TableMatches::default();
        panels.iter().for_each(|panel| event_matches.merge(panel.event_matches.clone()));
        Part {
            context,
            number,
            customers,
            panels,
            tracker: MovementTracker::new(&context.movement, &customers.groups, activity),
            output: PartOutput {
                unmatched_events: panels.iter().map(|panel| panel.unmatched_events).sum(),
                event_matches,
                ..PartOutput::default()
            },
        }
    }

    /// Scores and classifies the customers who are listed at the next date, adds up what the summed tables need, and writes
    /// the date's files. `measured` are the buckets of the part with measures, among whose dates `date` has the index `at`.
    ///
    /// # Errors
    /// Exit 6 if a file cannot be written.
    pub fn process_date(&mut self, date: usize, measured: &[BucketPanel], at: usize) -> Result<DateRows> {
        let PartContext { plan, rules, scoring, .. } = self.context;
        let mut rows = CustomerRows::new(measured, self.customers, at, &plan.fold);
        let histories = forecast::Histories::new(self.panels, self.customers, self.context.job.dates[date].date);
        forecast::fill(self.context, date, &histories, &mut rows);
        let scored = score_and_classify(rules, &rows, &self.customers.ids, &scoring[date]);
        let mut rescored = Vec::new();
        for origin in self.context.rescored_from(date) {
            rescored.push((origin, reclassify(rules, &rows, &self.customers.ids, &scoring[origin], &scored.states)));
        }
        self.tracker.advance(date, states_by_customer(self.customers.len(), &rows.customers, &scored.states));
        let date = DateRows { date, rows, scores: scored.scores, states: scored.states, rescored };
        let as_of = self.context.job.dates[date.date];
        if as_of.is_shown() || self.context.summed_too.get(date.date) == Some(&true) {
            let states = (self.context.movement.state_counts.as_slice(), date.states.as_slice());
            let shown = measured.iter().filter(|_| as_of.is_shown());
            let of_date = shown.flat_map(|panel| &panel.affinity).filter(|([own, ..], _)| *own as usize == at);
            let number = date.date as u32;
            self.output.affinity.extend(of_date.map(|([_, slice, one, other], count)| ([number, *slice, *one, *other], *count)));
            segments::add_segments(plan, date.date, &self.customers.groups, &date.rows, states, &mut self.output.segments);
        }
        if date.date + 1 == self.context.job.dates.len() {
            forecast::add(self.context, self.customers, &histories, &date, &mut self.output.forecast);
        }
        if as_of.is_published() {
            self.write_date(&histories, &date)?;
        }
        Ok(date)
    }

    /// Writes the rows of a date, one per customer.
    fn write_date(&mut self, histories: &forecast::Histories<'_>, date: &DateRows) -> Result<()> {
        let PartContext { job, sink, .. } = self.context;
        let part = PartView { context: self.context, customers: self.customers, tracker: &self.tracker };
        let as_of = Some(job.dates[date.date].date);
        if let Some(table) = self.context.table(TableName::Customers)
            && (self.number == 0 || !date.rows.is_empty())
        {
            let batch = customers_table::batch(part, table, date)?;
            self.output.files.push((table.name, table.write(*sink, self.number, as_of, &batch, &job.raw.name)?));
        }
        if date.date + 1 == job.dates.len() {
            self.output.crm.push((self.number, crm::rows(part, histories, date)?));
            if job.raw.output.report.iter().any(|report| *report != ReportName::Crm) {
                score_pairs::count(date, &mut self.output.score_pairs);
            }
        }
        if let Some(table) = self.context.table(TableName::Movers) {
            let movers = movers::find(part, date);
            movers::count(part, date.date, &movers, &mut self.output.movers);
            if self.number == 0 || !movers.is_empty() {
                let batch = movers::batch(part, table, &movers)?;
                self.output.files.push((table.name, table.write(*sink, self.number, as_of, &batch, &job.raw.name)?));
            }
        }
        Ok(())
    }

    /// Writes what all dates together give.
    ///
    /// # Errors
    /// Exit 6 if a file cannot be written.
    pub fn finish(mut self) -> Result<PartOutput> {
        let PartContext { job, sink, .. } = self.context;
        let (sums, spells) = self.tracker.finish();
        self.output.movement = sums;
        if let Some(table) = self.context.table(TableName::StateHistory)
            && (self.number == 0 || !spells.is_empty())
        {
            let batch = state_history::batch(table, self.context, self.customers, &spells)?;
            self.output.files.push((table.name, table.write(*sink, self.number, None, &batch, &job.raw.name)?));
        }
        Ok(self.output)
    }
}
