//! What a report is made from: the rows of a run's summed tables and its manifest. No customer id is in it.

use std::ops::{Deref, DerefMut};

use arrow::array::RecordBatch;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::groups::ShownGroups;
use super::language::Language;
use crate::error::Result;
use crate::publish::Manifest;
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
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
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

/// The gates of a job. A run whose gates fail is not committed, so those of a committed run passed.
pub(super) fn checks(job: &serde_json::Value) -> Vec<Check> {
    let gates = [
        ("orders", "max_rejected"),
        ("orders", "max_no_customer"),
        ("checks", "newest_order_within"),
        ("checks", "rows_vs_previous"),
    ];
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let check = |(section, key): (&str, &str)| {
        let limit = job.get(section)?.get(key)?;
        Some(Check { name: format!("{section}.{key}"), limit: text(limit), passed: true })
    };
    gates.into_iter().filter_map(check).collect()
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
    /// The same of values of dimensions.
    pub min_dimension_group: i64,
}

impl Settings {
    /// Whether anything may be suppressed.
    pub fn hides(&self) -> bool {
        self.min_group > 1 || self.min_dimension_group > 1
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { language: Language::default(), currency_label: String::new(), min_group: 1, min_dimension_group: 1 }
    }
}

macro_rules! report_data {
    ($($table:ident: $row:ident, #[doc = $doc:literal])*) => {
        $(#[doc = $doc] pub type $row = Shown<tables::$row>;)*

        /// Everything a report is made from. A table is `None` if the run did not write it.
        #[derive(Debug, Clone)]
        pub struct ReportData {
            /// What the run says of itself.
            pub run: Manifest,
            /// How the report is to be.
            pub settings: Settings,
            /// The groups whose rows it has.
            pub groups: ShownGroups,
            $(#[doc = $doc] pub $table: Option<Vec<$row>>,)*
        }

        impl ReportData {
            /// The data of a run before any of its tables is taken.
            pub fn new(run: Manifest, settings: Settings, groups: ShownGroups) -> ReportData {
                ReportData { run, settings, groups, $($table: None),* }
            }

            /// Goes through the tables, in a fixed order.
            pub(super) fn visit(&self, visitor: &mut impl TableVisitor) {
                $(visitor.table(stringify!($table), self.$table.as_deref());)*
            }

            /// Goes through the tables without their rows.
            #[cfg(test)]
            pub(super) fn visit_none(visitor: &mut impl TableVisitor) {
                $(visitor.table::<tables::$row>(stringify!($table), None);)*
            }

            /// Adds the rows of a batch to their table, if it is among these.
            pub(super) fn append(&mut self, table: &str, batch: &RecordBatch) -> Result<()> {
                match table {
                    $(stringify!($table) => {
                        let rows = tables::$row::from_batch(table, batch)?;
                        self.$table.get_or_insert_default().extend(rows.into_iter().map(Shown::from));
                    })*
                    _ => {}
                }
                Ok(())
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
    segments: SegmentRow,               /// States at every as-of date.
    transitions: TransitionRow,         /// Changes between as-of dates.
    moves: MoveRow,                     /// Movers, counted by reason.
    score_pairs: ScorePairRow,          /// Customers by their scores of recency and frequency, at the last date.
    growth: GrowthRow,                  /// Growth accounting.
    cohorts: CohortRow,                 /// Cohorts.
    concentration: ConcentrationRow,    /// Concentration of revenue.
    affinity: AffinityRow,              /// Categories that the same customers buy.
    forecast: ForecastRow,              /// What customers will buy if their habits stay.
    backtest: BacktestRow,              /// How well past forecasts did.
    verdicts: VerdictRow,               /// Verdicts on strategies.
    effects: EffectRow,                 /// Effects by period.
    effects_over_time: PooledEffectRow, /// Effects over all periods.
    effects_to_date: EffectToDateRow,   /// Effects so far, period after period.
    before_after: BeforeAfterRow,       /// Before and after.
    thresholds: ThresholdRow,           /// Effects at cuts.
    threshold_bins: ThresholdBinRow,    /// Outcomes on both sides of cuts.
    cutpoints: CutPointRow,             /// Cut points.
    ledger: LedgerRow,                  /// The account of every input row.
    dim_state: StateRow,                /// States with labels.
    dim_period: PeriodRow,              /// Periods with labels.
    restatements: RestatementRow,       /// What earlier commits said of the same dates.
}
