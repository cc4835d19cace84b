//! Joins the customers table, and then the events, to the panel of a bucket.
//!
//! The customers table has no history: its values hold at every as-of date. Its customers are listed at every date; before
//! their first purchase, measures over orders are null and the customers are not scored.

use std::cmp::Ordering;

use crate::activity::IntervalActivity;
use crate::domain::{AttributeColumn, CustomerIds, MeasureKind};
use crate::error::Result;

use super::column::Column;
use super::events::EventBuckets;
use super::panel::BucketPanel;
use super::spec::FoldSpec;

/// The number that stands for a missing value of a dimension.
pub const UNKNOWN: u32 = u32::MAX;
/// Its name in the tables.
pub const UNKNOWN_NAME: &str = "(unknown)";

/// The rows of the customers table for one bucket, ascending by id.
#[derive(Debug, Clone)]
pub struct CustomerAttributes {
    /// Their ids, each once.
    pub ids: CustomerIds,
    /// One column per measure that is read.
    pub columns: Vec<Column>,
    /// Per dimension the number of every customer's value; [`UNKNOWN`] without one.
    pub dimensions: Vec<Vec<u32>>,
}

/// The customers table and the events, by bucket.
#[derive(Debug, Default)]
pub struct CustomerData {
    /// The measures of the rolls.
    pub columns: Vec<AttributeColumn>,
    /// One entry per bucket, or none at all without a customers table.
    pub attributes: Vec<CustomerAttributes>,
    /// The events; `None` if nothing looks at them.
    pub events: Option<EventBuckets>,
}

impl CustomerData {
    /// Joins the customers table and the events to the panel of a bucket.
    ///
    /// # Errors
    /// Exit 7 if spilled events do not come back.
    pub fn complete(&self, bucket: usize, mut panel: BucketPanel, slices: usize, spec: &FoldSpec) -> Result<BucketPanel> {
        let attributes = self.attributes.get(bucket);
        if let Some(attributes) = attributes.filter(|_| !spec.is_window) {
            panel.customer_matches = panel.matches(&attributes.ids);
        }
        if !spec.with_customer_data {
            return Ok(panel);
        }
        // Those with orders, before others join them.
        let with_orders = (self.events.is_some() && attributes.is_some()).then(|| (panel.ids.clone(), panel.slices.clone()));
        if let Some(attributes) = attributes {
            panel = join(panel, attributes, slices, spec);
            let positions = panel.positions_in(&attributes.ids);
            for (measure, column) in spec.measures.iter().zip(&mut panel.columns) {
                let MeasureKind::Attribute(attribute) = measure.kind else { continue };
                if let Some(values) = self.columns.iter().position(|c| *c == attribute).and_then(|at| attributes.columns.get(at))
                {
                    *column = values.gather(spec.dates.iter().flat_map(|_| positions.iter().copied()));
                }
            }
            let dimension = |values: &Vec<u32>| positions.iter().map(|p| p.map_or(UNKNOWN, |p| values[p])).collect();
            panel.dimensions = attributes.dimensions.iter().map(dimension).collect();
        }
        if let Some(events) = &self.events {
            events.fold(bucket, &mut panel, (attributes.map(|r| &r.ids), with_orders), spec)?;
        }
        Ok(panel)
    }
}

