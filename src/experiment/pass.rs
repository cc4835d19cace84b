//! A strategy's way through a part: who of the customers at hand counts in which of its lists, and the sums of what they did.

use crate::domain::{Day, Period};
use crate::engine::experiment::Experiments;
use crate::engine::experiment::accumulator::StrategyAccumulator;
use crate::engine::experiment::exposure::cursor::{AssignmentRun, CustomerBatch, counting};
use crate::engine::experiment::exposure::overlap::{NO_DAY, OverlapScratch, Overlaps};
use crate::engine::experiment::member_batch::MemberBatch;
use crate::engine::experiment::outcomes::members::{ActivityScratch, MemberRows, PeriodOutcomes, UNMATCHED};
use crate::engine::experiment::part_pass::Slice;
use crate::engine::experiment::partial_sums::{ExclusionCounts, PartialSums};
use crate::engine::experiment::plan::StrategyPlan;
use crate::engine::experiment::winsorise::WinsorInput;
use crate::error::Result;

/// The customers at hand, with what all strategies know of them.
pub struct BatchContext<'s, 'a> {
    pub evaluated: &'a Experiments<'a>,
    pub runs: &'s [AssignmentRun<'a>],
    pub hand: &'s CustomerBatch<'a>,
    pub slices: &'s [Slice<'a>],
    pub views: &'s [PeriodOutcomes<'a>],
    pub rivals: &'s Overlaps,
}

/// A strategy with its sums.
pub struct StrategyPass<'a> {
    number: usize,
    study: &'a StrategyPlan<'a>,
    /// Its runs of rows that count, each with its list.
    runs: Vec<(usize, usize)>,
    accumulator: StrategyAccumulator<'a>,
    winsor_input: WinsorInput,
    /// By list of the strategy.
    squares: Vec<u128>,
    exclusions: Vec<ExclusionCounts>,
}

/// What is worked out of the customers at hand for a strategy. One after the other uses the same, as caches do not hold many.
#[derive(Default)]
pub struct StrategyScratch {
    /// By run, and row that counts in it: whether its customer stays despite other strategies; nothing if all stay.
    stays: Vec<Vec<bool>>,
    /// By customer: in how many lists of the strategy they count.
    counts: Vec<u32>,
    sooner: OverlapScratch,
    /// By customer: the first day on which the strategy treated them in the baseline at hand; [`NO_DAY`] if it did not.
    treated: Vec<Day>,
    /// By row: whether the customer was treated in the baseline.
    touched: Vec<bool>,
    stayed: MemberScratch,
    did: ActivityScratch,
    /// With room for the strategy with most lists.
    crowds: Vec<MemberBatch>,
}

/// MemberRows of a list, where they are not everybody at hand: see [`MemberRows`].
#[derive(Default)]
struct MemberScratch {
    customers: Vec<u32>,
    rows: Vec<u32>,
    arms: Vec<u16>,
    places: Vec<u32>,
    counts: Vec<u32>,
    touched: Vec<bool>,
}

