//! How many customers of a period do not count, or have no orders.

use serde::{Deserialize, Serialize};

/// Customers of a period by what is special about them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExclusionCounts {
    /// Customers without orders, who count with outcomes of 0.
    pub unmatched: u64,
    /// Customers who are in another strategy at the same time.
    pub overlapping: u64,
    /// Overlapping customers whom the overlap policy excludes, by arm.
    pub excluded_by_arm: Vec<u64>,
}

impl ExclusionCounts {
    /// Zero counts for a strategy with this number of arms.
    pub fn new(arms: usize) -> ExclusionCounts {
        ExclusionCounts { excluded_by_arm: vec![0; arms], ..ExclusionCounts::default() }
    }

    /// Counts the rows with these arms that are not retained; all are if `retained` is empty.
    pub fn add_excluded(&mut self, arms: &[u16], retained: &[bool]) {
        for (arm, _) in arms.iter().zip(retained).filter(|(_, retained)| !**retained) {
            self.excluded_by_arm[usize::from(*arm)] += 1;
        }
    }

    /// Adds the counts of another part.
    pub fn merge(&mut self, other: &ExclusionCounts) {
        self.unmatched += other.unmatched;
        self.overlapping += other.overlapping;
        for (all, excluded) in self.excluded_by_arm.iter_mut().zip(&other.excluded_by_arm) {
            *all += excluded;
        }
    }
}
