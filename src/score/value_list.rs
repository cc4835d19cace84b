//! A multiset of integers that are stored one by one, with order statistics and counts.
//!
//! The values lie in chunks of limited size, so that a list grows without being copied, two lists merge without touching a
//! value, and threads share the work on one list.

use rayon::prelude::*;

use crate::domain::ends;
use crate::measure::{NULL_INT, NULL_LONG};

/// Values of a chunk, at most: few enough to stay in the cache during several passes.
const CHUNK_LEN: usize = 1 << 15;

/// Ranges up to this many distinct integers are counted to find order statistics.
const COUNTERS: usize = 1 << 14;

/// Values in no particular order. Those that fit 32 bits, which are nearly all, are stored in 32 bits.
#[derive(Debug, Clone, Default)]
pub struct ValueList {
    narrow: Chunks<i32>,
    wide: Chunks<i64>,
}

/// Values of a type.
#[derive(Debug, Clone, Default)]
struct Chunks<T> {
    chunks: Vec<Vec<T>>,
}

/// Values of either type.
#[derive(Clone, Copy)]
enum Values<'a> {
    Narrow(&'a [i32]),
    Wide(&'a [i64]),
}

impl From<Vec<i64>> for ValueList {
    fn from(values: Vec<i64>) -> ValueList {
        ValueList { wide: Chunks { chunks: vec![values] }, ..ValueList::default() }
    }
}

impl<T: Copy + Default + PartialEq> Chunks<T> {
    /// The chunk to append to.
    fn open(&mut self) -> &mut Vec<T> {
        if self.chunks.last().is_none_or(|chunk| chunk.len() >= CHUNK_LEN) {
            // The first chunk grows: most lists of a job with many slices are short.
            self.chunks.push(Vec::with_capacity(if self.chunks.is_empty() { 0 } else { CHUNK_LEN }));
        }
        let last = self.chunks.len() - 1;
        &mut self.chunks[last]
    }

    /// Adds the values that are marked in `keep` and not null.
    ///
    /// Every value is written, and the next one overwrites a value that is not kept: the condition is unpredictable, so it is
    /// evaluated without a branch.
    fn extend(&mut self, values: &[T], keep: &[bool], null: T) {
        let mut rest = values.iter().zip(keep);
        while rest.len() > 0 {
            let chunk = self.open();
            let start = chunk.len();
            let count = rest.len().min(CHUNK_LEN - start);
            chunk.resize(start + count, T::default());
            let mut at = start;
            for (value, keep) in rest.by_ref().take(count) {
                chunk[at] = *value;
                at += usize::from(*keep & (*value != null));
            }
            chunk.truncate(at);
        }
    }

    fn len(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.len() as u64).sum()
    }

    fn memory_bytes(&self) -> u64 {
        self.chunks.iter().map(|chunk| (chunk.capacity() * size_of::<T>()) as u64).sum()
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

    /// Adds the values of a column that are marked in `keep` and not null.
    pub fn extend(&mut self, values: &[i32], keep: &[bool]) {
        self.narrow.extend(values, keep, NULL_INT);
    }

    /// [`Self::extend`] for a column of 64 bits.
    pub fn extend_wide(&mut self, values: &[i64], keep: &[bool]) {
        self.wide.extend(values, keep, NULL_LONG);
    }

    /// Adds the values of another.
    pub fn merge(&mut self, other: ValueList) {
        self.narrow.chunks.extend(other.narrow.chunks);
        self.wide.chunks.extend(other.wide.chunks);
    }

    /// Number of values.
    pub fn len(&self) -> u64 {
        self.narrow.len() + self.wide.len()
    }

    /// Bytes of memory.
    pub fn memory_bytes(&self) -> u64 {
        self.narrow.memory_bytes() + self.wide.memory_bytes()
    }

    /// All values.
    pub fn iter(&self) -> impl Iterator<Item = i64> {
        let narrow = self.narrow.chunks.iter().flatten().map(|value| i64::from(*value));
        narrow.chain(self.wide.chunks.iter().flatten().copied())
    }

    /// The sum of the values.
    pub fn sum(&self) -> i128 {
        self.iter().map(i128::from).sum()
    }

    /// The values, chunk by chunk.
    fn chunks(&self) -> Vec<Values<'_>> {
        let narrow = self.narrow.chunks.iter().flat_map(|chunk| chunk.chunks(CHUNK_LEN)).map(Values::Narrow);
        narrow.chain(self.wide.chunks.iter().flat_map(|chunk| chunk.chunks(CHUNK_LEN)).map(Values::Wide)).collect()
    }

    /// How many values are at least as large as each bound.
    pub fn reaching(&self, bounds: &[i64]) -> Vec<u64> {
        let of_chunk = |chunk: &Values<'_>| -> Vec<u64> {
            let reaching = |bound: &i64| {
                let mut count = 0;
                chunk.each(|value| count += u64::from(value >= *bound));
                count
            };
            bounds.iter().map(reaching).collect()
        };
        self.chunks().par_iter().map(of_chunk).reduce(|| vec![0; bounds.len()], add)
    }

    /// The order statistics at ascending indices from 0.
    ///
    /// Values are counted in intervals of equal width, and only the intervals that hold a wanted one are visited again: two
    /// passes over a million values instead of a selection for each.
    pub fn statistics(&self, wanted: &[u64]) -> Vec<i64> {
        if self.len() <= COUNTERS as u64 / 4 {
            let mut sorted: Vec<i64> = self.iter().collect();
            sorted.sort_unstable();
            return wanted.iter().map(|w| sorted.get(*w as usize).copied().unwrap_or(0)).collect();
        }
        let chunks = self.chunks();
        let of_chunks = chunks.par_iter().filter_map(|chunk| chunk.ends());
        let (min, max) = of_chunks.reduce(|| (i64::MAX, i64::MIN), |a, b| (a.0.min(b.0), a.1.max(b.1)));
        let shift = (64 - max.abs_diff(min).leading_zeros()).saturating_sub(COUNTERS.ilog2());
        let interval = |value: i64| (value.abs_diff(min) >> shift) as usize;
        // Every thread clears its counters and adds them up once.
        let per_thread = chunks.len().div_ceil(rayon::current_num_threads());
        let counts = chunks.par_chunks(per_thread).map(|chunks| {
            let mut counts = vec![0u64; COUNTERS + 1];
            chunks.iter().for_each(|chunk| chunk.each(|value| counts[interval(value)] += 1));
            counts
        });
        let counts = counts.reduce_with(add).unwrap_or_default();
        if shift == 0 {
            return of_counts(&counts, min, wanted);
        }
        // The interval of each wanted index, and how many values lie below it.
        let (mut below, mut at) = (0, 0);
        let mut intervals = Vec::with_capacity(wanted.len());
        for &index in wanted {
            while below + counts[at] <= index {
                below += counts[at];
                at += 1;
            }
            intervals.push((at, below));
        }
        let mut members: Vec<Vec<i64>> = vec![Vec::new(); COUNTERS + 1];
        let mut is_wanted = vec![false; COUNTERS + 1];
        for (at, _) in &intervals {
            is_wanted[*at] = true;
            members[*at].reserve(counts[*at] as usize);
        }
        let of_wanted = chunks.par_iter().map(|chunk| {
            let mut found = Vec::new();
            chunk.each(|value| {
                if is_wanted[interval(value)] {
                    found.push(value);
                }
            });
            found
        });
        for value in of_wanted.collect::<Vec<Vec<i64>>>().into_iter().flatten() {
            members[interval(value)].push(value);
        }
        // Skewed values can lie in few intervals: each is searched in the same way, over a narrower range.
        let mut out = Vec::with_capacity(wanted.len());
        let mut first = 0;
        while let Some(&(at, below)) = intervals.get(first) {
            let stop = first + intervals[first..].iter().take_while(|p| p.0 == at).count();
            let inner: Vec<u64> = wanted[first..stop].iter().map(|w| w - below).collect();
            out.extend(ValueList::from(std::mem::take(&mut members[at])).statistics(&inner));
            first = stop;
        }
        out
    }
}

fn add(mut counts: Vec<u64>, more: Vec<u64>) -> Vec<u64> {
    counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
    counts
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
