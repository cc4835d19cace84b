//! Computes the columns of a period's members: cells, groups, and what they did on the days that count.

use super::member_batch::MemberBatch;
use super::side_values::SideValues;
use super::slice::{SliceCustomers, UNMATCHED};
use super::snapshots::{Covariates, Snapshots, States};
use super::values::{OutcomeError, OutcomeWindows, less_cost};
use crate::assign::Assignments;
use crate::domain::{Day, Design, EventKind, Period};
use crate::error::Result;
use crate::evaluate::Phase;
use crate::experiment::cells::{CellPart, SchemeStates};
use crate::experiment::exposure::ClusterDraw;
use crate::experiment::groups::GroupSource;
use crate::experiment::plan::{
    EventTally, ExperimentPlan, OutcomeKind, PeriodPlan, QuantitySource, StrategyPlan, SummedQuantity,
};
use crate::movement::ABSENT;
use crate::sums::{Column, mark_nonzero};

/// The members of a period in the current batch, ascending by customer: one entry per member.
#[derive(Clone, Copy)]
pub struct MemberRows<'b> {
    /// Customers, as indices of the batch.
    pub customers: &'b [u32],
    /// Rows of the assignments.
    pub rows: &'b [u32],
    /// Arms.
    pub arms: &'b [u16],
    /// Indices among the part's customers; [`UNMATCHED`] without orders.
    pub indices: &'b [u32],
    /// Whether an earlier assignment of the strategy treated the customer inside the baseline.
    pub treated_in_baseline: &'b [bool],
    /// In how many periods of the strategy the customer counts.
    pub period_counts: &'b [u32],
    /// The first of the strategy's periods that the customer is assigned in; empty where no arms are kept.
    pub first_periods: &'b [u32],
    /// The day on which all are assigned, if it is the same.
    pub day: Option<Day>,
}

impl MemberRows<'_> {
    /// Number of members.
    pub fn len(&self) -> usize {
        self.customers.len()
    }

    /// Number of members without orders.
    pub fn unmatched(&self) -> u64 {
        self.indices.iter().filter(|index| **index == UNMATCHED).count() as u64
    }
}

/// A period in a part, with everything that the values of its members are computed from.
pub struct PeriodOutcomes<'a> {
    strategy: &'a StrategyPlan<'a>,
    period: &'a PeriodPlan,
    table: &'a Assignments,
    /// By day of assignment: the number of its date among the cells; empty where dates are no strata.
    dates: Vec<(Day, u64)>,
    /// Where clusters were drawn to; empty if customers were drawn one by one.
    clusters: &'a [Option<ClusterDraw>],
    /// By scheme and state: the step of the ladder.
    ladders: &'a [Vec<Option<usize>>],
    /// By period of the strategy: states on the day before it, for arms that were kept. Else on the day before this one alone.
    before: Vec<Option<&'a States>>,
    /// States on the day before the period itself.
    own_before: Option<&'a States>,
    /// States on the day before the baseline.
    earlier: Option<&'a States>,
    /// Covariates on the day before the period.
    covariates: Option<&'a Covariates>,
    /// States on the last day of the period, under the cut points of the day before it.
    after: Option<&'a States>,
}

/// Scratch memory for the activity of members.
#[derive(Default)]
pub struct ActivityScratch {
    windows: OutcomeWindows,
    /// By member: the rows of cumulative activity that bound its windows.
    rows: Vec<WindowRows>,
}

/// Where the rows of cumulative activity start that bound the windows of a member.
#[derive(Clone, Copy)]
struct WindowRows {
    assigned: u32,
    end: u32,
    after_end: u32,
}

