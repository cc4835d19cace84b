//! Values in bins of a fixed grid: what a permutation test needs of an arm, in bounded size, and merged exactly.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sums::{D, Sums, X, Y};

/// Two to this power is the number of bins per factor of two.
const FINE: u32 = 3;
const COARSE: u32 = 1;

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
    bin(value, FINE)
}

/// The number of a value's bin where two bins per factor of two do: one per integer up to 4, then two per factor of two.
pub fn coarse_bin_of(value: i64) -> i16 {
    bin(value, COARSE)
}

/// The number of a value's bin, of which a factor of two has `1 << bits`: its leading bit and as many after it.
#[inline]
fn bin(value: i64, bits: u32) -> i16 {
    let size = value.unsigned_abs();
    let octave = size.checked_ilog2().unwrap_or_default().saturating_sub(bits);
    let bin = (octave << bits) as i16 + (size >> octave) as i16;
    if value < 0 { -bin } else { bin }
}

/// What the second number of a grid's customers is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GridSecond {
    /// The outcome in the baseline.
    Baseline,
    /// The denominator of a ratio.
    Denominator,
}

impl GridSecond {
    /// Its index among a customer's numbers.
    #[inline]
    pub fn index(self) -> usize {
        match self {
            GridSecond::Baseline => X,
            GridSecond::Denominator => D,
        }
    }

    /// The number of its bin. A baseline only explains outcomes, so coarse bins do.
    #[inline]
    pub fn bin(self, value: i64) -> i16 {
        match self {
            GridSecond::Baseline => coarse_bin_of(value),
            GridSecond::Denominator => bin_of(value),
        }
    }
}

/// Customers whose two numbers lie in the same pair of bins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridCell {
    /// How many there are.
    pub count: i64,
    /// The sum of their first numbers.
    pub first: i128,
    /// The sum of their second numbers.
    pub second: i128,
}

impl GridCell {
    /// Adds the customers of another.
    pub fn add(&mut self, other: GridCell) {
        self.count += other.count;
        self.first += other.first;
        self.second += other.second;
    }
}

/// Customers by two numbers each, in bins, or clusters by their numbers themselves: an outcome's, and either the same in the baseline or the denominator of a ratio. Cells that
/// have nobody are not among them, so that equal customers have equal grids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JointGrid {
    /// Ascending by bins. Most grids have few cells, and there are many grids.
    cells: Vec<((i64, i64), GridCell)>,
}

impl JointGrid {
    /// The grid of customers whose outcome is 0 or 1, and 0 or 1 in the baseline.
    pub fn of_binary(sums: &Sums) -> JointGrid {
        let [n, y, x] = [i128::from(sums.n), sums.sum[Y], sums.sum[X]];
        let both = sums.product_of(Y, X);
        let mut grid = JointGrid::default();
        for (bins, count) in [((0i16, 0i16), n - y - x + both), ((0, 1), x - both), ((1, 0), y - both), ((1, 1), both)] {
            let (first, second) = (count * i128::from(bins.0), count * i128::from(bins.1));
            grid.add(bins, GridCell { count: count as i64, first, second });
        }
        grid
    }

    /// Adds customers to the cell of two bins.
    pub fn add(&mut self, (first, second): (impl Into<i64>, impl Into<i64>), customers: GridCell) {
        let bins = (first.into(), second.into());
        if customers.count <= 0 {
            return;
        }
        // Cells mostly come in order.
        let found = match self.cells.last() {
            Some((last, _)) if *last < bins => Err(self.cells.len()),
            _ => self.cells.binary_search_by_key(&bins, |(bins, _)| *bins),
        };
        match found {
            Ok(at) => self.cells[at].1.add(customers),
            Err(at) => self.cells.insert(at, (bins, customers)),
        }
    }

    /// Adds the customers of another.
    pub fn merge(&mut self, other: &JointGrid) {
        self.cells.extend_from_slice(&other.cells);
        self.join_equal();
    }

    /// Brings cells into their order, of which each pair of bins has one.
    fn join_equal(&mut self) {
        self.cells.sort_by_key(|(bins, _)| *bins);
        self.cells.dedup_by(|(bins, customers), (before, all)| {
            let is_same = bins == before;
            if is_same {
                all.add(*customers);
            }
            is_same
        });
        self.cells.shrink_to_fit();
    }

    /// The cells that have customers, ascending by the bins of their first and second number.
    pub fn cells(&self) -> impl Iterator<Item = GridCell> {
        self.cells.iter().map(|(_, customers)| *customers)
    }

    /// The same with their bins.
    pub fn binned(&self) -> impl Iterator<Item = ((i64, i64), GridCell)> {
        self.cells.iter().copied()
    }
}

impl FromIterator<((i64, i64), GridCell)> for JointGrid {
    fn from_iter<I: IntoIterator<Item = ((i64, i64), GridCell)>>(cells: I) -> JointGrid {
        let mut grid = JointGrid { cells: cells.into_iter().filter(|(_, customers)| customers.count > 0).collect() };
        grid.join_equal();
        grid
    }
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
    /// The sums of a few customers, counted by hand: 1 buyer of then and now, 2 of now, 3 of then, 4 of neither.
    #[test]
    fn a_binary_outcome_has_the_grid_of_its_customers() {
        let customers = [([1, 1], 1), ([1, 0], 2), ([0, 1], 3), ([0, 0], 4)];
        let (mut sums, mut want) = (Sums::default(), JointGrid::default());
        for ([y, x], count) in customers {
            for _ in 0..count {
                sums.observe([y, x, 0, 0]).expect("small sums");
            }
            let [first, second] = [y, x].map(|number| i128::from(number * count));
            want.add((bin_of(y), coarse_bin_of(x)), GridCell { count, first, second });
        }
        assert_eq!(JointGrid::of_binary(&sums), want);
        assert_eq!(want.cells().map(|cell| cell.count).collect::<Vec<_>>(), [4, 3, 2, 1]);
        assert_eq!(JointGrid::of_binary(&Sums::default()), JointGrid::default());
    }

    #[test]
    fn coarse_bins_halve_the_octaves() {
        let firsts = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32];
        assert!(firsts.iter().zip(0..).all(|(value, bin)| coarse_bin_of(*value) == bin && coarse_bin_of(-value) == -bin));
        assert_eq!([5, 7, 11, 15, 23, 31].map(coarse_bin_of), [4, 5, 6, 7, 8, 9]);
        assert_eq!((coarse_bin_of(i64::MAX), coarse_bin_of(i64::MIN)), (125, -126));
    }

    #[test]
    fn joint_grids_merge_in_any_order() {
        let grid = |from: i64| {
            let mut grid = JointGrid::default();
            for value in from..from + 500 {
                let (y, x) = (value * value % 977 - 100, value % 31);
                grid.add((bin_of(y), coarse_bin_of(x)), GridCell { count: 1, first: y.into(), second: x.into() });
            }
            grid
        };
        let merged = |order: [i64; 3]| {
            let mut all = JointGrid::default();
            order.iter().for_each(|from| all.merge(&grid(*from)));
            all
        };
        assert_eq!(merged([0, 500, 1000]), merged([1000, 0, 500]));
        let all = merged([500, 1000, 0]);
        let first: i64 = (0..1500).map(|value| value * value % 977 - 100).sum();
        assert_eq!(all.cells().map(|cell| cell.first).sum::<i128>(), i128::from(first));
        assert_eq!(all.cells().map(|cell| cell.count).sum::<i64>(), 1500);
    }
}
