//! Follows the states and purchases of a part's customers from date to date.

use super::groups::CustomerGroups;
use super::keys::MovementSums;
use super::part_activity::PartActivity;
use super::purchases::PurchaseTracker;
use super::state_history::{StateHistory, StateSpell};
use super::states::sort_by_customer;
use super::transition_matrix::TransitionMatrix;
use crate::domain::{AsOf, Day};
use crate::job::Job;
use crate::job::raw::TableName;

/// What of movement a run needs.
#[derive(Debug, Clone)]
pub struct MovementPlan<'a> {
    /// Dates, the earlier dates that each is compared with, and the tables to write.
    pub job: &'a Job,
    /// The last days of the intervals whose purchases and money are known, ascending.
    pub interval_ends: &'a [Day],
    /// How many states every scheme has.
    pub state_counts: Vec<usize>,
    /// Whether a table shows since when a state holds.
    pub shows_since: bool,
}

/// The states of a part's customers at the dates so far, and the sums of how they moved.
pub struct MovementTracker<'a> {
    plan: &'a MovementPlan<'a>,
    groups: &'a CustomerGroups,
    activity: PartActivity<'a>,
    /// By date: states by scheme and customer, while a later date is still compared with it.
    states: Vec<Option<Vec<Vec<u16>>>>,
    /// By date: the last date that is compared with it.
    last_use: Vec<usize>,
    /// Per scheme, over the dates from which states are followed; empty if no table needs it.
    histories: Vec<StateHistory>,
    /// Per scheme, over the dates that those are compared with as well; `None` if there are no others.
    compared_histories: Option<Vec<StateHistory>>,
    /// Which dates are followed, or compared with one that is.
    is_compared: Vec<bool>,
    purchases: Option<PurchaseTracker>,
    sums: MovementSums,
}

