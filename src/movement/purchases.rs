//! Purchases of a part's customers by period, and the growth and cohort sums they add up to.

use super::cohort::{CohortSum, Cohorts};
use super::groups::CustomerGroups;
use super::growth::{Growth, GrowthStatus, GrowthSum};
use super::keys::{CohortKey, GrowthKey};
use super::part_activity::PartActivity;
use super::states::ABSENT;
use crate::domain::AsOf;

/// Purchases and money by customer, for the period that ends with the present date.
pub(super) struct PurchaseTracker {
    /// Intervals that are in `before` already.
    intervals: usize,
    /// The interval after the period, if the next one follows it: then what was done in it lies before that.
    followed: Option<usize>,
    /// Purchases before the period.
    before: Vec<u32>,
    /// Purchases in the period before this one.
    previous: Vec<u32>,
    /// Purchases in the period.
    period: Vec<u32>,
    /// Money of the period, minor units.
    revenue: Vec<i64>,
    /// Money before the period, minor units.
    revenue_before: Vec<i128>,
    cohorts: Cohorts,
}

impl PurchaseTracker {
    /// A tracker before the first date.
    pub(super) fn new(customers: usize) -> PurchaseTracker {
        PurchaseTracker {
            intervals: 0,
            followed: None,
            before: vec![0; customers],
            previous: vec![0; customers],
            period: vec![0; customers],
            revenue: vec![0; customers],
            revenue_before: vec![0; customers],
            cohorts: Cohorts::new(customers),
        }
    }

    /// Goes on to the period that ends on the next shown date. One that only serves comparison may be part of the next.
    pub(super) fn advance(&mut self, as_of: &AsOf, activity: &PartActivity<'_>) {
        if let Some(end) = self.followed.take() {
            for (before, period) in self.before.iter_mut().zip(&self.period) {
                *before = before.saturating_add(*period);
            }
            self.revenue_before.iter_mut().zip(&self.revenue).for_each(|(before, period)| *before += i128::from(*period));
            self.intervals = end;
        }
        let end = activity.interval_after(as_of.date);
        let start = as_of.period_start.map_or(end, |start| activity.interval_after(start.previous())).max(self.intervals);
        activity.in_intervals(self.intervals..start).for_each(|(customer, flow)| {
            self.before[customer] = self.before[customer].saturating_add(flow.purchases);
            self.revenue_before[customer] += i128::from(flow.money);
        });
        self.intervals = start;
        self.period.fill(0);
        self.revenue.fill(0);
        self.previous.fill(0);
        activity.in_intervals(start..end).for_each(|(customer, flow)| {
            self.period[customer] = self.period[customer].saturating_add(flow.purchases);
            self.revenue[customer] = self.revenue[customer].saturating_add(flow.money);
        });
        if let Some((first, last)) = as_of.previous {
            activity.between(first.previous(), last).for_each(|(customer, flow)| {
                self.previous[customer] = self.previous[customer].saturating_add(flow.purchases);
            });
        }
        self.followed = as_of.is_followed().then_some(end);
    }

    /// Adds the growth sums of a date: of all customers, and by the states of the earlier date per scheme.
    pub(super) fn add_growth(
        &self,
        date: usize,
        groups: &CustomerGroups,
        state_counts: &[usize],
        earlier: &[Vec<u16>],
        sums: &mut Vec<(GrowthKey, GrowthSum)>,
    ) {
        let status = |customer| GrowthStatus::of(self.before[customer], self.previous[customer], self.period[customer]);
        let statuses: Vec<Option<GrowthStatus>> = (0..groups.len()).map(status).collect();
        for (slice, customers) in &groups.slices {
            let (statuses, revenue) = (&statuses[customers.clone()], &self.revenue[customers.clone()]);
            let growth = |count, states: &[u16]| Growth::of(count, states, statuses, revenue);
            let schemes = earlier.iter().zip(state_counts);
            let by_scheme: Vec<Growth> = schemes.map(|(states, count)| growth(*count, &states[customers.clone()])).collect();
            let all = by_scheme.first().map_or_else(|| growth(1, &vec![ABSENT; customers.len()]).total(), Growth::total);
            sums.extend(all.map(|sum| ([date as u32, *slice, 0, 0], sum)));
            for (scheme, growth) in (1..).zip(&by_scheme) {
                sums.extend(growth.states().map(|(state, sum)| ([date as u32, *slice, scheme, state], sum)));
            }
        }
    }

    /// Adds the cohort sums of a date: of all customers of a slice, of those who share a value of some dimensions, and of those
    /// whose first purchases are alike.
    pub(super) fn add_cohorts(
        &mut self,
        date: usize,
        groups: &CustomerGroups,
        dimensions: &[usize],
        sums: &mut Vec<(CohortKey, CohortSum)>,
    ) {
        for (slice, customers) in &groups.slices {
            let by_cohort = self.cohort_sums(date, customers.clone());
            sums.extend(by_cohort.into_iter().map(|(cohort, sum)| ([date as u32, *slice, 0, 0, cohort], sum)));
        }
        let is_wanted = |number: u32| dimensions.iter().any(|dimension| *dimension as u32 + 1 == number);
        let of_dimensions = groups.by_dimension().filter(|group| is_wanted(group.dimension));
        for group in of_dimensions.chain(groups.by_first_purchase()) {
            let by_cohort = self.cohort_sums(date, group.customers.iter().map(|customer| *customer as usize));
            let key = |cohort| [date as u32, group.slice, group.dimension, group.value, cohort];
            sums.extend(by_cohort.into_iter().map(|(cohort, sum)| (key(cohort), sum)));
        }
    }

    /// The sums of some customers by their cohorts, in order; customers join one with their first purchase.
    fn cohort_sums(&mut self, date: usize, customers: impl Iterator<Item = usize>) -> Vec<(u32, CohortSum)> {
        let mut by_cohort = vec![CohortSum::default(); Cohorts::number(date) as usize + 1];
        for customer in customers {
            let (before, period) = (self.before[customer], self.period[customer]);
            let Some(cohort) = self.cohorts.join(customer, date, before, period) else { continue };
            by_cohort[cohort as usize].merge(&CohortSum {
                customers: 1,
                active: i64::from(period > 0),
                repeat: i64::from(before.saturating_add(period) >= 2),
                orders: i64::from(period),
                revenue: i128::from(self.revenue[customer]),
                revenue_to_date: self.revenue_before[customer] + i128::from(self.revenue[customer]),
            });
        }
        (0u32..).zip(by_cohort).filter(|(_, sum)| sum.customers > 0).collect()
    }
}
