//! The plan of a run: the job, its columns, schemes, measures and output columns, checked against each other.

mod names;
mod scoring_filter;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{AttributeColumn, Catalogue, Day, Measure, MeasureKind, MeasureSource, Outcome, Unit};
use crate::error::{Error, Result, suggestion};
use crate::input::customers::CustomersTable;
use crate::input::orders::columns::UsedColumns;
use crate::job::raw::{MonetaryAs, ReportName, TableName, ZeroAmount};
use crate::job::{Job, SchemeUse};
use crate::measure::FoldSpec;
use crate::report;
use crate::scheme::{self, Scheme, Test, unit_scale};
use crate::score::Axis;
use crate::tables::{ColumnDefinition, ColumnType};

pub use scoring_filter::ScoringFilter;

/// A scheme column with its scheme, and the schemes of slice values that override it.
#[derive(Debug, Clone, Serialize)]
pub struct SchemeColumn {
    /// The column.
    pub column: String,
    /// The scheme.
    pub scheme: Scheme,
    /// Slice value = the scheme there; its states are those of `scheme`.
    pub overrides: BTreeMap<String, Scheme>,
}

/// A column of `customers` after the id and the slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputColumn {
    /// A measure, by its place in the fold.
    Measure(usize),
    /// A dimension, by its place in `customers.dimensions`.
    Dimension(usize),
    /// A score.
    Score(Axis),
    /// The state in a scheme column.
    State(usize),
    /// The state before, in a scheme column.
    Previous(usize),
    /// Since when the state holds, in a scheme column.
    Since(usize),
    /// What the playbook says to do.
    Action,
    /// Whether no window reaches before the data.
    HistoryComplete,
}

/// Everything a run needs to know before it reads orders.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What to measure.
    pub fold: FoldSpec,
    /// Scheme columns.
    pub schemes: Vec<SchemeColumn>,
    /// Ranges over measures (by place in the fold) outside which customers are not scored.
    pub only: Vec<(Measure, Test)>,
    /// Columns of `customers`.
    pub columns: Vec<(ColumnDefinition, OutputColumn)>,
    /// Sentences worth reading.
    pub warnings: Vec<String>,
    /// Places of recency, frequency and monetary in the fold.
    pub axes: [usize; 3],
    /// Places of the sums that `segments` needs: revenue and revenue at risk.
    pub revenue: Option<usize>,
    /// See `revenue`.
    pub revenue_at_risk: Option<usize>,
    /// Per scheme column: the action of every state, where the playbook has one.
    pub playbook: Vec<Vec<Option<String>>>,
    /// What the CRM file says of customers, if it is asked for.
    pub crm: Option<CrmMeasures>,
    /// How reports are to be.
    pub reports: report::Settings,
    /// Whether a strategy's outcome is the margin that the orders' costs give.
    margin_outcome: bool,
}

