//! Exact sums by group, which merge in any order.
//!
//! Additions wrap around. Whether sums fit is known from the sum of all squares: by the Cauchy-Schwarz inequality, no sum of
//! products exceeds it.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use ahash::AHasher;

use super::column::{Arity, Column};
use super::grids::{CellKey, GroupedGrids};
use super::moments::{JoinedRow, Located, add_cross_moments, add_moments, cross_moments_len, moments_len, to_pair_sums, to_sums};
use super::partition::GroupPartition;
use crate::stats::{GridCell, GridSecond, JointGrid, PairSums, Sums};

/// Where the integers of a group have the number of its rows, and how many of them are null in the nullable column.
const ROWS: usize = 0;
const NULLS: usize = 1;

/// Sums of columns by group. A group has as many integers as any other: two counts, then the sums of every column.
#[derive(Debug, Clone, Default)]
pub struct GroupedSums {
    arities: Vec<Arity>,
    /// By column: where its sums begin among the integers of a group. The last entry is their number.
    starts: Vec<usize>,
    nullable_column: Option<usize>,
    /// By key: where the integers of the group begin.
    groups: HashMap<u128, usize, BuildHasherDefault<AHasher>>,
    /// The integers of all groups without the rows that are not in the totals yet; groups at the end may be missing.
    totals: Vec<i128>,
    /// The integers of these rows, which fit 64 bits.
    partial: Vec<i64>,
    /// An upper bound of the sum of their squares in any column.
    squares: u128,
    /// Grids of the groups, which are numbered in the order of their integers.
    grids: GroupedGrids,
}

impl GroupedSums {
    /// Sums of rows, which may be null in one column.
    pub fn of_rows(arities: impl IntoIterator<Item = Arity>, nullable_column: Option<usize>) -> GroupedSums {
        GroupedSums { nullable_column, ..GroupedSums::new(arities, moments_len) }
    }

    /// The same with grids of the columns with these indices.
    pub fn with_grids(self, columns: Vec<(usize, GridSecond)>) -> GroupedSums {
        GroupedSums { grids: GroupedGrids::new(columns), ..self }
    }

    /// Sums of joined rows, which have a value in each of two batches.
    pub fn of_joined_rows(arities: impl IntoIterator<Item = Arity>) -> GroupedSums {
        GroupedSums::new(arities, cross_moments_len)
    }

    fn new(arities: impl IntoIterator<Item = Arity>, len: fn(usize) -> usize) -> GroupedSums {
        let arities: Vec<Arity> = arities.into_iter().collect();
        let mut starts = vec![NULLS + 1];
        let mut end = NULLS + 1;
        for arity in &arities {
            end += len(arity.len());
            starts.push(end);
        }
        GroupedSums { arities, starts, ..GroupedSums::default() }
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.arities.len()
    }

    /// The number of integers of a group.
    pub(super) fn width(&self) -> usize {
        self.starts.last().copied().unwrap_or_default()
    }

    /// Where the integers of a group begin; zeros of a new one.
    #[inline]
    fn start_of(&mut self, key: u128) -> usize {
        let next = self.partial.len();
        let start = *self.groups.entry(key).or_insert(next);
        if start == next {
            self.partial.resize(next + self.width(), 0);
        }
        start
    }

    /// Adds the partial sums to the totals.
    fn flush(&mut self) {
        self.totals.resize(self.partial.len(), 0);
        for (total, partial) in self.totals.iter_mut().zip(&mut self.partial) {
            *total = total.wrapping_add(i128::from(std::mem::take(partial)));
        }
        self.squares = 0;
    }

    /// Whether rows whose squares add up to no more than `squares` in any column fit into partial sums, of which those before
    /// are flushed if need be.
    pub fn fits_partial(&mut self, squares: u128) -> bool {
        const MAX: u128 = i64::MAX as u128;
        if squares > MAX {
            return false;
        }
        if self.squares + squares > MAX {
            self.flush();
        }
        self.squares += squares;
        true
    }

