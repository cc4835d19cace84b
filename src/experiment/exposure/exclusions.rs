//! How many customers of a period do not count, have no orders, or are treated by other strategies, too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evaluate::lie_whole;

/// Customers of a period by what is special about them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExclusionCounts {
    /// Customers without orders, who count with outcomes of 0.
    pub unmatched: u64,
    /// Customers whom another strategy treats at the same time.
    pub overlapping: u64,
    /// Customers whom the overlap policy excludes, by arm.
    pub excluded_by_arm: Vec<u64>,
    /// Customers whom it retains, by arm.
    pub retained_by_arm: Vec<u64>,
    /// Those of them whom another strategy treats at the same time, by strategy and arm: since the day of the assignment or before,
    /// and since a day after it.
    elsewhere: Vec<[u64; 2]>,
    /// By dimension of the customers table that is looked at.
    dimensions: Vec<WholeValues>,
}

/// More values than these are not what anybody drew.
const MOST_VALUES: usize = 1_000;

/// The arm and the customers of every value of a dimension; none once a value has customers in several arms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct WholeValues(Option<BTreeMap<u32, (u16, u64)>>);

impl WholeValues {
    fn add(&mut self, value: u32, (arm, n): (u16, u64)) {
        let Some(values) = &mut self.0 else { return };
        let (of, all) = values.entry(value).or_insert((arm, 0));
        *all += n;
        if *of != arm || values.len() > MOST_VALUES {
            self.0 = None;
        }
    }
}

impl ExclusionCounts {
    /// Zero counts for a strategy with this number of arms, in a job with this number of strategies.
    pub fn new(arms: usize, strategies: usize) -> ExclusionCounts {
        ExclusionCounts {
            excluded_by_arm: vec![0; arms],
            retained_by_arm: vec![0; arms],
            elsewhere: vec![[0; 2]; arms * strategies],
            ..ExclusionCounts::default()
        }
    }

    /// The same with counts of the values of these many dimensions.
    pub fn with_dimensions(self, dimensions: usize) -> ExclusionCounts {
        ExclusionCounts { dimensions: vec![WholeValues(Some(BTreeMap::new())); dimensions], ..self }
    }

    /// Counts customers of arms by their values of every dimension; `value` is that of a dimension and a customer's index.
    pub fn add_values(&mut self, arms: &[u16], indices: &[u32], value: impl Fn(usize, u32) -> Option<u32>) {
        for (dimension, values) in self.dimensions.iter_mut().enumerate().filter(|(_, values)| values.0.is_some()) {
            for (arm, index) in arms.iter().zip(indices) {
                if let Some(value) = value(dimension, *index) {
                    values.add(value, (*arm, 1));
                }
            }
        }
    }

    /// The numbers of the dimensions whose values lie wholly in one arm each, as if they had been drawn.
    pub fn whole_dimensions(&self) -> impl Iterator<Item = usize> {
        let is_whole = |values: &WholeValues| {
            values.0.as_ref().is_some_and(|values| lie_whole(&values.values().copied().collect::<Vec<_>>()))
        };
        self.dimensions.iter().enumerate().filter(move |(_, values)| is_whole(values)).map(|(number, _)| number)
    }

    /// Counts rows with these arms by whether they are retained; all are if `retained` is empty.
    pub fn add_rows(&mut self, arms: &[u16], retained: &[bool]) {
        for (row, arm) in arms.iter().enumerate() {
            let is_retained = retained.get(row).copied().unwrap_or(true);
            let counts = if is_retained { &mut self.retained_by_arm } else { &mut self.excluded_by_arm };
            counts[usize::from(*arm)] += 1;
        }
    }

    /// Counts the retained of rows with these arms whom another strategy treats, since the day of the assignment or before, or
    /// later; all are retained if `retained` is empty.
    pub fn add_elsewhere(&mut self, strategy: usize, arms: &[u16], since: impl Iterator<Item = [bool; 2]>, retained: &[bool]) {
        let number = self.retained_by_arm.len();
        let counts = &mut self.elsewhere[strategy * number..][..number];
        for (row, (arm, since)) in arms.iter().zip(since).enumerate() {
            if retained.get(row).copied().unwrap_or(true) {
                counts[usize::from(*arm)].iter_mut().zip(since).for_each(|(count, treats)| *count += u64::from(treats));
            }
        }
    }

    /// By strategy, where it treats anybody: the customers of every arm whom it treats since the day of the assignment or before, and
    /// later.
    pub fn elsewhere(&self) -> impl Iterator<Item = (usize, &[[u64; 2]])> {
        let strategies = self.elsewhere.chunks(self.retained_by_arm.len().max(1)).enumerate();
        strategies.filter(|(_, arms)| arms.iter().any(|counts| *counts != [0; 2]))
    }

    /// Adds the counts of another part.
    pub fn merge(&mut self, other: &ExclusionCounts) {
        let add = |all: &mut [u64], own: &[u64]| all.iter_mut().zip(own).for_each(|(all, own)| *all += own);
        self.unmatched += other.unmatched;
        self.overlapping += other.overlapping;
        add(&mut self.excluded_by_arm, &other.excluded_by_arm);
        add(&mut self.retained_by_arm, &other.retained_by_arm);
        for (all, own) in self.dimensions.iter_mut().zip(&other.dimensions) {
            match &own.0 {
                Some(values) => values.iter().for_each(|(value, counts)| all.add(*value, *counts)),
                None => all.0 = None,
            }
        }
        self.elsewhere.iter_mut().zip(&other.elsewhere).for_each(|(all, own)| add(all, own));
    }
}
