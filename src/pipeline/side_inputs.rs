//! What a run reads besides orders: the customers table and the events.

use serde::{Deserialize, Serialize};

use crate::bucket::KeptBuckets;
use crate::domain::{Day, EventKind, IdType, Warning};
use crate::error::Result;
use crate::input::customers::{self, CustomersData, CustomersTable};
use crate::input::events::{self, EventCounts, EventsTable};
use crate::input::orders::columns::OrderColumns;
use crate::input::source::Source;
use crate::job::Job;
use crate::measure::CustomerData;
use crate::memory::MemoryPool;
use crate::plan::Plan;
use crate::progress::Progress;

/// The files of customers and events, opened.
pub struct OpenInputs {
    /// `[customers]`.
    pub customers: CustomersTable,
    /// `[events]`.
    pub events: EventsTable,
}

/// What customers and events hold.
pub struct LoadedInputs {
    /// What is known of customers, in the buckets of the orders.
    pub customers: CustomerData,
    /// Per dimension its values in order.
    pub dimensions: Vec<Vec<String>>,
    /// Rows that do not count.
    pub warnings: InputWarnings,
}

/// Rows of customers and events that do not count, and which events there are.
#[derive(Serialize, Deserialize)]
pub struct InputWarnings {
    /// Rows of the customers table without an id.
    null_ids: u64,
    events: EventCounts,
}

impl OpenInputs {
    /// Opens the tables that the job names.
    ///
    /// # Errors
    /// Exits 2 to 4: what is wrong with their files and columns.
    pub fn open(job: &Job) -> Result<OpenInputs> {
        Ok(OpenInputs { customers: customers::open(job)?, events: events::open(job)? })
    }

    /// Checks that their ids can be compared with those of the orders.
    ///
    /// # Errors
    /// Exit 3 if not.
    pub fn check_ids(&self, job: &Job, id: IdType) -> Result<()> {
        self.customers.check_ids(job, id)?;
        self.events.check_ids(job, id)
    }

    /// The files that a run reads: those of events only if a measure needs them.
    pub fn sources(&self, plan: &Plan) -> impl Iterator<Item = &Source> {
        self.customers.sources.iter().chain(self.events.sources.iter().filter(|_| plan.uses_events()))
    }

    /// How many events a run reads.
    pub fn event_rows(&self, plan: &Plan) -> u64 {
        if plan.uses_events() { self.events.rows() } else { 0 }
    }

    /// Reads the columns that measures need, into the buckets of the orders that are kept.
    ///
    /// # Errors
    /// Exit 3: rows that break their contract; exit 4: files that cannot be read.
    pub fn read(
        &self,
        job: &Job,
        plan: &Plan,
        columns: &OrderColumns,
        buckets: &KeptBuckets,
        memory: &MemoryPool,
        progress: &dyn Progress,
    ) -> Result<LoadedInputs> {
        let given = plan.given();
        let CustomersData { rolls: attributes, values: dimensions, null_ids } =
            customers::read(job, &self.customers, columns, &given, buckets, memory, progress)?;
        let (events, counts) = match plan.uses_events() {
            true => {
                let (events, counts) = events::read(
                    job,
                    &self.events,
                    (columns.id, &|kind| plan.needs_values(job, kind)),
                    buckets,
                    memory,
                    progress,
                )?;
                (Some(events), counts)
            }
            false => (None, EventCounts::default()),
        };
        Ok(LoadedInputs {
            customers: CustomerData { columns: given, attributes, events },
            dimensions,
            warnings: InputWarnings { null_ids, events: counts },
        })
    }
}

impl InputWarnings {
    /// The day of the first event; none without events.
    pub fn first_event(&self) -> Option<Day> {
        self.events.first
    }

    /// All of them; `unmatched_events` are those of customers who are in no other input.
    pub fn list(&self, job: &Job, plan: &Plan, unmatched_events: u64) -> Vec<Warning> {
        let mut out = Vec::new();
        if let Some(customers) = job.raw.customers.as_ref().filter(|_| self.null_ids > 0) {
            out.push(Warning::CustomersWithoutId { rows: self.null_ids, column: customers.customer_id.clone() });
        }
        if plan.uses_events() {
            out.extend(event_warnings(job, plan, &self.events, unmatched_events));
        }
        out
    }
}

/// Events that do not count, and kinds of events that measures need and the data lack.
fn event_warnings(job: &Job, plan: &Plan, counts: &EventCounts, unmatched: u64) -> Vec<Warning> {
    let Some(events) = &job.raw.events else { return Vec::new() };
    let mut out = Vec::new();
    let unmatched = unmatched + counts.impossible;
    if unmatched > 0 {
        let has_customers = job.raw.customers.is_some();
        out.push(Warning::EventsOfUnknownCustomers { events: unmatched, last: job.last(), has_customers });
    }
    for (rows, lacking, column) in [
        (counts.no_customer, "customer", &events.customer_id),
        (counts.no_date, "date", &events.at),
        (counts.no_event, "event", &events.event),
    ] {
        if rows > 0 {
            out.push(Warning::IncompleteEvents { rows, lacking, column: column.clone() });
        }
    }
    let values = |kind: EventKind| -> Vec<String> { counts.of(kind).map(str::to_owned).collect() };
    for kind in job.event_kinds.all.iter() {
        if plan.counts_events(kind) && !counts.values.is_empty() && counts.of(kind).next().is_none() {
            out.push(Warning::NoEventOfKind { kind, column: events.event.clone(), other: values(EventKind::Other) });
        }
    }
    let sends = values(EventKind::Sends);
    if sends.len() > 1 && !job.event_kinds.is_named(EventKind::Sends) {
        out.push(Warning::SeveralSends { values: sends });
    }
    out
}
