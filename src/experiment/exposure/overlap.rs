//! Who of the customers at hand is in other strategies at the same time, and whether they stay in a list despite that.
//!
//! A list has a customer from the day on which they were assigned to the last day of their treatment: `ended_on`, else the
//! last of `outcome_days`, else that of the period. Two lists have a customer at the same time if these spans share a day.

use crate::domain::Day;
use crate::engine::experiment::Experiments;
use crate::engine::experiment::exposure::cursor::{AssignmentRun, CustomerBatch};
use crate::job::strategy::Overlap;

/// The day of what does not happen.
pub const NO_DAY: Day = Day(i32::MAX);

/// First and last day of a treatment.
type Span = (Day, Day);

fn spans_overlap(one: Span, other: Span) -> bool {
    one.0 <= other.1 && other.0 <= one.1
}

/// A list of another strategy that may have customers at the same time.
struct OverlappingPeriod {
    list: usize,
    /// Whether its strategy comes before the other in the job: on the same day it is first.
    comes_first: bool,
    /// Whether it has every customer at the same time whom both have, whatever their days.
    always: bool,
}

/// The customers at hand by list.
pub struct Overlaps {
    /// By list.
    rivals: Vec<Vec<OverlappingPeriod>>,
    /// By list: whether everybody at hand is in it.
    has_all: Vec<bool>,
    /// By list and customer: from when to when it has them, [`NO_DAY`] without; nothing if no list asks.
    spans: Vec<Span>,
}

/// Room for a list's customers.
#[derive(Default)]
pub struct OverlapScratch {
    own: Vec<Span>,
    /// By row: the first day on which a rival that comes first in the job had its customer, and one of the others.
    before: Vec<Day>,
    behind: Vec<Day>,
}

/// The first and last day on which a list's treatments begin, and those on which they end.
#[derive(Clone, Copy)]
struct IntervalHull {
    begins: Span,
    ends: Span,
}

impl IntervalHull {
    fn unite(&mut self, run: &AssignmentRun<'_>) {
        let wider = |own: Span, other: Span| (own.0.min(other.0), own.1.max(other.1));
        *self = IntervalHull { begins: wider(self.begins, run.assigned()), ends: wider(self.ends, run.until()) };
    }

    fn may_overlap(&self, other: &IntervalHull) -> bool {
        spans_overlap((self.begins.0, self.ends.1), (other.begins.0, other.ends.1))
    }

    fn always_overlaps(&self, other: &IntervalHull) -> bool {
        self.begins.1.max(other.begins.1) <= self.ends.0.min(other.ends.0)
    }
}

impl Overlaps {
    /// Finds which lists of a part may have customers at the same time.
    pub fn new(evaluated: &Experiments<'_>, runs: &[AssignmentRun<'_>]) -> Overlaps {
        let nobody = (NO_DAY, Day(i32::MIN));
        let mut extents = vec![IntervalHull { begins: nobody, ends: nobody }; evaluated.lists.len()];
        runs.iter().filter_map(|run| Some((run, run.role.list()?))).for_each(|(run, list)| extents[list].unite(run));
        let rivals = |(own, extent): (usize, &IntervalHull)| {
            let study = |list: usize| evaluated.lists[list].study;
            let others =
                extents.iter().enumerate().filter(|(list, other)| study(*list) != study(own) && other.may_overlap(extent));
            let rival = |(list, other): (usize, &IntervalHull)| OverlappingPeriod {
                list,
                comes_first: study(list) < study(own),
                always: other.always_overlaps(extent),
            };
            others.map(rival).collect()
        };
        Overlaps { rivals: extents.iter().enumerate().map(rivals).collect(), has_all: Vec::new(), spans: Vec::new() }
    }

    /// Notes who is at hand.
    pub fn fill(&mut self, evaluated: &Experiments<'_>, runs: &[AssignmentRun<'_>], hand: &CustomerBatch<'_>) {
        let of_lists = || runs.iter().enumerate().filter_map(|(at, run)| Some((at, run.role.list()?)));
        self.has_all.clear();
        self.has_all.resize(evaluated.lists.len(), false);
        of_lists().for_each(|(run, list)| self.has_all[list] |= hand.is_of_all(run));
        self.spans.clear();
        if !(0..evaluated.lists.len()).any(|list| self.asks(evaluated, list)) {
            return;
        }
        let count = hand.ids.len();
        self.spans.resize(evaluated.lists.len() * count, (NO_DAY, NO_DAY));
        for (run, list) in of_lists() {
            let own = &mut self.spans[list * count..][..count];
            for (row, customer) in hand.rows(run) {
                let (first, last) = span(evaluated, &runs[run], row);
                let known = &mut own[customer];
                *known = if known.0 == NO_DAY { (first, last) } else { (known.0.min(first), known.1.max(last)) };
            }
        }
    }

    /// Whether it matters to a list who is in its rivals, and when: not if all stay, and one of them has all anyway.
    fn asks(&self, evaluated: &Experiments<'_>, list: usize) -> bool {
        let rivals = &self.rivals[list];
        let all_stay = evaluated.studies[evaluated.lists[list].study].strategy.overlap == Overlap::Keep;
        let one_has_all = || rivals.iter().any(|rival| rival.always && self.has_all[rival.list]);
        !(rivals.is_empty() || all_stay && one_has_all())
    }

    /// Says for every row of a list's run whether its customer stays, as the strategy's own setting has it: nothing if all do.
    /// Counts those who are in another strategy.
    pub fn stays(
        &self,
        evaluated: &Experiments<'_>,
        (run, at, list): (&AssignmentRun<'_>, usize, usize),
        hand: &CustomerBatch<'_>,
        OverlapScratch { own, before, behind }: &mut OverlapScratch,
        stays: &mut Vec<bool>,
    ) -> u64 {
        let (rivals, rows) = (&self.rivals[list], hand.rows(at));
        stays.clear();
        if !self.asks(evaluated, list) {
            return if rivals.is_empty() { 0 } else { rows.len() as u64 };
        }
        own.clear();
        own.extend(rows.map(|(row, _)| span(evaluated, run, row)));
        before.clear();
        before.resize(own.len(), NO_DAY);
        behind.clone_from(before);
        let (_, customers) = hand.stretch(at);
        for rival in rivals {
            let first = if rival.comes_first { &mut *before } else { &mut *behind };
            let others = &self.spans[rival.list * hand.ids.len()..][..hand.ids.len()];
            for ((first, own), customer) in first.iter_mut().zip(&*own).zip(customers) {
                let other = others[*customer as usize];
                if spans_overlap(*own, other) {
                    *first = (*first).min(other.0);
                }
            }
        }
        let overlap = evaluated.studies[run.study].strategy.overlap;
        let mut overlapping = 0;
        stays.extend(own.iter().zip(before).zip(behind).map(|(((day, _), before), behind)| {
            let any = *before != NO_DAY || *behind != NO_DAY;
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

/// From when to when a row of assignments treats its customer.
fn span(evaluated: &Experiments<'_>, run: &AssignmentRun<'_>, row: usize) -> Span {
    let day = run.table.day(row);
    (day, run.until_of(evaluated, row, day))
}
