//! What is known of customers besides their orders: the customers table joins the panel of a bucket, then the events.
//!
//! The table says what it says at every as-of date; it has no history. Who stands on it is listed at every date: before the
//! first purchase with null wherever a measure looks at orders, and unscored for that reason.

use std::cmp::Ordering;

use crate::domain::{CustomerIds, Given, MeasureKind};
use crate::error::Result;

use super::{BucketPanel, Column, EventBuckets, Flow, FoldSpec};

/// The number of the value of who has none.
pub const UNKNOWN: u32 = u32::MAX;
/// What the tables call it.
pub const UNKNOWN_NAME: &str = "(unknown)";

/// The customers of one bucket that stand on the customers table, ascending by id.
#[derive(Debug, Clone)]
pub struct Roll {
    /// Their ids, each once.
    pub ids: CustomerIds,
    /// One column per measure that is read.
    pub columns: Vec<Column>,
    /// Per dimension the number of everybody's value; [`UNKNOWN`] without one.
    pub dimensions: Vec<Vec<u32>>,
}

/// What is known of customers besides their orders, by bucket.
#[derive(Debug, Default)]
pub struct Beside {
    /// The measures of the rolls.
    pub given: Vec<Given>,
    /// One entry per bucket, or none at all without a customers table.
    pub rolls: Vec<Roll>,
    /// The events; `None` if nothing looks at them.
    pub events: Option<EventBuckets>,
}

impl Beside {
    /// Adds to the panel of a bucket what is known besides orders.
    ///
    /// # Errors
    /// Exit 7 if spilled events do not come back.
    pub fn complete(&self, bucket: usize, mut panel: BucketPanel, spec: &FoldSpec) -> Result<BucketPanel> {
        if !spec.beside {
            return Ok(panel);
        }
        let roll = self.rolls.get(bucket);
        if let Some(roll) = roll {
            panel = join(panel, roll, spec);
            let places = places(&panel, &roll.ids);
            for (measure, column) in spec.measures.iter().zip(&mut panel.columns) {
                let MeasureKind::Given(given) = measure.kind else { continue };
                if let Some(values) = self.given.iter().position(|g| *g == given).and_then(|at| roll.columns.get(at)) {
                    *column = values.gather(spec.dates.iter().flat_map(|_| places.iter().copied()));
                }
            }
            let dimension = |values: &Vec<u32>| places.iter().map(|p| p.map_or(UNKNOWN, |p| values[p])).collect();
            panel.dimensions = roll.dimensions.iter().map(dimension).collect();
        }
        if let Some(events) = &self.events {
            events.fold(bucket, &mut panel, roll.map(|r| &r.ids), spec)?;
        }
        Ok(panel)
    }
}

/// Where every customer of the panel stands among ids that ascend.
pub(super) fn places(panel: &BucketPanel, ids: &CustomerIds) -> Vec<Option<usize>> {
    let mut places = vec![None; panel.ids.len()];
    let mut at = 0;
    for (customer, place) in places.iter_mut().enumerate() {
        // Ids ascend within a slice.
        if customer > 0 && panel.slice(customer) != panel.slice(customer - 1) {
            at = 0;
        }
        while at < ids.len() && ids.compare_with(at, &panel.ids, customer) == Ordering::Less {
            at += 1;
        }
        *place = Some(at).filter(|at| *at < ids.len() && ids.compare_with(*at, &panel.ids, customer) == Ordering::Equal);
    }
    places
}

/// Lists who stands on the roll, also without a purchase. With slices, who has none in any of them yet has a row of their own
/// without a slice.
fn join(panel: BucketPanel, roll: &Roll, spec: &FoldSpec) -> BucketPanel {
    if spec.only_lookback {
        return panel;
    }
    let sliced = !spec.slices.is_empty();
    let customers = panel.ids.len();
    // With slices: from which date on somebody on the roll has purchases.
    let mut since = vec![if sliced { spec.dates.len() } else { 0 }; roll.ids.len()];
    let mut there = vec![false; roll.ids.len()];
    for (customer, place) in places(&panel, &roll.ids).into_iter().enumerate() {
        let Some(place) = place else { continue };
        if sliced {
            let first = (0..spec.dates.len()).find(|date| panel.listed[date * customers + customer]);
            since[place] = since[place].min(first.unwrap_or(spec.dates.len()));
            there[place] = since[place] == 0;
        } else {
            there[place] = true;
        }
    }
    let seats = seats(&panel, roll, &there, sliced);
    let cell = |date: usize, old: Option<usize>| old.map(|customer| date * customers + customer);
    let cells = || (0..spec.dates.len()).flat_map(|date| seats.iter().map(move |seat| cell(date, seat.old)));
    let mut columns: Vec<Column> = panel.columns.iter().map(|column| column.gather(cells())).collect();
    let mut listed: Vec<bool> = cells().map(|cell| cell.is_some_and(|cell| panel.listed[cell])).collect();
    for date in 0..spec.dates.len() {
        for (customer, seat) in seats.iter().enumerate() {
            let cell = date * seats.len() + customer;
            let waits = match (seat.on_roll, seat.old) {
                (Some(_), Some(_)) => !sliced && !listed[cell],
                (Some(place), None) => !sliced || date < since[place],
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
    for (new, seat) in seats.iter().enumerate() {
        match (seat.old, seat.on_roll) {
            (Some(old), _) => {
                ids.push_from(&panel.ids, old);
                renumbered[old] = new as u32;
            }
            (None, Some(place)) => ids.push_from(&roll.ids, place),
            (None, None) => {}
        }
    }
    let slice = |seat: &Seat| seat.old.map_or(spec.slices.len() as u32, |old| panel.slice(old));
    let slices = if sliced { seats.iter().map(slice).collect() } else { Vec::new() };
    let histories = panel.histories.map(|h| h.spread(seats.iter().map(|seat| seat.old)));
    let mut flows = panel.flows;
    for own in &mut flows {
        *own = own.iter().map(|flow| Flow { customer: renumbered[flow.customer as usize], ..flow }).collect();
    }
    BucketPanel { ids, slices, listed, columns, flows, histories, ..panel }
}

/// A customer of the joined panel: a customer of the panel, of the roll, or of both.
struct Seat {
    old: Option<usize>,
    on_roll: Option<usize>,
}

/// The customers of the panel and those of the roll who are not there, ascending by slice and id.
fn seats(panel: &BucketPanel, roll: &Roll, there: &[bool], sliced: bool) -> Vec<Seat> {
    let mut seats = Vec::with_capacity(panel.ids.len() + roll.ids.len());
    let mut waiting = (0..roll.ids.len()).filter(|place| !there[*place]).peekable();
    for (old, place) in places(panel, &roll.ids).into_iter().enumerate() {
        // Who has no slice comes after all slices.
        while let Some(on_roll) = waiting.next_if(|w| !sliced && roll.ids.compare_with(*w, &panel.ids, old) == Ordering::Less) {
            seats.push(Seat { old: None, on_roll: Some(on_roll) });
        }
        seats.push(Seat { old: Some(old), on_roll: place });
    }
    seats.extend(waiting.map(|on_roll| Seat { old: None, on_roll: Some(on_roll) }));
    seats
}
