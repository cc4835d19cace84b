//! The customers of a slice who are in the current batch, and their cumulative activity.

use std::ops::Range;

use crate::activity::{BoundaryDays, CumulativeActivity, OrderHistory};
use crate::domain::CustomerIdRef;
use crate::measure::BucketPanel;
use crate::part::{PartCustomers, panel_of};

/// The index of a customer without orders.
pub const UNMATCHED: u32 = u32::MAX;

/// A slice of a part, whose customers are looked up batch by batch.
pub struct SliceCustomers<'a> {
    /// Number of the slice.
    pub slice: u32,
    /// By customer of the batch: the index among the part's customers; [`UNMATCHED`] without orders.
    pub indices: Vec<u32>,
    /// The days on which windows of its strategies begin or end.
    pub days: BoundaryDays,
    /// The activity of the batch up to these days.
    pub activity: CumulativeActivity,
    /// Customers of the slice that come after those of earlier batches.
    rest: Range<usize>,
    panels: &'a [BucketPanel],
    customers: &'a PartCustomers,
}

impl<'a> SliceCustomers<'a> {
    /// A slice before the first batch.
    pub fn new(slice: u32, days: Vec<i32>, panels: &'a [BucketPanel], customers: &'a PartCustomers) -> SliceCustomers<'a> {
        SliceCustomers {
            slice,
            indices: Vec::new(),
            days: BoundaryDays::distinct(days),
            activity: CumulativeActivity::default(),
            rest: customers.groups.slice(slice),
            panels,
            customers,
        }
    }

    /// Looks up the customers of the next batch, who ascend.
    pub fn read_batch(&mut self, ids: &[CustomerIdRef<'_>]) {
        self.indices.clear();
        let known = |index: usize| CustomerIdRef::of(&self.customers.ids, index);
        let Range { start: mut next, end } = self.rest;
        for id in ids {
            while next < end && known(next) < *id {
                next += 1;
            }
            self.indices.push(if next < end && known(next) == *id { next as u32 } else { UNMATCHED });
        }
        self.rest.start = next;
        let matched = self.indices.iter().enumerate().filter(|(_, index)| **index != UNMATCHED);
        let histories = matched.filter_map(|(at, index)| Some((at, history(self.panels, self.customers, *index as usize)?)));
        self.activity.fill(&self.days, ids.len(), histories);
    }
}

/// The orders of a customer of the part.
pub fn history<'a>(panels: &'a [BucketPanel], customers: &PartCustomers, index: usize) -> Option<OrderHistory<'a>> {
    let (panel, row) = panel_of(panels, customers.bucket_rows[index]);
    Some(panel.histories.as_ref()?.of(row))
}
