//! What a run reads besides orders: the customers table and the events.

use crate::domain::{Basis, EventKind, IdType};
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

    /// Reads the columns that measures need, into as many buckets as the orders have.
    ///
    /// # Errors
    /// Exit 3: rows that break their contract; exit 4: files that cannot be read.
    pub fn read(
        &self,
        job: &Job,
        plan: &Plan,
        columns: &OrderColumns,
        buckets: usize,
        memory: &MemoryPool,
        progress: &dyn Progress,
    ) -> Result<LoadedInputs> {
        let given = plan.given();
        let CustomersData { rolls: attributes, values: dimensions, null_ids } =
            customers::read(job, &self.customers, columns, &given, buckets, memory, progress)?;
        let (events, counts) = match plan.uses_events() {
            true => {
                let (events, counts) = events::read(job, &self.events, columns.id, buckets, memory, progress)?;
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
    /// The warnings as sentences; `unmatched_events` are those of customers who are in no other input.
    pub fn sentences(&self, job: &Job, plan: &Plan, unmatched_events: u64) -> Vec<String> {
        let mut out = Vec::new();
        if let Some(customers) = job.raw.customers.as_ref().filter(|_| self.null_ids > 0) {
            out.push(format!(
                "{} rows of the customers table have no customer (column {:?} is null) and do not count",
                self.null_ids, customers.customer_id
            ));
        }
        if plan.uses_events() {
            out.extend(event_warnings(job, plan, &self.events, unmatched_events));
        }
        out
    }
}

/// Events that do not count, and kinds of events that measures need and the data lack.
fn event_warnings(job: &Job, plan: &Plan, counts: &EventCounts, unmatched: u64) -> Vec<String> {
    let Some(events) = &job.raw.events else { return Vec::new() };
    let mut out = Vec::new();
    let unmatched = unmatched + counts.impossible;
    if unmatched > 0 {
        let table = if job.raw.customers.is_some() { " and do not stand in the customers table" } else { "" };
        out.push(format!("{unmatched} events do not count, because their customers have no order up to {}{table}", job.last()));
    }
    for (rows, what, column) in [
        (counts.no_customer, "no customer", &events.customer_id),
        (counts.no_date, "no date", &events.at),
        (counts.no_event, "no event", &events.event),
    ] {
        if rows > 0 {
            out.push(format!("{rows} rows of the events do not count, because they have {what} (column {column:?})"));
        }
    }
    for kind in EventKind::ALL {
        let wanted = plan.fold.measures.iter().any(|m| matches!(m.kind.basis(), Basis::Events(kinds) if kinds.contains(&kind)));
        if wanted && !counts.values.is_empty() && counts.of(kind).next().is_none() {
            let other: Vec<String> = counts.of(EventKind::Other).map(|v| format!("{v:?}")).collect();
            let other = if other.is_empty() { "none".into() } else { other.join(", ") };
            out.push(format!(
                "no event counts as {} (values of column {:?} without a kind: {other}); say in [events.kinds] which do",
                kind.name(),
                events.event
            ));
        }
    }
    let sends: Vec<String> = counts.of(EventKind::Sends).map(|v| format!("{v:?}")).collect();
    if sends.len() > 1 && !events.kinds.keys().any(|name| name.kind() == EventKind::Sends) {
        out.push(format!(
            "{} all count as sends; if one message has several of them, say in [events.kinds] which one counts",
            sends.join(", ")
        ));
    }
    out
}
