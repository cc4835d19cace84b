//! An integer vector that stores values narrowly, and widens all of them when one does not fit.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// An integer type that holds most values of a wider one, or a tuple of such integers.
pub trait NarrowInt: Copy + PartialEq {
    /// The wider type, which holds every value.
    type Wide: Copy + PartialEq;
    /// The bits of a value that this type would lose: 0 if the value fits.
    fn overflow_bits(wide: Self::Wide) -> u64;
    /// The value in this type, into which it must fit.
    fn truncate(wide: Self::Wide) -> Self;
    /// The value in the wider type.
    fn widen(self) -> Self::Wide;
}

macro_rules! narrow_ints {
    ($($narrow:ty = $wide:ty),+) => {$(
        impl NarrowInt for $narrow {
            type Wide = $wide;

            #[inline]
            fn overflow_bits(wide: $wide) -> u64 {
                (wide as u64) >> <$narrow>::BITS
            }

            #[inline]
            fn truncate(wide: $wide) -> $narrow {
                wide as $narrow
            }

            #[inline]
            fn widen(self) -> $wide {
                self.into()
            }
        }
    )+};
}

narrow_ints!(u32 = i64, u16 = i32, u8 = u32);

impl<S: NarrowInt, const V: usize> NarrowInt for [S; V] {
    type Wide = [S::Wide; V];

    #[inline]
    fn overflow_bits(wide: Self::Wide) -> u64 {
        wide.into_iter().fold(0, |bits, value| bits | S::overflow_bits(value))
    }

    #[inline]
    fn truncate(wide: Self::Wide) -> Self {
        wide.map(S::truncate)
    }

    #[inline]
    fn widen(self) -> Self::Wide {
        self.map(S::widen)
    }
}

/// Integers that are narrow as long as all of them fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "S: Serialize, S::Wide: Serialize", deserialize = "S: Deserialize<'de>, S::Wide: Deserialize<'de>"))]
pub enum CompactInts<S: NarrowInt> {
    /// All values fit into the narrow type.
    Narrow(Vec<S>),
    /// Some value did not fit.
    Wide(Vec<S::Wide>),
}

