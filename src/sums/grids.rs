//! Grids by group: rows counted by bins of two of their numbers, with the sums of both. They merge in any order.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use ahash::AHasher;

use super::column::Column;
use super::moments::Located;
use super::partition::zero_pattern;
use crate::domain::CompactInts;
use crate::stats::{GridCell, GridSecond, Y, bin_of};

/// Bits of a bin's number in the key of a cell, and what makes it positive.
const BIN_BITS: u32 = 12;
const BIN_OFFSET: i16 = 1 << (BIN_BITS - 1);

/// The rows of one cell; an empty slot has none.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    key: u64,
    count: i64,
    first: i64,
    second: i64,
}

impl Slot {
    fn cell(&self) -> GridCell {
        GridCell { count: self.count, first: self.first.into(), second: self.second.into() }
    }
}

/// What the key of a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellKey {
    /// The number of the group.
    pub group: usize,
    /// The position of the column among those with grids.
    pub column: usize,
    /// The bins of both numbers.
    pub bins: (i16, i16),
}

/// The grids of some columns. Rows of two zeros are not counted: they are most, and what is left of a group's rows.
#[derive(Debug, Clone, Default)]
pub struct GroupedGrids {
    /// Indices of the columns, and what the second numbers of their grids are.
    columns: Vec<(usize, GridSecond)>,
    /// A hash table with open addresses: as many slots as a power of two, at most half of them in use.
    slots: Vec<Slot>,
    used: usize,
    /// Rows of cells whose sums would leave 64 bits.
    large: HashMap<u64, GridCell, BuildHasherDefault<AHasher>>,
}

impl GroupedGrids {
    /// Empty grids of columns with these indices.
    pub fn new(columns: Vec<(usize, GridSecond)>) -> GroupedGrids {
        GroupedGrids { columns, ..GroupedGrids::default() }
    }

    /// The columns with grids.
    pub fn columns(&self) -> &[(usize, GridSecond)] {
        &self.columns
    }

    fn key(&self, CellKey { group, column, bins: (first, second) }: CellKey) -> u64 {
        self.base(group, column) | bin_bits(first) << BIN_BITS | bin_bits(second)
    }

    #[inline]
    fn base(&self, group: usize, column: usize) -> u64 {
        ((group * self.columns.len() + column) as u64) << (2 * BIN_BITS)
    }

    fn decode(&self, key: u64) -> CellKey {
        let bin = |bits: u64| (bits & ((1 << BIN_BITS) - 1)) as i16 - BIN_OFFSET;
        let grid = (key >> (2 * BIN_BITS)) as usize;
        let columns = self.columns.len().max(1);
        CellKey { group: grid / columns, column: grid % columns, bins: (bin(key >> BIN_BITS), bin(key)) }
    }

