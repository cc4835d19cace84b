//! The plan of all strategies: the job's settings joined with what its assignments and orders are.

use std::ops::Range;

use super::assigned_on::{DateCell, DayCheck};
use super::cells::{CellNames, CellPart, cell_parts, check_strata};
use super::exposure::load::{PeriodCounts, StrategyAssignments};
use super::groups::{GroupNames, GroupSource, Groups};
use super::kept_arms::kept_arms;
use super::layout::{KeyLayout, SumLayout};
pub use super::quantity::{EventTally, OutcomeKind, PlannedOutcome, QuantitySource, SummedQuantity};
use super::threshold::ThresholdPlan;
use crate::domain::{Day, Design, MeasureKind, Outcome, Period};
use crate::error::{Error, Result, suggestion};
use crate::evaluate::{KeptArms, Phase, Quantity};
use crate::job::{Job, Strategy};
use crate::plan::{PlannedCut, SchemeColumn};
use crate::stats::Shape;
use crate::sums::Arity;

/// All strategies of a job.
pub struct ExperimentPlan<'a> {
    /// Assignments, by strategy.
    pub assignments: &'a [StrategyAssignments],
    /// What is summed of every strategy.
    pub strategies: Vec<StrategyPlan<'a>>,
    /// The periods of all strategies, strategy by strategy.
    pub periods: Vec<PeriodPlan>,
    /// The day of the first order.
    pub first_order: Option<Day>,
    /// By scheme and state: the step of the ladder, if the state has one.
    pub ladders: Vec<Vec<Option<usize>>>,
    /// Strategies of design threshold, which have no assignments.
    pub thresholds: Vec<ThresholdPlan<'a>>,
}

/// A strategy, and everything on which the values of its customers depend.
pub struct StrategyPlan<'a> {
    /// Its settings.
    pub strategy: &'a Strategy,
    /// Names of the arms.
    pub arms: &'a [String],
    /// Names of the strata; none without strata.
    pub strata: Option<&'a [String]>,
    /// Dimensions of the customers table that may be what was drawn.
    pub dimensions: &'a [String],
    /// Index of the control arm.
    pub control: Option<u16>,
    /// Number of the slice whose orders count; 0 without slices.
    pub slice: u32,
    /// What sums are grouped by.
    pub by: Vec<Groups>,
    /// What makes the cells.
    pub cells: Vec<CellPart>,
    /// Dates that are strata in a period, ascending; their numbers begin with 1.
    pub dates: Vec<DateCell>,
    /// Outcomes that are summed as they are; winsorised ones follow from them.
    pub outcomes: Vec<PlannedOutcome>,
    /// What is summed per customer: a column each, outcomes first.
    pub quantities: Vec<SummedQuantity>,
    /// Indices of the quantities that are winsorised, too: those of money.
    pub winsorised: Vec<usize>,
    /// Indices of its periods.
    pub periods: Range<usize>,
    /// How its sums are laid out.
    pub layout: SumLayout,
}

/// A period of a strategy.
pub struct PeriodPlan {
    /// Index of the strategy.
    pub strategy: usize,
    /// The days on which its customers are assigned.
    pub period: Period,
    /// Index of the as-of date that is the day before the period; none if it lies after the last date.
    pub before: Option<usize>,
    /// The same of the day before the baseline, for the placebo of a matched strategy.
    pub earlier: Option<usize>,
    /// The same of the period's last day.
    pub end: Option<usize>,
    /// The days on which the outcomes of who is assigned first count; none if nobody is.
    pub outcomes: Option<Period>,
    /// The time before the first assignment that outcomes are compared with; none if the data begin after it.
    pub baseline: Option<Period>,
    /// The time before the baseline.
    pub placebo: Option<Period>,
    /// The time before the placebo.
    pub pre_placebo: Option<Period>,
    /// Whether events are known in the baseline, and in the placebo.
    pub knows_events: [bool; 2],
    /// Whether the data begin before the placebo does, and before the time before it.
    pub placebo_is_known: bool,
    pub pre_placebo_is_known: bool,
    /// Whether its arms were assigned on the same days.
    pub day_check: DayCheck,
    /// Whether its arms were kept from earlier periods: then its customers' states are those before their first assignment.
    pub kept: Option<KeptArms>,
}

