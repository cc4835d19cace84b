//! All tables of a job, in the order in which they are printed, and those with a row per customer.
//!
//! Tables with a row per customer are written column by column and never become rows, so they are declared as lists.

use super::declarations::{
    AffinityRow, ArmRow, BacktestRow, BalanceRow, BeforeAfterRow, CohortRow, ConcentrationRow, CutPointRow, DateRow, EffectRow,
    EffectToDateRow, ForecastRow, GrowthRow, LedgerRow, MoveRow, PeriodRow, PooledEffectRow, RestatementRow, SegmentRow,
    StateRow, ThresholdBinRow, ThresholdRow, TransitionRow, VerdictRow,
};
use super::definition::{ColumnDefinition, ColumnType, TableDefinition};
use super::row::Row;
use crate::domain::IdType;
use crate::job::Job;
use crate::job::raw::TableName;

/// Digits of sums of money, unless a job wants all.
const NARROW: u8 = 18;

/// A table of rows as a job has it.
pub fn definition_of<R: Row>(job: &Job) -> TableDefinition {
    let mut table = R::definition(job.scale() as i8);
    // The sums of arms are what other tables are computed from, and squares among them.
    if !job.raw.output.wide_sums && table.name != ArmRow::TABLE {
        for column in &mut table.columns {
            if let ColumnType::Decimal(digits, _) = &mut column.kind {
                *digits = NARROW;
            }
        }
    }
    table
}

/// The tables of a job, whose `customers` has these columns after the id and the slice.
pub fn definitions(job: &Job, columns: &[ColumnDefinition], id: IdType) -> Vec<TableDefinition> {
    let has_slices = job.raw.orders.slice.is_some();
    let mut tables = vec![
        customers(columns, id, has_slices),
        definition_of::<CutPointRow>(job),
        definition_of::<SegmentRow>(job),
        definition_of::<TransitionRow>(job),
        movers(id, has_slices),
        state_history(id, has_slices),
        definition_of::<GrowthRow>(job),
        definition_of::<CohortRow>(job),
        definition_of::<ConcentrationRow>(job),
        definition_of::<StateRow>(job),
        definition_of::<PeriodRow>(job),
        definition_of::<DateRow>(job),
        definition_of::<RestatementRow>(job),
    ];
    if job.writes(TableName::Affinity) {
        let after = tables.iter().position(|table| table.name == ConcentrationRow::TABLE).map_or(tables.len(), |at| at + 1);
        tables.insert(after, definition_of::<AffinityRow>(job));
    }
    if job.forecast.is_some() {
        let before = tables.iter().position(|table| table.name == StateRow::TABLE).unwrap_or(tables.len());
        tables.splice(before..before, [definition_of::<ForecastRow>(job), definition_of::<BacktestRow>(job)]);
    }
    if !job.raw.strategy.is_empty() {
        tables.extend([
            definition_of::<EffectRow>(job),
            definition_of::<PooledEffectRow>(job),
            definition_of::<EffectToDateRow>(job),
            definition_of::<VerdictRow>(job),
            definition_of::<BalanceRow>(job),
            definition_of::<BeforeAfterRow>(job),
        ]);
        if !job.thresholds.is_empty() {
            tables.extend([definition_of::<ThresholdRow>(job), definition_of::<ThresholdBinRow>(job)]);
        }
        tables.push(definition_of::<ArmRow>(job));
    }
    tables.push(definition_of::<LedgerRow>(job));
    tables
}

/// The columns that tell the rows of a dimension apart; `None` for other tables.
pub fn key_of(table: &str) -> Option<&'static [&'static str]> {
    match table {
        StateRow::TABLE => Some(&["scheme", "state"]),
        PeriodRow::TABLE => Some(&["as_of"]),
        DateRow::TABLE => Some(&["day"]),
        _ => None,
    }
}

/// The tables of rows that views read, where money has `money_scale` digits after the point.
pub fn read_by_views(money_scale: i8) -> [TableDefinition; 7] {
    [
        SegmentRow::definition(money_scale),
        TransitionRow::definition(money_scale),
        StateRow::definition(money_scale),
        PeriodRow::definition(money_scale),
        DateRow::definition(money_scale),
        EffectRow::definition(money_scale),
        VerdictRow::definition(money_scale),
    ]
}

fn as_of() -> ColumnDefinition {
    ColumnDefinition::new("as_of", ColumnType::Date, "Last date counted, inclusive.")
}

fn customer_id(id: IdType) -> ColumnDefinition {
    ColumnDefinition::new("customer_id", ColumnType::Id(id), "The customer, as the orders name them.")
}

/// The slice, in a job with slices.
fn slice(has_slices: bool) -> Option<ColumnDefinition> {
    let slice = "Value of the slice column; (all) in a job without slices, (none) or null for who never ordered.";
    has_slices.then(|| ColumnDefinition::new("slice", ColumnType::State, slice))
}

fn customers(columns: &[ColumnDefinition], id: IdType, has_slices: bool) -> TableDefinition {
    TableDefinition {
        name: "customers",
        one_row_per: "customer (and slice) at an as-of date",
        columns: [as_of(), customer_id(id)].into_iter().chain(slice(has_slices)).chain(columns.iter().cloned()).collect(),
    }
}

/// The columns of a row that counts movers, with the id in place of the count.
fn movers(id: IdType, has_slices: bool) -> TableDefinition {
    let mut table = MoveRow::definition(0);
    table.columns.retain(|column| column.name != "customers" && (has_slices || column.name != "slice"));
    table.columns.insert(1, customer_id(id));
    table
}

fn state_history(id: IdType, has_slices: bool) -> TableDefinition {
    let until = "Day before the as-of date that found another state; null while the state holds.";
    let columns = [
        ColumnDefinition::new("scheme", ColumnType::State, "Scheme column of the job, such as segment."),
        ColumnDefinition::new("state", ColumnType::State, "State of that scheme."),
        ColumnDefinition::new("valid_from", ColumnType::Date, "First of the job's as-of dates in that state."),
        ColumnDefinition::new("valid_to", ColumnType::Date, until),
    ];
    TableDefinition {
        name: "state_history",
        one_row_per: "customer (and slice), scheme and unbroken stay in a state",
        columns: [customer_id(id)].into_iter().chain(slice(has_slices)).chain(columns).collect(),
    }
}
