//! A part's assigned customers, some at a time beside the customers of its orders, strategy by strategy.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use crate::activity::{BoundaryDays, CumulativeActivity, OrderHistory};
use crate::domain::{CompactInts, CustomerIdRef, Design};
use crate::engine::experiment::Experiments;
use crate::engine::experiment::exposure::cursor::{AssignmentRun, BATCH_ROWS, CustomerBatch, counting, runs};
use crate::engine::experiment::exposure::overlap::Overlaps;
use crate::engine::experiment::outcomes::members::{PeriodOutcomes, UNMATCHED, explain};
use crate::engine::experiment::outcomes::snapshots::Snapshots;
use crate::engine::experiment::outcomes::values::{self, OutcomeWindows};
use crate::engine::experiment::partial_sums::PartialSums;
use crate::engine::experiment::pass::{BatchContext, StrategyPass, StrategyScratch};
use crate::error::Result;
use crate::measure::BucketPanel;
use crate::part::{PartCustomers, panel_of};
use crate::sums::{Column, GroupPartition, Pair, mark_nonzero, sort_code, zero_pattern};

/// The walk through one part.
pub struct PartPass<'a> {
    evaluated: &'a Experiments<'a>,
    part: usize,
    panels: &'a [BucketPanel],
    customers: &'a PartCustomers,
    seen: &'a Snapshots,
}

