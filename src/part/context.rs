//! What a part needs to know, and what is known of its customers.

use super::customers::PartCustomers;
use super::labels::Labels;
use super::part_table::{PartTable, TableSink};
use super::rows::CustomerRows;
use super::score_and_classify::ScoringRules;
use crate::domain::IdType;
use crate::forecast::{Backtest, Model};
use crate::job::Job;
use crate::job::raw::{Method, TableName};
use crate::movement::{MovementPlan, MovementTracker};
use crate::plan::{OutputColumn, Plan};
use crate::score::DateScoring;

/// What every part needs to know.
pub struct PartContext<'a> {
    /// The job.
    pub job: &'a Job,
    /// Its plan.
    pub plan: &'a Plan,
    /// Cut points by date.
    pub scoring: &'a [DateScoring],
    /// What is forecast of each slice, by its number; none without a forecast.
    pub forecasts: &'a [Backtest],
    /// By as-of date and slice number the model of that day, where a measure looks ahead from it.
    pub models: &'a [Vec<Option<Model>>],
    /// How rows are scored and classified.
    pub rules: ScoringRules,
    /// Names behind numbers.
    pub labels: Labels,
    /// What of movement the job needs.
    pub movement: MovementPlan<'a>,
    /// By date: the earlier dates under whose cut points rows are classified again, besides those of `movers`.
    pub rescored_from: Vec<Vec<usize>>,
    /// By date: whether it is summed by state although tables do not show it.
    pub summed_too: Vec<bool>,
    /// By date: whether all lookbacks and windows begin after the first order.
    pub history_complete: Vec<bool>,
    /// Type of customer ids.
    pub id: IdType,
    /// The tables with a row per customer.
    pub tables: Vec<PartTable>,
    /// Where files go.
    pub sink: &'a dyn TableSink,
}

/// What of movement a job needs.
pub fn movement_plan<'a>(job: &'a Job, plan: &'a Plan) -> MovementPlan<'a> {
    MovementPlan {
        job,
        interval_ends: &plan.fold.interval_ends,
        state_counts: plan.schemes.iter().map(|column| column.scheme.all_states().len()).collect(),
        shows_since: plan.crm.is_some() || plan.columns.iter().any(|(_, column)| matches!(column, OutputColumn::Since(_))),
    }
}

impl PartContext<'_> {
    /// A table, if the job writes it.
    pub(super) fn table(&self, name: TableName) -> Option<&PartTable> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Whether scores come from cut points, which earlier dates can be compared by.
    pub(super) fn has_cut_points(&self) -> bool {
        self.job.score.axes.iter().all(|axis| axis.method != Method::Ntile)
    }

    /// The earlier dates under whose cut points the rows of a date are classified again.
    pub(super) fn rescored_from(&self, date: usize) -> Vec<usize> {
        let mut origins = self.rescored_from.get(date).cloned().unwrap_or_default();
        let has_movers = self.job.writes(TableName::Movers) && self.job.dates[date].is_published();
        if has_movers && self.has_cut_points() && self.rules.any_uses_scores() {
            origins.extend(&self.job.origins[date]);
        }
        origins.sort_unstable();
        origins.dedup();
        origins
    }
}

/// A part at one of its dates.
#[derive(Clone, Copy)]
pub(super) struct PartView<'a> {
    pub context: &'a PartContext<'a>,
    pub customers: &'a PartCustomers,
    pub tracker: &'a MovementTracker<'a>,
}

/// The listed customers of a part at one date, with their scores and states.
pub struct DateRows {
    /// Index of the date.
    pub date: usize,
    /// Customers and measures.
    pub rows: CustomerRows,
    /// Per axis and row; 0 if unscored.
    pub scores: [Vec<u8>; 3],
    /// Per scheme column and row.
    pub states: Vec<Vec<u16>>,
    /// Indices of earlier dates with the states that rows have under their cut points, per scheme column and row.
    pub rescored: Vec<(usize, Vec<Vec<u16>>)>,
}
