//! `[output]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the tables go.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawOutput {
    /// Output folder, or a place in an [object store](TABLES.md#outputs-in-object-stores) such as `s3://bucket/out`. It must be new, empty, or
    /// written by rfmill.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "folder", "x-default" = "required, or `--output`"))]
    pub path: Option<String>,
    /// The columns of `customers` after `customer_id` and `slice`: any measure, score or scheme column.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "list", "x-default" = "see [TABLES.md](TABLES.md#customers)"))]
    pub columns: Option<Vec<String>>,
    /// Tables to write, of those in [TABLES.md](TABLES.md).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "list of names", "x-default" = "all"))]
    pub tables: Option<Vec<TableName>>,
    /// Files to write into `report/`, see [REPORT.md](REPORT.md); `crm` writes the states, since when, why and the action of
    /// every customer at the last as-of date as CSV.
    #[serde(default = "html")]
    #[schemars(extend("x-type" = "list of `\"html\"`, `\"json\"`, `\"xlsx\"`, `\"crm\"`", "x-default" = "`[\"html\"]`"))]
    pub report: Vec<ReportName>,
    /// Language of reports: English, simplified Chinese, traditional Chinese as in Taiwan.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "`\"en\"`, `\"zh-Hans\"`, `\"zh-Hant\"`", "x-default" = "`\"en\"`"))]
    pub language: Option<String>,
    /// What stands beside money in reports, such as `"£"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency_label: Option<String>,
    /// Groups of fewer customers are not shown in reports. Without it, all are but values of dimensions with fewer than 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "integer", "x-default" = "`1`; `5` by dimension"))]
    pub min_group: Option<u32>,
    /// Most rows of a CRM file; without it there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "integer"))]
    pub crm_rows: Option<u32>,
    /// Whether CRM files begin with a byte order mark.
    #[serde(default)]
    pub crm_bom: bool,
    /// Whether sums of money have 38 digits (`DECIMAL(38, s)`) and not 18: Tableau and others refuse that. A sum that does not fit
    /// into 18 digits is exit 3.
    #[serde(default)]
    pub wide_sums: bool,
    /// How many committed runs stay in `runs/`, the last ones; a run removes the others at its end. The run of `latest` and the
    /// next older one stay besides, and `tables/` keeps every as-of date whatever this says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "integer", "x-default" = "`10`"))]
    pub keep_runs: Option<u32>,
    /// Whether the table `affinity` is written: which categories the same customers buy. Needs `orders.category`, with at most 200
    /// categories.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub affinity: bool,
    /// Dimensions of `[customers]`, such as the channel that won a customer, by whose values `cohorts` has rows, too; and what customers
    /// bought first: `first_category` (needs `orders.category`) and `first_discounted` (needs `orders.discount`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-type" = "list of columns"))]
    pub cohorts_by: Vec<String>,
}

impl Default for RawOutput {
    fn default() -> Self {
        RawOutput {
            path: None,
            columns: None,
            tables: None,
            report: html(),
            language: None,
            currency_label: None,
            min_group: None,
            crm_rows: None,
            crm_bom: false,
            wide_sums: false,
            keep_runs: None,
            affinity: false,
            cohorts_by: Vec::new(),
        }
    }
}

/// A file for people or other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportName {
    /// `index.html`: one page for people.
    Html,
    /// `report.json`: the same for programs.
    Json,
    /// `workbook.xlsx`: the same for Excel.
    Xlsx,
    /// CSV files for the import of a CRM: the states of every customer at the last as-of date, why, and what to do.
    Crm,
}

