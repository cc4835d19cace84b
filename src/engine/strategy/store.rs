//! Sums under numbered keys, without a string: exact integers that parts add up in any order.
//!
//! Additions wrap around. [`Extent`] remembers how large the numbers were, and before the sums are used it is checked that
//! none can have left 128 bits.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::error::{Error, Result};
use crate::stats::{PairSums, Sums, VALUES, X, Y};

/// A customer's numbers: outcome, baseline, and the denominators of both.
pub type Numbers = [i64; VALUES];

/// Up to this many keys are found by their number.
const DENSE: u128 = 1 << 16;

const EMPTY: u32 = u32::MAX;

/// Numbers for keys, in the order in which they came.
#[derive(Default)]
pub struct Index {
    dense: Vec<u32>,
    sparse: HashMap<u128, u32, BuildHasherDefault<Spread>>,
    keys: Vec<u128>,
}

impl Index {
    /// An index of keys below `bound`.
    pub fn new(bound: u128) -> Index {
        let dense = if bound <= DENSE { vec![EMPTY; bound as usize] } else { Vec::new() };
        Index { dense, ..Index::default() }
    }

    /// The number of a key; a new key gets the next.
    #[inline]
    pub fn number(&mut self, key: u128) -> usize {
        let next = self.keys.len() as u32;
        let found = match self.dense.get_mut(key as usize) {
            Some(own) => own,
            None => self.sparse.entry(key).or_insert(EMPTY),
        };
        if *found == EMPTY {
            *found = next;
            self.keys.push(key);
        }
        *found as usize
    }

    /// The number of a key that is there.
    pub fn find(&self, key: u128) -> Option<usize> {
        let found = if self.dense.is_empty() { self.sparse.get(&key) } else { self.dense.get(key as usize) };
        found.filter(|n| **n != EMPTY).map(|n| *n as usize)
    }

    /// All keys, by their numbers.
    pub fn keys(&self) -> &[u128] {
        &self.keys
    }
}

/// A hash of integers by multiplication; nothing depends on it but speed.
#[derive(Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_u128(&mut self, value: u128) {
        self.write_u64(value as u64);
        self.write_u64((value >> 64) as u64);
    }
}

/// How large numbers were, and how many.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extent {
    /// The bits of all magnitudes, laid over each other.
    bits: u64,
    /// Customers counted, in one row or another.
    count: u64,
}

impl Extent {
    #[inline]
    fn see(&mut self, numbers: &Numbers) {
        self.bits |= numbers.iter().fold(0, |bits, number| bits | number.unsigned_abs());
        self.count += 1;
    }

    /// Adds what was seen elsewhere.
    pub fn merge(&mut self, other: Extent) {
        self.bits |= other.bits;
        self.count += other.count;
    }

    /// Checks that no sum of squares can have left what DECIMAL(38) holds.
    pub fn check(&self) -> Result<()> {
        let of_square = 2 * (u64::BITS - self.bits.leading_zeros());
        let of_count = u64::BITS - self.count.leading_zeros();
        if of_square + of_count > 126 {
            return Err(Error::contract(
                "the sums of squares of an outcome could leave 38 digits: the amounts are too large for orders.amount_scale; lower it, or look for a wrong amount",
            ));
        }
        Ok(())
    }
}

/// Sums of an outcome that is a mean: those of its denominators are zero.
#[derive(Clone, Copy, Default)]
struct Mean {
    n: i64,
    sum: [i128; 2],
    product: [i128; 3],
}

impl Mean {
    #[inline]
    fn observe(&mut self, numbers: &Numbers) {
        let (y, x) = (i128::from(numbers[Y]), i128::from(numbers[X]));
        self.n += 1;
        self.sum[0] = self.sum[0].wrapping_add(y);
        self.sum[1] = self.sum[1].wrapping_add(x);
        self.product[0] = self.product[0].wrapping_add(y * y);
        self.product[1] = self.product[1].wrapping_add(y * x);
        self.product[2] = self.product[2].wrapping_add(x * x);
    }

    fn merge(&mut self, other: &Mean) {
        self.n += other.n;
        add_all(&mut self.sum, &other.sum);
        add_all(&mut self.product, &other.product);
    }

    fn sums(&self) -> Sums {
        let mut out = Sums { n: self.n, ..Sums::default() };
        out.sum[Y] = self.sum[0];
        out.sum[X] = self.sum[1];
        // yy and yx stand first, xx behind yd and ye.
        out.product[0] = self.product[0];
        out.product[1] = self.product[1];
        out.product[4] = self.product[2];
        out
    }
}

fn add_all(all: &mut [i128], own: &[i128]) {
    all.iter_mut().zip(own).for_each(|(all, own)| *all = all.wrapping_add(*own));
}

fn observe_ratio(sums: &mut Sums, numbers: &Numbers) {
    let wide = numbers.map(i128::from);
    sums.n += 1;
    add_all(&mut sums.sum, &wide);
    let mut at = 0;
    for i in 0..VALUES {
        for j in i..VALUES {
            sums.product[at] = sums.product[at].wrapping_add(wide[i] * wide[j]);
            at += 1;
        }
    }
}

