//! Sums under numbered keys, without a string: exact integers that parts add up in any order.
//!
//! Few customers are summed in 64 bits, which is fast, and their sums added to those of everybody, which have 128. Additions
//! wrap around; whether sums fit is known from the sum of all squares: by Cauchy and Schwarz no sum of products exceeds it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::domain::Narrow;
use crate::engine::experiment::bundles::{Bundle, Bundles};
use crate::engine::experiment::column::{Column, Form, Number, Numbers};
use crate::stats::{PairSums, Sums, VALUES};

/// Up to this many keys are found by their number.
const DENSE: u128 = 1 << 16;

/// Up to this many keys all have cells in sums that are used again and again.
pub const FEW: u128 = 1 << 12;

const EMPTY: u32 = u32::MAX;

/// What numbers stand under. Most keys are short, and as such worked out sooner; they do not leave their bound, so that
/// additions need no check.
pub trait Key: Copy + Default + Ord + Into<u128> {
    /// The key with this number, which is one of its type.
    fn of(number: u64) -> Self;
    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    /// By how much it exceeds another, or the most there is.
    fn minus(self, other: Self) -> usize;
    /// How often a number is in it, and what is left.
    fn split(self, by: usize) -> (Self, usize);
    /// Its place in a list of all keys, if there are few.
    fn at(self) -> usize;
}

macro_rules! keys {
    ($($integer:ty),+) => {$(
        impl Key for $integer {
            #[inline]
            fn of(number: u64) -> Self {
                number as Self
            }

            #[inline]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline]
            fn times(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }

            #[inline]
            fn minus(self, other: Self) -> usize {
                usize::try_from(self.wrapping_sub(other)).unwrap_or(usize::MAX)
            }

            #[inline]
            fn split(self, by: usize) -> (Self, usize) {
                let by = by as Self;
                (self / by, (self % by) as usize)
            }

            #[inline]
            fn at(self) -> usize {
                self as usize
            }
        }
    )+};
}

keys!(u32, u64, u128);

/// Numbers for keys, in the order in which they came.
#[derive(Default)]
pub struct Index {
    /// Every key is its own number.
    is_whole: bool,
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

    /// An index in which all keys below `bound` have numbers.
    fn whole(bound: u128) -> Index {
        let numbers = 0..bound as u32;
        Index { is_whole: true, dense: numbers.clone().collect(), keys: numbers.map(u128::from).collect(), ..Index::default() }
    }

    /// The number of a key; a new key gets the next.
    #[inline]
    fn number<K: Key>(&mut self, key: K) -> u32 {
        if self.is_whole {
            return key.at() as u32;
        }
        let next = self.keys.len() as u32;
        let found = match self.dense.get_mut(key.at()) {
            Some(own) => own,
            None => self.sparse.entry(key.into()).or_insert(EMPTY),
        };
        if *found == EMPTY {
            *found = next;
            self.keys.push(key.into());
        }
        *found
    }

    /// The number of a key that is there.
    pub fn find(&self, key: u128) -> Option<usize> {
        let found = if self.dense.is_empty() { self.sparse.get(&key) } else { self.dense.get(key as usize) };
        found.filter(|n| **n != EMPTY).map(|n| *n as usize)
    }

