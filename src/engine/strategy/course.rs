//! A strategy's way through a part: who of the customers at hand counts in which of its lists, and the sums of what they did.

use super::Evaluated;
use super::crowd::Crowd;
use super::desk::Desk;
use super::members::{Did, Members, UNKNOWN, View};
use super::rivals::{NEVER, Rivals, Sooner};
use super::runs::{Hand, Run, counting};
use super::study::Study;
use super::tally::{Account, Tally};
use super::walk::Slice;
use super::winsorised::Kept;
use crate::domain::Day;
use crate::error::Result;

/// The customers at hand, with what all strategies know of them.
pub struct Scene<'s, 'a> {
    pub evaluated: &'a Evaluated<'a>,
    pub runs: &'s [Run<'a>],
    pub hand: &'s Hand<'a>,
    pub slices: &'s [Slice<'a>],
    pub views: &'s [View<'a>],
    pub rivals: &'s Rivals,
}

/// A strategy with its sums.
pub struct Course<'a> {
    number: usize,
    study: &'a Study<'a>,
    /// Its runs of rows that count, each with its list.
    runs: Vec<(usize, usize)>,
    desk: Desk<'a>,
    kept: Kept,
    /// By list of the strategy.
    squares: Vec<u128>,
    accounts: Vec<Account>,
}

/// What is worked out of the customers at hand for a strategy. One after the other uses the same, as caches do not hold many.
#[derive(Default)]
pub struct Notes {
    /// By run, and row that counts in it: whether its customer stays despite other strategies.
    stays: Vec<Vec<bool>>,
    /// By customer: in how many lists of the strategy they count.
    counts: Vec<u32>,
    sooner: Sooner,
    /// By customer: the first day on which the strategy treated them in the baseline at hand; [`NEVER`] if it did not.
    treated: Vec<Day>,
    /// By row: whether the customer was treated in the baseline.
    touched: Vec<bool>,
    members: Members,
    did: Did,
    /// With room for the strategy with most lists.
    crowds: Vec<Crowd>,
}