impl<'a> PartPass<'a> {
    pub fn new(
        evaluated: &'a Experiments<'a>,
        part: usize,
        panels: &'a [BucketPanel],
        customers: &'a PartCustomers,
        seen: &'a Snapshots,
    ) -> PartPass<'a> {
        PartPass { evaluated, part, panels, customers, seen }
    }

    /// Sums everything that strategies need of the part.
    ///
    /// # Errors
    /// Exit 3 where an order lacks the cost that a margin needs, or money overflows.
    pub fn sum(&self) -> Result<PartialSums> {
        let Experiments { studies, lists, layouts, .. } = self.evaluated;
        let mut sums = PartialSums::new(studies, lists, layouts);
        let mut runs = runs(self.evaluated, self.part);
        let view = |list: usize| PeriodOutcomes::new(self.evaluated, list, self.part, self.seen);
        let views: Vec<PeriodOutcomes<'_>> = (0..lists.len()).map(view).collect();
        let mut slices: Vec<Slice<'_>> = self.slices(&runs, &views);
        let mut hand = CustomerBatch::new(slices.iter().map(|slice| slice.days.len()).max().unwrap_or(0));
        let mut courses: Vec<StrategyPass<'_>> =
            (0..studies.len()).map(|study| StrategyPass::new(self.evaluated, study, &runs)).collect();
        let (mut rivals, notes) = (Overlaps::new(self.evaluated, &runs), Mutex::new(Vec::new()));
        while hand.advance(&mut runs) {
            slices.iter_mut().for_each(|slice| slice.find(&hand.ids));
            rivals.fill(self.evaluated, &runs, &hand);
            let scene = BatchContext {
                evaluated: self.evaluated,
                runs: &runs,
                hand: &hand,
                slices: &slices,
                views: &views,
                rivals: &rivals,
            };
            // Threads that have no part any more take a strategy each.
            let add = |course: &mut StrategyPass<'a>| {
                let mut own: StrategyScratch = locked(&notes).pop().unwrap_or_default();
                let done = course.add(&scene, &mut own);
                locked(&notes).push(own);
                done
            };
            let done: Vec<Result<()>> = courses.par_iter_mut().map(add).collect();
            done.into_iter().collect::<Result<()>>()?;
        }
        self.reference(&mut sums)?;
        courses.into_iter().for_each(|course| course.finish(&mut sums));
        Ok(sums)
    }

    /// The slices of the strategies, each once.
    fn slices(&self, runs: &[AssignmentRun<'_>], views: &[PeriodOutcomes<'_>]) -> Vec<Slice<'a>> {
        let studies = &self.evaluated.studies;
        let mut numbers: Vec<u32> = studies.iter().map(|s| s.slice).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let next = |number: u32| {
            let customers = self.customers.groups.slice(number);
            (customers.start, customers.end)
        };
        let days = |number: u32| {
            let mut days = Vec::new();
            for study in (0..studies.len()).filter(|study| studies[*study].slice == number) {
                for (run, list) in counting(runs, study) {
                    views[list].days(runs[run].days(), &mut days);
                }
            }
            BoundaryDays::distinct(days)
        };
        let slice = |number: u32| Slice {
            number,
            next: next(number),
            places: Vec::new(),
            days: days(number),
            timeline: CumulativeActivity::default(),
            panels: self.panels,
            customers: self.customers,
        };
        numbers.into_iter().map(slice).collect()
    }

    /// Everybody whom the orders knew before the baseline, beside strategies without a control.
    fn reference(&self, sums: &mut PartialSums) -> Result<()> {
        let (mut timeline, mut windows) = (CumulativeActivity::default(), OutcomeWindows::default());
        let all: Vec<u32> = (0..BATCH_ROWS as u32).collect();
        for (number, list) in self.evaluated.lists.iter().enumerate() {
            let study = &self.evaluated.studies[list.study];
            let (Some(baseline), Some((placebo, earlier)), true) = (list.baseline, list.placebo, list.placebo_is_known) else {
                continue;
            };
            if study.strategy.design != Design::BeforeAfter {
                continue;
            }
            let places = self.customers.groups.slice(study.slice);
            let outcomes = study.outcomes.iter().filter(|o| o.outcome.is_described());
            let mut columns: Vec<Vec<Pair>> = outcomes.map(|_| Vec::new()).collect();
            let periods = [baseline, placebo, earlier];
            let days = BoundaryDays::distinct(periods.iter().flat_map(|period| [period.start.0, period.end.0]).collect());
            let mut known = places.filter_map(|place| {
                let (panel, customer) = panel_of(self.panels, self.customers.bucket_rows[place]);
                let history = panel.histories.as_ref()?.of(customer);
                history.first_purchase().is_some_and(|first| first < baseline.start.0).then_some(history)
            });
            loop {
                let at_hand: Vec<OrderHistory<'_>> = known.by_ref().take(BATCH_ROWS).collect();
                if at_hand.is_empty() {
                    break;
                }
                timeline.fill(&days, at_hand.len(), at_hand.iter().copied().enumerate());
                windows.idle.cover(at_hand.len());
                let stretches = [&mut windows.baseline, &mut windows.placebo, &mut windows.earlier];
                for (stretch, period) in stretches.into_iter().zip(periods) {
                    let starts = [period.start, period.end.max(period.start)].map(|day| timeline.start(days.before(day.0)));
                    stretch.between(&timeline, starts, &all[..at_hand.len()]);
                }
                values::reference(study, &windows, at_hand.len(), &mut columns).map_err(|lack| explain(study, lack))?;
            }
            let customers = columns.first().map_or(0, Vec::len);
            let columns: Vec<Column> = columns.into_iter().map(|own| Column::Two(CompactInts::Wide(own))).collect();
            for column in &columns {
                sums.squares[number] = sums.squares[number].saturating_add(column.squares());
            }
            let mut members = GroupPartition::default();
            let mut nonzero = Vec::new();
            mark_nonzero(&columns, customers, &mut nonzero);
            let labels: Vec<u32> = nonzero.iter().map(|is_nonzero| sort_code(0, zero_pattern::of_one(*is_nonzero))).collect();
            members.sort(0, 1, &labels, 0..customers as u32);
            sums.reference[number].observe(&members, &columns);
        }
        Ok(())
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The customers of a slice whose orders are in the part.
pub struct Slice<'a> {
    pub number: u32,
    /// The first place that no customer has passed, and where places end.
    next: (usize, usize),
    /// By customer at hand: their place; [`UNMATCHED`] without orders.
    pub places: Vec<u32>,
    /// The days that matter to its strategies, and what the customers at hand had done before each.
    pub days: BoundaryDays,
    pub timeline: CumulativeActivity,
    panels: &'a [BucketPanel],
    customers: &'a PartCustomers,
}

impl Slice<'_> {
    /// Finds the next customers, who ascend.
    fn find(&mut self, ids: &[CustomerIdRef<'_>]) {
        let (mut place, end) = self.next;
        let id = |place: usize| CustomerIdRef::of(&self.customers.ids, place);
        self.places.clear();
        self.places.extend(ids.iter().map(|own| {
            while place < end && id(place) < *own {
                place += 1;
            }
            if place < end && id(place) == *own { place as u32 } else { UNMATCHED }
        }));
        self.next.0 = place;
        let history = |(customer, place): (usize, &u32)| {
            let (panel, number) = panel_of(self.panels, self.customers.bucket_rows[*place as usize]);
            Some((customer, panel.histories.as_ref()?.of(number)))
        };
        let known = self.places.iter().enumerate().filter(|(_, place)| **place != UNMATCHED);
        self.timeline.fill(&self.days, ids.len(), known.filter_map(history));
    }
}
