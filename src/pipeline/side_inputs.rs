//! What a run reads besides orders: the customers table and the events.

use crate::domain::{EventKind, IdType, MeasureKind};
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

/// The tables of a job besides its orders, opened.
pub struct OpenInputs {
    /// `[customers]`.
    pub customers: CustomersTable,
    /// `[events]`.
    pub events: EventsTable,
}

/// What they say.
pub struct LoadedInputs {
    /// Of customers, by bucket of the orders.
    pub beside: CustomerData,
    /// Per dimension its values in order.
    pub values: Vec<Vec<String>>,
    /// What is worth saying of them.
    pub findings: InputWarnings,
}

/// Rows of these tables that do not count, and what events there are.
pub struct InputWarnings {
    /// Rows of the customers table without an id.
    null_ids: u64,
    tally: EventCounts,
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

    /// The files that a run reads: those of the events only if something looks at them.
    pub fn sources(&self, plan: &Plan) -> impl Iterator<Item = &Source> {
        self.customers.sources.iter().chain(self.events.sources.iter().filter(|_| plan.uses_events()))
    }

    /// How many events a run reads.
    pub fn event_rows(&self, plan: &Plan) -> u64 {
        if plan.uses_events() { self.events.rows() } else { 0 }
    }

    /// Reads what something looks at, into as many buckets as the orders have.
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
        let CustomersData { rolls, values, null_ids } =
            customers::read(job, &self.customers, columns, &given, buckets, memory, progress)?;
        let (events, tally) = if plan.uses_events() {
            let (events, tally) = events::read(job, &self.events, columns.id, buckets, memory, progress)?;
            (Some(events), tally)
        } else {
            (None, EventCounts::default())
        };
        Ok(LoadedInputs {
            beside: CustomerData { columns: given, attributes: rolls, events },
            values,
            findings: InputWarnings { null_ids, tally },
        })
    }
}

impl InputWarnings {
    /// What is worth saying; `strangers` are the events of customers whom nothing else knows.
    pub fn warnings(&self, job: &Job, plan: &Plan, strangers: u64) -> Vec<String> {
        let mut out = Vec::new();
        if let Some(customers) = job.raw.customers.as_ref().filter(|_| self.null_ids > 0) {
            out.push(format!(
                "{} rows of the customers table have no customer (column {:?} is null) and do not count",
                self.null_ids, customers.customer_id
            ));
        }
        if plan.uses_events() {
            out.extend(of_events(job, plan, &self.tally, strangers));
        }
        out
    }
}

/// What is worth saying of the events: those that do not count, and kinds that are asked for and not found.
fn of_events(job: &Job, plan: &Plan, tally: &EventCounts, strangers: u64) -> Vec<String> {
    let Some(events) = &job.raw.events else { return Vec::new() };
    let mut out = Vec::new();
    let strangers = strangers + tally.impossible;
    if strangers > 0 {
        let table = if job.raw.customers.is_some() { " and do not stand in the customers table" } else { "" };
        out.push(format!("{strangers} events do not count, because their customers have no order up to {}{table}", job.last()));
    }
    for (rows, what, column) in [
        (tally.no_customer, "no customer", &events.customer_id),
        (tally.no_date, "no date", &events.at),
        (tally.no_event, "no event", &events.event),
    ] {
        if rows > 0 {
            out.push(format!("{rows} rows of the events do not count, because they have {what} (column {column:?})"));
        }
    }
    for (kind, measures) in [
        (EventKind::Sends, &[MeasureKind::Sends, MeasureKind::OpenRate, MeasureKind::ClickRate, MeasureKind::ConversionRate][..]),
        (EventKind::Opens, &[MeasureKind::Opens, MeasureKind::OpenRate]),
        (EventKind::Clicks, &[MeasureKind::Clicks, MeasureKind::ClickRate]),
        (EventKind::Conversions, &[MeasureKind::Conversions, MeasureKind::ConversionRate]),
        (EventKind::Responses, &[MeasureKind::Responses]),
    ] {
        let wanted = plan.fold.measures.iter().any(|m| measures.contains(&m.kind));
        if wanted && !tally.values.is_empty() && tally.of(kind).next().is_none() {
            let other: Vec<String> = tally.of(EventKind::Other).map(|v| format!("{v:?}")).collect();
            let other = if other.is_empty() { "none".into() } else { other.join(", ") };
            out.push(format!(
                "no event counts as {} (values of column {:?} without a kind: {other}); say in [events.kinds] which do",
                kind.name(),
                events.event
            ));
        }
    }
    let sends: Vec<String> = tally.of(EventKind::Sends).map(|v| format!("{v:?}")).collect();
    if sends.len() > 1 && !events.kinds.keys().any(|name| name.kind() == EventKind::Sends) {
        out.push(format!(
            "{} all count as sends; if one message has several of them, say in [events.kinds] which one counts",
            sends.join(", ")
        ));
    }
    out
}