/// The measures on the day before a period that the balance table compares.
pub const COVARIATES: [MeasureKind; 3] = [MeasureKind::RecencyDays, MeasureKind::Frequency, MeasureKind::Monetary];

/// The days of the first order and of the first event; none without any.
#[derive(Debug, Clone, Copy, Default)]
pub struct FirstDays {
    pub order: Option<Day>,
    pub event: Option<Day>,
}

/// Events are known in a time of which at most one part in this many lies before the first.
const UNKNOWN_PART: i32 = 8;

/// What strategies are planned from.
struct Planner<'a, 'p> {
    job: &'a Job,
    names: GroupNames<'p>,
    slices: &'p [String],
    firsts: FirstDays,
}

impl<'a> ExperimentPlan<'a> {
    /// Plans all strategies of a job. `assignments` are those of strategies that go by them, then the tables of who was treated from
    /// a cut on; `slices` are the slice values in order.
    ///
    /// # Errors
    /// Exit 2 or 3 where a setting does not fit the data.
    pub fn new(
        job: &'a Job,
        cuts: &[PlannedCut],
        names: GroupNames<'_>,
        assignments: &'a [StrategyAssignments],
        slices: &[String],
        firsts: FirstDays,
    ) -> Result<ExperimentPlan<'a>> {
        let planner = Planner { job, names, slices, firsts };
        let (assignments, treated) = assignments.split_at(job.strategies.len().min(assignments.len()));
        let of_slices = job.thresholds.iter().map(|threshold| planner.slice(&threshold.name, threshold.slice.as_deref()));
        let of_slices = of_slices.collect::<Result<Vec<u32>>>()?;
        let thresholds = ThresholdPlan::all(job, cuts, treated, &of_slices, firsts.order)?;
        let (mut strategies, mut periods) = (Vec::new(), Vec::new());
        for (number, (strategy, own)) in job.strategies.iter().zip(assignments).enumerate() {
            let start = periods.len();
            for at in 0..strategy.periods.len() {
                periods.push(planner.period(number, at, own));
            }
            let range = start..periods.len();
            strategies.push(planner.strategy(strategy, own, range.clone(), &periods[range])?);
        }
        let ladder = |column: &SchemeColumn| {
            let states = 0..column.scheme.all_states().len();
            states.map(|state| column.scheme.ladder.iter().position(|step| *step == state)).collect()
        };
        Ok(ExperimentPlan {
            assignments,
            strategies,
            periods,
            first_order: firsts.order,
            ladders: names.schemes.iter().map(ladder).collect(),
            thresholds,
        })
    }

    /// Whether an outcome of a strategy counts events.
    pub fn counts_events(&self) -> bool {
        self.strategies.iter().any(StrategyPlan::counts_events)
    }

    /// The strategy of a period.
    pub fn strategy_of(&self, period: usize) -> &StrategyPlan<'a> {
        &self.strategies[self.periods[period].strategy]
    }

    /// The assignments of a period, given by its index.
    pub fn counts(&self, period: usize) -> &'a PeriodCounts {
        let strategy = self.periods[period].strategy;
        &self.assignments[strategy].periods[period - self.strategies[strategy].periods.start]
    }

    /// Whether two strategies have the same assignments, as one treatment that is evaluated in two ways.
    pub fn have_one_table(&self, one: usize, other: usize) -> bool {
        let paths = |number: usize| &self.strategies[number].strategy.assignments;
        let takes_all = |number: usize| self.assignments[number].rows.other_strategies == 0;
        one == other || paths(one) == paths(other) && takes_all(one) && takes_all(other)
    }

    /// By date: the result of [`ExperimentPlan::rescored_at`].
    pub fn rescored_from(&self, dates: usize) -> Vec<Vec<usize>> {
        (0..dates).map(|date| self.rescored_at(date).collect()).collect()
    }

    /// The earlier dates under whose cut points the states at a date are needed, too: the dates before the periods that end
    /// on the date, if an outcome compares the states at both.
    pub fn rescored_at(&self, date: usize) -> impl Iterator<Item = usize> {
        let ends = self.periods.iter().filter(move |period| period.end == Some(date));
        ends.filter(|period| self.strategies[period.strategy].compares_states()).filter_map(|period| period.before)
    }
}

