//! What the job needs of the result of a query.

use std::path::{Path, PathBuf};

use rfmill_query_request::{Column, OrderColumns, Request, Source, SourceFile, Task, VERSION};

use super::sources::OpenSource;
use crate::job::Job;
use crate::job::query::{QueriedTable, Query};
use crate::job::raw::AmountUnit;
use crate::memory;
use crate::storage::Place;

/// The request for a query; its result goes into `scratch`.
pub(super) fn of(job: &Job, query: &Query, task: Task, sources: &[OpenSource], scratch: &Path) -> Request {
    // What this process holds is no longer there for the query.
    let left = |limit: u64| limit.saturating_sub(memory::resident().unwrap_or(0));
    Request {
        version: VERSION,
        task,
        key: query.table.key().into(),
        sql: query.sql.clone(),
        sources: sources.iter().zip(&job.sources).map(|(open, source)| source_of(open, source)).collect(),
        columns: match query.table {
            QueriedTable::Orders => order_columns(job),
            QueriedTable::Customers => customer_columns(job),
            QueriedTable::Events => event_columns(job),
            QueriedTable::Assignments(_) => {
                ["customer_id", "arm", "assigned_on"].map(|name| column(name, ASSIGNMENTS, false)).into()
            }
        },
        amount_scale: job.scale(),
        orders: repeated_money(job).filter(|_| query.table == QueriedTable::Orders),
        output: scratch.join(query.table.file_name()),
        scratch: scratch.to_owned(),
        memory_limit: job.memory_limit.map(left),
    }
}

/// The path of a file from the root.
fn absolute(place: &Place) -> PathBuf {
    let path = place.local().unwrap_or(Path::new(""));
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn source_of(open: &OpenSource, source: &crate::job::query::DataSource) -> Source {
    let file = |file: &super::sources::SourceFile| SourceFile {
        path: file.copy.clone().unwrap_or_else(|| absolute(&file.input.place)),
        name: file.name(),
        partitions: file.input.partitions.clone(),
    };
    Source { name: open.name.clone(), format: open.format, files: open.files.iter().map(file).collect(), csv: source.csv.clone() }
}

fn column(name: &str, key: &str, is_money: bool) -> Column {
    Column { name: name.into(), key: key.into(), is_money }
}

/// The key that asks for the columns of assignments.
const ASSIGNMENTS: &str = "strategy.assignments";

/// The columns that every order has; rfmill looks for the others in the result.
fn order_columns(job: &Job) -> Vec<Column> {
    let orders = &job.raw.orders;
    let mut columns =
        vec![column(&orders.customer_id, "orders.customer_id", false), column(&orders.ordered_at, "orders.ordered_at", false)];
    // Minor units stay integers.
    let is_money = orders.amount_unit == AmountUnit::Major;
    columns.extend(orders.amount.as_slice().iter().map(|name| column(name, "orders.amount", is_money)));
    columns.extend(orders.cost.iter().map(|name| column(name, "orders.cost", is_money)));
    columns.extend(job.order_id().iter().map(|name| column(name, "orders.order_id", false)));
    columns
}

fn customer_columns(job: &Job) -> Vec<Column> {
    let Some(customers) = &job.raw.customers else { return Vec::new() };
    let mut columns = vec![column(&customers.customer_id, "customers.customer_id", false)];
    columns.extend(customers.dimensions.iter().map(|name| column(name, "customers.dimensions", false)));
    columns
}

fn event_columns(job: &Job) -> Vec<Column> {
    let Some(events) = &job.raw.events else { return Vec::new() };
    vec![
        column(&events.customer_id, "events.customer_id", false),
        column(&events.event, "events.event", false),
        column(&events.at, "events.at", false),
    ]
}

/// The columns by which an order's money would be seen to repeat.
fn repeated_money(job: &Job) -> Option<OrderColumns> {
    let orders = &job.raw.orders;
    match (job.order_id(), orders.amount.as_slice()) {
        ([order], [amount]) => {
            Some(OrderColumns { customer: orders.customer_id.clone(), order: order.clone(), amount: amount.clone() })
        }
        _ => None,
    }
}
