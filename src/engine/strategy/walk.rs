//! A part's assigned customers, some at a time beside the customers of its orders: who of them counts in which list.

use super::Evaluated;
use super::crowd::{Active, Crowd, squares};
use super::desk::Desk;
use super::members::{Did, Member, View, explain};
use super::runs::{AT_HAND, Hand, Role, Run, runs};
use super::seen::Seen;
use super::store::{Column, Mean};
use super::tally::{Account, Tally};
use super::timeline::{Days, Timeline};
use super::values::{self, Windows};
use super::winsorised::Kept;
use crate::assign::Assignments;
use crate::domain::{Day, Design, Id};
use crate::engine::part::{Roster, panel_of};
use crate::error::Result;
use crate::job::strategy::Overlap;
use crate::measure::{BucketPanel, History};

/// The walk through one part.
pub struct Walk<'a> {
    evaluated: &'a Evaluated<'a>,
    part: usize,
    panels: &'a [BucketPanel],
    roster: &'a Roster,
    seen: &'a Seen,
}

/// What is decided of the customers at hand, list by list.
#[derive(Default)]
struct Decided {
    /// By row that counts in the list: whether its customer stays in it despite other strategies.
    stays: Vec<Vec<bool>>,
    /// By row: whether the customer was treated in the baseline.
    touched: Vec<bool>,
    /// By customer: in how many lists of the strategy they count.
    counts: Vec<u32>,
    /// By customer: their number among those who count in the strategy; [`NOWHERE`] if they do not.
    columns: Vec<u32>,
    /// How many these are.
    customers: usize,
    /// By customer: the place of their row; none without.
    rows: Vec<Option<u32>>,
    /// By list and customer: the first day on which they were assigned in it; [`NEVER`] without.
    days: Vec<Day>,
    /// By customer: the first day on which a rival that comes before the strategy in the job had them, and one behind it.
    sooner: Vec<Day>,
    later: Vec<Day>,
}

/// The column of who counts in no list.
const NOWHERE: u32 = u32::MAX;

