//! What is summed of a strategy's customers, and on which days: the job's settings joined with what the data are.

use std::ops::Range;

use crate::domain::{Day, Decimal, Design, MeasureKind, Outcome, Period};
use crate::engine::experiment::exposure::load::{PeriodCounts, StrategyAssignments};
use crate::error::{Error, Result, suggestion};
use crate::evaluate::{Phase, Quantity};
use crate::job::strategy::STRATUM;
use crate::job::{Job, Strategy};
use crate::plan::Plan;
use crate::plan::SchemeColumn;
use crate::stats::Shape;
use crate::sums::Arity;

/// A strategy and everything its customers' numbers depend on.
pub struct StrategyPlan<'a> {
    pub strategy: &'a Strategy,
    pub arms: &'a [String],
    pub strata: Option<&'a [String]>,
    /// Number of the control arm.
    pub control: Option<u16>,
    /// Number of the slice whose orders count; 0 without slices.
    pub slice: u32,
    /// Schemes by whose states sums are taken, with how many states each has.
    pub by: Vec<(usize, usize)>,
    /// How many groups the sums have: all states of all schemes of `by`; one without.
    pub groups: usize,
    /// What makes the cells.
    pub cells: Vec<CellBy>,
    /// Outcomes that are summed as they are; winsorised ones follow from them.
    pub outcomes: Vec<PlannedOutcome>,
    /// What is summed per customer, in the order of their numbers.
    pub slots: Vec<SummedQuantity>,
    /// The slots that are outcomes, which come first: when and what.
    pub outcome_slots: Vec<(Phase, OutcomeKind)>,
    /// The slots that are winsorised too: those of money.
    pub winsorised: Vec<usize>,
    /// Its lists: one per period.
    pub lists: Range<usize>,
}

/// An outcome, and how it is had from what a customer did.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedOutcome {
    pub outcome: Outcome,
    pub kind: OutcomeKind,
}

/// How an outcome is had.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OutcomeKind {
    Converted,
    Orders,
    Revenue,
    /// Money less cost.
    Margin,
    /// A share of the money.
    MarginRate(Decimal),
    Retained,
    OrderValue,
    /// Whether the state in the scheme is another step of the ladder.
    Moved {
        scheme: usize,
        up: bool,
    },
}

/// One part of what makes a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellBy {
    /// A scheme's state on the day before, with how many states it has.
    State { scheme: usize, states: usize },
    /// The assignment's stratum, with how many there are.
    Stratum { strata: usize },
}

impl CellBy {
    pub fn len(self) -> usize {
        match self {
            CellBy::State { states, .. } => states,
            CellBy::Stratum { strata } => strata,
        }
    }
}

/// One thing that is summed.
#[derive(Debug, Clone, PartialEq)]
pub struct SummedQuantity {
    pub phase: Phase,
    pub quantity: Quantity,
    pub arity: Arity,
    /// Whether states have rows of their own.
    pub by_state: bool,
}

/// Most cells times arms of a strategy.
const MOST_CELLS: u64 = 1 << 40;

/// The measures on the day before that the balance table compares.
pub const COVARIATES: [MeasureKind; 3] = [MeasureKind::RecencyDays, MeasureKind::Frequency, MeasureKind::Monetary];

/// A period of a strategy: the customers who were assigned in it.
pub struct PeriodPlan {
    /// The strategy's number.
    pub study: usize,
    pub period: Period,
    /// GroupKey among the job's dates of the day before the period; none if it lies beyond the last one.
    pub before: Option<usize>,
    /// The same of the period's last day.
    pub end: Option<usize>,
    pub baseline: Option<Period>,
    /// The time before the baseline, and the time before that.
    pub placebo: Option<(Period, Period)>,
    /// Whether the data begin before the placebo does.
    pub placebo_is_known: bool,
}

