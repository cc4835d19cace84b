//! The values of all scored customers on an axis, in a form that answers order statistics.

use std::ops::Range;

use serde::{Deserialize, Serialize, Serializer};

use super::bins::bin;
use super::value_list::{ValueList, of_counts};
use crate::error::Result;
use crate::job::raw::Ties;
use crate::measure::{Column, NULL_INT, NULL_LONG};

/// Values from 0 up to this are counted, where the axis is one of small numbers.
const COUNTED: i64 = 1 << 16;

/// Up to this many values are listed even where small ones are counted: a job may have many slices of few customers.
const FEW: u64 = 256;

/// A multiset of integers.
///
/// Days and counts are small and repeat, so they are counted as they come, once there are more than a few, and cost no memory per
/// customer; money is listed. The order of additions makes no difference to any answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "WrittenDistribution")]
pub struct Distribution {
    /// Whether small values are counted.
    counts_small: bool,
    /// How often each value from 0 occurs.
    counts: Vec<u64>,
    /// All other values; above every counted one, if any are counted.
    rest: ValueList,
}

impl Distribution {
    /// For days and counts, none of them negative.
    pub fn of_counts() -> Distribution {
        Distribution { counts_small: true, ..Distribution::default() }
    }

    /// For money.
    pub fn of_money() -> Distribution {
        Distribution::default()
    }

    /// From a list.
    pub fn from_list(values: Vec<i64>) -> Distribution {
        Distribution { rest: values.into(), ..Distribution::default() }
    }

    /// Adds a value.
    #[inline]
    pub fn push(&mut self, value: i64) {
        if self.counts_small && !self.counts.is_empty() && (0..COUNTED).contains(&value) {
            self.count(value as usize);
        } else {
            self.rest.push(value);
            self.count_unless_few();
        }
    }

    fn count(&mut self, value: usize) {
        if value >= self.counts.len() {
            self.counts.resize((value + 1).next_power_of_two(), 0);
        }
        self.counts[value] += 1;
    }

    /// Begins to count small values, once there are more than a few.
    fn count_unless_few(&mut self) {
        if self.is_few() && self.rest.len() > FEW {
            self.count_listed();
        }
    }

    /// Counts the small values among the listed ones.
    fn count_listed(&mut self) {
        if self.counts.is_empty() {
            self.counts.push(0);
        }
        for value in std::mem::take(&mut self.rest).iter() {
            match (0..COUNTED).contains(&value) {
                true => self.count(value as usize),
                false => self.rest.push(value),
            }
        }
    }

    /// Adds the values of some cells of a column: of those that are listed.
    pub fn extend(&mut self, column: &Column, cells: Range<usize>, listed: &[bool]) {
        match column {
            Column::Int(values) if self.counts_small => self.extend_counted(&values[cells], listed, NULL_INT),
            Column::Int(values) => self.rest.extend(&values[cells], listed),
            Column::Long(values) if self.counts_small => self.extend_counted(&values[cells], listed, NULL_LONG),
            Column::Long(values) => self.rest.extend_wide(&values[cells], listed),
            Column::Ratio(_) | Column::Double(_) => {}
        }
    }

    /// Adds the listed values that are not null. If all values are counted, whether one is listed is a number to be added, not
    /// a branch that could be mispredicted.
    fn extend_counted<T: Copy + Ord + Into<i64>>(&mut self, values: &[T], listed: &[bool], null: T) {
        let listed_values = || values.iter().zip(listed).filter(|(value, listed)| **listed && **value != null);
        let range = values.iter().filter(|v| **v != null).max().map_or(0, |max| (*max).into()).max(0);
        if !self.counts_small || range >= COUNTED {
            listed_values().for_each(|(value, _)| self.push((*value).into()));
            return;
        }
        if self.counts.is_empty() && self.rest.len() > 0 {
            self.count_listed();
        }
        let range = range as usize;
        if range >= self.counts.len() {
            self.counts.resize((range + 1).next_power_of_two(), 0);
        }
        for (value, listed) in values.iter().zip(listed) {
            let value: i64 = (*value).into();
            match self.counts.get_mut(value as usize) {
                Some(count) => *count += u64::from(*listed),
                // Null, or below zero.
                None if *listed && value != null.into() => self.rest.push(value),
                None => {}
            }
        }
    }

