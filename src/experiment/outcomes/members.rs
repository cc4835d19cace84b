//! The numbers of a list's members: their cells, groups, and what they did on the days that count.

use crate::activity::{BoundaryDays, CumulativeActivity, WindowActivity};
use crate::assign::Assignments;
use crate::domain::{Day, Design, Period};
use crate::engine::experiment::Experiments;
use crate::engine::experiment::layout::KeyLayout;
use crate::engine::experiment::member_batch::MemberBatch;
use crate::engine::experiment::outcomes::snapshots::{Covariates, Snapshots};
use crate::engine::experiment::outcomes::values::{self, OutcomeError, OutcomeWindows};
use crate::engine::experiment::plan::{COVARIATES, CellBy, OutcomeKind, PeriodPlan, StrategyPlan, window};
use crate::error::{Error, Result};
use crate::evaluate::Phase;
use crate::movement::ABSENT;
use crate::sums::{Column, mark_nonzero};

/// Who counts in a list, ascending by customer.
#[derive(Clone, Copy)]
pub struct MemberRows<'h> {
    /// The customer's number among those at hand.
    pub customers: &'h [u32],
    /// Row of the assignments.
    pub rows: &'h [u32],
    /// Its arm.
    pub arms: &'h [u16],
    /// Where the part has the customer; [`UNMATCHED`] if the orders do not know them.
    pub places: &'h [u32],
    /// Whether an earlier assignment of the strategy treated the customer inside the baseline.
    pub touched: &'h [bool],
    /// In how many lists of the strategy the customer counts.
    pub counts: &'h [u32],
    /// The day on which they were assigned, if it is the same for all.
    pub day: Option<Day>,
}

/// The place of who is in no order.
pub const UNMATCHED: u32 = u32::MAX;

impl MemberRows<'_> {
    pub fn len(&self) -> usize {
        self.customers.len()
    }
}

/// A list of a part with everything its members' numbers come from.
pub struct PeriodOutcomes<'a> {
    study: &'a StrategyPlan<'a>,
    list: &'a PeriodPlan,
    keys: &'a KeyLayout,
    table: &'a Assignments,
    /// By scheme: the steps of the ladder.
    ladders: &'a [Vec<Option<usize>>],
    /// The day before the period: states by scheme and place, and covariates by place.
    before: Option<&'a [Vec<u16>]>,
    covariates: Option<&'a Covariates>,
    /// The last day of the period: states by scheme and place, under the cut points of the day before it.
    after: Option<&'a [Vec<u16>]>,
}

/// What the members of a list did, with room to work it out.
#[derive(Default)]
pub struct ActivityScratch {
    windows: OutcomeWindows,
    /// By member: where the rows begin of the day on which they were assigned, the end of their window, and that of the time after.
    starts: Vec<[u32; 3]>,
}