/// Places of the measures that the CRM file tells.
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
    /// Loads the schemes of a job and checks everything against everything; `customers` is its customers table.
    ///
    /// # Errors
    /// Exit 2, with the place in the job or scheme file.
    pub fn new(job: &Job, customers: &CustomersTable) -> Result<Plan> {
        let mut warnings = Vec::new();
        names::of_table(job, customers)?;
        let known = Catalogue::new(customers.given.clone());
        let mut schemes = Vec::with_capacity(job.schemes.len());
        for used in &job.schemes {
            schemes.push(scheme_column(job, used, &known, &mut warnings)?);
        }
        names::of_schemes(job)?;
        ladders(job, &schemes)?;
        let only_place = format!("{}: score.only", job.source.locate("[score.only]"));
        let conditions = scheme::parse_conditions(&job.raw.score.only, None, &known, &only_place)?;
        let only = conditions.measures;

        let mut measures: Vec<Measure> = Vec::new();
        let mut need = |measure: Measure| match measures.iter().position(|m| *m == measure) {
            Some(at) => at,
            None => {
                measures.push(measure);
                measures.len() - 1
            }
        };
        let axes = [MeasureKind::RecencyDays, MeasureKind::Frequency, MeasureKind::Monetary].map(|k| need(Measure::plain(k)));
        let used: Vec<Measure> =
            schemes.iter().flat_map(|s| s.overrides.values().chain([&s.scheme])).flat_map(Scheme::measures).collect();
        for measure in used.iter().chain(only.iter().map(|(m, _)| m)) {
            need(*measure);
        }
        let (mut revenue, mut revenue_at_risk) = (None, None);
        if job.writes(TableName::Segments) || job.writes(TableName::Concentration) {
            let sum = if job.score.monetary_as == MonetaryAs::Average { MeasureKind::Revenue } else { MeasureKind::Monetary };
            revenue = Some(need(Measure::plain(sum)));
        }
        if job.writes(TableName::Segments) {
            revenue_at_risk = Some(need(Measure::plain(MeasureKind::RevenueAtRisk)));
        }
        let crm = job.raw.output.report.contains(&ReportName::Crm).then(|| CrmMeasures {
            recency: axes[0],
            orders: need(Measure::plain(MeasureKind::LifetimeOrders)),
            mean_gap: need(Measure::plain(MeasureKind::MeanGapDays)),
            next_due: need(Measure::plain(MeasureKind::NextDue)),
        });
        let chosen = chosen_columns(job, &schemes, &used, &known)?;
        let mut columns = Vec::with_capacity(chosen.len());
        for (name, choice) in chosen {
            let (kind, column, doc) = match choice {
                Choice::Measure(measure) => {
                    let at = need(measure);
                    (measure_type(job, measure), OutputColumn::Measure(at), measure.kind.describe())
                }
                Choice::Other(kind, column, doc) => (kind, column, doc),
            };
            columns.push((ColumnDefinition::new(name, kind, doc), column));
        }
        let needs_period = measures.iter().find(|m| {
            matches!(
                m.kind,
                MeasureKind::PeriodOrders
                    | MeasureKind::PeriodMonetary
                    | MeasureKind::PreviousPeriodOrders
                    | MeasureKind::OrdersBeforePeriod
            )
        });
        if let Some(measure) = needs_period
            && job.shown().all(|(_, d)| d.period_start.is_none())
        {
            return Err(Error::usage(format!(
                "{}: {measure} needs periods, but the job has a single as-of date without any; add [periods] every = \"month\" or a second as-of date",
                job.source.path.display()
            )));
        }
        let of_events = measures.iter().find(|m| m.kind.source() == MeasureSource::Events);
        match (of_events, &job.raw.events) {
            (Some(measure), None) => {
                return Err(Error::usage(format!(
                    "{}: {measure} is asked for, but the job has no events; add a section [events] with path, customer_id, event and at",
                    job.source.path.display()
                )));
            }
            (None, Some(_)) => warnings.push(
                "the events are not read, because no scheme, column or score.only of the job looks at them; see the scheme engagement".into(),
            ),
            _ => {}
        }
        for measure in &measures {
            let lacking = match measure.kind {
                MeasureKind::DiscountShare if job.raw.orders.discount.is_none() => Some("orders.discount"),
                MeasureKind::Margin if job.raw.orders.cost.is_none() => Some("orders.cost"),
                kind if kind.source() == MeasureSource::Categories && job.raw.orders.category.is_none() => {
                    Some("orders.category")
                }
                _ => None,
            };
            if let Some(key) = lacking {
                return Err(Error::usage(format!(
                    "{}: {measure} is asked for, but the job does not say which column holds it; set {key}",
                    job.source.path.display()
                )));
            }
        }
        let fold = FoldSpec {
            dates: job.dates.clone(),
            lookback: job.score.lookback,
            net: job.is_net(),
            count_days: job.score.count == crate::job::raw::Count::OrderDays,
            monetary_average: job.score.monetary_as == MonetaryAs::Average,
            only_lookback: job.raw.population == crate::job::raw::Population::Lookback,
            lines: job.raw.orders.order_id.is_some(),
            drop_zero: job.raw.orders.zero_amount == ZeroAmount::Drop,
            files: 0,
            slices: Vec::new(),
            categories: Vec::new(),
            with_customer_data: job.raw.customers.is_some() || measures.iter().any(|m| m.kind.source() == MeasureSource::Events),
            interval_ends: interval_ends(job),
            histories: !job.strategies.is_empty(),
            is_window: false,
            measures,
        };
        let playbook = playbook(job, &schemes)?;
        let of_costs = job.raw.orders.cost.is_some();
        let margin_outcome = of_costs && job.strategies.iter().any(|s| s.outcomes.contains(&Outcome::Margin));
        Ok(Plan {
            fold,
            schemes,
            only,
            columns,
            warnings,
            axes,
            revenue,
            revenue_at_risk,
            playbook,
            crm,
            reports: report_settings(job)?,
            margin_outcome,
        })
    }

    /// Whether anything looks at events.
    pub fn uses_events(&self) -> bool {
        self.fold.measures.iter().any(|m| m.kind.source() == MeasureSource::Events)
    }

    /// The columns of the customers table that something looks at.
    pub fn given(&self) -> Vec<AttributeColumn> {
        let given = self.fold.measures.iter().filter_map(|m| match m.kind {
            MeasureKind::Attribute(given) => Some(given),
            _ => None,
        });
        given.collect()
    }

    /// How many slices; 1 without.
    pub fn slices(&self) -> usize {
        self.fold.slices.len().max(1)
    }

    /// Which optional columns of the orders the measures look at.
    pub fn uses(&self) -> UsedColumns {
        let uses = |kind: MeasureKind| self.fold.measures.iter().any(|m| m.kind == kind);
        UsedColumns {
            cost: self.margin_outcome || uses(MeasureKind::Margin),
            discount: uses(MeasureKind::DiscountShare),
            category: self.fold.measures.iter().any(|m| m.kind.source() == MeasureSource::Categories),
        }
    }

    /// Whether any scheme looks at levels.
    pub fn uses_levels(&self) -> bool {
        self.schemes.iter().any(|s| s.scheme.uses_levels() || s.overrides.values().any(Scheme::uses_levels))
    }
}

