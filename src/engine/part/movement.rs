//! MovementTracker of a part's customers from date to date.

use arrow::array::Array;

use super::customers::PartCustomers;
use super::rows::CustomerRows;
use super::{CohortKey, GrowthKey, PartContext, PartOutput};
use crate::activity::{IntervalActivities, IntervalActivity};
use crate::domain::Day;
use crate::job::Job;
use crate::job::raw::{Method, TableName};
use crate::measure::BucketPanel;
use crate::movement::{
    ABSENT, CohortSum, Cohorts, Growth, GrowthStatus, StateHistory, StateSpell, TransitionMatrix, sort_by_customer,
};
use crate::plan::OutputColumn;

/// A mover: place, scheme, earlier date, from-state, to-state, and whether behaviour is the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mover {
    pub place: u32,
    pub scheme: u32,
    pub from_date: u32,
    pub from: u16,
    pub to: u16,
    /// `None` where scores have no cut points to compare with.
    pub behaviour: Option<bool>,
}

/// What is remembered of the dates so far.
pub struct MovementTracker<'a> {
    panels: &'a [BucketPanel],
    customers: &'a PartCustomers,
    /// States by scheme and place, of the dates that later ones are still compared with.
    states: Vec<Option<Vec<Vec<u16>>>>,
    /// The last date that looks at each date.
    last_use: Vec<usize>,
    /// Per scheme: over the as-of dates. None if nobody asks since when.
    histories: Vec<StateHistory>,
    /// Per scheme: over the dates that these are compared with, too; `None` if there are no others.
    runs: Option<Vec<StateHistory>>,
    /// Which dates are as-of dates, or compared with one.
    counted: Vec<bool>,
    counts: bool,
    activity: Option<Purchases>,
}

/// Purchases and money by place, for growth and cohorts.
struct Purchases {
    /// Tiles that are in `before` already.
    tiles: usize,
    /// Purchases before the period.
    before: Vec<u32>,
    /// Purchases in the period before.
    previous: Vec<u32>,
    /// Purchases in the period.
    period: Vec<u32>,
    /// Money of the period.
    money: Vec<i64>,
    /// Money up to the date.
    life: Vec<i128>,
    cohorts: Cohorts,
}