    /// Forgets all keys.
    fn clear(&mut self) {
        if self.is_whole {
            return;
        }
        for key in self.keys.drain(..) {
            if let Some(own) = self.dense.get_mut(key as usize) {
                *own = EMPTY;
            }
        }
        self.sparse.clear();
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

/// What sums are made of.
pub trait Integer: Copy + Default + Into<i128> {
    fn add(&mut self, number: i64);
    fn add_product(&mut self, a: i64, b: i64);
    fn join(&mut self, other: Self);
}

impl Integer for i64 {
    #[inline]
    fn add(&mut self, number: i64) {
        *self = self.wrapping_add(number);
    }

    #[inline]
    fn add_product(&mut self, a: i64, b: i64) {
        *self = self.wrapping_add(a.wrapping_mul(b));
    }

    #[inline]
    fn join(&mut self, other: Self) {
        *self = self.wrapping_add(other);
    }
}

impl Integer for i128 {
    #[inline]
    fn add(&mut self, number: i64) {
        *self = self.wrapping_add(i128::from(number));
    }

    #[inline]
    fn add_product(&mut self, a: i64, b: i64) {
        *self = self.wrapping_add(i128::from(a) * i128::from(b));
    }

    #[inline]
    fn join(&mut self, other: Self) {
        *self = self.wrapping_add(other);
    }
}

/// Adds what was summed elsewhere.
pub trait Absorb<Other> {
    fn absorb(&mut self, other: &Other);
}

fn join<T: Integer>(all: &mut [T], own: &[T]) {
    all.iter_mut().zip(own).for_each(|(all, own)| all.join(*own));
}

fn absorb_all<T: Integer>(all: &mut [i128], own: &[T]) {
    all.iter_mut().zip(own).for_each(|(all, own)| *all = all.wrapping_add((*own).into()));
}

/// Sums of `V` numbers over customers, with those of their products (the upper triangle).
#[derive(Debug, Clone, Copy)]
pub struct Single<T, const V: usize> {
    sum: [T; V],
    product: [[T; V]; V],
}

impl<T: Integer, const V: usize> Default for Single<T, V> {
    fn default() -> Self {
        Single { sum: [T::default(); V], product: [[T::default(); V]; V] }
    }
}

impl<T: Integer, const V: usize> Single<T, V> {
    #[inline]
    fn observe<N: Number>(&mut self, numbers: &[N; V]) {
        for i in 0..V {
            self.sum[i].add(numbers[i].wide());
            for j in i..V {
                self.product[i][j].add_product(numbers[i].wide(), numbers[j].wide());
            }
        }
    }
}

impl<T: Integer, const V: usize> Single<T, V> {
    /// Adds what was summed beside it.
    #[inline]
    fn join(&mut self, other: &Single<T, V>) {
        join(&mut self.sum, &other.sum);
        self.product.iter_mut().zip(&other.product).for_each(|(all, own)| join(all, own));
    }
}

impl<T: Integer> Single<T, 1> {
    /// Adds a flag that so many customers have.
    fn observe_flags(&mut self, customers: usize) {
        self.sum[0].add(customers as i64);
        self.product[0][0].add(customers as i64);
    }
}

impl<T: Integer, const V: usize> Absorb<Single<T, V>> for Single<i128, V> {
    fn absorb(&mut self, other: &Single<T, V>) {
        absorb_all(&mut self.sum, &other.sum);
        self.product.iter_mut().zip(&other.product).for_each(|(all, own)| absorb_all(all, own));
    }
}

impl<const V: usize> Single<i128, V> {
    fn sums(&self, n: i64) -> Sums {
        let mut out = Sums { n, ..Sums::default() };
        out.sum[..V].copy_from_slice(&self.sum);
        let mut at = 0;
        for i in 0..VALUES {
            for j in i..VALUES {
                out.product[at] = if j < V { self.product[i][j] } else { 0 };
                at += 1;
            }
        }
        out
    }
}

/// Sums of `V` numbers over customers who are in two lists: of those in each, and of their products.
#[derive(Debug, Clone, Copy)]
pub struct Pair<T, const V: usize> {
    first: [T; V],
    second: [T; V],
    product: [[T; V]; V],
}

impl<T: Integer, const V: usize> Default for Pair<T, V> {
    fn default() -> Self {
        let (zero, zeros) = ([T::default(); V], [[T::default(); V]; V]);
        Pair { first: zero, second: zero, product: zeros }
    }
}

impl<T: Integer, const V: usize> Pair<T, V> {
    #[inline]
    fn observe<A: Number, B: Number>(&mut self, first: &[A; V], second: &[B; V]) {
        self.observe_first(first);
        self.observe_second(second);
        for (products, first) in self.product.iter_mut().zip(first) {
            let both = products.iter_mut().zip(second);
            both.for_each(|(product, second)| product.add_product(first.wide(), second.wide()));
        }
    }

    #[inline]
    fn observe_first<A: Number>(&mut self, first: &[A; V]) {
        self.first.iter_mut().zip(first).for_each(|(sum, number)| sum.add(number.wide()));
    }

    #[inline]
    fn observe_second<B: Number>(&mut self, second: &[B; V]) {
        self.second.iter_mut().zip(second).for_each(|(sum, number)| sum.add(number.wide()));
    }
}

impl<T: Integer, const V: usize> Pair<T, V> {
    /// Adds what was summed beside it.
    #[inline]
    fn join(&mut self, other: &Pair<T, V>) {
        join(&mut self.first, &other.first);
        join(&mut self.second, &other.second);
        self.product.iter_mut().zip(&other.product).for_each(|(all, own)| join(all, own));
    }
}

impl<T: Integer, const V: usize> Absorb<Pair<T, V>> for Pair<i128, V> {
    fn absorb(&mut self, other: &Pair<T, V>) {
        absorb_all(&mut self.first, &other.first);
        absorb_all(&mut self.second, &other.second);
        self.product.iter_mut().zip(&other.product).for_each(|(all, own)| absorb_all(all, own));
    }
}

impl<const V: usize> Pair<i128, V> {
    fn sums(&self, n: i64) -> PairSums {
        let mut out = PairSums { n, ..PairSums::default() };
        out.first[..V].copy_from_slice(&self.first);
        out.second[..V].copy_from_slice(&self.second);
        out.product.iter_mut().zip(&self.product).for_each(|(to, own)| to[..V].copy_from_slice(own));
        out
    }
}

/// The sums of a number, by the numbers of their keys.
#[derive(Debug, Clone)]
enum Cells<N, M, R> {
    Numbers(Vec<N>),
    Means(Vec<M>),
    Ratios(Vec<R>),
}

/// Sums of customers' numbers under keys: `N` of single numbers, `M` of means, `R` of ratios.
#[derive(Default)]
pub struct Store<N, M, R> {
    index: Index,
    /// By the number of a key: how many customers count.
    counts: Vec<i64>,
    /// How many of them have no number in the column that may lack some.
    lacking: Vec<i64>,
    may_lack: Option<usize>,
    /// In the order of the columns that are summed.
    cells: Vec<Cells<N, M, R>>,
}

/// Sums of customers.
pub type Singles<T> = Store<Single<T, 1>, Single<T, 2>, Single<T, VALUES>>;

/// Sums of customers who are in two lists.
pub type Pairs<T> = Store<Pair<T, 1>, Pair<T, 2>, Pair<T, VALUES>>;

impl<N: Copy + Default, M: Copy + Default, R: Copy + Default> Store<N, M, R> {
    /// A store for keys below `bound` and columns of these forms, in one of which a customer may lack a number.
    pub fn new(bound: u128, forms: impl IntoIterator<Item = Form>, may_lack: Option<usize>) -> Store<N, M, R> {
        Store::with(Index::new(bound), forms, may_lack)
    }

    /// The same to be cleared and filled again and again: up to `few` keys keep their cells, whether they are used or not.
    pub fn scratch(bound: u128, few: u128, forms: impl IntoIterator<Item = Form>, may_lack: Option<usize>) -> Store<N, M, R> {
        let index = if bound <= few { Index::whole(bound) } else { Index::new(bound) };
        Store::with(index, forms, may_lack)
    }

    fn with(index: Index, forms: impl IntoIterator<Item = Form>, may_lack: Option<usize>) -> Store<N, M, R> {
        let cells = |form| match form {
            Form::Number => Cells::Numbers(Vec::new()),
            Form::Mean => Cells::Means(Vec::new()),
            Form::Ratio => Cells::Ratios(Vec::new()),
        };
        let cells = forms.into_iter().map(cells).collect();
        let mut store = Store { index, counts: Vec::new(), lacking: Vec::new(), may_lack, cells };
        store.grow();
        store
    }

    /// Counts customers, and says for every bundle where its sums are.
    fn count<K: Key, P: Copy + Default>(&mut self, customers: &Bundles<K, P>) -> Vec<u32> {
        let places: Vec<u32> = customers.keys().map(|key| self.index.number(key)).collect();
        self.grow();
        for (place, bundle) in places.iter().zip(customers.iter()) {
            self.counts[*place as usize] += bundle.members().len() as i64;
        }
        places
    }

    /// Customers who count under these keys have no number in the column that may lack some; it is 0 there.
    pub fn lack<K: Key>(&mut self, keys: impl Iterator<Item = K>) {
        for key in keys {
            let place = self.index.number(key);
            self.lacking[place as usize] += 1;
        }
    }

    /// Gives every key its cells.
    fn grow(&mut self) {
        let keys = self.index.keys().len();
        self.counts.resize(keys, 0);
        self.lacking.resize(keys, 0);
        for cells in &mut self.cells {
            match cells {
                Cells::Numbers(numbers) => numbers.resize(keys, N::default()),
                Cells::Means(means) => means.resize(keys, M::default()),
                Cells::Ratios(ratios) => ratios.resize(keys, R::default()),
            }
        }
    }

    /// Adds what was summed elsewhere.
    pub fn merge<A, B, C>(&mut self, other: &Store<A, B, C>)
    where
        N: Absorb<A>,
        M: Absorb<B>,
        R: Absorb<C>,
    {
        let used = other.index.keys().iter().zip(&other.counts);
        let places: Vec<u32> = used.map(|(key, count)| if *count == 0 { EMPTY } else { self.index.number(*key) }).collect();
        self.grow();
        let counts = places.iter().zip(other.counts.iter().zip(&other.lacking));
        for (place, (count, lacking)) in counts.filter(|(place, _)| **place != EMPTY) {
            self.counts[*place as usize] += count;
            self.lacking[*place as usize] += lacking;
        }
        for cells in self.cells.iter_mut().zip(&other.cells) {
            match cells {
                (Cells::Numbers(all), Cells::Numbers(own)) => absorb(all, own, &places),
                (Cells::Means(all), Cells::Means(own)) => absorb(all, own, &places),
                (Cells::Ratios(all), Cells::Ratios(own)) => absorb(all, own, &places),
                _ => {}
            }
        }
    }

    /// Forgets all sums.
    pub fn clear(&mut self) {
        self.index.clear();
        self.counts.clear();
        self.lacking.clear();
        for cells in &mut self.cells {
            match cells {
                Cells::Numbers(numbers) => numbers.clear(),
                Cells::Means(means) => means.clear(),
                Cells::Ratios(ratios) => ratios.clear(),
            }
        }
        self.grow();
    }

    /// The keys that have sums.
    pub fn keys(&self) -> &[u128] {
        self.index.keys()
    }

    /// What the sums of a column under a key say, by the form of the column, with how many customers have a number in it;
    /// nothing if the key has none.
    fn find<S: Default>(
        &self,
        key: u128,
        column: usize,
        number: fn(&N, i64) -> S,
        mean: fn(&M, i64) -> S,
        ratio: fn(&R, i64) -> S,
    ) -> S {
        let Some(place) = self.index.find(key) else { return S::default() };
        let lacking = if self.may_lack == Some(column) { self.lacking[place] } else { 0 };
        let n = self.counts[place] - lacking;
        match self.cells.get(column) {
            Some(Cells::Numbers(numbers)) => number(&numbers[place], n),
            Some(Cells::Means(means)) => mean(&means[place], n),
            Some(Cells::Ratios(ratios)) => ratio(&ratios[place], n),
            None => S::default(),
        }
    }
}

fn absorb<M: Absorb<A>, A>(all: &mut [M], own: &[A], places: &[u32]) {
    let used = places.iter().zip(own).filter(|(place, _)| **place != EMPTY);
    used.for_each(|(place, own)| all[*place as usize].absorb(own));
}

impl<T: Integer> Singles<T> {
    /// Sums the numbers of customers. Means and ratios of who is not active are zero.
    pub fn observe<K: Key>(&mut self, members: &Bundles<K, u32>, columns: &[Column]) {
        fn observe<'m, T: Integer, const V: usize>(
            cells: &mut [Single<T, V>],
            places: &[u32],
            members: impl Iterator<Item = &'m [u32]>,
            numbers: &Numbers<V>,
        ) {
            match numbers {
                Narrow::Short(numbers) => each(cells, places, members, numbers),
                Narrow::Wide(numbers) => each(cells, places, members, numbers),
            }
        }
        fn each<'m, T: Integer, N: Number, const V: usize>(
            cells: &mut [Single<T, V>],
            places: &[u32],
            members: impl Iterator<Item = &'m [u32]>,
            numbers: &[[N; V]],
        ) {
            for (place, members) in places.iter().zip(members).filter(|(_, members)| !members.is_empty()) {
                let mut sums = Single::<T, V>::default();
                members.iter().for_each(|member| sums.observe(&numbers[*member as usize]));
                cells[*place as usize].join(&sums);
            }
        }
        let places = &self.count(members);
        let all = || members.iter().map(|bundle| bundle.members());
        let active = || members.iter().map(|bundle| bundle.of(kind::ACTIVE));
        for (cells, column) in self.cells.iter_mut().zip(columns) {
            match (cells, column) {
                (Cells::Numbers(cells), Column::Numbers(numbers)) => match numbers.same() {
                    // Often nobody has a flag, or everybody.
                    Some([0]) => {}
                    Some([1]) => {
                        for (place, members) in places.iter().zip(all()) {
                            cells[*place as usize].observe_flags(members.len());
                        }
                    }
                    _ => observe(cells, places, all(), numbers),
                },
                (Cells::Means(cells), Column::Means(means)) => observe(cells, places, active(), means),
                (Cells::Ratios(cells), Column::Ratios(ratios)) => observe(cells, places, active(), ratios),
                _ => {}
            }
        }
    }
}