impl<'a> PeriodOutcomes<'a> {
    pub fn new(evaluated: &'a Experiments<'a>, list: usize, part: usize, seen: &'a Snapshots) -> PeriodOutcomes<'a> {
        let of_list = &evaluated.lists[list];
        PeriodOutcomes {
            study: &evaluated.studies[of_list.study],
            list: of_list,
            keys: &evaluated.layouts[of_list.study].keys,
            table: &evaluated.assigned[of_list.study].parts[part].table,
            ladders: &evaluated.ladders,
            before: of_list.before.and_then(|date| seen.states(date)),
            covariates: of_list.before.and_then(|date| seen.covariates(date)),
            after: of_list.before.zip(of_list.end).and_then(|(before, end)| seen.moved(before, end)),
        }
    }

    /// Fills the crowd with members, who ascend by customer; `days` and `timeline` are those of their slice.
    ///
    /// # Errors
    /// Exit 3 where an order lacks the cost that a margin needs, or money overflows.
    pub fn fill(
        &self,
        members: MemberRows<'_>,
        (days, timeline): (&BoundaryDays, &CumulativeActivity),
        did: &mut ActivityScratch,
        crowd: &mut MemberBatch,
    ) -> Result<()> {
        crowd.clear(self.study);
        crowd.customers.extend_from_slice(members.customers);
        self.groups(members, crowd);
        self.seats(members, crowd);
        self.windows(members, days, timeline, did);
        let mut columns = crowd.columns.iter_mut();
        for ((phase, kind), column) in self.study.outcome_slots.iter().zip(&mut columns) {
            self.outcome(*phase, *kind, members, &did.windows, column)?;
        }
        if self.study.strategy.design != Design::BeforeAfter {
            let places = || members.places.iter().map(|place| *place as usize);
            for (at, column) in (0..COVARIATES.len()).zip(&mut columns) {
                match self.covariates {
                    Some(covariates) => column.gather(&covariates.numbers[at], places()),
                    None => column.extend(places().map(|_| [0; 4])),
                }
            }
            // Days since the last order are known only of who has ordered; counts and money are zero without orders.
            let has_ordered = self.covariates.map_or(&[][..], |covariates| &covariates.has_ordered);
            let is_known = |place: usize| has_ordered.get(place).is_some_and(|has_ordered| *has_ordered);
            crowd.unknown.extend(places().zip(0..).filter(|(place, _)| !is_known(*place)).map(|(_, at)| at));
        }
        if let Some(column) = columns.next() {
            column.extend(members.touched.iter().map(|touched| [i64::from(*touched), 0, 0, 0]));
        }
        if let Some(column) = columns.next() {
            column.extend(members.counts.iter().map(|lists| [i64::from(*lists > 1), 0, 0, 0]));
        }
        let rows = || members.rows.iter().map(|row| *row as usize);
        if let Some((cost, column)) = self.table.cost.as_ref().and_then(|cost| Some((cost, columns.next()?))) {
            column.extend(rows().map(|row| [cost[row], 0, 0, 0]));
        }
        if let Some((contacts, column)) = self.table.contacts.as_ref().and_then(|contacts| Some((contacts, columns.next()?))) {
            column.extend(rows().map(|row| [i64::from(contacts[row]), 0, 0, 0]));
        }
        mark_nonzero(&crowd.columns, members.len(), &mut crowd.nonzero);
        Ok(())
    }

    /// The state in a scheme of who is at a place; none of who is not listed.
    #[inline]
    fn state(states: &[u16], place: u32) -> Option<usize> {
        states.get(place as usize).filter(|state| **state != ABSENT).map(|state| usize::from(*state))
    }

    /// The states in a scheme by place.
    fn by_place(states: Option<&'a [Vec<u16>]>, scheme: usize) -> &'a [u16] {
        states.and_then(|states| states.get(scheme)).map_or(&[], Vec::as_slice)
    }

    /// The number of a customer's state among so many, of which the last is that of who is not listed.
    #[inline]
    fn state_or_none(states: &[u16], place: u32, count: usize) -> usize {
        let state = states.get(place as usize).copied().unwrap_or(ABSENT);
        if state == ABSENT { count - 1 } else { usize::from(state) }
    }

    fn groups(&self, members: MemberRows<'_>, crowd: &mut MemberBatch) {
        let mut offset = 0;
        for ((scheme, count), groups) in self.study.by.iter().zip(&mut crowd.groups) {
            let states = Self::by_place(self.before, *scheme);
            let group = |place: &u32| (offset + Self::state_or_none(states, *place, *count)) as u32;
            groups.extend(members.places.iter().map(group));
            offset += count;
        }
        if self.study.by.is_empty() {
            crowd.groups.iter_mut().for_each(|groups| groups.resize(members.len(), 0));
        }
    }

    /// Cells and arms.
    fn seats(&self, members: MemberRows<'_>, crowd: &mut MemberBatch) {
        if self.study.cells.is_empty() {
            return crowd.seats.extend(members.arms.iter().map(|arm| self.keys.cell_arm(0, *arm)));
        }
        let mut cells = vec![0u64; members.len()];
        for by in &self.study.cells {
            let states = match by {
                CellBy::State { scheme, .. } => Self::by_place(self.before, *scheme),
                CellBy::Stratum { .. } => &[],
            };
            for (cell, (row, place)) in cells.iter_mut().zip(members.rows.iter().zip(members.places)) {
                let at = match *by {
                    CellBy::State { states: count, .. } => Self::state_or_none(states, *place, count),
                    CellBy::Stratum { .. } => self.table.stratum.as_ref().map_or(0, |s| s[*row as usize] as usize),
                };
                *cell = *cell * by.len() as u64 + at as u64;
            }
        }
        crowd.seats.extend(members.arms.iter().zip(cells).map(|(arm, cell)| self.keys.cell_arm(cell, *arm)));
    }

    /// The numbers of an outcome.
    fn outcome(
        &self,
        phase: Phase,
        kind: OutcomeKind,
        members: MemberRows<'_>,
        windows: &OutcomeWindows,
        column: &mut Column,
    ) -> Result<()> {
        if let OutcomeKind::Moved { scheme, up } = kind {
            let (before, after) = (Self::by_place(self.before, scheme), Self::by_place(self.after, scheme));
            let ladder = &self.ladders[scheme];
            let step = |states: &[u16], place| ladder.get(Self::state(states, place)?).copied().flatten();
            let moved = |place| match (step(before, place), step(after, place)) {
                (Some(from), Some(to)) if up => to < from,
                (Some(from), Some(to)) => to > from,
                _ => false,
            };
            column.extend(members.places.iter().map(|place| [i64::from(moved(*place)), 0, 0, 0]));
            return Ok(());
        }
        values::outcome(phase, kind, windows, members.len(), column).map_err(|lack| explain(self.study, lack))
    }

    /// Adds the days on which stretches of the list begin or end whose customers were assigned on these days.
    pub fn days(&self, assigned: impl Iterator<Item = Day>, out: &mut Vec<i32>) {
        out.extend(self.before().into_iter().flatten().flat_map(|period| [period.start.0, period.end.0]));
        out.extend(assigned.flat_map(|day| self.bounds(day).map(|day| day.0)));
    }

    /// For who was assigned on a day: that day, the end of their window, and the end of the time after, as long again, if it
    /// counts.
    fn bounds(&self, day: Day) -> [Day; 3] {
        let during = window(self.study.strategy, self.list.period, day);
        let after = if self.study.strategy.after { during.days() } else { 0 };
        [during.start, during.end, Day(during.end.0.saturating_add(after))]
    }

    /// Baseline, placebo, and the time before: those that count and have days.
    fn before(&self) -> [Option<Period>; 3] {
        let (placebo, earlier) = self.list.placebo.filter(|_| self.study.looks_back()).unzip();
        [self.list.baseline, placebo, earlier].map(|period| period.filter(|period| period.end > period.start))
    }

    /// What members did on the days that count.
    fn windows(&self, members: MemberRows<'_>, days: &BoundaryDays, timeline: &CumulativeActivity, did: &mut ActivityScratch) {
        let ActivityScratch { windows, starts } = did;
        windows.idle.cover(members.len());
        let starts_of = |day| {
            let [begin, end, after] = self.bounds(day).map(|day| timeline.start(days.before(day.0)));
            [begin, end.max(begin), after.max(end).max(begin)]
        };
        let one_day = members.day.map(starts_of);
        starts.clear();
        if one_day.is_none() {
            let mut known = (Day(i32::MIN), [0; 3]);
            starts.extend(members.rows.iter().map(|row| {
                let day = self.table.day(*row as usize);
                // Most are assigned on the same day as the one before.
                if day != known.0 {
                    known = (day, starts_of(day));
                }
                known.1
            }));
        }
        let look = |stretch: &mut WindowActivity, begin: usize, end: usize| match one_day {
            Some(starts) => stretch.between(timeline, [starts[begin], starts[end]], members.customers),
            None => {
                let own = members.customers.iter().zip(&*starts);
                stretch.fill(timeline, own.map(|(customer, starts)| (*customer, [starts[begin], starts[end]])));
            }
        };
        look(&mut windows.during, 0, 1);
        windows.after.clear();
        if self.study.strategy.after {
            look(&mut windows.after, 1, 2);
        }
        let stretches = [&mut windows.baseline, &mut windows.placebo, &mut windows.earlier];
        for (stretch, period) in stretches.into_iter().zip(self.before()) {
            stretch.clear();
            let Some(Period { start, end }) = period else { continue };
            let starts = [start, end].map(|day| timeline.start(days.before(day.0)));
            stretch.between(timeline, starts, members.customers);
        }
    }
}

/// Why the numbers of a strategy cannot be had.
pub fn explain(study: &StrategyPlan<'_>, lack: OutcomeError) -> Error {
    let name = &study.strategy.name;
    match lack {
        OutcomeError::MissingCost => Error::contract(format!(
            "strategy {name:?}: the outcome \"margin\" needs the cost of every order of its customers, and some have none (orders.cost is null); fill them in, filter these rows with orders.keep, or remove orders.cost and give margin_rate"
        )),
        OutcomeError::Overflow => Error::contract(format!(
            "strategy {name:?}: an outcome of a customer overflows 64 bits of minor units; lower orders.amount_scale or look for a wrong amount"
        )),
    }
}
