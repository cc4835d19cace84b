//! A part's assigned customers, one after the other beside the customers of its orders.

use std::cmp::Ordering;
use std::ops::Range;

use super::seen::{NOT_LISTED, Seen};
use super::store::Numbers;
use super::study::{COVARIATES, CellBy, List, Study, window};
use super::tally::{Member, Tally, add};
use super::winsorised::Kept;
use super::{Evaluated, values};
use crate::domain::{CustomerIds, Day, Design, Period};
use crate::engine::part::{Roster, panel_of};
use crate::error::{Error, Result};
use crate::job::strategy::Overlap;
use crate::measure::{BucketPanel, Deeds};
use crate::transition::ABSENT;

/// What a row of assignments is to its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It counts in the list.
    Counts(usize),
    /// The customer is in several arms of the list.
    SeveralArms(usize),
    /// It lies in no period.
    Outside,
}

/// A row of the assignments of a strategy.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// What sorts customers; equal for equal customers only if ids are integers.
    key: u64,
    study: u32,
    /// Place among the roles of the strategy.
    role: u32,
    row: u32,
}

/// The customers of a slice whose orders are in the part.
struct Slice<'a> {
    number: u32,
    places: Range<usize>,
    /// The first place that no customer has passed, and whether it is that of the customer at hand.
    next: usize,
    is_found: bool,
    panels: &'a [BucketPanel],
    roster: &'a Roster,
}

/// The walk through one part.
pub struct Walk<'a> {
    evaluated: &'a Evaluated<'a>,
    part: usize,
    panels: &'a [BucketPanel],
    roster: &'a Roster,
    seen: &'a Seen,
}