    /// Counts the rows of all groups; returns where their sums begin.
    fn locate<'a, R: Copy + Default>(&mut self, rows: &'a GroupPartition<R>, fits_partial: bool) -> Vec<Located<'a, R>> {
        let mut groups = Vec::with_capacity(rows.len());
        for group in rows.groups() {
            let start = self.start_of(group.key);
            self.partial[start + ROWS] += group.rows.len() as i64;
            groups.push((start, group));
        }
        if !fits_partial {
            self.totals.resize(self.partial.len(), 0);
        }
        groups
    }

    /// Adds rows, with [`GroupedSums::fits_partial`] of their squares. Values of two and four integers of rows that are not of
    /// the pattern [`zero_pattern::NONE`](super::zero_pattern::NONE) are zero.
    pub fn add_rows(&mut self, rows: &GroupPartition<u32>, columns: &[Column], fits_partial: bool) {
        let groups = self.locate(rows, fits_partial);
        if groups.is_empty() {
            return;
        }
        for (column, start) in columns.iter().zip(&self.starts) {
            if fits_partial {
                add_moments(column, &groups, &mut self.partial[*start..]);
            } else {
                add_moments(column, &groups, &mut self.totals[*start..]);
            }
        }
        let width = self.width();
        self.grids.add_rows(columns, &groups, width);
    }

    /// Counts rows whose value in the nullable column is null; it must be 0 in the column.
    pub fn add_nulls(&mut self, keys: impl Iterator<Item = u128>) {
        for key in keys {
            let start = self.start_of(key);
            self.partial[start + NULLS] += 1;
        }
    }

    /// Adds joined rows of the first columns of two batches, as many as are summed.
    pub fn add_joined_rows<R: JoinedRow>(
        &mut self,
        rows: &GroupPartition<R>,
        [first, second]: [&[Column]; 2],
        fits_partial: bool,
    ) {
        let groups = self.locate(rows, fits_partial);
        if groups.is_empty() {
            return;
        }
        for ((first, second), start) in first.iter().zip(second).zip(&self.starts).take(self.arities.len()) {
            if fits_partial {
                add_cross_moments(first, second, &groups, &mut self.partial[*start..]);
            } else {
                add_cross_moments(first, second, &groups, &mut self.totals[*start..]);
            }
        }
    }

    /// Adds the sums of other rows of the same columns.
    pub fn merge(&mut self, other: &GroupedSums) {
        let groups: Vec<(usize, usize)> = other.groups.iter().map(|(key, start)| (self.start_of(*key), *start)).collect();
        self.flush();
        for (to, from) in groups {
            for at in 0..self.width() {
                self.totals[to + at] = self.totals[to + at].wrapping_add(other.sum_at(from + at));
            }
        }
        for (key, CellKey { column, bins, .. }, rows) in other.grid_cells() {
            self.add_grid_cell(key, (column, bins), rows);
        }
    }

    /// Adds rows to a cell of the grid of the column at a position among those with grids.
    pub(super) fn add_grid_cell(&mut self, key: u128, (column, bins): (usize, (i16, i16)), rows: GridCell) {
        let group = self.start_of(key) / self.width();
        self.grids.add_cell(CellKey { group, column, bins }, rows);
    }

    /// The columns with grids.
    pub(super) fn grid_columns(&self) -> &[(usize, GridSecond)] {
        self.grids.columns()
    }

    /// The cells of all grids that have rows which are not zero, with the keys of their groups, group by group.
    pub(super) fn grid_cells(&self) -> impl Iterator<Item = (u128, CellKey, GridCell)> {
        let mut keys = vec![0; self.groups.len()];
        for (key, start) in &self.groups {
            keys[start / self.width()] = *key;
        }
        self.grids.cells().into_iter().map(move |(cell, rows)| (keys[cell.group], cell, rows))
    }

    /// Grids by key and column, without rows of zeros; none of groups that have only these.
    pub fn grids(&self) -> HashMap<(u128, usize), JointGrid> {
        let mut grids: HashMap<(u128, usize), JointGrid> = HashMap::new();
        for (key, CellKey { column, bins, .. }, rows) in self.grid_cells() {
            grids.entry((key, self.grids.columns()[column].0)).or_default().add(bins, rows);
        }
        grids
    }

    /// The arities of its columns, whether it has sums of joined rows, and the nullable column.
    pub(super) fn shape(&self) -> (&[Arity], bool, Option<usize>) {
        let of_rows: usize = self.arities.iter().map(|arity| moments_len(arity.len())).sum();
        (&self.arities, self.width() != NULLS + 1 + of_rows, self.nullable_column)
    }

    /// The integers of a group; none if the key has none.
    pub(super) fn integers(&self, key: u128) -> impl Iterator<Item = i128> {
        let start = self.groups.get(&key).copied();
        start.into_iter().flat_map(|start| (start..start + self.width()).map(|at| self.sum_at(at)))
    }

    /// Adds to the integers of a group, of which there are as many as its width.
    pub(super) fn add_integers(&mut self, key: u128, integers: &[i128]) {
        let start = self.start_of(key);
        self.totals.resize(self.partial.len(), 0);
        for (total, more) in self.totals[start..].iter_mut().zip(integers) {
            *total = total.wrapping_add(*more);
        }
    }

    /// A sum with the rows that are not in the totals yet.
    fn sum_at(&self, at: usize) -> i128 {
        self.totals.get(at).copied().unwrap_or_default().wrapping_add(i128::from(self.partial[at]))
    }

    /// The keys of all groups.
    pub fn keys(&self) -> impl Iterator<Item = u128> {
        self.groups.keys().copied()
    }

    /// The arity of a column, its number of rows in a group that are not null, and its sums.
    fn find(&self, key: u128, column: usize) -> Option<(usize, i64, Vec<i128>)> {
        let start = *self.groups.get(&key)?;
        let nulls = if self.nullable_column == Some(column) { self.sum_at(start + NULLS) } else { 0 };
        let sums = (self.starts[column]..*self.starts.get(column + 1)?).map(|at| self.sum_at(start + at)).collect();
        Some((self.arities[column].len(), (self.sum_at(start + ROWS) - nulls) as i64, sums))
    }

    /// The sums of a column in a group of rows; zero if the key has none.
    pub fn sums(&self, key: u128, column: usize) -> Sums {
        self.find(key, column).map_or_else(Sums::default, |(arity, n, sums)| to_sums(arity, n, &sums))
    }

    /// The sums of a column in a group of joined rows; zero if the key has none.
    pub fn pair_sums(&self, key: u128, column: usize) -> PairSums {
        self.find(key, column).map_or_else(PairSums::default, |(arity, n, sums)| to_pair_sums(arity, n, &sums))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Quadruple, mark_nonzero, sort_code, zero_pattern};
    use super::*;
    use crate::error::Result;

    const ARITIES: [Arity; 3] = [Arity::Two, Arity::Four, Arity::One];

    /// The values of a row in columns of [`ARITIES`].
    type Row = [Quadruple; 3];

    fn columns(rows: &[Row]) -> (Vec<Column>, Vec<bool>) {
        let mut columns: Vec<Column> = ARITIES.into_iter().map(Column::new).collect();
        for (at, column) in columns.iter_mut().enumerate() {
            column.extend(rows.iter().map(|row| row[at]));
        }
        let mut nonzero = Vec::new();
        mark_nonzero(&columns, rows.len(), &mut nonzero);
        (columns, nonzero)
    }

    /// Sums are those of a plain loop, whatever the number of keys and the size of the integers, and merge to the same.
    #[test]
    fn sums_are_those_of_a_plain_loop() -> Result<()> {
        let mut state = 7u64;
        let mut next = |below: i64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((u128::from(state >> 11) * below as u128) >> 53) as i64
        };
        for bound in [1, 7, 1 << 40] {
            let mut parts = [0; 2].map(|_| GroupedSums::of_rows(ARITIES, Some(2)));
            let mut joined_parts = [0; 2].map(|_| GroupedSums::of_joined_rows(ARITIES[..2].iter().copied()));
            let nothing = columns(&[]).0;
            parts[0].add_rows(&GroupPartition::default(), &nothing, true);
            joined_parts[0].add_joined_rows(&GroupPartition::<u32>::default(), [&nothing, &nothing], false);
            let mut want: HashMap<(u128, usize), (Sums, PairSums)> = HashMap::new();
            let (mut squares, mut wanted_squares) = (0, 0);
            for batch in 0..20 {
                let largest = [9, 1 << 31, 1 << 33, 1 << 50][batch % 4];
                let least = if batch % 3 == 0 { largest / 2 } else { 0 };
                let mut row = |at: u32| -> Row {
                    // A third of the rows are zero, others are null in the last column.
                    let mut number = || if at.is_multiple_of(3) { 0 } else { next(largest) - least };
                    let (ratio, count) = ([0; 4].map(|_| number()), if at % 5 == 1 { 0 } else { number() });
                    [[number(), number(), 0, 0], ratio, [count, 0, 0, 0]]
                };
                let first: Vec<Row> = (0..40).map(&mut row).collect();
                let second: Vec<Row> = (1..41).map(&mut row).collect();
                let keys: Vec<u64> = first.iter().map(|_| next(bound) as u64).collect();
                // Rows are joined with those of the other batch in the opposite order.
                for ((at, key), row) in (0..).zip(&keys).zip(&first) {
                    for column in 0..3 {
                        let (sums, pairs) = want.entry((u128::from(*key) + 3, column)).or_default();
                        if column < 2 || at % 5 != 1 {
                            sums.observe(row[column])?;
                        }
                        pairs.observe(row[column], second[39 - at][column])?;
                        wanted_squares += row[column].iter().map(|value| i128::from(*value).pow(2) as u128).sum::<u128>();
                    }
                }
                let ((first, of_first), (second, of_second)) = (columns(&first), columns(&second));
                let code = |at: usize, pattern| sort_code(keys[at], pattern);
                let codes: Vec<u64> = (0..40).map(|at| code(at, zero_pattern::of(of_first[at], of_first[at]))).collect();
                let mut rows = GroupPartition::default();
                rows.sort(3, bound as u64, &codes, 0..40);
                let most = |columns: &[Column]| columns.iter().map(Column::squares).max().unwrap_or_default();
                let fits = parts[batch % 2].fits_partial(most(&first));
                parts[batch % 2].add_rows(&rows, &first, fits);
                squares += first.iter().map(Column::squares).sum::<u128>();
                parts[batch % 2].add_nulls((0..40).filter(|at| at % 5 == 1).map(|at| u128::from(keys[at]) + 3));
                let codes: Vec<u64> = (0..40).map(|at| code(at, zero_pattern::of(of_first[at], of_second[39 - at]))).collect();
                let mut rows = GroupPartition::default();
                rows.sort(3, bound as u64, &codes, (0..40).map(|at| (at, 39 - at)));
                let fits = joined_parts[batch % 2].fits_partial(most(&first).max(most(&second)));
                joined_parts[batch % 2].add_joined_rows(&rows, [&first, &second], fits);
            }
            let ([mut sums, other], [mut joined, other_joined]) = (parts, joined_parts);
            sums.merge(&other);
            joined.merge(&other_joined);
            assert!(squares >= wanted_squares && squares - wanted_squares < 1 << 40, "{squares} {wanted_squares}");
            assert_eq!([sums.keys().count(), joined.keys().count()], [want.len() / 3; 2]);
            for ((key, column), (of_rows, of_joined_rows)) in want {
                assert_eq!(sums.sums(key, column), of_rows);
                assert!(column == 2 || joined.pair_sums(key, column) == of_joined_rows);
            }
            assert_eq!((sums.sums(1, 0), joined.pair_sums(1, 0)), (Sums::default(), PairSums::default()));
        }
        Ok(())
    }
}