impl Singles<i128> {
    /// The sums of a column under a key; nothing if the key has none.
    pub fn sums(&self, key: u128, column: usize) -> Sums {
        self.find(key, column, Single::sums, Single::sums, Single::sums)
    }
}

/// A customer in two lists.
pub trait Meeting: Copy + Default {
    /// Their place in each.
    fn places(self) -> (usize, usize);
}

/// A place in each.
impl Meeting for (u32, u32) {
    #[inline]
    fn places(self) -> (usize, usize) {
        (self.0 as usize, self.1 as usize)
    }
}

/// The same place in both.
impl Meeting for u32 {
    #[inline]
    fn places(self) -> (usize, usize) {
        (self as usize, self as usize)
    }
}

/// Whether a customer is active: in two lists in both, the first alone, the second alone, or in none; in one list as in both or
/// as in none.
pub mod kind {
    pub const ACTIVE: usize = 0;
    pub const IN_FIRST: usize = 1;
    pub const IN_SECOND: usize = 2;
    pub const PASSIVE: usize = 3;

    /// What the first of two lists adds to the kind of who is active in it.
    #[inline]
    pub fn in_first(is_active: bool) -> usize {
        if is_active { ACTIVE } else { IN_SECOND }
    }

    /// What the second adds.
    #[inline]
    pub fn in_second(is_active: bool) -> usize {
        if is_active { ACTIVE } else { IN_FIRST }
    }

