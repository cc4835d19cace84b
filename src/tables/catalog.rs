//! All tables of a job, in the order in which they are printed, and those with a row per customer.
//!
//! Tables with a row per customer are written column by column and never become rows, so they are declared as lists.

use super::definition::{ColumnDefinition, ColumnType, TableDefinition};
use super::dimensions::{PeriodRow, StateRow};
use super::movement::{CohortRow, ConcentrationRow, GrowthRow, TransitionRow};
use super::row::Row;
use super::strategies::{ArmRow, BalanceRow, BeforeAfterRow, EffectRow, PooledEffectRow, VerdictRow};
use super::summaries::{CutPointRow, LedgerRow, SegmentRow};
use crate::domain::IdType;
use crate::job::Job;

/// The tables of a job, whose `customers` has these columns after the id and the slice.
pub fn definitions(job: &Job, columns: &[ColumnDefinition], id: IdType) -> Vec<TableDefinition> {
    let scale = job.scale() as i8;
    let has_slices = job.raw.orders.slice.is_some();
    let mut tables = vec![
        customers(columns, id, has_slices),
        CutPointRow::definition(scale),
        SegmentRow::definition(scale),
        TransitionRow::definition(scale),
        movers(id, has_slices),
        state_history(id, has_slices),
        GrowthRow::definition(scale),
        CohortRow::definition(scale),
        ConcentrationRow::definition(scale),
        StateRow::definition(scale),
        PeriodRow::definition(scale),
    ];
    if !job.strategies.is_empty() {
        tables.extend([
            EffectRow::definition(scale),
            PooledEffectRow::definition(scale),
            VerdictRow::definition(scale),
            BalanceRow::definition(scale),
            BeforeAfterRow::definition(scale),
            ArmRow::definition(scale),
        ]);
    }
    tables.push(LedgerRow::definition(scale));
    tables
}

fn as_of() -> ColumnDefinition {
    ColumnDefinition::new("as_of", ColumnType::Date, "Last date counted, inclusive.")
}

/// The id, and the slice in a job with slices.
fn customer(id: IdType, has_slices: bool) -> impl Iterator<Item = ColumnDefinition> {
    let slice = "Value of the slice column; (all) in a job without slices, (none) or null for who never ordered.";
    let slice = has_slices.then(|| ColumnDefinition::new("slice", ColumnType::State, slice));
    let id = ColumnDefinition::new("customer_id", ColumnType::Id(id), "The customer, as the orders name them.");
    std::iter::once(id).chain(slice)
}

fn customers(columns: &[ColumnDefinition], id: IdType, has_slices: bool) -> TableDefinition {
    TableDefinition {
        name: "customers",
        one_row_per: "customer (and slice) at an as-of date",
        columns: [as_of()].into_iter().chain(customer(id, has_slices)).chain(columns.iter().cloned()).collect(),
    }
}

fn movers(id: IdType, has_slices: bool) -> TableDefinition {
    let columns = [
        ColumnDefinition::new("scheme", ColumnType::State, "Scheme column of the job, such as segment."),
        ColumnDefinition::new("from_as_of", ColumnType::Date, "The earlier date that is compared with."),
        ColumnDefinition::new("from_state", ColumnType::State, "State at the earlier date."),
        ColumnDefinition::new("to_state", ColumnType::State, "State at the as-of date."),
        ColumnDefinition::new(
            "reason",
            ColumnType::State,
            "behaviour: the state would have changed under the earlier cut points, too; cut_points: only they moved; null under ntile.",
        ),
    ];
    TableDefinition {
        name: "movers",
        one_row_per: "customer (and slice) whose state of a scheme changed since an earlier date",
        columns: [as_of()].into_iter().chain(customer(id, has_slices)).chain(columns).collect(),
    }
}

fn state_history(id: IdType, has_slices: bool) -> TableDefinition {
    let columns = [
        ColumnDefinition::new("scheme", ColumnType::State, "Scheme column of the job, such as segment."),
        ColumnDefinition::new("state", ColumnType::State, "State of that scheme."),
        ColumnDefinition::new("valid_from", ColumnType::Date, "First of the job's as-of dates in that state."),
        ColumnDefinition::new(
            "valid_to",
            ColumnType::Date,
            "Day before the as-of date that found another state; null while the state holds.",
        ),
    ];
    TableDefinition {
        name: "state_history",
        one_row_per: "customer (and slice), scheme and unbroken stay in a state",
        columns: customer(id, has_slices).chain(columns).collect(),
    }
}
