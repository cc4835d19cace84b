//! What a scan finds of rows besides their records.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::currencies::CurrencyCounts;
use super::filler_dates::FillerCounts;
use super::ledger::RowCounts;
use crate::input::rounding::Rounding;
use crate::measure::CustomerlessRows;

/// What is found in some rows. That of all rows is the merge of theirs, in any order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ScanFindings {
    /// Rows by file and outcome. Kept lines are not in it, since only the fold knows the date of their order.
    pub row_counts: RowCounts,
    /// Kept rows by currency.
    pub currencies: CurrencyCounts,
    /// Rows whose customer id is an empty string.
    pub empty_ids: u64,
    /// Kept returns whose money is above zero, and that money, where rows are orders.
    pub positive_returns: (u64, i128),
    /// Rows without a customer, with the keys of their orders.
    pub customerless: CustomerlessRows,
    /// Rows by date that often stands for a missing one.
    pub fillers: FillerCounts,
    /// What rounding did to the money of files, where it did something.
    pub rounding: BTreeMap<usize, Rounding>,
}

impl ScanFindings {
    /// Adds what was found in other rows.
    pub fn merge(&mut self, other: ScanFindings) {
        self.row_counts.merge(other.row_counts);
        self.currencies.merge(other.currencies);
        self.empty_ids += other.empty_ids;
        self.positive_returns.0 += other.positive_returns.0;
        self.positive_returns.1 += other.positive_returns.1;
        self.customerless.merge(other.customerless);
        self.fillers.iter_mut().zip(other.fillers).for_each(|(sum, rows)| *sum += rows);
        other.rounding.iter().for_each(|(file, more)| self.rounding.entry(*file).or_default().merge(more));
    }
}
