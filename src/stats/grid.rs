//! Values in bins of a fixed grid: what a permutation test needs of an arm, in bounded size, and merged exactly.

use std::collections::BTreeMap;

/// Bins per factor of two.
const PER_OCTAVE: u32 = 8;

/// The values of one bin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bin {
    /// How many there are.
    pub count: i64,
    /// Their sum.
    pub sum: i128,
}

/// A multiset of integers by bins that are the same everywhere: one per integer up to 16, then eight per factor of two,
/// mirrored for negative values. Fewer than 1,000 bins; money of real shops takes 35 to 160.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grid {
    bins: BTreeMap<i16, Bin>,
}

/// The number of a value's bin, which ascends with the value; 0 is the bin of 0 alone.
pub fn bin_of(value: i64) -> i16 {
    let size = value.unsigned_abs();
    let bin = match size.checked_ilog2() {
        Some(octave) if octave >= PER_OCTAVE.ilog2() => {
            let octave = octave - PER_OCTAVE.ilog2();
            // The leading bit and the three after it.
            PER_OCTAVE * octave + (size >> octave) as u32
        }
        _ => size as u32,
    };
    if value < 0 { -(bin as i16) } else { bin as i16 }
}

impl Grid {
    /// Adds a value.
    pub fn push(&mut self, value: i64) {
        let bin = self.bins.entry(bin_of(value)).or_default();
        bin.count += 1;
        bin.sum += i128::from(value);
    }

    /// Adds the values of another.
    pub fn merge(&mut self, other: &Grid) {
        for (number, more) in &other.bins {
            let bin = self.bins.entry(*number).or_default();
            bin.count += more.count;
            bin.sum += more.sum;
        }
    }

    /// The bins that have values, ascending.
    pub fn bins(&self) -> impl Iterator<Item = Bin> {
        self.bins.values().copied()
    }
}

impl FromIterator<i64> for Grid {
    fn from_iter<I: IntoIterator<Item = i64>>(values: I) -> Grid {
        let mut grid = Grid::default();
        values.into_iter().for_each(|value| grid.push(value));
        grid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_ascend_with_their_values_and_are_narrow() {
        let sizes = (0..64).flat_map(|bit| [0, 1, 3].map(|more| (1i64 << bit.min(62)).saturating_add(more << (bit / 2))));
        let mut values: Vec<i64> = sizes.flat_map(|size| [size, -size]).chain([i64::MIN, i64::MAX]).chain(-40..40).collect();
        values.sort_unstable();
        assert!(values.is_sorted_by_key(|value| bin_of(*value)));
        assert!((-16..=16).all(|value| bin_of(value) == value as i16));
        for pair in values.windows(2).filter(|pair| pair[0] > 0 && bin_of(pair[0]) == bin_of(pair[1])) {
            assert!(pair[1] as f64 / (pair[0] as f64) < 1.125, "{pair:?} share a bin");
        }
        assert_eq!((bin_of(0), bin_of(15), bin_of(31), bin_of(32)), (0, 15, 23, 24));
    }

    #[test]
    fn grids_merge_to_that_of_all_values() {
        let values: Vec<i64> = (0..1000i64).map(|i| i * i * i * 77 % 100_003 - 5_000).collect();
        let mut merged: Grid = values[600..].iter().copied().collect();
        merged.merge(&values[..600].iter().copied().collect());
        assert_eq!(merged, values.iter().copied().collect());
        assert_eq!(merged.bins().map(|bin| bin.count).sum::<i64>(), 1000);
        assert_eq!(merged.bins().map(|bin| bin.sum).sum::<i128>(), values.iter().map(|v| i128::from(*v)).sum());
    }
}
