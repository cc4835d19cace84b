//! The customers of a part, each at a place that stays the same at all dates: sorted by slice and id.

use std::cmp::Ordering;
use std::ops::Range;

use super::Seat;
use crate::domain::CustomerIds;
use crate::measure::{BucketPanel, UNKNOWN};

/// The customers of a part in the order of its files.
pub struct Roster {
    /// By place.
    pub seats: Vec<Seat>,
    /// By place: so that whoever goes through the customers finds their ids one after the other.
    pub ids: CustomerIds,
    laid: Vec<u32>,
    /// Place by bucket of the part and customer of the bucket.
    pub places: Vec<Vec<u32>>,
    /// Slice numbers with their places, ascending.
    pub slices: Vec<(u32, Range<usize>)>,
    /// Which of `slices` a place belongs to; empty if there is only one.
    slots: Vec<u32>,
    /// One entry per dimension.
    pub dimensions: Vec<Grouping>,
}

/// The customers of a part by their values of a dimension.
pub struct Grouping {
    /// The number of the value by place; [`UNKNOWN`] without one.
    values: Vec<u32>,
    /// All places, by slice, value and place.
    pub places: Vec<u32>,
    /// Slice number and value, with the stretch of `places` of who has it.
    pub groups: Vec<(u32, u32, Range<usize>)>,
}

impl Grouping {
    fn new(values: Vec<u32>, slices: &[(u32, Range<usize>)]) -> Grouping {
        let value = |place: &u32| values[*place as usize];
        let mut places: Vec<u32> = (0..values.len() as u32).collect();
        let mut groups = Vec::new();
        for (slice, range) in slices {
            places[range.clone()].sort_by_key(value);
            let mut at = range.start;
            for same in places[range.clone()].chunk_by(|a, b| value(a) == value(b)) {
                groups.push((*slice, same.first().map_or(UNKNOWN, value), at..at + same.len()));
                at += same.len();
            }
        }
        Grouping { values, places, groups }
    }
}

impl Roster {
    /// Merges the customers of the buckets, which are sorted each.
    pub fn new(panels: &[BucketPanel]) -> Roster {
        let seats = sorted(panels);
        let mut ids = panels.first().map_or(CustomerIds::Int(Vec::new()), |p| p.ids.none());
        seats.iter().for_each(|seat| ids.push_from(&panels[seat.0 as usize].ids, seat.1 as usize));
        let mut places: Vec<Vec<u32>> = panels.iter().map(|p| vec![0; p.ids.len()]).collect();
        for (place, seat) in seats.iter().enumerate() {
            places[seat.0 as usize][seat.1 as usize] = place as u32;
        }
        let ends = panels.iter().scan(0, |end, p| {
            *end += p.ids.len() as u32;
            Some(*end)
        });
        let firsts: Vec<u32> = std::iter::once(0).chain(ends).collect();
        let laid = seats.iter().map(|(bucket, customer)| firsts[*bucket as usize] + customer).collect();
        let slice = |seat: &Seat| panels[seat.0 as usize].slice(seat.1 as usize);
        let mut slices = Vec::new();
        let mut at = 0;
        for of_slice in seats.chunk_by(|a, b| slice(a) == slice(b)) {
            slices.push((of_slice.first().map_or(0, slice), at..at + of_slice.len()));
            at += of_slice.len();
        }
        let slots = if slices.len() < 2 {
            Vec::new()
        } else {
            slices.iter().zip(0..).flat_map(|((_, range), slot)| std::iter::repeat_n(slot, range.len())).collect()
        };
        let values = |dimension: usize| {
            let value = |seat: &Seat| panels[seat.0 as usize].dimensions[dimension][seat.1 as usize];
            seats.iter().map(value).collect()
        };
        let count = panels.first().map_or(0, |p| p.dimensions.len());
        let dimensions = (0..count).map(|dimension| Grouping::new(values(dimension), &slices)).collect();
        Roster { seats, ids, laid, places, slices, slots, dimensions }
    }

    /// The number of a customer's value of a dimension; [`UNKNOWN`] without one.
    pub fn value(&self, dimension: usize, place: u32) -> u32 {
        self.dimensions.get(dimension).and_then(|d| d.values.get(place as usize)).copied().unwrap_or(UNKNOWN)
    }

    /// By place: where the customer stands when all buckets are laid end to end.
    pub fn laid(&self) -> &[u32] {
        &self.laid
    }

    /// How many customers.
    pub fn len(&self) -> usize {
        self.seats.len()
    }

    /// Which of `slices` a place belongs to.
    #[inline]
    pub fn slot(&self, place: usize) -> usize {
        self.slots.get(place).map_or(0, |s| *s as usize)
    }
}

/// Seats by slice and id. The buckets come sorted, so a sort that finds runs merges them.
fn sorted(panels: &[BucketPanel]) -> Vec<Seat> {
    let seats = || panels.iter().zip(0u32..).flat_map(|(p, bucket)| (0..p.ids.len() as u32).map(move |c| (bucket, c)));
    let all_int = panels.iter().all(|p| matches!(p.ids, CustomerIds::Int(_)));
    if all_int && panels.iter().all(|p| p.slices.is_empty()) {
        let ids = panels.iter().flat_map(|p| if let CustomerIds::Int(ids) = &p.ids { ids.as_slice() } else { &[] });
        let (ids, seats): (Vec<i64>, Vec<Seat>) = (ids.copied().collect(), seats().collect());
        return CustomerIds::ascending(&ids).into_iter().map(|place| seats[place as usize]).collect();
    }
    if all_int {
        let key = |(bucket, customer): Seat| {
            let panel = &panels[bucket as usize];
            let id = match &panel.ids {
                CustomerIds::Int(ids) => ids.get(customer as usize).copied().unwrap_or(0),
                CustomerIds::Text(_) => 0,
            };
            (panel.slice(customer as usize), id)
        };
        let mut keyed: Vec<((u32, i64), Seat)> = seats().map(|seat| (key(seat), seat)).collect();
        keyed.sort_by_key(|k| k.0);
        return keyed.into_iter().map(|k| k.1).collect();
    }
    let mut all: Vec<Seat> = seats().collect();
    all.sort_by(|a, b| {
        let (p, q) = (&panels[a.0 as usize], &panels[b.0 as usize]);
        let (i, j) = (a.1 as usize, b.1 as usize);
        p.slice(i).cmp(&q.slice(j)).then_with(|| match (&p.ids, &q.ids) {
            (CustomerIds::Text(p), CustomerIds::Text(q)) => p.get(i).cmp(q.get(j)),
            _ => Ordering::Equal,
        })
    });
    all
}
