//! The columns of the table `customers`.

use super::SchemeColumn;
use super::measures::MeasureList;
use crate::domain::{Catalogue, FORMER_NAME, Measure, MeasureKind, Unit};
use crate::error::{Error, Result, suggestion};
use crate::job::Job;
use crate::job::raw::MonetaryAs;
use crate::scheme::unit_scale;
use crate::score::Axis;
use crate::tables::{ColumnDefinition, ColumnType};

/// A column of `customers` after the id and the slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputColumn {
    /// A measure, by its index in the fold.
    Measure(usize),
    /// A dimension, by its index in `customers.dimensions`.
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
    /// Whether no window reaches back before the first order.
    HistoryComplete,
}

/// A column that is chosen: a measure, which knows its type and description, or another with its type and description.
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

/// The columns that a job asks for; their measures are added to `measures`. `of_schemes` are the measures that schemes look
/// at, which are shown if the job names no columns.
///
/// # Errors
/// Exit 2 if a name is no column, or stands twice.
pub(super) fn output_columns(
    job: &Job,
    schemes: &[SchemeColumn],
    of_schemes: &[Measure],
    known: &Catalogue,
    measures: &mut MeasureList,
) -> Result<Vec<(ColumnDefinition, OutputColumn)>> {
    let chosen = match &job.raw.output.columns {
        Some(names) => named_columns(job, schemes, known, names)?,
        None => default_columns(job, schemes, of_schemes),
    };
    let mut columns = Vec::with_capacity(chosen.len());
    for (name, choice) in chosen {
        let (kind, column, doc) = match choice {
            Choice::Measure(measure) => {
                (measure_type(job, measure), OutputColumn::Measure(measures.index(measure)), measure.kind.describe())
            }
            Choice::Other(kind, column, doc) => (kind, column, doc),
        };
        columns.push((ColumnDefinition::new(name, kind, doc), column));
    }
    Ok(columns)
}

/// Scores, states, action and completeness: the columns that every job has and that are no measures.
fn derived_columns(job: &Job, schemes: &[SchemeColumn]) -> Vec<(String, Choice)> {
    let mut columns = Vec::new();
    let mut add = |name: String, kind: ColumnType, column: OutputColumn, doc: &'static str| {
        columns.push((name, Choice::Other(kind, column, doc)));
    };
    for axis in Axis::ALL {
        add(axis.score_name().into(), ColumnType::Int32, OutputColumn::Score(axis), score_doc(axis));
    }
    for (at, scheme) in schemes.iter().enumerate() {
        let name = &scheme.column;
        add(name.clone(), ColumnType::State, OutputColumn::State(at), STATE);
        add(format!("{name}_previous"), ColumnType::State, OutputColumn::Previous(at), PREVIOUS);
        add(format!("{name}_since"), ColumnType::Date, OutputColumn::Since(at), SINCE);
    }
    if !job.raw.playbook.is_empty() {
        add("action".into(), ColumnType::State, OutputColumn::Action, ACTION);
    }
    add("history_complete".into(), ColumnType::Boolean, OutputColumn::HistoryComplete, HISTORY_COMPLETE);
    columns
}

/// The columns of a job that names none: the common measures, those of its schemes, and the derived columns.
fn default_columns(job: &Job, schemes: &[SchemeColumn], of_schemes: &[Measure]) -> Vec<(String, Choice)> {
    let common = [
        MeasureKind::FirstOrder,
        MeasureKind::LastOrder,
        MeasureKind::RecencyDays,
        MeasureKind::Frequency,
        MeasureKind::Monetary,
    ]
    .map(Measure::plain);
    let mut further: Vec<Measure> = of_schemes.iter().copied().filter(|m| !common.contains(m)).collect();
    further.sort_unstable();
    further.dedup();
    let measures = common.into_iter().chain(further).map(|measure| (measure.to_string(), Choice::Measure(measure)));
    measures.chain(derived_columns(job, schemes)).collect()
}

/// The columns that a job names.
fn named_columns(job: &Job, schemes: &[SchemeColumn], known: &Catalogue, names: &[String]) -> Result<Vec<(String, Choice)>> {
    let mut others = derived_columns(job, schemes);
    for (at, name) in job.raw.customers.iter().flat_map(|c| &c.dimensions).enumerate() {
        others.push((name.clone(), Choice::Other(ColumnType::State, OutputColumn::Dimension(at), DIMENSION)));
    }
    let mut columns: Vec<(String, Choice)> = Vec::with_capacity(names.len());
    for written in names {
        let name = if written == FORMER_NAME { MeasureKind::AnnualValue.name() } else { written };
        let is_implied = name == "customer_id" || name == "slice";
        if is_implied || columns.iter().any(|(n, _)| n == name) {
            return Err(Error::usage(format!(
                "{}: output.columns names {written:?}{}; remove it",
                job.source.locate("output.columns", written),
                if is_implied { ", which is always there" } else { " twice" }
            )));
        }
        let choice = match others.iter().position(|(n, _)| n == name) {
            Some(at) => others.swap_remove(at).1,
            None => Choice::Measure(known.parse(written).map_err(|error| {
                let place = job.source.locate("output.columns", name);
                if known.knows(name) {
                    return Error::usage(format!("{place}: output.columns: {error}"));
                }
                let names = known.names().chain(others.iter().map(|(n, _)| n.as_str()));
                Error::usage(format!(
                    "{place}: output.columns names {name:?}, which is no measure, score or scheme column{} (possible: {})",
                    suggestion(name, names.clone()),
                    names.collect::<Vec<_>>().join(", ")
                ))
            })?),
        };
        columns.push((name.to_owned(), choice));
    }
    Ok(columns)
}
