//! The measures of the customers of a bucket.

use std::cmp::Ordering;

use super::category::AffinityKey;
use super::column::Column;
use super::customer_findings::CustomerFindings;
use super::line_counts::{LineCounts, LineFindings};
use super::table_matches::TableMatches;
use crate::activity::{IntervalActivities, OrderHistories};
use crate::domain::{CustomerIds, Day};
use crate::forecast::HistoryColumns;

/// The measures of a bucket's customers: the cell of customer `c` at date `d` is `d · customers + c`.
#[derive(Debug, Clone)]
pub struct BucketPanel {
    /// Customers of the bucket, ascending by slice and id; a customer of two slices stands twice.
    pub ids: CustomerIds,
    /// Slice number per customer; empty without slices. Customers without orders have the number after the last slice.
    pub slices: Vec<u32>,
    /// Per dimension the number of every customer's value; `UNKNOWN` without one.
    pub dimensions: Vec<Vec<u32>>,
    /// Whether a cell is listed: customers with a purchase by then (or in the lookback), and who is on the customers table.
    pub listed: Vec<bool>,
    /// One column of cells per measure of the spec; only those of listed cells mean anything.
    pub columns: Vec<Column>,
    /// What customers did in each of the spec's tiles.
    pub intervals: Vec<IntervalActivities>,
    /// The customers' orders, if the spec asks for them.
    pub histories: Option<OrderHistories>,
    /// What customers had bought up to some days; none unless a forecast needs it.
    pub purchased: HistoryColumns,
    /// Outcomes of the lines per file, if the job has lines.
    pub lines: Vec<LineCounts>,
    /// What is odd about the orders that they make.
    pub line_findings: LineFindings,
    /// What is odd about the customers; taken by the first pass.
    pub findings: CustomerFindings,
    /// First and last date of an order up to the last as-of date.
    pub span: Option<(Day, Day)>,
    /// Events of customers who are neither among the orders nor on the customers table.
    pub unmatched_events: u64,
    /// Which ids of the customers table have orders; taken by the first pass.
    pub customer_matches: TableMatches,
    /// Which ids of the events have orders.
    pub event_matches: TableMatches,
    /// Customers by the pairs of categories that they bought in the lookback, if the spec asks for them.
    pub affinity: Vec<(AffinityKey, i64)>,
    /// Per property of the first purchase that the spec asks for, the number of every customer's value; `UNKNOWN` without one.
    pub first_purchase: Vec<Vec<u32>>,
}

impl BucketPanel {
    /// These customers and measures, and nothing else of them.
    pub(super) fn new(ids: CustomerIds, slices: Vec<u32>, listed: Vec<bool>, columns: Vec<Column>) -> BucketPanel {
        BucketPanel {
            ids,
            slices,
            dimensions: Vec::new(),
            listed,
            columns,
            intervals: Vec::new(),
            histories: None,
            purchased: HistoryColumns::default(),
            lines: Vec::new(),
            line_findings: LineFindings::default(),
            findings: CustomerFindings::default(),
            span: None,
            unmatched_events: 0,
            customer_matches: TableMatches::default(),
            event_matches: TableMatches::default(),
            affinity: Vec::new(),
            first_purchase: Vec::new(),
        }
    }

    /// The slice number of a customer.
    pub fn slice(&self, customer: usize) -> u32 {
        self.slices.get(customer).copied().unwrap_or(0)
    }

    /// Bytes of what grows with customers, dates and orders.
    pub fn bytes(&self) -> u64 {
        let columns = self.columns.iter().map(|column| match column {
            Column::Int(values) => 4 * values.len(),
            Column::Long(values) => 8 * values.len(),
            Column::Ratio(values) => 16 * values.len(),
            Column::Double(values) => 8 * values.len(),
        });
        let intervals = self.intervals.iter().map(IntervalActivities::bytes);
        let histories = self.histories.as_ref().map_or(0, OrderHistories::bytes);
        let affinity = size_of::<(AffinityKey, i64)>() * self.affinity.len();
        let first_purchase = 4 * self.ids.len() * self.first_purchase.len();
        (columns.chain(intervals).sum::<usize>()
            + affinity
            + first_purchase
            + self.listed.len()
            + 16 * self.ids.len()
            + histories
            + self.purchased.bytes()) as u64
    }

    /// The cells of a date.
    pub fn cells(&self, date: usize) -> std::ops::Range<usize> {
        date * self.ids.len()..(date + 1) * self.ids.len()
    }

    /// How the customers with orders meet the ids of another table, which ascend. To be asked before another table is joined.
    pub(super) fn matches(&self, table: &CustomerIds) -> TableMatches {
        TableMatches::of(table, &self.ids, |customer| customer > 0 && self.slice(customer) != self.slice(customer - 1))
    }

    /// Per customer the index among ascending ids.
    pub(super) fn positions_in(&self, ids: &CustomerIds) -> Vec<Option<usize>> {
        let mut positions = vec![None; self.ids.len()];
        let mut at = 0;
        for (customer, position) in positions.iter_mut().enumerate() {
            // Ids ascend within a slice.
            if customer > 0 && self.slice(customer) != self.slice(customer - 1) {
                at = 0;
            }
            while at < ids.len() && ids.compare_with(at, &self.ids, customer) == Ordering::Less {
                at += 1;
            }
            *position = Some(at).filter(|at| *at < ids.len() && ids.compare_with(*at, &self.ids, customer) == Ordering::Equal);
        }
        positions
    }
}
