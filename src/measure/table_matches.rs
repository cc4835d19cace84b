//! Which ids of another table have orders.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::domain::{CustomerId, CustomerIds};

/// Examples of ids on each side.
const EXAMPLES: usize = 3;

/// How the ids of another table and those of the orders meet. That of all buckets is the merge of theirs, in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableMatches {
    /// Ids of the table, each once.
    pub ids: u64,
    /// Those of them that have an order.
    pub met: u64,
    /// The first ids without an order.
    pub without_orders: Vec<CustomerId>,
    /// The first ids of orders that the table lacks.
    pub without_row: Vec<CustomerId>,
}

impl TableMatches {
    /// Of ascending ids of a table, and of the customers with orders, who ascend within each slice.
    pub(super) fn of(table: &CustomerIds, orders: &CustomerIds, is_new_slice: impl Fn(usize) -> bool) -> TableMatches {
        let mut met = vec![false; table.len()];
        let mut found = TableMatches { ids: table.len() as u64, ..TableMatches::default() };
        let mut at = 0;
        for customer in 0..orders.len() {
            if is_new_slice(customer) {
                at = 0;
            }
            while at < table.len() && table.compare_with(at, orders, customer) == Ordering::Less {
                at += 1;
            }
            if at < table.len() && table.compare_with(at, orders, customer) == Ordering::Equal {
                met[at] = true;
            } else if found.without_row.len() < EXAMPLES {
                found.without_row.push(CustomerId::of(orders, customer));
            }
        }
        found.met = met.iter().filter(|met| **met).count() as u64;
        let strangers = met.iter().enumerate().filter(|(_, met)| !**met).take(EXAMPLES);
        found.without_orders = strangers.map(|(at, _)| CustomerId::of(table, at)).collect();
        found
    }

    /// Adds those of other buckets.
    pub fn merge(&mut self, other: TableMatches) {
        self.ids += other.ids;
        self.met += other.met;
        for (ids, more) in [(&mut self.without_orders, other.without_orders), (&mut self.without_row, other.without_row)] {
            ids.extend(more);
            ids.sort_unstable();
            ids.dedup();
            ids.truncate(EXAMPLES);
        }
    }
}
