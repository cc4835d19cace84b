//! The sums that movement adds up to, with their keys.

use serde::{Deserialize, Serialize};

use super::cohort::CohortSum;
use super::growth::GrowthSum;
use super::transition_matrix::TransitionSum;

/// Numbers of date, slice, dimension, value of the dimension, scheme, earlier date, from-state and to-state.
pub type TransitionKey = [u32; 8];
/// Numbers of date, slice, scheme (0 stands for all customers, else one more than its index) and earlier state.
pub type GrowthKey = [u32; 4];
/// Numbers of date, slice, dimension (0 stands for all customers), value of the dimension, and cohort.
pub type CohortKey = [u32; 5];

/// Sums of how customers moved. Sums of several parts add up to those of all customers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct MovementSums {
    /// Per step from state to state.
    pub transitions: Vec<(TransitionKey, TransitionSum)>,
    /// By earlier state.
    pub growth: Vec<(GrowthKey, GrowthSum)>,
    /// Per cohort and period.
    pub cohorts: Vec<(CohortKey, CohortSum)>,
}

impl MovementSums {
    /// Appends the sums of other customers; [`Self::sum_equal_keys`] adds up those of equal keys.
    pub fn append(&mut self, other: MovementSums) {
        append(&mut self.transitions, other.transitions);
        append(&mut self.growth, other.growth);
        append(&mut self.cohorts, other.cohorts);
    }

    /// Adds up sums of equal keys and sorts by key.
    pub fn sum_equal_keys(&mut self) {
        sum_equal_keys(&mut self.transitions, TransitionSum::merge);
        sum_equal_keys(&mut self.growth, GrowthSum::merge);
        sum_equal_keys(&mut self.cohorts, CohortSum::merge);
    }

    /// Sums in all lists.
    pub fn len(&self) -> usize {
        self.transitions.len() + self.growth.len() + self.cohorts.len()
    }
}

/// Appends sums, with no more room for others: there may be millions.
pub fn append<K, S>(sums: &mut Vec<(K, S)>, more: Vec<(K, S)>) {
    if sums.is_empty() {
        *sums = more;
    } else {
        sums.reserve_exact(more.len());
        sums.extend(more);
    }
}

/// Adds up sums of equal keys and sorts by key.
pub fn sum_equal_keys<K: Ord, S>(sums: &mut Vec<(K, S)>, merge: impl Fn(&mut S, &S)) {
    sums.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    sums.dedup_by(|later, earlier| {
        let is_same = later.0 == earlier.0;
        if is_same {
            merge(&mut earlier.1, &later.1);
        }
        is_same
    });
}