fn merge_ratio(all: &mut Sums, own: &Sums) {
    all.n += own.n;
    add_all(&mut all.sum, &own.sum);
    add_all(&mut all.product, &own.product);
}

/// Which numbers of a customer are ratios, and which means.
#[derive(Debug, Clone, Default)]
pub struct Shapes {
    /// Per number: whether it is a ratio, and its place among its like.
    places: Vec<(bool, usize)>,
    means: usize,
    ratios: usize,
}

impl Shapes {
    pub fn new(is_ratio: impl Iterator<Item = bool>) -> Shapes {
        let mut out = Shapes::default();
        for ratio in is_ratio {
            let count = if ratio { &mut out.ratios } else { &mut out.means };
            out.places.push((ratio, *count));
            *count += 1;
        }
        out
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }
}

/// Sums of customers' numbers under keys.
#[derive(Default)]
pub struct Store {
    index: Index,
    means: Vec<Mean>,
    ratios: Vec<Sums>,
    extent: Extent,
}

impl Store {
    /// A store for keys below `bound`.
    pub fn new(bound: u128) -> Store {
        Store { index: Index::new(bound), ..Store::default() }
    }

    fn block(&mut self, key: u128, shapes: &Shapes) -> usize {
        let block = self.index.number(key);
        if block * shapes.means == self.means.len() && block * shapes.ratios == self.ratios.len() {
            self.means.resize((block + 1) * shapes.means, Mean::default());
            self.ratios.resize((block + 1) * shapes.ratios, Sums::default());
        }
        block
    }

    /// Counts a customer. Of `skip` nothing is known.
    #[inline]
    pub fn observe(&mut self, key: u128, numbers: &[Numbers], shapes: &Shapes, skip: Option<usize>) {
        let block = self.block(key, shapes);
        let means = &mut self.means[block * shapes.means..(block + 1) * shapes.means];
        for (at, (own, (is_ratio, place))) in numbers.iter().zip(&shapes.places).enumerate() {
            if skip == Some(at) {
                continue;
            }
            self.extent.see(own);
            if *is_ratio {
                observe_ratio(&mut self.ratios[block * shapes.ratios + place], own);
            } else {
                means[*place].observe(own);
            }
        }
    }

    /// Adds what another part has summed.
    pub fn merge(&mut self, other: &Store, shapes: &Shapes) {
        self.extent.merge(other.extent);
        for (from, key) in other.index.keys().iter().enumerate() {
            let to = self.block(*key, shapes);
            for at in 0..shapes.means {
                self.means[to * shapes.means + at].merge(&other.means[from * shapes.means + at]);
            }
            for at in 0..shapes.ratios {
                merge_ratio(&mut self.ratios[to * shapes.ratios + at], &other.ratios[from * shapes.ratios + at]);
            }
        }
    }

    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// The keys that have sums.
    pub fn keys(&self) -> &[u128] {
        self.index.keys()
    }

    /// The sums of a number under a key; nothing if the key has none.
    pub fn sums(&self, key: u128, number: usize, shapes: &Shapes) -> Sums {
        let (Some(block), Some((is_ratio, place))) = (self.index.find(key), shapes.places.get(number)) else {
            return Sums::default();
        };
        if *is_ratio { self.ratios[block * shapes.ratios + place] } else { self.means[block * shapes.means + place].sums() }
    }
}

/// Sums of products of the numbers of customers who are in two lists.
#[derive(Clone, Copy, Default)]
struct MeanPair {
    n: i64,
    first: [i128; 2],
    second: [i128; 2],
    product: [i128; 4],
}

impl MeanPair {
    #[inline]
    fn observe(&mut self, first: &Numbers, second: &Numbers) {
        let (a, b) = ([first[Y], first[X]].map(i128::from), [second[Y], second[X]].map(i128::from));
        self.n += 1;
        add_all(&mut self.first, &a);
        add_all(&mut self.second, &b);
        let products = [a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1]];
        add_all(&mut self.product, &products);
    }

    fn merge(&mut self, other: &MeanPair) {
        self.n += other.n;
        add_all(&mut self.first, &other.first);
        add_all(&mut self.second, &other.second);
        add_all(&mut self.product, &other.product);
    }

    fn sums(&self) -> PairSums {
        let mut out = PairSums { n: self.n, ..PairSums::default() };
        for (i, at) in [Y, X].into_iter().enumerate() {
            out.first[at] = self.first[i];
            out.second[at] = self.second[i];
            for (j, to) in [Y, X].into_iter().enumerate() {
                out.product[at][to] = self.product[2 * i + j];
            }
        }
        out
    }
}

fn merge_ratio_pair(all: &mut PairSums, own: &PairSums) {
    all.n += own.n;
    add_all(&mut all.first, &own.first);
    add_all(&mut all.second, &own.second);
    all.product.iter_mut().zip(&own.product).for_each(|(all, own)| add_all(all, own));
}

