//! The plan of a run: the job, its schemes, measures and output columns, checked against each other before an order is read.

mod cuts;
mod measures;
mod names;
mod output_columns;
mod scheme_columns;
mod scoring_filter;

use crate::domain::{
    AttributeColumn, Basis, Catalogue, EventKind, EventMeasure, EventStatistic, FirstPurchase, Horizons, Measure, MeasureKind,
    OrderSum, Outcome, Warning,
};
use crate::error::{Error, Result};
use crate::input::customers::CustomersTable;
use crate::input::orders::columns::UsedColumns;
use crate::job::Job;
use crate::job::raw::{MonetaryAs, ReportName, TableName};
use crate::measure::FoldSpec;
use crate::report;
use crate::scheme::{self, Scheme, Test};
use crate::tables::ColumnDefinition;

pub use cuts::PlannedCut;
use measures::MeasureList;
pub use output_columns::OutputColumn;
pub use scheme_columns::SchemeColumn;
pub use scoring_filter::ScoringFilter;

/// Everything a run needs to know before it reads orders.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What to measure.
    pub fold: FoldSpec,
    /// Scheme columns.
    pub schemes: Vec<SchemeColumn>,
    /// Ranges of measures outside which customers are not scored.
    pub only: Vec<(Measure, Test)>,
    /// Columns of `customers`.
    pub columns: Vec<(ColumnDefinition, OutputColumn)>,
    /// What is odd about the job.
    pub warnings: Vec<Warning>,
    /// Indices of recency, frequency and monetary in the fold.
    pub axes: [usize; 3],
    /// Index of the revenue that `segments` and `concentration` need.
    pub revenue: Option<usize>,
    /// Index of the annual value that `segments` needs.
    pub annual_value: Option<usize>,
    /// Index of the cost to serve, if the job has such costs and `segments` shows them.
    pub cost_to_serve: Option<usize>,
    /// Index of the margin before it, if orders have costs.
    pub margin: Option<usize>,
    /// Index of how content customers are, and the digits behind its point, if `segments` shows that.
    pub satisfaction: Option<(usize, u8)>,
    /// Per scheme column: the action of every state, where the playbook has one.
    pub playbook: Vec<Vec<Option<String>>>,
    /// The horizons of a forecast, with all days that it looks at.
    pub horizons: Option<Horizons>,
    /// The measures of the CRM file, if it is written.
    pub crm: Option<CrmMeasures>,
    /// How reports are written.
    pub reports: report::Settings,
    /// Per strategy of design threshold: its cut.
    pub cuts: Vec<PlannedCut>,
    /// Whether a strategy's outcome is the margin that the costs of orders give.
    margin_outcome: bool,
    /// The outcomes of strategies that are of events.
    event_outcomes: Vec<Outcome>,
}

/// The measures of when the next purchase comes, in the order in which the model tells them.
pub const NEXT_PURCHASE: [MeasureKind; 3] = [MeasureKind::NextOrderLow, MeasureKind::NextOrderMedian, MeasureKind::NextOrderHigh];

/// Indices of the measures that the CRM file shows.
#[derive(Debug, Clone, Copy)]
pub struct CrmMeasures {
    /// Days since the last purchase.
    pub recency: usize,
    /// Purchases ever.
    pub orders: usize,
    /// Mean days between order days.
    pub mean_gap: usize,
    /// When the next order is due.
    pub next_due: usize,
}

impl Plan {
    /// Loads the schemes of a job and checks that its parts fit together; `customers` is its customers table.
    ///
    /// # Errors
    /// Exit 2, with the place in the job or scheme file.
    pub fn new(job: &Job, customers: &CustomersTable) -> Result<Plan> {
        let mut warnings = Vec::new();
        names::of_table(job, customers)?;
        let known = Catalogue::new(customers.given.clone()).with_kinds(job.event_kinds.named());
        let schemes = SchemeColumn::load_all(job, &known, &mut warnings)?;
        names::of_schemes(job)?;
        scheme_columns::check_ladders(job, &schemes)?;
        let only_place = format!("{}: score.only", job.source.locate("score.only", ""));
        let only = scheme::parse_conditions(&job.raw.score.only, None, &known, &only_place)?.measures;

        let mut measures = MeasureList::default();
        let axes = [MeasureKind::RecencyDays, MeasureKind::Frequency, MeasureKind::Monetary].map(|k| measures.index_of(k));
        let of_schemes: Vec<Measure> = schemes.iter().flat_map(SchemeColumn::measures).collect();
        for measure in of_schemes.iter().chain(only.iter().map(|(measure, _)| measure)) {
            measures.index(*measure);
        }
        let writes_segments = job.writes(TableName::Segments);
        let revenue = (writes_segments || job.writes(TableName::Concentration)).then(|| measures.index_of(revenue_kind(job)));
        let annual_value = writes_segments.then(|| measures.index_of(MeasureKind::AnnualValue));
        let cost_to_serve =
            (writes_segments && job.event_kinds.have_costs()).then(|| measures.index_of(MeasureKind::CostToServe));
        let has_costs = job.raw.orders.cost.is_some();
        let margin = (cost_to_serve.is_some() && has_costs).then(|| measures.index_of(MeasureKind::Margin));
        let satisfaction = job.event_kinds.satisfaction().filter(|_| writes_segments);
        let satisfaction = satisfaction.and_then(|(kind, scale)| {
            let last = EventMeasure::of(kind, Some(scale)).into_iter().find(|of| of.statistic == EventStatistic::Last)?;
            Some((measures.index_of(MeasureKind::OfKind(last)), scale))
        });
        let crm = job.raw.output.report.contains(&ReportName::Crm).then(|| CrmMeasures {
            recency: axes[0],
            orders: measures.index_of(MeasureKind::LifetimeOrders),
            mean_gap: measures.index_of(MeasureKind::MeanGapDays),
            next_due: measures.index_of(MeasureKind::NextDue),
        });
        let mut cuts = Vec::with_capacity(job.thresholds.len());
        for threshold in &job.thresholds {
            cuts.push(PlannedCut::new(job, threshold, &schemes, &known, |measure| measures.index(measure))?);
        }
        let columns = output_columns::output_columns(job, &schemes, &of_schemes, &known, &mut measures)?;
        measures.check(job, &only, &mut warnings)?;
        let of_thresholds = job.thresholds.iter().flat_map(|threshold| &threshold.outcomes);
        let outcomes: Vec<&Outcome> =
            job.strategies.iter().flat_map(|strategy| &strategy.outcomes).chain(of_thresholds).collect();
        warnings.extend(known.met_former_name().then_some(Warning::FormerName));
        let horizons = measures.horizons(job);
        Ok(Plan {
            fold: measures.into_fold(job, horizons.as_ref()),
            horizons,
            playbook: scheme_columns::playbook(job, &schemes)?,
            reports: report_settings(job)?,
            margin_outcome: has_costs && outcomes.contains(&&Outcome::Margin),
            event_outcomes: outcomes.into_iter().filter(|outcome| outcome.event_kind().is_some()).cloned().collect(),
            cuts,
            schemes,
            only,
            columns,
            warnings,
            axes,
            revenue,
            annual_value,
            cost_to_serve,
            margin,
            satisfaction,
            crm,
        })
    }