    /// Adds the values of another.
    pub fn merge(&mut self, other: Distribution) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.append_list(other.rest);
    }

    /// Whether the listed values are those that will be counted once there are more.
    fn is_few(&self) -> bool {
        self.counts_small && self.counts.is_empty()
    }

    /// Bytes of the listed values that [`Self::take_list`] takes.
    pub(super) fn memory_bytes(&self) -> u64 {
        if self.is_few() { 0 } else { self.rest.memory_bytes() }
    }

    /// Takes the listed values out, ascending, but for those that will be counted.
    pub(super) fn take_sorted(&mut self) -> Vec<i64> {
        if self.is_few() { Vec::new() } else { self.take_all_listed() }
    }

    /// Takes all listed values out, ascending.
    pub(super) fn take_all_listed(&mut self) -> Vec<i64> {
        let mut values: Vec<i64> = std::mem::take(&mut self.rest).iter().collect();
        values.sort_unstable();
        values
    }

    fn append_list(&mut self, values: ValueList) {
        self.rest.merge(values);
        if self.counts_small && !self.counts.is_empty() {
            self.count_listed();
        }
        self.count_unless_few();
    }

    /// The values ascending, each with how often it occurs.
    pub(super) fn groups(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        let mut rest: Vec<i64> = self.rest.iter().collect();
        rest.sort_unstable();
        let counted = self.counts.iter().zip(0..).filter(|(n, _)| **n > 0).map(|(n, value)| (value, *n));
        let mut at = 0;
        let listed = std::iter::from_fn(move || {
            let left = rest.get(at..)?;
            let value = *left.first()?;
            let count = left.iter().take_while(|same| **same == value).count();
            at += count;
            Some((value, count as u64))
        });
        counted.chain(listed)
    }

    /// Number of values.
    pub fn len(&self) -> u64 {
        self.counted() + self.rest.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn counted(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of the values.
    pub fn sum(&self) -> i128 {
        let counted = self.counts.iter().zip(0..).map(|(n, value): (&u64, i128)| i128::from(*n) * value);
        counted.sum::<i128>() + self.rest.sum()
    }

    /// Values per bin: how many ascending thresholds they reach.
    pub fn bins(&self, thresholds: &[i64]) -> Vec<u64> {
        let mut bins = vec![0; thresholds.len() + 1];
        for (&n, value) in self.counts.iter().zip(0..) {
            bins[bin(thresholds, value)] += n;
        }
        // A value that reaches a threshold and not the next one is in the bin between them.
        let mut reaching = self.rest.len();
        for (bin, next) in self.rest.reaching(thresholds).into_iter().enumerate() {
            bins[bin] += reaching - next;
            reaching = next;
        }
        bins[thresholds.len()] += reaching;
        bins
    }

    /// How often the most frequent value occurs, where small values are counted; else 0.
    pub fn most_common(&self) -> u64 {
        if self.is_few() {
            let mut values: Vec<i64> = self.rest.iter().collect();
            values.sort_unstable();
            return values.chunk_by(|a, b| a == b).map(|same| same.len() as u64).max().unwrap_or(0);
        }
        self.counts.iter().copied().max().unwrap_or(0)
    }

    /// The order statistics at ascending indices from 0.
    pub fn statistics(&self, wanted: &[u64]) -> Vec<i64> {
        let counted = self.counted();
        let in_counts = wanted.partition_point(|w| *w < counted);
        let mut out = of_counts(&self.counts, 0, &wanted[..in_counts]);
        let of_rest: Vec<u64> = wanted[in_counts..].iter().map(|w| w - counted).collect();
        if !of_rest.is_empty() {
            out.extend(self.rest.statistics(&of_rest));
        }
        out
    }
}

/// [`AxisValues::smallest_members`](super::axis_values::AxisValues::smallest_members) over `n` values in ascending groups.
pub(super) fn of_groups(
    groups: impl Iterator<Item = Result<(i64, u64)>>,
    n: u64,
    (bins, ties, mirrored): (u32, Ties, bool),
) -> Result<Vec<Option<i64>>> {
    let mut cuts = vec![None; bins as usize - 1];
    let (n, mut before) = (u128::from(n), 0u128);
    let score = |low: u128, high: u128| -> usize {
        let twice_rank = match ties {
            Ties::Min => 2 * low,
            Ties::Mid => low + high,
            Ties::Max => 2 * high,
        };
        (u128::from(bins) * twice_rank).div_ceil(2 * n) as usize
    };
    for group in groups {
        let (value, count) = group?;
        let (low, high) = (before + 1, before + u128::from(count));
        before = high;
        if mirrored {
            // From the greatest value down: of those that reach a score, the last one met is the greatest.
            for cut in cuts.iter_mut().take(score(n + 1 - high, n + 1 - low).saturating_sub(1)) {
                *cut = Some(value);
            }
        } else {
            for cut in cuts.iter_mut().take(score(low, high).saturating_sub(1)) {
                cut.get_or_insert(value);
            }
        }
    }
    Ok(cuts)
}

/// The written form of a distribution.
#[derive(Serialize, Deserialize)]
struct WrittenDistribution {
    counts_small: bool,
    /// How often each value from 0 to the greatest one occurs.
    counts: Vec<u64>,
    /// The least of the other values.
    least: i64,
    /// By how much each other value, in ascending order, exceeds the one before, the first one the least.
    steps: Vec<u64>,
}

impl Serialize for Distribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        // Many slices travel as few values each; whether those of one were listed or counted shall make no difference.
        let mut all = self.clone();
        if all.counts_small {
            all.count_listed();
        }
        let used = all.counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
        all.counts.truncate(used);
        let mut values: Vec<i64> = all.rest.iter().collect();
        values.sort_unstable();
        let least = values.first().copied().unwrap_or(0);
        let before = std::iter::once(&least).chain(&values);
        let steps = values.iter().zip(before).map(|(value, before)| value.abs_diff(*before)).collect();
        WrittenDistribution { counts_small: all.counts_small, counts: all.counts, least, steps }.serialize(serializer)
    }
}

