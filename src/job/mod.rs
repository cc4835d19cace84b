//! The validated job: every default filled in, every date and path resolved.
//!
//! [`raw`] is the file as written, [`parse`] reads it, [`resolve()`] makes a [`Job`] of it. Nothing here opens data.

mod calendar;
mod cohorts;
mod event_kinds;
pub mod parse;
pub mod paths;
mod periods;
mod place;
pub mod query;
pub mod raw;
mod resolve;
pub mod strategy;
mod trend;

use crate::domain::{AsOf, Day, Horizons, Lookback, Ratio, format_money};
use crate::storage::Place;
use parse::Source;
use paths::InputPaths;
use query::{DataSource, Query};
use raw::{AmountUnit, Closed, Count, Levels, Method, MonetaryAs, MonetaryPolicy, OneOrMany, RawJob, TableName, Ties};

pub use calendar::unit_called;
pub use cohorts::CohortsBy;
pub use event_kinds::{JobEventKinds, ValueColumn};
pub use resolve::{Overrides, resolve};
pub use strategy::{Strategy, Threshold};

/// A job that can be run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The job as written, with defaults; what the manifest shows.
    pub raw: RawJob,
    /// The job file.
    pub source: Source,
    /// Tables that are the result of queries.
    pub queries: Vec<Query>,
    /// The tables that queries may name.
    pub sources: Vec<DataSource>,
    /// Where the orders are; no pattern if a query makes them.
    pub paths: InputPaths,
    /// Where the customers table is; no pattern without one, too.
    pub customer_paths: InputPaths,
    /// Where the events are; no pattern without any, too.
    pub event_paths: InputPaths,
    /// What values of the event column count as, and what values events have.
    pub event_kinds: JobEventKinds,
    /// All dates to compute, ascending: the job's as-of dates, those of its trend, and those they are compared with.
    pub dates: Vec<AsOf>,
    /// Per date the earlier dates that its states are compared with, as places in `dates`, ascending.
    pub origins: Vec<Vec<usize>>,
    /// Per date what reports call its period.
    pub labels: Vec<String>,
    /// Scoring.
    pub score: Score,
    /// Scheme columns in the order of the tables.
    pub schemes: Vec<SchemeUse>,
    /// The horizon that is forecast, and past ones.
    pub forecast: Option<Horizons>,
    /// Treatments to evaluate by the assignments of their customers.
    pub strategies: Vec<Strategy>,
    /// Treatments of everybody beyond a cut.
    pub thresholds: Vec<Threshold>,
    /// The newest order must be at most this many days older than the last as-of date.
    pub newest_order_within: Option<i32>,
    /// By what `cohorts` has rows besides those of everybody.
    pub cohorts_by: CohortsBy,
    /// File of acquisition costs: as written, and joined to the job file's folder.
    pub acquisition: Option<(String, Place)>,
    /// The output.
    pub output: Place,
    /// Tables to write.
    pub tables: Vec<TableName>,
    /// Day before which there were no orders, as the job says.
    pub history_begins: Option<Day>,
    /// Committed runs that stay.
    pub keep_runs: u32,
    /// Whether the output folder becomes that of this job, whosever it was.
    pub adopt: bool,
    /// Bytes of memory that a run may use.
    pub memory_limit: Option<u64>,
    /// Input rows per part, about; `None` as many as serve readers well.
    pub part_rows: Option<u64>,
}

/// Scoring, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Scores per axis.
    pub bins: u32,
    /// Recency, frequency, monetary.
    pub axes: [AxisSpec; 3],
    /// The job's lookback.
    pub lookback: Lookback,
    /// What frequency counts.
    pub count: Count,
    /// What monetary is.
    pub monetary_as: MonetaryAs,
    /// What divides high from low.
    pub levels: Levels,
    /// Whose cuts count.
    pub cuts: Cuts,
}

/// How an axis is scored.
#[derive(Debug, Clone, PartialEq)]
pub struct AxisSpec {
    /// The method.
    pub method: Method,
    /// Which rank equal values get (`rank`).
    pub ties: Ties,
    /// Which bin a value on a cut belongs to (`thresholds`).
    pub closed: Closed,
    /// Explicit cuts in the integers of the measure (`thresholds`).
    pub cuts: Vec<Ratio>,
    /// How many integers make one printed unit: 1, or `10^scale` for money.
    pub printed_unit: i128,
}

/// Whose cuts count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cuts {
    /// Every as-of date has its own.
    Each,
    /// Those of the first as-of date.
    Frozen,
    /// Those of a `cutpoints` table.
    Table(Place),
}

/// A column of states and the scheme that fills it.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemeUse {
    /// The column.
    pub column: String,
    /// Built-in name or path of a scheme file.
    pub scheme: String,
    /// State = conditions that replace those of the file.
    pub rules: toml::Table,
    /// Slice value = state = conditions.
    pub overrides: toml::Table,
}

impl Job {
    /// Digits behind the point of the money.
    pub fn scale(&self) -> u32 {
        self.raw.orders.amount_scale
    }

    /// Minor units as the job prints money.
    pub fn money(&self, minor: i128) -> String {
        format_money(minor, self.scale())
    }

    /// Digits by which integers of money are raised to minor units.
    pub fn raised_digits(&self) -> u32 {
        match self.raw.orders.amount_unit {
            AmountUnit::Major => self.scale(),
            AmountUnit::Minor => 0,
        }
    }

    /// The columns of the order id; empty if rows are orders.
    pub fn order_id(&self) -> &[String] {
        self.raw.orders.order_id.as_ref().map_or(&[], OneOrMany::as_slice)
    }

    /// Digits behind the point of `monetary`.
    pub fn monetary_scale(&self) -> u32 {
        self.scale() + if self.score.monetary_as == MonetaryAs::Average { 2 } else { 0 }
    }

    /// The dimensions of the customers table.
    pub fn dimensions(&self) -> &[String] {
        self.raw.customers.as_ref().map_or(&[], |customers| &customers.dimensions)
    }

    /// Whether returns lower the money.
    pub fn is_net(&self) -> bool {
        self.raw.orders.monetary == MonetaryPolicy::Net
    }

    /// The last as-of date.
    pub fn last(&self) -> Day {
        self.dates.last().map_or(Day::MIN, |d| d.date)
    }

    /// The as-of dates that the job publishes, with their places in `dates`.
    pub fn published(&self) -> impl Iterator<Item = (usize, &AsOf)> {
        self.dates.iter().enumerate().filter(|(_, d)| d.is_published())
    }

    /// The last date.
    pub fn last_date(&self) -> Day {
        self.dates.last().map_or(Day::MIN, |date| date.date)
    }

    /// The dates of which summed tables have rows, with their places in `dates`.
    pub fn shown(&self) -> impl Iterator<Item = (usize, &AsOf)> {
        self.dates.iter().enumerate().filter(|(_, d)| d.is_shown())
    }

    /// The place of the date before the one at `place` from which states are followed.
    pub fn followed_before(&self, place: usize) -> Option<usize> {
        (0..place).rev().find(|d| self.dates[*d].is_followed())
    }

    /// The strategies that have a table of assignments: those that are evaluated by it, then those of design threshold with a table
    /// of who was treated.
    pub fn assigned(&self) -> impl Iterator<Item = &Strategy> {
        self.strategies.iter().chain(self.thresholds.iter().filter_map(|threshold| threshold.treated.as_ref()))
    }

    /// Whether a table is to be written.
    pub fn writes(&self, table: TableName) -> bool {
        self.tables.contains(&table)
    }
}
