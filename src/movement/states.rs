//! States of a part's customers, by customer index.

use crate::domain::counting_sort;

/// The state of a customer who is not listed at a date.
pub const ABSENT: u16 = u16::MAX;

/// Puts the states of some customers, per scheme, where each customer has its index; the others of `count` are [`ABSENT`].
pub fn states_by_customer(count: usize, customers: &[u32], states: &[Vec<u16>]) -> Vec<Vec<u16>> {
    let mut by_scheme = Vec::with_capacity(states.len());
    for of_scheme in states {
        let mut by_customer = vec![ABSENT; count];
        for (customer, state) in customers.iter().zip(of_scheme) {
            by_customer[*customer as usize] = *state;
        }
        by_scheme.push(by_customer);
    }
    by_scheme
}

/// Sorts items by customer, of whom there are `customers`; items of one customer keep their order.
pub fn sort_by_customer<T: Copy>(items: &[T], customers: usize, customer: impl Fn(&T) -> u32) -> Vec<T> {
    let keys = || items.iter().map(|item| customer(item) as usize);
    counting_sort(customers, keys(), keys().zip(items.iter().copied())).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_by_customer_keeps_the_order_within_one() {
        let items: Vec<(u32, usize)> = (0..1000).map(|n| ((n as u32 * 7919) % 37, n)).collect();
        let mut sorted = items.clone();
        sorted.sort();
        assert_eq!(sort_by_customer(&items, 40, |item| item.0), sorted);
        assert!(sort_by_customer(&[] as &[u32], 3, |customer| *customer).is_empty());
    }
}
