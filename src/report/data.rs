//! What a report is made from: the rows of a run's summed tables and facts of the run. No customer id is in it.

use std::ops::{Deref, DerefMut};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::language::Language;
use crate::domain::Day;
use crate::tables::{self, Row};

/// A row as a report shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown<R> {
    /// The row.
    pub row: R,
    /// Whether numbers of this row are null because they would tell of a group below `min_group`.
    pub suppressed: bool,
}

impl<R> From<R> for Shown<R> {
    fn from(row: R) -> Shown<R> {
        Shown { row, suppressed: false }
    }
}

impl<R> Deref for Shown<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.row
    }
}

impl<R> DerefMut for Shown<R> {
    fn deref_mut(&mut self) -> &mut R {
        &mut self.row
    }
}

impl<R: Row> Serialize for Shown<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(R::COLUMNS.len() + usize::from(self.suppressed)))?;
        for column in R::COLUMNS {
            map.serialize_entry(column.name, &(column.cell)(&self.row))?;
        }
        if self.suppressed {
            map.serialize_entry("suppressed", &true)?;
        }
        map.end()
    }
}

/// What is not in tables.
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
    ($($(#[$meta:meta])* $table:ident: $shown:ident of $row:ty,)*) => {
        $($(#[$meta])* pub type $shown = Shown<$row>;)*

        /// Everything a report is made from. A table is `None` if the run did not write it.
        #[derive(Debug, Clone, Default)]
        pub struct ReportData {
            /// Facts of the run.
            pub run: RunFacts,
            /// How the report is to be.
            pub settings: Settings,
            $($(#[$meta])* pub $table: Option<Vec<$shown>>,)*
        }

        impl ReportData {
            /// Goes through the tables, in a fixed order.
            pub(super) fn visit(&self, visitor: &mut impl TableVisitor) {
                $(visitor.table(stringify!($table), self.$table.as_deref());)*
            }
        }
    };
}

/// What is done with every table.
pub(super) trait TableVisitor {
    /// Takes a table.
    fn table<R: Row>(&mut self, name: &'static str, rows: Option<&[Shown<R>]>);
}

report_data! {
    /// States at every as-of date.
    segments: SegmentRow of tables::SegmentRow,
    /// Changes between as-of dates.
    transitions: TransitionRow of tables::TransitionRow,
    /// Movers, counted by reason.
    moves: MoveRow of tables::MoveRow,
    /// Growth accounting.
    growth: GrowthRow of tables::GrowthRow,
    /// Cohorts.
    cohorts: CohortRow of tables::CohortRow,
    /// Concentration of revenue.
    concentration: ConcentrationRow of tables::ConcentrationRow,
    /// Verdicts on strategies.
    verdicts: VerdictRow of tables::VerdictRow,
    /// Effects by period.
    effects: EffectRow of tables::EffectRow,
    /// Effects over all periods.
    effects_over_time: PooledRow of tables::PooledEffectRow,
    /// Before and after.
    before_after: BeforeAfterRow of tables::BeforeAfterRow,
    /// Cut points.
    cutpoints: CutPointRow of tables::CutPointRow,
    /// The account of every input row.
    ledger: LedgerRow of tables::LedgerRow,
    /// States with labels.
    dim_state: StateRow of tables::StateRow,
    /// Periods with labels.
    dim_period: PeriodRow of tables::PeriodRow,
}