impl<'a> PeriodOutcomes<'a> {
    /// A period, given by its index, in a part.
    pub fn new(plan: &'a ExperimentPlan<'a>, period: usize, part: usize, snapshots: &'a Snapshots) -> PeriodOutcomes<'a> {
        let clusters = &plan.counts(period).clusters;
        let strategy = &plan.strategies[plan.periods[period].strategy];
        let before = if plan.periods[period].kept.is_some() { strategy.periods.clone() } else { period..period + 1 };
        let (period, before) = (&plan.periods[period], &plan.periods[before]);
        PeriodOutcomes {
            strategy: &plan.strategies[period.strategy],
            period,
            table: &plan.assignments[period.strategy].parts[part].table,
            dates: plan.strategies[period.strategy].date_numbers(period),
            clusters,
            ladders: &plan.ladders,
            before: before.iter().map(|period| snapshots.states(period.before?)).collect(),
            own_before: period.before.and_then(|date| snapshots.states(date)),
            earlier: period.earlier.and_then(|date| snapshots.states(date)),
            covariates: period.before.and_then(|date| snapshots.covariates(date)),
            after: period.before.zip(period.end).and_then(|(before, end)| snapshots.rescored_states(before, end)),
        }
    }

    /// Appends the boundary days of the windows of customers who are assigned on some days.
    pub fn add_boundary_days(&self, assigned: &[Day], out: &mut Vec<i32>) {
        for time in self.times_before().into_iter().flatten() {
            out.extend([time.start.0, time.end.0]);
        }
        for day in assigned {
            out.extend(self.window_days(*day).map(|day| day.0));
        }
    }

    /// Fills a batch with the members of the period, whose orders are those of the slice and of whom `side` tells the rest.
    ///
    /// # Errors
    /// Exit 3 where an order lacks the cost that a margin needs, or money overflows.
    pub fn fill(
        &self,
        members: MemberRows<'_>,
        slice: &SliceCustomers<'_>,
        side: &SideValues<'_>,
        scratch: &mut ActivityScratch,
        batch: &mut MemberBatch,
    ) -> Result<()> {
        batch.reset(self.strategy);
        batch.customers.extend_from_slice(members.customers);
        self.fill_groups(members, side, batch);
        self.fill_cell_arms(members, &mut batch.cell_arms);
        self.look_up_activity(members, slice, scratch);
        for (quantity, column) in self.strategy.quantities.iter().zip(&mut batch.columns) {
            self.fill_column(quantity, members, side, &scratch.windows, column)?;
        }
        if self.strategy.strategy.design != Design::BeforeAfter {
            // Counts and money are 0 without orders, but days since the last order are unknown.
            let has_ordered = self.covariates.map_or(&[][..], |covariates| &covariates.has_ordered);
            for (member, index) in members.indices.iter().enumerate() {
                if has_ordered.get(*index as usize) != Some(&true) {
                    batch.unknown.push(member as u32);
                }
            }
        }
        mark_nonzero(&batch.columns, members.len(), &mut batch.nonzero);
        Ok(())
    }

    fn fill_groups(&self, members: MemberRows<'_>, side: &SideValues<'_>, batch: &mut MemberBatch) {
        if self.strategy.by.is_empty() {
            batch.groups.iter_mut().for_each(|groups| groups.resize(members.len(), 0));
        }
        let mut offset = 0;
        for (by, groups) in self.strategy.by.iter().zip(&mut batch.groups) {
            let first = offset as u32;
            match by.source {
                GroupSource::State(states) => {
                    groups.extend(self.states_before(members, states).map(|state| first + state as u32));
                }
                GroupSource::Dimension(dimension) => {
                    let without = by.names.len() as u32 - 1;
                    let value = |customer: &u32| side.dimension(dimension, *customer).unwrap_or(without);
                    groups.extend(members.customers.iter().map(|customer| first + value(customer)));
                }
                GroupSource::Column(column) => {
                    let values = &self.table.by[column].codes;
                    groups.extend(members.rows.iter().map(|row| first + values[*row as usize]));
                }
            }
            offset += by.names.len();
        }
    }

    /// The states of members on the day before the period, or, where arms were kept, before the first that they are assigned in.
    fn states_before<'m>(&self, members: MemberRows<'m>, by: SchemeStates) -> impl Iterator<Item = usize> + 'm
    where
        'a: 'm,
    {
        let by_period: Vec<&'a [u16]> = self.before.iter().map(|states| states_of(*states, by.scheme)).collect();
        let of = move |(member, index): (usize, &u32)| {
            let first = members.first_periods.get(member).map_or(0, |first| *first as usize);
            state_or_none(by_period.get(first).copied().unwrap_or_default(), *index, by.states)
        };
        members.indices.iter().enumerate().map(of)
    }