impl<'a> MovementTracker<'a> {
    /// A tracker before the first date.
    pub fn new(plan: &'a MovementPlan<'a>, groups: &'a CustomerGroups, activity: PartActivity<'a>) -> MovementTracker<'a> {
        let job = plan.job;
        let mut last_use: Vec<usize> = (0..job.dates.len()).collect();
        for date in 0..job.dates.len() {
            for origin in job.origins[date].iter().copied().chain(job.followed_before(date)) {
                last_use[origin] = date;
            }
        }
        let mut is_compared: Vec<bool> = job.dates.iter().map(AsOf::is_followed).collect();
        for origin in job.origins.iter().flatten() {
            is_compared[*origin] = true;
        }
        let compares_hidden = job.dates.iter().zip(&is_compared).any(|(date, is_compared)| *is_compared && !date.is_followed());
        let writes_history = job.writes(TableName::StateHistory);
        let schemes = if writes_history || plan.shows_since { plan.state_counts.len() } else { 0 };
        let customers = groups.len();
        MovementTracker {
            plan,
            groups,
            activity,
            states: vec![None; job.dates.len()],
            last_use,
            histories: vec![StateHistory::new(customers, writes_history); schemes],
            compared_histories: compares_hidden.then(|| vec![StateHistory::new(customers, false); schemes]),
            is_compared,
            purchases: (job.writes(TableName::Growth) || job.writes(TableName::Cohorts)).then(|| PurchaseTracker::new(customers)),
            sums: MovementSums::default(),
        }
    }

    /// Takes the states at the next date, by scheme and customer ([`ABSENT`](super::ABSENT) if not listed), and adds up what moved since
    /// earlier ones.
    pub fn advance(&mut self, date: usize, states: Vec<Vec<u16>>) {
        let MovementPlan { job, state_counts, .. } = self.plan;
        let as_of = &job.dates[date];
        let compared = self.compared_histories.iter_mut().filter(|_| self.is_compared[date]);
        for histories in compared.chain(as_of.is_followed().then_some(&mut self.histories)) {
            for (history, states) in histories.iter_mut().zip(&states) {
                history.advance(as_of.date, states);
            }
        }
        self.states[date] = Some(states);
        if job.writes(TableName::Transitions) {
            for &origin in &job.origins[date] {
                self.add_transitions(origin, date);
            }
        }
        if let Some(purchases) = self.purchases.as_mut().filter(|_| as_of.is_shown()) {
            purchases.advance(as_of, &self.activity);
            if job.writes(TableName::Growth) && as_of.previous.is_some() {
                let earlier = job.followed_before(date).and_then(|origin| self.states[origin].as_deref());
                purchases.add_growth(date, self.groups, state_counts, earlier.unwrap_or_default(), &mut self.sums.growth);
            }
            if job.writes(TableName::Cohorts) && as_of.is_followed() && as_of.period_start.is_some() {
                purchases.add_cohorts(date, self.groups, &job.cohorts_by.dimensions, &mut self.sums.cohorts);
            }
        }
        for (states, last) in self.states.iter_mut().zip(&self.last_use) {
            if *last < date {
                *states = None;
            }
        }
    }

    /// The states of a date by scheme and customer; empty once no later date is compared with it.
    pub fn states_at(&self, date: usize) -> &[Vec<u16>] {
        self.states.get(date).and_then(Option::as_deref).unwrap_or_default()
    }

    /// The states in a scheme at the nearest earlier date that `date` is compared with, by customer; `None` without one.
    pub fn previous_states(&self, date: usize, scheme: usize) -> Option<&[u16]> {
        let origin = self.plan.job.origins[date].last()?;
        self.states_at(*origin).get(scheme).map(Vec::as_slice)
    }

    /// The first date, compared ones included, in the unbroken run of a customer's state.
    pub fn since(&self, scheme: usize, customer: u32) -> Day {
        self.compared_histories.as_ref().unwrap_or(&self.histories)[scheme].since(customer as usize)
    }

    /// The sums of all dates, and the spells of every customer with their schemes, by customer, scheme and date.
    pub fn finish(self) -> (MovementSums, Vec<(u32, StateSpell)>) {
        let mut spells: Vec<(u32, StateSpell)> = Vec::new();
        if self.plan.job.writes(TableName::StateHistory) {
            for (history, scheme) in self.histories.into_iter().zip(0u32..) {
                spells.extend(history.finish().into_iter().map(|spell| (scheme, spell)));
            }
        }
        (self.sums, sort_by_customer(&spells, self.groups.len(), |(_, spell)| spell.customer))
    }

    /// Adds up the steps from the states at `origin` to those at `date`, with the money in between.
    fn add_transitions(&mut self, origin: usize, date: usize) {
        let MovementPlan { job, state_counts, .. } = self.plan;
        let (groups, activity) = (self.groups, self.activity);
        let between = || activity.between(job.dates[origin].date, job.dates[date].date);
        // One slice takes its money as it comes; a matrix for each of many slices would take more than all money.
        let by_customer = groups.has_dimensions() || groups.slices.len() > 1;
        let mut money_by_customer = vec![0i128; if by_customer { groups.len() } else { 0 }];
        if by_customer {
            between().for_each(|(customer, flow)| money_by_customer[customer] += i128::from(flow.money));
        }
        let sums = &mut self.sums.transitions;
        let mut add =
            |slice: u32, dimension: u32, value: u32, scheme: usize, matrix: &TransitionMatrix| {
                sums.extend(matrix.cells().map(|(from, to, sum)| {
                    ([date as u32, slice, dimension, value, scheme as u32, origin as u32, from, to], sum)
                }));
            };
        let (earlier, later) = (self.states[origin].as_deref(), self.states[date].as_deref());
        let schemes = earlier.unwrap_or_default().iter().zip(later.unwrap_or_default()).zip(state_counts);
        for (scheme, ((from, to), states)) in schemes.enumerate() {
            for (slice, customers) in &groups.slices {
                let mut matrix = TransitionMatrix::new(*states);
                matrix.count_all(&from[customers.clone()], &to[customers.clone()]);
                if by_customer {
                    let moved = from[customers.clone()].iter().zip(&to[customers.clone()]);
                    let money = &money_by_customer[customers.clone()];
                    moved.zip(money).for_each(|((from, to), money)| matrix.add_revenue(*from, *to, *money));
                } else {
                    between().for_each(|(customer, flow)| {
                        matrix.add_revenue(from[customer], to[customer], i128::from(flow.money));
                    });
                }
                add(*slice, 0, 0, scheme, &matrix);
            }
            for group in groups.by_dimension() {
                let mut matrix = TransitionMatrix::new(*states);
                for customer in group.customers.iter().map(|customer| *customer as usize) {
                    matrix.count(from[customer], to[customer]);
                    matrix.add_revenue(from[customer], to[customer], money_by_customer[customer]);
                }
                add(group.slice, group.dimension, group.value, scheme, &matrix);
            }
        }
    }
}
