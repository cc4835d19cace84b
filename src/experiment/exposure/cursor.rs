//! A part's assignments, some customers at a time: as many as the caches hold the numbers of.
//!
//! Every run of rows is sorted by customer already. The customers at hand are the union of the next stretches of all runs, cut
//! at the same customer.

use std::borrow::Cow;
use std::ops::Range;

use crate::assign::{Assignments, RowSet};
use crate::domain::{CompactInts, CustomerIdRef, Day};
use crate::engine::experiment::Experiments;

/// About this many customers are at hand at once: their numbers in all lists of a strategy fit the second cache.
pub const BATCH_ROWS: usize = 2048;

/// With more days that matter to strategies fewer customers are at hand, so that what they had done before each of these days
/// takes not much more than this many numbers.
const MOST_CELLS: usize = 1 << 18;

/// Not fewer rows of a run are taken at once for that.
const MIN_RUN_ROWS: usize = 16;

/// Lists with other customers each bring more of them to hand; no more than so many times as one list does.
const MAX_BATCH_FACTOR: usize = 4;

/// What a row of assignments is to its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eligibility {
    /// It counts in the list.
    Eligible(usize),
    /// The customer is in several arms of the list.
    MultipleArms(usize),
    /// It lies in no period.
    OutsidePeriods,
}

impl Eligibility {
    /// The list it belongs to.
    pub fn list(self) -> Option<usize> {
        match self {
            Eligibility::Eligible(list) | Eligibility::MultipleArms(list) => Some(list),
            Eligibility::OutsidePeriods => None,
        }
    }
}

/// Rows of a strategy that are the same to their customers, ascending by customer.
pub struct AssignmentRun<'a> {
    pub study: usize,
    pub role: Eligibility,
    pub table: &'a Assignments,
    rows: Cow<'a, RowSet>,
    /// The first row that was not at hand yet.
    next: usize,
    assigned: (Day, Day),
    until: (Day, Day),
}

impl<'a> AssignmentRun<'a> {
    /// The first and the last day on which one was assigned.
    pub fn assigned(&self) -> (Day, Day) {
        self.assigned
    }

    /// The day on which all were assigned, if it is the same.
    pub fn day(&self) -> Option<Day> {
        let (first, last) = self.assigned;
        (first == last).then_some(first)
    }

    /// The first and the last day on which the treatment of one ends.
    pub fn until(&self) -> (Day, Day) {
        self.until
    }

    /// The days on which one was assigned, each once. They lie in a period, if the rows count.
    pub fn days(&self) -> impl Iterator<Item = Day> + use<> {
        let (first, last) = (self.assigned.0.0, self.assigned.1.0);
        let count = if self.rows.is_empty() { 0 } else { (last - first) as usize + 1 };
        let mut is_one = vec![count == 1; count];
        if count > 1 {
            for row in self.rows.iter() {
                is_one[(self.table.day(row as usize).0 - first) as usize] = true;
            }
        }
        is_one.into_iter().enumerate().filter(|(_, is_one)| *is_one).map(move |(at, _)| Day(first + at as i32))
    }

    /// The keys of the customers of the rows at some places, if the table has them side by side and short.
    fn keys(&self, places: Range<usize>) -> Option<&'a [u32]> {
        match &*self.rows {
            RowSet::Range(rows) => {
                let start = rows.start as usize;
                self.table.ids.short(start + places.start..start + places.end)
            }
            RowSet::Indices(_) => None,
        }
    }

    /// Adds the arms of the rows at some places.
    fn arms(&self, places: Range<usize>, out: &mut Vec<u16>) {
        match (&*self.rows, &self.table.arm) {
            (RowSet::Range(rows), CompactInts::Narrow(arms)) => {
                let start = rows.start as usize;
                out.extend(arms[start + places.start..start + places.end].iter().map(|arm| u16::from(*arm)));
            }
            (rows, _) => out.extend(places.map(|place| self.table.arm(rows.at(place) as usize))),
        }
    }

    /// How many of the rows at some places are of customers up to this one.
    fn before(&self, places: Range<usize>, last: CustomerIdRef<'_>) -> usize {
        self.rows.partition_point(places, |row| self.table.ids.id(row as usize) <= last)
    }

    /// The last day on which the customer of a row is treated, who was assigned on a day.
    #[inline]
    pub fn until_of(&self, evaluated: &Experiments<'_>, row: usize, day: Day) -> Day {
        if let Some(ended) = self.table.ended_on.as_ref().and_then(|ended| ended[row]) {
            return ended;
        }
        match (self.role.list(), evaluated.studies[self.study].strategy.outcome_days) {
            (_, Some(days)) => Day(day.0.saturating_add(days as i32 - 1)),
            (Some(list), None) => evaluated.lists[list].period.last_day(),
            (None, None) => day,
        }
    }
}

