//! How many customers of a period do not count, have no orders, or are treated by other strategies, too.

use serde::{Deserialize, Serialize};

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
        self.elsewhere.iter_mut().zip(&other.elsewhere).for_each(|(all, own)| add(all, own));
    }
}
