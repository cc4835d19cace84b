//! A counting sort of rows by group key, so that each group is summed in registers and its sums are looked up and written once.
//! Adding row by row would stall on the sums that the row before has just written.

use super::key::Key;
use crate::domain::ends;

/// The number of zero patterns.
pub const PATTERNS: usize = 4;

/// Which values of a row are zero. A row has a value in each of two columns; a row of one column has it as both.
pub mod zero_pattern {
    /// Neither value is zero.
    pub const NONE: usize = 0;
    /// The second value is zero.
    pub const SECOND: usize = 1;
    /// The first value is zero.
    pub const FIRST: usize = 2;
    /// Both values are zero.
    pub const BOTH: usize = 3;

    /// What the first value adds to the pattern.
    #[inline]
    pub fn in_first(is_nonzero: bool) -> usize {
        if is_nonzero { NONE } else { FIRST }
    }

    /// What the second value adds to the pattern.
    #[inline]
    pub fn in_second(is_nonzero: bool) -> usize {
        if is_nonzero { NONE } else { SECOND }
    }

    /// The pattern of a row of one column.
    #[inline]
    pub fn of_one(is_nonzero: bool) -> usize {
        if is_nonzero { NONE } else { BOTH }
    }
}

/// Rows sorted by group key and zero pattern.
#[derive(Debug, Default)]
pub struct GroupPartition<K, M> {
    rows: Vec<M>,
    /// Key, and where the rows of every pattern end; they begin where those before end.
    groups: Vec<(K, [u32; PATTERNS])>,
    /// By sort code, and within it for even and odd rows: where the rows end.
    ends: Vec<u32>,
}

/// Rows with the same key.
pub struct Group<'a, M> {
    rows: &'a [M],
    ends: [usize; PATTERNS],
}

impl<'a, M> Group<'a, M> {
    /// All rows, pattern by pattern.
    pub fn rows(&self) -> &'a [M] {
        self.rows
    }

    /// The rows of a zero pattern.
    #[inline]
    pub fn of(&self, pattern: usize) -> &'a [M] {
        let start = pattern.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.rows[start..self.ends[pattern]]
    }
}

/// Group key and zero pattern of a row in one number.
#[inline]
pub fn sort_code<K: Key>(key: K, pattern: usize) -> K {
    key.times(K::of(PATTERNS as u64)).plus(K::of(pattern as u64))
}

impl<K: Key, M: Copy + Default> GroupPartition<K, M> {
    /// Sorts rows by their sort codes, in which keys are below `bound`; the keys of the groups begin at `start`. A key may have
    /// several groups if keys lie far apart.
    pub fn sort(&mut self, start: K, bound: u128, codes: &[K], rows: impl Iterator<Item = M> + Clone) {
        self.groups.clear();
        self.rows.clear();
        // The range of keys is looked for only if there may be more keys than rows.
        let (least, keys) = if bound <= codes.len() as u128 {
            (K::default(), bound as usize)
        } else {
            let (least, greatest) = ends(codes).unwrap_or_default();
            let least = least.split(PATTERNS).0;
            (least, greatest.split(PATTERNS).0.minus(least).saturating_add(1))
        };
        if keys > codes.len() {
            return self.one_by_one(start, codes, rows);
        }
        // Even and odd rows are counted apart, because an increment would stall on the one before.
        self.ends.clear();
        self.ends.resize(2 * PATTERNS * keys, 0);
        let first = sort_code(least, 0);
        let slot = |code: &K, odd: usize| code.minus(first) << 1 | odd;
        let (neighbours, last) = codes.as_chunks::<2>();
        let mut count = |slot: usize| self.ends[slot] = self.ends[slot].wrapping_add(1);
        for [even, odd] in neighbours {
            count(slot(even, 0));
            count(slot(odd, 1));
        }
        last.iter().for_each(|code| count(slot(code, 0)));
        let mut end = 0;
        for count in &mut self.ends {
            (*count, end) = (end, *count + end);
        }
        self.rows.resize(codes.len(), M::default());
        for (at, (code, row)) in codes.iter().zip(rows).enumerate() {
            let end = &mut self.ends[slot(code, at & 1)];
            self.rows[*end as usize] = row;
            *end = end.wrapping_add(1);
        }
        let (by_key, _) = self.ends.as_chunks::<{ 2 * PATTERNS }>();
        let (first, mut before) = (start.plus(least), 0);
        for (above, ends) in (0..).zip(by_key) {
            let ends = [ends[1], ends[3], ends[5], ends[7]];
            if ends[PATTERNS - 1] > before {
                self.groups.push((first.plus(K::of(above)), ends));
                before = ends[PATTERNS - 1];
            }
        }
    }

    /// Makes a group of every row: where keys are many and rows few, hardly two rows share a key.
    fn one_by_one(&mut self, start: K, codes: &[K], rows: impl Iterator<Item = M>) {
        for (code, row) in codes.iter().zip(rows) {
            let (at, (key, pattern)) = (self.rows.len() as u32, code.split(PATTERNS));
            self.rows.push(row);
            self.groups.push((start.plus(key), [0, 1, 2, 3].map(|other| at + u32::from(other >= pattern))));
        }
    }

    /// All groups.
    pub fn groups(&self) -> impl Iterator<Item = Group<'_, M>> {
        let mut start = 0;
        self.groups.iter().map(move |(_, ends)| {
            let ends = ends.map(|end| end as usize);
            let rows = &self.rows[start..ends[PATTERNS - 1]];
            let group = Group { rows, ends: ends.map(|end| end - start) };
            start = ends[PATTERNS - 1];
            group
        })
    }

    /// The key of every group.
    pub fn keys(&self) -> impl Iterator<Item = K> {
        self.groups.iter().map(|(key, _)| *key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row is in a group of its key, among the rows of its pattern.
    #[test]
    fn rows_are_in_their_groups() {
        for (count, keys) in [(500u32, 7u32), (500, 500), (20, 3), (20, 1 << 20), (0, 1)] {
            let key = |at: u32| 5 + at.wrapping_mul(2_654_435_761) % keys;
            let pattern = |at: u32| (at / 3 % 4) as usize;
            let all: Vec<u32> = (0..count).map(|at| sort_code(key(at), pattern(at))).collect();
            let mut partition = GroupPartition::default();
            for (start, bound) in [(0, keys + 5), (1000, keys + 5), (0, u32::MAX / 4)] {
                partition.sort(start, u128::from(bound), &all, 0..count);
                let mut found = vec![0; count as usize];
                for (own_key, group) in partition.keys().zip(partition.groups()) {
                    assert!(!group.rows().is_empty());
                    assert_eq!((0..PATTERNS).map(|pattern| group.of(pattern).len()).sum::<usize>(), group.rows().len());
                    for (own, member) in (0..PATTERNS).flat_map(|own| group.of(own).iter().map(move |member| (own, *member))) {
                        assert_eq!((own_key, own), (start + key(member), pattern(member)));
                        found[member as usize] += 1;
                    }
                }
                assert!(found.iter().all(|times| *times == 1));
                assert!(partition.keys().count() <= count.min(keys) as usize);
            }
        }
    }
}
