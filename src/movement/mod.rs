//! How customers move: between states ([`TransitionMatrix`]), in and out of activity ([`Growth`]), by the period of their first
//! order ([`Cohorts`]), over time ([`StateHistory`]); and how unequal they are ([`Concentration`]).
//!
//! Everything here works on the customers of a part, each at a fixed place, date after date, and gives sums that add up
//! over parts.

mod cohort;
mod concentration;
mod growth;
mod state_history;
mod transition_matrix;

pub use cohort::{CohortSum, Cohorts};
pub use concentration::Concentration;
pub use growth::{Growth, GrowthStatus, GrowthSum};
pub use state_history::{StateHistory, StateSpell};
pub use transition_matrix::{TransitionMatrix, TransitionSum};

/// The state of who is not listed at a date.
pub const ABSENT: u16 = u16::MAX;

/// Sorts by place, and leaves those of one place in their order. Places are dense, so they are counted and not compared.
pub fn sort_by_customer<T: Copy>(items: &[T], places: usize, place: impl Fn(&T) -> u32) -> Vec<T> {
    let Some(&first) = items.first() else { return Vec::new() };
    let mut next = vec![0usize; places + 1];
    items.iter().for_each(|item| next[place(item) as usize + 1] += 1);
    for at in 1..next.len() {
        next[at] += next[at - 1];
    }
    let mut sorted = vec![first; items.len()];
    for item in items {
        let at = &mut next[place(item) as usize];
        sorted[*at] = *item;
        *at += 1;
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_by_place_keeps_the_order_within_one() {
        let items: Vec<(u32, usize)> = (0..1000).map(|n| ((n as u32 * 7919) % 37, n)).collect();
        let mut sorted = items.clone();
        sorted.sort();
        assert_eq!(sort_by_customer(&items, 40, |item| item.0), sorted);
        assert!(sort_by_customer(&[] as &[u32], 3, |place| *place).is_empty());
    }
}