impl<'a> Walk<'a> {
    pub fn new(
        evaluated: &'a Evaluated<'a>,
        part: usize,
        panels: &'a [BucketPanel],
        roster: &'a Roster,
        seen: &'a Seen,
    ) -> Walk<'a> {
        Walk { evaluated, part, panels, roster, seen }
    }

    /// Sums everything that strategies need of the part.
    ///
    /// # Errors
    /// Exit 3 where an order lacks the cost that a margin needs, or money overflows.
    pub fn tally(&self) -> Result<Tally> {
        let evaluated = self.evaluated;
        let mut tally = Tally::new(&evaluated.studies, &evaluated.lists, &evaluated.sizes);
        let winsorised = evaluated.studies.iter().enumerate().filter(|(_, study)| !study.winsorised.is_empty());
        let mut kept: Vec<(usize, Kept)> = winsorised.map(|(number, _)| (number, Kept::new(number))).collect();
        let mut entries = self.entries();
        self.sort(&mut entries);
        let mut numbers: Vec<u32> = self.evaluated.studies.iter().map(|s| s.slice).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let places = |number: u32| self.roster.slices.iter().find(|(n, _)| *n == number).map_or(0..0, |(_, range)| range.clone());
        let mut slices: Vec<Slice<'_>> = numbers
            .into_iter()
            .map(|number| {
                let places = places(number);
                Slice { number, next: places.start, is_found: false, places, panels: self.panels, roster: self.roster }
            })
            .collect();
        let mut customer = Customer::default();
        for group in entries.chunk_by(|a, b| self.compare(a, b).is_eq()) {
            if let Some(first) = group.first() {
                let ids = &self.evaluated.assigned[first.study as usize].parts[self.part].table.ids;
                slices.iter_mut().for_each(|slice| slice.seek(ids, first.row as usize));
                self.customer(group, &slices, &mut customer, &mut tally, &mut kept)?;
            }
        }
        self.reference(&mut tally)?;
        tally.kept.extend(kept.into_iter().map(|(_, own)| own));
        Ok(tally)
    }

    fn roles(&self, study: usize) -> impl Fn(u32) -> Role + use<> {
        let lists = self.evaluated.studies[study].lists.clone();
        let count = lists.len() as u32;
        move |role| match role {
            role if role < count => Role::Counts(lists.start + role as usize),
            role if role < 2 * count => Role::SeveralArms(lists.start + (role - count) as usize),
            _ => Role::Outside,
        }
    }

    fn entries(&self) -> Vec<Entry> {
        let parts = || self.evaluated.assigned.iter().map(|own| &own.parts[self.part]);
        let mut entries = Vec::with_capacity(parts().map(|p| p.table.len()).sum());
        for (study, part) in parts().enumerate() {
            let periods = &part.periods.periods;
            let count = periods.len() as u32;
            let mut add = |role: u32, rows: &[u32]| {
                entries.extend(rows.iter().map(|&row| Entry {
                    key: key(&part.table.ids, row as usize),
                    study: study as u32,
                    role,
                    row,
                }));
            };
            periods.iter().zip(0..).for_each(|(period, role)| add(role, &period.rows));
            periods.iter().zip(count..).for_each(|(period, role)| add(role, &period.in_several_arms));
            add(2 * count, &part.periods.outside);
        }
        entries
    }

    /// By customer; the rows of a customer keep their order: by strategy, then by role.
    fn sort(&self, entries: &mut [Entry]) {
        let is_text =
            self.evaluated.assigned.first().is_some_and(|a| matches!(a.parts[self.part].table.ids, CustomerIds::Text(_)));
        // Every list is sorted already, so a sort that finds runs merges them.
        if is_text {
            entries.sort_by(|a, b| self.compare(a, b));
        } else {
            entries.sort_by_key(|entry| entry.key);
        }
    }

    fn compare(&self, a: &Entry, b: &Entry) -> Ordering {
        let ids = |entry: &Entry| &self.evaluated.assigned[entry.study as usize].parts[self.part].table.ids;
        a.key.cmp(&b.key).then_with(|| match (ids(a), ids(b)) {
            (CustomerIds::Text(p), CustomerIds::Text(q)) => p.get(a.row as usize).cmp(q.get(b.row as usize)),
            _ => Ordering::Equal,
        })
    }

    /// Counts one customer with all their rows.
    fn customer(
        &self,
        group: &[Entry],
        slices: &[Slice<'_>],
        scratch: &mut Customer,
        tally: &mut Tally,
        kept: &mut [(usize, Kept)],
    ) -> Result<()> {
        scratch.rows.clear();
        for entry in group {
            let study = entry.study as usize;
            let table = &self.evaluated.assigned[study].parts[self.part].table;
            let row = entry.row as usize;
            let role = self.roles(study)(entry.role);
            let (arm, day) = (table.arm[row], table.assigned_on[row]);
            scratch.rows.push(Row {
                study,
                role,
                row,
                arm,
                day,
                ended: table.ended_on.as_ref().and_then(|e| e[row]),
                stays: true,
            });
        }
        self.overlaps(scratch, tally);
        let rows = std::mem::take(&mut scratch.rows);
        for of_study in rows.chunk_by(|a, b| a.study == b.study) {
            let Some(number) = of_study.first().map(|row| row.study) else { continue };
            let study = &self.evaluated.studies[number];
            let place = slices.iter().find(|s| s.number == study.slice).and_then(Slice::found);
            let stays = |row: &&Row| row.stays && matches!(row.role, Role::Counts(_));
            let recurs = of_study.iter().filter(stays).nth(1).is_some();
            scratch.clear();
            for own in of_study {
                let Role::Counts(list) = own.role else { continue };
                let account = &mut tally.accounts[list];
                if own.stays {
                    account.unknown += u64::from(place.is_none());
                    let touched = self.was_treated(of_study, own, &self.evaluated.lists[list]);
                    self.member(own, list, place, (recurs, touched), scratch)?;
                } else {
                    account.left_out[usize::from(own.arm)] += 1;
                }
            }
            let sizes = &self.evaluated.sizes[number];
            let stores = (tally.lists.as_mut_slice(), &sizes.slots);
            let pairs = (&mut tally.pairs[number], &sizes.outcomes);
            let Customer { members, numbers, groups, .. } = &*scratch;
            add(study, &sizes.keys, members, groups, |member| member.numbers.clone(), numbers, stores, pairs);
            if let Some((_, kept)) = kept.iter_mut().find(|(of, _)| *of == number) {
                kept.keep(study, members, numbers, groups);
            }
        }
        scratch.rows = rows;
        Ok(())
    }

    /// Decides over customers who are in two strategies at once: each strategy's own setting decides whether they stay in it.
    fn overlaps(&self, scratch: &mut Customer, tally: &mut Tally) {
        let rows = &mut scratch.rows;
        let several = rows.first().zip(rows.last()).is_some_and(|(first, last)| first.study != last.study);
        if !several {
            return;
        }
        let list = |row: &Row| match row.role {
            Role::Counts(list) | Role::SeveralArms(list) => Some(list),
            Role::Outside => None,
        };
        scratch.days.resize(self.evaluated.lists.len(), None);
        for row in rows.iter() {
            if let Some(own) = list(row).and_then(|list| scratch.days.get_mut(list)) {
                *own = Some(own.map_or(row.day, |day| day.min(row.day)));
            }
        }
        for row in rows.iter_mut() {
            let Role::Counts(own) = row.role else { continue };
            let (mut any, mut is_first) = (false, true);
            for (study, day) in self.evaluated.rivals[own].iter().filter_map(|(study, list)| Some((*study, scratch.days[*list]?)))
            {
                any = true;
                is_first &= (row.day, row.study) < (day, study);
            }
            if any {
                tally.accounts[own].overlapping += 1;
                row.stays = match self.evaluated.studies[row.study].strategy.overlap {
                    Overlap::Keep => true,
                    Overlap::Exclude => false,
                    Overlap::First => is_first,
                };
            }
        }
        for row in rows.iter() {
            if let Some(own) = list(row).and_then(|list| scratch.days.get_mut(list)) {
                *own = None;
            }
        }
    }

    /// Whether an earlier assignment of the strategy treated the customer inside the list's baseline.
    fn was_treated(&self, rows: &[Row], own: &Row, list: &List) -> bool {
        let (Some(baseline), study) = (list.baseline, &self.evaluated.studies[own.study]) else { return false };
        rows.iter().any(|row| {
            if row.role == own.role || row.day >= own.day || Some(row.arm) == study.control {
                return false;
            }
            let planned = match (row.role, study.strategy.outcome_days) {
                (_, Some(days)) => Day(row.day.0.saturating_add(days as i32 - 1)),
                (Role::Counts(list) | Role::SeveralArms(list), None) => self.evaluated.lists[list].period.last(),
                (Role::Outside, None) => row.day,
            };
            row.day < baseline.end && row.ended.unwrap_or(planned) >= baseline.start
        })
    }

    /// Works out a customer's numbers in a list.
    fn member(
        &self,
        own: &Row,
        list: usize,
        place: Option<usize>,
        (recurs, touched): (bool, bool),
        scratch: &mut Customer,
    ) -> Result<()> {
        let (study, of_list) = (&self.evaluated.studies[own.study], &self.evaluated.lists[list]);
        let table = &self.evaluated.assigned[own.study].parts[self.part].table;
        let of_states = |states: Option<&'a [Vec<u16>]>, scheme: usize| -> Option<u16> {
            states?.get(scheme)?.get(place?).copied().filter(|state| *state != ABSENT)
        };
        let before = of_list.before.and_then(|date| self.seen.states(date));
        let state = |scheme: usize, states: usize| of_states(before, scheme).map_or(states - 1, usize::from);
        let groups = scratch.groups.len();
        let mut offset = 0;
        for (scheme, states) in &study.by {
            scratch.groups.push((offset + state(*scheme, *states)) as u32);
            offset += states;
        }
        if study.by.is_empty() {
            scratch.groups.push(0);
        }
        let mut cell = 0u64;
        for by in &study.cells {
            let at = match *by {
                CellBy::State { scheme, states } => state(scheme, states),
                CellBy::Stratum { .. } => table.stratum.as_ref().map_or(0, |s| s[own.row] as usize),
            };
            cell = cell * by.len() as u64 + at as u64;
        }
        let windows = self.windows(study, of_list, own.day, place);
        let after = of_list.before.zip(of_list.end).and_then(|(before, end)| self.seen.moved(before, end));
        let moved = |scheme: usize, up: bool| -> bool {
            let ladder = &self.evaluated.ladders[scheme];
            let step = |states| of_states(states, scheme).and_then(|state| ladder.get(usize::from(state)).copied().flatten());
            match (step(before), step(after)) {
                (Some(from), Some(to)) => {
                    if up {
                        to < from
                    } else {
                        to > from
                    }
                }
                _ => false,
            }
        };
        let start = scratch.numbers.len();
        values::outcomes(study, &windows, moved, &mut scratch.numbers).map_err(|lack| self.explain(study, lack))?;
        let mut skip = None;
        if study.strategy.design != Design::BeforeAfter {
            let known = of_list.before.and_then(|date| self.seen.covariates(date)).zip(place);
            for at in 0..COVARIATES.len() {
                let value = known.map(|(covariates, place)| covariates[at][place]).filter(|v| *v != NOT_LISTED);
                // Days since the last order are known only of who has ordered; counts and money are zero without orders.
                if at == 0 && value.is_none() {
                    skip = Some(study.outcome_slots);
                }
                scratch.numbers.push([value.unwrap_or(0), 0, 0, 0]);
            }
        }
        scratch.numbers.push([i64::from(touched), 0, 0, 0]);
        scratch.numbers.push([i64::from(recurs), 0, 0, 0]);
        if let Some(cost) = &table.cost {
            scratch.numbers.push([cost[own.row], 0, 0, 0]);
        }
        scratch.members.push(Member {
            list,
            cell,
            arm: own.arm,
            groups: groups..scratch.groups.len(),
            numbers: start..scratch.numbers.len(),
            skip,
        });
        Ok(())
    }

    /// What a customer did on the days that count.
    fn windows(&self, study: &Study<'_>, list: &List, day: Day, place: Option<usize>) -> values::Windows {
        let mut out = values::Windows::default();
        let Some(place) = place else { return out };
        let (panel, customer) = panel_of(self.panels, self.roster.seats[place]);
        let Some(histories) = &panel.histories else { return out };
        let deeds = |period: Period| histories.deeds(customer, &(period.start.0..period.end.0));
        let during = window(study.strategy, list.period, day);
        out.during = deeds(during);
        if study.strategy.after {
            let end = Day(during.end.0.saturating_add(during.days()));
            out.after = deeds(Period { start: during.end, end });
        }
        if let Some(baseline) = list.baseline {
            out.baseline = deeds(baseline);
        }
        if let Some((placebo, earlier)) = list.placebo.filter(|_| study.looks_back()) {
            out.placebo = deeds(placebo);
            out.earlier = deeds(earlier);
        }
        out
    }

    /// Everybody whom the orders knew before the baseline, beside strategies without a control.
    fn reference(&self, tally: &mut Tally) -> Result<()> {
        for (number, list) in self.evaluated.lists.iter().enumerate() {
            let study = &self.evaluated.studies[list.study];
            let (Some(baseline), Some((placebo, earlier)), true) = (list.baseline, list.placebo, list.placebo_is_known) else {
                continue;
            };
            if study.strategy.design != Design::BeforeAfter {
                continue;
            }
            let places = self.roster.slices.iter().find(|(n, _)| *n == study.slice).map_or(0..0, |(_, range)| range.clone());
            let mut numbers = Vec::new();
            for place in places {
                let (panel, customer) = panel_of(self.panels, self.roster.seats[place]);
                let Some(histories) = &panel.histories else { continue };
                if histories.first_purchase(customer).is_none_or(|first| first >= baseline.start.0) {
                    continue;
                }
                let deeds = |period: Period| -> Deeds { histories.deeds(customer, &(period.start.0..period.end.0)) };
                numbers.clear();
                values::reference(study, deeds(baseline), deeds(placebo), deeds(earlier), &mut numbers)
                    .map_err(|lack| self.explain(study, lack))?;
                tally.reference[number].observe(0, &numbers, &self.evaluated.sizes[list.study].described, None);
            }
        }
        Ok(())
    }

    fn explain(&self, study: &Study<'_>, lack: values::Lack) -> Error {
        let name = &study.strategy.name;
        match lack {
            values::Lack::Cost => Error::contract(format!(
                "strategy {name:?}: the outcome \"margin\" needs the cost of every order of its customers, and some have none (orders.cost is null); fill them in, filter these rows with orders.keep, or remove orders.cost and give margin_rate"
            )),
            values::Lack::Digits => Error::contract(format!(
                "strategy {name:?}: an outcome of a customer overflows 64 bits of minor units; lower orders.amount_scale or look for a wrong amount"
            )),
        }
    }
}

