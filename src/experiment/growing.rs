//! Sums that grow: of few customers in 64 bits, which is fast, and of all in 128.

use crate::engine::experiment::store::{Absorb, Pairs, Singles, Store};

/// Sums, and those of some customers who are not in them yet.
pub struct Growing<All, Few> {
    all: All,
    few: Few,
    /// The squares of the numbers of these customers add up to no more than this in any column.
    squares: u128,
}

/// Sums of the customers of a list.
pub type GrowingSingles = Growing<Singles<i128>, Singles<i64>>;

/// Sums of customers who are in two lists.
pub type GrowingPairs = Growing<Pairs<i128>, Pairs<i64>>;

/// Where customers are to be summed.
pub enum Room<'a, All, Few> {
    All(&'a mut All),
    Few(&'a mut Few),
}

impl<All, Few> Growing<All, Few> {
    /// Sums that begin with these; `few` are to be cleared and filled again and again.
    pub fn new(all: All, few: Few) -> Growing<All, Few> {
        Growing { all, few, squares: 0 }
    }

    /// The squares of the numbers of customers who are not in the sums of all yet.
    #[cfg(test)]
    pub fn squares(&self) -> u128 {
        self.squares
    }
}

impl<N, M, R, A, B, C> Growing<Store<N, M, R>, Store<A, B, C>>
where
    N: Copy + Default + Absorb<A>,
    M: Copy + Default + Absorb<B>,
    R: Copy + Default + Absorb<C>,
    A: Copy + Default,
    B: Copy + Default,
    C: Copy + Default,
{
    /// Room for customers, the squares of whose numbers add up to no more than this in any column.
    pub fn room(&mut self, squares: u128) -> Room<'_, Store<N, M, R>, Store<A, B, C>> {
        const MOST: u128 = i64::MAX as u128;
        if squares > MOST {
            return Room::All(&mut self.all);
        }
        if self.squares + squares > MOST {
            self.settle();
        }
        self.squares += squares;
        Room::Few(&mut self.few)
    }

    fn settle(&mut self) {
        self.all.merge(&self.few);
        self.few.clear();
        self.squares = 0;
    }

    /// All sums.
    pub fn finish(mut self) -> Store<N, M, R> {
        self.settle();
        self.all
    }
}
