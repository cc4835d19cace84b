//! The numbers of a list's members: their cells, groups, and what they did on the days that count.

use super::Evaluated;
use super::crowd::Crowd;
use super::seen::{NOT_LISTED, Seen};
use super::store::Ratio;
use super::study::{COVARIATES, CellBy, List, Study, window};
use super::tally::Keys;
use super::values::{self, Lack, Windows};
use crate::assign::Assignments;
use crate::domain::{Day, Design, Period};
use crate::engine::part::{Roster, panel_of};
use crate::error::{Error, Result};
use crate::measure::BucketPanel;
use crate::transition::ABSENT;

/// Who counts in a list.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// The customer's number among those at hand.
    pub customer: usize,
    /// Row of the assignments.
    pub row: usize,
    /// Where the part has the customer; none if the orders do not know them.
    pub place: Option<usize>,
    /// Whether the customer counts in other lists of the strategy too.
    pub recurs: bool,
    /// Whether an earlier assignment of the strategy treated the customer inside the baseline.
    pub touched: bool,
}

/// A list of a part with everything its members' numbers come from.
pub struct View<'a> {
    study: &'a Study<'a>,
    list: &'a List,
    keys: &'a Keys,
    table: &'a Assignments,
    panels: &'a [BucketPanel],
    roster: &'a Roster,
    /// By scheme: the steps of the ladder.
    ladders: &'a [Vec<Option<usize>>],
    /// The day before the period: states by scheme and place, and covariates by place.
    before: Option<&'a [Vec<u16>]>,
    covariates: Option<&'a [Vec<i64>; COVARIATES.len()]>,
    /// The last day of the period: states by scheme and place, under the cut points of the day before it.
    after: Option<&'a [Vec<u16>]>,
}

impl<'a> View<'a> {
    pub fn new(
        evaluated: &'a Evaluated<'a>,
        list: usize,
        part: usize,
        (panels, roster, seen): (&'a [BucketPanel], &'a Roster, &'a Seen),
    ) -> View<'a> {
        let of_list = &evaluated.lists[list];
        View {
            study: &evaluated.studies[of_list.study],
            list: of_list,
            keys: &evaluated.sizes[of_list.study].keys,
            table: &evaluated.assigned[of_list.study].parts[part].table,
            panels,
            roster,
            ladders: &evaluated.ladders,
            before: of_list.before.and_then(|date| seen.states(date)),
            covariates: of_list.before.and_then(|date| seen.covariates(date)),
            after: of_list.before.zip(of_list.end).and_then(|(before, end)| seen.moved(before, end)),
        }
    }

    /// Fills the crowd with members, who ascend by customer.
    ///
    /// # Errors
    /// Exit 3 where an order lacks the cost that a margin needs, or money overflows.
    pub fn fill(&self, members: &[Member], crowd: &mut Crowd) -> Result<()> {
        crowd.clear();
        for member in members {
            crowd.customers.push(member.customer as u32);
            self.place(member, crowd);
            self.numbers(member, crowd)?;
        }
        Ok(())
    }

    /// The state of a customer in a scheme; none if they are not listed.
    #[inline]
    fn state(states: Option<&[Vec<u16>]>, scheme: usize, place: Option<usize>) -> Option<u16> {
        states?.get(scheme)?.get(place?).copied().filter(|state| *state != ABSENT)
    }

    /// Cell, arm and groups.
    #[inline]
    fn place(&self, member: &Member, crowd: &mut Crowd) {
        let state = |scheme: usize, states: usize| Self::state(self.before, scheme, member.place).map_or(states - 1, usize::from);
        let mut offset = 0;
        for ((scheme, states), groups) in self.study.by.iter().zip(&mut crowd.groups) {
            groups.push((offset + state(*scheme, *states)) as u32);
            offset += states;
        }
        if self.study.by.is_empty() {
            crowd.groups.iter_mut().for_each(|groups| groups.push(0));
        }
        let mut cell = 0u64;
        for by in &self.study.cells {
            let at = match *by {
                CellBy::State { scheme, states } => state(scheme, states),
                CellBy::Stratum { .. } => self.table.stratum.as_ref().map_or(0, |s| s[member.row] as usize),
            };
            cell = cell * by.len() as u64 + at as u64;
        }
        crowd.seats.push(self.keys.seat(cell, self.table.arm[member.row]));
    }

    /// The numbers of all slots.
    #[inline]
    fn numbers(&self, member: &Member, crowd: &mut Crowd) -> Result<()> {
        let windows = self.windows(self.table.assigned_on[member.row], member.place);
        let moved = |scheme: usize, up: bool| -> bool {
            let step = |states| {
                let state = Self::state(states, scheme, member.place)?;
                self.ladders[scheme].get(usize::from(state)).copied().flatten()
            };
            match (step(self.before), step(self.after)) {
                (Some(from), Some(to)) if up => to < from,
                (Some(from), Some(to)) => to > from,
                _ => false,
            }
        };
        let mut columns = crowd.columns.iter_mut();
        let mut add = |numbers: Ratio| columns.next().map_or((), |column| column.push(numbers));
        values::outcomes(self.study, &windows, moved, &mut add).map_err(|lack| explain(self.study, lack))?;
        if self.study.strategy.design != Design::BeforeAfter {
            let known = self.covariates.zip(member.place);
            for at in 0..COVARIATES.len() {
                let value = known.map(|(covariates, place)| covariates[at][place]).filter(|v| *v != NOT_LISTED);
                // Days since the last order are known only of who has ordered; counts and money are zero without orders.
                if at == 0 && value.is_none() {
                    crowd.unknown.push(crowd.customers.len() as u32 - 1);
                }
                add([value.unwrap_or(0), 0, 0, 0]);
            }
        }
        add([i64::from(member.touched), 0, 0, 0]);
        add([i64::from(member.recurs), 0, 0, 0]);
        if let Some(cost) = &self.table.cost {
            add([cost[member.row], 0, 0, 0]);
        }
        Ok(())
    }

    /// What a customer who was assigned on `day` did on the days that count.
    #[inline]
    fn windows(&self, day: Day, place: Option<usize>) -> Windows {
        let mut out = Windows::default();
        let Some(place) = place else { return out };
        let (panel, customer) = panel_of(self.panels, self.roster.seats[place]);
        let Some(histories) = &panel.histories else { return out };
        let deeds = |period: Period| histories.deeds(customer, &(period.start.0..period.end.0));
        let during = window(self.study.strategy, self.list.period, day);
        out.during = deeds(during);
        if self.study.strategy.after {
            let end = Day(during.end.0.saturating_add(during.days()));
            out.after = deeds(Period { start: during.end, end });
        }
        if let Some(baseline) = self.list.baseline {
            out.baseline = deeds(baseline);
        }
        if let Some((placebo, earlier)) = self.list.placebo.filter(|_| self.study.looks_back()) {
            out.placebo = deeds(placebo);
            out.earlier = deeds(earlier);
        }
        out
    }
}

/// Why the numbers of a strategy cannot be had.
pub fn explain(study: &Study<'_>, lack: Lack) -> Error {
    let name = &study.strategy.name;
    match lack {
        Lack::Cost => Error::contract(format!(
            "strategy {name:?}: the outcome \"margin\" needs the cost of every order of its customers, and some have none (orders.cost is null); fill them in, filter these rows with orders.keep, or remove orders.cost and give margin_rate"
        )),
        Lack::Digits => Error::contract(format!(
            "strategy {name:?}: an outcome of a customer overflows 64 bits of minor units; lower orders.amount_scale or look for a wrong amount"
        )),
    }
}