impl<'a> Course<'a> {
    pub fn new(evaluated: &'a Evaluated<'a>, number: usize, runs: &[Run<'_>]) -> Course<'a> {
        let study = &evaluated.studies[number];
        Course {
            number,
            study,
            runs: counting(runs, number).collect(),
            desk: Desk::of_slots(&evaluated.sizes[number]),
            kept: Kept::new(number),
            squares: vec![0; study.lists.len()],
            accounts: vec![Account::new(study); study.lists.len()],
        }
    }

    /// Sums the customers at hand.
    ///
    /// # Errors
    /// Exit 3 where an order lacks the cost that a margin needs, or money overflows.
    pub fn add(&mut self, scene: &Scene<'_, 'a>, notes: &mut Notes) -> Result<()> {
        let Some(slice) = scene.slices.iter().find(|slice| slice.number == self.study.slice) else { return Ok(()) };
        notes.stays.resize_with(notes.stays.len().max(self.runs.len()), Vec::new);
        for ((run, list), stays) in self.runs.iter().zip(&mut notes.stays) {
            let own = (&scene.runs[*run], *run, *list);
            let overlapping = scene.rivals.stays(scene.evaluated, own, scene.hand, &mut notes.sooner, stays);
            self.accounts[list - self.study.lists.start].overlapping += overlapping;
        }
        self.count(scene, notes);
        notes.crowds.resize_with(notes.crowds.len().max(self.runs.len()), Crowd::default);
        for at in 0..self.runs.len() {
            self.find_touched(scene, at, notes);
            self.find_members(scene, at, &slice.places, notes);
            let view = &scene.views[self.runs[at].1];
            view.fill(&notes.members, (&slice.days, &slice.timeline), &mut notes.did, &mut notes.crowds[at])?;
        }
        let crowds = &notes.crowds[..self.runs.len()];
        let mut most = 0;
        for (all, crowd) in self.squares.iter_mut().zip(crowds) {
            for squares in crowd.squares() {
                *all = all.saturating_add(squares);
                most = most.max(squares);
            }
        }
        self.desk.add(crowds, most);
        if !self.study.winsorised.is_empty() {
            self.kept.keep(self.study, crowds, scene.hand.ids.len());
        }
        Ok(())
    }

    /// Adds everything that was summed.
    pub fn finish(self, tally: &mut Tally) {
        let own = self.study.lists.clone();
        tally.studies[self.number] = self.desk.finish();
        for (all, own) in tally.squares[own.clone()].iter_mut().zip(self.squares) {
            *all = all.saturating_add(own);
        }
        tally.accounts.splice(own, self.accounts);
        tally.kept.push(self.kept);
    }

    /// Counts in how many lists the customers at hand count.
    fn count(&self, scene: &Scene<'_, '_>, Notes { counts, stays, .. }: &mut Notes) {
        counts.clear();
        counts.resize(scene.hand.ids.len(), 0);
        for ((run, _), stays) in self.runs.iter().zip(stays) {
            for ((_, customer), stays) in scene.hand.rows(*run).zip(stays) {
                counts[customer] += u32::from(*stays);
            }
        }
    }

    /// Finds who of a run an earlier assignment of the strategy treated inside the list's baseline.
    fn find_touched(&self, scene: &Scene<'_, '_>, at: usize, Notes { touched, treated, .. }: &mut Notes) {
        let Scene { evaluated, runs, hand, .. } = *scene;
        let (own, list) = self.runs[at];
        let rows = hand.rows(own);
        touched.clear();
        touched.resize(rows.len(), false);
        let Some(baseline) = evaluated.lists[list].baseline else { return };
        let (table, control) = (runs[own].table, self.study.control);
        let may_touch = |run: &Run<'_>| {
            run.study == self.number
                && run.role != runs[own].role
                && run.assigned().0 < baseline.end
                && run.until().1 >= baseline.start
        };
        if !runs.iter().any(may_touch) {
            return;
        }
        treated.clear();
        treated.resize(hand.ids.len(), NEVER);
        for (other, run) in runs.iter().enumerate().filter(|(_, run)| may_touch(run)) {
            let all_lie_in_it = run.assigned().1 < baseline.end && run.until().0 >= baseline.start;
            for (row, customer) in hand.rows(other) {
                let (day, arm) = (table.day(row), table.arm[row]);
                let lies_in_it = || day < baseline.end && run.until_of(evaluated, row, day) >= baseline.start;
                let treats = Some(arm) != control && (all_lie_in_it || lies_in_it());
                let first = &mut treated[customer];
                *first = if treats { day.min(*first) } else { *first };
            }
        }
        for (touched, (row, customer)) in touched.iter_mut().zip(rows) {
            *touched = treated[customer] < table.day(row);
        }
    }

    /// The members of a run's list: whose rows stay. Who is left out, or not known, goes into the account.
    fn find_members(&mut self, scene: &Scene<'_, '_>, at: usize, places: &[u32], notes: &mut Notes) {
        let Notes { stays, counts, touched, members: out, .. } = notes;
        let ((run, list), stays) = (self.runs[at], &stays[at]);
        let account = &mut self.accounts[list - self.study.lists.start];
        out.clear();
        let (rows, customers) = scene.hand.stretch(run);
        if stays.iter().all(|stays| *stays) {
            out.rows.extend_from_slice(rows);
            out.customers.extend_from_slice(customers);
            out.touched.extend_from_slice(touched);
        } else {
            for ((row, customer), (stays, touched)) in rows.iter().zip(customers).zip(stays.iter().zip(touched)) {
                if *stays {
                    out.rows.push(*row);
                    out.customers.push(*customer);
                    out.touched.push(*touched);
                } else {
                    account.left_out[usize::from(scene.runs[run].table.arm[*row as usize])] += 1;
                }
            }
        }
        out.places.extend(out.customers.iter().map(|customer| places[*customer as usize]));
        out.recurs.extend(out.customers.iter().map(|customer| counts[*customer as usize] > 1));
        account.unknown += out.places.iter().filter(|place| **place == UNKNOWN).count() as u64;
    }
}
