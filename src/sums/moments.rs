//! Sums of values and of their products.

use super::column::Number;
use crate::stats::{PairSums, Sums, VALUES};

/// An integer that sums are made of. Additions wrap around.
pub trait Integer: Copy + Default + Into<i128> {
    /// Adds a number.
    fn add(&mut self, number: i64);
    /// Adds the product of two numbers.
    fn add_product(&mut self, a: i64, b: i64);
    /// Adds another sum.
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

/// Adds sums whose integers may be narrower.
pub trait Absorb<Other> {
    fn absorb(&mut self, other: &Other);
}

fn join<T: Integer>(all: &mut [T], own: &[T]) {
    all.iter_mut().zip(own).for_each(|(all, own)| all.join(*own));
}

fn absorb_all<T: Integer>(all: &mut [i128], own: &[T]) {
    all.iter_mut().zip(own).for_each(|(all, own)| *all = all.wrapping_add((*own).into()));
}

/// Sums of `V` integers over rows, and of their products (the upper triangle).
#[derive(Debug, Clone, Copy)]
pub struct Moments<T, const V: usize> {
    sum: [T; V],
    product: [[T; V]; V],
}

impl<T: Integer, const V: usize> Default for Moments<T, V> {
    fn default() -> Self {
        Moments { sum: [T::default(); V], product: [[T::default(); V]; V] }
    }
}

impl<T: Integer, const V: usize> Moments<T, V> {
    #[inline]
    pub fn observe<N: Number>(&mut self, numbers: &[N; V]) {
        for i in 0..V {
            self.sum[i].add(numbers[i].into());
            for j in i..V {
                self.product[i][j].add_product(numbers[i].into(), numbers[j].into());
            }
        }
    }
}

impl<T: Integer, const V: usize> Moments<T, V> {
    /// Adds other sums of the same type.
    #[inline]
    pub fn join(&mut self, other: &Moments<T, V>) {
        join(&mut self.sum, &other.sum);
        self.product.iter_mut().zip(&other.product).for_each(|(all, own)| join(all, own));
    }
}

impl<T: Integer> Moments<T, 1> {
    /// Adds a number of rows whose value is 1.
    pub fn observe_flags(&mut self, customers: usize) {
        self.sum[0].add(customers as i64);
        self.product[0][0].add(customers as i64);
    }
}

impl<T: Integer, const V: usize> Absorb<Moments<T, V>> for Moments<i128, V> {
    fn absorb(&mut self, other: &Moments<T, V>) {
        absorb_all(&mut self.sum, &other.sum);
        self.product.iter_mut().zip(&other.product).for_each(|(all, own)| absorb_all(all, own));
    }
}

impl<const V: usize> Moments<i128, V> {
    pub fn sums(&self, n: i64) -> Sums {
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

/// Sums of the `V` integers of a first and of a second value over rows, and of the products of one from each.
#[derive(Debug, Clone, Copy)]
pub struct CrossMoments<T, const V: usize> {
    first: [T; V],
    second: [T; V],
    product: [[T; V]; V],
}

impl<T: Integer, const V: usize> Default for CrossMoments<T, V> {
    fn default() -> Self {
        let (zero, zeros) = ([T::default(); V], [[T::default(); V]; V]);
        CrossMoments { first: zero, second: zero, product: zeros }
    }
}

impl<T: Integer, const V: usize> CrossMoments<T, V> {
    #[inline]
    pub fn observe<A: Number, B: Number>(&mut self, first: &[A; V], second: &[B; V]) {
        self.observe_first(first);
        self.observe_second(second);
        for (products, first) in self.product.iter_mut().zip(first) {
            let both = products.iter_mut().zip(second);
            both.for_each(|(product, second)| product.add_product((*first).into(), (*second).into()));
        }
    }

    #[inline]
    pub fn observe_first<A: Number>(&mut self, first: &[A; V]) {
        self.first.iter_mut().zip(first).for_each(|(sum, number)| sum.add((*number).into()));
    }

    #[inline]
    pub fn observe_second<B: Number>(&mut self, second: &[B; V]) {
        self.second.iter_mut().zip(second).for_each(|(sum, number)| sum.add((*number).into()));
    }
}

impl<T: Integer, const V: usize> CrossMoments<T, V> {
    /// Adds other sums of the same type.
    #[inline]
    pub fn join(&mut self, other: &CrossMoments<T, V>) {
        join(&mut self.first, &other.first);
        join(&mut self.second, &other.second);
        self.product.iter_mut().zip(&other.product).for_each(|(all, own)| join(all, own));
    }
}

impl<T: Integer, const V: usize> Absorb<CrossMoments<T, V>> for CrossMoments<i128, V> {
    fn absorb(&mut self, other: &CrossMoments<T, V>) {
        absorb_all(&mut self.first, &other.first);
        absorb_all(&mut self.second, &other.second);
        self.product.iter_mut().zip(&other.product).for_each(|(all, own)| absorb_all(all, own));
    }
}

impl<const V: usize> CrossMoments<i128, V> {
    pub fn sums(&self, n: i64) -> PairSums {
        let mut out = PairSums { n, ..PairSums::default() };
        out.first[..V].copy_from_slice(&self.first);
        out.second[..V].copy_from_slice(&self.second);
        out.product.iter_mut().zip(&self.product).for_each(|(to, own)| to[..V].copy_from_slice(own));
        out
    }
}
