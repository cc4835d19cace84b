//! Integers kept in few bytes as long as they fit, for columns of so many rows that memory is what they cost.

use std::ops::Range;

/// A small integer that stands for a larger one, or several that do.
pub trait Short: Copy + PartialEq {
    /// The larger one.
    type Wide: Copy + PartialEq;
    /// Not zero if it does not hold a value.
    fn excess(wide: Self::Wide) -> u64;
    /// A value that it holds.
    fn of(wide: Self::Wide) -> Self;
    /// What it stands for.
    fn wide(self) -> Self::Wide;
}

macro_rules! short {
    ($($short:ty = $wide:ty),+) => {$(
        impl Short for $short {
            type Wide = $wide;

            #[inline]
            fn excess(wide: $wide) -> u64 {
                (wide as u64) >> <$short>::BITS
            }

            #[inline]
            fn of(wide: $wide) -> $short {
                wide as $short
            }

            #[inline]
            fn wide(self) -> $wide {
                self.into()
            }
        }
    )+};
}

short!(u32 = i64, u16 = i32, u8 = u32);

impl<S: Short, const V: usize> Short for [S; V] {
    type Wide = [S::Wide; V];

    #[inline]
    fn excess(wide: Self::Wide) -> u64 {
        wide.into_iter().fold(0, |excess, own| excess | S::excess(own))
    }

    #[inline]
    fn of(wide: Self::Wide) -> Self {
        wide.map(S::of)
    }

    #[inline]
    fn wide(self) -> Self::Wide {
        self.map(S::wide)
    }
}

/// Integers as long as all of them fit in few bytes, and else as wide as they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Narrow<S: Short> {
    /// All fit.
    Short(Vec<S>),
    /// Some do not.
    Wide(Vec<S::Wide>),
}