impl<'a> StrategyPlan<'a> {
    fn new(
        job: &'a Job,
        plan: &Plan,
        strategy: &'a Strategy,
        assigned: &'a StrategyAssignments,
        slices: &[String],
        lists: Range<usize>,
    ) -> Result<StrategyPlan<'a>> {
        let scheme = |column: &str| -> Result<(usize, usize)> {
            let found = plan.schemes.iter().position(|s| s.column == column);
            let states = |at: usize| plan.schemes.get(at).map_or(0, |s| s.scheme.states.len() + 2);
            found.map(|at| (at, states(at))).ok_or_else(|| Error::bug(format!("no scheme column {column}")))
        };
        let by: Vec<(usize, usize)> = strategy.by.iter().map(|column| scheme(column)).collect::<Result<_>>()?;
        let stratum = assigned.strata.as_ref().map(|names| CellBy::Stratum { strata: names.len() });
        known_strata(job, strategy, assigned)?;
        let cells: Vec<CellBy> = match strategy.design {
            Design::Randomised => stratum.into_iter().collect(),
            Design::BeforeAfter => Vec::new(),
            Design::Matched => strategy
                .match_on
                .iter()
                .map(|name| match stratum.filter(|_| name == STRATUM) {
                    Some(stratum) => Ok(stratum),
                    None if name == STRATUM => Err(no_strata(job, strategy)),
                    None => scheme(name).map(|(scheme, states)| CellBy::State { scheme, states }),
                })
                .collect::<Result<_>>()?,
        };
        let bound = cells.iter().try_fold(assigned.arms.len() as u64, |all, by| all.checked_mul(by.len() as u64));
        if bound.is_none_or(|bound| bound > MOST_CELLS) {
            return Err(Error::usage(format!(
                "strategy {:?}: match_on makes more cells than can be numbered; match on fewer scheme columns",
                strategy.name
            )));
        }
        let outcomes: Vec<PlannedOutcome> = strategy
            .outcomes
            .iter()
            .map(|outcome| {
                let kind = match outcome {
                    Outcome::Converted => OutcomeKind::Converted,
                    Outcome::Orders => OutcomeKind::Orders,
                    Outcome::Revenue => OutcomeKind::Revenue,
                    Outcome::Margin => match strategy.margin_rate.filter(|_| job.raw.orders.cost.is_none()) {
                        Some(rate) => OutcomeKind::MarginRate(rate),
                        None => OutcomeKind::Margin,
                    },
                    Outcome::Retained => OutcomeKind::Retained,
                    Outcome::AvgOrderValue => OutcomeKind::OrderValue,
                    Outcome::MovedUp(column) => OutcomeKind::Moved { scheme: scheme(column)?.0, up: true },
                    Outcome::MovedDown(column) => OutcomeKind::Moved { scheme: scheme(column)?.0, up: false },
                    Outcome::Winsorised(_) => return Err(Error::bug("a job names no winsorised outcome")),
                };
                Ok(PlannedOutcome { outcome: outcome.clone(), kind })
            })
            .collect::<Result<_>>()?;
        let (mut slots, mut outcome_slots) = (Vec::new(), Vec::new());
        for phase in phases(strategy) {
            for own in outcomes.iter().filter(|o| has_phase(o.kind, phase)) {
                outcome_slots.push((phase, own.kind));
                slots.push(SummedQuantity {
                    phase,
                    arity: if own.outcome.shape() == Shape::Ratio { Arity::Four } else { Arity::Two },
                    quantity: Quantity::Outcome(own.outcome.clone()),
                    by_state: true,
                });
            }
        }
        let slot =
            |quantity: Quantity, by_state: bool| SummedQuantity { phase: Phase::During, quantity, arity: Arity::One, by_state };
        if strategy.design != Design::BeforeAfter {
            let scale = |kind: MeasureKind| if kind == MeasureKind::Monetary { job.monetary_scale() } else { 0 };
            let covariate = |kind: MeasureKind| Quantity::Covariate { name: kind.name().into(), scale: scale(kind) };
            slots.extend(COVARIATES.map(|kind| slot(covariate(kind), true)));
        }
        slots.push(slot(Quantity::TreatedInBaseline, false));
        slots.push(slot(Quantity::Recurs, true));
        if assigned.has_cost {
            slots.push(slot(Quantity::Cost, true));
        }
        if assigned.has_contacts {
            slots.push(slot(Quantity::Contacts, true));
        }
        let is_money = |slot: &SummedQuantity| matches!(slot.quantity, Quantity::Outcome(Outcome::Revenue | Outcome::Margin));
        let money = slots.iter().enumerate().filter(|(_, slot)| strategy.winsorise.is_some() && is_money(slot));
        Ok(StrategyPlan {
            strategy,
            arms: &assigned.arms,
            strata: assigned.strata.as_deref(),
            control: strategy.control.as_ref().and_then(|c| assigned.arms.iter().position(|arm| arm == c)).map(|at| at as u16),
            slice: slice_number(job, strategy, slices)?,
            groups: by.iter().map(|(_, states)| *states).sum::<usize>().max(1),
            winsorised: money.map(|(at, _)| at).collect::<Vec<_>>(),
            by,
            cells,
            outcomes,
            slots,
            outcome_slots,
            lists,
        })
    }

    /// Whether outcomes compare states.
    pub fn has_moves(&self) -> bool {
        self.outcomes.iter().any(|o| matches!(o.kind, OutcomeKind::Moved { .. }))
    }

    /// Whether it matters what customers did before the baseline.
    pub fn looks_back(&self) -> bool {
        self.strategy.design == Design::Matched || self.outcomes.iter().any(|o| o.kind == OutcomeKind::Retained)
    }

    /// How many cells there can be.
    pub fn cell_bound(&self) -> u128 {
        self.cells.iter().map(|by| by.len() as u128).product()
    }
}

