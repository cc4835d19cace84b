//! Sums of values and of their products.

use super::column::{Column, Tuples};
use super::partition::{Group, zero_pattern};
use crate::domain::CompactInts;
use crate::stats::{PairSums, Sums, VALUES};

/// A group of rows, and where its sums are.
pub type Located<'a, R> = (usize, Group<'a, R>);

/// Where a joined row has its values.
pub trait JoinedRow: Copy + Default {
    /// The indices in the first and in the second batch.
    fn indices(self) -> (usize, usize);
}

impl JoinedRow for (u32, u32) {
    #[inline]
    fn indices(self) -> (usize, usize) {
        (self.0 as usize, self.1 as usize)
    }
}

/// The same index in both batches.
impl JoinedRow for u32 {
    #[inline]
    fn indices(self) -> (usize, usize) {
        (self as usize, self as usize)
    }
}

/// How many integers the moments of `arity` integers are: their sums, and the products of every two of them.
pub const fn moments_len(arity: usize) -> usize {
    arity + arity * (arity + 1) / 2
}

/// How many integers the cross moments of `arity` integers are: their sums in each batch, and the products of one from each.
pub const fn cross_moments_len(arity: usize) -> usize {
    2 * arity + arity * arity
}

/// Adds the moments of a column by group.
pub fn add_moments<T: Integer>(column: &Column, groups: &[Located<'_, u32>], sums: &mut [T]) {
    match column {
        Column::One(values) => of_rows(values, groups, sums),
        Column::Two(values) => of_rows(values, groups, sums),
        Column::Four(values) => of_rows(values, groups, sums),
    }
}

fn of_rows<T: Integer, const V: usize>(values: &Tuples<V>, groups: &[Located<'_, u32>], sums: &mut [T]) {
    match values {
        CompactInts::Narrow(values) => moments(values, groups, sums),
        CompactInts::Wide(values) => moments(values, groups, sums),
    }
}

fn moments<T: Integer, N: Copy + Into<i64>, const V: usize>(values: &[[N; V]], groups: &[Located<'_, u32>], sums: &mut [T]) {
    for (at, group) in groups {
        let (mut sum, mut product) = ([T::default(); V], [[T::default(); V]; V]);
        // The zero patterns are those of values of two and four integers.
        let rows = if V == 1 { group.rows } else { group.of(zero_pattern::NONE) };
        for row in rows {
            let value = values[*row as usize].map(Into::into);
            for i in 0..V {
                sum[i].add(value[i]);
                for j in i..V {
                    product[i][j].add_product(value[i], value[j]);
                }
            }
        }
        let to = &mut sums[*at..][..moments_len(V)];
        let mut next = V;
        for i in 0..V {
            to[i].join(sum[i]);
            for product in &product[i][i..] {
                to[next].join(*product);
                next += 1;
            }
        }
    }
}

/// Adds the cross moments of two columns with the same arity by group.
pub fn add_cross_moments<R: JoinedRow, T: Integer>(first: &Column, second: &Column, groups: &[Located<'_, R>], sums: &mut [T]) {
    match (first, second) {
        (Column::One(a), Column::One(b)) => of_joined_rows(a, b, groups, sums),
        (Column::Two(a), Column::Two(b)) => of_joined_rows(a, b, groups, sums),
        (Column::Four(a), Column::Four(b)) => of_joined_rows(a, b, groups, sums),
        _ => {}
    }
}

fn of_joined_rows<R: JoinedRow, T: Integer, const V: usize>(
    a: &Tuples<V>,
    b: &Tuples<V>,
    groups: &[Located<'_, R>],
    sums: &mut [T],
) {
    match (a, b) {
        (CompactInts::Narrow(a), CompactInts::Narrow(b)) => cross_moments(a, b, groups, sums),
        (CompactInts::Narrow(a), CompactInts::Wide(b)) => cross_moments(a, b, groups, sums),
        (CompactInts::Wide(a), CompactInts::Narrow(b)) => cross_moments(a, b, groups, sums),
        (CompactInts::Wide(a), CompactInts::Wide(b)) => cross_moments(a, b, groups, sums),
    }
}

fn cross_moments<A: Copy + Into<i64>, B: Copy + Into<i64>, R: JoinedRow, T: Integer, const V: usize>(
    first: &[[A; V]],
    second: &[[B; V]],
    groups: &[Located<'_, R>],
    sums: &mut [T],
) {
    let zero = CrossMoments { first: [T::default(); V], second: [T::default(); V], product: [[T::default(); V]; V] };
    for (at, group) in groups {
        let mut moments = zero;
        let rows = |pattern| group.of(pattern).iter().map(|row| row.indices());
        rows(zero_pattern::NONE).for_each(|(x, y)| moments.observe(&first[x], &second[y]));
        rows(zero_pattern::SECOND).for_each(|(x, _)| moments.observe_first(&first[x]));
        rows(zero_pattern::FIRST).for_each(|(_, y)| moments.observe_second(&second[y]));
        let to = &mut sums[*at..][..cross_moments_len(V)];
        for i in 0..V {
            to[i].join(moments.first[i]);
            to[V + i].join(moments.second[i]);
            for j in 0..V {
                to[2 * V + i * V + j].join(moments.product[i][j]);
            }
        }
    }
}

/// The cross moments of a group. Three loops over the integers of a row stay in registers; one loop over all of them does not.
#[derive(Clone, Copy)]
struct CrossMoments<T, const V: usize> {
    first: [T; V],
    second: [T; V],
    product: [[T; V]; V],
}

impl<T: Integer, const V: usize> CrossMoments<T, V> {
    #[inline]
    fn observe<A: Copy + Into<i64>, B: Copy + Into<i64>>(&mut self, first: &[A; V], second: &[B; V]) {
        self.observe_first(first);
        self.observe_second(second);
        for (products, first) in self.product.iter_mut().zip(first) {
            let both = products.iter_mut().zip(second);
            both.for_each(|(product, second)| product.add_product((*first).into(), (*second).into()));
        }
    }

    #[inline]
    fn observe_first<A: Copy + Into<i64>>(&mut self, first: &[A; V]) {
        self.first.iter_mut().zip(first).for_each(|(sum, number)| sum.add((*number).into()));
    }

    #[inline]
    fn observe_second<B: Copy + Into<i64>>(&mut self, second: &[B; V]) {
        self.second.iter_mut().zip(second).for_each(|(sum, number)| sum.add((*number).into()));
    }
}

/// An integer that sums are made of. Additions wrap around.
pub trait Integer: Copy + Default {
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
    fn join(&mut self, other: i64) {
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
    fn join(&mut self, other: i128) {
        *self = self.wrapping_add(other);
    }
}

/// Moments of `n` rows as statistics have them.
pub fn to_sums(arity: usize, n: i64, moments: &[i128]) -> Sums {
    let (sum, products) = moments.split_at(arity);
    let mut out = Sums { n, ..Sums::default() };
    out.sum[..arity].copy_from_slice(sum);
    let seconds = (0..VALUES).flat_map(|i| i..VALUES);
    let known = out.product.iter_mut().zip(seconds).filter(|(_, j)| *j < arity);
    known.zip(products).for_each(|((to, _), product)| *to = *product);
    out
}

/// Cross moments of `n` joined rows as statistics have them.
pub fn to_pair_sums(arity: usize, n: i64, moments: &[i128]) -> PairSums {
    let mut out = PairSums { n, ..PairSums::default() };
    out.first[..arity].copy_from_slice(&moments[..arity]);
    out.second[..arity].copy_from_slice(&moments[arity..2 * arity]);
    let products = out.product.iter_mut().zip(moments[2 * arity..].chunks(arity));
    products.for_each(|(to, products)| to[..arity].copy_from_slice(products));
    out
}
