//! The values that the customers of the current batch have in the dimensions of the customers table.

use crate::domain::CustomerIdRef;
use crate::measure::{CustomerAttributes, UNKNOWN};

/// The customers table of a part, in which customers are looked up batch by batch. Assigned customers need no orders to be in it.
pub struct DimensionValues<'a> {
    /// By bucket of the part, ascending by id; empty if no strategy looks at dimensions.
    tables: &'a [CustomerAttributes],
    /// By bucket: the first row that comes after the customers of earlier batches.
    next: Vec<usize>,
    /// By customer of the batch: bucket and row.
    rows: Vec<Option<(usize, usize)>>,
}

impl<'a> DimensionValues<'a> {
    /// The customers table before the first batch.
    pub fn new(tables: &'a [CustomerAttributes]) -> DimensionValues<'a> {
        DimensionValues { tables, next: vec![0; tables.len()], rows: Vec::new() }
    }

    /// Looks up the customers of the next batch, who ascend.
    pub fn read_batch(&mut self, ids: &[CustomerIdRef<'_>]) {
        self.rows.clear();
        let Some(last) = ids.last().filter(|_| !self.tables.is_empty()) else { return };
        self.rows.resize(ids.len(), None);
        for (bucket, (table, next)) in self.tables.iter().zip(&mut self.next).enumerate() {
            while *next < table.ids.len() {
                let id = CustomerIdRef::of(&table.ids, *next);
                if id > *last {
                    break;
                }
                if let Ok(customer) = ids.binary_search(&id) {
                    self.rows[customer] = Some((bucket, *next));
                }
                *next += 1;
            }
        }
    }

    /// The number of a customer's value in a dimension; none without one.
    pub fn value(&self, dimension: usize, customer: u32) -> Option<u32> {
        let (bucket, row) = self.rows.get(customer as usize).copied().flatten()?;
        let value = self.tables[bucket].dimensions.get(dimension)?.get(row).copied();
        value.filter(|value| *value != UNKNOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CustomerIds;

    /// Customers of two buckets, of whom a batch has some and others that the table lacks.
    #[test]
    fn customers_are_found_in_their_bucket_batch_by_batch() {
        let bucket = |ids: &[i64], values: &[u32]| CustomerAttributes {
            ids: CustomerIds::Int(ids.to_vec()),
            columns: Vec::new(),
            dimensions: vec![values.to_vec()],
        };
        let tables = [bucket(&[2, 5, 9], &[0, 1, UNKNOWN]), bucket(&[3, 4, 8, 11], &[1, 0, 2, 0])];
        let mut all = DimensionValues::new(&tables);
        let mut found = Vec::new();
        for batch in [&[1, 2, 4][..], &[5, 7, 9], &[11, 12]] {
            let ids: Vec<CustomerIdRef<'_>> = batch.iter().map(|id| CustomerIdRef::of_key(*id)).collect();
            all.read_batch(&ids);
            found.extend((0..batch.len() as u32).map(|customer| all.value(0, customer)));
        }
        assert_eq!(found, [None, Some(0), Some(0), Some(1), None, None, Some(0), None]);
        assert_eq!(all.value(1, 0), None);
        let mut none = DimensionValues::new(&[]);
        none.read_batch(&[CustomerIdRef::of_key(2)]);
        assert_eq!(none.value(0, 0), None);
    }
}