    fn fill_cell_arms(&self, members: MemberRows<'_>, cell_arms: &mut Vec<u64>) {
        cell_arms.resize(members.len(), 0);
        for part in &self.strategy.cells {
            let values = part.len() as u64;
            match part {
                CellPart::State(by) => {
                    for (cell, state) in cell_arms.iter_mut().zip(self.states_before(members, *by)) {
                        *cell = *cell * values + state as u64;
                    }
                }
                CellPart::EarlierState(by) => {
                    let states = states_of(self.earlier, by.scheme);
                    for (cell, index) in cell_arms.iter_mut().zip(members.indices) {
                        *cell = *cell * values + state_or_none(states, *index, by.states) as u64;
                    }
                }
                CellPart::Stratum { .. } => {
                    let strata = self.table.stratum.as_deref();
                    for (cell, row) in cell_arms.iter_mut().zip(members.rows) {
                        *cell = *cell * values + strata.map_or(0, |strata| u64::from(strata[*row as usize]));
                    }
                }
                CellPart::AssignedOn { .. } => {
                    for (cell, row) in cell_arms.iter_mut().zip(members.rows) {
                        *cell = *cell * values + self.date_number(self.drawn_on(*row as usize));
                    }
                }
            }
        }
        if let (Some(count), Some(clusters)) = (self.strategy.layout.keys.clusters, &self.table.cluster) {
            for (cell, row) in cell_arms.iter_mut().zip(members.rows) {
                *cell = *cell * count + u64::from(clusters[*row as usize]);
            }
        }
        for (code, arm) in cell_arms.iter_mut().zip(members.arms) {
            *code = self.strategy.layout.keys.cell_arm(*code, *arm);
        }
    }

    /// The day on which a row's customer was drawn: all of a cluster are on its first day.
    fn drawn_on(&self, row: usize) -> Day {
        let cluster = self.table.cluster.as_ref().and_then(|clusters| self.clusters.get(clusters[row] as usize)?.as_ref());
        cluster.map_or_else(|| self.table.day(row), |draw| draw.first_day)
    }

    /// The number of a day's date among the cells; 0 where dates are no strata.
    fn date_number(&self, day: Day) -> u64 {
        let at = self.dates.binary_search_by_key(&day, |(known, _)| *known).ok();
        at.and_then(|at| self.dates.get(at)).map_or(0, |(_, number)| *number)
    }

