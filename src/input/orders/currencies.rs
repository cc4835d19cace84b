//! The currencies of kept rows: a job may have one.

use std::collections::BTreeMap;

use arrow::array::ArrayRef;
use serde::{Deserialize, Serialize};

use super::ledger::{KEPT, RowOutcome};
use crate::error::{Error, Result};
use crate::input::decode;

/// Most currencies that a thread counts; more would not improve the error message.
const MAX_CURRENCIES: usize = 64;

/// Kept rows by currency.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct CurrencyCounts(BTreeMap<String, u64>);

impl CurrencyCounts {
    /// Adds the kept rows of a batch. A run of rows with one currency, the usual case, is looked up once.
    pub fn add_batch(&mut self, column: &ArrayRef, outcomes: &[RowOutcome]) -> Result<()> {
        let mut row = 0;
        while row < outcomes.len() {
            if outcomes[row] != KEPT {
                row += 1;
                continue;
            }
            let Some(currency) = decode::text_of(column, row)? else { break };
            let mut rows = 0;
            while row < outcomes.len() && (outcomes[row] != KEPT || decode::text_of(column, row)?.as_ref() == Some(&currency)) {
                rows += u64::from(outcomes[row] == KEPT);
                row += 1;
            }
            if self.0.len() < MAX_CURRENCIES || self.0.contains_key(&currency) {
                *self.0.entry(currency).or_default() += rows;
            }
        }
        Ok(())
    }

    /// Adds the counts of another thread.
    pub fn merge(&mut self, other: CurrencyCounts) {
        for (currency, rows) in other.0 {
            *self.0.entry(currency).or_default() += rows;
        }
    }

    /// Checks that there is at most one currency; `column` is the one that has them.
    ///
    /// # Errors
    /// Exit 3 with the most frequent currencies.
    pub fn check_single(&self, column: &str) -> Result<()> {
        if self.0.len() < 2 {
            return Ok(());
        }
        let mut counts: Vec<(&String, &u64)> = self.0.iter().collect();
        counts.sort_unstable_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let shown: Vec<String> = counts.iter().take(5).map(|(currency, rows)| format!("{currency:?} in {rows} rows")).collect();
        Err(Error::contract(format!(
            "column {column:?} (orders.currency) holds {} currencies: {}; amounts of different currencies cannot be added, so keep one with an orders.keep filter",
            counts.len(),
            shown.join(", ")
        )))
    }
}
