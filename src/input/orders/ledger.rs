//! The ledger: the outcome of every input row, and of every unit of money.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The outcome of a row, as a small number; [`OutcomeNames`] has its name.
pub type RowOutcome = u8;

/// The outcome of rows that a query has read, in the table; they are no orders.
pub const SOURCE: &str = "source";

/// Counts in measures.
pub const KEPT: RowOutcome = 0;
/// It is later than the last as-of date.
pub const AFTER_AS_OF: RowOutcome = 1;
/// Equal to an earlier row.
pub const DUPLICATE: RowOutcome = 2;
/// A newer version of it exists.
pub const SUPERSEDED: RowOutcome = 3;
/// It has no customer.
pub const NO_CUSTOMER: RowOutcome = 4;
/// Its order is zero and the job drops such orders.
pub const ZERO: RowOutcome = 5;
/// Rejected: no slice.
pub const NULL_SLICE: RowOutcome = 6;
/// Rejected: no date.
pub const NULL_DATE: RowOutcome = 7;
/// Rejected: a date outside the years 1 to 9999.
pub const DATE_OUT_OF_RANGE: RowOutcome = 8;
/// Rejected: no order id.
pub const NULL_ORDER_ID: RowOutcome = 9;
/// Rejected: no amount.
pub const NULL_AMOUNT: RowOutcome = 10;
/// Rejected: NaN or infinite amount.
pub const NON_FINITE_AMOUNT: RowOutcome = 11;
/// Rejected: no currency.
pub const NULL_CURRENCY: RowOutcome = 12;
/// The first `keep` filter drops it; the outcomes of further filters follow.
pub const FILTERED: RowOutcome = 16;

/// Number of possible outcomes.
pub const OUTCOMES: usize = 128;

/// The names of a job's outcomes.
#[derive(Debug, Clone)]
pub struct OutcomeNames {
    filters: Vec<String>,
}

impl OutcomeNames {
    /// The outcomes of a job with these `keep` columns.
    pub fn new(filters: Vec<String>) -> OutcomeNames {
        OutcomeNames { filters }
    }

    /// The name as the ledger shows it.
    pub fn name(&self, outcome: RowOutcome) -> String {
        match outcome {
            KEPT => "kept".into(),
            AFTER_AS_OF => "after_as_of".into(),
            DUPLICATE => "duplicate".into(),
            SUPERSEDED => "superseded".into(),
            NO_CUSTOMER => "no_customer".into(),
            ZERO => "zero".into(),
            NULL_SLICE => "rejected:null_slice".into(),
            NULL_DATE => "rejected:null_date".into(),
            DATE_OUT_OF_RANGE => "rejected:date_out_of_range".into(),
            NULL_ORDER_ID => "rejected:null_order_id".into(),
            NULL_AMOUNT => "rejected:null_amount".into(),
            NON_FINITE_AMOUNT => "rejected:non_finite_amount".into(),
            NULL_CURRENCY => "rejected:null_currency".into(),
            filter => {
                let column = self.filters.get(usize::from(filter.saturating_sub(FILTERED)));
                format!("filtered:{}", column.map_or("", String::as_str))
            }
        }
    }
}

/// Whether the outcome is a rejection, which `max_rejected` limits.
pub fn is_rejection(outcome: RowOutcome) -> bool {
    (NULL_SLICE..=NULL_CURRENCY).contains(&outcome)
}

/// Rows and money by file and outcome, and the money read per file on its own.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RowCounts {
    cells: BTreeMap<(usize, RowOutcome), (u64, i128)>,
    read: BTreeMap<usize, i128>,
}

impl RowCounts {
    /// Adds rows and money of a outcome.
    pub fn add(&mut self, file: usize, outcome: RowOutcome, rows: u64, money: i128) {
        if rows > 0 {
            let cell = self.cells.entry((file, outcome)).or_default();
            cell.0 += rows;
            cell.1 += money;
        }
    }

    /// Adds the rows of a batch with their amounts; kept rows only if nothing later decides about them (`kept`).
    pub fn add_batch(&mut self, file: usize, outcomes: &[RowOutcome], amounts: &[i64], kept: bool) {
        let total = exact_sum(amounts);
        self.add_read(file, total);
        if outcomes.iter().all(|outcome| *outcome == KEPT) {
            if kept {
                self.add(file, KEPT, outcomes.len() as u64, total);
            }
            return;
        }
        let mut rows = [0u64; OUTCOMES];
        let mut money = [0i128; OUTCOMES];
        for (outcome, amount) in outcomes.iter().zip(amounts) {
            rows[usize::from(*outcome)] += 1;
            money[usize::from(*outcome)] += i128::from(*amount);
        }
        for (outcome, (rows, money)) in rows.iter().zip(money).enumerate() {
            if outcome != usize::from(KEPT) || kept {
                self.add(file, outcome as RowOutcome, *rows, money);
            }
        }
    }

    /// Adds money read from a file, whatever becomes of its rows.
    pub fn add_read(&mut self, file: usize, money: i128) {
        *self.read.entry(file).or_default() += money;
    }

    /// Adds the counts of another thread.
    pub fn merge(&mut self, other: RowCounts) {
        for ((file, outcome), (rows, money)) in other.cells {
            self.add(file, outcome, rows, money);
        }
        for (file, money) in other.read {
            self.add_read(file, money);
        }
    }

    /// Rows of outcomes that satisfy `which`, over all files.
    pub fn rows(&self, which: impl Fn(RowOutcome) -> bool) -> u64 {
        self.cells.iter().filter(|((_, outcome), _)| which(*outcome)).map(|(_, (rows, _))| rows).sum()
    }

    /// The most frequent rejection with its file and count, if there is one.
    pub fn worst_rejection(&self) -> Option<(usize, RowOutcome, u64)> {
        let rejections = self.cells.iter().filter(|((_, outcome), _)| is_rejection(*outcome));
        rejections.map(|((file, outcome), (rows, _))| (*file, *outcome, *rows)).max_by_key(|(_, _, rows)| *rows)
    }

    /// All cells: file, outcome, rows, money.
    pub fn cells(&self) -> impl Iterator<Item = (usize, RowOutcome, u64, i128)> + '_ {
        self.cells.iter().map(|((file, outcome), (rows, money))| (*file, *outcome, *rows, *money))
    }

    /// Rows and money of a file over all outcomes, and the money read from it.
    pub fn balance(&self, file: usize) -> (u64, i128, i128) {
        let cells = self.cells.range((file, 0)..=(file, RowOutcome::MAX));
        let (rows, money) = cells.fold((0, 0), |(r, m), (_, (rows, money))| (r + rows, m + money));
        (rows, money, self.read.get(&file).copied().unwrap_or(0))
    }
}

/// The sum of the amounts of a batch. Amounts of at most 43 bits are added in 64 bits; of others the high and the low halves are
/// added apart, which 64 bits hold whatever the amounts are.
fn exact_sum(amounts: &[i64]) -> i128 {
    let mut sum = 0i128;
    for chunk in amounts.chunks(1 << 20) {
        let bits = chunk.iter().fold(0, |bits, amount| bits | amount);
        if (0..1 << 43).contains(&bits) {
            sum += i128::from(chunk.iter().fold(0i64, |sum, amount| sum.wrapping_add(*amount)));
        } else {
            let high: i64 = chunk.iter().map(|a| a >> 32).sum();
            let low: i64 = chunk.iter().map(|a| a & 0xFFFF_FFFF).sum();
            sum += (i128::from(high) << 32) + i128::from(low);
        }
    }
    sum
}