    fn fill_column(
        &self,
        quantity: &SummedQuantity,
        members: MemberRows<'_>,
        side: &SideValues<'_>,
        windows: &OutcomeWindows,
        column: &mut Column,
    ) -> Result<()> {
        let rows = || members.rows.iter().map(|row| *row as usize);
        match quantity.source {
            QuantitySource::Outcome(OutcomeKind::Moved { scheme, up }) => self.fill_moves(scheme, up, members, column),
            QuantitySource::Outcome(OutcomeKind::Events(kind, tally)) => {
                let filled = self.fill_events((kind, tally), quantity.phase, members, side, column);
                filled.map_err(|error| error.explain(&self.strategy.strategy.name))?;
            }
            QuantitySource::Outcome(kind @ OutcomeKind::Net(_)) => {
                let filled = self.fill_net(kind, quantity.phase, members, windows, column);
                filled.map_err(|error| error.explain(&self.strategy.strategy.name))?;
            }
            QuantitySource::Outcome(kind) => {
                let filled = windows.outcome(quantity.phase, kind, members.len(), column);
                filled.map_err(|error| error.explain(&self.strategy.strategy.name))?;
            }
            QuantitySource::Covariate(covariate) => match self.covariates {
                Some(all) => column.gather(&all.values[covariate], members.indices.iter().map(|index| *index as usize)),
                None => append(column, members.indices.iter().map(|_| 0)),
            },
            QuantitySource::TreatedInBaseline => {
                append(column, members.treated_in_baseline.iter().map(|treated| i64::from(*treated)));
            }
            QuantitySource::Recurs => append(column, members.period_counts.iter().map(|periods| i64::from(*periods > 1))),
            QuantitySource::Cost => {
                if let Some(cost) = &self.table.cost {
                    append(column, rows().map(|row| cost[row]));
                }
            }
            QuantitySource::Contacts => {
                if let Some(contacts) = &self.table.contacts {
                    append(column, rows().map(|row| i64::from(contacts[row])));
                }
            }
            QuantitySource::Contacted => {
                if let Some(contacts) = &self.table.contacts {
                    append(column, rows().map(|row| i64::from(contacts[row] > 0)));
                }
            }
        }
        Ok(())
    }

    /// Appends margins less the cost of the treatment, which counts in the time during alone.
    fn fill_net(
        &self,
        kind: OutcomeKind,
        phase: Phase,
        members: MemberRows<'_>,
        windows: &OutcomeWindows,
        column: &mut Column,
    ) -> std::result::Result<(), OutcomeError> {
        let mut margins = Column::new(column.arity());
        windows.outcome(phase, kind, members.len(), &mut margins)?;
        let costs = self.table.cost.as_deref().filter(|_| matches!(phase, Phase::During | Phase::Both));
        let mut net = Vec::with_capacity(members.len());
        for ([margin, before, earlier, _], row) in margins.quadruples().zip(members.rows) {
            let cost = costs.map_or(0, |costs| costs[*row as usize]);
            net.push([less_cost(margin, cost)?, before, earlier, 0]);
        }
        column.extend(net.iter().copied());
        Ok(())
    }

    /// Appends what is taken of the events of a kind that members have.
    fn fill_events(
        &self,
        outcome: (EventKind, EventTally),
        phase: Phase,
        members: MemberRows<'_>,
        side: &SideValues<'_>,
        column: &mut Column,
    ) -> std::result::Result<(), OutcomeError> {
        let mut values = Vec::with_capacity(members.len());
        for (customer, row) in members.customers.iter().zip(members.rows) {
            let [start, end, after_end] = self.window_days(self.table.day(*row as usize));
            let number = |days: Period| side.events(outcome, *customer, days);
            let during = || number(Period { start, end });
            let after = || number(Period { start: end, end: after_end });
            let before = self.period.baseline.map_or(Ok(0), number)?;
            let earlier = self.period.placebo.map_or(Ok(0), number)?;
            values.push(match phase {
                Phase::During => [during()?, before, earlier, 0],
                Phase::After => [after()?, before, earlier, 0],
                // Both windows together, held against twice the baseline. Sums of values have 18 digits, of which two fit.
                Phase::Both => [during()? + after()?, 2 * before, 2 * earlier, 0],
                Phase::Reference => [0; 4],
            });
        }
        column.extend(values.iter().copied());
        Ok(())
    }