impl<S: Short> Narrow<S> {
    /// None, with room for so many that fit.
    pub fn with_capacity(rows: usize) -> Narrow<S> {
        Narrow::Short(Vec::with_capacity(rows))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Narrow::Short(own) => own.len(),
            Narrow::Wide(own) => own.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one at a place, which must be there.
    #[inline]
    pub fn at(&self, place: usize) -> S::Wide {
        match self {
            Narrow::Short(own) => own[place].wide(),
            Narrow::Wide(own) => own[place],
        }
    }

    /// The first, if all of them are the same.
    pub fn same(&self) -> Option<S::Wide> {
        fn first<T: Copy + PartialEq>(all: &[T]) -> Option<T> {
            let (first, rest) = all.split_first()?;
            rest.iter().all(|own| own == first).then_some(*first)
        }
        match self {
            Narrow::Short(own) => first(own).map(S::wide),
            Narrow::Wide(own) => first(own),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = S::Wide> + Clone {
        let (short, wide) = match self {
            Narrow::Short(own) => (own.as_slice(), &[][..]),
            Narrow::Wide(own) => (&[][..], own.as_slice()),
        };
        short.iter().map(|own| own.wide()).chain(wide.iter().copied())
    }

    /// Forgets all; those that come next are as wide as they were.
    pub fn clear(&mut self) {
        match self {
            Narrow::Short(own) => own.clear(),
            Narrow::Wide(own) => own.clear(),
        }
    }

    /// Appends some, in one step if they fit.
    #[inline]
    pub fn extend(&mut self, values: impl Iterator<Item = S::Wide> + Clone) {
        if let Narrow::Short(own) = self {
            let (known, mut excess) = (own.len(), 0);
            own.extend(values.clone().map(|value| {
                excess |= S::excess(value);
                S::of(value)
            }));
            if excess == 0 {
                return;
            }
            own.truncate(known);
            self.admit(false);
        }
        if let Narrow::Wide(own) = self {
            own.extend(values);
        }
    }

    /// Bytes that they take.
    pub fn bytes(&self) -> usize {
        match self {
            Narrow::Short(own) => own.capacity() * size_of::<S>(),
            Narrow::Wide(own) => own.capacity() * size_of::<S::Wide>(),
        }
    }

    /// Appends one.
    #[inline]
    pub fn push(&mut self, value: S::Wide) {
        if S::excess(value) != 0 {
            self.admit(false);
        }
        match self {
            Narrow::Short(own) => own.push(S::of(value)),
            Narrow::Wide(own) => own.push(value),
        }
    }

    /// Whether all of these fit in few bytes.
    pub fn all_fit(values: &[S::Wide]) -> bool {
        values.iter().fold(0, |excess, value| excess | S::excess(*value)) == 0
    }

    /// Appends those at some places of many; it is known whether all of them fit.
    #[inline]
    pub fn extend_of(&mut self, values: &[S::Wide], all_fit: bool, places: impl Iterator<Item = usize>) {
        self.admit(all_fit);
        match self {
            Narrow::Short(own) => own.extend(places.map(|place| S::of(values[place]))),
            Narrow::Wide(own) => own.extend(places.map(|place| values[place])),
        }
    }

    /// Appends those at some places of others, and `rest` for places where there is none.
    #[inline]
    pub fn extend_at(&mut self, others: &Narrow<S>, places: impl Iterator<Item = usize>, rest: S::Wide) {
        fn at<T: Copy>(all: &[T], place: usize, rest: T) -> T {
            all.get(place).copied().unwrap_or(rest)
        }
        self.admit(matches!(others, Narrow::Short(_)) && S::excess(rest) == 0);
        match (self, others) {
            (Narrow::Short(own), Narrow::Short(others)) => own.extend(places.map(|place| at(others, place, S::of(rest)))),
            (Narrow::Wide(own), Narrow::Short(others)) => {
                own.extend(places.map(|place| others.get(place).map_or(rest, |other| other.wide())));
            }
            (Narrow::Wide(own), Narrow::Wide(others)) => own.extend(places.map(|place| at(others, place, rest))),
            // Those that follow are admitted.
            (Narrow::Short(_), Narrow::Wide(_)) => {}
        }
    }

    /// So many `rest`, but for some, each with its place.
    pub fn spread(count: usize, rest: S::Wide, values: impl Iterator<Item = (usize, S::Wide)> + Clone) -> Narrow<S> {
        let (mut short, mut excess) = (vec![S::of(rest); count], S::excess(rest));
        for (place, value) in values.clone() {
            excess |= S::excess(value);
            short[place] = S::of(value);
        }
        if excess == 0 {
            return Narrow::Short(short);
        }
        let mut wide = vec![rest; count];
        values.for_each(|(place, value)| wide[place] = value);
        Narrow::Wide(wide)
    }

    /// Appends others.
    pub fn append(&mut self, others: &Narrow<S>) {
        self.admit(matches!(others, Narrow::Short(_)));
        match (self, others) {
            (Narrow::Short(own), Narrow::Short(others)) => own.extend_from_slice(others),
            (Narrow::Wide(own), Narrow::Short(others)) => own.extend(others.iter().map(|other| other.wide())),
            (Narrow::Wide(own), Narrow::Wide(others)) => own.extend_from_slice(others),
            // Those that follow are admitted.
            (Narrow::Short(_), Narrow::Wide(_)) => {}
        }
    }

    /// Makes room for wide ones, unless all that follow fit.
    fn admit(&mut self, all_fit: bool) {
        if let (Narrow::Short(own), false) = (&*self, all_fit) {
            let mut wide = Vec::with_capacity(own.capacity());
            wide.extend(own.iter().map(|own| own.wide()));
            *self = Narrow::Wide(wide);
        }
    }

    /// Calls `found` with every value and the places at which it follows itself.
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
            Narrow::Short(own) => each(own, |value, places| found(value.wide(), places)),
            Narrow::Wide(own) => each(own, found),
        }
    }
}

impl<S: Short> FromIterator<S::Wide> for Narrow<S> {
    fn from_iter<I: IntoIterator<Item = S::Wide>>(values: I) -> Narrow<S> {
        let mut out = Narrow::with_capacity(0);
        values.into_iter().for_each(|value| out.push(value));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever comes in comes out, in few bytes until the first value that needs more.
    #[test]
    fn values_stay_what_they_are() {
        let few = [0, 7, 7, i64::from(u32::MAX), 5];
        let more = [3, -1, 3, i64::MIN, i64::from(u32::MAX) + 1, i64::MAX];
        let mut all: Narrow<u32> = few.into_iter().collect();
        assert!(matches!(all, Narrow::Short(_)));
        all.extend_of(&more, false, [5, 0, 1].into_iter());
        all.append(&few.into_iter().collect());
        all.append(&more.into_iter().collect());
        let want: Vec<i64> = few.into_iter().chain([i64::MAX, 3, -1]).chain(few).chain(more).collect();
        assert!(matches!(all, Narrow::Wide(_)));
        assert_eq!(all.iter().collect::<Vec<_>>(), want);
        let mut pairs: Narrow<[u32; 2]> = Narrow::with_capacity(0);
        let [some, others] = [few.map(|value| [value, 1]), few.map(|value| [1, -value])];
        pairs.extend(some.into_iter());
        assert!(matches!(pairs, Narrow::Short(_)));
        pairs.extend(others.into_iter());
        assert_eq!(pairs, Narrow::Wide(some.into_iter().chain(others).collect()));
        pairs.clear();
        pairs.extend(some.into_iter());
        assert_eq!(pairs, Narrow::Wide(some.to_vec()));
        let mut short: Narrow<u32> = few.into_iter().collect();
        short.append(&more.into_iter().collect());
        assert_eq!((short.len(), short.at(4), short.at(6)), (11, 5, -1));
        assert_eq!((short.same(), pairs.same()), (None, None));
        for value in [7, -7] {
            assert_eq!([value; 3].into_iter().collect::<Narrow<u32>>().same(), Some(value));
        }
        assert_eq!(Narrow::<u32>::with_capacity(3).same(), None);
        // Days before 1970 and after 2149.
        for day in [-1, 65_536] {
            assert_eq!([3, day].into_iter().collect::<Narrow<u16>>(), Narrow::Wide(vec![3, day]));
        }
    }

    /// Values spread over places are found there, whatever their width and that of those before.
    #[test]
    fn values_are_found_at_their_places() {
        for (largest, rest) in [(8, 0), (i64::MAX, 0), (8, -1)] {
            let spread: Narrow<u32> = Narrow::spread(5, rest, [(3, largest), (1, 7)].into_iter());
            let is_short = largest == 8 && rest == 0;
            assert_eq!(matches!(spread, Narrow::Short(_)), is_short);
            let at = [3, 1, 0, 5, usize::MAX];
            for before in [4, -4] {
                let mut found: Narrow<u32> = [before].into_iter().collect();
                found.extend_at(&spread, at.into_iter(), rest);
                assert_eq!(found.iter().collect::<Vec<_>>(), [before, largest, 7, rest, rest, rest]);
                assert_eq!(matches!(found, Narrow::Short(_)), is_short && before == 4);
            }
        }
    }

    #[test]
    fn runs_are_all_values() {
        for far in [2, 70_000] {
            let days: Narrow<u16> = [5, 5, far, 5, 9, 9, 9].into_iter().collect();
            let mut found = Vec::new();
            days.runs(|day, places| found.push((day, places)));
            assert_eq!(found, [(5, 0..2), (far, 2..3), (5, 3..4), (9, 4..7)]);
        }
    }
}