    /// The kind of who is active in a list.
    #[inline]
    pub fn of_one(is_active: bool) -> usize {
        if is_active { ACTIVE } else { PASSIVE }
    }
}

impl<T: Integer> Pairs<T> {
    /// Sums the numbers of customers who are in two lists. Of the columns of the lists the first count, as many as are summed.
    pub fn observe<K: Key, P: Meeting>(&mut self, meetings: &Bundles<K, P>, first: &[Column], second: &[Column]) {
        fn observe<K: Key, P: Meeting, T: Integer, const V: usize>(
            cells: &mut [Pair<T, V>],
            places: &[u32],
            meetings: &Bundles<K, P>,
            numbers: (&Numbers<V>, &Numbers<V>),
        ) {
            match numbers {
                (Narrow::Short(first), Narrow::Short(second)) => each(cells, places, meetings, first, second),
                (Narrow::Short(first), Narrow::Wide(second)) => each(cells, places, meetings, first, second),
                (Narrow::Wide(first), Narrow::Short(second)) => each(cells, places, meetings, first, second),
                (Narrow::Wide(first), Narrow::Wide(second)) => each(cells, places, meetings, first, second),
            }
        }
        fn each<K: Key, P: Meeting, T: Integer, A: Number, B: Number, const V: usize>(
            cells: &mut [Pair<T, V>],
            places: &[u32],
            meetings: &Bundles<K, P>,
            first: &[[A; V]],
            second: &[[B; V]],
        ) {
            let is_active = |bundle: &Bundle<'_, P>| bundle.of(kind::PASSIVE).len() < bundle.members().len();
            for (place, bundle) in places.iter().zip(meetings.iter()).filter(|(_, bundle)| is_active(bundle)) {
                let mut sums = Pair::<T, V>::default();
                let of = |kind| bundle.of(kind).iter().map(|meeting| meeting.places());
                of(kind::ACTIVE).for_each(|(a, b)| sums.observe(&first[a], &second[b]));
                of(kind::IN_FIRST).for_each(|(a, _)| sums.observe_first(&first[a]));
                of(kind::IN_SECOND).for_each(|(_, b)| sums.observe_second(&second[b]));
                cells[*place as usize].join(&sums);
            }
        }
        let places = &self.count(meetings);
        for (cells, columns) in self.cells.iter_mut().zip(first.iter().zip(second)) {
            match (cells, columns) {
                (Cells::Means(cells), (Column::Means(a), Column::Means(b))) => observe(cells, places, meetings, (a, b)),
                (Cells::Ratios(cells), (Column::Ratios(a), Column::Ratios(b))) => observe(cells, places, meetings, (a, b)),
                // Only outcomes are summed in pairs.
                _ => {}
            }
        }
    }
}