/// A row of a customer.
#[derive(Debug, Clone, Copy)]
struct Row {
    study: usize,
    role: Role,
    row: usize,
    arm: u16,
    day: Day,
    ended: Option<Day>,
    /// Whether the customer stays in the list despite other strategies.
    stays: bool,
}

/// What is known of the customer at hand.
#[derive(Default)]
struct Customer {
    rows: Vec<Row>,
    /// By list: the earliest day on which the customer was assigned in it.
    days: Vec<Option<Day>>,
    /// In how many lists of the strategy at hand the customer counts, with groups and numbers in each.
    members: Vec<Member>,
    numbers: Vec<Numbers>,
    groups: Vec<u32>,
}

impl Customer {
    /// Forgets the strategy at hand.
    fn clear(&mut self) {
        self.members.clear();
        self.numbers.clear();
        self.groups.clear();
    }
}

impl Slice<'_> {
    /// Goes on to the customer with this id.
    fn seek(&mut self, ids: &CustomerIds, row: usize) {
        while self.next < self.places.end && self.compare(self.next, ids, row).is_lt() {
            self.next += 1;
        }
        self.is_found = self.next < self.places.end && self.compare(self.next, ids, row).is_eq();
    }

    /// The place of the customer at hand.
    fn found(&self) -> Option<usize> {
        self.is_found.then_some(self.next)
    }

    fn compare(&self, place: usize, ids: &CustomerIds, row: usize) -> Ordering {
        let (panel, customer) = panel_of(self.panels, self.roster.seats[place]);
        match (&panel.ids, ids) {
            (CustomerIds::Int(own), CustomerIds::Int(other)) => own.get(customer).cmp(&other.get(row)),
            (CustomerIds::Text(own), CustomerIds::Text(other)) => own.get(customer).cmp(other.get(row)),
            _ => Ordering::Equal,
        }
    }
}

fn key(ids: &CustomerIds, row: usize) -> u64 {
    match ids {
        CustomerIds::Int(keys) => (keys.get(row).copied().unwrap_or(0) as u64) ^ (1 << 63),
        CustomerIds::Text(texts) => {
            let mut head = [0; 8];
            texts.get(row).iter().zip(&mut head).for_each(|(byte, to)| *to = *byte);
            u64::from_be_bytes(head)
        }
    }
}