/// The last days of the stretches of time that the tables about movement add up: they end wherever a date, a period or
/// the period before it ends, so that each of these is a row of whole stretches.
fn interval_ends(job: &Job) -> Vec<Day> {
    let moves = [TableName::Transitions, TableName::Growth, TableName::Cohorts].iter().any(|t| job.writes(*t));
    if !moves {
        return Vec::new();
    }
    let is_compared = |at: &usize| job.origins.iter().flatten().any(|origin| origin == at);
    let dates = job.dates.iter().enumerate().filter(|(at, d)| d.shown || is_compared(at)).map(|(_, d)| d);
    let ends = dates.flat_map(|d| {
        let previous = d.previous.map(|(start, end)| [start.previous(), end]);
        [Some(d.date), d.period_start.map(Day::previous)].into_iter().flatten().chain(previous.into_iter().flatten())
    });
    let mut ends: Vec<Day> = ends.collect();
    ends.sort_unstable();
    ends.dedup();
    ends
}

/// How the job wants its reports.
fn report_settings(job: &Job) -> Result<report::Settings> {
    let output = &job.raw.output;
    let language = match &output.language {
        None => report::Language::default(),
        Some(tag) => report::Language::parse(tag)
            .map_err(|e| Error::usage(format!("{}: output.language: {e}", job.source.locate(&format!("\"{tag}\"")))))?,
    };
    Ok(report::Settings {
        language,
        currency_label: output.currency_label.clone().unwrap_or_default(),
        min_group: i64::from(output.min_group.unwrap_or(1)),
    })
}