/// A table of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableName {
    /// One row per customer and as-of date.
    Customers,
    /// The cut points used.
    Cutpoints,
    /// Sums per state.
    Segments,
    /// Who went from which state to which, summed.
    Transitions,
    /// One row per customer whose state changed.
    Movers,
    /// Since when and until when a customer was in a state.
    StateHistory,
    /// New, retained, resurrected and lapsed customers per period.
    Growth,
    /// Customers by the period of their first order.
    Cohorts,
    /// How much of the revenue the best customers bring.
    Concentration,
    /// Which categories the same customers buy.
    Affinity,
    /// What customers will buy if their habits stay.
    Forecast,
    /// How well past forecasts did.
    Backtest,
    /// The states of every scheme, for BI tools to join.
    DimState,
    /// The as-of dates with their periods, for BI tools to join.
    DimPeriod,
    /// The days of a calendar, for BI tools to join.
    DimDate,
    /// What earlier commits said of the same dates.
    Restatements,
    /// What strategies changed, per period.
    Effects,
    /// What strategies changed, over all periods.
    EffectsOverTime,
    /// What strategies have brought so far, period after period.
    EffectsToDate,
    /// What to do with strategies, and why.
    Verdicts,
    /// Whether arms were alike before.
    Balance,
    /// What changed since the time before, beside what would have changed anyway.
    BeforeAfter,
    /// What strategies did to customers at their cut.
    Thresholds,
    /// Outcomes on both sides of a cut, for its picture.
    ThresholdBins,
    /// The exact sums that all tables of strategies follow from.
    Arms,
    /// The account of every input row.
    Ledger,
}

impl TableName {
    /// Every table, in the order of the docs.
    pub const ALL: [TableName; 26] = [
        TableName::Customers,
        TableName::Cutpoints,
        TableName::Segments,
        TableName::Transitions,
        TableName::Movers,
        TableName::StateHistory,
        TableName::Growth,
        TableName::Cohorts,
        TableName::Concentration,
        TableName::Affinity,
        TableName::Forecast,
        TableName::Backtest,
        TableName::DimState,
        TableName::DimPeriod,
        TableName::DimDate,
        TableName::Restatements,
        TableName::Effects,
        TableName::EffectsOverTime,
        TableName::EffectsToDate,
        TableName::Verdicts,
        TableName::Balance,
        TableName::BeforeAfter,
        TableName::Thresholds,
        TableName::ThresholdBins,
        TableName::Arms,
        TableName::Ledger,
    ];

    /// Its name, the same in job files and folders.
    pub fn name(self) -> &'static str {
        match self {
            TableName::Customers => "customers",
            TableName::Cutpoints => "cutpoints",
            TableName::Segments => "segments",
            TableName::Transitions => "transitions",
            TableName::Movers => "movers",
            TableName::StateHistory => "state_history",
            TableName::Growth => "growth",
            TableName::Cohorts => "cohorts",
            TableName::Concentration => "concentration",
            TableName::Affinity => "affinity",
            TableName::Forecast => "forecast",
            TableName::Backtest => "backtest",
            TableName::DimState => "dim_state",
            TableName::DimPeriod => "dim_period",
            TableName::DimDate => "dim_date",
            TableName::Restatements => "restatements",
            TableName::Effects => "effects",
            TableName::EffectsOverTime => "effects_over_time",
            TableName::EffectsToDate => "effects_to_date",
            TableName::Verdicts => "verdicts",
            TableName::Balance => "balance",
            TableName::BeforeAfter => "before_after",
            TableName::Thresholds => "thresholds",
            TableName::ThresholdBins => "threshold_bins",
            TableName::Arms => "arms",
            TableName::Ledger => "ledger",
        }
    }

    /// Whether it is one file over all as-of dates below `tables/`, which every commit makes anew.
    pub fn is_dimension(self) -> bool {
        matches!(self, TableName::DimState | TableName::DimPeriod | TableName::DimDate)
    }

    /// Whether only a job with a forecast has it.
    pub fn is_of_forecast(self) -> bool {
        matches!(self, TableName::Forecast | TableName::Backtest)
    }

    /// Whether only a job with strategies has it.
    pub fn is_of_strategies(self) -> bool {
        matches!(
            self,
            TableName::Effects
                | TableName::EffectsOverTime
                | TableName::EffectsToDate
                | TableName::Verdicts
                | TableName::Balance
                | TableName::BeforeAfter
                | TableName::Thresholds
                | TableName::ThresholdBins
                | TableName::Arms
        )
    }

    /// Whether only a job with a strategy of design threshold has it.
    pub fn is_of_thresholds(self) -> bool {
        matches!(self, TableName::Thresholds | TableName::ThresholdBins)
    }
}

fn html() -> Vec<ReportName> {
    vec![ReportName::Html]
}
