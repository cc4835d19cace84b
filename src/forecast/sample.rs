//! The customers to which models are fitted and on whom their record is kept: those with the least lots, at most some per slice.
//!
//! A lot is a hash of the customer's id, so the sample of all customers is the same whatever parts it was merged from.

use serde::{Deserialize, Serialize};

use super::history::{CustomerHistory, HistoryColumns, Purchased, history_at};
use crate::bucket::{hash_key, hash_text};
use crate::domain::CustomerIds;

/// A customer of the sample.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SampledCustomer {
    /// The lot.
    pub lot: u64,
    /// Day of the first purchase.
    first: i32,
    /// Money up to then, minor units.
    first_money: i64,
    /// What was bought up to each of the days.
    purchased: Box<[Purchased]>,
}

impl SampledCustomer {
    /// The history up to the day at a place among those that matter.
    pub fn history(&self, place: usize) -> CustomerHistory {
        history_at(self.first, self.first_money, self.purchased.get(place))
    }

    /// Days with a purchase, and money, after the day at one place and up to that at another.
    pub fn between(&self, from: usize, to: usize) -> (i64, i64) {
        let known = |place: usize| self.purchased.get(place).copied().unwrap_or_default();
        let (from, to) = (known(from), known(to));
        (i64::from(to.order_days) - i64::from(from.order_days), to.money.saturating_sub(from.money))
    }

    /// The same without the first day with a purchase, which nobody repeats.
    pub fn repeated_between(&self, from: usize, to: usize) -> (i64, i64) {
        let (order_days, money) = self.between(from, to);
        let known = |place: usize| self.purchased.get(place).is_some_and(|known| known.order_days > 0);
        match known(to) && !known(from) {
            true => (order_days - 1, money.saturating_sub(self.first_money)),
            false => (order_days, money),
        }
    }
}

/// Moves lots away from the hash by which customers lie in buckets, or a sample would be a few buckets.
const SALT: u64 = 0x6A09_E667_F3BC_C909;

/// The lot of a customer.
pub fn lot_of(ids: &CustomerIds, row: usize) -> u64 {
    let hash = match ids {
        CustomerIds::Int(keys) => hash_key(keys.get(row).copied().unwrap_or_default()),
        CustomerIds::Text(texts) => hash_text(texts.get(row)),
    };
    let mixed = (hash ^ SALT).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

/// Customers of a slice.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SliceSample {
    customers: Vec<SampledCustomer>,
    /// No lot above it gets in.
    bound: u64,
}

/// The sample, by slice.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CustomerSample {
    /// Most customers of a slice.
    most: usize,
    slices: Vec<SliceSample>,
}

impl CustomerSample {
    /// An empty sample of at most `most` customers of each slice.
    pub fn new(slices: usize, most: usize) -> CustomerSample {
        CustomerSample { most, slices: vec![SliceSample { customers: Vec::new(), bound: u64::MAX }; slices] }
    }

    /// Adds customers of a bucket who have bought by the last day; `slice` is that of each.
    pub fn add(&mut self, ids: &CustomerIds, histories: &HistoryColumns, slice: impl Fn(usize) -> u32) {
        for customer in 0..histories.len() {
            let (first, first_money, purchased) = histories.of(customer);
            let Some(sample) = self.slices.get_mut(slice(customer) as usize) else { continue };
            if purchased.last().is_none_or(|last| last.order_days == 0) {
                continue;
            }
            let lot = lot_of(ids, customer);
            if lot <= sample.bound {
                sample.push(self.most, SampledCustomer { lot, first, first_money, purchased: purchased.into() });
            }
        }
    }

    /// Adds a sample of other customers.
    pub fn merge(&mut self, other: CustomerSample) {
        for (own, other) in self.slices.iter_mut().zip(other.slices) {
            own.customers.extend(other.customers);
            own.bound = own.bound.min(other.bound);
            own.settle(self.most);
        }
    }

    /// Leaves the least lots, ascending.
    pub fn settle(&mut self) {
        self.slices.iter_mut().for_each(|slice| slice.settle(self.most));
    }

    /// The sample when everybody is in it who may be: the least lots.
    pub fn settled(&mut self) -> SettledSample<'_> {
        self.settle();
        SettledSample { slices: &self.slices }
    }
}

/// A sample that models are fitted to.
#[derive(Clone, Copy)]
pub struct SettledSample<'a> {
    slices: &'a [SliceSample],
}

impl<'a> SettledSample<'a> {
    /// By slice the customers, ascending by lot, and the bound of their lots: whoever has a lot up to it is among them.
    pub fn slices(self) -> impl ExactSizeIterator<Item = (&'a [SampledCustomer], u64)> {
        self.slices.iter().map(|slice| (slice.customers.as_slice(), slice.bound))
    }
}

impl SliceSample {
    fn push(&mut self, most: usize, customer: SampledCustomer) {
        self.customers.push(customer);
        if self.customers.len() > most + most / 8 {
            self.settle(most);
        }
    }

    fn settle(&mut self, most: usize) {
        self.customers.sort_unstable();
        if self.customers.len() > most {
            self.customers.truncate(most);
            self.bound = self.customers.last().map_or(0, |last| last.lot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::Order;
    use crate::domain::Day;

    /// Whatever the parts and their order, the sample is that of the least lots.
    #[test]
    fn samples_merge_in_any_order() {
        let bucket = |keys: Vec<i64>| {
            let mut histories = HistoryColumns::new(&[Day(9)], keys.len());
            keys.iter().for_each(|key| histories.push(&[Order { date: 1, amount: *key, ..Order::default() }], true));
            (CustomerIds::Int(keys), histories)
        };
        let slice = |key: usize| (key % 2) as u32;
        let of = |parts: Vec<Vec<i64>>| {
            let samples = parts.into_iter().map(|keys| {
                let mut sample = CustomerSample::new(2, 50);
                let (ids, histories) = bucket(keys);
                sample.add(&ids, &histories, slice);
                sample
            });
            let all = samples.reduce(|mut all, part| {
                all.merge(part);
                all
            });
            let mut all = all.unwrap_or_default();
            all.settled().slices().map(|(customers, bound)| (customers.to_vec(), bound)).collect::<Vec<_>>()
        };
        let whole = of(vec![(0..4_000).collect()]);
        let mut parts: Vec<Vec<i64>> = (0..40).map(|part| (part * 100..(part + 1) * 100).collect()).collect();
        let split = of(parts.clone());
        parts.reverse();
        assert_eq!((&split, &of(parts)), (&whole, &whole));
        assert!(whole.iter().all(|(customers, _)| customers.len() == 50));
        // About the least eightieth of all lots.
        let bounds: Vec<f64> = whole.iter().map(|(_, bound)| *bound as f64 / 2f64.powi(64)).collect();
        assert!(bounds.iter().all(|bound| (1.0 / 120.0..1.0 / 25.0).contains(bound)), "{bounds:?}");
    }
}
