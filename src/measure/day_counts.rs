//! How many customers have a day in common.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::Day;

/// The days that nearly all data lie in: from 1900 to 2199.
const USUAL: std::ops::Range<i32> = -25_567..84_006;

/// Customers by day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCounts {
    /// Of the usual days; empty until there is one.
    usual: Vec<u64>,
    others: BTreeMap<i32, u64>,
}

impl DayCounts {
    /// Adds a customer.
    #[inline]
    pub fn add(&mut self, day: i32) {
        if !USUAL.contains(&day) {
            *self.others.entry(day).or_default() += 1;
            return;
        }
        if self.usual.is_empty() {
            self.usual = vec![0; USUAL.len()];
        }
        if let Some(customers) = self.usual.get_mut((day - USUAL.start) as usize) {
            *customers += 1;
        }
    }

    /// Adds other customers.
    pub fn merge(&mut self, other: &DayCounts) {
        if self.usual.is_empty() {
            self.usual.clone_from(&other.usual);
        } else {
            self.usual.iter_mut().zip(&other.usual).for_each(|(sum, customers)| *sum += customers);
        }
        for (day, customers) in &other.others {
            *self.others.entry(*day).or_default() += customers;
        }
    }

    /// The days with their customers, ascending.
    pub fn days(&self) -> impl Iterator<Item = (Day, u64)> + '_ {
        let others = |range| self.others.range(range).map(|(day, customers)| (Day(*day), *customers));
        let usual = self.usual.iter().zip(USUAL).filter(|(customers, _)| **customers > 0);
        let usual = usual.map(|(customers, day)| (Day(day), *customers));
        others(i32::MIN..USUAL.start).chain(usual).chain(others(USUAL.end..i32::MAX))
    }

    /// The day of the customer in the middle, the earlier one of two; `None` without customers.
    pub fn median(&self) -> Option<Day> {
        let half = self.days().map(|(_, customers)| customers).sum::<u64>().div_ceil(2);
        let mut before = 0;
        let middle = self.days().find(|(_, customers)| {
            before += customers;
            before >= half
        });
        middle.map(|(day, _)| day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_a_day_of_a_customer() {
        let mut days = DayCounts::default();
        assert_eq!(days.median(), None);
        [9, -700_000, 90_000, 9, 3].into_iter().for_each(|day| days.add(day));
        let mut other = DayCounts::default();
        other.merge(&days);
        assert_eq!((days.median(), other.clone()), (Some(Day(9)), days.clone()));
        other.merge(&days);
        let all: Vec<(i32, u64)> = other.days().map(|(day, customers)| (day.0, customers)).collect();
        assert_eq!(all, [(-700_000, 2), (3, 2), (9, 4), (90_000, 2)]);
    }
}
