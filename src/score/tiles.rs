//! Scores under SQL `NTILE`: customers sorted by value and id, in tiles of nearly equal size.

use rayon::prelude::*;

use crate::domain::CustomerId;

/// The value of a customer (recency negated) and the id, which decides between equal values.
pub type RankedCustomer = (i64, CustomerId);

/// The size of every tile over `n` customers: the first `n mod bins` tiles have one customer more.
pub fn tile_sizes(n: u64, bins: u32) -> impl Iterator<Item = u64> {
    let bins = u64::from(bins);
    (0..bins).map(move |tile| n / bins + u64::from(tile < n % bins))
}

/// The first customer of every tile but the first. Empty tiles have none.
pub fn tile_starts(customers: &[RankedCustomer], bins: u32) -> Vec<RankedCustomer> {
    let mut sorted: Vec<&RankedCustomer> = customers.iter().collect();
    sorted.par_sort_unstable();
    let mut end = 0;
    let mut starts = Vec::with_capacity(bins as usize);
    for size in tile_sizes(customers.len() as u64, bins) {
        end += size as usize;
        starts.extend(sorted.get(end).map(|first| (*first).clone()));
    }
    starts
}

/// The tile of a customer, from 1.
pub(super) fn tile(starts: &[RankedCustomer], customer: &RankedCustomer) -> u8 {
    starts.partition_point(|first| first <= customer) as u8 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiles(n: i64, bins: u32) -> Vec<u8> {
        let customers: Vec<RankedCustomer> = (0..n).map(|id| (7, CustomerId::Int(id))).collect();
        let starts = tile_starts(&customers, bins);
        customers.iter().map(|customer| tile(&starts, customer)).collect()
    }

    #[test]
    fn tiles_match_sql() {
        // select ntile(4) over (order by i) from range(10): 1 1 1 2 2 2 3 3 4 4
        assert_eq!(tiles(10, 4), [1, 1, 1, 2, 2, 2, 3, 3, 4, 4]);
        assert_eq!(tiles(2, 5), [1, 2]);
    }
}
