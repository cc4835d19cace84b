//! The groups that tables add up: slices, and the values of dimensions within a slice.

use std::ops::Range;

/// The customers of a part by slice and by dimension value. A customer is an index into the part's customers, which are
/// sorted by slice.
pub struct CustomerGroups {
    customers: usize,
    /// Slice numbers with their customers, ascending.
    pub slices: Vec<(u32, Range<usize>)>,
    /// Per customer the position of its slice in `slices`; empty if there is only one.
    slice_positions: Vec<u32>,
    dimensions: Vec<DimensionGroups>,
    /// By what customers bought first, which tells nothing but cohorts apart.
    first_purchase: Vec<DimensionGroups>,
}

/// The customers of a part by the value of one dimension.
struct DimensionGroups {
    /// The number of the value, by customer.
    values: Vec<u32>,
    /// All customers, by slice and value.
    customers: Vec<u32>,
    /// Slice number and value, with a range of `customers`.
    groups: Vec<(u32, u32, Range<usize>)>,
}

/// The customers of a slice that share a value of a dimension.
#[derive(Debug, Clone, Copy)]
pub struct DimensionGroup<'a> {
    /// Slice number.
    pub slice: u32,
    /// Number of the dimension, from 1: 0 stands for all customers of a slice. Properties of the first purchase follow the dimensions.
    pub dimension: u32,
    /// Number of the value.
    pub value: u32,
    /// Customers, ascending.
    pub customers: &'a [u32],
}

impl CustomerGroups {
    /// Groups the customers whose slice numbers these are, ascending; `dimensions` has the value number of every customer
    /// per dimension, `first_purchase` per property of the first purchase.
    pub fn new(slice_numbers: &[u32], dimensions: Vec<Vec<u32>>, first_purchase: Vec<Vec<u32>>) -> CustomerGroups {
        let mut slices: Vec<(u32, Range<usize>)> = Vec::new();
        let mut start = 0;
        for group in slice_numbers.chunk_by(|a, b| a == b) {
            slices.push((group.first().copied().unwrap_or(0), start..start + group.len()));
            start += group.len();
        }
        let mut slice_positions = Vec::new();
        if slices.len() > 1 {
            for ((_, customers), position) in slices.iter().zip(0..) {
                slice_positions.extend(std::iter::repeat_n(position, customers.len()));
            }
        }
        let grouped = |all: Vec<Vec<u32>>| all.into_iter().map(|values| DimensionGroups::new(values, &slices)).collect();
        let (dimensions, first_purchase) = (grouped(dimensions), grouped(first_purchase));
        CustomerGroups { customers: slice_numbers.len(), slices, slice_positions, dimensions, first_purchase }
    }

    /// Number of customers.
    pub fn len(&self) -> usize {
        self.customers
    }

    /// Whether there is no customer.
    pub fn is_empty(&self) -> bool {
        self.customers == 0
    }

    /// The position of a customer's slice in `slices`.
    #[inline]
    pub fn slice_position(&self, customer: usize) -> usize {
        self.slice_positions.get(customer).map_or(0, |position| *position as usize)
    }

    /// The number of a customer's slice; 0 in a job without slices.
    pub fn slice_number(&self, customer: u32) -> u32 {
        self.slices.get(self.slice_position(customer as usize)).map_or(0, |(number, _)| *number)
    }

    /// The customers of a slice; empty if the part has none.
    pub fn slice(&self, number: u32) -> Range<usize> {
        self.slices.iter().find(|(n, _)| *n == number).map_or(0..0, |(_, customers)| customers.clone())
    }

    /// Whether the job has dimensions.
    pub fn has_dimensions(&self) -> bool {
        !self.dimensions.is_empty()
    }

    /// The number of a customer's value of a dimension; `None` if there is no such dimension.
    pub fn value(&self, dimension: usize, customer: u32) -> Option<u32> {
        self.dimensions.get(dimension)?.values.get(customer as usize).copied()
    }

    /// The groups of all dimensions.
    pub fn by_dimension(&self) -> impl Iterator<Item = DimensionGroup<'_>> {
        self.dimensions.iter().zip(1..).flat_map(|(of_dimension, dimension)| of_dimension.groups(dimension))
    }

    /// The groups by all properties of the first purchase.
    pub fn by_first_purchase(&self) -> impl Iterator<Item = DimensionGroup<'_>> {
        let numbers = self.dimensions.len() as u32 + 1..;
        self.first_purchase.iter().zip(numbers).flat_map(|(of_property, number)| of_property.groups(number))
    }
}

impl DimensionGroups {
    fn new(values: Vec<u32>, slices: &[(u32, Range<usize>)]) -> DimensionGroups {
        let value = |customer: &u32| values[*customer as usize];
        let mut customers: Vec<u32> = (0..values.len() as u32).collect();
        let mut groups = Vec::new();
        for (slice, range) in slices {
            customers[range.clone()].sort_by_key(value);
            let mut start = range.start;
            for group in customers[range.clone()].chunk_by(|a, b| value(a) == value(b)) {
                groups.extend(group.first().map(|first| (*slice, value(first), start..start + group.len())));
                start += group.len();
            }
        }
        DimensionGroups { values, customers, groups }
    }

    /// The groups of this dimension, whose number is this.
    fn groups(&self, dimension: u32) -> impl Iterator<Item = DimensionGroup<'_>> {
        self.groups.iter().map(move |(slice, value, range)| DimensionGroup {
            slice: *slice,
            dimension,
            value: *value,
            customers: &self.customers[range.clone()],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_hold_every_customer_once_per_dimension() {
        let groups = CustomerGroups::new(&[0, 0, 0, 2, 2], vec![vec![7, 5, 7, 5, 9]], vec![vec![1, 1, 0, 1, 1]]);
        assert_eq!(groups.slices, [(0, 0..3), (2, 3..5)]);
        assert_eq!((groups.slice_position(4), groups.slice_number(4), groups.slice(2), groups.slice(1)), (1, 2, 3..5, 0..0));
        assert_eq!((groups.value(0, 4), groups.value(1, 4)), (Some(9), None));
        let listed: Vec<_> = groups.by_dimension().map(|g| (g.slice, g.dimension, g.value, g.customers.to_vec())).collect();
        assert_eq!(listed, [(0, 1, 5, vec![1]), (0, 1, 7, vec![0, 2]), (2, 1, 5, vec![3]), (2, 1, 9, vec![4])]);
        let first: Vec<_> = groups.by_first_purchase().map(|g| (g.slice, g.dimension, g.value, g.customers.to_vec())).collect();
        assert_eq!(first, [(0, 2, 0, vec![2]), (0, 2, 1, vec![0, 1]), (2, 2, 1, vec![3, 4])]);
    }
}
