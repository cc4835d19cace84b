//! Purchases and money of a part's customers between the days that movement compares.

use std::ops::Range;

use crate::activity::{IntervalActivities, IntervalActivity};
use crate::domain::Day;
use crate::measure::BucketPanel;

/// What the customers of a part did in each interval. Intervals follow each other without a gap.
#[derive(Clone, Copy)]
pub struct PartActivity<'a> {
    /// The buckets of the part.
    pub panels: &'a [BucketPanel],
    /// By bucket and customer of the bucket: the index of the customer in the part.
    pub customers: &'a [Vec<u32>],
    /// The last day of every interval, ascending.
    pub interval_ends: &'a [Day],
}

impl<'a> PartActivity<'a> {
    /// The first interval after the one that ends on `day`.
    pub fn interval_after(&self, day: Day) -> usize {
        self.interval_ends.partition_point(|end| *end <= day)
    }

    /// What customers did in the intervals after `first` up to the one that ends on `last`, in no order.
    pub fn between(&self, first: Day, last: Day) -> impl Iterator<Item = (usize, IntervalActivity)> + use<'a> {
        self.in_intervals(self.interval_after(first)..self.interval_after(last))
    }

    /// What customers did in some intervals, in no order; the first number is the customer's index in the part.
    pub fn in_intervals(&self, intervals: Range<usize>) -> impl Iterator<Item = (usize, IntervalActivity)> + use<'a> {
        let PartActivity { panels, customers, .. } = *self;
        intervals.flat_map(move |interval| {
            panels.iter().zip(customers).flat_map(move |(panel, customers)| {
                let activity = panel.intervals.get(interval).into_iter().flat_map(IntervalActivities::iter);
                activity.map(move |flow| (customers[flow.customer as usize] as usize, flow))
            })
        })
    }
}
