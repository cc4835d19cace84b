//! What a report is made from: the rows of a run's summed tables and facts of the run. No customer id is in it.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::language::Language;
use super::value::{Column, Value};
use crate::domain::{Day, Decimal};

/// A row of a table.
pub trait Row: Sized {
    /// The table.
    const TABLE: &'static str;
    /// Its columns.
    const COLUMNS: &'static [&'static str];
    /// Reads a row, given a way to take a column by name (null if the table lacks it); the name of a column that does not
    /// fit otherwise.
    ///
    /// # Errors
    /// The first column that is missing, null or of another type where the report needs it.
    fn from_values(take: &mut dyn FnMut(&str) -> Value) -> Result<Self, &'static str>;
    /// Its cells, as in [`Row::COLUMNS`].
    fn values(&self) -> Vec<Value>;
    /// Whether numbers of it are suppressed.
    fn suppressed(&self) -> bool;
}

macro_rules! rows {
    ($($(#[$meta:meta])* $name:ident from $table:literal { $($field:ident: $kind:ty,)* })*) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $(
                #[doc = concat!("Column `", stringify!($field), "`.")]
                pub $field: $kind,
            )*
            /// Whether numbers of this row are null because they would tell of a group below `min_group`.
            pub suppressed: bool,
        }

        impl Row for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn from_values(take: &mut dyn FnMut(&str) -> Value) -> Result<Self, &'static str> {
                Ok($name {
                    $($field: Column::from_value(take(stringify!($field))).ok_or(stringify!($field))?,)*
                    suppressed: false,
                })
            }

            fn values(&self) -> Vec<Value> {
                vec![$(self.$field.to_value()),*]
            }

            fn suppressed(&self) -> bool {
                self.suppressed
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(Self::COLUMNS.len() + usize::from(self.suppressed)))?;
                $(map.serialize_entry(stringify!($field), &self.$field.to_value())?;)*
                if self.suppressed {
                    map.serialize_entry("suppressed", &true)?;
                }
                map.end()
            }
        }
    )* };
}

