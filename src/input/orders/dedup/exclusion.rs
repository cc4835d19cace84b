//! The rows of a file that other rows exclude.

use serde::{Deserialize, Serialize};

use crate::input::orders::ledger::{DUPLICATE, RowOutcome, SUPERSEDED};

/// Two bits per row; empty until a row is marked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ExclusionBitmap {
    rows: u64,
    /// The low bits say that a row is a duplicate, the high bits that it is superseded; 32 rows each.
    bits: Vec<u64>,
    marked: u64,
}

impl ExclusionBitmap {
    /// A bitmap of `rows` rows, of which none is marked.
    pub fn new(rows: u64) -> ExclusionBitmap {
        ExclusionBitmap { rows, bits: Vec::new(), marked: 0 }
    }

    /// Marks a row as a duplicate or as superseded; it must not be marked yet.
    pub fn mark(&mut self, row: u64, outcome: RowOutcome) {
        if self.bits.is_empty() {
            self.bits = vec![0; self.rows.div_ceil(32) as usize];
        }
        let at = row % 32 + if outcome == DUPLICATE { 0 } else { 32 };
        if let Some(word) = self.bits.get_mut((row / 32) as usize) {
            *word |= 1 << at;
            self.marked += 1;
        }
    }

    /// Whether a row is marked.
    pub fn has(&self, row: u64) -> bool {
        let word = self.bits.get((row / 32) as usize).copied().unwrap_or(0) >> (row % 32);
        (word | word >> 32) & 1 != 0
    }

    /// Marked rows.
    pub fn count(&self) -> u64 {
        self.marked
    }

    /// Sets the outcomes of the marked rows from `first` on.
    pub fn apply(&self, first: u64, outcomes: &mut [RowOutcome]) {
        if self.marked == 0 {
            return;
        }
        for (row, outcome) in (first..).zip(outcomes) {
            let word = self.bits.get((row / 32) as usize).copied().unwrap_or(0) >> (row % 32);
            if word & 1 != 0 {
                *outcome = DUPLICATE;
            } else if word >> 32 & 1 != 0 {
                *outcome = SUPERSEDED;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::orders::ledger::KEPT;

    #[test]
    fn marked_rows_have_their_fates() {
        let mut excluded = ExclusionBitmap::new(100);
        let marks = [(0, DUPLICATE), (31, SUPERSEDED), (32, DUPLICATE), (63, DUPLICATE), (64, SUPERSEDED), (99, SUPERSEDED)];
        marks.iter().for_each(|(row, outcome)| excluded.mark(*row, *outcome));
        assert_eq!(excluded.count(), 6);
        assert!((0..100).all(|row| excluded.has(row) == marks.iter().any(|mark| mark.0 == row)));
        for first in [0, 17, 64] {
            let mut outcomes = vec![KEPT; 100 - first as usize];
            excluded.apply(first, &mut outcomes);
            for (row, outcome) in (first..).zip(outcomes) {
                assert_eq!(outcome, marks.iter().find(|m| m.0 == row).map_or(KEPT, |m| m.1), "row {row} from {first}");
            }
        }
    }
}