impl<'a> StrategyPass<'a> {
    pub fn new(evaluated: &'a Experiments<'a>, number: usize, runs: &[AssignmentRun<'_>]) -> StrategyPass<'a> {
        let study = &evaluated.studies[number];
        StrategyPass {
            number,
            study,
            runs: counting(runs, number).collect(),
            accumulator: StrategyAccumulator::new(&evaluated.layouts[number]),
            winsor_input: WinsorInput::new(number),
            squares: vec![0; study.lists.len()],
            exclusions: vec![ExclusionCounts::new(study); study.lists.len()],
        }
    }

    /// Sums the customers at hand.
    ///
    /// # Errors
    /// Exit 3 where an order lacks the cost that a margin needs, or money overflows.
    pub fn add(&mut self, scene: &BatchContext<'_, 'a>, notes: &mut StrategyScratch) -> Result<()> {
        let Some(slice) = scene.slices.iter().find(|slice| slice.number == self.study.slice) else { return Ok(()) };
        let StrategyScratch { stays, counts, sooner, treated, touched, stayed, did, crowds } = notes;
        stays.resize_with(stays.len().max(self.runs.len()), Vec::new);
        for ((run, list), stays) in self.runs.iter().zip(&mut *stays) {
            let own = (&scene.runs[*run], *run, *list);
            let overlapping = scene.rivals.stays(scene.evaluated, own, scene.hand, sooner, stays);
            self.exclusions[list - self.study.lists.start].overlapping += overlapping;
        }
        self.count(scene, stays, counts);
        crowds.resize_with(crowds.len().max(self.runs.len()), MemberBatch::default);
        for (at, (crowd, stays)) in crowds.iter_mut().zip(stays).enumerate().take(self.runs.len()) {
            let (run, list) = self.runs[at];
            self.find_touched(scene, (run, list), treated, touched);
            let members = self.members(scene, (run, list), (&slice.places, counts), (stays, touched), stayed);
            scene.views[list].fill(members, (&slice.days, &slice.timeline), did, crowd)?;
        }
        let crowds = &crowds[..self.runs.len()];
        self.accumulator.add(crowds, &mut self.squares);
        if !self.study.winsorised.is_empty() {
            self.winsor_input.add(self.study, crowds, scene.hand.ids.len());
        }
        Ok(())
    }

    /// Adds everything that was summed.
    pub fn finish(self, sums: &mut PartialSums) {
        let own = self.study.lists.clone();
        sums.strategies[self.number] = self.accumulator.finish();
        for (all, own) in sums.squares[own.clone()].iter_mut().zip(self.squares) {
            *all = all.saturating_add(own);
        }
        sums.exclusions.splice(own, self.exclusions);
        sums.winsor_inputs.push(self.winsor_input);
    }

    /// Counts in how many lists the customers at hand count.
    fn count(&self, scene: &BatchContext<'_, '_>, stays: &[Vec<bool>], counts: &mut Vec<u32>) {
        let runs = || self.runs.iter().zip(stays).map(|((run, _), stays)| (*run, stays));
        let has_all = |(run, stays): &(usize, &Vec<bool>)| stays.is_empty() && scene.hand.is_of_all(*run);
        counts.clear();
        counts.resize(scene.hand.ids.len(), runs().filter(has_all).count() as u32);
        for (run, stays) in runs().filter(|own| !has_all(own)) {
            let (_, customers) = scene.hand.stretch(run);
            for (at, customer) in customers.iter().enumerate() {
                counts[*customer as usize] += u32::from(stays.get(at).is_none_or(|stays| *stays));
            }
        }
    }

    /// Finds who of a run an earlier assignment of the strategy treated inside the list's baseline.
    fn find_touched(
        &self,
        BatchContext { evaluated, runs, hand, .. }: &BatchContext<'_, '_>,
        (own, list): (usize, usize),
        treated: &mut Vec<Day>,
        touched: &mut Vec<bool>,
    ) {
        let (rows, customers) = hand.stretch(own);
        touched.clear();
        let own = &runs[own];
        // No arm has the number of a control that is not there.
        let control = self.study.control.map_or(u32::MAX, u32::from);
        let treats = |arm: u16| u32::from(arm) != control;
        let may_touch = |run: &AssignmentRun<'_>, baseline: &Period| {
            run.study == self.number && run.role != own.role && run.assigned().0 < baseline.end && run.until().1 >= baseline.start
        };
        let touches = |baseline: &Period| runs.iter().any(|run| may_touch(run, baseline));
        let Some(baseline) = evaluated.lists[list].baseline.filter(touches) else { return touched.resize(rows.len(), false) };
        treated.clear();
        treated.resize(hand.ids.len(), NO_DAY);
        for (other, run) in runs.iter().enumerate().filter(|(_, run)| may_touch(run, &baseline)) {
            let (first, last) = run.assigned();
            let earlier = |treated: Day, treats: bool, day: Day| if treats { day.min(treated) } else { treated };
            if last < own.assigned().0 && last < baseline.end && run.until().0 >= baseline.start {
                // Whichever day it was, it lies in the baseline and was sooner.
                hand.each(other, treated, hand.arms(other), |treated, arm| *treated = earlier(*treated, treats(arm), first));
                continue;
            }
            let (rows, _) = hand.stretch(other);
            hand.each(other, treated, rows, |treated, row| {
                let (arm, day) = (run.table.arm(row as usize), run.table.day(row as usize));
                let lies_in_it = day < baseline.end && run.until_of(evaluated, row as usize, day) >= baseline.start;
                *treated = earlier(*treated, treats(arm) && lies_in_it, day);
            });
        }
        let was_treated = |day: Day, customer: u32| treated[customer as usize] < day;
        match own.day() {
            Some(day) => touched.extend(customers.iter().map(|customer| was_treated(day, *customer))),
            None => {
                let day = |row: u32| own.table.day(row as usize);
                touched.extend(rows.iter().zip(customers).map(|(row, customer)| was_treated(day(*row), *customer)));
            }
        }
    }

    /// The members of a run's list: whose rows stay. Who is left out, or not known, goes into the account.
    fn members<'h>(
        &mut self,
        scene: &BatchContext<'h, '_>,
        (run, list): (usize, usize),
        (places, counts): (&'h [u32], &'h [u32]),
        (stays, mut touched): (&[bool], &'h [bool]),
        stayed: &'h mut MemberScratch,
    ) -> MemberRows<'h> {
        let exclusions = &mut self.exclusions[list - self.study.lists.start];
        let ((mut rows, mut customers), all_stay) = (scene.hand.stretch(run), stays.is_empty());
        let mut arms = scene.hand.arms(run);
        if !all_stay {
            let left = arms.iter().zip(stays).filter(|(_, stays)| !**stays);
            left.for_each(|(arm, _)| exclusions.excluded_by_arm[usize::from(*arm)] += 1);
            fn only<'h, T: Copy>(all: &[T], stays: &[bool], out: &'h mut Vec<T>) -> &'h [T] {
                out.clear();
                out.extend(all.iter().zip(stays).filter(|(_, stays)| **stays).map(|(own, _)| *own));
                out
            }
            rows = only(rows, stays, &mut stayed.rows);
            customers = only(customers, stays, &mut stayed.customers);
            arms = only(arms, stays, &mut stayed.arms);
            touched = only(touched, stays, &mut stayed.touched);
        }
        let (places, counts) = if all_stay && scene.hand.is_of_all(run) {
            (places, counts)
        } else {
            fn at<'h>(all: &[u32], customers: &[u32], out: &'h mut Vec<u32>) -> &'h [u32] {
                out.clear();
                out.extend(customers.iter().map(|customer| all[*customer as usize]));
                out
            }
            (at(places, customers, &mut stayed.places), at(counts, customers, &mut stayed.counts))
        };
        exclusions.unmatched += places.iter().filter(|place| **place == UNMATCHED).count() as u64;
        MemberRows { customers, rows, arms, places, touched, counts, day: scene.runs[run].day() }
    }
}