/// The actions of the playbook by scheme column and state.
fn playbook(job: &Job, schemes: &[SchemeColumn]) -> Result<Vec<Vec<Option<String>>>> {
    for (column, actions) in &job.raw.playbook {
        let place = || job.source.locate(&format!("[playbook.{column}"));
        let Some(own) = schemes.iter().find(|s| s.column == *column) else {
            return Err(Error::usage(format!(
                "{}: the playbook names the scheme column {column:?}, which the job does not have{}",
                place(),
                suggestion(column, schemes.iter().map(|s| s.column.as_str()))
            )));
        };
        let states = own.scheme.all_states();
        if let Some(state) = actions.keys().find(|a| !states.contains(a)) {
            return Err(Error::usage(format!(
                "{}: the playbook names the state {state:?} of {column}, which its scheme does not have{} (states: {})",
                place(),
                suggestion(state, states.iter().map(String::as_str)),
                states.join(", ")
            )));
        }
    }
    let of_column = |column: &SchemeColumn| {
        let actions = job.raw.playbook.get(&column.column);
        column.scheme.all_states().iter().map(|state| actions.and_then(|a| a.get(state)).cloned()).collect()
    };
    Ok(schemes.iter().map(of_column).collect())
}

/// Outcomes that go up or down a ladder need one.
fn ladders(job: &Job, schemes: &[SchemeColumn]) -> Result<()> {
    for (number, strategy) in job.strategies.iter().enumerate() {
        for outcome in &strategy.outcomes {
            let (Outcome::MovedUp(column) | Outcome::MovedDown(column)) = outcome else { continue };
            if schemes.iter().any(|s| s.column == *column && s.scheme.ladder.is_empty()) {
                return Err(Error::usage(format!(
                    "{}: strategy {:?}: the outcome \"{outcome}\" needs states from best to worst, and the scheme of {column:?} has no ladder; take another scheme, give a copy of this one a ladder, or remove the outcome",
                    job.source.locate_key("strategy", number, "outcomes"),
                    strategy.name
                )));
            }
        }
    }
    Ok(())
}

fn scheme_column(job: &Job, used: &SchemeUse, known: &Catalogue, warnings: &mut Vec<String>) -> Result<SchemeColumn> {
    let scheme = scheme::load(used, known, &job.source)?;
    let place = job.source.locate(&format!("\"{}\"", used.scheme));
    warnings.extend(scheme::check(&scheme, job.score.bins, job.scale(), &place)?.warnings);
    let mut overrides = BTreeMap::new();
    for (slice, rules) in &used.overrides {
        let rules = rules.as_table().ok_or_else(|| {
            Error::usage(format!(
                "{}: the override of {} for slice {slice:?} is {rules}; expected states with conditions",
                job.source.locate(slice),
                used.column
            ))
        })?;
        let own = scheme::with_override(used, slice, rules, known, &job.source)?;
        warnings.extend(
            scheme::check(&own, job.score.bins, job.scale(), &format!("{place}, override for slice {slice:?}"))?.warnings,
        );
        overrides.insert(slice.clone(), own);
    }
    Ok(SchemeColumn { column: used.column.clone(), scheme, overrides })
}

/// A column of `customers`: a measure, which knows its type and what it is, or another with its type and description.
enum Choice {
    Measure(Measure),
    Other(ColumnType, OutputColumn, &'static str),
}

const DIMENSION: &str = "As the customers table has it; null where that says nothing.";
const STATE: &str = "State in this scheme; (unscored) without the scores it needs, (none) if no rule matches.";
const PREVIOUS: &str = "State in this scheme at the nearest earlier as-of date; null without one, or if not listed then.";
const SINCE: &str =
    "First of the job's dates, compared ones included, in the unbroken run of this state; null without an earlier date.";
const ACTION: &str = "What the playbook says to do with customers in that state; null where it says nothing.";
const HISTORY_COMPLETE: &str = "False if a lookback or window at this date begins before the first order in the data.";

fn score_doc(axis: Axis) -> &'static str {
    match axis {
        Axis::Recency => "Recency score from 1 to bins, higher is better; null outside score.only.",
        Axis::Frequency => "Frequency score from 1 to bins, higher is better; null outside score.only.",
        Axis::Monetary => "Monetary score from 1 to bins, higher is better; null outside score.only.",
    }
}

fn measure_type(job: &Job, measure: Measure) -> ColumnType {
    let unit = match measure.kind {
        MeasureKind::Monetary if job.score.monetary_as == MonetaryAs::Average => Unit::Average,
        kind => kind.unit(),
    };
    match unit {
        Unit::Date => ColumnType::Date,
        Unit::Days => ColumnType::Int32,
        Unit::Count => ColumnType::Int64,
        Unit::Money | Unit::Average => ColumnType::Decimal(18, unit_scale(unit, job.scale()) as i8),
        Unit::Decimal(precision, scale) => ColumnType::Decimal(precision, scale as i8),
        Unit::Ratio | Unit::Double => ColumnType::Double,
        Unit::Text => ColumnType::State,
    }
}

