//! Orders that have rows without a customer: whether another row of theirs has one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::bucket::hash_key;

/// Key of an order: the low and the high half.
pub type OrderKey = (i64, i64);

/// Most rows that are looked at. Of more, those of a part of the orders are, which their keys choose.
const MAX_ROWS: usize = 1 << 18;

/// Rows without a customer, with the keys of their orders.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct CustomerlessRows {
    rows: Vec<(OrderKey, i64)>,
    /// One order of `2^halvings` is looked at.
    halvings: u32,
}

impl CustomerlessRows {
    /// Adds the marked rows of a batch, with the two halves of their keys and their amounts.
    pub fn add_batch(&mut self, marked: impl Iterator<Item = bool>, (low, high): (&[i64], &[i64]), amounts: &[i64]) {
        for (row, _) in marked.enumerate().filter(|(_, marked)| *marked) {
            let key = (low[row], high[row]);
            if is_chosen(key, self.halvings) {
                self.rows.push((key, amounts[row]));
            }
        }
        self.halve();
    }

    /// Adds the rows of another thread.
    pub fn merge(&mut self, other: CustomerlessRows) {
        self.halvings = self.halvings.max(other.halvings);
        self.rows.extend(other.rows);
        let halvings = self.halvings;
        self.rows.retain(|(key, _)| is_chosen(*key, halvings));
        self.halve();
    }

    fn halve(&mut self) {
        while self.rows.len() > MAX_ROWS {
            self.halvings += 1;
            let halvings = self.halvings;
            self.rows.retain(|(key, _)| is_chosen(*key, halvings));
        }
    }

    /// The rows by order.
    pub fn into_orders(self) -> CustomerlessOrders {
        let mut out = CustomerlessOrders { halvings: self.halvings, ..CustomerlessOrders::default() };
        for (key, money) in self.rows {
            let next = out.rows.len();
            let at = *out.index.entry(key).or_insert(next);
            if at == next {
                out.rows.push((0, 0));
            }
            out.rows[at].0 += 1;
            out.rows[at].1 += i128::from(money);
        }
        out.has_customer.resize_with(out.rows.len(), AtomicBool::default);
        out
    }
}

fn is_chosen((low, high): OrderKey, halvings: u32) -> bool {
    hash_key(low ^ high).leading_zeros() >= halvings
}

/// The orders of such rows.
#[derive(Debug, Default)]
pub struct CustomerlessOrders {
    index: HashMap<OrderKey, usize, ahash::RandomState>,
    /// Rows and their money by order.
    rows: Vec<(u64, i128)>,
    /// By order, whether another row has a customer.
    has_customer: Vec<AtomicBool>,
    halvings: u32,
}

/// Rows without a customer whose orders have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowsOfKnownOrders {
    /// How many.
    pub rows: u64,
    /// Their money, minor units.
    pub money: i128,
    /// Whether both are scaled up from a part of the orders.
    pub is_estimate: bool,
}

impl CustomerlessOrders {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Notes that an order has a customer.
    pub fn note_customer(&self, low: i64, high: i64) {
        if let Some(has_customer) = self.index.get(&(low, high)).and_then(|at| self.has_customer.get(*at)) {
            has_customer.store(true, Ordering::Relaxed);
        }
    }

    /// The keys of the orders that were noted, ascending.
    pub fn noted(&self) -> Vec<OrderKey> {
        let has_customer = |at: usize| self.has_customer.get(at).is_some_and(|noted| noted.load(Ordering::Relaxed));
        let mut keys: Vec<OrderKey> = self.index.iter().filter(|(_, at)| has_customer(**at)).map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys
    }

    /// The rows whose orders were noted; `None` if there are none.
    pub fn known(&self) -> Option<RowsOfKnownOrders> {
        let known = self.rows.iter().zip(&self.has_customer).filter(|(_, has_customer)| has_customer.load(Ordering::Relaxed));
        let (rows, money) = known.fold((0, 0), |(rows, money), ((more, of_them), _)| (rows + more, money + of_them));
        let scale = 1u64 << self.halvings.min(40);
        let (rows, money) = (rows * scale, money * i128::from(scale));
        (rows > 0).then_some(RowsOfKnownOrders { rows, money, is_estimate: self.halvings > 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However rows are spread over threads, the same orders are looked at, and as many as fit.
    #[test]
    fn a_part_of_the_orders_stands_for_all() {
        let count = 3 * MAX_ROWS as i64;
        let keys: Vec<i64> = (0..count).map(|n| n / 2).collect();
        let zeros = vec![0; keys.len()];
        let amounts = vec![100; keys.len()];
        let of_threads = |threads: usize| {
            let mut all = CustomerlessRows::default();
            for (keys, high) in keys.chunks(keys.len() / threads).zip(zeros.chunks(keys.len() / threads)) {
                let mut rows = CustomerlessRows::default();
                rows.add_batch(keys.iter().map(|_| true), (keys, high), &amounts);
                all.merge(rows);
            }
            let orders = all.into_orders();
            (0..count / 4).for_each(|key| orders.note_customer(key, 0));
            orders.known().unwrap()
        };
        let found = of_threads(1);
        assert_eq!(found, of_threads(4));
        assert!(found.is_estimate && found.money == i128::from(found.rows) * 100);
        let half = count as f64 / 2.0;
        assert!((found.rows as f64 - half).abs() < half / 50.0, "{found:?}");
    }
}
