//! Goes through the assigned customers of a part in batches whose columns fit the second cache.
//!
//! Every run is sorted by customer. A batch is the union of the customers of the next rows of all runs, cut at the same
//! customer, so that all rows of a customer are in one batch.

use std::ops::Range;

use super::run::AssignmentRun;
use crate::domain::CustomerIdRef;

/// Target number of customers per batch: the outcome columns of one strategy fit into the second cache.
pub const BATCH_ROWS: usize = 2048;

/// Upper bound of the cells of cumulative activity, one per customer and boundary day: more days make smaller batches.
const MAX_CELLS: usize = 1 << 18;

/// Smallest number of rows of a run per batch.
const MIN_RUN_ROWS: usize = 16;

/// Runs with different customers each make larger batches, up to this many times the rows of a run.
const MAX_BATCH_FACTOR: usize = 4;

/// The rows of a run in a batch.
#[derive(Debug, Clone, Default)]
pub struct BatchRows {
    /// Indices of the run.
    range: Range<usize>,
    /// Rows of the assignment table, ascending by customer.
    pub rows: Vec<u32>,
    /// The arms of the rows.
    pub arms: Vec<u16>,
    /// The customers of the rows, as indices of the batch.
    pub customers: Vec<u32>,
    /// Whether every customer of the batch has exactly one row; then `customers` counts from 0.
    pub covers_batch: bool,
}

/// A batch of customers, with their rows in all runs.
pub struct CustomerBatch<'a> {
    /// Largest number of rows of a run per batch.
    max_run_rows: usize,
    /// Current number of rows of a run per batch.
    run_rows: usize,
    /// Ids, ascending.
    pub ids: Vec<CustomerIdRef<'a>>,
    /// By run.
    pub runs: Vec<BatchRows>,
}