/// The phases of a strategy.
fn phases(strategy: &Strategy) -> impl Iterator<Item = Phase> + use<> {
    let after = [Phase::After, Phase::Both].into_iter().filter({
        let after = strategy.after;
        move |_| after
    });
    let placebo = (strategy.design == Design::Matched).then_some(Phase::Placebo);
    std::iter::once(Phase::During).chain(after).chain(placebo)
}

/// Whether an outcome has a phase: a move is told of the end of the period alone.
fn has_phase(kind: OutcomeKind, phase: Phase) -> bool {
    phase == Phase::During || !matches!(kind, OutcomeKind::Moved { .. })
}

fn no_strata(job: &Job, strategy: &Strategy) -> Error {
    let number = job.strategies.iter().position(|s| s.name == strategy.name).unwrap_or_default();
    Error::contract(format!(
        "{}: strategy {:?}: match_on names {STRATUM:?}, but its assignments have neither a column \"stratum\" nor \"state\"; add one, or match on scheme columns",
        job.source.locate_key("strategy", number, "match_on"),
        strategy.name
    ))
}

/// Strata with shares of their own must be among the assignments, or the split check would use other shares.
fn known_strata(job: &Job, strategy: &Strategy, assigned: &StrategyAssignments) -> Result<()> {
    let known = assigned.strata.as_deref().unwrap_or_default();
    match strategy.strata.iter().find(|(stratum, _)| !known.contains(stratum)) {
        Some((stratum, _)) => Err(Error::contract(format!(
            "{}: strategy {:?}: split has shares for the stratum {stratum:?}, which no assignment has{} (strata found: {}); correct the name or the table",
            job.source.locate(stratum),
            strategy.name,
            suggestion(stratum, known.iter().map(String::as_str)),
            if known.is_empty() { "none".into() } else { known.iter().take(20).cloned().collect::<Vec<_>>().join(", ") }
        ))),
        None => Ok(()),
    }
}