/// All runs of a part, strategy by strategy: who counts in each period, who is in several arms of it, and rows outside.
pub fn runs<'a>(evaluated: &Experiments<'a>, part: usize) -> Vec<AssignmentRun<'a>> {
    let mut runs = Vec::new();
    for (study, assigned) in evaluated.assigned.iter().enumerate() {
        let own = &assigned.parts[part];
        let lists = evaluated.studies[study].lists.clone();
        let mut add = |role: Eligibility, rows: Cow<'a, RowSet>| {
            let none = (Day(i32::MAX), Day(i32::MIN));
            let mut run = AssignmentRun { study, role, table: &own.table, rows, next: 0, assigned: none, until: none };
            let mut known = None;
            for row in run.rows.iter() {
                let day = own.table.day(row as usize);
                // Most are assigned on the same day as the one before, and their treatment ends on the same day, too.
                if known == Some(day) && own.table.ended_on.is_none() {
                    continue;
                }
                known = Some(day);
                let until = run.until_of(evaluated, row as usize, day);
                run.assigned = (run.assigned.0.min(day), run.assigned.1.max(day));
                run.until = (run.until.0.min(until), run.until.1.max(until));
            }
            runs.push(run);
        };
        for (list, period) in lists.clone().zip(&own.periods.periods) {
            add(Eligibility::Eligible(list), Cow::Borrowed(&period.rows));
        }
        for (list, period) in lists.zip(&own.periods.periods) {
            add(Eligibility::MultipleArms(list), Cow::Owned(RowSet::Indices(period.in_several_arms.clone())));
        }
        let mut outside = own.periods.outside.clone();
        outside.sort_by_key(|row| own.table.ids.id(*row as usize));
        add(Eligibility::OutsidePeriods, Cow::Owned(RowSet::Indices(outside)));
    }
    runs
}

/// The runs of a strategy whose rows count, each with its list.
pub fn counting(runs: &[AssignmentRun<'_>], study: usize) -> impl Iterator<Item = (usize, usize)> {
    runs.iter().enumerate().filter_map(move |(at, run)| match run.role {
        Eligibility::Eligible(list) if run.study == study => Some((at, list)),
        _ => None,
    })
}

/// The customers at hand.
pub struct CustomerBatch<'a> {
    /// As many customers may be at hand if all are in all lists.
    most: usize,
    /// No more rows of a run are taken at once.
    rows: usize,
    /// Ascending; a customer's number is the place.
    pub ids: Vec<CustomerIdRef<'a>>,
    /// By run: its rows, as places in the run.
    stretches: Vec<Range<usize>>,
    /// By run: these rows, and their arms.
    taken: Vec<Vec<u32>>,
    arms: Vec<Vec<u16>>,
    /// By run: the number of each row's customer.
    numbers: Vec<Vec<u32>>,
    /// By run: how many customers were at hand when its rows were seen to be all of theirs, one each; 0 if they were not.
    all: Vec<usize>,
    /// How many were at hand behind the last run, before some were given back.
    met: usize,
}

