//! A multiset of integers that are kept one by one, and what is asked of it: order statistics and counts.
//!
//! The values lie in pieces of limited size. So a list grows without being copied, two lists join without touching a value,
//! and threads share the work on one list.

use rayon::prelude::*;

use crate::domain::ends;
use crate::measure::{NULL_INT, NULL_LONG};

/// Values of a piece, at most: few enough to stay in the cache while they are asked several things.
const PIECE: usize = 1 << 15;

/// Ranges up to this many distinct integers are counted to find order statistics.
const COUNTERS: usize = 1 << 14;

/// Values in no particular order. Those that fit 32 bits, which are nearly all, are kept in as many.
#[derive(Debug, Clone, Default)]
pub struct ValueList {
    narrow: Pieces<i32>,
    wide: Pieces<i64>,
}

/// Values of a type.
#[derive(Debug, Clone, Default)]
struct Pieces<T> {
    pieces: Vec<Vec<T>>,
}

/// Values of either type.
#[derive(Clone, Copy)]
enum Values<'a> {
    Narrow(&'a [i32]),
    Wide(&'a [i64]),
}

impl From<Vec<i64>> for ValueList {
    fn from(values: Vec<i64>) -> ValueList {
        ValueList { wide: Pieces { pieces: vec![values] }, ..ValueList::default() }
    }
}

impl<T: Copy + Default + PartialEq> Pieces<T> {
    /// The piece that is being filled.
    fn open(&mut self) -> &mut Vec<T> {
        if self.pieces.last().is_none_or(|piece| piece.len() >= PIECE) {
            // The first one grows: most lists of a job with many slices are short.
            self.pieces.push(Vec::with_capacity(if self.pieces.is_empty() { 0 } else { PIECE }));
        }
        let last = self.pieces.len() - 1;
        &mut self.pieces[last]
    }

    /// Adds those of some values that are to be kept and not null.
    ///
    /// Every value is written and the next one over it if it does not stay: whether it does is as good as chance, so there is
    /// no branch to be foretold.
    fn extend(&mut self, values: &[T], keep: &[bool], null: T) {
        let mut rest = values.iter().zip(keep);
        while rest.len() > 0 {
            let piece = self.open();
            let start = piece.len();
            let count = rest.len().min(PIECE - start);
            piece.resize(start + count, T::default());
            let mut at = start;
            for (value, keep) in rest.by_ref().take(count) {
                piece[at] = *value;
                at += usize::from(*keep & (*value != null));
            }
            piece.truncate(at);
        }
    }

    fn len(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len() as u64).sum()
    }

    fn held(&self) -> u64 {
        self.pieces.iter().map(|piece| (piece.capacity() * size_of::<T>()) as u64).sum()
    }
}

impl Values<'_> {
    /// Calls `look` with each value.
    #[inline]
    fn each(self, mut look: impl FnMut(i64)) {
        match self {
            Values::Narrow(values) => values.iter().for_each(|value| look(i64::from(*value))),
            Values::Wide(values) => values.iter().for_each(|value| look(*value)),
        }
    }

    /// The least and the greatest.
    fn ends(self) -> Option<(i64, i64)> {
        match self {
            Values::Narrow(values) => ends(values).map(|(least, greatest)| (least.into(), greatest.into())),
            Values::Wide(values) => ends(values),
        }
    }
}

impl ValueList {
    /// Adds a value.
    #[inline]
    pub fn push(&mut self, value: i64) {
        match i32::try_from(value) {
            Ok(value) => self.narrow.open().push(value),
            Err(_) => self.wide.open().push(value),
        }
    }

    /// Adds those of the values of a column that are to be kept and not null.
    pub fn extend(&mut self, values: &[i32], keep: &[bool]) {
        self.narrow.extend(values, keep, NULL_INT);
    }

    /// The same for a column of 64 bits.
    pub fn extend_wide(&mut self, values: &[i64], keep: &[bool]) {
        self.wide.extend(values, keep, NULL_LONG);
    }

    /// Adds the values of another.
    pub fn merge(&mut self, other: ValueList) {
        self.narrow.pieces.extend(other.narrow.pieces);
        self.wide.pieces.extend(other.wide.pieces);
    }

    /// How many values.
    pub fn len(&self) -> u64 {
        self.narrow.len() + self.wide.len()
    }

    /// Bytes of memory.
    pub fn held(&self) -> u64 {
        self.narrow.held() + self.wide.held()
    }

    /// All values.
    pub fn iter(&self) -> impl Iterator<Item = i64> {
        let narrow = self.narrow.pieces.iter().flatten().map(|value| i64::from(*value));
        narrow.chain(self.wide.pieces.iter().flatten().copied())
    }