fn slice_number(job: &Job, strategy: &Strategy, slices: &[String]) -> Result<u32> {
    let Some(slice) = &strategy.slice else { return Ok(0) };
    match slices.iter().position(|s| s == slice) {
        Some(number) => Ok(number as u32),
        None => Err(Error::usage(format!(
            "{}: strategy {:?} names the slice {slice:?}, which no order has{} (column {:?} holds {})",
            job.source.locate(slice),
            strategy.name,
            suggestion(slice, slices.iter().map(String::as_str)),
            job.raw.orders.slice.as_deref().unwrap_or_default(),
            slices.iter().take(20).map(|s| format!("{s:?}")).collect::<Vec<_>>().join(", ")
        ))),
    }
}

impl PeriodPlan {
    fn new(
        job: &Job,
        study: usize,
        strategy: &Strategy,
        period: Period,
        facts: &PeriodCounts,
        first_order: Option<Day>,
    ) -> PeriodPlan {
        let place = |day: Day| job.dates.iter().position(|date| date.date == day);
        let back = |time: Period| match strategy.outcome_days.filter(|_| strategy.baseline.is_none()) {
            Some(_) => Period { start: Day(time.start.0.saturating_sub(time.days())), end: time.start },
            None => time.preceding(),
        };
        let outcomes = facts.span.map(|(first, _)| window(strategy, period, first));
        let wanted = strategy.baseline.or_else(|| outcomes.map(back));
        // Of time before the data nothing is known, which is not the same as zero.
        let baseline = wanted.filter(|baseline| first_order.is_some_and(|first| first < baseline.end));
        let placebo = baseline.map(|baseline| (back(baseline), back(back(baseline))));
        PeriodPlan {
            study,
            period,
            before: place(period.start.previous()),
            end: place(period.last_day()),
            baseline,
            placebo_is_known: placebo.zip(first_order).is_some_and(|((placebo, _), first)| first <= placebo.start),
            placebo,
        }
    }
}

/// The days on which the outcome of a customer assigned on `day` counts.
pub fn window(strategy: &Strategy, period: Period, day: Day) -> Period {
    match strategy.outcome_days {
        Some(days) => Period { start: day, end: Day(day.0.saturating_add(days as i32)) },
        None => Period { start: day, end: period.end },
    }
}

/// All strategies of a job and their lists.
pub fn studies<'a>(
    job: &'a Job,
    plan: &Plan,
    assigned: &'a [StrategyAssignments],
    slices: &[String],
    first_order: Option<Day>,
) -> Result<(Vec<StrategyPlan<'a>>, Vec<PeriodPlan>)> {
    let (mut studies, mut lists) = (Vec::new(), Vec::new());
    for (number, (strategy, own)) in job.strategies.iter().zip(assigned).enumerate() {
        let start = lists.len();
        for (period, facts) in strategy.periods.iter().zip(&own.periods) {
            lists.push(PeriodPlan::new(job, number, strategy, *period, facts, first_order));
        }
        studies.push(StrategyPlan::new(job, plan, strategy, own, slices, start..lists.len())?);
    }
    Ok((studies, lists))
}

/// The names behind a cell's number, as the tables show them: `segment=Loyal, stratum=north`; a stratum alone is its name.
pub fn cell_name(study: &StrategyPlan<'_>, schemes: &[SchemeColumn], mut cell: u64) -> String {
    let mut parts = Vec::with_capacity(study.cells.len());
    for by in study.cells.iter().rev() {
        let at = (cell % by.len() as u64) as usize;
        cell /= by.len() as u64;
        parts.push(match by {
            CellBy::Stratum { .. } => {
                let name = study.strata.and_then(|names| names.get(at)).cloned().unwrap_or_default();
                if study.strategy.design == Design::Randomised { name } else { format!("{STRATUM}={name}") }
            }
            CellBy::State { scheme, .. } => {
                let column = schemes.get(*scheme);
                let state = column.and_then(|c| c.scheme.all_states().get(at).cloned()).unwrap_or_default();
                format!("{}={state}", column.map_or("", |c| c.column.as_str()))
            }
        });
    }
    parts.reverse();
    if parts.is_empty() { crate::evaluate::ALL.into() } else { parts.join(", ") }
}