/// Lists the customers of the table, also before a purchase. With slices, a customer has a row without a slice until the first
/// purchase in any slice.
fn join(panel: BucketPanel, attributes: &CustomerAttributes, slice_count: usize, spec: &FoldSpec) -> BucketPanel {
    if spec.only_lookback {
        return panel;
    }
    let sliced = slice_count > 0;
    let customers = panel.ids.len();
    // With slices: from which date on somebody on the attributes has purchases.
    let mut since = vec![if sliced { spec.dates.len() } else { 0 }; attributes.ids.len()];
    let mut there = vec![false; attributes.ids.len()];
    for (customer, position) in panel.positions_in(&attributes.ids).into_iter().enumerate() {
        let Some(position) = position else { continue };
        if sliced {
            let first = (0..spec.dates.len()).find(|date| panel.listed[date * customers + customer]);
            since[position] = since[position].min(first.unwrap_or(spec.dates.len()));
            there[position] = since[position] == 0;
        } else {
            there[position] = true;
        }
    }
    let rows = panel_rows(&panel, attributes, &there, sliced);
    let cell = |date: usize, old: Option<usize>| old.map(|customer| date * customers + customer);
    let cells = || (0..spec.dates.len()).flat_map(|date| rows.iter().map(move |row| cell(date, row.old)));
    let mut columns: Vec<Column> = panel.columns.iter().map(|column| column.gather(cells())).collect();
    let mut listed: Vec<bool> = cells().map(|cell| cell.is_some_and(|cell| panel.listed[cell])).collect();
    for date in 0..spec.dates.len() {
        for (customer, row) in rows.iter().enumerate() {
            let cell = date * rows.len() + customer;
            let waits = match (row.attribute_row, row.old) {
                (Some(_), Some(_)) => !sliced && !listed[cell],
                (Some(position), None) => !sliced || date < since[position],
                (None, _) => false,
            };
            if waits {
                listed[cell] = true;
                columns.iter_mut().for_each(|column| column.set_null(cell));
            }
        }
    }
    let mut ids = panel.ids.none();
    let mut renumbered = vec![0; customers];
    for (new, row) in rows.iter().enumerate() {
        match (row.old, row.attribute_row) {
            (Some(old), _) => {
                ids.push_from(&panel.ids, old);
                renumbered[old] = new as u32;
            }
            (None, Some(position)) => ids.push_from(&attributes.ids, position),
            (None, None) => {}
        }
    }
    let slice = |row: &PanelRow| row.old.map_or(slice_count as u32, |old| panel.slice(old));
    let slices = if sliced { rows.iter().map(slice).collect() } else { Vec::new() };
    let histories = panel.histories.map(|h| h.spread(rows.iter().map(|row| row.old)));
    let purchased = panel.purchased.spread(rows.iter().map(|row| row.old));
    let spread = |values: &Vec<u32>| rows.iter().map(|row| row.old.map_or(UNKNOWN, |old| values[old])).collect();
    let first_purchase = panel.first_purchase.iter().map(spread).collect();
    let mut intervals = panel.intervals;
    for activities in &mut intervals {
        *activities = activities
            .iter()
            .map(|interval| IntervalActivity { customer: renumbered[interval.customer as usize], ..interval })
            .collect();
    }
    BucketPanel { ids, slices, listed, columns, intervals, histories, purchased, first_purchase, ..panel }
}

/// A customer of the joined panel: a customer of the panel, of the attributes, or of both.
struct PanelRow {
    old: Option<usize>,
    attribute_row: Option<usize>,
}

/// The customers of the panel and those of the attributes who are not there, ascending by slice and id.
fn panel_rows(panel: &BucketPanel, attributes: &CustomerAttributes, there: &[bool], sliced: bool) -> Vec<PanelRow> {
    let mut rows = Vec::with_capacity(panel.ids.len() + attributes.ids.len());
    let mut waiting = (0..attributes.ids.len()).filter(|position| !there[*position]).peekable();
    for (old, position) in panel.positions_in(&attributes.ids).into_iter().enumerate() {
        // Customers without a slice follow all slices.
        while let Some(attribute_row) =
            waiting.next_if(|w| !sliced && attributes.ids.compare_with(*w, &panel.ids, old) == Ordering::Less)
        {
            rows.push(PanelRow { old: None, attribute_row: Some(attribute_row) });
        }
        rows.push(PanelRow { old: Some(old), attribute_row: position });
    }
    rows.extend(waiting.map(|attribute_row| PanelRow { old: None, attribute_row: Some(attribute_row) }));
    rows
}
