//! Two-level sums: 64-bit partial sums, flushed into 128-bit totals before they can overflow.

use super::grouped::{GroupedCrossMoments, GroupedMoments, GroupedSums};
use super::moments::Absorb;

/// Totals, and partial sums of the rows that are not in the totals yet.
pub struct TwoLevelSums<Totals, Partial> {
    totals: Totals,
    partial: Partial,
    /// An upper bound of the sum of squares in any column of the partial sums.
    squares: u128,
}

/// Two-level sums of rows.
pub type TwoLevelMoments = TwoLevelSums<GroupedMoments<i128>, GroupedMoments<i64>>;

/// Two-level sums of joined rows.
pub type TwoLevelCrossMoments = TwoLevelSums<GroupedCrossMoments<i128>, GroupedCrossMoments<i64>>;

/// Where a batch is to be summed.
pub enum Target<'a, Totals, Partial> {
    /// Into the totals, as the batch alone could overflow partial sums.
    Total(&'a mut Totals),
    /// Into the partial sums.
    Partial(&'a mut Partial),
}

impl<Totals, Partial> TwoLevelSums<Totals, Partial> {
    /// Two-level sums of empty totals and empty partial sums, which are cleared and filled again and again.
    pub fn new(totals: Totals, partial: Partial) -> TwoLevelSums<Totals, Partial> {
        TwoLevelSums { totals, partial, squares: 0 }
    }

    /// An upper bound of the sum of squares in any column of the partial sums.
    #[cfg(test)]
    pub fn squares(&self) -> u128 {
        self.squares
    }
}

impl<N, M, R, A, B, C> TwoLevelSums<GroupedSums<N, M, R>, GroupedSums<A, B, C>>
where
    N: Copy + Default + Absorb<A>,
    M: Copy + Default + Absorb<B>,
    R: Copy + Default + Absorb<C>,
    A: Copy + Default,
    B: Copy + Default,
    C: Copy + Default,
{
    /// Where to sum a batch whose squares add up to no more than `squares` in any column.
    pub fn target(&mut self, squares: u128) -> Target<'_, GroupedSums<N, M, R>, GroupedSums<A, B, C>> {
        const MAX: u128 = i64::MAX as u128;
        if squares > MAX {
            return Target::Total(&mut self.totals);
        }
        if self.squares + squares > MAX {
            self.flush();
        }
        self.squares += squares;
        Target::Partial(&mut self.partial)
    }

    fn flush(&mut self) {
        self.totals.merge(&self.partial);
        self.partial.clear();
        self.squares = 0;
    }

    /// The totals of all rows.
    pub fn finish(mut self) -> GroupedSums<N, M, R> {
        self.flush();
        self.totals
    }
}