impl<'a> Planner<'a, '_> {
    fn strategy(
        &self,
        strategy: &'a Strategy,
        assignments: &'a StrategyAssignments,
        periods: Range<usize>,
        plans: &[PeriodPlan],
    ) -> Result<StrategyPlan<'a>> {
        check_strata(self.job, strategy, assignments)?;
        let mut dates: Vec<DateCell> = plans.iter().flat_map(|period| period.day_check.cells()).map(|(_, cell)| cell).collect();
        dates.sort_unstable();
        dates.dedup();
        let by = self.names.of(self.job, strategy, assignments)?;
        let cells = cell_parts(self.job, strategy, assignments, dates.len(), |column| self.names.scheme(column))?;
        // Without costs of their own, customers' net money is linear in their margin, whose sums do.
        let net = self.net(strategy).filter(|_| assignments.has_cost).map(|kind| PlannedOutcome { outcome: Outcome::Net, kind });
        let listed = strategy.outcomes.iter().filter(|outcome| **outcome != Outcome::Net);
        let outcomes = listed.map(|outcome| self.outcome(strategy, outcome)).chain(net.map(Ok)).collect::<Result<Vec<_>>>()?;
        let quantities = self.quantities(strategy, assignments, &outcomes);
        let winsorised =
            quantities.iter().enumerate().filter(|(_, quantity)| strategy.winsorise.is_some() && quantity.is_money());
        let clusters = assignments.clusters.as_ref().map(|names| names.len().max(1) as u64);
        let is_drawn = strategy.design == Design::Randomised && clusters.is_none();
        let keys = KeyLayout {
            arms: assignments.arms.len() as u64,
            groups: by.iter().map(|by| by.names.len() as u64).sum::<u64>().max(1),
            cells: cells.iter().map(|part| part.len() as u64).product::<u64>() * clusters.unwrap_or(1),
            clusters,
            periods: periods.len(),
        };
        // Clusters are counted when they are whole.
        let counted = quantities.iter().enumerate().filter(|_| clusters.is_none());
        let layout = SumLayout {
            keys,
            arities: quantities.iter().map(|quantity| quantity.arity).collect(),
            grids: counted.filter_map(|(index, summed)| Some((index, summed.counted_grid()?))).collect(),
            outcomes: quantities.iter().filter(|quantity| quantity.outcome().is_some()).count(),
            described: outcomes.iter().filter(|planned| planned.outcome.is_described()).count(),
        };
        Ok(StrategyPlan {
            strategy,
            arms: &assignments.arms,
            strata: assignments.strata.as_deref(),
            control: assignments.control(strategy),
            dimensions: self.job.raw.customers.as_ref().filter(|_| is_drawn).map_or(&[], |customers| &customers.dimensions),
            slice: self.slice(&strategy.name, strategy.slice.as_deref())?,
            by,
            cells,
            dates,
            winsorised: winsorised.map(|(index, _)| index).collect(),
            outcomes,
            quantities,
            periods,
            layout,
        })
    }

    fn outcome(&self, strategy: &Strategy, outcome: &Outcome) -> Result<PlannedOutcome> {
        let moved = |column: &str, up: bool| Ok(OutcomeKind::Moved { scheme: self.names.scheme(column)?.scheme, up });
        let has_cost = self.job.raw.orders.cost.is_some();
        if let Some(kind) = OutcomeKind::of_orders(outcome, strategy.margin_rate, has_cost) {
            return Ok(PlannedOutcome { outcome: outcome.clone(), kind });
        }
        let kind = match outcome {
            Outcome::Retained => OutcomeKind::Retained,
            Outcome::AvgOrderValue => OutcomeKind::OrderValue,
            Outcome::AnyEvent(kind) => OutcomeKind::Events(*kind, EventTally::Any),
            Outcome::Events(kind) => OutcomeKind::Events(*kind, EventTally::Count),
            Outcome::EventSum(kind) => OutcomeKind::Events(*kind, EventTally::Sum),
            Outcome::MovedUp(column) => moved(column, true)?,
            Outcome::MovedDown(column) => moved(column, false)?,
            _ => return Err(Error::bug("a job names no outcome that follows from others")),
        };
        Ok(PlannedOutcome { outcome: outcome.clone(), kind })
    }

    /// How net money is computed where the margin is known.
    fn net(&self, strategy: &Strategy) -> Option<OutcomeKind> {
        let lists = |outcome| strategy.outcomes.contains(&outcome);
        let of_revenue = strategy.margin_rate.filter(|_| self.job.raw.orders.cost.is_none() || !lists(Outcome::Margin));
        match of_revenue {
            Some(rate) if lists(Outcome::Margin) || lists(Outcome::Revenue) => Some(OutcomeKind::Net(Some(rate))),
            Some(_) => None,
            None => lists(Outcome::Margin).then_some(OutcomeKind::Net(None)),
        }
    }

    /// Everything that is summed of a strategy's customers, outcomes first.
    fn quantities(
        &self,
        strategy: &Strategy,
        assignments: &StrategyAssignments,
        outcomes: &[PlannedOutcome],
    ) -> Vec<SummedQuantity> {
        let mut all = Vec::new();
        for phase in phases(strategy) {
            for PlannedOutcome { outcome, kind } in outcomes {
                // States are compared at the end of the period alone.
                if phase == Phase::During || !matches!(kind, OutcomeKind::Moved { .. }) {
                    all.push(SummedQuantity {
                        phase,
                        quantity: Quantity::Outcome(outcome.clone()),
                        source: QuantitySource::Outcome(*kind),
                        arity: arity(strategy.design, outcome),
                        by_state: true,
                    });
                }
            }
        }
        let mut add = |quantity: Quantity, source: QuantitySource, by_state: bool| {
            all.push(SummedQuantity { phase: Phase::During, quantity, source, arity: Arity::One, by_state });
        };
        if strategy.design != Design::BeforeAfter {
            for (index, kind) in COVARIATES.into_iter().enumerate() {
                let scale = if kind == MeasureKind::Monetary { self.job.monetary_scale() } else { 0 };
                add(Quantity::Covariate { name: kind.name().into(), scale }, QuantitySource::Covariate(index), true);
            }
        }
        add(Quantity::TreatedInBaseline, QuantitySource::TreatedInBaseline, false);
        add(Quantity::Recurs, QuantitySource::Recurs, true);
        if assignments.has_cost {
            add(Quantity::Cost, QuantitySource::Cost, true);
        }
        if assignments.has_contacts {
            add(Quantity::Contacts, QuantitySource::Contacts, true);
            add(Quantity::Contacted, QuantitySource::Contacted, false);
        }
        all
    }

    /// The number of a strategy's slice.
    fn slice(&self, strategy: &str, slice: Option<&str>) -> Result<u32> {
        let Some(slice) = slice else { return Ok(0) };
        if let Some(number) = self.slices.iter().position(|known| known == slice) {
            return Ok(number as u32);
        }
        Err(Error::usage(format!(
            "{}: strategy {strategy:?} names the slice {slice:?}, which no order has{} (column {:?} holds {})",
            self.job.source.locate("strategy.slice", slice),
            suggestion(slice, self.slices.iter().map(String::as_str)),
            self.job.raw.orders.slice.as_deref().unwrap_or_default(),
            self.slices.iter().take(20).map(|s| format!("{s:?}")).collect::<Vec<_>>().join(", ")
        )))
    }

    fn knows_events(&self, time: Option<Period>) -> bool {
        let before = |(time, first): (Period, Day)| first.0.saturating_sub(time.start.0).max(0);
        time.zip(self.firsts.event).is_some_and(|both| before(both) <= both.0.days() / UNKNOWN_PART)
    }

    /// The period at `at` of a strategy.
    fn period(&self, strategy: usize, at: usize, own: &StrategyAssignments) -> PeriodPlan {
        let settings = &self.job.strategies[strategy];
        let (period, counts) = (settings.periods[at], &own.periods[at]);
        let date = |day: Day| self.job.dates.iter().position(|date| date.date == day);
        let preceding = |time: Period| match settings.outcome_days.filter(|_| settings.baseline.is_none()) {
            Some(_) => Period { start: Day(time.start.0.saturating_sub(time.days())), end: time.start },
            None => time.preceding(),
        };
        let window = counts.assigned.map(|assigned| outcome_window(settings, period, assigned.start));
        let wanted = settings.baseline.or_else(|| window.map(preceding));
        // Time before the first order is unknown, which is not the same as without orders.
        let baseline = wanted.filter(|baseline| self.firsts.order.is_some_and(|first| first < baseline.end));
        let placebo = baseline.map(preceding);
        let pre_placebo = placebo.map(preceding);
        let is_known = |time: Option<Period>| time.zip(self.firsts.order).is_some_and(|(time, first)| first <= time.start);
        PeriodPlan {
            strategy,
            period,
            before: date(period.start.previous()),
            earlier: settings.before_baseline(period).filter(|_| baseline.is_some()).and_then(date),
            end: date(period.last_day()),
            outcomes: window,
            baseline,
            placebo,
            pre_placebo,
            knows_events: [baseline, placebo].map(|time| self.knows_events(time)),
            placebo_is_known: is_known(placebo),
            pre_placebo_is_known: is_known(pre_placebo),
            day_check: DayCheck::of(settings, own, counts),
            kept: kept_arms(own, own.control(settings), &settings.periods, at),
        }
    }
}

