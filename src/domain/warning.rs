//! What a run should tell besides its tables: findings that stop nothing, as values. Their sentences are made where they are
//! shown, by `Display`.

use super::date::Day;
use super::event::EventKind;
use super::orders_warning::OrdersWarning;
use super::period::Period;
use super::scheme_warning::SchemeWarning;
use super::side_table::SideTable;

/// A finding about a job or its data.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// A finding about a scheme.
    Scheme(SchemeWarning),
    /// The job names a measure as it was once called.
    FormerName,
    /// Nothing in the job looks at the events.
    EventsNotRead,
    /// Orders lie before the day on which the job says that they began.
    OrdersBeforeHistory {
        /// That day.
        begins: Day,
        /// The day of the first order.
        first: Day,
    },
    /// Many customers share one frequency, so that scores are empty.
    TiedScores {
        /// The slice; `None` in a job without slices.
        slice: Option<String>,
        /// Share of the customers who have that frequency.
        share: f64,
        /// Empty scores.
        empty: usize,
        /// All scores.
        scores: u32,
        /// States that are empty with them, all states, and their scheme column.
        states: Option<(usize, usize, String)>,
    },
    /// Orders carry an empty customer id.
    EmptyIds {
        /// How many orders.
        orders: u64,
        /// The column.
        column: String,
    },
    /// A query joins tables, and orders of several rows carry the same money on each of them.
    RepeatedMoney {
        /// Orders of several rows.
        orders: u64,
        /// Those with the same money on each row.
        repeated: u64,
        /// The rows of these.
        rows: u64,
        /// The column.
        column: String,
    },
    /// Lookbacks begin before the data do.
    ShortHistory {
        /// The day of the first order.
        data_begin: Day,
        /// The first as-of date that is concerned.
        first: Day,
        /// How many are.
        dates: usize,
    },
    /// Too few customers have bought on two days for a forecast.
    NoForecast {
        /// Of the slices without one, the first and how many there are, and all slices; `None` in a job without slices.
        slices: Option<(String, usize, usize)>,
        /// How many would do.
        least: usize,
    },
    /// Over past horizons, simple rules told purchases as well as the model or better.
    UnprovenForecast {
        /// Of the slices where they did, the first and how many there are, and all slices; `None` in a job without slices.
        slices: Option<(String, usize, usize)>,
    },
    /// The newest order is long before the last as-of date.
    OldOrders {
        /// The day of the newest order.
        newest: Day,
        /// The last as-of date.
        as_of: Day,
        /// The column of the dates.
        column: String,
    },
    /// Files of a folder are not read.
    PassedOver {
        /// The folder.
        folder: String,
        /// How many files and links.
        count: u64,
        /// Some names of them.
        examples: Vec<String>,
        /// How many of them begin as Parquet files do.
        parquet: u64,
        /// How many of them are links to folders.
        linked_folders: u64,
    },
    /// Some files lack a column.
    ColumnMissing {
        /// The column.
        column: String,
        /// How many files lack it.
        files: u64,
        /// How many files there are.
        all: u64,
        /// The first file without it.
        first: String,
    },
    /// Rows of the customers table have no id.
    CustomersWithoutId {
        /// How many rows.
        rows: u64,
        /// The column.
        column: String,
    },
    /// Events are of customers whom no other input has.
    EventsOfUnknownCustomers {
        /// How many events.
        events: u64,
        /// The last as-of date.
        last: Day,
        /// Whether the job has a customers table.
        has_customers: bool,
    },
    /// Rows of the events lack what every event has.
    IncompleteEvents {
        /// How many rows.
        rows: u64,
        /// What they lack: customer, date or event.
        lacking: &'static str,
        /// The column.
        column: String,
    },
    /// A measure needs a kind of events that no event is of.
    NoEventOfKind {
        /// The kind.
        kind: EventKind,
        /// The column of kinds.
        column: String,
        /// Its values that are of no kind.
        other: Vec<String>,
    },
    /// Several values of the event column count as sends.
    SeveralSends {
        /// The values.
        values: Vec<String>,
    },
    /// A finding about the rows of orders.
    Orders(OrdersWarning),
    /// Few ids of a table beside the orders have one.
    SideTable(SideTable),
    /// A finding about a strategy.
    Strategy {
        /// The strategy.
        name: String,
        /// The finding.
        finding: StrategyWarning,
    },
}

/// A finding about a strategy and its assignments.
#[derive(Debug, Clone, PartialEq)]
pub enum StrategyWarning {
    /// Rows of the assignments break their contract.
    Rejected {
        /// How many rows.
        rows: u64,
        /// Rows that were read.
        read: u64,
        /// Rows by reason.
        reasons: Vec<(&'static str, u64)>,
    },
    /// Assignments lie in no period.
    OutsidePeriods {
        /// How many.
        rows: u64,
        /// Rows that were read.
        read: u64,
    },
    /// Assignments repeat an earlier one.
    Repeated {
        /// How many.
        rows: u64,
    },
    /// Assignments have no cost.
    WithoutCost {
        /// How many.
        rows: u64,
    },
    /// Customers are in several arms of a period.
    SeveralArms {
        /// How often.
        times: u64,
    },
    /// Each value of a column of the assignments lies wholly in one arm.
    WholeColumn {
        /// The column.
        column: String,
    },
    /// Assigned customers have no orders.
    WithoutOrders {
        /// Assignments of such customers.
        assignments: u64,
    },
    /// Other strategies treat customers at the same time.
    Overlapping {
        /// Assignments of such customers.
        assignments: u64,
        /// What becomes of them.
        outcome: Overlapping,
    },
    /// A period begins after the last as-of date.
    FuturePeriod {
        /// The period.
        period: Period,
        /// The last as-of date.
        last: Day,
    },
    /// The data begin after the baseline of a period.
    NoBaseline {
        /// The period.
        period: Period,
    },
    /// Much of a period lies before the first order.
    UnknownDays(UnknownDays),
    /// Much of a baseline lies before the first order.
    UnknownBaseline(UnknownDays),
}

/// What becomes of customers who are in another strategy at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlapping {
    /// They stay.
    Kept,
    /// Those whom the other treated first, or since the same day, are left out.
    Excluded {
        /// How many assignments these are.
        excluded: u64,
    },
    /// Customers who were assigned to another strategy first, or on the same day, are left out.
    LaterExcluded {
        /// How many assignments these are.
        excluded: u64,
    },
}

/// Days before the first order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownDays {
    /// The time they are a part of.
    pub time: Period,
    /// The day of the first order.
    pub first_order: Day,
    /// How many days of that time lie before it.
    pub unknown: i32,
}