fn chosen_columns(job: &Job, schemes: &[SchemeColumn], used: &[Measure], known: &Catalogue) -> Result<Vec<(String, Choice)>> {
    let score =
        |axis: Axis| (axis.score_name().to_owned(), Choice::Other(ColumnType::Int32, OutputColumn::Score(axis), score_doc(axis)));
    let state = |at: usize| {
        let name = schemes.get(at).map_or_else(String::new, |s| s.column.clone());
        [
            (name.clone(), Choice::Other(ColumnType::State, OutputColumn::State(at), STATE)),
            (format!("{name}_previous"), Choice::Other(ColumnType::State, OutputColumn::Previous(at), PREVIOUS)),
            (format!("{name}_since"), Choice::Other(ColumnType::Date, OutputColumn::Since(at), SINCE)),
        ]
    };
    let complete = || {
        let choice = Choice::Other(ColumnType::Boolean, OutputColumn::HistoryComplete, HISTORY_COMPLETE);
        ("history_complete".to_owned(), choice)
    };
    let has_playbook = !job.raw.playbook.is_empty();
    let action = || has_playbook.then(|| ("action".to_owned(), Choice::Other(ColumnType::State, OutputColumn::Action, ACTION)));
    let measure = |m: Measure| (m.to_string(), Choice::Measure(m));
    let Some(names) = &job.raw.output.columns else {
        let first = [
            MeasureKind::FirstOrder,
            MeasureKind::LastOrder,
            MeasureKind::RecencyDays,
            MeasureKind::Frequency,
            MeasureKind::Monetary,
        ];
        let first: Vec<Measure> = first.into_iter().map(Measure::plain).collect();
        let mut further: Vec<Measure> = used.iter().copied().filter(|m| !first.contains(m)).collect();
        further.sort_unstable();
        further.dedup();
        let mut out: Vec<(String, Choice)> = first.into_iter().chain(further).map(measure).collect();
        out.extend(Axis::ALL.map(score));
        out.extend((0..schemes.len()).flat_map(state));
        out.extend(action());
        out.push(complete());
        return Ok(out);
    };
    let mut others: Vec<(String, Choice)> = Axis::ALL.map(score).into_iter().collect();
    others.extend((0..schemes.len()).flat_map(state));
    others.extend(action());
    others.push(complete());
    let dimensions = job.raw.customers.iter().flat_map(|c| &c.dimensions).enumerate();
    others.extend(
        dimensions.map(|(at, name)| (name.clone(), Choice::Other(ColumnType::State, OutputColumn::Dimension(at), DIMENSION))),
    );
    let mut out: Vec<(String, Choice)> = Vec::with_capacity(names.len());
    for name in names {
        let place = || job.source.locate(&format!("\"{name}\""));
        let always = name == "customer_id" || name == "slice";
        if always || out.iter().any(|(n, _)| n == name) {
            return Err(Error::usage(format!(
                "{}: output.columns names {name:?}{}; remove it",
                job.source.locate("columns"),
                if always { ", which is always there" } else { " twice" }
            )));
        }
        let choice = match others.iter().position(|(n, _)| n == name) {
            Some(at) => others.swap_remove(at).1,
            None => Choice::Measure(known.parse(name).map_err(|error| {
                if known.knows(name) {
                    return Error::usage(format!("{}: output.columns: {error}", place()));
                }
                let names = known.names().chain(others.iter().map(|(n, _)| n.as_str()));
                Error::usage(format!(
                    "{}: output.columns names {name:?}, which is no measure, score or scheme column{} (possible: {})",
                    place(),
                    suggestion(name, names.clone()),
                    names.collect::<Vec<_>>().join(", ")
                ))
            })?),
        };
        out.push((name.clone(), choice));
    }
    Ok(out)
}