rows! {
    /// A state of a scheme at an as-of date.
    SegmentRow from "segments" {
        as_of: Day, slice: String, dimension: String, dimension_value: String, scheme: String, state: String,
        customers: Option<i64>, customer_share: Option<f64>, orders: Option<i64>, revenue: Option<Decimal>,
        revenue_share: Option<f64>, avg_order_value: Option<Decimal>, repeat_customers: Option<i64>,
        revenue_at_risk: Option<Decimal>, mean_recency_days: Option<f64>, mean_frequency: Option<f64>,
        mean_monetary: Option<Decimal>,
    }
    /// Customers who went from one state to another (or stayed) between two as-of dates.
    TransitionRow from "transitions" {
        as_of: Day, slice: String, dimension: String, dimension_value: String, scheme: String, from_state: String,
        to_state: String, from_as_of: Day, customers: Option<i64>, rate: Option<f64>, rate_low: Option<f64>,
        rate_high: Option<f64>, revenue: Option<Decimal>,
    }
    /// How many customers changed from one state to another, by reason: `movers`, counted.
    MoveRow from "moves" {
        as_of: Day, slice: String, scheme: String, from_as_of: Day, from_state: String, to_state: String,
        reason: Option<String>, customers: Option<i64>,
    }
    /// Growth accounting of a period.
    GrowthRow from "growth" {
        as_of: Day, slice: String, scheme: String, from_state: String, from_as_of: Option<Day>, customers: Option<i64>,
        active: Option<i64>, new: Option<i64>, retained: Option<i64>, resurrected: Option<i64>, lapsed: Option<i64>,
        inactive: Option<i64>, previous_active: Option<i64>, change: Option<i64>, retention_rate: Option<f64>,
        churn_rate: Option<f64>, reactivation_rate: Option<f64>, revenue: Option<Decimal>,
    }
    /// A cohort of first orders, some periods on.
    CohortRow from "cohorts" {
        as_of: Day, slice: String, cohort_start: Option<Day>, cohort_end: Option<Day>, periods_since: Option<i64>,
        customers: Option<i64>, active_customers: Option<i64>, retention_rate: Option<f64>,
        repeat_customers: Option<i64>, repeat_rate: Option<f64>, orders: Option<i64>, revenue: Option<Decimal>,
        revenue_to_date: Option<Decimal>, spend: Option<Decimal>, cac: Option<f64>, payback_ratio: Option<f64>,
    }
    /// How much of the revenue comes from few customers.
    ConcentrationRow from "concentration" {
        as_of: Day, slice: String, customers: Option<i64>, revenue: Option<Decimal>, top_1_share: Option<f64>,
        top_10_share: Option<f64>, top_20_share: Option<f64>, gini: Option<f64>,
    }
    /// A bin between cut points.
    CutPointRow from "cutpoints" {
        as_of: Day, slice: String, axis: String, bin: Option<i64>, lower: Option<f64>, upper: Option<f64>,
        lower_exact: Option<String>, upper_exact: Option<String>, closed: Option<String>, customers: Option<i64>,
    }
    /// What became of the rows of an input file.
    LedgerRow from "ledger" {
        file: String, outcome: String, row_count: Option<i64>, amount: Option<Decimal>,
    }
    /// The effect of a strategy in a period.
    EffectRow from "effects" {
        strategy: String, period_start: Option<Day>, period_end: Option<Day>, phase: Option<String>, arm: String,
        outcome: String, scheme: String, state: String, method: String, design: Option<String>, headline: Option<bool>,
        n_treated: Option<i64>, n_control: Option<i64>, mean_treated: Option<f64>, mean_control: Option<f64>,
        difference: Option<f64>, ci_low: Option<f64>, ci_high: Option<f64>, p_value: Option<f64>,
        p_adjusted: Option<f64>, family_size: Option<i64>, lift: Option<f64>, lift_low: Option<f64>,
        lift_high: Option<f64>, mde: Option<f64>, srm_p: Option<f64>, incremental: Option<f64>, cost: Option<f64>,
        roi: Option<f64>, roi_low: Option<f64>, roi_high: Option<f64>, net_margin_per_customer: Option<f64>,
        net_margin_low: Option<f64>, net_margin_high: Option<f64>, excluded: Option<i64>,
        not_estimable: Option<String>,
    }
    /// The effect of a strategy over all its periods.
    PooledRow from "effects_over_time" {
        strategy: String, phase: Option<String>, arm: String, outcome: String, scheme: String, state: String,
        method: String, periods: Option<i64>, n_treated: Option<i64>, n_control: Option<i64>,
        mean_control: Option<f64>, difference: Option<f64>, ci_low: Option<f64>, ci_high: Option<f64>,
        p_value: Option<f64>, lift: Option<f64>, lift_low: Option<f64>, lift_high: Option<f64>,
        q_difference: Option<f64>, q_difference_p: Option<f64>, q_lift: Option<f64>, q_lift_p: Option<f64>,
        recurring_share: Option<f64>, clustered: Option<bool>, not_estimable: Option<String>,
    }
    /// A strategy's customers before and after, described.
    BeforeAfterRow from "before_after" {
        strategy: String, period_start: Option<Day>, period_end: Option<Day>, arm: String, outcome: String,
        scheme: String, state: String, customers: Option<i64>, mean_before: Option<f64>, mean_after: Option<f64>,
        change: Option<f64>, expected_change: Option<f64>, note: Option<String>,
    }
    /// What to do with a strategy, and why.
    VerdictRow from "verdicts" {
        strategy: String, arm: String, period_start: Option<Day>, period_end: Option<Day>, scheme: String,
        state: String, verdict: String, reason: Option<String>, outcome: Option<String>, method: Option<String>,
        difference: Option<f64>, shrunk_difference: Option<f64>, shrunk_low: Option<f64>, rank: Option<i64>,
    }
    /// A state: its place on the ladder and what it is called.
    StateRow from "dim_state" {
        scheme: String, state: String, rank: Option<i64>, label_en: Option<String>, label_zh_hans: Option<String>,
        definition: Option<String>, action: Option<String>, colour: Option<String>,
    }
    /// The period that ends on an as-of date.
    PeriodRow from "dim_period" {
        as_of: Day, period_start: Option<Day>, period_end: Option<Day>, label: Option<String>,
        same_period_last_year: Option<Day>, is_partial: Option<bool>, history_complete: Option<bool>,
    }
}

