//! Rows of a file that do not count.

use crate::scan::ledger::{DUPLICATE, Fate, SUPERSEDED};

/// Two bits per row, once there is a row to mark.
#[derive(Debug, Clone, Default)]
pub struct Excluded {
    rows: u64,
    /// The low bits say that a row is a duplicate, the high bits that it is superseded; 32 rows each.
    bits: Vec<u64>,
    marked: u64,
}

impl Excluded {
    /// None of so many rows.
    pub fn new(rows: u64) -> Excluded {
        Excluded { rows, bits: Vec::new(), marked: 0 }
    }

    /// Marks a row that was not marked.
    pub fn mark(&mut self, row: u64, fate: Fate) {
        if self.bits.is_empty() {
            self.bits = vec![0; self.rows.div_ceil(32) as usize];
        }
        let at = row % 32 + if fate == DUPLICATE { 0 } else { 32 };
        if let Some(word) = self.bits.get_mut((row / 32) as usize) {
            *word |= 1 << at;
            self.marked += 1;
        }
    }

    /// How many rows are marked.
    pub fn count(&self) -> u64 {
        self.marked
    }

    /// Sets the fates of the rows from `first` on that are marked.
    pub fn apply(&self, first: u64, fates: &mut [Fate]) {
        if self.marked == 0 {
            return;
        }
        for (row, fate) in (first..).zip(fates) {
            let word = self.bits.get((row / 32) as usize).copied().unwrap_or(0) >> (row % 32);
            if word & 1 != 0 {
                *fate = DUPLICATE;
            } else if word >> 32 & 1 != 0 {
                *fate = SUPERSEDED;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::ledger::KEPT;

    #[test]
    fn marked_rows_have_their_fates() {
        let mut excluded = Excluded::new(100);
        let marks = [(0, DUPLICATE), (31, SUPERSEDED), (32, DUPLICATE), (63, DUPLICATE), (64, SUPERSEDED), (99, SUPERSEDED)];
        marks.iter().for_each(|(row, fate)| excluded.mark(*row, *fate));
        assert_eq!(excluded.count(), 6);
        for first in [0, 17, 64] {
            let mut fates = vec![KEPT; 100 - first as usize];
            excluded.apply(first, &mut fates);
            for (row, fate) in (first..).zip(fates) {
                assert_eq!(fate, marks.iter().find(|m| m.0 == row).map_or(KEPT, |m| m.1), "row {row} from {first}");
            }
        }
    }
}