impl<'a> MovementTracker<'a> {
    pub fn new(context: &PartContext<'_>, panels: &'a [BucketPanel], customers: &'a PartCustomers) -> MovementTracker<'a> {
        let job = context.job;
        let n = customers.len();
        let mut last_use: Vec<usize> = (0..job.dates.len()).collect();
        for date in 0..job.dates.len() {
            for origin in job.origins[date].iter().copied().chain(job.shown_before(date)) {
                last_use[origin] = date;
            }
        }
        let mut counted: Vec<bool> = job.dates.iter().map(|d| d.shown).collect();
        for origin in job.origins.iter().flatten() {
            counted[*origin] = true;
        }
        let compares = job.dates.iter().zip(&counted).any(|(date, counted)| *counted && !date.shown);
        let keep = job.writes(TableName::StateHistory);
        let since = context.plan.columns.iter().any(|(_, column)| matches!(column, OutputColumn::Since(_)));
        let schemes = if keep || since || context.plan.crm.is_some() { context.states.len() } else { 0 };
        let activity = (job.writes(TableName::Growth) || job.writes(TableName::Cohorts)).then(|| Purchases {
            tiles: 0,
            before: vec![0; n],
            previous: vec![0; n],
            period: vec![0; n],
            money: vec![0; n],
            life: vec![0; n],
            cohorts: Cohorts::new(n),
        });
        MovementTracker {
            panels,
            customers,
            states: vec![None; job.dates.len()],
            last_use,
            histories: vec![StateHistory::new(n, keep); schemes],
            runs: compares.then(|| vec![StateHistory::new(n, false); schemes]),
            counted,
            counts: job.writes(TableName::Transitions),
            activity,
        }
    }

    /// Takes the states at a date and adds what moved since earlier ones.
    pub fn advance(
        &mut self,
        context: &PartContext<'_>,
        date: usize,
        rows: &CustomerRows,
        states: &[Vec<u16>],
        part: &mut PartOutput,
    ) {
        let job = context.job;
        let sort_by_customer: Vec<Vec<u16>> = states
            .iter()
            .map(|of_scheme| {
                let mut sort_by_customer = vec![ABSENT; self.customers.len()];
                for (place, state) in rows.customers.iter().zip(of_scheme) {
                    sort_by_customer[*place as usize] = *state;
                }
                sort_by_customer
            })
            .collect();
        let runs = self.runs.iter_mut().filter(|_| self.counted[date]);
        let of_date = runs.chain(job.dates[date].shown.then_some(&mut self.histories));
        for histories in of_date {
            for (history, states) in histories.iter_mut().zip(&sort_by_customer) {
                history.advance(job.dates[date].date, states);
            }
        }
        self.states[date] = Some(sort_by_customer);
        if self.counts {
            for &origin in &job.origins[date] {
                self.count_moves(context, origin, date, part);
            }
        }
        self.count_activity(context, date, part);
        for (of_date, last) in self.states.iter_mut().zip(&self.last_use) {
            if *last < date {
                *of_date = None;
            }
        }
    }

    /// The states of a date by scheme and place.
    fn at(&self, date: usize) -> &[Vec<u16>] {
        self.states.get(date).and_then(Option::as_deref).unwrap_or_default()
    }

    /// Per row the state at the nearest earlier date; [`ABSENT`] without.
    pub fn previous(&self, job: &Job, date: usize, scheme: usize, rows: &CustomerRows) -> Vec<u16> {
        let before = job.origins[date].last().and_then(|origin| self.at(*origin).get(scheme));
        match before {
            Some(states) => rows.customers.iter().map(|p| states[*p as usize]).collect(),
            None => vec![ABSENT; rows.len()],
        }
    }

    /// The first date in the unbroken run of a customer's state, dates of `compare` included.
    pub fn since(&self, scheme: usize, place: u32) -> Day {
        self.runs.as_ref().unwrap_or(&self.histories)[scheme].since(place as usize)
    }

    /// What a customer did in a stretch of tiles, as flows with their places.
    fn flows(&self, tiles: std::ops::Range<usize>) -> impl Iterator<Item = (usize, IntervalActivity)> {
        tiles.flat_map(move |tile| {
            let buckets = self.panels.iter().zip(&self.customers.indices);
            buckets.flat_map(move |(panel, places)| {
                let flows = panel.intervals.get(tile).into_iter().flat_map(IntervalActivities::iter);
                flows.map(move |flow| (places[flow.customer as usize] as usize, flow))
            })
        })
    }

    fn count_moves(&self, context: &PartContext<'_>, origin: usize, date: usize, part: &mut PartOutput) {
        let job = context.job;
        let tiles = &context.plan.fold.interval_ends;
        let after = |day: Day| tiles.partition_point(|t| *t <= day);
        let between = after(job.dates[origin].date)..after(job.dates[date].date);
        // By place, for the dimensions.
        let mut spent = vec![0i128; if self.customers.dimensions.is_empty() { 0 } else { self.customers.len() }];
        if !spent.is_empty() {
            self.flows(between.clone()).for_each(|(place, flow)| spent[place] += i128::from(flow.money));
        }
        for (scheme, (from, to)) in self.at(origin).iter().zip(self.at(date)).enumerate() {
            let mut matrices = vec![TransitionMatrix::new(context.states[scheme].len()); self.customers.slices.len()];
            for ((_, range), matrix) in self.customers.slices.iter().zip(&mut matrices) {
                matrix.count_all(&from[range.clone()], &to[range.clone()]);
            }
            self.flows(between.clone()).for_each(|(place, flow)| {
                matrices[self.customers.slice_of(place)].spend(from[place], to[place], i128::from(flow.money));
            });
            let mut add = |slice: u32, dimension: u32, value: u32, matrix: &TransitionMatrix| {
                part.moves.extend(matrix.cells().map(|(from, to, moved)| {
                    ([date as u32, origin as u32, slice, dimension, value, scheme as u32, from, to], moved)
                }));
            };
            for ((slice, _), matrix) in self.customers.slices.iter().zip(&matrices) {
                add(*slice, 0, 0, matrix);
            }
            for (grouping, dimension) in self.customers.dimensions.iter().zip(1..) {
                for (slice, value, range) in &grouping.groups {
                    let mut matrix = TransitionMatrix::new(context.states[scheme].len());
                    for place in grouping.places[range.clone()].iter().map(|p| *p as usize) {
                        matrix.count(from[place], to[place]);
                        matrix.spend(from[place], to[place], spent[place]);
                    }
                    add(*slice, dimension, *value, &matrix);
                }
            }
        }
    }

    fn count_activity(&mut self, context: &PartContext<'_>, date: usize, part: &mut PartOutput) {
        let Some(mut own) = self.activity.take() else { return };
        let as_of = &context.job.dates[date];
        if as_of.shown {
            let tiles = &context.plan.fold.interval_ends;
            let after = |day: Day| tiles.partition_point(|t| *t <= day);
            let end = after(as_of.date);
            let start = as_of.period_start.map_or(end, |start| after(start.previous()));
            self.flows(own.tiles..start).for_each(|(place, flow)| {
                own.before[place] = own.before[place].saturating_add(flow.purchases);
                own.life[place] += i128::from(flow.money);
            });
            own.period.fill(0);
            own.money.fill(0);
            own.previous.fill(0);
            self.flows(start..end).for_each(|(place, flow)| {
                own.period[place] = own.period[place].saturating_add(flow.purchases);
                own.money[place] = own.money[place].saturating_add(flow.money);
                own.life[place] += i128::from(flow.money);
            });
            if let Some((first, last)) = as_of.previous {
                self.flows(after(first.previous())..after(last)).for_each(|(place, flow)| {
                    own.previous[place] = own.previous[place].saturating_add(flow.purchases);
                });
            }
            if context.job.writes(TableName::Growth) && as_of.previous.is_some() {
                self.count_growth(context, date, &own, part);
            }
            if context.job.writes(TableName::Cohorts) && as_of.period_start.is_some() {
                self.count_cohorts(date, &mut own, part);
            }
            // What was the period is before the next one.
            for (before, period) in own.before.iter_mut().zip(&own.period) {
                *before = before.saturating_add(*period);
            }
            own.tiles = end;
        }
        self.activity = Some(own);
    }

    fn count_growth(&self, context: &PartContext<'_>, date: usize, own: &Purchases, part: &mut PartOutput) {
        let former = context.job.shown_before(date).map_or(&[][..], |origin| self.at(origin));
        let everybody = std::iter::once(None);
        for (scheme, states) in everybody.chain(former.iter().map(Some)).enumerate() {
            let names = scheme.checked_sub(1).map_or(1, |s| context.states[s].len());
            for (slice, range) in &self.customers.slices {
                let mut growth = Growth::new(names);
                for place in range.clone() {
                    if let Some(activity) = GrowthStatus::of(own.before[place], own.previous[place], own.period[place]) {
                        let state = states.map_or(0, |s| if s[place] == ABSENT { names - 1 } else { usize::from(s[place]) });
                        growth.count(state, activity, i128::from(own.money[place]));
                    }
                }
                for (state, sum) in growth.states.into_iter().enumerate().filter(|(_, s)| s.all() > 0) {
                    let key: GrowthKey = [date as u32, *slice, scheme as u32, state as u32];
                    part.growth.push((key, sum));
                }
            }
        }
    }

    fn count_cohorts(&self, date: usize, own: &mut Purchases, part: &mut PartOutput) {
        for (slice, range) in &self.customers.slices {
            let mut sums = vec![CohortSum::default(); Cohorts::number(date) as usize + 1];
            for place in range.clone() {
                let (before, period) = (own.before[place], own.period[place]);
                let Some(cohort) = own.cohorts.join(place, date, before, period) else { continue };
                let sum = &mut sums[cohort as usize];
                sum.customers += 1;
                sum.active += i64::from(period > 0);
                sum.repeat += i64::from(before.saturating_add(period) >= 2);
                sum.orders += i64::from(period);
                sum.revenue += i128::from(own.money[place]);
                sum.revenue_to_date += own.life[place];
            }
            for (cohort, sum) in sums.into_iter().enumerate().filter(|(_, s)| s.customers > 0) {
                let key: CohortKey = [date as u32, *slice, cohort as u32];
                part.cohorts.push((key, sum));
            }
        }
    }

    /// Who changed a state since an earlier date, and why; by place, scheme and earlier date.
    pub fn movers(&self, context: &PartContext<'_>, date: usize, rows: &CustomerRows, states: &[Vec<u16>]) -> Vec<Mover> {
        let job = context.job;
        let has_cuts = job.score.axes.iter().all(|a| a.method != Method::Ntile);
        let mut movers = Vec::new();
        for (scheme, now) in states.iter().enumerate() {
            for &origin in &job.origins[date] {
                let Some(before) = self.at(origin).get(scheme) else { continue };
                for (slice, range) in &rows.slices {
                    let by_scores = context.classifiers[scheme][*slice as usize].uses_scores();
                    for row in range.clone() {
                        let (place, to) = (rows.customers[row], now[row]);
                        let from = before[place as usize];
                        if from == to || from == ABSENT {
                            continue;
                        }
                        let behaviour = match (by_scores, has_cuts) {
                            (false, _) => Some(true),
                            (true, false) => None,
                            (true, true) => {
                                // Where nobody was scored at the earlier date, no cut point has moved since.
                                let earlier = &context.scoring[origin];
                                let had_cuts = earlier[*slice as usize].scored > 0;
                                Some(!had_cuts || context.state_under(scheme, rows, row, *slice, earlier) != from)
                            }
                        };
                        let (scheme, from_date) = (scheme as u32, origin as u32);
                        movers.push(Mover { place, scheme, from_date, from, to, behaviour });
                    }
                }
            }
        }
        sort_by_customer(&movers, self.customers.len(), |mover| mover.place)
    }

    /// The stays of all customers, with their schemes, by place, scheme and date.
    pub fn into_stays(self) -> Vec<(u32, StateSpell)> {
        let of_scheme = self.histories.into_iter().zip(0u32..);
        let stays: Vec<(u32, StateSpell)> =
            of_scheme.flat_map(|(h, scheme)| h.finish().into_iter().map(move |s| (scheme, s))).collect();
        sort_by_customer(&stays, self.customers.len(), |(_, stay)| stay.place)
    }
}