impl StrategyPlan<'_> {
    /// Whether an outcome compares the states at two dates.
    pub fn compares_states(&self) -> bool {
        self.outcomes.iter().any(|planned| matches!(planned.kind, OutcomeKind::Moved { .. }))
    }

    /// Whether dimensions of the customers table tell its customers apart.
    pub fn uses_dimensions(&self) -> bool {
        self.by.iter().any(|by| matches!(by.source, GroupSource::Dimension(_)))
    }

    /// Whether an outcome counts events.
    pub fn counts_events(&self) -> bool {
        self.outcomes.iter().any(|planned| planned.outcome.event_kind().is_some())
    }

    /// Whether activity before the baseline matters.
    pub fn uses_placebo(&self) -> bool {
        self.strategy.design == Design::Matched || self.outcomes.iter().any(|planned| planned.kind == OutcomeKind::Retained)
    }

    /// The outcomes that a description of before and after shows.
    pub fn described_outcomes(&self) -> impl Iterator<Item = &PlannedOutcome> {
        self.outcomes.iter().filter(|planned| planned.outcome.is_described())
    }

    /// The names of its cells.
    pub fn cell_names<'b>(&'b self, schemes: &'b [SchemeColumn]) -> CellNames<'b> {
        CellNames { design: self.strategy.design, strata: self.strata, dates: &self.dates, schemes }
    }

    /// By day of assignment in a period, the number of its date among the cells; empty where dates are no strata.
    pub fn date_numbers(&self, period: &PeriodPlan) -> Vec<(Day, u64)> {
        let number = |(day, cell): (Day, DateCell)| Some((day, self.dates.binary_search(&cell).ok()? as u64 + 1));
        period.day_check.cells().filter_map(number).collect()
    }

    /// The days on which the outcome of a customer counts who is assigned on a day of the period.
    pub fn window(&self, period: Period, day: Day) -> Period {
        outcome_window(self.strategy, period, day)
    }
}

fn outcome_window(strategy: &Strategy, period: Period, day: Day) -> Period {
    match strategy.outcome_days {
        Some(days) => Period { start: day, end: Day(day.0.saturating_add(days as i32)) },
        None => Period { start: day, end: period.end },
    }
}

/// The phases in which outcomes are observed.
fn phases(strategy: &Strategy) -> Vec<Phase> {
    let mut phases = vec![Phase::During];
    if strategy.after {
        phases.extend([Phase::After, Phase::Both]);
    }
    phases
}

/// Ratios have a denominator in each window. Means of a matched strategy have a third number, that of the time before the baseline.
fn arity(design: Design, outcome: &Outcome) -> Arity {
    let is_placed = design == Design::Matched && outcome.moved_in().is_none();
    if outcome.shape() == Shape::Ratio || is_placed { Arity::Four } else { Arity::Two }
}