impl<'a> CustomerBatch<'a> {
    /// An empty hand for strategies to which so many days matter.
    pub fn new(days: usize) -> CustomerBatch<'a> {
        let most = (MOST_CELLS / days.max(1)).clamp(MIN_RUN_ROWS, BATCH_ROWS);
        CustomerBatch {
            most,
            rows: most,
            ids: Vec::new(),
            stretches: Vec::new(),
            taken: Vec::new(),
            arms: Vec::new(),
            numbers: Vec::new(),
            all: Vec::new(),
            met: 0,
        }
    }

    /// Goes on to the next customers; false behind the last.
    pub fn advance(&mut self, runs: &mut [AssignmentRun<'a>]) -> bool {
        let id = |run: &AssignmentRun<'a>, at: usize| run.table.ids.id(run.rows.at(at) as usize);
        let full = runs.iter().filter(|run| run.rows.len() - run.next > self.rows);
        let last = full.map(|run| id(run, run.next + self.rows - 1)).min();
        self.ids.clear();
        self.stretches.clear();
        self.all.clear();
        // The keys of all customers at hand, if a run has them.
        let mut keys: Option<&[u32]> = None;
        for run in runs.iter_mut() {
            let rest = run.rows.len() - run.next;
            let count = match last {
                Some(last) => {
                    // No run has many more rows of these customers than of as many customers.
                    let mut bound = self.rows.min(rest);
                    while bound < rest && id(run, run.next + bound) <= last {
                        bound = (bound * 2).min(rest);
                    }
                    run.before(run.next..run.next + bound, last)
                }
                None => rest,
            };
            let stretch = run.next..run.next + count;
            run.next = stretch.end;
            let own = stretch.clone().map(|at| id(run, at));
            // Most lists of a job have the same customers.
            let own_keys = run.keys(stretch.clone());
            let are_all = match keys.zip(own_keys) {
                Some((all, own)) => all == own,
                None => own.len() == self.ids.len() && own.clone().zip(&self.ids).all(|(own, id)| own == *id),
            };
            let (count, known) = (own.len(), self.ids.len());
            if !are_all {
                self.unite(own);
            }
            let has_all = are_all || known == 0 && self.ids.len() == count;
            keys = if has_all { own_keys } else { keys.filter(|_| self.ids.len() == known) };
            self.all.push(if has_all { count } else { 0 });
            self.stretches.push(stretch);
        }
        self.met = self.ids.len();
        let room = self.most * MAX_BATCH_FACTOR;
        if self.ids.len() > room {
            self.rows = (self.rows * room / self.ids.len()).max(1);
            self.give_back(room, runs);
        } else if self.ids.len() <= room / 2 {
            self.rows = (self.rows * 2).min(self.most);
        }
        self.taken.resize_with(runs.len(), Vec::new);
        self.arms.resize_with(runs.len(), Vec::new);
        let taken = self.taken.iter_mut().zip(&mut self.arms);
        for ((run, stretch), (taken, arms)) in runs.iter().zip(&self.stretches).zip(taken) {
            taken.clear();
            run.rows.copy(stretch.clone(), taken);
            arms.clear();
            run.arms(stretch.clone(), arms);
        }
        self.numbers.resize_with(runs.len(), Vec::new);
        for (((run, stretch), numbers), all) in runs.iter().zip(&self.stretches).zip(&mut self.numbers).zip(&self.all) {
            numbers.clear();
            if *all == self.met {
                numbers.extend(0..stretch.len() as u32);
                continue;
            }
            let mut number = 0;
            for at in stretch.clone() {
                let own = id(run, at);
                while self.ids[number] < own {
                    number += 1;
                }
                numbers.push(number as u32);
            }
        }
        !self.ids.is_empty()
    }

    /// Keeps the first so many customers at hand.
    fn give_back(&mut self, room: usize, runs: &mut [AssignmentRun<'a>]) {
        self.ids.truncate(room);
        let Some(last) = self.ids.last() else { return };
        for (run, stretch) in runs.iter_mut().zip(&mut self.stretches) {
            stretch.end = stretch.start + run.before(stretch.clone(), *last);
            run.next = stretch.end;
        }
    }

    /// Adds customers, ascending, to those at hand.
    fn unite(&mut self, ids: impl Iterator<Item = CustomerIdRef<'a>>) {
        let (known, mut at) = (self.ids.len(), 0);
        for id in ids {
            while at < known && self.ids[at] < id {
                at += 1;
            }
            let is_known = at < known && self.ids[at] == id;
            if !is_known && (self.ids.len() == known || self.ids.last() != Some(&id)) {
                self.ids.push(id);
            }
        }
        if self.ids.len() > known {
            // Two sorted stretches, which the sort merges.
            self.ids.sort();
        }
    }

    /// Whether a run has a row of everybody at hand.
    pub fn is_of_all(&self, run: usize) -> bool {
        self.all[run] == self.met
    }

    /// A run's rows of the customers at hand, each with the number of its customer.
    pub fn rows(&self, run: usize) -> impl ExactSizeIterator<Item = (usize, usize)> {
        let (rows, numbers) = self.stretch(run);
        rows.iter().zip(numbers).map(|(row, number)| (*row as usize, *number as usize))
    }

    /// The same, rows and numbers apart.
    pub fn stretch(&self, run: usize) -> (&[u32], &[u32]) {
        (&self.taken[run], &self.numbers[run])
    }

    /// The arms of these rows.
    pub fn arms(&self, run: usize) -> &[u16] {
        &self.arms[run]
    }

    /// Calls `met` with what customers have, and what the run's rows of them have, one after the other.
    #[inline]
    pub fn each<T, R: Copy>(&self, run: usize, own: &mut [T], of_rows: &[R], met: impl Fn(&mut T, R)) {
        if self.is_of_all(run) {
            return own.iter_mut().zip(of_rows).for_each(|(own, of_row)| met(own, *of_row));
        }
        let numbers = &self.numbers[run];
        of_rows.iter().zip(numbers).for_each(|(of_row, number)| met(&mut own[*number as usize], *of_row));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assign::{AssignedIds, Rejected};
    use crate::domain::StringIds;

    fn table(ids: &[i64], is_text: bool, arms: i64) -> Assignments {
        let mut texts = StringIds::default();
        ids.iter().for_each(|id| texts.push(format!("customer {id:08}").as_bytes()));
        Assignments {
            ids: if is_text { AssignedIds::Text(texts) } else { AssignedIds::Int(ids.iter().copied().collect()) },
            arm: ids.iter().map(|id| id.rem_euclid(arms) as u32).collect(),
            assigned_on: ids.iter().map(|_| 0).collect(),
            stratum: None,
            cost: None,
            contacts: None,
            ended_on: None,
            arms: vec!["control".into()],
            strata: Vec::new().into(),
            rows_read: ids.len() as u64,
            other_strategies: 0,
            null_costs: 0,
            rejected: Rejected::default(),
        }
    }

    /// Every customer is at hand once, with all their rows, however the runs are mixed.
    #[test]
    fn every_customer_is_at_hand_once_with_all_rows() {
        for days in [0, 3_000, usize::MAX] {
            check(days);
        }
    }

    fn check(days: usize) {
        let many = BATCH_ROWS as i64 * 3;
        let mut lists: Vec<Vec<i64>> = vec![
            (0..many).collect(),
            (0..many).collect(),
            (0..many).filter(|n| n % 3 == 0).map(|n| n * 5 - 40).collect(),
            Vec::new(),
            // One customer in more rows than are at hand at once, between others.
            (0..10).chain(std::iter::repeat_n(10, BATCH_ROWS * 2)).chain([11, 900_000]).collect(),
            (0..many).map(|n| 1_000_000 + n / 2).collect(),
            vec![-7],
        ];
        // Six lists, each with other customers than the others.
        lists.extend((0..6).map(|list| (0..many).map(|n| 10_000_000 + n * 6 + list).collect()));
        // Rows side by side, without the first, and in a list; the arms of texts are more than a byte can number.
        for (is_text, first, is_list) in
            [(false, 0, false), (false, 1, false), (false, 0, true), (true, 1, false), (true, 0, true)]
        {
            let ids = |list: &Vec<i64>| list.iter().map(|id| id + 100).collect::<Vec<_>>();
            let tables: Vec<Assignments> =
                lists.iter().map(|list| table(&ids(list), is_text, if is_text { 300 } else { 3 })).collect();
            let run = |table| {
                let end = Assignments::len(table) as u32;
                let rows = first.min(end)..end;
                let rows = if is_list { RowSet::Indices(rows.collect()) } else { RowSet::Range(rows) };
                AssignmentRun {
                    study: 0,
                    role: Eligibility::OutsidePeriods,
                    table,
                    rows: Cow::Owned(rows),
                    next: 0,
                    assigned: (Day(0), Day(0)),
                    until: (Day(0), Day(0)),
                }
            };
            let mut runs: Vec<AssignmentRun<'_>> = tables.iter().map(run).collect();
            let mut hand = CustomerBatch::new(days);
            let (mut seen, mut rows_of, mut most, mut of_all) = (Vec::new(), vec![Vec::new(); lists.len()], 0, 0);
            while hand.advance(&mut runs) {
                for (run, rows) in rows_of.iter_mut().enumerate() {
                    if hand.is_of_all(run) {
                        of_all += 1;
                        assert_eq!(hand.stretch(run).1, (0..hand.ids.len() as u32).collect::<Vec<_>>());
                    }
                    let arms = hand.rows(run).map(|(row, _)| tables[run].arm(row));
                    assert!(arms.eq(hand.arms(run).iter().copied()));
                    for (row, customer) in hand.rows(run) {
                        assert!(hand.ids[customer] == tables[run].ids.id(row));
                        rows.push(row);
                    }
                }
                assert!(hand.ids.len() <= hand.most * MAX_BATCH_FACTOR);
                most = most.max(hand.ids.len());
                seen.extend(hand.ids.iter().copied());
            }
            assert_eq!(most, hand.most * MAX_BATCH_FACTOR);
            assert!(of_all > 0);
            let distinct: std::collections::BTreeSet<i64> =
                lists.iter().flat_map(|ids| ids.iter().skip(first as usize)).copied().collect();
            assert_eq!(seen.len(), distinct.len());
            assert!(seen.windows(2).all(|two| two[0] < two[1]));
            for (rows, ids) in rows_of.iter().zip(&lists) {
                assert_eq!(*rows, (ids.len().min(first as usize)..ids.len()).collect::<Vec<_>>());
            }
        }
    }
}