impl Pairs<i128> {
    /// The sums of a column under a key; nothing if the key has none.
    pub fn sums(&self, key: u128, column: usize) -> PairSums {
        self.find(key, column, Pair::sums, Pair::sums, Pair::sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::experiment::bundles::label;
    use crate::engine::experiment::member_batch::Active;
    use crate::error::Result;

    /// What the exact sums of [`crate::stats`] say of the same customers.
    #[test]
    fn stores_sum_as_statistics_do() -> Result<()> {
        fn check<T: Integer>(bound: u128) -> Result<()>
        where
            Single<i128, 2>: Absorb<Single<T, 2>>,
        {
            let forms = [Form::Mean, Form::Ratio, Form::Number];
            let (mut singles, mut few) =
                (Singles::<i128>::new(bound, forms, Some(2)), Singles::<T>::scratch(bound, FEW, forms, Some(2)));
            let (mut pairs, mut few_pairs) =
                (Pairs::<i128>::new(bound, forms, None), Pairs::<T>::scratch(bound, FEW, forms, None));
            let mut want: HashMap<(u128, usize), (Sums, PairSums)> = HashMap::new();
            for hand in 0..10i64 {
                let columns = || forms.map(Column::new);
                let (mut first, mut second, mut keys, mut met) = (columns(), columns(), Vec::new(), Vec::new());
                for customer in 20 * hand..20 * (hand + 1) {
                    let key = u128::from(customer as u64 % 7);
                    // Some are active in both lists, in either, and in none.
                    let [a, b] = [customer % 2, customer / 2 % 2];
                    let count = [i64::from(customer != 50), 0, 0, 0];
                    let a = [[customer * a, 3 * a, 0, 0], [customer * a, 2 * a, customer % 3 * a, a], count];
                    let b = [[7 * b, customer * b, 0, 0], [customer * b, 0, b, customer % 4 * b], [1, 0, 0, 0]];
                    for number in 0..3 {
                        first[number].extend([a[number]].into_iter());
                        second[number].extend([b[number]].into_iter());
                        let (sums, pairs) = want.entry((key, number)).or_default();
                        if customer != 50 || number != 2 {
                            sums.observe(a[number])?;
                        }
                        // Single numbers are not summed in pairs.
                        pairs.observe(
                            if number == 2 { [0; 4] } else { a[number] },
                            if number == 2 { [0; 4] } else { b[number] },
                        )?;
                    }
                    met.push((keys.len() as u32, keys.len() as u32));
                    keys.push(key);
                }
                let active = [&first, &second].map(|columns| Active::of(columns, 20));
                let mut members = Bundles::default();
                let labels: Vec<u128> =
                    keys.iter().zip(&active[0].flags).map(|(key, is_active)| label(*key, kind::of_one(*is_active))).collect();
                members.fill(0, bound, &labels, 0..20);
                few.observe(&members, &first);
                if hand == 2 {
                    few.lack(keys[10..11].iter().copied());
                }
                singles.merge(&few);
                few.clear();
                let mut meetings = Bundles::default();
                let kinds = active[0].flags.iter().zip(&active[1].flags).map(|(a, b)| kind::in_first(*a) + kind::in_second(*b));
                let labels: Vec<u128> = keys.iter().zip(kinds).map(|(key, kind)| label(*key, kind)).collect();
                meetings.fill(0, bound, &labels, met.iter().copied());
                few_pairs.observe(&meetings, &first, &second);
                pairs.merge(&few_pairs);
                few_pairs.clear();
            }
            assert_eq!((singles.keys().len(), pairs.keys().len()), (7, 7));
            for ((key, number), (sums, of_pair)) in want {
                assert_eq!(singles.sums(key, number), sums);
                assert_eq!(pairs.sums(key, number), of_pair);
            }
            assert_eq!(singles.sums(8, 0), Sums::default());
            Ok(())
        }
        for bound in [10, FEW + 1, DENSE + 1] {
            check::<i64>(bound)?;
            check::<i128>(bound)?;
        }
        Ok(())
    }
}