/// A table of the run; `None` if the run did not write it.
pub type Table<T> = Option<Vec<T>>;

/// What does not stand in tables.
#[derive(Debug, Clone, Default)]
pub struct RunFacts {
    /// Name of the job.
    pub job_name: String,
    /// The run.
    pub run_id: String,
    /// Version of the program.
    pub version: String,
    /// As-of dates, ascending; the report is about the last one.
    pub as_of: Vec<Day>,
    /// The job with its defaults, as in `manifest.json`; the method text comes from it.
    pub job: serde_json::Value,
    /// Input files.
    pub input_files: u64,
    /// Input rows.
    pub input_rows: u64,
    /// Whether all inputs were checked against hashes given from outside.
    pub inputs_verified: bool,
    /// Checks that ran, with what they found.
    pub checks: Vec<Check>,
    /// Warnings of the run, as sentences.
    pub warnings: Vec<String>,
}

/// A check on the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its key in the job, such as `orders.max_rejected`.
    pub name: String,
    /// Its limit, as in the job.
    pub limit: String,
    /// Whether it passed.
    pub passed: bool,
}

/// How the job wants its reports.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Language of all text.
    pub language: Language,
    /// What stands beside money, such as `£` or `EUR`; nothing if empty.
    pub currency_label: String,
    /// Groups of fewer customers are suppressed; 1 suppresses nothing.
    pub min_group: i64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { language: Language::default(), currency_label: String::new(), min_group: 1 }
    }
}

macro_rules! report_data {
    ($($(#[$meta:meta])* $table:ident: $row:ty,)*) => {
        /// Everything a report is made from.
        #[derive(Debug, Clone, Default)]
        pub struct ReportData {
            /// Facts of the run.
            pub run: RunFacts,
            /// How the report is to be.
            pub settings: Settings,
            $($(#[$meta])* pub $table: Table<$row>,)*
        }

        impl ReportData {
            /// Goes through the tables, in a fixed order.
            pub(super) fn visit(&self, visitor: &mut impl TableVisitor) {
                $(visitor.table(stringify!($table), self.$table.as_deref());)*
            }
        }
    };
}

/// Somebody who goes through the tables.
pub(super) trait TableVisitor {
    /// Takes a table.
    fn table<R: Row + Serialize>(&mut self, name: &'static str, rows: Option<&[R]>);
}

report_data! {
    /// States at every as-of date.
    segments: SegmentRow,
    /// Changes between as-of dates.
    transitions: TransitionRow,
    /// Movers, counted by reason.
    moves: MoveRow,
    /// Growth accounting.
    growth: GrowthRow,
    /// Cohorts.
    cohorts: CohortRow,
    /// Concentration of revenue.
    concentration: ConcentrationRow,
    /// Verdicts on strategies.
    verdicts: VerdictRow,
    /// Effects by period.
    effects: EffectRow,
    /// Effects over all periods.
    effects_over_time: PooledRow,
    /// Before and after.
    before_after: BeforeAfterRow,
    /// Cut points.
    cutpoints: CutPointRow,
    /// The account of every input row.
    ledger: LedgerRow,
    /// States with labels.
    dim_state: StateRow,
    /// Periods with labels.
    dim_period: PeriodRow,
}
