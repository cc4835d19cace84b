//! Group keys.

/// A group key. Narrow keys are faster. Keys stay below the bound given at construction, so arithmetic on them is unchecked.
pub trait Key: Copy + Default + Ord + Into<u128> {
    /// The key with this number, which fits the type.
    fn of(number: u64) -> Self;
    /// The wrapping sum.
    fn plus(self, other: Self) -> Self;
    /// The wrapping product.
    fn times(self, other: Self) -> Self;
    /// The difference to a smaller key, `usize::MAX` if it is larger than that.
    fn minus(self, other: Self) -> usize;
    /// Quotient and remainder.
    fn split(self, by: usize) -> (Self, usize);
    /// The key as an index into a list of all keys, if there are few.
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
