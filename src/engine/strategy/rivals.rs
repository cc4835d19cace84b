//! Who of the customers at hand is in other strategies at the same time, and whether they stay in a list despite that.

use super::Evaluated;
use super::runs::{Hand, Run};
use crate::domain::Day;
use crate::job::strategy::Overlap;

/// The day of what does not happen.
pub const NEVER: Day = Day(i32::MAX);

/// The customers at hand by list.
#[derive(Default)]
pub struct Rivals {
    /// By list: whether everybody at hand is in it.
    has_all: Vec<bool>,
    /// By list and customer: the first day on which they were assigned in it, [`NEVER`] without; nothing if no list asks.
    days: Vec<Day>,
}

/// Room for a list's customers.
#[derive(Default)]
pub struct Sooner {
    /// By customer: the first day on which a rival that comes before the strategy in the job had them, and one behind it.
    before: Vec<Day>,
    behind: Vec<Day>,
}

impl Rivals {
    /// Notes who is at hand.
    pub fn fill(&mut self, evaluated: &Evaluated<'_>, runs: &[Run<'_>], hand: &Hand<'_>) {
        let Rivals { has_all, days } = self;
        let of_lists = || runs.iter().enumerate().filter_map(|(at, run)| Some((at, run.role.list()?)));
        has_all.clear();
        has_all.resize(evaluated.lists.len(), false);
        of_lists().for_each(|(run, list)| has_all[list] |= hand.is_of_all(run));
        days.clear();
        if !(0..evaluated.lists.len()).any(|list| self.asks(evaluated, list)) {
            return;
        }
        let count = hand.ids.len();
        self.days.resize(evaluated.lists.len() * count, NEVER);
        for (run, list) in of_lists() {
            let own = &mut self.days[list * count..][..count];
            for (row, customer) in hand.rows(run) {
                own[customer] = own[customer].min(runs[run].table.day(row));
            }
        }
    }

    /// Whether it matters to a list who is in its rivals, and when: not if all stay, and all are in one of them.
    fn asks(&self, evaluated: &Evaluated<'_>, list: usize) -> bool {
        let (rivals, own) = (&evaluated.rivals[list], &evaluated.lists[list]);
        let all_stay = evaluated.studies[own.study].strategy.overlap == Overlap::Keep;
        let has_all = || rivals.iter().any(|(_, rival)| self.has_all[*rival]);
        !rivals.is_empty() && (!all_stay || !has_all())
    }

    /// Says for every row of a list's run whether its customer stays, as the strategy's own setting has it: nothing if all do.
    /// Counts those who are in another strategy.
    pub fn stays(
        &self,
        evaluated: &Evaluated<'_>,
        (run, at, list): (&Run<'_>, usize, usize),
        hand: &Hand<'_>,
        Sooner { before, behind }: &mut Sooner,
        stays: &mut Vec<bool>,
    ) -> u64 {
        let (rivals, rows) = (&evaluated.rivals[list], hand.rows(at));
        stays.clear();
        if !self.asks(evaluated, list) {
            return if rivals.is_empty() { 0 } else { rows.len() as u64 };
        }
        let count = hand.ids.len();
        before.clear();
        before.resize(count, NEVER);
        behind.clone_from(before);
        // On the same day the strategy that comes first in the job is first.
        for (rival, other) in rivals {
            let first = if *rival < run.study { &mut *before } else { &mut *behind };
            let others = &self.days[other * count..][..count];
            first.iter_mut().zip(others).for_each(|(first, other)| *first = (*first).min(*other));
        }
        let overlap = evaluated.studies[run.study].strategy.overlap;
        let mut overlapping = 0;
        stays.extend(rows.map(|(row, customer)| {
            let (day, before, behind) = (run.table.day(row), before[customer], behind[customer]);
            let any = before != NEVER || behind != NEVER;
            overlapping += u64::from(any);
            match overlap {
                Overlap::Keep => true,
                Overlap::Exclude => !any,
                Overlap::First => day < before && day <= behind,
            }
        }));
        if stays.iter().all(|stays| *stays) {
            stays.clear();
        }
        overlapping
    }
}