/// The day of what does not happen.
const NEVER: Day = Day(i32::MAX);

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
        let Evaluated { studies, lists, sizes, .. } = self.evaluated;
        let mut tally = Tally::new(studies, lists, sizes);
        let mut kept: Vec<Kept> = (0..studies.len()).map(Kept::new).collect();
        let mut desks: Vec<Desk<'_>> = sizes.iter().map(Desk::of_slots).collect();
        let mut runs = runs(self.evaluated, self.part);
        let view = |list: usize| View::new(self.evaluated, list, self.part, self.seen);
        let views: Vec<View<'_>> = (0..lists.len()).map(view).collect();
        let mut slices: Vec<Slice<'_>> = self.slices();
        let days: Vec<Days> = (0..studies.len()).map(|study| days(&runs, study, &views)).collect();
        let mut hand = Hand::new(days.iter().map(Days::len).max().unwrap_or(0));
        let mut decided = Decided::default();
        let (mut timeline, mut members, mut did) = (Timeline::default(), Vec::new(), Did::default());
        let mut crowds: Vec<Crowd> = Vec::new();
        while hand.advance(&mut runs) {
            slices.iter_mut().for_each(|slice| slice.find(&hand.ids));
            self.overlaps(&runs, &hand, &mut decided, &mut tally);
            for (number, study) in studies.iter().enumerate() {
                let Some(slice) = slices.iter().find(|s| s.number == study.slice) else { continue };
                let own: Vec<(usize, usize)> = counting(&runs, number).collect();
                decided.count(&runs, &hand, &own);
                let histories = decided.columns.iter().zip(&slice.histories);
                let histories = histories.filter_map(|(column, history)| Some((*column as usize, (*history)?)));
                timeline.fill(&days[number], decided.customers, histories.filter(|(column, _)| *column < decided.customers));
                crowds.resize_with(crowds.len().max(own.len()), Crowd::default);
                for (&(run, list), crowd) in own.iter().zip(&mut crowds) {
                    self.touched(&runs, &hand, run, list, &mut decided);
                    let rows = hand.rows(&runs, run);
                    decided.members(list, rows, &slice.places, runs[run].table, &mut members, &mut tally.accounts[list]);
                    views[list].fill(&members, (&days[number], &timeline), &mut did, crowd)?;
                }
                let crowds = &crowds[..own.len()];
                let of_lists: Vec<u128> = crowds.iter().map(Crowd::squares).collect();
                for (all, own) in tally.squares[study.lists.clone()].iter_mut().zip(&of_lists) {
                    *all = all.saturating_add(*own);
                }
                desks[number].add(crowds, &of_lists);
                if !study.winsorised.is_empty() {
                    kept[number].keep(study, crowds, hand.ids.len());
                }
            }
        }
        self.reference(&mut tally)?;
        tally.studies = desks.into_iter().map(Desk::finish).collect();
        tally.kept = kept;
        Ok(tally)
    }

    /// The slices of the strategies, each once.
    fn slices(&self) -> Vec<Slice<'a>> {
        let mut numbers: Vec<u32> = self.evaluated.studies.iter().map(|s| s.slice).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let known = |number: u32| self.roster.slices.iter().find(|(n, _)| *n == number);
        let next = |number: u32| known(number).map_or((0, 0), |(_, places)| (places.start, places.end));
        let slice = |number: u32| Slice {
            number,
            next: next(number),
            places: Vec::new(),
            histories: Vec::new(),
            panels: self.panels,
            roster: self.roster,
        };
        numbers.into_iter().map(slice).collect()
    }

    /// Decides over customers who are in two strategies at once: each strategy's own setting decides whether they stay in it.
    fn overlaps(&self, runs: &[Run<'a>], hand: &Hand<'a>, decided: &mut Decided, tally: &mut Tally) {
        let Evaluated { lists, rivals, studies, .. } = self.evaluated;
        let count = hand.ids.len();
        decided.days.clear();
        if rivals.iter().any(|own| !own.is_empty()) {
            decided.days.resize(lists.len() * count, NEVER);
            for (run, list) in runs.iter().enumerate().filter_map(|(at, run)| Some((at, run.role.list()?))) {
                for (row, customer) in hand.rows(runs, run) {
                    let own = &mut decided.days[list * count + customer];
                    *own = (*own).min(runs[run].table.assigned_on[row]);
                }
            }
        }
        decided.stays.resize_with(lists.len(), Vec::new);
        for (study, of_study) in studies.iter().enumerate() {
            for (run, list) in counting(runs, study) {
                // On the same day the strategy that comes first in the job is first.
                decided.sooner.clear();
                decided.sooner.resize(count, NEVER);
                decided.later.clone_from(&decided.sooner);
                for (rival, other) in &rivals[list] {
                    let first = if *rival < study { &mut decided.sooner } else { &mut decided.later };
                    let others = &decided.days[other * count..][..count];
                    first.iter_mut().zip(others).for_each(|(first, other)| *first = (*first).min(*other));
                }
                let mut overlapping = 0;
                let stays = |(row, customer): (usize, usize)| {
                    let (day, sooner, later) =
                        (runs[run].table.assigned_on[row], decided.sooner[customer], decided.later[customer]);
                    let any = sooner != NEVER || later != NEVER;
                    overlapping += u64::from(any);
                    match of_study.strategy.overlap {
                        Overlap::Keep => true,
                        Overlap::Exclude => !any,
                        Overlap::First => day < sooner && day <= later,
                    }
                };
                decided.stays[list].clear();
                decided.stays[list].extend(hand.rows(runs, run).map(stays));
                tally.accounts[list].overlapping += overlapping;
            }
        }
    }

    /// Finds who an earlier assignment of the strategy treated inside the list's baseline.
    fn touched(&self, runs: &[Run<'a>], hand: &Hand<'a>, own: usize, list: usize, decided: &mut Decided) {
        let rows = hand.rows(runs, own);
        decided.touched.clear();
        decided.touched.resize(rows.len(), false);
        let Some(baseline) = self.evaluated.lists[list].baseline else { return };
        let (study, table) = (runs[own].study, runs[own].table);
        let control = self.evaluated.studies[study].control;
        let may_touch = |run: &Run<'_>| {
            run.study == study && run.role != runs[own].role && run.first < baseline.end && run.last >= baseline.start
        };
        let others: Vec<usize> = (0..runs.len()).filter(|run| may_touch(&runs[*run])).collect();
        if others.is_empty() {
            return;
        }
        decided.rows.clear();
        decided.rows.resize(hand.ids.len(), None);
        let mut days = Vec::with_capacity(rows.len());
        for (at, (row, customer)) in rows.enumerate() {
            decided.rows[customer] = Some(at as u32);
            days.push(table.assigned_on[row]);
        }
        for run in others {
            for (row, customer) in hand.rows(runs, run) {
                let (day, arm) = (table.assigned_on[row], table.arm[row]);
                let treats = Some(arm) != control && day < baseline.end && runs[run].until(self.evaluated, row) >= baseline.start;
                if let Some(at) = decided.rows[customer].map(|at| at as usize).filter(|_| treats) {
                    decided.touched[at] |= day < days[at];
                }
            }
        }
    }

    /// Everybody whom the orders knew before the baseline, beside strategies without a control.
    fn reference(&self, tally: &mut Tally) -> Result<()> {
        let (mut timeline, mut windows) = (Timeline::default(), Windows::default());
        for (number, list) in self.evaluated.lists.iter().enumerate() {
            let study = &self.evaluated.studies[list.study];
            let (Some(baseline), Some((placebo, earlier)), true) = (list.baseline, list.placebo, list.placebo_is_known) else {
                continue;
            };
            if study.strategy.design != Design::BeforeAfter {
                continue;
            }
            let places = self.roster.slices.iter().find(|(n, _)| *n == study.slice).map_or(0..0, |(_, range)| range.clone());
            let outcomes = study.outcomes.iter().filter(|o| o.outcome.is_described());
            let mut columns: Vec<Vec<Mean>> = outcomes.map(|_| Vec::new()).collect();
            let periods = [baseline, placebo, earlier];
            let days = Days::new(periods.iter().flat_map(|period| [period.start.0, period.end.0]).collect());
            let mut known = places.filter_map(|place| {
                let (panel, customer) = panel_of(self.panels, self.roster.seats[place]);
                let history = panel.histories.as_ref()?.of(customer);
                history.first_purchase().is_some_and(|first| first < baseline.start.0).then_some(history)
            });
            loop {
                let at_hand: Vec<History<'_>> = known.by_ref().take(AT_HAND).collect();
                if at_hand.is_empty() {
                    break;
                }
                timeline.fill(&days, at_hand.len(), at_hand.iter().copied().enumerate());
                let stretches = [&mut windows.baseline, &mut windows.placebo, &mut windows.earlier];
                for (stretch, period) in stretches.into_iter().zip(periods) {
                    let rows = [days.row(period.start.0), days.row(period.end.0.max(period.start.0))];
                    stretch.fill(&timeline, (0..at_hand.len() as u32).map(|column| rows.map(|row| timeline.cell(row, column))));
                }
                values::reference(study, &windows, at_hand.len(), &mut columns).map_err(|lack| explain(study, lack))?;
            }
            for column in &columns {
                tally.squares[number] = tally.squares[number].saturating_add(squares(column.as_flattened()));
            }
            let columns: Vec<Column> = columns.into_iter().map(Column::Means).collect();
            let customers = columns.first().map_or(0, |column| column.numbers().len() / 2);
            let (all, mut sums) = (&mut tally.reference[number], Vec::new());
            all.count(std::iter::repeat_n(0u64, customers), &mut sums);
            all.observe(&sums, &Active::of(&columns, customers).members, &columns);
        }
        Ok(())
    }
}

