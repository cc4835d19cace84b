//! What a run should tell besides its tables: findings that stop nothing, as values. Their sentences are made where they are
//! shown, by `Display`.

use std::fmt::{self, Display, Formatter};

use super::date::Day;
use super::event::EventKind;
use super::measure::{FORMER_NAME, MeasureKind};
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

impl Display for Warning {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Warning::Scheme(finding) => write!(f, "{finding}"),
            Warning::FormerName => write!(
                f,
                "the measure {FORMER_NAME:?} is called {:?}, since everybody has it and few are at risk; write that in the job and in its scheme files",
                MeasureKind::AnnualValue.name()
            ),
            Warning::EventsNotRead => f.write_str(
                "the events are not read, because no scheme, column or score.only of the job looks at them; see the scheme engagement",
            ),
            Warning::OrdersBeforeHistory { begins, first } => write!(
                f,
                "orders.history_begins says that there were no orders before {begins}, but the first is of {first}, so it does not count; give the day on which orders began, or leave the key out"
            ),
            Warning::TiedScores { slice, share, empty, scores, states } => {
                let place = slice.as_ref().map(|slice| format!(" of slice {slice:?}")).unwrap_or_default();
                write!(f, "{:.0} % of customers{place} share one frequency: {empty} of {scores} scores", share * 100.0)?;
                if let Some((empty, all, column)) = states {
                    write!(f, " and {empty} of {all} states of {column:?}")?;
                }
                f.write_str(" are empty")
            }
            Warning::EmptyIds { orders, column } => write!(
                f,
                "{orders} orders carry an empty customer id and count as one customer; leave them out with a filter such as [[orders.keep]] column = {column:?}, not_in = [\"\"]"
            ),
            Warning::RepeatedMoney { orders, repeated, rows, column } => write!(
                f,
                "orders.query joins tables, and {repeated} of the {orders} orders of several rows carry the same {column:?} on each of their {rows} rows, which add up; if that is the money of the whole order, keep one row per order (GROUP BY), or take the money of the line"
            ),
            Warning::ShortHistory { data_begin, first, dates } => {
                let dates = match dates {
                    1 => format!("at {first}"),
                    n => format!("at {n} as-of dates from {first}"),
                };
                write!(f, "the data begin on {data_begin}, after a lookback {dates} does (history_complete is false there)")
            }
            Warning::OldOrders { newest, as_of, column } => write!(
                f,
                "the newest order (column {column:?}) is of {newest}, {} days before the as-of date {as_of}; look for a missing file or partition, or say with checks.newest_order_within how old it may be",
                as_of.0 - newest.0
            ),
            Warning::PassedOver { folder, count, examples, parquet, linked_folders } => {
                passed_over(f, folder, *count, examples, *parquet, *linked_folders)
            }
            Warning::ColumnMissing { column, files, all, first } => {
                let lack = if *files == 1 { "lacks" } else { "lack" };
                write!(f, "{files} of {all} files {lack} the column {column:?}, which is null there (the first is {first})")
            }
            Warning::CustomersWithoutId { rows, column } => write!(
                f,
                "{rows} rows of the customers table have no customer (column {column:?} is null) and do not count"
            ),
            Warning::EventsOfUnknownCustomers { events, last, has_customers } => {
                let table = if *has_customers { " and do not stand in the customers table" } else { "" };
                write!(f, "{events} events do not count, because their customers have no order up to {last}{table}")
            }
            Warning::IncompleteEvents { rows, lacking, column } => {
                write!(f, "{rows} rows of the events do not count, because they have no {lacking} (column {column:?})")
            }
            Warning::NoEventOfKind { kind, column, other } => {
                let other = if other.is_empty() { "none".into() } else { quoted(other) };
                write!(
                    f,
                    "no event counts as {} (values of column {column:?} without a kind: {other}); say in [events.kinds] which do",
                    kind.name()
                )
            }
            Warning::SeveralSends { values } => write!(
                f,
                "{} all count as sends; if one message has several of them, say in [events.kinds] which one counts",
                quoted(values)
            ),
            Warning::Orders(finding) => write!(f, "{finding}"),
            Warning::SideTable(table) => table.write_warning(f),
            Warning::Strategy { name, finding } => write!(f, "strategy {name:?}: {finding}"),
        }
    }
}