    /// Counts the rows of groups, which have `width` integers each.
    pub fn add_rows(&mut self, columns: &[Column], groups: &[Located<'_, u32>], width: usize) {
        for position in 0..self.columns.len() {
            let (index, second) = self.columns[position];
            match columns.get(index) {
                Some(Column::Two(CompactInts::Narrow(values))) => self.add_column(values, (position, second), groups, width),
                Some(Column::Two(CompactInts::Wide(values))) => self.add_column(values, (position, second), groups, width),
                Some(Column::Four(CompactInts::Narrow(values))) => self.add_column(values, (position, second), groups, width),
                Some(Column::Four(CompactInts::Wide(values))) => self.add_column(values, (position, second), groups, width),
                Some(Column::One(_)) | None => {}
            }
        }
    }

    fn add_column<N: Copy + Into<i64>, const V: usize>(
        &mut self,
        values: &[[N; V]],
        (column, second): (usize, GridSecond),
        groups: &[Located<'_, u32>],
        width: usize,
    ) {
        for (start, group) in groups {
            let rows = group.of(zero_pattern::NONE);
            self.reserve(rows.len());
            let base = self.base(start / width, column);
            for row in rows {
                let value = &values[*row as usize];
                let [first, other] = [value[Y].into(), value[second.index()].into()];
                if first | other != 0 {
                    let key = base | bin_bits(bin_of(first)) << BIN_BITS | bin_bits(second.bin(other));
                    self.observe(key, first, other);
                }
            }
        }
    }

    /// Makes room for as many more cells.
    fn reserve(&mut self, cells: usize) {
        let wanted = 2 * (self.used + cells);
        if wanted <= self.slots.len() {
            return;
        }
        let before = std::mem::replace(&mut self.slots, vec![Slot::default(); wanted.next_power_of_two()]);
        for slot in before.into_iter().filter(|slot| slot.count > 0) {
            let at = self.slot_of(slot.key);
            self.slots[at] = slot;
        }
    }

    /// The index of the key's slot, or of an empty one. There are empty ones.
    #[inline]
    fn slot_of(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        // The golden ratio spreads keys that differ in their last bits.
        let mut at = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
        while self.slots[at].count > 0 && self.slots[at].key != key {
            at = (at + 1) & mask;
        }
        at
    }

    /// Counts a row, for whose cell there is room.
    #[inline]
    fn observe(&mut self, key: u64, first: i64, second: i64) {
        let at = self.slot_of(key);
        let slot = &mut self.slots[at];
        self.used += usize::from(slot.count == 0);
        match (slot.first.checked_add(first), slot.second.checked_add(second)) {
            (Some(first), Some(second)) => *slot = Slot { key, count: slot.count + 1, first, second },
            _ => {
                self.large.entry(key).or_default().add(slot.cell());
                *slot = Slot { key, count: 1, first, second };
            }
        }
    }

    /// Adds rows of a cell.
    pub fn add_cell(&mut self, key: CellKey, rows: GridCell) {
        let key = self.key(key);
        self.reserve(1);
        let at = self.slot_of(key);
        let slot = &mut self.slots[at];
        let sum = |of: i64, more: i128| i64::try_from(i128::from(of) + more).ok();
        match (sum(slot.first, rows.first), sum(slot.second, rows.second)) {
            (Some(first), Some(second)) => {
                self.used += usize::from(slot.count == 0);
                *slot = Slot { key, count: slot.count + rows.count, first, second };
            }
            _ => self.large.entry(key).or_default().add(rows),
        }
    }

    /// All cells that have rows, ascending.
    pub fn cells(&self) -> Vec<(CellKey, GridCell)> {
        let mut cells: Vec<(u64, GridCell)> = Vec::with_capacity(self.used);
        cells.extend(self.slots.iter().filter(|slot| slot.count > 0).map(|slot| (slot.key, slot.cell())));
        cells.extend(self.large.iter().map(|(key, cell)| (*key, *cell)));
        cells.sort_unstable_by_key(|(key, _)| *key);
        cells.dedup_by(|(key, cell), (before, all)| {
            let is_same = key == before;
            if is_same {
                all.add(*cell);
            }
            is_same
        });
        cells.into_iter().map(|(key, cell)| (self.decode(key), cell)).collect()
    }
}

#[inline]
fn bin_bits(bin: i16) -> u64 {
    (bin + BIN_OFFSET) as u64
}

#[cfg(test)]
mod tests {
    use super::super::{Arity, GroupPartition, GroupedSums, sort_code};
    use super::*;
    use crate::stats::{JointGrid, coarse_bin_of};

    const COLUMNS: [Arity; 3] = [Arity::Two, Arity::One, Arity::Four];

    fn grids() -> GroupedSums {
        GroupedSums::of_rows(COLUMNS, Some(1)).with_grids(vec![(0, GridSecond::Baseline), (2, GridSecond::Denominator)])
    }

    /// Grids are those of a plain loop, whatever the size of the numbers, and merge to the same.
    #[test]
    fn grids_are_those_of_a_plain_loop() {
        let mut sequence = crate::wire::checks::Sequence::new(3);
        for bits in [3, 20, 40, 63] {
            let mut parts = [grids(), grids()];
            let mut want: HashMap<(u128, usize), JointGrid> = HashMap::new();
            for batch in 0..30 {
                let mut number = || match sequence.below(3) {
                    0 => 0,
                    1 => sequence.below(1 << bits) as i64,
                    _ => -(sequence.below(1 << bits) as i64),
                };
                let rows: Vec<[[i64; 4]; 3]> = (0..50).map(|_| [0; 3].map(|_| [0; 4].map(|_| number()))).collect();
                let columns: Vec<Column> = (0..3)
                    .map(|at| {
                        let mut column = Column::new(COLUMNS[at]);
                        column.extend(rows.iter().map(|row| row[at]));
                        column
                    })
                    .collect();
                let keys: Vec<u64> = rows.iter().map(|_| sequence.below(6)).collect();
                for (row, key) in rows.iter().zip(&keys) {
                    let cells =
                        [(0, row[0][0], row[0][1], coarse_bin_of(row[0][1])), (2, row[2][0], row[2][2], bin_of(row[2][2]))];
                    for (column, first, second, bin) in cells {
                        let cell = GridCell { count: 1, first: first.into(), second: second.into() };
                        if (first, second) != (0, 0) {
                            want.entry((u128::from(*key), column)).or_default().add((bin_of(first), bin), cell);
                        }
                    }
                }
                let codes: Vec<u64> = keys.iter().map(|key| sort_code(*key, zero_pattern::NONE)).collect();
                let mut partition = GroupPartition::default();
                partition.sort(0, 6, &codes, 0..50);
                parts[batch % 2].add_rows(&partition, &columns, false);
            }
            let [mut one, other] = parts;
            one.merge(&other);
            assert_eq!(one.grids(), want, "{bits} bits");
        }
    }
}