impl<S: NarrowInt> CompactInts<S> {
    /// An empty vector with room for `capacity` narrow values.
    pub fn with_capacity(capacity: usize) -> CompactInts<S> {
        CompactInts::Narrow(Vec::with_capacity(capacity))
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            CompactInts::Narrow(values) => values.len(),
            CompactInts::Wide(values) => values.len(),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at an index below [`CompactInts::len`].
    #[inline]
    pub fn at(&self, index: usize) -> S::Wide {
        match self {
            CompactInts::Narrow(values) => values[index].widen(),
            CompactInts::Wide(values) => values[index],
        }
    }

    /// All values in order.
    pub fn iter(&self) -> impl Iterator<Item = S::Wide> + Clone {
        let (narrow, wide) = match self {
            CompactInts::Narrow(values) => (values.as_slice(), &[][..]),
            CompactInts::Wide(values) => (&[][..], values.as_slice()),
        };
        narrow.iter().map(|value| value.widen()).chain(wide.iter().copied())
    }

    /// Removes all values and keeps the width.
    pub fn clear(&mut self) {
        match self {
            CompactInts::Narrow(values) => values.clear(),
            CompactInts::Wide(values) => values.clear(),
        }
    }

    /// Appends values in one pass if they fit, and in a second one if they do not.
    #[inline]
    pub fn extend(&mut self, values: impl Iterator<Item = S::Wide> + Clone) {
        if let CompactInts::Narrow(narrow) = self {
            let (len, mut overflow) = (narrow.len(), 0);
            narrow.extend(values.clone().map(|value| {
                overflow |= S::overflow_bits(value);
                S::truncate(value)
            }));
            if overflow == 0 {
                return;
            }
            narrow.truncate(len);
            self.widen_unless(false);
        }
        if let CompactInts::Wide(wide) = self {
            wide.extend(values);
        }
    }

    /// The bytes that are allocated.
    pub fn bytes(&self) -> usize {
        match self {
            CompactInts::Narrow(values) => values.capacity() * size_of::<S>(),
            CompactInts::Wide(values) => values.capacity() * size_of::<S::Wide>(),
        }
    }

    /// Appends one value.
    #[inline]
    pub fn push(&mut self, value: S::Wide) {
        self.widen_unless(S::overflow_bits(value) == 0);
        match self {
            CompactInts::Narrow(values) => values.push(S::truncate(value)),
            CompactInts::Wide(values) => values.push(value),
        }
    }

    /// Whether all values fit into the narrow type.
    pub fn all_fit(values: &[S::Wide]) -> bool {
        values.iter().fold(0, |bits, value| bits | S::overflow_bits(*value)) == 0
    }

    /// Appends `values[index]` for every index; `all_fit` says whether all of `values` fit into the narrow type.
    #[inline]
    pub fn extend_from(&mut self, values: &[S::Wide], all_fit: bool, indices: impl Iterator<Item = usize>) {
        self.widen_unless(all_fit);
        match self {
            CompactInts::Narrow(narrow) => narrow.extend(indices.map(|index| S::truncate(values[index]))),
            CompactInts::Wide(wide) => wide.extend(indices.map(|index| values[index])),
        }
    }

    /// Appends the value of `others` at every index, and `default` for an index past its end.
    #[inline]
    pub fn gather(&mut self, others: &CompactInts<S>, indices: impl Iterator<Item = usize>, default: S::Wide) {
        fn get<T: Copy>(values: &[T], index: usize, default: T) -> T {
            values.get(index).copied().unwrap_or(default)
        }
        self.widen_unless(matches!(others, CompactInts::Narrow(_)) && S::overflow_bits(default) == 0);
        match (self, others) {
            (CompactInts::Narrow(narrow), CompactInts::Narrow(others)) => {
                narrow.extend(indices.map(|index| get(others, index, S::truncate(default))));
            }
            (CompactInts::Wide(wide), CompactInts::Narrow(others)) => {
                wide.extend(indices.map(|index| others.get(index).map_or(default, |other| other.widen())));
            }
            (CompactInts::Wide(wide), CompactInts::Wide(others)) => {
                wide.extend(indices.map(|index| get(others, index, default)));
            }
            // Widened above.
            (CompactInts::Narrow(_), CompactInts::Wide(_)) => {}
        }
    }

    /// A vector of `len` times `default`, except for some values, each with its index.
    pub fn scatter(len: usize, default: S::Wide, values: impl Iterator<Item = (usize, S::Wide)> + Clone) -> CompactInts<S> {
        let (mut narrow, mut overflow) = (vec![S::truncate(default); len], S::overflow_bits(default));
        for (index, value) in values.clone() {
            overflow |= S::overflow_bits(value);
            narrow[index] = S::truncate(value);
        }
        if overflow == 0 {
            return CompactInts::Narrow(narrow);
        }
        let mut wide = vec![default; len];
        values.for_each(|(index, value)| wide[index] = value);
        CompactInts::Wide(wide)
    }

    /// Appends all values of another vector.
    pub fn append(&mut self, others: &CompactInts<S>) {
        self.widen_unless(matches!(others, CompactInts::Narrow(_)));
        match (self, others) {
            (CompactInts::Narrow(narrow), CompactInts::Narrow(others)) => narrow.extend_from_slice(others),
            (CompactInts::Wide(wide), CompactInts::Narrow(others)) => wide.extend(others.iter().map(|other| other.widen())),
            (CompactInts::Wide(wide), CompactInts::Wide(others)) => wide.extend_from_slice(others),
            // Widened above.
            (CompactInts::Narrow(_), CompactInts::Wide(_)) => {}
        }
    }

    /// Widens the values, unless all that follow fit.
    fn widen_unless(&mut self, all_fit: bool) {
        if let (CompactInts::Narrow(values), false) = (&*self, all_fit) {
            let mut wide = Vec::with_capacity(values.capacity());
            wide.extend(values.iter().map(|value| value.widen()));
            *self = CompactInts::Wide(wide);
        }
    }

    /// Calls `found` with every run of equal values and the indices that it spans.
    pub fn runs(&self, mut found: impl FnMut(S::Wide, Range<u32>)) {
        fn each<T: Copy + PartialEq>(values: &[T], mut found: impl FnMut(T, Range<u32>)) {
            let mut end = 0;
            for run in values.chunk_by(|a, b| a == b) {
                let start = end;
                end += run.len() as u32;
                found(run[0], start..end);
            }
        }
        match self {
            CompactInts::Narrow(values) => each(values, |value, indices| found(value.widen(), indices)),
            CompactInts::Wide(values) => each(values, found),
        }
    }
}

impl<S: NarrowInt> FromIterator<S::Wide> for CompactInts<S> {
    fn from_iter<I: IntoIterator<Item = S::Wide>>(values: I) -> CompactInts<S> {
        let mut out = CompactInts::with_capacity(0);
        values.into_iter().for_each(|value| out.push(value));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values come out as they went in, narrow until the first one that does not fit.
    #[test]
    fn values_stay_what_they_are() {
        let few = [0, 7, 7, i64::from(u32::MAX), 5];
        let more = [3, -1, 3, i64::MIN, i64::from(u32::MAX) + 1, i64::MAX];
        let mut all: CompactInts<u32> = few.into_iter().collect();
        assert!(matches!(all, CompactInts::Narrow(_)));
        all.extend_from(&more, false, [5, 0, 1].into_iter());
        all.append(&few.into_iter().collect());
        all.append(&more.into_iter().collect());
        let want: Vec<i64> = few.into_iter().chain([i64::MAX, 3, -1]).chain(few).chain(more).collect();
        assert!(matches!(all, CompactInts::Wide(_)));
        assert_eq!(all.iter().collect::<Vec<_>>(), want);
        let mut pairs: CompactInts<[u32; 2]> = CompactInts::with_capacity(0);
        let [some, others] = [few.map(|value| [value, 1]), few.map(|value| [1, -value])];
        pairs.extend(some.into_iter());
        assert!(matches!(pairs, CompactInts::Narrow(_)));
        pairs.extend(others.into_iter());
        assert_eq!(pairs, CompactInts::Wide(some.into_iter().chain(others).collect()));
        pairs.clear();
        pairs.extend(some.into_iter());
        assert_eq!(pairs, CompactInts::Wide(some.to_vec()));
        let mut short: CompactInts<u32> = few.into_iter().collect();
        short.append(&more.into_iter().collect());
        assert_eq!((short.len(), short.at(4), short.at(6)), (11, 5, -1));
        // Days before 1970 and after 2149.
        for day in [-1, 65_536] {
            assert_eq!([3, day].into_iter().collect::<CompactInts<u16>>(), CompactInts::Wide(vec![3, day]));
        }
    }

    /// Scattered values are found at their indices, whatever their width and that of the values before.
    #[test]
    fn values_are_found_at_their_indices() {
        for (largest, rest) in [(8, 0), (i64::MAX, 0), (8, -1)] {
            let spread: CompactInts<u32> = CompactInts::scatter(5, rest, [(3, largest), (1, 7)].into_iter());
            let is_short = largest == 8 && rest == 0;
            assert_eq!(matches!(spread, CompactInts::Narrow(_)), is_short);
            let at = [3, 1, 0, 5, usize::MAX];
            for before in [4, -4] {
                let mut found: CompactInts<u32> = [before].into_iter().collect();
                found.gather(&spread, at.into_iter(), rest);
                assert_eq!(found.iter().collect::<Vec<_>>(), [before, largest, 7, rest, rest, rest]);
                assert_eq!(matches!(found, CompactInts::Narrow(_)), is_short && before == 4);
            }
        }
    }

    #[test]
    fn runs_cover_all_values() {
        for far in [2, 70_000] {
            let days: CompactInts<u16> = [5, 5, far, 5, 9, 9, 9].into_iter().collect();
            let mut found = Vec::new();
            days.runs(|day, places| found.push((day, places)));
            assert_eq!(found, [(5, 0..2), (far, 2..3), (5, 3..4), (9, 4..7)]);
        }
    }
}