impl Display for StrategyWarning {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            StrategyWarning::Rejected { rows, read, reasons } => {
                let reasons: Vec<String> = reasons.iter().map(|(reason, rows)| format!("{rows} {reason}")).collect();
                write!(f, "{rows} of {read} rows of its assignments are rejected ({})", reasons.join(", "))
            }
            StrategyWarning::OutsidePeriods { rows, read } => {
                write!(f, "{rows} of {read} assignments lie in none of its periods and do not count")
            }
            StrategyWarning::Repeated { rows } => {
                write!(f, "{rows} assignments repeat an earlier one of their customer, arm and period; the earliest counts")
            }
            StrategyWarning::WithoutCost { rows } => write!(f, "{rows} assignments have no cost, which counts as 0"),
            StrategyWarning::SeveralArms { times } => {
                write!(f, "{times} times a customer is in several arms of one period and left out of it")
            }
            StrategyWarning::WholeColumn { column } => write!(
                f,
                "each value of {column:?} lies wholly in one arm, as if these had been drawn and not customers, whom the test takes for the draws; cluster = {column:?} takes these"
            ),
            StrategyWarning::WithoutOrders { assignments } => {
                write!(f, "{assignments} assignments are of customers without orders, whose outcomes are all 0")
            }
            StrategyWarning::Overlapping { assignments, outcome } => {
                write!(f, "{assignments} assignments are of customers whom another strategy treats at the same time; {outcome}")
            }
            StrategyWarning::FuturePeriod { period, last } => {
                write!(f, "the period {period} begins after the last as-of date {last}, so nothing is known of it")
            }
            StrategyWarning::NoBaseline { period } => {
                write!(f, "the data begin after its baseline, so the period {period} has none")
            }
            StrategyWarning::UnknownDays(days) => write!(f, "days of its period {days}"),
            StrategyWarning::UnknownBaseline(days) => {
                write!(f, "days of its baseline {days}, so a change since then looks larger than it is")
            }
        }
    }
}

impl Display for Overlapping {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Overlapping::Kept => f.write_str("they stay in this one (overlap = \"keep\")"),
            Overlapping::Excluded { excluded } => {
                write!(f, "{excluded} of them, whom it treated first or since the same day, are left out (overlap = \"exclude\")")
            }
            Overlapping::LaterExcluded { excluded } => {
                write!(
                    f,
                    "{excluded} whose customers were assigned to another strategy first or on the same day are left out (overlap = \"first\")"
                )
            }
        }
    }
}

impl Display for UnknownDays {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let UnknownDays { time, first_order, unknown } = self;
        let days = time.days();
        write!(f, "{time} lie before the first order ({first_order}; {unknown} of {days} days) and count as days without orders")
    }
}

/// Files of a folder that are passed over.
fn passed_over(
    f: &mut Formatter<'_>,
    folder: &str,
    count: u64,
    examples: &[String],
    parquet: u64,
    linked_folders: u64,
) -> fmt::Result {
    let (are, their_names_do) = if count == 1 { ("is", "its name does") } else { ("are", "their names do") };
    let more = if count > examples.len() as u64 { ", …" } else { "" };
    let files = plural(count as usize, "file");
    let names = quoted(examples);
    write!(f, "{files} of the folder {folder} {are} passed over, since {their_names_do} not end in .parquet ({names}{more})")?;
    let some = |n: u64| if count == 1 { "it".to_owned() } else { format!("{n} of them") };
    match linked_folders {
        0 => {}
        1 => write!(f, "; {} is a link to a folder: name that folder itself", some(1))?,
        n => write!(f, "; {} are links to folders: name those folders themselves", some(n))?,
    }
    match parquet {
        0 => Ok(()),
        1 => write!(f, "; {} begins as Parquet files do: rename it, or name it by a glob", some(1)),
        n => write!(f, "; {} begin as Parquet files do: rename them, or name them by a glob", some(n)),
    }
}

fn plural(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}