impl Decided {
    /// The members of a list: whose rows stay. Who is left out, or not known, goes into the account.
    fn members(
        &self,
        list: usize,
        rows: impl Iterator<Item = (usize, usize)>,
        places: &[Option<u32>],
        table: &Assignments,
        out: &mut Vec<Member>,
        account: &mut Account,
    ) {
        out.clear();
        for ((row, customer), (stays, touched)) in rows.zip(self.stays[list].iter().zip(&self.touched)) {
            if *stays {
                let (place, recurs) = (places[customer], self.counts[customer] > 1);
                account.unknown += u64::from(place.is_none());
                let (column, customer) = (self.columns[customer], customer as u32);
                out.push(Member { customer, row: row as u32, column, place, recurs, touched: *touched });
            } else {
                account.left_out[usize::from(table.arm[row])] += 1;
            }
        }
    }

    /// Counts in how many lists of a strategy the customers at hand count; `own` are its runs of rows that count.
    fn count(&mut self, runs: &[Run<'_>], hand: &Hand<'_>, own: &[(usize, usize)]) {
        self.counts.clear();
        self.counts.resize(hand.ids.len(), 0);
        for (run, list) in own {
            for ((_, customer), stays) in hand.rows(runs, *run).zip(&self.stays[*list]) {
                self.counts[customer] += u32::from(*stays);
            }
        }
        self.customers = 0;
        self.columns.clear();
        self.columns.extend(self.counts.iter().map(|count| {
            let column = if *count == 0 { NOWHERE } else { self.customers as u32 };
            self.customers += usize::from(*count > 0);
            column
        }));
    }
}

/// The runs of a strategy whose rows count, each with its list.
fn counting(runs: &[Run<'_>], study: usize) -> impl Iterator<Item = (usize, usize)> {
    runs.iter().enumerate().filter_map(move |(at, run)| match run.role {
        Role::Counts(list) if run.study == study => Some((at, list)),
        _ => None,
    })
}

/// The days that matter to a strategy.
fn days(runs: &[Run<'_>], study: usize, views: &[View<'_>]) -> Days {
    let mut days = Vec::new();
    for (run, list) in counting(runs, study) {
        views[list].days(runs[run].days(), &mut days);
    }
    Days::new(days)
}

/// The customers of a slice whose orders are in the part.
struct Slice<'a> {
    number: u32,
    /// The first place that no customer has passed, and where places end.
    next: (usize, usize),
    /// By customer at hand: their place, and their orders.
    places: Vec<Option<u32>>,
    histories: Vec<Option<History<'a>>>,
    panels: &'a [BucketPanel],
    roster: &'a Roster,
}

impl Slice<'_> {
    /// Finds the next customers, who ascend.
    fn find(&mut self, ids: &[Id<'_>]) {
        let (mut place, end) = self.next;
        let seat = |place: usize| panel_of(self.panels, self.roster.seats[place]);
        let id = |place: usize| {
            let (panel, customer) = seat(place);
            Id::of(&panel.ids, customer)
        };
        self.places.clear();
        self.histories.clear();
        for own in ids {
            while place < end && id(place) < *own {
                place += 1;
            }
            let is_known = place < end && id(place) == *own;
            let history = || {
                let (panel, customer) = seat(place);
                Some(panel.histories.as_ref()?.of(customer))
            };
            self.places.push(is_known.then_some(place as u32));
            self.histories.push(if is_known { history() } else { None });
        }
        self.next.0 = place;
    }
}