    /// The measures that look ahead, with their places in the fold.
    pub fn forecast_measures(&self) -> impl Iterator<Item = (usize, Measure)> {
        self.fold.measures.iter().copied().enumerate().filter(|(_, measure)| measure.kind.basis().looks_ahead())
    }

    /// The places in the fold of the days by which the next purchase comes, as far as they are measures.
    pub fn next_purchase_measures(&self) -> [Option<usize>; 3] {
        NEXT_PURCHASE.map(|kind| self.fold.measures.iter().position(|measure| measure.kind == kind))
    }

    /// Whether any measure or outcome is computed from events.
    pub fn uses_events(&self) -> bool {
        self.fold.measures.iter().any(|measure| measure.kind.basis().is_of_events()) || !self.event_outcomes.is_empty()
    }

    /// Whether a measure or an outcome counts events of a kind.
    pub fn counts_events(&self, kind: EventKind) -> bool {
        self.fold.measures.iter().any(|measure| measure.kind.basis().looks_at(kind))
            || self.event_outcomes.iter().any(|outcome| outcome.event_kind() == Some(kind))
    }

    /// Whether a measure or an outcome is computed from the values of events of a kind of the job.
    pub fn needs_values(&self, job: &Job, kind: EventKind) -> bool {
        let is_cost = job.event_kinds.all.costs().any(|cost| cost == kind);
        let needs = |measure: &Measure| match measure.kind.basis() {
            Basis::OfKind(of) => of.kind == kind && of.needs_values(),
            Basis::CostToServe => is_cost,
            _ => false,
        };
        self.fold.measures.iter().any(needs) || self.event_outcomes.contains(&Outcome::EventSum(kind))
    }

    /// The columns of the customers table that are measures of the plan.
    pub fn given(&self) -> Vec<AttributeColumn> {
        let given = self.fold.measures.iter().filter_map(|m| match m.kind {
            MeasureKind::Attribute(given) => Some(given),
            _ => None,
        });
        given.collect()
    }

    /// Which optional columns of the orders are read.
    pub fn uses(&self) -> UsedColumns {
        let bases = || self.fold.measures.iter().map(|m| m.kind.basis());
        let first = |property: FirstPurchase| self.fold.first_purchase.contains(&property);
        UsedColumns {
            cost: self.margin_outcome || bases().any(|basis| basis.has_sum(OrderSum::Cost)),
            discount: first(FirstPurchase::Discounted) || bases().any(|basis| basis.has_sum(OrderSum::Discounted)),
            category: self.fold.affinity || first(FirstPurchase::Category) || bases().any(|basis| basis == Basis::Categories),
        }
    }

    /// Whether any scheme has conditions on levels.
    pub fn uses_levels(&self) -> bool {
        self.schemes.iter().flat_map(SchemeColumn::schemes).any(Scheme::uses_levels)
    }
}

/// The revenue in the lookback: `monetary`, unless the job makes that an average.
fn revenue_kind(job: &Job) -> MeasureKind {
    match job.score.monetary_as {
        MonetaryAs::Average => MeasureKind::Revenue,
        _ => MeasureKind::Monetary,
    }
}

/// Values of dimensions with fewer customers are not shown in reports, unless the job says otherwise.
const DIMENSION_GROUP: u32 = 5;

/// How the job wants its reports.
fn report_settings(job: &Job) -> Result<report::Settings> {
    let output = &job.raw.output;
    let has_dimensions = !job.dimensions().is_empty() || !job.cohorts_by.is_empty();
    let language = match &output.language {
        None => report::Language::default(),
        Some(tag) => report::Language::parse(tag).map_err(|e| {
            Error::usage(format!("{}: output.language: {e}", job.source.locate("output.language", tag))).caused_by(e)
        })?,
    };
    Ok(report::Settings {
        language,
        currency_label: output.currency_label.clone().unwrap_or_default(),
        min_group: i64::from(output.min_group.unwrap_or(1)),
        min_dimension_group: i64::from(output.min_group.unwrap_or(if has_dimensions { DIMENSION_GROUP } else { 1 })),
    })
}