fn observe_ratio_pair(sums: &mut PairSums, first: &Numbers, second: &Numbers) {
    let (first, second) = (first.map(i128::from), second.map(i128::from));
    let product = first.map(|a| second.map(|b| a * b));
    merge_ratio_pair(sums, &PairSums { n: 1, first, second, product });
}

/// Sums of pairs of customers' numbers under keys.
#[derive(Default)]
pub struct PairStore {
    index: Index,
    means: Vec<MeanPair>,
    ratios: Vec<PairSums>,
    extent: Extent,
}

impl PairStore {
    /// A store for keys below `bound`.
    pub fn new(bound: u128) -> PairStore {
        PairStore { index: Index::new(bound), ..PairStore::default() }
    }

    fn block(&mut self, key: u128, shapes: &Shapes) -> usize {
        let block = self.index.number(key);
        if block * shapes.means == self.means.len() && block * shapes.ratios == self.ratios.len() {
            self.means.resize((block + 1) * shapes.means, MeanPair::default());
            self.ratios.resize((block + 1) * shapes.ratios, PairSums::default());
        }
        block
    }

    /// Counts a customer who is in two lists, with the numbers in each.
    #[inline]
    pub fn observe(&mut self, key: u128, first: &[Numbers], second: &[Numbers], shapes: &Shapes) {
        let block = self.block(key, shapes);
        self.extent.count += 1;
        for ((first, second), (is_ratio, place)) in first.iter().zip(second).zip(&shapes.places) {
            if *is_ratio {
                observe_ratio_pair(&mut self.ratios[block * shapes.ratios + place], first, second);
            } else {
                self.means[block * shapes.means + place].observe(first, second);
            }
        }
    }

    /// Adds what another part has summed.
    pub fn merge(&mut self, other: &PairStore, shapes: &Shapes) {
        self.extent.merge(other.extent);
        for (from, key) in other.index.keys().iter().enumerate() {
            let to = self.block(*key, shapes);
            for at in 0..shapes.means {
                self.means[to * shapes.means + at].merge(&other.means[from * shapes.means + at]);
            }
            for at in 0..shapes.ratios {
                merge_ratio_pair(&mut self.ratios[to * shapes.ratios + at], &other.ratios[from * shapes.ratios + at]);
            }
        }
    }

    /// How many pairs there were; their numbers are those of customers, whose size is known elsewhere.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// The keys that have sums.
    pub fn keys(&self) -> &[u128] {
        self.index.keys()
    }

    /// The sums of a number under a key; nothing if the key has none.
    pub fn sums(&self, key: u128, number: usize, shapes: &Shapes) -> PairSums {
        let (Some(block), Some((is_ratio, place))) = (self.index.find(key), shapes.places.get(number)) else {
            return PairSums::default();
        };
        if *is_ratio { self.ratios[block * shapes.ratios + place] } else { self.means[block * shapes.means + place].sums() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the exact sums of [`crate::stats`] say of the same customers.
    #[test]
    fn stores_sum_as_statistics_do() -> Result<()> {
        for bound in [10, DENSE + 1] {
            let shapes = Shapes::new([false, true, false].into_iter());
            let mut parts = [PairStore::new(bound), PairStore::new(bound)];
            let mut stores = [Store::new(bound), Store::new(bound)];
            let mut want: HashMap<(u128, usize), (Sums, PairSums)> = HashMap::new();
            for customer in 0..200i64 {
                let key = u128::from(customer as u64 % 7);
                let part = (customer % 2) as usize;
                let first = [[customer, -3, 0, 0], [customer * 5, 2, customer % 3, 1], [i64::from(customer > 9), 1, 0, 0]];
                let second = [[7, customer, 0, 0], [customer, 4, 1, customer % 4], [1, i64::from(customer > 20), 0, 0]];
                stores[part].observe(key, &first, &shapes, (customer == 50).then_some(2));
                parts[part].observe(key, &first, &second, &shapes);
                for number in 0..3 {
                    let (sums, pairs) = want.entry((key, number)).or_default();
                    if customer != 50 || number != 2 {
                        sums.observe(first[number])?;
                    }
                    pairs.observe(first[number], second[number])?;
                }
            }
            let ([mut store, other], [mut pairs, more]) = (stores, parts);
            store.merge(&other, &shapes);
            pairs.merge(&more, &shapes);
            assert_eq!((store.keys().len(), pairs.keys().len()), (7, 7));
            for ((key, number), (sums, of_pair)) in want {
                assert_eq!(store.sums(key, number, &shapes), sums);
                assert_eq!(pairs.sums(key, number, &shapes), of_pair);
            }
            assert_eq!(store.sums(8, 0, &shapes), Sums::default());
            store.extent().check()?;
        }
        Ok(())
    }

    #[test]
    fn sums_that_could_leave_their_digits_are_refused() {
        let shapes = Shapes::new([false].into_iter());
        let mut store = Store::new(1);
        store.observe(0, &[[1 << 62, 0, 0, 0]], &shapes, None);
        store.observe(0, &[[-(1 << 40), 0, 0, 0]], &shapes, None);
        assert!(store.extent().check().is_err());
    }
}
