//! Customers by their scores of recency and frequency, which a report shows as a grid.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::context::DateRows;

/// What customers are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ScorePair {
    /// Slice number.
    pub slice: u32,
    /// Recency score.
    pub r_score: u8,
    /// Frequency score.
    pub f_score: u8,
}

/// Counts the scored customers of a date.
pub(super) fn count(date: &DateRows, counts: &mut BTreeMap<ScorePair, i64>) {
    let [recency, frequency, _] = &date.scores;
    for (slice, range) in &date.rows.slices {
        let (Some(recency), Some(frequency)) = (recency.get(range.clone()), frequency.get(range.clone())) else { continue };
        let width = usize::from(frequency.iter().max().copied().unwrap_or(0)) + 1;
        let height = usize::from(recency.iter().max().copied().unwrap_or(0)) + 1;
        let mut grid = vec![0i64; width * height];
        for (r, f) in recency.iter().zip(frequency) {
            grid[usize::from(*r) * width + usize::from(*f)] += 1;
        }
        for (place, customers) in grid.into_iter().enumerate().filter(|(_, customers)| *customers > 0) {
            let (r_score, f_score) = ((place / width) as u8, (place % width) as u8);
            // Who is not scored on an axis has 0 there.
            if r_score > 0 && f_score > 0 {
                *counts.entry(ScorePair { slice: *slice, r_score, f_score }).or_default() += customers;
            }
        }
    }
}