    /// The values, a limited number at once.
    pub fn into_pieces(self) -> impl Iterator<Item = Vec<i64>> {
        let narrow = self.narrow.pieces.into_iter().map(|piece| piece.into_iter().map(i64::from).collect());
        narrow.chain(self.wide.pieces).filter(|piece: &Vec<i64>| !piece.is_empty())
    }

    /// Their sum.
    pub fn sum(&self) -> i128 {
        self.iter().map(i128::from).sum()
    }

    /// The values, some at a time.
    fn pieces(&self) -> Vec<Values<'_>> {
        let narrow = self.narrow.pieces.iter().flat_map(|piece| piece.chunks(PIECE)).map(Values::Narrow);
        narrow.chain(self.wide.pieces.iter().flat_map(|piece| piece.chunks(PIECE)).map(Values::Wide)).collect()
    }

    /// How many values are at least as large as each bound.
    pub fn reaching(&self, bounds: &[i64]) -> Vec<u64> {
        let of_piece = |piece: &Values<'_>| -> Vec<u64> {
            let reaching = |bound: &i64| {
                let mut count = 0;
                piece.each(|value| count += u64::from(value >= *bound));
                count
            };
            bounds.iter().map(reaching).collect()
        };
        self.pieces().par_iter().map(of_piece).reduce(|| vec![0; bounds.len()], add)
    }

    /// The order statistics at ascending indices from 0.
    ///
    /// Values are counted in stretches of equal width, and only the stretches that hold a wanted one are looked at again: two
    /// passes over a million values instead of a selection for each.
    pub fn statistics(&self, wanted: &[u64]) -> Vec<i64> {
        if self.len() <= COUNTERS as u64 / 4 {
            let mut sorted: Vec<i64> = self.iter().collect();
            sorted.sort_unstable();
            return wanted.iter().map(|w| sorted.get(*w as usize).copied().unwrap_or(0)).collect();
        }
        let pieces = self.pieces();
        let of_pieces = pieces.par_iter().filter_map(|piece| piece.ends());
        let (min, max) = of_pieces.reduce(|| (i64::MAX, i64::MIN), |a, b| (a.0.min(b.0), a.1.max(b.1)));
        let shift = (64 - max.abs_diff(min).leading_zeros()).saturating_sub(COUNTERS.ilog2());
        let stretch = |value: i64| (value.abs_diff(min) >> shift) as usize;
        // Every thread clears its counters and adds them up once.
        let share = pieces.len().div_ceil(rayon::current_num_threads());
        let counts = pieces.par_chunks(share).map(|pieces| {
            let mut counts = vec![0u64; COUNTERS + 1];
            pieces.iter().for_each(|piece| piece.each(|value| counts[stretch(value)] += 1));
            counts
        });
        let counts = counts.reduce_with(add).unwrap_or_default();
        if shift == 0 {
            return of_counts(&counts, min, wanted);
        }
        // The stretch of each wanted index, and how many values lie below it.
        let (mut below, mut at) = (0, 0);
        let mut places = Vec::with_capacity(wanted.len());
        for &index in wanted {
            while below + counts[at] <= index {
                below += counts[at];
                at += 1;
            }
            places.push((at, below));
        }
        let mut members: Vec<Vec<i64>> = vec![Vec::new(); COUNTERS + 1];
        let mut is_wanted = vec![false; COUNTERS + 1];
        for (at, _) in &places {
            is_wanted[*at] = true;
            members[*at].reserve(counts[*at] as usize);
        }
        let of_wanted = pieces.par_iter().map(|piece| {
            let mut found = Vec::new();
            piece.each(|value| {
                if is_wanted[stretch(value)] {
                    found.push(value);
                }
            });
            found
        });
        for value in of_wanted.collect::<Vec<Vec<i64>>>().into_iter().flatten() {
            members[stretch(value)].push(value);
        }
        // Skewed values can lie in few stretches: each is asked again in the same way, over a narrower range.
        let mut out = Vec::with_capacity(wanted.len());
        let mut first = 0;
        while let Some(&(at, below)) = places.get(first) {
            let stop = first + places[first..].iter().take_while(|p| p.0 == at).count();
            let inner: Vec<u64> = wanted[first..stop].iter().map(|w| w - below).collect();
            out.extend(ValueList::from(std::mem::take(&mut members[at])).statistics(&inner));
            first = stop;
        }
        out
    }
}

fn add(mut all: Vec<u64>, own: Vec<u64>) -> Vec<u64> {
    all.iter_mut().zip(own).for_each(|(all, own)| *all += own);
    all
}

/// Order statistics of counted values: `counts[i]` times the value `min + i`.
pub(super) fn of_counts(counts: &[u64], min: i64, wanted: &[u64]) -> Vec<i64> {
    let (mut below, mut at) = (0, 0);
    let mut out = Vec::with_capacity(wanted.len());
    for &index in wanted {
        while at < counts.len() && below + counts[at] <= index {
            below += counts[at];
            at += 1;
        }
        out.push(min + at as i64);
    }
    out
}