impl TryFrom<WrittenDistribution> for Distribution {
    type Error = &'static str;

    fn try_from(written: WrittenDistribution) -> std::result::Result<Distribution, &'static str> {
        let WrittenDistribution { counts_small, counts, least, steps } = written;
        if counts.len() as u64 > COUNTED as u64 || (!counts_small && !counts.is_empty()) {
            return Err("counts of values that are not counted");
        }
        let mut distribution = Distribution { counts_small, counts, ..Distribution::default() };
        let mut value = least;
        for step in steps {
            value = value.checked_add_unsigned(step).ok_or("a value beyond 64 bits")?;
            distribution.rest.push(value);
        }
        distribution.count_unless_few();
        Ok(distribution)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_statistics_equal_sorting() {
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 20
        };
        for case in 0..40usize {
            let n = 1 + case * case * 40;
            let spread = [3, 1000, 1 << 20, 1 << 43][case % 4];
            let values: Vec<i64> = (0..n)
                .map(|_| {
                    let x = (random() % spread) as i64;
                    // Skewed: a few values far out, so that most lie in one interval.
                    if case % 3 == 0 && random() % 50 == 0 { x << 19 } else { x }
                })
                .collect();
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let wanted: Vec<u64> = (0..n as u64).step_by(1 + n / 50).chain([n as u64 - 1]).collect();
            let want: Vec<i64> = wanted.iter().map(|w| sorted[*w as usize]).collect();
            let mut counted = Distribution::of_counts();
            values.iter().for_each(|v| counted.push(*v));
            assert_eq!(counted.statistics(&wanted), want, "case {case}");
            let shifted = Distribution::from_list(values.iter().map(|v| v - 500).collect());
            assert_eq!(shifted.statistics(&wanted), want.iter().map(|v| v - 500).collect::<Vec<_>>(), "case {case}");
            assert_eq!(counted.sum(), values.iter().map(|v| i128::from(*v)).sum::<i128>());
            let bins = counted.bins(&[2, 500]);
            assert_eq!(bins[0], values.iter().filter(|v| **v < 2).count() as u64);
            assert_eq!(bins.iter().sum::<u64>(), n as u64);
        }
    }
}