impl<'a> CustomerBatch<'a> {
    /// An empty batch before the first customers of the runs; `days` is the number of boundary days.
    pub fn new(runs: usize, days: usize) -> CustomerBatch<'a> {
        let max_run_rows = (MAX_CELLS / days.max(1)).clamp(MIN_RUN_ROWS, BATCH_ROWS);
        CustomerBatch { max_run_rows, run_rows: max_run_rows, ids: Vec::new(), runs: vec![BatchRows::default(); runs] }
    }

    /// Goes on to the next customers; false after the last.
    pub fn advance(&mut self, runs: &[AssignmentRun<'a>]) -> bool {
        self.take_rows(runs);
        self.unite_customers(runs);
        self.limit_customers(runs);
        for (run, rows) in runs.iter().zip(&mut self.runs) {
            rows.read(run);
        }
        self.find_customers(runs);
        !self.ids.is_empty()
    }

    /// Takes the next rows of every run, up to the first customer with whom a run has its number of rows.
    fn take_rows(&mut self, runs: &[AssignmentRun<'a>]) {
        let full = runs.iter().zip(&self.runs).filter(|(run, taken)| run.row_count() - taken.range.end > self.run_rows);
        let last = full.map(|(run, taken)| run.customer(taken.range.end + self.run_rows - 1)).min();
        for (run, taken) in runs.iter().zip(&mut self.runs) {
            let start = taken.range.end;
            taken.range = start..last.map_or(run.row_count(), |last| run.end_of(start, self.run_rows, last));
        }
    }

    /// Collects the customers of the taken rows.
    fn unite_customers(&mut self, runs: &[AssignmentRun<'a>]) {
        self.ids.clear();
        let mut united = None;
        for (run, taken) in runs.iter().zip(&self.runs) {
            let keys = run.narrow_keys(taken.range.clone()).filter(|keys| !keys.is_empty());
            // Most runs of a job have the same customers.
            if keys.is_none() || keys != united {
                unite(&mut self.ids, taken.range.clone().map(|index| run.customer(index)));
                united = keys.or(united);
            }
        }
    }

    /// Gives back the last customers of a batch that is too large, and adapts the number of rows of a run.
    fn limit_customers(&mut self, runs: &[AssignmentRun<'a>]) {
        let max = self.max_run_rows * MAX_BATCH_FACTOR;
        if self.ids.len() <= max / 2 {
            self.run_rows = (self.run_rows * 2).min(self.max_run_rows);
        }
        if self.ids.len() <= max {
            return;
        }
        self.run_rows = (self.run_rows * max / self.ids.len()).max(1);
        self.ids.truncate(max);
        let Some(last) = self.ids.last() else { return };
        for (run, taken) in runs.iter().zip(&mut self.runs) {
            taken.range.end = run.end_of(taken.range.start, taken.range.len(), *last);
        }
    }

    /// Finds the customers of the rows of every run.
    fn find_customers(&mut self, runs: &[AssignmentRun<'a>]) {
        let mut batch_keys = None;
        for (run, taken) in runs.iter().zip(&mut self.runs) {
            let keys = run.narrow_keys(taken.range.clone());
            let customers = taken.range.clone().map(|index| run.customer(index));
            taken.covers_batch = match (batch_keys, keys) {
                (Some(all), Some(keys)) => all == keys,
                _ => customers.len() == self.ids.len() && customers.clone().eq(self.ids.iter().copied()),
            };
            taken.customers.clear();
            if taken.covers_batch {
                batch_keys = batch_keys.or(keys);
                taken.customers.extend(0..self.ids.len() as u32);
                continue;
            }
            let mut index = 0;
            for customer in customers {
                while self.ids[index] < customer {
                    index += 1;
                }
                taken.customers.push(index as u32);
            }
        }
    }
}

impl BatchRows {
    fn read(&mut self, run: &AssignmentRun<'_>) {
        self.rows.clear();
        run.copy_rows(self.range.clone(), &mut self.rows);
        self.arms.clear();
        run.copy_arms(self.range.clone(), &mut self.arms);
    }
}

/// Adds customers to an ascending list. The customers ascend, too, and may come several times.
fn unite<'a>(ids: &mut Vec<CustomerIdRef<'a>>, customers: impl Iterator<Item = CustomerIdRef<'a>>) {
    let (known, mut index) = (ids.len(), 0);
    for customer in customers {
        while index < known && ids[index] < customer {
            index += 1;
        }
        let is_known = index < known && ids[index] == customer || ids.len() > known && ids.last() == Some(&customer);
        if !is_known {
            ids.push(customer);
        }
    }
    if ids.len() > known {
        // The list is now two sorted pieces, which the sort merges.
        ids.sort();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::assign::{AssignedIds, Assignments, Rejected, RowSet};
    use crate::domain::StringIds;

    fn table(ids: &[i64], is_text: bool, arms: i64) -> Assignments {
        let mut texts = StringIds::default();
        ids.iter().for_each(|id| texts.push(format!("customer {id:08}").as_bytes()));
        Assignments {
            ids: if is_text { AssignedIds::Text(texts) } else { AssignedIds::Int(ids.iter().copied().collect()) },
            arm: ids.iter().map(|id| id.rem_euclid(arms) as u32).collect(),
            assigned_on: ids.iter().map(|_| 0).collect(),
            stratum: None,
            cluster: None,
            by: Vec::new(),
            cost: None,
            contacts: None,
            ended_on: None,
            arms: vec!["control".into()],
            strata: Vec::new().into(),
            clusters: Vec::new().into(),
            whole_columns: Vec::new(),
            rows_read: ids.len() as u64,
            other_strategies: 0,
            null_costs: 0,
            rejected: Rejected::default(),
        }
    }

    /// Goes through lists of ids: their rows without the first ones, in sequence or as indices.
    fn check(lists: &[Vec<i64>], is_text: bool, first: u32, is_indices: bool, days: usize) {
        // The arms of texts do not fit a byte.
        let tables: Vec<Assignments> = lists.iter().map(|ids| table(ids, is_text, if is_text { 300 } else { 3 })).collect();
        let run = |table| {
            let end = Assignments::len(table) as u32;
            let rows = first.min(end)..end;
            AssignmentRun::of_rows(table, if is_indices { RowSet::Indices(rows.collect()) } else { RowSet::Range(rows) })
        };
        let runs: Vec<AssignmentRun<'_>> = tables.iter().map(run).collect();
        let mut batch = CustomerBatch::new(runs.len(), days);
        let max = batch.max_run_rows * MAX_BATCH_FACTOR;
        let (mut ids, mut rows, mut largest, mut covering) = (Vec::new(), vec![Vec::new(); lists.len()], 0, 0);
        while batch.advance(&runs) {
            for ((taken, table), rows) in batch.runs.iter().zip(&tables).zip(&mut rows) {
                covering += usize::from(taken.covers_batch);
                assert!(!taken.covers_batch || taken.customers.iter().copied().eq(0..batch.ids.len() as u32));
                for ((row, arm), customer) in taken.rows.iter().zip(&taken.arms).zip(&taken.customers) {
                    assert!(batch.ids[*customer as usize] == table.ids.id(*row as usize));
                    assert_eq!(*arm, table.arm(*row as usize));
                }
                rows.extend_from_slice(&taken.rows);
            }
            largest = largest.max(batch.ids.len());
            ids.extend(batch.ids.iter().copied());
        }
        assert_eq!(largest, max);
        assert!(covering > 0);
        let distinct: BTreeSet<&i64> = lists.iter().flat_map(|ids| ids.iter().skip(first as usize)).collect();
        assert_eq!(ids.len(), distinct.len());
        assert!(ids.is_sorted_by(|a, b| a < b));
        for (rows, ids) in rows.into_iter().zip(lists) {
            assert!(rows.into_iter().eq(first.min(ids.len() as u32)..ids.len() as u32));
        }
    }

    /// Every customer is in one batch, with all rows, however the runs are mixed.
    #[test]
    fn every_customer_is_in_one_batch_with_all_rows() {
        let many = BATCH_ROWS as i64 * 3;
        let mut lists: Vec<Vec<i64>> = vec![
            (100..many + 100).collect(),
            (100..many + 100).collect(),
            (0..many).filter(|n| n % 3 == 0).map(|n| n * 5 + 60).collect(),
            Vec::new(),
            // A customer with more rows than a batch has customers, among others.
            (100..110).chain(std::iter::repeat_n(110, BATCH_ROWS * 2)).chain([111, 900_000]).collect(),
            (0..many).map(|n| 1_000_000 + n / 2).collect(),
            vec![93],
        ];
        // Six lists, each with other customers than the others.
        lists.extend((0..6).map(|list| (0..many).map(|n| 10_000_000 + n * 6 + list).collect()));
        for days in [0, 3_000, usize::MAX] {
            for (is_text, first, is_indices) in
                [(false, 0, false), (false, 1, false), (false, 0, true), (true, 1, false), (true, 0, true)]
            {
                check(&lists, is_text, first, is_indices, days);
            }
        }
    }
}