    /// Appends whether the state on the last day is a better or worse step of the ladder than the state before the period.
    fn fill_moves(&self, scheme: usize, up: bool, members: MemberRows<'_>, column: &mut Column) {
        let (before, after) = (states_of(self.own_before, scheme), states_of(self.after, scheme));
        let step = |states: &[u16], index: u32| {
            let state = states.get(index as usize).filter(|state| **state != ABSENT)?;
            self.ladders[scheme].get(usize::from(*state)).copied().flatten()
        };
        let moved = |index: u32| match (step(before, index), step(after, index)) {
            (Some(from), Some(to)) if up => to < from,
            (Some(from), Some(to)) => to > from,
            _ => false,
        };
        append(column, members.indices.iter().map(|index| i64::from(moved(*index))));
    }

    /// For customers assigned on a day: that day, the end of their window, and the end of the time after, as long again, if
    /// it counts.
    fn window_days(&self, day: Day) -> [Day; 3] {
        let window = self.strategy.window(self.period.period, day);
        let after = if self.strategy.strategy.after { window.days() } else { 0 };
        [window.start, window.end, Day(window.end.0.saturating_add(after))]
    }

    /// Baseline, placebo and the time before the placebo: those that matter and have days.
    fn times_before(&self) -> [Option<Period>; 3] {
        let PeriodPlan { baseline, placebo, pre_placebo, .. } = *self.period;
        let if_used = |time: Option<Period>| time.filter(|_| self.strategy.uses_placebo());
        [baseline, if_used(placebo), if_used(pre_placebo)].map(|time| time.filter(|time| time.end > time.start))
    }

    /// Looks up the activity of members in all windows.
    fn look_up_activity(&self, members: MemberRows<'_>, slice: &SliceCustomers<'_>, scratch: &mut ActivityScratch) {
        let ActivityScratch { windows, rows } = scratch;
        let activity = &slice.activity;
        let row_of = |day: Day| activity.start(slice.days.before(day.0));
        let rows_of = |day: Day| {
            let [assigned, end, after_end] = self.window_days(day).map(row_of);
            let end = end.max(assigned);
            WindowRows { assigned, end, after_end: after_end.max(end) }
        };
        windows.zeros.cover(members.len());
        windows.after.clear();
        if let Some(WindowRows { assigned, end, after_end }) = members.day.map(rows_of) {
            windows.during.between(activity, [assigned, end], members.customers);
            if self.strategy.strategy.after {
                windows.after.between(activity, [end, after_end], members.customers);
            }
        } else {
            rows.clear();
            let mut previous = None;
            for row in members.rows {
                let day = self.table.day(*row as usize);
                // Most customers are assigned on the same day as the one before.
                let of_day = previous.filter(|(known, _)| *known == day).map_or_else(|| rows_of(day), |(_, rows)| rows);
                previous = Some((day, of_day));
                rows.push(of_day);
            }
            let members = || members.customers.iter().copied().zip(&*rows);
            windows.during.fill(activity, members().map(|(customer, rows)| (customer, [rows.assigned, rows.end])));
            if self.strategy.strategy.after {
                windows.after.fill(activity, members().map(|(customer, rows)| (customer, [rows.end, rows.after_end])));
            }
        }
        let before = [&mut windows.baseline, &mut windows.placebo, &mut windows.pre_placebo];
        for (window, time) in before.into_iter().zip(self.times_before()) {
            window.clear();
            if let Some(time) = time {
                window.between(activity, [row_of(time.start), row_of(time.end)], members.customers);
            }
        }
    }
}

/// Appends single integers.
#[inline]
fn append(column: &mut Column, values: impl Iterator<Item = i64> + Clone) {
    column.extend(values.map(|value| [value, 0, 0, 0]));
}

/// The states in a scheme by customer; none without a snapshot.
fn states_of(states: Option<&States>, scheme: usize) -> &[u16] {
    states.and_then(|states| states.get(scheme)).map_or(&[], Vec::as_slice)
}

/// A customer's state of this many, of which the last is for customers who are not listed.
#[inline]
pub fn state_or_none(states: &[u16], index: u32, count: usize) -> usize {
    match states.get(index as usize) {
        Some(state) if *state != ABSENT => usize::from(*state),
        _ => count - 1,
    }
}
