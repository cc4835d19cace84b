//! The customers of a part, each with an index that stays the same at all dates: sorted by slice and id.

use std::cmp::Ordering;

use crate::domain::CustomerIds;
use crate::measure::BucketPanel;
use crate::movement::CustomerGroups;

/// Where the data of a customer lie: bucket of the part, and customer of the bucket.
pub type BucketRow = (u32, u32);

/// The customers of a part in the order of its files. All lists have one entry per customer, by its index.
pub struct PartCustomers {
    /// Where the data of every customer lie.
    pub bucket_rows: Vec<BucketRow>,
    /// Ids, so that a pass over the customers reads them in sequence.
    pub ids: CustomerIds,
    /// Slices and dimension values.
    pub groups: CustomerGroups,
    /// By bucket of the part and customer of the bucket: the customer's index.
    pub indices: Vec<Vec<u32>>,
    /// Where every customer stands when all buckets are laid end to end.
    flat_offsets: Vec<u32>,
}

impl PartCustomers {
    /// Merges the customers of the buckets, which are sorted each.
    pub fn new(panels: &[BucketPanel]) -> PartCustomers {
        let bucket_rows = sorted(panels);
        let mut ids = panels.first().map_or(CustomerIds::Int(Vec::new()), |p| p.ids.none());
        let mut slices = Vec::with_capacity(bucket_rows.len());
        let mut indices: Vec<Vec<u32>> = panels.iter().map(|p| vec![0; p.ids.len()]).collect();
        for (index, bucket_row) in bucket_rows.iter().enumerate() {
            let (panel, row) = panel_of(panels, *bucket_row);
            ids.push_from(&panel.ids, row);
            slices.push(panel.slice(row));
            indices[bucket_row.0 as usize][row] = index as u32;
        }
        let mut first_offsets = Vec::with_capacity(panels.len());
        let mut end = 0;
        for panel in panels {
            first_offsets.push(end);
            end += panel.ids.len() as u32;
        }
        let flat_offsets = bucket_rows.iter().map(|(bucket, row)| first_offsets[*bucket as usize] + row).collect();
        let gathered = |columns: fn(&BucketPanel) -> &[Vec<u32>]| -> Vec<Vec<u32>> {
            let column = |at: usize| {
                let value = |(bucket, row): &BucketRow| columns(&panels[*bucket as usize])[at][*row as usize];
                bucket_rows.iter().map(value).collect()
            };
            (0..panels.first().map_or(0, |panel| columns(panel).len())).map(column).collect()
        };
        let groups = CustomerGroups::new(&slices, gathered(|panel| &panel.dimensions), gathered(|panel| &panel.first_purchase));
        PartCustomers { bucket_rows, ids, groups, indices, flat_offsets }
    }

    /// By index: where the customer stands when all buckets are laid end to end.
    pub fn flat_offsets(&self) -> &[u32] {
        &self.flat_offsets
    }

    /// Number of customers.
    pub fn len(&self) -> usize {
        self.bucket_rows.len()
    }

    /// Whether there is no customer.
    pub fn is_empty(&self) -> bool {
        self.bucket_rows.is_empty()
    }
}

/// The panel and the row in it that hold a customer's data.
pub fn panel_of(panels: &[BucketPanel], (bucket, row): BucketRow) -> (&BucketPanel, usize) {
    (&panels[bucket as usize], row as usize)
}

/// All customers by slice and id. The buckets are sorted, so a sort that finds runs merges them.
fn sorted(panels: &[BucketPanel]) -> Vec<BucketRow> {
    let buckets = panels.iter().zip(0u32..);
    let all = buckets.flat_map(|(panel, bucket)| (0..panel.ids.len() as u32).map(move |row| (bucket, row)));
    let int_ids: Option<Vec<&[i64]>> = panels.iter().map(|panel| int_ids(&panel.ids)).collect();
    match int_ids {
        Some(ids) if panels.iter().all(|p| p.slices.is_empty()) => {
            let all: Vec<BucketRow> = all.collect();
            CustomerIds::ascending(&ids.concat()).into_iter().map(|at| all[at as usize]).collect()
        }
        Some(ids) => {
            let key =
                |(bucket, row): BucketRow| (panels[bucket as usize].slice(row as usize), ids[bucket as usize][row as usize]);
            let mut keyed: Vec<((u32, i64), BucketRow)> = all.map(|at| (key(at), at)).collect();
            keyed.sort_by_key(|(key, _)| *key);
            keyed.into_iter().map(|(_, at)| at).collect()
        }
        None => {
            let mut all: Vec<BucketRow> = all.collect();
            all.sort_by(|a, b| {
                let ((p, i), (q, j)) = (panel_of(panels, *a), panel_of(panels, *b));
                p.slice(i).cmp(&q.slice(j)).then_with(|| match (&p.ids, &q.ids) {
                    (CustomerIds::Text(p), CustomerIds::Text(q)) => p.get(i).cmp(q.get(j)),
                    _ => Ordering::Equal,
                })
            });
            all
        }
    }
}

/// The keys of integer ids.
fn int_ids(ids: &CustomerIds) -> Option<&[i64]> {
    match ids {
        CustomerIds::Int(keys) => Some(keys),
        CustomerIds::Text(_) => None,
    }
}
