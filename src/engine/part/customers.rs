//! The customers of a part, each at a place that stays the same at all dates: sorted by slice and id.

use std::cmp::Ordering;
use std::ops::Range;

use super::BucketRow;
use crate::domain::CustomerIds;
use crate::measure::{BucketPanel, UNKNOWN};

/// The customers of a part in the order of its files.
pub struct PartCustomers {
    /// By place.
    pub bucket_rows: Vec<BucketRow>,
    /// By place: so that whoever goes through the customers finds their ids one after the other.
    pub ids: CustomerIds,
    flat_offsets: Vec<u32>,
    /// Place by bucket of the part and customer of the bucket.
    pub indices: Vec<Vec<u32>>,
    /// Slice numbers with their places, ascending.
    pub slices: Vec<(u32, Range<usize>)>,
    /// Which of `slices` a place belongs to; empty if there is only one.
    slice_positions: Vec<u32>,
    /// One entry per dimension.
    pub dimensions: Vec<DimensionGroups>,
}

/// The customers of a part by their values of a dimension.
pub struct DimensionGroups {
    /// The number of the value by place; [`UNKNOWN`] without one.
    values: Vec<u32>,
    /// All places, by slice, value and place.
    pub places: Vec<u32>,
    /// Slice number and value, with the stretch of `places` of who has it.
    pub groups: Vec<(u32, u32, Range<usize>)>,
}

impl DimensionGroups {
    fn new(values: Vec<u32>, slices: &[(u32, Range<usize>)]) -> DimensionGroups {
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
        DimensionGroups { values, places, groups }
    }
}

impl PartCustomers {
    /// Merges the customers of the buckets, which are sorted each.
    pub fn new(panels: &[BucketPanel]) -> PartCustomers {
        let bucket_rows = sorted(panels);
        let mut ids = panels.first().map_or(CustomerIds::Int(Vec::new()), |p| p.ids.none());
        bucket_rows.iter().for_each(|seat| ids.push_from(&panels[seat.0 as usize].ids, seat.1 as usize));
        let mut indices: Vec<Vec<u32>> = panels.iter().map(|p| vec![0; p.ids.len()]).collect();
        for (place, seat) in bucket_rows.iter().enumerate() {
            indices[seat.0 as usize][seat.1 as usize] = place as u32;
        }
        let ends = panels.iter().scan(0, |end, p| {
            *end += p.ids.len() as u32;
            Some(*end)
        });
        let firsts: Vec<u32> = std::iter::once(0).chain(ends).collect();
        let flat_offsets = bucket_rows.iter().map(|(bucket, customer)| firsts[*bucket as usize] + customer).collect();
        let slice = |seat: &BucketRow| panels[seat.0 as usize].slice(seat.1 as usize);
        let mut slices = Vec::new();
        let mut at = 0;
        for of_slice in bucket_rows.chunk_by(|a, b| slice(a) == slice(b)) {
            slices.push((of_slice.first().map_or(0, slice), at..at + of_slice.len()));
            at += of_slice.len();
        }
        let slice_positions = if slices.len() < 2 {
            Vec::new()
        } else {
            slices.iter().zip(0..).flat_map(|((_, range), slot)| std::iter::repeat_n(slot, range.len())).collect()
        };
        let values = |dimension: usize| {
            let value = |seat: &BucketRow| panels[seat.0 as usize].dimensions[dimension][seat.1 as usize];
            bucket_rows.iter().map(value).collect()
        };
        let count = panels.first().map_or(0, |p| p.dimensions.len());
        let dimensions = (0..count).map(|dimension| DimensionGroups::new(values(dimension), &slices)).collect();
        PartCustomers { bucket_rows, ids, flat_offsets, indices, slices, slice_positions, dimensions }
    }

    /// The number of a customer's value of a dimension; [`UNKNOWN`] without one.
    pub fn value(&self, dimension: usize, place: u32) -> u32 {
        self.dimensions.get(dimension).and_then(|d| d.values.get(place as usize)).copied().unwrap_or(UNKNOWN)
    }

    /// By place: where the customer stands when all buckets are laid end to end.
    pub fn flat_offsets(&self) -> &[u32] {
        &self.flat_offsets
    }

    /// How many customers.
    pub fn len(&self) -> usize {
        self.bucket_rows.len()
    }

    /// Which of `slices` a place belongs to.
    #[inline]
    pub fn slice_of(&self, place: usize) -> usize {
        self.slice_positions.get(place).map_or(0, |s| *s as usize)
    }
}

/// Seats by slice and id. The buckets come sorted, so a sort that finds runs merges them.
fn sorted(panels: &[BucketPanel]) -> Vec<BucketRow> {
    let seats = || panels.iter().zip(0u32..).flat_map(|(p, bucket)| (0..p.ids.len() as u32).map(move |c| (bucket, c)));
    let all_int = panels.iter().all(|p| matches!(p.ids, CustomerIds::Int(_)));
    if all_int && panels.iter().all(|p| p.slices.is_empty()) {
        let ids = panels.iter().flat_map(|p| if let CustomerIds::Int(ids) = &p.ids { ids.as_slice() } else { &[] });
        let (ids, seats): (Vec<i64>, Vec<BucketRow>) = (ids.copied().collect(), seats().collect());
        return CustomerIds::ascending(&ids).into_iter().map(|place| seats[place as usize]).collect();
    }
    if all_int {
        let key = |(bucket, customer): BucketRow| {
            let panel = &panels[bucket as usize];
            let id = match &panel.ids {
                CustomerIds::Int(ids) => ids.get(customer as usize).copied().unwrap_or(0),
                CustomerIds::Text(_) => 0,
            };
            (panel.slice(customer as usize), id)
        };
        let mut keyed: Vec<((u32, i64), BucketRow)> = seats().map(|seat| (key(seat), seat)).collect();
        keyed.sort_by_key(|k| k.0);
        return keyed.into_iter().map(|k| k.1).collect();
    }
    let mut all: Vec<BucketRow> = seats().collect();
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
